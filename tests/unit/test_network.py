"""The network facts as tables: what AWS answers, and what is known from it."""

import copy
from collections.abc import Iterable, Iterator
from dataclasses import replace
from ipaddress import IPv4Network, ip_network
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from checks.sagemaker_models_network_isolation_enabled.lib import network
from checks.sagemaker_models_network_isolation_enabled.lib.answers import MalformedError
from checks.sagemaker_models_network_isolation_enabled.lib.facts import (
    MiddleboxRoute,
    OpenRule,
    Route,
    SecurityGroup,
    Subnet,
    Unread,
)
from checks.sagemaker_models_network_isolation_enabled.lib.ranges import (
    PREFIX_LIMITS,
    Permission,
    open_permissions,
)

ACCOUNT, OTHER = "123456789012", "999999999999"
ALL, BLOCK, BLOCK6 = "0.0.0.0/0", "10.0.1.0/24", "2600:1f00:0:1::/64"
READ, UNDERSTOOD, FOUND = (f"could not be {what}" for what in ("read", "understood", "found"))
GONE = "it was deleted, or is no longer shared with this account; check with {}"
AGAIN = "scan again, or check with {}"
TABLES, SUBNETS = "ec2:DescribeRouteTables", "ec2:DescribeSubnets"
GROUPS, ENDPOINTS = "ec2:DescribeSecurityGroups", "ec2:DescribeVpcEndpoints"
ENTRIES = "ec2:GetManagedPrefixListEntries"
KEYS = {
    "describe_subnets": ("Subnets", "SubnetId"),
    "describe_route_tables": ("RouteTables", "VpcId"),
    "describe_security_groups": ("SecurityGroups", "GroupId"),
    "describe_vpc_endpoints": ("VpcEndpoints", "VpcEndpointId"),
}


class EC2:
    """AWS's side: answers each describe call with given items, in pages of one, or raises."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.asked: list[tuple[str, str, int]] = []

    def get_paginator(self, operation: str) -> "EC2":
        self.operation = operation
        return self

    def paginate(
        self,
        Filters: list[dict[str, Any]] | None = None,  # noqa: N803
        PrefixListId: str = "",  # noqa: N803
    ) -> Any:
        if not Filters:
            assert self.operation == "get_managed_prefix_list_entries"
            self.asked.append(("Entries", PrefixListId, 1))
            for entry in self.answers[PrefixListId]:
                if isinstance(entry, Exception):
                    raise entry
                yield {"Entries": [entry if isinstance(entry, dict) else {"Cidr": entry}]}
            return
        key, id_key = KEYS[self.operation]
        self.asked.append((key, Filters[0]["Name"], len(Filters[0]["Values"])))
        for item in self.answers.get(key, []):
            if isinstance(item, Exception):
                raise item
            if key != "VpcEndpoints" or item[id_key] in Filters[0]["Values"]:
                yield {key: [item]}


def read_network(
    ec2: Any, subnet_ids: Iterable[str], group_sets: Iterable[tuple[str, ...]]
) -> tuple[dict[str, Subnet], dict[tuple[str, ...], tuple[SecurityGroup, ...]]]:
    """Return what the check knows of subnets and of sets of security groups."""
    return (
        network._read_subnets(ec2, set(subnet_ids), ACCOUNT),
        network._read_security_groups(ec2, set(group_sets), PREFIX_LIMITS),
    )


PREFIXES = {"nat-": "NatGatewayId", "eni-": "NetworkInterfaceId", "i-": "InstanceId"} | {
    "cagw-": "CarrierGatewayId"
}
IN = {"SubnetId": "subnet-1", "VpcId": "vpc-1", "CidrBlock": BLOCK, "OwnerId": ACCOUNT}
DUAL = {**IN, "Ipv6CidrBlockAssociationSet": [{"Ipv6CidrBlock": BLOCK6}]}
SHARED = {**IN, "OwnerId": OTHER}


def to(target: str, destination: str = ALL, key: str | None = None, **route: Any) -> Any:
    """Return a live route, whose members follow from the target's prefix and the destination."""
    kind = {":": "Ipv6CidrBlock", "pl-": "PrefixListId"}
    kinds = (kind[sign] for sign in kind if sign in destination)
    prefixes = (name for prefix, name in PREFIXES.items() if target.startswith(prefix))
    key = key or next(prefixes, "GatewayId")
    made = {f"Destination{next(kinds, 'CidrBlock')}": destination, key: target, "State": "active"}
    return {name: value for name, value in (made | route).items() if value is not None}


def table(number: int, *routes: Any, vpc: str | None = "vpc-1", **association: Any) -> Any:
    """Return a route table with a local route, and one association where it is given."""
    made = {
        "RouteTableId": f"rtb-{number}",
        "Routes": [to("local", "10.0.0.0/16"), *routes],
        "Associations": [association] if association else [],
    }
    return made | ({"VpcId": vpc} if vpc else {})


def of(number: int, *routes: Any, state: str = "associated", **rest: Any) -> Any:
    """Return the route table of the subnet of the same number."""
    rest["AssociationState"] = {"State": state}
    return table(number, *routes, SubnetId=f"subnet-{number}", **rest)


def own(number: int, *routes: Any, state: str = "associated", **rest: Any) -> Any:
    """Return a route table of the subnet that is asked for."""
    rest["AssociationState"] = {"State": state}
    return table(number, *routes, Main=False, SubnetId="subnet-1", **rest)


def main(number: int, *routes: Any, **rest: Any) -> Any:
    return table(number, *routes, Main=True, **rest)


def edge(*routes: Any, gateway: str = "igw-1", **rest: Any) -> Any:
    """Return a gateway's own route table."""
    return table(9, *routes, GatewayId=gateway, **rest)


def endpoint(number: int, *subnets: Any, **rest: Any) -> Any:
    """Return a firewall's endpoint in the subnets of the given numbers."""
    made = {"VpcEndpointId": f"vpce-{number}", "VpcId": "vpc-1"}
    return {**made, "SubnetIds": [f"subnet-{n}" for n in subnets], **rest}


def advertised(block: str, next_hop: str | None = None) -> Any:
    """Return a route of VPC Route Server."""
    return to("", block, Origin="Advertisement", IpAddress=next_hop)


def unread(what: str, why: str, permission: str, remedy: str, problem: str = READ) -> Unread:
    return Unread(what, why, permission, remedy.format(permission), problem)


def garbled(what: str, why: str, permission: str = TABLES, remedy: str = AGAIN) -> Unread:
    return unread(what, why, permission, remedy, UNDERSTOOD)


NOTHING = Subnet("subnet-1", "vpc-1", None, None, None, None, None, ())


def known(number: int, *routes: tuple[str, str]) -> Subnet:
    outs = tuple(Route(*r) for r in routes)
    return replace(
        NOTHING, route_table_id=f"rtb-{number}", internet_routes=outs, middlebox_routes=()
    )


def unknown(why: str, number: int | None = None, *routes: tuple[str, str]) -> Subnet:
    what = "the route table of subnet subnet-1"
    reason = garbled(what, why, remedy=NEWER if "not know" in why else AGAIN)
    if why == "Throttling":
        reason = unread(what, why, TABLES, "scan again")
    return replace(known(number, *routes) if number else NOTHING, unread=(reason,))


def refusal(code: str = "UnauthorizedOperation", message: str = "no", status: int = 400) -> Any:
    about: Any = {"HTTPStatusCode": status}
    answer: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": about}
    return ClientError(answer, "Describe")


def reasons_of(facts: Subnet) -> list[Unread]:
    assert facts.unread is not None
    return list(facts.unread)


def read_subnet(subnet: Any, tables: list[Any], *endpoints: Any) -> tuple[Subnet, EC2]:
    ec2 = EC2(Subnets=[subnet], RouteTables=tables, VpcEndpoints=endpoints)
    facts, _ = read_network(ec2, ["subnet-1"], [])
    return facts["subnet-1"], ec2


