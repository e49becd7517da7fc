"""What articles claim against what postings offer: each claimed salary beside the advertised pay of the same role."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from db.session import open_ledger
from insights.figures import figures
from insights.model import Group
from insights.rows import read_rows

if TYPE_CHECKING:
    from db.filters import Filters

PER_YEAR = {"hour": 2080, "day": 260, "week": 52, "month": 12, "year": 1}

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


def read_claims(database_url: str, roles: Sequence[str] = ()) -> tuple[Claim, ...]:
    """The claims of all articles, or those about `roles`, in the order of article and text."""
    from sqlalchemy import select

    from db.session import reading
    from db.tables import ARTICLE, CLAIM

    article, claim = ARTICLE.c, CLAIM.c
    query = (
        select(article.title, *(claim[name] for name in FIELDS[1:]))
        .join_from(claim.id.table, article.id.table, claim.article_id == article.id)
        .order_by(article.title, claim.text, claim.id)
    )
    if roles:
        query = query.where(claim.role.in_(roles))
    engine = open_ledger(database_url, create=False)
    try:
        with reading(engine) as connection:
            return tuple(Claim(**dict(zip(FIELDS, row, strict=True))) for row in connection.execute(query))
    finally:
        engine.dispose()


def check_claims(
    database_url: str, *, filters: Filters, roles: Sequence[str] = (), alone: bool = False
) -> tuple[Check, ...]:
    """Every salary claim, or those about `roles`, beside the postings that `filters` select."""
    claims = [claim for claim in read_claims(database_url, roles) if claim.kind == "salary"]
    if not claims:
        return ()
    with closing(read_rows(database_url, filters, ("role", "country"), alone=alone)) as rows:
        groups = (*figures(rows, ("role",)), *figures(rows, ("role", "country")))
    known = {(g.key["role"], g.key.get("country"), g.currency): g for g in groups}
    return tuple(_check(claim, known.get((claim.role, claim.country, claim.currency))) for claim in claims)


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
