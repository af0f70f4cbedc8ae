"""The fixer under every fault on its way: refused, lost, killed; and what it may do."""

import json
import multiprocessing
import os
import signal
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from prowler.lib.check.check import import_check
from werkzeug.wrappers import Response

from ..embedded import engine, moto_patches
from ..embedded.fixer_case import MOVE, REGION, Case
from ..embedded.installation import CHECK
from ..embedded.server import Answer, Call, Fault, change, error, on, refuse
from ..tools.faults import reset

# Faults at every call, and interruptions.

READS = (
    "DescribeModel",
    "ListTags",
    "ListModels",
    "ListEndpoints",
    "DescribeEndpoint",
    "DescribeEndpointConfig",
    "ListEndpointConfigs",
)
CHANGES = ("CreateModel", "CreateEndpointConfig", "UpdateEndpoint")


def answer_lost(call: Call, answer: Answer) -> Response | None:
    """A fault: AWS does what it is asked, and answers that it did not."""
    answer()
    return error("InternalFailure", status=500)(call, answer)


def reset_after(call: Call, answer: Answer) -> Response:
    """A fault: AWS does what it is asked, and the connection is closed without an answer."""
    answer()
    return reset(call, answer)


WAYS: dict[str, Fault] = {
    "refused": refuse,
    "invalid": error("ValidationException"),
    "server error": error("InternalFailure", status=500),
    "answer lost": answer_lost,
    "reset": reset,
    "reset after": reset_after,
}


@pytest.mark.parametrize(
    ("api", "way"),
    [
        *product(CHANGES, WAYS),
        *product(READS, ("refused", "server error", "reset")),
    ],
)
def test_a_fault_leaves_the_endpoint_serving_and_the_next_run_finishes(
    case: Case, api: str, way: str
) -> None:
    case.model()
    case.endpoint()
    with case.aws.failing(on(api, REGION)(WAYS[way])):
        done, said = case.fix(MOVE)
    status, config = case.serves_by()
    made = api in CHANGES and way in ("answer lost", "reset after")
    assert done is made, said
    assert status in ("InService", "Updating")
    assert (config == case.name) is not made
    assert done or any(words in said for words in ("Allow ", "failed (", "Run it again."))
    assert "Traceback" not in said

    assert case.fix(MOVE)[0]
    assert case.serves_by() == ("InService", case.copy)
    expected = [case.name, case.copy]
    assert case.names() == (expected, expected)


def refuse_after_update() -> Fault:
    """Return a fault: from UpdateEndpoint on, DescribeEndpoint is refused."""
    seen: list[str] = []

    def fault(call: Call, answer: Answer) -> Response | None:
        if call.api == "UpdateEndpoint":
            seen.append(call.api)
        return refuse(call, answer) if seen and call.api == "DescribeEndpoint" else None

    return fault


