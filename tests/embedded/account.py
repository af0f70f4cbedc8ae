"""The account of the demo and of the end-to-end tests: every verdict and every reason, once.

Models, endpoint configurations and monitoring schedules live in eu-west-1 and us-east-1. In
us-east-1 the scan may not read route tables and security groups, and in eu-central-1 it may list
none of the three.
"""

from dataclasses import dataclass, field
from itertools import count
from typing import Any

from botocore import xform_name
from botocore.config import Config

from .server import EmbeddedAWS, change, on, refuse

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/sagemaker"
REGIONS = ("eu-west-1", "us-east-1", "eu-central-1")
EVERYWHERE = "0.0.0.0/0"


@dataclass
class Region:
    """Makes networks and models in one region of the embedded account.

    Attributes:
        credentials: Another account's, where it is not the default one.
    """

    aws: EmbeddedAWS
    name: str
    credentials: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ec2 = self.aws.client("ec2", self.name, **self.credentials)
        # The account holds models that boto3's checks of parameters would keep out.
        lenient: Any = {"config": Config(parameter_validation=False), **self.credentials}
        self.sagemaker = self.aws.client("sagemaker", self.name, **lenient)
        self._block = count()

    def vpc(self) -> str:
        """Return a new VPC, whose main route table has the local route alone."""
        vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16", AmazonProvidedIpv6CidrBlock=True)
        return str(vpc["Vpc"]["VpcId"])

    def subnet(self, vpc: str, table: str | None = None, zone: str = "a", bits: int = 24) -> str:
        """Return a new subnet in a zone, associated with a route table where one is given."""
        block = {"VpcId": vpc, "CidrBlock": f"10.0.{next(self._block)}.0/{bits}"}
        made = self.ec2.create_subnet(**block, AvailabilityZone=self.name + zone)
        subnet = made["Subnet"]["SubnetId"]
        if table:
            self.ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
        return str(subnet)

    def block(self, subnet: str) -> str:
        """Return a subnet's CIDR block."""
        return str(self.ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["CidrBlock"])

    def table(self, vpc: str, *routes: dict[str, str]) -> str:
        """Return a new route table with the routes given as parameters of CreateRoute."""
        table = self.ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
        for route in routes:
            self.ec2.create_route(RouteTableId=table, **route)
        return str(table)

    def main_table(self, vpc: str) -> str:
        """Return the main route table of a VPC."""
        filters = [
            {"Name": "vpc-id", "Values": [vpc]},
            {"Name": "association.main", "Values": ["true"]},
        ]
        tables = self.ec2.describe_route_tables(Filters=filters)["RouteTables"]
        return str(tables[0]["RouteTableId"])

    def internet_gateway(self, vpc: str) -> str:
        """Return a new internet gateway, attached to a VPC."""
        gateway = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
        return str(gateway)

    def nat_gateway(self, subnet: str) -> str:
        """Return a new NAT gateway."""
        address = self.ec2.allocate_address(Domain="vpc")["AllocationId"]
        nat = self.ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address)
        return str(nat["NatGateway"]["NatGatewayId"])

    def firewall(self, vpc: str, subnet: str) -> str:
        """Return the endpoint of a new firewall in a subnet."""
        made = self.ec2.create_vpc_endpoint(
            VpcId=vpc,
            VpcEndpointType="GatewayLoadBalancer",
            ServiceName=f"com.amazonaws.vpce.{self.name}.vpce-svc-1",
            SubnetIds=[subnet],
        )
        return str(made["VpcEndpoint"]["VpcEndpointId"])

    def separate_firewalls(self, vpc: str, gateway: str) -> str:
        """Return a new subnet that goes out by one firewall and NAT, and comes in by another.

        As in AWS's template of separate ingress and egress firewalls: the internet gateway's table
        sends the subnet's block to the second, and the NAT gateway's subnet to the first.

        Args:
            gateway: The VPC's internet gateway, whose own route table this makes.
        """
        out = {"DestinationCidrBlock": EVERYWHERE, "GatewayId": gateway}
        between, inside, entrance = self.table(vpc, out), self.table(vpc), self.table(vpc, out)
        nat = self.nat_gateway(self.subnet(vpc, between))
        first_in, second_in = self.subnet(vpc, inside), self.subnet(vpc, entrance)
        by_nat = {"DestinationCidrBlock": EVERYWHERE, "NatGatewayId": nat}
        self.ec2.create_route(RouteTableId=inside, **by_nat)
        first, second = (
            {"VpcEndpointId": self.firewall(vpc, subnet)} for subnet in (first_in, second_in)
        )
        subnet = self.subnet(vpc, self.table(vpc, {"DestinationCidrBlock": EVERYWHERE, **first}))
        back = {"DestinationCidrBlock": self.block(subnet)}
        self.ec2.create_route(RouteTableId=between, **back, **first)
        edge = self.table(vpc, {**back, **second})
        self.ec2.associate_route_table(RouteTableId=edge, GatewayId=gateway)
        return subnet

    def interface(self, subnet: str) -> str:
        """Return a new network interface."""
        made = self.ec2.create_network_interface(SubnetId=subnet)
        return str(made["NetworkInterface"]["NetworkInterfaceId"])

    def prefix_list(self, *blocks: str) -> str:
        """Return a new customer-managed prefix list with the given blocks."""
        made = self.ec2.create_managed_prefix_list(
            PrefixListName=f"list-{next(self._block)}",
            MaxEntries=len(blocks),
            AddressFamily="IPv6" if ":" in blocks[0] else "IPv4",
            Entries=[{"Cidr": block} for block in blocks],
        )
        return str(made["PrefixList"]["PrefixListId"])

    def group(self, vpc: str, *ingress: str, egress: bool = False) -> str:
        """Return a new security group with https from the given ends, and egress on request.

        An end is a CIDR block or the id of a prefix list; there is a rule for each.
        """
        name = f"group-{next(self._block)}"
        group = self.ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)
        group_id = str(group["GroupId"])
        if not egress:
            rules = self.ec2.describe_security_groups(GroupIds=[group_id])["SecurityGroups"][0]
            self.ec2.revoke_security_group_egress(
                GroupId=group_id, IpPermissions=rules["IpPermissionsEgress"]
            )
        for end in ingress:
            self.admit(group_id, end)
        return group_id

    def admit(
        self, group: str, *ends: str, first: int = 443, last: int = 443, egress: bool = False
    ) -> None:
        """Add one rule to a security group: tcp from the given ends, or to them."""
        rule: dict[str, Any] = {
            "IpProtocol": "tcp",
            "FromPort": first,
            "ToPort": last,
            "PrefixListIds": [{"PrefixListId": end} for end in ends if end.startswith("pl-")],
            "Ipv6Ranges": [{"CidrIpv6": end} for end in ends if ":" in end],
            "IpRanges": [{"CidrIp": end} for end in ends if "." in end],
        }
        authorize = (
            self.ec2.authorize_security_group_egress
            if egress
            else self.ec2.authorize_security_group_ingress
        )
        authorize(GroupId=group, IpPermissions=[{key: v for key, v in rule.items() if v}])

    def model(
        self,
        name: str,
        subnets: list[str] | None = None,
        groups: list[str] | None = None,
        isolated: bool = True,
        tags: dict[str, str] | None = None,
        **parameters: Any,
    ) -> None:
        """Create a model, in a VPC where subnets are given."""
        if subnets is not None:
            parameters["VpcConfig"] = {"Subnets": subnets, "SecurityGroupIds": groups or []}
        if "Containers" not in parameters:
            parameters.setdefault("PrimaryContainer", {"Image": "image"})
        self.sagemaker.create_model(
            ModelName=name,
            ExecutionRoleArn=ROLE,
            EnableNetworkIsolation=isolated,
            Tags=[{"Key": key, "Value": value} for key, value in (tags or {}).items()],
            **parameters,
        )

    def endpoint(self, name: str, *models: str) -> None:
        """Create an endpoint that serves models, by an endpoint configuration of its name."""
        size = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        variants = [{"VariantName": model, "ModelName": model, **size} for model in models]
        self.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants)
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)

    def components(
        self,
        name: str,
        subnets: list[str] | None = None,
        groups: list[str] | None = None,
        isolated: bool = True,
        **parameters: Any,
    ) -> None:
        """Create an endpoint configuration for inference components, in a VPC as `model` does."""
        if subnets is not None:
            parameters["VpcConfig"] = {"Subnets": subnets, "SecurityGroupIds": groups or []}
        size = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        parameters.setdefault("ProductionVariants", [{"VariantName": "all", **size}])
        self.sagemaker.create_endpoint_config(
            EndpointConfigName=name,
            ExecutionRoleArn=ROLE,
            EnableNetworkIsolation=isolated,
            **parameters,
        )

    def schedule(
        self,
        name: str,
        subnets: list[str] | None = None,
        groups: list[str] | None = None,
        isolated: bool | None = True,
        kind: str | None = "DataQuality",
        endpoint: str = "fraud",
        tags: dict[str, str] | None = None,
    ) -> None:
        """Create a monitoring schedule, in a VPC as `model` does.

        Args:
            isolated: EnableNetworkIsolation; None leaves it out.
            kind: The MonitoringType of a job definition of the schedule's name, which is created
                too; None for a definition in the schedule itself.
        """
        network: dict[str, Any] = {}
        if isolated is not None:
            network["EnableNetworkIsolation"] = isolated
        if subnets is not None:
            network["VpcConfig"] = {"Subnets": subnets, "SecurityGroupIds": groups or []}
        definition = self.job_definition(kind or "", endpoint)
        if network:
            definition["NetworkConfig"] = network
        if kind:
            create = f"create_{xform_name(kind)}_job_definition"
            getattr(self.sagemaker, create)(JobDefinitionName=name, **definition)
            config: dict[str, Any] = {"MonitoringJobDefinitionName": name, "MonitoringType": kind}
        else:
            config = {"MonitoringJobDefinition": definition}
        self.sagemaker.create_monitoring_schedule(
            MonitoringScheduleName=name,
            MonitoringScheduleConfig={
                "ScheduleConfig": {"ScheduleExpression": "cron(0 * ? * * *)"},
                **config,
            },
            Tags=[{"Key": key, "Value": value} for key, value in (tags or {}).items()],
        )

    def job_definition(self, kind: str, endpoint: str) -> dict[str, Any]:
        """Return what AWS asks for in a monitoring job definition, its name apart.

        Args:
            kind: Its MonitoringType; "" for one that stands in a schedule.
            endpoint: The endpoint that it monitors.
        """
        cluster = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 20}
        source = {"EndpointName": endpoint, "LocalPath": "/opt/ml/processing/input"}
        target = {"S3Uri": "s3://bucket/reports", "LocalPath": "/opt/ml/processing/output"}
        code: dict[str, Any] = {"ImageUri": "image"}
        if kind in ("ModelBias", "ModelExplainability"):
            code["ConfigUri"] = "s3://bucket/analysis_config.json"
        monitored: dict[str, Any] = {"EndpointInput": source}
        if kind in ("ModelBias", "ModelQuality"):
            monitored["GroundTruthS3Input"] = {"S3Uri": "s3://bucket/truth"}
        parts: dict[str, Any] = {
            "AppSpecification": code,
            "JobInput": monitored,
            "JobOutputConfig": {"MonitoringOutputs": [{"S3Output": target}]},
        }
        if kind:
            named = {f"{kind}{part}": value for part, value in parts.items()}
            return {**named, "JobResources": {"ClusterConfig": cluster}, "RoleArn": ROLE}
        return {
            "MonitoringAppSpecification": code,
            "MonitoringInputs": [monitored],
            "MonitoringOutputConfig": parts["JobOutputConfig"],
            "MonitoringResources": {"ClusterConfig": cluster},
            "RoleArn": ROLE,
        }


