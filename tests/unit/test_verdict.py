"""The verdict as a table: each row of the rule, and what wins over what."""

from dataclasses import replace

import pytest

from checks.sagemaker_models_network_isolation_enabled.lib.facts import (
    Endpoint,
    MiddleboxRoute,
    Model,
    OpenRule,
    Route,
    SecurityGroup,
    Subnet,
    Unread,
)
from checks.sagemaker_models_network_isolation_enabled.lib.findings import explain
from checks.sagemaker_models_network_isolation_enabled.lib.verdict import Rule, judge

UNREAD = Unread("it", "AccessDenied", "ec2:Describe", "allow ec2:Describe")


def opened(*texts: str) -> tuple[OpenRule, ...]:
    return tuple(OpenRule(text, ()) for text in texts)


PRIVATE = Subnet("subnet-1", "vpc-1", "rtb-1")
PUBLIC = Subnet("subnet-2", "vpc-1", "rtb-2", (Route("0.0.0.0/0", "igw-1"),))
UNKNOWN_SUBNET = Subnet("subnet-3", unread=(UNREAD,))
PUBLIC_AND_UNKNOWN = Subnet(
    "subnet-4", "vpc-1", "rtb-4", (Route("::/0", "igw-1"),), unread=(UNREAD,)
)
IN_LINE = Subnet(
    *("subnet-6", "vpc-1", "rtb-6"),
    middlebox_routes=(MiddleboxRoute("0.0.0.0/0", "eni-1", "igw-1", "rtb-9"),),
)
FIREWALLED = replace(
    IN_LINE, middlebox_routes=(MiddleboxRoute("0.0.0.0/0", "vpce-1", "igw-1", "rtb-7"),)
)
INSPECTED = replace(PUBLIC, internet_routes=(Route("0.0.0.0/0", "igw-1", "active"),))
CLOSED = SecurityGroup("sg-1", "vpc-1")
OPEN = SecurityGroup("sg-2", "vpc-1", opened("tcp 22 from 0.0.0.0/0", "tcp 22 from ::/0"))
UNKNOWN_GROUP = SecurityGroup("sg-3", unread=(UNREAD,), unread_egress=(UNREAD,))
UNKNOWN_EGRESS = SecurityGroup("sg-6", "vpc-1", unread_egress=(UNREAD,))
CHATTY = SecurityGroup("sg-4", "vpc-1", (), opened("all traffic to 0.0.0.0/0"))


def model(
    isolation: bool | None = True,
    vpc: bool | None = True,
    subnets: tuple[Subnet, ...] = (PRIVATE,),
    groups: tuple[SecurityGroup, ...] = (CLOSED,),
    unread: tuple[Unread, ...] = (),
) -> Model:
    return Model("m", "arn", "eu-west-1", None, isolation, vpc, subnets, groups, unread=unread)


