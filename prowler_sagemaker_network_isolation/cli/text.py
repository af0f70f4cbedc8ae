"""A report in words, on a screen of eighty columns."""

import os
import textwrap
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import TextIO, TypeVar

from .baseline import Changes
from .findings import CHECKS
from .report import FAILED, NOT_JUDGED, Report
from .summary import STATES, Fix, Place, Summary
from .words import counted, plain

WIDTH = 80
MOST = 8  # the most rows of a table; JSON has all
NAMES = 5  # the most names, routes or rules in a row
COLOURS = {"FAIL": 31, "PASS": 32, "MANUAL": 33, "muted": 35, "heading": 1}
Paint = Callable[[str, str], str]
T = TypeVar("T")


def painter(stream: TextIO | None) -> Paint:
    """Return what gives a text its colour: in a terminal, unless NO_COLOR is set (no-color.org)."""
    if stream and stream.isatty() and not os.environ.get("NO_COLOR"):
        return lambda text, colour: f"\033[{COLOURS[colour]}m{text}\033[0m"
    return lambda text, _: text


def lines_of(report: Report, paint: Paint) -> Iterator[str]:
    """Yield the lines of a report.

    Args:
        report: The report.
        paint: What `painter` gave.
    """
    summary = report.summary
    yield ", ".join(paint(f"{summary.counts[state]:,} {state}", state) for state in STATES)
    if report.superseded:
        left_out = counted(report.superseded, "finding")
        yield f"(Left out: {left_out} of earlier scans, or there twice.)"
    if len(summary.places) > 1:
        yield from lines_of_places(summary, paint)
    if report.changes:
        yield from lines_of_changes(report.changes, paint)
    if summary.fixes:
        yield from lines_of_fixes(summary, paint)
    if summary.reasons:
        yield from lines_of_reasons(summary, paint)
    yield ""
    yield verdict_of(report, paint)


def verdict_of(report: Report, paint: Paint) -> str:
    """Return why the command ends as it does."""
    if report.problems:
        return paint("Not all of the output can be used", "MANUAL") + " (exit code 1)."
    if report.exit_code == NOT_JUDGED:
        return paint("Not everything was judged", "MANUAL") + " (exit code 1)."
    if not report.summary.places:
        return paint("There was nothing to judge", "PASS") + " (exit code 0)."
    then = " that did not fail in the baseline" if report.changes else ""
    if report.exit_code == FAILED:
        return paint(f"{report.failing:,} fail{then}", "FAIL") + " (exit code 3)."
    judged = "Everything but what is muted" if report.summary.counts["muted"] else "Everything"
    return paint(f"{judged} was judged, and nothing fails{then}", "PASS") + " (exit code 0)."


def lines_of_places(summary: Summary, paint: Paint) -> Iterator[str]:
    """Yield a row for each account and region, those first where most is to be done."""

    def order(place: Place) -> tuple[int, int, Place]:
        counts = summary.places[place]
        return -counts["FAIL"], -counts["MANUAL"], place

    yield ""
    yield paint(f"{'':28}" + "".join(f"{state:>10}" for state in STATES), "heading")
    for place in first(sorted(summary.places, key=order)):
        numbers = "".join(f"{summary.places[place][state]:>10,}" for state in STATES)
        yield f"{plain(' '.join(place)):28}{numbers}"
    yield from rest(summary.places, "accounts and regions")


def lines_of_fixes(summary: Summary, paint: Paint) -> Iterator[str]:
    """Yield what to mend, with what it makes fail, what would pass without it, and what serves."""
    yield ""
    yield paint("What to fix first", "heading")
    yield paint(f"{'fail':>6} {'pass':>6}", "heading") + "  (would pass if it alone were mended)"
    for fix in first(summary.fixes):
        yield from wrap(fix.thing, f"{fix.fails.total():>6,} {fix.would_pass:>6,}  ")
        details = f"{named(fix.details)}; " if fix.details else ""
        yield from wrap(f"{details}{users(fix, summary)}", " " * 15)
    yield from rest(summary.fixes, "causes")


def users(fix: Fix, summary: Summary) -> str:
    """Return what a cause makes fail, where that is, and which endpoints use it."""
    kinds = [counted(fix.fails[kind], kind) for kind in CHECKS.values() if fix.fails[kind]]
    unknown = f"not known for {fix.endpoints_unknown:,}" if fix.endpoints_unknown else ""
    endpoints = "; ".join(filter(None, (named(sorted(fix.endpoints)), unknown)))
    serving = f"; endpoints: {endpoints}" if endpoints else ""
    return f"{named(kinds)}{where(fix.places, summary)}{serving}"


def lines_of_reasons(summary: Summary, paint: Paint) -> Iterator[str]:
    """Yield why something could not be judged."""
    yield ""
    yield paint("What could not be judged", "heading")
    for reason in first(summary.reasons):
        text = f"{reason.unread.why}: {reason.unread.remedy}{where(reason.places, summary)}"
        text += " (a whole list)" if reason.lists else ""
        yield from wrap(text, f"{reason.findings:>6,}  ")
    yield from rest(summary.reasons, "reasons")


def lines_of_changes(changes: Changes, paint: Paint) -> Iterator[str]:
    """Yield what has changed since the baseline."""
    yield ""
    yield paint("Since the baseline", "heading")
    for found, words in (
        (changes.fails, "fail now and did not then"),
        (changes.still, f"failed then, too; {len(changes.worse):,} of them by a further cause"),
        (changes.mended, "failed then and pass now"),
        (changes.new, "are new, whatever their verdict"),
        (changes.gone, "are gone: deleted, or not scanned"),
    ):
        yield f"{len(found):>6,}  {words}"
    if changes.fails:
        yield ""
        yield paint("What fails now and did not then", "heading")
    for finding in first(changes.fails):
        yield from wrap(f"{finding.region}: {finding.text}", "  ")
    yield from rest(changes.fails, "findings")


def where(places: Iterable[Place], summary: Summary) -> str:
    """Return where something is: nothing where all is in one account and region."""
    accounts = sorted({account for account, _ in places})
    regions = sorted({region for _, region in places})
    parts = []
    if len({account for account, _ in summary.places}) > 1:
        parts.append(accounts[0] if len(accounts) == 1 else counted(len(accounts), "account"))
    if len({region for _, region in summary.places}) > 1:
        parts.append(regions[0] if len(regions) == 1 else counted(len(regions), "region"))
    return f" in {', '.join(parts)}" if parts else ""


def named(words: Iterable[str]) -> str:
    """Return words in a row, or the first of very many."""
    (*all_words,) = words
    more = len(all_words) - NAMES
    return ", ".join([*all_words[:NAMES], f"{more:,} more"] if more > 0 else all_words)


def first(rows: Sequence[T]) -> Sequence[T]:
    """Return the rows of a table that are shown."""
    return rows[:MOST]


def rest(rows: Collection[object], what: str) -> Iterator[str]:
    """Yield a line on the rows that are not shown."""
    if (more := len(rows) - MOST) > 0:
        yield f"        ... and {more:,} more {what}; --format json has all."


def wrap(text: str, before: str) -> list[str]:
    """Return a text in lines of the screen's width, and what stands before the first of them."""
    indent = " " * len(before)
    return textwrap.wrap(
        plain(text),
        WIDTH,
        initial_indent=before,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
