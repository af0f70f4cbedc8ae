"""One scan for what Prowler's options do to our findings, and docs/mutelist.yaml, which it takes.

It is also of more models than ListModels gives in a page.
"""

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml

from prowler_sagemaker_network_isolation.cli.main import main

from ..embedded.account import Region
from ..embedded.installation import CHECK, FAILED, ROOT, Installation, Scan
from ..embedded.server import EmbeddedAWS

MUTELIST = ROOT / "docs" / "mutelist.yaml"
HERE, ELSEWHERE = "mx-central-1", "ca-west-1"
TAG = "network-isolation-exception"
STRICT = "sagemaker_models_fail_on_unrestricted_egress"
BROADEST = "sagemaker_models_broadest_ipv4_source"
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
def chatty(aws: EmbeddedAWS) -> str:
    """The security group of the one model that fails by a setting."""
    region = Region(aws, HERE)
    vpc = region.vpc()
    subnet, closed, chatty = region.subnet(vpc), region.group(vpc), region.group(vpc, egress=True)
    region.model("chatty", [subnet], [chatty])  # the oldest, which is listed last
    for number in range(95):
        region.model(f"quiet-{number}", [subnet], [closed])
    for name, tags in {**MUTED, **NOT_MUTED}.items():
        region.model(name, tags=tags)
    Region(aws, ELSEWHERE).model("fraud-score-marketplace")
    return chatty


@pytest.fixture(scope="module")
def scan(
    aws: EmbeddedAWS, installed: Installation, chatty: str, tmp_path_factory: pytest.TempPathFactory
) -> Scan:
    folder = tmp_path_factory.mktemp("exceptions")
    config = folder / "config.yaml"
    config.write_text(f'aws:\n  {STRICT}: true\n  {BROADEST}: "24"\n')
    return installed.scan(
        *(aws, folder / "output", "--checks", CHECK, "--region", HERE, ELSEWHERE),
        *("--config-file", config, "--mutelist-file", MUTELIST),
        *("--status", "FAIL", "--ignore-exit-code-3"),
    )


def test_every_model_that_fails_has_its_finding_and_what_is_listed_is_muted(
    scan: Scan, chatty: str
) -> None:
    found = scan.findings()
    assert {key: (row["STATUS"], row["MUTED"] == "True") for key, row in found.items()} == {
        **{(HERE, name): ("FAIL", name in MUTED) for name in ("chatty", *MUTED, *NOT_MUTED)},
        (ELSEWHERE, "fraud-score-marketplace"): ("FAIL", False),
    }
    reason = found[HERE, "chatty"]["STATUS_EXTENDED"]
    assert f"chatty fails: security group {chatty} allows egress of all traffic" in reason
    assert scan.stderr.count(f"prowler.config[aws.{BROADEST}] must be") == 1
    assert scan.code == 0
    assert {f["resources"][0]["name"] for f in scan.ocsf() if f["status"] == "Suppressed"} == (
        MUTED.keys()
    )


def test_a_muted_finding_is_no_alert_and_status_keeps_findings_out(
    scan: Scan, capsys: pytest.CaptureFixture[str]
) -> None:
    sarif = scan.output / "prowler.sarif"
    assert main(["report", str(scan.file("*.ocsf.json")), "--sarif", str(sarif)]) == FAILED
    (run,) = json.loads(sarif.read_text("utf-8"))["runs"]
    alerts = {result["partialFingerprints"]["primaryLocationLineHash"] for result in run["results"]}
    assert alerts == {row["RESOURCE_UID"] for row in scan.rows() if row["MUTED"] == "False"}
    assert main(["report", str(scan.output)]) == 1
    said = "is of a scan with --status FAIL, which keeps findings out"
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(("today", "ended"), [("2026-12-31", []), ("2027-01-01", ["2026-12-31"])])
def test_exceptions_that_have_ended_are_listed(
    installed: Installation, tmp_path: Path, today: str, ended: list[str]
) -> None:
    """By the lines of the page, which the recipe has too, on the page's mutelist."""
    recipe = yaml.safe_load((ROOT / "docs" / "ci" / "github.yml").read_text("utf-8"))
    steps = recipe["jobs"]["scan"]["steps"]
    (line,) = (step["run"] for step in steps if "hashFiles('mutelist" in str(step))
    page = (ROOT / "docs" / "exceptions.md").read_text("utf-8")
    assert " ".join(line.split()) in " ".join(page.split())
    shutil.copy(MUTELIST, tmp_path)
    done = installed.shell(line.replace("$(date +%F)", today), tmp_path)
    assert (done.returncode, re.findall(r"Ends: ([\d-]+)", done.stdout)) == (bool(ended), ended)
