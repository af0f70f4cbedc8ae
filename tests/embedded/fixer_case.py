"""What the fixer's tests share: a model and an endpoint for each case, its page, and its blocks."""

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from moto.sagemaker.models import sagemaker_backends

from . import aws_cli, engine
from .account import ACCOUNT, EVERYWHERE, Region
from .installation import access
from .server import EmbeddedAWS


@dataclass
class Case:
    """A model, its endpoint and the endpoint's configuration, all of one name, and their page.

    Attributes:
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

    def model(self, name: str = "", **parameters: Any) -> None:
        """Create a model without isolation, in the sound network unless told otherwise."""
        given = {"VpcConfig": self.sound, "isolated": False, **parameters}
        self.region.model(name or self.name, **given)

    def endpoint(self, *variants: dict[str, Any], **parameters: Any) -> None:
        """Create an endpoint, whose variant is of the case's model unless told otherwise."""
        parameters["ProductionVariants"] = list(variants or [variant("one", self.name)])
        self.sagemaker.create_endpoint_config(EndpointConfigName=self.name, **parameters)
        self.sagemaker.create_endpoint(EndpointName=self.name, EndpointConfigName=self.name)

    def set_state(self, **members: Any) -> None:
        """Give moto's endpoint these members."""
        vars(self.backend.endpoints[self.name]).update(members)

    def make_anew(self, things: str) -> None:
        """Have one of moto's "_models" or "endpoint_configs" be made a minute later."""
        getattr(self.backend, things)[self.name].creation_time += timedelta(minutes=1)

    def fix(self, **arguments: Any) -> str:
        """Run the fixer on the model, and return all that it printed."""
        return engine.fix(self.aws, [(self.name, self.region.name)], self.output, **arguments)

    def page(self, name: str = "") -> Path:
        """Return the latest page of an endpoint, or the latest "index"."""
        found = self.output.glob(f"remediation-*/**/{name or self.name}.md")
        return max(found, key=lambda path: path.stat().st_mtime_ns)

    def block(self, heading: str) -> str:
        """Return a block of the page: that of Copy, Move or Back."""
        section = self.page().read_text("utf-8").partition(f"\n### {heading}\n")[2]
        return str(re.findall("```sh\n(.*?)```", section, re.DOTALL)[0])

    def run(
        self,
        *headings: str,
        by: Sequence[str] = ("dash",),
        path: Path | None = None,
        after: str = "",
    ) -> tuple[int, str]:
        """Give blocks of the page to a shell, and return its exit code and output.

        Args:
            by: The shell; with `-c` the blocks are its argument, else its standard input.
            path: A folder of commands that come before the machine's.
            after: What the shell does afterwards.
        """
        text = "".join(map(self.block, headings)) + after
        command, given = ([*by, text], None) if "-c" in by else (by, text)
        home, bin_ = self.output / "home", aws_cli.AWS.parent
        home.mkdir(exist_ok=True)
        variables = {"HOME": str(home), "TMPDIR": str(home), "AWS_MAX_ATTEMPTS": "1"}
        variables["PATH"] = f"{path or bin_}:{bin_}:/usr/bin:/bin"
        done = subprocess.run(
            command,
            input=given,
            cwd=home,
            env={**access(self.aws), **variables},
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
        log, aws = self.output / "tools" / "log", self.output / "tools" / "aws"
        log.parent.mkdir(exist_ok=True)
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


def sound_network(region: Region) -> dict[str, list[str]]:
    """Return a new VpcConfig: private by way of a NAT gateway, and controlled by a prefix list."""
    vpc = region.vpc()
    nat = region.nat_gateway(region.subnet(vpc))
    table = region.table(vpc, {"DestinationCidrBlock": EVERYWHERE, "NatGatewayId": nat})
    subnets = [region.subnet(vpc, table, zone) for zone in "ab"]
    named = region.prefix_list("198.51.100.0/24")
    return {"Subnets": subnets, "SecurityGroupIds": [region.group(vpc, "10.0.0.0/8", named)]}
