"""SageMaker models without network isolation, or without a private and controlled network.

Finds models without network isolation, models without a VPC configuration or in public subnets, and
models whose security groups are open to the internet. Cannot know what a NAT gateway, a transit
gateway or a firewall lets through behind a private subnet, nor whether a container needs the
network it is denied. What could not be read is reported MANUAL, never PASS.
"""

from prowler.lib.check.models import Check, Check_Report_AWS
from prowler.providers.common.provider import Provider

from .lib.configuration import read_egress_setting
from .lib.facts import Model
from .lib.models import read_regions, sagemaker_service
from .lib.verdict import explain, explain_unknowns, judge


class sagemaker_models_network_isolation_enabled(Check):
    """Judge every SageMaker model by its network isolation and its VPC configuration together."""

    def execute(self) -> list[Check_Report_AWS]:
        """Report each model, and as MANUAL each region whose list of models broke off.

        Returns:
            One report a model, whose resource is the model's facts, and one a region whose models
            could not all be listed.
        """
        service = sagemaker_service(Provider.get_global_provider(), self.CheckID)
        fail_on_unrestricted_egress = read_egress_setting(service.audit_config)
        findings = []
        for listing in read_regions(service):
            if listing.unread:
                arn = service.get_unknown_arn(resource_type="model", region=listing.region)
                unknown = Model("model/unknown", arn, listing.region, unread=(listing.unread,))
                reason = "; ".join(explain_unknowns(unknown.unread))
                text = f"SageMaker models of region {listing.region} could not all be judged: "
                findings.append((unknown, "MANUAL", f"{text}{reason}."))
            for model in listing.models:
                verdict = judge(model, fail_on_unrestricted_egress)
                findings.append((model, verdict.status, explain(model, verdict)))
        return self.reports(findings)

    def reports(self, findings: list[tuple[Model, str, str]]) -> list[Check_Report_AWS]:
        """Return Prowler's reports for findings.

        Args:
            findings: For each a model, the status and the text.
        """
        metadata = self.metadata()
        reports: list[Check_Report_AWS] = []
        for model, status, text in findings:
            report = Check_Report_AWS(metadata=metadata, resource=model)
            report.resource_tags = list(model.tags)
            report.status = status
            report.status_extended = text
            if reports:
                # Prowler parses the metadata anew for each report; one copy serves them all.
                report.check_metadata = reports[0].check_metadata
            reports.append(report)
        return reports
