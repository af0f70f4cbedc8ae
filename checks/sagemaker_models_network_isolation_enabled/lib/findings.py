"""Findings out of facts: the verdict on each of them in words, in Prowler's reports."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from prowler.lib.check.models import Check_Report_AWS, CheckMetadata, Severity

from .answers import WORDS
from .configuration import read_egress_setting, read_unused_severity
from .facts import (
    Account,
    EndpointConfig,
    Listing,
    Model,
    MonitoringSchedule,
    OpenRule,
    Resource,
    Service,
)
from .rules import Verdict, explain_unknown, join, join_most, judge

_ASFF_DESCRIPTION_LENGTH = 1000  # Prowler's ASFF cuts a finding's description after it
# Facts that the evidence tells elsewhere: in `unknown`, in its subnets and groups, and in Prowler's
# own labels.
_NOT_TOLD = {"network", "security_group_ids", "subnet_ids", "tags", "unread", "unread_egress"}


@dataclass(frozen=True)
class Finding:
    """A finding, before it is Prowler's: the facts, the verdict on them, and that in words."""

    resource: Resource | Account
    verdict: Verdict
    text: str
    severity: str | None = None  # one that may be lower than the check's, such as "low"


def findings(
    service: Service, fact: type[Resource], listings: Sequence[Listing[Any]]
) -> Iterator[Finding]:
    """Yield all findings of a check: there is one at least, unless no region was scanned.

    Args:
        fact: The facts' class of what was listed, such as `Model`.

    Yields:
        A finding for each item; a MANUAL one for each region whose list broke off; and where
        everything was listed and nothing is there to judge, a PASS for the account, unless the
        scan is limited to some resources.
    """
    strict = read_egress_setting(service.audit_config)
    unused_severity = read_unused_severity(service.audit_config)
    for listing in listings:
        if listing.unread:
            yield _of_region(service, fact, listing)
        for item in listing.items:
            verdict = judge(item, strict)
            severity = unused_severity if verdict.status == "FAIL" and _is_unused(item) else None
            yield Finding(item, verdict, explain(item, verdict), severity)
    nothing = not any(listing.unread or listing.items for listing in listings)
    if listings and nothing and not service.audit_resources:
        yield _of_account(service, fact, tuple(listing.region for listing in listings))


def _of_region(service: Service, fact: type[Resource], listing: Listing[Any]) -> Finding:
    words = WORDS[fact.NOUN]
    resource_type = words.replace("configuration", "config").replace(" ", "-")
    arn = service.get_unknown_arn(resource_type=resource_type, region=listing.region)
    unknown = (listing.unread,) if listing.unread else ()
    resource = fact(f"{resource_type}/unknown", arn, listing.region, unread=unknown)
    what = f"SageMaker {words}s of region {listing.region} could not all be judged"
    text = f"{what}: {explain_unknown(unknown)}."
    return Finding(resource, Verdict("MANUAL", unknown=unknown), text)


def _of_account(service: Service, fact: type[Resource], regions: tuple[str, ...]) -> Finding:
    region = service.region if service.region in regions else regions[0]
    account = Account(service.audited_account, service.audited_account_arn, region, regions)
    where = f"the {len(regions)} regions that were scanned"
    if len(regions) == 1:
        where = f"{regions[0]}, the only region that was scanned"
    what = WORDS[fact.NOUN] + " for inference components" * (fact is EndpointConfig)
    return Finding(account, Verdict("PASS"), f"No SageMaker {what} exists in {where}.")


def _is_unused(resource: Resource) -> bool:
    """Return whether nothing in Search's record of a model uses it; that index may lag."""
    return isinstance(resource, Model) and (resource.endpoints, resource.other_uses) == ((), ())


def reports(metadata: str, found: Iterable[Finding]) -> list[Check_Report_AWS]:
    """Return a report of Prowler's for each finding, whose resource is the facts and the verdict.

    Args:
        metadata: The check's metadata in JSON, as Prowler's `Check.metadata` gives it.
    """
    # Prowler parses the metadata for each report that it makes, which costs more than all the rest.
    blank = Check_Report_AWS(metadata=metadata, resource={})
    made: list[Check_Report_AWS] = []
    parts: dict[Any, Any] = {}
    for finding in found:
        report, resource = copy(blank), finding.resource
        report.check_metadata = _with_severity(blank.check_metadata, finding.severity)
        report.resource = _evidence(finding, parts)
        report.resource_id, report.resource_arn = resource.name, resource.arn
        report.region = resource.region
        report.resource_tags = list(getattr(resource, "tags", ()))
        report.status, report.status_extended = finding.verdict.status, finding.text
        made.append(report)
    return made


