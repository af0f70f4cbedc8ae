"""The isolated model that takes a model's place: a copy, because no model can be changed.

A copy is made of whatever DescribeModel gives and CreateModel takes, so no list of members is kept
here; what the installed botocore does not know of is not seen and not copied.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

from .changes import Changes, RefusedError, command, say
from .facts import Model
from .models import Listing, locate, with_settings
from .verdict import explain_unknowns, join, judge

NAME_LENGTH = 63  # the most that the name of a model or an endpoint configuration has
PAGE_SIZE = 100
SUFFIX = "-isolated"
STACK = "aws:cloudformation:stack-name"
# AWS: "Run Training and Inference Containers in Internet-Free Mode" names Chainer and SageMaker RL.
NOT_ISOLATED = re.compile(r"/sagemaker-(chainer|rl)\b")


@dataclass(frozen=True)
class Place:
    """Where the fixer works.

    Attributes:
        region: The region.
        sagemaker: Prowler's SageMaker client of the region.
        ec2: A boto3 EC2 client of the region.
        changes: What changes there go through.
    """

    region: str
    sagemaker: Any
    ec2: Any
    changes: Changes


def settings_of(client: Any, operation: str, described: dict[str, Any]) -> dict[str, Any]:
    """Return what a description says in terms of the operation that creates such a thing.

    Args:
        client: A SageMaker client.
        operation: "CreateModel" or "CreateEndpointConfig".
        described: The answer of the operation that describes it.

    Returns:
        The parameters of the operation but for the name and the tags. What is empty is left out,
        and so is an isolation that is off: it says what its absence says, and AWS takes the member
        of an endpoint configuration from no other than those for inference components.
    """
    members = client.meta.service_model.operation_model(operation).input_shape.members
    named = {"ModelName", "EndpointConfigName"}
    return {
        key: value
        for key, value in described.items()
        if key in members and key not in named and value not in (None, {}, [], False)
    }


def described_model(client: Any, name: str) -> dict[str, Any]:
    """Return a model's settings as CreateModel takes them, without name and tags."""
    settings = settings_of(client, "CreateModel", client.describe_model(ModelName=name))
    primary = settings.get("PrimaryContainer")
    settings["Containers"] = [once(container) for container in settings.get("Containers", [])]
    if primary:
        settings["PrimaryContainer"] = once(primary)
    return {key: value for key, value in settings.items() if value}


def once(container: dict[str, Any]) -> dict[str, Any]:
    """Return a container that names its artifact once.

    DescribeModel gives ModelDataUrl in the form of ModelDataSource too, and CreateModel takes one
    of them.
    """
    source = container.get("ModelDataSource", {}).get("S3DataSource", {})
    if not container.get("ModelDataUrl") or source.get("S3Uri") != container["ModelDataUrl"]:
        return container
    return {key: value for key, value in container.items() if key != "ModelDataSource"}


