"""Middleboxes in line: firewalls and appliances between a subnet and an internet gateway.

Such a subnet sends its internet traffic to a firewall's endpoint or an appliance's network
interface, and the gateway's route table sends what comes in for the subnet to the same one: no
address translation lies between, so the subnet is public behind a firewall. Behind a NAT gateway
one half is missing: nothing that comes in is routed to the subnet.

Source: "Gateway route tables" and "Route traffic to a middlebox" in the Amazon VPC User Guide;
"Simple single zone architecture with an internet gateway" in the AWS Network Firewall Developer
Guide. What cannot be known from here: what the middlebox lets through, and whether it translates
addresses all the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_network
from typing import Any

from .answers import MalformedError, is_id, listed
from .facts import MiddleboxRoute
from .ranges import Block, is_public
from .route_tables import (
    LIVE,
    RouteTables,
    associated_with,
    destination_of,
    in_effect,
    known,
    lacking,
)

INTERFACE, ENDPOINT = "eni-", "vpce-"
# What else a gateway's table may lead to: the VPC itself, and VPC Lattice, whose routes AWS writes.
NO_MIDDLEBOX = ("local", "VpcLattice")

to_block = lru_cache(maxsize=65536)(ip_network)  # the same few blocks stand in many tables


@dataclass(frozen=True)
class RouteToMiddlebox:
    """A route to a middlebox.

    Attributes:
        destination: A CIDR block or the id of a prefix list.
        middlebox: An endpoint "vpce-…", a network interface "eni-…", or the next hop's IP address,
            which is all that AWS gives of a route that VPC Route Server advertised.
        instance: The instance of the network interface, "i-…"; None for none. An appliance may
            have one interface towards the subnet and another towards the gateway.
    """

    destination: str
    middlebox: str
    instance: str | None

    @property
    def is_address(self) -> bool:
        """Whether the middlebox is known by its IP address alone."""
        return not self.middlebox.startswith((INTERFACE, ENDPOINT))

    def common_middlebox(self, other: "RouteToMiddlebox") -> str | None:
        """Return the middlebox that both routes lead to; None where they lead to two."""
        if self.middlebox == other.middlebox:
            return self.middlebox
        return self.instance if self.instance == other.instance else None

    def may_be_same_middlebox(self, other: "RouteToMiddlebox") -> bool:
        """Return whether an address in one of two routes may be the interface in the other."""
        names = (self.middlebox, other.middlebox)
        return self.is_address != other.is_address and not any(is_id(n, ENDPOINT) for n in names)


def middlebox_routes(
    subnet: dict[str, Any], table: dict[str, Any], tables: RouteTables, account: str
) -> Iterator[MiddleboxRoute]:
    """Yield the ways from a subnet through a middlebox in line to an internet gateway, and back.

    Args:
        subnet: A Subnet, as boto3 gives it.
        table: The route table in effect for it; empty where that is unknown.
        tables: The answer of DescribeRouteTables for its VPC, and for others.
        account: The account of the model; a subnet of another one is shared with it.

    Raises:
        Exception: There may be more of them: DescribeRouteTables broke off, or an answer is
            malformed; raised after all that are known were yielded.
    """
    sent, incomplete = known(routes_to_middleboxes(table))
    edges, more_edges = known(gateway_tables(subnet["VpcId"], tables))
    stopped = [incomplete] if edges else []
    returned: list[tuple[str, dict[str, Any], RouteToMiddlebox]] = []
    if sent:
        stopped.append(more_edges)
        for gateway, edge in edges:
            hops, more = known(incoming_routes(edge, subnet))
            stopped.append(more)
            returned += [(gateway, edge, hop) for hop in hops]
        if not edges and subnet.get("OwnerId") not in (None, account):
            stopped.append(of_another_account(table, sent, subnet["OwnerId"]))
    before: set[str] | None = None
    for out in sent:
        for gateway, edge, back in returned:
            if not is_same_family(out.destination, back.destination):
                continue
            name = out.common_middlebox(back)
            if name is None:
                if before is None:
                    edge_tables = [table for _, table in edges]
                    before = middleboxes_before(subnet, tables, [table, *edge_tables])
                if out.middlebox in before or out.may_be_same_middlebox(back):
                    stopped.append(chained(table, out.middlebox, gateway, back.middlebox))
            elif out.destination.startswith("pl-"):
                stopped.append(to_a_prefix_list(table, out.destination, name))
            else:
                edge_id = edge["RouteTableId"]
                yield MiddleboxRoute(out.destination, name, gateway, edge_id, back.destination)
    for error in filter(None, stopped):
        raise error


def middleboxes_before(
    subnet: dict[str, Any], tables: RouteTables, seen: list[dict[str, Any]]
) -> set[str]:
    """Return the middleboxes to which the tables of a VPC but some send a subnet's traffic."""
    others = (t for t in tables.of_vpc(subnet["VpcId"]) if not any(t is one for one in seen))
    return {hop.middlebox for table in others for hop in known(incoming_routes(table, subnet))[0]}


