"""The checks' own setting in Prowler's config.yaml, which the fixer judges by too."""

import logging
import sys
from typing import Any

logger = logging.getLogger(__name__)

EGRESS_KEY = "sagemaker_models_fail_on_unrestricted_egress"


def read_egress_setting(audit_config: dict[str, Any]) -> bool:
    """Return whether egress open to the internet is a violation: `EGRESS_KEY` in config.yaml.

    Args:
        audit_config: The `aws` section of Prowler's configuration, the same for all of a scan.

    Returns:
        The configured value; False, with a warning, where it is neither true nor false.
    """
    value = audit_config.get(EGRESS_KEY, False)
    if isinstance(value, bool):
        return value
    fall_back(
        audit_config,
        EGRESS_KEY,
        False,
        "must be true or false",
        "the default, false, is used: egress open to the internet is noted and is no violation",
    )
    return False


def fall_back(
    audit_config: dict[str, Any], key: str, default: Any, must: str, consequence: str
) -> None:
    """Warn of a wrong value, and put the default in its place, so that no check warns again.

    Args:
        audit_config: As for `read_egress_setting`.
        key: The value's.
        default: What is used instead.
        must: What it must be, such as "must be true or false".
        consequence: What follows for the verdict.
    """
    sentence = f"prowler.config[aws.{key}] {must}, and is {audit_config[key]!r}; {consequence}."
    audit_config[key] = default
    # Prowler logs from CRITICAL on unless told otherwise, and a stricter rule that was asked for
    # and is not applied must not go unseen.
    if logger.isEnabledFor(logging.WARNING):
        logger.warning(sentence)
    else:
        print(sentence, file=sys.stderr)
