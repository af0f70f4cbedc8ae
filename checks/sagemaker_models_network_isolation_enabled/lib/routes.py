"""Which subnets are public: the routes of their route tables, as facts.

Source: "Subnet types", "Subnet route tables" and "Gateway route tables" in the Amazon VPC User
Guide. What cannot be known from here: what a NAT gateway, a transit gateway, a peering connection
or a firewall lets through behind a private subnet.
"""

from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any, TypeVar

from .answers import Described, is_id, listed, missing
from .facts import MalformedError, MiddleboxRoute, Route, Subnet, Unread
from .ranges import Block, is_public

# What else a route's GatewayId may name: the VPC itself, a VPN or local gateway, an endpoint, and
# VPC Lattice, whose routes AWS puts into the tables of a VPC that a service network is associated
# with.
OTHER_GATEWAYS = ("local", "vgw-", "lgw-", "vpce-", "VpcLattice")
# The other members of EC2's Route that name a target; none of them is an internet gateway.
OTHER_TARGETS = (
    "CoreNetworkArn",
    "EgressOnlyInternetGatewayId",
    "InstanceId",
    "LocalGatewayId",
    "NatGatewayId",
    "NetworkInterfaceId",
    "OdbNetworkArn",
    "TransitGatewayId",
    "VpcPeeringConnectionId",
)
MIDDLEBOXES = ("eni-", "vpce-")
NO_TARGET = ("Destination", "InstanceOwnerId", "IpAddress", "Origin", "State")
LIVE = ("active", "filtered")  # the states of a route but for "blackhole"

T = TypeVar("T")


def subnet_facts(subnet_id: str, subnets: Described, tables: Described) -> Subnet:
    """Return what is known of one subnet.

    Its route table is the one associated with it, else the main one of its own VPC, else unknown
    (source: "Subnet route tables" in the Amazon VPC User Guide).

    Args:
        subnet_id: The subnet.
        subnets: The answer of DescribeSubnets.
        tables: The answer of DescribeRouteTables for the VPCs of those subnets.
    """
    what = f"subnet {subnet_id}"
    if subnet_id not in subnets.items:
        return Subnet(subnet_id, unread=(missing(what, subnets, "ec2:DescribeSubnets"),))
    subnet = subnets.items[subnet_id]
    vpc_id = subnet.get("VpcId", "")
    if not is_id(vpc_id, "vpc-"):
        malformed = MalformedError("no VpcId in it")
        unread = Unread.from_error(malformed, what, "ec2:DescribeSubnets")
        return Subnet(subnet_id, unread=(unread,))
    table: dict[str, Any] = {}
    errors: list[Exception | None] = []
    try:
        table = table_in_effect(subnet_id, vpc_id, tables)
    except Exception as error:  # what DescribeRouteTables was stopped by, or a MalformedError
        errors.append(error)
    routes, more_routes = known(internet_routes(table)) if table else ([], None)
    middleboxes, more_middleboxes = known(middlebox_routes(subnet, table, tables))
    errors += [more_routes, more_middleboxes]
    what = f"the route table of subnet {subnet_id}"
    unread_routes = [Unread.from_error(e, what, "ec2:DescribeRouteTables") for e in errors if e]
    mode = (subnet.get("BlockPublicAccessStates") or {}).get("InternetGatewayBlockMode")
    return Subnet(
        subnet_id,
        vpc_id,
        table.get("RouteTableId"),
        tuple(routes),
        tuple(middleboxes),
        mode,
        tuple(dict.fromkeys(unread_routes)),
    )


