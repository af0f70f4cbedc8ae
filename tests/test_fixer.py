"""The fixer: what it makes, what it leaves, its way back, and every fault on its way."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from moto.sagemaker.models import sagemaker_backends
from prowler.lib.check.check import import_check
from werkzeug.wrappers import Response

from . import embedded_aws, engine
from .account import ACCOUNT, EVERYWHERE, ROLE, Region
from .embedded_aws import Answer, Call, EmbeddedAWS, Fault, change, error, on, refuse
from .faults import reset
from .installation import CHECK, access

REGION = "ap-east-1"
numbers = count()

# Every member of CreateEndpointConfig that goes with variants that name a model.
CAPTURE = {
    "EnableCapture": True,
    "InitialSamplingPercentage": 50,
    "DestinationS3Uri": "s3://bucket/capture",
    "KmsKeyId": "capture-key",
    "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
    "CaptureContentTypeHeader": {"JsonContentTypes": ["application/json"]},
}
ASYNCHRONOUS = {
    "ClientConfig": {"MaxConcurrentInvocationsPerInstance": 2},
    "OutputConfig": {
        "S3OutputPath": "s3://bucket/out",
        "NotificationConfig": {"ErrorTopic": "arn:aws:sns:ap-east-1:123456789012:errors"},
    },
}
EXPLAINER = {
    "ClarifyExplainerConfig": {
        "ShapConfig": {"ShapBaselineConfig": {"MimeType": "text/csv", "ShapBaseline": "1,2"}}
    }
}


@dataclass
class Case:
    """A model of its own for one test, and an endpoint that serves it.

    Attributes:
        aws: The embedded AWS.
        region: Makes things there.
        name: The model, its endpoint and its endpoint configuration.
        output: Where the way back is written to.
        sound: A VpcConfig that is private and controlled.
    """

    aws: EmbeddedAWS
    region: Region
    name: str
    output: Path
    sound: dict[str, list[str]]

    @property
    def sagemaker(self) -> Any:
        return self.region.sagemaker

    def model(self, name: str = "", **parameters: Any) -> None:
        """Create a model without isolation, in the sound network unless told otherwise."""
        given = {"VpcConfig": self.sound, **parameters}
        self.region.model(name or self.name, isolated=False, **given)

    def endpoint(self, *variants: dict[str, Any], model: str = "", **parameters: Any) -> None:
        """Create an endpoint, whose variant is of the case's model unless told otherwise."""
        self.sagemaker.create_endpoint_config(
            EndpointConfigName=self.name,
            ProductionVariants=list(variants) or [variant("one", model or self.name)],
            **parameters,
        )
        self.sagemaker.create_endpoint(EndpointName=self.name, EndpointConfigName=self.name)

    def fix(self, **settings: Any) -> tuple[bool, list[str]]:
        """Run the fixer on the model."""
        return engine.fix(self.aws, self.name, self.region.name, self.output, settings)

    def serves_by(self) -> tuple[str, str]:
        """Return the endpoint's status and configuration."""
        endpoint = self.sagemaker.describe_endpoint(EndpointName=self.name)
        return endpoint["EndpointStatus"], endpoint["EndpointConfigName"]

    def names(self) -> tuple[list[str], list[str]]:
        """Return the names of the models and endpoint configurations of the case."""
        models = self.sagemaker.list_models(NameContains=self.name)["Models"]
        configs = self.sagemaker.list_endpoint_configs(NameContains=self.name)["EndpointConfigs"]
        return (
            sorted(model["ModelName"] for model in models),
            sorted(config["EndpointConfigName"] for config in configs),
        )

    def files(self) -> list[Path]:
        """Return the files with the way back, the latest first."""
        paths = self.output.glob("*.sh")
        return sorted(paths, key=lambda path: path.stat().st_mtime_ns, reverse=True)

    def go_back(self, *files: Path) -> None:
        """Run the files with the way back, the latest first, with the real AWS CLI.

        A command of a run that was killed may name what that run did not come to make.
        """
        for path in files or self.files():
            subprocess.run(
                ["/bin/sh", str(path)],
                env={"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", **access(self.aws)},
                capture_output=True,
                check=False,
            )


