"""The things a location field names, grouped into places."""

from __future__ import annotations

from typing import Final

from aggregator.normalise.place_evidence import POSTAL, Place, agree, fit_region, settle
from aggregator.normalise.place_parts import CITY, CODE, COUNTRY, GROUP, REGION, UNKNOWN, WORK, Item, spots_in
from aggregator.normalise.places import City, Region, fold, gazetteer

Marked = tuple[str, Item]

_ZONES: Final = frozenset({"PT", "ET"})  # alone they are time zones as often as Portugal and Ethiopia
_AHEAD: Final = 4  # items; no place is written with more
_LARGE: Final = 300  # thousands of people
_METROPOLIS: Final = 1_000
_TOWN: Final = 30
# Countries named in lists so often that a town of that name in another country is not meant.
_LISTED: Final = frozenset(
    {"MX", "CO", "PE", "CN", "IN", "BR", "CA", "US", "GB", "CU", "PA", "CL", "AR", "ES", "PL", "IT"}
)
# Territories with a code of their own, and the country that may be named behind them.
_TERRITORIES: Final = frozenset(
    {
        ("PR", "US"),
        ("GU", "US"),
        ("VI", "US"),
        ("AS", "US"),
        ("MP", "US"),
        ("HK", "CN"),
        ("MO", "CN"),
        ("IM", "GB"),
        ("JE", "GB"),
        ("GG", "GB"),
        ("GI", "GB"),
    }
)


def group_places(segments: list[list[Marked]], stated: str | None) -> list[Place]:
    """The places of all segments in order. `stated` is the country the board publishes."""
    grouped = [_segment(segment) for segment in segments]
    for places in grouped:
        settle(places, stated)
    everything = [place for places in grouped for place in places]
    settle(everything, stated)
    agree(everything)
    for segment, places in zip(segments, grouped, strict=True):
        _scope(segment, places)
    return everything


def _segment(segment: list[Marked]) -> list[Place]:
    places: list[Place] = []
    place = Place()
    for index, (mark, item) in enumerate(_with_district(segment)):
        if item.kind == WORK:
            continue
        if item.kind == GROUP:
            places.append(Place(group=item.text, at=index))
            continue
        rest = [later for _, later in segment[index + 1 :][:_AHEAD] if later.kind != WORK]
        unread = place.empty
        fresh = _take(place, mark, item, rest)
        if fresh is not None:
            places.append(place)
            place = fresh
        if fresh is not None or unread:
            place.at = index
    places.append(place)
    kept = [place for place in places if place.group or not place.empty]
    for place in kept:
        if not place.confirmed:
            place.city = None
    return sorted(kept, key=lambda place: place.at)


def _with_district(segment: list[Marked]) -> list[Marked]:
    """A small town abroad in front of a metropolis, and nothing else, is a part of it: "Whitefield, Bangalore"."""
    named = [at for at, (_, item) in enumerate(segment) if item.kind != WORK]
    if len(named) != 2 or segment[named[1]][0] != ",":
        return segment
    (mark, town), (_, city) = (segment[at] for at in named)
    if town.kind != CITY or city.kind != CITY or town.city is None or city.city is None:
        return segment
    there, here = town.city.spots[0], city.city.spots[0]
    if there.people >= _TOWN or here.people < _METROPOLIS or spots_in(town.city, here.country):
        return segment
    return [(mark, Item(UNKNOWN, town.text)) if at == named[0] else marked for at, marked in enumerate(segment)]


