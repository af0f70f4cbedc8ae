"""The metadata: valid for Prowler, the built-in's where scans rely on it, with code that works."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from prowler.lib.check.models import CheckMetadata
from prowler.lib.outputs.asff.asff import Recommendation

from ..embedded import aws_cli, engine
from ..embedded.account import Region
from ..embedded.cloudformation import decode, lint
from ..embedded.installation import (
    CHECK,
    CHECKS,
    CONFIG_CHECK,
    METADATA,
    ROOT,
    SCHEDULE_CHECK,
)
from ..embedded.server import EmbeddedAWS, change, on
from ..tools import terraform
from ..tools.frameworks import FOLDER, SOP, read


@pytest.fixture(scope="module")
def ours() -> dict[str, Any]:
    metadata: dict[str, Any] = json.loads(METADATA.read_text("utf-8"))
    return metadata


@pytest.fixture(scope="module")
def built_in(prowler: Path) -> dict[str, Any]:
    (path,) = prowler.glob(f"lib/python*/site-packages/prowler/**/{CHECK}.metadata.json")
    metadata: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return metadata


FILES = {check: ROOT / "checks" / check / f"{check}.metadata.json" for check in CHECKS}


@pytest.mark.parametrize("check", CHECKS)
def test_prowler_accepts_it(check: str) -> None:
    assert CheckMetadata.parse_file(FILES[check]).CheckID == check


@pytest.mark.parametrize("check", CHECKS)
def test_security_hub_shows_the_whole_recommendation(check: str) -> None:
    """Prowler's ASFF cuts off what is longer than Security Hub takes."""
    text = json.loads(FILES[check].read_text("utf-8"))["Remediation"]["Recommendation"]["Text"]
    assert Recommendation(Text=text).Text == text
    assert Recommendation(Text="x" * 513).Text != "x" * 513


@pytest.mark.parametrize(
    "key",
    ["Provider", "CheckID", "CheckType", "ServiceName", "Severity", "ResourceType", "Categories"],
)
def test_what_scans_select_by_is_the_built_ins(
    ours: dict[str, Any], built_in: dict[str, Any], key: str
) -> None:
    assert ours[key] == built_in[key]


def test_it_says_what_the_sop_asks_for(ours: dict[str, Any]) -> None:
    assert all(point in ours["Risk"] for point in ("security", "control", "compliance"))
    assert ours["Notes"].startswith("Default value:")
    assert "Rollback:" in ours["Notes"]
    assert "update-model" not in json.dumps(ours)


@pytest.mark.parametrize("check", CHECKS)
def test_it_says_what_is_not_judged(check: str) -> None:
    notes = json.loads(FILES[check].read_text("utf-8"))["Notes"]
    not_judged = notes.partition("Not judged: ")[2]
    for words in ("InvokeEndpoint, which IAM decides", "NAT gateway", "network ACLs"):
        assert words in not_judged


def fenced(text: str) -> str:
    """Return what stands in a fenced block of Markdown."""
    match = re.fullmatch(r"```\w+\n(.*)\n```", text, re.DOTALL)
    assert match
    return match[1]


@pytest.mark.slow
@pytest.mark.parametrize("check", CHECKS)
def test_the_cloudformation_is_clean(check: str) -> None:
    metadata = json.loads(FILES[check].read_text("utf-8"))
    template = fenced(metadata["Remediation"]["Code"]["NativeIaC"])
    named = re.sub(r"<(\w+?)>", lambda m: m[1].replace("_", "-"), template)
    assert lint(named, regions=["eu-west-1", "us-east-1"]) == []
    properties = next(iter(decode(named)["Resources"].values()))["Properties"]
    network = properties.get("NetworkConfig", properties)
    assert network["EnableNetworkIsolation"] is True
    assert len(network["VpcConfig"]["Subnets"]) == 2
    assert "# in one Availability Zone" in template


def test_the_terraform_is_what_the_provider_takes(ours: dict[str, Any]) -> None:
    code = fenced(ours["Remediation"]["Code"]["Terraform"])
    assert terraform.faults(code) == []
    assert "enable_network_isolation = true" in code
    # A model under a fixed name cannot be created before the old one is destroyed.
    assert not re.search(r"^\s+name\s*=", code, re.MULTILINE)
    assert code.count("create_before_destroy = true") == code.count("resource ") == 2
    assert re.findall(r"_in_(zone_.)>", code) == ["zone_a", "zone_b"]


