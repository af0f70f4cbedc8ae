"""What was read from AWS about a SageMaker model or endpoint configuration, and no conclusion.

Every class is frozen and holds plain values only, because Prowler writes a finding's resource
into OCSF as it stands. A fact that could not be read is `None` and has an `Unread` that says why:
unknown is never a default.
"""

import re
from dataclasses import dataclass
from typing import ClassVar

from botocore.exceptions import BotoCoreError, ClientError

REFUSALS = re.compile("AccessDenied|Unauthorized|NotAuthorized|Forbidden")
# The codes by which SageMaker and EC2 ask for fewer calls.
THROTTLING = re.compile("Throttl|LimitExceeded|TooManyRequests|SlowDown|PriorRequestNotComplete")
FAILURES = re.compile("Unavailable|InternalError|InternalFailure")
CREDENTIALS = re.compile(
    "Expired|UnrecognizedClient|AuthFailure|InvalidClientToken|Signature|OptIn"
)
TOO_MANY_REQUESTS, SERVER_ERROR = 429, 500
GONE = "it was deleted, or is no longer shared with this account"
EXPLICIT_DENY = re.compile(r"explicit deny in an? [a-z -]*?(?:policy|boundary)")
NOT_IN_A_CODE = re.compile(r"[^\w.:-]")


class MalformedError(Exception):
    """An answer of AWS lacks what its API promises; the message is a clause that says what.

    Attributes:
        remedy: What to do; None for the usual.
    """

    def __init__(self, clause: str, remedy: str | None = None) -> None:
        super().__init__(clause)
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Unread:
    """One thing that AWS did not tell.

    Attributes:
        what: The thing, in AWS's words and with its id, such as "subnet subnet-1".
        why: AWS's error code, or a clause that says what is wrong with the answer.
        permission: The IAM action that reads it, such as "ec2:DescribeSubnets".
        remedy: What to do, with the permission in it.
    """

    what: str
    why: str
    permission: str
    remedy: str

    @classmethod
    def from_error(cls, error: Exception, what: str, permission: str) -> "Unread":
        """Return the `Unread` for an exception that reading something from AWS raised.

        Args:
            error: What boto3, botocore or the reading of the answer raised.
            what: See the class.
            permission: See the class.
        """
        remedy = f"scan again, or check with {permission}"
        if isinstance(error, MalformedError):
            why, remedy = str(error), error.remedy or remedy
        elif isinstance(error, ClientError):
            answer = error.response.get("Error") or {}
            why = NOT_IN_A_CODE.sub("", str(answer.get("Code"))) or "unknown error"
            status = (error.response.get("ResponseMetadata") or {}).get("HTTPStatusCode") or 0
            if (
                THROTTLING.search(why)
                or FAILURES.search(why)
                or status == TOO_MANY_REQUESTS
                or status >= SERVER_ERROR
            ):
                remedy = "scan again"
            elif CREDENTIALS.search(why):
                remedy = "renew the credentials, or leave out a region that is not enabled"
            elif REFUSALS.search(why):
                remedy = f"allow {permission}"
            elif why.endswith("NotFound"):
                remedy = f"{GONE}; check with {permission}"
            if deny := EXPLICIT_DENY.search(str(answer.get("Message"))):
                why = f"{why}, {deny.group()}"
        elif isinstance(error, BotoCoreError):
            why, remedy = type(error).__name__, "scan again"
        else:  # botocore does not wrap what its parsers stumble over
            why = f"the answer is garbled, {type(error).__name__}"
        return cls(what, why, permission, remedy)

    @classmethod
    def gone(cls, what: str, permission: str) -> "Unread":
        """Return the `Unread` for an id that AWS, asked for it, has no answer to."""
        kind = what.rpartition(" ")[0]
        return cls(
            what, f"AWS returned no such {kind}", permission, f"{GONE}; check with {permission}"
        )


@dataclass(frozen=True, slots=True)
class Route:
    """A live route to an internet gateway or a carrier gateway.

    Attributes:
        destination: A CIDR block or the id of a prefix list.
        gateway: "igw-…" or "cagw-…".
    """

    destination: str
    gateway: str


@dataclass(frozen=True, slots=True)
class MiddleboxRoute:
    """A way through a middlebox that is in line between a subnet and an internet gateway.

    Attributes:
        destination: What the subnet's route table sends to the middlebox: a CIDR block or the id
            of a prefix list.
        middlebox: "vpce-…", a firewall's endpoint; "eni-…", an appliance's network interface;
            "i-…", an appliance with an interface to each side; or an appliance's IP address.
        gateway: The internet gateway, "igw-…".
        gateway_route_table_id: The route table that is associated with the gateway.
        block: What that table sends to the same middlebox: the subnet's CIDR block or one that
            holds it.
    """

    destination: str
    middlebox: str
    gateway: str
    gateway_route_table_id: str
    block: str


