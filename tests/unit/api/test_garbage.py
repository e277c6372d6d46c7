from __future__ import annotations

import gc
import json
import os
import threading
from typing import TYPE_CHECKING

import pytest
from unit.api.fake_dasha import number_json

from airflow_provider_phonelink.api import answers, errors
from airflow_provider_phonelink.api.calls import Call
from airflow_provider_phonelink.api.garbage import uncollected
from airflow_provider_phonelink.api.redaction import Secrets

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _collector_as_before() -> Iterator[None]:
    assert gc.isenabled()
    yield
    gc.enable()


def test_the_collector_rests_meanwhile_and_runs_afterwards() -> None:
    with uncollected():
        assert not gc.isenabled()
        with uncollected():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_runs_again_after_an_error() -> None:
    with pytest.raises(ZeroDivisionError), uncollected():
        1 / 0  # noqa: B018
    assert gc.isenabled()


def test_a_collector_that_somebody_switched_off_stays_off() -> None:
    gc.disable()
    with uncollected():
        pass
    assert not gc.isenabled()


def test_it_rests_until_the_last_thread_is_done() -> None:
    entered, leave = threading.Event(), threading.Event()

    def rest() -> None:
        with uncollected():
            entered.set()
            leave.wait(30)

    thread = threading.Thread(target=rest)
    thread.start()
    assert entered.wait(30)
    with uncollected():
        pass
    assert not gc.isenabled()
    leave.set()
    thread.join(30)
    assert gc.isenabled()


@pytest.mark.parametrize(("count", "rests"), [(1, False), (1000, True)])
def test_only_a_large_answer_is_read_without_it(count, rests) -> None:
    body = json.dumps([number_json(number) for number in range(count)]).encode()
    seen = []
    call = Call(method="GET", path="/", read=lambda _: seen.append(not gc.isenabled()), repeatable=True)
    answers.interpret(call, answers.Answer(200, "OK", {}, body), Secrets())
    assert seen == [rests]
    assert gc.isenabled()


def test_a_large_answer_that_cannot_be_read_leaves_it_running() -> None:
    call = Call(method="GET", path="/", read=json.loads, repeatable=True)
    with pytest.raises(errors.UnreadableAnswerError):
        answers.interpret(call, answers.Answer(200, "OK", {}, b"[" * 100_000), Secrets())
    assert gc.isenabled()


def test_a_process_that_is_forked_meanwhile_collects() -> None:
    with uncollected():
        child = os.fork()
        if not child:
            enabled = gc.isenabled()
            with uncollected():
                rests = not gc.isenabled()
            os._exit(0 if enabled and rests and gc.isenabled() else 1)
        _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
