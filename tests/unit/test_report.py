"""`sagemaker-isolation`, on what the real command line wrote, whole and in every way broken."""

import codecs
import copy
import csv
import io
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from checks.sagemaker_models_network_isolation_enabled.lib.verdict import judge
from sarif_pydantic import Sarif

from checks.sagemaker_models_network_isolation_enabled.lib.facts import (
    Endpoint,
    EndpointConfig,
    OpenRule,
    Resource,
)
from checks.sagemaker_models_network_isolation_enabled.lib.findings import explain
from prowler_sagemaker_network_isolation.cli import sarif, text
from prowler_sagemaker_network_isolation.cli.causes import OTHER, causes_of, unread_of
from prowler_sagemaker_network_isolation.cli.findings import CHECKS
from prowler_sagemaker_network_isolation.cli.main import main
from prowler_sagemaker_network_isolation.cli.progress import Progress

from ..embedded import account, installation
from ..embedded.account import Expected
from ..embedded.installation import BUILT_IN_TITLE, CHECK, ROOT, Installation, Scan
from .test_verdict import (
    CHATTY,
    IN_LINE,
    OPEN,
    PRIVATE,
    PUBLIC,
    UNKNOWN_EGRESS,
    UNREAD,
    model,
    opened,
)

PACKAGE = "prowler_sagemaker_network_isolation"
Detection = dict[str, Any]


@dataclass
class Done:
    """What a run of the command gave."""

    code: int | str | None
    out: str
    err: str

    @property
    def data(self) -> dict[str, Any]:
        """What it printed in JSON."""
        printed: dict[str, Any] = json.loads(self.out)
        return printed


Run = Callable[..., Done]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command in this process."""

    def command(*arguments: str | Path) -> Done:
        try:
            code: int | str | None = main([str(argument) for argument in arguments])
        except SystemExit as error:
            code = error.code
        return Done(code, *capsys.readouterr())

    return command


@pytest.fixture(scope="module")
def of_account(wheel_scan: Scan) -> dict[tuple[str, str], Detection]:
    """The detections of the account's models, by region and name."""
    return {
        (detection["resources"][0]["region"], detection["resources"][0]["name"]): detection
        for detection in wheel_scan.ocsf()
        if detection["metadata"]["event_code"] == CHECK
    }


Named = Callable[..., Detection]


@pytest.fixture
def named(of_account: dict[tuple[str, str], Detection]) -> Named:
    """Give a copy of a detection of the account, under another name where one is given."""

    def copied(
        name: str,
        region: str = "eu-west-1",
        to: str = "",
        created: str = "",
        time: int = 0,
        muted: bool = False,
    ) -> Detection:
        detection = copy.deepcopy(of_account[region, name])
        (resource,) = detection["resources"]
        facts = resource["data"]["metadata"]
        if to:
            resource["name"] = facts["name"] = to
            resource["uid"] = facts["arn"] = resource["uid"].replace(name, to)
        facts["creation_time"] = created or facts["creation_time"]
        detection["time"] += time
        detection["status"] = "Suppressed" if muted else detection["status"]
        return detection

    return copied


