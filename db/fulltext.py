"""Search in words: what a posting's texts are cut into, what a query asks, and how both stores answer it.

The words are cut here and not by the stores: SQLite (FTS5) and PostgreSQL (tsvector) index the same words and know
nothing of languages, so a query finds the same postings on both. No stemming. A word is letters and digits, without
case and accents; `C++`, `C#` and `.NET` are words of their own, `node.js` and `R&D` are phrases of two. In scripts
written without spaces every character is a word, and what is asked together must stand together.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

LONGEST_WORD = 64
"""Characters of a word that count; what is longer is no word that anybody looks for."""
MOST_CHARACTERS = 250_000
"""Of the words of one posting: PostgreSQL takes a megabyte, and a character may be four bytes."""
MOST_TERMS = 40
BOUNDARY = "¶"
"""Stands between the texts of a posting, so that no phrase reaches across; never a word of a query."""

_ACCENTS = re.compile("[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+")
_SAME = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe"})
"""Letters that Unicode does not take apart."""
_SHARP = "♯"
_SPACELESS = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Thai, Lao, Burmese, Khmer, kana and Chinese characters."""
_LETTER = r"[^\W_]"
_WORD = r"\.net(?!{letter})|(?<!{letter})[a-z]\#|{word}(?:\+\+)?"
_PLAIN_WORD = re.compile(_WORD.format(letter=_LETTER, word=f"{_LETTER}+"))
_SPECIAL = (
    (".net", re.compile(r"\.net(?![a-z0-9])(?:\+\+)?"), " \x01 "),
    ("++", re.compile(r"\+\+(?<=[a-z0-9]\+\+)"), "\x02 "),
    ("#", re.compile(r"\#(?<=(?<![a-z0-9])[a-z]\#)"), "\x03 "),
)
"""What stays in a word of ASCII, where, and what stands for it while the rest is cut."""
_PARTED = {c: " " for c in range(128) if not (chr(c).isalnum() or 1 <= c <= 3)}
_MARKS = re.compile("[\x01-\x03]")
_FOREIGN = re.compile(r"[^\x00-\x7f]")
FEW = 20
_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»″", '"'))
_PIECE = re.compile(r'(?P<without>-?)"(?P<phrase>[^"]*)(?:"|$)|(?P<word>[^\s"]+)')


class QueryError(ValueError):
    """A query that cannot be asked: says why."""


@dataclass(frozen=True, slots=True)
class Term:
    """Words that stand side by side, in this order; of the last one only the beginning where `prefix`."""

    words: tuple[str, ...]
    prefix: bool = False
    excluded: bool = False


def words_of(text: str | None) -> list[str]:
    """The words of a text, in order.

    >>> words_of("Sr. C++/C# Entwickler:in für ASP.NET, node.js & R&D")
    ['sr', 'c++', 'c#', 'entwickler', 'in', 'fur', 'asp', '.net', 'node', 'js', 'r', 'd']
    >>> words_of("データ分析 (Łódź)")
    ['デ', 'ー', 'タ', '分', '析', 'lodz']
    """
    if not text:
        return []
    found = _cut(text.lower() if text.isascii() else _folded(text))
    if len(text) > LONGEST_WORD and len(max(found, key=len, default="")) > LONGEST_WORD:
        return [one[:LONGEST_WORD] for one in found]
    return found


def _cut(folded: str) -> list[str]:
    if folded.isascii():
        return _cut_ascii(folded)
    spaceless, marks, word = _patterns()
    characters = "".join(set(folded))
    if spaceless.search(characters):
        folded = spaceless.sub(r" \g<0> ", folded)
    return (word if marks.search(characters) else _PLAIN_WORD).findall(folded)


def _cut_ascii(folded: str) -> list[str]:
    """What `_PLAIN_WORD` finds, four times as fast: most texts are of this kind, and every posting is cut."""
    if _MARKS.search(folded):
        folded = _MARKS.sub(" ", folded)
    marked = folded
    for said, where, mark in _SPECIAL:
        if said in marked:
            marked = where.sub(mark, marked)
    words = marked.translate(_PARTED)
    if marked is not folded:
        for said, _, mark in _SPECIAL:
            words = words.replace(mark.strip(), said)
    return words.split()


def _folded(text: str) -> str:
    """Without case, accents and differences of form; what is no part of a word becomes a space."""
    characters = set(_FOREIGN.findall(text))
    if len(characters) > FEW:
        text = text.translate({ord(c): _folded_character(c) for c in characters})
    else:  # some dashes and quotes, mostly: five times as fast
        for character in characters:
            text = text.replace(character, _folded_character(character))
    folded = text.lower()
    return folded if folded.isascii() else unicodedata.normalize("NFC", folded)


