"""Cuts a text into the few kinds of token that matter for pay, in one pass and in linear time."""

import re
from decimal import Decimal
from functools import cache
from typing import NamedTuple

from aggregator.normalise.salary.lexicon import (
    BIT,
    Meaning,
    cjk_words,
    fold,
    meaning_of,
    phrase_starts,
    signs,
    token_meaning,
)
from aggregator.normalise.salary.numbers import read_number

NUM, CUR, SCALE, NOUN, PLURAL, ADV, PER, TO = (
    BIT[r] for r in ("num", "cur", "scale", "noun", "plural", "adv", "per", "to")
)
STOP, COMMA, OPEN, CLOSE, SLASH, COLON, PERCENT, DASH, TIMES, WORD, NEWLINE, PLUS = (
    BIT[r]
    for r in ("stop", "comma", "open", "close", "slash", "colon", "percent", "dash", "times", "word", "newline", "plus")
)
PHRASE = BIT["phrase"]
_DASH, _WAVE = DASH | TO, DASH | TO | BIT["approx"]
_ABBREVIATED = (
    CUR | NOUN | PLURAL | ADV | PER | SCALE | BIT["approx"] | BIT["from"] | BIT["upto"] | BIT["fill"] | BIT["with"]
)
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
        "、": ",",
        "。": "!",
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
    """One alternation, ordered so that the first character of a piece decides almost always."""
    marks = "".join(sorted({s for s in signs() if len(s) == 1 and not s.isalnum() and s != "$"}))
    return re.compile(
        rf"""
          (?P<cjk>[\u3041-\u30fa\u3400-\u9fff\uac00-\ud7af\u0e01-\u0e3a\u0e40-\u0e4e]+)
        | (?P<link>https?://[^\s]+)
        | (?P<word>[^\W\d_]+(?:['’״"\-][^\W\d_]+|(?<=\b[^\W\d_])(?:/[^\W\d_]{{1,5}}(?![^\W\d_])
                | (?:\.[^\W\d_](?![^\W\d_]))+\.?))*)
        | (?P<digits>\d{{4}}-\d\d-\d\d(?:[T\ ]\d\d:\d\d(?::\d\d)?)? | \d\d?[:h]\d\d(?:\s?[ap]\.?m\b)?
                | \d\d?/\d\d?/\d{{4}}\b | \d\d?\.\d\d?\.\d{{4}}\b | (?:\d-)?\d{{3}}[-.]\d{{3}}[-.]\d{{4}}\b
                | \d{{2,4}}\*{{3,6}}\d{{2,4}})
        | (?P<retirement>4(?:01|03|57)\s?\(?[kKbB]\b\)?)
        | (?P<num>\d{{1,3}}(?:[\ \u00a0\u2007\u2009\u202f]\d{{3}})+ (?!\d) (?:[.,]\d{{1,2}}(?!\d))?
                | \d+(?:[.,'’‘ʼ´`٬٫]\d+)*)
        | (?P<cur>[{re.escape(marks)}] | \$(?:[A-Z]{{1,3}}(?![A-Za-z]))? | ‚¬)
        | (?P<cents>[.,][-–—]{{1,2}}(?!\d)(?<=\d[.,][-–—]|[.,][-–—]{{2}}))
        | (?P<dash>[-–—−‐‑‒―~～〜∼]+)
        | (?P<phone>\+\d[\d\ ()-]{{7,18}}\d | \(\d{{3}}\)\ ?\d{{3}}-\d{{4}})
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
def _cjk_lengths() -> dict[str, tuple[int, ...]]:
    """First character of a word -> the lengths of the words that begin with it, longest first."""
    lengths: dict[str, set[int]] = {}
    for word in cjk_words():
        lengths.setdefault(word[0], set()).add(len(word))
    return {first: tuple(sorted(found, reverse=True)) for first, found in lengths.items()}


def tokenise(text: str) -> list[Token]:
    """The tokens of a text, in order. Words that say nothing are kept as `word`: distance counts."""
    if not text.isascii():
        text = text.translate(_SAME_LENGTH)
    tokens: list[Token] = []
    append, new = tokens.append, tuple.__new__  # a third of a NamedTuple's own constructor
    seen = 0
    for match in _token_pattern().finditer(text):
        kind = match.lastgroup
        start, end = match.span()
        piece = text[start:end]
        if kind == "word":
            meaning = token_meaning(piece)
            if meaning is None:
                if piece[1:].islower() and piece.isalpha() and not (tokens and tokens[-1].end == start):
                    append(new(Token, (WORD, start, end, piece, None, None, None, None)))
                else:
                    _add_unknown(tokens, piece, start, end)
            else:
                seen |= meaning[0]
                append(new(Token, (meaning[0], start, end, piece, meaning[1], meaning[2], meaning[3], None)))
        elif kind == "num":
            value = read_number(piece)
            append(new(Token, (NUM if value is not None else WORD, start, end, piece, None, None, None, value)))
        elif kind == "punct":
            _add_punct(tokens, text, piece, start, end)
        elif kind == "cur":
            _add_sign(tokens, piece, start, end)
        elif kind == "dash":
            append(new(Token, (_WAVE if piece[0] in "~～〜∼" else _DASH, start, end, piece, None, None, None, None)))
        elif kind == "newline":
            append(new(Token, (NEWLINE, start, end, piece, None, None, None, None)))
        elif kind == "cjk":
            _add_cjk(tokens, piece, start)
        elif kind == "retirement":
            append(Token(BIT["extra"], start, end, piece))
        elif kind != "cents":
            append(Token(WORD, start, end, piece))
    return _join_phrases(tokens) if seen & PHRASE else tokens


def _add_sign(tokens: list[Token], piece: str, start: int, end: int) -> None:
    """A sign, with the letters glued before it that belong to it: "US" and "$" are one sign, "Pay" and "$" are two."""
    known = signs()
    if tokens:
        last = tokens[-1]
        if last.end == start and last.text[-1:].isalpha() and last.text + piece in known:
            start, piece = last.start, tokens.pop().text + piece
    meaning = known.get(piece)
    if meaning is None and len(piece) > 1:
        tokens.append(Token(CUR, start, start + 1, "$", currency="$"))
        tokens.append(_token(meaning_of(piece[1:]), piece[1:], start + 1, end))
        return
    currency = meaning.currency if meaning else None
    tokens.append(tuple.__new__(Token, (CUR, start, end, piece, None, None, currency, None)))


def _token(meaning: Meaning | None, piece: str, start: int, end: int) -> Token:
    if meaning is None:
        return Token(WORD, start, end, piece)
    return Token(meaning.roles, start, end, piece, meaning.period, meaning.scale, meaning.currency)


def _add_unknown(tokens: list[Token], piece: str, start: int, end: int) -> None:
    """A word that says nothing, unless a lost space hides one that does: "60kper annum", "12ph", "hourThis"."""
    if tokens and tokens[-1].end == start and tokens[-1].roles & NUM:
        for cut in (1, 2, 3):
            head, tail = meaning_of(piece[:cut]), meaning_of(piece[cut:])
            if head and head.roles & (SCALE | PER) and tail:
                tokens.append(_token(head, piece[:cut], start, start + cut))
                tokens.append(_token(tail, piece[cut:], start + cut, end))
                return
    if not piece[1:].islower():
        seam = _SEAM.search(piece)
        head = meaning_of(piece[: seam.end()]) if seam else None
        if seam and head:
            tokens.append(_token(head, piece[: seam.end()], start, start + seam.end()))
            tokens.append(Token(STOP, start + seam.end(), start + seam.end(), ""))
            _add_word(tokens, piece[seam.end() :], start + seam.end(), end)
            return
    if "-" in piece:
        word, _, rest = piece.partition("-")
        first = meaning_of(word)
        if first:
            middle = start + len(word)
            tokens.append(_token(first, word, start, middle))
            tokens.append(Token(_DASH, middle, middle + 1, "-"))  # "C$85K-C$100K": it may join two ends
            _add_word(tokens, rest, middle + 1, end)
            return
    tokens.append(Token(WORD, start, end, piece))


def _add_word(tokens: list[Token], piece: str, start: int, end: int) -> None:
    meaning = token_meaning(piece)
    if meaning is None:
        _add_unknown(tokens, piece, start, end)
    else:
        tokens.append(_token(meaning, piece, start, end))


def _add_punct(tokens: list[Token], text: str, piece: str, start: int, end: int) -> None:
    roles = _PUNCT.get(piece, STOP)
    if piece == "/" and tokens and tokens[-1].end == start and tokens[-1].text in ("S", "B"):
        _add_sign(tokens, "/" if tokens[-1].text == "S" else "/.", start, end)
        return
    if piece == "." and tokens:
        last = tokens[-1]
        after = text[end : end + 2].lstrip()
        if (
            last.end == start
            and last.roles & (NOUN | ADV)
            and text[end : end + 1].isupper()
            and text[end + 1 : end + 2].isalpha()
        ):
            tokens.append(Token(STOP, start, end, piece))  # "$21.54/Hr.Maximum": a tag was taken out
            return
        short = last.end == start and len(last.text) <= 6 and not last.text.isupper()
        if short and (last.roles & _ALWAYS_SHORT or (last.roles & _ABBREVIATED and after[:1].islower())):
            return
        if after and text[end : end + 1].strip():
            return
    tokens.append(tuple.__new__(Token, (roles, start, end, piece, None, None, None, None)))


def _add_cjk(tokens: list[Token], piece: str, offset: int) -> None:
    words, lengths = cjk_words(), _cjk_lengths()
    said = at = 0
    while at < len(piece):
        length = next((n for n in lengths.get(piece[at], ()) if piece[at : at + n] in words), 0)
        if not length:
            at += 1
            continue
        if at > said:
            tokens.append(Token(WORD, offset + said, offset + at, piece[said:at]))
        word = piece[at : at + length]
        tokens.append(_token(words[word], word, offset + at, offset + at + length))
        said = at = at + length
    if said < len(piece):
        tokens.append(Token(WORD, offset + said, offset + len(piece), piece[said:]))


def _join_phrases(tokens: list[Token]) -> list[Token]:
    """Replaces the tokens of a known phrase ("on target earnings") by one token."""
    for place, token in enumerate(tokens):
        if token.roles & PHRASE and _phrase_at(tokens, place):
            break
    else:
        return tokens
    joined = tokens[:place]
    while place < len(tokens):
        token = tokens[place]
        found = _phrase_at(tokens, place) if token.roles & PHRASE else None
        if found:
            meaning, stop = found
            words = " ".join(t.text for t in tokens[place:stop])
            joined.append(_token(meaning, words, token.start, tokens[stop - 1].end))
            place = stop
        else:
            joined.append(token)
            place += 1
    return joined


def _phrase_at(tokens: list[Token], place: int) -> tuple[Meaning, int] | None:
    """The longest phrase that begins at a place: what it means, and the place after it."""
    if place + 1 >= len(tokens):
        return None
    following = phrase_starts()[fold(tokens[place].text)].get(fold(tokens[place + 1].text), ())
    for rest, meaning in following:
        stop = place + 2 + len(rest)
        if stop <= len(tokens) and all(
            fold(t.text) == word for t, word in zip(tokens[place + 2 : stop], rest, strict=True)
        ):
            return meaning, stop
    return None
