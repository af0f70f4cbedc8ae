"""The frameworks: valid in both of Prowler's formats, true to Prowler's ids, and seen in a scan."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from prowler.lib.check.compliance_models import (
    CIS_Requirement_Attribute,
    Compliance,
    ComplianceFramework,
)

from ..conftest import MakeInstallation
from ..embedded import account, aws_cli
from ..embedded.account import Expected
from ..embedded.installation import (
    CHECK,
    CHECKS,
    CONFIG_CHECK,
    FRAMEWORK,
    ROOT,
    SCHEDULE_CHECK,
    Installation,
    Scan,
)
from ..embedded.server import EmbeddedAWS
from ..tools.frameworks import (
    FOLDER,
    PAGE,
    SOP,
    SOP_PAGE,
    by_hand,
    put_in,
    read,
    table,
    with_universal_format,
)

FILES = sorted(FOLDER.glob("*.json"))
NAMES = [path.stem for path in FILES]
CROSSWALKS = [name for name in NAMES if name != SOP]
BUILT_INS = {"AWS-AI-Security-Framework-1.0"}  # of `FRAMEWORK`


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_both_formats_are_valid_and_say_the_same(path: Path) -> None:
    framework = read(path)
    Compliance(**framework)
    ComplianceFramework(**framework)
    assert with_universal_format(framework) == framework


def test_the_sop_has_the_attributes_of_a_cis_benchmark() -> None:
    (requirement,) = Compliance(**read(FOLDER / f"{SOP}.json")).Requirements
    (attributes,) = requirement.Attributes
    assert isinstance(attributes, CIS_Requirement_Attribute)
    assert attributes.Profile.value == "Level 1"
    assert attributes.AssessmentStatus.value == "Automated"


@pytest.mark.parametrize(
    ("attribute", "points"),
    {
        "RationaleStatement": ("**Security**", "**Compliance**", "**Control**"),
        "ImpactStatement": (
            *("**Pros**", "Enhanced security", "Better compliance", "Controlled access"),
            *("**Cons**", "Limited access", "NAT gateway", "Configuration complexity"),
        ),
        "DefaultValue": ("no network isolation",),
        "AuditProcedure": ("**Using the AWS console**", "**Using the AWS CLI**", "describe-model"),
        "RemediationProcedure": (
            *("**Using the AWS console**", "private subnets only", "controlled inbound and"),
            *("**Using the AWS CLI**", "create-model", "--enable-network-isolation", "Verify"),
        ),
        "AdditionalInformation": (
            *("**Prerequisites**", "IAM permissions", "AWS CLI is installed", "operational"),
            *(
                "**Rollback using the AWS console**",
                "Backout Plan",
                "**Rollback using the AWS CLI**",
            ),
        ),
    }.items(),
)
def test_every_point_of_the_sop_is_there_in_its_order(
    attribute: str, points: tuple[str, ...]
) -> None:
    text = read(FOLDER / f"{SOP}.json")["Requirements"][0]["Attributes"][0][attribute]
    places = [text.index(point) for point in points]
    assert places == sorted(places)


def sop() -> dict[str, str]:
    """Return the attributes of the SOP's one requirement."""
    attributes: dict[str, str] = read(FOLDER / f"{SOP}.json")["Requirements"][0]["Attributes"][0]
    return attributes


def test_the_commands_of_the_sop_are_ones_that_aws_has() -> None:
    commands = [c for text in sop().values() for c in aws_cli.commands_in(text)]
    page = (ROOT / "docs" / "sop.md").read_text("utf-8")
    commands += [*aws_cli.commands_in(page), *re.findall("`(aws [^`]+)`", page)]
    assert len(commands) >= 20
    for command in commands:
        aws_cli.check(command)


@pytest.mark.parametrize("words", ["igw-", "cagw-", "vpce-", "eni-", "/8", "/32", "prefix list"])
def test_an_audit_by_hand_asks_what_the_check_asks(words: str) -> None:
    assert words in sop()["AuditProcedure"]


