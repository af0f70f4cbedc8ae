"""What was read from AWS about one SageMaker model, and nothing that was concluded from it.

Every class is frozen and holds plain values only, because Prowler writes a finding's resource
into OCSF as it stands. A fact that could not be read is `None` and has an `Unread` that says why:
unknown is never a default.
"""

import re
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

REFUSALS = re.compile("AccessDenied|Unauthorized|NotAuthorized|Forbidden")
EXPLICIT_DENY = re.compile(r"explicit deny in an? [a-z -]*?(?:policy|boundary)")
NOT_IN_A_CODE = re.compile(r"[^\w.:-]")


class MalformedError(Exception):
    """An answer of AWS lacks what its API promises; the message is a clause that says what."""


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
        remedy = f"scan again with {permission} allowed"
        if isinstance(error, MalformedError):
            why = str(error)
        elif isinstance(error, ClientError):
            answer = error.response.get("Error") or {}
            why = NOT_IN_A_CODE.sub("", str(answer.get("Code"))) or "unknown error"
            if REFUSALS.search(why):
                remedy = f"allow {permission}"
            if deny := EXPLICIT_DENY.search(str(answer.get("Message"))):
                why = f"{why}, {deny.group()}"
        elif isinstance(error, BotoCoreError):
            why = type(error).__name__
        else:  # botocore does not wrap what its parsers stumble over
            why = f"the answer is garbled, {type(error).__name__}"
        return cls(what, why, permission, remedy)

    @classmethod
    def gone(cls, what: str, permission: str) -> "Unread":
        """Return the `Unread` for an id that AWS, asked for it, has no answer to."""
        remedy = f"see whether it was deleted; {permission} reads it"
        return cls(what, "AWS answers that there is none", permission, remedy)


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
class Subnet:
    """A subnet that a model names.

    Attributes:
        id: "subnet-…".
        vpc_id: Its VPC; None where the subnet could not be read.
        route_table_id: The route table in effect; None where that is unknown.
        internet_routes: The routes that make it public; empty for a private subnet, and where
            `unread` is set it holds those that are known all the same.
        unread: Why it is not known whether the subnet is private; None where it is known.
    """

    id: str
    vpc_id: str | None = None
    route_table_id: str | None = None
    internet_routes: tuple[Route, ...] = ()
    unread: Unread | None = None


@dataclass(frozen=True, slots=True)
class SecurityGroup:
    """A security group that a model names.

    Attributes:
        id: "sg-…".
        vpc_id: Its VPC; None where the group could not be read.
        open_ingress: Its rules from everywhere, as "tcp 443 from 0.0.0.0/0".
        open_egress: Its rules to everywhere, as "all traffic to ::/0".
        unread: Why its rules are not all known; None where they are.
    """

    id: str
    vpc_id: str | None = None
    open_ingress: tuple[str, ...] = ()
    open_egress: tuple[str, ...] = ()
    unread: Unread | None = None


@dataclass(frozen=True, slots=True)
class Model:
    """A SageMaker model, under the names that Prowler's reports look for (name, arn, region, tags).

    Attributes:
        name: ModelName.
        arn: ModelArn.
        region: Its region.
        creation_time: CreationTime in ISO 8601, to the second; with the ARN it names one model of
            those that had the name in turn.
        network_isolation: EnableNetworkIsolation; None where it is unknown.
        has_vpc_config: Whether the model has a VpcConfig; None where that is unknown.
        subnets: VpcConfig.Subnets, in AWS's order.
        security_groups: VpcConfig.SecurityGroupIds, in AWS's order.
        tags: The model's tags, as [{"Key": …, "Value": …}].
        unread: What of the model itself could not be read.
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
    unread: tuple[Unread, ...] = ()
