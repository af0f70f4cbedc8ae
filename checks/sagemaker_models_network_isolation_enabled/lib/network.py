"""EC2's side: the subnets and security groups that models name, in three batched calls a region.

Prowler's `vpc_client` is not the source. For a subnet without an association of its own it looks
at the main route tables of all VPCs, it misses routes to a gateway that are narrower than the
default, and it makes a call a subnet.

Filters are used and not id parameters, because an id parameter fails the whole call when one id is
gone. Where a security group names prefix lists there is one more call for each list; where the way
out of subnets leads to firewalls there is one for their endpoints, and for those behind them.
"""

import logging
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

from .answers import Described, MalformedError, Partial, is_id, listed
from .configuration import read_broadest_sources
from .facts import Listing, Network, R, SecurityGroup, Subnet
from .middleboxes import read_firewalls
from .ranges import BROADEST, Broadest, to_block
from .route_tables import RouteTable, RouteTables, parse_route_tables, table_in_effect
from .security_groups import group_facts, prefix_lists_of
from .subnets import subnet_facts

logger = logging.getLogger(__name__)

_FILTER_VALUES = 200  # the most values that one EC2 filter takes

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
    vpc_ids = {s["VpcId"] for s in subnets.items.values() if is_id(s.get("VpcId"), "vpc-")}
    tables = parse_route_tables(
        describe_all(ec2, "describe_route_tables", "RouteTables", "RouteTableId", "vpc-id", vpc_ids)
    )
    endpoints = "describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId", "vpc-endpoint-id"
    firewalls = read_firewalls(
        _tables_of_own(subnets, tables, account),
        tables,
        lambda endpoint_ids: describe_all(ec2, *endpoints, endpoint_ids),
    )
    return {
        subnet_id: subnet_facts(subnet_id, subnets, tables, account, firewalls)
        for subnet_id in subnet_ids
    }


def _tables_of_own(
    subnets: Described, tables: RouteTables, account: str
) -> Iterator[tuple[str, RouteTable]]:
    """Yield the VPC and the route table of each subnet that is not shared, where it is known."""
    for subnet_id, subnet in subnets.items.items():
        if subnet.get("OwnerId") == account and is_id(subnet.get("VpcId"), "vpc-"):
            with suppress(Exception):  # which `subnet_facts` meets again, and says
                yield subnet["VpcId"], table_in_effect(subnet_id, subnet["VpcId"], tables)


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
        The items read, the error that kept the rest from being read, and the ids that were
        answered in two ways.
    """
    items: dict[str, dict[str, Any]] = {}
    unequal: set[str] = set()
    error: Exception | None = None
    ordered = sorted(values)
    try:
        for start in range(0, len(ordered), _FILTER_VALUES):
            batch = ordered[start : start + _FILTER_VALUES]
            for page in ec2.get_paginator(operation).paginate(
                Filters=[{"Name": filter_name, "Values": batch}]
            ):
                for item in listed(page, key, "the answer"):
                    item_id = item.get(id_key)
                    if not isinstance(item_id, str) or not item_id:
                        error = MalformedError(f"no {id_key} in one of the {key}")
                    elif items.setdefault(item_id, item) != item:
                        unequal.add(item_id)
    # Whatever stops the call becomes the reason of a MANUAL finding: AWS's refusal, a broken
    # connection, or an answer that botocore or this module cannot read.
    except Exception as stopped:
        error = stopped
    once = {item_id: item for item_id, item in items.items() if item_id not in unequal}
    return Described(once, error, frozenset(unequal))


def read_prefix_list(ec2: Any, list_id: str) -> Partial[str]:
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
                if isinstance(block := entry.get("Cidr"), str) and to_block(block):
                    blocks.append(block)
                else:
                    error = MalformedError("no Cidr in one of the Entries")
    except Exception as stopped:  # as above
        error = stopped
    return Partial(tuple(blocks), error)
