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
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import pytest
import yaml
from botocore.validate import ParamValidator
from werkzeug.wrappers import Response

from ..conftest import MakeInstallation
from ..embedded import account, docker
from ..embedded.account import Expected
from ..embedded.installation import (
    CHECK,
    CHECKS,
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
ORGANISATIONS = ROOT / "docs" / "organisations.md"  # AWS Batch's command is on it
SINGLE = ("github.yml", "gitlab.yml", "container.sh")
# pip would look through the 200 packages that Prowler needs, which are there.
PIP = {**offline_pip(), "PIP_NO_DEPS": "1"}


@dataclass
class Job:
    """A recipe's run.

    Attributes:
        code: What it ends with: the code of the first script that failed.
        log: All that was printed.
        workspace: The folder that it ran in.
    """

    code: int
    log: str
    workspace: Path

    @property
    def scan(self) -> Scan:
        name = f"prowler-output-{'?' * 12}-{'?' * 14}.ocsf.json"  # and no framework's
        (ocsf,) = self.workspace.glob(f"output/**/{name}")
        return Scan(self.code, self.log, "", ocsf.parent)


def read(name: str) -> dict[Any, Any]:
    """Return a recipe in YAML, or the one job of it."""
    recipe: dict[Any, Any] = yaml.safe_load((RECIPES / name).read_text("utf-8"))
    return recipe


def steps_of_github() -> list[dict[str, Any]]:
    """Return the steps of the GitHub recipe's one job."""
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


def run_recipe(
    recipe: str,
    installation: Installation,
    workspace: Path,
    variables: dict[str, str],
    installs: bool = True,
) -> Job:
    """Run a recipe's scripts, where an installation's commands are; other people's actions are not.

    Args:
        workspace: The folder to run in.
        variables: The environment variables.
        installs: Whether to run the script that installs the plugin.
    """
    install, *scripts = scripts_of(recipe)
    job = Job(0, "", workspace)
    for script, file in [install] * installs + scripts:
        if not (workspace / file).exists() if file else job.code:
            continue
        of_pip = PIP if script == install[0] else {}
        done = installation.shell(script, workspace, **{**variables, **of_pip})
        job.log += done.stdout + done.stderr
        job.code = job.code or done.returncode
    return job


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A checkout to install the plugin from."""
    folder = tmp_path_factory.mktemp("source") / "plugin"
    copy_sources(folder)
    return str(folder)


@pytest.fixture(scope="module")
def image(make_installation: MakeInstallation) -> Installation:
    """The Prowler of the image."""
    return make_installation("image")


@pytest.fixture(scope="module")
def job_of(
    make_installation: MakeInstallation,
    image: Installation,
    aws: EmbeddedAWS,
    judged: dict[str, Expected],
    source: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str], Job]:
    """Give the run of a recipe for one account as it stands, against the embedded account."""

    @cache
    def run(recipe: str) -> Job:
        workspace = tmp_path_factory.mktemp("workspace")
        # What aws-actions/configure-aws-credentials exports, but GitLab's job assumes the role.
        variables = {**access(aws), "AWS_SESSION_TOKEN": "token", "PLUGIN": source}
        if recipe == "container.sh":
            commands = tmp_path_factory.mktemp("bin")
            make_command(commands / "docker", f'exec "{sys.executable}" "{docker.__file__}" "$@"')
            variables |= {"PATH": f"{commands}:{image.folder}/bin:/usr/bin:/bin"}
            variables |= {"IMAGE": str(image.prowler), "ROOT": str(workspace / "root")}
            return run_recipe(recipe, image, workspace, variables)
        if recipe == "gitlab.yml":
            (job,) = read(recipe).values()
            kept = {k: v for k, v in variables.items() if not re.search("_KEY|TOKEN", k)}
            token = {"AWS_WEB_IDENTITY_TOKEN_FILE": str(workspace / "token")}
            variables = {**job["variables"], **kept, **token, "AWS_ID_TOKEN": "a token"}
            role = variables["AWS_ROLE_ARN"].replace("111122223333", account.ACCOUNT)
            variables["AWS_ROLE_ARN"] = role
        return run_recipe(recipe, make_installation(recipe), workspace, variables)

    return run


def make_command(path: Path, line: str) -> None:
    """Make a command of one line for the shell."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)


def test_every_recipe_is_on_the_page_and_has_the_same_prowler_and_role() -> None:
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
        assert len(re.findall(r" report .*--checks", recipe)) == 1
        assert all(check in recipe for check in CHECKS)
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


@pytest.mark.parametrize("recipe", SINGLE)
def test_the_job_reports_every_finding_and_leaves_every_output(
    job_of: Callable[[str], Job], wheel_scan: Scan, recipe: str
) -> None:
    job = job_of(recipe)
    assert job.code == 1, job.log
    assert "23 FAIL, 14 MANUAL, 8 PASS, 0 muted" in job.log
    assert "Not everything was judged (exit code 1)." in job.log
    assert verdicts(job.scan) == verdicts(wheel_scan)
    assert set(job.scan.findings(CONFIG_CHECK)) == set(wheel_scan.findings(CONFIG_CHECK))
    for pattern in ("*.csv", "*.html", "*.ocsf.json", "*.asff.json"):
        assert job.scan.file(pattern).stat().st_size
    for name, requirement in (("sop", "1.1"), ("soc2", "cc_6_6"), ("hipaa", "164_312_e_1")):
        rows = job.scan.rows(f"compliance/*_{name}_sagemaker_network_isolation_aws.csv")
        assert requirement in {row["REQUIREMENTS_ID"] for row in rows}
    for step in steps_of_github() if recipe == "github.yml" else ():
        if "upload-" in step.get("uses", ""):
            assert "!cancelled()" in step["if"]
            what = step["with"].get("sarif_file") or step["with"]["path"]
            assert (job.workspace / what).exists()


SOUND, FAILING, UNREAD, EMPTY = "eu-north-1", "eu-west-2", "eu-west-3", "eu-south-1"
MUTES = 'Mutelist: {Accounts: {"*": {Checks: {"*": {Regions: ["*"], Resources: ["*"]}}}}}'
BREAKS = "sagemaker_endpoint_configs_network_isolation_enabled"
WELL = "Everything was judged, and nothing fails (exit code 0)."


@dataclass(frozen=True)
class Adversity:
    """What a scan may meet with, and what the recipes make of it.

    Attributes:
        code: The exit code of every recipe; where it is 2, of those for many accounts 1.
        said: What is printed.
        regions: What is scanned: a model that passes, one that fails, one whose list is refused.
        faults: What AWS does wrong besides.
        checks: What is given to Prowler in the place of our frameworks.
        arguments: What is given to it besides.
        again: What a second scan is given, into the same folder.
        has_plugin: Whether Prowler has the plugin.
        broken: The checks that raise.
        spoil: What happens to the OCSF.
    """

    code: int
    said: str
    regions: tuple[str, ...] = (SOUND,)
    faults: tuple[Fault, ...] = ()
    checks: str = ""
    arguments: tuple[str, ...] = ()
    again: tuple[str, ...] = ()
    has_plugin: bool = True
    broken: tuple[str, ...] = ()
    spoil: Callable[[str], str] | None = None


def refuse_all(call: Call, answer: Answer) -> Response | None:
    """A fault: nothing may be read."""
    return refuse(call, answer) if call.service in ("ec2", "sagemaker") else None


def refuse_identity(_: Call, __: Answer) -> Response:
    """A fault: the credentials are not valid."""
    code = "<Type>Sender</Type><Code>InvalidClientTokenId</Code><Message>m</Message>"
    xml = f"<ErrorResponse><Error>{code}</Error><RequestId>0</RequestId></ErrorResponse>"
    return Response(xml, 403, content_type="text/xml")


def with_yesterday(ocsf: str) -> str:
    """Return findings and those of the day before, of which one failed whose model is gone."""
    earlier = []
    for finding in json.loads(ocsf):
        finding["time"] -= 86_400
        for resource in finding["resources"]:
            resource["uid"] = resource["uid"].replace("no-vpc", "deleted")
        earlier.append(finding)
    return json.dumps([*json.loads(ocsf), *earlier])


ARN = f"arn:aws:sagemaker:{SOUND}:{account.ACCOUNT}:model/isolated"
ADVERSITIES = {
    "all well": Adversity(0, WELL),
    "a model fails": Adversity(3, "1 fail (exit code 3).", (SOUND, FAILING)),
    "no plugin": Adversity(
        2, "invalid choice: 'sop_sagemaker_network_isolation_aws'", has_plugin=False
    ),
    "the built-in answers": Adversity(
        1, "Prowler's built-in check or an older", checks=f"--checks {CHECK}", has_plugin=False
    ),
    "all refused": Adversity(1, "allow sagemaker:ListModels", faults=(refuse_all,)),
    "one region refused": Adversity(1, "all models of eu-west-3", (SOUND, UNREAD)),
    "Prowler died": Adversity(
        1,
        "calling the GetCallerIdentity operation",
        faults=(on("GetCallerIdentity")(refuse_identity),),
    ),
    "a check raises": Adversity(1, f"no finding of {BREAKS} in 1 account", broken=(BREAKS,)),
    "every check raises": Adversity(1, "Something went wrong in ", broken=CHECKS),
    "an empty account": Adversity(0, "There is nothing to judge", (EMPTY,)),
    "CSV only": Adversity(1, "has no OCSF beside it", arguments=("--output-formats", "csv")),
    "a broken file": Adversity(1, "is cut off, or is not JSON", spoil=lambda whole: whole[:-200]),
    "one model scanned again": Adversity(
        3, "1 fail (exit code 3).", (SOUND, FAILING), again=("--resource-arn", ARN)
    ),
    "another day's file in the folder": Adversity(
        3, "Findings of more than one day", (SOUND, FAILING), spoil=with_yesterday
    ),
    "what is not judged is muted": Adversity(
        0, "2 PASS, 2 muted", (SOUND, UNREAD), arguments=("--mutelist-file", "mutes.yaml")
    ),
}


@pytest.fixture(scope="module")
def fragile(make_installation: MakeInstallation, wheel: Path) -> Installation:
    """A Prowler with a plugin whose checks raise, where the variable BROKEN names them."""
    made = make_installation("fragile")
    made.install(str(wheel))
    for check in CHECKS:
        (path,) = made.packages.glob(f"*/sagemaker/{check}/{check}.py")
        text = re.sub(
            r"(def execute\(.*:\n)",
            rf"\1        import os; assert '{check}' not in os.environ['BROKEN']\n",
            path.read_text("utf-8"),
            count=1,
        )
        path.write_text(text, "utf-8")
    return made


@pytest.fixture(scope="module")
def adverse(
    aws: EmbeddedAWS,
    plain: Installation,
    installed: Installation,
    fragile: Installation,
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str], Path]:
    """Give a folder with a `prowler` that does what the real one did in an adversity."""
    sound, failing = (account.Region(aws, name) for name in (SOUND, FAILING))
    vpc = sound.vpc()
    sound.model("isolated", [sound.subnet(vpc)], [sound.group(vpc)])
    failing.model("no-vpc", None)
    scan = next(step["run"] for step in steps_of_github() if step.get("name") == "Scan")
    frameworks = r"--compliance( \w+_aws)+"
    assert re.search(frameworks, scan)

    @cache
    def commands(name: str) -> Path:
        adversity, folder = ADVERSITIES[name], tmp_path_factory.mktemp("adverse")
        output, mutes = folder / "output", folder / "mutes.yaml"
        mutes.write_text(MUTES)
        words = shlex.split(re.sub(frameworks, adversity.checks or r"\g<0>", scan))
        words[words.index("--output-directory") + 1] = str(output)
        words += [str(mutes) if word == mutes.name else word for word in adversity.arguments]
        found = fragile if adversity.broken else installed if adversity.has_plugin else plain
        environment = {**access(aws), "BROKEN": " ".join(adversity.broken)}
        lists = (on(list_, UNREAD)(refuse) for list_ in ("ListModels", "ListEndpointConfigs"))
        with aws.failing(*adversity.faults, *lists):
            done = found.run(*words[1:], "--region", *adversity.regions, **environment)
            if adversity.again:
                time.sleep(1)  # a file is named by its second
                done = found.run(*words[1:], *adversity.again, **environment)
        if spoil := adversity.spoil:
            (path,) = output.glob("*.ocsf.json")
            path.write_text(spoil(path.read_text("utf-8")), "utf-8")
        (folder / "printed").write_text(done.stdout + done.stderr)
        script = f"""to=output
while [ $# -gt 0 ]; do [ "$1" != --output-directory ] || to=$2; shift; done
mkdir -p "$to"
[ ! -d "{output}" ] || cp -R "{output}/." "$to"
cat "{folder}/printed"
exit {done.returncode}"""
        make_command(folder / "bin" / "prowler", script)
        line = f'exec "{sys.executable}" "{docker.__file__}" "$@"'
        make_command(folder / "bin" / "docker", line)
        make_command(folder / "bin" / "aws", "exit 0")  # an upload
        return folder / "bin"

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
    variables = {"PATH": f"{commands}:{installed.folder}/bin:/usr/bin:/bin"}
    variables |= {"IMAGE": str(commands / "prowler"), "ROOT": str(tmp_path / "image")}
    variables |= {"ACCOUNT": account.ACCOUNT}
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    (workspace / "accounts").write_text(f"111122223333\r\n\r\n{account.ACCOUNT} \n")
    job = run_recipe(recipe, installed, workspace, variables, installs=False)
    job.log += "".join(path.read_text() for path in workspace.glob("findings/*.log"))
    code = adversity.code
    if recipe not in SINGLE:
        code = 1 if code == 2 else code
    if recipe == ORGANISATIONS.name and code == FAILED:
        code = 0  # for Batch a FAIL is no failed job
    assert job.code == code, job.log
    assert adversity.said in " ".join(job.log.split())
    assert "Traceback" not in job.log
    if recipe == SCRIPT.name:
        silent = not list(commands.parent.glob("output/*.ocsf.json"))
        not_scanned = (workspace / "findings" / "not-scanned.txt").read_text().split()
        assert len(not_scanned) == (2 if silent else 0)


