"""The AWS CLI, started once and forked for each command, because a start costs half a CPU second.

Run it with the path of a Unix socket. `CLIENT` is an `aws` command that has it run the caller's
arguments with the caller's variables, output and folder.
"""

import io
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from subprocess import PIPE, Popen

from awscli.clidriver import create_clidriver  # type: ignore[import-untyped]

CLIENT = f"""#!{sys.executable} -IS
import json, os, socket, sys
server = socket.socket(socket.AF_UNIX)
server.connect({{path!r}})
run = json.dumps([sys.argv[1:], dict(os.environ)]).encode()
socket.send_fds(server, [run], [1, 2, os.open(".", os.O_RDONLY)])
sys.exit(int(server.recv(16) or b"255"))
"""


@contextmanager
def aws_command(folder: Path) -> Iterator[Path]:
    """Have the server, and give a command `aws` in a folder that uses it."""
    path, client = folder / "socket", folder / "aws"
    command = [sys.executable, __file__, str(path)]
    with Popen(command, stdin=PIPE, stdout=PIPE) as server:
        assert server.stdout
        server.stdout.readline()
        client.write_text(CLIENT.format(path=str(path)))
        client.chmod(0o755)
        yield client
        server.kill()


def serve(path: str) -> None:
    """Serve until standard input ends, as it does with the caller; a fork does each command."""
    os.environ.update(AWS_EC2_METADATA_DISABLED="true", AWS_MAX_ATTEMPTS="1")
    os.environ.update(AWS_ACCESS_KEY_ID="testing", AWS_SECRET_ACCESS_KEY="testing")
    os.environ.update(AWS_DEFAULT_REGION="eu-west-1")  # as an option it would stay
    driver = create_clidriver()
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        for service, command in (("sagemaker", "list-models"), ("sts", "get-caller-identity")):
            url = "http://127.0.0.1:1"  # nobody answers; it is for what is loaded on the way
            driver.main([service, command, f"--endpoint-url={url}"])
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(64)
    print("ready", flush=True)
    while 0 not in select.select([listener.fileno(), 0], [], [])[0]:
        connection, _ = listener.accept()
        if os.fork():
            connection.close()
            continue
        run, (*outputs, folder), _, _ = socket.recv_fds(connection, 1 << 20, 3)
        arguments, variables = json.loads(run)
        for number, descriptor in enumerate(outputs, 1):
            os.dup2(descriptor, number)
        os.fchdir(folder)
        os.environ.clear()
        os.environ.update(variables)
        connection.sendall(str(driver.main(arguments)).encode())
        os._exit(0)


if __name__ == "__main__":
    serve(sys.argv[1])
