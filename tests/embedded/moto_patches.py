"""moto, patched where it falls short, against botocore's own shapes; here and nowhere else.

In moto 5.2.5 DescribeRegions names a region in which SageMaker fails; models and endpoint
configurations forget most of what they were given, and let a name be used twice; ListModels answers
in one page whatever the number; Search does not know models; UpdateEndpoint, inference components
and monitoring schedules are missing; a job definition has empty members where AWS omits them; a
route to a gateway that was detached stays active; VPC endpoints cannot be filtered by their ids.
"""

import functools
import json
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import botocore.session
import moto.backends
import moto.core.responses
from botocore import xform_name
from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend
from moto.ec2.models.route_tables import Route
from moto.ec2.models.vpcs import VPCEndPoint
from moto.sagemaker import responses
from moto.sagemaker.exceptions import ResourceNotFound, ValidationError
from moto.sagemaker.models import Model, SageMakerModelBackend, sagemaker_backends

SageMaker = responses.SageMakerResponse
# Every call looks through all of moto's folders for the service, and through all of the service's
# operations for the one.
names_of = moto.core.responses.method_names_from_class
moto.core.responses.method_names_from_class = functools.cache(names_of)
services = tuple(moto.backends.list_of_moto_modules())
moto.backends.list_of_moto_modules = lambda: services
sagemaker_backends._additional_regions = [r.name for r in RegionsAndZonesBackend.regions]

SHAPES = botocore.session.get_session().get_service_model("sagemaker")
config_fates: dict[str, str] = {}  # the status that updates to a configuration end with


def patch(owner: Any) -> Callable[[Any], Any]:
    """Put a function in the place of an owner's of the same name, and give it that as `moto`."""

    def put(function: Any) -> Any:
        function.moto = getattr(owner, function.__name__, None)
        setattr(owner, function.__name__, function)
        return function

    return put


def known(shape: str, members: dict[str, Any]) -> dict[str, Any]:
    """Return the members that a shape has."""
    return {k: v for k, v in members.items() if k in SHAPES.shape_for(shape).members}


def as_json(answer: dict[str, Any]) -> str:
    """Return an answer as AWS sends it.

    moto would leave out what botocore does not know, and take 30 ms for a hundred models.
    """
    return json.dumps(answer, default=datetime.timestamp)


def page_of(self: Any, items: Iterable[Any]) -> tuple[list[Any], str | None]:
    """Return the page that a call asks for, ten long unless it says otherwise, and a token."""
    items, start = list(items), int(self._get_param("NextToken") or 0)
    end = start + min(self._get_param("MaxResults") or 10, 100)
    return items[start:end], str(end) if end < len(items) else None


def given(self: Any, things: dict[str, Any], name: str) -> dict[str, Any]:
    """Return what a call gives of a new thing, whose name is not taken."""
    members: dict[str, Any] = json.loads(self.body)
    if members[name] in things:
        raise ValidationError(message=f"Cannot create already existing {name} {members[name]!r}.")
    members.pop("Tags", None)
    return members


# Models.

Model.given = {}  # of those that are made past the API


@patch(SageMaker)
def create_model(self: Any) -> Any:
    models = self.sagemaker_backend._models
    members = given(self, models, "ModelName")
    answer = create_model.moto(self)
    model = models[members["ModelName"]]
    model.enable_network_isolation = bool(members.get("EnableNetworkIsolation"))
    members.pop("VpcConfig", None)  # which may be changed past the API
    model.given = members
    return answer


@patch(SageMaker)
def describe_model(self: Any) -> Any:
    described = describe_model.moto(self).result
    model = self.sagemaker_backend._models[self._get_param("ModelName")]
    about = {"EnableNetworkIsolation": model.enable_network_isolation}
    return as_json({**known("DescribeModelOutput", described), **model.given, **about})


@patch(SageMaker)
def list_models(self: Any) -> Any:
    part = self._get_param("NameContains") or ""
    models = [m for m in self.sagemaker_backend._models.values() if part in m.model_name]
    models.sort(key=lambda model: model.creation_time, reverse=True)
    found, token = page_of(self, models)
    return ActionResult({"Models": [m.response_object for m in found], "NextToken": token})