OUT, TO_NAT, TO_ENI, TO_VPCE = to("igw-1"), to("nat-1"), to("eni-1"), to("vpce-1")
STATELESS = to("igw-1", State=None)
NEWER = "check where it leads with {}, or use a newer version of the plugin"
LACKS = "a route of rtb-1 lacks its destination, target or state"
NEW = "a route of rtb-1 leads to newgw-1, which this check does not know"
WITHOUT = {"DestinationCidrBlock": "1.0.0.0/8", "State": "active"}
PUBLIC = (ALL, "igw-1")
SUBNET_CASES: dict[str, tuple[list[Any], Subnet]] = {
    "its own table": ([main(1, OUT), own(2)], known(2)),
    "its own public table": ([main(1), own(2, OUT)], known(2, PUBLIC)),
    "the main table of its own VPC": ([main(1), main(2, OUT, vpc="vpc-2")], known(1)),
    "the main table, public": ([main(1, OUT), main(2, vpc="vpc-2")], known(1, PUBLIC)),
    "a table of another subnet": ([main(1), of(2, OUT)], known(1)),
    "a table of a gateway": ([main(1), table(2, OUT, GatewayId="igw-1")], known(1)),
    "after one of another VPC": ([main(1, vpc="vpc-2"), own(2, OUT)], known(2, PUBLIC)),
    "a table of nobody": ([main(1), table(2, OUT)], known(1)),
    "an association that has ended": ([main(1), own(2, OUT, state="disassociated")], known(1)),
    "an association that failed": ([main(1), own(2, OUT, state="failed")], known(1)),
    "an association that is ending": (
        [main(1), own(2, OUT, state="disassociating")],
        unknown("the association of subnet-1 with rtb-2 is disassociating"),
    ),
    "its own table, which is becoming the main one": (
        [
            main(1),
            own(2, OUT)
            | {
                "Associations": [
                    {"Main": True, "AssociationState": {"State": "associating"}},
                    {"Main": False, "SubnetId": "subnet-1"},
                ],
            },
        ],
        known(2, PUBLIC),
    ),
    "its own table, which is another subnet's too": (
        [main(1), table(2, OUT) | {"Associations": [{"SubnetId": f"subnet-{n}"} for n in (2, 1)]}],
        known(2, PUBLIC),
    ),
    "its own table, of no VPC": ([main(1), own(2, OUT, vpc="garbage")], known(2, PUBLIC)),
    "two of its own": ([main(1), own(2), own(3)], unknown("AWS answered 2 tables of its own")),
    "no main table": ([table(1)], unknown("AWS answered 0 main tables in vpc-1")),
    "two main tables": ([main(1), main(2)], unknown("AWS answered 2 main tables in vpc-1")),
    "a main table of no VPC": (
        [main(1, vpc=None)],
        unknown("an association of rtb-1 does not say with what"),
    ),
    "an association with nothing": (
        [main(1), table(2, OUT, Main=False)],
        unknown("an association of rtb-2 does not say with what"),
    ),
    "that of another VPC": ([main(1), table(2, OUT, Main=False, vpc="vpc-2")], known(1)),
    "associations that are no list": (
        [main(1), table(2, OUT) | {"Associations": None}],
        unknown("no Associations in rtb-2"),
    ),
    "its own table beside a broken one": (
        [own(1), table(2, OUT) | {"Associations": None}],
        known(1),
    ),
    **{
        f"a table with the id {name}": (
            [main(1), table(2, OUT) | {"RouteTableId": name}],
            unknown("no RouteTableId in one of the RouteTables"),
        )
        for name in (None, "", 7)
    },
    "one id, two answers": ([main(1), own(1, OUT)], unknown("AWS answered rtb-1 in two ways")),
    "one id, three answers": (
        [own(1), own(1, OUT), own(1), main(2)],
        unknown("AWS answered rtb-1 in two ways"),
    ),
    "another id, two answers": ([own(1), of(2, OUT), of(2)], known(1)),
    "one table on two pages": ([own(1), own(1)], known(1)),
    "its own table before the call broke": ([own(1), refusal("Throttling")], known(1)),
    "the main table before the call broke": (
        [main(1), refusal("Throttling")],
        unknown("Throttling"),
    ),
    "no routes": ([main(1) | {"Routes": []}], unknown(LACKS, 1)),
    "routes that are no list": ([main(1) | {"Routes": 7}], unknown("no Routes in rtb-1", 1)),
    "routes of something else": ([main(1) | {"Routes": [7]}], unknown("no Routes in rtb-1", 1)),
    "a carrier gateway": ([main(1, to("cagw-1"))], known(1, (ALL, "cagw-1"))),
    "a carrier gateway of an unknown kind": (
        [main(1, to("carrier", key="CarrierGatewayId"))],
        known(1, (ALL, "carrier")),
    ),
    "a carrier gateway by its prefix": (
        [main(1, to("cagw-1", key="GatewayId"))],
        known(1, (ALL, "cagw-1")),
    ),
    "IPv6": ([main(1, to("igw-1", "::/0"))], known(1, ("::/0", "igw-1"))),
    "a prefix list": ([main(1, to("igw-1", "pl-1"))], known(1, ("pl-1", "igw-1"))),
    "two ways out": (
        [main(1, OUT, to("igw-1", "8.8.8.8/32"))],
        known(1, PUBLIC, ("8.8.8.8/32", "igw-1")),
    ),
    "a filtered route": ([main(1, to("igw-1", State="filtered"))], known(1, PUBLIC)),
    "a dead route to a new gateway": ([main(1, to("newgw-1", State="blackhole"))], known(1)),
    "an advertised route": ([main(1, advertised("192.168.0.0/16"))], known(1)),
    "a blackhole": ([main(1, to("igw-1", State="blackhole"))], known(1)),
    "a way out in no state": ([main(1, STATELESS)], unknown(LACKS, 1)),
    "a way out to nowhere": (
        [main(1, {"GatewayId": "igw-1", "State": "active"})],
        unknown(LACKS, 1),
    ),
    "a way out to what is no block": ([main(1, to("igw-1", "garbage"))], unknown(LACKS, 1)),
    "a firewall to nowhere": (
        [main(1, {"GatewayId": "vpce-1", "State": "active"})],
        unknown(LACKS, 1),
    ),
    "a way out in no state before a new gateway": (
        [main(1, STATELESS, to("newgw-1"))],
        unknown(LACKS, 1),
    ),
    "a way out and a route without target": ([main(1, OUT, WITHOUT)], unknown(LACKS, 1, PUBLIC)),
    "a route without target": ([main(1, {**WITHOUT, "Origin": "CreateRoute"})], unknown(LACKS, 1)),
    "a route that knows its instance's owner alone": (
        [main(1, {**WITHOUT, "InstanceOwnerId": "1"})],
        unknown(LACKS, 1),
    ),
    "a route without target before a sound one": ([main(1, WITHOUT, TO_NAT)], unknown(LACKS, 1)),
    "a route without state before a blackhole": (
        [main(1, {"GatewayId": "igw-1"}, to("igw-1", State="blackhole"))],
        unknown(LACKS, 1),
    ),
    "a new gateway": ([main(1, to("newgw-1"))], unknown(NEW, 1)),
    "a new member": ([main(1, to("newgw-1", key="NewGatewayId"))], unknown(NEW, 1)),
    "a local zone's gateway": (
        [main(1, to("localzone-gw-1"))],
        unknown(NEW.replace("newgw", "localzone-gw"), 1),
    ),
    "a new gateway and a way out": (
        [main(1, to("newgw-1"), OUT, to("newgw-2"))],
        unknown(NEW, 1, PUBLIC),
    ),
    "a new gateway and a route without target": (
        [main(1, to("newgw-1"), WITHOUT)],
        unknown(LACKS, 1),
    ),
    # Oracle Database@AWS: terraform-provider-aws, issues 48164 and 48237.
    "an ODB network in two members": (
        [main(1, to("arn:aws:odb:x", "10.2.0.0/16", OdbNetworkArn="arn:aws:odb:x"))],
        known(1),
    ),
    "an internet gateway in one of two members": (
        [main(1, to("igw-1", NatGatewayId="nat-1")), own(2, to("nat-1", GatewayId="igw-1"))],
        known(2, PUBLIC),
    ),
    "a pool of brought addresses": (
        [main(1), table(2, OUT, Main=False, PublicIpv4Pool="ipv4pool-ec2-1")],
        known(1),
    ),
    "a regional NAT gateway's own table": (
        [main(1), table(2, OUT, Main=False, GatewayId="nat-1")],
        known(1),
    ),
    # As in AWS's templates of a Studio without internet, of secure MLOps, and of a NAT instance.
    "a gateway endpoint beside a public subnet": (
        [own(1, to("vpce-1", "pl-1")), of(2, OUT)],
        known(1),
    ),
    "a NAT instance in a public subnet": (
        [own(1, to("eni-1", InstanceId="i-1")), of(2, OUT)],
        known(1),
    ),
    **{
        f"harmless: {key} {target}": ([main(1, to(target, key=key))], known(1))
        for key, target in (
            *(("GatewayId", "vgw-1"), ("GatewayId", "lgw-1"), ("GatewayId", "VpcLattice")),
            *(("NatGatewayId", "nat-1"), ("EgressOnlyInternetGatewayId", "eigw-1")),
            *(("TransitGatewayId", "tgw-1"), ("VpcPeeringConnectionId", "pcx-1")),
            *(("NetworkInterfaceId", "eni-1"), ("CoreNetworkArn", "arn"), ("InstanceId", "i-1")),
            *(("LocalGatewayId", "lgw-1"), ("OdbNetworkArn", "arn")),
        )
    },
}


@pytest.mark.parametrize(("tables", "expected"), SUBNET_CASES.values(), ids=SUBNET_CASES)
def test_subnet(tables: list[Any], expected: Subnet) -> None:
    facts, ec2 = read_subnet(IN, tables)
    assert facts == expected
    assert [key for key, *_ in ec2.asked] == ["Subnets", "RouteTables"]


