"""How a child begins: `python -P -m processes.boot`, started by `processes.launch` only.

Before it imports anything else it ties itself to its parent and bounds its memory.
"""

from __future__ import annotations

import logging
import os
import pickle
import resource
import sys
import traceback
from collections.abc import Callable
from importlib import import_module
from typing import Any

from processes import parent


def main() -> int:
    """Does what the parent ordered; returns the exit code."""
    target, arguments, memory_mb = pickle.loads(parent.tie())  # noqa: S301 - written by our own parent into our own pipe
    if memory_mb is not None:
        bound_memory(memory_mb << 20)
    module, _, name = target.partition(":")
    function: Callable[..., Any] = getattr(import_module(module), name)
    return int(function(*arguments) or 0)


def bound_memory(limit: int) -> None:
    """Lets this process allocate so many bytes, or fewer where its parent may itself allocate no more."""
    _, given = resource.getrlimit(resource.RLIMIT_DATA)
    limit = limit if given == resource.RLIM_INFINITY else min(limit, given)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def _code() -> int:
    try:
        return main()
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        sys.stderr.write(f"{end.code}\n")
    except BaseException:  # noqa: BLE001 - the process ends with it, as Python itself would
        traceback.print_exc()
    return 1


if __name__ == "__main__":
    code = _code()
    logging.shutdown()
    sys.stderr.flush()
    os._exit(code)  # a child that has answered waits for no thread
