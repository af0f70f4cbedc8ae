"""Properties of the network facts and the verdict, over generated networks.

The oracle decides a subnet another way than the check does: it first marks each route table by
whether a live route leads out, then follows the claims of all tables at once, and never looks at
the check's facts. It is written from "Route tables" and "Internet gateways" in the Amazon VPC User
Guide.
"""

import random
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from checks.sagemaker_models_network_isolation_enabled.lib.facts import Model, Route, Unread
from checks.sagemaker_models_network_isolation_enabled.lib.network import read_network
from checks.sagemaker_models_network_isolation_enabled.lib.verdict import explain, judge

RANK = {"PASS": 2, "MANUAL": 1, "FAIL": 0}
TARGETS = {
    "igw": ("GatewayId", "igw-1"),
    "carrier": ("CarrierGatewayId", "cagw-1"),
    "vpn": ("GatewayId", "vgw-1"),
    "endpoint": ("GatewayId", "vpce-1"),
    "nat": ("NatGatewayId", "nat-1"),
    "egress-only": ("EgressOnlyInternetGatewayId", "eigw-1"),
    "transit": ("TransitGatewayId", "tgw-1"),
    "peering": ("VpcPeeringConnectionId", "pcx-1"),
    "interface": ("NetworkInterfaceId", "eni-1"),
}
OUT = {"igw", "carrier"}
DESTINATIONS = {
    "0.0.0.0/0": "DestinationCidrBlock",
    "128.0.0.0/1": "DestinationCidrBlock",
    "203.0.113.0/24": "DestinationCidrBlock",
    "::/0": "DestinationIpv6CidrBlock",
    "pl-1": "DestinationPrefixListId",
}
BLOCKS = ("0.0.0.0/0", "::/0", "10.0.0.0/8", "0.0.0.0/1", "fd00::/8")


@dataclass(frozen=True)
class Network:
    """A generated network, in EC2's own shapes.

    Attributes:
        subnets: What DescribeSubnets knows.
        tables: What DescribeRouteTables knows.
        groups: What DescribeSecurityGroups knows.
        wanted_subnets: The subnets that the model names.
        wanted_groups: The security groups that it names.
    """

    subnets: list[dict[str, Any]]
    tables: list[dict[str, Any]]
    groups: list[dict[str, Any]]
    wanted_subnets: list[str]
    wanted_groups: list[str]


