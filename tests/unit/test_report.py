"""`sagemaker-isolation report` and docs/history.jq, on findings as Prowler writes them."""

import codecs
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sarif_pydantic import Sarif

from prowler_sagemaker_network_isolation.cli import sarif, text
from prowler_sagemaker_network_isolation.cli.findings import CHECKS
from prowler_sagemaker_network_isolation.cli.main import main

from ..embedded.installation import CHECK, CONFIG_CHECK, ROOT

OCSF = "x.ocsf.json"
A, B = "111122223333", "444455556666"
NIGHT = 1796008620  # 2026-11-30 03:17 UTC
Detection = dict[str, Any]
ISOLATION = ("network-isolation", "network isolation", "is disabled", None)
NO_VPC = ("vpc-config", "the VPC configuration", "is missing", None)
ROUTE = ("public-subnet", "route table rtb-1", "sends 0.0.0.0/0 to igw-1", "subnet-1 is public")
IPV6 = ("public-subnet", "route table rtb-1", "sends ::/0 to igw-1", "subnet-2 is public")
DENIED = ("route table of subnet-1", "AccessDenied", "ec2:DescribeRouteTables", "allow it")
UNLISTED = ("models", "AccessDenied", "sagemaker:ListModels", "allow it")
VIOLATION, UNKNOWN = ("rule", "thing", "detail", "effect"), ("what", "why", "permission", "remedy")


# What a finding is about, and then its evidence.
USUAL: dict[str, Any] = {
    **{"account": A, "check": CHECK, "region": "eu-west-1", "severity": "High"},
    **{"night": 0, "muted": False, "built_in": False},
}
EVIDENCE = {"creation_time": "2026-01-01", "endpoints": [], "notes": []}


def ocsf(name: str = "m", *reasons: tuple[str | None, ...], **differs: Any) -> Detection:
    """Return a finding as Prowler writes it into OCSF; its reasons say what its status is.

    Args:
        name: Of the resource; "model/unknown" for a list that could not be read, and the account's
            id for a PASS of the whole account.
        reasons: Violations, or what is unknown, as tuples.
        differs: What is not as usual; `built_in` is for one without the plugin's evidence.
    """
    about = SimpleNamespace(**{key: differs.pop(key, value) for key, value in USUAL.items()})
    status = "MANUAL" if {DENIED, UNLISTED} & {*reasons} else "FAIL" if reasons else "PASS"
    kind = "" if "/" in name else CHECKS.get(about.check, "x").replace(" ", "-") + "/"
    arn = f"arn:aws:sagemaker:{about.region}:{about.account}:{kind}{name}"
    names = VIOLATION if status == "FAIL" else UNKNOWN
    said = [dict(zip(names, reason, strict=True)) for reason in reasons]
    verdict = {"violations": said * (status == "FAIL"), "unknown": said * (status == "MANUAL")}
    facts = {} if about.built_in else {**EVIDENCE, **verdict, **differs}
    data = {"metadata": {"name": name, **facts}}
    return {
        "class_uid": 2004,
        "cloud": {"provider": "aws", "account": {"uid": about.account}},
        "finding_info": {"title": "A title", "desc": "**Models** are judged."},
        "metadata": {"event_code": about.check},
        "remediation": {"desc": "Use `--fixer` in *private* subnets."},
        "resources": [{"name": name, "uid": arn, "region": about.region, "data": data}],
        "severity": about.severity,
        "status": "Suppressed" if about.muted else "New",
        "status_code": status,
        "status_detail": f"SageMaker model {name} is {status}.",
        "time": NIGHT + about.night * 86_400,
    }


def empty(account: str = A, *regions: str, **differs: Any) -> Detection:
    """Return the PASS of an account that has nothing to judge in some regions."""
    regions = regions or ("eu-west-1", "us-east-1")
    return ocsf(account, account=account, region="us-east-1", regions=[*regions], **differs)


Run = Callable[..., Any]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `report` in this process: `code`, `out`, `err`, and `words` without line ends."""

    def command(*arguments: str | Path) -> Any:
        try:
            code: int | str | None = main(["report", *map(str, arguments)])
        except SystemExit as error:
            code = error.code
        out, err = capsys.readouterr()
        return SimpleNamespace(code=code, out=out, err=err, words=" ".join(out.split()))

    return command


def write(path: Path, *detections: Any) -> Path:
    """Write a file as Prowler does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(detections, indent=4), "utf-8")
    return path


