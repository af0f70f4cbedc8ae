"""The rules: each is one function that says what breaks it, or what should be known.

A model is sound when network isolation is on, and it has a VPC configuration whose subnets are all
private and whose security groups admit no range of the internet (source: the SOP's description and
implementation steps). A rule is a pure function of facts, and yields what it has to say as data.
To add one, write the function with its words and its source, and put it into `RULES` or `NOTES`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from .facts import EndpointConfig, OpenRule, Resource, Route, Subnet, Unread

_MOST_NAMED = 50  # the most routes or rules of one thing in words; the finding's resource has all


@dataclass(frozen=True, slots=True)
class Statement:
    """What a rule says of a resource.

    Attributes:
        rule: The rule's name, such as "public-subnet".
        thing: What must change, such as "route table rtb-1"; for a note, what it is about.
        detail: A clause whose subject is the thing, such as "sends 0.0.0.0/0 to igw-1".
        effect: What follows for this resource, such as "subnet subnet-1 is public", if anything.
    """

    rule: str
    thing: str
    detail: str
    effect: str | None = None

    @property
    def text(self) -> str:
        """The statement in words."""
        clause = f"{self.thing} {self.detail}"
        return f"{self.effect}: {clause}" if self.effect else clause


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict on one resource: "PASS", "FAIL" or "MANUAL", with all that it rests on."""

    status: str
    violations: tuple[Statement, ...] = ()
    unknown: tuple[Unread, ...] = ()  # what is not known and might decide
    notes: tuple[Statement, ...] = ()  # what breaks no rule and should be known


def judge(resource: Resource, fail_on_unrestricted_egress: bool) -> Verdict:
    """Return the verdict on a model, an endpoint configuration or a monitoring schedule.

    Args:
        fail_on_unrestricted_egress: Whether egress to the internet is a violation, and not a note.

    Returns:
        FAIL for any violation; else MANUAL for anything unknown that might be one; else PASS.
    """
    violations = [said for rule in RULES for said in rule(resource)]
    notes = [said for rule in NOTES for said in rule(resource)]
    unknown = list(_unknown(resource))
    of_egress = [unread for unread in _unknown_egress(resource) if unread not in unknown]
    if fail_on_unrestricted_egress:
        violations += open_egress(resource)
        unknown += of_egress
    else:
        notes += open_egress(resource)
        notes += [Statement("unknown-egress", u.what, _explain_why(u)) for u in of_egress]
    status = "FAIL" if violations else "MANUAL" if unknown else "PASS"
    return Verdict(status, tuple(violations), tuple(dict.fromkeys(unknown)), tuple(notes))


def network_isolation(resource: Resource) -> Iterator[Statement]:
    """EnableNetworkIsolation must be on (source: the SOP; AWS Security Hub SageMaker.5)."""
    if resource.network_isolation is False:
        yield Statement("network-isolation", "network isolation", "is disabled")


def vpc_config(resource: Resource) -> Iterator[Statement]:
    """There must be a VpcConfig, with a security group in it (source: the SOP's test plan)."""
    if resource.has_vpc_config is False:
        yield Statement("vpc-config", "the VPC configuration", "is missing")
    elif resource.has_vpc_config and not resource.security_group_ids:
        yield Statement("security-groups", "the VPC configuration", "has no security group")


def serverless_variants(resource: Resource) -> Iterator[Statement]:
    """A serverless variant has neither isolation nor a VPC.

    Source: "Feature exclusions" in "Deploy models with Amazon SageMaker Serverless Inference" of
    the Amazon SageMaker AI Developer Guide.
    """
    for name in resource.serverless_variants if isinstance(resource, EndpointConfig) else ():
        detail = "is serverless, which AWS neither isolates nor puts into a VPC"
        yield Statement("serverless-variant", f"variant {name}", detail)


