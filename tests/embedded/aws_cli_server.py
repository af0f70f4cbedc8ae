"""The AWS CLI, started once and forked for each command: a start costs half a CPU second."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

from awscli.clidriver import create_clidriver  # type: ignore[import-untyped]

from .fork_server import command, serve


@contextmanager
def aws_command(folder: Path) -> Iterator[Path]:
    """Give a command `aws` in a folder, whose runs are forked."""
    with command(folder / "aws", sys.executable, __name__):
        yield folder / "aws"


def main() -> None:
    """Load what `aws sagemaker` and `aws sts` need, and be a run of `aws` in each fork."""
    os.environ.update(AWS_EC2_METADATA_DISABLED="true", AWS_MAX_ATTEMPTS="1")
    os.environ.update(AWS_ACCESS_KEY_ID="testing", AWS_SECRET_ACCESS_KEY="testing")
    os.environ.update(AWS_DEFAULT_REGION="eu-west-1")  # as an option it would stay
    driver = create_clidriver()
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        for service, operation in (("sagemaker", "list-models"), ("sts", "get-caller-identity")):
            url = "http://127.0.0.1:1"  # nobody answers; it is for what is loaded on the way
            driver.main([service, operation, f"--endpoint-url={url}"])
    serve(sys.argv[1], lambda: driver.main(sys.argv[1:]))


if __name__ == "__main__":
    main()
