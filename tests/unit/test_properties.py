"""Properties of the network facts and the verdict, over generated networks.

The oracle decides in another way than the check does, and never looks at the check's facts. For a
subnet it first marks each route table by whether a live route leads out, then follows the claims of
all tables at once; for security groups it asks at each port which addresses are admitted, as
intervals of numbers. It is written from "Route tables", "Internet gateways" and "Gateway route
tables" in the Amazon VPC User Guide, and "The meaning of public" in the Amazon S3 User Guide.
"""

import copy
import functools
import random
from dataclasses import asdict, dataclass, replace
from ipaddress import ip_network
from typing import Any

import pytest
from checks.sagemaker_models_network_isolation_enabled.lib.verdict import judge
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.sagemaker_models_network_isolation_enabled.lib.facts import (
    Model,
    Route,
    SecurityGroup,
    Unread,
)
from checks.sagemaker_models_network_isolation_enabled.lib.findings import explain
from checks.sagemaker_models_network_isolation_enabled.lib.network import read_network
from prowler_sagemaker_network_isolation.cli.causes import Cause, causes_of, unread_of

pytestmark = pytest.mark.untraced
RANK = {"PASS": 2, "MANUAL": 1, "FAIL": 0}
TARGETS: dict[str, dict[str, Any]] = {
    "igw": {"GatewayId": "igw-1"},
    "inspected": {"GatewayId": "igw-1", "IgwFirewall": {"Status": "outbound-only"}},
    "carrier": {"CarrierGatewayId": "cagw-1"},
    "vpn": {"GatewayId": "vgw-1"},
    "endpoint": {"GatewayId": "vpce-1"},
    "nat": {"NatGatewayId": "nat-1"},
    "egress-only": {"EgressOnlyInternetGatewayId": "eigw-1"},
    "transit": {"TransitGatewayId": "tgw-1"},
    "peering": {"VpcPeeringConnectionId": "pcx-1"},
    "interface": {"NetworkInterfaceId": "eni-1", "InstanceId": "i-1"},
    "its other interface": {"NetworkInterfaceId": "eni-2", "InstanceId": "i-1"},
    "lattice": {"GatewayId": "VpcLattice"},
    "new": {"GatewayId": "newgw-1"},
    "advertised": {"Origin": "Advertisement", "IpAddress": "10.0.9.5"},
}
# The middleboxes, by the names that stand in a route to them.
MIDDLEBOXES = {"vpce-1": "endpoint", "i-1": "appliance", "10.0.9.5": "address"}
EDGE_TARGETS = ("endpoint", "interface", "its other interface", "advertised", "new", "lattice")
DESTINATIONS = {
    "0.0.0.0/0": "DestinationCidrBlock",
    "128.0.0.0/1": "DestinationCidrBlock",
    "203.0.113.0/24": "DestinationCidrBlock",
    "::/0": "DestinationIpv6CidrBlock",
    "pl-1": "DestinationPrefixListId",
}
PRIVATE = ("10.0.0.0/8", "10.0.0.0/9", "172.16.0.0/12", "224.0.0.0/4", "fd00::/8", "fc00::/7")
BLOCKS = (
    *PRIVATE,
    *("0.0.0.0/0", "::/0", "0.0.0.0/1", "10.0.0.0/7", "2000::/3", "11.0.0.0/8", "1.2.3.4/32"),
    *("12.0.0.0/8", "12.0.0.0/9", "12.128.0.0/9", "13.0.0.0/8", "14.0.0.0/8", "15.0.0.0/8"),
    *("2600::/32", "2600:1::/32", "2600:2::/32", "2600:1::/33", "2600:1:8000::/33"),
)
# Both ends of the rules' ports, and what lies between; -1 is all traffic.
PORTS = {"22": ("tcp", 22, 22), "20-30": ("tcp", 20, 30), "30-40": ("tcp", 30, 40)} | {
    "udp": ("udp", 22, 22),
    "all": ("-1", None, None),
}


