"""Commands, as our texts show them: those of the AWS CLI whether AWS has them, and what they do.

The AWS CLI makes its commands out of botocore's models: the operation, an option for each member
of its input, and a shorthand of `Member=value` pairs for structures. So does this.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

import botocore.session
from botocore.model import Shape, StructureShape

from .installation import ROOT, access

if TYPE_CHECKING:
    from .server import EmbeddedAWS

DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
AWS = Path(sys.executable).with_name("aws")
GLOBAL_OPTIONS = {"CliInputJson", "Query", "Region", "Output", "Profile"}


def on_pages(program: str) -> list[str]:
    """Return a program's commands on all pages, in blocks, tables and sentences, each in one line.

    They are without the brackets of placeholders and without what follows, such as a pipe.
    """
    lines: list[str] = []
    for path in PAGES:
        text = re.sub(r" *\\\n +", " ", path.read_text("utf-8"))
        lines += re.findall(r"^ {4,}(\S.*)$", text, re.MULTILINE)
        for block in re.findall(r"^```(?:sh|bash)?\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
            lines += block.splitlines()
        sentences = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
        lines += [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", sentences)]
    plain = (re.sub(r"<([^<> ]+)>", r"\1", line) for line in lines if re.match(f"{program} ", line))
    return sorted({re.split(r" \| | &&| +# | > ", line)[0] for line in plain})


def commands_in(text: str) -> list[str]:
    """Return the commands of the AWS CLI in fenced and indented blocks of Markdown, a line each."""
    return re.findall(r"^ *(aws .+)$", text.replace("\\\n", " "), re.MULTILINE)


def run(
    aws: EmbeddedAWS,
    region: str,
    commands: list[str],
    values: dict[str, str],
    folder: Path,
) -> list[str]:
    """Run commands in a shell, one after the other, and return what each printed.

    Args:
        region: The AWS CLI's default region.
        commands: Commands, each in one line, which may hold pipes and redirections.
        values: What to put in the place of each placeholder, by the name in `<model-name>`.
        folder: Where they run and keep their files.

    Raises:
        KeyError: A placeholder has no value.
        subprocess.CalledProcessError: A command failed.
    """
    environment = {
        "PATH": f"{AWS.parent}:/usr/bin:/bin",
        **access(aws),
        "AWS_DEFAULT_REGION": region,
    }
    printed = []
    for command in commands:
        filled = re.sub(r"<([a-z0-9-]+)>", lambda found: values[found[1]], command)
        shell = ["sh", "-c", filled]
        done = subprocess.run(
            shell, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, check=True
        )
        printed.append(done.stdout.strip())
    return printed


def check(command: str) -> None:
    """Assert that a command exists, with its options and the members of its shorthand.

    Args:
        command: The command in one line, with placeholders such as `<model-name>`. What follows a
            pipe or a redirection is not looked at.

    Raises:
        AssertionError: AWS has no such service, operation, option or member, or a required one
            is missing.
    """
    words = shlex.split(re.sub(r"<([\w-]+)>", r"\1", command))
    aws, service, operation, *arguments = takewhile(lambda word: word not in ("|", ">"), words)
    session = botocore.session.get_session()
    assert aws == "aws"
    model = session.get_service_model(service)
    if operation == "wait":
        waiters = session.get_waiter_model(service)
        operation = waiters.get_waiter(api_name(arguments.pop(0))).operation
    shape = model.operation_model(api_name(operation)).input_shape
    given = options(arguments)
    assert "CliInputJson" in given or set(shape.required_members) <= set(given), command
    for option, values in given.items():
        if option in GLOBAL_OPTIONS:
            continue
        plain = option.removeprefix("No")
        assert option in shape.members or plain in shape.members, (command, option)
        if option in shape.members:
            check_shorthand(shape.members[option], values)


def check_shorthand(shape: Shape, values: list[str]) -> None:
    """Assert that a shorthand names members that a structure, or each of a list, has."""
    if shape.type_name == "list":
        shape = shape.member
    if not isinstance(shape, StructureShape) or values[0].startswith(("{", "file://")):
        return
    for value in values:
        members = set(re.findall(r"(?:^|,)(\w+)=", value))
        assert members, value
        assert members <= set(shape.members), value
        assert set(shape.required_members) <= members, value


def options(arguments: list[str]) -> dict[str, list[str]]:
    """Return the values of each option, by its name in the API."""
    found: dict[str, list[str]] = {}
    for argument in arguments:
        if argument.startswith("--"):
            name = api_name(argument[2:])
            found[name] = []
        else:
            found[name].append(argument)
    return found


def api_name(cli_name: str) -> str:
    """Return what the API calls an operation or an option of the AWS CLI."""
    return "".join(part[0].upper() + part[1:] for part in cli_name.split("-"))
