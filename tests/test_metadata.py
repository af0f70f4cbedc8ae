"""The metadata: valid for Prowler, the built-in's where scans rely on it, with code that works."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from prowler.lib.check.models import CheckMetadata

from . import aws_cli
from .cloudformation import lint
from .installation import CHECK, ROOT

OURS = ROOT / "checks" / CHECK / f"{CHECK}.metadata.json"
# Arguments of aws_sagemaker_model as the Terraform provider's documentation names them.
TERRAFORM_ARGUMENTS = {
    "name_prefix",
    "execution_role_arn",
    "enable_network_isolation",
    "primary_container",
    "image",
    "model_data_url",
    "vpc_config",
    "subnets",
    "security_group_ids",
    "lifecycle",
    "create_before_destroy",
}


@pytest.fixture(scope="session")
def ours() -> dict[str, Any]:
    metadata: dict[str, Any] = json.loads(OURS.read_text("utf-8"))
    return metadata


@pytest.fixture(scope="session")
def built_in(prowler: Path) -> dict[str, Any]:
    (path,) = prowler.glob(f"lib/python*/site-packages/prowler/**/{CHECK}.metadata.json")
    metadata: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return metadata


def test_prowler_accepts_it() -> None:
    assert CheckMetadata.parse_file(OURS).CheckID == CHECK


@pytest.mark.parametrize(
    "key",
    ["Provider", "CheckID", "CheckType", "ServiceName", "Severity", "ResourceType", "Categories"],
)
def test_what_scans_select_by_is_the_built_ins(
    ours: dict[str, Any], built_in: dict[str, Any], key: str
) -> None:
    assert ours[key] == built_in[key]


def test_it_says_what_the_sop_asks_for(ours: dict[str, Any]) -> None:
    assert all(point in ours["Risk"] for point in ("security", "control", "compliance"))
    assert ours["Notes"].startswith("Default value:")
    assert "Backout:" in ours["Notes"]
    assert "update-model" not in json.dumps(ours)


def fenced(text: str) -> str:
    """Return what stands in a fenced block of Markdown."""
    match = re.fullmatch(r"```\w+\n(.*)\n```", text, re.DOTALL)
    assert match
    return match[1]


def test_the_cloudformation_is_clean(ours: dict[str, Any]) -> None:
    template = fenced(ours["Remediation"]["Code"]["NativeIaC"])
    named = re.sub(r"<(\w+?)>", lambda m: m[1].replace("_", "-"), template)
    assert lint(named, regions=["eu-west-1", "us-east-1"]) == []
    assert "EnableNetworkIsolation: true" in template


def test_the_cli_works(ours: dict[str, Any]) -> None:
    lines = ours["Remediation"]["Code"]["CLI"].splitlines()
    assert [line.split()[2] for line in lines] == [
        "create-model",
        "create-endpoint-config",
        "update-endpoint",
    ]
    for line in lines:
        aws_cli.check(line)


def test_the_terraform_uses_arguments_that_the_provider_has(ours: dict[str, Any]) -> None:
    code = fenced(ours["Remediation"]["Code"]["Terraform"])
    assert code.count("{") == code.count("}")
    assert set(re.findall(r"^\s+(\w+)\s*[={]", code, re.MULTILINE)) == TERRAFORM_ARGUMENTS
