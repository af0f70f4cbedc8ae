"""What a scan costs in calls, and that its findings do not depend on how a model was read."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from prowler.providers.aws.aws_provider import AwsProvider
from werkzeug.wrappers import Response

from ..embedded import engine
from ..embedded.account import ACCOUNT, Region
from ..embedded.installation import CHECK
from ..embedded.server import Answer, Call, EmbeddedAWS, change, on, refuse

REGION = "ap-northeast-1"
MODELS, FEW = 104, 12  # more than a page, and enough for each kind
TRAINING_JOBS = 30
Said = dict[tuple[str, str], tuple[Any, ...]]


def with_models(aws: EmbeddedAWS, name: str, models: int) -> Region:
    """Return a region with models of every kind."""
    region = Region(aws, name)
    vpc = region.vpc()
    private, closed = region.subnet(vpc), region.group(vpc)
    gateway = region.internet_gateway(vpc)
    route = {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": gateway}
    public, open_group = region.subnet(vpc, region.table(vpc, route)), region.group(vpc, "::/0")
    for number in range(models):
        subnets = [public] if number % 7 == 0 else [private]
        groups = [open_group] if number % 11 == 0 else [closed]
        tags = {"number": str(number)} if number % 2 else {}
        region.model(f"model-{number}", subnets, groups, isolated=number % 5 != 0, tags=tags)
    return region


@pytest.fixture(scope="module")
def full_region(aws: EmbeddedAWS) -> str:
    """A region with more models than fit a page, and with training jobs."""
    region = with_models(aws, REGION, MODELS)
    for number in range(TRAINING_JOBS):
        region.sagemaker.create_training_job(
            TrainingJobName=f"job-{number}",
            AlgorithmSpecification={"TrainingImage": "image", "TrainingInputMode": "File"},
            RoleArn=f"arn:aws:iam::{ACCOUNT}:role/sagemaker",
            OutputDataConfig={"S3OutputPath": "s3://bucket"},
            ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            StoppingCondition={"MaxRuntimeInSeconds": 60},
        )
    return REGION


def test_a_scan_of_its_own_asks_for_models_alone_and_a_hundred_a_call(
    aws: EmbeddedAWS, full_region: str
) -> None:
    """And where Search is refused, for each of them; what is said is the same."""
    made = engine.provider(aws, full_region, retries_max_attempts=0)
    aws.calls.clear()
    with aws.failing(on("Search")(refuse)):
        described = engine.said(engine.scan(aws, made))
    assert {status for status, *_ in described.values()} == {"PASS", "FAIL"}
    each = {"DescribeModel": MODELS, "ListTags": MODELS}
    assert aws.count("sagemaker") == {"ListModels": 2, "Search": 1, **each}
    aws.calls.clear()
    assert engine.said(engine.scan(aws, made)) == described
    assert aws.count("sagemaker") == {"ListModels": 2, "Search": 2}
    once = ("DescribeSubnets", "DescribeRouteTables", "DescribeSecurityGroups")
    assert aws.count("ec2") == dict.fromkeys(once, 1)


@pytest.fixture(scope="module")
def few(aws: EmbeddedAWS) -> tuple[AwsProvider, Said]:
    """A region with a model of every kind, and what the findings say where each is described."""
    region = with_models(aws, "eu-west-2", FEW)
    made = engine.provider(aws, region.name, retries_max_attempts=0)
    with aws.failing(on("Search")(refuse)):
        found = engine.said(engine.scan(aws, made))
    assert {status for status, *_ in found.values()} == {"PASS", "FAIL"}
    return made, found


def test_a_scan_with_other_sagemaker_checks_shares_their_client_and_its_tags(
    aws: EmbeddedAWS, few: tuple[AwsProvider, Said]
) -> None:
    provider, described = few
    aws.calls.clear()
    engine.scan(aws, provider, [engine.SISTER], engine.SISTER)
    theirs = aws.count("sagemaker")
    for checks in ([engine.SISTER, CHECK], [CHECK, engine.SISTER]):
        aws.calls.clear()
        assert engine.said(engine.scan(aws, provider, checks)) == described
        assert aws.count("sagemaker") - theirs == {"ListModels": 1, "Search": 1}
    aws.calls.clear()
    with aws.failing(on("Search")(refuse)):
        assert engine.said(engine.scan(aws, provider, [engine.SISTER, CHECK])) == described
    tagged = [c.parameters["ResourceArn"] for c in aws.calls if c.api == "ListTags"]
    assert len([arn for arn in tagged if ":model/" in arn]) == FEW  # and not twice


def test_the_client_of_another_account_is_not_shared(
    aws: EmbeddedAWS, few: tuple[AwsProvider, Said]
) -> None:
    """A worker of Prowler's application may scan one account after the other in one process."""
    provider, described = few
    with engine.stale_client(aws, engine.provider(aws, "eu-west-1")):
        assert engine.said(engine.scan(aws, provider, keep_client=True)) == described


