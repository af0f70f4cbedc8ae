"""What becomes of the findings when one call of AWS fails: each operation in each way.

Everything runs on a client that answers with dictionaries, as boto3 does; botocore's own part is
tried by the real command line (tests/cli/test_refusals.py).
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError, ReadTimeoutError

from checks.sagemaker_models_network_isolation_enabled.lib import (
    endpoint_configs,
    facts,
    models,
    monitoring_schedules,
)
from checks.sagemaker_models_network_isolation_enabled.lib.findings import findings
from checks.sagemaker_models_network_isolation_enabled.lib.network import with_networks

ACCOUNT, REGION, CREATED = "123456789012", "eu-west-1", datetime(2026, 1, 2, tzinfo=timezone.utc)
NETWORK = {"DescribeSubnets", "DescribeRouteTables", "DescribeSecurityGroups"}
KINDS = ("DataQuality", "ModelBias", "ModelExplainability", "ModelQuality")

# By name: whether it violates something, and the operations that tell. "off" and "open" are seen
# without the others; of what is sound all is asked.
MODELS: dict[str, tuple[bool, set[str]]] = {
    "sound": (False, {"DescribeModel", *NETWORK}),
    "off": (True, {"DescribeModel"}),
    "public": (True, {"DescribeModel", "DescribeSubnets", "DescribeRouteTables"}),
    "behind-firewall": (
        True,
        {"DescribeModel", "DescribeSubnets", "DescribeRouteTables", "DescribeVpcEndpoints"},
    ),
    "open": (True, {"DescribeModel", "DescribeSecurityGroups"}),
    "by-list": (True, {"DescribeModel", "DescribeSecurityGroups", "GetManagedPrefixListEntries"}),
}
CONFIGS: dict[str, tuple[bool, set[str]]] = {
    "components": (False, {"DescribeEndpointConfig", *NETWORK}),
    "components-off": (True, {"DescribeEndpointConfig"}),
}
SCHEDULES: dict[str, tuple[bool, set[str]]] = {
    "inline": (False, {"DescribeMonitoringSchedule", *NETWORK}),
    "inline-off": (True, {"DescribeMonitoringSchedule"}),
    **{
        kind: (True, {"DescribeMonitoringSchedule", f"Describe{kind}JobDefinition"})
        for kind in KINDS
    },
}
TRUTH = MODELS | CONFIGS | SCHEDULES
# By the operation: what it lists, and the finding where it does not.
LISTED = {
    "ListModels": (MODELS, "model/unknown"),
    "ListEndpointConfigs": (CONFIGS, "endpoint-config/unknown"),
    "ListMonitoringSchedules": (SCHEDULES, "monitoring-schedule/unknown"),
}
OPERATIONS = {"Search", "ListTags", *LISTED, *(api for _, seen in TRUTH.values() for api in seen)}
OUT = {"DestinationCidrBlock": "0.0.0.0/0", "State": "active"}
LOCAL = {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active"}
# By subnet: the routes of its own table beside the local one; and by group, whom its rule admits.
SUBNETS: dict[str, list[dict[str, str]]] = {
    "subnet-private": [],
    "subnet-public": [{**OUT, "GatewayId": "igw-1"}],
    "subnet-inspected": [{**OUT, "GatewayId": "vpce-1"}],
}
ENDS: dict[str, list[Any]] = {"IpRanges": [], "Ipv6Ranges": [], "PrefixListIds": []}
GROUPS = {
    "sg-closed": {**ENDS, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]},
    "sg-open": {**ENDS, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]},
    "sg-list": {**ENDS, "PrefixListIds": [{"PrefixListId": "pl-1"}]},
}


def identity(noun: str, name: str) -> dict[str, Any]:
    arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{noun.lower()}/{name}"
    return {f"{noun}Name": name, f"{noun}Arn": arn, "CreationTime": CREATED}


def settings(name: str) -> dict[str, Any]:
    """Return what AWS describes of something by its name, in which its violation is."""
    subnet = {"public": "public", "behind-firewall": "inspected"}.get(name, "private")
    group = {"open": "open", "by-list": "list"}.get(name, "closed")
    network = {"Subnets": [f"subnet-{subnet}"], "SecurityGroupIds": [f"sg-{group}"]}
    isolated = "off" not in name and name not in KINDS
    return {"EnableNetworkIsolation": isolated, "VpcConfig": network}


TAGS = {"Tags": [{"Key": "team", "Value": "risk"}]}
ANSWERS: dict[str, dict[str, Any]] = {
    "ListModels": {"Models": [identity("Model", name) for name in MODELS]},
    "ListEndpointConfigs": {
        "EndpointConfigs": [identity("EndpointConfig", name) for name in CONFIGS]
    },
    "ListMonitoringSchedules": {
        "MonitoringScheduleSummaries": [identity("MonitoringSchedule", name) for name in SCHEDULES]
    },
    "ListTags": TAGS,
    "DescribeSubnets": {
        "Subnets": [
            {"SubnetId": name, "VpcId": "vpc-1", "OwnerId": ACCOUNT, "CidrBlock": "10.0.0.0/24"}
            for name in SUBNETS
        ]
    },
    "DescribeRouteTables": {
        "RouteTables": [
            {
                "RouteTableId": name.replace("subnet", "rtb"),
                "VpcId": "vpc-1",
                "Associations": [{"SubnetId": name, "Main": False}],
                "Routes": [LOCAL, *routes],
            }
            for name, routes in SUBNETS.items()
        ]
    },
    "DescribeSecurityGroups": {
        "SecurityGroups": [
            {
                "GroupId": name,
                "VpcId": "vpc-1",
                "IpPermissions": [{"IpProtocol": "-1", "UserIdGroupPairs": [], **ends}],
                "IpPermissionsEgress": [],
            }
            for name, ends in GROUPS.items()
        ]
    },
    "GetManagedPrefixListEntries": {"Entries": [{"Cidr": "0.0.0.0/0"}]},
    "DescribeVpcEndpoints": {
        "VpcEndpoints": [
            {
                "VpcEndpointId": "vpce-1",
                "VpcId": "vpc-1",
                "SubnetIds": ["subnet-public"],
            }
        ]
    },
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
    client = Client(faults)
    service = SimpleNamespace(
        regional_clients={REGION: client},
        session=SimpleNamespace(client=lambda *_, **__: client),
        audit_resources=[],
        audit_config={},
        audited_account=ACCOUNT,
        audited_account_arn=f"arn:aws:iam::{ACCOUNT}:root",
        region=REGION,
        get_unknown_arn=lambda resource_type, region: f"arn:{region}:{resource_type}/unknown",
    )
    found: dict[str, Any] = {}
    with ThreadPoolExecutor(4) as service.thread_pool:
        kinds: list[tuple[type[facts.Resource], Callable[[Any], Any]]] = [
            (facts.Model, models.list_models),
            (facts.EndpointConfig, endpoint_configs.list_endpoint_configs),
            (facts.MonitoringSchedule, monitoring_schedules.list_monitoring_schedules),
        ]
        for fact, list_all in kinds:
            listings: Any = with_networks(service, list_all(service))
            found |= {f.resource.name: f for f in findings(service, fact, listings)}
    return found


def raising(error: Exception, after: int = 0) -> Fault:
    """Return a fault: an error, after the first items of a list where `after` says how many."""

    def fault(sound: dict[str, Any]) -> Pages:
        if after:
            yield {k: v[:after] if isinstance(v, list) else v for k, v in sound.items()}
        raise error

    return fault


def coded(code: str, message: str = "") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Operation")


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
    other: dict[str, Any] = {"VpcId": "vpc-2", "Routes": [LOCAL], "IpPermissions": []}
    other |= {"SubnetIds": ["subnet-private"], "CreationTime": CREATED + timedelta(hours=1)}
    again = [{k: other.get(k, v) for k, v in item.items()} for item in value]
    return [item for both in zip(value, again, strict=True) for item in both]


BROKEN_OFF, TWICE = "broken off", "twice with two contents"
ODD_MEMBERS = "with members of a wrong type"
WAYS: dict[str, tuple[Fault, str]] = {  # with what is then to be done
    "refused": (raising(coded("AccessDeniedException")), ":{api}"),
    "refused by a service control policy": (
        raising(coded("AccessDenied", "with an explicit deny in a service control policy")),
        "change t",
    ),
    "throttled": (raising(coded("ThrottlingException")), "scan again"),
    "no answer in time": (raising(ReadTimeoutError(endpoint_url="")), "scan again"),
    "credentials that ended": (raising(coded("ExpiredTokenException")), "renew the credentials"),
    "empty": (lambda _: iter([{}]), ":{api}"),
    "garbled": (raising(KeyError("x")), ":{api}"),
    "of a wrong type": (edited(lambda key, value: 7), ":{api}"),
    ODD_MEMBERS: (edited(garbled_members), "check with"),
    BROKEN_OFF: (raising(coded("InternalFailure"), after=1), "scan again"),
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
    ("DescribeVpcEndpoints", BROKEN_OFF): {"behind-firewall"},
    ("GetManagedPrefixListEntries", BROKEN_OFF): {"by-list"},
    ("GetManagedPrefixListEntries", TWICE): {"by-list"},
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
        kind, unknown = LISTED[api]
        _, *lost = [None, *kind] if way != BROKEN_OFF else kind
        expected = {name: status for name, status in expected.items() if name not in lost}
        expected[unknown] = "MANUAL"
    assert {name: f.verdict.status for name, f in found.items()} == expected


RECORDS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "without VpcConfig": lambda record: record.pop("VpcConfig"),
    "without security groups": lambda record: record["VpcConfig"].pop("SecurityGroupIds"),
    "without the flag": lambda record: record.pop("EnableNetworkIsolation"),
    "empty": lambda record: record.clear(),
    "of a deleted namesake": lambda record: record.update(
        CreationTime=CREATED - timedelta(hours=1), EnableNetworkIsolation=True
    ),
    "of another model": lambda record: record.update(ModelArn=f"{record['ModelArn']}-other"),
    "with a flag that is no truth value": lambda record: record.update(EnableNetworkIsolation="1"),
    "with subnets that are no list": lambda record: record["VpcConfig"].update(Subnets=7),
    "with tags that are no list": lambda record: record.update(Tags="team=risk"),
}


@pytest.mark.parametrize("edit", RECORDS.values(), ids=RECORDS)
def test_the_findings_do_not_depend_on_what_search_records(
    edit: Callable[[dict[str, Any]], Any],
) -> None:
    def fault(sound: dict[str, Any]) -> Pages:
        for result in sound["Results"]:
            edit(result["Model"]["Model"])
        yield sound

    assert verdicts({"Search": fault}) == verdicts({"Search": WAYS["refused"][0]})


def test_what_search_records_twice_is_described() -> None:
    def fault(sound: dict[str, Any]) -> Pages:
        again = deepcopy(sound["Results"])
        for result in again:
            result["Model"]["Model"]["EnableNetworkIsolation"] ^= True
        yield {"Results": [*sound["Results"], *again]}

    assert verdicts({"Search": fault}) == verdicts({"Search": WAYS["refused"][0]})


def verdicts(faults: dict[str, Fault]) -> dict[str, Any]:
    """Return the verdict and the tags of each model."""
    found = scan(faults)
    return {name: (found[name].verdict, found[name].resource.tags) for name in MODELS}


# What an answer lacks, and what it has where one is named; and what becomes of something then.
LACKING: list[tuple[str, str, dict[str, Any], str, str]] = [
    ("DescribeModel", "EnableNetworkIsolation", {}, "sound", "MANUAL"),
    ("DescribeModel", "EnableNetworkIsolation", {}, "public", "FAIL"),
    ("DescribeModel", "VpcConfig", {}, "sound", "FAIL"),  # how AWS says that there is none
    ("DescribeModel", "VpcConfig", {"Subnets": ["subnet-private"]}, "sound", "FAIL"),
    ("DescribeModel", "VpcConfig", {"SecurityGroupIds": ["sg-closed"]}, "sound", "MANUAL"),
    ("DescribeEndpointConfig", "EnableNetworkIsolation", {}, "components", "MANUAL"),
    ("DescribeEndpointConfig", "ProductionVariants", {}, "components", "MANUAL"),
    ("DescribeEndpointConfig", "EndpointConfigArn", {}, "components", "MANUAL"),
    ("DescribeEndpointConfig", "VpcConfig", {}, "components", "FAIL"),
    ("DescribeMonitoringSchedule", "MonitoringScheduleConfig", {}, "inline", "MANUAL"),
    ("DescribeMonitoringSchedule", "MonitoringScheduleArn", {}, "inline", "MANUAL"),
    ("DescribeDataQualityJobDefinition", "JobDefinitionName", {}, "DataQuality", "MANUAL"),
]


@pytest.mark.parametrize(("api", "member", "value", "name", "status"), LACKING)
def test_what_an_answer_lacks(
    api: str, member: str, value: dict[str, Any], name: str, status: str
) -> None:
    def fault(sound: dict[str, Any]) -> Pages:
        del sound[member]
        yield {**sound, **({member: value} if value else {})}

    assert scan({api: fault, "Search": WAYS["refused"][0]})[name].verdict.status == status
