"""What becomes of the findings when one call of AWS fails: each operation in each way.

Everything runs on a client that answers with dictionaries, as boto3 does; botocore's own part is
tried by the real command line (tests/cli/test_scan.py).
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from datetime import datetime, timedelta, timezone
from functools import reduce
from operator import getitem
from types import SimpleNamespace
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import ReadTimeoutError

from checks.sagemaker_models_network_isolation_enabled.lib import (
    endpoint_configs,
    facts,
    models,
    monitoring_schedules,
)
from checks.sagemaker_models_network_isolation_enabled.lib.findings import findings
from checks.sagemaker_models_network_isolation_enabled.lib.network import with_networks

from .test_findings import service
from .test_network import ACCOUNT, IN, endpoint, group, refusal, route, tables

REGION, CREATED = "eu-west-1", datetime(2026, 1, 2, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)
NETWORK = {"DescribeSubnets", "DescribeRouteTables", "DescribeSecurityGroups"}
KINDS = ("DataQuality", "ModelBias", "ModelExplainability", "ModelQuality")
Truth = dict[str, tuple[bool, set[str]]]


def truth(noun: str, sound: str, **violating: str) -> Truth:
    """Return by name whether something violates a rule, and the operations that tell.

    A violation is seen without the others; of what is sound all is asked.
    """
    own = f"Describe{noun}"
    violations = {name: (True, {own, *words.split()}) for name, words in violating.items()}
    return {sound: (False, {own, *NETWORK}), **violations}


# How each network is made is said by `settings`.
MODELS = truth(
    "Model",
    "sound",
    off="",
    public="DescribeSubnets DescribeRouteTables",
    inspected="DescribeSubnets DescribeRouteTables DescribeVpcEndpoints",
    open="DescribeSecurityGroups",
    listed="DescribeSecurityGroups GetManagedPrefixListEntries",
)
CONFIGS = truth("EndpointConfig", "components", components_off="")
DEFINITIONS = {kind: f"Describe{kind}JobDefinition" for kind in KINDS}
SCHEDULES = truth("MonitoringSchedule", "inline", inline_off="", **DEFINITIONS)
TRUTH = MODELS | CONFIGS | SCHEDULES
# By the operation: what it lists, and the finding where it does not.
LISTED: dict[str, tuple[type[facts.Resource], Callable[[Any], Any], Truth, str]] = {
    "ListModels": (facts.Model, models.list_models, MODELS, "model/unknown"),
    "ListEndpointConfigs": (
        *(facts.EndpointConfig, endpoint_configs.list_endpoint_configs),
        *(CONFIGS, "endpoint-config/unknown"),
    ),
    "ListMonitoringSchedules": (
        *(facts.MonitoringSchedule, monitoring_schedules.list_monitoring_schedules),
        *(SCHEDULES, "monitoring-schedule/unknown"),
    ),
}
OPERATIONS = {"Search", "ListTags", *LISTED, *(api for _, seen in TRUTH.values() for api in seen)}


def identity(noun: str, name: str) -> dict[str, Any]:
    arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{noun.lower()}/{name}"
    return {f"{noun}Name": name, f"{noun}Arn": arn, "CreationTime": CREATED}


def settings(name: str) -> dict[str, Any]:
    """Return what AWS describes of something by its name, in which its violation is."""
    network = {
        "Subnets": [f"subnet-{ {'public': 2, 'inspected': 3}.get(name, 1) }"],
        "SecurityGroupIds": [f"sg-{ {'open': 2, 'listed': 3}.get(name, 1) }"],
    }
    isolated = "off" not in name and name not in KINDS
    return {"EnableNetworkIsolation": isolated, "VpcConfig": network}


TAGS = {"Tags": [{"Key": "team", "Value": "risk"}]}
ANSWERS: dict[str, dict[str, Any]] = {
    **{
        api: {fact.LISTED: [identity(fact.NOUN, name) for name in names]}
        for api, (fact, _, names, _) in LISTED.items()
    },
    "ListTags": TAGS,
    "DescribeSubnets": {"Subnets": [{**IN, "SubnetId": f"subnet-{n}"} for n in (1, 2, 3)]},
    "DescribeRouteTables": {"RouteTables": tables("1; 2: igw-1; 3: vpce-1")},
    "DescribeSecurityGroups": {
        "SecurityGroups": [
            group(f"-1 * {end}", number)
            for number, end in enumerate(("10.0.0.0/8", "0.0.0.0/0", "pl-1"), 1)
        ]
    },
    "GetManagedPrefixListEntries": {"Entries": [{"Cidr": "0.0.0.0/0"}]},
    "DescribeVpcEndpoints": {"VpcEndpoints": [endpoint(1, 2)]},
}


def answer(api: str, given: dict[str, Any]) -> dict[str, Any]:
    """Return AWS's answer without a fault."""
    if api in ANSWERS:
        return ANSWERS[api]
    if api == "Search":
        models = [{**identity("Model", name), **settings(name), **TAGS} for name in MODELS]
        records = [{"Model": {"Model": model, "Endpoints": []}} for model in models]
        return {"Results": records if given["Resource"] == "Model" else []}
    ((parameter, name),) = given.items()
    if parameter == "JobDefinitionName":
        return {**given, "NetworkConfig": settings(name)}
    about = identity(parameter.removesuffix("Name"), name)
    if parameter != "MonitoringScheduleName":
        return {**about, **settings(name), "ProductionVariants": [{"VariantName": "all"}]}
    config = {"MonitoringType": name, "MonitoringJobDefinitionName": name}
    if name not in KINDS:
        config = {"MonitoringJobDefinition": {"NetworkConfig": settings(name)}}
    return {**about, "MonitoringScheduleConfig": config}


