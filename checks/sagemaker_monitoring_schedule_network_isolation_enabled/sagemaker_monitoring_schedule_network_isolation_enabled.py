"""Monitoring schedules whose jobs lack isolation or a controlled network.

A monitoring job reads what an endpoint was asked and what it answered, in a container with a
network of its own: that of its job definition, which is in the schedule or is named by it. Judged
is every schedule, running or not, by the rule, the facts and the words of the check for models,
whose `lib` this one shares. A job definition that no schedule has is not judged.
"""

from prowler.lib.check.models import Check, Check_Report_AWS
from prowler.providers.common.provider import Provider

from ..sagemaker_models_network_isolation_enabled.lib.facts import MonitoringSchedule
from ..sagemaker_models_network_isolation_enabled.lib.findings import findings, reports
from ..sagemaker_models_network_isolation_enabled.lib.listings import sagemaker_service
from ..sagemaker_models_network_isolation_enabled.lib.monitoring_schedules import (
    list_monitoring_schedules,
)
from ..sagemaker_models_network_isolation_enabled.lib.network import with_networks


class sagemaker_monitoring_schedule_network_isolation_enabled(Check):
    """Judge every monitoring schedule as a model is judged."""

    def execute(self) -> list[Check_Report_AWS]:
        """Report each schedule, and as MANUAL each region whose list of schedules broke off.

        Returns:
            One report a schedule, whose resource is its facts, and one a region whose schedules
            could not all be listed.
        """
        service = sagemaker_service(Provider.get_global_provider())
        listings = list_monitoring_schedules(service)
        located = with_networks(service, listings)
        return reports(self.metadata(), findings(service, MonitoringSchedule, located))