def through(target: str, last: int = 9, destination: str = ALL) -> MiddleboxRoute:
    return MiddleboxRoute(destination, target, "igw-1", f"rtb-{last}")


def not_followed(why: str, remedy: str) -> Unread:
    return unread("the way out of subnet subnet-1", why, TABLES, remedy, "could not be followed")


def translates(out: str, back: str, source: int = 1, block: str = BLOCK) -> Unread:
    why = f"rtb-{source} sends {ALL} to {out}, and rtb-9 of igw-1 sends {block} to {back}"
    return not_followed(why, f"check whether {out} translates addresses, as a NAT instance does")


def to_a_list(why: str, what: str = "subnet subnet-1") -> Unread:
    remedy = f"check whether the prefix list holds public addresses, with {ENTRIES}"
    return replace(not_followed(why, remedy), what=f"the way out of {what}")


def lacks(number: int) -> Unread:
    return garbled(f"route table rtb-{number}", LACKS.replace("rtb-1", f"rtb-{number}"))


def not_seen(target: str) -> Unread:
    return not_followed(
        f"rtb-1 sends {ALL} to {target}, and the firewalls and gateways of account {OTHER}, which "
        "shares the subnet, are not seen from here",
        f"check in that account whether an internet gateway is behind it, with {TABLES}",
    )


def stands(number: int, why: str = "no SubnetIds in it, or another VpcId than vpc-1") -> Unread:
    return garbled(f"VPC endpoint vpce-{number}", why, ENDPOINTS)


def back(target: str, block: str = BLOCK, **route: Any) -> Any:
    return to(target, block, **route)


def tables(text: str) -> list[Any]:
    """Return route tables by a text such as "1: vpce-1; 2: igw-1 8.0.0.0/8, nat-1; igw: vpce-1 in".

    1 is the subnet's own, n that of subnet n, igw the gateway's, mainn a main one, nobodyn is in
    effect for nothing. A route is a target and a destination, where it is not the default; `in` is
    the subnet's block, ! marks a blackhole, ? no state.
    """
    made = []
    for part in text.split("; "):
        name, _, written = part.partition(":")
        routes = []
        for target, *destination in map(str.split, filter(None, written.split(","))):
            state = {"!": "blackhole", "?": None}.get(target[-1], "active")
            (block,) = destination or [ALL]
            routes.append(to(target.strip("!?"), BLOCK if block == "in" else block, State=state))
        makers = {"1": own, "igw": edge} | {f"main{n}": main for n in (1, 7)} | {"nobody7": table}
        number = int("".join(filter(str.isdigit, name)) or 9)
        maker = makers.get(name, of)
        made.append(maker(*routes) if maker is edge else maker(number, *routes))
    return made


