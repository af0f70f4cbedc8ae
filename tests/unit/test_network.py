"""The network facts as tables: what AWS answers, and what is known from it."""

import copy
import json
import re
from collections.abc import Iterable, Iterator
from functools import partial
from ipaddress import IPv4Network, ip_network
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from checks.sagemaker_models_network_isolation_enabled.lib.answers import MalformedError
from checks.sagemaker_models_network_isolation_enabled.lib.facts import (
    Listing,
    Model,
    OpenRule,
    SecurityGroup,
    Subnet,
    Unread,
)
from checks.sagemaker_models_network_isolation_enabled.lib.network import with_networks
from checks.sagemaker_models_network_isolation_enabled.lib.ranges import (
    ALL_PORTS,
    PREFIX_LIMITS,
    Permission,
    open_permissions,
)

ACCOUNT, OTHER = "123456789012", "999999999999"
ALL, BLOCK, BLOCK6 = "0.0.0.0/0", "10.0.1.0/24", "2600:1f00:0:1::/64"
KEYS = {
    "describe_subnets": ("Subnets", "SubnetId"),
    "describe_route_tables": ("RouteTables", "VpcId"),
    "describe_security_groups": ("SecurityGroups", "GroupId"),
    "describe_vpc_endpoints": ("VpcEndpoints", "VpcEndpointId"),
    "get_managed_prefix_list_entries": ("Entries", ""),
}


class EC2:
    """AWS's side: answers each call with given items, in pages of one, or raises.

    The entries of a prefix list are given under its id. None is a page without its list.
    """

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.asked: list[tuple[str, str, int]] = []

    def get_paginator(self, operation: str) -> Any:
        return SimpleNamespace(paginate=lambda **given: self.pages(*KEYS[operation], **given))

    def pages(self, key: str, id_key: str, **given: Any) -> Iterator[Any]:
        list_id = given.get("PrefixListId")
        (asked,) = given.get("Filters") or [{"Name": list_id, "Values": [list_id]}]
        self.asked.append((key, asked["Name"], len(asked["Values"])))
        for item in self.answers[list_id] if list_id else self.answers.get(key, []):
            if isinstance(item, Exception):
                raise item
            if key != "VpcEndpoints" or item[id_key] in asked["Values"]:
                yield {} if item is None else {key: [item]}


def read_network(
    ec2: Any, subnet_ids: Iterable[str], group_sets: Iterable[tuple[str, ...]]
) -> tuple[dict[str, Subnet], dict[tuple[str, ...], tuple[SecurityGroup, ...]]]:
    """Return what the check knows of subnets and of sets of security groups."""
    ids = tuple(subnet_ids)
    models = tuple(
        Model("m", "arn", "r", subnet_ids=ids, security_group_ids=names)
        for names in group_sets or [()]
    )
    service = SimpleNamespace(
        audit_config={},
        audited_account=ACCOUNT,
        session=SimpleNamespace(client=lambda name, region_name: {"ec2r": ec2}[name + region_name]),
        thread_pool=SimpleNamespace(
            submit=lambda task, *about: SimpleNamespace(result=partial(task, *about))
        ),
    )
    (listing,) = with_networks(service, [Listing("r", models, 1)])
    of_sets = {m.security_group_ids: m.network.security_groups for m in listing.items}
    return dict(zip(ids, listing.items[0].network.subnets, strict=True)), of_sets


IN = {"SubnetId": "subnet-1", "VpcId": "vpc-1", "CidrBlock": BLOCK, "OwnerId": ACCOUNT}
SUBNETS: dict[str, dict[str, Any]] = {
    "dual": {**IN, "Ipv6CidrBlockAssociationSet": [{"Ipv6CidrBlock": BLOCK6}]},
    "shared": {**IN, "OwnerId": OTHER},
}
MEMBERS = {"nat-": "NatGatewayId", "eni-": "NetworkInterfaceId", "i-": "InstanceId"} | {
    **{"cagw-": "CarrierGatewayId", "tgw-": "TransitGatewayId", "pcx-": "VpcPeeringConnectionId"},
    **{"eigw-": "EgressOnlyInternetGatewayId"},
}


def edited(made: dict[str, Any], edits: Iterable[str]) -> dict[str, Any]:
    """Return a structure with other members, each as "Member=JSON"."""
    pairs = (edit.split("=", 1) for edit in edits)
    return made | {name: json.loads(value) for name, value in pairs}


def route(text: str) -> dict[str, Any]:
    """Return a route by a text such as "vpce-1 8.0.0.0/8".

    That is a target, or "Member=target", or "-" for none, with ! for a blackhole and ? for no
    state; a destination, if it is not the default, "in" for the subnet's block; and other members
    as "Member=text" or "Member={JSON}".
    """
    first, *words = text.split()
    target = first.rstrip("!?")
    destination = next((word for word in words if "=" not in word), ALL)
    kind = "PrefixListId" if destination.startswith("pl-") else "CidrBlock"
    name = f"DestinationIpv6{kind}" if ":" in destination else f"Destination{kind}"
    made: dict[str, Any] = {name: BLOCK if destination == "in" else destination}
    made["State"] = {"!": "blackhole", "?": ""}.get(first[-1], "active")
    if target != "-" and "=" not in target:
        target = f"{MEMBERS.get(target.partition('-')[0] + '-', 'GatewayId')}={target}"
    members = (word.split("=", 1) for word in (target, *words) if "=" in word)
    made |= {key: json.loads(value) if value[:1] == "{" else value for key, value in members}
    return {key: value for key, value in made.items() if value}


def tables(text: str) -> list[Any]:
    """Return route tables by a text such as "1: vpce-1; 2: igw-1 8.0.0.0/8, nat-1; igw: vpce-1 in".

    1 is that of subnet-1, n of subnet-n, mainn a main one, ownn one more of subnet-1, igw that of a
    gateway, nobodyn in effect for nothing; each with "@vpc" and ".state of its association" if they
    are not as usual, and with other members as "Member=JSON". An error is what breaks the call off.
    So with firewalls' endpoints: "vpce-1@2,3" stands in these subnets.
    """
    made: list[Any] = []
    for part in text.split("; "):
        head, _, routes = part.partition(": ")
        named, *edits = head.split()
        if named[0].isupper() or named.startswith("vpce-"):
            numbers = re.findall(r"\d+", named)
            made.append(edited(endpoint(*numbers), edits) if numbers else refusal(named))
            continue
        about = re.fullmatch(r"([a-z]*)(\d*)(?:@([^.]+))?(?:\.(\w+))?", named)
        assert about, named
        kind, number, vpc, state = about.groups()
        of_what: dict[str, dict[str, Any]] = {
            "": {"Main": False, "SubnetId": f"subnet-{number}"},
            "own": {"Main": False, "SubnetId": "subnet-1"},
            "main": {"Main": True},
        }
        of = of_what.get(kind, {"GatewayId": f"{kind}-1"})
        if state or not kind:
            of["AssociationState"] = {"State": state or "associated"}
        table = {
            "RouteTableId": f"rtb-{number or 9}",
            "VpcId": vpc or "vpc-1",
            "Routes": list(map(route, ["local 10.0.0.0/16", *filter(None, routes.split(", "))])),
            "Associations": [] if kind == "nobody" else [of],
        }
        made.append(edited(table, edits))
    return made


