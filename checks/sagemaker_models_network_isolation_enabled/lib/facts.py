"""What was read from AWS about what is judged and its network, and no conclusion.

Every class is frozen and holds plain values only, because they are written into OCSF. A fact that
nobody filled in is `None`, which is unknown and never a PASS: an empty tuple says that it was read.
Why a fact is unknown is said by an `Unread`.
"""

from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar


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
    """A live route to an internet gateway or a carrier gateway.

    Attributes:
        destination: A CIDR block or the id of a prefix list.
        gateway: "igw-…" or "cagw-…".
        firewall: IgwFirewall.Status of the automated internet firewall that inspects its traffic,
            such as "active"; None where AWS does not say.
    """

    destination: str
    gateway: str
    firewall: str | None = None


@dataclass(frozen=True, slots=True)
class MiddleboxRoute:
    """A way between a subnet and an internet gateway on which no address is translated.

    Attributes:
        destination: The CIDR block in the subnet's route table whose traffic takes it.
        middlebox: A firewall's endpoint, "vpce-…"; or the appliance that the traffic gets to, maybe
            through firewalls: "eni-…", "i-…" with an interface to each side, or an IP address.
        gateway: The internet gateway, "igw-…".
        route_table_id: The table that joins both: of the subnet in which the last firewall's
            endpoint stands; or the gateway's own, which sends what comes in to the appliance.
    """

    destination: str
    middlebox: str
    gateway: str
    route_table_id: str


@dataclass(frozen=True, slots=True)
class Subnet:
    """A subnet that a model names, as EC2 answered.

    Attributes:
        id: "subnet-…".
        vpc_id: Its VPC.
        route_table_id: The route table in effect.
        internet_routes: The routes that are known to make it public.
        middlebox_routes: Likewise, through a middlebox.
        block_public_access: InternetGatewayBlockMode, such as "block-bidirectional".
        firewall_connectivity: NetworkFirewallConnectivityType, such as "outbound-only".
        unread: Why it is not known whether the subnet is private; empty where it is known.
    """

    id: str
    vpc_id: str | None = None
    route_table_id: str | None = None
    internet_routes: tuple[Route, ...] | None = None
    middlebox_routes: tuple[MiddleboxRoute, ...] | None = None
    block_public_access: str | None = None
    firewall_connectivity: str | None = None
    unread: tuple[Unread, ...] | None = None


@dataclass(frozen=True, slots=True)
class OpenRule:
    """A rule of a security group that is open to the internet.

    Attributes:
        text: It in words, such as "tcp 443 from 0.0.0.0/0".
        joined_with: The model's other groups without whose rules it is not open.
    """

    text: str
    joined_with: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SecurityGroup:
    """A security group that a model names, as EC2 answered.

    Attributes:
        id: "sg-…".
        vpc_id: Its VPC.
        open_ingress: Its rules that admit the internet.
        open_egress: Its rules that let traffic out to the internet.
        unread: Why its ingress is not all known; empty where it is.
        unread_egress: Why its egress is not all known; empty where it is.
    """

    id: str
    vpc_id: str | None = None
    open_ingress: tuple[OpenRule, ...] | None = None
    open_egress: tuple[OpenRule, ...] | None = None
    unread: tuple[Unread, ...] | None = None
    unread_egress: tuple[Unread, ...] | None = None


@dataclass(frozen=True, slots=True)
class Network:
    """What EC2 answered about the ids in a VpcConfig.

    Attributes:
        subnets, security_groups: In AWS's order.
    """

    subnets: tuple[Subnet, ...] = ()
    security_groups: tuple[SecurityGroup, ...] = ()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint, as Search records it.

    Attributes:
        name: EndpointName.
        arn: EndpointArn.
        status: EndpointStatus, such as "InService".
    """

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
        network_isolation: EnableNetworkIsolation.
        has_vpc_config: Whether there is a VpcConfig.
        subnet_ids, security_group_ids: VpcConfig.Subnets and SecurityGroupIds, in AWS's order.
        network: What EC2 answered about these ids; empty where nobody asked.
        tags: The tags, as [{"Key": …, "Value": …}].
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
        transform_jobs: The batch transform job that used it last, if any did, by Search's record.
        monitored_endpoints: The endpoints that its monitoring schedules name, likewise.
    """

    transform_jobs: tuple[str, ...] | None = None
    monitored_endpoints: tuple[str, ...] | None = None

    NOUN: ClassVar[str] = "Model"
    LISTED: ClassVar[str] = "Models"


@dataclass(frozen=True, slots=True)
class EndpointConfig(Resource):
    """A SageMaker endpoint configuration that is made for inference components.

    Attributes:
        serverless_variants: The names of its variants that are serverless.
    """

    serverless_variants: tuple[str, ...] = ()

    NOUN: ClassVar[str] = "EndpointConfig"
    LISTED: ClassVar[str] = "EndpointConfigs"


@dataclass(frozen=True, slots=True)
class MonitoringSchedule(Resource):
    """A SageMaker monitoring schedule; its network is that of its monitoring job definition.

    Attributes:
        endpoints: None serves by it.
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


@dataclass(frozen=True)
class Listing(Generic[R]):
    """The models, endpoint configurations or schedules of one region, as far as AWS told.

    Attributes:
        items: Those in the scope of the scan.
        pages: How many pages all of the region took.
        unread: Why there may be more; None where the list is whole.
    """

    region: str
    items: tuple[R, ...]
    pages: int
    unread: Unread | None = None
