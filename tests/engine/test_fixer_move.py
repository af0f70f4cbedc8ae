"""Moving endpoints: what is kept, what is left alone, and what becomes of an update that fails."""

import json
from typing import Any

import pytest
from moto.sagemaker.models import sagemaker_backends
from werkzeug.wrappers import Response

from ..embedded import engine, mends
from ..embedded.account import ACCOUNT
from ..embedded.fixer_case import MOVE, REGION, Case, variant
from ..embedded.server import Answer, Call, Fault, change, error, on

# Every member of CreateEndpointConfig that goes with variants that name a model.
CAPTURE = {
    "EnableCapture": True,
    "InitialSamplingPercentage": 50,
    "DestinationS3Uri": "s3://bucket/capture",
    "KmsKeyId": "capture-key",
    "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
    "CaptureContentTypeHeader": {"JsonContentTypes": ["application/json"]},
}
ASYNCHRONOUS = {
    "ClientConfig": {"MaxConcurrentInvocationsPerInstance": 2},
    "OutputConfig": {
        "S3OutputPath": "s3://bucket/out",
        "NotificationConfig": {"ErrorTopic": "arn:aws:sns:ap-east-1:123456789012:errors"},
    },
}
EXPLAINER = {
    "ClarifyExplainerConfig": {
        "ShapConfig": {"ShapBaselineConfig": {"MimeType": "text/csv", "ShapBaseline": "1,2"}}
    }
}


def test_a_moved_endpoint_keeps_all_its_settings(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(mends.looks, "until updated", 1)
    case.model()
    case.model(f"other-{case.name}")
    case.endpoint(
        variant(
            "one", case.name, VolumeSizeInGB=20, ContainerStartupHealthCheckTimeoutInSeconds=60
        ),
        variant("two", f"other-{case.name}"),
        ShadowProductionVariants=[variant("shadow", case.name)],
        DataCaptureConfig=CAPTURE,
        AsyncInferenceConfig=ASYNCHRONOUS,
        ExplainerConfig=EXPLAINER,
        KmsKeyId="volume-key",
        Tags=[{"Key": "team", "Value": "risk"}, {"Key": "aws:x", "Value": "y"}],
    )
    before = case.sagemaker.describe_endpoint_config(EndpointConfigName=case.name)
    weights = [{"VariantName": "one", "DesiredInstanceCount": 7}]
    case.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=case.name, DesiredWeightsAndCapacities=weights
    )
    sagemaker_backends[ACCOUNT][REGION].endpoints[case.name].endpoint_status = "InService"

    done, said = case.fix(MOVE)
    assert done
    assert case.serves_by() == ("InService", f"{case.name}-isolated")
    after = case.sagemaker.describe_endpoint_config(EndpointConfigName=f"{case.name}-isolated")
    about = ("EndpointConfigName", "EndpointConfigArn", "CreationTime", "ResponseMetadata")
    expected = json.loads(
        json.dumps({k: v for k, v in before.items() if k not in about}).replace(
            f'"ModelName": "{case.name}"', f'"ModelName": "{case.name}-isolated"'
        )
    )
    assert {k: v for k, v in after.items() if k not in about} == expected
    tags = case.sagemaker.list_tags(ResourceArn=after["EndpointConfigArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "risk"}]
    endpoint = case.sagemaker.describe_endpoint(EndpointName=case.name)
    assert endpoint["ProductionVariants"][0]["DesiredInstanceCount"] == 7
    assert f"Endpoint {case.name} is Updating after 0 s." in said

    again, said = case.fix(MOVE)
    assert again
    assert case.names() == (
        sorted([case.name, f"{case.name}-isolated", f"other-{case.name}"]),
        [case.name, f"{case.name}-isolated"],
    )


def test_two_models_of_one_endpoint_leave_it_one_after_the_other(case: Case) -> None:
    other = f"other-{case.name}"
    case.model()
    case.model(other)
    case.endpoint(variant("one", case.name), variant("two", other))
    results = engine.fix_all(case.aws, [case.name, other], REGION, case.output, MOVE)
    assert [done for done, _ in results] == [True, True]
    status, config = case.serves_by()
    assert (status, config) == ("InService", f"{case.copy}-isolated")
    variants = case.sagemaker.describe_endpoint_config(EndpointConfigName=config)
    assert [v["ModelName"] for v in variants["ProductionVariants"]] == [
        case.copy,
        f"{other}-isolated",
    ]
    for _ in range(2):
        code, said = case.roll_back()
        assert code == 0, said
        assert case.serves_by() == ("InService", case.name)
        assert case.names() == (sorted([case.name, other]), [case.name])


def test_a_deployment_with_alarms_is_kept(case: Case) -> None:
    case.model()
    case.endpoint()
    alarms = {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "errors"}]}}
    last = on("DescribeEndpoint", EndpointName=case.name)(
        change(lambda answer: answer.update(LastDeploymentConfig=alarms))
    )
    with case.aws.failing(last):
        case.aws.calls.clear()
        assert case.fix(MOVE)[0]
    case.roll_back()
    updates = [call.parameters for call in case.aws.calls if call.api == "UpdateEndpoint"]
    assert [update["RetainDeploymentConfig"] for update in updates] == [True, True]
    assert [update["RetainAllVariantProperties"] for update in updates] == [True, True]


