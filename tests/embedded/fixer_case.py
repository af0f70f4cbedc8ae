"""What the fixer's tests share: a model and an endpoint for each, its page, and its blocks."""

import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from moto.sagemaker.models import sagemaker_backends

from . import aws_cli, engine
from .account import ACCOUNT, EVERYWHERE, Region
from .installation import access
from .server import EmbeddedAWS

REGION = "ap-east-1"
ALARM = {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "error's"}]}}
numbers = count()


@dataclass
class Case:
    """A model of its own for one test, and an endpoint that serves it.

    Attributes:
        region: Makes things there.
        name: The model, its endpoint and its endpoint configuration.
        output: Prowler's --output-directory.
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

    @property
    def backend(self) -> Any:
        """moto's things of the region, which a test may change in place."""
        return sagemaker_backends[ACCOUNT][self.region.name]

    def make_anew(self, kind: str) -> None:
        """Have the "model" or "config" be one that was made a minute later under its name."""
        things = self.backend._models if kind == "model" else self.backend.endpoint_configs
        things[self.name].creation_time += timedelta(minutes=1)

    def model(self, name: str = "", **parameters: Any) -> None:
        """Create a model without isolation, in the sound network unless told otherwise."""
        given = {"VpcConfig": self.sound, "isolated": False, **parameters}
        self.region.model(name or self.name, **given)

    def endpoint(self, *variants: dict[str, Any], name: str = "", **parameters: Any) -> None:
        """Create an endpoint, whose variant is of the case's model unless told otherwise."""
        name = name or self.name
        made = list(variants or [variant("one", self.name)])
        self.sagemaker.create_endpoint_config(
            EndpointConfigName=name, ProductionVariants=made, **parameters
        )
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)

    def deploy_another(self) -> None:
        """Have a colleague update the endpoint to another configuration."""
        name = f"{self.name}-new"
        self.sagemaker.create_endpoint_config(
            EndpointConfigName=name, ProductionVariants=[variant("one", self.name)]
        )
        self.sagemaker.update_endpoint(EndpointName=self.name, EndpointConfigName=name)
        self.sagemaker.describe_endpoint(EndpointName=self.name)

    def fix(self, *names: str, **arguments: Any) -> str:
        """Run the fixer on the model or several of one scan, and return all that it printed."""
        models = [(name, self.region.name) for name in names or [self.name]]
        return engine.fix(self.aws, models, self.output, **arguments)

    def page(self, name: str = "") -> Path:
        """Return the latest page of an endpoint, or the latest "index"."""
        found = self.output.glob(f"remediation-*/**/{name or self.name}.md")
        return max(found, key=lambda path: path.stat().st_mtime_ns)

    def block(self, heading: str) -> str:
        """Return a block of the page: that of Copy, Move or Back."""
        section = self.page().read_text("utf-8").partition(f"\n### {heading}\n")[2]
        return str(re.findall("```sh\n(.*?)```", section, re.DOTALL)[0])

    def run(
        self, *headings: str, by: Sequence[str] = ("dash",), path: str = "", after: str = ""
    ) -> tuple[int, str]:
        """Give blocks of the page to a shell, in order, and return its exit code and output.

        Args:
            by: The shell; with `-c` the blocks are its argument, else its standard input.
            path: A folder of commands that come before the machine's.
            after: What the shell does afterwards.
        """
        text = "".join(map(self.block, headings)) + after
        by_argument = "-c" in by
        home = self.output / "home"
        home.mkdir(exist_ok=True)
        done = subprocess.run(
            [*by, *([text] if by_argument else [])],
            input=None if by_argument else text,
            cwd=home,
            env={
                **access(self.aws),
                "AWS_MAX_ATTEMPTS": "1",
                "HOME": str(home),
                "PATH": f"{path or aws_cli.AWS.parent}:{aws_cli.AWS.parent}:/usr/bin:/bin",
                "TMPDIR": str(home),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=300,
            start_new_session=True,
        )
        assert not list(home.iterdir())  # nothing is left on disk
        return done.returncode, done.stdout

    def tool(self, script: str) -> Path:
        """Make an `aws` out of a script that calls "$real", and return its empty "$log"."""
        folder = self.output / "tools"
        folder.mkdir(exist_ok=True)
        log, aws = folder / "log", folder / "aws"
        log.write_text("")
        aws.write_text(f"#!/bin/sh\nlog={log} real={aws_cli.AWS}\n{script}\n")
        aws.chmod(0o700)
        return log

    def serves_by(self) -> tuple[str, str]:
        """Return the endpoint's status and configuration, without the time in a copy's name."""
        endpoint = self.sagemaker.describe_endpoint(EndpointName=self.name)
        name = re.sub(r"-\d{14}$", "", endpoint["EndpointConfigName"])
        return endpoint["EndpointStatus"], name

    def changes(self) -> list[str]:
        """Return the operations that changed something since the calls were cleared, in order."""
        apis = (call.api for call in self.aws.calls)
        return [api for api in apis if not api.startswith(("List", "Describe", "Get", "Search"))]


def variant(name: str, model: str, **parameters: Any) -> dict[str, Any]:
    size = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    return {"VariantName": name, "ModelName": model, **size, **parameters}


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
    subnet = fixed_region.subnet(vpc, fixed_region.table(vpc, route))
    return {"Subnets": [subnet], "SecurityGroupIds": [fixed_region.group(vpc)]}


@pytest.fixture
def case(
    aws: EmbeddedAWS,
    fixed_region: Region,
    sound: dict[str, list[str]],
    tmp_path: Path,
) -> Iterator[Case]:
    made = Case(aws, fixed_region, f"model{next(numbers)}", tmp_path, sound)
    yield made
    # The fixer looks at every endpoint and inference component of the region.
    for endpoint in made.sagemaker.list_endpoints()["Endpoints"]:
        made.sagemaker.delete_endpoint(EndpointName=endpoint["EndpointName"])
    for one in made.sagemaker.list_inference_components()["InferenceComponents"]:
        name = one["InferenceComponentName"]
        made.sagemaker.delete_inference_component(InferenceComponentName=name)
