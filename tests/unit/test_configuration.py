"""The settings' warnings, each once a scan."""

from typing import Any

import pytest

from checks.sagemaker_models_network_isolation_enabled.lib.configuration import (
    read_egress_setting,
    read_prefix_limits,
    read_unused_severity,
)

EGRESS = "sagemaker_models_fail_on_unrestricted_egress"
ALONE = "holds the plugin's settings and none of Prowler's own"
WARNINGS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "nothing is set": ({}, []),
    "only Prowler's": ({"ec2_allowed_instance_owners": []}, []),
    "both": ({"ec2_allowed_instance_owners": [], EGRESS: True}, []),
    "Prowler's are gone": ({EGRESS: True}, [ALONE]),
    "and one is wrong": ({EGRESS: "yes"}, [ALONE, "must be true or false, and is 'yes'"]),
}


@pytest.mark.parametrize(("config", "expected"), WARNINGS.values(), ids=WARNINGS)
def test_what_is_warned_of(
    config: dict[str, Any], expected: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    config = dict(config)
    for _ in range(3):  # by each of the checks
        read_egress_setting(config)
        read_prefix_limits(config)
        read_unused_severity(config)
    said = caplog.messages
    assert len(said) == len(expected)
    assert all(words in line for words, line in zip(expected, said, strict=True))
