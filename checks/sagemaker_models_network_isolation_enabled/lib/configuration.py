"""The checks' own settings in Prowler's config.yaml, which the fixer judges by too."""

import logging
import sys
from collections.abc import Callable
from typing import Any, TypeVar

from .ranges import BROADEST, Broadest

logger = logging.getLogger(__name__)

_EGRESS_KEY = "sagemaker_models_fail_on_unrestricted_egress"
# By IP version; the longest prefix that each has.
_BROADEST_KEYS = {
    4: ("sagemaker_models_broadest_ipv4_source", 32),
    6: ("sagemaker_models_broadest_ipv6_source", 128),
}
_SEVERITY_KEY = "sagemaker_models_severity_if_unused"
_SEVERITIES = ("critical", "high", "medium", "low", "informational")

T = TypeVar("T")


def read_egress_setting(audit_config: dict[str, Any]) -> bool:
    """Return whether egress open to the internet is a violation: `_EGRESS_KEY` in config.yaml.

    Args:
        audit_config: The `aws` section of Prowler's configuration, the same for all of a scan.

    Returns:
        The configured value; False, with a warning, where it is neither true nor false.
    """
    return _read(
        audit_config,
        _EGRESS_KEY,
        False,
        lambda value: isinstance(value, bool),
        "must be true or false",
        "the default, false, is used: egress open to the internet is noted and is no violation",
    )


def read_broadest_sources(audit_config: dict[str, Any]) -> Broadest:
    """Return the broadest public range that is still a named source: `_BROADEST_KEYS`.

    Args:
        audit_config: As for `read_egress_setting`.

    Returns:
        The prefix lengths by IP version; AWS's own, with a warning, where one is not valid.
    """

    def prefix(version: int, key: str, longest: int) -> int:
        return _read(
            audit_config,
            key,
            BROADEST[version],
            lambda value: type(value) is int and 1 <= value <= longest,
            f"must be a prefix length from 1 to {longest}",
            f"the default, {BROADEST[version]}, is used",
        )

    return {version: prefix(version, *about) for version, about in _BROADEST_KEYS.items()}


def read_unused_severity(audit_config: dict[str, Any]) -> str | None:
    """Return the severity of a failing model that nothing is seen to use: `_SEVERITY_KEY`.

    Args:
        audit_config: As for `read_egress_setting`.

    Returns:
        One of `_SEVERITIES`; None for the check's own, with a warning where it is none of them.
    """
    unset: str | None = None
    return _read(
        audit_config,
        _SEVERITY_KEY,
        unset,
        lambda value: value is None or value in _SEVERITIES,
        f"must be one of {', '.join(_SEVERITIES)}",
        "the severity of the check is used for every model",
    )


def _read(
    audit_config: dict[str, Any],
    key: str,
    default: T,
    is_valid: Callable[[Any], bool],
    must: str,
    consequence: str,
) -> T:
    """Return a setting; of a wrong value, warn once and put the default in its place."""
    value: T = audit_config.get(key, default)
    if is_valid(value):
        return value
    audit_config[key] = default
    sentence = f"prowler.config[aws.{key}] {must}, and is {value!r}; {consequence}."
    # Prowler logs from CRITICAL on unless told otherwise, and a stricter rule that was asked for
    # and is not applied must not go unseen.
    if logger.isEnabledFor(logging.WARNING):
        logger.warning(sentence)
    else:
        print(sentence, file=sys.stderr)
    return default
