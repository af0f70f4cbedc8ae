"""The script of an endpoint, run by the real AWS CLI and jq, in all that can come in its way."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Response

from ..embedded import moto_patches
from ..embedded.fixer_case import ALARM, APPLY, MADE, Case, planned, variant
from ..embedded.server import Answer, Call, error, on, refuse

pytestmark = pytest.mark.untraced
Edit = Callable[[Case], Any]
URL = "s3://bucket/model.tar.gz"
SAME = {"S3Uri": URL, "S3DataType": "S3Object", "CompressionType": "Gzip"}
CAPTURE = {
    "EnableCapture": False,
    "InitialSamplingPercentage": 50,
    "DestinationS3Uri": "s3://bucket/capture",
    "CaptureOptions": [{"CaptureMode": "Input"}],
}


def applied(case: Case, **parameters: Any) -> None:
    planned(case, **parameters)
    code, said = case.run(*APPLY)
    assert code == 0, said
    case.aws.calls.clear()


def assert_stops(case: Case, words: str, *arguments: str, **environment: Any) -> None:
    """Assert that the script says why it does nothing, and does nothing."""
    before = case.changes(), case.names(), case.serves_by()
    code, said = case.run(*arguments, **environment)
    assert words.format(name=case.name) in said
    assert (code, case.changes(), case.names(), case.serves_by()) == (1, *before), said


def test_it_says_applies_and_rolls_back_and_each_again(case: Case) -> None:
    planned(case, tags={"team": "risk"})
    subnet = case.sound["Subnets"][0]
    delete = f"\n  aws sagemaker delete-model --region {case.region.name} --model-name "
    for arguments, code, changes, words in (
        ((), 0, [], f"create model {case.copy}, like {case.name}, isolated, in {subnet}"),
        ((), 0, [], "It has no alarm that would roll the update back: apply needs DEPLOYMENT_"),
        (("apply",), 1, [], "or move all traffic at once with: sh "),
        (("apply", "--now"), 2, [], "Usage: sh "),
        (("roll", "back"), 2, [], "Usage: sh "),
        (("rollback",), 0, [], f"Endpoint {case.name} serves with {case.name}."),
        (APPLY, 0, MADE, f"Endpoint {case.name} serves with {case.copy}. Try it"),
        (APPLY, 0, [], f"{delete}{case.name}\n"),
        (("apply",), 0, [], f"Endpoint {case.name} serves with {case.copy}. Try it"),
        (("rollback",), 0, MADE[2:], f"Endpoint {case.name} serves with {case.name}."),
        (("rollback",), 0, [], f"{delete}{case.copy}\n"),
        (APPLY, 0, MADE[2:], f"Endpoint {case.name} serves with {case.copy}. Try it"),
    ):
        case.aws.calls.clear()
        result, said = case.run(*arguments)
        assert (result, case.changes()) == (code, changes), said
        assert words in said
    assert case.names() == ([case.name, case.copy], [case.name, case.copy])


def test_it_is_sh_for_its_owner_and_clean(case: Case) -> None:
    planned(case)
    path = case.script()
    assert path.stat().st_mode & 0o077 == path.parents[1].stat().st_mode & 0o077 == 0
    shellcheck = Path(sys.executable).with_name("shellcheck")
    subprocess.run([str(shellcheck), "--shell=sh", str(path)], check=True)


# What the copies have.


def test_a_copy_has_all_that_the_original_has(case: Case) -> None:
    """Also what this botocore does not know: the AWS CLI does."""
    for name in (f"{case.name}-b", f"{case.name}-c"):
        case.model(name, isolated=name.endswith("c"))
    containers = [
        {"Image": "one", "ContainerHostname": "first", "Environment": {"a": "b", "c": ""}},
        {"Image": "two", "ModelDataUrl": URL, "Mode": "SingleModel"},
    ]
    tags = {f"key-{n}": "x" for n in range(49)} | {"aws:cloudformation:stack-name": "s"}
    case.model(Containers=containers, InferenceExecutionConfig={"Mode": "Direct"}, tags=tags)
    pool = {"InstanceType": "ml.g5.large", "Priority": 1, "ModelNameOverride": f"{case.name}-b"}
    case.endpoint(
        variant("one", case.name, InitialInstanceCount=2),
        variant("two", f"{case.name}-c"),
        ShadowProductionVariants=[variant("shadow", case.name)],
        DataCaptureConfig=CAPTURE,
        Tags=[{"Key": "team", "Value": "risk"}, {"Key": "AWS:x", "Value": "y"}],
    )
    given = case.backend.endpoint_configs[case.name].given
    given["ProductionVariants"][1].update(InstancePools=[pool])
    given["MetricsConfig"] = {"EnableEnhancedMetrics": True}
    old = case.backend._models[case.name].given
    old["Containers"][1]["ModelDataSource"] = {"S3DataSource": SAME}  # as AWS gives it too
    case.backend.endpoints[case.name].production_variants[0]["DesiredInstanceCount"] = 7
    case.backend.endpoints[case.name].last_deployment_config = ALARM
    assert f"{case.name}-b -> {case.name}-b-isolated" in case.plan()
    code, said = case.run("apply")
    assert code == 0, said
    new = case.backend._models[case.copy]
    del old["Containers"][1]["ModelDataSource"]
    assert new.given == {**old, "ModelName": case.copy, "EnableNetworkIsolation": True}
    assert new.vpc_config == case.sound
    assert [tag["Key"] for tag in new.tags] == [f"key-{n}" for n in range(49)]
    expected = json.loads(
        json.dumps(given)
        .replace(f'"ModelName": "{case.name}"', f'"ModelName": "{case.copy}"')
        .replace(f'Override": "{case.name}-b', f'Override": "{case.name}-b-isolated')
    )
    config = case.backend.endpoint_configs[case.copy]
    assert config.given == {**expected, "EndpointConfigName": case.copy}
    assert config.tags == [{"Key": "team", "Value": "risk"}]
    endpoint = case.backend.endpoints[case.name]
    assert endpoint.production_variants[0]["DesiredInstanceCount"] == 7
    assert endpoint.last_deployment_config == ALARM
    assert not [c for c in case.names()[0] if "-c-isolated" in c]
    assert case.run("rollback")[0] == 0
    assert not endpoint.last_deployment_config  # its alarms may be the reason


def test_an_aws_cli_that_does_not_show_a_setting_does_not_copy(case: Case) -> None:
    """One that is older than the setting, whether Prowler's botocore knows it or not."""
    case.model(PrimaryContainer={"Image": "i", "ModelDataSource": {"S3DataSource": SAME}})
    case.endpoint(variant("one", case.name, RoutingConfig={"RoutingStrategy": "RANDOM"}))
    given = case.backend.endpoint_configs[case.name].given
    given["MetricsConfig"] = {"EnableEnhancedMetrics": True}
    pool = {"InstanceType": "ml.g5.large", "ModelNameOverride": case.name}
    given["ProductionVariants"][0]["InstancePools"] = [pool]
    container = case.backend._models[case.name].given["PrimaryContainer"]
    container["NewerMetrics"] = {"X": False}  # as a newer AWS may have
    said = case.plan()
    only = "has settings that only a newer AWS CLI knows: "
    assert f"config {case.name} {only}MetricsConfig and ProductionVariants.InstancePools." in said
    assert f"model {case.name} {only}PrimaryContainer.NewerMetrics." in said
    assert_stops(case, "does not show: PrimaryContainer.NewerMetrics.X. Nothing is ch", *APPLY)
    del container["NewerMetrics"]
    case.plan()
    for lost, where in (
        ("InstancePools", "ProductionVariants.InstancePools.InstanceType, ProductionVariants."),
        ("ModelNameOverride", "ProductionVariants.InstancePools.ModelNameOverride. Nothing"),
        ("RoutingConfig", "ProductionVariants.RoutingConfig.RoutingStrategy. Nothing"),
        ("MetricsConfig", "MetricsConfig.EnableEnhancedMetrics. Nothing"),
        ("ModelDataSource", "PrimaryContainer.ModelDataSource.S3DataSource.CompressionType, "),
    ):
        strip = f'walk(if type == "object" then del(.{lost}) else . end)'
        case.tool("aws", f'aws "$@" >out; [ "$1" = sts ] && exec cat out; jq \'{strip}\' out')
        assert_stops(case, f"would lose what this AWS CLI does not show: {where}", *APPLY)


