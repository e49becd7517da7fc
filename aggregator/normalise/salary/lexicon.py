"""The words of pay, loaded once from the vocabulary folder: what a word, a sign or a phrase can mean.

A word may have several roles ("a" is "per" in "$20 a day" and "to" in "1.000 a 2.000"); roles are bits of one mask and
the grammar asks for the role that fits the place.
"""

import csv
import re
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

VOCABULARY = Path(__file__).parents[2] / "vocabulary"

ROLES = (
    "num",
    "cur",
    "scale",
    "noun",
    "plural",
    "adv",
    "per",
    "to",
    "and",
    "between",
    "from",
    "upto",
    "after_from",
    "after_upto",
    "approx",
    "fill",
    "plus",
    "with",
    "est",
    "pay",
    "base",
    "ote",
    "extra",
    "weak",
    "thing",
    "count",
    "link",
    "none",
    "min",
    "max",
    "mid",
    "actual",
    "payments",
    "stop",
    "comma",
    "open",
    "close",
    "slash",
    "colon",
    "percent",
    "dash",
    "times",
    "word",
    "prefix_only",
    "suffix_only",
    "newline",
    "unit",
    "session",
    "stipend",
    "odd",
    "phrase",
    "perk",
    "others",
    "job",
)
BIT = {role: 1 << place for place, role in enumerate(ROLES)}


class Meaning(NamedTuple):
    """What a word can mean: the roles it can play, and the period, scale and currency it then stands for."""

    roles: int
    period: str | None = None
    scale: Decimal | None = None
    currency: str | None = None


class Currency(NamedTuple):
    """A row of currencies.csv: believable yearly pay, and the amount from which a bare figure is a yearly one."""

    code: str
    low: Decimal
    high: Decimal
    year_from: Decimal


class Family(NamedTuple):
    """A sign that several currencies share, such as "$" or "kr"."""

    default: str | None
    currencies: tuple[str, ...]


Phrases = dict[str, tuple[tuple[tuple[str, ...], Meaning], ...]]
"""Second word of a phrase -> (the words that follow it, what the phrase means), longest first."""


