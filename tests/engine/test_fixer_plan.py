"""What the fixer says and decides before it changes anything."""

import errno
import logging
import os
import resource
import signal
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from prowler.config.config import default_output_directory
from prowler.lib.check.check import import_check
from werkzeug.wrappers import Response

from ..embedded import aws_cli, engine
from ..embedded.account import ROLE
from ..embedded.fixer_case import MOVE, REGION, Case, variant
from ..embedded.installation import CHECK
from ..embedded.server import Answer, Call, change, error, on, refuse


def test_without_settings_it_plans_and_changes_nothing(case: Case) -> None:
    case.model()
    case.endpoint()
    case.aws.calls.clear()
    done, said = case.fix()
    assert not done
    assert case.changes() == set()
    assert not list(case.output.glob("*"))
    assert f"To create: model {case.copy}, like {case.name}, with network isolation" in said
    assert f"To create: endpoint configuration {case.copy}, like {case.name}" in said
    assert f"To move: endpoint {case.name}, from {case.name} to {case.copy}." in said
    assert "nothing is changed without CreateModels: true" in said


def test_endpoints_are_read_once_a_region_and_not_once_a_model(case: Case) -> None:
    models = [case.name, f"{case.name}-b", f"{case.name}-c"]
    for model in models:
        case.model(model)
        case.endpoint(variant("one", model), name=model)
    case.aws.calls.clear()
    results = engine.fix_all(case.aws, models, REGION, case.output, None)
    assert [done for done, _ in results] == [False] * 3
    calls = case.aws.count("sagemaker")
    assert calls["ListEndpoints"] == calls["ListInferenceComponents"] == 1
    assert calls["DescribeEndpoint"] == calls["DescribeEndpointConfig"] == 3


def test_created_models_alone_leave_the_endpoint_and_are_not_done(case: Case) -> None:
    case.model()
    case.endpoint()
    case.aws.calls.clear()
    done, said = case.fix({"CreateModels": True})
    assert not done
    assert case.changes() == {"CreateModel"}
    assert f"Endpoint {case.name} serves model {case.name}." in said
    assert "MoveEndpoints: true in --fixer-config moves the endpoints." in said
    assert case.serves_by() == ("InService", case.name)


def test_a_model_that_nothing_serves_is_copied_only_if_it_is_named(case: Case) -> None:
    case.model()
    done, said = case.fix({"CreateModels": True})
    assert not done
    assert f"No endpoint and no inference component is seen to serve model {case.name}" in said
    assert "state an exception" in said
    assert f"delete-model --region={REGION} --model-name={case.name}" in said
    assert case.names()[0] == [case.name]
    done, said = case.fix({"CreateModels": True}, resource_arn=[case.arn()])
    assert done, said
    assert case.names()[0] == [case.name, case.copy]
    assert f"The finding stays FAIL until model {case.name} is deleted: aws sagemaker" in said
    assert "The fixer cannot see pipelines, Step Functions, batch transform jobs" in said
    assert case.fix({"CreateModels": True})[0]  # it is there, and nothing serves the old one


