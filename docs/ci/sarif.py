"""Write SARIF for GitHub code scanning out of Prowler's OCSF, because Prowler has none for AWS.

Usage: python sarif.py <the folder with the *.ocsf.json files>

An alert is a model. It stays open while the model fails or cannot be read, and closes when the
model passes, is muted, or is gone.
"""

import json
import sys
from pathlib import Path
from typing import Any

# Prowler's severity: SARIF's level, and the score by which GitHub says low, medium, high, critical.
SEVERITIES = {
    "Critical": ("error", "9.0"),
    "High": ("error", "7.0"),
    "Medium": ("warning", "4.0"),
    "Low": ("note", "2.0"),
    "Informational": ("note", "0.0"),
}


def rule(finding: dict[str, Any]) -> dict[str, Any]:
    """Return the SARIF rule of a finding's check."""
    level, score = SEVERITIES[finding["severity"]]
    return {
        "id": finding["metadata"]["event_code"],
        "shortDescription": {"text": finding["finding_info"]["title"]},
        "fullDescription": {"text": finding["finding_info"]["desc"]},
        "help": {"text": finding["remediation"]["desc"]},
        "defaultConfiguration": {"level": level},
        "properties": {"security-severity": score, "tags": ["security"]},
    }


def result(finding: dict[str, Any]) -> dict[str, Any]:
    """Return the SARIF result of a finding."""
    (resource,) = finding["resources"]
    # GitHub wants a file and a line. An ARN would be taken for a URI with the scheme "arn".
    _, _, _, region, account, name = resource["uid"].split(":", 5)
    failed = finding["status_code"] == "FAIL"
    return {
        "ruleId": finding["metadata"]["event_code"],
        "level": SEVERITIES[finding["severity"]][0] if failed else "warning",
        "message": {"text": finding["status_detail"]},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": f"{account}/{region}/{name}"},
                    "region": {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 1},
                }
            }
        ],
        "partialFingerprints": {"primaryLocationLineHash": resource["uid"]},
    }


def sarif(findings: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the SARIF document of OCSF findings.

    Args:
        findings: The findings; those that pass or are muted are left out.
    """
    open_findings = [
        finding
        for finding in findings
        if finding["status_code"] in ("FAIL", "MANUAL") and finding["status"] != "Suppressed"
    ]
    rules = {finding["metadata"]["event_code"]: rule(finding) for finding in open_findings}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "Prowler", "rules": list(rules.values())}},
                "results": [result(finding) for finding in open_findings],
            }
        ],
    }


def main() -> None:
    """Read the OCSF files of the folder and write prowler.sarif beside them."""
    folder = Path(sys.argv[1])
    files = sorted(folder.glob("*.ocsf.json"))
    if not files:
        # An empty SARIF would close every alert.
        sys.exit(f"There is no *.ocsf.json in {folder}.")
    findings = [finding for file in files for finding in json.loads(file.read_text("utf-8"))]
    document = json.dumps(sarif(findings), indent=2)
    folder.joinpath("prowler.sarif").write_text(document, "utf-8")


if __name__ == "__main__":
    main()