@lru_cache(maxsize=20_000)
def _folded_character(character: str) -> str:
    """NFKD takes letters and their marks apart; twice, for folding case may bring forth marks."""
    if character == _SHARP:
        return "#"
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold())
    bare = _ACCENTS.sub("", apart).translate(_SAME)
    return "".join(c if c.isascii() or unicodedata.category(c)[0] in "LMN" else " " for c in bare)


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    """A character of a script without spaces; a mark; a word with the marks that belong to its letters."""
    marks = "".join(re.escape(chr(c)) for c in range(sys.maxunicode) if unicodedata.category(chr(c)) in ("Mn", "Mc"))
    word = f"{_LETTER}(?:{_LETTER}|[{marks}])*"
    return (
        re.compile(f"[{_SPACELESS}][{marks}]*"),
        re.compile(f"[{marks}]"),
        re.compile(_WORD.format(letter=_LETTER, word=word)),
    )


def searchable(texts: Iterable[str | None]) -> str:
    """The words of a posting's texts as the stores index them: parted by spaces, the texts by `BOUNDARY`."""
    made = f" {BOUNDARY} ".join(" ".join(words) for text in texts if (words := words_of(text)))
    return made if len(made) <= MOST_CHARACTERS else made[: made.rindex(" ", 0, MOST_CHARACTERS + 1)]


def parse_query(query: str) -> tuple[Term, ...]:
    """What a query asks: all terms must occur, those with a minus must not.

    The last word, and a word that ends in `*`, may go on; a single letter at the end is the letter ("R").

    >>> parse_query('"data eng" node.js -java berl')[1:3]
    (Term(words=('node', 'js'), prefix=False, excluded=False), Term(words=('java',), prefix=False, excluded=True))
    >>> parse_query('senior berl')[-1], parse_query("r")
    (Term(words=('berl',), prefix=True, excluded=False), (Term(words=('r',), prefix=False, excluded=False),))
    """
    terms: list[Term] = []
    typing = False
    for piece in _PIECE.finditer(query.translate(_QUOTES)):
        term = _term(piece)
        if term is not None and term not in terms:
            terms.append(term)
            typing = piece["word"] is not None and not term.excluded and len(term.words[-1]) > 1
    if not terms:
        raise QueryError(f'{query!r} holds nothing to search for: write a word, a number or a "phrase"')
    if len(terms) > MOST_TERMS:
        raise QueryError(f"a search takes {MOST_TERMS} words and phrases, not {len(terms)}")
    if typing:
        terms[-1] = Term(terms[-1].words, prefix=True)
    return tuple(terms)


def _term(piece: re.Match[str]) -> Term | None:
    if piece["phrase"] is not None:
        words = words_of(piece["phrase"])
        return Term(tuple(words), excluded=bool(piece["without"])) if words else None
    said = piece["word"]
    words = words_of(said)
    if not words:
        return None
    return Term(tuple(words), prefix=said.endswith("*"), excluded=said.startswith("-"))


def sqlite_match(terms: Sequence[Term], between: str) -> str:
    """The terms in the language of FTS5, joined by AND or OR.

    >>> sqlite_match(parse_query("c++ node.js"), "AND")
    '"c++" AND "node js" *'
    """
    said = ['"' + " ".join(term.words) + '"' + (" *" if term.prefix else "") for term in terms]
    return f" {between} ".join(said)


def postgres_query(term: Term) -> str:
    """A term as a tsquery: all its words, wherever they stand.

    >>> postgres_query(parse_query("c++ node.js")[1])
    "'node' & 'js':*"
    """
    return " & ".join(f"'{word}'" for word in term.words) + (":*" if term.prefix else "")


def side_by_side(term: Term) -> str | None:
    """What a posting's words, with a space before and behind, hold when a phrase occurs; None for a single word."""
    return " " + " ".join(term.words) + ("" if term.prefix else " ") if len(term.words) > 1 else None


def matches(terms: Sequence[Term], words: str) -> bool:
    """Whether words as `searchable` gives them answer the terms: what both stores must agree with.

    >>> matches(parse_query('"data engineer" -java ber'), searchable(["Data Engineer", "Berlin"]))
    True
    """
    spaced = f" {words} "
    return all(
        (" " + " ".join(term.words) + ("" if term.prefix else " ") in spaced) is not term.excluded for term in terms
    )
