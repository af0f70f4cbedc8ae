"""Many accounts in parallel: the script of docs/organisations.md, and the role that it assumes."""

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from ..embedded.account import EVERYWHERE, Region
from ..embedded.installation import CHECK, CHECKS, ROOT, Installation, Scan, access
from ..embedded.policy import NOT_TO_GRANT, granted, permission
from ..embedded.server import EmbeddedAWS
from ..unit.test_report import empty

REGION = "ap-southeast-4"
ACCOUNTS = ("210000000000", "210000000001")
PAGE = (ROOT / "docs" / "organisations.md").read_text("utf-8")
PACKAGE = "prowler_sagemaker_network_isolation"
SCRIPT = ROOT / "docs" / "organisations" / "scan-accounts.sh"
ROLE = "sagemaker-isolation-scan"  # the default of scan-role.yaml
Model = tuple[str, str]  # the account and the name


def region_of(aws: EmbeddedAWS, account: str) -> Region:
    """Return the region of an account, with the credentials of its role."""
    role = {"RoleArn": f"arn:aws:iam::{account}:role/{ROLE}", "RoleSessionName": "build"}
    answer = aws.client("sts", REGION).assume_role(**role)["Credentials"]
    keys = ("aws_access_key_id", "AccessKeyId"), ("aws_secret_access_key", "SecretAccessKey")
    names = {**dict(keys), "aws_session_token": "SessionToken"}
    return Region(aws, REGION, {name: answer[key] for name, key in names.items()})


@pytest.fixture(scope="module")
def expected(aws: EmbeddedAWS) -> dict[Model, tuple[str, str]]:
    """The status of each model of each account, and the subnet that is in its account alone."""
    found: dict[Model, tuple[str, str]] = {}
    for account in ACCOUNTS:
        region = region_of(aws, account)
        vpc = region.vpc()
        subnet, closed = region.subnet(vpc), region.group(vpc)
        for name in (f"only-in-{account}", "in-all"):
            region.model(name, [subnet], [closed])
            found[account, name] = ("PASS", subnet)
        route = {"DestinationCidrBlock": EVERYWHERE, "GatewayId": region.internet_gateway(vpc)}
        public = region.subnet(vpc, region.table(vpc, route))
        region.model("public", [public], [closed])
        found[account, "public"] = ("FAIL", public)
    return found


