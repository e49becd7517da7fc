"""Where messages go: a file, a web address, whatever Apprise knows, or the log. Each is one line of configuration.

    file:PATH      appends one JSON object a message
    webhook:URL    posts one JSON object (`scheduler.webhook`)
    scheme://…     an address of Apprise: e-mail, Slack, a hundred others; needs the extra `jobledger[alerts]`

A message was delivered when at least one channel took it; the others are named in the log.
"""

from __future__ import annotations

import json
import logging
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from db.records import utc_now
from scheduler.webhook import WebhookError, post_json, require_webhook

logger = logging.getLogger(__name__)

FILE, WEBHOOK = "file:", "webhook:"
Facts = Sequence[Mapping[str, Any]]
"""What a message says, for machines: one object a source, or a posting."""


class AlertError(Exception):
    """Messages cannot be sent as configured: says why and what to do."""


class Teller(Protocol):
    def __call__(self, title: str, body: str, kind: str = "info", facts: Facts = ()) -> bool:
        """Delivers one message; `kind` is info, success, warning or failure. False when nobody got it."""


def tell_log(title: str, body: str, kind: str = "info", facts: Facts = ()) -> bool:  # noqa: ARG001 - a Teller
    """Writes the message to the log: the teller of those who gave no channel."""
    logger.warning("%s: %s", title, body.replace("\n", " | "))
    return True


def make_teller(channels: Sequence[str]) -> Teller:
    """A teller for all channels. Raises `AlertError` for one that could never be told."""
    if not channels:
        return tell_log
    tellers = [(f"alert address number {n}", _teller(channel, n)) for n, channel in enumerate(channels, 1)]

    def tell(title: str, body: str, kind: str = "info", facts: Facts = ()) -> bool:
        delivered = False
        for name, teller in tellers:
            try:
                took = teller(title, body, kind, facts)
            except (OSError, WebhookError) as error:
                logger.error("the message %r did not reach %s: %s", title, name, error)
                continue
            if not took:
                logger.error("the message %r did not reach %s", title, name)
            delivered = delivered or took
        return delivered and tell_log(title, body)

    return tell


def append_lines(path: Path, objects: Sequence[Mapping[str, Any]]) -> None:
    """Appends one JSON object a line to an ordinary file and waits until it is on the disk. Raises `OSError`."""
    lines = "".join(json.dumps(one, ensure_ascii=False, default=str) + "\n" for one in objects)
    # Without O_NONBLOCK, opening a pipe would wait for its reader.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NONBLOCK | os.O_CLOEXEC, 0o644)
    with os.fdopen(descriptor, "ab") as out:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(f"{path} is not an ordinary file")
        out.write(lines.encode("utf-8", "replace"))
        out.flush()
        os.fsync(descriptor)


def file_of(channel: str) -> Path:
    """The file of a `file:` channel. Raises `AlertError` where none can be written."""
    name = channel.removeprefix(FILE)
    try:
        path = Path(name).expanduser()
        is_good = bool(name) and path.parent.is_dir() and (path.is_file() or not path.exists())
    except (OSError, RuntimeError, ValueError) as error:
        raise AlertError(f"the channel {channel[:200]!r} names no file: {error}") from error
    if not is_good:
        why = f"the folder {path.parent} does not exist" if not path.parent.is_dir() else f"{path} is no ordinary file"
        raise AlertError(f"the channel {channel[:200]!r} cannot be written: {why}")
    return path


def _teller(channel: str, number: int) -> Teller:
    if channel.startswith(FILE):
        return partial(_tell_file, file_of(channel))
    if channel.startswith(WEBHOOK):
        url = channel.removeprefix(WEBHOOK)
        try:
            require_webhook(url)
        except WebhookError as error:
            raise AlertError(f"alert address number {number} (webhook:…) {error}") from error
        return partial(_tell_webhook, url)
    if "://" not in channel:
        raise AlertError(
            f"alert address number {number} ({channel[:20]!r}) is none: use file:PATH, webhook:https://…, or an "
            "Apprise address such as mailto://…"
        )
    return _apprise_teller(channel, number)


def _object(title: str, body: str, kind: str, facts: Facts) -> dict[str, Any]:
    """A message for machines. `text` is what Slack, Mattermost and their like show."""
    return {
        "at": utc_now().isoformat(timespec="seconds"),
        "type": kind,
        "title": title,
        "body": body,
        "text": f"{title}\n{body}",
        "facts": list(facts),
    }


def _tell_file(path: Path, title: str, body: str, kind: str = "info", facts: Facts = ()) -> bool:
    message = _object(title, body, kind, facts)
    del message["text"]  # it repeats the rest
    append_lines(path, [message])
    return True


def _tell_webhook(url: str, title: str, body: str, kind: str = "info", facts: Facts = ()) -> bool:
    post_json(url, _object(title, body, kind, facts))
    return True


def _apprise_teller(channel: str, number: int) -> Teller:
    scheme = channel.partition("://")[0][:20]
    try:
        import apprise
    except ModuleNotFoundError as error:
        raise AlertError(
            f"alert address number {number} ({scheme}://…) needs Apprise: pip install 'jobledger[alerts]'; file:PATH "
            "and webhook:URL need nothing"
        ) from error
    service = apprise.Apprise()
    with _silent("apprise"):  # it would log the address, which holds tokens
        known = service.add(channel)
    if not known:
        raise AlertError(f"alert address number {number} ({scheme}://…) is none that Apprise can use")

    def tell(title: str, body: str, kind: str = "info", facts: Facts = ()) -> bool:  # noqa: ARG001 - a Teller
        plain = apprise.NotifyFormat.TEXT  # scraped words are no markup
        return bool(service.notify(title=title, body=body, notify_type=apprise.NotifyType(kind), body_format=plain))

    return tell


@contextmanager
def _silent(name: str) -> Iterator[None]:
    theirs = logging.getLogger(name)
    before = theirs.disabled
    theirs.disabled = True
    try:
        yield
    finally:
        theirs.disabled = before
