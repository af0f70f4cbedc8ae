"""Templates and policies that users give to AWS: by cfn-lint, IAM's actions, and HCL's arguments.

cfn-lint is imported where it is used: that takes seconds, and every worker imports all tests.
"""

import json
import re
from collections.abc import Iterator
from itertools import product
from typing import Any

import hcl2
import pytest

from ..embedded.installation import CHECKS, ROOT
from ..embedded.policy import several
from ..tools.frameworks import read
from .test_metadata import code_of

DOCS = ROOT / "docs"
ORGANISATIONS = DOCS / "organisations"
TEMPLATES = {
    name: (DOCS / name).read_text("utf-8")
    for name in ("remediation/model.yaml", "organisations/scan-role.yaml")
}
POLICIES = {name: read(DOCS / name) for name in ("iam-policy.json", "remediation-policy.json")}
SCANNER = "arn:aws:iam::111122223333:role/scanner"
TRUST = read(ORGANISATIONS / "ci-trust-policy.json")
HCL = {check: code for check in CHECKS if (code := code_of(check, "Terraform"))}
HCL["model.tf"] = (DOCS / "remediation" / "model.tf").read_text("utf-8")


def decode(template: str) -> dict[str, Any]:
    """Return a template in YAML as a dictionary."""
    from cfnlint.decode.decode import decode_str

    decoded, _ = decode_str(template)
    return dict(decoded)


def of_metadata(check: str) -> dict[str, Any]:
    """Return the resource in a check's metadata, with names in the place of placeholders."""
    text = re.sub(r"<(\w+?)>", lambda m: m[1].replace("_", "-"), code_of(check, "NativeIaC"))
    (resource,) = decode(text)["Resources"].values()
    return dict(resource)


