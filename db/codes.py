"""Which codes exist, as CLDR lists them: ISO 3166-1 alpha-2 countries, ISO 4217 currencies, ISO 639-1 languages.

Babel is imported where it is asked: most commands never ask.
"""

from __future__ import annotations

import re
from typing import Final

UNASSIGNED: Final = frozenset(
    {"EU", "EZ", "UN", "QO", "XA", "XB", "ZZ", "AC", "CP", "CQ", "DG", "EA", "IC", "TA", "XK"}
)
"""Two-letter codes that CLDR names but that ISO 3166-1 assigns to no country."""
RESERVED: Final = {"UK": "GB", "EL": "GR"}
"""What ISO 3166-1 reserves or the European Union writes, and the code of the same country."""


def is_country(code: str) -> bool:
    """Whether ISO 3166-1 has this alpha-2 code.

    >>> is_country("DE"), is_country("UK"), is_country("EU"), is_country("de")
    (True, False, False, False)
    """
    from babel import Locale

    return bool(re.fullmatch("[A-Z]{2}", code)) and code in Locale("en").territories and code not in UNASSIGNED


def country_meant(text: str) -> str | None:
    """The code that somebody probably means who writes a country's English name, or a code that is not ISO's.

    >>> country_meant("germany"), country_meant("UK"), country_meant("Atlantis")
    ('DE', 'GB', None)
    """
    from babel import Locale

    if text.upper() in RESERVED:
        return RESERVED[text.upper()]
    names = Locale("en").territories.items()
    return next((code for code, name in names if name.casefold() == text.casefold() and is_country(code)), None)


def is_currency(code: str) -> bool:
    """Whether ISO 4217 has, or had, this code."""
    from babel import Locale

    return bool(re.fullmatch("[A-Z]{3}", code)) and code in Locale("en").currencies


def is_language(code: str) -> bool:
    """Whether ISO 639-1 has this code."""
    from babel import Locale

    return bool(re.fullmatch("[a-z]{2}", code)) and code in Locale("en").languages
