"""What is lost without each permission of docs/iam-policy.json: one scan for each, without it.

`make permissions` writes the table of docs/permissions.md; the tests run the same scans.
"""

import json
import logging
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from werkzeug.wrappers import Response

from ..embedded import engine
from ..embedded.account import EVERYWHERE, Region
from ..embedded.installation import CHECK, CHECKS, ROOT
from ..embedded.server import Answer, Call, EmbeddedAWS, error, on, refuse
from .frameworks import put_in

POLICY = ROOT / "docs" / "iam-policy.json"
PAGE = ROOT / "docs" / "permissions.md"
REGION, NOT_ENABLED = "il-central-1", "ap-southeast-4"
TAG = "team=risk"
TAGGING = "tag:GetResources"
# What Prowler calls and the policy does not allow, because no scan needs the permission.
NOT_TO_GRANT = {"sts:GetCallerIdentity", "organizations:DescribeAccount"}

# What a scan with every permission says, by model.
TRUTH = {
    "sound": "PASS",
    "in-no-vpc": "FAIL",
    "public-subnet": "FAIL",
    "open-group": "FAIL",
    "open-list": "FAIL",
    "two-firewalls": "PASS",
    "unsecured": "FAIL",
    "components": "PASS",
    "components-off": "FAIL",
}
# Sound monitoring schedules: one for each type of job definition, and one with its own.
SCHEDULES: dict[str, str | None] = {
    "watch-data": "DataQuality",
    "watch-bias": "ModelBias",
    "watch-explainability": "ModelExplainability",
    "watch-quality": "ModelQuality",
    "watch-inline": None,
}


def build(aws: EmbeddedAWS) -> None:
    """Make the account: a sound model, one for each violation, and one that has nothing right; two
    endpoint configurations; and the monitoring schedules."""
    region = Region(aws, REGION)
    vpc = region.vpc()
    route = {"DestinationCidrBlock": EVERYWHERE, "GatewayId": region.internet_gateway(vpc)}
    private, public = region.subnet(vpc), region.subnet(vpc, region.table(vpc, route))
    closed, open_group = region.group(vpc), region.group(vpc, EVERYWHERE)
    key, value = TAG.split("=")
    tags = {key: value}
    region.model("sound", [private], [closed], tags=tags)
    region.model("in-no-vpc", tags=tags)
    region.model("public-subnet", [public], [closed], tags=tags)
    region.model("open-group", [private], [open_group], tags=tags)
    everyone = region.group(vpc, region.prefix_list(EVERYWHERE))
    region.model("open-list", [private], [everyone], tags=tags)
    apart = region.vpc()
    behind = region.separate_firewalls(apart, region.internet_gateway(apart))
    region.model("two-firewalls", [behind], [region.group(apart)], tags=tags)
    region.model("unsecured", isolated=False, tags=tags)
    aws_tags = [{"Key": key, "Value": value}]
    region.components("components", [private], [closed], Tags=aws_tags)
    region.components("components-off", isolated=False, Tags=aws_tags)
    for name, kind in SCHEDULES.items():
        region.schedule(name, [private], [closed], kind=kind, tags=tags)


def permission(call: Call) -> str:
    """Return the permission that a call needs; its name is the API's in all services here."""
    service = "tag" if call.service == "tagging" else call.service
    return f"{service}:{call.api}"


def several(value: str | list[str]) -> list[str]:
    """Return the values of a member of a policy, which may be one or a list."""
    return [value] if isinstance(value, str) else value


def granted() -> dict[str, list[str]]:
    """Return the actions of each statement of the policy, by its Sid."""
    statements = json.loads(POLICY.read_text("utf-8"))["Statement"]
    return {statement["Sid"]: statement["Action"] for statement in statements}


@dataclass(frozen=True)
class Row:
    """One scan without some permissions.

    Attributes:
        by_tag: Whether the scan is limited to a tag, as with --resource-tag.
    """

    refused: tuple[str, ...] = ()
    by_tag: bool = False

    def __str__(self) -> str:
        words = " and ".join(f"`{name}`" for name in self.refused) or "nothing"
        return f"{words}, with `--resource-tag`" if self.by_tag else words


