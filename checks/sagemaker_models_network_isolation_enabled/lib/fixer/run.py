"""One run of the fixer: what the models of a scan share, read once, and what is said of each."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ..configuration import read_broadest_sources, read_egress_setting
from ..facts import Model
from ..listings import from_description
from ..ranges import Broadest
from ..rules import explain_unknown, judge
from .descriptions import (
    Description,
    describe,
    models_of,
    name_of_copy,
    settings_of,
    with_models,
)
from .messages import explain_error, one_line
from .network import (
    advice_on_shared_network,
    choose_network,
    locate,
    notes_on_network,
    vpc_config_of,
)
from .plan import (
    Copy,
    Left,
    Plan,
    ReadModel,
    fleet_of,
    instances_of,
    notes_on_model,
    notes_on_settings,
    obstacle_of_endpoint,
    obstacle_of_models,
)
from .script import write
from .serving import Serving, read_serving
from .settings import VpcConfigs

CHECK = "sagemaker_models_network_isolation_enabled"


@dataclass
class Run:
    """What the models of one scan share; Prowler calls the fixer once for each.

    Attributes:
        provider: Prowler's AWS provider.
        service: The Prowler service whose clients serve it.
        vpc_configs: The setting of the fixer configuration.
        folder: Where the scripts go.
        regions: What was read, by region.
        said: The notes that were said already.
    """

    provider: Any
    service: Any
    vpc_configs: VpcConfigs
    folder: Path
    regions: dict[str, "Region"] = field(default_factory=dict)
    said: set[str] = field(default_factory=set)

    def lines(self, model: str, region: str) -> Iterator[str]:
        """Yield what is to be said of a failing model, and write the scripts of its endpoints.

        Raises:
            ClientError, BotoCoreError: AWS did not tell.
        """
        if region not in self.regions:
            self.regions[region] = Region(self, region)
        for line in self.regions[region].lines(model):
            if line not in self.said or not line.startswith(("Note:", "New network:")):
                self.said.add(line)
                yield line


@dataclass
class Region:
    """What is read of one region.

    Attributes:
        run: The run.
        name: The region.
        models: The models that were read, by name.
        planned: What was planned for endpoints, by name, and where the script is.
    """

    run: Run
    name: str
    models: dict[str, ReadModel] = field(default_factory=dict)
    planned: dict[str, tuple[Plan | Left, Path | None]] = field(default_factory=dict)

    @property
    def account(self) -> str:
        """The AWS account."""
        return str(self.run.service.audited_account)

    @cached_property
    def sagemaker(self) -> Any:
        """Prowler's SageMaker client."""
        return self.run.service.regional_clients[self.name]

    @cached_property
    def ec2(self) -> Any:
        """An EC2 client."""
        return self.run.service.session.client("ec2", region_name=self.name)

    @cached_property
    def serving(self) -> Serving:
        """What serves here."""
        return read_serving(self.sagemaker)

    @cached_property
    def fail_on_egress(self) -> bool:
        """As for the check's own verdict."""
        return read_egress_setting(self.run.service.audit_config)

    @cached_property
    def broadest(self) -> Broadest:
        """As for the check's own verdict."""
        return read_broadest_sources(self.run.service.audit_config)

    def lines(self, name: str) -> Iterator[str]:
        """Yield what is to be said of a failing model: see `Run.lines`."""
        model = self.read(name)
        if model.is_muted:
            yield "The finding is muted by the mutelist, so it is left as it is."
            return
        if advice := advice_on_shared_network(model.verdict):
            yield advice
        endpoints, components = self.serving.endpoints_of(name), self.serving.components_of(name)
        for endpoint in endpoints:
            if endpoint not in self.planned:
                self.planned[endpoint] = self.plan(endpoint)
            plan, path = self.planned[endpoint]
            yield str(plan)
            if isinstance(plan, Plan):
                for _, copy in plan.models:
                    if copy:
                        network = [
                            *copy.vpc_config["Subnets"],
                            *copy.vpc_config["SecurityGroupIds"],
                        ]
                        yield f"New network: {', '.join(network)}"
                yield from plan.notes
                yield f"sh {shlex.quote(str(path))}"
        for component in components:
            yield (
                f"Inference component {component} uses model {name}: update the component by hand."
            )
        if self.serving.unread:
            clauses = explain_unknown(self.serving.unread)
            yield f"Note: what else serves it is not all known: {clauses}."
        if not endpoints and not components and not self.serving.unread:
            yield "Nothing seen serves it: delete it, or state an exception in a mutelist."

    def read(self, name: str) -> ReadModel:
        """Return a model with the check's verdict on it.

        Raises:
            ClientError, BotoCoreError: AWS did not tell.
        """
        if name not in self.models:
            described = describe(self.sagemaker, "model", name)
            arn = described.answer["ModelArn"]
            known = from_description(Model(name, arn, self.name), described.answer)
            facts = locate(self.ec2, known, self.account, self.broadest)
            pages = self.sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn)
            tags = [tag for page in pages for tag in page["Tags"]]
            verdict = judge(facts, self.fail_on_egress)
            self.models[name] = ReadModel(
                described, facts, verdict, tags, self.is_muted(name, tags)
            )
        return self.models[name]

    def is_muted(self, name: str, tags: list[dict[str, str]]) -> bool:
        """Return whether the mutelist mutes a model's finding.

        Prowler's `run_fixer` calls the fixer for it too.
        """
        mutelist = self.run.provider.mutelist
        finding = SimpleNamespace(
            check_metadata=SimpleNamespace(CheckID=CHECK),
            region=self.name,
            resource_id=name,
            resource_tags=tags,
        )
        return bool(mutelist.mutelist and mutelist.is_finding_muted(finding, self.account))

    def plan(self, endpoint: str) -> tuple[Plan | Left, Path | None]:
        """Return the plan for an endpoint, and its script, which is written here."""
        try:
            plan = self.plan_of(endpoint)
            return plan, write(self.run.folder, plan) if isinstance(plan, Plan) else None
        except (ClientError, BotoCoreError) as error:
            return Left(endpoint, f"{explain_error(error, 'what it needs')}."), None
        except OSError as error:
            why = (
                f"it cannot be written ({one_line(error)}). Name a folder with --output-directory."
            )
            return Left(endpoint, why), None

    def plan_of(self, endpoint: str) -> Plan | Left:
        """Return the plan for an endpoint.

        Raises:
            ClientError, BotoCoreError: AWS did not tell.
        """
        described = self.serving.endpoints[endpoint]
        config = self.serving.configs.get(described["EndpointConfigName"])
        if why := obstacle_of_endpoint(described, config):
            return Left(endpoint, why)
        assert config
        models = []
        for name in models_of(config):
            try:
                models.append(self.read(name))
            except (ClientError, BotoCoreError) as error:
                return Left(endpoint, f"{explain_error(error, f'model {name}')}.")
        if why := obstacle_of_models(described, config, models):
            return Left(endpoint, why)
        instances = instances_of(described, config)
        copies: dict[str, Copy] = {}
        notes: list[str] = []
        for model in models:
            if not model.is_to_be_replaced:
                continue
            configured = self.run.vpc_configs.get(self.name)
            network = choose_network(
                self.ec2,
                model.facts,
                self.account,
                configured,
                self.fail_on_egress,
                self.broadest,
            )
            if isinstance(network, str):
                return Left(endpoint, network)
            copies[model.facts.name] = self.copy(model.description, vpc_config_of(network))
            notes += [
                *notes_on_model(model),
                *notes_on_network(self.ec2, network, instances.total()),
            ]
        if not copies:
            return Left(endpoint, "no model of it is to be replaced by the check's own verdict.")
        new_names = {name: copy.name for name, copy in copies.items()}
        for one in (config, *(m.description for m in models if m.facts.name in copies)):
            notes += notes_on_settings(one)
        return Plan(
            self.account,
            self.name,
            endpoint,
            config,
            name_of_copy(
                self.sagemaker,
                "endpoint-config",
                config.name,
                with_models(settings_of(config), new_names),
            ),
            tuple((model.description, copies.get(model.facts.name)) for model in models),
            fleet_of(described, instances),
            tuple(notes),
        )

    def copy(self, model: Description, vpc_config: dict[str, list[str]]) -> Copy:
        """Return the isolated copy of a model, under a name that is free or that it has already."""
        settings = {
            **settings_of(model),
            "EnableNetworkIsolation": True,
            "VpcConfig": {key: sorted(ids) for key, ids in vpc_config.items()},
        }
        return Copy(name_of_copy(self.sagemaker, "model", model.name, settings), vpc_config)
