"""What the fixer says: its lines, and AWS's errors in its words."""

import os
import sys
import textwrap
from pathlib import Path
from typing import Any

from ..answers import why_unread
from ..rules import explain_unknown

# Under Prowler's own line about the model, which a tab indents.
FIRST, REST, WIDTH = " " * 10, " " * 12, 80
COMMANDS = ("aws ", "sh ")


def say(sentence: str) -> None:
    """Print a sentence in lines of a terminal's width, at once; no id is broken over two lines.

    A command is in one line, whatever its length, to be copied.
    """
    lines = [FIRST + printable(sentence)]
    if not sentence.startswith(COMMANDS):
        lines = textwrap.wrap(
            one_line(sentence),
            WIDTH,
            initial_indent=FIRST,
            subsequent_indent=REST,
            break_long_words=False,
            break_on_hyphens=False,
        )
    try:
        print("\n".join(lines), flush=True)
    except OSError:
        # Nobody reads any more: Prowler, which prints too, would end all fixing at its next line.
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115


def one_line(text: Any) -> str:
    """Return a text in one printable line."""
    return printable(" ".join(str(text).split()))


def printable(text: str) -> str:
    """Return a text with a space for each character that a terminal would not show."""
    return "".join(c if c.isprintable() else " " for c in text)


def explain_error(error: Exception, what: str) -> str:
    """Return what boto3 or botocore raised when a thing was read, as a clause, and what to do."""
    permission = f"sagemaker:{getattr(error, 'operation_name', '*')}"
    return explain_unknown([why_unread(error, what, permission)])
