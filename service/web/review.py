"""The pages for those who decide: log in, judge doubtful values and merges, undo."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Path, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import RedirectResponse, Response

from aggregator.pipeline import aggregate
from db.decisions import confirm_merge, decide_flag, reopen_merge
from db.facets import flag_counts
from db.looking import merges_in_words
from db.merges import merge_postings, split_posting
from db.queries import list_flags
from db.records import utc_now
from db.session import LedgerError, reading
from service.web.guard import COOKIE, SESSION_SECONDS, Keys, require_writer, writer
from service.web.pages import asked
from service.web.params import Text
from service.web.problems import Problem
from service.web.view import page, query

router = APIRouter(include_in_schema=False)

QUEUE = 40
"""Doubtful values on one page: about what one sitting gets through."""
Token = Annotated[str, Form(max_length=200)]
Reason = Annotated[Text, Form(max_length=1_000)]


class QueueQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    state: Literal["open", "confirmed", "dismissed"] = "open"
    code: str | None = Field(None, max_length=60, pattern="^[a-z_]+$")
    decided: str | None = Field(None, max_length=120, pattern="^[a-z2-7]+:[a-z_]+$")
    """The flag that was just decided: offered to be undone."""
    as_: Literal["open", "confirmed", "dismissed"] | None = Field(None, alias="as")


@router.get("/review")
def queue(request: Request) -> Response:
    given = asked(request, QueueQuery)
    with reading(request.app.state.engine) as view:
        found, counts = list_flags(view, state=given.state, code=given.code, limit=QUEUE), flag_counts(view)
    return page(request, "review.html", flags=found, counts=counts, given=given, tab="flags", most=QUEUE)


@router.post("/review/flags/{flag_id}")
def decide(
    request: Request,
    flag_id: Annotated[str, Path(max_length=120, pattern="^[a-z2-7]+:[a-z_]+$")],
    action: Annotated[Literal["confirmed", "dismissed", "open"], Form()],
    form_token: Token = "",
    why: Reason = "",
    code: Annotated[str, Form(max_length=60, pattern="^[a-z_]*$")] = "",
) -> Response:
    who = require_writer(request, form_token)
    if action == "dismissed" and not why.strip():
        raise Problem(400, "a dismissed flag needs a reason: say why the value is right")
    try:
        decide_flag(request.app.state.engine, flag_id, action, who=who, why=why.strip() or None, now=utc_now())
    except LedgerError as error:
        raise Problem(404, str(error)) from error
    request.app.state.cache.clear()
    request.app.state.counts.forget()
    said = query({"code": code, "decided": flag_id, "as": action} if action != "open" else {"code": code})
    return RedirectResponse(f"/review{said}", status_code=303)


class MergesQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    decided: str | None = Field(None, max_length=64, pattern="^[a-z2-7]+$")
    as_: Literal["confirm", "split"] | None = Field(None, alias="as")


@router.get("/review/merges")
def merges(request: Request) -> Response:
    given = asked(request, MergesQuery)
    with reading(request.app.state.engine) as view:
        found, counts = merges_in_words(view, limit=QUEUE), flag_counts(view)
    return page(request, "merges.html", merges=found, counts=counts, given=given, tab="merges", most=QUEUE)


@router.post("/review/merges/{other_id}")
def decide_merge(
    request: Request,
    other_id: Annotated[str, Path(max_length=64, pattern="^[a-z2-7]+$")],
    action: Annotated[Literal["confirm", "split", "reopen", "merge"], Form()],
    form_token: Token = "",
    why: Reason = "",
    posting_id: Annotated[str, Form(max_length=64, pattern="^[a-z2-7]*$")] = "",
) -> Response:
    who = require_writer(request, form_token)
    engine, now = request.app.state.engine, utc_now()
    if action == "split" and not why.strip():
        raise Problem(400, "splitting needs a reason: say why these are two jobs")
    try:
        if action == "confirm":
            confirm_merge(engine, other_id, who=who, now=now)
        elif action == "reopen":
            reopen_merge(engine, other_id, who=who, now=now)
        elif action == "split":
            split_posting(engine, other_id, who=who, why=why.strip(), now=now)
        else:
            merge_postings(engine, posting_id, other_id, who=who, why=why.strip() or None, now=now)
    except LedgerError as error:
        raise Problem(404, str(error)) from error
    request.app.state.cache.clear()
    request.app.state.counts.forget()
    if action in {"split", "merge"}:
        # The postings of both are read anew now, so that the page shows them; an undone split finds its posting.
        aggregate(engine, now=now)
    said = query({"decided": other_id, "as": action} if action in {"confirm", "split"} else {})
    return RedirectResponse(f"/review/merges{said}", status_code=303)


class LoginQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    then: str = Field("/review", max_length=400)


@router.get("/login")
def login_form(request: Request) -> Response:
    given = asked(request, LoginQuery)
    return page(request, "login.html", then=_local(given.then), wrong=False)


@router.post("/login")
def login(request: Request, token: Token = "", then: Annotated[str, Form(max_length=400)] = "/review") -> Response:
    keys: Keys = request.app.state.keys
    name = keys.name_of(token) if token else None
    if name is None:
        answer = page(request, "login.html", then=_local(then), wrong=True)
        answer.status_code = 401
        return answer
    made = RedirectResponse(_local(then), status_code=303)
    made.set_cookie(
        COOKIE,
        keys.session(name),
        max_age=SESSION_SECONDS,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return made


@router.post("/logout")
def logout(request: Request, form_token: Token = "") -> Response:
    if writer(request) is not None:
        require_writer(request, form_token)
    made = RedirectResponse("/", status_code=303)
    made.delete_cookie(COOKIE)
    return made


def _local(address: str) -> str:
    """An address of this service; anything else leads to the queue.

    >>> _local("/review?code=too_wide"), _local("//evil.example"), _local("https://evil.example"), _local("/\\\\evil")
    ('/review?code=too_wide', '/review', '/review', '/review')
    """
    plain = address.startswith("/") and not address.startswith("//") and "\\" not in address and address.isprintable()
    return address if plain else "/review"
