"""The remediation page: its commands are run as they stand, its templates are linted."""

import json
import re
from pathlib import Path

import pytest
import yaml
from prowler.lib.check.check import import_check

from ..embedded import aws_cli, engine
from ..embedded.account import Region
from ..embedded.cloudformation import lint
from ..embedded.installation import CHECK, METADATA, ROOT, SCHEDULE_CHECK
from ..embedded.server import EmbeddedAWS
from ..tools import terraform

PAGE = (ROOT / "docs" / "remediation.md").read_text("utf-8")


def section(title: str) -> str:
    """Return a section of the page."""
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def fences(language: str) -> tuple[str, str]:
    """Return the code before and after."""
    before, after = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return before, after


@pytest.mark.parametrize("command", aws_cli.commands_in(PAGE))
def test_every_command_is_one_that_aws_has(command: str) -> None:
    aws_cli.check(command)


def test_the_commands_are_the_metadatas() -> None:
    """They copy all of a model and an endpoint configuration; test_metadata.py runs them."""
    metadata = json.loads(METADATA.read_text("utf-8"))["Remediation"]["Code"]["CLI"]
    forth, _ = section("By the AWS CLI").split("\nRollback:\n")
    assert aws_cli.commands_in(forth) == aws_cli.commands_in(metadata)


@pytest.mark.slow
def test_the_commands_move_an_endpoint_and_take_it_back(
    aws: EmbeddedAWS, tmp_path: Path, aws_cli_command: Path
) -> None:
    region = Region(aws, "ap-southeast-5")
    vpc = region.vpc()
    region.model("fraud", isolated=False)
    variant = {
        "VariantName": "one",
        "ModelName": "fraud",
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    config = region.sagemaker.create_endpoint_config(
        EndpointConfigName="fraud-config", ProductionVariants=[variant]
    )
    region.sagemaker.create_endpoint(EndpointName="fraud", EndpointConfigName="fraud-config")
    values = {
        "subnet-id-in-zone-a": region.subnet(vpc),
        "subnet-id-in-zone-b": region.subnet(vpc),
        "sg-id": region.group(vpc),
        "model-name": "fraud",
        "model-arn": region.sagemaker.describe_model(ModelName="fraud")["ModelArn"],
        "new-model-name": "fraud-isolated",
        "endpoint-name": "fraud",
        "endpoint-config-name": "fraud-config",
        "endpoint-config-arn": config["EndpointConfigArn"],
        "new-endpoint-config-name": "fraud-config-isolated",
    }

    def run(text: str) -> list[str]:
        return aws_cli.run(
            aws, region.name, aws_cli.commands_in(text), values, tmp_path, aws_cli_command
        )

    forth, back = section("By the AWS CLI").split("\nRollback:\n")
    assert run(forth)[-1] == '"fraud-config-isolated"'
    findings = engine.scan(aws, engine.provider(aws, region.name))
    assert {f.resource_id: f.status for f in findings} == {
        "fraud": "FAIL",
        "fraud-isolated": "PASS",
    }
    run(back)
    assert region.sagemaker.describe_endpoint(EndpointName="fraud")["EndpointConfigName"] == (
        "fraud-config"
    )
    findings = engine.scan(aws, engine.provider(aws, region.name))
    assert {f.resource_id: f.status for f in findings} == {"fraud": "FAIL"}


@pytest.mark.slow
@pytest.mark.parametrize("kind", [None, "DataQuality"])
def test_the_commands_give_a_schedule_an_isolated_definition_and_take_it_back(
    aws: EmbeddedAWS, tmp_path: Path, aws_cli_command: Path, kind: str | None
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
        aws_cli.run(aws, region.name, commands, values, tmp_path, aws_cli_command)

    def status() -> str:
        made = engine.provider(aws, region.name)
        found = engine.scan(aws, made, (SCHEDULE_CHECK,), SCHEDULE_CHECK)
        return str({f.resource_id: f.status for f in found}[name])

    keep, inline, named = section("Monitoring schedules").split("\n“With ")
    named, back = named.split("this is the rollback:")
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


@pytest.mark.slow
def test_the_templates_are_clean() -> None:
    before, after = fences("yaml")
    assert lint(before, regions=["eu-west-1"]) == lint(after, regions=["eu-west-1"]) == []
    assert "EnableNetworkIsolation" not in before
    assert "EnableNetworkIsolation: true" in after


def test_the_terraform_uses_arguments_that_the_provider_has() -> None:
    before, after = fences("hcl")
    for code in (before, after):
        assert terraform.faults(code) == []
    assert "enable_network_isolation" not in before
    assert re.search(r"enable_network_isolation = true", after)


def test_the_settings_on_the_page_are_the_fixers() -> None:
    config = re.search(r"(?:^    .*\n)+", PAGE.partition("is in the file:")[2], re.MULTILINE)
    assert config
    settings = yaml.safe_load(config[0])["aws"]
    engine.take_the_place()
    settings_class = import_check(f"{engine.SERVICE}.{CHECK}.lib.fixer.settings").FixerSettings
    assert settings_class.read(settings, CHECK).MoveEndpoints
    assert set(settings[CHECK]) == set(settings_class.__dataclass_fields__)


def three_words(text: str) -> set[str]:
    """Return all runs of three words of a text."""
    words = re.findall(r"[\w:-]+", text)
    return {" ".join(words[i : i + 3]) for i in range(len(words) - 2)}


def test_the_page_has_every_sentence_that_the_fixer_says() -> None:
    folder = ROOT / "checks" / CHECK
    paths = [folder / f"{CHECK}_fixer.py", *(folder / "lib" / "fixer").glob("*.py")]
    sources = "".join(path.read_text("utf-8") for path in paths)
    says = r"(?:StoppedError|return ?|say|append)\(|return|yield \(?|advice = "
    said = re.findall(rf'(?:{says})\s*f?"([^"]+)"', sources)
    script = (folder / "lib" / "fixer" / "rollback.sh").read_text("utf-8")
    said += [re.sub(r"\$\w+", "{}", words) for words in re.findall(r'(?:stop|say) "(.+?)"', script)]
    progress = ("Creating", "Updating", "To ", "aws ")
    on_the_page = three_words(PAGE)
    assert len(said) > 50
    for sentence in said:
        runs = set().union(*map(three_words, re.split(r"\{[^}]*\}", sentence)))
        if runs and not sentence.startswith(progress) and "already" not in sentence:
            assert runs & on_the_page, sentence
