"""The fault matrix: every API that the check calls, in every way that it can fail.

A cell is one scan of a small account with one fault at one API of one region. `make faults` runs
all cells and writes their outcomes to docs/faults.md; the tests run the same cells.
"""

import json
import logging
import re
import socket
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any
from xml.etree import ElementTree

from prowler.providers.aws.aws_provider import AwsProvider
from werkzeug.wrappers import Response

from ..embedded import engine
from ..embedded.account import EVERYWHERE, Region
from ..embedded.installation import CHECK, CONFIG_CHECK, ROOT, SCHEDULE_CHECK
from ..embedded.server import Answer, Call, EmbeddedAWS, Fault, error, on, refuse

FAULTY, SOUND = "eu-south-1", "ap-southeast-7"  # the region with the fault, and one without
TIMEOUT = 2  # seconds; long enough for a sound answer of a busy machine
PAGE = ROOT / "docs" / "faults.md"

NETWORK = ("NetworkConfig", "EnableNetworkIsolation", "VpcConfig", "Subnets", "SecurityGroupIds")
# What the check reads of each answer, by the names that stand in it.
READ = {
    "ListModels": ("Models", "ModelName", "ModelArn", "CreationTime"),
    "Search": (
        *("Results", "Model", "ModelArn", "CreationTime", "EnableNetworkIsolation"),
        *("VpcConfig", "Subnets", "SecurityGroupIds", "Tags"),
    ),
    "DescribeModel": (
        *("ModelArn", "EnableNetworkIsolation", "VpcConfig", "Subnets", "SecurityGroupIds"),
    ),
    "ListTags": ("Tags", "Key"),
    "DescribeSubnets": ("subnetSet", "subnetId", "vpcId", "ownerId", "cidrBlock"),
    "DescribeRouteTables": (
        *("routeTableSet", "routeTableId", "vpcId", "associationSet", "main", "subnetId"),
        *("routeSet", "destinationCidrBlock", "gatewayId", "networkInterfaceId", "state"),
    ),
    "DescribeSecurityGroups": (
        *("securityGroupInfo", "groupId", "ipPermissions", "ipRanges", "ipv6Ranges", "cidrIp"),
        *("prefixListIds", "prefixListId"),
    ),
    "GetManagedPrefixListEntries": ("entrySet", "cidr"),
    "DescribeVpcEndpoints": ("vpcEndpointSet", "vpcEndpointId", "vpcId", "subnetIdSet"),
    "ListEndpointConfigs": ("EndpointConfigs", "EndpointConfigName", "EndpointConfigArn"),
    "DescribeEndpointConfig": (
        *("EndpointConfigArn", "ProductionVariants", "EnableNetworkIsolation", "VpcConfig"),
        *("Subnets", "SecurityGroupIds"),
    ),
    "ListMonitoringSchedules": (
        *("MonitoringScheduleSummaries", "MonitoringScheduleName", "MonitoringScheduleArn"),
    ),
    "DescribeMonitoringSchedule": (
        *("MonitoringScheduleArn", "MonitoringScheduleConfig", "MonitoringJobDefinition"),
        *("MonitoringJobDefinitionName", "MonitoringType", *NETWORK),
    ),
    "DescribeDataQualityJobDefinition": ("JobDefinitionName", *NETWORK),
    # The members of these are those of the one before, and the same code reads them.
    "DescribeModelBiasJobDefinition": (),
    "DescribeModelExplainabilityJobDefinition": (),
    "DescribeModelQualityJobDefinition": (),
}
EC2 = (
    *("DescribeSubnets", "DescribeRouteTables", "DescribeSecurityGroups"),
    *("GetManagedPrefixListEntries", "DescribeVpcEndpoints"),
)

