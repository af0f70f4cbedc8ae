"""The subnets and security groups that models name, as facts: three batched EC2 calls a region.

Prowler's `vpc_client` is not the source. For a subnet without an association of its own it looks
at the main route tables of all VPCs, it misses routes to a gateway that are narrower than the
default, and it makes a call a subnet.

Filters are used and not id parameters, because an id parameter fails the whole call when one id is
gone. What cannot be known from here: what a NAT gateway, a transit gateway, a peering connection or
a firewall appliance lets through behind a private subnet.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any
from xml.etree import ElementTree

from .facts import MalformedError, Route, SecurityGroup, Subnet, Unread

FILTER_VALUES = 200  # the most values that one EC2 filter takes
# What else a route's GatewayId may name: the VPC itself, a VPN or local gateway, an endpoint.
OTHER_GATEWAYS = ("local", "vgw-", "lgw-", "vpce-")
XML_LISTS = {"associationSet", "ipPermissions", "ipPermissionsEgress", "ipRanges", "ipv6Ranges"}
# What a security group rule may admit; each rule has one of them at least.
RULE_ENDS = ("IpRanges", "Ipv6Ranges", "PrefixListIds", "UserIdGroupPairs")
HTTP_OK = 200
LIVE = ("active", "filtered")  # the states of a route but for "blackhole"


@dataclass(frozen=True)
class Asked:
    """What a describe call answered, by id, and why it may not be everything.

    Attributes:
        items: The answered items by their id, as boto3 gives them.
        error: What stopped the call; None where the answer is whole.
    """

    items: dict[str, dict[str, Any]] = field(default_factory=dict)
    error: Exception | None = None


def read_network(
    ec2: Any, subnet_ids: Iterable[str], group_ids: Iterable[str]
) -> tuple[dict[str, Subnet], dict[str, SecurityGroup]]:
    """Read the subnets and security groups of one region.

    Args:
        ec2: A boto3 EC2 client of the region.
        subnet_ids: The ids of the subnets that models of the region name.
        group_ids: The ids of the security groups that they name.

    Returns:
        A `Subnet` for every subnet id and a `SecurityGroup` for every group id. What could not be
        read is said in their `unread`; no error of AWS is raised.
    """
    refuse_garbled_lists(ec2)
    subnets = describe(ec2, "describe_subnets", "Subnets", "SubnetId", "subnet-id", subnet_ids)
    vpc_ids = {s["VpcId"] for s in subnets.items.values() if isinstance(s.get("VpcId"), str)}
    tables = describe(
        ec2, "describe_route_tables", "RouteTables", "RouteTableId", "vpc-id", vpc_ids
    )
    groups = describe(
        ec2, "describe_security_groups", "SecurityGroups", "GroupId", "group-id", group_ids
    )
    return (
        {subnet_id: subnet_facts(subnet_id, subnets, tables) for subnet_id in subnet_ids},
        {group_id: group_facts(group_id, groups) for group_id in group_ids},
    )


def describe(
    ec2: Any, operation: str, key: str, id_key: str, filter_name: str, values: Iterable[str]
) -> Asked:
    """Make one describe call for many ids, in batches and over all pages.

    Args:
        ec2: A boto3 EC2 client.
        operation: The operation in boto3's spelling, such as "describe_subnets".
        key: The list in the answer, such as "Subnets".
        id_key: The id of an item of that list, such as "SubnetId".
        filter_name: The filter that takes the values, such as "subnet-id".
        values: The values; none make no call.

    Returns:
        The items read, and the error that kept the rest from being read.
    """
    items: dict[str, dict[str, Any]] = {}
    error: Exception | None = None
    ordered = sorted(values)
    try:
        for start in range(0, len(ordered), FILTER_VALUES):
            batch = ordered[start : start + FILTER_VALUES]
            for page in ec2.get_paginator(operation).paginate(
                Filters=[{"Name": filter_name, "Values": batch}]
            ):
                for item in listed(page, key, "the answer"):
                    if isinstance(item.get(id_key), str):
                        items[item[id_key]] = item
                    else:
                        error = MalformedError(f"no {id_key} in one of the {key}")
    # Whatever stops the call becomes the reason of a MANUAL finding: AWS's refusal, a broken
    # connection, or an answer that botocore or this module cannot read.
    except Exception as stopped:
        error = stopped
    return Asked(items, error)


def refuse_garbled_lists(ec2: Any) -> None:
    """Make an EC2 client raise where botocore would take a garbled list for an empty one.

    botocore reads the children of a list's XML element, and sees no difference between an element
    without any and one that holds something else; but a security group without rules is sound.

    Args:
        ec2: A boto3 EC2 client.
    """

    def refuse(response_dict: dict[str, Any], **_: Any) -> None:
        if response_dict["status_code"] != HTTP_OK:
            return
        # botocore parses the same text in the same way right after.
        for element in ElementTree.fromstring(response_dict["body"]).iter():  # noqa: S314
            name = element.tag.rpartition("}")[2]
            if name in XML_LISTS and (
                (element.text or "").strip() or not all(c.tag.endswith("item") for c in element)
            ):
                raise MalformedError(f"{name} is no list")

    ec2.meta.events.register("before-parse.ec2", refuse)


def subnet_facts(subnet_id: str, subnets: Asked, tables: Asked) -> Subnet:
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
        return Subnet(subnet_id, unread=missing(what, subnets, "ec2:DescribeSubnets"))
    vpc_id = subnets.items[subnet_id].get("VpcId", "")
    if not is_id(vpc_id, "vpc-"):
        malformed = MalformedError("no VpcId in it")
        return Subnet(subnet_id, unread=Unread.from_error(malformed, what, "ec2:DescribeSubnets"))
    table: dict[str, Any] = {}
    routes: list[Route] = []
    unread = None
    try:
        table = table_in_effect(subnet_id, vpc_id, tables)
        for route in internet_routes(table):
            routes.append(route)
    except Exception as error:  # what DescribeRouteTables was stopped by, or a MalformedError
        what = f"the route table of subnet {subnet_id}"
        unread = Unread.from_error(error, what, "ec2:DescribeRouteTables")
    return Subnet(subnet_id, vpc_id, table.get("RouteTableId"), tuple(routes), unread)


def table_in_effect(subnet_id: str, vpc_id: str, tables: Asked) -> dict[str, Any]:
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
    for table in tables.items.values():
        if is_id(table.get("VpcId"), "vpc-") and table["VpcId"] != vpc_id:
            continue
        try:
            for association in listed(table, "Associations", table["RouteTableId"]):
                role = role_of(association, table)
                if role in ("main", subnet_id) and in_effect(association, table["RouteTableId"]):
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


def role_of(association: dict[str, Any], table: dict[str, Any]) -> str:
    """Return what a route table is associated with: "main", a subnet's id or a gateway's.

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
    if isinstance(association.get("GatewayId"), str):  # routes what comes in by a gateway
        return str(association["GatewayId"])
    raise MalformedError(f"an association of {table['RouteTableId']} does not say with what")


