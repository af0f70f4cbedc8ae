"""Never neither: who answers where Prowler or the installation is not as the plugin needs it."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import prowler_sagemaker_network_isolation as plugin

from ..conftest import MakeInstallation
from ..embedded import account
from ..embedded.account import Expected
from ..embedded.installation import (
    BUILT_IN_TITLE,
    CHECK,
    CHECKS,
    ROOT,
    SCHEDULE_CHECK,
    Installation,
    copy_sources,
)
from ..embedded.server import EmbeddedAWS

SERVICE = "providers/aws/services/sagemaker"
DISCOVERY = "lib/check/utils.py"
# What a Prowler of tomorrow may do, at the end of that module.
SKIPS_OTHER_FOLDERS = """
_recover = recover_checks_from_provider
def recover_checks_from_provider(*arguments, **options):
    own = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))
    return [(n, path) for n, path in _recover(*arguments, **options) if path.startswith(own)]
"""
PUTS_THE_PATH_BACK = """
_list = list_modules
def list_modules(provider, service):
    package = importlib.import_module("prowler.providers.aws.services.sagemaker")
    package.__path__[:] = [os.path.dirname(package.__file__)]
    return _list(provider, service)
"""
SERVICE_CLASS = "providers/aws/lib/service/service.py"
NEEDED = "this Prowler has no audit_resources in prowler.providers.aws.lib.service.service."
START = "import prowler.config.config"  # what every command does to the plugin


@pytest.fixture(scope="module")
def installation(make_installation: MakeInstallation, wheel: Path) -> Installation:
    made = make_installation("moved")
    made.install(str(wheel))
    return made


@contextmanager
def changed(installation: Installation, file: str, before: str, after: str) -> Iterator[None]:
    """Have another text in a file of Prowler; at its end if `before` is empty."""
    path = installation.own_prowler / file
    text = path.read_text("utf-8")
    assert before in text
    path.write_text(text.replace(before, after) if before else text + after, "utf-8")
    try:
        yield
    finally:
        path.write_text(text, "utf-8")


def assert_said(stderr: str, why: str, *built_in: str, ours: tuple[str, ...] = CHECKS) -> None:
    """Assert that one line says why, and which of our checks have a built-in that runs."""
    missing = ", ".join(sorted({*ours} - {*built_in})) or "none"
    assert stderr.startswith(
        "prowler-sagemaker-network-isolation: the plugin's checks are not used"
    )
    assert f"because {why}" in stderr
    built_ins = f"Answered by Prowler's built-in check: {', '.join(built_in) or 'none'}."
    assert stderr.endswith(f" {built_ins} Answered by no check: {missing}.\n")
    assert stderr.count("\n") == 1


def test_the_built_in_answers_where_prowler_does_not_find_ours(
    installation: Installation, aws: EmbeddedAWS, everything: Expected, tmp_path: Path
) -> None:
    with changed(installation, DISCOVERY, "", SKIPS_OTHER_FOLDERS):
        options = ("--services", "sagemaker", "--region", account.REGIONS[0])
        scan = installation.scan(aws, tmp_path, *options)
    assert_said(scan.stderr, "this Prowler does not find them in", CHECK)
    titles = {row["CHECK_ID"]: row["CHECK_TITLE"] for row in scan.rows()}
    assert {check: titles[check] for check in CHECKS if check in titles} == {CHECK: BUILT_IN_TITLE}


@pytest.mark.parametrize(
    ("file", "before", "after", "why"),
    [
        (DISCOVERY, "", PUTS_THE_PATH_BACK, "this Prowler does not find them in"),
        (SERVICE_CLASS, "audit_resources", "audit_resources_arns", NEEDED),
        (SERVICE_CLASS, "audit_resources", "own_audit_resources", NEEDED),
    ],
)
def test_the_built_in_is_found_where_ours_cannot_be_used(
    installation: Installation, file: str, before: str, after: str, why: str
) -> None:
    with changed(installation, file, before, after):
        found, said = installation.finds()
    assert_said(said, why, CHECK)
    assert found == [str(installation.own_prowler / SERVICE / CHECK)]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [("(*_): sys.exit(1)", "this Prowler does not find them"), ("(): ...", "recover_checks_f")],
)
def test_a_discovery_that_fails_ends_no_command(
    installation: Installation, arguments: str, why: str
) -> None:
    with changed(installation, DISCOVERY, "", f"def recover_checks_from_provider{arguments}"):
        assert_said(installation.python(START)[1], why)


def test_a_built_in_of_another_of_our_names_is_known(installation: Installation) -> None:
    """Prowler's issue 12598 asks for one. Ours takes its place too, and it ours where need be."""
    folder = installation.own_prowler / SERVICE / SCHEDULE_CHECK
    folder.mkdir()
    try:
        (folder / "__init__.py").touch()
        (folder / f"{SCHEDULE_CHECK}.py").touch()
        ours = installation.packages / plugin.__name__ / "sagemaker"
        assert installation.finds() == ([str(ours / check) for check in sorted(CHECKS)], "")
        with changed(installation, DISCOVERY, "", SKIPS_OTHER_FOLDERS):
            found, said = installation.finds()
        assert_said(said, "this Prowler does not find", CHECK, SCHEDULE_CHECK)
        assert found == [str(folder.with_name(CHECK)), str(folder)]
    finally:
        shutil.rmtree(folder)


