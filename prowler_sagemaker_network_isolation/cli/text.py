"""A report in words, on a screen of eighty columns."""

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from .baseline import Changes
from .findings import CHECKS, Finding, Unknown
from .report import FAILED, NOT_JUDGED, STATES, Cause, Report, causes_of, reasons_of
from .words import MOST, counted, named, plain

WIDTH = 80


def lines_of(report: Report) -> Iterator[str]:
    """Yield the lines of a report."""
    names, counts = _Names(report), report.counts
    yield from _when(report, names)
    yield ", ".join(f"{counts[state]:,} {state}" for state in STATES)
    if names.of_accounts or names.of_regions:
        yield from _places(report, names)
    if report.changes:
        yield from _changes(report.changes, names)
    if causes := [_cause(cause, names) for cause in causes_of(report.findings)]:
        yield from _section("What to fix first", causes, "causes")
    if reasons := [_reason(*reason, names) for reason in reasons_of(report.findings)]:
        yield from _section("What could not be judged", reasons, "reasons")
    yield ""
    yield _verdict(report)


class _Names:
    """How resources are named: with account and region where a report has several, and old days."""

    def __init__(self, report: Report) -> None:
        self.of_accounts = len({finding.account for finding in report.findings}) > 1
        self.of_regions = len({finding.region for finding in report.findings}) > 1
        self.days = sorted({f"{time:%Y-%m-%d}" for time in report.times})

    def place(self, account: str, region: str, name: str = "") -> str:
        """Return "account/region/name", without what all have in common."""
        parts = (account * self.of_accounts, region * self.of_regions, name)
        return "/".join(filter(None, parts))

    def resource(self, finding: Finding) -> str:
        """Return a resource's name, or that of a list which could not be read."""
        day = f" ({finding.time:%Y-%m-%d})"
        day *= day[2:-1] != self.days[-1]
        if finding.is_list:
            of = f"{finding.account}/" * self.of_accounts + finding.region
            return f"all {finding.kind}s of {of}{day}"
        kind = f"{finding.kind} " * (finding.kind != "model")
        return f"{kind}{self.place(finding.account, finding.region, finding.name)}{day}"


def _when(report: Report, names: _Names) -> Iterator[str]:
    """Yield when the scans were."""
    if times := [f"{time:%Y-%m-%d %H:%M}" for time in report.times]:
        yield f"Scanned {' to '.join(sorted({times[0], times[-1]}))} UTC"
    if len(names.days) > 1:
        yield from _wrap(
            "Findings of more than one day: what a later scan did not judge again stands as it "
            "was, with its day. Give each night a folder to avoid that."
        )
    if report.superseded:
        yield f"(Left out: {counted(report.superseded, 'finding')} judged again, or there twice.)"


def _verdict(report: Report) -> str:
    """Return why the command ends as it does."""
    if report.exit_code == NOT_JUDGED:
        whys = "Not everything was judged", "Not all of the output can be used"
        return f"{whys[bool(report.problems)]} (exit code 1)."
    if all(finding.regions for finding in report.findings):
        return "There is nothing to judge (exit code 0)."
    then = " that did not fail in the baseline" if report.changes else ""
    if report.exit_code == FAILED:
        return f"{report.failing:,} fail{then} (exit code 3)."
    judged = "Everything but what is muted" if report.counts["muted"] else "Everything"
    return f"{judged} was judged, and nothing fails{then} (exit code 0)."


def _places(report: Report, names: _Names) -> Iterator[str]:
    """Yield a row for each account, or of one account each region, in which something is to do."""
    noun = "account" if names.of_accounts else "region"
    rows: dict[str, Counter[str]] = {}
    for finding in report.findings:
        place = finding.account if names.of_accounts else finding.region
        rows.setdefault(place, Counter())[finding.state] += 1
    shown = {place: c for place, c in rows.items() if c["FAIL"] or c["MANUAL"]}
    fail, unjudged = (sum(c[s] > 0 for c in shown.values()) for s in ("FAIL", "MANUAL"))
    sound = len(rows) - len(shown)
    yield ""
    yield (
        f"Of {counted(len(rows), noun)}, {fail:,} have what fails, {unjudged:,} what could not be "
        f"judged, {sound:,} neither"
    )
    if shown:
        yield f"{'':28}" + "".join(f"{state:>10}" for state in STATES)
    for place in sorted(shown, key=lambda place: (-shown[place]["FAIL"], -shown[place]["MANUAL"])):
        yield f"{plain(place):28}" + "".join(f"{shown[place][state]:>10,}" for state in STATES)


def _cause(cause: Cause, names: _Names) -> Iterator[str]:
    """Yield what to change, why, what it makes fail, and which endpoints use that."""
    kinds = Counter(finding.kind for finding in cause.findings)
    fails = ", ".join(counted(kinds[kind], kind) for kind in CHECKS.values() if kinds[kind])
    alone = f" (the only cause of {cause.alone:,})" if cause.alone else ""
    endpoints = [names.place(*endpoint) for endpoint in cause.endpoints]
    if unknown := sum(finding.endpoints is None for finding in cause.findings):
        endpoints.append(f"not known for {unknown:,}")
    yield from _wrap(f"{cause.thing} {named(cause.details, '; ')}", f"{len(cause.findings):>6,}  ")
    for said in (
        named(cause.effects, "; "),
        f"{fails}{alone}: {named([*map(names.resource, cause.findings)])}",
        f"endpoints: {named(endpoints)}" if endpoints else "",
    ):
        yield from _wrap(said, " " * 10)


def _reason(unknown: Unknown, findings: list[Finding], names: _Names) -> Iterator[str]:
    """Yield why something could not be judged, and what."""
    yield from _wrap(f"{unknown.why}: {unknown.remedy}", f"{len(findings):>6,}  ")
    yield from _wrap(named([*map(names.resource, findings)]), " " * 10)


def _changes(changes: Changes, names: _Names) -> Iterator[str]:
    """Yield what has changed since the baseline."""
    yield ""
    yield "Since the baseline"
    for found, words in (
        (changes.fails, "fail now and did not then"),
        (changes.still, f"failed then, too; {len(changes.worse):,} of them by a further cause"),
        (changes.mended, "failed then and pass now"),
        (changes.gone, "are gone: deleted, or left out by a scan of some resources"),
    ):
        yield f"{len(found):>6,}  {words}"
    if changes.fails:
        fails = [_wrap(f"{names.resource(f)}: {f.text}", "  ") for f in changes.fails]
        yield from _section("What fails now and did not then", fails, "findings")


def _section(title: str, rows: Sequence[Iterable[str]], what: str) -> Iterator[str]:
    """Yield a heading, the lines of the first rows, and the number of the others."""
    yield ""
    yield title
    yield from chain.from_iterable(rows[:MOST])
    if (more := len(rows) - MOST) > 0:
        yield f"        ... and {more:,} more {what}; --format json has all."


def _wrap(text: str, before: str = "") -> list[str]:
    """Return a text in lines of the screen's width, and what stands before the first of them."""
    return textwrap.wrap(
        plain(text),
        WIDTH,
        initial_indent=before,
        subsequent_indent=" " * len(before),
        break_long_words=False,
        break_on_hyphens=False,
    )
