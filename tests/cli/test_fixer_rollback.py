"""The rollback, run by the real AWS CLI, in all that an incident can meet."""

import subprocess
import sys
from itertools import groupby
from pathlib import Path

import pytest
from moto.sagemaker.models import sagemaker_backends
from werkzeug.wrappers import Response

from ..embedded import engine, moto_patches
from ..embedded.account import ACCOUNT, Region
from ..embedded.fixer_case import MOVE, REGION, Case, variant
from ..embedded.server import Answer, Call, Fault, change, error, on, refuse


def fix(case: Case) -> None:
    """Have the fixer move the case's endpoint."""
    case.model()
    case.endpoint()
    assert case.fix(MOVE)[0]


def test_it_rolls_all_back_and_can_be_run_twice(case: Case) -> None:
    before = ([case.name], [case.name])
    case.model()
    case.endpoint()
    case.sagemaker.create_endpoint(EndpointName=f"{case.name}-b", EndpointConfigName=case.name)
    assert case.fix(MOVE)[0]
    code, said = case.roll_back()
    assert code == 0, said
    assert "Rollback complete." in said
    assert case.names() == before
    case.assert_sound(case.name, f"{case.name}-b")
    case.aws.calls.clear()
    code, said = case.roll_back()
    assert code == 0, said
    assert case.changes() == set()
    assert case.names() == before


def test_the_script_is_clean_sh_and_for_its_owner(case: Case) -> None:
    fix(case)
    (path,) = case.files()
    assert path.stat().st_mode & 0o077 == 0
    shellcheck = Path(sys.executable).parent / "shellcheck"
    subprocess.run([str(shellcheck), "--shell=sh", str(path)], check=True)


def test_the_wrong_account_changes_nothing(case: Case) -> None:
    fix(case)
    case.aws.calls.clear()
    whose = change_account("999999999999")
    with case.aws.failing(whose):
        code, said = case.roll_back()
    assert code != 0
    assert "of AWS account 999999999999, and this rolls back account 123456789012" in said
    assert {call.api for call in case.aws.calls} == {"GetCallerIdentity"}
    with case.aws.failing(on("GetCallerIdentity")(error("ExpiredToken", status=403))):
        code, said = case.roll_back()
    assert code != 0
    assert case.changes() == set()
    case.assert_sound()
    assert case.serves_by()[1] == case.copy


def change_account(account: str) -> Fault:
    """Return a fault: the credentials are another account's."""

    def fault(call: Call, answer: Answer) -> Response | None:
        response = answer()
        response.set_data(response.get_data().replace(b"123456789012", account.encode()))
        return response

    return on("GetCallerIdentity")(fault)


def test_a_failure_stops_that_endpoints_part_alone(case: Case) -> None:
    """One script with an endpoint for each failure, and one that goes back all the same."""
    throttled, rolled_back, others, gone, well = (f"{case.name}-{n}" for n in range(5))
    case.model()
    for name in (throttled, rolled_back, others, gone, well):
        case.endpoint(name=name)
    assert case.fix(MOVE)[0]
    case.config(f"{case.name}-new", variant("one", case.copy))
    case.deploy(f"{case.name}-new", others)
    case.sagemaker.delete_endpoint_config(EndpointConfigName=gone)
    moto_patches.config_fates[rolled_back] = "InService"
    throttle = on("UpdateEndpoint", EndpointName=throttled)(error("ThrottlingException"))
    try:
        with case.aws.failing(throttle):
            code, said = case.roll_back()
    finally:
        moto_patches.config_fates.clear()
    assert code != 0
    case.assert_sound(throttled, rolled_back, others, gone, well)
    assert case.serves_by(well)[1] == well
    assert f"AWS rejected the update of endpoint {throttled}, or its answer was lost." in said
    assert f"{rolled_back} is InService and uses {rolled_back}-isolated, not {rolled_back}" in said
    assert f"uses {case.name}-new" in said
    assert "has deployed since" in said
    assert f"Endpoint configuration {gone} is gone" in said
    models, configs = case.names()
    assert case.copy in models  # it serves others
    assert f"{well}-isolated" not in configs
    for name in (throttled, rolled_back, gone):
        assert f"{name}-isolated" in configs

    code, said = case.roll_back()
    assert code != 0
    assert case.serves_by(throttled)[1] == throttled
    assert case.serves_by(rolled_back)[1] == rolled_back
    case.assert_sound(throttled, rolled_back, others, gone, well)