def endpoint(number: int | str, *subnets: int | str) -> dict[str, Any]:
    """Return a firewall's endpoint in the subnets of the given numbers."""
    made = {"VpcEndpointId": f"vpce-{number}", "VpcId": "vpc-1"}
    return {**made, "SubnetIds": [f"subnet-{n}" for n in subnets]}


def refusal(code: str = "UnauthorizedOperation", message: str = "no") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Describe")


# What is unread, in short: what it is, and why; who tells; and what to do.
SHORT = {
    "^own: ": "the route table of subnet subnet-1: ",
    "^way: ": "the way out of subnet subnet-1: ",
    "^subnet: ": "subnet subnet-1: ",
    "^(sg-1): ": r"security group \1: ",
    r"^(rtb-\d): ": r"route table \1: ",
    r"^(vpce-\d): ": r"VPC endpoint \1: ",
    r": (rtb-\d) lacks$": r": a route of \1 lacks its destination, target or state",
    r": (rtb-\d leads to \S+)$": r": a route of \1, which this check does not know",
}
PERMISSIONS = {
    "subnet": "ec2:DescribeSubnets",
    "security group": "ec2:DescribeSecurityGroups",
    "VPC endpoint": "ec2:DescribeVpcEndpoints",
    "prefix list": "ec2:GetManagedPrefixListEntries",
}
READ, UNDERSTOOD, FOUND, FOLLOWED = (
    f"could not be {what}" for what in ("read", "understood", "found", "followed")
)
GONE = "it was deleted, or is no longer shared with this account; check with {}"
AGAIN = "scan again, or check with {}"
REMEDIES = {  # by what the reason holds, the first that it does
    "UnauthorizedOperation": ("allow {}", READ),
    "Throttling": (AGAIN, READ),
    "RequestLimitExceeded": (AGAIN, READ),
    "returned no such": (GONE, FOUND),
    "NotFound": (GONE, FOUND),
    "does not know": (
        "check where it leads with {}, or use a newer version of the plugin",
        UNDERSTOOD,
    ),
    "which shares": (
        "check in that account whether an internet gateway is behind it, with {}",
        FOLLOWED,
    ),
    "sends pl-": (
        f"check whether the prefix list holds public addresses, with {PERMISSIONS['prefix list']}",
        FOLLOWED,
    ),
    " sends ": ("check whether {1} translates addresses, as a NAT instance does", FOLLOWED),
    "": (AGAIN, UNDERSTOOD),
}


def unread(text: str) -> Unread:
    """Return what is unread by a text "what: why", both maybe in short."""
    for short, long in SHORT.items():
        text = re.sub(short, long, text)
    what, _, why = text.partition(": ")
    told_by = (told_by for kind, told_by in PERMISSIONS.items() if what.startswith(kind))
    permission = next(told_by, "ec2:DescribeRouteTables")
    remedy, problem = next(found for held, found in REMEDIES.items() if held in why)
    sent = re.search(r" to ([^ ,]+)", why)
    return Unread(what, why, permission, remedy.format(permission, sent and sent[1]), problem)


def known(subnet: Subnet) -> str:
    """Return what is known of a subnet in short, such as "rtb-2, igw-1, vpce-1>rtb-2 ::/0".

    First its route table, if it is not rtb-1, or "-" if that is not known; then the ways out, each
    with its destination if it is not the default; and at last its settings.
    """
    table, mode = subnet.route_table_id or "-", subnet.block_public_access
    assert (table == "-") is (subnet.internet_routes is None)
    ways = []
    for r in subnet.internet_routes or ():
        by = f"{r.middlebox}>{r.route_table_id}>" if r.middlebox or r.route_table_id else ""
        way = f"{by}{r.gateway} {r.destination} {r.firewall or ''}"
        ways.append(way.replace(">igw-1 ", " ").replace(f" {ALL}", "").strip())
    settings = filter(None, (mode, subnet.firewall_connectivity))
    return ", ".join([*[table] * (table != "rtb-1"), *ways, *settings])


STAND = [endpoint(1, 2), endpoint(2, 3)]  # the firewalls vpce-1 and vpce-2


def read_subnet(text: str) -> tuple[Subnet, EC2]:
    """Return what the check knows of subnet-1 by a text "subnet | tables"; or "tables"."""
    about, _, written = text.rpartition(" | ")
    names = [word for word in about.split() if "=" not in word]
    subnet = edited(SUBNETS[names[0]] if names else IN, about.split()[len(names) :])
    of_tables, *of_endpoints = written.split("; & ")
    endpoints = tables(of_endpoints[0]) if of_endpoints else STAND
    ec2 = EC2(Subnets=[subnet], RouteTables=tables(of_tables), VpcEndpoints=endpoints)
    facts, _ = read_network(ec2, ["subnet-1"], [])
    return facts["subnet-1"], ec2


def cases(table: dict[str, str]) -> list[tuple[str, str]]:
    """Return the cases of a table: of a text with words as in "<a / b>" one for each of them."""
    found = []
    for text, expected in table.items():
        before, _, rest = text.partition("<")
        words, _, after = rest.rpartition(">")
        found += [(f"{before}{word}{after}", expected) for word in words.split(" / ")]
    return found


