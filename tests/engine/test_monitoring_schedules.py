"""The check for monitoring schedules, in process: what it judges, by what, and at what cost."""

from typing import Any

import pytest

from ..embedded import engine
from ..embedded.account import EVERYWHERE, Region
from ..embedded.installation import CHECK, CONFIG_CHECK, SCHEDULE_CHECK
from ..embedded.server import EmbeddedAWS, change, error, on

REGION, OTHER_REGION, WITHOUT = "us-east-2", "us-west-2", "us-west-1"
OFF, NO_VPC = "network isolation is disabled", "the VPC configuration is missing"
KINDS = ("DataQuality", "ModelQuality", "ModelBias", "ModelExplainability")


@pytest.fixture(scope="module")
def region(aws: EmbeddedAWS) -> Region:
    """A region with sound schedules of every kind, and others, and a model and a configuration."""
    r = Region(aws, REGION)
    vpc = r.vpc()
    network = ([r.subnet(vpc)], [r.group(vpc)])
    r.model("served", *network)
    r.components("components", *network)
    for kind in KINDS:
        r.schedule(kind, *network, kind=kind, tags={"team": "risk"})
    r.schedule("inline", *network, kind=None)
    r.schedule("off", *network, isolated=False)
    r.schedule("not-stated", *network, isolated=None)
    r.schedule("not-stated-inline", *network, isolated=None, kind=None)
    r.schedule("no-vpc")
    r.schedule("nothing", isolated=None, kind="ModelBias")
    r.schedule("open", network[0], [r.group(vpc, EVERYWHERE)])
    return r


VERDICTS = {
    "DataQuality": ("PASS", "endpoint fraud with data quality job definition DataQuality."),
    "ModelQuality": ("PASS", "endpoint fraud with model quality job definition ModelQuality."),
    "ModelBias": ("PASS", "endpoint fraud with model bias job definition ModelBias."),
    "ModelExplainability": (
        "PASS",
        "with model explainability job definition ModelExplainability.",
    ),
    "inline": ("PASS", "It monitors endpoint fraud with a job definition of its own."),
    "off": ("FAIL", f"SageMaker monitoring schedule off fails: {OFF}. It monitors"),
    "not-stated": ("FAIL", f"fails: {OFF}. It monitors"),
    "not-stated-inline": ("FAIL", f"fails: {OFF}. It monitors"),
    "no-vpc": ("FAIL", f"fails: {NO_VPC}. It monitors"),
    "nothing": ("FAIL", f"fails: {OFF}; {NO_VPC}. It monitors"),
    "open": ("FAIL", f"allows ingress of tcp 443 from {EVERYWHERE}"),
}
NAMED = len(VERDICTS) - len(("inline", "not-stated-inline"))


@pytest.fixture
def calls(aws: EmbeddedAWS) -> Any:
    """The calls of the test so far, by API."""
    aws.calls.clear()
    return lambda: aws.count("sagemaker")


def scan(aws: EmbeddedAWS, *checks: str, **arguments: Any) -> dict[str, Any]:
    """Return the findings on monitoring schedules by name."""
    made = engine.provider(aws, REGION, retries_max_attempts=0, **arguments)
    found = engine.scan(aws, made, checks or (SCHEDULE_CHECK,), SCHEDULE_CHECK)
    return {finding.resource_id: finding for finding in found}


def test_each_is_judged_by_its_definition(aws: EmbeddedAWS, region: Region, calls: Any) -> None:
    found = scan(aws)
    assert {name: f.status for name, f in found.items()} == {
        name: status for name, (status, _) in VERDICTS.items()
    }
    for name, (_, words) in VERDICTS.items():
        assert words in found[name].status_extended
    made = calls()
    assert {api: n for api, n in made.items() if not api.endswith("JobDefinition")} == {
        "ListMonitoringSchedules": 1,
        "DescribeMonitoringSchedule": len(VERDICTS),
        "ListTags": len(VERDICTS),
    }
    assert sum(n for api, n in made.items() if api.endswith("JobDefinition")) == NAMED
    bias = found["ModelBias"]
    assert bias.resource_arn.endswith(":monitoring-schedule/ModelBias")
    assert bias.resource_tags == [{"Key": "team", "Value": "risk"}]
    evidence = {"network_isolation": True, "status": "Scheduled", "endpoint_name": "fraud"}
    evidence |= {"monitoring_type": "ModelBias", "job_definition_name": "ModelBias"}
    assert evidence.items() <= bias.resource.items()
    assert found["inline"].resource["job_definition_name"] is None


def test_no_check_costs_another_a_call(aws: EmbeddedAWS, region: Region, calls: Any) -> None:
    scan(aws)
    alone = calls()
    aws.calls.clear()
    engine.scan(aws, engine.provider(aws, REGION), (CHECK, CONFIG_CHECK))
    others = calls()
    assert not set(alone) & set(others) - {"ListTags"}
    aws.calls.clear()
    scan(aws, CHECK, CONFIG_CHECK, SCHEDULE_CHECK)
    assert calls() == alone + others


def test_a_region_without_any_costs_one_call(aws: EmbeddedAWS, region: Region, calls: Any) -> None:
    made = engine.provider(aws, WITHOUT)
    (found,) = engine.scan(aws, made, (SCHEDULE_CHECK,), SCHEDULE_CHECK)
    assert found.status_extended.startswith("No SageMaker monitoring schedule exists in us-west-1,")
    assert calls() == {"ListMonitoringSchedules": 1}


def test_a_scan_may_be_limited_to_one(aws: EmbeddedAWS, region: Region, calls: Any) -> None:
    described = region.sagemaker.describe_monitoring_schedule(MonitoringScheduleName="off")
    aws.calls.clear()
    assert list(scan(aws, resource_arn=[described["MonitoringScheduleArn"]])) == ["off"]
    assert calls()["DescribeMonitoringSchedule"] == 1


