"""SageMaker's side: its service, and what lists and describes all that is judged.

All of it has EnableNetworkIsolation and VpcConfig under the same names. What is listed and read
here is told by the facts' class: its `NOUN` is AWS's, as in ListModels and DescribeEndpointConfig.
"""

import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timezone
from importlib import import_module
from typing import Any

from botocore import xform_name
from botocore.exceptions import ClientError
from prowler.providers.aws.lib.service.service import AWSService

from .answers import WORDS, MalformedError, each, is_id, listed, why_unread
from .facts import Endpoint, Listing, R, Resource, Service

logger = logging.getLogger(__name__)

_CLIENT = "prowler.providers.aws.services.sagemaker.sagemaker_client"
# The checks that need nothing of Prowler's own inventory of SageMaker.
_OWN_CHECKS = (
    "sagemaker_endpoint_configs_network_isolation_enabled",
    "sagemaker_models_network_isolation_enabled",
    "sagemaker_monitoring_schedule_network_isolation_enabled",
)
PAGE_SIZE = 100  # the most that a List operation and Search give; their own choice is less

Tags = tuple[dict[str, str], ...]


def sagemaker_service(provider: Any) -> Service:
    """Return Prowler's `SageMaker` service of a provider's scan, or a bare `AWSService`.

    Importing Prowler's SageMaker client lists and describes every training job, notebook and
    endpoint configuration of the account, for hours on a large one (Prowler issue #12814). So it
    is shared where another check of this scan pays for it anyway, and left alone where ours are the
    only SageMaker checks. What decides is the provider's own list of checks, because Prowler's
    application runs checks without a command line.
    """
    expected = provider.audit_metadata.expected_checks or ()
    if any(name.startswith("sagemaker_") and name not in _OWN_CHECKS for name in expected):
        import_module(_CLIENT)
    shared = getattr(sys.modules.get(_CLIENT), "sagemaker_client", None)
    # A worker that scans one account after the other may still hold the client of the last one.
    if shared is not None and shared.provider is provider:
        return shared
    return AWSService("sagemaker", provider)


def list_regions(service: Service, fact: type[R]) -> list[Listing[R]]:
    """Return what every region of a scan has of one kind; no error of AWS is raised.

    Args:
        fact: The facts' class of its kind, such as `Model`.
    """
    # --resource-arn and --resource-tags
    scope = {arn.lower() for arn in service.audit_resources or ()}
    clients = service.regional_clients.values()
    return list(service.thread_pool.map(lambda one: _list_region(one, fact, scope), clients))


def _list_region(client: Any, fact: type[R], scope: set[str]) -> Listing[R]:
    noun, words = fact.NOUN, WORDS[fact.NOUN]
    logger.info(f"SageMaker - listing {words}s in {client.region}...")
    found: dict[str, R] = {}
    pages = 0
    error: Exception | None = None
    try:
        for page in client.get_paginator(f"list_{xform_name(noun)}s").paginate(
            PaginationConfig={"PageSize": PAGE_SIZE}
        ):
            pages += 1
            for summary in listed(page, fact.LISTED, "the answer"):
                name, arn = summary.get(f"{noun}Name"), summary.get(f"{noun}Arn")
                if not isinstance(name, str) or not isinstance(arn, str):
                    error = MalformedError(f"no {noun}Name or {noun}Arn in one of {fact.LISTED}")
                elif not scope or arn.lower() in scope:
                    created = to_the_second(summary.get("CreationTime"))
                    item = fact(name, arn, client.region, created)
                    # Listed in two ways: which of them is there now is for Describe to tell.
                    same = found.get(name, item) == item
                    found[name] = item if same else replace(item, creation_time=None)
    # Whatever stops the listing becomes a MANUAL finding for the region, beside what was listed.
    except Exception as stopped:
        error = stopped
    part = "rest of the list" if found else "list"
    what, permission = f"the {part} of {words}s", f"sagemaker:List{noun}s"
    unread = why_unread(error, what, permission, client.region) if error else None
    return Listing(client.region, tuple(found.values()), pages, unread)


def describe_listed(
    service: Service,
    listings: Iterable[Listing[R]],
    with_settings: Callable[[Any, R, dict[str, Any]], R | None],
    settings: str,
    shared_tags: dict[str, Tags] | None = None,
) -> list[Listing[R]]:
    """Return listings in which all that was listed only is described, one by one.

    What is not to be judged, or was deleted since it was listed, is left out. No error of AWS is
    raised.

    Args:
        with_settings: Takes the client, what was listed and AWS's answer, and returns it with the
            settings in the answer; None where it is not to be judged.
        settings: What the answer tells, for a sentence.
        shared_tags: The tags by ARN, in lower case, that are known already.
    """
    clients, tags = service.regional_clients, shared_tags or {}
    listings = list(listings)
    listed_only = [item for li in listings for item in li.items if item.unread is None]
    if listed_only:
        logger.info(f"SageMaker - describing {len(listed_only)} resources one by one...")
    described = service.thread_pool.map(
        lambda item: _describe(clients[item.region], item, with_settings, settings, tags),
        listed_only,
    )
    names = ((item.region, item.name) for item in listed_only)
    read = dict(zip(names, described, strict=True))
    return [
        replace(li, items=tuple(i for o in li.items if (i := read.get((o.region, o.name), o))))
        for li in listings
    ]


