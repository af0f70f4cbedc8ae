"""A Python program that is started once and forked for each run, where its start takes seconds.

The program imports what its runs need and calls `serve` with the function that is a run: it has the
caller's arguments, variables, folder and descriptors. `command` makes a command of it. What Python
itself reads at its start, such as PYTHONPATH, is that of the program and not of the caller.

It uses the standard library only, for it runs in installations of Prowler too.
"""

import gc
import marshal
import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE, Popen
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[2]
# It imports what is built into Python alone: `json` and `socket` would take 15 ms of each run.
CLIENT = f"""#!{sys.executable} -IS
import _socket, marshal, os, sys
server = _socket.socket(_socket.AF_UNIX)
server.connect({{path!r}})
run = marshal.dumps([sys.argv[1:], dict(os.environ)])
descriptors = [0, 1, 2, os.open(".", os.O_RDONLY)]
rights = b"".join(number.to_bytes(4, sys.byteorder) for number in descriptors)
server.sendmsg([run], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, rights)])
server.shutdown(_socket.SHUT_WR)
sys.exit(int(server.recv(16) or b"255"))
"""


@contextmanager
def command(
    path: Path, python: str, program: str, *arguments: str, variables: dict[str, str] | None = None
) -> Iterator[None]:
    """Have a command whose runs are forks of a program, for as long as the context lasts.

    Args:
        path: Where to write the command.
        python: The Python that the program runs in.
        program: The program's module, of this project.
        arguments: The program's; the last that it gets is the path of a Unix socket, to serve at.
        variables: The environment that it is started in; by default, this process's.

    Raises:
        RuntimeError: The program did not start; it said why on stderr.
    """
    with TemporaryDirectory() as folder:  # a Unix socket's path must be short
        address = f"{folder}/socket"
        start = [python, "-m", program, *arguments, address]
        with Popen(start, stdin=PIPE, stdout=PIPE, env=variables, cwd=ROOT) as server:
            if not server.stdout or server.stdout.readline() != b"ready\n":
                raise RuntimeError(f"{program} did not start")
            path.write_text(CLIENT.format(path=address))
            path.chmod(0o755)
            yield


def serve(address: str, run: Callable[[], int | None]) -> None:
    """Serve until standard input ends, as it does with the caller of `command`.

    Args:
        address: The path of the Unix socket.
        run: What each fork does; it returns the exit code, or raises SystemExit as a program does.
    """
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen(64)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    gc.freeze()  # a fork would copy what its collector looks at
    print("ready", flush=True)
    while 0 not in select.select([listener.fileno(), 0], [], [])[0]:
        connection, _ = listener.accept()
        if not os.fork():
            listener.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            be_a_run(connection, run)
        connection.close()


def be_a_run(connection: socket.socket, run: Callable[[], int | None]) -> None:
    """Take what a caller gives, run, tell it the exit code, and end."""
    given, descriptors, _, _ = socket.recv_fds(connection, 1 << 20, 4)
    while more := connection.recv(1 << 20):
        given += more
    sys.argv[1:], variables = marshal.loads(given)  # noqa: S302 (our own client's)
    os.environ.clear()
    os.environ.update(variables)
    *standard, folder = descriptors
    for number, descriptor in enumerate(standard):
        os.dup2(descriptor, number)
    os.fchdir(folder)
    for descriptor in descriptors:
        os.close(descriptor)
    code: object = 1
    try:
        code = run()
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    connection.sendall(str(code or 0).encode())
    os._exit(0)  # an interpreter's end takes a second where so much is imported
