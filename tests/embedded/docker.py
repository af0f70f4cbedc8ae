"""Docker, as far as the CI recipes use it: `docker run` of Prowler's official image.

In the place of the image it runs the Prowler that the variable IMAGE names, below a root of its own
whose path the variable ROOT gives. What the image is was read in Prowler's Dockerfile: its entry
point is Prowler, its working directory /home/prowler. As with Docker, Prowler sees the variables
and the folders that the command line gives it and nothing else of the machine, but for the address
of the embedded AWS.
"""

import argparse
import os
import sys
from pathlib import Path


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("run", choices=["run"])
    parser.add_argument("--rm", action="store_true", required=True)
    parser.add_argument("-e", "--env", action="append", default=[])
    parser.add_argument("-v", "--volume", action="append", default=[])
    parser.add_argument("image")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    asked = parser.parse_args()

    root = Path(os.environ["ROOT"])
    for volume in asked.volume:
        source, target, *_ = volume.split(":")
        place = root / target.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(source)
    home = root / "home" / "prowler"
    home.mkdir(parents=True, exist_ok=True)

    kept = ("AWS_ENDPOINT_URL", "AWS_EC2_METADATA_DISABLED", "PATH", "LANG")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    environment["HOME"] = str(home)
    for variable in asked.env:
        name, is_given, value = variable.partition("=")
        if is_given or name in os.environ:
            environment[name] = value or os.environ[name]
    if path := environment.get("PYTHONPATH"):
        environment["PYTHONPATH"] = str(root / path.lstrip("/"))
    os.chdir(home)
    sys.stdout.flush()
    os.execve(os.environ["IMAGE"], [os.environ["IMAGE"], *asked.arguments], environment)  # noqa: S606


if __name__ == "__main__":
    main()
