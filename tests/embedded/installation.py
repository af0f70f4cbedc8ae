"""Prowler installations for the tests and the demo: thin virtual environments over one Prowler.

Installing Prowler takes minutes and gigabytes, so an installation here sees the packages of one
shared environment through a .pth file, and has only the plugin for itself.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .server import Call, EmbeddedAWS

ROOT = Path(__file__).parents[2]
CHECK = "sagemaker_models_network_isolation_enabled"
CONFIG_CHECK = "sagemaker_endpoint_configs_network_isolation_enabled"
SCHEDULE_CHECK = "sagemaker_monitoring_schedule_network_isolation_enabled"
CHECKS = (CHECK, CONFIG_CHECK, SCHEDULE_CHECK)
METADATA = ROOT / "checks" / CHECK / f"{CHECK}.metadata.json"
BUILT_IN_TITLE = "Amazon SageMaker model has network isolation enabled"
FRAMEWORKS = sorted(path.stem for path in (ROOT / "metadata").glob("*.json"))
FRAMEWORK = "aws_ai_security_framework_aws"  # Prowler's smallest that has the built-in check
FAILED = 3  # Prowler's exit code for findings that are FAIL


@dataclass
class Scan:
    """What one run of the real CLI gave.

    Attributes:
        code: The exit code.
        stdout: What it printed.
        stderr: What it printed there.
        output: The folder that it wrote to.
        calls: What the embedded AWS was asked meanwhile.
    """

    code: int
    stdout: str
    stderr: str
    output: Path
    calls: tuple[Call, ...] = ()

    def file(self, pattern: str) -> Path:
        """Return the one file that was written under a name such as "*.html"."""
        (path,) = self.output.glob(pattern)
        return path

    def rows(self, pattern: str = "*.csv") -> list[dict[str, str]]:
        """Return the rows of CSV files; of the findings, where no other name is given."""
        rows: list[dict[str, str]] = []
        for path in self.output.glob(pattern):
            with path.open(encoding="utf-8", newline="") as lines:
                rows += csv.DictReader(lines, delimiter=";")
        assert rows, f"no {pattern}: {self.stdout}{self.stderr}"
        return rows

    def findings(self, *checks: str) -> dict[tuple[str, str], dict[str, str]]:
        """Return the CSV's rows of some checks by region and resource name, by default CHECK's."""
        return {
            (row["REGION"], row["RESOURCE_NAME"]): row
            for row in self.rows()
            if row["CHECK_ID"] in (checks or (CHECK,))
        }

    def ocsf(self, pattern: str = "*.ocsf.json") -> list[dict[str, Any]]:
        """Return the OCSF findings."""
        texts = (path.read_text("utf-8") for path in self.output.glob(pattern))
        return [finding for text in texts for finding in json.loads(text)]


@dataclass
class Installation:
    """A Prowler, with or without the plugin.

    Attributes:
        folder: The virtual environment.
        shared: The site-packages of the Prowler that it sees.
    """

    folder: Path
    shared: Path

    @classmethod
    def make(cls, folder: Path, prowler: Path) -> Installation:
        """Make an installation without the plugin, unless one is there.

        Args:
            folder: Where.
            prowler: The virtual environment with the Prowler to see.
        """
        (shared,) = prowler.glob("lib/python*/site-packages")
        made = cls(folder, shared.resolve())
        if not folder.exists():
            venv.create(folder, symlinks=True)
            made.home.mkdir()
            made.packages.joinpath("prowler.pth").write_text(
                f"{made.own_prowler.parent}\n{made.shared}\n"
            )
            script = (prowler / "bin" / "prowler").read_text().split("\n", 1)[1]
            made.prowler.write_text(f"#!{folder}/bin/python\n{script}")
            made.prowler.chmod(0o755)
        return made

    @property
    def packages(self) -> Path:
        """Its own site-packages."""
        (packages,) = self.folder.glob("lib/python*/site-packages")
        return packages

    @property
    def bin(self) -> Path:
        """The folder of its commands."""
        return self.folder / "bin"

    @property
    def prowler(self) -> Path:
        """Its `prowler` command."""
        return self.bin / "prowler"

    @property
    def own_prowler(self) -> Path:
        """The package of the Prowler that it has for itself, to be written to, after `slim`."""
        return self.folder / "own" / "prowler"

    def slim(self) -> Installation:
        """Give it a Prowler of its own that starts in 5 CPU seconds, and not in 28; return it.

        A run reads every framework and imports every provider, so the copy has one framework, and
        no provider but AWS (one whose folder is no package does not count).
        """

        def unneeded(folder: str, names: list[str]) -> list[str]:
            match Path(folder).relative_to(self.shared / "prowler").parts:
                case ("compliance", *_):
                    return [n for n in names if n.endswith(".json") and n != f"{FRAMEWORK}.json"]
                case ("providers", provider) if provider not in ("aws", "common"):
                    return ["__init__.py", "services"]
            return []

        if not self.own_prowler.exists():
            shutil.copytree(self.shared / "prowler", self.own_prowler, ignore=unneeded)
        return self

    def install(self, *what: str) -> None:
        """Install the plugin by pip: a wheel, or "-e" and a folder."""
        self._pip("install", "--no-deps", "--quiet", *what)

    def uninstall(self) -> None:
        """Remove the plugin by pip."""
        self._pip("uninstall", "--yes", "--quiet", "prowler-sagemaker-network-isolation")

    def _pip(self, *arguments: str) -> None:
        pip = [sys.executable, "-m", "pip", "--python", str(self.bin / "python")]
        subprocess.run([*pip, *arguments], check=True, env={**os.environ, **offline_pip()})

    @property
    def home(self) -> Path:
        """The home of whoever runs it."""
        return self.folder / "home"

    def run(self, *command: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command with its own commands first in the path, and variables, in its home."""
        return self.run_in(self.home, *command, **variables)

    def run_in(
        self, folder: Path, *command: str | Path, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in a folder."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PYTHON", "LOG_"))}
        kept |= {"HOME": str(self.home), "PATH": f"{self.bin}{os.pathsep}{kept['PATH']}"}
        return subprocess.run(
            command,
            env={**kept, **variables},
            capture_output=True,
            text=True,
            cwd=folder,
            check=False,
        )

    def shell(
        self, script: str, folder: Path, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a script in a folder as a CI job does: bash stops at the first command that fails."""
        return self.run_in(folder, "bash", "-e", "-o", "pipefail", "-c", script, **variables)

    def python(self, code: str, folder: Path | None = None, **variables: str) -> tuple[str, str]:
        """Run code in its Python, in its home or a folder; return what it prints, and to stderr.

        Raises:
            subprocess.CalledProcessError: The code ended with an error.
        """
        command = ("python", "-W", "ignore", "-c", code)
        done = self.run_in(folder or self.home, *command, **variables)
        sys.stderr.write(done.stderr)
        done.check_returncode()
        return done.stdout, done.stderr

    def finds(self, folder: Path | None = None, **variables: str) -> tuple[list[str], str]:
        """Return the folders that Prowler's discovery finds for our checks, and what is complained.

        It comes to that as every `prowler` command does, in half a second.
        """
        code = f"""
import prowler.config.config
from prowler.lib.check.utils import recover_checks_from_provider
print(*sorted(path for name, path in recover_checks_from_provider("aws", "sagemaker")
              if name in {CHECKS}))
"""
        printed, complaints = self.python(code, folder, **variables)
        return printed.split(), complaints

    def scan(self, aws: EmbeddedAWS, output: Path, *arguments: str | Path) -> Scan:
        """Scan the embedded AWS with the arguments, writing to the folder."""
        before = len(aws.calls)
        command = ("prowler", "aws", "--no-banner", "--output-directory", output)
        done = self.run(*command, *arguments, **access(aws))
        return Scan(done.returncode, done.stdout, done.stderr, output, tuple(aws.calls[before:]))


def offline_pip() -> dict[str, str]:
    """Return the environment variables by which pip builds without the network.

    The build backend comes from the environment that runs this.
    """
    return {
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # pip reads this name's value as the option's opposite
        "PIP_NO_INDEX": "1",
        "PYTHONPATH": os.pathsep.join(p for p in sys.path if p.endswith("-packages")),
    }


def access(aws: EmbeddedAWS, key: str = "testing") -> dict[str, str]:
    """Return the environment variables that point the AWS SDKs at the embedded AWS."""
    return {
        "AWS_ENDPOINT_URL": aws.url,
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def copy_sources(folder: Path) -> None:
    """Copy the project, because setuptools writes beside its sources, where others may build too.

    Args:
        folder: Where to; it must not be there yet.
    """
    unneeded = shutil.ignore_patterns(".*", "build", "output", "tests", "__pycache__")
    shutil.copytree(ROOT, folder, symlinks=True, ignore=unneeded)


def build_wheel(folder: Path) -> Path:
    """Build the plugin's sdist and, out of that, its wheel; return the wheel.

    Args:
        folder: The folder to put both in.
    """
    with tempfile.TemporaryDirectory() as name:
        source = Path(name, "source")
        copy_sources(source)
        build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder)]
        done = subprocess.run([*build, str(source)], capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"The wheel could not be built:\n{done.stdout}{done.stderr}")
    (wheel,) = folder.glob("*.whl")
    return wheel


def digest(folder: Path) -> dict[str, str]:
    """Return the digest of each file below a folder, but for what Python caches."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def verdicts(scan: Scan) -> dict[tuple[str, str], tuple[str, str, str]]:
    """Return what a scan says of all that is judged, in words that do not depend on the run."""
    return {
        key: (row["STATUS"], row["STATUS_EXTENDED"], row["CHECK_TITLE"])
        for key, row in scan.findings(*CHECKS).items()
    }
