"""The main job, through the real CLI: the account's findings, and the files that carry them."""

import json
import re
import subprocess
from pathlib import Path

from ..embedded import account, aws_cli
from ..embedded.account import Expected
from ..embedded.installation import CHECK, CHECKS, FAILED, ROOT, Installation, Scan
from ..embedded.policy import NOT_TO_GRANT, granted, permission
from ..embedded.server import EmbeddedAWS, error, on, refuse

KINDS = ("model", "endpoint-config", "monitoring-schedule")


def test_everything_gets_its_verdict_with_the_evidence(
    wheel_scan: Scan, everything: Expected
) -> None:
    found = wheel_scan.findings(*CHECKS)
    assert {key: row["STATUS"] for key, row in found.items()} == {
        key: status for key, (status, _) in everything.items()
    }
    unsaid = {
        key: found[key]["STATUS_EXTENDED"]
        for key, (_, words) in everything.items()
        if words not in found[key]["STATUS_EXTENDED"]
    }
    assert unsaid == {}
    assert (wheel_scan.code, wheel_scan.stderr) == (FAILED, "")
    assert "Something went wrong" not in wheel_scan.stdout
    assert set(map(permission, wheel_scan.calls)) <= granted() | NOT_TO_GRANT


def test_the_finding_names_the_resource_as_prowler_does(wheel_scan: Scan) -> None:
    row = wheel_scan.findings()["eu-west-1", "pipeline"]
    arn = f"arn:aws:sagemaker:eu-west-1:{account.ACCOUNT}:model/pipeline"
    assert row["RESOURCE_UID"] == arn
    assert row["RESOURCE_TAGS"] == "team=risk"
    assert row["SEVERITY"] == "high"
    unknown = wheel_scan.findings()["eu-central-1", "model/unknown"]
    assert unknown["RESOURCE_UID"] == (
        f"arn:aws:sagemaker:eu-central-1:{account.ACCOUNT}:model/unknown"
    )


def test_the_policy_of_prevention_gets_what_passes(
    wheel_scan: Scan, installed: Installation, tmp_path: Path
) -> None:
    """By the command of docs/prevention.md."""
    page = (ROOT / "docs" / "prevention.md").read_text("utf-8")
    (command,) = re.findall(r"^    (jq .+) > policy\.json$", page, re.MULTILINE)

    def filled(files: str) -> subprocess.CompletedProcess[str]:
        return installed.shell(command.replace("output/*.ocsf.json", files), ROOT)

    made = json.loads(filled(f"{wheel_scan.output}/*.ocsf.json").stdout)
    passing = [
        finding["resources"][0]["data"]["metadata"]
        for finding in wheel_scan.ocsf()
        if finding["status_code"] == "PASS"
    ]
    assert {found["arn"].split(":")[5].split("/")[0] for found in passing} == set(KINDS)
    for key, networks_of in (("VpcSubnets", "subnets"), ("VpcSecurityGroupIds", "security_groups")):
        (statement,) = (s for s in made["Statement"] if f'sagemaker:{key}": [' in json.dumps(s))
        allowed = statement["Condition"]["ForAnyValue:StringNotEquals"][f"sagemaker:{key}"]
        assert set(allowed) == {part["id"] for found in passing for part in found[networks_of]}
    none = tmp_path / "none.ocsf.json"
    none.write_text("[]")
    assert "nothing passes in these files" in filled(str(none)).stderr


HOSTILE_TAGS = {
    "formula": "=HYPERLINK(1)",
    "plus": "+1+1",
    "at": "@SUM(1)",
    "minus": "-2-3",
    "path": "a/b:c=d",
    "letters": "émigré 日本語 \u202eevil",
    "separator": "one\u2028two",
    "team": "risk",
}
MARKUP = "<script>alert(1)</script>"


def test_a_scan_limited_by_tag_whose_texts_are_hostile(
    aws: EmbeddedAWS, installed: Installation, tmp_path: Path
) -> None:
    """Tags, and what a security group or an error may say; model names are letters and hyphens."""
    region = account.Region(aws, "af-south-1")
    vpc = region.vpc()
    subnet, name = region.subnet(vpc), f"a{'-' * 61}z"
    made = region.ec2.create_security_group(
        GroupName="=cmd|' /C calc'!A0", Description="{{7*7}}[a](javascript:b)", VpcId=vpc
    )
    region.model(name, [subnet], [made["GroupId"]], tags=HOSTILE_TAGS)
    region.model("unreadable", [subnet], [made["GroupId"]], tags={"team": "risk"})
    region.model("without-the-tag", tags={"team": "other"})
    faults = [
        on("Search", region.name)(refuse),
        on("DescribeModel", region.name, ModelName="unreadable")(error(MARKUP, MARKUP)),
    ]
    with aws.failing(*faults):
        arguments = ("--checks", CHECK, "--region", region.name, "--verbose")
        scan = installed.scan(aws, tmp_path, *arguments, "--resource-tags", "team=risk")
    found = scan.findings()
    assert {key: row["STATUS"] for key, row in found.items()} == {
        (region.name, name): "PASS",
        (region.name, "unreadable"): "MANUAL",
    }
    assert len(scan.rows()) == len(scan.ocsf()) == 2
    for cell in found[region.name, name].values():
        assert not cell.startswith(("=", "+", "@"))
    (ocsf,) = [f for f in scan.ocsf() if f["resources"][0]["name"] == name]
    assert len(ocsf["resources"][0]["labels"]) == len(HOSTILE_TAGS)
    assert "alert(1)" not in scan.file("*.html").read_text("utf-8")
    assert MARKUP not in scan.stdout


def test_prowler_takes_every_command_of_the_pages(installed: Installation) -> None:
    """By the parser of an installation with the plugin, whose frameworks it knows."""
    commands = aws_cli.on_pages("prowler aws")
    code = f"""
from prowler.lib.cli.parser import ProwlerArgumentParser
for command in {commands!r}:
    ProwlerArgumentParser().parser.parse_args(command.split()[1:])
"""
    installed.python(code)
