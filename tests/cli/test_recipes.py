"""The recipes in docs: valid, run as they stand against the embedded account, and in adversity.

What a CI system does around the recipes' own commands is done here by hand: steps in their order,
after a failure only those with an `if`. Prowler's image is tests/embedded/docker.py. A recipe's own
run is cold, because the recipe installs the plugin, or mounts it. What it makes of each adversity
is tried with what the real Prowler did in it once.
"""

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import pytest
import yaml
from botocore.validate import ParamValidator
from werkzeug.wrappers import Response

from prowler_sagemaker_network_isolation.cli.main import main

from ..conftest import MakeInstallation
from ..embedded import account, docker
from ..embedded.account import Expected
from ..embedded.installation import (
    CHECK,
    CONFIG_CHECK,
    FAILED,
    ROOT,
    Installation,
    Scan,
    access,
    copy_sources,
    offline_pip,
    verdicts,
)
from ..embedded.server import Answer, Call, EmbeddedAWS, Fault, on, refuse

RECIPES = ROOT / "docs" / "ci"
SCRIPT = ROOT / "docs" / "organisations" / "scan-accounts.sh"
# pip would look through the 200 packages that Prowler needs, which are there.
PIP = {**offline_pip(), "PIP_NO_DEPS": "1"}


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

    @property
    def code(self) -> int:
        """What the job ends with: the code of the first step that failed."""
        return next(filter(None, self.codes.values()), 0)

    def record(self, name: str, done: subprocess.CompletedProcess[str]) -> int:
        self.codes[name] = done.returncode
        self.log += done.stdout + done.stderr
        return done.returncode

    @property
    def scan(self) -> Scan:
        (ocsf,) = self.workspace.glob(
            "output/**/prowler-output-????????????-??????????????.ocsf.json"
        )
        return Scan(self.code, self.log, "", ocsf.parent)


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


def refuse_identity(_: Call, __: Answer) -> Response:
    """A fault: the credentials are not valid."""
    error = (
        "<Error><Type>Sender</Type><Code>InvalidClientTokenId</Code><Message>m</Message></Error>"
    )
    xml = f"<ErrorResponse>{error}<RequestId>0</RequestId></ErrorResponse>"
    return Response(xml, 403, content_type="text/xml")


def official_action(step: dict[str, Any], workspace: Path) -> tuple[str, dict[str, str]]:
    """Return the script and the variables of a step with Prowler's action, as its action.yml does.

    Args:
        workspace: GITHUB_WORKSPACE.
    """
    given = step["with"]
    assert "fail-on-findings" not in given  # so it makes 0 of 3, which the report then judges
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
def credentials(aws: EmbeddedAWS, judged: dict[str, Expected]) -> dict[str, str]:
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
    name: str,
    installation: Installation,
    workspace: Path,
    variables: dict[str, str],
    installs: bool = True,
) -> Job:
    """Run a GitHub recipe's steps, but for other people's actions.

    Args:
        name: The recipe's file.
        installation: The environment that the runner has.
        workspace: The checkout.
        variables: The variables of every step.
        installs: Whether to run the steps that install the plugin.
    """
    job = Job(workspace)
    failed = False
    for step in steps_of(name):
        if (failed and "if" not in step) or ("pip install" in step.get("run", "") and not installs):
            continue
        if step.get("uses", "").startswith("prowler-cloud/prowler@"):
            job.plugin = files_of(workspace / "plugin")
            script, of_step = official_action(step, workspace)
        elif "run" in step:
            of_pip = PIP if "pip install" in step["run"] else {}
            script, of_step = step["run"], {**of_pip, **step.get("env", {})}
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
    run.record("Install", installation.shell(before, run.workspace, **{**variables, **PIP}))
    script = "\n".join(job["script"])
    run.record("Report", installation.shell(script, run.workspace, **variables))
    return run


