"""Moving endpoints: what is kept, what is left alone, and what becomes of an update that fails."""

import json
from typing import Any

import pytest
from moto.sagemaker.models import sagemaker_backends
from werkzeug.wrappers import Response

from ..embedded import engine, moto_patches
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
    monkeypatch.setitem(moto_patches.looks, "until updated", 1)
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
        ("needs-network", "InService", "so AWS rolled it back to"),
        ("needs-network-mixed", "InService", "Rolling it back to"),
        ("needs-network-broken", "Failed", "A Failed endpoint can only be deleted"),
    ],
)
def test_an_endpoint_that_does_not_start_is_rolled_back(
    case: Case, image: str, status: str, words: str
) -> None:
    case.model(PrimaryContainer={"Image": image})
    case.endpoint()
    done, said = case.fix(MOVE)
    assert not done
    assert case.serves_by() == (status, case.name)
    assert words in said
    assert "ping health check" in said


def test_a_throttled_rollback_is_made_by_the_next_run(case: Case) -> None:
    """Never to be told that it can only be deleted: it serves."""
    case.model(PrimaryContainer={"Image": "needs-network-mixed"})
    case.endpoint()
    to_old = on("UpdateEndpoint", EndpointConfigName=case.name)(error("ThrottlingException"))
    with case.aws.failing(to_old):
        done, said = case.fix(MOVE)
    assert not done
    assert case.serves_by()[0] == "UpdateRollbackFailed"
    assert "can only be deleted" not in said
    assert "Run the fixer again, which rolls it back" in said
    done, said = case.fix(MOVE)
    assert not done
    assert case.serves_by() == ("InService", case.name)


@pytest.mark.parametrize("shown", ["old", "new", "pending"])
def test_what_a_killed_run_left_mixed_is_rolled_back(case: Case, shown: str) -> None:
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
    assert f"To roll back: endpoint {case.name}, to {case.name}." in said


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
    """A model that they alone serve is not even copied, unless it is named."""
    case.model()
    serverless = {
        "VariantName": "one",
        "ModelName": case.name,
        "ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1},
    }
    case.endpoint(serverless)
    done, said = case.fix(MOVE)
    assert not done
    assert f"Only serverless endpoints serve model {case.name}" in said
    assert case.names()[0] == [case.name]
    done, said = case.fix(MOVE, resource_arn=[case.arn()])
    assert not done
    assert f"Endpoint {case.name} is serverless, so it is left as it is" in said
    assert case.names()[0] == [case.name, case.copy]
    assert case.serves_by() == ("InService", case.name)


def mix(case: Case, config: str, name: str = "") -> None:
    """Have an endpoint UpdateRollbackFailed, with a configuration that AWS shows."""
    endpoint = sagemaker_backends[ACCOUNT][REGION].endpoints[name or case.name]
    endpoint.endpoint_status, endpoint.endpoint_config_name = "UpdateRollbackFailed", config


def test_a_copy_that_is_not_the_fixers_is_not_rolled_back(case: Case) -> None:
    """Its name is that of a copy, but the configuration with the old name is another model's."""
    live, ancient = f"live-{case.name}", f"{case.name}-ancient"
    case.model()
    case.model(ancient)
    case.endpoint()
    assert case.fix(MOVE)[0]
    for config, model in ((live, ancient), (f"{live}-isolated", case.copy), ("v9", case.name)):
        case.config(config, variant("one", model))
    case.sagemaker.create_endpoint(EndpointName=live, EndpointConfigName="v9")
    case.sagemaker.delete_endpoint_config(EndpointConfigName="v9")
    mix(case, f"{live}-isolated", live)
    case.aws.calls.clear()
    done, said = case.fix(MOVE)
    assert not done
    assert "UpdateEndpoint" not in case.changes(), said
    assert f"Endpoint {live} is UpdateRollbackFailed with {live}-isolated, so it may" in said


def test_a_mixed_endpoint_whose_old_configuration_is_gone_is_named(case: Case) -> None:
    """It serves the old model too, so the model is not to be deleted as one that nothing serves."""
    case.model()
    case.endpoint()
    assert case.fix(MOVE)[0]
    mix(case, case.copy)
    case.sagemaker.delete_endpoint_config(EndpointConfigName=case.name)
    for settings in (None, MOVE):
        done, said = case.fix(settings)
        assert not done
        assert f"Endpoint {case.name} is UpdateRollbackFailed with {case.copy}, so it may" in said
        assert "No endpoint and no inference component" not in said


MIXED = {"EndpointStatus": "UpdateRollbackFailed"}


@pytest.mark.parametrize(
    ("edit", "has_copy"),
    [
        ({"PendingDeploymentSummary": {"EndpointConfigName": "theirs"}}, True),
        (MIXED, False),
        ({**MIXED, "PendingDeploymentSummary": {"EndpointConfigName": "theirs"}}, True),
        (
            {
                "EndpointStatus": "Updating",
                "PendingDeploymentSummary": {"EndpointConfigName": "theirs"},
            },
            True,
        ),
    ],
)
def test_a_state_that_no_run_of_the_fixer_leaves_is_left_alone(
    case: Case, edit: dict[str, Any], has_copy: bool
) -> None:
    case.model()
    case.config("theirs", variant("one", case.name))
    case.endpoint()
    if has_copy:
        assert case.fix(MOVE)[0]
        case.deploy(case.name)
    case.aws.calls.clear()
    with case.aws.failing(on("DescribeEndpoint")(change(lambda answer: answer.update(edit)))):
        done, said = case.fix(MOVE)
    case.sagemaker.delete_endpoint_config(EndpointConfigName="theirs")
    assert not done
    status = edit.get("EndpointStatus", "InService")
    assert f"Endpoint {case.name} is {status}, so it is left as it is." in said
    assert "UpdateEndpoint" not in case.changes()


