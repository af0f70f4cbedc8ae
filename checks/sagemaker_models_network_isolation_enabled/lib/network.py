"""EC2's side: the subnets and security groups that models name, in three batched calls a region.

Prowler's `vpc_client` is not the source. For a subnet without an association of its own it looks
at the main route tables of all VPCs, it misses routes to a gateway that are narrower than the
default, and it makes a call a subnet.

Filters are used and not id parameters, because an id parameter fails the whole call when one id is
gone. Where a security group names prefix lists there is one more call for each list.
"""

import logging
from collections.abc import Iterable
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

from .answers import Described, MalformedError, listed
from .configuration import read_broadest_sources
from .facts import Listing, Network, R, SecurityGroup, Subnet
from .middleboxes import Located, middleboxes_to_locate
from .ranges import BROADEST, Broadest
from .route_tables import TableRoute, parse_route_tables
from .security_groups import PrefixList, group_facts, prefix_lists_of
from .subnets import subnet_facts

logger = logging.getLogger(__name__)

FILTER_VALUES = 200  # the most values that one EC2 filter takes

SubnetFacts = dict[str, Subnet]
GroupFacts = dict[tuple[str, ...], tuple[SecurityGroup, ...]]


def with_networks(service: Any, listings: Iterable[Listing[R]]) -> list[Listing[R]]:
    """Return listings whose items have the facts of their networks, in the order of the regions.

    Args:
        service: What `sagemaker_service` gave.
        listings: One a region.
    """
    read = {li.region: li for li in listings}
    broadest = read_broadest_sources(service.audit_config)
    submit, account = service.thread_pool.submit, service.audited_account
    reading = {}
    for li in read.values():
        if any(item.subnet_ids or item.security_group_ids for item in li.items):
            logger.info(f"EC2 - reading the networks of SageMaker in {li.region}...")
            # boto3 makes the clients of one session in one thread only.
            ec2 = service.session.client("ec2", region_name=li.region)
            # Tasks of their own, and not one that waits for others: the pool might be full of such.
            subnet_ids = {subnet_id for item in li.items for subnet_id in item.subnet_ids}
            group_sets = {item.security_group_ids for item in li.items}
            reading[li.region] = (
                submit(read_subnets, ec2, subnet_ids, account),
                submit(read_security_groups, ec2, group_sets, broadest),
            )
    for region, (subnets, groups) in reading.items():
        facts = subnets.result(), groups.result()
        items = tuple(with_network(item, *facts) for item in read[region].items)
        read[region] = replace(read[region], items=items)
    return [read[region] for region in sorted(read)]


def with_network(item: R, subnets: SubnetFacts, groups: GroupFacts) -> R:
    """Return an item with what was read of its network.

    Args:
        item: It.
        subnets: What `read_subnets` gave, for its subnets at least.
        groups: What `read_security_groups` gave, for its set at least.
    """
    named = tuple(subnets[subnet_id] for subnet_id in item.subnet_ids)
    return replace(item, network=Network(named, groups[item.security_group_ids]))


def read_network(
    ec2: Any,
    subnet_ids: Iterable[str],
    group_sets: Iterable[tuple[str, ...]],
    account: str,
    broadest: Broadest = BROADEST,
) -> tuple[SubnetFacts, GroupFacts]:
    """Return what `read_subnets` and `read_security_groups` do, for callers without a pool."""
    return read_subnets(ec2, subnet_ids, account), read_security_groups(ec2, group_sets, broadest)


def read_subnets(ec2: Any, subnet_ids: Iterable[str], account: str) -> SubnetFacts:
    """Read subnets of one region, with the route tables of their VPCs.

    Args:
        ec2: A boto3 EC2 client of the region.
        subnet_ids: The ids of the subnets that are named there.
        account: The account that names them; a subnet of another one is shared with it.

    Returns:
        A `Subnet` for every id. What could not be read is said in its `unread`; no error of AWS is
        raised.
    """
    subnet_ids = set(subnet_ids)
    subnets = describe_all(ec2, "describe_subnets", "Subnets", "SubnetId", "subnet-id", subnet_ids)
    vpc_ids = {s["VpcId"] for s in subnets.items.values() if isinstance(s.get("VpcId"), str)}
    tables = describe_all(
        ec2, "describe_route_tables", "RouteTables", "RouteTableId", "vpc-id", vpc_ids
    )
    route_tables = parse_route_tables(tables)
    located = locate_middleboxes(ec2, middleboxes_to_locate(vpc_ids, route_tables))
    return {
        subnet_id: subnet_facts(subnet_id, subnets, route_tables, account, located)
        for subnet_id in subnet_ids
    }


