"""That the plugin disturbs nothing beside it: Prowler's lists, its other checks and its files."""

import re

import pytest

from prowler_sagemaker_network_isolation.cli.main import main

from ..conftest import MakeInstallation
from ..embedded import account
from ..embedded.account import Expected
from ..embedded.installation import (
    BUILT_IN_TITLE,
    CHECK,
    CHECKS,
    ROOT,
    Installation,
    Scan,
    digest,
)
from ..embedded.server import EmbeddedAWS

OURS: dict[str, tuple[str, ...]] = {
    "--list-checks": CHECKS,
    "--list-fixers": (CHECK,),
    "--list-services": (),
}


def lists(installation: Installation, *options: str) -> dict[str, str]:
    """Return what Prowler prints, in one start, for each of some command lines."""
    code = f"""
import sys
from prowler.__main__ import prowler
for option in {options!r}:
    print(end=chr(12))
    sys.argv = ["prowler", "aws", *option.split(), "--no-banner", "--no-color"]
    try: prowler()
    except SystemExit as end: assert not end.code, option
"""
    printed, complaints = installation.python(code)
    assert complaints == ""
    return dict(zip(options, printed.split("\f")[1:], strict=True))


def test_prowlers_lists_differ_in_what_is_ours_alone(
    plain: Installation, installed: Installation
) -> None:
    before, after = lists(plain, *OURS), lists(installed, *OURS)
    for option, ours in OURS.items():
        was, now = (
            set(re.sub(r"\d+ available", "available", printed[option]).splitlines())
            for printed in (before, after)
        )
        assert len(was) > 5
        assert sorted(re.findall("sagemaker_[a-z_]+", " ".join(now - was))) == sorted(ours)
        gone = [BUILT_IN_TITLE in line for line in was - now]
        assert gone == [True] * (option == "--list-checks")


def test_beside_other_checks_an_editable_install_gives_the_same_findings_and_changes_none(
    aws: EmbeddedAWS,
    everything: Expected,
    plain: Installation,
    make_installation: MakeInstallation,
    wheel_scan: Scan,
    capsys: pytest.CaptureFixture[str],
) -> None:
    editable = make_installation("editable")
    editable.install("-e", str(ROOT))
    # Prowler lists a check's service by the name of the folder above it.
    service = ROOT / "prowler_sagemaker_network_isolation" / "sagemaker"
    assert editable.finds() == ([str(service / check) for check in sorted(CHECKS)], "")
    before = digest(editable.packages)

    def rows(scan: Scan, ours: bool) -> list[tuple[str, ...]]:
        keys = ("CHECK_ID", "REGION", "RESOURCE_UID", "STATUS", "STATUS_EXTENDED")
        found = (row for row in scan.rows() if (row["CHECK_ID"] in CHECKS) == ours)
        return sorted(tuple(row[key] for key in keys) for row in found)

    without, together = (
        made.scan(
            *(aws, made.folder / "output", "--services", "sagemaker"),
            *("--region", *account.REGIONS),
        )
        for made in (plain, editable)
    )
    assert rows(without, ours=False) == rows(together, ours=False)
    assert len({check for check, *_ in rows(without, ours=False)}) > 3
    assert rows(together, ours=True) == rows(wheel_scan, ours=True)
    assert digest(editable.packages) == before
    assert digest(editable.own_prowler) == digest(plain.own_prowler)
    assert main(["report", str(without.output)]) == 1
    assert "Prowler's built-in check or an older" in capsys.readouterr().err
