"""Which address ranges are the internet: AWS's meaning of "public", for ranges in any spelling."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from typing import Any

# The broadest public range that is still a named source, by IP version. Amazon S3 User Guide, "The
# meaning of public": an address condition is public where it is "broader than /8 for IPv4 and /32
# for IPv6 (excluding RFC1918 private ranges)".
BROADEST = {4: 8, 6: 32}
# Ranges that no packet of the internet comes from or goes to. Besides RFC 1918, which AWS names:
# IANA's special-purpose registries. (`is_private` of Python's networks differs by version.)
NOT_PUBLIC = tuple(
    ip_network(block)
    for block in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),  # RFC 1918: private
        *("0.0.0.0/8", "127.0.0.0/8"),  # RFC 1122: this network, loopback
        "100.64.0.0/10",  # RFC 6598: shared address space
        "169.254.0.0/16",  # RFC 3927: link-local
        "224.0.0.0/3",  # RFC 5771 and RFC 1112: multicast, reserved
        "fc00::/7",  # RFC 4193: unique local
        *("fe80::/10", "ff00::/8"),  # RFC 4291: link-local, multicast
    )
)

# By this prefix a NAT gateway leads IPv6 to all of IPv4: RFC 6052, and "DNS64 and NAT64" in the
# Amazon VPC User Guide.
NAT64 = IPv6Network("64:ff9b::/96")

Block = IPv4Network | IPv6Network


@dataclass(frozen=True)
class Permission:
    """One block that a security group rule admits, or lets traffic out to.

    Attributes:
        group_id: The security group.
        protocol: IpProtocol; "-1" for all.
        ports: The first and the last port; None where the rule is for all of its protocol.
        block: The block.
        text: The rule's traffic and the block as it is written there, such as
            "tcp 443 from 0.0.0.0/1".
    """

    group_id: str
    protocol: str
    ports: tuple[int, int] | None
    block: Block
    text: str

    def covers(self, protocol: str, port: int | None) -> bool:
        """Return whether it admits a protocol at a port; None for a protocol without ports."""
        if self.protocol not in ("-1", protocol):
            return False
        return self.ports is None or (port is not None and self.ports[0] <= port <= self.ports[1])


@lru_cache(maxsize=65536)  # the same few blocks stand in many tables
def to_block(text: str | None) -> Block | None:
    """Return a CIDR block, whose host bits are of no account; None for anything else."""
    try:
        return ip_network(str(text), strict=False)
    except ValueError:
        return None


def is_within(block: Block, other: Block) -> bool:
    """Return whether a block lies in another one."""
    return block.version == other.version and block.subnet_of(other)  # type: ignore[arg-type]


def is_public(block: Block) -> bool:
    """Return whether a block reaches outside private and reserved address space."""
    return not any(is_within(block, special) for special in NOT_PUBLIC)


def behind_nat64(block: Block) -> Block:
    """Return the IPv4 block to which traffic to an IPv6 block gets through NAT64, if it does."""
    if not isinstance(block, IPv6Network):
        return block
    if block.subnet_of(NAT64):
        bits = NAT64.prefixlen
        first = int(block.network_address) - int(NAT64.network_address)
        return IPv4Network((first, block.prefixlen - bits))
    return IPv4Network("0.0.0.0/0") if block.supernet_of(NAT64) else block


def public_size(block: Block) -> int:
    """Return how many addresses of a public block are not in private or reserved space."""
    inside = [special.num_addresses for special in NOT_PUBLIC if is_within(special, block)]
    return block.num_addresses - sum(inside)


def open_permissions(permissions: Iterable[Permission]) -> list[Permission]:
    """Return the permissions that are open to the internet, alone or joined with others.

    A block is open that is broader than `BROADEST` and not private or reserved, as AWS has it. So
    are blocks that join to one with more public addresses than that, such as halves of the
    default. Permissions are joined where they overlap in protocol and port, whatever rule or group
    they stand in, because a network interface admits what any of its groups admits (source:
    "Security group rules" in the Amazon VPC User Guide). Ranges that do not join are judged one by
    one, however many there are.

    Args:
        permissions: Those of one direction, of all security groups of a model.

    Returns:
        Those that are open or part of such a range, in the given order.
    """
    known = list(permissions)
    if not too_broad(known):  # whatever the ports
        return []
    # A port at which most rules overlap is where one of them begins.
    points = {(p.protocol, p.ports[0] if p.ports else None) for p in known}
    found = set()
    for protocol, port in points:
        found |= too_broad([p for p in known if p.covers(protocol, port)])
    return [permission for permission in known if permission in found]


def too_broad(permissions: list[Permission]) -> set[Permission]:
    """Return the permissions that are open by their block, and those that join to such a range."""
    if not any(reaches(permissions, version) for version in BROADEST):
        return set()
    found = {p for p in permissions if is_broad(p.block) and is_public(p.block)}
    for version, limit in BROADEST.items():
        # What lies in another block adds nothing to what is joined.
        largest: list[Permission] = []
        same = (p for p in permissions if p.block.version == version)
        for permission in sorted(same, key=lambda p: (p.block.network_address, p.block.prefixlen)):
            block: Any = permission.block
            if not largest or block == largest[-1].block or not block.subnet_of(largest[-1].block):
                largest.append(permission)
        joined: list[Any] = list(collapse_addresses(p.block for p in largest))  # type: ignore[type-var]
        wide = [
            block for block in joined if public_size(block) > 2 ** (block.max_prefixlen - limit)
        ]
        found |= {
            p
            for p in largest
            if is_public(p.block) and any(p.block.subnet_of(block) for block in wide)
        }
    return found


def reaches(permissions: list[Permission], version: int) -> bool:
    """Return whether permissions have more addresses of an IP version than a named source may."""
    blocks = [p.block for p in permissions if p.block.version == version]
    most = sum(block.num_addresses for block in blocks)
    return bool(blocks) and most > 2 ** (blocks[0].max_prefixlen - BROADEST[version])


def is_broad(block: Block) -> bool:
    """Return whether a block alone is broader than `BROADEST`."""
    return block.prefixlen < BROADEST[block.version]
