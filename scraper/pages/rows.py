"""Decoded answers read field by field: every field is handled, ignored by name, or kept.

A `Row` remembers which of its fields were asked for. `rest()` hands back the others, so that a field which a platform
adds tomorrow is stored beside the posting instead of being lost. A value of an unexpected shape counts as not handled.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import date

from db.records import PublishedPay, published_amount
from db.text import one_line, repair
from scraper.pages.dates import day
from scraper.pages.plain import plain_text

PERSONAL = re.compile(
    r"""
      e[-_]?mail | phone | fax(?![a-z]) | recruiter | recruiting_?manager | hiring_?(?:manager|lead) | contact
    | creator | author | posted_?by | created_?by | updated_?by | reporting_?to | ^owner | ^users?$ | user_?name
    | ^poster | referrer | first_?name | last_?name | avatar | photo | gravatar | interviewer
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""Names of fields that hold a person: recruiters and authors are nobody's business here, so they are never kept."""

DEEPEST = 12
"""Levels of a kept value; what lies deeper is kept as its JSON text."""


class AnswerError(ValueError):
    """An answer cannot be read as what it should be: a short code, one clear line, the start of what came instead."""

    def __init__(self, reason: str, detail: str, excerpt: str = "") -> None:
        self.reason, self.detail, self.excerpt = reason, detail, excerpt
        super().__init__(f"{reason}: {detail}")


def decoded_json(body: bytes) -> object:
    """The value of a JSON answer. NaN and Infinity, which JSON does not have, read as null.

    Raises `AnswerError`: `empty`, `html_instead_of_json` or `broken_json`.
    """
    start = body[:200].lstrip(b"\xef\xbb\xbf \t\r\n")
    excerpt = body[:200].decode("utf-8", "replace")
    if not start:
        raise AnswerError("empty", "the answer has no content")
    if start[:1] == b"<":
        raise AnswerError("html_instead_of_json", "markup came where JSON was asked for", excerpt)
    try:
        return json.loads(body, parse_constant=_nothing)
    except UnicodeDecodeError:
        return _json_of(body.decode("utf-8", "replace"), excerpt)
    except (ValueError, RecursionError) as error:
        raise AnswerError("broken_json", f"cannot be read as JSON ({error})"[:200], excerpt) from error


def _json_of(text: str, excerpt: str) -> object:
    try:
        return json.loads(text, parse_constant=_nothing)
    except (ValueError, RecursionError) as error:
        raise AnswerError("broken_json", f"cannot be read as JSON ({error})"[:200], excerpt) from error


def _nothing(_name: str) -> None:
    """NaN and Infinity say nothing, and no database takes them as JSON."""


