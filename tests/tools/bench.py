"""`make bench`: what a scan costs, the built-in check and ours in turn on the same account.

Prints the tables of docs/cost.md in Markdown. Every figure is the median of some runs, with the
least and the most in brackets where they differ. Every call takes a set time. It wants a quiet
machine, and half an hour for the sizes by default.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from moto.sagemaker import sagemaker_backends

from ..embedded.account import ACCOUNT, ROLE, Region
from ..embedded.installation import (
    CHECK,
    CONFIG_CHECK,
    FAILED,
    ROOT,
    Installation,
    access,
    build_wheel,
)
from ..embedded.server import EmbeddedAWS

REGION = "us-east-1"
# Regions as an account has them: models in two, and nothing in the others.
REGIONS = (
    *(REGION, "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "eu-west-1", "eu-west-2"),
    *("eu-west-3", "eu-central-1", "eu-north-1", "eu-south-1", "ap-south-1", "ap-northeast-1"),
    *("ap-northeast-2", "ap-northeast-3", "ap-southeast-1", "ap-southeast-2", "sa-east-1"),
    *("ap-east-1", "af-south-1"),
)
TRIVIAL = "sagemaker_trivial_findings"
STARTS = 11  # runs of what takes milliseconds
# What the plugin does in every `prowler` command, alone.
IMPORT = (
    "import time, prowler.providers.aws.services.sagemaker; began = time.process_time(); "
    "import prowler_sagemaker_network_isolation; print(time.process_time() - began)"
)


@dataclass(frozen=True)
class Cost:
    """What one scan cost.

    Attributes:
        calls: How often each API of SageMaker and EC2 was called.
        reading: Seconds from the first call to SageMaker to the last call.
        seconds: Seconds from the first call to SageMaker to the end, output files included.
        cpu: CPU seconds of the whole run, Prowler's start included.
        megabytes: Peak memory of the run.
    """

    calls: Counter[str]
    reading: float
    seconds: float
    cpu: float
    megabytes: float


def main() -> int:
    """Run the benchmark and return its exit code."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--latency", type=float, default=50, help="milliseconds for each call")
    parser.add_argument("--models", type=int, nargs="+", default=[100, 1000, 10000])
    parser.add_argument("--training-jobs", type=int, default=1000, help="beside 1,000 models")
    parser.add_argument("--runs", type=int, default=3, help="of which the median is taken")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, EmbeddedAWS() as aws:
        folder = Path(name)
        builtin = Installation.make(folder / "built-in", Path(sys.prefix))
        ours = Installation.make(folder / "ours", Path(sys.prefix))
        ours.install(str(build_wheel(folder / "dist")))
        networks = {region: make_network(Region(aws, region)) for region in REGIONS[:2]}
        aws.latency = wanted.latency / 1000

        def scans(installation: Installation, *arguments: str) -> list[Cost]:
            measured = (measure(installation, aws, folder, *arguments) for _ in range(wanted.runs))
            return list(measured)

        def both(models: str, jobs: int, *regions: str) -> None:
            arguments = ("--checks", CHECK, "--region", *regions)
            before, after = scans(builtin, *arguments), scans(ours, *arguments)
            for title, costs in (("built-in", before), ("ours", after)):
                print(f"| {models} | {jobs:,} | {title} | {row(costs)} |", flush=True)

        measure(builtin, aws, folder, "--checks", CHECK, "--region", REGION)  # compiles Prowler
        several = f"Medians of {wanted.runs} runs, with the least and the most."
        print(
            f"{machine()}, {wanted.latency:g} ms for each call. "
            f"{several if wanted.runs > 1 else 'One run of each scan.'}\n\n"
            "| models | training jobs | check | calls | by API "
            "| seconds of calls | seconds to the end | CPU seconds, all in all | peak MB |\n"
            "| ---: | ---: | --- | ---: | --- | ---: | ---: | ---: | ---: |",
            flush=True,
        )
        for models in [0, *wanted.models]:
            populate(models, 0, networks[REGION])
            both(f"{models:,}", 0, REGION)
        if wanted.training_jobs:
            populate(1000, wanted.training_jobs, networks[REGION])
            both("1,000", wanted.training_jobs, REGION)
        for region in REGIONS[:2]:
            populate(100, 0, networks[region], region=region)
        both(f"100 in each of 2 regions of {len(REGIONS)}", 0, *REGIONS)
        print()
        report_configs(aws, lambda: scans(ours, "--checks", CONFIG_CHECK, "--region", REGION))
        populate(max(wanted.models), 0, networks[REGION])
        report_share(
            ours, max(wanted.models), lambda c: scans(ours, "--checks", c, "--region", REGION)
        )
        report_start(ours)
    return 0


def row(costs: Sequence[Cost]) -> str:
    """Return the cells of some runs of one scan."""
    calls = costs[0].calls
    apis = ", ".join(f"{api} {number:,}" for api, number in calls.most_common(4))
    cells = [f"{calls.total():,}", apis]
    cells += [
        spread([getattr(cost, key) for cost in costs]) for key in ("reading", "seconds", "cpu")
    ]
    cells.append(spread([cost.megabytes for cost in costs], 0))
    return " | ".join(cells)