Expected = dict[tuple[str, str], tuple[str, str]]


def build(aws: EmbeddedAWS) -> Expected:
    """Build the account: see `build_models`, `build_configs` and `build_schedules`."""
    return build_models(aws) | build_configs(aws) | build_schedules(aws)


def network_of(region: Region) -> tuple[str, str, str, str, str]:
    """Make a VPC with an internet gateway.

    Returns:
        A private subnet; a public one, and the words on it; a closed security group; an open one.
    """
    vpc = region.vpc()
    gateway = region.internet_gateway(vpc)
    table = region.table(vpc, {"DestinationCidrBlock": EVERYWHERE, "GatewayId": gateway})
    exposed = region.subnet(vpc, table)
    public = f"subnet {exposed} is public: route table {table} sends {EVERYWHERE} to {gateway}"
    groups = region.group(vpc), region.group(vpc, EVERYWHERE)
    return region.subnet(vpc), exposed, public, *groups


def build_schedules(aws: EmbeddedAWS) -> Expected:
    """Build the monitoring schedules, in networks of their own.

    Args:
        aws: The embedded AWS; it is given the refusals that belong to the schedules.

    Returns:
        What a scan must say, by region and name, as `build_models` gives it.
    """
    expected: Expected = {}
    r = Region(aws, "eu-west-1")
    private, exposed, public, closed, opened = network_of(r)

    def case(name: str, status: str, words: str, *network: Any, **parameters: Any) -> None:
        r.schedule(name, *network, **parameters)
        expected[r.name, name] = (status, words)

    words = "It monitors endpoint fraud with data quality job definition watch-data."
    case("watch-data", "PASS", words, [private], [closed])
    words = f"{private} (route table "
    case("watch-inline", "PASS", words, [private], [closed], kind=None)
    words = "schedule watch-quality fails: network isolation is disabled. It monitors"
    case("watch-quality", "FAIL", words, [private], [closed], isolated=False, kind="ModelQuality")
    case("watch-bias", "FAIL", public, [exposed], [closed], kind="ModelBias")
    words = f"allows ingress of tcp 443 from {EVERYWHERE}"
    case("watch-explainability", "FAIL", words, [private], [opened], kind="ModelExplainability")
    words = "network isolation is disabled; the VPC configuration is missing. It monitors endpoint fraud"
    case("watch-default", "FAIL", f"{words} with data quality", isolated=None)
    case("watch-inline-default", "FAIL", f"{words} with a job", isolated=None, kind=None)
    case("watch-stopped", "PASS", "; its status is Stopped.", [private], [closed])
    r.sagemaker.stop_monitoring_schedule(MonitoringScheduleName="watch-stopped")
    words = "data quality job definition watch-nothing could not be found (ResourceNotFound"
    case("watch-nothing", "MANUAL", words, [private], [closed])
    r.sagemaker.delete_data_quality_job_definition(JobDefinitionName="watch-nothing")
    words = "AccessDeniedException; allow sagemaker:DescribeModelBiasJobDefinition"
    case("watch-refused", "MANUAL", words, [private], [closed], kind="ModelBias")
    words = "its job definition could not be read (AccessDeniedException"
    case("watch-not-described", "MANUAL", words, [private], [closed])
    r = Region(aws, "us-east-1")
    vpc = r.vpc()
    # Its rules may not be read here, not even to take one of them away.
    group = r.group(vpc, egress=True)
    case("watch-data", "MANUAL", "allow ec2:DescribeRouteTables", [r.subnet(vpc)], [group])
    unknown = ("MANUAL", "allow sagemaker:ListMonitoringSchedules")
    expected[("eu-central-1", "monitoring-schedule/unknown")] = unknown
    unread = on(
        "DescribeMonitoringSchedule", "eu-west-1", MonitoringScheduleName="watch-not-described"
    )
    refused = on("DescribeModelBiasJobDefinition", "eu-west-1", JobDefinitionName="watch-refused")
    listed = on("ListMonitoringSchedules", "eu-central-1")
    aws.faults += [unread(refuse), refused(refuse), listed(refuse)]
    return expected