# vpce-1 and vpce-2 stand in the subnets 2 and 3.
FIREWALL = "vpce-1", 2
BY_1 = [through(*FIREWALL)]
Ways = dict[str, tuple[list[Any], list[Any]]]
FIREWALLS: dict[str, list[Any]] = {
    # endpoints of two zones mixed up
    "1: vpce-2; 2: igw-1; 3: igw-1; igw: vpce-1 in": [through("vpce-2", 3)],
    # one endpoint out for all zones, in by each zone's
    "1: vpce-1; 2: igw-1; 3: igw-1; igw: vpce-2 in": BY_1,
    # two firewalls out, one in
    "1: vpce-1; 2: vpce-2; 3: igw-1; igw: vpce-2 in": [through("vpce-1", 3)],
    "1: vpce-1; 2: igw-1": BY_1,
    "1: vpce-1; 2: igw-1; igw: vpce-1 in": BY_1,
    "main1: vpce-1; 2: igw-1": BY_1,
    # separate firewalls in and out, and NAT
    "1: vpce-1; 2: nat-1; 3: igw-1; 8: igw-1, vpce-1 in; igw: vpce-2 in": [],
    # a firewall both ways, and NAT
    "1: vpce-1; 2: nat-1; igw: vpce-1 in": [],
    # NAT before a firewall
    "1: nat-1; 2: igw-1; 8: vpce-1": [],
    # the local route of public addresses is replaced, NAT for the rest
    "main7: local 2600:1f00::/56; 1: vpce-1 2600:1f00::/56, nat-1; 2: igw-1 ::/0": [],
    # a part of the VPC's public addresses
    "1: local 2600:1f00::/56, vpce-1 2600:1f00:0:2::/64; 2: igw-1 ::/0": [],
    "1: vpce-1; 2:": [],
    "1: vpce-1!": [],
    "1: vpce-1; 2: igw-1!": [],
    "1: vpce-1 10.0.0.0/8; 2: igw-1": [],
    "1: vpce-1 pl-1; 2: igw-1": [],
    "1: vpce-1 0.0.0.0/1, vpce-2 128.0.0.0/1; 2: igw-1; 3: nat-1": [
        through(*FIREWALL, "0.0.0.0/1")
    ],
    "1: vpce-1 ::/0; 2: igw-1 ::/0": [through(*FIREWALL, "::/0")],
    "1: vpce-1; 2: igw-1 ::/0, nat-1": [],
    "1: vpce-1 1.0.0.0/8; 2: nat-1, igw-1 8.0.0.0/8": [],
    "1: vpce-1; 2: nat-1, igw-1 8.0.0.0/8": BY_1,
    # all but the destination
    "1: vpce-1 1.2.0.0/16; 2: igw-1, nat-1 1.0.0.0/8": [],
    # a part of the way is narrower
    "1: vpce-1; 2: vpce-2 1.2.0.0/16; 3: igw-1, nat-1 1.0.0.0/8": [],
    # a dead route is more specific
    "1: vpce-1 1.2.0.0/16; 2: igw-1, igw-2! 1.0.0.0/8": [],
    # a part of the destination that goes elsewhere
    "1: vpce-1, nat-1 8.0.0.0/8; 2: nat-1, igw-1 8.8.0.0/16": [],
    # that, behind another firewall
    "1: vpce-1; 2: vpce-2, nat-1 8.0.0.0/8; 3: nat-1, igw-1 8.8.0.0/16": [],
    "1: vpce-1, nat-1 8.0.0.0/8; 2: vpce-2; 3: nat-1, igw-1 8.8.0.0/16": [],
    "1: vpce-1 1.2.0.0/16; 2: vpce-2; 3: nat-1, igw-1 8.0.0.0/8": [],
    "1: vpce-1; 2: vgw-1, igw-1": BY_1,
    "1: vpce-1; 2: vpce-2; 3: vpce-1": [],
    "1: vpce-1; 2: vpce-2, vpce-1 1.0.0.0/8; 3: igw-1": [through("vpce-1", 3)],
    # a table of nobody
    "1: vpce-1; 2: nat-1; nobody7: igw-1, vpce-1 in; igw: vpce-1 in": [],
    "1: vpce-1; 2: igw-1 pl-1": [to_a_list("rtb-2 sends pl-1 to igw-1", "vpce-1")],
    # no table of the firewall's subnet
    "1: vpce-1": [
        garbled("the route table of subnet subnet-2", "AWS answered 0 main tables in vpc-1")
    ],
    "1: vpce-1; 2: igw-1?": [lacks(2)],
    # a route without state, and a way
    "1: vpce-1; 2: igw-1?, igw-1 1.0.0.0/8": [lacks(2), through(*FIREWALL)],
    # a route without state that is not taken
    "1: vpce-1 1.0.0.0/8; 2: igw-1? 8.0.0.0/8": [],
    "1: vpce-1; 2: newgw-1": [
        garbled("route table rtb-2", NEW.replace("rtb-1", "rtb-2"), remedy=NEWER)
    ],
    # a third firewall of which nothing is known
    "1: vpce-1, vpce-3 1.0.0.0/8; 2: igw-1": [
        through(*FIREWALL),
        unread("VPC endpoint vpce-3", "AWS returned no such VPC endpoint", ENDPOINTS, GONE, FOUND),
    ],
    # a firewall before a NAT instance
    "1: vpce-1; 2: eni-1; 3: igw-1": [],
    "1: vpce-1; 2: eni-1; igw: eni-1 in": [through("eni-1")],
    # a firewall out, before an appliance, and in
    "1: vpce-1; 2: eni-1; igw: vpce-1 in": [translates("eni-1", "vpce-1", 2)],
}
MORE_FIREWALLS: Ways = {
    "another VPC's public addresses": (
        [
            *(own(1, to("vpce-1", "2600::/56")), of(2, to("igw-1", "::/0"))),
            table(8, to("local", "2600::/56"), vpc="vpc-2"),
        ],
        [through(*FIREWALL, "2600::/56")],
    ),
    "a transit gateway": ([own(1, TO_VPCE), of(2, to("tgw-1", key="TransitGatewayId"))], []),
}
I_1 = {"InstanceId": "i-1"}
APPLIANCES: dict[str, list[Any]] = {
    "1: eni-1; igw: eni-1 in": [through("eni-1")],
    "main1: eni-1; igw: eni-1 in": [through("eni-1")],
    # out by one, in by another
    "1: eni-1; igw: eni-2 in": [translates("eni-1", "eni-2")],
    # a NAT instance out, a firewall in for the whole VPC
    "1: eni-1; 2: igw-1; igw: vpce-1 10.0.0.0/16": [
        translates("eni-1", "vpce-1", block="10.0.0.0/16")
    ],
    # a NAT instance, and the gateway has no table
    "1: eni-1; 2: igw-1": [],
    "1: eni-1; igw: eni-1 10.0.0.0/16": [through("eni-1")],
    # the whole VPC's traffic but this subnet's
    "1: eni-1; igw: eni-1 10.0.0.0/16, local in": [],
    "1: eni-1; igw: eni-1 10.0.1.0/25": [through("eni-1")],
    "1: eni-1; igw: eni-1 10.0.2.0/24": [],
    "1: eni-1 0.0.0.0/1, eni-1 128.0.0.0/1; igw: eni-1 in": [
        through("eni-1", destination=half) for half in ("0.0.0.0/1", "128.0.0.0/1")
    ],
    "1: eni-1 8.8.8.8/1; igw: eni-1 10.0.1.5/24": [through("eni-1", destination="8.8.8.8/1")],
    # after a route to private addresses
    "1: eni-1 192.168.0.0/16, eni-1; igw: eni-1 in": [through("eni-1")],
    "1: eni-1 10.0.0.0/8; igw: eni-1 in": [],
    "1: nat-1; igw: eni-1 in": [],
    "1: eni-1!; igw: eni-1 in": [],
    "1: eni-1; igw: eni-1! in": [],
    # VPC Lattice in the gateway's table
    "1: eni-1; igw: VpcLattice pl-2, local 10.0.0.0/16": [],
    "1: eni-1 pl-1; igw: eni-1 in": [
        to_a_list(f"rtb-1 sends pl-1 to eni-1, and rtb-9 of igw-1 sends {BLOCK} to eni-1")
    ],
    "1: eni-1 pl-1": [],
    "1: eni-1; igw: newgw-1 in": [
        garbled("route table rtb-9", NEW.replace("rtb-1", "rtb-9"), remedy=NEWER)
    ],
    "1: eni-1; igw: newgw-1! in": [],
}
MORE_APPLIANCES: Ways = {
    "an instance, beside its interface": (
        [own(1, to("eni-1", **I_1)), edge(back("eni-1"))],
        [through("eni-1")],
    ),
    "an instance alone": (
        [own(1, to("i-1")), edge(back("eni-2", **I_1))],
        [through("i-1")],
    ),
    "an interface to each side": (
        [own(1, to("eni-1", **I_1)), edge(back("eni-2", **I_1))],
        [through("i-1")],
    ),
    "two instances": (
        [own(1, to("eni-1", **I_1)), edge(back("eni-2", InstanceId="i-2"))],
        [translates("eni-1", "eni-2")],
    ),
    "an address": (
        [own(1, advertised(ALL, "10.0.9.5")), edge(advertised(BLOCK, "10.0.9.5"))],
        [through("10.0.9.5")],
    ),
    "an interface and an address": (
        [own(1, TO_ENI), edge(advertised(BLOCK, "10.0.9.5"))],
        [translates("eni-1", "10.0.9.5")],
    ),
    "a VPN gateway's table": ([own(1, TO_ENI), edge(back("eni-1"), gateway="vgw-1")], []),
    "another VPC's table": ([own(1, TO_ENI), edge(back("eni-1"), vpc="vpc-2")], []),
    "a table that was taken off": (
        [own(1, TO_ENI), edge(back("eni-1"), AssociationState={"State": "disassociated"})],
        [],
    ),
    "one of two gateways": (
        [own(1, TO_ENI), edge(back("eni-1")), table(8, back("local"), GatewayId="igw-2")],
        [through("eni-1")],
    ),
    # What cannot be read is unknown.
    "the call broke off": (
        [own(1, TO_ENI), refusal("Throttling")],
        [unread("the way out of subnet subnet-1", "Throttling", TABLES, "scan again")],
    ),
    "the call broke off, and no appliance": ([own(1), refusal("Throttling")], []),
    "the gateway's table is being associated": (
        [own(1, TO_ENI), edge(back("eni-1"), AssociationState={"State": "associating"})],
        [
            garbled(
                "the way out of subnet subnet-1",
                "the association of igw-1 with rtb-9 is associating",
            )
        ],
    ),
    "a gateway's table without associations": (
        [own(1, TO_ENI), edge(back("eni-1")) | {"Associations": None}],
        [garbled("the way out of subnet subnet-1", "no Associations in rtb-9")],
    ),
    "a gateway's table without routes": (
        [own(1, TO_ENI), edge() | {"Routes": None}],
        [garbled("route table rtb-9", "no Routes in rtb-9")],
    ),
    **{
        f"in the gateway's table {name}": ([own(1, TO_ENI), edge(route)], [lacks(9)])
        for name, route in {
            "no destination": {"NetworkInterfaceId": "eni-1", "State": "active"},
            "no state": back("eni-1", State=None),
            "no interface": back("x", key="NetworkInterfaceId"),
            "a prefix list": to("eni-1", "pl-1"),
            "no next hop": advertised(BLOCK),
            "another gateway": back("igw-2"),
        }.items()
    },
    **{
        f"in the subnet's table {name}": ([own(1, route), edge(back("eni-1"))], [lacks(1)])
        for name, route in {
            "no destination": {"NetworkInterfaceId": "eni-1", "State": "active"},
            "no state": to("eni-1", State=None),
            "no interface": to("x", key="NetworkInterfaceId"),
            "no next hop": advertised(ALL),
            "what is no block": to("eni-1", "garbage"),
        }.items()
    },
    "no next hop to private addresses": (
        [own(1, advertised("192.168.0.0/16")), edge(back("eni-1"))],
        [],
    ),
    "no destination, and no table of the gateway": (
        [own(1, {"NetworkInterfaceId": "eni-1", "State": "active"})],
        [],
    ),
}
OF_SUBNETS: dict[str, tuple[Any, list[Any], list[Any]]] = {
    "IPv6": (
        DUAL,
        [own(1, to("eni-1", "::/0")), edge(back("eni-1"), back("eni-1", BLOCK6))],
        [through("eni-1", destination="::/0")],
    ),
    "IPv6 out, IPv4 back": (DUAL, [own(1, to("eni-1", "::/0")), edge(back("eni-1"))], []),
    "IPv6 alone": (
        {**DUAL, "CidrBlock": None, "Ipv6Native": True},
        [own(1, to("eni-1", "::/0")), edge(back("eni-1", BLOCK6))],
        [through("eni-1", destination="::/0")],
    ),
    **{
        f"an IPv6 block that is {state}": (
            DUAL
            | {
                "Ipv6CidrBlockAssociationSet": [
                    {"Ipv6CidrBlock": BLOCK6, "Ipv6CidrBlockState": {"State": state}}
                ]
            },
            [own(1, to("eni-1", "::/0")), edge(back("eni-1", BLOCK6))],
            [through("eni-1", destination="::/0")] * (state == "associated"),
        )
        for state in ("associated", "disassociated", "failed")
    },
    "a prefix list, by IPv6": (
        DUAL,
        [own(1, to("eni-1", "pl-1")), edge(back("eni-1", BLOCK6))],
        [to_a_list(f"rtb-1 sends pl-1 to eni-1, and rtb-9 of igw-1 sends {BLOCK6} to eni-1")],
    ),
    **{
        f"its block is not known: {change}": (
            IN | change,
            [own(1, TO_ENI), edge(back("eni-1", "10.0.2.0/24"))],
            [garbled("subnet subnet-1", why, SUBNETS)],
        )
        for change, why in (
            ({"CidrBlock": None}, "subnet-1 lacks its CIDR block"),
            ({"CidrBlock": "garbage"}, "subnet-1 lacks its CIDR block"),
            (
                {"Ipv6CidrBlockAssociationSet": [{"Ipv6CidrBlock": "garbage"}]},
                "subnet-1 lacks its CIDR block",
            ),
            ({"Ipv6CidrBlockAssociationSet": [{}]}, "subnet-1 lacks its CIDR block"),
            (
                {"Ipv6CidrBlockAssociationSet": [None]},
                "no Ipv6CidrBlockAssociationSet in subnet-1",
            ),
        )
    },
    "its block is not known, and no table of the gateway": (
        {**IN, "CidrBlock": 7},
        [own(1, TO_ENI)],
        [],
    ),
    "shared, behind a firewall": (SHARED, [own(1, TO_VPCE), of(2, TO_NAT)], [not_seen("vpce-1")]),
    "shared, behind an appliance": (SHARED, [own(1, TO_ENI)], [not_seen("eni-1")]),
    "of nobody": (
        {**IN, "OwnerId": None},
        [own(1, TO_VPCE)],
        [garbled("subnet subnet-1", "no OwnerId in it", SUBNETS)],
    ),
    "shared, and the gateway's table is seen": (
        SHARED,
        [own(1, TO_ENI), edge(back("eni-1", "10.0.2.0/24"))],
        [],
    ),
    "shared, with a gateway endpoint": (SHARED, [own(1, to("vpce-1", "pl-1"))], []),
    "shared, behind NAT": (SHARED, [own(1, TO_NAT)], []),
}
STAND = endpoint(1, 2), endpoint(2, 3)


