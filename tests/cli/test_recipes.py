"""The recipes in docs: run as they stand against the embedded account, and on nights of all kinds.

What a CI system does around the recipes' own commands is done here by hand: steps in their order,
after a failure only those with an `if`. Prowler's image is tests/embedded/docker.py. What a recipe
makes of a night is tried with what the real Prowler wrote and printed on such a night.
"""

import json
import re
import shlex
import shutil
import sys
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import pytest
import yaml
from botocore.validate import ParamValidator

from ..conftest import MakeInstallation
from ..embedded import account, docker
from ..embedded.account import Expected
from ..embedded.installation import (
    CHECKS,
    CONFIG_CHECK,
    FAILED,
    ROOT,
    Installation,
    Scan,
    access,
    copy_sources,
    digest,
    offline_pip,
    verdicts,
)
from ..embedded.server import EmbeddedAWS, change_text, error, on

RECIPES = ROOT / "docs" / "ci"
SCRIPT = ROOT / "docs" / "organisations" / "scan-accounts.sh"
ORGANISATIONS = ROOT / "docs" / "organisations.md"  # AWS Batch's command is on it
SINGLE = ("github.yml", "gitlab.yml", "container.sh")
# pip would look through the 200 packages that Prowler needs, which are there.
PIP = {**offline_pip(), "PIP_NO_DEPS": "1"}


def read(name: str) -> dict[Any, Any]:
    """Return a recipe in YAML."""
    recipe: dict[Any, Any] = yaml.safe_load((RECIPES / name).read_text("utf-8"))
    return recipe


def steps_of_github() -> list[dict[str, Any]]:
    (job,) = read("github.yml")["jobs"].values()
    steps: list[dict[str, Any]] = job["steps"]
    return steps


def scripts_of(recipe: str) -> list[tuple[str, str]]:
    """Return a recipe's scripts, of which the first installs the plugin.

    Returns:
        Each with the file for which it runs, even if a script before it has failed; else "".
    """
    if recipe == "github.yml":
        steps = [(step["run"], step.get("if", "")) for step in steps_of_github() if "run" in step]
        return [(run, "".join(re.findall(r"hashFiles\('(.+?)'\)", cond))) for run, cond in steps]
    if recipe == "gitlab.yml":
        (job,) = read(recipe).values()
        return [("\n".join(job[part]), "") for part in ("before_script", "script")]
    if recipe == "container.sh":
        install, scan = (RECIPES / recipe).read_text("utf-8").split("output=", 1)
        return [(install, ""), (f"output={scan}", "")]
    if recipe == SCRIPT.name:
        return [("", ""), (f"{SCRIPT} accounts a-role findings", "")]
    (script,) = re.findall(r"\n\n((?: {4}.+\n)*.*\[ \$\? = 3 \]\n)", ORGANISATIONS.read_text())
    return [("", ""), (re.sub("[<>]", "", script), "")]


def scan_of(recipe: str) -> list[str]:
    """Return the words of a recipe's scan after `aws`, but for the folder of the outputs."""
    text = "\n".join(script for script, _ in scripts_of(recipe)).replace("\\\n", "")
    (words,) = re.findall(r"(?:^prowler|prowlercloud/prowler:\S+) +aws (.+)$", text, re.M)
    return shlex.split(words.replace("--output-directory output", ""))


def run_recipe(
    recipe: str,
    at: Installation,
    workspace: Path,
    variables: dict[str, str],
    installs: bool = True,
) -> Scan:
    """Run a recipe's scripts, where an installation's commands are; other people's actions are not.

    Args:
        workspace: The folder to run in.
        variables: The environment variables.
        installs: Whether to run the script that installs the plugin.

    Returns:
        The exit code of the first script that failed, all that was printed, and the workspace.
    """
    install, *scripts = scripts_of(recipe)
    job = Scan(0, "", "", workspace)
    for script, file in [install] * installs + scripts:
        if not (workspace / file).exists() if file else job.code:
            continue
        of_pip = PIP if script == install[0] else {}
        done = at.shell(script, workspace, **{**variables, **of_pip})
        job.stdout += done.stdout + done.stderr
        job.code = job.code or done.returncode
    return job


