"""Plans the replacement of a SageMaker model by an isolated one: the SOP's implementation steps.

Nothing in AWS is changed. A model cannot be changed, so there must be a new one like it, and the
endpoints must be moved to it: the plan is printed, and a script is written for each endpoint, which
a person or a pipeline runs. Cannot know whether a container needs the network that it is denied,
nor all that uses a model.
"""

import logging
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from botocore.exceptions import BotoCoreError, ClientError
from prowler.config.config import default_output_directory, output_file_timestamp
from prowler.providers.common.provider import Provider

from .lib.fixer.messages import explain_error, one_line, say
from .lib.fixer.run import CHECK, Run
from .lib.fixer.settings import SettingsError, read_vpc_configs
from .lib.listings import sagemaker_service

logger = logging.getLogger(__name__)


def fixer(resource_id: str, region: str) -> bool:
    """Print the plan for a failing model, and write a script for each endpoint that it serves.

    Permissions:
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": [
                    "ec2:DescribeRouteTables",
                    "ec2:DescribeSecurityGroups",
                    "ec2:DescribeSubnets",
                    "ec2:GetManagedPrefixListEntries",
                    "sagemaker:DescribeEndpoint",
                    "sagemaker:DescribeEndpointConfig",
                    "sagemaker:DescribeInferenceComponent",
                    "sagemaker:DescribeModel",
                    "sagemaker:ListEndpoints",
                    "sagemaker:ListInferenceComponents",
                    "sagemaker:ListTags"
                ],
                "Resource": "*"
            }
        ]
    }

    Args:
        resource_id: The model's name.
        region: Its region.

    Returns:
        False: what fails is fixed by whoever runs the script, if they do.
    """
    try:
        with quiet_botocore():
            for line in run_of(Provider.get_global_provider()).lines(resource_id, region):
                say(line)
    except SettingsError as error:
        say(str(error))
    except (ClientError, BotoCoreError) as error:
        say(f"There is no plan for it: {explain_error(error, f'model {resource_id}')}.")
    # Prowler would end all fixing here and say nothing of it; the next model can still be planned.
    except Exception as error:
        why = f"{type(error).__name__}: {one_line(error)}"
        say(f"There is no plan for it, because of {why}.")
        # Without the traceback: an error that it is chained to may hold the environment.
        logger.error(f"{region} -- {resource_id} could not be planned for: {why}")
    return False


@contextmanager
def quiet_botocore() -> Iterator[None]:
    """Keep botocore from logging calls and answers, which hold the environment of models."""
    botocore = logging.getLogger("botocore")
    before = botocore.level
    botocore.setLevel(max(logging.INFO, botocore.getEffectiveLevel()))
    try:
        yield
    finally:
        botocore.setLevel(before)


@lru_cache(maxsize=1)
def run_of(provider: Any) -> Run:
    """Return the run of a scan.

    Raises:
        SettingsError: The fixer configuration or the mutelist is not understood.
    """
    mutelist = provider.mutelist
    if mutelist.mutelist_file_path and not mutelist.mutelist:
        raise SettingsError(
            f"The mutelist {mutelist.mutelist_file_path} is empty or could not be read, so it is "
            "not known what is muted, and nothing is planned. Correct it."
        )
    service = sagemaker_service(provider)
    folder, file = command_line()
    regions = service.session.get_available_regions("ec2", provider.identity.partition)
    vpc_configs = read_vpc_configs(file, CHECK, {*regions, *service.regional_clients})
    name = f"remediation-{service.audited_account}-{output_file_timestamp}"
    return Run(provider, service, vpc_configs, folder / name)


def command_line() -> tuple[Path, Any]:
    """Return the folder of this run's output, and all of its fixer configuration.

    Prowler tells a fixer neither, and of the file it passes on what stands below `aws` alone.

    Raises:
        SettingsError: The file cannot be read.
    """
    parser = ArgumentParser(add_help=False)  # it takes abbreviations, as Prowler does
    parser.add_argument("--fixer", action="store_true")  # else an abbreviation of the next one
    parser.add_argument("-o", "--output-directory", nargs="?")
    parser.add_argument("--fixer-config", nargs="?")
    arguments = parser.parse_known_args()[0]
    folder = Path(arguments.output_directory or default_output_directory)
    if not arguments.fixer_config:
        return folder, None
    try:
        return folder, yaml.safe_load(Path(arguments.fixer_config).read_text("utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise SettingsError(
            f"The fixer configuration cannot be read ({one_line(error)}). Correct it."
        ) from error
