"""Firewalls and appliances between a subnet and an internet gateway: the way out is followed.

A firewall's endpoint hands traffic on with its addresses as they are, by the route table of the
subnet in which it stands: a subnet whose internet traffic gets to an internet gateway so is public.
One whose traffic ends at a NAT gateway or in another network is not. An appliance may translate
addresses, as a NAT instance does: only where the gateway's own route table sends the subnet's
traffic to that same appliance is the subnet public; where it sends it to another middlebox that is
unknown; else what comes in is not for the subnet, which is behind a NAT instance.

Source: "Gateway route tables" and "Middlebox routing wizard" in the Amazon VPC User Guide;
"Considerations" of Gateway Load Balancer endpoints in the AWS PrivateLink Guide; "Simple single
zone architecture with an internet gateway" in the AWS Network Firewall Developer Guide. What cannot
be known from here: what a middlebox lets through.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from .answers import Described, MalformedError, listed, missing, why_unread
from .facts import Route, Unread
from .ranges import Block, is_public, is_within, to_block
from .route_tables import RouteTable, RouteTables, TableRoute, Target, table_in_effect

_SUBNETS, _TABLES = "ec2:DescribeSubnets", "ec2:DescribeRouteTables"
_ENDPOINTS = "ec2:DescribeVpcEndpoints"

# By a VPC and a firewall's endpoint: the tables of the subnets in which it stands, or why they are
# not known.
Firewalls = Mapping[tuple[str, str], list[RouteTable | Unread]]
_NOT_FOLLOWED = "could not be followed"
_CHECK_ENTRIES = (
    "check whether the prefix list holds public addresses, with ec2:GetManagedPrefixListEntries"
)

# A route to an appliance, its table, and the destination in the subnet's own table.
_ToAppliance = tuple[TableRoute, RouteTable, str]


def read_firewalls(
    starts: Iterable[tuple[str, RouteTable]],
    tables: RouteTables,
    describe: Callable[[set[str]], Described],
) -> Firewalls:
    """Read the firewalls' endpoints on the way out of subnets, each once; mostly there are none.

    Args:
        starts: The subnets' VPCs, with the route tables in effect.
        describe: Calls DescribeVpcEndpoints for ids, which may be none.
    """
    firewalls: dict[tuple[str, str], list[RouteTable | Unread]] = {}
    ahead = list(starts)
    while ahead:
        new = {
            (vpc_id, str(route.target))
            for vpc_id, table in ahead
            for route in table.routes.items
            if route.to is Target.FIREWALL and route.is_whole
            if _is_way_out(route, vpc_id, tables)
        }.difference(firewalls)
        described = describe({endpoint_id for _, endpoint_id in new})
        behind = {key: list(_tables_behind(*key, tables, described)) for key in new}
        firewalls |= behind
        ahead = [
            (vpc_id, table)
            for (vpc_id, _), found in behind.items()
            for table in found
            if isinstance(table, RouteTable)
        ]
    return firewalls


def middlebox_routes(
    subnet: dict[str, Any],
    table: RouteTable,
    tables: RouteTables,
    account: str,
    firewalls: Firewalls,
) -> Iterator[Route | Unread]:
    """Yield the ways from a subnet through middleboxes to an internet gateway.

    Args:
        subnet: A Subnet, as boto3 gives it.
        table: The route table in effect for it.
        account: The account of the model; a subnet of another one is shared with it, and
            `firewalls` has nothing of it.

    Yields:
        Those that are known, and why there may be more; some maybe twice.
    """
    to_appliances: list[_ToAppliance] = []
    for out in table.routes.items:
        destination, middlebox = str(out.destination), str(out.target)
        if not _is_way_out(out, subnet["VpcId"], tables):
            continue
        if out.to is Target.APPLIANCE:
            to_appliances.append((out, table, destination))
        elif out.to is not Target.FIREWALL or not out.block or not out.is_whole:
            continue
        elif subnet.get("OwnerId") != account:
            yield _of_another_account(subnet, table, out)
        else:
            for end in _follow(out, table, subnet["VpcId"], tables, firewalls):
                if isinstance(end, Unread):
                    yield end
                elif end[0].to is Target.APPLIANCE:
                    to_appliances.append((*end, destination))
                else:
                    gateway, last = str(end[0].target), end[1].id
                    yield Route(destination, gateway, None, middlebox, last)
    if to_appliances:
        yield from _through_appliances(to_appliances, subnet, tables, account)


def _tables_behind(
    vpc_id: str, endpoint_id: str, tables: RouteTables, described: Described
) -> Iterator[RouteTable | Unread]:
    """Yield the route tables by which a firewall's endpoint hands traffic on."""
    what = f"VPC endpoint {endpoint_id}"
    if endpoint_id not in described.items:
        yield missing(what, described, _ENDPOINTS)
        return
    endpoint = described.items[endpoint_id]
    subnet_ids = endpoint.get("SubnetIds")
    if endpoint.get("VpcId") != vpc_id or not isinstance(subnet_ids, list) or not subnet_ids:
        malformed = MalformedError(f"no SubnetIds in it, or another VpcId than {vpc_id}")
        yield why_unread(malformed, what, _ENDPOINTS)
        return
    for subnet_id in subnet_ids:
        try:
            yield table_in_effect(subnet_id, vpc_id, tables)
        except Exception as error:  # what DescribeRouteTables was stopped by, or a MalformedError
            yield why_unread(error, f"the route table of subnet {subnet_id}", _TABLES)


