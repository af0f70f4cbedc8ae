"""`make demo` as a user sees it: what it shows, and that it leaves nothing running behind."""

import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from ..embedded.installation import ROOT

# Both clear the folders of the one before; pytest gives a file to one worker.
DEMO = [sys.executable, "-m", "tests.tools.demo"]


@pytest.mark.slow
def test_it_shows_each_finding_with_its_reason_and_says_where_the_files_are() -> None:
    demo = subprocess.run(DEMO, cwd=ROOT, capture_output=True, text=True, check=False)
    assert demo.returncode == 0, demo.stderr
    ours = demo.stdout[demo.stdout.index(" findings, in which") :].splitlines()
    assert {line.split()[0] for line in ours if re.match("PASS|FAIL|MANUAL", line)} == {
        "PASS",
        "FAIL",
        "MANUAL",
    }
    assert max(map(len, ours)) <= 80
    assert "Overview Results" in demo.stdout
    for path in re.findall(r"^  (output/\S+)$", demo.stdout, re.MULTILINE):
        assert (ROOT / path).is_file()
    assert re.findall(r"output/\S+(\.csv|\.html|\.ocsf\.json)$", demo.stdout, re.MULTILINE)


@pytest.mark.slow
def test_an_interrupted_demo_stops_its_server() -> None:
    with subprocess.Popen(
        DEMO, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as demo:
        assert demo.stdout
        assert demo.stderr
        url = next(m[1] for line in demo.stdout if (m := re.search(r"(http://\S+) ", line)))
        urllib.request.urlopen(f"{url}/moto-api/", timeout=10).close()
        demo.send_signal(signal.SIGINT)
        demo.stdout.read()
        assert "Stopped; the embedded AWS is stopped too." in demo.stderr.read()
    assert demo.returncode != 0
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(url, timeout=10)
