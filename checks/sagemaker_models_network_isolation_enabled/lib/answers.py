"""What AWS answered, or why it did not and what to do about it. Nothing is taken for granted."""

import re
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from .facts import Unread

REFUSALS = re.compile("AccessDenied|Unauthorized|NotAuthorized|Forbidden")
# The codes by which SageMaker and EC2 ask for fewer calls.
THROTTLING = re.compile("Throttl|LimitExceeded|TooManyRequests|SlowDown|PriorRequestNotComplete")
FAILURES = re.compile("Unavailable|InternalError|InternalFailure")
CREDENTIALS = re.compile(
    "Expired|UnrecognizedClient|AuthFailure|InvalidClientToken|Signature|OptIn"
)
# The problems of an `Unread`: AWS did not answer; its answer says what this check does not know; it
# knows no such thing.
NOT_READ, NOT_UNDERSTOOD, NOT_THERE = "could not be read", "was not understood", "is not there"
TOO_MANY_REQUESTS, SERVER_ERROR = 429, 500
GONE = "it was deleted, or is no longer shared with this account"
# The kind of policy in both forms of AWS's message (source: "Troubleshoot access denied error
# messages" in the IAM User Guide): a statement denies, or none allows.
EXPLICIT_DENY = re.compile(r"explicit deny in (?:an?|the) ([A-Za-z -]*?(?:policy|boundary))\b")
NOT_ALLOWED = re.compile(r"because no ([A-Za-z -]*?(?:policy|boundary)) allows")
IDENTITY = "identity-based policy"  # what is meant where a remedy names no policy
NOT_IN_A_CODE = re.compile(r"[^\w.:-]")
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


class MalformedError(Exception):
    """An answer of AWS lacks what its API promises; the message is a clause that says what.

    Attributes:
        remedy: What to do; None for the usual.
    """

    def __init__(self, clause: str, remedy: str | None = None) -> None:
        super().__init__(clause)
        self.remedy = remedy


def why_unread(error: Exception, what: str, permission: str, region: str | None = None) -> Unread:
    """Return the `Unread` for an exception that reading something from AWS raised.

    Args:
        error: What boto3, botocore or the reading of the answer raised.
        what: See `Unread`.
        permission: See `Unread`.
        region: The region of which all is listed by this call, and which can be left out.
    """
    problem, remedy = NOT_READ, f"scan again, or check with {permission}"
    if isinstance(error, MalformedError):  # to scan again may give the same answer again
        problem, why = NOT_UNDERSTOOD, str(error)
        remedy = error.remedy or f"check with {permission}"
    elif isinstance(error, ClientError):
        answer = error.response.get("Error") or {}
        why = NOT_IN_A_CODE.sub("", str(answer.get("Code"))) or "unknown error"
        status = (error.response.get("ResponseMetadata") or {}).get("HTTPStatusCode") or 0
        if (
            THROTTLING.search(why)
            or FAILURES.search(why)
            or status == TOO_MANY_REQUESTS
            or status >= SERVER_ERROR
        ):
            remedy = "scan again"
        elif CREDENTIALS.search(why):
            remedy = "renew the credentials, or leave out a region that is not enabled"
        elif REFUSALS.search(why):
            why, remedy = why_refused(why, str(answer.get("Message")), permission, region)
        elif why.endswith("NotFound"):
            problem, remedy = NOT_THERE, f"{GONE}; check with {permission}"
    elif isinstance(error, BotoCoreError):
        why, remedy = type(error).__name__, "scan again"
    else:  # botocore does not wrap what its parsers stumble over
        why = f"the answer is garbled, {type(error).__name__}"
    return Unread(what, why, permission, remedy, problem)


def why_refused(code: str, message: str, permission: str, region: str | None) -> tuple[str, str]:
    """Return why a call was refused, with the kind of policy that AWS names, and what to do.

    Args:
        code: AWS's error code.
        message: AWS's message.
        permission: See `Unread`.
        region: See `why_unread`.
    """
    if deny := EXPLICIT_DENY.search(message):
        # Landing zones deny whole regions by such a policy: nothing is there to be judged. The flag
        # --excluded-region is not named: it replaces the regions that Prowler leaves out by itself.
        if region and "service control policy" in deny[1].lower():
            remedy = (
                f"leave the region out (add {region} to aws.disallowed_regions in Prowler's "
                "configuration), or change the policy"
            )
        else:
            remedy = f"change that policy, because to allow {permission} elsewhere is not enough"
        return f"{code}, {deny[0]}", remedy
    if none := NOT_ALLOWED.search(message):
        place = "" if none[1].lower() == IDENTITY else f" in the {none[1]}"
        return f"{code}, no {none[1]} allows it", f"allow {permission}{place}"
    return code, f"allow {permission}"


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
        return why_unread(described.error, what, permission)
    kind = what.rpartition(" ")[0]
    why = f"AWS returned no such {kind}"
    return Unread(what, why, permission, f"{GONE}; check with {permission}", NOT_THERE)


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