def test_a_fault_while_waiting_leaves_the_update_to_aws(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(moto_patches.looks, "until updated", 1)
    case.model()
    case.endpoint()
    with case.aws.failing(refuse_after_update()):
        done, said = case.fix(MOVE)
    assert not done
    assert "Allow sagemaker:DescribeEndpoint" in said
    assert "roll_back_endpoint" in case.files()[0].read_text("utf-8")
    done, said = case.fix(MOVE)
    assert done
    assert case.serves_by() == ("InService", case.copy)


def test_a_change_of_which_nobody_knows_is_in_the_rollback(case: Case) -> None:
    case.model()
    case.endpoint()
    seen: list[str] = []

    def then_nothing(call: Call, answer: Answer) -> Response | None:
        if call.api == "CreateModel":
            seen.append(call.api)
            return answer_lost(call, answer)
        return reset(call, answer) if seen else None

    with case.aws.failing(then_nothing):
        done, said = case.fix(MOVE)
    assert not done
    assert "CreateModel failed (InternalFailure" in said
    assert f"delete_copy model {case.copy}" in case.files()[0].read_text("utf-8")
    assert case.roll_back()[0] == 0
    assert case.names()[0] == [case.name]


def test_endpoints_that_cannot_be_listed_stop_the_model(case: Case) -> None:
    case.model()
    case.endpoint()
    with case.aws.failing(on("ListEndpoints", REGION)(refuse)):
        done, said = case.fix(MOVE)
    assert not done
    assert "Allow sagemaker:ListEndpoints" in said
    assert case.names()[0] == [case.name]


def test_an_answer_that_is_garbled_is_said_and_stops_the_model(case: Case) -> None:
    case.model()
    case.endpoint()
    garbled = change(lambda answer: answer.pop("ModelArn"))
    with case.aws.failing(on("DescribeModel", REGION)(garbled)):
        done, said = case.fix(MOVE)
    assert not done
    assert "Stopped by KeyError: 'ModelArn'. Nothing more is changed" in said
    assert case.names()[0] == [case.name]


def test_an_update_that_takes_too_long_is_left_to_aws(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    case.model()
    case.endpoint()
    engine.take_the_place()
    move = import_check(f"{engine.SERVICE}.{CHECK}.lib.fixer.move")
    with monkeypatch.context() as patch:
        patch.setitem(moto_patches.looks, "until updated", 1)
        patch.setattr(move, "PATIENCE", -1)
        done, said = case.fix(MOVE)
    assert not done
    assert "is still Updating after an hour" in said
    assert "roll_back_endpoint" in case.files()[0].read_text("utf-8")
    assert case.fix(MOVE)[0]


def test_an_update_that_was_begun_and_does_not_start_is_said(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    case.model(PrimaryContainer={"Image": "needs-network"})
    case.endpoint()
    monkeypatch.setitem(moto_patches.looks, "until updated", 3)
    with case.aws.failing(refuse_after_update()):
        assert not case.fix(MOVE)[0]
    done, said = case.fix(MOVE)
    assert not done
    assert f"Endpoint {case.name} is being updated to {case.copy} already." in said
    assert "so AWS rolled it back to" in said
    assert case.serves_by() == ("InService", case.name)


# Interrupted: killed at each change, before and after AWS has it.


def fix_and_be_killed(url: str, name: str, output: Path) -> None:
    """What a process of its own does until AWS's side kills it."""
    engine.fix(SimpleNamespace(url=url), name, REGION, output, MOVE)


@pytest.fixture(scope="module")
def processes() -> Any:
    """Starts processes that have Prowler loaded, from one that has no threads."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.embedded.engine"])
    return context


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("api", CHANGES)
def test_killed_at_any_change_the_next_run_finishes_and_the_files_lead_back(
    case: Case, processes: Any, api: str, when: str
) -> None:
    case.model()
    case.endpoint()
    before = case.names()
    process = processes.Process(
        target=fix_and_be_killed, args=(case.aws.url, case.name, case.output)
    )

    def kill(_: Call, answer: Answer) -> Response:
        if when == "after":
            answer()
        os.kill(process.pid, signal.SIGKILL)
        raise ConnectionResetError

    with case.aws.failing(on(api, REGION)(kill)):
        process.start()
        process.join()
    assert process.exitcode == -signal.SIGKILL
    assert case.serves_by()[0] in ("InService", "Updating")

    assert case.fix(MOVE)[0]
    expected = [case.name, case.copy]
    assert case.names() == (expected, expected)
    assert case.serves_by() == ("InService", case.copy)
    assert case.roll_back()[0] == 0
    assert case.serves_by() == ("InService", case.name)
    assert case.names() == before


# What it may do.


def test_its_permissions_are_the_calls_that_it_makes(case: Case) -> None:
    case.model()
    case.endpoint()
    component = {"InferenceComponentName": "c", "EndpointName": "e", "VariantName": "v"}
    case.sagemaker.create_inference_component(**component, Specification={"ModelName": "other"})

    def calls(**settings: bool) -> set[str]:
        case.aws.calls.clear()
        case.fix(settings)
        about = ("DescribeRegions",)  # Prowler's own
        made = {(call.service, call.api) for call in case.aws.calls if call.api not in about}
        return {f"{service}:{api}" for service, api in made if service in ("sagemaker", "ec2")}

    engine.take_the_place()
    fixer = import_check(f"{engine.SERVICE}.{CHECK}.{CHECK}_fixer").fixer
    policy = fixer.__doc__.partition("Permissions:")[2].partition("Args:")[0]
    to_plan, to_create, to_move = (set(s["Action"]) for s in json.loads(policy)["Statement"])
    assert calls() == to_plan
    # Passing the role and giving the tags is part of CreateModel, and no call.
    created = calls(CreateModels=True)
    assert created == (to_plan | to_create) - {"iam:PassRole", "sagemaker:AddTags"}
    assert calls(**MOVE) == to_plan | to_move
