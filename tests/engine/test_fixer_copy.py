"""The copies that the fixer makes: whole, under names of their own."""

from typing import Any

import pytest

from ..embedded.account import ROLE
from ..embedded.fixer_case import MOVE, Case, variant
from ..embedded.server import change, on

URL = "s3://bucket/model.tar.gz"
GZIP = {"S3Uri": URL, "S3DataType": "S3Object", "CompressionType": "Gzip"}


def test_a_copy_has_all_that_the_model_has(case: Case) -> None:
    containers = [
        {"Image": "one", "ContainerHostname": "first", "Environment": {"a": "b"}},
        {"Image": "two", "ModelDataUrl": "s3://bucket/two.tar.gz", "Mode": "SingleModel"},
    ]
    case.model(
        Containers=containers,
        InferenceExecutionConfig={"Mode": "Direct"},
        tags={"team": "risk", "aws:cloudformation:stack-name": "serving"},
    )
    case.endpoint()
    done, said = case.fix(MOVE)
    assert done
    made = case.sagemaker.describe_model(ModelName=case.copy)
    assert made["EnableNetworkIsolation"] is True
    assert made["VpcConfig"] == case.sound
    assert made["Containers"] == containers
    assert made["InferenceExecutionConfig"] == {"Mode": "Direct"}
    assert made["ExecutionRoleArn"] == ROLE
    assert not made.get("PrimaryContainer")
    tags = case.sagemaker.list_tags(ResourceArn=made["ModelArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "risk"}]
    assert "CloudFormation stack serving made this model" in said

    case.deploy(case.name)
    again, said = case.fix(MOVE)
    assert again
    assert f"Already exists: model {case.copy}, like {case.name}" in said
    assert f"Already exists: endpoint configuration {case.copy}" in said
    assert case.names() == ([case.name, case.copy], [case.name, case.copy])


@pytest.mark.parametrize(
    ("source", "kept"),
    [
        (GZIP, False),
        ({**GZIP, "CompressionType": "None"}, True),
        ({**GZIP, "S3DataType": "S3Prefix", "CompressionType": "None"}, True),
        ({**GZIP, "ModelAccessConfig": {"AcceptEula": True}}, True),
        ({**GZIP, "S3Uri": "s3://bucket/another.tar.gz"}, True),
    ],
)
def test_a_source_goes_only_where_it_says_what_the_url_says(
    case: Case, source: dict[str, Any], kept: bool
) -> None:
    case.model(PrimaryContainer={"Image": "image", "ModelDataUrl": URL})
    case.endpoint()
    given = {"S3DataSource": source}
    twice = change(lambda answer: answer["PrimaryContainer"].update(ModelDataSource=given))
    case.aws.calls.clear()
    with case.aws.failing(on("DescribeModel", ModelName=case.name)(twice)):
        assert case.fix(MOVE)[0]
    (call,) = (call for call in case.aws.calls if call.api == "CreateModel")
    container = call.parameters["PrimaryContainer"]
    assert container["ModelDataUrl"] == URL
    assert container.get("ModelDataSource") == (given if kept else None)


def test_a_name_that_is_taken_is_left_alone(case: Case) -> None:
    case.model()
    case.endpoint()
    case.region.model(case.copy, PrimaryContainer={"Image": "another"})
    case.config(case.copy, variant("one", case.copy))
    assert case.fix(MOVE)[0]
    expected = [case.name, case.copy, f"{case.copy}-2"]
    assert case.names() == (expected, expected)
    assert case.serves_by() == ("InService", f"{case.copy}-2")


def test_models_that_are_alike_for_54_characters_have_copies_of_their_own(case: Case) -> None:
    stem = case.name.ljust(54, "x")
    made = {}
    for end, team in (("one", "risk"), ("two", "fraud")):
        case.name = f"{stem}-{end}"
        case.model(tags={"team": team})
        case.endpoint()
        assert case.fix(MOVE)[0]
        status, config = case.serves_by()
        described = case.sagemaker.describe_endpoint_config(EndpointConfigName=config)
        (one,) = described["ProductionVariants"]
        model = case.sagemaker.describe_model(ModelName=one["ModelName"])
        tags = case.sagemaker.list_tags(ResourceArn=model["ModelArn"])["Tags"]
        made[one["ModelName"]] = tags
        assert status == "InService"
        assert len(one["ModelName"]) <= 63
    assert list(made.values()) == [
        [{"Key": "team", "Value": "risk"}],
        [{"Key": "team", "Value": "fraud"}],
    ]


def test_a_long_name_of_dashes(case: Case) -> None:
    """Cut, it ends in dashes, which AWS takes at no name's end; the name may be taken, too."""
    case.name = f"{case.name[-2:]}{'-' * 58}end"
    case.model()
    case.endpoint()
    assert case.fix(MOVE)[0]
    first = case.serves_by()[1]
    case.deploy(case.name)
    case.sagemaker.delete_model(ModelName=first)
    case.region.model(first, PrimaryContainer={"Image": "another"})
    assert case.fix(MOVE)[0]
    status, second = case.serves_by()
    assert status == "InService"
    assert second != first
    assert second.endswith("-isolated-2")
