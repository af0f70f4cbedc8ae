"""The plan of the fixer: what it says, what it writes, and that it changes nothing."""

import json
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from prowler.lib.check.check import import_check

from ..embedded import engine
from ..embedded.account import Region
from ..embedded.fixer_case import ALARM, REGION, Case, variant
from ..embedded.installation import CHECK
from ..embedded.server import change, on, refuse

Setup = Callable[[Case], Any]
ROLLING = {
    "MaximumBatchSize": {"Type": "INSTANCE_COUNT", "Value": 1},
    "WaitIntervalInSeconds": 1,
}
NO_SCRIPT = "{name}: no script, because "


def steps(*edits: Setup) -> Setup:
    """Return a set-up of several."""

    def setup(case: Case) -> None:
        for edit in edits:
            edit(case)

    return setup


def endpoint(*edits: Setup, model: Any = None, **parameters: Any) -> Setup:
    """Return a set-up: an endpoint of a model, which is made so, and then edited."""
    return steps(
        lambda case: case.model(**(model or {})),
        lambda case: case.endpoint(variant("one", case.name, **parameters)),
        *edits,
    )


def environment(**variables: str) -> Setup:
    return endpoint(model={"PrimaryContainer": {"Image": "i", "Environment": variables}})


def configured(**members: Any) -> Setup:
    """Return an edit: moto's configuration has these members."""
    return lambda case: case.backend.endpoint_configs[case.name].given.update(members)


def state(**members: Any) -> Setup:
    """Return an edit: moto's endpoint has these members."""
    return lambda case: vars(case.backend.endpoints[case.name]).update(members)


def component(**specification: Any) -> Setup:
    """Return an edit: an inference component."""
    named = {"InferenceComponentName": "chat", "EndpointName": "e", "VariantName": "v"}
    return lambda case: case.sagemaker.create_inference_component(
        **named, **{k: {"ModelName": v.format(name=case.name)} for k, v in specification.items()}
    )


def pools(case: Case) -> None:
    """Edit: the variant is one of another model, and has a pool that names the case's."""
    case.model("other-" + case.name, isolated=True)
    (one,) = case.backend.endpoint_configs[case.name].given["ProductionVariants"]
    del one["InstanceType"]
    pool = {"InstanceType": "ml.g5.large", "Priority": 1, "ModelNameOverride": case.name}
    one.update(ModelName="other-" + case.name, InstancePools=[pool])


def plans(case: Case, names: list[str], regions: Any = REGION) -> list[str]:
    """Return what the fixer says of several models in one run, each in one line."""
    results = engine.fix_all(case.aws, names, regions, case.output, None)
    return [" ".join(" ".join(lines).split()) for _, lines in results]


def two_models(case: Case) -> None:
    case.model()
    case.model(f"{case.name}-b")
    case.endpoint(variant("one", case.name), variant("two", f"{case.name}-b"))


