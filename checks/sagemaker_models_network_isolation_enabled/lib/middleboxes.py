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

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

from .answers import Described, MalformedError, is_id, missing
from .facts import MiddleboxRoute
from .ranges import Block, is_public, is_within, to_block
from .route_tables import RouteTable, RouteTables, TableRoute, Target, table_in_effect

# The permissions that tell where middleboxes stand.
ENDPOINTS, INTERFACES = "ec2:DescribeVpcEndpoints", "ec2:DescribeNetworkInterfaces"


@dataclass(frozen=True)
class Located:
    """Where middleboxes stand.

    Attributes:
        endpoints: The answer of DescribeVpcEndpoints.
        interfaces: The answers of DescribeNetworkInterfaces: of an instance all its interfaces,
            else the interface that a route names.
    """

    endpoints: Described
    interfaces: Described

    def subnets_of(self, route: TableRoute) -> list[str]:
        """Return the subnets in which the middlebox of a route stands.

        Raises:
            MalformedError: That is not known.
        """
        target = str(route.target)
        if target.startswith("vpce-"):
            endpoint = self.endpoints.items.get(target)
            if endpoint is None:
                raise unlocated(f"VPC endpoint {target}", self.endpoints, ENDPOINTS)
            subnet_ids = endpoint.get("SubnetIds")
        else:
            subnet_ids = [interface.get("SubnetId") for interface in self.interfaces_of(route)]
        if not subnet_ids or not all(is_id(subnet_id, "subnet-") for subnet_id in subnet_ids):
            raise MalformedError(f"AWS does not say in which subnet {target} is")
        return list(subnet_ids)

    def is_gateway_endpoint(self, route: TableRoute) -> bool:
        """Return whether a route leads to a gateway endpoint, such as that of Amazon S3."""
        endpoint = self.endpoints.items.get(str(route.target), {})
        return bool(endpoint.get("VpcEndpointType") == "Gateway")

    def interfaces_of(self, route: TableRoute) -> list[dict[str, Any]]:
        """Return the interface that a route names, with the others of its instance.

        Raises:
            MalformedError: It could not be read.
        """
        interface = self.interfaces.items.get(str(route.target))
        if interface is None:
            raise unlocated(f"network interface {route.target}", self.interfaces, INTERFACES)
        if not route.instance:
            return [interface]
        return [i for i in self.interfaces.items.values() if instance_of(i) == route.instance]


def unlocated(what: str, described: Described, permission: str) -> MalformedError:
    """Return the error for a middlebox of which it could not be read where it stands."""
    unread = missing(what, described, permission)
    return MalformedError(f"{what} could not be read, {unread.why}", unread.remedy)


def middleboxes_to_locate(vpc_ids: set[str], tables: RouteTables) -> list[TableRoute]:
    """Return the routes to middleboxes of each VPC in which two may be a chain; mostly none.

    Args:
        vpc_ids: The VPCs.
        tables: Their route tables.
    """
    found = []
    for vpc_id in vpc_ids:
        every = (route for table in tables.of_vpc(vpc_id) for route in table.routes)
        routes = [route for route in every if route.to is Target.MIDDLEBOX and route.target]
        edges, _ = tables.in_effect(vpc_id, is_internet_gateway)
        if edges and len({route.target for route in routes}) > 1:
            found += routes
    return found


def is_internet_gateway(name: str) -> bool:
    """Return whether what a route table is associated with is an internet gateway."""
    return name.startswith("igw-")