@dataclass(frozen=True)
class Network:
    """A generated network, in EC2's own shapes.

    Attributes:
        subnets: What DescribeSubnets knows.
        tables: What DescribeRouteTables knows.
        groups: What DescribeSecurityGroups knows.
        prefix_lists: What GetManagedPrefixListEntries knows; None where it is refused.
        stands: In which subnet each middlebox stands; None where that is not known.
        address_of_appliance: Whether the address is one of the appliance's.
        wanted_subnets: The subnets that the model names.
        wanted_groups: The security groups that it names.
    """

    subnets: list[dict[str, Any]]
    tables: list[dict[str, Any]]
    groups: list[dict[str, Any]]
    prefix_lists: dict[str, list[str] | None]
    stands: dict[str, str | None]
    address_of_appliance: bool
    wanted_subnets: list[str]
    wanted_groups: list[str]


# Hypothesis looks anew at a strategy that is made anew, which takes longer than to draw from it.
STATES = st.sampled_from(["active", "blackhole"])
TABLES_TARGETS = st.sampled_from(sorted(TARGETS))
TABLES_DESTINATIONS = st.lists(st.sampled_from(sorted(DESTINATIONS)), unique=True)
HANDED_ON = st.sampled_from([*EDGE_TARGETS[:4]])
EDGES_TARGETS = st.sampled_from(EDGE_TARGETS)
ENTRIES = st.none() | st.lists(st.sampled_from(BLOCKS), max_size=3)
PREFIX_LISTS = ("pl-1", "pl-2")
OF_A_RULE = st.lists(st.sampled_from([*BLOCKS, *PREFIX_LISTS]), min_size=1, max_size=3)
OF_RULES = st.lists(OF_A_RULE, max_size=3)
RULES_PORTS = st.sampled_from(sorted(PORTS))
ONE_TO = {most: st.integers(1, most) for most in (3, 4)}


@functools.cache
def some_of(*things: str, unique: bool = True, at_least: int = 0) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(things), unique=unique, min_size=at_least)


@st.composite
def route_tables(draw: st.DrawFn, number: int, vpc: str, subnets: list[str]) -> dict[str, Any]:
    routes: list[dict[str, Any]] = [
        {
            "DestinationCidrBlock": f"10.{vpc.partition('-')[2]}.0.0/16",
            "GatewayId": "local",
            "State": "active",
        }
    ]
    for destination in draw(TABLES_DESTINATIONS):
        target = TARGETS[draw(TABLES_TARGETS)]
        state = draw(STATES)
        routes.append({DESTINATIONS[destination]: destination, **target, "State": state})
    return {
        "RouteTableId": f"rtb-{number}",
        "VpcId": vpc,
        "Routes": routes,
        "Associations": [
            {"Main": False, "SubnetId": s, "AssociationState": {"State": "associated"}}
            for s in subnets
        ],
    }