@dataclass(frozen=True, slots=True)
class Subnet:
    """A subnet that a model names.

    Attributes:
        id: "subnet-…".
        vpc_id: Its VPC; None where the subnet could not be read.
        route_table_id: The route table in effect; None where that is unknown.
        internet_routes: The routes that make it public; empty for a private subnet, and where
            `unread` is set it holds those that are known all the same.
        middlebox_routes: Likewise, the routes that make it public through a middlebox.
        block_public_access: InternetGatewayBlockMode of VPC Block Public Access, such as
            "block-bidirectional"; None where AWS does not say.
        unread: Why it is not known whether the subnet is private; empty where it is known.
    """

    id: str
    vpc_id: str | None = None
    route_table_id: str | None = None
    internet_routes: tuple[Route, ...] = ()
    middlebox_routes: tuple[MiddleboxRoute, ...] = ()
    block_public_access: str | None = None
    unread: tuple[Unread, ...] = ()


@dataclass(frozen=True, slots=True)
class SecurityGroup:
    """A security group that a model names.

    Attributes:
        id: "sg-…".
        vpc_id: Its VPC; None where the group could not be read.
        open_ingress: Its rules that admit the internet, alone or together with others of the
            model's groups, as "tcp 443 from 0.0.0.0/0".
        open_egress: Its rules that let traffic out to the internet, as "all traffic to ::/0".
        unread: Why its ingress is not all known; empty where it is.
        unread_egress: Why its egress is not all known; empty where it is.
    """

    id: str
    vpc_id: str | None = None
    open_ingress: tuple[str, ...] = ()
    open_egress: tuple[str, ...] = ()
    unread: tuple[Unread, ...] = ()
    unread_egress: tuple[Unread, ...] = ()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint, as Search records it.

    Attributes:
        name: EndpointName.
        arn: EndpointArn; None where the record lacks it.
        status: EndpointStatus, such as "InService"; None where the record lacks it.
    """

    name: str
    arn: str | None
    status: str | None


@dataclass(frozen=True, slots=True)
class Hosted:
    """What is judged, under the names that Prowler's reports look for (name, arn, region, tags).

    Attributes:
        name: ModelName or EndpointConfigName.
        arn: ModelArn or EndpointConfigArn.
        creation_time: CreationTime in ISO 8601, to the second; with the ARN it names one of those
            that had the name in turn.
        network_isolation: EnableNetworkIsolation; None where it is unknown.
        has_vpc_config: Whether there is a VpcConfig; None where that is unknown.
        subnets: VpcConfig.Subnets, in AWS's order.
        security_groups: VpcConfig.SecurityGroupIds, in AWS's order.
        tags: The tags, as [{"Key": …, "Value": …}].
        endpoints: The endpoints that use it; None where that is unknown. No verdict depends on it,
            because Search is an index that may lag.
        unread: What of it could not be read, its network apart.

    Class attributes:
        NOUN: What AWS's operations call it, as in ListModels.
        WORDS, ARTICLE: What a sentence calls it.
        SETTINGS: What its Describe operation tells, for a sentence.
        USED, UNUSED: How a sentence says which endpoints use it, and that none does.
    """

    name: str
    arn: str
    region: str
    creation_time: str | None = None
    network_isolation: bool | None = None
    has_vpc_config: bool | None = None
    subnets: tuple[Subnet, ...] = ()
    security_groups: tuple[SecurityGroup, ...] = ()
    tags: tuple[dict[str, str], ...] = ()
    endpoints: tuple[Endpoint, ...] | None = None
    unread: tuple[Unread, ...] = ()

    NOUN: ClassVar[str]
    WORDS: ClassVar[str]
    ARTICLE: ClassVar[str]
    SETTINGS: ClassVar[str]
    USED: ClassVar[str]
    UNUSED: ClassVar[str]


@dataclass(frozen=True, slots=True)
class Model(Hosted):
    """A SageMaker model."""

    NOUN: ClassVar[str] = "Model"
    WORDS: ClassVar[str] = "model"
    ARTICLE: ClassVar[str] = "a model"
    SETTINGS: ClassVar[str] = "EnableNetworkIsolation and VpcConfig"
    USED: ClassVar[str] = "It serves"
    UNUSED: ClassVar[str] = "No endpoint serves it"


@dataclass(frozen=True, slots=True)
class EndpointConfig(Hosted):
    """A SageMaker endpoint configuration that is made for inference components.

    Attributes:
        serverless_variants: The names of its variants that are serverless.
    """

    serverless_variants: tuple[str, ...] = ()

    NOUN: ClassVar[str] = "EndpointConfig"
    WORDS: ClassVar[str] = "endpoint configuration"
    ARTICLE: ClassVar[str] = "an endpoint configuration"
    SETTINGS: ClassVar[str] = "its variants, EnableNetworkIsolation and VpcConfig"
    USED: ClassVar[str] = "It is used by"
    UNUSED: ClassVar[str] = "No endpoint uses it"
