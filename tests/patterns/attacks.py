"""Texts that a pattern may find hard, made from the pattern itself.

A pattern is slow where a text can be read in many ways: in one loop that begins at every place, in two loops that read
the same characters, in a loop inside a loop. Such a text is a beginning that leads to the loop, a piece repeated, and
an end that does not fit. The pieces are one character of each kind that the pattern tells apart, pairs of them, and
the shortest texts that its parts match.
"""

from __future__ import annotations

import re
import re._constants as op  # type: ignore[import-not-found]
import re._parser as parser  # type: ignore[import-not-found]
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, product
from typing import Any

POOL = (
    " \n\t\r\x00\xa0\u200b\ufeff\u2028" + "".join(map(chr, range(33, 127)))
    + "éßŽıАя中アกع٣½€£¥’“”–—·…•、。（）：／＠｜🙂\ufffd\ud800"
)  # fmt: skip
MOST_LITERALS = 60
MOST_KINDS_IN_PAIRS = 8
MOST_KINDS, MOST_WORDS = 10, 12
"""Of these, behind each beginning."""
MOST_PIECES, LONGEST_PIECE = 50, 40
MOST_BEGINNINGS = 6
ENDS, ENDS_BEHIND = ("\x00", "", "\n!", "a"), ("\x00", "a")
REPEATS = (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT)
MANY = 100
"""A repeat that may go on longer than this counts as one without end."""


@dataclass(frozen=True)
class Attack:
    """`begin`, then `piece` again and again, then `end`."""

    begin: str
    piece: str
    end: str

    def text(self, times: int) -> str:
        return self.begin + self.piece * times + self.end

    def __str__(self) -> str:
        return f"{self.begin!r} + {self.piece!r} * n + {self.end!r}"


def attacks(pattern: str | bytes, flags: int) -> Iterator[Attack]:
    """Attacks on a pattern, the simplest first."""
    tree = parser.parse(pattern, flags)
    is_endless = any(code in REPEATS and value[1] > MANY for code, value in _nodes(tree))
    kinds = list(_kinds(tree))
    words = list(islice(dict.fromkeys(_pieces(tree)), MOST_PIECES))
    pairs = [a + b for a, b in product(kinds[:MOST_KINDS_IN_PAIRS], repeat=2) if a != b]
    pieces = [piece for piece in dict.fromkeys([*kinds, *words]) if 0 < len(piece) <= LONGEST_PIECE]
    yield from (Attack("", piece, "\x00") for piece in pieces)
    if not is_endless:
        return  # no text has more readings than the pattern has places: only what these cost is asked
    begins = list(islice(dict.fromkeys(["", *_beginnings(tree)]), MOST_BEGINNINGS))
    yield from (Attack("", piece, end) for piece, end in product(pieces, ENDS[1:]))
    yield from (Attack("", piece, "\x00") for piece in pairs)
    telling = [*kinds[:MOST_KINDS], *words[:MOST_WORDS]]
    for begin, piece in product(begins[1:], telling):
        yield from (Attack(begin, piece, end) for end in ENDS_BEHIND)
        yield Attack("", begin + piece, "\x00")


def _nodes(tree: Any) -> Iterator[tuple[Any, Any]]:
    """All parts of a pattern, the outer ones first."""
    for code, value in tree:
        yield code, value
        for inner in _inside(code, value):
            yield from _nodes(inner)


def _inside(code: Any, value: Any) -> list[Any]:
    if code is op.BRANCH:
        return list(value[1])
    if code is op.SUBPATTERN:
        return [value[3]]
    if code in REPEATS:
        return [value[2]]
    if code is op.ATOMIC_GROUP:
        return [value]
    return [value[1]] if code in (op.ASSERT, op.ASSERT_NOT) else []


def _kinds(tree: Any) -> Iterator[str]:
    """One character of each kind that the pattern tells apart, those that its repeats read first."""
    tests = list(
        {str(node): node for node in _nodes(tree) if node[0] in (op.LITERAL, op.NOT_LITERAL, op.IN, op.ANY)}.values()
    )
    literals = [chr(value) for code, value in tests if code is op.LITERAL][:MOST_LITERALS]
    members = [chr(value) for code, value in tests if code is op.IN for value in _members(value)][:MOST_LITERALS]
    ignore_case = bool(tree.state.flags & re.IGNORECASE)
    known: dict[tuple[bool, ...], str] = {}
    for character in dict.fromkeys([*POOL, *literals, *members]):
        marks = (
            character.isspace(),
            character.isalnum() or character == "_",
            *(_fits(test, character, ignore_case) for test in tests),
        )
        known.setdefault(marks, character)
    repeated = [
        inner[0]
        for code, value in _nodes(tree)
        if code in (op.MAX_REPEAT, op.MIN_REPEAT) and value[1] > MANY
        for inner in [[node for node in _nodes(value[2]) if node[0] in (op.LITERAL, op.NOT_LITERAL, op.IN, op.ANY)]]
        if inner
    ]
    yield from sorted(known.values(), key=lambda c: -sum(_fits(test, c, ignore_case) for test in repeated))


