"""The checks' own settings in the `aws` section of Prowler's config.yaml."""

import logging
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from .ranges import PREFIX_LIMITS, PrefixLimits

logger = logging.getLogger(__name__)

_SEVERITIES = ("critical", "high", "medium", "low", "informational")
_WARNED = "sagemaker_models_warned"  # a member that the section is given here


class _Setting(NamedTuple):
    default: Any
    is_valid: Callable[[Any], bool]
    must: str
    consequence: str


def _prefix(version: int, longest: int) -> _Setting:
    return _Setting(
        PREFIX_LIMITS[version],
        lambda value: type(value) is int and 1 <= value <= longest,
        f"must be a prefix length from 1 to {longest}",
        f"the default, {PREFIX_LIMITS[version]}, is used",
    )


_EGRESS = "sagemaker_models_fail_on_unrestricted_egress"
_IPV4, _IPV6 = "sagemaker_models_broadest_ipv4_source", "sagemaker_models_broadest_ipv6_source"
_SEVERITY = "sagemaker_models_severity_if_unused"
_SETTINGS = {
    _EGRESS: _Setting(
        False,
        lambda value: isinstance(value, bool),
        "must be true or false",
        "the default, false, is used: egress open to the internet is noted and is no violation",
    ),
    _IPV4: _prefix(4, 32),
    _IPV6: _prefix(6, 128),
    _SEVERITY: _Setting(
        None,
        lambda value: value is None or value in _SEVERITIES,
        f"must be one of {', '.join(_SEVERITIES)}",
        "the severity of the check is used for every model",
    ),
}


def read_egress_setting(audit_config: dict[str, Any]) -> bool:
    """Return whether egress open to the internet is a violation; false unless it is set.

    Args:
        audit_config: The `aws` section of Prowler's configuration, the same for all of a scan. A
            wrong value is warned of once and replaced in it by the default; so for all settings.
    """
    return bool(_read(audit_config, _EGRESS))


def read_prefix_limits(audit_config: dict[str, Any]) -> PrefixLimits:
    """Return the shortest prefix of a range that is still a named source, by IP version."""
    return {4: _read(audit_config, _IPV4), 6: _read(audit_config, _IPV6)}


def read_unused_severity(audit_config: dict[str, Any]) -> str | None:
    """Return the severity of a failing model that nothing is seen to use; None for the check's."""
    severity: str | None = _read(audit_config, _SEVERITY)
    return severity


def _read(audit_config: dict[str, Any], key: str) -> Any:
    if audit_config and audit_config.keys() <= _SETTINGS.keys():  # as a second `aws:` leaves it
        audit_config[_WARNED] = True
        _warn(
            "prowler.config[aws] holds the plugin's settings and none of Prowler's own: put them "
            "under the one `aws:` of a copy of Prowler's config.yaml, because of two `aws:` the "
            "last one counts."
        )
    setting = _SETTINGS[key]
    value = audit_config.get(key, setting.default)
    if setting.is_valid(value):
        return value
    audit_config[key] = setting.default
    _warn(f"prowler.config[aws.{key}] {setting.must}, and is {value!r}; {setting.consequence}.")
    return setting.default


def _warn(sentence: str) -> None:
    # Prowler logs from CRITICAL on unless told otherwise, and a stricter rule that was asked for
    # and is not applied must not go unseen.
    if logger.isEnabledFor(logging.WARNING):
        logger.warning(sentence)
    else:
        print(sentence, file=sys.stderr)
