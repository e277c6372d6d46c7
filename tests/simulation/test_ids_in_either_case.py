"""A uuid is the same in either case, whichever the task's arguments are in, and whichever the vendor writes."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

import pytest
from simulation.exploring import all_histories
from simulation.histories import History, _Run, _Stage, run
from simulation.operations import CALLER, OPERATIONS, A, B, C
from simulation.state import state_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulation.histories import Try

    from airflow_provider_phonelink.api import answers
    from airflow_provider_phonelink.api.calls import Call

UUID = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
#: The simulated agents have short names; on the wire they are uuids.
AGENTS = {name: str(uuid5(NAMESPACE_URL, name)) for name in (A, B, C, CALLER)}
NAMES = {agent: name for name, agent in AGENTS.items()}


def written(text: str, case: Callable[[str], str]) -> str:
    """Put uuids in the place of agents' names, and all uuids in a case."""
    for name, agent in AGENTS.items():
        text = text.replace(f'"{name}"', f'"{agent}"')
    return UUID.sub(lambda match: case(match[0]), text)


def read(text: str) -> str:
    """Put agents' names in the place of their uuids, and all other uuids in lower case."""
    return UUID.sub(lambda match: NAMES.get(match[0].lower(), match[0].lower()), text)


class _RunWithUuids(_Run):
    def __init__(self, history: History, asked: Callable[[str], str], answered: Callable[[str], str]) -> None:
        super().__init__(history)
        self._answered = answered
        operation = self._stage.operation
        self._stage = _Stage(
            replace(
                operation,
                arguments=lambda ids, inputs: json.loads(
                    written(json.dumps(operation.arguments(ids, inputs)), asked)
                ),
            )
        )
        self._vendors, self._account.ids = self._stage.vendors, self._stage.ids
        self._state, self._revision = state_of(self._vendors.world), self._vendors.revision

    def _answer(self, call: Call[Any], fault: str) -> answers.Answer:
        asked = replace(
            call,
            path=read(call.path),
            params=json.loads(read(json.dumps(call.params))),
            body=json.loads(read(json.dumps(call.body))),
        )
        answer = super()._answer(asked, fault)
        return replace(answer, body=written(answer.body.decode(), self._answered).encode())


@pytest.mark.parametrize("answered", [str.lower, str.upper])
@pytest.mark.parametrize("asked", [str.lower, str.upper])
@pytest.mark.parametrize("name", OPERATIONS)
def test_is_the_same(name: str, asked: Callable[[str], str], answered: Callable[[str], str]) -> None:
    plain = run(History(name))
    account = _RunWithUuids(History(name), asked, answered).carry_out()
    assert [(try_.outcome, try_.error) for try_ in account.tries] == [("green", None)]
    assert account.operation.kept(account.end, account.ids, frozenset())
    assert account.last.requests == plain.last.requests
    assert bool(account.last.told) == bool(plain.last.told)


@pytest.mark.matrix
@pytest.mark.parametrize("asked", [str.lower, str.upper])
@pytest.mark.parametrize("name", OPERATIONS)
def test_is_the_same_whatever_happens(name: str, asked: Callable[[str], str]) -> None:
    """The vendor writes the other case."""
    answered = str.upper if asked is str.lower else str.lower
    for account in all_histories(name, 1):
        found = _RunWithUuids(account.history, asked, answered).carry_out()
        assert [_course(try_) for try_ in found.tries] == [_course(try_) for try_ in account.tries], (
            account.history
        )
        kept = [one.operation.kept(one.end, one.ids, one.last.inputs) for one in (account, found)]
        assert kept[0] == kept[1], account.history


def _course(try_: Try) -> tuple[str, str, list[bool]]:
    return try_.outcome, type(try_.error).__name__, try_.requests
