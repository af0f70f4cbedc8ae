"""How the plugin comes into Prowler, works there in each way to install it, and leaves."""

import glob
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

from ..conftest import MakeInstallation
from ..embedded.installation import (
    BUILT_IN_TITLE,
    CHECK,
    CHECKS,
    METADATA,
    ROOT,
    Installation,
    Scan,
    copy_sources,
    digest,
    verdicts,
)

PACKAGE = "prowler_sagemaker_network_isolation"


def test_the_wheel_holds_the_package_with_its_links_and_needs_prowler_alone(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (metadata,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        needs = re.findall("^Requires-.+", archive.read(metadata).decode(), re.MULTILINE)
    folder = metadata.rpartition("/")[0]
    assert {name for name in names if not name.startswith(folder)} == {
        name
        for name in glob.glob(f"{PACKAGE}/**", root_dir=ROOT, recursive=True)
        if (ROOT / name).is_file() and "__pycache__" not in name
    }
    # Which Pythons are too new is Prowler's to say.
    assert [line for line in needs if "extra ==" not in line] == [
        "Requires-Python: >=3.10",
        "Requires-Dist: prowler<6,>=5.32.1",
    ]


def test_an_installation_has_what_the_checkout_has_and_leaves_nothing_there(
    prowler: Path, tmp_path: Path
) -> None:
    """A second one would ship what was removed after the first, if that left its `build` there."""
    checkout = tmp_path / "checkout"
    copy_sources(checkout)
    sources = digest(checkout)
    installation = Installation.make(tmp_path / "at", prowler)
    installation.install(str(checkout))
    removed = "metadata/soc2_sagemaker_network_isolation_aws.json"
    assert (installation.packages / PACKAGE / removed).is_file()
    (checkout / removed).unlink()
    installation.install("--force-reinstall", str(checkout))
    assert not (installation.packages / PACKAGE / removed).exists()
    assert digest(checkout) == {name: d for name, d in sources.items() if name != removed}


def test_an_editable_install_gives_the_same_findings(
    wheel_scan: Scan,
    account_scan: Callable[..., Scan],
    make_installation: MakeInstallation,
    tmp_path: Path,
) -> None:
    editable = make_installation("editable")
    editable.install("-e", str(ROOT))
    services = editable.run("aws", "--list-services", "--no-banner").stdout
    assert "- sagemaker\n" in services
    assert "- checks\n" not in services
    assert verdicts(account_scan(editable, tmp_path)) == verdicts(wheel_scan)


def test_the_checks_folder_alone_gives_the_same_findings_and_prowler_loses_its_own_check(
    wheel_scan: Scan,
    account_scan: Callable[..., Scan],
    make_installation: MakeInstallation,
    tmp_path: Path,
) -> None:
    throwaway = make_installation("throwaway")
    scan = account_scan(throwaway, tmp_path, "-x", ROOT / "checks")
    assert {key: value[:2] for key, value in verdicts(scan).items()} == {
        key: value[:2] for key, value in verdicts(wheel_scan).items()
    }
    # What the README warns of: Prowler removes the copy, and the built-in was removed before it.
    assert not list(throwaway.own_prowler.rglob(f"{CHECK}.py"))


def test_leaving_brings_the_built_in_back_and_no_file_of_prowler_has_changed(
    make_installation: MakeInstallation,
    wheel: Path,
    account_scan: Callable[..., Scan],
    tmp_path: Path,
) -> None:
    installation = make_installation("leaving")
    before = digest(installation.own_prowler)
    installation.install(str(wheel))
    scan = account_scan(installation, tmp_path)
    title = json.loads(METADATA.read_text("utf-8"))["CheckTitle"]
    assert {row["CHECK_TITLE"] for row in scan.findings().values()} == {title}
    assert all(scan.findings(check) for check in CHECKS)
    installation.uninstall()
    listed = installation.run("aws", "--list-checks", "--no-banner", "--no-color")
    assert re.findall(rf"\[{CHECK}\] (.+) - sagemaker", listed.stdout) == [BUILT_IN_TITLE]
    assert listed.stderr == ""
    assert digest(installation.own_prowler) == before
