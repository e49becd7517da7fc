"""One part of a location field ("NYC Office", "CA 94105", "Remotely", "Munich Hybrid") read as the things it names."""

from __future__ import annotations

import re
from dataclasses import dataclass
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
    written: str = ""


_POSTCODE: Final = re.compile(
    r"""
      \b[A-Z]{1,2}\d{1,2}[A-Z]?\s?\d[A-Z]{0,2}\b       # SW1A 1AA, L1 9
    | ^(?!U[KS])[A-Z]{1,2}\d{1,2}[A-Z]?$               # WD3
    | \b[A-Z]\d[A-Z]\s?\d[A-Z]\d\b                     # M5V 1T1
    | \b(?:[A-Z]{1,2}-)?\d{4,6}(?:[-\s]\d{3,4})?\b     # 94105-1234, D-10115, 110 001
    """,
    re.VERBOSE,
)
_POSTAL_COUNTRY: Final = re.compile(
    r"""
      (?P<CA> \b[ABCEGHJ-NPRSTVXY]\d[A-Z]\s?\d[A-Z]\d\b )                    # M5V 1T1
    | (?P<GB> \b[A-Z]{1,2}\d{1,2}[A-Z]?\s\d[A-Z]{2}\b                        # EC2A 4NE, L1 9AB
        | \b(?:EC|WC|SE|SW|NW|LS|BS|NE|SK|OX|CB|RG|GU|MK|WD|AL|EH|CF|BT|NG|PO|SO)\d{1,2}[A-Z]?\b )   # SE1
    """,
    re.VERBOSE,
)
_SITE: Final = re.compile(r"(UK|USA?|[A-Z]{3})[-_]?\d{1,2}")
_SUBDIVISION: Final = re.compile(r"([A-Z]{2})-([A-Z0-9]{1,3})")
_TOKEN: Final = re.compile(r"[^\s,]+")
_TRIM: Final = " .,*\"'"
_LONGEST_WHOLE: Final = 60
_LONGEST_NAME: Final = 6
_LONGEST_PART: Final = 40  # words; a field that goes on longer is prose, and its rest is not read
# Two readings of one name; which one holds is decided among the neighbours.
GEORGIA: Final[tuple[Region, ...]] = (Region("US", "GA", "Georgia", True),)


def postal_country(text: str) -> str | None:
    """The country whose postcodes are written so: British and Canadian ones cannot be mistaken.

    >>> postal_country("London EC2A 4NE"), postal_country("TORONTO, ON M5V 1T1"), postal_country("94105")
    ('GB', 'CA', None)
    """
    found = _POSTAL_COUNTRY.search(text)
    return found.lastgroup if found else None


@lru_cache(maxsize=32_768)
def read_part(part: str) -> tuple[Item, ...]:
    """The things a part names, in order. Words that name nothing are dropped; an unknown name is kept as such.

    >>> [(item.kind, item.text) for item in read_part("Munich Hybrid")]
    [('city', 'Munich'), ('work', 'hybrid')]
    """
    part = _POSTCODE.sub(" ", part).strip(_TRIM)
    if not part:
        return ()
    whole = _named(part, fold(part), alone=True)
    return _words(part) if whole is None else whole


@lru_cache(maxsize=32_768)
def read_whole(text: str) -> Item | None:
    """The one thing that a text names as it stands, marks and conjunctions included; None where it names none or more.

    >>> read_whole("Trinidad and Tobago").text, read_whole("Austin or Remote")
    ('TT', None)
    """
    text = text.strip(_TRIM)
    if not text or len(text) > _LONGEST_WHOLE:
        return None
    items = _named(text, fold(text), alone=True)
    return items[0] if items and len(items) == 1 else None


@lru_cache(maxsize=32_768)
def leaves_out(part: str) -> bool:
    """Whether a part says of a place that it is not meant; "NO" is Norway.

    >>> leaves_out("Remote excluding CA"), leaves_out("not remote"), leaves_out("Oslo, NO")
    (True, False, False)
    """
    words = _TOKEN.findall(part)
    for at, word in enumerate(words, 1):
        if word.casefold() in gazetteer().negations and (len(word) > 2 or not word.isupper()):
            return any(item.kind not in (WORK, UNKNOWN) for item in read_part(" ".join(words[at:])))
    return False


