"""The blocks of the fixer's pages in a shell, with the real AWS CLI and jq."""

import json
import logging
import re
from collections.abc import Callable
from fnmatch import fnmatchcase
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Response

from ..embedded import moto_patches
from ..embedded.account import Region
from ..embedded.fixer_case import Case, sound_network, variant
from ..embedded.installation import ROOT
from ..embedded.policy import several
from ..embedded.server import Answer, Call, EmbeddedAWS, error, on
from .test_fixer import ALARM, POLICY

pytestmark = pytest.mark.usefixtures("forked_aws_cli")

REGION = "ap-east-1"
URL = "s3://bucket/model.tar.gz"
SAME = {"S3Uri": URL, "S3DataType": "S3Object", "CompressionType": "Gzip"}
SECRET = "hunter22"
CHANGED = ["CreateModel", "CreateModel", "CreateEndpointConfig"]
PERMISSIONS = json.loads((ROOT / "docs" / "remediation-policy.json").read_text("utf-8"))
# What AWS asks for beside the operation: for a call with tags, and for a role that is passed on
# (service authorization reference, dependent actions of CreateModel and CreateEndpointConfig).
DEPENDENT = {"sagemaker:AddTags", "iam:PassRole"}
numbers = count()


Make = Callable[[str, Path], Case]


@pytest.fixture(scope="module")
def make(aws: EmbeddedAWS) -> Make:
    """Make a case of one region, and of one sound network there."""
    region = Region(aws, REGION)
    sound = sound_network(region)
    return lambda name, output: Case(aws, region, name, output, sound)


@pytest.fixture
def case(make: Make, tmp_path: Path) -> Case:
    """A model and an endpoint of it, which nothing is wrong with but its isolation."""
    made = make(f"model{next(numbers)}", tmp_path)
    made.model()
    made.endpoint()
    return made


# The case; code, changes, configuration, policy and words of each block; calls; command lines.
Journey = tuple[Case, list[tuple[Any, ...]], list[Call], str]


@pytest.fixture(scope="module")
def journey(make: Make, tmp_path_factory: pytest.TempPathFactory, forked_aws_cli: None) -> Journey:
    """Of an endpoint with all that an endpoint can have."""
    case = make("rich", tmp_path_factory.mktemp("journey"))
    containers = [
        {"Image": "one", "ContainerHostname": "first", "Environment": {"a": "it's", "c": SECRET}},
        {"Image": "two", "ModelDataUrl": URL, "Mode": "SingleModel"},
    ]
    tags = {f"key-{n}": "\"$(touch x)'é" for n in range(48)} | {"aws:cloudformation:id": "s"}
    case.model(Containers=containers, InferenceExecutionConfig={"Mode": "Direct"}, tags=tags)
    case.model("rich-b")
    case.model("rich-c", isolated=True)
    case.endpoint(
        variant("one", "rich", InitialInstanceCount=2),
        variant("two", "rich-c"),
        ShadowProductionVariants=[variant("shadow", "rich")],
        Tags=[{"Key": "team", "Value": "risk"}, {"Key": "AWS:x", "Value": "y"}],
    )
    # What Prowler's botocore does not know; and a member that AWS gives in two ways.
    pool = {"InstanceType": "ml.g5.large", "Priority": 1, "ModelNameOverride": "rich-b"}
    config = case.backend.endpoint_configs["rich"].given
    config["ProductionVariants"][1].update(InstancePools=[pool])
    container = case.backend._models["rich"].given["Containers"][1]
    container["ModelDataSource"] = {"S3DataSource": SAME}
    case.backend.endpoints["rich"].production_variants[0]["DesiredInstanceCount"] = 7
    case.set_state(last_deployment_config={**ALARM, **POLICY})
    case.fix()
    log = case.tool('printf "%s\\n" "$@" >>"$log"; exec "$real" "$@"')
    steps, calls, dash, bash = [], [], ["dash"], ["bash", "-c"]
    runs = (("Copy", dash), ("Copy", bash), ("Move", bash), ("Move", dash), ("Back", dash))
    for heading, by in runs:
        case.aws.calls.clear()
        code, said = case.run(heading, by=by, path=log.parent)
        calls += case.aws.calls
        policy = case.backend.endpoints["rich"].last_deployment_config
        steps.append((code, case.changes(), case.serves_by()[1], policy, said))
    del container["ModelDataSource"]
    return case, steps, calls, log.read_text("utf-8")


