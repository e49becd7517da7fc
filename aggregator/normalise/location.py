"""Where a job is: city, region, country, several places, and whether it is remote and for whom.

A place is read only from evidence. A city with a namesake of some size in another country has no country by itself; a
neighbour in the same text, or the country that the board publishes, can settle it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from aggregator.normalise.place_evidence import Place
from aggregator.normalise.place_groups import Marked, group_places
from aggregator.normalise.place_parts import (
    CITY,
    COUNTRY,
    GROUP,
    REGION,
    WORK,
    Item,
    leaves_out,
    postal_country,
    read_part,
    read_whole,
    spots_in,
)
from aggregator.normalise.places import Region, country_named, gazetteer
from db.text import one_line


@dataclass(frozen=True, slots=True)
class Location:
    """A read location. `country` is that of the first place, `countries` are all, in order (ISO 3166-1 alpha-2).

    `region` is a postal code in the United States, Canada and Australia, else as written. `remote` is "onsite",
    "hybrid", "remote" or None (not said). `remote_scope` holds country codes, `US-TX`, groups ("EMEA") or "worldwide".
    """

    text: str | None
    city: str | None = None
    region: str | None = None
    country: str | None = None
    countries: tuple[str, ...] = ()
    remote: str | None = None
    remote_scope: tuple[str, ...] = ()


_LONGEST: Final = 4_000  # characters; a longer field is no list of places
_SEGMENT: Final = re.compile(r"(?:(?<!\s)\s++)?[;|•·▪；｜]\s*+")
_PART: Final = re.compile(
    r"""
      (?: (?<!\s)\s++ )? (?P<mark> [,/(){}\[\]:–—→+，、／（）：] ) \s*+
    | (?<!\s)\s++ - \s*+ | - \s++               # "Remote - US", "Remote- US"
    """,
    re.VERBOSE,
)
_EITHER: Final = re.compile(r"(?<!\s)\s++(?:or|and|oder|und|ou|et|lub|eller|y|o|e|i|&|AND|Or|And)\s++")
_CODED_PLACE: Final = re.compile(r"\b([A-Z]{2,3})-([A-Z]{2,3})-(?=[^\W\d_])")
_COUNTRY_FIRST: Final = re.compile(r"([A-Z]{2}),\s*+(?:([A-Z0-9]{1,3})\s*+)?,\s*+(.*)", re.DOTALL)
_CYRILLIC_LOOKALIKES: Final = str.maketrans("АВЕКМНОРСТХасеорху", "ABEKMHOPCTXaceopxy")
_CYRILLIC: Final = re.compile(r"[\u0400-\u04ff]")
_LATIN: Final = re.compile(r"[A-Za-z]")
_JOINED: Final = re.compile(r"(?<![^\W\d_])[^\W\d_]++(?:-[^\W\d_]++)++")


def parse_location(text: str | None, *, workplace: str | None = None, country: str | None = None) -> Location:
    """The location in a field of a job ad.

    `workplace` is the board's own word for remote or hybrid work and beats the text; `country` the country that the
    board publishes beside it (a name or a code), which settles what the text leaves open.

    >>> found = parse_location("Berlin, Germany and Remote")
    >>> found.city, found.country, found.remote
    ('Berlin', 'DE', 'remote')
    >>> parse_location("Melbourne").country is None
    True
    >>> parse_location("Remote: Europe, LATAM, Canada").remote_scope
    ('Europe', 'LATAM', 'CA')
    """
    written = one_line(text)
    stated = country_named(country) if country and country.strip() else None
    said = _work([item for _, item in _parts(_plain(workplace))]) if workplace and workplace.strip() else None
    if written is None:
        return Location(None, country=stated, countries=(stated,) if stated else (), remote=said)
    places, items = _places(_plain(written[:_LONGEST]), stated or postal_country(written[:_LONGEST]))
    return _location(written, places, items, said, stated)


def _plain(text: str) -> str:
    """Without Cyrillic letters in Latin words; a hyphen that joins a code or a way of working to a place is a dash."""
    if not text.isascii() and _CYRILLIC.search(text) and _LATIN.search(text):
        text = " ".join(
            word.translate(_CYRILLIC_LOOKALIKES) if _CYRILLIC.search(word) and _LATIN.search(word) else word
            for word in text.split(" ")
        )
    if "-" not in text:
        return text
    return _JOINED.sub(_unjoined, _CODED_PLACE.sub(r"\1 - \2 - ", text))


def _unjoined(found: re.Match[str]) -> str:
    """ "US-Remote" and "NYC-Privy" are two parts, "Cluj-Napoca" and "Remote-first" are one."""
    word = found.group()
    if any(item.kind in (CITY, WORK, GROUP) or item.regions for item in read_part(word)) or len(word) > 60:
        return word
    first, _, rest = word.partition("-")
    items = read_part(first)
    coded = first.isupper() and rest.isupper() and len(first) == 2 and len(rest) <= 3
    if not coded and items and (items[0].kind == WORK or first.isupper() or "remote" in rest.casefold()):
        return f"{first} - {_JOINED.sub(_unjoined, rest)}"
    return word


def _places(text: str, stated: str | None) -> tuple[list[Place], list[Item]]:
    if (found := _COUNTRY_FIRST.fullmatch(text)) and (first := _country_first(found)):
        return first
    segments = [_parts(segment) for segment in _SEGMENT.split(text) if segment]
    return group_places(segments, stated), [item for segment in segments for _, item in segment]


def _country_first(found: re.Match[str]) -> tuple[list[Place], list[Item]] | None:
    """The form `US, CA, Los Angeles`: country, region code, city. None where the first code is no country."""
    country, region, rest = found.groups()
    known = gazetteer()
    if country not in known.country_codes:
        return None
    parts = _parts(rest)
    if any(item.kind == COUNTRY and not item.regions for _, item in parts):
        return None
    while region and len(parts) > 1 and parts[-1][1].text == region:
        parts.pop()
    items = [_as_city(item, country, region) for _, item in parts]
    front = [Item(COUNTRY, country)]
    if region and not any(item.kind == REGION for item in items):
        front.append(Item(REGION, region, (Region(country, region, region, False),)))
    return group_places([[(",", item) for item in front + items]], country), items


def _as_city(item: Item, country: str, region: str | None) -> Item:
    """A name of a state and a city (US, DC, Washington) as the city, where this country has one of that name."""
    if item.kind == REGION and region and spots_in(item.city, country, region):
        return Item(CITY, item.text, (), item.city)
    return item


def _parts(segment: str) -> list[Marked]:
    """The things that a segment names, each with the mark in front of it."""
    items: list[Marked] = []
    start, mark, excluding = 0, "", False
    whole = read_whole(segment)
    if whole is not None:
        return [("", whole)]
    for found in (*_PART.finditer(segment), None):
        part = segment[start : found.start() if found else len(segment)]
        if not excluding:
            items += _either(mark, part)
        if found:
            mark, start = found["mark"] or "-", found.end()
            # "(excluding CA, CO and NY)": what is listed behind the word is left out with it.
            excluding = mark == "," and (excluding or leaves_out(part))
    return items


def _either(mark: str, part: str) -> list[Marked]:
    """The things of a part, which may list several ("Austin or Remote")."""
    pieces = _EITHER.split(part)
    if len(pieces) == 1 or read_whole(part) is not None:
        pieces = [part]
    items: list[Marked] = []
    for piece in pieces:
        if piece.strip():
            items += [(mark if index == 0 else " ", item) for index, item in enumerate(read_part(piece.strip()))]
        if len(pieces) > 1 and leaves_out(piece):
            break
        mark = "or"
    return items


def _work(items: tuple[Item, ...] | list[Item]) -> str | None:
    """The way of working that the items say: hybrid before remote before onsite, as a mixture is a hybrid."""
    said = {item.text for item in items if item.kind == WORK}
    for kind in ("hybrid", "remote", "onsite"):
        if kind in said:
            return kind
    return "remote" if "anywhere" in said else None


def _location(text: str, places: list[Place], items: list[Item], said: str | None, stated: str | None) -> Location:
    remote = said or _work(items)
    groups = [item.text for item in items if item.kind == GROUP]
    first = next((place for place in places if place.country or place.city or place.region), None)
    countries = tuple(dict.fromkeys(place.country for place in places if place.country))
    country = first.country if first else stated
    if first and not country and not first.city:
        country = countries[0] if countries else None
    if country is None and not countries:
        country = stated
    scope: tuple[str, ...] = ()
    if remote == "remote":
        scope = tuple(dict.fromkeys(name for place in places for name in place.scope))
        worldwide = any(item.kind == WORK and item.text == "anywhere" for item in items)
        if not scope and not any(place.city for place in places):
            scope = tuple(
                dict.fromkeys(place.group or place.country or "" for place in places if place.group or place.stated)
            )
        scope = scope or (("worldwide",) if worldwide and not countries and not groups else ())
    return Location(
        text=text,
        city=first.city if first else None,
        region=(first.region if first else None) or (groups[0] if groups and not (first and first.city) else None),
        country=country,
        countries=countries or ((country,) if country else ()),
        remote=remote,
        remote_scope=scope,
    )