CASES = {
    "isolated, private and controlled": (model(), "PASS", "subnet-1 (route table rtb-1)"),
    "isolation is off": (model(isolation=False), "FAIL", "network isolation is disabled"),
    "isolation is unknown": (model(isolation=None, unread=(UNREAD,)), "MANUAL", "it could not"),
    "no VPC configuration": (
        model(vpc=False, subnets=(), groups=()),
        "FAIL",
        "SageMaker model m fails: it has no VPC configuration.",
    ),
    "VPC configuration unknown": (
        model(vpc=None, subnets=(), groups=(), unread=(UNREAD,)),
        "MANUAL",
        "allow ec2:Describe",
    ),
    "no security group": (
        model(groups=()),
        "FAIL",
        "m fails: its VPC configuration has no security group.",
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
        "subnet subnet-6 is public: route table rtb-6 sends 0.0.0.0/0 to igw-1, and is public "
        "through eni-1: route table",
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
def test_verdict(facts: Model, status: str, words: str) -> None:
    verdict = judge(facts, fail_on_unrestricted_egress=False)
    assert verdict.status == status
    text = explain(facts, verdict)
    assert text.endswith(words) if words.endswith(".") else words in text


@pytest.mark.parametrize(("facts", "status", "words"), CASES.values(), ids=CASES)
def test_verdict_where_unrestricted_egress_is_a_violation(
    facts: Model, status: str, words: str
) -> None:
    verdict = judge(facts, fail_on_unrestricted_egress=True)
    strict = {CHATTY: "FAIL", UNKNOWN_EGRESS: "MANUAL"}
    expected = [strict[group] for group in facts.security_groups if group in strict]
    assert verdict.status == (expected[0] if expected else status)
    assert not any(note.rule in (Rule.EGRESS, Rule.EGRESS_UNREAD) for note in verdict.notes)
    if CHATTY in facts.security_groups:
        assert "sg-4 allows egress of all traffic" in explain(facts, verdict)


def test_a_passed_model_names_its_vpc_and_all_that_it_could_break() -> None:
    other = SecurityGroup("sg-5", "vpc-1", (), opened("tcp 25 to ::/0"))
    facts = model(subnets=(PRIVATE, Subnet("subnet-5", "vpc-1", "rtb-1")), groups=(CHATTY, other))
    assert (
        explain(facts, judge(facts, fail_on_unrestricted_egress=False))
        == "SageMaker model m has network isolation enabled and a private VPC configuration in "
        "vpc-1: no live route to an internet or carrier gateway from subnet-1 (route table rtb-1) "
        "and subnet-5 "
        "(route table rtb-1), no ingress open to the internet in sg-4 and sg-5. Note: security "
        "group sg-4 allows egress of all traffic to 0.0.0.0/0; security group sg-5 allows egress "
        "of tcp 25 to ::/0."
    )


def test_each_reason_is_named() -> None:
    other = Unread("that", "Throttling", "ec2:Describe", "wait")
    facts = model(isolation=None, unread=(UNREAD, other))
    assert (
        explain(facts, judge(facts, fail_on_unrestricted_egress=False))
        == "SageMaker model m could not be judged: it could not be read (AccessDenied; allow "
        "ec2:Describe); that could not be read (Throttling; wait)."
    )


def test_what_shares_a_reason_is_named_together() -> None:
    unread = [Unread(f"subnet {n}", "Throttling", "ec2:Describe", "wait") for n in (1, 2, 3)]
    facts = model(subnets=tuple(Subnet(str(u.what), unread=(u,)) for u in unread))
    assert (
        explain(facts, judge(facts, fail_on_unrestricted_egress=False))
        == "SageMaker model m could not be judged: subnet 1, subnet 2 and subnet 3 could not be "
        "read (Throttling; wait)."
    )


def test_a_long_text_begins_with_all_kinds() -> None:
    public = tuple(
        Subnet(f"subnet-{n:017}", "vpc-1", f"rtb-{n:017}", (Route("0.0.0.0/0", f"igw-{n:017}"),))
        for n in range(16)
    )
    groups = tuple(SecurityGroup(f"sg-{n}", "vpc-1", opened("tcp 22 from ::/0")) for n in range(4))
    unknown = replace(OPEN, unread=(UNREAD, replace(UNREAD, what="that")))
    facts = model(False, subnets=public, groups=(*groups, unknown, CHATTY))
    text = explain(facts, judge(facts, fail_on_unrestricted_egress=False))
    assert text.startswith(
        "SageMaker model m fails: network isolation is disabled; 16 public subnets; 5 security "
        "groups with ingress open to the internet; 2 things unknown; 1 "
        "security group with egress open to the internet. Evidence: network isolation is "
        "disabled; subnet subnet-00000000000000000 is public: "
    )
    assert ". Not known: it and that could not be read (" in text
    assert text.endswith("to 0.0.0.0/0.")
    assert all(subnet.id in text for subnet in public)
    assert all(group.id in text for group in (*groups, unknown, CHATTY))


def test_a_violation_says_which_rule_it_breaks() -> None:
    chatty = model(False, subnets=(PUBLIC,), groups=(OPEN, CHATTY))
    verdict = judge(chatty, fail_on_unrestricted_egress=True)
    rules = [violation.rule for violation in verdict.violations]
    assert rules == [Rule.ISOLATION, Rule.SUBNET, Rule.INGRESS, Rule.EGRESS]
    by = [violation.by for violation in verdict.violations]
    assert by == [None, PUBLIC, OPEN, CHATTY]
    blocked = replace(PUBLIC, block_public_access="block-bidirectional")
    noted = model(subnets=(blocked,), groups=(UNKNOWN_EGRESS, CHATTY))
    notes = judge(noted, fail_on_unrestricted_egress=False).notes
    assert [note.rule for note in notes] == [Rule.BLOCKED, Rule.EGRESS, Rule.EGRESS_UNREAD]
    (bare,) = judge(model(vpc=False, subnets=(), groups=()), True).violations
    assert bare.rule is Rule.VPC_CONFIG
    (ungrouped,) = judge(model(groups=()), True).violations
    assert ungrouped.rule is Rule.SECURITY_GROUPS


def test_a_long_pass_begins_with_all_kinds() -> None:
    private = tuple(Subnet(f"subnet-{n:017}", "vpc-1", f"rtb-{n:017}") for n in range(16))
    groups = tuple(SecurityGroup(f"sg-{n:017}", "vpc-1") for n in range(5))
    facts = model(subnets=private, groups=groups)
    text = explain(facts, judge(facts, fail_on_unrestricted_egress=False))
    assert text.startswith(
        "SageMaker model m has network isolation enabled and a private VPC configuration in vpc-1: "
        "16 private subnets; 5 security groups without open ingress. Evidence: no live "
    )
    assert all(subnet.id in text for subnet in private)
    assert all(group.id in text for group in groups)


def test_a_very_long_list_of_rules_is_counted() -> None:
    def told(number: int) -> str:
        rules = opened(*(f"tcp {port} from 0.0.0.0/0" for port in range(1, number + 1)))
        facts = model(groups=(SecurityGroup("sg-9", "vpc-1", rules),))
        return explain(facts, judge(facts, fail_on_unrestricted_egress=False))

    assert "tcp 50 from 0.0.0.0/0 and 10 more." in told(60)
    assert "tcp 51 from" not in told(60)
    assert "tcp 50 from 0.0.0.0/0 and 1 more." in told(51)
    assert told(50).endswith(" and tcp 50 from 0.0.0.0/0.")


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
    for facts, *_ in CASES.values():
        served = replace(facts, endpoints=endpoints)
        verdict = judge(served, fail_on_unrestricted_egress=False)
        assert verdict == judge(facts, fail_on_unrestricted_egress=False)
        assert explain(served, verdict) == explain(facts, verdict) + sentence


def test_what_serves_comes_before_the_evidence_of_a_long_text() -> None:
    facts = replace(model(isolation=False), name="m" * 1000, endpoints=())
    text = explain(facts, judge(facts, fail_on_unrestricted_egress=False))
    assert text.endswith(
        "m fails: network isolation is disabled. No endpoint is seen to serve it. Evidence: "
        "network isolation is disabled."
    )


@pytest.mark.parametrize(("length", "summary"), [(1000, False), (1001, True)])
def test_a_text_that_security_hub_keeps_whole_stays_as_it_is(length: int, summary: bool) -> None:
    def text(name: str) -> str:
        facts = replace(model(isolation=False), name=name)
        return explain(facts, judge(facts, fail_on_unrestricted_egress=False))

    name = "m" * (length - len(text("")))
    assert len(text(name)) == length or summary
    assert ("Evidence: " in text(name)) is summary