@st.composite
def networks(draw: st.DrawFn) -> Network:
    subnets: list[dict[str, Any]] = []
    tables: list[dict[str, Any]] = []
    for vpc_number in range(draw(ONE_TO[3])):
        vpc = f"vpc-{vpc_number}"
        ids = [f"subnet-{vpc_number}{n}" for n in range(draw(ONE_TO[4]))]
        blocks = {i: f"10.{vpc_number}.{n}.0/24" for n, i in enumerate(ids)}
        subnets += [{"SubnetId": i, "VpcId": vpc, "CidrBlock": blocks[i]} for i in ids]
        claimed = draw(some_of(*ids))
        main = draw(route_tables(len(tables), vpc, []))
        main["Associations"].append({"Main": True, "AssociationState": {"State": "associated"}})
        tables.append(main)
        for one in claimed:
            tables.append(draw(route_tables(len(tables), vpc, [one])))
            # A middlebox's subnet may hand on what comes in for others.
            tables[-1]["Routes"] += [
                {"DestinationCidrBlock": block, **TARGETS[draw(HANDED_ON)], "State": "active"}
                for block in draw(some_of(*blocks.values()))
            ]
        edge = draw(route_tables(len(tables), vpc, []))
        edge["Associations"].append({"Main": False, "GatewayId": "igw-1"})
        edge["Associations"].append({"Main": False, "PublicIpv4Pool": "ipv4pool-ec2-1"})
        edge["Routes"] = [
            {"DestinationCidrBlock": block, **TARGETS[target], "State": state}
            for block in draw(some_of(f"10.{vpc_number}.0.0/16", *blocks.values(), unique=False))
            for target in [draw(EDGES_TARGETS)]
            for state in [draw(STATES)]
        ]
        edge["Routes"] = list({r["DestinationCidrBlock"]: r for r in edge["Routes"]}.values())
        tables.append(edge)
    prefix_lists: dict[str, list[str] | None] = {name: draw(ENTRIES) for name in PREFIX_LISTS}
    groups: list[dict[str, Any]] = []
    for number in range(draw(ONE_TO[3])):
        rules: dict[str, list[dict[str, Any]]] = {"IpPermissions": [], "IpPermissionsEgress": []}
        for rule_list in rules.values():
            for of_rule in draw(OF_RULES):
                protocol, first, last = PORTS[draw(RULES_PORTS)]
                ports = {} if first is None else {"FromPort": first, "ToPort": last}
                rule_list.append(
                    {
                        "IpProtocol": protocol,
                        **ports,
                        "IpRanges": [{"CidrIp": e} for e in of_rule if "." in e],
                        "Ipv6Ranges": [{"CidrIpv6": e} for e in of_rule if ":" in e],
                        "PrefixListIds": [{"PrefixListId": e} for e in of_rule if "pl-" in e],
                    }
                )
        groups.append({"GroupId": f"sg-{number}", "VpcId": "vpc-0", **rules})
    known = [s["SubnetId"] for s in subnets]
    wanted = draw(some_of(*known, "subnet-gone", at_least=1))
    names = [str(g["GroupId"]) for g in groups]
    wanted_groups = draw(some_of(*names, "sg-gone", at_least=1))
    stands = {name: draw(st.none() | st.sampled_from(known)) for name in ("endpoint", "appliance")}
    own_address = draw(st.booleans())
    return Network(
        *(subnets, tables, groups, prefix_lists, stands, own_address, wanted, wanted_groups)
    )


class EC2:
    """AWS's side: answers describe calls by their filters, in pages, in any order."""

    def __init__(self, network: Network, page: int = 1000, shuffle: int | None = None) -> None:
        self.network, self.page, self.shuffle = network, page, shuffle

    def get_paginator(self, operation: str) -> "EC2":
        self.operation = operation
        return self

    def paginate(
        self,
        Filters: list[dict[str, Any]] | None = None,  # noqa: N803
        PrefixListId: str = "",  # noqa: N803
    ) -> Any:
        if not Filters:
            entries = self.network.prefix_lists[PrefixListId]
            if entries is None:
                raise RuntimeError("refused")
            return [{"Entries": [{"Cidr": entry}]} for entry in entries]
        return self.described(Filters)

    def described(self, Filters: list[dict[str, Any]]) -> Any:  # noqa: N803
        if self.operation == "describe_vpc_endpoints":
            yield {"VpcEndpoints": self.endpoints()}
            return
        if self.operation == "describe_network_interfaces":
            yield {"NetworkInterfaces": self.interfaces()}
            return
        key, field, items = {
            "describe_subnets": ("Subnets", "SubnetId", self.network.subnets),
            "describe_route_tables": ("RouteTables", "VpcId", self.network.tables),
            "describe_security_groups": ("SecurityGroups", "GroupId", self.network.groups),
        }[self.operation]
        found = [item for item in items if item[field] in Filters[0]["Values"]]
        if self.shuffle is not None:
            random.Random(self.shuffle).shuffle(found)
        for start in range(0, max(len(found), 1), self.page):
            yield {key: found[start : start + self.page]}

    def endpoints(self) -> list[dict[str, Any]]:
        subnet = self.network.stands["endpoint"]
        return [{"VpcEndpointId": "vpce-1", "SubnetIds": [subnet]}] if subnet else []

    def interfaces(self) -> list[dict[str, Any]]:
        subnet, instance = self.network.stands["appliance"], {"InstanceId": "i-1"}
        address = "10.0.9.5" if self.network.address_of_appliance else "10.0.9.6"
        found: list[dict[str, Any]] = [
            {"NetworkInterfaceId": name, "SubnetId": subnet, "Attachment": instance}
            for name in ("eni-1", "eni-2")
        ]
        found[1]["PrivateIpAddresses"] = [{"PrivateIpAddress": address}]
        return found if subnet else []


