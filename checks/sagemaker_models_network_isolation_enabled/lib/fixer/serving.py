"""What serves in a region, with the settings that botocore drops, because a copy must have them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore import xform_name

from ..answers import SENT, each, keep_sent
from ..listings import PAGE_SIZE
from .network import explain_error

_NOUNS = {"model": "Model", "endpoint-config": "EndpointConfig", "endpoint": "Endpoint"}


@dataclass(frozen=True)
class Description:
    """A model, an endpoint configuration or an endpoint, as AWS describes it.

    Attributes:
        kind: "model", "endpoint-config" or "endpoint": the AWS CLI's word.
        answer, sent: The answer as boto3 gives it, and as AWS sent it.
    """

    kind: str
    name: str
    answer: dict[str, Any]
    sent: dict[str, Any]

    @property
    def created(self) -> int:
        """CreationTime in seconds since 1970; it tells it from those that had the name before."""
        return int(self.answer["CreationTime"].timestamp())

    @property
    def settings(self) -> set[str]:
        """The innermost members that are set, as "PrimaryContainer.Image"; no variable's name."""
        return _settings(self.sent)

    @property
    def containers(self) -> list[dict[str, Any]]:
        """The containers of a model, one or several."""
        primary = self.sent.get("PrimaryContainer")
        return [*([primary] if primary else ()), *(self.sent.get("Containers") or ())]

    @property
    def variants(self) -> list[dict[str, Any]]:
        """The production and shadow variants of an endpoint or a configuration."""
        kinds = ("ProductionVariants", "ShadowProductionVariants")
        return [variant for kind in kinds for variant in self.sent.get(kind) or ()]

    @property
    def models(self) -> list[str]:
        """The models that a configuration names, those of its instance pools too."""
        pools = [pool for variant in self.variants for pool in variant.get("InstancePools") or ()]
        names = {variant.get("ModelName") for variant in self.variants}
        return sorted(filter(None, names | {pool.get("ModelNameOverride") for pool in pools}))

    @property
    def configs(self) -> list[str]:
        """The configurations of an endpoint: the one it uses, and one it is updated to."""
        pending = (self.answer.get("PendingDeploymentSummary") or {}).get("EndpointConfigName")
        return [self.answer["EndpointConfigName"], *([pending] if pending else [])]


def describe(client: Any, kind: str, name: str) -> Description:
    """Return what AWS says of a model, an endpoint configuration or an endpoint.

    Raises:
        ClientError, BotoCoreError: AWS did not tell.
    """
    keep_sent(client, f"Describe{_NOUNS[kind]}")
    read = getattr(client, f"describe_{xform_name(_NOUNS[kind])}")
    answer = read(**{f"{_NOUNS[kind]}Name": name})
    return Description(kind, name, answer, answer.pop(SENT))


def _settings(value: Any, path: str = "") -> set[str]:
    if isinstance(value, list):
        return {name for item in value for name in _settings(item, path)}
    if not isinstance(value, dict) or path.endswith("Environment"):
        return set() if value in (None, {}) else {path}
    inner = {f"{path}.{key}" if path else key: item for key, item in value.items()}
    return {name for here, item in inner.items() for name in _settings(item, here)}


class Serving:
    """What serves in the region of a SageMaker client; no error of AWS is raised.

    Attributes:
        endpoints, configs: By name; the configurations are those in use or being updated to.
        components: The models that inference components use, by the component's name.
        unread: What could not be read, in clauses. It may serve any model, because AWS lets a
            configuration be deleted while an endpoint uses it.
    """

    def __init__(self, client: Any) -> None:
        self.endpoints: dict[str, Description] = {}
        self.configs: dict[str, Description] = {}
        self.components: dict[str, list[str]] = {}
        self.unread: list[str] = []
        with self._reading("the list of endpoints"):
            for name in _names(client, "Endpoint"):
                with self._reading(f"endpoint {name}"):
                    self.endpoints[name] = describe(client, "endpoint", name)
                    for config in set(self.endpoints[name].configs) - set(self.configs):
                        with self._reading(f"configuration {config} of endpoint {name}"):
                            self.configs[config] = describe(client, "endpoint-config", config)
        with self._reading("the list of inference components"):
            for name in _names(client, "InferenceComponent"):
                with self._reading(f"inference component {name}"):
                    about = client.describe_inference_component(InferenceComponentName=name)
                    # Newer versions of the API give several, which this botocore may not know.
                    several = about.get("Specifications") or [about["Specification"]]
                    self.components[name] = [str(one.get("ModelName")) for one in several]

    @contextmanager
    def _reading(self, what: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self.unread.append(explain_error(error, what))

    def endpoints_of(self, model: str) -> list[Description]:
        """Return the endpoints that use a model, or are being updated to use it."""
        using = {name for name, config in self.configs.items() if model in config.models}
        return [one for one in self.endpoints.values() if using.intersection(one.configs)]


def _names(client: Any, kind: str) -> list[str]:
    pages = {"PaginationConfig": {"PageSize": PAGE_SIZE}}
    found = each(client, f"list_{xform_name(kind)}s", f"{kind}s", **pages)
    return [item[f"{kind}Name"] for item in found]
