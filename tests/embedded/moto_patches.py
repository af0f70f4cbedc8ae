"""moto, patched where it falls short, against botocore's own shapes; here and nowhere else.

In moto 5.2.5 DescribeRegions names a region in which SageMaker fails, CreateModel forgets
EnableNetworkIsolation and lets a name be used twice, ListModels answers in one page whatever the
number, Search does not know models, a route to a gateway that was detached stays active, a prefix
list that does not exist is an empty one, endpoint configurations forget most of their members,
UpdateEndpoint is missing, there are no inference components and no monitoring schedules, and a job
definition has empty members where AWS omits them, and VPC endpoints cannot be filtered by their
ids. Security Hub does not know whose findings it takes.
"""

import functools
import json
import time
from collections.abc import Callable
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import botocore.session
import moto.backends
import moto.core.responses
from botocore import xform_name
from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend
from moto.ec2.models.route_tables import Route
from moto.ec2.models.vpcs import VPCEndPoint
from moto.ec2.responses.vpcs import VPCs
from moto.sagemaker import responses
from moto.sagemaker.exceptions import ResourceNotFound, ValidationError
from moto.sagemaker.models import Model, SageMakerModelBackend, sagemaker_backends
from moto.securityhub.responses import SecurityHubResponse
from moto.securityhub.urls import url_paths as securityhub_paths

SageMaker = responses.SageMakerResponse
# Every call looks through all of moto's folders for the service, and through all of the service's
# operations for the one.
names_of = moto.core.responses.method_names_from_class
moto.core.responses.method_names_from_class = functools.cache(names_of)
services = tuple(moto.backends.list_of_moto_modules())
moto.backends.list_of_moto_modules = lambda: services
sagemaker_backends._additional_regions = [r.name for r in RegionsAndZonesBackend.regions]


