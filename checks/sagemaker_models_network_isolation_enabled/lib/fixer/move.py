"""Moving an endpoint to another configuration, and rolling it back where that fails.

UpdateEndpoint starts new instances, moves the traffic, and goes back to the old configuration by
itself where the new instances do not start. The statuses are those of DescribeEndpoint:
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeEndpoint.html
"""

import time
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ..findings import join
from .messages import StoppedError, explain_error, say
from .plan import Move
from .rollback import Moved, Rollback
from .serving import Endpoint, read_endpoint

UNDER_WAY = ("Creating", "Updating", "SystemUpdating", "RollingBack")
LONGEST_PAUSE = 30  # seconds between two looks at an endpoint, as AWS's own waiter has it
PATIENCE = 3600  # seconds until an endpoint is left to AWS, as AWS's own waiter has it


def move_endpoint(client: Any, rollback: Rollback, move: Move) -> None:
    """Move an endpoint as planned, and wait until it uses its new configuration.

    Args:
        client: The SageMaker client of the region.
        rollback: What the change goes through.
        move: The endpoint and its configurations; the new one must be there.

    Raises:
        StoppedError: It does not use the new configuration; the message says what it does.
        ClientError, BotoCoreError: AWS did not take the update, or did not tell what becomes of it.
    """
    endpoint = move.endpoint
    if endpoint.status == "InService":
        stop_for_changed_endpoint(client, endpoint)
        say(f"Updating endpoint {endpoint.name} from {move.old_config} to {move.config.name}.")
        update(client, rollback, move, move.config.name)
    elif endpoint.status == "UpdateRollbackFailed":
        stop_for_changed_endpoint(client, endpoint)
    else:
        say(f"Endpoint {endpoint.name} is being updated to {move.config.name} already.")
    now = wait_for_update(client, move)
    reason = now.failure_reason or "AWS gives no reason"
    if now.status == "UpdateRollbackFailed":
        roll_back(client, rollback, move, reason)
        now = wait_for_update(client, move)
    if now.status == "Failed":
        raise StoppedError(
            f"Endpoint {now.name} is Failed: {reason}. A Failed endpoint can only be deleted: "
            f"delete it, and create it again from {move.old_config}."
        )
    if now.status != "InService":
        raise StoppedError(
            f"Endpoint {now.name} is {now.status} with {now.config_name}: {reason}. Look at it, "
            "and run the fixer again, or the rollback."
        )
    if now.config_name != move.config.name and not now.failure_reason:
        raise StoppedError(
            f"Endpoint {now.name} uses {now.config_name} again, and AWS gives no reason: it did "
            f"not start with {move.config.name}, or somebody has rolled it back or deployed "
            "meanwhile. Look at its logs, and run the fixer again."
        )
    if now.config_name != move.config.name:
        raise StoppedError(
            f"Endpoint {now.name} did not start with {move.config.name}, so AWS rolled it back to "
            f"{now.config_name}: {reason}. Look at its logs, and run the fixer again."
        )
    say(f"Endpoint {now.name} now uses {now.config_name}.")


def stop_for_changed_endpoint(client: Any, planned: Endpoint) -> None:
    """Stop for an endpoint that is not as it was when the move was planned.

    Raises:
        StoppedError: Somebody else has changed it.
    """
    now = read_endpoint(client, planned.name)
    if state_of(now) != state_of(planned):
        raise StoppedError(
            f"Endpoint {now.name} has changed since the plan: it was {planned.status} with "
            f"{planned.config_name} and is {now.status} with {now.config_name}, so it is left as "
            "it is. Run the fixer again."
        )


def state_of(endpoint: Endpoint) -> tuple[str, str, str | None]:
    """Return what must not change between a plan and its update."""
    return endpoint.status, endpoint.config_name, endpoint.pending_config_name


def update(client: Any, rollback: Rollback, move: Move, to: str) -> None:
    """Have AWS update an endpoint, with the instances and weights that it has now.

    Args:
        client: The SageMaker client of the region.
        rollback: What the change goes through.
        move: The move that it is part of.
        to: The configuration to update it to.

    Raises:
        ClientError, BotoCoreError: AWS did not take it.
        StoppedError: The rollback cannot be written.
    """
    name = move.endpoint.name
    # Without this an endpoint that was scaled out falls back to its first number of instances.
    retained = {"RetainAllVariantProperties": "--retain-all-variant-properties"}
    if move.endpoint.has_deployment_config:
        retained["RetainDeploymentConfig"] = "--retain-deployment-config"

    def is_made() -> bool:
        now = read_endpoint(client, name)
        return to == (now.config_name if now.status == "InService" else now.pending_config_name)

    rollback.make(
        client,
        "UpdateEndpoint",
        {"EndpointName": name, "EndpointConfigName": to, **dict.fromkeys(retained, True)},
        Moved(
            client.meta.region_name,
            name,
            move.old_config,
            move.config.name,
            tuple(retained.values()),
        ),
        is_made,
    )


def roll_back(client: Any, rollback: Rollback, move: Move, reason: str) -> None:
    """Have AWS update an endpoint that it could not roll back to its old configuration.

    UpdateRollbackFailed serves "with a mix of the old and new endpoint configurations", and can be
    updated (AWS, DescribeEndpoint).

    Raises:
        StoppedError: AWS did not take it; the endpoint serves as before.
    """
    name = move.endpoint.name
    say(f"Endpoint {name} is UpdateRollbackFailed: {reason}. Rolling it back to {move.old_config}.")
    try:
        update(client, rollback, move, move.old_config)
    except (ClientError, BotoCoreError) as error:
        raise StoppedError(
            f"{explain_error(error)} Endpoint {name} stays UpdateRollbackFailed: it uses both "
            "configurations. Run the fixer again, which rolls it back, or the rollback."
        ) from error


def wait_for_update(client: Any, move: Move) -> Endpoint:
    """Wait until the fixer's own update of an endpoint is over, and return the endpoint.

    Args:
        client: The SageMaker client of the region.
        move: The endpoint and its configurations; any other is somebody else's.

    Raises:
        StoppedError: Somebody else has deployed, or it takes too long.
        ClientError, BotoCoreError: AWS did not tell.
    """
    name = move.endpoint.name
    started = time.monotonic()
    pause = 1
    while True:
        now = read_endpoint(client, name)
        took = time.monotonic() - started
        say(f"Endpoint {name} is {now.status} after {took:.0f} s.")
        used = {now.config_name, now.pending_config_name or now.config_name}
        if others := used - {move.old_config, move.config.name}:
            raise StoppedError(
                f"Endpoint {name} is {now.status}, and {join(sorted(others))} is not the fixer's: "
                "somebody else has deployed meanwhile, so it is left as it is."
            )
        if now.status not in UNDER_WAY:
            return now
        if took > PATIENCE:
            raise StoppedError(
                f"Endpoint {name} is still {now.status} after an hour. AWS will finish or roll "
                "back the update; run the fixer again to resume."
            )
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)
