"""What the place tables know: countries in sixty languages, regions, cities with their namesakes, words of the field.

Everything is loaded once, on first use, from `aggregator/vocabulary` (see docs/places.md for origin and licence).
"""

from __future__ import annotations

import csv
import re
import tomllib
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

VOCABULARY: Final = Path(__file__).parent.parent / "vocabulary"

_LETTERS: Final = str.maketrans(
    {
        "ł": "l",
        "Ł": "l",
        "ø": "o",
        "Ø": "o",
        "đ": "d",
        "Đ": "d",
        "ß": "ss",
        "ı": "i",
        "æ": "ae",
        "Æ": "ae",
        "œ": "oe",
        "ð": "d",
        "þ": "th",
    }
    | dict.fromkeys(".'’‘ʼ`´", "")
    | dict.fromkeys("-‐‑_/,", " ")
)
_ABBREVIATED: Final = re.compile(r"\b(?:st|ste|ft|mt)(?= [a-z])")
_IN_FULL: Final = {"st": "saint", "ste": "sainte", "ft": "fort", "mt": "mount"}


def fold(text: str) -> str:
    """The key under which a name is looked up: no case, accents, points, apostrophes or hyphens; Saint in full.

    >>> fold("St. Gallen"), fold("Île-de-France"), fold("U.S.A.")
    ('saint gallen', 'ile de france', 'usa')
    """
    text = text.translate(_LETTERS)
    if not text.isascii():
        text = "".join(
            character for character in unicodedata.normalize("NFKD", text) if not unicodedata.combining(character)
        )
    text = " ".join(text.casefold().split())
    return _ABBREVIATED.sub(lambda found: _IN_FULL[found.group()], text) if "t" in text else text


class Region(NamedTuple):
    """A state, province, county ... `code` is the postal code, where one is in use; a `weak` name proves no country.

    `city_alone`: with nothing in front of it the name means its city (New York).
    """

    country: str
    code: str
    name: str
    weak: bool
    city_alone: bool = False


class Spot(NamedTuple):
    """Where a city name lies: `region` is a US, Canadian or Australian code or empty; people in thousands."""

    country: str
    region: str
    people: int


class City(NamedTuple):
    """A city name with every country that has one, the largest first."""

    name: str
    spots: tuple[Spot, ...]
    sure: bool  # the name stands for one country only, or everybody means the same one


@dataclass(frozen=True, slots=True)
class Gazetteer:
    """The tables, by folded name."""

    countries: dict[str, str]
    other_languages: dict[str, str]
    country_codes: frozenset[str]
    alpha3: dict[str, str]
    regions: dict[str, tuple[Region, ...]]
    region_codes: dict[str, tuple[str, ...]]  # code -> countries that use it
    region_names: dict[tuple[str, str], str]
    groups: dict[str, str]
    work: dict[str, str]
    noise: frozenset[str]
    directions: frozenset[str]
    city_regions: frozenset[str]
    common_words: frozenset[str]
    negations: frozenset[str]
    region_ends: frozenset[str]
    areas: dict[str, Region]
    short_cities: dict[str, City]
    city_rows: dict[str, str]
    spellings: dict[str, str]


# A foreign place of this many thousand people makes a bare city name doubtful. English names are doubted sooner:
# settlers took them along, and job boards in English list the small namesakes too. Elsewhere a namesake a hundred times
# smaller than the city raises no doubt.
_NAMESAKE: Final = 25
_ENGLISH_NAMESAKE: Final = 5
_ENGLISH: Final = frozenset({"US", "GB", "CA", "AU", "NZ", "IE", "ZA"})