@pytest.mark.parametrize(
    ("subnet", "answers", "expected"),
    [
        *((IN, tables(text), found) for text, found in (FIREWALLS | APPLIANCES).items()),
        *((IN, *case) for case in (MORE_FIREWALLS | MORE_APPLIANCES).values()),
        *OF_SUBNETS.values(),
    ],
    ids=[*FIREWALLS, *APPLIANCES, *MORE_FIREWALLS, *MORE_APPLIANCES, *OF_SUBNETS],
)
def test_the_way_out(subnet: Any, answers: list[Any], expected: list[Any]) -> None:
    facts, _ = read_subnet(subnet, answers, *STAND)
    ways = tuple(e for e in expected if isinstance(e, MiddleboxRoute))
    assert facts.middlebox_routes == ways
    assert reasons_of(facts) == [e for e in expected if isinstance(e, Unread)]
    assert not facts.internet_routes


TWO_DEEP = [own(1, TO_VPCE), of(2, to("vpce-2")), of(3, OUT)]
NO_ENDPOINT = "AWS returned no such VPC endpoint"
ANSWERS: dict[str, tuple[list[Any], list[Any]]] = {
    "refused": (
        [refusal()],
        [unread("VPC endpoint vpce-1", "UnauthorizedOperation", ENDPOINTS, "allow {}")],
    ),
    "gone": ([], [unread("VPC endpoint vpce-1", NO_ENDPOINT, ENDPOINTS, GONE, FOUND)]),
    "the second is gone": (
        [endpoint(1, 2)],
        [unread("VPC endpoint vpce-2", NO_ENDPOINT, ENDPOINTS, GONE, FOUND)],
    ),
    "two answers": (
        [endpoint(1, 2), endpoint(1, 3)],
        [stands(1, "AWS answered it in two ways")],
    ),
    "in one of its subnets": ([endpoint(1, 7, 3)], [through("vpce-1", 3)]),
    "in no subnet": ([endpoint(1)], [stands(1)]),
    "in another VPC": ([endpoint(1, 3, VpcId="vpc-2")], [stands(1)]),
    "subnets that are no list": ([endpoint(1, SubnetIds="subnet-3")], [stands(1)]),
}


@pytest.mark.parametrize(("answers", "expected"), ANSWERS.values(), ids=ANSWERS)
def test_where_firewalls_stand(answers: list[Any], expected: list[Any]) -> None:
    facts, _ = read_subnet(IN, [*TWO_DEEP, of(7, TO_NAT)], *answers)
    assert [*(facts.middlebox_routes or ()), *reasons_of(facts)] == expected


def test_firewalls_are_described_once_and_only_those_on_the_way() -> None:
    def asked(*tables: Any) -> list[int]:
        subnets = [
            IN,
            {**IN, "SubnetId": "subnet-4"},
            {**IN, "VpcId": "vpc-2", "SubnetId": "subnet-5"},
        ]
        endpoints = [*STAND, endpoint(3, 6, VpcId="vpc-2")]
        ec2 = EC2(Subnets=subnets, RouteTables=tables, VpcEndpoints=endpoints)
        read_network(ec2, [subnet["SubnetId"] for subnet in subnets], [])
        return [number for key, _, number in ec2.asked if key == "VpcEndpoints"]

    assert asked(own(1, TO_ENI, to("vpce-1", "pl-1")), edge(back("vpce-1")), of(8, TO_VPCE)) == []
    assert asked(own(1, to("vpce-1", "10.0.2.0/24")), of(4, to("vpce-1", State="blackhole"))) == []
    assert asked(*TWO_DEEP, of(4, TO_VPCE, to("vpce-2", "1.0.0.0/8"))) == [2]
    assert asked(*TWO_DEEP, of(4, TO_VPCE)) == [1, 1]
    assert asked(*TWO_DEEP, of(5, to("vpce-3"), vpc="vpc-2")) == [2, 1]
    shared = EC2(Subnets=[SHARED], RouteTables=TWO_DEEP)
    read_network(shared, ["subnet-1"], [])
    assert len(shared.asked) == 2


def test_the_automated_internet_firewall_is_no_target() -> None:
    inspected = {"FirewallArn": "arn", "Status": "active"}
    subnet = {**IN, "NetworkFirewallConnectivityType": "outbound-only"}
    facts, _ = read_subnet(subnet, [own(1, to("igw-1", IgwFirewall=inspected))])
    assert facts.internet_routes == (Route(ALL, "igw-1", "active"),)
    assert facts.firewall_connectivity == "outbound-only"
    facts, _ = read_subnet(subnet, [own(1, {**WITHOUT, "IgwFirewall": inspected})])
    assert [reason.why for reason in reasons_of(facts)] == [LACKS]


@pytest.mark.parametrize("mode", ["block-bidirectional", None])
def test_block_public_access(mode: str | None) -> None:
    states = {"InternetGatewayBlockMode": mode} if mode else None
    for tables in ([own(1)], [refusal()]):
        facts, _ = read_subnet({**IN, "BlockPublicAccessStates": states}, tables)
        assert facts.block_public_access == mode


@pytest.mark.parametrize(
    "setting",
    [
        {"BlockPublicAccessStates": "x"},
        {"BlockPublicAccessStates": {"InternetGatewayBlockMode": 7}},
        {"NetworkFirewallConnectivityType": ["x"]},
    ],
    ids=str,
)
@pytest.mark.parametrize("tables", [[own(1)], [own(1, OUT)], []])
def test_a_setting_of_another_type_hides_no_route(setting: Any, tables: list[Any]) -> None:
    sound, _ = read_subnet(IN, tables)
    facts, _ = read_subnet(IN | setting, tables)
    names = "BlockPublicAccessStates or NetworkFirewallConnectivityType"
    why = garbled("subnet subnet-1", f"no readable {names} in it", SUBNETS)
    assert facts == replace(sound, unread=(why, *reasons_of(sound)))


# Security groups.


def rule(*ends: str, protocol: Any = "tcp", first: Any = 22, last: Any = 22, **members: Any) -> Any:
    """Return a rule for blocks, prefix lists and groups; the port None leaves it out."""
    made = {
        "IpProtocol": protocol,
        "FromPort": first,
        "ToPort": last,
        "IpRanges": [{"CidrIp": end} for end in ends if "-" not in end and ":" not in end],
        "Ipv6Ranges": [{"CidrIpv6": end} for end in ends if ":" in end],
        "PrefixListIds": [{"PrefixListId": end} for end in ends if end.startswith("pl-")],
        "UserIdGroupPairs": [{"GroupId": end} for end in ends if end.startswith("sg-")],
    }
    return {key: value for key, value in made.items() if value is not None} | members


def group(*ingress: Any, egress: Any = (), number: int = 1, **members: Any) -> Any:
    made: dict[str, Any] = {"GroupId": f"sg-{number}", "VpcId": "vpc-1"}
    made |= {"IpPermissions": list(ingress), "IpPermissionsEgress": list(egress)}
    return made | members


def opened(*texts: str) -> tuple[OpenRule, ...]:
    return tuple(OpenRule(text, ()) for text in texts)


def sg(
    *ingress: str, egress: tuple[str, ...] = (), why: str = "", why_egress: str = ""
) -> SecurityGroup:
    """Return a group with the texts of open rules, and why its rules are not all known."""
    reasons, of_egress = (
        (garbled("security group sg-1", clause, GROUPS),) if clause else ()
        for clause in (why, why_egress)
    )
    return SecurityGroup("sg-1", "vpc-1", opened(*ingress), opened(*egress), reasons, of_egress)


JOINED = " (joined with others, broader than a /8 or an IPv6 /32)"
NO_RANGE = "a rule in IpPermissions of sg-1 lacks its protocol, port or range"
CLOSED = sg()
NEIGHBOURS = ("12.0.0.0/8", "13.0.0.0/8")


def two(**members: tuple[Any, Any]) -> Any:
    """Return a group of two rules from neighbours, each with its members."""
    return group(
        *(
            rule(block, **{name: values[n] for name, values in members.items()})
            for n, block in enumerate(NEIGHBOURS)
        )
    )


def of_neighbours(first: str, last: str) -> SecurityGroup:
    return sg(f"{first} from 12.0.0.0/8", f"{last} from 13.0.0.0/8{JOINED}")


