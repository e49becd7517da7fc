"""Where a WARC file comes from: a local path or a web address, readable from any offset.

A web address is connected to only after its name became a public address, on every hop; `allow_hosts` names the hosts
that may lie elsewhere (`scraper/safety.py` says what is refused). Files are streamed, never stored.
"""

from __future__ import annotations

import os
import socket
import ssl
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urljoin, urlsplit

from db.files import FilePart, open_file, printable

TIMEOUT: Final = 60.0
"""Seconds without a byte after which a server counts as gone."""
MOST_HOPS: Final = 5
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


class InputError(Exception):
    """An input cannot be read: one clear line."""


class Stream(Protocol):
    """What is read from."""

    def read(self, count: int, /) -> bytes: ...

    def close(self) -> None: ...


class Input(Protocol):
    """A file of records."""

    def open_at(self, offset: int) -> Stream:
        """A stream from this byte on. Raises `InputError`."""


@dataclass(frozen=True, slots=True)
class LocalFile:
    path: Path

    def open_at(self, offset: int) -> Stream:
        try:
            file = open_file(self.path)
        except OSError as error:
            raise InputError(f"{printable(str(self.path))}: {error.strerror or error}") from error
        return FilePart(file, os.fstat(file.fileno()).st_size, offset, owns=True)


@dataclass(frozen=True, slots=True)
class RemoteFile:
    url: str
    allow_hosts: tuple[str, ...] = ()

    def open_at(self, offset: int) -> Stream:
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        answer = fetch(self.url, headers, self.allow_hosts)
        if answer.status == (206 if offset else 200):
            return _Body(answer, self.url)
        answer.close()
        raise InputError(f"{self.url}: answered {answer.status} {answer.reason}" + (" to a range" if offset else ""))


def input_of(source: str, allow_hosts: tuple[str, ...] = ()) -> LocalFile | RemoteFile:
    """The input that a path or web address names."""
    return RemoteFile(source, allow_hosts) if is_url(source) else LocalFile(Path(source))


def is_url(source: str) -> bool:
    """
    >>> is_url("https://data.example/a.warc.gz"), is_url("a.warc.gz")
    (True, False)
    """
    return source.startswith(("http://", "https://"))


class _Body:
    """The body of an answer as a stream whose failures name the address."""

    def __init__(self, answer: HTTPResponse, url: str) -> None:
        self._answer, self._url = answer, url
        length = answer.headers.get("Content-Length", "")
        self._left = int(length) if length.isdecimal() else None

    def read(self, size: int = -1) -> bytes:
        """Raises `InputError` where the connection breaks: a cut file must not look like a short one."""
        try:
            data = self._answer.read(None if size < 0 else size)
        except (OSError, HTTPException) as error:
            raise InputError(f"{self._url}: the connection broke ({error or type(error).__name__})") from error
        if self._left is not None:
            self._left -= len(data)
            if not data and size and self._left > 0:
                raise InputError(f"{self._url}: ended {self._left} bytes early")
        return data

    def close(self) -> None:
        self._answer.close()


def fetch(url: str, headers: dict[str, str], allow_hosts: tuple[str, ...]) -> HTTPResponse:
    """The answer of a server, redirects followed, each hop guarded. Raises `InputError`."""
    for _ in range(MOST_HOPS):
        answer = _asked(url, headers, allow_hosts)
        target = answer.headers.get("Location")
        if answer.status not in REDIRECTS or not target:
            return answer
        answer.close()
        url = urljoin(url, target)
    raise InputError(f"{url}: redirected more than {MOST_HOPS} times")


def _asked(url: str, headers: dict[str, str], allow_hosts: tuple[str, ...]) -> HTTPResponse:
    from scraper.settings import CONTACT, user_agent

    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputError(f"{url}: no web address")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection = _connection(parts.scheme, parts.hostname, parts.port, allow_hosts)
        agent = user_agent(os.environ.get("JOBLEDGER_CONTACT") or CONTACT)
        connection.request("GET", path, headers={"User-Agent": agent, "Accept-Encoding": "identity", **headers})
        return connection.getresponse()
    except (OSError, HTTPException, ValueError) as error:
        raise InputError(f"{url}: {error or type(error).__name__}") from error


def _connection(scheme: str, host: str, port: int | None, allow_hosts: tuple[str, ...]) -> HTTPConnection:
    """A connection to a checked address: the name is resolved once, so it cannot change between check and use."""
    connection: HTTPConnection
    if scheme == "https":
        context = ssl.create_default_context()
        connection = HTTPSConnection(host, port, timeout=TIMEOUT, context=context)
        plain = _socket_to(host, connection.port, allow_hosts)
        connection.sock = context.wrap_socket(plain, server_hostname=host)
    else:
        connection = HTTPConnection(host, port, timeout=TIMEOUT)
        connection.sock = _socket_to(host, connection.port, allow_hosts)
    return connection


def _socket_to(host: str, port: int, allow_hosts: tuple[str, ...]) -> socket.socket:
    """Raises `InputError` for a host without a public address, OSError where nobody answers."""
    from scraper.safety import refusal

    refused, last = "", None
    for *_, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        where = str(address[0])
        if host not in allow_hosts and (why := refusal(where)) is not None:
            refused = f"{host}: {where} is {why}; --allow-host {host} reads it all the same"
            continue
        try:
            return socket.create_connection((where, port), timeout=TIMEOUT)
        except OSError as error:
            last = error
    if last is None:
        raise InputError(refused or f"{host}: no address")
    raise last
