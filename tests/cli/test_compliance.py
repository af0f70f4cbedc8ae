"""The frameworks: valid in both of Prowler's formats, true to Prowler's ids, and seen in a scan."""

import json
import re
import subprocess
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
from ..embedded.installation import CHECK, CHECKS, FRAMEWORK, ROOT, Installation, Scan
from ..tools.frameworks import FOLDER, SOP, read, with_universal_format

FILES = sorted(FOLDER.glob("*.json"))
NAMES = [path.stem for path in FILES]
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
    (main_,) = prowler.glob("lib/python*/site-packages/prowler/__main__.py")
    prefixes = set(re.findall(r'compliance_name\.startswith\("(\w+)"', main_.read_text("utf-8")))
    assert {"cis_", "iso27001_"} <= prefixes
    assert not {name for name in NAMES if name.startswith(tuple(prefixes))}


@pytest.mark.parametrize("name", [name for name in NAMES if name != SOP])
def test_every_id_and_name_is_prowlers_own(prowler: Path, name: str) -> None:
    own = name.replace("_sagemaker_network_isolation", "").replace("iso_27001", "iso27001")
    (path,) = prowler.glob(f"lib/python*/site-packages/prowler/compliance/aws/{own}.json")
    theirs = {r["Id"]: r for r in json.loads(path.read_text("utf-8"))["Requirements"]}
    for requirement in requirements(name):
        their = theirs[requirement["Id"]]
        # Prowler's PCI DSS names every requirement after the service; its section has the number.
        if "pci" in name:
            number = their["Attributes"][0]["Section"].partition(":")[0]
            assert requirement["Name"].startswith(f"{number}: ")
        else:
            assert requirement["Name"] == their["Name"]
        if requirement["Attributes"][0]["Comment"].startswith("Follows Prowler's mapping"):
            assert any(check.startswith("sagemaker_") for check in their["Checks"])


def requirements(name: str) -> list[dict[str, Any]]:
    """Return the requirements of a framework."""
    found: list[dict[str, Any]] = read(FOLDER / f"{name}.json")["Requirements"]
    return found


def labels() -> dict[str, list[str]]:
    """Return what a finding's compliance must hold of ours: the ids by the framework's label."""
    frameworks = {name: read(FOLDER / f"{name}.json") for name in NAMES}
    return {
        "-".join(filter(None, (framework["Framework"], framework["Version"]))): [
            r["Id"] for r in framework["Requirements"]
        ]
        for framework in frameworks.values()
    }


def test_the_frameworks_run_the_plugins_checks_and_no_others(wheel_scan: Scan) -> None:
    assert {row["CHECK_ID"] for row in wheel_scan.rows()} == set(CHECKS)


def test_every_finding_names_the_requirements_beside_the_built_ins(wheel_scan: Scan) -> None:
    ours = labels()
    for row in wheel_scan.rows():
        named = dict(part.split(": ") for part in row["COMPLIANCE"].split(" | "))
        assert ours == {k: v.split(", ") for k, v in named.items() if k in ours}
        assert set(named) - set(ours) == (BUILT_INS if row["CHECK_ID"] == CHECK else set())
    for finding in wheel_scan.ocsf():
        assert ours.items() <= finding["unmapped"]["compliance"].items()


def test_isolation_alone_can_be_seen(wheel_scan: Scan) -> None:
    """By the line of docs/compliance.md, to compare with Security Hub's SageMaker.5."""
    page = (ROOT / "docs" / "compliance.md").read_text("utf-8")
    (line,) = re.findall(r"^ {4}(jq .+)$", page, re.MULTILINE)
    line = line.replace("output/", f"{wheel_scan.output}/")
    done = subprocess.run(["/bin/bash", "-c", line], capture_output=True, text=True, check=True)
    printed = dict(row.split("\t") for row in done.stdout.splitlines())
    rows = wheel_scan.rows()
    assert set(printed) == {row["RESOURCE_UID"] for row in rows}
    assert {uid for uid, isolated in printed.items() if isolated == "false"} == {
        r["RESOURCE_UID"] for r in rows if "network isolation is disabled" in r["STATUS_EXTENDED"]
    }


def test_the_terminal_shows_a_table_for_each_framework(wheel_scan: Scan) -> None:
    printed = re.sub(r"\x1b\[[0-9;]*m", "", wheel_scan.stdout)
    for name in NAMES:
        table = printed.split(f"Framework {name.upper()} Results:")[1]
        assert re.search(r"│ AWS +│ [^│]+ │ FAIL\(\d+\) +│", table)


def test_the_csv_has_a_column_for_each_cis_attribute(wheel_scan: Scan) -> None:
    (row, *_) = wheel_scan.rows(f"compliance/*_{SOP}.csv")
    attributes = requirements(SOP)[0]["Attributes"][0]
    assert set(attributes) >= set(CIS_Requirement_Attribute.__fields__) - {"SubSection"}
    for key, text in attributes.items():
        assert row[f"REQUIREMENTS_ATTRIBUTES_{key.upper()}"] == text


@pytest.mark.parametrize("name", NAMES)
def test_a_frameworks_csv_has_a_row_for_each_requirement_of_each_finding(
    wheel_scan: Scan, name: str
) -> None:
    rows = Counter(row["REQUIREMENTS_ID"] for row in wheel_scan.rows(f"compliance/*_{name}.csv"))
    assert rows == {r["Id"]: len(wheel_scan.rows()) for r in requirements(name)}


def test_ours_are_listed_beside_prowlers_and_those_of_another_package(
    make_installation: MakeInstallation, wheel: Path
) -> None:
    """The other package contributes a framework to the same entry point."""
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
    (printed,) = made.lists("--list-compliance --log-level WARNING").values()
    after = re.findall(r"^\s*- (\S+)$", printed, re.MULTILINE)
    assert sorted(after) == sorted([*NAMES, FRAMEWORK, "neighbour_aws"])


def test_the_list_of_requirements_reads_well_and_prowlers_own_are_as_they_were(
    plain: Installation, installed: Installation
) -> None:
    option = f"--list-compliance-requirements {FRAMEWORK}"
    (before,) = plain.lists(option).values()
    (text,) = installed.lists(f"{option} {' '.join(NAMES)} --log-level WARNING").values()
    assert before.strip() in text
    for requirement in (r for name in NAMES for r in requirements(name)):
        assert f"Requirement Id: {requirement['Id']}\n" in text
        assert f"- Description: {requirement['Description']}\n" in text
    ours = text.replace(before.strip(), "")
    for check in CHECKS:
        assert ours.count(f"[aws] {check}") == sum(len(requirements(name)) for name in NAMES)


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
