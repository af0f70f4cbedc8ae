"""The documents: every command is one, every link leads somewhere, every recipe is a valid file."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from prowler_sagemaker_network_isolation.cli.main import parser

from ..embedded import aws_cli
from ..embedded.aws_cli import DOCS, PAGES
from ..embedded.installation import ROOT

SCHEMAS = {
    ".github/dependabot.yml": "vendor.dependabot",
    ".github/workflows/newest-prowler.yml": "vendor.github-workflows",
    ".github/workflows/release.yml": "vendor.github-workflows",
    ".github/workflows/test.yml": "vendor.github-workflows",
    "docs/ci/github.yml": "vendor.github-workflows",
    "docs/ci/gitlab.yml": "vendor.gitlab-ci",
}


@pytest.mark.parametrize(
    "command", [c for c in aws_cli.on_pages("sagemaker-isolation") if c.count(" ") > 1]
)
def test_the_plugins_command_takes_every_command(command: str) -> None:
    arguments = re.sub("[<>]", "", re.split(r" \|\|? | &&", command)[0])
    assert parser().parse_args(shlex.split(arguments)[1:])


@pytest.mark.parametrize("command", [c for c in aws_cli.on_pages("aws") if "s3 cp" not in c])
def test_the_aws_cli_takes_every_command(command: str) -> None:
    aws_cli.check(command)


def test_make_has_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    # Under `make test` it is a make of a make, which says so before and after.
    help_ = ["make", "--no-print-directory", "help"]
    done = subprocess.run(help_, cwd=ROOT, capture_output=True, text=True, check=True)
    targets = [line.split(maxsplit=1)[0] for line in done.stdout.splitlines()]
    (phony,) = re.findall(r"^\.PHONY: ((?:.*\\\n)*.*)", makefile, re.MULTILINE)
    assert targets == phony.replace("\\\n", "").split()
    for command in aws_cli.on_pages("make"):
        assert {word for word in shlex.split(command)[1:] if "=" not in word} <= set(targets)


def anchors(path: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.MULTILINE)
    plain = (re.sub(r"\[(.+?)\]\(.+?\)", r"\1", heading) for heading in headings)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in plain}


@pytest.mark.parametrize(
    "path", [*PAGES, ROOT / "CHANGELOG.md"], ids=lambda path: str(path.relative_to(ROOT))
)
def test_every_link_to_a_file_leads_somewhere(path: Path) -> None:
    text = re.sub(r"^```.*?^```", "", path.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if not target.startswith("https://"):
            name, _, anchor = target.partition("#")
            file = path.parent / name if name else path
            assert file.exists(), target
            assert not anchor or anchor in anchors(file), target


def test_the_table_of_contents_has_every_page() -> None:
    contents = (DOCS / "README.md").read_text("utf-8")
    for path in DOCS.glob("*.md"):
        assert path.name == "README.md" or f"]({path.name})" in contents, path.name


@pytest.mark.parametrize("name", SCHEMAS)
def test_github_and_gitlab_take_their_files(name: str) -> None:
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", SCHEMAS[name]]
    done = subprocess.run([*check, ROOT / name], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", [name for name in SCHEMAS if "workflows" in SCHEMAS[name]])
def test_every_action_is_pinned_to_a_commit(name: str) -> None:
    """By its hash, with what that is in a comment."""
    for action in re.findall(r"uses: (.+)", (ROOT / name).read_text("utf-8")):
        assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # (v\d+\.\d+\.\d+|\d{4}-\d\d-\d\d)", action)


def test_the_recipe_has_the_actions_of_our_own_workflows() -> None:
    """By way of .github/dependabot.yml, which raises both."""
    recipe = (DOCS / "ci" / "github.yml").read_text("utf-8")
    own = [path.read_text("utf-8") for path in (ROOT / ".github" / "workflows").iterdir()]
    ours, theirs = (dict(re.findall(r"uses: (.+)@(.+)", text)) for text in ("".join(own), recipe))
    shared = ours.keys() & theirs
    assert len(shared) > 1
    assert all(ours[action] == theirs[action] for action in shared)