ICMP = ("icmp", "icmp")
GROUP_CASES: dict[str, tuple[Any, SecurityGroup]] = {
    "no rules": (group(), CLOSED),
    "named sources": (group(rule("10.0.0.0/8", "52.0.0.0/8")), CLOSED),
    "a host in a half of everywhere": (
        group(rule("1.2.3.4/32", "0.0.0.0/1")),
        sg("tcp 22 from 0.0.0.0/1"),
    ),
    "neighbours": (group(rule(*NEIGHBOURS)), of_neighbours("tcp 22", "tcp 22")),
    "neighbours at two ports": (two(first=(22, 23), last=(22, 24)), CLOSED),
    "neighbours by two protocols": (two(protocol=("tcp", "udp")), CLOSED),
    "neighbours by udp at two ports": (
        two(protocol=("udp", "udp"), first=(12, 13), last=(12, 13)),
        CLOSED,
    ),
    "neighbours at ports that meet": (
        two(first=(20, 22), last=(22, 25)),
        of_neighbours("tcp 20-22", "tcp 22-25"),
    ),
    "neighbours by two codes of one type of icmp": (
        two(protocol=ICMP, first=(3, 3), last=(12, 13)),
        CLOSED,
    ),
    "neighbours by a code of icmp and by its type": (
        two(protocol=ICMP, first=(3, 3), last=(255, -1)),
        of_neighbours("icmp type 3 code 255", "icmp type 3"),
    ),
    "neighbours by a type of icmp and by the next one": (
        two(protocol=ICMP, first=(3, 4), last=(-1, 0)),
        CLOSED,
    ),
    "neighbours, one of them without its last port": (
        two(first=(22, 99), last=(None, 99)),
        of_neighbours("tcp", "tcp 99"),
    ),
    "neighbours by two types of icmp": (two(protocol=ICMP, first=(12, 13), last=(0, 0)), CLOSED),
    "neighbours by a type of icmp and by all": (
        two(protocol=ICMP, first=(8, -1), last=(-1, -1)),
        of_neighbours("icmp type 8", "icmp"),
    ),
    "ports in the wrong order": (
        group(rule(ALL, first=443, last=80)),
        sg("tcp from 0.0.0.0/0"),
    ),
    "tcp without ports beside neighbours at two": (
        group(
            rule("9.9.9.9/32", first=None, last=None),
            *two(first=(22, 23), last=(22, 23))["IpPermissions"],
        ),
        CLOSED,
    ),
    "the same block twice": (
        group(rule("0.0.0.0/1"), rule("0.0.0.0/1")),
        sg("tcp 22 from 0.0.0.0/1"),
    ),
    "another group": (group(rule("sg-2")), CLOSED),
    "everywhere, IPv4": (group(rule("10.0.0.0/8", ALL)), sg("tcp 22 from 0.0.0.0/0")),
    "everywhere, IPv6": (group(rule("::/0")), sg("tcp 22 from ::/0")),
    "everywhere, written at length": (
        group(rule("0:0:0:0:0:0:0:0/0")),
        sg("tcp 22 from 0:0:0:0:0:0:0:0/0"),
    ),
    "everywhere, with a host in it": (group(rule("1.2.3.4/0")), sg("tcp 22 from 1.2.3.4/0")),
    "all traffic": (group(rule(ALL, protocol="-1")), sg("all traffic from 0.0.0.0/0")),
    "a range of ports": (
        group(rule(ALL, protocol="udp", last=99)),
        sg("udp 22-99 from 0.0.0.0/0"),
    ),
    "a type and a code of icmp": (
        group(rule(ALL, protocol="icmp", first=8, last=0)),
        sg("icmp type 8 code 0 from 0.0.0.0/0"),
    ),
    "a type of icmp with all its codes": (
        group(rule(ALL, protocol="icmp", first=8, last=-1)),
        sg("icmp type 8 from 0.0.0.0/0"),
    ),
    "a type of ICMPv6": (
        group(rule("::/0", protocol="icmpv6", first=128, last=0)),
        sg("icmpv6 type 128 code 0 from ::/0"),
    ),
    "a protocol by its number": (
        group(rule(ALL, protocol="50", first=None, last=None)),
        sg("protocol 50 from 0.0.0.0/0"),
    ),
    "tcp without ports": (group(rule(ALL, first=None, last=None)), sg("tcp from 0.0.0.0/0")),
    "egress": (
        group(egress=[rule(ALL, protocol="-1")]),
        sg(egress=("all traffic to 0.0.0.0/0",)),
    ),
    **{
        f"egress to all of IPv4 by way of _NAT64, {block}": (
            group(egress=[rule(block)]),
            sg(egress=(f"tcp 22 to {block}",)),
        )
        for block in ("64:ff9b::/96", "64:ff9b::/64")
    },
    "egress to neighbours by way of _NAT64": (
        group(egress=[rule("64:ff9b::c00:0/104", "64:ff9b::d00:0/104")]),
        sg(egress=("tcp 22 to 64:ff9b::c00:0/104", f"tcp 22 to 64:ff9b::d00:0/104{JOINED}")),
    ),
    "egress to a /32 that is not _NAT64's": (group(egress=[rule("2600:1f00::/32")]), CLOSED),
    "egress to one host by way of _NAT64": (group(egress=[rule("64:ff9b::808:808/128")]), CLOSED),
    "ingress from _NAT64, which leads out only": (group(rule("64:ff9b::/96")), CLOSED),
    "no list of rules": (group(IpPermissions=None), sg(why="no IpPermissions in sg-1")),
    "rules of another type": (group(IpPermissions=7), sg(why="no IpPermissions in sg-1")),
    "a rule of another type": (group(IpPermissions=[7]), sg(why="no IpPermissions in sg-1")),
    "no list of egress rules": (
        group(rule(ALL), IpPermissionsEgress=None),
        sg("tcp 22 from 0.0.0.0/0", why_egress="no IpPermissionsEgress in sg-1"),
    ),
    **{
        name: (group(garbage), sg(why=NO_RANGE))
        for name, garbage in {
            "a rule for nobody": rule(),
            "a rule without ranges": rule("sg-2", IpRanges=None),
            "a rule for groups that are no list": rule(UserIdGroupPairs=7),
            "a prefix list without an id": rule(PrefixListIds=[{}]),
            "prefix lists that are no list": rule("sg-2", PrefixListIds="pl-1"),
            "a range without a block": rule(IpRanges=[{}]),
            "a range that is no structure": rule(IpRanges=[None]),
            "a range that is no block": rule("everywhere"),
            "a range that is no text": rule(IpRanges=[{"CidrIp": 7}]),
            "no protocol": rule(ALL, protocol=None),
            "a protocol that is no text": rule(ALL, protocol=6),
            "a port that is no number": rule(ALL, first="22"),
        }.items()
    },
    "an open range beside ranges that are no list": (
        group(rule("::/0", IpRanges=None)),
        sg("tcp 22 from ::/0", why=NO_RANGE),
    ),
    "an open rule beside a broken one": (
        group(rule("everywhere"), rule(ALL)),
        sg("tcp 22 from 0.0.0.0/0", why=NO_RANGE),
    ),
    "a VPC of another type": (group(VpcId=7), replace(CLOSED, vpc_id=None)),
}


@pytest.mark.parametrize(("answer", "expected"), GROUP_CASES.values(), ids=GROUP_CASES)
def test_security_group(answer: Any, expected: SecurityGroup) -> None:
    _, facts = read_network(EC2(SecurityGroups=[answer]), [], [("sg-1",)])
    assert facts == {("sg-1",): (expected,)}


def test_groups_of_one_model_are_open_together_and_no_others() -> None:
    blocks = ("12.0.0.0/8", "13.0.0.0/8", "99.0.0.0/8", "14.0.0.0/7", "16.0.0.0/8")
    groups = [group(rule(block), number=n) for n, block in enumerate(blocks)]
    sets = [("sg-1", "sg-0"), ("sg-0", "sg-2"), ("sg-1",), ("sg-0", "sg-1", "sg-2", "sg-3", "sg-4")]
    _, facts = read_network(EC2(SecurityGroups=groups), [], sets)

    def joined(number: int, *others: int) -> tuple[OpenRule, ...]:
        text = f"tcp 22 from {blocks[number]}{JOINED}"
        return (OpenRule(text, tuple(f"sg-{n}" for n in others)),)

    assert {key: [g.open_ingress for g in value] for key, value in facts.items()} == {
        sets[0]: [joined(1, 0), joined(0, 1)],
        sets[1]: [(), ()],
        sets[2]: [()],
        sets[3]: [
            # Without 14.0.0.0/7 two are still open, and the last is not.
            *(joined(0, 1), joined(1, 0), (), opened("tcp 22 from 14.0.0.0/7"), ()),
        ],
    }


def test_a_group_may_be_open_by_itself_and_together_with_another() -> None:
    groups = [group(rule(ALL), rule("12.0.0.0/8"), number=0), group(rule("13.0.0.0/8"), number=1)]
    _, facts = read_network(EC2(SecurityGroups=groups), [], [("sg-0", "sg-1")])
    both, other = facts["sg-0", "sg-1"]
    joined = OpenRule(f"tcp 22 from 12.0.0.0/8{JOINED}", ("sg-1",))
    assert both.open_ingress == (OpenRule(f"tcp 22 from {ALL}"), joined)
    assert other.open_ingress == (OpenRule(f"tcp 22 from 13.0.0.0/8{JOINED}", ("sg-0",)),)


