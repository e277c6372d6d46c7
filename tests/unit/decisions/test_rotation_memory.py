from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest

from airflow_provider_phonelink.decisions.rotation_memory import MOST_NUMBERS, MOST_USES, Memory, Run, State

START = datetime(2026, 3, 1, 6, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)


RUN = {"dag_id": "d", "task_id": "t", "run_id": "r", "at": "2026-03-01T06:00:00+00:00"}


def run_of(hour: int) -> Run:
    return Run("dag", "task", f"run-{hour}", START + hour * HOUR)


def after(numbers: str | list[str]) -> Memory:
    memory = Memory()
    for hour, number in enumerate(numbers):
        run = run_of(hour)
        memory = memory.choosing(
            number, run, run.at, phone_number=f"+{number}", previous=memory.current
        ).done_by(run)
    return memory


def spans(memory: Memory) -> list[tuple[str, float, float | None]]:
    def hours(moment: datetime | None) -> float | None:
        return None if moment is None else (moment - START) / HOUR

    return [(use.number_id, hours(use.since) or 0, hours(use.until)) for use in memory.uses]


def test_one_use_ends_where_the_next_begins() -> None:
    memory = after("abc")
    assert spans(memory) == [("a", 0, 1), ("b", 1, 2), ("c", 2, None)]
    assert memory.current == "c"
    assert [use.previous for use in memory.uses] == [None, "a", "b"]


def test_it_is_readable_json_that_comes_back_as_it_was() -> None:
    memory = after("ab").seen("x", START + 5 * HOUR)
    text = json.dumps(memory.as_json())
    assert Memory.from_json(json.loads(text)) == memory
    assert memory.as_json() == {
        "version": 1,
        "uses": [
            {
                "number_id": "a",
                "phone_number": "+a",
                "since": "2026-03-01T06:00:00+00:00",
                "until": "2026-03-01T07:00:00+00:00",
                "run": {"dag_id": "dag", "task_id": "task", "run_id": "run-0", "at": "2026-03-01T06:00:00+00:00"},
                "state": "done",
            },
            {
                "number_id": "b",
                "phone_number": "+b",
                "since": "2026-03-01T07:00:00+00:00",
                "until": "2026-03-01T11:00:00+00:00",
                "run": {"dag_id": "dag", "task_id": "task", "run_id": "run-1", "at": "2026-03-01T07:00:00+00:00"},
                "previous": "a",
                "state": "done",
            },
            {"number_id": "x", "since": "2026-03-01T11:00:00+00:00", "state": "seen"},
        ],
        "decision": {
            "run": {"dag_id": "dag", "task_id": "task", "run_id": "run-1", "at": "2026-03-01T07:00:00+00:00"},
            "number_id": "b",
        },
    }  # fmt: skip


