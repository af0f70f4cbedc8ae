"""What docs/ci.md warns of: what Prowler does to Security Hub where something could not be read."""

from ..embedded.account import EVERYWHERE, Region
from ..embedded.installation import CHECK, Installation, access
from ..embedded.server import EmbeddedAWS, on, refuse


def test_what_could_not_be_read_is_archived_as_if_resolved_unless_prowler_is_told_not_to(
    aws: EmbeddedAWS, installed: Installation
) -> None:
    """If this fails, Prowler has changed, and the page and the README are to be."""
    region = Region(aws, "eu-south-2")
    vpc = region.vpc()
    route = {"DestinationCidrBlock": EVERYWHERE, "GatewayId": region.internet_gateway(vpc)}
    region.model("public", [region.subnet(vpc, region.table(vpc, route))], [region.group(vpc)])
    region.model("no-isolation", [region.subnet(vpc)], [region.group(vpc)], isolated=False)
    hub = aws.client("securityhub", region.name)
    hub.enable_security_hub()

    def after_a_scan(*options: str) -> dict[str, tuple[str, str]]:
        """Scan, and return what the hub then has of each model."""
        arguments = ("aws", "--checks", CHECK, "--region", region.name, "--security-hub")
        installed.run(*arguments, *options, **access(aws))
        return {
            finding["Resources"][0]["Id"].rpartition("/")[2]: (
                finding["Compliance"]["Status"],
                finding["RecordState"],
            )
            for finding in hub.get_findings()["Findings"]
        }

    failed = {"public": ("FAILED", "ACTIVE"), "no-isolation": ("FAILED", "ACTIVE")}
    assert after_a_scan() == failed
    with aws.failing(on("DescribeRouteTables", region.name)(refuse)):
        assert after_a_scan("--skip-sh-update") == failed
        assert after_a_scan() == {**failed, "public": ("FAILED", "ARCHIVED")}