def test_an_update_of_which_the_end_is_not_seen_is_not_done(case: Case) -> None:
    """Though nothing is seen to serve the old model afterwards."""
    case.model()
    case.endpoint()
    seen: list[str] = []

    def throttle_once(call: Call, answer: Answer) -> Response | None:
        if call.api in ("UpdateEndpoint", "DescribeEndpoint"):
            seen.append(call.api)
        if seen[-2:] == ["UpdateEndpoint", "DescribeEndpoint"] and call.api == seen[-1]:
            return error("ThrottlingException")(call, answer)
        return None

    with case.aws.failing(throttle_once):
        done, said = case.fix(MOVE)
    assert "Known users: none." in said
    assert not done
    assert f"Endpoint {case.name} was not moved." in said


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


@pytest.mark.parametrize(
    ("status", "edit"),
    [
        ("InService", {"EndpointStatus": "SystemUpdating"}),
        ("InService", {"PendingDeploymentSummary": {"EndpointConfigName": "theirs"}}),
        ("UpdateRollbackFailed", {"EndpointStatus": "InService"}),
    ],
)
def test_any_change_of_its_state_since_the_plan_leaves_an_endpoint_alone(
    case: Case, status: str, edit: dict[str, Any]
) -> None:
    case.model()
    case.endpoint()
    if status == "UpdateRollbackFailed":
        assert case.fix(MOVE)[0]
        mix(case, case.copy)
    looks: list[str] = []

    def after_the_plan(call: Call, answer: Answer) -> Response | None:
        looks.append(call.api)
        return change(lambda a: a.update(edit))(call, answer) if len(looks) == 2 else None

    case.aws.calls.clear()
    with case.aws.failing(on("DescribeEndpoint", EndpointName=case.name)(after_the_plan)):
        done, said = case.fix(MOVE)
    assert not done
    assert f"Endpoint {case.name} has changed since the plan: it was {status} with" in said
    assert "UpdateEndpoint" not in case.changes()


def test_the_old_configuration_deployed_again_meanwhile_is_not_said_to_have_failed(
    case: Case,
) -> None:
    case.model()
    case.endpoint()
    looks: list[str] = []

    def redeploy(call: Call, _: Answer) -> Response | None:
        if call.api == "UpdateEndpoint" or looks:
            looks.append(call.api)
        if looks[:2] == ["UpdateEndpoint", "DescribeEndpoint"] and len(looks) == 2:
            case.serves_by()
            case.deploy(case.name)
        return None

    with case.aws.failing(redeploy):
        done, said = case.fix(MOVE)
    assert not done
    assert f"Endpoint {case.name} uses {case.name} again, and AWS gives no reason" in said
    assert "AWS rolled it back" not in said


@pytest.mark.parametrize("status", ["InService", "UpdateRollbackFailed", "Deleting", "Updating"])
def test_a_colleagues_deployment_is_reported_and_not_touched(
    case: Case, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    monkeypatch.setitem(moto_patches.looks, "until updated", 1)
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


def test_nothing_is_done_on_a_picture_from_the_beginning_of_the_run(case: Case) -> None:
    """The replacements are there; a colleague's endpoint of the second model comes in between."""
    models = [case.name, f"{case.name}-b"]
    arns = []
    for model in models:
        case.name = model
        case.model()
        arns.append(case.arn())
    settings = {"CreateModels": True}
    results = engine.fix_all(case.aws, models, REGION, case.output, settings, resource_arn=arns)
    assert [done for done, _ in results] == [True, True]
    late = on("DescribeModel", ModelName=case.name)(when("DescribeModel", case.endpoint))
    with case.aws.failing(late):
        results = engine.fix_all(case.aws, models, REGION, case.output, MOVE)
    assert [done for done, _ in results] == [True, False]
    assert f"Endpoint {case.name} serves model {case.name}." in "\n".join(results[1][1])


def test_after_a_move_endpoints_are_read_once_and_configurations_not_again(case: Case) -> None:
    models = [f"{case.name}-{end}" for end in "abc"]
    for model in models:
        case.model(model)
        case.endpoint(variant("one", model), name=model)
    case.aws.calls.clear()
    results = engine.fix_all(case.aws, models, REGION, case.output, MOVE)
    assert [done for done, _ in results] == [True] * 3
    assert case.aws.count()["ListEndpoints"] == 1 + len(models)
    described = [c.parameters for c in case.aws.calls if c.api == "DescribeEndpointConfig"]
    names = [one["EndpointConfigName"] for one in described]
    assert sorted(names) == sorted([*models, *(f"{model}-isolated" for model in models)])
