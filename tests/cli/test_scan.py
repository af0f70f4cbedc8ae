"""The main job, through the real CLI: the account's findings, and the files that carry them."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ..embedded import account, networks
from ..embedded.account import Expected
from ..embedded.installation import CHECK, CHECKS, FAILED, ROOT, Installation, Scan
from ..embedded.server import EmbeddedAWS

MANY = "ap-southeast-2"  # more models than ListModels gives in a page
STRICT = "sagemaker_models_fail_on_unrestricted_egress"


@pytest.fixture
def everything(
    expected: Expected, expected_configs: Expected, expected_schedules: Expected
) -> Expected:
    """What the scan must say of all that is judged, by region and name."""
    return expected | expected_configs | expected_schedules


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


@pytest.fixture(scope="module")
def network_cases(aws: EmbeddedAWS) -> dict[str, tuple[str, tuple[str, ...]]]:
    return networks.build(aws)


@pytest.fixture(scope="module")
def network_scan(
    aws: EmbeddedAWS,
    installed: Installation,
    network_cases: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Scan:
    """The scan of the networks; `aws.calls` has its calls."""
    aws.calls.clear()
    output = tmp_path_factory.mktemp("networks")
    return installed.scan(aws, output, "--checks", CHECK, "--region", networks.REGION)


def test_each_network_gets_its_verdict_with_the_evidence(
    network_scan: Scan, network_cases: dict[str, tuple[str, tuple[str, ...]]]
) -> None:
    found = {name: row for (_, name), row in network_scan.findings().items()}
    assert {name: row["STATUS"] for name, row in found.items()} == {
        name: status for name, (status, _) in network_cases.items()
    }
    unsaid = {
        name: (part, found[name]["STATUS_EXTENDED"])
        for name, (_, words) in network_cases.items()
        for part in words
        if part not in found[name]["STATUS_EXTENDED"]
    }
    assert unsaid == {}


def test_arns_are_spelled_as_aws_spells_them(network_scan: Scan) -> None:
    for name in ("ARN-in-Small-Letters", "ARN-in-Small-Letters-described"):
        row = network_scan.findings()[networks.REGION, name]
        assert row["RESOURCE_UID"].endswith(f":model/{name}")


def test_prefix_lists_are_read_once_each(aws: EmbeddedAWS, network_scan: Scan) -> None:
    read = [
        call.parameters["PrefixListId"]
        for call in aws.calls
        if call.api == "GetManagedPrefixListEntries"
    ]
    assert len(read) == len(set(read)) > 1


def test_nothing_went_wrong_on_the_way(wheel_scan: Scan) -> None:
    assert wheel_scan.stderr == ""
    assert "Something went wrong" not in wheel_scan.stdout


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
    assert evidence["eu-west-1", "open-ipv6"]["security_groups"][1]["open_ingress"] == [
        {"text": "tcp 443 from ::/0", "joined_with": []}
    ]
    assert evidence["eu-west-1", "flag-missing"]["network_isolation"] is None
    (unread,) = evidence["eu-west-1", "not-described"]["unread"]
    assert unread["permission"] == "sagemaker:DescribeModel"
    (fraud,) = evidence["eu-west-1", "serving"]["endpoints"]
    assert fraud["arn"].endswith(":endpoint/fraud")
    assert (fraud["name"], fraud["status"]) == ("fraud", "InService")
    assert evidence["eu-west-1", "isolated"]["endpoints"] == []
    assert evidence["eu-west-1", "not-described"]["endpoints"] is None


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
    assert {found["arn"].split(":")[5].split("/")[0] for found in passing} == {
        "model",
        "endpoint-config",
        "monitoring-schedule",
    }
    for key, networks_of in (("VpcSubnets", "subnets"), ("VpcSecurityGroupIds", "security_groups")):
        (statement,) = (s for s in made["Statement"] if f'sagemaker:{key}": [' in json.dumps(s))
        allowed = statement["Condition"]["ForAnyValue:StringNotEquals"][f"sagemaker:{key}"]
        assert set(allowed) == {part["id"] for found in passing for part in found[networks_of]}
    none = tmp_path / "none.ocsf.json"
    none.write_text("[]")
    assert "nothing passes in these files" in filled(str(none)).stderr


def test_the_html_has_every_finding(
    wheel_scan: Scan,
    expected: Expected,
    expected_configs: Expected,
    expected_schedules: Expected,
) -> None:
    html = wheel_scan.file("*.html").read_text("utf-8")
    for kind, names in (
        ("model", expected),
        ("endpoint-config", expected_configs),
        ("monitoring-schedule", expected_schedules),
    ):
        for region, name in names:
            assert f":sagemaker:{region}:{account.ACCOUNT}:{kind}/{name.split('/')[-1]}" in html


def test_models_past_the_first_page_tags_mutes_and_the_stricter_rule(
    aws: EmbeddedAWS, installed: Installation, expected: Expected, tmp_path: Path
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
    config.write_text(f"aws:\n  {STRICT}: true\n")
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
        *("--config-file", config, "--mutelist-file", mutes, "--status", "PASS", "FAIL"),
    )
    found = scan.findings()
    assert len(found) == 106
    statuses = {
        name: (row["STATUS"], row["MUTED"])
        for (_, name), row in found.items()
        if not name.startswith("quiet-")
    }
    assert statuses == {
        "chatty": ("FAIL", "False"),
        "excused-by-tag": ("FAIL", "True"),
        "excused-by-name": ("FAIL", "True"),
        "not-excused": ("FAIL", "False"),
    }
    reason = found[MANY, "chatty"]["STATUS_EXTENDED"]
    assert f"chatty fails: security group {chatty} allows egress of all traffic" in reason


def test_a_status_that_was_not_asked_for_is_left_out_and_a_wrong_setting_is_named(
    aws: EmbeddedAWS, installed: Installation, expected: Expected, tmp_path: Path
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(f'aws:\n  {STRICT}: "yes"\n')
    scan = installed.scan(
        *(aws, tmp_path / "output", "--checks", *CHECKS, "--region", "eu-west-1"),
        *("--config-file", config, "--status", "PASS"),
    )
    passed = {key for key, (status, _) in expected.items() if status == "PASS"}
    assert set(scan.findings()) == passed
    assert scan.code == 0
    assert f"prowler.config[aws.{STRICT}] must be true or false, and is 'yes'" in scan.stderr
    assert scan.stderr.count(STRICT) == 1


def test_only_the_resource_asked_for_is_judged(
    aws: EmbeddedAWS, installed: Installation, expected: Expected, tmp_path: Path
) -> None:
    arn = f"arn:aws:sagemaker:eu-west-1:{account.ACCOUNT}:model/no-vpc"
    scan = installed.scan(aws, tmp_path / "output", "--checks", CHECK, "--resource-arn", arn)
    assert set(scan.findings()) == {("eu-west-1", "no-vpc")}


def test_only_models_with_the_tag_asked_for_are_judged(
    aws: EmbeddedAWS, installed: Installation, expected: Expected, tmp_path: Path
) -> None:
    scan = installed.scan(
        *(aws, tmp_path / "output", "--checks", CHECK, "--region", "eu-west-1"),
        *("--resource-tags", "team=risk"),
    )
    assert set(scan.findings()) == {("eu-west-1", "pipeline")}


@pytest.mark.parametrize(
    ("partition", "region"), [("aws-us-gov", "us-gov-west-1"), ("aws-cn", "cn-north-1")]
)
def test_other_partitions(
    aws: EmbeddedAWS, installed: Installation, tmp_path: Path, partition: str, region: str
) -> None:
    made = account.Region(aws, region)
    vpc = made.vpc()
    made.model("isolated", [made.subnet(vpc)], [made.group(vpc)])
    scan = installed.scan(
        *(aws, tmp_path / "output", "--checks", CHECK, "--region", region),
        AWS_DEFAULT_REGION=region,
    )
    row = scan.findings()[region, "isolated"]
    assert row["STATUS"] == "PASS"
    assert row["PARTITION"] == partition
    assert row["RESOURCE_UID"].startswith(f"arn:{partition}:sagemaker:{region}:")
