"""What the sources name: no operation that changes AWS, and of each other no more than they may."""

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

import botocore.session
import pytest
from botocore import xform_name

from ..embedded.installation import CHECK, ROOT

READS = ("Describe", "List", "Get", "Search")
SERVICES = ("sagemaker", "ec2", "iam", "sts", "s3", "cloudformation", "application-autoscaling")
SOURCES = sorted(
    path
    for folder in ("checks", "prowler_sagemaker_network_isolation")
    for path in (ROOT / folder).rglob("*.py")
)


@functools.cache
def operations() -> dict[str, str]:
    """Return the operations of the services by the names that boto3's methods and Python have."""
    session = botocore.session.get_session()
    names = {n for s in SERVICES for n in session.get_service_model(s).operation_names}
    return {word: name for name in names for word in (name, xform_name(name))}


def changing(code: str) -> Iterator[str]:
    """Yield the operations that code names and that do more than read.

    A name is an attribute, or a string that is one, or the beginning of one where the string is
    put together (`f"create_{noun}"`); a docstring or a sentence is neither.
    """
    for node in ast.walk(ast.parse(code)):
        words: set[str] = set()
        if isinstance(node, ast.Attribute):
            words = {node.attr}
        elif isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
            start = str(node.values[0].value)
            is_name = start.isidentifier() and len(start) > 3
            words = {word for word in operations() if is_name and word.startswith(start)}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            words = {node.value}
        for word in words & operations().keys():
            if not operations()[word].startswith(READS):
                yield word


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(Path(path).relative_to(ROOT)))
def test_no_operation_that_changes_something_is_named(path: Path) -> None:
    assert not list(changing(path.read_text("utf-8")))


CODE = {
    "client.update_endpoint(EndpointName=name)": "update_endpoint",
    "getattr(client, 'create_model')(**settings)": "create_model",
    "getattr(client, f'create_{noun}')(**settings)": "create_model",
    "client._make_api_call('DeleteModel', {})": "DeleteModel",
    "client.get_paginator('list_tags')": "",
    "f'describe_{noun}'": "",
}


@pytest.mark.parametrize("code", CODE)
def test_it_would_be_found(code: str) -> None:
    names = list(changing(code))
    assert CODE[code] in names if CODE[code] else not names


LIB = ROOT / "checks" / CHECK / "lib"
SAGEMAKER = {"listings", "models", "endpoint_configs", "monitoring_schedules"}
EC2 = {"network", "subnets", "route_tables", "middleboxes", "security_groups", "ranges"}
ANSWERED = {"answers", "facts"}
# What each module may import of ours: it is what keeps reading, judging and telling apart. A check
# leads from SageMaker to EC2, by `with_networks`.
MAY_IMPORT = {
    "facts": set(),
    "answers": {"facts"},
    **dict.fromkeys(SAGEMAKER, ANSWERED | SAGEMAKER),
    **dict.fromkeys(EC2, ANSWERED | EC2),
    "network": ANSWERED | EC2 | {"configuration"},
    "rules": {"facts"},
    "configuration": {"ranges"},
    "findings": ANSWERED | {"configuration", "rules"},
}


@pytest.mark.parametrize("path", sorted(LIB.rglob("*.py")), ids=lambda path: path.stem)
def test_a_module_imports_no_more_of_ours_than_it_may(path: Path) -> None:
    imports = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.ImportFrom)]
    names = [[n.module] if n.module else [a.name for a in n.names] for n in imports if n.level]
    ours = {str(name).rpartition(".")[2] for of_one in names for name in of_one}
    assert not {name for name in ours if name.startswith("sagemaker_")}
    if path.parent == LIB:  # and not the fixer's
        assert ours <= MAY_IMPORT[path.stem]
    if path.stem == "facts":  # which are plain values
        assert "botocore" not in path.read_text("utf-8")
