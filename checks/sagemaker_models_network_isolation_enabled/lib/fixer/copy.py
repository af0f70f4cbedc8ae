"""Copies of models and endpoint configurations, which AWS lets nobody change.

A copy has whatever AWS's description gives and its Create operation takes, so no list of members is
kept here; what the installed botocore does not know of is not seen and not copied.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice
from typing import Any

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

from .containers import containers_of, environment_of
from .messages import StoppedError, explain_error, one_line, say
from .rollback import Created, Rollback
from .serving import names

NAME_LENGTH = 63  # the most that the name of a model or an endpoint configuration has
SUFFIX = "-isolated"
MOST_COPIES = 100  # of one thing; a copy beyond is not known as the fixer's
SECRET_LENGTH = 4  # a shorter value is masked beside its name only: it may be part of any word


# What AWS calls the things that are copied in its operations: CreateModel, DescribeModel.
MODEL, ENDPOINT_CONFIG = "Model", "EndpointConfig"


@dataclass(frozen=True)
class Copy:
    """A copy, as planned.

    Attributes:
        noun: MODEL or ENDPOINT_CONFIG.
        name: Its name.
        original: What it is a copy of.
        settings: The parameters of its Create operation but for name and tags.
        tags: Its tags.
        exists: Whether it is there already.
    """

    noun: str
    name: str
    original: str
    settings: dict[str, Any]
    tags: list[dict[str, str]]
    exists: bool

    @property
    def words(self) -> str:
        """What a sentence calls it."""
        return "model" if self.noun == MODEL else "endpoint configuration"

    def step(self, detail: str) -> str:
        """Return its line in a plan."""
        done = "Already exists" if self.exists else "To create"
        return f"{done}: {self.words} {self.name}, like {self.original}, {detail}."


def read_settings(client: Any, noun: str, name: str) -> dict[str, Any]:
    """Return the settings of a model or an endpoint configuration: see `settings_of`."""
    describe = getattr(client, f"describe_{xform_name(noun)}")
    return settings_of(client, noun, describe(**{f"{noun}Name": name}))


def settings_of(client: Any, noun: str, described: dict[str, Any]) -> dict[str, Any]:
    """Return what a description says in terms of the operation that creates such a thing.

    Returns:
        The parameters of the operation but for the name and the tags. What is empty is left out,
        and so is an isolation that is off: it says what its absence says, and AWS takes the member
        of an endpoint configuration from no other than those for inference components.
    """
    members = client.meta.service_model.operation_model(f"Create{noun}").input_shape.members
    settings = {
        key: value
        for key, value in described.items()
        if key in members and key != f"{noun}Name" and value not in (None, {}, [], False)
    }
    if noun == MODEL and "PrimaryContainer" in settings:
        settings["PrimaryContainer"] = with_one_source(settings["PrimaryContainer"])
    if noun == MODEL and "Containers" in settings:
        settings["Containers"] = [with_one_source(c) for c in settings["Containers"]]
    return settings


def with_one_source(container: dict[str, Any]) -> dict[str, Any]:
    """Return a container without a ModelDataSource that says just what its ModelDataUrl says.

    DescribeModel gives an artifact in both forms. ModelDataUrl is "a single gzip compressed tar
    archive" (botocore, ContainerDefinition), which is S3Object with Gzip (S3ModelDataSource); any
    other ModelDataSource says more than the URL, and stays.
    """
    url = {
        "S3Uri": container.get("ModelDataUrl"),
        "S3DataType": "S3Object",
        "CompressionType": "Gzip",
    }
    if container.get("ModelDataSource") != {"S3DataSource": url}:
        return container
    return {key: value for key, value in container.items() if key != "ModelDataSource"}


def plan_copy(
    client: Any, noun: str, original: str, settings: dict[str, Any], tags: list[dict[str, str]]
) -> Copy:
    """Return the copy of a thing: one that is there already, else one under a free name.

    Args:
        client: The SageMaker client of the region.
        noun: MODEL or ENDPOINT_CONFIG.
        original: The name of what is copied.
        settings: The settings of the copy.
        tags: The tags of the original.

    Raises:
        ClientError, BotoCoreError: AWS did not tell.
    """
    own_tags = [tag for tag in tags if not tag["Key"].lower().startswith("aws:")]
    for name in copy_names(original):
        exists = is_there(client, noun, name)
        if not exists or is_like(read_settings(client, noun, name), settings):
            break
    return Copy(noun, name, original, settings, own_tags, exists)


def is_copy_name(name: str, original: str) -> bool:
    """Return whether a thing of this name may be a copy of another."""
    return name in islice(copy_names(original), MOST_COPIES)


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


def is_there(client: Any, noun: str, name: str) -> bool:
    """Return whether a name is taken."""
    items, key = f"{noun}s", f"{noun}Name"
    return name in names(client, f"list_{xform_name(items)}", items, key, NameContains=name)


def is_like(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Return whether settings are the same; AWS gives a VpcConfig's ids in an order of its own."""

    def in_order(settings: dict[str, Any]) -> dict[str, Any]:
        vpc_config = settings.get("VpcConfig", {})
        return {**settings, "VpcConfig": {key: sorted(ids) for key, ids in vpc_config.items()}}

    return in_order(one) == in_order(other)


def create_copy(client: Any, rollback: Rollback, copy: Copy) -> None:
    """Create a planned copy that is not there yet.

    Raises:
        StoppedError: AWS did not create it, or its rollback cannot be written.
    """

    def is_made() -> bool:
        return is_there(client, copy.noun, copy.name) and is_like(
            read_settings(client, copy.noun, copy.name), copy.settings
        )

    say(f"Creating {copy.words} {copy.name}.")
    parameters = {f"{copy.noun}Name": copy.name, **copy.settings}
    if copy.tags:
        parameters["Tags"] = copy.tags
    record = Created(client.meta.region_name, xform_name(copy.noun, "-"), copy.name)
    try:
        rollback.make(client, f"Create{copy.noun}", parameters, record, is_made)
    except (ClientError, BotoCoreError) as error:
        raise StoppedError(without_secrets(explain_error(error), copy.settings)) from None


def without_secrets(text: str, settings: dict[str, Any]) -> str:
    """Return a text without the values of a model's environment, which AWS and botocore repeat."""
    pairs = [
        (key, one_line(value))
        for container in containers_of(settings)
        for key, value in environment_of(container).items()
        if value.strip()
    ]
    # The longest first, because a value may hold another.
    for key, value in sorted(pairs, key=lambda pair: len(pair[1]), reverse=True):
        given = rf"({re.escape(key)}[\"']?\s*[=:]\s*[\"']?){re.escape(value)}"
        text = re.sub(given, r"\1…", text)
        if len(value) >= SECRET_LENGTH:
            text = text.replace(value, "…")
    return text


def read_tags(client: Any, arn: str) -> list[dict[str, str]]:
    """Return the tags of a model or an endpoint configuration, AWS's own ones among them.

    Raises:
        ClientError, BotoCoreError: They cannot be read; a copy without them would lose them.
    """
    pages = client.get_paginator("list_tags").paginate(ResourceArn=arn)
    return [tag for page in pages for tag in page["Tags"]]
