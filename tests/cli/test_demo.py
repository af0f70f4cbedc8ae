"""How `make demo` shows findings; .ci/run runs it whole."""

import re

from ..embedded.installation import Scan
from ..tools import demo


def test_each_finding_is_shown_with_its_reason_in_a_terminals_width(wheel_scan: Scan) -> None:
    for row in wheel_scan.rows():
        first, *reason = re.sub(r"\033\[\d+m", "", demo.show(row)).splitlines()
        assert first.split() == [row["STATUS"], row["REGION"], row["RESOURCE_NAME"]]
        assert " ".join(line.strip() for line in reason) == row["STATUS_EXTENDED"]
        assert max(map(len, (first, *reason))) <= demo.WIDTH