BECOMING_MAIN = '[{"Main":true,"AssociationState":{"State":"associating"}},{"SubnetId":"subnet-1"}]'
OF_TWO = '[{"SubnetId":"subnet-2"},{"SubnetId":"subnet-1"}]'
OF_NOTHING, SAYS_NOT = 'Associations=[{"Main":false}]', "does not say with what"
NOWHERE, ODB = "DestinationCidrBlock=", "arn:aws:odb:x"
# The table in effect, and its routes.
TABLES = {
    "main1: igw-1; own2": "rtb-2",
    "main1: igw-1; main2@vpc-2": "igw-1",
    "main1@vpc-2; own2: igw-1": "rtb-2, igw-1",
    f"main1; <own2 / own2@garbage / own2 Associations={BECOMING_MAIN} / "
    f"nobody2 Associations={OF_TWO}>: igw-1": "rtb-2, igw-1",
    "main1; <main2@vpc-2 / 2 / igw2 / nobody2 / own2.disassociated / own2.failed / "
    f'nobody2@vpc-2 {OF_NOTHING} / 2 Associations=[{{"PublicIpv4Pool":"ipv4pool-1"}}]>: igw-1': "",
    "main1; own2.disassociating: igw-1": (
        "-; own: the association of subnet-1 with rtb-2 is disassociating"
    ),
    "main1; own2; own3": "-; own: AWS answered 2 tables of its own",
    "nobody1": "-; own: AWS answered 0 main tables in vpc-1",
    "main1; main2": "-; own: AWS answered 2 main tables in vpc-1",
    "main1 VpcId=null": f"-; own: an association of rtb-1 {SAYS_NOT}",
    f"main1; nobody2 {OF_NOTHING}: igw-1": f"-; own: an association of rtb-2 {SAYS_NOT}",
    "main1; nobody2 Associations=null: igw-1": "-; own: no Associations in rtb-2",
    'main1; nobody2 RouteTableId=<null / "" / 7>: igw-1': (
        "-; own: no RouteTableId in one of the RouteTables"
    ),
    "<main1; own1: igw-1 / 1; own1: igw-1; 1>; main2": "-; own: AWS answered rtb-1 in two ways",
    # What does not concern the subnet's own table.
    "1; <nobody2 Associations=null: igw-1 / 2: igw-1; 2 / 1 / Throttling>": "",
    "main1; Throttling": "-; own: Throttling",
    # Routes.
    **{
        f"main1: {routes}": routes
        for routes in ("cagw-1", "igw-1 ::/0", "igw-1 pl-1", "igw-1, igw-1 8.8.8.8/32")
    },
    "main1: CarrierGatewayId=carrier": "carrier",
    "main1: GatewayId=cagw-1": "cagw-1",
    "main1: <igw-1 State=filtered / igw-1 NatGatewayId=nat-1 / nat-1 GatewayId=igw-1>": "igw-1",
    "main1: <vgw-1 / lgw-1 / VpcLattice / nat-1 / eigw-1 / tgw-1 / pcx-1 / eni-1 / i-1 / igw-1! / "
    "newgw-1! / CoreNetworkArn=arn / LocalGatewayId=lgw-1 / OdbNetworkArn=arn / "
    "- 192.168.0.0/16 Origin=Advertisement / "
    # Oracle Database@AWS: terraform-provider-aws, issues 48164 and 48237.
    f"GatewayId={ODB} 10.2.0.0/16 OdbNetworkArn={ODB}>": "",
    "main1 Routes=<7 / [7]>": "; own: no Routes in rtb-1",
    "main1 Routes=[]": "; own: rtb-1 has no route",
    f"main1: <igw-1? / igw-1 {NOWHERE} / vpce-1 {NOWHERE} / igw-1? {NOWHERE}, igw-1! / "
    "igw-1 garbage / igw-1?, newgw-1 / -, nat-1 / - Origin=CreateRoute / "
    "- InstanceOwnerId=1>": "; own: rtb-1 lacks",
    "main1: igw-1, - 1.0.0.0/8": "igw-1; own: rtb-1 lacks",
    "main1: <newgw-1 / NewGatewayId=newgw-1 / newgw-1, ->": "; own: rtb-1 leads to newgw-1",
    "main1: localzone-gw-1": "; own: rtb-1 leads to localzone-gw-1",
    "main1: newgw-1, igw-1, newgw-2": "igw-1; own: rtb-1 leads to newgw-1",
    # As in AWS's templates of a Studio without internet, of secure MLOps, and of a NAT instance.
    "1: <vpce-1 pl-1 / eni-1 InstanceId=i-1>; 2: igw-1": "",
}
NO_SUCH = "AWS returned no such VPC endpoint"
NO_MAIN = "the route table of subnet subnet-2: AWS answered 0 main tables in vpc-1"
# vpce-1 and vpce-2 stand in the subnets 2 and 3.
FIREWALLS = {
    # endpoints of two zones mixed up; two out, one in
    "1: vpce-2; 2: igw-1; 3: igw-1; igw: vpce-1 in": "vpce-2>rtb-3",
    "1: vpce-1; 2: vpce-2; 3: igw-1; igw: vpce-2 in": "vpce-1>rtb-3",
    "1: vpce-1; 2: igw-1": "vpce-1>rtb-2",
    "main1: vpce-1; 2: igw-1; igw: vpce-1 in": "vpce-1>rtb-2",
    # separate firewalls in and out, and NAT
    "1: vpce-1; 2: nat-1; 3: igw-1; 8: igw-1, vpce-1 in; igw: vpce-2 in": "",
    # the VPC's own public addresses: its local route is replaced, a part of them; another VPC's
    "main7: local 2600:1f00::/56; 1: vpce-1 2600:1f00::/56, nat-1; 2: igw-1 ::/0": "",
    "1: local 2600:1f00::/56, vpce-1 2600:1f00:0:2::/64; 2: igw-1 ::/0": "",
    "1: vpce-1 2600::/56; 2: igw-1 ::/0; 8@vpc-2: local 2600::/56": "vpce-1>rtb-2 2600::/56",
    "1: vpce-1; 2: < / tgw-1 / igw-1! / igw-1 ::/0, nat-1>": "",
    "1: <vpce-1! / vpce-1 10.0.0.0/8>; 2: igw-1": "",
    "1: vpce-1 0.0.0.0/1, vpce-2 128.0.0.0/1; 2: igw-1; 3: nat-1": "vpce-1>rtb-2 0.0.0.0/1",
    "1: vpce-1 ::/0; 2: igw-1 ::/0": "vpce-1>rtb-2 ::/0",
    "1: vpce-1 1.0.0.0/8; 2: nat-1, igw-1 8.0.0.0/8": "",
    "1: vpce-1; 2: nat-1, igw-1 8.0.0.0/8": "vpce-1>rtb-2",
    # all but the destination; a part of the way is narrower; a dead route is more specific
    "1: vpce-1 1.2.0.0/16; 2: igw-1, nat-1 1.0.0.0/8": "",
    "1: vpce-1; 2: vpce-2 1.2.0.0/16; 3: igw-1, nat-1 1.0.0.0/8": "",
    "1: vpce-1 1.2.0.0/16; 2: igw-1, igw-2! 1.0.0.0/8": "",
    # a part of the destination that goes elsewhere; that, behind another firewall
    "1: vpce-1, nat-1 8.0.0.0/8; 2: nat-1, igw-1 8.8.0.0/16": "",
    "1: vpce-1; 2: vpce-2, nat-1 8.0.0.0/8; 3: nat-1, igw-1 8.8.0.0/16": "",
    "1: vpce-1, nat-1 8.0.0.0/8; 2: vpce-2; 3: nat-1, igw-1 8.8.0.0/16": "",
    "1: vpce-1 1.2.0.0/16; 2: vpce-2; 3: nat-1, igw-1 8.0.0.0/8": "",
    "1: vpce-1; 2: vpce-2; 3: vpce-1": "",
    "1: vpce-1; 2: vpce-2, vpce-1 1.0.0.0/8; 3: igw-1": "vpce-1>rtb-3",
    "1: vpce-1; 2: igw-1 pl-1": "; the way out of vpce-1: rtb-2 sends pl-1 to igw-1",
    "1: vpce-1": f"; {NO_MAIN}",
    # a route without state; beside a way; that is not taken
    "1: vpce-1; 2: igw-1?": "; rtb-2: rtb-2 lacks",
    "1: vpce-1; 2: igw-1?, igw-1 1.0.0.0/8": "vpce-1>rtb-2; rtb-2: rtb-2 lacks",
    "1: vpce-1 1.0.0.0/8; 2: igw-1? 8.0.0.0/8": "",
    "1: vpce-1; 2: newgw-1": "; rtb-2: rtb-2 leads to newgw-1",
    "1: vpce-1, vpce-3 1.0.0.0/8; 2: igw-1": f"vpce-1>rtb-2; vpce-3: {NO_SUCH}",
    # a firewall before an appliance: a NAT instance; both ways; out, and in by a firewall
    "1: vpce-1; 2: eni-1; 3: igw-1": "",
    "1: vpce-1; 2: eni-1; igw: eni-1 in": "eni-1>rtb-9",
    "1: vpce-1; 2: eni-1; igw: vpce-1 in": (
        f"; way: rtb-2 sends {ALL} to eni-1, and rtb-9 of igw-1 sends {BLOCK} to vpce-1"
    ),
}
TWO_DEEP = "1: vpce-1; 2: vpce-2; 3: igw-1"
STANDS = "no SubnetIds in it, or another VpcId than vpc-1"
# Where firewalls stand.
ENDPOINTS = {
    "1: vpce-1; 3: igw-1; 7: nat-1; & vpce-1@7,3": "vpce-1>rtb-3",
    "1: vpce-1; main8: igw-1; & vpce-1@2,3": "vpce-1>rtb-8",
    "1: vpce-1; main8: newgw-1; & vpce-1@2,3": "; rtb-8: rtb-8 leads to newgw-1",
    f"{TWO_DEEP}; & UnauthorizedOperation": "; vpce-1: UnauthorizedOperation",
    f"{TWO_DEEP}; & vpce-1@2; Throttling": "; vpce-2: Throttling",
    f"{TWO_DEEP}; & vpce-9@2": f"; vpce-1: {NO_SUCH}",
    f"{TWO_DEEP}; & vpce-1@2; vpce-1@3": "; vpce-1: AWS answered it in two ways",
    f"{TWO_DEEP}; & vpce-1": f"; vpce-1: {STANDS}",
    f'{TWO_DEEP}; & vpce-1@3 VpcId="vpc-2"': f"; vpce-1: {STANDS}",
    f'{TWO_DEEP}; & vpce-1@3 SubnetIds="subnet-3"': f"; vpce-1: {STANDS}",
}
OUT = "; way: rtb-1 sends 0.0.0.0/0 to eni-1, and"
BACK = f"{OUT} rtb-9 of igw-1 sends"
PL_OUT = "; way: rtb-1 sends pl-1 to eni-1, and rtb-9 of igw-1 sends"
EDGE = "igw: eni-1 in"
NEXT_HOP = "Origin=Advertisement IpAddress=10.0.9.5"
IPV6 = "Ipv6CidrBlockAssociationSet"
OUT6 = f"1: eni-1 ::/0; igw: eni-1 {BLOCK6}"
IPV6_STATE = f'[{{"Ipv6CidrBlock":"{BLOCK6}","Ipv6CidrBlockState":{{"State":"%s"}}}}]'
ASSOCIATING = "the association of igw-1 with rtb-9 is associating"
INSPECTED = 'IgwFirewall={"FirewallArn":"arn","Status":"active"}'
NOT_SEEN = (
    f"the firewalls and gateways of account {OTHER}, which shares the subnet, are not seen from "
    "here"
)
APPLIANCES = {
    f"main1: eni-1; {EDGE}": "eni-1>rtb-9",
    # out by one, in by another; a NAT instance out, a firewall in for the whole VPC
    "1: eni-1; igw: eni-2 in": f"{BACK} {BLOCK} to eni-2",
    "1: eni-1; 2: igw-1; igw: vpce-1 10.0.0.0/16": f"{BACK} 10.0.0.0/16 to vpce-1",
    "1: eni-1; 2: igw-1": "",  # a NAT instance, and the gateway has no table
    "1: eni-1; igw: eni-1 <in / 10.0.0.0/16 / 10.0.1.0/25>": "eni-1>rtb-9",
    "1: eni-1; igw: <eni-1 10.0.0.0/16, local in / eni-1 10.0.2.0/24 / eni-1! in / newgw-1! in / "
    "VpcLattice pl-2, local 10.0.0.0/16>": "",
    f"1: eni-1 0.0.0.0/1, eni-1 9.0.0.0/8; {EDGE}": "eni-1>rtb-9 0.0.0.0/1, eni-1>rtb-9 9.0.0.0/8",
    "1: eni-1 8.8.8.8/1; igw: eni-1 10.0.1.5/24": "eni-1>rtb-9 8.8.8.8/1",
    f"1: eni-1 192.168.0.0/16, eni-1; {EDGE}": "eni-1>rtb-9",
    f"1: <eni-1 10.0.0.0/8 / nat-1 / eni-1!>; {EDGE}": "",
    f"1: eni-1 pl-1; {EDGE}": f"{PL_OUT} {BLOCK} to eni-1",
    "1: eni-1 pl-1": "",
    "1: eni-1; igw: newgw-1 in": "; rtb-9: rtb-9 leads to newgw-1",
    # an instance beside its interface, alone, with an interface to each side; two instances
    f"1: eni-1 InstanceId=i-1; {EDGE}": "eni-1>rtb-9",
    "1: i-1; igw: eni-2 in InstanceId=i-1": "i-1>rtb-9",
    "1: eni-1 InstanceId=i-1; igw: eni-2 in InstanceId=i-1": "i-1>rtb-9",
    "1: eni-1 InstanceId=i-1; igw: eni-2 in InstanceId=i-2": f"{BACK} {BLOCK} to eni-2",
    # VPC Route Server
    f"1: - {NEXT_HOP}; igw: - in {NEXT_HOP}": "10.0.9.5>rtb-9",
    f"1: eni-1; igw: - in {NEXT_HOP}": f"{BACK} {BLOCK} to 10.0.9.5",
    f"1: - 192.168.0.0/16 Origin=Advertisement; {EDGE}": "",
    # tables of others
    "1: eni-1; <vgw / igw@vpc-2 / igw.disassociated>: eni-1 in": "",
    f'1: eni-1; {EDGE}; 8 Associations=[{{"GatewayId":"igw-2"}}]: local in': "eni-1>rtb-9",
    # what cannot be read is unknown
    "1: eni-1; Throttling": "; way: Throttling",
    "1: eni-1; igw.associating: eni-1 in": f"; way: {ASSOCIATING}",
    "1: eni-1; igw Associations=null: eni-1 in": "; way: no Associations in rtb-9",
    "1: eni-1; igw Routes=null": "; rtb-9: no Routes in rtb-9",
    f"1: eni-1; igw: <eni-1 {NOWHERE} / eni-1? in / NetworkInterfaceId=x in / "
    "- in Origin=Advertisement>": "; rtb-9: rtb-9 lacks",
    "1: eni-1; igw: eni-1 pl-1": f"{BACK} pl-1 to eni-1",
    "1: eni-1; igw: igw-2 in": f"{BACK} {BLOCK} to igw-2",
    f"1: <eni-1 {NOWHERE} / eni-1? / NetworkInterfaceId=x / eni-1 garbage / "
    f"- Origin=Advertisement>; {EDGE}": "; rtb-1: rtb-1 lacks",
    f"1: eni-1 {NOWHERE}": "",
    # the subnet's own blocks
    f"dual | 1: eni-1 ::/0; igw: eni-1 in, eni-1 {BLOCK6}": "eni-1>rtb-9 ::/0",
    f"dual | 1: eni-1 ::/0; {EDGE}": "",
    f"dual CidrBlock=null Ipv6Native=true | {OUT6}": "eni-1>rtb-9 ::/0",
    f"{IPV6}={IPV6_STATE % 'associated'} | {OUT6}": "eni-1>rtb-9 ::/0",
    **{f"{IPV6}={IPV6_STATE % state} | {OUT6}": "" for state in ("disassociated", "failed")},
    f"dual | 1: eni-1 pl-1; igw: eni-1 {BLOCK6}": f"{PL_OUT} {BLOCK6} to eni-1",
    '<CidrBlock=null / CidrBlock="garbage" / '
    f'{IPV6}=[{{"Ipv6CidrBlock":"garbage"}}] / {IPV6}=[{{}}]> | 1: eni-1; igw: eni-1 10.0.2.0/24': (
        "; subnet: subnet-1 lacks its CIDR block"
    ),
    f"{IPV6}=[null] | 1: eni-1; igw: eni-1 10.0.2.0/24": f"; subnet: no {IPV6} in subnet-1",
    "CidrBlock=7 | 1: eni-1": "",
    # shared with the account
    "shared | 1: vpce-1; 2: nat-1": f"; way: rtb-1 sends {ALL} to vpce-1, and {NOT_SEEN}",
    "shared | 1: eni-1": f"{OUT} {NOT_SEEN}",
    "OwnerId=null | 1: vpce-1": "; subnet: no OwnerId in it",
    "shared | 1: <eni-1; igw: eni-1 10.0.2.0/24 / vpce-1 pl-1 / nat-1>": "",
}
MODE = 'BlockPublicAccessStates={"InternetGatewayBlockMode":%s}'
SET = MODE % '"block-ingress"' + ' NetworkFirewallConnectivityType="flexible"'
NOT_SET = "subnet: no readable BlockPublicAccessStates or NetworkFirewallConnectivityType in it"
# What no verdict rests on, and what hides no route where it is garbled.
SETTINGS = {
    f"{MODE % 'null'} | 1": "",
    f"{SET} | 1": "block-ingress, flexible",
    f"{SET} | Throttling": "-, block-ingress, flexible; own: Throttling",
    f'{MODE % "null"} NetworkFirewallConnectivityType=["x"] | 1': f"; {NOT_SET}",
    f"{MODE % 7} | 1: igw-1": f"igw-1; {NOT_SET}",
    'BlockPublicAccessStates="x" | Throttling': f"-; {NOT_SET}; own: Throttling",
    # the automated internet firewall, which is no target
    f"1: igw-1 {INSPECTED}": "igw-1 active",
    f"1: - {INSPECTED}": "; own: rtb-1 lacks",
}


