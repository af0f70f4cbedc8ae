"""What AWS says of models and endpoint configurations, with the settings that botocore drops.

Prowler pins botocore, whose parser leaves out members that AWS has added since. A copy must not
lose them, so the answers are read as AWS sent them: botocore hands them to whoever listens to
`before-parse.sagemaker.<Operation>`.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, count
from typing import Any

from botocore import xform_name
from botocore.exceptions import ClientError

NOUNS = {"model": "Model", "endpoint-config": "EndpointConfig"}  # the AWS CLI's words: AWS's own
# In what the descriptions of two things that were made alike differ.
OWN = {
    *("ModelName", "ModelArn", "EndpointConfigName", "EndpointConfigArn"),
    *("CreationTime", "DeploymentRecommendation"),
}
NAME_LENGTH = 63  # the most that the name of a model or an endpoint configuration has
SUFFIX = "-isolated"


@dataclass(frozen=True)
class Description:
    """A model or an endpoint configuration, as AWS describes it.

    Attributes:
        kind: "model" or "endpoint-config".
        name: Its name.
        created: CreationTime in seconds since 1970; with the name it tells it from those that had
            the name before.
        answer: The answer as boto3 gives it.
        sent: The answer as AWS sent it.
    """

    kind: str
    name: str
    created: int
    answer: dict[str, Any]
    sent: dict[str, Any]

    @property
    def members(self) -> list[str]:
        """The members that AWS sent."""
        return sorted(set(members_of(self.sent)))

    @property
    def new_members(self) -> list[str]:
        """The members that this botocore does not know, without what is in them."""
        new = set(members_of(self.sent)) - set(members_of(self.answer))
        return sorted(name for name in new if name.rpartition(".")[0] not in new)


def describe(client: Any, kind: str, name: str) -> Description:
    """Return what AWS says of a model or an endpoint configuration.

    Args:
        client: The SageMaker client of the region.
        kind: "model" or "endpoint-config".
        name: Its name.

    Raises:
        ClientError, BotoCoreError: AWS did not tell.
    """
    operation = f"Describe{NOUNS[kind]}"
    sent: list[bytes] = []

    def listen(response_dict: dict[str, Any], **_: Any) -> None:
        sent.append(response_dict["body"])

    event = f"before-parse.sagemaker.{operation}"
    client.meta.events.register(event, listen)
    try:
        read = getattr(client, f"describe_{xform_name(NOUNS[kind])}")
        answer = read(**{f"{NOUNS[kind]}Name": name})
    finally:
        client.meta.events.unregister(event, listen)
    body = json.loads(sent[-1])  # the last of several tries
    created = int(answer["CreationTime"].timestamp())
    return Description(kind, name, created, answer, body)


def members_of(value: Any, path: str = "") -> Iterator[str]:
    """Yield the members that an answer has, such as "ProductionVariants.InstanceType".

    What is not set is left out, and so are the variables of a container's environment.
    """
    if isinstance(value, list):
        for item in value:
            yield from members_of(item, path)
    elif isinstance(value, dict):
        for name, member in value.items():
            here = f"{path}.{name}" if path else name
            if member not in (None, {}, []):
                yield here
            if name != "Environment":
                yield from members_of(member, here)


def variants(config: Description) -> Iterator[dict[str, Any]]:
    """Yield the production and shadow variants of an endpoint configuration."""
    yield from chain.from_iterable(
        config.sent.get(key) or () for key in ("ProductionVariants", "ShadowProductionVariants")
    )


def models_of(config: Description) -> list[str]:
    """Return the models that an endpoint configuration names, those of its instance pools too."""
    parts = [part for variant in variants(config) for part in (variant, *pools_of(variant))]
    named = (part.get(key) for part in parts for key in ("ModelName", "ModelNameOverride"))
    return sorted({str(name) for name in named if name})


def pools_of(variant: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the instance pools of a variant, each of which may serve a model of its own."""
    return variant.get("InstancePools") or []


def with_models(value: Any, copies: dict[str, str]) -> Any:
    """Return the settings of an endpoint configuration with copies in the place of models."""
    if isinstance(value, list):
        return [with_models(item, copies) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: copies.get(item, item)
        if key in ("ModelName", "ModelNameOverride")
        else with_models(item, copies)
        for key, item in value.items()
    }


def settings_of(described: Description) -> dict[str, Any]:
    """Return what two things that were made alike have in common, their tags apart."""
    settings = {
        key: value
        for key, value in described.sent.items()
        if key not in OWN and value not in (None, {}, [], False)
    }
    # AWS gives the ids of a VpcConfig in an order of its own.
    vpc_config = {key: sorted(ids) for key, ids in settings.get("VpcConfig", {}).items()}
    return {**settings, "VpcConfig": vpc_config}


def name_of_copy(client: Any, kind: str, original: str, settings: dict[str, Any]) -> str:
    """Return the name of a copy: of one that is there already, else the first that is free.

    Args:
        client: The SageMaker client of the region.
        kind: "model" or "endpoint-config".
        original: The name of what is copied.
        settings: The settings of the copy, as `settings_of` gives them.

    Raises:
        ClientError, BotoCoreError: AWS did not tell.
    """
    for name in copy_names(original):
        try:
            there = describe(client, kind, name)
        except ClientError as error:
            # SageMaker's code for what does not exist.
            if (error.response.get("Error") or {}).get("Code") == "ValidationException":
                return name
            raise
        if settings_of(there) == settings:
            return name
    raise AssertionError("copy_names does not end")


def copy_names(original: str) -> Iterator[str]:
    """Yield the names that a copy may have, the first choice first.

    A name that must be cut has a digest of the whole, so that the copies of two things never have
    one name.
    """
    for number in count(1):
        suffix = SUFFIX if number == 1 else f"{SUFFIX}-{number}"
        if len(original) + len(suffix) > NAME_LENGTH:
            suffix = f"-{hashlib.sha256(original.encode()).hexdigest()[:8]}{suffix}"
        yield original[: NAME_LENGTH - len(suffix)].rstrip("-") + suffix
