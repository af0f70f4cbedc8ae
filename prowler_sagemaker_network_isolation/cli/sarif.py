"""SARIF for GitHub code scanning, because Prowler has none for AWS.

An alert is a model, a configuration or a schedule. It stays open while that fails or cannot be
judged, and closes when it passes, is muted, or is gone.
"""

import re
from collections.abc import Iterable
from typing import Any

from .findings import Check, Finding

# "SARIF support for code scanning" in GitHub's documentation: a run with more results is refused.
MOST = 25_000
# Prowler's severity: SARIF's level, and the score by which GitHub says low, medium, high, critical.
_SEVERITIES = {
    "Critical": ("error", "9.0"),
    "High": ("error", "7.0"),
    "Medium": ("warning", "4.0"),
    "Low": ("note", "2.0"),
    "Informational": ("note", "0.0"),
}
_UNKNOWN = ("warning", "4.0")  # what OCSF calls any other


def sarif_of(findings: Iterable[Finding]) -> tuple[dict[str, Any], str]:
    """Return findings as a SARIF document, and a sentence on what code scanning leaves out.

    Those that fail come first; the sentence is empty if nothing is left out.
    """
    states = ("FAIL", "MANUAL")
    alerts = sorted((f for f in findings if f.state in states), key=lambda f: f.state)
    sentence = ""
    if (number := len(alerts)) > MOST:
        sentence = f"Code scanning takes {MOST:,} alerts: the SARIF leaves out {number - MOST:,}."
    of_rules: dict[str, list[Finding]] = {}
    for alert in alerts:
        of_rules.setdefault(alert.check.id, []).append(alert)
    rules = [_rule(found[-1].check, found) for found in of_rules.values()]
    tool = {"driver": {"name": "Prowler", "rules": rules}}
    run = {"tool": tool, "results": list(map(_result, alerts[:MOST]))}
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    return {"$schema": schema, "version": "2.1.0", "runs": [run]}, sentence


def _rule(check: Check, alerts: list[Finding]) -> dict[str, Any]:
    """Return the SARIF rule of a check, as severe as the most severe of its alerts."""
    severities = [_SEVERITIES.get(alert.severity, _UNKNOWN) for alert in alerts]
    level, score = max(severities, key=lambda severity: float(severity[1]))
    return {
        "id": check.id,
        "shortDescription": {"text": check.title},
        "fullDescription": _message(check.description),
        "help": _message(check.remediation),
        "defaultConfiguration": {"level": level},
        "properties": {"security-severity": score, "tags": ["security"]},
    }


def _message(markdown: str) -> dict[str, str]:
    """Return a message in Markdown, and without what is Markdown's."""
    return {"text": re.sub("[*`]", "", markdown), "markdown": markdown}


def _result(finding: Finding) -> dict[str, Any]:
    """Return the SARIF result of a finding."""
    # GitHub wants a file and a line. An ARN would be taken for a URI with the scheme "arn".
    resource = finding.arn.split(":", 5)[-1]
    place = f"{finding.account}/{finding.region}/{resource}"
    level, _ = _SEVERITIES.get(finding.severity, _UNKNOWN)
    one = {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 1}
    return {
        "ruleId": finding.check.id,
        "level": level if finding.state == "FAIL" else "warning",
        "message": {"text": finding.text},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": place}, "region": one}}],
        "partialFingerprints": {"primaryLocationLineHash": finding.arn},
    }
