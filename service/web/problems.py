"""Errors: for programs RFC 9457 problem documents, for people a page; what is wrong, which value, what is allowed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from db.filters import FilterError
from db.session import LedgerError
from insights.model import InsightError
from service.settings import UsageError

PROBLEM = "application/problem+json"
API = "/api/"


class Problem(Exception):
    """An answer that is an error by design."""

    def __init__(self, status: int, detail: str, **more: Any) -> None:
        self.status, self.detail, self.more = status, detail, more
        super().__init__(detail)


def problem(status: int, detail: str, *, headers: Mapping[str, str] | None = None, **more: Any) -> JSONResponse:
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, **more}
    return JSONResponse(body, status_code=status, media_type=PROBLEM, headers=dict(headers or {}))


def answer(
    request: Request, status: int, detail: str, *, headers: Mapping[str, str] | None = None, **more: Any
) -> Response:
    """The error as the asker can read it: a problem document under `/api/`, else a page."""
    if request.url.path.startswith(API):
        return problem(status, detail, headers=headers, **more)
    from service.web.view import error_page

    return error_page(request, status, HTTPStatus(status).phrase, detail, headers=dict(headers or {}))


def install(app: FastAPI) -> None:
    """Makes every foreseen error of this app an answer that says what is wrong."""

    async def ours(request: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)
        return answer(request, error.status, error.detail, **error.more)

    async def wrong_use(request: Request, error: Exception) -> Response:
        return answer(request, 400, str(error).replace("--", "").replace("-salary", "_salary"))

    async def no_ledger(request: Request, error: Exception) -> Response:
        return answer(request, 503, str(error), headers={"Retry-After": "30"})

    async def no_answer(request: Request, error: Exception) -> Response:
        assert isinstance(error, DBAPIError)
        why = str(error.orig).splitlines()[0] if error.orig is not None and str(error.orig) else "it did not say why"
        return answer(request, 503, f"the ledger does not answer: {why}", headers={"Retry-After": "30"})

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return answer(request, error.status_code, str(error.detail), headers=error.headers)

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        wrong = [_wrong(request, e) for e in error.errors()]
        return answer(request, 400, "; ".join(f"{' '.join(e['where'][1:])}: {e['why']}" for e in wrong), errors=wrong)

    for kind in (FilterError, UsageError, InsightError):
        app.add_exception_handler(kind, wrong_use)
    app.add_exception_handler(LedgerError, no_ledger)
    app.add_exception_handler(DBAPIError, no_answer)
    app.add_exception_handler(Problem, ours)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, invalid)


def _wrong(request: Request, error: Mapping[str, Any]) -> dict[str, Any]:
    where = [_shown(part) for part in error["loc"]]
    if error["type"] != "extra_forbidden":
        return {"where": where, "why": error["msg"]}
    allowed = _parameters(request) if where[0] == "query" else ()
    why = "is not a parameter here" if where[0] == "query" else "is not a key here"
    return {"where": where, "why": f"{why}; allowed: {', '.join(allowed) or 'none'}" if where[0] == "query" else why}


def _shown(part: Any) -> str:
    """A name that the asker sent, short and printable."""
    return "".join(c if c.isprintable() else "?" for c in str(part)[:100])


def _parameters(request: Request) -> Sequence[str]:
    """The query parameters of the route that was asked."""
    dependant = getattr(request.scope.get("route"), "dependant", None)
    models = [field.field_info.annotation for field in getattr(dependant, "query_params", ())]
    return [name for model in models for name in getattr(model, "model_fields", {})]
