"""The fixer's pages: what they say, and their blocks in a shell with the real AWS CLI and jq."""

import json
import logging
import re
from collections.abc import Callable
from typing import Any

import pytest
from prowler.lib.check.check import import_check
from werkzeug.wrappers import Response

from ..embedded import engine, moto_patches
from ..embedded.account import Region
from ..embedded.fixer_case import ALARM, REGION, Case, variant
from ..embedded.installation import CHECK
from ..embedded.server import Answer, Call, error, on, refuse

pytestmark = pytest.mark.usefixtures("forked_aws_cli")

Edit = Callable[[Case], Any]
URL = "s3://bucket/model.tar.gz"
SAME = {"S3Uri": URL, "S3DataType": "S3Object", "CompressionType": "Gzip"}
ROLLING = {
    "RollingUpdatePolicy": {
        "MaximumBatchSize": {"Type": "INSTANCE_COUNT", "Value": 1},
        "WaitIntervalInSeconds": 60,
    }
}
SECRET = {"TOKEN": "hunter22", "URL": "s3://hunter22"}
BLOCKS = ("Copy", "Move", "Back")
MADE = ["CreateModel", "CreateEndpointConfig"]


def served(*edits: Edit, model: Any = None, **parameters: Any) -> Edit:
    """Return an edit: an endpoint of a model, which is made so, and then edited."""

    def edit(case: Case) -> None:
        case.model(**(model or {}))
        case.endpoint(variant("one", case.name, **parameters))
        for further in edits:
            further(case)

    return edit


def container(**members: Any) -> Edit:
    return served(model={"PrimaryContainer": {"Image": "i", **members}})


def state(**members: Any) -> Edit:
    """Return an edit: moto's endpoint has these members."""
    return lambda case: vars(case.backend.endpoints[case.name]).update(members)


def component(case: Case, **specification: Any) -> None:
    named = {"InferenceComponentName": "chat", "EndpointName": "e", "VariantName": "v"}
    case.sagemaker.create_inference_component(**named, **specification)


# What the fixer says instead of a page, which is in the index too.


REASONS: dict[str, tuple[Edit, str]] = {
    "updating": (served(state(endpoint_status="Updating")), "it is Updating. Run this again"),
    "failed": (served(state(endpoint_status="Failed")), "it is Failed, and can only be deleted"),
    "serverless": (
        served(InstanceType=None, ServerlessConfig={"MemorySizeInMB": 1024, "MaxConcurrency": 1}),
        "it is serverless, which AWS does not isolate",
    ),
    "config anew": (served(lambda c: c.make_anew("config")), "{name} was made anew after its last"),
    "model anew": (served(lambda c: c.make_anew("model")), "its model {name} was made anew after"),
    "config gone": (
        served(lambda c: c.sagemaker.delete_endpoint_config(EndpointConfigName=c.name)),
        "not all known: configuration {name} of endpoint {name} could not be read",
    ),
    "unserved": (Case.model, "No endpoint is seen to serve it"),
    "component": (
        lambda c: (c.model(), component(c, Specification={"ModelName": c.name})),
        "Update inference component chat by hand.",
    ),
    "component of nothing": (
        lambda c: (c.model(), component(c)),
        "not all known: inference component chat could not be understood",
    ),
    "script mode": (container(Environment={"SAGEMAKER_SUBMIT_DIRECTORY": URL}), "in script mode"),
    "Chainer": (container(Image="1.dkr.ecr/sagemaker-chainer:5"), "needs Amazon S3 while it runs"),
    "no sound network": (
        lambda c: (c.region.model(c.name), c.endpoint()),
        f"Name subnets and security groups as aws.{CHECK}.VpcConfig.{REGION} in the fixer",
    ),
}