def middlebox_routes(
    subnet: dict[str, Any],
    table: RouteTable,
    tables: RouteTables,
    account: str,
    located: Located,
) -> tuple[tuple[MiddleboxRoute, ...], Exception | None]:
    """Return the ways from a subnet through a middlebox in line to an internet gateway, and back.

    Args:
        subnet: A Subnet, as boto3 gives it.
        table: The route table in effect for it.
        tables: The route tables of its VPC, and of others.
        account: The account of the model; a subnet of another one is shared with it.
        located: Where those of `middleboxes_to_locate` stand.

    Returns:
        Those that are known, and why there may be more of them.
    """
    sent, unclear_sent = routes_to_middleboxes(table)
    edges, unclear_edges = tables.in_effect(subnet["VpcId"], is_internet_gateway)
    if not sent:
        return (), unclear_sent if edges else None
    if not edges:
        owner = subnet.get("OwnerId")
        shared = None if owner in (None, account) else of_another_account(table, sent, owner)
        return (), unclear_edges or shared
    unclear: list[Exception | None] = [unclear_sent, unclear_edges]
    blocks = blocks_of(subnet)
    if not blocks:
        unclear.append(MalformedError(f"{subnet['SubnetId']} lacks its CIDR block"))
    found = []
    for gateway, edge in edges:
        returned, unclear_returned = incoming_routes(edge, blocks)
        unclear.append(unclear_returned)
        for out, back in product(sent, returned):
            if out.block and back.block and out.block.version != back.block.version:
                continue
            try:
                middlebox, chain = in_line(out, back, subnet, table, tables, located)
            except Exception as error:
                unclear.append(chained(table, out, gateway, back, error))
                continue
            if middlebox is None:  # they are apart
                continue
            if out.block is None:
                unclear.append(to_a_prefix_list(table, out, middlebox))
            else:
                destination, block = str(out.destination), str(back.destination)
                found.append(MiddleboxRoute(destination, middlebox, gateway, edge.id, block, chain))
    return tuple(found), next(filter(None, unclear), None)


def instance_of(interface: dict[str, Any]) -> str | None:
    """Return the instance that a NetworkInterface is attached to, if it is."""
    return (interface.get("Attachment") or {}).get("InstanceId")


def in_line(
    out: TableRoute,
    back: TableRoute,
    subnet: dict[str, Any],
    table: RouteTable,
    tables: RouteTables,
    located: Located,
) -> tuple[str | None, str | None]:
    """Return the middlebox, or the two of a chain, between a subnet and a gateway.

    Two are chained if the table of the first, towards the subnet, hands what goes out on to the
    second, or the table of the second hands what comes in for the subnet on to the first, either
    through others too. It takes a table that sends the subnet's traffic to the first: where there
    is none, what comes in by the second is not handed on.

    Args:
        out: The subnet's route to the first.
        back: The gateway's route to the second.
        subnet: A Subnet, as boto3 gives it.
        table: The route table in effect for it.
        tables: The route tables of its VPC, and of others.
        located: Where the middleboxes stand.

    Returns:
        One and None, or both; None and None if they are apart.

    Raises:
        Exception: That is not known.
    """
    if one := common_middlebox(out, back):
        return one, None
    if may_be_one(out, back):
        address, interface = (out, back) if not is_id(out.target, "eni-") else (back, out)
        if address.target in addresses_of(located.interfaces_of(interface)):
            return interface.target, None
    elif not any(common_middlebox(out, route) for route in sent_by_others(subnet, table, tables)):
        return None, None
    outward = follow(out, back, subnet, tables, located, routes_to_middleboxes)
    blocks = blocks_of(subnet)
    inward = follow(back, out, subnet, tables, located, lambda table: handed_on(table, blocks))
    if outward.arrives or inward.arrives:
        return out.target, back.target
    unclear = outward.unclear + inward.unclear
    if unclear:
        raise min(unclear, key=str)
    # What goes from the first to the gateway itself may come back by the second.
    for passed in outward.passed:
        if any(r.to is Target.INTERNET and r.live is not False for r in passed.routes):
            raise MalformedError(f"{passed.id}, which {out.target} goes by, leads to the internet")
    return None, None


@dataclass
class Followed:
    """What the tables say of the way from one middlebox to another.

    Attributes:
        arrives: Whether it leads there.
        passed: The route tables that it goes by.
        unclear: Why it may lead on further than is known.
    """

    arrives: bool = False
    passed: list[RouteTable] = field(default_factory=list)
    unclear: list[Exception] = field(default_factory=list)


