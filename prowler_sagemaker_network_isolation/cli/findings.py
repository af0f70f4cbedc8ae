"""The findings of the plugin's checks, out of OCSF."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from .causes import Cause, Unread, causes_of, unread_of
from .files import BrokenFileError, elements, files_below

# The plugin's checks, and what each of them judges.
CHECKS = {
    "sagemaker_models_network_isolation_enabled": "model",
    "sagemaker_endpoint_configs_network_isolation_enabled": "endpoint configuration",
    "sagemaker_monitoring_schedule_network_isolation_enabled": "monitoring schedule",
}
OCSF = r".*\.ocsf\.json"
COMPLIANCE = 2003  # OCSF's class of what Prowler writes for a framework, in a file of its own
STATUSES = ("PASS", "FAIL", "MANUAL")
# What the plugin writes into OCSF for each of its findings, and Prowler's built-in check does not.
EVIDENCE = {"creation_time", "has_vpc_config", "security_groups", "endpoints", "unread"}


@dataclass(frozen=True, slots=True)
class Check:
    """What a file says of the check that made a finding, as Prowler's metadata has it."""

    id: str
    title: str
    description: str
    remediation: str
    severity: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding of one of the plugin's CheckIDs.

    Attributes:
        check: The check that made it.
        state: "PASS", "FAIL" or "MANUAL"; "muted" for one of the latter two that is muted.
        account, region, name, arn: Of the resource.
        time: When the scan was, in seconds since 1970; equal for all findings of one scan.
        text: The finding in words.
        is_ours: Whether it has the plugin's evidence. Prowler's built-in check answers under the
            same CheckID, and its finding has none.
        creation_time: CreationTime, in ISO 8601. With the ARN it names the resource, since a name
            may be used again.
        endpoints: The names of the endpoints that use it; None where that is not known.
        causes: Why it fails; empty unless it is FAIL.
        unread: What could not be read of it and might decide.
    """

    check: Check
    state: str
    account: str
    region: str
    name: str
    arn: str
    time: int
    text: str
    is_ours: bool = False
    creation_time: str | None = None
    endpoints: tuple[str, ...] | None = None
    causes: tuple[Cause, ...] = ()
    unread: tuple[Unread, ...] = ()

    @property
    def kind(self) -> str:
        """What it is about: "model"."""
        return CHECKS[self.check.id]

    @property
    def is_region(self) -> bool:
        """Whether it is about a region whose list could not be read; no AWS name has a slash."""
        return self.name.endswith("/unknown")

    @property
    def resource(self) -> tuple[str, str | None]:
        """What names the resource."""
        return self.arn, self.creation_time


def read(places: Iterable[Path], progress: Callable[[], None]) -> tuple[list[Finding], list[str]]:
    """Return the plugin's findings in files and folders, and what is wrong with any of them.

    Args:
        places: The files and folders.
        progress: Called for each finding that was read, of whatever check.

    Returns:
        The findings of all files that are whole, and a sentence for each that is not.
    """
    found: list[Finding] = []
    problems: list[str] = []
    for place in places:
        try:
            paths = files_below(place, OCSF)
        except BrokenFileError as error:
            problems.append(str(error))
            continue
        for path in paths:
            try:
                found += findings_in(path, progress)
            except BrokenFileError as error:
                problems.append(str(error))
    return found, problems


def findings_in(path: Path, progress: Callable[[], None]) -> list[Finding]:
    """Return the plugin's findings in a file.

    Raises:
        BrokenFileError: It is no file of findings, or one of them is not as Prowler writes it.
    """
    found = []
    for number, detection in enumerate(elements(path), 1):
        progress()
        if detection.get("class_uid") == COMPLIANCE:
            continue
        try:
            if detection["metadata"]["event_code"] in CHECKS:
                found.append(finding_of(detection))
        except (AttributeError, LookupError, OverflowError, TypeError, ValueError) as error:
            raise BrokenFileError(
                f"{path}: finding {number:,} is not as Prowler and the plugin write it "
                f"({type(error).__name__}: {error})."
            ) from error
    return found


def finding_of(detection: dict[str, Any]) -> Finding:
    """Return a finding by Prowler's Detection Finding in OCSF."""
    (resource,) = detection["resources"]
    about = detection["finding_info"]
    check = the_one(
        Check(
            detection["metadata"]["event_code"],
            a_text(about["title"]),
            a_text(about["desc"]),
            a_text(detection["remediation"]["desc"]),
            a_text(detection["severity"]),
        )
    )
    status, text = detection["status_code"], a_text(detection["status_detail"])
    if status not in STATUSES:
        raise ValueError(f"status_code is {status!r}")
    is_muted = status != "PASS" and detection["status"] == "Suppressed"
    finding = Finding(
        check,
        "muted" if is_muted else status,
        the_one(a_text(detection["cloud"]["account"]["uid"])),
        the_one(a_text(resource["region"])),
        a_text(resource["name"]),
        a_text(resource["uid"]),
        int(detection["time"]),
        text,
    )
    facts = (resource.get("data") or {}).get("metadata") or {}
    if not facts.keys() >= EVIDENCE:
        return finding
    endpoints, created = facts["endpoints"], facts["creation_time"]
    return replace(
        finding,
        is_ours=True,
        creation_time=None if created is None else a_text(created),
        endpoints=None
        if endpoints is None
        else tuple(the_one(a_text(endpoint["name"])) for endpoint in endpoints),
        causes=the_one(causes_of(facts, text)) if status == "FAIL" else (),
        unread=the_one(unread_of(facts, text)),
    )


def a_text(value: Any) -> str:
    """Return a value that must be a text.

    Raises:
        TypeError: It is none.
    """
    if not isinstance(value, str):
        raise TypeError(f"a {type(value).__name__} where a text must be")
    return value


@cache
def the_one(value: Any) -> Any:
    """Return one object for all that are equal, as many findings share what is long."""
    return value


def of_latest_scans(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings of the latest scan of each check, account and region, each once.

    A folder may hold several nights, and copies of files.
    """
    scans: dict[tuple[str, str, str], dict[int, dict[tuple[str, str | None], Finding]]] = {}
    for finding in findings:
        of = scans.setdefault((finding.check.id, finding.account, finding.region), {})
        of.setdefault(finding.time, {})[finding.resource] = finding
    return [finding for of in scans.values() for finding in of[max(of)].values()]
