"""`make bench`: what a scan costs, the built-in check and ours in turn on the same account.

Prints a table in Markdown: calls by API, seconds beyond Prowler's own start, and peak memory beyond
Prowler's own. The embedded AWS takes a set latency for every call on top of what moto takes.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from moto.sagemaker import sagemaker_backends

from ..embedded.account import ACCOUNT, ROLE, Region
from ..embedded.installation import CHECK, FAILED, Installation, access, build_wheel
from ..embedded.server import EmbeddedAWS

REGION = "us-east-1"


@dataclass(frozen=True)
class Cost:
    """What one scan cost.

    Attributes:
        calls: How often each API of SageMaker and EC2 was called.
        seconds: Wall time from the first call to SageMaker to the end, output files included.
        megabytes: Peak memory.
    """

    calls: Counter[str]
    seconds: float
    megabytes: float

    def beyond(self, start: "Cost") -> "Cost":
        """Return the cost beyond that of a scan which finds nothing: what is Prowler's own."""
        seconds, megabytes = self.seconds - start.seconds, self.megabytes - start.megabytes
        return Cost(self.calls, max(seconds, 0.1), max(megabytes, 0))


def main() -> int:
    """Run the benchmark and return its exit code."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--latency", type=float, default=50, help="milliseconds for each call")
    parser.add_argument("--models", type=int, nargs="+", default=[100, 1000, 10000])
    parser.add_argument("--training-jobs", type=int, nargs="+", default=[0, 1000, 10000])
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, EmbeddedAWS() as aws:
        folder = Path(name)
        builtin = Installation.make(folder / "built-in", Path(sys.prefix))
        ours = Installation.make(folder / "ours", Path(sys.prefix))
        ours.install(str(build_wheel(folder / "dist")))
        network = make_network(Region(aws, REGION))
        aws.latency = wanted.latency / 1000
        measure(builtin, aws, folder)  # the first start of all compiles Prowler
        starts = [
            min((measure(i, aws, folder) for _ in range(3)), key=lambda cost: cost.seconds)
            for i in (builtin, ours)
        ]
        print(
            f"{machine()}, "
            f"{wanted.latency:g} ms for each call, one region. Seconds are from the first call to "
            f"SageMaker to the end, beyond what a scan of no models takes, which is "
            f"{starts[0].seconds:.1f} s for the built-in and {starts[1].seconds:.1f} s for ours; "
            f"MB are the peak beyond the {starts[0].megabytes:.0f} MB of such a scan.\n\n"
            "| models | training jobs | check | calls | by API | seconds | MB | calls to built-in "
            "| times faster |\n| ---: | ---: | --- | ---: | --- | ---: | ---: | ---: | ---: |",
            flush=True,
        )
        for models in wanted.models:
            for jobs in wanted.training_jobs:
                populate(models, jobs, network)
                costs = [
                    measure(installation, aws, folder).beyond(start)
                    for installation, start in zip((builtin, ours), starts, strict=True)
                ]
                report(models, jobs, *costs)
    return 0


def machine() -> str:
    """Return the day and what the benchmark runs on, for the line above its table."""
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, {gigabytes:.0f} GiB"


def make_network(region: Region) -> dict[str, list[str]]:
    """Return a VpcConfig of private subnets in a region."""
    vpc = region.vpc()
    return {"Subnets": [region.subnet(vpc)], "SecurityGroupIds": [region.group(vpc)]}


def populate(
    models: int, training_jobs: int, network: dict[str, list[str]], account: str = ACCOUNT
) -> None:
    """Fill the region with just so many models and training jobs, past the API for speed."""
    backend = sagemaker_backends[account][REGION]
    backend._models.clear()
    backend.training_jobs.clear()
    for number in range(models):
        tags = [{"Key": "team", "Value": "risk"}]
        model = backend.create_model(
            f"model-{number}", ROLE, {"Image": "image"}, network, None, tags
        )
        model.enable_network_isolation = number % 2 == 0
    for number in range(training_jobs):
        backend.create_training_job(
            training_job_name=f"job-{number}",
            hyper_parameters={},
            algorithm_specification={"TrainingImage": "image", "TrainingInputMode": "File"},
            role_arn=ROLE,
            input_data_config=[],
            output_data_config={"S3OutputPath": "s3://bucket"},
            resource_config={"InstanceType": "ml.m5.large", "InstanceCount": 1},
            vpc_config={},
            stopping_condition={"MaxRuntimeInSeconds": 60},
            tags=[],
            enable_network_isolation=True,
            enable_inter_container_traffic_encryption=True,
            enable_managed_spot_training=False,
            checkpoint_config={},
            debug_hook_config={},
            debug_rule_configurations=[],
            tensor_board_output_config={},
            experiment_config={},
        )


def measure(installation: Installation, aws: EmbeddedAWS, folder: Path) -> Cost:
    """Scan the account once and return what it cost."""
    aws.calls.clear()
    command = [str(installation.prowler), "aws", "--no-banner", "--checks", CHECK]
    with subprocess.Popen(
        [*command, "--region", REGION, "--output-directory", str(folder / "output")],
        env={"HOME": str(folder), "PATH": "/usr/bin:/bin", **access(aws)},
        stdout=subprocess.DEVNULL,
    ) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    ended = time.monotonic()
    if process.returncode not in (0, FAILED):
        raise SystemExit(f"Prowler ended with {process.returncode}; its reason is above.")
    began = next(call.at for call in aws.calls if call.service == "sagemaker")
    calls = aws.count("sagemaker") + aws.count("ec2")
    return Cost(calls, ended - began, peak_megabytes(usage))


def peak_megabytes(usage: resource.struct_rusage) -> float:
    """Return a process's peak memory; Linux counts it in KiB and macOS in bytes."""
    return usage.ru_maxrss / (2**10 if sys.platform == "linux" else 2**20)


def report(models: int, jobs: int, builtin: Cost, ours: Cost) -> None:
    """Print the rows of one size."""
    ratio = ours.calls.total() / builtin.calls.total()
    faster = builtin.seconds / ours.seconds
    for name, cost, share in (("built-in", builtin, ""), ("ours", ours, f"{ratio:.2%}")):
        apis = ", ".join(f"{api} {number:,}" for api, number in cost.calls.most_common(4))
        print(
            f"| {models:,} | {jobs:,} | {name} | {cost.calls.total():,} | {apis} | "
            f"{cost.seconds:.1f} | {cost.megabytes:.0f} | {share} | "
            f"{f'{faster:.0f}' if share else ''} |",
            flush=True,
        )


if __name__ == "__main__":
    sys.exit(main())