def _take(place: Place, mark: str, item: Item, rest: list[Item]) -> Place | None:
    """Adds the item to the place; a new place holding it where the two do not go together. `rest` is what follows."""
    following = rest[0] if rest else None
    ahead = _country_ahead(rest)
    if item.kind == COUNTRY:
        return _take_country(place, item, following)
    if item.kind == CODE:
        if following and following.kind == CODE and spots_in(place.known, following.text):
            ahead = following.text  # "Gurgaon, HR, IN"
        return _take_code(place, mark, item, ahead)
    if item.kind == UNKNOWN:
        return _take_unknown(place, mark, item)
    if item.kind == REGION and not _city_first(item, place, following):
        return _take_region(place, item)
    if item.kind == CITY and mark == "," and ahead and place.city and not place.country and not place.region_stated:
        # City, region, country: the region may share its name with a small city.
        name = fold(item.text)
        region = name in gazetteer().city_regions or not _is_large(item, ahead)
        if following and following.kind == COUNTRY and region and fold(place.city) != name:
            place.others.append(item.text)
            return None
    return _take_city(place, mark, item)


def _country_ahead(rest: list[Item]) -> str | None:
    """The country that closes the place being read: the next one, unless another city comes before it."""
    for item in rest:
        if item.kind == COUNTRY and not item.regions:
            return item.text
        if item.kind == CITY:
            return None
    return None


def _is_large(item: Item, country: str) -> bool:
    spot = spots_in(item.city, country)
    return spot is not None and spot.people >= _LARGE


def _city_first(item: Item, place: Place, following: Item | None) -> bool:
    """Whether a name of a region and of a city (New York, Washington, Ontario) is the city here."""
    if item.city is None or not item.regions:
        return item.city is not None
    if all(region.city_alone for region in item.regions):
        return not place.city or (place.known is not None and not any(_has(place, region) for region in item.regions))
    if place.city and place.confirmed:
        return (
            fold(place.city) != fold(item.text)
            and not any(_has(place, region) for region in item.regions)
            and (following is not None and following.kind == CODE)
        )
    if following is None:
        return False
    if following.kind == CODE:
        return _code_fits(item, following.text)
    return any(spots_in(item.city, region.country, region.code) for region in following.regions)


def _code_fits(item: Item, code: str) -> bool:
    return any(region.code != code for region in item.regions)


def _has(place: Place, region: Region) -> bool:
    return spots_in(place.known, region.country, region.code if region.country in POSTAL else "") is not None


def _take_country(place: Place, item: Item, following: Item | None) -> Place | None:
    if item.regions:  # Georgia
        state = item.regions[0]
        if place.city and place.country is None:
            american = spots_in(place.known, state.country) and not spots_in(place.known, item.text)
            if american or (place.known is None and following and following.text == state.country):
                return _take_region(place, Item(REGION, state.name, item.regions))
        elif following and following.kind == COUNTRY and following.text == state.country:
            return _take_region(place, Item(REGION, state.name, item.regions))
        elif place.empty or place.country or place.regions:
            fresh = Place(regions=(*item.regions, Region(item.text, "", "", True)))
            return _absorb(place, fresh)
    if following and not place.city and item.written and _is_town(item, following):
        return _take_city(place, ",", Item(CITY, item.written, (), item.city))
    if (place.country, item.text) in _TERRITORIES:
        return None
    if place.country and place.country != item.text and (place.stated or not _open(place, item.text)):
        return Place(country=item.text, stated=True)
    if place.country is None and place.regions and all(region.country != item.text for region in place.regions):
        if not place.city:
            return Place(country=item.text, stated=True)
        place.regions = ()
    if place.code and item.text not in (place.code, *gazetteer().region_codes.get(place.code, ())):
        return Place(country=item.text, stated=True)
    place.country, place.stated = item.text, True
    place.confirmed = True
    if place.others and place.city and not place.region and place.country not in POSTAL:
        place.region = place.others[-1]
    fit_region(place)
    return None


def _absorb(place: Place, fresh: Place) -> Place | None:
    """Makes an empty place the fresh one; else hands the fresh one back as the next place."""
    if not place.empty:
        return fresh
    for name in ("city", "region", "country", "known", "regions", "code", "stated", "region_stated", "confirmed"):
        setattr(place, name, getattr(fresh, name))
    place.others.clear()
    return None


