"""Random security groups, against another way to ask what the internet gets in by.

The oracle asks at each port which addresses are admitted, as one union of numbers, and never looks
at the check's facts. It is written from "The meaning of public" in the Amazon S3 User Guide,
"Security group rules" in the Amazon VPC User Guide and IANA's special-purpose registries.

Each run draws a new seed and prints it. `python -m tests.unit.test_open_groups 10000` tries more.
"""

import random
import sys
from collections import Counter
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

from checks.sagemaker_models_network_isolation_enabled.lib.facts import Model, Network, Subnet
from checks.sagemaker_models_network_isolation_enabled.lib.rules import Statement, Verdict, judge

from .test_network import EC2, read_network

NUMBER = 300
PRIVATE = Subnet("subnet-1", "vpc-1", "rtb-1", (), (), unread=())
# Whole, in a row, in halves, nested, with a gap, private, and narrow.
BLOCKS = (
    *("0.0.0.0/0", "0.0.0.0/1", "4.0.0.0/6", "12.0.0.0/8", "13.0.0.0/8", "12.128.0.0/9"),
    *("14.0.0.0/9", "11.0.0.0/8", "10.0.0.0/8", "9.0.0.0/8", "8.128.0.0/9", "99.0.0.0/8"),
    *("203.0.113.0/24", "172.16.0.0/12", "::/0", "2600::/32", "2600:1::/32", "2600:1:8000::/33"),
    *("2a00::/16", "fc00::/7"),
)
LISTS = {"pl-1": ["12.0.0.0/8", "13.0.0.0/8"], "pl-2": ["14.0.0.0/8", "10.0.0.0/8"], "pl-3": []}
PORTS = ((22, 22), (20, 30), (25, 40), (40, 41), None)
SPECIAL = {
    32: "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 "
    "192.168.0.0/16 224.0.0.0/3",
    128: "fc00::/7 fe80::/10 ff00::/8",
}
Rule = dict[str, Any]
Groups = dict[str, dict[str, list[Rule]]]


def random_rule(rng: random.Random) -> Rule:
    blocks = rng.sample(BLOCKS, rng.choice((0, 1, 1, 2, 3)))
    lists = rng.sample(list(LISTS), rng.choice((0, 0, 0, 1)))
    ports = rng.choice(PORTS)
    protocol = rng.choice(("tcp", "tcp", "udp")) if ports else "-1"
    return {
        "IpProtocol": protocol,
        **({"FromPort": ports[0], "ToPort": ports[1]} if ports else {}),
        "IpRanges": [{"CidrIp": block} for block in blocks if ":" not in block],
        "Ipv6Ranges": [{"CidrIpv6": block} for block in blocks if ":" in block],
        "PrefixListIds": [{"PrefixListId": name} for name in lists],
        "UserIdGroupPairs": [] if blocks or lists else [{"GroupId": "sg-1"}],
    }


def random_groups(rng: random.Random) -> Groups:
    return {
        f"sg-{n}": {
            direction: [random_rule(rng) for _ in range(rng.choice((0, 1, 1, 2)))]
            for direction in ("IpPermissions", "IpPermissionsEgress")
        }
        for n in range(rng.choice((1, 2, 3)))
    }


def is_open(groups: Groups, direction: str) -> bool:
    """Return whether any port of any protocol admits a range of the internet."""
    rules = [rule for group in groups.values() for rule in group[direction]]
    for protocol in ("tcp", "udp"):
        for port in (20, 22, 25, 30, 40, 41, 50):
            admitted = []
            for rule in rules:
                at_port = rule.get("FromPort", 0) <= port <= rule.get("ToPort", 65535)
                if rule["IpProtocol"] in ("-1", protocol) and at_port:
                    admitted += [r["CidrIp"] for r in rule["IpRanges"]]
                    admitted += [r["CidrIpv6"] for r in rule["Ipv6Ranges"]]
                    admitted += [b for r in rule["PrefixListIds"] for b in LISTS[r["PrefixListId"]]]
            if any(is_public_range(admitted, *version) for version in ((32, 24), (128, 96))):
                return True
    return False


def is_public_range(admitted: list[str], bits: int, named: int) -> bool:
    """Return whether the union of blocks has a range with more public addresses than a /8."""
    blocks = [ip_network(b) for b in admitted if ip_network(b).max_prefixlen == bits]
    union: list[list[int]] = []
    for block in sorted(blocks, key=lambda b: int(b.network_address)):
        first, end = int(block.network_address), int(block.broadcast_address) + 1
        if union and first <= union[-1][1]:
            union[-1][1] = max(union[-1][1], end)
        else:
            union.append([first, end])
    special = [ip_network(block) for block in SPECIAL[bits].split()]
    for first, end in union:
        inside = (
            min(end, int(s.broadcast_address) + 1) - max(first, int(s.network_address))
            for s in special
        )
        if end - first - sum(max(0, size) for size in inside) > 2**named:
            return True
    return False


def verdict_on(groups: Groups, rng: random.Random) -> Verdict:
    answer = [{"GroupId": name, "VpcId": "vpc-1", **rules} for name, rules in groups.items()]
    names = tuple(groups)
    lists = {name: rng.sample(blocks, len(blocks)) for name, blocks in LISTS.items()}
    ec2 = EC2(SecurityGroups=rng.sample(answer, len(answer)), **lists)
    facts = read_network(ec2, [], [names])[1][names]
    model = Model("m", "arn", "r", None, True, True, ("subnet-1",), names, unread=())
    return judge(replace(model, network=Network((PRIVATE,), facts)), True)


def named(said: Statement) -> set[str]:
    """Return the groups that a violation names."""
    return {word for word in said.thing.replace(",", "").split() if word.startswith("sg-")}


def attack(seed: int, number: int) -> Counter[str]:
    """Try random groups, and return how many are what."""
    print(f"seed {seed}")
    counts: Counter[str] = Counter()
    for n in range(number):
        rng = random.Random(f"{seed}-{n}")
        groups, where = random_groups(rng), f"seed {seed}, groups {n}"
        verdict = verdict_on(groups, rng)
        opened = {said.rule for said in verdict.violations}
        for rule, direction in (
            ("open-ingress", "IpPermissions"),
            ("open-egress", "IpPermissionsEgress"),
        ):
            assert (rule in opened) == is_open(groups, direction), (where, rule, groups)
        counts[f"{verdict.status}, {len(verdict.violations)} violations"] += 1
        # Without the groups that a violation names, all is well if there is no other, and not if
        # one is of other groups only.
        for said in verdict.violations:
            left = {name: rules for name, rules in groups.items() if name not in named(said)}
            others = verdict_on(left, rng).violations if left else ()
            apart = any(named(other) <= left.keys() for other in verdict.violations)
            assert bool(others) if apart else len(verdict.violations) > 1 or not others, where
    return counts


def test_the_check_says_what_the_internet_gets_in_by() -> None:
    counts = attack(random.SystemRandom().randrange(2**32), NUMBER)
    assert min(counts[f"{word} violations"] for word in ("PASS, 0", "FAIL, 1", "FAIL, 2")) > 10


if __name__ == "__main__":
    print(attack(random.SystemRandom().randrange(2**32), int(sys.argv[1])))
