"""The plan for one endpoint: what its failing models are replaced by, and what to know before."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..facts import Model
from ..rules import Verdict, join
from .containers import notes_on_containers, obstacle_to_isolation
from .descriptions import Description, variants
from .serving import config_names

STACK = "aws:cloudformation:stack-name"


@dataclass(frozen=True)
class ReadModel:
    """A model that an endpoint serves.

    Attributes:
        description: What AWS says of it.
        facts: What the check judges it by.
        verdict: The check's verdict on it.
        tags: Its tags, AWS's own ones among them.
        is_muted: Whether the mutelist mutes its finding.
    """

    description: Description
    facts: Model
    verdict: Verdict
    tags: list[dict[str, str]]
    is_muted: bool

    @property
    def is_to_be_replaced(self) -> bool:
        """Whether it fails, and nobody has accepted that."""
        return self.verdict.status == "FAIL" and not self.is_muted


@dataclass(frozen=True)
class Copy:
    """An isolated copy of a failing model.

    Attributes:
        name: Its name.
        vpc_config: Its VpcConfig, as CreateModel takes it.
    """

    name: str
    vpc_config: dict[str, list[str]]


@dataclass(frozen=True)
class Plan:
    """What the script of an endpoint does.

    Attributes:
        account: The AWS account.
        region: The region.
        endpoint: The endpoint.
        config: The configuration that it uses.
        new_config: The name of the copy of that.
        models: The models that the configuration names, each with its copy; None for one that
            stays.
        fleet: What is updated, and how, for a sentence.
        notes: Sentences on what may keep the copies from working.
    """

    account: str
    region: str
    endpoint: str
    config: Description
    new_config: str
    models: tuple[tuple[Description, Copy | None], ...]
    fleet: str
    notes: tuple[str, ...]

    def __str__(self) -> str:
        """The plan in a line."""
        copies = [f"{model.name} -> {copy.name}" for model, copy in self.models if copy]
        return f"{self.endpoint}: {', '.join([*copies, self.fleet])}"


@dataclass(frozen=True)
class Left:
    """An endpoint for which there is no script.

    Attributes:
        endpoint: The endpoint.
        why: Why not, and what to do.
    """

    endpoint: str
    why: str

    def __str__(self) -> str:
        """The reason in a line."""
        return f"{self.endpoint}: no script, because {self.why}"


def obstacle_of_endpoint(endpoint: dict[str, Any], config: Description | None) -> str | None:
    """Return why an endpoint cannot be planned for by itself; None where it can.

    Args:
        endpoint: DescribeEndpoint's answer.
        config: The configuration that it uses; None where that could not be read.
    """
    status = endpoint["EndpointStatus"]
    if status == "Failed":
        # "DeleteEndpoint is the only operation that can be performed" (DescribeEndpoint).
        return "it is Failed, and can only be deleted."
    if status != "InService" or len(config_names(endpoint)) > 1:
        return f"it is {status}. Run this again when it is InService."
    if config is None:
        name = endpoint["EndpointConfigName"]
        return f"its configuration {name} cannot be read. Update it to one that is there."
    if any("ServerlessConfig" in variant for variant in variants(config)):
        return (
            "it is serverless, and AWS takes no isolation and no VPC for it. Serve the model from "
            "instances, or state an exception in a mutelist."
        )
    return None


def obstacle_of_models(
    endpoint: dict[str, Any], config: Description, models: list[ReadModel]
) -> str | None:
    """Return what in a configuration and its models keeps an endpoint from being planned for."""
    deployed = int(endpoint["LastModifiedTime"].timestamp())
    for one in (config, *(model.description for model in models)):
        if one.created > deployed:
            words = one.kind.replace("endpoint-config", "configuration")
            return (
                f"its {words} {one.name} was made anew after its last deployment, so it is not "
                "known what it runs. Deploy it again, and scan again."
            )
    obstacles = (obstacle_to_isolation(m.description) for m in models if m.is_to_be_replaced)
    return next(filter(None, obstacles), None)


def instances_of(endpoint: dict[str, Any], config: Description) -> Counter[str]:
    """Return how many instances an endpoint has now, by instance type."""
    now = [*(endpoint.get("ProductionVariants") or ())]
    now += endpoint.get("ShadowProductionVariants") or ()
    counts = {variant["VariantName"]: variant.get("CurrentInstanceCount") for variant in now}
    sizes: Counter[str] = Counter()
    for variant in variants(config):
        number = counts.get(variant["VariantName"]) or variant.get("InitialInstanceCount") or 0
        sizes[variant.get("InstanceType") or "instance pools"] += number
    return sizes


def fleet_of(endpoint: dict[str, Any], instances: Counter[str]) -> str:
    """Return an endpoint's instances, and how an update moves them, for a sentence.

    Without a DeploymentConfig, UpdateEndpoint makes a second fleet and moves all traffic to it at
    once (source: "DeploymentConfig" in the Amazon SageMaker API Reference).
    """
    sizes = [f"{number} x {size}" for size, number in instances.items()]
    last = endpoint.get("LastDeploymentConfig") or {}
    alarms = (last.get("AutoRollbackConfiguration") or {}).get("Alarms") or []
    if not alarms:
        return ", ".join([*sizes, "doubled during the update, all at once, no alarm"])
    watched = f"by its deployment configuration, with alarm {join(a['AlarmName'] for a in alarms)}"
    is_rolling = last.get("RollingUpdatePolicy")
    return ", ".join([*sizes, *([] if is_rolling else ["doubled during the update"]), watched])


def notes_on_model(model: ReadModel) -> Iterator[str]:
    """Yield a sentence for each thing that may keep a model's copy from working, or from staying.

    An endpoint's instances get their network interfaces by the model's role (source: "Give
    SageMaker AI hosted endpoints access to resources in your Amazon VPC").
    """
    yield from notes_on_containers(model.description)
    if not model.facts.has_vpc_config:
        yield (
            f"Note: model {model.facts.name} had no VPC: its role needs ec2:CreateNetworkInterface "
            "and the other permissions for network interfaces of a model in a VPC."
        )
    for tag in model.tags:
        if tag["Key"] == STACK:
            yield (
                f"Note: CloudFormation stack {tag['Value']} made model {model.facts.name}, and its "
                "next update reverts what is not in its template. Change the template too."
            )


def notes_on_settings(described: Description) -> Iterator[str]:
    """Yield a sentence on the settings that the botocore beside Prowler does not know."""
    if described.new_members:
        settings = join(described.new_members)
        yield (
            f"Note: the {described.kind} {described.name} has settings that only a newer AWS CLI "
            f"knows: {settings}. The script stops where its AWS CLI does not."
        )
