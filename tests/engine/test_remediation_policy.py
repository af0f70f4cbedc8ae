"""The IAM policy for whoever runs the blocks of a page: just what their calls need."""

import json
from fnmatch import fnmatchcase
from typing import Any

import pytest

from ..embedded.fixer_case import Case, variant
from ..embedded.installation import ROOT

pytestmark = pytest.mark.usefixtures("forked_aws_cli")

POLICY = json.loads((ROOT / "docs" / "remediation-policy.json").read_text("utf-8"))
# What AWS asks for beside the operation: for a call with tags, and for a role that is passed on
# (service authorization reference, dependent actions of CreateModel and CreateEndpointConfig).
DEPENDENT = {"sagemaker:AddTags", "iam:PassRole"}
ALWAYS = "sts:GetCallerIdentity"  # AWS lets everybody


def actions(statement: dict[str, Any]) -> list[str]:
    given = statement["Action"]
    return [given] if isinstance(given, str) else given


def test_it_allows_what_the_blocks_call_and_copies_alone_to_be_created(case: Case) -> None:
    case.name = case.name.ljust(63, "x")
    case.model(tags={"team": "risk"})
    case.endpoint(variant("one", case.name))
    case.fix()
    case.aws.calls.clear()
    code, said = case.run("Copy", "Move", "Back")
    assert code == 0, said
    called = {f"{call.service}:{call.api}" for call in case.aws.calls}
    granted = {action for one in POLICY["Statement"] for action in actions(one)}
    assert called | DEPENDENT == granted | {ALWAYS}
    (create,) = [one for one in POLICY["Statement"] if "sagemaker:CreateModel" in actions(one)]
    assert create["Condition"] == {"Bool": {"sagemaker:NetworkIsolation": "true"}}
    for call in case.aws.calls:
        if call.api.startswith("Create"):
            made = next(value for key, value in call.parameters.items() if key.endswith("Name"))
            (one,) = [s for s in POLICY["Statement"] if f"sagemaker:{call.api}" in actions(s)]
            assert fnmatchcase(made, one["Resource"].rpartition("/")[2])
