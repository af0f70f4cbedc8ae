"""SARIF for GitHub code scanning, because Prowler has none for AWS.

An alert is a model or a configuration. It stays open while that fails or cannot be judged, and
closes when it passes, is muted, or is gone.
"""

from collections.abc import Iterable
from typing import Any

from .findings import Check, Finding

# "SARIF support for code scanning" in GitHub's documentation: a run with more results is refused,
# and of those that are taken, so many are shown, the most severe first.
MOST, SHOWN = 25_000, 5_000
# Prowler's severity: SARIF's level, and the score by which GitHub says low, medium, high, critical.
SEVERITIES = {
    "Critical": ("error", "9.0"),
    "High": ("error", "7.0"),
    "Medium": ("warning", "4.0"),
    "Low": ("note", "2.0"),
    "Informational": ("note", "0.0"),
}
UNKNOWN = ("warning", "4.0")  # what OCSF calls any other


def alerts_of(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings that are alerts, those that fail first."""
    return sorted((f for f in findings if f.state in ("FAIL", "MANUAL")), key=lambda f: f.state)


def limits(number: int) -> str:
    """Return a sentence on alerts that code scanning does not show; an empty one if it shows all.

    Args:
        number: The number of alerts.
    """
    if number > MOST:
        return f"Code scanning takes {MOST:,} alerts: the SARIF leaves out {number - MOST:,}."
    if number > SHOWN:
        return f"Code scanning shows {SHOWN:,} of the {number:,} alerts of the SARIF."
    return ""


def sarif_of(alerts: list[Finding]) -> dict[str, Any]:
    """Return the SARIF document of alerts, of as many as code scanning takes."""
    checks = {finding.check.id: finding.check for finding in alerts}
    rules = [rule(check) for check in checks.values()]
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "Prowler", "rules": rules}},
                "results": [result(finding) for finding in alerts[:MOST]],
            }
        ],
    }


def rule(check: Check) -> dict[str, Any]:
    """Return the SARIF rule of a check."""
    level, score = SEVERITIES.get(check.severity, UNKNOWN)
    return {
        "id": check.id,
        "shortDescription": {"text": check.title},
        "fullDescription": {"text": check.description},
        "help": {"text": check.remediation},
        "defaultConfiguration": {"level": level},
        "properties": {"security-severity": score, "tags": ["security"]},
    }


def result(finding: Finding) -> dict[str, Any]:
    """Return the SARIF result of a finding."""
    # GitHub wants a file and a line. An ARN would be taken for a URI with the scheme "arn".
    resource = finding.arn.split(":", 5)[-1]
    place = f"{finding.account}/{finding.region}/{resource}"
    level, _ = SEVERITIES.get(finding.check.severity, UNKNOWN)
    one = {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 1}
    return {
        "ruleId": finding.check.id,
        "level": level if finding.state == "FAIL" else "warning",
        "message": {"text": finding.text},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": place}, "region": one}}],
        "partialFingerprints": {"primaryLocationLineHash": finding.arn},
    }
