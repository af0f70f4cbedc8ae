"""The verdict on a model: a pure function of its facts, and the text that is made from it.

The rule: a model is sound when network isolation is on, and it has a VPC configuration whose
subnets are all private and whose security groups admit nothing from everywhere (source: the SOP's
description and implementation steps; AWS Security Hub SageMaker.5 for isolation alone).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from .facts import Model, SecurityGroup, Subnet, Unread


class Rule(Enum):
    """What a model can violate; the value is the sentence that names the evidence."""

    ISOLATION = "network isolation is disabled"
    VPC_CONFIG = "it has no VPC configuration"
    SECURITY_GROUPS = "its VPC configuration has no security group"
    SUBNET = "subnet {id} is public: route table {route_table_id} sends {evidence}"
    INGRESS = "security group {id} allows ingress of {evidence}"
    EGRESS = "security group {id} allows egress of {evidence}"


@dataclass(frozen=True)
class Violation:
    """A rule that a model violates, and by what.

    Attributes:
        rule: The rule.
        by: The subnet or security group that violates it; None where the model itself does.
        evidence: The routes or rules that do.
    """

    rule: Rule
    by: Subnet | SecurityGroup | None = None
    evidence: tuple[str, ...] = ()

    def __str__(self) -> str:
        table = getattr(self.by, "route_table_id", None)
        evidence = join(self.evidence) if self.evidence else None
        identity = self.by.id if self.by else None
        return self.rule.value.format(id=identity, route_table_id=table, evidence=evidence)


@dataclass(frozen=True)
class Verdict:
    """The verdict on one model.

    Attributes:
        status: "PASS", "FAIL" or "MANUAL".
        violations: Every violation that is known.
        unknowns: Everything that could not be read.
        notes: What breaks no rule and should be known all the same: egress to everywhere.
    """

    status: str
    violations: tuple[Violation, ...]
    unknowns: tuple[Unread, ...]
    notes: tuple[Violation, ...]


def judge(model: Model, fail_on_unrestricted_egress: bool) -> Verdict:
    """Return the verdict on a model.

    Args:
        model: Its facts.
        fail_on_unrestricted_egress: Whether egress to everywhere is a violation.

    Returns:
        FAIL for any violation; else MANUAL for anything unknown; else PASS.
    """
    violations = list(violations_of(model))
    egress = [
        Violation(Rule.EGRESS, group, group.open_egress)
        for group in model.security_groups
        if group.open_egress
    ]
    if fail_on_unrestricted_egress:
        violations, egress = violations + egress, []
    parts: tuple[Subnet | SecurityGroup, ...] = (*model.subnets, *model.security_groups)
    unknowns = model.unread + tuple(part.unread for part in parts if part.unread)
    status = "FAIL" if violations else "MANUAL" if unknowns else "PASS"
    return Verdict(status, tuple(violations), unknowns, tuple(egress))


def violations_of(model: Model) -> Iterator[Violation]:
    """Yield what a model violates, in the order in which a reader cares."""
    if model.network_isolation is False:
        yield Violation(Rule.ISOLATION)
    if model.has_vpc_config is False:
        yield Violation(Rule.VPC_CONFIG)
    if model.has_vpc_config and not model.security_groups:
        yield Violation(Rule.SECURITY_GROUPS)
    for subnet in model.subnets:
        if subnet.internet_routes:
            routes = tuple(f"{r.destination} to {r.gateway}" for r in subnet.internet_routes)
            yield Violation(Rule.SUBNET, subnet, routes)
    for group in model.security_groups:
        if group.open_ingress:
            yield Violation(Rule.INGRESS, group, group.open_ingress)


def explain(model: Model, verdict: Verdict) -> str:
    """Return the verdict in words, with its evidence: the finding's `status_extended`.

    Args:
        model: The model's facts.
        verdict: The verdict on it.
    """
    name = f"SageMaker model {model.name}"
    unread = "; ".join(explain_unknowns(verdict.unknowns))
    notes = "; ".join(map(str, verdict.notes))
    if verdict.status == "FAIL":
        sentences = [f"{name} is not isolated: {'; '.join(map(str, verdict.violations))}"]
        sentences += [f"Not known: {unread}"] * bool(unread)
    elif verdict.status == "MANUAL":
        sentences = [f"{name} could not be judged: {unread}"]
    else:
        subnets = join(f"{s.id} (route table {s.route_table_id})" for s in model.subnets)
        sentences = [
            f"{name} has network isolation enabled and a private VPC configuration in "
            f"{join(dict.fromkeys(str(s.vpc_id) for s in model.subnets))}: "
            f"no route to an internet gateway from {subnets}, "
            f"no ingress from everywhere in {join(g.id for g in model.security_groups)}"
        ]
    sentences += [f"Note: {notes}"] * bool(notes)
    return ". ".join(sentences) + "."


def explain_unknowns(unknowns: tuple[Unread, ...]) -> Iterator[str]:
    """Yield a clause for each reason why something could not be read, with all that it hit."""
    things: dict[tuple[str, str], list[str]] = {}
    for unknown in unknowns:
        things.setdefault((unknown.why, unknown.remedy), []).append(unknown.what)
    for (why, remedy), whats in things.items():
        yield f"{join(whats)} could not be read ({why}; {remedy})"


def join(words: Iterable[str]) -> str:
    """Return words as a list in a sentence: "a, b and c"; there must be one at least."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
