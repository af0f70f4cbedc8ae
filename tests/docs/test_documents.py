"""The documents: every command is one, every sentence is explained, every link leads somewhere, and
no text claims more than is checked."""

import ast
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from prowler_sagemaker_network_isolation.cli.main import parser

from ..embedded import aws_cli
from ..embedded.account import Region
from ..embedded.installation import CHECK, CHECKS, METADATA, ROOT, Installation
from ..embedded.server import EmbeddedAWS

DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
SCHEMAS = {
    ".github/dependabot.yml": "vendor.dependabot",
    ".github/workflows/newest-prowler.yml": "vendor.github-workflows",
    ".github/workflows/release.yml": "vendor.github-workflows",
    ".github/workflows/test.yml": "vendor.github-workflows",
    "docs/ci/github-action.yml": "vendor.github-workflows",
    "docs/ci/github-pip.yml": "vendor.github-workflows",
    "docs/ci/gitlab.yml": "vendor.gitlab-ci",
}
CONTENTS = DOCS / "README.md"
FRAMEWORKS = sorted((ROOT / "metadata").glob("*.json"))
BEGINNINGS = re.compile("(aws|make|prowler|sagemaker-isolation) ")


def commands(path: Path) -> list[str]:
    """Return the commands on a page, each in one line: of blocks, of tables and of sentences."""
    text = re.sub(r" *\\\n +", " ", path.read_text("utf-8"))
    lines = re.findall(r"^ {4,}(\S.*)$", text, re.MULTILINE)
    for block in re.findall(r"^```(?:sh|bash)?\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        lines += block.splitlines()
    sentences = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    lines += [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", sentences)]
    return [re.sub(r" +# .*", "", line) for line in lines if BEGINNINGS.match(line)]


COMMANDS = sorted({command for path in PAGES for command in commands(path)})


def test_prowler_takes_every_command(installed: Installation) -> None:
    """By the parser of an installation with the plugin, whose frameworks it knows."""
    arguments = [
        shlex.split(re.sub("[<>]", "", re.split(r" \| | &&", command)[0]))[1:]
        for command in COMMANDS
        if command.startswith("prowler aws ")
    ]
    assert len(arguments) > 8
    code = f"""
from prowler.lib.cli.parser import ProwlerArgumentParser
for arguments in {arguments!r}:
    ProwlerArgumentParser().parser.parse_args(arguments)
"""
    python = str(installed.python)
    subprocess.run([python, "-c", code], cwd=installed.folder, check=True)


@pytest.mark.parametrize(
    "command", [c for c in COMMANDS if re.match(r"sagemaker-isolation \w+ ", c)]
)
def test_the_plugins_command_takes_every_command(command: str) -> None:
    arguments = re.sub("[<>]", "", re.split(r" \| | &&", command)[0])
    assert parser().parse_args(shlex.split(arguments)[1:])


@pytest.mark.parametrize(
    "command", [c for c in COMMANDS if c.startswith("aws ") and "s3 cp" not in c]
)
def test_the_aws_cli_takes_every_command(command: str) -> None:
    aws_cli.check(command.partition(" > ")[0])


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith("make ")])
def test_make_has_every_target(command: str) -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in (word for word in shlex.split(command)[1:] if "=" not in word):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_make_help_has_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    phony = re.search(r"^\.PHONY:((?:.*\\\n)*.*)", makefile, re.MULTILINE)
    assert phony
    # Under `make test` it is a make of a make, which says so before and after.
    help_ = ["make", "--no-print-directory", "help"]
    done = subprocess.run(help_, cwd=ROOT, capture_output=True, text=True, check=True)
    lines = [line.split(maxsplit=1) for line in done.stdout.splitlines()]
    assert [target for target, _ in lines] == phony[1].replace("\\\n", "").split()