@pytest.mark.parametrize("config", ["ours", "somebody's"])
def test_an_update_in_progress(case: Case, monkeypatch: pytest.MonkeyPatch, config: str) -> None:
    """The fixer's own, of a run that was stopped, is waited for; somebody else's is left alone."""
    fix(case)
    case.config(f"{case.name}-new", variant("one", case.copy))
    case.deploy(case.name)
    to = case.copy if config == "ours" else f"{case.name}-new"
    monkeypatch.setitem(moto_patches.looks, "until updated", 2)
    case.sagemaker.update_endpoint(EndpointName=case.name, EndpointConfigName=to)
    code, said = case.roll_back()
    for _ in range(4):
        case.serves_by()
    case.assert_sound()
    if config == "ours":
        assert code == 0, said
        assert f"Endpoint {case.name} is Updating; waiting." in said
        assert case.serves_by()[1] == case.name
    else:
        assert code != 0
        assert "is Updating" in said
        assert case.serves_by()[1] == to


def test_an_old_model_that_is_deleted_is_not_gone_back_to(case: Case) -> None:
    fix(case)
    case.sagemaker.delete_model(ModelName=case.name)
    code, said = case.roll_back()
    assert code != 0
    assert f"Model {case.name} of {case.name} is gone" in said
    case.assert_sound()


def test_a_rollback_that_aws_cannot_finish_is_finished_by_the_next_run(case: Case) -> None:
    fix(case)
    moto_patches.config_fates[case.name] = "UpdateRollbackFailed"
    try:
        code, said = case.roll_back()
    finally:
        moto_patches.config_fates.clear()
    assert code != 0
    assert f"is UpdateRollbackFailed and uses {case.copy}" in said
    assert case.names() == ([case.name, case.copy], [case.name, case.copy])
    code, said = case.roll_back()
    assert code == 0, said
    assert case.serves_by() == ("InService", case.name)


READS = (
    "ListEndpoints",
    "DescribeEndpoint",
    "ListInferenceComponents",
    "DescribeInferenceComponent",
    "DescribeEndpointConfig",
    "ListModels",
    "ListEndpointConfigs",
)


def test_what_cannot_be_read_deletes_nothing(case: Case) -> None:
    """The refusals of each call, one run after the other."""
    fix(case)
    component(case, Specification={"ModelName": f"{case.name}-another"})
    for api in READS:
        case.deploy(case.copy)
        with case.aws.failing(on(api, REGION)(refuse)):
            code, said = case.roll_back()
        assert code != 0, (api, said)
        assert case.names() == ([case.name, case.copy], [case.name, case.copy]), (api, said)
        case.assert_sound()
    with case.aws.failing(on("ListModels", REGION, NameContains=case.copy)(refuse)):
        code, said = case.roll_back()
    assert code != 0, said
    assert f"The list of models cannot be read, so what serves in {REGION} is not known" in said
    assert case.copy in case.names()[0]
    code, said = case.roll_back()
    assert code == 0, said
    assert case.names() == ([case.name], [case.name])


def component(case: Case, **specification: object) -> None:
    """Make an inference component."""
    named = {"InferenceComponentName": "c", "EndpointName": "e", "VariantName": "v"}
    case.sagemaker.create_inference_component(**named, **specification)


COMMANDS = (
    "get-caller-identity",
    "list-endpoints",
    "describe-endpoint",
    "list-inference-components",
    "describe-inference-component",
    "describe-endpoint-config",
    "list-models",
    "list-endpoint-configs",
)


