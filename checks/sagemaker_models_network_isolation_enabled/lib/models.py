"""The SageMaker models of an account, as facts: what lists them, and what reads each.

A model cannot be changed after it was created, so Search, which gives a hundred models with their
tags a call, can be exact: its record is that very model if the ARN and the creation time are.
Whatever Search lacks, refuses or garbles is read with DescribeModel and ListTags.

Prowler's own list of models is not enough to judge by: it hides the error of a listing that broke
off, it drops the creation time, and its model has no security groups and cannot tell "false" from
"unread". So models are listed here, with the regional clients and the thread pool of Prowler's
service, in pages of a hundred; the tags that it has read are shared.
"""

import logging
import sys
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from importlib import import_module
from typing import Any

from botocore.exceptions import ClientError
from prowler.providers.aws.lib.service.service import AWSService

from .answers import is_id, listed
from .facts import Endpoint, MalformedError, Model, SecurityGroup, Subnet, Unread
from .network import read_network

logger = logging.getLogger(__name__)

CLIENT = "prowler.providers.aws.services.sagemaker.sagemaker_client"
NOT_FOUND = "ValidationException"
PAGE_SIZE = 100  # the most that ListModels and Search give in a page; their own choice is less

Recorded = tuple[str, str | None]  # the name and the creation time of a record of Search


@dataclass(frozen=True)
class Listing:
    """The models of one region, as far as ListModels told.

    Attributes:
        region: The region.
        models: The models in the scope of the scan; at first nothing is known of them but their
            name, ARN, region and creation time.
        pages: How many pages all models of the region took, those out of scope included.
        unread: Why there may be more models; None where the list is whole.
    """

    region: str
    models: tuple[Model, ...]
    pages: int
    unread: Unread | None = None


def sagemaker_service(provider: Any, check_id: str) -> Any:
    """Return the Prowler service whose regional clients and thread pool serve this scan.

    Importing Prowler's SageMaker client lists and describes every training job, notebook and
    endpoint configuration of the account, for hours on a large one (Prowler issue #12814). So it
    is shared where another check of this scan pays for it anyway, and left alone where ours is the
    only SageMaker check. What decides is the provider's own list of checks, because Prowler's
    application runs checks without a command line.

    Args:
        provider: Prowler's AWS provider.
        check_id: The check that asks.

    Returns:
        Prowler's `SageMaker` service of this scan, or a bare `AWSService` for SageMaker.
    """
    expected = provider.audit_metadata.expected_checks or ()
    if any(name.startswith("sagemaker_") and name != check_id for name in expected):
        import_module(CLIENT)
    shared = getattr(sys.modules.get(CLIENT), "sagemaker_client", None)
    # A worker that scans one account after the other may still hold the client of the last one.
    if shared is not None and shared.provider is provider:
        return shared
    return AWSService("sagemaker", provider)


def read_regions(service: Any) -> list[Listing]:
    """Return the models of every region of a scan, with all facts that the verdict needs.

    Args:
        service: What `sagemaker_service` gave.

    Returns:
        One `Listing` a region. What could not be read is said in it; no error of AWS is raised.
    """
    clients = service.regional_clients
    pool = service.thread_pool
    searches: dict[str, Future[dict[Recorded, Model]]] = {}

    def search(region: str) -> None:
        searches[region] = pool.submit(search_models, clients[region])

    listings = list(
        pool.map(lambda c: list_models(c, service.audit_resources, search), clients.values())
    )
    for listing in listings:
        # What one page of Search reads, DescribeModel and ListTags read in two calls a model.
        if listing.region not in searches and 2 * len(listing.models) > listing.pages:
            search(listing.region)
    facts: dict[tuple[str, str], Model] = {}
    for listing in listings:
        records = searches[listing.region].result() if listing.region in searches else {}
        for model in listing.models:
            record = records.get((model.name, model.creation_time))
            if record and is_same_arn(record.arn, model.arn):
                facts[identity(model)] = replace(record, arn=own_spelling(record.arn, model.arn))

    shared = getattr(service, "sagemaker_models", ())
    shared_tags = {model.arn.lower(): tuple(model.tags or ()) for model in shared}
    listed_models = [facts.get(identity(m), m) for li in listings for m in li.models]
    left = [model for model in listed_models if model.network_isolation is None]
    if left:
        regions = sorted({model.region for model in left})
        logger.info(f"SageMaker - describing {len(left)} models in {', '.join(regions)}...")
    described = pool.map(lambda m: describe_model(clients[m.region], m, shared_tags), left)
    judged = facts | dict(zip(map(identity, left), described, strict=True))

    read = [
        replace(li, models=tuple(model for m in li.models if (model := judged[identity(m)])))
        for li in listings
    ]
    in_vpcs = [li for li in read if any(m.subnets or m.security_groups for m in li.models)]
    # boto3 makes the clients of one session in one thread only.
    ec2 = {li.region: service.session.client("ec2", region_name=li.region) for li in in_vpcs}
    located = pool.map(lambda li: locate(ec2[li.region], li), in_vpcs)
    by_region = {li.region: li for li in (*read, *located)}
    return [by_region[region] for region in sorted(by_region)]


