"""What a scan says where AWS refuses one of its calls: one region for each API, in one scan."""

import pytest

from ..embedded.account import Region
from ..embedded.installation import CHECK, Installation, Scan
from ..embedded.server import EmbeddedAWS, Fault, error, on, refuse

DENIAL = error(
    "AccessDeniedException",
    "User: arn:aws:iam::1:user/x is not authorized to perform: sagemaker:X with an explicit deny "
    "in a service control policy",
)
DENIED = "AccessDeniedException, explicit deny in a service control policy; "
UNKNOWN = "model/unknown"
# By region: the API, the fault, the model that is MANUAL, and the cause that it names.
MANUAL: dict[str, tuple[str, Fault, str, str]] = {
    "ca-central-1": ("ListModels", refuse, UNKNOWN, "allow sagemaker:ListModels"),
    "ap-northeast-1": (
        "ListModels",
        DENIAL,
        UNKNOWN,
        f"{DENIED}leave the region out (add ap-northeast-1",
    ),
    "eu-north-1": ("DescribeModel", refuse, "sound", "allow sagemaker:DescribeModel"),
    "us-west-2": (
        "DescribeModel",
        DENIAL,
        "sound",
        f"{DENIED}change that policy, because to allow",
    ),
    "eu-west-2": ("DescribeSubnets", refuse, "sound", "allow ec2:DescribeSubnets"),
    "eu-west-3": ("DescribeRouteTables", refuse, "sound", "allow ec2:DescribeRouteTables"),
    "sa-east-1": ("DescribeSecurityGroups", refuse, "sound", "allow ec2:DescribeSecurityGroups"),
    "us-east-2": ("DescribeSubnets", error("InternalError", status=500), "sound", "; scan again)"),
}
OPTIONAL = {"us-west-1": "Search", "ap-northeast-3": "ListTags"}


@pytest.fixture(scope="module")
def scan(
    aws: EmbeddedAWS, installed: Installation, tmp_path_factory: pytest.TempPathFactory
) -> Scan:
    """A scan of regions that are alike but for the API that fails in each."""
    faults = [on(api, region)(fault) for region, (api, fault, _, _) in MANUAL.items()]
    faults += [on(api, region)(refuse) for region, api in OPTIONAL.items()]
    for name in (*MANUAL, *OPTIONAL):
        region = Region(aws, name)
        vpc = region.vpc()
        subnet, group = region.subnet(vpc), region.group(vpc)
        region.model("sound", [subnet], [group], tags={"team": "risk"})
        region.model("open", [subnet], [region.group(vpc, "0.0.0.0/0")])
    # Models are described, and their tags listed, where Search does not tell.
    faults += [
        on("Search", region)(refuse) for region in ("eu-north-1", "ap-northeast-3", "us-west-2")
    ]
    arguments = ("--checks", CHECK, "--region", *MANUAL, *OPTIONAL)
    with aws.failing(*faults):
        return installed.scan(aws, tmp_path_factory.mktemp("refusals"), *arguments)


@pytest.mark.parametrize("region", MANUAL)
def test_a_fault_is_manual_with_its_cause_and_what_to_do(scan: Scan, region: str) -> None:
    api, _, name, words = MANUAL[region]
    found = {key: row for key, row in scan.findings().items() if key[0] == region}
    assert set(found) == {(region, n) for n in ([name] if name == UNKNOWN else ["sound", "open"])}
    assert found[region, name]["STATUS"] == "MANUAL"
    assert words in found[region, name]["STATUS_EXTENDED"]
    if api in ("DescribeSubnets", "DescribeRouteTables"):  # what is open is known
        assert found[region, "open"]["STATUS"] == "FAIL"
        assert "from 0.0.0.0/0. Not known: " in found[region, "open"]["STATUS_EXTENDED"]


@pytest.mark.parametrize(("region", "api"), OPTIONAL.items())
def test_an_optional_permission_decides_no_verdict(scan: Scan, region: str, api: str) -> None:
    found = scan.findings()
    assert (found[region, "sound"]["STATUS"], found[region, "open"]["STATUS"]) == ("PASS", "FAIL")
    assert found[region, "sound"]["RESOURCE_TAGS"] == ("" if api == "ListTags" else "team=risk")
