"""Security Hub: what Prowler does to it where something could not be read, and the recipe.

One account, two regions and their hubs, in the order of the nights; each test looks at what a night
left behind. The hub of REGION has findings of other accounts and regions, as one that collects has.
"""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Response

from ..embedded.account import ACCOUNT, EVERYWHERE, Region
from ..embedded.installation import (
    BUILT_IN_TITLE,
    CHECK,
    FAILED,
    METADATA,
    ROOT,
    Installation,
    access,
)
from ..embedded.server import Answer, Call, EmbeddedAWS, Fault, change, error, on, refuse

REGION = "eu-south-2"
NEXT = "eu-central-2"
LEFT_OUT = "me-south-1"  # by Prowler's own configuration
PUBLIC = {f"public-{number}" for number in range(6)}
FAILING = {*PUBLIC, "MixedCase", "deleted", "not-isolated"}
CONFIGS = {"config", "deleted-config"}  # for inference components; they fail, too
OUR_TITLE = json.loads(METADATA.read_text("utf-8"))["CheckTitle"]
RECIPE = ROOT / "docs" / "ci" / "security_hub.py"
# Findings that are not the recipe's to archive, by their id: the product, the check, the account
# and the region.
OTHERS = {
    "another-check": ("prowler/prowler", "another_check", ACCOUNT, REGION),
    "another-product": ("aws/inspector", CHECK, ACCOUNT, REGION),
    "another-account": ("prowler/prowler", CHECK, "999999999999", REGION),
    "another-region": ("prowler/prowler", CHECK, ACCOUNT, NEXT),
}
Hub = dict[str, tuple[str, str]]  # by model or id: the compliance status and the record's state


@dataclass(frozen=True)
class Night:
    """What a run did: its end, what the hubs had then, and the models whose findings were sent."""

    done: subprocess.CompletedProcess[str]
    hub: Hub
    sent: list[str]


def name_of(finding: dict[str, Any]) -> str:
    """Return the name of a finding's model."""
    return str(finding["Resources"][0]["Id"]).rpartition("/")[2]


def hub_of(aws: EmbeddedAWS) -> Hub:
    """Return what the hubs of both regions have."""
    return {
        name_of(finding): (finding["Compliance"]["Status"], finding["RecordState"])
        for region in (REGION, NEXT)
        for page in aws.client("securityhub", region).get_paginator("get_findings").paginate()
        for finding in page["Findings"]
    }


def is_import(call: Call) -> bool:
    """Return whether a call is BatchImportFindings."""
    return call.service == "securityhub" and call.api.endswith("/import")


def sent_to(aws: EmbeddedAWS) -> list[str]:
    """Return the models whose findings Security Hub was sent since the calls were cleared."""
    bodies = [json.loads(call.body) for call in aws.calls if is_import(call)]
    return [name_of(finding) for body in bodies for finding in body["Findings"]]


def of_hub(path: str, region: str, fault: Fault) -> Fault:
    """Limit a fault to the calls of a region's Security Hub whose path ends so."""

    def limited(call: Call, answer: Answer) -> Response | None:
        asked = call.service == "securityhub" and call.api.endswith(path) and call.region == region
        return fault(call, answer) if asked else None

    return limited


def at_first(path: str, do: Callable[[], object]) -> Fault:
    """Return a fault that is none, but does something at Security Hub's first call of a path."""
    left = [do]

    def watch(call: Call, _: Answer) -> None:
        if left and call.service == "securityhub" and call.api.endswith(path):
            left.pop()()

    return watch


def take_but(name: str) -> Fault:
    """Return a fault: Security Hub takes all findings but that of one model."""

    def fault(call: Call, answer: Answer) -> Response:
        response = answer()
        refused = [f["Id"] for f in json.loads(call.body)["Findings"] if name_of(f) == name]
        failed = [{"Id": i, "ErrorCode": "Invalid", "ErrorMessage": "no"} for i in refused]
        response.set_data(json.dumps({**json.loads(response.get_data()), "FailedFindings": failed}))
        return response

    return fault


def lower_case(answer: Any) -> None:
    """Write the ARNs of models in lower case, throughout an answer of SageMaker."""
    for value in answer if isinstance(answer, list) else answer.values():
        if isinstance(value, list | dict):
            lower_case(value)
    if isinstance(answer, dict) and "ModelArn" in answer:
        answer["ModelArn"] = answer["ModelArn"].lower()


