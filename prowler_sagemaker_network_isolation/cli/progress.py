"""A line that counts, for what takes seconds; in a terminal only."""

from typing import TextIO

EVERY = 500


class Progress:
    """Counts what was read.

    Args:
        what: What is counted, in the plural.
        stream: Where to; nothing is written unless it is a terminal.
    """

    def __init__(self, what: str, stream: TextIO) -> None:
        self.what, self.stream, self.number = what, stream, 0
        self.is_seen = stream.isatty()

    def advance(self) -> None:
        """Count one more."""
        self.number += 1
        if self.is_seen and self.number % EVERY == 0:
            self.stream.write(f"\r{self.number:,} {self.what} read ...")
            self.stream.flush()

    def end(self) -> None:
        """Take the line away."""
        if self.is_seen:
            self.stream.write("\r\033[K")
            self.stream.flush()
