"""What the tests share: one Prowler, one account, and one scan of it for each way to install."""

import fcntl
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import pytest

from .embedded import account
from .embedded.account import Expected
from .embedded.fixer_case import (  # noqa: F401 (fixtures)
    aws_cli_command,
    case,
    fixed_region,
    public,
    sound,
)
from .embedded.installation import CHECKS, Installation, Scan, build_wheel
from .embedded.server import EmbeddedAWS

MakeInstallation = Callable[[str], Installation]
Shared = Callable[[str], AbstractContextManager[Path]]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--prowler",
        type=Path,
        default=Path(sys.prefix),
        help="the virtual environment with the Prowler to test against; default: the running one",
    )


# What these make takes seconds: Prowler's command line, the demo, the fixer's cases, many scans.
SLOW = {
    *("case", "full_region", "github", "job", "make_installation", "needed"),
    *("outcome_of", "providers", "forked", "wheel"),
}


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark as slow what `make test-fast` leaves out, and as untraced what runs the command line."""
    if isinstance(item, pytest.Function) and SLOW.intersection(item.fixturenames):
        item.add_marker("slow")
    if item.path.parent.name == "cli":
        item.add_marker("untraced")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Leave a test that is marked so, and its fixtures, out of the measurement of coverage.

    That takes as long again as a test of many scans, and what the command line runs is not in this
    process. pytest-cov has a marker for this, which does nothing in a worker of xdist.
    """
    if item.get_closest_marker("untraced") is None:
        return (yield)
    tracers = sys.gettrace(), threading.gettrace()
    sys.settrace(None)
    threading.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(tracers[0])
        threading.settrace(tracers[1])


@pytest.fixture(scope="session")
def prowler(pytestconfig: pytest.Config) -> Path:
    """The virtual environment with the Prowler to test against."""
    return Path(pytestconfig.getoption("--prowler")).absolute()


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Shared:
    """Give a folder by its name to one of pytest's workers at a time."""
    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    @contextmanager
    def folder(name: str) -> Iterator[Path]:
        with (base / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield base / name

    return folder


@pytest.fixture(scope="session")
def make_installation(tmp_path_factory: pytest.TempPathFactory, prowler: Path) -> MakeInstallation:
    """Make a named installation without the plugin, to be written to, whose every run is cold."""
    return lambda name: Installation.make(tmp_path_factory.mktemp("at") / name, prowler).slim()


@pytest.fixture(scope="session")
def wheel(shared: Shared) -> Path:
    """The plugin's wheel, built by way of its sdist."""
    with shared("dist") as folder:
        return next(folder.glob("*.whl"), None) or build_wheel(folder)


@pytest.fixture(scope="session")
def forked(
    shared: Shared, prowler: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Installation]]:
    """Make an installation that is never written to, whose runs are forked (see prowler_server)."""
    with ExitStack() as stack:

        def installation(name: str, *plugin: str) -> Installation:
            with shared(name) as folder:
                made = Installation.at(folder, prowler)
                if not folder.exists():
                    Installation.make(folder, prowler).slim()
                    if plugin:
                        made.install(*plugin)
            return stack.enter_context(made.forked(tmp_path_factory.mktemp("commands")))

        yield installation


@pytest.fixture(scope="session")
def plain(forked: Callable[..., Installation]) -> Installation:
    """A Prowler without the plugin."""
    return forked("plain")


@pytest.fixture(scope="session")
def installed(forked: Callable[..., Installation], wheel: Path) -> Installation:
    """A Prowler with the plugin, from the wheel."""
    return forked("wheel", str(wheel))


@pytest.fixture(scope="session")
def shared_aws() -> Iterator[EmbeddedAWS]:
    """The embedded AWS, for as long as the tests last; to build the shared account in."""
    with EmbeddedAWS() as server:
        yield server


@pytest.fixture(scope="module")
def aws(shared_aws: EmbeddedAWS) -> Iterator[EmbeddedAWS]:
    """The embedded AWS for one file of tests, which finds nothing that another has made there."""
    yield shared_aws
    shared_aws.forget_all_but(account.ACCOUNT, account.REGIONS)


@pytest.fixture(scope="session")
def expected(shared_aws: EmbeddedAWS) -> Expected:
    """What a scan of the account must say, by region and model."""
    return account.build_models(shared_aws)


@pytest.fixture(scope="session")
def expected_configs(shared_aws: EmbeddedAWS, expected: Expected) -> Expected:
    """What it must say of endpoint configurations, by region and name."""
    return account.build_configs(shared_aws)


@pytest.fixture(scope="session")
def expected_schedules(shared_aws: EmbeddedAWS, expected_configs: Expected) -> Expected:
    """What it must say of monitoring schedules, by region and name."""
    return account.build_schedules(shared_aws)


@pytest.fixture(scope="session")
def account_scan(shared_aws: EmbeddedAWS, expected_schedules: Expected) -> Callable[..., Scan]:
    """Scan the account with our checks alone, or with some of them."""

    def scan(
        installation: Installation,
        output: Path,
        *arguments: str | Path,
        checks: Sequence[str] = CHECKS,
    ) -> Scan:
        return installation.scan(
            shared_aws, output, "--checks", *checks, "--region", *account.REGIONS, *arguments
        )

    return scan


@pytest.fixture(scope="session")
def wheel_scan(
    account_scan: Callable[..., Scan],
    installed: Installation,
    tmp_path_factory: pytest.TempPathFactory,
) -> Scan:
    """The scan of the account that most tests look at: from the wheel, with every output."""
    return account_scan(installed, tmp_path_factory.mktemp("scan"))
