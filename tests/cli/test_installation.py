"""How the plugin comes into Prowler, works there in each way to install it, and leaves."""

import glob
import re
import zipfile
from pathlib import Path

from ..conftest import MakeInstallation
from ..embedded import account
from ..embedded.installation import (
    CHECK,
    CHECKS,
    ROOT,
    Scan,
    digest,
    verdicts,
)
from ..embedded.server import EmbeddedAWS

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


def test_the_checks_folder_alone_gives_the_same_findings_and_prowler_loses_its_own_check(
    aws: EmbeddedAWS, wheel_scan: Scan, make_installation: MakeInstallation, tmp_path: Path
) -> None:
    throwaway = make_installation("throwaway")
    options = ("--checks", *CHECKS, "--region", *account.REGIONS, "-x", ROOT / "checks")
    scan = throwaway.scan(aws, tmp_path, *options)
    assert {key: value[:2] for key, value in verdicts(scan).items()} == {
        key: value[:2] for key, value in verdicts(wheel_scan).items()
    }
    # What the README warns of: Prowler removes the copy, and the built-in was removed before it.
    assert not list(throwaway.own_prowler.rglob(f"{CHECK}.py"))


def test_leaving_brings_the_built_in_back_and_no_file_of_prowler_has_changed(
    make_installation: MakeInstallation, wheel: Path
) -> None:
    installation = make_installation("leaving")
    before = digest(installation.own_prowler)
    built_in = installation.own_prowler / "providers/aws/services/sagemaker" / CHECK
    installation.install(str(wheel))
    ours = installation.packages / PACKAGE / "sagemaker"
    assert installation.finds() == ([str(ours / check) for check in sorted(CHECKS)], "")
    installation.uninstall()
    assert installation.finds() == ([str(built_in)], "")
    assert digest(installation.own_prowler) == before
