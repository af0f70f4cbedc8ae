"""SageMaker's side: its service, and what lists and describes all that is judged.

All of it has EnableNetworkIsolation and VpcConfig under the same names. What is listed and read
here is told by the facts' class: its `NOUN` is AWS's, as in ListModels and DescribeEndpointConfig.
"""

import logging
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timezone
from importlib import import_module
from typing import Any

from botocore import xform_name
from botocore.exceptions import ClientError
from prowler.providers.aws.lib.service.service import AWSService

from .answers import NOT_READ, WORDS, MalformedError, is_id, listed, why_unread
from .facts import Endpoint, Listing, R, Resource

logger = logging.getLogger(__name__)

CLIENT = "prowler.providers.aws.services.sagemaker.sagemaker_client"
# The checks that need nothing of Prowler's own inventory of SageMaker.
OWN_CHECKS = (
    "sagemaker_endpoint_configs_network_isolation_enabled",
    "sagemaker_models_network_isolation_enabled",
    "sagemaker_monitoring_schedule_network_isolation_enabled",
)
NOT_FOUND = ("ValidationException", "ResourceNotFound")
PAGE_SIZE = (
    100  # the most that a List operation and Search give in a page; their own choice is less
)

Tags = tuple[dict[str, str], ...]


def sagemaker_service(provider: Any) -> Any:
    """Return the Prowler service whose regional clients and thread pool serve this scan.

    Importing Prowler's SageMaker client lists and describes every training job, notebook and
    endpoint configuration of the account, for hours on a large one (Prowler issue #12814). So it
    is shared where another check of this scan pays for it anyway, and left alone where ours are the
    only SageMaker checks. What decides is the provider's own list of checks, because Prowler's
    application runs checks without a command line.

    Args:
        provider: Prowler's AWS provider.

    Returns:
        Prowler's `SageMaker` service of this scan, or a bare `AWSService` for SageMaker.
    """
    expected = provider.audit_metadata.expected_checks or ()
    if any(name.startswith("sagemaker_") and name not in OWN_CHECKS for name in expected):
        import_module(CLIENT)
    shared = getattr(sys.modules.get(CLIENT), "sagemaker_client", None)
    # A worker that scans one account after the other may still hold the client of the last one.
    if shared is not None and shared.provider is provider:
        return shared
    return AWSService("sagemaker", provider)


def list_regions(
    service: Any, fact: type[R], on_more_pages: Callable[[str], None] | None = None
) -> list[Listing[R]]:
    """List what every region of a scan has of one kind: see `list_region`.

    Args:
        service: What `sagemaker_service` gave.
        fact: The facts' class of its kind, such as `Model`.
        on_more_pages: Called with each region as soon as it is known to have more than a page.
    """
    clients, scope = service.regional_clients.values(), service.audit_resources
    listing = service.thread_pool.map(
        lambda client: list_region(client, fact, scope, on_more_pages), clients
    )
    return list(listing)


def list_region(
    client: Any,
    fact: type[R],
    audit_resources: list[str],
    on_more_pages: Callable[[str], None] | None = None,
) -> Listing[R]:
    """List what a region has of one kind in the scope of the scan.

    Args:
        client: Prowler's SageMaker client of the region.
        fact: The facts' class of its kind, such as `Model`.
        audit_resources: The ARNs that the scan is limited to (--resource-arn, --resource-tags);
            empty for all.
        on_more_pages: Called with the region as soon as it is known to have more than a page.
    """
    noun, words = fact.NOUN, WORDS[fact.NOUN]
    logger.info(f"SageMaker - listing {words}s in {client.region}...")
    scope = {arn.lower() for arn in audit_resources or ()}
    found: dict[str, R] = {}
    pages = 0
    error: Exception | None = None
    try:
        for page in client.get_paginator(f"list_{xform_name(noun)}s").paginate(
            PaginationConfig={"PageSize": PAGE_SIZE}
        ):
            pages += 1
            if pages == 1 and page.get("NextToken") and not scope and on_more_pages:
                on_more_pages(client.region)
            for summary in listed(page, fact.LISTED, "the answer"):
                name, arn = summary.get(f"{noun}Name"), summary.get(f"{noun}Arn")
                if not isinstance(name, str) or not isinstance(arn, str):
                    article = "an" if words[0] in "aeiou" else "a"
                    error = MalformedError(f"{article} {words} without {noun}Name or {noun}Arn")
                elif not scope or arn.lower() in scope:
                    created = to_the_second(summary.get("CreationTime"))
                    item = fact(name, arn, client.region, created)
                    # Listed twice in two ways, which of them there is now is for Describe to tell.
                    same = found.get(name, item) == item
                    found[name] = item if same else replace(item, creation_time=None)
    # Whatever stops the listing becomes a MANUAL finding for the region, beside what was listed.
    except Exception as stopped:
        error = stopped
    part = "rest of the list" if found else "list"
    what, permission = f"the {part} of {words}s", f"sagemaker:List{noun}s"
    unread = why_unread(error, what, permission, client.region) if error else None
    return Listing(client.region, tuple(found.values()), pages, unread)