def follow(
    start: TableRoute,
    goal: TableRoute,
    subnet: dict[str, Any],
    tables: RouteTables,
    located: Located,
    hand_on: Callable[[RouteTable], tuple[list[TableRoute], Exception | None]],
) -> Followed:
    """Follow the tables of the subnets in which middleboxes stand.

    Args:
        start: A route to the first middlebox.
        goal: A route to the one that is looked for.
        subnet: The subnet whose traffic it is, as boto3 gives it.
        tables: The route tables of its VPC, and of others.
        located: Where the middleboxes stand.
        hand_on: Returns the routes by which a table hands the traffic on to a middlebox, and why
            there may be more.
    """
    followed = Followed()
    ahead, seen = [start], set()
    while ahead:
        at = ahead.pop()
        if at.target in seen:
            continue
        seen.add(at.target)
        try:
            stands_in = located.subnets_of(at)
            passed = [table_in_effect(one, subnet["VpcId"], tables) for one in stands_in]
        except Exception as error:  # which may not matter, if another way arrives
            followed.unclear.append(error)
            continue
        followed.passed += passed
        for table in passed:
            routes, unclear = hand_on(table)
            followed.unclear += [unclear] if unclear else []
            for route in routes:
                if route.block:
                    followed.arrives |= bool(common_middlebox(route, goal))
                    ahead.append(route)
                # A prefix list's entries may be anything.
                elif not located.is_gateway_endpoint(route):
                    why = f"{table.id} sends {route.destination} to {route.target}"
                    followed.unclear.append(MalformedError(why))
    return followed


def handed_on(table: RouteTable, blocks: list[Block]) -> tuple[list[TableRoute], Exception | None]:
    """Return what a middlebox's table sends on of a subnet's incoming traffic, and what is unclear.

    Unlike a gateway's table it may name prefix lists, whose entries may hold the subnet.
    """
    of_blocks = replace(table, routes=tuple(r for r in table.routes if r.block))
    routes, unclear = incoming_routes(of_blocks, blocks)
    lists = [r for r in table.routes if r.block is None and r.to is Target.MIDDLEBOX and r.is_whole]
    return [*routes, *lists], unclear


def addresses_of(interfaces: list[dict[str, Any]]) -> set[str]:
    """Return the private addresses of NetworkInterfaces."""
    return {
        str(address.get("PrivateIpAddress"))
        for interface in interfaces
        for address in interface.get("PrivateIpAddresses") or ()
    }


def routes_to_middleboxes(table: RouteTable) -> tuple[list[TableRoute], Exception | None]:
    """Return where a table sends traffic for the internet to a middlebox, and what is unclear."""
    # A VPC's own blocks may be public ones, and always are by IPv6.
    local = [route for route in table.routes if route.target == "local" and route.destination]
    own = [route.block for route in local if route.block]
    sent = [
        route
        for route in table.routes
        if route.to is Target.MIDDLEBOX and route.live is not False
        # A prefix list's entries may be anything.
        if route.block is None
        or (is_public(route.block) and not any(is_within(route.block, block) for block in own))
    ]
    known = [r for r in sent if r.is_whole and (r.block or is_id(r.destination, "pl-"))]
    return known, table.unclear(len(own) + len(known) < len(local) + len(sent))


def incoming_routes(
    table: RouteTable, blocks: list[Block]
) -> tuple[list[TableRoute], Exception | None]:
    """Return the routes to a middlebox that a subnet's traffic takes, and why there may be more.

    Args:
        table: A route table that is associated with a gateway, or another of the VPC.
        blocks: The subnet's CIDR blocks.
    """
    # A gateway's table takes no prefix list but VPC Lattice's.
    taken = [route for route in table.routes if not route.block]
    for block in blocks:
        # The most specific route counts; one for a part of the subnet is more specific still.
        around = [r for r in table.routes if r.block and is_within(block, r.block)]
        taken += sorted(around, key=lambda r: r.block.prefixlen if r.block else 0)[-1:]
        taken += [
            r for r in table.routes if r.block and r.block != block and is_within(r.block, block)
        ]
    known = [r for r in taken if r.to is Target.MIDDLEBOX and r.is_whole and r.block]
    # The others lead past every middlebox, or nowhere.
    elsewhere = [r for r in taken if r.to is Target.LOCAL or r.live is False]
    return known, table.unclear(len(known) + len(elsewhere) < len(taken))


