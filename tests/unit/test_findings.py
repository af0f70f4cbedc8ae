"""Prowler's reports of findings, which are copies of one."""

import pytest
from prowler.lib.check.models import Check_Report_AWS, CheckMetadata, Severity

from checks.sagemaker_models_network_isolation_enabled.lib.facts import Model, Route, Subnet
from checks.sagemaker_models_network_isolation_enabled.lib.findings import Finding, reports

from ..embedded.installation import CHECK, ROOT

PUBLIC = Subnet("subnet-1", "vpc-1", "rtb-1", (Route("0.0.0.0/0", "igw-1"),))
TAGS = ({"Key": "team", "Value": "risk"},)
FOUND: list[Finding] = [
    Finding(
        Model("one", "arn:1", "eu-west-1", None, True, True, (PUBLIC,), tags=TAGS), "FAIL", "Fails."
    ),
    Finding(Model("two", "arn:2", "eu-west-2"), "MANUAL", "Could not be judged."),
]


@pytest.fixture(scope="module")
def metadata() -> str:
    folder = ROOT / "checks" / CHECK
    return str(CheckMetadata.parse_file(folder / f"{CHECK}.metadata.json").json())


def test_a_report_is_what_prowler_makes_of_the_facts(metadata: str) -> None:
    made = reports(metadata, FOUND)
    assert len(made) == len(FOUND)
    for report, found in zip(made, FOUND, strict=True):
        facts, status, text = found.resource, found.status, found.text
        prowlers = Check_Report_AWS(metadata=metadata, resource=facts)
        prowlers.resource_tags = list(facts.tags)
        prowlers.status, prowlers.status_extended = status, text
        assert type(report) is type(prowlers)
        assert vars(report) == vars(prowlers)


def test_what_one_report_is_given_is_not_given_to_others(metadata: str) -> None:
    first, second = reports(metadata, FOUND)
    before = second.check_metadata.Severity
    first.check_metadata.Severity = Severity.informational
    first.resource["name"] = "other"
    first.muted = True
    assert before is second.check_metadata.Severity is not Severity.informational
    assert second.resource["name"] == "two"
    assert second.muted is False


def test_no_findings_are_no_reports(metadata: str) -> None:
    assert reports(metadata, []) == []