def edit(api: str, name: str, **members: Any) -> Any:
    """Return a fault: members of a description are changed, or taken out where they are None."""
    parameter = "MonitoringScheduleName" if api.endswith("Schedule") else "JobDefinitionName"

    def by(answer: dict[str, Any]) -> None:
        config = answer.get("MonitoringScheduleConfig", {})
        for member, value in members.items():
            for part in (answer, config):
                part.pop(member, None)
            if value is not None:
                (config if member.startswith("MonitoringJob") else answer)[member] = value

    return on(api, REGION, **{parameter: name})(change(by))


def stop(fault: Any, api: str = "DescribeMonitoringSchedule") -> Any:
    """Return a fault of the description of the schedule "DataQuality", or of its definition."""
    parameter = "MonitoringScheduleName" if api.endswith("Schedule") else "JobDefinitionName"
    return on(api, REGION, **{parameter: "DataQuality"})(fault)


SCHEDULE, DEFINITION = "DescribeMonitoringSchedule", "DescribeDataQualityJobDefinition"
DATA = "data quality job definition DataQuality"
UNREAD = f"{DATA} could not be read"
# What AWS answers of a sound schedule and its definition: the status, and words of the reason.
ANSWERS = {
    "stopped": (
        edit(SCHEDULE, "DataQuality", MonitoringScheduleStatus="Stopped"),
        *("PASS", "with data quality job definition DataQuality; its status is Stopped."),
    ),
    "failed": (
        edit(SCHEDULE, "DataQuality", MonitoringScheduleStatus="Failed"),
        *("PASS", "with data quality job definition DataQuality; its status is Failed."),
    ),
    "of batch transforms": (
        edit(SCHEDULE, "DataQuality", EndpointName=None),
        *("PASS", ". It uses data quality job definition DataQuality."),
    ),
    "of another type, which has no such definition": (
        edit(SCHEDULE, "DataQuality", MonitoringType="ModelBias"),
        *("MANUAL", "model bias job definition DataQuality could not be found (ResourceNotFound"),
    ),
    "no configuration in it": (
        edit(SCHEDULE, "DataQuality", MonitoringScheduleConfig=None),
        *(
            "MANUAL",
            "its job definition could not be understood (not one job definition in the answer",
        ),
    ),
    "a definition in it and another by name": (
        edit(SCHEDULE, "DataQuality", MonitoringJobDefinition={"NetworkConfig": {}}),
        *("MANUAL", "not one job definition in the answer"),
    ),
    "a type that nobody knows": (
        edit(SCHEDULE, "DataQuality", MonitoringType="ModelMood"),
        *("MANUAL", "this check knows no MonitoringType ModelMood"),
    ),
    "another schedule's ARN": (
        edit(SCHEDULE, "DataQuality", MonitoringScheduleArn="arn:other"),
        *("MANUAL", "no MonitoringScheduleArn of this monitoring schedule in the answer"),
    ),
    "definition gone": (
        stop(error("ResourceNotFound"), DEFINITION),
        *(
            "MANUAL",
            f"{DATA} could not be found (ResourceNotFound; it was deleted: give the schedule",
        ),
    ),
    "another definition": (
        edit(DEFINITION, "DataQuality", JobDefinitionName="other"),
        *(
            "MANUAL",
            f"{DATA} could not be understood (no JobDefinitionName of this definition in the",
        ),
    ),
    "isolation is no truth value": (
        edit(DEFINITION, "DataQuality", NetworkConfig={"EnableNetworkIsolation": "true"}),
        *("FAIL", f"not in the answer; check with sagemaker:{DEFINITION})"),
    ),
}


@pytest.mark.parametrize(("fault", "status", "words"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_and_its_verdict(
    aws: EmbeddedAWS, region: Region, fault: Any, status: str, words: str
) -> None:
    with aws.failing(fault):
        found = scan(aws)
    assert (found["DataQuality"].status, set(found)) == (status, set(VERDICTS))
    assert words in found["DataQuality"].status_extended


def test_one_that_was_deleted_meanwhile_has_no_finding(aws: EmbeddedAWS, region: Region) -> None:
    again = on("ListMonitoringSchedules", REGION, NameContains="DataQuality")
    gone = stop(error("ResourceNotFound"))
    with aws.failing(again(change(lambda a: a.update(MonitoringScheduleSummaries=[]))), gone):
        assert set(scan(aws)) == set(VERDICTS) - {"DataQuality"}
    with aws.failing(gone):
        found = scan(aws)["DataQuality"]
    assert found.status_extended == (
        "SageMaker monitoring schedule DataQuality could not be judged: its job definition could "
        "not be read (ResourceNotFound; scan again)."
    )


def test_a_schedule_is_judged_by_what_it_was_updated_to(aws: EmbeddedAWS) -> None:
    """Unlike a model, it can change: it passes, is given a definition that fails, and fails."""
    r = Region(aws, OTHER_REGION)
    vpc = r.vpc()
    r.schedule("watch", [r.subnet(vpc)], [r.group(vpc)])
    r.schedule("default", isolated=None)
    made = engine.provider(aws, OTHER_REGION)

    def status() -> Any:
        found = engine.scan(aws, made, (SCHEDULE_CHECK,), SCHEDULE_CHECK)
        return {f.resource_id: f.status for f in found}["watch"]

    assert status() == "PASS"
    other = r.sagemaker.describe_monitoring_schedule(MonitoringScheduleName="default")
    config = other["MonitoringScheduleConfig"]
    r.sagemaker.update_monitoring_schedule(
        MonitoringScheduleName="watch", MonitoringScheduleConfig=config
    )
    assert status() == "FAIL"