def _is_town(item: Item, following: Item) -> bool:
    """Whether a country's name is a town here: "Lebanon, NH", "Liberia, Costa Rica"; not "Canada, ON"."""
    if following.kind == COUNTRY:
        return (
            following.text != item.text and item.text not in _LISTED and spots_in(item.city, following.text) is not None
        )
    if following.kind != CODE or item.text == "US":
        return False
    owners = gazetteer().region_codes.get(following.text, ())
    return "US" in owners and item.text not in owners and item.text != following.text


def _open(place: Place, country: str) -> bool:
    """Whether a place whose country was inferred may lie in another country."""
    return spots_in(place.known, country) is not None or any(region.country == country for region in place.regions)


def _take_region(place: Place, item: Item) -> Place | None:
    fresh = Place(regions=item.regions, region=None if item.regions else item.text, region_stated=True)
    if item.regions and item.city:
        fresh.known = item.city
        fresh.others = [item.text]
    if place.code and any(region.country == place.code for region in item.regions):
        place.country, place.code, place.stated = place.code, "", True
        place.others = []
        place.regions, place.region_stated = item.regions, True
        fit_region(place)
        return None
    if place.empty and not place.city:
        return _absorb(place, fresh)
    if not item.regions:
        if place.region or not place.city:
            return fresh
        place.region, place.confirmed = item.text, True
        return None
    if _is_county(place) and _is_state_of(item, place):
        # "Harris County, Texas": the state is the region, as it is in "Cook County, IL".
        place.regions, place.region = item.regions, None
        if not item.regions[0].weak:
            place.country = item.regions[0].country
        fit_region(place)
        return None
    if place.region_stated or place.regions:
        nested = {region.country for region in item.regions} & ({place.country} | {r.country for r in place.regions})
        same = {r.name for r in item.regions} & ({r.name for r in place.regions} | {place.region})
        if same or (nested and not nested & POSTAL):
            # A county and its part of the country: the stronger name proves the country of both.
            place.country = place.country or next(
                (r.country for r in item.regions if r.country in nested and not r.weak), None
            )
            fit_region(place)
            return None
        return fresh
    readings = tuple(region for region in item.regions if place.country in (None, region.country))
    if not readings:
        return fresh
    fitting = tuple(region for region in readings if _has(place, region))
    place.regions = fitting or readings
    place.confirmed, place.region_stated, place.region = True, True, None
    if place.city or not place.regions[0].weak:
        place.country = place.country or place.regions[0].country
    fit_region(place)
    return None


def _is_state_of(item: Item, place: Place) -> bool:
    """Whether a region may be the state in which a county lies."""
    homes = {region.country for region in item.regions}
    return bool(homes & POSTAL) and {region.country for region in place.regions} <= homes


def _is_county(place: Place) -> bool:
    """Whether all that was read is a part of a state by its own name."""
    if place.city or not place.region_stated or any(region.code for region in place.regions):
        return False
    name = place.regions[0].name if place.regions else place.region or ""
    return name.casefold().endswith(tuple(gazetteer().region_ends))


def _take_unknown(place: Place, mark: str, item: Item) -> Place | None:
    """An unknown name: a city to be, a region between city and country, or nothing."""
    if place.city and not place.country and len(item.text) <= 3 and mark == ",":
        place.others.append(item.text)
        return None
    usable = len(item.text) <= 40 and len(item.text.split()) <= 4 and not any(map(str.isdigit, item.text))
    if not usable or (item.text[0].islower() and item.text.isascii() and mark not in ("", ",")):
        return None
    if place.empty:
        if mark in ("", ",", " ", "/", "or", ":") or not place.city:
            place.city, place.known, place.confirmed = item.text, None, False
        return None
    if mark in ("(", "-", "–", "—", ")"):
        return None
    if place.country and not place.city and mark == ",":
        place.city = item.text
    elif place.city and not place.country:
        place.others.append(item.text)
    elif place.city and place.country and mark in (",", "or", "/"):
        return Place(city=item.text, confirmed=False)
    return None


