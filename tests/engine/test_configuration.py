"""The configuration keys: what they decide, and what becomes of a wrong value."""

import logging
from typing import Any

import pytest
from prowler.lib.check.models import Severity

from ..embedded import engine
from ..embedded.account import Region
from ..embedded.installation import CHECKS
from ..embedded.server import EmbeddedAWS, change, on, refuse

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


@pytest.mark.parametrize(
    ("value", "level"),
    [("true", logging.CRITICAL), ("true", logging.WARNING), (1, logging.WARNING)],
)
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


IPV4, IPV6 = "sagemaker_models_broadest_ipv4_source", "sagemaker_models_broadest_ipv6_source"


@pytest.fixture(scope="module")
def ranges(aws: EmbeddedAWS) -> str:
    """A region with a model for each of some ranges."""
    made = Region(aws, "ap-northeast-2")
    vpc = made.vpc()
    subnet = made.subnet(vpc)
    for name, blocks in {
        "a-23": ["198.51.0.0/23"],
        "a-24": ["198.51.100.0/24"],
        "two-24": ["198.51.100.0/24", "198.51.101.0/24"],
        "provider": ["2a06:98c0::/29"],
    }.items():
        made.model(name, [subnet], [made.group(vpc, *blocks)])
    return made.name


BROADEST: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "the default": (
        {},
        {"provider": "from 2a06:98c0::/29. No endpoint"},
    ),
    "one provider's range is a named source": ({IPV6: 29}, {}),
    "the line of Prowler's own check": (
        {IPV4: 24, IPV6: 29},
        {
            "a-23": "from 198.51.0.0/23 (broader than a /24 or an IPv6 /29, as configured)",
            "two-24": "from 198.51.101.0/24 (joined with others, broader than a /24 or an IPv6 "
            "/29, as configured)",
        },
    ),
    "no prefix length": (
        {IPV4: "24", IPV6: 129},
        {"provider": "from 2a06:98c0::/29. No endpoint"},
    ),
    "what would let everything in": ({IPV4: 0, IPV6: True}, {"provider": "2a06:98c0::/29. No"}),
}


@pytest.mark.parametrize(("config", "failing"), BROADEST.values(), ids=BROADEST)
def test_the_broadest_named_source(
    aws: EmbeddedAWS,
    ranges: str,
    config: dict[str, Any],
    failing: dict[str, str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    wrong = [key for key, value in config.items() if value not in (24, 29)]
    with caplog.at_level(logging.WARNING):
        found = engine.scan(aws, engine.provider(aws, ranges, config_content=config))
    failed = {f.resource_id: f.status_extended for f in found if f.status == "FAIL"}
    assert set(failed) == set(failing)
    for name, words in failing.items():
        assert words in failed[name]
    for key in (IPV4, IPV6):
        sentence = f"prowler.config[aws.{key}] must be a prefix length from 1 to"
        assert caplog.text.count(sentence) == (key in wrong)


UNUSED = "sagemaker_models_severity_if_unused"


@pytest.fixture(scope="module")
def used(aws: EmbeddedAWS) -> str:
    """A region with failing models of which an endpoint, a transform job or nothing uses one."""
    made = Region(aws, "us-west-1")
    vpc = made.vpc()
    for name in ("first-unused", "served", "transformed", "unused"):
        made.model(name, [made.subnet(vpc)], [made.group(vpc)], isolated=False)
    made.model("sound", [made.subnet(vpc)], [made.group(vpc)])
    made.endpoint("endpoint", "served")
    return made.name


def severities(aws: EmbeddedAWS, region: str, value: Any, *faults: Any) -> dict[str, str]:
    """Return the severity of each model's finding, where the key has a value."""

    def transform(answer: dict[str, Any]) -> None:
        for result in answer["Results"]:
            if result["Model"]["Model"]["ModelName"] == "transformed":
                result["Model"]["LastBatchTransformJob"] = {"TransformJobName": "job"}

    with aws.failing(*(faults or (on("Search", region)(change(transform)),))):
        config = {} if value is None else {UNUSED: value}
        found = engine.scan(aws, engine.provider(aws, region, config_content=config))
    assert {f.resource_id for f in found if f.status != "FAIL"} == {"sound"}
    return {f.resource_id: f.check_metadata.Severity.value for f in found}


def test_the_severity_follows_use_on_request(
    aws: EmbeddedAWS, used: str, caplog: pytest.LogCaptureFixture
) -> None:
    names = ("first-unused", "served", "sound", "transformed", "unused")
    own = dict.fromkeys(names, "high")
    assert severities(aws, used, None) == own
    lowered = {**own, "first-unused": "low", "unused": "low"}
    assert severities(aws, used, "low") == lowered
    # Never raised; and where Search says nothing, nothing changes.
    assert severities(aws, used, "critical") == own
    assert severities(aws, used, "low", on("Search", used)(refuse)) == own

    def unclear(answer: dict[str, Any]) -> None:
        for result in answer["Results"]:
            result["Model"]["LastBatchTransformJob"] = {"Status": "Completed"}

    assert severities(aws, used, "low", on("Search", used)(change(unclear))) == own
    assert UNUSED not in caplog.text
    with caplog.at_level(logging.WARNING):
        assert severities(aws, used, "Low") == own
    every = ", ".join(severity.value for severity in Severity)
    assert f"prowler.config[aws.{UNUSED}] must be one of {every}, and is 'Low'" in caplog.text
