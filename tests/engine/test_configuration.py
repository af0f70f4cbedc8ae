"""The configuration key: what it decides, and what becomes of a wrong value."""

import logging
from typing import Any

import pytest

from ..embedded import engine
from ..embedded.account import Region
from ..embedded.installation import CHECKS
from ..embedded.server import EmbeddedAWS

KEY = "sagemaker_models_fail_on_unrestricted_egress"


@pytest.fixture(scope="module")
def region(aws: EmbeddedAWS) -> str:
    """A region with one model, whose security group has AWS's default egress."""
    made = Region(aws, "eu-central-2")
    vpc = made.vpc()
    made.model("chatty", [made.subnet(vpc)], [made.group(vpc, egress=True)])
    return made.name


def judged(aws: EmbeddedAWS, made: Any) -> Any:
    """Return the finding on the model, of a scan with all of our checks."""
    (finding,) = engine.scan(aws, made, CHECKS)
    return finding


@pytest.mark.parametrize(
    ("config", "status"), [({}, "PASS"), ({KEY: False}, "PASS"), ({KEY: True}, "FAIL")]
)
def test_unrestricted_egress_is_a_violation_on_request(
    aws: EmbeddedAWS, region: str, config: dict[str, Any], status: str
) -> None:
    finding = judged(aws, engine.provider(aws, region, config_content=config))
    assert finding.status == status
    assert "allows egress of all traffic to 0.0.0.0/0" in finding.status_extended


@pytest.mark.parametrize("value", ["true", 1, None, []])
@pytest.mark.parametrize("level", [logging.CRITICAL, logging.WARNING])
def test_a_wrong_value_is_named_once_a_scan_and_the_default_holds(
    aws: EmbeddedAWS,
    region: str,
    value: Any,
    level: int,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    made = engine.provider(aws, region, config_content={KEY: value})
    with caplog.at_level(level):
        finding = judged(aws, made)
    assert finding.status == "PASS"
    sentence = f"prowler.config[aws.{KEY}] must be true or false, and is {value!r}; the default"
    said = [*capsys.readouterr().err.splitlines(), *caplog.messages]
    assert len([line for line in said if sentence in line]) == 1
