"""One part of a location field ("NYC Office", "CA 94105", "Remotely", "Munich Hybrid") read as the things it names."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from aggregator.normalise.places import City, Gazetteer, Region, Spot, city_named, fold, gazetteer

COUNTRY, REGION, CITY, CODE, GROUP, WORK, UNKNOWN = "country", "region", "city", "code", "group", "work", "unknown"


class Item(NamedTuple):
    """One thing that a part names. `text` is the value of its kind: a country code, a group, a way of working ..."""

    kind: str
    text: str
    regions: tuple[Region, ...] = ()
    city: City | None = None


_POSTCODE: Final = re.compile(
    r"""
      \b[A-Z]{1,2}\d{1,2}[A-Z]?\s?\d[A-Z]{0,2}\b       # SW1A 1AA, L1 9
    | ^[A-Z]{1,2}\d{1,2}[A-Z]?$                        # WD3
    | \b[A-Z]\d[A-Z]\s?\d[A-Z]\d\b                     # M5V 1T1
    | \b(?:[A-Z]{1,2}-)?\d{4,6}(?:[-\s]\d{3,4})?\b     # 94105-1234, D-10115, 110 001
    """,
    re.VERBOSE,
)
_SUBDIVISION: Final = re.compile(r"([A-Z]{2})-([A-Z0-9]{1,3})")
_TOKEN: Final = re.compile(r"[^\s,]+")
_LONGEST_NAME: Final = 6
_LONGEST_PART: Final = 40  # words; a field that goes on longer is prose, and its rest is not read
# Two readings of one name; which one holds is decided among the neighbours.
GEORGIA: Final = (Region("US", "GA", "Georgia", True),)


@lru_cache(maxsize=32_768)
def read_part(part: str) -> tuple[Item, ...]:
    """The things a part names, in order. Words that name nothing are dropped; an unknown name is kept as such.

    >>> [(item.kind, item.text) for item in read_part("Munich Hybrid")]
    [('city', 'Munich'), ('work', 'hybrid')]
    """
    part = _POSTCODE.sub(" ", part).strip(" .,*\"'")
    if not part:
        return ()
    whole = _named(part, fold(part), alone=True)
    if whole is not None:
        return whole
    return _words(part)


def _named(text: str, folded: str, *, alone: bool) -> tuple[Item, ...] | None:
    """What a name is, or None. In company of other words only sure names count: capitals, no foreign country names."""
    known = gazetteer()
    if folded in known.work:
        return (Item(WORK, known.work[folded]),)
    if code := _code(text, folded, known):
        return code
    found: list[Item] = []
    if country := known.countries.get(folded):
        if folded == "georgia":
            return (Item(COUNTRY, country, GEORGIA),)
        if len(folded) > 2 or text.isupper() or alone:
            return (Item(COUNTRY, country),)
    if folded in known.groups and (len(folded) > 3 or text.isupper() or alone):
        return (Item(GROUP, known.groups[folded]),)
    if folded in known.areas:
        return (Item(REGION, "", (known.areas[folded],)),)
    regions = known.regions.get(folded, ())
    city = city_named(folded) if alone or _may_be_city(text) else None
    if regions or city:
        found.append(Item(REGION if regions else CITY, text, regions, city and _accented(text, city)))
    elif folded in known.noise:
        return ()
    elif alone and (country := known.other_languages.get(folded)):
        found.append(Item(COUNTRY, country))
    return tuple(found) or None


def _code(text: str, folded: str, known: Gazetteer) -> tuple[Item, ...] | None:
    """A code in capitals: a country, a state, both (CA), or a subdivision with its country (US-CA)."""
    bare = text.replace(".", "")
    if found := _SUBDIVISION.fullmatch(bare):
        country, code = found.groups()
        if country in known.country_codes and (country in known.region_codes.get(code, ()) or not code.isalpha()):
            return (Item(COUNTRY, country), Item(CODE, code))
    if not (2 <= len(bare) <= 3 and bare.isascii() and bare.isalpha() and bare.isupper()):
        return None
    if folded in known.countries:
        return (Item(COUNTRY, known.countries[folded]),)
    if bare in known.region_codes or (len(bare) == 2 and bare in known.country_codes):
        return None if folded in known.noise and bare not in known.region_codes else (Item(CODE, bare),)
    if folded in known.short_cities or folded in known.groups:
        return None
    return (Item(COUNTRY, known.alpha3[bare]),) if bare in known.alpha3 else None


def _may_be_city(text: str) -> bool:
    """Inside a longer part a city must begin with a capital or stand in a script without capitals."""
    return not text[0].islower() and (len(text) > 2 or text.isupper())


def _accented(text: str, city: City) -> City:
    """A name written with its accents means the places that have them: Bogotá is not Bogota in New Jersey."""
    if text.isascii() or len(city.spots) == 1 or city.name.casefold() != text.casefold():
        return city
    home = city.spots[0].country
    spots = tuple(spot for spot in city.spots if spot.country not in _WITHOUT_ACCENTS or spot.country == home)
    return city if spots == city.spots else City(city.name, spots, sure=len({spot.country for spot in spots}) == 1)


_WITHOUT_ACCENTS: Final = frozenset({"US", "GB", "AU", "NZ", "IE", "ZA", "PH"})


def _words(part: str) -> tuple[Item, ...]:
    """A part of several words: the longest known names in it, left to right; the rest is unknown."""
    known = gazetteer()
    tokens = [(found.start(), found.end()) for found in _TOKEN.finditer(part)][:_LONGEST_PART]
    items: list[Item] = []
    unknown: list[str] = []
    negated = False
    position = 0
    while position < len(tokens):
        length, found = _longest(part, tokens, position)
        if found is None:
            word = part[tokens[position][0] : tokens[position][1]]
            folded = fold(word)
            if folded in known.negations:
                negated = True
            elif folded and (folded not in known.noise or folded in known.region_ends):
                unknown.append(word)
            position += 1
            continue
        _close(unknown, items)
        items += [item for item in found if not (negated and item.kind != WORK)]
        position += length
    _close(unknown, items)
    if negated:
        items = [item for item in items if item.kind == WORK]
    return _sensible(items)


def _longest(part: str, tokens: list[tuple[int, int]], position: int) -> tuple[int, tuple[Item, ...] | None]:
    for length in range(min(_LONGEST_NAME, len(tokens) - position), 0, -1):
        text = part[tokens[position][0] : tokens[position + length - 1][1]]
        found = _named(text, fold(text), alone=False)
        if found:
            return length, found
    return 1, None


def _close(unknown: list[str], items: list[Item]) -> None:
    if unknown:
        items.append(Item(UNKNOWN, " ".join(unknown)))
        unknown.clear()


def _sensible(items: list[Item]) -> tuple[Item, ...]:
    """Without the cities and regions that are only words of an unknown name ("Los Altos Hills", "Minsk Region")."""
    ends = gazetteer().region_ends
    if len(items) > 1:
        for index, item in enumerate(items):
            if item.kind == UNKNOWN and fold(item.text.split()[-1]) in ends:
                before = items[index - 1] if index else None
                name = f"{before.text} {item.text}" if before and before.kind in (CITY, REGION) else item.text
                region = _region_of(before)
                items = [
                    *items[: max(0, index - 1) if before and before.kind in (CITY, REGION) else index],
                    Item(REGION, name, region),
                    *items[index + 1 :],
                ]
                break
    elif items and items[0].kind == UNKNOWN and fold(items[0].text.split()[-1]) in ends:
        return (Item(REGION, items[0].text),)
    return tuple(items)


def _region_of(item: Item | None) -> tuple[Region, ...]:
    """The region "X Province" of a city X: in X's country, where there is only one X."""
    if item is None or item.kind not in (CITY, REGION):
        return ()
    if item.regions:
        return item.regions
    if item.city and item.city.sure:
        return (Region(item.city.spots[0].country, "", item.text, False),)
    return ()


def spots_in(city: City | None, country: str, region: str = "") -> Spot | None:
    """The largest place of that name in a country (and region), or None."""
    if city is None:
        return None
    for spot in city.spots:
        if spot.country == country and (not region or spot.region == region):
            return spot
    return None