def test_what_uses_a_model_is_named_and_the_result_is_not_true(case: Case) -> None:
    """An inference component, an update to the model, and a configuration that is gone."""
    case.model()
    case.model(f"{case.name}-other")
    case.endpoint()
    updating, gone = f"{case.name}-updating", f"{case.name}-gone"
    case.endpoint(variant("one", f"{case.name}-other"), name=updating)
    pending = on("DescribeEndpoint", EndpointName=updating)(
        change(
            lambda answer: answer.update(
                EndpointStatus="Updating",
                PendingDeploymentSummary={"EndpointConfigName": case.name},
            )
        )
    )
    with case.aws.failing(pending):
        done, said = case.fix(MOVE)
    assert not done
    assert f"Endpoint {updating} is being updated to {case.name}, which names" in said

    case.endpoint(name=gone)
    case.sagemaker.delete_endpoint_config(EndpointConfigName=gone)
    done, said = case.fix(MOVE)
    assert not done
    assert f"configuration {gone} of endpoint {gone} cannot be read" in said
    unserved, case.name = case.name, f"{case.name}-unserved"
    case.model()  # that one endpoint cannot be read does not make copies of all models
    done, said = case.fix(MOVE)
    assert not done
    assert f"Whether anything else serves model {case.name} is not known" in said
    assert case.names()[0] == [case.name]
    case.name = unserved
    case.sagemaker.delete_endpoint(EndpointName=gone)

    case.sagemaker.create_inference_component(
        InferenceComponentName="component",
        EndpointName="endpoint",
        VariantName="one",
        Specification={"ModelName": case.name},
    )
    done, said = case.fix(MOVE)
    assert not done
    assert f"Inference component component uses model {case.name}" in said
    newer = change(lambda a: a.update(Specifications=[a.pop("Specification")]))
    with case.aws.failing(on("DescribeInferenceComponent", REGION)(newer)):
        done, said = case.fix(MOVE)
    assert not done
    assert "inference component component cannot be read: no Specification" in said
    with case.aws.failing(on("ListInferenceComponents", REGION)(refuse)):
        done, said = case.fix(MOVE)
    assert not done
    assert "inference components cannot be read: ListInferenceComponents was refused" in said
    case.sagemaker.delete_inference_component(InferenceComponentName="component")
    assert case.fix(MOVE)[0]


@pytest.mark.parametrize("by", ["name", "tag"])
def test_a_muted_finding_is_not_fixed(case: Case, by: str) -> None:
    case.model(tags={"team": "risk"})
    case.endpoint()
    resources, tags = ([case.name], []) if by == "name" else (["*"], ["team=risk"])
    muted = {"Regions": ["*"], "Resources": resources, **({"Tags": tags} if tags else {})}
    mutelist = {"Accounts": {"*": {"Checks": {CHECK: muted}}}}
    case.aws.calls.clear()
    done, said = case.fix(MOVE, mutelist_content=mutelist)
    assert not done
    assert "The finding is muted by the mutelist" in said
    assert case.changes() == set()


def test_a_mutelist_that_cannot_be_read_stops_all(case: Case, tmp_path: Path) -> None:
    case.model()
    case.endpoint()
    (tmp_path / "mutelist.yaml").write_text("Mutelist: [")
    done, said = case.fix(MOVE, mutelist_path=str(tmp_path / "mutelist.yaml"))
    assert not done
    assert "it is not known what is muted" in said
    assert case.names()[0] == [case.name]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("yes", "must be a mapping of settings"),
        ({"DryRun": True}, ".DryRun in the fixer configuration is unknown; there are CreateModels"),
        ({"DeleteOldModels": True}, ".DeleteOldModels in the fixer configuration is unknown"),
        ({"CreateModels": "no"}, "is 'no'; it must be true or false"),
        ({"MoveEndpoints": None}, "is None; it must be true or false"),
        ({"MoveEndpoints": True}, "MoveEndpoints in the fixer configuration needs CreateModels"),
        ({"VpcConfig": {"Subnets": ["subnet-1"]}}, "must name regions"),
        ({"VpcConfig": {REGION: {"Subnets": ["subnet-1"]}}}, "must name regions"),
        ({"VpcConfig": {REGION: {"Subnets": [], "SecurityGroupIds": ["sg-1"]}}}, "regions"),
        ({"VpcConfig": {REGION: {"Subnets": ["sg-1"], "SecurityGroupIds": ["sg-1"]}}}, "regions"),
        ({"VpcConfig": {REGION: {"Subnets": "subnet-1", "SecurityGroupIds": "sg-1"}}}, "regions"),
    ],
)
def test_settings_that_are_not_understood_change_nothing(
    case: Case, settings: Any, words: str
) -> None:
    case.model()
    case.endpoint()
    done, said = case.fix(settings)
    assert not done
    assert words in said
    assert case.names()[0] == [case.name]


# Containers.

