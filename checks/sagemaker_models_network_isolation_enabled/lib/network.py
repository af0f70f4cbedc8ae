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

from .answers import Described, MalformedError, Partial, each, is_id
from .configuration import read_prefix_limits
from .facts import Listing, Network, R, SecurityGroup, Service, Subnet
from .middleboxes import read_firewalls
from .ranges import PrefixLimits, to_block
from .route_tables import RouteTable, RouteTables, parse_route_tables, table_in_effect
from .security_groups import group_facts, prefix_lists_of
from .subnets import subnet_facts

logger = logging.getLogger(__name__)

_FILTER_VALUES = 200  # the most values that one EC2 filter takes

_SubnetFacts = dict[str, Subnet]
_GroupFacts = dict[tuple[str, ...], tuple[SecurityGroup, ...]]


def with_networks(service: Service, listings: Iterable[Listing[R]]) -> list[Listing[R]]:
    """Return listings, one a region, with the facts of their networks, in the order of regions."""
    read = {li.region: li for li in listings}
    limits = read_prefix_limits(service.audit_config)
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
                submit(_read_subnets, ec2, subnet_ids, account),
                submit(_read_security_groups, ec2, group_sets, limits),
            )
    for region, (subnets, groups) in reading.items():
        of_subnets, of_groups = subnets.result(), groups.result()
        items = []
        for item in read[region].items:
            named = tuple(of_subnets[subnet_id] for subnet_id in item.subnet_ids)
            network = Network(named, of_groups[item.security_group_ids])
            items.append(replace(item, network=network))
        read[region] = replace(read[region], items=tuple(items))
    return [read[region] for region in sorted(read)]


def _read_subnets(ec2: Any, subnet_ids: set[str], account: str) -> _SubnetFacts:
    """Return what is known of subnets that an account names, each by its id."""
    subnets = _describe_all(ec2, "describe_subnets", "Subnets", "SubnetId", "subnet-id", subnet_ids)
    vpc_ids = {s["VpcId"] for s in subnets.items.values() if is_id(s.get("VpcId"), "vpc-")}
    route_tables = "describe_route_tables", "RouteTables", "RouteTableId", "vpc-id"
    tables = parse_route_tables(_describe_all(ec2, *route_tables, vpc_ids))
    endpoints = "describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId", "vpc-endpoint-id"
    firewalls = read_firewalls(
        _tables_of_own(subnets, tables, account),
        tables,
        lambda endpoint_ids: _describe_all(ec2, *endpoints, endpoint_ids),
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


def _read_security_groups(
    ec2: Any, group_sets: set[tuple[str, ...]], limits: PrefixLimits
) -> _GroupFacts:
    """Return what is known of sets of security groups, because those of one item work together."""
    group_ids = {group_id for group_set in group_sets for group_id in group_set}
    named = "describe_security_groups", "SecurityGroups", "GroupId", "group-id"
    groups = _describe_all(ec2, *named, group_ids)
    prefix_lists = {list_id: _read_prefix_list(ec2, list_id) for list_id in prefix_lists_of(groups)}
    return group_facts(group_sets, groups, prefix_lists, limits)


def _describe_all(
    ec2: Any, operation: str, key: str, id_key: str, filter_name: str, values: Iterable[str]
) -> Described:
    """Make one describe call for many ids, in batches and over all pages; none make no call."""
    items: dict[str, dict[str, Any]] = {}
    unequal: set[str] = set()
    error: Exception | None = None
    ordered = sorted(values)
    try:
        for start in range(0, len(ordered), _FILTER_VALUES):
            batch = {"Name": filter_name, "Values": ordered[start : start + _FILTER_VALUES]}
            for item in each(ec2, operation, key, Filters=[batch]):
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


def _read_prefix_list(ec2: Any, list_id: str) -> Partial[str]:
    """Read the entries of a prefix list, whoever manages it: a customer, AWS, another account."""
    blocks: list[str] = []
    error: Exception | None = None
    try:
        operation = "get_managed_prefix_list_entries"
        for entry in each(ec2, operation, "Entries", PrefixListId=list_id):
            if isinstance(block := entry.get("Cidr"), str) and to_block(block):
                blocks.append(block)
            else:
                error = MalformedError("no Cidr in one of the Entries")
    except Exception as stopped:  # as above
        error = stopped
    return Partial(tuple(blocks), error)
