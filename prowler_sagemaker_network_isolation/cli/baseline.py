"""What has changed since an earlier scan."""

from collections.abc import Iterable
from dataclasses import dataclass

from .findings import Finding


@dataclass(frozen=True)
class Changes:
    """What has changed, each in the order of the findings. Muted findings do not fail.

    Attributes:
        fails: What fails now and did not fail then.
        new: Of what there is now, what was not there then.
        mended: What failed then and passes now.
        gone: What was there then and is not now: deleted, or not scanned. What may be in a list
            that could not be read now is not among it.
        still: What fails now and failed then.
        worse: Of those, what now fails by a cause that it did not have then.
    """

    fails: list[Finding]
    new: list[Finding]
    mended: list[Finding]
    gone: list[Finding]
    still: list[Finding]
    worse: list[Finding]


def compare(earlier: Iterable[Finding], later: Iterable[Finding]) -> Changes:
    """Return what has changed from one scan to another.

    Args:
        earlier: The findings of the baseline.
        later: The findings now.
    """
    later = list(later)
    unlisted = {place(finding) for finding in later if finding.is_region}
    then = {finding.resource: finding for finding in earlier if not finding.is_region}
    now = {finding.resource: finding for finding in later if not finding.is_region}
    failed = {resource: finding for resource, finding in then.items() if finding.state == "FAIL"}
    fails = {resource: finding for resource, finding in now.items() if finding.state == "FAIL"}
    still = [finding for resource, finding in fails.items() if resource in failed]
    return Changes(
        [finding for resource, finding in fails.items() if resource not in failed],
        [finding for resource, finding in now.items() if resource not in then],
        [now[r] for r in failed if r in now and now[r].state == "PASS"],
        [f for resource, f in then.items() if resource not in now and place(f) not in unlisted],
        still,
        [finding for finding in still if things(finding) - things(failed[finding.resource])],
    )


def place(finding: Finding) -> tuple[str, str, str]:
    """Return which list a finding's resource is in."""
    return finding.check.id, finding.account, finding.region


def things(finding: Finding) -> set[str]:
    """Return what makes a finding fail."""
    return {cause.thing for cause in finding.causes}
