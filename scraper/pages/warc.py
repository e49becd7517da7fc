"""Archived answers out of WARC files: local ones, packed or not, and single records cut from an archive.

Answers of servers are handed out with transfer and content encodings undone, each bounded. The time of the capture is
the time at which the page was seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO

from scraper.pages.rows import AnswerError

LONGEST = 16_000_000
"""Bytes of one archived answer, unpacked; what is longer is cut off and left out."""


@dataclass(frozen=True, slots=True)
class Archived:
    """One answer of a server, as archived."""

    url: str
    at: datetime
    status: int
    content_type: str
    body: bytes
    truncated: bool = False
    """The archive, its file's end, or our bound, cut the body."""


def read_warc(file: BinaryIO) -> Iterator[Archived]:
    """The answers in a WARC file, in its order.

    Raises `AnswerError` (`broken_warc`) where the file breaks off; what stands before was handed out.
    """
    from fastwarc.warc import ArchiveIterator, WarcRecordType

    found = unread = 0
    try:
        records = ArchiveIterator(file, record_types=WarcRecordType.response, parse_http=True, auto_decode="all")
        for record in records:
            found += 1
            archived = _answer(record)
            if archived is not None:
                yield archived
            unread += archived is None
    except (OSError, ValueError, EOFError) as error:
        raise AnswerError("broken_warc", f"breaks off after {found} answers ({error})"[:200]) from error
    if unread:
        raise AnswerError("broken_warc", f"{unread} of {found} records hold no whole answer")
    if not found:
        raise AnswerError("no_answers", "the archive holds no answer of a server")


def _answer(record: object) -> Archived | None:
    headers, http = record.headers, record.http_headers  # type: ignore[attr-defined]  # fastwarc's record
    address = (headers.get("WARC-Target-URI") or "").strip("<>")
    at = record.record_date  # type: ignore[attr-defined]
    if http is None or not address or at is None:
        return None
    body = record.reader.read(LONGEST + 1)  # type: ignore[attr-defined]
    length = http.get("Content-Length") or ""
    is_encoded = http.get("Content-Encoding") or http.get("Transfer-Encoding")
    is_short = not is_encoded and length[:18].isdecimal() and len(body) < int(length[:18])
    return Archived(
        url=address,
        at=at if at.tzinfo else at.replace(tzinfo=UTC),
        status=http.status_code or 0,
        content_type=(http.get("Content-Type") or "").split(";")[0].strip().lower(),
        body=body[:LONGEST],
        truncated=bool(headers.get("WARC-Truncated")) or len(body) > LONGEST or is_short,
    )
