"""How the plugin comes into Prowler, works there in each way to install it, and leaves.

Runs of `installed` are forked (see prowler_server); all others here are cold, because what they are
about is how Prowler starts.
"""

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
    ROOT,
    Installation,
    Scan,
    copy_sources,
    digest,
    verdicts,
)

FOLDER = ROOT / "checks"
TITLE = json.loads((FOLDER / CHECK / f"{CHECK}.metadata.json").read_text("utf-8"))["CheckTitle"]
SENTENCE = "prowler-sagemaker-network-isolation: "


def titles(installation: Installation) -> list[str]:
    """Return the lines of --list-checks that are about our CheckID."""
    listed = installation.run("aws", "--list-checks", "--no-banner", "--no-color")
    assert listed.stderr == ""
    return [line for line in listed.stdout.splitlines() if f"[{CHECK}]" in line]


def test_the_wheel_holds_the_check_the_frameworks_and_the_package_and_nothing_else(
    wheel: Path,
) -> None:
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    package = "prowler_sagemaker_network_isolation"
    sources = {f"{package}/py.typed"}
    for pattern in ("*.py", "cli/*.py"):
        sources |= {str(path.relative_to(ROOT)) for path in (ROOT / package).glob(pattern)}
    for folder in ("checks", "metadata"):
        sources |= {
            f"{package}/{'metadata' if folder == 'metadata' else 'sagemaker'}/"
            f"{path.relative_to(ROOT / folder)}"
            for path in (ROOT / folder).rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
    assert names == sources


def test_the_wheel_needs_prowler_and_nothing_else(installed: Installation) -> None:
    (metadata,) = installed.packages.glob("prowler_sagemaker*.dist-info/METADATA")
    needs = re.findall("^Requires-.+", metadata.read_text(), re.MULTILINE)
    runtime = [line for line in needs if "extra ==" not in line]
    # Which Pythons are too new is Prowler's to say.
    assert runtime == ["Requires-Python: >=3.10", "Requires-Dist: prowler<6,>=5.32.1"]


def test_the_title_is_listed_once(installed: Installation) -> None:
    (line,) = titles(installed)
    assert TITLE in line


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
    package = installation.packages / "prowler_sagemaker_network_isolation"
    assert (package / removed).is_file()
    (checkout / removed).unlink()
    installation.install("--force-reinstall", str(checkout))
    assert not (package / removed).exists()
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
    scan = account_scan(throwaway, tmp_path, "-x", FOLDER)
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
    assert {row["CHECK_TITLE"] for row in scan.findings().values()} == {TITLE}
    assert all(scan.findings(check) for check in CHECKS)
    installation.uninstall()
    (line,) = titles(installation)
    assert BUILT_IN_TITLE in line
    assert TITLE not in line
    assert digest(installation.own_prowler) == before


def test_where_it_does_not_fit_the_built_in_runs_and_one_sentence_says_so(
    make_installation: MakeInstallation,
    wheel: Path,
    account_scan: Callable[..., Scan],
    tmp_path: Path,
) -> None:
    """By the command line; what else may not fit is in test_place.py."""
    installation = make_installation("damaged")
    installation.install(str(wheel))
    for source in installation.own_prowler.rglob("*.py"):
        text = source.read_text("utf-8")
        if "audit_resources" in text:
            source.write_text(text.replace("audit_resources", "audited_resources"), "utf-8")
    scan = account_scan(installation, tmp_path, checks=[CHECK])
    assert scan.stderr.count(SENTENCE) == 1
    assert "Traceback" not in scan.stderr
    assert f"Prowler's built-in {CHECK}, which reads one flag only, runs instead" in scan.stderr
    rows = list(scan.findings().values())
    assert all(row["CHECK_TITLE"] == BUILT_IN_TITLE for row in rows)