def _is_way_out(route: TableRoute, vpc_id: str, tables: RouteTables) -> bool:
    """Return whether a route may be live and for the internet, and not for the VPC itself."""
    if route.live is False or not route.block:  # what a prefix list holds is not read
        return route.live is not False
    own = tables.own_blocks.get(vpc_id, ())
    return is_public(route.block) and not any(is_within(route.block, block) for block in own)


def _follow(
    out: TableRoute,
    own: RouteTable,
    vpc_id: str,
    tables: RouteTables,
    firewalls: Firewalls,
) -> Iterator[tuple[TableRoute, RouteTable] | Unread]:
    """Yield the routes to gateways and appliances by which traffic leaves firewalls."""
    # An endpoint, the block whose traffic gets there, and the parts of it that go elsewhere.
    ahead = [(str(out.target), out.block, own.more_specific(out))] if out.block else []
    seen = set()
    while ahead:
        if (at := ahead.pop()) in seen:
            continue
        seen.add(at)
        endpoint_id, traffic, elsewhere = at
        for table in firewalls[vpc_id, endpoint_id]:
            if isinstance(table, Unread):
                yield table
                continue
            taken = table.taken(traffic, elsewhere)
            if unclear := table.unclear(taken):
                yield why_unread(unclear, f"route table {table.id}", _TABLES)
            for route in taken:
                if not _is_way_out(route, vpc_id, tables):
                    continue
                if route.to is Target.APPLIANCE:
                    yield route, table
                elif route.to is Target.FIREWALL and route.block and route.is_whole:
                    part = route.block if is_within(route.block, traffic) else traffic
                    but = elsewhere | table.more_specific(route)
                    ahead.append((str(route.target), part, but))
                elif route.to is Target.INTERNET and route.block and route.is_whole:
                    yield route, table
                elif route.to is Target.INTERNET and route.is_whole:
                    why = f"{table.id} sends {route.destination} to {route.target}"
                    what = f"the way out of {endpoint_id}"
                    yield Unread(what, why, _TABLES, _CHECK_ENTRIES, _NOT_FOLLOWED)


