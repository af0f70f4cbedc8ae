"""The policy of docs/iam-policy.json, and what a call needs of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .installation import ROOT

if TYPE_CHECKING:
    from .server import Call

# What Prowler calls and the policy does not allow, because no scan needs the permission.
NOT_TO_GRANT = {"sts:GetCallerIdentity", "organizations:DescribeAccount"}


def permission(call: Call) -> str:
    """Return the permission that a call needs; its name is the API's in all services here."""
    service = "tag" if call.service == "tagging" else call.service
    return f"{service}:{call.api}"


def several(value: str | list[str]) -> list[str]:
    """Return the values of a member of a policy, which may be one or a list."""
    return [value] if isinstance(value, str) else value


def granted(sid: str = "") -> set[str]:
    """Return the actions of the policy's statements whose Sid begins so."""
    statements = json.loads((ROOT / "docs" / "iam-policy.json").read_text("utf-8"))["Statement"]
    return {a for s in statements if s["Sid"].startswith(sid) for a in several(s["Action"])}