# What the account's models, endpoint configurations and monitoring schedules violate, by the check
# that judges them, and which APIs must answer for it to be known.
MODELS: dict[str, tuple[str, ...]] = {
    "sound": (),
    "sound-by-main-table": (),
    "sound-by-list": (),
    "two-firewalls": (),
    "not-isolated": ("DescribeModel",),
    "public": ("DescribeModel", "DescribeSubnets", "DescribeRouteTables"),
    "in-line": ("DescribeModel", "DescribeSubnets", "DescribeRouteTables"),
    "behind-a-firewall": (
        *("DescribeModel", "DescribeSubnets", "DescribeRouteTables", "DescribeVpcEndpoints"),
    ),
    "open": ("DescribeModel", "DescribeSecurityGroups"),
    "open-by-list": ("DescribeModel", "DescribeSecurityGroups", "GetManagedPrefixListEntries"),
}
CONFIGS: dict[str, tuple[str, ...]] = {
    "components": (),
    "components-off": ("DescribeEndpointConfig",),
    "components-public": ("DescribeEndpointConfig", "DescribeSubnets", "DescribeRouteTables"),
}
SCHEDULES: dict[str, tuple[str, ...]] = {
    "watch": (),
    "watch-inline": (),
    "watch-inline-off": ("DescribeMonitoringSchedule",),
    "watch-public": (
        *("DescribeMonitoringSchedule", "DescribeDataQualityJobDefinition"),
        *("DescribeSubnets", "DescribeRouteTables"),
    ),
    "watch-bias": ("DescribeMonitoringSchedule", "DescribeModelBiasJobDefinition"),
    "watch-explainability": (
        *("DescribeMonitoringSchedule", "DescribeModelExplainabilityJobDefinition"),
    ),
    "watch-quality": ("DescribeMonitoringSchedule", "DescribeModelQualityJobDefinition"),
}
TRUTH = {CHECK: MODELS, CONFIG_CHECK: CONFIGS, SCHEDULE_CHECK: SCHEDULES}
# What the sound region has: of each check one that passes and one that fails.
ELSEWHERE = ("sound", "public", "components", "components-public", "watch", "watch-public")
LISTS = {
    "ListModels": "model/unknown",
    "ListEndpointConfigs": "endpoint-config/unknown",
    "ListMonitoringSchedules": "monitoring-schedule/unknown",
}
DESCRIPTIONS = tuple(api for api in READ if api.startswith("Describe") and api not in EC2)
# An answer without these is how AWS says that there is none, so it is a violation and no fault.
STATEMENTS = {"VpcConfig", "SecurityGroupIds"}
SCHEDULE_STATEMENTS = {*STATEMENTS, "NetworkConfig", "EnableNetworkIsolation"}


def build(aws: EmbeddedAWS) -> None:
    """Make the account: all there is in the faulty region, and `ELSEWHERE` in the other."""
    tags = {"team": "risk"}
    for name in (FAULTY, SOUND):
        region = Region(aws, name)
        vpc = region.vpc()
        gateway = region.internet_gateway(vpc)
        private = region.subnet(vpc, region.table(vpc))
        route = {"DestinationCidrBlock": EVERYWHERE, "GatewayId": gateway}
        public = region.subnet(vpc, region.table(vpc, route))
        closed = region.group(vpc, "10.0.0.0/8")
        region.model("sound", [private], [closed], tags=tags)
        region.model("public", [private, public], [closed], tags=tags)
        region.components("components", [private], [closed])
        region.components("components-public", [private, public], [closed])
        region.schedule("watch", [private], [closed])
        region.schedule("watch-public", [private, public], [closed])
        if name == SOUND:
            continue
        region.model("sound-by-main-table", [region.subnet(vpc)], [closed], tags=tags)
        region.model("not-isolated", [private], [closed], isolated=False, tags=tags)
        partner = region.group(vpc, region.prefix_list("198.51.100.0/24"))
        region.model("sound-by-list", [private], [partner], tags=tags)
        in_a_row = region.group(vpc, region.prefix_list("7.0.0.0/8", "8.0.0.0/8"))
        region.model("open-by-list", [private], [closed, in_a_row], tags=tags)
        region.model("open", [private], [closed, region.group(vpc, EVERYWHERE)], tags=tags)
        appliance = {"NetworkInterfaceId": region.interface(public)}
        out = {"DestinationCidrBlock": EVERYWHERE, **appliance}
        inspected = region.subnet(vpc, region.table(vpc, out))
        back = {"DestinationCidrBlock": region.block(inspected), **appliance}
        region.ec2.associate_route_table(RouteTableId=region.table(vpc, back), GatewayId=gateway)
        region.model("in-line", [private, inspected], [closed], tags=tags)
        apart = region.vpc()
        behind = region.separate_firewalls(apart, region.internet_gateway(apart))
        region.model("two-firewalls", [behind], [region.group(apart)], tags=tags)
        firewall = {"VpcEndpointId": region.firewall(vpc, public)}
        out = {"DestinationCidrBlock": EVERYWHERE, **firewall}
        behind = region.subnet(vpc, region.table(vpc, out))
        region.model("behind-a-firewall", [behind], [closed], tags=tags)
        region.components("components-off", [private], [closed], isolated=False)
        region.schedule("watch-inline", [private], [closed], kind=None)
        region.schedule("watch-inline-off", [private], [closed], isolated=False, kind=None)
        for kind in ("Bias", "Explainability", "Quality"):
            off = ([private], [closed], False, f"Model{kind}")
            region.schedule(f"watch-{kind.lower()}", *off)