def locate_middleboxes(ec2: Any, routes: Iterable[TableRoute]) -> Located:
    """Return where middleboxes stand; no routes make no call, which is how it mostly is.

    Args:
        ec2: A boto3 EC2 client of the region.
        routes: Routes to them.
    """
    endpoints, instances, interfaces = set(), set(), set()
    for route in routes:
        if str(route.target).startswith("vpce-"):
            endpoints.add(str(route.target))
        elif route.instance:
            instances.add(route.instance)
        elif str(route.target).startswith("eni-"):
            interfaces.add(str(route.target))

    def describe_interfaces(filter_name: str, values: set[str]) -> Described:
        operation, key, id_key = "network_interfaces", "NetworkInterfaces", "NetworkInterfaceId"
        return describe_all(ec2, f"describe_{operation}", key, id_key, filter_name, values)

    of_instances = describe_interfaces("attachment.instance-id", instances)
    others = describe_interfaces("network-interface-id", interfaces)
    return Located(
        describe_all(
            *(ec2, "describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId"),
            *("vpc-endpoint-id", endpoints),
        ),
        Described(of_instances.items | others.items, of_instances.error or others.error),
    )


def read_security_groups(
    ec2: Any, group_sets: Iterable[tuple[str, ...]], broadest: Broadest
) -> GroupFacts:
    """Read security groups of one region, with the prefix lists that their rules name.

    Args:
        ec2: A boto3 EC2 client of the region.
        group_sets: The ids of the security groups that are named there, those of one model or
            endpoint configuration together, because groups may be open to the internet together.
        broadest: The broadest public range that is still a named source.

    Returns:
        For every set a `SecurityGroup` for each of its ids. What could not be read is said in their
        `unread`; no error of AWS is raised.
    """
    group_sets = set(group_sets)
    group_ids = {group_id for group_set in group_sets for group_id in group_set}
    groups = describe_all(
        ec2, "describe_security_groups", "SecurityGroups", "GroupId", "group-id", group_ids
    )
    prefix_lists = {list_id: read_prefix_list(ec2, list_id) for list_id in prefix_lists_of(groups)}
    return group_facts(group_sets, groups, prefix_lists, broadest)


def describe_all(
    ec2: Any, operation: str, key: str, id_key: str, filter_name: str, values: Iterable[str]
) -> Described:
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
                    item_id = item.get(id_key)
                    if not isinstance(item_id, str) or not item_id:
                        error = MalformedError(f"no {id_key} in one of the {key}")
                    elif items.setdefault(item_id, item) != item:  # one of them would be lost
                        error = MalformedError(f"two {key} have the {id_key} {item_id}")
    # Whatever stops the call becomes the reason of a MANUAL finding: AWS's refusal, a broken
    # connection, or an answer that botocore or this module cannot read.
    except Exception as stopped:
        error = stopped
    return Described(items, error)


def read_prefix_list(ec2: Any, list_id: str) -> PrefixList:
    """Read the entries of a prefix list, whoever manages it: a customer, AWS, another account.

    Args:
        ec2: A boto3 EC2 client.
        list_id: The prefix list, "pl-…".
    """
    blocks: list[str] = []
    error: Exception | None = None
    try:
        for page in ec2.get_paginator("get_managed_prefix_list_entries").paginate(
            PrefixListId=list_id
        ):
            for entry in listed(page, "Entries", "the answer"):
                try:
                    ip_network(entry["Cidr"], strict=False)
                    blocks.append(entry["Cidr"])
                except (KeyError, TypeError, ValueError):
                    error = MalformedError("no Cidr in one of the Entries")
    except Exception as stopped:  # as above
        error = stopped
    return PrefixList(tuple(blocks), error)
