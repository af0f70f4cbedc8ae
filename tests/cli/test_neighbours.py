"""That the plugin disturbs nothing beside it: Prowler's lists, its other checks, other scans."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ..embedded import account
from ..embedded.account import Expected, Region
from ..embedded.installation import (
    BUILT_IN_TITLE,
    CHECK,
    CHECKS,
    CONFIG_CHECK,
    SCHEDULE_CHECK,
    Installation,
    Scan,
    digest,
    verdicts,
)
from ..embedded.server import EmbeddedAWS, error, on


@pytest.mark.parametrize(
    ("option", "new"),
    [
        ("--list-checks", CHECKS),
        ("--list-checks-json", (CONFIG_CHECK, SCHEDULE_CHECK)),
        ("--list-fixers", (CHECK,)),
        ("--list-categories", ()),
        ("--list-services", ()),
    ],
)
def test_prowlers_lists_differ_in_our_checks_and_our_fixer_alone(
    plain: Installation, installed: Installation, option: str, new: tuple[str, ...]
) -> None:
    def lines(installation: Installation) -> set[str]:
        done = installation.run("aws", option, "--no-banner", "--no-color")
        return set(re.sub(r"\d+ available", "available", done.stdout).splitlines())

    before, after = lines(plain), lines(installed)
    assert len(before) > 5
    assert sorted(re.findall("sagemaker_[a-z_]+", " ".join(after - before))) == sorted(new)
    assert [BUILT_IN_TITLE in line for line in before - after] == [True] * (
        option == "--list-checks"
    )


def test_a_scan_of_all_checks_says_of_the_others_what_it_said_and_of_ours_what_they_say_alone(
    aws: EmbeddedAWS,
    expected_schedules: Expected,
    plain: Installation,
    installed: Installation,
    wheel_scan: Scan,
    tmp_path: Path,
) -> None:
    def rows(scan: Scan, ours: bool) -> list[tuple[str, ...]]:
        keys = ("CHECK_ID", "REGION", "RESOURCE_UID", "STATUS", "STATUS_EXTENDED")
        found = (row for row in scan.rows() if (row["CHECK_ID"] in CHECKS) == ours)
        return sorted(tuple(row[key] for key in keys) for row in found)

    arguments = ("--services", "sagemaker", "--region", *account.REGIONS)
    with ThreadPoolExecutor(2) as pool:
        without, all_checks = pool.map(
            lambda made: made.scan(aws, tmp_path / made.folder.name, *arguments), (plain, installed)
        )
    assert rows(without, ours=False) == rows(all_checks, ours=False)
    assert len({check for check, *_ in rows(without, ours=False)}) > 3
    assert rows(all_checks, ours=True) == rows(wheel_scan, ours=True)


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
        for scan in pool.map(lambda n: installed.scan(aws, tmp_path / n, *arguments), "ab"):
            assert verdicts(scan) == verdicts(wheel_scan)
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
    found = scan.findings()
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
