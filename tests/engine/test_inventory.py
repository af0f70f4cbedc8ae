"""What is listed, read and judged in what AWS answers, by which calls; for all three checks."""

from collections import Counter
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

from ..embedded import engine
from ..embedded.account import ACCOUNT, EVERYWHERE, Region
from ..embedded.installation import CHECK, CHECKS, CONFIG_CHECK, SCHEDULE_CHECK
from ..embedded.server import EmbeddedAWS, change, error, on, refuse
from ..tools.bench import populate
from ..unit.test_faults import put

ODD, SOUND = "us-east-2", "eu-west-2"
FULL, NO_VPC, NONE = "ap-northeast-1", "ap-southeast-1", "us-west-1"
TAGS = [{"Key": "team", "Value": "risk"}]


class Case(NamedTuple):
    """Something, and what becomes of it.

    Attributes:
        status: The status that it must have; "" where it has no finding.
        words: Words of its reason; the end of it, if they end with a full stop.
        faults: By API, an error, or members of the answer (of Search, of its record): None, where
            it lacks one, or the value that it has.
        given: What it is created with.
    """

    status: str
    words: str = ""
    faults: Any = MappingProxyType({})
    given: Any = MappingProxyType({})


ONE, NAMELESS = {"EndpointName": "one", "EndpointStatus": "InService"}, {"EndpointName": 7}
OFF, ISOLATION_OFF = {"isolated": False}, "fails: network isolation is disabled."
UNSERVED, UNUSED = "No endpoint is seen to serve it.", "No endpoint is seen to use it."
UNREAD = "Not known: VpcConfig could not be read (AccessDeniedException; allow sagemaker:Describe"
WITHOUT_VPC, WITHOUT_GROUPS = {"Model.VpcConfig": None}, {"Model.VpcConfig.SecurityGroupIds": None}
OF_ANOTHER = {"Model.CreationTime": 0, "Endpoints": [ONE]}
SERVED = {**WITHOUT_GROUPS, "Endpoints": [ONE]}
VPC_UNREAD = {"Search": WITHOUT_VPC, "DescribeModel": refuse}
MADE_ANEW = {"Search": SERVED, "DescribeModel": {"CreationTime": 0}}
# What a record of Search lacks is described, and what serves by it is not said.
MODELS = {
    "lacks-vpc": Case("FAIL", f"{ISOLATION_OFF} {UNSERVED}", {"Search": WITHOUT_VPC}, OFF),
    "lacks-groups": Case("FAIL", f"{ISOLATION_OFF} {UNSERVED}", {"Search": WITHOUT_GROUPS}, OFF),
    "lacks-vpc-unread": Case("FAIL", f"{ISOLATION_OFF} {UNREAD}", VPC_UNREAD, OFF),
    "lacks-groups-served": Case("PASS", "It serves endpoint one.", {"Search": SERVED}),
    "lacks-groups-made-anew": Case("PASS", "in {group}.", MADE_ANEW),
    "namesake": Case("PASS", "in {group}.", {"Search": OF_ANOTHER}),
    "served": Case("PASS", "It serves endpoints one and two."),
    "served-no-list": Case("PASS", "in {group}.", {"Search": {"Endpoints": None}}),
    "served-no-name": Case("PASS", "in {group}.", {"Search": {"Endpoints": [ONE, NAMELESS]}}),
}
SIZE = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
ALL, NAMED = {"VariantName": "all", **SIZE}, {"VariantName": "one", "ModelName": "served", **SIZE}
SERVERLESS = {"VariantName": "small", "ServerlessConfig": {"MemorySizeInMB": 1024}}
POOLS = [{"InstanceType": "ml.m5.large"}, {"ModelNameOverride": "m"}]  # new to Prowler's botocore
POOLED = {"DescribeEndpointConfig": {"ProductionVariants": [{**ALL, "InstancePools": POOLS}]}}
IN_SHADOW = {"ProductionVariants": [NAMED], "ShadowProductionVariants": [ALL]}
NOT_FOUND = {"DescribeEndpointConfig": error("ValidationException", "Could not find it.")}
CONFIGS = {
    "used": Case("PASS", "It is used by endpoints chat and code."),
    "of-models": Case("", "", {}, {"ProductionVariants": [NAMED]}),
    "mixed": Case("PASS", UNUSED, {}, {"ProductionVariants": [NAMED, ALL]}),
    "shadow": Case("PASS", UNUSED, {}, IN_SHADOW),
    "serverless": Case("FAIL", "variant small is serv", {}, {"ProductionVariants": [SERVERLESS]}),
    "pools": Case("", "", POOLED),
    "deleted": Case("", "", {**NOT_FOUND, "ListEndpointConfigs": {"EndpointConfigs": []}}),
    "still-listed": Case("MANUAL", "scan again", NOT_FOUND),
}
SCHEDULE, DEFINITION = "DescribeMonitoringSchedule", "DescribeDataQualityJobDefinition"
INLINE_TOO: Any = {SCHEDULE: {"MonitoringScheduleConfig.MonitoringJobDefinition": {"X": {}}}}
NEW_TYPE = {SCHEDULE: {"MonitoringScheduleConfig.MonitoringType": "Mood"}}
OTHER_ARN = {SCHEDULE: {"MonitoringScheduleArn": "arn:other"}}
OTHER_NAME = {DEFINITION: {"JobDefinitionName": "other"}}
IN_WORDS = {DEFINITION: {"NetworkConfig": {"EnableNetworkIsolation": "true"}}}
GONE = {SCHEDULE: error("ResourceNotFound")}
UNLISTED: Any = {"ListMonitoringSchedules": {"MonitoringScheduleSummaries": []}}
SCHEDULES = {
    "two-definitions": Case("MANUAL", "not one job definition in the answer", INLINE_TOO),
    "new-type": Case("MANUAL", "this check knows no MonitoringType Mood", NEW_TYPE),
    "other-arn": Case("MANUAL", "no MonitoringScheduleArn of this monitoring schedule", OTHER_ARN),
    "other-name": Case("MANUAL", "no JobDefinitionName of this definition in", OTHER_NAME),
    "in-words": Case("FAIL", f"not in the answer; check with sagemaker:{DEFINITION})", IN_WORDS),
    "deleted": Case("", "", {**GONE, **UNLISTED}),
    "still-listed": Case("MANUAL", "could not be found (ResourceNotFound;", GONE),
}
CASES = {CHECK: MODELS, CONFIG_CHECK: CONFIGS, SCHEDULE_CHECK: SCHEDULES}
NOUNS = {CHECK: "Model", CONFIG_CHECK: "EndpointConfig", SCHEDULE_CHECK: "MonitoringSchedule"}
KINDS = ("DataQuality", "ModelQuality", "ModelBias", "ModelExplainability")
Found = dict[tuple[str, str], Any]


