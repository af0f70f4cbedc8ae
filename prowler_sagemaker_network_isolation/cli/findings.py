"""The findings of the plugin's checks, out of the OCSF that Prowler writes."""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import datetime, timezone
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from .files import BrokenFileError, elements, files_below, left_out

# The plugin's checks, and what each of them judges.
CHECKS = {
    "sagemaker_models_network_isolation_enabled": "model",
    "sagemaker_endpoint_configs_network_isolation_enabled": "endpoint configuration",
    "sagemaker_monitoring_schedule_network_isolation_enabled": "monitoring schedule",
}
_COMPLIANCE = 2003  # OCSF's class of what Prowler writes for a framework, in a file of its own
# What the plugin writes into each finding; its older versions and the built-in check do not.
_VERDICT = {"violations", "unknown", "notes"}
_OPTIONAL = ("effect", "permission")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Check:
    """What a file says of a check, as Prowler's metadata has it."""

    id: str
    title: str
    description: str  # in Markdown, as is the remediation
    remediation: str


@dataclass(frozen=True, slots=True)
class Violation:
    """Why a resource fails: a `Statement` of the checks' `lib/rules.py`."""

    rule: str
    thing: str
    detail: str
    effect: str | None


@dataclass(frozen=True, slots=True)
class Unknown:
    """What could not be read and might decide: an `Unread` of the checks' `lib/facts.py`."""

    what: str
    why: str
    permission: str | None
    remedy: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding of one of the plugin's CheckIDs.

    Attributes:
        status: "PASS", "FAIL" or "MANUAL", whether it is muted or not.
        severity: As OCSF has it: "High".
        time: When the scan was, to the second, in UTC; equal for all findings of one scan.
        is_ours: Whether it has the plugin's verdict as data. Prowler's built-in check answers under
            the same CheckID, and its finding has none.
        creation_time: CreationTime, in ISO 8601, since an ARN may be used again.
        endpoints: The names of the endpoints that use it; None where that is not known.
        regions: Empty but for the PASS of an account in which there is nothing to judge: all
            regions that were looked at.
    """

    check: Check
    status: str
    is_muted: bool
    severity: str
    account: str
    region: str
    name: str
    arn: str
    time: datetime
    text: str
    is_ours: bool
    creation_time: str | None
    endpoints: tuple[str, ...] | None
    violations: tuple[Violation, ...]
    unknown: tuple[Unknown, ...]
    regions: tuple[str, ...]

    @property
    def state(self) -> str:
        """Its status, or "muted" for a FAIL or MANUAL that is."""
        return "muted" if self.is_muted and self.status != "PASS" else self.status

    @property
    def kind(self) -> str:
        """What it is about: "model"."""
        return CHECKS[self.check.id]

    @property
    def is_list(self) -> bool:
        """Whether it is about a region whose list could not be read; no AWS name has a slash."""
        return self.name.endswith("/unknown")


@dataclass
class Output:
    """What Prowler wrote.

    Attributes:
        accounts: The AWS accounts that any check has a finding of.
        problems: A sentence for each file that is not whole, or has not all of its scan.
    """

    findings: list[Finding] = field(default_factory=list)
    accounts: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)


def read(places: Iterable[Path]) -> Output:
    """Return what is in files, and in folders at any depth."""
    output = Output()
    for place in places:
        try:
            paths = files_below(place, r".*\.ocsf\.json")
            output.problems += left_out(place, CHECKS)
        except BrokenFileError as error:
            output.problems.append(str(error))
            continue
        for path in paths:
            try:
                found, accounts = _read(path)
            except BrokenFileError as error:
                output.problems.append(str(error))
            else:
                output.findings += found
                output.accounts |= accounts
    return output


def _read(path: Path) -> tuple[list[Finding], set[str]]:
    """Return the findings and the accounts of an OCSF file; a BrokenFileError if one is broken."""
    found, accounts, number = [], set(), 0
    try:
        for number, detection in enumerate(elements(path), 1):  # noqa: B007 (for the message)
            if detection.get("class_uid") == _COMPLIANCE:
                continue
            if detection.get("cloud", {}).get("provider") == "aws":
                accounts.add(_text(detection["cloud"]["account"]["uid"]))
            if detection["metadata"]["event_code"] in CHECKS:
                found.append(_finding(detection))
    except (AttributeError, LookupError, OverflowError, TypeError, ValueError) as error:
        why = f"is not as Prowler and the plugin write it ({type(error).__name__}: {error})"
        raise BrokenFileError(f"{path}: finding {number:,} {why}.") from error
    return found, accounts


def _finding(detection: dict[str, Any]) -> Finding:
    """Return a finding by Prowler's Detection Finding in OCSF."""
    (resource,) = detection["resources"]
    about, status = detection["finding_info"], detection["status_code"]
    if status not in ("PASS", "FAIL", "MANUAL"):
        raise ValueError(f"status_code is {status!r}")
    facts = (resource.get("data") or {}).get("metadata") or {}
    is_ours = facts.keys() >= _VERDICT
    violations = _parts(Violation, facts["violations"]) if is_ours else ()
    unknown = _parts(Unknown, facts["unknown"]) if is_ours else ()
    if is_ours and (bool(violations) != (status == "FAIL") or (status == "MANUAL") > bool(unknown)):
        raise ValueError(f"it is {status}, and its reasons are those of something else")
    endpoints, created = facts.get("endpoints"), facts.get("creation_time")
    said = about["title"], about["desc"], detection["remediation"]["desc"]
    place = detection["severity"], detection["cloud"]["account"]["uid"], resource["region"]
    severity, account, region = (_one(_text(value)) for value in place)
    return Finding(
        _one(Check(detection["metadata"]["event_code"], *map(_text, said))),
        status,
        detection["status"] == "Suppressed",
        *(severity, account, region, _text(resource["name"]), _text(resource["uid"])),
        datetime.fromtimestamp(int(detection["time"]), timezone.utc),
        _text(detection["status_detail"]),
        is_ours,
        None if created is None else _text(created),
        tuple(_text(e["name"]) for e in endpoints) if is_ours and endpoints is not None else None,
        violations,
        unknown,
        _one(tuple(map(_text, facts.get("regions", ()) if is_ours else ()))),
    )


