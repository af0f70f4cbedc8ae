"""docs/mutelist.yaml: what it mutes, what it leaves alone, and what becomes of a muted finding."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prowler.lib.mutelist.mutelist import Mutelist

from prowler_sagemaker_network_isolation.cli.main import main

from ..embedded import account
from ..embedded.installation import CHECK, FAILED, ROOT, Installation, Scan
from ..embedded.server import EmbeddedAWS

MUTELIST = ROOT / "docs" / "mutelist.yaml"
HERE, ELSEWHERE = "mx-central-1", "ca-west-1"
TAG = "network-isolation-exception"
MUTED: dict[str, dict[str, str]] = {
    "serverless": {"team": "risk", TAG: "serverless", "zone": "b"},
    "approved": {TAG: "2026-q4", "network-isolation-ticket": "RISK-12"},
    "approved-for-longer": {TAG: "2027-q1"},
    "fraud-score-marketplace": {},
}
NOT_MUTED: dict[str, dict[str, str]] = {
    "unlisted": {"team": "risk"},
    "approved-too-long-ago": {TAG: "2026-q3"},
    "the-value-goes-on": {TAG: "serverless-soon"},
    "another-key": {f"no-{TAG}": "serverless"},
    "another-keys-value": {"note": f"as {TAG}=serverless"},
    "fraud-score-marketplace-2": {},
}


@pytest.fixture(scope="module")
def models(aws: EmbeddedAWS) -> set[tuple[str, str]]:
    """Models without a VPC configuration; all but one in the region of the exceptions."""
    for name, tags in {**MUTED, **NOT_MUTED}.items():
        account.Region(aws, HERE).model(name, None, tags=tags)
    account.Region(aws, ELSEWHERE).model("fraud-score-marketplace", None)
    return {(HERE, name) for name in MUTED}


@pytest.fixture(scope="module")
def scan(
    aws: EmbeddedAWS,
    installed: Installation,
    models: set[tuple[str, str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Scan:
    """A scan of all of them."""
    return installed.scan(
        *(aws, tmp_path_factory.mktemp("exceptions"), "--checks", CHECK),
        *("--region", HERE, ELSEWHERE, "--mutelist-file", MUTELIST),
    )


def entries() -> list[dict[str, Any]]:
    """Return the exceptions of the mutelist."""
    mutelist = yaml.safe_load(MUTELIST.read_text("utf-8"))["Mutelist"]
    return [entry for of in mutelist["Accounts"].values() for entry in of["Checks"].values()]


def test_prowler_accepts_the_mutelist() -> None:
    mutelist = yaml.safe_load(MUTELIST.read_text("utf-8"))["Mutelist"]
    Mutelist.validate_mutelist(mutelist, raise_on_exception=True)


def test_every_exception_says_why_and_how_it_ends() -> None:
    assert len(entries()) == 3
    for entry in entries():
        why, _, end = entry["Description"].partition(" Ends: ")
        assert why
        assert end


def test_no_exception_is_for_whatever_there_is() -> None:
    for entry in entries():
        assert entry.get("Tags") or "*" not in entry["Resources"]


PAGE = (ROOT / "docs" / "exceptions.md").read_text("utf-8")
# What the page says of names: the item, the name, and whether it is muted.
ITEMS = [
    ("fraud-score", "no-fraud-score-2", True),
    ("^fraud-score$", "no-fraud-score-2", False),
    ("^fraud-score[0-9]*$", "fraud-score7x", True),
    ("^fraud-score[0-9]*$", "fraud-score", False),
    ("^fraud-score[0-9]+$", "fraud-score7", True),
    ("^fraud-score[0-9]+$", "fraud-score7x", False),
    ("^fraud-score[0-9]{0,}$", "fraud-score", True),
    ("^fraud-score[0-9]?$", "fraud-score", True),
    ("*", "fraud-score", True),
]


@pytest.mark.parametrize(("item", "name", "muted"), ITEMS)
def test_prowler_reads_an_item_as_the_page_says(item: str, name: str, muted: bool) -> None:
    assert Mutelist.is_item_matched([item], name) is muted


def test_the_page_says_what_these_items_show() -> None:
    for words in ("`^fraud-score[0-9]*$` mutes `fraud-score7x`", "`+`, `?` or `{0,}`"):
        assert words in PAGE


@pytest.mark.parametrize(("today", "ended"), [("2026-12-31", []), ("2027-01-01", ["2026-12-31"])])
def test_exceptions_that_have_ended_are_listed(
    tmp_path: Path, today: str, ended: list[str]
) -> None:
    """By the lines of the page, which the recipe has too, on the page's mutelist."""
    recipe = yaml.safe_load((ROOT / "docs" / "ci" / "github.yml").read_text("utf-8"))
    steps = recipe["jobs"]["scan"]["steps"]
    (line,) = (step["run"] for step in steps if "hashFiles('mutelist" in str(step))
    assert " ".join(line.split()) in " ".join(PAGE.split())
    shutil.copy(MUTELIST, tmp_path)
    command = line.replace("$(date +%F)", today)
    done = subprocess.run(
        ["/bin/bash", "-e", "-c", command],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, re.findall(r"Ends: ([\d-]+)", done.stdout)) == (bool(ended), ended)


def test_what_is_listed_is_muted_and_nothing_else(scan: Scan, models: set[tuple[str, str]]) -> None:
    found = scan.findings()
    assert len(found) == len(MUTED) + len(NOT_MUTED) + 1
    assert {row["STATUS"] for row in found.values()} == {"FAIL"}
    assert {key for key, row in found.items() if row["MUTED"] == "True"} == models


def test_one_model_that_is_not_muted_fails_the_run(scan: Scan) -> None:
    assert scan.code == FAILED


def test_the_outputs_tell_a_muted_finding(scan: Scan, models: set[tuple[str, str]]) -> None:
    ocsf = {
        (finding["resources"][0]["region"], finding["resources"][0]["name"])
        for finding in scan.ocsf()
        if finding["status"] == "Suppressed"
    }
    assert ocsf == models


def test_a_muted_finding_is_no_alert_of_code_scanning(
    scan: Scan, models: set[tuple[str, str]]
) -> None:
    assert main(["report", str(scan.output), "--sarif", f"{scan.output}/prowler.sarif"]) == FAILED
    (run,) = json.loads(scan.file("prowler.sarif").read_text("utf-8"))["runs"]
    alerts = {result["partialFingerprints"]["primaryLocationLineHash"] for result in run["results"]}
    assert alerts == {
        row["RESOURCE_UID"] for key, row in scan.findings().items() if key not in models
    }


def test_where_every_failure_is_muted_the_run_succeeds(
    aws: EmbeddedAWS,
    installed: Installation,
    models: set[tuple[str, str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    arns = [f"arn:aws:sagemaker:{HERE}:{account.ACCOUNT}:model/{name}" for name in MUTED]
    output = tmp_path_factory.mktemp("all-muted")
    formats = ("--output-formats", "csv", "json-asff")
    scan = installed.scan(
        aws,
        output,
        "--resource-arn",
        *arns,
        "--mutelist-file",
        MUTELIST,
        *formats,
        "--checks",
        CHECK,
    )
    assert set(scan.findings()) == models
    assert {row["STATUS"] for row in scan.findings().values()} == {"FAIL"}
    assert scan.code == 0
    asff = json.loads(scan.file("*.asff.json").read_text("utf-8"))
    assert {finding["Compliance"]["Status"] for finding in asff} == {"WARNING"}