def _describe(
    client: Any,
    item: R,
    with_settings: Callable[[Any, R, dict[str, Any]], R | None],
    settings: str,
    shared_tags: dict[str, Tags],
) -> R | None:
    operation, parameter = f"describe_{xform_name(item.NOUN)}", f"{item.NOUN}Name"
    read: R | None = None
    try:
        read = with_settings(client, item, getattr(client, operation)(**{parameter: item.name}))
        if read is None:
            return None
    # Whatever keeps the settings from being read becomes the reason of a MANUAL finding.
    except Exception as error:
        what = settings if item.network_isolation is None else "VpcConfig"
        if _is_deleted(client, item, error):
            logger.warning(f"{client.region} -- {item.name} was deleted during the scan")
            return None
        unread = why_unread(error, what, f"sagemaker:Describe{item.NOUN}")
        read = replace(item, unread=(unread,))
    tags = shared_tags.get(read.arn.lower())
    return replace(read, tags=_list_tags(client, read.arn) if tags is None else tags)


def _is_deleted(client: Any, item: Resource, error: Exception) -> bool:
    """Return whether what was listed and could not be described is not listed any more."""
    # Most Describe operations have no error code of their own for what does not exist: they answer
    # ValidationException, as for a name that is malformed.
    code = error.response.get("Error", {}).get("Code") if isinstance(error, ClientError) else None
    if code not in ("ValidationException", "ResourceNotFound"):
        return False
    try:
        operation = f"list_{xform_name(item.NOUN)}s"
        items = each(client, operation, item.LISTED, NameContains=item.name)
        return item.name not in {summary[f"{item.NOUN}Name"] for summary in items}
    except Exception as unlisted:
        logger.info(f"{client.region} -- {item.name} could not be listed again: {unlisted}")
        return False


def from_description(item: R, description: dict[str, Any], operation: str | None = None) -> R:
    """Return what was listed with its isolation and VPC configuration.

    Args:
        description: What its Describe operation answers, or Search's record, which has the same
            members; for a schedule, with those of its job definition.
        operation: The operation that told the settings; None for its own.

    Raises:
        MalformedError: The description is not its own.
    """
    arn = description.get(f"{item.NOUN}Arn")
    if not is_same_arn(arn, item.arn):
        raise MalformedError(f"no {item.NOUN}Arn of this {WORDS[item.NOUN]} in the answer")
    created = to_the_second(description.get("CreationTime")) or item.creation_time
    permission = f"sagemaker:{operation or f'Describe{item.NOUN}'}"
    # To scan again does not help where it cannot change.
    unclear = MalformedError("not in the answer", f"check with {permission}")
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
        arn=canonical_arn(item.arn, str(arn)),
        creation_time=created,
        # A namesake may have been made since it was listed.
        endpoints=item.endpoints if created == item.creation_time else None,
        network_isolation=isolation,
        has_vpc_config=has_vpc_config,
        subnet_ids=tuple(dict.fromkeys(subnet_ids or ())),
        security_group_ids=tuple(dict.fromkeys(group_ids)),
        unread=tuple(why_unread(unclear, what, permission) for what in absent),
    )


def are_ids(values: Any, prefix: str) -> bool:
    """Return whether values are the ids of one kind of EC2 resource, such as "subnet-…"."""
    return isinstance(values, (list, tuple)) and all(is_id(value, prefix) for value in values)


def are_tags(values: Any) -> bool:
    """Return whether values are a list of AWS's tags."""
    return isinstance(values, list) and all(
        isinstance(tag, dict) and isinstance(tag.get("Key"), str) for tag in values
    )


def _list_tags(client: Any, arn: str) -> Tags:
    """Return the tags of what an ARN names; none, with a line in the log, where they are unread."""
    # As in Prowler's own service: tags decide no verdict.
    try:
        tags = list(each(client, "list_tags", "Tags", ResourceArn=arn))
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


def canonical_arn(one: str, other: str) -> str:
    """Return an ARN as AWS spells it, of two spellings of which one may be in lower case."""
    return min(one, other)  # capitals sort before small letters


def to_the_second(time: Any) -> str | None:
    """Return a time of AWS in ISO 8601 and UTC, to the second; None for anything else."""
    if not isinstance(time, datetime):
        return None
    return time.astimezone(timezone.utc).isoformat(timespec="seconds")


def search_records(client: Any, resource: str) -> Iterator[dict[str, Any]]:
    """Yield Search's records of a kind, such as "Model"; raises as `each` does."""
    pages = {"PaginationConfig": {"PageSize": PAGE_SIZE}}
    for result in each(client, "search", "Results", Resource=resource, **pages):
        yield result.get(resource) or {}


def endpoint_in(record: dict[str, Any]) -> Endpoint | None:
    """Return an endpoint by what Search records of it; None where the record does not name it."""
    name = record.get("EndpointName")
    if not isinstance(name, str):
        return None
    return Endpoint(name, record.get("EndpointArn"), record.get("EndpointStatus"))
