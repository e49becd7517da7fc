"""JSON-LD as it stands in real pages: in scripts of any spelling, wrapped, escaped, commented and mistyped.

A script is read as JSON; when that fails it is repaired token by token: comments and trailing commas go, missing
commas come, bad escapes and quotes are mended. A script that stays unreadable is a `Problem`, never silence. A
truncated script is not completed: what it would have said is unknown.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from scraper.pages.words import find

LONGEST_SCRIPT = 4_000_000
MOST_OBJECTS = 20_000
"""Objects of one page that are looked at; no page of jobs holds more."""

_OPENING = re.compile(rb"<script(?![\w\x80-\xff])(?P<attributes>[^>]{0,2000})>")
LONGEST_ATTRIBUTES = 500
_SPACES = rb"(?:[\s\x1c-\x1f]|\xc2[\x85\xa0]|\xe1\x9a\x80|\xe2\x80[\x80-\x8a\xa8\xa9\xaf]|\xe2\x81\x9f|\xe3\x80\x80)*"
_CLOSING = re.compile(rb"</script" + _SPACES + rb">")
_IS_JSON_LD = re.compile(r"ld\s?(?:\+|&#0?43;|&#x2b;|&plus;)\s?json", re.IGNORECASE)
_PUSHED = re.compile(r"""\b__next_f\.push\(\[1,\s*("(?:[^"\\]|\\.)*")\]\)""", re.DOTALL)
_STREAMED = re.compile(r"""\{\s*"@(?:context|graph|type)"\s*:""")
_WRAPPERS = re.compile(
    r"""
      \A (?: [\s\ufeff\u200b\u00a0;]+ | <!-- | (?://|/\*)? \s* <!\[CDATA\[ \s* (?:\*/|//)? )+
    | (?: [\s\ufeff\u200b\u00a0;]+ | (?://)? \s* --> | (?://|/\*)? \s* \]\]> \s* (?:\*/)? )+ \Z
    """,
    re.VERBOSE,
)


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
    while (start := _STREAMED.search(text, position)) and len(values) < 100:
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
        closing = _closing(lowered, opening.end())
        end = closing.start() if closing else len(data)
        if _is_json_ld(opening["attributes"]) and word in lowered[opening.end() : end]:
            comments = _comments(lowered) if comments is None else comments
            commented = any(start < opening.start() < stop for start, stop in comments)
            text = data[opening.end() : end].decode("utf-8", "surrogatepass")[:LONGEST_SCRIPT]
            yield _Script(text, commented)
        if closing is None:
            return
        position = closing.end()


def _is_json_ld(attributes: bytes) -> bool:
    return b"ld" in attributes and _IS_JSON_LD.search(attributes.decode("utf-8", "replace")) is not None


def _opening(lowered: bytes, position: int, stop: int | None = None) -> re.Match[bytes] | None:
    """The next tag that opens a script."""
    while (position := find(lowered, b"<script", position, stop)) >= 0:
        found = _OPENING.match(lowered, position)
        if found is not None and (stop is None or found.end() <= stop) and _is_short(found["attributes"]):
            return found
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
    openings = [match.end() for match in _OPENING.finditer(before)]
    return bool(openings) and _CLOSING.search(before, openings[-1]) is None


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
    while True:
        shorter = _WRAPPERS.sub("", text)
        if shorter == text:
            return text
        text = shorter


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


_STRING = r'"(?:[^"\\]|\\.)*"'
_STRING_WITH_QUOTES = r'"(?:[^"\\]|\\.|"(?!\s*(?:[,:}\]]|\Z)))*"'
_TOKENS = r"""
    | (?P<single>  '(?:[^'\\]|\\.)*' )
    | (?P<comment> //[^\n]* | /\*.*?\*/ | <!-- | --> )
    | (?P<space>   [\s\ufeff\u00a0\u200b;]+ )
    | (?P<open>    [{\[] )
    | (?P<close>   [}\]] )
    | (?P<colon>   : )
    | (?P<comma>   , )
    | (?P<word>    [^\s"'{}\[\]:,;/]+ | / )
    | (?P<other>   . )
"""
_TOKEN = re.compile(rf"(?P<string>{_STRING}){_TOKENS}", re.VERBOSE | re.DOTALL)
_TOKEN_WITH_QUOTES = re.compile(rf"(?P<string>{_STRING_WITH_QUOTES}){_TOKENS}", re.VERBOSE | re.DOTALL)
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
    for token in (_TOKEN_WITH_QUOTES if quotes_inside else _TOKEN).finditer(text):
        kind, piece = token.lastgroup, token.group()
        if kind in ("comment", "space"):
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


def _value(kind: str | None, piece: str) -> str:
    if kind == "string":
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