PLANS: dict[str, tuple[Setup, str]] = {
    # The endpoint, and how it is updated.
    "one": (
        endpoint(InitialInstanceCount=4),
        "{name}: {name} -> {name}-isolated, 4 x ml.m5.large, doubled during the update, all at "
        "once, no alarm New network: subnet-",
    ),
    "alarm": (
        endpoint(state(last_deployment_config=ALARM)),
        "doubled during the update, by its deployment configuration, with alarm errors",
    ),
    "rolling": (
        endpoint(state(last_deployment_config={**ALARM, "RollingUpdatePolicy": ROLLING})),
        "1 x ml.m5.large, by its deployment configuration, with alarm errors",
    ),
    "scaled": (
        endpoint(
            state(production_variants=[{"VariantName": "one", "CurrentInstanceCount": 7}]),
        ),
        "7 x ml.m5.large, doubled",
    ),
    "shadow": (
        endpoint(
            configured(ShadowProductionVariants=[variant("two", "", InstanceType="ml.c5.large")])
        ),
        "{name} -> {name}-isolated, 1 x ml.m5.large, 1 x ml.c5.large, doubled",
    ),
    "two models": (
        two_models,
        "{name}: {name} -> {name}-isolated, {name}-b -> {name}-b-isolated, 2 x ml.m5.large",
    ),
    "pool": (
        endpoint(pools),
        "{name} -> {name}-isolated, 1 x instance pools, doubled during the update, all at once, no "
        "alarm New network:",
    ),
    "new settings": (
        endpoint(pools),
        "Note: the endpoint-config {name} has settings that only a newer AWS CLI knows: "
        "ProductionVariants.InstancePools. The script stops where its AWS CLI does not.",
    ),
    # Endpoints without a script.
    "updating": (endpoint(state(endpoint_status="Updating")), NO_SCRIPT + "it is Updating. Run"),
    "failed": (endpoint(state(endpoint_status="Failed")), NO_SCRIPT + "it is Failed, and can only"),
    "serverless": (
        endpoint(InstanceType=None, ServerlessConfig={"MemorySizeInMB": 1024, "MaxConcurrency": 1}),
        NO_SCRIPT + "it is serverless, and AWS takes no isolation",
    ),
    "config anew": (
        endpoint(lambda case: case.make_anew("config")),
        NO_SCRIPT + "its configuration {name} was made anew after its last deployment",
    ),
    "model anew": (
        endpoint(lambda case: case.make_anew("model")),
        NO_SCRIPT + "its model {name} was made anew after its last deployment",
    ),
    "other model gone": (
        steps(two_models, lambda case: case.sagemaker.delete_model(ModelName=f"{case.name}-b")),
        NO_SCRIPT + "model {name}-b could not be read (ValidationException",
    ),
    # What nothing serves, and what else does.
    "unserved": (
        Case.model,
        "Nothing seen serves it: delete it, or state an exception in a mutelist.",
    ),
    "component": (
        steps(Case.model, component(Specification="{name}")),
        "Inference component chat uses model {name}: update the component by hand.",
    ),
    "component of nothing": (
        steps(Case.model, component()),
        "Note: what else serves it is not all known: inference component chat could not be read "
        "(no Specification in the answer",
    ),
    "config gone": (
        endpoint(lambda case: case.sagemaker.delete_endpoint_config(EndpointConfigName=case.name)),
        "what else serves it is not all known: configuration {name} of endpoint {name} could",
    ),
    # Containers.
    "script mode": (
        environment(SAGEMAKER_SUBMIT_DIRECTORY="s3://bucket/sourcedir.tar.gz"),
        NO_SCRIPT + "container i of model {name} is in script mode",
    ),
    "hub": (environment(HF_MODEL_ID="gpt2"), "Note: HF_MODEL_ID of container i names a model of"),
    "stack": (
        endpoint(model={"tags": {"aws:cloudformation:stack-name": "serving"}}),
        "Note: CloudFormation stack serving made model {name}",
    ),
}


@pytest.mark.parametrize("kind", PLANS)
def test_the_plan_says(case: Case, kind: str) -> None:
    setup, words = PLANS[kind]
    setup(case)
    case.aws.calls.clear()
    said = case.plan()
    assert words.format(name=case.name) in said
    assert not case.changes()
    scripts = list(case.output.rglob("*.sh"))
    assert (f"sh {scripts[0]}" in said) if scripts else " sh " not in said


PACKAGE = f"arn:aws:sagemaker:{REGION}:1:model-package/x"


