"""The metadata: valid for Prowler, the built-in's where scans rely on it, with code that works."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from prowler.lib.check.models import CheckMetadata
from prowler.lib.outputs.asff.asff import Recommendation

from ..embedded.installation import CHECK, CHECKS, METADATA, ROOT


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


@pytest.mark.parametrize("check", CHECKS)
def test_the_address_is_a_page_that_prowlers_hub_has(check: str, prowler: Path) -> None:
    own = [*prowler.glob(f"lib/python*/site-packages/prowler/**/{check}.metadata.json")]
    recommendation = json.loads(FILES[check].read_text("utf-8"))["Remediation"]["Recommendation"]
    assert recommendation["Url"] == (f"https://hub.prowler.com/check/{check}" if own else "")