@pytest.mark.parametrize(
    ("text", "expected"), cases(TABLES | FIREWALLS | ENDPOINTS | APPLIANCES | SETTINGS)
)
def test_subnet(text: str, expected: str) -> None:
    facts, ec2 = read_subnet(text)
    said, *reasons = expected.split("; ")
    assert (known(facts), facts.unread) == (said, tuple(map(unread, reasons)))
    assert (facts.id, facts.vpc_id) == ("subnet-1", "vpc-1")
    assert [key for key, *_ in ec2.asked][:2] == ["Subnets", "RouteTables"]


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ("1: eni-1, vpce-1 pl-1; igw: vpce-1 in; 8: vpce-1", []),
        ("1: vpce-1 10.0.2.0/24; 4: vpce-1!", []),
        (f"{TWO_DEEP}; 4: vpce-1, vpce-2 1.0.0.0/8", [2]),
        (f"{TWO_DEEP}; 4: vpce-1", [1, 1]),
        (f"{TWO_DEEP}; 5@vpc-2: vpce-3", [2, 1]),
    ],
)
def test_firewalls_on_the_way_are_described_once_and_no_others(text: str, calls: Any) -> None:
    others = {**IN, "SubnetId": "subnet-4"}, {**IN, "VpcId": "vpc-2", "SubnetId": "subnet-5"}
    endpoints = [*STAND, {**endpoint(3, 6), "VpcId": "vpc-2"}]
    ec2 = EC2(Subnets=[IN, *others], RouteTables=tables(text), VpcEndpoints=endpoints)
    read_network(ec2, ["subnet-1", "subnet-4", "subnet-5"], [])
    assert [number for key, _, number in ec2.asked if key == "VpcEndpoints"] == calls
    assert len(read_subnet(f"shared | {text}")[1].asked) == 2


