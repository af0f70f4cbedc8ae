"""The documents: every command exists and is run somewhere, every sentence is explained, every
link leads somewhere."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from ..embedded import aws_cli
from ..embedded.installation import CHECK, ROOT, Installation

DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
RECIPE = DOCS / "ci" / "security_hub.py"
CONTENTS = DOCS / "README.md"
TROUBLESHOOTING = (DOCS / "troubleshooting.md").read_text("utf-8")
# Where a command is run, by its beginning, with the longest first; the AWS CLI's are checked here
# and run by test_remediation.
RUN_BY = {
    "PARALLEL=4 docs/organisations/scan-accounts.sh": "tests/cli/test_organisations.py",
    "make bench": ".ci/run",
    "make bench-accounts": ".ci/run",
    "make build": ".ci/run",
    "make compat": ".ci/run",
    "make demo": "tests/cli/test_demo.py",
    "make faults": "tests/engine/test_faults.py",
    "make frameworks": ".ci/run",
    "make lint": "Makefile",
    "make permissions": "tests/engine/test_permissions.py",
    "make pictures": "tests/tools/pictures.py",
    "make terraform-schema": ".ci/run",
    "make test": ".ci/run",
    "pip --version": "tests/embedded/installation.py",
    "pip check": "tests/cli/test_installation.py",
    "pip install": "tests/embedded/installation.py",
    "pip uninstall": "tests/embedded/installation.py",
    "prowler aws": "tests/embedded/installation.py",
    "prowler aws --checks": "tests/cli/test_scan.py",
    "prowler aws --compliance": "tests/cli/test_compliance.py",
    "prowler aws --list-checks": "tests/cli/test_installation.py",
    "prowler aws --list-compliance": "tests/cli/test_compliance.py",
    "prowler aws -x": "tests/cli/test_installation.py",
    "python3 docs/auditor/evidence.py": "tests/cli/test_compliance.py",
    "python3 docs/ci/security_hub.py": "tests/cli/test_security_hub.py",
    "sh output/prowler-rollback": "tests/cli/test_fixer_by_cli.py",
}
# A quarter of an hour of mutants, and an App that is not ours, are not part of every run.
NOT_RUN = ("make app", "make mutants")
BEGINNINGS = ("PARALLEL=", "aws ", "make ", "pip ", "prowler ", "python3 ", "sh ", "terraform ")


def commands(path: Path) -> list[str]:
    """Return the commands on a page, each in one line: indented ones, and those of make in text."""
    text = re.sub(r"^```.*?^```", "", path.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    lines = re.findall(r"^    (\S.*)$", re.sub(r" \\\n +", " ", text), re.MULTILINE)
    lines += re.findall(r"`(make [^`]+)`", text)
    return [re.sub(r" +#.*", "", line) for line in lines if line.startswith(BEGINNINGS)]


COMMANDS = sorted({command for path in PAGES for command in commands(path)})


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_run_by_a_test_or_by_ci(command: str) -> None:
    if command.startswith(("aws ", *NOT_RUN)):
        return
    beginning = max((b for b in RUN_BY if command.startswith(b)), key=len, default=None)
    assert beginning, "a new command needs a test that runs it"
    assert (ROOT / RUN_BY[beginning]).is_file()


def test_prowler_takes_every_command(installed: Installation) -> None:
    """By the parser of an installation with the plugin, whose frameworks it knows."""
    arguments = [
        shlex.split(re.sub("[<>]", "", command.partition(" | ")[0]))[1:]
        for command in COMMANDS
        if command.startswith("prowler ")
    ]
    assert len(arguments) > 8
    code = f"""
from prowler.lib.cli.parser import ProwlerArgumentParser
for arguments in {arguments!r}:
    ProwlerArgumentParser().parser.parse_args(arguments)
"""
    python = str(installed.folder / "bin" / "python")
    subprocess.run([python, "-c", code], cwd=installed.folder, check=True)


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith("aws ")])
def test_the_aws_cli_takes_every_command(command: str) -> None:
    aws_cli.check(command.partition(" > ")[0])


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith("make ")])
def test_make_has_every_target(command: str) -> None:
    target = shlex.split(command)[1]
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)


def anchors(path: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.MULTILINE)
    plain = (re.sub(r"\[(.+?)\]\(.+?\)", r"\1", heading) for heading in headings)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_link_to_a_file_leads_somewhere(path: Path) -> None:
    text = re.sub(r"^```.*?^```", "", path.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if re.match(r"https://", target):
            continue
        name, _, anchor = target.partition("#")
        file = path.parent / name if name else path
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


def test_the_table_of_contents_has_every_page() -> None:
    contents = CONTENTS.read_text("utf-8")
    assert "(docs/README.md)" in PAGES[0].read_text("utf-8")
    for path in PAGES[1:]:
        assert path == CONTENTS or f"]({path.name})" in contents, path.name


def test_the_readme_is_read_in_one_sitting() -> None:
    assert len(PAGES[0].read_text("utf-8").split()) <= 1300


def runs_of_three_words(text: str) -> set[str]:
    """Return all runs of three words of a text."""
    words = re.findall(r"[\w:.-]+", text)
    return {" ".join(words[i : i + 3]).strip(".:") for i in range(len(words) - 2)}


def test_troubleshooting_explains_every_sentence_that_the_check_says() -> None:
    """Those of the fixer are on its page, and a test beside it holds it to them."""
    lib = ROOT / "checks" / CHECK / "lib"
    sources = [
        *lib.glob("*.py"),
        ROOT / "checks" / CHECK / f"{CHECK}.py",
        *(ROOT / "prowler_sagemaker_network_isolation").glob("*.py"),
        ROOT / "tests" / "tools" / "demo.py",
        ROOT / "docs" / "ci" / "sarif.py",
        RECIPE,
    ]
    source = "".join(path.read_text("utf-8") for path in sources)
    says = r"Error\(|why = |remedy = |return cls\(what, |error\(|exit\(|print\("
    said = re.findall(rf'(?:{says})\s*f?"([^"]+)"', source)
    said += re.findall(r'(?:yield|\[)\s*f?"([^"]+)"', RECIPE.read_text("utf-8"))
    assert len(said) > 20
    explained = runs_of_three_words(TROUBLESHOOTING)
    for sentence in said:
        parts = re.split(r"\{[^}]*\}", sentence)
        runs = set().union(*map(runs_of_three_words, parts))
        # What begins with a blank is what the demo shows on its way.
        assert not runs or runs & explained or sentence.startswith(("\\n", " ")), sentence
