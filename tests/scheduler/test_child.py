"""Work in child processes: whatever becomes of them is a sentence, and none outlives us."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scheduler.ailments import diagnose
from scheduler.child import ANSWER_CHARACTERS, TAIL_CHARACTERS, Ended, run_child
from scheduler.chores import read_end

CHILD = "tests.scheduler.child_process"


def run(what: str, seconds: float = 20, memory_mb: int = 512, secret: str = "") -> Ended:
    return run_child(CHILD, [what], seconds=seconds, memory_mb=memory_mb, secret=secret)


def test_it_answers() -> None:
    ended = run("answer", secret="sqlite:///secret.db")
    assert ended.failure is None
    assert json.loads(ended.answer) == {"secret": "sqlite:///secret.db"}


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("hang", "took longer than 1 s"),
        ("segfault", "killed by SIGSEGV"),
        ("raise", "exit code 1: RuntimeError: something broke"),
        ("memory", "exit code 1: MemoryError"),
        ("exit", "exit code 7"),
    ],
)
def test_a_death_is_a_sentence(what: str, words: str) -> None:
    ended = run(what, seconds=1 if what == "hang" else 20)
    assert ended.failure is not None
    assert ended.failure.startswith(words)
    assert read_end(ended).verdict == "failed"
    assert read_end(ended).reasons == (ended.failure,)


def test_a_child_that_will_not_end_is_made_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scheduler.child.KILL_AFTER_SECONDS", 0.3)
    assert run("stubborn", seconds=1).failure is not None  # it would sleep for a minute


def test_a_flood_is_bounded() -> None:
    ended = run("flood")
    assert ended.failure is None
    assert len(ended.log_tail) == TAIL_CHARACTERS
    assert ended.log_tail.endswith("the end\n")
    assert len(ended.answer) <= ANSWER_CHARACTERS


def test_success_without_an_answer_is_none() -> None:
    assert read_end(Ended("", "", None)).reasons == ("ended without an answer",)
    assert read_end(Ended('{"n": 1', "", None)).verdict == "failed"
    assert read_end(Ended('{"n": 1}\n', "", None)).stats == {"n": 1}


def test_a_job_that_says_why_it_failed_did_not_crash() -> None:
    said = read_end(Ended('{"job_failed": "the bank is closed"}\n', "", "exit code 1"))
    assert (said.verdict, said.reasons, diagnose(said)) == ("failed", ("the bank is closed",), "job_failed")
    died = read_end(Ended("", "", "killed by SIGSEGV"))
    assert (died.reasons, diagnose(died)) == (("killed by SIGSEGV",), "crashed")
    late = read_end(Ended('{"n": 1}\n', "", "exit code 70"))
    assert (late.verdict, late.reasons) == ("failed", ("exit code 70",))


def test_it_ends_when_we_are_killed(tmp_path: Path) -> None:
    script = f"""
from scheduler.child import run_child
run_child("{CHILD}", ["pid", "{tmp_path / "pid"}"], seconds=60, memory_mb=0)
"""
    parent = subprocess.Popen([sys.executable, "-c", script], cwd=Path(__file__).parents[2])
    pid_file = tmp_path / "pid"
    deadline = time.monotonic() + 15
    while not (pid_file.exists() and pid_file.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    pid = int(pid_file.read_text())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return
        time.sleep(0.05)
    pytest.fail("the child outlived its parent")
