"""The IAM policy for the scripts of a plan: just what their calls need."""

import json

import pytest

from ..embedded.fixer_case import Case, variant
from ..embedded.installation import ROOT
from ..embedded.policy import several

pytestmark = pytest.mark.untraced

POLICY = json.loads((ROOT / "docs" / "remediation-policy.json").read_text("utf-8"))
# What AWS asks for beside the operation: for a call with tags, and for a role that is passed on
# (service authorization reference, dependent actions of CreateModel and CreateEndpointConfig).
DEPENDENT = {"sagemaker:AddTags", "iam:PassRole"}
ALWAYS = "sts:GetCallerIdentity"  # AWS lets everybody


def test_it_is_what_the_scripts_call(case: Case) -> None:
    case.model(tags={"team": "risk"})
    case.endpoint()
    for number in ("a", "b"):
        case.sagemaker.create_inference_component(
            InferenceComponentName=f"{case.name}-{number}",
            EndpointName=case.name,
            VariantName="one",
            Specification={"ModelName": case.name},
        )
    case.plan()
    case.aws.calls.clear()
    for arguments in ((), ("apply", "--all-at-once"), ("rollback",)):
        code, said = case.run(*arguments)
        assert code == 0, said
    called = {f"{call.service}:{call.api}" for call in case.aws.calls}
    granted = {action for one in POLICY["Statement"] for action in several(one["Action"])}
    assert called | DEPENDENT == granted | {ALWAYS}


def test_copies_alone_are_created_and_isolated_ones_of_models(case: Case) -> None:
    for statement in POLICY["Statement"]:
        if any(":Create" in action for action in several(statement["Action"])):
            assert statement["Resource"].endswith("/*-isolated*")
    (models,) = (s for s in POLICY["Statement"] if "sagemaker:CreateModel" in several(s["Action"]))
    assert models["Condition"] == {"Bool": {"sagemaker:NetworkIsolation": "true"}}
    long = "x" * 63
    case.model(long)
    case.endpoint(variant("one", long), name=long)
    case.name = long
    case.plan()
    head = case.script().read_text("utf-8").partition("set -fu")[0]
    assert head.count("-isolated") == 2