def test_two_failing_models_with_names_of_63_characters_move_in_one_update(case: Case) -> None:
    case.name = case.name.ljust(63, "x")
    other = case.name[:-1] + "y"
    case.model(other)
    planned(case, variant("one", case.name), variant("two", other))
    code, said = case.run(*APPLY)
    assert code == 0, said
    assert Counter(case.changes()) == {**dict.fromkeys(MADE, 1), "CreateModel": 2}
    config = case.serves_by()[1]
    used = case.backend.endpoint_configs[config].given["ProductionVariants"]
    copies = {one["ModelName"] for one in used}
    assert len(copies) == 2
    assert all(len(name) <= 63 and name.endswith("-isolated") for name in (config, *copies))
    assert case.run("rollback")[0] == 0
    assert case.serves_by() == ("InService", case.name)


# How it may move.


def test_a_deployment_configuration_is_used(case: Case) -> None:
    planned(case)
    assert_stops(case, "DEPLOYMENT_CONFIG must name a file", "apply", DEPLOYMENT_CONFIG="none.json")
    (case.output / "config.json").write_text(json.dumps(ALARM))
    code, said = case.run("apply", DEPLOYMENT_CONFIG="config.json")
    assert code == 0, said
    assert case.backend.endpoints[case.name].last_deployment_config == ALARM


