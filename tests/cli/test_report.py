"""`sagemaker-isolation report`, and the auditor's lines of jq, on what a real scan wrote."""

import csv
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from ..embedded import account
from ..embedded.account import Expected
from ..embedded.installation import CHECKS, ROOT, Installation, Scan


@pytest.fixture(scope="module")
def report(installed: Installation, wheel_scan: Scan) -> dict[str, Any]:
    """The report on the account, by the command beside Prowler."""
    options = ("--checks", *CHECKS, "--format", "json")
    done = installed.run("sagemaker-isolation", "report", wheel_scan.output, *options)
    assert (done.returncode, done.stderr) == (1, "")
    printed: dict[str, Any] = json.loads(done.stdout)
    return printed


def test_what_the_account_comes_to(report: dict[str, Any], everything: Expected) -> None:
    statuses = Counter(status for status, _ in everything.values())
    assert report["counts"] == {**statuses, "muted": 0}
    found = {(f["region"], f["name"]): f["status"] for f in report["findings"]}
    assert found == {key: status for key, (status, _) in everything.items()}
    first = report["fix_first"][0]
    assert (first["cause"], first["only_cause_of"]) == ("network isolation", 3)
    assert [endpoint["name"] for endpoint in first["endpoints"]] == ["fraud"]
    failing = {arn for cause in report["fix_first"] for arn in cause["resources"]}
    assert len(failing) == statuses["FAIL"]
    reasons = {reason["permission"]: reason["resources"] for reason in report["not_judged"]}
    assert [arn.rpartition(":")[2] for arn in reasons["sagemaker:ListModels"]] == ["model/unknown"]
    assert len(reasons["ec2:DescribeRouteTables"]) == 3


def test_the_auditors_lines_of_jq(
    report: dict[str, Any], installed: Installation, wheel_scan: Scan, tmp_path: Path
) -> None:
    (tmp_path / "output").symlink_to(wheel_scan.output)
    page = (ROOT / "docs" / "auditor.md").read_text("utf-8")
    lines = re.findall(r"^ {4}((?:jq|find) .+)$", page, re.MULTILINE)
    subnets, joined, history = (line.replace("docs/", f"{ROOT}/docs/") for line in lines)

    def printed(line: str) -> list[str]:
        done = installed.shell(line, tmp_path, LC_ALL="C")
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    assert printed(subnets) == sorted(
        {
            f"{cause['effect']}: {cause['thing']} {cause['detail']}"
            for finding in report["findings"]
            for cause in finding["causes"]
            if cause["rule"] == "public-subnet"
        }
    )
    assert printed(joined.replace("find output ", "find output/ ")) == []
    with (tmp_path / "findings.csv").open(encoding="utf-8", newline="") as file:
        rows = {(row[4], row[5], row[7]) for row in csv.reader(file)}
    assert rows == {
        (row["RESOURCE_UID"], row["STATUS"], row["STATUS_EXTENDED"]) for row in wheel_scan.rows()
    }
    (day,) = {row["TIMESTAMP"][:10] for row in wheel_scan.rows()}
    asked = history.replace("2026-11-01", day).replace("2026-11-30", day)
    told = printed(asked.replace("find output ", "find output/ "))
    for check in CHECKS:
        assert f"{account.ACCOUNT} {check}: 1 scans on 1 of 1 days" in told
    failed = [line for line in told if line.startswith(f"  FAIL {day}: arn:")]
    assert len(failed) == sum(row["STATUS"] == "FAIL" for row in wheel_scan.rows())
