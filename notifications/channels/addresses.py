"""Where web hooks may lead: to addresses of the open internet, unless an administrator allows others by name or network.

Whoever may set a web hook could else make this program call what only it can reach (SSRF). A name is looked up once and the
connection goes to the very address that was judged, so that a second answer of the name server changes nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from models.errors import InvalidInput

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], Sequence[str]]
# Networks whose addresses stand for IPv4 ones (RFC 6052, RFC 8215): behind them may be anything.
_TRANSLATED = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))


class RefusedAddressError(Exception):
    """An address that must not be called; the message says why."""


@dataclass(frozen=True, slots=True)
class AllowList:
    """Hosts (names) and networks that may be called though they are not on the open internet."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()

    def allows(self, host: str, address: Address) -> bool:
        """Whether an address of a host was allowed."""
        return host in self.hosts or any(
            address.version == network.version and address in network for network in self.networks
        )


NONE_ALLOWED = AllowList()


def allow_list(entries: Sequence[str]) -> AllowList:
    """The list of settings: networks such as 10.1.0.0/16, and names; raises InvalidInput."""
    hosts, networks = set(), []
    for entry in entries:
        try:
            networks.append(ipaddress.ip_network(entry))
        except ValueError:
            if not entry or "/" in entry or ":" in entry or not entry.isascii():
                raise InvalidInput(f"允许清单中的“{entry}”无法识别；应为网段 10.1.0.0/16 或主机名。") from None
            hosts.add(entry.lower().rstrip("."))
    return AllowList(frozenset(hosts), tuple(networks))


def look_up(host: str, port: int) -> list[str]:
    """The addresses of a host by the system's resolver; raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(item[4][0]) for item in found))


def judged_address(host: str, port: int, allowed: AllowList, resolve: Resolver = look_up) -> str:
    """The address to connect to; raises RefusedAddressError where any address of the host is refused, OSError.

    All are judged and not only the one that is used: a name that also leads inside is not to be trusted.
    """
    name = host.lower().rstrip(".").strip("[]")
    found = [ipaddress.ip_address(item.partition("%")[0]) for item in resolve(name, port)]
    if not found:
        raise OSError("no address")
    for address in found:
        if not is_open(address) and not allowed.allows(name, address):
            raise RefusedAddressError(f"{name} 指向内部地址，没有发送；确需使用请由系统管理员加入允许清单")
    return str(found[0])


def is_open(address: Address) -> bool:
    """Whether an address is one of the open internet: not private, local, reserved, multicast, or a disguise of such."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is not None:
            return is_open(inner)
        if any(address in network for network in _TRANSLATED):
            return is_open(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return address.is_global and not address.is_multicast and not address.is_reserved
