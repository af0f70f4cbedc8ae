"""Each cell of the fault matrix, and that the page says what the cells are."""

import pytest

from ..embedded.server import EmbeddedAWS
from ..tools import faults

CELLS = list(faults.cells())


@pytest.fixture(scope="session")
def providers(aws: EmbeddedAWS) -> faults.Providers:
    faults.build(aws)
    return faults.providers(aws)


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_a_fault_makes_no_verdict_wrong_and_loses_no_finding(
    aws: EmbeddedAWS, providers: faults.Providers, cell: faults.Cell
) -> None:
    assert faults.wrong(cell, faults.run(cell, aws, providers)) == []


def test_the_page_has_every_cell_and_none_that_is_wrong() -> None:
    page = faults.PAGE.read_text("utf-8")
    assert f"{len(CELLS)} cells, 0 of them wrong" in page.replace("\n", " ")
    assert all(f"\n| {faults.row_of(cell)} | " in page for cell in CELLS)
    assert all(f"`{cell.field}`" in page for cell in CELLS if cell.field)
