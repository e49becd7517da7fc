"""What the ledger keeps of an answer from the web, besides what it says."""

from __future__ import annotations

from datetime import datetime

from scrapy.http import Response

from db.keys import bytes_hash
from db.records import PageRecord

LONGEST_HEADER = 400
"""Characters; validators are short, and a server may send anything."""


def page_record(
    response: Response,
    *,
    source: str,
    seen_at: datetime,
    kind: str,
    url: str | None = None,
    body: bytes | None = None,
) -> PageRecord:
    """The page under `url`, or under the address that answered; `body` only where the ledger is to keep it.

    Validators belong to the address that answered: behind a redirect they are another page's, and are not kept.
    """
    is_own = url is None or not (response.request is not None and response.request.meta.get("redirect_urls"))
    return PageRecord(
        source=source,
        url=url or response.url,
        content_hash=bytes_hash(response.body),
        seen_at=seen_at,
        kind=kind,
        status=response.status,
        etag=header(response, "ETag") if is_own else None,
        last_modified=header(response, "Last-Modified") if is_own else None,
        body=body,
    )


def header(response: Response, name: str) -> str | None:
    """A header of an answer; headers are Latin-1 by the standard of HTTP, whatever their sender meant."""
    value = response.headers.get(name)
    return value.decode("latin-1")[:LONGEST_HEADER] if value else None


def media_type(response: Response) -> str:
    """What an answer says it is, without parameters; empty where it does not say.

    >>> media_type(Response("https://a.example/", headers={"Content-Type": "Text/HTML; charset=utf-8"}))
    'text/html'
    """
    return (header(response, "Content-Type") or "").split(";")[0].strip().lower()