@dataclass(frozen=True)
class Cell:
    """One API and one way for it to fail.

    Attributes:
        way: The way, in words.
        make: Makes the fault; each scan gets a new one, because some count calls.
        passing: Whether retries overcome it, so that the findings are those without a fault.
        field: The member of the answer that is at fault, where it is one.
    """

    api: str
    way: str
    make: Callable[[], Fault]
    passing: bool = False
    field: str = ""

    def __str__(self) -> str:
        return f"{self.api}: {self.way}"

    @property
    def check(self) -> str:
        """The check that makes the call; that for models stands for all where all do."""
        if "Monitoring" in self.api or "JobDefinition" in self.api:
            return SCHEDULE_CHECK
        return CONFIG_CHECK if "EndpointConfig" in self.api else CHECK

    @property
    def is_statement(self) -> bool:
        """Whether AWS says something by what it leaves out of the answer."""
        member, _, way = self.way.partition(": ")
        says = SCHEDULE_STATEMENTS if self.check == SCHEDULE_CHECK else STATEMENTS
        return self.api in DESCRIPTIONS and member in says and way in ("missing", "null")


# Ways in which no permission would help.
TRANSIENT = ("throttled for good", "broken (HTTP 500)", "connection reset", "time-out")


def for_a_while(fault: Fault, calls: int = 1) -> Callable[[], Fault]:
    """Return a maker of a fault that ends after some calls."""

    def make() -> Fault:
        seen = count()
        return lambda call, answer: fault(call, answer) if next(seen) < calls else None

    return make


def constantly(fault: Fault) -> Callable[[], Fault]:
    """Return a maker of a fault that does not count calls."""
    return lambda: fault


def reset(call: Call, _: Answer) -> Response:
    """A fault: the connection is closed and there is no answer."""
    # Closing the socket would not do: the server still holds the files that were made of it.
    call.socket.shutdown(socket.SHUT_RDWR)
    raise ConnectionResetError


def late(_: Call, __: Answer) -> Response:
    """A fault: no answer within the client's time-out."""
    time.sleep(TIMEOUT + 1)
    return Response("")


def edited(
    edit_json: Callable[[Any, str], None],
    edit_xml: Callable[[ElementTree.Element, ElementTree.Element], None],
    field: str,
) -> Fault:
    """Return a fault: every member of a name is edited in AWS's answer.

    Args:
        edit_json: Edits a structure that has the member.
        edit_xml: Edits an element, given its parent.
        field: The member's name.
    """

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            for child in list(value.values()):
                walk(child)
            if field in value:
                edit_json(value, field)
        elif isinstance(value, list):
            for child in value:
                walk(child)

    def fault(call: Call, answer: Answer) -> Response:
        response = answer()
        if call.service == "ec2":
            root = ElementTree.fromstring(response.get_data())
            for parent in list(root.iter()):
                for child in list(parent):
                    if child.tag.rpartition("}")[2] == field:
                        edit_xml(parent, child)
            response.set_data(ElementTree.tostring(root))
        else:
            body = json.loads(response.get_data())
            walk(body)
            response.set_data(json.dumps(body))
        return response

    return fault


