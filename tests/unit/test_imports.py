"""Who imports whom in the checks: it is what keeps reading, judging and telling apart."""

import ast
from pathlib import Path

import pytest

from ..embedded.installation import CHECK, ROOT

LIB = ROOT / "checks" / CHECK / "lib"
SAGEMAKER = {"listings", "models", "endpoint_configs", "monitoring_schedules"}
EC2 = {"network", "subnets", "route_tables", "middleboxes", "security_groups", "ranges"}
READS = {"answers", "facts"}
# What each module may import of ours. A check leads from SageMaker to EC2, by `with_networks`.
MAY_IMPORT = {
    "facts": set(),
    "answers": {"facts"},
    **dict.fromkeys(SAGEMAKER, READS | SAGEMAKER),
    **dict.fromkeys(EC2, READS | EC2),
    "network": READS | EC2 | {"configuration"},
    "rules": {"facts"},
    "configuration": {"ranges"},
    "findings": READS | {"configuration", "rules"},
}


def imported_by(path: Path) -> set[str]:
    """Return the modules of ours that a module imports, by their last name."""
    nodes = ast.walk(ast.parse(path.read_text("utf-8")))
    ours = [node for node in nodes if isinstance(node, ast.ImportFrom) and node.level]
    names = (name for n in ours for name in ([n.module] if n.module else [a.name for a in n.names]))
    return {name.rpartition(".")[2] for name in names}


@pytest.mark.parametrize("path", sorted(LIB.glob("*.py")), ids=lambda path: path.stem)
def test_a_module_imports_no_more_of_ours_than_it_may(path: Path) -> None:
    assert imported_by(path) <= MAY_IMPORT[path.stem]


def test_facts_are_plain_values() -> None:
    assert "botocore" not in (LIB / "facts.py").read_text("utf-8")


def test_nothing_imports_a_check() -> None:
    imported = set().union(*map(imported_by, LIB.rglob("*.py")))
    assert not {name for name in imported if name.startswith("sagemaker_")}