def public_subnets(resource: Resource) -> Iterator[Statement]:
    """No subnet may be public, directly or through a firewall or an appliance.

    Source: "Subnet types" in the Amazon VPC User Guide, and `middleboxes`. What is in effect for
    several subnets is one route table, and said once.
    """
    ways: dict[tuple[str | None, str, str], list[str]] = {}
    for subnet in resource.network.subnets:
        for through, detail in _ways_out(subnet):
            ways.setdefault((subnet.route_table_id, through, detail), []).append(subnet.id)
    for (table, through, detail), ids in ways.items():
        these = f"subnets {join(ids)} are" if len(ids) > 1 else f"subnet {ids[0]} is"
        effect = f"{these} public{through}"
        yield Statement("public-subnet", f"route table {table}", detail, effect)


def open_ingress(resource: Resource) -> Iterator[Statement]:
    """The security groups together must admit no range of the internet (source: `ranges`)."""
    groups = resource.network.security_groups
    return _open("ingress", {group.id: group.open_ingress or () for group in groups})


def open_egress(resource: Resource) -> Iterator[Statement]:
    """Egress to the internet is the user's to allow: the SOP asks that it be controlled."""
    groups = resource.network.security_groups
    return _open("egress", {group.id: group.open_egress or () for group in groups})


def blocked_subnets(resource: Resource) -> Iterator[Statement]:
    """VPC Block Public Access may stop a public subnet's traffic.

    The subnet is public all the same, because whoever takes off the account's setting does not look
    at the subnet (source: "Block public access to VPCs and subnets" in the Amazon VPC User Guide).
    Nothing is noted behind an appliance, whose own subnet decides.
    """
    blocked: dict[str, list[str]] = {}
    for subnet in resource.network.subnets:
        routes = [r for r in subnet.internet_routes or () if r.gateway.startswith("igw-")]
        mode = subnet.block_public_access or ""
        if mode.startswith("block-") and any(not _is_by_appliance(route) for route in routes):
            blocked.setdefault(mode, []).append(subnet.id)
    for mode, ids in blocked.items():
        detail = (
            f"({mode}) stops the traffic between {join(ids)} and the internet gateway for as long "
            "as it is on"
        )
        yield Statement("blocked-subnet", "VPC Block Public Access", detail)


def firewalled_subnets(resource: Resource) -> Iterator[Statement]:
    """The automated internet firewall may drop what comes in for a public subnet.

    `outbound-only` drops what is unsolicited; `flexible` does so for interfaces without a public
    address; a policy that monitors only logs it. The subnet is public all the same (source: Subnet
    and IgwFirewall in the Amazon EC2 API Reference).
    """
    treated: dict[str, list[str]] = {}
    for subnet in resource.network.subnets:
        connectivity = subnet.firewall_connectivity or ""
        inspected = any(route.firewall == "active" for route in subnet.internet_routes or ())
        if inspected and connectivity in ("outbound-only", "flexible"):
            treated.setdefault(connectivity, []).append(subnet.id)
    for treatment, ids in treated.items():
        without = "interfaces without a public address in " * (treatment == "flexible")
        detail = (
            f"({treatment}) drops connections from the internet to {without}{join(ids)} for as "
            "long as it is set so, unless its policy only monitors"
        )
        yield Statement("firewalled-subnet", "the automated internet firewall", detail)


_Rule = Callable[[Resource], Iterator[Statement]]
# In the order in which a reader cares.
RULES: tuple[_Rule, ...] = (
    *(network_isolation, vpc_config, serverless_variants, public_subnets, open_ingress),
)
NOTES: tuple[_Rule, ...] = (blocked_subnets, firewalled_subnets)


def _ways_out(subnet: Subnet) -> Iterator[tuple[str, str]]:
    """Yield each way in which a subnet is public: through what, and what its table sends."""
    routes = subnet.internet_routes or ()
    if direct := [f"{r.destination} to {r.gateway}" for r in routes if not r.middlebox]:
        yield "", f"sends {join_most(direct)}"
    for r in routes:
        if r.middlebox:
            way = f"leads from there to {r.gateway}"
            if _is_by_appliance(r):
                way = f"of {r.gateway} sends the subnet's traffic to it"
            detail = f"sends {r.destination} to it, and route table {r.route_table_id} {way}"
            yield f" through {r.middlebox}", detail


