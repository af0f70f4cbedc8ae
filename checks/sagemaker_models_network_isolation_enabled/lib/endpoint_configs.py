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
from .listings import PAGE_SIZE, describe, endpoint_in, from_description, list_regions

logger = logging.getLogger(__name__)

# What DescribeEndpointConfig tells.
SETTINGS = "its variants, EnableNetworkIsolation and VpcConfig"
VARIANTS = ("ProductionVariants", "ShadowProductionVariants")
_BEFORE_PARSE = "before-parse.sagemaker.DescribeEndpointConfig"
POOL_MODELS = "VariantsWithModelNameOverride"  # a member that the answer is given here


def list_endpoint_configs(service: Any) -> list[Listing[EndpointConfig]]:
    """Return the endpoint configurations for inference components of every region of a scan.

    Args:
        service: What `sagemaker_service` gave.

    Returns:
        One `Listing` a region; of the networks the ids alone are known. What could not be read is
        said in it; no error of AWS is raised.
    """
    clients = service.regional_clients
    pool = service.thread_pool
    listings = list_regions(service, EndpointConfig)
    left = [config for li in listings for config in li.items]
    for client in clients.values():
        client.meta.events.register(_BEFORE_PARSE, _keep_pool_models, unique_id=POOL_MODELS)
    if left:
        logger.info(f"SageMaker - describing {len(left)} endpoint configurations...")
    described = pool.map(
        lambda c: describe(clients[c.region], c, for_components, SETTINGS, {}), left
    )
    judged = [config for config in described if config]
    regions = {config.region for config in judged}
    users = {region: pool.submit(search_endpoints, clients[region]) for region in sorted(regions)}

    def with_endpoints(config: EndpointConfig) -> EndpointConfig:
        used_by = users[config.region].result()
        endpoints = None if used_by is None else tuple(used_by.get(config.name, ()))
        return replace(config, endpoints=endpoints)

    found = [with_endpoints(config) for config in judged]
    return [replace(li, items=tuple(c for c in found if c.region == li.region)) for li in listings]


def _keep_pool_models(
    response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any
) -> None:
    """Keep the variants whose instance pools name models, which Prowler's botocore does not know.

    A pool may name a model in the place of its variant's (source: InstancePool in the Amazon
    SageMaker API Reference, of 2026). botocore calls this with each answer before it parses it.
    """
    try:
        answer = json.loads(response_dict["body"])
        variants = [v for key in VARIANTS for v in answer.get(key) or ()]
        customized_response_dict[POOL_MODELS] = [
            v["VariantName"]
            for v in variants
            if any(pool.get("ModelNameOverride") for pool in v.get("InstancePools") or ())
        ]
    except (AttributeError, KeyError, TypeError, ValueError):
        return  # it is not as the API promises, which `for_components` finds out


def for_components(config: EndpointConfig, answer: dict[str, Any]) -> EndpointConfig | None:
    """Return a listed configuration with its settings; None where all its variants name models.

    A variant for inference components names no model: the components do, or name an image (source:
    "Deploy models for real-time inference" in the Amazon SageMaker AI Developer Guide).

    Args:
        config: The configuration, as listed.
        answer: DescribeEndpointConfigOutput, as boto3 gives it.

    Raises:
        MalformedError: The answer is not this configuration's, or has no variants.
    """
    read = from_description(config, answer)
    variants = [
        variant
        for key in VARIANTS
        if key == VARIANTS[0] or answer.get(key)
        for variant in listed(answer, key, "the answer")
    ]
    if not variants:
        raise MalformedError("no ProductionVariants in the answer")
    pooled = answer.get(POOL_MODELS, ())
    bare = [v for v in variants if not v.get("ModelName") and v.get("VariantName") not in pooled]
    if not bare:
        return None
    serverless = [v for v in bare if v.get("ServerlessConfig")]
    return replace(read, serverless_variants=tuple(str(v.get("VariantName")) for v in serverless))


def search_endpoints(client: Any) -> dict[str, list[Endpoint]] | None:
    """Return the endpoints of a region by the configuration that they use, as Search records them.

    Args:
        client: Prowler's SageMaker client of the region.

    Returns:
        The endpoints by EndpointConfigName, in the order of their names; None where Search does not
        tell, which is no error, because the permission for it is optional.
    """
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
    except Exception as error:
        logger.info(f"{client.region} -- Search is unavailable, endpoints are not named: {error}")
        return None
    return {config: [by[name] for name in sorted(by)] for config, by in found.items()}