def describe(
    client: Any,
    item: R,
    with_answer: Callable[[R, dict[str, Any]], R | None],
    settings: str,
    shared_tags: dict[str, Tags],
) -> R | None:
    """Return what was listed with its settings and its tags.

    Args:
        client: Prowler's SageMaker client of its region.
        item: The model or endpoint configuration, as listed.
        with_answer: Gives it the settings of the description; None where it is not to be judged.
        settings: What the description tells, for a sentence.
        shared_tags: The tags by ARN, in lower case, that Prowler's own service has read in this
            scan.

    Returns:
        The item; None where it is not to be judged, or was deleted since it was listed.
    """
    operation, parameter = f"describe_{xform_name(item.NOUN)}", f"{item.NOUN}Name"
    read: R | None = None
    try:
        read = with_answer(item, getattr(client, operation)(**{parameter: item.name}))
        if read is None:
            return None
    # Whatever keeps the settings from being read becomes the reason of a MANUAL finding.
    except Exception as error:
        if is_deleted(client, item, error):
            logger.warning(f"{client.region} -- {item.name} was deleted during the scan")
            return None
        unread = why_unread(error, settings, f"sagemaker:Describe{item.NOUN}")
        if is_not_found(error):
            unread = replace(unread, remedy="scan again", problem=NOT_READ)
        read = replace(item, unread=(unread,))
    tags = shared_tags.get(read.arn.lower())
    return replace(read, tags=list_tags(client, read.arn) if tags is None else tags)


def is_not_found(error: Exception) -> bool:
    """Return whether an error of a Describe operation may say that there is no such thing."""
    code = error.response.get("Error", {}).get("Code") if isinstance(error, ClientError) else None
    return code in NOT_FOUND


def is_deleted(client: Any, item: Resource, error: Exception) -> bool:
    """Return whether what was listed and could not be described is not listed any more.

    Most Describe operations of SageMaker have no error code of their own for what does not exist:
    they answer ValidationException, as for a name that is malformed. So the list is asked again.

    Args:
        client: Prowler's SageMaker client of its region.
        item: The model or endpoint configuration, as listed.
        error: What the Describe operation raised.
    """
    if not is_not_found(error):
        return False
    try:
        listing = client.get_paginator(f"list_{xform_name(item.NOUN)}s")
        pages = listing.paginate(NameContains=item.name)
        items = (summary for page in pages for summary in page[item.LISTED])
        return item.name not in {summary[f"{item.NOUN}Name"] for summary in items}
    except Exception as unlisted:
        logger.info(f"{client.region} -- {item.name} could not be listed again: {unlisted}")
        return False


def from_description(item: R, description: dict[str, Any], operation: str | None = None) -> R:
    """Return what was listed with its isolation and VPC configuration.

    Args:
        item: It, as listed.
        description: AWS's, as boto3 gives it: DescribeModelOutput or DescribeEndpointConfigOutput,
            or the record of Search, which has the same members; for a schedule, those of its job
            definition too.
        operation: The operation that told the settings; None for its own Describe operation.

    Returns:
        The item, with its subnets and security groups known by their ids alone.

    Raises:
        MalformedError: The description is not its own.
    """
    arn = description.get(f"{item.NOUN}Arn")
    if not is_same_arn(arn, item.arn):
        raise MalformedError(f"no {item.NOUN}Arn of this {WORDS[item.NOUN]} in the answer")
    created = to_the_second(description.get("CreationTime")) or item.creation_time
    permission = f"sagemaker:{operation or f'Describe{item.NOUN}'}"
    absent = []
    isolation = description.get("EnableNetworkIsolation")
    if not isinstance(isolation, bool):
        isolation = None
        absent.append("EnableNetworkIsolation")
    # AWS omits VpcConfig where there is none; an empty one says the same.
    vpc_config = description.get("VpcConfig") or {}
    has_vpc_config: bool | None = bool(vpc_config)
    subnet_ids, group_ids = vpc_config.get("Subnets"), vpc_config.get("SecurityGroupIds") or ()
    if has_vpc_config and not (subnet_ids and are_ids(subnet_ids, "subnet-")):
        has_vpc_config, subnet_ids = None, ()
        absent.append("VpcConfig.Subnets")
    if not are_ids(group_ids, "sg-"):
        has_vpc_config, group_ids = None, ()
        absent.append("VpcConfig.SecurityGroupIds")
    return replace(
        item,
        arn=own_spelling(item.arn, str(arn)),
        creation_time=created,
        # A namesake may have been made since it was listed.
        endpoints=item.endpoints if created == item.creation_time else None,
        network_isolation=isolation,
        has_vpc_config=has_vpc_config,
        subnet_ids=tuple(dict.fromkeys(subnet_ids or ())),
        security_group_ids=tuple(dict.fromkeys(group_ids)),
        unread=tuple(
            why_unread(MalformedError("not in the answer"), what, permission) for what in absent
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


def list_tags(client: Any, arn: str) -> Tags:
    """Return the tags of what an ARN names.

    Tags decide no verdict, so as in Prowler's own service an error is logged and leaves none.

    Args:
        client: Prowler's SageMaker client of its region.
        arn: The ARN.
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


def is_same_arn(one: Any, other: str) -> bool:
    """Return whether two ARNs name one resource: list calls of SageMaker may lower their case.

    Source: boto3 issue #4606.
    """
    return isinstance(one, str) and one.lower() == other.lower()


def own_spelling(one: str, other: str) -> str:
    """Return an ARN as AWS spells it, of two spellings of which one may be in lower case."""
    return min(one, other)  # capitals sort before small letters


def to_the_second(time: Any) -> str | None:
    """Return a time of AWS in ISO 8601 and UTC, to the second; None for anything else."""
    if not isinstance(time, datetime):
        return None
    return time.astimezone(timezone.utc).isoformat(timespec="seconds")


def endpoint_in(record: dict[str, Any]) -> Endpoint | None:
    """Return an endpoint by what Search records of it; None where the record does not name it."""
    name = record.get("EndpointName")
    if not isinstance(name, str):
        return None
    return Endpoint(name, record.get("EndpointArn"), record.get("EndpointStatus"))
