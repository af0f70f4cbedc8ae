"""The rules as a table: each row of the verdict, and what wins over what."""

from dataclasses import MISSING, fields, replace
from typing import Any

import pytest

from checks.sagemaker_models_network_isolation_enabled.lib.facts import (
    Endpoint,
    EndpointConfig,
    Model,
    Network,
    OpenRule,
    Resource,
    Route,
    SecurityGroup,
    Subnet,
    Unread,
)
from checks.sagemaker_models_network_isolation_enabled.lib.findings import explain
from checks.sagemaker_models_network_isolation_enabled.lib.rules import Statement, judge

UNREAD = Unread("it", "AccessDenied", "ec2:Describe", "allow ec2:Describe")
PRIVATE = Subnet("subnet-1", "vpc-1", "rtb-1", (), unread=())
PUBLIC = Subnet("subnet-2", "vpc-1", "rtb-2", (Route("0.0.0.0/0", "igw-1"),), unread=())
DIRECT = Route("0.0.0.0/0", "igw-1")
THROUGH, FIREWALL = (
    replace(DIRECT, middlebox=middlebox, route_table_id=table)
    for middlebox, table in (("eni-1", "rtb-9"), ("vpce-1", "rtb-7"))
)
IN_LINE = Subnet("subnet-6", "vpc-1", "rtb-6", (THROUGH,), unread=())
SUBNETS = {
    "private": PRIVATE,
    "public": PUBLIC,
    "unread": Subnet("subnet-3", unread=(UNREAD,)),
    "public-unread": replace(PUBLIC, internet_routes=(Route("::/0", "igw-1"),), unread=(UNREAD,)),
    "in-line": IN_LINE,
    "both-ways": replace(IN_LINE, internet_routes=(DIRECT, THROUGH)),
    "firewalled": replace(IN_LINE, internet_routes=(FIREWALL,)),
    "inspected": replace(PUBLIC, internet_routes=(Route("0.0.0.0/0", "igw-1", "active"),)),
}


def group(group_id: str, *ingress: str, egress: str | None = None) -> SecurityGroup:
    opened = tuple(map(OpenRule, ingress))
    return SecurityGroup(group_id, "vpc-1", opened, (OpenRule(egress),) if egress else (), (), ())


CLOSED = group("sg-1")
TOGETHER = (
    OpenRule("udp 1 from ::/0"),
    OpenRule("tcp 1 from 12.0.0.0/8", ("sg-5",)),
    OpenRule("tcp 1 from 13.0.0.0/8", ("sg-1",)),
)
GROUPS = {
    "closed": CLOSED,
    "open": group("sg-2", "tcp 22 from 0.0.0.0/0", "tcp 22 from ::/0"),
    "no-rules": SecurityGroup("sg-3", unread=(UNREAD,), unread_egress=(UNREAD,)),
    "chatty": group("sg-4", egress="all traffic to 0.0.0.0/0"),
    "no-egress": replace(group("sg-6"), unread_egress=(UNREAD,)),
    "one": replace(CLOSED, open_ingress=TOGETHER[:2]),
    "other": replace(group("sg-5"), open_ingress=(TOGETHER[2],)),
}
NO_VPC: dict[str, Any] = {"subnet_ids": (), "security_group_ids": (), "network": Network()}
FLAGS: dict[str, dict[str, Any]] = {
    "off": {"network_isolation": False},
    "off?": {"network_isolation": None, "unread": (UNREAD,)},
    "no-vpc": {"has_vpc_config": False, **NO_VPC},
    "vpc?": {"has_vpc_config": None, "unread": (UNREAD,), **NO_VPC},
    "serverless": {"serverless_variants": ("v",)},
    "no-group": {"security_group_ids": (), "network": Network((PRIVATE,))},
}


