"""A Prowler that is started once and forked for each run, because a start costs ten CPU seconds.

A server is a process of one installation: its interpreter, its packages, its place-taking. It has
imported Prowler and read what every run of `prowler aws` reads first: the checks' metadata, the
frameworks and botocore's models. For each run it forks; the fork takes on the caller's arguments,
variables, folder, file descriptors and time, and runs the installation's own `prowler` script to
the interpreter's end.
The `prowler` command of a forked installation is a small client, so scripts use the server too.

A run is forked only where a cold start would see the same. Prowler starts cold where
- the installation's own packages but Prowler have changed since the server started,
- a variable differs that is not among those that nothing reads at the start (`MAY_DIFFER`),
- DEBUG is among its arguments, for botocore says at that level what it reads,
- the output is a terminal,
- the server printed or logged anything at its start, which a cold run would print again.
What forks have in common and cold runs have not is the seed of Python's hashes.

This file uses the standard library only, as it is the client, the server and the tests' side.
"""

import contextlib
import functools
import json
import os
import re
import selectors
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

MAY_DIFFER = (
    r"AWS_.*|PATH|PWD|OLDPWD|SHLVL|_|COV_.*|COVERAGE_.*|PYTEST_.*"
    r"|BASH_FUNC_scan%%|OUTPUT|PARALLEL|PARTITION|ROLE"  # of scan-accounts.sh
)
SOCKET, LOG = "prowler-server", "prowler-server.log"
HOLD, RUN = b"h", b"r"  # what a connection is for
READY, COLD = "ready", "cold"  # what the server answers
held: list[Any] = []  # a server lives for as long as a process holds a connection to it


def connect(folder: str) -> socket.socket:
    """Return a connection to the server of an installation.

    A Unix socket's path must be short, so it is named through the descriptor of its folder.
    """
    connection = socket.socket(socket.AF_UNIX)
    at = os.open(folder, os.O_RDONLY)
    try:
        connection.connect(f"/proc/self/fd/{at}/{SOCKET}")
    finally:
        os.close(at)
    return connection


def cold(folder: str) -> str:
    """Return the path of the script that starts Prowler cold."""
    return f"{folder}/bin/cold/prowler"


def ask(folder: str) -> None:
    """Be the `prowler` command of an installation: run it, and end as the run ends.

    Args:
        folder: The installation's virtual environment.
    """
    if not os.isatty(1) and not os.isatty(2):
        umask = os.umask(0)
        os.umask(umask)
        run = {"arguments": sys.argv[1:], "variables": dict(os.environ), "umask": umask}
        with connect(folder) as server:
            here = os.open(".", os.O_RDONLY)
            socket.send_fds(server, [RUN], [0, 1, 2, here])
            server.sendall(json.dumps(run).encode() + b"\n")
            answer = server.recv(100).decode()
        if answer != COLD:
            code = int(answer)  # an empty one is an error: the server is gone
            if code < 0:
                signal.signal(-code, signal.SIG_DFL)
                os.kill(os.getpid(), -code)
            sys.exit(code)
    os.execv(cold(folder), [cold(folder), *sys.argv[1:]])  # noqa: S606


def serve(folder: str, variables: dict[str, str]) -> None:
    """Have the runs of an installation forked for as long as this process lives.

    Its server is started unless one is there; two processes may not do this at the same time.

    Args:
        folder: The installation's virtual environment.
        variables: The environment of its runs.

    Raises:
        RuntimeError: Prowler did not start; with what it printed.
    """
    python, command = f"{folder}/bin/python", Path(folder, "bin", "prowler")
    if not Path(cold(folder)).exists():
        Path(cold(folder)).parent.mkdir()
        command.rename(cold(folder))
        command.write_text(
            f"#!{python} -IS\nimport sys\nsys.path.insert(0, {str(Path(__file__).parent)!r})\n"
            f"import prowler_server\nprowler_server.ask({folder!r})\n"
        )
        command.chmod(0o755)
    try:
        connection = connect(folder)
    except (FileNotFoundError, ConnectionRefusedError):
        start_server(python, folder, variables)
        connection = connect(folder)
    connection.sendall(HOLD)
    held.append(connection)