def read(network: Network, isolated: bool = True, **ec2: Any) -> Model:
    """Return the facts of an isolated model in a network, as the check reads them."""
    group_set = tuple(network.wanted_groups)
    subnets, groups = read_network(EC2(network, **ec2), network.wanted_subnets, [group_set], "1")
    return Model(
        *("m", "arn", "eu-west-1"),
        network_isolation=isolated,
        has_vpc_config=True,
        subnets=tuple(subnets[s] for s in network.wanted_subnets),
        security_groups=groups[group_set],
    )


# What is not the internet, by IANA's special-purpose registries, as spans of numbers.
SPECIAL = [
    (int(network.network_address), int(network.broadcast_address) + 1, network.max_prefixlen)
    for network in map(
        ip_network,
        (
            *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
            *(
                "172.16.0.0/12",
                "192.168.0.0/16",
                "224.0.0.0/3",
                "fc00::/7",
                "fe80::/10",
                "ff00::/8",
            ),
        ),
    )
]


def reaches_the_internet(admitted: list[str]) -> bool:
    """Return whether blocks admit a range of the internet that AWS calls public.

    That is a block broader than a /8 or an IPv6 /32 that is not private, or a range without a gap
    in the union of all blocks that has more public addresses than a /8 or an IPv6 /32.
    """
    for bits, named in ((32, 24), (128, 96)):
        blocks = [ip_network(b) for b in admitted if ip_network(b).max_prefixlen == bits]
        if any(b.prefixlen < bits - named and str(b) not in PRIVATE for b in blocks):
            return True
        # The private IPv6 blocks here lie apart from all others.
        joinable = [b for b in blocks if bits == 32 or str(b) not in PRIVATE]
        spans = sorted((int(b.network_address), int(b.broadcast_address) + 1) for b in joinable)
        union: list[list[int]] = []
        for start, end in spans:
            if union and start <= union[-1][1]:
                union[-1][1] = max(union[-1][1], end)
            else:
                union.append([start, end])
        for start, end in union:
            special = sum(
                max(0, min(last, end) - max(begin, start))
                for begin, last, of in SPECIAL
                if of == bits
            )
            if end - start - special > 2**named:
                return True
    return False


def open_groups(network: Network, direction: str) -> bool:
    """Return whether the wanted groups together are open at any port."""
    rules = [
        rule
        for group in network.groups
        if group["GroupId"] in network.wanted_groups
        for rule in group[direction]
    ]
    for protocol in ("tcp", "udp"):
        for port in (20, 22, 25, 30, 35, 40):
            admitted = []
            for rule in rules:
                at_port = rule.get("FromPort", 0) <= port <= rule.get("ToPort", 65535)
                if rule["IpProtocol"] == "-1" or (rule["IpProtocol"] == protocol and at_port):
                    admitted += [r["CidrIp"] for r in rule["IpRanges"]]
                    admitted += [r["CidrIpv6"] for r in rule["Ipv6Ranges"]]
                    for named in rule["PrefixListIds"]:
                        admitted += network.prefix_lists[named["PrefixListId"]] or []
            if reaches_the_internet(admitted):
                return True
    return False