def model(text: str = "", *parts: Subnet | SecurityGroup) -> Any:
    """Return a model that is sound but for its subnets and groups, and for what is wrong with it.

    Args:
        text: The names of those above. A subnet may have settings, and a number of its own, as in
            "public.block-ingress.7".
        parts: More subnets and groups.
    """
    found = []
    for name, *settings in (word.split(".") for word in text.split() if word not in FLAGS):
        part: Any = (SUBNETS | GROUPS)[name]
        for value in settings:
            member = "block_public_access" if "block" in value else "firewall_connectivity"
            changed = {"id": f"subnet-{value}"} if value.isdigit() else {member: value}
            part = replace(part, **changed)
        found.append(part)
    found += parts
    subnets = tuple(part for part in found if isinstance(part, Subnet)) or (PRIVATE,)
    groups = tuple(part for part in found if isinstance(part, SecurityGroup)) or (CLOSED,)
    ids = tuple(subnet.id for subnet in subnets), tuple(group.id for group in groups)
    network = Network(subnets, groups)
    made: Any = Model("m", "arn", "eu-west-1", None, True, True, *ids, network, unread=())
    if "serverless" in text:
        made = EndpointConfig(*(getattr(made, f.name) for f in fields(Resource)))
    wrong = [FLAGS[word] for word in text.split() if word in FLAGS]
    return replace(made, **{name: value for flag in wrong for name, value in flag.items()})


def told(facts: Resource) -> str:
    return explain(facts, judge(facts, fail_on_unrestricted_egress=False))


REFUSED = "it could not be read (AccessDenied; allow ec2:Describe)"
SENDS = "route table rtb-6 sends 0.0.0.0/0 to it"
# A model, and its status with words of the finding, or its end.
CASES = {
    "": "PASS subnet-1 (route table rtb-1)",
    "off": "FAIL network isolation is disabled",
    "off?": "MANUAL it could not",
    "no-vpc": "FAIL SageMaker model m fails: the VPC configuration is missing.",
    "vpc?": "MANUAL allow ec2:Describe",
    "no-group": "FAIL m fails: the VPC configuration has no security group.",
    "private public": "FAIL subnet subnet-2 is public: route table rtb-2 sends 0.0.0.0/0 to igw-1",
    "private unread": "MANUAL it could not be read",
    "public-unread": "FAIL sends ::/0 to igw-1. Not known: it could not be read",
    "closed open": "FAIL group sg-2 allows ingress of tcp 22 from 0.0.0.0/0 and tcp 22 from ::/0.",
    "no-rules": "MANUAL could not be read",
    "chatty": "PASS Note: security group sg-4 allows egress of all traffic to 0.0.0.0/0",
    "no-egress": f"PASS in sg-6. Note: {REFUSED}.",
    "off unread": "FAIL network isolation is disabled. Not known: it could not be read",
    "private in-line": (
        f"FAIL subnet subnet-6 is public through eni-1: {SENDS}, and route table rtb-9 of igw-1 "
        "sends the subnet's traffic to it."
    ),
    "both-ways": "FAIL rtb-6 sends 0.0.0.0/0 to igw-1; subnet subnet-6 is public through eni-1: ",
    "firewalled": (
        f"FAIL subnet subnet-6 is public through vpce-1: {SENDS}, and route table rtb-7 leads from "
        "there to igw-1."
    ),
    "public public.7 private": (
        "FAIL m fails: subnets subnet-2 and subnet-7 are public: route table rtb-2 sends 0.0.0.0/0 "
        "to igw-1."
    ),
    "one other": (
        "FAIL m fails: security group sg-1 allows ingress of udp 1 from ::/0; security groups sg-1 "
        "and sg-5 together allow ingress of tcp 1 from 12.0.0.0/8 of sg-1 and tcp 1 from "
        "13.0.0.0/8 of sg-5."
    ),
    "serverless": ("FAIL variant v is serverless, which AWS neither isolates nor puts into a VPC."),
    # What stops traffic, and decides nothing.
    "private.block-bidirectional": "PASS in sg-1.",
    "public.block-bidirectional private": (
        "FAIL sends 0.0.0.0/0 to igw-1. Note: VPC Block Public Access (block-bidirectional) stops "
        "the traffic between subnet-2 and the internet gateway for as long as it is on."
    ),
    "public.block-bidirectional public.block-ingress.7": (
        "FAIL it is on; VPC Block Public Access (block-ingress) stops the traffic between subnet-7"
    ),
    "in-line.block-bidirectional": "FAIL sends the subnet's traffic to it.",
    "firewalled.block-ingress": (
        "FAIL Note: VPC Block Public Access (block-ingress) stops the traffic between subnet-6 and"
    ),
    "inspected.outbound-only": (
        "FAIL Note: the automated internet firewall (outbound-only) drops connections from the "
        "internet to subnet-2 for as long as it is set so, unless its policy only monitors."
    ),
    "inspected.outbound-only inspected.flexible.7": (
        "FAIL only monitors; the automated internet firewall (flexible) drops connections from the "
        "internet to interfaces without a public address in subnet-7 "
    ),
    "inspected.bidirectional": "FAIL sends 0.0.0.0/0 to igw-1.",
    "public.outbound-only": "FAIL sends 0.0.0.0/0 to igw-1.",
    "off public open no-rules chatty": (
        "FAIL network isolation is disabled; subnet subnet-2 is public: route table rtb-2 sends "
        "0.0.0.0/0 to igw-1; security group sg-2 allows ingress of tcp 22 from 0.0.0.0/0 and "
        f"tcp 22 from ::/0. Not known: {REFUSED}. Note: security group sg-4 allows egress of all "
        "traffic to 0.0.0.0/0."
    ),
}