def _is_by_appliance(route: Route) -> bool:
    return bool(route.middlebox) and not str(route.middlebox).startswith("vpce-")


def _open(direction: str, opened: Mapping[str, tuple[OpenRule, ...]]) -> Iterator[Statement]:
    """Yield the groups that are open by themselves, and those that are only together."""
    found: dict[tuple[str, ...], list[str]] = {}
    for group_id, rules in opened.items():
        for one in rules:
            ids = tuple(sorted({group_id, *one.joined_with}))
            text = f"{one.text} of {group_id}" if one.joined_with else one.text
            found.setdefault(ids, []).append(text)
    for ids, texts in found.items():
        together, verb = (" together", "allow") if len(ids) > 1 else ("", "allows")
        thing = f"security group{'s' * (len(ids) > 1)} {join(ids)}{together}"
        yield Statement(f"open-{direction}", thing, f"{verb} {direction} of {join_most(texts)}")


def _unknown(resource: Resource) -> Iterator[Unread]:
    """Yield all that is not known and might decide; a fact that nobody filled in is among it."""
    subnets, groups = resource.network.subnets, resource.network.security_groups
    settings = (resource.network_isolation, resource.has_vpc_config)
    what = "EnableNetworkIsolation and VpcConfig"
    yield from _unread(resource.unread, settings, what, f"sagemaker:Describe{resource.NOUN}")
    named = {*resource.subnet_ids, *resource.security_group_ids}
    read = {subnet.id for subnet in subnets} | {group.id for group in groups}
    if resource.has_vpc_config and (read != named or not subnets):
        yield from _unread(None, (), "a subnet or security group", "ec2:DescribeSubnets")
    for s in subnets:
        facts = (s.vpc_id, s.route_table_id, s.internet_routes)
        yield from _unread(s.unread, facts, f"subnet {s.id}", "ec2:DescribeRouteTables")
    for g in groups:
        known = (g.vpc_id, g.open_ingress)
        yield from _unread(g.unread, known, f"security group {g.id}", "ec2:DescribeSecurityGroups")


def _unknown_egress(resource: Resource) -> Iterator[Unread]:
    for g in resource.network.security_groups:
        what = f"egress of security group {g.id}"
        facts = (g.open_egress,)
        yield from _unread(g.unread_egress, facts, what, "ec2:DescribeSecurityGroups")


def _unread(
    unread: tuple[Unread, ...] | None, facts: Iterable[object], what: str, permission: str
) -> Iterator[Unread]:
    """Yield why something is unread; where nobody says why, that nobody read it."""
    yield from unread or ()
    if not unread and (unread is None or None in facts):
        yield Unread(what, "nothing was read", permission, "scan again")


def _explain_why(unread: Unread) -> str:
    """Return why something is not known, as a clause without its subject."""
    return f"{unread.problem} ({unread.why}; {unread.remedy})"


def explain_unknown(unknown: Iterable[Unread]) -> str:
    """Return in words what is not known: a clause for each reason, with all that it hit."""
    things: dict[str, list[str]] = {}
    for unread in unknown:
        things.setdefault(_explain_why(unread), []).append(unread.what)
    return "; ".join(f"{join(dict.fromkeys(whats))} {why}" for why, whats in things.items())


def join(words: Iterable[str]) -> str:
    """Return words as a list in a sentence: "a, b and c"; there must be one at least."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def join_most(words: Sequence[str]) -> str:
    """Return words as `join` does; of very many the first, and the number of the rest."""
    rest = len(words) - _MOST_NAMED
    return join([*words[:_MOST_NAMED], f"{rest} more"] if rest > 0 else words)
