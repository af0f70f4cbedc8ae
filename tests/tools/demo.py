"""`make demo`: the plugin, the real Prowler and an account to scan, on one machine.

Builds the plugin, starts the embedded AWS on a free port, scans it with the real CLI, shows each
finding with its reason, stops the server it started, and reports on what was scanned.
"""

import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

from ..embedded import account
from ..embedded.installation import CHECKS, FAILED, ROOT, Installation, Scan, access, build_wheel
from ..embedded.server import EmbeddedAWS

WIDTH = 80
COLOURS = {"PASS": "\033[32m", "FAIL": "\033[31m", "MANUAL": "\033[33m"}


def main() -> int:
    """Run the demo and return its exit code: 0 when the findings are those that the account has."""
    folder, output = ROOT / "build" / "demo", ROOT / "output"
    for path in (folder, output):
        shutil.rmtree(path, ignore_errors=True)
    folder.mkdir(parents=True)
    say("Building the plugin and installing it beside Prowler ...")
    installation = Installation.make(folder / "venv", Path(sys.prefix))
    installation.install(str(build_wheel(folder / "dist")))
    with EmbeddedAWS() as aws:
        say(f"Starting an AWS account of moto on {aws.url} ...")
        judged = account.build(aws)
        options = ["--region", *account.REGIONS, "--checks", *CHECKS]
        say(f"$ prowler aws {' '.join(options)}")
        command = ["aws", "--no-banner", *options, "--output-directory", output.name]
        environment = {"HOME": str(folder), "PATH": "/usr/bin:/bin", **access(aws)}
        scan = [str(installation.prowler), *command]
        code = subprocess.run(scan, cwd=ROOT, env=environment, check=False).returncode
    if code not in (0, FAILED):
        print(f"Prowler ended with {code}; nothing of the account was judged.", file=sys.stderr)
        return 1
    rows = Scan(code, "", "", output).rows()
    print(f"\n{len(rows)} findings, in which prowler exits with {code}:")
    for row in sorted(rows, key=lambda row: (row["STATUS"], row["REGION"], row["RESOURCE_NAME"])):
        shown = show(row)
        print("\n" + (shown if sys.stdout.isatty() else re.sub(r"\033\[\d+m", "", shown)))
    print("\nThe files an auditor reads, with the evidence:")
    for path in sorted(output.glob("*.*")):
        print(f"  {path.relative_to(ROOT)}")
    report = [str(installation.prowler.with_name("sagemaker-isolation")), "report", output.name]
    say(f"$ sagemaker-isolation report {output.name} --checks ...")
    subprocess.run([*report, "--checks", *CHECKS], cwd=ROOT, check=False)
    say(f"prowler and sagemaker-isolation are in {installation.prowler.parent.relative_to(ROOT)}.")
    expected = {key: status for key, (status, _) in judged.items()}
    found = {(row["REGION"], row["RESOURCE_NAME"]): row["STATUS"] for row in rows}
    for key, status in sorted(expected.items() ^ found.items()):
        print(f"{key} is {status}, either expected or found", file=sys.stderr)
    return 0 if found == expected else 1


def say(line: str) -> None:
    """Print a line at once, so that progress is seen while the next step runs."""
    print(f"\n{line}", flush=True)


def show(row: dict[str, str]) -> str:
    """Return a finding in colours: its status, region, model and reason, in a terminal's width."""
    status = row["STATUS"]
    label = f"{COLOURS[status]}{status:6}\033[0m"
    reason = textwrap.wrap(row["STATUS_EXTENDED"], WIDTH - 7, break_on_hyphens=False)
    indented = textwrap.indent("\n".join(reason), " " * 7)
    return f"{label} {row['REGION']} {row['RESOURCE_NAME']}\n{indented}"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("\nStopped; the embedded AWS is stopped too.")
