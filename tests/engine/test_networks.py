"""What EC2 sends is read: a network for each member of its answers that a verdict rests on."""

from typing import Any

import pytest

from ..embedded import engine, networks
from ..embedded.server import EmbeddedAWS


@pytest.fixture(scope="module")
def cases(aws: EmbeddedAWS) -> dict[str, tuple[str, tuple[str, ...]]]:
    return networks.build(aws)


@pytest.fixture(scope="module")
def found(aws: EmbeddedAWS, cases: dict[str, Any]) -> dict[str, Any]:
    """The findings by the model's name; `aws.calls` has the calls."""
    made = engine.provider(aws, networks.REGION, retries_max_attempts=0)
    aws.calls.clear()
    return {finding.resource_id: finding for finding in engine.scan(aws, made)}


def test_each_network_gets_its_verdict_with_the_evidence(
    cases: dict[str, tuple[str, tuple[str, ...]]], found: dict[str, Any]
) -> None:
    assert {name: f.status for name, f in found.items()} == {
        name: status for name, (status, _) in cases.items()
    }
    unsaid = {
        name: (part, found[name].status_extended)
        for name, (_, words) in cases.items()
        for part in words
        if part not in found[name].status_extended
    }
    assert unsaid == {}


def test_arns_are_spelled_as_aws_spells_them(found: dict[str, Any]) -> None:
    for name in ("ARN-in-Small-Letters", "ARN-in-Small-Letters-described"):
        assert found[name].resource_arn.endswith(f":model/{name}")


def test_prefix_lists_are_read_once_each(aws: EmbeddedAWS, found: dict[str, Any]) -> None:
    calls = [call for call in aws.calls if call.api == "GetManagedPrefixListEntries"]
    read = [call.parameters["PrefixListId"] for call in calls]
    assert len(read) == len(set(read)) > 1
