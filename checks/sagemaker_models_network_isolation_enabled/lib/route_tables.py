"""Route tables: the answer of DescribeRouteTables, parsed once, and which of them is in effect.

Source: "Subnet route tables" and "Gateway route tables" in the Amazon VPC User Guide; RouteTable in
the Amazon EC2 API Reference.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, TypeVar

from .answers import Described, MalformedError, Partial, is_id, listed
from .ranges import Block, is_within, to_block

T = TypeVar("T")


class Target(Enum):
    """What a route leads to; of several that AWS names the first here counts."""

    INTERNET = auto()  # an internet gateway or a carrier gateway
    FIREWALL = auto()  # a firewall's endpoint
    APPLIANCE = auto()  # a network interface, an instance or an address
    LOCAL = auto()  # the VPC itself, or VPC Lattice
    OTHER = auto()  # something else that leads past all of these
    UNKNOWN = auto()  # something that this check does not know, or AWS does not say


_MAY_LEAD_OUT = (Target.INTERNET, Target.FIREWALL, Target.UNKNOWN)

# By the prefix of GatewayId, which ends with a hyphen, or the whole. AWS puts routes of VPC Lattice
# into the tables of a VPC that a service network is associated with.
_GATEWAYS = {
    **dict.fromkeys(("igw-", "cagw-"), Target.INTERNET),
    **dict.fromkeys(("local", "VpcLattice"), Target.LOCAL),
    **dict.fromkeys(("vgw-", "lgw-"), Target.OTHER),
    "vpce-": Target.FIREWALL,
}
# The other members of EC2's Route that name a target.
_TARGETS = {
    "CarrierGatewayId": Target.INTERNET,
    "NetworkInterfaceId": Target.APPLIANCE,
    "InstanceId": Target.APPLIANCE,
    **dict.fromkeys(("CoreNetworkArn", "EgressOnlyInternetGatewayId"), Target.OTHER),
    **dict.fromkeys(("LocalGatewayId", "NatGatewayId", "OdbNetworkArn"), Target.OTHER),
    **dict.fromkeys(("TransitGatewayId", "VpcPeeringConnectionId"), Target.OTHER),
}
_NO_TARGETS = ("Destination", "IgwFirewall", "InstanceOwnerId", "IpAddress", "Origin", "State")
_DESTINATIONS = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")
_LIVE = {"active": True, "filtered": True, "blackhole": False}


@dataclass(frozen=True)
class TableRoute:
    """A route of a route table.

    Attributes:
        destination: A CIDR block or the id of a prefix list; None where AWS does not say.
        block: The CIDR block; None for a prefix list, and where it is not known.
        target: The target's id, such as "igw-…"; or the next hop's IP address, of a route that VPC
            Route Server advertised; None where AWS does not say.
        instance: The instance of the network interface, "i-…"; None for none.
        live: False for a blackhole, which leads nowhere; None where AWS does not say.
        firewall: IgwFirewall.Status; see `Route`.
    """

    destination: str | None
    block: Block | None
    to: Target
    target: str | None
    instance: str | None
    live: bool | None
    firewall: str | None

    @property
    def is_whole(self) -> bool:
        """Whether it is known to be live, and from where to where it leads."""
        return bool((self.block or is_id(self.destination, "pl-")) and self.target and self.live)


@dataclass(frozen=True)
class RouteTable:
    """A route table.

    Attributes:
        vpc_id: Its VPC; None where AWS does not say.
        associations: What it is associated with, "main" or the id of a subnet, a gateway or a pool
            of addresses; each with the association's state.
    """

    id: str
    vpc_id: str | None
    associations: Partial[tuple[str, str]]
    routes: Partial[TableRoute]

    def taken(self, traffic: Block, elsewhere: Iterable[Block] = ()) -> list[TableRoute]:
        """Return the routes that traffic to a block takes, all of it or a part, but for some parts.

        The most specific route counts, and one for a part of the block is more specific still
        (source: "How route priority works" in the Amazon VPC User Guide). What a prefix list holds
        is not read, so it may be a part of the block.
        """
        around = [r for r in self.routes.items if r.block and is_within(traffic, r.block)]
        longest = max((r.block.prefixlen for r in around if r.block), default=0)
        return [
            r
            for r in self.routes.items
            if not r.block
            or (r.block.prefixlen == longest and is_within(traffic, r.block))
            or (is_within(r.block, traffic) and not any(is_within(r.block, b) for b in elsewhere))
        ]

    def more_specific(self, route: TableRoute) -> frozenset[Block]:
        """Return the parts of a route's block for which the table has other routes."""
        blocks = {r.block for r in self.routes.items if r.block and r.block != route.block}
        return frozenset(b for b in blocks if route.block and is_within(b, route.block))

    def unclear(self, routes: Iterable[TableRoute]) -> Exception | None:
        """Return why some of its routes may have unknown ways to the internet, if they may."""
        if self.routes.error:
            return self.routes.error
        if not self.routes.items:  # every table routes its own VPC at least
            return MalformedError(f"{self.id} has no route")
        may_lead_out = (r for r in routes if r.live is not False and r.to in _MAY_LEAD_OUT)
        return next(filter(None, map(self.doubt, may_lead_out)), None)

    def doubt(self, route: TableRoute) -> MalformedError | None:
        """Return why it is not known from where to where one of its routes leads, if it is not."""
        if not route.is_whole:
            return MalformedError(f"a route of {self.id} lacks its destination, target or state")
        if route.to is not Target.UNKNOWN:
            return None
        return MalformedError(
            f"a route of {self.id} leads to {route.target}, which this check does not know",
            "check where it leads with ec2:DescribeRouteTables, or use a newer version of the "
            "plugin",
        )