# Security groups.
RANGES = {"IpRanges": "CidrIp", "Ipv6Ranges": "CidrIpv6", "PrefixListIds": "PrefixListId"} | {
    "UserIdGroupPairs": "GroupId"
}


def rule(text: str) -> dict[str, Any]:
    """Return a rule by a text such as "tcp 20..22 10.0.0.0/8 pl-1": its protocol, ports and ends.

    The ports are * for all, "22.." without the last; and other members are "Member=JSON".
    """
    protocol, ports, *ends = text.split()
    first, dots, last = ports.partition("..")
    made: dict[str, Any] = {"IpProtocol": protocol, **{name: [] for name in RANGES}}
    for name, port in (("FromPort", first), ("ToPort", last if dots else first)):
        made |= {name: int(port)} if port not in ("", "*") else {}
    for end in ends:
        if "=" not in end:
            blocks = "Ipv6Ranges" if ":" in end else "IpRanges"
            name = {"pl-": "PrefixListIds", "sg-": "UserIdGroupPairs"}.get(end[:3], blocks)
            made[name].append({RANGES[name]: end})
    return edited(made, [end for end in ends if "=" in end])


def group(text: str, number: int = 1) -> dict[str, Any]:
    """Return a security group by a text "Member=JSON | ingress rule; … > egress rule; …"."""
    members, _, rules = text.rpartition("| ")
    made: dict[str, Any] = {"GroupId": f"sg-{number}", "VpcId": "vpc-1"}
    ingress, egress = [*rules.split("> "), ""][:2]
    for direction, texts in (("IpPermissions", ingress), ("IpPermissionsEgress", egress)):
        made[direction] = [rule(part) for part in texts.split("; ") if part.strip()]
    return edited(made, members.split())