@pytest.fixture(scope="module")
def container(
    image: Installation,
    make_workspace: Callable[[], Path],
    with_docker: Callable[[], dict[str, str]],
    credentials: dict[str, str],
) -> Job:
    job = Job(make_workspace())
    install, scan = (RECIPES / "container.sh").read_text("utf-8").split("output=", 1)
    variables = {**credentials, **with_docker()}
    done = image.shell(install, job.workspace, **{**variables, **PIP})
    job.record("Install", done)
    job.plugin = files_of(job.workspace / "plugin")
    job.record("Report", image.shell(f"output={scan}", job.workspace, **variables))
    return job


@pytest.fixture(params=["github_pip", "github_action", "gitlab", "container"])
def job(request: pytest.FixtureRequest) -> Job:
    found: Job = request.getfixturevalue(request.param)
    return found


@pytest.fixture(params=["github_pip", "github_action"])
def github(request: pytest.FixtureRequest) -> tuple[str, Job]:
    return f"{request.param.replace('_', '-')}.yml", request.getfixturevalue(request.param)


def test_every_recipe_has_the_same_prowler() -> None:
    pinned: set[str] = set()
    for path in RECIPES.iterdir():
        text = path.read_text("utf-8")
        pinned |= set(re.findall(r"(?:prowler==|prowlercloud/prowler:|image-tag: )([\d.]+)", text))
    assert len(pinned) == 1


def test_the_jobs_have_what_they_need_and_no_more() -> None:
    for name in ("github-pip.yml", "github-action.yml"):
        recipe = read(name)
        assert recipe["permissions"] == {}
        assert recipe["concurrency"]
        (job,) = recipe["jobs"].values()
        reads = dict.fromkeys(("actions", "contents"), "read")
        writes = dict.fromkeys(("id-token", "security-events"), "write")
        assert job["permissions"] == reads | writes
        uploads = [
            step["with"] for step in job["steps"] if "upload-artifact" in step.get("uses", "")
        ]
        assert [upload["retention-days"] for upload in uploads] == [90]


def test_the_page_has_every_recipe() -> None:
    page = (ROOT / "docs" / "ci.md").read_text("utf-8")
    for path in RECIPES.iterdir():
        assert f"(ci/{path.name})" in page


def test_the_job_reports_every_finding(job: Job, wheel_scan: Scan) -> None:
    assert job.code == 1, job.log
    assert "23 FAIL, 14 MANUAL, 8 PASS, 0 muted" in job.log
    assert "Not everything was judged (exit code 1)." in job.log
    assert verdicts(job.scan) == verdicts(wheel_scan)
    assert set(job.scan.findings(CONFIG_CHECK)) == set(wheel_scan.findings(CONFIG_CHECK))


def test_the_job_leaves_every_output(job: Job) -> None:
    for pattern in ("*.csv", "*.html", "*.ocsf.json", "*.asff.json"):
        assert job.scan.file(pattern).stat().st_size
    for name, requirement in (("sop", "1.1"), ("soc2", "cc_6_6"), ("hipaa", "164_312_e_1")):
        rows = job.scan.rows(f"compliance/*_{name}_sagemaker_network_isolation_aws.csv")
        assert requirement in {row["REQUIREMENTS_ID"] for row in rows}
    assert all("SageMaker-Network-Isolation-SOC2" in row["COMPLIANCE"] for row in job.scan.rows())
    assert main(["evidence", str(job.workspace / "output"), "cc_6_6", "164_312_e_1"]) == 0


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
    assert job.codes["Report"] == 1
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


SOUND, FAILING, UNREAD, EMPTY = "eu-north-1", "eu-west-2", "eu-west-3", "eu-south-1"
MUTES = """Mutelist:
  Accounts:
    "*": {Checks: {"*": {Regions: ["*"], Resources: ["*"]}}}
"""


