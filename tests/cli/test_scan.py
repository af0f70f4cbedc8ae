"""The main job, through the real CLI: the account's findings, and the files that carry them."""

import json
import re
import subprocess
from pathlib import Path

from ..embedded import account, aws_cli
from ..embedded.account import Expected
from ..embedded.installation import CHECK, CHECKS, FAILED, ROOT, Installation, Scan
from ..embedded.policy import NOT_TO_GRANT, granted, permission
from ..embedded.server import EmbeddedAWS

MANY = "ap-southeast-2"  # more models than ListModels gives in a page
STRICT = "sagemaker_models_fail_on_unrestricted_egress"
BROADEST = "sagemaker_models_broadest_ipv4_source"
KINDS = ("model", "endpoint-config", "monitoring-schedule")


def test_everything_gets_its_verdict_with_the_evidence(
    wheel_scan: Scan, everything: Expected
) -> None:
    found = {key: row for check in CHECKS for key, row in wheel_scan.findings(check).items()}
    assert {key: row["STATUS"] for key, row in found.items()} == {
        key: status for key, (status, _) in everything.items()
    }
    unsaid = {
        key: found[key]["STATUS_EXTENDED"]
        for key, (_, words) in everything.items()
        if words not in found[key]["STATUS_EXTENDED"]
    }
    assert unsaid == {}
    assert wheel_scan.code == FAILED


def test_nothing_went_wrong_on_the_way(wheel_scan: Scan) -> None:
    assert wheel_scan.stderr == ""
    assert "Something went wrong" not in wheel_scan.stdout


def test_no_call_needs_what_the_policy_lacks(wheel_scan: Scan) -> None:
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


def test_the_ocsf_carries_the_evidence(wheel_scan: Scan) -> None:
    evidence = {
        (resource["region"], resource["name"]): resource["data"]["metadata"]
        for finding in wheel_scan.ocsf()
        for resource in finding["resources"]
    }
    public = evidence["eu-west-1", "public-ipv4"]
    (subnet,), (group,) = public["subnets"], public["security_groups"]
    (route,) = subnet["internet_routes"]
    assert public["network_isolation"] is True
    assert subnet["vpc_id"] == group["vpc_id"]
    assert subnet["route_table_id"].startswith("rtb-")
    assert route["destination"] == "0.0.0.0/0"
    assert route["gateway"].startswith("igw-")
    assert evidence["eu-west-1", "flag-missing"]["network_isolation"] is None
    (unread,) = evidence["eu-west-1", "not-described"]["unknown"]
    assert unread["permission"] == "sagemaker:DescribeModel"
    (fraud,) = evidence["eu-west-1", "serving"]["endpoints"]
    assert (fraud["name"], fraud["status"]) == ("fraud", "InService")


def test_the_policy_of_prevention_gets_what_passes(
    wheel_scan: Scan, everything: Expected, tmp_path: Path
) -> None:
    """By the command of docs/prevention.md."""
    page = (ROOT / "docs" / "prevention.md").read_text("utf-8")
    (command,) = re.findall(r"^    (jq .+) > policy\.json$", page, re.MULTILINE)

    def filled(files: str) -> subprocess.CompletedProcess[str]:
        shell = ["/bin/sh", "-c", command.replace("output/*.ocsf.json", files)]
        return subprocess.run(shell, cwd=ROOT, capture_output=True, text=True, check=False)

    made = json.loads(filled(f"{wheel_scan.output}/*.ocsf.json").stdout)
    passing = [
        finding["resources"][0]["data"]["metadata"]
        for finding in wheel_scan.ocsf()
        if (finding["cloud"]["region"], finding["resources"][0]["name"])
        in {key for key, (status, _) in everything.items() if status == "PASS"}
    ]
    assert {found["arn"].split(":")[5].split("/")[0] for found in passing} == set(KINDS)
    for key, networks_of in (("VpcSubnets", "subnets"), ("VpcSecurityGroupIds", "security_groups")):
        (statement,) = (s for s in made["Statement"] if f'sagemaker:{key}": [' in json.dumps(s))
        allowed = statement["Condition"]["ForAnyValue:StringNotEquals"][f"sagemaker:{key}"]
        assert set(allowed) == {part["id"] for found in passing for part in found[networks_of]}
    none = tmp_path / "none.ocsf.json"
    none.write_text("[]")
    assert "nothing passes in these files" in filled(str(none)).stderr


def test_the_html_has_every_finding(wheel_scan: Scan) -> None:
    html = wheel_scan.file("*.html").read_text("utf-8")
    for row in wheel_scan.rows():
        assert row["RESOURCE_UID"] in html.replace("<wbr />", "")


def test_models_past_the_first_page_tags_mutes_and_settings(
    aws: EmbeddedAWS, installed: Installation, tmp_path: Path
) -> None:
    """One scan for what Prowler's options do: --status, --mutelist-file, --config-file."""
    region = account.Region(aws, MANY)
    vpc = region.vpc()
    subnet, closed = region.subnet(vpc), region.group(vpc)
    chatty = region.group(vpc, egress=True)
    for number in range(102):
        region.model(f"quiet-{number}", [subnet], [closed])
    region.model("chatty", [subnet], [chatty])
    region.model("excused-by-tag", None, tags={"exception": "approved"})
    region.model("excused-by-name", None)
    region.model("not-excused", None, tags={"exception": "refused"})
    config = tmp_path / "config.yaml"
    config.write_text(f'aws:\n  {STRICT}: true\n  {BROADEST}: "24"\n')
    mutes = tmp_path / "mutelist.yaml"
    mutes.write_text(
        f"""Mutelist:
  Accounts:
    "*":
      Checks:
        {CHECK}:
          Regions: ["{MANY}"]
          Resources: ["excused-by-name"]
        "sagemaker_models_*":
          Regions: ["*"]
          Resources: ["*"]
          Tags: ["exception=approved"]
"""
    )
    scan = installed.scan(
        *(aws, tmp_path / "output", "--checks", CHECK, "--region", MANY),
        *("--config-file", config, "--mutelist-file", mutes, "--status", "FAIL"),
    )
    found = scan.findings()
    assert {name: (row["STATUS"], row["MUTED"]) for (_, name), row in found.items()} == {
        "chatty": ("FAIL", "False"),
        "excused-by-tag": ("FAIL", "True"),
        "excused-by-name": ("FAIL", "True"),
        "not-excused": ("FAIL", "False"),
    }
    assert scan.stdout.count("quiet-") == 0
    reason = found[MANY, "chatty"]["STATUS_EXTENDED"]
    assert f"chatty fails: security group {chatty} allows egress of all traffic" in reason
    assert scan.stderr.count(f"prowler.config[aws.{BROADEST}] must be") == 1


def test_only_models_with_the_tag_asked_for_are_judged(
    account_scan: object, aws: EmbeddedAWS, installed: Installation, tmp_path: Path
) -> None:
    scan = installed.scan(
        *(aws, tmp_path / "output", "--checks", CHECK, "--region", "eu-west-1"),
        *("--resource-tags", "team=risk"),
    )
    assert set(scan.findings()) == {("eu-west-1", "pipeline")}


def test_prowler_takes_every_command_of_the_pages(installed: Installation) -> None:
    """By the parser of an installation with the plugin, whose frameworks it knows."""
    commands = aws_cli.on_pages("prowler aws")
    code = f"""
from prowler.lib.cli.parser import ProwlerArgumentParser
for command in {commands!r}:
    ProwlerArgumentParser().parser.parse_args(command.split()[1:])
"""
    subprocess.run([str(installed.python), "-c", code], cwd=installed.folder, check=True)