@pytest.mark.parametrize("kind", REASONS)
def test_where_there_is_no_page_the_reason_is_said(case: Case, kind: str) -> None:
    setup, words = REASONS[kind]
    setup(case)
    case.aws.calls.clear()
    said = case.fix()
    index = case.page("index").read_text("utf-8")
    assert words.format(name=case.name) in said
    assert words.format(name=case.name) in index
    assert index.count(f"| {REGION} | {case.name} |") == 1
    assert len(list(case.output.rglob("*.md"))) == 1
    assert not case.changes()


@pytest.mark.parametrize("api", ["DescribeModel", "ListEndpoints", "ListInferenceComponents"])
def test_what_cannot_be_read_is_said(case: Case, api: str) -> None:
    case.model()
    with case.aws.failing(on(api, REGION)(refuse)):
        assert f"allow sagemaker:{api}" in case.fix()


def test_a_muted_finding_is_left_as_it_is(case: Case) -> None:
    other = f"{case.name}-b"
    case.model()
    case.model(other)
    case.endpoint(variant("one", case.name), variant("two", other))
    muted = {"Regions": ["*"], "Resources": [f"^{case.name}$"]}
    said = case.fix(
        *(case.name, other), mutelist_content={"Accounts": {"*": {"Checks": {CHECK: muted}}}}
    )
    assert "The mutelist mutes the finding." in said
    assert f"| {other} | network isolation is disabled |" in case.page().read_text("utf-8")
    assert f"copy model {case.name} " not in case.block("Copy")


def test_a_folder_that_cannot_be_written_to(case: Case) -> None:
    case.model()
    case.output = case.output / "file"
    case.output.write_text("")
    assert "No page can be written" in case.fix()


# What a page says.

PAGES: dict[str, tuple[Edit, str]] = {
    "instances": (
        served(state(production_variants=[{"VariantName": "one", "CurrentInstanceCount": 7}])),
        "**Instances:** 7 x ml.m5.large.",
    ),
    "no policy": (served(), "**Update policy:** none."),
    "policy": (served(state(last_deployment_config=ROLLING)), f"policy:** `{json.dumps(ROLLING)}`"),
    "alarms": (served(state(last_deployment_config=ALARM)), "take the update back:** `error's`."),
    "tag": (
        served(model={"tags": {"aws:cloudformation:stack-name": "serving"}}),
        "- Tag of {name}: `aws:cloudformation:stack-name` = `serving`",
    ),
    "package": (container(ModelPackageName="a:b/c"), "a:b/c: a package of AWS Marketplace runs"),
    "registry": (container(ImageConfig={"RepositoryAccessMode": "Vpc"}), "i is pulled through the"),
    "hub": (container(Environment={"OPTION_MODEL_ID": "org/m"}), "container i names a model of th"),
    "S3": (container(Environment={"C": '{"at": "S3://b/x"}'}), "C of container i names Amazon S3"),
    "nothing": (
        container(Environment={"HF_MODEL_ID": "/opt/ml/model"}),
        "**Seen here:**\n\n- noth",
    ),
}


@pytest.mark.parametrize("kind", PAGES)
def test_a_page_says(case: Case, kind: str) -> None:
    setup, words = PAGES[kind]
    setup(case)
    said = case.fix()
    assert f"{case.name}: {case.page()}" in said
    assert words.replace("{name}", case.name) in case.page().read_text("utf-8")
    assert f"[page]({REGION}/{case.name}.md)" in case.page("index").read_text("utf-8")


def test_the_configured_network_is_used_where_the_own_one_is_not_sound(
    case: Case, public: dict[str, list[str]]
) -> None:
    served(model={"VpcConfig": public})(case)
    for settings, words in (
        (public, "in the fixer configuration is not private and controlled: subnet"),
        ({"Subnets": case.sound["Subnets"]}, "must have Subnets and SecurityGroupIds"),
        ("subnet-1", "must have Subnets and SecurityGroupIds"),
    ):
        assert words in case.fix(settings={"VpcConfig": {REGION: settings}})
    case.fix(settings={"VpcConfig": {REGION: case.sound}})
    ids = ", ".join([*case.sound["Subnets"], *case.sound["SecurityGroupIds"]])
    assert f"| {ids}: of the fixer configuration, because" in case.page().read_text("utf-8")