def _named(text: str, folded: str, *, alone: bool, last: bool = False) -> tuple[Item, ...] | None:
    """What a name is; () for a word that names nothing, None for an unknown one.

    In company of other words (not `alone`) only sure names count: cities in capitals, no foreign country names. `last`:
    nothing follows the name in its part.
    """
    known = gazetteer()
    if kind := known.work.get(folded):
        return (Item(WORK, kind),)
    if code := _code(text, folded, known, alone=alone or last):
        return code
    country = known.countries.get(folded)
    if country and (len(folded) > 2 or text.isupper() or alone):
        states = GEORGIA if folded == "georgia" else ()
        return (Item(COUNTRY, country, states, city_named(folded) if alone else None, text),)
    if folded in known.groups and (len(folded) > 3 or text.isupper() or alone):
        return (Item(GROUP, known.groups[folded]),)
    if folded in known.areas:
        return (Item(REGION, text, (known.areas[folded],)),)
    if folded in known.noise:
        return ()
    city = _city(text, folded) if alone or _may_be_city(text) else None
    if city and folded in known.short_cities:
        return (Item(CITY, text, (), city),)
    regions = known.regions.get(folded, ())
    if regions or city:
        return (Item(REGION if regions else CITY, text, regions, city),)
    if alone and (country := known.other_languages.get(folded)):
        return (Item(COUNTRY, country, (), None, text),)
    return _all_over(folded) if alone else None


def _all_over(folded: str) -> tuple[Item, ...] | None:
    """The country or group of "Deutschlandweit" and "Europe-wide"."""
    name = folded.removesuffix("wide").removesuffix("weit").rstrip()
    found = _named(name.title(), name, alone=True) if name != folded and len(name) > 3 else None
    return found if found and found[0].kind in (COUNTRY, GROUP) else None


def _city(text: str, folded: str) -> City | None:
    """The city of a name as written; "Puebla City" is Puebla where no city is called so."""
    if folded in gazetteer().common_words:
        return None
    city = city_named(folded)
    if city is None and folded.endswith(" city"):
        city = city_named(folded.removesuffix(" city"))
    return city and _accented(text, city)


def _code(text: str, folded: str, known: Gazetteer, *, alone: bool) -> tuple[Item, ...] | None:
    """A code in capitals: a country, a state, both (CA), a subdivision with its country (US-CA), a site (UK2)."""
    bare = text.replace(".", "")
    if found := _SUBDIVISION.fullmatch(bare):
        country, code = found.groups()
        if country in known.country_codes and (country in known.region_codes.get(code, ()) or not code.isalpha()):
            return (Item(COUNTRY, country), Item(CODE, code))
    if found := _SITE.fullmatch(bare):
        bare = found[1]
        folded = bare.lower()
    if not (2 <= len(bare) <= 3 and bare.isascii() and bare.isalpha() and bare.isupper()):
        return None
    if folded in known.countries:
        return (Item(COUNTRY, known.countries[folded]),)
    # "OR" and "IN" are states where they end a part, and words within one.
    if bare in known.region_codes and (alone or folded not in known.noise):
        return (Item(CODE, bare),)
    if folded in known.noise or folded in known.short_cities or folded in known.groups:
        return None
    if len(bare) == 2 and bare in known.country_codes:
        return (Item(CODE, bare),)
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


@dataclass(slots=True)
class _Span:
    """Words of a part from `start` to `end`; `items` is None for unknown words, () for words that name nothing."""

    start: int
    end: int
    items: tuple[Item, ...] | None
    direction: bool = False


