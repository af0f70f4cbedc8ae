"""The documents: every command is one, every link leads somewhere, every recipe is a valid file."""

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from prowler_sagemaker_network_isolation.cli.main import parser

from ..embedded import aws_cli
from ..embedded.aws_cli import PAGES
from ..embedded.installation import ROOT

WORKFLOWS = [*sorted((ROOT / ".github" / "workflows").iterdir()), ROOT / "docs/ci/github.yml"]
SCHEMAS = {
    "dependabot": [ROOT / ".github/dependabot.yml"],
    "github-workflows": WORKFLOWS,
    "gitlab-ci": [ROOT / "docs/ci/gitlab.yml"],
}


@pytest.mark.parametrize(
    "command", [c for c in aws_cli.on_pages("sagemaker-isolation") if c.count(" ") > 1]
)
def test_the_plugins_command_takes_every_command(command: str) -> None:
    arguments = re.sub("[<>]", "", re.split(r" \|\|? | &&", command)[0])
    assert parser().parse_args(shlex.split(arguments)[1:])


def test_the_aws_cli_takes_every_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """All but uploads, and what takes a file that another makes: that is run in test_pages.py."""
    from awscli.clidriver import create_clidriver  # type: ignore[import-untyped]

    monkeypatch.chdir(ROOT)
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(key, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    driver, called = create_clidriver(), []

    def call(model: Any, **_: Any) -> None:
        called.append(model.name)
        raise ConnectionError("nothing is sent")

    driver.session.register("before-call", call)
    for command in aws_cli.on_pages("aws"):
        made = [name for name in re.findall(r"file://(\S+)", command) if not Path(name).exists()]
        if not made and "s3 cp" not in command:
            called.clear()
            # A placeholder is too short for an ARN.
            filled = re.sub(
                r"(?<= )[a-z][a-z-]+-arn\b", "arn:aws:iam::111122223333:role/x", command
            )
            driver.main(shlex.split(filled)[1:])
            assert len(called) == 1, command


def test_make_has_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):.* ## ", makefile, re.MULTILINE))
    for command in aws_cli.on_pages("make"):
        assert {word for word in shlex.split(command)[1:] if "=" not in word} <= targets


@pytest.mark.parametrize("path", [*PAGES, ROOT / "CHANGELOG.md"], ids=lambda path: path.name)
def test_every_link_to_a_file_leads_somewhere(path: Path) -> None:
    text = re.sub(r"^```.*?^```", "", path.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    for name in re.findall(r"\]\(([^)#]+)", text):
        assert name.startswith("https://") or (path.parent / name).exists(), name


@pytest.mark.parametrize("schema", SCHEMAS)
def test_github_and_gitlab_take_their_files(schema: str) -> None:
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}"]
    done = subprocess.run([*check, *SCHEMAS[schema]], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_action_is_pinned_to_a_commit() -> None:
    """By its hash, with what that is in a comment."""
    actions = re.findall(r"uses: (.+)", "".join(path.read_text("utf-8") for path in WORKFLOWS))
    assert actions
    for action in actions:
        assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # (v\d+\.\d+\.\d+|\d{4}-\d\d-\d\d)", action)
