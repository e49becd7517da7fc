"""The application: API, pages and their safety, around one ledger."""

from __future__ import annotations

from pathlib import Path
from secrets import token_bytes

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.middleware.gzip import GZipMiddleware

from db.session import open_ledger
from service.settings import Settings
from service.web import api, pages, problems, review
from service.web.cache import Cache
from service.web.counts import Counts
from service.web.document import document_of
from service.web.gate import Gate, RateLimit
from service.web.guard import Keys, require_good_tokens

STATIC = Path(__file__).parent / "static"
REQUESTS_A_MINUTE = 600


def create_app(
    settings: Settings, *, per_minute: int | None = REQUESTS_A_MINUTE, secret: bytes | None = None, warm: bool = False
) -> FastAPI:
    """The service over the ledger of `settings`, which must exist; `per_minute` None lifts the rate limit.

    With `warm` the facets are read before anybody asks: a large ledger takes seconds.
    Processes that serve together share the `secret` that signs their sessions; else it is made up here.
    """
    require_good_tokens(settings.tokens or {})
    app = FastAPI(
        title="jobledger",
        version="1",
        description="Normalised job postings and salaries, with the raw text and every flag beside each figure.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
    )
    app.state.settings = settings
    app.state.engine = open_ledger(settings.database_url, create=False)
    app.state.keys = Keys(settings.tokens or {}, secret or token_bytes(32))
    app.state.cache = Cache()
    app.state.counts = Counts(app.state.engine)
    if warm:
        app.state.counts.begin()
    problems.install(app)
    for part in (api, pages, review):
        app.include_router(part.router)
    app.openapi = document_of(app)  # type: ignore[method-assign]  # how FastAPI documents replacing it
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_middleware(GZipMiddleware, minimum_size=1_000)
    app.add_middleware(Gate, limit=RateLimit(per_minute) if per_minute else None)
    return app