def permits(
    block: str, first: int | None = 443, last: int | None = 443, protocol: str = "tcp"
) -> Permission:
    text = f"{protocol} {first}-{last} from {block}"
    ports = None if first is None or last is None else (first, last)
    return Permission("sg-1", protocol, ports, ip_network(block), text)


def gapped(block: str, gap: str) -> list[str]:
    """Return a block without a part of it, as blocks."""
    return [str(part) for part in IPv4Network(block).address_exclude(IPv4Network(gap))]


def all_of(block: str) -> Permission:
    return permits(block, None, None, "-1")


def each(*blocks: str) -> list[Permission]:
    return [permits(block) for block in blocks]


# What is permitted, and which of it is open, by number.
OPEN: dict[str, tuple[list[Permission], list[int]]] = {
    "everything": (each(ALL), [0]),
    "a half": (each("128.0.0.0/1"), [0]),
    "a public /7": (each("52.0.0.0/7"), [0]),
    "a /7 that holds a private /8": (each("10.0.0.0/7"), [0]),
    "a public /8": (each("52.0.0.0/8"), []),
    "a private /8 beside a public one": (each("10.0.0.0/8", "11.0.0.0/8"), []),
    "neighbours": (each("12.0.0.0/8", "13.0.0.0/8"), [0, 1]),
    "neighbours that are no CIDR block": (each("13.0.0.0/8", "14.0.0.0/8"), [0, 1]),
    "a row within a row, which is open without it": (
        each("12.0.0.0/8", "13.0.0.0/8", "12.0.0.0/9", "12.128.0.0/9", "13.0.0.0/9", "9.9.9.9"),
        [0, 1, 2, 3, 4],
    ),
    "a row within a row, which is not open without it": (
        each("12.0.0.0/8", "13.0.0.0/8", "12.0.0.0/9", "12.128.0.0/9", "9.9.9.9"),
        [0, 1],
    ),
    "three in a row, and one with a gap": (
        each("4.128.0.0/9", "6.0.0.0/9", "5.0.0.0/8", "6.192.0.0/10"),
        [0, 1, 2],
    ),
    "a gap of one address": (each("12.0.0.0/8", *gapped("13.0.0.0/8", "13.0.0.0/32")), []),
    "in a row with a private block between": (
        each("9.0.0.0/8", "10.0.0.0/8", "11.0.0.0/8"),
        [0, 2],
    ),
    "with a private gap between": (each("9.0.0.0/8", "11.0.0.0/8"), []),
    "a small block at the end of a row": (each("12.0.0.0/8", "13.0.0.0/32"), [0, 1]),
    "in a row, in another's block at one port alone": (
        [permits("12.0.0.0/7", 1, 1), permits("13.0.0.0/8", 2, 2), permits("14.0.0.0/8", 2, 2)],
        [0, 1, 2],
    ),
    "in a row, in another's block from a later port on": (
        [permits("12.0.0.0/6", 5, 9), permits("13.0.0.0/8", 1, 9), permits("14.0.0.0/8", 1, 9)],
        [0, 1, 2],
    ),
    "parts of neighbours": (each("12.0.0.0/9", "12.128.0.0/9", "13.0.0.0/8"), [0, 1, 2]),
    "a /7 in pieces, one of them private": (
        each(
            *("192.0.0.0/9", "192.128.0.0/11", "192.160.0.0/13", "192.168.0.0/16"),
            *("192.169.0.0/16", "192.170.0.0/15", "192.172.0.0/14", "192.176.0.0/12"),
            *("192.192.0.0/10", "193.0.0.0/8"),
        ),
        [0, 1, 2, 4, 5, 6, 7, 8, 9],
    ),
    "a quarter in everything": (each(ALL, "64.0.0.0/2"), [0, 1]),
    "neighbours and a part of one": (each("12.0.0.0/8", "12.0.0.0/16", "13.0.0.0/8"), [0, 2]),
    "neighbours in a broader block": (each("12.0.0.0/6", "12.0.0.0/8", "13.0.0.0/8"), [0, 1, 2]),
    "neighbours and one far away": (each("12.0.0.0/8", "99.0.0.0/8", "13.0.0.0/8"), [0, 2]),
    "neighbours at other ports": ([permits("12.0.0.0/8", 1, 2), permits("13.0.0.0/8", 3, 4)], []),
    "neighbours whose ports touch": (
        [permits("12.0.0.0/8", 1, 3), permits("13.0.0.0/8", 3, 4)],
        [0, 1],
    ),
    "neighbours, one of them at all ports between": (
        [permits("12.0.0.0/8", 1, 9), permits("13.0.0.0/8", 4, 5)],
        [0, 1],
    ),
    "neighbours of other protocols": (
        [permits("12.0.0.0/8"), permits("13.0.0.0/8", protocol="udp")],
        [],
    ),
    "neighbours, one of all traffic": ([all_of("12.0.0.0/8"), permits("13.0.0.0/8")], [0, 1]),
    "neighbours of all traffic": ([all_of("12.0.0.0/8"), all_of("13.0.0.0/8")], [0, 1]),
    "neighbours of icmp": (
        [permits(f"{n}.0.0.0/8", None, None, "icmp") for n in (12, 13)],
        [0, 1],
    ),
    "neighbours at one port and others at another": (
        [permits(f"{n}.0.0.0/8", port, port) for n, port in ((12, 1), (13, 1), (98, 2), (99, 2))],
        [0, 1, 2, 3],
    ),
    "neighbours at two ports, one block at a third": (
        [permits("12.0.0.0/8"), permits("13.0.0.0/8"), permits("12.0.0.0/8", 22, 22)],
        [0, 1],
    ),
    "global unicast": (each("2000::/3"), [0]),
    "an IPv6 /31": (each("2600:1f00::/31"), [0]),
    "an IPv6 /32": (each("2600:1f00::/32"), []),
    "IPv6 neighbours": (each("2600:1f00::/32", "2600:1f01::/32"), [0, 1]),
    "IPv6 neighbours that are no CIDR block": (each("2600:1f01::/32", "2600:1f02::/32"), [0, 1]),
    "IPv6 with a gap": (each("2600:1f01::/32", "2600:1f03::/32"), []),
    "half of a /32 beside a whole one": (each("2600:1f01:8000::/33", "2600:1f02::/32"), [0, 1]),
    "IPv4 and IPv6": (each("52.0.0.0/8", "2600:1f00::/32"), []),
    **{
        f"not public: {block}": (each(block), [])
        for block in (
            *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8"),
            *("0.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4", "224.0.0.0/3"),
            *("fc00::/7", "fe80::/10", "ff00::/8"),
        )
    },
}


@pytest.mark.parametrize(("permissions", "numbers"), OPEN.values(), ids=OPEN)
def test_what_is_open_to_the_internet(permissions: list[Permission], numbers: list[int]) -> None:
    assert list(open_permissions(permissions, PREFIX_LIMITS)) == [permissions[n] for n in numbers]


NO_CIDR = "no Cidr in one of the Entries"
# The entries of a prefix list, which of them are open, and why they are not all known.
LISTS: dict[str, tuple[list[Any], list[str], tuple[str, str, str] | None]] = {
    "named sources": (["198.51.100.0/24"], [], None),
    "everywhere": (["10.0.0.0/8", ALL], [ALL], None),
    "no entries": ([], [], None),
    "a host in an entry": (["1.2.3.4/0"], ["1.2.3.4/0"], None),
    "refused": ([refusal()], [], ("UnauthorizedOperation", "allow {}", READ)),
    "gone": (
        [refusal("InvalidPrefixListID.NotFound")],
        [],
        ("InvalidPrefixListID.NotFound", GONE, FOUND),
    ),
    "throttled after an open block": (
        ["::/0", refusal("RequestLimitExceeded")],
        ["::/0"],
        ("RequestLimitExceeded", "scan again", READ),
    ),
    "an entry without a block": (
        [{"Description": "x"}, "::/0"],
        ["::/0"],
        (NO_CIDR, AGAIN, UNDERSTOOD),
    ),
    "an entry that is no block": (["everywhere"], [], (NO_CIDR, AGAIN, UNDERSTOOD)),
    "an entry that is a number": ([{"Cidr": 7}], [], (NO_CIDR, AGAIN, UNDERSTOOD)),
}


@pytest.mark.parametrize(("entries", "blocks", "why"), LISTS.values(), ids=LISTS)
def test_prefix_list(entries: list[Any], blocks: list[str], why: Any) -> None:
    def read(**rules: Any) -> tuple[SecurityGroup, EC2]:
        ec2 = EC2(SecurityGroups=[group(**rules)], **{"pl-1": entries})
        _, facts = read_network(ec2, [], [("sg-1",)])
        return facts["sg-1",][0], ec2

    texts = [f"tcp 22 {{}} {block} of prefix list pl-1" for block in blocks]
    what = "prefix list pl-1 of security group sg-1"
    reasons = (unread(what, why[0], ENTRIES, *why[1:]),) if why else ()
    named = [rule("pl-1"), rule("pl-1")]
    facts, ec2 = read(IpPermissions=named)
    expected = opened(*(text.format("from") for text in texts))
    assert facts == replace(CLOSED, open_ingress=expected, unread=reasons)
    assert ec2.asked.count(("Entries", "pl-1", 1)) == 1
    facts, _ = read(egress=named)
    expected = opened(*(text.format("to") for text in texts))
    assert facts == replace(CLOSED, open_egress=expected, unread_egress=reasons)


