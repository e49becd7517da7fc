"""Locations: what a text proves about city, region, country and remote work, and what it does not."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.normalise.location import Location, parse_location
from aggregator.normalise.places import country_named, gazetteer
from service.normalise_place import normalise_location


@pytest.mark.parametrize(
    ("text", "city", "region", "country"),
    [
        ("Tulsa, OK", "Tulsa", "OK", "US"),
        ("Tulsa, Oklahoma, United States", "Tulsa", "OK", "US"),
        ("TULSA, OK 74103", "Tulsa", "OK", "US"),
        ("Tulsa, US", "Tulsa", "OK", "US"),
        ("Smallville Heights, KS", "Smallville Heights", "KS", "US"),
        ("Seattle, Washington, USA", "Seattle", "WA", "US"),
        ("Washington, D.C.", "Washington", "DC", "US"),
        ("New York", "New York", "NY", "US"),
        ("New York, New York, United States", "New York", "NY", "US"),
        ("NYC Office", "New York", "NY", "US"),
        ("US-CA-San Diego", "San Diego", "CA", "US"),
        ("US, TX, HOUSTON TX", "Houston", "TX", "US"),
        ("US, , denver", "Denver", "CO", "US"),
        ("Greater Denver Area", "Denver", "CO", "US"),
        ("Cook County, IL", None, "IL", "US"),
        ("Hamilton, ON", "Hamilton", "ON", "CA"),
        ("CA, NS, Halifax", "Halifax", "NS", "CA"),
        ("Hamilton, ON L8P 4X3", "Hamilton", "ON", "CA"),
        ("Geelong, Victoria, Australia", "Geelong", "VIC", "AU"),
        ("Perth, WA", "Perth", "WA", "AU"),
        ("Level 2, 40 Some Street, Brisbane QLD 4000", "Brisbane", "QLD", "AU"),
        ("Leeds, West Yorkshire", "Leeds", "West Yorkshire", "GB"),
        ("Bolton, Greater Manchester, England, UK", "Bolton", "Greater Manchester", "GB"),
        ("WD3, Hertfordshire", None, "Hertfordshire", "GB"),
        ("Solihull, Birmingham", "Solihull", None, "GB"),
        ("Hackney, East London", "Hackney", "East London", "GB"),
        ("Manchester - UK1", "Manchester", None, "GB"),
        ("Kassel, Hessen", "Kassel", "Hesse", "DE"),
        ("Köln, Deutschland", "Cologne", None, "DE"),
        ("Koeln", "Cologne", None, "DE"),
        ("Whitefield, Bangalore", "Bangalore", None, "IN"),
        ("Tampa Bay Area, FL", None, "FL", "US"),
        ("Harris County, Texas", None, "TX", "US"),
        ("Fairfax County, Virginia", None, "VA", "US"),
        ("Kings County, California, United States", None, "CA", "US"),
        ("Washington, DC Metro Area", "Washington", "DC", "US"),
        ("Dallas, TX Metro Area", "Dallas", "TX", "US"),
        ("Deutschlandweit", None, None, "DE"),
        ("Poland-wide", None, None, "PL"),
        ("Lyon, Auvergne-Rhône-Alpes, France", "Lyon", "Auvergne-Rhône-Alpes", "FR"),
        ("Warszawa", "Warsaw", None, "PL"),
        ("Київ, Україна", "Kyiv", None, "UA"),
        ("東京都渋谷区", "Tokyo", None, "JP"),
        ("深圳", "Shenzhen", None, "CN"),
        ("São Paulo, SP", "São Paulo", "SP", "BR"),
        ("Campinas, São Paulo, Brazil", "Campinas", "São Paulo", "BR"),
        ("Punta del Este, Uruguay", "Punta del Este", None, "UY"),
        ("Pune, Maharashtra", "Pune", "Maharashtra", "IN"),
        ("IN - Bengaluru", "Bengaluru", None, "IN"),
        ("Prаgue", "Prague", None, "CZ"),  # the third letter is Cyrillic
        ("Dadra &amp; Nagar Haveli", None, "Dadra & Nagar Haveli", "IN"),
        ("Hong Kong, China", None, None, "HK"),
        ("Brasil", None, None, "BR"),
        ("Trinidad and Tobago", None, None, "TT"),
    ],
)
def test_a_place(text: str, city: str | None, region: str | None, country: str) -> None:
    found = parse_location(text)
    assert (found.city, found.country) == (city, country)
    if region:
        assert found.region == region


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("Tel Aviv, IL", "IL"),
        ("Peoria, IL", "US"),
        ("Bogotá, CO", "CO"),
        ("Boulder, CO", "US"),
        ("Munich, DE", "DE"),
        ("Dover, DE", "US"),
        ("Mumbai, IN", "IN"),
        ("Gary, IN", "US"),
        ("Casablanca, MA", "MA"),
        ("Worcester, MA", "US"),
        ("Toronto, CA", "CA"),
        ("Fresno, CA", "US"),
        ("Florianópolis, SC", "BR"),
        ("Charleston, SC", "US"),
        ("Milan, MI, Italy", "IT"),
        ("Chennai, TN", "IN"),
        ("Memphis, TN", "US"),
        ("Gurgaon, HR, IN", "IN"),
        ("Portland, OR or Remote", "US"),
        ("Bloomington IN 47401", "US"),
        ("BASED IN TEXAS", "US"),
        ("NY, SF or Remote", "US"),
        ("Media, PA", "US"),
        ("Best, Netherlands", "NL"),
        ("Odessa, TX", "US"),
        ("Odessa, Ukraine", "UA"),
        ("CA-San Diego", "US"),
        ("CA-Edmonton", "CA"),
        ("TX - Austin", "US"),
        ("Panama City, Panama", "PA"),
        ("Panama City, FL", "US"),
        ("Lebanon, NH", "US"),
        ("Mexico, MO", "US"),
        ("Liberia, Costa Rica", "CR"),
        ("Savannah, Georgia", "US"),
        ("Batumi, Georgia", "GE"),
        ("Georgia, USA", "US"),
        ("Georgia, Armenia", "GE"),
        ("Alabama; Georgia", "US"),
        ("CA, QC, Laval", "CA"),
        ("US, CA, Laval", "US"),
    ],
)
def test_one_code_or_name_with_two_meanings(text: str, country: str) -> None:
    assert parse_location(text).country == country


@pytest.mark.parametrize(
    "text",
    [
        "Melbourne",
        "Sydney",
        "London",
        "Cambridge",
        "Paris",
        "Toronto",
        "Dublin",
        "Valencia",
        "San Jose",
        "Hyderabad",
        "Odessa",
        "Police",
        "Best, ",
        "Media",
        "Georgia",
        "Victoria",
        "Ontario",
        "Punjab",
        "New Brunswick",
        "South East",
        "CA",
        "DE",
        "Remote - CA",
        "Remote - IN",
        "2 Locations",
        "Multiple Locations",
        "N/A",
        "na",
        "TBD",
        "Various",
        "Add ALL locations here",
        "Engineering",
        "Sales, ",
        "Non UK",
        "Outside US",
        "Anywhere except US",
        "Heathrow, London",
        "Remote, except Oregon and Utah",
        "Worldwide",
        "EMEA",
        "Europe",
        "CET timezone",
        "Remote (EST)",
        "UTC+1",
        "join us",
        "Flexible",
        "Client site",
        "-",
        "?",
        "SW1A 1AA",
        "San José Province",
        "Hybrid - London, Berlin",
    ],
)
def test_no_country_is_guessed(text: str) -> None:
    assert parse_location(text).country is None


@pytest.mark.parametrize(
    ("text", "countries"),
    [
        ("Hamburg, Berlin", ("DE",)),
        ("Sydney; Melbourne", ("AU",)),
        ("San Francisco or Seattle", ("US",)),
        ("Chicago; London", ("US",)),
        ("Boston; Austin; United States", ("US",)),
        ("London, UK; Paris, France; Toronto, ON", ("GB", "FR", "CA")),
        ("Germany | Austria | Switzerland", ("DE", "AT", "CH")),
        ("UK or Lithuania", ("GB", "LT")),
        ("Miami, FL, Austin, TX, Reno, NV", ("US",)),
        ("EMEA, LATAM, Canada, USA", ("CA", "US")),
        ("US/CA", ("US", "CA")),
        ("São Paulo or Recife, Brazil", ("BR",)),
        ("California; Oregon; Washington", ("US",)),
    ],
)
def test_several_places(text: str, countries: tuple[str, ...]) -> None:
    assert parse_location(text).countries == countries


@pytest.mark.parametrize(
    ("text", "remote", "scope"),
    [
        ("Remote", "remote", ()),
        ("Berlin, Germany and Remote", "remote", ()),
        (
            "Remote: Europe, LATAM, Canada, UK, Asia, Oceania",
            "remote",
            ("Europe", "LATAM", "CA", "GB", "Asia", "Oceania"),
        ),
        ("Remote (anywhere in the U.S.)", "remote", ("US",)),
        ("Remote - USA or Canada", "remote", ("US", "CA")),
        ("Remote - TX, FL", "remote", ("US-TX", "US-FL")),
        ("Texas, USA, Remote", "remote", ("US-TX",)),
        ("Remote - Ontario, Canada", "remote", ("CA-ON",)),
        ("US-Remote", "remote", ("US",)),
        ("Ukraine Anywhere", "remote", ("UA",)),
        ("Remote | United States", "remote", ("US",)),
        ("Finland; Remote - Denmark; Stockholm, Sweden", "remote", ("DK",)),
        ("Lille (télétravail)", "remote", ()),
        ("Remoto (España)", "remote", ("ES",)),
        ("praca zdalna", "remote", ()),
        ("Удаленно", "remote", ()),
        ("リモート(日本)", "remote", ("JP",)),
        ("Home based - UK", "remote", ("GB",)),
        ("Leeds, Hull or Remote (UK)", "remote", ("GB",)),
        ("US-Remote, Austin, Dallas", "remote", ("US",)),
        ("Madrid, Spain or Remote", "remote", ()),
        ("Home Office (Österreichweit)", "remote", ("AT",)),
        ("Remote - United States (excluding HI and AK)", "remote", ("US",)),
        ("Remote (Canada, except Quebec, Manitoba)", "remote", ("CA",)),
        ("Not remote, Oslo", "onsite", ()),
        ("Worldwide", "remote", ("worldwide",)),
        ("Anywhere (EU)", "remote", ("EU",)),
        ("London or Remote", "remote", ()),
        ("Hybrid - London", "hybrid", ()),
        ("Madrid (híbrido)", "hybrid", ()),
        ("Remote/Hybrid/Onsite", "hybrid", ()),
        ("Onsite- Reno, NV", "onsite", ()),
        ("In-Office", "onsite", ()),
        ("London Office", None, ()),
        ("No remote", None, ()),
        ("All over Portugal", None, ()),
        ("Remoteville Road 5", None, ()),
    ],
)
def test_remote_and_its_scope(text: str, remote: str | None, scope: tuple[str, ...]) -> None:
    found = parse_location(text)
    assert (found.remote, found.remote_scope) == (remote, scope)


@pytest.mark.parametrize(
    ("text", "stated", "country"),
    [
        ("Melbourne", "AU", "AU"),
        ("Melbourne", "United States", "US"),
        ("Georgia", "US", "US"),
        ("Remote - CA", "Canada", "CA"),
        ("2 Locations", "DE", "DE"),
        ("Paris, France", "US", "FR"),
        (None, "Deutschland", "DE"),
        ("Melbourne", "no such country", None),
        ("Melbourne", "FR", "FR"),
    ],
)
def test_the_boards_country_settles_what_the_text_leaves_open(
    text: str | None, stated: str, country: str | None
) -> None:
    assert parse_location(text, country=stated).country == country


@pytest.mark.parametrize(
    ("text", "workplace", "remote"),
    [
        ("Berlin, Germany", "REMOTE", "remote"),
        ("Berlin, Germany", "hybrid", "hybrid"),
        ("Remote", "On-site", "onsite"),
        ("Remote", "unspecified", "remote"),
        (None, "TELECOMMUTE", "remote"),
        ("Berlin", "remote: yes", "remote"),
        ("Berlin", "", None),
    ],
)
def test_the_boards_workplace_beats_the_text(text: str | None, workplace: str, remote: str | None) -> None:
    assert parse_location(text, workplace=workplace).remote == remote


def test_nothing_is_nothing() -> None:
    assert parse_location(None) == parse_location("") == parse_location(" \u200b") == Location(None)


def test_labelled_rows(shared_data: Path) -> None:
    with (shared_data / "data" / "labelled" / "locations.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found = [(row, parse_location(row["text"])) for row in rows]
    named = [(row, place) for row, place in found if row["country"]]
    guessed = [row["text"] for row, place in found if not row["country"] and place.country]
    right = sum(place.country == row["country"] for row, place in named)
    remote = sum((place.remote or "") == row["remote"] for row, place in found)
    assert right >= 0.98 * len(named)
    assert len(guessed) <= 0.02 * (len(rows) - len(named)), guessed
    assert remote >= 0.97 * len(rows)


words = st.sampled_from(
    [
        "Berlin",
        "Paris",
        "Remote",
        "Hybrid",
        "Georgia",
        "Washington",
        "CA",
        "US",
        "DE",
        "NSW",
        "UK",
        "Germany",
        "EMEA",
        "anywhere",
        "or",
        "and",
        "12345",
        "not",
        "City",
        "New York",
        "United States",
        "São Paulo",
        "北京",
        "東京都",
        "County",
        "Île-de-France",
        "UK2",
        "WD3",
    ]
)
marks = st.sampled_from([", ", "; ", " - ", " / ", " (", ") ", " | ", "-", " ", ": ", ",", ", , "])
fields = st.lists(st.tuples(words, marks), max_size=8).map(lambda pairs: "".join(word + mark for word, mark in pairs))


@given(st.one_of(fields, st.text(max_size=60)))
def test_any_string_gives_a_consistent_place(text: str) -> None:
    found = parse_location(text)
    codes = gazetteer().country_codes
    assert found.country is None or found.country in codes
    assert set(found.countries) <= codes
    assert len(set(found.countries)) == len(found.countries)
    assert found.country is None or found.country in found.countries
    assert found.remote in {None, "remote", "hybrid", "onsite"}
    assert not found.remote_scope or found.remote == "remote"
    assert found.city != ""
    assert found.region != ""
    assert parse_location(text) == found
    assert parse_location(f"  {text}\n") == found


@given(st.sampled_from(sorted(gazetteer().countries.items())))
def test_every_country_name_is_read(name: tuple[str, str]) -> None:
    spelling, code = name
    assert country_named(spelling) == code
    if spelling != "georgia" and "(" not in spelling:
        assert parse_location(f"Springfield, {spelling.title()}").countries == (code,)


@given(fields)
def test_a_country_is_never_lost_by_naming_it_again(text: str) -> None:
    found = parse_location(text)
    if found.country and len(found.countries) == 1:
        assert found.country in parse_location(f"{text}; {found.country}").countries


def test_json_shape() -> None:
    assert normalise_location({"text": "Remote, DC, USA", "country": None}) == {
        "text": "Remote, DC, USA",
        "city": "Washington",
        "region": "DC",
        "country": "US",
        "countries": ["US"],
        "remote": "remote",
        "remote_scope": ["US-DC"],
    }
    assert normalise_location({})["countries"] == []
