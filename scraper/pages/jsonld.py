"""JSON-LD as it stands in real pages: in scripts of any spelling, wrapped, escaped, commented and mistyped.

A script is read as JSON; when that fails it is repaired token by token: comments and trailing commas go, missing
commas come, bad escapes and quotes are mended. A script that stays unreadable is a `Problem`, never silence. A
truncated script is not completed: what it would have said is unknown.
"""

from __future__ import annotations

import html
import json
import re
from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from scraper.pages.words import find

LONGEST_SCRIPT = 4_000_000
MOST_OBJECTS = 20_000
"""Objects of one page that are looked at; no page of jobs holds more."""

_OPENING = re.compile(rb"<script(?![\w\x80-\xff])")
LONGEST_ATTRIBUTES = 500
"""Characters of a script's attributes; four bytes each at most."""
MOST_TRIES = 1_000
"""Places of one page at which streamed data is tried as JSON."""
_SPACES = rb"(?:[\s\x1c-\x1f]|\xc2[\x85\xa0]|\xe1\x9a\x80|\xe2\x80[\x80-\x8a\xa8\xa9\xaf]|\xe2\x81\x9f|\xe3\x80\x80)*"
_CLOSING = re.compile(rb"</script" + _SPACES + rb">")
_IS_JSON_LD = re.compile(r"ld\s?(?:\+|&#0?43;|&#x2b;|&plus;)\s?json", re.IGNORECASE)
_PUSHED = re.compile(r"""\b__next_f\.push\(\[1,\s*("(?:[^"\\]|\\.)*")\]\)""", re.DOTALL)
_STREAMED = re.compile(r"""\{\s*"@(?:context|graph|type)"\s*:""")
_BEFORE = re.compile(
    r"(?: [\s\ufeff\u200b;]++ | <!-- | (?:(?://|/\*)\s*+)? <!\[CDATA\[ (?:\s*+(?:\*/|//))? )+", re.VERBOSE
)
"""What may stand before the JSON: blanks, `<!--`, `//<![CDATA[`."""
_AFTER_REVERSED = re.compile(
    r"(?: [\s\ufeff\u200b;]++ | >-- (?:\s*+//)? | (?:/\*\s*+)? >\]\] (?:\s*+(?://|\*/))? )+", re.VERBOSE
)
"""What may stand behind it, last character first, because a pattern that must reach the end is tried everywhere."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A part of a page that could not be read: a short code, one clear line, its start."""

    reason: str
    detail: str
    excerpt: str = ""


def json_ld_objects(page: str, *, only: str) -> tuple[list[object], list[Problem]]:
    """The values of all JSON-LD scripts that mention `only`, and the scripts that no repair could read.

    Scripts inside HTML comments count only when the page has no others.
    """
    values: list[object] = []
    problems: list[Problem] = []
    scripts = list(_scripts(page, only))
    live = [script for script in scripts if not script.commented]
    for script in live or scripts:
        found = read_loose_json(script.text)
        if found:
            values.extend(found)
        else:
            excerpt = " ".join(script.text.split())[:200]
            problems.append(
                Problem("broken_json_ld", "a JSON-LD script cannot be read as JSON, even repaired", excerpt)
            )
    return values or _streamed_objects(page, only), problems


def _streamed_objects(page: str, only: str) -> list[object]:
    """JSON-LD that a Next.js page carries only in the data for its scripts, as texts pushed one after the other."""
    pushed = [json.loads(found[1], strict=False) for found in _PUSHED.finditer(page) if _is_json(found[1])]
    text = "".join(pushed)
    if only.lower() not in text.lower():
        return []
    decoder, values, position = json.JSONDecoder(strict=False), list[object](), 0
    for _ in range(MOST_TRIES):
        start = _STREAMED.search(text, position)
        if start is None or len(values) >= 100:
            break
        try:
            value, position = decoder.raw_decode(text, start.start())
        except (ValueError, RecursionError):
            position = start.end()
        else:
            values.append(value)
    return values


def _is_json(text: str) -> bool:
    try:
        json.loads(text, strict=False)
    except ValueError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class _Script:
    text: str
    commented: bool