SCRIPT_MODE = {"SAGEMAKER_SUBMIT_DIRECTORY": "s3://bucket/sourcedir.tar.gz"}


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"Image": "1.dkr.ecr/sagemaker-chainer:5-cpu"}, "does not support network isolation"),
        ({"Image": "1.dkr.ecr/sagemaker-rl-vw-container:1"}, "does not support network isolation"),
        ({"Image": "i", "Environment": SCRIPT_MODE}, "Repack the artifact with the code"),
    ],
)
def test_what_cannot_run_isolated_is_refused(
    case: Case, parameters: dict[str, Any], words: str
) -> None:
    case.model(PrimaryContainer=parameters)
    case.endpoint()
    done, said = case.fix(MOVE)
    assert not done
    assert words in said
    assert case.names()[0] == [case.name]
    case.assert_sound()


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"ModelPackageName": "arn:aws:sagemaker:ap-east-1:1:model-package/x"}, "isolation only"),
        ({"Image": "i", "ImageConfig": {"RepositoryAccessMode": "Vpc"}}, "through the VPC"),
        ({"Environment": {"HF_MODEL_ID": "gpt2"}}, "HF_MODEL_ID of container i names a model of"),
        ({"Environment": {"HF_MODEL_ID": "s3://bucket/x"}}, "HF_MODEL_ID of container i names Am"),
        ({"Environment": {"OPTION_MODEL_ID": "org/m"}}, "a model of the Hugging Face Hub"),
        ({"Environment": {"CONFIG": '{"at": "S3://bucket/x"}'}}, "CONFIG of container i names Ama"),
        ({"Environment": {"API": "see https://host/x"}}, "API of container i names a web address"),
        ({"Environment": {"HF_MODEL_ID": "http://h\nx"}}, "HF_MODEL_ID of container i names a web"),
        ({"Environment": {"SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}}, ""),
        ({"Environment": {"HF_MODEL_ID": "/opt/ml/model"}}, ""),
    ],
)
def test_what_a_container_may_miss_is_noted_in_one_line(
    case: Case, parameters: dict[str, Any], words: str
) -> None:
    case.model(PrimaryContainer={"Image": "i", **parameters})
    case.endpoint()
    done, lines = engine.fix(case.aws, case.name, REGION, case.output, None)
    assert not done
    notes = [line for line in lines if line.startswith("Note: ")]
    assert len(notes) == bool(words), notes
    assert all(words in note and note.isprintable() for note in notes)


def test_no_environment_is_printed_or_logged(
    case: Case, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    case.model(
        PrimaryContainer={"Image": "i", "Environment": {"TOKEN": "hunter22", "URL": "s3://s3cr3t"}}
    )
    case.endpoint()
    echo = "1 validation error: Value '{TOKEN=hunter22}' at 'primaryContainer.environment'"
    with caplog.at_level(logging.DEBUG):
        with case.aws.failing(on("CreateModel", REGION)(error("ValidationException", echo))):
            first = case.fix(MOVE)
        second = case.fix(MOVE)
    assert not first[0]
    assert "CreateModel failed (ValidationException" in first[1]
    assert second[0]
    (path,) = case.files()
    printed = capfd.readouterr()
    for text in (first[1], second[1], caplog.text, printed.out, printed.err, path.read_text()):
        assert "hunter22" not in text
        assert "s3cr3t" not in text


def test_no_part_of_an_environment_is_printed(case: Case) -> None:
    """A value that holds another, the other way round, and values of a few characters."""
    secrets = {
        "STAGE": "prod",
        "TOKEN": "prod-hunter22",
        "A": "x1",
        "PIN": "123",
        "BA": "x1-s3cr3t",
    }
    case.model(PrimaryContainer={"Image": "i", "Environment": secrets})
    case.endpoint()
    echo = f"Value {secrets} or {', '.join(f'{key}={value}' for key, value in secrets.items())} at"
    with case.aws.failing(on("CreateModel", REGION)(error("ValidationException", echo))):
        done, said = case.fix(MOVE)
    assert not done
    (line,) = [line for line in said.splitlines() if "CreateModel failed" in line]
    for secret in ("prod", "hunter22", "x1", "s3cr3t", "123"):
        assert secret not in line
    assert "PIN=…" in line


def test_an_error_after_a_refusal_does_not_log_what_aws_repeated(
    case: Case, caplog: pytest.LogCaptureFixture
) -> None:
    case.model(PrimaryContainer={"Image": "i", "Environment": {"TOKEN": "hunter22"}})
    case.endpoint()
    seen: list[str] = []

    def fault(call: Call, answer: Answer) -> Response | None:
        if call.api == "CreateModel":
            seen.append(call.api)
            return error("ValidationException", "Value '{TOKEN=hunter22}' at")(call, answer)
        if call.api == "ListModels" and seen:
            return change(lambda models: models.pop("Models"))(call, answer)
        return None

    with caplog.at_level(logging.DEBUG), case.aws.failing(fault):
        done, said = case.fix(MOVE)
    assert not done
    assert "Stopped by KeyError: 'Models'" in said
    assert f"{case.name} could not be fixed: KeyError: 'Models'" in caplog.text
    assert "hunter22" not in caplog.text + said


# Networks, and what to do about them.


def test_the_configured_network_is_used_where_the_own_one_is_not_sound(
    case: Case, public: dict[str, list[str]]
) -> None:
    case.model(VpcConfig=public)
    case.endpoint()
    done, said = case.fix(MOVE)
    assert not done
    assert f"subnet {public['Subnets'][0]} is public" in said
    assert f"Name subnets and security groups for {REGION}" in said
    done, said = case.fix({**MOVE, "VpcConfig": {REGION: public}})
    assert not done
    assert "The VpcConfig for ap-east-1 in the fixer configuration is not private" in said
    mixed = {**case.sound, "SecurityGroupIds": public["SecurityGroupIds"]}
    done, said = case.fix({**MOVE, "VpcConfig": {REGION: mixed}})
    assert not done
    assert "its subnets and security groups are of vpc-" in said
    assert case.names()[0] == [case.name]
    assert case.fix({**MOVE, "VpcConfig": {REGION: case.sound}})[0]
    made = case.sagemaker.describe_model(ModelName=case.copy)
    assert made["VpcConfig"] == case.sound


def test_a_network_that_cannot_be_read_is_not_sound(case: Case) -> None:
    case.model()
    case.endpoint()
    with case.aws.failing(on("DescribeRouteTables", REGION)(refuse)):
        done, said = case.fix(MOVE)
    assert not done
    assert "allow ec2:DescribeRouteTables" in said
    assert case.names()[0] == [case.name]


def test_one_subnet_is_used_and_aws_asks_for_two(case: Case) -> None:
    case.model(VpcConfig={**case.sound, "Subnets": case.sound["Subnets"][:1]})
    case.endpoint()
    assert "AWS asks for two subnets, in two Availability Zones" in case.fix()[1]


@pytest.mark.parametrize("fault", ["group", "subnet"])
def test_a_network_that_alone_fails_a_model_is_to_be_fixed_first(
    case: Case, public: dict[str, list[str]], fault: str
) -> None:
    if fault == "subnet":
        network, action = public, "delete-route"
    else:
        subnet = case.region.ec2.describe_subnets(SubnetIds=case.sound["Subnets"][:1])
        group = case.region.group(subnet["Subnets"][0]["VpcId"], "0.0.0.0/0")
        network, action = {**case.sound, "SecurityGroupIds": [group]}, "revoke-security-group"
    case.model(VpcConfig=network, isolated=True)
    case.endpoint()
    done, said = case.fix({**MOVE, "VpcConfig": {REGION: case.sound}})
    assert done
    assert said.index("fixes every model that uses it") < said.index("To create: model")
    (advice,) = [line for line in said.splitlines() if action in line]
    for command in advice.partition(": aws")[2].split("; "):
        aws_cli.check("aws" + command.removeprefix("aws"))

    case.name += "-too"
    case.model(VpcConfig=network)  # not isolated: mending the network would not do
    case.endpoint()
    assert action not in case.fix()[1]


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (f"User: u is not authorized to perform: iam:PassRole on resource: {ROLE}", "that role"),
        ("User: u is not authorized to perform: sagemaker:AddTags on resource: x", "AddTags."),
        (
            "User: u is not authorized to perform: sagemaker:CreateModel on resource: x with an "
            "explicit deny in a service control policy",
            "does not help against an explicit deny in a service control policy",
        ),
        ("no words", "Allow sagemaker:CreateModel."),
    ],
)
def test_a_refusal_keeps_awss_message_and_names_the_action(
    case: Case, message: str, words: str
) -> None:
    case.model()
    case.endpoint()
    with case.aws.failing(on("CreateModel")(error("AccessDeniedException", message))):
        done, said = case.fix(MOVE)
    assert not done
    assert message in said
    assert words in said
    assert ("Allow sagemaker:CreateModel" in said) == (message == "no words")
    assert not case.files()
    assert "AWS changed nothing, so the rollback script was deleted." in said