def identity(model: Model) -> tuple[str, str]:
    """Return what tells a model from all others of an account: its region and its name."""
    return model.region, model.name


def is_same_arn(one: Any, other: str) -> bool:
    """Return whether two ARNs name one resource: list calls of SageMaker may lower their case.

    Source: boto3 issue #4606.
    """
    return isinstance(one, str) and one.lower() == other.lower()


def own_spelling(one: str, other: str) -> str:
    """Return AWS's own spelling of two of one ARN, one of which may be in lower case."""
    return min(one, other)  # capitals sort before small letters


def list_models(client: Any, audit_resources: list[str], search: Callable[[str], None]) -> Listing:
    """Return the models of a region that are in the scope of the scan.

    Args:
        client: Prowler's SageMaker client of the region.
        audit_resources: The ARNs that the scan is limited to (--resource-arn, --resource-tags);
            empty for all.
        search: Has the region searched while it is listed; called as soon as it is known to have
            more models than a page.
    """
    logger.info(f"SageMaker - listing models in {client.region}...")
    scope = {arn.lower() for arn in audit_resources or ()}
    models: dict[str, Model] = {}
    pages = 0
    error: Exception | None = None
    try:
        for page in client.get_paginator("list_models").paginate(
            PaginationConfig={"PageSize": PAGE_SIZE}
        ):
            pages += 1
            if pages == 1 and page.get("NextToken") and not scope:
                search(client.region)
            for summary in listed(page, "Models", "the answer"):
                name, arn = summary.get("ModelName"), summary.get("ModelArn")
                if not isinstance(name, str) or not isinstance(arn, str):
                    error = MalformedError("a model without ModelName or ModelArn")
                elif not scope or arn.lower() in scope:
                    created = to_the_second(summary.get("CreationTime"))
                    models[name] = Model(name, arn, client.region, created)
    # Whatever stops the listing becomes a MANUAL finding for the region, beside what was listed.
    except Exception as stopped:
        error = stopped
    what = "the rest of the list of models" if models else "the list of models"
    unread = Unread.from_error(error, what, "sagemaker:ListModels") if error else None
    return Listing(client.region, tuple(models.values()), pages, unread)


def search_models(client: Any) -> dict[Recorded, Model]:
    """Return the models of a region as Search records them.

    Args:
        client: Prowler's SageMaker client of the region.

    Returns:
        The models by name and creation time: a record is a listed model's only if both are,
        because a namesake may have been deleted. That Search failed is no error, because the
        permission for it is optional.
    """
    logger.info(f"SageMaker - searching models in {client.region}...")
    found = {}
    try:
        for page in client.get_paginator("search").paginate(
            Resource="Model", PaginationConfig={"PageSize": PAGE_SIZE}
        ):
            for result in listed(page, "Results", "the answer"):
                if model := from_record(client.region, result.get("Model") or {}):
                    found[model.name, model.creation_time] = model
    except Exception as error:
        logger.info(f"{client.region} -- Search is unavailable, models are described: {error}")
    return found


