"""The configuration keys: what they decide, and that a wrong value decides nothing."""

import logging
from typing import Any

import pytest

from ..embedded import engine
from ..embedded.account import Region
from ..embedded.server import EmbeddedAWS, change, on

RANGES, USES = "ap-northeast-2", "us-west-1"
EGRESS = "sagemaker_models_fail_on_unrestricted_egress"
IPV4, IPV6 = "sagemaker_models_broadest_ipv4_source", "sagemaker_models_broadest_ipv6_source"
UNUSED = "sagemaker_models_severity_if_unused"


@pytest.fixture(scope="module")
def ranges(aws: EmbeddedAWS) -> None:
    """A model for each of some ranges, and one that may send everywhere."""
    region = Region(aws, RANGES)
    vpc = region.vpc()
    subnet = region.subnet(vpc)
    for name, *blocks in (
        ("a-23", "198.51.0.0/23"),
        ("a-24", "198.51.100.0/24"),
        ("two-24", "198.51.100.0/24", "198.51.101.0/24"),
        ("provider", "2a06:98c0::/29"),
    ):
        region.model(name, [subnet], [region.group(vpc, *blocks)])
    region.model("chatty", [subnet], [region.group(vpc, egress=True)])


LINE = "broader than a /24 or an IPv6 /29, as configured)"
PROVIDER = {"provider": "from 2a06:98c0::/29. No endpoint"}
# The settings, the models that fail by them, and the keys whose value is wrong.
CONFIGS: dict[str, tuple[dict[str, Any], dict[str, str], set[str]]] = {
    "the default": ({}, PROVIDER, set()),
    "egress fails": ({EGRESS: True}, {**PROVIDER, "chatty": "allows egress of all"}, set()),
    "a provider's range is named": ({EGRESS: False, IPV6: 29}, {}, set()),
    "the line of Prowler's own check": (
        {IPV4: 24, IPV6: 29},
        {"a-23": f"from 198.51.0.0/23 ({LINE}", "two-24": f"/24 (joined with others, {LINE}"},
        set(),
    ),
    "wrong types": ({EGRESS: 1, IPV4: "24", IPV6: 129}, PROVIDER, {EGRESS, IPV4, IPV6}),
    "what would let everything in": ({IPV4: 0, IPV6: True}, PROVIDER, {IPV4, IPV6}),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_what_a_setting_decides(
    aws: EmbeddedAWS, ranges: None, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    config, failing, wrong = CONFIGS[name]
    with caplog.at_level(logging.WARNING):
        found = engine.scan(aws, engine.provider(aws, RANGES, config_content=dict(config)))
    failed = {f.resource_id: f.status_extended for f in found if f.status == "FAIL"}
    assert set(failed) == set(failing)
    assert all(words in failed[name] for name, words in failing.items())
    for key in (EGRESS, IPV4, IPV6):
        assert caplog.text.count(f"prowler.config[aws.{key}] must be ") == (key in wrong)


# What Search's record of a failing model says of its use, and whether it has a lower severity then.
RECORDS: dict[str, tuple[dict[str, Any], bool]] = {
    "unused": ({}, True),
    "unused-too": ({"MonitoringSchedules": []}, True),
    "served": ({"Endpoints": [{"EndpointName": "e"}]}, False),
    "transformed": ({"LastBatchTransformJob": {"TransformJobName": "job"}}, False),
    "monitored": ({"MonitoringSchedules": [{"EndpointName": "e"}]}, False),
    "unclear-endpoints": ({"Endpoints": None}, False),
    "unclear-job": ({"LastBatchTransformJob": {"Status": "Completed"}}, False),
}


def test_the_severity_follows_use_on_request(aws: EmbeddedAWS) -> None:
    region = Region(aws, USES)
    vpc = region.vpc()
    network = [region.subnet(vpc)], [region.group(vpc)]
    for name in RECORDS:
        region.model(name, *network, isolated=False)
    region.model("sound", *network)

    def use(answer: dict[str, Any]) -> None:
        for result in answer["Results"]:
            edit, _ = RECORDS.get(result["Model"]["Model"]["ModelName"], ({}, False))
            result["Model"].update(edit)

    def lowered(value: str) -> dict[str, str]:
        made = engine.provider(aws, USES, config_content={UNUSED: value})
        with aws.failing(on("Search", USES)(change(use))):
            severities = {
                f.resource_id: f.check_metadata.Severity.value for f in engine.scan(aws, made)
            }
        return {name: severity for name, severity in severities.items() if severity != "high"}

    assert lowered("low") == {name: "low" for name, (_, is_unused) in RECORDS.items() if is_unused}
    assert lowered("critical") == lowered("Low") == {}  # never raised, and no such severity