def test_an_answer_that_is_empty_deletes_nothing_that_serves(case: Case) -> None:
    """A CLI that prints nothing and exits with 0, for each of its commands in turn."""
    fix(case)
    case.sagemaker.create_endpoint(EndpointName=f"{case.name}-b", EndpointConfigName=case.copy)
    component(case, Specification={"ModelName": case.copy})
    for command in COMMANDS:
        case.tool("aws", f'[ "$2" = {command} ] || aws "$@"')
        code, said = case.roll_back()
        assert code != 0, (command, said)
        case.assert_sound(case.name, f"{case.name}-b")
        assert case.names() == ([case.name, case.copy], [case.name, case.copy]), (command, said)


def test_it_needs_no_command_but_awss(case: Case) -> None:
    """No grep and no sort: what serves is kept, and what does not is deleted all the same."""
    fix(case)
    case.sagemaker.create_endpoint(EndpointName=f"{case.name}-b", EndpointConfigName=case.copy)
    alone = str(case.output / "tools")
    code, said = case.roll_back(PATH=alone)
    assert code != 0, said
    case.assert_sound(case.name, f"{case.name}-b")
    assert f"The model {case.copy} is in use, so it is kept." in said
    case.sagemaker.delete_endpoint(EndpointName=f"{case.name}-b")
    code, said = case.roll_back(PATH=alone)
    assert code == 0, said
    assert case.names() == ([case.name], [case.name])


