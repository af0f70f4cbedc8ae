"""The IAM policy for scanning: just what the calls of every path need, and what each is for."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Response

from ..embedded import engine
from ..embedded.account import ACCOUNT, Region
from ..embedded.installation import CHECKS, Installation
from ..embedded.server import Answer, Call, EmbeddedAWS, Fault, on, refuse
from ..tools import permissions
from ..tools.frameworks import put_in
from ..tools.permissions import NOT_TO_GRANT, REGION, TAG, permission

pytestmark = pytest.mark.untraced

OTHER_REGION = "ap-south-2"
ARN = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model/sound"
# The paths of a scan: the arguments of Prowler's provider, and what AWS refuses.
PATHS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "Search works": ({}, []),
    "Search is refused": ({}, ["Search"]),
    "limited to a model": ({"resource_arn": [ARN]}, []),
    "limited to a model, and Search is refused": ({"resource_arn": [ARN]}, ["Search"]),
    "limited to a tag": ({"resource_tags": [TAG]}, []),
}
GRANTED = {action for actions in permissions.granted().values() for action in actions}
Said = dict[tuple[str, str], tuple[Any, ...]]


@pytest.fixture(scope="module")
def account(aws: EmbeddedAWS) -> None:
    """Models in a VPC in two regions, one of which has a model for each kind of violation."""
    permissions.build(aws)
    region = Region(aws, OTHER_REGION)
    vpc = region.vpc()
    region.model("elsewhere", [region.subnet(vpc)], [region.group(vpc)])


@contextmanager
def seen(aws: EmbeddedAWS) -> Iterator[set[str]]:
    """Yield a set that has, at the end, the permissions that the calls in between needed."""
    aws.calls.clear()
    found: set[str] = set()
    yield found
    found.update(map(permission, aws.calls))


@pytest.fixture(scope="module")
def needed(aws: EmbeddedAWS, account: None) -> dict[str, set[str]]:
    """The permissions that each path needed, Prowler's own calls included."""
    found = {}
    for path, (arguments, refused) in PATHS.items():
        faults = [on(api)(refuse) for api in refused]
        with seen(aws) as found[path], aws.failing(*faults):
            made = engine.provider(aws, REGION, OTHER_REGION, **arguments)
            assert engine.scan(aws, made, CHECKS, CHECKS), path
    return found


@pytest.fixture(scope="module")
def said(aws: EmbeddedAWS, account: None) -> Said:
    """What the findings say where nothing is refused."""
    return engine.said(engine.scan(aws, engine.provider(aws, REGION, OTHER_REGION), CHECKS, CHECKS))


def only(allowed: set[str]) -> Fault:
    """Return a fault: AWS refuses every call but those that a policy allows."""

    def fault(call: Call, answer: Answer) -> Response | None:
        always = permission(call) == "sts:GetCallerIdentity"
        return None if always or permission(call) in allowed else refuse(call, answer)

    return fault


def test_the_calls_of_a_plain_run(
    aws: EmbeddedAWS, account: None, installed: Installation, tmp_path: Path
) -> None:
    with seen(aws) as calls:
        scan = installed.scan(aws, tmp_path, "--checks", *CHECKS, "--region", REGION)
    found = {key for check in CHECKS for key in scan.findings(check)}
    assert found == {(REGION, name) for name in (*permissions.TRUTH, *permissions.SCHEDULES)}
    assert calls == GRANTED - {permissions.TAGGING} | NOT_TO_GRANT


@pytest.mark.parametrize("path", PATHS)
def test_no_path_makes_a_call_that_the_policy_lacks(needed: dict[str, set[str]], path: str) -> None:
    assert needed[path] - NOT_TO_GRANT <= GRANTED


def test_beside_other_checks_ours_makes_no_call_that_the_policy_lacks(
    aws: EmbeddedAWS, account: None
) -> None:
    made = engine.provider(aws, REGION)
    with seen(aws) as theirs:
        engine.scan(aws, made, [engine.SISTER], engine.SISTER)
    with seen(aws) as together:
        engine.scan(aws, made, [engine.SISTER, *CHECKS])
    assert together - theirs <= GRANTED


def test_the_policy_has_no_action_that_no_path_needs(needed: dict[str, set[str]]) -> None:
    assert set().union(*needed.values()) >= GRANTED


def test_a_scan_with_just_the_policy_says_all(aws: EmbeddedAWS, said: Said) -> None:
    with aws.failing(only(GRANTED)):
        made = engine.provider(aws, REGION, OTHER_REGION)
        assert engine.said(engine.scan(aws, made, CHECKS, CHECKS)) == said


def test_a_scan_without_what_is_optional_says_all(aws: EmbeddedAWS, said: Said) -> None:
    statements = permissions.granted().items()
    needs = {a for sid, actions in statements if not sid.startswith("Optional") for a in actions}
    # Of these the table says what is lost: a model is MANUAL.
    decides = set(permissions.granted()["OptionalFirewalls"])
    assert GRANTED - needs == {"sagemaker:Search", permissions.TAGGING, *decides}
    with aws.failing(only(needs | decides)):
        made = engine.provider(aws, REGION, OTHER_REGION)
        assert engine.said(engine.scan(aws, made, CHECKS, CHECKS)) == said


@pytest.mark.slow
def test_the_page_says_what_is_lost_without_each(aws: EmbeddedAWS, account: None) -> None:
    page = permissions.PAGE.read_text("utf-8")
    assert page == put_in(page, permissions.table(aws), "make permissions")


def test_the_page_explains_every_statement_and_call() -> None:
    page = permissions.PAGE.read_text("utf-8")
    for name in (*permissions.granted(), *NOT_TO_GRANT):
        assert f"\n| `{name}` |" in page