def scan(aws: EmbeddedAWS, *regions: str, checks: Any = CHECKS, **arguments: Any) -> Found:
    """Return the findings by check and name; `aws.calls` has the scan's calls."""
    made = engine.provider(aws, *regions, retries_max_attempts=0, **arguments)
    aws.calls.clear()
    found = engine.scan(aws, made, checks, CHECKS)
    return {(f.check_metadata.CheckID, f.resource_id): f for f in found}


def fault_of(check: str, name: str, api: str, wrong: Any) -> Any:
    """Return a fault of what AWS answers of something by one API."""
    key = "JobDefinition" if api == DEFINITION else NOUNS[check]
    one = {"NameContains" if api.startswith("List") else f"{key}Name": name}
    is_edit = isinstance(wrong, dict)
    return on(api, ODD, **one)(change(lambda answer: put(answer, wrong)) if is_edit else wrong)


@pytest.fixture(scope="module")
def odd(aws: EmbeddedAWS) -> tuple[Found, list[Any], str]:
    """The findings of a region with all cases, the calls, and the security group of all."""
    r = Region(aws, ODD)
    vpc = r.vpc()
    network = [r.subnet(vpc)], [r.group(vpc)]
    make: Any = {CHECK: r.model, CONFIG_CHECK: r.components, SCHEDULE_CHECK: r.schedule}
    for check, cases in CASES.items():
        tags = {"Tags": TAGS} if check == CONFIG_CHECK else {"tags": {"team": "risk"}}
        for name, case in cases.items():
            make[check](name, *network, **tags, **case.given)
    for name in ("two", "one"):
        r.endpoint(name, "served")
    for name in ("code", "chat"):
        r.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName="used")

    def edit_records(answer: dict[str, Any]) -> None:
        for result in answer["Results"]:
            wrong = MODELS[result["Model"]["Model"]["ModelName"]].faults
            put(result["Model"], wrong.get("Search", {}))

    faults = [
        fault_of(check, name, api, wrong)
        for check in CASES
        for name, case in CASES[check].items()
        for api, wrong in case.faults.items()
        if api != "Search"
    ]
    with aws.failing(*faults, on("Search", ODD, Resource="Model")(change(edit_records))):
        return scan(aws, ODD), list(aws.calls), network[1][0]