@pytest.mark.parametrize("name", NAMES)
def test_every_framework_says_what_is_not_judged(name: str) -> None:
    framework = read(FOLDER / f"{name}.json")
    text = sop()["Description"] if name == SOP else framework["Description"]
    not_judged = text.partition("Not judged: ")[2]
    for words in ("InvokeEndpoint, which IAM decides", "NAT gateway", "network ACLs"):
        assert words in not_judged


@pytest.fixture(scope="module")
def theirs(prowler: Path) -> set[str]:
    """The names of Prowler's own frameworks, of every provider."""
    files = prowler.glob("lib/python*/site-packages/prowler/compliance/**/*.json")
    return {path.stem for path in files}


@pytest.mark.parametrize("name", NAMES)
def test_no_name_holds_one_of_prowlers_nor_the_other_way_round(theirs: set[str], name: str) -> None:
    """By `name in file` the dashboard chooses the files of a page; names of AWS's own frameworks
    are without their end there (`load_csv_files` in dashboard/pages/compliance.py)."""
    assert len(theirs) > 80
    looked_for = theirs | {t.removesuffix("_aws") for t in theirs if t.startswith("aws_")}
    assert not {their for their in looked_for if their in name or name in their}


def test_no_name_begins_as_those_that_prowler_writes_in_a_form_of_their_own(prowler: Path) -> None:
    """Prowler App chooses the writer of a CSV by these prefixes, and those want attributes that
    are not in ours."""
    (main,) = prowler.glob("lib/python*/site-packages/prowler/__main__.py")
    prefixes = set(re.findall(r'compliance_name\.startswith\("(\w+)"', main.read_text("utf-8")))
    assert {"cis_", "iso27001_"} <= prefixes
    assert not {name for name in NAMES if name.startswith(tuple(prefixes))}


@pytest.mark.parametrize("name", CROSSWALKS)
def test_every_id_and_name_is_prowlers_own(prowler: Path, name: str) -> None:
    own = name.replace("_sagemaker_network_isolation", "").replace("iso_27001", "iso27001")
    (path,) = prowler.glob(f"lib/python*/site-packages/prowler/compliance/aws/{own}.json")
    theirs = {r["Id"]: r for r in json.loads(path.read_text("utf-8"))["Requirements"]}
    for requirement in read(FOLDER / f"{name}.json")["Requirements"]:
        their = theirs[requirement["Id"]]
        # Prowler's PCI DSS names every requirement after the service; its section has the number.
        if "pci" in name:
            number = their["Attributes"][0]["Section"].partition(":")[0]
            assert requirement["Name"].startswith(f"{number}: ")
        else:
            assert requirement["Name"] == their["Name"]
        (attributes,) = requirement["Attributes"]
        assert requirement["Description"].count(".") == 1, "one sentence on why"
        assert attributes["Comment"]
        if attributes["Comment"].startswith("Follows Prowler's mapping"):
            assert any(check.startswith("sagemaker_") for check in their["Checks"])


@pytest.fixture(scope="module")
def scan(
    aws: EmbeddedAWS,
    installed: Installation,
    expected_schedules: Expected,
    tmp_path_factory: pytest.TempPathFactory,
) -> Scan:
    """A scan of the account for our frameworks, which selects our check by itself."""
    output = tmp_path_factory.mktemp("compliance")
    return installed.scan(aws, output, "--compliance", *NAMES, "--region", *account.REGIONS)


def test_the_frameworks_run_the_plugins_checks_and_no_others(
    scan: Scan, expected: Expected, expected_configs: Expected, expected_schedules: Expected
) -> None:
    assert {row["CHECK_ID"] for row in scan.rows()} == set(CHECKS)
    assert set(scan.findings()) == set(expected)
    assert set(scan.findings(CONFIG_CHECK)) == set(expected_configs)
    assert set(scan.findings(SCHEDULE_CHECK)) == set(expected_schedules)