@pytest.mark.parametrize(
    "edited",
    [
        None, [], "x", 7, {}, {"version": 2, "uses": []}, {"version": 1}, {"version": 1, "uses": 3},
        {"version": 1, "uses": [3]}, {"version": 1, "uses": [{"number_id": "a"}]},
        {"version": 1, "uses": [{"number_id": "", "since": "2026-03-01T06:00:00+00:00"}]},
        {"version": 1, "uses": [{"number_id": "a", "since": "yesterday"}]},
        {"version": 1, "uses": [{"number_id": "a", "since": "2026-03-01T06:00:00"}]},
        {"version": 1, "uses": [{"number_id": "a", "since": 3}]},
        {"version": 1, "uses": [{"number_id": "a", "since": "2026-03-01T06:00:00+00:00", "state": "?"}]},
        {"version": 1, "uses": [{"number_id": "a", "since": "2026-03-01T06:00:00+00:00", "run": "r"}]},
        {"version": 1, "uses": [{"number_id": "a", "since": "2026-03-01T06:00:00+00:00", "turn": "1"}]},
        {"version": 1, "uses": [{"number_id": "a", "since": "2026-03-01T06:00:00+00:00", "turn": True}]},
        {"version": 1, "uses": [{"number_id": "a", "since": "2026-03-01T06:00:00+00:00", "turn": 10**400}]},
        {"version": 1, "uses": [{"number_id": "a", "since": "2026-03-01T06:00:00+00:00", "turn": float("inf")}]},
        {"version": 1, "uses": [], "decision": {"number_id": "a"}},
        {"version": 1, "uses": [{"number_id": "a", "since": "0001-01-01T00:00:00+14:00"}]},
        *(
            {"version": 1, "uses": [{"number_id": "a", "since": "2026-03-01T06:00:00+00:00", **broken}]}
            for text in ("\ud800", "a\nERROR forged", "\x1b]0;x", "\x00", "9" * 5000)
            for broken in (
                {"number_id": text}, {"phone_number": text}, {"previous": text}, {"run": RUN | {"dag_id": text}},
                {"run": RUN | {"task_id": text}}, {"run": RUN | {"run_id": text}},
            )
        ),
    ],
)  # fmt: skip
def test_what_somebody_broke_is_refused(edited) -> None:
    with pytest.raises(ValueError, match="it is"):
        Memory.from_json(edited)


def test_what_somebody_adds_by_hand_needs_little() -> None:
    value = {"version": 1, "uses": [{"number_id": "a", "since": "2026-03-01T06:00:00Z"}]}
    memory = Memory.from_json(value)
    assert (memory.current, memory.uses[0].state) == ("a", State.SEEN)


def test_a_time_that_is_still_to_come_holds_no_number() -> None:
    value = after("ab").as_json()
    value["uses"][-1]["since"] = value["uses"][0]["until"] = (START + 9000 * HOUR).isoformat()
    edited = Memory.from_json(value)
    now = edited.latest(START + 2 * HOUR)
    assert now == START + 2 * HOUR
    assert spans(edited.in_order(now)) == [("a", 0, 2), ("b", 2, None)]


@pytest.mark.parametrize("present", [3, 100])
def test_a_run_that_is_still_to_come_was_due_when_its_number_came_into_use(present) -> None:
    """Without that, each run until then is older, and numbers rest until then."""
    value = after("ab").as_json()
    to_come = (START + 9000 * HOUR).isoformat()
    value["uses"][-1]["run"]["at"] = value["decision"]["run"]["at"] = to_come
    found = Memory.from_json(value).until(START + present * HOUR, START + 2 * HOUR)
    assert found == after("ab")
    assert found.later_than(run_of(2)) is None
    assert found.later_than(run_of(0)) is not None
    assert found.latest(START + 2 * HOUR) == START + 2 * HOUR


def test_where_all_times_are_still_to_come_the_run_that_asks_decides() -> None:
    value = json.loads(json.dumps(after("ab").as_json()).replace("2026", "2027"))
    found = Memory.from_json(value).until(START + 100 * HOUR, START + 2 * HOUR)
    assert found.later_than(run_of(2)) is None
    assert found.latest(START + 2 * HOUR) == START + 2 * HOUR
    assert {use.since for use in found.uses} == {START + 2 * HOUR}


def test_what_ran_late_or_out_of_order_is_no_time_to_come() -> None:
    memory = after("abc").choosing("d", run_of(9), START + 9 * HOUR)
    assert memory.until(START + 9 * HOUR, START) == memory


@pytest.mark.parametrize("moved", [[0, 1, 2], [2, 1, 0], [1, 0, 2]])
def test_uses_that_somebody_wrote_out_of_order_are_sorted(moved) -> None:
    value = after("abc").as_json()
    value["uses"] = [value["uses"][i] for i in moved]
    assert Memory.from_json(value).in_order(START + 2 * HOUR) == after("abc")


def test_a_number_that_was_put_back_stays_the_one_in_use() -> None:
    memory = after("a").done_by(run_of(0)).choosing("b", run_of(1), START + HOUR).seen("a", START + 2 * HOUR)
    assert memory.current == "a"
    assert memory.in_order(START + 2 * HOUR) == memory


