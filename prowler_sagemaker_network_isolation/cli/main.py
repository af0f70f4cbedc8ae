"""The command line of `sagemaker-isolation`."""

import argparse
import io
import json
import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from . import evidence, join
from .baseline import compare
from .findings import Finding, of_latest_scans, read
from .progress import Progress
from .report import NOT_JUDGED, Report, data_of
from .sarif import alerts_of, limits, sarif_of
from .summary import summarize
from .text import lines_of, painter
from .words import complain, counted

STOPPED = 130  # what a shell says of a command that was interrupted


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
        arguments: What follows the command; what the process was given, if None.
    """
    asked = parser().parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # names may hold what has no place in UTF-8
            stream.reconfigure(errors="backslashreplace")
    try:
        code: int = asked.run(asked)
        if sys.stdout:  # None where it is closed
            sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):  # as by `| head`
            complain(f"the output cannot be written: {error.strerror}.")
        return NOT_JUDGED
    except KeyboardInterrupt:
        complain("stopped.")
        return STOPPED
    return code


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(
        "sagemaker-isolation",
        description="Reads what Prowler wrote with the checks of SageMaker's network isolation. "
        "Calls nothing, and changes nothing but the files that it is told to write.",
    )
    commands = made.add_subparsers(required=True, metavar="COMMAND")

    report = commands.add_parser(
        "report",
        help="what fails, what to fix first, and what could not be judged",
        description="Prints what fails, what to fix first, and what could not be judged.",
        epilog="Exit codes: 0 if everything was judged and nothing fails; 1 if something was not "
        "judged and is not muted, or the output is not whole, or not the plugin's; 3 if "
        "something fails and is not muted (with --baseline: and did not fail there).",
    )
    report.add_argument("output", nargs="+", type=place, help="Prowler's output: folders or files")
    report.add_argument("--baseline", type=place, metavar="EARLIER", help="an earlier output")
    report.add_argument("--sarif", type=place, metavar="FILE", help="write SARIF for code scanning")
    report.add_argument("--format", choices=("text", "json"), default="text")
    report.add_argument(
        "--allow-empty", action="store_true", help="it is right if there is nothing to judge"
    )
    report.set_defaults(run=run_report)

    of_evidence = commands.add_parser(
        "evidence",
        help="what scans found for requirements of the frameworks, night by night",
        description="Prints what scans found for requirements, out of the compliance CSV files.",
        epilog="Exit codes: 0; 1 if a requirement has no evidence or a file is broken.",
    )
    of_evidence.add_argument("folder", type=place, help="where the outputs of the scans are")
    of_evidence.add_argument(
        "requirements", nargs="*", metavar="REQUIREMENT", help="such as cc_6_6; all, if none"
    )
    of_evidence.set_defaults(run=lambda a: evidence.run(a.folder, a.requirements))

    of_join = commands.add_parser(
        "join",
        help="join the findings of many scans in one CSV and one OCSF file",
        description="Writes findings.csv and findings.ocsf.json out of all findings below a "
        "folder.",
        epilog="Exit codes: 0; 1 if a file is broken and therefore left out.",
    )
    of_join.add_argument("folder", type=place, help="where the outputs of the scans are")
    of_join.set_defaults(run=lambda a: join.run(a.folder))
    return made


def place(text: str) -> Path:
    """Return a file or folder of the command line; an empty one would be the current folder.

    Raises:
        argparse.ArgumentTypeError: It is empty, as an unset variable is.
    """
    if not text:
        raise argparse.ArgumentTypeError("it is empty: name a file or a folder")
    return Path(text)


def run_report(asked: argparse.Namespace) -> int:
    """Print a report and return the exit code.

    Args:
        asked: The command line.
    """
    progress = Progress("findings", sys.stderr)
    findings, superseded, problems = usable(asked.output, progress)
    changes = None
    if asked.baseline:
        earlier, _, wrong = usable([asked.baseline], progress)
        problems += [f"in the baseline: {problem}" for problem in wrong]
        if not (earlier or wrong or asked.allow_empty):
            problems.append(f"the baseline {asked.baseline} has no finding of the plugin's.")
        if not wrong and is_within(asked.output, asked.baseline):
            problems.append(
                f"the baseline {asked.baseline} holds the output itself, so nothing would be new: "
                "name an earlier output."
            )
        changes = compare(earlier, findings)
    progress.end()
    if not (findings or problems or asked.allow_empty):
        problems.append(
            "nothing was judged: there is no finding of the plugin's. If there is nothing to "
            "judge in the account, give --allow-empty."
        )
    if asked.sarif and not problems:  # a SARIF that lacks alerts closes them
        problems += write_sarif(findings, asked.sarif)
    report = Report(summarize(findings), changes, problems, superseded)
    if asked.format == "json":
        print(json.dumps(data_of(report), indent=2))
    else:
        print("\n".join(lines_of(report, painter(sys.stdout))))
    for problem in problems:
        complain(problem)
    return report.exit_code


def usable(places: list[Path], progress: Progress) -> tuple[list[Finding], int, list[str]]:
    """Return the plugin's findings of the latest scans, the number of its others, and problems.

    Args:
        places: Folders or OCSF files.
        progress: Told of each finding.
    """
    found, problems = read(places, progress.advance)
    ours = [finding for finding in found if finding.is_ours]
    for check, number in Counter(f.check for f in found if not f.is_ours).items():
        problems.append(
            f"{counted(number, 'finding')} of {check.id} ({check.title}) without the plugin's "
            "evidence: Prowler's built-in check answered, or a tool left the evidence out. Install "
            "the plugin where Prowler runs, and scan again into a new folder."
        )
    latest = of_latest_scans(ours)
    return latest, len(ours) - len(latest), problems


def is_within(places: list[Path], folder: Path) -> bool:
    """Return whether a folder has one of the files or folders in it, or is one of them."""
    real = folder.resolve()
    return folder.is_dir() and any(
        real in (where, *where.parents) for where in (place.resolve() for place in places)
    )


def write_sarif(findings: list[Finding], path: Path) -> list[str]:
    """Write findings as SARIF, say what code scanning will not show, and return problems."""
    if path.name.endswith(".ocsf.json"):  # a slip that would cost the findings
        return [f"{path} has a name of Prowler's findings: give the SARIF another."]
    alerts = alerts_of(findings)
    try:
        path.write_text(json.dumps(sarif_of(alerts), indent=1), "utf-8")
    except OSError as error:
        return [f"{path} cannot be written: {error.strerror}."]
    if sentence := limits(len(alerts)):
        complain(sentence)
    return []
