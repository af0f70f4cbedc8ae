"""A faster start of the AWS CLI."""

from collections.abc import Iterator

import pytest

from ..embedded import aws_cli
from ..embedded.aws_cli_server import aws_command


@pytest.fixture(scope="module")
def forked_aws_cli() -> Iterator[None]:
    """Have the AWS CLI forked for each command; tests/cli starts it as a user does."""
    with pytest.MonkeyPatch.context() as patch, aws_command() as command:
        patch.setattr(aws_cli, "AWS", command)
        yield
