"""The monitoring schedules of an account, with the networks of their job definitions, as facts.

A schedule has a job definition in itself, or names one of four types. Both it and the definition
that it names are described, one by one: ListMonitoringSchedules gives no networks, and a record of
Search may lag, because a schedule can be given another definition at any time.
"""

from dataclasses import replace
from typing import Any

from botocore import xform_name

from .answers import WORDS, MalformedError, why_unread
from .facts import Listing, MonitoringSchedule, Service
from .listings import describe_listed, from_description, list_regions


def list_monitoring_schedules(service: Service) -> list[Listing[MonitoringSchedule]]:
    """Return the schedules of every region, without networks."""
    listings = list_regions(service, MonitoringSchedule)
    return describe_listed(service, listings, _with_definition, "its job definition")


def _with_definition(
    client: Any, schedule: MonitoringSchedule, answer: dict[str, Any]
) -> MonitoringSchedule:
    """Return a listed schedule with the isolation and VPC configuration of its job definition."""
    config = answer.get("MonitoringScheduleConfig") or {}
    inline, name = config.get("MonitoringJobDefinition"), config.get("MonitoringJobDefinitionName")
    monitoring_type = config.get("MonitoringType") or answer.get("MonitoringType")
    schedule = replace(
        schedule,
        status=answer.get("MonitoringScheduleStatus"),
        endpoint_name=answer.get("EndpointName"),
        monitoring_type=monitoring_type,
        job_definition_name=name,
    )
    if (inline is None) == (name is None):
        raise MalformedError("not one job definition in the answer")
    if inline is not None:
        return from_description(schedule, {**answer, **_network_of(inline)})
    noun = f"{monitoring_type}JobDefinition"
    if noun not in WORDS:
        raise MalformedError(f"this check knows no MonitoringType {monitoring_type}")
    operation = f"Describe{noun}"
    try:
        definition = getattr(client, xform_name(operation))(JobDefinitionName=name)
        if definition.get("JobDefinitionName") != name:
            raise MalformedError("no JobDefinitionName of this definition in the answer")
    # Whatever keeps the definition from being read becomes the reason of a MANUAL finding.
    except Exception as error:
        unread = why_unread(error, f"{WORDS[noun]} {name}", f"sagemaker:{operation}")
        if unread.why == "ResourceNotFound":
            remedy = f"it was deleted: give the schedule another; check with {unread.permission}"
            unread = replace(unread, remedy=remedy)
        return replace(schedule, unread=(unread,))
    return from_description(schedule, {**answer, **_network_of(definition)}, operation)


def _network_of(definition: dict[str, Any]) -> dict[str, Any]:
    """Return the network settings of a job definition, with AWS's default for isolation."""
    # Without NetworkConfig, or without EnableNetworkIsolation in it, a job is not isolated (source:
    # AWS Security Hub SageMaker.14, which fails a schedule in which it is not configured).
    return {"EnableNetworkIsolation": False, **(definition.get("NetworkConfig") or {})}
