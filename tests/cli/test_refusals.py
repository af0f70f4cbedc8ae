"""What a scan says where AWS refuses one of its calls: one region for each API, in one scan."""

import pytest

from ..embedded.account import Region
from ..embedded.installation import CHECK, Installation, Scan
from ..embedded.server import EmbeddedAWS, error, on, refuse

REFUSED = {
    "ca-central-1": ("ListModels", "AccessDeniedException; allow sagemaker:ListModels"),
    "eu-north-1": ("DescribeModel", "AccessDeniedException; allow sagemaker:DescribeModel"),
    "eu-west-2": ("DescribeSubnets", "UnauthorizedOperation; allow ec2:DescribeSubnets"),
    "eu-west-3": ("DescribeRouteTables", "UnauthorizedOperation; allow ec2:DescribeRouteTables"),
    "sa-east-1": (
        "DescribeSecurityGroups",
        "UnauthorizedOperation; allow ec2:DescribeSecurityGroups",
    ),
}
OPTIONAL = {"us-west-1": "Search", "ap-northeast-3": "ListTags"}
DENIED_BY_SCP, DENIED_REGION = "us-west-2", "ap-northeast-1"
NOT_REFUSED = "us-east-2"


@pytest.fixture(scope="module")
def scan(
    aws: EmbeddedAWS, installed: Installation, tmp_path_factory: pytest.TempPathFactory
) -> Scan:
    """A scan of regions that are alike but for the API that is refused in each."""
    for name in (*REFUSED, *OPTIONAL, DENIED_BY_SCP, DENIED_REGION, NOT_REFUSED):
        region = Region(aws, name)
        vpc = region.vpc()
        subnet, group = region.subnet(vpc), region.group(vpc)
        region.model("sound", [subnet], [group], tags={"team": "risk"})
        region.model("open", [subnet], [region.group(vpc, "0.0.0.0/0")])
    denial = error(
        "AccessDeniedException",
        "User: arn:aws:iam::1:user/x is not authorized to perform: sagemaker:DescribeModel with an "
        "explicit deny in a service control policy",
    )
    faults = [on(api, region)(refuse) for region, (api, _) in REFUSED.items()]
    faults += [on(api, region)(refuse) for region, api in OPTIONAL.items()]
    # Models are described, and their tags listed, where Search does not tell.
    faults += [
        on("Search", region)(refuse) for region in ("eu-north-1", "ap-northeast-3", DENIED_BY_SCP)
    ]
    faults += [on("DescribeModel", DENIED_BY_SCP)(denial), on("ListModels", DENIED_REGION)(denial)]
    with aws.failing(*faults):
        return installed.scan(
            *(aws, tmp_path_factory.mktemp("refusals"), "--checks", CHECK, "--region"),
            *(*REFUSED, *OPTIONAL, DENIED_BY_SCP, DENIED_REGION, NOT_REFUSED),
        )


@pytest.mark.parametrize(("region", "api", "words"), [(r, *rest) for r, rest in REFUSED.items()])
def test_a_refusal_is_manual_with_its_cause_and_the_permission(
    scan: Scan, region: str, api: str, words: str
) -> None:
    found = scan.findings()
    row = found[region, "model/unknown" if api == "ListModels" else "sound"]
    assert row["STATUS"] == "MANUAL"
    assert words in row["STATUS_EXTENDED"]


@pytest.mark.parametrize("region", ["eu-west-2", "eu-west-3"])
def test_a_violation_that_is_known_still_fails(scan: Scan, region: str) -> None:
    row = scan.findings()[region, "open"]
    assert row["STATUS"] == "FAIL"
    assert "allows ingress of tcp 443 from 0.0.0.0/0. Not known: " in row["STATUS_EXTENDED"]


def test_a_region_whose_list_is_refused_gives_one_finding(scan: Scan) -> None:
    assert [key for key in scan.findings() if key[0] == "ca-central-1"] == [
        ("ca-central-1", "model/unknown")
    ]


def test_no_region_is_lost_to_another(scan: Scan) -> None:
    found = scan.findings()
    assert found[NOT_REFUSED, "sound"]["STATUS"] == "PASS"
    assert found[NOT_REFUSED, "open"]["STATUS"] == "FAIL"
    regions = {*REFUSED, *OPTIONAL, DENIED_BY_SCP, DENIED_REGION, NOT_REFUSED}
    assert {region for region, _ in found} == regions


@pytest.mark.parametrize(("region", "api"), OPTIONAL.items())
def test_an_optional_permission_decides_no_verdict(scan: Scan, region: str, api: str) -> None:
    found = scan.findings()
    assert (found[region, "sound"]["STATUS"], found[region, "open"]["STATUS"]) == ("PASS", "FAIL")
    assert found[region, "sound"]["RESOURCE_TAGS"] == ("" if api == "ListTags" else "team=risk")


def test_a_deny_that_no_grant_lifts_is_named(scan: Scan) -> None:
    reason = scan.findings()[DENIED_BY_SCP, "sound"]["STATUS_EXTENDED"]
    assert (
        "(AccessDeniedException, explicit deny in a service control policy; change that policy, "
        "because to allow sagemaker:DescribeModel elsewhere is not enough)" in reason
    )


def test_a_region_that_is_denied_can_be_left_out(scan: Scan) -> None:
    reason = scan.findings()[DENIED_REGION, "model/unknown"]["STATUS_EXTENDED"]
    assert (
        "explicit deny in a service control policy; leave the region out (--excluded-region "
        f"{DENIED_REGION}), or change the policy)" in reason
    )
