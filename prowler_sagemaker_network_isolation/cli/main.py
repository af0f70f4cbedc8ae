"""The command line of `sagemaker-isolation`."""

import argparse
import io
import json
import os
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from .baseline import compare
from .findings import CHECKS, in_force, read
from .report import NOT_JUDGED, Report, data_of, unanswered
from .sarif import sarif_of
from .text import lines_of
from .words import complain, named

_STOPPED = 130  # what a shell says of a command that was interrupted


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
        arguments: What follows the command; what the process was given, if None.
    """
    asked = parser().parse_args(arguments)
    if asked.sarif and (
        asked.sarif.name.endswith(".ocsf.json") or asked.sarif in (*asked.output, asked.baseline)
    ):
        parser().error("--sarif has the name of findings, which would be lost: give it another")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # names may hold what has no place in UTF-8
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _report(asked)
        if sys.stdout:  # None where it is closed
            sys.stdout.flush()
    except OSError as error:
        if error.filename is None:  # what is left of the output has nowhere to go
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):  # as by `| head`
            complain(f"{error.filename or 'the output'} cannot be used: {error.strerror}.")
        return NOT_JUDGED
    except KeyboardInterrupt:
        complain("stopped.")
        return _STOPPED
    return code


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(
        "sagemaker-isolation",
        description="Reads what Prowler wrote with the checks of SageMaker's network isolation. "
        "Calls nothing, and changes nothing but the file that it is told to write.",
    )
    made.add_argument("--version", action="version", version=f"%(prog)s {_version()}")
    report = made.add_subparsers(required=True, metavar="COMMAND").add_parser(
        "report",
        help="what fails, what to fix first, and what could not be judged",
        epilog="Exit codes: 0 if everything was judged and nothing fails; 1 if something was not "
        "judged and is not muted, or the output is not whole, or not the plugin's; 3 if "
        "something fails and is not muted (with --baseline: and did not fail there).",
    )
    report.add_argument("output", nargs="+", type=_place, help="Prowler's output: folders or files")
    report.add_argument(
        "--checks",
        nargs="+",
        choices=CHECKS,
        default=[next(iter(CHECKS))],
        metavar="CHECK",
        help="the checks of which each account must have a finding; the models' check, if none",
    )
    report.add_argument("--baseline", type=_place, metavar="EARLIER", help="an earlier output")
    report.add_argument("--sarif", type=_place, metavar="FILE", help="write SARIF")
    report.add_argument("--format", choices=("text", "json"), default="text")
    return made


def _version() -> str:
    """Return the plugin's version."""
    try:
        return version("prowler-sagemaker-network-isolation")
    except PackageNotFoundError:
        return "(not installed: a checkout)"


def _place(text: str) -> Path:
    """Return a file or folder; an empty one, as of an unset variable, is not the current folder."""
    if not text:
        raise argparse.ArgumentTypeError("it is empty: name a file or a folder")
    return Path(text)


def _report(asked: argparse.Namespace) -> int:
    """Print a report and return the exit code."""
    if asked.sarif and asked.sarif.is_file() and not asked.sarif.is_symlink():  # as /dev/stdout is
        asked.sarif.unlink()  # a run that writes none must not leave an older one for its own
    output = read(asked.output)
    findings = in_force(output.findings)
    problems = output.problems + unanswered(output, findings, asked.checks)
    ours = [finding for finding in findings if finding.is_ours]
    changes = None
    if asked.baseline:
        of_baseline = read([asked.baseline])
        earlier = in_force(of_baseline.findings)
        wrong = of_baseline.problems + unanswered(of_baseline, earlier, ())
        if _is_within(asked.output, asked.baseline):
            wrong.append(
                "it holds the output itself, so nothing would be new: name an earlier one."
            )
        elif not (earlier or wrong):
            wrong.append("there is no finding of the plugin's.")
        problems += [f"the baseline {asked.baseline}: {problem}" for problem in wrong]
        changes = compare([finding for finding in earlier if finding.is_ours], ours)
        if places := [" ".join(place) for place in changes.not_looked_at]:
            problems.append(
                f"not gone, but not looked at: the baseline has findings, and the output none, of "
                f"{named(places)}. Scan there; or if all that was there is deleted, renew the "
                "baseline."
            )
    if asked.sarif and not problems:  # a SARIF that lacks alerts closes them
        document, sentence = sarif_of(ours)
        asked.sarif.write_text(json.dumps(document, indent=1), "utf-8")
        if sentence:
            complain(sentence)
    report = Report(ours, changes, problems, len(output.findings) - len(findings))
    if asked.format == "json":
        print(json.dumps(data_of(report), indent=2))
    else:
        print("\n".join(lines_of(report)))
    for problem in problems:
        complain(problem)
    return report.exit_code


def _is_within(places: list[Path], folder: Path) -> bool:
    """Return whether a folder has one of the files or folders in it, or is one of them."""
    real = folder.resolve()
    return any(real in (where, *where.parents) for where in (place.resolve() for place in places))
