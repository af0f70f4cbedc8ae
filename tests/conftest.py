"""What the tests share: one Prowler, one account, and one scan of it.

moto and Prowler's engine are imported where a test asks for them: `tests/unit` and `tests/docs`
need neither.
"""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .embedded.installation import FRAMEWORKS, Installation, Scan, build_wheel

if TYPE_CHECKING:
    from .embedded.account import Expected
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
    """Make a named installation without the plugin, to be written to."""
    return lambda name: Installation.make(tmp_path_factory.mktemp("at") / name, prowler).slim()


@pytest.fixture(scope="session")
def wheel(shared: Shared) -> Path:
    """The plugin's wheel, built by way of its sdist."""
    with shared("dist") as folder:
        return next(folder.glob("*.whl"), None) or build_wheel(folder)


@pytest.fixture(scope="session")
def plain(shared: Shared, prowler: Path) -> Installation:
    """A Prowler without the plugin, which is never written to."""
    with shared("plain") as folder:
        return Installation.make(folder, prowler).slim()


@pytest.fixture(scope="session")
def installed(shared: Shared, prowler: Path, wheel: Path) -> Installation:
    """A Prowler with the plugin, from the wheel, which is never written to."""
    with shared("installed") as folder:
        is_there = folder.exists()
        made = Installation.make(folder, prowler).slim()
        if not is_there:
            made.install(str(wheel))
        return made


@pytest.fixture(scope="session")
def shared_aws() -> Iterator[EmbeddedAWS]:
    """The embedded AWS, for as long as the tests last; to build the shared account in."""
    from .embedded.server import EmbeddedAWS

    with EmbeddedAWS() as server:
        yield server


@pytest.fixture(scope="module")
def aws(shared_aws: EmbeddedAWS) -> Iterator[EmbeddedAWS]:
    """The embedded AWS for one file of tests, which finds nothing that another has made there."""
    from .embedded import account

    yield shared_aws
    shared_aws.forget_all_but(account.ACCOUNT, account.REGIONS)


@pytest.fixture(scope="session")
def everything(shared_aws: EmbeddedAWS) -> Expected:
    """The account: what a scan of it must say, by region and name."""
    from .embedded import account

    return account.build(shared_aws)


@pytest.fixture(scope="session")
def wheel_scan(
    shared_aws: EmbeddedAWS,
    everything: Expected,
    installed: Installation,
    tmp_path_factory: pytest.TempPathFactory,
) -> Scan:
    """The scan of the account that most tests look at: for our frameworks, with every output."""
    from .embedded.account import REGIONS

    options = ("--compliance", *FRAMEWORKS, "--region", *REGIONS)
    return installed.scan(shared_aws, tmp_path_factory.mktemp("scan"), *options)
