"""What findings come to: counts, what to fix first, and what could not be judged."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from .causes import Cause, Unread
from .findings import Finding

STATES = ("FAIL", "MANUAL", "PASS", "muted")
Place = tuple[str, str]  # the account and the region


@dataclass
class Fix:
    """One cause, over all findings that it makes fail and that are not muted.

    Attributes:
        thing: See `Cause`.
        details: Of all those findings together.
        fails: The number of resources that it makes fail, by their kind.
        would_pass: The number of those that would pass if it alone were mended: it is the only
            cause, and nothing that might decide is unknown.
        endpoints: The endpoints that use one of them.
        endpoints_unknown: The number of those of which that is not known.
        places: The accounts and regions that they are in.
        resources: Their ARNs.
    """

    thing: str
    details: dict[str, None] = field(default_factory=dict)
    fails: Counter[str] = field(default_factory=Counter)
    would_pass: int = 0
    endpoints: set[str] = field(default_factory=set)
    endpoints_unknown: int = 0
    places: set[Place] = field(default_factory=set)
    resources: list[str] = field(default_factory=list)

    def add(self, cause: Cause, finding: Finding) -> None:
        """Count a finding that it makes fail."""
        self.details.update(dict.fromkeys(cause.details))
        self.fails[finding.kind] += 1
        self.would_pass += len(finding.causes) == 1 and not finding.unread
        self.endpoints.update(finding.endpoints or ())
        self.endpoints_unknown += finding.endpoints is None
        self.places.add((finding.account, finding.region))
        self.resources.append(finding.arn)

    @property
    def order(self) -> tuple[bool, int, int, str]:
        """What serves comes first, and then what most depends on."""
        return not self.endpoints, -self.fails.total(), -self.would_pass, self.thing


@dataclass
class Reason:
    """One reason why findings are MANUAL and not muted.

    Attributes:
        unread: The reason.
        findings: The number of findings that it keeps from a verdict.
        lists: The number of those that are about a region whose list could not be read, and so
            about all that is in it.
        places: The accounts and regions that they are in.
    """

    unread: Unread
    findings: int = 0
    lists: int = 0
    places: set[Place] = field(default_factory=set)


@dataclass(frozen=True)
class Summary:
    """What findings come to.

    Attributes:
        counts: The number of findings in each state.
        places: The same for each account and region.
        fixes: The causes, those first that are to be mended first.
        reasons: Why something could not be judged: lists first, and then the most frequent.
    """

    counts: Counter[str]
    places: dict[Place, Counter[str]]
    fixes: list[Fix]
    reasons: list[Reason]


def summarize(findings: Iterable[Finding]) -> Summary:
    """Return what findings come to."""
    places: dict[Place, Counter[str]] = {}
    fixes: dict[str, Fix] = {}
    reasons: dict[Unread, Reason] = {}
    for finding in findings:
        place = finding.account, finding.region
        places.setdefault(place, Counter())[finding.state] += 1
        for cause in finding.causes if finding.state == "FAIL" else ():
            fixes.setdefault(cause.thing, Fix(cause.thing)).add(cause, finding)
        for unread in finding.unread if finding.state == "MANUAL" else ():
            reason = reasons.setdefault(unread, Reason(unread))
            reason.findings += 1
            reason.lists += finding.is_region
            reason.places.add(place)
    return Summary(
        sum(places.values(), Counter()),
        dict(sorted(places.items())),
        sorted(fixes.values(), key=lambda fix: fix.order),
        sorted(reasons.values(), key=lambda reason: (-reason.lists, -reason.findings)),
    )
