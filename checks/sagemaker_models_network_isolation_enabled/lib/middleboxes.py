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
from typing import Any

from .answers import Described, MalformedError, is_id, missing
from .facts import MiddleboxRoute, Unread
from .ranges import Block, is_public, is_within, to_block
from .route_tables import RouteTable, RouteTables, TableRoute, Target, table_in_effect

# The permissions that tell where middleboxes stand.
ENDPOINTS, INTERFACES = "ec2:DescribeVpcEndpoints", "ec2:DescribeNetworkInterfaces"

Pair = tuple[TableRoute, str, RouteTable, TableRoute]  # out; gateway, its table, and back
Edges = list[tuple[str, RouteTable]]  # gateways, each with its table


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
            UnlocatedError: That is not known.
        """
        target = str(route.target)
        if target.startswith("vpce-"):
            endpoint = self.endpoints.items.get(target)
            if endpoint is None:
                raise UnlocatedError(missing(f"VPC endpoint {target}", self.endpoints, ENDPOINTS))
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
            UnlocatedError: It could not be read.
        """
        interface = self.interfaces.items.get(str(route.target))
        if interface is None:
            what = f"network interface {route.target}"
            raise UnlocatedError(missing(what, self.interfaces, INTERFACES))
        if not route.instance:
            return [interface]
        return [i for i in self.interfaces.items.values() if instance_of(i) == route.instance]


class UnlocatedError(Exception):
    """It could not be read where a middlebox stands.

    Attributes:
        unread: Why.
    """

    def __init__(self, unread: Unread) -> None:
        super().__init__(unread.why)
        self.unread = unread


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
    edges, unclear_edges = tables.in_effect(subnet["VpcId"], lambda name: name.startswith("igw-"))
    if not sent:
        return (), unclear_sent if edges else None
    if not edges:
        owner = subnet.get("OwnerId")
        shared = None if owner in (None, account) else of_another_account(table, sent, owner)
        return (), unclear_edges or shared
    unclear: list[Exception | None] = [unclear_sent, unclear_edges]
    pairs, unclear_pairs = pairs_of(subnet, sent, edges)
    unclear += unclear_pairs
    before = middleboxes_before(subnet, table, tables, edges, pairs)
    found = []
    for out, gateway, edge, back in pairs:
        middlebox, chain = common_middlebox(out, back), None
        if middlebox is None:
            if not may_be_chained(out, back, before):
                continue
            try:
                middlebox, chain = chain_of(out, back, subnet, tables, located)
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


def pairs_of(
    subnet: dict[str, Any], sent: list[TableRoute], edges: Edges
) -> tuple[list[Pair], list[Exception | None]]:
    """Return each route out with each by which a gateway sends the subnet's traffic back.

    Args:
        subnet: A Subnet, as boto3 gives it.
        sent: What its table sends to middleboxes.
        edges: The internet gateways that have a route table of their own.

    Returns:
        The pairs of one IP version, and why there may be more.
    """
    blocks = blocks_of(subnet)
    unclear: list[Exception | None] = []
    if not blocks:
        unclear.append(MalformedError(f"{subnet['SubnetId']} lacks its CIDR block"))
    pairs = []
    for gateway, edge in edges:
        routes, unclear_returned = incoming_routes(edge, blocks)
        unclear.append(unclear_returned)
        pairs += [(out, gateway, edge, back) for out in sent for back in routes]
    return [pair for pair in pairs if is_one_version(pair[0], pair[3])], unclear


def is_one_version(out: TableRoute, back: TableRoute) -> bool:
    """Return whether two routes are of one IP version, as far as a prefix list tells."""
    return out.block is None or bool(back.block and out.block.version == back.block.version)


def middleboxes_to_locate(
    subnet: dict[str, Any], table: RouteTable, tables: RouteTables
) -> list[TableRoute]:
    """Return routes to the middleboxes of which it matters where they stand; mostly none.

    It does where a subnet's traffic goes out by one middlebox and comes in by another, and
    something else sends it to the first one. Then these are all of the VPC, because any may be
    between them.

    Args:
        subnet: A Subnet, as boto3 gives it.
        table: The route table in effect for it.
        tables: The route tables of its VPC, and of others.
    """
    sent, _ = routes_to_middleboxes(table)
    edges, _ = tables.in_effect(subnet["VpcId"], lambda name: name.startswith("igw-"))
    pairs, _ = pairs_of(subnet, sent, edges)
    before = middleboxes_before(subnet, table, tables, edges, pairs)
    for out, _, _, back in pairs:
        if common_middlebox(out, back) is None and may_be_chained(out, back, before):
            every = (r for one in tables.of_vpc(subnet["VpcId"]) for r in one.routes)
            return [route for route in every if route.to is Target.MIDDLEBOX and route.target]
    return []


