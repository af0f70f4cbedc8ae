"""Route tables as DescribeRouteTables gives them: which one routes a subnet's traffic.

Source: "Subnet route tables" and "Gateway route tables" in the Amazon VPC User Guide.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from .answers import Described, MalformedError, is_id, listed

LIVE = ("active", "filtered")  # the states of a route but for "blackhole"

T = TypeVar("T")


@dataclass(frozen=True)
class RouteTables(Described):
    """The answer of DescribeRouteTables for some VPCs."""

    @cached_property
    def _by_vpc(self) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = {}
        for table in self.items.values():
            vpc_id = table.get("VpcId")
            found.setdefault(str(vpc_id) if is_id(vpc_id, "vpc-") else "", []).append(table)
        return found

    def of_vpc(self, vpc_id: str) -> list[dict[str, Any]]:
        """Return the route tables of a VPC, and those that do not say of which VPC they are."""
        return [*self._by_vpc.get(vpc_id, ()), *self._by_vpc.get("", ())]


def table_in_effect(subnet_id: str, vpc_id: str, tables: RouteTables) -> dict[str, Any]:
    """Return the route table that routes a subnet's traffic.

    Args:
        subnet_id: The subnet.
        vpc_id: Its VPC.
        tables: The answer of DescribeRouteTables for that VPC, and for others.

    Raises:
        Exception: The error of DescribeRouteTables, where its answer is not enough.
        MalformedError: The answer is whole and does not say which table it is.
    """
    own: list[dict[str, Any]] = []
    main: list[dict[str, Any]] = []
    error = tables.error
    for table in tables.of_vpc(vpc_id):
        try:
            for association in listed(table, "Associations", table["RouteTableId"]):
                associated = associated_with(association, table)
                if associated in ("main", subnet_id) and in_effect(association, associated, table):
                    (main if associated == "main" else own).append(table)
        # This table may be the subnet's own, so no main table is an answer any more.
        except MalformedError as malformed:
            error = error or malformed
    if len(own) == 1:
        return own[0]
    if error:
        raise error
    if own or len(main) != 1:
        kind = f"{len(own)} tables of its own" if own else f"{len(main)} main tables in {vpc_id}"
        raise MalformedError(f"AWS answered {kind}")
    return main[0]


def associated_with(association: dict[str, Any], table: dict[str, Any]) -> str:
    """Return what a route table is associated with: "main", or the id of a subnet, gateway or pool.

    Args:
        association: A RouteTableAssociation, as boto3 gives it.
        table: Its route table.

    Raises:
        MalformedError: The answer does not say.
    """
    if association.get("Main") is True and is_id(table.get("VpcId"), "vpc-"):
        return "main"
    if is_id(association.get("SubnetId"), "subnet-"):
        return str(association["SubnetId"])
    # A gateway's table routes what comes in by it; so does that of a pool of addresses that were
    # brought to AWS (BYOIP).
    for key in ("GatewayId", "PublicIpv4Pool"):
        if isinstance(association.get(key), str):
            return str(association[key])
    raise MalformedError(f"an association of {table['RouteTableId']} does not say with what")


def in_effect(association: dict[str, Any], associated: str, table: dict[str, Any]) -> bool:
    """Return whether a route table association routes traffic now.

    Args:
        association: A RouteTableAssociation, as boto3 gives it.
        associated: What it associates, as `associated_with` gives it.
        table: Its route table.

    Raises:
        MalformedError: It is on its way in or out, so nobody can say.
    """
    state = (association.get("AssociationState") or {}).get("State", "associated")
    if state not in ("associated", "disassociated", "failed"):
        table_id = table["RouteTableId"]
        raise MalformedError(f"the association of {associated} with {table_id} is {state}")
    return bool(state == "associated")


def destination_of(route: dict[str, Any]) -> str | None:
    """Return a route's destination: a CIDR block or the id of a prefix list."""
    destination = (
        route.get("DestinationCidrBlock")
        or route.get("DestinationIpv6CidrBlock")
        or route.get("DestinationPrefixListId")
    )
    return str(destination) if destination else None


def lacking(table: dict[str, Any]) -> MalformedError:
    """Return the error for a table of which a route is not whole."""
    clause = f"a route of {table['RouteTableId']} lacks its destination, target or state"
    return MalformedError(clause)


def known(facts: Iterator[T]) -> tuple[list[T], Exception | None]:
    """Return what an iterator yields before it ends, and what it raised where there may be more."""
    found: list[T] = []
    try:
        for fact in facts:
            found.append(fact)
    except Exception as error:
        return found, error
    return found, None
