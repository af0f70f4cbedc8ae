"""The IAM policy for scanning: just what the calls of every path need, and what is optional."""

from typing import Any

import pytest
from werkzeug.wrappers import Response

from ..embedded import engine
from ..embedded.account import ACCOUNT, EVERYWHERE, Region
from ..embedded.installation import CHECKS
from ..embedded.policy import NOT_TO_GRANT, granted, permission
from ..embedded.server import Answer, Call, EmbeddedAWS, Fault, refuse

REGION = "il-central-1"
ARN = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model/sound"
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


def scan(
    aws: EmbeddedAWS, allowed: set[str] | None = None, **arguments: Any
) -> tuple[Said, set[str]]:
    """Scan, and return what the findings say, and the permissions that the calls need.

    Args:
        allowed: The permissions, if AWS refuses all others.
        arguments: Those of Prowler's provider.
    """

    def fault(call: Call, answer: Answer) -> Response | None:
        always = permission(call) == "sts:GetCallerIdentity"
        return None if always or permission(call) in (allowed or ()) else refuse(call, answer)

    faults: list[Fault] = [] if allowed is None else [fault]
    aws.calls.clear()
    with aws.failing(*faults):
        made = engine.provider(aws, REGION, retries_max_attempts=0, **arguments)
        found = engine.said(engine.scan(aws, made, CHECKS, CHECKS))
    return found, set(map(permission, aws.calls))


@pytest.fixture(scope="module")
def scans(aws: EmbeddedAWS, account: None) -> dict[str, tuple[Said, set[str]]]:
    """A scan with the whole policy, and one without each permission that can be left out."""
    without = {one: scan(aws, granted() - {one}) for one in granted("Optional")}
    return {"": scan(aws, granted()), **without}


def test_the_policy_has_what_the_paths_need_and_nothing_else(aws: EmbeddedAWS, scans: Any) -> None:
    found, needed = scan(aws)
    assert scans[""][0] == found
    _, of_a_model = scan(aws, resource_arn=[ARN])
    _, of_a_tag = scan(aws, resource_tags=["team=risk"])
    needed = needed.union(of_a_model, of_a_tag, *(called for _, called in scans.values()))
    assert needed == granted() | NOT_TO_GRANT


@pytest.mark.parametrize("left_out", sorted(granted("Optional")))
def test_what_is_optional_changes_nothing_but_what_it_is_for(scans: Any, left_out: str) -> None:
    everything, found = scans[""][0], scans[left_out][0]
    changed = [key for key in everything if found[key] != everything[key]]
    firewall = [(REGION, "behind-firewall")] if left_out == "ec2:DescribeVpcEndpoints" else []
    assert changed == firewall
    for key in changed:
        assert found[key][0] == "MANUAL"
        assert f"allow {left_out}" in found[key][1]