def write(path: Path, *detections: Any) -> Path:
    """Write a file as Prowler does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(detections, indent=4), "utf-8")
    return path


def test_the_checks_are_those_of_the_plugin() -> None:
    assert set(CHECKS) == {path.name for path in (ROOT / "checks").iterdir() if path.is_dir()}


def test_what_the_account_comes_to(
    run: Run,
    wheel_scan: Scan,
    expected: Expected,
    expected_configs: Expected,
    expected_schedules: Expected,
) -> None:
    everything = expected | expected_configs | expected_schedules
    done = run("report", wheel_scan.output, "--format", "json")
    assert (done.code, done.err) == (1, "")
    statuses = Counter(status for status, _ in everything.values())
    assert done.data["counts"] == {**statuses, "muted": 0}
    places = {place["region"]: place["counts"] for place in done.data["places"]}
    for region in account.REGIONS:
        assert {k: v for k, v in places[region].items() if v} == Counter(
            status for (of, _), (status, _) in everything.items() if of == region
        )
    first, *others = done.data["fix_first"]
    assert first["cause"] == "network isolation is disabled"
    assert first["endpoints"] == ["fraud"]
    assert first["fails"] == {"model": 4, "endpoint configuration": 1, "monitoring schedule": 3}
    assert first["would_pass"] == 3  # not "everything", nor what is unread, nor without a VPC
    assert OTHER not in {fix["cause"] for fix in others}
    failing = {key for key, (status, _) in everything.items() if status == "FAIL"}
    named = {arn for fix in done.data["fix_first"] for arn in fix["resources"]}
    assert len(named) == len(failing)
    (shared,) = (
        fix
        for fix in others
        if fix["details"] == [f"tcp 443 from {account.EVERYWHERE}"]
        and sum(fix["fails"].values()) == 2
    )
    assert shared["would_pass"] == 1  # open-ipv4, and not everything
    reasons = {reason["permission"]: reason for reason in done.data["not_judged"]}
    assert reasons["sagemaker:ListModels"]["lists"] == 1
    assert reasons["ec2:DescribeRouteTables"]["findings"] == 3


def test_the_text_says_the_same_in_eighty_columns(run: Run, wheel_scan: Scan) -> None:
    done = run("report", wheel_scan.output)
    assert max(map(len, done.out.splitlines())) <= text.WIDTH
    words = " ".join(done.out.split())
    for said in (
        "23 FAIL, 14 MANUAL, 8 PASS, 0 muted",
        "8 3 network isolation is disabled 4 models, 1 endpoint configuration, "
        "3 monitoring schedules in 2 regions; endpoints: fraud",
        "AccessDeniedException: allow sagemaker:ListModels in eu-central-1 (a whole list)",
        "more causes; --format json has all.",
        "Not everything was judged (exit code 1).",
    ):
        assert said in words


def texts(rules: tuple[OpenRule, ...]) -> tuple[str, ...]:
    return tuple(rule.text for rule in rules)


FEW = replace(
    OPEN,
    id="sg-7",
    open_ingress=opened(
        "tcp 1 from 8.0.0.0/8", "udp 2 from 9.0.0.0/8 (joined with others, broader)"
    ),
)
Case = tuple[Resource, bool, dict[str, tuple[str, ...]]]
CAUSES: dict[str, Case] = {
    "isolation": (model(isolation=False), False, {"network isolation is disabled": ()}),
    "no VPC": (model(vpc=False, subnets=(), groups=()), False, {"no VPC configuration": ()}),
    "no group": (model(groups=()), False, {"no security group": ()}),
    "a table of two subnets": (
        model(subnets=(PRIVATE, PUBLIC, replace(PUBLIC, id="subnet-9"))),
        False,
        {"route table rtb-2": ("0.0.0.0/0 to igw-1",)},
    ),
    "a middlebox": (
        model(subnets=(IN_LINE,)),
        False,
        {"route table rtb-6": ("0.0.0.0/0 to eni-1, which rtb-9 joins to igw-1",)},
    ),
    "a group": (model(groups=(OPEN,)), False, {"security group sg-2": texts(OPEN.open_ingress)}),
    "two groups": (
        model(groups=(OPEN, replace(OPEN, id="sg-8"))),
        False,
        dict.fromkeys(("security group sg-2", "security group sg-8"), texts(OPEN.open_ingress)),
    ),
    "two groups that are open together": (
        model(groups=(OPEN, FEW)),
        False,
        {"security groups sg-2 and sg-7 together": texts((*OPEN.open_ingress, *FEW.open_ingress))},
    ),
    "egress that is a note": (
        model(isolation=False, groups=(CHATTY,)),
        False,
        {"network isolation is disabled": ()},
    ),
    "egress that is a violation": (
        model(isolation=False, groups=(CHATTY,)),
        True,
        {"network isolation is disabled": (), "security group sg-4": texts(CHATTY.open_egress)},
    ),
    "a serverless variant": (
        EndpointConfig(
            *("c", "arn", "eu-west-1", "2026", True, True, (PRIVATE,), (CHATTY,)),
            serverless_variants=("one", "two"),
        ),
        False,
        {"serverless variant": ()},
    ),
}


@pytest.mark.parametrize(("resource", "strict", "expected"), CAUSES.values(), ids=CAUSES)
def test_a_cause_is_what_made_it_fail_and_nothing_else(
    resource: Resource, strict: bool, expected: dict[str, tuple[str, ...]]
) -> None:
    """By the verdict's own text, since whether egress is a violation stands there alone."""
    said = explain(resource, judge(resource, strict))
    assert {cause.thing: cause.details for cause in causes_of(asdict(resource), said)} == expected


@pytest.mark.parametrize(("strict", "number"), [(False, 0), (True, 1)])
def test_egress_that_could_not_be_read_counts_where_it_may_decide(
    strict: bool, number: int
) -> None:
    resource = model(groups=(UNKNOWN_EGRESS,))
    unread = unread_of(asdict(resource), explain(resource, judge(resource, strict)))
    assert len(unread) == number
    assert all(asdict(found).items() <= asdict(UNREAD).items() for found in unread)


def test_a_cause_of_a_later_version_is_not_left_out(run: Run, named: Named, tmp_path: Path) -> None:
    detection = named("no-isolation")
    detection["resources"][0]["data"]["metadata"]["network_isolation"] = True
    done = run("report", write(tmp_path / "x.ocsf.json", detection), "--format", "json")
    assert (done.code, done.data["fix_first"][0]["cause"]) == (3, OTHER)


