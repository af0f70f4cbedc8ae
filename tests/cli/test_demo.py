"""`make demo`: how it shows findings, and that it leaves nothing running; .ci/run runs it whole."""

import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from ..embedded.installation import ROOT, Scan
from ..tools import demo

DEMO = [sys.executable, "-m", "tests.tools.demo"]


def test_each_finding_is_shown_with_its_reason_in_a_terminals_width(wheel_scan: Scan) -> None:
    for row in wheel_scan.rows():
        first, *reason = re.sub(r"\033\[\d+m", "", demo.show(row)).splitlines()
        assert first.split() == [row["STATUS"], row["REGION"], row["RESOURCE_NAME"]]
        assert " ".join(line.strip() for line in reason) == row["STATUS_EXTENDED"]
        assert max(map(len, (first, *reason))) <= demo.WIDTH


@pytest.mark.slow
def test_an_interrupted_demo_stops_its_server() -> None:
    with subprocess.Popen(
        DEMO, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout
        assert run.stderr
        url = next(m[1] for line in run.stdout if (m := re.search(r"(http://\S+) ", line)))
        urllib.request.urlopen(f"{url}/moto-api/", timeout=10).close()
        run.send_signal(signal.SIGINT)
        run.stdout.read()
        assert "Stopped; the embedded AWS is stopped too." in run.stderr.read()
    assert run.returncode != 0
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(url, timeout=10)