def test_the_first_night_and_the_second(
    adverse: Callable[[str], Path], installed: Installation, tmp_path: Path
) -> None:
    """By the commands of the page: known failures do not fail the job, new ones do."""
    page = (ROOT / "docs" / "ci.md").read_text("utf-8")
    commands = re.findall("^ {4}((?:cp|sagemaker-isolation) .+)$", page, re.MULTILINE)
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


def test_security_hub_takes_every_finding(job_of: Callable[[str], Job]) -> None:
    """The ASFF against the input of BatchImportFindings, in which MANUAL has no place."""
    scan = job_of("github.yml").scan
    findings = json.loads(scan.file("*.asff.json").read_text("utf-8"))
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
    found = {f["Resources"][0]["Id"]: statuses[f["Compliance"]["Status"]] for f in findings}
    assert found == {
        row["RESOURCE_UID"]: row["STATUS"] for row in scan.rows() if row["STATUS"] != "MANUAL"
    }


def test_status_keeps_findings_out_which_the_report_says(
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
    assert len(scan.ocsf()) == len(failed)
    assert "model/isolated" not in scan.file("*.html").read_text("utf-8")
    done = installed.shell("sagemaker-isolation report .", tmp_path)
    assert done.returncode == 1
    assert "is of a scan with --status FAIL, which keeps findings out" in done.stderr


def test_what_could_not_be_read_does_not_change_the_code(
    aws: EmbeddedAWS, installed: Installation, expected: Expected, tmp_path: Path
) -> None:
    """Why the recipes look at the findings themselves."""
    scan = installed.scan(aws, tmp_path, "--checks", CHECK, "--region", "eu-central-1")
    assert {row["STATUS"] for row in scan.findings().values()} == {"MANUAL"}
    assert scan.code == 0
