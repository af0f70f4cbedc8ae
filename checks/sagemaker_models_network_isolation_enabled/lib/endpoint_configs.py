"""The endpoint configurations of an account that are made for inference components, as facts.

No call of SageMaker tells of many configurations at once: Search does not know them, and
ListEndpointConfigs gives no variants. So each is described. Which endpoints use those that are
judged is Search's to tell, a hundred endpoints a call; it is not asked where none is judged.
"""

import json
import logging
from dataclasses import replace
from typing import Any

from .answers import MalformedError, listed
from .facts import Endpoint, EndpointConfig, Listing
from .listings import PAGE_SIZE, describe_listed, endpoint_in, from_description, list_regions

logger = logging.getLogger(__name__)

# What DescribeEndpointConfig tells.
_SETTINGS = "its variants, EnableNetworkIsolation and VpcConfig"
_VARIANTS = ("ProductionVariants", "ShadowProductionVariants")
_BEFORE_PARSE = "before-parse.sagemaker.DescribeEndpointConfig"
_POOL_MODELS = "VariantsWithModelNameOverride"  # a member that the answer is given here


def list_endpoint_configs(service: Any) -> list[Listing[EndpointConfig]]:
    """Return the configurations of every region, for what `sagemaker_service` gave."""
    clients, pool = service.regional_clients, service.thread_pool
    for client in clients.values():
        client.meta.events.register(_BEFORE_PARSE, _keep_pool_models, unique_id=_POOL_MODELS)
    listings = describe_listed(
        service,
        list_regions(service, EndpointConfig),
        lambda _, config, answer: _for_components(config, answer),
        _SETTINGS,
    )
    searches = {
        li.region: pool.submit(_search_endpoints, clients[li.region]) for li in listings if li.items
    }

    def with_endpoints(config: EndpointConfig) -> EndpointConfig:
        used_by = searches[config.region].result()
        endpoints = None if used_by is None else tuple(used_by.get(config.name, ()))
        return replace(config, endpoints=endpoints)

    return [replace(li, items=tuple(map(with_endpoints, li.items))) for li in listings]


def _keep_pool_models(
    response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any
) -> None:
    """Keep the variants whose instance pools name models, which Prowler's botocore does not know.

    A pool may name a model in the place of its variant's (source: InstancePool in the Amazon
    SageMaker API Reference, of 2026). botocore calls this with each answer before it parses it.
    """
    try:
        answer = json.loads(response_dict["body"])
        variants = [v for key in _VARIANTS for v in answer.get(key) or ()]
        customized_response_dict[_POOL_MODELS] = [
            v["VariantName"]
            for v in variants
            if any(pool.get("ModelNameOverride") for pool in v.get("InstancePools") or ())
        ]
    except (AttributeError, KeyError, TypeError, ValueError):
        return  # it is not as the API promises, which `_for_components` finds out


def _for_components(config: EndpointConfig, answer: dict[str, Any]) -> EndpointConfig | None:
    """Return a configuration with its settings; None where all its variants name models."""
    # A variant for inference components names no model: the components do, or name an image
    # (source: "Deploy models for real-time inference" in the Amazon SageMaker AI Developer Guide).
    read = from_description(config, answer)
    variants = [
        variant
        for key in _VARIANTS
        if key == _VARIANTS[0] or answer.get(key)
        for variant in listed(answer, key, "the answer")
    ]
    if not variants:
        raise MalformedError("no ProductionVariants in the answer")
    pooled = answer.get(_POOL_MODELS, ())
    bare = [v for v in variants if not v.get("ModelName") and v.get("VariantName") not in pooled]
    if not bare:
        return None
    serverless = [v for v in bare if v.get("ServerlessConfig")]
    return replace(read, serverless_variants=tuple(str(v.get("VariantName")) for v in serverless))


def _search_endpoints(client: Any) -> dict[str, list[Endpoint]] | None:
    """Return the endpoints of a region by EndpointConfigName; None where Search does not tell."""
    logger.info(f"SageMaker - searching endpoints in {client.region}...")
    found: dict[str, dict[str, Endpoint]] = {}
    try:
        for page in client.get_paginator("search").paginate(
            Resource="Endpoint", PaginationConfig={"PageSize": PAGE_SIZE}
        ):
            for result in listed(page, "Results", "the answer"):
                record = result.get("Endpoint") or {}
                endpoint, config = endpoint_in(record), record.get("EndpointConfigName")
                if endpoint is None or not isinstance(config, str):
                    raise MalformedError("an endpoint without EndpointName or EndpointConfigName")
                found.setdefault(config, {})[endpoint.name] = endpoint
    except Exception as error:  # no loss: the permission for Search is optional
        logger.info(f"{client.region} -- Search is unavailable, endpoints are not named: {error}")
        return None
    return {config: [by[name] for name in sorted(by)] for config, by in found.items()}