def scan_by(job: Scan) -> Scan:
    """Return the scan that a recipe has made."""
    name = f"prowler-output-{'?' * 12}-{'?' * 14}.ocsf.json"  # and no framework's
    (ocsf,) = job.output.glob(f"output/**/{name}")
    return replace(job, output=ocsf.parent)


def make_command(path: Path, line: str) -> None:
    """Make a command of one line for the shell."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)


def stand_in(folder: Path, output: Path, printed: str, code: int) -> Path:
    """Make a `prowler` that does what the real one has done, and return the folder it is in.

    Args:
        folder: A folder to make it in.
        output: The folder that the real one wrote to.
        printed: What it printed.
        code: What it ended with.
    """
    (folder / "printed").write_text(printed)
    line = f"""to=output
while [ $# -gt 0 ]; do [ "$1" != --output-directory ] || to=$2; shift; done
mkdir -p "$to"
[ ! -d "{output}" ] || cp -R "{output}/." "$to"
cat "{folder}/printed"
exit {code}"""
    make_command(folder / "bin" / "prowler", line)
    make_command(folder / "bin" / "docker", f'exec "{sys.executable}" "{docker.__file__}" "$@"')
    make_command(folder / "bin" / "aws", "exit 0")  # an upload
    return folder / "bin"


@pytest.fixture(scope="module")
def jobs(
    make_installation: MakeInstallation,
    plain: Installation,
    aws: EmbeddedAWS,
    everything: Expected,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Scan]:
    """Recipes for one account, run as they stand against the embedded account.

    GitHub's installs and scans by GitLab's words; what else it does is tried on nights.
    """
    folder = tmp_path_factory.mktemp("recipes")
    source, by_container, by_gitlab = (folder / name for name in ("source", "a", "b"))
    copy_sources(source)
    sources = digest(source)
    by_container.mkdir()
    by_gitlab.mkdir()
    environment = {**access(aws), "AWS_SESSION_TOKEN": "token", "PLUGIN": str(source)}

    # Beside the container there is no Prowler.
    commands = stand_in(folder, folder, "", 0)
    python = next(Path(sys.base_prefix, "bin").glob("python3"))
    make_command(commands / "python3", f'exec "{python}" "$@"')
    of_docker = {"IMAGE": str(plain.prowler), "ROOT": str(folder / "root"), **environment}
    of_docker["PATH"] = f"{commands}:/usr/bin:/bin"

    # GitLab's job has a token of GitLab's in the place of keys, and assumes the role.
    kept = {k: value for k, value in environment.items() if not re.search("_KEY|TOKEN", k)}
    (job,) = read("gitlab.yml").values()
    of_gitlab = {**job["variables"], **kept, "AWS_ID_TOKEN": "a token"}
    of_gitlab["AWS_WEB_IDENTITY_TOKEN_FILE"] = str(by_gitlab / "token")
    role = of_gitlab["AWS_ROLE_ARN"].replace("111122223333", account.ACCOUNT)
    of_gitlab["AWS_ROLE_ARN"] = role

    enabled = "".join(
        f"<item><regionName>{region}</regionName></item>" for region in account.REGIONS
    )
    edit = (r"(?s)(<regionInfo>).*(</regionInfo>)", rf"\1{enabled}\2")
    with aws.failing(on("DescribeRegions")(change_text(edit))):  # each takes time
        container = run_recipe("container.sh", plain, by_container, of_docker)
        gitlab = run_recipe("gitlab.yml", make_installation("gitlab"), by_gitlab, of_gitlab)
    assert digest(source) == sources  # what a build left there would come into the next one
    return {"container.sh": container, "gitlab.yml": gitlab}


def test_the_recipes_scan_alike_and_are_on_the_page() -> None:
    page = (ROOT / "docs" / "ci.md").read_text("utf-8")
    policy = (ROOT / "docs" / "organisations" / "ci-trust-policy.json").read_text("utf-8")
    pinned: set[str] = set()
    for name in SINGLE:
        recipe = (RECIPES / name).read_text("utf-8")
        pinned |= set(re.findall(r"(?:prowler==|prowlercloud/prowler:)([\d.]+)", recipe))
        assert f"(ci/{name})" in page
        for number, role in re.findall(r"arn:aws:iam::(\d+):role/(\S+)", recipe):
            assert f"arn:aws:iam::{number}:oidc-provider/" in policy
            assert f"create-role --role-name {role} " in page
        (judged,) = re.findall(r" report .*--checks([\s\\\w]+)", recipe)
        assert set(CHECKS) <= set(judged.split())
        assert scan_of(name) == scan_of("gitlab.yml")
    assert scripts_of("gitlab.yml")[0][0].endswith(scripts_of("github.yml")[0][0])
    assert {path.name for path in RECIPES.iterdir()} == set(SINGLE)
    assert len(pinned) == 1


def test_the_jobs_have_what_they_need_and_no_more() -> None:
    recipe = read("github.yml")
    assert recipe["permissions"] == {}
    assert recipe["concurrency"]
    (job,) = recipe["jobs"].values()
    reads = dict.fromkeys(("actions", "contents"), "read")
    assert job["permissions"] == reads | dict.fromkeys(("id-token", "security-events"), "write")
    (of_gitlab,) = read("gitlab.yml").values()
    assert of_gitlab["artifacts"]["when"] == "always"


@pytest.mark.parametrize("recipe", ["container.sh", "gitlab.yml"])
def test_the_job_reports_every_finding_and_leaves_every_output(
    jobs: dict[str, Scan], wheel_scan: Scan, everything: Expected, recipe: str
) -> None:
    job, scan = jobs[recipe], scan_by(jobs[recipe])
    statuses = Counter(status for status, _ in everything.values())
    counts = [f"{statuses[status]} {status}" for status in ("FAIL", "MANUAL", "PASS")]
    assert job.code == 1, job.stdout
    assert f"{', '.join(counts)}, 0 muted" in job.stdout
    assert "Not everything was judged (exit code 1)." in job.stdout
    assert verdicts(scan) == verdicts(wheel_scan)
    for pattern in ("*.csv", "*.html", "*.ocsf.json", "*.asff.json"):
        assert scan.file(pattern).stat().st_size


def test_security_hub_takes_every_finding(jobs: dict[str, Scan]) -> None:
    """The ASFF against the input of BatchImportFindings, in which MANUAL has no place."""
    scan = scan_by(jobs["gitlab.yml"])
    findings = json.loads(scan.file("*.asff.json").read_text("utf-8"))
    model = botocore.session.get_session().get_service_model("securityhub")
    shape = model.operation_model("BatchImportFindings").input_shape
    report = ParamValidator().validate({"Findings": findings}, shape)
    assert not report.has_errors(), report.generate_report()
    found = {f["Resources"][0]["Id"]: f["Compliance"]["Status"] for f in findings}
    assert found == {
        row["RESOURCE_UID"]: f"{row['STATUS']}ED"
        for row in scan.rows()
        if row["STATUS"] != "MANUAL"
    }


# What a night comes to: the exit code of every recipe, what is printed, and the findings of the
# shared scan that there are, by status. The last three are scans of their own.
NIGHTS = {
    "all well": (0, "Everything was judged, and nothing fails (exit code 0).", "PASS"),
    "something fails": (3, "fail (exit code 3).", "PASS FAIL"),
    "not everything is judged": (1, "Not everything was judged (exit code 1).", "PASS MANUAL"),
    "a check broke": (1, f"no finding of {CONFIG_CHECK} in 1 account", "PASS"),
    "every check broke": (1, "Something went wrong in ", ""),
    "no plugin": (2, "invalid choice: 'sop_sagemaker_network_isolation_aws'", ""),
    "a role is refused": (1, "AWSAssumeRoleError", ""),
}


@pytest.fixture(scope="module")
def on_night(
    aws: EmbeddedAWS,
    plain: Installation,
    installed: Installation,
    wheel: Path,
    wheel_scan: Scan,
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str], Path]:
    """Give a folder with a `prowler` that does what the real one did on a night, in ./output."""

    @cache
    def commands(name: str) -> Path:
        folder, (*_, statuses) = tmp_path_factory.mktemp("night"), NIGHTS[name]
        output = folder / "output"
        if statuses:
            broken = CONFIG_CHECK if name == "a check broke" else ""
            found = [f for f in wheel_scan.ocsf() if f["status_code"] in statuses.split()]
            found = [f for f in found if f["metadata"]["event_code"] != broken]
            output.mkdir()
            (output / "x.ocsf.json").write_text(json.dumps(found), "utf-8")
            return stand_in(folder, output, wheel_scan.stdout, 0)
        variables, role = access(aws), f"arn:aws:iam::{account.ACCOUNT}:role/x"
        if name == "every check broke":
            zipfile.ZipFile(wheel).extractall(folder / "broken")
            for path in folder.glob("broken/*/sagemaker/*/sagemaker_*_enabled.py"):
                text = path.read_text("utf-8")
                path.write_text(text.replace("def execute(self", "def execute(self, not_given"))
            variables["PYTHONPATH"] = str(folder / "broken")
        with aws.failing(on("AssumeRole", RoleArn=role)(error("AccessDenied", status=403))):
            done = (plain if name == "no plugin" else installed).run(
                *("prowler", "aws", *scan_of("github.yml"), "--region", account.REGIONS[0]),
                *("--role", role) * (name == "a role is refused"),
                *("--output-directory", str(output)),
                **variables,
            )
        return stand_in(folder, output, done.stdout + done.stderr, done.returncode)

    return commands


@pytest.mark.parametrize("recipe", [*SINGLE, SCRIPT.name, ORGANISATIONS.name])
@pytest.mark.parametrize("name", NIGHTS)
def test_no_night_is_green_because_nothing_was_judged(
    on_night: Callable[[str], Path],
    installed: Installation,
    tmp_path: Path,
    name: str,
    recipe: str,
) -> None:
    (code, said, _), commands = NIGHTS[name], on_night(name)
    variables = {"PATH": f"{commands}:{installed.bin}:/usr/bin:/bin", "ACCOUNT": account.ACCOUNT}
    variables |= {"IMAGE": str(commands / "prowler"), "ROOT": str(tmp_path / "image")}
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    (workspace / "accounts").write_text(f"111122223333\r\n\r\n{account.ACCOUNT} \n")
    job = run_recipe(recipe, installed, workspace, variables, installs=False)
    job.stdout += "".join(path.read_text() for path in workspace.glob("findings/*.log"))
    if recipe not in SINGLE:
        code = 1 if code == 2 else code
    if recipe == ORGANISATIONS.name and code == FAILED:
        code = 0  # for Batch a FAIL is no failed job
    assert job.code == code, job.stdout
    assert said in " ".join(job.stdout.split())
    assert "Traceback" not in job.stdout
    if recipe == SCRIPT.name:
        is_silent = not list(commands.parent.glob("output/*.ocsf.json"))
        reasons = re.findall(r"^Not scanned: \d{12} (.+)$", job.stdout, re.MULTILINE)
        assert len(reasons) == (2 if is_silent else 0)
        assert all(said in reason for reason in reasons)
    if recipe == "github.yml":
        for step in (step for step in steps_of_github() if "upload-" in step.get("uses", "")):
            assert "!cancelled()" in step["if"]
            what = step["with"].get("sarif_file") or step["with"]["path"]
            assert (workspace / what).exists() or code not in (0, FAILED)


def test_the_first_night_and_the_second(
    on_night: Callable[[str], Path], installed: Installation, tmp_path: Path
) -> None:
    """By the commands of the page: known failures do not fail the job, new ones do."""
    page = (ROOT / "docs" / "ci.md").read_text("utf-8")
    commands = re.findall("^ {4}((?:cp|sagemaker-isolation) .+)$", page, re.MULTILINE)
    shutil.copytree(on_night("something fails").parent / "output", tmp_path / "output")
    assert [installed.shell(line, tmp_path).returncode for line in commands] == [3, 0, 0]
    baseline = tmp_path / "baseline.ocsf.json"
    baseline.write_text(baseline.read_text("utf-8").replace("no-vpc", "another"), "utf-8")
    assert installed.shell(commands[-1], tmp_path).returncode == FAILED
