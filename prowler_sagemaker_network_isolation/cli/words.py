"""What is said: numbers in a sentence, and sentences on standard error."""

import re
import sys

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")  # what a file may hold and a terminal would obey


def counted(number: int, thing: str) -> str:
    """Return a number of things: "1 finding", "1,200 findings"."""
    return f"{number:,} {thing}{'s' * (number != 1)}"


def plain(text: str) -> str:
    """Return a text without what a terminal would obey."""
    return CONTROL.sub("", text)


def complain(sentence: str) -> None:
    """Print a sentence on standard error."""
    print(f"sagemaker-isolation: {plain(sentence)}", file=sys.stderr)
