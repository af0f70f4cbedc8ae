"""The check for endpoint configurations, in process: which it judges, by what, and at what cost."""

from typing import Any

import pytest

from ..embedded import engine
from ..embedded.account import EVERYWHERE, Region
from ..embedded.installation import CHECK, CONFIG_CHECK
from ..embedded.server import EmbeddedAWS, change, error, on, refuse

REGION, WITHOUT = "us-east-2", "us-west-1"
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