LOWER_CASE = [on(api)(change(lower_case)) for api in ("ListModels", "DescribeModel", "Search")]


@dataclass
class Place:
    """A region with a public and a private subnet, a closed group and a Security Hub."""

    aws: EmbeddedAWS
    name: str
    region: Region = field(init=False)

    def __post_init__(self) -> None:
        self.region = Region(self.aws, self.name)
        vpc = self.region.vpc()
        route = {"DestinationCidrBlock": EVERYWHERE, "GatewayId": self.region.internet_gateway(vpc)}
        self.private = self.region.subnet(vpc)
        self.public = self.region.subnet(vpc, self.region.table(vpc, route))
        self.closed = self.region.group(vpc)
        self.hub = self.aws.client("securityhub", self.name)
        self.hub.enable_security_hub()

    def fails(self, name: str) -> None:
        """Make a model in the public subnet."""
        self.region.model(name, [self.public], [self.closed])

    def delete(self, name: str) -> None:
        """Delete a model."""
        self.region.sagemaker.delete_model(ModelName=name)


@pytest.fixture(scope="module")
def places(aws: EmbeddedAWS) -> dict[str, Place]:
    """Models that fail, of which one does without EC2 being asked, a sound one, a region that
    Prowler leaves out, and a hub with findings of others."""
    made = {name: Place(aws, name) for name in (REGION, NEXT, LEFT_OUT)}
    here = made[REGION]
    for name in FAILING - {"not-isolated"}:
        here.fails(name)
    here.region.model("not-isolated", [here.private], [here.closed], isolated=False)
    here.region.model("sound", [here.private], [here.closed])
    for name in CONFIGS:
        here.region.components(name, isolated=False)
    made[NEXT].fails("Elsewhere")
    made[LEFT_OUT].fails("left-out")
    for name, (product, check, account, region) in OTHERS.items():
        finding = {
            "SchemaVersion": "2018-10-08",
            "Id": name,
            "ProductArn": f"arn:aws:securityhub:{region}::product/{product}",
            "GeneratorId": f"prowler-{check}",
            "AwsAccountId": account,
            "CreatedAt": "2026-01-01T00:00:00Z",
            "UpdatedAt": "2026-01-01T00:00:00Z",
            "Title": name,
            "Description": name,
            "Severity": {"Label": "HIGH"},
            "RecordState": "ACTIVE",
            "Compliance": {"Status": "FAILED"},
            "Resources": [
                {"Id": f"arn:aws:sagemaker:{region}:{account}:model/{name}", "Type": "Other"}
            ],
        }
        assert here.hub.batch_import_findings(Findings=[finding])["SuccessCount"] == 1
    return made


@dataclass
class Nights:
    """Runs the recipe and remembers what it did.

    Attributes:
        installed: The Prowler that it runs.
        folder: Its working directory.
        found: The nights by their name.
    """

    aws: EmbeddedAWS
    installed: Installation
    folder: Path
    found: dict[str, Night] = field(default_factory=dict)

    def recipe(
        self,
        night: str,
        *options: str,
        faults: tuple[Fault, ...] | list[Fault] = (),
        after: str = "",
        output: str = "",
        regions: tuple[str, ...] = (REGION, NEXT),
    ) -> None:
        """Run the recipe.

        Args:
            night: The night's name.
            options: What Prowler is given besides.
            faults: What AWS does wrong.
            after: Commands for bash that follow on Prowler, in the folder that it wrote to.
            output: The recipe's OUTPUT; a new one if it is not given.
            regions: The recipe's.
        """
        output = output or night.replace(" ", "-")
        path = {"PATH": self.prowler_and(after, output)} if after else {}
        command = f"python3 {RECIPE} {output} {' '.join(regions)}"
        command += f" -- {' '.join(options)}" if options else ""
        self.aws.calls.clear()
        with self.aws.failing(*faults):
            done = self.installed.shell(command, self.folder, **access(self.aws), **path)
        self.found[night] = Night(done, hub_of(self.aws), sent_to(self.aws))

    def prowler_and(self, commands: str, output: str) -> str:
        """Make a `prowler` that goes on with other commands; return a PATH that it is first on."""
        folder = self.folder / f"{output}-bin"
        folder.mkdir()
        real = f'"{self.installed.prowler}" "$@"; code=$?'
        script = f'#!/bin/bash\n{real}\ncd "{self.folder / output}"\n{commands}\nexit $code\n'
        (folder / "prowler").write_text(script)
        (folder / "prowler").chmod(0o755)
        return f"{folder}:{self.installed.folder}/bin:/usr/bin:/bin"


