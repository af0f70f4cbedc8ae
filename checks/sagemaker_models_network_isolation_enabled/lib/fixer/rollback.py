"""The rollback: a shell script that is rewritten before each change, to roll that back too.

Every call of the fixer that changes something goes through `Rollback.make`.
"""

import os
import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

from .messages import StoppedError, one_line, say

BAD_REQUEST, SERVER_ERROR = 400, 500
OWNER_ONLY = 0o600
SCRIPT = Path(__file__).with_name("rollback.sh")


@dataclass(frozen=True)
class Created:
    """A copy that the fixer creates, in the words of the AWS CLI.

    Attributes:
        region: Its region.
        noun: "model" or "endpoint-config".
        name: Its name.
    """

    region: str
    noun: str
    name: str


@dataclass(frozen=True)
class Moved:
    """An update of an endpoint.

    Attributes:
        region: Its region.
        endpoint: Its name.
        old: The configuration that it uses before.
        new: The fixer's configuration.
        options: The options of update-endpoint that keep what the endpoint has.
    """

    region: str
    endpoint: str
    old: str
    new: str
    options: tuple[str, ...]


@dataclass
class Rollback:
    """The changes of one run, and the script that rolls them back.

    Attributes:
        folder: Where the script goes: beside Prowler's output.
        account: The AWS account.
        time: The time in the script's name.
        path: The script; None until there is a change.
        changes: What was changed, in order.
    """

    folder: Path
    account: str
    time: str
    path: Path | None = None
    changes: list[Created | Moved] = field(default_factory=list)

    def make(
        self,
        client: Any,
        operation: str,
        parameters: dict[str, Any],
        change: Created | Moved,
        is_made: Callable[[], bool],
    ) -> None:
        """Make one change in AWS.

        Args:
            client: The SageMaker client of the region.
            operation: The operation, such as "CreateModel".
            parameters: Its parameters.
            change: What it is, for the script.
            is_made: Asks AWS whether the change is there. An answer may be lost on its way, and
                boto3 then asks again and is told that the name is taken; so an error alone does not
                say that nothing happened.

        Raises:
            ClientError, BotoCoreError: AWS did not make the change, or nobody knows.
            StoppedError: The script cannot be written; AWS was not asked.
        """
        is_first = self.path is None
        self.changes.append(change)
        try:
            self._write()
        except OSError as error:
            self.changes.pop()
            if self.path:
                self.path.with_suffix(".new").unlink(missing_ok=True)
            if is_first and self.path:
                self.path.unlink(missing_ok=True)
                self.path = None
            raise StoppedError(
                f"The rollback cannot be written ({one_line(error)}), so nothing more is changed. "
                "Name a folder that can be written to with --output-directory."
            ) from error
        if is_first:
            say(f"The rollback is in a script: sh {shlex.quote(str(self.path))}")
            if is_of_container(self.folder):
                say(
                    "It stays in this container: with --fixer Prowler ends before it uploads to "
                    "S3. Copy it out, or give --output-directory a folder of the host."
                )
        try:
            getattr(client, xform_name(operation))(**parameters)
        except (ClientError, BotoCoreError) as error:
            try:
                if is_made():
                    return
            except (ClientError, BotoCoreError):
                raise error from None  # whether it is made is not known, so it stays in the script
            if isinstance(error, ClientError) and BAD_REQUEST <= status_of(error) < SERVER_ERROR:
                # What AWS did not make may be somebody else's by now, so it must not be deleted.
                self.changes.pop()
                self._write()
            raise

    def _write(self) -> None:
        if not self.changes and self.path:
            self.path.unlink()
            self.path = None
            say("AWS changed nothing, so the rollback script was deleted.")
            return
        if self.path is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.path = self._create()
        new = self.path.with_suffix(".new")
        new.touch(OWNER_ONLY)
        new.write_text(script(self.account, self.changes), encoding="utf-8")
        new.replace(self.path)

    def _create(self) -> Path:
        for number in count(1):
            suffix = f"-{number}" if number > 1 else ""
            path = self.folder / f"prowler-rollback-{self.account}-{self.time}{suffix}.sh"
            try:
                path.touch(OWNER_ONLY, exist_ok=False)
            except FileExistsError:
                continue
            break
        return path


def script(account: str, changes: list[Created | Moved]) -> str:
    """Return the shell script that rolls changes back: region by region, the latest first.

    A region's endpoints are rolled back and its copies deleted before the next region, so that what
    serves is read right before the deletes. An endpoint that was moved twice goes back to what it
    used at first.
    """
    calls: list[tuple[str, ...]] = [("check_account", account, changes[0].region)]
    latest_first = list(reversed(changes))
    moves = [change for change in latest_first if isinstance(change, Moved)]
    created = [change for change in latest_first if isinstance(change, Created)]
    for region in dict.fromkeys(change.region for change in latest_first):
        calls.append(("in_region", region))
        for endpoint in dict.fromkeys(move.endpoint for move in moves if move.region == region):
            own = [m for m in moves if (m.region, m.endpoint) == (region, endpoint)]
            options = " ".join(own[-1].options)
            calls.append(
                ("roll_back_endpoint", endpoint, own[-1].old, options, *(m.new for m in own))
            )
        copies = [copy for copy in created if copy.region == region]
        if copies:
            calls.append(("find_what_serves",))
        # A model goes after the configurations that name it.
        for copy in sorted(copies, key=lambda copy: copy.noun):
            calls.append(("delete_copy", copy.noun, copy.name))
    lines = [shlex.join(call) for call in [*calls, ("finish",)]]
    return SCRIPT.read_text("utf-8") + "\n" + "\n".join(lines) + "\n"


def is_of_container(folder: Path) -> bool:
    """Return whether a folder is in a container's own file system, which goes with the container.

    The marks are those of Docker, Podman, Kubernetes and Amazon ECS.
    """
    files = ("/.dockerenv", "/run/.containerenv")
    variables = ("KUBERNETES_SERVICE_HOST", "ECS_CONTAINER_METADATA_URI_V4")
    if not any(map(os.path.exists, files)) and not any(map(os.environ.get, variables)):
        return False
    return folder.stat().st_dev == Path("/").stat().st_dev


def status_of(error: ClientError) -> int:
    """Return the HTTP status of an error of AWS."""
    return int(error.response["ResponseMetadata"]["HTTPStatusCode"])
