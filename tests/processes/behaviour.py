"""What children of tests do, by name."""

from __future__ import annotations

import ctypes
import os
import re
import signal
import sys
import time
from pathlib import Path

from processes.launch import launch
from processes.parent import say
from processes.pool import Processes


def answer(*given: object) -> int:
    say({"first": 1})
    say({"answer": given})
    return 0


def sleep(seconds: float) -> None:
    time.sleep(seconds)


def stubborn() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(60)


def crash() -> None:
    ctypes.string_at(0)


def fail() -> None:
    raise RuntimeError("something broke")


def take_memory() -> None:
    bytearray(2 << 30)


def flood() -> None:
    for number in range(2000):
        sys.stderr.write("x" * 1000 + "\n")
        sys.stdout.write("y" * 1000 + "\n")
        say({"number": number})
    sys.stderr.write("the end\n")


def leave(code: object) -> None:
    sys.exit(code)  # type: ignore[arg-type]


def read_input() -> None:
    say({"input": sys.stdin.read(), "children": os.environ["PYTHONSAFEPATH"]})


def leave_a_thread() -> None:
    import threading

    threading.Thread(target=time.sleep, args=(60,)).start()
    say({"answer": "here"})


def match_for_ever(*_given: object) -> None:
    """Native code that keeps the interpreter to itself for hours."""
    re.match(r"(a|a)*b", "a" * 64)


def tell_pid(folder: str) -> None:
    (Path(folder) / str(os.getpid())).touch()


def pid_then(folder: str, doing: str) -> None:
    """Leaves a file named by its process number, then does something that does not end."""
    tell_pid(folder)
    {"sleep": lambda: time.sleep(120), "native": match_for_ever, "child": lambda: start_another(folder)}[doing]()


def start_another(folder: str) -> None:
    process = launch("tests.processes.behaviour:pid_then", folder, "sleep")
    process.wait()


def supervise(folder: str, doing: str) -> None:
    """A parent to kill: its children do as they are told."""
    from processes.child import run_child

    run_child("tests.processes.behaviour:pid_then", folder, doing, seconds=120)


def keep_pool(folder: str, doing: str) -> None:
    """A parent to kill, with a pool of two workers."""
    with Processes(2, tries=2, ready="aggregator.parts") as workers:
        if doing == "starting":
            time.sleep(120)
        both = [workers.submit(tell_pid_slowly, folder) for _ in range(2)]
        for future in both:
            future.result()
        (Path(folder) / "ready").touch()
        if doing == "idle":
            time.sleep(120)
        for future in [workers.submit(pid_then, folder, doing) for _ in range(2)]:
            future.result()


def tell_pid_slowly(folder: str) -> None:
    tell_pid(folder)
    time.sleep(0.5)  # so that both workers have one


if __name__ == "__main__":  # a parent as tests start it: not a child itself
    from tests.processes import behaviour  # tasks are functions of a module that workers can import

    getattr(behaviour, sys.argv[1])(*sys.argv[2:])