@pytest.mark.parametrize(("check", "name"), [(c, name) for c in CASES for name in CASES[c]])
def test_an_answer_and_what_becomes_of_it(odd: Any, check: str, name: str) -> None:
    found, _, group = odd
    case = CASES[check][name]
    assert ((check, name) in found) is bool(case.status)
    if case.status:
        finding, words = found[check, name], case.words.format(group=group)
        text = finding.status_extended
        assert finding.status == case.status
        assert text.endswith(words) if words.endswith(".") else words in text
        assert finding.resource_tags == TAGS


def test_what_search_does_not_tell_is_read_once(odd: Any) -> None:
    _, calls, _ = odd
    described = Counter(c.parameters["ModelName"] for c in calls if c.api == "DescribeModel")
    assert described == dict.fromkeys(["namesake", *(n for n in MODELS if "lacks" in n)], 1)
    arns = [c.parameters["ResourceArn"] for c in calls if c.api == "ListTags"]
    (arn,) = [arn for arn in arns if ":model/" in arn]
    assert arn.endswith("/namesake")


@pytest.fixture(scope="module")
def sound(aws: EmbeddedAWS) -> Region:
    """A region with models of each status, configurations, and schedules of every kind."""
    r = Region(aws, SOUND)
    vpc = r.vpc()
    subnet, group = r.subnet(vpc), r.group(vpc)
    route = {"DestinationCidrBlock": EVERYWHERE, "GatewayId": r.internet_gateway(vpc)}
    r.model("sound", [subnet], [group], tags={"team": "risk"})
    r.model("off", [subnet], [group], isolated=False)
    r.model("public", [r.subnet(vpc, r.table(vpc, route))], [group])
    r.model("open", [subnet], [r.group(vpc, "::/0")])
    r.endpoint("fraud", "sound")
    r.components("components", [subnet], [group])
    for kind in (*KINDS, None):
        r.schedule(f"watch-{kind}", [subnet], [group], kind=kind)
    return r


COSTS = {
    CHECK: Counter(ListModels=1, Search=1),
    CONFIG_CHECK: Counter(ListEndpointConfigs=1, DescribeEndpointConfig=2, ListTags=1, Search=1),
    SCHEDULE_CHECK: Counter(ListMonitoringSchedules=1, DescribeMonitoringSchedule=5, ListTags=5)
    + Counter(f"Describe{kind}JobDefinition" for kind in KINDS),
}


def test_no_check_costs_another_a_call(aws: EmbeddedAWS, sound: Region) -> None:
    alone: Found = {}
    for check in CHECKS:
        alone |= scan(aws, SOUND, checks=[check])
        assert aws.count("sagemaker") == COSTS[check]
    together = scan(aws, SOUND)
    assert aws.count("sagemaker") == sum(COSTS.values(), Counter())
    assert engine.said(list(alone.values())) == engine.said(list(together.values()))
    bias = together[SCHEDULE_CHECK, "watch-ModelBias"]
    assert bias.resource_arn.endswith(":monitoring-schedule/watch-ModelBias")
    evidence = {"network_isolation": True, "status": "Scheduled", "endpoint_name": "fraud"}
    evidence |= {"monitoring_type": "ModelBias", "job_definition_name": "watch-ModelBias"}
    assert evidence.items() <= bias.resource.items()


