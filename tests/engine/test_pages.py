"""The commands of pages, run as they stand by the AWS CLI against the embedded AWS."""

from pathlib import Path
from typing import Any

import pytest

from ..embedded import aws_cli, engine
from ..embedded.account import Region
from ..embedded.aws_cli import DOCS
from ..embedded.installation import CONFIG_CHECK
from ..embedded.server import EmbeddedAWS

pytestmark = pytest.mark.usefixtures("forked_aws_cli")


def test_the_audit_by_hand(aws: EmbeddedAWS, tmp_path: Path) -> None:
    region = Region(aws, "ap-southeast-3")
    vpc = region.vpc()
    values = {
        "model-name": "fraud",
        "vpc-id": vpc,
        "subnet-id-in-zone-a": region.subnet(vpc),
        "subnet-id-in-zone-b": region.subnet(vpc),
        "sg-id": region.group(vpc, "10.0.0.0/8"),
        "prefix-list-id": region.prefix_list("198.51.100.0/24"),
    }
    subnets = [values["subnet-id-in-zone-a"], values["subnet-id-in-zone-b"]]
    region.model("fraud", subnets, [values["sg-id"]])
    region.schedule("watch", subnets, [values["sg-id"]])
    values |= {"monitoring-schedule-name": "watch", "job-definition-name": "watch"}
    made = (DOCS / "auditor.md").read_text("utf-8").partition("\n## By hand\n")[2]
    printed = aws_cli.run(aws, region.name, aws_cli.commands_in(made), values, tmp_path)
    for answer, words in zip(
        printed,
        (
            ('"fraud"',),
            ('"EnableNetworkIsolation": true', *subnets, values["sg-id"]),
            (*subnets, vpc),
            ("Associations", "Routes"),
            (values["sg-id"], "10.0.0.0/8"),
            ("198.51.100.0/24",),
            ('"watch"',),
            ('"MonitoringJobDefinitionName": "watch"', '"MonitoringType": "DataQuality"'),
            ('"EnableNetworkIsolation": true', *subnets, values["sg-id"]),
        ),
        strict=True,
    ):
        assert all(word in answer for word in words), answer


SETTINGS: dict[str, Any] = {  # what CreateEndpointConfig takes besides the name and the variants
    "KmsKeyId": "alias/endpoint",
    "DataCaptureConfig": {
        "EnableCapture": True,
        "InitialSamplingPercentage": 10,
        "DestinationS3Uri": "s3://bucket/captured",
        "CaptureOptions": [{"CaptureMode": "Input"}],
    },
}


def test_a_configuration_for_components_is_replaced(aws: EmbeddedAWS, tmp_path: Path) -> None:
    page = (DOCS / "remediation.md").read_text("utf-8")
    section = page.partition("\n## Endpoint configurations for inference components\n")[2]
    commands = aws_cli.commands_in(section.partition("\n## ")[0])
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
    printed = aws_cli.run(aws, region.name, commands, values, tmp_path)
    assert printed[-1] == '"chat-config-2"'
    copied = sagemaker.describe_endpoint_config(EndpointConfigName="chat-config-2")
    assert {key: copied[key] for key in SETTINGS} == SETTINGS
    assert sagemaker.list_tags(ResourceArn=copied["EndpointConfigArn"])["Tags"] == tags
    found = engine.scan(aws, engine.provider(aws, region.name), (CONFIG_CHECK,), CONFIG_CHECK)
    assert {f.resource_id: f.status for f in found} == {
        "chat-config": "FAIL",
        "chat-config-2": "PASS",
    }
