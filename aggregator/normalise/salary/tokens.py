"""Cuts a text into the few kinds of token that matter for pay, in one pass and in linear time."""

import re
from decimal import Decimal
from functools import cache
from typing import NamedTuple

from aggregator.normalise.salary.lexicon import BIT, Meaning, cjk_words, meaning_of, phrases_from, signs
from aggregator.normalise.salary.numbers import read_number

NUM, CUR, SCALE, NOUN, PLURAL, ADV, PER, TO = (
    BIT[r] for r in ("num", "cur", "scale", "noun", "plural", "adv", "per", "to")
)
STOP, COMMA, OPEN, CLOSE, SLASH, COLON, PERCENT, DASH, TIMES, WORD, NEWLINE, PLUS = (
    BIT[r]
    for r in ("stop", "comma", "open", "close", "slash", "colon", "percent", "dash", "times", "word", "newline", "plus")
)
_ABBREVIATED = CUR | NOUN | PLURAL | ADV | PER | SCALE | BIT["approx"] | BIT["from"] | BIT["upto"] | BIT["fill"] | BIT["with"]
_ALWAYS_SHORT = CUR | SCALE | BIT["approx"] | BIT["from"] | BIT["upto"]


class Token(NamedTuple):
    """A piece of text, the roles it can play, and what it stands for."""

    roles: int
    start: int
    end: int
    text: str
    period: str | None = None
    scale: Decimal | None = None
    currency: str | None = None
    value: Decimal | None = None


# digits of other scripts, dashes that a wrong code page left, and invisible characters
_SAME_LENGTH = str.maketrans(
    {
        **{chr(zero + d): str(d) for zero in (0x660, 0x6F0, 0x966, 0xE50, 0xFF10) for d in range(10)},
        **{chr(0xFF21 + i): chr(0x41 + i) for i in range(26)},
        **{chr(0xFF41 + i): chr(0x61 + i) for i in range(26)},
        "\u0096": "–",
        "\u0097": "—",
        "\u200b": " ",
        "\u200e": " ",
        "\u200f": " ",
        "\ufeff": " ",
        "\u00ad": " ",
        "，": ",",
        "．": ".",
        "：": ":",
        "（": "(",
        "）": ")",
        "／": "/",
        "＋": "+",
        "＄": "$",
        "￥": "¥",
        "￡": "£",
        "｜": "|",
        "％": "%",
        "\r": " ",
    }
)


@cache
def _token_pattern() -> re.Pattern[str]:
    symbols = sorted((s for s in signs() if not s.isalpha()), key=len, reverse=True)
    sign = "|".join((r"(?<![^\W\d_])" if s[0].isalpha() else "") + re.escape(s) for s in symbols)
    return re.compile(
        rf"""
          (?P<skip>https?://[^\s]+ | \+\d[\d\ ()-]{{7,18}}\d | \(\d{{3}}\)\ ?\d{{3}}-\d{{4}} | \b\d\d?(?P<mark>[/.])\d\d?(?P=mark)\d{{4}}\b | \b(?:\d-)?\d{{3}}[-.]\d{{3}}[-.]\d{{4}}\b | \b\d{{4}}-\d\d-\d\d(?:[T\ ]\d\d:\d\d(?::\d\d)?)? | \b\d\d?[:h]\d\d(?:\s?[ap]\.?m\b)?)
        | (?P<retirement>\b4(?:01|03|57)\s?\(?[kKbB]\b\)?)
        | (?P<cents>(?<=\d)[.,][-–—]{{1,2}}(?!\d))
        | (?P<cur>{sign} | ₿ | \$)
        | (?P<num>(?<!\d) \d{{1,3}}(?:[\ \u00a0\u2007\u2009\u202f]\d{{3}})+ (?![\d]) (?:[.,]\d{{1,2}}(?!\d))?
                | \d+(?:[.,'’‘ʼ´`٬٫]\d+)*)
        | (?P<cjk>[\u3041-\u30fa\u3400-\u9fff\uac00-\ud7af\u0e01-\u0e3a\u0e40-\u0e4e]+)
        | (?P<dotted>(?:[^\W\d_]\.){{2,4}}[^\W\d_]?(?![^\W\d_]) | (?<![^\W_])[^\W\d_]\.[^\W\d_](?![^\W\d_])\.?)
        | (?P<slashed>(?<![^\W_])[^\W\d_]/[^\W\d_]{{1,5}}(?![^\W\d_]))
        | (?P<word>[^\W\d_]+(?:['’״"\-][^\W\d_]+)*)
        | (?P<dash>[-–—−‐‑‒―~～〜∼]+)
        | (?P<newline>\n)
        | (?P<punct>[/+():;|•·,.&%×\[\]!?…→>💰*✅✔▪●◦■★✨]|[\U0001f300-\U0001faff])
        """,
        re.VERBOSE,
    )


_SEAM = re.compile(r"[^\W\d_](?=[A-Z][a-z])(?<![A-Z])")
_PUNCT = {
    "/": SLASH,
    "+": PLUS,
    "(": OPEN,
    ")": CLOSE,
    "[": OPEN,
    "]": CLOSE,
    ":": COLON,
    ",": COMMA,
    "&": BIT["and"] | WORD,
    "%": PERCENT,
    "×": TIMES,
    "*": BIT["fill"],
    "→": DASH,
    ">": BIT["from"],
    "💰": BIT["pay"],
}


