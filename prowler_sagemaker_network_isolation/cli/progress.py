"""A line that counts, for what takes seconds; in a terminal only."""

from typing import TextIO

EVERY = 500


class Progress:
    """Counts what was read.

    Args:
        what: What is counted, in the plural.
        stream: Where to; nothing is written unless it is a terminal.
    """

    def __init__(self, what: str, stream: TextIO | None) -> None:
        self.what, self.number = what, 0
        self.stream = stream if stream and stream.isatty() else None

    def advance(self) -> None:
        """Count one more."""
        self.number += 1
        if self.stream and self.number % EVERY == 0:
            self.stream.write(f"\r{self.number:,} {self.what} read ...")
            self.stream.flush()

    def end(self) -> None:
        """Take the line away."""
        if self.stream:
            self.stream.write("\r\033[K")
            self.stream.flush()
