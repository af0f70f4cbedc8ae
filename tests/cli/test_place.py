"""Never neither: who answers where Prowler or the installation is not as the plugin needs it."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import prowler_sagemaker_network_isolation as plugin

from ..conftest import MakeInstallation
from ..embedded.account import Region
from ..embedded.installation import (
    BUILT_IN_TITLE,
    CHECK,
    CHECKS,
    CONFIG_CHECK,
    ROOT,
    SCHEDULE_CHECK,
    Installation,
    copy_sources,
)
from ..embedded.server import EmbeddedAWS

SERVICES = "providers/aws/services/sagemaker"
BEGINNING = "prowler-sagemaker-network-isolation: the plugin's checks are not used, because "
# What a Prowler of tomorrow may do, at the end of the module of its discovery.
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
GIVES_UP = "\ndef recover_checks_from_provider(*arguments): sys.exit(1)"
HAS_OTHER_PARAMETERS = "\ndef recover_checks_from_provider(): return []"
START = "import prowler.config.config"  # all that a start does to the plugin, but in half a second
FIND = f"""
{START}
from prowler.lib.check.utils import recover_checks_from_provider
print(*sorted(path for name, path in recover_checks_from_provider("aws", "sagemaker")
              if name in {CHECKS}), sep="\\n")
"""


@pytest.fixture(scope="module")
def installation(make_installation: MakeInstallation, wheel: Path) -> Installation:
    made = make_installation("moved")
    made.install(str(wheel))
    return made


@pytest.fixture(scope="module")
def region(aws: EmbeddedAWS) -> str:
    """A region with a model."""
    region = Region(aws, "af-south-1")
    vpc = region.vpc()
    region.model("one", [region.subnet(vpc)], [region.group(vpc)])
    return region.name


@contextmanager
def changed(path: Path, before: str, after: str) -> Iterator[None]:
    """Have a text in a file's place of another; at its end where that is empty."""
    text = path.read_text("utf-8")
    assert before in text
    path.write_text(text.replace(before, after) if before else text + after, "utf-8")
    try:
        yield
    finally:
        path.write_text(text, "utf-8")


def run(
    installation: Installation, code: str = FIND, folder: Path | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run code in an installation's Python; by default, where the checkout is not to be seen."""
    return subprocess.run(
        [str(installation.python), "-c", code],
        env={"PATH": "/usr/bin:/bin", "HOME": str(installation.folder), **variables},
        cwd=folder or installation.folder,
        capture_output=True,
        text=True,
        check=False,
    )


def assert_said(stderr: str, why: str, built_in: str, missing: str) -> None:
    assert stderr.startswith(BEGINNING), stderr
    assert why in stderr
    assert f"Prowler's built-in check: {built_in}. Answered by no check: {missing}.\n" in stderr
    assert stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("change", "arguments"),
    [
        (SKIPS_OTHER_FOLDERS, ("--checks", CHECK)),
        (SKIPS_OTHER_FOLDERS, ("--services", "sagemaker")),
        (PUTS_THE_PATH_BACK, ("--checks", CHECK)),
    ],
)
def test_where_prowler_does_not_find_ours_the_built_in_answers(
    installation: Installation,
    aws: EmbeddedAWS,
    region: str,
    tmp_path: Path,
    change: str,
    arguments: tuple[str, ...],
) -> None:
    with changed(installation.own_prowler / "lib/check/utils.py", "", change):
        scan = installation.scan(aws, tmp_path, *arguments, "--region", region)
    others = f"{CONFIG_CHECK}, {SCHEDULE_CHECK}"
    assert_said(scan.stderr, "this Prowler does not find them in", CHECK, others)
    titles = {row["CHECK_ID"]: row["CHECK_TITLE"] for row in scan.rows()}
    assert titles[CHECK] == BUILT_IN_TITLE
    assert not titles.keys() & {CONFIG_CHECK, SCHEDULE_CHECK}


@pytest.mark.parametrize(
    ("change", "why"),
    [(GIVES_UP, "does not find them in"), (HAS_OTHER_PARAMETERS, "takes 0 positional arguments")],
)
def test_a_discovery_that_fails_ends_no_command(
    installation: Installation, change: str, why: str
) -> None:
    with changed(installation.own_prowler / "lib/check/utils.py", "", change):
        done = run(installation, START)
    assert done.returncode == 0
    assert_said(done.stderr, why, "none", ", ".join(sorted(CHECKS)))