def in_effect(association: dict[str, Any], table_id: str) -> bool:
    """Return whether a route table association routes traffic now.

    Args:
        association: A RouteTableAssociation, as boto3 gives it.
        table_id: Its route table.

    Raises:
        MalformedError: It is on its way in or out, so nobody can say.
    """
    state = (association.get("AssociationState") or {}).get("State", "associated")
    if state not in ("associated", "disassociated", "failed"):
        raise MalformedError(f"its association with {table_id} is {state}")
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
    for route in routes:
        destination = (
            route.get("DestinationCidrBlock")
            or route.get("DestinationIpv6CidrBlock")
            or route.get("DestinationPrefixListId")
        )
        gateway = internet_gateway(route)
        if gateway and destination and route.get("State") in LIVE:
            yield Route(str(destination), gateway)
        elif gateway:
            incomplete |= route.get("State") != "blackhole"
        else:
            incomplete |= not leads_elsewhere(route)
    if incomplete:
        raise MalformedError(f"a route of {table_id} lacks its destination, target or state")


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
    # Every other member of EC2's Route shape but these names a target.
    about = {"Origin", "State", "InstanceOwnerId"}
    return any(not key.startswith("Destination") and key not in about for key in route)


def group_facts(group_id: str, groups: Asked) -> SecurityGroup:
    """Return what is known of one security group.

    Args:
        group_id: The security group.
        groups: The answer of DescribeSecurityGroups.
    """
    what = f"security group {group_id}"
    permission = "ec2:DescribeSecurityGroups"
    if group_id not in groups.items:
        return SecurityGroup(group_id, unread=missing(what, groups, permission))
    group = groups.items[group_id]
    ingress: list[str] = []
    egress: list[str] = []
    unread = None
    try:
        for rule in open_rules(group, "IpPermissions"):
            ingress.append(f"{rule[0]} from {rule[1]}")
        for rule in open_rules(group, "IpPermissionsEgress"):
            egress.append(f"{rule[0]} to {rule[1]}")
    except MalformedError as error:
        unread = Unread.from_error(error, what, permission)
    vpc_id = group.get("VpcId")
    return SecurityGroup(group_id, vpc_id, tuple(ingress), tuple(egress), unread)