def rows() -> Iterator[Row]:
    """Yield the rows of the table: none missing, each missing, and what Search makes up for."""
    yield Row()
    for action in dict.fromkeys(action for actions in granted().values() for action in actions):
        yield Row((action,), by_tag=action == TAGGING)
    for action in granted()["EachModel"]:
        yield Row((action, "sagemaker:Search"))
    yield Row(("organizations:DescribeAccount",))


def only_one_region(_: Call, __: Answer) -> Response:
    """A fault of DescribeRegions: the account has enabled one region of the two."""
    item = f"<item><regionName>{REGION}</regionName></item>"
    xml = f"<DescribeRegionsResponse><regionInfo>{item}</regionInfo></DescribeRegionsResponse>"
    return Response(xml, content_type="text/xml")


def not_enabled(call: Call, answer: Answer) -> Response | None:
    """A fault: SageMaker of a region that is not enabled does not know the credentials."""
    if (call.service, call.region) != ("sagemaker", NOT_ENABLED):
        return None
    return error("UnrecognizedClientException")(call, answer)


def run(row: Row, aws: EmbeddedAWS) -> list[Any]:
    """Return the findings of one row's scan; `aws.calls` has its calls.

    Prowler's command line runs a check on tagged resources only if one of them is of its service;
    so does this.
    """
    faults = [on(name.partition(":")[2])(refuse) for name in row.refused]
    aws.calls.clear()
    arguments: dict[str, Any] = {"resource_tags": [TAG]} if row.by_tag else {}
    with aws.failing(*faults, on("DescribeRegions")(only_one_region), not_enabled):
        made = engine.provider(aws, REGION, NOT_ENABLED, retries_max_attempts=0, **arguments)
        with engine.environment(aws):
            of_resources = made.get_checks_to_execute_by_audit_resources()
        if row.by_tag and CHECK not in of_resources:
            return []
        return engine.scan(aws, made, CHECKS, CHECKS)


def line(row: Row, aws: EmbeddedAWS) -> str:
    """Run one row's scan and return its line of the table."""
    findings = run(row, aws)
    names = (*TRUTH, *SCHEDULES)
    of = {f.resource_id: f for f in findings if f.region == REGION and f.resource_id in names}
    statuses = [of[name].status if name in of else "none" for name in TRUTH]
    schedules = Counter(of[name].status for name in SCHEDULES if name in of)
    statuses.append(
        ", ".join(f"{n} {status}" for status, n in sorted(schedules.items(), reverse=True))
        or "none"
    )
    tagged = sum(bool(f.resource_tags) for f in of.values())
    other = [f"{f.status} for {f.region}" for f in findings if f not in of.values()]
    calls = sum(call.service == "sagemaker" for call in aws.calls)
    texts = " ".join(f.status_extended for f in findings)
    named = dict.fromkeys(f"`{name}`" for name in re.findall(r"allow (\w+:\w+)", texts))
    cells = [str(row), *statuses, str(tagged), str(calls), ", ".join(other), ", ".join(named)]
    return f"| {' | '.join(cells)} |\n"


def table(aws: EmbeddedAWS) -> str:
    """Run every row's scan and return the table."""
    names = [f"`{name}`" for name in TRUTH]
    heads = ["refused", *names, "5 schedules", "with tags", "calls to SageMaker", "besides"]
    heads.append("the findings name")
    rule = "| --- |" + " --- |" * (len(names) + 1) + " ---: | ---: | --- | --- |\n"
    return f"| {' | '.join(heads)} |\n{rule}" + "".join(line(row, aws) for row in rows())


def main() -> int:
    """Run every scan and write the table into its page."""
    logging.disable()
    with EmbeddedAWS() as aws:
        build(aws)
        made = table(aws)
    PAGE.write_text(put_in(PAGE.read_text("utf-8"), made, "make permissions"), "utf-8")
    print(f"{made}\nSee {PAGE.relative_to(ROOT)}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
