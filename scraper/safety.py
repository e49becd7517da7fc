"""Which addresses a crawl may connect to: public ones, and hosts that the source's entry names.

The check is made where a name has become an address, just before connecting, on every hop: start page, robots.txt,
redirect, link. So no spelling of an address (`127.1`, `2130706433`, `::ffff:10.0.0.1`) and no name that resolves to a
private one gets past it. What is refused: RFC 1918, loopback, link-local with the metadata services of clouds
(169.254.169.254), carrier-grade NAT (RFC 6598), multicast, reserved and unspecified ranges, and the IPv6 forms of them.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, Final
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from twisted.internet.interfaces import IAddress, IHostnameResolver, IHostResolution, IResolutionReceiver
from zope.interface import implementer  # type: ignore[import-untyped]  # it has no annotations

from scraper.failures import note_failure

logger = logging.getLogger(__name__)

NAT64: Final = ip_network("64:ff9b::/96")
CARRIES_IPV4_LAST: Final = (NAT64, ip_network("::/96"))
"""IPv6 ranges whose last 32 bits are the IPv4 address that is reached."""


class RefusedAddressError(IgnoreRequest):
    """A request would have gone to an address that is not public."""


def refusal(address: str) -> str | None:
    """Why no connection is made to an address, in words; None for a public one.

    >>> refusal("93.184.216.34") is None, refusal("169.254.169.254"), refusal("::ffff:127.0.0.1")
    (True, 'link-local', 'loopback')
    """
    try:
        ip = ip_address(address.split("%")[0])
    except ValueError:
        return "no address"
    return _kind(_carried(ip))


def _carried(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address inside of an IPv6 one that stands for it."""
    if isinstance(ip, IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is not None:
            return inner
        if any(ip in network for network in CARRIES_IPV4_LAST) and int(ip) > 1:
            return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip


def _kind(ip: IPv4Address | IPv6Address) -> str | None:
    kinds = (
        ("loopback", ip.is_loopback),
        ("link-local", ip.is_link_local),
        ("unspecified", ip.is_unspecified),
        ("multicast", ip.is_multicast),
        ("site-local", isinstance(ip, IPv6Address) and ip.is_site_local),
        ("private", ip.is_private),
        ("reserved", ip.is_reserved),
        ("not public", not ip.is_global),
    )
    return next((name for name, holds in kinds if holds), None)


refused: Final[dict[str, str]] = {}
"""Hosts of this process whose addresses were refused, and why. A crawl is one process."""


@implementer(IHostnameResolver)
class GuardedResolver:
    """Resolves names and hands on public addresses only, except for the hosts that the source allows by name."""

    def __init__(self, reactor: Any, allowed: Sequence[str]) -> None:
        self.reactor = reactor
        self.inner = reactor.nameResolver
        self.allowed = frozenset(_folded(host) for host in allowed)

    @classmethod
    def from_crawler(cls, crawler: Any, reactor: Any) -> GuardedResolver:
        return cls(reactor, crawler.settings.getlist("JOBLEDGER_ALLOW_HOSTS"))

    def install_on_reactor(self) -> None:
        self.reactor.installNameResolver(self)

    def resolveHostName(
        self,
        resolutionReceiver: Any,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Sequence[type[IAddress]] | None = None,
        transportSemantics: str = "TCP",
    ) -> Any:
        receiver = resolutionReceiver
        if _folded(hostName) not in self.allowed:
            receiver = _PublicOnly(resolutionReceiver, hostName)
        return self.inner.resolveHostName(receiver, hostName, portNumber, addressTypes, transportSemantics)


@implementer(IResolutionReceiver)
class _PublicOnly:
    """Passes public addresses on and notes the others."""

    def __init__(self, receiver: Any, host: str) -> None:
        self.receiver, self.host = receiver, host
        self.passed = 0
        self.why: str | None = None

    def resolutionBegan(self, resolution: IHostResolution) -> None:
        self.receiver.resolutionBegan(resolution)

    def addressResolved(self, address: Any) -> None:
        if (why := refusal(str(address.host))) is None:
            self.passed += 1
            self.receiver.addressResolved(address)
        else:
            self.why = f"{address.host} is {why}"

    def resolutionComplete(self) -> None:
        if self.why is not None and not self.passed:
            refused[_folded(self.host)] = self.why
            logger.warning("refused %s: %s; name it in allow_hosts to read it", self.host, self.why)
        self.receiver.resolutionComplete()


class AddressGuard:
    """Says of a failed request that we refused it, instead of calling the host unknown and trying again."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> AddressGuard:
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        """Raises `RefusedAddressError` for what is no web address, and for a host refused before."""
        if urlsplit(request.url).scheme not in {"http", "https"}:
            self._refuse(request, "is no web address")
        self._refuse_known(request)

    def process_exception(self, request: Request, exception: Exception) -> None:  # noqa: ARG002 - Scrapy's signature
        self._refuse_known(request)

    def _refuse_known(self, request: Request) -> None:
        if (why := refused.get(_folded(urlsplit(request.url).hostname or ""))) is not None:
            self._refuse(request, why)

    def _refuse(self, request: Request, why: str) -> None:
        if self.crawler.stats is not None:
            self.crawler.stats.inc_value("jobledger/refused_addresses")
        note_failure(self.crawler.stats, request.url, f"we refuse to connect: {why}")
        raise RefusedAddressError(f"{request.url}: {why}")


def _folded(host: str) -> str:
    return host.casefold().rstrip(".").strip("[]")