def test_the_page_has_each_framework_and_mapping() -> None:
    page = PAGE.read_text("utf-8")
    assert set(re.findall(r"`(\w+(?:\.\d+_\w+)?_network_isolation_aws)`", page)) == set(NAMES)
    assert page == put_in(page, table())


def test_the_page_of_the_sop_has_the_audit_by_hand() -> None:
    """`make frameworks` writes it."""
    page = SOP_PAGE.read_text("utf-8")
    assert page == put_in(page, by_hand())


def requirements(name: str) -> list[dict[str, Any]]:
    """Return the requirements of a framework."""
    found: list[dict[str, Any]] = read(FOLDER / f"{name}.json")["Requirements"]
    return found


def labels(check: str) -> dict[str, list[str]]:
    """Return what a finding's compliance must hold of ours: the ids by the framework's label."""
    found = {}
    for name in NAMES:
        framework = read(FOLDER / f"{name}.json")
        label = "-".join(filter(None, (framework["Framework"], framework["Version"])))
        found[label] = [r["Id"] for r in requirements(name) if check in r["Checks"]]
    return {label: ids for label, ids in found.items() if ids}


@pytest.mark.parametrize("check", CHECKS)
def test_every_check_is_in_the_frameworks_and_no_other_is(check: str) -> None:
    assert labels(check)
    named = {c for name in NAMES for r in requirements(name) for c in r["Checks"]}
    assert named == set(CHECKS)


def test_every_finding_names_the_requirements_beside_the_built_ins(scan: Scan) -> None:
    for row in scan.rows():
        ours = labels(row["CHECK_ID"])
        named = dict(part.split(": ") for part in row["COMPLIANCE"].split(" | "))
        assert ours == {k: v.split(", ") for k, v in named.items() if k in ours}
        assert set(named) - set(ours) == (BUILT_INS if row["CHECK_ID"] == CHECK else set())
    for finding in scan.ocsf():
        ours = labels(finding["metadata"]["event_code"])
        assert ours.items() <= finding["unmapped"]["compliance"].items()


def test_isolation_alone_can_be_seen(scan: Scan) -> None:
    """By the two ways of docs/compliance.md, to compare with Security Hub's SageMaker.5."""
    page = PAGE.read_text("utf-8")
    (words,) = re.findall(r"grep '(.+)' output/\*\.csv", page)
    rows = scan.findings().values()
    texts = {r["RESOURCE_UID"] for r in rows if words in r["STATUS_EXTENDED"]}
    findings = [f for f in scan.ocsf() if f["metadata"]["event_code"] == CHECK]
    resources = [finding["resources"][0] for finding in findings]
    assert "data.metadata.network_isolation" in page
    isolation = {r["uid"]: r["data"]["metadata"].get("network_isolation") for r in resources}
    assert texts == {uid for uid, value in isolation.items() if value is False}
    assert set(isolation.values()) == {True, False, None}


def test_the_terminal_shows_a_table_for_each_framework(scan: Scan) -> None:
    printed = re.sub(r"\x1b\[[0-9;]*m", "", scan.stdout)
    for name in NAMES:
        table = printed.split(f"Framework {name.upper()} Results:")[1]
        assert re.search(r"│ AWS +│ [^│]+ │ FAIL\(\d+\) +│", table)


def test_the_csv_has_a_column_for_each_cis_attribute(scan: Scan) -> None:
    rows = scan.rows(f"compliance/*_{SOP}.csv")
    columns = {
        f"REQUIREMENTS_ATTRIBUTES_{key.upper()}"
        for key in CIS_Requirement_Attribute.__fields__
        if key != "SubSection"
    }
    assert columns <= set(rows[0])
    for key, text in sop().items():
        assert rows[0][f"REQUIREMENTS_ATTRIBUTES_{key.upper()}"] == text


