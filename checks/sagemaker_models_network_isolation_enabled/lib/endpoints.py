"""The endpoints that serve a model, moved to the model that takes its place.

An endpoint serves by an endpoint configuration, which cannot be changed either: so there is a copy
of it that names the new model, and UpdateEndpoint, in which AWS starts new instances, moves the
traffic, and goes back to the old configuration by itself where the new instances do not start.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from .changes import RefusedError, command, explain_error, one_line, say
from .replacement import (
    PAGE_SIZE,
    Place,
    copy_names,
    names_like,
    own_tags,
    read_tags,
    same,
    settings_of,
)

UNDER_WAY = ("Creating", "Updating", "SystemUpdating", "RollingBack")
LONGEST_PAUSE = 30  # seconds between two looks at an endpoint, as AWS's own waiter has it
PATIENCE = 3600  # seconds until an endpoint is left to AWS, as AWS's own waiter has it


@dataclass(frozen=True)
class Endpoint:
    """An endpoint whose configuration names a model.

    Attributes:
        name: EndpointName.
        status: EndpointStatus.
        config_name: EndpointConfigName, by which it serves.
        pending_config_name: The configuration that it is being updated to; None for none.
        config: The endpoint configuration's settings, as CreateEndpointConfig takes them.
        config_arn: Its ARN.
        has_deployment_config: Whether the endpoint was last updated in a way of its own, with
            alarms for example, which is to be kept.
    """

    name: str
    status: str
    config_name: str
    pending_config_name: str | None
    config: dict[str, Any]
    config_arn: str
    has_deployment_config: bool

    @property
    def is_serverless(self) -> bool:
        """Whether a variant is serverless; AWS takes no isolated model and no VPC for it."""
        return any("ServerlessConfig" in variant for variant in variants(self.config))


def variants(config: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the production and shadow variants of an endpoint configuration."""
    yield from chain.from_iterable(
        config.get(key) or () for key in ("ProductionVariants", "ShadowProductionVariants")
    )


def names_model(config: dict[str, Any], model: str) -> bool:
    """Return whether an endpoint configuration names a model."""
    return any(variant.get("ModelName") == model for variant in variants(config))


def endpoints_of(
    client: Any, model: str, configs: dict[str, dict[str, Any]]
) -> tuple[list[Endpoint], list[str]]:
    """Return the endpoints whose configuration names a model.

    Args:
        client: The SageMaker client of the region.
        model: The model's name.
        configs: The descriptions of the region's endpoint configurations that were read so far, by
            name; what is read here is added, because no configuration changes.

    Returns:
        The endpoints, and the names of those of which nobody can say: AWS lets a configuration be
        deleted while an endpoint serves by it.

    Raises:
        ClientError, BotoCoreError: AWS was asked in vain.
    """
    found, unknown = [], []
    pages = client.get_paginator("list_endpoints").paginate(
        PaginationConfig={"PageSize": PAGE_SIZE}
    )
    for summary in chain.from_iterable(page["Endpoints"] for page in pages):
        endpoint = client.describe_endpoint(EndpointName=summary["EndpointName"])
        config_name = endpoint.get("EndpointConfigName")
        try:
            described = describe_config(client, config_name, configs)
        except (ClientError, BotoCoreError) as error:
            name = endpoint["EndpointName"]
            unknown.append(name)
            say(f"Whether endpoint {name} serves {model} is not known. {explain_error(error)}")
            continue
        if names_model(described, model):
            found.append(
                Endpoint(
                    endpoint["EndpointName"],
                    endpoint["EndpointStatus"],
                    config_name,
                    (endpoint.get("PendingDeploymentSummary") or {}).get("EndpointConfigName"),
                    settings_of(client, "CreateEndpointConfig", described),
                    described["EndpointConfigArn"],
                    bool(endpoint.get("LastDeploymentConfig")),
                )
            )
    return found, unknown


