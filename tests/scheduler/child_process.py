"""Children that behave as they are told: python -m tests.scheduler.child_process WHAT."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import time
from pathlib import Path

from scheduler.child import begin


def main(what: str, *args: str) -> int:
    secret = begin()
    if what == "answer":
        sys.stdout.write(json.dumps({"secret": secret}) + "\n")
    elif what == "hang":
        time.sleep(60)
    elif what == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(60)
    elif what == "segfault":
        ctypes.string_at(0)
    elif what == "raise":
        raise RuntimeError("something broke")
    elif what == "memory":
        bytearray(2 << 30)
    elif what == "flood":
        for _ in range(2000):
            sys.stderr.write("x" * 1000 + "\n")
            sys.stdout.write("y" * 1000 + "\n")
        sys.stderr.write("the end\n")
    elif what == "exit":
        return 7
    elif what == "pid":
        Path(args[0]).write_text(str(os.getpid()), "ascii")
        time.sleep(60)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
