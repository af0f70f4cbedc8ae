"""The remediation page: its commands are run as they stand, its templates are linted."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from prowler.lib.check.check import import_check

from ..embedded import aws_cli, engine
from ..embedded.account import ROLE, Region
from ..embedded.cloudformation import lint
from ..embedded.installation import CHECK, ROOT, access
from ..embedded.server import EmbeddedAWS
from ..tools import terraform

PAGE = (ROOT / "docs" / "remediation.md").read_text("utf-8")


def section(title: str) -> str:
    """Return a section of the page."""
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def commands(text: str) -> list[str]:
    """Return the indented commands of a text, each in one line."""
    return re.findall(r"^    (.+)$", re.sub(r" \\\n +", " ", text), re.MULTILINE)


def fences(language: str) -> tuple[str, str]:
    """Return the code before and after."""
    before, after = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return before, after


@pytest.mark.parametrize("command", [c for c in commands(PAGE) if c.startswith("aws sagemaker")])
def test_every_command_is_one_that_aws_has(command: str) -> None:
    aws_cli.check(command)


@pytest.mark.slow
def test_the_commands_move_an_endpoint_and_take_it_back(aws: EmbeddedAWS) -> None:
    region = Region(aws, "ap-southeast-5")
    vpc = region.vpc()
    names = {
        "subnet-id-1": region.subnet(vpc),
        "subnet-id-2": region.subnet(vpc),
        "sg-id": region.group(vpc),
        "model-name": "fraud",
        "endpoint-name": "fraud",
        "endpoint-config-name": "fraud-config",
        "role-arn": ROLE,
        "container-image": "image",
        "model-data-url": "s3://bucket/model.tar.gz",
        "key": "team",
        "value": "risk",
        "variant-name": "one",
        "instance-type": "ml.m5.large",
        "count": "1",
    }
    region.model("fraud", isolated=False)
    names["model-arn"] = region.sagemaker.describe_model(ModelName="fraud")["ModelArn"]
    variant = {
        "VariantName": "one",
        "ModelName": "fraud",
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    region.sagemaker.create_endpoint_config(
        EndpointConfigName="fraud-config", ProductionVariants=[variant]
    )
    region.sagemaker.create_endpoint(EndpointName="fraud", EndpointConfigName="fraud-config")

    def run(text: str) -> str:
        said = ""
        for command in commands(text):
            filled = re.sub(r"<([a-z0-9-]+)>", lambda found: names[found[1]], command)
            said = subprocess.run(
                shlex.split(filled),
                env={
                    "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
                    **access(aws),
                    "AWS_DEFAULT_REGION": region.name,
                },
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        return said

    forth, back = section("By the AWS CLI").split("\nRollback:\n")
    assert run(forth) == '"fraud-config-isolated"\n'
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
    says = r"(?:StoppedError|return|say|append)\(|return|yield \(?|advice = "
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
