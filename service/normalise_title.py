"""`jobledger normalise title`: one title as an object of the contract's keys."""

from collections.abc import Mapping

from aggregator.normalise.level import parse_level
from aggregator.normalise.role import parse_role
from aggregator.normalise.title import clean_title


def normalise_title(obj: Mapping[str, object]) -> dict[str, object]:
    """Clean title, role and level of `{"text": ..., "company": ...}`; anything but a string counts as empty or absent.

    >>> normalise_title({"text": "Senior Data Engineer (m/f/d) - Remote"})["role"]
    'Data Engineer'
    """
    text, company = obj.get("text"), obj.get("company")
    raw = text if isinstance(text, str) else ""
    title = clean_title(raw)
    role = parse_role(title)
    level = parse_level(title, role=role.role, company=company if isinstance(company, str) else None)
    return {
        "text": text,
        "title": title,
        "role": role.role,
        "family": role.family,
        "soc": role.soc,
        "level": level.level,
        "confidence": role.confidence,
    }
