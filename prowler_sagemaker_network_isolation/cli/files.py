"""The files that Prowler writes, read as a stream: a hundred thousand findings are a gigabyte."""

import json
import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, TextIO

from .words import counted

_CHUNK = 2**20  # characters that are read at a time
_LONGEST = 2**26  # characters; one finding is not longer, so this is no finding
_SPACE, _COMMA, _END = map(re.compile, (r"\s*", r"\s*,\s*", r"\s*,?\s*]"))
_DECODER = json.JSONDecoder()
_STATUS = re.compile(r"--status[ =]((?:(?:PASS|FAIL|MANUAL)\b ?)+)")


class BrokenFileError(Exception):
    """A file is not as Prowler writes it; the message is a sentence that says what is wrong."""


def files_below(place: Path, name: str) -> list[Path]:
    """Return the files that a user means: one file, or those below a folder at any depth.

    Args:
        name: What the whole name of a file below a folder matches: a regular expression.

    Raises:
        BrokenFileError: The place is not there, or a folder below it cannot be read.
    """

    def refuse(error: OSError) -> None:
        raise BrokenFileError(f"{error.filename} cannot be read: {error.strerror}.") from error

    found, seen = [], set()
    try:
        if not place.is_dir():
            place.stat()
            return [place]
        for folder, below, files in os.walk(place, onerror=refuse, followlinks=True):
            if (real := os.path.realpath(folder)) in seen:  # a link to a folder above, or a second
                below.clear()
                continue
            seen.add(real)
            found += [Path(folder, file) for file in files if re.fullmatch(name, file)]
        if irregular := next((p for p in found if p.exists() and not p.is_file()), None):
            raise BrokenFileError(f"{irregular} is no regular file.")
    except (FileNotFoundError, NotADirectoryError) as error:
        where = "name the folder that Prowler wrote to"
        raise BrokenFileError(f"{place} is not there: {where}.") from error
    except OSError as error:
        refuse(error)
    return sorted(found)


def left_out(place: Path, checks: Collection[str]) -> Iterator[str]:
    """Yield a sentence for each scan below a folder of which OCSF does not have everything.

    That is known of a scan whose CSV names one of the checks and has no OCSF beside it, and of one
    whose HTML has a command line that was limited by --status.

    Raises:
        BrokenFileError, OSError: A file cannot be read.
    """
    rows = rf"^[^\n]*;FINDING_UID;(?s:.*);({'|'.join(checks)});"  # and not a framework's CSV
    for path in files_below(place, r".*\.(csv|html)") if place.is_dir() else ():
        with path.open(encoding="utf-8", errors="replace") as file:
            if path.suffix == ".html":
                statuses = _STATUS.findall(file.read(_CHUNK).partition("<tbody")[0])
                if statuses and not {"FAIL", "MANUAL"} <= set(statuses[-1].split()):
                    limit = f"--status {statuses[-1].strip()}, which keeps findings out"
                    yield f"{path} is of a scan with {limit}: scan without it."
            elif not path.with_suffix(".ocsf.json").exists() and re.search(rows, file.read()):
                what = "OCSF beside it, which is what is read"
                yield f"{path} has no {what}: scan with --output-formats csv json-ocsf."


def elements(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the structures of a file that holds a list of them in JSON, one by one.

    Raises:
        BrokenFileError: It cannot be read or is no such list; raised where that is seen, which may
            be after many structures.
    """
    number = 0
    try:
        with path.open(encoding="utf-8-sig") as file:
            for element in _structures(file):
                number += 1
                yield element
    except OSError as error:
        raise BrokenFileError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise BrokenFileError(f"{path} is not text, so it is no file of Prowler's.") from error
    except (ValueError, RecursionError) as error:
        why = "is not JSON: scan again" if isinstance(error, RecursionError) else error
        after = f", after {counted(number, 'finding')}," if number else ""
        raise BrokenFileError(f"{path}{after} {why}.") from error


def _structures(file: TextIO) -> Iterator[dict[str, Any]]:
    """Yield the structures of a list in JSON; a ValueError, whose message is a clause, if none."""
    text = file.read(_CHUNK).lstrip()  # no more than one finding needs
    if not text.startswith("["):
        no_list = "holds no list of findings: name a *.ocsf.json file of Prowler's"
        raise ValueError(no_list if text else "is empty: scan again")
    at, before = 1, _SPACE  # where the last thing ends, and what is before the next
    while not (end := _END.match(text, at)):
        begin = before.match(text, at)
        try:
            value, at = _DECODER.raw_decode(text, begin.end() if begin else len(text))
        except ValueError:
            text, at = text[at:], 0
            more = file.read(max(_CHUNK, len(text))) if len(text) < _LONGEST else ""
            if not more:
                raise ValueError("is cut off, or is not JSON: scan again") from None
            text += more
            continue
        if not isinstance(value, dict):
            raise ValueError("holds something else than findings: scan again")
        yield value
        before = _COMMA
    if (text[end.end() :] + file.read(_CHUNK)).strip():
        raise ValueError("goes on after its end: give each scan a folder of its own")
