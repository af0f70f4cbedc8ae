"""cfn-lint, imported where it is used: that takes seconds, and every worker imports all tests."""

from collections.abc import Sequence
from typing import Any


def lint(template: str, regions: Sequence[str]) -> list[Any]:
    """Return what cfn-lint has against a template in some regions."""
    from cfnlint.api import lint as found

    return list(found(template, regions=list(regions)))


def decode(template: str) -> dict[str, Any]:
    """Return a template in YAML as a dictionary."""
    from cfnlint.decode.decode import decode_str

    decoded, _ = decode_str(template)
    return dict(decoded)


def action_reference() -> dict[str, Any]:
    """Return IAM's actions by service, with the resources that each can be limited to."""
    from cfnlint.data import AdditionalSpecs
    from cfnlint.helpers import load_resource

    return dict(load_resource(AdditionalSpecs, "Policies.json"))
