"""What AWS answered to a describe call, and the look at it that takes nothing for granted."""

from dataclasses import dataclass, field
from typing import Any

from .facts import MalformedError, Unread


@dataclass(frozen=True)
class Described:
    """What a describe call answered, by id, and why it may not be everything.

    Attributes:
        items: The answered items by their id, as boto3 gives them.
        error: What stopped the call; None where the answer is whole.
    """

    items: dict[str, dict[str, Any]] = field(default_factory=dict)
    error: Exception | None = None


def missing(what: str, described: Described, permission: str) -> Unread:
    """Return why something asked for by its id is not in the answer."""
    if described.error:
        return Unread.from_error(described.error, what, permission)
    return Unread.gone(what, permission)


def is_id(value: Any, prefix: str) -> bool:
    """Return whether a value is the id of an EC2 resource of one kind, such as "subnet-…"."""
    return isinstance(value, str) and value.startswith(prefix)


def listed(answer: Any, key: str, where: str) -> list[dict[str, Any]]:
    """Return a list of structures in an answer.

    Args:
        answer: A structure, as boto3 gives it.
        key: The list's name in it.
        where: What the structure is, for the error.

    Raises:
        MalformedError: The list is not there, or holds something else.
    """
    value = answer.get(key)
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise MalformedError(f"no {key} in {where}")
    return value
