"""The filters: one declaration for the command line, the API, the pages, the reports and the exports.

A filter or a value that does not exist is an error that names those that do; no filter is ever ignored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import ColumnElement, Text, and_, cast, func, or_, true
from sqlalchemy.dialects import postgresql, sqlite

from db.codes import country_meant, is_country, is_currency
from db.fulltext import QueryError, parse_query
from db.tables import POSTING
from db.words import Found

LEVELS = ("internship", "entry", "mid", "senior", "lead", "manager", "director", "executive")
EMPLOYMENT_TYPES = (
    "full_time",
    "part_time",
    "contract",
    "freelance",
    "internship",
    "temporary",
    "apprenticeship",
    "volunteer",
)
REMOTE = ("onsite", "hybrid", "remote")
PERIODS = ("hour", "day", "week", "month", "year")

P: Any = POSTING.c


class FilterError(ValueError):
    """A filter, or its value, that does not exist: the message names those that do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What to select: every part is optional, all given parts must hold, the values of one part are alternatives."""

    role: tuple[str, ...] = ()
    family: tuple[str, ...] = ()
    level: tuple[str, ...] = ()
    title: str | None = None
    """A part of the title, in any case."""
    company: tuple[str, ...] = ()
    """A part of the employer's name, in any case."""
    country: tuple[str, ...] = ()
    """ISO 3166-1 alpha-2; a job open to several countries is in each."""
    city: tuple[str, ...] = ()
    remote: tuple[str, ...] = ()
    employment: tuple[str, ...] = ()
    currency: tuple[str, ...] = ()
    min_salary: Decimal | None = None
    """Yearly; US dollars, or the one `currency` given. A range matches when it reaches this amount."""
    max_salary: Decimal | None = None
    source: tuple[str, ...] = ()
    since: date | None = None
    """Posted on or after this day; where the site gives no date, first seen on or after it."""
    until: date | None = None
    open: bool | None = None
    flagged: bool | None = None
    """True: an undismissed flag keeps the posting out of statistics. False: none does."""
    has_salary: bool | None = None
    include_unknown_pay: bool = False
    ids: tuple[str, ...] = ()
    """Postings by key."""
    text: str | None = None
    """Words that all occur in title, employer, place or description: the language of `db.fulltext.parse_query`."""

    def __post_init__(self) -> None:
        for name, allowed in CLOSED.items():
            for value in getattr(self, name):
                if value not in allowed:
                    raise FilterError(f"--{name} {value!r} does not exist; choose from: {', '.join(allowed)}")
        for value in self.country:
            if not is_country(value):
                meant = country_meant(value)
                remedy = f"did you mean {meant}?" if meant else "write DE, US, GB…"
                raise FilterError(f"--country {value!r} is no ISO 3166-1 code; {remedy}")
        for value in self.currency:
            if not is_currency(value):
                raise FilterError(f"--currency {value!r} is no ISO 4217 code; write EUR, USD, GBP…")
        if self.has_pay_bounds and len(self.currency) > 1:
            raise FilterError("a salary filter holds in one currency: give one --currency, or none for US dollars")
        if self.min_salary is not None and self.max_salary is not None and self.min_salary > self.max_salary:
            raise FilterError(f"--min-salary {self.min_salary} is above --max-salary {self.max_salary}")
        if self.since is not None and self.until is not None and self.since > self.until:
            raise FilterError(f"--since {self.since} is after --until {self.until}")
        if self.text is not None:
            _check_query(self.text)

    @property
    def has_pay_bounds(self) -> bool:
        return self.min_salary is not None or self.max_salary is not None

    def stated(self) -> dict[str, Any]:
        """What is set, as JSON can hold it: for reports, saved searches and links."""
        out: dict[str, Any] = {}
        for f in fields(self):
            value = getattr(self, f.name)
            if value != f.default:
                out[f.name] = list(value) if isinstance(value, tuple) else value
                if isinstance(value, Decimal | date):
                    out[f.name] = str(value)
        return out

    def conditions(self) -> list[ColumnElement[bool]]:
        """The filters as conditions on the posting table."""
        listed = (
            (self.ids, P.id),
            (self.role, P.role),
            (self.family, P.family),
            (self.level, P.level),
            (self.remote, P.remote),
            (self.currency, P.currency),
        )
        found: list[ColumnElement[bool]] = [column.in_(values) for values, column in listed if values]
        if self.city:
            found.append(func.lower(P.city).in_([value.lower() for value in self.city]))
        if self.country:
            found.append(or_(P.country.in_(self.country), *(_lists(P.countries, value) for value in self.country)))
        if self.employment:
            found.append(or_(*(_lists(P.employment_types, value) for value in self.employment)))
        if self.source:
            found.append(or_(*(_lists(P.sources, value) for value in self.source)))
        if self.company:
            found.append(or_(*(P.company.icontains(value, autoescape=True) for value in self.company)))
        if self.title:
            found.append(P.title.icontains(self.title, autoescape=True))
        found += self._pay_conditions() + self._time_conditions()
        if self.open is not None:
            found.append(P.closed_at.is_(None) if self.open else P.closed_at.is_not(None))
        if self.flagged is not None:
            found.append(P.excluded.is_(self.flagged))
        if self.text is not None:
            found.append(Found(P.id, self.text))
        return found

    def _pay_conditions(self) -> list[ColumnElement[bool]]:
        low, high = (P.annual_min, P.annual_max) if self.currency else (P.annual_min_usd, P.annual_max_usd)
        stated = or_(low.is_not(None), high.is_not(None))
        found: list[ColumnElement[bool]] = []
        if self.has_salary is not None:
            any_pay = or_(P.salary_min.is_not(None), P.salary_max.is_not(None))
            found.append(any_pay if self.has_salary else ~any_pay)
        bounds: list[ColumnElement[bool]] = []
        if self.min_salary is not None:
            bounds.append(func.coalesce(high, low) >= self.min_salary)
        if self.max_salary is not None:
            bounds.append(func.coalesce(low, high) <= self.max_salary)
        if bounds:
            overlap = and_(stated, *bounds)
            found.append(or_(overlap, ~stated) if self.include_unknown_pay else overlap)
        return found

    def _time_conditions(self) -> list[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = []
        if self.since is not None:
            start = datetime.combine(self.since, time(), UTC)
            found.append(or_(P.posted_on >= self.since, and_(P.posted_on.is_(None), P.first_seen >= start)))
        if self.until is not None:
            end = datetime.combine(self.until + timedelta(days=1), time(), UTC)
            found.append(or_(P.posted_on <= self.until, and_(P.posted_on.is_(None), P.first_seen < end)))
        return found

    def where_sql(self, dialect: str) -> tuple[str, Sequence[Any] | Mapping[str, Any]]:
        """The conditions as SQL text over the table `posting`, with its parameters.

        `dialect` sqlite: question marks and a sequence; postgresql: `%(name)s` and a mapping. "1 = 1" for no filter.
        """
        condition = and_(true(), *self.conditions())
        engine = postgresql.psycopg.dialect() if dialect == "postgresql" else sqlite.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy's dialects are untyped
        made = condition.compile(dialect=engine, compile_kwargs={"render_postcompile": True})
        bound = {name: _bound(made, engine, name) for name in made.params}
        if made.positional:
            return str(made), [bound[name] for name in made.positiontup or ()]
        return str(made), bound


def _bound(made: Any, dialect: Any, name: str) -> Any:
    """One parameter as the driver takes it: amounts as hundredths, times without their zone on SQLite."""
    value = made.params[name]
    bind = made.binds.get(name)
    convert = bind.type.dialect_impl(dialect).bind_processor(dialect) if bind is not None else None
    return convert(value) if convert is not None else value


CLOSED: Mapping[str, tuple[str, ...]] = {"level": LEVELS, "remote": REMOTE, "employment": EMPLOYMENT_TYPES}
"""Filters whose values are a closed list."""

MANY = tuple(f.name for f in fields(Filters) if f.default == ())
"""Filters that take several values."""


def _check_query(query: str) -> None:
    try:
        parse_query(query)
    except QueryError as error:
        raise FilterError(f"--text: {error}") from error


def _lists(column: Any, value: str) -> ColumnElement[bool]:
    """Whether a JSON list of words holds `value`: the same test on both stores."""
    found: ColumnElement[bool] = cast(column, Text).contains(f'"{value}"', autoescape=True)
    return found


def parse_filters(given: Mapping[str, Any]) -> Filters:
    """Filters from words, as a URL or a saved search holds them.

    >>> parse_filters({"role": "Data Engineer", "min_salary": "80000"}).min_salary
    Decimal('80000')
    >>> parse_filters({"colour": "red"})
    Traceback (most recent call last):
    db.filters.FilterError: unknown filter 'colour'; the filters are: role, family, level, title, company, country, ...
    """
    names = [f.name for f in fields(Filters)]
    made: dict[str, Any] = {}
    for name, value in given.items():
        if name not in names:
            raise FilterError(f"unknown filter {name!r}; the filters are: {', '.join(names)}")
        if value is None or value in ("", [], ()):
            continue
        made[name] = _parsed(name, value)
    return Filters(**made)


def _parsed(name: str, value: Any) -> Any:
    if name in MANY:
        values = [value] if isinstance(value, str) else list(value)
        upper = name in {"country", "currency"}
        return tuple(str(v).strip().upper() if upper else str(v).strip() for v in values if str(v).strip())
    if name in {"min_salary", "max_salary"}:
        return _amount(name, value)
    if name in {"since", "until"}:
        return _day(name, value)
    if name in {"open", "flagged", "has_salary", "include_unknown_pay"}:
        return _yes_or_no(name, value)
    return str(value)


def _amount(name: str, value: Any) -> Decimal:
    try:
        amount = Decimal(str(value).replace(",", "").replace("_", ""))
    except InvalidOperation as error:
        raise FilterError(f"{name} {value!r} is no amount: write 85000") from error
    if not amount.is_finite() or abs(amount) >= Decimal(10) ** 14:
        raise FilterError(f"{name} {value!r} is no amount of yearly pay: write 85000")
    return amount


def _day(name: str, value: Any) -> date:
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError as error:
        raise FilterError(f"{name} {value!r} is no date: write 2026-01-31") from error


def _yes_or_no(name: str, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    known = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    if str(value).lower() not in known:
        raise FilterError(f"{name} {value!r}: write true or false")
    return known[str(value).lower()]
