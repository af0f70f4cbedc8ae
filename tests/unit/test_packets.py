"""Packets on random networks, against the check's facts.

The walker knows no rule of the check's: it carries one packet from route table to route table, as
"How route priority works", "Gateway route tables" and "Middlebox routing wizard" in the Amazon VPC
User Guide and the AWS Network Firewall Developer Guide's examples have it. A firewall's endpoint
puts the packet into its subnet as it came. An appliance may do so too, or translate: which, no
table says.

Each run draws a new seed and prints it. `python -m tests.unit.test_packets 10000` tries more.
"""

import random
import sys
from collections import Counter
from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

from checks.sagemaker_models_network_isolation_enabled.lib.facts import Subnet

from .test_network import ACCOUNT, EC2, read_network, to

NUMBER = 200
V4, V6 = "10.0.0.0/16", "2600:1f00::/56"
SUBNETS = {f"subnet-{n}": (f"10.0.{n}.0/24", f"2600:1f00:0:{n}::/64") for n in range(1, 6)}
# One address of the internet in each part of it that routes tell apart, but in no prefix list.
INTERNET = ("8.8.8.8", "8.1.1.1", "9.9.9.9", "200.1.1.1", "201.1.1.1", "2600:2::1", "2a00::1")
PUBLIC = ("0.0.0.0/0", "0.0.0.0/1", "8.0.0.0/8", "8.8.0.0/16", "200.0.0.0/8", "::/0", "2600::/16")
INSIDE = ("172.16.0.0/12", "10.0.3.0/24", "2600:1f00:0:3::/64")  # and no gateway's
FIREWALLS = ("vpce-1", "vpce-2", "vpce-3")
INSTANCES = {"eni-1": "i-1", "eni-2": "i-1", "eni-3": "i-2"}
MIDDLEBOXES = (*FIREWALLS, *INSTANCES)
TARGETS = ("igw-1", "nat-1", "tgw-1", *FIREWALLS, *FIREWALLS, *INSTANCES)
Table = dict[str, Any]


@cache
def addresses(block: str) -> IPv4Network | IPv6Network:
    return ip_network(block)


@cache
def holds(block: str, address: str) -> bool:
    return ip_address(address) in addresses(block)


def route(destination: str, target: str, rng: random.Random) -> dict[str, Any]:
    instance = INSTANCES.get(target)
    key = "TransitGatewayId" if target == "tgw-1" else None
    state = "blackhole" if rng.random() < 0.05 else "active"
    return dict(to(target, destination, key, State=state, InstanceId=instance))


def table(number: int, rng: random.Random, *associations: dict[str, Any]) -> Table:
    """Return a route table with some routes; a middlebox may have taken a local route's place."""
    routes = {block: to("local", block) for block in (V4, V6)}
    for block in routes if number else ():  # but not in the main table: it must stand somewhere
        if rng.random() < 0.15:
            routes[block] = route(block, rng.choice(MIDDLEBOXES), rng)
    for destination in rng.sample((*PUBLIC, *INSIDE), rng.choice((1, 1, 2, 3))):
        targets = TARGETS if destination in PUBLIC else MIDDLEBOXES
        routes[destination] = route(destination, rng.choice(targets), rng)
    if rng.random() < 0.2:
        routes["pl-1"] = to("vpce-s3", "pl-1")
    for blocks in SUBNETS.values():  # what comes in for a subnet may be handed on
        for block in blocks:
            if rng.random() < 0.1:
                routes[block] = route(block, rng.choice((*MIDDLEBOXES, "local")), rng)
    made = {"RouteTableId": f"rtb-{number}", "VpcId": "vpc-1", "Routes": list(routes.values())}
    return {**made, "Associations": list(associations)}


def edge_table(rng: random.Random, gateway: str, number: int) -> Table:
    """Return a gateway's own table: to middleboxes, the whole VPC or whole subnets of it."""
    made = table(number, rng, {"GatewayId": gateway})
    routes = {block: to("local", block) for block in (V4, V6)}
    for block in (V4, V6, *(block for blocks in SUBNETS.values() for block in blocks)):
        if rng.random() < 0.4:
            routes[block] = route(block, rng.choice((*MIDDLEBOXES, "local")), rng)
    return {**made, "Routes": list(routes.values())}


