"""The VPC configuration of a replacement, and of the failing model, by the check's own verdict."""

import shlex
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ..facts import Listing, Model
from ..findings import explain_clause, explain_unknowns, join
from ..listings import from_description
from ..network import locate
from ..verdict import Rule, Verdict, judge
from .messages import StoppedError

DIRECTIONS = {Rule.INGRESS: "ingress", Rule.EGRESS: "egress"}


def read_network(ec2: Any, model: Model) -> Model:
    """Return a model, known by the ids of its network so far, with the facts of that network."""
    (located,) = locate(ec2, Listing(model.region, (model,), 1)).items
    return located


def advice_on_shared_network(verdict: Verdict, region: str) -> Iterator[str]:
    """Yield what fixes a model of which only the network fails: an open group, a public subnet.

    A route or a group is shared: fixed once, it is for every model that uses it, without a
    replacement.

    Args:
        verdict: The verdict on the model as it is.
        region: The model's region.
    """
    rules = {violation.rule for violation in verdict.violations}
    if verdict.unknowns or not rules <= {Rule.SUBNET, *DIRECTIONS}:
        return
    yield (
        "Only its network fails. Fixing the security group or the route fixes every model that "
        "uses it, without a replacement; check first what else needs the rule or the route:"
    )
    for violation in verdict.violations:
        yield f"{explain_clause(violation)}: {'; '.join(fixing_commands(violation, region))}"


def fixing_commands(violation: Any, region: str) -> Iterator[str]:
    """Yield the commands of the AWS CLI that fix a violation by a group or a route."""
    if violation.rule in DIRECTIONS:
        group = violation.by.id
        filters = f"--filters Name=group-id,Values={group}"
        yield f"aws ec2 describe-security-group-rules --region {region} {filters}"
        yield (
            f"aws ec2 revoke-security-group-{DIRECTIONS[violation.rule]} --region {region} "
            f"--group-id {group} --security-group-rule-ids <security-group-rule-id>"
        )
        return
    for route in (*violation.by.internet_routes, *violation.by.middlebox_routes):
        to = route.destination
        option = "prefix-list-id" if to.startswith("pl-") else "cidr-block"
        option = "ipv6-cidr-block" if ":" in to else option
        table = violation.by.route_table_id
        yield (
            f"aws ec2 delete-route --region {region} --route-table-id {table} "
            f"--destination-{option} {shlex.quote(to)}"
        )


def choose_vpc_config(
    ec2: Any,
    model: Model,
    configured: dict[str, list[str]] | None,
    fail_on_egress: bool,
) -> dict[str, list[str]]:
    """Return the VpcConfig of the replacement: the model's if it is sound, else the configured one.

    Args:
        ec2: A boto3 EC2 client of the region.
        model: The failing model, with the facts of its network.
        configured: The VpcConfig of the fixer configuration for the region.
        fail_on_egress: As for the check's own verdict.

    Raises:
        StoppedError: Neither is private and controlled by the check's own verdict.
    """
    own = network_faults(model, fail_on_egress)
    if not own:
        return vpc_config_of(model)
    if not configured:
        raise StoppedError(
            f"The new model needs a VPC configuration that is private and controlled: {own}. Name "
            f"subnets and security groups for {model.region} in the fixer configuration, under "
            "VpcConfig."
        )
    settings = {"ModelArn": model.arn, "EnableNetworkIsolation": True, "VpcConfig": configured}
    wanted = read_network(ec2, from_description(model, settings))
    faults = network_faults(wanted, fail_on_egress)
    if faults:
        raise StoppedError(
            f"The VpcConfig for {model.region} in the fixer configuration is not private and "
            f"controlled: {faults}. Choose others."
        )
    return vpc_config_of(wanted)


def vpc_config_of(model: Model) -> dict[str, list[str]]:
    """Return a model's VpcConfig as CreateModel takes it."""
    return {
        "SecurityGroupIds": [group.id for group in model.security_groups],
        "Subnets": [subnet.id for subnet in model.subnets],
    }


def network_faults(model: Model, fail_on_egress: bool) -> str:
    """Return what keeps a model's VPC configuration from being sound, as the verdict says it.

    Returns:
        The verdict's clauses on the model as if it were isolated; "" for a sound configuration.
    """
    verdict = judge(replace(model, network_isolation=True), fail_on_egress)
    clauses = [*map(explain_clause, verdict.violations), *explain_unknowns(verdict.unknowns)]
    vpcs = {subnet.vpc_id for subnet in model.subnets}
    vpcs |= {group.vpc_id for group in model.security_groups}
    if not clauses and len(vpcs) > 1:
        clauses.append(f"its subnets and security groups are of {join(sorted(map(str, vpcs)))}")
    return "; ".join(clauses)