def oracle(network: Network) -> str:
    """Return the status that AWS's definitions give for an isolated model in a network."""
    known = {subnet["SubnetId"]: subnet for subnet in network.subnets}
    outs = {
        table["RouteTableId"]: any(
            state == "active" and target in ("igw-1", "cagw-1")
            for route in table["Routes"]
            for state in [route["State"]]
            for target in route.values()
        )
        for table in network.tables
    }
    strange = {
        table["RouteTableId"]: any(
            route["State"] == "active" and "newgw-1" in route.values() for route in table["Routes"]
        )
        for table in network.tables
    }
    # To which middleboxes a table sends traffic for the internet, and by which destinations.
    sends = {
        table["RouteTableId"]: {
            (middlebox, destination)
            for route in table["Routes"]
            for name, middlebox in MIDDLEBOXES.items()
            for destination, key in DESTINATIONS.items()
            if route["State"] == "active" and name in route.values()
            if route.get(key) == destination
        }
        for table in network.tables
    }
    claims = {
        association["SubnetId"]: table["RouteTableId"]
        for table in network.tables
        for association in table["Associations"]
        if "SubnetId" in association
    }
    mains = {
        table["VpcId"]: table["RouteTableId"]
        for table in network.tables
        for association in table["Associations"]
        if association["Main"]
    }
    edges = {
        table["VpcId"]: {route["DestinationCidrBlock"]: route for route in table["Routes"]}
        for table in network.tables
        for association in table["Associations"]
        if "GatewayId" in association
    }

    in_vpc = {table["RouteTableId"]: table["VpcId"] for table in network.tables}
    routes_of = {table["RouteTableId"]: table["Routes"] for table in network.tables}

    def table_of(subnet: str, vpc: str) -> str:
        claimed = claims.get(subnet)
        return str(claimed if claimed and in_vpc[claimed] == vpc else mains[vpc])

    def hands_on(middlebox: str, vpc: str, block: str | None) -> set[str]:
        """Return to what a middlebox hands on what goes out, or what comes in for a block."""
        subnet = network.stands.get(middlebox)
        if subnet is None:
            return {"nobody knows"}
        table = table_of(subnet, vpc)
        if block is None:
            found = {m for m, to in sends[table] if to != "pl-1"}
            return found | (
                {"nobody knows"} if {to for _, to in sends[table]} & {"pl-1"} else set()
            )
        return {
            m
            for route in routes_of[table]
            for name, m in MIDDLEBOXES.items()
            if name in route.values() and route["State"] == "active"
            if route.get("DestinationCidrBlock") == block
        } | {"nobody knows" for m, to in sends[table] if to == "pl-1"}

    def closure(start: str, vpc: str, block: str | None) -> tuple[set[str], set[str]]:
        """Return the middleboxes that are passed on the way, and those that are led to."""
        passed, led_to = {start}, set()
        for _ in range(len(MIDDLEBOXES)):
            new = {m for at in passed - {"nobody knows"} for m in hands_on(at, vpc, block)}
            led_to |= new
            passed |= new
        return passed, led_to

    def of_two(first: str, second: str, vpc: str, block: str) -> str | None:
        """Return what two middleboxes, towards the subnet and the gateway, make of a subnet."""
        if {first, second} == {"appliance", "address"}:
            if network.stands["appliance"] is None:
                return "MANUAL"
            if network.address_of_appliance:
                return "FAIL"
        elif not any(
            route.get("DestinationCidrBlock") == block and name in route.values()
            for table in network.tables
            if table["VpcId"] == vpc and table is not edge_of[vpc]
            if table["RouteTableId"] != table_of(subnet_of[block], vpc)
            for route in table["Routes"]
            for name, m in MIDDLEBOXES.items()
            if m == first
        ):
            return None
        out, leads_out = closure(first, vpc, None)
        back, leads_in = closure(second, vpc, block)
        if second in leads_out or first in leads_in:
            return "FAIL"
        if "nobody knows" in out | back:
            return "MANUAL"
        by = {table_of(str(network.stands[m]), vpc) for m in out}
        return "MANUAL" if any(outs[table] for table in by) else None

    edge_of = {
        table["VpcId"]: table
        for table in network.tables
        for association in table["Associations"]
        if "GatewayId" in association
    }
    subnet_of = {subnet["CidrBlock"]: subnet["SubnetId"] for subnet in network.subnets}

    def statuses(subnet: dict[str, Any]) -> set[str]:
        vpc, block = subnet["VpcId"], subnet["CidrBlock"]
        table = claims.get(subnet["SubnetId"], mains[vpc])
        whole_vpc = block.rsplit(".", 2)[0] + ".0.0/16"
        comes_in_by = edges[vpc].get(block) or edges[vpc].get(whole_vpc) or {}
        if comes_in_by.get("State") != "active":
            comes_in_by = {}
        incoming = {m for name, m in MIDDLEBOXES.items() if name in comes_in_by.values()}
        found = {"FAIL"} if outs[table] else set()
        if strange[table]:
            found.add("MANUAL")
        for middlebox, destination in sends[table]:
            if "newgw-1" in comes_in_by.values():
                found.add("MANUAL")
            elif ":" in destination:
                continue
            elif incoming == {middlebox}:
                # A prefix list may or may not be the internet: EC2 does not give its entries here.
                found.add("MANUAL" if destination == "pl-1" else "FAIL")
            elif incoming:
                (second,) = incoming
                made = of_two(middlebox, second, vpc, block)
                if made:
                    found.add("MANUAL" if destination == "pl-1" else made)
        return found

    there = [s for s in network.wanted_subnets if s in known]
    of_subnets = {status for s in there for status in statuses(known[s])}
    if "FAIL" in of_subnets or open_groups(network, "IpPermissions"):
        return "FAIL"
    gone = len(there) < len(network.wanted_subnets) or "sg-gone" in network.wanted_groups
    refused = any(
        network.prefix_lists[named["PrefixListId"]] is None
        for group in network.groups
        if group["GroupId"] in network.wanted_groups
        for rule in group["IpPermissions"]
        for named in rule["PrefixListIds"]
    )
    return "MANUAL" if of_subnets or gone or refused else "PASS"