def test_the_present_is_not_before_the_last_run_that_is_remembered() -> None:
    assert after("abc").latest(START) == START + 2 * HOUR
    assert after("a").keeping("a", run_of(5)).latest(START) == START + 5 * HOUR


def test_uuids_that_were_copied_in_another_case_are_the_same() -> None:
    one, two = (f"aaaaaaaa-0000-4000-8000-00000000000{i}" for i in range(2))
    found = Memory.from_json(after([one.upper(), two.upper()]).as_json())
    assert [(use.number_id, use.previous) for use in found.uses] == [(one, None), (two, one)]
    assert found.kept_by(run_of(1)) == two
    assert Memory.from_json(after("Aa").as_json()) == after("Aa")  # no uuids


class TestALook:
    def test_that_finds_what_is_remembered_changes_nothing(self) -> None:
        assert after("ab").seen("b", START + 9 * HOUR) == after("ab")

    def test_that_finds_another_number_remembers_it(self) -> None:
        assert spans(after("ab").seen("x", START + 9 * HOUR))[1:] == [("b", 1, 9), ("x", 9, None)]

    def test_that_finds_none_ends_the_last_use(self) -> None:
        memory = after("ab").seen(None, START + 9 * HOUR)
        assert spans(memory)[1:] == [("b", 1, 9)]
        assert memory.current is None
        assert memory.seen(None, START + 10 * HOUR) == memory

    def test_that_finds_the_number_before_a_choice_ends_that(self) -> None:
        memory = after("ab").choosing("c", run_of(2), START + 2 * HOUR)
        ended = memory.seen("b", START + 3 * HOUR)
        assert spans(ended) == [("a", 0, 1), ("c", 2, 3), ("b", 1, None)]
        assert Memory.from_json(ended.as_json()) == ended
        # Its run tries again: that is one use.
        assert ended.choosing("c", run_of(2), START + 2 * HOUR) == memory
        assert spans(ended.choosing("d", run_of(3), START + 3 * HOUR))[1:] == [
            ("c", 2, 3),
            ("b", 1, 3),
            ("d", 3, None),
        ]
        assert memory.seen("c", START + 3 * HOUR) == memory
        assert [use.number_id for use in memory.seen("x", START + 3 * HOUR).uses] == ["a", "b", "c", "x"]

    def test_at_an_empty_memory(self) -> None:
        assert Memory().seen(None, START) == Memory()
        assert spans(Memory().seen("a", START)) == [("a", 0, None)]


def test_a_choice_that_is_made_again_is_one_use() -> None:
    memory = after("a").choosing("b", run_of(1), START + HOUR).choosing("b", run_of(1), START + HOUR)
    assert spans(memory) == [("a", 0, 1), ("b", 1, None)]


def test_a_run_of_earlier_does_not_turn_back_the_time() -> None:
    memory = after("abc").choosing("a", run_of(0), START)
    assert spans(memory)[2:] == [("c", 2, 2), ("a", 2, None)]
    assert memory.decision is not None
    assert memory.decision.run == run_of(2)


def test_it_is_bounded_and_keeps_each_numbers_last_use() -> None:
    memory = after([f"once-{i}" for i in range(20)] + ["a", "b"] * 300)
    assert len(memory.uses) == MOST_USES + 20
    assert set(memory.last_uses()) == {"a", "b", *(f"once-{i}" for i in range(20))}
    assert list(memory.last_uses())[-1] == "b"
    assert Memory.from_json(memory.as_json()) == memory
    many = Memory.from_json(
        {
            "version": 1,
            "uses": [
                {"number_id": f"n{i}", "since": (START + i * HOUR).isoformat()}
                for i in range(MOST_NUMBERS + 50)
            ],
        }
    )
    assert len(many.uses) == MOST_NUMBERS
    assert many.uses[0].number_id == "n50"