def table_in_effect(subnet_id: str, vpc_id: str, tables: Described) -> dict[str, Any]:
    """Return the route table that routes a subnet's traffic.

    Args:
        subnet_id: The subnet.
        vpc_id: Its VPC.
        tables: The answer of DescribeRouteTables for that VPC, and for others.

    Raises:
        Exception: The error of DescribeRouteTables, where its answer is not enough.
        MalformedError: The answer is whole and does not say which table it is.
    """
    own: list[dict[str, Any]] = []
    main: list[dict[str, Any]] = []
    error = tables.error
    for table in tables_of(vpc_id, tables):
        try:
            for association in listed(table, "Associations", table["RouteTableId"]):
                role = role_of(association, table)
                if role in ("main", subnet_id) and in_effect(association, role, table):
                    (main if role == "main" else own).append(table)
        # This table may be the subnet's own, so no main table is an answer any more.
        except MalformedError as malformed:
            error = error or malformed
    if len(own) == 1:
        return own[0]
    if error:
        raise error
    if own or len(main) != 1:
        kind = f"{len(own)} tables of its own" if own else f"{len(main)} main tables in {vpc_id}"
        raise MalformedError(f"AWS answered {kind}")
    return main[0]


def tables_of(vpc_id: str, tables: Described) -> Iterator[dict[str, Any]]:
    """Yield the route tables of a VPC, and those that do not say of which VPC they are."""
    for table in tables.items.values():
        if table.get("VpcId") == vpc_id or not is_id(table.get("VpcId"), "vpc-"):
            yield table


def role_of(association: dict[str, Any], table: dict[str, Any]) -> str:
    """Return what a route table is associated with: "main", or the id of a subnet, gateway or pool.

    Args:
        association: A RouteTableAssociation, as boto3 gives it.
        table: Its route table.

    Raises:
        MalformedError: The answer does not say.
    """
    if association.get("Main") is True and is_id(table.get("VpcId"), "vpc-"):
        return "main"
    if is_id(association.get("SubnetId"), "subnet-"):
        return str(association["SubnetId"])
    # A gateway's table routes what comes in by it; so does that of a pool of addresses that were
    # brought to AWS (BYOIP).
    for key in ("GatewayId", "PublicIpv4Pool"):
        if isinstance(association.get(key), str):
            return str(association[key])
    raise MalformedError(f"an association of {table['RouteTableId']} does not say with what")


def in_effect(association: dict[str, Any], role: str, table: dict[str, Any]) -> bool:
    """Return whether a route table association routes traffic now.

    Args:
        association: A RouteTableAssociation, as boto3 gives it.
        role: What it associates, as `role_of` gives it.
        table: Its route table.

    Raises:
        MalformedError: It is on its way in or out, so nobody can say.
    """
    state = (association.get("AssociationState") or {}).get("State", "associated")
    if state not in ("associated", "disassociated", "failed"):
        table_id = table["RouteTableId"]
        raise MalformedError(f"the association of {role} with {table_id} is {state}")
    return bool(state == "associated")


def internet_routes(table: dict[str, Any]) -> Iterator[Route]:
    """Yield the live routes of a table to an internet gateway or a carrier gateway.

    Any destination counts: IPv4, IPv6, a prefix list, halves of the default (source: "Subnet
    types" in the Amazon VPC User Guide: a public subnet has a direct route to an internet
    gateway). A blackhole route leads nowhere.

    Args:
        table: A RouteTable, as boto3 gives it.

    Raises:
        MalformedError: There may be more of them; raised after all that are known were yielded.
    """
    table_id = table["RouteTableId"]
    routes = listed(table, "Routes", table_id)
    incomplete = not routes  # every table routes its own VPC at least
    strange = None
    for route in routes:
        destination, gateway = destination_of(route), internet_gateway(route)
        if gateway and destination and route.get("State") in LIVE:
            yield Route(destination, gateway)
        elif gateway:
            incomplete |= route.get("State") != "blackhole"
        elif not leads_elsewhere(route):
            target = unknown_target(route)
            incomplete |= target is None
            strange = strange or target
    if incomplete:
        raise lacking(table)
    if strange:
        raise MalformedError(
            f"a route of {table_id} leads to {strange}, which this check does not know",
            "look where it leads with ec2:DescribeRouteTables, or use a newer version of the check",
        )


def destination_of(route: dict[str, Any]) -> str | None:
    """Return a route's destination: a CIDR block or the id of a prefix list."""
    destination = (
        route.get("DestinationCidrBlock")
        or route.get("DestinationIpv6CidrBlock")
        or route.get("DestinationPrefixListId")
    )
    return str(destination) if destination else None


