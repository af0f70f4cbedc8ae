"""What has changed since an earlier scan."""

from collections.abc import Iterator
from dataclasses import dataclass

from .findings import Finding


@dataclass(frozen=True)
class Changes:
    """What has changed, each in the order of the findings. Muted findings do not fail.

    Attributes:
        fails: What fails now and did not fail then; `still` did, and `mended` passes now.
        gone: What was there then and is not now, where its check found anything in the account and
            region now.
        worse: Of `still`, what now fails by a cause that it did not have then.
        not_looked_at: Check, account and region of which there are findings then and none now.
    """

    fails: list[Finding]
    mended: list[Finding]
    gone: list[Finding]
    still: list[Finding]
    worse: list[Finding]
    not_looked_at: list[tuple[str, str, str]]


def compare(earlier: list[Finding], later: list[Finding]) -> Changes:
    """Return what has changed from one scan, the baseline, to another."""
    then, now = _resources(earlier), _resources(later)
    failed = {resource: finding for resource, finding in then.items() if finding.state == "FAIL"}
    fails = {resource: finding for resource, finding in now.items() if finding.state == "FAIL"}
    still = [finding for resource, finding in fails.items() if resource in failed]
    looked_at = {place for finding in later for place in _places(finding)}
    listed = looked_at - {
        place for finding in later if finding.is_list for place in _places(finding)
    }
    # Of an account that had nothing, it is enough that it was looked at.
    accounts = {place[:2] for place in looked_at}
    had = {(f.check.id, f.account, f.region): f for f in earlier}
    had = {place: f for place, f in had.items() if not (f.regions and place[:2] in accounts)}
    return Changes(
        [finding for resource, finding in fails.items() if resource not in failed],
        [now[r] for r in failed if r in now and now[r].state == "PASS"],
        [f for r, f in then.items() if r not in now and listed.issuperset(_places(f))],
        still,
        [f for f in still if _things(f) - _things(failed[f.arn, f.creation_time])],
        sorted(had.keys() - looked_at),
    )


def _resources(findings: list[Finding]) -> dict[tuple[str, str | None], Finding]:
    """Return the findings that are about one resource, by that: a name may be used again."""
    return {(f.arn, f.creation_time): f for f in findings if not (f.is_list or f.regions)}


def _places(finding: Finding) -> Iterator[tuple[str, str, str]]:
    """Yield check, account and region of all that a finding is about."""
    for region in finding.regions or (finding.region,):
        yield finding.check.id, finding.account, region


def _things(finding: Finding) -> set[tuple[str, str]]:
    """Return what makes a finding fail."""
    return {(violation.rule, violation.thing) for violation in finding.violations}
