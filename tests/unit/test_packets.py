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
from collections.abc import Iterable, Sequence
from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

from checks.sagemaker_models_network_isolation_enabled.lib.facts import Subnet

from .test_network import EC2, IN, endpoint, read_network, route

NUMBER = 200
V4, V6 = "10.0.0.0/16", "2600:1f00::/56"
SUBNETS = {f"subnet-{n}": (f"10.0.{n}.0/24", f"2600:1f00:0:{n}::/64") for n in range(1, 6)}
BLOCKS = tuple(block for blocks in SUBNETS.values() for block in blocks)
# One address of the internet in each part of it that routes tell apart, but in no prefix list.
INTERNET = ("8.8.8.8", "8.1.1.1", "9.9.9.9", "200.1.1.1", "201.1.1.1", "2600:2::1", "2a00::1")
PUBLIC = ("0.0.0.0/0", "0.0.0.0/1", "8.0.0.0/8", "8.8.0.0/16", "200.0.0.0/8", "::/0", "2600::/16")
INSIDE = ("172.16.0.0/12", "10.0.3.0/24", "2600:1f00:0:3::/64")  # and no gateway's
FIREWALLS = ("vpce-1", "vpce-2", "vpce-3")
INSTANCES = {"eni-1": "i-1", "eni-2": "i-1", "eni-3": "i-2"}
MIDDLEBOXES = (*FIREWALLS, *INSTANCES)
TARGETS = ("igw-1", "nat-1", "tgw-1", *FIREWALLS, *FIREWALLS, *INSTANCES)
Routes = dict[str, str]  # by destination the target, with ! for a blackhole
Table = tuple[int, dict[str, Any], Routes]  # its number, and its association


@cache
def addresses(block: str) -> IPv4Network | IPv6Network:
    return ip_network(block)


@cache
def holds(block: str, address: str) -> bool:
    return ip_address(address) in addresses(block)


def random_routes(
    rng: random.Random, blocks: Iterable[str], targets: Sequence[str], chance: float = 1
) -> Routes:
    chosen = [block for block in blocks if rng.random() < chance]
    return {block: rng.choice(targets) + "!" * (rng.random() < 0.05) for block in chosen}


def subnets_routes(rng: random.Random, is_main: bool = False) -> Routes:
    """Return routes of a subnet's table; a middlebox may have taken a local route's place."""
    made = dict.fromkeys((V4, V6), "local")
    if not is_main:  # a middlebox must stand somewhere
        made |= random_routes(rng, (V4, V6), MIDDLEBOXES, 0.15)
    chosen = rng.sample((*PUBLIC, *INSIDE), rng.choice((1, 1, 2, 3)))
    made |= random_routes(rng, [block for block in chosen if block in PUBLIC], TARGETS)
    made |= random_routes(rng, [block for block in chosen if block in INSIDE], MIDDLEBOXES)
    if rng.random() < 0.2:
        made["pl-1"] = "vpce-s3"
    # What comes in for a subnet may be handed on.
    return made | random_routes(rng, BLOCKS, (*MIDDLEBOXES, "local"), 0.1)


def edge_routes(rng: random.Random) -> Routes:
    """Return routes of a gateway's table: to middleboxes, the whole VPC or whole subnets of it."""
    made = dict.fromkeys((V4, V6), "local")
    return made | random_routes(rng, (V4, V6, *BLOCKS), (*MIDDLEBOXES, "local"), 0.4)


class Network:
    """A random VPC with one internet gateway."""

    def __init__(self, rng: random.Random) -> None:
        main = subnets_routes(rng, is_main=True)
        self.by_subnet = {
            subnet: main if rng.random() < 0.2 else subnets_routes(rng) for subnet in SUBNETS
        }
        self.edge = edge_routes(rng) if rng.random() < 0.7 else None
        self.tables: list[Table] = [(0, {"Main": True}, main)]
        for number, (subnet, routes) in enumerate(self.by_subnet.items(), 1):
            if routes is not main:
                self.tables.append((number, {"SubnetId": subnet}, routes))
        if self.edge:
            self.tables.append((9, {"GatewayId": "igw-1"}, self.edge))
        self.stands = {middlebox: rng.choice(list(SUBNETS)) for middlebox in MIDDLEBOXES}

    def read(self, rng: random.Random) -> dict[str, Subnet]:
        """Return what the check knows of the subnets, with all lists in a random order."""

        def shuffled(items: Any) -> list[Any]:
            return sorted(items, key=lambda _: rng.random())

        def answered(number: int, association: dict[str, Any], routes: Routes) -> dict[str, Any]:
            members = {eni: f" InstanceId={instance}" for eni, instance in INSTANCES.items()}
            texts = (
                f"{to} {block}{members.get(to.strip('!'), '')}" for block, to in routes.items()
            )
            made = {"RouteTableId": f"rtb-{number}", "Associations": [association]}
            return {**made, "VpcId": "vpc-1", "Routes": shuffled(map(route, texts))}

        subnets = [
            {**IN, "SubnetId": subnet, "CidrBlock": v4}
            | {"Ipv6CidrBlockAssociationSet": [{"Ipv6CidrBlock": v6}]}
            for subnet, (v4, v6) in SUBNETS.items()
        ]
        ec2 = EC2(
            Subnets=shuffled(subnets),
            RouteTables=shuffled([answered(*table) for table in self.tables]),
            VpcEndpoints=shuffled([endpoint(int(f[-1]), self.stands[f][-1]) for f in FIREWALLS]),
        )
        return read_network(ec2, SUBNETS, [])[0]

    def hop(self, at: Routes | None, address: str) -> str:
        """Return where a table sends a packet: by the longest prefix, which may be dead."""
        if at is None:
            return "local"
        held = [block for block in at if block != "pl-1" and holds(block, address)]
        best = max(held, key=lambda block: addresses(block).prefixlen, default="")
        return "nowhere" if at.get(best, "!").endswith("!") else at[best]

    def walk(self, at: Routes | None, address: str, goal: str) -> list[str] | None:
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
    return "public" if facts.internet_routes else "unknown" if facts.unread else "private"


def attack(seed: int, number: int) -> Counter[str]:
    """Try random networks, and return how many subnets are what."""
    print(f"seed {seed}")
    counts: Counter[str] = Counter()
    for n in range(number):
        rng = random.Random(f"{seed}-{n}")
        network = Network(rng)
        facts = network.read(rng)
        for subnet in SUBNETS:
            said, speaks = oracle(network, subnet)
            found, where = known(facts[subnet]), f"seed {seed}, network {n}, {subnet}"
            counts[found] += 1
            counts[f"{found}, spoken with"] += speaks
            assert not (speaks and found == "private"), where
            assert found == said, (where, said, facts[subnet])
    return counts


def test_the_check_says_what_packets_do() -> None:
    counts = attack(random.SystemRandom().randrange(2**32), NUMBER)
    assert min(counts[word] for word in ("public", "unknown", "private")) > NUMBER / 10


if __name__ == "__main__":
    print(attack(random.SystemRandom().randrange(2**32), int(sys.argv[1])))
