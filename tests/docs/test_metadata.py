"""The metadata: valid for Prowler, the built-in's where scans rely on it, with code that works."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from prowler.lib.check.models import CheckMetadata
from prowler.lib.outputs.asff.asff import Recommendation

from ..embedded import aws_cli, engine
from ..embedded.account import Region
from ..embedded.installation import CHECK, CHECKS, CONFIG_CHECK, METADATA, ROOT, SCHEDULE_CHECK
from ..embedded.server import EmbeddedAWS


@pytest.fixture(scope="module")
def ours() -> dict[str, Any]:
    metadata: dict[str, Any] = json.loads(METADATA.read_text("utf-8"))
    return metadata


@pytest.fixture(scope="module")
def built_in(prowler: Path) -> dict[str, Any]:
    (path,) = prowler.glob(f"lib/python*/site-packages/prowler/**/{CHECK}.metadata.json")
    metadata: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return metadata


FILES = {check: ROOT / "checks" / check / f"{check}.metadata.json" for check in CHECKS}


def code_of(check: str, kind: str) -> str:
    """Return what stands in a fenced block of Markdown in a check's metadata, if there is one.

    Args:
        check: The check.
        kind: A key of Remediation.Code, such as "Terraform".
    """
    text: str = json.loads(FILES[check].read_text("utf-8"))["Remediation"]["Code"][kind]
    match = re.fullmatch(r"```\w+\n(.*)\n```", text, re.DOTALL)
    assert match or not text
    return match[1] if match else ""


@pytest.mark.parametrize("check", CHECKS)
def test_prowler_accepts_it(check: str) -> None:
    assert CheckMetadata.parse_file(FILES[check]).CheckID == check


@pytest.mark.parametrize("check", CHECKS)
def test_security_hub_shows_the_whole_recommendation(check: str) -> None:
    """Prowler's ASFF cuts off what is longer than Security Hub takes."""
    text = json.loads(FILES[check].read_text("utf-8"))["Remediation"]["Recommendation"]["Text"]
    assert Recommendation(Text=text).Text == text
    assert Recommendation(Text="x" * 513).Text != "x" * 513


@pytest.mark.parametrize(
    "key",
    ["Provider", "CheckID", "CheckType", "ServiceName", "Severity", "ResourceType", "Categories"],
)
def test_what_scans_select_by_is_the_built_ins(
    ours: dict[str, Any], built_in: dict[str, Any], key: str
) -> None:
    assert ours[key] == built_in[key]


def test_it_says_what_the_sop_asks_for(ours: dict[str, Any]) -> None:
    assert ours["Notes"].startswith("Default value:")
    assert "Rollback:" in ours["Notes"]
    assert "update-model" not in json.dumps(ours)