def start_server(python: str, folder: str, variables: dict[str, str]) -> None:
    """Start the server of an installation and wait until it is ready."""
    reader, writer = os.pipe()
    with Path(folder, LOG).open("w") as log:
        server = subprocess.Popen(
            [python, __file__, folder, str(writer)],
            env=variables,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[writer],
            start_new_session=True,
        )
    held.append(server)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        if pipe.read() != READY:
            raise RuntimeError(f"Prowler did not start:\n{Path(folder, LOG).read_text()}")


# From here on: the server.


def main() -> None:
    """Serve an installation; in each fork, be a run of it."""
    import gc
    import runpy

    folder, writer = sys.argv[1], int(sys.argv[2])
    sys.path[0] = os.path.dirname(cold(folder))
    server = Server(folder)
    gc.disable()  # of what is read now nothing is garbage
    start()
    server.is_silent = os.fstat(1).st_size == 0
    gc.freeze()  # nor is it to be looked through by every fork
    gc.enable()
    server.listen()
    os.write(writer, READY.encode())
    os.close(writer)
    server.next_run_in_a_fork()
    refresh()
    runpy.run_path(cold(folder), run_name="__main__")


def start() -> None:
    """Import Prowler, and let it read now what a run reads first.

    What is logged while it reads is written to the output, as in a run at level DEBUG.
    """
    import importlib
    import logging

    import prowler.__main__ as cli

    handler, root = logging.StreamHandler(sys.stdout), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    cli.ProwlerArgumentParser()  # which imports every provider
    read_ahead(cli)
    root.setLevel(level)
    root.removeHandler(handler)  # botocore says what it reads at DEBUG, at which no run is forked
    sys.path.append(os.path.dirname(__file__))
    importlib.import_module("caches").make_all()
    sys.path.pop()
    sys.stdout.flush()


def read_ahead(cli: Any) -> None:
    """Put what is read now in the place of the first reading in a run.

    Args:
        cli: The module `prowler.__main__`; its names are replaced, and nobody else's.
    """
    provider = "aws"
    metadata = cli.CheckMetadata.get_bulk(provider)
    frameworks = cli.Compliance.get_bulk(provider)
    checks = dict(metadata)
    complete = cli.update_checks_metadata_with_compliance
    complete(frameworks, metadata)

    def first(read: Any, found: Any) -> Any:
        answers = [found]
        return lambda of: answers.pop() if of == provider and answers else read(of)

    def completed(by: Any, given: Any) -> Any:
        """Checks of a folder (-x) may have joined those that were completed above."""
        same = by is frameworks and given is metadata and given.keys() == checks.keys()
        if same and all(given[name] is check for name, check in checks.items()):
            return given
        return complete(by, given)

    cli.CheckMetadata = Instead(cli.CheckMetadata, first(cli.CheckMetadata.get_bulk, metadata))
    cli.Compliance = Instead(cli.Compliance, first(cli.Compliance.get_bulk, frameworks))
    cli.update_checks_metadata_with_compliance = completed
    universal = "get_bulk_compliance_frameworks_universal"
    if read := getattr(cli, universal, None):  # older versions have none
        setattr(cli, universal, first(read, read(provider)))


class Instead:
    """A class of Prowler with another `get_bulk`."""

    def __init__(self, original: Any, get_bulk: Any) -> None:
        self._original, self.get_bulk = original, get_bulk

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)


def refresh() -> None:
    """Set again, wherever it was imported to, what Prowler sets by the clock and the folder."""
    from datetime import datetime, timezone

    from prowler.config import config

    local, utc = datetime.today(), datetime.now(timezone.utc)
    fresh = {
        "timestamp": type(config.timestamp)(local),
        "timestamp_utc": type(config.timestamp_utc)(utc),
        "output_file_timestamp": local.strftime("%Y%m%d%H%M%S"),
        "timestamp_iso": local.isoformat(sep=" ", timespec="seconds"),
        "default_output_directory": f"{os.getcwd()}/output",
    }
    replaced = {id(getattr(config, name)): value for name, value in fresh.items()}
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0].startswith("prowler"):
            for key, value in list(vars(module).items()):
                if id(value) in replaced:
                    setattr(module, key, replaced[id(value)])


