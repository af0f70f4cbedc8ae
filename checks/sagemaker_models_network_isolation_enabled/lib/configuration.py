"""The checks' own settings in the `aws` section of Prowler's config.yaml."""

import logging
import sys
from collections.abc import Callable
from typing import Any, TypeVar

from .ranges import PREFIX_LIMITS, PrefixLimits

logger = logging.getLogger(__name__)

_EGRESS = "sagemaker_models_fail_on_unrestricted_egress"
_LIMIT_KEYS = {  # by IP version, with the longest prefix
    4: ("sagemaker_models_broadest_ipv4_source", 32),
    6: ("sagemaker_models_broadest_ipv6_source", 128),
}
_SEVERITY = "sagemaker_models_severity_if_unused"
_SEVERITIES = ("critical", "high", "medium", "low", "informational")
_KEYS = {_EGRESS, _SEVERITY, *(key for key, _ in _LIMIT_KEYS.values())}
_WARNED = "sagemaker_models_warned"  # a member that the section is given here

T = TypeVar("T")


def read_egress_setting(audit_config: dict[str, Any]) -> bool:
    """Return whether egress open to the internet is a violation; false unless it is set.

    Args:
        audit_config: The `aws` section of Prowler's configuration, the same for all of a scan. A
            wrong value is warned of once and replaced in it by the default; so for all settings.
    """
    return _read(
        audit_config,
        _EGRESS,
        False,
        lambda value: isinstance(value, bool),
        "must be true or false",
        "the default, false, is used: egress open to the internet is noted and is no violation",
    )


def read_prefix_limits(audit_config: dict[str, Any]) -> PrefixLimits:
    """Return the shortest prefix of a range that is still a named source, as prefix lengths.

    Args:
        audit_config: As for `read_egress_setting`.

    Returns:
        The prefix lengths by IP version; AWS's own unless they are set.
    """

    def prefix(version: int, key: str, longest: int) -> int:
        return _read(
            audit_config,
            key,
            PREFIX_LIMITS[version],
            lambda value: type(value) is int and 1 <= value <= longest,
            f"must be a prefix length from 1 to {longest}",
            f"the default, {PREFIX_LIMITS[version]}, is used",
        )

    return {version: prefix(version, *about) for version, about in _LIMIT_KEYS.items()}


def read_unused_severity(audit_config: dict[str, Any]) -> str | None:
    """Return the severity of a failing model that nothing is seen to use; None for the check's own.

    Args:
        audit_config: As for `read_egress_setting`.
    """
    unset: str | None = None
    return _read(
        audit_config,
        _SEVERITY,
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
    if audit_config and audit_config.keys() <= _KEYS:  # as a second `aws:` in the file leaves it
        audit_config[_WARNED] = True
        _warn(
            "prowler.config[aws] holds the plugin's settings and none of Prowler's own: put them "
            "under the one `aws:` of a copy of Prowler's config.yaml, because of two `aws:` the "
            "last one counts."
        )
    value: T = audit_config.get(key, default)
    if is_valid(value):
        return value
    audit_config[key] = default
    _warn(f"prowler.config[aws.{key}] {must}, and is {value!r}; {consequence}.")
    return default


def _warn(sentence: str) -> None:
    # Prowler logs from CRITICAL on unless told otherwise, and a stricter rule that was asked for
    # and is not applied must not go unseen.
    if logger.isEnabledFor(logging.WARNING):
        logger.warning(sentence)
    else:
        print(sentence, file=sys.stderr)
