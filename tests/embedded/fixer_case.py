"""What the fixer's tests share: a model of its own for each, an endpoint, and runs of the fixer."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from . import engine
from .account import EVERYWHERE, Region
from .aws_cli_server import aws_command
from .installation import access
from .server import EmbeddedAWS

REGION = "ap-east-1"
MOVE = {"CreateModels": True, "MoveEndpoints": True}
numbers = count()


@dataclass
class Case:
    """A model of its own for one test, and an endpoint that serves it.

    Attributes:
        region: Makes things there.
        name: The model, its endpoint and its endpoint configuration.
        output: Where the rollback is written to.
        sound: A VpcConfig that is private and controlled.
        command: The AWS CLI.
    """

    aws: EmbeddedAWS
    region: Region
    name: str
    output: Path
    sound: dict[str, list[str]]
    command: Path

    @property
    def sagemaker(self) -> Any:
        return self.region.sagemaker

    @property
    def copy(self) -> str:
        """The name of the copy of the model, and of that of the configuration."""
        return f"{self.name}-isolated"

    def model(self, name: str = "", **parameters: Any) -> None:
        """Create a model without isolation, in the sound network unless told otherwise."""
        given = {"VpcConfig": self.sound, "isolated": False, **parameters}
        self.region.model(name or self.name, **given)

    def config(self, name: str, *variants: dict[str, Any], **parameters: Any) -> None:
        """Create an endpoint configuration."""
        self.sagemaker.create_endpoint_config(
            EndpointConfigName=name, ProductionVariants=list(variants), **parameters
        )

    def endpoint(self, *variants: dict[str, Any], name: str = "", **parameters: Any) -> None:
        """Create an endpoint, whose variant is of the case's model unless told otherwise."""
        name = name or self.name
        self.config(name, *(variants or [variant("one", self.name)]), **parameters)
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)

    def deploy(self, config: str, name: str = "") -> None:
        """Have somebody else update an endpoint to a configuration that is there."""
        name = name or self.name
        self.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config)
        self.sagemaker.describe_endpoint(EndpointName=name)

    def fix(self, settings: Any = None, **arguments: Any) -> tuple[bool, str]:
        """Run the fixer on the model, and return its result and all that it printed."""
        done, lines = engine.fix(
            self.aws, self.name, self.region.name, self.output, settings, **arguments
        )
        return done, "\n".join(lines)

    def serves_by(self, name: str = "") -> tuple[str, str]:
        """Return an endpoint's status and configuration."""
        endpoint = self.sagemaker.describe_endpoint(EndpointName=name or self.name)
        return endpoint["EndpointStatus"], endpoint["EndpointConfigName"]

    def arn(self) -> str:
        """Return the model's ARN."""
        return str(self.sagemaker.describe_model(ModelName=self.name)["ModelArn"])

    def changes(self) -> set[str]:
        """Return the operations that changed something since the calls were cleared."""
        apis = {call.api for call in self.aws.calls}
        return {api for api in apis if not api.startswith(("List", "Describe", "Get"))}

    def names(self) -> tuple[list[str], list[str]]:
        """Return the names of the models and endpoint configurations of the case."""
        models = self.sagemaker.list_models(NameContains=self.name)["Models"]
        configs = self.sagemaker.list_endpoint_configs(NameContains=self.name)["EndpointConfigs"]
        return (
            sorted(model["ModelName"] for model in models),
            sorted(config["EndpointConfigName"] for config in configs),
        )

    def files(self) -> list[Path]:
        """Return the rollbacks, the latest first."""
        paths = self.output.glob("prowler-rollback-*.sh")
        return sorted(paths, key=lambda path: path.stat().st_mtime_ns, reverse=True)

    def roll_back(self, *files: Path, **environment: str) -> tuple[int, str]:
        """Run the rollbacks, the latest first, with the real AWS CLI and a sleep that does not.

        Returns:
            The highest exit code, and all that they said.
        """
        self.tool("sleep", "")
        if not (self.output / "tools" / "aws").exists():
            self.tool("aws", 'aws "$@"')
        path = f"{self.output}/tools:{Path(sys.executable).parent}:/usr/bin:/bin"
        codes, said = [0], ""
        for file in files or self.files():
            done = subprocess.run(
                ["/bin/sh", str(file)],
                env={"AWS_MAX_ATTEMPTS": "1", **access(self.aws), "PATH": path, **environment},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
                timeout=300,
            )
            codes.append(done.returncode)
            said += done.stdout
        return max(codes), said

    def tool(self, name: str, script: str) -> None:
        """Put a command of the shell before those of the machine; `aws "$@"` in it is the CLI's."""
        path = self.output / "tools" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f'#!/bin/sh\naws() {{ {self.command} "$@"; }}\n{script}\n')
        path.chmod(0o700)

    def assert_sound(self, *names: str) -> None:
        """Assert that endpoints are InService by a configuration and models that are there."""
        for name in names or (self.name,):
            status, config = self.serves_by(name)
            assert status == "InService"
            described = self.sagemaker.describe_endpoint_config(EndpointConfigName=config)
            for one in described["ProductionVariants"]:
                self.sagemaker.describe_model(ModelName=one["ModelName"])


def variant(name: str, model: str, **parameters: Any) -> dict[str, Any]:
    return {
        "VariantName": name,
        "ModelName": model,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
        "InitialVariantWeight": 1.0,
        **parameters,
    }


@pytest.fixture(scope="module")
def fixed_region(aws: EmbeddedAWS) -> Region:
    return Region(aws, REGION)


@pytest.fixture(scope="module")
def sound(fixed_region: Region) -> dict[str, list[str]]:
    vpc = fixed_region.vpc()
    subnets = [fixed_region.subnet(vpc), fixed_region.subnet(vpc)]
    named = fixed_region.prefix_list("198.51.100.0/24")
    return {"Subnets": subnets, "SecurityGroupIds": [fixed_region.group(vpc, "10.0.0.0/8", named)]}


@pytest.fixture(scope="module")
def public(fixed_region: Region) -> dict[str, list[str]]:
    vpc = fixed_region.vpc()
    gateway = fixed_region.internet_gateway(vpc)
    route = {"DestinationCidrBlock": EVERYWHERE, "GatewayId": gateway}
    return {
        "Subnets": [fixed_region.subnet(vpc, fixed_region.table(vpc, route))],
        "SecurityGroupIds": [fixed_region.group(vpc)],
    }


@pytest.fixture(scope="session")
def aws_cli_command(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with aws_command(tmp_path_factory.mktemp("aws")) as command:
        yield command


@pytest.fixture
def case(
    aws: EmbeddedAWS,
    fixed_region: Region,
    sound: dict[str, list[str]],
    aws_cli_command: Path,
    tmp_path: Path,
) -> Iterator[Case]:
    made = Case(aws, fixed_region, f"model{next(numbers)}", tmp_path, sound, aws_cli_command)
    yield made
    # The fixer looks at every endpoint and inference component of the region.
    for endpoint in made.sagemaker.list_endpoints()["Endpoints"]:
        made.sagemaker.delete_endpoint(EndpointName=endpoint["EndpointName"])
    for one in made.sagemaker.list_inference_components()["InferenceComponents"]:
        name = one["InferenceComponentName"]
        made.sagemaker.delete_inference_component(InferenceComponentName=name)
