"""`make bench`: what a scan costs, the built-in check and ours in turn on the same account.

Prints the table of docs/cost.md in Markdown: the median of some runs. Every call takes a set time.
It wants a quiet machine, and half an hour for the sizes by default.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from statistics import median
from typing import Any

import boto3
from moto.sagemaker import sagemaker_backends

from ..embedded.account import ACCOUNT, ROLE, Region
from ..embedded.installation import CHECK, FAILED, Installation, access, build_wheel
from ..embedded.server import EmbeddedAWS

# Regions as an account has them: models in the first or the first two, nothing in the others.
REGIONS = sorted(boto3.Session().get_available_regions("sagemaker"))[:20]
HEAD = """
| models | training jobs | check | calls | by API | seconds of calls | seconds to the end | CPU \
seconds, all in all | peak MB |
| ---: | ---: | --- | ---: | --- | ---: | ---: | ---: | ---: |"""
# What moto wants to know of a training job.
TRAINING_JOB: dict[str, Any] = {
    **{key: {} for key in ("hyper_parameters", "algorithm_specification", "resource_config")},
    **{key: {} for key in ("vpc_config", "stopping_condition", "checkpoint_config")},
    **{key: {} for key in ("debug_hook_config", "tensor_board_output_config")},
    **{key: [] for key in ("input_data_config", "debug_rule_configurations", "tags")},
    "role_arn": ROLE,
    "experiment_config": {},
    "output_data_config": {"S3OutputPath": "s3://bucket"},
    "enable_network_isolation": True,
    "enable_inter_container_traffic_encryption": True,
    "enable_managed_spot_training": False,
}


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--latency", type=float, default=50, help="milliseconds for each call")
    parser.add_argument("--models", type=int, nargs="+", default=[0, 100, 1000, 10000])
    parser.add_argument("--training-jobs", type=int, default=1000, help="beside 1,000 models")
    parser.add_argument("--runs", type=int, default=3, help="of which the median is taken")
    wanted = parser.parse_args()
    sizes = [(models, 0, REGIONS[:1]) for models in wanted.models]
    sizes += [(1000, wanted.training_jobs, REGIONS[:1])] if wanted.training_jobs else []
    with tempfile.TemporaryDirectory() as name, EmbeddedAWS() as aws:
        folder = Path(name)
        builtin = Installation.make(folder / "built-in", Path(sys.prefix))
        ours = Installation.make(folder / "ours", Path(sys.prefix))
        ours.install(str(build_wheel(folder / "dist")))
        networks = {region: network(Region(aws, region)) for region in REGIONS[:2]}
        measure(builtin, aws, folder, REGIONS[:1])  # compiles Prowler
        aws.latency = wanted.latency / 1000
        gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
        machine = f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, {gigabytes:.0f} GiB"
        print(f"{machine}, {wanted.latency:g} ms for each call; medians of {wanted.runs} runs.")
        print(HEAD, flush=True)
        for models, jobs, regions in [*sizes, (100, 0, REGIONS)]:
            for region in regions[:2]:
                populate(models, jobs, networks[region], region)
            where = f" in each of 2 regions of {len(regions)}" if len(regions) > 1 else ""
            for title, installation in (("built-in", builtin), ("ours", ours)):
                costs = [measure(installation, aws, folder, regions) for _ in range(wanted.runs)]
                (calls, apis, *_), numbers = costs[0], list(zip(*costs, strict=True))[2:]
                medians = [f"{median(n):,.1f}" for n in numbers[:3]] + [
                    f"{median(numbers[3]):,.0f}"
                ]
                cells = [f"{models:,}{where}", f"{jobs:,}", title, f"{calls:,}", apis, *medians]
                print(f"| {' | '.join(cells)} |", flush=True)


def network(region: Region) -> dict[str, list[str]]:
    """Return a VpcConfig of private subnets in a region."""
    vpc = region.vpc()
    return {"Subnets": [region.subnet(vpc)], "SecurityGroupIds": [region.group(vpc)]}


def populate(models: int, jobs: int, vpc_config: dict[str, list[str]], region: str) -> None:
    """Fill a region with just so many models and training jobs, past the API for speed."""
    backend = sagemaker_backends[ACCOUNT][region]
    backend._models.clear()
    backend.training_jobs.clear()
    for number in range(models):
        tags, image = [{"Key": "team", "Value": "risk"}], {"Image": "image"}
        model = backend.create_model(f"model-{number}", ROLE, image, vpc_config, None, tags)
        model.enable_network_isolation = number % 2 == 0
    for number in range(jobs):
        backend.create_training_job(f"job-{number}", **TRAINING_JOB)


def measure(
    installation: Installation, aws: EmbeddedAWS, folder: Path, regions: list[str]
) -> tuple[int, str, float, float, float, float]:
    """Scan regions once, and return the numbers of the table, and the calls by API."""
    aws.calls.clear()
    command = ["aws", "--no-banner", "--checks", CHECK, "--region", *regions]
    with subprocess.Popen(
        [str(installation.prowler), *command, "--output-directory", str(folder / "output")],
        env={"HOME": str(folder), "PATH": "/usr/bin:/bin", **access(aws)},
        stdout=subprocess.DEVNULL,
    ) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    ended = time.monotonic()
    if process.returncode not in (0, FAILED):
        raise SystemExit(f"Prowler ended with {process.returncode}; its reason is above.")
    seen = [call for call in aws.calls if call.service in ("sagemaker", "ec2")]
    began = next(call.at for call in seen if call.service == "sagemaker")
    apis = Counter(call.api for call in seen).most_common(4)
    return (
        len(seen),
        ", ".join(f"{api} {number:,}" for api, number in apis),
        seen[-1].at - began,
        ended - began,
        usage.ru_utime + usage.ru_stime,
        usage.ru_maxrss / (2**10 if sys.platform == "linux" else 2**20),  # KiB, or on macOS bytes
    )


if __name__ == "__main__":
    main()
