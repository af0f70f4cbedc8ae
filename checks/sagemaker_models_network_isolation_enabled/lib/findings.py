"""Findings out of facts: the verdict on each of them, in Prowler's reports."""

from collections.abc import Iterable, Iterator
from typing import Any

from prowler.lib.check.models import Check_Report_AWS

from .configuration import read_egress_setting
from .facts import Hosted
from .inventory import Listing
from .verdict import explain, explain_unknowns, judge

Finding = tuple[Hosted, str, str]  # the facts, the status, and the text


def findings(
    service: Any, fact: type[Hosted], listings: Iterable[Listing[Any]]
) -> Iterator[Finding]:
    """Yield a finding for each item, and a MANUAL one for each region whose list broke off.

    Args:
        service: What `sagemaker_service` gave.
        fact: `Model` or `EndpointConfig`.
        listings: What was read, by region.
    """
    fail_on_unrestricted_egress = read_egress_setting(service.audit_config)
    for listing in listings:
        if listing.unread:
            resource_type = fact.WORDS.replace("endpoint configuration", "endpoint-config")
            arn = service.get_unknown_arn(resource_type=resource_type, region=listing.region)
            unknown = fact(
                f"{resource_type}/unknown", arn, listing.region, unread=(listing.unread,)
            )
            reason = "; ".join(explain_unknowns(unknown.unread))
            whole = f"{fact.WORDS}s of region {listing.region} could not all be judged: {reason}"
            yield unknown, "MANUAL", f"SageMaker {whole}."
        for item in listing.items:
            verdict = judge(item, fail_on_unrestricted_egress)
            yield item, verdict.status, explain(item, verdict)


def reports(metadata: str, found: Iterable[Finding]) -> list[Check_Report_AWS]:
    """Return Prowler's reports for findings.

    Args:
        metadata: The check's metadata in JSON, as Prowler's `Check.metadata` gives it.
        found: What `findings` gave.

    Returns:
        One report a finding, whose resource is the facts.
    """
    made: list[Check_Report_AWS] = []
    for item, status, text in found:
        report = Check_Report_AWS(metadata=metadata, resource=item)
        report.resource_tags = list(item.tags)
        report.status = status
        report.status_extended = text
        if made:
            # Prowler parses the metadata anew for each report; one copy serves them all.
            report.check_metadata = made[0].check_metadata
        made.append(report)
    return made
