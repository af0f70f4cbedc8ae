"""What was read from AWS about what is judged and its network, and no conclusion.

Every class is frozen and holds plain values only, because they are written into OCSF. A fact that
nobody filled in is `None`, which is unknown and never a PASS: an empty tuple says that it was read.
Why a fact is unknown is said by an `Unread`.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar


@dataclass(frozen=True, slots=True)
class Unread:
    """One thing that is not known.

    Attributes:
        what: The thing with its id, such as "subnet subnet-1".
        why: AWS's error code, or a clause that says what is wrong with the answer.
        permission: The IAM action that reads it, such as "ec2:DescribeSubnets".
        remedy: What to do.
        problem: "could not be read", or "understood", "found" or "followed".
    """

    what: str
    why: str
    permission: str
    remedy: str
    problem: str = "could not be read"


@dataclass(frozen=True, slots=True)
class Route:
    """A live route by which a subnet's traffic gets to an internet gateway or a carrier gateway.

    Attributes:
        destination: A CIDR block or the id of a prefix list, in the subnet's route table.
        gateway: "igw-…" or "cagw-…".
        firewall: IgwFirewall.Status of the automated internet firewall that inspects its traffic,
            such as "active"; None where AWS does not say.
        middlebox: What it leads to in the gateway's place, if anything, where no address is
            translated. A firewall's endpoint, "vpce-…"; or the appliance that the traffic gets to,
            maybe through firewalls: "eni-…", "i-…" with an interface to each side, or an IP
            address.
        route_table_id: The table that joins both: of the subnet in which the last firewall's
            endpoint stands; or the gateway's own, which sends what comes in to the appliance.
    """

    destination: str
    gateway: str
    firewall: str | None = None
    middlebox: str | None = None
    route_table_id: str | None = None


@dataclass(frozen=True, slots=True)
class Subnet:
    """A subnet that a model names, as EC2 answered.

    Attributes:
        id, vpc_id, route_table_id: Its own id, its VPC, and the route table in effect.
        internet_routes: The routes that are known to make it public.
        block_public_access: InternetGatewayBlockMode, such as "block-bidirectional".
        firewall_connectivity: NetworkFirewallConnectivityType, such as "outbound-only".
        unread: Why it is not known whether the subnet is private; empty where it is known.
    """

    id: str
    vpc_id: str | None = None
    route_table_id: str | None = None
    internet_routes: tuple[Route, ...] | None = None
    block_public_access: str | None = None
    firewall_connectivity: str | None = None
    unread: tuple[Unread, ...] | None = None


@dataclass(frozen=True, slots=True)
class OpenRule:
    """A rule that is open to the internet, in words, such as "tcp 443 from 0.0.0.0/0".

    Attributes:
        joined_with: The model's other groups without whose rules it is not open.
    """

    text: str
    joined_with: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SecurityGroup:
    """A security group that a model names, as EC2 answered.

    Attributes:
        id, vpc_id: Its own id, and its VPC.
        open_ingress, open_egress: Its rules that admit the internet, or let traffic out to it.
        unread, unread_egress: Why its ingress or egress is not all known; empty where it is.
    """

    id: str
    vpc_id: str | None = None
    open_ingress: tuple[OpenRule, ...] | None = None
    open_egress: tuple[OpenRule, ...] | None = None
    unread: tuple[Unread, ...] | None = None
    unread_egress: tuple[Unread, ...] | None = None


@dataclass(frozen=True, slots=True)
class Network:
    """What EC2 answered about the ids in a VpcConfig, in AWS's order."""

    subnets: tuple[Subnet, ...] = ()
    security_groups: tuple[SecurityGroup, ...] = ()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint by EndpointName, EndpointArn and EndpointStatus, as Search records it."""

    name: str
    arn: str | None
    status: str | None


@dataclass(frozen=True, slots=True)
class Resource:
    """What is judged, under the names that Prowler's reports look for (name, arn, region, tags).

    Attributes:
        name, arn: ModelName and ModelArn, or those of the other kinds.
        creation_time: CreationTime in ISO 8601, to the second; with the ARN it names one of those
            that had the name in turn.
        subnet_ids, security_group_ids: VpcConfig.Subnets and SecurityGroupIds, in AWS's order.
        network: What EC2 answered about these ids; empty where nobody asked.
        tags: As [{"Key": …, "Value": …}].
        endpoints: The endpoints that use it. Search tells, an index that may lag, so no verdict
            depends on it.
        unread: What of it is not known, its network apart; None where it was listed only.
        NOUN: What AWS's operations call it, as in ListModels.
        LISTED: The list in the answer of its List operation.
    """

    name: str
    arn: str
    region: str
    creation_time: str | None = None
    network_isolation: bool | None = None
    has_vpc_config: bool | None = None
    subnet_ids: tuple[str, ...] = ()
    security_group_ids: tuple[str, ...] = ()
    network: Network = Network()
    tags: tuple[dict[str, str], ...] = ()
    endpoints: tuple[Endpoint, ...] | None = None
    unread: tuple[Unread, ...] | None = None

    NOUN: ClassVar[str]
    LISTED: ClassVar[str]


@dataclass(frozen=True, slots=True)
class Model(Resource):
    """A SageMaker model.

    Attributes:
        other_uses: The batch transform job that used it last, and the endpoints that its monitoring
            schedules name, by Search's record.
    """

    other_uses: tuple[str, ...] | None = None

    NOUN: ClassVar[str] = "Model"
    LISTED: ClassVar[str] = "Models"


@dataclass(frozen=True, slots=True)
class EndpointConfig(Resource):
    """A SageMaker endpoint configuration for inference components."""

    serverless_variants: tuple[str, ...] = ()  # their names

    NOUN: ClassVar[str] = "EndpointConfig"
    LISTED: ClassVar[str] = "EndpointConfigs"


@dataclass(frozen=True, slots=True)
class MonitoringSchedule(Resource):
    """A SageMaker monitoring schedule; its network is that of its monitoring job definition.

    Attributes:
        status: MonitoringScheduleStatus, such as "Scheduled".
        endpoint_name: The endpoint that it monitors; None for what batch transforms do, too.
        monitoring_type: MonitoringType, such as "DataQuality".
        job_definition_name: MonitoringJobDefinitionName; None for one in the schedule, too.
    """

    endpoints: tuple[Endpoint, ...] | None = ()
    status: str | None = None
    endpoint_name: str | None = None
    monitoring_type: str | None = None
    job_definition_name: str | None = None

    NOUN: ClassVar[str] = "MonitoringSchedule"
    LISTED: ClassVar[str] = "MonitoringScheduleSummaries"


@dataclass(frozen=True, slots=True)
class Account:
    """An account in which there is nothing of a kind to judge: its id, and the scanned regions."""

    name: str
    arn: str
    region: str
    regions: tuple[str, ...]


R = TypeVar("R", bound=Resource)
Service = Any  # Prowler's service of a scan, as `listings.sagemaker_service` gives it


@dataclass(frozen=True)
class Listing(Generic[R]):
    """What a region has of one kind, as far as AWS told.

    Attributes:
        items: What is in the scope of the scan.
        pages: How many pages all of the region took.
        unread: Why there may be more; None where the list is whole.
    """

    region: str
    items: tuple[R, ...]
    pages: int
    unread: Unread | None = None
