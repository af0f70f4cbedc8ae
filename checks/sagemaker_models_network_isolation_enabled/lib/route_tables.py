"""Route tables: the answer of DescribeRouteTables, parsed once, and which of them is in effect.

Source: "Subnet route tables" and "Gateway route tables" in the Amazon VPC User Guide; RouteTable in
the Amazon EC2 API Reference.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, TypeVar

from .answers import Described, MalformedError, is_id, listed
from .ranges import Block, to_block

T = TypeVar("T")


class Target(Enum):
    """What a route leads to."""

    INTERNET = auto()  # an internet gateway or a carrier gateway
    MIDDLEBOX = auto()  # a firewall's endpoint, or an appliance
    LOCAL = auto()  # the VPC itself, or VPC Lattice
    OTHER = auto()  # something else that leads past all of these
    UNKNOWN = auto()  # something that this check does not know
    MISSING = auto()  # AWS does not say


# By the prefix of GatewayId. AWS puts routes of VPC Lattice into the tables of a VPC that a service
# network is associated with.
GATEWAYS = {
    **dict.fromkeys(("igw-", "cagw-"), Target.INTERNET),
    **dict.fromkeys(("local", "VpcLattice"), Target.LOCAL),
    **dict.fromkeys(("vgw-", "lgw-"), Target.OTHER),
    "vpce-": Target.MIDDLEBOX,
}
# The other members of EC2's Route that name a target.
OTHERS = (
    *("CoreNetworkArn", "EgressOnlyInternetGatewayId", "InstanceId", "LocalGatewayId"),
    *("NatGatewayId", "OdbNetworkArn", "TransitGatewayId", "VpcPeeringConnectionId"),
)
TARGETS = {
    "CarrierGatewayId": Target.INTERNET,
    "NetworkInterfaceId": Target.MIDDLEBOX,
    **dict.fromkeys(OTHERS, Target.OTHER),
}
NO_TARGETS = ("Destination", "IgwFirewall", "InstanceOwnerId", "IpAddress", "Origin", "State")
DESTINATIONS = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")
LIVE = {"active": True, "filtered": True, "blackhole": False}


@dataclass(frozen=True)
class TableRoute:
    """A route of a route table.

    Attributes:
        destination: A CIDR block or the id of a prefix list; None where AWS does not say.
        block: The CIDR block; None for a prefix list, and where it is not known.
        to: What it leads to.
        target: The target's id, such as "igw-…", "vpce-…" or "eni-…"; or the next hop's IP address,
            which is all that AWS gives of a route that VPC Route Server advertised; None where AWS
            does not say.
        instance: The instance of the network interface, "i-…"; None for none.
        live: False for a blackhole, which leads nowhere; None where AWS does not say.
        firewall: IgwFirewall.Status; see `Route`. The route's target is the gateway all the same.
    """

    destination: str | None
    block: Block | None
    to: Target
    target: str | None
    instance: str | None
    live: bool | None
    firewall: str | None = None

    @property
    def is_whole(self) -> bool:
        """Whether it is known to be live, and from where to where it leads."""
        return bool(self.destination and self.target and self.live)


@dataclass(frozen=True)
class RouteTable:
    """A route table.

    Attributes:
        id: "rtb-…".
        vpc_id: Its VPC; None where AWS does not say.
        associations: What it is associated with, "main" or the id of a subnet, a gateway or a pool
            of addresses; each with the association's state.
        routes: Its routes.
        unclear_associations: Why there may be more associations; None where these are all.
        unclear_routes: Likewise, why there may be more routes.
    """

    id: str
    vpc_id: str | None
    associations: tuple[tuple[str, str], ...]
    routes: tuple[TableRoute, ...]
    unclear_associations: Exception | None
    unclear_routes: Exception | None

    def unclear(self, one_is_not_whole: bool) -> Exception | None:
        """Return why its routes do not decide something; None where they do.

        Args:
            one_is_not_whole: Whether a route that may decide it is not whole.
        """
        why = f"a route of {self.id} lacks its destination, target or state"
        return self.unclear_routes or (MalformedError(why) if one_is_not_whole else None)


@dataclass(frozen=True)
class RouteTables:
    """The route tables of some VPCs.

    Attributes:
        by_vpc: The route tables by their VPC; under None those that do not say.
        error: Why there may be more; None where these are all.
    """

    by_vpc: dict[str | None, list[RouteTable]]
    error: Exception | None

    def of_vpc(self, vpc_id: str) -> list[RouteTable]:
        """Return the route tables of a VPC, and those that do not say of which VPC they are."""
        return [*self.by_vpc.get(vpc_id, ()), *self.by_vpc.get(None, ())]

    def in_effect(
        self, vpc_id: str, wanted: Callable[[str], bool]
    ) -> tuple[list[tuple[str, RouteTable]], Exception | None]:
        """Return the tables of a VPC that route the traffic of something.

        Args:
            vpc_id: The VPC.
            wanted: Whether what a table is associated with is wanted.

        Returns:
            What each is associated with, and the table; and why there may be more of them.
        """
        found, unclear = [], self.error
        for table in self.of_vpc(vpc_id):
            for name, state in table.associations:
                if not wanted(name) or state in ("disassociated", "failed"):
                    continue
                if state == "associated":
                    found.append((name, table))
                else:  # on its way in or out, so nobody can say
                    why = f"the association of {name} with {table.id} is {state}"
                    unclear = unclear or MalformedError(why)
            unclear = unclear or table.unclear_associations
        return found, unclear


def table_in_effect(subnet_id: str, vpc_id: str, tables: RouteTables) -> RouteTable:
    """Return the route table that routes a subnet's traffic.

    Args:
        subnet_id: The subnet.
        vpc_id: Its VPC.
        tables: The route tables of that VPC, and of others.

    Raises:
        Exception: The error of DescribeRouteTables, where its answer is not enough.
        MalformedError: The answer is whole and does not say which table it is.
    """
    found, unclear = tables.in_effect(vpc_id, lambda name: name in ("main", subnet_id))
    own = [table for name, table in found if name == subnet_id]
    main = [table for name, table in found if name == "main"]
    if len(own) == 1:
        return own[0]
    # What is unclear may be the subnet's own table, so no main table is an answer any more.
    if unclear:
        raise unclear
    if own or len(main) != 1:
        kind = f"{len(own)} tables of its own" if own else f"{len(main)} main tables in {vpc_id}"
        raise MalformedError(f"AWS answered {kind}")
    return main[0]


def parse_route_tables(described: Described) -> RouteTables:
    """Return the route tables in the answer of DescribeRouteTables."""
    by_vpc: dict[str | None, list[RouteTable]] = {}
    for answer in described.items.values():
        table = parse_route_table(answer)
        by_vpc.setdefault(table.vpc_id, []).append(table)
    return RouteTables(by_vpc, described.error)


def parse_route_table(answer: dict[str, Any]) -> RouteTable:
    """Return a route table by a RouteTable, as boto3 gives it."""
    vpc_id = answer.get("VpcId")
    associations, unclear_associations = parse_each(
        answer, "Associations", lambda association: associated_with(association, answer)
    )
    routes, unclear_routes = parse_each(answer, "Routes", parse_route)
    return RouteTable(
        answer["RouteTableId"],
        vpc_id if is_id(vpc_id, "vpc-") else None,
        associations,
        routes,
        unclear_associations,
        unclear_routes,
    )


def parse_each(
    answer: dict[str, Any], key: str, parse: Callable[[dict[str, Any]], T]
) -> tuple[tuple[T, ...], Exception | None]:
    """Return what a list of a RouteTable holds, and why there may be more of it."""
    found = []
    try:
        for item in listed(answer, key, answer["RouteTableId"]):
            found.append(parse(item))
    except Exception as error:  # MalformedError, or what nothing here was made for
        return tuple(found), error
    return tuple(found), None


def associated_with(association: dict[str, Any], table: dict[str, Any]) -> tuple[str, str]:
    """Return what a RouteTable is associated with, and the state of the association.

    Raises:
        MalformedError: The association does not say with what.
    """
    state = str((association.get("AssociationState") or {}).get("State", "associated"))
    if association.get("Main") is True and is_id(table.get("VpcId"), "vpc-"):
        return "main", state
    # A gateway's table routes what comes in by it; so does that of a pool of addresses that were
    # brought to AWS (BYOIP).
    for key, prefix in (("SubnetId", "subnet-"), ("GatewayId", ""), ("PublicIpv4Pool", "")):
        if is_id(association.get(key), prefix):
            return association[key], state
    raise MalformedError(f"an association of {table['RouteTableId']} does not say with what")


def parse_route(route: dict[str, Any]) -> TableRoute:
    """Return a route by a Route, as boto3 gives it."""
    destination = next((str(route[key]) for key in DESTINATIONS if route.get(key)), None)
    to, target = target_of(route)
    live = LIVE.get(str(route.get("State")))
    firewall = route.get("IgwFirewall")
    return TableRoute(
        *(destination, to_block(destination), to, target, route.get("InstanceId"), live),
        firewall=firewall.get("Status") if isinstance(firewall, dict) else None,
    )


def target_of(route: dict[str, Any]) -> tuple[Target, str | None]:
    """Return what a route leads to, and its id where AWS says it."""
    if gateway := str(route.get("GatewayId") or ""):
        kinds = (kind for prefix, kind in GATEWAYS.items() if gateway.startswith(prefix))
        return next(kinds, Target.UNKNOWN), gateway
    named = next((key for key in TARGETS if route.get(key)), None)
    if named and "NetworkInterfaceId" in route:  # an instance is named beside its interface
        interface = route["NetworkInterfaceId"]
        return Target.MIDDLEBOX, interface if is_id(interface, "eni-") else None
    if named:
        return TARGETS[named], str(route[named])
    if route.get("Origin") == "Advertisement":
        return Target.MIDDLEBOX, route.get("IpAddress")
    others = (value for key, value in route.items() if value and not key.startswith(NO_TARGETS))
    unknown = next(others, None)
    return (Target.UNKNOWN, str(unknown)) if unknown else (Target.MISSING, None)
