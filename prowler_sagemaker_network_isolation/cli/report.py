"""What `sagemaker-isolation report` says of a scan, and its exit code."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from .baseline import Changes
from .findings import Finding
from .summary import STATES, Place, Summary

PASSED, NOT_JUDGED, FAILED = 0, 1, 3  # exit codes; argparse ends with 2


@dataclass(frozen=True)
class Report:
    """What a scan found.

    Attributes:
        summary: The findings in short.
        changes: What has changed since the baseline; None without one.
        problems: Sentences on why the findings are not all, or not the plugin's.
        superseded: The number of findings that were left out because a later scan is there, or
            the same finding a second time.
    """

    summary: Summary
    changes: Changes | None
    problems: list[str]
    superseded: int

    @property
    def failing(self) -> int:
        """The number of findings that fail; with a baseline, of those that did not fail then."""
        return len(self.changes.fails) if self.changes else self.summary.counts["FAIL"]

    @property
    def exit_code(self) -> int:
        """What the command ends with."""
        if self.problems or self.summary.counts["MANUAL"]:
            return NOT_JUDGED
        return FAILED if self.failing else PASSED


def data_of(report: Report) -> dict[str, Any]:
    """Return a report as it is printed in JSON."""
    summary, changes = report.summary, report.changes
    data: dict[str, Any] = {
        "exit_code": report.exit_code,
        "problems": report.problems,
        "superseded": report.superseded,
        "counts": counts_of(summary.counts),
        "places": [
            {"account": account, "region": region, "counts": counts_of(counts)}
            for (account, region), counts in summary.places.items()
        ],
        "fix_first": [
            {
                "cause": fix.thing,
                "details": list(fix.details),
                "fails": dict(fix.fails),
                "would_pass": fix.would_pass,
                "endpoints": sorted(fix.endpoints),
                "endpoints_unknown": fix.endpoints_unknown,
                "places": places_of(fix.places),
                "resources": fix.resources,
            }
            for fix in summary.fixes
        ],
        "not_judged": [
            {
                **asdict(reason.unread),
                "findings": reason.findings,
                "lists": reason.lists,
                "places": places_of(reason.places),
            }
            for reason in summary.reasons
        ],
    }
    if changes:
        names = ("fails", "new", "mended", "gone", "still", "worse")
        data["since_baseline"] = {
            name: [resource_of(finding) for finding in getattr(changes, name)] for name in names
        }
    return data


def counts_of(counts: Counter[str]) -> dict[str, int]:
    """Return the number of findings in each state."""
    return {state: counts[state] for state in STATES}


def places_of(places: Iterable[Place]) -> list[dict[str, str]]:
    """Return accounts and regions."""
    return [{"account": account, "region": region} for account, region in sorted(places)]


def resource_of(finding: Finding) -> dict[str, Any]:
    """Return the finding of a resource in short."""
    return {
        "kind": finding.kind,
        "arn": finding.arn,
        "creation_time": finding.creation_time,
        "state": finding.state,
        "text": finding.text,
    }
