"""What the journal says once all of a task's writes are looked at."""

from __future__ import annotations

from typing import Any

from airflow_provider_phonelink.promises.journal import Journal, State

NUMBER = "a0000000-0000-4000-8000-000000000001"
LINK = {"number_id": NUMBER, "mode": "inbound", "phone_number": "+15550100001"}


def after_a_death(*, agent: str | None, before: str | None) -> Journal:
    """Return the journal of a try after one that died around its write."""
    kept: list[object] = [None]
    first = Journal(None, kept.append)
    first.begin(NUMBER, first.entry(NUMBER, before, agent_id=agent, **LINK))
    return Journal(kept[-1], kept.append)


def test_an_intention_that_no_look_confirmed_is_dropped_whichever_try_had_it() -> None:
    for journal in (after_a_death(agent=None, before="desk"), after_a_death(agent="desk", before=None)):
        journal.drop_intentions()
        assert not list(journal)
    twice = after_a_death(agent=None, before="desk")
    twice.begin(NUMBER, twice.entry(NUMBER, "desk", agent_id=None, **LINK))
    twice.drop_intentions()
    assert not list(twice)


def test_what_an_earlier_try_did_stays_where_a_later_intention_is_dropped() -> None:
    kept: list[object] = [None]
    first = Journal(None, kept.append)
    first.begin(NUMBER, first.entry(NUMBER, "desk", agent_id="night", **LINK))
    first.settle(NUMBER, "night")
    first.keep()
    second = Journal(kept[-1])
    second.begin(NUMBER, second.entry(NUMBER, "night", agent_id="day", **LINK))
    second.drop_intentions()
    assert [(entry.state, entry.agent_id, entry.losers) for _, entry in second] == [
        (State.DONE, "night", ["desk"])
    ]


def test_what_somebody_else_changed_is_kept_as_such_only_once_the_task_has_said_so() -> None:
    kept: list[Any] = [None]
    journal = Journal(None, kept.append)
    journal.begin(NUMBER, journal.entry(NUMBER, "desk", agent_id="night", **LINK))
    journal.settle(NUMBER, "night")
    journal.contested(NUMBER)
    journal.keep()
    assert kept[-1]["entries"][NUMBER]["state"] == "done"  # a try that dies now has told nobody
    journal.said()
    assert kept[-1]["entries"][NUMBER]["state"] == "contested"
