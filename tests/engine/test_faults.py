"""Each cell of the fault matrix, and that the page says what the cells are."""

from collections.abc import Callable

import pytest

from ..embedded.server import EmbeddedAWS
from ..tools import faults

pytestmark = pytest.mark.untraced
CELLS = list(faults.cells())
Outcome = tuple[str, list[str]]


@pytest.fixture(scope="module")
def outcome_of(aws: EmbeddedAWS) -> Callable[[faults.Cell], Outcome]:
    """Run a cell once, whichever test asks first; return its outcome, and what is wrong with it."""
    faults.build(aws)
    providers = faults.providers(aws)
    outcomes: dict[faults.Cell, Outcome] = {}

    def of(cell: faults.Cell) -> Outcome:
        if cell not in outcomes:
            findings = faults.run(cell, aws, providers)
            outcomes[cell] = (faults.outcome(findings), faults.wrong(cell, findings))
        return outcomes[cell]

    return of


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_a_fault_makes_no_verdict_wrong_and_loses_no_finding(
    outcome_of: Callable[[faults.Cell], Outcome], cell: faults.Cell
) -> None:
    _, problems = outcome_of(cell)
    assert problems == []


def test_the_page_is_what_the_cells_are(
    outcome_of: Callable[[faults.Cell], Outcome],
) -> None:
    """`make faults` writes it."""
    outcomes = {cell: outcome_of(cell) for cell in CELLS}
    grid = {cell: figures for cell, (figures, _) in outcomes.items()}
    wrong = sum(1 for _, problems in outcomes.values() if problems)
    assert faults.PAGE.read_text("utf-8") == faults.page(grid, wrong)