def _take_city(place: Place, mark: str, item: Item) -> Place | None:
    name = _written(item)
    fresh = Place(city=name, known=item.city)
    if item.city and item.city.name != item.text and item.city.sure and fold(item.city.name) != fold(item.text):
        fresh.city = item.city.name
    if place.empty:
        return _absorb(place, fresh)
    if place.city:
        if fold(place.city) in (fold(name), fold(fresh.city or "")) and not (place.region and place.country):
            place.others = [name]  # "London, London, United Kingdom": the region is called like the city
            return None
        return fresh
    if mark in ("(", "-", ",", " ", ":", "–") and _holds(place, item.city):
        place.city, place.known = fresh.city, item.city
        fit_region(place)
        return None
    return fresh


def _holds(place: Place, city: City | None) -> bool:
    """Whether a country or region written in front of a city has one of that name; settles what the front left open.

    "NY, SF" are two places; "US, FL, Hilliard" is one, though the Hilliard we know lies in Ohio.
    """
    if place.country:
        region = place.region if place.region_stated and place.country in POSTAL and not place.stated else None
        return spots_in(city, place.country, region or "") is not None
    readings = [(region.country, region.code if region.country in POSTAL else "") for region in place.regions]
    if place.code in gazetteer().country_codes:
        readings.append((place.code, ""))
    found = [(spot.people, *reading) for reading in readings if (spot := spots_in(city, *reading))]
    if not found:
        return False
    _, country, region = max(found)
    place.country, place.stated = country, not region
    if place.code:
        place.region, place.region_stated = region or None, bool(region)
        place.regions, place.code = (), ""
    return True


def _written(item: Item) -> str:
    """The name as written; in the table's letters where the writer used only capitals or none."""
    if item.city and (item.text.isupper() or item.text.islower() or not item.text[0].isascii()):
        same = fold(item.city.name) == fold(item.text)
        return item.city.name if same or not item.text.isascii() else item.text.title()
    return item.text.title() if item.text.isupper() or item.text.islower() else item.text


def _take_code(place: Place, mark: str, item: Item, ahead: str | None) -> Place | None:
    """A code of two or three capitals after a city, a region or a country, or alone."""
    code, known = item.text, gazetteer()
    owners, country = known.region_codes.get(code, ()), code if code in known.country_codes else None
    if place.city and not place.country:
        if ahead and ahead != country and ahead not in owners:
            place.others.append(code)  # "Milan, MI, Italy": the country decides, not the state of that code
            return None
        if not place.region_stated:
            _code_of_city(place, _city_code(place, code, owners, country))
            return None
    if place.empty and not place.city and code in _ZONES:
        return None
    if place.country and place.stated and not place.city and country and mark in ("/", "or"):
        return Place(country=country, stated=True)
    if not place.empty and _fits(place, mark, code, owners, country):
        return None
    return _absorb(place, _code_alone(code, owners, country))


def _code_of_city(place: Place, reading: tuple[str, str] | None) -> None:
    """Gives a city the country and region that its code stands for."""
    if reading is not None:
        place.country, place.region = reading[0], reading[1] or place.region
        place.confirmed, place.stated, place.region_stated = True, not reading[1], bool(reading[1])
        fit_region(place)