def patch(moto_answer: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Put a function in the place of moto's of the same name."""
    setattr(SageMaker, moto_answer.__name__, moto_answer)
    return moto_answer


moto_create_model = SageMaker.create_model
moto_describe_model = SageMaker.describe_model
moto_search = SageMaker.search
moto_create_endpoint_config = SageMaker.create_endpoint_config
moto_describe_endpoint_config = SageMaker.describe_endpoint_config
moto_describe_endpoint = SageMaker.describe_endpoint


Model.given = {}  # of those that are made past the API


@patch
def create_model(self: Any) -> Any:
    name = self._get_param("ModelName")
    if name in self.sagemaker_backend._models:
        arn = self.sagemaker_backend._models[name].response_object["ModelArn"]
        raise ValidationError(message=f'Cannot create already existing model "{arn}".')
    answer = moto_create_model(self)
    model = self.sagemaker_backend._models[name]
    model.enable_network_isolation = bool(self._get_param("EnableNetworkIsolation"))
    model.given = {k: v for k, v in json.loads(self.body).items() if k not in ("Tags", "VpcConfig")}
    return answer


@patch
def describe_model(self: Any) -> Any:
    """Tell of all that was given, what botocore does not know too."""
    described = moto_describe_model(self).result
    model = self.sagemaker_backend._models[self._get_param("ModelName")]
    about = {"EnableNetworkIsolation": model.enable_network_isolation}
    known = {key: value for key, value in described.items() if key in MODEL.members}
    return as_json({**known, **model.given, **about})


@patch
def list_models(self: Any) -> Any:
    newest_first = sorted(
        self.sagemaker_backend._models.values(), key=lambda m: m.creation_time, reverse=True
    )
    part = self._get_param("NameContains") or ""
    newest_first = [model for model in newest_first if part in model.model_name]
    models, token = page_of(
        newest_first, self._get_param("NextToken"), self._get_param("MaxResults")
    )
    return ActionResult({"Models": [m.response_object for m in models], "NextToken": token})


@patch
def search(self: Any) -> Any:
    if self._get_param("Resource") == "Endpoint":
        return search_endpoints(self)
    if self._get_param("Resource") != "Model":
        return moto_search(self)
    all_models = list(self.sagemaker_backend._models.values())
    models, token = page_of(all_models, self._get_param("NextToken"), self._get_param("MaxResults"))
    serving: dict[str, list[dict[str, Any]]] = {}
    for endpoint in self.sagemaker_backend.endpoints.values():
        about = endpoint.response_object
        about = {name: about[name] for name in DASHBOARD_ENDPOINT.members}
        config = self.sagemaker_backend.endpoint_configs[endpoint.endpoint_config_name]
        for variant in config.given["ProductionVariants"]:
            serving.setdefault(variant.get("ModelName"), []).append(about)
    records = [
        {
            "Model": {
                "Model": {**m.response_object, "Tags": m.tags},
                "Endpoints": serving.get(m.model_name, []),
            }
        }
        for m in models
    ]
    # moto takes 30 ms to serialize a hundred of them by their shapes.
    return as_json({"Results": records, "NextToken": token})


def as_json(answer: dict[str, Any]) -> str:
    """Return an answer as AWS sends it; moto would leave out what botocore does not know."""
    return json.dumps(answer, default=datetime.timestamp)


def search_endpoints(self: Any) -> Any:
    all_endpoints = list(self.sagemaker_backend.endpoints.values())
    found, token = page_of(
        all_endpoints, self._get_param("NextToken"), self._get_param("MaxResults")
    )
    records = [
        {"Endpoint": {k: v for k, v in e.response_object.items() if k in ENDPOINT.members}}
        for e in found
    ]
    return ActionResult({"Results": records, "NextToken": token})


config_fates: dict[str, str] = {}  # the status that updates to a configuration end with
SHAPES = botocore.session.get_session().get_service_model("sagemaker")
ENDPOINT = SHAPES.shape_for("Endpoint")
MODEL = SHAPES.operation_model("DescribeModel").output_shape
DASHBOARD_ENDPOINT = SHAPES.shape_for("ModelDashboardEndpoint")


def validate_production_variants(self: Any, variants: list[dict[str, Any]]) -> None:
    """Let a variant name no model, as one for inference components does."""
    moto_validate_variants(self, [variant for variant in variants if "ModelName" in variant])


moto_validate_variants = SageMakerModelBackend.validate_production_variants
SageMakerModelBackend.validate_production_variants = validate_production_variants


@patch
def create_endpoint_config(self: Any) -> Any:
    given = {key: value for key, value in json.loads(self.body).items() if key != "Tags"}
    backend = self.sagemaker_backend
    if given["EndpointConfigName"] in backend.endpoint_configs:
        arn = backend.endpoint_configs[given["EndpointConfigName"]].endpoint_config_arn
        words = "Cannot create already existing endpoint configuration"
        raise ValidationError(message=f'{words} "{arn}".')
    for variant in (*given["ProductionVariants"], *given.get("ShadowProductionVariants", ())):
        model = backend._models.get(variant.get("ModelName"))
        if model and "ServerlessConfig" in variant and model.enable_network_isolation:
            raise ValidationError(message="Network isolation is not supported for serverless.")
    answer = moto_create_endpoint_config(self)
    backend.endpoint_configs[given["EndpointConfigName"]].given = given
    return answer


@patch
def describe_endpoint_config(self: Any) -> Any:
    # moto's answer is an error for a configuration that there is not.
    described = moto_describe_endpoint_config(self).result
    config = self.sagemaker_backend.endpoint_configs[self._get_param("EndpointConfigName")]
    about = {key: described[key] for key in ("EndpointConfigArn", "CreationTime")}
    return as_json({"EnableNetworkIsolation": False, **config.given, **about})


@patch
def update_endpoint(self: Any) -> Any:
    backend = self.sagemaker_backend
    name, config_name = self._get_param("EndpointName"), self._get_param("EndpointConfigName")
    endpoint = backend.endpoints.get(name)
    if endpoint is None or config_name not in backend.endpoint_configs:
        raise ValidationError(message="Could not find the endpoint or its configuration.")
    if endpoint.endpoint_status not in ("InService", "UpdateRollbackFailed"):
        raise ValidationError(message=f"Cannot update in-progress endpoint {endpoint.arn!r}.")
    for variant in backend.endpoint_configs[config_name].given["ProductionVariants"]:
        if variant.get("ModelName") not in (None, *backend._models):
            raise ValidationError(message=f"Could not find model {variant['ModelName']!r}.")
    endpoint.endpoint_status = "Updating"
    endpoint.pending_deployment_summary = {"EndpointConfigName": config_name}
    endpoint.failure_reason = None
    endpoint.last_modified_time = utcnow()
    config = self._get_param("DeploymentConfig")
    if config or not self._get_param("RetainDeploymentConfig"):
        endpoint.last_deployment_config = config
    if not self._get_param("RetainAllVariantProperties"):
        new = backend.endpoint_configs[config_name].production_variants
        endpoint.production_variants = endpoint._process_production_variants(new)
    return ActionResult({"EndpointArn": endpoint.arn})


@patch
def describe_endpoint(self: Any) -> Any:
    backend = self.sagemaker_backend
    endpoint = backend.endpoints.get(self._get_param("EndpointName"))
    pending = getattr(endpoint, "pending_deployment_summary", None)
    if pending and not getattr(endpoint, "is_held", False):
        endpoint.pending_deployment_summary = None
        endpoint.endpoint_status = config_fates.get(pending["EndpointConfigName"], "InService")
        if pending["EndpointConfigName"] in config_fates:
            endpoint.failure_reason = "The container did not pass the ping health check."
        else:
            endpoint.endpoint_config_name = pending["EndpointConfigName"]
    described = moto_describe_endpoint(self)
    if last := getattr(endpoint, "last_deployment_config", None):
        described.result["LastDeploymentConfig"] = last
    return described


@patch
def list_endpoint_configs(self: Any) -> Any:
    part = self._get_param("NameContains") or ""
    configs = [
        config for name, config in self.sagemaker_backend.endpoint_configs.items() if part in name
    ]
    found, token = page_of(configs, self._get_param("NextToken"), self._get_param("MaxResults"))
    return ActionResult({"EndpointConfigs": [c.summary() for c in found], "NextToken": token})


# Inference components, which moto does not have: they are made, listed and described.
COMPONENT = SHAPES.shape_for("DescribeInferenceComponentOutput")


def inference_components(self: Any) -> dict[str, dict[str, Any]]:
    """Return the components of a region by name."""
    made: dict[str, dict[str, Any]] = vars(self.sagemaker_backend).setdefault("components", {})
    return made


@patch
def create_inference_component(self: Any) -> Any:
    names = ("InferenceComponentName", "EndpointName", "VariantName", "Specification")
    given = {name: self._get_param(name) for name in names}
    name = given["InferenceComponentName"]
    arn = f"arn:aws:sagemaker:{self.region}:{self.current_account}"
    about = {
        "InferenceComponentArn": f"{arn}:inference-component/{name}",
        "EndpointArn": f"{arn}:endpoint/{given['EndpointName']}",
        "CreationTime": time.time(),
        "LastModifiedTime": time.time(),
        "InferenceComponentStatus": "InService",
    }
    inference_components(self)[name] = {**given, **about}
    return ActionResult({"InferenceComponentArn": about["InferenceComponentArn"]})


@patch
def list_inference_components(self: Any) -> Any:
    made = list(inference_components(self).values())
    found, token = page_of(made, self._get_param("NextToken"), self._get_param("MaxResults"))
    summaries = [{k: v for k, v in one.items() if k != "Specification"} for one in found]
    return ActionResult({"InferenceComponents": summaries, "NextToken": token})


@patch
def describe_inference_component(self: Any) -> Any:
    component = inference_components(self).get(self._get_param("InferenceComponentName"))
    if component is None:
        raise ValidationError(message="Could not find inference component.")
    return ActionResult(
        {key: value for key, value in component.items() if key in COMPONENT.members}
    )


@patch
def delete_inference_component(self: Any) -> Any:
    inference_components(self).pop(self._get_param("InferenceComponentName"), None)
    return ActionResult({})


# Monitoring schedules, which moto does not have, and the job definitions that they name.
SCHEDULE_SUMMARY = SHAPES.shape_for("MonitoringScheduleSummary")
DEFINITIONS = ("data_quality", "model_quality", "model_bias", "model_explainability")


def without_empty_members(moto_answer: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return moto's description of a job definition without what AWS would omit."""
    return lambda self: ActionResult({k: v for k, v in moto_answer(self).result.items() if v})


for definition in (f"describe_{kind}_job_definition" for kind in DEFINITIONS):
    setattr(SageMaker, definition, without_empty_members(getattr(SageMaker, definition)))


def monitoring_schedules(backend: Any) -> dict[str, Any]:
    """Return the monitoring schedules of a region by name."""
    made: dict[str, Any] = vars(backend).setdefault("monitoring_schedules", {})
    return made


def schedule_of(self: Any) -> Any:
    """Return the monitoring schedule that a call names."""
    name = self._get_param("MonitoringScheduleName")
    schedule = monitoring_schedules(self.sagemaker_backend).get(name)
    if schedule is None:
        raise ResourceNotFound(message=f"Monitoring Schedule with name {name} not found")
    return schedule


def configure(self: Any, schedule: Any) -> Any:
    """Give a monitoring schedule the configuration of a call, and answer its ARN."""
    config = self._get_param("MonitoringScheduleConfig")
    kind = config.get("MonitoringType", "DataQuality")
    if definition := config.get("MonitoringJobDefinition"):
        (monitored,) = definition["MonitoringInputs"]
    else:
        made = getattr(self.sagemaker_backend, f"{xform_name(kind)}_job_definitions")
        named = made.get(config["MonitoringJobDefinitionName"])
        if named is None:
            raise ResourceNotFound(message="Could not find the job definition.")
        monitored = getattr(named, f"{xform_name(kind)}_job_input")
    schedule.about.update(
        MonitoringScheduleConfig=config,
        MonitoringType=kind,
        EndpointName=monitored["EndpointInput"]["EndpointName"],
        LastModifiedTime=time.time(),
    )
    return ActionResult({"MonitoringScheduleArn": schedule.about["MonitoringScheduleArn"]})


@patch
def create_monitoring_schedule(self: Any) -> Any:
    name = self._get_param("MonitoringScheduleName")
    arn = f"arn:aws:sagemaker:{self.region}:{self.current_account}:monitoring-schedule/{name}"
    about = {
        "MonitoringScheduleName": name,
        "MonitoringScheduleArn": arn,
        "MonitoringScheduleStatus": "Scheduled",
        "CreationTime": time.time(),
    }
    schedule = SimpleNamespace(about=about, tags=self._get_param("Tags") or [])
    answer = configure(self, schedule)
    monitoring_schedules(self.sagemaker_backend)[name] = schedule
    return answer


@patch
def update_monitoring_schedule(self: Any) -> Any:
    return configure(self, schedule_of(self))


@patch
def stop_monitoring_schedule(self: Any) -> Any:
    schedule_of(self).about["MonitoringScheduleStatus"] = "Stopped"
    return ActionResult({})


@patch
def describe_monitoring_schedule(self: Any) -> Any:
    return ActionResult(schedule_of(self).about)


@patch
def list_monitoring_schedules(self: Any) -> Any:
    part = self._get_param("NameContains") or ""
    made = monitoring_schedules(self.sagemaker_backend)
    schedules = [schedule.about for name, schedule in made.items() if part in name]
    found, token = page_of(schedules, self._get_param("NextToken"), self._get_param("MaxResults"))
    summaries = [
        {
            k: v
            for k, v in (about | about["MonitoringScheduleConfig"]).items()
            if k in SCHEDULE_SUMMARY.members
        }
        for about in found
    ]
    return ActionResult({"MonitoringScheduleSummaries": summaries, "NextToken": token})


moto_get_resource = SageMakerModelBackend._get_resource_from_arn


def get_resource_from_arn(self: Any, arn: str) -> Any:
    kind, name = arn.rpartition(":")[2].split("/")
    if kind == "monitoring-schedule":
        return monitoring_schedules(self)[name]
    return moto_get_resource(self, arn)


SageMakerModelBackend._get_resource_from_arn = get_resource_from_arn

moto_get_entries = VPCs.get_managed_prefix_list_entries


def get_managed_prefix_list_entries(self: Any) -> Any:
    list_id = self._get_param("PrefixListId")
    if not self.ec2_backend.get_managed_prefix_list_entries(list_id):
        raise EC2ClientError(
            "InvalidPrefixListID.NotFound", f"The prefix list ID '{list_id}' does not exist"
        )
    return moto_get_entries(self)


VPCs.get_managed_prefix_list_entries = get_managed_prefix_list_entries


def state(route: Any) -> str:
    detached = getattr(route.gateway, "vpc", route) is None
    return "blackhole" if detached else "active"


Route.state = property(state)


def list_enabled_products_for_import(self: Any) -> str:
    """Say that Security Hub takes Prowler's findings, which Prowler asks before it sends any."""
    subscriptions = f"arn:aws:securityhub:{self.region}:{self.current_account}:product-subscription"
    return json.dumps({"ProductSubscriptions": [f"{subscriptions}/prowler/prowler"]})


SecurityHubResponse.list_enabled_products_for_import = list_enabled_products_for_import
securityhub_paths["{0}/productSubscriptions$"] = SecurityHubResponse.dispatch


def page_of(items: list[Any], token: str | None, size: int | None) -> tuple[list[Any], str | None]:
    """Return one page of a list, ten long unless asked for up to a hundred, and the next token."""
    start = int(token or 0)
    end = start + min(size or 10, 100)
    return items[start:end], str(end) if end < len(items) else None


moto_filter_value = VPCEndPoint.get_filter_value


def get_filter_value(self: Any, filter_name: str, method_name: str | None = None) -> Any:
    if filter_name == "vpc-endpoint-id":
        return self.id
    return moto_filter_value(self, filter_name, method_name)


VPCEndPoint.get_filter_value = get_filter_value
