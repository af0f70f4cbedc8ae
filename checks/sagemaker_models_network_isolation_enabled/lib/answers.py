"""What AWS answered, or why it did not and what to do about it. Nothing is taken for granted."""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from .facts import Unread

_REFUSALS = re.compile("AccessDenied|Unauthorized|NotAuthorized|Forbidden")
_CREDENTIALS = re.compile(
    "Expired|UnrecognizedClient|AuthFailure|InvalidClientToken|Signature|OptIn"
)
_GONE = "it was deleted, or is no longer shared with this account"
# What is said of a thing that AWS did not tell, one or several; see `Unread.problem`.
_NOT_READ = "could not be read"  # no answer
_NOT_UNDERSTOOD = "could not be understood"  # an answer that this check cannot make sense of
_NOT_FOUND = "could not be found"  # an answer without it
# The kind of policy in both forms of AWS's message (source: "Troubleshoot access denied error
# messages" in the IAM User Guide): a statement denies, or none allows.
_EXPLICIT_DENY = re.compile(r"explicit deny in (?:an?|the) ([A-Za-z -]*?(?:policy|boundary))\b")
_NOT_ALLOWED = re.compile(r"because no ([A-Za-z -]*?(?:policy|boundary)) allows")
_IDENTITY = "identity-based policy"  # what is meant where a remedy names no policy
_NOT_IN_A_CODE = re.compile(r"[^\w.:-]")
# What a sentence calls the resources that AWS's operations call so.
WORDS = {
    "DataQualityJobDefinition": "data quality job definition",
    "EndpointConfig": "endpoint configuration",
    "Model": "model",
    "ModelBiasJobDefinition": "model bias job definition",
    "ModelExplainabilityJobDefinition": "model explainability job definition",
    "ModelQualityJobDefinition": "model quality job definition",
    "MonitoringSchedule": "monitoring schedule",
}

SENT = "AsAWSSentIt"  # a member that answers are given by `keep_sent`
T = TypeVar("T")


class MalformedError(Exception):
    """An answer of AWS lacks what its API promises; the message is a clause that says what."""

    def __init__(self, clause: str, remedy: str | None = None) -> None:
        super().__init__(clause)
        self.remedy = remedy  # what to do; None for the usual


def why_unread(error: Exception, what: str, permission: str, region: str | None = None) -> Unread:
    """Return the `Unread` for an exception that reading something from AWS raised.

    Args:
        what, permission: See `Unread`.
        region: The region of which all is listed by this call, and which can be left out.
    """
    problem, remedy = _NOT_READ, f"scan again, or check with {permission}"
    if isinstance(error, MalformedError):
        problem, why, remedy = _NOT_UNDERSTOOD, str(error), error.remedy or remedy
    elif isinstance(error, ClientError):
        answer = error.response.get("Error") or {}
        why = _NOT_IN_A_CODE.sub("", str(answer.get("Code"))) or "unknown error"
        if _CREDENTIALS.search(why):
            remedy = "renew the credentials, or leave out a region that is not enabled"
        elif _REFUSALS.search(why):
            why, remedy = _why_refused(why, str(answer.get("Message")), permission, region)
        elif why.endswith("NotFound"):
            problem, remedy = _NOT_FOUND, f"{_GONE}; check with {permission}"
    elif isinstance(error, BotoCoreError):
        why = type(error).__name__
    else:  # botocore does not wrap what its parsers stumble over
        problem, why = _NOT_UNDERSTOOD, f"the answer is garbled, {type(error).__name__}"
    return Unread(what, why, permission, remedy, problem)


def _why_refused(code: str, message: str, permission: str, region: str | None) -> tuple[str, str]:
    """Return why a call was refused, with the kind of policy that AWS names, and what to do."""
    if deny := _EXPLICIT_DENY.search(message):
        remedy = f"change that policy, because to allow {permission} elsewhere is not enough"
        # Landing zones deny whole regions by such a policy: nothing is there to be judged. The flag
        # --excluded-region is not named: it replaces the regions that Prowler leaves out by itself.
        if region and "service control policy" in deny[1].lower():
            setting = f"(add {region} to aws.disallowed_regions in Prowler's configuration)"
            remedy = f"leave the region out {setting}, or change the policy"
        return f"{code}, {deny[0]}", remedy
    if none := _NOT_ALLOWED.search(message):
        place = "" if none[1].lower() == _IDENTITY else f" in the {none[1]}"
        return f"{code}, no {none[1]} allows it", f"allow {permission}{place}"
    return code, f"allow {permission}"


@dataclass(frozen=True)
class Partial(Generic[T]):
    """Some things of an answer, and why there may be more; None where these are all."""

    items: tuple[T, ...]
    error: Exception | None = None


@dataclass(frozen=True)
class Described:
    """What a describe call answered, by id, and why it may not be everything.

    Attributes:
        items: The answered items by their id, as boto3 gives them, but for those in `unequal`.
        unequal: The ids that were answered twice, with different items: neither is the truth.
    """

    items: dict[str, dict[str, Any]] = field(default_factory=dict)
    error: Exception | None = None
    unequal: frozenset[str] = frozenset()


def missing(what: str, described: Described, permission: str) -> Unread:
    """Return why something asked for by its id, the last word of `what`, is not in the answer."""
    kind, _, item_id = what.rpartition(" ")
    if item_id in described.unequal:
        return why_unread(MalformedError("AWS answered it in two ways"), what, permission)
    if described.error:
        return why_unread(described.error, what, permission)
    why = f"AWS returned no such {kind}"
    return Unread(what, why, permission, f"{_GONE}; check with {permission}", _NOT_FOUND)


def is_id(value: Any, prefix: str) -> bool:
    """Return whether a value is the id of an EC2 resource of one kind, such as "subnet-…"."""
    return isinstance(value, str) and value.startswith(prefix)


def listed(answer: Any, key: str, where: str) -> list[dict[str, Any]]:
    """Return a list of structures in an answer of boto3; `where` is what the answer is, in words.

    Raises:
        MalformedError: The list is not there, or holds something else.
    """
    value = answer.get(key)
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise MalformedError(f"no {key} in {where}")
    return value


def each(client: Any, operation: str, key: str, **parameters: Any) -> Iterator[dict[str, Any]]:
    """Yield the structures of a list over all pages of an answer; raise what stops it, after them.

    That is what boto3 raises, or a MalformedError.
    """
    for page in client.get_paginator(operation).paginate(**parameters):
        yield from listed(page, key, "the answer")


def keep_sent(client: Any, operation: str) -> None:
    """Have the answers of an operation hold, as `SENT`, the JSON that AWS sent; once is enough.

    Prowler pins botocore, whose parser drops members that AWS has added since.
    """

    def keep(
        response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any
    ) -> None:
        with suppress(ValueError):  # which the parser meets again
            customized_response_dict[SENT] = json.loads(response_dict["body"])

    event = f"before-parse.sagemaker.{operation}"
    client.meta.events.register(event, keep, unique_id=f"{SENT} {event}")
