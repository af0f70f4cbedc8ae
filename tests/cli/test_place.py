"""The place-taking where Prowler or the installation is not shaped as expected.

`test_installation.py` shows it through the CLI; here Prowler's own discovery is asked.
"""

import ast
import re
import shutil
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest

import prowler_sagemaker_network_isolation as plugin

from ..conftest import MakeInstallation
from ..embedded.installation import BUILT_IN_TITLE, CHECK, ROOT, Installation, copy_sources

SENTENCE = (
    f"prowler-sagemaker-network-isolation: Prowler's built-in {CHECK}, which reads one flag only, "
    "runs instead of the plugin's"
)
# What Prowler does before every command, but for the ten seconds that its frameworks take.
DISCOVER = f"""
import sys
import prowler.config.config
from prowler.lib.check.utils import recover_checks_from_provider
from prowler.lib.check.models import load_check_metadata
(path,) = [p for name, p in recover_checks_from_provider("aws", "sagemaker") if name == "{CHECK}"]
print(load_check_metadata(f"{{path}}/{CHECK}.metadata.json").CheckTitle)
"""


@pytest.fixture(scope="module")
def installation(make_installation: MakeInstallation, wheel: Path) -> Installation:
    made = make_installation("moved")
    made.install(str(wheel))
    return made


