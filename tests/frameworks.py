"""The frameworks in `metadata/` are written once and read by Prowler in two formats.

Prowler's older format puts a framework into every finding; its universal format makes the table in
the terminal and a CSV with a column for each attribute. Each file holds both: the older one is the
source (its keys are capitalised), and `make frameworks` derives the universal one from it.
"""

import json
from pathlib import Path
from typing import Any

from .installation import ROOT

FOLDER = ROOT / "metadata"


def with_universal_format(framework: dict[str, Any]) -> dict[str, Any]:
    """Return a framework with the universal format that follows from the older one in it.

    Args:
        framework: The content of a file of `metadata/`.
    """
    source = {key: value for key, value in framework.items() if key[0].isupper()}
    requirements = [
        {
            "id": requirement["Id"],
            "name": requirement["Name"],
            "description": requirement["Description"],
            "attributes": requirement["Attributes"][0],
            "checks": {"aws": requirement["Checks"]},
        }
        for requirement in source["Requirements"]
    ]
    keys = dict.fromkeys(key for r in requirements for key in r["attributes"])
    return {
        **source,
        "framework": source["Framework"],
        "name": source["Name"],
        "provider": "AWS",
        "version": source["Version"],
        "description": source["Description"],
        "attributes_metadata": [{"key": key, "type": "str", "required": True} for key in keys],
        "outputs": {"table_config": {"group_by": "Section"}},
        "requirements": requirements,
    }


def read(path: Path) -> dict[str, Any]:
    """Return the content of a framework's file."""
    framework: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return framework


if __name__ == "__main__":
    for file in sorted(FOLDER.glob("*.json")):
        text = json.dumps(with_universal_format(read(file)), indent=2, ensure_ascii=False)
        file.write_text(f"{text}\n", "utf-8")
        print(f"{file.relative_to(ROOT)} is written in both formats")
