"""serve, token, mcp: the ledger over HTTP, who may change data through it, and the ledger for assistants."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from service.commands.ledger import Needs, uses
from service.commands.options import settings_of
from service.settings import UsageError, WorkFailed

if TYPE_CHECKING:
    from socket import socket as Socket

LOOPBACK = ("127.0.0.1", "::1", "localhost")


def register(app: typer.Typer) -> None:
    app.command(epilog="Example: jobledger serve --port 8080 --db sqlite:///jobledger.db")(serve)
    app.command(epilog="Example: jobledger token eva")(token)
    app.command(epilog="Example: jobledger mcp --db sqlite:///jobledger.db")(mcp)


@uses(Needs.CHANGES)
def serve(
    context: typer.Context,
    host: str = typer.Option("127.0.0.1", "--host", metavar="ADDRESS", help="Where to listen; this machine only."),
    port: int = typer.Option(8080, "--port", min=0, max=65535, help="0 picks a free one."),
    workers: int = typer.Option(1, "--workers", min=1, max=64, metavar="N", help="Processes that answer; one a core."),
    per_minute: int = typer.Option(600, "--per-minute", min=0, help="Requests of one address; 0 lifts the limit."),
) -> None:
    """REST API and web pages over the ledger; read-only without a token of the configuration."""
    import secrets

    from service.output import to_stderr
    from service.web.app import create_app
    from service.web.process import Serving, serve_in_processes, serve_on

    settings = settings_of(context)
    # Each process counts for itself: together they let through what one would.
    limit = -(-per_minute // workers) or None
    serving = Serving(settings=settings, per_minute=limit, secret=secrets.token_bytes(32))
    create_app(settings).state.engine.dispose()  # whatever is wrong is said here, once
    if host not in LOOPBACK:
        to_stderr(f"listening on {host}: everybody who reaches this address can read the ledger")
    if not settings.tokens:
        to_stderr("read-only: `jobledger token NAME` makes a token for those who review flags and merges")
    socket = _bound(host, port)
    address = f"[{host}]" if ":" in host else host
    to_stderr(f"jobledger serves http://{address}:{socket.getsockname()[1]}/ (API: /api/v1/openapi.json); Ctrl-C ends")
    if workers == 1:
        serve_on(socket.detach(), serving)
    else:
        serve_in_processes(socket.fileno(), serving, workers)


def _bound(host: str, port: int) -> Socket:
    """The listening socket; binding it here turns "address in use" into one clear line."""
    import socket

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
        made.listen(2_048)  # who comes before the service is up waits for it
    except OSError as error:
        made.close()
        raise WorkFailed(f"cannot listen on {host}:{port}: {error.strerror or error}; try another --port") from error
    return made


@uses(Needs.NOTHING)
def token(
    name: str = typer.Argument(..., metavar="NAME", help="Whose it is: letters, digits, - and _."),
) -> None:
    """Makes a token that may change data through the service; shows it once, and the line for the configuration."""
    import secrets

    from service.output import to_stderr
    from service.web.guard import TOKEN_NAME, hash_token

    if not TOKEN_NAME.fullmatch(name):
        raise UsageError(f"the name {name!r} may hold letters, digits, - and _ only, up to 40")
    made = secrets.token_urlsafe(32)
    to_stderr("The token, shown this once (log in with it, or send it as `Authorization: Bearer …`):")
    typer.echo(made)
    to_stderr("In the file of --config, which keeps only its hash:")
    typer.echo(f'[tokens]\n{name} = "{hash_token(made)}"')


@uses(Needs.READS)
def mcp(context: typer.Context) -> None:
    """Tools for an assistant over stdin and stdout (Model Context Protocol); all of them only read."""
    from service.assistant import make_server

    make_server(settings_of(context)).run("stdio")
