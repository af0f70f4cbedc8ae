"""The fixer as a user runs it, by the real command lines of Prowler and of AWS.

The blocks of a page are in tests/engine/test_blocks.py; here the shortest of them is run.
"""

from pathlib import Path

import yaml

from ..embedded.account import EVERYWHERE, Region
from ..embedded.fixer_case import Case, variant
from ..embedded.installation import CHECK, Installation
from ..embedded.server import EmbeddedAWS


def test_a_scan_writes_pages_and_an_index_whose_blocks_run(
    aws: EmbeddedAWS, installed: Installation, tmp_path: Path
) -> None:
    region = Region(aws, "ap-southeast-3")
    vpc = region.vpc()
    gateway = region.internet_gateway(vpc)
    table = region.table(vpc, {"DestinationCidrBlock": EVERYWHERE, "GatewayId": gateway})
    private, group = [region.subnet(vpc), region.subnet(vpc, zone="b")], [region.group(vpc)]
    region.model("public", [region.subnet(vpc, table)], group, tags={"team": "risk"})
    region.model("not-isolated", private, group, isolated=False)
    region.model("unserved", private, group, isolated=False)
    case = Case(aws, region, "both", tmp_path / "out", {})
    case.endpoint(variant("one", "public"), variant("two", "not-isolated"))
    network = {"Subnets": private, "SecurityGroupIds": group}
    config = tmp_path / "fixer.yaml"
    config.write_text(yaml.safe_dump({"aws": {CHECK: {"VpcConfig": {region.name: network}}}}))
    arguments = ("--checks", CHECK, "--region", region.name)
    fixer = ("--fixer", "--fixer-config", config, "--no-color")

    aws.calls.clear()
    done = installed.scan(aws, case.output, *arguments, *fixer)
    assert not case.changes()  # of a scan and a page
    assert done.stdout.count(f"both: {case.page()}\n") == 2
    assert "No endpoint is seen to serve it" in done.stdout
    assert "Traceback" not in done.stderr
    index = case.page("index").read_text("utf-8")
    assert index.count(f"[page]({region.name}/both.md)") == 2
    assert f"| {region.name} | unserved | | No endpoint" in index

    page = case.page().read_text("utf-8")
    assert f"{', '.join([*private, *group])}: of the fixer configuration, because" in page
    assert all(f'"ModelName": "{name}-isolated-' in page for name in ("public", "not-isolated"))
    code, said = case.run("Back")
    assert (code, case.serves_by()) == (0, ("InService", "both")), said
    assert not case.changes()