def test_whatever_uses_a_copy_keeps_it(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shadow variant, an update to a configuration named None, newer inference components."""
    fix(case)
    other, user = f"{case.name}-other", f"{case.name}-b"
    case.model(other)

    def assert_kept(words: str = f"The model {case.copy} is in use, so it is kept.") -> None:
        code, said = case.roll_back()
        assert code != 0, said
        assert words in said
        assert case.copy in case.names()[0]

    case.endpoint(
        variant("one", other), name=user, ShadowProductionVariants=[variant("two", case.copy)]
    )
    assert_kept()
    case.config("None", variant("one", case.copy))
    case.config(f"{user}-2", variant("one", other))
    case.deploy(f"{user}-2", user)
    with monkeypatch.context() as patch:
        patch.setitem(moto_patches.looks, "until updated", 9)
        case.sagemaker.update_endpoint(EndpointName=user, EndpointConfigName="None")
        assert_kept()
    case.sagemaker.delete_endpoint(EndpointName=user)
    case.sagemaker.delete_endpoint_config(EndpointConfigName="None")
    component(case, Specification={"ModelName": case.copy})
    several = change(lambda a: a.update(Specifications=[a.pop("Specification")]))
    with case.aws.failing(on("DescribeInferenceComponent", REGION)(several)):
        assert_kept()
    neither = change(lambda a: a.pop("Specification"))
    with case.aws.failing(on("DescribeInferenceComponent", REGION)(neither)):
        assert_kept("Inference component c cannot be read")


def test_a_copy_is_kept_for_an_endpoint_that_does_not_go_back(case: Case) -> None:
    """Mixed, with the old configuration shown; then gone, so that nobody knows what it used."""
    fix(case)
    endpoint = sagemaker_backends[ACCOUNT][REGION].endpoints[case.name]
    endpoint.endpoint_status = "UpdateRollbackFailed"
    endpoint.endpoint_config_name = case.name
    with case.aws.failing(on("UpdateEndpoint")(error("ThrottlingException"))):
        code, said = case.roll_back()
    assert code != 0
    assert f"Updating endpoint {case.name} to {case.name}." in said
    assert case.names() == ([case.name, case.copy], [case.name, case.copy])
    case.sagemaker.delete_endpoint(EndpointName=case.name)
    code, said = case.roll_back()
    assert code != 0
    assert f"The endpoint-config {case.copy} may be in use, so it is kept." in said
    assert f"The model {case.copy} may be in use, so it is kept." in said


def test_an_endpoint_that_is_in_the_way_is_named(case: Case) -> None:
    fix(case)
    case.endpoint(name=f"{case.name}-b")
    case.sagemaker.delete_endpoint_config(EndpointConfigName=f"{case.name}-b")
    code, said = case.roll_back()
    assert code != 0
    assert f"Configuration {case.name}-b of endpoint {case.name}-b cannot be read" in said
    assert case.copy in case.names()[0]


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (
            {
                "EndpointStatus": "UpdateRollbackFailed",
                "PendingDeploymentSummary": {"EndpointConfigName": "theirs"},
            },
            "(pending: theirs), which the fixer did not set",
        ),
        ({"EndpointStatus": "OutOfService"}, "is OutOfService, so it is left as it is."),
        ({"EndpointStatus": "Failed"}, "A Failed endpoint can only be deleted"),
    ],
)
def test_an_endpoint_in_another_state_is_left_alone(
    case: Case, edit: dict[str, object], words: str
) -> None:
    fix(case)
    case.config("theirs", variant("one", case.name))
    case.aws.calls.clear()
    edited = on("DescribeEndpoint", REGION)(change(lambda answer: answer.update(edit)))
    with case.aws.failing(edited):
        code, said = case.roll_back()
    case.sagemaker.delete_endpoint_config(EndpointConfigName="theirs")
    assert code != 0
    assert words in said
    assert "UpdateEndpoint" not in case.changes()
    assert case.serves_by()[1] == case.copy


def test_a_deployment_between_the_look_and_the_update(case: Case) -> None:
    fix(case)
    case.config(f"{case.name}-new", variant("one", case.copy))
    acted: list[str] = []

    def deploy(call: Call, _: Answer) -> Response | None:
        if call.api == "ListModels" and not acted:
            acted.append(call.api)
            case.deploy(f"{case.name}-new")
        return None

    with case.aws.failing(deploy):
        code, said = case.roll_back()
    assert code != 0
    assert f"Endpoint {case.name} has just changed" in said
    assert case.serves_by() == ("InService", f"{case.name}-new")


def test_regions_are_rolled_back_one_by_one_and_by_themselves(case: Case) -> None:
    """What serves is read right before its region's deletes; a failure is its region's own."""
    other = Region(case.aws, "ap-south-2")
    vpc = other.vpc()
    network = {"Subnets": [other.subnet(vpc)], "SecurityGroupIds": [other.group(vpc)]}
    there = Case(case.aws, other, f"{case.name}-there", case.output, network, case.command)
    for one in (case, there):
        one.model()
        one.endpoint()
    both = [case.name, there.name]
    results = engine.fix_all(case.aws, both, [REGION, other.name], case.output, MOVE)
    assert [done for done, _ in results] == [True, True]
    there.sagemaker.delete_model(ModelName=there.name)
    case.aws.calls.clear()
    code, said = case.roll_back()
    order = [c.region for c in case.aws.calls if c.service == "sagemaker"]
    assert [region for region, _ in groupby(order)] == [other.name, REGION]
    assert code != 0
    assert case.serves_by() == ("InService", case.name)
    assert case.names()[1] == [case.name], said
    there.assert_sound()
    assert there.serves_by()[1] == there.copy


def test_a_copy_that_serves_elsewhere_is_kept(case: Case) -> None:
    fix(case)
    case.endpoint(variant("one", case.copy), name=f"{case.name}-b")
    code, said = case.roll_back()
    assert code != 0
    assert f"The model {case.copy} is in use, so it is kept." in said
    case.assert_sound(case.name, f"{case.name}-b")
    case.sagemaker.delete_endpoint(EndpointName=f"{case.name}-b")
    component = {"InferenceComponentName": "c", "EndpointName": "e", "VariantName": "v"}
    case.sagemaker.create_inference_component(**component, Specification={"ModelName": case.copy})
    code, said = case.roll_back()
    assert code != 0
    assert f"The model {case.copy} is in use, so it is kept." in said


def test_names_of_dashes(case: Case) -> None:
    case.name = "--" + case.name
    fix(case)
    code, said = case.roll_back()
    assert code == 0, said
    assert case.serves_by() == ("InService", case.name)