def internet_gateway(route: dict[str, Any]) -> str | None:
    """Return the internet gateway or carrier gateway that a route leads to, if it does."""
    gateway = route.get("CarrierGatewayId") or str(route.get("GatewayId"))
    is_carrier = "CarrierGatewayId" in route or gateway.startswith("cagw-")
    return str(gateway) if is_carrier or gateway.startswith("igw-") else None


def leads_elsewhere(route: dict[str, Any]) -> bool:
    """Return whether a route that leads to no internet gateway has a target that is known."""
    gateway = route.get("GatewayId")
    if gateway is not None:
        return str(gateway).startswith(OTHER_GATEWAYS)
    return any(route.get(key) for key in OTHER_TARGETS)


def unknown_target(route: dict[str, Any]) -> str | None:
    """Return the target of a route that leads to nothing that is known; None where it has none."""
    targets = (value for key, value in route.items() if not key.startswith(NO_TARGET))
    return next((str(target) for target in targets if target), None)


def middlebox_routes(
    subnet: dict[str, Any], table: dict[str, Any], tables: Described
) -> Iterator[MiddleboxRoute]:
    """Yield the ways from a subnet through a middlebox in line to an internet gateway, and back.

    Such a subnet sends its internet traffic to a firewall's endpoint or an appliance's network
    interface, and the gateway's route table sends what comes in for the subnet to the same one: no
    address translation lies between, so the subnet is public behind a firewall. Behind a NAT
    gateway one half is missing: nothing that comes in is routed to the subnet (source: "Gateway
    route tables" and "Route traffic to a middlebox" in the Amazon VPC User Guide; "Simple single
    zone architecture with an internet gateway" in the AWS Network Firewall Developer Guide).

    Args:
        subnet: A Subnet, as boto3 gives it.
        table: The route table in effect for it; empty where that is unknown.
        tables: The answer of DescribeRouteTables for its VPC, and for others.

    Raises:
        Exception: There may be more of them: DescribeRouteTables broke off, or an answer is
            malformed; raised after all that are known were yielded.
    """
    sent, incomplete = known(routes_to_middleboxes(table))
    edges, more_edges = known(gateway_tables(subnet["VpcId"], tables))
    stopped = [incomplete] if edges else []
    if sent:
        stopped.append(more_edges)
        for gateway, edge in edges:
            returned, more = known(incoming_routes(edge, subnet))
            stopped.append(more)
            for block, target in returned:
                for destination, sent_to in sent:
                    edge_id = edge["RouteTableId"]
                    if not is_same_family(destination, block):
                        continue
                    if sent_to != target:
                        if sent_to in middleboxes_before(subnet, table, edge, tables):
                            stopped.append(in_a_row(table, sent_to, gateway, target))
                    elif destination.startswith("pl-"):
                        stopped.append(to_a_prefix_list(table, destination, target))
                    else:
                        yield MiddleboxRoute(destination, target, gateway, edge_id, block)
    for error in filter(None, stopped):
        raise error


def middleboxes_before(
    subnet: dict[str, Any], own: dict[str, Any], edge: dict[str, Any], tables: Described
) -> set[str]:
    """Return the middleboxes to which other tables of a VPC send a subnet's traffic.

    Args:
        subnet: A Subnet, as boto3 gives it.
        own: The route table in effect for it.
        edge: The route table of an internet gateway.
        tables: The answer of DescribeRouteTables for its VPC, and for others.
    """
    others = (t for t in tables_of(subnet["VpcId"], tables) if t is not own and t is not edge)
    return {target for t in others for _, target in known(incoming_routes(t, subnet))[0]}


def in_a_row(table: dict[str, Any], sent_to: str, gateway: str, target: str) -> MalformedError:
    """Return the error for two middleboxes that may be in a row to an internet gateway."""
    return MalformedError(
        f"{table['RouteTableId']} sends traffic to {sent_to} and {gateway} sends it to {target}, "
        "which may be in a row",
        "look whether they are, with ec2:DescribeRouteTables",
    )