def _rows(name: str) -> list[dict[str, str]]:
    with (VOCABULARY / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@cache
def currencies() -> dict[str, Currency]:
    """ISO 4217 code -> bounds in units of that currency a year."""
    return {
        row["code"]: Currency(row["code"], Decimal(row["low"]), Decimal(row["high"]), Decimal(row["year_from"]))
        for row in _rows("currencies.csv")
    }


@cache
def families() -> dict[str, Family]:
    """Shared sign -> what it means without evidence (None: nothing), and what it can mean."""
    return {
        row["sign"]: Family(row["default"] or None, tuple(row["currencies"].split()))
        for row in _rows("currency_families.csv")
    }


@cache
def signs() -> dict[str, Meaning]:
    """Currency signs as written, case and all; letters that are also words count only before a number."""
    found: dict[str, Meaning] = {}
    for row in _rows("currencies.csv"):
        for sign in filter(None, [*row["signs"].split("|"), row["code"]]):
            roles = BIT["cur"]
            if (
                sign.isalpha()
                and sign.isascii()
                and (len(sign) < 3 or sign == "ALL")
                and sign not in ("Ft", "Tk", "Rp")
            ):
                roles |= BIT["prefix_only"]
            found[sign] = Meaning(roles, currency=row["code"])
    for row in _rows("currency_families.csv"):
        found[row["sign"]] = Meaning(BIT["cur"], currency=row["sign"])
        for word in row["words"].split("|"):
            if not word.isalpha():
                found.setdefault(word, Meaning(BIT["cur"], currency=row["sign"]))
    return found


def word_key(phrase: str) -> tuple[str, ...]:
    """A phrase as the tokenizer will cut it."""
    return tuple(fold(phrase).split())


def _both(old: Meaning | None, new: Meaning) -> Meaning:
    """One meaning with the roles of two; what the first says of period, scale and currency stays."""
    if old is None:
        return new
    return Meaning(
        old.roles | new.roles, old.period or new.period, old.scale or new.scale, old.currency or new.currency
    )


@cache
def _words() -> tuple[dict[str, Meaning], dict[str, Phrases]]:
    single: dict[str, Meaning] = {}
    phrases: dict[str, dict[tuple[str, ...], Meaning]] = {}

    def add(phrase: str, meaning: Meaning) -> None:
        first, *rest = word_key(phrase) or ("",)
        if rest:
            following = phrases.setdefault(first, {})
            following[tuple(rest)] = _both(following.get(tuple(rest)), meaning)
        elif first:
            single[first] = _both(single.get(first), meaning)

    for row in _rows("pay_words.csv"):
        kind, value = row["kind"], row["value"]
        for phrase in row["words"].split("|"):
            if kind == "scale":
                add(phrase, Meaning(BIT["scale"], scale=Decimal(value)))
            elif kind == "kcur":
                word, currency = phrase.split()
                add(word, Meaning(BIT["scale"] | BIT["cur"], scale=Decimal(1000), currency=currency))
            elif kind == "implied":
                continue
            elif kind == "special":
                add(phrase, Meaning(BIT["scale"] | BIT["adv"], "year", Decimal(100_000), "INR"))
            else:
                add(phrase, Meaning(BIT[kind], period=value or None))
    for row in _rows("currencies.csv"):
        prefixes = {sign.casefold() for sign in row["signs"].split("|")} | {row["code"].casefold()}
        for word in filter(None, row["words"].split("|")):
            roles = BIT["cur"] if word.casefold() in prefixes else BIT["cur"] | BIT["suffix_only"]
            add(word, Meaning(roles, currency=row["code"]))
    for row in _rows("currency_families.csv"):
        for word in filter(None, row["words"].split("|")):
            prefix = word.rstrip(".") in ("rs", "kr", "fr")
            add(word, Meaning(BIT["cur"] if prefix else BIT["cur"] | BIT["suffix_only"], currency=row["sign"]))
    return single, {first: _by_second_word(rest) for first, rest in phrases.items()}


def _by_second_word(phrases: dict[tuple[str, ...], Meaning]) -> Phrases:
    found: dict[str, list[tuple[tuple[str, ...], Meaning]]] = {}
    for rest, meaning in sorted(phrases.items(), key=lambda item: -len(item[0])):
        found.setdefault(rest[0], []).append((rest[1:], meaning))
    return {second: tuple(choices) for second, choices in found.items()}


@cache
def implied_currencies() -> dict[str, str]:
    """Scale words that only one country's money is counted in: lakh, triệu, 만."""
    return {
        word: row["value"]
        for row in _rows("pay_words.csv")
        if row["kind"] == "implied"
        for word in row["words"].split("|")
    }


@cache
def cjk_words() -> dict[str, Meaning]:
    """Words of scripts that put no space between words."""
    found: dict[str, Meaning] = {}
    for row in _rows("pay_words_cjk.csv"):
        kind, _, value = row["kind"].partition(":")
        for word in row["words"].split("|"):
            new = Meaning(
                BIT[kind],
                value if kind == "adv" else None,
                Decimal(value) if kind == "scale" else None,
                value if kind == "cur" else None,
            )
            found[word] = _both(found.get(word), new)
    return found


def phrase_starts() -> dict[str, Phrases]:
    """First (folded) word of a phrase -> second word -> the words that may follow, and what the phrase then means."""
    return _words()[1]


@lru_cache(maxsize=65_536)
def fold(word: str) -> str:
    """A word as the vocabulary writes it."""
    return word.casefold().replace("’", "'")


_PERIOD_STEMS = (
    ("year", re.compile(r"^(?:brutto|netto|grund|ziel)?(?:jahr|års?|aars|jaar|vuosi|éves)|jahres")),
    ("month", re.compile(r"^(?:brutto|netto|grund)?(?:monat|maand|månad|måned|kuukausi|havi)|monats")),
    ("week", re.compile(r"^(?:woche|vecko|uge|week)")),
    ("day", re.compile(r"^(?:tages|dag)")),
    ("hour", re.compile(r"^(?:brutto)?(?:stunde|uur|tim|tunti|óra)")),
)
_EXTRA_STEM = re.compile(
    r"zulage|zuschuss|zuschuß|zuschlag|prämie|budget|bonus|gutschein|versicherung|bidrag|tillägg|tillæg|beihilfe"
    r"|kosten|bijdrage|toeslag|toelage|pauschale|provision|příspěv|dodat|lisä|pótlék|penger"
)
_PERSON_STEM = re.compile(
    r"(?:berater|kaufmann|kauffrau|manager|rechner|leiter|referent|prüfer|controller|bearbeiter|makler|vertreter|fachmann"
    r"|fachfrau|spezialist|experte|expertin|handläggare|rådgivare|rådgiver|adviseur|medewerker|asiantuntija)(?:in)?$"
)
_PAY_STEM = re.compile(
    r"gehalt|gehält|lohn|löhn|vergütung|entgelt|salaris|loon|lön|løn|lønn|palkka|fizetés|verdienst|salary"
)


_ANY_STEM = re.compile("|".join(stem.pattern for stem in (_PERSON_STEM, _EXTRA_STEM, _PAY_STEM)))
_SHORTEST_COMPOUND = 6


@lru_cache(maxsize=65_536)
def token_meaning(word: str) -> Meaning | None:
    """`meaning_of`, with the role `phrase` where the word begins a phrase of the vocabulary."""
    meaning = meaning_of(word)
    if fold(word) not in phrase_starts():
        return meaning
    if meaning is None:
        return Meaning(BIT["word"] | BIT["phrase"])
    return meaning._replace(roles=meaning.roles | BIT["phrase"])


@lru_cache(maxsize=65_536)
def meaning_of(word: str) -> Meaning | None:
    """What a written word can mean; None when it says nothing about pay.

    Compounds of Germanic and Finnish words are taken apart ("Bruttomonatsgehalt" is pay, a month), and so are codes
    that lost their space in a page ("CADskype").
    """
    sign = signs().get(word)
    if sign:
        lower = _words()[0].get(word.casefold())
        return (
            sign
            if not lower
            else Meaning(lower.roles & ~BIT["suffix_only"] | sign.roles, lower.period, lower.scale, sign.currency)
        )
    key = fold(word)
    found = _words()[0].get(key) or (_words()[0].get(key.rstrip(".")) if "." in key else None)
    if found:
        stems = len(key) >= _SHORTEST_COMPOUND and not found.roles & BIT["pay"] and _ANY_STEM.search(key)
        if stems and _PAY_STEM.search(key) and not _EXTRA_STEM.search(key):
            return found._replace(roles=found.roles | BIT["pay"])
        return found
    return (_compound(key) if len(key) >= _SHORTEST_COMPOUND else None) or _glued(word)


def _compound(key: str) -> Meaning | None:
    last = _words()[0].get(key.rpartition("-")[2]) if "-" in key else None
    if last and last.roles & (BIT["pay"] | BIT["adv"]):
        return last
    if not _ANY_STEM.search(key):
        return None
    if _PERSON_STEM.search(key):
        return Meaning(BIT["job"])  # a Versicherungsberater is paid, a Versicherung is not
    if _EXTRA_STEM.search(key):
        return Meaning(BIT["extra"])
    if _PAY_STEM.search(key):
        period = next((period for period, stem in _PERIOD_STEMS if stem.search(key)), None)
        least = BIT["min"] if key.startswith("mindest") else 0  # Mindestbruttogehalt: the legal minimum, open above
        return Meaning(BIT["pay"] | least | (BIT["adv"] if period else 0), period)
    return None


def _glued(word: str) -> Meaning | None:
    code = word[:3]
    if code.isupper() and word[3:].islower() and code in currencies():
        return Meaning(BIT["cur"], currency=code)
    return None
