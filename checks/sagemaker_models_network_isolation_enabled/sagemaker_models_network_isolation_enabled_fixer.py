"""Writes how to replace a failing SageMaker model: a page for each endpoint that serves it.

Nothing in AWS is changed: a person reads the page and follows it. Cannot know whether a container
needs the network that it is denied, nor all that uses a model.
"""

import logging
from argparse import ArgumentParser
from functools import lru_cache
from pathlib import Path
from typing import Any

from prowler.config.config import default_output_directory, output_file_timestamp
from prowler.providers.common.provider import Provider

from .lib.fixer.pages import Run, one_line
from .lib.listings import sagemaker_service


def fixer(resource_id: str, region: str) -> bool:
    """Write a page for each endpoint that the model `resource_id` serves, and say where, or why.

    It returns False, because what fails is fixed by whoever follows the page, if they do.

    Permissions: ec2:DescribeRouteTables, ec2:DescribeSecurityGroups, ec2:DescribeSubnets,
    ec2:GetManagedPrefixListEntries, sagemaker:DescribeEndpoint, sagemaker:DescribeEndpointConfig,
    sagemaker:DescribeInferenceComponent, sagemaker:DescribeModel, sagemaker:ListEndpoints,
    sagemaker:ListInferenceComponents and sagemaker:ListTags.
    """
    # botocore would log calls and answers, which hold the environment of models.
    botocore = logging.getLogger("botocore")
    botocore.setLevel(max(logging.INFO, botocore.getEffectiveLevel()))
    try:
        said = _run_of(Provider.get_global_provider()).fix(resource_id, region)
    except OSError as error:
        said = [f"No page can be written ({error}). Name a folder with --output-directory."]
    for line in said:
        print(f"{'':10}{one_line(line)}", flush=True)
    return False


@lru_cache(maxsize=1)
def _run_of(provider: Any) -> Run:
    parser = ArgumentParser(add_help=False)  # Prowler does not tell a fixer
    parser.add_argument("-o", "--output-directory", nargs="?")
    output = parser.parse_known_args()[0].output_directory or default_output_directory
    service = sagemaker_service(provider)
    name = f"remediation-{service.audited_account}-{output_file_timestamp}"
    return Run(provider, service, Path(output) / name, output_file_timestamp)