def variant(name: str, model: str, **parameters: Any) -> dict[str, Any]:
    return {
        "VariantName": name,
        "ModelName": model,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
        "InitialVariantWeight": 1.0,
        **parameters,
    }


@pytest.fixture(scope="session")
def region(aws: EmbeddedAWS) -> Region:
    return Region(aws, REGION)


@pytest.fixture(scope="session")
def sound(region: Region) -> dict[str, list[str]]:
    vpc = region.vpc()
    subnets = [region.subnet(vpc), region.subnet(vpc)]
    return {"Subnets": subnets, "SecurityGroupIds": [region.group(vpc, "10.0.0.0/8")]}


@pytest.fixture(scope="session")
def public(region: Region) -> dict[str, list[str]]:
    vpc = region.vpc()
    gateway = region.internet_gateway(vpc)
    route = {"DestinationCidrBlock": EVERYWHERE, "GatewayId": gateway}
    return {
        "Subnets": [region.subnet(vpc, region.table(vpc, route))],
        "SecurityGroupIds": [region.group(vpc)],
    }


@pytest.fixture
def case(
    aws: EmbeddedAWS, region: Region, sound: dict[str, list[str]], tmp_path: Path
) -> Iterator[Case]:
    yield Case(aws, region, f"model{next(numbers)}", tmp_path, sound)
    # The fixer looks at every endpoint of the region.
    for endpoint in region.sagemaker.list_endpoints()["Endpoints"]:
        region.sagemaker.delete_endpoint(EndpointName=endpoint["EndpointName"])


def inference_component(model: str) -> list[Fault]:
    """Return AWS's answers about an inference component of a model; moto has none."""
    component = {"InferenceComponentName": "component", "EndpointName": "endpoint"}
    described = json.dumps({**component, "Specification": {"ModelName": model}})
    return [
        on("ListInferenceComponents", REGION)(
            change(lambda answer: answer.update(InferenceComponents=[component]))
        ),
        on("DescribeInferenceComponent", REGION)(
            lambda _, __: Response(described, content_type="application/x-amz-json-1.1")
        ),
    ]


def text(printed: list[str]) -> str:
    return "\n".join(printed)


# What is made.