def from_record(region: str, record: dict[str, Any]) -> Model | None:
    """Return a model by a record of Search.

    Args:
        region: Its region.
        record: `SearchRecord.Model`, which is a ModelDashboardModel.

    Returns:
        The model, with its endpoints. Its settings and tags are in it where the record is enough to
        judge by: complete, and without anything whose absence would alone decide that the model
        fails. None where the record does not say which model it is.
    """
    settings = record.get("Model") or {}
    name, arn = settings.get("ModelName"), settings.get("ModelArn")
    created = to_the_second(settings.get("CreationTime"))
    if not isinstance(name, str) or not isinstance(arn, str) or created is None:
        return None
    model = Model(name, arn, region, created, endpoints=endpoints_in(record))
    read = with_settings(model, settings)
    tags = settings.get("Tags") or []
    by_absence_alone = read.network_isolation and not (read.has_vpc_config and read.security_groups)
    if read.unread or by_absence_alone or not are_tags(tags):
        return model
    return replace(read, tags=tuple(tags))


def endpoints_in(record: dict[str, Any]) -> tuple[Endpoint, ...] | None:
    """Return the endpoints of a model by its record of Search; None where it does not tell."""
    try:
        endpoints = listed(record, "Endpoints", "the answer")
    except MalformedError:
        return None
    if not all(isinstance(endpoint.get("EndpointName"), str) for endpoint in endpoints):
        return None
    found = [
        Endpoint(e["EndpointName"], e.get("EndpointArn"), e.get("EndpointStatus"))
        for e in endpoints
    ]
    return tuple(sorted(found, key=lambda endpoint: endpoint.name))


def to_the_second(time: Any) -> str | None:
    """Return a time of AWS in ISO 8601 and UTC, to the second; None for anything else."""
    if not isinstance(time, datetime):
        return None
    return time.astimezone(timezone.utc).isoformat(timespec="seconds")


def describe_model(
    client: Any, model: Model, shared_tags: dict[str, tuple[dict[str, str], ...]]
) -> Model | None:
    """Return a listed model with its settings by DescribeModel, and its tags.

    Args:
        client: Prowler's SageMaker client of the model's region.
        model: The model, as listed.
        shared_tags: The tags by ARN, in lower case, that Prowler's own service has read in this
            scan.

    Returns:
        The model; None where it was deleted since it was listed.
    """
    try:
        model = with_settings(model, client.describe_model(ModelName=model.name))
    # Whatever keeps the settings from being read becomes the reason of a MANUAL finding.
    except Exception as error:
        if is_deleted(client, model, error):
            logger.warning(f"{client.region} -- {model.name} was deleted during the scan")
            return None
        what = "EnableNetworkIsolation and VpcConfig"
        unread = Unread.from_error(error, what, "sagemaker:DescribeModel")
        if is_not_found(error):
            unread = replace(unread, remedy="scan again")
        model = replace(model, unread=(unread,))
    tags = shared_tags.get(model.arn.lower())
    return replace(model, tags=list_tags(client, model.arn) if tags is None else tags)


def is_not_found(error: Exception) -> bool:
    """Return whether an error of DescribeModel may say that there is no such model."""
    code = error.response.get("Error", {}).get("Code") if isinstance(error, ClientError) else None
    return code == NOT_FOUND


def is_deleted(client: Any, model: Model, error: Exception) -> bool:
    """Return whether a listed model that could not be described is not listed any more.

    SageMaker has no error code of its own for a model that does not exist: DescribeModel answers
    ValidationException, as it does for a name that is malformed. So the list is asked again.

    Args:
        client: Prowler's SageMaker client of the model's region.
        model: The model, as listed.
        error: What DescribeModel raised.
    """
    if not is_not_found(error):
        return False
    try:
        pages = client.get_paginator("list_models").paginate(NameContains=model.name)
        return model.name not in {m["ModelName"] for page in pages for m in page["Models"]}
    except Exception as unlisted:
        logger.info(f"{client.region} -- {model.name} could not be listed again: {unlisted}")
        return False


