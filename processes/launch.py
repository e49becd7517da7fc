"""The one place that starts a Python process of ours.

    process = launch("scraper.child:main", task)      # runs main(task) in a new process

The child runs `python -P -m processes.boot`. With `-P` Python does not put the current folder on its import path, so a
file named `queue.py` or `db.py` in the user's folder is never run. What the child has to do travels through its
standard input: no process list shows it, so it may hold passwords. The pipe stays open for as long as the caller keeps
the returned object; when it closes, also by `kill -9`, the child ends (`processes.parent`).
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final

UNWANTED: Final = ("PYTHONINSPECT", "PYTHONSTARTUP")
"""Variables that make Python run a file, or wait for a person, in a process that has neither."""
LENGTH_BYTES: Final = 8


def command(module: str, *arguments: str) -> list[str]:
    """The command line that runs a module of ours, whatever folder it is given in.

    >>> command("service.cli", "runs")[1:]
    ['-P', '-m', 'service.cli', 'runs']
    """
    return [sys.executable, "-P", "-m", module, *arguments]


def environment(given: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The variables of a child: those of this process, without what would let it import from the current folder.

    Absolute folders of PYTHONPATH stay; an empty or relative one means the current folder. PYTHONSAFEPATH is `-P` for
    the processes that the child starts.

    >>> made = environment({"PYTHONPATH": ":lib:/opt/lib", "PYTHONSTARTUP": "x.py", "HOME": "/root"})
    >>> sorted(made.items())
    [('HOME', '/root'), ('PYTHONPATH', '/opt/lib'), ('PYTHONSAFEPATH', '1')]
    """
    made = {name: value for name, value in given.items() if name not in UNWANTED}
    folders = [folder for folder in made.pop("PYTHONPATH", "").split(os.pathsep) if Path(folder).is_absolute()]
    if folders:
        made["PYTHONPATH"] = os.pathsep.join(folders)
    return made | {"PYTHONSAFEPATH": "1"}


def launch(
    target: str,
    *arguments: Any,
    stdout: int | IO[bytes] = subprocess.DEVNULL,
    stderr: int | IO[bytes] | None = None,
    pass_fds: Sequence[int] = (),
    memory_mb: int | None = None,
) -> subprocess.Popen[bytes]:
    """Starts a process that calls `target`, written `module:function`, with arguments that can be pickled.

    The function's result is the exit code, None for 0. `memory_mb` bounds the memory that the process can allocate. It
    leads a session of its own, so that Ctrl-C in a terminal reaches only us. Raises `OSError` when it cannot start.
    """
    order = pickle.dumps((target, arguments, memory_mb))
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and module, no shell
        command("processes.boot"),
        stdin=subprocess.PIPE,
        stdout=stdout,
        stderr=stderr,
        pass_fds=tuple(pass_fds),
        env=environment(),
        start_new_session=True,
    )
    assert process.stdin is not None
    with suppress(BrokenPipeError):  # it died before it read its order: its exit code and log say why
        process.stdin.write(len(order).to_bytes(LENGTH_BYTES, "big") + order)
        process.stdin.flush()
    return process