Pages = Iterator[dict[str, Any]]
Fault = Callable[[dict[str, Any]], Pages]  # gives the pages in place of a sound answer
NAMES = {xform_name(api): api for api in OPERATIONS}


class Client:
    """boto3's client of SageMaker and of EC2, one of whose operations is at fault."""

    region = REGION
    meta = SimpleNamespace(events=SimpleNamespace(register=lambda *_, **__: None))

    def __init__(self, faults: dict[str, Fault]) -> None:
        self.faults = faults

    def pages(self, api: str, given: dict[str, Any]) -> Pages:
        given.pop("PaginationConfig", None)
        sound = deepcopy(answer(api, given))
        return self.faults[api](sound) if api in self.faults else iter([sound])

    def get_paginator(self, operation: str) -> Any:
        return SimpleNamespace(paginate=lambda **given: self.pages(NAMES[operation], given))

    def __getattr__(self, operation: str) -> Any:
        return lambda **given: next(self.pages(NAMES[operation], given))


def scan(faults: dict[str, Fault]) -> dict[str, Any]:
    """Return the findings by name, of all three kinds."""
    scanned, client = service(), Client(faults)
    scanned.regional_clients = {REGION: client}
    scanned.session = SimpleNamespace(client=lambda *_, **__: client)
    found: dict[str, Any] = {}
    with ThreadPoolExecutor(4) as scanned.thread_pool:
        for fact, list_all, _, _ in LISTED.values():
            listings: Any = with_networks(scanned, list_all(scanned))
            found |= {f.resource.name: f for f in findings(scanned, fact, listings)}
    return found


def raising(error: Exception, after: int = 0) -> Fault:
    """Return a fault: an error, after the first items of a list where `after` says how many."""

    def fault(sound: dict[str, Any]) -> Pages:
        if after:
            yield {k: v[:after] if isinstance(v, list) else v for k, v in sound.items()}
        raise error

    return fault


def edited(edit: Callable[[str, Any], Any]) -> Fault:
    """Return a fault: each member of an answer is edited."""
    return lambda sound: iter([{key: edit(key, value) for key, value in sound.items()}])