def describe_config(client: Any, name: str, configs: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the description of an endpoint configuration, read once.

    Args:
        client: The SageMaker client of the region.
        name: Its name.
        configs: See `endpoints_of`.
    """
    if name not in configs:
        configs[name] = client.describe_endpoint_config(EndpointConfigName=name)
    return configs[name]


def move(place: Place, endpoint: Endpoint, old_model: str, new_model: str) -> None:
    """Move an endpoint from a model to the one that takes its place.

    Args:
        place: Where the fixer works.
        endpoint: The endpoint.
        old_model: The model that its configuration names.
        new_model: The model that it is to name.

    Raises:
        RefusedError: It is not moved; the endpoint serves by its old configuration, or the message
            says what else it does.
        ClientError, BotoCoreError: AWS was asked in vain; as above.
    """
    if endpoint.is_serverless:
        raise RefusedError(
            f"Endpoint {endpoint.name} is serverless, so it is left as it is. Serve the model from "
            "instances instead."
        )
    config_name = find_or_make_config(place, endpoint, old_model, new_model)
    resumed = endpoint.status == "Updating" and endpoint.pending_config_name == config_name
    if endpoint.status != "InService" and not resumed:
        raise RefusedError(
            f"Endpoint {endpoint.name} is {endpoint.status}, so it is left as it is. Run the fixer "
            "again when it is InService."
        )
    if resumed:
        say(f"Endpoint {endpoint.name} is being updated to {config_name} already.")
    else:
        say(f"Updating endpoint {endpoint.name} from {endpoint.config_name} to {config_name}.")
        update(place, endpoint, config_name, back_to=endpoint.config_name)
    if not place.changes.dry_run:
        see_through(place, endpoint, config_name, made_now=not resumed)


def find_or_make_config(place: Place, endpoint: Endpoint, old_model: str, new_model: str) -> str:
    """Return the name of a copy of an endpoint's configuration that names the new model.

    Args:
        place: Where the fixer works.
        endpoint: The endpoint.
        old_model: The model that its configuration names.
        new_model: The model that the copy names.

    Raises:
        ClientError, BotoCoreError: AWS was asked in vain.
        RefusedError: The way back cannot be written down.
    """
    client = place.sagemaker
    wanted = dict(endpoint.config)
    for key in ("ProductionVariants", "ShadowProductionVariants"):
        if key in wanted:
            wanted[key] = [
                {**variant, "ModelName": new_model}
                if variant.get("ModelName") == old_model
                else variant
                for variant in wanted[key]
            ]

    def settings(name: str) -> dict[str, Any]:
        described = client.describe_endpoint_config(EndpointConfigName=name)
        return settings_of(client, "CreateEndpointConfig", described)

    def taken() -> set[str]:
        listing = ("list_endpoint_configs", "EndpointConfigs", "EndpointConfigName")
        return names_like(client, *listing, endpoint.config_name)

    names = taken()
    for name in copy_names(endpoint.config_name):
        if name not in names:
            break
        if same(settings(name), wanted):
            say(f"Endpoint configuration {name} is there already.")
            return name
    tags = own_tags(read_tags(client, endpoint.config_arn))
    say(f"Creating endpoint configuration {name}: like {endpoint.config_name}, with {new_model}.")
    place.changes.make(
        client,
        "CreateEndpointConfig",
        {"EndpointConfigName": name, **wanted, **({"Tags": tags} if tags else {})},
        (command("delete-endpoint-config", place.region, "--endpoint-config-name", name),),
        lambda: name in taken() and same(settings(name), wanted),
    )
    return name


def update(place: Place, endpoint: Endpoint, config_name: str, back_to: str) -> None:
    """Have AWS update an endpoint, with the instances and weights that it has now.

    Args:
        place: Where the fixer works.
        endpoint: The endpoint.
        config_name: The endpoint configuration to update it to.
        back_to: The one that undoes it.

    Raises:
        ClientError, BotoCoreError: AWS did not take it.
        RefusedError: The way back cannot be written down.
    """
    # Without this an endpoint that was scaled out falls back to its first number of instances.
    parameters: dict[str, Any] = {"RetainAllVariantProperties": True}
    options = ["--retain-all-variant-properties"]
    if endpoint.has_deployment_config:
        parameters["RetainDeploymentConfig"] = True
        options.append("--retain-deployment-config")

    def is_made() -> bool:
        now = place.sagemaker.describe_endpoint(EndpointName=endpoint.name)
        pending = (now.get("PendingDeploymentSummary") or {}).get("EndpointConfigName")
        serves = now["EndpointStatus"] == "InService"
        return config_name == (now.get("EndpointConfigName") if serves else pending)

    place.changes.make(
        place.sagemaker,
        "UpdateEndpoint",
        {"EndpointName": endpoint.name, "EndpointConfigName": config_name, **parameters},
        (
            command(
                "update-endpoint",
                place.region,
                "--endpoint-name",
                endpoint.name,
                "--endpoint-config-name",
                back_to,
                *options,
            ),
            command("wait endpoint-in-service", place.region, "--endpoint-name", endpoint.name),
        ),
        is_made,
    )


def see_through(place: Place, endpoint: Endpoint, config_name: str, made_now: bool) -> None:
    """Wait until an endpoint serves by its new configuration, and bring it back where it does not.

    Args:
        place: Where the fixer works.
        endpoint: The endpoint as it was.
        config_name: The configuration that it is being updated to.
        made_now: Whether this run had it updated.

    Raises:
        RefusedError: It does not; the message says by what it serves.
        ClientError, BotoCoreError: AWS was asked in vain.
    """
    now = settle(place.sagemaker, endpoint.name)
    status, serves_by = now["EndpointStatus"], now.get("EndpointConfigName")
    if status == "InService" and serves_by == config_name:
        say(f"Endpoint {endpoint.name} serves by {config_name}.")
        return
    why = one_line(now.get("FailureReason") or "AWS gives no reason")
    if status != "InService":
        say(f"Endpoint {endpoint.name} is {status}: {why}. Bringing it back ...")
        try:
            update(place, endpoint, endpoint.config_name, back_to=endpoint.config_name)
        except ClientError as error:
            raise RefusedError(
                f"Endpoint {endpoint.name} is {status}, and AWS does not bring it back. "
                f"{explain_error(error)} A Failed endpoint can only be deleted: delete it, and "
                f"create it again from {endpoint.config_name}."
            ) from error
        place.changes.forget()
        now = settle(place.sagemaker, endpoint.name)
        status, serves_by = now["EndpointStatus"], now.get("EndpointConfigName")
    if status != "InService":
        raise RefusedError(
            f"Endpoint {endpoint.name} is {status} and not back at {endpoint.config_name}: {why}. "
            "Look at its logs, and use the way back."
        )
    if made_now:
        place.changes.forget()
    raise RefusedError(
        f"Endpoint {endpoint.name} does not start by {config_name}, so it is back at "
        f"{serves_by}: {why}. Look at its logs, and run the fixer again."
    )


def settle(client: Any, name: str) -> dict[str, Any]:
    """Wait until nothing is under way with an endpoint, and return its description.

    Args:
        client: The SageMaker client of the region.
        name: The endpoint.

    Raises:
        RefusedError: It takes too long.
        ClientError, BotoCoreError: AWS was asked in vain.
    """
    started = time.monotonic()
    pause = 1
    while True:
        endpoint: dict[str, Any] = client.describe_endpoint(EndpointName=name)
        took = time.monotonic() - started
        say(f"Endpoint {name} is {endpoint['EndpointStatus']} after {took:.0f} s.")
        if endpoint["EndpointStatus"] not in UNDER_WAY:
            return endpoint
        if took > PATIENCE:
            raise RefusedError(
                f"Endpoint {name} is still {endpoint['EndpointStatus']} after an hour. AWS goes on "
                "with it, or brings it back; run the fixer again to see it through."
            )
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


def users_of(client: Any, model: str, configs: dict[str, dict[str, Any]]) -> list[str]:
    """Return what in the region needs a model, so that it must not be deleted.

    DeleteModel does not ask, so this does: endpoint configurations, inference components, and
    transform jobs that run or are being stopped.

    Args:
        client: The SageMaker client of the region.
        model: The model's name.
        configs: See `endpoints_of`.

    Raises:
        ClientError, BotoCoreError: AWS was asked in vain.
    """

    def names(listing: str, key: str, name_key: str, **wanted: str) -> list[str]:
        pages = client.get_paginator(listing).paginate(
            **wanted, PaginationConfig={"PageSize": PAGE_SIZE}
        )
        return [item[name_key] for page in pages for item in page[key]]

    users = [
        f"endpoint configuration {name}"
        for name in names("list_endpoint_configs", "EndpointConfigs", "EndpointConfigName")
        if names_model(describe_config(client, name, configs), model)
    ]
    for name in names("list_inference_components", "InferenceComponents", "InferenceComponentName"):
        component = client.describe_inference_component(InferenceComponentName=name)
        if (component.get("Specification") or {}).get("ModelName") == model:
            users.append(f"inference component {name}")
    for status in ("InProgress", "Stopping"):
        for name in names(
            "list_transform_jobs", "TransformJobSummaries", "TransformJobName", StatusEquals=status
        ):
            job = client.describe_transform_job(TransformJobName=name)
            if job.get("ModelName") == model:
                users.append(f"transform job {name}")
    return users