class Server:
    """The server's connections and runs, in one thread, because a fork copies one thread only.

    Attributes:
        folder: The installation's virtual environment.
        is_silent: Whether the start printed and logged nothing.
    """

    def __init__(self, folder: str) -> None:
        self.folder, self.is_silent = folder, False
        self._variables, self._packages = dict(os.environ), self._own_packages()
        self._selector = selectors.DefaultSelector()
        self._holders = 0
        self._runs: dict[socket.socket, int] = {}  # the caller and the process

    def _own_packages(self) -> set[tuple[str, int, int]]:
        """Return the installation's own files but Python's caches, with time and size."""
        found = set()
        for path, _, names in os.walk(f"{self.folder}/lib"):
            for name in () if path.endswith("__pycache__") else names:
                stat = os.stat(os.path.join(path, name))
                found.add((os.path.join(path, name), stat.st_mtime_ns, stat.st_size))
        return found

    def listen(self) -> None:
        """Listen on the installation's socket."""
        os.chdir(self.folder)  # a Unix socket's path must be short
        Path(SOCKET).unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(SOCKET)
        self._listener.listen()
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)

    def next_run_in_a_fork(self) -> None:
        """Serve, and return in the process of each run, with all that its caller gave it."""
        while True:
            for key, _ in self._selector.select():
                if key.data(key.fileobj):
                    return

    def _accept(self, _: Any) -> bool:
        connection, _ = self._listener.accept()
        self._selector.register(connection, selectors.EVENT_READ, self._begin)
        return False

    def _begin(self, connection: socket.socket) -> bool:
        """Take a connection's first message; return whether this is the fork for it."""
        what, descriptors, _, _ = socket.recv_fds(connection, 1, 4)
        self._selector.unregister(connection)
        if what == HOLD:
            self._holders += 1
            self._selector.register(connection, selectors.EVENT_READ, self._let_go)
            return False
        with connection.makefile("rb") as lines:
            run = json.loads(lines.readline())
        if not self.is_as_cold(run["variables"], run["arguments"]):
            connection.sendall(COLD.encode())
            connection.close()
        elif process := os.fork():
            print("forked", process, run["arguments"], flush=True)
            self._runs[connection] = process
            self._selector.register(connection, selectors.EVENT_READ, self._abandon)
            ended = functools.partial(self._end, connection, process)
            self._selector.register(os.pidfd_open(process), selectors.EVENT_READ, ended)
        else:
            self._become(run, connection, descriptors)
            return True
        for descriptor in descriptors:
            os.close(descriptor)
        return False

    def is_as_cold(self, variables: dict[str, str], arguments: Sequence[str] = ()) -> bool:
        """Return whether a run with these would be the same if it started cold."""

        def that_matter(these: dict[str, str]) -> dict[str, str]:
            return {k: v for k, v in these.items() if not re.fullmatch(MAY_DIFFER, k)}

        same = that_matter(variables) == that_matter(self._variables)
        is_silent = self.is_silent and not any("DEBUG" in argument for argument in arguments)
        return is_silent and same and self._own_packages() == self._packages

    def _become(self, run: Any, connection: socket.socket, descriptors: list[int]) -> None:
        """Be the process of a run, from what its caller gave."""
        for key in list(self._selector.get_map().values()):
            if isinstance(key.fileobj, int):
                os.close(key.fileobj)
            elif isinstance(key.fileobj, socket.socket):
                key.fileobj.close()
        self._selector.close()
        connection.close()
        *standard, folder = descriptors
        for number, descriptor in enumerate(standard):
            os.dup2(descriptor, number)
        os.fchdir(folder)
        for descriptor in descriptors:
            os.close(descriptor)
        os.umask(run["umask"])
        os.environ.clear()
        os.environ.update(run["variables"])
        sys.argv[1:] = run["arguments"]

    def _end(self, connection: socket.socket, process: int, pidfd: int) -> bool:
        """A run has ended: tell its caller, who may be gone."""
        self._selector.unregister(pidfd)
        os.close(pidfd)
        code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        if self._runs.pop(connection, None):
            self._selector.unregister(connection)
            with connection, contextlib.suppress(BrokenPipeError):
                connection.sendall(str(code).encode())
        return False

    def _abandon(self, connection: socket.socket) -> bool:
        """A caller is gone: so is its run."""
        self._selector.unregister(connection)
        connection.close()
        os.kill(self._runs.pop(connection), signal.SIGKILL)
        return False

    def _let_go(self, connection: socket.socket) -> bool:
        """A holder is gone; with the last one all ends."""
        self._selector.unregister(connection)
        connection.close()
        self._holders -= 1
        if not self._holders:
            for process in self._runs.values():
                os.kill(process, signal.SIGKILL)
            sys.exit()
        return False


if __name__ == "__main__":
    main()
