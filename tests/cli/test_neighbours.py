"""That the plugin disturbs nothing beside it: Prowler's lists, its other checks, other scans."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ..embedded import account
from ..embedded.account import Expected, Region
from ..embedded.installation import (
    BUILT_IN_TITLE,
    CHECK,
    CHECKS,
    Installation,
    Scan,
    digest,
)
from ..embedded.server import EmbeddedAWS, error, on

LISTS = (
    "--list-checks",
    "--list-checks-json",
    "--list-fixers",
    "--list-categories",
    "--list-services",
)


NEW_CHECKS = [check for check in CHECKS if check != CHECK]


def lists(installation: Installation) -> dict[str, list[str]]:
    """Return the lines that each of Prowler's lists prints."""
    with ThreadPoolExecutor(2) as pool:
        done = pool.map(lambda o: installation.run("aws", o, "--no-banner", "--no-color"), LISTS)
    return {option: run.stdout.splitlines() for option, run in zip(LISTS, done, strict=True)}


def test_prowlers_lists_differ_in_our_checks_and_our_fixer_alone(
    plain: Installation, installed: Installation
) -> None:
    before, after = lists(plain), lists(installed)
    fixers = set(after["--list-fixers"]) - set(before["--list-fixers"])
    assert any(CHECK in line for line in fixers)
    for option in ("--list-categories", "--list-services"):
        assert before[option] == after[option]
    gone = set(before["--list-checks"]) - set(after["--list-checks"])
    new = set(after["--list-checks"]) - set(before["--list-checks"])
    (title,) = (line for line in gone if CHECK in line)
    assert BUILT_IN_TITLE in title
    assert len([line for line in new if any(check in line for check in CHECKS)]) == len(CHECKS)
    # The rest is the number of checks.
    assert len(gone) == len(new) - len(NEW_CHECKS) == 2
    listed = json.loads("\n".join(before["--list-checks-json"]))["aws"]
    assert json.loads("\n".join(after["--list-checks-json"])) == {
        "aws": sorted([*listed, *NEW_CHECKS])
    }


@pytest.fixture(scope="module")
def sagemaker_scans(
    aws: EmbeddedAWS,
    expected_schedules: Expected,
    plain: Installation,
    installed: Installation,
    tmp_path_factory: pytest.TempPathFactory,
) -> list[Scan]:
    """A scan of all SageMaker checks without and with the plugin, both at once."""
    arguments = ("--services", "sagemaker", "--region", *account.REGIONS)
    with ThreadPoolExecutor(2) as pool:
        return list(
            pool.map(
                lambda i: i.scan(aws, tmp_path_factory.mktemp("all"), *arguments),
                (plain, installed),
            )
        )


def test_every_other_check_says_what_it_said(sagemaker_scans: list[Scan]) -> None:
    def others(scan: Scan) -> list[tuple[str, ...]]:
        keys = ("CHECK_ID", "REGION", "RESOURCE_UID", "STATUS", "STATUS_EXTENDED")
        return sorted(
            tuple(row[key] for key in keys) for row in scan.rows() if row["CHECK_ID"] not in CHECKS
        )

    without, with_plugin = map(others, sagemaker_scans)
    assert without == with_plugin
    assert len({check for check, *_ in without}) > 3


def test_a_scan_of_all_checks_judges_models_as_a_scan_of_ours_alone(
    sagemaker_scans: list[Scan], wheel_scan: Scan
) -> None:
    for check in CHECKS:
        together, alone = sagemaker_scans[1].findings(check), wheel_scan.findings(check)
        assert {k: (r["STATUS"], r["STATUS_EXTENDED"]) for k, r in together.items()} == {
            k: (r["STATUS"], r["STATUS_EXTENDED"]) for k, r in alone.items()
        }


def test_two_scans_at_once_in_one_installation_that_is_never_written_to(
    aws: EmbeddedAWS,
    installed: Installation,
    expected: Expected,
    wheel_scan: Scan,
    tmp_path: Path,
) -> None:
    before = digest(installed.packages)
    arguments = ("--checks", CHECK, "--region", *account.REGIONS)
    with ThreadPoolExecutor(2) as pool:
        scans = list(
            pool.map(lambda name: installed.scan(aws, tmp_path / name, *arguments), ("one", "two"))
        )
    texts = {key: row["STATUS_EXTENDED"] for key, row in wheel_scan.findings().items()}
    for scan in scans:
        assert {k: row["STATUS_EXTENDED"] for k, row in scan.findings().items()} == texts
    assert digest(installed.packages) == before


HOSTILE_TAGS = {
    "formula": "=HYPERLINK(1)",
    "plus": "+1+1",
    "at": "@SUM(1)",
    "minus": "-2-3",
    "path": "a/b:c=d",
    "letters": "émigré 日本語 \u202eevil",
    "separator": "one\u2028two",
}
MARKUP = "<script>alert(1)</script>"


def test_hostile_names_break_no_file(
    aws: EmbeddedAWS, installed: Installation, tmp_path: Path
) -> None:
    """Tags, and what a security group or an error may say; model names are letters and hyphens."""
    region = Region(aws, "af-south-1")
    vpc = region.vpc()
    subnet = region.subnet(vpc)
    name = f"a{'-' * 61}z"
    made = region.ec2.create_security_group(
        GroupName="=cmd|' /C calc'!A0", Description="{{7*7}}[a](javascript:b)", VpcId=vpc
    )
    region.model(name, [subnet], [made["GroupId"]], tags=HOSTILE_TAGS)
    region.model("unreadable", [subnet], [made["GroupId"]])
    faults = [
        on("Search", region.name)(error("AccessDeniedException")),
        on("DescribeModel", region.name, ModelName="unreadable")(error(MARKUP, MARKUP)),
    ]
    with aws.failing(*faults):
        scan = installed.scan(
            *(aws, tmp_path, "--checks", CHECK, "--region", region.name, "--verbose"),
        )
    found: dict[tuple[str, str], dict[str, Any]] = dict(scan.findings())
    assert found[region.name, name]["STATUS"] == "PASS"
    assert found[region.name, "unreadable"]["STATUS"] == "MANUAL"
    assert len(found) == len(scan.rows()) == len(scan.ocsf()) == 2
    for cell in found[region.name, name].values():
        assert not cell.startswith(("=", "+", "@"))
    (ocsf,) = [f for f in scan.ocsf() if f["resources"][0]["name"] == name]
    assert dict(ocsf["resources"][0]["data"]["metadata"]["tags"][0]).keys() == {"Key", "Value"}
    html = scan.file("*.html").read_text("utf-8")
    assert "alert(1)" not in html
    assert MARKUP not in scan.stdout
    assert "\x1b[2J" not in scan.stdout
