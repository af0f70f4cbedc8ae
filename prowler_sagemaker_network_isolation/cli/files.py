"""The files that Prowler writes, read as a stream: a hundred thousand findings are a gigabyte."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from .words import counted

CHUNK = 2**20  # characters that are read at a time
LONGEST = 2**26  # characters; one finding is not longer, so this is no finding
SPACE = re.compile(r"\s*")
DECODER = json.JSONDecoder()


class BrokenFileError(Exception):
    """A file is not as Prowler writes it; the message is a sentence that says what is wrong."""


def files_below(place: Path, name: str) -> list[Path]:
    """Return the files that a user means: one file, or those below a folder at any depth.

    Args:
        place: The file or folder.
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


def elements(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the structures of a file that holds a list of them in JSON, one by one.

    Args:
        path: The file.

    Raises:
        BrokenFileError: It cannot be read or is no such list; raised where that is seen, which may
            be after many structures.
    """
    number = 0
    try:
        with path.open(encoding="utf-8-sig") as file:
            for element in structures(Stream(file)):
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


class Stream:
    """The text of a file, of which no more is held than one finding needs."""

    def __init__(self, file: TextIO) -> None:
        self.file, self.text, self.at = file, "", 0

    def peek(self) -> str:
        """Return the next character that is no white space; an empty one at the end."""
        while True:
            space = SPACE.match(self.text, self.at)
            self.at = space.end() if space else self.at
            if self.at < len(self.text):
                return self.text[self.at]
            self.text, self.at = self.file.read(CHUNK), 0
            if not self.text:
                return ""

    def skip(self) -> None:
        """Go past the character that `peek` gave."""
        self.at += 1

    def value(self) -> Any:
        """Return the next value in JSON, of which more is read until it is whole.

        Raises:
            ValueError: It does not become whole; the message is a clause.
        """
        while True:
            try:
                value, self.at = DECODER.raw_decode(self.text, self.at)
            except ValueError:
                rest = self.text[self.at :]
                more = self.file.read(max(CHUNK, len(rest))) if len(rest) < LONGEST else ""
                if not more:
                    raise ValueError("is cut off, or is not JSON: scan again") from None
                self.text, self.at = rest + more, 0
            else:
                return value


def structures(stream: Stream) -> Iterator[dict[str, Any]]:
    """Yield the structures of a list in JSON.

    Raises:
        ValueError: It is no such list; the message is a clause.
    """
    if (first := stream.peek()) != "[":
        no_list = "holds no list of findings: name a *.ocsf.json file of Prowler's"
        raise ValueError(no_list if first else "is empty: scan again")
    stream.skip()
    while stream.peek() != "]":
        value = stream.value()
        if not isinstance(value, dict):
            raise ValueError("holds something else than findings: scan again")
        yield value
        if (separator := stream.peek()) == ",":
            stream.skip()
        elif separator != "]":
            raise ValueError("is cut off, or is not JSON: scan again")
    stream.skip()
    if stream.peek():
        raise ValueError("goes on after its end: give each scan a folder of its own")