@cache
def gazetteer() -> Gazetteer:
    """The tables, read once (about 50 ms)."""
    words = tomllib.loads((VOCABULARY / "place_words.toml").read_text(encoding="utf-8"))
    kinds: dict[str, dict[str, str]] = {"en": {}, "xx": {}, "a3": {}}
    for line in (VOCABULARY / "countries.tsv").read_text(encoding="utf-8").splitlines():
        name, code, kind = line.split("\t")
        kinds[kind][name] = code
    kinds["en"] |= {fold(name): code for code, names in words["countries"].items() for name in names}
    regions, region_codes, region_names = _regions()
    return Gazetteer(
        countries=kinds["en"],
        other_languages=kinds["xx"],
        country_codes=frozenset(kinds["a3"].values()),
        alpha3=kinds["a3"],
        regions=regions,
        region_codes=region_codes,
        region_names=region_names,
        groups={fold(name): group for group, names in words["groups"].items() for name in names},
        work={
            fold(word): kind
            for kind, key in (("remote", "words"), ("hybrid", "hybrid"), ("onsite", "onsite"), ("anywhere", "anywhere"))
            for word in words["remote"][key]
        },
        noise=frozenset(map(fold, words["noise"]["words"] + words["noise"]["directions"])),
        directions=frozenset(map(fold, words["noise"]["directions"])),
        city_regions=frozenset(map(fold, words["noise"]["city_regions"])),
        common_words=frozenset(map(fold, words["noise"]["common_words"])),
        negations=frozenset(map(fold, words["noise"]["negations"])),
        region_ends=frozenset(map(fold, words["noise"]["region_ends"])),
        areas={fold(name): Region(country, code, name, False) for name, (country, code) in words["areas"].items()},
        short_cities={
            fold(short): City(name, (Spot(country, region, 1000),), sure=True)
            for short, (name, country, region) in words["cities"].items()
        },
        city_rows=dict(
            line.split("\t", 1) for line in (VOCABULARY / "cities.tsv").read_text(encoding="utf-8").splitlines()
        ),
        spellings={
            fold(other): name for name, others in words["spellings"].items() for other in others if fold(other) != name
        },
    )


def _regions() -> tuple[dict[str, tuple[Region, ...]], dict[str, tuple[str, ...]], dict[tuple[str, str], str]]:
    by_name: dict[str, list[Region]] = defaultdict(list)
    by_code: dict[str, list[str]] = defaultdict(list)
    names: dict[tuple[str, str], str] = {}
    with (VOCABULARY / "regions.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            marked, country, code = row["names"].split("|"), row["country"], row["code"]
            first = marked[0].lstrip("?~")
            for name in marked:
                region = Region(country, code, first, name.startswith("?"), name.startswith("~"))
                by_name[fold(name.lstrip("?~"))].append(region)
            if code:
                by_code[code].append(country)
                names[country, code] = first
    return (
        {name: tuple(found) for name, found in by_name.items()},
        {code: tuple(found) for code, found in by_code.items()},
        names,
    )


@cache
def city_named(folded: str) -> City | None:
    """The city of that (folded) name, or None. Spellings in other languages lead to the name in English.

    >>> city_named("krakow").sure, city_named("melbourne").sure
    (True, False)
    """
    known = gazetteer()
    if found := known.short_cities.get(folded):
        return found
    row, other = known.city_rows.get(folded, ""), known.spellings.get(folded)
    name, _, written = row.partition("\t")
    if written.startswith("="):
        name, other, written = "", other or written[1:], ""
    places = tuple(_spot(spot) for spot in written.split(" ")) if written else ()
    if other and (meant := city_named(other)):
        # Who writes "Londres" means the one in England: only the largest is called so in another language.
        name, places = meant.name, (*meant.spots[:1], *places)
    if not places:
        return None
    doubtful = any(
        spot.people >= (_ENGLISH_NAMESAKE if spot.country in _ENGLISH else max(_NAMESAKE, places[0].people / 100))
        for spot in places
        if spot.country != places[0].country
    )
    return City(name, places, sure=not doubtful)


def _spot(written: str) -> Spot:
    where, _, people = written.partition(":")
    country, _, region = where.partition("-")
    return Spot(country, region, int(people))


def country_named(text: str) -> str | None:
    """The ISO 3166-1 alpha-2 code of a country name in any language, or of a code in capitals; else None.

    >>> country_named("Deutschland"), country_named("USA"), country_named("UK"), country_named("nowhere")
    ('DE', 'US', 'GB', None)
    """
    known, folded = gazetteer(), fold(text)
    if found := known.countries.get(folded) or known.other_languages.get(folded):
        return found
    code = text.strip().upper()
    if code in known.country_codes:
        return code
    return known.alpha3.get(code)
