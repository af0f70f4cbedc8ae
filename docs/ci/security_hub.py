"""Scan SageMaker and bring AWS Security Hub up to date, but never by what was not read.

Usage: python3 security_hub.py OUTPUT REGION... [-- an option of prowler aws...]

OUTPUT is a folder that is not there yet: every night needs a new one. Prowler's own --security-hub
archives every active finding of its own that the run does not send, and a MANUAL finding is never
sent: a model that could not be read looks resolved. So this sends the findings itself, after a scan
in which everything was read; otherwise Security Hub stays as it is, and what was not read is named.
Archived are the checks' findings of models and endpoint configurations that SageMaker lists no
longer, and no others. A model that SageMaker lists and the scan has no finding for is named. (An
endpoint configuration has a finding only if it is for inference components, so none is missed.)

The account is that of the environment's credentials, which need the permissions of a scan and
securityhub:BatchImportFindings and securityhub:GetFindings. Security Hub accepts findings of
Prowler in each REGION. What goes wrong in one of them does not keep the others from being brought
up to date.

Ends with 0; with 3, as Prowler does, if a model fails; with 1, which is the alarm, if something was
not read, a model has no finding, or Security Hub could not be brought up to date in every region.
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

CHECKS = (
    "sagemaker_models_network_isolation_enabled",
    "sagemaker_endpoint_configs_network_isolation_enabled",
)
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
    begun = datetime.now(timezone.utc)
    code = scan(output, regions, options)
    unread = list(what_was_not_read(output))
    if unread:
        sys.exit("\n".join(["Security Hub is left as it is, because of:", *unread]))
    wrong = list(update(regions, read(output), begun))
    if wrong:
        sys.exit("\n".join(["Security Hub is not up to date everywhere:", *wrong]))
    return code


def scan(output: Path, regions: list[str], options: list[str]) -> int:
    """Run Prowler with the plugin's checks alone, and return its exit code, 0 or 3."""
    try:
        output.mkdir()  # no finding of an earlier scan is in it
    except FileExistsError:
        sys.exit(f"There is a folder {output} already: give each scan a new one.")
    command = ["prowler", "aws", "--no-banner", "--no-color", "--compliance", FRAMEWORK]
    files = ["--output-formats", "csv", "json-asff", "json-ocsf", "--output-directory", str(output)]
    code = subprocess.run(
        [*command, "--region", *regions, *files, *options], check=False
    ).returncode
    if code not in (0, FAILED):
        sys.exit(f"Prowler ended with {code}; Security Hub is left as it is.")
    return code


def what_was_not_read(output: Path) -> Iterator[str]:
    """Yield a line for each finding of a scan that is no verdict of the plugin's checks."""
    for path in output.glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines, delimiter=";"):
                if row["STATUS"] == "MANUAL":
                    yield f"MANUAL {row['REGION']} {row['STATUS_EXTENDED']}"
                elif row["CHECK_TITLE"] == BUILT_IN_TITLE:
                    yield f"Prowler's built-in check answered for {row['RESOURCE_UID']}"


def read(output: Path) -> list[dict[str, Any]]:
    """Return a scan's findings, in ASFF: those that are PASS or FAIL."""
    findings: list[dict[str, Any]] = []
    for path in output.glob("*.asff.json"):
        try:
            findings += json.loads(path.read_text("utf-8"))
        except ValueError as error:
            sys.exit(f"{path} is not whole ({error}); Security Hub is left as it is.")
    return findings


def update(regions: list[str], findings: list[dict[str, Any]], begun: datetime) -> Iterator[str]:
    """Bring each region's Security Hub up to date, and yield a line for whatever goes wrong.

    Args:
        regions: The regions that were scanned.
        findings: The scan's, in ASFF.
        begun: When the scan began: it need not know of models that are younger.
    """
    for region in regions:
        of_region = [f for f in findings if f["Resources"][0]["Region"] == region]
        try:
            yield from update_region(region, of_region, begun)
        except (BotoCoreError, ClientError) as error:
            yield f"{region}: {error}"


def update_region(region: str, findings: list[dict[str, Any]], begun: datetime) -> Iterator[str]:
    """Send a region's findings, archive those of what is gone, and name the models without one.

    Args and what is yielded as for `update`.
    """
    hub = boto3.client("securityhub", region)
    yield from send(hub, findings)
    in_hub = active(hub, region)
    models = list_all(region, "list_models", "Models", "ModelArn")
    configs = list_all(region, "list_endpoint_configs", "EndpointConfigs", "EndpointConfigArn")
    judged = {resource_of(finding) for finding in findings}
    there = judged | {arn.lower() for arn in (*models, *configs)}
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    gone = [finding for finding in in_hub if resource_of(finding) not in there]
    yield from send(hub, [{**f, "RecordState": "ARCHIVED", "UpdatedAt": now} for f in gone])
    for arn, made in models.items():
        if arn.lower() not in judged and made < begun:
            yield f"The scan has no finding for {arn}, which is there."


def resource_of(finding: dict[str, Any]) -> str:
    """Return the ARN that a finding is of, in lower case, as SageMaker may write it too."""
    return str(finding["Resources"][0]["Id"]).lower()


def list_all(region: str, operation: str, members: str, arn: str) -> dict[str, datetime]:
    """Return when each thing of a kind was made in a region, by its ARN.

    Args:
        region: The region.
        operation: SageMaker's that lists them, as boto3 calls it.
        members: The member of its answer that has them.
        arn: The member of each that is its ARN.
    """
    paginator = boto3.client("sagemaker", region).get_paginator(operation)
    pages = paginator.paginate(PaginationConfig={"PageSize": 100})
    return {one[arn]: one["CreationTime"] for page in pages for one in page[members]}


def active(hub: Any, region: str) -> list[dict[str, Any]]:
    """Return the checks' active findings that Security Hub has of this account and region."""
    account = boto3.client("sts", region).get_caller_identity()["Account"]
    filters = {
        "GeneratorId": [f"prowler-{check}" for check in CHECKS],
        "ProductName": ["Prowler"],
        "RecordState": ["ACTIVE"],
        "AwsAccountId": [account],
        "Region": [region],
    }
    asked = {
        key: [{"Value": value, "Comparison": "EQUALS"} for value in values]
        for key, values in filters.items()
    }
    pages = hub.get_paginator("get_findings").paginate(Filters=asked)
    return [finding for page in pages for finding in page["Findings"]]


def send(hub: Any, findings: list[dict[str, Any]]) -> Iterator[str]:
    """Send findings to Security Hub, and yield what it says of each that it does not take."""
    for start in range(0, len(findings), BATCH):
        answer = hub.batch_import_findings(Findings=findings[start : start + BATCH])
        for failed in answer["FailedFindings"]:
            yield f"Security Hub did not take {failed['Id']}: {failed['ErrorMessage']}"


if __name__ == "__main__":
    arguments = sys.argv[1:]
    end = arguments.index("--") if "--" in arguments else len(arguments)
    if end <= 1:
        sys.exit(f"usage: {sys.argv[0]} OUTPUT REGION... [-- an option of prowler aws...]")
    try:
        sys.exit(main(Path(arguments[0]), arguments[1:end], arguments[end + 1 :]))
    except OSError as error:
        sys.exit(f"Security Hub is left as it is: {error}")