def with_settings(model: Model, settings: dict[str, Any]) -> Model:
    """Return a listed model with its EnableNetworkIsolation and VpcConfig.

    Args:
        model: The model, as listed.
        settings: AWS's description of it, as boto3 gives it: DescribeModelOutput, or the record of
            Search, which has the same members.

    Returns:
        The model, with its subnets and security groups known by their ids alone.

    Raises:
        MalformedError: The settings are not this model's.
    """
    arn = settings.get("ModelArn")
    if not is_same_arn(arn, model.arn):
        raise MalformedError("no ModelArn of this model in the answer")
    created = to_the_second(settings.get("CreationTime")) or model.creation_time
    absent = []
    isolation = settings.get("EnableNetworkIsolation")
    if not isinstance(isolation, bool):
        isolation = None
        absent.append("EnableNetworkIsolation")
    # AWS omits VpcConfig for a model in no VPC; an empty one says the same.
    vpc_config = settings.get("VpcConfig") or {}
    has_vpc_config: bool | None = bool(vpc_config)
    subnet_ids = vpc_config.get("Subnets")
    if has_vpc_config and not (subnet_ids and are_ids(subnet_ids, "subnet-")):
        has_vpc_config, subnet_ids = None, ()
        absent.append("VpcConfig.Subnets")
    group_ids = vpc_config.get("SecurityGroupIds") or ()
    if not are_ids(group_ids, "sg-"):
        has_vpc_config, group_ids = None, ()
        absent.append("VpcConfig.SecurityGroupIds")
    return replace(
        model,
        arn=own_spelling(model.arn, str(arn)),
        creation_time=created,
        # A namesake may have been made since the model was listed.
        endpoints=model.endpoints if created == model.creation_time else None,
        network_isolation=isolation,
        has_vpc_config=has_vpc_config,
        subnets=tuple(Subnet(subnet_id) for subnet_id in dict.fromkeys(subnet_ids or ())),
        security_groups=tuple(SecurityGroup(group_id) for group_id in dict.fromkeys(group_ids)),
        unread=tuple(
            Unread.from_error(MalformedError("not in the answer"), what, "sagemaker:DescribeModel")
            for what in absent
        ),
    )


def are_ids(values: Any, prefix: str) -> bool:
    """Return whether values are the ids of one kind of EC2 resource, such as "subnet-…"."""
    return isinstance(values, (list, tuple)) and all(is_id(value, prefix) for value in values)


def are_tags(values: Any) -> bool:
    """Return whether values are a list of AWS's tags."""
    return isinstance(values, list) and all(
        isinstance(tag, dict) and isinstance(tag.get("Key"), str) for tag in values
    )


def list_tags(client: Any, arn: str) -> tuple[dict[str, str], ...]:
    """Return a model's tags.

    Tags decide no verdict, so as in Prowler's own service an error is logged and leaves none.

    Args:
        client: Prowler's SageMaker client of the model's region.
        arn: The model's ARN.
    """
    try:
        pages = client.get_paginator("list_tags").paginate(ResourceArn=arn)
        tags = [tag for page in pages for tag in listed(page, "Tags", "the answer")]
        if not are_tags(tags):
            raise MalformedError("a tag without Key")
        return tuple(tags)
    except Exception as error:
        logger.error(f"{client.region} -- the tags of {arn} could not be read: {error}")
        return ()


def account_of(arn: str) -> str:
    """Return the account in an ARN; "" where it has none."""
    return (arn.split(":") + [""] * 5)[4]


def locate(ec2: Any, listing: Listing) -> Listing:
    """Return a region's models with the facts of their subnets and security groups.

    Args:
        ec2: A boto3 EC2 client of the region.
        listing: The models, one at least, of whose subnets and security groups only the ids are
            known.
    """
    logger.info(f"EC2 - reading the network of SageMaker models in {listing.region}...")
    group_sets = [tuple(g.id for g in model.security_groups) for model in listing.models]
    subnets, groups = read_network(
        ec2,
        {subnet.id for model in listing.models for subnet in model.subnets},
        set(group_sets),
        account_of(listing.models[0].arn),
    )
    models = (
        replace(
            model,
            subnets=tuple(subnets[subnet.id] for subnet in model.subnets),
            security_groups=groups[group_set],
        )
        for model, group_set in zip(listing.models, group_sets, strict=True)
    )
    return replace(listing, models=tuple(models))