@pytest.fixture(params=CHECKS)
def metadata(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The metadata of each check, to hold to Prowler's written guidelines.

    They are `docs/developer-guide/check-metadata-guidelines.mdx` of prowler-cloud/prowler, of which
    Prowler itself enforces a part.
    """
    read_metadata: dict[str, Any] = json.loads(FILES[request.param].read_text("utf-8"))
    return read_metadata


def test_the_texts_are_short(metadata: dict[str, Any]) -> None:
    assert len(metadata["CheckTitle"]) < 150
    recommendation = metadata["Remediation"]["Recommendation"]["Text"]
    for text in (metadata["Description"], metadata["Risk"], recommendation):
        assert len(text) <= 400


def test_the_description_says_what_is_evaluated_and_not_how_it_ends(
    metadata: dict[str, Any],
) -> None:
    for text in (metadata["CheckTitle"], metadata["Description"]):
        assert not re.match(r"\W*(check|verify|ensure|make sure|monitor)", text, re.IGNORECASE)
    states = r"\b(pass(es|ed)?|fail(s|ed)?|manual`|compliant|risk|breach)\b"
    assert not re.search(states, metadata["Description"], re.IGNORECASE)


def test_the_risk_is_to_confidentiality_integrity_or_availability(metadata: dict[str, Any]) -> None:
    assert re.search(r"\*\*(confidentiality|integrity|availability)\*\*", metadata["Risk"])
    assert "compliance" not in metadata["Risk"].lower()


def test_the_recommendation_is_a_principle_with_an_address_that_all_can_open(
    metadata: dict[str, Any], prowler: Path
) -> None:
    text = metadata["Remediation"]["Recommendation"]["Text"]
    assert re.search(r"https://docs\.aws\.amazon\.com/\S+$", text)
    assert "least privilege" in text
    assert not re.search(r"docs/\w+\.md|prowler-sagemaker|^\d\. |\n\d\. ", text)
    # The Hub has pages of Prowler's own checks.
    check = metadata["CheckID"]
    own = [*prowler.glob(f"lib/python*/site-packages/prowler/**/{check}.metadata.json")]
    page = f"https://hub.prowler.com/check/{check}" if own else ""
    assert metadata["Remediation"]["Recommendation"]["Url"] == page


def test_the_code_is_what_mends_the_finding_and_no_more(metadata: dict[str, Any]) -> None:
    code = metadata["Remediation"]["Code"]
    assert code["CLI"] == "", "no single command replaces what AWS cannot change"
    for language, text in (("yaml", code["NativeIaC"]), ("hcl", code["Terraform"])):
        if text:
            assert text.startswith(f"```{language}\n")
            # A job definition has more that AWS requires.
            assert len(text.splitlines()) <= (22 if metadata["CheckID"] != SCHEDULE_CHECK else 49)
            assert text.count("# Critical: ") == 3
            assert re.search("example_?resource", text, re.IGNORECASE)
    steps = code["Other"].splitlines()
    assert [step.partition(". ")[0] for step in steps] == [str(n + 1) for n in range(len(steps))]


@pytest.mark.parametrize("check", CHECKS)
def test_it_says_what_is_not_judged(check: str) -> None:
    notes = json.loads(FILES[check].read_text("utf-8"))["Notes"]
    not_judged = notes.partition("Not judged: ")[2]
    for words in (
        *("InvokeEndpoint, which IAM decides", "an endpoint's own policy may admit"),
        *("NAT gateway", "network ACLs", "RepositoryAccessMode"),
    ):
        assert words in not_judged


SETTINGS: dict[str, Any] = {  # what CreateEndpointConfig takes besides the name and the variants
    "KmsKeyId": "alias/endpoint",
    "DataCaptureConfig": {
        "EnableCapture": True,
        "InitialSamplingPercentage": 10,
        "DestinationS3Uri": "s3://bucket/captured",
        "CaptureOptions": [{"CaptureMode": "Input"}],
    },
}


@pytest.mark.slow
def test_the_pages_commands_replace_a_configuration_for_components(
    aws: EmbeddedAWS, tmp_path: Path, aws_cli_command: Path
) -> None:
    page = (ROOT / "docs" / "remediation.md").read_text("utf-8")
    section = page.partition("\n## Endpoint configurations for inference components\n")[2]
    section = section.partition("\n## ")[0]
    commands = aws_cli.commands_in(section)
    region = Region(aws, "ca-west-1")
    sagemaker, vpc = region.sagemaker, region.vpc()
    tags = [{"Key": "team", "Value": "risk"}]
    region.components("chat-config", isolated=False, Tags=tags, **SETTINGS)
    sagemaker.create_endpoint(EndpointName="chat", EndpointConfigName="chat-config")
    described = sagemaker.describe_endpoint_config(EndpointConfigName="chat-config")
    values = {
        "subnet-id-in-zone-a": region.subnet(vpc),
        "subnet-id-in-zone-b": region.subnet(vpc),
        "sg-id": region.group(vpc),
        "endpoint-name": "chat",
        "endpoint-config-name": "chat-config",
        "endpoint-config-arn": described["EndpointConfigArn"],
        "new-endpoint-config-name": "chat-config-2",
    }
    printed = aws_cli.run(aws, region.name, commands, values, tmp_path, aws_cli_command)
    assert printed[-1] == '"chat-config-2"'
    copied = sagemaker.describe_endpoint_config(EndpointConfigName="chat-config-2")
    assert {key: copied[key] for key in SETTINGS} == SETTINGS
    assert sagemaker.list_tags(ResourceArn=copied["EndpointConfigArn"])["Tags"] == tags
    made = engine.provider(aws, region.name)
    found = engine.scan(aws, made, (CONFIG_CHECK,), CONFIG_CHECK)
    assert {f.resource_id: f.status for f in found} == {
        "chat-config": "FAIL",
        "chat-config-2": "PASS",
    }
