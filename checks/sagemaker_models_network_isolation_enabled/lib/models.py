"""The SageMaker models of an account, as facts: what lists them, and what reads each.

Prowler's own list of models is not enough to judge by: it hides the error of a listing that broke
off, and its model has no security groups and cannot tell "false" from "unread". So models are
listed and described here, through the regional clients and the thread pool of Prowler's service;
its tags are shared where they are there already.
"""

import logging
import sys
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

from prowler.providers.aws.lib.service.service import AWSService

from .facts import MalformedError, Model, SecurityGroup, Subnet, Unread
from .network import listed, read_network

logger = logging.getLogger(__name__)

CLIENT = "prowler.providers.aws.services.sagemaker.sagemaker_client"
PAGE_SIZE = 100  # the most that ListModels gives in a page; its own choice is less


@dataclass(frozen=True)
class Listing:
    """The models of one region, as far as ListModels told.

    Attributes:
        region: The region.
        models: The models listed; nothing but name, ARN and region is known of them.
        unread: Why there may be more of them; None where the list is whole.
    """

    region: str
    models: tuple[Model, ...]
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
    expected = provider.audit_metadata.expected_checks
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
    listings = pool.map(
        lambda client: list_models(client, service.audit_resources), clients.values()
    )
    regions = {listing.region: listing for listing in listings}
    models = pool.map(
        lambda model: describe_model(clients[model.region], model),
        [model for listing in regions.values() for model in listing.models],
    )
    shared_tags = {m.arn: tuple(m.tags or ()) for m in getattr(service, "sagemaker_models", ())}
    models = pool.map(
        lambda model: replace(
            model,
            tags=shared_tags[model.arn]
            if model.arn in shared_tags
            else list_tags(clients[model.region], model.arn),
        ),
        list(models),
    )
    by_region: dict[str, list[Model]] = {}
    for model in models:
        by_region.setdefault(model.region, []).append(model)
    in_vpcs = {
        region
        for region, found in by_region.items()
        if any(m.subnets or m.security_groups for m in found)
    }
    # boto3 makes clients of one session in one thread only.
    ec2 = {region: service.session.client("ec2", region_name=region) for region in in_vpcs}
    located = pool.map(lambda region: (region, locate(ec2[region], by_region[region])), in_vpcs)
    by_region.update(located)
    return [
        replace(listing, models=tuple(by_region.get(region, ())))
        for region, listing in sorted(regions.items())
    ]


def list_models(client: Any, audit_resources: list[str]) -> Listing:
    """Return the models of a region that are in the scope of the scan.

    Args:
        client: Prowler's SageMaker client of the region.
        audit_resources: The ARNs that the scan is limited to (--resource-arn, --resource-tags);
            empty for all.
    """
    logger.info(f"SageMaker - listing models in {client.region}...")
    models: dict[str, Model] = {}
    error: Exception | None = None
    try:
        for page in client.get_paginator("list_models").paginate(
            PaginationConfig={"PageSize": PAGE_SIZE}
        ):
            for summary in listed(page, "Models", "the answer"):
                name, arn = summary.get("ModelName"), summary.get("ModelArn")
                if not isinstance(name, str) or not isinstance(arn, str):
                    error = MalformedError("a model without ModelName or ModelArn")
                elif not audit_resources or arn in audit_resources:
                    models[arn] = Model(name, arn, client.region)
    # Whatever stops the listing becomes a MANUAL finding for the region, beside what was listed.
    except Exception as stopped:
        error = stopped
    what = "the rest of the list of models" if models else "the list of models"
    unread = Unread.from_error(error, what, "sagemaker:ListModels") if error else None
    return Listing(client.region, tuple(models.values()), unread)


def describe_model(client: Any, model: Model) -> Model:
    """Return a listed model with the settings that DescribeModel tells.

    Args:
        client: Prowler's SageMaker client of the model's region.
        model: The model, as listed.
    """
    try:
        return with_settings(model, client.describe_model(ModelName=model.name))
    # Whatever keeps the settings from being read becomes the reason of a MANUAL finding.
    except Exception as error:
        what = "EnableNetworkIsolation and VpcConfig"
        return replace(model, unread=(Unread.from_error(error, what, "sagemaker:DescribeModel"),))


def with_settings(model: Model, settings: dict[str, Any]) -> Model:
    """Return a listed model with its EnableNetworkIsolation and VpcConfig.

    Args:
        model: The model, as listed.
        settings: AWS's description of it (DescribeModelOutput), as boto3 gives it.

    Returns:
        The model, with its subnets and security groups known by their ids alone.

    Raises:
        MalformedError: The settings are not this model's.
    """
    if settings.get("ModelArn") != model.arn:
        raise MalformedError("no ModelArn of this model in the answer")
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
    return isinstance(values, (list, tuple)) and all(
        isinstance(value, str) and value.startswith(prefix) for value in values
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
        return tuple(tag for page in pages for tag in listed(page, "Tags", "the answer"))
    except Exception as error:
        logger.error(f"{client.region} -- the tags of {arn} could not be read: {error}")
        return ()


def locate(ec2: Any, models: list[Model]) -> list[Model]:
    """Return a region's models with the facts of their subnets and security groups.

    Args:
        ec2: A boto3 EC2 client of the region.
        models: The models, whose subnets and security groups are known by their ids alone.
    """
    logger.info(f"EC2 - reading the network of SageMaker models in {ec2.meta.region_name}...")
    subnets, groups = read_network(
        ec2,
        {subnet.id for model in models for subnet in model.subnets},
        {group.id for model in models for group in model.security_groups},
    )
    return [
        replace(
            model,
            subnets=tuple(subnets[subnet.id] for subnet in model.subnets),
            security_groups=tuple(groups[group.id] for group in model.security_groups),
        )
        for model in models
    ]
