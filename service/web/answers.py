"""Answers that a client can keep: an ETag of what was said, so that saying the same again costs no body."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from itertools import chain
from typing import Any

from fastapi import Request
from sqlalchemy.exc import DBAPIError
from starlette.responses import Response, StreamingResponse
from starlette.types import Send

from db.errors import LedgerError, first_line
from db.queries import as_json

CHUNK = 64 * 1024
log = logging.getLogger(__name__)


def answer(request: Request, body: Mapping[str, Any], *, changed: datetime | None = None) -> Response:
    """JSON of rows as the queries give them; amounts as numbers, times in ISO 8601."""
    # `as_json` only of what JSON has no word for: walking through every row would take longer than writing it.
    text = json.dumps(body, default=as_json, ensure_ascii=False, separators=(",", ":"))
    return conditional(request, text.encode("utf-8", "replace"), "application/json", changed=changed)


def conditional(
    request: Request, body: bytes, media_type: str, *, changed: datetime | None = None, private: bool = False
) -> Response:
    """200 with an ETag, or 304 where the client has just this. `changed` becomes Last-Modified.

    The tag is weak: compression makes other bytes of the same answer.
    """
    tag = f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache" if private else "no-cache"}
    if private:
        headers["Vary"] = "Cookie"
    if changed is not None:
        headers["Last-Modified"] = format_datetime(changed.astimezone(UTC).replace(microsecond=0), usegmt=True)
    if request.method == "GET" and _known(request, tag, changed):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)


def _known(request: Request, tag: str, changed: datetime | None) -> bool:
    """RFC 9110, 13.2.2: If-None-Match decides alone where it is given."""
    given = request.headers.get("if-none-match")
    if given is not None:
        tags = {part.strip().removeprefix("W/") for part in given.split(",")}
        return "*" in tags or tag.removeprefix("W/") in tags
    since = request.headers.get("if-modified-since")
    if since is None or changed is None:
        return False
    try:
        moment = parsedate_to_datetime(since)
    except ValueError:
        return False
    return moment.tzinfo is not None and changed.astimezone(UTC).replace(microsecond=0) <= moment


def streamed(parts: Iterator[bytes], media_type: str, *, headers: Mapping[str, str]) -> Response:
    """An answer that is sent while it is read. What goes wrong before its first part is an answer of its own."""
    first = next(parts, b"")
    return _Streamed(chain([first], parts), media_type=media_type, headers=dict(headers))


class _Streamed(StreamingResponse):
    """Cuts the connection, with one line in the log, when the ledger cannot be read on: half an answer looks like one.

    The status is sent by then. A client sees an answer that ends before its last chunk.
    """

    async def stream_response(self, send: Send) -> None:
        try:
            await super().stream_response(send)
        except (DBAPIError, LedgerError) as error:
            log.error("an export was cut off: %s", first_line(error))


def chunked(parts: Iterable[str]) -> Iterator[bytes]:
    """Text in pieces worth a network packet; unpaired surrogates become question marks.

    >>> list(chunked(["a", "b"]))
    [b'ab']
    """
    held: list[str] = []
    size = 0
    for part in parts:
        held.append(part)
        size += len(part)
        if size >= CHUNK:
            yield "".join(held).encode("utf-8", "replace")
            held, size = [], 0
    if held:
        yield "".join(held).encode("utf-8", "replace")
