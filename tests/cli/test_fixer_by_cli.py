"""The fixer as a user runs it: scan, fix, scan, roll back, and scan again, by the real CLIs."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from ..embedded.account import EVERYWHERE, Region
from ..embedded.fixer_case import MOVE, Case, variant
from ..embedded.installation import CHECK, Installation
from ..embedded.server import EmbeddedAWS


@pytest.fixture(scope="module")
def account_to_fix(aws: EmbeddedAWS) -> tuple[Region, dict[str, Any]]:
    """A region with a model in a public subnet and one without isolation, and the settings."""
    region = Region(aws, "ap-southeast-3")
    vpc = region.vpc()
    gateway = region.internet_gateway(vpc)
    table = region.table(vpc, {"DestinationCidrBlock": EVERYWHERE, "GatewayId": gateway})
    private, group = [region.subnet(vpc), region.subnet(vpc)], [region.group(vpc)]
    region.model("public", [region.subnet(vpc, table)], group, tags={"team": "risk"})
    region.model("not-isolated", private, group, isolated=False)
    for name in ("public", "not-isolated"):
        config = {"EndpointConfigName": name, "ProductionVariants": [variant("one", name)]}
        region.sagemaker.create_endpoint_config(**config)
        region.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    network = {"Subnets": private, "SecurityGroupIds": group}
    return region, {**MOVE, "VpcConfig": {region.name: network}}


def test_scan_fix_scan_and_roll_back(
    aws: EmbeddedAWS,
    installed: Installation,
    aws_cli_command: Path,
    account_to_fix: tuple[Region, dict[str, Any]],
    tmp_path: Path,
) -> None:
    served, settings = account_to_fix
    config = tmp_path / "fixer.yaml"
    config.write_text(yaml.safe_dump({"aws": {CHECK: settings}}))
    arguments = ("--checks", CHECK, "--region", served.name)

    fixed = installed.scan(
        aws, tmp_path / "out", *arguments, "--fixer", "--fixer-config", config, "--no-color"
    )
    assert "2 findings fixed!" in fixed.stdout, fixed.stdout
    assert fixed.stderr == ""
    assert not list(fixed.output.glob("*.csv"))  # so Prowler's fixer runs
    rollback = fixed.file("prowler-rollback-123456789012-*.sh")
    assert f"The rollback is in a script: sh {rollback}" in fixed.stdout

    def state() -> dict[str, str]:
        return {
            name: served.sagemaker.describe_endpoint(EndpointName=name)["EndpointConfigName"]
            for name in ("public", "not-isolated")
        }

    assert state() == {name: f"{name}-isolated" for name in state()}
    after = installed.scan(aws, tmp_path / "after", *arguments).findings()
    assert {name: row["STATUS"] for (_, name), row in after.items()} == {
        "public": "FAIL",
        "not-isolated": "FAIL",
        "public-isolated": "PASS",
        "not-isolated-isolated": "PASS",
    }
    assert after[served.name, "public-isolated"]["RESOURCE_TAGS"] == "team=risk"

    code, said = Case(aws, served, "", fixed.output, {}, aws_cli_command).roll_back()
    assert code == 0, said
    assert state() == {name: name for name in state()}
    back = installed.scan(aws, tmp_path / "back", *arguments).findings()
    assert {name: row["STATUS"] for (_, name), row in back.items()} == {
        "public": "FAIL",
        "not-isolated": "FAIL",
    }
