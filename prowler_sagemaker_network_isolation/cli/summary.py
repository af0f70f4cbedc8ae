"""What to fix first, and why something could not be judged."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from .findings import Finding, Unknown, Violation


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
