"""The metadata: valid for Prowler, and the built-in's where scans rely on it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from prowler.lib.check.models import CheckMetadata
from prowler.lib.outputs.asff.asff import Recommendation

from ..embedded.installation import CHECK, CHECKS, ROOT

FILES = {check: ROOT / "checks" / check / f"{check}.metadata.json" for check in CHECKS}
METADATA: dict[str, Any] = {check: json.loads(FILES[check].read_text("utf-8")) for check in CHECKS}


def code_of(check: str, kind: str) -> str:
    """Return the code that a check's metadata has, such as "Terraform", without its fence."""
    text: str = METADATA[check]["Remediation"]["Code"][kind]
    match = re.fullmatch(r"```\w+\n(.*)\n```", text, re.DOTALL)
    assert match or not text
    return match[1] if match else ""


@pytest.mark.parametrize("check", CHECKS)
def test_prowler_takes_it_and_shows_the_whole_recommendation(check: str, prowler: Path) -> None:
    assert CheckMetadata.parse_file(FILES[check]).CheckID == check
    recommendation = METADATA[check]["Remediation"]["Recommendation"]
    assert Recommendation(Text=recommendation["Text"]).Text == recommendation["Text"]  # in ASFF
    own = [*prowler.glob(f"lib/python*/site-packages/prowler/**/{check}.metadata.json")]
    # Prowler's hub has pages of Prowler's own checks.
    assert recommendation["Url"] == (f"https://hub.prowler.com/check/{check}" if own else "")


def test_what_scans_select_by_is_the_built_ins(prowler: Path) -> None:
    (path,) = prowler.glob(f"lib/python*/site-packages/prowler/**/{CHECK}.metadata.json")
    built_in = json.loads(path.read_text("utf-8"))
    for key in ("Provider", "CheckID", "CheckType", "ServiceName", "Severity", "ResourceType"):
        assert METADATA[CHECK][key] == built_in[key]
    assert METADATA[CHECK]["Categories"] == built_in["Categories"]