def containers_of(settings: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the containers of a model's settings, one or several."""
    primary = settings.get("PrimaryContainer")
    return ([primary] if primary else []) + list(settings.get("Containers", []))


def refuse_unfit_containers(name: str, settings: dict[str, Any]) -> None:
    """Refuse a model that cannot work isolated, and say what may stop another from it.

    Args:
        name: The model.
        settings: Its settings.

    Raises:
        RefusedError: A container is of a framework that AWS does not run isolated.
    """
    for container in containers_of(settings):
        image = str(container.get("Image", ""))
        if NOT_ISOLATED.search(image):
            raise RefusedError(
                f"Container {image} of model {name} needs Amazon S3 while it runs, so AWS does not "
                "support network isolation for it. Serve the model from another container."
            )
        hub_id = (container.get("Environment") or {}).get("HF_MODEL_ID", "/")
        if not str(hub_id).startswith("/"):
            say(
                f"Note: container {image} downloads {hub_id} from the Hugging Face Hub when it "
                "starts, which an isolated one cannot. Give it the artifact by ModelDataUrl."
            )
        if container.get("ModelPackageName"):
            say(
                f"Note: container of model package {container['ModelPackageName']}: a package of "
                "AWS Marketplace runs with network isolation only, so do not take it off again."
            )
        if (container.get("ImageConfig") or {}).get("RepositoryAccessMode") == "Vpc":
            say(
                f"Note: {image} is pulled through the VPC, so the registry must be reachable from "
                "the subnets of the new model."
            )


def choose_vpc_config(
    place: Place,
    model: Model,
    configured: dict[str, list[str]] | None,
    fail_on_unrestricted_egress: bool,
) -> dict[str, list[str]]:
    """Return the VpcConfig of the new model: the old one's if it is sound, else the configured one.

    Args:
        place: Where the fixer works.
        model: The old model as if it were isolated, its subnets and security groups known by their
            ids alone.
        configured: The VpcConfig of the fixer configuration for the region.
        fail_on_unrestricted_egress: As for the check's own verdict.

    Raises:
        RefusedError: Neither is private and controlled by the check's own verdict.
    """
    own = network_faults(place, model, fail_on_unrestricted_egress)
    if not own:
        return vpc_config_of(model)
    if not configured:
        raise RefusedError(
            f"The new model needs a VPC configuration that is private and controlled: {own}. Name "
            f"subnets and security groups for {place.region} in the fixer configuration, under "
            "VpcConfig."
        )
    settings = {"ModelArn": model.arn, "EnableNetworkIsolation": True, "VpcConfig": configured}
    wanted = with_settings(model, settings)
    faults = network_faults(place, wanted, fail_on_unrestricted_egress)
    if faults:
        raise RefusedError(
            f"The VpcConfig for {place.region} in the fixer configuration is not private and "
            f"controlled: {faults}. Name others there."
        )
    return vpc_config_of(wanted)


def vpc_config_of(model: Model) -> dict[str, list[str]]:
    """Return a model's VpcConfig as CreateModel takes it."""
    return {
        "SecurityGroupIds": [group.id for group in model.security_groups],
        "Subnets": [subnet.id for subnet in model.subnets],
    }


def network_faults(place: Place, model: Model, fail_on_unrestricted_egress: bool) -> str:
    """Return what keeps a model's VPC configuration from being private and controlled.

    Args:
        place: Where the fixer works.
        model: The model as if it were isolated, its subnets and security groups known by their ids
            alone.
        fail_on_unrestricted_egress: As for the check's own verdict.

    Returns:
        The verdict's own clauses; "" for a sound configuration.
    """
    (located,) = locate(place.ec2, Listing(place.region, (model,), 1)).models
    verdict = judge(located, fail_on_unrestricted_egress)
    clauses = [*map(str, verdict.violations), *explain_unknowns(verdict.unknowns)]
    vpcs = {subnet.vpc_id for subnet in located.subnets}
    vpcs |= {group.vpc_id for group in located.security_groups}
    if not clauses and len(vpcs) > 1:
        clauses.append(f"its subnets and security groups are of {join(sorted(map(str, vpcs)))}")
    return "; ".join(clauses)


def copy_names(name: str) -> Iterator[str]:
    """Yield the names that a copy may have, the first choice first."""
    for number in count(1):
        suffix = SUFFIX if number == 1 else f"{SUFFIX}-{number}"
        yield name[: NAME_LENGTH - len(suffix)].rstrip("-") + suffix


def names_like(client: Any, listing: str, key: str, name_key: str, name: str) -> set[str]:
    """Return the names of a kind that are taken, of those that a copy of a name may have.

    Args:
        client: A SageMaker client.
        listing: The operation in boto3's spelling, such as "list_models".
        key: The list in its answer, such as "Models".
        name_key: The name of an item of that list, such as "ModelName".
        name: The name to copy.
    """
    part = name[: NAME_LENGTH - 2 * len(SUFFIX)]
    pages = client.get_paginator(listing).paginate(
        NameContains=part, PaginationConfig={"PageSize": PAGE_SIZE}
    )
    return {item[name_key] for page in pages for item in page[key]}


def find_or_make_model(
    place: Place, old_name: str, wanted: dict[str, Any], tags: list[dict[str, str]]
) -> str:
    """Return the name of the model with the wanted settings, made now unless it is there already.

    Args:
        place: Where the fixer works.
        old_name: The model that it takes the place of.
        wanted: Its settings, as CreateModel takes them.
        tags: Its tags.

    Raises:
        ClientError, BotoCoreError: AWS was asked in vain.
        RefusedError: The way back cannot be written down.
    """
    client = place.sagemaker

    def taken() -> set[str]:
        return names_like(client, "list_models", "Models", "ModelName", old_name)

    names = taken()
    for name in copy_names(old_name):
        if name not in names:
            break
        if same(described_model(client, name), wanted):
            say(f"Model {name} is there already, isolated and like {old_name}.")
            return name
    network = wanted["VpcConfig"]
    say(
        f"Creating model {name}: like {old_name}, with network isolation, in "
        f"{join(network['Subnets'])} with {join(network['SecurityGroupIds'])}."
    )
    if len(network["Subnets"]) == 1:
        say("Note: AWS asks for two subnets, in two Availability Zones, for hosting in a VPC.")
    place.changes.make(
        client,
        "CreateModel",
        {"ModelName": name, **wanted, **({"Tags": tags} if tags else {})},
        (command("delete-model", place.region, "--model-name", name),),
        lambda: name in taken() and same(described_model(client, name), wanted),
    )
    return name


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Return whether two models or endpoint configurations have the same settings.

    AWS gives the ids of a VpcConfig in an order of its own.
    """
    return in_order(one) == in_order(other)


def in_order(settings: dict[str, Any]) -> dict[str, Any]:
    """Return settings with the ids of their VpcConfig sorted."""
    vpc_config = settings.get("VpcConfig", {})
    return {**settings, "VpcConfig": {key: sorted(ids) for key, ids in vpc_config.items()}}


def read_tags(client: Any, arn: str) -> list[dict[str, str]]:
    """Return the tags of a model or an endpoint configuration, AWS's own ones among them.

    Raises:
        ClientError, BotoCoreError: They cannot be read; a copy without them would lose them.
    """
    pages = client.get_paginator("list_tags").paginate(ResourceArn=arn)
    return [tag for page in pages for tag in page["Tags"]]


def own_tags(tags: list[dict[str, str]]) -> list[dict[str, str]]:
    """Return tags without those that AWS keeps for itself and refuses in a call."""
    return [tag for tag in tags if not tag["Key"].lower().startswith("aws:")]
