"""Which currency a sign means: said beside the amount, else the evidence around it, else the sign's plain meaning."""

import itertools
from collections.abc import Sequence
from decimal import Decimal
from functools import cache, lru_cache

from aggregator.normalise.salary.lexicon import currencies, families
from aggregator.normalise.salary.tokens import NUM, Token

_PLACES = {
    "CAD": "canada canadian can toronto vancouver montreal ontario quebec alberta calgary ottawa",
    "AUD": "australia australian sydney melbourne brisbane perth aus super superannuation",
    "NZD": "zealand auckland wellington nz",
    "SGD": "singapore",
    "HKD": "hong",
    "MXN": "mexico méxico mexican",
    "USD": "us usa united america american nyc york california seattle denver colorado washington dollars",
}
_FRENCH = frozenset(["salaire", "à", "par", "heure", "l'heure", "rémunération", "annuel", "taux", "horaire", "selon"])
_KRONE = {
    "SEK": "månad mån år timme lön månaden kronor sverige stockholm tim timmen månadslön timlön årslön",
    "DKK": "løn md om mdr danmark københavn",
    "NOK": "lønn norge oslo årslønn timelønn månedslønn",
    "ISK": "laun mánuði",
}


@cache
def _place_words() -> dict[str, str]:
    return {word: code for code, words in _PLACES.items() for word in words.split()}


@lru_cache(maxsize=512)
def national(country: str | None) -> str | None:
    """The legal tender of a country (ISO 3166-1 alpha-2), from CLDR; None when unknown.

    >>> national("GB"), national("XX")
    ('GBP', None)
    """
    if not country or len(country) != 2:
        return None
    from babel.numbers import get_territory_currencies

    tender = get_territory_currencies(country.upper())
    return str(tender[-1]) if tender else None


@cache
def iso_codes() -> frozenset[str]:
    """Every ISO 4217 code that CLDR knows, ended currencies included."""
    from babel.numbers import list_currencies

    return frozenset(list_currencies())


def known_code(written: object) -> str | None:
    """An ISO code from a field that should hold one: codes in any case, and the usual signs.

    >>> known_code("usd"), known_code("€"), known_code("points")
    ('USD', 'EUR', None)
    """
    from aggregator.normalise.salary.lexicon import meaning_of, signs

    text = str(written or "").strip()
    if len(text) == 3 and text.upper() in iso_codes():
        return text.upper()
    meaning = signs().get(text) or meaning_of(text.rstrip("."))
    return meaning.currency if meaning and meaning.currency in currencies() else None


def resolve(
    sign: str | None,
    *,
    country: str | None,
    hint: str | None,
    high: Decimal,
    period: str | None,
    near: Sequence[Token],
) -> tuple[str | None, bool]:
    """(ISO code, whether the text itself says so) for a sign or for no sign at all.

    `near` is the tokens of the statement's own line: "For Canada: $90,000" is not in US dollars.
    """
    tender = national(country)
    if sign is None:
        return hint or tender, False
    family = families().get(sign)
    if family is None:
        return sign, True
    if sign == "$":
        said = _said_dollar(near)
        if said:
            return said, True
    if sign == "kr":
        said = _said_krone(near)
        if said and not (tender in family.currencies or hint in family.currencies):
            return said, True
    if hint in family.currencies:
        return hint, True
    if tender in family.currencies:
        return tender, True
    if sign == "¥":
        return _yen_or_yuan(high, period), True
    if sign == "$" and _is_latin_american(near):
        return None, False
    return family.default, family.default is not None


def _is_latin_american(near: Sequence[Token]) -> bool:
    """ "$2.500.000" and "$30,000 pesos": which peso it is, is not said."""
    for token in near:
        text = token.text
        if text == "pesos" or text == "peso" or (token.roles & NUM and len(text) > 8 and text.count(".") > 1):
            return True
    return False


def _said_dollar(near: Sequence[Token]) -> str | None:
    if any(a.roles & NUM and b.text == "$" for a, b in itertools.pairwise(near)):
        words = {part for token in near for part in token.text.casefold().split()}
        if words & _FRENCH:
            return "CAD"  # French that writes "$" after the amount is written in Canada
    places = _place_words()
    said = {
        places.get(token.text.casefold())
        for token in near
        if token.text == "super" or (token.text.isupper() if len(token.text) < 4 else token.text[:1].isupper())
    }  # "Can" and "Aus" begin sentences, "CAN" and "AUS" are countries
    said.update(
        token.currency for token in near if token.currency in _PLACES and (token.text.isupper() or " " in token.text)
    )
    said.discard(None)
    return said.pop() if len(said) == 1 else None


def _said_krone(near: Sequence[Token]) -> str | None:
    words = {token.text.casefold().rstrip(".") for token in near}
    words.update(part for word in tuple(words) for part in word.split())
    for code in ("NOK", "ISK", "DKK", "SEK"):
        if words & set(_KRONE[code].split()):
            return code
    return None


def _yen_or_yuan(high: Decimal, period: str | None) -> str | None:
    """The two differ twentyfold: an amount that is absurd in one of them is in the other."""
    floors = {"hour": 800, "day": 6000, "week": 30_000, "month": 100_000}
    floor = Decimal(floors.get(period or "", 1_000_000))
    if high >= floor:
        return "JPY"
    return "CNY" if high * 2 <= floor else None
