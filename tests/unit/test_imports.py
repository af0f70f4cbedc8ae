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


@pytest.mark.parametrize("path", sorted(LIB.rglob("*.py")), ids=lambda path: path.stem)
def test_a_module_imports_no_more_of_ours_than_it_may(path: Path) -> None:
    imports = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.ImportFrom)]
    names = [[n.module] if n.module else [a.name for a in n.names] for n in imports if n.level]
    ours = {str(name).rpartition(".")[2] for of_one in names for name in of_one}
    assert not {name for name in ours if name.startswith("sagemaker_")}
    if path.parent == LIB:  # and not the fixer's
        assert ours <= MAY_IMPORT[path.stem]


def test_facts_are_plain_values() -> None:
    assert "botocore" not in (LIB / "facts.py").read_text("utf-8")