@pytest.mark.parametrize("text", CASES)
def test_verdict(text: str) -> None:
    status, _, words = CASES[text].partition(" ")
    facts = model(text)
    assert judge(facts, fail_on_unrestricted_egress=False).status == status
    said = told(facts)
    assert said.endswith(words) if words.endswith(".") else words in said
    strict = judge(facts, fail_on_unrestricted_egress=True)
    stricter = {"chatty": "FAIL", "no-egress": "MANUAL"}
    assert strict.status == stricter.get(text.rpartition(" ")[2], status)
    assert not any("egress" in note.rule for note in strict.notes)


# A fact that nobody filled in is unknown, whichever it is; these decide no verdict.
DECIDE_NOTHING = {
    *("subnet_ids", "security_group_ids", "tags", "creation_time", "endpoints"),
    *("other_uses", "block_public_access", "firewall_connectivity"),
}


def unfilled(part: Any) -> dict[str, Any]:
    """Return a fact without each of those that it may be without."""
    return {
        f.name: replace(part, **{f.name: f.default})
        for f in fields(part)
        if f.default is not MISSING and f.name not in DECIDE_NOTHING
    }


UNFILLED = {
    **unfilled(model()),
    **{f"subnet {k}": model("", v) for k, v in unfilled(PRIVATE).items()},
    **{f"group {k}": model("", v) for k, v in unfilled(CLOSED).items()},
    "no subnet": replace(model(), network=Network((), (CLOSED,))),
    "no group": replace(model(), network=Network((PRIVATE,), ())),
    "another subnet": replace(model(), subnet_ids=("subnet-9",)),
    "nothing at all": Model("m", "arn", "r"),
}
WHATS = {
    "no group": "a subnet or security group",
    "subnet route_table_id": "subnet subnet-1",
    "group open_ingress": "security group sg-1",
    "group open_egress": "egress of security group sg-1",
}


@pytest.mark.parametrize("name", UNFILLED)
def test_a_fact_that_nobody_filled_in_is_unknown(name: str) -> None:
    only_egress = name in ("group open_egress", "group unread_egress")
    assert judge(UNFILLED[name], False).status == ("PASS" if only_egress else "MANUAL")
    strict = judge(UNFILLED[name], True)
    assert strict.status == "MANUAL"
    whats = [unread.what for unread in strict.unknown]
    assert whats == [WHATS.get(name, whats[0])]


def test_what_nobody_read_is_named() -> None:
    what, why = "EnableNetworkIsolation and VpcConfig", "nothing was read"
    unknown = judge(UNFILLED["nothing at all"], fail_on_unrestricted_egress=True).unknown
    assert unknown == (Unread(what, why, "sagemaker:DescribeModel", "scan again"),)


def test_a_violation_is_data() -> None:
    chatty = judge(model("off public open chatty"), fail_on_unrestricted_egress=True)
    isolation, *others = chatty.violations
    assert isolation == Statement("network-isolation", "network isolation", "is disabled")
    assert [(said.rule, said.thing) for said in others] == [
        ("public-subnet", "route table rtb-2"),
        ("open-ingress", "security group sg-2"),
        ("open-egress", "security group sg-4"),
    ]
    assert others[0].effect == "subnet subnet-2 is public"
    notes = judge(model("inspected.flexible public.block-ingress no-egress chatty"), False).notes
    names = ["blocked-subnet", "firewalled-subnet", "open-egress", "unknown-egress"]
    assert [note.rule for note in notes] == names
    broken = (judge(model(text), False) for text in ("no-vpc", "no-group", "serverless"))
    rules = [verdict.violations[0].rule for verdict in broken]
    assert rules == ["vpc-config", "security-groups", "serverless-variant"]


