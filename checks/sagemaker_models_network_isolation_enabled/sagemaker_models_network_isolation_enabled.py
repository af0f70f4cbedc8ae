"""SageMaker models without network isolation, or without a private and controlled network.

Finds models without network isolation, models without a VPC configuration or in public subnets, and
models whose security groups are open to the internet. Cannot know what a NAT gateway, a transit
gateway or a firewall lets through behind a private subnet, nor whether a container needs the
network it is denied. What could not be read is reported MANUAL, never PASS.
"""

from prowler.lib.check.models import Check, Check_Report_AWS
from prowler.providers.common.provider import Provider

from .lib.facts import Model
from .lib.findings import findings, reports
from .lib.listings import sagemaker_service
from .lib.models import list_models
from .lib.network import with_networks


class sagemaker_models_network_isolation_enabled(Check):
    """Judge every SageMaker model by its network isolation and its VPC configuration together."""

    def execute(self) -> list[Check_Report_AWS]:
        """Report each model, and as MANUAL each region whose list of models broke off.

        Returns:
            One report a model, whose resource is the model's facts, and one a region whose models
            could not all be listed.
        """
        service = sagemaker_service(Provider.get_global_provider())
        listings = list_models(service)
        located = with_networks(service, listings)
        return reports(self.metadata(), findings(service, Model, located))
