"""Which subnets are public, by the routes of their route tables.

Source: "Subnet types" in the Amazon VPC User Guide. What cannot be known from here: what a NAT
gateway, a transit gateway, a peering connection or a firewall lets through behind a private subnet.
"""

from dataclasses import replace
from typing import Any

from .answers import Described, MalformedError, is_id, missing, why_unread
from .facts import Route, Subnet, Unread
from .middleboxes import Firewalls, middlebox_routes
from .route_tables import RouteTables, Target, table_in_effect


def subnet_facts(
    subnet_id: str, subnets: Described, tables: RouteTables, account: str, firewalls: Firewalls
) -> Subnet:
    """Return what is known of one subnet.

    Args:
        subnets: The answer of DescribeSubnets.
        account: The account of the model; a subnet of another one is shared with it.
    """
    what, permission = f"subnet {subnet_id}", "ec2:DescribeSubnets"
    if subnet_id not in subnets.items:
        return Subnet(subnet_id, unread=(missing(what, subnets, permission),))
    subnet = subnets.items[subnet_id]
    vpc_id = str(subnet.get("VpcId"))
    if not is_id(vpc_id, "vpc-"):
        malformed = MalformedError("no VpcId in it")
        return Subnet(subnet_id, unread=(why_unread(malformed, what, permission),))
    mode, connectivity, garbled = _settings_of(subnet)
    unread = [why_unread(garbled, what, permission)] if garbled else []
    read = Subnet(subnet_id, vpc_id, block_public_access=mode, firewall_connectivity=connectivity)
    what, permission = f"the route table of subnet {subnet_id}", "ec2:DescribeRouteTables"
    try:
        table = table_in_effect(subnet_id, vpc_id, tables)
    except Exception as error:  # what DescribeRouteTables was stopped by, or a MalformedError
        return replace(read, unread=(*unread, why_unread(error, what, permission)))
    if unclear := table.unclear(table.routes.items):
        unread.append(why_unread(unclear, what, permission))
    # Any destination counts: IPv4, IPv6, a prefix list, halves of the default.
    direct = [
        Route(str(route.destination), str(route.target), route.firewall)
        for route in table.routes.items
        if route.to is Target.INTERNET and route.is_whole
    ]
    through = dict.fromkeys(middlebox_routes(subnet, table, tables, account, firewalls))
    unread += [way for way in through if isinstance(way, Unread)]
    routes = *direct, *(way for way in through if isinstance(way, Route))
    unread = list(dict.fromkeys(unread))
    return replace(read, route_table_id=table.id, internet_routes=routes, unread=tuple(unread))


def _settings_of(subnet: dict[str, Any]) -> tuple[str | None, str | None, Exception | None]:
    """Return the settings that no verdict rests on; both None and why, where one is garbled."""
    states = subnet.get("BlockPublicAccessStates") or {}
    mode = states.get("InternetGatewayBlockMode") if isinstance(states, dict) else NotImplemented
    connectivity = subnet.get("NetworkFirewallConnectivityType")
    if isinstance(mode, str | None) and isinstance(connectivity, str | None):
        return mode, connectivity, None
    names = "BlockPublicAccessStates or NetworkFirewallConnectivityType"
    return None, None, MalformedError(f"no readable {names} in it")