def test_the_checks_are_those_of_the_plugin() -> None:
    assert set(CHECKS) == {path.name for path in (ROOT / "checks").iterdir() if path.is_dir()}


SOUND, FAILS, UNJUDGED = ocsf("s"), ocsf("f", ROUTE), ocsf("u", DENIED)
LIST, OTHER = ocsf("model/unknown", UNLISTED), ocsf(check="sagemaker_models_vpc_settings_x")
MUTED, MENDED, LATER = ocsf("f", ROUTE, muted=True), ocsf("f", night=1), ocsf("s", night=1)
US, CONFIG = ocsf("f", ROUTE, region="us-east-1"), ocsf("c", ROUTE, check=CONFIG_CHECK)
ANOTHER = ocsf("f", night=1, creation_time="2026-02")
SILENT = "no finding of {} in 1 account ({}): it was not run there, or it broke"
BUILT_IN = f"1 finding of {CHECK} (A title) without the plugin's verdict"
AZURE, KUBERNETES = ocsf(check="x", account="of-azure"), ocsf(check="x", account="none")
AZURE["cloud"]["provider"] = "azure"
del KUBERNETES["cloud"]
UNUSABLE = [0, 0, 0, 0]
# What is in the output; the exit code; the numbers of FAIL, MANUAL, PASS and muted, or that it is
# not to be used; what is said; and the checks that were to run, if not that of models.
OUTPUTS: dict[str, tuple[Any, ...]] = {
    "sound": ([SOUND], 0, [0, 0, 1, 0], "Everything was judged, and nothing fails (exit code 0)"),
    "a fail": ([SOUND, FAILS], 3, [1, 0, 1, 0], "1 fail (exit code 3)"),
    "a muted fail": ([SOUND, MUTED], 0, [0, 0, 1, 1], "Everything but what is muted was judged"),
    "unjudged": ([SOUND, UNJUDGED], 1, [0, 1, 1, 0], "Not everything was judged (exit code 1)"),
    "unjudged and muted": ([SOUND, ocsf("u", DENIED, muted=True)], 0, [0, 0, 1, 1], ""),
    "a fail, and unjudged": ([FAILS, UNJUDGED], 1, [1, 1, 0, 0], "Not everything was judged"),
    "a fail, the rest muted": ([FAILS, ocsf("u", DENIED, muted=True)], 3, [1, 0, 0, 1], "1 fail"),
    "a muted PASS": ([ocsf(muted=True)], 0, [0, 0, 1, 0], ""),
    "a list": ([LIST], 1, [0, 1, 0, 0], "AccessDenied: allow it all models of eu-west-1"),
    "nothing to judge": ([empty()], 0, [0, 0, 1, 0], "There is nothing to judge (exit code 0)"),
    # Several scans: what is judged again is superseded, and what is not seen again stays.
    "a copy": ([FAILS, FAILS], 3, [1, 0, 0, 0], "(Left out: 1 finding judged again, or there twi"),
    "mended": ([FAILS, MENDED], 0, [0, 0, 1, 0], "Scanned 2026-12-01 03:17 UTC"),
    "the other way round": ([MENDED, FAILS], 0, [0, 0, 1, 0], ""),
    "one of two again": ([FAILS, SOUND, LATER], 3, [1, 0, 1, 0], "Findings of more than one day"),
    "another of its name": ([FAILS, ANOTHER], 0, [0, 0, 1, 0], ""),
    "one region after all": ([US, SOUND, LATER], 3, [1, 0, 1, 0], "us-east-1/f (2026-11-30)"),
    "a list, then one of it": ([LIST, LATER], 1, [0, 1, 1, 0], "models of eu-west-1 (2026-11-30)"),
    "all deleted": ([FAILS, LIST, empty(night=1)], 0, [0, 0, 1, 0], "nothing to judge"),
    "deleted in one region": ([FAILS, US, empty(A, "eu-west-1", night=1)], 3, [1, 0, 1, 0], "f ("),
    "another since": ([FAILS, empty(night=1), ocsf("s", night=2)], 0, [0, 0, 1, 0], "2026-12-02"),
    "made since": ([empty(), LATER], 0, [0, 0, 1, 0], "Everything was judged"),
    "another account is empty": ([FAILS, empty(B, night=1)], 3, [1, 0, 1, 0], f"{A}/eu-west-1/f"),
    "another kind": ([CONFIG, empty(night=1)], 3, [1, 0, 1, 0], "1 endpoint configuration"),
    # Each check of each account is enough, of Prowler's providers AWS; also after an older plugin.
    "all": ([empty(a, check=c) for a in (A, B) for c in CHECKS], 0, [0, 0, 6, 0], "", *CHECKS),
    "other providers": ([SOUND, AZURE, KUBERNETES], 0, [0, 0, 1, 0], ""),
    "an older plugin": ([ocsf("s", night=-1, built_in=True), SOUND], 0, [0, 0, 1, 0], ""),
    # Silence is not health.
    "nothing": ([], 1, UNUSABLE, "nothing was judged: there is no finding in OCSF."),
    "compliance alone": ([{"class_uid": 2003}], 1, UNUSABLE, "nothing was judged"),
    "other checks alone": ([OTHER], 1, UNUSABLE, SILENT.format(CHECK, A)),
    "one broke": ([SOUND], 1, UNUSABLE, SILENT.format(CONFIG_CHECK, A), CHECK, CONFIG_CHECK),
    "in one account": ([SOUND, ocsf(account=B, check="x")], 1, UNUSABLE, SILENT.format(CHECK, B)),
    "another check": ([ocsf(check=CONFIG_CHECK)], 1, UNUSABLE, SILENT.format(CHECK, A)),
    "the built-in": ([SOUND, ocsf("b", ROUTE, built_in=True)], 1, UNUSABLE, BUILT_IN),
    "the built-in since": ([FAILS, ocsf("f", night=1, built_in=True)], 1, UNUSABLE, BUILT_IN),
}