@patch(SageMaker)
def search(self: Any) -> Any:
    if self._get_param("Resource") != "Model":
        return search.moto(self)
    found, token = page_of(self, self.sagemaker_backend._models.values())
    serving: dict[str, list[dict[str, Any]]] = {}
    for endpoint in self.sagemaker_backend.endpoints.values():
        about = known("ModelDashboardEndpoint", endpoint.response_object)
        config = self.sagemaker_backend.endpoint_configs[endpoint.endpoint_config_name]
        for variant in config.given["ProductionVariants"]:
            serving.setdefault(variant.get("ModelName"), []).append(about)
    records = [
        {"Model": {**m.response_object, "Tags": m.tags}, "Endpoints": serving.get(m.model_name, [])}
        for m in found
    ]
    return as_json({"Results": [{"Model": record} for record in records], "NextToken": token})


# Endpoint configurations and endpoints.


@patch(SageMakerModelBackend)
def validate_production_variants(self: Any, variants: list[dict[str, Any]]) -> None:
    """Let a variant name no model, as one for inference components does."""
    named = [variant for variant in variants if "ModelName" in variant]
    validate_production_variants.moto(self, named)


@patch(SageMaker)
def create_endpoint_config(self: Any) -> Any:
    configs = self.sagemaker_backend.endpoint_configs
    members = given(self, configs, "EndpointConfigName")
    answer = create_endpoint_config.moto(self)
    configs[members["EndpointConfigName"]].given = members
    return answer


@patch(SageMaker)
def describe_endpoint_config(self: Any) -> Any:
    # moto's answer is an error for a configuration that there is not.
    described = describe_endpoint_config.moto(self).result
    config = self.sagemaker_backend.endpoint_configs[self._get_param("EndpointConfigName")]
    about = {key: described[key] for key in ("EndpointConfigArn", "CreationTime")}
    return as_json({"EnableNetworkIsolation": False, **config.given, **about})


@patch(SageMaker)
def update_endpoint(self: Any) -> Any:
    endpoint = self.sagemaker_backend.endpoints[self._get_param("EndpointName")]
    new = self.sagemaker_backend.endpoint_configs[self._get_param("EndpointConfigName")]
    endpoint.endpoint_status = "Updating"
    endpoint.pending_deployment_summary = {"EndpointConfigName": new.endpoint_config_name}
    endpoint.failure_reason = None
    endpoint.last_modified_time = utcnow()
    config = self._get_param("DeploymentConfig")
    if config or not self._get_param("RetainDeploymentConfig"):
        endpoint.last_deployment_config = config
    if not self._get_param("RetainAllVariantProperties"):
        endpoint.production_variants = endpoint._process_production_variants(
            new.production_variants
        )
    return ActionResult({"EndpointArn": endpoint.arn})


@patch(SageMaker)
def describe_endpoint(self: Any) -> Any:
    endpoint = self.sagemaker_backend.endpoints.get(self._get_param("EndpointName"))
    pending = getattr(endpoint, "pending_deployment_summary", None)
    if pending and not getattr(endpoint, "is_held", False):
        endpoint.pending_deployment_summary = None
        endpoint.endpoint_status = config_fates.get(pending["EndpointConfigName"], "InService")
        if pending["EndpointConfigName"] in config_fates:
            endpoint.failure_reason = "The container did not pass the ping health check."
        else:
            endpoint.endpoint_config_name = pending["EndpointConfigName"]
    described = describe_endpoint.moto(self)
    if last := getattr(endpoint, "last_deployment_config", None):
        described.result["LastDeploymentConfig"] = last
    return described


# What moto does not have: inference components and monitoring schedules.


class Kept(dict[str, Any]):
    """A thing of a kind that moto does not have: what describes it, and its tags."""

    tags: list[dict[str, str]]


def things(backend: Any, kind: str) -> dict[str, Kept]:
    """Return the things of a kind such as "MonitoringSchedule" in a region by name."""
    made: dict[str, Kept] = vars(backend).setdefault(kind, {})
    return made


def thing(self: Any, kind: str) -> Kept:
    """Return the thing that a call names."""
    found = things(self.sagemaker_backend, kind).get(self._get_param(f"{kind}Name"))
    if found is None:
        raise ResourceNotFound(message=f"Could not find the {kind}.")
    return found