JOINED = " (joined with others, broader than a /8 or an IPv6 /32)"


def sg(text: str, number: int = 1) -> SecurityGroup:
    """Return a group by a text "open rule; what is unread > likewise of egress"; "-": of no VPC.

    A + stands for what the last of those that are open together says; " with sg-2" for the others.
    """

    def known(half: str) -> tuple[tuple[OpenRule, ...], tuple[Unread, ...]]:
        parts = list(filter(None, half.strip(" -").split("; ")))
        rules = [part.partition(" with ") for part in parts if ": " not in part]
        opened = [OpenRule(rule.replace("+", JOINED), tuple(o.split())) for rule, _, o in rules]
        return tuple(opened), tuple(unread(part) for part in parts if ": " in part)

    (ingress, why), (egress, why_egress) = map(known, [*text.split("> "), ""][:2])
    vpc_id = None if text == "-" else "vpc-1"
    return SecurityGroup(f"sg-{number}", vpc_id, ingress, egress, why, why_egress)


NO_RANGE = "sg-1: a rule in IpPermissions of sg-1 lacks its protocol, port or range"
A, B = "12.0.0.0/8", "13.0.0.0/8"  # neighbours
GROUPS = {
    "< / tcp 22 10.0.0.0/8 52.0.0.0/8 / tcp 22 sg-2>": "",
    "<tcp 22 1.2.3.4/32 0.0.0.0/1 / tcp 22 0.0.0.0/1; tcp 22 0.0.0.0/1>": "tcp 22 from 0.0.0.0/1",
    **{
        f"tcp 22 10.0.0.0/8 {block}": f"tcp 22 from {block}"
        for block in ("0.0.0.0/0", "::/0", "0:0:0:0:0:0:0:0/0", "1.2.3.4/0")
    },
    **{
        f"{rule} ::/0": f"{said} from ::/0"
        for rule, said in {
            "-1 22": "all traffic",
            "udp 22..99": "udp 22-99",
            "icmp 8..0": "icmp type 8 code 0",
            "icmp 8..-1": "icmp type 8",
            "icmpv6 128..0": "icmpv6 type 128 code 0",
            "50 *": "protocol 50",
            "tcp *": "tcp",
            "tcp 443..80": "tcp",
        }.items()
    },
    # neighbours, at what overlaps and what does not
    f"tcp 22 {A} {B}": f"tcp 22 from {A}; tcp 22 from {B}+",
    f"tcp 20..22 {A}; tcp 22..25 {B}": f"tcp 20-22 from {A}; tcp 22-25 from {B}+",
    f"tcp 22.. {A}; tcp 99 {B}": f"tcp from {A}; tcp 99 from {B}+",
    f"icmp 3..255 {A}; icmp 3..-1 {B}": f"icmp type 3 code 255 from {A}; icmp type 3 from {B}+",
    f"icmp 8..-1 {A}; icmp -1..-1 {B}": f"icmp type 8 from {A}; icmp from {B}+",
    f"<tcp 22 {A}; tcp 23..24 {B} / tcp 22 {A}; udp 22 {B} / udp 12 {A}; udp 13 {B} / "
    f"tcp * 9.9.9.9/32; tcp 22 {A}; tcp 23 {B} / icmp 3..12 {A}; icmp 3..13 {B} / "
    f"icmp 3..-1 {A}; icmp 4..0 {B} / icmp 12..0 {A}; icmp 13..0 {B}>": "",
    # egress, and all of IPv4 by way of NAT64, which leads out only
    "> -1 * 0.0.0.0/0": "> all traffic to 0.0.0.0/0",
    **{f"> tcp 22 {block}": f"> tcp 22 to {block}" for block in ("64:ff9b::/96", "64:ff9b::/64")},
    "> tcp 22 64:ff9b::c00:0/104 64:ff9b::d00:0/104": (
        "> tcp 22 to 64:ff9b::c00:0/104; tcp 22 to 64:ff9b::d00:0/104+"
    ),
    "<> tcp 22 2600:1f00::/32 / > tcp 22 64:ff9b::808:808/128>": "",
    "tcp 22 64:ff9b::/96": "",
    # what is garbled
    "VpcId=7 | ": "-",
    "IpPermissions=<null / 7 / [7]> | ": "sg-1: no IpPermissions in sg-1",
    "IpPermissionsEgress=null | tcp 22 ::/0": (
        "tcp 22 from ::/0 > sg-1: no IpPermissionsEgress in sg-1"
    ),
    "tcp 22 < / sg-2 IpRanges=null / UserIdGroupPairs=7 / PrefixListIds=[{}] / everywhere / sg-2 "
    'PrefixListIds="pl-1" / IpRanges=[{}] / IpRanges=[null] / IpRanges=[{"CidrIp":7}]>': NO_RANGE,
    'tcp 22 ::/0 <IpProtocol=null / IpProtocol=6 / FromPort="22">': NO_RANGE,
    "tcp 22 ::/0 IpRanges=null": f"tcp 22 from ::/0; {NO_RANGE}",
    "tcp 22 everywhere; tcp 22 0.0.0.0/0": f"tcp 22 from 0.0.0.0/0; {NO_RANGE}",
}


@pytest.mark.parametrize(("text", "expected"), cases(GROUPS))
def test_security_group(text: str, expected: str) -> None:
    _, facts = read_network(EC2(SecurityGroups=[group(text)]), [], [("sg-1",)])
    assert facts == {("sg-1",): (sg(expected),)}


def test_groups_of_one_model_are_open_together_and_no_others() -> None:
    rules = (A, B, "99.0.0.0/8", "14.0.0.0/7", "16.0.0.0/8", "0.0.0.0/0; tcp 22 12.0.0.0/8")
    answers = [group(f"tcp 22 {blocks}", number) for number, blocks in enumerate(rules)]
    alone = "tcp 22 from 0.0.0.0/0; tcp 22 from 12.0.0.0/8+ with sg-1"
    together = {
        (1, 0): [f"tcp 22 from {B}+ with sg-0", f"tcp 22 from {A}+ with sg-1"],
        (0, 2): ["", ""],
        (1,): [""],
        # Without 14.0.0.0/7 two are still open, and the last is not.
        (0, 1, 2, 3, 4): [
            *(f"tcp 22 from {A}+ with sg-1", f"tcp 22 from {B}+ with sg-0"),
            *("", "tcp 22 from 14.0.0.0/7", ""),
        ],
        (5, 1): [alone, f"tcp 22 from {B}+ with sg-5"],
    }
    sets = {numbers: tuple(f"sg-{n}" for n in numbers) for numbers in together}
    _, facts = read_network(EC2(SecurityGroups=answers), [], sets.values())
    for numbers, texts in together.items():
        assert facts[sets[numbers]] == tuple(map(sg, texts, numbers))