def build_configs(aws: EmbeddedAWS) -> Expected:
    """Build the endpoint configurations for inference components, in networks of their own.

    Args:
        aws: The embedded AWS; it is given the refusals that belong to the configurations.

    Returns:
        What a scan must say, by region and name, as `build_models` gives it.
    """
    expected: Expected = {}
    r = Region(aws, "eu-west-1")
    private, exposed, public, closed, opened = network_of(r)

    def case(name: str, status: str, words: str, *network: Any, **parameters: Any) -> None:
        r.components(name, *network, **parameters)
        expected[r.name, name] = (status, words)

    case("components", "PASS", f"{private} (route table ", [private], [closed])
    r.sagemaker.create_endpoint(EndpointName="chat", EndpointConfigName="components")
    expected[r.name, "components"] = ("PASS", "It is used by endpoint chat.")
    words = "configuration components-default fails: network isolation is disabled; it has no VPC"
    case("components-default", "FAIL", words, isolated=False)
    case("components-public", "FAIL", public, [exposed], [closed])
    words = f"allows ingress of tcp 443 from {EVERYWHERE}. No endpoint is seen to use it."
    case("components-open", "FAIL", words, [private], [opened])
    words = "its variants, EnableNetworkIsolation and VpcConfig could not be read"
    case("components-not-described", "MANUAL", words, [private], [closed])
    r = Region(aws, "us-east-1")
    vpc = r.vpc()
    # Its rules may not be read here, not even to take one of them away.
    group = r.group(vpc, egress=True)
    case("components", "MANUAL", "allow ec2:DescribeRouteTables", [r.subnet(vpc)], [group])
    unknown = ("MANUAL", "allow sagemaker:ListEndpointConfigs")
    expected[("eu-central-1", "endpoint-config/unknown")] = unknown
    refused = on(
        "DescribeEndpointConfig", "eu-west-1", EndpointConfigName="components-not-described"
    )
    aws.faults += [refused(refuse), on("ListEndpointConfigs", "eu-central-1")(refuse)]
    return expected


