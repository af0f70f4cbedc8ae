"""What the fixer's tests share: a model for each, an endpoint, plans and their scripts."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from moto.sagemaker.models import sagemaker_backends

from . import engine
from .account import ACCOUNT, EVERYWHERE, Region
from .aws_cli import AWS
from .installation import CHECK, access
from .server import EmbeddedAWS

REGION = "ap-east-1"
ALARM = {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "errors"}]}}
THINGS = ("_models", "endpoint_configs", "endpoints", "components")
numbers = count()
APPLY = ("apply", "--all-at-once")
MADE = ["CreateModel", "CreateEndpointConfig", "UpdateEndpoint"]


@dataclass
class Case:
    """A model of its own for one test, and an endpoint that serves it.

    Attributes:
        region: Makes things there.
        name: The model, its endpoint and its endpoint configuration.
        output: Prowler's --output-directory.
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

    @property
    def backend(self) -> Any:
        """moto's things of the region, which a test may change in place."""
        return sagemaker_backends[ACCOUNT][self.region.name]

    @contextmanager
    def restored(self) -> Iterator[None]:
        """Have all models, endpoints and configurations be again what they are."""
        kept = {key: deepcopy(vars(self.backend).get(key) or {}) for key in THINGS}
        yield
        vars(self.backend).update(kept)

    def make_anew(self, kind: str, name: str = "", later: int = 3600) -> None:
        """Have a "model" or "config" be one that was made some seconds later under its name."""
        things = self.backend._models if kind == "model" else self.backend.endpoint_configs
        things[name or self.name].creation_time += timedelta(seconds=later)

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

    def deploy(self, config: str, name: str = "", **parameters: Any) -> None:
        """Have somebody else update an endpoint to a configuration that is there."""
        name = name or self.name
        self.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config, **parameters)
        self.sagemaker.describe_endpoint(EndpointName=name)

    def plan(self, vpc_config: Any = None, **arguments: Any) -> str:
        """Run the fixer on the model, and return all that it printed, in one line."""
        settings = {"aws": {CHECK: {"VpcConfig": {REGION: vpc_config}}}} if vpc_config else None
        done, lines = engine.fix(
            self.aws, self.name, self.region.name, self.output, settings, **arguments
        )
        assert not done
        return " ".join(lines)

    def script(self, endpoint: str = "") -> Path:
        """Return the latest script of an endpoint."""
        found = self.output.glob(f"remediation-*/{self.region.name}/{endpoint or self.name}.sh")
        return max(found, key=lambda path: path.stat().st_mtime_ns)

    def run(
        self, *arguments: str, script: Path | None = None, **environment: str
    ) -> tuple[int, str]:
        """Run a script of the plan with the real AWS CLI and jq, and a sleep that does not.

        Returns:
            The exit code, and all that it said.
        """
        for name, command in (("sleep", ""), ("aws", 'aws "$@"')):
            if not (self.output / "tools" / name).exists():
                self.tool(name, command)
        scratch = self.output / "scratch"
        scratch.mkdir(exist_ok=True)
        done = subprocess.run(
            ["/bin/sh", str(script or self.script()), *arguments],
            cwd=self.output,
            env={
                "AWS_MAX_ATTEMPTS": "1",
                **access(self.aws),
                "PATH": f"{self.output}/tools:/usr/bin:/bin",
                "TMPDIR": str(scratch),
                **environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=300,
        )
        assert not list(scratch.iterdir())  # nothing is left on disk
        return done.returncode, done.stdout

    def tool(self, name: str, script: str) -> None:
        """Put a command of the shell before those of the machine; `aws "$@"` in it is the CLI's."""
        path = self.output / "tools" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f'#!/bin/sh\naws() {{ {self.command} "$@"; }}\n{script}\n')
        path.chmod(0o700)

    def serves_by(self, name: str = "") -> tuple[str, str]:
        """Return an endpoint's status and configuration."""
        endpoint = self.sagemaker.describe_endpoint(EndpointName=name or self.name)
        return endpoint["EndpointStatus"], endpoint["EndpointConfigName"]

    def changes(self) -> list[str]:
        """Return the operations that changed something since the calls were cleared, in order."""
        apis = (call.api for call in self.aws.calls)
        return [api for api in apis if not api.startswith(("List", "Describe", "Get", "Search"))]

    def names(self) -> tuple[list[str], list[str]]:
        """Return the names of the models and endpoint configurations of the case."""
        models = self.sagemaker.list_models(NameContains=self.name)["Models"]
        configs = self.sagemaker.list_endpoint_configs(NameContains=self.name)["EndpointConfigs"]
        return (
            sorted(model["ModelName"] for model in models),
            sorted(config["EndpointConfigName"] for config in configs),
        )


def planned(case: Case, *variants: dict[str, Any], **parameters: Any) -> str:
    """Make a model and an endpoint, plan, and return what the fixer said."""
    case.model(**parameters)
    case.endpoint(*variants)
    said = case.plan()
    case.aws.calls.clear()
    return said


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
    nat = fixed_region.nat_gateway(fixed_region.subnet(vpc))
    table = fixed_region.table(vpc, {"DestinationCidrBlock": EVERYWHERE, "NatGatewayId": nat})
    subnets = [fixed_region.subnet(vpc, table, zone) for zone in "ab"]
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


@pytest.fixture
def case(
    aws: EmbeddedAWS,
    fixed_region: Region,
    sound: dict[str, list[str]],
    tmp_path: Path,
) -> Iterator[Case]:
    made = Case(aws, fixed_region, f"model{next(numbers)}", tmp_path, sound, AWS)
    yield made
    # The fixer looks at every endpoint and inference component of the region.
    for endpoint in made.sagemaker.list_endpoints()["Endpoints"]:
        made.sagemaker.delete_endpoint(EndpointName=endpoint["EndpointName"])
    for one in made.sagemaker.list_inference_components()["InferenceComponents"]:
        name = one["InferenceComponentName"]
        made.sagemaker.delete_inference_component(InferenceComponentName=name)