def test_a_built_in_of_another_name_of_ours_is_known(installation: Installation) -> None:
    """Prowler's issue 12598 asks for one. Ours takes its place too, and it ours where need be."""
    folder = installation.own_prowler / SERVICES / SCHEDULE_CHECK
    folder.mkdir()
    try:
        for name in ("__init__.py", f"{SCHEDULE_CHECK}.py"):
            (folder / name).touch()
        done = run(installation)
        ours = installation.packages / plugin.__name__ / "sagemaker"
        assert (done.stdout.split(), done.stderr) == ([str(ours / c) for c in sorted(CHECKS)], "")
        with changed(installation.own_prowler / "lib/check/utils.py", "", SKIPS_OTHER_FOLDERS):
            done = run(installation)
        assert_said(done.stderr, "", f"{CHECK}, {SCHEDULE_CHECK}", CONFIG_CHECK)
        assert done.stdout.split() == [str(folder.with_name(CHECK)), str(folder)]
    finally:
        shutil.rmtree(folder)


def test_a_built_in_that_was_imported_before_answers(installation: Installation) -> None:
    done = run(installation, f"import prowler.{SERVICES.replace('/', '.')}.{CHECK}\n{FIND}")
    assert_said(done.stderr, "does not find", CHECK, f"{CONFIG_CHECK}, {SCHEDULE_CHECK}")
    assert done.stdout == f"{installation.own_prowler / SERVICES / CHECK}\n"


def test_what_the_checks_need_and_is_gone_is_named(installation: Installation) -> None:
    service = installation.own_prowler / "providers/aws/lib/service/service.py"
    with changed(service, "audit_resources", "audit_resources_arns"):
        done = run(installation)
    why = "this Prowler has no audit_resources in prowler.providers.aws.lib.service.service. Inst"
    assert_said(done.stderr, why, CHECK, f"{CONFIG_CHECK}, {SCHEDULE_CHECK}")
    assert done.stdout == f"{installation.own_prowler / SERVICES / CHECK}\n"


def test_all_that_the_checks_import_of_prowler_is_in_the_table() -> None:
    """But for the fixer's imports: if one fails, Prowler says that the fixer failed."""
    imported = set()
    for path in (ROOT / "checks").rglob("*.py"):
        if "fixer" not in str(path.relative_to(ROOT)):
            text = path.read_text("utf-8")
            for module, names in re.findall(
                r"^\s*from (prowler\S*) import (.+)", text, re.MULTILINE
            ):
                imported |= {(module, name) for name in names.split(", ")}
            imported |= {(name, "") for name in re.findall(r'"(prowler\.[\w.]+)"', text)}
    assert len(imported) > 5
    assert imported <= {
        (module, word) for module, words in plugin.RELIED_ON.items() for word in ("", *words)
    }


@pytest.mark.parametrize("broken", ["zip", "link"])
def test_a_folder_without_the_checks(
    installation: Installation, wheel: Path, tmp_path: Path, broken: str
) -> None:
    """In a zip, and where git writes a symbolic link as a file that holds the target's name."""
    found_first = wheel
    if broken == "link":
        found_first = tmp_path / "checkout"
        copy_sources(found_first)
        link = found_first / plugin.__name__ / "sagemaker"
        link.unlink()
        link.write_text("../checks")
    done = run(installation, PYTHONPATH=str(found_first))
    assert_said(done.stderr, f"there are none in {found_first}", CHECK, "none")
    assert done.stdout == f"{installation.own_prowler / SERVICES / CHECK}\n"


def test_prowler_started_within_a_checkout_has_its_checks_and_frameworks(
    installation: Installation,
) -> None:
    """`python -m prowler` there finds the checkout's package, and not the installed one."""
    show = "print(*prowler.config.config.get_available_compliance_frameworks('aws'))"
    done = run(installation, f"{FIND}{show}", ROOT)
    *paths, frameworks = done.stdout.splitlines()
    assert paths == [str(ROOT / plugin.__name__ / "sagemaker" / check) for check in sorted(CHECKS)]
    assert "sop_sagemaker_network_isolation_aws" in frameworks.split()
    assert done.stderr == ""


def test_it_is_cheap(installation: Installation) -> None:
    """It imports neither boto3 nor what the checks need, which every command would pay for."""
    code = f"""
import sys, prowler.lib.check.compliance_models
before = set(sys.modules)
import {plugin.__name__}
print(*sorted(sys.modules.keys() - before))
"""
    loaded = run(installation, code).stdout.split()
    assert plugin.__name__ in loaded
    assert not [name for name in loaded if name in plugin.RELIED_ON or name.startswith("boto")]