def _scripts(page: str, mentioned: str) -> Iterator[_Script]:
    """The JSON-LD scripts that mention a word, of any case. Bytes in lower case are searched: it is much faster."""
    data = page.encode("utf-8", "surrogatepass")
    lowered, word = data.lower(), mentioned.lower().encode()
    position = 0
    comments: list[tuple[int, int]] | None = None
    while opening := _opening(lowered, position):
        closing = _closing(lowered, opening.end)
        end = closing.start() if closing else len(data)
        if _is_json_ld(opening.attributes) and lowered.find(word, opening.end, end) >= 0:
            comments = _comments(lowered) if comments is None else comments
            before = bisect(comments, (opening.start, 0)) - 1
            commented = before >= 0 and opening.start < comments[before][1]
            text = data[opening.end : end].decode("utf-8", "surrogatepass")[:LONGEST_SCRIPT]
            yield _Script(text, commented)
        if closing is None:
            return
        position = closing.end()


def _is_json_ld(attributes: bytes) -> bool:
    return b"ld" in attributes and _IS_JSON_LD.search(attributes.decode("utf-8", "replace")) is not None


class _Opening(NamedTuple):
    """A tag that opens a script: where it stands and ends, and what stands in it."""

    start: int
    end: int
    attributes: bytes


def _opening(lowered: bytes, position: int, stop: int | None = None) -> _Opening | None:
    """The next tag that opens a script."""
    closed = -1
    while (position := find(lowered, b"<script", position, stop)) >= 0:
        if tag := _OPENING.match(lowered, position):
            if closed < tag.end():  # else the last search found the end of this tag, too
                closed = find(lowered, b">", tag.end(), stop)
            if closed < 0:
                return None
            attributes = lowered[tag.end() : closed] if closed - tag.end() <= 4 * LONGEST_ATTRIBUTES else None
            if attributes is not None and _is_short(attributes):
                return _Opening(position, closed + 1, attributes)
        position += 1
    return None


def _is_short(attributes: bytes) -> bool:
    return len(attributes) <= LONGEST_ATTRIBUTES or len(attributes.decode("utf-8", "replace")) <= LONGEST_ATTRIBUTES


def _closing(lowered: bytes, position: int) -> re.Match[bytes] | None:
    """The next tag that closes a script."""
    while (position := find(lowered, b"</script", position)) >= 0:
        if found := _CLOSING.match(lowered, position):
            return found
        position += 1
    return None


def _comments(lowered: bytes) -> list[tuple[int, int]]:
    """Spans of the HTML comments that hold a whole script."""
    spans: list[tuple[int, int]] = []
    position = 0
    while (start := find(lowered, b"<!--", position)) >= 0:
        stop = find(lowered, b"-->", start + 4)
        if stop < 0:
            break
        if len(spans) < 1_000 and _opening(lowered, start, stop) and not _inside_script(lowered, start):
            spans.append((start, stop))
        position = stop + 3
    return spans


def _inside_script(lowered: bytes, position: int) -> bool:
    """Whether `<!--` stands directly in a script, where it hides code from old browsers and comments nothing out."""
    before = lowered[max(0, position - 600) : position]
    last, position = None, 0
    while opening := _opening(before, position):
        last = position = opening.end
    return last is not None and _CLOSING.search(before, last) is None


def read_loose_json(text: str) -> list[object]:
    """The values in a text that should be JSON; an empty list when no repair makes it readable.

    >>> read_loose_json('<!-- {"@type": "JobPosting", "skills": ["SQL",], } -->')
    [{'@type': 'JobPosting', 'skills': ['SQL']}]
    """
    try:
        return _values(text.strip())  # sound, as most are
    except (ValueError, RecursionError):
        text = _unwrapped(text)
    for candidate in _readings(text):
        try:
            return _values(candidate)
        except (ValueError, RecursionError):
            continue
    return _last_resort(text)


def _readings(text: str) -> Iterator[str]:
    yield text
    plain = text
    if "&quot;" in text or "&#34;" in text or "&#x22;" in text.lower():
        plain = _unwrapped(html.unescape(text))
        yield plain
    yield repaired(plain)
    yield repaired(plain, quotes_inside=True)


def _unwrapped(text: str) -> str:
    """The text without what is wrapped around the JSON of a script.

    >>> _unwrapped("//<![CDATA[ {} //]]> -->")
    '{}'
    """
    if before := _BEFORE.match(text):
        text = text[before.end() :]
    if after := _AFTER_REVERSED.match(text[::-1]):
        text = text[: -after.end()]
    return text


def _values(text: str) -> list[object]:
    """All values that follow each other in a text. Raises `ValueError` when one cannot be read."""
    decoder = json.JSONDecoder(strict=False, parse_constant=lambda _name: None)
    values: list[object] = []
    position = 0
    while position < len(text):
        value, position = decoder.raw_decode(text, position)
        values.append(value)
        while position < len(text) and text[position] in " \t\r\n,;\u00a0\ufeff":
            position += 1
    if not any(isinstance(value, dict | list) for value in values):
        raise ValueError("no object")
    return values