@pytest.mark.parametrize("name", OUTPUTS)
def test_what_findings_come_to(run: Run, tmp_path: Path, name: str) -> None:
    found, code, counts, said, *checks = OUTPUTS[name]
    (tmp_path / "output").mkdir()
    for number, detection in enumerate(found):
        write(tmp_path / "output" / str(number) / OCSF, detection)
    alerts = tmp_path / "x.sarif"
    alerts.write_text("of an earlier run")
    asked = [tmp_path / "output", "--checks", *(checks or [CHECK]), "--sarif", alerts]
    done = run(*asked)
    assert done.code == code
    assert max(map(len, done.out.splitlines())) <= text.WIDTH
    assert alerts.exists() is (counts is not UNUSABLE)
    if counts is UNUSABLE:
        assert said in done.err
        assert done.err.count("\n") == 1
        assert "Not all of the output can be used (exit code 1)." in done.out
        return
    assert said in done.words
    assert not done.err
    data = json.loads(run(*asked, "--format", "json").out)
    assert (data["exit_code"], list(data["counts"].values())) == (code, counts)
    assert len(data["findings"]) == sum(data["counts"].values())
    if found[-1:] != [KUBERNETES]:
        assert len(data["findings"]) + data["superseded"] == len(found)


WHOLE = json.dumps([FAILS])
IS_NOT = "finding 1 is not as Prowler and the plugin"
# A file beside one that is whole, a.ocsf.json; what is in it, or is replaced in a whole one; and
# what is said of it.
FILES: list[tuple[str, Any, str]] = [
    (OCSF, "", "is empty: scan again"),
    (OCSF, b"\xff\xfe\x00", "is not text"),
    (OCSF, WHOLE[:-200], "is cut off, or is not JSON"),
    (OCSF, WHOLE[:-1] + ",", "after 1 finding, is cut off"),
    (OCSF, f"{WHOLE[:-1]} {WHOLE[1:]}", "after 1 finding, is cut off"),
    (OCSF, "{}", "holds no list of findings"),
    (OCSF, "A;B\n1;2\n", "holds no list of findings"),
    (OCSF, '["FAIL"]', "holds something else than findings"),
    (OCSF, '[{"a": 1}]', IS_NOT),
    (OCSF, WHOLE * 2, "goes on after its end"),
    (OCSF, "[" * 100_000, "is not JSON"),
    (OCSF, ("status_code", "other"), IS_NOT),
    (OCSF, ('"time": ', '"time": 1e999, "x": '), "OverflowError"),
    (OCSF, ('"time": ', '"time": 1e12, "x": '), "ValueError"),
    (OCSF, ('"eu-west-1"', "null"), "a NoneType where a text must be"),
    (OCSF, ('"name": "f"', '"name": 7'), "a int where a text must be"),
    (OCSF, ('"route table rtb-1"', "null"), "a NoneType where a text must"),
    (OCSF, ('"FAIL"', '"WARN"'), "'WARN'"),
    (OCSF, ('"violations": [', '"violations": [], "x": ['), "it is FAIL"),
    (OCSF, ('"FAIL"', '"MANUAL"'), "it is MANUAL"),
    (OCSF, ('"FAIL"', '"PASS"'), "it is PASS"),
    (OCSF, ('"thing"', '"other"'), "KeyError"),
    # of another format
    ("b.csv", f"A;FINDING_UID;B\n1;2;s3\n1;2;{CHECK};x\n", "has no OCSF beside it"),
    ("a.csv", f"A;FINDING_UID;B\n1;2;{CHECK};x\n", ""),
    ("b.csv", "A;FINDING_UID;B\n1;2;s3;x\n", ""),
    ("b.csv", f"A;REQUIREMENTS_ID;B\n1;2;{CHECK};x\n", ""),
    ("a.html", "<b>Parameters used:</b> aws --status PASS\n<tbody>", "with --status PASS, which"),
    ("a.html", "--status MANUAL FAIL --status FAIL PASS -z", "with --status FAIL PASS, which"),
    ("a.html", "--status FAIL MANUAL", ""),
    ("a.html", "-z<tbody> --status PASS", ""),
]


