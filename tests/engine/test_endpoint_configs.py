"""The check for endpoint configurations, in process: which it judges, by what, and at what cost."""

from typing import Any

import pytest

from ..embedded import engine
from ..embedded.account import EVERYWHERE, Region
from ..embedded.installation import CHECK, CONFIG_CHECK
from ..embedded.server import EmbeddedAWS, change, error, on, refuse

REGION, OTHER_REGION, WITHOUT = "us-east-2", "us-west-2", "us-west-1"
SIZE = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
ALL = {"VariantName": "all", **SIZE}
SERVERLESS = {"VariantName": "small", "ServerlessConfig": {"MemorySizeInMB": 1024}}
MANAGED = {"ManagedInstanceScaling": {"Status": "ENABLED"}, **ALL}


@pytest.fixture(scope="module")
def region(aws: EmbeddedAWS) -> Region:
    """A region with configurations of each kind, and a model that has findings of its own."""
    r = Region(aws, REGION)
    vpc = r.vpc()
    network = ([r.subnet(vpc)], [r.group(vpc)])
    r.model("served", *network)
    named = {"VariantName": "named", "ModelName": "served", **SIZE}
    r.endpoint("of-a-model", "served")
    r.components("sound", *network)
    r.components("managed-scaling", *network, ProductionVariants=[MANAGED])
    r.components("mixed", *network, ProductionVariants=[named, ALL])
    r.components("in-shadow", *network, ProductionVariants=[named], ShadowProductionVariants=[ALL])
    r.components("serverless", *network, ProductionVariants=[SERVERLESS])
    r.components("off", *network, isolated=False)
    r.components("open", network[0], [r.group(vpc, EVERYWHERE)])
    r.components("no-vpc")
    r.sagemaker.create_endpoint(EndpointName="chat", EndpointConfigName="sound")
    r.sagemaker.create_endpoint(EndpointName="code", EndpointConfigName="sound")
    r.sagemaker.add_tags(
        ResourceArn=r.sagemaker.describe_endpoint_config(EndpointConfigName="sound")[
            "EndpointConfigArn"
        ],
        Tags=[{"Key": "team", "Value": "risk"}],
    )
    return r


@pytest.fixture
def calls(aws: EmbeddedAWS) -> Any:
    """The calls of the test so far, by API."""
    aws.calls.clear()
    return lambda: aws.count("sagemaker")


def scan(aws: EmbeddedAWS, *checks: str, **arguments: Any) -> dict[str, Any]:
    """Return the findings on endpoint configurations by name."""
    made = engine.provider(aws, REGION, retries_max_attempts=0, **arguments)
    found = engine.scan(aws, made, checks or (CONFIG_CHECK,), CONFIG_CHECK)
    return {finding.resource_id: finding for finding in found}


VERDICTS = {
    "sound": ("PASS", "It is used by endpoints chat and code."),
    "managed-scaling": ("PASS", "No endpoint is seen to use it."),
    "mixed": ("PASS", "No endpoint is seen to use it."),
    "in-shadow": ("PASS", "No endpoint is seen to use it."),
    "serverless": ("FAIL", "variant small is serverless, which AWS neither isolates nor puts into"),
    "off": ("FAIL", "SageMaker endpoint configuration off fails: network isolation is disabled."),
    "open": ("FAIL", f"allows ingress of tcp 443 from {EVERYWHERE}"),
    "no-vpc": ("FAIL", "the VPC configuration is missing"),
}


def test_those_for_inference_components_are_judged_and_no_others(
    aws: EmbeddedAWS, region: Region, calls: Any
) -> None:
    found = scan(aws)
    assert {name: f.status for name, f in found.items()} == {
        name: status for name, (status, _) in VERDICTS.items()
    }
    for name, (_, words) in VERDICTS.items():
        assert words in found[name].status_extended
    arn = region.sagemaker.describe_endpoint_config(EndpointConfigName="sound")["EndpointConfigArn"]
    assert found["sound"].resource_arn == arn
    assert found["sound"].resource_tags == [{"Key": "team", "Value": "risk"}]
    assert found["sound"].resource["network_isolation"] is True
    assert [e["name"] for e in found["sound"].resource["endpoints"]] == ["chat", "code"]
    # One description each, the tags of those that are judged, and one search of endpoints.
    assert calls() == {
        "ListEndpointConfigs": 1,
        "DescribeEndpointConfig": len(VERDICTS) + 1 + 1,  # and the test's own
        "ListTags": len(VERDICTS),
        "Search": 1,
    }


def test_neither_check_costs_the_other_a_call(aws: EmbeddedAWS, region: Region, calls: Any) -> None:
    scan(aws)
    alone = calls()
    aws.calls.clear()
    made = engine.provider(aws, REGION)
    engine.scan(aws, made, (CHECK,))
    models = calls()
    assert not {"ListEndpointConfigs", "DescribeEndpointConfig"} & set(models)
    assert not {"ListModels", "DescribeModel"} & set(alone)
    aws.calls.clear()
    scan(aws, CHECK, CONFIG_CHECK)
    assert calls() == alone + models


def test_a_region_without_any_costs_one_call(aws: EmbeddedAWS, region: Region, calls: Any) -> None:
    made = engine.provider(aws, WITHOUT)
    (found,) = engine.scan(aws, made, (CONFIG_CHECK,), CONFIG_CHECK)
    assert found.status == "PASS"
    assert found.resource_id == found.resource["name"] == "123456789012"
    assert calls() == {"ListEndpointConfigs": 1}


