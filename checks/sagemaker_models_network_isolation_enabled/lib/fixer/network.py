"""The check's verdict on a model, and the network of its copy by that verdict."""

from typing import Any

from ..answers import why_unread
from ..configuration import read_broadest_sources, read_egress_setting
from ..facts import Model
from ..findings import explain_clause, explain_unknowns
from ..listings import are_ids, from_description
from ..network import group_ids_of, read_network, with_network
from ..verdict import judge

CHECK = "sagemaker_models_network_isolation_enabled"
SETTING = f"aws.{CHECK}.VpcConfig"  # in the file of `--fixer-config`; a VpcConfig for each region


class NoPageError(Exception):
    """There is no page for an endpoint; the message is a clause that says why, and what to do."""


def explain_error(error: Exception, what: str) -> str:
    """Return why something could not be read from AWS, and what to do, as a clause."""
    permission = f"sagemaker:{getattr(error, 'operation_name', '*')}"
    return "; ".join(explain_unknowns([why_unread(error, what, permission)]))


class Networks:
    """The networks of one region.

    Args:
        service: The Prowler service.
        region: The region.
        settings: What stands below `aws` in the fixer configuration.
    """

    def __init__(self, service: Any, region: str, settings: dict[str, Any]) -> None:
        self._service, self._region, self._settings = service, region, settings
        self._ec2 = service.session.client("ec2", region_name=region)

    def judge(self, answer: dict[str, Any]) -> tuple[str, str]:
        """Return the verdict on a model: its status, and its violations and unknowns in words.

        Args:
            answer: What DescribeModel answers, or would answer.
        """
        listed = Model(answer["ModelName"], answer["ModelArn"], self._region)
        model = from_description(listed, answer)
        account, config = self._service.audited_account, self._service.audit_config
        ids, broadest = [subnet.id for subnet in model.subnets], read_broadest_sources(config)
        facts = read_network(self._ec2, ids, [group_ids_of(model)], account, broadest)
        verdict = judge(with_network(model, *facts), read_egress_setting(config))
        faults = [*map(explain_clause, verdict.violations), *explain_unknowns(verdict.unknowns)]
        return verdict.status, "; ".join(faults)

    def choose(self, answer: dict[str, Any]) -> tuple[dict[str, list[str]], str]:
        """Return the VpcConfig of a failing model's copy, and why it is to have that one.

        It is the model's own if that is sound, else the one of the fixer configuration.

        Args:
            answer: What DescribeModel answers.

        Raises:
            NoPageError: Neither is sound.
        """
        isolated = {**answer, "EnableNetworkIsolation": True}
        status, faults = self.judge(isolated)
        if status == "PASS":
            return answer["VpcConfig"], "its own, which is private and controlled"
        config: Any = self._settings
        for key in (CHECK, "VpcConfig", self._region):
            config = config.get(key) if isinstance(config, dict) else config
        setting = f"{SETTING}.{self._region} in the fixer configuration"
        if config is None:
            raise NoPageError(
                f"its copy needs a VPC configuration that is private and controlled, and {faults}. "
                f"Name subnets and security groups as {setting}."
            )
        wanted = {"Subnets": "subnet-", "SecurityGroupIds": "sg-"}
        if not isinstance(config, dict) or not all(
            are_ids(config.get(k), wanted[k]) for k in wanted
        ):
            raise NoPageError(f"{setting} must have Subnets and SecurityGroupIds with their ids.")
        status, others = self.judge({**isolated, "VpcConfig": config})
        if status != "PASS":
            raise NoPageError(f"{setting} is not private and controlled: {others}. Choose others.")
        return config, f"of the fixer configuration, because with its own {faults}"