def _words(part: str) -> tuple[Item, ...]:
    """A part of several words: the longest known names in it, left to right; the rest is unknown."""
    known = gazetteer()
    spans = _spans(part)
    words = [fold(part[span.start : span.end]) if span.items is None else "" for span in spans]
    if negation := next((index for index, word in enumerate(words) if word in known.negations), None):
        return tuple(item for span in spans[:negation] for item in span.items or () if item.kind in (WORK, COUNTRY))
    if negation == 0:
        return ()
    street = part[0].isdigit()
    items: list[Item] = []
    run: list[_Span] = []
    for index, span in enumerate([*spans, _Span(len(part), len(part), (Item("", ""),))]):
        if span.items is None or span.direction or _is_small(span) or _names_region(part, spans[index : index + 2]):
            run.append(span)
            continue
        if span.items == () and run:
            run.append(span)
            continue
        items += () if street else _joined(part, run)
        run = []
        items += [item for item in span.items if item.kind and not (street and item.kind == CITY)]
    return tuple(items)


def _spans(part: str) -> list[_Span]:
    known = gazetteer()
    tokens = [(found.start(), found.end()) for found in _TOKEN.finditer(part)][:_LONGEST_PART]
    spans: list[_Span] = []
    position = 0
    while position < len(tokens):
        for length in range(min(_LONGEST_NAME, len(tokens) - position), 0, -1):
            start, end = tokens[position][0], tokens[position + length - 1][1]
            folded = fold(part[start:end])
            items = _named(part[start:end], folded, alone=False, last=position > 0 and position + length == len(tokens))
            if items is None and length == 1:
                items = _prefix(part[start:end])
            if items is not None or length == 1:
                spans.append(_Span(start, end, items, folded in known.directions))
                position += length
                break
    return spans


def _prefix(word: str) -> tuple[Item, ...] | None:
    """The place that a word begins with: "Berlin-Mitte", or a Chinese, Japanese or Korean address without spaces."""
    if "-" in word:
        city = _city(first := word.partition("-")[0], fold(first))
        return (Item(CITY, first, (), city),) if city and city.spots[0].people >= _WELL_KNOWN else None
    if word[0] < "\u2e80":
        return None
    for end in range(min(len(word) - 1, 6), 1, -1):
        if found := _named(word[:end], fold(word[:end]), alone=False):
            return found
    return None


# Thousands of people. Inside a longer name a smaller city is a word of that name: Este in "Punta del Este".
_WELL_KNOWN: Final = 300


def _is_small(span: _Span) -> bool:
    """Whether a span is a city too small to be recognised within other words."""
    return bool(
        span.items
        and span.items[0].kind == CITY
        and (city := span.items[0].city)
        and city.spots[0].people < _WELL_KNOWN
    )


def _names_region(part: str, pair: list[_Span]) -> bool:
    """Whether a city is followed by "Province", "County" ..."""
    if len(pair) < 2 or not pair[0].items or pair[0].items[0].kind != CITY:
        return False
    return fold(part[pair[1].start : pair[1].end]) in gazetteer().region_ends


def _joined(part: str, run: list[_Span]) -> tuple[Item, ...]:
    """What unknown words, directions and small cities beside each other are together."""
    known = gazetteer()
    ends = [index for index, span in enumerate(run) if fold(part[span.start : span.end]) in known.region_ends]
    while run and run[-1].items == () and not (ends and len(run) - 1 in ends):
        run = run[:-1]
    named = [span for span in run if span.items != () or span.direction]
    if not any(span.items != () for span in named):
        return ()
    if len(named) == 1 and named[0].items and len(run) == 1:
        return named[0].items
    cities = [span for span in run if span.items]
    beside = [span for span in run if not cities or span is not cities[0]]
    if len(cities) == 1 and not ends and all(span.items == () and not span.direction for span in beside):
        return cities[0].items or ()
    text = part[run[0].start : run[-1].end].strip(" -")
    if ends and ends[-1] == len(run) - 1:
        return (Item(REGION, text, _region_of(cities[0].items[0], text) if cities and cities[0].items else ()),)
    return (Item(UNKNOWN, text),) if text else ()


def _region_of(item: Item, name: str) -> tuple[Region, ...]:
    """The region "X Province" of a city X: in X's country, where there is only one X."""
    if item.city and item.city.sure:
        return (Region(item.city.spots[0].country, "", name, False),)
    return ()


def spots_in(city: City | None, country: str, region: str = "") -> Spot | None:
    """The largest place of that name in a country (and region), or None."""
    if city is None:
        return None
    for spot in city.spots:
        if spot.country == country and (not region or spot.region == region):
            return spot
    return None