def open_rules(group: dict[str, Any], direction: str) -> Iterator[tuple[str, str]]:
    """Yield the rules of a security group that are open to everywhere.

    Args:
        group: A SecurityGroup, as boto3 gives it.
        direction: "IpPermissions" (ingress) or "IpPermissionsEgress".

    Returns:
        For each such rule its traffic in words, and the block: 0.0.0.0/0 or ::/0.

    Raises:
        MalformedError: There may be more of them; raised after all that are known were yielded.
    """
    incomplete = False
    for rule in listed(group, direction, group["GroupId"]):
        incomplete |= not any(rule.get(kind) for kind in RULE_ENDS)
        for ranges, cidr in (("IpRanges", "CidrIp"), ("Ipv6Ranges", "CidrIpv6")):
            blocks = rule.get(ranges)
            if not isinstance(blocks, list):
                incomplete = True
                continue
            for item in blocks:
                try:
                    # The two blocks of prefix length zero are 0.0.0.0/0 and ::/0, in any spelling.
                    if ip_network(item[cidr], strict=False).prefixlen == 0:
                        yield traffic(rule), item[cidr]
                except (KeyError, TypeError, ValueError):
                    incomplete = True
    if incomplete:
        raise MalformedError(f"a rule in {direction} of {group['GroupId']} lacks its range")


def traffic(rule: dict[str, Any]) -> str:
    """Return a security group rule's protocol and ports in words, such as "tcp 443"."""
    protocol = str(rule.get("IpProtocol"))
    if protocol == "-1":
        return "all traffic"
    first, last = rule.get("FromPort"), rule.get("ToPort")
    if protocol not in ("tcp", "udp") or first is None:
        return protocol
    return f"{protocol} {first}" if first == last else f"{protocol} {first}-{last}"


def missing(what: str, asked: Asked, permission: str) -> Unread:
    """Return why something asked for by its id is not in the answer."""
    if asked.error:
        return Unread.from_error(asked.error, what, permission)
    return Unread.gone(what, permission)


def is_id(value: Any, prefix: str) -> bool:
    """Return whether a value is the id of an EC2 resource of one kind, such as "subnet-…"."""
    return isinstance(value, str) and value.startswith(prefix)


def listed(answer: Any, key: str, where: str) -> list[dict[str, Any]]:
    """Return a list of structures in an answer.

    Args:
        answer: A structure, as boto3 gives it.
        key: The list's name in it.
        where: What the structure is, for the error.

    Raises:
        MalformedError: The list is not there, or holds something else.
    """
    value = answer.get(key)
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise MalformedError(f"no {key} in {where}")
    return value