@pytest.mark.slow
def test_the_audit_by_hand_can_be_run(
    aws: EmbeddedAWS, aws_cli_command: Path, tmp_path: Path
) -> None:
    """The commands of docs/sop.md, by the AWS CLI, on what is isolated."""
    region = Region(aws, "ap-southeast-3")
    vpc = region.vpc()
    values = {
        "model-name": "fraud",
        "vpc-id": vpc,
        "subnet-id-in-zone-a": region.subnet(vpc),
        "subnet-id-in-zone-b": region.subnet(vpc),
        "sg-id": region.group(vpc, "10.0.0.0/8"),
        "prefix-list-id": region.prefix_list("198.51.100.0/24"),
    }
    subnets = [values["subnet-id-in-zone-a"], values["subnet-id-in-zone-b"]]
    region.model("fraud", subnets, [values["sg-id"]])
    region.schedule("watch", subnets, [values["sg-id"]])
    values |= {"monitoring-schedule-name": "watch", "job-definition-name": "watch"}
    made = (DOCS / "sop.md").read_text("utf-8").partition("\n## By hand\n")[2]
    by_hand = aws_cli.commands_in(made)
    printed = aws_cli.run(aws, region.name, by_hand, values, tmp_path, aws_cli_command)
    for answer, words in zip(
        printed,
        (
            ('"fraud"',),
            ('"EnableNetworkIsolation": true', *subnets, values["sg-id"]),
            (*subnets, vpc),
            ("Associations", "Routes"),
            (values["sg-id"], "10.0.0.0/8"),
            ("198.51.100.0/24",),
            ('"watch"',),
            ('"MonitoringJobDefinitionName": "watch"', '"MonitoringType": "DataQuality"'),
            ('"EnableNetworkIsolation": true', *subnets, values["sg-id"]),
        ),
        strict=True,
    ):
        assert all(word in answer for word in words), answer


def test_a_delegated_administrator_says_so() -> None:
    """Without --call-as CloudFormation takes the caller for the management account."""
    page = (DOCS / "organisations.md").read_text("utf-8")
    assert "--call-as DELEGATED_ADMIN" in page
    for operation in ("create-stack-set", "create-stack-instances"):
        (command,) = (c for c in COMMANDS if c.startswith(f"aws cloudformation {operation} "))
        aws_cli.check(f"{command} --call-as DELEGATED_ADMIN")


SUBNETS = re.compile(
    r'subnets *= *\[(.*?)\]|Subnets"?: *\[(.*?)\]|Subnets=([^ ]+)|Subnets:\n((?: +- .+\n)+)'
)


@pytest.mark.parametrize(
    "path",
    [*PAGES, *DOCS.glob("remediation/*"), METADATA, *FRAMEWORKS],
    ids=lambda path: path.name,
)
def test_every_example_has_two_subnets_in_two_availability_zones(path: Path) -> None:
    text = path.read_text("utf-8").replace("\\n", "\n").replace('\\"', '"')
    for found in SUBNETS.findall(text):
        subnets = set(re.findall(r"<[\w-]+>|subnet-\w+", "".join(found)))
        assert len(subnets) == 2, found
        in_zones = re.search(r"(in_|-in-)zone(_|-)a", "".join(subnets))
        assert in_zones or "Availability Zone" in text, found


def test_the_examples_of_subnets_are_seen() -> None:
    texts = ("subnets = [x]", "Subnets: [x]", '"Subnets": [x]', "Subnets=x,y ", "Subnets:\n  - x\n")
    assert all(SUBNETS.search(text) for text in texts)


@pytest.mark.parametrize(
    "claim",
    [
        *("controlled network only", "cannot reach", "directly accessible", "neither sends"),
        *("segment of its own", "be reached", "reaches the model", "way back", "offline"),
    ],
)
def test_no_text_claims_more_than_is_checked(claim: str) -> None:
    """IAM decides who may call InvokeEndpoint, whatever a model's network is."""
    for path in (*PAGES, METADATA, *FRAMEWORKS):
        text = " ".join(path.read_text("utf-8").split())
        for about in NOT_ABOUT_CALLERS:
            text = text.replace(about, "")
        assert claim not in text, path.name


