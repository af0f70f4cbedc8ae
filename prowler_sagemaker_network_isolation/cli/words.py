"""What is said: numbers in a sentence, and sentences on standard error."""

import sys


def counted(number: int, thing: str) -> str:
    """Return a number of things: "1 finding", "1,200 findings"."""
    return f"{number:,} {thing}{'s' * (number != 1)}"


def complain(sentence: str) -> None:
    """Print a sentence on standard error."""
    print(f"sagemaker-isolation: {sentence}", file=sys.stderr)
