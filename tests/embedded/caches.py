"""What Prowler and botocore read and make anew for each session, made once for this process.

Every scan has a provider and a session of its own, for which their files would be read again, and a
model and a class be made of each API's operations: half of what a scan takes. A session shares them
among its clients as they are.
"""

import functools
from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeVar

import boto3
import botocore.session
from botocore.client import ClientCreator
from prowler.config import config
from prowler.providers.aws import aws_provider

Made = TypeVar("Made")


def once_a_service(make: Callable[..., Made]) -> Callable[..., Made]:
    """Have a method of botocore's `ClientCreator` make what it makes once for each service."""
    made: dict[str, Made] = {}

    def method(creator: ClientCreator, service: str, *arguments: Any) -> Made:
        if service not in made:
            made[service] = make(creator, service, *arguments)
        return made[service]

    return method


botocore.session.create_loader = functools.cache(botocore.session.create_loader)
ClientCreator._load_service_model = once_a_service(ClientCreator._load_service_model)
ClientCreator._create_client_class = once_a_service(ClientCreator._create_client_class)
aws_provider.read_aws_regions_file = functools.cache(aws_provider.read_aws_regions_file)


def make_all() -> None:
    """Make it now, and import what a scan with our checks imports on its way."""
    aws_provider.read_aws_regions_file()
    for service in ("ec2", "organizations", "sagemaker", "sts"):
        boto3.Session("none", "none").client(service, "eu-west-1")
    config.load_and_validate_config_file("aws", config.default_config_file_path)
    import_module("alive_progress.styles")
