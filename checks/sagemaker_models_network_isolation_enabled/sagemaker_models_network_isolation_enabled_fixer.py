"""Replaces a SageMaker model by an isolated one, the SOP's implementation steps, with a way back.

A model cannot be changed, so there is a new one like it. Endpoints are moved to it, and the old one
is deleted, only on request. Cannot know whether a container needs the network that it is denied.
"""

import json
from argparse import ArgumentParser
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from prowler.config.config import default_output_directory, output_file_timestamp
from prowler.lib.logger import logger
from prowler.providers.common.provider import Provider

from .lib.changes import Changes, RefusedError, command, explain_error, one_line, say
from .lib.endpoints import Endpoint, endpoints_of, move, users_of
from .lib.facts import Model
from .lib.fixer_settings import FixerSettings
from .lib.models import sagemaker_service, with_settings
from .lib.replacement import (
    STACK,
    Place,
    choose_vpc_config,
    described_model,
    find_or_make_model,
    own_tags,
    read_tags,
    refuse_unfit_containers,
)
from .lib.verdict import join
from .sagemaker_models_network_isolation_enabled import read_egress_setting

CHECK = "sagemaker_models_network_isolation_enabled"


def fixer(resource_id: str, region: str) -> bool:
    """Create an isolated model like a failing one, and on request move its endpoints to it.

    What it does beyond creating a model is asked for in the file of --fixer-config, under the
    check's name. The second statement is needed with MoveEndpoints, the third with DeleteOldModels.

    Permissions:
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": [
                    "ec2:DescribeRouteTables",
                    "ec2:DescribeSecurityGroups",
                    "ec2:DescribeSubnets",
                    "iam:PassRole",
                    "sagemaker:AddTags",
                    "sagemaker:CreateModel",
                    "sagemaker:DescribeEndpoint",
                    "sagemaker:DescribeEndpointConfig",
                    "sagemaker:DescribeModel",
                    "sagemaker:ListEndpoints",
                    "sagemaker:ListModels",
                    "sagemaker:ListTags"
                ],
                "Resource": "*"
            },
            {
                "Effect": "Allow",
                "Action": [
                    "sagemaker:CreateEndpointConfig",
                    "sagemaker:ListEndpointConfigs",
                    "sagemaker:UpdateEndpoint"
                ],
                "Resource": "*"
            },
            {
                "Effect": "Allow",
                "Action": [
                    "sagemaker:DeleteModel",
                    "sagemaker:DescribeInferenceComponent",
                    "sagemaker:DescribeTransformJob",
                    "sagemaker:ListEndpointConfigs",
                    "sagemaker:ListInferenceComponents",
                    "sagemaker:ListTransformJobs"
                ],
                "Resource": "*"
            }
        ]
    }

    Args:
        resource_id: The model's name.
        region: Its region.

    Returns:
        Whether everything that the settings ask for was done; False for a dry run, which fixes
        nothing.
    """
    try:
        run = run_of(Provider.get_global_provider())
        return run.fix(resource_id, region)
    except RefusedError as refused:
        say(str(refused))
    except (ClientError, BotoCoreError) as error:
        say(explain_error(error))
    # Prowler would end all fixing here and say nothing of it; the next model can still be fixed.
    except Exception as error:
        why = f"{type(error).__name__}: {one_line(error)}"
        say(f"Stopped by {why}. Nothing more is changed for this model.")
        logger.exception(f"{region} -- {resource_id} could not be fixed")
    return False