@pytest.mark.parametrize(
    ("image", "status", "words"),
    [
        ("needs-network", "InService", "so it is back at"),
        ("needs-network-mixed", "InService", "Bringing it to"),
        ("needs-network-broken", "Failed", "A Failed endpoint can only be deleted"),
    ],
)
def test_an_endpoint_that_does_not_start_is_brought_back(
    case: Case, image: str, status: str, words: str
) -> None:
    case.model(PrimaryContainer={"Image": image})
    case.endpoint()
    done, said = case.fix(MOVE)
    assert not done
    assert case.serves_by() == (status, case.name)
    assert words in said
    assert "ping health check" in said


def test_a_throttled_bringing_back_is_brought_back_by_the_next_run(case: Case) -> None:
    """Never to be told that it can only be deleted: it serves."""
    case.model(PrimaryContainer={"Image": "needs-network-mixed"})
    case.endpoint()
    to_old = on("UpdateEndpoint", EndpointConfigName=case.name)(error("ThrottlingException"))
    with case.aws.failing(to_old):
        done, said = case.fix(MOVE)
    assert not done
    assert case.serves_by()[0] == "UpdateRollbackFailed"
    assert "can only be deleted" not in said
    assert "Run the fixer again, which brings it back" in said
    done, said = case.fix(MOVE)
    assert not done
    assert case.serves_by() == ("InService", case.name)


@pytest.mark.parametrize("shown", ["old", "new", "pending"])
def test_what_a_killed_run_left_mixed_is_brought_back(case: Case, shown: str) -> None:
    """Whichever configuration AWS shows; its documentation does not say."""
    case.model()
    case.endpoint()
    assert case.fix(MOVE)[0]
    backend = sagemaker_backends[ACCOUNT][REGION]
    backend.endpoints[case.name].endpoint_status = "UpdateRollbackFailed"
    backend.endpoints[case.name].endpoint_config_name = case.copy if shown == "new" else case.name
    pending = change(
        lambda answer: (
            answer.update(PendingDeploymentSummary={"EndpointConfigName": case.copy})
            if answer["EndpointStatus"] == "UpdateRollbackFailed"
            else None
        )
    )
    fault = [on("DescribeEndpoint", REGION)(pending)] if shown == "pending" else []
    with case.aws.failing(*fault):
        done, said = case.fix(MOVE)
    assert not done
    assert case.serves_by() == ("InService", case.name), said
    assert f"To bring back: endpoint {case.name}, to {case.name}." in said


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("SystemUpdating", "Run the fixer again when it is InService."),
        ("Deleting", "Run the fixer again when it is InService."),
        ("UpdateRollbackFailed", "Who updated it must update it again"),
        ("Failed", "A Failed endpoint can only be deleted."),
    ],
)
def test_an_endpoint_that_cannot_be_moved_is_left_alone_and_the_others_are_moved(
    case: Case, status: str, words: str
) -> None:
    case.model()
    case.endpoint()
    busy = f"busy-{case.name}"
    case.endpoint(name=busy)
    other = on("DescribeEndpoint", EndpointName=busy)(
        change(lambda answer: answer.update(EndpointStatus=status))
    )
    with case.aws.failing(other):
        done, said = case.fix(MOVE)
    assert not done
    assert f"Endpoint {busy} is {status}, so it is left as it is. {words}" in said
    assert case.serves_by() == ("InService", case.copy)
    assert case.serves_by(busy) == ("InService", busy)
    assert case.fix(MOVE)[0]