class Row:
    """One object of an answer, consumed field by field.

    >>> row = Row({"id": 7, "title": " Data  Engineer ", "colour": "red", "recruiter": "Jane"})
    >>> row.text("id"), row.text("title"), row.rest()
    ('7', 'Data Engineer', {'colour': 'red'})
    """

    __slots__ = ("_inner", "_left", "_values")

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values
        self._left = set(values)
        self._inner: dict[str, list[Row]] = {}

    @classmethod
    def of(cls, value: object) -> Row:
        """The row of an object; an empty one of anything else."""
        return cls(value) if isinstance(value, dict) else cls({})

    def __bool__(self) -> bool:
        return bool(self._values)

    @property
    def values(self) -> Mapping[str, object]:
        """All fields, none of them handled by looking."""
        return self._values

    def raw(self, name: str) -> object:
        """The value as it stands, handled."""
        self._left.discard(name)
        return self._values.get(name)

    def peek(self, name: str) -> object:
        """The value as it stands, still to be handled."""
        return self._values.get(name)

    def ignore(self, *names: str) -> None:
        """Fields that say nothing about the job, or what another field says better."""
        self._left.difference_update(names)
        for name in names:
            self._inner.pop(name, None)

    def text(self, *names: str) -> str | None:
        """The first of these fields that holds words or a number, on one line; all of them are handled."""
        found = None
        for name in names:
            value = self._values.get(name)
            if value is None or is_scalar(value):
                self._left.discard(name)
                if found is None and value is not None:
                    found = one_line(value if isinstance(value, str) else published_amount(value))
        return found

    def html(self, *names: str) -> str | None:
        """The first of these fields with content, as plain text with its paragraphs and list items."""
        found = None
        for name in names:
            value = self._values.get(name)
            if value is None or isinstance(value, str):
                self._left.discard(name)
                if found is None and isinstance(value, str):
                    found = plain_text(value)
        return found

    def texts(self, name: str) -> tuple[str, ...]:
        """The words of a list (or of one text), each on one line, repeats left out."""
        value = self._values.get(name)
        items = value if isinstance(value, list) else [value]
        if not all(item is None or is_scalar(item) for item in items):
            return ()
        self._left.discard(name)
        lines = (one_line(item if isinstance(item, str) else published_amount(item)) for item in items)
        return tuple(dict.fromkeys(line for line in lines if line))

    def labels(self, name: str, *keys: str) -> tuple[str, ...]:
        """The names of a list of labelled objects (`[{"id": 1, "name": "Data"}]`), or of a list of words."""
        if rows := self.rows(name):
            return tuple(dict.fromkeys(label for row in rows if (label := row.text(*keys))))
        return self.texts(name)

    def day(self, name: str) -> date | None:
        """The day that a field names; a value that names none stays unhandled, so it is kept."""
        found = day(self._values.get(name))
        if found is not None or self._values.get(name) in (None, "", 0):
            self._left.discard(name)
        return found

    def amount(self, name: str) -> str | None:
        """An amount as published."""
        value = self._values.get(name)
        if value is not None and not is_scalar(value):
            return None
        self._left.discard(name)
        return one_line(published_amount(value))

    def flag(self, name: str) -> bool | None:
        """True or false; None when the field is absent or says neither."""
        value = self._values.get(name)
        if isinstance(value, str):
            value = {"true": True, "false": False}.get(value.strip().lower())
        if isinstance(value, bool):
            self._left.discard(name)
            return value
        if self._values.get(name) is None:
            self._left.discard(name)
        return None

    def row(self, name: str) -> Row:
        """The object in a field; an empty row when there is none. What it does not hand out stays in `rest()`."""
        value = self._values.get(name)
        if value is None or isinstance(value, dict):
            self._left.discard(name)
        inner = Row.of(value)
        self._inner[name] = [inner]
        return inner

    def rows(self, name: str) -> list[Row]:
        """The objects of a list; one object alone counts as a list of one."""
        value = self._values.get(name)
        items = [value] if isinstance(value, dict) else value
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            return []
        self._left.discard(name)
        inner = [Row.of(item) for item in items]
        self._inner[name] = inner
        return inner

    def rest(self) -> dict[str, object]:
        """What nobody asked for, without empty values and without persons, fit for any database."""
        kept: dict[str, object] = {}
        for name in self._values:
            if PERSONAL.search(name):
                continue
            if name in self._left:
                value = _kept(self._values[name], DEEPEST)
            else:
                parts = [part for inner in self._inner.get(name, ()) if (part := inner.rest())]
                value = parts[0] if len(parts) == 1 else parts
            if not _is_empty(value):
                kept[repair(name)] = value
        return kept


def is_scalar(value: object) -> bool:
    """Words or a number; true and false are neither."""
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def rows_of(value: object) -> list[Row]:
    """The objects of a decoded list; what is no object in it is passed over.

    Raises `AnswerError` when it is no list.
    """
    if not isinstance(value, list):
        raise AnswerError("unknown_shape", f"a list was expected, not {type(value).__name__}", str(value)[:200])
    return [Row(item) for item in value if isinstance(item, dict)]


def listed_in(answer: object, name: str) -> list[Row]:
    """The objects listed in a field of an answer. Raises `AnswerError` when the answer has no such list."""
    if not isinstance(answer, dict) or not isinstance(answer.get(name), list):
        raise AnswerError("unknown_shape", f"the answer has no list {name!r}", str(answer)[:200])
    return rows_of(answer[name])


def published_pay(
    low: str | None,
    high: str | None,
    currency: str | None = None,
    period: str | None = None,
    label: str | None = None,
) -> tuple[PublishedPay, ...]:
    """One pay statement, or none when it names no amount."""
    if low is None and high is None:
        return ()
    return (PublishedPay(min=low, max=high, currency=currency, period=period, label=label),)


def joined(parts: Iterable[str | None], between: str = ", ") -> str | None:
    """The parts that are there, each once.

    >>> joined(["Berlin", None, "Berlin", "Germany"])
    'Berlin, Germany'
    """
    return between.join(dict.fromkeys(part for part in parts if part)) or None


def _kept(value: object, depth: int) -> object:
    if isinstance(value, str):
        return repair(value)
    if isinstance(value, int) and abs(value) >= 2**63:
        return str(value)
    if isinstance(value, list | dict) and depth == 0:
        return json.dumps(value)[:2_000]
    if isinstance(value, list):
        return [_kept(item, depth - 1) for item in value]
    if isinstance(value, dict):
        return {
            repair(name): _kept(item, depth - 1)
            for name, item in value.items()
            if not PERSONAL.search(name) and not _is_empty(item)
        }
    return value


def _is_empty(value: object) -> bool:
    return value is None or value == "" or value == [] or value == {}
