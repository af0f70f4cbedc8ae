"""What the fixer says: its lines, its own stop, and AWS's errors as sentences."""

import os
import re
import sys
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from ..answers import EXPLICIT_DENY, REFUSALS

ACTION = re.compile(r"not authorized to perform: ([a-z0-9-]+:[A-Za-z]+)")


class StoppedError(Exception):
    """The fixer goes no further; the message is the sentence that says why, and what to do."""


def say(sentence: str) -> None:
    """Print one printable line under Prowler's own line about the model, at once."""
    try:
        print(f"\t  {one_line(sentence)}", flush=True)
    except OSError:
        # Nobody reads any more: Prowler, which prints too, would end all fixing at its next line.
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115


def one_line(text: Any) -> str:
    """Return a text in one printable line."""
    return "".join(c if c.isprintable() else " " for c in " ".join(str(text).split()))


def explain_error(error: Exception) -> str:
    """Return what boto3 or botocore raised as a sentence: AWS's own words, and what to do.

    AWS names the action that it denied, which need not be the operation's: CreateModel with tags
    needs sagemaker:AddTags too. An explicit deny is not lifted by allowing the action
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html).
    """
    if not isinstance(error, ClientError):
        return f"The call to AWS failed ({type(error).__name__}: {one_line(error)}). Run it again."
    answer = error.response.get("Error") or {}
    code, message = one_line(answer.get("Code")), one_line(answer.get("Message")).rstrip(".")
    named = ACTION.search(message)
    if not named and not REFUSALS.search(code):
        return f"{error.operation_name} failed ({code}: {message})."
    action = named[1] if named else f"sagemaker:{error.operation_name}"
    refused = f"{error.operation_name} was refused ({code}: {message})."
    if deny := EXPLICIT_DENY.search(message):
        return f"{refused} Allowing {action} does not help against an {deny.group()}: change that."
    if action == "iam:PassRole":
        return (
            f"{refused} Allow iam:PassRole on that role, with the condition "
            "iam:PassedToService = sagemaker.amazonaws.com."
        )
    return f"{refused} Allow {action}."
