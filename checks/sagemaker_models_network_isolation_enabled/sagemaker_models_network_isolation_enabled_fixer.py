"""Replaces a SageMaker model by an isolated one, the SOP's implementation steps, with a rollback.

A model cannot be changed, so there is a new one like it. Without settings it prints what it would
do; replacements are created, and endpoints moved to them, on request only. Cannot know whether a
container needs the network that it is denied, nor all that uses a model: it deletes nothing.
"""

import logging
import shlex
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from prowler.config.config import default_output_directory, output_file_timestamp
from prowler.providers.common.provider import Provider

from .lib.configuration import read_egress_setting
from .lib.fixer.containers import notes_on_containers, stop_for_unfit_containers
from .lib.fixer.copy import MODEL, copy_names, create_copy, is_there
from .lib.fixer.messages import StoppedError, explain_error, one_line, say
from .lib.fixer.move import move_endpoint
from .lib.fixer.plan import (
    STACK,
    FailingModel,
    Plan,
    endpoints_of,
    is_serverless,
    other_users_of,
    plan_replacement,
    read_model,
    steps_of,
    unknown_users_of,
)
from .lib.fixer.rollback import Rollback
from .lib.fixer.serving import Serving, read_serving
from .lib.fixer.settings import FixerSettings
from .lib.fixer.vpc import advice_on_shared_network, choose_vpc_config
from .lib.listings import is_same_arn, sagemaker_service
from .lib.verdict import judge

logger = logging.getLogger(__name__)

CHECK = "sagemaker_models_network_isolation_enabled"


def fixer(resource_id: str, region: str) -> bool:
    """Plan an isolated replacement of a failing model; on request create it and move endpoints.

    What it does beyond planning is asked for in the file of --fixer-config, under the check's name.
    The first statement is for planning, the second for CreateModels, the third for MoveEndpoints.

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
                    "ec2:GetManagedPrefixListEntries",
                    "sagemaker:DescribeEndpoint",
                    "sagemaker:DescribeEndpointConfig",
                    "sagemaker:DescribeInferenceComponent",
                    "sagemaker:DescribeModel",
                    "sagemaker:ListEndpointConfigs",
                    "sagemaker:ListEndpoints",
                    "sagemaker:ListInferenceComponents",
                    "sagemaker:ListModels",
                    "sagemaker:ListTags"
                ],
                "Resource": "*"
            },
            {
                "Effect": "Allow",
                "Action": [
                    "iam:PassRole",
                    "sagemaker:AddTags",
                    "sagemaker:CreateModel"
                ],
                "Resource": "*"
            },
            {
                "Effect": "Allow",
                "Action": [
                    "sagemaker:CreateEndpointConfig",
                    "sagemaker:UpdateEndpoint"
                ],
                "Resource": "*"
            }
        ]
    }

    Args:
        resource_id: The model's name.
        region: Its region.

    Returns:
        True only where a sound replacement is there and nothing that can be seen serves the model
        any more; False for a plan.
    """
    try:
        with quiet_botocore():
            return fix(run_of(Provider.get_global_provider()), resource_id, region)
    except StoppedError as stopped:
        say(str(stopped))
    except (ClientError, BotoCoreError) as error:
        say(explain_error(error))
    # Prowler would end all fixing here and say nothing of it; the next model can still be fixed.
    except Exception as error:
        why = f"{type(error).__name__}: {one_line(error)}"
        say(f"Stopped by {why}. Nothing more is changed for this model.")
        # Without the traceback: an error that it is chained to may hold the environment.
        logger.error(f"{region} -- {resource_id} could not be fixed: {why}")
    return False


@contextmanager
def quiet_botocore() -> Iterator[None]:
    """Keep botocore from logging calls and answers, which hold the environment of models."""
    botocore = logging.getLogger("botocore")
    before = botocore.level
    botocore.setLevel(max(logging.INFO, botocore.getEffectiveLevel()))
    try:
        yield
    finally:
        botocore.setLevel(before)


