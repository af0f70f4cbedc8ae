"""The commands of docs/auditor.md and docs/remediation.md, run as they stand by the AWS CLI."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ..embedded import aws_cli, engine
from ..embedded.account import Region
from ..embedded.aws_cli import DOCS
from ..embedded.installation import CONFIG_CHECK, SCHEDULE_CHECK, access
from ..embedded.server import EmbeddedAWS

pytestmark = pytest.mark.usefixtures("forked_aws_cli")

TAGS = [{"Key": "team", "Value": "risk"}]


def section(page: str, title: str) -> str:
    """Return a section of a page."""
    text = (DOCS / page).read_text("utf-8")
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


@pytest.fixture
def region(aws: EmbeddedAWS) -> Region:
    return Region(aws, "ap-southeast-3")


@pytest.fixture
def values(region: Region) -> dict[str, str]:
    """What the placeholders of the commands mean, so far as they mean the network."""
    vpc = region.vpc()
    subnets = {f"subnet-id-in-zone-{zone}": region.subnet(vpc, zone=zone) for zone in "ab"}
    return {"vpc-id": vpc, "sg-id": region.group(vpc, "10.0.0.0/8"), **subnets}


def run(region: Region, text: str, values: dict[str, str], folder: Path) -> list[str]:
    """Run the commands of a text in a shell, one after the other, and return what each printed."""
    path = {"PATH": f"{aws_cli.AWS.parent}:/usr/bin:/bin", "AWS_DEFAULT_REGION": region.name}
    environment = {**access(region.aws), **path}
    printed = []
    for command in aws_cli.commands_in(text):
        filled = re.sub(r"<([a-z0-9-]+)>", lambda found: values[found[1]], command)
        shell = ["sh", "-c", filled]
        done = subprocess.run(
            shell, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, check=True
        )
        printed.append(done.stdout.strip())
    return printed


def statuses(region: Region, check: str) -> dict[str, str]:
    found = engine.scan(region.aws, engine.provider(region.aws, region.name), (check,), check)
    return {finding.resource_id: finding.status for finding in found}


def test_the_audit_by_hand(region: Region, values: dict[str, str], tmp_path: Path) -> None:
    values["prefix-list-id"] = region.prefix_list("198.51.100.0/24")
    subnets, group = [values[f"subnet-id-in-zone-{zone}"] for zone in "ab"], values["sg-id"]
    region.model("fraud", subnets, [group])
    region.schedule("watch", subnets, [group])
    values |= {"model-name": "fraud", "monitoring-schedule-name": "watch"}
    values["job-definition-name"] = "watch"
    for answer, words in zip(
        run(region, section("auditor.md", "By hand"), values, tmp_path),
        (
            ('"fraud"',),
            ('"EnableNetworkIsolation": true', *subnets, group),
            (*subnets, values["vpc-id"]),
            ("Associations", "Routes"),
            (group, "10.0.0.0/8"),
            ("198.51.100.0/24",),
            ('"watch"',),
            ('"MonitoringJobDefinitionName": "watch"', '"MonitoringType": "DataQuality"'),
            ('"EnableNetworkIsolation": true', *subnets, group),
        ),
        strict=True,
    ):
        assert all(word in answer for word in words), answer


CAPTURE = {"DestinationS3Uri": "s3://b/c", "CaptureOptions": [{"CaptureMode": "Input"}]}
SETTINGS: dict[str, Any] = {  # what CreateEndpointConfig takes besides the name and the variants
    "KmsKeyId": "alias/endpoint",
    "DataCaptureConfig": {"EnableCapture": True, "InitialSamplingPercentage": 10, **CAPTURE},
}


def test_a_configuration_for_components_is_replaced(
    region: Region, values: dict[str, str], tmp_path: Path
) -> None:
    sagemaker = region.sagemaker
    region.components("old", isolated=False, Tags=TAGS, **SETTINGS)
    sagemaker.create_endpoint(EndpointName="chat", EndpointConfigName="old")
    arn = sagemaker.describe_endpoint_config(EndpointConfigName="old")["EndpointConfigArn"]
    values |= {"endpoint-name": "chat", "endpoint-config-name": "old", "endpoint-config-arn": arn}
    values["new-endpoint-config-name"] = "new"
    text = section("remediation.md", "Endpoint configurations for inference components")
    assert run(region, text, values, tmp_path)[-1] == '"new"'
    copied = sagemaker.describe_endpoint_config(EndpointConfigName="new")
    assert {key: copied[key] for key in SETTINGS} == SETTINGS
    assert sagemaker.list_tags(ResourceArn=copied["EndpointConfigArn"])["Tags"] == TAGS
    assert statuses(region, CONFIG_CHECK) == {"old": "FAIL", "new": "PASS"}


@pytest.mark.parametrize("kind", [None, "DataQuality"])
def test_a_schedule_is_given_an_isolated_definition_and_takes_it_back(
    region: Region, values: dict[str, str], tmp_path: Path, kind: str | None
) -> None:
    sagemaker, name = region.sagemaker, f"watch-{kind}"
    region.schedule(name, isolated=None, kind=kind)
    values |= {"monitoring-schedule-name": name, "job-definition-name": name}
    describe = sagemaker.describe_data_quality_job_definition
    if kind:
        values["new-job-definition-name"] = "isolated"
        arn = values["job-definition-arn"] = describe(JobDefinitionName=name)["JobDefinitionArn"]
        sagemaker.add_tags(ResourceArn=arn, Tags=TAGS)

    def config() -> Any:
        described = sagemaker.describe_monitoring_schedule(MonitoringScheduleName=name)
        return described["MonitoringScheduleConfig"]

    before = config()
    assert statuses(region, SCHEDULE_CHECK)[name] == "FAIL"
    keep, inline, named = section("remediation.md", "Monitoring schedules").split("\n“With ")
    named, back = named.split("this is the way back:")
    run(region, keep + (named if kind else inline), values, tmp_path)
    assert statuses(region, SCHEDULE_CHECK)[name] == "PASS"
    if kind:
        old, new = (describe(JobDefinitionName=one) for one in (name, "isolated"))
        assert sagemaker.list_tags(ResourceArn=new["JobDefinitionArn"])["Tags"] == TAGS
        assert set(new) - set(old) == {"NetworkConfig"}
    run(region, back, values, tmp_path)
    assert config() == before
