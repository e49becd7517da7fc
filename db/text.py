"""Text that enters the ledger: broken characters repaired, invisible ones off, personal data out.

Everything here is pure and works on any string in time linear in its length. Plain ASCII costs microseconds.
"""

from __future__ import annotations

import html
import re
import unicodedata
from typing import Final

from db.mojibake import repair_encoding

# C1 controls stand for the cp1252 character of the same byte (the HTML standard reads &#150; as an en dash too);
# the five holes of cp1252 stand for nothing and go.
_C1: Final = {n: (bytes([n]).decode("cp1252", "ignore") or None) for n in range(0x80, 0xA0)}
_SPACES: Final = dict.fromkeys([0xA0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000], " ")
_LINE_ENDS: Final = dict.fromkeys([0x0B, 0x0C, 0x85, 0x2028, 0x2029], "\n")
_INVISIBLE: Final = dict.fromkeys(
    [
        *(n for n in range(0x20) if n not in (0x09, 0x0A, 0x0B, 0x0C)),
        0x7F,
        0xAD,  # soft hyphen
        0x061C,  # Arabic letter mark
        0x180E,
        *range(0x200B, 0x2010),  # zero width space, joiners, direction marks
        *range(0x202A, 0x202F),  # bidi embeddings and overrides
        *range(0x2060, 0x2070),  # word joiner, invisible operators, bidi isolates
        *range(0xFE00, 0xFE10),  # variation selectors: they choose a glyph, not a character
        0xFEFF,
        *range(0xFFF9, 0xFFFC),
        *range(0xE0000, 0xE0080),  # tags
        *range(0xD800, 0xE000),  # lone surrogates: no database takes them
    ]
)
_VISIBLE: Final[dict[int, str | None]] = {**_C1, **_SPACES, **_INVISIBLE, **_LINE_ENDS}
_ASCII_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_RETURN: Final = re.compile(r"\r\n?")
_ENTITY: Final = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")


def repair(text: str) -> str:
    r"""The text as its author saw it: mojibake undone, NFC, only visible characters, spaces, tabs and newlines.

    Repairing twice is repairing once. Genuine Thai, Greek, Cyrillic ... text is left alone.

    >>> repair("5 min read ยท Dec. 6")
    '5 min read · Dec. 6'
    >>> repair("Z\u00c3\u00bcrich\u00a0\u200b\x96 Bern\r\n")
    'Zürich – Bern\n'
    """
    if text.isascii():
        if _ASCII_CONTROL.search(text) is None:
            return text
        return _RETURN.sub("\n", text).translate(_VISIBLE)
    while True:
        # Each round undoes one layer; a layer of mojibake at least halves what it touches, so the rounds are few.
        repaired = _RETURN.sub("\n", repair_encoding(text)).translate(_VISIBLE)
        repaired = unicodedata.normalize("NFC", repaired)
        if repaired == text:
            return repaired
        text = repaired


def one_line(text: str | None) -> str | None:
    """The text repaired, HTML entities read, white space collapsed to single spaces; None where nothing is left.

    >>> one_line(" Research &amp;amp; Development\\n Engineer ")
    'Research & Development Engineer'
    >>> one_line("  ") is None
    True
    """
    if text is None:
        return None
    if "&" in text:
        text = _unescape(text)
    return " ".join(repair(text).split()) or None


def _unescape(text: str) -> str:
    """Entities read once, or twice where the first reading uncovers more (`&amp;amp;`). `AT&T` has none."""
    for _ in range(2):
        read = _ENTITY.sub(lambda found: html.unescape(found.group()), text)
        if read == text:
            break
        text = read
    return text


_EMAIL_MARK: Final = "[e-mail removed]"
_PHONE_MARK: Final = "[phone removed]"

