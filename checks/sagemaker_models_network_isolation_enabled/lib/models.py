"""The SageMaker models of an account, as facts: what lists them, and what reads each.

A model cannot be changed after it was created, so Search, which gives a hundred models with their
tags a call, can be exact: its record is that very model if the ARN and the creation time are.
Whatever Search lacks, refuses or garbles is read with DescribeModel and ListTags.

Of Prowler's own list of models only the tags are used: it hides the error of a listing that broke
off, and has neither the creation time nor the security groups of a model.
"""

import logging
from dataclasses import replace
from typing import Any

from .answers import MalformedError, listed
from .facts import Endpoint, Listing, Model, Service
from .listings import (
    are_tags,
    canonical_arn,
    describe_listed,
    endpoint_in,
    from_description,
    is_same_arn,
    list_regions,
    search_records,
    to_the_second,
)

logger = logging.getLogger(__name__)

_Recorded = tuple[str, str | None]  # the name and the creation time of a record of Search


def list_models(service: Service) -> list[Listing[Model]]:
    """Return the models of every region, without networks."""
    clients, submit = service.regional_clients, service.thread_pool.submit
    listings = list_regions(service, Model)
    searches = {
        listing.region: submit(_search_models, clients[listing.region])
        for listing in listings
        # What one page of Search reads, DescribeModel and ListTags read in two calls a model.
        if 2 * len(listing.items) > listing.pages
    }

    def recorded(model: Model) -> Model:
        search = searches.get(model.region)
        record: Model | None = search and search.result().get((model.name, model.creation_time))
        if record is None or not is_same_arn(record.arn, model.arn):
            return model
        return replace(record, arn=canonical_arn(record.arn, model.arn))

    searched = [replace(li, items=tuple(map(recorded, li.items))) for li in listings]
    shared = getattr(service, "sagemaker_models", ())
    tags = {model.arn.lower(): tuple(model.tags or ()) for model in shared}
    # Of a record that is not enough to judge by the tags are known all the same.
    told = (m for li in searched for m in li.items if m.network_isolation is not None)
    tags |= {model.arn.lower(): model.tags for model in told}
    settings = "EnableNetworkIsolation and VpcConfig"
    return describe_listed(
        service, searched, lambda _, model, answer: from_description(model, answer), settings, tags
    )


def _search_models(client: Any) -> dict[_Recorded, Model]:
    """Return the models of a region as Search records them, by name and creation time."""
    logger.info(f"SageMaker - searching models in {client.region}...")
    found: dict[_Recorded, Model] = {}
    twice: set[_Recorded] = set()
    try:
        for record in search_records(client, "Model"):
            if model := _from_record(client.region, record):
                recorded = model.name, model.creation_time
                twice |= {recorded} & found.keys()
                found[recorded] = model
    except Exception as error:  # no loss: the permission for Search is optional
        logger.info(f"{client.region} -- Search is unavailable, models are described: {error}")
    # What is recorded twice is for DescribeModel to tell.
    return {recorded: model for recorded, model in found.items() if recorded not in twice}


def _from_record(region: str, record: dict[str, Any]) -> Model | None:
    """Return a model by a ModelDashboardModel; None where the record does not say which it is.

    Its settings and tags are in it where the record is enough to judge by: complete, and with a VPC
    configuration and a security group, because an index may lack what the model has. Else of its
    settings EnableNetworkIsolation alone is.
    """
    settings = record.get("Model") or {}
    name, arn = settings.get("ModelName"), settings.get("ModelArn")
    created = to_the_second(settings.get("CreationTime"))
    if not isinstance(name, str) or not isinstance(arn, str) or created is None:
        return None
    endpoints, other_uses = _endpoints_in(record), _other_uses_in(record)
    model = Model(name, arn, region, created, endpoints=endpoints, other_uses=other_uses)
    read = from_description(model, settings)
    tags = settings.get("Tags") or []
    if read.unread or not are_tags(tags):
        return model
    if not read.security_group_ids:
        return replace(model, network_isolation=read.network_isolation, tags=tuple(tags))
    return replace(read, tags=tuple(tags))


def _other_uses_in(record: dict[str, Any]) -> tuple[str, ...] | None:
    """Return the job and the endpoints of `Model.other_uses`; None where the record is unclear."""
    job, monitors = "LastBatchTransformJob", "MonitoringSchedules"
    try:
        schedules = listed(record, monitors, "the record") if monitors in record else []
        monitored = [s["EndpointName"] for s in schedules if s.get("EndpointName")]
        jobs = [f"batch transform job {record[job]['TransformJobName']}"] if job in record else []
    except (KeyError, MalformedError, TypeError):
        return None
    return (*jobs, *(f"monitored endpoint {name}" for name in monitored))


def _endpoints_in(record: dict[str, Any]) -> tuple[Endpoint, ...] | None:
    """Return the endpoints of a model; None where the record does not tell."""
    try:
        endpoints = listed(record, "Endpoints", "the answer")
    except MalformedError:
        return None
    found = [endpoint_in(endpoint) for endpoint in endpoints]
    known = [endpoint for endpoint in found if endpoint]
    if len(known) < len(found):
        return None
    return tuple(sorted(known, key=lambda endpoint: endpoint.name))
