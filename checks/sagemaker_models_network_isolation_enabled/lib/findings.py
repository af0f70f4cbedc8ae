"""Findings out of facts: the verdict on each of them in words, in Prowler's reports."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from dataclasses import asdict, dataclass, fields, is_dataclass
from typing import Any

from prowler.lib.check.models import Check_Report_AWS, CheckMetadata, Severity

from .answers import WORDS
from .configuration import read_egress_setting, read_unused_severity
from .facts import Listing, Model, MonitoringSchedule, Resource, SecurityGroup, Subnet, Unread
from .verdict import Clause, Rule, Verdict, judge

ASFF_DESCRIPTION_LENGTH = 1000  # Prowler's ASFF cuts a finding's description after it
# The most routes or rules of one thing that a text names; the finding's resource has them all.
MOST_NAMED = 50
# What a summary says of each rule; of those in `COUNTED` with their number.
KINDS = {
    Rule.ISOLATION: "network isolation is disabled",
    Rule.VPC_CONFIG: "no VPC configuration",
    Rule.SECURITY_GROUPS: "no security group",
    Rule.SERVERLESS: "serverless variant",
    Rule.SUBNET: "public subnet",
    Rule.INGRESS: "security group with ingress open to the internet",
    Rule.EGRESS: "security group with egress open to the internet",
    Rule.BLOCKED: "traffic stopped by VPC Block Public Access",
    Rule.FIREWALLED: "traffic inspected by an automated internet firewall",
    Rule.EGRESS_UNREAD: "egress not all known",
}
COUNTED = (Rule.SERVERLESS, Rule.SUBNET, Rule.INGRESS, Rule.EGRESS)
# How a sentence says which endpoints use something, and that none does.
USED = {"EndpointConfig": "It is used by", "Model": "It serves"}
UNUSED = {
    "EndpointConfig": "No endpoint is seen to use it",
    "Model": "No endpoint is seen to serve it",
}


@dataclass(frozen=True)
class Finding:
    """A finding, before it is Prowler's.

    Attributes:
        resource: The facts.
        status: "PASS", "FAIL" or "MANUAL".
        text: The verdict in words.
        severity: A lower severity than the check's, such as "low"; None for the check's own.
    """

    resource: Resource
    status: str
    text: str
    severity: str | None = None


def findings(
    service: Any, fact: type[Resource], listings: Iterable[Listing[Any]]
) -> Iterator[Finding]:
    """Yield a finding for each item, and a MANUAL one for each region whose list broke off.

    Args:
        service: What `sagemaker_service` gave.
        fact: The facts' class of what was listed, such as `Model`.
        listings: What was read, by region.
    """
    fail_on_unrestricted_egress = read_egress_setting(service.audit_config)
    unused_severity = read_unused_severity(service.audit_config)
    words = WORDS[fact.NOUN]
    for listing in listings:
        if listing.unread:
            resource_type = words.replace("configuration", "config").replace(" ", "-")
            arn = service.get_unknown_arn(resource_type=resource_type, region=listing.region)
            unknown = fact(
                f"{resource_type}/unknown", arn, listing.region, unread=(listing.unread,)
            )
            reason = "; ".join(explain_unknowns(unknown.unread))
            whole = f"{words}s of region {listing.region} could not all be judged: {reason}"
            yield Finding(unknown, "MANUAL", f"SageMaker {whole}.")
        for item in listing.items:
            verdict = judge(item, fail_on_unrestricted_egress)
            severity = unused_severity if verdict.status == "FAIL" and is_unused(item) else None
            yield Finding(item, verdict.status, explain(item, verdict), severity)


def is_unused(resource: Resource) -> bool:
    """Return whether Search says that neither an endpoint nor a batch transform job uses a model.

    Search is an index that may lag, so this decides no verdict.
    """
    if not isinstance(resource, Model):
        return False
    return resource.endpoints == () and resource.transform_jobs == ()


def reports(metadata: str, found: Iterable[Finding]) -> list[Check_Report_AWS]:
    """Return Prowler's reports for findings.

    Args:
        metadata: The check's metadata in JSON, as Prowler's `Check.metadata` gives it.
        found: What `findings` gave.

    Returns:
        One report a finding, whose resource is the facts.
    """
    # Prowler parses the metadata for each report that it makes, which costs more than all the rest.
    blank = Check_Report_AWS(metadata=metadata, resource={})
    made: list[Check_Report_AWS] = []
    parts: dict[Any, dict[str, Any]] = {}
    for finding in found:
        report, resource = copy(blank), finding.resource
        report.check_metadata = with_severity(blank.check_metadata, finding.severity)
        report.resource = evidence(resource, parts)
        report.resource_id, report.resource_arn = resource.name, resource.arn
        report.region = resource.region
        report.resource_tags = list(resource.tags)
        report.status, report.status_extended = finding.status, finding.text
        made.append(report)
    return made


def evidence(resource: Resource, made: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    """Return facts as `asdict` does, but each subnet and security group once for all resources.

    Args:
        resource: The facts.
        made: What was made of the parts of others; those of this one are added.
    """
    data: dict[str, Any] = {}
    for field in fields(resource):
        value = getattr(resource, field.name)
        if isinstance(value, tuple) and all(map(is_dataclass, value)):
            for part in value:
                made[part] = made.get(part) or asdict(part)
            value = tuple(made[part] for part in value)
        data[field.name] = value
    return data


def with_severity(metadata: CheckMetadata, severity: str | None) -> CheckMetadata:
    """Return a copy of a check's metadata, with another severity where that is lower.

    Args:
        metadata: The check's.
        severity: One of Prowler's severities; None for the check's.
    """
    own = metadata.copy()  # so that whoever changes one report's severity changes no other's
    order = list(Severity)  # the highest first
    if severity and order.index(Severity(severity)) > order.index(metadata.Severity):
        own.Severity = Severity(severity)
    return own


def explain(resource: Resource, verdict: Verdict) -> str:
    """Return the verdict in words, with its evidence: the finding's `status_extended`.

    Args:
        resource: The facts.
        verdict: The verdict on them.
    """
    name = f"SageMaker {WORDS[resource.NOUN]} {resource.name}"
    unread = "; ".join(explain_unknowns(verdict.unknowns))
    if verdict.status == "FAIL":
        head, evidence = f"{name} fails", "; ".join(map(explain_clause, verdict.violations))
    elif verdict.status == "MANUAL":
        head, evidence = f"{name} could not be judged", unread
    else:
        subnets = join(f"{s.id} (route table {s.route_table_id})" for s in resource.subnets)
        head = (
            f"{name} has network isolation enabled and a private VPC configuration in "
            f"{join(dict.fromkeys(str(s.vpc_id) for s in resource.subnets))}"
        )
        evidence = (
            f"no live route to an internet or carrier gateway from {subnets}, "
            f"no ingress open to the internet in {join(g.id for g in resource.security_groups)}"
        )
    details = [f"Not known: {unread}"] * (verdict.status == "FAIL" and bool(unread))
    details += [f"Note: {'; '.join(map(explain_clause, verdict.notes))}"] * bool(verdict.notes)
    used = list(explain_use(resource))
    text = ". ".join([f"{head}: {evidence}", *details, *used]) + "."
    if len(text) <= ASFF_DESCRIPTION_LENGTH:
        return text
    # What is cut off is evidence then, and no kind of it goes unseen.
    summary = f"{head}: {'; '.join(summarize(resource, verdict))}"
    return ". ".join([summary, *used, f"Evidence: {evidence}", *details]) + "."


def explain_clause(clause: Clause) -> str:
    """Return a violation or a note in words, with its evidence."""
    text = KINDS[clause.rule]
    match clause.rule, clause.by:
        case Rule.VPC_CONFIG, _:
            text = "it has no VPC configuration"
        case Rule.SECURITY_GROUPS, _:
            text = "its VPC configuration has no security group"
        case Rule.SERVERLESS, name:
            text = f"variant {name} is serverless, which AWS neither isolates nor puts into a VPC"
        case Rule.SUBNET, Subnet() as subnet:
            text = f"subnet {subnet.id} {', and '.join(explain_routes(subnet))}"
        case Rule.INGRESS, SecurityGroup() as group:
            rules = join_most([rule.text for rule in group.open_ingress])
            text = f"security group {group.id} allows ingress of {rules}"
        case Rule.EGRESS, SecurityGroup() as group:
            rules = join_most([rule.text for rule in group.open_egress])
            text = f"security group {group.id} allows egress of {rules}"
        case Rule.BLOCKED, tuple() as subnets:
            text = (
                f"VPC Block Public Access ({subnets[0].block_public_access}) stops the traffic "
                f"between {join(subnet.id for subnet in subnets)} and the internet gateway for as "
                "long as it is on"
            )
        case Rule.FIREWALLED, tuple() as subnets:
            treatment = subnets[0].firewall_connectivity
            without = "interfaces without a public address in " * (treatment == "flexible")
            text = (
                f"the automated internet firewall ({treatment}) drops connections from the "
                f"internet to {without}{join(subnet.id for subnet in subnets)} for as long as it "
                "is set so, unless its policy only monitors"
            )
        case Rule.EGRESS_UNREAD, tuple() as unknowns:
            text = "; ".join(explain_unknowns(unknowns))
    return text


def explain_routes(subnet: Subnet) -> Iterator[str]:
    """Yield a clause for each way in which a subnet is public."""
    table = f"route table {subnet.route_table_id}"
    if subnet.internet_routes:
        routes = join_most([f"{r.destination} to {r.gateway}" for r in subnet.internet_routes])
        yield f"is public: {table} sends {routes}"
    for r in subnet.middlebox_routes:
        way = f"of {r.gateway} sends the subnet's traffic to it"
        if r.middlebox.startswith("vpce-"):
            way = f"leads from there to {r.gateway}"
        yield (
            f"is public through {r.middlebox}: {table} sends {r.destination} to it, and route "
            f"table {r.route_table_id} {way}"
        )


def explain_use(resource: Resource) -> Iterator[str]:
    """Yield a sentence, without its full stop, on its endpoints, where they are known."""
    if isinstance(resource, MonitoringSchedule):
        if resource.status:
            yield explain_monitoring(resource)
    elif resource.endpoints is not None:
        words = [
            e.name if e.status == "InService" else f"{e.name} ({e.status or 'status unknown'})"
            for e in resource.endpoints
        ]
        plural = "s" if len(words) > 1 else ""
        used = f"{USED[resource.NOUN]} endpoint{plural} "
        yield used + join_most(words) if words else UNUSED[resource.NOUN]


def explain_monitoring(schedule: MonitoringSchedule) -> str:
    """Return in words what a schedule monitors, with which job definition, and in which status."""
    name = schedule.job_definition_name
    words = WORDS[f"{schedule.monitoring_type}JobDefinition"] if name else ""
    definition = f"{words} {name}" if name else "a job definition of its own"
    endpoint = schedule.endpoint_name
    monitors = f"It monitors endpoint {endpoint} with" if endpoint else "It uses"
    status = "" if schedule.status == "Scheduled" else f"; its status is {schedule.status}"
    return f"{monitors} {definition}{status}"


def explain_unknowns(unknowns: Iterable[Unread]) -> Iterator[str]:
    """Yield a clause for each reason why something could not be read, with all that it hit."""
    things: dict[tuple[str, str], list[str]] = {}
    for unknown in unknowns:
        things.setdefault((unknown.why, unknown.remedy), []).append(unknown.what)
    for (why, remedy), whats in things.items():
        yield f"{join(dict.fromkeys(whats))} could not be read ({why}; {remedy})"


def summarize(resource: Resource, verdict: Verdict) -> Iterator[str]:
    """Yield the kinds of what a verdict rests on, each with its number.

    Args:
        resource: The facts.
        verdict: The verdict on them.
    """
    yield from kinds(verdict.violations)
    if verdict.status == "PASS":
        yield count(len(resource.subnets), "private subnet")
        yield count(len(resource.security_groups), "security group") + " without open ingress"
    if verdict.unknowns:
        yield count(len(verdict.unknowns), "thing") + " unknown"
    yield from kinds(verdict.notes)


def kinds(clauses: Iterable[Clause]) -> Iterator[str]:
    """Yield each kind of violation or note, with its number where there may be several."""
    for rule, number in Counter(clause.rule for clause in clauses).items():
        yield count(number, KINDS[rule]) if rule in COUNTED else KINDS[rule]


def count(number: int, thing: str) -> str:
    """Return a number of things in words, such as "2 public subnets"."""
    plural = thing if number == 1 else re.sub("(subnet|group|thing|variant)", r"\1s", thing)
    return f"{number} {plural}"


def join(words: Iterable[str]) -> str:
    """Return words as a list in a sentence: "a, b and c"; there must be one at least."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def join_most(words: Sequence[str]) -> str:
    """Return words as `join` does; of a very long list the first, and the number of the rest."""
    rest = len(words) - MOST_NAMED
    return join([*words[:MOST_NAMED], f"{rest} more"] if rest > 0 else words)