def test_by_default_a_model_is_made_and_nothing_that_exists_is_changed(case: Case) -> None:
    containers = [
        {"Image": "one", "ContainerHostname": "first", "Environment": {"a": "b"}},
        {"Image": "two", "ModelDataUrl": "s3://bucket/two.tar.gz", "Mode": "SingleModel"},
    ]
    case.model(
        Containers=containers,
        InferenceExecutionConfig={"Mode": "Direct"},
        tags={"team": "risk", "aws:cloudformation:stack-name": "serving"},
    )
    case.endpoint()
    case.aws.calls.clear()
    done, printed = case.fix()
    assert done
    changed = {call.api for call in case.aws.calls if not call.api.startswith(("List", "Describe"))}
    assert changed == {"CreateModel", "GetCallerIdentity"}

    made = case.sagemaker.describe_model(ModelName=f"{case.name}-isolated")
    assert made["EnableNetworkIsolation"] is True
    assert made["VpcConfig"] == case.sound
    assert made["Containers"] == containers
    assert made["InferenceExecutionConfig"] == {"Mode": "Direct"}
    assert made["ExecutionRoleArn"] == ROLE
    assert not made.get("PrimaryContainer")
    tags = case.sagemaker.list_tags(ResourceArn=made["ModelArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "risk"}]
    assert case.serves_by() == ("InService", case.name)
    assert "CloudFormation stack serving made this model" in text(printed)
    assert f"{case.name} will go on to serve {case.name}; MoveEndpoints: true" in text(printed)
    assert f"delete-model --region {REGION} --model-name {case.name}-isolated" in text(printed)

    again, printed = case.fix()
    assert again
    assert f"Model {case.name}-isolated is there already" in text(printed)
    assert case.names()[0] == [case.name, f"{case.name}-isolated"]


def test_an_artifact_that_aws_names_twice_is_given_once(case: Case) -> None:
    url = "s3://bucket/model.tar.gz"
    case.model(PrimaryContainer={"Image": "image", "ModelDataUrl": url})

    def twice(answer: dict[str, Any]) -> None:
        source = {"S3Uri": url, "S3DataType": "S3Object", "CompressionType": "Gzip"}
        answer["PrimaryContainer"]["ModelDataSource"] = {"S3DataSource": source}

    with case.aws.failing(on("DescribeModel", ModelName=case.name)(change(twice))):
        assert case.fix()[0]
    made = case.sagemaker.describe_model(ModelName=f"{case.name}-isolated")
    assert made["PrimaryContainer"] == {"Image": "image", "ModelDataUrl": url}


def test_a_name_that_is_taken_is_left_alone(case: Case) -> None:
    case.model()
    case.endpoint()
    case.region.model(f"{case.name}-isolated", PrimaryContainer={"Image": "another"})
    case.sagemaker.create_endpoint_config(
        EndpointConfigName=f"{case.name}-isolated",
        ProductionVariants=[variant("one", f"{case.name}-isolated")],
    )
    assert case.fix(MoveEndpoints=True)[0]
    expected = [case.name, *(f"{case.name}-isolated{n}" for n in ("", "-2"))]
    assert case.names() == (expected, expected)
    assert case.serves_by() == ("InService", f"{case.name}-isolated-2")


def test_long_names_are_cut_to_what_aws_takes(case: Case) -> None:
    case.name = case.name.ljust(62, "x") + "y"
    case.model()
    case.endpoint()
    assert case.fix(MoveEndpoints=True)[0]
    models, configs = case.names()
    made = case.sagemaker.list_models(NameContains=case.name[:40])["Models"]
    (new,) = {model["ModelName"] for model in made} - {case.name}
    assert new == case.name[:54] + "-isolated"
    assert len(new) == 63
    assert case.serves_by() == ("InService", new)
    assert (models, configs) == ([case.name], [case.name])


def test_the_configured_network_is_used_where_the_own_one_is_not_sound(
    case: Case, public: dict[str, list[str]]
) -> None:
    case.model(VpcConfig=public)
    refused, printed = case.fix()
    assert not refused
    assert f"subnet {public['Subnets'][0]} is public" in text(printed)
    assert f"Name subnets and security groups for {REGION}" in text(printed)

    refused, printed = case.fix(VpcConfig={REGION: public})
    assert not refused
    assert "The VpcConfig for ap-east-1 in the fixer configuration is not private" in text(printed)

    mixed = {**case.sound, "SecurityGroupIds": public["SecurityGroupIds"]}
    refused, printed = case.fix(VpcConfig={REGION: mixed})
    assert not refused
    assert "its subnets and security groups are of vpc-" in text(printed)
    assert case.names()[0] == [case.name]

    assert case.fix(VpcConfig={REGION: case.sound})[0]
    made = case.sagemaker.describe_model(ModelName=f"{case.name}-isolated")
    assert made["VpcConfig"] == case.sound


def test_one_subnet_is_used_and_aws_asks_for_two(case: Case) -> None:
    case.model(VpcConfig={**case.sound, "Subnets": case.sound["Subnets"][:1]})
    done, printed = case.fix()
    assert done
    assert "AWS asks for two subnets, in two Availability Zones" in text(printed)


def test_a_network_that_cannot_be_read_is_not_sound(case: Case) -> None:
    case.model()
    with case.aws.failing(on("DescribeRouteTables", REGION)(refuse)):
        done, printed = case.fix()
    assert not done
    assert "allow ec2:DescribeRouteTables" in text(printed)
    assert case.names()[0] == [case.name]


# Endpoints.


def test_a_moved_endpoint_keeps_all_its_settings(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(embedded_aws.looks, "until updated", 1)
    case.model()
    case.model(f"other-{case.name}")
    case.endpoint(
        variant(
            "one", case.name, VolumeSizeInGB=20, ContainerStartupHealthCheckTimeoutInSeconds=60
        ),
        variant("two", f"other-{case.name}"),
        ShadowProductionVariants=[variant("shadow", case.name)],
        DataCaptureConfig=CAPTURE,
        AsyncInferenceConfig=ASYNCHRONOUS,
        ExplainerConfig=EXPLAINER,
        KmsKeyId="volume-key",
        Tags=[{"Key": "team", "Value": "risk"}, {"Key": "aws:x", "Value": "y"}],
    )
    before = case.sagemaker.describe_endpoint_config(EndpointConfigName=case.name)
    weights = [{"VariantName": "one", "DesiredInstanceCount": 7}]
    case.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=case.name, DesiredWeightsAndCapacities=weights
    )
    sagemaker_backends[ACCOUNT][REGION].endpoints[case.name].endpoint_status = "InService"

    done, printed = case.fix(MoveEndpoints=True)
    assert done
    assert case.serves_by() == ("InService", f"{case.name}-isolated")
    after = case.sagemaker.describe_endpoint_config(EndpointConfigName=f"{case.name}-isolated")
    about = ("EndpointConfigName", "EndpointConfigArn", "CreationTime", "ResponseMetadata")
    expected = json.loads(
        json.dumps({k: v for k, v in before.items() if k not in about}).replace(
            f'"ModelName": "{case.name}"', f'"ModelName": "{case.name}-isolated"'
        )
    )
    assert {k: v for k, v in after.items() if k not in about} == expected
    tags = case.sagemaker.list_tags(ResourceArn=after["EndpointConfigArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "risk"}]
    endpoint = case.sagemaker.describe_endpoint(EndpointName=case.name)
    assert endpoint["ProductionVariants"][0]["DesiredInstanceCount"] == 7
    assert f"Endpoint {case.name} is Updating after 0 s." in printed

    again, printed = case.fix(MoveEndpoints=True)
    assert again
    assert case.names() == (
        sorted([case.name, f"{case.name}-isolated", f"other-{case.name}"]),
        [case.name, f"{case.name}-isolated"],
    )


def test_two_models_of_one_endpoint_leave_it_one_after_the_other(case: Case) -> None:
    other = f"other-{case.name}"
    case.model()
    case.model(other)
    case.endpoint(variant("one", case.name), variant("two", other))
    assert case.fix(MoveEndpoints=True)[0]
    assert engine.fix(case.aws, other, REGION, case.output, {"MoveEndpoints": True})[0]
    status, config = case.serves_by()
    assert (status, config) == ("InService", f"{case.name}-isolated-isolated")
    variants = case.sagemaker.describe_endpoint_config(EndpointConfigName=config)
    assert [v["ModelName"] for v in variants["ProductionVariants"]] == [
        f"{case.name}-isolated",
        f"{other}-isolated",
    ]
    case.go_back()
    assert case.serves_by() == ("InService", case.name)
    assert case.names() == (sorted([case.name, other]), [case.name])


def test_a_deployment_with_alarms_is_kept(case: Case) -> None:
    case.model()
    case.endpoint()
    alarms = {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "errors"}]}}
    last = on("DescribeEndpoint", EndpointName=case.name)(
        change(lambda answer: answer.update(LastDeploymentConfig=alarms))
    )
    with case.aws.failing(last):
        case.aws.calls.clear()
        done, printed = case.fix(MoveEndpoints=True)
    assert done
    (update,) = (call for call in case.aws.calls if call.api == "UpdateEndpoint")
    assert update.parameters["RetainDeploymentConfig"] is True
    assert "--retain-deployment-config" in text(printed)


@pytest.mark.parametrize(
    ("image", "status", "words"),
    [
        ("needs-network", "InService", "so it is back at"),
        ("needs-network-mixed", "InService", "Bringing it back"),
        ("needs-network-broken", "Failed", "A Failed endpoint can only be deleted"),
    ],
)
def test_an_endpoint_that_does_not_start_is_brought_back(
    case: Case, image: str, status: str, words: str
) -> None:
    case.model(PrimaryContainer={"Image": image})
    case.endpoint()
    done, printed = case.fix(MoveEndpoints=True)
    assert not done
    assert case.serves_by() == (status, case.name)
    assert words in text(printed)
    assert "ping health check" in text(printed)
    assert ("update-endpoint" in text(printed)) == (status == "Failed")


def test_an_endpoint_that_is_busy_is_left_alone_and_the_others_are_moved(case: Case) -> None:
    case.model()
    case.endpoint()
    busy = f"busy-{case.name}"
    case.sagemaker.create_endpoint(EndpointName=busy, EndpointConfigName=case.name)
    updating = on("DescribeEndpoint", EndpointName=busy)(
        change(lambda answer: answer.update(EndpointStatus="SystemUpdating"))
    )
    with case.aws.failing(updating):
        done, printed = case.fix(MoveEndpoints=True)
    assert not done
    assert f"Endpoint {busy} is SystemUpdating, so it is left as it is." in text(printed)
    assert case.serves_by() == ("InService", f"{case.name}-isolated")
    assert case.fix(MoveEndpoints=True)[0]


def test_an_endpoint_without_its_configuration_is_named(case: Case) -> None:
    case.model()
    case.endpoint()
    gone = f"gone-{case.name}"
    case.sagemaker.create_endpoint_config(
        EndpointConfigName=gone, ProductionVariants=[variant("one", case.name)]
    )
    case.sagemaker.create_endpoint(EndpointName=gone, EndpointConfigName=gone)
    case.sagemaker.delete_endpoint_config(EndpointConfigName=gone)
    done, printed = case.fix(MoveEndpoints=True)
    assert not done
    assert f"Whether endpoint {gone} serves {case.name} is not known." in text(printed)
    assert case.serves_by() == ("InService", f"{case.name}-isolated")
    case.sagemaker.delete_endpoint_config(EndpointConfigName=case.name)
    done, printed = case.fix(DeleteOldModels=True)
    assert done
    assert f"kept for endpoint {gone}, whose configuration cannot be read" in text(printed)


# Deleting the old model.


def test_the_old_model_is_deleted_when_nothing_names_it(case: Case) -> None:
    case.model(tags={"team": "risk"})
    case.endpoint()
    settings = {"MoveEndpoints": True, "DeleteOldModels": True}
    done, printed = case.fix(**settings)
    assert done
    assert f"Model {case.name} is kept for endpoint configuration {case.name}." in text(printed)

    case.sagemaker.delete_endpoint_config(EndpointConfigName=case.name)
    job = f"job-{case.name}"
    case.sagemaker.create_transform_job(
        TransformJobName=job,
        ModelName=case.name,
        TransformInput={},
        TransformOutput={},
        TransformResources={},
    )
    running = sagemaker_backends[ACCOUNT][REGION].transform_jobs[job]
    for status in ("InProgress", "Stopping"):
        running.transform_job_status = status
        done, printed = case.fix(**settings)
        assert f"Model {case.name} is kept for transform job {job}." in text(printed)
    running.transform_job_status = "Completed"

    with case.aws.failing(*inference_component(case.name)):
        done, printed = case.fix(**settings)
    assert f"Model {case.name} is kept for inference component component." in text(printed)

    before = case.sagemaker.describe_model(ModelName=case.name)
    done, printed = case.fix(**settings)
    assert done
    assert case.names()[0] == [f"{case.name}-isolated"]
    assert case.files()[0].stat().st_mode & 0o077 == 0
    case.go_back(case.files()[0])
    after = case.sagemaker.describe_model(ModelName=case.name)
    about = ("CreationTime", "ResponseMetadata")
    assert [{k: v for k, v in m.items() if k not in about} for m in (after,)] == [
        {k: v for k, v in before.items() if k not in about}
    ]
    assert case.sagemaker.list_tags(ResourceArn=after["ModelArn"])["Tags"]


# The dry run, and settings that are not understood.


def test_a_dry_run_shows_the_same_and_changes_nothing(case: Case) -> None:
    case.model()
    case.endpoint()
    settings = {"MoveEndpoints": True, "DeleteOldModels": True}
    case.aws.calls.clear()
    done, dry = case.fix(DryRun=True, **settings)
    assert not done
    calls = {c.api for c in case.aws.calls}
    assert all(api.startswith(("List", "Describe", "Get")) for api in calls), calls
    assert not list(case.output.glob("*"))
    _, wet = case.fix(**settings)

    def plan(printed: list[str]) -> list[str]:
        progress = ("Dry run", "The way back", f"Endpoint {case.name} ")
        return [line for line in printed if not line.startswith(progress)]

    assert plan(dry) == plan(wet)
    assert "The way back would be:" in dry
    assert len(plan(dry)) == 8


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("yes", "is to be a list of settings"),
        ({"Dryrun": True}, ".Dryrun in the fixer configuration is unknown; there are DryRun"),
        ({"DryRun": "no"}, "is 'no'; it is to be true or false"),
        ({"MoveEndpoints": None}, "is None; it is to be true or false"),
        ({"VpcConfig": {"Subnets": ["subnet-1"]}}, "is to name regions"),
        ({"VpcConfig": {REGION: {"Subnets": ["subnet-1"]}}}, "is to name regions"),
        ({"VpcConfig": {REGION: {"Subnets": [], "SecurityGroupIds": ["sg-1"]}}}, "regions"),
        ({"VpcConfig": {REGION: {"Subnets": ["sg-1"], "SecurityGroupIds": ["sg-1"]}}}, "regions"),
        ({"VpcConfig": {REGION: {"Subnets": "subnet-1", "SecurityGroupIds": "sg-1"}}}, "regions"),
    ],
)
def test_settings_that_are_not_understood_change_nothing(
    case: Case, settings: Any, words: str
) -> None:
    case.model()
    done, printed = engine.fix(case.aws, case.name, REGION, case.output, settings)
    assert not done
    assert words in text(printed)
    assert case.names()[0] == [case.name]


