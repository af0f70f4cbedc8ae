"""The IAM policy for scanning: just what the calls of every path need, and what is optional."""

from typing import Any

import pytest
from werkzeug.wrappers import Response

from ..embedded import engine
from ..embedded.account import ACCOUNT, EVERYWHERE, Region
from ..embedded.installation import CHECK, CHECKS
from ..embedded.policy import NOT_TO_GRANT, granted, permission
from ..embedded.server import Answer, Call, EmbeddedAWS, Fault, on, refuse

REGION, TAG = "il-central-1", "team=risk"
ARN = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model/sound"
# The paths of a scan: the arguments of Prowler's provider, and what AWS refuses.
PATHS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "Search works": ({}, []),
    "Search is refused": ({}, ["Search"]),
    "limited to a model": ({"resource_arn": [ARN]}, []),
    "limited to a model, and Search is refused": ({"resource_arn": [ARN]}, ["Search"]),
    "limited to a tag": ({"resource_tags": [TAG]}, []),
}
# What is MANUAL without a permission that can be left out.
UNKNOWN_WITHOUT = {"ec2:DescribeVpcEndpoints": {"behind-firewall"}}
Said = dict[tuple[str, str], tuple[Any, ...]]


@pytest.fixture(scope="module", autouse=True)
def account(aws: EmbeddedAWS) -> None:
    """All that a scan may have to read."""
    region = Region(aws, REGION)
    vpc, apart = region.vpc(), region.vpc()
    private, closed = [region.subnet(vpc)], [region.group(vpc)]
    tags = {"team": "risk"}
    region.model("sound", private, closed, tags=tags)
    region.model("in-no-vpc")
    region.model("by-list", private, [region.group(vpc, region.prefix_list(EVERYWHERE))])
    firewall = {"VpcEndpointId": region.firewall(apart, region.subnet(apart))}
    table = region.table(apart, {"DestinationCidrBlock": EVERYWHERE, **firewall})
    region.model("behind-firewall", [region.subnet(apart, table)], [region.group(apart)])
    region.components("components", private, closed)
    for kind in ("DataQuality", "ModelBias", "ModelExplainability", "ModelQuality"):
        region.schedule(f"watch-{kind}", private, closed, kind=kind, tags=tags)


def scan(aws: EmbeddedAWS, *faults: Fault, **arguments: Any) -> Said:
    """Scan, and return what the findings say; `aws.calls` has the calls, Prowler's own included."""
    aws.calls.clear()
    with aws.failing(*faults):
        made = engine.provider(aws, REGION, retries_max_attempts=0, **arguments)
        return engine.said(engine.scan(aws, made, CHECKS, CHECKS))


def only(allowed: set[str]) -> Fault:
    """Return a fault: AWS refuses every call but those that a policy allows."""

    def fault(call: Call, answer: Answer) -> Response | None:
        always = permission(call) == "sts:GetCallerIdentity"
        return None if always or permission(call) in allowed else refuse(call, answer)

    return fault


def test_the_policy_has_what_the_paths_need_and_nothing_else(aws: EmbeddedAWS) -> None:
    needed = set()
    for arguments, refused in PATHS.values():
        assert scan(aws, *(on(api)(refuse) for api in refused), **arguments)
        needed |= set(map(permission, aws.calls))
    assert needed - NOT_TO_GRANT == granted()


def test_beside_other_checks_ours_makes_no_call_that_the_policy_lacks(aws: EmbeddedAWS) -> None:
    made = engine.provider(aws, REGION)
    calls = []
    for checks in ([engine.SISTER], [engine.SISTER, *CHECKS]):
        aws.calls.clear()
        engine.scan(aws, made, checks, CHECK)
        calls.append(set(map(permission, aws.calls)))
    assert calls[1] - calls[0] <= granted()


def test_a_scan_with_just_the_policy_says_all(aws: EmbeddedAWS) -> None:
    assert scan(aws, only(granted())) == scan(aws)


@pytest.mark.parametrize("left_out", sorted(granted("Optional")))
def test_what_is_optional_changes_nothing_but_what_it_is_for(
    aws: EmbeddedAWS, left_out: str
) -> None:
    everything, found = scan(aws), scan(aws, only(granted() - {left_out}))
    changed = {
        name for region, name in everything if found[region, name] != everything[region, name]
    }
    assert changed == UNKNOWN_WITHOUT.get(left_out, set())
    for name in changed:
        assert found[REGION, name][0] == "MANUAL"
        assert f"allow {left_out}" in found[REGION, name][1]
