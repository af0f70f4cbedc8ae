"""That the plugin disturbs nothing beside it: Prowler's lists, its other checks, other scans."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

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
)
from ..embedded.server import EmbeddedAWS, error, on


def test_prowlers_lists_differ_in_our_checks_and_our_fixer_alone(
    plain: Installation, installed: Installation
) -> None:
    ours: dict[str, tuple[str, ...]] = {
        "--list-checks": CHECKS,
        "--list-checks-json": (CONFIG_CHECK, SCHEDULE_CHECK),
        "--list-fixers": (CHECK,),
        "--list-categories": (),
        "--list-services": (),
    }

    def lines(installation: Installation) -> dict[str, set[str]]:
        printed = installation.lists(*ours)
        return {
            option: set(re.sub(r"\d+ available", "available", text).splitlines())
            for option, text in printed.items()
        }

    before, after = lines(plain), lines(installed)
    for option, new in ours.items():
        assert len(before[option]) > 5
        found = re.findall("sagemaker_[a-z_]+", " ".join(after[option] - before[option]))
        assert sorted(found) == sorted(new)
        gone = before[option] - after[option]
        assert [BUILT_IN_TITLE in line for line in gone] == [True] * (option == "--list-checks")


def test_scans_at_once_disturb_neither_other_checks_nor_each_other_nor_the_installation(
    aws: EmbeddedAWS,
    judged: dict[str, Expected],
    plain: Installation,
    installed: Installation,
    wheel_scan: Scan,
    tmp_path: Path,
) -> None:
    def rows(scan: Scan, ours: bool) -> list[tuple[str, ...]]:
        keys = ("CHECK_ID", "REGION", "RESOURCE_UID", "STATUS", "STATUS_EXTENDED")
        found = (row for row in scan.rows() if (row["CHECK_ID"] in CHECKS) == ours)
        return sorted(tuple(row[key] for key in keys) for row in found)

    def scan(installation: Installation, *arguments: str) -> Scan:
        folder = tmp_path / f"{installation.folder.name}{arguments[0]}"
        return installation.scan(aws, folder, *arguments, "--region", *account.REGIONS)

    before = digest(installed.packages)
    with ThreadPoolExecutor(3) as pool:
        without = pool.submit(scan, plain, "--services", "sagemaker")
        together = pool.submit(scan, installed, "--services", "sagemaker")
        alone = pool.submit(scan, installed, "--checks", *CHECKS)
    assert rows(without.result(), ours=False) == rows(together.result(), ours=False)
    assert len({check for check, *_ in rows(without.result(), ours=False)}) > 3
    for result in (together.result(), alone.result()):
        assert rows(result, ours=True) == rows(wheel_scan, ours=True)
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
        arguments = ("--checks", CHECK, "--region", region.name, "--verbose")
        scan = installed.scan(aws, tmp_path, *arguments)
    found = scan.findings()
    assert found[region.name, name]["STATUS"] == "PASS"
    assert found[region.name, "unreadable"]["STATUS"] == "MANUAL"
    assert len(found) == len(scan.rows()) == len(scan.ocsf()) == 2
    for cell in found[region.name, name].values():
        assert not cell.startswith(("=", "+", "@"))
    (ocsf,) = [f for f in scan.ocsf() if f["resources"][0]["name"] == name]
    assert len(ocsf["resources"][0]["labels"]) == len(HOSTILE_TAGS)
    html = scan.file("*.html").read_text("utf-8")
    assert "alert(1)" not in html
    assert MARKUP not in scan.stdout