def test_an_index_has_all_models_of_a_scan(case: Case) -> None:
    """In whatever region they are; a name of 63 characters is cut, and differs from another."""
    other = Region(case.aws, "ap-south-2")
    names = [case.name.ljust(54, "-") + end for end in ("-risk-one", "-risk-two")]
    for name in names:
        case.model(name)
    case.endpoint(variant("one", names[0]), variant("two", names[1]))
    other.model(case.name, isolated=False)
    models = [(names[0], REGION), (names[1], REGION), (case.name, other.name)]
    engine.fix(case.aws, models, case.output)
    index = case.page("index").read_text("utf-8")
    assert all(f"| {region} | {name} |" in index for name, region in models)
    copies = set(re.findall('"ModelName": "([^"]*)"', case.block("Copy")))
    assert len(copies) == 2
    assert all(re.fullmatch(r"[a-z](-*[a-z0-9]){0,62}", name) for name in copies)


def test_its_permissions_are_the_calls_that_it_makes(case: Case) -> None:
    served()(case)
    component(case, Specification={"ModelName": "other"})
    case.aws.calls.clear()
    case.fix()
    made = {f"{call.service}:{call.api}" for call in case.aws.calls}
    fixer = import_check(f"{engine.SERVICE}.{CHECK}.{CHECK}_fixer").fixer
    policy = fixer.__doc__.partition("Permissions:")[2].partition("Args:")[0]
    (statement,) = json.loads(policy)["Statement"]
    ours = {call for call in made if call.startswith(("sagemaker", "ec2"))}
    assert ours - {"ec2:DescribeRegions"} == set(statement["Action"])  # Prowler's own


# The blocks.


@pytest.mark.parametrize("by", [("dash",), ("bash", "-c")])
def test_copy_move_and_back_and_each_again(case: Case, by: tuple[str, ...]) -> None:
    served(state(last_deployment_config={**ALARM, **ROLLING}))(case)
    case.fix()
    isolated, policies = f"{case.name}-isolated", []
    for heading, code, changes, config, words in (
        ("Back", 0, [], case.name, f"Endpoint {case.name} is InService {case.name}."),
        ("Copy", 0, MADE, case.name, f"The endpoint-config {case.name} is copied."),
        ("Copy", 1, MADE[:1], case.name, f"The name of the copy of model {case.name} is taken."),
        ("Move", 0, ["UpdateEndpoint"], isolated, f"Endpoint {case.name} is InService {isolated}"),
        ("Move", 0, [], isolated, f"Endpoint {case.name} is InService {isolated}"),
        ("Back", 0, ["UpdateEndpoint"], case.name, f"is InService {case.name}.\n"),
        ("Back", 0, [], case.name, f"is InService {case.name}.\n"),
        ("Move", 0, ["UpdateEndpoint"], isolated, f"Endpoint {case.name} is InService {isolated}"),
    ):
        case.aws.calls.clear()
        result, said = case.run(heading, by=by)
        assert (result, case.changes(), case.serves_by()[1]) == (code, changes, config), said
        assert words in said
        policies.append(case.backend.endpoints[case.name].last_deployment_config)
    assert policies[-4:] == [policies[0], ROLLING, ROLLING, policies[0]]