# What a container cannot do, which CreateModel's documentation says.
NOT_ABOUT_CALLERS = ("which an isolated container cannot reach",)


def anchors(path: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.MULTILINE)
    plain = (re.sub(r"\[(.+?)\]\(.+?\)", r"\1", heading) for heading in headings)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in plain}


@pytest.mark.parametrize(
    "path",
    [*PAGES, ROOT / "CHANGELOG.md", *sorted((ROOT / ".github").glob("*.md"))],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_every_link_to_a_file_leads_somewhere(path: Path) -> None:
    text = re.sub(r"^```.*?^```", "", path.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if re.match(r"https://", target):
            continue
        name, _, anchor = target.partition("#")
        file = path.parent / name if name else path
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


def test_the_table_of_contents_has_every_page() -> None:
    contents = CONTENTS.read_text("utf-8")
    assert "(docs/README.md)" in PAGES[0].read_text("utf-8")
    for path in PAGES[1:]:
        assert path == CONTENTS or f"]({path.name})" in contents, path.name


@pytest.mark.parametrize("name", SCHEMAS)
def test_github_and_gitlab_take_their_files(name: str) -> None:
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", SCHEMAS[name]]
    done = subprocess.run(
        [*check, ROOT / name], capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", [name for name in SCHEMAS if "workflows" in SCHEMAS[name]])
def test_every_action_is_pinned_to_a_commit(name: str) -> None:
    """By its hash, with what that is in a comment."""
    actions = re.findall(r"uses: (.+)", (ROOT / name).read_text("utf-8"))
    assert actions
    for action in actions:
        assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # (v\d+\.\d+\.\d+|\d{4}-\d\d-\d\d)", action)


def test_the_readme_is_read_in_one_sitting() -> None:
    assert len(PAGES[0].read_text("utf-8").split()) <= 1200


def runs_of_three_words(text: str) -> set[str]:
    """Return all runs of three words of a text."""
    words = re.findall(r"[\w:.-]+", text)
    return {" ".join(words[i : i + 3]).strip(".:") for i in range(len(words) - 2)}


def sentences(source: str) -> Iterator[list[str]]:
    """Yield each text of a source that is not a docstring, in the parts between what is put in."""
    tree = ast.parse(source)
    skipped: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            skipped.add(node.value)
        elif isinstance(node, ast.JoinedStr):
            skipped |= set(node.values)
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = [v.value if isinstance(v, ast.Constant) else "\0" for v in node.values]
            yield "".join(map(str, parts)).split("\0")
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in skipped:
            yield [node.value]


def test_every_part_of_a_sentence_is_seen() -> None:
    source = """
def f():
    'A docstring is none.'
    yield f"subnet {x} is public"
    text = "a b c" " d"
    text += f" (joined with {others})"
"""
    seen = [["subnet ", " is public"], [" (joined with ", ")"], ["a b c d"]]
    assert sorted(sentences(source)) == sorted(seen)


def test_every_sentence_that_the_check_says_is_explained() -> None:
    lib = ROOT / "checks" / CHECK / "lib"
    sources = [
        *lib.glob("*.py"),
        *(ROOT / "checks" / check / f"{check}.py" for check in CHECKS),
        *(ROOT / "prowler_sagemaker_network_isolation").glob("*.py"),
    ]
    explained = runs_of_three_words((DOCS / "troubleshooting.md").read_text("utf-8"))
    said = 0
    for path in sources:
        for parts in sentences(path.read_text("utf-8")):
            runs = set().union(*map(runs_of_three_words, parts))
            words = any(re.search(r"\w[,:;]? \w+[,:;]? \w", part) for part in parts)
            progress = parts[-1].endswith("...")  # in the log, which needs no remedy
            if words and runs and not progress:
                said += 1
                assert runs & explained, (path.name, parts)
    assert said > 50
