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
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

from .answers import MalformedError, listed
from .facts import Endpoint, Listing, Model
from .listings import (
    PAGE_SIZE,
    are_tags,
    describe,
    endpoint_in,
    from_description,
    is_same_arn,
    list_regions,
    own_spelling,
    to_the_second,
)

logger = logging.getLogger(__name__)

Recorded = tuple[str, str | None]  # the name and the creation time of a record of Search


def list_models(service: Any) -> list[Listing[Model]]:
    """Return the models of every region of a scan; of their networks the ids alone are known.

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

    listings = list_regions(service, Model, search)
    for listing in listings:
        # What one page of Search reads, DescribeModel and ListTags read in two calls a model.
        if listing.region not in searches and 2 * len(listing.items) > listing.pages:
            search(listing.region)
    facts: dict[tuple[str, str], Model] = {}
    for listing in listings:
        records = searches[listing.region].result() if listing.region in searches else {}
        for model in listing.items:
            record = records.get((model.name, model.creation_time))
            if record and is_same_arn(record.arn, model.arn):
                facts[identity(model)] = replace(record, arn=own_spelling(record.arn, model.arn))

    shared = getattr(service, "sagemaker_models", ())
    tags = {model.arn.lower(): tuple(model.tags or ()) for model in shared}
    listed_models = [facts.get(identity(m), m) for li in listings for m in li.items]
    left = [model for model in listed_models if model.has_vpc_config is None]
    tags |= {model.arn.lower(): model.tags for model in left if model.network_isolation is not None}
    if left:
        regions = sorted({model.region for model in left})
        logger.info(f"SageMaker - describing {len(left)} models in {', '.join(regions)}...")
    described = pool.map(
        lambda m: describe(clients[m.region], m, from_description, unread_of(m), tags), left
    )
    judged = facts | dict(zip(map(identity, left), described, strict=True))

    return [
        replace(li, items=tuple(model for m in li.items if (model := judged[identity(m)])))
        for li in listings
    ]


def identity(model: Model) -> tuple[str, str]:
    """Return what tells a model from all others of an account: its region and its name."""
    return model.region, model.name


def unread_of(model: Model) -> str:
    """Return what DescribeModel has to tell of a model beside what Search told."""
    known = model.network_isolation is not None
    return "VpcConfig" if known else "EnableNetworkIsolation and VpcConfig"


def search_models(client: Any) -> dict[Recorded, Model]:
    """Return the models of a region as Search records them.

    Args:
        client: Prowler's SageMaker client of the region.

    Returns:
        The models by name and creation time: a record is a listed model's only if both are,
        because a namesake may have been deleted. What it records twice is left out, and told by
        DescribeModel. That Search failed is no error, because the permission for it is optional.
    """
    logger.info(f"SageMaker - searching models in {client.region}...")
    found: dict[Recorded, Model] = {}
    twice: set[Recorded] = set()
    try:
        for page in client.get_paginator("search").paginate(
            Resource="Model", PaginationConfig={"PageSize": PAGE_SIZE}
        ):
            for result in listed(page, "Results", "the answer"):
                if model := from_record(client.region, result.get("Model") or {}):
                    recorded = model.name, model.creation_time
                    twice |= {recorded} & found.keys()
                    found[recorded] = model
    except Exception as error:
        logger.info(f"{client.region} -- Search is unavailable, models are described: {error}")
    return {recorded: model for recorded, model in found.items() if recorded not in twice}


def from_record(region: str, record: dict[str, Any]) -> Model | None:
    """Return a model by a record of Search.

    Args:
        region: Its region.
        record: `SearchRecord.Model`, which is a ModelDashboardModel.

    Returns:
        The model, with its endpoints. Its settings and tags are in it where the record is enough to
        judge by: complete, and with a VPC configuration and a security group, because an index may
        lack what the model has. Without these the settings are EnableNetworkIsolation alone. None
        where the record does not say which model it is.
    """
    settings = record.get("Model") or {}
    name, arn = settings.get("ModelName"), settings.get("ModelArn")
    created = to_the_second(settings.get("CreationTime"))
    if not isinstance(name, str) or not isinstance(arn, str) or created is None:
        return None
    model = Model(
        *(name, arn, region, created),
        endpoints=endpoints_in(record),
        transform_jobs=transform_jobs_in(record),
        monitored_endpoints=monitored_endpoints_in(record),
    )
    read = from_description(model, settings)
    tags = settings.get("Tags") or []
    if read.unread or not are_tags(tags):
        return model
    if not read.security_group_ids:
        return replace(model, network_isolation=read.network_isolation, tags=tuple(tags))
    return replace(read, tags=tuple(tags))


def transform_jobs_in(record: dict[str, Any]) -> tuple[str, ...] | None:
    """Return the last batch transform job of a model by its record of Search, if it had one.

    Args:
        record: A ModelDashboardModel.

    Returns:
        Its name; nothing where the record has none; None where it does not tell.
    """
    if "LastBatchTransformJob" not in record:
        return ()
    job = record["LastBatchTransformJob"]
    name = job.get("TransformJobName") if isinstance(job, dict) else None
    return (name,) if isinstance(name, str) else None


def monitored_endpoints_in(record: dict[str, Any]) -> tuple[str, ...] | None:
    """Return the endpoints that a model's monitoring schedules name; None where it does not tell.

    Args:
        record: A ModelDashboardModel.
    """
    if "MonitoringSchedules" not in record:
        return ()
    try:
        schedules = listed(record, "MonitoringSchedules", "the answer")
    except MalformedError:
        return None
    return tuple(str(s["EndpointName"]) for s in schedules if s.get("EndpointName"))


def endpoints_in(record: dict[str, Any]) -> tuple[Endpoint, ...] | None:
    """Return the endpoints of a model by its record of Search; None where it does not tell."""
    try:
        endpoints = listed(record, "Endpoints", "the answer")
    except MalformedError:
        return None
    found = [endpoint_in(endpoint) for endpoint in endpoints]
    known = [endpoint for endpoint in found if endpoint]
    if len(known) < len(found):
        return None
    return tuple(sorted(known, key=lambda endpoint: endpoint.name))
