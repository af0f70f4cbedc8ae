"""Why a model fails and what of it is not known, by the evidence in its finding.

Prowler writes what the check read from AWS (`lib/facts.py`) into OCSF as the finding's resource. A
cause is what one change would mend: a route table, a security group, a setting.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Facts = dict[str, Any]  # a resource's metadata, or a part of it

# The settings of a model or configuration itself.
ISOLATION = "network isolation is disabled"
NO_VPC = "no VPC configuration"
NO_GROUP = "no security group"
SERVERLESS = "serverless variant"
OTHER = "something that this version of sagemaker-isolation does not know"
# How the last open rule of a group ends if some of them are open only together with other rules.
JOINED = " (joined with others"
NOTES = ". Note: "  # what follows in a finding's text is no violation


@dataclass(frozen=True, slots=True)
class Cause:
    """What one change would mend.

    Attributes:
        thing: What is to be changed, with its id: "route table rtb-…".
        details: What about it, as clauses: "0.0.0.0/0 to igw-…"; empty for a setting.
    """

    thing: str
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unread:
    """Why something could not be read, without what it was; the names are those of the facts."""

    permission: str
    why: str
    remedy: str


def causes_of(facts: Facts, text: str) -> tuple[Cause, ...]:
    """Return the causes of a finding that is FAIL; there is one at least.

    Args:
        facts: Its evidence.
        text: Its text. Whether egress is a violation is a setting of the scan that no fact holds;
            the text names it among the violations or among the notes.
    """
    found = [*settings(facts), *route_tables(facts["subnets"])]
    found += security_groups(facts["security_groups"], text.partition(NOTES)[0])
    return tuple(found) or (Cause(OTHER),)


def settings(facts: Facts) -> Iterator[Cause]:
    """Yield the causes that are settings of the model or configuration itself."""
    if facts["network_isolation"] is False:
        yield Cause(ISOLATION)
    if facts["has_vpc_config"] is False:
        yield Cause(NO_VPC)
    if facts["has_vpc_config"] and not facts["security_groups"]:
        yield Cause(NO_GROUP)
    if facts.get("serverless_variants"):
        yield Cause(SERVERLESS)


def route_tables(subnets: list[Facts]) -> Iterator[Cause]:
    """Yield the route tables that make subnets public, each with its routes."""
    routes: dict[str, dict[str, None]] = {}
    for subnet in subnets:
        clauses = [f"{r['destination']} to {r['gateway']}" for r in subnet["internet_routes"]]
        clauses += [
            f"{r['destination']} to {r['middlebox']}, which {r['route_table_id']} joins to "
            f"{r['gateway']}"
            for r in subnet["middlebox_routes"]
        ]
        if clauses:
            table = f"route table {subnet['route_table_id']}"
            routes.setdefault(table, {}).update(dict.fromkeys(clauses))
    for table, found in routes.items():
        yield Cause(table, tuple(found))


def security_groups(groups: list[Facts], violations: str) -> Iterator[Cause]:
    """Yield the security groups that are open, each with its rules.

    Those of which a rule is open only together with another rule are one cause: which of them are
    to be narrowed is not known.

    Args:
        groups: The evidence.
        violations: The finding's text without its notes.
    """
    rules: dict[str, list[str]] = {}
    for group in groups:
        egress = f"security group {group['id']} allows egress of " in violations
        opened = [*group["open_ingress"], *(group["open_egress"] if egress else ())]
        found = [str(rule.get("text")) for rule in opened if isinstance(rule, dict)]
        if len(found) < len(opened) or not all(" " in rule for rule in found):
            raise TypeError(f"a rule of {group['id']} is no text")
        if found:
            rules[group["id"]] = found
    if len(rules) > 1 and any(JOINED in rule for found in rules.values() for rule in found):
        things = " and ".join(sorted(rules))
        together = (rule for found in rules.values() for rule in found)
        yield Cause(f"security groups {things} together", tuple(together))
        return
    for group_id, found in rules.items():
        yield Cause(f"security group {group_id}", tuple(found))


def unread_of(facts: Facts, text: str) -> tuple[Unread, ...]:
    """Return why something that might decide could not be read.

    Args:
        facts: The evidence.
        text: The finding's text; egress that could not be read is among its notes where egress is
            no violation.
    """
    parts = [facts, *facts["subnets"], *facts["security_groups"]]
    unread = [item for part in parts for item in part["unread"]]
    decisive = text.partition(NOTES)[0]
    unread += [
        item
        for group in facts["security_groups"]
        for item in group["unread_egress"]
        if item["what"] in decisive
    ]
    found = (Unread(item["permission"], item["why"], item["remedy"]) for item in unread)
    return tuple(dict.fromkeys(found))