def sent_by_others(
    subnet: dict[str, Any], table: RouteTable, tables: RouteTables
) -> list[TableRoute]:
    """Return the routes by which tables within a VPC send a subnet's traffic to middleboxes.

    Args:
        subnet: A Subnet, as boto3 gives it.
        table: Its own table, which is left out as those of the internet gateways are.
        tables: The route tables of its VPC, and of others.
    """
    blocks = blocks_of(subnet)
    edges, _ = tables.in_effect(subnet["VpcId"], is_internet_gateway)
    seen = [table, *(edge for _, edge in edges)]
    others = (other for other in tables.of_vpc(subnet["VpcId"]) if other not in seen)
    return [route for other in others for route in incoming_routes(other, blocks)[0]]


def blocks_of(subnet: dict[str, Any]) -> list[Block]:
    """Return a subnet's CIDR blocks; none where they are not all known."""
    ipv6 = [
        item.get("Ipv6CidrBlock")
        for item in subnet.get("Ipv6CidrBlockAssociationSet") or ()
        if (item.get("Ipv6CidrBlockState") or {}).get("State") not in ("disassociated", "failed")
    ]
    # A subnet in IPv6 alone has no CidrBlock.
    texts = [text for text in (subnet.get("CidrBlock"), *ipv6) if text]
    blocks = [block for block in map(to_block, texts) if block]
    return blocks if len(blocks) == len(texts) else []


def common_middlebox(out: TableRoute, back: TableRoute) -> str | None:
    """Return the middlebox that both routes lead to; None where they lead to two.

    An appliance may have one interface towards the subnet and another towards the gateway.
    """
    if out.target == back.target:
        return out.target
    return out.instance if out.instance == back.instance else None


def may_be_one(out: TableRoute, back: TableRoute) -> bool:
    """Return whether an address in one of two routes may be the interface in the other."""
    kinds = [next((p for p in ("eni-", "vpce-") if is_id(r.target, p)), "") for r in (out, back)]
    return sorted(kinds) == ["", "eni-"]


def of_another_account(
    table: RouteTable, sent: list[TableRoute], owner: str
) -> MalformedError | None:
    """Return the error for a shared subnet: the tables of its owner's gateways may not be seen.

    A participant sees the route tables of the subnets that are shared with it, and no other
    resources of the owner (source: "Share your VPC subnets with other accounts" in the Amazon VPC
    User Guide). A prefix list is left out, because that is how a gateway endpoint is written.
    """
    route = next((route for route in sent if route.block), None)
    if route is None:
        return None
    return MalformedError(
        f"{table.id} sends {route.destination} to {route.target}, and the route tables "
        f"of internet gateways of account {owner}, which shares the subnet, are not seen from here",
        "check in that account whether one of them sends the subnet's traffic there, with "
        "ec2:DescribeRouteTables",
    )


def chained(
    table: RouteTable, out: TableRoute, gateway: str, back: TableRoute, error: Exception
) -> MalformedError:
    """Return the error for two middleboxes that may be chained, or one by two of its names."""
    remedy = "check that with ec2:DescribeRouteTables and ec2:DescribeNetworkInterfaces"
    return MalformedError(
        f"{table.id} sends traffic to {out.target} and {gateway} sends it to {back.target}, "
        f"which may be one appliance or a chain of two: {error}",
        getattr(error, "remedy", None) or remedy,
    )


def to_a_prefix_list(table: RouteTable, out: TableRoute, middlebox: str) -> MalformedError:
    """Return the error for a prefix list whose entries may or may not be the internet."""
    return MalformedError(
        f"{table.id} sends {out.destination} to {middlebox}, and so does an internet gateway",
        "check whether the list's entries are public, with ec2:GetManagedPrefixListEntries",
    )
