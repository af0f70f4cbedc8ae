"""Endpoint configurations for inference components without isolation or a controlled network.

An inference component may name an image and no model. The isolation and the VPC configuration of
its containers then stand in the endpoint configuration. Judged are the configurations that have a
variant without a model, by the rule, the facts and the words of the check for models, whose `lib`
this one shares. The models that other configurations name have findings of their own.
"""

from prowler.lib.check.models import Check, Check_Report_AWS
from prowler.providers.common.provider import Provider

from ..sagemaker_models_network_isolation_enabled.lib.endpoint_configs import list_endpoint_configs
from ..sagemaker_models_network_isolation_enabled.lib.facts import EndpointConfig
from ..sagemaker_models_network_isolation_enabled.lib.findings import findings, reports
from ..sagemaker_models_network_isolation_enabled.lib.listings import sagemaker_service
from ..sagemaker_models_network_isolation_enabled.lib.network import with_networks


class sagemaker_endpoint_configs_network_isolation_enabled(Check):
    """Judge every endpoint configuration for inference components as a model is judged."""

    def execute(self) -> list[Check_Report_AWS]:
        """Report each such configuration, and as MANUAL each region whose list broke off.

        Returns:
            One report a configuration, whose resource is its facts, and one a region whose
            configurations could not all be listed.
        """
        service = sagemaker_service(Provider.get_global_provider())
        listings = list_endpoint_configs(service)
        located = with_networks(service, listings)
        return reports(self.metadata(), findings(service, EndpointConfig, located))