def run_script(folder: Path, bin_folder: Path, accounts: list[str], **variables: str) -> Scan:
    """Run the script on some accounts with the `prowler` of a folder, two at a time by default."""
    (folder / "accounts").write_text("\n".join(accounts))
    output = folder / "findings"
    # What would keep findings from the report is not taken.
    options = ("--region", REGION, "--status", "PASS", "-M", "csv", "-F", "nightly")
    done = subprocess.run(
        [SCRIPT, folder / "accounts", ROLE, output, *options, "-o", folder / "elsewhere"],
        env={"PATH": f"{bin_folder}:/usr/bin:/bin", "HOME": str(folder), **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    return Scan(done.returncode, done.stdout, done.stderr, output)


@pytest.fixture(scope="module")
def run(
    aws: EmbeddedAWS,
    expected: dict[Model, tuple[str, str]],
    installed: Installation,
    tmp_path_factory: pytest.TempPathFactory,
) -> Scan:
    """The run through the real command line, of both accounts at once."""
    aws.calls.clear()
    folder = tmp_path_factory.mktemp("organisation")
    made = run_script(folder, installed.bin, list(ACCOUNTS), **access(aws, "scanner"))
    made.calls = tuple(aws.calls)
    return made


def test_no_finding_is_lost_or_there_twice_or_another_accounts(
    run: Scan, expected: dict[Model, tuple[str, str]]
) -> None:
    rows = [row for row in run.rows("*/*.csv") if row["CHECK_ID"] == CHECK]
    ocsf = [f for f in run.ocsf("*/*.ocsf.json") if f["metadata"]["event_code"] == CHECK]
    found = [
        (row["ACCOUNT_UID"], row["RESOURCE_NAME"], row["RESOURCE_UID"], str(row)) for row in rows
    ]
    for finding in ocsf:
        (resource,) = finding["resources"]
        uid = finding["cloud"]["account"]["uid"]
        found.append((uid, resource["name"], resource["uid"], json.dumps(finding)))
    assert Counter(key[:2] for key in found) == Counter([*expected, *expected])
    subnets = {subnet for _, subnet in expected.values()}
    for account, name, arn, text in found:
        assert arn == f"arn:aws:sagemaker:{REGION}:{account}:model/{name}"
        assert {subnet for subnet in subnets if subnet in text} == {expected[account, name][1]}
    assert {(row["ACCOUNT_UID"], row["RESOURCE_NAME"]): row["STATUS"] for row in rows} == {
        key: status for key, (status, _) in expected.items()
    }
    # Two checks found nothing in either account.
    assert run.code == 3, run.stderr
    assert "2 FAIL, 0 MANUAL, 8 PASS, 0 muted\n" in run.stdout
    assert "Of 2 accounts, 2 have what fails, 0 what could not be judged, 0 neither" in run.stdout


def test_the_roles_need_the_policy_and_the_scanner_what_the_page_says(run: Scan) -> None:
    by_scanner = {permission(call) for call in run.calls if call.access_key == "scanner"}
    by_roles = {permission(call) for call in run.calls if call.access_key != "scanner"}
    assert by_roles - NOT_TO_GRANT <= granted()
    (policy,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    (statement,) = json.loads(policy)["Statement"]
    assert by_scanner - NOT_TO_GRANT == {statement["Action"]}
    assert statement["Resource"] == f"arn:aws:iam::*:role/{ROLE}"


# A command in the place of `prowler`, for what a scan of the real one cannot be made to do: it is
# killed as the account's last digits say.
STAND_IN = """#!/bin/sh
while [ "$1" != --output-directory ]; do shift; done
id=$(basename "$2")
case "$id" in
  000000000009) kill -9 $$ ;;
  000000000010) kill -9 $PPID ;;
esac
mkdir -p "$2" && sed "s/ACCOUNT/$id/g" "$(dirname "$0")/found" >"$2/x.ocsf.json"
"""
KILLED, KILLED_WITH_ITS_SHELL = "000000000009", "000000000010"
SOUND = ["000000000100", "000000000101"]


@pytest.fixture
def stand_in(tmp_path: Path) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    report = f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m {PACKAGE} "$@"\n'
    for name, script in {"prowler": STAND_IN, "sagemaker-isolation": report}.items():
        (folder / name).write_text(script)
        (folder / name).chmod(0o755)
    (folder / "found").write_text(json.dumps([empty("ACCOUNT", check=check) for check in CHECKS]))
    return folder


def test_accounts_that_are_not_scanned_to_the_end_or_not_begun_are_named(
    tmp_path: Path, stand_in: Path
) -> None:
    accounts = [KILLED, KILLED_WITH_ITS_SHELL, *SOUND]
    made = run_script(tmp_path, stand_in, ["000000000001", *accounts], PARALLEL="1")
    assert made.code == 1
    assert (made.output / "not-scanned.txt").read_text().split() == accounts
    assert f"Not scanned: {KILLED} (exit code 137): " in made.stderr
    assert f"Not scanned: {SOUND[0]} (exit code none): its scan was not begun" in made.stderr
    assert made.stderr.endswith("4 of 5 accounts were not scanned.\n")


@pytest.mark.parametrize(
    ("accounts", "output", "parallel", "sentence"),
    [
        ("21000000001", "new", "2", "'21000000001' is not the id of an account."),
        ("\n\r\n", "new", "2", "accounts names no account."),
        (None, "new", "2", "accounts is not there, or cannot be read."),
        (SOUND[0], "accounts", "2", "accounts must be a new folder, so that no earlier finding"),
        (SOUND[0], "no/new", "2", "no is not there: make the folder that no/new is to be in."),
        (SOUND[0], "new", "0", "PARALLEL is '0', and must be a number from 1."),
        (SOUND[0], "new", "2", "sagemaker-isolation is not there: install the plugin beside"),
    ],
)
def test_a_wrong_argument_ends_it_before_anything_is_done(
    tmp_path: Path,
    stand_in: Path,
    accounts: str | None,
    output: str,
    parallel: str,
    sentence: str,
) -> None:
    if accounts is not None:
        (tmp_path / "accounts").write_text(accounts)
    if "install the plugin" in sentence:
        (stand_in / "sagemaker-isolation").unlink()
    done = subprocess.run(
        [SCRIPT, "accounts", ROLE, output],
        cwd=tmp_path,
        env={"PATH": f"{stand_in}:/usr/bin:/bin", "PARALLEL": parallel},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert f"scan-accounts.sh: {sentence}" in done.stderr
    assert not (tmp_path / "new").exists()
