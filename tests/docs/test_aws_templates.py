"""What users give to AWS as it stands: templates and policies, by cfn-lint and IAM's own actions.

cfn-lint is imported where it is used: that takes seconds, and every worker imports all tests.
"""

import json
import re
from typing import Any

import pytest

from ..embedded.installation import CHECKS, ROOT
from ..embedded.policy import several
from ..tools.frameworks import read
from .test_metadata import code_of

DOCS = ROOT / "docs"
ORGANISATIONS = DOCS / "organisations"
ROLE_TEMPLATE = (ORGANISATIONS / "scan-role.yaml").read_text("utf-8")
SCANNER = "arn:aws:iam::111122223333:role/scanner"


def of_metadata(check: str) -> str:
    """Return the template of a check's metadata, with names in the place of placeholders."""
    return re.sub(r"<(\w+?)>", lambda m: m[1].replace("_", "-"), code_of(check, "NativeIaC"))


def template_of(kind: str, **properties: Any) -> str:
    """Return a template with one resource."""
    return json.dumps({"Resources": {"One": {"Type": kind, "Properties": properties}}})


POLICIES = {name: read(DOCS / name) for name in ("iam-policy.json", "remediation-policy.json")}
(OF_SCANNER,) = re.findall(
    r"```json\n(.*?)```", (DOCS / "organisations.md").read_text("utf-8"), re.DOTALL
)
TRUST = read(ORGANISATIONS / "ci-trust-policy.json")
TEMPLATES = {
    **{check: of_metadata(check) for check in CHECKS},
    "model.yaml": (DOCS / "remediation" / "model.yaml").read_text("utf-8"),
    "scan-role.yaml": ROLE_TEMPLATE,
    **{
        name: template_of("AWS::IAM::ManagedPolicy", PolicyDocument=policy)
        for name, policy in (POLICIES | {"organisations.md": json.loads(OF_SCANNER)}).items()
    },
    "ci-trust-policy.json": template_of("AWS::IAM::Role", AssumeRolePolicyDocument=TRUST),
    "state-machine.json": template_of(
        "AWS::StepFunctions::StateMachine",
        RoleArn="arn:aws:iam::111122223333:role/states",
        Definition=read(ORGANISATIONS / "state-machine.json"),
    ),
}


def decode(template: str) -> dict[str, Any]:
    """Return a template in YAML as a dictionary."""
    from cfnlint.decode.decode import decode_str

    decoded, _ = decode_str(template)
    return dict(decoded)


@pytest.mark.parametrize("name", TEMPLATES)
def test_cfn_lint_takes_it(name: str) -> None:
    from cfnlint.api import lint

    assert list(lint(TEMPLATES[name], regions=["us-east-1"])) == []


@pytest.mark.parametrize("check", CHECKS)
def test_the_metadatas_template_isolates_in_two_subnets(check: str) -> None:
    properties = next(iter(decode(TEMPLATES[check])["Resources"].values()))["Properties"]
    network = properties.get("NetworkConfig", properties)
    assert network["EnableNetworkIsolation"] is True
    assert len(network["VpcConfig"]["Subnets"]) == 2


@pytest.mark.parametrize("name", POLICIES)
def test_a_resource_is_as_narrow_as_aws_supports(name: str) -> None:
    from cfnlint.data import AdditionalSpecs
    from cfnlint.helpers import load_resource

    reference = load_resource(AdditionalSpecs, "Policies.json")
    for statement in POLICIES[name]["Statement"]:
        arns = several(statement["Resource"])
        named = {arn.partition("/")[0].rpartition(":")[2] for arn in arns} - {"*"}
        supported: set[str] = set()
        for action in several(statement["Action"]):
            prefix, _, operation = action.partition(":")
            narrower = set(reference[prefix]["Actions"][operation.lower()].get("Resources", []))
            assert bool(narrower) == bool(narrower & named), action
            supported |= narrower
        assert named <= supported


def test_the_roles_policy_is_the_one_that_a_scan_needs() -> None:
    template = decode(ROLE_TEMPLATE)
    (policy,) = template["Resources"]["Role"]["Properties"]["Policies"]
    text = json.dumps(policy["PolicyDocument"])
    # The template names the partition and the account where the file cannot know them.
    plain = re.sub(r'\{"Fn::Sub": ("[^"]+")\}', r"\1", text)
    plain = plain.replace("${AWS::Partition}", "aws").replace("${AWS::AccountId}", "*")
    assert json.loads(plain) == POLICIES["iam-policy.json"]
    assert template["Parameters"]["RoleName"]["Default"] == "sagemaker-isolation-scan"


def filled(value: Any, parameters: dict[str, str], conditions: dict[str, Any]) -> Any:
    """Return a part of the template with its parameters put in; None is AWS::NoValue."""
    if isinstance(value, list):
        return [filled(item, parameters, conditions) for item in value]
    if not isinstance(value, dict):
        return value
    match dict(value):
        case {"Ref": name}:
            return parameters.get(name)
        case {"Fn::If": [name, then, otherwise]}:
            chosen = then if filled(conditions[name], parameters, conditions) else otherwise
            return filled(chosen, parameters, conditions)
        case {"Fn::Not": [{"Fn::Equals": [one, other]}]}:
            return filled(one, parameters, conditions) != other
    parts = {key: filled(part, parameters, conditions) for key, part in value.items()}
    return {key: part for key, part in parts.items() if part is not None}


@pytest.mark.parametrize(
    ("external_id", "organization_id", "asked_for"),
    [
        ("", "", {}),
        ("x-1", "", {"StringEquals": {"sts:ExternalId": "x-1"}}),
        ("", "o-a1b2c3d4e5", {"StringLike": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}),
        (
            "x-1",
            "o-a1b2c3d4e5",
            {
                "StringEquals": {"sts:ExternalId": "x-1"},
                "StringLike": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"},
            },
        ),
    ],
)
def test_whom_the_role_trusts(
    external_id: str, organization_id: str, asked_for: dict[str, Any]
) -> None:
    template = decode(ROLE_TEMPLATE)
    given = {"ExternalId": external_id, "OrganizationId": organization_id, "ScannerArn": SCANNER}
    for name, value in given.items():
        assert (
            re.search(template["Parameters"][name]["AllowedPattern"], value) or value == "scanner"
        )
    trust = template["Resources"]["Role"]["Properties"]["AssumeRolePolicyDocument"]
    (statement,) = filled(trust, given, template["Conditions"])["Statement"]
    assert statement["Principal"] == {"AWS": SCANNER}
    assert statement["Condition"] == asked_for


def test_ci_takes_the_role_on_for_one_branch_of_one_repository() -> None:
    (statement,) = TRUST["Statement"]
    issuer = "token.actions.githubusercontent.com"
    assert statement["Principal"]["Federated"].endswith(f":oidc-provider/{issuer}")
    (values,) = statement["Condition"].values()
    assert values[f"{issuer}:aud"] == "sts.amazonaws.com"
    assert "*" not in values[f"{issuer}:sub"]
