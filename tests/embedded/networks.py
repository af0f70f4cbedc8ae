"""Networks beside the account's: for each member of EC2's answers, one whose verdict rests on it.

They show that what AWS sends is read: what follows from it is a table of cases in test_network.py
and an oracle in test_packets.py. All are in one region, and isolation is on, so that the network
alone decides.
"""

from typing import Any

from .account import EVERYWHERE, Region
from .server import EmbeddedAWS, change, change_text, error, on

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
    edits: list[tuple[str, str]] = []  # of the answers of DescribeRouteTables and DescribeSubnets

    def case(name: str, status: str, *words: str, subnet: str = private, group: str = "") -> None:
        r.model(name, [subnet], [group or closed])
        expected[name] = (status, words)

    def write(table: str, **members: str) -> None:
        route = "".join(f"<{name}>{value}</{name}>" for name, value in members.items())
        begin = f"{table}</routeTableId><routeSet>"
        edits.append((begin, f"{begin}<item>{route}<state>active</state></item>"))

    # Rules, and the entries of prefix lists.
    halves = r.prefix_list("0.0.0.0/1", "128.0.0.0/1")
    words = [f"tcp 443 from {block}.0.0.0/1 of prefix list {halves}" for block in (0, 128)]
    case("list-halves", "FAIL", *words, group=r.group(vpc, halves))
    partner = r.prefix_list(*(f"198.51.{n}.0/24" for n in range(120)))
    case("list-named-sources", "PASS", group=r.group(vpc, partner))

    # A route to what nobody knows, and a table for what comes in from a pool of addresses.
    table = r.table(vpc)
    write(table, destinationPrefixListId="pl-1", gatewayId="newgw-1")
    why = f"a route of {table} leads to newgw-1, which this check does not know"
    case("unknown-gateway", "MANUAL", why, subnet=r.subnet(vpc, table))
    pooled = r.vpc()
    of_pool = f"<routeTableId>{r.table(pooled)}"
    pool = "<publicIpv4Pool>ipv4pool-ec2-1</publicIpv4Pool><main>false</main>"
    edits.append(
        (
            f"<associationSet/>{of_pool}",
            f"<associationSet><item>{pool}</item></associationSet>{of_pool}",
        )
    )
    case("pool", "PASS", subnet=r.subnet(pooled), group=r.group(pooled))

    # A firewall in line, by the interface of an appliance and by the endpoint of a firewall.
    inspected = r.vpc()
    gateway, edge, group = r.internet_gateway(inspected), r.table(inspected), r.group(inspected)
    of_appliances = r.table(inspected, {**DEFAULT, "GatewayId": gateway})
    appliances = r.subnet(inspected, of_appliances)
    appliance, endpoint = r.interface(appliances), r.firewall(inspected, appliances)
    r.ec2.associate_route_table(RouteTableId=edge, GatewayId=gateway)

    def in_line(name: str, target: str, why: str, comes_in: bool = False, **route: str) -> None:
        table = r.table(inspected, {**DEFAULT, **route})
        subnet = r.subnet(inspected, table)
        if comes_in:
            back = {"DestinationCidrBlock": r.block(subnet), **route}
            r.ec2.create_route(RouteTableId=edge, **back)
        through = f"subnet {subnet} is public through {target}: route table {table} sends "
        words = f"{through}{EVERYWHERE} to it, and route table {why}"
        case(name, "FAIL", words, subnet=subnet, group=group)

    by_edge = f"{edge} of {gateway} sends the subnet's traffic to it"
    in_line("appliance-in-line", appliance, by_edge, comes_in=True, NetworkInterfaceId=appliance)
    onwards = f"{of_appliances} leads from there to {gateway}"
    in_line("firewall-in-line", endpoint, onwards, VpcEndpointId=endpoint)

    # An appliance with an interface to each side, and a shared subnet whose owner has a firewall.
    twin = r.vpc()
    gateway_of_twin, inside, edge = r.internet_gateway(twin), r.table(twin), r.table(twin)
    r.ec2.associate_route_table(RouteTableId=edge, GatewayId=gateway_of_twin)
    subnet = r.subnet(twin, inside)
    for table, block, side in ((inside, EVERYWHERE, "inside"), (edge, r.block(subnet), "outside")):
        target = {"instanceId": "i-appliance", "networkInterfaceId": f"eni-{side}"}
        write(table, destinationCidrBlock=block, **target)
    why = (
        f"subnet {subnet} is public through i-appliance: route table {inside} sends {EVERYWHERE} "
        f"to it, and route table {edge} of {gateway_of_twin} sends the subnet's traffic to "
    )
    case("appliance-of-two-interfaces", "FAIL", why, subnet=subnet, group=r.group(twin))
    theirs = r.vpc()
    subnet = r.subnet(theirs, r.table(theirs, {**DEFAULT, "VpcEndpointId": endpoint}))
    why = "gateways of account 999999999999, which shares the subnet, are not seen from here"
    case("shared-subnet", "MANUAL", why, subnet=subnet, group=r.group(theirs))
    owned = rf"(<ownerId>)\d+(</ownerId>(?:(?!ownerId).)*<subnetId>{subnet})"
    edits.append((owned, r"\g<1>999999999999\2"))

    # VPC Block Public Access: public by its route, and nothing passes.
    blocked = r.subnet(inspected, r.table(inspected, {**DEFAULT, "GatewayId": gateway}))
    mode = "<internetGatewayBlockMode>block-bidirectional</internetGatewayBlockMode>"
    states = f"<blockPublicAccessStates>{mode}</blockPublicAccessStates>"
    edits.append((f"<subnetId>{blocked}</subnetId>(?=<state>)", rf"\g<0>{states}"))
    note = (
        f"Note: VPC Block Public Access (block-bidirectional) stops the traffic between {blocked}"
    )
    case(
        "blocked-public-access",
        "FAIL",
        f"subnet {blocked} is public",
        note,
        subnet=blocked,
        group=group,
    )

    # The names and what becomes of models.
    case("ARN-in-Small-Letters", "PASS", "model ARN-in-Small-Letters has")
    case("ARN-in-Small-Letters-described", "PASS")
    r.model("deleted", [private], [closed])

    def in_small_letters(answer: dict[str, Any]) -> None:
        for summary in answer["Models"]:
            summary["ModelArn"] = summary["ModelArn"].lower()

    def forget(answer: dict[str, Any]) -> None:
        unknown = ("deleted", "ARN-in-Small-Letters-described")
        answer["Results"] = [
            r for r in answer["Results"] if r["Model"]["Model"]["ModelName"] not in unknown
        ]

    def answers(api: str, fault: Any, **parameters: Any) -> None:
        aws.faults.append(on(api, REGION, **parameters)(fault))

    answers("DescribeRouteTables", change_text(*edits))
    answers("DescribeSubnets", change_text(*edits))
    answers("ListModels", change(lambda answer: answer.update(Models=[])), NameContains="deleted")
    answers("ListModels", change(in_small_letters))
    answers("Search", change(forget))
    gone = error("ValidationException", 'Could not find model "deleted".')
    answers("DescribeModel", gone, ModelName="deleted")
    return expected
