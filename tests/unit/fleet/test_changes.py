"""Changes: what tasks told is read, told once, and makes a time line that agrees with what is linked now."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_phonelink.fleet.changes import (
    Lane,
    Origin,
    PastChange,
    Span,
    anonymous,
    merged,
    parsed,
    spans_of_agent,
    spans_of_number,
)
from airflow_provider_phonelink.fleet.timeline import MOST_LANES, WIDTH, timeline_of

START = datetime(2026, 1, 1, tzinfo=timezone.utc)
ORIGIN = Origin("dag", "run", "task")


def at(hour: int) -> datetime:
    return START + timedelta(hours=hour)


def change(hour: int, number_id: str, mode: str = "inbound", **told) -> PastChange:
    return PastChange(at=at(hour), vendor="dasha", number_id=number_id, mode=mode, **told)


def rotated(hour: int, now: str, before: str | None) -> PastChange:
    return change(hour, now, "replaceOutbound", agent_id="a", previous_number_id=before)


def test_what_a_task_told_is_read_and_what_is_not_told_is_left_out() -> None:
    told = {
        "vendor": "dasha",
        "conn_id": "c",
        "number_id": "n",
        "mode": "inbound",
        "agent_id": "a",
        "changed": True,
        "more": 1,
    }
    expected = PastChange(
        at=START, vendor="dasha", conn_id="c", number_id="n", mode="inbound", agent_id="a", origin=ORIGIN
    )
    assert parsed(told, START, ORIGIN) == parsed([told], START, ORIGIN) == [expected]
    junk = [
        None,
        1,
        "text",
        {},
        {**told, "changed": False},
        {**told, "number_id": None},
        {**told, "mode": []},
    ]
    assert parsed([*junk, {**told, "changes": 2}], START, ORIGIN) == []


@given(
    st.recursive(st.none() | st.booleans() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x))
)
def test_nothing_that_anybody_wrote_breaks_the_page(told) -> None:
    assert parsed(told, START, None) == []


def test_a_change_told_twice_by_one_task_is_one() -> None:
    first, again = change(1, "n", agent_id="a", origin=ORIGIN), change(2, "n", agent_id="a", origin=ORIGIN)
    other = change(3, "n", agent_id="a", origin=Origin("dag", "run 2", "task"))
    assert merged([again, other, first]) == [other, first]


def test_a_dag_that_somebody_may_not_see_is_not_named() -> None:
    [shown] = anonymous([change(1, "n", origin=ORIGIN)], {"other"})
    assert shown.origin is None
    assert anonymous([change(1, "n", origin=ORIGIN)], {"dag"})[0].origin == ORIGIN


def test_the_caller_ids_of_a_rotation_follow_each_other() -> None:
    changes = [rotated(1, "n1", "n0"), rotated(2, "n2", "n1"), rotated(3, "n1", "n2")]
    spans = spans_of_agent(changes, "a", {Lane(False, "n1")})
    assert sorted(spans, key=lambda span: span.begin or START) == [
        Span(Lane(False, "n0"), None, at(1), "past"),
        Span(Lane(False, "n1"), at(1), at(2), "past"),
        Span(Lane(False, "n2"), at(2), at(3), "past"),
        Span(Lane(False, "n1"), at(3), None, "now"),
    ]


def test_a_number_that_moves_has_one_agent_after_the_other() -> None:
    changes = [change(1, "n", agent_id="a"), change(2, "n", agent_id="b", previous_agent_id="a")]
    assert spans_of_number(changes, "n", {Lane(True, "b")}) == [
        Span(Lane(True, "a"), at(1), at(2), "past"),
        Span(Lane(True, "b"), at(2), None, "now"),
    ]


def test_what_somebody_else_ended_is_marked() -> None:
    changes = [change(1, "n", agent_id="a")]
    assert spans_of_number(changes, "n", ()) == [Span(Lane(True, "a"), at(1), None, "lost")]


def test_what_somebody_else_made_is_marked() -> None:
    changes = [change(1, "n", agent_id="a"), change(2, "n", previous_agent_id="a")]
    assert spans_of_number(changes, "n", {Lane(True, "a")}) == [
        Span(Lane(True, "a"), at(1), at(2), "past"),
        Span(Lane(True, "a"), at(2), None, "found"),
    ]


def test_what_a_task_told_after_the_links_were_read_is_newer() -> None:
    changes = [rotated(1, "n1", "n0"), rotated(3, "n2", "n1")]
    before = [Span(Lane(False, "n0"), None, at(1), "past"), Span(Lane(False, "n1"), at(1), at(3), "past")]
    assert spans_of_agent(changes, "a", {Lane(False, "n1")}, at(2)) == [
        *before,
        Span(Lane(False, "n2"), at(3), None, "now"),
    ]
    assert [span.kind for span in spans_of_agent(changes, "a", {Lane(False, "n1")}, at(4))[2:]] == [
        "found",
        "lost",
    ]


numbers = st.sampled_from(["n1", "n2", "n3"])
agents = st.sampled_from(["a", "b", None])
any_changes = st.lists(
    st.builds(
        change,
        st.integers(0, 50),
        numbers,
        st.sampled_from(["inbound", "replaceOutbound", None]),
        agent_id=agents,
        previous_agent_id=agents,
        previous_number_id=st.none() | numbers,
    ),
    max_size=12,
)


@given(any_changes, st.sets(st.builds(Lane, st.booleans(), numbers)))
def test_any_history_can_be_drawn_and_ends_as_it_is_now(changes, linked) -> None:
    spans = spans_of_agent(changes, "a", linked)
    assert {span.lane for span in spans if span.kind in ("now", "found")} == linked
    picture = timeline_of(spans, at(51), lambda lane: lane.id)
    bars = [bar for _, bars in picture.lanes for bar in bars] if picture else []
    assert all(bar.x >= 0 and bar.width > 0 and bar.x + bar.width <= WIDTH + 0.2 for bar in bars)


def test_what_is_there_now_is_drawn_however_long_it_has_been_there() -> None:
    changes = [rotated(hour, f"n{hour}", f"n{hour - 1}") for hour in range(1, 20)]
    changes += [rotated(20, "n1", "n19")]
    spans = spans_of_agent(changes, "a", {Lane(False, "n1"), Lane(True, "from the beginning")})
    picture = timeline_of(spans, at(21), lambda lane: lane.id)
    drawn = [label for label, _ in picture.lanes]
    assert len(drawn) == MOST_LANES
    assert drawn == ["from the beginning", "n1", *(f"n{hour}" for hour in range(10, 20))]


def test_a_change_of_the_year_1_can_be_drawn() -> None:
    """Somebody corrected a memory, and left out three digits."""
    first = replace(change(0, "n", agent_id="a"), at=datetime.min.replace(tzinfo=timezone.utc))
    picture = timeline_of(spans_of_agent([first], "a", {Lane(True, "n")}), at(1), lambda lane: lane.id)
    [(_, [bar])] = picture.lanes
    assert (bar.x, bar.width, picture.begin) == (0, WIDTH, first.at)


def test_what_a_task_told_that_cannot_be_written_anywhere_is_left_out() -> None:
    told = {"vendor": "dasha", "number_id": "n", "agent_id": "a", "changed": True}
    assert len(parsed([told], START, None)) == 1
    assert parsed([{**told, "agent_id": "\ud800"}, {**told, "number_id": "\x1b]0;x"}], START, None) == []
