"""The CI recipes in docs/ci: valid, and run as they stand against the embedded account.

What a CI system does around the recipes' own commands is done here by hand: steps in their order,
after a failure only those with an `if`. Prowler's image is tests/embedded/docker.py. A recipe's own
run is cold, because the recipe installs the plugin, or mounts it.
"""

import csv
import json
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import botocore.session
import pytest
import yaml
from botocore.validate import ParamValidator
from sarif_pydantic import Sarif

from ..conftest import MakeInstallation
from ..embedded import account, docker
from ..embedded.account import Expected
from ..embedded.installation import (
    BUILT_IN_TITLE,
    CHECK,
    CHECKS,
    FAILED,
    ROOT,
    Installation,
    Scan,
    access,
    copy_sources,
    offline_pip,
    verdicts,
)
from ..embedded.server import EmbeddedAWS

RECIPES = ROOT / "docs" / "ci"
GUARD = "Fail where something could not be read, or the built-in check answered"
SCHEMAS = {
    "github-pip.yml": "vendor.github-workflows",
    "github-action.yml": "vendor.github-workflows",
    "gitlab.yml": "vendor.gitlab-ci",
}


@dataclass
class Job:
    """A recipe's run.

    Attributes:
        workspace: The folder that it ran in.
        codes: The exit code of each script that ran, by the step's name.
        log: All that was printed.
        plugin: The files of the mounted folder before the scan, with the time of their change.
    """

    workspace: Path
    codes: dict[str, int] = field(default_factory=dict)
    log: str = ""
    plugin: dict[str, int] = field(default_factory=dict)

    def record(self, name: str, done: subprocess.CompletedProcess[str]) -> int:
        self.codes[name] = done.returncode
        self.log += done.stdout + done.stderr
        return done.returncode

    @property
    def scan(self) -> Scan:
        return Scan(self.codes["Scan"], self.log, "", self.workspace / "output")


def read(name: str) -> dict[Any, Any]:
    """Return a recipe."""
    recipe: dict[Any, Any] = yaml.safe_load((RECIPES / name).read_text("utf-8"))
    return recipe


def steps_of(name: str) -> list[dict[str, Any]]:
    """Return the steps of a GitHub recipe's one job."""
    (job,) = read(name)["jobs"].values()
    steps: list[dict[str, Any]] = job["steps"]
    return steps


def files_of(folder: Path) -> dict[str, int]:
    """Return the files below a folder, what Python caches too, with the time of their change."""
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def official_action(step: dict[str, Any], workspace: Path) -> tuple[str, dict[str, str]]:
    """Return the script and the variables of a step with Prowler's action, as its action.yml does.

    Args:
        workspace: GITHUB_WORKSPACE.
    """
    given = step["with"]
    assert given["fail-on-findings"] == "true"  # otherwise the action makes 0 of 3
    names = [f"-e{name}" for name in shlex.split(given["extra-env"].replace(",", " "))]
    mounts = [
        f"-v{workspace}:/home/prowler/workspace",
        f"-v{workspace}/output:/home/prowler/workspace/output",
    ]
    formats = shlex.split(given["output-formats"])
    command = ["docker", "run", "--rm", *names, *mounts, "-w", "/home/prowler/workspace"]
    command += [f"prowlercloud/prowler:{given['image-tag']}", given["provider"]]
    command += ["--output-formats", *formats, *shlex.split(given["flags"])]
    script = f"mkdir -p output && chmod 777 output && {shlex.join(command)}"
    return script, step["env"]