def test_a_copy_has_all_that_the_original_has(case: Case) -> None:
    """Also what this botocore does not know: the AWS CLI does. Quotes are nothing special."""
    for name in (f"{case.name}-b", f"{case.name}-c"):
        case.model(name, isolated=name.endswith("c"))
    several = [
        {"Image": "one", "ContainerHostname": "first", "Environment": {"a": "it's", "c": ""}},
        {"Image": "two", "ModelDataUrl": URL, "Mode": "SingleModel"},
    ]
    tags = {f"key-{n}": "\"$(touch x)'é" for n in range(48)} | {"aws:cloudformation:id": "s"}
    case.model(Containers=several, InferenceExecutionConfig={"Mode": "Direct"}, tags=tags)
    pool = {"InstanceType": "ml.g5.large", "Priority": 1, "ModelNameOverride": f"{case.name}-b"}
    case.endpoint(
        variant("one", case.name, InitialInstanceCount=2),
        variant("two", f"{case.name}-c"),
        ShadowProductionVariants=[variant("shadow", case.name)],
        Tags=[{"Key": "team", "Value": "risk"}, {"Key": "AWS:x", "Value": "y"}],
    )
    given = case.backend.endpoint_configs[case.name].given
    given["ProductionVariants"][1].update(InstancePools=[pool])
    old = case.backend._models[case.name].given
    old["Containers"][1]["ModelDataSource"] = {"S3DataSource": SAME}  # as AWS gives it too
    case.backend.endpoints[case.name].production_variants[0]["DesiredInstanceCount"] = 7
    case.fix()
    assert (
        f"config {case.name}: ProductionVariants.InstancePools.ModelNameOverride\n"
        in case.page().read_text()
    )
    code, said = case.run("Copy", "Move")
    assert code == 0, said
    copies = {re.sub(r"-\d{14}$", "", name): name for name in case.backend._models}
    new = case.backend._models[copies[f"{case.name}-isolated"]]
    del old["Containers"][1]["ModelDataSource"]
    assert new.given == {**old, "ModelName": new.model_name, "EnableNetworkIsolation": True}
    assert new.vpc_config == case.sound
    assert new.tags == [{"Key": f"key-{n}", "Value": tags["key-0"]} for n in range(48)]
    config = case.backend.endpoint_configs[case.backend.endpoints[case.name].endpoint_config_name]
    expected = json.loads(
        json.dumps(given)
        .replace(f'"ModelName": "{case.name}"', f'"ModelName": "{new.model_name}"')
        .replace(f'Override": "{case.name}-b', f'Override": "{copies[f"{case.name}-b-isolated"]}')
    )
    assert config.given == {**expected, "EndpointConfigName": config.given["EndpointConfigName"]}
    assert config.tags == [{"Key": "team", "Value": "risk"}]
    assert case.backend.endpoints[case.name].production_variants[0]["DesiredInstanceCount"] == 7
    assert f"{case.name}-c-isolated" not in copies


def test_a_setting_that_the_aws_cli_does_not_show_stops_copy(case: Case) -> None:
    served()(case)
    case.backend._models[case.name].given["PrimaryContainer"]["Newer"] = {"X": False}
    case.fix()
    assert f"- Unknown to Prowler in model {case.name}: PrimaryContainer.Newer.X\n" in (
        case.page().read_text("utf-8")
    )
    case.aws.calls.clear()
    code, said = case.run("Copy")
    assert "A copy would lose what this AWS CLI does not show: PrimaryContainer.Newer.X." in said
    assert (code, case.changes()) == (5, [])


def held(case: Case, status: str, **members: Any) -> None:
    state(endpoint_status=status, is_held=True, **members)(case)


GUARDS: dict[str, tuple[Edit, str]] = {
    "config anew": (lambda c: c.make_anew("config"), "endpoint-config {name} was made anew since"),
    "model anew": (lambda c: c.make_anew("model"), "The model {name} was made anew since this pa"),
    "model gone": (
        lambda c: c.sagemaker.delete_model(ModelName=c.name),
        "when calling the DescribeModel operation",
    ),
    "colleague": (Case.deploy_another, "Endpoint {name} is InService {name}-new; this needs it"),
    "colleague's update": (
        lambda c: held(c, "Updating", pending_deployment_summary={"EndpointConfigName": "other"}),
        "Endpoint {name} is Updating",
    ),
    "failed": (lambda c: held(c, "Failed"), "Endpoint {name} is Failed "),
}