def _parts(kind: type[T], items: list[dict[str, Any]]) -> tuple[T, ...]:
    """Return violations or unknowns by their members in OCSF, where one may be left out."""
    names = [member.name for member in fields(kind)]  # type: ignore[arg-type]
    found = []
    for item in items:
        values = (item.get(n) if n in _OPTIONAL else _text(item[n]) for n in names)
        found.append(_one(kind(*values)))
    return tuple(found)


def _text(value: Any) -> str:
    """Return a value that must be a text; raise a TypeError if it is none."""
    if not isinstance(value, str):
        raise TypeError(f"a {type(value).__name__} where a text must be")
    return value


@cache
def _one(value: Any) -> Any:
    """Return one object for all that are equal, as many findings share what is long."""
    return value


def in_force(findings: list[Finding]) -> list[Finding]:
    """Return what holds of several scans, as when a folder has many nights or copies of files.

    Of a check's findings of one ARN the latest holds, since a name is of one resource at a time. A
    PASS of the whole account ends all earlier findings in its regions, and any later finding ends
    it. What a later scan does not have holds: whether it is gone is not known, because the scan may
    have been of some regions or resources.
    """
    latest: dict[tuple[str, str, str, str], Finding] = {}
    last: dict[tuple[str, str], datetime] = {}  # when anything was last found in an account
    empty: dict[tuple[str, str, str], datetime] = {}  # when nothing was in a region of it
    for finding in sorted(findings, key=lambda finding: finding.time):
        check, account = finding.check.id, finding.account
        latest[check, account, finding.region, finding.arn] = finding
        last[check, account] = finding.time
        empty |= {(check, account, region): finding.time for region in finding.regions}
    return [
        finding
        for key, finding in latest.items()
        if finding.time >= (last[key[:2]] if finding.regions else empty.get(key[:3], finding.time))
    ]
