"""One place while it is read, and its country settled from the evidence."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from aggregator.normalise.place_parts import spots_in
from aggregator.normalise.places import City, Region, gazetteer

# Countries whose regions are stored by their postal code.
POSTAL: Final = frozenset({"US", "CA", "AU"})
# A neighbour's country is believed for a city that has this share of the people of the largest city of its name.
_SHARE: Final = 0.1


@dataclass(slots=True)
class Place:
    """One place while it is read. `known` and `regions` are the readings still open; `stated` tells how sure it is."""

    city: str | None = None
    region: str | None = None
    country: str | None = None
    known: City | None = None
    regions: tuple[Region, ...] = ()
    code: str = ""  # a bare code that is a country and a state (CA)
    stated: bool = False  # the country itself stands in the text
    region_stated: bool = False
    confirmed: bool = True  # False for an unknown name that nothing has made a city yet
    group: str | None = None
    scope: tuple[str, ...] = ()
    at: int = 0
    others: list[str] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """Whether nothing but an unknown name has been read."""
        return not ((self.city and self.confirmed) or self.region or self.country or self.regions or self.code)


def fit_region(place: Place) -> None:
    """The one reading of the region (or bare code) in the place's country; its postal code where it has one."""
    if place.code and place.country:
        if place.code != place.country and place.country in gazetteer().region_codes.get(place.code, ()):
            place.region, place.region_stated = place.code, True
        place.code = ""
    for region in place.regions:
        if region.country == place.country:
            if place.region is None or place.region_stated is False:
                place.region = region.code if region.country in POSTAL else region.name
                place.region_stated = True
            break
    if place.country == "US" and place.region is None and place.known and (spot := spots_in(place.known, "US")):
        place.region = spot.region or None
        place.region_stated = False


def settle(places: list[Place], stated: str | None) -> None:
    """Countries for open places: from the board, the neighbours, or because no other place has the name."""
    evidence = dict.fromkeys([stated] if stated else [])
    evidence |= dict.fromkeys(place.country for place in places if place.country)
    for place in places:
        if place.country is None and place.known and place.known.sure and not place.regions and not place.code:
            place.country = place.known.spots[0].country
            fit_region(place)
            evidence[place.country] = None
        elif place.country is None and place.regions and not place.code and (sure := _sure_region(place)):
            place.country = sure
            fit_region(place)
            evidence[sure] = None
    for place in places:
        if place.country is None and not place.group:
            _by_neighbours(place, places, [country for country in evidence if country], stated)


def _sure_region(place: Place) -> str | None:
    countries = {region.country for region in place.regions}
    return countries.pop() if len(countries) == 1 and not place.regions[0].weak else None


def _by_neighbours(place: Place, places: list[Place], evidence: list[str], stated: str | None) -> None:
    georgia = any(region.name == "Georgia" for region in place.regions) and not place.city
    if georgia and any(other.country and other.stated and not other.region for other in places if other is not place):
        american = any(other.country == "US" and (other.region or other.city) for other in places)
        place.country = "US" if american else "GE"
        place.stated = not american
    for country in evidence:
        if place.country is not None:
            break
        spot = spots_in(place.known, country)
        enough = 0 if country == stated or place.known is None else _SHARE * place.known.spots[0].people
        likely = spot is not None and spot.people >= enough
        named = any(region.country == country for region in place.regions)
        if likely or named or place.code == country:
            place.country = country
            place.stated = place.code == country and not named
    if place.country:
        fit_region(place)


def agree(places: list[Place]) -> None:
    """Bare cities beside each other whose largest namesakes lie in one country lie in it (Hamburg, Berlin)."""
    bare = [place for place in places if place.country is None and place.city and place.known and not place.regions]
    homes = {place.known.spots[0].country for place in bare if place.known}
    if len(bare) > 1 and len(homes) == 1 and all(place.country is None for place in places if place.city):
        for place in bare:
            place.country = next(iter(homes))
            fit_region(place)
