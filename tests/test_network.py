"""The network facts as a table: what AWS answers, and what is known from it."""

from contextlib import ExitStack
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from checks.sagemaker_models_network_isolation_enabled.lib.facts import (
    MalformedError,
    Route,
    SecurityGroup,
    Subnet,
    Unread,
)
from checks.sagemaker_models_network_isolation_enabled.lib.network import (
    read_network,
    refuse_garbled_lists,
)

LOCAL = {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active"}
OUT = {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1", "State": "active"}
SUBNETS = [{"SubnetId": "subnet-1", "VpcId": "vpc-1"}]
TABLE = "the route table of subnet subnet-1"


class EC2:
    """AWS's side: answers each describe call with given items, in pages of one, or raises."""

    class meta:  # noqa: N801
        class events:  # noqa: N801
            @staticmethod
            def register(*_: object) -> None:
                """No answer of this client is XML."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.asked: list[tuple[str, str, int]] = []

    def get_paginator(self, operation: str) -> "EC2":
        self.operation = operation
        return self

    def paginate(self, Filters: list[dict[str, Any]]) -> Any:  # noqa: N803
        key = {
            "describe_subnets": "Subnets",
            "describe_route_tables": "RouteTables",
            "describe_security_groups": "SecurityGroups",
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


def known(number: int, *routes: tuple[str, str]) -> Subnet:
    return Subnet("subnet-1", "vpc-1", f"rtb-{number}", tuple(Route(*r) for r in routes))


def unknown(why: str, number: int | None = None, *routes: tuple[str, str]) -> Subnet:
    remedy = "scan again with ec2:DescribeRouteTables allowed"
    unread = Unread(TABLE, why, "ec2:DescribeRouteTables", remedy)
    name = f"rtb-{number}" if number else None
    return Subnet("subnet-1", "vpc-1", name, tuple(Route(*r) for r in routes), unread)


def refusal(code: str = "UnauthorizedOperation", message: str = "no") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Describe")


LACKS = "a route of rtb-1 lacks its destination, target or state"
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
        unknown("its association with rtb-2 is disassociating"),
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
    "a blackhole": ([main(1, {**OUT, "State": "blackhole"})], known(1)),
    "a way out in no state": (
        [main(1, {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1"})],
        unknown(LACKS, 1),
    ),
    "a way out to nowhere": (
        [main(1, {"GatewayId": "igw-1", "State": "active"})],
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
    "a gateway of an unknown kind": ([main(1, to("GatewayId", "new-1"))], unknown(LACKS, 1)),
    **{
        f"harmless: {key} {target}": ([main(1, to(key, target))], known(1))
        for key, target in (
            *(("GatewayId", "vgw-1"), ("GatewayId", "vpce-1"), ("GatewayId", "lgw-1")),
            *(("NatGatewayId", "nat-1"), ("EgressOnlyInternetGatewayId", "eigw-1")),
            *(("TransitGatewayId", "tgw-1"), ("VpcPeeringConnectionId", "pcx-1")),
            *(("NetworkInterfaceId", "eni-1"), ("CoreNetworkArn", "arn"), ("InstanceId", "i-1")),
        )
    },
}


@pytest.mark.parametrize(("tables", "expected"), SUBNET_CASES.values(), ids=SUBNET_CASES)
def test_subnet(tables: list[Any], expected: Subnet) -> None:
    facts, _ = read_network(EC2(Subnets=SUBNETS, RouteTables=tables), ["subnet-1"], [])
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


def broken(why: str, *ingress: str, egress: tuple[str, ...] = ()) -> SecurityGroup:
    remedy = "scan again with ec2:DescribeSecurityGroups allowed"
    unread = Unread("security group sg-1", why, "ec2:DescribeSecurityGroups", remedy)
    return SecurityGroup("sg-1", "vpc-1", ingress, egress, unread)


NO_RANGE = "a rule in IpPermissions of sg-1 lacks its range"
GROUP_CASES: dict[str, tuple[dict[str, Any], SecurityGroup]] = {
    "no rules": (group(), SecurityGroup("sg-1", "vpc-1")),
    "named sources": (
        group(rule(**ipv4("10.0.0.0/8", "0.0.0.0/1"))),
        SecurityGroup("sg-1", "vpc-1"),
    ),
    "another group": (
        group(rule(UserIdGroupPairs=[{"GroupId": "sg-2"}])),
        SecurityGroup("sg-1", "vpc-1"),
    ),
    "a prefix list": (
        group(rule(PrefixListIds=[{"PrefixListId": "pl-1"}])),
        SecurityGroup("sg-1", "vpc-1"),
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
        SecurityGroup("sg-1", "vpc-1", ("icmp from 0.0.0.0/0",)),
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
    "no list of egress rules": (
        group(rule(**ipv4("0.0.0.0/0")), IpPermissionsEgress=None),
        broken("no IpPermissionsEgress in sg-1", "tcp 22 from 0.0.0.0/0"),
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
    _, facts = read_network(EC2(SecurityGroups=[answer]), [], ["sg-1"])
    assert facts == {"sg-1": expected}


WHY: dict[str, tuple[Exception, str, str]] = {
    "refused": (refusal(), "UnauthorizedOperation", "allow ec2:DescribeSubnets"),
    "denied": (
        refusal(message="not authorized with an explicit deny in a service control policy: x"),
        "UnauthorizedOperation, explicit deny in a service control policy",
        "allow ec2:DescribeSubnets",
    ),
    "throttled": (
        refusal("RequestLimitExceeded"),
        "RequestLimitExceeded",
        "scan again with ec2:DescribeSubnets allowed",
    ),
    "no code": (
        refusal(""),
        "unknown error",
        "scan again with ec2:DescribeSubnets allowed",
    ),
    "a code with markup": (
        refusal("<b>Throttling</b>"),
        "bThrottlingb",
        "scan again with ec2:DescribeSubnets allowed",
    ),
    "time-out": (
        ReadTimeoutError(endpoint_url="x"),
        "ReadTimeoutError",
        "scan again with ec2:DescribeSubnets allowed",
    ),
    "garbled": (
        KeyError("x"),
        "the answer is garbled, KeyError",
        "scan again with ec2:DescribeSubnets allowed",
    ),
    "malformed": (
        MalformedError("no Subnets"),
        "no Subnets",
        "scan again with ec2:DescribeSubnets allowed",
    ),
}


@pytest.mark.parametrize(("error", "why", "remedy"), WHY.values(), ids=WHY)
def test_why_a_subnet_could_not_be_read(error: Exception, why: str, remedy: str) -> None:
    facts, _ = read_network(EC2(Subnets=[error]), ["subnet-1"], [])
    unread = Unread("subnet subnet-1", why, "ec2:DescribeSubnets", remedy)
    assert facts == {"subnet-1": Subnet("subnet-1", unread=unread)}


def test_what_is_gone_is_said_to_be() -> None:
    subnets, groups = read_network(EC2(), ["subnet-1"], ["sg-1"])
    why, advice = "AWS answers that there is none", "see whether it was deleted; {} reads it"
    permission = "ec2:DescribeSubnets"
    gone = Unread("subnet subnet-1", why, permission, advice.format(permission))
    assert subnets == {"subnet-1": Subnet("subnet-1", unread=gone)}
    permission = "ec2:DescribeSecurityGroups"
    gone = Unread("security group sg-1", why, permission, advice.format(permission))
    assert groups == {"sg-1": SecurityGroup("sg-1", unread=gone)}


def test_an_answer_without_its_list_is_malformed() -> None:
    ec2 = EC2()
    ec2.paginate = lambda **_: [{}]  # type: ignore[method-assign]
    facts, _ = read_network(ec2, ["subnet-1"], [])
    assert facts["subnet-1"].unread
    assert facts["subnet-1"].unread.why == "no Subnets in the answer"


GARBLED = {
    "rules": ("<a xmlns='urn:x'><ipPermissions><item><b>c</b></item></ipPermissions></a>", None),
    "no rules": ("<a><ipPermissions/></a>", None),
    "white space": ("<a><ipPermissions>\n  </ipPermissions></a>", None),
    "text for rules": ("<a xmlns='urn:x'><ipPermissions>x</ipPermissions></a>", "ipPermissions"),
    "something else for items": ("<a><associationSet><x/></associationSet></a>", "associationSet"),
    "an item and something else": ("<a><ipRanges><item/><x/></ipRanges></a>", "ipRanges"),
    "text where no list is": ("<a><groupName>x</groupName></a>", None),
}


@pytest.mark.parametrize(("body", "culprit"), GARBLED.values(), ids=GARBLED)
@pytest.mark.parametrize("status", [200, 403])
def test_a_garbled_list_is_not_an_empty_one(body: str, culprit: str | None, status: int) -> None:
    ec2 = boto3.client("ec2", "eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
    refuse_garbled_lists(ec2)
    answer = {"status_code": status, "body": body.encode()}
    with ExitStack() as stack:
        if culprit and status == 200:
            stack.enter_context(pytest.raises(MalformedError, match=f"^{culprit} is no list$"))
        ec2.meta.events.emit("before-parse.ec2.DescribeX", response_dict=answer)


def test_a_subnet_of_no_vpc_is_unknown() -> None:
    facts, _ = read_network(EC2(Subnets=[{"SubnetId": "subnet-1"}]), ["subnet-1"], [])
    remedy = "scan again with ec2:DescribeSubnets allowed"
    unread = Unread("subnet subnet-1", "no VpcId in it", "ec2:DescribeSubnets", remedy)
    assert facts == {"subnet-1": Subnet("subnet-1", unread=unread)}


def test_ids_are_asked_for_by_filters_and_200_at_a_time() -> None:
    ec2 = EC2()
    read_network(ec2, [f"subnet-{n}" for n in range(401)], [f"sg-{n}" for n in range(200)])
    assert ec2.asked == [
        ("Subnets", "subnet-id", 200),
        ("Subnets", "subnet-id", 200),
        ("Subnets", "subnet-id", 1),
        ("SecurityGroups", "group-id", 200),
    ]
    ec2 = EC2(Subnets=SUBNETS, RouteTables=[main(1)])
    read_network(ec2, ["subnet-1"], [])
    assert ec2.asked == [("Subnets", "subnet-id", 1), ("RouteTables", "vpc-id", 1)]