@dataclass(frozen=True)
class Adversity:
    """What a scan may meet with, and what the recipes make of it.

    Attributes:
        code: The exit code of every recipe for one account.
        of_many: That of the recipes for many accounts.
        said: What is printed.
        regions: What is scanned: a model that passes, one that fails, one whose list is refused.
        faults: What AWS does wrong besides.
        checks: What is given to Prowler in the place of our frameworks.
        arguments: What is given to it besides.
        has_plugin: Whether Prowler has the plugin.
        is_cut_off: Whether the OCSF was not written to its end.
    """

    code: int
    of_many: int
    said: str
    regions: tuple[str, ...] = (SOUND,)
    faults: tuple[Fault, ...] = ()
    checks: str = ""
    arguments: tuple[str, ...] = ()
    has_plugin: bool = True
    is_cut_off: bool = False


def refuse_all(call: Call, answer: Answer) -> Response | None:
    """A fault: nothing may be read."""
    return refuse(call, answer) if call.service in ("ec2", "sagemaker") else None


ADVERSITIES = {
    "all well": Adversity(0, 0, "Everything was judged, and nothing fails (exit code 0)."),
    "a model fails": Adversity(3, 3, "1 fail (exit code 3).", (SOUND, FAILING)),
    "no plugin": Adversity(
        *(2, 1, "invalid choice: 'sop_sagemaker_network_isolation_aws'"), has_plugin=False
    ),
    "the built-in answers": Adversity(
        *(1, 1, "Prowler's built-in check answered"),
        checks=f"--checks {CHECK}",
        has_plugin=False,
    ),
    "all refused": Adversity(1, 1, "allow sagemaker:ListModels", faults=(refuse_all,)),
    "one region refused": Adversity(
        1, 1, "allow sagemaker:ListModels in eu-west-3 (a whole list)", (SOUND, UNREAD)
    ),
    "Prowler died": Adversity(
        *(1, 1, "calling the GetCallerIdentity operation"),
        faults=(on("GetCallerIdentity")(refuse_identity),),
    ),
    "an empty account": Adversity(1, 0, "", (EMPTY,)),
    "a broken file": Adversity(1, 1, "is cut off, or is not JSON: scan again.", is_cut_off=True),
    "what is not judged is muted": Adversity(
        0, 0, "1 PASS, 2 muted", (SOUND, UNREAD), arguments=("--mutelist-file", "mutes.yaml")
    ),
}
ORGANISATIONS = ROOT / "docs" / "organisations.md"  # AWS Batch's command is on it
SINGLE = ("github-pip.yml", "github-action.yml", "gitlab.yml", "container.sh")


@pytest.fixture(scope="module")
def adverse(
    aws: EmbeddedAWS,
    plain: Installation,
    installed: Installation,
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str], Path]:
    """Give a folder with a `prowler` that does what the real one did in an adversity."""
    sound, failing = (account.Region(aws, name) for name in (SOUND, FAILING))
    vpc = sound.vpc()
    sound.model("isolated", [sound.subnet(vpc)], [sound.group(vpc)])
    failing.model("no-vpc", None)

    @cache
    def commands(name: str) -> Path:
        adversity = ADVERSITIES[name]
        folder = tmp_path_factory.mktemp("adverse")
        output = folder / "output"
        (folder / "mutes.yaml").write_text(MUTES)
        (scan,) = (step["run"] for step in steps_of("github-pip.yml") if step.get("name") == "Scan")
        frameworks = r"--compliance( \w+_aws)+"
        assert re.search(frameworks, scan)
        words = shlex.split(re.sub(frameworks, adversity.checks or r"\g<0>", scan))
        words[words.index("--output-directory") + 1] = str(output)
        arguments = [
            str(folder / word) if word == "mutes.yaml" else word for word in adversity.arguments
        ]
        installation = installed if adversity.has_plugin else plain
        with aws.failing(
            *adversity.faults,
            on("ListModels", UNREAD)(refuse),
            on("ListEndpointConfigs", UNREAD)(refuse),
        ):
            done = installation.run(
                *words[1:], *arguments, "--region", *adversity.regions, **access(aws)
            )
        if adversity.is_cut_off:
            (ocsf,) = output.glob("*.ocsf.json")
            ocsf.write_text(ocsf.read_text("utf-8")[:-200], "utf-8")
        (folder / "printed").write_text(done.stdout + done.stderr)
        command = folder / "bin" / "prowler"
        command.parent.mkdir()
        command.write_text(
            f"""#!/bin/sh
to=output
while [ $# -gt 0 ]; do [ "$1" != --output-directory ] || to=$2; shift; done
mkdir -p "$to"
[ ! -d "{output}" ] || cp -R "{output}/." "$to"
cat "{folder}/printed"
exit {done.returncode}
"""
        )
        command.chmod(0o755)
        for other, line in (
            ("docker", f'exec "{sys.executable}" "{docker.__file__}" "$@"'),
            ("aws", "exit 0"),  # an upload
        ):
            (command.parent / other).write_text(f"#!/bin/sh\n{line}\n")
            (command.parent / other).chmod(0o755)
        return command.parent

    return commands