def permission(word: str) -> Permission:
    """Return what a text such as "12.0.0.0/8@tcp1-9" permits, by default at port 443 of tcp."""
    block, _, at = word.lstrip("*").partition("@")
    about = re.fullmatch(r"(-1|\D*)(\d*)-?(\d*)", at or "tcp443-443")
    assert about, word
    protocol, first, last = about.groups()
    ports = (int(first), int(last)) if first else ALL_PORTS
    return Permission("sg-1", protocol, ports, ip_network(block), word)


GAPPED = " ".join(map(str, IPv4Network(B).address_exclude(IPv4Network("13.0.0.0/32"))))
# What is permitted together; and with a star, which of it is open to the internet.
OPEN = " / ".join(
    [
        "*0.0.0.0/0 / *52.0.0.0/7 / 52.0.0.0/8 / *2000::/3 / *2600:1f00::/31 / 2600:1f00::/32",
        # what is not public, or in part
        "10.0.0.0/8 / 172.16.0.0/12 / 192.168.0.0/16 / 100.64.0.0/10 / 127.0.0.0/8",
        "0.0.0.0/8 / 169.254.0.0/16 / 224.0.0.0/4 / 240.0.0.0/4 / 224.0.0.0/3 / fc00::/7",
        "fe80::/10 / ff00::/8 / *10.0.0.0/7 / 10.0.0.0/8 11.0.0.0/8",
        # in a row, which need be no CIDR block, and with a gap, which may be one address
        "*12.0.0.0/8 *13.0.0.0/8 / *13.0.0.0/8 *14.0.0.0/8 / *12.0.0.0/8 *13.0.0.0/32",
        f"*4.128.0.0/9 *6.0.0.0/9 *5.0.0.0/8 6.192.0.0/10 / 12.0.0.0/8 {GAPPED}",
        "*12.0.0.0/8 99.0.0.0/8 *13.0.0.0/8 / *2600:1f01::/32 *2600:1f02::/32",
        "2600:1f01::/32 2600:1f03::/32 / *2600:1f01:8000::/33 *2600:1f02::/32",
        "52.0.0.0/8 2600:1f00::/32",
        # a private block, or a private gap, between; a /7 in pieces, one of them private
        "*9.0.0.0/8 10.0.0.0/8 *11.0.0.0/8 / 9.0.0.0/8 11.0.0.0/8",
        "*192.0.0.0/9 *192.128.0.0/11 *192.160.0.0/13 192.168.0.0/16 *192.169.0.0/16 "
        "*192.170.0.0/15 *192.172.0.0/14 *192.176.0.0/12 *192.192.0.0/10 *193.0.0.0/8",
        # nested; a row within a row, which is open without it, and which is not
        "*0.0.0.0/0 *64.0.0.0/2 / *12.0.0.0/6 *12.0.0.0/8 *13.0.0.0/8",
        "*12.0.0.0/8 12.0.0.0/16 *13.0.0.0/8",
        "*12.0.0.0/8 *13.0.0.0/8 *12.0.0.0/9 *12.128.0.0/9 *13.0.0.0/9 9.9.9.9",
        "*12.0.0.0/8 *13.0.0.0/8 12.0.0.0/9 12.128.0.0/9 9.9.9.9",
        # in another's block at one port alone, or from a later port on
        "*12.0.0.0/7@tcp1-1 *13.0.0.0/8@tcp2-2 *14.0.0.0/8@tcp2-2",
        "*12.0.0.0/6@tcp5-9 *13.0.0.0/8@tcp1-9 *14.0.0.0/8@tcp1-9",
        "*12.0.0.0/8@tcp4-5 *12.128.0.0/9@tcp6-7 *13.0.0.0/8@tcp1-9",
        # ports and protocols
        "12.0.0.0/8@tcp1-2 13.0.0.0/8@tcp3-4 / *12.0.0.0/8@tcp1-3 *13.0.0.0/8@tcp3-4",
        "*12.0.0.0/8@tcp1-9 *13.0.0.0/8@tcp4-5 / 12.0.0.0/8 13.0.0.0/8@udp443-443",
        "*12.0.0.0/8@-1 *13.0.0.0/8 / *12.0.0.0/8@icmp *13.0.0.0/8@icmp",
        "*12.0.0.0/8@tcp1-1 *13.0.0.0/8@tcp1-1 *98.0.0.0/8@tcp2-2 *99.0.0.0/8@tcp2-2",
        "*12.0.0.0/8 *13.0.0.0/8 12.0.0.0/8@tcp22-22",
    ]
).split(" / ")


@pytest.mark.parametrize("text", OPEN)
def test_what_is_open_to_the_internet(text: str) -> None:
    permissions = list(map(permission, text.split()))
    opened = open_permissions(permissions, PREFIX_LIMITS)
    assert list(opened) == [one for one in permissions if one.text.startswith("*")]


NO_CIDR = "no Cidr in one of the Entries"
# The entries of a prefix list, or what breaks them off; which are open, and what is not known.
LISTS = {
    "198.51.100.0/24": "",
    "10.0.0.0/8 0.0.0.0/0": "0.0.0.0/0",
    "": "",
    "1.2.3.4/0": "1.2.3.4/0",
    "UnauthorizedOperation": "; UnauthorizedOperation",
    "InvalidPrefixListID.NotFound": "; InvalidPrefixListID.NotFound",
    "::/0 RequestLimitExceeded": "::/0; RequestLimitExceeded",
    "Cidr= ::/0": f"::/0; {NO_CIDR}",
    "everywhere": f"; {NO_CIDR}",
    "Cidr=7": f"; {NO_CIDR}",
    "null": "; no Entries in the answer",
}


@pytest.mark.parametrize("direction", ["", "> "])
@pytest.mark.parametrize("text", LISTS)
def test_prefix_list(text: str, direction: str) -> None:
    given = {"null": None, "Cidr=": {}, "Cidr=7": {"Cidr": 7}}
    entries = [
        refusal(word) if word[0].isupper() and "=" not in word else given.get(word, {"Cidr": word})
        for word in text.split()
    ]
    rules = "tcp 22 0.0.0.0/1 pl-1; udp 22 pl-1"
    ec2 = EC2(SecurityGroups=[group(direction + rules)], **{"pl-1": entries})
    _, facts = read_network(ec2, [], [("sg-1",)])
    block, _, why = LISTS[text].partition("; ")
    word = "to" if direction else "from"
    opened = [f"tcp 22 {word} 0.0.0.0/1"]
    opened += [f"{p} 22 {word} {block} of prefix list pl-1" for p in ("tcp", "udp") if block]
    unknown = [f"prefix list pl-1 of security group sg-1: {why}"] * bool(why)
    assert facts["sg-1",] == (sg(direction + "; ".join(opened + unknown)),)
    assert ec2.asked.count(("Entries", "pl-1", 1)) == 1


