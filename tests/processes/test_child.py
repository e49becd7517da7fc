"""Work in one child process: whatever becomes of it is a sentence."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from processes.child import TAIL_BYTES, Ended, end_children, run_child
from scheduler.ailments import diagnose
from scheduler.chores import read_end

DO = "tests.processes.behaviour:"


def test_it_is_called_and_heard() -> None:
    heard: list[Mapping[str, Any]] = []
    ended = run_child(DO + "answer", {"url": "sqlite:///x"}, 2, seconds=20, heard=heard.append)
    assert ended.failure is None
    assert ended.said == {"first": 1, "answer": [{"url": "sqlite:///x"}, 2]}
    assert [list(message) for message in heard] == [["first"], ["answer"]]


@pytest.mark.parametrize(
    ("what", "arguments", "words"),
    [
        ("sleep", (60,), "took longer than 1 seconds and was ended"),
        ("stubborn", (), "took longer than 1 seconds and was ended"),
        ("crash", (), "was killed by SIGSEGV"),
        ("fail", (), "ended with exit code 1: RuntimeError: something broke"),
        ("take_memory", (), "ended with exit code 1: MemoryError"),
        ("leave", (7,), "ended with exit code 7"),
        ("leave", ("no ledger",), "ended with exit code 1: no ledger"),
        ("no_such_function", (), "ended with exit code 1: AttributeError"),
    ],
)
def test_a_death_is_a_sentence(what: str, arguments: tuple[object, ...], words: str) -> None:
    seconds = 1 if what in {"sleep", "stubborn"} else 30
    ended = run_child(DO + what, *arguments, seconds=seconds, grace=0.3, memory_mb=512)
    assert ended.failure is not None
    assert ended.failure.startswith(words)
    said = read_end(ended)
    assert (said.verdict, said.reasons) == ("failed", (f"the job's process {ended.failure}",))


def test_one_that_says_nothing_hangs() -> None:
    assert run_child(DO + "sleep", 60, seconds=60, silent_seconds=1.0).failure == (
        "hung: it kept Python busy for 1 seconds and was ended"
    )


def test_a_program_that_cannot_be_started_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    assert str(run_child(DO + "sleep", 1, seconds=5).failure).startswith("could not be started: ")


def test_a_flood_is_bounded_and_what_is_printed_is_log() -> None:
    ended = run_child(DO + "flood", seconds=60)
    assert (ended.failure, ended.said) == (None, {"number": 1999})
    assert len(ended.log_tail) == TAIL_BYTES
    assert ended.log_tail.endswith("the end\n")


def test_its_input_is_empty_and_its_children_are_safe_too() -> None:
    assert run_child(DO + "read_input", seconds=20).said == {"input": "", "children": "1"}


def test_a_child_that_has_answered_waits_for_no_thread() -> None:
    ended = run_child(DO + "leave_a_thread", seconds=30)
    assert (ended.failure, ended.said) == (None, {"answer": "here"})


def test_all_children_can_be_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    ends: list[str | None] = []
    waiting = [
        threading.Thread(
            target=lambda what=what: ends.append(run_child(DO + what, *((60,) * (what == "sleep")), seconds=50).failure)
        )
        for what in ("sleep", "sleep", "stubborn")
    ]
    from processes.child import _running

    for thread in waiting:
        thread.start()
    while len(_running) < 3:
        time.sleep(0.05)
    end_children(grace=1.0)
    for thread in waiting:
        thread.join(30)
    assert len(ends) == 3
    assert all(str(end).startswith("was killed by SIG") for end in ends)


def test_success_without_an_answer_is_none() -> None:
    assert read_end(Ended({}, None)).reasons == ("the job's process ended without an answer",)
    assert read_end(Ended({"answer": {"n": 1}}, None)).stats == {"n": 1}


def test_a_job_that_says_why_it_failed_did_not_crash() -> None:
    said = read_end(Ended({"job_failed": "the bank is closed"}, "ended with exit code 1: x"))
    assert (said.verdict, said.reasons, diagnose(said)) == ("failed", ("the bank is closed",), "job_failed")
    assert diagnose(read_end(Ended({}, "was killed by SIGSEGV"))) == "crashed"
    late = read_end(Ended({"answer": {"n": 1}}, "ended with exit code 70: x"))
    assert late.verdict == "failed"


def test_secrets_are_in_no_process_list() -> None:
    from processes.launch import launch

    process = launch(DO + "sleep", 60)
    try:
        assert b"behaviour" not in Path(f"/proc/{process.pid}/cmdline").read_bytes()
    finally:
        process.kill()
        process.wait()
        assert process.stdin is not None
        process.stdin.close()
