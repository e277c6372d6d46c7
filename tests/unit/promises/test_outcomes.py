from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import pytest
from unit.api.fake_dasha import number_json

from airflow_provider_phonelink.api.callingbox.models import Agent
from airflow_provider_phonelink.api.dasha.models import PhoneNumber
from airflow_provider_phonelink.promises.dasha.create import Created
from airflow_provider_phonelink.promises.outcomes import Changed, Outcome, plain, storable

if TYPE_CHECKING:
    from collections.abc import Iterator

NUL = "a\0b"
NUMBER = PhoneNumber.model_validate(number_json(1, displayName=NUL, extra={NUL: [NUL, 1, None]}))


@pytest.mark.parametrize(
    "result",
    [
        plain(NUMBER),
        plain(Agent.model_validate({"id": NUL, "returns": {NUL: NUL}, "tools": [{NUL: [NUL]}]})),
        Created(summary="", number=NUMBER, adopted=True).result(),
        Changed(summary="", subject=NUMBER, changed=True, previous_agent_id=NUL).result(),
    ],
)
def test_no_nul_character_gets_into_xcom(result) -> None:
    assert "\\u0000" not in json.dumps(result)
    assert "ab" in json.dumps(result)


def test_a_result_is_the_number_and_what_became_of_it() -> None:
    changed = Changed(summary="", subject=NUMBER, changed=False, previous_agent_id=None)
    assert changed.result() == {**plain(NUMBER), "changed": False, "previous_agent_id": None}
    created = Created(summary="", number=NUMBER, adopted=False)
    assert created.result() == {**plain(NUMBER), "adopted": False}


def test_an_outcome_is_told_with_its_warnings(caplog) -> None:
    with caplog.at_level(logging.INFO):
        Outcome(summary="done", warnings=("look", "here")).log_to(logging.getLogger("task"))
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("INFO", "done"),
        ("WARNING", "look"),
        ("WARNING", "here"),
    ]


#: What Airflow's serialisation takes for marks of its own, if a result has it as a key.
MARKS = ("__type", "__var", "__classname__", "__data__", "__version__", "__id__", "__source", "__dag")


@pytest.mark.parametrize("mark", MARKS)
def test_a_result_has_no_mark_of_airflows_serialisation_at_any_depth(mark) -> None:
    hostile = {mark: "airflow.sdk.definitions.connection.Connection", "deep": [{mark: {mark: 1}}]}
    number = PhoneNumber.model_validate({**number_json(1), **hostile, "x": hostile})

    def keys(value: object) -> Iterator[str]:
        if isinstance(value, dict):
            yield from value
        for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            yield from keys(item)

    assert not [key for key in keys(plain(number)) if key.startswith("__")]


def test_a_result_can_be_stored_by_every_database() -> None:
    assert storable({"a\0": ["b\0\ud800", None, 1, True]}) == {"a": ["b?", None, 1, True]}
