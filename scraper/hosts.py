"""Which sources ask the same host, told from their entries alone: whoever crawls many reads such ones in turn."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from scraper.sources import Source

OWN_HOST = frozenset({"bamboohr", "breezy", "personio", "pinpoint", "recruitee", "teamtailor"})
"""Platforms that give each board a host of its own, named after its token."""


def host_key(source: Source) -> str:
    """What sources that ask the same host have in common, without importing their spiders.

    >>> host_key(Source(name="a", spider="greenhouse", token="acme"))
    'greenhouse'
    >>> host_key(Source(name="b", spider="recruitee", token="acme"))
    'recruitee/acme'
    """
    api = source.options.get("api")
    address = api if isinstance(api, str) else source.url
    if source.spider == "archives" and not isinstance(api, str):
        return f"archives/{source.options.get('archive', 'wayback')}"  # its url says what to look for, not whom to ask
    if address is not None:
        return urlsplit(address).netloc.lower()
    return f"{source.spider}/{source.token}" if source.spider in OWN_HOST else source.spider


def chains(sources: Iterable[Source]) -> list[list[Source]]:
    """The sources, those of one host in one list; the longest lists first, for they take longest."""
    found: dict[str, list[Source]] = {}
    for source in sources:
        found.setdefault(host_key(source), []).append(source)
    return sorted(found.values(), key=len, reverse=True)
