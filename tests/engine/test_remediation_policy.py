"""The IAM policy for whoever runs the blocks of a page: just what their calls need."""

import json
from fnmatch import fnmatchcase

import pytest

from ..embedded.fixer_case import Case, variant
from ..embedded.installation import ROOT
from ..tools.permissions import several

pytestmark = pytest.mark.untraced

POLICY = json.loads((ROOT / "docs" / "remediation-policy.json").read_text("utf-8"))
# What AWS asks for beside the operation: for a call with tags, and for a role that is passed on
# (service authorization reference, dependent actions of CreateModel and CreateEndpointConfig).
DEPENDENT = {"sagemaker:AddTags", "iam:PassRole"}
ALWAYS = "sts:GetCallerIdentity"  # AWS lets everybody


def test_it_allows_what_the_blocks_call_and_copies_alone_to_be_created(case: Case) -> None:
    case.name = case.name.ljust(63, "x")
    case.model(tags={"team": "risk"})
    case.endpoint(variant("one", case.name))
    case.fix()
    case.aws.calls.clear()
    code, said = case.run("Copy", "Move", "Back")
    assert code == 0, said
    called = {f"{call.service}:{call.api}" for call in case.aws.calls}
    granted = {action for one in POLICY["Statement"] for action in several(one["Action"])}
    assert called | DEPENDENT == granted | {ALWAYS}
    for statement in POLICY["Statement"]:
        for action in several(statement["Action"]):
            for call in (call for call in case.aws.calls if f":{call.api}" in action):
                if call.api.startswith("Create"):
                    noun = {"CreateModel": "model"}.get(call.api, "endpoint-config")
                    arn = f"arn:aws:sagemaker:r:1:{noun}/{next(iter(call.parameters.values()))}"
                    assert "isolated" in arn
                    assert fnmatchcase(arn, statement["Resource"])
        if "sagemaker:CreateModel" in several(statement["Action"]):
            assert statement["Condition"] == {"Bool": {"sagemaker:NetworkIsolation": "true"}}
