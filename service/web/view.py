"""Pages made of templates: escaped by default, no inline script or style, the same look everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from functools import cache, lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from fastapi import Request
from starlette.responses import HTMLResponse, Response

from service.web.answers import conditional
from service.web.exports import safe_link
from service.web.guard import COOKIE, Keys, writer

if TYPE_CHECKING:
    from jinja2 import Environment

HERE = Path(__file__).parent
STATIC = HERE / "static"


@cache
def environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "amount": amount,
        "day": day,
        "moment": moment,
        "words": words,
        "safe_link": safe_link,
        "pay": pay,
        "number": lambda n: f"{n:,}",
        "clean": clean,
    }
    made.globals["asset"] = asset
    made.globals["query"] = query
    return made


def page(request: Request, template: str, *, changed: datetime | None = None, **values: Any) -> Response:
    """A page with an ETag of its own."""
    body = environment().get_template(template).render(**_always(request), **values)
    return conditional(
        request, body.encode("utf-8", "replace"), "text/html; charset=utf-8", private=True, changed=changed
    )


def error_page(request: Request, status: int, title: str, detail: str, *, headers: dict[str, str]) -> Response:
    made = (
        environment().get_template("error.html").render(**_always(request), title=title, status=status, detail=detail)
    )
    return HTMLResponse(made.encode("utf-8", "replace"), status_code=status, headers=headers)


def _always(request: Request) -> dict[str, Any]:
    """What every template may use: who is logged in, the token of this session's forms, where we are."""
    keys: Keys = request.app.state.keys
    session = request.cookies.get(COOKIE)
    who = writer(request) if session else None
    return {
        "who": who,
        "form_token": keys.form_token(session) if who and session else "",
        "path": request.url.path,
        "may_log_in": bool(keys.tokens),
    }


@cache
def asset(name: str) -> str:
    """The address of a static file, with a mark of its content: it may be cached for good."""
    return f"/static/{name}?{blake2b((STATIC / name).read_bytes(), digest_size=6).hexdigest()}"


def query(given: Mapping[str, Any], **changes: Any) -> str:
    """A query string of filters, with changes; None takes a filter out.

    >>> query({"role": ["Data Engineer"], "open": True}, level=["senior"], open=None)
    '?role=Data+Engineer&level=senior'
    """
    pairs: list[str] = []
    for name, value in {**given, **changes}.items():
        for part in value if isinstance(value, list | tuple) else [value]:
            if part not in (None, ""):
                pairs.append(_pair(name, str(part).lower() if isinstance(part, bool) else str(part)))
    return "?" + "&".join(pairs) if pairs else ""


@lru_cache(maxsize=4096)
def _pair(name: str, value: str) -> str:
    """A page of results has some fifty links of much the same filters."""
    return urlencode([(name, value)])


def amount(value: Any, currency: str | None = None) -> str:
    """
    >>> amount(118250.5, "EUR"), amount(None), amount(21.75)
    ('EUR 118,250', '–', '21.75')
    """
    if value is None:
        return "–"
    said = f"{value:,.0f}" if abs(value) >= 1_000 or value == int(value) else f"{value:,.2f}"
    return f"{currency} {said}" if currency else said


def pay(row: Mapping[str, Any]) -> str:
    """The pay of a posting as we read it: range, currency and period.

    >>> pay({"salary_min": 60000, "salary_max": 80000, "currency": "EUR", "period": "year"})
    'EUR 60,000 – 80,000 a year'
    """
    low, high = row["salary_min"], row["salary_max"]
    if low is None and high is None:
        return "–"
    if low is not None and high is not None and low != high:
        said = f"{amount(low)} – {amount(high)}"
    elif low == high:
        said = amount(low)
    else:
        said = f"from {amount(low)}" if high is None else f"up to {amount(high)}"
    unit = f" {'an' if row['period'] == 'hour' else 'a'} {row['period']}" if row["period"] else ""
    return f"{row['currency'] or 'currency not stated'} {said}{unit}"


def day(value: datetime | date | None) -> str:
    return "–" if value is None else f"{value:%Y-%m-%d}"


def moment(value: datetime | None) -> str:
    return "–" if value is None else f"{value:%Y-%m-%d %H:%M} UTC"


def words(value: Any) -> str:
    """A code as people read it.

    >>> words("full_time"), words(["full_time", "contract"]), words(None)
    ('full time', 'full time, contract', '–')
    """
    if value is None or value in ("", [], ()):
        return "–"
    if isinstance(value, list | tuple):
        return ", ".join(words(part) for part in value)
    return str(value).replace("_", " ")


def clean(text: str | None) -> str:
    """Text without control characters that no reader can see and no parser likes."""
    return "".join(c for c in text or "" if c.isprintable() or c in "\n\t")