def to_a_prefix_list(table: dict[str, Any], destination: str, target: str) -> MalformedError:
    """Return the error for a prefix list whose entries may or may not be the internet."""
    return MalformedError(
        f"{table['RouteTableId']} sends {destination} to {target}, and so does an internet gateway",
        "look whether the list's entries are public, with ec2:GetManagedPrefixListEntries",
    )


def routes_to_middleboxes(table: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield where a table sends traffic for the internet to a middlebox: destination and middlebox.

    Args:
        table: A RouteTable, as boto3 gives it; empty for none.

    Raises:
        MalformedError: There may be more of them; raised after all that are known were yielded.
    """
    incomplete = False
    for route in listed(table, "Routes", table["RouteTableId"]) if table else ():
        target, destination = middlebox(route), destination_of(route)
        if not target or route.get("State") == "blackhole":
            continue
        if not destination or route.get("State") not in LIVE or not target.startswith(MIDDLEBOXES):
            incomplete = True
        # A prefix list's entries may be anything.
        elif destination.startswith("pl-") or is_public(ip_network(destination, strict=False)):
            yield destination, target
    if incomplete:
        raise lacking(table)


def lacking(table: dict[str, Any]) -> MalformedError:
    """Return the error for a table of which a route is not whole."""
    clause = f"a route of {table['RouteTableId']} lacks its destination, target or state"
    return MalformedError(clause)


def middlebox(route: dict[str, Any]) -> str | None:
    """Return the network interface or endpoint that a route leads to, if it leads to one."""
    target = route.get("NetworkInterfaceId") or route.get("GatewayId")
    leads_there = "NetworkInterfaceId" in route or is_id(target, "vpce-")
    return str(target) if leads_there else None


def gateway_tables(vpc_id: str, tables: Described) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the internet gateways of a VPC that have a route table of their own, with that table.

    Args:
        vpc_id: The VPC.
        tables: The answer of DescribeRouteTables for that VPC, and for others.

    Raises:
        Exception: There may be more of them; raised after all that are known were yielded.
    """
    error = tables.error
    for table in tables_of(vpc_id, tables):
        try:
            for association in listed(table, "Associations", table["RouteTableId"]):
                gateway = role_of(association, table)
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
    ipv6 = subnet.get("Ipv6CidrBlockAssociationSet") or ()
    texts = [subnet.get("CidrBlock"), *(item.get("Ipv6CidrBlock") for item in ipv6)]
    try:
        blocks = [ip_network(text) for text in texts if text]  # one in IPv6 alone has no CidrBlock
    except ValueError:
        blocks = []
    if not blocks:
        raise MalformedError(f"{subnet['SubnetId']} lacks its CIDR block")
    return blocks


def incoming_routes(table: dict[str, Any], subnet: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the destination and the middlebox of the routes that a subnet's incoming traffic takes.

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
            routes.append((ip_network(str(destination_of(route)), strict=False), route))
        except ValueError:  # a gateway's table takes no prefix list
            incomplete = True
    for block in blocks_of(subnet):
        same = [(to, route) for to, route in routes if to.version == block.version]
        around = [(to, route) for to, route in same if to.supernet_of(block)]
        # The most specific route counts; one for a part of the subnet is more specific still.
        taken = sorted(around, key=lambda pair: pair[0].prefixlen)[-1:]
        taken += [(to, route) for to, route in same if to != block and to.subnet_of(block)]
        for _, route in taken:
            target, state = middlebox(route), route.get("State")
            if target and target.startswith(MIDDLEBOXES) and state in LIVE:
                yield str(destination_of(route)), target
            elif target:
                incomplete |= state != "blackhole"
    if incomplete:
        raise lacking(table)


def known(facts: Iterator[T]) -> tuple[list[T], Exception | None]:
    """Return what an iterator yields before it ends, and what it raised where there may be more."""
    found: list[T] = []
    try:
        for fact in facts:
            found.append(fact)
    except Exception as error:
        return found, error
    return found, None