def keep(kind: str, arn_kind: str, status: str, summaries: str) -> None:
    """Have SageMaker create, describe, list and delete things of a kind."""

    def create(self: Any) -> Any:
        made = things(self.sagemaker_backend, kind)
        kept = Kept(given(self, made, f"{kind}Name"))
        arn = f"arn:aws:sagemaker:{self.region}:{self.current_account}:{arn_kind}"
        kept |= {f"{kind}Arn": f"{arn}/{kept[f'{kind}Name']}", f"{kind}Status": status}
        kept |= {"CreationTime": time.time(), "LastModifiedTime": time.time()}
        kept.tags = self._get_param("Tags") or []
        made[kept[f"{kind}Name"]] = kept
        return ActionResult(kept)

    def describe(self: Any) -> Any:
        return ActionResult(dict(thing(self, kind)))

    def list_(self: Any) -> Any:
        part = self._get_param("NameContains") or ""
        made = things(self.sagemaker_backend, kind)
        found, token = page_of(self, (kept for name, kept in made.items() if part in name))
        listed = [{**kept, **kept.get(f"{kind}Config", {})} for kept in found]
        shape = f"{kind}Summary"
        return ActionResult({summaries: [known(shape, o) for o in listed], "NextToken": token})

    def delete(self: Any) -> Any:
        del things(self.sagemaker_backend, kind)[thing(self, kind)[f"{kind}Name"]]
        return ActionResult({})

    name = xform_name(kind)
    for verb, function in (("create", create), ("describe", describe), ("delete", delete)):
        setattr(SageMaker, f"{verb}_{name}", function)
    setattr(SageMaker, f"list_{name}s", list_)


keep("InferenceComponent", "inference-component", "InService", "InferenceComponents")
keep("MonitoringSchedule", "monitoring-schedule", "Scheduled", "MonitoringScheduleSummaries")


@patch(SageMaker)
def create_monitoring_schedule(self: Any) -> Any:
    answer = create_monitoring_schedule.moto(self)
    update_monitoring_schedule(self)
    return answer


@patch(SageMaker)
def update_monitoring_schedule(self: Any) -> Any:
    """Give a schedule a configuration, and have it know what this or its job definition says."""
    schedule = thing(self, "MonitoringSchedule")
    config = self._get_param("MonitoringScheduleConfig")
    kind = config.get("MonitoringType", "DataQuality")
    if definition := config.get("MonitoringJobDefinition"):
        (monitored,) = definition["MonitoringInputs"]
    else:
        made = getattr(self.sagemaker_backend, f"{xform_name(kind)}_job_definitions")
        definition = made[config["MonitoringJobDefinitionName"]]
        monitored = getattr(definition, f"{xform_name(kind)}_job_input")
    schedule |= {"MonitoringScheduleConfig": config, "MonitoringType": kind}
    schedule["EndpointName"] = monitored["EndpointInput"]["EndpointName"]
    return ActionResult(dict(schedule))


@patch(SageMaker)
def stop_monitoring_schedule(self: Any) -> Any:
    thing(self, "MonitoringSchedule")["MonitoringScheduleStatus"] = "Stopped"
    return ActionResult({})


@patch(SageMakerModelBackend)
def _get_resource_from_arn(self: Any, arn: str) -> Any:
    kind, name = arn.rpartition(":")[2].split("/")
    if kind == "monitoring-schedule":
        return things(self, "MonitoringSchedule")[name]
    return _get_resource_from_arn.moto(self, arn)


def without_empty_members(moto_answer: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return moto's description of a job definition without what AWS would omit."""
    return lambda self: ActionResult({k: v for k, v in moto_answer(self).result.items() if v})


for definition in ("data_quality", "model_quality", "model_bias", "model_explainability"):
    describe = f"describe_{definition}_job_definition"
    setattr(SageMaker, describe, without_empty_members(getattr(SageMaker, describe)))


# EC2.


def state(route: Any) -> str:
    detached = getattr(route.gateway, "vpc", route) is None
    return "blackhole" if detached else "active"


Route.state = property(state)


@patch(VPCEndPoint)
def get_filter_value(self: Any, filter_name: str, method_name: str | None = None) -> Any:
    if filter_name == "vpc-endpoint-id":
        return self.id
    return get_filter_value.moto(self, filter_name, method_name)
