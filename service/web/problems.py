"""Errors as RFC 9457 problem documents: what is wrong, which value, what is allowed."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response

from db.filters import FilterError
from db.session import LedgerError
from insights.model import InsightError
from service.settings import UsageError

PROBLEM = "application/problem+json"


class Problem(Exception):
    """An answer that is an error by design."""

    def __init__(self, status: int, detail: str, **more: Any) -> None:
        self.status, self.detail, self.more = status, detail, more
        super().__init__(detail)


def problem(status: int, detail: str, *, headers: Mapping[str, str] | None = None, **more: Any) -> JSONResponse:
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, **more}
    return JSONResponse(body, status_code=status, media_type=PROBLEM, headers=dict(headers or {}))


def install(app: FastAPI) -> None:
    """Makes every error of this app a problem document."""

    async def ours(_request: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)
        return problem(error.status, error.detail, **error.more)

    async def wrong_use(_request: Request, error: Exception) -> Response:
        return problem(400, str(error).replace("--", "").replace("-salary", "_salary"))

    async def no_ledger(_request: Request, error: Exception) -> Response:
        return problem(503, str(error), headers={"Retry-After": "30"})

    async def http(_request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return problem(error.status_code, str(error.detail), headers=error.headers)

    async def invalid(_request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        wrong = [{"where": [str(part) for part in e["loc"]], "why": e["msg"]} for e in error.errors()]
        return problem(400, "; ".join(f"{e['where'][-1]}: {e['why']}" for e in wrong), errors=wrong)

    for kind in (FilterError, UsageError, InsightError):
        app.add_exception_handler(kind, wrong_use)
    app.add_exception_handler(LedgerError, no_ledger)
    app.add_exception_handler(Problem, ours)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, invalid)