# Limits, each said in a sentence.


@pytest.mark.parametrize(
    ("parameters", "done", "words"),
    [
        (
            {"Image": "1.dkr.ecr.ap-east-1.amazonaws.com/sagemaker-chainer:5-cpu"},
            False,
            "AWS does not support network isolation for it",
        ),
        (
            {"Image": "1.dkr.ecr.ap-east-1.amazonaws.com/sagemaker-rl-vw-container:1"},
            False,
            "AWS does not support network isolation for it",
        ),
        ({"ModelPackageName": "arn:aws:sagemaker:ap-east-1:1:model-package/x"}, True, "only"),
        ({"Image": "i", "Environment": {"HF_MODEL_ID": "gpt2"}}, True, "Hugging Face Hub"),
        ({"Image": "i", "ImageConfig": {"RepositoryAccessMode": "Vpc"}}, True, "through the VPC"),
    ],
)
def test_limits_of_containers(
    case: Case, parameters: dict[str, Any], done: bool, words: str
) -> None:
    case.model(PrimaryContainer=parameters)
    result, printed = case.fix()
    assert result is done
    assert words in text(printed)
    assert (f"{case.name}-isolated" in case.names()[0]) is done


def test_serverless_endpoints_are_left_alone(case: Case) -> None:
    case.model()
    serverless = {
        "VariantName": "one",
        "ModelName": case.name,
        "ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1},
    }
    case.endpoint(serverless)
    done, printed = case.fix(MoveEndpoints=True)
    assert not done
    note, made = (
        next(i for i, line in enumerate(printed) if words in line)
        for words in ("is serverless, so it cannot be moved", "Creating model")
    )
    assert note < made
    assert case.serves_by() == ("InService", case.name)


