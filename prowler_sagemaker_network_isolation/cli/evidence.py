"""`sagemaker-isolation evidence`: what scans found for requirements, night by night.

Reads Prowler's compliance CSV files of the plugin's frameworks. They have a row for each
requirement and resource, and none where a scan found no model at all.
"""

import csv
import hashlib
import sys
from collections import Counter
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path

from .files import BrokenFileError, files_below
from .progress import Progress
from .words import complain, plain

NAME = r".*_sagemaker_network_isolation_aws\.csv"
COLUMNS = {
    *("ACCOUNTID", "ASSESSMENTDATE", "FRAMEWORK", "MUTED", "REGION", "REQUIREMENTS_ID"),
    *("STATUS", "STATUSEXTENDED"),
}
DAY = timedelta(days=1)
Row = dict[str, str]


def run(folder: Path, requirements: list[str]) -> int:
    """Print the evidence and return the exit code.

    Args:
        folder: Where the outputs of the scans are, at any depth.
        requirements: Ids of the frameworks, such as cc_6_6; none for all.
    """
    rows, problems = read(folder)
    found = sorted({row["REQUIREMENTS_ID"] for row in rows})
    for requirement in requirements or found:
        show(requirement, [row for row in rows if row["REQUIREMENTS_ID"] == requirement])
    problems += [f"there is no evidence for {r}." for r in requirements if r not in found]
    if not (rows or problems):
        problems.append(
            f"there is no evidence in {folder}: scan with --compliance and the plugin's frameworks."
        )
    for problem in problems:
        complain(problem)
    return 1 if problems else 0


def read(folder: Path) -> tuple[list[Row], list[str]]:
    """Return the rows of all files that are whole, and a sentence for each that is not.

    A file that is there twice, as when an artifact was downloaded again, counts once.

    Args:
        folder: Where the outputs of the scans are.
    """
    rows: list[Row] = []
    problems: list[str] = []
    seen: set[bytes] = set()
    progress = Progress("rows", sys.stderr)
    try:
        paths = files_below(folder, NAME)
    except BrokenFileError as error:
        return [], [str(error)]
    for path in paths:
        try:
            digest = hashlib.sha256(path.read_bytes()).digest()
            rows += rows_of(path, progress) if digest not in seen else ()
            seen.add(digest)
        except OSError as error:
            problems.append(f"{path} cannot be read: {error.strerror}.")
        except BrokenFileError as error:
            problems.append(str(error))
    progress.end()
    return rows, problems


def rows_of(path: Path, progress: Progress) -> list[Row]:
    """Return the rows of a compliance CSV.

    Raises:
        BrokenFileError: It is none, or a row of it is not whole.
    """
    rows: list[Row] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines, delimiter=";", strict=True)
            if not COLUMNS.issubset(reader.fieldnames or ()):
                raise ValueError("it lacks columns")
            for row in reader:
                if None in row or None in row.values():
                    raise ValueError(f"row {len(rows) + 1:,} lacks columns, or has too many")
                moment(row["ASSESSMENTDATE"])
                rows.append({column: row[column] for column in COLUMNS})
                progress.advance()
    except (csv.Error, ValueError) as error:
        raise BrokenFileError(
            f"{path} is no whole compliance CSV of Prowler's ({error}): none of it is counted."
        ) from error
    return rows


def show(requirement: str, rows: list[Row]) -> None:
    """Print the evidence for one requirement: its scans, and what did not pass in the latest.

    Args:
        requirement: Its id.
        rows: Its rows.
    """
    say(f"{requirement}: {rows[0]['FRAMEWORK'] if rows else 'no scan has it'}")
    accounts: dict[str, dict[datetime, list[Row]]] = {}
    for row in rows:
        scans = accounts.setdefault(row["ACCOUNTID"], {})
        scans.setdefault(moment(row["ASSESSMENTDATE"]), []).append(row)
    for account, scans in sorted(accounts.items()):
        times = sorted(scans)
        say(f"  account {account}: {period(times)}")
        for time in times:
            counts = Counter(state(row) for row in scans[time])
            said = ", ".join(f"{number} {status}" for status, number in sorted(counts.items()))
            say(f"    {time:%Y-%m-%d %H:%M}: {said}")
        for row in scans[times[-1]]:
            if row["STATUS"] != "PASS":
                say(f"      {state(row)} {row['REGION']} {row['STATUSEXTENDED']}")


def say(line: str) -> None:
    """Print a line, without what a terminal would obey."""
    print(plain(line))


def moment(date: str) -> datetime:
    """Return the time of a scan; one without a time zone is taken for UTC.

    Raises:
        ValueError: It is no date.
    """
    time = datetime.fromisoformat(date)
    return time if time.tzinfo else time.replace(tzinfo=timezone.utc)


def period(times: list[datetime]) -> str:
    """Return what a reader asks of the times of an account's scans, which are sorted."""
    if len(times) == 1:
        return f"1 scan, {times[0]:%Y-%m-%d}"
    began, ended = max(pairwise(times), key=lambda pair: pair[1] - pair[0])
    return (
        f"{len(times)} scans, {times[0]:%Y-%m-%d} to {times[-1]:%Y-%m-%d}; the longest gap is "
        f"{(ended - began) / DAY:.1f} days, {began:%Y-%m-%d} to {ended:%Y-%m-%d}"
    )


def state(row: Row) -> str:
    """Return a row's status, and whether it is muted."""
    return f"{row['STATUS']} muted" if row["MUTED"] == "True" else row["STATUS"]
