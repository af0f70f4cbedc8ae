"""The rollback, run by the real AWS CLI, in all that an incident can meet."""

import subprocess
import sys
from pathlib import Path

import pytest
from werkzeug.wrappers import Response

from ..embedded import mends
from ..embedded.fixer_case import MOVE, REGION, Case, variant
from ..embedded.server import Answer, Call, Fault, error, on, refuse


def fix(case: Case) -> None:
    """Have the fixer move the case's endpoint."""
    case.model()
    case.endpoint()
    assert case.fix(MOVE)[0]


def test_it_takes_all_back_and_can_be_run_twice(case: Case) -> None:
    before = ([case.name], [case.name])
    case.model()
    case.endpoint()
    case.sagemaker.create_endpoint(EndpointName=f"{case.name}-b", EndpointConfigName=case.name)
    assert case.fix(MOVE)[0]
    code, said = case.roll_back()
    assert code == 0, said
    assert "Everything is rolled back." in said
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
    mends.config_fates[rolled_back] = "InService"
    throttle = on("UpdateEndpoint", EndpointName=throttled)(error("ThrottlingException"))
    try:
        with case.aws.failing(throttle):
            code, said = case.roll_back()
    finally:
        mends.config_fates.clear()
    assert code != 0
    case.assert_sound(throttled, rolled_back, others, gone, well)
    assert case.serves_by(well)[1] == well
    assert f"AWS did not take the update of endpoint {throttled}." in said
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
    monkeypatch.setitem(mends.looks, "until updated", 2)
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
    mends.config_fates[case.name] = "UpdateRollbackFailed"
    try:
        code, said = case.roll_back()
    finally:
        mends.config_fates.clear()
    assert code != 0
    assert f"is UpdateRollbackFailed and uses {case.copy}" in said
    assert case.names() == ([case.name, case.copy], [case.name, case.copy])
    code, said = case.roll_back()
    assert code == 0, said
    assert case.serves_by() == ("InService", case.name)


@pytest.mark.parametrize("api", ["ListEndpoints", "DescribeEndpoint", "ListInferenceComponents"])
def test_what_cannot_be_read_deletes_nothing(case: Case, api: str) -> None:
    fix(case)
    with case.aws.failing(on(api, REGION)(refuse)):
        code, said = case.roll_back()
    assert code != 0, said
    case.assert_sound()
    assert case.copy in case.names()[0]


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