def test_a_role_that_may_not_be_passed(case: Case) -> None:
    case.model()
    message = f"User: u is not authorized to perform: iam:PassRole on resource: {ROLE}"
    with case.aws.failing(on("CreateModel")(error("AccessDeniedException", message))):
        done, printed = case.fix()
    assert not done
    assert ROLE in text(printed)
    assert "Allow iam:PassRole on that role" in text(printed)
    assert "The way back" not in text(printed)


def test_a_folder_that_cannot_be_written_to(case: Case) -> None:
    case.model()
    case.output = case.output / "file"
    case.output.write_text("")
    done, printed = case.fix()
    assert not done
    assert "The file for the way back cannot be written" in text(printed)
    assert case.names()[0] == [case.name]


# Faults at every call, and interruptions.

READS = (
    "DescribeModel",
    "ListTags",
    "ListModels",
    "ListEndpoints",
    "DescribeEndpoint",
    "DescribeEndpointConfig",
    "ListEndpointConfigs",
)
CHANGES = ("CreateModel", "CreateEndpointConfig", "UpdateEndpoint")


def answer_lost(call: Call, answer: Answer) -> Response | None:
    """A fault: AWS does what it is asked, and answers that it did not."""
    answer()
    return error("InternalFailure", status=500)(call, answer)


