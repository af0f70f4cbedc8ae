"""What the fixer changes in AWS, each change with its way back.

Every call of the fixer that changes something goes through `Changes.make`. So a dry run is the same
run without those calls, and no change is made before the command that undoes it is in a file.
"""

import shlex
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

from .facts import REFUSALS

BAD_REQUEST, SERVER_ERROR = 400, 500
OWNER_ONLY = 0o600  # a model's environment, by which a deleted one is made again, may hold secrets


class RefusedError(Exception):
    """The fixer does not go on; the message is the sentence that says why, and what to do."""


def say(sentence: str) -> None:
    """Print a line of the fixer under Prowler's own line about the model, at once."""
    print(f"\t  {sentence}", flush=True)


def explain_error(error: Exception) -> str:
    """Return an error of AWS as a sentence that says what to do.

    Args:
        error: What boto3 or botocore raised.
    """
    if not isinstance(error, ClientError):
        return f"AWS could not be asked ({type(error).__name__}: {one_line(error)}). Run it again."
    answer = error.response.get("Error") or {}
    code, message = one_line(answer.get("Code")), one_line(answer.get("Message"))
    if "iam:PassRole" in message:
        return (
            f"{error.operation_name} needs the right to pass the model's role to SageMaker "
            f"({code}: {message}). Allow iam:PassRole on that role, with the condition "
            "iam:PassedToService = sagemaker.amazonaws.com."
        )
    if REFUSALS.search(code):
        return (
            f"{error.operation_name} was refused ({code}). Allow sagemaker:{error.operation_name}."
        )
    return f"{error.operation_name} failed ({code}: {message})."


def one_line(text: Any) -> str:
    """Return a text of AWS in one printable line."""
    return "".join(c if c.isprintable() else " " for c in " ".join(str(text).split()))


class Changes:
    """The changes of one run, and the file with the AWS CLI commands that undo them.

    Attributes:
        dry_run: Whether changes are shown only.
        path: The file; None until there is a change.
    """

    def __init__(self, folder: Path, name: str, header: str, dry_run: bool) -> None:
        """Make a record of changes; nothing is written yet.

        Args:
            folder: Where the file goes: beside Prowler's output.
            name: The file's name without its ending; a number is added where it is taken.
            header: What the file says on top, in lines.
            dry_run: See the class.
        """
        self.dry_run = dry_run
        self.path: Path | None = None
        self._folder, self._name, self._header = folder, name, header
        self._undo: list[tuple[str, ...]] = []

    def __len__(self) -> int:
        return len(self._undo)

    def make(
        self,
        client: Any,
        operation: str,
        parameters: dict[str, Any],
        undo: tuple[str, ...],
        is_made: Callable[[], bool],
    ) -> None:
        """Make one change in AWS.

        Args:
            client: The SageMaker client of the region.
            operation: The operation, such as "CreateModel".
            parameters: Its parameters.
            undo: The commands that undo it, in the order in which to run them.
            is_made: Asks AWS whether the change is there. An answer may be lost on its way, and
                boto3 then asks again and is told that the name is taken; so an error alone does not
                say that nothing happened.

        Raises:
            ClientError, BotoCoreError: AWS did not make the change, or nobody knows.
            RefusedError: The file cannot be written; AWS was not asked.
        """
        self._undo.append(undo)
        if self.dry_run:
            return
        try:
            self._write()
        except RefusedError:
            self._undo.pop()
            raise
        try:
            getattr(client, xform_name(operation))(**parameters)
        except (ClientError, BotoCoreError) as error:
            try:
                if is_made():
                    return
            except (ClientError, BotoCoreError):
                raise error from None  # whether it is made is not known, so its undoing is kept
            if isinstance(error, ClientError) and BAD_REQUEST <= status(error) < SERVER_ERROR:
                self.forget()
            raise

    def forget(self) -> None:
        """Take the last change off the record, because AWS did not make it or took it back."""
        self._undo.pop()
        if self.path and self._undo:
            self._write()
        elif self.path:
            self.path.unlink()
            self.path = None

    def way_back(self, since: int) -> list[str]:
        """Return the commands that undo the changes, in the order in which to run them.

        Args:
            since: How many changes there were before those that are meant.
        """
        return [command for commands in reversed(self._undo[since:]) for command in commands]

    def _write(self) -> None:
        try:
            if self.path is None:
                self._folder.mkdir(parents=True, exist_ok=True)
                self.path = self._create()
            new = self.path.with_suffix(".new")
            new.touch(OWNER_ONLY)
            new.write_text("\n".join([self._header, *self.way_back(0), ""]), encoding="utf-8")
            new.replace(self.path)
        except OSError as error:
            raise RefusedError(
                f"The file for the way back cannot be written ({one_line(error)}), so nothing more "
                "is changed. Name a folder that can be written to with --output-directory."
            ) from error

    def _create(self) -> Path:
        for number in count(1):
            path = self._folder / f"{self._name}{f'-{number}' if number > 1 else ''}.sh"
            try:
                path.touch(OWNER_ONLY, exist_ok=False)
            except FileExistsError:
                continue
            break
        return path


def status(error: ClientError) -> int:
    """Return the HTTP status of an error of AWS."""
    return int(error.response["ResponseMetadata"]["HTTPStatusCode"])


def command(operation: str, region: str, *arguments: str) -> str:
    """Return a command of the AWS CLI for SageMaker, quoted for a shell.

    Args:
        operation: Such as "delete-model".
        region: The region.
        arguments: Its options and their values.
    """
    return shlex.join(["aws", "sagemaker", *operation.split(), "--region", region, *arguments])
