"""The plan for one failing model: everything is read here, and nothing changed."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..facts import Model
from ..findings import join
from ..listings import from_description
from .copy import (
    ENDPOINT_CONFIG,
    MODEL,
    SUFFIX,
    Copy,
    is_copy_name,
    is_like,
    plan_copy,
    read_settings,
    read_tags,
    settings_of,
)
from .serving import Endpoint, Serving, names, variants
from .vpc import read_network

STACK = "aws:cloudformation:stack-name"
COPY_ENDING = re.compile(rf"(-[0-9a-f]{{8}})?{SUFFIX}(-\d+)?$")


@dataclass(frozen=True)
class FailingModel:
    """A failing model, as it is.

    Attributes:
        facts: What the check judges it by.
        settings: What CreateModel takes to make one like it, without name and tags.
        tags: Its tags, AWS's own ones among them.
    """

    facts: Model
    settings: dict[str, Any]
    tags: list[dict[str, str]]


@dataclass(frozen=True)
class Move:
    """An endpoint that is to use another configuration.

    Attributes:
        endpoint: The endpoint as it was read.
        old_config: The configuration that names the failing model, to which a rollback leads.
        config: The copy of it that names the replacement.
    """

    endpoint: Endpoint
    old_config: str
    config: Copy


@dataclass(frozen=True)
class Plan:
    """What is to be done about one model.

    Attributes:
        replacement: The isolated model like it.
        moves: The endpoints to move to it.
        left: A sentence for each thing that serves the failing model and is not moved.
    """

    replacement: Copy
    moves: list[Move]
    left: list[str]


def read_model(sagemaker: Any, ec2: Any, name: str, region: str) -> FailingModel:
    """Return a failing model with everything that is to be copied and judged.

    Raises:
        ClientError, BotoCoreError: AWS did not tell.
    """
    described = sagemaker.describe_model(ModelName=name)
    arn = described["ModelArn"]
    facts = from_description(Model(name, arn, region), described)
    settings = settings_of(sagemaker, MODEL, described)
    return FailingModel(read_network(ec2, facts), settings, read_tags(sagemaker, arn))


def endpoints_of(model: str, serving: Serving) -> list[Endpoint]:
    """Return the endpoints whose configuration names a model."""
    return [e for e in serving.endpoints if model in serving.models_of(e.config_name)]


def other_users_of(model: str, serving: Serving) -> Iterator[str]:
    """Yield a sentence for each use of a model that the fixer cannot end."""
    for endpoint in serving.endpoints:
        pending = endpoint.pending_config_name
        served = serving.models_of(endpoint.config_name)
        if model in serving.models_of(pending) - served:
            yield (
                f"Endpoint {endpoint.name} is being updated to {pending}, which names model "
                f"{model}. Run the fixer again when it is InService."
            )
        elif (
            endpoint.status == "UpdateRollbackFailed"
            and model not in served
            and any(is_copy_name(one, model) for one in served)
        ):
            # It serves "with a mix of the old and new endpoint configurations" (DescribeEndpoint).
            yield (
                f"Endpoint {endpoint.name} is UpdateRollbackFailed with {endpoint.config_name}, so "
                f"it may still serve model {model}."
            )
    for component, used in serving.components:
        if used == model:
            yield (
                f"Inference component {component} uses model {model}, and the fixer moves none: "
                "update it by hand."
            )


def unknown_users_of(model: str, serving: Serving) -> Iterator[str]:
    """Yield a sentence for each thing that may serve a model, and could not be read."""
    for clause in serving.unread:
        yield f"Whether anything else serves model {model} is not known: {clause}"


def plan_replacement(
    sagemaker: Any, model: FailingModel, vpc_config: dict[str, list[str]], serving: Serving
) -> Plan:
    """Return what is to be done about a model.

    Args:
        sagemaker: The SageMaker client of the region.
        model: The model.
        vpc_config: The VpcConfig of its replacement.
        serving: What serves in the region.

    Raises:
        ClientError, BotoCoreError: AWS did not tell.
    """
    name = model.facts.name
    settings = {**model.settings, "EnableNetworkIsolation": True, "VpcConfig": vpc_config}
    replacement = plan_copy(sagemaker, MODEL, name, settings, model.tags)
    moves = list(interrupted_moves(sagemaker, replacement, serving))
    left = list(other_users_of(name, serving))
    configs: dict[str, Copy] = {}
    for endpoint in endpoints_of(name, serving):
        old = endpoint.config_name
        if old not in configs:
            described = serving.configs[old]
            settings = settings_of(sagemaker, ENDPOINT_CONFIG, described)
            tags = read_tags(sagemaker, described["EndpointConfigArn"])
            moved = with_model(settings, name, replacement)
            configs[old] = plan_copy(sagemaker, ENDPOINT_CONFIG, old, moved, tags)
        if obstacle := obstacle_to_moving(endpoint, serving, configs[old]):
            left.append(obstacle)
        else:
            moves.append(Move(endpoint, old, configs[old]))
    return Plan(replacement, moves, left)


def with_model(settings: dict[str, Any], old: str, replacement: Copy) -> dict[str, Any]:
    """Return an endpoint configuration's settings with a replacement in the place of a model."""
    moved = dict(settings)
    for key in ("ProductionVariants", "ShadowProductionVariants"):
        if key in moved:
            moved[key] = [
                {**v, "ModelName": replacement.name} if v.get("ModelName") == old else v
                for v in moved[key]
            ]
    return moved