# What there is in the output: the name in the account, and whether it is muted.
CODES: dict[str, tuple[list[tuple[str, bool]], int]] = {
    "nothing fails": ([("isolated", False)], 0),
    "something fails": ([("isolated", False), ("no-vpc", False)], 3),
    "what fails is muted": ([("isolated", False), ("no-vpc", True)], 0),
    "something is not judged": ([("isolated", False), ("not-described", False)], 1),
    "what is not judged is muted": ([("isolated", False), ("not-described", True)], 0),
    "one fails and one is not judged": ([("no-vpc", False), ("not-described", False)], 1),
    "one fails and what is not judged is muted": ([("no-vpc", False), ("not-described", True)], 3),
    "a muted one that passes": ([("isolated", True)], 0),
}


@pytest.mark.parametrize(("found", "code"), CODES.values(), ids=CODES)
def test_the_exit_code(
    run: Run, named: Named, tmp_path: Path, found: list[tuple[str, bool]], code: int
) -> None:
    detections = [named(name, muted=muted) for name, muted in found]
    done = run("report", write(tmp_path / "a" / "b" / "x.ocsf.json", *detections).parents[1])
    assert (done.code, done.err) == (code, "")
    assert f"exit code {code}" in done.out
    assert f"{sum(m for name, m in found if name != 'isolated')} muted" in done.out


# What is in the file, or what is done to a whole one, and what is said of it.
BROKEN: dict[str, tuple[Any, str]] = {
    "not there": (None, "is not there: name the folder"),
    "empty": ("", "is empty: scan again"),
    "binary": (b"\xff\xfe\x00", "is not text"),
    "cut off": (lambda whole: whole[:-200], "is cut off, or is not JSON"),
    "cut off after a finding": (lambda whole: whole[:-1] + ",", "after 1 finding, is cut off"),
    "an object": ("{}", "holds no list of findings"),
    "a CSV": ("A;B\n1;2\n", "holds no list of findings"),
    "a list of texts": ('["FAIL"]', "holds something else than findings"),
    "a list of something else": ('[{"a": 1}]', "finding 1 is not as Prowler and the plugin"),
    "two lists": (lambda whole: whole * 2, "goes on after its end"),
    "nested without end": ("[" * 100_000, "is not JSON"),
    "of another shape": (
        lambda whole: whole.replace('"status_code"', '"other"'),
        "finding 1 is not as Prowler and the plugin write it",
    ),
    "of an infinite time": (
        lambda whole: re.sub('"time": [0-9]+', '"time": 1e999', whole),
        "is not as Prowler and the plugin write it (OverflowError",
    ),
    "of a region that is none": (
        lambda whole: whole.replace('"region": "eu-west-1"', '"region": null'),
        "a NoneType where a text must be",
    ),
    "of a number for a name": (
        lambda whole: whole.replace('"name": "no-isolation"', '"name": 7'),
        "a int where a text must be",
    ),
    "of a rule that is none": (
        lambda whole: whole.replace('"open_ingress": []', '"open_ingress": "tcp"'),
        "is no text",
    ),
    "of an unknown status": (lambda whole: whole.replace('"FAIL"', '"WARN"'), "'WARN'"),
    "without a part of the evidence": (
        lambda whole: whole.replace('"unread_egress"', '"other"'),
        "is not as Prowler and the plugin write it",
    ),
}


