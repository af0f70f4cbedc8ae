"""Which subnets are public: the routes of their route tables, as facts.

Source: "Subnet types" in the Amazon VPC User Guide. What cannot be known from here: what a NAT
gateway, a transit gateway, a peering connection or a firewall lets through behind a private subnet.
"""

from collections.abc import Iterator
from typing import Any

from .answers import Described, MalformedError, is_id, listed, missing, why_unread
from .facts import Route, Subnet
from .middleboxes import is_advertised, middlebox_routes
from .route_tables import LIVE, RouteTables, destination_of, known, lacking, table_in_effect

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
NO_TARGET = ("Destination", "InstanceOwnerId", "IpAddress", "Origin", "State")


def subnet_facts(subnet_id: str, subnets: Described, tables: RouteTables, account: str) -> Subnet:
    """Return what is known of one subnet.

    Args:
        subnet_id: The subnet.
        subnets: The answer of DescribeSubnets.
        tables: The answer of DescribeRouteTables for the VPCs of those subnets.
        account: The account of the model; a subnet of another one is shared with it.
    """
    what = f"subnet {subnet_id}"
    if subnet_id not in subnets.items:
        return Subnet(subnet_id, unread=(missing(what, subnets, "ec2:DescribeSubnets"),))
    subnet = subnets.items[subnet_id]
    vpc_id = subnet.get("VpcId", "")
    if not is_id(vpc_id, "vpc-"):
        malformed = MalformedError("no VpcId in it")
        unread = why_unread(malformed, what, "ec2:DescribeSubnets")
        return Subnet(subnet_id, unread=(unread,))
    table: dict[str, Any] = {}
    errors: list[Exception | None] = []
    try:
        table = table_in_effect(subnet_id, vpc_id, tables)
    except Exception as error:  # what DescribeRouteTables was stopped by, or a MalformedError
        errors.append(error)
    routes, more_routes = known(internet_routes(table)) if table else ([], None)
    middleboxes, more_middleboxes = known(middlebox_routes(subnet, table, tables, account))
    errors += [more_routes, more_middleboxes]
    what = f"the route table of subnet {subnet_id}"
    unread_routes = [why_unread(e, what, "ec2:DescribeRouteTables") for e in errors if e]
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
        elif route.get("State") != "blackhole" and not leads_elsewhere(route):
            target = unknown_target(route)
            incomplete |= target is None
            strange = strange or target
    if incomplete:
        raise lacking(table)
    if strange:
        raise MalformedError(
            f"a route of {table_id} leads to {strange}, which this check does not know",
            "check where it leads with ec2:DescribeRouteTables, or use a newer version of the "
            "plugin",
        )


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
    return is_advertised(route) or any(route.get(key) for key in OTHER_TARGETS)


def unknown_target(route: dict[str, Any]) -> str | None:
    """Return the target of a route that leads to nothing that is known; None where it has none."""
    targets = (value for key, value in route.items() if not key.startswith(NO_TARGET))
    return next((str(target) for target in targets if target), None)