def reset_after(call: Call, answer: Answer) -> Response:
    """A fault: AWS does what it is asked, and the connection is closed without an answer."""
    answer()
    return reset(call, answer)


WAYS: dict[str, Fault] = {
    "refused": refuse,
    "invalid": error("ValidationException"),
    "server error": error("InternalFailure", status=500),
    "answer lost": answer_lost,
    "reset": reset,
    "reset after": reset_after,
}


@pytest.mark.parametrize(
    ("api", "way"),
    [
        *product(CHANGES, WAYS),
        *product(READS, ("refused", "server error", "reset")),
    ],
)
def test_a_fault_leaves_the_endpoint_serving_and_the_next_run_finishes(
    case: Case, api: str, way: str
) -> None:
    case.model()
    case.endpoint()
    with case.aws.failing(on(api, REGION)(WAYS[way])):
        done, printed = case.fix(MoveEndpoints=True)
    status, config = case.serves_by()
    made = api in CHANGES and way in ("answer lost", "reset after")
    assert done is made, printed
    assert status in ("InService", "Updating")
    assert (config == case.name) is not made
    assert done or any(words in text(printed) for words in ("Allow ", "failed (", "Run it again."))
    assert "Traceback" not in text(printed)

    assert case.fix(MoveEndpoints=True)[0]
    assert case.serves_by() == ("InService", f"{case.name}-isolated")
    expected = [case.name, f"{case.name}-isolated"]
    assert case.names() == (expected, expected)