def discover(
    installation: Installation, code: str = DISCOVER, folder: Path | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run code in an installation's Python; by default, what Prowler does to find the check.

    Args:
        folder: Where; by default, where the checkout is not to be seen.
    """
    return subprocess.run(
        [str(installation.python), "-c", code],
        env={"PATH": "/usr/bin:/bin", "HOME": str(installation.folder), **variables},
        cwd=folder or installation.folder,
        capture_output=True,
        text=True,
        check=False,
    )


def assert_built_in(done: subprocess.CompletedProcess[str], why: str) -> None:
    assert (done.returncode, done.stdout) == (0, f"{BUILT_IN_TITLE}\n"), done.stderr
    assert done.stderr.count(SENTENCE) == 1
    assert done.stderr.count("\n") == 1
    assert why in done.stderr
    assert "Traceback" not in done.stderr


def test_it_takes_the_place_where_all_is_there(installation: Installation) -> None:
    done = discover(installation)
    assert done.stderr == ""
    assert "controlled VPC configuration" in done.stdout


def test_it_takes_the_place_from_within_a_checkout(installation: Installation) -> None:
    """`python -m prowler` there finds the checkout's package, and not the installed one."""
    code = f"""{DISCOVER}
import {plugin.__name__} as plugin
print(*prowler.config.config.get_available_compliance_frameworks("aws"), plugin.__file__)
"""
    done = discover(installation, code, ROOT)
    assert done.stderr == ""
    assert "controlled VPC configuration" in done.stdout
    assert "sop_sagemaker_network_isolation_aws" in done.stdout
    assert done.stdout.endswith(f"{ROOT}/{plugin.__name__}/__init__.py\n")


def without(text: str, definition: str) -> str:
    """Rename a definition, or what an import calls it."""
    if " in " in definition:
        return text.replace(definition, "False")
    keyword, _, last = definition.rpartition(" ")
    plain = last.rpartition(".")[2]
    before = f"{keyword} " if keyword else last[: -len(plain)]
    defined = rf"^(\s*{re.escape(before)}){plain}\b(?=\(|:| =)"
    text = re.sub(defined, rf"\g<1>moved_{plain}", text, flags=re.MULTILINE)
    imports = re.compile(r"^(?: {4})?from \S+ import (?:\([^)]*\)|[^(\n]*)", re.MULTILINE)
    return imports.sub(lambda m: re.sub(rf"\b{plain}\b", f"{plain} as moved_{plain}", m[0]), text)


@pytest.mark.parametrize(
    ("module", "name"),
    [(module, name) for module, names in plugin.RELIED_ON.items() for name in names],
)
def test_a_name_that_moves_is_missed(prowler: Path, module: str, name: str) -> None:
    (path,) = prowler.glob(f"lib/python*/site-packages/{module.replace('.', '/')}.py")
    source = path.read_text("utf-8")
    assert plugin.is_defined(name, source)
    assert not plugin.is_defined(name, without(source, name))


SOURCES = {
    "defined": ("class Check(ABC):", "class Check", True),
    "defined without bases": ("class Check:", "class Check", True),
    "of another name": ("class Checks(ABC):", "class Check", False),
    "only used": ("Check()", "class Check", False),
    "imported": ("from prowler.new import Check", "class Check", True),
    "imported with others": ("from prowler.new import One, Check, Two", "class Check", True),
    "imported over lines": ("from new import (\n    One,\n    Check,\n)", "class Check", True),
    "another imported": ("from prowler.new import Check_Report_AWS", "class Check", False),
    "another imported over lines": ("from new import (\n    One,\n)\nCheck", "class Check", False),
    "imported in a try": (
        "try:\n    from new import Check\nexcept E:",
        "class Check",
        True,
    ),
    "imported under its name": ("from new import Old as Check", "class Check", True),
    "imported under another": ("from new import Check as Other", "class Check", False),
    "under another over lines": ("from a import (\n    Check as O,\n)", "class Check", False),
    "in a comment": ("from new import Other  # not Check", "class Check", False),
    "in a comment over lines": ("from new import (\n    O,  # not Check\n)", "class Check", False),
    "assigned": ("import new\nCheck = new.Check", "class Check", True),
    "assigned in a try": ("try:\n    Check = new.Check\nexcept E:", "class Check", True),
    "assigned to another": ("Other = new.Check", "class Check", False),
    "assigned in a method": ("        Check = self.Check", "class Check", False),
    "compared": ("Check == new.Check", "class Check", False),
    "an attribute": ("        self.session = session", "self.session", True),
    "a condition": ('if ("x" in Check):', '"x" in Check', True),
    "another condition": ('if ("y" in Check):', '"x" in Check', False),
}


@pytest.mark.parametrize(("source", "name", "there"), SOURCES.values(), ids=SOURCES)
def test_a_name_is_there(
    source: str, name: str, there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "of_prowler.py").write_text(f"import abc\n{source}\n")
    monkeypatch.syspath_prepend(tmp_path)
    with ExitStack() as stack:
        if not there:
            expected = f"^this Prowler has no {re.escape(name)} in of_prowler$"
            stack.enter_context(pytest.raises(ImportError, match=expected))
        plugin.require("of_prowler", (name,))


def of_prowler(source: str) -> set[tuple[str, str]]:
    """Return what a source imports of Prowler: each module with a name, or with none."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            found |= {(str(node.module), alias.name) for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {(alias.name, "") for alias in node.names}
        elif isinstance(node, ast.Constant) and re.fullmatch(r"prowler(\.\w+)+", str(node.value)):
            found.add((str(node.value), ""))  # for import_module, by whatever way it gets there
    return {(module, name) for module, name in found if module.split(".")[0] == "prowler"}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from prowler.new import Check, Other", {("new", "Check"), ("new", "Other")}),
        ("try:\n    from prowler.new import A\nexcept ImportError: ...", {("new", "A")}),
        ("import prowler.new", {("new", "")}),
        ("import prowler.new as new, os", {("new", "")}),
        ("NAME = 'prowler.new'\nimport_module(NAME)", {("new", "")}),
        ("import prowler_other, os\nfrom .facts import Model", set()),
    ],
)
def test_an_import_of_prowler_is_seen(source: str, found: set[tuple[str, str]]) -> None:
    assert of_prowler(source) == {(f"prowler.{module}", name) for module, name in found}


def test_every_name_of_prowler_that_is_imported_is_in_the_table() -> None:
    sources = [path.read_text("utf-8") for path in (ROOT / "checks").rglob("*.py")]
    imported = set().union(*map(of_prowler, sources))
    assert len(imported) > 5
    assert imported <= {
        (module, name)
        for module, definitions in plugin.RELIED_ON.items()
        for name in ("", *(definition.rpartition(" ")[2] for definition in definitions))
    }


@pytest.mark.parametrize(
    ("others", "lost"),
    [
        ([], ""),
        (["sagemaker_a"], ", and sagemaker_a is not there"),
        (["sagemaker_a", "sagemaker_b"], ", and sagemaker_a and sagemaker_b are not there"),
    ],
)
def test_the_checks_that_are_not_there_are_named(
    installation: Installation, others: list[str], lost: str
) -> None:
    """Prowler has no built-in check of their names, so nothing runs instead."""
    folder = installation.packages / plugin.__name__ / "sagemaker"
    folder.rename(folder.with_name("all"))
    try:
        for name in others:
            (folder / name).mkdir(parents=True)
            (folder / name / f"{name}.metadata.json").touch()
        assert_built_in(discover(installation), f"{SENTENCE}{lost}, because the plugin's folder")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        folder.with_name("all").rename(folder)


def test_a_zipped_plugin(installation: Installation, wheel: Path) -> None:
    done = discover(installation, PYTHONPATH=str(wheel))  # found before the installed one
    assert_built_in(done, "does not hold the check")


def test_an_editable_install_from_a_checkout_without_symbolic_links(
    make_installation: MakeInstallation, tmp_path: Path
) -> None:
    """Where git may not make them, it writes the link as a file that holds the target's name."""
    copy_sources(tmp_path / "checkout")
    link = tmp_path / "checkout" / plugin.__name__ / "sagemaker"
    link.unlink()
    link.write_text("../checks")
    editable = make_installation("without-links")
    editable.install("-e", str(tmp_path / "checkout"))
    done = discover(editable)
    assert_built_in(done, "is a file where the repository has a symbolic link")
    assert "without -e" in done.stderr
    assert "supports this Prowler" not in done.stderr
    editable.install("--force-reinstall", str(tmp_path / "checkout"))
    done = discover(editable)
    assert (done.stdout != f"{BUILT_IN_TITLE}\n", done.stderr) == (True, "")


def test_a_service_that_is_a_namespace_package(installation: Installation) -> None:
    """Its path cannot be added to; Prowler then finds no check of the service, ours or its own."""
    init = installation.own / plugin.SERVICE.replace(".", "/") / "__init__.py"
    init.rename(init.with_name("moved.py"))
    try:
        done = discover(installation)
        assert done.stderr.count(SENTENCE) == 1
        assert "no attribute 'insert'" in done.stderr
    finally:
        init.with_name("moved.py").rename(init)


def test_a_built_in_that_was_imported_before(installation: Installation) -> None:
    done = discover(installation, f"import {plugin.SERVICE}.{CHECK}, prowler.config.config")
    assert done.stderr.count(SENTENCE) == 1
    assert "the built-in check was imported before the plugin" in done.stderr


def test_taking_the_place_twice_is_taking_it_once(installation: Installation) -> None:
    code = f"""
import prowler.config.config, {plugin.__name__} as plugin, {plugin.SERVICE} as service
before = list(service.__path__)
plugin.take_the_place_of_the_built_in()
assert before == list(service.__path__)
assert before.index(plugin.folder_of_checks()) == 0
"""
    assert discover(installation, code).returncode == 0


def test_what_does_not_fit_is_said_and_not_raised(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(plugin, "CHECK", "another_check")
    plugin.take_the_place_of_the_built_in()
    assert "does not hold the check" in capsys.readouterr().err


def test_a_module_or_a_definition_that_is_missing_is_named() -> None:
    for module in ("prowler.config.missing", "prowler.missing.config"):
        with pytest.raises(ImportError, match=rf"no {re.escape(module)}$"):
            plugin.require(module, ())
    with pytest.raises(ImportError, match=r"no class Missing in prowler\.config\.config"):
        plugin.require("prowler.config.config", ("class Missing",))


def test_the_line_is_cheap(installation: Installation) -> None:
    """It imports neither boto3 nor the service, which every `prowler` command would pay for."""
    code = (
        f"import sys, {plugin.SERVICE}; before = set(sys.modules); import {plugin.__name__}; "
        "print(sorted(m for m in set(sys.modules) - before if m.startswith(('boto', 'prowler.'))))"
    )
    done = discover(installation, code)
    assert done.stderr == ""
    loaded = set(re.findall(r"'([^']+)'", done.stdout))
    assert not {m for m in loaded if m.startswith("boto")}
    assert loaded.isdisjoint(plugin.RELIED_ON)
