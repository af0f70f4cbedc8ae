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
        with_models = [Region(aws, name) for name in REGIONS[:2]]
        measure(builtin, aws, folder, REGIONS[:1])  # compiles Prowler
        machine = f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores"
        print(f"{machine}, {wanted.latency:g} ms for each call; medians of {wanted.runs} runs.")
        print(HEAD, flush=True)
        for models, jobs, regions in [*sizes, (100, 0, REGIONS)]:
            aws.latency = 0
            for region in with_models[: len(regions)]:
                populate(region, models, jobs)
            aws.latency = wanted.latency / 1000
            where = f" in each of 2 regions of {len(regions)}" if len(regions) > 1 else ""
            for title, installation in (("built-in", builtin), ("ours", ours)):
                costs = [measure(installation, aws, folder, regions) for _ in range(wanted.runs)]
                (calls, apis, *_), numbers = costs[0], list(zip(*costs, strict=True))[2:]
                medians = [
                    f"{median(n):,.{d}f}" for n, d in zip(numbers, (1, 1, 1, 0), strict=True)
                ]
                cells = [f"{models:,}{where}", f"{jobs:,}", title, f"{calls:,}", apis, *medians]
                print(f"| {' | '.join(cells)} |", flush=True)


def populate(region: Region, models: int, jobs: int) -> None:
    """Fill a region with just so many models, past the API for speed, and training jobs."""
    backend, vpc = sagemaker_backends[ACCOUNT][region.name], region.vpc()
    backend._models.clear()
    backend.training_jobs.clear()
    network = {"Subnets": [region.subnet(vpc)], "SecurityGroupIds": [region.group(vpc)]}
    tags, image = [{"Key": "team", "Value": "risk"}], {"Image": "image"}
    for number in range(models):
        model = backend.create_model(f"model-{number}", ROLE, image, network, None, tags)
        model.enable_network_isolation = number % 2 == 0
    size = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
    for number in range(jobs):
        region.sagemaker.create_training_job(
            TrainingJobName=f"job-{number}",
            AlgorithmSpecification={"TrainingImage": "image", "TrainingInputMode": "File"},
            RoleArn=ROLE,
            OutputDataConfig={"S3OutputPath": "s3://bucket"},
            ResourceConfig=size,
            StoppingCondition={"MaxRuntimeInSeconds": 60},
        )


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