@pytest.mark.parametrize("name", NAMES)
def test_a_frameworks_csv_has_a_row_for_each_requirement_of_each_finding(
    scan: Scan, name: str
) -> None:
    findings = Counter(row["CHECK_ID"] for row in scan.rows())
    assert Counter(row["REQUIREMENTS_ID"] for row in scan.rows(f"compliance/*_{name}.csv")) == {
        r["Id"]: sum(findings[check] for check in r["Checks"]) for r in requirements(name)
    }


@pytest.fixture(scope="module")
def with_neighbour(make_installation: MakeInstallation, wheel: Path) -> Installation:
    """An installation with another package that contributes frameworks to the same entry point."""
    made = make_installation("neighbour")
    made.install(str(wheel))
    package = made.packages / "neighbour_frameworks"
    package.mkdir()
    (package / "__init__.py").touch()
    other: dict[str, Any] = read(FOLDER / f"{SOP}.json")
    other = {**{k: v for k, v in other.items() if k[0].isupper()}, "Framework": "Neighbour"}
    (package / "neighbour_aws.json").write_text(json.dumps(other))
    info = made.packages / "neighbour_frameworks-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: neighbour-frameworks\nVersion: 1\n"
    )
    (info / "entry_points.txt").write_text("[prowler.compliance]\naws = neighbour_frameworks\n")
    return made


def listed(installation: Installation, *arguments: str) -> str:
    """Return what a list of Prowler prints, after making sure that it warns of nothing."""
    done = installation.run(
        "aws", *arguments, "--no-banner", "--no-color", "--log-level", "WARNING"
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def frameworks_of(listing: str) -> set[str]:
    return set(re.findall(r"^\s*- (\S+)$", listing, re.MULTILINE))


def test_ours_are_listed_and_none_of_prowlers_is_disturbed(
    plain: Installation, installed: Installation
) -> None:
    before = frameworks_of(listed(plain, "--list-compliance"))
    after = frameworks_of(listed(installed, "--list-compliance"))
    assert (before, after) == ({FRAMEWORK}, {FRAMEWORK, *NAMES})
    requirements = ["--list-compliance-requirements", FRAMEWORK]
    assert listed(plain, *requirements) == listed(installed, *requirements)


def test_ours_are_listed_beside_those_of_another_package(with_neighbour: Installation) -> None:
    after = frameworks_of(listed(with_neighbour, "--list-compliance"))
    assert after == {*NAMES, FRAMEWORK, "neighbour_aws"}


def test_the_list_of_requirements_reads_well(installed: Installation) -> None:
    text = listed(installed, "--list-compliance-requirements", *NAMES)
    assert "Listing SageMaker-Network-Isolation-SOP 1.0 AWS Compliance Requirements:" in text
    for path in FILES:
        for requirement in read(path)["Requirements"]:
            assert f"Requirement Id: {requirement['Id']}\n" in text
            assert f"- Description: {requirement['Description']}\n" in text
    for check in CHECKS:
        times = sum(check in r["Checks"] for name in NAMES for r in requirements(name))
        assert text.count(f"[aws] {check}") == times


def test_the_auditors_page_shows_what_the_files_have(wheel_scan: Scan) -> None:
    """The page's columns, and the shape of its evidence, down to each member."""
    page = (ROOT / "docs" / "auditor.md").read_text("utf-8")
    row = wheel_scan.findings()["eu-west-1", "public-ipv6"]
    table = page.partition("## The CSV")[2].partition("## ")[0]
    columns = re.findall(r"`([A-Z_]{5,})`", "".join(re.findall(r"^\| (.+?) \|", table, re.M)))
    assert len(columns) > 6
    assert set(columns) <= set(row)
    (finding,) = (f for f in wheel_scan.ocsf() if f["resources"][0]["name"] == "public-ipv6")
    shown = json.loads(page.partition("```json\n")[2].partition("```")[0])

    def shape(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: shape(member) for key, member in value.items()}
        return [shape(item) for item in value] if isinstance(value, list) else type(value)

    assert shape(shown) == shape(finding["resources"][0]["data"]["metadata"])
