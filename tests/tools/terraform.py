"""Whether HCL, as our texts show it, has the arguments that Terraform's AWS provider takes.

The provider's own schema comes only from a running provider, which no package index has. Pulumi's
provider is generated from it, and its wheel has the arguments of every resource as Python classes;
`make terraform-schema` takes ours out of that wheel into `terraform_schema.json`.
"""

import ast
import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hcl2

WHEEL = "pulumi-aws==7.51.1"
SCHEMA = Path(__file__).with_name("terraform_schema.json")
# Each resource's module and class in `pulumi_aws/sagemaker`.
RESOURCES = {
    "aws_sagemaker_data_quality_job_definition": (
        "data_quality_job_definition",
        "DataQualityJobDefinitionArgs",
    ),
    "aws_sagemaker_endpoint": ("endpoint", "EndpointArgs"),
    "aws_sagemaker_endpoint_configuration": ("endpoint_configuration", "EndpointConfigurationArgs"),
    "aws_sagemaker_model": ("model", "ModelArgs"),
    "aws_sagemaker_monitoring_schedule": ("monitoring_schedule", "MonitoringScheduleArgs"),
}
# Pulumi puts the name of what repeats into the plural. Terraform's names of these are in the
# provider's source, internal/service/sagemaker/{model,endpoint_configuration,endpoint,
# monitoring_schedule}.go.
REPEATED = {
    "additional_model_data_sources": "additional_model_data_source",
    "alarms": "alarms",
    "capture_options": "capture_options",
    "container_arguments": "container_arguments",
    "container_entrypoints": "container_entrypoint",
    "containers": "container",
    "csv_content_types": "csv_content_types",
    "include_inference_response_ins": "include_inference_response_in",
    "json_content_types": "json_content_types",
    "production_variants": "production_variants",
    "routing_configs": "routing_config",
    "s3_data_sources": "s3_data_source",
    "security_group_ids": "security_group_ids",
    "shadow_production_variants": "shadow_production_variants",
    "stopping_conditions": "stopping_condition",
    "subnets": "subnets",
}
# What every resource takes, by Terraform's language documentation ("Meta-Arguments").
META_ARGUMENTS: dict[str, dict[str, Any]] = {
    "count": {"is": "value"},
    "depends_on": {"is": "list"},
    "for_each": {"is": "map"},
    "lifecycle": {
        "is": "block",
        "arguments": {
            "create_before_destroy": {"is": "value"},
            "ignore_changes": {"is": "list"},
            "prevent_destroy": {"is": "value"},
            "replace_triggered_by": {"is": "list"},
        },
    },
    "provider": {"is": "value"},
}

Arguments = dict[str, dict[str, Any]]


def faults(code: str) -> list[str]:
    """Return what the AWS provider would refuse in HCL, a sentence for each; [] for none.

    Args:
        code: Resources of the types in `RESOURCES`, and data sources, which are not looked at.

    Raises:
        lark.exceptions.LarkError: It is no HCL.
    """
    schema: dict[str, Arguments] = json.loads(SCHEMA.read_text("utf-8"))
    found = []
    for block in hcl2.loads(code).get("resource", []):
        for quoted, resources in members(block):
            kind = quoted.strip('"')
            if kind not in schema:
                found.append(f"{kind} is not among the resources of make terraform-schema")
                continue
            for name, resource in members(resources):
                where = f"{kind}.{name}".replace('"', "")
                found += faults_of(where, resource, {**schema[kind], **META_ARGUMENTS})
    return found


def faults_of(where: str, block: dict[str, Any], arguments: Arguments) -> Iterator[str]:
    """Yield what is wrong with a block.

    Args:
        where: The block's name, for the sentences.
        block: Its content, as python-hcl2 gives it.
        arguments: What it may have, as in `terraform_schema.json`.
    """
    given = dict(members(block))
    for name, argument in arguments.items():
        if argument.get("required") and name not in given:
            yield f"{where} lacks {name}"
    for name, value in given.items():
        if name not in arguments:
            yield f"{where} has no argument {name}"
            continue
        argument = arguments[name]
        kind = kind_of(value)
        if argument["is"] in ("block", "blocks"):
            if kind != "blocks":
                yield f"{where}.{name} is a block, written without ="
                continue
            if argument["is"] == "block" and len(value) > 1:
                yield f"{where}.{name} is there {len(value)} times"
            for nested in value:
                yield from faults_of(f"{where}.{name}", nested, argument["arguments"])
        elif kind not in (argument["is"], "expression"):
            yield f"{where}.{name} is a {argument['is']}, not a {kind}"


def kind_of(value: Any) -> str:
    """Return whether a value is "blocks", a "list", a "map", an "expression" or a plain "value"."""
    if isinstance(value, list):
        blocks = [isinstance(item, dict) and "__is_block__" in item for item in value]
        return "blocks" if blocks and all(blocks) else "list"
    if isinstance(value, dict):
        return "map"
    return "expression" if isinstance(value, str) and value.startswith("${") else "value"


def members(block: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield what stands in a block, without what python-hcl2 adds."""
    return ((key, value) for key, value in block.items() if not key.startswith("__"))


def schema_of(package: Path) -> dict[str, Arguments]:
    """Return the arguments of `RESOURCES`, by resource.

    Args:
        package: The folder `pulumi_aws/sagemaker`.
    """
    inputs = constructors(package / "_inputs.py")
    return {
        resource: arguments_of(constructors(package / f"{module}.py")[name], inputs)
        for resource, (module, name) in RESOURCES.items()
    }


def constructors(module: Path) -> dict[str, ast.arguments]:
    """Return the parameters of the constructor of each class of arguments in a module."""
    return {
        node.name: statement.args
        for node in ast.parse(module.read_text("utf-8")).body
        if isinstance(node, ast.ClassDef) and node.name.endswith("Args")
        for statement in node.body
        if isinstance(statement, ast.FunctionDef) and statement.name == "__init__"
    }


def arguments_of(constructor: ast.arguments, inputs: dict[str, ast.arguments]) -> Arguments:
    """Return a block's arguments: what each is, and whether it is required.

    Args:
        constructor: The parameters of the constructor of its class.
        inputs: Those of the classes of nested blocks.

    Raises:
        KeyError: Something repeats whose name in Terraform is not in `REPEATED`.
    """
    found: Arguments = {}
    for parameter, default in zip(constructor.kwonlyargs, constructor.kw_defaults, strict=True):
        assert parameter.annotation
        written = ast.unparse(parameter.annotation)
        repeats = "Sequence[" in written
        nested = [name for name in inputs if f"'{name}'" in written]
        argument: dict[str, Any] = {"required": True} if default is None else {}
        if nested:
            argument["is"] = "blocks" if repeats else "block"
            argument["arguments"] = arguments_of(inputs[nested[0]], inputs)
        else:
            argument["is"] = "list" if repeats else "map" if "Mapping[" in written else "value"
        found[REPEATED[parameter.arg] if repeats else parameter.arg] = argument
    return found


def main() -> None:
    """Download the wheel and write the schema."""
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"]
        subprocess.run([*pip, "--no-deps", "--dest", folder, WHEEL], check=True)
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
        schema = schema_of(Path(folder, "pulumi_aws", "sagemaker"))
    SCHEMA.write_text(f"{json.dumps(schema, indent=1, sort_keys=True)}\n", "utf-8")
    print(f"{SCHEMA.name} has the arguments of {', '.join(schema)} from {WHEEL}")


if __name__ == "__main__":
    main()
