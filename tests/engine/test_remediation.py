"""The remediation page: its commands are run as they stand, and bring back what was."""

import re
from pathlib import Path

import pytest
import yaml

from ..embedded import aws_cli, engine
from ..embedded.account import Region
from ..embedded.installation import CHECK, ROOT, SCHEDULE_CHECK
from ..embedded.server import EmbeddedAWS

pytestmark = pytest.mark.usefixtures("forked_aws_cli")

PAGE = (ROOT / "docs" / "remediation.md").read_text("utf-8")


def section(title: str) -> str:
    """Return a section of the page."""
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


@pytest.mark.parametrize("command", aws_cli.commands_in(PAGE))
def test_every_command_is_one_that_aws_has(command: str) -> None:
    aws_cli.check(command)


@pytest.mark.parametrize("kind", [None, "DataQuality"])
def test_the_commands_give_a_schedule_an_isolated_definition_and_take_it_back(
    aws: EmbeddedAWS, tmp_path: Path, kind: str | None
) -> None:
    region = Region(aws, "ap-southeast-3")
    sagemaker, vpc = region.sagemaker, region.vpc()
    name = f"watch-{kind}"
    region.schedule(name, isolated=None, kind=kind)
    values = {
        "monitoring-schedule-name": name,
        "job-definition-name": name,
        "new-job-definition-name": f"{name}-isolated",
        "subnet-id-in-zone-a": region.subnet(vpc),
        "subnet-id-in-zone-b": region.subnet(vpc),
        "sg-id": region.group(vpc),
    }
    tags = [{"Key": "team", "Value": "risk"}]
    if kind:
        definition = sagemaker.describe_data_quality_job_definition(JobDefinitionName=name)
        values["job-definition-arn"] = definition["JobDefinitionArn"]
        sagemaker.add_tags(ResourceArn=definition["JobDefinitionArn"], Tags=tags)

    def run(text: str) -> None:
        commands = aws_cli.commands_in(text)
        aws_cli.run(aws, region.name, commands, values, tmp_path)

    def status() -> str:
        made = engine.provider(aws, region.name)
        found = engine.scan(aws, made, (SCHEDULE_CHECK,), SCHEDULE_CHECK)
        return str({f.resource_id: f.status for f in found}[name])

    keep, inline, named = section("Monitoring schedules").split("\n“With ")
    named, back = named.split("this is the way back:")
    assert status() == "FAIL"
    before = sagemaker.describe_monitoring_schedule(MonitoringScheduleName=name)
    run(keep)
    run(named if kind else inline)
    assert status() == "PASS"
    if kind:
        new = values["new-job-definition-name"]
        copied = sagemaker.describe_data_quality_job_definition(JobDefinitionName=new)
        assert sagemaker.list_tags(ResourceArn=copied["JobDefinitionArn"])["Tags"] == tags
        assert set(copied) - set(definition) == {"NetworkConfig"}
    run(back)
    assert status() == "FAIL"
    after = sagemaker.describe_monitoring_schedule(MonitoringScheduleName=name)
    assert after["MonitoringScheduleConfig"] == before["MonitoringScheduleConfig"]


def test_the_settings_on_the_page_are_the_fixers() -> None:
    config = re.search(r"(?:^    .*\n)+", PAGE.partition("`--fixer-config`,")[2], re.MULTILINE)
    assert config
    assert set(yaml.safe_load(config[0])["aws"][CHECK]["VpcConfig"]["eu-west-1"]) == {
        *("Subnets", "SecurityGroupIds")
    }