@st.composite
def route_tables(draw: st.DrawFn, number: int, vpc: str, subnets: list[str]) -> dict[str, Any]:
    routes: list[dict[str, Any]] = [
        {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active"}
    ]
    for destination in draw(st.lists(st.sampled_from(sorted(DESTINATIONS)), unique=True)):
        key, target = TARGETS[draw(st.sampled_from(sorted(TARGETS)))]
        state = draw(st.sampled_from(["active", "blackhole"]))
        routes.append({DESTINATIONS[destination]: destination, key: target, "State": state})
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
    for vpc_number in range(draw(st.integers(1, 3))):
        vpc = f"vpc-{vpc_number}"
        ids = [f"subnet-{vpc_number}{n}" for n in range(draw(st.integers(1, 4)))]
        subnets += [{"SubnetId": i, "VpcId": vpc} for i in ids]
        claimed = draw(st.lists(st.sampled_from(ids), unique=True))
        main = draw(route_tables(len(tables), vpc, []))
        main["Associations"].append({"Main": True, "AssociationState": {"State": "associated"}})
        tables.append(main)
        for one in claimed:
            tables.append(draw(route_tables(len(tables), vpc, [one])))
    groups: list[dict[str, Any]] = []
    for number in range(draw(st.integers(1, 3))):
        rules: dict[str, list[dict[str, Any]]] = {"IpPermissions": [], "IpPermissionsEgress": []}
        for rule_list in rules.values():
            for block in draw(st.lists(st.sampled_from(BLOCKS), unique=True, max_size=2)):
                ranges: dict[str, Any] = {"IpRanges": [], "Ipv6Ranges": []} | (
                    {"Ipv6Ranges": [{"CidrIpv6": block}]}
                    if ":" in block
                    else {"IpRanges": [{"CidrIp": block}]}
                )
                rule_list.append({"IpProtocol": "-1", **ranges})
        groups.append({"GroupId": f"sg-{number}", "VpcId": "vpc-0", **rules})
    known = [s["SubnetId"] for s in subnets]
    wanted = draw(st.lists(st.sampled_from([*known, "subnet-gone"]), unique=True, min_size=1))
    names = [str(g["GroupId"]) for g in groups]
    wanted_groups: list[str] = draw(
        st.lists(st.sampled_from([*names, "sg-gone"]), unique=True, min_size=1)
    )
    return Network(subnets, tables, groups, wanted, wanted_groups)


class Events:
    def register(self, *_: object) -> None:
        """No answer of this client is XML."""


class Meta:
    events = Events()


class EC2:
    """AWS's side: answers describe calls by their filters, in pages, in any order."""

    meta = Meta()

    def __init__(self, network: Network, page: int = 1000, shuffle: int | None = None) -> None:
        self.network, self.page, self.shuffle = network, page, shuffle

    def get_paginator(self, operation: str) -> "EC2":
        self.operation = operation
        return self

    def paginate(self, Filters: list[dict[str, Any]]) -> Any:  # noqa: N803
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


def read(network: Network, isolated: bool = True, **ec2: Any) -> Model:
    """Return the facts of an isolated model in a network, as the check reads them."""
    subnets, groups = read_network(
        EC2(network, **ec2), network.wanted_subnets, network.wanted_groups
    )
    return Model(
        *("m", "arn", "eu-west-1"),
        network_isolation=isolated,
        has_vpc_config=True,
        subnets=tuple(subnets[s] for s in network.wanted_subnets),
        security_groups=tuple(groups[g] for g in network.wanted_groups),
    )


def oracle(network: Network) -> str:
    """Return the status that AWS's definitions give for an isolated model in a network."""
    known = {subnet["SubnetId"]: subnet["VpcId"] for subnet in network.subnets}
    outs = {
        table["RouteTableId"]: any(
            state == "active" and target in ("igw-1", "cagw-1")
            for route in table["Routes"]
            for state in [route["State"]]
            for target in route.values()
        )
        for table in network.tables
    }
    claims = {
        association["SubnetId"]: table["RouteTableId"]
        for table in network.tables
        for association in table["Associations"]
        if not association["Main"]
    }
    mains = {
        table["VpcId"]: table["RouteTableId"]
        for table in network.tables
        for association in table["Associations"]
        if association["Main"]
    }
    everyone = {
        group["GroupId"]
        for group in network.groups
        for rule in group["IpPermissions"]
        if {"0.0.0.0/0", "::/0"}
        & {
            block
            for ranges in ("IpRanges", "Ipv6Ranges")
            for r in rule[ranges]
            for block in r.values()
        }
    }
    there = [s for s in network.wanted_subnets if s in known]
    public = any(outs[claims[s] if s in claims else mains[known[s]]] for s in there)
    if public or everyone & set(network.wanted_groups):
        return "FAIL"
    gone = len(there) < len(network.wanted_subnets) or "sg-gone" in network.wanted_groups
    return "MANUAL" if gone else "PASS"


def status(model: Model, strict: bool = False) -> str:
    return judge(model, fail_on_unrestricted_egress=strict).status


@given(networks())
@settings(max_examples=400, deadline=None)
def test_the_verdict_agrees_with_the_oracle(network: Network) -> None:
    assert status(read(network)) == oracle(network)


@given(networks(), st.integers(1, 5), st.integers())
@settings(max_examples=200, deadline=None)
def test_neither_order_nor_paging_changes_what_is_known(
    network: Network, page: int, seed: int
) -> None:
    assert read(network, page=page, shuffle=seed) == read(network)


@given(networks(), st.data())
@settings(max_examples=200, deadline=None)
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


@given(networks(), st.data())
@settings(max_examples=200, deadline=None)
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
        after = replace(before, subnets=(replace(first, unread=unread), *rest))
    else:
        group, *groups = before.security_groups
        after = replace(before, security_groups=(replace(group, unread=unread), *groups))
    assert status(after) in ("FAIL", "MANUAL")
    assert RANK[status(after)] <= RANK[status(before)]


@given(networks(), st.booleans())
@settings(max_examples=200, deadline=None)
def test_the_text_names_all_that_decides(network: Network, strict: bool) -> None:
    model = read(network)
    verdict = judge(model, fail_on_unrestricted_egress=strict)
    text = explain(model, verdict)
    assert RANK[status(model, True)] <= RANK[status(model, False)]
    for subnet in model.subnets:
        named = subnet.id in text
        assert named or (verdict.status != "PASS" and not subnet.internet_routes)
    for group in model.security_groups:
        if group.open_ingress or group.open_egress or group.unread:
            assert group.id in text