@pytest.mark.parametrize("guard", GUARDS)
def test_what_is_not_as_planned_stops_a_block_before_its_first_change(
    case: Case, guard: str
) -> None:
    edit, words = GUARDS[guard]
    served()(case)
    case.fix()
    guards = {
        re.findall(r"set -eu.*?\n(?=names=|if )", case.block(h), re.DOTALL)[0] for h in BLOCKS
    }
    assert len(guards) == 1  # all have the same
    edit(case)
    case.aws.calls.clear()
    code, said = case.run("Move")
    assert words.format(name=case.name) in said
    assert (code != 0, case.changes()) == (True, [])


def test_another_account_stops_a_block_and_the_callers_shell_goes_on(case: Case) -> None:
    served()(case)
    case.fix()

    def another(_: Call, answer: Answer) -> Response:
        response = answer()
        response.set_data(response.get_data().replace(b"123456789012", b"999999999999"))
        return response

    case.aws.calls.clear()
    with case.aws.failing(on("GetCallerIdentity")(another)):
        for heading in BLOCKS:
            code, said = case.run(heading, after="echo $? $- ${state-none}")
            assert "are of account 999999999999, this page is for 123456789012. Nothing" in said
            assert re.search(r"^1 s? none$", said, re.MULTILINE)
            assert code == 0
    assert not case.changes()


@pytest.mark.parametrize("status", ["InService", "UpdateRollbackFailed", "Failed"])
def test_an_update_that_fails_is_said_with_awss_reason(
    case: Case, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    served()(case)
    case.fix()
    assert case.run("Copy")[0] == 0
    new = next(name for name in case.backend.endpoint_configs if f"{case.name}-iso" in name)
    monkeypatch.setitem(moto_patches.config_fates, new, status)
    code, said = case.run("Move")
    assert f"Endpoint {case.name} is {status} {case.name}. AWS's reason: The container did" in said
    assert (code, case.serves_by()) == (1, (status, case.name))


@pytest.mark.parametrize("code", ["ValidationException", "AccessDeniedException"])
def test_no_secret_is_shown_written_or_on_a_command_line(
    case: Case, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    container(Environment=SECRET)(case)
    with caplog.at_level(logging.DEBUG):
        written = case.fix() + case.page().read_text("utf-8") + caplog.text
    log = case.tool('printf "%s\\n" "$@" >>"$log"; exec "$real" "$@"')
    echo = "value hunter22 at environment" if code == "ValidationException" else "no hunter"
    with case.aws.failing(on("CreateModel")(error(code, echo))):
        result, said = case.run("Copy", by=("bash", "-x"), path=str(log.parent))
    assert result == 1
    assert ("is not copied" in said) is (code == "ValidationException")
    assert case.run("Copy", by=("dash", "-x"), path=str(log.parent))[0] == 0
    assert "--primary-container" in log.read_text("utf-8")
    assert not [t for t in (written, said, log.read_text("utf-8")) if "hunter22" in t]


def test_stopped_after_any_command_nothing_is_lost_or_done_twice(case: Case) -> None:
    """All is killed, as by the end of the machine: after a read, and after each change."""
    served()(case)
    for heading, stops in (("Copy", (4, 7, 10)), ("Move", (4, 5)), ("Back", (4, 5))):
        case.aws.calls.clear()
        for number in stops:
            if heading == "Copy":
                case.fix()  # a page with new names
            log = case.tool(
                f'"$real" "$@"; code=$?; echo . >>"$log"; '
                f'[ "$(wc -l <"$log")" -lt {number} ] || kill -9 0; exit "$code"'
            )
            code, said = case.run(heading, path=str(log.parent))
            assert code == -9, said
            assert case.serves_by()[0] == "InService"
        assert case.aws.count()["UpdateEndpoint"] == (heading != "Copy")
        code, said = case.run(heading)
        assert (code == 0) is (heading != "Copy")  # all its names are taken
        assert case.serves_by()[1] == f"{case.name}{'-isolated' if heading == 'Move' else ''}"
