"""Scan SageMaker models and bring AWS Security Hub up to date, but never by what was not read.

Usage: python3 security_hub.py OUTPUT REGION... [-- an option of prowler aws...]

OUTPUT is a folder that is not there yet. Prowler's own --security-hub archives every active finding
of its own that the run does not send, and a MANUAL finding is never sent: a model that could not be
read looks resolved. So this sends the findings itself, after a scan in which everything was read;
otherwise Security Hub stays as it is, and what was not read is named. Archived are the check's
findings of models of which SageMaker says that they are gone, and no others.

The account is that of the environment's credentials, which need the permissions of a scan and
securityhub:BatchImportFindings and securityhub:GetFindings. Security Hub accepts findings of
Prowler in each REGION.

Ends with 0; with 3, as Prowler does, if a model fails; with 1, which is the alarm, if something was
not read, or Security Hub could not be brought up to date.
"""

import csv
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

CHECK = "sagemaker_models_network_isolation_enabled"
FRAMEWORK = "sop_sagemaker_network_isolation_aws"  # the plugin's own: without it Prowler stops
BUILT_IN_TITLE = "Amazon SageMaker model has network isolation enabled"
FAILED = 3
BATCH = 100  # what BatchImportFindings takes


def main(output: Path, regions: list[str], options: list[str]) -> int:
    """Scan and update Security Hub.

    Args:
        output: Where Prowler is to write.
        regions: The regions to scan.
        options: What else Prowler is given.

    Returns:
        Prowler's exit code, 0 or 3; every other end is a SystemExit.
    """
    output.mkdir()  # no finding of an earlier scan is in it
    command = ["prowler", "aws", "--no-banner", "--no-color", "--compliance", FRAMEWORK]
    files = ["--output-formats", "csv", "json-asff", "json-ocsf", "--output-directory", str(output)]
    code = subprocess.run(
        [*command, "--region", *regions, *files, *options], check=False
    ).returncode
    if code not in (0, FAILED):
        sys.exit(f"Prowler ended with {code}; Security Hub is left as it is.")
    unread = list(what_was_not_read(output))
    if unread:
        sys.exit("\n".join(["Security Hub is left as it is, because of:", *unread]))
    found = [finding for path in output.glob("*.asff.json") for finding in load(path)]
    for region in regions:
        update(region, [f for f in found if f["Resources"][0]["Region"] == region])
    return code


def load(path: Path) -> list[dict[str, Any]]:
    """Return the findings of an ASFF file."""
    findings: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))
    return findings


def what_was_not_read(output: Path) -> Iterator[str]:
    """Yield a line for each finding of a scan that is no verdict of the plugin's check."""
    for path in output.glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines, delimiter=";"):
                if row["STATUS"] == "MANUAL":
                    yield f"MANUAL {row['REGION']} {row['STATUS_EXTENDED']}"
                elif row["CHECK_TITLE"] == BUILT_IN_TITLE:
                    yield f"Prowler's built-in check answered for {row['RESOURCE_UID']}"


def update(region: str, findings: list[dict[str, Any]]) -> None:
    """Send a region's findings, and archive those of models that are gone.

    Args:
        region: The region.
        findings: The scan's findings there, in ASFF.
    """
    hub = boto3.client("securityhub", region)
    send(hub, findings)
    sent = {finding["Id"] for finding in findings}
    stale = [finding for finding in active(hub, region) if finding["Id"] not in sent]
    there = [finding for finding in stale if not is_gone(finding, region)]
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    send(hub, [{**f, "RecordState": "ARCHIVED", "UpdatedAt": now} for f in stale if f not in there])
    if there:
        models = ", ".join(finding["Resources"][0]["Id"] for finding in there)
        sys.exit(
            f"The scan has no finding for models that are there, and none is archived: {models}"
        )


def active(hub: Any, region: str) -> Iterator[dict[str, Any]]:
    """Yield the active findings of the check that Security Hub has of this account and region."""
    account = boto3.client("sts", region).get_caller_identity()["Account"]
    filters = {
        "GeneratorId": f"prowler-{CHECK}",
        "ProductName": "Prowler",
        "RecordState": "ACTIVE",
        "AwsAccountId": account,
        "Region": region,
    }
    asked = {key: [{"Value": value, "Comparison": "EQUALS"}] for key, value in filters.items()}
    for page in hub.get_paginator("get_findings").paginate(Filters=asked):
        yield from page["Findings"]


def is_gone(finding: dict[str, Any], region: str) -> bool:
    """Return whether SageMaker says that there is no such model; any other answer is no."""
    name = finding["Resources"][0]["Id"].rpartition("/")[2]
    try:
        boto3.client("sagemaker", region).describe_model(ModelName=name)
    except ClientError as error:
        return "Could not find model" in error.response["Error"]["Message"]
    return False


def send(hub: Any, findings: list[dict[str, Any]]) -> None:
    """Send findings to Security Hub, and end with what it says where it does not take one."""
    for start in range(0, len(findings), BATCH):
        answer = hub.batch_import_findings(Findings=findings[start : start + BATCH])
        for failed in answer["FailedFindings"]:
            sys.exit(f"Security Hub did not take {failed['Id']}: {failed['ErrorMessage']}")


if __name__ == "__main__":
    arguments = sys.argv[1:]
    end = arguments.index("--") if "--" in arguments else len(arguments)
    if end <= 1:
        sys.exit(f"usage: {sys.argv[0]} OUTPUT REGION... [-- an option of prowler aws...]")
    try:
        sys.exit(main(Path(arguments[0]), arguments[1:end], arguments[end + 1 :]))
    except (BotoCoreError, ClientError, OSError) as error:
        sys.exit(f"Security Hub could not be brought up to date: {error}")
