"""The VPC configuration of a copy, by the check's own verdict, and what to know of its network."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ..facts import Model
from ..listings import from_description
from ..network import describe_all, read_network, with_network
from ..ranges import Broadest
from ..rules import Verdict, explain_unknown, join, judge

# Private IP addresses for each instance: "Ensure That Subnets Have Enough IP Addresses" in "Give
# SageMaker AI Hosted Endpoints Access to Resources in Your Amazon VPC".
ADDRESSES = 2


def locate(ec2: Any, model: Model, account: str, broadest: Broadest) -> Model:
    """Return a model, known by the ids of its network so far, with the facts of that network."""
    facts = read_network(ec2, model.subnet_ids, [model.security_group_ids], account, broadest)
    return with_network(model, *facts)


def advice_on_shared_network(verdict: Verdict) -> str | None:
    """Return what fixes a model of which only the network fails; None for any other.

    A route or a group is shared: fixed once, it is for every model that uses it, without a
    replacement.
    """
    own = ("network-isolation", "vpc-config", "security-groups")
    if verdict.unknown or any(said.rule in own for said in verdict.violations):
        return None
    things = join(sorted({said.thing for said in verdict.violations}))
    return f"Only its network fails: fix {things}, and it needs no replacement."


def choose_network(
    ec2: Any,
    model: Model,
    account: str,
    configured: dict[str, list[str]] | None,
    fail_on_egress: bool,
    broadest: Broadest,
) -> Model | str:
    """Return the network of a model's copy: the model's own if it is sound, else the configured.

    Args:
        ec2: A boto3 EC2 client of the region.
        model: The failing model, with the facts of its network.
        account: The account of the model; a subnet of another one is shared with it.
        configured: The VpcConfig of the fixer configuration for the region; None for none.
        fail_on_egress: As for the check's own verdict.
        broadest: Likewise.

    Returns:
        The model as its copy is to be, with the facts of that network; a clause that says why
        there is none.
    """
    own = network_faults(model, fail_on_egress)
    if not own:
        return model
    if not configured:
        return (
            f"its copy needs a VPC configuration that is private and controlled, and {own}. Name "
            f"subnets and security groups for {model.region} in the fixer configuration."
        )
    settings = {"ModelArn": model.arn, "EnableNetworkIsolation": True, "VpcConfig": configured}
    wanted = locate(ec2, from_description(model, settings), account, broadest)
    faults = network_faults(wanted, fail_on_egress)
    if faults:
        return (
            f"the VpcConfig for {model.region} in the fixer configuration is not private and "
            f"controlled: {faults}. Choose others."
        )
    return wanted


def vpc_config_of(model: Model) -> dict[str, list[str]]:
    """Return a model's VpcConfig as CreateModel takes it."""
    return {
        "SecurityGroupIds": list(model.security_group_ids),
        "Subnets": list(model.subnet_ids),
    }


def notes_on_network(ec2: Any, model: Model, instances: int) -> Iterator[str]:
    """Yield a sentence for each thing that may keep an endpoint from starting in a network.

    Source: "Give SageMaker AI Hosted Endpoints Access to Resources in Your Amazon VPC". What a
    security group, an endpoint's policy or an access control list refuses is not seen.

    Args:
        ec2: A boto3 EC2 client of the region.
        model: The model as its copy is to be, with the facts of its network.
        instances: How many instances the endpoint has.

    Raises:
        ClientError, BotoCoreError: AWS did not tell.
    """
    network = model.network
    vpcs = {str(subnet.vpc_id) for subnet in network.subnets}
    vpcs |= {str(group.vpc_id) for group in network.security_groups}
    if len(vpcs) > 1:
        yield (
            f"Note: the subnets and security groups are of {join(sorted(vpcs))}, and AWS takes "
            "those of one VPC only."
        )
    ids = set(model.subnet_ids)
    subnets = describe_all(ec2, "describe_subnets", "Subnets", "SubnetId", "subnet-id", ids)
    tables = describe_all(
        ec2, "describe_route_tables", "RouteTables", "RouteTableId", "vpc-id", vpcs
    )
    if error := subnets.error or tables.error:
        raise error
    zones = {subnet["AvailabilityZone"] for subnet in subnets.items.values()}
    if len(zones) == 1:
        yield (
            f"Note: all subnets are in Availability Zone {min(zones)}; AWS asks for two zones, so "
            "that an endpoint outlives one."
        )
    free = sum(subnet["AvailableIpAddressCount"] for subnet in subnets.items.values())
    if free < ADDRESSES * instances:
        yield (
            f"Note: the subnets have {free} free addresses; AWS asks for {ADDRESSES} for each of "
            f"{instances} new instances."
        )
    used = {str(subnet.route_table_id) for subnet in network.subnets}
    without = sorted(t for t in used if not any(map(leads_to_s3, tables.items[t]["Routes"])))
    if without:
        yield (
            f"Note: route table {join(without)} has no gateway endpoint for Amazon S3 and no "
            "default route, and the model's artifact is fetched through its subnets."
        )


def leads_to_s3(route: dict[str, Any]) -> bool:
    """Return whether a route may lead to Amazon S3: to a gateway endpoint, or a default route."""
    by_endpoint = str(route.get("GatewayId")).startswith("vpce-")
    is_default = route.get("DestinationCidrBlock") == "0.0.0.0/0"
    is_live = route.get("State") != "blackhole"
    return is_live and (is_default or (by_endpoint and "DestinationPrefixListId" in route))


def network_faults(model: Model, fail_on_egress: bool) -> str:
    """Return what keeps a model's VPC configuration from being sound, as the verdict says it.

    Returns:
        The verdict's clauses on the model as if it were isolated; "" for a sound configuration.
    """
    verdict = judge(replace(model, network_isolation=True), fail_on_egress)
    unknown = [explain_unknown(verdict.unknown)] * bool(verdict.unknown)
    return "; ".join([*(said.text for said in verdict.violations), *unknown])
