"""The check's verdict on a model, and the network of its copy by that verdict."""

from typing import Any

from ..answers import why_unread
from ..configuration import read_egress_setting
from ..facts import Listing, Model, Service
from ..listings import are_ids, from_description
from ..network import with_networks
from ..rules import explain_unknown, judge

CHECK = "sagemaker_models_network_isolation_enabled"
_IDS = {"Subnets": "subnet-", "SecurityGroupIds": "sg-"}


class NoPageError(Exception):
    """There is no page for an endpoint; the message is a clause that says why, and what to do."""


def explain_error(error: Exception, what: str) -> str:
    """Return why something could not be read from AWS, and what to do, as a clause."""
    permission = f"sagemaker:{getattr(error, 'operation_name', '*')}"
    return explain_unknown([why_unread(error, what, permission)])


def judge_model(service: Service, region: str, answer: dict[str, Any]) -> tuple[str, str]:
    """Return the verdict on a model: its status, and its violations and unknowns in words.

    The `answer` is what DescribeModel answers, or would answer.
    """
    model = from_description(Model(answer["ModelName"], answer["ModelArn"], region), answer)
    (listing,) = with_networks(service, [Listing(region, (model,), 1)])
    verdict = judge(listing.items[0], read_egress_setting(service.audit_config))
    violations = [violation.text for violation in verdict.violations]
    unknown = explain_unknown(verdict.unknown)
    return verdict.status, "; ".join([*violations, *([unknown] if unknown else [])])


def choose_network(
    service: Service, region: str, answer: dict[str, Any], settings: Any
) -> tuple[dict[str, list[str]], str]:
    """Return the VpcConfig of a failing model's copy, and why it is to have that one.

    It is the model's own if that is sound, else the one of the fixer configuration.

    Args:
        answer: What DescribeModel answers.
        settings: What stands below `aws` in the fixer configuration.

    Raises:
        NoPageError: Neither is sound.
    """
    isolated = {**answer, "EnableNetworkIsolation": True}
    status, faults = judge_model(service, region, isolated)
    if status == "PASS":
        return answer["VpcConfig"], "its own, which is private and controlled"
    for key in (CHECK, "VpcConfig", region):
        settings = settings.get(key) if isinstance(settings, dict) else settings
    setting = f"aws.{CHECK}.VpcConfig.{region} in the fixer configuration"
    if settings is None:
        raise NoPageError(
            f"its copy needs a VPC configuration that is private and controlled, and {faults}. "
            f"Name subnets and security groups as {setting}."
        )
    if not isinstance(settings, dict) or not all(are_ids(settings.get(k), _IDS[k]) for k in _IDS):
        raise NoPageError(f"{setting} must have Subnets and SecurityGroupIds with their ids.")
    status, others = judge_model(service, region, {**isolated, "VpcConfig": settings})
    if status != "PASS":
        raise NoPageError(f"{setting} is not private and controlled: {others}. Choose others.")
    return settings, f"of the fixer configuration, because with its own {faults}"
