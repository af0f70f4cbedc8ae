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

from typing import Any

from .answers import MalformedError, is_id
from .facts import MiddleboxRoute
from .ranges import Block, is_public, is_within, to_block
from .route_tables import RouteTable, RouteTables, TableRoute, Target


def middlebox_routes(
    subnet: dict[str, Any], table: RouteTable, tables: RouteTables, account: str
) -> tuple[tuple[MiddleboxRoute, ...], Exception | None]:
    """Return the ways from a subnet through a middlebox in line to an internet gateway, and back.

    Args:
        subnet: A Subnet, as boto3 gives it.
        table: The route table in effect for it.
        tables: The route tables of its VPC, and of others.
        account: The account of the model; a subnet of another one is shared with it.

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
    blocks = blocks_of(subnet)
    unclear: list[Exception | None] = [unclear_sent, unclear_edges]
    if not blocks:
        unclear.append(MalformedError(f"{subnet['SubnetId']} lacks its CIDR block"))
    returned = []
    for gateway, edge in edges:
        routes, unclear_returned = incoming_routes(edge, blocks)
        returned += [(gateway, edge, route) for route in routes]
        unclear.append(unclear_returned)
    pairs = [
        (out, gateway, edge, back)
        for out in sent
        for gateway, edge, back in returned
        if out.block is None or (back.block and out.block.version == back.block.version)
    ]
    before = set()
    if any(common_middlebox(out, back) is None for out, _, _, back in pairs):
        seen = [table, *(edge for _, edge in edges)]
        before = middleboxes_before(blocks, tables.of_vpc(subnet["VpcId"]), seen)
    found = []
    for out, gateway, edge, back in pairs:
        middlebox = common_middlebox(out, back)
        if middlebox is None:
            if out.target in before or may_be_one(out, back):
                unclear.append(chained(table, out, gateway, back))
        elif out.block is None:
            unclear.append(to_a_prefix_list(table, out, middlebox))
        else:
            destination, block = str(out.destination), str(back.destination)
            found.append(MiddleboxRoute(destination, middlebox, gateway, edge.id, block))
    return tuple(found), next(filter(None, unclear), None)


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
    blocks: list[Block], tables: list[RouteTable], seen: list[RouteTable]
) -> set[str | None]:
    """Return the middleboxes to which the tables of a VPC but some send a subnet's traffic."""
    others = (table for table in tables if table not in seen)
    return {route.target for table in others for route in incoming_routes(table, blocks)[0]}


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


def chained(table: RouteTable, out: TableRoute, gateway: str, back: TableRoute) -> MalformedError:
    """Return the error for two middleboxes that may be chained, or one by two of its names."""
    return MalformedError(
        f"{table.id} sends traffic to {out.target} and {gateway} sends it to {back.target}, "
        "which may be one appliance or a chain of two",
        "check that with ec2:DescribeRouteTables and ec2:DescribeNetworkInterfaces",
    )


def to_a_prefix_list(table: RouteTable, out: TableRoute, middlebox: str) -> MalformedError:
    """Return the error for a prefix list whose entries may or may not be the internet."""
    return MalformedError(
        f"{table.id} sends {out.destination} to {middlebox}, and so does an internet gateway",
        "check whether the list's entries are public, with ec2:GetManagedPrefixListEntries",
    )