def test_a_scan_may_be_limited_to_one(aws: EmbeddedAWS, region: Region) -> None:
    arn = region.sagemaker.describe_endpoint_config(EndpointConfigName="off")["EndpointConfigArn"]
    assert list(scan(aws, resource_arn=[arn])) == ["off"]


def drop(*members: str) -> Any:
    """Return a fault: the description lacks some members."""

    def edit(answer: dict[str, Any]) -> None:
        for member in members:
            del answer[member]

    return change(edit)


FAULTS = {
    "refused": (refuse, "MANUAL", "AccessDeniedException; allow sagemaker:DescribeEndpointConfig"),
    "throttled": (error("ThrottlingException"), "MANUAL", "ThrottlingException; scan again)"),
    "no isolation in it": (
        drop("EnableNetworkIsolation"),
        "MANUAL",
        "EnableNetworkIsolation could not be understood (not in the answer; check",
    ),
    "no ARN in it": (drop("EndpointConfigArn"), "MANUAL", "no EndpointConfigArn of this endpoint"),
    "no variants in it": (drop("ProductionVariants"), "MANUAL", "no ProductionVariants in"),
    "an empty list of variants": (
        change(lambda answer: answer.update(ProductionVariants=[])),
        "MANUAL",
        "no ProductionVariants in the answer",
    ),
    "no VPC configuration in it": (drop("VpcConfig"), "FAIL", "the VPC configuration is missing"),
}


@pytest.mark.parametrize(("fault", "status", "words"), FAULTS.values(), ids=FAULTS)
def test_what_could_not_be_read_is_manual(
    aws: EmbeddedAWS, region: Region, fault: Any, status: str, words: str
) -> None:
    with aws.failing(on("DescribeEndpointConfig", REGION, EndpointConfigName="sound")(fault)):
        found = scan(aws)
    assert (found["sound"].status, set(found)) == (status, set(VERDICTS))
    assert words in found["sound"].status_extended


def test_a_variant_whose_pools_name_models_is_not_for_components(
    aws: EmbeddedAWS, region: Region
) -> None:
    """Though Prowler's botocore knows no pools."""

    def pool(answer: dict[str, Any]) -> None:
        (variant,) = answer["ProductionVariants"]
        variant["InstancePools"] = [{"InstanceType": "ml.m5.large"}, {"ModelNameOverride": "m"}]

    one = on("DescribeEndpointConfig", REGION, EndpointConfigName="sound")
    with aws.failing(one(change(pool))):
        assert set(scan(aws)) == set(VERDICTS) - {"sound"}


def test_one_that_was_deleted_meanwhile_has_no_finding(aws: EmbeddedAWS, region: Region) -> None:
    gone = error("ValidationException", "Could not find endpoint configuration.")
    again = on("ListEndpointConfigs", REGION, NameContains="off")
    one = on("DescribeEndpointConfig", REGION, EndpointConfigName="off")
    with aws.failing(again(change(lambda a: a.update(EndpointConfigs=[]))), one(gone)):
        assert set(scan(aws)) == set(VERDICTS) - {"off"}
    with aws.failing(one(gone)):
        assert scan(aws)["off"].status == "MANUAL"


def test_a_list_that_breaks_off_is_manual_for_the_region(aws: EmbeddedAWS, region: Region) -> None:
    with aws.failing(on("ListEndpointConfigs", REGION)(refuse)):
        found = scan(aws)
    (unknown,) = found.values()
    assert unknown.status_extended == (
        f"SageMaker endpoint configurations of region {REGION} could not all be judged: the list "
        "of endpoint configurations could not be read (AccessDeniedException; allow "
        "sagemaker:ListEndpointConfigs)."
    )
    assert unknown.resource_arn.endswith(":endpoint-config/unknown")


@pytest.mark.parametrize(
    "fault",
    [refuse, change(lambda answer: answer["Results"][0]["Endpoint"].pop("EndpointConfigName"))],
    ids=["refused", "a record without its configuration"],
)
def test_without_search_nothing_is_said_of_endpoints(
    aws: EmbeddedAWS, region: Region, fault: Any
) -> None:
    with aws.failing(on("Search", REGION)(fault)):
        found = scan(aws)
    assert {name: f.status for name, f in found.items()} == {
        name: status for name, (status, _) in VERDICTS.items()
    }
    assert all("ndpoint uses" not in f.status_extended for f in found.values())
    assert found["sound"].resource["endpoints"] is None


def test_more_than_a_page_of_both(aws: EmbeddedAWS) -> None:
    r = Region(aws, OTHER_REGION)
    vpc = r.vpc()
    network = ([r.subnet(vpc)], [r.group(vpc)])
    for number in range(101):
        r.components(f"many-{number}", *network)
        r.sagemaker.create_endpoint(
            EndpointName=f"endpoint-{number}", EndpointConfigName=f"many-{number}"
        )
    found = engine.scan(aws, engine.provider(aws, OTHER_REGION), (CONFIG_CHECK,), CONFIG_CHECK)
    assert len(found) == 101
    for finding in found:
        number = finding.resource_id.rpartition("-")[2]
        assert finding.status_extended.endswith(f" It is used by endpoint endpoint-{number}.")
