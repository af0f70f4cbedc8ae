"""The account of the demo and of the end-to-end tests: every verdict and every reason, once.

Models, endpoint configurations and monitoring schedules live in eu-west-1 and us-east-1. In
us-east-1 the scan may not read route tables and security groups, and in eu-central-1 it may list
none of the three.
"""

from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from botocore import xform_name
from botocore.config import Config

from .installation import CHECK, CONFIG_CHECK, SCHEDULE_CHECK
from .server import EmbeddedAWS, change, error, on, refuse

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/sagemaker"
REGIONS = ("eu-west-1", "us-east-1", "eu-central-1")
EVERYWHERE = "0.0.0.0/0"
SIZE = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}


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

    def _made(self, kind: str, **parameters: Any) -> str:
        create = getattr(self.ec2, f"create_{xform_name(kind)}")
        return str(create(**parameters)[kind][f"{kind}Id"])

    def vpc(self) -> str:
        """Return a new VPC, whose main route table has the local route alone."""
        return self._made("Vpc", CidrBlock="10.0.0.0/16", AmazonProvidedIpv6CidrBlock=True)

    def subnet(self, vpc: str, table: str | None = None, zone: str = "a") -> str:
        """Return a new subnet in a zone, associated with a route table where one is given."""
        block, zone = f"10.0.{next(self._block)}.0/24", self.name + zone
        subnet = self._made("Subnet", VpcId=vpc, CidrBlock=block, AvailabilityZone=zone)
        if table:
            self.ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
        return subnet

    def block(self, subnet: str) -> str:
        """Return a subnet's CIDR block."""
        return str(self.ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["CidrBlock"])

    def table(self, vpc: str, *routes: dict[str, str]) -> str:
        """Return a new route table with the routes given as parameters of CreateRoute."""
        table = self._made("RouteTable", VpcId=vpc)
        for route in routes:
            self.ec2.create_route(RouteTableId=table, **route)
        return table

    def internet_gateway(self, vpc: str) -> str:
        """Return a new internet gateway, attached to a VPC."""
        gateway = self._made("InternetGateway")
        self.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
        return gateway

    def nat_gateway(self, subnet: str) -> str:
        """Return a new NAT gateway."""
        address = self.ec2.allocate_address(Domain="vpc")["AllocationId"]
        return self._made("NatGateway", SubnetId=subnet, AllocationId=address)

    def firewall(self, vpc: str, subnet: str) -> str:
        """Return the endpoint of a new firewall in a subnet."""
        service = f"com.amazonaws.vpce.{self.name}.vpce-svc-1"
        parameters = {"VpcEndpointType": "GatewayLoadBalancer", "ServiceName": service}
        return self._made("VpcEndpoint", VpcId=vpc, SubnetIds=[subnet], **parameters)

    def interface(self, subnet: str) -> str:
        """Return a new network interface."""
        return self._made("NetworkInterface", SubnetId=subnet)

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
        made = self.ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)
        group = str(made["GroupId"])
        if not egress:
            (rules,) = self.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
            egress_rules = {"GroupId": group, "IpPermissions": rules["IpPermissionsEgress"]}
            self.ec2.revoke_security_group_egress(**egress_rules)
        for end in ingress:
            ends: dict[str, Any] = {"IpRanges": [{"CidrIp": end}]}
            if end.startswith("pl-"):
                ends = {"PrefixListIds": [{"PrefixListId": end}]}
            elif ":" in end:
                ends = {"Ipv6Ranges": [{"CidrIpv6": end}]}
            rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, **ends}
            self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
        return group

    def model(
        self,
        name: str,
        *network: list[str],
        isolated: bool = True,
        tags: dict[str, str] | None = None,
        **parameters: Any,
    ) -> None:
        """Create a model, in a VPC where subnets, and security groups if any, are given."""
        if "Containers" not in parameters:
            parameters.setdefault("PrimaryContainer", {"Image": "image"})
        self.sagemaker.create_model(
            ModelName=name,
            ExecutionRoleArn=ROLE,
            EnableNetworkIsolation=isolated,
            Tags=_tags(tags),
            **_vpc_config(*network),
            **parameters,
        )

    def endpoint(self, name: str, *models: str) -> None:
        """Create an endpoint that serves models, by an endpoint configuration of its name."""
        variants = [{"VariantName": model, "ModelName": model, **SIZE} for model in models]
        self.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants)
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)

    def components(
        self, name: str, *network: list[str], isolated: bool = True, **parameters: Any
    ) -> None:
        """Create an endpoint configuration for inference components, in a VPC as `model` does."""
        parameters.setdefault("ProductionVariants", [{"VariantName": "all", **SIZE}])
        self.sagemaker.create_endpoint_config(
            EndpointConfigName=name,
            ExecutionRoleArn=ROLE,
            EnableNetworkIsolation=isolated,
            **_vpc_config(*network),
            **parameters,
        )

    def schedule(
        self,
        name: str,
        *network: list[str],
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
        definition = self.job_definition(kind or "", endpoint)
        config = _vpc_config(*network)
        if isolated is not None:
            config["EnableNetworkIsolation"] = isolated
        if config:
            definition["NetworkConfig"] = config
        schedule: dict[str, Any] = {"MonitoringJobDefinition": definition}
        if kind:
            create = f"create_{xform_name(kind)}_job_definition"
            getattr(self.sagemaker, create)(JobDefinitionName=name, **definition)
            schedule = {"MonitoringJobDefinitionName": name, "MonitoringType": kind}
        schedule["ScheduleConfig"] = {"ScheduleExpression": "cron(0 * ? * * *)"}
        self.sagemaker.create_monitoring_schedule(
            MonitoringScheduleName=name, MonitoringScheduleConfig=schedule, Tags=_tags(tags)
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
        output = {"MonitoringOutputs": [{"S3Output": target}]}
        parts: dict[str, Any] = {
            f"{kind or 'Monitoring'}AppSpecification": {"ImageUri": "image"},
            f"{kind}JobOutputConfig" if kind else "MonitoringOutputConfig": output,
            "JobResources" if kind else "MonitoringResources": {"ClusterConfig": cluster},
            "RoleArn": ROLE,
        }
        monitored = {"EndpointInput": source}
        return parts | (
            {f"{kind}JobInput": monitored} if kind else {"MonitoringInputs": [monitored]}
        )


def _vpc_config(
    subnets: list[str] | None = None, groups: list[str] | None = None
) -> dict[str, Any]:
    network = {"Subnets": subnets, "SecurityGroupIds": groups or []}
    return {} if subnets is None else {"VpcConfig": network}


def _tags(tags: dict[str, str] | None) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in (tags or {}).items()]


Expected = dict[tuple[str, str], tuple[str, str]]


@dataclass
class Case:
    """Something to be judged.

    Attributes:
        status: The status that it must have.
        words: Words of its reason, in which an id stands by its name in braces.
        subnets: The subnets of its VPC configuration, by the names that `_networks` gives them; ""
            for no VPC configuration.
        groups: The security groups likewise.
        given: What else it is created with.
    """

    status: str
    words: str
    subnets: str = "private"
    groups: str = "closed"
    given: dict[str, Any] = field(default_factory=dict)


def _off(words: str, network: bool = True, **given: Any) -> Case:
    names = ("private", "closed") if network else ("", "")
    return Case("FAIL", words, *names, {"isolated": False, **given})


def _public(subnet: str, destination: str = EVERYWHERE, gateway: str = "{gateway}") -> Case:
    words = f"subnet {{{subnet}}} is public: route table {{{subnet}_table}} sends {destination}"
    return Case("FAIL", f"{words} to {gateway}", subnet, "elsewhere")


_OPEN = f"allows ingress of tcp 443 from {EVERYWHERE}"
_MODELS = {
    "isolated": Case("PASS", "no live route to an internet or carrier gateway from {private}"),
    "behind-nat": Case("PASS", "{natted} (route table {natted_table})", "natted", "elsewhere"),
    "blackhole": Case("PASS", "{dead_table}", "dead", "cut_off"),
    "pipeline": Case(
        *("PASS", "Note: security group {chatty} allows egress of all traffic to 0.0.0.0/0"),
        groups="chatty",
        given={"Containers": [{"Image": "one"}, {"Image": "two"}], "tags": {"team": "risk"}},
    ),
    "no-isolation": _off("disabled. No endpoint is seen to serve it."),
    "serving": _off("disabled. It serves endpoint fraud."),
    "no-vpc": Case("FAIL", "the VPC configuration is missing", "", ""),
    "no-group": Case("FAIL", "the VPC configuration has no security group", groups=""),
    "public-by-main-table": _public("exposed"),
    "public-ipv4": _public("ipv4"),
    "public-ipv6": _public("ipv6", "::/0"),
    "public-prefix-list": _public("list", "{prefixes}"),
    "public-carrier": _public("carried", gateway="{carrier}"),
    "open-ipv4": Case("FAIL", f"security group {{open}} {_OPEN}", groups="open"),
    "open-ipv6": Case(
        "FAIL", "group {open6} allows ingress of tcp 443 from ::/0", groups="closed open6"
    ),
    "subnet-gone": Case("MANUAL", "subnet {gone} could not be found", "private gone"),
    "group-gone": Case("MANUAL", "security group {group_gone}", groups="closed group_gone"),
    "everything": Case(
        *("FAIL", "Not known: subnet {gone} could not be found", "exposed gone", "open"),
        {"isolated": False},
    ),
    "flag-missing": Case("MANUAL", "EnableNetworkIsolation could not be understood"),
    "not-described": Case("MANUAL", "AccessDeniedException"),
}
_DEFAULT = "isolation is disabled; the VPC configuration is missing."
_CONFIGS = {
    "components": Case("PASS", "It is used by endpoint chat."),
    "components-default": _off(_DEFAULT, network=False),
    "components-public": _public("ipv4"),
    "components-open": Case("FAIL", f"{_OPEN}. No endpoint is seen to use it.", groups="open"),
    "components-not-described": Case("MANUAL", "AccessDeniedException"),
}
_SCHEDULES = {
    "watch-data": Case("PASS", "endpoint fraud with data quality job definition watch-data."),
    "watch-inline": Case("PASS", "with a job definition of its own.", given={"kind": None}),
    "watch-quality": _off("isolation is disabled. It monitors", kind="ModelQuality"),
    "watch-bias": replace(_public("ipv4"), given={"kind": "ModelBias"}),
    "watch-default": _off(f"{_DEFAULT} It monitors endpoint fraud with data", False, isolated=None),
    "watch-stopped": Case("PASS", "; its status is Stopped."),
    "watch-nothing": Case("MANUAL", "quality job definition watch-nothing could not be found"),
    "watch-refused": Case(
        "MANUAL", "allow sagemaker:DescribeModelBiasJobDefinition", given={"kind": "ModelBias"}
    ),
    "watch-not-described": Case("MANUAL", "change that policy, because to allow"),
}
_UNROUTED = Case("MANUAL", "allow ec2:DescribeRouteTables")
# By check: what is built in eu-west-1, and what in us-east-1.
_CASES = {
    CHECK: (
        _MODELS,
        {"isolated": _UNROUTED, "no-isolation": _off("allow ec2:DescribeSecurityGroups")},
    ),
    CONFIG_CHECK: (_CONFIGS, {"components": _UNROUTED}),
    SCHEDULE_CHECK: (_SCHEDULES, {"watch-data": _UNROUTED}),
}
_DENY = error(
    "AccessDeniedException", "not authorized with an explicit deny in a service control policy"
)
# How a region is called of which there is no list, the operation that is refused there, and how.
_UNLISTED = {
    CHECK: ("model", "ListModels", refuse, "allow sagemaker:ListModels"),
    CONFIG_CHECK: (
        *("endpoint-config", "ListEndpointConfigs", refuse),
        "allow sagemaker:ListEndpointConfigs",
    ),
    SCHEDULE_CHECK: (
        *("monitoring-schedule", "ListMonitoringSchedules", _DENY),
        f"leave the region out (add {REGIONS[2]}",
    ),
}


def build(aws: EmbeddedAWS) -> Expected:
    """Build the account.

    Args:
        aws: The embedded AWS; it is given the refusals that belong to the account.

    Returns:
        What a scan must say, by region and name: the status, and words of its reason, in which an
        id stands as it is.
    """
    r, unreadable = Region(aws, REGIONS[0]), Region(aws, REGIONS[1])
    ids, vpc = _networks(r), unreadable.vpc()
    of_unreadable = {"private": unreadable.subnet(vpc), "closed": unreadable.group(vpc)}
    expected: Expected = {}
    for check, (cases, elsewhere) in _CASES.items():
        kind, operation, fault, remedy = _UNLISTED[check]
        expected |= _make(r, check, cases, ids)
        expected |= _make(unreadable, check, elsewhere, of_unreadable)
        expected[REGIONS[2], f"{kind}/unknown"] = ("MANUAL", remedy)
        aws.faults.append(on(operation, REGIONS[2])(fault))
    r.endpoint("fraud", "serving")
    r.sagemaker.create_endpoint(EndpointName="chat", EndpointConfigName="components")
    r.sagemaker.stop_monitoring_schedule(MonitoringScheduleName="watch-stopped")
    r.sagemaker.delete_data_quality_job_definition(JobDefinitionName="watch-nothing")
    r.ec2.delete_subnet(SubnetId=ids["gone"])
    r.ec2.delete_security_group(GroupId=ids["group_gone"])

    def forget(answer: dict[str, Any]) -> None:
        """Have Search know nothing of the models that DescribeModel cannot tell of."""
        unknown = ("flag-missing", "not-described")
        answer["Results"] = [
            r for r in answer["Results"] if r["Model"]["Model"]["ModelName"] not in unknown
        ]

    def one(api: str, **parameters: str) -> Any:
        return on(api, REGIONS[0], **parameters)

    aws.faults += [
        one("Search", Resource="Model")(change(forget)),
        one("DescribeModel", ModelName="not-described")(refuse),
        one("DescribeModel", ModelName="flag-missing")(
            change(lambda answer: answer.pop("EnableNetworkIsolation"))
        ),
        one("DescribeEndpointConfig", EndpointConfigName="components-not-described")(refuse),
        one("DescribeMonitoringSchedule", MonitoringScheduleName="watch-not-described")(_DENY),
        one("DescribeModelBiasJobDefinition", JobDefinitionName="watch-refused")(refuse),
        on("DescribeRouteTables", REGIONS[1])(refuse),
        on("DescribeSecurityGroups", REGIONS[1])(refuse),
    ]
    return expected


def _make(r: Region, check: str, cases: dict[str, Case], ids: dict[str, str]) -> Expected:
    make: Any = {CHECK: r.model, CONFIG_CHECK: r.components, SCHEDULE_CHECK: r.schedule}[check]
    for name, case in cases.items():
        network = [[ids[key] for key in keys.split()] for keys in (case.subnets, case.groups)]
        make(name, *(network if case.subnets else ()), **case.given)
    return {(r.name, name): (case.status, case.words.format(**ids)) for name, case in cases.items()}


def _networks(r: Region) -> dict[str, str]:
    """Make the networks of a region, and return ids by the names that the cases give them."""
    # The trap: the subnet "private" has no association of its own, and another VPC's main table
    # has an internet gateway. Its own VPC's main table decides, and that one is private.
    private, public, cut_off = r.vpc(), r.vpc(), r.vpc()
    gateway, detached = r.internet_gateway(public), r.internet_gateway(cut_off)
    carrier = r._made("CarrierGateway", VpcId=public)
    of_vpc = [{"Name": "vpc-id", "Values": [public]}]
    main = r.ec2.describe_route_tables(Filters=of_vpc)["RouteTables"][0]["RouteTableId"]
    prefixes = r.prefix_list("198.51.100.0/24")
    by_gateway, everywhere = {"GatewayId": gateway}, {"DestinationCidrBlock": EVERYWHERE}
    r.ec2.create_route(RouteTableId=main, **everywhere, **by_gateway)
    exposed = r.subnet(public)
    ids = {"gateway": gateway, "carrier": carrier, "prefixes": prefixes, "exposed": exposed}
    ids |= {"exposed_table": main, "private": r.subnet(private), "gone": r.subnet(private)}
    for name, route in {
        "natted": {**everywhere, "NatGatewayId": r.nat_gateway(exposed)},
        "ipv4": {**everywhere, **by_gateway},
        "ipv6": {"DestinationIpv6CidrBlock": "::/0", **by_gateway},
        "list": {"DestinationPrefixListId": prefixes, **by_gateway},
        "carried": {**everywhere, "CarrierGatewayId": carrier},
        "dead": {**everywhere, "GatewayId": detached},
    }.items():
        vpc = cut_off if name == "dead" else public
        table = ids[f"{name}_table"] = r.table(vpc, route)
        ids[name] = r.subnet(vpc, table)
    r.ec2.detach_internet_gateway(InternetGatewayId=detached, VpcId=cut_off)
    for name, ends in {
        "closed": ("10.0.0.0/8",),
        "open": (EVERYWHERE,),
        "open6": ("::/0",),
        "group_gone": (),
    }.items():
        ids[name] = r.group(private, *ends)
    ids["chatty"] = r.group(private, "10.0.0.0/8", egress=True)
    return ids | {"elsewhere": r.group(public), "cut_off": r.group(cut_off)}
