"""The verdict on a model or an endpoint configuration: a pure function of its facts, and its text.

The rule: it is sound when network isolation is on, and it has a VPC configuration whose subnets are
all private and whose security groups admit no range of the internet (source: the SOP's description
and implementation steps; AWS Security Hub SageMaker.5 for isolation alone).
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from .facts import EndpointConfig, Hosted, SecurityGroup, Subnet, Unread

# Prowler's ASFF cuts a finding's description after so many characters.
LONG = 1000


class Rule(Enum):
    """What can be violated, and what is noted; the value says so in a summary."""

    ISOLATION = "network isolation is disabled"
    VPC_CONFIG = "no VPC configuration"
    SECURITY_GROUPS = "no security group"
    SERVERLESS = "serverless variant"
    SUBNET = "public subnet"
    INGRESS = "security group with ingress open to the internet"
    EGRESS = "security group with egress open to the internet"
    BLOCKED = "traffic stopped by VPC Block Public Access"
    EGRESS_UNREAD = "egress not all known"


COUNTED = (Rule.SERVERLESS, Rule.SUBNET, Rule.INGRESS, Rule.EGRESS)  # the others are said once
# The most routes or rules of one thing that a text names; the finding's resource has them all.
MOST = 50


@dataclass(frozen=True)
class Violation:
    """A rule that is violated, once.

    Attributes:
        rule: The rule.
        text: A clause that names the evidence.
        by: The subnet or security group that violates it; None for the model or configuration.
    """

    rule: Rule
    text: str
    by: Subnet | SecurityGroup | None = None

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Verdict:
    """The verdict on one model or endpoint configuration.

    Attributes:
        status: "PASS", "FAIL" or "MANUAL".
        violations: Every violation that is known.
        unknowns: Everything that could not be read and might decide.
        notes: What breaks no rule and should be known all the same.
    """

    status: str
    violations: tuple[Violation, ...]
    unknowns: tuple[Unread, ...]
    notes: tuple[Violation, ...]


def judge(hosted: Hosted, fail_on_unrestricted_egress: bool) -> Verdict:
    """Return the verdict on a model or an endpoint configuration.

    Args:
        hosted: Its facts.
        fail_on_unrestricted_egress: Whether egress to the internet is a violation.

    Returns:
        FAIL for any violation; else MANUAL for anything unknown that might be one; else PASS.
    """
    violations = list(violations_of(hosted))
    parts: tuple[Subnet | SecurityGroup, ...] = (*hosted.subnets, *hosted.security_groups)
    unknowns = [*hosted.unread, *(unread for part in parts for unread in part.unread)]
    notes = list(explain_block_public_access(hosted))
    egress = list(egress_of(hosted))
    unread_egress = [unread for group in hosted.security_groups for unread in group.unread_egress]
    if fail_on_unrestricted_egress:
        violations += egress
        unknowns += unread_egress
    else:
        # What is unknown of a group as a whole is said once.
        only_egress = (unread for unread in unread_egress if unread not in unknowns)
        unread = explain_unknowns(only_egress)
        notes += [*egress, *(Violation(Rule.EGRESS_UNREAD, clause) for clause in unread)]
    status = "FAIL" if violations else "MANUAL" if unknowns else "PASS"
    return Verdict(status, tuple(violations), tuple(dict.fromkeys(unknowns)), tuple(notes))


def violations_of(hosted: Hosted) -> Iterator[Violation]:
    """Yield what is violated but for egress, in the order in which a reader cares."""
    if hosted.network_isolation is False:
        yield Violation(Rule.ISOLATION, "network isolation is disabled")
    if hosted.has_vpc_config is False:
        yield Violation(Rule.VPC_CONFIG, "it has no VPC configuration")
    if hosted.has_vpc_config and not hosted.security_groups:
        yield Violation(Rule.SECURITY_GROUPS, "its VPC configuration has no security group")
    # "Feature exclusions" in "Deploy models with Amazon SageMaker Serverless Inference" of the
    # Amazon SageMaker AI Developer Guide: network isolation and VPC configuration.
    for variant in hosted.serverless_variants if isinstance(hosted, EndpointConfig) else ():
        text = f"variant {variant} is serverless, which AWS neither isolates nor puts into a VPC"
        yield Violation(Rule.SERVERLESS, text)
    for subnet in hosted.subnets:
        clauses = []
        if subnet.internet_routes:
            routes = join_most([f"{r.destination} to {r.gateway}" for r in subnet.internet_routes])
            clauses.append(f"is public: route table {subnet.route_table_id} sends {routes}")
        clauses += [
            f"is public through {r.middlebox}: route table {subnet.route_table_id} sends "
            f"{r.destination} to it, and route table {r.gateway_route_table_id} of {r.gateway} "
            f"sends {r.block} to it"
            for r in subnet.middlebox_routes
        ]
        if clauses:
            yield Violation(Rule.SUBNET, f"subnet {subnet.id} {', and '.join(clauses)}", subnet)
    for group in hosted.security_groups:
        if group.open_ingress:
            text = f"security group {group.id} allows ingress of {join_most(group.open_ingress)}"
            yield Violation(Rule.INGRESS, text, group)


def egress_of(hosted: Hosted) -> Iterator[Violation]:
    """Yield the security groups that let traffic out to the internet."""
    for group in hosted.security_groups:
        if group.open_egress:
            text = f"security group {group.id} allows egress of {join_most(group.open_egress)}"
            yield Violation(Rule.EGRESS, text, group)


def explain_block_public_access(hosted: Hosted) -> Iterator[Violation]:
    """Yield a note for each mode of VPC Block Public Access that stops a public subnet's traffic.

    Behind an appliance it is the appliance's subnet that decides, so nothing is noted. The subnet
    is public by its routes all the same: the setting is the account's, for a whole region, and can
    be taken off without a look at the subnet (source: "Block public access to VPCs and subnets" in
    the Amazon VPC User Guide).
    """
    blocked: dict[str, list[str]] = {}
    for subnet in hosted.subnets:
        gateways = [route.gateway for route in subnet.internet_routes]
        gateways += [r.gateway for r in subnet.middlebox_routes if r.middlebox.startswith("vpce-")]
        through = any(gateway.startswith("igw-") for gateway in gateways)
        if through and (subnet.block_public_access or "").startswith("block-"):
            blocked.setdefault(str(subnet.block_public_access), []).append(subnet.id)
    for mode, subnet_ids in blocked.items():
        yield Violation(
            Rule.BLOCKED,
            f"VPC Block Public Access ({mode}) stops the traffic between {join(subnet_ids)} and "
            "the internet gateway for as long as it is on",
        )


def explain(hosted: Hosted, verdict: Verdict) -> str:
    """Return the verdict in words, with its evidence: the finding's `status_extended`.

    Args:
        hosted: The facts.
        verdict: The verdict on them.
    """
    name = f"SageMaker {hosted.WORDS} {hosted.name}"
    unread = "; ".join(explain_unknowns(verdict.unknowns))
    if verdict.status == "FAIL":
        head, evidence = f"{name} fails", "; ".join(map(str, verdict.violations))
    elif verdict.status == "MANUAL":
        head, evidence = f"{name} could not be judged", unread
    else:
        subnets = join(f"{s.id} (route table {s.route_table_id})" for s in hosted.subnets)
        head = (
            f"{name} has network isolation enabled and a private VPC configuration in "
            f"{join(dict.fromkeys(str(s.vpc_id) for s in hosted.subnets))}"
        )
        evidence = (
            f"no live route to an internet or carrier gateway from {subnets}, "
            f"no ingress open to the internet in {join(g.id for g in hosted.security_groups)}"
        )
    details = [f"Not known: {unread}"] * (verdict.status == "FAIL" and bool(unread))
    details += [f"Note: {'; '.join(map(str, verdict.notes))}"] * bool(verdict.notes)
    served = list(explain_endpoints(hosted))
    text = ". ".join([f"{head}: {evidence}", *details, *served]) + "."
    if len(text) <= LONG:
        return text
    # What is cut off is evidence then, and no kind of it goes unseen.
    summary = f"{head}: {'; '.join(summarize(hosted, verdict))}"
    return ". ".join([summary, *served, f"Evidence: {evidence}", *details]) + "."


def explain_endpoints(hosted: Hosted) -> Iterator[str]:
    """Yield a sentence, without its full stop, on the endpoints of it, where they are known."""
    if hosted.endpoints is not None:
        words = [
            e.name if e.status == "InService" else f"{e.name} ({e.status or 'status unknown'})"
            for e in hosted.endpoints
        ]
        plural = "s" if len(words) > 1 else ""
        used = f"{hosted.USED} endpoint{plural} "
        yield used + join_most(words) if words else hosted.UNUSED


def summarize(hosted: Hosted, verdict: Verdict) -> Iterator[str]:
    """Yield the kinds of what a verdict rests on, each with its number.

    Args:
        hosted: The facts.
        verdict: The verdict on them.
    """
    yield from kinds(verdict.violations)
    if verdict.status == "PASS":
        yield count(len(hosted.subnets), "private subnet")
        yield count(len(hosted.security_groups), "security group") + " without open ingress"
    if verdict.unknowns:
        yield count(len(verdict.unknowns), "thing") + " unknown"
    yield from kinds(verdict.notes)


def kinds(violations: Iterable[Violation]) -> Iterator[str]:
    """Yield each kind of violation or note, with its number where there may be several."""
    for rule, number in Counter(violation.rule for violation in violations).items():
        yield count(number, rule.value) if rule in COUNTED else rule.value


def count(number: int, thing: str) -> str:
    """Return a number of things in words, such as "2 public subnets"."""
    plural = thing if number == 1 else re.sub("(subnet|group|thing|variant)", r"\1s", thing)
    return f"{number} {plural}"


def explain_unknowns(unknowns: Iterable[Unread]) -> Iterator[str]:
    """Yield a clause for each reason why something could not be read, with all that it hit."""
    things: dict[tuple[str, str], list[str]] = {}
    for unknown in unknowns:
        things.setdefault((unknown.why, unknown.remedy), []).append(unknown.what)
    for (why, remedy), whats in things.items():
        yield f"{join(dict.fromkeys(whats))} could not be read ({why}; {remedy})"


def join(words: Iterable[str]) -> str:
    """Return words as a list in a sentence: "a, b and c"; there must be one at least."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def join_most(words: Sequence[str]) -> str:
    """Return words as `join` does; of a very long list the first, and the number of the rest."""
    rest = len(words) - MOST
    return join([*words[:MOST], f"{rest} more"] if rest > 0 else words)