@pytest.fixture(scope="module")
def nights(
    aws: EmbeddedAWS,
    places: dict[str, Place],
    installed: Installation,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Night]:
    """The recipe's nights, and at last one of Prowler's own."""
    run = Nights(aws, installed, tmp_path_factory.mktemp("nights"))
    here, there = places[REGION], places[NEXT]
    lost = on("DescribeRouteTables", REGION)(refuse)

    # Security Hub has nothing of the check yet.
    run.recipe("no file is written", after="rm *.*")
    run.recipe("no ASFF is written", "--output-formats", "html")
    run.recipe("a file is not whole", after="truncate --size=99 *.asff.json")
    run.recipe("the built-in answered", after=f"sed -i 's/{OUR_TITLE}/{BUILT_IN_TITLE}/' *.csv")
    run.recipe("Prowler ended with 1", after="exit 1")
    run.recipe("MANUAL is hidden", "--status", "FAIL", faults=[lost])

    run.recipe("first")
    run.recipe("the same folder", output="first")
    run.recipe("permission lost", faults=[lost])

    here.delete("deleted")
    here.region.sagemaker.delete_endpoint_config(EndpointConfigName="deleted-config")
    made_meanwhile = at_first("/import", lambda: here.fails("meanwhile"))
    gone_meanwhile = at_first("/import", lambda: there.delete("Elsewhere"))
    run.recipe("a model deleted", faults=[made_meanwhile, gone_meanwhile])
    here.delete("meanwhile")
    there.fails("Elsewhere")
    run.recipe("a part scanned", "--resource-tag", "team=none", faults=LOWER_CASE)
    run.recipe("a region left out", regions=(LEFT_OUT, REGION))

    there.fails("new-1")
    run.recipe("a call is refused", faults=[of_hub("/findings", REGION, error("AccessDenied"))])
    there.fails("new-2")
    run.recipe("a finding is refused", faults=[of_hub("/import", REGION, take_but("public-0"))])
    refuse_now = at_first("", lambda: aws.faults.insert(0, on("ListModels", REGION)(refuse)))
    run.recipe("the list is refused", "--resource-tag", "team=none", faults=[refuse_now])

    aws.calls.clear()
    with aws.failing(lost):
        arguments = ("aws", "--checks", CHECK, "--region", REGION, "--security-hub")
        done = installed.run(*arguments, **access(aws))
    run.found["Prowler's own, permission lost"] = Night(done, hub_of(aws), sent_to(aws))
    return run.found


EVERY = {*FAILING, "sound", "Elsewhere"}
THERE = EVERY - {"deleted"}


def named(night: Night) -> set[str]:
    """Return the models that a night named as there and without a finding."""
    return set(re.findall(r"no finding for \S+model/(\S+), which is there\.", night.done.stderr))


@pytest.mark.parametrize("night", ["no file is written", "no ASFF is written"])
def test_models_without_a_finding_are_named_where_security_hub_has_none_of_them(
    nights: dict[str, Night], night: str
) -> None:
    assert nights[night].done.returncode == 1
    assert named(nights[night]) == EVERY
    assert set(nights[night].hub) == set(OTHERS)


@pytest.mark.parametrize(
    ("night", "sentence"),
    [
        ("a file is not whole", ".asff.json is not whole ("),
        ("the built-in answered", "Prowler's built-in check answered for arn:aws:sagemaker:"),
        ("Prowler ended with 1", "Prowler ended with 1; Security Hub is left as it is."),
        ("the same folder", "There is a folder first already: give each scan a new one."),
    ],
)
def test_where_the_scan_cannot_be_believed_nothing_is_sent(
    nights: dict[str, Night], night: str, sentence: str
) -> None:
    assert nights[night].done.returncode == 1
    assert sentence in nights[night].done.stderr
    assert "Traceback" not in nights[night].done.stderr
    assert nights[night].sent == []