@pytest.mark.parametrize(
    ("fate", "words"),
    [
        ("InService", "The container did not pass the ping health check. Look at its logs."),
        ("UpdateRollbackFailed", "It serves with both configurations; update it to one of them"),
        ("Failed", "A Failed endpoint can only be deleted: delete it, and create it again from"),
    ],
)
def test_an_update_that_fails_is_said_and_left_to_a_person(
    case: Case, fate: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the new fleet, and of the old one on the way back."""
    planned(case)
    monkeypatch.setitem(moto_patches.looks, "until updated", 2)
    monkeypatch.setitem(moto_patches.config_fates, case.copy, fate)
    code, said = case.run(*APPLY)
    assert code == 1
    assert words in said
    assert f"is Updating with {case.name}, being updated to {case.copy}." in said
    assert "lookup-events" not in said
    if fate != "InService":
        assert_stops(case, words, *APPLY)
        assert_stops(case, words, "rollback")
        return
    monkeypatch.delitem(moto_patches.config_fates, case.copy)
    assert case.run(*APPLY)[0] == 0  # it is tried again
    monkeypatch.setitem(moto_patches.config_fates, case.name, fate)
    code, said = case.run("rollback")
    assert code == 1
    assert words in said


# What must be so before the first change.


def deploy_another(case: Case) -> None:
    case.config(f"{case.name}-new", variant("one", case.name))
    case.deploy(f"{case.name}-new")


def somebodys_copy(case: Case) -> None:
    case.region.model(case.copy, PrimaryContainer={"Image": "another"})


def update_of(config: str) -> Edit:
    """Return an edit: an update to a configuration is under way that does not end."""
    return lambda case: vars(case.backend.endpoints[case.name]).update(
        endpoint_status="Updating",
        pending_deployment_summary={"EndpointConfigName": config.format(name=case.name)},
        looks_left=9,
    )


def state(**members: Any) -> Edit:
    return lambda case: vars(case.backend.endpoints[case.name]).update(members)


ANEW = "The {kind} {{name}} was made anew since the plan"
WHO = "aws cloudtrail lookup-events"
GUARDS: dict[str, tuple[Edit, str]] = {
    "configuration anew": (
        lambda case: case.make_anew("config", later=1),
        ANEW.format(kind="endpoint-config"),
    ),
    "model anew": (lambda case: case.make_anew("model", later=1), ANEW.format(kind="model")),
    "configuration gone": (
        lambda case: case.sagemaker.delete_endpoint_config(EndpointConfigName=case.name),
        "The endpoint-config {name} cannot be read, so nothing is changed.",
    ),
    "model gone": (
        lambda case: case.sagemaker.delete_model(ModelName=case.name),
        "The model {name} cannot be read, so nothing is changed.",
    ),
    "endpoint gone": (
        lambda case: case.backend.endpoints.pop(case.name),
        "Endpoint {name} cannot be read. Run this again.",
    ),
    "colleague": (deploy_another, WHO),
    "colleague's update": (update_of("{name}-new"), "Run this again when it is InService."),
    "system": (state(endpoint_status="SystemUpdating"), "Run this again when it is InService."),
    "mixed": (state(endpoint_status="UpdateRollbackFailed"), "It serves with both"),
    "failed": (state(endpoint_status="Failed"), "A Failed endpoint can only be deleted"),
}


@pytest.mark.parametrize("direction", ["apply", "rollback"])
def test_guards_stop_before_the_first_change(case: Case, direction: str) -> None:
    planned(case) if direction == "apply" else applied(case)
    arguments = APPLY if direction == "apply" else ("rollback",)
    for guard, (edit, words) in GUARDS.items():
        with case.restored():
            edit(case)
            case.aws.calls.clear()
            code, said = case.run(*arguments)
            assert (code, case.changes()) == (1, []), (guard, said)
            assert words.format(name=case.name) in said, guard


def test_somebody_elses_copy_stops_it(case: Case) -> None:
    """Before the update, after it, and on the way back."""
    planned(case)
    somebodys_copy(case)
    words = f"The model {case.copy} is not the copy that this makes: PrimaryContainer, VpcConfig"
    assert_stops(case, words, *APPLY)
    case.sagemaker.delete_model(ModelName=case.copy)
    assert case.run(*APPLY)[0] == 0
    case.sagemaker.delete_model(ModelName=case.copy)
    somebodys_copy(case)
    assert_stops(case, words, "apply")
    assert case.run("rollback")[0] == 0
    code, said = case.run("rollback")
    assert code == 0
    assert f"delete-endpoint-config --region {case.region.name} --endpoint-config-n" in said
    assert "delete-model" not in said  # it is somebody else's
    case.deploy(case.copy)
    given = case.backend.endpoint_configs[case.copy].given["ProductionVariants"][0]
    given["InitialInstanceCount"] = 9
    words = f"The endpoint-config {case.copy} is not the copy that this makes: ProductionVariants"
    assert_stops(case, words, "rollback")


def test_times_in_iso_8601_are_understood(case: Case) -> None:
    """As the AWS CLI v2 gives them; jq 1.6 is an hour off in summer where a time zone has one."""
    case.model()
    case.endpoint()
    thing = case.backend.endpoint_configs[case.name]
    thing.creation_time = datetime(2026, 7, 1, 12, 30, 15, 900000, timezone.utc)
    case.plan()
    as_iso = '.CreationTime |= (floor | todate | sub("Z"; ".900000+00:00"))'
    describe = f"case $2 in describe-endpoint-config) jq '{as_iso}' ;; *) cat ;; esac"
    case.tool("aws", f'aws "$@" | {describe}')
    code, said = case.run(TZ="America/New_York")
    assert code == 0, said
    thing.creation_time += timedelta(seconds=1)
    assert_stops(case, f"The endpoint-config {case.name} was made anew", TZ="America/New_York")


def test_a_deployment_between_the_copies_and_the_update_is_left(case: Case) -> None:
    planned(case)

    def deploy(_: Call, answer: Answer) -> Response:
        made = answer()
        deploy_another(case)
        return made

    case.aws.faults.insert(0, on("CreateEndpointConfig", EndpointConfigName=case.copy)(deploy))
    try:
        code, said = case.run(*APPLY)
    finally:
        del case.aws.faults[0]
    assert code == 1
    assert f"It has just changed, so it is left as it is. To see who deployed: {WHO}" in said
    assert case.serves_by()[1] == f"{case.name}-new"


def test_a_deployment_while_a_rollback_reads_is_left(case: Case) -> None:
    applied(case)
    case.config(f"{case.name}-new", variant("one", case.name))
    case.aws.calls.clear()

    def deploy(_: Call, answer: Answer) -> Response:
        made = answer()
        case.deploy(f"{case.name}-new")
        return made

    read = on("DescribeEndpointConfig", EndpointConfigName=case.copy)(deploy)
    with case.aws.failing(read):
        code, said = case.run("rollback")
    assert code == 1
    assert "It has just changed, so it is left as it is." in said
    assert case.changes() == ["UpdateEndpoint"]  # the colleague's


def test_the_credentials_and_the_tools(case: Case) -> None:
    planned(case)

    def another(_: Call, answer: Answer) -> Response:
        response = answer()
        response.set_data(response.get_data().replace(b"123456789012", b"999999999999"))
        return response

    words = "of AWS account 999999999999, and the plan is of 123456789012, so nothing is changed."
    with case.aws.failing(on("GetCallerIdentity")(another)):
        assert_stops(case, words, *APPLY)
    with case.aws.failing(on("GetCallerIdentity")(error("ExpiredToken", status=403))):
        assert_stops(case, "The AWS account of these credentials is not known", *APPLY)
    alone = case.output / "tools"
    for tool, words in (("aws", "jq"), ("jq", "grep"), ("grep", "mktemp")):
        if tool != "aws":
            (alone / tool).symlink_to(f"/usr/bin/{tool}")
        assert_stops(case, f"The command {words} is not there", *APPLY, PATH=str(alone))


def test_no_secret_is_printed(case: Case) -> None:
    """Not what AWS repeats of the environment, in whatever form."""
    secrets = {"TOKEN": "hunter22", "LONG": "hunter22-more", "PIN": "123", "KEY": 'a"b\nc-s3cr3t'}
    planned(case, PrimaryContainer={"Image": "i", "Environment": secrets})
    echo = (
        f"1 validation error detected: Value '{json.dumps(secrets)}' at 'primaryContainer' failed"
    )
    in_json = f"No environment {json.dumps(secrets)}"
    for message in (echo, in_json, f"No {secrets['LONG']} and no {secrets['KEY']}"):
        with case.aws.failing(on("CreateModel")(error("ValidationException", message))):
            code, said = case.run(*APPLY)
        assert code == 1
        assert f"The model {case.copy} is not there, or cannot be read back" in said
        assert "ValidationException" in said
        assert not [word for word in ("hunter22", '"123"', "s3cr3t", "more") if word in said]
    refused = on("CreateEndpointConfig")(error("ValidationException", "hunter22 is in it"))
    with case.aws.failing(refused):
        code, said = case.run(*APPLY)
    assert (code, "ValidationException" in said, "hunter22" in said) == (1, True, False)


# What may be deleted.

NOT_KNOWN = "Not all of it could be read, so what may be deleted is not known."
READS = ("ListEndpoints", "DescribeInferenceComponent", "ListInferenceComponents")


def elsewhere(case: Case, gone: bool = False, **members: Any) -> None:
    """Make another endpoint, whose one variant has members that moto is not asked for."""
    name, other = f"{case.name}-user", f"{case.name}-other"
    case.endpoint(variant("one", other), name=name)
    case.backend.endpoint_configs[name].given["ProductionVariants"][0].update(members)
    if gone:
        case.sagemaker.delete_endpoint_config(EndpointConfigName=name)


def shadow(case: Case) -> None:
    shadows = {"ShadowProductionVariants": [variant("two", case.name)]}
    case.endpoint(variant("one", f"{case.name}-other"), name=f"{case.name}-user", **shadows)


def updated(case: Case) -> None:
    """Make another endpoint that is being updated to the old configuration."""
    elsewhere(case)
    update_of(case.name)(replace(case, name=f"{case.name}-user"))


def mixed(case: Case) -> None:
    """Make another endpoint, which serves with two configurations, of which AWS shows one."""
    elsewhere(case)
    state(endpoint_status="UpdateRollbackFailed")(replace(case, name=f"{case.name}-user"))


def component(case: Case, **members: Any) -> None:
    named = {"InferenceComponentName": "c", "EndpointName": "e", "VariantName": "v"}
    case.sagemaker.create_inference_component(**named, **members)


def test_only_what_nothing_uses_is_said_to_be_deletable(case: Case) -> None:
    applied(case)
    case.model(f"{case.name}-other")
    in_use = f"The model {case.name} is in use: keep it."
    pool = [{"InstanceType": "ml.g5.large", "ModelNameOverride": case.name}]
    users: tuple[tuple[Edit, str], ...] = (
        (shadow, in_use),
        (updated, in_use),
        (lambda c: elsewhere(c, InstanceType=None, InstancePools=pool), in_use),
        (lambda c: component(c, Specification={"ModelName": c.name}), in_use),
        (lambda c: elsewhere(c, InstanceType=None), NOT_KNOWN),  # pools that are not shown
        (lambda c: elsewhere(c, gone=True), NOT_KNOWN),
        (component, NOT_KNOWN),
        (mixed, NOT_KNOWN),
    )
    for make, words in users:
        with case.restored():
            make(case)
            code, said = case.run("apply")
        assert code == 0, said
        assert words in said
        assert "delete-model" not in said
    component(case, Specification={"ModelName": "another"})
    for api in READS:
        with case.aws.failing(on(api)(refuse)):
            code, said = case.run("apply")
        assert (code, NOT_KNOWN in said, "delete-" in said) == (0, True, False), said
    case.tool("aws", '[ "$2" = list-endpoints ] || aws "$@"')  # it prints nothing, and ends with 0
    code, said = case.run("apply")
    assert (code, NOT_KNOWN in said, "delete-" in said) == (0, True, False), said
    case.tool("aws", 'aws "$@"')
    assert (
        f"delete-model --region {case.region.name} --model-name {case.name}\n"
        in (case.run("apply")[1])
    )