def test_what_a_record_lacks_is_confirmed_or_not_said(aws: EmbeddedAWS) -> None:
    region = Region(aws, "eu-south-2")
    vpc = region.vpc()
    region.model("off", [region.subnet(vpc)], [region.group(vpc)], isolated=False, tags={"a": "b"})

    def scan(lacking: Callable[[dict[str, Any]], Any], *faults: Any) -> str:
        aws.calls.clear()
        with aws.failing(change_records(lambda record: lacking(record["Model"])), *faults):
            (finding,) = engine.scan(aws, engine.provider(aws, region.name))
        assert finding.status == "FAIL"
        assert finding.resource_tags == [{"Key": "a", "Value": "b"}]
        assert aws.count("sagemaker") == {"ListModels": 1, "Search": 1, "DescribeModel": 1}
        return engine.without_serving(finding.status_extended)

    only = "SageMaker model off fails: network isolation is disabled."
    for lacking in (
        lambda record: record.pop("VpcConfig"),
        lambda record: record["VpcConfig"].pop("SecurityGroupIds"),
    ):
        assert scan(lacking) == only
        assert scan(lacking, on("DescribeModel")(refuse)) == (
            f"{only} Not known: VpcConfig could not be read (AccessDeniedException; allow "
            "sagemaker:DescribeModel)."
        )


def test_a_model_made_anew_under_its_name_is_judged_as_it_is_now(
    aws: EmbeddedAWS,
) -> None:
    """Search still knows the model that was deleted, which was isolated; the new one is not."""
    region = Region(aws, "ap-northeast-2")
    vpc = region.vpc()
    subnet, group = region.subnet(vpc), region.group(vpc)
    region.model("again", [subnet], [group])
    stale = region.sagemaker.search(Resource="Model")["Results"][0]["Model"]["Model"]
    stale["CreationTime"] = stale["CreationTime"].timestamp() - 60
    region.sagemaker.delete_model(ModelName="again")
    region.model("again", [subnet], [group], isolated=False)

    def stale_answer(_: Call, __: Answer) -> Response:
        return Response(json.dumps({"Results": [{"Model": {"Model": stale}}]}))

    with aws.failing(on("Search")(stale_answer)):
        (finding,) = engine.scan(aws, engine.provider(aws, "ap-northeast-2"))
    assert finding.status == "FAIL"


def test_a_scan_limited_to_a_model_describes_it_rather_than_search_them_all(
    aws: EmbeddedAWS, full_region: str
) -> None:
    arn = f"arn:aws:sagemaker:{full_region}:{ACCOUNT}:model/model-1"
    limited = engine.provider(aws, full_region, resource_arn=[arn])
    aws.calls.clear()
    (finding,) = engine.scan(aws, limited)
    assert finding.resource_arn == arn
    assert aws.count("sagemaker") == {"ListModels": 2, "DescribeModel": 1, "ListTags": 1}


