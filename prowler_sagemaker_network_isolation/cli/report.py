"""What `sagemaker-isolation report` says of scans, and its exit code."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from .baseline import Changes
from .findings import Finding, Output, Unknown, Violation
from .words import counted, named

_ENDPOINT = ("account", "region", "name")
STATES = ("FAIL", "MANUAL", "PASS", "muted")
PASSED, NOT_JUDGED, FAILED = 0, 1, 3  # exit codes; argparse ends with 2


@dataclass(frozen=True)
class Report:
    """What scans found.

    Attributes:
        findings: The plugin's findings that are in force.
        problems: Sentences on why the findings are not all, or not the plugin's.
        superseded: The number of findings that were judged again later, or are there twice.
    """

    findings: list[Finding]
    changes: Changes | None
    problems: list[str]
    superseded: int

    @property
    def counts(self) -> Counter[str]:
        """The number of findings in each state."""
        return Counter(finding.state for finding in self.findings)

    @property
    def failing(self) -> int:
        """The number of findings that fail; with a baseline, of those that did not fail then."""
        return len(self.changes.fails) if self.changes else self.counts["FAIL"]

    @property
    def exit_code(self) -> int:
        """What the command ends with."""
        if self.problems or self.counts["MANUAL"]:
            return NOT_JUDGED
        return FAILED if self.failing else PASSED

    @property
    def times(self) -> list[datetime]:
        """When the scans were, sorted."""
        return sorted({finding.time for finding in self.findings})


def unanswered(output: Output, findings: list[Finding], checks: Iterable[str]) -> list[str]:
    """Return sentences on what no finding of the plugin's answers.

    A check that looked leaves a finding in each account, so one that has none did not look there.

    Args:
        findings: Those of the output that are in force.
        checks: The checks that were to run.
    """
    said = [
        f"{counted(number, 'finding')} of {check.id} ({check.title}) without the plugin's verdict "
        "as data: Prowler's built-in check or an older plugin answered, or a tool left it out. "
        "Install the plugin where Prowler runs, and scan again into a new folder."
        for check, number in Counter(f.check for f in findings if not f.is_ours).items()
    ]
    answered = {(finding.check.id, finding.account) for finding in findings}
    for check in checks:
        if silent := sorted(a for a in output.accounts if (check, a) not in answered):
            said.append(
                f"no finding of {check} in {counted(len(silent), 'account')} ({named(silent)}): it "
                "was not run there, or it broke, and Prowler printed its name. If it was not to "
                "run, name with --checks those that were."
            )
    if not (output.accounts or output.problems):
        said.append("nothing was judged: there is no finding in OCSF.")
    return said


@dataclass
class Cause:
    """What must change, over all findings that it makes fail and that are not muted.

    Attributes:
        rule, thing: See `Violation`.
        violations: All that is wrong with it, each once.
        findings: Those findings.
        alone: The number of those that have no other cause, and of which all is known.
    """

    rule: str
    thing: str
    violations: dict[Violation, None] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    alone: int = 0

    @property
    def details(self) -> list[str]:
        """What is wrong with it."""
        return list(dict.fromkeys(violation.detail for violation in self.violations))

    @property
    def effects(self) -> list[str]:
        """What follows from it."""
        return list(dict.fromkeys(v.effect for v in self.violations if v.effect))

    @property
    def endpoints(self) -> list[tuple[str, str, str]]:
        """The endpoints that use what fails: account, region and name."""
        return sorted({(f.account, f.region, n) for f in self.findings for n in f.endpoints or ()})


def causes_of(findings: Iterable[Finding]) -> list[Cause]:
    """Return why findings fail: what serves first, and then what makes most fail."""
    causes: dict[tuple[str, str], Cause] = {}
    for finding in findings:
        if finding.state == "FAIL":
            keys = {(violation.rule, violation.thing): None for violation in finding.violations}
            for key in keys:
                cause = causes.setdefault(key, Cause(*key))
                cause.findings.append(finding)
                cause.alone += len(keys) == 1 and not finding.unknown
            for violation in finding.violations:
                causes[violation.rule, violation.thing].violations[violation] = None
    return sorted(causes.values(), key=lambda c: (not c.endpoints, -len(c.findings), c.thing))


def reasons_of(findings: Iterable[Finding]) -> list[tuple[Unknown, list[Finding]]]:
    """Return why findings are MANUAL, and which: whole lists first, and then what is most frequent.

    An `Unknown` stands for all that differ only in what is not known.
    """
    reasons: dict[Unknown, list[Finding]] = {}
    for finding in findings:
        if finding.state == "MANUAL":
            for unknown in {replace(unknown, what=""): None for unknown in finding.unknown}:
                reasons.setdefault(unknown, []).append(finding)
    return sorted(reasons.items(), key=lambda r: (-sum(f.is_list for f in r[1]), -len(r[1])))


def data_of(report: Report) -> dict[str, Any]:
    """Return a report as it is printed in JSON."""
    data = {
        "exit_code": report.exit_code,
        "problems": report.problems,
        "scanned": [time.isoformat() for time in report.times],
        "superseded": report.superseded,
        "counts": {state: report.counts[state] for state in STATES},
        "fix_first": [
            {
                "rule": cause.rule,
                "cause": cause.thing,
                "details": cause.details,
                "effects": cause.effects,
                "only_cause_of": cause.alone,
                "endpoints": [dict(zip(_ENDPOINT, e, strict=True)) for e in cause.endpoints],
                "resources": [finding.arn for finding in cause.findings],
            }
            for cause in causes_of(report.findings)
        ],
        "not_judged": [
            {
                **{name: getattr(unknown, name) for name in ("why", "permission", "remedy")},
                "resources": [finding.arn for finding in findings],
            }
            for unknown, findings in reasons_of(report.findings)
        ],
        "findings": list(map(_data_of_finding, report.findings)),
    }
    if report.changes:
        names = ("fails", "mended", "gone", "still", "worse")
        data["since_baseline"] = {
            name: list(map(_data_of_finding, getattr(report.changes, name))) for name in names
        }
    return data


def _data_of_finding(finding: Finding) -> dict[str, Any]:
    """Return a finding as it is printed in JSON."""
    members = ("status", "severity", "account", "region", "arn", "name", "creation_time")
    return {
        **{member: getattr(finding, member) for member in members},
        "muted": finding.is_muted,
        "check": finding.check.id,
        "scanned": finding.time.isoformat(),
        "endpoints": finding.endpoints,
        "causes": list(map(asdict, finding.violations)),
        "unread": list(map(asdict, finding.unknown)),
        "text": finding.text,
    }