def _evidence(finding: Finding, made: dict[Any, Any]) -> dict[str, Any]:
    """Return facts and verdict as plain values: a subnet or group once for all that name it."""
    resource = finding.resource
    data = {f.name: getattr(resource, f.name) for f in fields(resource) if f.name not in _NOT_TOLD}
    if isinstance(resource, Resource):
        data |= {f.name: getattr(resource.network, f.name) for f in fields(resource.network)}
    for name in ("violations", "unknown", "notes"):
        data[name] = getattr(finding.verdict, name)
    return {name: _plain(value, made) for name, value in data.items()}


def _plain(value: Any, made: dict[Any, Any]) -> Any:
    """Return a fact or a statement as plain values, without the members that say nothing."""
    if isinstance(value, tuple):
        return [_plain(part, made) for part in value]
    if isinstance(value, OpenRule):
        return value.text
    if not is_dataclass(value):
        return value
    if value not in made:
        members = {f.name: getattr(value, f.name) for f in fields(value)}
        told = {k: v for k, v in members.items() if k not in _NOT_TOLD and v not in (None, ())}
        made[value] = {k: _plain(v, made) for k, v in told.items()}
    return made[value]


def _with_severity(metadata: CheckMetadata, severity: str | None) -> CheckMetadata:
    """Return a copy of a check's metadata, with another severity where that is lower."""
    own = metadata.copy()  # so that whoever changes one report's severity changes no other's
    order = list(Severity)  # the highest first
    if severity and order.index(Severity(severity)) > order.index(metadata.Severity):
        own.Severity = Severity(severity)
    return own


def explain(resource: Resource, verdict: Verdict) -> str:
    """Return the verdict in words: where Security Hub would cut them, a summary comes first."""
    name = f"SageMaker {WORDS[resource.NOUN]} {resource.name}"
    unknown = explain_unknown(verdict.unknown)
    if verdict.status == "FAIL":
        head, evidence = f"{name} fails", "; ".join(said.text for said in verdict.violations)
    elif verdict.status == "MANUAL":
        head, evidence = f"{name} could not be judged", unknown
    else:
        network = resource.network
        subnets = join(f"{s.id} (route table {s.route_table_id})" for s in network.subnets)
        head = (
            f"{name} has network isolation enabled and a private VPC configuration in "
            f"{join(dict.fromkeys(str(s.vpc_id) for s in network.subnets))}"
        )
        evidence = (
            f"no live route to an internet or carrier gateway from {subnets}, "
            f"no ingress open to the internet in {join(g.id for g in network.security_groups)}"
        )
    details = [f"Not known: {unknown}"] * (verdict.status == "FAIL" and bool(unknown))
    details += [f"Note: {'; '.join(said.text for said in verdict.notes)}"] * bool(verdict.notes)
    used = list(_explain_use(resource))
    text = ". ".join([f"{head}: {evidence}", *details, *used]) + "."
    if len(text) <= _ASFF_DESCRIPTION_LENGTH:
        return text
    # What is cut off is evidence then, and no rule goes unseen.
    summary = f"{head}: {_summarize(resource, verdict)}"
    return ". ".join([summary, *used, f"Evidence: {evidence}", *details]) + "."


def _summarize(resource: Resource, verdict: Verdict) -> str:
    """Return what a verdict rests on, each with its number."""
    counts = Counter(said.rule for said in verdict.violations)
    if verdict.status == "PASS":
        counts["private subnets"] = len(resource.subnet_ids)
        counts["security groups without open ingress"] = len(resource.security_group_ids)
    counts["unknown"] = len(verdict.unknown)
    counts.update(f"noted: {said.rule}" for said in verdict.notes)
    return "; ".join(f"{what} ({number})" for what, number in counts.items() if number)


def _explain_use(resource: Resource) -> Iterator[str]:
    """Yield a sentence, without its full stop, on its endpoints, where they are known."""
    if isinstance(resource, MonitoringSchedule):
        if resource.status:
            yield _explain_monitoring(resource)
    elif resource.endpoints is not None:
        is_model = isinstance(resource, Model)
        used, use = ("It serves", "serve") if is_model else ("It is used by", "use")
        names = [
            e.name if e.status == "InService" else f"{e.name} ({e.status or 'status unknown'})"
            for e in resource.endpoints
        ]
        plural = "s" * (len(names) > 1)
        said = f"{used} endpoint{plural} {join_most(names)}" if names else ""
        yield said or f"No endpoint is seen to {use} it"


def _explain_monitoring(schedule: MonitoringSchedule) -> str:
    """Return in words what a schedule monitors, with which job definition, and in which status."""
    name = schedule.job_definition_name
    words = WORDS[f"{schedule.monitoring_type}JobDefinition"] if name else ""
    definition = f"{words} {name}" if name else "a job definition of its own"
    endpoint = schedule.endpoint_name
    monitors = f"It monitors endpoint {endpoint} with" if endpoint else "It uses"
    status = "" if schedule.status == "Scheduled" else f"; its status is {schedule.status}"
    return f"{monitors} {definition}{status}"