@pytest.mark.parametrize(("name", "content", "said"), FILES)
def test_a_file_that_is_not_whole_is_one_sentence(
    run: Run, tmp_path: Path, name: str, content: Any, said: str
) -> None:
    sound = write(tmp_path / "a.ocsf.json", SOUND)
    path, alerts = tmp_path / name, tmp_path / "alerts.sarif"
    if isinstance(content, tuple):
        content = WHOLE.replace(*content)
        assert content != WHOLE
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    for arguments in ((tmp_path,), (sound, "--baseline", path))[: 1 + (name == OCSF)]:
        alerts.write_text("of an earlier run")
        done = run(*arguments, "--sarif", alerts)
        assert (done.code, done.err.count("\n")) == (bool(said), bool(said))
        assert said in done.err
        assert str(path) in done.err or not said
        # An earlier run's alerts would be closed by those of a run that has not all.
        assert alerts.exists() is not bool(said)


def test_files_of_every_kind_are_found_and_read_to_their_end(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path / "elsewhere" / OCSF, {"class_uid": 2003}, FAILS)
    path.write_bytes(codecs.BOM_UTF8 + path.read_bytes() + b" \n")
    output = write(tmp_path / "output" / OCSF, SOUND).parent
    (output / "night").symlink_to(tmp_path / "elsewhere")
    (output / "loop").symlink_to(output)
    done = run(output)
    assert (done.code, done.err, "Left out" in done.out) == (3, "", False)
    os.mkfifo(output / "pipe.ocsf.json")
    for place, said in (
        (output, "pipe.ocsf.json is no regular file."),
        (tmp_path / ("x" * 300), "cannot be read: File name too long."),
        (tmp_path / "no", "no is not there: name the folder"),
    ):
        done = run(path, place)
        assert (done.code, done.err.count("\n")) == (1, 1)
        assert said in done.err


@pytest.mark.parametrize(
    "arguments",
    [
        *([], ["x", "--format", "xml"], ["x", "--checks", "s3"], ["x", "--allow-empty"]),
        *([""], ["x", "--baseline", ""]),  # an unset variable
        *(["x.json", "--sarif", "x.json"], ["x", "--sarif", "y.ocsf.json"]),  # findings, lost
    ],
)
def test_a_wrong_command_line(run: Run, arguments: list[str]) -> None:
    assert run(*arguments).code == 2


