"""The endpoint configurations of an account that are made for inference components, as facts.

No call of SageMaker tells of many configurations at once: Search does not know them, and
ListEndpointConfigs gives no variants. So each is described. Which endpoints use those that are
judged is Search's to tell, a hundred endpoints a call; it is not asked where none is judged.
"""

import logging
from dataclasses import replace
from typing import Any

from .answers import SENT, MalformedError, keep_sent, listed
from .facts import Endpoint, EndpointConfig, Listing, Service
from .listings import describe_listed, endpoint_in, from_description, list_regions, search_records

logger = logging.getLogger(__name__)

_VARIANTS = ("ProductionVariants", "ShadowProductionVariants")


def list_endpoint_configs(service: Service) -> list[Listing[EndpointConfig]]:
    """Return the configurations of every region."""
    clients, pool = service.regional_clients, service.thread_pool
    for client in clients.values():
        keep_sent(client, "DescribeEndpointConfig")
    listings = describe_listed(
        service,
        list_regions(service, EndpointConfig),
        lambda _, config, answer: _for_components(config, answer),
        "its variants, EnableNetworkIsolation and VpcConfig",
    )
    searches = {
        li.region: pool.submit(_search_endpoints, clients[li.region]) for li in listings if li.items
    }

    def with_endpoints(config: EndpointConfig) -> EndpointConfig:
        used_by = searches[config.region].result()
        endpoints = None if used_by is None else tuple(used_by.get(config.name, ()))
        return replace(config, endpoints=endpoints)

    return [replace(li, items=tuple(map(with_endpoints, li.items))) for li in listings]


def _for_components(config: EndpointConfig, answer: dict[str, Any]) -> EndpointConfig | None:
    """Return a configuration with its settings; None where all its variants name models."""
    # A variant for inference components names no model: the components do, or name an image
    # (source: "Deploy models for real-time inference" in the Amazon SageMaker AI Developer Guide).
    read = from_description(config, answer)
    sent = answer.get(SENT) or answer
    kinds = _VARIANTS if sent.get(_VARIANTS[1]) else _VARIANTS[:1]
    variants = [variant for kind in kinds for variant in listed(sent, kind, "the answer")]
    if not variants:
        raise MalformedError("no ProductionVariants in the answer")
    bare = [variant for variant in variants if not _names_a_model(variant)]
    if not bare:
        return None
    serverless = [v for v in bare if v.get("ServerlessConfig")]
    return replace(read, serverless_variants=tuple(str(v.get("VariantName")) for v in serverless))


def _names_a_model(variant: dict[str, Any]) -> bool:
    # An instance pool may name one in the place of its variant's (source: InstancePool in the
    # Amazon SageMaker API Reference, of 2026).
    pools = listed(variant, "InstancePools", "a variant") if variant.get("InstancePools") else ()
    return bool(variant.get("ModelName")) or any(pool.get("ModelNameOverride") for pool in pools)


def _search_endpoints(client: Any) -> dict[str, list[Endpoint]] | None:
    """Return the endpoints of a region by EndpointConfigName; None where Search does not tell."""
    logger.info(f"SageMaker - searching endpoints in {client.region}...")
    found: dict[str, dict[str, Endpoint]] = {}
    try:
        for record in search_records(client, "Endpoint"):
            endpoint, config = endpoint_in(record), record.get("EndpointConfigName")
            if endpoint is None or not isinstance(config, str):
                raise MalformedError("an endpoint without EndpointName or EndpointConfigName")
            found.setdefault(config, {})[endpoint.name] = endpoint
    except Exception as error:  # no loss: the permission for Search is optional
        logger.info(f"{client.region} -- Search is unavailable, endpoints are not named: {error}")
        return None
    return {config: [by[name] for name in sorted(by)] for config, by in found.items()}
