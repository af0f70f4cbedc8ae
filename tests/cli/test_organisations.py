"""Many accounts in parallel: the script of docs/organisations.md, and the role that it assumes."""

import csv
import json
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Response

from ..embedded.account import EVERYWHERE, Region
from ..embedded.installation import CHECK, CHECKS, ROOT, Installation, access
from ..embedded.policy import NOT_TO_GRANT, granted, permission
from ..embedded.server import Answer, Call, EmbeddedAWS, on
from ..unit.test_report import empty

REGION = "ap-southeast-4"
ACCOUNTS = [f"2100000000{number:02}" for number in range(3)]
WITHOUT_MODELS, REFUSED = ACCOUNTS[-1], "210000000099"
PAGE = (ROOT / "docs" / "organisations.md").read_text("utf-8")
PACKAGE = "prowler_sagemaker_network_isolation"
SCRIPT = ROOT / "docs" / "organisations" / "scan-accounts.sh"
ROLE = "sagemaker-isolation-scan"  # the default of scan-role.yaml
Model = tuple[str, str]  # the account and the name


def role_arn(account: str) -> str:
    """Return the role of an account that the scans assume."""
    return f"arn:aws:iam::{account}:role/{ROLE}"


def region_of(aws: EmbeddedAWS, account: str) -> Region:
    """Return the region of an account, with the credentials of its role."""
    sts = aws.client("sts", REGION)
    answer = sts.assume_role(RoleArn=role_arn(account), RoleSessionName="build")["Credentials"]
    keys = ("aws_access_key_id", "AccessKeyId"), ("aws_secret_access_key", "SecretAccessKey")
    names = {**dict(keys), "aws_session_token": "SessionToken"}
    return Region(aws, REGION, {name: answer[key] for name, key in names.items()})


def environment(bin_folder: Path, home: Path) -> dict[str, str]:
    """Return the environment of the script, with the `prowler` of a folder, two at a time."""
    return {"PATH": f"{bin_folder}:/usr/bin:/bin", "HOME": str(home), "PARALLEL": "2"}


def not_trusted(_: Call, __: Answer) -> Response:
    """A fault of STS: the role does not trust who asks, or is not there."""
    error = (
        "<Error><Type>Sender</Type><Code>AccessDenied</Code><Message>not authorized to perform: "
        f"sts:AssumeRole on resource: {role_arn(REFUSED)}</Message></Error>"
    )
    xml = f"<ErrorResponse>{error}<RequestId>0</RequestId></ErrorResponse>"
    return Response(xml, 403, content_type="text/xml")


@pytest.fixture(scope="module")
def expected(aws: EmbeddedAWS) -> dict[Model, tuple[str, str]]:
    """The status of each model of each account, and the subnet that is in its account alone."""
    found = {(WITHOUT_MODELS, WITHOUT_MODELS): ("PASS", "")}
    for account in ACCOUNTS[:-1]:
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


@dataclass(frozen=True)
class Run:
    """One run of the script.

    Attributes:
        code: Its exit code.
        stdout: What it printed.
        stderr: What it printed there.
        output: The folder that it wrote.
        calls: The calls that the embedded AWS saw.
    """

    code: int
    stdout: str
    stderr: str
    output: Path
    calls: tuple[Call, ...] = ()

    def rows(self) -> list[dict[str, str]]:
        """Return the rows of all accounts' CSV files that are about models."""
        found: list[dict[str, str]] = []
        for path in self.output.glob("*/*.csv"):
            with path.open(encoding="utf-8", newline="") as lines:
                found += csv.DictReader(lines, delimiter=";")
        return [row for row in found if row["CHECK_ID"] == CHECK]

    def ocsf(self) -> list[dict[str, Any]]:
        """Return all accounts' OCSF findings that are about models."""
        texts = (path.read_text("utf-8") for path in self.output.glob("*/*.ocsf.json"))
        found = [finding for text in texts for finding in json.loads(text)]
        return [finding for finding in found if finding["metadata"]["event_code"] == CHECK]


