"""Many accounts of the embedded AWS, and `make bench-accounts`: how many one machine scans.

The benchmark runs docs/organisations/scan-accounts.sh on empty accounts and on large ones, one and
two at a time, and prints a table in Markdown. CPU seconds do not depend on what else the machine
does, as the wall's do. Memory is the peak of the largest process, which is a scan; the embedded AWS
runs beside it and is counted in neither.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ..embedded.account import Region
from ..embedded.installation import FAILED, ROOT, Installation, access, build_wheel
from ..embedded.server import EmbeddedAWS
from .bench import REGION, machine, make_network, peak_megabytes, populate

SCRIPT = ROOT / "docs" / "organisations" / "scan-accounts.sh"
ROLE = "sagemaker-isolation-scan"  # the default of scan-role.yaml


def role_arn(account: str) -> str:
    """Return the role of an account that the scans assume."""
    return f"arn:aws:iam::{account}:role/{ROLE}"


def region_of(aws: EmbeddedAWS, account: str, name: str) -> Region:
    """Return a region of an account, with the credentials of its role."""
    sts = aws.client("sts", name)
    answer = sts.assume_role(RoleArn=role_arn(account), RoleSessionName="build")["Credentials"]
    return Region(
        aws,
        name,
        {
            "aws_access_key_id": answer["AccessKeyId"],
            "aws_secret_access_key": answer["SecretAccessKey"],
            "aws_session_token": answer["SessionToken"],
        },
    )


def environment(bin_folder: Path, home: Path, parallel: int, **more: str) -> dict[str, str]:
    """Return the environment of the script.

    Args:
        bin_folder: The folder of the `prowler` command.
        home: A folder for what Prowler keeps.
        parallel: The number of scans at a time.
        more: Further variables.
    """
    path = f"{bin_folder}:/usr/bin:/bin"
    return {"PATH": path, "HOME": str(home), "PARALLEL": str(parallel), **more}


def main() -> int:
    """Run the benchmark and return its exit code."""
    parser = argparse.ArgumentParser(prog="make bench-accounts", description=__doc__)
    parser.add_argument("--latency", type=float, default=50, help="milliseconds for each call")
    parser.add_argument("--accounts", type=int, default=4)
    parser.add_argument("--models", type=int, nargs="+", default=[0, 1000])
    parser.add_argument("--parallel", type=int, nargs="+", default=[1, 2])
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, EmbeddedAWS() as aws:
        folder = Path(name)
        ours = Installation.make(folder / "ours", Path(sys.prefix))
        ours.install(str(build_wheel(folder / "dist")))
        ids = [f"{number:012}" for number in range(1, wanted.accounts + 1)]
        accounts = folder / "accounts"
        accounts.write_text("\n".join(ids))
        networks = {account: make_network(region_of(aws, account, REGION)) for account in ids}
        aws.latency = wanted.latency / 1000
        one = folder / "one"
        one.write_text(ids[0])
        measure(ours, aws, one, folder / "warm", 1)  # the first start of all compiles Prowler
        print(
            f"{machine()}, {wanted.latency:g} ms for each call, {len(ids)} accounts, one region.\n"
            "\n| models of each | at a time | seconds for each account | accounts an hour | CPU "
            "seconds of each scan | MB of each scan |\n| ---: | ---: | ---: | ---: | ---: | ---: |",
            flush=True,
        )
        for models in wanted.models:
            for account, network in networks.items():
                populate(models, 0, network, account)
            for parallel in wanted.parallel:
                output = folder / f"{models}-{parallel}"
                seconds, usage = measure(ours, aws, accounts, output, parallel)
                each = seconds / len(ids)
                cpu = (usage.ru_utime + usage.ru_stime) / len(ids)
                print(
                    f"| {models:,} | {parallel} | {each:.1f} | {3600 / each:.0f} | {cpu:.1f} | "
                    f"{peak_megabytes(usage):.0f} |",
                    flush=True,
                )
    return 0


def measure(
    installation: Installation, aws: EmbeddedAWS, accounts: Path, output: Path, parallel: int
) -> tuple[float, resource.struct_rusage]:
    """Run the script once and return its seconds, and what it and its descendants used."""
    began = time.monotonic()
    with subprocess.Popen(
        [str(SCRIPT), str(accounts), ROLE, str(output), "--region", REGION],
        env=environment(installation.prowler.parent, output.parent, parallel, **access(aws)),
        stdout=subprocess.DEVNULL,
    ) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, FAILED):
        raise SystemExit(f"The script ended with {process.returncode}; its reason is above.")
    return time.monotonic() - began, usage


if __name__ == "__main__":
    sys.exit(main())
