"""A try that dies at any of its requests, as by SIGKILL, is completed by the next one."""

from __future__ import annotations

import pytest
from integration.longer_operations import LONGER
from integration.operations import Scene

from airflow_provider_phonelink.api.dasha import endpoints
from airflow_provider_phonelink.api.senders import Sender
from airflow_provider_phonelink.sandbox.patterns import PathPattern

POINTS = [
    pytest.param(operation, request, when, id=f"{operation.name} - {request.role} - {when}")
    for operation in LONGER
    for request in operation.requests
    for when in (("before", "after") if request.writes else ("before",))
]


class Died(BaseException):
    """What no handler catches, like SIGKILL."""


class Death:
    """Lets the sender of requests die at one of them, and do nothing more."""

    def __init__(self, method: str, path: str, nth: int, when: str) -> None:
        self.method, self.path, self.nth, self.when = method, PathPattern(path), nth, when
        self.seen = 0
        self.dead = False

    def at(self, call) -> bool:
        self.seen += call.method == self.method and bool(self.path.search(call.path))
        return self.seen == self.nth

    def kill(self) -> None:
        self.dead = True
        raise Died


@pytest.fixture(autouse=True)
def small_pages(monkeypatch):
    monkeypatch.setattr(endpoints, "LARGEST_PAGE", 2)


def dying(death, genuine):
    def try_(sender, call):
        if death.dead:
            raise Died
        now = death.at(call)
        if now and death.when == "before":
            death.kill()
        answer = genuine(sender, call)
        if now:
            death.kill()
        return answer

    return try_


@pytest.mark.parametrize(("operation", "request_", "when"), POINTS)
def test_is_completed_by_the_next_try(sandbox, connections, monkeypatch, operation, request_, when):
    scene = Scene(operation, sandbox)
    death = Death(**request_.which(scene.numbers), when=when)
    with monkeypatch.context() as patch:
        patch.setattr(Sender, "_try", dying(death, Sender._try))
        died = scene.run(connections)
    assert death.dead
    assert isinstance(died.error, Died), died.log

    outcome = scene.run(connections, try_number=2)
    assert outcome.state == "success", outcome.log
    assert scene.kept, scene.broken
    assert len(sandbox.journal.writes()) == operation.writes
    assert not scene.disturbed()