def test_copy_move_and_back_and_each_again(journey: Journey) -> None:
    _, steps, _, _ = journey
    before, to, moved = {**ALARM, **POLICY}, "rich-isolated", "is InService rich-isolated"
    expected = [
        (0, CHANGED, "rich", before, "The endpoint-config rich is copied."),
        (1, CHANGED[:1], "rich", before, "The name of the copy of model rich is taken."),
        (0, ["UpdateEndpoint"], to, before, moved),
        (0, [], to, before, moved),
        (0, ["UpdateEndpoint"], "rich", POLICY, "is InService rich.\n"),
    ]
    for step, (*did, words) in zip(steps, expected, strict=True):
        assert [*step[:-1]] == did, step[-1]
        assert words in step[-1]


def test_a_copy_has_all_that_the_original_has(journey: Journey) -> None:
    """Also what this botocore does not know: the AWS CLI does. Quotes are nothing special."""
    case, backend = journey[0], journey[0].backend
    copies = {re.sub(r"-\d{14}$", "", name): name for name in backend._models}
    assert "rich-c-isolated" not in copies
    old, new = backend._models["rich"], backend._models[copies["rich-isolated"]]
    assert new.given == {**old.given, "ModelName": new.model_name, "EnableNetworkIsolation": True}
    assert new.vpc_config == case.sound
    assert new.tags == [tag for tag in old.tags if tag["Key"].startswith("key-")]
    assert len(new.tags) == 48
    (name,) = [n for n in backend.endpoint_configs if n.startswith("rich-isolated-")]
    config = backend.endpoint_configs[name]
    expected = json.loads(
        json.dumps({**backend.endpoint_configs["rich"].given, "EndpointConfigName": name})
        .replace('"ModelName": "rich"', f'"ModelName": "{new.model_name}"')
        .replace('Override": "rich-b', f'Override": "{copies["rich-b-isolated"]}')
    )
    assert config.given == expected
    assert config.tags == [{"Key": "team", "Value": "risk"}]
    assert backend.endpoints["rich"].production_variants[0]["DesiredInstanceCount"] == 7


def test_the_policy_allows_what_the_blocks_call_and_copies_alone_to_be_created(
    journey: Journey,
) -> None:
    _, _, calls, _ = journey
    called = {f"{call.service}:{call.api}" for call in calls}
    statements = {a: one for one in PERMISSIONS["Statement"] for a in several(one["Action"])}
    assert called | DEPENDENT == set(statements) | {"sts:GetCallerIdentity"}  # AWS lets everybody
    for call in calls:
        if call.api.startswith("Create"):
            made = call.parameters[f"{call.api.removeprefix('Create')}Name"]
            pattern = statements[f"sagemaker:{call.api}"]["Resource"].rpartition("/")[2]
            assert fnmatchcase(made, pattern)
    isolated = {"Bool": {"sagemaker:NetworkIsolation": "true"}}
    assert statements["sagemaker:CreateModel"]["Condition"] == isolated


def test_no_secret_is_shown_written_or_on_a_command_line(
    journey: Journey, case: Case, caplog: pytest.LogCaptureFixture
) -> None:
    rich, steps, _, command_lines = journey
    assert "--containers" in command_lines
    told = [command_lines, rich.page().read_text("utf-8"), *(said for *_, said in steps)]
    case.backend._models[case.name].given["PrimaryContainer"] |= {"Environment": {"a": SECRET}}
    with caplog.at_level(logging.DEBUG):
        told += [case.fix(), caplog.text, case.page().read_text("utf-8")]
    for code, message, words in (
        ("ValidationException", f"value {SECRET} at environment", "is not copied. AWS CloudTrail"),
        ("AccessDeniedException", "may not", "(AccessDeniedException) when calling the CreateMode"),
    ):
        with case.aws.failing(on("CreateModel")(error(code, message))):
            result, said = case.run("Copy", by=("bash" if "Access" in code else "dash", "-x"))
        assert result == 1
        assert words in said
        told.append(said)
    assert not [text for text in told if SECRET in text]