def test_serverless_endpoints_are_left_alone(case: Case) -> None:
    case.model()
    serverless = {
        "VariantName": "one",
        "ModelName": case.name,
        "ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1},
    }
    case.endpoint(serverless)
    done, said = case.fix(MOVE)
    assert not done
    assert f"Endpoint {case.name} is serverless, so it is left as it is" in said
    assert case.serves_by() == ("InService", case.name)


# A colleague who deploys meanwhile.


def when(api: str, act: Any) -> Fault:
    """Return a fault: somebody else acts once, just before AWS answers a call."""
    acted: list[str] = []

    def fault(call: Call, _: Answer) -> Response | None:
        if call.api == api and call.region == REGION and not acted:
            acted.append(call.api)
            act()
        return None

    return fault


def test_an_endpoint_that_changed_since_the_plan_is_left_alone(case: Case) -> None:
    case.model()
    case.endpoint()
    case.config(f"{case.name}-new", variant("one", case.name))
    theirs = when("CreateModel", lambda: case.deploy(f"{case.name}-new"))
    case.aws.calls.clear()
    with case.aws.failing(theirs):
        done, said = case.fix(MOVE)
    assert not done
    assert case.serves_by() == ("InService", f"{case.name}-new")
    assert f"Endpoint {case.name} has changed since the plan" in said
    assert case.aws.count()["UpdateEndpoint"] == 1


@pytest.mark.parametrize("status", ["InService", "UpdateRollbackFailed", "Deleting", "Updating"])
def test_a_colleagues_deployment_is_reported_and_not_touched(
    case: Case, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    monkeypatch.setitem(mends.looks, "until updated", 1)
    case.model()
    case.endpoint()
    case.config(f"{case.name}-new", variant("one", case.name))
    seen: list[str] = []

    def deploy(call: Call, _: Answer) -> Response | None:
        if call.api == "UpdateEndpoint":
            seen.append(call.parameters["EndpointConfigName"])
        if call.api == "DescribeEndpoint" and seen:
            endpoint = sagemaker_backends[ACCOUNT][REGION].endpoints[case.name]
            endpoint.endpoint_status = status
            endpoint.endpoint_config_name = f"{case.name}-new"
            endpoint.pending_deployment_summary = None
        return None

    with case.aws.failing(deploy):
        done, said = case.fix(MOVE)
    assert not done
    assert seen == [case.copy]
    assert f"Endpoint {case.name} is {status}, and {case.name}-new is not the fixer's" in said
    assert "somebody else has deployed meanwhile" in said
    assert "can only be deleted" not in said


def test_a_new_endpoint_of_the_old_model_is_seen_in_the_end(case: Case) -> None:
    case.model()
    case.endpoint()
    late = f"{case.name}-late"
    with case.aws.failing(when("UpdateEndpoint", lambda: case.endpoint(name=late))):
        done, said = case.fix(MOVE)
    assert not done
    assert f"Endpoint {late} serves model {case.name}." in said
    assert case.fix(MOVE)[0]