def spread(values: Sequence[float], digits: int = 1) -> str:
    """Return the median of values, and the least and the most where those are others."""
    middle, least, most = (
        f"{value:,.{digits}f}" for value in (median(values), min(values), max(values))
    )
    return middle if least == most else f"{middle} ({least} to {most})"


def report_configs(aws: EmbeddedAWS, scans: Callable[[], list[Cost]]) -> None:
    """Print the cost of the check for endpoint configurations: 1,000, and 10 for components."""
    region = Region(aws, REGION)
    backend = sagemaker_backends[ACCOUNT][REGION]
    aws.latency, latency = 0, aws.latency
    region.model("model")
    for number in range(990):
        region.endpoint(f"of-models-{number}", "model")
    for number in range(10):
        region.components(f"components-{number}")
    aws.latency = latency
    print(
        "| endpoint configurations | for inference components | calls | by API | seconds of calls "
        "| seconds to the end | CPU seconds, all in all | peak MB |\n"
        "| ---: | ---: | ---: | --- | ---: | ---: | ---: | ---: |\n"
        f"| 1,000 | 10 | {row(scans())} |\n",
        flush=True,
    )
    backend.endpoint_configs.clear()
    backend.endpoints.clear()


def report_share(
    installation: Installation, models: int, scans: Callable[[str], list[Cost]]
) -> None:
    """Print what a scan costs beside as many findings of a check that reads nothing."""
    write_trivial_check(installation, models)
    for check, whose in ((CHECK, "ours"), (TRIVIAL, "a check that reads nothing")):
        costs = scans(check)
        cpu, memory = spread([c.cpu for c in costs]), spread([c.megabytes for c in costs], 0)
        print(f"{models:,} findings of {whose} take {cpu} CPU seconds and {memory} MB at the peak.")


def write_trivial_check(installation: Installation, findings: int) -> None:
    """Put a check beside ours whose findings are all alike and rest on one call of SageMaker."""
    (package,) = installation.packages.glob("prowler_sagemaker_network_isolation")
    folder = package / "sagemaker" / TRIVIAL
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "__init__.py").touch()
    source = ROOT / "checks" / CHECK / f"{CHECK}.metadata.json"
    metadata = {**json.loads(source.read_text("utf-8")), "CheckID": TRIVIAL}
    (folder / f"{TRIVIAL}.metadata.json").write_text(json.dumps(metadata), "utf-8")
    (folder / f"{TRIVIAL}.py").write_text(
        f"""from prowler.lib.check.models import Check, Check_Report_AWS
from prowler.providers.aws.lib.service.service import AWSService
from prowler.providers.common.provider import Provider


class {TRIVIAL}(Check):
    def execute(self):
        service = AWSService("sagemaker", Provider.get_global_provider())
        next(iter(service.regional_clients.values())).list_models(MaxResults=1)
        metadata = self.metadata()
        reports = []
        for number in range({findings}):
            name = f"model-{{number}}"
            resource = {{"name": name, "arn": f"arn:{{number}}", "region": "{REGION}"}}
            report = Check_Report_AWS(metadata=metadata, resource=resource)
            report.status, report.status_extended = "FAIL", f"{{number}}"
            report.check_metadata = reports[0].check_metadata if reports else report.check_metadata
            reports.append(report)
        return reports
""",
        "utf-8",
    )


def report_start(installation: Installation) -> None:
    """Print what the plugin adds to every `prowler` command."""
    python = str(installation.python)
    times = [
        1000 * float(subprocess.run([python, "-c", IMPORT], capture_output=True, check=True).stdout)
        for _ in range(STARTS)
    ]
    print(
        f"The plugin's own import takes {spread(times, 0)} ms of CPU in each command "
        f"({STARTS} runs)."
    )


def machine() -> str:
    """Return the day and what the benchmark runs on, for the line above its table."""
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, {gigabytes:.0f} GiB"


def make_network(region: Region) -> dict[str, list[str]]:
    """Return a VpcConfig of private subnets in a region."""
    vpc = region.vpc()
    return {"Subnets": [region.subnet(vpc)], "SecurityGroupIds": [region.group(vpc)]}


def populate(
    models: int,
    training_jobs: int,
    network: dict[str, list[str]],
    account: str = ACCOUNT,
    region: str = REGION,
) -> None:
    """Fill a region with just so many models and training jobs, past the API for speed."""
    backend = sagemaker_backends[account][region]
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


def measure(installation: Installation, aws: EmbeddedAWS, folder: Path, *arguments: str) -> Cost:
    """Scan the account once and return what it cost."""
    aws.calls.clear()
    command = [str(installation.prowler), "aws", "--no-banner", *arguments]
    with subprocess.Popen(
        [*command, "--output-directory", str(folder / "output")],
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
    return Cost(
        Counter(call.api for call in seen),
        seen[-1].at - began,
        ended - began,
        usage.ru_utime + usage.ru_stime,
        peak_megabytes(usage),
    )


def peak_megabytes(usage: resource.struct_rusage) -> float:
    """Return a process's peak memory; Linux counts it in KiB and macOS in bytes."""
    return usage.ru_maxrss / (2**10 if sys.platform == "linux" else 2**20)


if __name__ == "__main__":
    sys.exit(main())