def garbled_members(key: str, value: Any) -> Any:
    """Return a value whose members are numbers, but for those that say whose they are."""
    if isinstance(value, list):
        return [garbled_members(key, item) for item in value]
    if isinstance(value, dict):
        return {k: garbled_members(k, 7) if k not in IDENTITIES else v for k, v in value.items()}
    return value if key in IDENTITIES else 7


IDENTITIES = {
    *("SubnetId", "RouteTableId", "GroupId", "VpcEndpointId", "JobDefinitionName"),
    *(
        f"{noun}{key}"
        for noun in ("Model", "EndpointConfig", "MonitoringSchedule")
        for key in ("Name", "Arn")
    ),
}


def twice(_: str, value: Any) -> Any:
    """Return a list whose items are there again with another content."""
    if not isinstance(value, list):
        return value
    other: dict[str, Any] = {"VpcId": "vpc-2", "Routes": [route("local")], "IpPermissions": []}
    other |= {"SubnetIds": ["subnet-1"], "CreationTime": CREATED + HOUR}
    again = [{k: other.get(k, v) for k, v in item.items()} for item in value]
    return [item for both in zip(value, again, strict=True) for item in both]


BROKEN_OFF, TWICE = "broken off", "twice with two contents"
ODD_MEMBERS = "with members of a wrong type"
WAYS: dict[str, tuple[Fault, str]] = {  # with what is then to be done
    "refused": (raising(refusal("AccessDeniedException")), ":{api}"),
    "refused by a service control policy": (
        raising(refusal("AccessDenied", "with an explicit deny in a service control policy")),
        "change t",
    ),
    "throttled": (raising(refusal("ThrottlingException")), "scan again"),
    "no answer in time": (raising(ReadTimeoutError(endpoint_url="")), "scan again"),
    "credentials that ended": (raising(refusal("ExpiredTokenException")), "renew the credentials"),
    "empty": (lambda _: iter([{}]), ":{api}"),
    "garbled": (raising(KeyError("x")), ":{api}"),
    "of a wrong type": (edited(lambda key, value: 7), ":{api}"),
    ODD_MEMBERS: (edited(garbled_members), "check with"),
    BROKEN_OFF: (raising(refusal("InternalFailure"), after=1), "scan again"),
    TWICE: (edited(twice), ":{api}"),
}
PAGINATED = tuple(api for api in sorted(OPERATIONS) if api.endswith(("s", "Search")))
CASES = [
    (api, way)
    for api in sorted(OPERATIONS)
    for way in WAYS
    if api in PAGINATED or way not in (BROKEN_OFF, TWICE)
]
FIRST = {"sound", "components", "inline"}  # they rest on what AWS answers first
# What is known all the same.
KNOWN = {
    **{(api, BROKEN_OFF): FIRST for api in NETWORK},
    ("DescribeVpcEndpoints", BROKEN_OFF): {"inspected"},
    ("GetManagedPrefixListEntries", BROKEN_OFF): {"listed"},
    ("GetManagedPrefixListEntries", TWICE): {"listed"},
}


def status_of(name: str, unknown: str | None = None) -> str:
    """Return the status of something of which an operation told nothing."""
    fails, seen_by = TRUTH[name]
    return "MANUAL" if unknown in seen_by else "FAIL" if fails else "PASS"


def test_without_a_fault() -> None:
    statuses = {name: f.verdict.status for name, f in scan({}).items()}
    assert statuses == {name: status_of(name) for name in TRUTH}


@pytest.mark.parametrize(("api", "way"), CASES)
def test_a_fault_makes_no_verdict_wrong_and_loses_no_finding(api: str, way: str) -> None:
    fault, words = WAYS[way]
    faults = {api: fault}
    if api in ("DescribeModel", "ListTags"):
        faults["Search"] = WAYS["refused"][0]  # else they are not called
    found = scan(faults)
    for finding in found.values():
        for unread in finding.verdict.unknown:
            assert words.format(api=api) in unread.remedy
    expected = {
        name: status_of(name, None if name in KNOWN.get((api, way), ()) else api) for name in TRUTH
    }
    if api in LISTED and way not in (TWICE, ODD_MEMBERS):  # which leave the names
        *_, kind, unknown = LISTED[api]
        _, *lost = [None, *kind] if way != BROKEN_OFF else kind
        expected = {name: status for name, status in expected.items() if name not in lost}
        expected[unknown] = "MANUAL"
    assert {name: f.verdict.status for name, f in found.items()} == expected


