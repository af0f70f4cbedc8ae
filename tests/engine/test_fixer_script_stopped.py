"""The script of an endpoint, stopped anywhere: it can be run again, and makes nothing twice."""

import signal
from collections import Counter

import pytest
from werkzeug.wrappers import Response

from ..embedded import moto_patches
from ..embedded.fixer_case import APPLY, MADE, Case, planned
from ..embedded.server import Answer, Call, Fault, error, refuse

pytestmark = pytest.mark.untraced


def lost(call: Call, answer: Answer) -> Response | None:
    """A fault: AWS does what it is asked, and answers that it did not."""
    answer()
    return error("InternalFailure", status=500)(call, answer)


def kill(case: Case) -> Fault:
    """Return a fault: AWS does what it is asked, and the script is ended before it knows."""
    flag = case.output / "kill"
    end = f'[ ! -e {flag} ] || {{ rm {flag}; kill "$PPID"; }}'
    case.tool("aws", f'aws "$@"; code=$?; {end}; exit "$code"')

    def fault(_: Call, answer: Answer) -> Response:
        made = answer()
        flag.touch()
        return made

    return fault


def stop_everywhere(case: Case, way: Fault, apis: tuple[str, ...], *arguments: str) -> int:
    """Have a fault at each call of the script up to its success, one a run, and run it again.

    Whenever it succeeds after faults, what AWS took must be each change once; and then all is as
    before the first run, for the calls that had no fault yet.

    Args:
        apis: What the calls that have a fault begin with.

    Returns:
        The number of faults.
    """
    hit: set[tuple[str, bytes, int]] = set()
    made: Counter[tuple[str, bytes]] = Counter()
    taken: Counter[str] = Counter()
    before = 0

    def fault(call: Call, answer: Answer) -> Response | None:
        def counted() -> Response:
            response = answer()
            taken[call.api] += response.status_code == 200
            return response

        made[call.api, call.body] += 1
        this = (call.api, call.body, made[call.api, call.body])
        if call.api == "ListEndpoints":  # it has succeeded; what may be deleted is left out
            return refuse(call, answer)
        if len(hit) > before or this in hit or not call.api.startswith(apis):
            return counted()
        hit.add(this)
        return way(call, counted)

    while True:
        with case.restored():
            code = 1
            taken.clear()
            while code:
                before = len(hit)
                made.clear()
                with case.aws.failing(fault):
                    code, said = case.run(*arguments)
                assert code in (0, 1, 130), said
                assert code == 0 or len(hit) > before, said
            changes = MADE if arguments == APPLY else MADE[2:]
            assert {api: taken[api] for api in MADE if taken[api]} == dict.fromkeys(changes, 1)
            assert case.serves_by() == ("InService", case.copy if changes == MADE else case.name)
            if len(hit) == before:
                return before


@pytest.mark.parametrize("way", ["throttled", "lost", "killed"])
def test_stopped_at_any_call_it_can_be_run_again_and_makes_nothing_twice(
    case: Case, way: str
) -> None:
    planned(case)
    faults = {"throttled": error("ThrottlingException"), "lost": lost, "killed": kill(case)}
    apis = ("",) if way == "throttled" else ("Create", "Update")
    forth, back = (15, 10) if way == "throttled" else (3, 1)
    assert stop_everywhere(case, faults[way], apis, *APPLY) == forth
    assert case.run(*APPLY)[0] == 0
    assert stop_everywhere(case, faults[way], apis, "rollback") == back


def test_a_reader_who_goes_away_leaves_nothing_on_disk(case: Case) -> None:
    """As `| head -1` does: the script ends, and its folder, which may hold secrets, with it."""
    planned(case)
    script = case.output / "piped.sh"
    script.write_text(f"{{ sh {case.script()} apply --all-at-once; echo $? >code; }} | true")
    case.run(script=script)
    assert (case.output / "code").read_text() in ("130\n", "141\n")


@pytest.mark.parametrize("name", ["INT", "QUIT", "TERM"])
def test_a_signal_ends_it_while_it_waits_and_leaves_nothing_on_disk(
    case: Case, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    planned(case, PrimaryContainer={"Image": "i", "Environment": {"TOKEN": "hunter22"}})
    monkeypatch.setitem(moto_patches.looks, "until updated", 9)
    waited = case.output / "waited"
    case.tool(
        "sleep", f"exec >{case.output}/log 2>&1; kill -s {name} $PPID; /bin/sleep 5; >{waited}"
    )
    number = getattr(signal, f"SIG{name}")
    # Where the tests run in the background it may be ignored, which no shell can take back.
    before = signal.signal(number, signal.SIG_DFL)
    try:
        code, said = case.run(*APPLY)
    finally:
        signal.signal(number, before)
    assert (code, waited.exists()) == (130, False), said