class Network:
    """A random VPC with one internet gateway."""

    def __init__(self, rng: random.Random) -> None:
        main = table(0, rng, {"Main": True})
        self.by_subnet = {
            subnet: main if rng.random() < 0.2 else table(n, rng, {"SubnetId": subnet})
            for n, subnet in enumerate(SUBNETS, 1)
        }
        self.edge = edge_table(rng, "igw-1", 9) if rng.random() < 0.7 else None
        in_effect = [main, *self.by_subnet.values(), *([self.edge] if self.edge else [])]
        self.tables = list({t["RouteTableId"]: t for t in in_effect}.values())
        self.stands = {middlebox: rng.choice(list(SUBNETS)) for middlebox in MIDDLEBOXES}

    def in_effect_for_nothing(self, rng: random.Random) -> list[Table]:
        """Return route tables that no packet of this network meets."""
        ended = {"AssociationState": {"State": "disassociated"}}
        subnet = rng.choice(list(SUBNETS))
        return [
            table(20, rng),
            table(21, rng, {"SubnetId": "subnet-99"}),
            table(22, rng, {"SubnetId": subnet, **ended}),
            edge_table(rng, "vgw-1", 23),
            {**edge_table(rng, "igw-1", 24), "Associations": [{"GatewayId": "igw-1", **ended}]},
        ]

    def read(self, rng: random.Random, others: list[Table]) -> dict[str, Subnet]:
        """Return what the check knows of the subnets, with all lists in a random order."""

        def shuffled(items: Any) -> list[Any]:
            return rng.sample(list(items), len(items))

        keys = ("Routes", "Associations")
        tables = [{**t, **{key: shuffled(t[key]) for key in keys}} for t in self.tables + others]
        endpoints = [
            {"VpcEndpointId": name, "VpcId": "vpc-1", "SubnetIds": [self.stands[name]]}
            for name in FIREWALLS
        ]
        subnets = [
            {"SubnetId": subnet, "VpcId": "vpc-1", "OwnerId": ACCOUNT, "CidrBlock": v4}
            | {"Ipv6CidrBlockAssociationSet": [{"Ipv6CidrBlock": v6}]}
            for subnet, (v4, v6) in SUBNETS.items()
        ]
        answers = {"Subnets": subnets, "RouteTables": tables, "VpcEndpoints": endpoints}
        ec2 = EC2(**{key: shuffled(items) for key, items in answers.items()})
        return read_network(ec2, SUBNETS, [])[0]

    def hop(self, at: Table | None, address: str) -> str:
        """Return where a table sends a packet: by the longest prefix, which may be dead."""
        if at is None:
            return "local"
        best, target = -1, "nowhere"
        for one in at["Routes"]:
            block = one.get("DestinationCidrBlock") or one.get("DestinationIpv6CidrBlock")
            if block and holds(block, address) and addresses(block).prefixlen > best:
                best = addresses(block).prefixlen
                is_live = one["State"] == "active"
                targets = (v for v in one.values() if v in (*TARGETS, "local"))
                target = next(targets) if is_live else "nowhere"
        return target

    def walk(self, at: Table | None, address: str, goal: str) -> list[str] | None:
        """Return the middleboxes that a packet passes, if none translates; None if it is lost."""
        passed: list[str] = []
        while (target := self.hop(at, address)) != goal:
            if target not in MIDDLEBOXES or target in passed:
                return None
            passed.append(target)
            at = self.by_subnet[self.stands[target]]
        return passed


def machines(passed: list[str]) -> set[str]:
    """Return the appliances among middleboxes, an instance for its interfaces."""
    return {INSTANCES[name] for name in passed if name in INSTANCES}


def oracle(network: Network, subnet: str) -> tuple[str, bool]:
    """Return what the rule says of a subnet, and whether the internet can speak with it as it is.

    It can if a packet gets to the gateway and one back, both untranslated, and each appliance on
    the way out sees the way in too: one that does not must be translating, or nothing works.
    """
    said, speaks = {"private"}, False
    for address in INTERNET:
        version = ip_address(address).version
        at, seen = network.by_subnet[subnet], set[str]()
        while (first := network.hop(at, address)) in FIREWALLS and first not in seen:
            seen.add(first)
            at = network.by_subnet[network.stands[first]]
        if first == "igw-1":
            said.add("public")
        own = str(addresses(SUBNETS[subnet][version == 6])[9])
        entrance = network.hop(network.edge, own)
        if first in INSTANCES and entrance in MIDDLEBOXES:
            same = entrance == first or INSTANCES.get(entrance) == INSTANCES[first]
            said.add("public" if same else "unknown")
        out = network.walk(network.by_subnet[subnet], address, "igw-1")
        back = network.walk(network.edge, own, "local")
        if out is not None and machines(out) <= machines(back or []):
            speaks |= not machines(out) or back is not None
    return next(word for word in ("public", "unknown", "private") if word in said), speaks


def known(facts: Subnet) -> str:
    public = facts.internet_routes or facts.middlebox_routes
    return "public" if public else "unknown" if facts.unread else "private"


def attack(seed: int, number: int) -> Counter[str]:
    """Try random networks, and return how many subnets are what."""
    print(f"seed {seed}")
    counts: Counter[str] = Counter()
    for n in range(number):
        rng = random.Random(f"{seed}-{n}")
        network = Network(rng)
        facts = network.read(rng, [])
        again = network.read(rng, network.in_effect_for_nothing(rng))
        for subnet in SUBNETS:
            said, speaks = oracle(network, subnet)
            found, where = known(facts[subnet]), f"seed {seed}, network {n}, {subnet}"
            counts[found] += 1
            counts[f"{found}, spoken with"] += speaks
            assert not (speaks and found == "private"), where
            assert found == said, (where, said, facts[subnet])
            assert known(again[subnet]) == found, where
    return counts


def test_the_check_says_what_packets_do() -> None:
    counts = attack(random.SystemRandom().randrange(2**32), NUMBER)
    assert min(counts[word] for word in ("public", "unknown", "private")) > NUMBER / 10


if __name__ == "__main__":
    print(attack(random.SystemRandom().randrange(2**32), int(sys.argv[1])))