def test_a_setting_that_the_aws_cli_does_not_show_stops_copy(case: Case) -> None:
    case.backend._models[case.name].given["PrimaryContainer"]["Newer"] = {"X": False}
    case.fix()
    case.aws.calls.clear()
    code, said = case.run("Copy")
    assert "A copy would lose what this AWS CLI does not show: PrimaryContainer.Newer.X." in said
    assert (code, case.changes()) == (5, [])


OTHER = {"pending_deployment_summary": {"EndpointConfigName": "other"}, "is_held": True}
# What was made anew, or the state of the endpoint; and why a block stops then.
GUARDS: dict[str, tuple[Any, str]] = {
    "config": ("endpoint_configs", "endpoint-config {} was made anew since this page was written"),
    "model": ("_models", "The model {} was made anew since this page was written"),
    "deployed": ({"endpoint_config_name": "other"}, "{} is InService other; this needs it"),
    "updating": ({"endpoint_status": "Updating", **OTHER}, "{} is Updating {} other; this needs"),
}


@pytest.mark.parametrize("guard", GUARDS)
def test_what_is_not_as_planned_stops_a_block_before_its_first_change(
    case: Case, guard: str
) -> None:
    edit, words = GUARDS[guard]
    case.fix()
    case.make_anew(edit) if isinstance(edit, str) else case.set_state(**edit)
    case.aws.calls.clear()
    code, said = case.run("Move")
    assert words.replace("{}", case.name) in said
    assert (code, case.changes()) == (1, [])


def test_another_account_stops_each_block_and_the_callers_shell_goes_on(case: Case) -> None:
    case.fix()
    blocks = [case.block(heading) for heading in ("Copy", "Move", "Back")]
    guards = {re.findall(r"set -eu.*?\n(?=names=|if )", b, re.DOTALL)[0] for b in blocks}
    assert len(guards) == 1  # so that what stops one stops each

    def another(_: Call, answer: Answer) -> Response:
        response = answer()
        response.set_data(response.get_data().replace(b"123456789012", b"999999999999"))
        return response

    case.aws.calls.clear()
    with case.aws.failing(on("GetCallerIdentity")(another)):
        for heading in ("Copy", "Move", "Back"):
            code, said = case.run(heading, after="echo $? $- ${state-none}")
            assert "are of account 999999999999, this page is for 123456789012. Nothing" in said
            assert re.search(r"^1 s? none$", said, re.MULTILINE)
            assert code == 0
    assert not case.changes()


def copied(case: Case) -> str:
    """Write a page, create the configuration that its block Copy would, and return its name."""
    case.fix()
    (new,) = re.findall('"EndpointConfigName": "([^"]*)"', case.block("Copy"))
    given = {"EndpointConfigName": new, "ProductionVariants": [variant("one", case.name)]}
    case.sagemaker.create_endpoint_config(**given)
    return str(new)


def test_an_update_that_fails_is_said_with_awss_reason(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = copied(case)
    for status in ("InService", "Failed"):  # the first, if AWS has taken it back
        case.set_state(endpoint_status="InService")
        monkeypatch.setitem(moto_patches.config_fates, new, status)
        code, said = case.run("Move")
        assert f"{case.name} is {status} {case.name}. AWS's reason: The container did" in said
        assert (code, case.serves_by()) == (1, (status, case.name))


def test_stopped_half_way_nothing_is_lost_or_done_twice(case: Case) -> None:
    """All is killed, as by the end of the machine, after a change."""
    for heading, stop, prepare in (("Copy", 7, Case.fix), ("Move", 5, copied)):
        prepare(case)
        case.aws.calls.clear()
        log = case.tool(
            f'"$real" "$@"; code=$?; echo . >>"$log"; '
            f'[ "$(wc -l <"$log")" -lt {stop} ] || kill -9 0; exit "$code"'
        )
        code, said = case.run(heading, path=log.parent)
        assert code == -9, said
        assert len(case.changes()) == 1
        assert case.serves_by()[0] == "InService"
        case.aws.calls.clear()
        code, said = case.run(heading)
        assert (code, case.changes()) == ((1, ["CreateModel"]) if heading == "Copy" else (0, []))
        assert case.serves_by()[1] == f"{case.name}{'-isolated' if heading == 'Move' else ''}"
