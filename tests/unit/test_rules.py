"""The rules as a table: each row of the verdict, and what wins over what."""

from dataclasses import MISSING, fields, replace
from typing import Any

import pytest

from checks.sagemaker_models_network_isolation_enabled.lib.facts import (
    Endpoint,
    EndpointConfig,
    MiddleboxRoute,
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
PRIVATE = Subnet("subnet-1", "vpc-1", "rtb-1", (), (), unread=())
PUBLIC = Subnet("subnet-2", "vpc-1", "rtb-2", (Route("0.0.0.0/0", "igw-1"),), (), unread=())
UNKNOWN_SUBNET = Subnet("subnet-3", unread=(UNREAD,))
PUBLIC_AND_UNKNOWN = Subnet(
    "subnet-4", "vpc-1", "rtb-4", (Route("::/0", "igw-1"),), (), unread=(UNREAD,)
)
THROUGH = MiddleboxRoute("0.0.0.0/0", "eni-1", "igw-1", "rtb-9")
IN_LINE = Subnet(
    *("subnet-6", "vpc-1", "rtb-6", ()),
    middlebox_routes=(THROUGH,),
    unread=(),
)
FIREWALLED = replace(
    IN_LINE, middlebox_routes=(MiddleboxRoute("0.0.0.0/0", "vpce-1", "igw-1", "rtb-7"),)
)
INSPECTED = replace(PUBLIC, internet_routes=(Route("0.0.0.0/0", "igw-1", "active"),))


def group(group_id: str, *ingress: str, egress: str | None = None) -> SecurityGroup:
    opened = tuple(map(OpenRule, ingress))
    return SecurityGroup(group_id, "vpc-1", opened, (OpenRule(egress),) if egress else (), (), ())


CLOSED = group("sg-1")
OPEN = group("sg-2", "tcp 22 from 0.0.0.0/0", "tcp 22 from ::/0")
UNKNOWN_GROUP = SecurityGroup("sg-3", unread=(UNREAD,), unread_egress=(UNREAD,))
CHATTY = group("sg-4", egress="all traffic to 0.0.0.0/0")
UNKNOWN_EGRESS = replace(group("sg-6"), unread_egress=(UNREAD,))


def model(
    isolation: bool | None = True,
    vpc: bool | None = True,
    subnets: tuple[Subnet, ...] = (PRIVATE,),
    groups: tuple[SecurityGroup, ...] = (CLOSED,),
    unread: tuple[Unread, ...] = (),
) -> Model:
    ids = tuple(s.id for s in subnets), tuple(g.id for g in groups)
    network = Network(subnets, groups)
    return Model("m", "arn", "eu-west-1", None, isolation, vpc, *ids, network, unread=unread)


def told(facts: Resource, strict: bool = False) -> str:
    return explain(facts, judge(facts, strict))


CASES: dict[str, tuple[Resource, str, str]] = {
    "isolated, private and controlled": (model(), "PASS", "subnet-1 (route table rtb-1)"),
    "isolation is off": (model(isolation=False), "FAIL", "network isolation is disabled"),
    "isolation is unknown": (model(isolation=None, unread=(UNREAD,)), "MANUAL", "it could not"),
    "no VPC configuration": (
        model(vpc=False, subnets=(), groups=()),
        "FAIL",
        "SageMaker model m fails: the VPC configuration is missing.",
    ),
    "VPC configuration unknown": (
        model(vpc=None, subnets=(), groups=(), unread=(UNREAD,)),
        "MANUAL",
        "allow ec2:Describe",
    ),
    "no security group": (
        model(groups=()),
        "FAIL",
        "m fails: the VPC configuration has no security group.",
    ),
    "security groups unknown": (
        model(vpc=None, groups=(), unread=(UNREAD,)),
        "MANUAL",
        "could not be read",
    ),
    "one public subnet among private ones": (
        model(subnets=(PRIVATE, PUBLIC)),
        "FAIL",
        "subnet subnet-2 is public: route table rtb-2 sends 0.0.0.0/0 to igw-1",
    ),
    "one unknown subnet among private ones": (
        model(subnets=(PRIVATE, UNKNOWN_SUBNET)),
        "MANUAL",
        "it could not be read",
    ),
    "a subnet that is public by what is known": (
        model(subnets=(PUBLIC_AND_UNKNOWN,)),
        "FAIL",
        "sends ::/0 to igw-1. Not known: it could not be read",
    ),
    "one open security group among closed ones": (
        model(groups=(CLOSED, OPEN)),
        "FAIL",
        "security group sg-2 allows ingress of tcp 22 from 0.0.0.0/0 and tcp 22 from ::/0",
    ),
    "an unknown security group": (model(groups=(UNKNOWN_GROUP,)), "MANUAL", "could not be read"),
    "egress to anywhere": (
        model(groups=(CHATTY,)),
        "PASS",
        "Note: security group sg-4 allows egress of all traffic to 0.0.0.0/0",
    ),
    "a violation wins over an unknown": (
        model(isolation=False, subnets=(UNKNOWN_SUBNET,)),
        "FAIL",
        "network isolation is disabled. Not known: it could not be read",
    ),
    "a middlebox in line": (
        model(subnets=(PRIVATE, IN_LINE)),
        "FAIL",
        "subnet subnet-6 is public through eni-1: route table rtb-6 sends 0.0.0.0/0 to it, and "
        "route table rtb-9 of igw-1 sends the subnet's traffic to it.",
    ),
    "public directly and through a middlebox": (
        model(subnets=(replace(IN_LINE, internet_routes=PUBLIC.internet_routes),)),
        "FAIL",
        "subnet subnet-6 is public: route table rtb-6 sends 0.0.0.0/0 to igw-1; subnet subnet-6 is "
        "public through eni-1: route table rtb-6 sends 0.0.0.0/0 to it",
    ),
    "two public subnets of one route table": (
        model(subnets=(PUBLIC, replace(PUBLIC, id="subnet-7"), PRIVATE)),
        "FAIL",
        "m fails: subnets subnet-2 and subnet-7 are public: route table rtb-2 sends 0.0.0.0/0 to "
        "igw-1.",
    ),
    "groups that are open together": (
        model(
            groups=(
                replace(
                    CLOSED,
                    open_ingress=(
                        OpenRule("udp 1 from ::/0"),
                        OpenRule("tcp 1 from 12.0.0.0/8", ("sg-5",)),
                    ),
                ),
                replace(
                    CLOSED, id="sg-5", open_ingress=(OpenRule("tcp 1 from 13.0.0.0/8", ("sg-1",)),)
                ),
            )
        ),
        "FAIL",
        "m fails: security group sg-1 allows ingress of udp 1 from ::/0; security groups sg-1 and "
        "sg-5 together allow ingress of tcp 1 from 12.0.0.0/8 of sg-1 and tcp 1 from 13.0.0.0/8 of "
        "sg-5.",
    ),
    "a serverless variant": (
        replace(
            EndpointConfig(*(getattr(model(), f.name) for f in fields(Resource))),
            serverless_variants=("v",),
        ),
        "FAIL",
        "variant v is serverless, which AWS neither isolates nor puts into a VPC.",
    ),
    "a public subnet whose traffic is blocked": (
        model(subnets=(replace(PUBLIC, block_public_access="block-bidirectional"), PRIVATE)),
        "FAIL",
        "sends 0.0.0.0/0 to igw-1. Note: VPC Block Public Access (block-bidirectional) stops the "
        "traffic between subnet-2 and the internet gateway for as long as it is on.",
    ),
    "two public subnets whose traffic is blocked in two ways": (
        model(
            subnets=tuple(
                replace(PUBLIC, id=f"subnet-{mode}", block_public_access=f"block-{mode}")
                for mode in ("bidirectional", "ingress")
            )
        ),
        "FAIL",
        "between subnet-bidirectional and the internet gateway for as long as it is on; VPC Block "
        "Public Access (block-ingress) stops the traffic between subnet-ingress and",
    ),
    "a subnet behind an appliance in line, whose own traffic is blocked": (
        model(subnets=(replace(IN_LINE, block_public_access="block-bidirectional"),)),
        "FAIL",
        "sends the subnet's traffic to it.",
    ),
    "a subnet behind a firewall's endpoint, whose own traffic is blocked": (
        model(subnets=(replace(FIREWALLED, block_public_access="block-ingress"),)),
        "FAIL",
        "Note: VPC Block Public Access (block-ingress) stops the traffic between subnet-6 and",
    ),
    "a private subnet whose traffic is blocked": (
        model(subnets=(replace(PRIVATE, block_public_access="block-bidirectional"),)),
        "PASS",
        "in sg-1.",
    ),
    "a public subnet behind the automated internet firewall": (
        model(subnets=(replace(INSPECTED, firewall_connectivity="outbound-only"),)),
        "FAIL",
        "Note: the automated internet firewall (outbound-only) drops connections from the internet "
        "to subnet-2 for as long as it is set so, unless its policy only monitors.",
    ),
    "a public subnet that it treats by its interfaces": (
        model(subnets=(replace(INSPECTED, firewall_connectivity="flexible"),)),
        "FAIL",
        "drops connections from the internet to interfaces without a public address in subnet-2 ",
    ),
    "two public subnets that it treats in two ways": (
        model(
            subnets=tuple(
                replace(INSPECTED, id=f"subnet-{way}", firewall_connectivity=way)
                for way in ("outbound-only", "flexible")
            )
        ),
        "FAIL",
        "to subnet-outbound-only for as long as it is set so, unless its policy only monitors; the "
        "automated internet firewall (flexible) drops",
    ),
    "a public subnet that it lets the internet into": (
        model(subnets=(replace(INSPECTED, firewall_connectivity="bidirectional"),)),
        "FAIL",
        "sends 0.0.0.0/0 to igw-1.",
    ),
    "a public subnet whose routes it does not inspect": (
        model(subnets=(replace(PUBLIC, firewall_connectivity="outbound-only"),)),
        "FAIL",
        "sends 0.0.0.0/0 to igw-1.",
    ),
    "a firewall": (
        model(subnets=(FIREWALLED,)),
        "FAIL",
        "subnet subnet-6 is public through vpce-1: route table rtb-6 sends 0.0.0.0/0 to it, and "
        "route table rtb-7 leads from there to igw-1.",
    ),
    "egress unknown": (
        model(groups=(UNKNOWN_EGRESS,)),
        "PASS",
        "in sg-6. Note: it could not be read (AccessDenied; allow ec2:Describe).",
    ),
    "everything at once": (
        model(isolation=False, subnets=(PUBLIC,), groups=(OPEN, UNKNOWN_GROUP, CHATTY)),
        "FAIL",
        "network isolation is disabled; subnet subnet-2 is public: route table rtb-2 sends "
        "0.0.0.0/0 to igw-1; security group sg-2 allows ingress of tcp 22 from 0.0.0.0/0 and "
        "tcp 22 from ::/0. Not known: it could not be read (AccessDenied; allow ec2:Describe). "
        "Note: security group sg-4 allows egress of all traffic to 0.0.0.0/0.",
    ),
}


@pytest.mark.parametrize(("facts", "status", "words"), CASES.values(), ids=CASES)
def test_verdict(facts: Resource, status: str, words: str) -> None:
    verdict = judge(facts, fail_on_unrestricted_egress=False)
    assert verdict.status == status
    text = explain(facts, verdict)
    assert text.endswith(words) if words.endswith(".") else words in text
    strict = judge(facts, fail_on_unrestricted_egress=True)
    groups = facts.network.security_groups if facts.network else ()
    stricter = [s for g, s in ((CHATTY, "FAIL"), (UNKNOWN_EGRESS, "MANUAL")) if g in groups]
    assert strict.status == (stricter or [status])[0]
    assert not any("egress" in note.rule for note in strict.notes)


# A fact that nobody filled in is unknown, whichever it is; these decide no verdict.
DECIDE_NOTHING = {
    *("subnet_ids", "security_group_ids", "tags", "creation_time", "endpoints"),
    *("transform_jobs", "monitored_endpoints", "block_public_access", "firewall_connectivity"),
}
DECIDE_EGRESS = {"open_egress", "unread_egress"}


def unfilled(part: Any) -> dict[str, Any]:
    """Return a fact without each of those that it may be without."""
    defaults = {f.name: f.default for f in fields(part) if f.default is not MISSING}
    return {
        name: replace(part, **{name: default})
        for name, default in defaults.items()
        if name not in DECIDE_NOTHING
    }


UNFILLED = {
    **unfilled(model()),
    **{f"subnet {k}": model(subnets=(v,)) for k, v in unfilled(PRIVATE).items()},
    **{f"group {k}": model(groups=(v,)) for k, v in unfilled(CLOSED).items()},
    "no subnet": replace(model(), network=Network((), (CLOSED,))),
    "no group": replace(model(), network=Network((PRIVATE,), ())),
    "another subnet": replace(model(), subnet_ids=("subnet-9",)),
    "nothing at all": Model("m", "arn", "r"),
}


@pytest.mark.parametrize(("name", "facts"), UNFILLED.items(), ids=UNFILLED)
def test_a_fact_that_nobody_filled_in_is_unknown(name: str, facts: Model) -> None:
    only_egress = name.rpartition(" ")[2] in DECIDE_EGRESS
    assert judge(facts, False).status == ("PASS" if only_egress else "MANUAL")
    strict = judge(facts, True)
    assert strict.status == "MANUAL"
    assert strict.unknown


def test_a_violation_is_data() -> None:
    chatty = model(False, subnets=(PUBLIC,), groups=(OPEN, CHATTY))
    isolation, *others = judge(chatty, fail_on_unrestricted_egress=True).violations
    assert isolation == Statement("network-isolation", "network isolation", "is disabled")
    assert [(said.rule, said.thing) for said in others] == [
        ("public-subnet", "route table rtb-2"),
        ("open-ingress", "security group sg-2"),
        ("open-egress", "security group sg-4"),
    ]
    assert others[0].effect == "subnet subnet-2 is public"
    blocked = replace(PUBLIC, block_public_access="block-bidirectional")
    noted = model(subnets=(blocked,), groups=(UNKNOWN_EGRESS, CHATTY))
    notes = judge(noted, fail_on_unrestricted_egress=False).notes
    assert [note.rule for note in notes] == ["blocked-subnet", "open-egress", "unknown-egress"]


SLUGS: dict[str, Resource] = {
    "vpc-config": model(vpc=False, subnets=(), groups=()),
    "security-groups": model(groups=()),
    "serverless-variant": CASES["a serverless variant"][0],
    "firewalled-subnet": CASES["a public subnet behind the automated internet firewall"][0],
}


@pytest.mark.parametrize(("slug", "facts"), SLUGS.items(), ids=SLUGS)
def test_a_rule_has_its_name(slug: str, facts: Resource) -> None:
    verdict = judge(facts, fail_on_unrestricted_egress=True)
    assert slug in [said.rule for said in (*verdict.violations, *verdict.notes)]


def test_what_nobody_read_is_named() -> None:
    (unread,) = judge(Model("m", "arn", "r"), fail_on_unrestricted_egress=True).unknown
    what, why = "EnableNetworkIsolation and VpcConfig", "nothing was read"
    assert unread == Unread(what, why, "sagemaker:DescribeModel", "scan again")
    for name, whats in {
        "no group": ["a subnet or security group"],
        "subnet route_table_id": ["subnet subnet-1"],
        "group open_ingress": ["security group sg-1"],
        "group open_egress": ["egress of security group sg-1"],
    }.items():
        unknown = judge(UNFILLED[name], fail_on_unrestricted_egress=True).unknown
        assert [unread.what for unread in unknown] == whats


def test_a_passed_model_names_its_vpc_and_all_that_it_could_break() -> None:
    other = group("sg-5", egress="tcp 25 to ::/0")
    facts = model(subnets=(PRIVATE, replace(PRIVATE, id="subnet-5")), groups=(CHATTY, other))
    assert (
        told(facts)
        == "SageMaker model m has network isolation enabled and a private VPC configuration in "
        "vpc-1: no live route to an internet or carrier gateway from subnet-1 (route table rtb-1) "
        "and subnet-5 "
        "(route table rtb-1), no ingress open to the internet in sg-4 and sg-5. Note: security "
        "group sg-4 allows egress of all traffic to 0.0.0.0/0; security group sg-5 allows egress "
        "of tcp 25 to ::/0."
    )


def test_each_reason_is_named_once_with_all_that_it_hit() -> None:
    refused = [Unread(f"subnet {n}", "Throttling", "ec2:Describe", "wait") for n in (1, 2, 3)]
    gone = replace(UNREAD, problem="could not be found")
    subnets = tuple(Subnet(f"subnet-{n}", unread=(u,)) for n, u in enumerate(refused))
    assert (
        told(model(isolation=None, subnets=subnets, unread=(UNREAD, gone)))
        == "SageMaker model m could not be judged: it could not be read (AccessDenied; allow "
        "ec2:Describe); it could not be found (AccessDenied; allow ec2:Describe); subnet 1, subnet "
        "2 and subnet 3 could not be read (Throttling; wait)."
    )


def test_a_long_text_begins_with_all_rules() -> None:
    public = tuple(
        replace(PUBLIC, id=f"subnet-{n:017}", route_table_id=f"rtb-{n:017}") for n in range(16)
    )
    opened = tuple(group(f"sg-1{n}", "tcp 22 from ::/0") for n in range(4))
    unknown = replace(OPEN, unread=(UNREAD, replace(UNREAD, what="that")))
    text = told(model(False, subnets=public, groups=(*opened, unknown, CHATTY)))
    assert text.startswith(
        "SageMaker model m fails: network-isolation (1); public-subnet (16); open-ingress (5); "
        "unknown (2); noted: open-egress (1). Evidence: network isolation is disabled; subnet "
        "subnet-00000000000000000 is public: "
    )
    assert ". Not known: it and that could not be read (" in text
    assert text.endswith("to 0.0.0.0/0.")
    assert all(subnet.id in text for subnet in public)
    assert all(group.id in text for group in (*opened, unknown, CHATTY))


def test_a_long_pass_begins_with_what_was_looked_at() -> None:
    private = tuple(replace(PRIVATE, id=f"subnet-{n:017}") for n in range(16))
    text = told(model(subnets=private, groups=tuple(group(f"sg-{n:017}") for n in range(5))))
    assert text.startswith(
        "SageMaker model m has network isolation enabled and a private VPC configuration in vpc-1: "
        "private subnets (16); security groups without open ingress (5). Evidence: no live "
    )
    assert all(subnet.id in text for subnet in private)


@pytest.mark.parametrize(("number", "end"), [(50, " and tcp 50 from ::/0."), (51, "1 more.")])
def test_a_very_long_list_of_rules_is_counted(number: int, end: str) -> None:
    rules = [f"tcp {port} from ::/0" for port in range(1, number + 1)]
    assert told(model(groups=(group("sg-9", *rules),))).endswith(end)


SERVES = {
    "nothing": ((), " No endpoint is seen to serve it."),
    "one": ((Endpoint("one", "arn", "InService"),), " It serves endpoint one."),
    "not known": (None, ""),
    "two, one of them not in service": (
        (Endpoint("one", "arn", "Failed"), Endpoint("two", None, None)),
        " It serves endpoints one (Failed) and two (status unknown).",
    ),
}


@pytest.mark.parametrize(("endpoints", "sentence"), SERVES.values(), ids=SERVES)
def test_the_last_sentence_says_what_serves_and_decides_nothing(
    endpoints: tuple[Endpoint, ...] | None, sentence: str
) -> None:
    for facts in (model(), model(False), model(subnets=(UNKNOWN_SUBNET,))):
        served = replace(facts, endpoints=endpoints)
        assert judge(served, False) == judge(facts, False)
        assert told(served) == told(facts) + sentence


@pytest.mark.parametrize(("length", "summary"), [(1000, False), (1001, True)])
def test_a_text_that_security_hub_keeps_whole_stays_as_it_is(length: int, summary: bool) -> None:
    facts = replace(model(isolation=False), endpoints=())
    name = "m" * (length - len(told(replace(facts, name=""))))
    text = told(replace(facts, name=name))
    assert ("Evidence: " in text) is summary
    # What serves comes before the evidence of a long text.
    assert text.endswith("Evidence: network isolation is disabled.") is summary
