"""sources new: looks at a careers page, writes what is needed to read it, and says what to type next."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import typer

from db.user_files import UserFileError, read_user_bytes
from scraper.new_source import NewSource, Survey, survey
from scraper.new_source import new_source as write_new
from scraper.spider_stub import Places, checkout_places, own_places
from service.settings import Settings, UsageError, WorkFailed

CONFIG = Path("jobledger.toml")
SPIDERS = Path("spiders")
"""The folder of own spiders that a new configuration names, beside it."""


def begin(
    settings: Settings,
    url: str,
    *,
    sources: Path | None,
    page: Path | None,
    name: str | None,
    allow_hosts: tuple[str, ...],
    project: Path | None,
) -> None:
    """The command. Raises `UsageError`, `WorkFailed` and `SourceError`."""
    from scraper.sources import CHECKS, REMEDIES

    if survey(url, None).recognised is None and CHECKS["url"](url) is not None:
        raise UsageError(f"{url!r} is no web address: write https://…")
    if name is not None and (reason := CHECKS["name"](name)) is not None:
        raise UsageError(f"--name {name!r} {reason}; {REMEDIES['name']}")
    file = sources or settings.sources or Path("sources.toml")
    found = _survey(url, page, allow_hosts)
    config = None if found.recognised is not None or project is not None else _own_spiders(settings)
    folder = settings.spiders or SPIDERS
    places: Callable[[str], Places] = partial(checkout_places, project) if project else partial(own_places, folder)
    try:
        made = write_new(url, found, sources_file=file, places=places, allow_hosts=allow_hosts, name=name)
        if config is not None:
            config.write_text(_configuration(file), "utf-8")
    except OSError as error:
        raise WorkFailed(f"{error.filename}: {error.strerror}") from error
    is_named = config is not None or (settings.sources is not None and settings.sources == file.resolve())
    _say(made, file, settings.config or config, "" if is_named else f" --sources {file}")


def _survey(url: str, page: Path | None, allow_hosts: tuple[str, ...]) -> Survey:
    """What can be known of the page: from its address, from the saved file, or by asking its site."""
    if page is not None:
        try:
            return survey(url, read_user_bytes(page))
        except UserFileError as error:
            raise UsageError(f"--page {error}") from error
    found = survey(url, None)
    if found.recognised is not None:
        return found
    body, why = _fetched(url, allow_hosts)
    if body is None:
        hint = "; --allow-host HOST lets a private address be read" if "allow_hosts" in why or "private" in why else ""
        raise WorkFailed(f"{url} could not be fetched: {why}{hint}; or save the page and give --page FILE")
    return survey(url, body, lambda address: _fetched(address, allow_hosts)[0])


def _fetched(url: str, allow_hosts: tuple[str, ...]) -> tuple[bytes | None, str]:
    """The page at `url`, asked for as politely as any crawl; else why there is none."""
    from db.looking import find_page_body
    from db.session import open_ledger
    from scraper.crawl import crawl
    from scraper.sources import Source

    with tempfile.TemporaryDirectory() as folder:
        database = f"sqlite:///{Path(folder) / 'page.db'}"
        source = Source(name="new", spider="onepage", url=url, allow_hosts=allow_hosts)
        result = crawl(source, database_url=database)
        return find_page_body(open_ledger(database), "new"), "; ".join(result.reasons)


def _own_spiders(settings: Settings) -> Path | None:
    """The configuration to write where none names a folder of own spiders; None where one does."""
    if settings.spiders is not None:
        return None
    if settings.config is not None:
        line = f'spiders = "{SPIDERS}"'
        raise UsageError(f"--config {settings.config} names no folder for spiders of your own: add the line {line}")
    if CONFIG.exists():
        raise UsageError(f"{CONFIG} is here already: give it with --config {CONFIG}")
    return CONFIG


def _configuration(sources: Path) -> str:
    return (
        f"# Settings of jobledger: jobledger --config {CONFIG} COMMAND\n"
        f"sources = {json.dumps(str(sources), ensure_ascii=False)}\n"
        f"spiders = {json.dumps(str(SPIDERS))}  # the folder of your own spiders\n"
    )


def _say(made: NewSource, sources: Path, config: Path | None, where: str) -> None:
    program = f"jobledger --config {config}" if config else "jobledger"
    if made.recognised is not None:
        typer.echo(f"{made.recognised.platform.title}, known by the {made.recognised.found_in}.", nl=False)
        typer.echo(f" Written to {sources}:\n\n{made.entry}")
        typer.echo(f"Look at it: {program} crawl {made.name}{where} --limit 20")
        return
    _, spider, test, *pages = made.files
    typer.echo(f"No platform that we know, and no JobPosting on the page or behind its links. Begun in {sources}:")
    typer.echo(f"\n{made.entry}")
    typer.echo(f"the spider: {spider}\nsaved pages: {', '.join(map(str, pages))}\nits test: {test}\n")
    typer.echo(f"1. Open the saved pages, and set the selectors in {spider}.")
    typer.echo(f"2. Write in {test} what they say, and run it: python {test}")
    typer.echo(f"3. Try it on the site: {program} sources check {made.name}{where}")
    typer.echo(f"4. Set enabled = true in {sources}, and read it: {program} crawl {made.name}{where}")
