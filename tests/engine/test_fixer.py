"""The fixer's pages and their index: one run on all failing models of three regions."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from prowler.lib.check.check import import_check

from ..embedded import engine
from ..embedded.account import EVERYWHERE, Region
from ..embedded.fixer_case import Case, sound_network, variant
from ..embedded.installation import CHECK, ROOT
from ..embedded.server import EmbeddedAWS, on, refuse

REGION, GONE, REFUSED, OTHER = "ap-east-1", "ap-southeast-3", "ca-west-1", "sa-east-1"
Setup = Callable[[Case], Any]
BATCH = {"Type": "INSTANCE_COUNT", "Value": 1}
POLICY = {"RollingUpdatePolicy": {"MaximumBatchSize": BATCH, "WaitIntervalInSeconds": 60}}
ALARM = {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "error's"}]}}


def served(edit: Setup | None = None, model: Any = None, **parameters: Any) -> Setup:
    """Return a setup: an endpoint of a model, which is made so, and then edited."""

    def setup(case: Case) -> None:
        case.model(**(model or {}))
        case.endpoint(variant("one", case.name, **parameters))
        if edit:
            edit(case)

    return setup


def container(**members: Any) -> Setup:
    return served(model={"PrimaryContainer": {"Image": "i", **members}})


def state(**members: Any) -> Setup:
    return served(lambda case: case.set_state(**members))


def anew(things: str) -> Setup:
    return served(lambda case: case.make_anew(things))


def component(case: Case, **specification: Any) -> None:
    case.model()
    named = {"InferenceComponentName": "chat", "EndpointName": "e", "VariantName": "v"}
    case.sagemaker.create_inference_component(**named, **specification)


OF_MODEL = {"Specification": {"ModelName": "component"}}
NO_NETWORK = f"Name subnets and security groups as aws.{CHECK}.VpcConfig.{REGION} in the fixer"
SERVERLESS: Any = {"InstanceType": None, "ServerlessConfig": {"MemorySizeInMB": 1024}}
SCRIPT_MODE = {"SAGEMAKER_SUBMIT_DIRECTORY": "s3://bucket/model.tar.gz"}
# By region and model: what the fixer says instead of a page, which is in the index too.
REASONS: dict[str, dict[str, tuple[Setup, str]]] = {
    REGION: {
        "updating": (state(endpoint_status="Updating"), "it is Updating. Run this again"),
        "failed": (state(endpoint_status="Failed"), "it is Failed, and can only be deleted"),
        "serverless": (served(**SERVERLESS), "it is serverless, which AWS does not isolate"),
        "config-anew": (anew("endpoint_configs"), "its endpoint-config config-anew was made anew"),
        "model-anew": (anew("_models"), "its model model-anew was made anew after its last dep"),
        "unserved": (Case.model, "No endpoint is seen to serve it"),
        "component": (lambda c: component(c, **OF_MODEL), "Update inference component chat by"),
        "script-mode": (container(Environment=SCRIPT_MODE), "in script mode"),
        "chainer": (container(Image="r/sagemaker-chainer:5"), "needs Amazon S3 while it runs"),
        "no-network": (lambda c: (c.region.model(c.name), c.endpoint()), NO_NETWORK),
        "muted": (Case.model, "The mutelist mutes the finding."),
    },
    GONE: {
        "config-gone": (
            served(lambda c: c.sagemaker.delete_endpoint_config(EndpointConfigName=c.name)),
            "not all known: configuration config-gone of endpoint config-gone could not be read",
        ),
        "of-nothing": (component, "inference component chat could not be understood"),
    },
    REFUSED: {
        "no-endpoints": (Case.model, "allow sagemaker:ListEndpoints"),
        "no-components": (Case.model, "allow sagemaker:ListInferenceComponents"),
        "undescribed": (Case.model, "allow sagemaker:DescribeModel"),
    },
}
MUTED = {"Accounts": {"*": {"Checks": {CHECK: {"Regions": ["*"], "Resources": ["^muted$"]}}}}}
LONG = [f"long{'-' * 50}{end}" for end in ("-risk-one", "-risk-two")]  # of 63 characters
ENVIRONMENT = {"OPTION_MODEL_ID": "org/m", "C": '{"at": "S3://b/x"}'}
IN_VPC = {"Image": "i", "ImageConfig": {"RepositoryAccessMode": "Vpc"}}
RICH = {**IN_VPC, "ModelPackageName": "a:b/c", "Environment": ENVIRONMENT}
PAGES: dict[str, tuple[Setup, list[str]]] = {
    "plain": (
        container(Environment={"HF_MODEL_ID": "/opt/ml/model"}),
        ["**Update policy:** none.", "update back:** none.", "Seen here:**\n\n- nothing"],
    ),
    "rich": (
        served(
            lambda c: c.set_state(
                production_variants=[{"VariantName": "one", "CurrentInstanceCount": 7}],
                last_deployment_config={**POLICY, **ALARM},
            ),
            model={"PrimaryContainer": RICH, "tags": {"aws:cloudformation:stack-name": "serving"}},
        ),
        [
            "**Instances:** 7 x ml.m5.large.",
            f"**Update policy:** `{json.dumps(POLICY)}`",
            "take the update back:** `error's`.",
            "- Tag of rich: `aws:cloudformation:stack-name` = `serving`",
            "a:b/c: a package of AWS Marketplace runs",
            "i is pulled through the VPC",
            "OPTION_MODEL_ID of container i names a model of the Hugging Face Hub",
            "C of container i names Amazon S3",
        ],
    ),
    "half-muted": (
        lambda c: (c.model(), c.endpoint(variant("one", c.name), variant("two", "muted"))),
        ["| half-muted | network isolation is disabled |"],
    ),
    "long": (
        lambda c: (*map(c.model, LONG), c.endpoint(*(variant(n[-3:], n) for n in LONG))),
        [f"| {name} | network isolation is disabled |" for name in LONG],
    ),
}


class Written(NamedTuple):
    """A run of the fixer: its cases, what it printed, its index, and its calls."""

    cases: dict[str, Case]
    said: str
    contents: str
    calls: set[str]


@pytest.fixture(scope="module")
def written(aws: EmbeddedAWS, tmp_path_factory: pytest.TempPathFactory) -> Written:
    output, cases = tmp_path_factory.mktemp("output"), {}
    for region in (Region(aws, name) for name in REASONS):
        network = sound_network(region)
        pages: dict[str, Any] = PAGES if region.name == REGION else {}
        for name, (setup, _) in (REASONS[region.name] | pages).items():
            cases[name] = Case(aws, region, name, output, network)
            setup(cases[name])
    models = {(name, c.region.name): None for c in cases.values() for name in c.backend._models}
    aws.calls.clear()
    with aws.failing(
        on("ListEndpoints", REFUSED)(refuse),
        on("ListInferenceComponents", REFUSED)(refuse),
        on("DescribeModel", REFUSED, ModelName="undescribed")(refuse),
    ):
        said = engine.fix(aws, list(models), output, mutelist_content=MUTED)
    assert not cases["plain"].changes()
    contents = cases["plain"].page("index").read_text("utf-8")
    assert all(f"| {region} | {name} |" in contents for name, region in models)
    return Written(cases, said, contents, {f"{call.service}:{call.api}" for call in aws.calls})


@pytest.mark.parametrize(("region", "name"), [(r, name) for r in REASONS for name in REASONS[r]])
def test_where_there_is_no_page_the_reason_is_said(
    written: Written, region: str, name: str
) -> None:
    _, words = REASONS[region][name]
    assert words in written.said
    rows = re.findall(rf"^\| {region} \| {name} \| .*$", written.contents, re.MULTILINE)
    assert any(words in row for row in rows)
    assert not list(written.cases[name].output.rglob(f"{name}.md"))


@pytest.mark.parametrize("name", PAGES)
def test_a_page_says(written: Written, name: str) -> None:
    page = written.cases[name].page()
    assert f"{name}: {page}\n" in written.said
    assert [words for words in PAGES[name][1] if words not in page.read_text("utf-8")] == []
    assert f"[page]({REGION}/{name}.md)" in written.contents


def test_a_copy_has_a_name_of_its_own_that_aws_takes_and_a_muted_model_has_none(
    written: Written,
) -> None:
    copies = set(re.findall('"ModelName": "([^"]*)"', written.cases["long"].block("Copy")))
    assert len(copies) == 2
    assert all(re.fullmatch(r"[a-z](-*[a-z0-9]){0,62}", name) for name in copies)
    assert all("-isolated-" in name for name in copies)  # as the policy asks
    assert "copy model muted " not in written.cases["half-muted"].block("Copy")


def test_its_permissions_are_the_calls_that_it_makes(written: Written) -> None:
    fixer = import_check(f"{engine.SERVICE}.{CHECK}.{CHECK}_fixer").fixer
    said = set(re.findall(r"\w+:\w+", fixer.__doc__))
    ours = {call for call in written.calls if call.startswith(("sagemaker", "ec2"))}
    assert ours - {"ec2:DescribeRegions"} == said  # Prowler's own


def test_the_configured_network_is_used_where_the_own_one_is_not_sound(
    aws: EmbeddedAWS, tmp_path: Path
) -> None:
    """By the settings that the page shows."""
    page = (ROOT / "docs" / "remediation.md").read_text("utf-8")
    shown = re.search(r"(?:^    .*\n)+", page.partition("`--fixer-config`,")[2], re.MULTILINE)
    assert shown
    keys = yaml.safe_load(shown[0])["aws"][CHECK]["VpcConfig"]["eu-west-1"]
    region = Region(aws, OTHER)
    sound, vpc = sound_network(region), region.vpc()
    route = {"DestinationCidrBlock": EVERYWHERE, "GatewayId": region.internet_gateway(vpc)}
    subnet = region.subnet(vpc, region.table(vpc, route))
    public = {"Subnets": [subnet], "SecurityGroupIds": [region.group(vpc)]}
    case = Case(aws, region, "public", tmp_path, sound)
    served(model={"VpcConfig": public})(case)
    for settings, words in (
        (public, "in the fixer configuration is not private and controlled: subnet"),
        ({"Subnets": sound["Subnets"]}, "must have Subnets and SecurityGroupIds"),
        ("subnet-1", "must have Subnets and SecurityGroupIds"),
    ):
        assert words in case.fix(settings={"VpcConfig": {OTHER: settings}})
    case.fix(settings={"VpcConfig": {OTHER: {key: sound[key] for key in keys}}})
    ids = ", ".join([*sound["Subnets"], *sound["SecurityGroupIds"]])
    assert f"| {ids}: of the fixer configuration, because" in case.page().read_text("utf-8")


def test_a_folder_that_cannot_be_written_to(written: Written, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = engine.fix(written.cases["plain"].aws, [("plain", REGION)], tmp_path / "file")
    assert "No page can be written" in said
