"""The documents: every command is one, every link leads somewhere, every recipe is a valid file."""

import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from prowler_sagemaker_network_isolation.cli.main import parser

from ..embedded import aws_cli
from ..embedded.aws_cli import PAGES
from ..embedded.installation import ROOT

SCHEMAS = {
    "dependabot": [".github/dependabot.yml"],
    "github-workflows": [".github/workflows", "docs/ci/github.yml"],
    "gitlab-ci": ["docs/ci/gitlab.yml"],
}


@pytest.mark.parametrize(
    "command", [c for c in aws_cli.on_pages("sagemaker-isolation") if c.count(" ") > 1]
)
def test_the_plugins_command_takes_every_command(command: str) -> None:
    arguments = re.sub("[<>]", "", re.split(r" \|\|? | &&", command)[0])
    assert parser().parse_args(shlex.split(arguments)[1:])


# All but uploads, and what takes a file that another command makes: that is run in test_pages.py.
COMMANDS = [
    command
    for command in aws_cli.on_pages("aws")
    if "s3 cp" not in command
    and all((ROOT / name).exists() for name in re.findall(r"file://(\S+)", command))
]


@pytest.fixture(scope="module")
def calls_of() -> Iterator[Callable[[str], list[str]]]:
    """Return the operations that the AWS CLI would call by a command, which it takes as it is."""
    from awscli.clidriver import create_clidriver  # type: ignore[import-untyped]

    called: list[str] = []

    def call(model: Any, **_: Any) -> None:
        called.append(model.name)
        raise ConnectionError("nothing is sent")

    def run(command: str) -> list[str]:
        called.clear()
        arn = "arn:aws:iam::111122223333:role/x"  # a placeholder is too short for one
        driver.main(shlex.split(re.sub(r"(?<= )[a-z][a-z-]+-arn\b", arn, command))[1:])
        return called

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(key, "testing")
        patch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        driver = create_clidriver()
        driver.session.register("before-call", call)
        yield run


@pytest.mark.parametrize("command", COMMANDS)
def test_the_aws_cli_takes_every_command(
    calls_of: Callable[[str], list[str]], command: str
) -> None:
    assert len(calls_of(command)) == 1


def test_make_has_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):.* ## ", makefile, re.MULTILINE))
    for command in aws_cli.on_pages("make"):
        assert {word for word in shlex.split(command)[1:] if "=" not in word} <= targets


def anchors(path: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.MULTILINE)
    plain = (re.sub(r"\[(.+?)\]\(.+?\)", r"\1", heading) for heading in headings)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("path", [*PAGES, ROOT / "CHANGELOG.md"], ids=lambda path: path.name)
def test_every_link_to_a_file_leads_somewhere(path: Path) -> None:
    text = re.sub(r"^```.*?^```", "", path.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if not target.startswith("https://"):
            name, _, anchor = target.partition("#")
            file = path.parent / name if name else path
            assert file.exists(), target
            assert not anchor or anchor in anchors(file), target


def files(schema: str) -> list[Path]:
    """Return the files that a schema is for."""
    paths = [ROOT / name for name in SCHEMAS[schema]]
    return [
        file for path in paths for file in (sorted(path.iterdir()) if path.is_dir() else [path])
    ]


@pytest.mark.parametrize("schema", SCHEMAS)
def test_github_and_gitlab_take_their_files(schema: str) -> None:
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}"]
    done = subprocess.run([*check, *files(schema)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_action_is_pinned_to_a_commit() -> None:
    """By its hash, with what that is in a comment."""
    texts = [path.read_text("utf-8") for path in files("github-workflows")]
    actions = re.findall(r"uses: (.+)", "".join(texts))
    assert actions
    for action in actions:
        assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # (v\d+\.\d+\.\d+|\d{4}-\d\d-\d\d)", action)