@dataclass
class Run:
    """The fixer's run over all models of a scan.

    Attributes:
        service: The Prowler service whose clients serve it.
        settings: What it is asked to do.
        changes: What it changes, with the way back.
        configs: The endpoint configurations that it read, by region and name.
    """

    service: Any
    settings: FixerSettings
    changes: Changes
    configs: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)

    def fix(self, name: str, region: str) -> bool:
        """Replace a model.

        Args:
            name: The model.
            region: Its region.

        Returns:
            Whether all that the settings ask for is done.

        Raises:
            RefusedError, ClientError, BotoCoreError: It stopped; the old endpoints serve.
        """
        before = len(self.changes)
        try:
            return self.replace(name, region) and not self.settings.DryRun
        finally:
            self.show_way_back(before)

    def replace(self, name: str, region: str) -> bool:
        """Replace a model: see `fix`, which shows the way back too."""
        client = self.service.regional_clients[region]
        ec2 = self.service.session.client("ec2", region_name=region)
        place = Place(region, client, ec2, self.changes)
        configs = self.configs.setdefault(region, {})
        if self.settings.DryRun:
            say("Dry run: nothing is changed, so Prowler counts the model as not fixed.")

        described = client.describe_model(ModelName=name)
        arn = described["ModelArn"]
        old = described_model(client, name)
        refuse_unfit_containers(name, old)
        isolated = with_settings(
            Model(name, arn, region), {**described, "EnableNetworkIsolation": True}
        )
        vpc_config = choose_vpc_config(
            place,
            isolated,
            (self.settings.VpcConfig or {}).get(region),
            read_egress_setting(self.service.audit_config),
        )
        tags = read_tags(client, arn)
        for tag in tags:
            if tag["Key"] == STACK:
                say(
                    f"Note: CloudFormation stack {tag['Value']} made this model, and undoes at its "
                    "next update what is not in its template. Change the template too."
                )
        endpoints, unknown = self.look_at_endpoints(client, name, configs)
        wanted = {**old, "EnableNetworkIsolation": True, "VpcConfig": vpc_config}
        new_name = find_or_make_model(place, name, wanted, own_tags(tags))
        done = True
        if self.settings.MoveEndpoints:
            moved = [self.move(place, endpoint, name, new_name) for endpoint in endpoints]
            done = all(moved) and not unknown
        elif endpoints:
            names = join(endpoint.name for endpoint in endpoints)
            say(f"Note: {names} will go on to serve {name}; MoveEndpoints: true moves them.")
        if self.settings.DeleteOldModels and done:
            again = {**old, "Tags": own_tags(tags)}
            self.delete(place, name, again, users_of(client, name, configs), unknown)
        return done

    def look_at_endpoints(
        self, client: Any, name: str, configs: dict[str, dict[str, Any]]
    ) -> tuple[list[Endpoint], list[str]]:
        """Return the endpoints to move and those of which nobody can say, and say what limits them.

        Args:
            client: The SageMaker client of the region.
            name: The model.
            configs: The endpoint configurations that were read so far, by name.
        """
        try:
            endpoints, unknown = endpoints_of(client, name, configs)
        except (ClientError, BotoCoreError) as error:
            if self.settings.MoveEndpoints or self.settings.DeleteOldModels:
                raise
            say(f"Which endpoints serve {name} is not known. {explain_error(error)}")
            return [], []
        for endpoint in endpoints:
            if endpoint.is_serverless:
                say(
                    f"Note: endpoint {endpoint.name} is serverless, so it cannot be moved: it has "
                    "neither network isolation nor a VPC configuration."
                )
        return endpoints, unknown

    def move(self, place: Place, endpoint: Endpoint, old_name: str, new_name: str) -> bool:
        """Move one endpoint, and return whether that is done; what fails is said.

        Args:
            place: Where the fixer works.
            endpoint: The endpoint.
            old_name: The model that it serves.
            new_name: The model that it is to serve.
        """
        try:
            move(place, endpoint, old_name, new_name)
        # One endpoint that stays where it is keeps no other from being moved.
        except RefusedError as refused:
            say(str(refused))
            return False
        except (ClientError, BotoCoreError) as error:
            say(f"{explain_error(error)} Endpoint {endpoint.name} was to be moved.")
            return False
        return True

    def delete(
        self,
        place: Place,
        name: str,
        settings: dict[str, Any],
        users: list[str],
        unknown: list[str],
    ) -> None:
        """Delete the old model, if nothing needs it.

        Args:
            place: Where the fixer works.
            name: The model.
            settings: What CreateModel takes to make it again.
            users: What names the model.
            unknown: The endpoints of which nobody can say.
        """
        client = place.sagemaker
        users += [f"endpoint {name}, whose configuration cannot be read" for name in unknown]
        if users:
            say(
                f"Model {name} is kept for {join(users)}. Delete what is not needed any more, as a "
                "way back too, and run the fixer again."
            )
            return
        say(f"Deleting model {name}.")
        again = json.dumps({"ModelName": name, **settings})

        def is_gone() -> bool:
            pages = client.get_paginator("list_models").paginate(NameContains=name)
            return name not in {m["ModelName"] for page in pages for m in page["Models"]}

        place.changes.make(
            client,
            "DeleteModel",
            {"ModelName": name},
            (command("create-model", place.region, "--cli-input-json", again),),
            is_gone,
        )

    def show_way_back(self, before: int) -> None:
        """Print the commands that undo what was done for one model.

        Args:
            before: How many changes there were before it.
        """
        commands = self.changes.way_back(before)
        if not commands:
            return
        where = f"is in {self.changes.path}" if self.changes.path else "would be"
        say(f"The way back {where}:")
        for line in commands:
            say(f"  {line}")


@lru_cache(maxsize=1)
def run_of(provider: Any) -> Run:
    """Return the fixer's run of this scan; Prowler calls the fixer once for each model.

    Args:
        provider: Prowler's AWS provider.

    Raises:
        RefusedError: The fixer configuration is not understood.
    """
    settings = FixerSettings.read(provider.fixer_config, CHECK)
    service = sagemaker_service(provider, CHECK)
    account = service.audited_account
    header = (
        "#!/bin/sh\n"
        f"# The way back from what the fixer of {CHECK}\n"
        f"# changed in AWS account {account}, the latest first. Run it with the AWS CLI and the\n"
        "# credentials of that account. Where the fixer was stopped, a command may name what was\n"
        "# not made any more; it fails then, and the others go on."
    )
    name = f"prowler-way-back-{account}-{output_file_timestamp}"
    return Run(service, settings, Changes(output_directory(), name, header, settings.DryRun))


def output_directory() -> Path:
    """Return the folder of this run's output: Prowler does not tell a fixer of the command line."""
    parser = ArgumentParser(add_help=False)
    parser.add_argument("-o", "--output-directory", nargs="?", default=default_output_directory)
    return Path(parser.parse_known_args()[0].output_directory)
