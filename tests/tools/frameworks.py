"""The frameworks in `metadata/` are written once and read by Prowler in two formats.

Prowler's older format puts a framework into every finding; its universal format makes the table in
the terminal and a CSV with a column for each attribute. Each file holds both: the older one is the
source (its keys are capitalised), and `make frameworks` derives the universal one from it, the
table of docs/compliance.md, and the audit by hand of docs/auditor.md.
"""

import json
from pathlib import Path
from typing import Any

from ..embedded.installation import CHECKS, ROOT

FOLDER = ROOT / "metadata"
SOP = "sop_sagemaker_network_isolation_aws"


def with_universal_format(framework: dict[str, Any]) -> dict[str, Any]:
    """Return a framework with the universal format that follows from the older one in it.

    Each of our checks is evidence for each requirement.

    Args:
        framework: The content of a file of `metadata/`.
    """
    source = {key: value for key, value in framework.items() if key[0].isupper()}
    source["Requirements"] = [{**r, "Checks": list(CHECKS)} for r in source["Requirements"]]
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
    """Return the content of a file in JSON, such as a framework's."""
    content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return content


def rows() -> list[str]:
    """Return the table of every mapping: each requirement of each framework but the SOP's."""
    made = [
        "| standard | id | name | why this check is evidence | whose mapping |",
        "| --- | --- | --- | --- | --- |",
    ]
    for path in sorted(FOLDER.glob("*.json")):
        framework = read(path)
        standard = framework["Name"].rpartition(" as evidence for ")[2]
        for requirement in framework["Requirements"] if path.stem != SOP else ():
            identity = f"`{requirement['Id']}` | {requirement['Name']}"
            comment = requirement["Attributes"][0]["Comment"]
            made.append(f"| {standard} | {identity} | {requirement['Description']} | {comment} |")
    return made


def put_in(page: str, made: str) -> None:
    """Put into a page of docs/ what was made, in the place of what was made before."""
    path, begin, end = ROOT / "docs" / page, "<!-- made by make frameworks -->\n", "<!-- end -->\n"
    before, _, rest = path.read_text("utf-8").partition(begin)
    path.write_text(f"{before}{begin}\n{made.rstrip()}\n\n{end}{rest.partition(end)[2]}", "utf-8")


if __name__ == "__main__":
    for file in sorted(FOLDER.glob("*.json")):
        text = json.dumps(with_universal_format(read(file)), indent=2, ensure_ascii=False)
        file.write_text(f"{text}\n", "utf-8")
    put_in("compliance.md", "\n".join(rows()))
    # The SOP's audit procedure is the same for the page and for Prowler's CSV.
    (sop,) = read(FOLDER / f"{SOP}.json")["Requirements"][0]["Attributes"]
    put_in("auditor.md", sop["AuditProcedure"])
    print("metadata/, docs/compliance.md and docs/auditor.md have what is made of the frameworks")
