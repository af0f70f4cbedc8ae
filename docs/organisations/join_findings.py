"""Join the findings of many scans: `python3 join_findings.py FOLDER`.

Takes the findings that Prowler wrote anywhere below the folder, under its own names, and writes
findings.csv and findings.ocsf.json there. Ends with 1, and names the file, if one is broken.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

# Not the CSV of a compliance framework, whose name goes on with the framework's.
FINDINGS = re.compile(r"prowler-output-\d{12}-\d+\.(csv|ocsf\.json)")


def main(folder: Path) -> int:
    """Join the findings below a folder and return the exit code.

    Args:
        folder: The folder; an account without models has no file in it.
    """
    paths = [path for path in sorted(folder.rglob("*")) if FINDINGS.fullmatch(path.name)]
    ocsf: list[dict[str, Any]] = []
    rows: list[bytes] = []
    header = b""
    broken = 0
    for path in paths:
        try:
            if path.suffix == ".csv":
                columns, _, lines = path.read_bytes().partition(b"\n")
                if columns != (header := header or columns):
                    raise ValueError("its columns are not those of the others")
                rows.append(lines)
            else:
                ocsf += json.loads(path.read_text("utf-8"))
        except ValueError as error:
            broken = 1
            print(f"Not joined: {path}: {error}", file=sys.stderr)
    (folder / "findings.csv").write_bytes(b"".join([header, b"\n" * bool(header), *rows]))
    (folder / "findings.ocsf.json").write_text(json.dumps(ocsf, indent=2), "utf-8")
    print(f"{len(ocsf)} findings are in {folder}/findings.csv and {folder}/findings.ocsf.json.")
    return broken


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