def test_a_rule_may_name_blocks_and_prefix_lists() -> None:
    ec2 = EC2(SecurityGroups=[group(rule("0.0.0.0/1", "pl-1"))], **{"pl-1": ["128.0.0.0/1"]})
    _, facts = read_network(ec2, [], [("sg-1",)])
    texts = ("tcp 22 from 0.0.0.0/1", "tcp 22 from 128.0.0.0/1 of prefix list pl-1")
    assert facts["sg-1",] == (sg(*texts),)


# What AWS answers to a call, and what is said of it.
WHY: dict[str, tuple[Exception, str, str, str]] = {
    "refused": (refusal(), "UnauthorizedOperation", "allow {}", READ),
    **{
        f"denied in {policy}": (
            refusal(message=f"not authorized with an explicit deny in {policy}{end}"),
            f"UnauthorizedOperation, explicit deny in {policy}",
            "change that policy, because to allow {} elsewhere is not enough",
            READ,
        )
        for policy, end in (
            ("a service control policy", ": x"),
            *(("a VPC endpoint policy", ""), ("a permissions boundary", "")),
        )
    },
    **{
        f"no {kind} allows it": (
            refusal(message=f"because no {kind} allows the ec2:DescribeSubnets action"),
            f"UnauthorizedOperation, no {kind} allows it",
            f"allow {{}}{place}",
            READ,
        )
        for kind, place in (
            ("identity-based policy", ""),
            ("permissions boundary", " in the permissions boundary"),
            ("session policy", " in the session policy"),
            ("VPC endpoint policy", " in the VPC endpoint policy"),
        )
    },
    "throttled by its status": (refusal("Busy", status=429), "Busy", "scan again", READ),
    "throttled": (refusal("RequestLimitExceeded"), "RequestLimitExceeded", "scan again", READ),
    "broken": (refusal("InternalError", status=500), "InternalError", "scan again", READ),
    "unavailable": (refusal("Unavailable", status=503), "Unavailable", "scan again", READ),
    "broken without a status": (
        *(refusal("ServiceUnavailable"), "ServiceUnavailable"),
        *("scan again", READ),
    ),
    "a fault of the caller": (refusal("InvalidFilter", status=499), "InvalidFilter", AGAIN, READ),
    "expired": (
        *(refusal("RequestExpired"), "RequestExpired"),
        *("renew the credentials, or leave out a region that is not enabled", READ),
    ),
    "no code": (refusal(""), "unknown error", AGAIN, READ),
    "a code with markup": (refusal("<b>Throttling</b>"), "bThrottlingb", "scan again", READ),
    "time-out": (ReadTimeoutError(endpoint_url="x"), "ReadTimeoutError", "scan again", READ),
    "garbled": (KeyError("x"), "the answer is garbled, KeyError", AGAIN, UNDERSTOOD),
    "malformed": (MalformedError("no Subnets"), "no Subnets", AGAIN, UNDERSTOOD),
}


@pytest.mark.parametrize(("error", "why", "remedy", "problem"), WHY.values(), ids=WHY)
def test_why_a_subnet_is_unknown(error: Exception, why: str, remedy: str, problem: str) -> None:
    facts, _ = read_network(EC2(Subnets=[error]), ["subnet-1"], [])
    reason = unread("subnet subnet-1", why, SUBNETS, remedy, problem)
    assert facts == {"subnet-1": replace(NOTHING, vpc_id=None, unread=(reason,))}


TWICE = {
    "the same twice": ([IN, IN], [group(), group()], None, None),
    "none": ([], [], "AWS returned no such {}", FOUND),
    "two answers": (
        [IN, {**IN, "CidrBlock": "10.0.9.0/24"}, {**IN, "SubnetId": "subnet-2"}],
        [group(), group(rule(ALL)), group(number=2)],
        *("AWS answered it in two ways", UNDERSTOOD),
    ),
    "two answers, the sound one last": (
        [{**IN, "VpcId": "vpc-2"}, IN],
        [group(rule(ALL)), group()],
        *("AWS answered it in two ways", UNDERSTOOD),
    ),
}


@pytest.mark.parametrize(("subnets", "groups", "why", "problem"), TWICE.values(), ids=TWICE)
def test_an_id_is_answered_once(
    subnets: list[Any], groups: list[Any], why: str | None, problem: Any
) -> None:
    ec2 = EC2(Subnets=subnets, RouteTables=[main(1)], SecurityGroups=groups)
    of_subnets, of_groups = read_network(ec2, ["subnet-1"], [("sg-1",)])
    ((closed,),) = of_groups.values()
    subnet = of_subnets["subnet-1"]
    if not why:
        assert (subnet, closed) == (known(1), CLOSED)
        return
    remedy = GONE if problem == FOUND else AGAIN
    reason = unread("subnet subnet-1", why.format("subnet"), SUBNETS, remedy, problem)
    assert subnet == replace(NOTHING, vpc_id=None, unread=(reason,))
    words = "security group sg-1", why.format("security group"), GROUPS
    reasons = (unread(*words, remedy, problem),)
    assert closed == SecurityGroup("sg-1", None, (), (), reasons, reasons)


@pytest.mark.parametrize("vpc_id", [None, 7, "garbage"])
def test_a_subnet_of_no_vpc_is_unknown(vpc_id: Any) -> None:
    facts, ec2 = read_subnet({**IN, "VpcId": vpc_id}, [main(1)])
    reason = garbled("subnet subnet-1", "no VpcId in it", SUBNETS)
    assert facts == replace(NOTHING, vpc_id=None, unread=(reason,))
    assert len(ec2.asked) == 1


def test_an_answer_without_its_list_is_malformed() -> None:
    ec2 = EC2()
    ec2.paginate = lambda **_: [{}]  # type: ignore[method-assign]
    facts, _ = read_network(ec2, ["subnet-1"], [])
    (reason,) = reasons_of(facts["subnet-1"])
    assert reason.why == "no Subnets in the answer"
    prefix_list = network._read_prefix_list(ec2, "pl-1")
    assert (prefix_list.items, str(prefix_list.error)) == ((), "no Entries in the answer")


def test_ids_are_asked_for_by_filters_and_200_at_a_time() -> None:
    ec2 = EC2()
    sets = [tuple(f"sg-{n}" for n in range(200))]
    read_network(ec2, [f"subnet-{n}" for n in range(401)], sets)
    subnets = [("Subnets", "subnet-id", number) for number in (200, 200, 1)]
    assert ec2.asked == [*subnets, ("SecurityGroups", "group-id", 200)]
    _, ec2 = read_subnet(IN, [main(1)])
    assert ec2.asked == [("Subnets", "subnet-id", 1), ("RouteTables", "vpc-id", 1)]


def garbage(answer: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every member and item of an answer."""
    parts = answer.items() if isinstance(answer, dict) else enumerate(answer)
    for key, value in parts:
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from garbage(value, (*path, key))


@pytest.mark.parametrize("value", [None, 7, "x", [None], {}, {"x": 7}, True], ids=str)
def test_nothing_of_another_type_raises_or_makes_an_open_network_sound(value: Any) -> None:
    states = {"BlockPublicAccessStates": {"InternetGatewayBlockMode": "off"}}
    answers: dict[str, list[Any]] = {
        "Subnets": [DUAL | states, {**DUAL, "SubnetId": "subnet-4"}],
        "RouteTables": [own(1, TO_VPCE), of(4, TO_ENI), of(2, OUT), edge(back("eni-1"))],
        "VpcEndpoints": [endpoint(1, 2)],
        "SecurityGroups": [group(rule(ALL), egress=[rule("pl-1")])],
        "pl-1": [{"Cidr": "::/0"}],
    }

    def read() -> list[bool]:
        facts, groups = read_network(EC2(**answers), ["subnet-1", "subnet-4"], [("sg-1",)])
        ((only,),) = groups.values()
        return [
            *(bool(subnet.middlebox_routes or subnet.unread) for subnet in facts.values()),
            *(bool(only.open_ingress or only.unread), bool(only.open_egress or only.unread_egress)),
        ]

    assert all(read())
    sound = copy.deepcopy(answers)
    for path in list(garbage(answers)):
        # What is no structure is no item, and a gateway of another kind is no internet gateway.
        if len(path) < 3 or (value == "x" and path[2:] == ("Associations", 0, "GatewayId")):
            continue
        answers = copy.deepcopy(sound)
        at: Any = answers
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = value
        assert all(read()), path