def put(answer: dict[str, Any], changes: dict[str, Any]) -> None:
    """Change members of an answer, by paths such as "VpcConfig.Subnets"; None removes one."""
    for path, value in changes.items():
        *outer, member = path.split(".")
        structure = reduce(getitem, outer, answer)
        structure[member] = value
        if value is None:
            del structure[member]


# What is otherwise in Search's records of models; the last two stand beside the truth.
RECORDS: list[dict[str, Any]] = [
    *({path: None} for path in ("VpcConfig", "VpcConfig.SecurityGroupIds", "ModelName")),
    *({"EnableNetworkIsolation": value} for value in (None, "1")),
    *({"VpcConfig.Subnets": [7]}, {"Tags": "team=risk"}),
    {"EnableNetworkIsolation": True, "CreationTime": CREATED - HOUR},  # of a deleted namesake
    {"EnableNetworkIsolation": True, "ModelArn": "arn:of-another"},
    *({"EnableNetworkIsolation": value} for value in (True, False)),
]


@pytest.mark.parametrize("number", range(len(RECORDS)))
def test_the_findings_do_not_depend_on_what_search_records(number: int) -> None:
    def fault(sound: dict[str, Any]) -> Pages:
        changed = deepcopy(sound["Results"])
        for result in changed:
            put(result["Model"]["Model"], RECORDS[number])
        yield {"Results": [*sound["Results"] * (number >= len(RECORDS) - 2), *changed]}

    def verdicts(fault: Fault) -> dict[str, Any]:
        found = scan({"Search": fault})
        return {name: (found[name].verdict, found[name].resource.tags) for name in MODELS}

    assert verdicts(fault) == verdicts(WAYS["refused"][0])


INLINE = "MonitoringScheduleConfig.MonitoringJobDefinition.NetworkConfig"
# What an answer lacks, or has instead; and what becomes of something then.
LACKING: list[tuple[str, dict[str, Any], str, str]] = [
    ("Model", {"EnableNetworkIsolation": None}, "sound", "MANUAL"),
    ("Model", {"EnableNetworkIsolation": None}, "public", "FAIL"),
    ("Model", {"VpcConfig": None}, "sound", "FAIL"),  # how AWS says that there is none
    ("Model", {"VpcConfig.SecurityGroupIds": None}, "sound", "FAIL"),
    ("Model", {"VpcConfig.Subnets": None}, "sound", "MANUAL"),
    ("EndpointConfig", {"EnableNetworkIsolation": None}, "components", "MANUAL"),
    ("EndpointConfig", {"ProductionVariants": None}, "components", "MANUAL"),
    ("EndpointConfig", {"ProductionVariants": []}, "components", "MANUAL"),
    ("EndpointConfig", {"EndpointConfigArn": None}, "components", "MANUAL"),
    ("EndpointConfig", {"VpcConfig": None}, "components", "FAIL"),
    ("MonitoringSchedule", {"MonitoringScheduleConfig": None}, "inline", "MANUAL"),
    ("MonitoringSchedule", {"MonitoringScheduleArn": None}, "inline", "MANUAL"),
    ("MonitoringSchedule", {f"{INLINE}.EnableNetworkIsolation": None}, "inline", "FAIL"),
    ("DataQualityJobDefinition", {"JobDefinitionName": None}, "DataQuality", "MANUAL"),
]


@pytest.mark.parametrize(("noun", "changes", "name", "status"), LACKING)
def test_what_an_answer_lacks(noun: str, changes: dict[str, Any], name: str, status: str) -> None:
    def fault(sound: dict[str, Any]) -> Pages:
        put(sound, changes)
        yield sound

    found = scan({f"Describe{noun}": fault, "Search": WAYS["refused"][0]})
    assert found[name].verdict.status == status