# The look-behind lets a match begin only where a word begins: one try a word keeps the time linear.
_EMAIL: Final = re.compile(
    r"""
      mailto:[^\s"'<>()\[\]]+
    | (?<![\w.%+-])
      [\w%+-][\w.%+-]{0,63}
      (?: @ | ＠ | %40 | &\#(?:64|x40); | \s?[\[({]\s?(?:at|@)\s?[\])}]\s? )
      (?: [\w-]{1,63} (?: \. | \s?[\[({]\s?(?:dot|\.)\s?[\])}]\s? ) ){1,8}
      [^\W\d_]{2,24}\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
_EMAIL_SIGN: Final = re.compile(r"@|＠|%40|&#(?:64|x40);|mailto:|[\[({]\s?at\s?[\])}]", re.IGNORECASE)

# Every telephone number holds seven digits with little between them; few other texts do, and this is quick to see.
_DIGITS: Final = re.compile(r"\d(?:[\s().\-/]{0,5}\d){6}")
_PHONE: Final = re.compile(
    r"""
      (?P<link> \b(?:tel|callto|sms):\+?[\d().\-\s%]{5,24}\d | \bwa\.me/\d{7,15} )
    | (?P<labelled> \b(?: tel(?:e(?:ph|f)one?|efon[oe]?)? | t[ée]l(?:[ée]phone)? | tel[ée]fono | phone | mob(?:ile|il)?
          | cell(?:phone)? | handy | fax | whats\s?app | viber | ph | тел | τηλ
          | call(?:\s(?:me|us))?(?:\s(?:at|on))? | text(?:\s(?:me|us))\s(?:at|on)
          | telefonnummer | rufnummer | móvil | celular | komórka | puh | tlf ) \b
          (?: \s? (?:number|no\.?|nr\.?|\#) )? [.:)\s]{0,4}
          | (?:電話(?:番号)?|电话|手机|微信|전화)\s?[:：]?\s? )
      (?P<number> \+?\(?\d[\d\s().\-/]{5,22}\d )
    | (?<![\w.,$€£+\-/#]) (?P<national>
          (?: \+ | (?<!\d\s) 00(?=[1-9]) ) \s?[1-9]\d{0,2} (?: [\s.\-/]{0,2}\(?\d{1,5}\)? ){2,7}     # +49 (0)30 1234567
        | (?:1[\s.\-])? (?: \([2-9]\d{2}\)\s? | [2-9]\d{2}[\s.\-] ) \d{3}[\s.\-]\d{4}  # 415-555-0100
        | (?<!\d\s) 0\d (?:[\s.\-]\d{2}){4}                                                         # 01 23 45 67 89
        | (?<!\d\s) \(?0[1-9]\d{1,4}\)? [\s/\-]{1,3} \d{3,8} (?:[\s\-]\d{2,5}){0,3}                     # 020 7946 0958
        | (?<!\d\s) 0[1-9]\d{8,9}                                                                   # 07700900123
      ) (?! [\d%] | [.,]\d | \s?[$€£¥₹₽₩] )
    """,
    re.VERBOSE | re.IGNORECASE,
)
_DATE: Final = re.compile(
    r"(?:\d{1,2}[\s./-]\d{1,2}[\s./-](?:19|20)\d{2}|(?:19|20)\d{2}[\s./-]\d{1,2}[\s./-]\d{1,2})(?!\d)"
)
_NUMBERED: Final = re.compile(
    r"(?:\b(?:req(?:uisition)?|ref(?:erence)?|job|position|posting|vacancy|case|code|id|ein|duns|kennziffer|siret|siren)"
    r"(?:\s?(?:id|code|number|nummer|no|nr|ref))?|[#№])[\s.:#(-]{0,4}\Z",
    re.IGNORECASE,
)
_MONEY_BEFORE: Final = re.compile(r"(?:[$€£¥₹₽₩]|\b[A-Z]{3}|\bRs\.?)\s?\Z")
_MONEY_AFTER: Final = re.compile(
    r"\s?(?:[$€£¥₹₽₩]|(?:USD|EUR|GBP|CHF|PLN|SEK|NOK|DKK|CZK|HUF|RUB|INR|CAD|AUD|JPY|CLP|COP|ARS|MXN|BRL|kr|zł|Kč|Ft|руб)\b)"
)


def without_personal_data(text: str) -> str:
    """The text with e-mail addresses and telephone numbers replaced by a visible marker.

    Pay, requisition numbers, years, dates and ranges stay. A bare row of digits counts as a telephone number only
    with a word for telephone before it, a country code, or the grouping that telephone numbers have.

    >>> without_personal_data("Ask jane.doe@example.com or (415) 555-0100; pay 120,000 - 150,000; req 4155550100")
    'Ask [e-mail removed] or [phone removed]; pay 120,000 - 150,000; req 4155550100'
    """
    if _EMAIL_SIGN.search(text):
        text = _EMAIL.sub(_EMAIL_MARK, text)
    return _PHONE.sub(_phone_mark, text) if _DIGITS.search(text) else text


def _phone_mark(found: re.Match[str]) -> str:
    """The marker in place of a telephone number; the text itself where it is a date, an amount or a job number."""
    whole = found.group()
    if found["link"]:
        return _PHONE_MARK
    group = "number" if found["number"] else "national"
    number, before = found[group], found.string[max(0, found.start() - 24) : found.start()]
    digits = sum(character.isdigit() for character in number)
    after = found.string[found.end() : found.end() + 6]
    if not 7 <= digits <= 15 or _DATE.match(number) or _MONEY_BEFORE.search(before) or _MONEY_AFTER.match(after):
        return whole
    if group == "national" and (digits < 9 or _NUMBERED.search(before)):
        return whole
    return whole[: found.start(group) - found.start()] + _PHONE_MARK