def refuse_after_update() -> Fault:
    """Return a fault: from UpdateEndpoint on, DescribeEndpoint is refused."""
    seen: list[str] = []

    def fault(call: Call, answer: Answer) -> Response | None:
        if call.api == "UpdateEndpoint":
            seen.append(call.api)
        return refuse(call, answer) if seen and call.api == "DescribeEndpoint" else None

    return fault


def test_a_fault_while_waiting_leaves_the_update_to_aws(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(embedded_aws.looks, "until updated", 1)
    case.model()
    case.endpoint()
    with case.aws.failing(refuse_after_update()):
        done, printed = case.fix(MoveEndpoints=True)
    assert not done
    assert "Allow sagemaker:DescribeEndpoint" in text(printed)
    assert "update-endpoint" in text(printed)
    done, printed = case.fix(MoveEndpoints=True)
    assert done
    assert case.serves_by() == ("InService", f"{case.name}-isolated")


def test_deleting_with_its_answer_lost_is_deleted(case: Case) -> None:
    case.model()
    with case.aws.failing(on("DeleteModel")(answer_lost)):
        done, printed = case.fix(DeleteOldModels=True)
    assert done
    assert case.names()[0] == [f"{case.name}-isolated"]
    assert "create-model" in text(printed)


def test_a_change_of_which_nobody_knows_is_in_the_way_back(case: Case) -> None:
    case.model()
    seen: list[str] = []

    def then_nothing(call: Call, answer: Answer) -> Response | None:
        if call.api == "CreateModel":
            seen.append(call.api)
            return answer_lost(call, answer)
        return reset(call, answer) if seen else None

    with case.aws.failing(then_nothing):
        done, printed = case.fix()
    assert not done
    assert "CreateModel failed (InternalFailure" in text(printed)
    assert "delete-model" in case.files()[0].read_text("utf-8")
    case.go_back()
    assert case.names()[0] == [case.name]


def test_endpoints_that_cannot_be_listed_stop_only_who_wants_to_move_them(case: Case) -> None:
    case.model()
    with case.aws.failing(on("ListEndpoints", REGION)(refuse)):
        assert not case.fix(MoveEndpoints=True)[0]
        assert case.names()[0] == [case.name]
        done, printed = case.fix()
    assert done
    assert f"Which endpoints serve {case.name} is not known. ListEndpoints was refused" in text(
        printed
    )


def test_an_answer_that_is_garbled_is_said_and_stops_the_model(case: Case) -> None:
    case.model()
    garbled = change(lambda answer: answer.pop("ModelArn"))
    with case.aws.failing(on("DescribeModel", REGION)(garbled)):
        done, printed = case.fix()
    assert not done
    assert "Stopped by KeyError: 'ModelArn'. Nothing more is changed" in text(printed)
    assert case.names()[0] == [case.name]


def test_an_update_that_takes_too_long_is_left_to_aws(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    case.model()
    case.endpoint()
    engine.take_the_place()
    endpoints = import_check(f"{engine.SERVICE}.{CHECK}.lib.endpoints")
    with monkeypatch.context() as patch:
        patch.setitem(embedded_aws.looks, "until updated", 1)
        patch.setattr(endpoints, "PATIENCE", -1)
        done, printed = case.fix(MoveEndpoints=True)
    assert not done
    assert "is still Updating after an hour" in text(printed)
    assert "update-endpoint" in text(printed)
    assert case.fix(MoveEndpoints=True)[0]


def test_an_update_that_was_begun_and_does_not_start_is_said(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    case.model(PrimaryContainer={"Image": "needs-network"})
    case.endpoint()
    monkeypatch.setitem(embedded_aws.looks, "until updated", 3)
    with case.aws.failing(refuse_after_update()):
        assert not case.fix(MoveEndpoints=True)[0]
    done, printed = case.fix(MoveEndpoints=True)
    assert not done
    assert f"Endpoint {case.name} is being updated to {case.name}-isolated already." in printed
    assert "so it is back at" in text(printed)
    assert case.serves_by() == ("InService", case.name)


# Interrupted: killed at each change, before and after AWS has it.


def fix_and_be_killed(url: str, name: str, output: Path) -> None:
    """What a process of its own does until AWS's side kills it."""
    engine.fix(SimpleNamespace(url=url), name, REGION, output, {"MoveEndpoints": True})


@pytest.fixture(scope="session")
def processes() -> Any:
    """Starts processes that have Prowler loaded, from one that has no threads."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.engine"])
    return context


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("api", CHANGES)
def test_killed_at_any_change_the_next_run_finishes_and_the_files_lead_back(
    case: Case, processes: Any, api: str, when: str
) -> None:
    case.model()
    case.endpoint()
    before = case.names()
    process = processes.Process(
        target=fix_and_be_killed, args=(case.aws.url, case.name, case.output)
    )

    def kill(_: Call, answer: Answer) -> Response:
        if when == "after":
            answer()
        os.kill(process.pid, signal.SIGKILL)
        raise ConnectionResetError

    with case.aws.failing(on(api, REGION)(kill)):
        process.start()
        process.join()
    assert process.exitcode == -signal.SIGKILL
    assert case.serves_by()[0] in ("InService", "Updating")

    assert case.fix(MoveEndpoints=True)[0]
    expected = [case.name, f"{case.name}-isolated"]
    assert case.names() == (expected, expected)
    assert case.serves_by() == ("InService", f"{case.name}-isolated")
    case.go_back()
    assert case.serves_by() == ("InService", case.name)
    assert case.names() == before


# What it may do.


def test_its_permissions_are_the_calls_that_it_makes(case: Case) -> None:
    case.model()
    case.model(f"other-{case.name}")
    case.endpoint()
    case.sagemaker.create_transform_job(
        TransformJobName=f"job-{case.name}",
        ModelName=f"other-{case.name}",
        TransformInput={},
        TransformOutput={},
        TransformResources={},
    )
    job = sagemaker_backends[ACCOUNT][REGION].transform_jobs[f"job-{case.name}"]
    job.transform_job_status = "InProgress"

    def calls(**settings: bool) -> set[str]:
        case.aws.calls.clear()
        with case.aws.failing(*inference_component(f"other-{case.name}")):
            assert case.fix(**settings)[0]
        about = ("DescribeRegions",)  # Prowler's own
        made = {(call.service, call.api) for call in case.aws.calls if call.api not in about}
        return {f"{service}:{api}" for service, api in made if service in ("sagemaker", "ec2")}

    engine.take_the_place()
    fixer = import_check(f"{engine.SERVICE}.{CHECK}.{CHECK}_fixer").fixer
    policy = fixer.__doc__.partition("Permissions:")[2].partition("Args:")[0]
    always, to_move, to_delete = (set(s["Action"]) for s in json.loads(policy)["Statement"])
    # Passing the role and giving the tags is part of CreateModel, and no call.
    assert calls() == always - {"iam:PassRole", "sagemaker:AddTags"}
    assert calls(MoveEndpoints=True) == (always | to_move) - {
        "iam:PassRole",
        "sagemaker:AddTags",
        "sagemaker:CreateModel",  # it is there already
    }
    case.sagemaker.delete_endpoint_config(EndpointConfigName=case.name)
    assert calls(DeleteOldModels=True) == (always | to_delete) - {
        "iam:PassRole",
        "sagemaker:AddTags",
        "sagemaker:CreateModel",
    }