def test_causes_name_resources_and_endpoints(run: Run, tmp_path: Path) -> None:
    """What serves comes first; an endpoint's name is one in each account and region."""
    used: dict[str, Any] = {"endpoints": [{"name": "e", "arn": None, "status": "InService"}]}
    path = write(
        tmp_path / OCSF,
        *(ocsf(f"m{number}", NO_VPC) for number in range(1212)),
        ocsf("a", ROUTE, IPV6, **used),
        ocsf("b", ROUTE, ISOLATION, region="us-east-1", endpoints=None, severity="Low"),
        # Not all is known of it.
        ocsf("c", ROUTE, account=B, **used, unknown=[dict(zip(UNKNOWN, DENIED, strict=True))]),
        ocsf("x", ROUTE, ISOLATION, muted=True),
    )
    words, data = run(path).words, json.loads(run(path, "--format", "json").out)
    assert (
        "3 route table rtb-1 sends 0.0.0.0/0 to igw-1; sends ::/0 to igw-1 subnet-1 is "
        "public; subnet-2 is public 3 models (the only cause of 1): "
        f"{A}/eu-west-1/a, {A}/us-east-1/b, {B}/eu-west-1/c endpoints: {A}/eu-west-1/e, "
        f"{B}/eu-west-1/e, not known for 1 1,212 the VPC configuration is missing 1,212 models "
        "(the only cause of 1,212): "
    ) in words
    assert f"{A}/eu-west-1/m9 and 1,202 more 1 network isolation is disabled" in words
    assert [(c["rule"], c["only_cause_of"], len(c["resources"])) for c in data["fix_first"]] == [
        *((ROUTE[0], 1, 3), (NO_VPC[0], 1212, 1212), (ISOLATION[0], 0, 1))
    ]
    (one,) = (f for f in data["findings"] if f["name"] == "b")
    causes = [dict(zip(VIOLATION, cause, strict=True)) for cause in (ROUTE, ISOLATION)]
    assert one == {
        **{"status": "FAIL", "muted": False, "severity": "Low", "check": CHECK, "account": A},
        **{"region": "us-east-1", "arn": f"arn:aws:sagemaker:us-east-1:{A}:model/b", "name": "b"},
        **{"creation_time": "2026-01-01", "scanned": "2026-11-30T03:17:00+00:00"},
        **{"endpoints": None, "causes": causes, "unread": [], "text": "SageMaker model b is FAIL."},
    }


def test_of_many_accounts_those_that_fail_are_named(run: Run, tmp_path: Path) -> None:
    accounts = [f"{number:012}" for number in range(50)]
    found = [ocsf("m", *[ROUTE] * (a < accounts[14]), account=a) for a in accounts]
    done = run(write(tmp_path / OCSF, *found, ocsf("u", DENIED, account=accounts[20])))
    assert "Of 50 accounts, 14 have what fails, 1 what could not be judged, 35 neither" in done.out
    rows = re.findall(r"^(\d{12}) +(\d+) +(\d+) +(\d+) +(\d+)$", done.out, re.MULTILINE)
    assert [row[0] for row in rows] == [*accounts[:14], accounts[20]]
    assert rows[-1][1:] == ("0", "1", "1", "0")


