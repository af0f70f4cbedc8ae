"""Which address ranges are the internet: AWS's meaning of "public", for ranges in any spelling."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from itertools import groupby
from math import inf

# By IP version, the shortest prefix of a range that is still a named source, unless configured.
# Amazon S3 User Guide, "The meaning of public": an address condition is public where it is "broader
# than /8 for IPv4 and /32 for IPv6 (excluding RFC1918 private ranges)".
PREFIX_LIMITS = {4: 8, 6: 32}
# Ranges that no packet of the internet comes from or goes to. Besides RFC 1918, which AWS names:
# IANA's special-purpose registries. (`is_private` of Python's networks differs by version.)
_NOT_PUBLIC = tuple(
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
_NAT64 = IPv6Network("64:ff9b::/96")

ALL_PORTS = (-inf, inf)
Block = IPv4Network | IPv6Network
PrefixLimits = Mapping[int, int]  # as `PREFIX_LIMITS`
_Span = tuple[int, int]  # the first address and the one after the last, as numbers


@dataclass(frozen=True, eq=False)
class Permission:
    """One block that a security group rule admits, or lets traffic out to.

    Attributes:
        protocol: IpProtocol; "-1" for all.
        ports: The first and the last port; `ALL_PORTS` of a rule for all of its protocol.
        text: The rule's traffic and the block as it is written there, such as
            "tcp 443 from 0.0.0.0/1".
    """

    group_id: str
    protocol: str
    ports: tuple[float, float]
    block: Block
    text: str

    @cached_property
    def span(self) -> _Span:
        """The block's first address and the one after its last."""
        first = int(self.block.network_address)
        return first, first + 2 ** (self.block.max_prefixlen - self.block.prefixlen)


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


@lru_cache(maxsize=65536)
def is_public(block: Block) -> bool:
    """Return whether a block reaches outside private and reserved address space."""
    return not any(is_within(block, special) for special in _NOT_PUBLIC)


def behind_nat64(block: Block) -> Block:
    """Return the IPv4 block to which traffic to an IPv6 block gets through NAT64, if it does."""
    if not isinstance(block, IPv6Network):
        return block
    if block.subnet_of(_NAT64):
        bits = _NAT64.prefixlen
        first = int(block.network_address) - int(_NAT64.network_address)
        return IPv4Network((first, block.prefixlen - bits))
    return IPv4Network("0.0.0.0/0") if block.supernet_of(_NAT64) else block


@lru_cache(maxsize=65536)  # all of IPv4 beside each of a thousand ports
def _public_size(span: _Span, version: int) -> int:
    """Return how many addresses of a span are not in private or reserved space."""
    size = span[1] - span[0]
    for special in _NOT_PUBLIC:
        if special.version == version:
            first = int(special.network_address)
            inside = min(span[1], first + special.num_addresses) - max(span[0], first)
            size -= max(0, inside)
    return size


def open_permissions(
    permissions: Iterable[Permission], limits: PrefixLimits
) -> dict[Permission, set[str]]:
    """Return the permissions that are open to the internet, alone or joined with others.

    A block is open that is broader than a limit and not private or reserved. So are blocks in a row
    that have more public addresses than that together, whatever their alignment; a gap ends a row.
    Permissions are joined where they overlap in protocol and port, whatever rule or group they
    stand in, because a network interface admits what any of its groups admits (source: "Security
    group rules" in the Amazon VPC User Guide).

    Returns:
        Those that are open, in the given order, each with the groups of the rows that it stands
        in. Without them no other is open.
    """
    known = list(permissions)
    broad = (p for p in known if exceeds(p.block, limits) and is_public(p.block))
    opened = {permission: {permission.group_id} for permission in broad}
    left = [permission for permission in known if permission not in opened]
    left.sort(key=lambda p: (p.block.version, p.span[0], -p.span[1]))
    while rows := _open_rows(left, limits):
        opened |= rows
        left = [permission for permission in left if permission not in rows]
    return {permission: opened[permission] for permission in known if permission in opened}


def _open_rows(in_order: list[Permission], limits: PrefixLimits) -> dict[Permission, set[str]]:
    """Return the permissions that are open in a row, each with the groups of its rows."""
    found: dict[Permission, set[str]] = {}
    for row in _contiguous_beyond(in_order, limits):  # whatever the ports
        for overlapping in _at_each_port(row):
            for joined in _contiguous_beyond(overlapping, limits):
                widest = list(_without_nested(joined))
                of_row = {p.group_id for p in widest}  # a private block may join two others
                for permission in widest:
                    if is_public(permission.block):
                        found.setdefault(permission, set()).update(of_row)
    return found


def _at_each_port(row: list[Permission]) -> Iterator[list[Permission]]:
    """Yield what overlaps at each port where one of the permissions begins, in the given order."""
    # Nowhere do more of them overlap, and what is open at any port is so at one of these.
    for protocol in {p.protocol for p in row}:
        of_protocol = [n for n, p in enumerate(row) if p.protocol in ("-1", protocol)]
        of_protocol.sort(key=lambda n: row[n].ports[0])
        open_at: list[int] = []
        for port, begin in groupby(of_protocol, key=lambda n: row[n].ports[0]):
            open_at = sorted([*(n for n in open_at if row[n].ports[1] >= port), *begin])
            yield [row[n] for n in open_at]


def _contiguous_beyond(
    permissions: list[Permission], limits: PrefixLimits
) -> Iterator[list[Permission]]:
    """Yield those whose blocks stand in a row beyond a limit; they come in order of address."""
    for _, same in groupby(permissions, key=lambda p: p.block.version):
        row: list[Permission] = []
        end = 0
        for permission in same:
            if row and permission.span[0] > end:
                if _span_exceeds((row[0].span[0], end), row[0].block, limits):
                    yield row
                row = []
            end = max(end, permission.span[1]) if row else permission.span[1]
            row.append(permission)
        if _span_exceeds((row[0].span[0], end), row[0].block, limits):
            yield row


def _span_exceeds(span: _Span, block: Block, limits: PrefixLimits) -> bool:
    """Return whether a span, of a block's IP version, has more public addresses than named ones."""
    most: int = 2 ** (block.max_prefixlen - limits[block.version])
    return span[1] - span[0] > most and _public_size(span, block.version) > most


def _without_nested(row: list[Permission]) -> Iterator[Permission]:
    """Yield a row's permissions without those whose block lies in another's, and adds nothing."""
    # CIDR blocks lie in each other or apart.
    last: _Span = (0, 0)
    for permission in row:
        if permission.span[1] > last[1] or permission.span == last:
            last = permission.span
            yield permission


def exceeds(block: Block, limits: PrefixLimits) -> bool:
    """Return whether a block alone is broader than a named source may be."""
    return block.prefixlen < limits[block.version]
