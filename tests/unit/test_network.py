"""The network facts as a table: what AWS answers, and what is known from it."""

from dataclasses import replace
from ipaddress import IPv4Network, ip_network
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from checks.sagemaker_models_network_isolation_enabled.lib.answers import MalformedError
from checks.sagemaker_models_network_isolation_enabled.lib.facts import (
    MiddleboxRoute,
    Route,
    SecurityGroup,
    Subnet,
    Unread,
)
from checks.sagemaker_models_network_isolation_enabled.lib.network import (
    read_network,
    read_prefix_list,
)
from checks.sagemaker_models_network_isolation_enabled.lib.ranges import (
    BROADEST,
    Permission,
    open_permissions,
)

LOCAL = {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active"}
OUT = {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1", "State": "active"}
SUBNETS = [{"SubnetId": "subnet-1", "VpcId": "vpc-1"}]
TABLE = "the route table of subnet subnet-1"


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
            for entry in self.answers.get(PrefixListId, []):
                if isinstance(entry, Exception):
                    raise entry
                yield {"Entries": [entry if isinstance(entry, dict) else {"Cidr": entry}]}
            return
        key = {
            "describe_subnets": "Subnets",
            "describe_route_tables": "RouteTables",
            "describe_security_groups": "SecurityGroups",
            "describe_vpc_endpoints": "VpcEndpoints",
            "describe_network_interfaces": "NetworkInterfaces",
        }[self.operation]
        self.asked.append((key, Filters[0]["Name"], len(Filters[0]["Values"])))
        for item in self.answers.get(key, []):
            if isinstance(item, Exception):
                raise item
            yield {key: [item]}


def table(
    number: int, *routes: dict[str, str], vpc: str | None = "vpc-1", **association: Any
) -> dict[str, Any]:
    """Return a route table with a local route, and one association where it is given."""
    made: dict[str, Any] = {
        "RouteTableId": f"rtb-{number}",
        "Routes": [LOCAL, *routes],
        "Associations": [association] if association else [],
    }
    return made | ({"VpcId": vpc} if vpc else {})


def own(number: int, *routes: dict[str, str], state: str = "associated", **rest: Any) -> Any:
    state_of: dict[str, Any] = {"AssociationState": {"State": state}}
    return table(number, *routes, Main=False, SubnetId="subnet-1", **state_of, **rest)


def main(number: int, *routes: dict[str, str], **rest: Any) -> Any:
    return table(number, *routes, Main=True, **rest)


def to(key: str, target: str, destination: str = "0.0.0.0/0", **route: str) -> dict[str, str]:
    return {"DestinationCidrBlock": destination, key: target, "State": "active", **route}


def advertised(block: str, next_hop: str | None = None) -> dict[str, str]:
    route = {"DestinationCidrBlock": block, "Origin": "Advertisement", "State": "active"}
    return route | ({"IpAddress": next_hop} if next_hop else {})


def known(number: int, *routes: tuple[str, str]) -> Subnet:
    return Subnet("subnet-1", "vpc-1", f"rtb-{number}", tuple(Route(*r) for r in routes))


def unknown(why: str, number: int | None = None, *routes: tuple[str, str]) -> Subnet:
    remedy = (
        "check where it leads with ec2:DescribeRouteTables, or use a newer version of the plugin"
        if why == NEW
        else "scan again"
        if why == "Throttling"
        else "scan again, or check with ec2:DescribeRouteTables"
    )
    unread = Unread(TABLE, why, "ec2:DescribeRouteTables", remedy)
    name = f"rtb-{number}" if number else None
    outs = tuple(Route(*r) for r in routes)
    return Subnet("subnet-1", "vpc-1", name, outs, unread=(unread,))


def refusal(
    code: str = "UnauthorizedOperation", message: str = "no", status: int = 400
) -> ClientError:
    about: Any = {"HTTPStatusCode": status}
    answer: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": about}
    return ClientError(answer, "Describe")


LACKS = "a route of rtb-1 lacks its destination, target or state"
NEW = "a route of rtb-1 leads to newgw-1, which this check does not know"
SUBNET_CASES: dict[str, tuple[list[Any], Subnet]] = {
    "its own table": ([main(1, OUT), own(2)], known(2)),
    "its own public table": ([main(1), own(2, OUT)], known(2, ("0.0.0.0/0", "igw-1"))),
    "the main table of its own VPC": ([main(1), main(2, OUT, vpc="vpc-2")], known(1)),
    "the main table, public": (
        [main(1, OUT), main(2, vpc="vpc-2")],
        known(1, ("0.0.0.0/0", "igw-1")),
    ),
    "a table of another subnet": ([main(1), table(2, OUT, SubnetId="subnet-2")], known(1)),
    "a table of a gateway": ([main(1), table(2, OUT, GatewayId="igw-1")], known(1)),
    "its own public table after one of another VPC": (
        [main(1, vpc="vpc-2"), own(2, OUT)],
        known(2, ("0.0.0.0/0", "igw-1")),
    ),
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
            {
                **own(2, OUT),
                "Associations": [
                    {"Main": True, "AssociationState": {"State": "associating"}},
                    {"Main": False, "SubnetId": "subnet-1"},
                ],
            },
        ],
        known(2, ("0.0.0.0/0", "igw-1")),
    ),
    "its own table, which is another subnet's too": (
        [
            main(1),
            {
                **table(2, OUT),
                "Associations": [{"SubnetId": f"subnet-{number}"} for number in (2, 1)],
            },
        ],
        known(2, ("0.0.0.0/0", "igw-1")),
    ),
    "its own table, of something that is no VPC": (
        [main(1), own(2, OUT, vpc="garbage")],
        known(2, ("0.0.0.0/0", "igw-1")),
    ),
    "two tables of its own": (
        [main(1), own(2), own(3, OUT)],
        unknown("AWS answered 2 tables of its own"),
    ),
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
    "an association with nothing, of another VPC": (
        [main(1), table(2, OUT, Main=False, vpc="vpc-2")],
        known(1),
    ),
    "associations that are no list": (
        [main(1), {**table(2, OUT), "Associations": None}],
        unknown("no Associations in rtb-2"),
    ),
    "its own table beside a broken one": (
        [own(1), {**table(2, OUT), "Associations": None}],
        known(1),
    ),
    "a table without an id": (
        [main(1), {**table(2, OUT), "RouteTableId": None}],
        unknown("no RouteTableId in one of the RouteTables"),
    ),
    "an empty id": (
        [main(1), {**table(2, OUT), "RouteTableId": ""}],
        unknown("no RouteTableId in one of the RouteTables"),
    ),
    "two tables of one id": (
        [main(1), own(1, OUT)],
        unknown("two RouteTables have the RouteTableId rtb-1"),
    ),
    "one table on two pages": ([own(1), own(1)], known(1)),
    "its own table before the call broke": ([own(1), refusal("Throttling")], known(1)),
    "the main table before the call broke": (
        [main(1), refusal("Throttling")],
        unknown("Throttling"),
    ),
    "no routes": ([{**main(1), "Routes": []}], unknown(LACKS, 1)),
    "routes that are no list": ([{**main(1), "Routes": 7}], unknown("no Routes in rtb-1", 1)),
    "routes of something else": ([{**main(1), "Routes": [7]}], unknown("no Routes in rtb-1", 1)),
    "a carrier gateway": (
        [main(1, to("CarrierGatewayId", "cagw-1"))],
        known(1, ("0.0.0.0/0", "cagw-1")),
    ),
    "a carrier gateway of an unknown kind": (
        [main(1, to("CarrierGatewayId", "carrier"))],
        known(1, ("0.0.0.0/0", "carrier")),
    ),
    "a carrier gateway by its prefix": (
        [main(1, to("GatewayId", "cagw-1"))],
        known(1, ("0.0.0.0/0", "cagw-1")),
    ),
    "IPv6": (
        [main(1, {"DestinationIpv6CidrBlock": "::/0", "GatewayId": "igw-1", "State": "active"})],
        known(1, ("::/0", "igw-1")),
    ),
    "a prefix list": (
        [main(1, {"DestinationPrefixListId": "pl-1", "GatewayId": "igw-1", "State": "active"})],
        known(1, ("pl-1", "igw-1")),
    ),
    "two ways out": (
        [main(1, OUT, to("GatewayId", "igw-1", "8.8.8.8/32"))],
        known(1, ("0.0.0.0/0", "igw-1"), ("8.8.8.8/32", "igw-1")),
    ),
    "a filtered route": (
        [main(1, {**OUT, "State": "filtered"})],
        known(1, ("0.0.0.0/0", "igw-1")),
    ),
    "a dead route to a gateway that nobody knows": (
        [main(1, to("GatewayId", "newgw-1", State="blackhole"))],
        known(1),
    ),
    "a route that VPC Route Server advertised": ([main(1, advertised("192.168.0.0/16"))], known(1)),
    "a blackhole": ([main(1, {**OUT, "State": "blackhole"})], known(1)),
    "a way out in no state": (
        [main(1, {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1"})],
        unknown(LACKS, 1),
    ),
    "a way out to nowhere": (
        [main(1, {"GatewayId": "igw-1", "State": "active"})],
        unknown(LACKS, 1),
    ),
    "a way out in no state before a gateway of an unknown kind": (
        [
            main(
                1,
                {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1"},
                to("GatewayId", "newgw-1"),
            )
        ],
        unknown(LACKS, 1),
    ),
    "a way out and a route without target": (
        [main(1, OUT, {"DestinationCidrBlock": "1.0.0.0/8", "State": "active"})],
        unknown(LACKS, 1, ("0.0.0.0/0", "igw-1")),
    ),
    "a route without target": (
        [
            main(
                1, {"DestinationCidrBlock": "1.0.0.0/8", "State": "active", "Origin": "CreateRoute"}
            )
        ],
        unknown(LACKS, 1),
    ),
    "a route that knows its instance's owner alone": (
        [main(1, {"DestinationCidrBlock": "1.0.0.0/8", "InstanceOwnerId": "1"})],
        unknown(LACKS, 1),
    ),
    "a route without target before a sound one": (
        [main(1, {"DestinationCidrBlock": "1.0.0.0/8"}, to("NatGatewayId", "nat-1"))],
        unknown(LACKS, 1),
    ),
    "a route without state before a blackhole": (
        [main(1, {"GatewayId": "igw-1"}, {**OUT, "State": "blackhole"})],
        unknown(LACKS, 1),
    ),
    "a gateway of an unknown kind": ([main(1, to("GatewayId", "newgw-1"))], unknown(NEW, 1)),
    "a target of an unknown kind": ([main(1, to("NewGatewayId", "newgw-1"))], unknown(NEW, 1)),
    "a gateway of an unknown kind and a way out": (
        [main(1, to("GatewayId", "newgw-1"), OUT, to("GatewayId", "newgw-2"))],
        unknown(NEW, 1, ("0.0.0.0/0", "igw-1")),
    ),
    "a gateway of an unknown kind and a route without target": (
        [main(1, to("GatewayId", "newgw-1"), {"DestinationCidrBlock": "1.0.0.0/8"})],
        unknown(LACKS, 1),
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
        [
            own(1, {"DestinationPrefixListId": "pl-1", "GatewayId": "vpce-1", "State": "active"}),
            table(2, OUT, Main=False, SubnetId="subnet-2"),
        ],
        known(1),
    ),
    "a NAT instance in a public subnet": (
        [
            own(1, {**to("NetworkInterfaceId", "eni-1"), "InstanceId": "i-1"}),
            table(2, OUT, Main=False, SubnetId="subnet-2"),
        ],
        known(1),
    ),
    **{
        f"harmless: {key} {target}": ([main(1, to(key, target))], known(1))
        for key, target in (
            *(("GatewayId", "vgw-1"), ("GatewayId", "vpce-1"), ("GatewayId", "lgw-1")),
            *(("NatGatewayId", "nat-1"), ("EgressOnlyInternetGatewayId", "eigw-1")),
            *(("TransitGatewayId", "tgw-1"), ("VpcPeeringConnectionId", "pcx-1")),
            *(("NetworkInterfaceId", "eni-1"), ("CoreNetworkArn", "arn"), ("InstanceId", "i-1")),
            *(("GatewayId", "VpcLattice"), ("LocalGatewayId", "lgw-1"), ("OdbNetworkArn", "arn")),
        )
    },
}


@pytest.mark.parametrize(("tables", "expected"), SUBNET_CASES.values(), ids=SUBNET_CASES)
def test_subnet(tables: list[Any], expected: Subnet) -> None:
    facts, _ = read_network(EC2(Subnets=SUBNETS, RouteTables=tables), ["subnet-1"], [], ACCOUNT)
    assert facts == {"subnet-1": expected}


def rule(**ends: Any) -> dict[str, Any]:
    return {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [], "Ipv6Ranges": []} | {
        **ends
    }


def ipv4(*blocks: str) -> dict[str, Any]:
    return {"IpRanges": [{"CidrIp": block} for block in blocks]}


def group(*ingress: dict[str, Any], **rest: Any) -> dict[str, Any]:
    made = {"GroupId": "sg-1", "VpcId": "vpc-1"}
    return {**made, "IpPermissions": list(ingress), "IpPermissionsEgress": [], **rest}


def egress_group(*blocks: str) -> dict[str, Any]:
    ranges = [{"CidrIpv6": block} for block in blocks]
    return group(IpPermissionsEgress=[rule(Ipv6Ranges=ranges)])


def broken(why: str, *ingress: str, egress: tuple[str, ...] = ()) -> SecurityGroup:
    remedy = "scan again, or check with ec2:DescribeSecurityGroups"
    unread = Unread("security group sg-1", why, "ec2:DescribeSecurityGroups", remedy)
    return SecurityGroup("sg-1", "vpc-1", ingress, egress, (unread,))


def unlisted(why: str, remedy: str) -> Unread:
    permission = "ec2:GetManagedPrefixListEntries"
    what = "prefix list pl-1 of security group sg-1"
    return Unread(what, why, permission, remedy.format(permission))


JOINED = " (joined with others, broader than a /8 or an IPv6 /32)"
NO_RANGE = "a rule in IpPermissions of sg-1 lacks its range"
GROUP_CASES: dict[str, tuple[dict[str, Any], SecurityGroup]] = {
    "no rules": (group(), SecurityGroup("sg-1", "vpc-1")),
    "named sources": (
        group(rule(**ipv4("10.0.0.0/8", "52.0.0.0/8"))),
        SecurityGroup("sg-1", "vpc-1"),
    ),
    "a host in a half of everywhere": (
        group(rule(**ipv4("1.2.3.4/32", "0.0.0.0/1"))),
        SecurityGroup("sg-1", "vpc-1", ("tcp 22 from 0.0.0.0/1",)),
    ),
    "neighbours": (
        group(rule(**ipv4("12.0.0.0/8", "13.0.0.0/8"))),
        SecurityGroup(
            *("sg-1", "vpc-1"),
            ("tcp 22 from 12.0.0.0/8", f"tcp 22 from 13.0.0.0/8{JOINED}"),
        ),
    ),
    "neighbours at two ports": (
        group(
            rule(**ipv4("12.0.0.0/8")),
            {**rule(**ipv4("13.0.0.0/8")), "FromPort": 23, "ToPort": 24},
        ),
        SecurityGroup("sg-1", "vpc-1"),
    ),
    "neighbours by two protocols": (
        group(rule(**ipv4("12.0.0.0/8")), {**rule(**ipv4("13.0.0.0/8")), "IpProtocol": "udp"}),
        SecurityGroup("sg-1", "vpc-1"),
    ),
    "neighbours by udp at two ports": (
        group(
            *(
                {**rule(**ipv4(f"{n}.0.0.0/8")), "IpProtocol": "udp", "FromPort": n, "ToPort": n}
                for n in (12, 13)
            )
        ),
        SecurityGroup("sg-1", "vpc-1"),
    ),
    "neighbours at ports that meet": (
        group(
            {**rule(**ipv4("12.0.0.0/8")), "FromPort": 20},
            {**rule(**ipv4("13.0.0.0/8")), "ToPort": 25},
        ),
        SecurityGroup(
            *("sg-1", "vpc-1"),
            (
                "tcp 20-22 from 12.0.0.0/8",
                f"tcp 22-25 from 13.0.0.0/8{JOINED}",
            ),
        ),
    ),
    "neighbours by two codes of one type of icmp": (
        group(
            *(
                {**rule(**ipv4(f"{n}.0.0.0/8")), "IpProtocol": "icmp", "FromPort": 3, "ToPort": n}
                for n in (12, 13)
            )
        ),
        SecurityGroup("sg-1", "vpc-1"),
    ),
    "neighbours by a code of icmp and by its type": (
        group(
            *(
                {**rule(**ipv4(f"{n}.0.0.0/8")), "IpProtocol": "icmp", "FromPort": 3, "ToPort": c}
                for n, c in ((12, 255), (13, -1))
            )
        ),
        SecurityGroup(
            *("sg-1", "vpc-1"),
            ("icmp type 3 code 255 from 12.0.0.0/8", f"icmp type 3 from 13.0.0.0/8{JOINED}"),
        ),
    ),
    "neighbours by a type of icmp and by the next one": (
        group(
            *(
                {**rule(**ipv4(block)), "IpProtocol": "icmp", "FromPort": kind, "ToPort": code}
                for block, kind, code in (("12.0.0.0/8", 3, -1), ("13.0.0.0/8", 4, 0))
            )
        ),
        SecurityGroup("sg-1", "vpc-1"),
    ),
    "neighbours, one of them without its last port": (
        group(
            {**rule(**ipv4("12.0.0.0/8")), "ToPort": None},
            {**rule(**ipv4("13.0.0.0/8")), "FromPort": 99, "ToPort": 99},
        ),
        SecurityGroup(
            *("sg-1", "vpc-1"), ("tcp from 12.0.0.0/8", f"tcp 99 from 13.0.0.0/8{JOINED}")
        ),
    ),
    "neighbours by two types of icmp": (
        group(
            *(
                {**rule(**ipv4(f"{n}.0.0.0/8")), "IpProtocol": "icmp", "FromPort": n, "ToPort": 0}
                for n in (12, 13)
            )
        ),
        SecurityGroup("sg-1", "vpc-1"),
    ),
    "neighbours by a type of icmp and by all": (
        group(
            *(
                {**rule(**ipv4(f"{n}.0.0.0/8")), "IpProtocol": "icmp", "FromPort": t, "ToPort": -1}
                for n, t in ((12, 8), (13, -1))
            )
        ),
        SecurityGroup(
            *("sg-1", "vpc-1"), ("icmp type 8 from 12.0.0.0/8", f"icmp from 13.0.0.0/8{JOINED}")
        ),
    ),
    "ports in the wrong order": (
        group({**rule(**ipv4("0.0.0.0/0")), "FromPort": 443, "ToPort": 80}),
        SecurityGroup("sg-1", "vpc-1", ("tcp from 0.0.0.0/0",)),
    ),
    "tcp without ports beside neighbours at two": (
        group(
            {"IpProtocol": "tcp", **ipv4("9.9.9.9/32"), "Ipv6Ranges": []},
            rule(**ipv4("12.0.0.0/8")),
            {**rule(**ipv4("13.0.0.0/8")), "FromPort": 23, "ToPort": 23},
        ),
        SecurityGroup("sg-1", "vpc-1"),
    ),
    "the same block twice": (
        group(rule(**ipv4("0.0.0.0/1")), rule(**ipv4("0.0.0.0/1"))),
        SecurityGroup("sg-1", "vpc-1", ("tcp 22 from 0.0.0.0/1",)),
    ),
    "another group": (
        group(rule(UserIdGroupPairs=[{"GroupId": "sg-2"}])),
        SecurityGroup("sg-1", "vpc-1"),
    ),
    "a prefix list without an id": (group(rule(PrefixListIds=[{}])), broken(NO_RANGE)),
    "prefix lists that are no list": (
        group(rule(PrefixListIds="pl-1", UserIdGroupPairs=[{}])),
        broken(NO_RANGE),
    ),
    "everywhere, IPv4": (
        group(rule(**ipv4("10.0.0.0/8", "0.0.0.0/0"))),
        SecurityGroup("sg-1", "vpc-1", ("tcp 22 from 0.0.0.0/0",)),
    ),
    "everywhere, IPv6": (
        group(rule(Ipv6Ranges=[{"CidrIpv6": "::/0"}])),
        SecurityGroup("sg-1", "vpc-1", ("tcp 22 from ::/0",)),
    ),
    "everywhere, written at length": (
        group(rule(Ipv6Ranges=[{"CidrIpv6": "0:0:0:0:0:0:0:0/0"}])),
        SecurityGroup("sg-1", "vpc-1", ("tcp 22 from 0:0:0:0:0:0:0:0/0",)),
    ),
    "everywhere, with a host in it": (
        group(rule(**ipv4("1.2.3.4/0"))),
        SecurityGroup("sg-1", "vpc-1", ("tcp 22 from 1.2.3.4/0",)),
    ),
    "all traffic": (
        group({**rule(**ipv4("0.0.0.0/0")), "IpProtocol": "-1"}),
        SecurityGroup("sg-1", "vpc-1", ("all traffic from 0.0.0.0/0",)),
    ),
    "a range of ports": (
        group({**rule(**ipv4("0.0.0.0/0")), "IpProtocol": "udp", "ToPort": 99}),
        SecurityGroup("sg-1", "vpc-1", ("udp 22-99 from 0.0.0.0/0",)),
    ),
    "a protocol without ports": (
        group({**rule(**ipv4("0.0.0.0/0")), "IpProtocol": "icmp", "FromPort": 8, "ToPort": 0}),
        SecurityGroup("sg-1", "vpc-1", ("icmp type 8 code 0 from 0.0.0.0/0",)),
    ),
    "a type of icmp with all its codes": (
        group({**rule(**ipv4("0.0.0.0/0")), "IpProtocol": "icmp", "FromPort": 8, "ToPort": -1}),
        SecurityGroup("sg-1", "vpc-1", ("icmp type 8 from 0.0.0.0/0",)),
    ),
    "a type of ICMPv6": (
        group(
            {
                **rule(Ipv6Ranges=[{"CidrIpv6": "::/0"}]),
                **{"IpProtocol": "icmpv6", "FromPort": 128, "ToPort": 0},
            }
        ),
        SecurityGroup("sg-1", "vpc-1", ("icmpv6 type 128 code 0 from ::/0",)),
    ),
    "a protocol by its number": (
        group({"IpProtocol": "50", **ipv4("0.0.0.0/0"), "Ipv6Ranges": []}),
        SecurityGroup("sg-1", "vpc-1", ("protocol 50 from 0.0.0.0/0",)),
    ),
    "tcp without ports": (
        group({"IpProtocol": "tcp", **ipv4("0.0.0.0/0"), "Ipv6Ranges": []}),
        SecurityGroup("sg-1", "vpc-1", ("tcp from 0.0.0.0/0",)),
    ),
    "egress": (
        group(IpPermissionsEgress=[{**rule(**ipv4("0.0.0.0/0")), "IpProtocol": "-1"}]),
        SecurityGroup("sg-1", "vpc-1", (), ("all traffic to 0.0.0.0/0",)),
    ),
    "no list of rules": (group(IpPermissions=None), broken("no IpPermissions in sg-1")),
    "egress to all of IPv4 by way of NAT64": (
        egress_group("64:ff9b::/96"),
        SecurityGroup("sg-1", "vpc-1", open_egress=("tcp 22 to 64:ff9b::/96",)),
    ),
    "egress to more than all of IPv4 by way of NAT64": (
        egress_group("64:ff9b::/64"),
        SecurityGroup("sg-1", "vpc-1", open_egress=("tcp 22 to 64:ff9b::/64",)),
    ),
    "egress to neighbours by way of NAT64": (
        egress_group("64:ff9b::c00:0/104", "64:ff9b::d00:0/104"),
        SecurityGroup(
            *("sg-1", "vpc-1"),
            open_egress=("tcp 22 to 64:ff9b::c00:0/104", f"tcp 22 to 64:ff9b::d00:0/104{JOINED}"),
        ),
    ),
    "egress to a /32 that is not NAT64's": (
        egress_group("2600:1f00::/32"),
        SecurityGroup("sg-1", "vpc-1"),
    ),
    "egress to one host by way of NAT64": (
        egress_group("64:ff9b::808:808/128"),
        SecurityGroup("sg-1", "vpc-1"),
    ),
    "ingress from NAT64, which leads out only": (
        group(rule(Ipv6Ranges=[{"CidrIpv6": "64:ff9b::/96"}])),
        SecurityGroup("sg-1", "vpc-1"),
    ),
    "no list of egress rules": (
        group(rule(**ipv4("0.0.0.0/0")), IpPermissionsEgress=None),
        SecurityGroup(
            *("sg-1", "vpc-1", ("tcp 22 from 0.0.0.0/0",), ()),
            unread_egress=broken("no IpPermissionsEgress in sg-1").unread,
        ),
    ),
    "a rule for nobody": (group(rule()), broken(NO_RANGE)),
    "a rule without ranges": (
        group(rule(IpRanges=None, UserIdGroupPairs=[{}])),
        broken(NO_RANGE),
    ),
    "an open range beside ranges that are no list": (
        group(rule(IpRanges=None, Ipv6Ranges=[{"CidrIpv6": "::/0"}])),
        broken(NO_RANGE, "tcp 22 from ::/0"),
    ),
    "a range without a block": (group(rule(IpRanges=[{}])), broken(NO_RANGE)),
    "a range that is no block": (group(rule(**ipv4("everywhere"))), broken(NO_RANGE)),
    "a range that is no text": (group(rule(IpRanges=[{"CidrIp": None}])), broken(NO_RANGE)),
    "an open rule beside a broken one": (
        group(rule(**ipv4("everywhere")), rule(**ipv4("0.0.0.0/0"))),
        broken(NO_RANGE, "tcp 22 from 0.0.0.0/0"),
    ),
}


@pytest.mark.parametrize(("answer", "expected"), GROUP_CASES.values(), ids=GROUP_CASES)
def test_security_group(answer: dict[str, Any], expected: SecurityGroup) -> None:
    _, facts = read_network(EC2(SecurityGroups=[answer]), [], [("sg-1",)], ACCOUNT)
    assert facts == {("sg-1",): (expected,)}


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


# What is permitted, and which of it is open, by number.
OPEN: dict[str, tuple[list[Permission], list[int]]] = {
    "everything": ([permits("0.0.0.0/0")], [0]),
    "a half": ([permits("128.0.0.0/1")], [0]),
    "a public /7": ([permits("52.0.0.0/7")], [0]),
    "a /7 that holds a private /8": ([permits("10.0.0.0/7")], [0]),
    "a public /8": ([permits("52.0.0.0/8")], []),
    "a private /8 beside a public one": ([permits("10.0.0.0/8"), permits("11.0.0.0/8")], []),
    "neighbours": ([permits("12.0.0.0/8"), permits("13.0.0.0/8")], [0, 1]),
    "neighbours that are no CIDR block": (
        [permits("13.0.0.0/8"), permits("14.0.0.0/8")],
        [0, 1],
    ),
    "three in a row, and one with a gap": (
        [permits(b) for b in ("4.128.0.0/9", "6.0.0.0/9", "5.0.0.0/8", "6.192.0.0/10")],
        [0, 1, 2],
    ),
    "a gap of one address": (
        [permits(b) for b in ("12.0.0.0/8", *gapped("13.0.0.0/8", "13.0.0.0/32"))],
        [],
    ),
    "in a row with a private block between": (
        [permits("9.0.0.0/8"), permits("10.0.0.0/8"), permits("11.0.0.0/8")],
        [0, 2],
    ),
    "with a private gap between": ([permits("9.0.0.0/8"), permits("11.0.0.0/8")], []),
    "a small block at the end of a row": (
        [permits("12.0.0.0/8"), permits("13.0.0.0/32")],
        [0, 1],
    ),
    "in a row, in another's block at one port alone": (
        [permits("12.0.0.0/7", 1, 1), permits("13.0.0.0/8", 2, 2), permits("14.0.0.0/8", 2, 2)],
        [0, 1, 2],
    ),
    "parts of neighbours": (
        [permits("12.0.0.0/9"), permits("12.128.0.0/9"), permits("13.0.0.0/8")],
        [0, 1, 2],
    ),
    "a /7 in pieces, one of them private": (
        [
            permits(block)
            for block in (
                *("192.0.0.0/9", "192.128.0.0/11", "192.160.0.0/13", "192.168.0.0/16"),
                *("192.169.0.0/16", "192.170.0.0/15", "192.172.0.0/14", "192.176.0.0/12"),
                *("192.192.0.0/10", "193.0.0.0/8"),
            )
        ],
        [0, 1, 2, 4, 5, 6, 7, 8, 9],
    ),
    "a quarter in everything": ([permits("0.0.0.0/0"), permits("64.0.0.0/2")], [0, 1]),
    "neighbours and a part of one": (
        [permits("12.0.0.0/8"), permits("12.0.0.0/16"), permits("13.0.0.0/8")],
        [0, 2],
    ),
    "neighbours and one far away": (
        [permits("12.0.0.0/8"), permits("99.0.0.0/8"), permits("13.0.0.0/8")],
        [0, 2],
    ),
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
    "global unicast": ([permits("2000::/3")], [0]),
    "an IPv6 /31": ([permits("2600:1f00::/31")], [0]),
    "an IPv6 /32": ([permits("2600:1f00::/32")], []),
    "IPv6 neighbours": ([permits("2600:1f00::/32"), permits("2600:1f01::/32")], [0, 1]),
    "IPv6 neighbours that are no CIDR block": (
        [permits("2600:1f01::/32"), permits("2600:1f02::/32")],
        [0, 1],
    ),
    "IPv6 with a gap": ([permits("2600:1f01::/32"), permits("2600:1f03::/32")], []),
    "half of a /32 beside a whole one": (
        [permits("2600:1f01:8000::/33"), permits("2600:1f02::/32")],
        [0, 1],
    ),
    "IPv4 and IPv6": ([permits("52.0.0.0/8"), permits("2600:1f00::/32")], []),
    **{
        f"not public: {block}": ([permits(block)], [])
        for block in (
            *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8"),
            *("0.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4", "224.0.0.0/3"),
            *("fc00::/7", "fe80::/10", "ff00::/8"),
        )
    },
}


@pytest.mark.parametrize(("permissions", "numbers"), OPEN.values(), ids=OPEN)
def test_what_is_open_to_the_internet(permissions: list[Permission], numbers: list[int]) -> None:
    assert open_permissions(permissions, BROADEST) == [permissions[n] for n in numbers]


LISTS: dict[str, tuple[list[Any], SecurityGroup]] = {
    "named sources": (["198.51.100.0/24"], SecurityGroup("sg-1", "vpc-1")),
    "everywhere": (
        ["10.0.0.0/8", "0.0.0.0/0"],
        SecurityGroup("sg-1", "vpc-1", ("tcp 22 from 0.0.0.0/0 of prefix list pl-1",)),
    ),
    "no entries": ([], SecurityGroup("sg-1", "vpc-1")),
    "a host in an entry": (
        ["1.2.3.4/0"],
        SecurityGroup("sg-1", "vpc-1", ("tcp 22 from 1.2.3.4/0 of prefix list pl-1",)),
    ),
    "refused": (
        [refusal()],
        SecurityGroup("sg-1", "vpc-1", unread=(unlisted("UnauthorizedOperation", "allow {}"),)),
    ),
    "gone": (
        [refusal("InvalidPrefixListID.NotFound")],
        SecurityGroup(
            *("sg-1", "vpc-1"),
            unread=(
                unlisted(
                    "InvalidPrefixListID.NotFound",
                    "it was deleted, or is no longer shared with this account; check with {}",
                ),
            ),
        ),
    ),
    "throttled after an open block": (
        ["::/0", refusal("RequestLimitExceeded")],
        SecurityGroup(
            *("sg-1", "vpc-1", ("tcp 22 from ::/0 of prefix list pl-1",)),
            unread=(unlisted("RequestLimitExceeded", "scan again"),),
        ),
    ),
    "an entry without a block": (
        [{"Description": "x"}, "::/0"],
        SecurityGroup(
            *("sg-1", "vpc-1", ("tcp 22 from ::/0 of prefix list pl-1",)),
            unread=(unlisted("no Cidr in one of the Entries", "scan again, or check with {}"),),
        ),
    ),
    "an entry that is no block": (
        ["everywhere"],
        SecurityGroup(
            *("sg-1", "vpc-1"),
            unread=(unlisted("no Cidr in one of the Entries", "scan again, or check with {}"),),
        ),
    ),
}


@pytest.mark.parametrize(("entries", "expected"), LISTS.values(), ids=LISTS)
def test_prefix_list(entries: list[Any], expected: SecurityGroup) -> None:
    named = rule(PrefixListIds=[{"PrefixListId": "pl-1"}])
    ec2 = EC2(SecurityGroups=[group(named, named)], **{"pl-1": entries})
    _, facts = read_network(ec2, [], [("sg-1",)], ACCOUNT)
    assert facts == {("sg-1",): (expected,)}
    assert ec2.asked.count(("Entries", "pl-1", 1)) == 1
    ec2 = EC2(SecurityGroups=[group(IpPermissionsEgress=[named])], **{"pl-1": entries})
    _, facts = read_network(ec2, [], [("sg-1",)], ACCOUNT)
    ((fact,),) = facts.values()
    assert not fact.open_ingress
    assert not fact.unread
    assert fact.open_egress == tuple(t.replace(" from ", " to ") for t in expected.open_ingress)
    assert fact.unread_egress == expected.unread


def test_a_rule_may_name_blocks_and_prefix_lists() -> None:
    named = rule(**ipv4("0.0.0.0/1"), PrefixListIds=[{"PrefixListId": "pl-1"}])
    ec2 = EC2(SecurityGroups=[group(named)], **{"pl-1": ["128.0.0.0/1"]})
    _, facts = read_network(ec2, [], [("sg-1",)], ACCOUNT)
    ((fact,),) = facts.values()
    assert fact.open_ingress == (
        "tcp 22 from 0.0.0.0/1",
        "tcp 22 from 128.0.0.0/1 of prefix list pl-1",
    )


def test_an_answer_without_entries_is_malformed() -> None:
    ec2 = EC2()
    ec2.get_paginator("get_managed_prefix_list_entries")
    ec2.paginate = lambda **_: [{}]  # type: ignore[method-assign]
    prefix_list = read_prefix_list(ec2, "pl-1")
    assert prefix_list.blocks == ()
    assert str(prefix_list.error) == "no Entries in the answer"


def test_groups_of_one_model_are_open_together_and_no_others() -> None:
    groups = [
        {**group(rule(**ipv4(block))), "GroupId": f"sg-{number}"}
        for number, block in enumerate(("12.0.0.0/8", "13.0.0.0/8", "99.0.0.0/8"))
    ]
    sets = [("sg-0", "sg-1"), ("sg-0", "sg-2"), ("sg-1",)]
    _, facts = read_network(EC2(SecurityGroups=groups), [], sets, ACCOUNT)
    opened = {key: [g.open_ingress for g in value] for key, value in facts.items()}
    text = f"tcp 22 from {{}}.0.0.0/8{JOINED}"
    assert opened == {
        sets[0]: [(text.format(12),), (text.format(13),)],
        sets[1]: [(), ()],
        sets[2]: [()],
    }


ACCOUNT = "123456789012"
IN = {"SubnetId": "subnet-1", "VpcId": "vpc-1", "CidrBlock": "10.0.1.0/24"}
DUAL = {**IN, "Ipv6CidrBlockAssociationSet": [{"Ipv6CidrBlock": "2600:1f00:0:1::/64"}]}
TO_ENI, TO_VPCE = to("NetworkInterfaceId", "eni-1"), to("GatewayId", "vpce-1")


def edge(*routes: dict[str, str], gateway: str = "igw-1", **rest: Any) -> Any:
    return table(9, *routes, GatewayId=gateway, **rest)


def back(block: str = "10.0.1.0/24", **target: str) -> dict[str, str]:
    key = "DestinationIpv6CidrBlock" if ":" in block else "DestinationCidrBlock"
    return {key: block, "State": "active", **(target or {"NetworkInterfaceId": "eni-1"})}


def through(destination: str, middlebox: str, block: str = "10.0.1.0/24") -> MiddleboxRoute:
    return MiddleboxRoute(destination, middlebox, "igw-1", "rtb-9", block)


OUT_ENI = through("0.0.0.0/0", "eni-1")
IN_LINE: dict[str, tuple[dict[str, Any], list[Any], list[MiddleboxRoute]]] = {
    "an appliance": (IN, [own(1, TO_ENI), edge(back())], [OUT_ENI]),
    "a firewall's endpoint": (
        IN,
        [own(1, TO_VPCE), edge(back(GatewayId="vpce-1"))],
        [through("0.0.0.0/0", "vpce-1")],
    ),
    "a firewall in each of two zones": (
        IN,
        [
            own(1, TO_VPCE),
            table(2, to("GatewayId", "vpce-2"), Main=False, SubnetId="subnet-2"),
            edge(back(GatewayId="vpce-1"), back("10.0.2.0/24", GatewayId="vpce-2")),
        ],
        [through("0.0.0.0/0", "vpce-1")],
    ),
    "by the main table": (IN, [main(1, TO_ENI), edge(back())], [OUT_ENI]),
    "an instance, whose interface AWS names too": (
        IN,
        [own(1, {**TO_ENI, "InstanceId": "i-1"}), edge(back())],
        [OUT_ENI],
    ),
    "the whole VPC's traffic": (
        IN,
        [own(1, TO_ENI), edge(back("10.0.0.0/16"))],
        [through("0.0.0.0/0", "eni-1", "10.0.0.0/16")],
    ),
    "the whole VPC's traffic but this subnet's": (
        IN,
        [own(1, TO_ENI), edge(back("10.0.0.0/16"), back(NetworkInterfaceId="eni-2"))],
        [],
    ),
    "half of the subnet's traffic": (
        IN,
        [own(1, TO_ENI), edge(back("10.0.1.0/25"))],
        [through("0.0.0.0/0", "eni-1", "10.0.1.0/25")],
    ),
    "halves of the default": (
        IN,
        [
            own(1, *(to("NetworkInterfaceId", "eni-1", b) for b in ("0.0.0.0/1", "128.0.0.0/1"))),
            edge(back()),
        ],
        [through("0.0.0.0/1", "eni-1"), through("128.0.0.0/1", "eni-1")],
    ),
    "IPv6": (
        DUAL,
        [
            own(
                1,
                {
                    "DestinationIpv6CidrBlock": "::/0",
                    "NetworkInterfaceId": "eni-1",
                    "State": "active",
                },
            ),
            edge(back(), back("2600:1f00:0:1::/64")),
        ],
        [through("::/0", "eni-1", "2600:1f00:0:1::/64")],
    ),
    "hosts in the destinations": (
        IN,
        [own(1, to("NetworkInterfaceId", "eni-1", "8.8.8.8/1")), edge(back("10.0.1.5/24"))],
        [through("8.8.8.8/1", "eni-1", "10.0.1.5/24")],
    ),
    "an appliance with an interface to each side": (
        IN,
        [
            own(1, {**TO_ENI, "InstanceId": "i-1"}),
            edge(back(NetworkInterfaceId="eni-2", InstanceId="i-1")),
        ],
        [through("0.0.0.0/0", "i-1")],
    ),
    "after a route to a firewall that is apart": (
        IN,
        [own(1, TO_VPCE, to("NetworkInterfaceId", "eni-1", "1.0.0.0/8")), edge(back())],
        [through("1.0.0.0/8", "eni-1")],
    ),
    "after a route to private addresses": (
        IN,
        [own(1, to("NetworkInterfaceId", "eni-1", "192.168.0.0/16"), TO_ENI), edge(back())],
        [OUT_ENI],
    ),
    "one of two gateways' tables": (
        IN,
        [
            own(1, TO_ENI),
            edge(back()),
            table(8, back(NetworkInterfaceId="eni-2"), GatewayId="igw-2"),
        ],
        [OUT_ENI],
    ),
    "another appliance's instance": (
        IN,
        [
            own(1, {**TO_ENI, "InstanceId": "i-1"}),
            edge(back(NetworkInterfaceId="eni-2", InstanceId="i-2")),
        ],
        [],
    ),
    "an appliance that VPC Route Server knows by its address": (
        IN,
        [own(1, advertised("0.0.0.0/0", "10.0.9.5")), edge(advertised("10.0.1.0/24", "10.0.9.5"))],
        [through("0.0.0.0/0", "10.0.9.5")],
    ),
    "inspection within a VPC of public addresses": (
        DUAL,
        [
            own(
                1,
                {**back("2600:1f00::/56"), "NetworkInterfaceId": "", "GatewayId": "local"},
                back("2600:1f00:0:2::/64"),
            ),
            edge(back("2600:1f00:0:1::/64")),
        ],
        [],
    ),
    "IPv6 blocks that are not in use": (
        {
            **IN,
            "Ipv6CidrBlockAssociationSet": [
                {"Ipv6CidrBlock": "2600:1f00:0:1::/64", "Ipv6CidrBlockState": {"State": state}}
                for state in ("disassociated", "failed")
            ],
        },
        [own(1, {**back("::/0")}), edge(back("2600:1f00:0:1::/64"))],
        [],
    ),
    "a gateway's routes of VPC Lattice, beside a gateway endpoint": (
        IN,
        [
            own(1, {"DestinationPrefixListId": "pl-1", "GatewayId": "vpce-1", "State": "active"}),
            edge(
                {"DestinationPrefixListId": "pl-2", "GatewayId": "VpcLattice", "State": "active"},
                back("10.0.0.0/16", GatewayId="local"),
            ),
        ],
        [],
    ),
    "no edge table": (IN, [own(1, TO_ENI)], []),
    "no edge table, in the model's own account": (
        {**IN, "OwnerId": ACCOUNT},
        [own(1, TO_ENI)],
        [],
    ),
    "a gateway endpoint of a shared subnet": (
        {**IN, "OwnerId": "999999999999"},
        [own(1, {"DestinationPrefixListId": "pl-1", "GatewayId": "vpce-1", "State": "active"})],
        [],
    ),
    "another subnet's traffic": (IN, [own(1, TO_ENI), edge(back("10.0.2.0/24"))], []),
    "another appliance": (IN, [own(1, TO_ENI), edge(back(NetworkInterfaceId="eni-2"))], []),
    "a subnet behind NAT beside it": (
        IN,
        [own(1, to("NatGatewayId", "nat-1")), edge(back())],
        [],
    ),
    "private destinations alone": (
        IN,
        [own(1, to("NetworkInterfaceId", "eni-1", "10.0.0.0/8")), edge(back())],
        [],
    ),
    "a dead route out": (IN, [own(1, {**TO_ENI, "State": "blackhole"}), edge(back())], []),
    "a dead route back": (
        IN,
        [own(1, TO_ENI), edge({**back(), "State": "blackhole"})],
        [],
    ),
    "the edge table of a VPN gateway": (IN, [own(1, TO_ENI), edge(back(), gateway="vgw-1")], []),
    "the edge table of another VPC": (IN, [own(1, TO_ENI), edge(back(), vpc="vpc-2")], []),
    "an edge table that was taken off": (
        IN,
        [own(1, TO_ENI), edge(back(), AssociationState={"State": "disassociated"})],
        [],
    ),
}


@pytest.mark.parametrize(("subnet", "tables", "expected"), IN_LINE.values(), ids=IN_LINE)
def test_a_middlebox_in_line(
    subnet: dict[str, Any], tables: list[Any], expected: list[MiddleboxRoute]
) -> None:
    facts, _ = read_network(EC2(Subnets=[subnet], RouteTables=tables), ["subnet-1"], [], ACCOUNT)
    assert list(facts["subnet-1"].middlebox_routes) == expected
    assert not facts["subnet-1"].internet_routes
    assert not facts["subnet-1"].unread


EDGE_UNKNOWN: dict[str, tuple[dict[str, Any], list[Any], str | None]] = {
    "the call broke off": (IN, [own(1, TO_ENI), refusal("Throttling")], "Throttling"),
    "the call broke off, and nothing leads to a middlebox": (
        IN,
        [own(1), refusal("Throttling")],
        None,
    ),
    "a prefix list": (
        IN,
        [
            own(1, {"DestinationPrefixListId": "pl-1", **TO_ENI, "DestinationCidrBlock": ""}),
            edge(back()),
        ],
        "rtb-1 sends pl-1 to eni-1, and so does an internet gateway",
    ),
    "a prefix list, by IPv6": (
        DUAL,
        [
            own(1, {"DestinationPrefixListId": "pl-1", **TO_ENI, "DestinationCidrBlock": ""}),
            edge(back("2600:1f00:0:1::/64")),
        ],
        "rtb-1 sends pl-1 to eni-1, and so does an internet gateway",
    ),
    "two appliances in a chain": (
        IN,
        [
            own(1, TO_ENI),
            edge(back(NetworkInterfaceId="eni-2")),
            table(3, to("NetworkInterfaceId", "eni-2"), back(), SubnetId="subnet-9"),
        ],
        "rtb-1 sends traffic to eni-1 and igw-1 sends it to eni-2, which may be one appliance or a "
        "chain of two: network interface eni-1 could not be read, AWS returned no such network "
        "interface",
    ),
    "an appliance by its interface and by its address": (
        IN,
        [own(1, TO_ENI), edge(advertised("10.0.1.0/24", "10.0.9.5"))],
        "rtb-1 sends traffic to eni-1 and igw-1 sends it to 10.0.9.5, which may be one appliance "
        "or a chain of two: network interface eni-1 could not be read, AWS returned no such "
        "network interface",
    ),
    "a firewall's endpoint beside an appliance's address": (
        IN,
        [own(1, TO_VPCE), edge(advertised("10.0.1.0/24", "10.0.9.5"))],
        None,
    ),
    "an edge route without destination before one of VPC Lattice": (
        IN,
        [
            own(1, TO_ENI),
            edge(
                {"NetworkInterfaceId": "eni-1", "State": "active"},
                {"DestinationPrefixListId": "pl-2", "GatewayId": "VpcLattice", "State": "active"},
            ),
        ],
        "a route of rtb-9 lacks its destination, target or state",
    ),
    "an advertised route without its next hop": (
        IN,
        [own(1, advertised("0.0.0.0/0")), edge(back())],
        "a route of rtb-1 lacks its destination, target or state",
    ),
    "an advertised route to private addresses without its next hop": (
        IN,
        [own(1, advertised("192.168.0.0/16")), edge(back())],
        None,
    ),
    "an edge route to a gateway that nobody knows": (
        IN,
        [own(1, TO_ENI), edge(back(GatewayId="newgw-1"))],
        "a route of rtb-9 lacks its destination, target or state",
    ),
    "a dead edge route to a gateway that nobody knows": (
        IN,
        [own(1, TO_ENI), edge({**back(GatewayId="newgw-1"), "State": "blackhole"})],
        None,
    ),
    "a shared subnet, whose owner's gateways are not seen": (
        {**IN, "OwnerId": "999999999999"},
        [own(1, TO_VPCE)],
        "rtb-1 sends 0.0.0.0/0 to vpce-1, and the route tables of internet gateways of account "
        "999999999999, which shares the subnet, are not seen from here",
    ),
    "a shared subnet, whose owner's gateways are seen": (
        {**IN, "OwnerId": "999999999999"},
        [own(1, TO_VPCE), edge(back("10.0.2.0/24", GatewayId="vpce-1"))],
        None,
    ),
    "an edge table is being associated": (
        IN,
        [own(1, TO_ENI), edge(back(), AssociationState={"State": "associating"})],
        "the association of igw-1 with rtb-9 is associating",
    ),
    "a route to an appliance without destination": (
        IN,
        [own(1, {"NetworkInterfaceId": "eni-1", "State": "active"}), edge(back())],
        "a route of rtb-1 lacks its destination, target or state",
    ),
    "a route to an appliance without destination, and no edge table": (
        IN,
        [own(1, {"NetworkInterfaceId": "eni-1", "State": "active"})],
        None,
    ),
    "a route to an appliance in no state": (
        IN,
        [own(1, {k: v for k, v in TO_ENI.items() if k != "State"}), edge(back())],
        "a route of rtb-1 lacks its destination, target or state",
    ),
    "a route to something that is no interface": (
        IN,
        [own(1, to("NetworkInterfaceId", "x")), edge(back())],
        "a route of rtb-1 lacks its destination, target or state",
    ),
    "a route to an instance without its interface": (
        IN,
        [own(1, {**to("InstanceId", "i-1"), "NetworkInterfaceId": ""}), edge(back())],
        "a route of rtb-1 lacks its destination, target or state",
    ),
    "a route to a destination that is none": (
        IN,
        [own(1, to("NetworkInterfaceId", "eni-1", "garbage")), edge(back())],
        "a route of rtb-1 lacks its destination, target or state",
    ),
    "the VPC's own destination is none": (
        IN,
        [own(1, to("GatewayId", "local", "garbage"), to("NatGatewayId", "nat-1")), edge(back())],
        "a route of rtb-1 lacks its destination, target or state",
    ),
    "an edge route without destination": (
        IN,
        [own(1, TO_ENI), edge({"NetworkInterfaceId": "eni-1", "State": "active"})],
        "a route of rtb-9 lacks its destination, target or state",
    ),
    "an edge route in no state": (
        IN,
        [own(1, TO_ENI), edge({k: v for k, v in back().items() if k != "State"})],
        "a route of rtb-9 lacks its destination, target or state",
    ),
    "an edge route to something that is no interface": (
        IN,
        [own(1, TO_ENI), edge(back(NetworkInterfaceId="x"))],
        "a route of rtb-9 lacks its destination, target or state",
    ),
    "an edge table without routes": (
        IN,
        [own(1, TO_ENI), {**edge(), "Routes": None}],
        "no Routes in rtb-9",
    ),
    "an edge route in no state before a dead one": (
        DUAL,
        [
            own(1, TO_ENI),
            edge(
                {k: v for k, v in back().items() if k != "State"},
                {**back("2600:1f00:0:1::/64"), "State": "blackhole"},
            ),
        ],
        "a route of rtb-9 lacks its destination, target or state",
    ),
    "no table of the subnet": (IN, [edge(back())], "AWS answered 0 main tables in vpc-1"),
    "no routes of the subnet's table": (
        IN,
        [{**own(1), "Routes": None}, edge(back())],
        "no Routes in rtb-1",
    ),
    "an edge table without associations": (
        IN,
        [own(1, TO_ENI), {**edge(back()), "Associations": None}],
        "no Associations in rtb-9",
    ),
    "the subnet's block": (
        {"SubnetId": "subnet-1", "VpcId": "vpc-1"},
        [own(1, TO_ENI), edge(back())],
        "subnet-1 lacks its CIDR block",
    ),
    "one of the subnet's blocks": (
        {**IN, "Ipv6CidrBlockAssociationSet": [{"Ipv6CidrBlock": "garbage"}]},
        [own(1, TO_ENI), edge(back("10.0.2.0/24"))],
        "subnet-1 lacks its CIDR block",
    ),
    "the subnet's block, and no edge table": (
        {"SubnetId": "subnet-1", "VpcId": "vpc-1"},
        [own(1, TO_ENI)],
        None,
    ),
}


REMEDIES = {
    "which may be one appliance": (
        "it was deleted, or is no longer shared with this account; check with "
        "ec2:DescribeNetworkInterfaces"
    ),
    "and so does an internet gateway": (
        "check whether the list's entries are public, with ec2:GetManagedPrefixListEntries"
    ),
    "which shares the subnet": (
        "check in that account whether one of them sends the subnet's traffic there, with "
        "ec2:DescribeRouteTables"
    ),
}


@pytest.mark.parametrize(("subnet", "tables", "why"), EDGE_UNKNOWN.values(), ids=EDGE_UNKNOWN)
def test_a_middlebox_of_which_nobody_knows(
    subnet: dict[str, Any], tables: list[Any], why: str | None
) -> None:
    facts, _ = read_network(EC2(Subnets=[subnet], RouteTables=tables), ["subnet-1"], [], ACCOUNT)
    assert [unread.why for unread in facts["subnet-1"].unread] == ([why] if why else [])
    for unread in facts["subnet-1"].unread:
        found = [remedy for clause, remedy in REMEDIES.items() if clause in unread.why]
        assert unread.remedy in found or not found


def located(number: int, subnet: str, *addresses: str, instance: str | None = None) -> Any:
    """Return a network interface in a subnet."""
    made = {"NetworkInterfaceId": f"eni-{number}", "SubnetId": subnet}
    attached: Any = {"Attachment": {"InstanceId": instance}} if instance else {}
    return {**made, **attached, "PrivateIpAddresses": [{"PrivateIpAddress": a} for a in addresses]}


def endpoint(number: int, *subnets: str) -> Any:
    """Return a firewall's endpoint in subnets."""
    return {
        "VpcEndpointId": f"vpce-{number}",
        "VpcEndpointType": "GatewayLoadBalancer",
        "SubnetIds": list(subnets),
    }


def of(number: int, *routes: dict[str, str]) -> Any:
    """Return the route table of the subnet of the same number."""
    return table(number, *routes, SubnetId=f"subnet-{number}")


PL = {"DestinationPrefixListId": "pl-1"}
TO_NAT = to("NatGatewayId", "nat-1")
CHAIN = MiddleboxRoute("0.0.0.0/0", "vpce-1", "igw-1", "rtb-9", "10.0.1.0/24", "vpce-2")
# The subnet goes out by vpce-1, and the gateway sends its traffic to vpce-2. Subnet 8 is the NAT
# gateway's, which sends what comes back to vpce-1.
BY_TWO = [
    own(1, TO_VPCE),
    edge(back(GatewayId="vpce-2")),
    of(8, OUT, back(GatewayId="vpce-1")),
    main(7),
]
STAND = {"VpcEndpoints": [endpoint(1, "subnet-2"), endpoint(2, "subnet-3")]}
THREE = {"VpcEndpoints": [*STAND["VpcEndpoints"], endpoint(3, "subnet-4")]}
TO_I1 = {**TO_ENI, "InstanceId": "i-1"}
LOCATED = ("VpcEndpoints", "NetworkInterfaces")
CHECK_CHAIN = "check that with ec2:DescribeRouteTables and ec2:DescribeNetworkInterfaces"
NOT_TOLD = (
    "rtb-1 sends traffic to vpce-1 and igw-1 sends it to vpce-2, which may be one appliance or a "
    "chain of two"
)
APART: dict[str, tuple[list[Any], dict[str, list[Any]], MiddleboxRoute | str | None]] = {
    "apart, as in AWS's template of separate firewalls": (
        [*BY_TWO, of(2, TO_NAT), of(3, OUT)],
        STAND,
        None,
    ),
    "the first hands on to the second": (
        [*BY_TWO, of(2, to("GatewayId", "vpce-2")), of(3, OUT)],
        STAND,
        CHAIN,
    ),
    "the first hands on to a third, and that to the second": (
        [
            *BY_TWO,
            of(2, to("GatewayId", "vpce-3")),
            of(4, to("GatewayId", "vpce-2")),
            of(3, OUT),
        ],
        THREE,
        CHAIN,
    ),
    "the first hands on to a third, and that to the first": (
        [*BY_TWO, of(2, to("GatewayId", "vpce-3")), of(4, to("GatewayId", "vpce-1")), of(3)],
        THREE,
        None,
    ),
    "the first hands on in one of its subnets": (
        [*BY_TWO, of(2, TO_NAT), of(4, to("GatewayId", "vpce-2")), of(3, OUT)],
        {"VpcEndpoints": [endpoint(1, "subnet-2", "subnet-4"), endpoint(2, "subnet-3")]},
        CHAIN,
    ),
    "the second hands what comes in on to the first": (
        [*BY_TWO, of(2, TO_NAT), of(3, OUT, back(GatewayId="vpce-1"))],
        STAND,
        CHAIN,
    ),
    "a dead route from the first to the second": (
        [*BY_TWO, of(2, to("GatewayId", "vpce-2", State="blackhole")), of(3, OUT)],
        STAND,
        None,
    ),
    "S3's gateway endpoint beside them": (
        [
            *BY_TWO,
            of(2, TO_NAT, {**to("GatewayId", "vpce-4", ""), **PL}),
            of(
                3,
                {**to("GatewayId", "vpce-4", ""), **PL},
                {**to("GatewayId", "VpcLattice", ""), **PL},
            ),
        ],
        {
            "VpcEndpoints": [
                *STAND["VpcEndpoints"],
                {"VpcEndpointId": "vpce-4", "VpcEndpointType": "Gateway", "SubnetIds": []},
            ]
        },
        None,
    ),
    "the first hands a prefix list on to the second": (
        [*BY_TWO, of(2, TO_NAT, {**to("GatewayId", "vpce-2", ""), **PL}), of(3, OUT)],
        STAND,
        f"{NOT_TOLD}: rtb-2 sends pl-1 to vpce-2",
    ),
    "one way is not known, and another arrives": (
        [*BY_TWO, of(2, to("GatewayId", "vpce-3"), to("GatewayId", "vpce-2", "1.0.0.0/8")), of(3)],
        STAND,
        CHAIN,
    ),
    "the way out is not known, and the way in arrives": (
        [*BY_TWO, of(2, to("GatewayId", "vpce-3")), of(3, OUT, back(GatewayId="vpce-1"))],
        STAND,
        CHAIN,
    ),
    "the first leads to the internet itself": (
        [*BY_TWO, of(2, OUT), of(3, OUT)],
        STAND,
        f"{NOT_TOLD}: rtb-2, which vpce-1 goes by, leads to the internet",
    ),
    "where the first stands is refused": (
        [*BY_TWO, of(2, TO_NAT), of(3, OUT)],
        {"VpcEndpoints": [refusal()]},
        f"{NOT_TOLD}: VPC endpoint vpce-1 could not be read, UnauthorizedOperation",
    ),
    "AWS does not say where the first stands": (
        [*BY_TWO, of(2, TO_NAT), of(3, OUT)],
        {"VpcEndpoints": [endpoint(1), endpoint(2, "subnet-3")]},
        f"{NOT_TOLD}: AWS does not say in which subnet vpce-1 is",
    ),
    "where the second stands is not known": (
        [*BY_TWO, of(2, TO_NAT), of(3, OUT)],
        {"VpcEndpoints": [endpoint(1, "subnet-2")]},
        f"{NOT_TOLD}: VPC endpoint vpce-2 could not be read, AWS returned no such VPC endpoint",
    ),
    "a route of the first's table is not whole": (
        [*BY_TWO, of(2, {"GatewayId": "vpce-2", "State": "active"}), of(3, OUT)],
        STAND,
        f"{NOT_TOLD}: a route of rtb-2 lacks its destination, target or state",
    ),
    "a route of the first's table is not whole, and those of a third are": (
        [
            *BY_TWO,
            of(2, {"GatewayId": "vpce-2", "State": "active"}, to("GatewayId", "vpce-3")),
            of(4, TO_NAT),
            of(3, OUT),
        ],
        THREE,
        f"{NOT_TOLD}: a route of rtb-2 lacks its destination, target or state",
    ),
    "the first leads to the internet itself, and a third does not": (
        [*BY_TWO, of(2, OUT, to("GatewayId", "vpce-3", "1.0.0.0/8")), of(4, TO_NAT), of(3, OUT)],
        THREE,
        f"{NOT_TOLD}: rtb-2, which vpce-1 goes by, leads to the internet",
    ),
    "of three ways one arrives, and not at its end": (
        [
            *BY_TWO,
            of(
                2,
                *(to("GatewayId", f"vpce-{n}", f"{n}.0.0.0/8") for n in (3, 9, 1)),
            ),
            of(4, to("GatewayId", "vpce-2"), to("GatewayId", "vpce-1", "5.0.0.0/8")),
            of(3, OUT),
        ],
        THREE,
        CHAIN,
    ),
    "the second hands a prefix list on to the first": (
        [*BY_TWO, of(2, TO_NAT), of(3, OUT, {**to("GatewayId", "vpce-1", ""), **PL})],
        STAND,
        f"{NOT_TOLD}: rtb-3 sends pl-1 to vpce-1",
    ),
    "only the subnet's own table sends its traffic to the first": (
        [own(1, TO_VPCE, back(GatewayId="vpce-1")), BY_TWO[1], main(7), of(2, OUT), of(3, OUT)],
        STAND,
        None,
    ),
    "instances in a chain, by the first's other interface": (
        [
            own(1, TO_I1),
            edge(back(NetworkInterfaceId="eni-2", InstanceId="i-2")),
            of(8, back(NetworkInterfaceId="eni-1", InstanceId="i-1")),
            of(2),
            of(4, to("NetworkInterfaceId", "eni-2", InstanceId="i-2")),
            of(3, OUT),
        ],
        {
            "NetworkInterfaces": [
                located(1, "subnet-2", instance="i-1"),
                located(3, "subnet-4", instance="i-1"),
                located(2, "subnet-3", instance="i-2"),
            ]
        },
        replace(CHAIN, middlebox="eni-1", chained="eni-2"),
    ),
    "instances that are apart": (
        [
            own(1, TO_I1),
            edge(back(NetworkInterfaceId="eni-2", InstanceId="i-2")),
            of(8, back(NetworkInterfaceId="eni-1", InstanceId="i-1")),
            of(2, TO_NAT),
            of(3, OUT),
        ],
        {
            "NetworkInterfaces": [
                located(1, "subnet-2", instance="i-1"),
                located(2, "subnet-3", instance="i-2"),
            ]
        },
        None,
    ),
    **{
        f"an interface by its address, {words}": (
            [own(1, out), edge(back_by), of(2, OUT)],
            {"NetworkInterfaces": [located(1, "subnet-2", "10.0.9.5")]},
            OUT_ENI,
        )
        for words, out, back_by in (
            ("which comes in", TO_ENI, advertised("10.0.1.0/24", "10.0.9.5")),
            ("which goes out", advertised("0.0.0.0/0", "10.0.9.5"), back()),
        )
    },
    "an interface and the address of another": (
        [own(1, TO_ENI), edge(advertised("10.0.1.0/24", "10.0.9.5")), of(2, TO_NAT)],
        {"NetworkInterfaces": [located(1, "subnet-2", "10.0.9.6")]},
        "rtb-1 sends traffic to eni-1 and igw-1 sends it to 10.0.9.5, which may be one appliance "
        "or a chain of two: network interface 10.0.9.5 could not be read, AWS returned no such "
        "network interface",
    ),
    "where an interface stands is refused": (
        [own(1, TO_ENI), edge(advertised("10.0.1.0/24", "10.0.9.5")), of(2, OUT)],
        {"NetworkInterfaces": [refusal()]},
        "rtb-1 sends traffic to eni-1 and igw-1 sends it to 10.0.9.5, which may be one appliance "
        "or a chain of two: network interface eni-1 could not be read, UnauthorizedOperation",
    ),
}


@pytest.mark.parametrize(("tables", "there", "expected"), APART.values(), ids=APART)
def test_two_middleboxes_are_chained_or_apart(
    tables: list[Any], there: dict[str, list[Any]], expected: MiddleboxRoute | str | None
) -> None:
    ec2 = EC2(Subnets=[IN], RouteTables=tables, **there)
    facts, _ = read_network(ec2, ["subnet-1"], [], ACCOUNT)
    found = facts["subnet-1"]
    assert [unread.why for unread in found.unread] == [expected] * isinstance(expected, str)
    assert list(found.middlebox_routes) == [expected] * isinstance(expected, MiddleboxRoute)
    for unread in found.unread:
        told = "could not be read" in unread.why
        assert (unread.remedy == CHECK_CHAIN) == (not told)
    assert [key for key, *_ in ec2.asked if key in LOCATED] == list(there)


def test_middleboxes_are_located_only_where_two_may_be_a_chain() -> None:
    def asked(*tables: Any) -> list[tuple[str, str, int]]:
        subnets = [*SUBNETS, {"SubnetId": "subnet-2", "VpcId": "vpc-2"}]
        ec2 = EC2(Subnets=subnets, RouteTables=tables)
        read_network(ec2, ["subnet-1", "subnet-2"], [], ACCOUNT)
        return [call for call in ec2.asked if call[0] in LOCATED]

    assert asked(own(1, TO_ENI), edge(back())) == []
    assert asked(own(1, TO_ENI, to("GatewayId", "vpce-1", "1.0.0.0/8"))) == []
    others = (
        table(number, to("GatewayId", f"vpce-{number}"), vpc="vpc-2", **association)
        for number, association in ((2, {"GatewayId": "igw-2"}), (3, {"SubnetId": "subnet-2"}))
    )
    assert asked(own(1, TO_I1), edge(back(NetworkInterfaceId="eni-2")), *others) == [
        ("NetworkInterfaces", "attachment.instance-id", 1),
        ("NetworkInterfaces", "network-interface-id", 1),
        ("VpcEndpoints", "vpc-endpoint-id", 2),
    ]


def test_the_automated_internet_firewall_is_no_target() -> None:
    inspected = {"FirewallArn": "arn", "Status": "active"}
    subnet = {**IN, "NetworkFirewallConnectivityType": "outbound-only"}
    tables: list[Any] = [own(1, {**OUT, "IgwFirewall": inspected})]  # type: ignore[dict-item]
    facts, _ = read_network(EC2(Subnets=[subnet], RouteTables=tables), ["subnet-1"], [], ACCOUNT)
    assert facts["subnet-1"].internet_routes == (Route("0.0.0.0/0", "igw-1", "active"),)
    assert facts["subnet-1"].firewall_connectivity == "outbound-only"
    tables = [own(1, {"DestinationCidrBlock": "0.0.0.0/0", "IgwFirewall": inspected})]  # type: ignore[dict-item]
    facts, _ = read_network(EC2(Subnets=[subnet], RouteTables=tables), ["subnet-1"], [], ACCOUNT)
    assert [unread.why for unread in facts["subnet-1"].unread] == [LACKS]


@pytest.mark.parametrize(
    ("states", "mode"),
    [({"InternetGatewayBlockMode": "block-bidirectional"}, "block-bidirectional"), (None, None)],
)
def test_block_public_access(states: dict[str, str] | None, mode: str | None) -> None:
    subnet = {**IN, "BlockPublicAccessStates": states}
    for tables in ([own(1)], [refusal()]):
        ec2 = EC2(Subnets=[subnet], RouteTables=tables)
        facts, _ = read_network(ec2, ["subnet-1"], [], ACCOUNT)
        assert facts["subnet-1"].block_public_access == mode


WHY: dict[str, tuple[Exception, str, str]] = {
    "refused": (refusal(), "UnauthorizedOperation", "allow ec2:DescribeSubnets"),
    "denied": (
        refusal(message="not authorized with an explicit deny in a service control policy: x"),
        "UnauthorizedOperation, explicit deny in a service control policy",
        "change that policy, because to allow ec2:DescribeSubnets elsewhere is not enough",
    ),
    "denied by an endpoint's policy": (
        refusal(message="ec2:DescribeSubnets with an explicit deny in a VPC endpoint policy"),
        "UnauthorizedOperation, explicit deny in a VPC endpoint policy",
        "change that policy, because to allow ec2:DescribeSubnets elsewhere is not enough",
    ),
    "denied by a permissions boundary": (
        refusal(message="ec2:DescribeSubnets with an explicit deny in a permissions boundary"),
        "UnauthorizedOperation, explicit deny in a permissions boundary",
        "change that policy, because to allow ec2:DescribeSubnets elsewhere is not enough",
    ),
    **{
        f"no {kind} allows it": (
            refusal(message=f"because no {kind} allows the ec2:DescribeSubnets action"),
            f"UnauthorizedOperation, no {kind} allows it",
            f"allow ec2:DescribeSubnets{place}",
        )
        for kind, place in (
            ("identity-based policy", ""),
            ("permissions boundary", " in the permissions boundary"),
            ("session policy", " in the session policy"),
            ("VPC endpoint policy", " in the VPC endpoint policy"),
        )
    },
    "throttled by its status": (refusal("Busy", status=429), "Busy", "scan again"),
    "throttled": (
        refusal("RequestLimitExceeded"),
        "RequestLimitExceeded",
        "scan again",
    ),
    "broken": (refusal("InternalError", status=500), "InternalError", "scan again"),
    "unavailable": (refusal("Unavailable", status=503), "Unavailable", "scan again"),
    "broken without a status": (refusal("ServiceUnavailable"), "ServiceUnavailable", "scan again"),
    "a fault of the caller": (
        refusal("InvalidFilter", status=499),
        "InvalidFilter",
        "scan again, or check with ec2:DescribeSubnets",
    ),
    "expired": (
        refusal("RequestExpired"),
        "RequestExpired",
        "renew the credentials, or leave out a region that is not enabled",
    ),
    "no code": (
        refusal(""),
        "unknown error",
        "scan again, or check with ec2:DescribeSubnets",
    ),
    "a code with markup": (
        refusal("<b>Throttling</b>"),
        "bThrottlingb",
        "scan again",
    ),
    "time-out": (
        ReadTimeoutError(endpoint_url="x"),
        "ReadTimeoutError",
        "scan again",
    ),
    "garbled": (
        KeyError("x"),
        "the answer is garbled, KeyError",
        "scan again, or check with ec2:DescribeSubnets",
    ),
    "malformed": (
        MalformedError("no Subnets"),
        "no Subnets",
        "scan again, or check with ec2:DescribeSubnets",
    ),
}


@pytest.mark.parametrize(("error", "why", "remedy"), WHY.values(), ids=WHY)
def test_why_a_subnet_could_not_be_read(error: Exception, why: str, remedy: str) -> None:
    facts, _ = read_network(EC2(Subnets=[error]), ["subnet-1"], [], ACCOUNT)
    unread = Unread("subnet subnet-1", why, "ec2:DescribeSubnets", remedy)
    assert facts == {"subnet-1": Subnet("subnet-1", unread=(unread,))}


def test_what_is_gone_is_said_to_be() -> None:
    subnets, groups = read_network(EC2(), ["subnet-1"], [("sg-1",)], ACCOUNT)
    advice = "it was deleted, or is no longer shared with this account; check with {}"
    why, permission = "AWS returned no such subnet", "ec2:DescribeSubnets"
    gone = Unread("subnet subnet-1", why, permission, advice.format(permission))
    assert subnets == {"subnet-1": Subnet("subnet-1", unread=(gone,))}
    why, permission = "AWS returned no such security group", "ec2:DescribeSecurityGroups"
    gone = Unread("security group sg-1", why, permission, advice.format(permission))
    assert groups == {("sg-1",): (SecurityGroup("sg-1", unread=(gone,), unread_egress=(gone,)),)}


def test_an_answer_without_its_list_is_malformed() -> None:
    ec2 = EC2()
    ec2.paginate = lambda **_: [{}]  # type: ignore[method-assign]
    facts, _ = read_network(ec2, ["subnet-1"], [], ACCOUNT)
    (unread,) = facts["subnet-1"].unread
    assert unread.why == "no Subnets in the answer"


def test_a_subnet_of_no_vpc_is_unknown() -> None:
    facts, _ = read_network(EC2(Subnets=[{"SubnetId": "subnet-1"}]), ["subnet-1"], [], ACCOUNT)
    remedy = "scan again, or check with ec2:DescribeSubnets"
    unread = Unread("subnet subnet-1", "no VpcId in it", "ec2:DescribeSubnets", remedy)
    assert facts == {"subnet-1": Subnet("subnet-1", unread=(unread,))}


def test_ids_are_asked_for_by_filters_and_200_at_a_time() -> None:
    ec2 = EC2()
    read_network(
        ec2, [f"subnet-{n}" for n in range(401)], [tuple(f"sg-{n}" for n in range(200))], ACCOUNT
    )
    assert ec2.asked == [
        ("Subnets", "subnet-id", 200),
        ("Subnets", "subnet-id", 200),
        ("Subnets", "subnet-id", 1),
        ("SecurityGroups", "group-id", 200),
    ]
    ec2 = EC2(Subnets=SUBNETS, RouteTables=[main(1)])
    read_network(ec2, ["subnet-1"], [], ACCOUNT)
    assert ec2.asked == [("Subnets", "subnet-id", 1), ("RouteTables", "vpc-id", 1)]
