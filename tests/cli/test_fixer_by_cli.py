"""The fixer as a user runs it: scan and plan, apply, scan, roll back, by the real CLIs."""

from pathlib import Path

import yaml

from ..embedded.account import EVERYWHERE, Region
from ..embedded.aws_cli import AWS
from ..embedded.fixer_case import Case, variant
from ..embedded.installation import CHECK, Installation
from ..embedded.server import EmbeddedAWS


def test_scan_plan_apply_scan_and_roll_back(
    aws: EmbeddedAWS, installed: Installation, tmp_path: Path
) -> None:
    region = Region(aws, "ap-southeast-3")
    vpc = region.vpc()
    gateway = region.internet_gateway(vpc)
    table = region.table(vpc, {"DestinationCidrBlock": EVERYWHERE, "GatewayId": gateway})
    private, group = [region.subnet(vpc), region.subnet(vpc, zone="b")], [region.group(vpc)]
    region.model("public", [region.subnet(vpc, table)], group, tags={"team": "risk"})
    region.model("not-isolated", private, group, isolated=False)
    case = Case(aws, region, "public", tmp_path / "out", {}, AWS)
    for name in ("public", "not-isolated"):
        case.endpoint(variant("one", name), name=name)
    network = {"Subnets": private, "SecurityGroupIds": group}
    config = tmp_path / "fixer.yaml"
    config.write_text(yaml.safe_dump({"aws": {CHECK: {"VpcConfig": {region.name: network}}}}))
    arguments = ("--checks", CHECK, "--region", region.name)

    def statuses(folder: str) -> dict[str, str]:
        found = installed.scan(aws, tmp_path / folder, *arguments).findings()
        return {name: row["STATUS"] for (_, name), row in found.items()}

    aws.calls.clear()
    fixer = ("--fixer", "--fixer-config", config, "--no-color")
    planned = installed.scan(aws, case.output, *arguments, *fixer)
    assert not case.changes()  # of a scan and a plan
    assert not list(planned.output.glob("*.csv"))  # with --fixer, Prowler writes none
    assert f"sh {case.script()}\n" in planned.stdout
    assert f"sh {case.script('not-isolated')}\n" in planned.stdout
    assert "Traceback" not in planned.stderr

    before = {"public": "FAIL", "not-isolated": "FAIL"}
    for arguments_of_script, suffix in (
        (("apply", "--all-at-once"), "-isolated"),
        (["rollback"], ""),
    ):
        for name in before:
            code, said = case.run(*arguments_of_script, script=case.script(name))
            assert code == 0, said
            assert case.serves_by(name) == ("InService", name + suffix)
        assert statuses(f"after{suffix}") == before | {
            "public-isolated": "PASS",
            "not-isolated-isolated": "PASS",
        }
