"""What the journal says once all of a task's writes are looked at."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_phonelink.promises.journal import VERSION, Journal, State, outbound_key

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


def test_what_a_look_before_a_repeat_shows_is_kept_at_once_also_among_several() -> None:
    kept: list[Any] = [None]
    journal = Journal(None, kept.append)
    with journal.several():
        journal.begin(NUMBER, journal.entry(NUMBER, "desk", agent_id="night", **LINK))
        journal.looked(NUMBER, None)
    next_try = Journal(kept[-1])
    assert not next_try.earlier(NUMBER).explains("desk")


@pytest.mark.parametrize(
    ("now", "losers"), [("night", ["desk"]), ("desk", ["desk"]), ("door", ["desk", "door"])]
)
def test_who_has_a_number_from_the_task_does_not_lose_it_by_the_task(now: str, losers: list[str]) -> None:
    first = Journal()
    first.begin(NUMBER, first.entry(NUMBER, "desk", agent_id="night", **LINK))
    second = Journal({"version": VERSION, "entries": first._as_json()})
    second.begin(NUMBER, second.entry(NUMBER, "night", agent_id="day", **LINK))
    third = Journal({"version": VERSION, "entries": second._as_json()})
    entry = third.entry(NUMBER, now, agent_id="day", **LINK)
    assert entry.losers == losers


def test_what_was_told_is_told_again_only_if_a_look_shows_that_it_is_so_still() -> None:
    first = Journal()
    first.begin(NUMBER, first.entry(NUMBER, "desk", agent_id="night", **LINK))
    first.settle(NUMBER, "night")
    told = first.told()
    assert Journal(told).to_tell() == []  # nobody has looked
    for now, again in (("night", [State.TOLD]), ("day", []), (None, [])):
        later = Journal(told)
        assert bool(later.found(NUMBER, now)) is bool(again)
        assert [entry.state for entry in later.to_tell()] == again


def test_what_no_look_of_a_try_has_shown_is_known() -> None:
    for journal in (after_a_death(agent="night", before="desk"), after_a_death(agent=None, before="desk")):
        assert [entry.number_id for entry in journal.unseen] == [NUMBER]
        journal.settle(NUMBER, "night")
        assert (journal.unseen, journal.has_seen(NUMBER)) == ([], True)


@pytest.mark.parametrize("state", [State.INTENDED, State.DONE])
@pytest.mark.parametrize(("given", "told"), [("n2", [("n2", "n3")]), ("n3", [])])
def test_an_outbound_number_in_place_of_one_that_an_earlier_try_removed(state, given, told) -> None:
    key, about = outbound_key("desk"), {"mode": "replaceOutbound", "agent_id": "desk"}
    left = {"number_id": "n3", **about, "removes": True, "state": state.value}
    journal = Journal({"version": VERSION, "entries": {key: left}})
    journal.begin(key, journal.entry(key, number_id=given, **about, removes=False))
    journal.settle(key, "desk")
    assert [(entry.number_id, entry.previous_number_id) for _, entry in journal if not entry.removes] == told
    assert len(list(journal)) == len(told)


BROKEN = ("\ud800", "a\nERROR forged", "\x1b]0;x", "\x00", "9" * 5000)


@pytest.mark.parametrize("text", BROKEN)
@pytest.mark.parametrize(
    "broken",
    [
        lambda text: {"number_id": text},
        lambda text: {"mode": text},
        lambda text: {"agent_id": text},
        lambda text: {"phone_number": text},
        lambda text: {"previous_number_id": text},
        lambda text: {"losers": ["a", text]},
        lambda text: {"primaries": {text: "a"}},
        lambda text: {"primaries": {"a": text}},
    ],
)
def test_what_could_not_be_kept_was_not_kept_by_a_journal(text: str, broken: Any) -> None:
    entry = {"number_id": NUMBER, "state": "done"}
    assert list(Journal({"version": VERSION, "entries": {NUMBER: entry}}))
    with pytest.raises(ValueError, match="of another form"):
        Journal({"version": VERSION, "entries": {NUMBER: {**entry, **broken(text)}}})


@pytest.mark.parametrize("text", BROKEN)
def test_names_that_could_not_be_kept_were_not_kept_by_a_journal(text: str) -> None:
    for kept in (
        {"entries": {text: {"number_id": NUMBER, "state": "done"}}},
        {"entries": {}, "creating": [text]},
    ):
        with pytest.raises(ValueError, match=r"sound key|no list of texts"):
            Journal({"version": VERSION, **kept})
