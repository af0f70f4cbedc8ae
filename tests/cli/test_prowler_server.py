"""That a forked run of Prowler is what a cold one is, and that what must be cold is."""

import os
import re
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from ..embedded import prowler_server
from ..embedded.account import Expected
from ..embedded.installation import CHECK, Installation, Scan, access
from ..embedded.server import EmbeddedAWS

# What differs between any two runs: times, and what is derived from them.
TIMES = (
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)?|\b20\d{12}\b|\b\d{10}\b"
    r"|in \d+\.\ds|(?<=\"scan_id\": \")[-0-9a-f]{36}"
)


def forked(installation: Installation, argument: object) -> int | None:
    """Return the process of the fork that had an argument, if one had."""
    log = (installation.folder / prowler_server.LOG).read_text()
    found = re.search(rf"^forked (\d+) .*'{re.escape(str(argument))}'", log, re.MULTILINE)
    return int(found[1]) if found else None


def without_times(text: str, output: Path) -> str:
    return re.sub(TIMES, "TIME", text.replace(str(output), "OUTPUT"))


def written(scan: Scan) -> dict[str, str]:
    """Return all that a run wrote: its files by name, and what it printed."""
    files = {
        str(path.relative_to(scan.output)): path.read_text("utf-8")
        for path in scan.output.rglob("*")
        if path.is_file()
    }
    texts = {**files, "stdout": scan.stdout, "stderr": scan.stderr, "code": str(scan.code)}
    return {
        without_times(name, scan.output): without_times(text, scan.output)
        for name, text in texts.items()
    }


def test_a_forked_run_writes_what_a_cold_one_does(
    aws: EmbeddedAWS, expected: Expected, installed: Installation, tmp_path: Path
) -> None:
    def scan(name: str, **variables: str) -> Scan:
        formats = ("--output-formats", "csv", "html", "json-ocsf", "json-asff", "--verbose")
        what = ("--checks", CHECK, "--region", "eu-west-1")  # of two, the order depends on hashes
        return installed.scan(aws, tmp_path / name, *what, *formats, **variables)

    began = time.strftime("%Y%m%d%H%M%S")
    fork = scan("fork")
    assert forked(installed, fork.output)
    (stamp,) = re.findall(r"-(\d{14})\.csv", str(fork.file("*.csv")))
    assert stamp >= began  # its own time, and not the server's
    cold = scan("cold", PYTHONUTF8="1")  # a variable of Python's is among those that make it so
    assert not forked(installed, cold.output)
    assert written(fork) == written(cold)


@pytest.fixture
def server(tmp_path: Path) -> prowler_server.Server:
    """A server that has not begun to listen, of a folder with one package."""
    (tmp_path / "lib" / "package").mkdir(parents=True)
    (tmp_path / "lib" / "package" / "module.py").touch()
    made = prowler_server.Server(str(tmp_path))
    made.is_silent = True
    return made


def test_what_no_start_reads_may_differ(server: prowler_server.Server) -> None:
    cache = Path(server.folder, "lib", "package", "__pycache__")
    cache.mkdir()
    (cache / "module.pyc").touch()
    assert server.is_as_cold({**os.environ, "AWS_ENDPOINT_URL": "http://127.0.0.1", "PATH": "/bin"})


@pytest.mark.parametrize("name", ["PYTHONPATH", "PROWLER_CLOUD_API_KEY", "LOG_LEVEL", "LANG", "X"])
def test_another_variable_makes_a_run_cold(server: prowler_server.Server, name: str) -> None:
    assert not server.is_as_cold({**os.environ, name: "another"})
    assert not server.is_as_cold({k: v for k, v in os.environ.items() if k != "HOME"})


def test_a_run_that_says_what_it_reads_is_cold(server: prowler_server.Server) -> None:
    assert server.is_as_cold(dict(os.environ), ["aws", "--log-level", "INFO"])
    assert not server.is_as_cold(dict(os.environ), ["aws", "--log-level", "DEBUG"])
    assert not server.is_as_cold(dict(os.environ), ["aws", "--log-level=DEBUG"])


def test_a_package_that_changes_makes_a_run_cold(server: prowler_server.Server) -> None:
    Path(server.folder, "lib", "package", "module.py").write_text("changed = True")
    assert not server.is_as_cold(dict(os.environ))


def test_a_start_that_says_something_makes_runs_cold(server: prowler_server.Server) -> None:
    server.is_silent = False
    assert not server.is_as_cold(dict(os.environ))


def test_a_run_has_its_callers_folder_and_exit_code(plain: Installation, tmp_path: Path) -> None:
    here = f"here-{tmp_path.name}"
    refused, taken = f"aws --output-formats {here}-not", f"aws --log-file {here} --list-services"
    done = plain.shell(f"prowler {refused} || echo $?; prowler {taken} >&2", tmp_path)
    assert done.stdout == "2\n"
    assert "- sagemaker" in done.stderr
    assert (tmp_path / here).is_file()
    assert forked(plain, here)
    assert forked(plain, f"{here}-not")


def test_a_run_ends_with_its_caller(aws: EmbeddedAWS, plain: Installation, tmp_path: Path) -> None:
    """As a cold run does that is killed; here the caller is not the run itself."""
    began, killed = threading.Event(), threading.Event()

    def wait_for_ever(*_: object) -> None:
        began.set()
        killed.wait()

    with aws.failing(wait_for_ever):
        command = [str(plain.prowler), "aws", "--output-directory", str(tmp_path)]
        variables = {**plain.variables(), **access(aws)}
        with subprocess.Popen(command, env=variables, stdout=subprocess.DEVNULL) as caller:
            began.wait()
            run = Path(f"/proc/{forked(plain, tmp_path)}")
            assert run.exists()
            caller.send_signal(signal.SIGKILL)
            caller.wait()
        while run.exists():
            time.sleep(0.05)
        killed.set()
