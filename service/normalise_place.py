"""`jobledger normalise location` and `jobledger normalise employment`: one object in, one JSON-ready object out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aggregator.normalise.employment import parse_employment
from aggregator.normalise.location import parse_location


def normalise_location(obj: Mapping[str, Any]) -> dict[str, Any]:
    """The location in `text`; `country` and `workplace` beside it are evidence. Lists are lists, absent values None.

    >>> normalise_location({"text": "Austin, TX"})["country"]
    'US'
    """
    found = parse_location(_text(obj, "text"), workplace=_text(obj, "workplace"), country=_text(obj, "country"))
    return {
        "text": _text(obj, "text"),
        "city": found.city,
        "region": found.region,
        "country": found.country,
        "countries": list(found.countries),
        "remote": found.remote,
        "remote_scope": list(found.remote_scope),
    }


def normalise_employment(obj: Mapping[str, Any]) -> dict[str, Any]:
    """The employment types in `text`, in order of appearance.

    >>> normalise_employment({"text": "Full Time Contract"})["employment_types"]
    ['full_time', 'contract']
    """
    return {"text": _text(obj, "text"), "employment_types": list(parse_employment(_text(obj, "text")))}


def _text(obj: Mapping[str, Any], key: str) -> str | None:
    """A value as text; None where it is absent or no text or number."""
    value = obj.get(key)
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else None
