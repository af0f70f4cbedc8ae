"""HCL, as our texts show it, has the arguments that Terraform's AWS provider takes.

The provider's schema comes only from a running provider. Pulumi's is generated from it, so the
arguments here are those of `pulumi_aws/sagemaker` in pulumi-aws 7.51.1, with the provider's names
for what repeats (hashicorp/terraform-provider-aws, internal/service/sagemaker).
"""

import re
from collections.abc import Iterator
from typing import Any

import hcl2
import pytest

from ..embedded.installation import CHECK, CHECKS, CONFIG_CHECK, ROOT, SCHEDULE_CHECK
from .test_metadata import code_of

DEFINITION = "aws_sagemaker_data_quality_job_definition"
SCHEDULE = "aws_sagemaker_monitoring_schedule"
# What a resource or a block takes; `!` marks what it must have. A block that our texts come to use
# needs a row.
ARGUMENTS = {
    DEFINITION: """
        data_quality_app_specification! data_quality_job_input! data_quality_job_output_config!
        job_resources! role_arn! data_quality_baseline_config name network_config region
        stopping_condition tags""",
    f"{DEFINITION}.data_quality_app_specification": """
        image_uri! environment post_analytics_processor_source_uri
        record_preprocessor_source_uri""",
    f"{DEFINITION}.data_quality_job_input": "batch_transform_input endpoint_input",
    f"{DEFINITION}.data_quality_job_input.endpoint_input": """
        endpoint_name! local_path s3_data_distribution_type s3_input_mode""",
    f"{DEFINITION}.data_quality_job_output_config": "monitoring_outputs! kms_key_id",
    f"{DEFINITION}.data_quality_job_output_config.monitoring_outputs": "s3_output!",
    f"{DEFINITION}.data_quality_job_output_config.monitoring_outputs.s3_output": """
        s3_uri! local_path s3_upload_mode""",
    f"{DEFINITION}.job_resources": "cluster_config!",
    f"{DEFINITION}.job_resources.cluster_config": """
        instance_count! instance_type! volume_size_in_gb! volume_kms_key_id""",
    f"{DEFINITION}.network_config": """
        enable_inter_container_traffic_encryption enable_network_isolation vpc_config""",
    f"{DEFINITION}.network_config.vpc_config": "security_group_ids! subnets!",
    "aws_sagemaker_endpoint": "endpoint_config_name! deployment_config name region tags",
    "aws_sagemaker_endpoint_configuration": """
        production_variants! async_inference_config data_capture_config execution_role_arn
        kms_key_arn name name_prefix region shadow_production_variants tags""",
    "aws_sagemaker_endpoint_configuration.production_variants": """
        accelerator_type capacity_reservation_config
        container_startup_health_check_timeout_in_seconds core_dump_config enable_ssm_access
        inference_ami_version initial_instance_count initial_variant_weight instance_type
        managed_instance_scaling model_data_download_timeout_in_seconds model_name routing_config
        serverless_config variant_name volume_size_in_gb""",
    "aws_sagemaker_model": """
        execution_role_arn! container enable_network_isolation inference_execution_config name
        primary_container region tags vpc_config""",
    "aws_sagemaker_model.primary_container": """
        additional_model_data_source container_hostname environment image image_config
        inference_specification_name mode model_data_source model_data_url model_package_name
        multi_model_config""",
    "aws_sagemaker_model.vpc_config": "security_group_ids! subnets!",
    SCHEDULE: "monitoring_schedule_config! name region tags",
    f"{SCHEDULE}.monitoring_schedule_config": """
        monitoring_type! monitoring_job_definition monitoring_job_definition_name
        schedule_config""",
    f"{SCHEDULE}.monitoring_schedule_config.schedule_config": "schedule_expression!",
    # Terraform's own, in every resource.
    "lifecycle": "create_before_destroy ignore_changes prevent_destroy replace_triggered_by",
}
OWN = ["count", "depends_on", "for_each", "lifecycle", "provider"]


def faults(code: str) -> list[str]:
    """Return what the AWS provider would refuse in HCL, a sentence for each; [] for none.

    Args:
        code: Resources, and data sources, which are not looked at.

    Raises:
        lark.exceptions.LarkError: It is no HCL.
    """
    return [
        fault
        for block in hcl2.loads(code).get("resource", [])
        for kind, resources in members(block)
        for _, resource in members(resources)
        for fault in faults_of(kind.strip('"'), resource)
    ]


def faults_of(where: str, block: dict[str, Any]) -> Iterator[str]:
    """Yield what is wrong with a block, given its name in `ARGUMENTS` and its content."""
    if where not in ARGUMENTS:
        yield f"{where} is not in ARGUMENTS"
        return
    names, given = ARGUMENTS[where].split(), dict(members(block))
    required = [name[:-1] for name in names if name.endswith("!")]
    known = {name.rstrip("!") for name in names} | set(OWN if "." not in where else ())
    yield from (f"{where} lacks {name}" for name in required if name not in given)
    yield from (f"{where} has no argument {name}" for name in given if name not in known)
    for name, value in given.items():
        nested = name if name in OWN else f"{where}.{name}"
        if isinstance(value, list) and any("__is_block__" in item for item in value):
            for item in value:
                yield from faults_of(nested, item)
        elif nested in ARGUMENTS:
            yield f"{nested} is a block, written without ="


def members(block: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield what stands in a block, without what python-hcl2 adds."""
    return ((key, value) for key, value in block.items() if not key.startswith("__"))


CODE = {check: code_of(check, "Terraform") for check in CHECKS}
CODE["model.tf"] = (ROOT / "docs" / "remediation" / "model.tf").read_text("utf-8")


@pytest.mark.parametrize("name", CODE)
def test_the_provider_takes_it(name: str) -> None:
    assert faults(CODE[name]) == []


def test_that_of_a_model_isolates_it_in_two_zones() -> None:
    assert "enable_network_isolation = true" in CODE[CHECK]
    # A model under a fixed name cannot be created before the old one is destroyed.
    assert not re.search(r"^\s+name\s*=", CODE[CHECK], re.MULTILINE)
    assert re.findall(r"_in_(zone_.)>", CODE[CHECK]) == ["zone_a", "zone_b"]


def test_that_of_a_schedule_replaces_its_definition_first() -> None:
    code = CODE[SCHEDULE_CHECK]
    assert "enable_network_isolation = true" in code
    assert not re.search(r"^  name\s*=", code, re.MULTILINE)
    assert "create_before_destroy = true" in code


def test_the_provider_has_no_isolation_for_an_endpoint_configuration() -> None:
    """So the metadata has no Terraform for it; when this fails, it can have one."""
    assert CODE[CONFIG_CHECK] == ""
    resource = 'resource "aws_sagemaker_endpoint_configuration" "x"'
    code = f"{resource} {{\n  enable_network_isolation = true\n}}"
    assert any("no argument enable_network_isolation" in fault for fault in faults(code))


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ("execution_role_arn ", "role ", "lacks execution_role_arn"),
        ("subnets ", "subnet_ids ", "vpc_config has no argument subnet_ids"),
        ("vpc_config {", "vpc_config = {", "vpc_config is a block, written without ="),
        ('"aws_sagemaker_model"', '"aws_sagemaker_models"', "is not in ARGUMENTS"),
    ],
)
def test_what_the_provider_refuses_is_seen(before: str, after: str, fault: str) -> None:
    assert before in CODE[CHECK]
    assert any(fault in words for words in faults(CODE[CHECK].replace(before, after)))