def instance_of(interface: dict[str, Any]) -> str | None:
    """Return the instance that a NetworkInterface is attached to, if it is."""
    return (interface.get("Attachment") or {}).get("InstanceId")


def chain_of(
    out: TableRoute,
    back: TableRoute,
    subnet: dict[str, Any],
    tables: RouteTables,
    located: Located,
) -> tuple[str | None, str | None]:
    """Return the two middleboxes of a chain between a subnet and a gateway; nothing if none is.

    They are chained if the table of the first, towards the subnet, hands what goes out on to the
    second, or the table of the second hands what comes in for the subnet on to the first, either
    through others too.

    Args:
        out: The subnet's route to the first.
        back: The gateway's route to the second.
        subnet: A Subnet, as boto3 gives it.
        tables: The route tables of its VPC, and of others.
        located: Where the middleboxes stand.

    Returns:
        Both; one and None if they are one by two of its names; None and None if they are apart.

    Raises:
        Exception: That is not known.
    """
    address, interface = (out, back) if not is_id(out.target, "eni-") else (back, out)
    if may_be_one(out, back):
        addresses = addresses_of(located.interfaces_of(interface))
        if address.target in addresses:
            return interface.target, None
    outward = follow(out, back, subnet, tables, located, routes_to_middleboxes)
    blocks = blocks_of(subnet)
    inward = follow(back, out, subnet, tables, located, lambda table: handed_on(table, blocks))
    if outward.arrives or inward.arrives:
        return out.target, back.target
    unclear = outward.unclear + inward.unclear
    if unclear:
        raise min(unclear, key=str)
    # What goes from the first to the gateway itself may come back by the second.
    for table in outward.passed:
        if any(r.to is Target.INTERNET and r.live is not False for r in table.routes):
            raise MalformedError(f"{table.id}, which {out.target} goes by, leads to the internet")
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


def middleboxes_before(
    subnet: dict[str, Any],
    table: RouteTable,
    tables: RouteTables,
    edges: Edges,
    pairs: list[Pair],
) -> list[TableRoute]:
    """Return the routes by which other tables of a VPC send a subnet's traffic to middleboxes.

    Nothing is looked for where each pair of routes leads to one middlebox.
    """
    if all(common_middlebox(out, back) for out, _, _, back in pairs):
        return []
    blocks = blocks_of(subnet)
    seen = [table, *(edge for _, edge in edges)]
    others = (other for other in tables.of_vpc(subnet["VpcId"]) if other not in seen)
    return [route for other in others for route in incoming_routes(other, blocks)[0]]


def may_be_chained(out: TableRoute, back: TableRoute, before: list[TableRoute]) -> bool:
    """Return whether two middleboxes may be a chain, or one.

    Args:
        out: The subnet's route to the first.
        back: The gateway's route to the second.
        before: What `middleboxes_before` gave.
    """
    return may_be_one(out, back) or any(common_middlebox(out, route) for route in before)


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
    why = f": {error}"
    remedy = "check that with ec2:DescribeRouteTables and ec2:DescribeNetworkInterfaces"
    if isinstance(error, UnlocatedError):
        why = f": {error.unread.what} could not be read, {error.unread.why}"
        remedy = error.unread.remedy
    return MalformedError(
        f"{table.id} sends traffic to {out.target} and {gateway} sends it to {back.target}, "
        f"which may be one appliance or a chain of two{why}",
        remedy,
    )


def to_a_prefix_list(table: RouteTable, out: TableRoute, middlebox: str) -> MalformedError:
    """Return the error for a prefix list whose entries may or may not be the internet."""
    return MalformedError(
        f"{table.id} sends {out.destination} to {middlebox}, and so does an internet gateway",
        "check whether the list's entries are public, with ec2:GetManagedPrefixListEntries",
    )