@dataclass
class Run:
    """What the models of one scan share; Prowler calls the fixer once for each.

    Attributes:
        provider: Prowler's AWS provider.
        service: The Prowler service whose clients serve it.
        settings: What it is asked to do.
        rollback: What its changes go through.
        serving: What serves, by region, since the last change there.
        configs: The endpoint configurations that were read, by region and name.
    """

    provider: Any
    service: Any
    settings: FixerSettings
    rollback: Rollback
    serving: dict[str, Serving] = field(default_factory=dict)
    configs: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)

    def serving_in(self, region: str) -> Serving:
        """Return what serves in a region, read once until that is forgotten."""
        if region not in self.serving:
            client = self.service.regional_clients[region]
            self.serving[region] = read_serving(client, self.configs.setdefault(region, {}))
        return self.serving[region]


@lru_cache(maxsize=1)
def run_of(provider: Any) -> Run:
    """Return the run of a scan.

    Raises:
        StoppedError: The fixer configuration is not understood.
    """
    settings = FixerSettings.read(provider.fixer_config, CHECK)
    service = sagemaker_service(provider)
    rollback = Rollback(output_directory(), service.audited_account, output_file_timestamp)
    return Run(provider, service, settings, rollback)


def fix(run: Run, name: str, region: str) -> bool:
    """Plan what is to be done about a model, say it, and do what is asked for.

    Returns:
        See `fixer`.

    Raises:
        StoppedError, ClientError, BotoCoreError: It stopped; what served serves.
    """
    sagemaker = run.service.regional_clients[region]
    ec2 = run.service.session.client("ec2", region_name=region)
    fail_on_unrestricted_egress = read_egress_setting(run.service.audit_config)
    model = read_model(sagemaker, ec2, name, region)
    stop_for_muted_finding(run, model)
    for sentence in advice_on_shared_network(
        judge(model.facts, fail_on_unrestricted_egress), region
    ):
        say(sentence)
    serving = run.serving_in(region)
    obstacle = obstacle_to_copying(name, serving)
    is_asked_for = not obstacle or any(
        is_same_arn(arn, model.facts.arn) for arn in run.service.audit_resources or ()
    )
    for sentence in unknown_users_of(name, serving):
        say(sentence)
    if obstacle and not is_asked_for:
        say(obstacle)
        if not is_there(sagemaker, MODEL, next(copy_names(name))):
            say_how_to_delete(name, region, users_of(name, serving))
            return False
    stop_for_unfit_containers(name, model.settings)
    configured = (run.settings.VpcConfig or {}).get(region)
    vpc_config = choose_vpc_config(ec2, model.facts, configured, fail_on_unrestricted_egress)
    plan = plan_replacement(sagemaker, model, vpc_config, serving)
    say_plan(model, plan)
    if not run.settings.CreateModels:
        say("This is a plan: nothing is changed without CreateModels: true in --fixer-config.")
        return False
    if not plan.replacement.exists and not is_asked_for:
        return False
    return carry_out(run, sagemaker, plan)


def obstacle_to_copying(name: str, serving: Serving) -> str | None:
    """Return why a model is not copied unless it is named; None for one that is to be replaced."""
    endpoints = endpoints_of(name, serving)
    if list(other_users_of(name, serving)) or not all(
        is_serverless(endpoint, serving) for endpoint in endpoints
    ):
        return None
    if endpoints:
        return (
            f"Only serverless endpoints serve model {name}, and AWS takes no isolation and no VPC "
            "for them, so it is not copied. Serve it from instances, or state an exception in a "
            "mutelist."
        )
    return (
        f"No endpoint and no inference component is seen to serve model {name}, so it is not "
        "copied. Delete it, state an exception in a mutelist, or have it copied: CreateModels: "
        "true, with the model named by --resource-arn."
    )


def users_of(name: str, serving: Serving) -> list[str]:
    """Return a sentence for each thing that serves a model, or may."""
    seen = [f"Endpoint {e.name} serves model {name}." for e in endpoints_of(name, serving)]
    return [*seen, *other_users_of(name, serving), *unknown_users_of(name, serving)]