@pytest.fixture(scope="module")
def make_workspace(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Make a checkout of a repository that has this one as a submodule."""

    def make() -> Path:
        workspace = tmp_path_factory.mktemp("workspace")
        copy_sources(workspace / "prowler-sagemaker-network-isolation")
        return workspace

    return make


@pytest.fixture(scope="module")
def credentials(aws: EmbeddedAWS, expected_schedules: Expected) -> dict[str, str]:
    """What aws-actions/configure-aws-credentials exports, for the account."""
    return {**access(aws), "AWS_SESSION_TOKEN": "token"}


@pytest.fixture(scope="module")
def image(make_installation: MakeInstallation) -> Installation:
    """The Prowler of the image."""
    return make_installation("image")


@pytest.fixture(scope="module")
def with_docker(
    image: Installation, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], dict[str, str]]:
    """Make a machine with Docker, whose image has a Prowler; return its variables."""
    commands = tmp_path_factory.mktemp("bin")
    script = commands / "docker"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{docker.__file__}" "$@"\n')
    script.chmod(0o755)

    def make() -> dict[str, str]:
        root = tmp_path_factory.mktemp("image")
        return {
            "PATH": f"{commands}:{image.folder}/bin:/usr/bin:/bin",
            "IMAGE": str(image.prowler),
            "ROOT": str(root),
        }

    return make


def run_steps(
    name: str, installation: Installation, workspace: Path, variables: dict[str, str]
) -> Job:
    """Run a GitHub recipe's steps, but for other people's actions.

    Args:
        name: The recipe's file.
        installation: The environment that the runner has.
        workspace: The checkout.
        variables: The variables of every step.
    """
    job = Job(workspace)
    failed = False
    for step in steps_of(name):
        if failed and "if" not in step:
            continue
        if step.get("uses", "").startswith("prowler-cloud/prowler@"):
            job.plugin = files_of(workspace / "plugin")
            script, of_step = official_action(step, workspace)
        elif "run" in step:
            script, of_step = step["run"], offline_pip() if "pip install" in step["run"] else {}
        else:
            continue
        done = installation.shell(script, workspace, **{**variables, **of_step})
        failed = job.record(step["name"], done) != 0 or failed
    return job


@pytest.fixture(scope="module")
def github_pip(
    make_installation: MakeInstallation,
    make_workspace: Callable[[], Path],
    credentials: dict[str, str],
) -> Job:
    return run_steps("github-pip.yml", make_installation("ci"), make_workspace(), credentials)


@pytest.fixture(scope="module")
def github_action(
    image: Installation,
    make_workspace: Callable[[], Path],
    with_docker: Callable[[], dict[str, str]],
    credentials: dict[str, str],
) -> Job:
    variables = {**credentials, **with_docker()}
    return run_steps("github-action.yml", image, make_workspace(), variables)


@pytest.fixture(scope="module")
def gitlab(
    make_installation: MakeInstallation,
    make_workspace: Callable[[], Path],
    aws: EmbeddedAWS,
    expected: Expected,
) -> Job:
    (job,) = read("gitlab.yml").values()
    installation, run = make_installation("gitlab"), Job(make_workspace())
    variables = {
        "AWS_ENDPOINT_URL": aws.url,
        "AWS_EC2_METADATA_DISABLED": "true",
        **job["variables"],
        **dict.fromkeys(job["id_tokens"], "a token"),
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(run.workspace / "token"),
    }
    before = "\n".join(job["before_script"])
    # pip looks through all that Prowler needs; it does so in the same command of github-pip.yml.
    of_pip = {**offline_pip(), "PIP_NO_DEPS": "1"}
    run.record("Install", installation.shell(before, run.workspace, **{**variables, **of_pip}))
    script = "\n".join(job["script"])
    run.record("Scan", installation.shell(script, run.workspace, **variables))
    return run


@pytest.fixture(scope="module")
def container(
    image: Installation,
    make_workspace: Callable[[], Path],
    with_docker: Callable[[], dict[str, str]],
    credentials: dict[str, str],
) -> Job:
    job = Job(make_workspace())
    install, scan = (RECIPES / "container.sh").read_text("utf-8").split("docker run")
    variables = {**credentials, **with_docker()}
    done = image.shell(install, job.workspace, **{**variables, **offline_pip()})
    job.record("Install", done)
    job.plugin = files_of(job.workspace / "plugin")
    job.record("Scan", image.shell(f"docker run{scan}", job.workspace, **variables))
    return job


@pytest.fixture(params=["github_pip", "github_action", "gitlab", "container"])
def job(request: pytest.FixtureRequest) -> Job:
    found: Job = request.getfixturevalue(request.param)
    return found


@pytest.fixture(params=["github_pip", "github_action"])
def github(request: pytest.FixtureRequest) -> tuple[str, Job]:
    return f"{request.param.replace('_', '-')}.yml", request.getfixturevalue(request.param)


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_recipe_is_valid(name: str) -> None:
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", SCHEMAS[name]]
    done = subprocess.run(
        [*check, RECIPES / name], capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stdout


def test_every_action_is_of_a_named_version() -> None:
    """A major version; of Prowler, the release whose image is used."""
    for name in SCHEMAS:
        for step in steps_of(name) if name.startswith("github") else []:
            action, _, version = step.get("uses", "none@v0").partition("@")
            if action == "prowler-cloud/prowler":
                assert version == step["with"]["image-tag"]
            else:
                assert version[0] == "v"
                assert version[1:].isdecimal()


def test_the_page_has_every_recipe() -> None:
    page = (ROOT / "docs" / "ci.md").read_text("utf-8")
    for path in RECIPES.iterdir():
        assert f"(ci/{path.name})" in page


def test_the_job_fails_with_prowlers_code_and_has_every_finding(job: Job, wheel_scan: Scan) -> None:
    assert job.codes["Scan"] == FAILED, job.log
    assert verdicts(job.scan) == verdicts(wheel_scan)


def test_the_job_leaves_every_output(job: Job) -> None:
    for pattern in ("*.csv", "*.html", "*.ocsf.json", "*.asff.json"):
        assert job.scan.file(pattern).stat().st_size
    rows = job.scan.rows("compliance/*_sop_sagemaker_network_isolation_aws.csv")
    assert {row["REQUIREMENTS_ATTRIBUTES_PROFILE"] for row in rows} == {"Level 1"}
    assert all("SageMaker-Network-Isolation-SOC2" in row["COMPLIANCE"] for row in job.scan.rows())


def test_the_job_stops_where_the_plugin_is_not_there(plain: Installation) -> None:
    """The framework that every recipe asks for is the plugin's own."""
    done = plain.run("aws", "--compliance", "sop_sagemaker_network_isolation_aws")
    assert done.returncode == 2
    assert "invalid choice: 'sop_sagemaker_network_isolation_aws'" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("name", ["github_action", "container"])
def test_nothing_is_written_into_the_mounted_folder(
    request: pytest.FixtureRequest, name: str
) -> None:
    job: Job = request.getfixturevalue(name)
    assert job.plugin
    assert files_of(job.workspace / "plugin") == job.plugin


def test_what_comes_after_the_scan_runs_all_the_same(github: tuple[str, Job]) -> None:
    name, job = github
    assert job.codes[GUARD] == 1
    assert job.codes["Write SARIF"] == 0
    uploads = [step for step in steps_of(name) if "upload-" in step.get("uses", "")]
    assert uploads
    for step in uploads:
        assert "!cancelled()" in step["if"]
        what = step["with"].get("sarif_file") or step["with"]["path"]
        assert (job.workspace / what).exists()


def test_the_gitlab_job_keeps_its_outputs(gitlab: Job) -> None:
    (job,) = read("gitlab.yml").values()
    assert job["artifacts"]["when"] == "always"
    assert all((gitlab.workspace / path).is_dir() for path in job["artifacts"]["paths"])


def guards() -> dict[str, str]:
    """Return the script of each recipe that looks at the findings after the scan."""
    found = {
        name: next(step["run"] for step in steps_of(name) if step.get("name") == GUARD)
        for name in ("github-pip.yml", "github-action.yml")
    }
    (job,) = read("gitlab.yml").values()
    return {**found, "gitlab.yml": "\n".join(job["script"][1:])}


@pytest.mark.parametrize("name", SCHEMAS)
@pytest.mark.parametrize(
    ("edit", "code"),
    [({}, 0), ({"STATUS": "MANUAL"}, 1), ({"CHECK_TITLE": BUILT_IN_TITLE}, 1)],
    ids=["all well", "unread", "built-in"],
)
def test_the_guard_tells_what_may_be_believed(
    wheel_scan: Scan, tmp_path: Path, name: str, edit: dict[str, str], code: int
) -> None:
    row = wheel_scan.findings()["eu-west-1", "isolated"]
    output = tmp_path / "output"
    output.mkdir()
    with (output / "findings.csv").open("w", encoding="utf-8", newline="") as file:
        lines = csv.DictWriter(file, row.keys(), delimiter=";")
        lines.writeheader()
        lines.writerow({**row, **edit})
    script = ["bash", "-e", "-c", guards()[name]]
    done = subprocess.run(script, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == code


def test_the_sarif_has_an_alert_for_each_model_that_fails_or_could_not_be_read(
    github_pip: Job,
) -> None:
    document = json.loads(github_pip.scan.file("prowler.sarif").read_text("utf-8"))
    Sarif.model_validate(document)
    (run,) = document["runs"]
    levels = {"FAIL": "error", "MANUAL": "warning"}
    rows = [row for row in github_pip.scan.rows() if row["STATUS"] in levels]
    alerts = {
        result["partialFingerprints"]["primaryLocationLineHash"]: (
            result["level"],
            result["message"]["text"],
        )
        for result in run["results"]
    }
    assert alerts == {
        row["RESOURCE_UID"]: (levels[row["STATUS"]], row["STATUS_EXTENDED"]) for row in rows
    }
    places = [
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        for result in run["results"]
    ]
    assert f"{account.ACCOUNT}/eu-west-1/model/public-ipv4" in places
    assert len(places) == len(set(places)) == len(rows)
    rules = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert {result["ruleId"] for result in run["results"]} == rules == set(CHECKS)


def test_no_sarif_is_written_where_there_was_no_scan(tmp_path: Path) -> None:
    """An empty one would close every alert."""
    script = [sys.executable, str(RECIPES / "sarif.py"), str(tmp_path)]
    done = subprocess.run(script, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == f"There is no *.ocsf.json in {tmp_path}.\n"
    assert not any(tmp_path.iterdir())


def test_prowler_has_no_sarif_for_aws(installed: Installation) -> None:
    """What sarif.py is there for, until Prowler has it."""
    done = installed.run("aws", "--output-formats", "sarif")
    assert done.returncode == 2
    assert "sarif output format is only available for the iac provider" in done.stderr


def test_security_hub_takes_every_finding(github_pip: Job) -> None:
    """The ASFF against the input of BatchImportFindings, in which MANUAL has no place."""
    findings = json.loads(github_pip.scan.file("*.asff.json").read_text("utf-8"))
    model = botocore.session.get_session().get_service_model("securityhub")
    shape = model.operation_model("BatchImportFindings").input_shape
    report = ParamValidator().validate({"Findings": findings}, shape)
    assert not report.has_errors(), report.generate_report()
    members = shape.members["Findings"].member.members
    for finding in findings:
        assert finding["Compliance"]["Status"] in members["Compliance"].members["Status"].enum
        assert finding["Severity"]["Label"] in members["Severity"].members["Label"].enum
        # What AWS's guide to the format says of lengths; botocore's model has none.
        assert len(finding["Title"]) <= 256
        assert len(finding["Description"]) <= 1024
        assert len(finding["Remediation"]["Recommendation"]["Text"]) <= 512
        assert len(finding["Compliance"]["AssociatedStandards"]) <= 20
    statuses = {"PASSED": "PASS", "FAILED": "FAIL"}
    found = {
        finding["Resources"][0]["Id"]: statuses[finding["Compliance"]["Status"]]
        for finding in findings
    }
    assert found == {
        row["RESOURCE_UID"]: row["STATUS"]
        for row in github_pip.scan.rows()
        if row["STATUS"] != "MANUAL"
    }


def test_ignoring_exit_code_3_and_status_change_the_code_and_the_files_alone(
    account_scan: Callable[..., Scan],
    installed: Installation,
    expected: Expected,
    tmp_path: Path,
) -> None:
    arguments = ("--ignore-exit-code-3", "--status", "FAIL")
    scan = account_scan(installed, tmp_path, *arguments, checks=[CHECK])
    assert scan.code == 0
    failed = {key for key, (status, _) in expected.items() if status == "FAIL"}
    assert set(scan.findings()) == failed
    assert {finding["status_code"] for finding in scan.ocsf()} == {"FAIL"}
    assert len(scan.ocsf()) == len(failed)
    assert "model/isolated" not in scan.file("*.html").read_text("utf-8")


def test_what_could_not_be_read_does_not_change_the_code(
    aws: EmbeddedAWS, installed: Installation, expected: Expected, tmp_path: Path
) -> None:
    """Why the recipes look at the findings themselves."""
    region = "eu-central-1"
    scan = installed.scan(aws, tmp_path, "--checks", CHECK, "--region", region)
    assert {row["STATUS"] for row in scan.findings().values()} == {"MANUAL"}
    assert scan.code == 0
