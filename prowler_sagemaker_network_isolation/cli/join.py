"""`sagemaker-isolation join`: the findings of many scans in one CSV and one OCSF file."""

import csv
import json
import sys
from pathlib import Path

from .files import BrokenFileError, elements, files_below
from .progress import Progress
from .words import complain

# Prowler's own names. The file of a compliance framework has a name that goes on after the time.
NAME = r"prowler-output-\d{12}-\d+\.(csv|ocsf\.json)"


def run(folder: Path) -> int:
    """Write findings.csv and findings.ocsf.json into a folder and return the exit code.

    Args:
        folder: Where the outputs of the scans are, at any depth; there may be none.
    """
    problems: list[str] = []
    progress = Progress("findings", sys.stderr)
    try:
        paths = files_below(folder, NAME)
        rows = join_csv([p for p in paths if p.suffix == ".csv"], folder, problems, progress)
        found = join_ocsf([p for p in paths if p.suffix == ".json"], folder, problems, progress)
        progress.end()
        print(f"Joined in {folder}: findings.csv ({rows:,}) and findings.ocsf.json ({found:,}).")
    except BrokenFileError as error:
        problems.append(str(error))
    except OSError as error:
        problems.append(f"{error.filename or folder} cannot be written: {error.strerror}.")
    for problem in problems:
        complain(problem)
    return 1 if problems else 0


def join_csv(paths: list[Path], folder: Path, problems: list[str], progress: Progress) -> int:
    """Write findings.csv and return the number of its findings.

    Args:
        paths: The files to join.
        folder: Where to write.
        problems: Given a sentence for each file that is left out.
        progress: Told of each finding.
    """
    header: list[str] = []
    number = 0
    with (folder / "findings.csv").open("w", encoding="utf-8", newline="") as joined:
        writer = csv.writer(joined, delimiter=";")
        for path in paths:
            try:
                columns, *rows = read_csv(path)
                if columns != (header or columns):
                    raise BrokenFileError(f"{path} has other columns than the files before it.")
            except BrokenFileError as error:
                problems.append(f"not joined: {error}")
                continue
            if not header:
                writer.writerow(columns)
                header = columns
            for row in rows:
                writer.writerow(row)
                number += 1
                progress.advance()
    return number


def read_csv(path: Path) -> list[list[str]]:
    """Return the rows of a CSV file of Prowler's, the columns' names first.

    Raises:
        BrokenFileError: It cannot be read, or is not whole.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            rows = [row for row in csv.reader(lines, delimiter=";", strict=True) if row]
    except OSError as error:
        raise BrokenFileError(f"{path} cannot be read: {error.strerror}.") from error
    except (csv.Error, ValueError) as error:
        raise BrokenFileError(f"{path} is no whole CSV ({error}): scan again.") from error
    if not rows:
        raise BrokenFileError(f"{path} is empty: scan again.")
    if any(len(row) != len(rows[0]) for row in rows):
        raise BrokenFileError(f"{path} has a row that lacks columns: scan again.")
    return rows


def join_ocsf(paths: list[Path], folder: Path, problems: list[str], progress: Progress) -> int:
    """Write findings.ocsf.json and return the number of its findings; see `join_csv`."""
    number = 0
    with (folder / "findings.ocsf.json").open("wb") as joined:
        joined.write(b"[")
        for path in paths:
            before, count = joined.tell(), 0
            try:
                for element in elements(path):
                    comma = b"," if number + count else b""
                    joined.write(comma + b"\n" + json.dumps(element).encode())
                    count += 1
                    progress.advance()
            except BrokenFileError as error:
                joined.seek(before)
                joined.truncate()
                problems.append(f"not joined: {error}")
            else:
                number += count
        joined.write(b"\n]\n")
    return number
