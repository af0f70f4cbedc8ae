"""Whether a command of the AWS CLI, as our texts show it, is one that AWS has.

The AWS CLI makes its commands out of botocore's models: the operation, an option for each member
of its input, and a shorthand of `Member=value` pairs for structures. So does this.
"""

import re
import shlex

import botocore.session
from botocore.model import Shape, StructureShape

GLOBAL_OPTIONS = {"Query", "Region", "Output", "Profile"}


def check(command: str) -> None:
    """Assert that a command exists, with its options and the members of its shorthand.

    Args:
        command: The command in one line, with placeholders such as `<model-name>`.

    Raises:
        AssertionError: AWS has no such service, operation, option or member, or a required one
            is missing.
    """
    aws, service, operation, *arguments = shlex.split(re.sub("[<>]", "", command))
    session = botocore.session.get_session()
    assert aws == "aws"
    model = session.get_service_model(service)
    if operation == "wait":
        waiters = session.get_waiter_model(service)
        operation = waiters.get_waiter(api_name(arguments.pop(0))).operation
    shape = model.operation_model(api_name(operation)).input_shape
    given = options(arguments)
    assert set(shape.required_members) <= set(given), command
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
    if not isinstance(shape, StructureShape) or values[0].startswith("{"):
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
