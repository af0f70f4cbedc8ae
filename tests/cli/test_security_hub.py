"""Security Hub: what Prowler does to it where something could not be read, and the recipe.

One account and one hub, in the order of the nights; each test looks at what a night left behind.
"""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from ..embedded.account import EVERYWHERE, Region
from ..embedded.installation import CHECK, FAILED, ROOT, Installation, access
from ..embedded.server import EmbeddedAWS, on, refuse

REGION = "eu-south-2"
PUBLIC = {f"public-{number}" for number in range(6)}
RECIPE = ROOT / "docs" / "ci" / "security_hub.py"
OTHERS = ("another-check", "another-product")
Hub = dict[str, tuple[str, str]]  # by model or id: the compliance status and the record's state


@dataclass(frozen=True)
class Night:
    """What a run did: its end, and what the hub had then."""

    done: subprocess.CompletedProcess[str]
    hub: Hub


def hub_of(aws: EmbeddedAWS) -> Hub:
    """Return what the hub has."""
    pages = aws.client("securityhub", REGION).get_paginator("get_findings").paginate()
    return {
        finding["Resources"][0]["Id"].rpartition("/")[2]: (
            finding["Compliance"]["Status"],
            finding["RecordState"],
        )
        for page in pages
        for finding in page["Findings"]
    }


@pytest.fixture(scope="session")
def region(aws: EmbeddedAWS) -> Region:
    """Six public models, a sound one, one to be deleted, one that fails without EC2 being asked,
    and a hub with findings of others."""
    region = Region(aws, REGION)
    vpc = region.vpc()
    route = {"DestinationCidrBlock": EVERYWHERE, "GatewayId": region.internet_gateway(vpc)}
    private, public = region.subnet(vpc), region.subnet(vpc, region.table(vpc, route))
    closed = region.group(vpc)
    for name in PUBLIC:
        region.model(name, [public], [closed])
    region.model("sound", [private], [closed])
    region.model("deleted", [public], [closed])
    region.model("not-isolated", [private], [closed], isolated=False)
    hub = aws.client("securityhub", REGION)
    hub.enable_security_hub()
    for name in OTHERS:
        product = "prowler/prowler" if name == "another-check" else "aws/inspector"
        finding = {
            "SchemaVersion": "2018-10-08",
            "Id": name,
            "ProductArn": f"arn:aws:securityhub:{REGION}::product/{product}",
            "GeneratorId": "prowler-another_check" if name == "another-check" else "inspector",
            "AwsAccountId": "123456789012",
            "CreatedAt": "2026-01-01T00:00:00Z",
            "UpdatedAt": "2026-01-01T00:00:00Z",
            "Title": name,
            "Description": name,
            "Severity": {"Label": "HIGH"},
            "RecordState": "ACTIVE",
            "Compliance": {"Status": "FAILED"},
            "Resources": [{"Id": f"arn:aws:s3:::bucket/{name}", "Type": "Other"}],
        }
        assert hub.batch_import_findings(Findings=[finding])["SuccessCount"] == 1
    return region


@pytest.fixture(scope="session")
def nights(
    aws: EmbeddedAWS,
    region: Region,
    installed: Installation,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Night]:
    """The recipe's nights, and at last one of Prowler's own."""
    folder = tmp_path_factory.mktemp("nights")
    lost = on("DescribeRouteTables", REGION)(refuse)

    def recipe(name: str, *options: str) -> Night:
        command = f"python3 {RECIPE} {name} {REGION} {' '.join(options)}"
        return Night(installed.shell(command, folder, **access(aws)), hub_of(aws))

    found = {"first": recipe("first")}
    with aws.failing(lost):
        found["permission lost"] = recipe("lost")
    region.sagemaker.delete_model(ModelName="deleted")
    found["a model deleted"] = recipe("deleted")
    found["a part scanned"] = recipe("part", "--", "--resource-tag", "team=none")
    with aws.failing(lost):
        arguments = ("aws", "--checks", CHECK, "--region", REGION, "--security-hub")
        done = installed.run(*arguments, **access(aws))
    found["Prowler's own, permission lost"] = Night(done, hub_of(aws))
    return found


def test_a_night_in_which_all_was_read_is_sent(nights: dict[str, Night]) -> None:
    night = nights["first"]
    assert night.done.returncode == FAILED, night.done.stderr
    failed = dict.fromkeys([*PUBLIC, "deleted", "not-isolated", *OTHERS], ("FAILED", "ACTIVE"))
    assert night.hub == {**failed, "sound": ("PASSED", "ACTIVE")}


def test_where_something_was_not_read_the_hub_stays_and_the_alarm_is_raised(
    nights: dict[str, Night],
) -> None:
    night = nights["permission lost"]
    assert night.done.returncode == 1
    assert night.hub == nights["first"].hub
    assert night.done.stderr.count(f"MANUAL {REGION} ") == 8
    assert "ec2:DescribeRouteTables" in night.done.stderr


def test_archived_is_the_finding_of_a_model_that_is_gone_and_no_other(
    nights: dict[str, Night],
) -> None:
    night = nights["a model deleted"]
    assert night.done.returncode == FAILED, night.done.stderr
    assert night.hub == {**nights["first"].hub, "deleted": ("FAILED", "ARCHIVED")}


def test_a_model_that_is_there_and_was_not_judged_is_named(nights: dict[str, Night]) -> None:
    night = nights["a part scanned"]
    assert night.done.returncode == 1
    assert night.hub == nights["a model deleted"].hub
    assert all(f"model/{n}" in night.done.stderr for n in (*PUBLIC, "sound", "not-isolated"))
    assert "model/deleted" not in night.done.stderr


def test_prowlers_own_archives_what_it_could_not_read_and_what_it_did_not_run(
    nights: dict[str, Night],
) -> None:
    """What docs/ci.md warns of. If this fails, Prowler has changed, and the page is to be."""
    hub = nights["Prowler's own, permission lost"].hub
    archived = {name for name, (_, state) in hub.items() if state == "ARCHIVED"}
    assert archived == {*PUBLIC, "sound", "deleted", "another-check"}


@pytest.mark.parametrize("arguments", [[], ["output"], ["output", "--"]])
def test_without_a_region_it_does_nothing(tmp_path: Path, arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, RECIPE, *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "usage: " in done.stderr
    assert not any(tmp_path.iterdir())