def run_script(
    folder: Path,
    bin_folder: Path,
    accounts: list[str],
    variables: dict[str, str],
    timeout: float | None = None,
) -> Run:
    """Run the script on some accounts, two at a time unless told otherwise."""
    (folder / "accounts").write_text("\n".join(accounts))
    output = folder / "findings"
    done = subprocess.run(
        # What would keep findings from the report is not taken.
        [
            *(SCRIPT, folder / "accounts", ROLE, output, "--region", REGION, "--status", "PASS"),
            *("-M", "csv", "-F", "nightly", "-o", str(folder / "elsewhere")),
        ],
        env={**environment(bin_folder, folder), **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
    )
    return Run(done.returncode, done.stdout, done.stderr, output)


@pytest.fixture(scope="module")
def run(
    aws: EmbeddedAWS,
    expected: dict[Model, tuple[str, str]],
    installed: Installation,
    tmp_path_factory: pytest.TempPathFactory,
) -> Run:
    """The run through the real command line: three accounts, and one whose role is refused."""
    aws.calls.clear()
    folder = tmp_path_factory.mktemp("organisation")
    of_installed = {name: value for name, value in installed.variables().items() if name != "PATH"}
    variables = {**of_installed, **access(aws, "scanner")}
    with aws.failing(on("AssumeRole", RoleArn=role_arn(REFUSED))(not_trusted)):
        made = run_script(folder, installed.prowler.parent, [REFUSED, *ACCOUNTS], variables)
    return replace(made, calls=tuple(aws.calls))


def test_no_finding_is_lost_or_there_twice(
    run: Run, expected: dict[Model, tuple[str, str]]
) -> None:
    rows = Counter((row["ACCOUNT_UID"], row["RESOURCE_NAME"]) for row in run.rows())
    ocsf = Counter(
        (finding["cloud"]["account"]["uid"], finding["resources"][0]["name"])
        for finding in run.ocsf()
    )
    assert rows == ocsf == Counter(list(expected))


def test_no_finding_is_another_accounts(run: Run, expected: dict[Model, tuple[str, str]]) -> None:
    subnets = {subnet for _, subnet in expected.values()} - {""}
    for row in run.rows():
        account, name = row["ACCOUNT_UID"], row["RESOURCE_NAME"]
        status, subnet = expected[account, name]
        assert row["STATUS"] == status
        arn = f"arn:aws:sagemaker:{REGION}:{account}:model/{name}"
        assert row["RESOURCE_UID"] == (arn if subnet else f"arn:aws:iam::{account}:root")
        assert {s for s in subnets if s in row["STATUS_EXTENDED"]} == {subnet} - {""}
    for finding in run.ocsf():
        account, resource = finding["cloud"]["account"]["uid"], finding["resources"][0]
        _, subnet = expected[account, resource["name"]]
        assert resource["uid"].split(":")[4] == account
        assert {s for s in subnets if s in json.dumps(finding)} == {subnet} - {""}


def test_an_account_that_is_refused_is_named_with_its_reason(run: Run) -> None:
    assert run.code == 1
    assert run.stderr.count("Not scanned: ") == 1
    assert f"Not scanned: {REFUSED} (exit code 1): AWSAssumeRoleError" in run.stderr
    assert "An error occurred (AccessDenied) when calling the AssumeRole operation" in run.stderr
    assert run.stderr.endswith("1 of 4 accounts were not scanned.\n")
    assert (run.output / "not-scanned.txt").read_text() == f"{REFUSED}\n"
    # Two checks found nothing in any account, and that of models nothing in one.
    assert "2 FAIL, 0 MANUAL, 11 PASS, 0 muted\n" in run.stdout
    assert "Of 3 accounts, 2 have what fails, 0 what could not be judged, 1 neither" in run.stdout


def test_the_roles_need_the_policy_and_the_scanner_what_the_page_says(run: Run) -> None:
    by_scanner = {permission(call) for call in run.calls if call.access_key == "scanner"}
    by_roles = {permission(call) for call in run.calls if call.access_key != "scanner"}
    assert by_roles - NOT_TO_GRANT <= granted()
    (policy,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    (statement,) = json.loads(policy)["Statement"]
    assert by_scanner - NOT_TO_GRANT == {statement["Action"]}
    assert statement["Resource"] == role_arn("*")


# A command in the place of `prowler`, for what a scan of the real one cannot be made to do: it ends
# as the account's last digits say, and notes how many run at a time.
STAND_IN = """#!/bin/sh
cd "$(dirname "$0")"
: >"running.$$"
: >"begun.$$"
ls | grep -c '^running' >>counts
while [ "$(ls | grep -c '^begun')" -lt "$AT_LEAST" ]; do sleep 0.05; done
rm "running.$$"
while [ "$1" != --output-directory ]; do shift; done
id=$(basename "$2")
case "$id" in
  000000000001) echo "out of order"; exit 1 ;;
  000000000002) echo "Something went wrong in a check"; echo; echo "There are no findings"; exit ;;
  000000000009) kill -9 $$ ;;
  000000000010) kill -9 $PPID ;;
esac
cd "$OLDPWD" && mkdir -p "$2" && sed "s/ACCOUNT/$id/g" "$OLDPWD/found" >"$2/x.ocsf.json"
"""
SOUND = [f"{number:012}" for number in range(100, 112)]
BROKEN, SILENT, KILLED = "000000000001", "000000000002", "000000000009"
KILLED_WITH_ITS_SHELL = "000000000010"


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


@pytest.mark.parametrize(
    ("account", "said"),
    [
        (SOUND[1], ""),
        (BROKEN, "(exit code 1): out of order"),
        (SILENT, "(exit code 0, and no finding): Something went wrong in a check"),
        (KILLED, "(exit code 137): "),
    ],
)
def test_an_account_that_is_not_scanned_is_named(
    tmp_path: Path, stand_in: Path, account: str, said: str
) -> None:
    made = run_script(tmp_path, stand_in, [account, SOUND[0]], {"AT_LEAST": "1"})
    assert made.code == bool(said), made.stderr
    assert (made.output / "not-scanned.txt").read_text().split() == [account] * bool(said)
    assert f"Not scanned: {account} {said}" * bool(said) in made.stderr
    assert made.stderr.endswith(f"{len(said[:1])} of 2 accounts were not scanned.\n")


def test_accounts_that_are_not_begun_are_named(tmp_path: Path, stand_in: Path) -> None:
    accounts = [KILLED_WITH_ITS_SHELL, *SOUND]
    made = run_script(tmp_path, stand_in, accounts, {"AT_LEAST": "1", "PARALLEL": "1"})
    assert made.code == 1
    assert (made.output / "not-scanned.txt").read_text().split() == accounts
    assert f"Not scanned: {SOUND[0]} (exit code none): its scan was not begun" in made.stderr


def test_so_many_run_at_a_time_and_no_more(tmp_path: Path, stand_in: Path) -> None:
    # Fewer than three at a time would wait for each other for ever.
    made = run_script(tmp_path, stand_in, SOUND, {"AT_LEAST": "3", "PARALLEL": "3"}, timeout=300)
    assert made.code == 0, made.stderr
    counts = (stand_in / "counts").read_text().split()
    assert len(counts) == len(SOUND)
    assert max(map(int, counts)) <= 3


@pytest.mark.parametrize(
    ("accounts", "output", "parallel", "sentence"),
    [
        ("21000000001", "new", "2", "'21000000001' is not the id of an account."),
        ("\n\r\n", "new", "2", "accounts names no account."),
        ("", "new", "2", "accounts names no account."),
        (None, "new", "2", "accounts is not there, or cannot be read."),
        (Path, "new", "2", "accounts is a folder: name a file with an account's id a line."),
        (SOUND[0], "accounts", "2", "accounts must be a new folder, so that no earlier finding"),
        (SOUND[0], "no/new", "2", "no is not there: make the folder that no/new is to be in."),
        (SOUND[0], "new", "x", "PARALLEL is 'x', and must be a number from 1."),
        (SOUND[0], "new", "0", "PARALLEL is '0', and must be a number from 1."),
        (SOUND[0], "new", "2", "sagemaker-isolation is not there: install the plugin beside"),
    ],
)
def test_a_wrong_argument_ends_it_before_anything_is_done(
    tmp_path: Path,
    stand_in: Path,
    accounts: str | type[Path] | None,
    output: str,
    parallel: str,
    sentence: str,
) -> None:
    if isinstance(accounts, str):
        (tmp_path / "accounts").write_text(accounts)
    elif accounts:
        (tmp_path / "accounts").mkdir()
    if "install the plugin" in sentence:
        (stand_in / "sagemaker-isolation").unlink()
    done = subprocess.run(
        [SCRIPT, "accounts", ROLE, output],
        cwd=tmp_path,
        env={**environment(stand_in, tmp_path), "PARALLEL": parallel},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert f"scan-accounts.sh: {sentence}" in done.stderr
    assert not (stand_in / "counts").exists()
    assert not (tmp_path / "new").exists()


def test_ends_of_line_and_blank_lines_do_no_harm(tmp_path: Path, stand_in: Path) -> None:
    written = [f"{SOUND[0]}\r", "", " ", SOUND[1], SOUND[0]]
    made = run_script(tmp_path, stand_in, written, {"AT_LEAST": "1"})
    assert made.code == 0, made.stderr
    assert made.stderr.endswith("0 of 2 accounts were not scanned.\n")