def test_a_folder_that_cannot_be_written_to(case: Case) -> None:
    case.model()
    case.endpoint()
    case.output = case.output / "file"
    case.output.write_text("")
    done, said = case.fix(MOVE)
    assert not done
    assert "The rollback cannot be written" in said
    assert case.names()[0] == [case.name]


def test_a_disk_that_is_full_leaves_nothing_and_the_next_model_names_the_script(
    case: Case,
) -> None:
    models = [case.name, f"{case.name}-b"]
    for model in models:
        case.model(model)
        case.endpoint(variant("one", model), name=model)
    seen: list[list[Path]] = []

    def free(*_: Any) -> None:
        seen.append(list(case.output.iterdir()))
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)

    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, resource.RLIM_INFINITY))
    try:
        with case.aws.failing(on("DescribeModel", ModelName=models[1])(free)):
            results = engine.fix_all(case.aws, models, REGION, case.output, MOVE)
    finally:
        free()
        signal.signal(signal.SIGXFSZ, before)
    assert [done for done, _ in results] == [False, True]
    assert "The rollback cannot be written" in "\n".join(results[0][1])
    assert seen[0] == []
    assert "The rollback is in a script: " in "\n".join(results[1][1])
    assert list(case.output.iterdir()) == case.files()


class Pipe(StringIO):
    """Standard output of which nobody reads more than the first lines."""

    def write(self, text: str) -> int:
        """Write, or fail as a pipe does."""
        if "Creating model" in self.getvalue():
            raise BrokenPipeError(errno.EPIPE, "Broken pipe")
        return super().write(text)