def _fits(place: Place, mark: str, code: str, owners: tuple[str, ...], country: str | None) -> bool:
    """Adds a code to a place that has a country or a region already; False where it belongs to another place."""
    if place.region and place.region_stated and not (place.country or place.regions or place.city):
        reading = _city_code(place, code, owners, country)  # "Cook County, IL"
        if reading is not None:
            place.country, place.region = reading[0], reading[1] or place.region
        return reading is not None
    if place.country:
        if code == place.country or (place.region and place.region == code):
            return True
        if place.country in owners and not place.region_stated:
            place.region, place.region_stated = code, True
            return True
        if not (place.region or place.city or owners) and place.stated and mark == ",":
            place.region = code
            return True
        return False
    if place.code and place.code in owners:
        place.country, place.code, place.stated = place.code, "", True
        place.region, place.region_stated = code, True
        return True
    return _fits_regions(place, code, owners)


def _fits_regions(place: Place, code: str, owners: tuple[str, ...]) -> bool:
    """Narrows the readings of a region by the code behind it ("Ontario, ON", "San Luis Obispo County, CA")."""
    if not place.regions:
        return False
    if any(region.code == code for region in place.regions):
        place.regions = tuple(region for region in place.regions if region.code == code)
        place.country = place.regions[0].country
    elif not place.regions[0].code and place.regions[0].country in owners:
        place.country, place.region = place.regions[0].country, code
        return True
    elif code in {region.country for region in place.regions}:
        place.country, place.stated = code, True
    else:
        return False
    fit_region(place)
    return True


def _code_alone(code: str, owners: tuple[str, ...], country: str | None) -> Place:
    """A place of which only a code is known: a state where no country has that code, or the reverse; else open."""
    postal = tuple(owner for owner in owners if owner in POSTAL)
    if len(postal) == 1 and country is None:
        city = "Washington" if (postal[0], code) == ("US", "DC") else None
        return Place(city=city, country=postal[0], region=code, region_stated=True)
    if country and not owners:
        return Place(country=country, stated=True)
    names = gazetteer().region_names
    return Place(code=code, regions=tuple(Region(owner, code, names[owner, code], False) for owner in postal))


def _city_code(place: Place, code: str, owners: tuple[str, ...], country: str | None) -> tuple[str, str] | None:
    """(country, region) of a city and a code behind it; None where the code says nothing.

    CO is Colorado behind Denver and Colombia behind Bogotá: the larger place of that name decides. Behind a name that
    is no such place in either, a state is likelier: small towns are written so, small towns abroad with their country.
    """
    city = place.known
    readings: list[tuple[int, str, str]] = []
    for owner in owners:
        if spot := spots_in(city, owner, code if owner in POSTAL else ""):
            readings.append((spot.people, owner, code))
    if country and (spot := spots_in(city, country)):
        readings.append((spot.people, country, ""))
    if readings:
        _, home, region = max(readings)
        return home, region
    postal = [owner for owner in owners if owner in POSTAL]
    if postal:
        return postal[0], code
    if country:
        return country, ""
    if owners and city is None:
        return owners[0], code
    return (city.spots[0].country, code) if city and city.sure else None


def _scope(segment: list[Marked], places: list[Place]) -> None:
    """Marks the places that a remote job is limited to: those after the word, else those before it."""
    at = next((index for index, (_, item) in enumerate(segment) if item.kind == WORK and item.text in _FREE), None)
    if at is None:
        return
    after = [place for place in places if place.at > at]
    if after or segment[at][0] != "or":
        for place in after or places:
            _limit(place)
    if places and not any(place.scope for place in places):
        # "Cardiff or Remote (UK)", "US-Remote, Chicago": the country beside the word went to a city's place.
        beside = segment[at + 1 : at + 2] + (segment[:1] if at == 1 and segment[2:] else [])
        places[0].scope = tuple(item.text for _, item in beside if item.kind == COUNTRY and not item.regions)[:1]


_FREE: Final = frozenset({"remote", "anywhere"})


def _limit(place: Place) -> None:
    if place.group:
        place.scope = (place.group,)
    elif place.country in POSTAL and place.region and (place.region_stated or place.region == "DC"):
        place.scope = (f"{place.country}-{place.region}",)
    elif place.country and place.stated:
        place.scope = (place.country,)