def empty(element: ElementTree.Element) -> None:
    """Take away what is in an XML element."""
    tag = element.tag
    element.clear()
    element.tag = tag


def missing(field: str) -> Fault:
    return edited(lambda s, key: s.pop(key), lambda parent, child: parent.remove(child), field)


def null(field: str) -> Fault:
    return edited(lambda s, key: s.update({key: None}), lambda _, child: empty(child), field)


def wrong_type(field: str) -> Fault:
    def garble(structure: dict[str, Any], key: str) -> None:
        structure[key] = 7 if not isinstance(structure[key], bool) else "true"

    def garble_xml(_: ElementTree.Element, child: ElementTree.Element) -> None:
        empty(child)
        child.text = "garbage"

    return edited(garble, garble_xml, field)


def first_item_gone(call: Call, answer: Answer) -> Response:
    """A fault: one of the things that were asked for is not in the answer."""
    response = answer()
    root = ElementTree.fromstring(response.get_data())
    items = next(e for e in root if len(e))
    # moto puts subnets into zones by chance, and answers them by zone.
    items.remove(min(items, key=lambda item: item.findtext("{*}cidrBlock") or ""))
    response.set_data(ElementTree.tostring(root))
    return response


def empty_page_with_token(_: Call, answer: Answer) -> Response:
    """A fault for a JSON answer: a page with nothing but a token, before the first one."""
    body = json.loads(answer().get_data())
    lists: dict[str, Any] = {key: [] for key, value in body.items() if isinstance(value, list)}
    return Response(json.dumps({**lists, "NextToken": "0"}))


def empty_xml_page_with_token(_: Call, answer: Answer) -> Response:
    root = ElementTree.fromstring(answer().get_data())
    for child in root:
        empty(child)
    namespace = root.tag.partition("}")[0] + "}" if root.tag.startswith("{") else ""
    ElementTree.SubElement(root, f"{namespace}nextToken").text = "next"
    return Response(ElementTree.tostring(root), content_type="text/xml")


def repeated_token(call: Call, answer: Answer) -> Response:
    response = answer()
    if call.service == "ec2":
        root = ElementTree.fromstring(response.get_data())
        for child in root:
            if child.tag.endswith("nextToken"):
                root.remove(child)
        namespace = root.tag.partition("}")[0] + "}" if root.tag.startswith("{") else ""
        ElementTree.SubElement(root, f"{namespace}nextToken").text = "again"
        response.set_data(ElementTree.tostring(root))
    else:
        response.set_data(json.dumps({**json.loads(response.get_data()), "NextToken": "again"}))
    return response


def cells() -> Iterator[Cell]:
    """Yield every cell of the matrix."""
    for api, fields in READ.items():
        ec2 = api in EC2
        refusal = "UnauthorizedOperation" if ec2 else "AccessDeniedException"
        throttling = "RequestLimitExceeded" if ec2 else "ThrottlingException"
        deny = "not authorized, with an explicit deny in a service control policy"
        ways: dict[str, Fault] = {
            "refused": refuse,
            "denied by a service control policy": error(refusal, deny),
            "throttled for good": error(throttling),
            "broken (HTTP 500)": error("InternalFailure", status=500),
            "connection reset": reset,
            "time-out": late,
            "expired token": error("RequestExpired" if ec2 else "ExpiredTokenException"),
            "region disabled": error("AuthFailure" if ec2 else "UnrecognizedClientException"),
            "empty body": lambda *_: Response("", 200),
            "HTML for an answer": lambda *_: Response("<html></html>", 200),
            "a token that repeats": repeated_token,
        }
        for way, fault in ways.items():
            yield Cell(api, way, constantly(fault))
        yield Cell(api, "throttled for a while", for_a_while(error(throttling)), True)
        yield Cell(
            api, "broken for a while", for_a_while(error("InternalFailure", status=500)), True
        )
        if api not in DESCRIPTIONS:
            page = empty_xml_page_with_token if ec2 else empty_page_with_token
            yield Cell(api, "an empty page with a token", for_a_while(page), True)
        # An entry that is gone from a prefix list is gone.
        if ec2 and api != "GetManagedPrefixListEntries":
            yield Cell(api, "an id that is gone", constantly(first_item_gone))
        if api in DESCRIPTIONS:
            models = api in ("DescribeModel", "DescribeEndpointConfig")
            gone = "ValidationException" if models else "ResourceNotFound"
            yield Cell(api, "an id that is gone", constantly(error(gone)))
        for field in fields:
            for way, make in {"missing": missing, "null": null, "wrong type": wrong_type}.items():
                # For botocore an XML list that has no items is empty, whatever else is in it; and
                # an empty list of rules is how AWS says that there are none.
                if field in ("ipPermissions", "entrySet") and way != "missing":
                    continue
                yield Cell(api, f"{field}: {way}", constantly(make(field)), field=field)