def _members(items: Any) -> Iterator[int]:
    for code, value in items:
        if code is op.LITERAL:
            yield value
        elif code is op.RANGE:
            yield from value


def _fits(test: tuple[Any, Any], character: str, ignore_case: bool) -> bool:
    """Whether a part of a pattern reads a character; nearly, which is enough to choose some."""
    code, value = test
    if ignore_case and character.lower() != character and _fits(test, character.lower(), False):
        return True
    number = ord(character)
    if code is op.LITERAL:
        return number == value
    if code is op.NOT_LITERAL:
        return number != value
    if code is op.ANY:
        return character != "\n"
    negated = value[0][0] is op.NEGATE
    found = any(_fits_member(kind, member, character, number) for kind, member in value)
    return found is not negated


def _fits_member(kind: Any, member: Any, character: str, number: int) -> bool:
    if kind is op.LITERAL:
        return bool(number == member)
    if kind is op.RANGE:
        return bool(member[0] <= number <= member[1])
    if kind is op.CATEGORY:
        is_word = character.isalnum() or character == "_"
        return {
            op.CATEGORY_DIGIT: character.isdecimal(),
            op.CATEGORY_NOT_DIGIT: not character.isdecimal(),
            op.CATEGORY_SPACE: character.isspace(),
            op.CATEGORY_NOT_SPACE: not character.isspace(),
            op.CATEGORY_WORD: is_word,
            op.CATEGORY_NOT_WORD: not is_word,
        }[member]
    return False


def _pieces(tree: Any) -> Iterator[str]:
    """Short texts that the parts of a pattern match: rounds of its loops, what stands between them, and all of it."""
    for code, value in _nodes(tree):
        if code in REPEATS:
            yield from _samples(value[2], 4)
    yield from _samples(tree, 4)
    for code, value in _nodes(tree):
        for inner in _inside(code, value):
            if len(inner) > 1:
                yield from _samples(inner, 2)
    run = ""
    for code, value in tree:
        if code is op.LITERAL:
            run += chr(value)
        elif run:
            yield run
            run = ""
    yield run


def _beginnings(tree: Any) -> Iterator[str]:
    """Texts that lead to each loop of a pattern."""

    def walk(items: Any, before: str) -> Iterator[str]:
        for code, value in items:
            for inner in _inside(code, value):
                if code in REPEATS and value[1] > MANY and before:
                    yield before
                if code in (op.SUBPATTERN, op.ATOMIC_GROUP, op.BRANCH) or code in (op.MAX_REPEAT, op.MIN_REPEAT):
                    yield from walk(inner, before)
            before += next(iter(_samples([(code, value)], 1)), "")

    yield from walk(tree, "")


def _samples(items: Any, most: int) -> list[str]:
    """Up to so many short texts that parts match; look-arounds and positions are not heeded."""
    texts = [""]
    for code, value in items:
        options = _options(code, value, most)
        texts = [text + option for text in texts for option in options][: most * 2]
    return texts[:most]


def _options(code: Any, value: Any, most: int) -> list[str]:
    if code is op.LITERAL:
        return [chr(value)]
    if code in (op.NOT_LITERAL, op.IN, op.ANY):
        fitting = [c for c in "a 1-.,/x\n\"'<" + POOL if _fits((code, value), c, False)]
        if not fitting and code is op.IN:
            fitting = [chr(member) for member in _members(value)]
        return fitting[:2] or [""]
    if code is op.BRANCH:
        return [text for branch in value[1][: most * 2] for text in _samples(branch, 1)] or [""]
    if code in (op.SUBPATTERN, op.ATOMIC_GROUP):
        return _samples(value[3] if code is op.SUBPATTERN else value, most)
    if code in REPEATS:
        once = _samples(value[2], most)
        return [text * max(1, min(value[0], 5)) for text in once] if value[0] else [*once[:1], ""]
    return [""]