def test_a_standard_output_that_is_closed_ends_nothing(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    case.model()
    case.endpoint()
    monkeypatch.setattr(engine, "StringIO", Pipe)
    done, said = case.fix(MOVE)
    assert done
    assert said.endswith(f"Creating model {case.copy}.")
    assert case.serves_by() == ("InService", case.copy)


def test_the_folder_of_the_output_is_prowlers(monkeypatch: pytest.MonkeyPatch) -> None:
    engine.take_the_place()
    fixer = import_check(f"{engine.SERVICE}.{CHECK}.{CHECK}_fixer")
    for given, folder in (([], None), (["-o"], None), (["-o", "x"], "x")):
        monkeypatch.setattr(sys, "argv", ["prowler", "aws", "--fixer", *given])
        assert fixer.output_directory() == Path(folder or default_output_directory)


def test_a_containers_own_folder_is_said_before_the_first_change(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a mark that the fixer knows; a folder of another file system is not the container's."""
    case.model()
    case.endpoint()
    seen: list[tuple[int, bool]] = []
    words = "It stays in this container: with --fixer Prowler ends before it uploads to S3"

    def count(*_: Any) -> None:
        assert isinstance(sys.stdout, StringIO)  # the fixer's
        seen.append((len(case.files()), words in sys.stdout.getvalue()))

    environment = engine.environment
    monkeypatch.setattr(
        engine,
        "environment",
        lambda aws, **more: environment(aws, KUBERNETES_SERVICE_HOST="10.0.0.1", **more),
    )
    with case.aws.failing(on("CreateModel")(count)):
        assert case.fix(MOVE)[0]
    # The rollback is written, and what it needs is said, before the change.
    assert seen == [(1, os.stat(case.output).st_dev == os.stat("/").st_dev)]