def build_models(aws: EmbeddedAWS) -> Expected:
    """Build the models.

    Args:
        aws: The embedded AWS; it is given the refusals that belong to the account.

    Returns:
        What a scan must say, by region and model name: the status, and words of its reason, in
        which an id stands as it is.
    """
    r = Region(aws, "eu-west-1")
    private, public = r.vpc(), r.vpc()
    gateway = r.internet_gateway(public)
    r.ec2.create_route(
        RouteTableId=r.main_table(public), DestinationCidrBlock=EVERYWHERE, GatewayId=gateway
    )
    closed = r.group(private, "10.0.0.0/8")
    chatty = r.group(private, "10.0.0.0/8", egress=True)
    open_group, open_ipv6 = r.group(private, EVERYWHERE), r.group(private, "::/0")
    # The trap: this subnet has no association of its own, and another VPC's main table has an
    # internet gateway. Its own VPC's main table decides, and that one is private.
    inherits = r.subnet(private)
    exposed = r.subnet(public)
    public_group = r.group(public)
    expected: Expected = {}

    def case(
        name: str,
        status: str,
        words: str,
        subnets: list[str] | None,
        groups: list[str] | None = None,
        **parameters: Any,
    ) -> None:
        r.model(name, subnets, [closed] if groups is None else groups, **parameters)
        expected[(r.name, name)] = (status, words)

    def exit_by(name: str, words: str, **route: str) -> None:
        table = r.table(public, route)
        target = route.get("GatewayId") or route["CarrierGatewayId"]
        destination = route[next(key for key in route if key.startswith("Destination"))]
        subnet = r.subnet(public, table)
        sentence = f"subnet {subnet} is public: route table {table} sends {destination} to {target}"
        case(name, "FAIL", sentence, [subnet], [public_group])

    case(
        "isolated",
        "PASS",
        f"no live route to an internet or carrier gateway from {inherits}",
        [inherits],
    )
    nat = r.table(
        public, {"DestinationCidrBlock": EVERYWHERE, "NatGatewayId": r.nat_gateway(exposed)}
    )
    natted = r.subnet(public, nat)
    case("behind-nat", "PASS", f"{natted} (route table {nat})", [natted], [public_group])
    cut_off = r.vpc()
    detached = r.internet_gateway(cut_off)
    dead = r.table(cut_off, {"DestinationCidrBlock": EVERYWHERE, "GatewayId": detached})
    r.ec2.detach_internet_gateway(InternetGatewayId=detached, VpcId=cut_off)
    case("blackhole", "PASS", dead, [r.subnet(cut_off, dead)], [r.group(cut_off)])
    case(
        "pipeline",
        "PASS",
        f"Note: security group {chatty} allows egress of all traffic to {EVERYWHERE}",
        [inherits],
        [chatty],
        Containers=[{"Image": "one"}, {"Image": "two"}],
        tags={"team": "risk"},
    )
    case(
        "no-isolation",
        "FAIL",
        "disabled. No endpoint is seen to serve it.",
        [inherits],
        isolated=False,
    )
    case("serving", "FAIL", "disabled. It serves endpoint fraud.", [inherits], isolated=False)
    r.endpoint("fraud", "serving")
    case("no-vpc", "FAIL", "the VPC configuration is missing", None)
    case("no-group", "FAIL", "the VPC configuration has no security group", [inherits], [])
    case(
        "public-by-main-table",
        "FAIL",
        f"subnet {exposed} is public: route table {r.main_table(public)} "
        f"sends {EVERYWHERE} to {gateway}",
        [exposed],
        [public_group],
    )
    exit_by("public-ipv4", EVERYWHERE, DestinationCidrBlock=EVERYWHERE, GatewayId=gateway)
    exit_by("public-ipv6", "::/0", DestinationIpv6CidrBlock="::/0", GatewayId=gateway)
    exit_by("public-half", "0.0.0.0/1", DestinationCidrBlock="0.0.0.0/1", GatewayId=gateway)
    prefixes = r.ec2.create_managed_prefix_list(
        PrefixListName="partner", MaxEntries=1, AddressFamily="IPv4"
    )["PrefixList"]["PrefixListId"]
    exit_by("public-prefix-list", prefixes, DestinationPrefixListId=prefixes, GatewayId=gateway)
    carrier = r.ec2.create_carrier_gateway(VpcId=public)["CarrierGateway"]["CarrierGatewayId"]
    exit_by("public-carrier", EVERYWHERE, DestinationCidrBlock=EVERYWHERE, CarrierGatewayId=carrier)
    case(
        "open-ipv4",
        "FAIL",
        f"security group {open_group} allows ingress of tcp 443 from {EVERYWHERE}",
        [inherits],
        [open_group],
    )
    halves = r.group(private, "0.0.0.0/1", "128.0.0.0/1")
    case(
        "open-halves",
        "FAIL",
        f"{halves} allows ingress of tcp 443 from 0.0.0.0/1 and tcp 443 from 128.0.0.0/1",
        [inherits],
        [halves],
    )
    case(
        "open-ipv6",
        "FAIL",
        f"security group {open_ipv6} allows ingress of tcp 443 from ::/0",
        [inherits],
        [closed, open_ipv6],
    )
    gone, gone_group = r.subnet(private), r.group(private)
    case("subnet-gone", "MANUAL", f"subnet {gone} could not be found", [inherits, gone])
    case("group-gone", "MANUAL", f"security group {gone_group}", [inherits], [closed, gone_group])
    case(
        "everything",
        "FAIL",
        f"Not known: subnet {gone} could not be found",
        [exposed, gone],
        [open_group],
        isolated=False,
    )
    r.ec2.delete_subnet(SubnetId=gone)
    r.ec2.delete_security_group(GroupId=gone_group)
    case("flag-missing", "MANUAL", "EnableNetworkIsolation could not be understood", [inherits])
    case("not-described", "MANUAL", "AccessDeniedException", [inherits])

    r = Region(aws, "us-east-1")
    vpc = r.vpc()
    subnets, groups = [r.subnet(vpc)], [r.group(vpc)]
    case("isolated", "MANUAL", "allow ec2:DescribeRouteTables", subnets, groups)
    case(
        "no-isolation", "FAIL", "allow ec2:DescribeSecurityGroups", subnets, groups, isolated=False
    )
    expected[("eu-central-1", "model/unknown")] = ("MANUAL", "allow sagemaker:ListModels")

    def forget(answer: dict[str, Any]) -> None:
        """Have Search know nothing of the models that DescribeModel cannot tell of."""
        unknown = ("flag-missing", "not-described")
        answer["Results"] = [
            r for r in answer["Results"] if r["Model"]["Model"]["ModelName"] not in unknown
        ]

    aws.faults += [
        on("Search", "eu-west-1", Resource="Model")(change(forget)),
        on("DescribeModel", "eu-west-1", ModelName="not-described")(refuse),
        on("DescribeModel", "eu-west-1", ModelName="flag-missing")(
            change(lambda answer: answer.pop("EnableNetworkIsolation"))
        ),
        on("DescribeRouteTables", "us-east-1")(refuse),
        on("DescribeSecurityGroups", "us-east-1")(refuse),
        on("ListModels", "eu-central-1")(refuse),
    ]
    return expected