def test_the_terraform_of_a_schedule_replaces_its_definition_first() -> None:
    metadata = json.loads(FILES[SCHEDULE_CHECK].read_text("utf-8"))
    code = fenced(metadata["Remediation"]["Code"]["Terraform"])
    assert terraform.faults(code) == []
    definition, schedule = re.split(r"(?=^resource )", code, flags=re.MULTILINE)[1:]
    assert "enable_network_isolation = true" in definition
    assert not re.search(r"^  name\s*=", definition, re.MULTILINE)
    assert "create_before_destroy = true" in definition
    assert "aws_sagemaker_data_quality_job_definition.isolated.name" in schedule


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        (
            "execution_role_arn  ",
            'name_prefix = "x"\n  execution_role_arn  ',
            "has no argument name_prefix",
        ),
        ("execution_role_arn ", "role ", "lacks execution_role_arn"),
        ("subnets =", "subnet_ids =", "vpc_config lacks subnets"),
        ("vpc_config {", "vpc_config = {", "vpc_config is a block, written without ="),
        ("lifecycle {", "life_cycle {", "has no argument life_cycle"),
        ("create_before_destroy", "create_first", "lifecycle has no argument create_first"),
        ("production_variants {", "production_variant {", "lacks production_variants"),
        ('"aws_sagemaker_model"', '"aws_sagemaker_models"', "is not in ARGUMENTS"),
    ],
)
def test_terraform_that_the_provider_refuses_is_seen(
    ours: dict[str, Any], before: str, after: str, fault: str
) -> None:
    code = fenced(ours["Remediation"]["Code"]["Terraform"])
    assert before in code
    assert any(fault in found for found in terraform.faults(code.replace(before, after)))


def test_terraforms_own_arguments_are_no_fault(ours: dict[str, Any]) -> None:
    code = fenced(ours["Remediation"]["Code"]["Terraform"])
    own = "count = 2\n  depends_on = [aws_iam_role.x]\n  provider = aws.west\n  "
    assert terraform.faults(code.replace("execution_role_arn ", f"{own}execution_role_arn ")) == []


SETTINGS: dict[str, Any] = {  # what CreateEndpointConfig takes besides the name and the variants
    "KmsKeyId": "alias/endpoint",
    "DataCaptureConfig": {
        "EnableCapture": True,
        "InitialSamplingPercentage": 10,
        "DestinationS3Uri": "s3://bucket/captured",
        "CaptureOptions": [{"CaptureMode": "Input"}],
    },
}


def variant(name: str, model: str) -> dict[str, Any]:
    """Return a variant as CreateEndpointConfig takes it."""
    return {
        "VariantName": name,
        "ModelName": model,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 2,
        "InitialVariantWeight": 1.0,
    }


def as_aws_describes_it(answer: dict[str, Any]) -> None:
    """Add what AWS adds to the answer of DescribeModel, and CreateModel does not take."""
    source = {"S3DataType": "S3Object", "CompressionType": "Gzip"}
    source["S3Uri"] = answer["PrimaryContainer"]["ModelDataUrl"]
    answer["PrimaryContainer"]["ModelDataSource"] = {"S3DataSource": source}
    answer["DeploymentRecommendation"] = {"RecommendationStatus": "NOT_APPLICABLE"}