def is_serverless(endpoint: Endpoint, serving: Serving) -> bool:
    """Return whether an endpoint's configuration has a serverless variant."""
    config = serving.configs[endpoint.config_name]
    return any("ServerlessConfig" in one for one in variants(config))


def obstacle_to_moving(endpoint: Endpoint, serving: Serving, config: Copy) -> str | None:
    """Return why an endpoint must be left as it is; None where it can be moved.

    One that is being updated to the fixer's configuration, or that AWS could not roll back from
    it, was left by a run that was stopped; that move is resumed.
    """
    status, pending = endpoint.status, endpoint.pending_config_name
    if is_serverless(endpoint, serving):
        return (
            f"Endpoint {endpoint.name} is serverless, so it is left as it is: AWS takes no "
            "isolation and no VPC for it. Serve the model from instances instead."
        )
    is_movable = {
        "InService": pending is None,
        "Updating": config.exists and pending == config.name,
        "UpdateRollbackFailed": config.exists and pending in (None, config.name),
    }
    if is_movable.get(status):
        return None
    advice = "Run the fixer again when it is InService."
    if status == "Failed":
        # AWS, DescribeEndpoint: "DeleteEndpoint is the only operation that can be performed".
        advice = "A Failed endpoint can only be deleted."
    elif status == "UpdateRollbackFailed":
        advice = "Who updated it must update it again, to the old configuration or a new one."
    return f"Endpoint {endpoint.name} is {status}, so it is left as it is. {advice}"


def interrupted_moves(sagemaker: Any, replacement: Copy, serving: Serving) -> Iterator[Move]:
    """Yield the moves that left an endpoint UpdateRollbackFailed with the fixer's configuration.

    AWS's documentation does not say which configuration DescribeEndpoint names in that status
    ("in service with a mix of the old and new endpoint configurations"), so it may be the copy. The
    old one is known by its name and by what it says: the copy is what the fixer would make of it.
    """
    listing = ("list_endpoint_configs", "EndpointConfigs", "EndpointConfigName")
    for endpoint in endpoints_of(replacement.name, serving):
        copy = endpoint.config_name
        if endpoint.status == "UpdateRollbackFailed" and not endpoint.pending_config_name:
            made = settings_of(sagemaker, ENDPOINT_CONFIG, serving.configs[copy])
            for old in names(sagemaker, *listing, NameContains=COPY_ENDING.sub("", copy)):
                if not is_copy_name(copy, old):
                    continue
                settings = read_settings(sagemaker, ENDPOINT_CONFIG, old)
                moved = with_model(settings, replacement.original, replacement)
                if moved != settings and is_like(moved, made):
                    config = Copy(ENDPOINT_CONFIG, copy, old, made, [], exists=True)
                    yield Move(endpoint, old, config)


def steps_of(plan: Plan) -> Iterator[str]:
    """Yield a plan in sentences."""
    new = plan.replacement
    network = new.settings["VpcConfig"]
    where = f"in {join(network['Subnets'])} with {join(network['SecurityGroupIds'])}"
    yield new.step(f"with network isolation, {where}")
    if len(network["Subnets"]) == 1:
        yield "Note: AWS asks for two subnets, in two Availability Zones, for hosting in a VPC."
    for config in {move.config.name: move.config for move in plan.moves}.values():
        yield config.step(f"with {new.name}")
    for move in plan.moves:
        name, old, copy = move.endpoint.name, move.old_config, move.config.name
        is_mixed = move.endpoint.status == "UpdateRollbackFailed"
        yield (
            f"To roll back: endpoint {name}, to {old}."
            if is_mixed
            else f"To move: endpoint {name}, from {old} to {copy}."
        )
    yield from plan.left
