"""What articles claim against what postings offer: each claimed salary beside the advertised pay of the same role."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from db.types import from_hundredths
from insights.figures import figures
from insights.model import Group
from insights.rows import Rows, rows_of_answer, rows_question
from insights.store import ask, dialect_of

if TYPE_CHECKING:
    from sqlalchemy import Select

    from db.filters import Filters

PER_YEAR = {"hour": 2080, "day": 260, "week": 52, "month": 12, "year": 1}

CHECKED_BY = ("role", "country")
FIELDS = ("article", "kind", "role", "amount", "currency", "period", "percent", "until", "country", "source", "text")


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A figure that an article states: of pay, with `amount`, or of growth, with `percent`."""

    article: str
    kind: str
    role: str | None
    amount: Decimal | None
    currency: str | None
    period: str | None
    percent: float | None
    until: int | None
    country: str | None
    source: str | None
    """Whom the article cites."""
    text: str

    @property
    def annual(self) -> Decimal | None:
        """The claimed pay per year, None where no amount or no period is stated."""
        if self.amount is None or self.period not in PER_YEAR:
            return None
        return self.amount * PER_YEAR[self.period]


@dataclass(frozen=True, slots=True)
class Check:
    """A claimed salary beside what is advertised for its role, in its currency and, where it names one, its country."""

    claim: Claim
    advertised: Group | None
    difference: float | None
    """Claimed over the advertised median, less one: 0.10 is 10 % above."""
    within_interval: bool | None
    reason: str | None
    """Why nothing can be compared."""


def claims_query(roles: Sequence[str] = ()) -> Select[Any]:
    """The claims of all articles, or those about `roles`, in the order of article and text; amounts in hundredths."""
    from sqlalchemy import BigInteger, select, type_coerce

    from db.tables import ARTICLE, CLAIM

    amount = type_coerce(CLAIM.c.amount, BigInteger).label("amount")
    columns = [amount if name == "amount" else CLAIM.c[name] for name in FIELDS[1:]]
    query = (
        select(ARTICLE.c.title, *columns)
        .join_from(CLAIM, ARTICLE, CLAIM.c.article_id == ARTICLE.c.id)
        .order_by(ARTICLE.c.title, CLAIM.c.text, CLAIM.c.id)
    )
    return query.where(CLAIM.c.role.in_(roles)) if roles else query


def claims_of(rows: Sequence[Sequence[Any]]) -> tuple[Claim, ...]:
    """Claims out of what the store answered to `claims_query`."""
    made = []
    for row in rows:
        said = dict(zip(FIELDS, row, strict=True))
        amount = from_hundredths(said["amount"]) if said["amount"] is not None else None
        made.append(Claim(**said | {"amount": amount}))
    return tuple(made)


def read_claims(database_url: str, roles: Sequence[str] = (), *, alone: bool = False) -> tuple[Claim, ...]:
    """The answer to `claims_query` alone."""
    return claims_of(ask(database_url, lists=[claims_query(roles)], alone=alone).lists[0])


def check_claims(
    database_url: str, *, filters: Filters, roles: Sequence[str] = (), alone: bool = False
) -> tuple[Check, ...]:
    """Every salary claim, or those about `roles`, beside the postings that `filters` select, both from one commit."""
    question = rows_question(dialect_of(database_url), filters, CHECKED_BY)
    answers = ask(database_url, [question], [claims_query(roles)], alone=alone)
    with closing(answers), closing(rows_of_answer(answers.columns[0], CHECKED_BY)) as rows:
        return checks(claims_of(answers.lists[0]), rows)


def checks(claims: Sequence[Claim], rows: Rows) -> tuple[Check, ...]:
    """The salary claims among `claims` beside `rows`, which were read with the dimensions of `CHECKED_BY`."""
    stated = [claim for claim in claims if claim.kind == "salary"]
    if not stated:
        return ()
    groups = (*figures(rows, ("role",)), *figures(rows, ("role", "country")))
    known = {(g.key["role"], g.key.get("country"), g.currency): g for g in groups}
    return tuple(_check(claim, known.get((claim.role, claim.country, claim.currency))) for claim in stated)


def _check(claim: Claim, advertised: Group | None) -> Check:
    annual = claim.annual
    if claim.role is None:
        return Check(claim, None, None, None, "the claim names no role that we know")
    if annual is None or claim.currency is None:
        return Check(claim, advertised, None, None, "the claim states no amount with a currency and a period")
    if advertised is None or advertised.median is None:
        said = advertised.reason if advertised is not None else "no posting states pay for this role and place"
        return Check(claim, advertised, None, None, said)
    bounds = advertised.median_ci
    within = bounds[0] <= float(annual) <= bounds[1] if bounds else None
    return Check(claim, advertised, float(annual) / advertised.median - 1, within, None)