def status(model: Model, strict: bool = False) -> str:
    return judge(model, fail_on_unrestricted_egress=strict).status


@given(networks())
@settings(max_examples=400, deadline=None, derandomize=True)
def test_the_verdict_agrees_with_the_oracle(network: Network) -> None:
    assert status(read(network)) == oracle(network)


@pytest.mark.slow
@given(networks(), st.data())
@settings(max_examples=200, deadline=None, derandomize=True)
def test_a_rule_in_halves_is_the_same_rule(network: Network, data: st.DataObject) -> None:
    """But for a block that is private in part, which AWS judges as it is written."""
    rules = [rule for group in network.groups for rule in group["IpPermissions"]]
    whole = [(r, i) for r in rules for i in r["IpRanges"] if i["CidrIp"] != "10.0.0.0/7"]
    before = read(network)
    if whole:
        rule, item = data.draw(st.sampled_from(whole))
        rule["IpRanges"].remove(item)
        block = ip_network(item["CidrIp"])
        for half in block.subnets() if block.prefixlen < 32 else [block]:
            rule["IpRanges"].append({"CidrIp": str(half)})
    assert status(read(network)) == status(before)


@pytest.mark.slow
@given(networks(), st.integers(1, 5), st.integers())
@settings(max_examples=200, deadline=None, derandomize=True)
def test_neither_order_nor_paging_changes_what_is_known(
    network: Network, page: int, seed: int
) -> None:
    assert read(network, page=page, shuffle=seed) == read(network)


@pytest.mark.slow
@given(networks(), st.data())
@settings(max_examples=200, deadline=None, derandomize=True)
def test_an_added_violation_makes_no_verdict_better(network: Network, data: st.DataObject) -> None:
    before = read(network)
    kind = data.draw(st.sampled_from(["isolation", "route", "rule", "subnet"]))
    after = before
    if kind == "isolation":
        after = replace(before, network_isolation=False)
    elif kind == "rule":
        first, *rest = before.security_groups
        opened = replace(first, open_ingress=(*first.open_ingress, "all traffic from ::/0"))
        after = replace(before, security_groups=(opened, *rest))
    elif kind == "route":
        first_subnet, *others = before.subnets
        route = Route("0.0.0.0/0", "igw-2")
        exposed = replace(first_subnet, internet_routes=(*first_subnet.internet_routes, route))
        after = replace(before, subnets=(exposed, *others))
    else:
        after = replace(before, security_groups=())
    assert status(after) == "FAIL"
    assert RANK[status(after)] <= RANK[status(before)]