@pytest.mark.parametrize("recipe", [*SINGLE, SCRIPT.name, ORGANISATIONS.name])
@pytest.mark.parametrize("name", ADVERSITIES)
def test_no_night_is_green_because_nothing_was_judged(
    adverse: Callable[[str], Path],
    installed: Installation,
    tmp_path: Path,
    name: str,
    recipe: str,
) -> None:
    adversity, commands = ADVERSITIES[name], adverse(name)
    job = Job(tmp_path / "workspace")
    job.workspace.mkdir()
    variables = {
        "PATH": f"{commands}:{installed.folder}/bin:/usr/bin:/bin",
        "IMAGE": str(commands / "prowler"),
        "ROOT": str(tmp_path / "image"),
    }
    if recipe.startswith("github"):
        job = run_steps(recipe, installed, job.workspace, variables, installs=False)
    elif recipe == "gitlab.yml":
        (of_gitlab,) = read(recipe).values()
        done = installed.shell("\n".join(of_gitlab["script"]), job.workspace, **variables)
        job.record("Report", done)
    elif recipe == "container.sh":
        script = (RECIPES / recipe).read_text("utf-8").split("output=", 1)[1]
        job.record("Report", installed.shell(f"output={script}", job.workspace, **variables))
    elif recipe == ORGANISATIONS.name:
        (script,) = re.findall(
            r"\n\n((?: {4}.+\n)*.*report --allow-empty.*)", ORGANISATIONS.read_text()
        )
        plain = re.sub("[<>]", "", script)
        done = installed.shell(plain, job.workspace, **variables, ACCOUNT="111122223333")
        job.record("Report", done)
    else:
        (job.workspace / "accounts").write_text("111122223333\r\n\r\n123456789012 \n")
        script = f"{SCRIPT} accounts a-role findings"
        job.record("Report", installed.shell(script, job.workspace, **variables))
        said = sum(
            p.read_text().count(adversity.said) for p in job.workspace.glob("findings/*.log")
        )
        job.log += adversity.said if said else ""
    expected = adversity.code if recipe in SINGLE else adversity.of_many
    if recipe == ORGANISATIONS.name and expected == FAILED:
        expected = 0  # for Batch a FAIL is no failed job
    assert job.code == expected, job.log
    assert adversity.said in " ".join(job.log.split())
    assert "Traceback" not in job.log


def test_the_first_night_and_the_second(
    adverse: Callable[[str], Path], installed: Installation, tmp_path: Path
) -> None:
    """By the commands of docs/first-night.md: known failures do not fail the job, new ones do."""
    page = (ROOT / "docs" / "first-night.md").read_text("utf-8")
    commands = re.findall("^ {4}(.+)$", page, re.MULTILINE)
    shutil.copytree(adverse("a model fails").parent / "output", tmp_path / "output")
    codes = [installed.shell(command, tmp_path).returncode for command in commands]
    assert codes == [3, 0, 0]
    baseline = tmp_path / "baseline.ocsf.json"
    baseline.write_text(baseline.read_text("utf-8").replace("no-vpc", "another"), "utf-8")
    assert installed.shell(commands[-1], tmp_path).returncode == 3


def test_prowler_has_no_sarif_for_aws(installed: Installation) -> None:
    """What `--sarif` is there for, until Prowler has it."""
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