def made() -> str:
    """Return a template with the metadata's resources, and with the policies in resources."""
    page = (DOCS / "organisations.md").read_text("utf-8")
    (of_scanner,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    resources = {f"Check{n}": of_metadata(check) for n, check in enumerate(CHECKS)}
    for n, policy in enumerate([*POLICIES.values(), json.loads(of_scanner)]):
        properties = {"PolicyDocument": policy}
        resources[f"Policy{n}"] = {"Type": "AWS::IAM::ManagedPolicy", "Properties": properties}
    role = {"AssumeRolePolicyDocument": TRUST}
    resources["Ci"] = {"Type": "AWS::IAM::Role", "Properties": role}
    machine = {"RoleArn": SCANNER, "Definition": read(ORGANISATIONS / "state-machine.json")}
    resources["States"] = {"Type": "AWS::StepFunctions::StateMachine", "Properties": machine}
    return json.dumps({"Resources": resources})


@pytest.mark.parametrize("name", [*TEMPLATES, "made"])
def test_cfn_lint_takes_it(name: str) -> None:
    from cfnlint.api import lint

    assert list(lint(TEMPLATES.get(name) or made(), regions=["us-east-1"])) == []


@pytest.mark.parametrize("check", CHECKS)
def test_the_metadatas_templates_isolate_in_two_zones(check: str) -> None:
    properties = of_metadata(check)["Properties"]
    network = properties.get("NetworkConfig", properties)
    assert network["EnableNetworkIsolation"] is True
    assert len(network["VpcConfig"]["Subnets"]) == 2
    if check in HCL:  # Terraform's provider has no isolation for an endpoint configuration
        assert "enable_network_isolation = true" in HCL[check]
        assert re.findall(r"_in_(zone_.)>", HCL[check]) == ["zone_a", "zone_b"]
        # Under a fixed name it could not be created before the old one is destroyed.
        assert not re.search(r"^  name\s*=", HCL[check], re.MULTILINE)


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


def filled(  # noqa: PLR0911 (a return for each function of CloudFormation)
    value: Any, parameters: dict[str, str], conditions: dict[str, Any]
) -> Any:
    """Return a part of a template with its parameters put in; None is AWS::NoValue."""
    match value:
        case list():
            return [filled(item, parameters, conditions) for item in value]
        case {"Ref": name}:
            return parameters.get(name)
        case {"Fn::Sub": text}:
            return re.sub(r"\$\{(.+?)\}", lambda m: parameters[m[1]], text)
        case {"Fn::If": [name, then, otherwise]}:
            is_met = filled(conditions[name], parameters, conditions)
            return filled(then if is_met else otherwise, parameters, conditions)
        case {"Fn::Not": [{"Fn::Equals": [{"Ref": name}, text]}]}:
            return parameters[name] != text
        case dict():
            parts = {key: filled(part, parameters, conditions) for key, part in value.items()}
            return {key: part for key, part in parts.items() if part is not None}
    return value


@pytest.mark.parametrize(
    ("external_id", "organization"), list(product(("", "x-1"), ("", "o-a1b2c3d4e5")))
)
def test_the_role_trusts_the_scanner_and_has_the_policy_of_a_scan(
    external_id: str, organization: str
) -> None:
    template = decode(TEMPLATES["organisations/scan-role.yaml"])
    given = {"ExternalId": external_id, "OrganizationId": organization, "ScannerArn": SCANNER}
    for name, value in given.items():
        assert re.search(template["Parameters"][name]["AllowedPattern"], value)
    given |= {"AWS::Partition": "aws", "AWS::AccountId": "*"}  # as the policy's file has them
    role = filled(template["Resources"]["Role"]["Properties"], given, template["Conditions"])
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    conditions = {
        "StringEquals": {"sts:ExternalId": external_id} if external_id else None,
        "StringLike": {"aws:PrincipalOrgID": organization} if organization else None,
    }
    assert statement["Principal"] == {"AWS": SCANNER}
    assert statement["Condition"] == {key: value for key, value in conditions.items() if value}
    assert [one["PolicyDocument"] for one in role["Policies"]] == [POLICIES["iam-policy.json"]]


def test_ci_takes_the_role_on_for_one_branch_of_one_repository() -> None:
    (statement,) = TRUST["Statement"]
    issuer = "token.actions.githubusercontent.com"
    assert statement["Principal"]["Federated"].endswith(f":oidc-provider/{issuer}")
    (values,) = statement["Condition"].values()
    assert values[f"{issuer}:aud"] == "sts.amazonaws.com"
    assert "*" not in values[f"{issuer}:sub"]


# What Terraform's AWS provider takes, so far as our texts use it; `!` marks what it asks for, and a
# dictionary is a block. Its schema comes only from a running provider; Pulumi's is generated from
# it, so these are of `pulumi_aws/sagemaker` in pulumi-aws 7.51.1, with the provider's names for
# what repeats (hashicorp/terraform-provider-aws, internal/service/sagemaker).
VPC = {"subnets!": "", "security_group_ids!": ""}
CLUSTER = {"instance_count!": "", "instance_type!": "", "volume_size_in_gb!": ""}
VARIANT = {"variant_name": "", "model_name": "", "instance_type": "", "initial_instance_count": ""}
OWN = {"lifecycle": {"create_before_destroy": ""}}  # Terraform's own, in every resource
ARGUMENTS: dict[str, dict[str, Any]] = {
    "aws_sagemaker_model": {
        "execution_role_arn!": "",
        "enable_network_isolation": "",
        "primary_container": {"image": "", "model_data_url": ""},
        "vpc_config": VPC,
    },
    "aws_sagemaker_endpoint_configuration": {"name_prefix": "", "production_variants!": VARIANT},
    "aws_sagemaker_endpoint": {"name": "", "endpoint_config_name!": ""},
    "aws_sagemaker_data_quality_job_definition": {
        "role_arn!": "",
        "data_quality_app_specification!": {"image_uri!": ""},
        "data_quality_job_input!": {"endpoint_input": {"endpoint_name!": ""}},
        "data_quality_job_output_config!": {"monitoring_outputs!": {"s3_output!": {"s3_uri!": ""}}},
        "job_resources!": {"cluster_config!": CLUSTER},
        "network_config": {"enable_network_isolation": "", "vpc_config": VPC},
    },
}


def members(block: dict[str, Any]) -> dict[str, Any]:
    """Return what stands in a block, without what python-hcl2 adds."""
    return {key.strip('"'): item for key, item in block.items() if not key.startswith("__")}


def faults(where: str, takes: dict[str, Any], block: dict[str, Any]) -> Iterator[str]:
    """Yield what the provider would refuse in a block."""
    given, known = members(block), {name.rstrip("!"): takes[name] for name in takes}
    yield from (f"{where} lacks {n}" for n in takes if n.endswith("!") and n[:-1] not in given)
    for name, value in given.items():
        blocks = [one for one in value if "__is_block__" in one] if isinstance(value, list) else []
        if name not in known or bool(blocks) != isinstance(known[name], dict):
            yield f"{where} has no such {name}"
        else:
            yield from (f for one in blocks for f in faults(name, known[name], one))


@pytest.mark.parametrize("name", HCL)
def test_terraforms_provider_takes_it(name: str) -> None:
    for resource in hcl2.loads(HCL[name])["resource"]:
        for kind, named in members(resource).items():
            for block in members(named).values():
                assert list(faults(kind, ARGUMENTS[kind] | OWN, block)) == []
