"""What serves in a region: its endpoints and inference components, read together.

What cannot be read is kept with its reason, because it may serve any model: AWS lets a
configuration be deleted while an endpoint uses it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ..listings import PAGE_SIZE
from .messages import explain_error


@dataclass(frozen=True)
class Endpoint:
    """An endpoint, and with what it serves.

    Attributes:
        name: EndpointName.
        status: EndpointStatus.
        config_name: EndpointConfigName, with which it serves.
        pending_config_name: The configuration that it is being updated to; None for none.
        has_deployment_config: Whether it was last updated in a way of its own, such as with alarms.
        failure_reason: FailureReason; None where AWS gives none.
    """

    name: str
    status: str
    config_name: str
    pending_config_name: str | None
    has_deployment_config: bool
    failure_reason: str | None


@dataclass
class Serving:
    """What serves in a region.

    Attributes:
        endpoints: The endpoints that could be read.
        configs: The descriptions of the configurations that they use, used or are being updated to.
        components: The names of the inference components and of the models that they use.
        unread: What could not be read, and why, as clauses.
    """

    endpoints: list[Endpoint] = field(default_factory=list)
    configs: dict[str, dict[str, Any]] = field(default_factory=dict)
    components: list[tuple[str, str | None]] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)

    def models_of(self, config_name: str | None) -> set[str]:
        """Return the models that a configuration names; none for one that could not be read."""
        return {v.get("ModelName", "") for v in variants(self.configs.get(str(config_name), {}))}


def variants(config: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the production and shadow variants of an endpoint configuration."""
    yield from chain.from_iterable(
        config.get(key) or () for key in ("ProductionVariants", "ShadowProductionVariants")
    )


def read_endpoint(client: Any, name: str) -> Endpoint:
    """Return an endpoint as it is now.

    Raises:
        ClientError, BotoCoreError: AWS did not tell.
    """
    now = client.describe_endpoint(EndpointName=name)
    return Endpoint(
        name,
        now["EndpointStatus"],
        now["EndpointConfigName"],
        (now.get("PendingDeploymentSummary") or {}).get("EndpointConfigName"),
        bool(now.get("LastDeploymentConfig")),
        now.get("FailureReason"),
    )


def read_serving(client: Any, configs: dict[str, dict[str, Any]]) -> Serving:
    """Return what serves in a region.

    Args:
        client: The SageMaker client of the region.
        configs: Descriptions of endpoint configurations by name, which are not read again because
            nobody can change them; others are added.

    Raises:
        ClientError, BotoCoreError: The endpoints cannot be listed.
    """
    serving = Serving(configs=configs)
    for name in list(names(client, "list_endpoints", "Endpoints", "EndpointName")):
        try:
            endpoint = read_endpoint(client, name)
        except (ClientError, BotoCoreError) as error:
            serving.unread.append(f"endpoint {name} cannot be read: {explain_error(error)}")
            continue
        serving.endpoints.append(endpoint)
        for config in {endpoint.config_name, endpoint.pending_config_name} - {None}:
            read_config(client, str(config), name, serving)
    try:
        key = "InferenceComponentName"
        for name in list(names(client, "list_inference_components", "InferenceComponents", key)):
            component = client.describe_inference_component(InferenceComponentName=name)
            # Newer versions of the API give several instead; this botocore may not know of them.
            several = component.get("Specifications") or [component.get("Specification")]
            for specification in filter(None, several):
                serving.components.append((name, specification.get("ModelName")))
            if not any(several):
                serving.unread.append(
                    f"inference component {name} cannot be read: no Specification in AWS's answer."
                )
    except (ClientError, BotoCoreError) as error:
        serving.unread.append(f"inference components cannot be read: {explain_error(error)}")
    return serving


def read_config(client: Any, name: str, endpoint: str, serving: Serving) -> None:
    """Add an endpoint's configuration to what serves, read once, or say that it is unread."""
    if name in serving.configs:
        return
    try:
        serving.configs[name] = client.describe_endpoint_config(EndpointConfigName=name)
    except (ClientError, BotoCoreError) as error:
        serving.unread.append(
            f"configuration {name} of endpoint {endpoint} cannot be read: {explain_error(error)}"
        )


def names(client: Any, listing: str, items: str, key: str, **wanted: str) -> Iterator[str]:
    """Yield the names that a List operation gives, such as those of "list_endpoints"."""
    pages = client.get_paginator(listing).paginate(
        **wanted, PaginationConfig={"PageSize": PAGE_SIZE}
    )
    return (item[key] for page in pages for item in page[items])
