"""Numbers in a sentence."""


def counted(number: int, thing: str) -> str:
    """Return a number of things: "1 finding", "1,200 findings"."""
    return f"{number:,} {thing}{'s' * (number != 1)}"