def of_another_account(
    table: dict[str, Any], sent: list[RouteToMiddlebox], owner: str
) -> MalformedError | None:
    """Return the error for a shared subnet: the tables of its owner's gateways may not be seen.

    A participant sees the route tables of the subnets that are shared with it, and no other
    resources of the owner (source: "Share your VPC subnets with other accounts" in the Amazon VPC
    User Guide). A prefix list is left out, because that is how a gateway endpoint is written.
    """
    hop = next((hop for hop in sent if not hop.destination.startswith("pl-")), None)
    if hop is None:
        return None
    return MalformedError(
        f"{table['RouteTableId']} sends {hop.destination} to {hop.middlebox}, and the route tables "
        f"of internet gateways of account {owner}, which shares the subnet, are not seen from here",
        "check in that account whether one of them sends the subnet's traffic there, with "
        "ec2:DescribeRouteTables",
    )


def chained(table: dict[str, Any], sent_to: str, gateway: str, target: str) -> MalformedError:
    """Return the error for two middleboxes that may be chained, or one by two of its names."""
    return MalformedError(
        f"{table['RouteTableId']} sends traffic to {sent_to} and {gateway} sends it to {target}, "
        "which may be one appliance or a chain of two",
        "check that with ec2:DescribeRouteTables and ec2:DescribeNetworkInterfaces",
    )


def to_a_prefix_list(table: dict[str, Any], destination: str, target: str) -> MalformedError:
    """Return the error for a prefix list whose entries may or may not be the internet."""
    return MalformedError(
        f"{table['RouteTableId']} sends {destination} to {target}, and so does an internet gateway",
        "check whether the list's entries are public, with ec2:GetManagedPrefixListEntries",
    )


def routes_to_middleboxes(table: dict[str, Any]) -> Iterator[RouteToMiddlebox]:
    """Yield where a table sends traffic for the internet to a middlebox.

    Args:
        table: A RouteTable, as boto3 gives it; empty for none.

    Raises:
        MalformedError: There may be more of them; raised after all that are known were yielded.
    """
    routes = listed(table, "Routes", table["RouteTableId"]) if table else []
    # A VPC's own blocks may be public ones, and always are by IPv6.
    within = [route for route in routes if route.get("GatewayId") == "local"]
    local = [to_block(str(to), strict=False) for r in within if (to := destination_of(r))]
    incomplete = False
    for route in routes:
        destination, target = destination_of(route), middlebox(route)
        if not leads_to_middlebox(route) or route.get("State") == "blackhole":
            continue
        if destination and not destination.startswith("pl-"):
            block = to_block(destination, strict=False)
            if not is_public(block) or any(is_within(block, own) for own in local):
                continue
        # A prefix list's entries may be anything.
        if destination and target and route.get("State") in LIVE:
            yield RouteToMiddlebox(destination, target, route.get("InstanceId"))
        else:
            incomplete = True
    if incomplete:
        raise lacking(table)


def is_within(block: Block, other: Block) -> bool:
    """Return whether a block lies in another one."""
    return block.version == other.version and block.subnet_of(other)  # type: ignore[arg-type]


def is_advertised(route: dict[str, Any]) -> bool:
    """Return whether VPC Route Server put a route into its table; its next hop is an appliance.

    Source: "Dynamic routing in your VPC using VPC Route Server" in the Amazon VPC User Guide.
    """
    return bool(route.get("Origin") == "Advertisement")