def test_a_folder_without_the_checks(
    installation: Installation, wheel: Path, tmp_path: Path
) -> None:
    """In a zip, and where git writes a symbolic link as a file that holds the target's name."""
    checkout = tmp_path / "checkout"
    copy_sources(checkout)
    link = checkout / plugin.__name__ / "sagemaker"
    link.unlink()
    link.write_text("../checks")
    for broken in (wheel, checkout):
        found, said = installation.finds(PYTHONPATH=str(broken))
        assert_said(said, f"there are none in {broken}", CHECK, ours=(CHECK,))
        assert found == [str(installation.own_prowler / SERVICE / CHECK)]


def test_prowler_started_within_a_checkout_has_its_checks_and_frameworks(
    installation: Installation,
) -> None:
    """`python -m prowler` there finds the checkout's package, and not the installed one."""
    service = ROOT / plugin.__name__ / "sagemaker"
    assert installation.finds(ROOT) == ([str(service / check) for check in sorted(CHECKS)], "")
    show = "print(*prowler.config.config.get_available_compliance_frameworks('aws'))"
    frameworks, said = installation.python(f"{START}\n{show}", ROOT)
    assert "sop_sagemaker_network_isolation_aws" in frameworks.split()
    assert said == ""


def test_all_that_the_checks_import_of_prowler_is_in_the_table() -> None:
    """But for the fixer's, whose failure Prowler says, and for a `try` that has another way."""
    checks = ROOT / "checks"
    paths = [p for p in checks.rglob("*.py") if "fixer" not in str(p.relative_to(checks))]
    text = "\n".join(path.read_text("utf-8") for path in paths)
    for module, names in re.findall(r"^from (prowler\S*) import (.+)", text, re.MULTILINE):
        assert set(names.split(", ")) <= set(plugin.RELIED_ON[module])
    assert set(re.findall(r'"(prowler\.[\w.]+)"', text)) <= plugin.RELIED_ON.keys()


def test_it_is_cheap(installation: Installation) -> None:
    """It imports neither boto3 nor what the checks need, which every command would pay for."""
    code = (
        "import sys, prowler.lib.check.compliance_models; before = set(sys.modules); "
        f"import {plugin.__name__}; print(*sys.modules.keys() - before)"
    )
    loaded = installation.python(code)[0].split()
    assert plugin.__name__ in loaded
    assert not [name for name in loaded if name in plugin.RELIED_ON or name.startswith("boto")]


def test_where_there_is_no_prowler_nothing_is_said() -> None:
    """`sagemaker-isolation` may still read what one wrote elsewhere."""
    command = [sys.executable, "-S", "-c", f"import {plugin.__name__}"]  # without site-packages
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    assert done.stderr == b""