@dataclass(frozen=True)
class RouteTables:
    """The route tables of some VPCs.

    Attributes:
        by_vpc: The route tables by their VPC; under None those that do not say.
        own_blocks: The VPCs' own blocks, which may be public: those of the local routes of all
            their tables, because in some a middlebox may have taken the local route's place.
    """

    by_vpc: dict[str | None, list[RouteTable]]
    own_blocks: dict[str | None, set[Block]]
    error: Exception | None

    def in_effect(
        self, vpc_id: str, wanted: Callable[[str], bool]
    ) -> Partial[tuple[str, RouteTable]]:
        """Return the tables of a VPC that are in effect for something that is wanted, with that."""
        found: list[tuple[str, RouteTable]] = []
        error = self.error
        for table in (*self.by_vpc.get(vpc_id, ()), *self.by_vpc.get(None, ())):
            for name, state in table.associations.items:
                if not wanted(name) or state in ("disassociated", "failed"):
                    continue
                if state == "associated":
                    found.append((name, table))
                else:  # on its way in or out, so nobody can say
                    why = f"the association of {name} with {table.id} is {state}"
                    error = error or MalformedError(why)
            error = error or table.associations.error
        return Partial(tuple(found), error)


def table_in_effect(subnet_id: str, vpc_id: str, tables: RouteTables) -> RouteTable:
    """Return the route table that routes the traffic of a subnet in a VPC.

    Raises:
        Exception: The error of DescribeRouteTables, where its answer is not enough.
        MalformedError: The answer is whole and does not say which table it is.
    """
    found = tables.in_effect(vpc_id, lambda name: name in ("main", subnet_id))
    own = [table for name, table in found.items if name == subnet_id]
    main = [table for name, table in found.items if name == "main"]
    if len(own) == 1:
        return own[0]
    # What is unclear may be the subnet's own table, so no main table is an answer any more.
    if found.error:
        raise found.error
    if own or len(main) != 1:
        kind = f"{len(own)} tables of its own" if own else f"{len(main)} main tables in {vpc_id}"
        raise MalformedError(f"AWS answered {kind}")
    return main[0]