@pytest.mark.parametrize(("content", "sentence"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_one_sentence(
    run: Run, named: Named, tmp_path: Path, content: Any, sentence: str
) -> None:
    path = tmp_path / "broken.ocsf.json"
    if callable(content):
        content = content(json.dumps([named("no-isolation")]))
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    sound = write(tmp_path / "sound" / "x.ocsf.json", named("isolated"))
    alerts = tmp_path / "alerts.sarif"
    for arguments in ((path,), (sound, path), (sound, "--baseline", path)):
        done = run("report", *arguments, "--sarif", alerts, "--allow-empty")
        assert done.code == 1
        assert done.err.startswith("sagemaker-isolation: ")
        assert done.err.count("\n") == 1
        assert sentence in done.err
        assert str(path) in done.err
        assert not alerts.exists()  # its alerts would be closed
    if content is not None:
        assert run("report", tmp_path).code == 1


def test_a_file_that_is_no_folders_and_one_that_cannot_be_read(
    run: Run, named: Named, tmp_path: Path
) -> None:
    sound = write(tmp_path / "x.ocsf.json", named("isolated"))
    done = run("report", sound, "--sarif", tmp_path / "not-there" / "x.sarif")
    assert (done.code, done.err.count("\n")) == (1, 1)
    assert "x.sarif cannot be written: No such file or directory." in done.err


@pytest.mark.parametrize("command", ["report", "evidence", "join"])
def test_what_cannot_be_read_is_said_to_be(run: Run, tmp_path: Path, command: str) -> None:
    done = run(command, tmp_path / ("x" * 300))
    assert (done.code, done.err.count("\n")) == (1, 1)
    assert "cannot be read: File name too long." in done.err


def test_links_are_followed_and_end(run: Run, named: Named, tmp_path: Path) -> None:
    write(tmp_path / "elsewhere" / "x.ocsf.json", named("no-vpc"))
    output = write(tmp_path / "output" / "x.ocsf.json", named("isolated")).parent
    (output / "night").symlink_to(tmp_path / "elsewhere")
    (output / "loop").symlink_to(output)
    done = run("report", output)
    assert (done.code, done.err) == (3, "")
    os.mkfifo(output / "pipe.ocsf.json")
    assert "pipe.ocsf.json is no regular file." in run("report", output).err


def test_a_file_of_findings_and_compliance_is_read_to_its_end(
    run: Run, named: Named, tmp_path: Path
) -> None:
    compliance = {**named("isolated"), "class_uid": 2003}
    path = write(tmp_path / "x.ocsf.json", compliance, named("no-vpc"))
    assert run("report", path).code == 3
    path.write_bytes(codecs.BOM_UTF8 + path.read_bytes())
    assert run("report", path).code == 3


def test_findings_are_not_overwritten_by_sarif(run: Run, named: Named, tmp_path: Path) -> None:
    path = write(tmp_path / "x.ocsf.json", named("no-vpc"))
    before = path.read_bytes()
    done = run("report", path, "--sarif", path)
    assert (done.code, path.read_bytes()) == (1, before)
    assert "has a name of Prowler's findings" in done.err


def test_nothing_judged_is_not_well(run: Run, named: Named, tmp_path: Path) -> None:
    other = named("isolated")
    other["metadata"]["event_code"] = "sagemaker_models_vpc_settings_configured"
    compliance = {**named("isolated"), "class_uid": 2003}
    write(tmp_path / "x.ocsf.json", other)
    write(tmp_path / "compliance" / "x.ocsf.json", compliance)
    write(tmp_path / "y.ocsf.json")
    done = run("report", tmp_path)
    assert (done.code, done.err.count("\n")) == (1, 1)
    assert "nothing was judged" in done.err
    assert "--allow-empty" in done.err
    alerts = tmp_path / "x.sarif"
    done = run("report", tmp_path, "--allow-empty", "--sarif", alerts)
    assert (done.code, done.err) == (0, "")
    assert "There was nothing to judge (exit code 0)." in done.out
    (of_sarif,) = json.loads(alerts.read_text())["runs"]
    assert of_sarif["results"] == []  # which closes all alerts


def test_the_built_in_check_is_seen(run: Run, named: Named, tmp_path: Path) -> None:
    built_in = named("no-isolation")
    built_in["finding_info"]["title"] = BUILT_IN_TITLE
    facts = built_in["resources"][0]["data"]["metadata"]
    kept = ("name", "arn", "region", "network_isolation", "tags")
    built_in["resources"][0]["data"]["metadata"] = {
        **{key: facts[key] for key in kept},
        "vpc_config_subnets": [],
    }
    path = write(tmp_path / "x.ocsf.json", named("isolated"), built_in)
    for arguments in ((path,), (path, "--baseline", path)):
        done = run("report", *arguments)
        assert done.code == 1
        assert f"1 finding of {CHECK} ({BUILT_IN_TITLE}) without the plugin's" in done.err
        assert "1 PASS" in done.out
        assert "0 FAIL" in done.out


@pytest.mark.parametrize(
    "arguments",
    [
        *([], ["report"], ["report", "x", "--format", "xml"], ["r"]),
        *(["report", ""], ["report", "x", "--baseline", ""], ["join", ""]),  # an unset variable
    ],
)
def test_a_wrong_command_line(run: Run, arguments: list[str]) -> None:
    assert run(*arguments).code == 2


# Then and now: of the account's models by name, with what is different about each.
Finding = dict[str, Any]
FAILS, PASSES, UNJUDGED = "no-vpc", "isolated", "not-described"
CHANGES: dict[str, tuple[list[Finding], list[Finding], dict[str, list[str]], int]] = {
    "the same": ([{"name": FAILS}], [{"name": FAILS}], {"still": [FAILS]}, 0),
    "it fails now": (
        [{"name": PASSES, "to": "m"}],
        [{"name": FAILS, "to": "m", "created": "SAME"}],
        {"fails": ["m"]},
        3,
    ),
    "it was not judged then": (
        [{"name": UNJUDGED, "to": "m"}],
        [{"name": FAILS, "to": "m", "created": "SAME"}],
        {"fails": ["m"]},
        3,
    ),
    "it was muted then": (
        [{"name": FAILS, "muted": True}],
        [{"name": FAILS}],
        {"fails": [FAILS]},
        3,
    ),
    "it is muted now": ([{"name": FAILS}], [{"name": FAILS, "muted": True}], {}, 0),
    "a new one that fails": (
        [{"name": PASSES}],
        [{"name": PASSES}, {"name": FAILS}],
        {"fails": [FAILS], "new": [FAILS]},
        3,
    ),
    "a new one that passes": (
        [{"name": FAILS}],
        [{"name": FAILS}, {"name": PASSES}],
        {"new": [PASSES], "still": [FAILS]},
        0,
    ),
    "a new one of the old one's name": (
        [{"name": FAILS}],
        [{"name": FAILS, "created": "2027-01-01T00:00:00+00:00"}],
        {"fails": [FAILS], "new": [FAILS], "gone": [FAILS]},
        3,
    ),
    "mended": (
        [{"name": FAILS, "to": "m"}],
        [{"name": PASSES, "to": "m", "created": "SAME"}],
        {"mended": ["m"]},
        0,
    ),
    "not judged any more": (
        [{"name": FAILS, "to": "m"}],
        [{"name": UNJUDGED, "to": "m", "created": "SAME"}],
        {},
        1,
    ),
    "gone": ([{"name": FAILS}, {"name": PASSES}], [{"name": PASSES}], {"gone": [FAILS]}, 0),
    "in a list that could not be read": (
        [{"name": FAILS}, {"name": PASSES}],
        [{"name": PASSES}, {"name": "model/unknown", "region": "eu-central-1"}],
        {},
        1,
    ),
    "by a further cause": (
        [{"name": "no-isolation", "to": "m"}],
        [{"name": "everything", "to": "m", "created": "SAME"}],
        {"still": ["m"], "worse": ["m"]},
        0,
    ),
}


@pytest.mark.parametrize(("then", "now", "changes", "code"), CHANGES.values(), ids=CHANGES)
def test_what_has_changed_since_the_baseline(
    run: Run,
    named: Named,
    tmp_path: Path,
    then: list[Finding],
    now: list[Finding],
    changes: dict[str, list[str]],
    code: int,
) -> None:
    earlier = [named(**finding) for finding in then]
    same = earlier[0]["resources"][0]["data"]["metadata"]["creation_time"]
    later = [
        named(
            **{
                **finding,
                "created": same if finding.get("created") == "SAME" else finding.get("created", ""),
            }
        )
        for finding in now
    ]
    if any(finding["name"] == "model/unknown" for finding in now):  # the list of eu-west-1's models
        later[-1]["resources"][0]["region"] = "eu-west-1"
    output = write(tmp_path / "now" / "x.ocsf.json", *later)
    baseline = write(tmp_path / "then" / "x.ocsf.json", *earlier).parent
    done = run("report", output, "--baseline", baseline, "--format", "json")
    assert (done.code, done.err) == (code, "")
    since = done.data["since_baseline"]
    found = {
        key: [item["arn"].rpartition("/")[2] for item in items] for key, items in since.items()
    }
    assert {key: items for key, items in found.items() if items} == changes
    printed = run("report", output, "--baseline", baseline)
    assert "Since the baseline" in printed.out
    assert ("  eu-west-1: SageMaker model " in printed.out) == ("fails" in changes)


def test_a_text_cannot_command_a_terminal(run: Run, named: Named, tmp_path: Path) -> None:
    hostile = named("no-vpc")
    hostile["status_detail"] = "model \033]0;x\007 fails. \ud800"
    hostile["resources"][0]["region"] = "\033[31mred"
    output = write(tmp_path / "now" / "x.ocsf.json", hostile, named("isolated"))
    baseline = write(tmp_path / "then" / "x.ocsf.json", named("isolated"))
    done = run("report", output, "--baseline", baseline)
    assert "model ]0;x fails." in done.out
    assert "[31mred" in done.out
    path = night(tmp_path, "01", "FAIL")
    path.write_text(path.read_text().replace("Because", "\033[31mBecause"))
    evidence = run("evidence", tmp_path).out
    assert "[31mBecause" in evidence
    assert "\033" not in evidence + done.out


def test_a_baseline_without_findings_is_none(run: Run, named: Named, tmp_path: Path) -> None:
    output = write(tmp_path / "now" / "x.ocsf.json", named("isolated"))
    (tmp_path / "then").mkdir()
    done = run("report", output, "--baseline", tmp_path / "then")
    assert done.code == 1
    assert "has no finding of the plugin's" in done.err
    assert run("report", output, "--baseline", tmp_path / "then", "--allow-empty").code == 0


def test_a_baseline_that_holds_the_output_is_none(run: Run, named: Named, tmp_path: Path) -> None:
    output = write(tmp_path / "today" / "x.ocsf.json", named("no-vpc"))
    for arguments in ((output, "--baseline", tmp_path), (output.parent, "--baseline", tmp_path)):
        done = run("report", *arguments)
        assert done.code == 1
        assert "holds the output itself" in done.err


def test_the_latest_night_counts_and_a_copy_counts_once(
    run: Run, named: Named, tmp_path: Path
) -> None:
    first = [named("no-vpc"), named("isolated"), named("no-isolation", "us-east-1")]
    second = [named("isolated", time=86400), named("no-group", time=86400)]
    for night, detections in {"1": first, "2": second, "copy-of-2": second}.items():
        write(tmp_path / night / "x.ocsf.json", *detections)
    done = run("report", tmp_path, "--format", "json")
    assert done.data["counts"] == {"FAIL": 2, "MANUAL": 0, "PASS": 1, "muted": 0}
    assert done.data["superseded"] == 4
    assert "(Left out: 4 findings of earlier scans, or there twice.)" in run("report", tmp_path).out


def test_what_serves_comes_first_and_many_are_shortened(
    run: Run, named: Named, tmp_path: Path
) -> None:
    serving = named("no-group", to="serving")
    names = [f"endpoint-{number}" for number in range(8)]
    serving["resources"][0]["data"]["metadata"]["endpoints"] = [
        asdict(Endpoint(name, None, None)) for name in names
    ]
    unknown = named("no-vpc", to="unknown")
    unknown["resources"][0]["data"]["metadata"]["endpoints"] = None
    many = [named("no-isolation", to=f"m{number}") for number in range(1200)]
    path = write(tmp_path / "x.ocsf.json", *many, unknown, serving)
    done = run("report", path)
    order = [done.out.index(cause) for cause in ("no security group", "network is", "no VPC")]
    assert order == sorted(order)
    words = " ".join(done.out.split())
    assert (
        "; endpoints: endpoint-0, endpoint-1, endpoint-2, endpoint-3, endpoint-4, 3 more" in words
    )
    assert "endpoints: not known for 1" in done.out
    assert " 1,200  1,200  network isolation is disabled" in done.out
    data = run("report", path, "--format", "json").data
    assert data["fix_first"][0]["endpoints"] == names


def test_the_sarif_has_an_alert_for_each_that_fails_or_could_not_be_judged(
    run: Run, wheel_scan: Scan, tmp_path: Path
) -> None:
    path = tmp_path / "prowler.sarif"
    run("report", wheel_scan.output, "--sarif", path)
    document = json.loads(path.read_text("utf-8"))
    Sarif.model_validate(document)
    (made,) = document["runs"]
    levels = {"FAIL": "error", "MANUAL": "warning"}
    rows = [row for row in wheel_scan.rows() if row["STATUS"] in levels]
    alerts = {
        result["partialFingerprints"]["primaryLocationLineHash"]: (
            result["level"],
            result["message"]["text"],
        )
        for result in made["results"]
    }
    assert alerts == {
        row["RESOURCE_UID"]: (levels[row["STATUS"]], row["STATUS_EXTENDED"]) for row in rows
    }
    places = [
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        for result in made["results"]
    ]
    assert f"{account.ACCOUNT}/eu-west-1/model/public-ipv6" in places
    assert len(places) == len(set(places)) == len(rows)
    rules = {rule["id"] for rule in made["tool"]["driver"]["rules"]}
    assert {result["ruleId"] for result in made["results"]} == rules == set(CHECKS)


@pytest.mark.parametrize(
    ("number", "shown", "sentence"),
    [
        (2, 2, ""),
        (3, 3, "Code scanning shows 2 of the 3 alerts of the SARIF."),
        (5, 4, "Code scanning takes 4 alerts: the SARIF leaves out 1."),
    ],
)
def test_the_limits_of_code_scanning(
    run: Run,
    named: Named,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    shown: int,
    sentence: str,
) -> None:
    """What fails is left out after what could not be judged."""
    assert (sarif.MOST, sarif.SHOWN) == (25_000, 5_000)
    monkeypatch.setattr(sarif, "MOST", 4)
    monkeypatch.setattr(sarif, "SHOWN", 2)
    fails = [named("no-vpc", to=f"m{n}") for n in range(number - 1)]
    path = tmp_path / "x.sarif"
    done = run(
        *("report", write(tmp_path / "x.ocsf.json", named("not-described"), *fails)),
        *("--sarif", path),
    )
    assert done.err == (f"sagemaker-isolation: {sentence}\n" if sentence else "")
    levels = [result["level"] for result in json.loads(path.read_text())["runs"][0]["results"]]
    assert levels == [*["error"] * (number - 1), "warning"][:shown]


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


def test_colours_and_progress_are_for_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert text.painter(Terminal())("1 FAIL", "FAIL") == "\033[31m1 FAIL\033[0m"
    assert text.painter(io.StringIO())("1 FAIL", "FAIL") == "1 FAIL"
    monkeypatch.setenv("NO_COLOR", "1")
    assert text.painter(Terminal())("1 FAIL", "FAIL") == "1 FAIL"
    for stream, written in ((Terminal(), "\r1,000 findings read ...\r\033[K"), (io.StringIO(), "")):
        progress = Progress("findings", stream)
        for _ in range(1400):
            progress.advance()
        progress.end()
        assert stream.getvalue().endswith(written)


def test_an_output_that_cannot_be_written_is_said_to_be(named: Named, tmp_path: Path) -> None:
    path = write(tmp_path / "x.ocsf.json", named("isolated"))
    command = [sys.executable, "-m", PACKAGE, "report", str(path)]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert (
        done.stderr
        == "sagemaker-isolation: the output cannot be written: No space left on device.\n"
    )
    closed = subprocess.run(
        ["/bin/sh", "-c", '"$@" >&-', "sh", *command], capture_output=True, text=True, check=False
    )
    assert (closed.returncode, closed.stderr) == (0, "")


COLUMNS = "ACCOUNTID;ASSESSMENTDATE;FRAMEWORK;MUTED;REGION;REQUIREMENTS_ID;STATUS;STATUSEXTENDED"
ROW = "{account};2026-11-{day} 03:17:00.000001;SOC2;{muted};eu-west-1;cc_6_6;{status};Because."


def night(folder: Path, day: str, status: str = "PASS", of: str = "111122223333") -> Path:
    """Write the compliance CSV of a night."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"prowler-output-{of}-{day}_soc2_sagemaker_network_isolation_aws.csv"
    row = ROW.format(account=of, day=day, muted=status == "FAIL", status=status)
    path.write_text(f"{COLUMNS}\n{row}\n")
    return path


def test_the_evidence_of_many_nights(run: Run, tmp_path: Path) -> None:
    for day, status in {"01": "MANUAL", "02": "PASS", "09": "PASS", "10": "FAIL"}.items():
        night(tmp_path / day / "compliance", day, status)
    night(tmp_path / "copy", "10", "FAIL")
    night(tmp_path / "other", "10", of="123456789012")
    done = run("evidence", tmp_path)
    assert (done.code, done.err) == (0, "")
    assert done.out == (
        "cc_6_6: SOC2\n"
        "  account 111122223333: 4 scans, 2026-11-01 to 2026-11-10; the longest gap is 7.0 days, "
        "2026-11-02 to 2026-11-09\n"
        "    2026-11-01 03:17: 1 MANUAL\n"
        "    2026-11-02 03:17: 1 PASS\n"
        "    2026-11-09 03:17: 1 PASS\n"
        "    2026-11-10 03:17: 1 FAIL muted\n"
        "      FAIL muted eu-west-1 Because.\n"
        "  account 123456789012: 1 scan, 2026-11-10\n"
        "    2026-11-10 03:17: 1 PASS\n"
    )
    none = run("evidence", tmp_path, "cc_0")
    assert (none.code, none.out) == (1, "cc_0: no scan has it\n")
    assert "there is no evidence for cc_0." in none.err


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "it lacks columns"),
        (b"A;B\n1;2\n", "it lacks columns"),
        (f"{COLUMNS}\n1;2;3".encode(), "row 1 lacks columns"),
        (f"{COLUMNS}\n1;2;3;4;5;6;7;8;9".encode(), "row 1 lacks columns"),
        (f"{COLUMNS}\n1;soon;3;4;5;6;7;8".encode(), "soon"),
        (f'{COLUMNS}\n1;2;3;4;5;6;7;"8'.encode(), "unexpected end of data"),
        (b"\xff\x00", "utf-8"),
    ],
)
def test_evidence_that_is_broken_is_not_counted(
    run: Run, tmp_path: Path, content: bytes, sentence: str
) -> None:
    night(tmp_path, "02")
    night(tmp_path, "01").write_bytes(content)
    done = run("evidence", tmp_path, "cc_6_6")
    assert "1 scan, 2026-11-02\n" in done.out
    assert done.code == 1
    assert done.err.count("\n") == 1
    assert "is no whole compliance CSV" in done.err
    assert sentence in done.err


@pytest.mark.parametrize("command", ["evidence", "join"])
def test_a_folder_that_is_not_there(run: Run, tmp_path: Path, command: str) -> None:
    done = run(command, tmp_path / "not-there")
    assert (done.code, done.err.count("\n")) == (1, 1)
    assert "not-there is not there" in done.err


def test_dates_of_any_form_are_put_in_order(run: Run, tmp_path: Path) -> None:
    night(tmp_path, "02")
    path = night(tmp_path, "01")
    path.write_text(
        path.read_text().replace("2026-11-01 03:17:00.000001", "2026-11-01T03:17:00+00:00")
    )
    assert (
        "2 scans, 2026-11-01 to 2026-11-02; the longest gap is 1.0" in run("evidence", tmp_path).out
    )


def test_a_folder_without_evidence(run: Run, tmp_path: Path) -> None:
    done = run("evidence", tmp_path)
    assert (done.code, done.out) == (1, "")
    assert "scan with --compliance" in done.err


def test_findings_are_joined_and_broken_files_are_named(run: Run, tmp_path: Path) -> None:
    """Files without a last newline stay two rows, and what is quoted stays one field."""
    name = "prowler-output-{:012}-20260101000000"
    files = {
        f"{name.format(1)}.csv": "A;B\n1;2",
        f"{name.format(2)}.csv": 'A;B\n3;"x;\ny"',
        f"{name.format(3)}.csv": "A\n3\n",
        f"{name.format(4)}.csv": 'A;B\n4;"cut',
        f"{name.format(5)}.csv": "A;B\n5\n",
        f"{name.format(6)}.csv": "",
        f"{name.format(7)}_a_framework.csv": "A;B\n6;7\n",
        f"{name.format(1)}.ocsf.json": '[{"n": 1}]',
        f"{name.format(2)}.ocsf.json": '[{"n": 2}, {"n":',
        f"{name.format(3)}.ocsf.json": '[{"n": 3}]',
    }
    for file, content in files.items():
        folder = tmp_path / file[:27]
        folder.mkdir(exist_ok=True)
        (folder / file).write_text(content)
    done = run("join", tmp_path)
    assert done.code == 1
    assert done.err.count("\n") == done.err.count("not joined: ") == 5
    for number, kind in ((3, "csv"), (4, "csv"), (5, "csv"), (6, "csv"), (2, "ocsf.json")):
        assert f"{name.format(number)}.{kind}" in done.err
    assert done.out == f"Joined in {tmp_path}: findings.csv (2) and findings.ocsf.json (2).\n"
    with (tmp_path / "findings.csv").open(encoding="utf-8", newline="") as lines:
        assert list(csv.reader(lines, delimiter=";")) == [["A", "B"], ["1", "2"], ["3", "x;\ny"]]
    assert json.loads((tmp_path / "findings.ocsf.json").read_text()) == [{"n": 1}, {"n": 3}]


def test_a_folder_that_cannot_be_written(run: Run, tmp_path: Path) -> None:
    (tmp_path / "findings.csv").mkdir()
    done = run("join", tmp_path)
    assert (done.code, done.err.count("\n")) == (1, 1)
    assert "findings.csv cannot be written" in done.err


def test_what_was_joined_is_reported_once(run: Run, wheel_scan: Scan, tmp_path: Path) -> None:
    for path in wheel_scan.output.glob("*.*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    before = run("report", tmp_path, "--format", "json").data
    assert run("join", tmp_path).code == 0
    after = run("report", tmp_path, "--format", "json").data
    assert {**after, "superseded": 0} == before
    assert after["superseded"] == sum(before["counts"].values())


def test_the_command_is_installed_and_needs_no_prowler(
    installed: Installation, wheel: Path, wheel_scan: Scan, tmp_path: Path
) -> None:
    """As a script beside Prowler, and as a module of a folder on PYTHONPATH."""
    by_script = subprocess.run(
        [installed.folder / "bin" / "sagemaker-isolation", "report", wheel_scan.output],
        capture_output=True,
        text=True,
        check=False,
    )
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--no-deps",
            "--quiet",
            "--target",
            tmp_path,
            wheel,
        ],
        env=installation.offline_pip(),
        check=True,
    )
    python = next(Path(sys.base_prefix, "bin").glob("python3"))
    code = "import prowler"
    assert subprocess.run([python, "-c", code], capture_output=True, check=False).returncode == 1
    by_module = subprocess.run(
        [python, "-m", PACKAGE, "report", wheel_scan.output],
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (by_script.returncode, by_script.stderr) == (1, "")
    assert (by_module.returncode, by_module.stderr) == (1, "")
    assert by_script.stdout == by_module.stdout
    assert "What to fix first" in by_script.stdout
    piped = subprocess.run(
        ["bash", "-c", f"{python} -m {PACKAGE} report {wheel_scan.output} | true"],  # noqa: S607
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert piped.stderr == ""
