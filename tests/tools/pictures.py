"""`make pictures`: the pictures of docs/pictures, from runs of the demo's account.

Needs `script` of util-linux, because Prowler draws its tables for a terminal; Chromium for the HTML
report; and npm, with a registry, for the style sheet that the report takes from a CDN. On Debian:
`apt-get install bsdutils chromium npm`.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

from ..embedded import account
from ..embedded.installation import CHECK, ROOT, Installation, Scan, access, build_wheel
from ..embedded.server import EmbeddedAWS
from .demo import show

PICTURES = ROOT / "docs" / "pictures"
WIDTH = 100  # columns of the terminal
COMMAND = f"prowler aws --checks {CHECK} \\\n    --region {' '.join(account.REGIONS)}"
REPORT, NARROW = "sagemaker-isolation report output", 80
CUT = "[…]"
REPORTED = "public-ipv6"  # the finding of docs/auditor.md
SHOWN = ("everything", "open-halves", "public-ipv6", "not-described", "pipeline")
BOOTSTRAP = "bootstrap@4.5.0"
CHROMIUM = (
    *("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"),
    *("--no-first-run", "--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--hide-scrollbars", "--window-size=2200,1000"),
)


def main() -> None:
    """Make all pictures; where a tool is missing, make none."""
    if missing := [tool for tool in ("script", "chromium", "npm") if not shutil.which(tool)]:
        sys.exit(f"make pictures needs {', '.join(missing)}; the pictures are left as they were.")
    with tempfile.TemporaryDirectory() as name, EmbeddedAWS() as aws:
        folder = Path(name)
        installation = Installation.make(folder / "venv", Path(sys.prefix))
        installation.install(str(build_wheel(folder / "dist")))
        account.build(aws)
        printed = in_a_terminal(COMMAND, WIDTH, installation, aws, folder)
        # Left out, and marked so: the banner and the credentials before it, and after it the paths
        # of this machine's files and Prowler's advertisement.
        results = printed[printed.index("Executing 1 check") : printed.index("Detailed results")]
        draw(f"$ {COMMAND}\n{CUT}\n{results.strip()}\n{CUT}", "scan", WIDTH)
        report = in_a_terminal(REPORT, NARROW, installation, aws, folder)
        draw(f"$ {REPORT}\n{report.strip()}", "report-terminal", NARROW)
        scan = Scan(0, "", "", folder / "output")
        rows = {row["RESOURCE_NAME"]: row for row in scan.rows() if row["REGION"] == "eu-west-1"}
        draw("\n\n".join(map(show, (rows[model] for model in SHOWN))), "demo", WIDTH)
        photograph(scan.file("*.html"), folder)


def in_a_terminal(
    command: str, width: int, installation: Installation, aws: EmbeddedAWS, folder: Path
) -> str:
    """Return what a command prints in a terminal, with its colours, as it stands at the end."""
    command = f"stty cols {width}; {installation.folder}/bin/{command}"
    done = subprocess.run(
        ["script", "--quiet", "--return", "--command", command, os.devnull],  # noqa: S607
        env={"HOME": str(folder), "PATH": os.environ["PATH"], "TERM": "xterm", **access(aws)},
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    # A line that is written over again and again is what it was last.
    lines = (
        re.split(r"\r(?!$)", line.rstrip("\r"))[-1] for line in done.stdout.decode().split("\n")
    )
    return "\n".join(line.removeprefix("\033[K") for line in lines)


def draw(text: str, name: str, width: int) -> None:
    """Write a text with a terminal's colours as a picture of a terminal."""
    console = Console(record=True, width=width, file=Path(os.devnull).open("w"))  # noqa: SIM115
    console.print(Text.from_ansi(text))
    path = PICTURES / f"{name}.svg"
    console.save_svg(str(path), title="Terminal", unique_id=name)
    print(path.relative_to(ROOT))


def photograph(report: Path, folder: Path) -> None:
    """Write a screenshot of the HTML report."""
    subprocess.run(["npm", "pack", "--silent", BOOTSTRAP], cwd=folder, check=True)  # noqa: S607
    (archive,) = folder.glob("bootstrap-*.tgz")
    shutil.unpack_archive(archive, folder)
    style = (folder / "package" / "dist" / "css" / "bootstrap.min.css").read_text("utf-8")
    html = report.read_text("utf-8").replace("</head>", f"<style>{style}</style></head>")
    page = folder / "report.html"
    html = re.sub(r"<(script|link|img)\b[^>]*https://[^>]*>", "", html)
    # As if filtered by the resource: the page's own filter comes from the CDN too.
    head, *rows = re.split(r"(?=<tr class=)", html)
    found = [row for row in rows if f":model/{REPORTED}<" in row.replace("<wbr />", "")]
    page.write_text(f"{head}{''.join(found)}</tbody></table></body></html>", "utf-8")
    path = PICTURES / "report.png"
    profile = f"--user-data-dir={folder / 'profile'}"
    subprocess.run(
        [*CHROMIUM, profile, f"--screenshot={path}", page.as_uri()],
        check=True,
        stderr=subprocess.DEVNULL,
    )
    print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
