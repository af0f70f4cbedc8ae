"""Networks beside the account's: for each member of EC2's answers, one whose verdict rests on it.

They show that what AWS sends is read: what follows from it is a table of cases in test_network.py
and an oracle in test_packets.py. All are in one region, and isolation is on, so that the network
alone decides.
"""

from typing import Any

from .account import EVERYWHERE, Region
from .server import (
    EmbeddedAWS,
    XmlEdit,
    change,
    change_text,
    change_xml,
    error,
    on,
    with_member,
)

REGION = "ap-east-2"
DEFAULT = {"DestinationCidrBlock": EVERYWHERE}


def build(aws: EmbeddedAWS) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Build the networks and their models.

    Args:
        aws: The embedded AWS; it is given what moto cannot be made to answer.

    Returns:
        What a scan must say, by model name: the status, and words that the reason must have.
    """
    r = Region(aws, REGION)
    vpc = r.vpc()
    private, closed = r.subnet(vpc), r.group(vpc, "10.0.0.0/8")
    expected: dict[str, tuple[str, tuple[str, ...]]] = {}

    def case(
        name: str,
        status: str,
        *words: str,
        subnets: list[str] | None = None,
        groups: list[str] | None = None,
        **parameters: Any,
    ) -> None:
        r.model(name, subnets or [private], groups or [closed], **parameters)
        expected[name] = (status, words)

    def answers(api: str, fault: Any, **parameters: Any) -> None:
        aws.faults.append(on(api, REGION, **parameters)(fault))

    # Rules: their ports and ranges, and the entries of prefix lists.
    overlapping = r.group(vpc)
    r.admit(overlapping, "12.0.0.0/8", first=400, last=443)
    r.admit(overlapping, "13.0.0.0/8", first=443, last=500)
    case(
        "overlapping-ports",
        "FAIL",
        f"{overlapping} allows ingress of tcp 400-443 from 12.0.0.0/8 and tcp 443-500 from "
        "13.0.0.0/8 (joined with others, broader than a /8 or an IPv6 /32)",
        groups=[overlapping],
    )
    named = r.group(vpc)
    r.admit(named, "10.0.0.0/8", "52.0.0.0/8", "2600:1f00::/32", "8.8.8.8/32")
    case("named-sources", "PASS", groups=[named])
    halves = r.prefix_list("0.0.0.0/1", "128.0.0.0/1")
    words = [f"tcp 443 from {block}.0.0.0/1 of prefix list {halves}" for block in (0, 128)]
    case("list-halves", "FAIL", *words, groups=[r.group(vpc, halves)])
    partner = r.prefix_list(*(f"198.51.{n}.0/24" for n in range(120)))
    case("list-named-sources", "PASS", groups=[r.group(vpc, partner)])
    sent = r.group(vpc)
    r.admit(sent, halves, "64:ff9b::/96", egress=True)
    note = f"Note: security group {sent} allows egress of tcp 443 to 64:ff9b::/96"
    case("egress", "PASS", note, f"to 0.0.0.0/1 of prefix list {halves}", groups=[sent])

    edits: list[XmlEdit] = []  # of the answer of DescribeRouteTables

    def write(table: str, **route: str) -> None:
        members = "".join(f"<{name}>{value}</{name}>" for name, value in route.items())
        item = f"<item>{members}<state>active</state></item>"
        edits.append(with_member("routeTableId", table, "routeSet", item))

    # Routes that AWS writes, and one that nobody knows.
    def with_route(**route: str) -> tuple[str, str]:
        table = r.table(vpc)
        write(table, **route)
        return r.subnet(vpc, table), table

    subnet, table = with_route(destinationPrefixListId="pl-1", gatewayId="VpcLattice")
    case("lattice", "PASS", f"{subnet} (route table {table})", subnets=[subnet])
    subnet, table = with_route(destinationCidrBlock="192.168.100.0/24", origin="Advertisement")
    case("route-server", "PASS", f"{subnet} (route table {table})", subnets=[subnet])
    subnet, table = with_route(destinationPrefixListId="pl-1", gatewayId="newgw-1")
    case(
        "unknown-gateway",
        "MANUAL",
        f"a route of {table} leads to newgw-1, which this check does not know",
        subnets=[subnet],
    )
    pool_vpc = r.vpc()
    pool = (
        "<item><routeTableAssociationId>rtbassoc-1</routeTableAssociationId>"
        "<publicIpv4Pool>ipv4pool-ec2-1</publicIpv4Pool><main>false</main></item>"
    )
    edge = r.table(pool_vpc)
    edits.append(with_member("routeTableId", edge, "associationSet", pool))
    case("pool", "PASS", subnets=[r.subnet(pool_vpc)], groups=[r.group(pool_vpc)])

    # A firewall in line, by the interface of an appliance and by the endpoint of a firewall.
    inspected = r.vpc()
    gateway = r.internet_gateway(inspected)
    of_appliances = r.table(inspected, {**DEFAULT, "GatewayId": gateway})
    appliances = r.subnet(inspected, of_appliances)
    appliance, endpoint = r.interface(appliances), r.firewall(inspected, appliances)
    edge = r.table(inspected)
    r.ec2.associate_route_table(RouteTableId=edge, GatewayId=gateway)
    group = r.group(inspected)

    def in_line(name: str, target: str, comes_in: bool, words: str, **route: str) -> None:
        table = r.table(inspected, {**DEFAULT, **route})
        subnet = r.subnet(inspected, table)
        if comes_in:
            back = {"DestinationCidrBlock": r.block(subnet), **route}
            r.ec2.create_route(RouteTableId=edge, **back)
        through = f"subnet {subnet} is public through {target}: route table {table} sends "
        words = f"{through}{EVERYWHERE} to it, and route table {words}"
        case(name, "FAIL", words, subnets=[subnet], groups=[group])

    by_edge = f"{edge} of {gateway} sends the subnet's traffic to it"
    in_line("appliance-in-line", appliance, True, by_edge, NetworkInterfaceId=appliance)
    onwards = f"{of_appliances} leads from there to {gateway}"
    in_line("firewall-in-line", endpoint, False, onwards, VpcEndpointId=endpoint)

    # An appliance with an interface to each side, and a shared subnet whose owner has a firewall.
    twin = r.vpc()
    gateway_of_twin = r.internet_gateway(twin)
    inside, edge_of_twin = r.table(twin), r.table(twin)
    r.ec2.associate_route_table(RouteTableId=edge_of_twin, GatewayId=gateway_of_twin)
    subnet = r.subnet(twin, inside)
    block = r.block(subnet)
    appliance_to = {"destinationCidrBlock": EVERYWHERE, "networkInterfaceId": "eni-inside"}
    write(inside, instanceId="i-appliance", **appliance_to)
    appliance_to = {"destinationCidrBlock": block, "networkInterfaceId": "eni-outside"}
    write(edge_of_twin, instanceId="i-appliance", **appliance_to)
    sentence = (
        f"subnet {subnet} is public through i-appliance: route table {inside} sends {EVERYWHERE} "
        f"to it, and route table {edge_of_twin} of {gateway_of_twin} sends the subnet's traffic to "
    )
    case("appliance-of-two-interfaces", "FAIL", sentence, subnets=[subnet], groups=[r.group(twin)])
    theirs = r.vpc()
    subnet = r.subnet(theirs, r.table(theirs, {**DEFAULT, "VpcEndpointId": endpoint}))
    sentence = "gateways of account 999999999999, which shares the subnet, are not seen from here"
    case("shared-subnet", "MANUAL", sentence, subnets=[subnet], groups=[r.group(theirs)])
    owner = change_text("subnetId", subnet, "ownerId", "999999999999")

    # VPC Block Public Access: public by its route, and nothing passes.
    blocked = r.subnet(inspected, r.table(inspected, {**DEFAULT, "GatewayId": gateway}))
    mode = "<internetGatewayBlockMode>block-bidirectional</internetGatewayBlockMode>"
    mark = with_member("subnetId", blocked, "blockPublicAccessStates", mode)
    answers("DescribeSubnets", change_xml(mark, owner))
    case(
        "blocked-public-access",
        "FAIL",
        f"subnet {blocked} is public",
        f"Note: VPC Block Public Access (block-bidirectional) stops the traffic between {blocked}",
        subnets=[blocked],
        groups=[group],
    )

    answers("DescribeRouteTables", change_xml(*edits))

    # The names and what becomes of models.
    case("ARN-in-Small-Letters", "PASS", "model ARN-in-Small-Letters has")
    case("ARN-in-Small-Letters-described", "PASS")

    def in_small_letters(answer: dict[str, Any]) -> None:
        for summary in answer["Models"]:
            summary["ModelArn"] = summary["ModelArn"].lower()

    def forget(answer: dict[str, Any]) -> None:
        unknown = ("deleted", "ARN-in-Small-Letters-described")
        answer["Results"] = [
            r for r in answer["Results"] if r["Model"]["Model"]["ModelName"] not in unknown
        ]

    r.model("deleted", [private], [closed])
    answers("ListModels", change(lambda answer: answer.update(Models=[])), NameContains="deleted")
    answers("ListModels", change(in_small_letters))
    answers("Search", change(forget))
    gone = error("ValidationException", 'Could not find model "deleted".')
    answers("DescribeModel", gone, ModelName="deleted")
    return expected