def test_what_prowler_was_told_to_hide_is_named(nights: dict[str, Night]) -> None:
    night = nights["MANUAL is hidden"]
    assert night.done.returncode == 1
    assert {*night.sent} == {"Elsewhere", "not-isolated", *CONFIGS}
    assert named(night) == EVERY - {*night.sent}


def test_a_night_in_which_all_was_read_is_sent(nights: dict[str, Night]) -> None:
    night = nights["first"]
    assert night.done.returncode == FAILED, night.done.stderr
    failed = dict.fromkeys([*FAILING, *CONFIGS, "Elsewhere", *OTHERS], ("FAILED", "ACTIVE"))
    assert night.hub == {**failed, "sound": ("PASSED", "ACTIVE")}


def test_where_something_was_not_read_the_hub_stays_and_the_alarm_is_raised(
    nights: dict[str, Night],
) -> None:
    night = nights["permission lost"]
    assert night.done.returncode == 1
    assert night.hub == nights["first"].hub
    assert night.sent == []
    assert night.done.stderr.count(f"MANUAL {REGION} ") == len({*FAILING, "sound"}) - 1
    assert "ec2:DescribeRouteTables" in night.done.stderr


def test_archived_are_the_findings_of_what_is_gone_and_no_others(
    nights: dict[str, Night],
) -> None:
    """A model made during the scan needs no finding; one deleted during it is the next night's."""
    night = nights["a model deleted"]
    assert night.done.returncode == FAILED, night.done.stderr
    gone = dict.fromkeys(["deleted", "deleted-config"], ("FAILED", "ARCHIVED"))
    assert night.hub == {**nights["first"].hub, **gone}


def test_a_model_that_is_there_and_was_not_judged_is_named(nights: dict[str, Night]) -> None:
    """By its name in lower case too; and what is archived is not archived again."""
    night = nights["a part scanned"]
    assert night.done.returncode == 1
    assert night.hub == nights["a model deleted"].hub
    assert named(night) == {name.lower() for name in THERE}
    assert night.sent == []


def test_a_region_that_prowler_leaves_out_does_not_go_unseen(nights: dict[str, Night]) -> None:
    night = nights["a region left out"]
    assert night.done.returncode == 1
    assert named(night) == {"left-out"}
    assert {*night.sent} == THERE - {"Elsewhere"} | {"config"}


@pytest.mark.parametrize(
    ("night", "sentence", "new"),
    [
        ("a call is refused", f"{REGION}: An error occurred (AccessDenied) when calling", "new-1"),
        ("a finding is refused", f"Security Hub did not take prowler-{CHECK}-", "new-2"),
    ],
)
def test_what_goes_wrong_in_a_region_keeps_no_other_from_being_brought_up_to_date(
    nights: dict[str, Night], night: str, sentence: str, new: str
) -> None:
    assert nights[night].done.returncode == 1
    assert sentence in nights[night].done.stderr
    assert nights[night].hub[new] == ("FAILED", "ACTIVE")
    assert not named(nights[night])


def test_without_the_list_of_models_nothing_is_archived(nights: dict[str, Night]) -> None:
    night = nights["the list is refused"]
    assert night.done.returncode == 1
    assert f"{REGION}: An error occurred (AccessDeniedException) when call" in night.done.stderr
    assert night.sent == []
    assert named(night) == {"Elsewhere", "new-1", "new-2"}


def test_prowlers_own_archives_what_it_could_not_read_and_what_it_did_not_run(
    nights: dict[str, Night],
) -> None:
    """What docs/ci.md warns of. If this fails, Prowler has changed, and the page is to be."""
    hub = nights["Prowler's own, permission lost"].hub
    archived = {name for name, (_, state) in hub.items() if state == "ARCHIVED"}
    unread = {*FAILING, "sound"} - {"not-isolated"}
    assert archived == {*unread, *CONFIGS, "another-check"}


@pytest.mark.parametrize("arguments", [[], ["output"], ["output", "--"]])
def test_without_a_region_it_does_nothing(tmp_path: Path, arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, RECIPE, *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "usage: " in done.stderr
    assert not any(tmp_path.iterdir())
