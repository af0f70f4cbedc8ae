"""Which security groups are open to the internet: their rules and prefix lists, as facts."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from .answers import Described, MalformedError, Partial, listed, missing, why_unread
from .facts import OpenRule, SecurityGroup, Unread
from .ranges import (
    ALL_PORTS,
    PREFIX_LIMITS,
    Permission,
    PrefixLimits,
    behind_nat64,
    exceeds,
    open_permissions,
    to_block,
)

# What a security group rule may admit; each rule has one of them at least.
_RULE_ENDS = ("IpRanges", "Ipv6Ranges", "PrefixListIds", "UserIdGroupPairs")
_ICMP_CODES = 256  # of each type
_DIRECTIONS = {"IpPermissions": "from", "IpPermissionsEgress": "to"}


def prefix_lists_of(groups: Described) -> set[str]:
    """Return the ids of the prefix lists that rules of security groups name."""
    lists = (group.get(direction) for group in groups.items.values() for direction in _DIRECTIONS)
    rules = (rule for rules in lists if isinstance(rules, list) for rule in rules)
    named = (_prefix_list_ids(rule)[0] for rule in rules if isinstance(rule, dict))
    return {list_id for ids in named for list_id in ids}


def _prefix_list_ids(rule: dict[str, Any]) -> tuple[list[str], bool]:
    """Return the prefix lists that a rule names, and whether all that it names are there."""
    return _texts(rule.get("PrefixListIds") or [], "PrefixListId")


def group_facts(
    group_sets: Collection[tuple[str, ...]],
    groups: Described,
    prefix_lists: Mapping[str, Partial[str]],
    limits: PrefixLimits,
) -> dict[tuple[str, ...], tuple[SecurityGroup, ...]]:
    """Return what is known of the security groups of models, by each model's SecurityGroupIds.

    A group's rule may be open to the internet only together with a rule of another group.

    Args:
        group_sets: The models' SecurityGroupIds.
        prefix_lists: Those that rules of the groups name, by id.
    """
    rules = {
        (group_id, direction): dict.fromkeys(_read_rules(group_id, direction, groups, prefix_lists))
        for group_id in {group_id for group_set in group_sets for group_id in group_set}
        for direction in _DIRECTIONS
    }
    permissions = {k: [p for p in parts if isinstance(p, Permission)] for k, parts in rules.items()}
    unread = {k: tuple(u for u in parts if isinstance(u, Unread)) for k, parts in rules.items()}
    alone = {key: open_permissions(found, limits) for key, found in permissions.items()}

    def opened(group_set: tuple[str, ...], direction: str) -> dict[str, tuple[OpenRule, ...]]:
        of = {group_id: (group_id, direction) for group_id in group_set}
        left = (p for key in of.values() for p in permissions[key] if p not in alone[key])
        together = open_permissions(left, limits)
        return {
            group_id: _open_rules(permissions[key], alone[key] | together, limits)
            for group_id, key in of.items()
        }

    facts = {}
    for group_set in group_sets:
        ingress, egress = (opened(group_set, direction) for direction in _DIRECTIONS)
        facts[group_set] = tuple(
            SecurityGroup(
                id=group_id,
                vpc_id=_vpc_of(groups.items.get(group_id, {})),
                open_ingress=ingress[group_id],
                open_egress=egress[group_id],
                unread=unread[group_id, "IpPermissions"],
                unread_egress=unread[group_id, "IpPermissionsEgress"],
            )
            for group_id in group_set
        )
    return facts


def _vpc_of(group: dict[str, Any]) -> str | None:
    vpc_id = group.get("VpcId")
    return vpc_id if isinstance(vpc_id, str) else None


def _read_rules(
    group_id: str, direction: str, groups: Described, prefix_lists: Mapping[str, Partial[str]]
) -> Iterator[Permission | Unread]:
    """Yield what the rules of a security group permit, and what of them is not known."""
    what, permission = f"security group {group_id}", "ec2:DescribeSecurityGroups"
    if group_id not in groups.items:
        yield missing(what, groups, permission)
        return
    try:
        rules = listed(groups.items[group_id], direction, group_id)
    except MalformedError as error:
        yield why_unread(error, what, permission)
        return
    incomplete = False
    for rule in rules:
        ends = [rule.get(kind) for kind in _RULE_ENDS]
        incomplete |= not any(ends) or not all(isinstance(end, list | None) for end in ends)
        named: list[tuple[Any, str]] = []
        for ranges, key in (("IpRanges", "CidrIp"), ("Ipv6Ranges", "CidrIpv6")):
            blocks, whole = _texts(rule.get(ranges), key)
            incomplete |= not whole
            named += [(block, block) for block in blocks]
        ids, whole = _prefix_list_ids(rule)
        incomplete |= not whole
        for list_id in ids:
            prefix_list = prefix_lists[list_id]
            named += [(block, f"{block} of prefix list {list_id}") for block in prefix_list.items]
            if prefix_list.error:
                yield why_unread(
                    prefix_list.error,
                    f"prefix list {list_id} of security group {group_id}",
                    "ec2:GetManagedPrefixListEntries",
                )
        for block, written in named:
            try:
                yield _permitted(group_id, rule, block, f"{_DIRECTIONS[direction]} {written}")
            except ValueError:
                incomplete = True
    if incomplete:
        malformed = MalformedError(
            f"a rule in {direction} of {group_id} lacks its protocol, port or range"
        )
        yield why_unread(malformed, what, permission)


def _texts(items: Any, key: str) -> tuple[list[str], bool]:
    """Return one member of each structure of a list, and whether all of them have it as a text."""
    if not isinstance(items, list):
        return [], False
    found = [item.get(key) for item in items if isinstance(item, dict)]
    kept = [text for text in found if isinstance(text, str)]
    return kept, len(kept) == len(items)


def _permitted(group_id: str, rule: dict[str, Any], block: str, end: str) -> Permission:
    """Return what a rule permits for one block, or raise ValueError where that is garbled."""
    network, protocol = to_block(block), rule.get("IpProtocol")
    ports = (rule.get("FromPort"), rule.get("ToPort"))
    are_ports = all(isinstance(port, int | None) for port in ports)
    if network is None or not isinstance(protocol, str) or not are_ports:
        raise ValueError
    if end.startswith("to "):
        network = behind_nat64(network)
    text = f"{_traffic(rule)} {end}"
    return Permission(group_id, protocol, _ports_of(rule), network, text)


def _ports_of(rule: dict[str, Any]) -> tuple[float, float]:
    """Return a rule's first and last port, or the same of ICMP's types and codes."""
    first, last = rule.get("FromPort"), rule.get("ToPort")
    if not isinstance(first, int) or not isinstance(last, int) or first == -1:
        return ALL_PORTS
    if str(rule.get("IpProtocol")).startswith("icmp"):  # FromPort is the type, ToPort the code
        types = first * _ICMP_CODES
        return (types, types + _ICMP_CODES - 1) if last == -1 else (types + last, types + last)
    has_ports = rule.get("IpProtocol") in ("tcp", "udp") and first <= last
    return (first, last) if has_ports else ALL_PORTS


def _traffic(rule: dict[str, Any]) -> str:
    """Return a security group rule's protocol and ports in words: "tcp 443", "icmp type 8"."""
    protocol = str(rule.get("IpProtocol"))
    if protocol == "-1":
        return "all traffic"
    ports = _ports_of(rule)
    if protocol.isdigit():  # of IANA's protocol numbers; EC2 names the usual ones
        return f"protocol {protocol}"
    if ports == ALL_PORTS:
        return protocol
    first, last = map(int, ports)
    if protocol.startswith("icmp"):
        kind, code = divmod(first, _ICMP_CODES)
        return f"{protocol} type {kind}" + (f" code {code}" if first == last else "")
    return f"{protocol} {first}" if first == last else f"{protocol} {first}-{last}"


def _open_rules(
    permissions: list[Permission], opened: Mapping[Permission, set[str]], limits: PrefixLimits
) -> tuple[OpenRule, ...]:
    """Return those of a group's permissions that are open, in words, with the groups they need."""
    found: dict[tuple[str, ...], list[Permission]] = {}
    for permission in permissions:
        if permission in opened:
            others = tuple(sorted(opened[permission] - {permission.group_id}))
            found.setdefault(others, []).append(permission)
    rules: list[OpenRule] = []
    for others, same in found.items():
        *texts, last = dict.fromkeys(permission.text for permission in same)
        joined = any(not exceeds(permission.block, limits) for permission in same)
        configured = limits != PREFIX_LIMITS
        if joined or configured:  # the last says what makes them open
            named = f"broader than a /{limits[4]} or an IPv6 /{limits[6]}"
            last += f" ({'joined with others, ' * joined}{named}{', as configured' * configured})"
        rules += [OpenRule(text, others) for text in (*texts, last)]
    return tuple(rules)