def test_a_passed_model_names_its_vpc_and_all_that_it_could_break() -> None:
    other = group("sg-5", egress="tcp 25 to ::/0")
    assert told(model("private private.5 chatty", other)) == (
        "SageMaker model m has network isolation enabled and a private VPC configuration in vpc-1: "
        "no live route to an internet or carrier gateway from subnet-1 (route table rtb-1) and "
        "subnet-5 (route table rtb-1), no ingress open to the internet in sg-4 and sg-5. Note: "
        "security group sg-4 allows egress of all traffic to 0.0.0.0/0; security group sg-5 allows "
        "egress of tcp 25 to ::/0."
    )


def test_each_reason_is_named_once_with_all_that_it_hit() -> None:
    refused = [Unread(f"subnet {n}", "Throttling", "ec2:Describe", "wait") for n in (1, 2, 3)]
    subnets = (Subnet(f"subnet-{n}", unread=(u,)) for n, u in enumerate(refused))
    facts = replace(model("off?", *subnets), unread=(UNREAD, replace(UNREAD, problem="is gone")))
    assert told(facts) == (
        f"SageMaker model m could not be judged: {REFUSED}; it is gone (AccessDenied; allow "
        "ec2:Describe); subnet 1, subnet 2 and subnet 3 could not be read (Throttling; wait)."
    )


def test_a_long_text_begins_with_all_rules_or_with_what_was_looked_at() -> None:
    private: list[Any] = [replace(PRIVATE, id=f"subnet-{n:017}") for n in range(16)]
    public: list[Any] = [replace(PUBLIC, id=s.id, route_table_id=f"rtb-{s.id}") for s in private]
    opened = [group(f"sg-1{n}", "tcp 22 from ::/0") for n in range(4)]
    unread = replace(GROUPS["open"], unread=(UNREAD, replace(UNREAD, what="that")))
    closed = [group(f"sg-{n:017}") for n in range(5)]
    for flag, parts, start in (
        (
            *("off", [*public, *opened, unread, GROUPS["chatty"]]),
            "fails: network-isolation (1); public-subnet (16); open-ingress (5); unknown (2); "
            "noted: open-egress (1). Evidence: network isolation is disabled; subnet ",
        ),
        (
            *("", [*private, *closed]),
            "has network isolation enabled and a private VPC configuration in vpc-1: private "
            "subnets (16); security groups without open ingress (5). Evidence: no live ",
        ),
    ):
        text = told(model(flag, *parts))
        assert text.startswith(f"SageMaker model m {start}")
        assert (". Not known: it and that could not be read (" in text) == bool(flag)
        assert all(part.id in text for part in parts)


@pytest.mark.parametrize(("number", "end"), [(50, " and tcp 50 from ::/0."), (51, "1 more.")])
def test_a_very_long_list_of_rules_is_counted(number: int, end: str) -> None:
    rules = [f"tcp {port} from ::/0" for port in range(1, number + 1)]
    assert told(model("", group("sg-9", *rules))).endswith(end)


ONE, TWO = Endpoint("one", "arn", "InService"), Endpoint("two", None, None)
FAILED = replace(ONE, status="Failed")
SERVES: dict[str, tuple[Endpoint, ...] | None] = {
    " No endpoint is seen to serve it.": (),
    " It serves endpoint one.": (ONE,),
    "": None,
    " It serves endpoints one (Failed) and two (status unknown).": (FAILED, TWO),
}


@pytest.mark.parametrize("sentence", SERVES)
def test_the_last_sentence_says_what_serves_and_decides_nothing(sentence: str) -> None:
    for facts in (model(), model("off"), model("unread")):
        served = replace(facts, endpoints=SERVES[sentence])
        assert judge(served, False) == judge(facts, False)
        assert told(served) == told(facts) + sentence


@pytest.mark.parametrize(("length", "summary"), [(1000, False), (1001, True)])
def test_a_text_that_security_hub_keeps_whole_stays_as_it_is(length: int, summary: bool) -> None:
    facts = replace(model("off"), endpoints=())
    text = told(replace(facts, name="m" * (length - len(told(replace(facts, name=""))))))
    assert ("Evidence: " in text) is summary
    # What serves comes before the evidence of a long text.
    assert text.endswith("Evidence: network isolation is disabled.") is summary
