"""Who runs something: host, process and when that process began, so that a dead holder can be told from a live one."""

from __future__ import annotations

import os
import socket
from pathlib import Path

PROCESSES = Path("/proc")
START_FIELD = 19
"""Position of `starttime` after the process's name in /proc/PID/stat (proc(5), field 22), in ticks since boot."""


def this_holder(part: str = "") -> str:
    """The name of this process as a holder; `part` tells several holders in one process apart."""
    return "/".join((holder_of(os.getpid()), *([part] if part else [])))


def holder_of(pid: int) -> str:
    """The name of a process of this machine as a holder."""
    return f"{_host()}/{pid}/{_started(pid) or '?'}"


def is_dead(holder: str) -> bool:
    """Whether a holder is certainly dead: it lived on this machine, and its process is gone or another one.

    False says nothing: the holder may live elsewhere.

    >>> is_dead(this_holder()), is_dead("another-machine/1/2")
    (False, False)
    """
    host, _, rest = holder.partition("/")
    pid, _, started = rest.partition("/")
    if host != _host() or not pid.isdigit() or not PROCESSES.is_dir():
        return False
    return _started(int(pid)) != started.partition("/")[0]


def _host() -> str:
    """The machine's name and its boot: in containers names repeat and process numbers start at one again."""
    return socket.gethostname().replace("/", "-") + _namespace()


def boot_id() -> str:
    """What the kernel calls the time since it started; containers of one machine share it. OSError where none says."""
    return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()


def _namespace() -> str:
    try:
        boot = boot_id()
        space = (PROCESSES / "self/ns/pid").readlink().name
    except OSError:  # no Linux: the name alone must do
        return ""
    return f":{boot[:8]}:{space.strip('pid:[]')}"


def _started(pid: int) -> str | None:
    """When a process began; None when there is none, or only what is left of one (a zombie)."""
    try:
        text = (PROCESSES / str(pid) / "stat").read_text("utf-8", "replace")
    except OSError:
        return None
    after_name = text.rpartition(")")[2].split()
    return None if after_name[0] in "ZX" else after_name[START_FIELD]