def _last_resort(text: str) -> list[object]:
    import chompjs

    start = re.search(r"[{\[]", text)
    if start is None:
        return []
    try:
        value: object = chompjs.parse_js_object(text[start.start() : 1_000_000])
    except (ValueError, RecursionError, UnicodeError):
        return []
    return [value] if isinstance(value, dict | list) and value else []


_TOKENS = {
    "string": r'"(?:[^"\\]|\\.)*"',
    "string_with_quotes": r'"(?:[^"\\]|\\.|"(?!\s*+(?:[,:}\]]|\Z)))*"',
    "single": r"'(?:[^'\\]|\\.)*'",
    "block": r"/\*.*?\*/",
    "cut_string": r'".*',
    "cut_single": r"'.*",
    "cut_block": r"/\*.*",
    "comment": r"//[^\n]*|<!--|-->",
    "space": r"[\s\ufeff\u200b;]+",
    "open": r"[{\[]",
    "close": r"[}\]]",
    "colon": r":",
    "comma": r",",
    "word": r"[^\s\"'{}\[\]:,;/]+|/",
    "other": r".",
}
"""The kinds of tokens; the first that fits is taken. A string or comment that nothing ends is cut."""
_OF_CUT = {
    "cut_string": ("string", "string_with_quotes", "cut_string"),
    "cut_single": ("single", "cut_single"),
    "cut_block": ("block", "cut_block"),
}
"""Where one is cut, none of these kinds follows."""
_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{4}|.)", re.DOTALL)
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?\Z")
_LITERALS = {"true": "true", "false": "false", "null": "null", "undefined": "null", "nan": "null", "none": "null"}


def repaired(text: str, *, quotes_inside: bool = False) -> str:
    r"""JSON text with the usual mistakes mended; text without them comes back equal in meaning.

    >>> repaired('{/* a */ title: \'x\', "pay": "\\$5" "b": [1,],}')
    '{"title":"x","pay":"$5","b":[1]}'
    """
    out: list[str] = []
    after_value = False
    for kind, piece in _tokens(text, "string" if quotes_inside else "string_with_quotes"):
        if kind in ("block", "comment", "space"):
            continue
        if kind == "comma":
            if out and out[-1] not in ",{[:":
                out.append(",")
            after_value = False
            continue
        if kind == "close":
            if out and out[-1] == ",":
                out.pop()
            out.append(piece)
            after_value = True
            continue
        if kind == "colon":
            out.append(":")
            after_value = False
            continue
        if after_value:
            out.append(",")
        out.append(piece if kind == "open" else _value(kind, piece))
        after_value = kind != "open"
    return "".join(out)


def _tokens(text: str, without: str) -> Iterator[tuple[str, str]]:
    """The tokens of a text, without the kind `without`.

    Where a string or a comment has no end, its first character is a word, and none of its kind behind it has an end
    either: they are not looked for again, because each search would go through all of the rest.
    """
    left_out, position = frozenset((without,)), 0
    while position < len(text):
        for token in _pattern(left_out).finditer(text, position):
            kind, piece, position = token.lastgroup or "other", token.group(), token.end()
            if kind in _OF_CUT:
                yield "word", piece[0]
                left_out, position = left_out.union(_OF_CUT[kind]), token.start() + 1
                break
            yield kind, piece


@cache
def _pattern(left_out: frozenset[str]) -> re.Pattern[str]:
    """One alternation of the tokens that are not left out."""
    kinds = (f"(?P<{kind}>{pattern})" for kind, pattern in _TOKENS.items() if kind not in left_out)
    return re.compile("|".join(kinds), re.DOTALL)


def _value(kind: str, piece: str) -> str:
    if kind in ("string", "string_with_quotes"):
        return _escaped(piece[1:-1])
    if kind == "single":
        return _escaped(piece[1:-1].replace("\\'", "'"))
    if _NUMBER.match(piece):
        return piece
    return _LITERALS.get(piece.lower(), json.dumps(piece))


def _known_escape(found: re.Match[str]) -> str:
    """An escape that JSON has, as it is; of any other (`\\$`) only the character."""
    escape = found.group()
    return escape if escape[1] in '"\\/bfnrt' or len(escape) == 6 else escape[1:]


def _escaped(inside: str) -> str:
    inside = _ESCAPE.sub(_known_escape, inside)
    return '"' + re.sub(r'(?<!\\)((?:\\\\)*)"', r'\1\\"', inside) + '"'