@dataclass(frozen=True)
class Providers:
    """Prowler's providers for the cells.

    Attributes:
        plain: Makes each call once.
        retrying: Retries, for faults that pass.
        impatient: Waits no longer than the time-out, for answers that are late.
    """

    plain: AwsProvider
    retrying: AwsProvider
    impatient: AwsProvider


def providers(aws: EmbeddedAWS) -> Providers:
    """Return the providers of both regions."""
    regions = (FAULTY, SOUND)
    return Providers(
        engine.provider(aws, *regions, retries_max_attempts=0),
        engine.provider(aws, *regions, retries_max_attempts=2),
        engine.provider(aws, *regions, retries_max_attempts=0, read_timeout=TIMEOUT),
    )


def run(cell: Cell, aws: EmbeddedAWS, made: Providers) -> list[Any]:
    """Return the findings of one cell's scan."""
    faults = [on(cell.api, FAULTY)(cell.make())]
    if cell.api in ("DescribeModel", "ListTags"):
        faults.append(on("Search")(refuse))  # else they are not called
    provider = made.retrying if cell.passing else made.plain
    with aws.failing(*faults):
        provider = made.impatient if cell.way == "time-out" else provider
        return engine.scan(aws, provider, (cell.check,), cell.check)


def wrong(cell: Cell, findings: list[Any]) -> list[str]:
    """Return what is wrong with a cell's findings; nothing where they can be trusted.

    Args:
        findings: What `run` gave.
    """
    found = {(f.region, f.resource_id): f for f in findings}
    truth = TRUTH[cell.check]
    without_fault = {name: "FAIL" if shown_by else "PASS" for name, shown_by in truth.items()}
    problems = [
        f"{name} of the other region is {found[SOUND, name].status}"
        for name, status in without_fault.items()
        if name in ELSEWHERE and found[SOUND, name].status != status
    ]
    unlisted = (FAULTY, LISTS.get(cell.api)) in found
    for name, shown_by in truth.items():
        finding = found.get((FAULTY, name))
        if finding is None:
            if not unlisted:
                problems.append(f"{name} is lost")
            continue
        status = finding.status
        harmless = cell.passing or cell.api in ("Search", "ListTags", *LISTS)
        if harmless and status != without_fault[name]:
            problems.append(f"{name} is {status}")
        if status == "PASS" and shown_by:
            problems.append(f"{name} passes")
        if status == "FAIL" and not shown_by and not cell.is_statement:
            problems.append(f"{name} fails")
        if shown_by and cell.api not in shown_by and status != "FAIL":
            problems.append(f"the known violation of {name} is {status}")
    for finding in findings:
        reason = engine.without_serving(finding.status_extended)
        if finding.status != "MANUAL":
            continue
        if not re.search(
            r"could not be read \([^;)]+; (scan again\b|renew the credentials\b|"
            r"leave the region out\b|.*(sagemaker|ec2):\w+)",
            reason,
        ):
            problems.append(f"no cause in: {reason}")
        if cell.way in TRANSIENT and not reason.endswith("; scan again)."):
            problems.append(f"a permission would not help: {reason}")
    return problems