@pytest.mark.slow
def test_the_cli_replaces_a_model_with_all_its_settings_and_rolls_back(
    ours: dict[str, Any], aws: EmbeddedAWS, tmp_path: Path, aws_cli_command: Path
) -> None:
    commands = ours["Remediation"]["Code"]["CLI"].splitlines()
    for command in commands:
        aws_cli.check(command)
    region = Region(aws, "me-central-1")
    sagemaker, vpc = region.sagemaker, region.vpc()
    container = {
        "Image": "image",
        "ModelDataUrl": "s3://bucket/model.tar.gz",
        "Environment": {"WORKERS": "2"},
    }
    tags = {"aws:cloudformation:stack-name": "serving", "team": "risk"}
    region.model("fraud", isolated=False, tags=tags, PrimaryContainer=container)
    region.model("other", isolated=False)
    config = sagemaker.create_endpoint_config(
        EndpointConfigName="fraud-config",
        ProductionVariants=[variant("one", "fraud"), variant("two", "other")],
        ShadowProductionVariants=[variant("shadow", "fraud")],
        Tags=[{"Key": "team", "Value": "risk"}],
        **SETTINGS,
    )
    sagemaker.create_endpoint(EndpointName="fraud", EndpointConfigName="fraud-config")
    values = {
        "model-name": "fraud",
        "model-arn": sagemaker.describe_model(ModelName="fraud")["ModelArn"],
        "new-model-name": "fraud-2",
        "subnet-id-in-zone-a": region.subnet(vpc),
        "subnet-id-in-zone-b": region.subnet(vpc),
        "sg-id": region.group(vpc),
        "endpoint-name": "fraud",
        "endpoint-config-name": "fraud-config",
        "endpoint-config-arn": config["EndpointConfigArn"],
        "new-endpoint-config-name": "fraud-config-2",
    }
    aws.calls.clear()
    with aws.failing(on("DescribeModel", ModelName="fraud")(change(as_aws_describes_it))):
        printed = aws_cli.run(aws, region.name, commands, values, tmp_path, aws_cli_command)
    assert printed[-1] == '"fraud-config-2"'

    made = sagemaker.describe_model(ModelName="fraud-2")
    assert made["PrimaryContainer"] == container
    assert made["EnableNetworkIsolation"] is True
    assert len(made["VpcConfig"]["Subnets"]) == 2
    copied = sagemaker.describe_endpoint_config(EndpointConfigName="fraud-config-2")
    models = [v["ModelName"] for v in copied["ProductionVariants"]]
    assert models == ["fraud-2", "other"]
    assert [v["ModelName"] for v in copied["ShadowProductionVariants"]] == ["fraud-2"]
    assert {key: copied[key] for key in SETTINGS} == SETTINGS
    # The description has it; AWS takes it only for inference components.
    (create,) = (call for call in aws.calls if call.api == "CreateEndpointConfig")
    assert "EnableNetworkIsolation" not in create.parameters
    for arn in (made["ModelArn"], copied["EndpointConfigArn"]):
        assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "risk"}]
    assert verdicts(aws, region) == {"fraud": "FAIL", "fraud-2": "PASS", "other": "FAIL"}

    framework = read(FOLDER / f"{SOP}.json")["Requirements"][0]["Attributes"][0]
    rollback = aws_cli.commands_in(framework["AdditionalInformation"])
    printed = aws_cli.run(aws, region.name, rollback, values, tmp_path, aws_cli_command)
    assert '"fraud-config"' in printed
    assert verdicts(aws, region) == {"fraud": "FAIL", "other": "FAIL"}
    updates = [call.parameters for call in aws.calls if call.api == "UpdateEndpoint"]
    assert len(updates) == 2
    assert all(update["RetainAllVariantProperties"] is True for update in updates)
    names = [c["EndpointConfigName"] for c in sagemaker.list_endpoint_configs()["EndpointConfigs"]]
    assert names == ["fraud-config"]


@pytest.mark.slow
def test_the_cli_replaces_a_configuration_for_components(
    aws: EmbeddedAWS, tmp_path: Path, aws_cli_command: Path
) -> None:
    metadata = json.loads(FILES[CONFIG_CHECK].read_text("utf-8"))
    commands = metadata["Remediation"]["Code"]["CLI"].splitlines()
    for command in commands:
        aws_cli.check(command)
    region = Region(aws, "ca-west-1")
    sagemaker, vpc = region.sagemaker, region.vpc()
    tags = [{"Key": "team", "Value": "risk"}]
    region.components("chat-config", isolated=False, Tags=tags, **SETTINGS)
    sagemaker.create_endpoint(EndpointName="chat", EndpointConfigName="chat-config")
    described = sagemaker.describe_endpoint_config(EndpointConfigName="chat-config")
    values = {
        "subnet-id-in-zone-a": region.subnet(vpc),
        "subnet-id-in-zone-b": region.subnet(vpc),
        "sg-id": region.group(vpc),
        "endpoint-name": "chat",
        "endpoint-config-name": "chat-config",
        "endpoint-config-arn": described["EndpointConfigArn"],
        "new-endpoint-config-name": "chat-config-2",
    }
    printed = aws_cli.run(aws, region.name, commands, values, tmp_path, aws_cli_command)
    assert printed[-1] == '"chat-config-2"'
    copied = sagemaker.describe_endpoint_config(EndpointConfigName="chat-config-2")
    assert {key: copied[key] for key in SETTINGS} == SETTINGS
    assert sagemaker.list_tags(ResourceArn=copied["EndpointConfigArn"])["Tags"] == tags
    made = engine.provider(aws, region.name)
    found = engine.scan(aws, made, (CONFIG_CHECK,), CONFIG_CHECK)
    assert {f.resource_id: f.status for f in found} == {
        "chat-config": "FAIL",
        "chat-config-2": "PASS",
    }


def test_terraforms_provider_has_no_isolation_for_a_configuration() -> None:
    """So the metadata has no Terraform for it; when this fails, it can have one."""
    metadata = json.loads(FILES[CONFIG_CHECK].read_text("utf-8"))
    assert metadata["Remediation"]["Code"]["Terraform"] == ""
    resource = 'resource "aws_sagemaker_endpoint_configuration" "x"'
    code = f"{resource} {{\n  enable_network_isolation = true\n}}"
    assert any("no argument enable_network_isolation" in fault for fault in terraform.faults(code))


def verdicts(aws: EmbeddedAWS, region: Region) -> dict[str, str]:
    """Return the check's verdict on each model of a region."""
    findings = engine.scan(aws, engine.provider(aws, region.name))
    return {finding.resource_id: finding.status for finding in findings}