def leads_to_middlebox(route: dict[str, Any]) -> bool:
    """Return whether a route leads to an interface, an endpoint or an appliance's address."""
    return (
        "NetworkInterfaceId" in route
        or is_id(route.get("GatewayId"), ENDPOINT)
        or is_advertised(route)
    )


def middlebox(route: dict[str, Any]) -> str | None:
    """Return the middlebox that a route leads to; None where the route does not say."""
    for key, prefix in (("NetworkInterfaceId", INTERFACE), ("GatewayId", ENDPOINT)):
        if is_id(route.get(key), prefix):
            return str(route[key])
    return str(route["IpAddress"]) if is_advertised(route) and route.get("IpAddress") else None


def gateway_tables(vpc_id: str, tables: RouteTables) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the internet gateways of a VPC that have a route table of their own, with that table.

    Args:
        vpc_id: The VPC.
        tables: The answer of DescribeRouteTables for that VPC, and for others.

    Raises:
        Exception: There may be more of them; raised after all that are known were yielded.
    """
    error = tables.error
    for table in tables.of_vpc(vpc_id):
        try:
            for association in listed(table, "Associations", table["RouteTableId"]):
                gateway = associated_with(association, table)
                if gateway.startswith("igw-") and in_effect(association, gateway, table):
                    yield gateway, table
        except MalformedError as malformed:
            error = error or malformed
    if error:
        raise error


def is_same_family(destination: str, block: str) -> bool:
    """Return whether a destination and a CIDR block are both IPv4 or both IPv6."""
    return destination.startswith("pl-") or (":" in destination) == (":" in block)


def blocks_of(subnet: dict[str, Any]) -> list[Block]:
    """Return a subnet's CIDR blocks.

    Raises:
        MalformedError: It does not say.
    """
    ipv6 = [
        item.get("Ipv6CidrBlock")
        for item in subnet.get("Ipv6CidrBlockAssociationSet") or ()
        if (item.get("Ipv6CidrBlockState") or {}).get("State") not in ("disassociated", "failed")
    ]
    try:
        # A subnet in IPv6 alone has no CidrBlock.
        blocks = [ip_network(text) for text in (subnet.get("CidrBlock"), *ipv6) if text]
    except ValueError:
        blocks = []
    if not blocks:
        raise MalformedError(f"{subnet['SubnetId']} lacks its CIDR block")
    return blocks


def incoming_routes(table: dict[str, Any], subnet: dict[str, Any]) -> Iterator[RouteToMiddlebox]:
    """Yield the routes to a middlebox that a subnet's incoming traffic takes.

    Args:
        table: A RouteTable that is associated with a gateway, as boto3 gives it.
        subnet: A Subnet, as boto3 gives it.

    Raises:
        MalformedError: There may be more of them; raised after all that are known were yielded.
    """
    routes: list[tuple[Any, dict[str, Any]]] = []
    incomplete = False
    for route in listed(table, "Routes", table["RouteTableId"]):
        try:
            routes.append((to_block(str(destination_of(route)), strict=False), route))
        except ValueError:  # a gateway's table takes no prefix list but VPC Lattice's
            incomplete |= not is_harmless(route)
    for block in blocks_of(subnet):
        same = [(to, route) for to, route in routes if to.version == block.version]
        around = [(to, route) for to, route in same if to.supernet_of(block)]
        # The most specific route counts; one for a part of the subnet is more specific still.
        taken = sorted(around, key=lambda pair: pair[0].prefixlen)[-1:]
        taken += [(to, route) for to, route in same if to != block and to.subnet_of(block)]
        for _, route in taken:
            target = middlebox(route)
            if target and route.get("State") in LIVE:
                yield RouteToMiddlebox(str(destination_of(route)), target, route.get("InstanceId"))
            elif not is_harmless(route):
                incomplete = True
    if incomplete:
        raise lacking(table)


def is_harmless(route: dict[str, Any]) -> bool:
    """Return whether a route of a gateway's table leads past every middlebox, or nowhere."""
    to_nowhere = route.get("State") == "blackhole"
    return to_nowhere or str(route.get("GatewayId")).startswith(NO_MIDDLEBOX)