def outcome(findings: list[Any]) -> str:
    """Return what became of the faulty region's findings: how many PASS, FAIL and MANUAL."""
    statuses = [f.status for f in findings if f.region == FAULTY]
    return "/".join(str(statuses.count(status)) for status in ("PASS", "FAIL", "MANUAL"))


def row_of(cell: Cell) -> str:
    """Return the row of the page's grid that a cell is in: all members of an answer share one."""
    return f"a member {cell.way.rpartition(': ')[2]}" if cell.field else cell.way


def grid(outcomes: dict[Cell, str]) -> str:
    """Return the grid of the page: a row for each way to fail, a column for each API."""
    rows: dict[str, dict[str, dict[str, None]]] = {}
    for cell, result in outcomes.items():
        # Outcomes in the order in which they came, each once.
        rows.setdefault(row_of(cell), {}).setdefault(cell.api, {})[result] = None
    lines = [f"| fault | {' | '.join(READ)} |", "| --- |" + " --- |" * len(READ)]
    for row, by_api in rows.items():
        results = ("<br>".join(by_api.get(api, ())) for api in READ)
        lines.append(f"| {row} | {' | '.join(results)} |")
    return "\n".join(lines) + "\n"


def page(outcomes: dict[Cell, str], bad: int) -> str:
    """Return the page.

    Args:
        outcomes: What `outcome` gave, in the order of `cells`.
        bad: How many cells `wrong` says something of.
    """
    of_models, of_configs, of_schedules = (
        f"{sum(not by for by in truth.values())}/{sum(map(bool, truth.values()))}/0"
        for truth in (MODELS, CONFIGS, SCHEDULES)
    )
    members = "".join(
        f"- {api}: {', '.join(f'`{m}`' for m in names)}\n" for api, names in READ.items()
    )
    return f"""# The fault matrix

Every API that the checks call, in every way that it can fail: {len(outcomes)} cells, {bad} of them
wrong. Each cell is one scan with the fault injected at one API of a region with {len(MODELS)}
models, {len(CONFIGS)} endpoint configurations for inference components and {len(SCHEDULES)}
monitoring schedules; another region, with two of each, has no fault. `make faults` runs it and
writes this page; the tests run the same cells.

The figures are that region's findings: PASS/FAIL/MANUAL. Without a fault they are {of_models} for
models. The columns of EndpointConfig speak of endpoint configurations, {of_configs} without a
fault, and those of MonitoringSchedule and JobDefinition of monitoring schedules, {of_schedules}. In
the rows of a member a cell stands for several scans, one for each member that the checks read, and
has each outcome once. An empty cell is a fault that the API cannot have, or that cannot be told
from a sound answer.

{grid(outcomes)}
A cell is wrong if something passes or fails that does not in truth; if a finding is lost (a list
that cannot be read gives one MANUAL finding in place of theirs); if a violation that another
API shows is not FAIL; if a MANUAL finding does not name its cause, or asks for a permission where
none would help; or if the other region's findings are touched. Some things are no fault: a
description that is whole but for `VpcConfig`, or has no security group in it, is how AWS says that
there is none; so is a job definition without `NetworkConfig`, or with one that does not state
`EnableNetworkIsolation`.

For the cells of DescribeModel and ListTags, Search is refused, because they are not called
otherwise. The members:

{members}"""


def main() -> int:
    """Run the whole matrix and write its page; return 1 where a cell is wrong."""
    logging.disable()
    outcomes, bad = {}, 0
    with EmbeddedAWS() as aws:
        build(aws)
        made = providers(aws)
        for cell in cells():
            findings = run(cell, aws, made)
            problems = wrong(cell, findings)
            bad += bool(problems)
            outcomes[cell] = outcome(findings)
            if problems:
                print(f"{cell}: {'; '.join(problems)}", file=sys.stderr)
            print(".", end="", flush=True)
    PAGE.write_text(page(outcomes, bad), "utf-8")
    print(f"\n{len(outcomes)} cells, {bad} wrong; see {PAGE.relative_to(ROOT)}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