def serving(aws: EmbeddedAWS, made: AwsProvider, *faults: Any) -> tuple[str, Any]:
    """Return what the finding of the model says last, and the endpoints in its evidence."""
    with aws.failing(*faults):
        (finding,) = engine.scan(aws, made)
    text = finding.status_extended
    last = text[len(engine.without_serving(text)) :]
    return last, finding.resource["endpoints"]


def change_records(edit: Callable[[dict[str, Any]], Any]) -> Any:
    """Return a fault of Search that edits every record."""

    def edit_records(answer: dict[str, Any]) -> None:
        for result in answer["Results"]:
            edit(result["Model"])

    return on("Search")(change(edit_records))


def test_a_finding_says_last_what_serves_the_model(aws: EmbeddedAWS) -> None:
    region = Region(aws, "me-south-1")
    made = engine.provider(aws, region.name, retries_max_attempts=0)
    vpc = region.vpc()
    vpc_config = [region.subnet(vpc)], [region.group(vpc)]
    region.model("model", *vpc_config)
    assert serving(aws, made) == (" No endpoint is seen to serve it.", [])
    for name in ("two", "one"):
        region.endpoint(name, "model")
    arn = f"arn:aws:sagemaker:me-south-1:{ACCOUNT}:endpoint"
    one, two = (
        {"name": name, "arn": f"{arn}/{name}", "status": "InService"} for name in ("one", "two")
    )
    assert serving(aws, made) == (" It serves endpoints one and two.", [one, two])
    # The record is not enough to judge by, and tells all the same what serves.
    without_groups = change_records(lambda r: r["Model"]["VpcConfig"].pop("SecurityGroupIds"))
    assert serving(aws, made, without_groups) == (" It serves endpoints one and two.", [one, two])
    failed = change_records(lambda r: r["Endpoints"][1].update(EndpointStatus="Failed"))
    assert serving(aws, made, failed)[0] == " It serves endpoints one (Failed) and two."
    described = change_records(lambda r: r["Endpoints"][0].pop("EndpointStatus"))
    assert serving(aws, made, described)[0] == " It serves endpoints one and two (status unknown)."
    for unknown in (
        on("Search")(refuse),
        change_records(lambda r: r.pop("Endpoints")),
        change_records(lambda r: r.update(Endpoints=None)),
        change_records(lambda r: r.update(Endpoints={"EndpointName": "one"})),
        change_records(lambda r: r["Endpoints"][0].pop("EndpointName")),
        change_records(lambda r: r["Endpoints"][0].update(EndpointName=7)),
        # A namesake that was deleted.
        change_records(lambda r: r["Model"].update(CreationTime=r["Model"]["CreationTime"] - 9)),
    ):
        assert serving(aws, made, unknown) == ("", None)
    # The model was made anew since it was listed: the endpoints are those of the one before.
    anew = on("DescribeModel")(change(lambda model: model.update(CreationTime=0)))
    assert serving(aws, made, without_groups, anew) == ("", None)


def test_the_network_is_asked_for_in_batches_and_only_where_models_are_in_a_vpc(
    aws: EmbeddedAWS,
) -> None:
    many, none = Region(aws, "ap-south-1"), Region(aws, "ap-southeast-1")
    vpc = many.vpc()
    groups = [many.group(vpc) for _ in range(2)]
    for number in range(0, 208, 16):
        many.model(f"wide-{number}", [many.subnet(vpc) for _ in range(16)], groups)
    none.model("no-vpc")
    scanned = engine.provider(aws, many.name, none.name)
    aws.calls.clear()
    findings = engine.scan(aws, scanned)
    assert {f.status for f in findings if f.region == many.name} == {"PASS"}
    asked = [(call.api, call.region) for call in aws.calls if call.service == "ec2"]
    assert sorted(asked) == [
        ("DescribeRouteTables", many.name),
        ("DescribeSecurityGroups", many.name),
        ("DescribeSubnets", many.name),
        ("DescribeSubnets", many.name),
    ]
    for call in aws.calls:
        assert f"Filter.1.Value.{200 + 1}" not in call.parameters
