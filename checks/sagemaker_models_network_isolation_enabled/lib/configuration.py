"""The check's own setting in Prowler's config.yaml, which the fixer judges by too."""

import logging
import sys
from typing import Any

logger = logging.getLogger(__name__)

EGRESS_KEY = "sagemaker_models_fail_on_unrestricted_egress"


def read_egress_setting(audit_config: dict[str, Any]) -> bool:
    """Return whether egress open to the internet is a violation: `EGRESS_KEY` in config.yaml.

    Args:
        audit_config: The `aws` section of Prowler's configuration.

    Returns:
        The configured value; False, with a warning, where it is neither true nor false.
    """
    value = audit_config.get(EGRESS_KEY, False)
    if isinstance(value, bool):
        return value
    sentence = (
        f"prowler.config[aws.{EGRESS_KEY}] must be true or false, and is {value!r}; the default, "
        "false, is used: egress open to the internet is noted and is no violation."
    )
    # Prowler logs from CRITICAL on unless told otherwise, and a stricter rule that was asked for
    # and is not applied must not go unseen.
    if logger.isEnabledFor(logging.WARNING):
        logger.warning(sentence)
    else:
        print(sentence, file=sys.stderr)
    return False
