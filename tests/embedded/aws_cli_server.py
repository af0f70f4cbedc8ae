"""The AWS CLI, started once and forked for each command: a start costs a CPU second, a fork 0.1.

A run has the caller's arguments, variables, folder and descriptors, and is the AWS CLI's own code.
"""

import gc
import io
import marshal
import os
import select
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from subprocess import PIPE, Popen
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).parents[2]
CLIENT = f"""#!{sys.executable} -IS
import marshal, os, socket, sys
server = socket.socket(socket.AF_UNIX)
server.connect({{path!r}})
run = marshal.dumps([sys.argv[1:], dict(os.environ)])
socket.send_fds(server, [run], [0, 1, 2, os.open(".", os.O_RDONLY)])
server.shutdown(socket.SHUT_WR)
sys.exit(int(server.recv(16) or b"255"))
"""


@contextmanager
def aws_command() -> Iterator[Path]:
    """Give a command `aws` in a folder of its own, whose runs are forks."""
    with TemporaryDirectory() as folder:  # a Unix socket's path must be short
        address, path = f"{folder}/socket", Path(folder, "aws")
        path.write_text(CLIENT.format(path=address))
        path.chmod(0o755)
        start = [sys.executable, "-m", __name__, address]
        with Popen(start, stdin=PIPE, stdout=PIPE, cwd=ROOT) as server:
            # If it does not start, it says why on stderr.
            assert server.stdout
            assert server.stdout.readline() == b"ready\n"
            yield path


def main() -> None:
    """Load what `aws sagemaker` and `aws sts` need, and fork until standard input ends."""
    from awscli.clidriver import create_clidriver  # type: ignore[import-untyped]

    os.environ.update(AWS_EC2_METADATA_DISABLED="true", AWS_MAX_ATTEMPTS="1")
    os.environ.update(AWS_ACCESS_KEY_ID="testing", AWS_SECRET_ACCESS_KEY="testing")
    os.environ.update(AWS_DEFAULT_REGION="eu-west-1")  # as an option it would stay
    driver = create_clidriver()
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        for words in ("sagemaker list-models", "sts get-caller-identity"):
            # Nobody answers; it is for what is loaded on the way.
            driver.main([*words.split(), "--endpoint-url=http://127.0.0.1:1"])
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(sys.argv[1])
    listener.listen(64)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    gc.freeze()  # a fork would copy what its collector looks at
    print("ready", flush=True)
    while 0 not in select.select([listener.fileno(), 0], [], [])[0]:
        connection, _ = listener.accept()
        if not os.fork():
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _be_a_run(connection, driver)
        connection.close()


def _be_a_run(connection: socket.socket, driver: Any) -> None:
    """Take what a caller gives, run, tell it the exit code, and end."""
    given, descriptors, _, _ = socket.recv_fds(connection, 1 << 20, 4)
    while more := connection.recv(1 << 20):
        given += more
    arguments, variables = marshal.loads(given)  # noqa: S302 (our own client's)
    os.environ.clear()
    os.environ.update(variables)
    for number, descriptor in enumerate(descriptors[:3]):
        os.dup2(descriptor, number)
    os.fchdir(descriptors[3])
    code: object = 255
    try:
        code = driver.main(arguments)
    except SystemExit as end:
        code = end.code
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        connection.sendall(str(code or 0).encode())
        os._exit(0)  # an interpreter's end takes a second where so much is imported


if __name__ == "__main__":
    main()