WORSE, NAMESAKE = ocsf("f", ROUTE, ISOLATION), ocsf("f", ROUTE, creation_time="2026-02")
# Then and now; what has changed; the exit code and what is said on standard error.
CHANGES: dict[str, tuple[list[Detection], list[Detection], dict[str, str], int, str]] = {
    "the same": ([FAILS], [FAILS], {"still": "f"}, 0, ""),
    "it fails now": ([MENDED], [FAILS], {"fails": "f"}, 3, ""),
    "it was not judged then": ([ocsf("f", DENIED)], [FAILS], {"fails": "f"}, 3, ""),
    "it was muted then": ([MUTED], [FAILS], {"fails": "f"}, 3, ""),
    "it is muted now": ([FAILS], [MUTED], {}, 0, ""),
    "a new one": ([SOUND], [SOUND, FAILS], {"fails": "f"}, 3, ""),
    "another of its name": ([FAILS], [NAMESAKE], {"fails": "f", "gone": "f"}, 3, ""),
    "mended": ([FAILS], [MENDED], {"mended": "f"}, 0, ""),
    "not judged any more": ([FAILS], [ocsf("f", DENIED)], {}, 1, ""),
    "deleted": ([FAILS, SOUND], [SOUND], {"gone": "f"}, 0, ""),
    "all deleted": ([FAILS], [empty()], {"gone": "f"}, 0, ""),
    "in a list that broke off": ([FAILS, SOUND], [SOUND, LIST], {}, 1, ""),
    "in a region without findings": ([SOUND, US], [SOUND], {}, 1, f"{CHECK} {A} us-east-1."),
    "in a region not looked at": ([FAILS], [empty(A, "us-east-1")], {}, 1, f"{A} eu-west-1."),
    "its check broke": ([SOUND, CONFIG], [SOUND], {}, 1, f"{CONFIG_CHECK} {A} eu-west-1."),
    "its account is not scanned": ([SOUND, empty(B)], [SOUND], {}, 1, f"{B} us-east-1."),
    "its account was empty": ([empty()], [SOUND], {}, 0, ""),
    "by a further cause": ([FAILS], [WORSE], {"still": "f", "worse": "f"}, 0, ""),
    "nothing then": ([], [SOUND], {}, 1, "x.ocsf.json: nothing was judged"),
    "other checks then": ([OTHER], [SOUND], {}, 1, "there is no finding of the plugin's."),
    "the built-in then": ([ocsf(built_in=True)], [SOUND], {}, 1, "x.ocsf.json: 1 finding of"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_has_changed_since_the_baseline(run: Run, tmp_path: Path, name: str) -> None:
    then, now, changes, code, said = CHANGES[name]
    output = write(tmp_path / "now" / OCSF, *now)
    asked = output, "--baseline", write(tmp_path / "then" / OCSF, *then)
    done = run(*asked, "--format", "json")
    assert (done.code, done.err.count("\n")) == (code, bool(said))
    assert said in done.err
    since = json.loads(done.out)["since_baseline"].items()
    assert {key: "".join(f["name"] for f in found) for key, found in since if found} == changes
    printed = run(*asked).words
    assert "Since the baseline" in printed
    assert ("did not then f: SageMaker model f" in printed) == ("fails" in changes)


def test_a_baseline_that_holds_the_output_is_none(run: Run, tmp_path: Path) -> None:
    output = write(tmp_path / "today" / OCSF, FAILS)
    for arguments in ((output, tmp_path), (output.parent, tmp_path), (output, output)):
        done = run(arguments[0], "--baseline", arguments[1])
        assert (done.code, done.err.count("holds the output itself")) == (1, 1)


def test_a_text_cannot_command_a_terminal(run: Run, tmp_path: Path) -> None:
    hostile = ocsf("f", ("rule", "thing \033]0;x\007", "\ud800", None), region="\033[31mred")
    output = write(tmp_path / "now" / OCSF, hostile, SOUND)
    done = run(output, "--baseline", write(tmp_path / "then" / OCSF, SOUND))
    assert "thing ]0;x" in done.out
    assert "[31mred" in done.out
    assert "\033" not in done.out


def test_what_fails_or_could_not_be_judged_is_an_alert(run: Run, tmp_path: Path) -> None:
    """A rule is as severe as the most severe of its alerts, whatever comes first."""
    path = tmp_path / "x.sarif"
    low, high = ocsf("l", ROUTE, severity="Low"), ocsf("c", ROUTE, severity="Critical")
    muted = ocsf("x", ROUTE, muted=True)
    run(write(tmp_path / OCSF, UNJUDGED, low, high, FAILS, SOUND, muted), "--sarif", path)
    document = json.loads(path.read_text("utf-8"))
    Sarif.model_validate(document)
    (made,) = document["runs"]
    alerts = [(result["level"], result["message"]["text"][16:]) for result in made["results"]]
    assert alerts[:2] == [("note", "l is FAIL."), ("error", "c is FAIL.")]
    assert alerts[2:] == [("error", "f is FAIL."), ("warning", "u is MANUAL.")]
    place = made["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert place == f"{A}/eu-west-1/model/l"
    (rule,) = made["tool"]["driver"]["rules"]
    assert (rule["id"], rule["properties"]["security-severity"]) == (CHECK, "9.0")
    described = "Use --fixer in private subnets.", "Use `--fixer` in *private* subnets."
    assert rule["help"] == dict(zip(("text", "markdown"), described, strict=True))


@pytest.mark.parametrize(
    ("number", "sentence"),
    [(4, ""), (5, "Code scanning takes 4 alerts: the SARIF leaves out 1.")],
)
def test_the_limit_of_code_scanning(
    run: Run, tmp_path: Path, monkeypatch: Any, number: int, sentence: str
) -> None:
    """What fails is left out after what could not be judged."""
    assert sarif.MOST == 25_000
    monkeypatch.setattr(sarif, "MOST", 4)
    found, path = [ocsf(f"m{n}", ROUTE) for n in range(number - 1)], tmp_path / "x.sarif"
    done = run(write(tmp_path / OCSF, UNJUDGED, *found), "--sarif", path)
    assert done.err == (f"sagemaker-isolation: {sentence}\n" if sentence else "")
    levels = [result["level"] for result in json.loads(path.read_text())["runs"][0]["results"]]
    assert levels == [*["error"] * (number - 1), "warning"][:4]


def test_what_cannot_be_written_is_said_to_be(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path / OCSF, SOUND)
    done = run(path, "--sarif", tmp_path / "no" / "x.sarif")
    assert (done.code, done.err.count("\n")) == (1, 1)
    assert "x.sarif cannot be used: No such file or directory." in done.err
    command = [sys.executable, "-m", "prowler_sagemaker_network_isolation", "report", str(path)]
    for redirected, code, said in (
        (">/dev/full", 1, "the output cannot be used: No space left on device.\n"),
        (">&-", 0, ""),
        ("| true", 0, ""),
    ):
        shell = ["/bin/sh", "-c", f'"$@" {redirected}', "sh", *command]
        ended = subprocess.run(shell, capture_output=True, text=True, cwd=ROOT, check=False)
        assert (ended.returncode, ended.stderr.partition(": ")[2]) == (code, said)


def test_the_history_of_five_nights_with_a_gap(tmp_path: Path) -> None:
    """By the command at the beginning of docs/history.jq, from 28 November to 2 December."""
    nights = {
        -2: [ocsf("m", ROUTE, night=-2), ocsf("n", night=-2), ocsf("u", DENIED, night=-2)],
        -1: [ocsf("m", ROUTE, night=-1), ocsf("n", ROUTE, night=-1), ocsf("k", night=-1)],
        1: [ocsf("m", night=1), ocsf("n", ROUTE, night=1), ocsf("k", night=1, built_in=True)],
        2: [ocsf("m", night=2), ocsf("n", ROUTE, night=2, muted=True), empty(B, night=2), OTHER],
        3: [ocsf("m", ROUTE, night=3)],
    }
    for night, found in nights.items():
        write(tmp_path / "output" / str(night) / OCSF, *found)
        write(tmp_path / "output" / "copies" / f"{night}.ocsf.json", *found, {"class_uid": 2003})
    header = (ROOT / "docs" / "history.jq").read_text("utf-8")
    command = "".join(re.findall(r"^#( {4,}.+\n)", header, re.MULTILINE))

    def history(first: str, last: str) -> subprocess.CompletedProcess[str]:
        asked = command.replace("2026-11-01", first).replace("2026-11-30", last)
        shell = ["bash", "-c", asked.replace("docs/", f"{ROOT}/docs/")]
        return subprocess.run(shell, cwd=tmp_path, capture_output=True, text=True, check=False)

    whole = "2026-11-28", "2026-12-02"
    arn = f"arn:aws:sagemaker:eu-west-1:{A}:model"
    assert history(*whole).stdout.splitlines() == [
        f"{A} {CHECK}: 4 scans on 4 of 5 days",
        "  no scan 2026-11-30",
        f"  FAIL 2026-11-28 to 2026-11-29, then PASS from 2026-12-01: {arn}/m",
        "    SageMaker model m is FAIL.",
        f"  FAIL 2026-11-29 to 2026-12-01, then FAIL (muted) from 2026-12-02: {arn}/n",
        "    SageMaker model n is FAIL.",
        f"  FAIL (muted) 2026-12-02: {arn}/n",
        "    SageMaker model n is FAIL.",
        f"  MANUAL 2026-11-28, then absent from 2026-11-29: {arn}/u",
        "    SageMaker model u is MANUAL.",
        f"{B} {CHECK}: 1 scans on 1 of 5 days",
        "  no scan 2026-11-28 to 2026-12-01",
    ]
    assert "no finding of the plugin's between" in history("2025-01-01", "2025-02-01").stderr
    (tmp_path / "output" / "half.ocsf.json").write_text(WHOLE[:-9])
    assert (history(*whole).returncode != 0, history(*whole).stdout) == (True, "")
