"""Which subnets are public, by the routes of their route tables.

Source: "Subnet types" in the Amazon VPC User Guide. What cannot be known from here: what a NAT
gateway, a transit gateway, a peering connection or a firewall lets through behind a private subnet.
"""

from .answers import Described, MalformedError, is_id, missing, why_unread
from .facts import Route, Subnet
from .middleboxes import Located, middlebox_routes
from .route_tables import RouteTable, RouteTables, Target, table_in_effect


def subnet_facts(
    subnet_id: str, subnets: Described, tables: RouteTables, account: str, located: Located
) -> Subnet:
    """Return what is known of one subnet.

    Args:
        subnet_id: The subnet.
        subnets: The answer of DescribeSubnets.
        tables: The route tables of the VPCs of those subnets.
        account: The account of the model; a subnet of another one is shared with it.
        located: Where those of `middleboxes_to_locate` stand.
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
    mode = (subnet.get("BlockPublicAccessStates") or {}).get("InternetGatewayBlockMode")
    connectivity = subnet.get("NetworkFirewallConnectivityType")
    what = f"the route table of subnet {subnet_id}"
    try:
        table = table_in_effect(subnet_id, vpc_id, tables)
    except Exception as error:  # what DescribeRouteTables was stopped by, or a MalformedError
        unread = why_unread(error, what, "ec2:DescribeRouteTables")
        return Subnet(subnet_id, vpc_id, block_public_access=mode, unread=(unread,))
    through, unclear = middlebox_routes(subnet, table, tables, account, located)
    reasons = (
        why_unread(reason, what, "ec2:DescribeRouteTables")
        for reason in (unclear_internet_routes(table), unclear)
        if reason
    )
    return Subnet(
        subnet_id,
        vpc_id,
        table.id,
        internet_routes(table),
        through,
        mode,
        connectivity,
        tuple(dict.fromkeys(reasons)),
    )


def internet_routes(table: RouteTable) -> tuple[Route, ...]:
    """Return the live routes of a table to an internet gateway or a carrier gateway.

    Any destination counts: IPv4, IPv6, a prefix list, halves of the default (source: "Subnet
    types" in the Amazon VPC User Guide: a public subnet has a direct route to an internet
    gateway). A blackhole route leads nowhere.
    """
    return tuple(
        Route(str(route.destination), str(route.target), route.firewall)
        for route in table.routes
        if route.to is Target.INTERNET and route.is_whole
    )


def unclear_internet_routes(table: RouteTable) -> Exception | None:
    """Return why a table may have more routes to the internet than are known, if it may."""
    live = [route for route in table.routes if route.live is not False]
    ways_out = (route for route in live if route.to in (Target.INTERNET, Target.MISSING))
    # Every table routes its own VPC at least.
    unclear = table.unclear(not table.routes or not all(route.is_whole for route in ways_out))
    unknown = next((route.target for route in live if route.to is Target.UNKNOWN), None)
    if unclear or not unknown:
        return unclear
    return MalformedError(
        f"a route of {table.id} leads to {unknown}, which this check does not know",
        "check where it leads with ec2:DescribeRouteTables, or use a newer version of the plugin",
    )
