"""What serves in a region: its endpoints and inference components, read together.

What cannot be read is kept with its reason, because it may serve any model: AWS lets a
configuration be deleted while an endpoint uses it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ..answers import MalformedError, why_unread
from ..facts import Unread
from ..listings import PAGE_SIZE
from .descriptions import Description, describe, models_of


@dataclass
class Serving:
    """What serves in a region.

    Attributes:
        endpoints: The answers of DescribeEndpoint, by the endpoint's name.
        configs: The configurations that they use or are being updated to, by name.
        components: The models that inference components use, by the component's name.
        unread: What could not be read.
    """

    endpoints: dict[str, dict[str, Any]] = field(default_factory=dict)
    configs: dict[str, Description] = field(default_factory=dict)
    components: dict[str, set[str]] = field(default_factory=dict)
    unread: list[Unread] = field(default_factory=list)

    def endpoints_of(self, model: str) -> list[str]:
        """Return the endpoints that use a model, or are being updated to use it."""
        return [
            name
            for name, endpoint in self.endpoints.items()
            if any(model in self.models_by(config) for config in config_names(endpoint))
        ]

    def components_of(self, model: str) -> list[str]:
        """Return the inference components that use a model."""
        return [name for name, models in self.components.items() if model in models]

    def models_by(self, config: str) -> list[str]:
        """Return the models that a configuration names; none for one that could not be read."""
        return models_of(self.configs[config]) if config in self.configs else []


def config_names(endpoint: dict[str, Any]) -> list[str]:
    """Return the configurations of an endpoint: the one it uses, and one it is updated to."""
    pending = (endpoint.get("PendingDeploymentSummary") or {}).get("EndpointConfigName")
    return [endpoint["EndpointConfigName"], *([pending] if pending else [])]


def read_serving(client: Any) -> Serving:
    """Return what serves in a region.

    Args:
        client: The SageMaker client of the region.

    Raises:
        ClientError, BotoCoreError: The endpoints cannot be listed.
    """
    serving = Serving()
    for name in list(names(client, "list_endpoints", "Endpoints", "EndpointName")):
        try:
            endpoint = client.describe_endpoint(EndpointName=name)
        except (ClientError, BotoCoreError) as error:
            serving.unread.append(unread(error, f"endpoint {name}", "DescribeEndpoint"))
            continue
        serving.endpoints[name] = endpoint
        status = endpoint["EndpointStatus"]
        is_shown = status != "RollingBack" or endpoint.get("PendingDeploymentSummary")
        if status == "UpdateRollbackFailed" or not is_shown:  # it may serve with two
            two = MalformedError(f"it is {status}", "look at it again when it is InService")
            what = f"the second configuration of endpoint {name}"
            serving.unread.append(unread(two, what, "DescribeEndpoint"))
        for config in set(config_names(endpoint)) - set(serving.configs):
            try:
                serving.configs[config] = describe(client, "endpoint-config", config)
            except (ClientError, BotoCoreError) as error:
                what = f"configuration {config} of endpoint {name}"
                serving.unread.append(unread(error, what, "DescribeEndpointConfig"))
    what, operation = "the list of inference components", "ListInferenceComponents"
    try:
        key = "InferenceComponentName"
        for name in list(names(client, "list_inference_components", "InferenceComponents", key)):
            what, operation = f"inference component {name}", "DescribeInferenceComponent"
            component = client.describe_inference_component(InferenceComponentName=name)
            # Newer versions of the API give several instead; this botocore may not know of them.
            several = component.get("Specifications") or [component.get("Specification")]
            serving.components[name] = {s.get("ModelName") for s in several if s} - {None}
            if not any(several):
                lacking = MalformedError("no Specification in the answer")
                serving.unread.append(unread(lacking, what, operation))
    except (ClientError, BotoCoreError) as error:
        serving.unread.append(unread(error, what, operation))
    return serving


def unread(error: Exception, what: str, operation: str) -> Unread:
    """Return what could not be read, and why."""
    return why_unread(error, what, f"sagemaker:{operation}")


def names(client: Any, listing: str, items: str, key: str) -> Iterator[str]:
    """Yield the names that a List operation gives, such as those of "list_endpoints"."""
    pages = client.get_paginator(listing).paginate(PaginationConfig={"PageSize": PAGE_SIZE})
    return (item[key] for page in pages for item in page[items])
