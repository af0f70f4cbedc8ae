"""The monitoring schedules of an account, with the networks of their job definitions, as facts.

A schedule has a job definition in itself, or names one of four types. Both it and the definition
that it names are described, one by one: ListMonitoringSchedules gives no networks.

Search is not asked, though a model's record has the configurations of its schedules. A schedule
can be given another definition at any time, so that a record of an index that lags cannot be told
from one that does not, as a model's can; and it has neither tags nor the definitions' networks.
"""

import logging
from dataclasses import replace
from functools import partial
from typing import Any

from botocore import xform_name

from .answers import WORDS, MalformedError, why_unread
from .facts import Listing, MonitoringSchedule
from .listings import describe, from_description, list_regions

logger = logging.getLogger(__name__)

SETTINGS = "its job definition"  # what DescribeMonitoringSchedule tells


def list_monitoring_schedules(service: Any) -> list[Listing[MonitoringSchedule]]:
    """Return the monitoring schedules of every region of a scan.

    Args:
        service: What `sagemaker_service` gave.

    Returns:
        One `Listing` a region; of the networks the ids alone are known. What could not be read is
        said in it; no error of AWS is raised.
    """
    clients, pool = service.regional_clients, service.thread_pool
    listings = list_regions(service, MonitoringSchedule)
    left = [schedule for li in listings for schedule in li.items]
    if left:
        logger.info(f"SageMaker - describing {len(left)} monitoring schedules...")

    def read(schedule: MonitoringSchedule) -> MonitoringSchedule | None:
        client = clients[schedule.region]
        return describe(client, schedule, partial(with_definition, client), SETTINGS, {})

    described = [schedule for schedule in pool.map(read, left) if schedule]
    return [
        replace(li, items=tuple(s for s in described if s.region == li.region)) for li in listings
    ]


def with_definition(
    client: Any, schedule: MonitoringSchedule, answer: dict[str, Any]
) -> MonitoringSchedule:
    """Return a listed schedule with the isolation and VPC configuration of its job definition.

    Args:
        client: Prowler's SageMaker client of its region.
        schedule: It, as listed.
        answer: DescribeMonitoringScheduleResponse, as boto3 gives it.

    Raises:
        MalformedError: The answer is not this schedule's, or does not say which definition it has.
    """
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
        return from_description(schedule, {**answer, **network_of(inline)})
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
    return from_description(schedule, {**answer, **network_of(definition)}, operation)


def network_of(definition: dict[str, Any]) -> dict[str, Any]:
    """Return the network settings of a job definition, with AWS's default for isolation.

    Without NetworkConfig, or without EnableNetworkIsolation in it, a job is not isolated (source:
    AWS Security Hub SageMaker.14, which fails a schedule in which it is not configured).

    Args:
        definition: MonitoringJobDefinition, or the answer of one of the four Describe operations.
    """
    return {"EnableNetworkIsolation": False, **(definition.get("NetworkConfig") or {})}
