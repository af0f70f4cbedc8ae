"""What the tests share: one Prowler, one account, and one scan of it for each way to install."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from . import account
from .embedded_aws import EmbeddedAWS
from .fixer_case import case, fixed_region, public, sound  # noqa: F401 (fixtures)
from .installation import CHECK, Installation, Scan, build_wheel

Expected = dict[tuple[str, str], tuple[str, str]]
MakeInstallation = Callable[[str], Installation]


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
def make_installation(tmp_path_factory: pytest.TempPathFactory, prowler: Path) -> MakeInstallation:
    """Make a named installation without the plugin."""
    return lambda name: Installation.make(tmp_path_factory.mktemp("at") / name, prowler)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plugin's wheel, built by way of its sdist."""
    return build_wheel(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="session")
def plain(make_installation: MakeInstallation) -> Installation:
    """A Prowler without the plugin."""
    return make_installation("plain")


@pytest.fixture(scope="session")
def installed(make_installation: MakeInstallation, wheel: Path) -> Installation:
    """A Prowler with the plugin, from the wheel."""
    made = make_installation("wheel")
    made.install(str(wheel))
    return made


@pytest.fixture(scope="session")
def aws() -> Iterator[EmbeddedAWS]:
    """The embedded AWS, for as long as the tests last."""
    with EmbeddedAWS() as server:
        yield server


@pytest.fixture(scope="session")
def expected(aws: EmbeddedAWS) -> Expected:
    """What a scan of the account must say, by region and model."""
    return account.build(aws)


@pytest.fixture(scope="session")
def account_scan(aws: EmbeddedAWS, expected: Expected) -> Callable[..., Scan]:
    """Scan the account with our check alone."""

    def scan(installation: Installation, output: Path, *arguments: str | Path) -> Scan:
        return installation.scan(
            aws, output, "--checks", CHECK, "--region", *account.REGIONS, *arguments
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