def test_a_page_has_a_hundred_and_networks_are_asked_for_where_they_are_needed(
    aws: EmbeddedAWS, sound: Region
) -> None:
    populate(Region(aws, FULL), models=101, jobs=0)
    Region(aws, NO_VPC).model("no-vpc")
    scan(aws, FULL, NO_VPC, NONE)
    once = ("DescribeSubnets", "DescribeRouteTables", "DescribeSecurityGroups")
    lists = [f"List{noun}s" for noun in NOUNS.values()]
    assert Counter((call.region, call.api) for call in aws.calls) == {
        **{(name, api): 1 for name in (FULL, NO_VPC, NONE) for api in lists},
        **{(FULL, api): 1 for api in once},
        **{(FULL, "ListModels"): 2, (FULL, "Search"): 2},
        **{(NO_VPC, "Search"): 1, (NO_VPC, "DescribeModel"): 1},
    }
    # A scan limited to some describes them, rather than search a hundred.
    limits = {"model-7": f"{FULL}:{ACCOUNT}:model"}
    limits["components"] = f"{SOUND}:{ACCOUNT}:endpoint-config"
    limits["watch-None"] = f"{SOUND}:{ACCOUNT}:monitoring-schedule"
    arns = [f"arn:aws:sagemaker:{kind}/{name}" for name, kind in limits.items()]
    assert {name for _, name in scan(aws, FULL, SOUND, resource_arn=arns)} == set(limits)
    described = {f"Describe{noun}": 1 for noun in NOUNS.values()}
    of_two = {**dict.fromkeys(lists, 2), "ListModels": 3}
    assert aws.count("sagemaker") == {**of_two, **described, "ListTags": 3, "Search": 1}


def test_without_search_nothing_is_said_of_endpoints(aws: EmbeddedAWS, sound: Region) -> None:
    unnamed = change(lambda a: a["Results"][0]["Endpoint"].pop("EndpointConfigName"))
    for fault in (refuse, unnamed):
        with aws.failing(on("Search", SOUND)(fault)):
            found = scan(aws, SOUND, checks=[CONFIG_CHECK])[CONFIG_CHECK, "components"]
        assert (found.status, found.resource["endpoints"]) == ("PASS", None)


def test_a_client_is_shared_with_other_checks_of_this_scan_and_no_other(
    aws: EmbeddedAWS, sound: Region
) -> None:
    """And what is said is the same, whether Search or DescribeModel tells."""
    provider = engine.provider(aws, SOUND, retries_max_attempts=0)
    told = engine.said(engine.scan(aws, provider))
    assert {status for status, *_ in told.values()} == {"PASS", "FAIL"}
    aws.calls.clear()
    engine.scan(aws, provider, [engine.SISTER], engine.SISTER)
    theirs = aws.count("sagemaker")
    aws.calls.clear()
    assert engine.said(engine.scan(aws, provider, [CHECK, engine.SISTER])) == told
    assert aws.count("sagemaker") - theirs == COSTS[CHECK]
    aws.calls.clear()
    with aws.failing(on("Search")(refuse)):
        assert engine.said(engine.scan(aws, provider, [engine.SISTER, CHECK])) == told
    described = {"ListModels": 1, "Search": 1, "DescribeModel": len(told)}
    assert aws.count("sagemaker") - theirs == described  # their tags are not listed twice
    # A worker of Prowler's application may scan one account after the other in one process.
    engine.load_client(aws, engine.provider(aws, NONE))
    aws.calls.clear()
    with aws.failing(on("Search")(refuse)):
        assert engine.said(engine.scan(aws, provider, keep_client=True)) == told
    assert aws.count("sagemaker") == described | {"ListTags": len(told)}