def parse_route_tables(described: Described) -> RouteTables:
    """Return the route tables in the answer of DescribeRouteTables."""
    by_vpc: dict[str | None, list[RouteTable]] = {}
    own_blocks: dict[str | None, set[Block]] = {}
    for answer in described.items.values():
        table = _parse_route_table(answer)
        by_vpc.setdefault(table.vpc_id, []).append(table)
        local = (r.block for r in table.routes.items if r.target == "local" and r.block)
        own_blocks.setdefault(table.vpc_id, set()).update(local)
    error = described.error
    if described.unequal:
        error = MalformedError(f"AWS answered {min(described.unequal)} in two ways")
    return RouteTables(by_vpc, own_blocks, error)


def _parse_route_table(answer: dict[str, Any]) -> RouteTable:
    vpc_id = answer.get("VpcId")
    return RouteTable(
        answer["RouteTableId"],
        vpc_id if is_id(vpc_id, "vpc-") else None,
        _parse_each(answer, "Associations", lambda one: _associated_with(one, answer)),
        _parse_each(answer, "Routes", _parse_route),
    )


def _parse_each(
    answer: dict[str, Any], key: str, parse: Callable[[dict[str, Any]], T]
) -> Partial[T]:
    found: list[T] = []
    try:
        for item in listed(answer, key, answer["RouteTableId"]):
            found.append(parse(item))
    except Exception as error:  # MalformedError, or what nothing here was made for
        return Partial(tuple(found), error)
    return Partial(tuple(found))


def _associated_with(association: dict[str, Any], table: dict[str, Any]) -> tuple[str, str]:
    """Return what a RouteTable is associated with, and the state of the association."""
    state = str((association.get("AssociationState") or {}).get("State", "associated"))
    if association.get("Main") is True and is_id(table.get("VpcId"), "vpc-"):
        return "main", state
    # A gateway's table routes what comes in by it; so does that of a pool of addresses that were
    # brought to AWS (BYOIP).
    for key, prefix in (("SubnetId", "subnet-"), ("GatewayId", ""), ("PublicIpv4Pool", "")):
        if is_id(association.get(key), prefix):
            return association[key], state
    raise MalformedError(f"an association of {table['RouteTableId']} does not say with what")


def _parse_route(route: dict[str, Any]) -> TableRoute:
    destination = next((str(route[key]) for key in _DESTINATIONS if route.get(key)), None)
    # By the target too, so that an interface comes before its instance in whatever order.
    to, target = min(_targets_of(route), key=lambda named: (named[0].value, str(named[1])))
    # With a prefix list it is a gateway endpoint, such as that of Amazon S3. EC2 refuses any other:
    # "Cannot create or replace a prefix list route targeting a VPC Endpoint" (of CreateRoute).
    if to is Target.FIREWALL and is_id(destination, "pl-"):
        to = Target.OTHER
    instance, firewall = route.get("InstanceId"), route.get("IgwFirewall")
    return TableRoute(
        *(destination, to_block(destination), to, target),
        instance=instance if is_id(instance, "i-") else None,
        live=_LIVE.get(str(route.get("State"))),
        firewall=firewall.get("Status") if isinstance(firewall, dict) else None,
    )


def _targets_of(route: dict[str, Any]) -> list[tuple[Target, str | None]]:
    """Return what the members of a Route say of its target."""
    # It may be in two: an ODB network's ARN in OdbNetworkArn and in GatewayId, an instance beside
    # its network interface.
    named: list[tuple[Target, str | None]] = []
    for key, value in route.items():
        if not value or key.startswith(_NO_TARGETS):
            continue
        target, to = str(value), _TARGETS.get(key, Target.UNKNOWN)
        if key == "GatewayId":
            prefix = f"{target.partition('-')[0]}-"
            to = _GATEWAYS.get(target) or _GATEWAYS.get(prefix, Target.UNKNOWN)
        is_garbled = key == "NetworkInterfaceId" and not is_id(value, "eni-")
        named.append((to, None if is_garbled else target))
    if not named and route.get("Origin") == "Advertisement":
        address = route.get("IpAddress")
        named.append((Target.APPLIANCE, address if isinstance(address, str) else None))
    return named or [(Target.UNKNOWN, None)]
