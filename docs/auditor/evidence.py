"""Show what scans found for requirements, night by night, out of Prowler's compliance CSV files.

Usage: python3 evidence.py FOLDER REQUIREMENT...

Reads every compliance CSV of the plugin's frameworks below the folder, and prints for each
requirement a line for each scan, and the models that did not pass in the latest scan of their
account. Ends with 1 where a requirement has no evidence at all.
"""

import csv
import sys
from collections import Counter
from pathlib import Path

Row = dict[str, str]


def main(folder: Path, requirements: list[str]) -> int:
    """Print the evidence and return the exit code.

    Args:
        folder: Where the outputs of the scans are, at any depth.
        requirements: Ids of the frameworks, such as cc_6_6.
    """
    rows: list[Row] = []
    for path in sorted(folder.rglob("*_sagemaker_network_isolation_aws.csv")):
        with path.open(encoding="utf-8", newline="") as lines:
            rows += csv.DictReader(lines, delimiter=";")
    for requirement in requirements:
        show(requirement, [row for row in rows if row["REQUIREMENTS_ID"] == requirement])
    found = {row["REQUIREMENTS_ID"] for row in rows}
    return 0 if found.issuperset(requirements) else 1


def show(requirement: str, rows: list[Row]) -> None:
    """Print the evidence for one requirement.

    Args:
        requirement: Its id.
        rows: Its rows of the compliance CSV files.
    """
    print(f"{requirement}: {rows[0]['FRAMEWORK'] if rows else 'no scan has it'}")
    scans: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        scans.setdefault((row["ACCOUNTID"], row["ASSESSMENTDATE"]), []).append(row)
    latest = {account: max(date for a, date in scans if a == account) for account, _ in scans}
    for (account, date), found in sorted(scans.items()):
        counts = Counter(
            f"{row['STATUS']}{' muted' if row['MUTED'] == 'True' else ''}" for row in found
        )
        said = ", ".join(f"{number} {status}" for status, number in sorted(counts.items()))
        print(f"  {date[:16]} account {account}: {said}")
    for account, date in sorted(latest.items()):
        for row in scans[account, date]:
            if row["STATUS"] != "PASS":
                muted = " muted" if row["MUTED"] == "True" else ""
                print(f"    {row['STATUS']}{muted} {row['REGION']} {row['STATUSEXTENDED']}")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
