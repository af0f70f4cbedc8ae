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


def files_of(prowler: Path, pattern: str) -> list[Path]:
    """Return files of Prowler's package."""
    return sorted(prowler.glob(f"lib/python*/site-packages/prowler/{pattern}"))


def test_no_name_leads_prowler_astray(prowler: Path) -> None:
    """By `name in file` the dashboard chooses the files of a page, where names of AWS's own
    frameworks are without their end (`load_csv_files` in dashboard/pages/compliance.py). By
    prefixes Prowler App chooses a CSV's writer, of which some want attributes that ours lack.
    """
    theirs = {path.stem for path in files_of(prowler, "compliance/**/*.json")}
    assert len(theirs) > 80
    theirs |= {t.removesuffix("_aws") for t in theirs if t.startswith("aws_")}
    (main_,) = files_of(prowler, "__main__.py")
    prefixes = set(re.findall(r'compliance_name\.startswith\("(\w+)"', main_.read_text("utf-8")))
    assert {"cis_", "iso27001_"} <= prefixes
    for name in NAMES:
        assert not {their for their in theirs if their in name or name in their}
        assert not name.startswith(tuple(prefixes))


@pytest.mark.parametrize("name", [name for name in NAMES if name != SOP])
def test_every_id_and_name_is_prowlers_own(prowler: Path, name: str) -> None:
    own = name.replace("_sagemaker_network_isolation", "").replace("iso_27001", "iso27001")
    (path,) = files_of(prowler, f"compliance/aws/{own}.json")
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
    frameworks = [read(path) for path in FILES]
    names = ["-".join(filter(None, (f["Framework"], f["Version"]))) for f in frameworks]
    ids = [[r["Id"] for r in f["Requirements"]] for f in frameworks]
    return dict(zip(names, ids, strict=True))


def test_every_finding_names_the_requirements_beside_the_built_ins(wheel_scan: Scan) -> None:
    ours = labels()
    assert {row["CHECK_ID"] for row in wheel_scan.rows()} == set(CHECKS)
    for row in wheel_scan.rows():
        named = dict(part.split(": ") for part in row["COMPLIANCE"].split(" | "))
        assert ours == {k: v.split(", ") for k, v in named.items() if k in ours}
        assert set(named) - set(ours) == (BUILT_INS if row["CHECK_ID"] == CHECK else set())
    for finding in wheel_scan.ocsf():
        assert ours.items() <= finding["unmapped"]["compliance"].items()


def test_isolation_alone_can_be_seen(installed: Installation, wheel_scan: Scan) -> None:
    """By the line of docs/compliance.md, to compare with Security Hub's SageMaker.5."""
    page = (ROOT / "docs" / "compliance.md").read_text("utf-8")
    (line,) = re.findall(r"^ {4}(jq .+)$", page, re.MULTILINE)
    done = installed.shell(line.replace("output/", ""), wheel_scan.output)
    printed = dict(row.split("\t") for row in done.stdout.splitlines())
    rows = wheel_scan.rows()
    assert set(printed) == {row["RESOURCE_UID"] for row in rows}
    assert {uid for uid, isolated in printed.items() if isolated == "false"} == {
        r["RESOURCE_UID"] for r in rows if "network isolation is disabled" in r["STATUS_EXTENDED"]
    }


def test_the_csv_has_a_column_for_each_cis_attribute(wheel_scan: Scan) -> None:
    (row, *_) = wheel_scan.rows(f"compliance/*_{SOP}.csv")
    ((attributes,),) = (requirement["Attributes"] for requirement in requirements(SOP))
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
    installed: Installation, tmp_path: Path
) -> None:
    """The other package contributes a framework to the same entry point."""
    package, info = tmp_path / "neighbour_frameworks", tmp_path / "neighbour_frameworks-1.dist-info"
    package.mkdir()
    (package / "__init__.py").touch()
    other = {key: value for key, value in read(FOLDER / f"{SOP}.json").items() if key[0].isupper()}
    (package / "neighbour_aws.json").write_text(json.dumps({**other, "Framework": "Neighbour"}))
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: neighbour-frameworks\n")
    (info / "entry_points.txt").write_text("[prowler.compliance]\naws = neighbour_frameworks\n")
    bulk = "prowler.lib.check.compliance_models.Compliance.get_bulk('aws')"
    code = f"import prowler.lib.check.compliance_models; print(*{bulk})"
    found, complaints = installed.python(code, PYTHONPATH=str(tmp_path))
    assert sorted(found.split()) == sorted([*NAMES, FRAMEWORK, "neighbour_aws"])
    assert complaints == ""


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
