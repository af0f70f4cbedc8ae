"""The verdict on a model or an endpoint configuration: a pure function of its facts.

The rule: it is sound when network isolation is on, and it has a VPC configuration whose subnets are
all private and whose security groups admit no range of the internet (source: the SOP's description
and implementation steps; AWS Security Hub SageMaker.5 for isolation alone).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from .facts import EndpointConfig, Resource, SecurityGroup, Subnet, Unread


class Rule(Enum):
    """What can be violated, and what is noted."""

    ISOLATION = auto()
    VPC_CONFIG = auto()
    SECURITY_GROUPS = auto()
    SERVERLESS = auto()
    SUBNET = auto()
    INGRESS = auto()
    EGRESS = auto()
    BLOCKED = auto()
    FIREWALLED = auto()
    EGRESS_UNREAD = auto()


@dataclass(frozen=True)
class Clause:
    """A rule that is violated, or a note, once.

    Attributes:
        rule: The rule.
        by: The subnet, the security group or the name of the serverless variant that violates it;
            for a note, the subnets whose traffic is treated in one way, or what could not be
            read; None for the model or configuration itself.
    """

    rule: Rule
    by: Subnet | SecurityGroup | str | tuple[Subnet, ...] | tuple[Unread, ...] | None = None


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
    violations: tuple[Clause, ...]
    unknowns: tuple[Unread, ...]
    notes: tuple[Clause, ...]


def judge(resource: Resource, fail_on_unrestricted_egress: bool) -> Verdict:
    """Return the verdict on a model or an endpoint configuration.

    Args:
        resource: Its facts.
        fail_on_unrestricted_egress: Whether egress to the internet is a violation.

    Returns:
        FAIL for any violation; else MANUAL for anything unknown that might be one; else PASS.
    """
    violations = list(violations_of(resource))
    parts: tuple[Subnet | SecurityGroup, ...] = (*resource.subnets, *resource.security_groups)
    unknowns = [*resource.unread, *(unread for part in parts for unread in part.unread)]
    notes = [*blocked_subnets(resource), *firewalled_subnets(resource)]
    egress = [Clause(Rule.EGRESS, g) for g in resource.security_groups if g.open_egress]
    unread_egress = [unread for g in resource.security_groups for unread in g.unread_egress]
    if fail_on_unrestricted_egress:
        violations += egress
        unknowns += unread_egress
    else:
        notes += egress
        # What is unknown of a group as a whole is said once.
        if only_egress := tuple(unread for unread in unread_egress if unread not in unknowns):
            notes.append(Clause(Rule.EGRESS_UNREAD, only_egress))
    status = "FAIL" if violations else "MANUAL" if unknowns else "PASS"
    return Verdict(status, tuple(violations), tuple(dict.fromkeys(unknowns)), tuple(notes))


def violations_of(resource: Resource) -> Iterator[Clause]:
    """Yield what is violated but for egress, in the order in which a reader cares."""
    if resource.network_isolation is False:
        yield Clause(Rule.ISOLATION)
    if resource.has_vpc_config is False:
        yield Clause(Rule.VPC_CONFIG)
    if resource.has_vpc_config and not resource.security_groups:
        yield Clause(Rule.SECURITY_GROUPS)
    # "Feature exclusions" in "Deploy models with Amazon SageMaker Serverless Inference" of the
    # Amazon SageMaker AI Developer Guide: network isolation and VPC configuration.
    for variant in resource.serverless_variants if isinstance(resource, EndpointConfig) else ():
        yield Clause(Rule.SERVERLESS, variant)
    for subnet in resource.subnets:
        if subnet.internet_routes or subnet.middlebox_routes:
            yield Clause(Rule.SUBNET, subnet)
    for group in resource.security_groups:
        if group.open_ingress:
            yield Clause(Rule.INGRESS, group)


def blocked_subnets(resource: Resource) -> Iterator[Clause]:
    """Yield a note for each mode of VPC Block Public Access that stops a public subnet's traffic.

    Behind an appliance it is the appliance's subnet that decides, so nothing is noted. The subnet
    is public by its routes all the same: the setting is the account's, for a whole region, and can
    be taken off without a look at the subnet (source: "Block public access to VPCs and subnets" in
    the Amazon VPC User Guide).
    """
    blocked: dict[str, list[Subnet]] = {}
    for subnet in resource.subnets:
        gateways = [route.gateway for route in subnet.internet_routes]
        gateways += [r.gateway for r in subnet.middlebox_routes if r.middlebox.startswith("vpce-")]
        through = any(gateway.startswith("igw-") for gateway in gateways)
        if through and (subnet.block_public_access or "").startswith("block-"):
            blocked.setdefault(str(subnet.block_public_access), []).append(subnet)
    for subnets in blocked.values():
        yield Clause(Rule.BLOCKED, tuple(subnets))


def firewalled_subnets(resource: Resource) -> Iterator[Clause]:
    """Yield a note for each way in which the automated internet firewall treats a public subnet.

    `outbound-only` drops what is unsolicited; `flexible` does so for interfaces without a public
    address. The subnet is public by its routes all the same, for the reason that `blocked_subnets`
    gives: the treatment is somebody else's setting, and a policy that monitors logs what it would
    drop (source: Subnet and IgwFirewall in the Amazon EC2 API Reference).
    """
    treated: dict[str, list[Subnet]] = {}
    for subnet in resource.subnets:
        connectivity = subnet.firewall_connectivity or ""
        is_inspected = any(route.firewall == "active" for route in subnet.internet_routes)
        if is_inspected and connectivity in ("outbound-only", "flexible"):
            treated.setdefault(connectivity, []).append(subnet)
    for subnets in treated.values():
        yield Clause(Rule.FIREWALLED, tuple(subnets))
