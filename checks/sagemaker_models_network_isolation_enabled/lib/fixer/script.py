"""The script of an endpoint: the template `remediation.sh`, with a plan in its head."""

import json
import shlex
from pathlib import Path

from .descriptions import OWN, Description
from .plan import Plan

TEMPLATE = Path(__file__).with_name("remediation.sh")
# The template has the values of an example between these.
BEGIN, END = "\naccount=", "# --- The end of the plan."
FOLDER, FILE = 0o700, 0o600  # it holds no secret, and is for its owner to run all the same


def script(plan: Plan) -> str:
    """Return the shell script that carries a plan out."""
    head, _, rest = TEMPLATE.read_text("utf-8").partition(BEGIN)
    tail = rest.partition(END)[2]
    values = {
        "account": plan.account,
        "region": plan.region,
        "endpoint": plan.endpoint,
        "config": plan.config.name,
        "config_created": str(plan.config.created),
        "new_config": plan.new_config,
        "models": as_json(
            {
                model.name: {"created": model.created}
                if copy is None
                else {"created": model.created, "copy": copy.name, "VpcConfig": copy.vpc_config}
                for model, copy in plan.models
            }
        ),
        "settings": as_json(
            {
                f"{one.kind} {one.name}": settings_of_copy(one)
                for one in (plan.config, *(model for model, copy in plan.models if copy))
            }
        ),
    }
    lines = [f"{name}={shlex.quote(value)}" for name, value in values.items()]
    return "\n".join([head, *lines, f"{END}{tail}"])


def settings_of_copy(one: Description) -> list[str]:
    """Return the members of a description that a copy has too, without those that hold others."""
    return [
        name
        for name in one.members
        if name.partition(".")[0] not in OWN
        and not any(other.startswith(f"{name}.") for other in one.members)
    ]


def as_json(members: dict[str, object]) -> str:
    """Return an object in JSON, a member a line."""
    lines = (f"{json.dumps(name)}: {json.dumps(value)}" for name, value in members.items())
    return "{" + ",\n  ".join(lines) + "}"


def write(folder: Path, plan: Plan) -> Path:
    """Write the script of a plan, and return where it is.

    Args:
        folder: The folder of the run, which need not be there.
        plan: The plan.

    Raises:
        OSError: It cannot be written.
    """
    folder.mkdir(FOLDER, parents=True, exist_ok=True)
    place = folder / plan.region
    place.mkdir(FOLDER, exist_ok=True)
    path = place / f"{plan.endpoint}.sh"
    path.touch(FILE)
    path.write_text(script(plan), encoding="utf-8")
    return path
