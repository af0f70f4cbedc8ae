"""What is said: numbers in a sentence, and sentences on standard error."""

import re
import sys
from collections.abc import Sequence

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")  # what a file may hold and a terminal would obey
MOST = 10  # the most things that are named in a row; JSON has all


def counted(number: int, thing: str) -> str:
    """Return a number of things: "1 finding", "1,200 findings"."""
    return f"{number:,} {thing}{'s' * (number != 1)}"


def named(words: Sequence[str], separator: str = ", ") -> str:
    """Return words in a row, or the first of many and the number of the rest."""
    more = len(words) - MOST
    return separator.join(words[:MOST]) + (f" and {more:,} more" if more > 0 else "")


def plain(text: str) -> str:
    """Return a text without what a terminal would obey."""
    return _CONTROL.sub("", text)


def complain(sentence: str) -> None:
    """Print a sentence on standard error."""
    print(f"sagemaker-isolation: {plain(sentence)}", file=sys.stderr)