DENY, NO = "not authorized with an explicit deny in", "because no {} allows the ec2:X action"
# What AWS answers to a call, what is said of it, and what is to be done.
WHY: list[tuple[Exception | None, str, str]] = [
    (refusal(), "UnauthorizedOperation", "allow {}"),
    *(
        (
            refusal(message=f"{DENY} {policy}{end}"),
            f"UnauthorizedOperation, explicit deny in {policy}",
            "change that policy, because to allow {} elsewhere is not enough",
        )
        for policy, end in (
            *(("a service control policy", ": x"), ("a VPC endpoint policy", "")),
            ("a permissions boundary", ""),
        )
    ),
    *(
        (refusal(message=NO.format(kind)), f"UnauthorizedOperation, no {kind} allows it", remedy)
        for kind, remedy in {
            "identity-based policy": "allow {}",
            "permissions boundary": "allow {} in the permissions boundary",
            "VPC endpoint policy": "allow {} in the VPC endpoint policy",
        }.items()
    ),
    *((refusal(code), code, AGAIN) for code in ("Throttling", "InternalFailure", "InvalidFilter")),
    (
        *(refusal("RequestExpired"), "RequestExpired"),
        "renew the credentials, or leave out a region that is not enabled",
    ),
    (refusal(""), "unknown error", AGAIN),
    (refusal("<b>Throttling</b>"), "bThrottlingb", AGAIN),
    (ReadTimeoutError(endpoint_url="x"), "ReadTimeoutError", AGAIN),
    (KeyError("x"), "the answer is garbled, KeyError", AGAIN),
    (MalformedError("no Subnets"), "no Subnets", AGAIN),
    (None, "no Subnets in the answer", AGAIN),
]


@pytest.mark.parametrize(("error", "why", "remedy"), WHY)
def test_why_a_subnet_is_unknown(error: Exception | None, why: str, remedy: str) -> None:
    facts, _ = read_network(EC2(Subnets=[error]), ["subnet-1"], [])
    answered = isinstance(error, KeyError | MalformedError | None)
    permission, problem = PERMISSIONS["subnet"], UNDERSTOOD if answered else READ
    reason = Unread("subnet subnet-1", why, permission, remedy.format(permission), problem)
    assert facts == {"subnet-1": Subnet("subnet-1", unread=(reason,))}


NOT_ONE = "AWS answered it in two ways"
TWICE: list[tuple[list[Any], list[Any], str, str]] = [
    ([IN, IN], [group(""), group("")], "", ""),
    ([], [], "AWS returned no such subnet", "AWS returned no such security group"),
    (
        [IN, {**IN, "CidrBlock": "10.0.9.0/24"}, {**IN, "SubnetId": "subnet-2"}],
        [group(""), group("tcp 22 ::/0"), group("", 2)],
        *(NOT_ONE, NOT_ONE),
    ),
    ([{**IN, "VpcId": "vpc-2"}, IN], [group("tcp 22 ::/0"), group("")], NOT_ONE, NOT_ONE),
    *(([{**IN, "VpcId": vpc}], [group("")], "no VpcId in it", "") for vpc in (None, 7, "garbage")),
]


@pytest.mark.parametrize(("subnets", "groups", "of_subnet", "of_group"), TWICE)
def test_an_id_is_answered_once_and_has_its_vpc(
    subnets: list[Any], groups: list[Any], of_subnet: str, of_group: str
) -> None:
    ec2 = EC2(Subnets=subnets, RouteTables=tables("main1"), SecurityGroups=groups)
    of_subnets, of_groups = read_network(ec2, ["subnet-1"], [("sg-1",)])
    subnet, closed = Subnet("subnet-1", "vpc-1", "rtb-1", (), unread=()), sg("")
    if of_subnet:
        subnet = Subnet("subnet-1", unread=(unread(f"subnet: {of_subnet}"),))
        assert ("vpc-id" in [name for _, name, _ in ec2.asked]) == (len(subnets) == 3)
    if of_group:
        reasons = (unread(f"sg-1: {of_group}"),)
        closed = SecurityGroup("sg-1", None, (), (), reasons, reasons)
    assert (of_subnets, of_groups) == ({"subnet-1": subnet}, {("sg-1",): (closed,)})


def test_ids_are_asked_for_by_filters_and_200_at_a_time() -> None:
    ec2 = EC2()
    sets = [tuple(f"sg-{n}" for n in range(200))]
    read_network(ec2, [f"subnet-{n}" for n in range(401)], sets)
    subnets = [("Subnets", "subnet-id", number) for number in (200, 200, 1)]
    assert ec2.asked == [*subnets, ("SecurityGroups", "group-id", 200)]
    _, ec2 = read_subnet("1")
    assert ec2.asked == [("Subnets", "subnet-id", 1), ("RouteTables", "vpc-id", 1)]


def paths(answer: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every member and item of an answer."""
    for key, value in answer.items() if isinstance(answer, dict) else enumerate(answer):
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from paths(value, (*path, key))


@pytest.mark.parametrize("value", [None, 7, "x", [None], {}, {"x": 7}, True], ids=str)
def test_nothing_of_another_type_raises_or_makes_an_open_network_sound(value: Any) -> None:
    states = {"BlockPublicAccessStates": {"InternetGatewayBlockMode": "off"}}
    dual = SUBNETS["dual"]
    sound: dict[str, list[Any]] = {
        "Subnets": [dual | states, {**dual, "SubnetId": "subnet-4"}],
        "RouteTables": tables("1: vpce-1; 4: eni-1; 2: igw-1; igw: eni-1 in"),
        "VpcEndpoints": [endpoint(1, 2)],
        "SecurityGroups": [group("tcp 22 0.0.0.0/0 > tcp 22 pl-1")],
        "pl-1": [{"Cidr": "::/0"}],
    }

    def read(answers: dict[str, list[Any]]) -> list[bool]:
        facts, groups = read_network(EC2(**answers), ["subnet-1", "subnet-4"], [("sg-1",)])
        ((only,),) = groups.values()
        return [
            *(bool(subnet.internet_routes or subnet.unread) for subnet in facts.values()),
            *(bool(only.open_ingress or only.unread), bool(only.open_egress or only.unread_egress)),
        ]

    assert all(read(sound))
    for path in paths(sound):
        # What is no structure is no item, and a gateway of another kind is no internet gateway.
        if len(path) < 3 or (value == "x" and path[2:] == ("Associations", 0, "GatewayId")):
            continue
        answers = copy.deepcopy(sound)
        at: Any = answers
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = value
        assert all(read(answers)), path