def _through_appliances(
    to_appliances: list[_ToAppliance], subnet: dict[str, Any], tables: RouteTables, account: str
) -> Iterator[Route | Unread]:
    """Yield the ways through appliances that an internet gateway's own table sends traffic to."""
    gateways = tables.in_effect(subnet["VpcId"], lambda name: name.startswith("igw-"))
    if gateways.error:
        yield why_unread(gateways.error, f"the way out of subnet {subnet['SubnetId']}", _TABLES)
    elif not gateways.items and subnet.get("OwnerId") != account:
        out, table, _ = to_appliances[0]
        yield _of_another_account(subnet, table, out)
    try:
        blocks = _blocks_of(subnet) if gateways.items else []
    except Exception as error:  # a MalformedError, or what a wrong type raises
        yield why_unread(error, f"subnet {subnet['SubnetId']}", _SUBNETS)
        return
    for gateway, edge in gateways.items:
        if edge.routes.error:
            yield why_unread(edge.routes.error, f"route table {edge.id}", _TABLES)
        taken = [route for block in blocks for route in edge.taken(block)]
        for back in taken:
            if back.live is not False and back.to is not Target.LOCAL:
                for to_appliance in to_appliances:
                    yield from _in_line(*to_appliance, gateway, edge, back, subnet)


def _in_line(
    out: TableRoute,
    table: RouteTable,
    destination: str,
    gateway: str,
    edge: RouteTable,
    back: TableRoute,
    subnet: dict[str, Any],
) -> Iterator[Route | Unread]:
    """Yield what a route to an appliance and one of a gateway's own table make of a subnet."""
    if out.block and back.block and out.block.version != back.block.version:
        return
    for of, route in ((edge, back), (table, out)):
        if doubt := of.doubt(route):
            yield why_unread(doubt, f"route table {of.id}", _TABLES)
            return
    one = out.target if out.target == back.target else None
    if out.instance and out.instance == back.instance:  # one interface to each side
        one = one or out.instance
    if one and out.block and back.block:
        yield Route(destination, gateway, None, one, edge.id)
        return
    sends = f"{table.id} sends {out.destination} to {out.target}"
    sends += f", and {edge.id} of {gateway} sends {back.destination} to {back.target}"
    remedy = f"check whether {out.target} translates addresses, as a NAT instance does"
    yield _not_followed(subnet, sends, remedy if out.block and back.block else _CHECK_ENTRIES)


def _not_followed(subnet: dict[str, Any], why: str, remedy: str) -> Unread:
    what = f"the way out of subnet {subnet['SubnetId']}"
    return Unread(what, why, _TABLES, remedy, _NOT_FOLLOWED)


def _of_another_account(subnet: dict[str, Any], table: RouteTable, out: TableRoute) -> Unread:
    """Return why a shared subnet's way is not known."""
    # A participant sees the route tables of the subnets that are shared with it, and no other
    # resources of the owner (source: "Share your VPC subnets with other accounts" in the Amazon VPC
    # User Guide).
    owner = subnet.get("OwnerId")
    if not owner or not isinstance(owner, str):
        malformed = MalformedError("no OwnerId in it")
        return why_unread(malformed, f"subnet {subnet['SubnetId']}", _SUBNETS)
    return _not_followed(
        subnet,
        f"{table.id} sends {out.destination} to {out.target}, and the firewalls and gateways of "
        f"account {owner}, which shares the subnet, are not seen from here",
        f"check in that account whether an internet gateway is behind it, with {_TABLES}",
    )


def _blocks_of(subnet: dict[str, Any]) -> list[Block]:
    """Return a subnet's CIDR blocks; a MalformedError, if they are not all known."""
    key = "Ipv6CidrBlockAssociationSet"
    ipv6 = listed(subnet, key, subnet["SubnetId"]) if subnet.get(key) is not None else []
    texts = [
        association.get("Ipv6CidrBlock")
        for association in ipv6
        if (association.get("Ipv6CidrBlockState") or {}).get("State")
        not in ("disassociated", "failed")
    ]
    if subnet.get("Ipv6Native") is not True:  # which has IPv6 blocks alone
        texts.append(subnet.get("CidrBlock"))
    blocks = [block for block in map(to_block, texts) if block]
    if not blocks or len(blocks) < len(texts):
        raise MalformedError(f"{subnet['SubnetId']} lacks its CIDR block")
    return blocks