@pytest.mark.parametrize(
    ("container", "words"),
    [
        ({"Image": "1.dkr.ecr/sagemaker-chainer:5-cpu"}, "needs Amazon S3 while it runs"),
        ({"Image": "1.dkr.ecr/sagemaker-rl-vw-container:1"}, "needs Amazon S3 while it runs"),
        ({"ModelPackageName": PACKAGE}, "Marketplace runs with network isolation only"),
        ({"ImageConfig": {"RepositoryAccessMode": "Vpc"}}, "Note: i is pulled through the VPC"),
        ({"Environment": {"OPTION_MODEL_ID": "org/m"}}, "names a model of the Hugging Face Hub"),
        (
            {"Environment": {"HF_MODEL_ID": "s3://b/x"}},
            "HF_MODEL_ID of container i names Amazon S3",
        ),
        ({"Environment": {"CONF": '{"at": "S3://b/x"}'}}, "CONF of container i names Amazon S3"),
        ({"Environment": {"API": "see\nhttps://h/x"}}, "API of container i names a web address"),
        ({"Environment": {"HF_MODEL_ID": "/opt/ml/model"}}, ""),
        ({"Environment": {"SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}}, ""),
    ],
)
def test_what_a_container_may_miss(container: dict[str, Any], words: str) -> None:
    engine.take_the_place()
    fixer = f"{engine.SERVICE}.{CHECK}.lib.fixer"
    sent = {"Containers": [{"Image": "i", **container}]}
    model = import_check(f"{fixer}.descriptions").Description("model", "m", 0, {}, sent)
    containers = import_check(f"{fixer}.containers")
    obstacle = containers.obstacle_to_isolation(model)
    said = [*containers.notes_on_containers(model), *([obstacle] if obstacle else [])]
    assert len(said) == bool(words)
    assert all(words in one for one in said)


@pytest.mark.parametrize("by", ["name", "tag", "other model"])
def test_a_muted_finding_is_left_as_it_is(case: Case, by: str) -> None:
    case.model(tags={"team": "risk"})
    case.model(f"{case.name}-b")
    case.endpoint(variant("one", case.name), variant("two", f"{case.name}-b"))
    resources, tags = (["*"], {"Tags": ["team=risk"]}) if by == "tag" else ([f"^{case.name}$"], {})
    muted = {"Regions": ["*"], "Resources": resources, **tags}
    mutelist = {"Accounts": {"*": {"Checks": {CHECK: muted}}}}
    if by == "other model":  # a muted model stays where its neighbour is replaced
        name, case.name = case.name, f"{case.name}-b"
        said = case.plan(mutelist_content=mutelist)
        assert f"{name}: {case.name} -> {case.copy}, 2 x ml.m5.large" in said
    else:
        said = case.plan(mutelist_content=mutelist)
        assert said == "The finding is muted by the mutelist, so it is left as it is."


def test_what_all_models_share_is_read_and_said_once(case: Case) -> None:
    """Two models of one endpoint have one script; endpoints are read once a region."""
    two_models(case)
    case.endpoint(name=f"{case.name}-c")
    case.aws.calls.clear()
    names = [case.name, f"{case.name}-b"]
    first, second = plans(case, names)
    assert first.count("New network:") == 1
    assert "New network:" not in second
    assert len(list(case.output.rglob("*.sh"))) == 2
    assert case.aws.count()["ListEndpoints"] == case.aws.count()["ListInferenceComponents"] == 1
    assert case.aws.count()["DescribeEndpoint"] == 2


def test_two_regions_with_the_same_names_have_scripts_of_their_own(case: Case) -> None:
    other = Region(case.aws, "ap-south-2")
    vpc = other.vpc()
    network = {"Subnets": [other.subnet(vpc)], "SecurityGroupIds": [other.group(vpc)]}
    there = Case(case.aws, other, case.name, case.output, network, case.command)
    for one in (case, there):
        one.model()
        one.endpoint()
    plans(case, [case.name] * 2, [REGION, other.name])
    assert f"region={REGION}\n" in case.script().read_text()
    assert network["Subnets"][0] in there.script().read_text()
    assert there.script().parents[1] == case.script().parents[1]


# The network.


def test_the_configured_network_is_used_where_the_own_one_is_not_sound(
    case: Case, public: dict[str, list[str]]
) -> None:
    case.model(VpcConfig=public)
    case.endpoint()
    said = case.plan()
    assert f"subnet {public['Subnets'][0]} is public" in said
    assert f"Name subnets and security groups for {REGION} in the fixer configuration." in said
    said = case.plan(public)
    assert f"the VpcConfig for {REGION} in the fixer configuration is not private" in said
    assert not list(case.output.rglob("*.sh"))
    subnets, groups = case.sound["Subnets"], case.sound["SecurityGroupIds"]
    said = case.plan(case.sound)
    assert f"New network: {', '.join([*subnets, *groups])} sh " in said  # without a note
    assert json.dumps(subnets) in case.script().read_text()


def test_what_may_keep_a_network_from_working_is_noted(case: Case) -> None:
    """One zone, few addresses, no way to Amazon S3, and groups of another VPC."""
    vpc = case.region.vpc()
    table = case.region.table(vpc)
    small = [case.region.subnet(vpc, table, bits=28) for _ in range(2)]
    case.model(VpcConfig={**case.sound, "Subnets": small})
    case.endpoint(variant("one", case.name, InitialInstanceCount=50))
    said = case.plan()
    assert "Note: the subnets and security groups are of vpc-" in said
    assert f"Note: all subnets are in Availability Zone {REGION}a;" in said
    assert "the subnets have 22 free addresses; AWS asks for 2 for each of 50 new instances" in said
    assert f"Note: route table {table} has no gateway endpoint for Amazon S3" in said
    service = f"com.amazonaws.{REGION}.s3"
    case.region.ec2.create_vpc_endpoint(VpcId=vpc, ServiceName=service, RouteTableIds=[table])
    assert f"Note: route table {table}" not in case.plan()


def test_a_model_that_had_no_vpc_gets_a_word_on_its_role(case: Case) -> None:
    case.region.model(case.name, isolated=False)
    case.endpoint()
    assert f"Note: model {case.name} had no VPC: its role needs ec2:Create" in case.plan(case.sound)


def test_a_network_that_cannot_be_read_is_not_sound(case: Case) -> None:
    case.model()
    case.endpoint()
    with case.aws.failing(on("DescribeRouteTables", REGION)(refuse)):
        assert "no script, because" in (said := case.plan())
    assert "allow ec2:DescribeRouteTables" in said


@pytest.mark.parametrize("isolated", [True, False])
def test_a_network_that_alone_fails_a_model_is_to_be_fixed_first(
    case: Case, public: dict[str, list[str]], isolated: bool
) -> None:
    case.model(VpcConfig=public, isolated=isolated)
    case.endpoint()
    said = case.plan(case.sound)
    assert ("and it needs no replacement" in said) is isolated
    assert f"{case.name} -> {case.copy}" in said


# Settings.


def at(home: Any) -> dict[str, Any]:
    return {"aws": {CHECK: home}}


def network(**given: Any) -> dict[str, Any]:
    ids = {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"], **given}
    return at({"VpcConfig": {REGION: ids}})


HOME = f"aws.{CHECK}"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (["aws"], "All in the fixer configuration must be a mapping"),
        ({"aws": ["x"]}, "aws in the fixer configuration must be a mapping"),
        (at("yes"), f"{HOME} in the fixer configuration must be a mapping of settings"),
        (
            at({"DryRun": True}),
            f"{HOME}.DryRun in the fixer configuration is unknown; there is Vpc",
        ),
        (
            at({"CreateModels": True}),
            "Run the script that the plan writes for each endpoint: it cr",
        ),
        (at({"MoveEndpoints": True}), "writes for each endpoint: it moves the endpoint."),
        (at({"VpcConfig": ["subnet-1"]}), "VpcConfig in the fixer configuration must name regions"),
        (at({"VpcConfig": {"eu-west-9": {}}}), "eu-west-9 in the fixer configuration: AWS has no"),
        (network(More=1), f"{REGION} in the fixer configuration must have Subnets and Security"),
        (network(Subnets=[]), "Subnets must be a list of ids subnet-…"),
        (network(Subnets=["sg-1"]), "Subnets must be a list of ids subnet-…"),
        (network(SecurityGroupIds="sg-1"), "SecurityGroupIds must be a list of ids sg-…"),
        (network(Subnets=[f"subnet-{n}" for n in range(17)]), "AWS takes 16 Subnets at the most"),
        (network(SecurityGroupIds=[f"sg-{n}" for n in range(6)]), "takes 5 SecurityGroupIds at"),
        ({"VpcConfig": {}}, "VpcConfig in the fixer configuration is not where this plugin"),
        ({CHECK: {"VpcConfig": {}}}, f"{CHECK} in the fixer configuration is not where"),
        ({"aws": {"ec2": {}, "CreateModels": True}}, "its settings belong below " + HOME),
        (at({"VpcConfig": {REGION: {"VpcConfig": 1}}}), "its settings belong below " + HOME),
    ],
)
def test_settings_that_are_not_understood_are_named(settings: Any, words: str) -> None:
    engine.take_the_place()
    module = import_check(f"{engine.SERVICE}.{CHECK}.lib.fixer.settings")
    with pytest.raises(module.SettingsError) as raised:
        module.read_vpc_configs(settings, CHECK, {REGION})
    assert words in str(raised.value)


def test_settings_and_a_mutelist_that_are_not_understood_stop_all(case: Case) -> None:
    case.model()
    case.endpoint()
    for settings, words in (
        ("aws: [", "The fixer configuration cannot be read ("),
        (at({"VpcConfig": {"eu-west-9": {}}}), "AWS has no region of this name"),
    ):
        _, lines = engine.fix(case.aws, case.name, REGION, case.output, settings)
        assert words in " ".join(lines)
    (case.output / "mutelist.yaml").write_text("Mutelist: [")
    said = case.plan(mutelist_path=str(case.output / "mutelist.yaml"))
    assert "it is not known what is muted, and nothing is planned" in said
    assert not list(case.output.rglob("*.sh"))


@pytest.mark.parametrize("options", [["--output-directory", "x"], ["-o", "x"], ["--output-dir=x"]])
def test_prowlers_options_are_understood_as_it_does(
    options: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    engine.take_the_place()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "f.yaml").write_text(yaml.safe_dump(at({})))
    arguments = ["prowler", "aws", "--fixer", *options, "--fixer-con", "f.yaml", "-M", "csv"]
    monkeypatch.setattr("sys.argv", arguments)
    fixer = import_check(f"{engine.SERVICE}.{CHECK}.{CHECK}_fixer")
    assert fixer.command_line() == (Path("x"), at({}))


# How it is said.


def test_it_reads_well_at_80_columns(case: Case) -> None:
    """Nothing is broken that must be whole; a command is in one line, to be copied."""
    case.model()
    environment = {"HF_MODEL_ID": "gpt2"}
    case.model(f"{case.name}-b", PrimaryContainer={"Image": "i/" * 60, "Environment": environment})
    case.endpoint(variant("one", f"{case.name}-b"))
    names = [case.name, f"{case.name}-b"]
    results = engine.fix_all(case.aws, names, REGION, case.output, None)
    lines = [line for _, printed in results for line in printed]
    text = "\n".join(lines)
    assert all(word in text for word in (*case.sound["Subnets"], "i/" * 60))
    for line in lines:
        words = line.split()
        is_command = words[0] in ("sh", "aws")
        assert len(line) <= 80 or is_command or len(words) == 1, line
    assert f"sh {case.script()}" in text


def test_no_environment_is_printed_logged_or_written(
    case: Case, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    environment(TOKEN="hunter22", URL="s3://s3cr3t")(case)
    garbled = change(lambda answer: answer.pop("ModelArn"))
    with caplog.at_level(logging.DEBUG):
        said = case.plan()
        with case.aws.failing(on("DescribeModel", REGION)(garbled)):
            failed = case.plan()
    assert "There is no plan for it, because of KeyError: 'ModelArn'." in failed
    printed = capfd.readouterr()
    texts = (said, failed, caplog.text, printed.out, printed.err, case.script().read_text())
    assert not [text for text in texts if "hunter22" in text or "s3cr3t" in text]


@pytest.mark.parametrize("api", ["ListEndpoints", "DescribeEndpoint", "ListInferenceComponents"])
def test_what_cannot_be_read_is_said(case: Case, api: str) -> None:
    case.model()
    with case.aws.failing(on(api, REGION)(refuse)):
        case.endpoint()
        said = case.plan()
    assert f"allow sagemaker:{api}" in said
    assert "Nothing seen serves it" not in said


@pytest.mark.parametrize("status", ["UpdateRollbackFailed", "RollingBack"])
def test_an_endpoint_of_which_one_configuration_is_shown_may_use_it(
    case: Case, status: str
) -> None:
    case.model()
    case.model(f"{case.name}-other")
    case.endpoint(variant("one", f"{case.name}-other"))
    vars(case.backend.endpoints[case.name]).update(endpoint_status=status, looks_left=9)
    said = case.plan()
    assert f"the second configuration of endpoint {case.name} could not be read" in said
    assert "Nothing seen serves it" not in said


def test_a_folder_that_cannot_be_written_to(case: Case) -> None:
    case.model()
    case.endpoint()
    case.output = case.output / "file"
    case.output.write_text("")
    assert "it cannot be written" in case.plan()


def test_a_standard_output_that_is_closed_ends_nothing(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    case.model()
    case.endpoint()
    monkeypatch.setattr(
        engine, "StringIO", lambda: os.fdopen(os.open("/dev/full", os.O_WRONLY), "w")
    )
    engine.take_the_place()
    with pytest.raises(AttributeError, match="getvalue"):  # so the fixer itself has returned
        case.plan()
    assert case.script()


def test_its_permissions_are_the_calls_that_it_makes(case: Case) -> None:
    case.model()
    case.endpoint()
    component(Specification="other")(case)
    case.aws.calls.clear()
    case.plan()
    made = {f"{call.service}:{call.api}" for call in case.aws.calls}
    fixer = import_check(f"{engine.SERVICE}.{CHECK}.{CHECK}_fixer").fixer
    policy = fixer.__doc__.partition("Permissions:")[2].partition("Args:")[0]
    (statement,) = json.loads(policy)["Statement"]
    ours = {call for call in made if call.startswith(("sagemaker", "ec2"))}
    assert ours - {"ec2:DescribeRegions"} == set(statement["Action"])  # Prowler's own


# Names.


def test_a_name_that_is_taken_is_left_alone_and_a_copy_is_taken_for_one(case: Case) -> None:
    case.model()
    case.endpoint()
    case.region.model(case.copy, PrimaryContainer={"Image": "another"})
    case.model(f"{case.copy}-2", isolated=True)
    assert f"{case.name} -> {case.copy}-2," in case.plan()


def test_names_of_63_characters_have_copies_of_their_own(case: Case) -> None:
    """Cut, a name may end in dashes, which AWS takes at no name's end."""
    names = [case.name.ljust(54, "-") + end for end in ("-risk-one", "-risk-two")]
    for name in names:
        case.model(name)
        case.endpoint(variant("one", name), name=name)
    copies = [said.partition(" -> ")[2].partition(",")[0] for said in plans(case, names)]
    assert len(set(copies)) == 2
    assert all(len(name) <= 63 and name.endswith("-isolated") for name in copies)
    assert not any("--" in name.removeprefix(case.name).lstrip("-") for name in copies)