@cache
def _cjk_pattern() -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, sorted(cjk_words(), key=len, reverse=True))))


def tokenise(text: str) -> list[Token]:
    """The tokens of a text, in order. Words that say nothing are kept as `word`: distance counts."""
    if not text.isascii():
        text = text.translate(_SAME_LENGTH)
    tokens: list[Token] = []
    append = tokens.append
    for match in _token_pattern().finditer(text):
        kind = match.lastgroup if match.lastgroup != "mark" else "skip"
        start, end = match.span()
        piece = match.group()
        if kind == "num":
            append(_number(text, piece, start, end))
        elif kind == "word":
            _add_word(tokens, piece, start, end)
        elif kind == "punct":
            _add_punct(tokens, text, piece, start, end)
        elif kind == "cur":
            meaning = signs().get(piece)
            append(Token(CUR, start, end, piece, currency=meaning.currency if meaning else None))
        elif kind == "dash":
            append(Token(DASH | TO | (BIT["approx"] if piece[0] in "~～〜∼" else 0), start, end, piece))
        elif kind == "newline":
            append(Token(NEWLINE, start, end, piece))
        elif kind == "cjk":
            _add_cjk(tokens, piece, start)
        elif kind == "retirement":
            append(Token(BIT["extra"], start, end, piece))
        elif kind in ("dotted", "slashed"):
            meaning = meaning_of(piece) or meaning_of(piece.rstrip("."))
            append(_token(meaning, piece, start, end))
        elif kind != "cents":
            append(Token(WORD, start, end, piece))
    return _join_phrases(tokens)


def _token(meaning: Meaning | None, piece: str, start: int, end: int) -> Token:
    if meaning is None:
        return Token(WORD, start, end, piece)
    return Token(meaning.roles, start, end, piece, meaning.period, meaning.scale, meaning.currency)


def _number(text: str, piece: str, start: int, end: int) -> Token:
    value = read_number(piece)
    if value is None:
        return Token(WORD, start, end, piece)
    return Token(NUM, start, end, piece, value=value)


def _add_word(tokens: list[Token], piece: str, start: int, end: int) -> None:
    meaning = meaning_of(piece)
    if meaning is None and tokens and tokens[-1].end == start and tokens[-1].roles & NUM:
        # "60kper annum", "12ph", "119kCAD": a scale or a period glued to the next word
        for cut in (1, 2, 3):
            head, tail = meaning_of(piece[:cut]), meaning_of(piece[cut:])
            if head and head.roles & (SCALE | PER) and tail:
                tokens.append(_token(head, piece[:cut], start, start + cut))
                tokens.append(_token(tail, piece[cut:], start + cut, end))
                return
    if meaning is None and not piece.islower():
        seam = _SEAM.search(piece)
        head = meaning_of(piece[: seam.end()]) if seam else None
        if seam and head:
            # "hourThis": a page that lost its line ends
            tokens.append(_token(head, piece[: seam.end()], start, start + seam.end()))
            tokens.append(Token(STOP, start + seam.end(), start + seam.end(), ""))
            _add_word(tokens, piece[seam.end() :], start + seam.end(), end)
            return
    if meaning is None and "-" in piece:
        head, _, tail = piece.partition("-")
        first = meaning_of(head)
        if first:
            tokens.append(_token(first, head, start, start + len(head)))
            tokens.append(Token(DASH, start + len(head), start + len(head) + 1, "-"))
            _add_word(tokens, tail, start + len(head) + 1, end)
            return
    tokens.append(_token(meaning, piece, start, end))


def _add_punct(tokens: list[Token], text: str, piece: str, start: int, end: int) -> None:
    roles = _PUNCT.get(piece, STOP)
    if piece == "." and tokens:
        last = tokens[-1]
        after = text[end : end + 2].lstrip()
        if last.end == start and len(last.text) <= 6 and not last.text.isupper():
            if last.roles & _ALWAYS_SHORT or (last.roles & _ABBREVIATED and not after[:1].isupper()):
                return
        if after and text[end : end + 1].strip():
            return
    tokens.append(Token(roles, start, end, piece))


def _add_cjk(tokens: list[Token], piece: str, offset: int) -> None:
    at = 0
    for match in _cjk_pattern().finditer(piece):
        if match.start() > at:
            tokens.append(Token(WORD, offset + at, offset + match.start(), piece[at : match.start()]))
        tokens.append(_token(cjk_words()[match.group()], match.group(), offset + match.start(), offset + match.end()))
        at = match.end()
    if at < len(piece):
        tokens.append(Token(WORD, offset + at, offset + len(piece), piece[at:]))


def _join_phrases(tokens: list[Token]) -> list[Token]:
    """Replaces the tokens of a known phrase ("on target earnings") by one token."""
    joined: list[Token] = []
    place, count = 0, len(tokens)
    while place < count:
        token = tokens[place]
        phrases = () if token.roles & NUM else phrases_from(token.text.casefold().replace("’", "'"))
        for rest, meaning in phrases:
            stop = place + 1 + len(rest)
            if stop <= count and all(
                tokens[place + 1 + i].text.casefold() == word for i, word in enumerate(rest)
            ):
                end = tokens[stop - 1].end
                words = " ".join(t.text for t in tokens[place:stop])
                joined.append(Token(meaning.roles, token.start, end, words, meaning.period, meaning.scale, meaning.currency))
                place = stop
                break
        else:
            joined.append(token)
            place += 1
    return joined
