"""Random security groups, against another way to ask what the internet gets in by.

The oracle asks at each port which addresses are admitted, as one union of numbers, and never looks
at the check's facts. It is written from "The meaning of public" in the Amazon S3 User Guide,
"Security group rules" in the Amazon VPC User Guide and IANA's special-purpose registries.

Each run draws a new seed and prints it. `python -m tests.unit.test_open_groups 10000` tries more.
"""

import random
import sys
from collections import Counter
from ipaddress import collapse_addresses, ip_network
from typing import Any

from checks.sagemaker_models_network_isolation_enabled.lib.rules import Statement, Verdict, judge

from .test_network import EC2, group, read_network
from .test_rules import model

NUMBER = 300
# Whole, in a row, in halves, nested, with a gap, private, and narrow.
BLOCKS = (
    *("0.0.0.0/0", "0.0.0.0/1", "4.0.0.0/6", "12.0.0.0/8", "13.0.0.0/8", "12.128.0.0/9"),
    *("14.0.0.0/9", "11.0.0.0/8", "10.0.0.0/8", "9.0.0.0/8", "8.128.0.0/9", "99.0.0.0/8"),
    *("203.0.113.0/24", "172.16.0.0/12", "::/0", "2600::/32", "2600:1::/32", "2600:1:8000::/33"),
    *("2a00::/16", "fc00::/7"),
)
LISTS = {"pl-1": ["12.0.0.0/8", "13.0.0.0/8"], "pl-2": ["14.0.0.0/8", "10.0.0.0/8"], "pl-3": []}
PORTS = ((22, 22), (20, 30), (25, 40), (40, 41), (0, 65535))
SPECIAL = [
    *map(ip_network, ("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16")),
    *map(ip_network, ("172.16.0.0/12", "192.168.0.0/16", "224.0.0.0/3")),
    *map(ip_network, ("fc00::/7", "fe80::/10", "ff00::/8")),
]
Rule = tuple[str, int, int, list[str]]  # protocol, first and last port, blocks and prefix lists
Groups = dict[str, tuple[list[Rule], list[Rule]]]  # by group the ingress and the egress


def random_rule(rng: random.Random) -> Rule:
    blocks = rng.sample(BLOCKS, rng.choice((0, 1, 1, 2, 3)))
    lists = rng.sample(list(LISTS), rng.choice((0, 0, 0, 1)))
    first, last = rng.choice(PORTS)
    protocol = rng.choice(("tcp", "tcp", "udp")) if first else "-1"
    return protocol, first, last, blocks + lists


def random_groups(rng: random.Random) -> Groups:
    def rules() -> list[Rule]:
        return [random_rule(rng) for _ in range(rng.choice((0, 1, 1, 2)))]

    return {f"sg-{n}": (rules(), rules()) for n in range(rng.choice((1, 2, 3)))}


def is_open(groups: Groups, direction: int) -> bool:
    """Return whether any port of any protocol admits a range of the internet."""
    rules = [rule for both in groups.values() for rule in both[direction]]
    for port in (20, 22, 25, 30, 40, 41, 50):
        for protocol in ("tcp", "udp"):
            admitted = [
                ip_network(block)
                for of, first, last, ends in rules
                if of in ("-1", protocol) and first <= port <= last
                for end in ends
                for block in LISTS.get(end, [end])
            ]
            for version, named in ((4, 2**24), (6, 2**96)):
                if is_public_range([b for b in admitted if b.version == version], named):
                    return True
    return False


def is_public_range(blocks: list[Any], named: int) -> bool:
    """Return whether some of the blocks are in a row and have more public addresses together."""
    size, end = 0, -1
    for block in collapse_addresses(blocks):
        size *= int(block.network_address) == end
        end = int(block.broadcast_address) + 1
        same: list[Any] = [s for s in SPECIAL if s.version == block.version]
        if not any(block.subnet_of(s) for s in same):
            size += block.num_addresses
            size -= sum(s.num_addresses for s in same if s.subnet_of(block))
        if size > named:
            return True
    return False


def verdict_on(groups: Groups, rng: random.Random) -> Verdict:
    def written(rules: list[Rule]) -> str:
        return "; ".join(
            " ".join([protocol, f"{first}..{last}", *(ends or ["sg-1"])])
            for protocol, first, last, ends in rules
        )

    texts = {name: " > ".join(map(written, directions)) for name, directions in groups.items()}
    answer = [group(text, int(name[3:])) for name, text in texts.items()]
    lists = {
        name: [{"Cidr": block} for block in rng.sample(blocks, len(blocks))]
        for name, blocks in LISTS.items()
    }
    ec2 = EC2(SecurityGroups=rng.sample(answer, len(answer)), **lists)
    names = tuple(groups)
    return judge(model("", *read_network(ec2, [], [names])[1][names]), True)


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
        for direction, rule in enumerate(("open-ingress", "open-egress")):
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