def stop_for_muted_finding(run: Run, model: FailingModel) -> None:
    """Stop for a finding that the mutelist mutes; Prowler's run_fixer calls the fixer for it too.

    Raises:
        StoppedError: It is muted, or Prowler could not read the mutelist.
    """
    mutelist = run.provider.mutelist
    if mutelist.mutelist_file_path and not mutelist.mutelist:
        raise StoppedError(
            f"The mutelist {mutelist.mutelist_file_path} is empty or could not be read, so it is "
            "not known what is muted, and nothing is changed. Correct it."
        )
    finding = SimpleNamespace(
        check_metadata=SimpleNamespace(CheckID=CHECK),
        region=model.facts.region,
        resource_id=model.facts.name,
        resource_tags=model.tags,
    )
    if mutelist.mutelist and mutelist.is_finding_muted(finding, run.service.audited_account):
        raise StoppedError("The finding is muted by the mutelist, so it is left as it is.")


def say_how_to_delete(name: str, region: str, users: list[str]) -> None:
    """Say how to delete the old model, which the fixer leaves to somebody who knows its users."""
    command = ("aws", "sagemaker", "delete-model", f"--region={region}", f"--model-name={name}")
    say(f"The finding stays FAIL until model {name} is deleted: {shlex.join(command)}")
    say(
        f"Known users: {' '.join(users) or 'none.'} The fixer cannot see pipelines, Step "
        "Functions, batch transform jobs, experiments, monitoring. A rollback needs it too."
    )


def say_plan(model: FailingModel, plan: Plan) -> None:
    """Say what is to be done, and what may keep it from working."""
    for sentence in notes_on_containers(model.settings):
        say(sentence)
    for tag in model.tags:
        if tag["Key"] == STACK:
            say(
                f"Note: CloudFormation stack {tag['Value']} made this model, and its next update "
                "reverts what is not in its template. Change the template too."
            )
    for sentence in steps_of(plan):
        say(sentence)


def carry_out(run: Run, sagemaker: Any, plan: Plan) -> bool:
    """Create the replacement, and on request move the endpoints to it.

    Returns:
        See `fixer`.

    Raises:
        StoppedError, ClientError, BotoCoreError: It stopped; what served serves.
    """
    name, region = plan.replacement.original, sagemaker.meta.region_name
    if not plan.replacement.exists:
        create_copy(sagemaker, run.rollback, plan.replacement)
    is_moved, is_to_move = True, bool(plan.moves and run.settings.MoveEndpoints)
    # What serves is read again after a move, and before True: it is as old as the run.
    if is_to_move or not users_of(name, run.serving_in(region)):
        del run.serving[region]
    if is_to_move:
        is_moved = move_all(sagemaker, run.rollback, plan)
    users = users_of(name, run.serving_in(region))
    if plan.moves and not run.settings.MoveEndpoints:
        say("MoveEndpoints: true in --fixer-config moves the endpoints.")
    say_how_to_delete(name, region, users)
    return is_moved and not users


def move_all(sagemaker: Any, rollback: Rollback, plan: Plan) -> bool:
    """Move the endpoints of a plan; one that stays where it is keeps no other from being moved.

    Returns:
        Whether all are moved; what fails is said.
    """
    missing = {move.config.name for move in plan.moves if not move.config.exists}
    is_moved = True
    for move in plan.moves:
        try:
            if move.config.name in missing:
                create_copy(sagemaker, rollback, move.config)
                missing.remove(move.config.name)
            move_endpoint(sagemaker, rollback, move)
        except (StoppedError, ClientError, BotoCoreError) as error:
            why = str(error) if isinstance(error, StoppedError) else explain_error(error)
            say(f"{why} Endpoint {move.endpoint.name} was not moved.")
            is_moved = False
    return is_moved


def output_directory() -> Path:
    """Return the folder of this run's output: Prowler does not tell a fixer of the command line."""
    parser = ArgumentParser(add_help=False)
    parser.add_argument("-o", "--output-directory", nargs="?")
    return Path(parser.parse_known_args()[0].output_directory or default_output_directory)
