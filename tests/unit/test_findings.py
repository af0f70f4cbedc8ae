"""Prowler's reports of findings, which are copies of one, and what becomes of lists."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from prowler.lib.check.models import Check_Report_AWS, CheckMetadata, Severity

from checks.sagemaker_models_network_isolation_enabled.lib.facts import (
    EndpointConfig,
    Listing,
    Model,
    Unread,
)
from checks.sagemaker_models_network_isolation_enabled.lib.findings import findings, reports

from ..embedded.installation import CHECK, METADATA
from .test_rules import model

TAGS = ({"Key": "team", "Value": "risk"},)
FAILING = replace(model("public"), name="one", arn="arn:1", tags=TAGS)
ACCOUNT = {"name": "123456789012", "arn": "arn:aws:iam::123456789012:root", "region": "us-east-1"}
LISTED = [Listing("eu-west-1", (FAILING, Model("two", "arn:2", "eu-west-1")), 1)]
NOTHING: list[Listing[Model]] = [Listing("eu-west-1", (), 1), Listing("us-east-1", (), 1)]


def service(resources: list[str] | None = None, **config: str) -> Any:
    return SimpleNamespace(
        audit_config=config,
        audit_resources=resources or [],
        audited_account=ACCOUNT["name"],
        audited_account_arn=ACCOUNT["arn"],
        region=ACCOUNT["region"],
        get_unknown_arn=lambda resource_type, region: f"arn:{region}:{resource_type}",
    )


@pytest.fixture(scope="module")
def metadata() -> str:
    return str(CheckMetadata.parse_file(METADATA).json())


def test_a_report_is_what_prowler_makes_of_the_evidence(metadata: str) -> None:
    found = list(findings(service(), Model, LISTED))
    for report, finding in zip(reports(metadata, found), found, strict=True):
        prowlers = Check_Report_AWS(metadata=metadata, resource=finding.resource)
        prowlers.resource = report.resource
        prowlers.resource_tags = list(getattr(finding.resource, "tags", ()))
        prowlers.status, prowlers.status_extended = finding.verdict.status, finding.text
        assert type(report) is type(prowlers)
        assert vars(report) == vars(prowlers)
        assert report.check_metadata.CheckID == CHECK


def test_the_evidence_holds_facts_and_verdict_and_nothing_empty_of_a_part(metadata: str) -> None:
    failing, unknown = (r.resource for r in reports(metadata, findings(service(), Model, LISTED)))
    route = {"destination": "0.0.0.0/0", "gateway": "igw-1"}
    subnet = {"id": "subnet-2", "vpc_id": "vpc-1", "route_table_id": "rtb-2"}
    assert failing["subnets"] == [{**subnet, "internet_routes": [route]}]
    assert failing["security_groups"] == [{"id": "sg-1", "vpc_id": "vpc-1"}]
    (violation,) = failing["violations"]
    assert list(violation.items()) == [
        *(("rule", "public-subnet"), ("thing", "route table rtb-2")),
        *(("detail", "sends 0.0.0.0/0 to igw-1"), ("effect", "subnet subnet-2 is public")),
    ]
    assert failing["unknown"] == failing["notes"] == unknown["violations"] == []
    assert failing["network_isolation"] is True
    assert unknown["network_isolation"] is None
    assert [one["what"] for one in unknown["unknown"]] == ["EnableNetworkIsolation and VpcConfig"]
    assert "unread" not in failing


def test_what_one_report_is_given_is_not_given_to_others(metadata: str) -> None:
    first, second = reports(metadata, findings(service(), Model, LISTED))
    before = second.check_metadata.Severity
    first.check_metadata.Severity = Severity.informational
    first.resource["name"] = "other"
    first.muted = True
    assert before is second.check_metadata.Severity is not Severity.informational
    assert (second.resource["name"], second.muted) == ("two", False)


def test_nothing_to_judge_is_a_finding_of_the_account(metadata: str) -> None:
    (report,) = reports(metadata, findings(service(), Model, NOTHING))
    text = "No SageMaker model exists in the 2 regions that were scanned."
    assert (report.status, report.status_extended) == ("PASS", text)
    verdict: dict[str, Any] = {"violations": [], "unknown": [], "notes": []}
    assert report.resource == {**ACCOUNT, "regions": ["eu-west-1", "us-east-1"], **verdict}
    assert report.resource_id == ACCOUNT["name"]
    (one,) = findings(service(), EndpointConfig, NOTHING[:1])
    assert one.text == (
        "No SageMaker endpoint configuration for inference components exists in eu-west-1, the "
        "only region that was scanned."
    )
    assert one.resource.region == "eu-west-1"  # and not one that was not scanned


REFUSED = Unread("the list of models", "AccessDenied", "sagemaker:ListModels", "allow it")
NO_FINDING_OF_THE_ACCOUNT: dict[str, tuple[list[Listing[Model]], list[str], list[str]]] = {
    "a list broke off": ([*NOTHING, Listing("us-west-1", (), 0, REFUSED)], [], ["MANUAL"]),
    "something was judged": ([*NOTHING, *LISTED], [], ["FAIL", "MANUAL"]),
    "the scan is limited to some resources": (NOTHING, ["arn:aws:s3:::bucket"], []),
    "no region was scanned": ([], [], []),
}


@pytest.mark.parametrize("where", NO_FINDING_OF_THE_ACCOUNT)
def test_no_finding_of_the_account_where(where: str) -> None:
    listings, resources, expected = NO_FINDING_OF_THE_ACCOUNT[where]
    found = findings(service(resources), Model, listings)
    assert [finding.verdict.status for finding in found] == expected


@pytest.mark.parametrize(
    ("use", "severity"),
    [
        ({}, "low"),
        ({"endpoints": None}, None),
        ({"other_uses": ("batch transform job job",)}, None),
        ({"other_uses": None}, None),
    ],
    ids=str,
)
def test_the_severity_is_lower_only_where_nothing_is_seen_to_use_it(
    use: dict[str, Any], severity: str | None
) -> None:
    unused = replace(FAILING, endpoints=(), other_uses=())
    listing = Listing("eu-west-1", (replace(unused, **use),), 1)
    (found,) = findings(service(sagemaker_models_severity_if_unused="low"), Model, [listing])
    assert found.severity == severity
