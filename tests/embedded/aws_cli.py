"""The AWS CLI, and the commands that our texts show."""

import re
import sys
from pathlib import Path

from .installation import ROOT

DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
AWS = Path(sys.executable).with_name("aws")


def on_pages(program: str) -> list[str]:
    """Return a program's commands on all pages, in blocks, tables and sentences, each in one line.

    They are without the brackets of placeholders and without what follows, such as a pipe.
    """
    lines: list[str] = []
    for path in PAGES:
        text = re.sub(r" *\\\n +", " ", path.read_text("utf-8"))
        lines += re.findall(r"^ {4,}(\S.*)$", text, re.MULTILINE)
        for block in re.findall(r"^```(?:sh|bash)?\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
            lines += block.splitlines()
        sentences = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
        lines += [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", sentences)]
    plain = (re.sub(r"<([^<> ]+)>", r"\1", line) for line in lines if re.match(f"{program} ", line))
    return sorted({re.split(r" \| | &&| +# | > ", line)[0] for line in plain})


def commands_in(text: str) -> list[str]:
    """Return the commands of the AWS CLI in fenced and indented blocks of Markdown, a line each."""
    return re.findall(r"^ *(aws .+)$", text.replace("\\\n", " "), re.MULTILINE)