@pytest.mark.slow
@given(networks(), st.data())
@settings(max_examples=200, deadline=None, derandomize=True)
def test_a_fact_that_becomes_unknown_makes_no_verdict_better(
    network: Network, data: st.DataObject
) -> None:
    """Unless the fact was the violation itself, which is then not known any more."""
    before = read(network)
    unread = Unread("it", "AccessDenied", "ec2:Describe", "allow it")
    kind = data.draw(st.sampled_from(["isolation", "subnet", "group"]))
    if kind == "isolation":
        after = replace(before, network_isolation=None, unread=(unread,))
    elif kind == "subnet":
        first, *rest = before.subnets
        after = replace(before, subnets=(replace(first, unread=(unread,)), *rest))
    else:
        group, *groups = before.security_groups
        after = replace(before, security_groups=(replace(group, unread=(unread,)), *groups))
    assert status(after) in ("FAIL", "MANUAL")
    assert RANK[status(after)] <= RANK[status(before)]


@pytest.mark.slow
@given(networks(), st.booleans())
@settings(max_examples=200, deadline=None, derandomize=True)
def test_the_text_names_all_that_decides(network: Network, strict: bool) -> None:
    model = read(network)
    verdict = judge(model, fail_on_unrestricted_egress=strict)
    text = explain(model, verdict)
    assert RANK[status(model, True)] <= RANK[status(model, False)]
    for subnet in model.subnets:
        named = subnet.id in text
        public = subnet.internet_routes or subnet.middlebox_routes
        assert named or (verdict.status != "PASS" and not public)
    for group in model.security_groups:
        if group.open_ingress or group.open_egress or group.unread:
            assert group.id in text


def mended(network: Network, cause: Cause) -> Network:
    """Return a network without the routes or rules of a cause, and otherwise the same."""
    network = copy.deepcopy(network)
    destinations = {detail.partition(" to ")[0] for detail in cause.details}
    for table in network.tables:
        if cause.thing == f"route table {table['RouteTableId']}":
            table["Routes"] = [
                r for r in table["Routes"] if not destinations.intersection(map(str, r.values()))
            ]
    ends = {detail.partition(" (")[0] for detail in cause.details}

    def is_named(end: str) -> bool:
        return any(f" {text}".endswith(f" {end}") for text in ends)

    for group in network.groups:
        is_meant = cause.thing.startswith("security group") and group["GroupId"] in cause.thing
        for direction, word in (("IpPermissions", "from"), ("IpPermissionsEgress", "to")):
            for rule in group[direction] if is_meant else ():
                for kind, key in (("IpRanges", "CidrIp"), ("Ipv6Ranges", "CidrIpv6")):
                    rule[kind] = [
                        item for item in rule[kind] if not is_named(f"{word} {item[key]}")
                    ]
                rule["PrefixListIds"] = [
                    item
                    for item in rule["PrefixListIds"]
                    for name in [item["PrefixListId"]]
                    if not any(
                        is_named(f"{word} {entry} of prefix list {name}")
                        for entry in network.prefix_lists[name] or ()
                    )
                ]
            kinds = ("IpRanges", "Ipv6Ranges", "PrefixListIds")
            group[direction] = [r for r in group[direction] if any(r[kind] for kind in kinds)]
    return network


@pytest.mark.slow
@pytest.mark.parametrize("part", ["subnets", "groups"])
@given(network=networks(), strict=st.booleans())
@settings(max_examples=150, deadline=None, derandomize=True)
def test_a_model_would_pass_without_its_one_cause_and_no_other_would(
    network: Network, part: str, strict: bool
) -> None:
    """What `sagemaker-isolation report` says, against the verdict after the change."""

    def facts(network: Network) -> Model:
        if part == "subnets":
            return replace(read(network), security_groups=(SecurityGroup("sg-closed"),))
        return replace(read(network), subnets=())

    model = facts(network)
    verdict = judge(model, strict)
    if verdict.status != "FAIL":
        return
    text = explain(model, verdict)
    causes = causes_of(asdict(model), text)
    would_pass = len(causes) == 1 and not unread_of(asdict(model), text)
    for cause in causes:
        after = judge(facts(mended(network, cause)), strict)
        assert (after.status == "PASS") == would_pass, (cause, text)
