from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from airflow_provider_phonelink.api.errors import PoolUnhealthyError, PromiseError
from airflow_provider_phonelink.decisions import rotation_memory
from airflow_provider_phonelink.decisions.rotation import Asked, Pool, RotationRules, choose
from airflow_provider_phonelink.decisions.rotation_memory import Memory, Run, Use

START = datetime(2026, 3, 1, 6, tzinfo=timezone.utc)
DAY = timedelta(days=1)
IDS = ["a", "b", "c", "d"]
LRU = RotationRules()


def run_of(day: float, run_id: str = "") -> Run:
    return Run("dag", "rotate", run_id or f"run-{day:g}", START + day * DAY)


@dataclass
class Campaign:
    """An agent whose number is rotated, without a vendor: what the promise does between look and proof."""

    pool: list[str] = field(default_factory=lambda: list(IDS))
    in_use: str | None = None
    memory: Memory = field(default_factory=Memory)
    unwell: set[str] = field(default_factory=set)
    reason: str = ""

    def rotate(
        self, day: float, rules: RotationRules = LRU, *, links: bool = True, run_id: str = ""
    ) -> str | None:
        run = run_of(day, run_id)
        pool = Pool(self.pool, {id_: f"{id_}: unwell" for id_ in self.unwell if id_ in self.pool})
        memory = self.memory.seen(self.in_use, run.at)
        choice = choose(pool, memory, Asked("agent", run.at, run), rules, self.in_use, memory.current)
        self.reason = choice.reason
        if choice.stays or choice.number_id is None:
            return self.in_use
        if choice.number_id == self.in_use:
            memory = memory.keeping(choice.number_id, run)
        else:
            memory = memory.choosing(choice.number_id, run, run.at, previous=self.in_use, turn=choice.turn)
        self.memory = memory
        if links:
            self.in_use = choice.number_id
            self.memory = self.memory.done_by(run)
        return choice.number_id

    def rotations(self, days, rules: RotationRules = LRU) -> str:
        return "".join(self.rotate(day, rules) or "-" for day in days)


def test_numbers_never_used_come_first_and_then_it_is_a_round_robin() -> None:
    assert Campaign().rotations(range(10)) == "abcdabcdab"
    assert Campaign().rotations(range(5), RotationRules("round_robin")) == "abcda"


@pytest.mark.parametrize("days", [[0, 7, 8, 30, 31.5, 32, 32.1, 60], [1 / 24 * i for i in range(8)]])
def test_it_does_not_matter_which_runs_there_are(days) -> None:
    assert Campaign().rotations(days) == "abcdabcd"


def test_two_runs_by_hand_on_one_day_give_two_further_numbers() -> None:
    campaign = Campaign()
    assert campaign.rotations([0, 1, 1.3, 1.4, 2]) == "abcda"


def test_a_new_number_is_next() -> None:
    campaign = Campaign()
    campaign.rotations(range(6))
    campaign.pool.insert(2, "new")
    assert campaign.rotate(6) == "new"
    assert campaign.rotations(range(7, 12)) == "cdabn"[0:4] + "new"


def test_a_pool_larger_than_the_memory_is_gone_through_in_its_order(monkeypatch) -> None:
    monkeypatch.setattr(rotation_memory, "MOST_USES", 5)
    monkeypatch.setattr(rotation_memory, "MOST_NUMBERS", 20)
    ids = [f"n{i:02}" for i in range(25)]
    campaign = Campaign(ids)
    assert [campaign.rotate(day) for day in range(100)] == ids * 4


class TestTheSameRun:
    def test_keeps_its_number_when_it_is_tried_again_or_cleared(self) -> None:
        campaign = Campaign()
        campaign.rotations(range(3))
        assert campaign.rotate(3, links=False) == "d"
        assert campaign.in_use == "c"
        assert [campaign.rotate(3) for _ in range(3)] == ["d"] * 3
        assert campaign.reason == "this run has chosen it before"
        assert campaign.rotate(4) == "a"

    def test_takes_another_one_if_that_is_unwell_by_then(self) -> None:
        campaign = Campaign(in_use="b")
        assert campaign.rotate(0, links=False) == "c"
        campaign.unwell = {"c"}
        assert campaign.rotate(0) == "d"
        campaign.unwell = set()
        assert campaign.rotate(0) == "d"
        # Whether "c" was linked is not known: it counts as used, and rests.
        assert [use.number_id for use in campaign.memory.uses] == ["c", "b", "d"]

    def test_puts_its_number_back_after_somebody_else_took_it(self) -> None:
        campaign = Campaign()
        campaign.rotations(range(2))
        campaign.in_use = "d"
        assert campaign.rotate(1) == "b"
        assert [use.number_id for use in campaign.memory.uses] == ["a", "b", "d", "b"]

    def test_that_kept_a_number_keeps_it_when_it_is_cleared_later(self) -> None:
        campaign = Campaign()
        hourly = RotationRules(max_in_use=DAY)
        campaign.rotations([0, 1 / 24], hourly)
        assert campaign.rotate(1 / 24, LRU) == "a"

    def test_does_nothing_once_a_later_run_has_rotated(self) -> None:
        campaign = Campaign()
        campaign.rotations(range(3))
        before = campaign.memory
        for day in (0, 1, -20):  # cleared, cleared, and one of last month that never ran
            assert campaign.rotate(day) == "c"
            assert campaign.reason == "this run is older than run-2 of the DAG dag, which has rotated since"
        assert campaign.memory == before

    def test_rotates_once_a_later_run_has_only_kept_the_number(self) -> None:
        campaign = Campaign()
        campaign.rotate(0)
        assert campaign.rotate(1.1, RotationRules("priority"), run_id="failover") == "a"
        assert campaign.rotate(1) == "b"
        assert campaign.rotate(0.5) == "b"
        assert campaign.reason == "this run is older than run-1 of the DAG dag, which has rotated since"
        # Neither run changes its mind when it is cleared.
        assert campaign.rotate(1) == "b"
        assert campaign.rotate(2, RotationRules(max_in_use=5 * DAY)) == "b"
        assert campaign.rotate(1) == "b"
        assert campaign.reason == "this run has chosen it before"

    def test_stays_within_max_in_use_once_a_later_run_has_kept_the_number(self) -> None:
        campaign = Campaign()
        daily = RotationRules(max_in_use=DAY)
        campaign.rotations([0, 5 / 24], daily)
        assert campaign.rotate(2 / 24, daily) == "a"
        assert campaign.reason == "it has been in use for 5:00:00, less than max_in_use"

    def test_does_nothing_once_another_run_of_the_same_moment_has_rotated(self) -> None:
        campaign = Campaign()
        assert campaign.rotate(1, run_id="scheduled") == "a"
        assert campaign.rotate(1, run_id="manual") == "b"
        assert campaign.rotate(1, run_id="scheduled") == "b"
        assert "manual" in campaign.reason


class TestWithoutAMemory:
    @pytest.mark.parametrize(("in_use", "chosen"), [("b", "c"), ("d", "a"), ("elsewhere", "a"), (None, "a")])
    def test_the_number_after_the_one_in_use_is_next(self, in_use, chosen) -> None:
        assert Campaign(in_use=in_use).rotate(0) == chosen

    def test_unwell_numbers_are_passed_over(self) -> None:
        assert Campaign(in_use="b", unwell={"c", "d"}).rotate(0) == "a"

    def test_a_lost_one_is_built_up_again(self) -> None:
        campaign = Campaign()
        campaign.rotations(range(6))  # ends with "b"
        campaign.memory = Memory()
        found = campaign.rotations(range(6, 18))
        assert found[0] == "c"
        assert all(sorted(found[i : i + 4]) == IDS for i in range(9))


class TestPriority:
    RULES = RotationRules("priority")

    def test_takes_the_first_healthy_number_and_puts_it_back(self) -> None:
        campaign = Campaign()
        assert campaign.rotations(range(3), self.RULES) == "aaa"
        campaign.unwell = {"a", "b"}
        assert campaign.rotate(3, self.RULES) == "c"
        campaign.unwell = {"a"}
        assert campaign.rotate(4, self.RULES) == "b"
        campaign.unwell = set()
        assert campaign.rotate(5, self.RULES) == "a"

    def test_looks_at_the_world_also_for_an_event_that_comes_late(self) -> None:
        campaign = Campaign()
        campaign.rotations(range(3), self.RULES)
        campaign.unwell = {"a"}
        assert campaign.rotate(1, self.RULES) == "b"

    def test_an_event_that_comes_late_finds_the_numbers_as_they_are_now(self) -> None:
        campaign = Campaign()
        campaign.rotate(0, self.RULES)
        campaign.unwell = {"a"}
        assert campaign.rotate(3, self.RULES) == "b"
        campaign.unwell = set()
        assert campaign.rotate(1, self.RULES) == "a"
        assert campaign.reason == "it is the first healthy number in the pool's order"
        campaign.pool, campaign.unwell = ["a", "b"], {"a"}
        assert campaign.rotate(2, self.RULES) == "b"

    def test_waits_with_putting_back_for_as_long_as_the_number_rests(self) -> None:
        rules = RotationRules("priority", cool_down=2 * DAY)
        campaign = Campaign(unwell={"a"})
        campaign.in_use = "a"
        assert campaign.rotate(0, rules) == "b"
        campaign.unwell = set()
        assert campaign.rotations([1, 1.9, 2, 3], rules) == "bbaa"


class TestCoolDown:
    def test_a_number_is_not_taken_again_before(self) -> None:
        rules = RotationRules(cool_down=3 * DAY)
        assert Campaign().rotations(range(8), rules) == "abcdabcd"
        campaign = Campaign(IDS[:3])
        # "a" is out of use since day 1, and rests until day 4: "c" stays.
        assert campaign.rotations(range(6), rules) == "abccab"

    def test_a_number_rests_that_somebody_replaced_before_its_run_could_tell(self) -> None:
        rules = RotationRules(cool_down=5 * DAY)
        campaign = Campaign(IDS[:3])
        campaign.rotate(0, rules)
        assert (
            campaign.rotate(1, rules, links=False) == "b"
        )  # it dies right after the write, and "a" is put back
        assert campaign.rotations(range(2, 8), rules) == "cccccb"

    def test_a_failed_run_does_not_prolong_the_time_in_use(self) -> None:
        rules = RotationRules(max_in_use=DAY)
        campaign = Campaign()
        campaign.rotate(0, rules)
        assert campaign.rotate(1, rules, links=False) == "b"
        assert campaign.rotate(1.1, rules) == "c"

    def test_what_happens_if_all_others_rest_and_the_number_in_use_fails(self) -> None:
        for on_unhealthy in ("fail", "skip", "keep"):
            campaign = Campaign(IDS[:2])
            rules = RotationRules(cool_down=5 * DAY, on_unhealthy=on_unhealthy)
            assert campaign.rotations(range(3), rules) == "abb"
            campaign.unwell = {"b"}
            if on_unhealthy == "keep":
                assert campaign.rotate(3, rules) == "a"
                continue
            with pytest.raises(
                PoolUnhealthyError,
                match=r"0 of 2 numbers of the pool are healthy and rested, 1 are demanded\. Nothing was changed.*"
                r"b: unwell; a: out of use since 2026-03-02 06:00 UTC, rests until 2026-03-07 06:00 UTC",
            ):
                campaign.rotate(3, rules)

    @pytest.mark.parametrize("late", [1, 5, 9])
    def test_counts_from_when_a_run_acted_that_is_older_than_the_last(self, late) -> None:
        rules = RotationRules("priority", cool_down=5 * DAY)
        campaign = Campaign(["a", "b"])
        campaign.rotations(range(10), rules)
        campaign.unwell = {"a"}
        assert campaign.rotate(late, rules) == "b"
        campaign.unwell = set()
        assert campaign.rotations([10, 13, 14], rules) == "bba"


class TestOnUnhealthy:
    @pytest.mark.parametrize(
        ("unwell", "min_healthy", "kept"),
        [("bcd", 2, "a"), ("abcd", 1, "a"), ("acd", 2, "b"), ("abc", 2, "d")],
    )
    def test_keep(self, unwell, min_healthy, kept) -> None:
        campaign = Campaign(in_use="a", unwell=set(unwell))
        rules = RotationRules(min_healthy=min_healthy, on_unhealthy="keep")
        assert campaign.rotate(0, rules) == kept

    def test_keep_means_a_number_outside_of_the_pool_too(self) -> None:
        campaign = Campaign(in_use="elsewhere", unwell={"b", "c"})
        assert campaign.rotate(0, RotationRules(min_healthy=3, on_unhealthy="keep")) == "elsewhere"
        assert campaign.reason == "too few numbers of the pool are healthy and rested"
        assert campaign.rotate(1, RotationRules(min_healthy=2, on_unhealthy="keep")) == "a"

    def test_there_has_to_be_a_number_to_keep(self) -> None:
        campaign = Campaign(unwell=set(IDS))
        with pytest.raises(PoolUnhealthyError, match="0 of 4"):
            campaign.rotate(0, RotationRules(on_unhealthy="keep"))

    @pytest.mark.parametrize(("min_healthy", "enough"), [(1, True), (3, True), (4, False)])
    def test_fail(self, min_healthy, enough) -> None:
        campaign = Campaign(in_use="a", unwell={"b"})
        rules = RotationRules(min_healthy=min_healthy)
        if enough:
            assert campaign.rotate(0, rules) == "c"
            return
        with pytest.raises(
            PoolUnhealthyError, match=r"3 of 4 .* 4 are demanded.*agent's number is a.*b: unwell"
        ) as caught:
            campaign.rotate(0, rules)
        assert caught.value.retry_helps


class TestMaxInUse:
    RULES = RotationRules(max_in_use=DAY)

    def test_an_hourly_run_rotates_once_a_day(self) -> None:
        found = Campaign().rotations([hour / 24 for hour in range(24 * 8)], self.RULES)
        assert found == "".join(id_ * 24 for id_ in "abcdabcd")

    def test_a_number_that_fails_is_replaced_at_once(self) -> None:
        campaign = Campaign()
        campaign.rotate(0, self.RULES)
        campaign.unwell = {"a"}
        assert campaign.rotations([0.1, 0.2, 1, 1.1], self.RULES) == "bbbc"

    def test_a_number_that_somebody_else_set_counts_from_the_run_that_saw_it(self) -> None:
        campaign = Campaign()
        campaign.rotate(0, self.RULES)
        campaign.in_use = "d"
        assert campaign.rotations([0.5, 1, 1.4, 1.5], self.RULES) == "dddb"

    @pytest.mark.parametrize("strategy", ["least_recently_used", "weighted"])
    def test_a_number_of_which_nothing_is_remembered_is_not_held(self, strategy) -> None:
        rules = RotationRules(strategy, max_in_use=DAY)
        campaign = Campaign(in_use="b")
        assert campaign.rotate(0, rules) == "c"
        assert campaign.reason == "it comes after the number in use, and no earlier use is remembered"
        assert campaign.rotate(0.5, rules) == "c"
        campaign.memory = Memory()
        assert campaign.rotate(0.6, rules) == "d"
        campaign.memory = Memory((Use("d", START),))  # somebody wrote it
        assert campaign.rotations([0.7, 1.1], rules) == "da"

    def test_the_reason_is_not_a_time_that_nobody_knows(self) -> None:
        campaign = Campaign()
        campaign.rotate(0, self.RULES)
        campaign.in_use = "d"
        campaign.rotate(0.5, self.RULES)
        assert campaign.reason.startswith("somebody else gave it to the agent")
        campaign.rotate(1, self.RULES)
        assert campaign.reason == "it has been in use for 12:00:00, less than max_in_use"


class TestReasons:
    def test_another_task_of_the_same_run_has_rotated_since(self) -> None:
        memory, run = Memory(), run_of(0)
        for task in ("one", "other"):
            memory = memory.choosing(task[0], replace(run, task_id=task), run.at)
        choice = choose(Pool(IDS), memory, Asked("agent", run.at, replace(run, task_id="one")), LRU, "b")
        assert choice.stays
        assert choice.reason == (
            "this task has chosen before the task other of run-0 of the DAG dag, which has rotated since"
        )

    def test_the_first_number_of_a_failover_rests(self) -> None:
        rules = RotationRules("priority", cool_down=2 * DAY)
        campaign = Campaign(unwell={"a"}, in_use="a")
        campaign.rotate(0, rules)
        campaign.unwell = set()
        campaign.rotate(1, rules)
        assert campaign.reason == "it is the first healthy number in the pool's order that does not rest"

    def test_all_numbers_of_a_failover_rest(self) -> None:
        rules = RotationRules("priority", cool_down=9 * DAY, on_unhealthy="keep")
        campaign = Campaign(pool=["a", "b", "c"])
        for day, unwell in enumerate(["", "a", "ab"]):
            campaign.unwell = set(unwell)
            campaign.rotate(day, rules)
        campaign.unwell = {"c"}
        assert campaign.rotate(3, rules) == "a"
        assert campaign.reason == "all healthy ones rest, and it has for longest"

    def test_a_number_in_quarantine_may_have_been_unused_for_longer(self) -> None:
        campaign = Campaign()
        campaign.rotations(range(4))
        campaign.unwell = {"a"}
        campaign.rotate(4)
        assert campaign.reason.endswith("longer than any other healthy one")


class TestWeighted:
    @settings(max_examples=15, deadline=None)
    @given(st.lists(st.integers(1, 20), min_size=1, max_size=12))
    @example([1, 1, 1, 6, 9])
    @example([1, 1, 1, 1, 6, 9])
    @example([1, 1, 1, 1, 10, 20])
    @example([*[1] * 11, 10, 20])
    @example([4, 1, 9, 2, 1, 17])
    @example([2, 1, 9, 14, 1])
    def test_uses_are_in_proportion_and_never_twice_in_a_row(self, weights) -> None:
        ids = [f"n{i}" for i in range(len(weights))]
        shares = dict(zip(ids, weights, strict=True))
        heaviest = max(shares, key=lambda id_: shares[id_])
        shares[heaviest] = min(shares[heaviest], max(sum(weights) - shares[heaviest], 1))
        campaign = Campaign(ids)
        rules = RotationRules("weighted", dict(zip(ids, weights, strict=True)))
        found = [campaign.rotate(day, rules) for day in range(240)]
        total = sum(shares.values())
        for first, last in ((0, 240), (0, 60), (180, 240), (100, 130)):
            counts = Counter(found[first:last])
            for id_ in ids:
                assert abs(counts[id_] - (last - first) * shares[id_] / total) <= 2
        if len(ids) > 1:
            assert all(one != other for one, other in pairwise(found))

    @pytest.mark.parametrize("weights", [[40, 40, 40, 1, 1, 1], [100, 100, 1], [300, 300, 1, 1]])
    @pytest.mark.parametrize("earlier", [0, 250])
    def test_a_low_weight_gets_its_share_although_its_last_use_was_long_ago(self, weights, earlier) -> None:
        ids = [f"n{i}" for i in range(len(weights))]
        rules = RotationRules("weighted", dict(zip(ids, weights, strict=True)))
        campaign = Campaign(ids)
        campaign.rotations(range(earlier), LRU)  # of which no turns are remembered
        counts: Counter[str | None] = Counter()
        for day in range(earlier, earlier + 1200):
            counts[campaign.rotate(day, rules)] += 1
            if day % 100 == 0:
                campaign.memory = Memory.from_json(campaign.memory.as_json())
        for id_, weight in zip(ids, weights, strict=True):
            assert abs(counts[id_] - 1200 * weight / sum(weights)) <= 3

    def test_a_number_that_was_away_does_not_make_up_for_it(self) -> None:
        campaign = Campaign(IDS[:3], unwell={"a"})
        rules = RotationRules("weighted", {"a": 2})
        campaign.rotations(range(50), rules)
        campaign.unwell = set()
        found = campaign.rotations(range(50, 62), rules)
        assert (found.count("a"), found.count("b"), found.count("c")) == (6, 3, 3)


class TestACallable:
    def test_gets_one_value_with_everything(self) -> None:
        turns = []

        def last(turn):
            turns.append(turn)
            return turn.candidates[-1].number_id

        campaign = Campaign(unwell={"c"})
        campaign.rotations(range(2))
        assert campaign.rotate(2, RotationRules(last)) == "d"
        [turn] = turns
        assert (turn.agent_id, turn.in_use, turn.at) == ("agent", "b", START + 2 * DAY)
        assert turn.run == run_of(2)
        assert [(one.number_id, one.uses) for one in turn.candidates] == [("a", 1), ("d", 0)]
        assert turn.candidates[0].last_use == Use(
            "a", START, START + DAY, run=run_of(0), state=turn.candidates[0].last_use.state
        )
        assert turn.candidates[1].last_use is None
        assert campaign.rotate(2, RotationRules(last)) == "d"  # kept, so it is not asked
        assert len(turns) == 1

    def test_may_write_a_uuid_in_either_case(self) -> None:
        pool = [f"aaaaaaaa-0000-4000-8000-00000000000{i}" for i in range(2)]
        assert Campaign(pool).rotate(0, RotationRules(lambda _: pool[1].upper())) == pool[1]

    @pytest.mark.parametrize("chosen", ["c", None, 7, ["a"]])
    def test_may_not_choose_anything_else(self, chosen) -> None:
        with pytest.raises(PromiseError, match=r"not one of a, b\. Nothing was changed"):
            Campaign(["a", "b"]).rotate(0, RotationRules(lambda _: chosen))


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(["least_recently_used", "weighted", "priority"]))
def test_a_thousand_runs(seed, strategy) -> None:
    """Skips, clears, hands, numbers that fail and recover, pools that change, lost memory, failed tries."""
    chance = random.Random(seed)  # noqa: S311 - a simulation
    campaign = Campaign([f"n{i}" for i in range(5)], in_use="n3")
    rules = RotationRules(strategy)
    chosen_by: dict[float, str] = {}
    window: list[str] = []
    day = 0.0
    for _ in range(1000):
        day += chance.choice([1, 1, 1, 2, 0.1, 5])
        changed = _something_happens(chance, campaign)
        # A run whose tries die before the link or after it.
        for _ in range(chance.choice([0, 0, 0, 1, 2])):
            earlier, now = chosen_by.get(day), campaign.rotate(day, rules, links=chance.random() < 0.5)
            assert earlier in (None, now)
            chosen_by[day] = str(now)
        before = campaign.in_use
        number = campaign.rotate(day, rules)
        assert number == campaign.in_use is not None
        assert number not in campaign.unwell
        assert chosen_by.setdefault(day, str(number)) == number
        others = set(campaign.pool) - campaign.unwell - {before}
        if strategy != "priority" and len(chosen_by) > 1 and others and before != number:
            assert number in others
        if chance.random() < 0.1:  # cleared
            assert campaign.rotate(day, rules) == number
        if strategy == "least_recently_used" and chance.random() < 0.1:  # a clear of an older run
            assert campaign.rotate(day - chance.randint(1, 90), rules) == number
        window = [number] if changed else [*window, number]
        if strategy == "least_recently_used":
            _assert_fair(window[1:], set(campaign.pool) - campaign.unwell)
    assert len(campaign.memory.uses) <= 200 + len(campaign.pool) + 20


def _something_happens(chance: random.Random, campaign: Campaign) -> bool:
    """Change the world before a run; return whether anything did that the choice depends on."""
    before = set(campaign.unwell), list(campaign.pool)
    if chance.random() < 0.15:
        campaign.unwell ^= {chance.choice(campaign.pool)}
    if chance.random() < 0.03:
        fresh = f"m{chance.randint(0, 9)}"
        campaign.pool = [id_ for id_ in campaign.pool if chance.random() < 0.8]
        campaign.pool.insert(0, fresh) if fresh not in campaign.pool else None
    if not set(campaign.pool) - campaign.unwell:
        campaign.unwell -= {campaign.pool[0]}
    by_hand = chance.random() < 0.03
    if by_hand:
        campaign.in_use = chance.choice(campaign.pool)
    lost = chance.random() < 0.01
    if lost:
        campaign.memory = Memory()
    return by_hand or lost or before != (campaign.unwell, campaign.pool)


def _assert_fair(window: list[str], healthy: set[str]) -> None:
    counts = Counter(window[-30:])
    most = max(counts.values(), default=0)
    assert most - min((counts[id_] for id_ in healthy), default=0) <= 1


@given(st.lists(st.integers(0, 3), max_size=30), st.integers(1, 6))
def test_any_history_of_decisions_leaves_every_number_its_turn(sick, size) -> None:
    ids = [f"n{i}" for i in range(size)]
    campaign = Campaign(ids)
    for day, number in enumerate(sick):
        campaign.unwell = {ids[number]} if number < size and size > 1 else set()
        campaign.rotate(day)
    campaign.unwell = set()
    found = [str(campaign.rotate(len(sick) + i)) for i in range(size)]
    assert sorted(set(found)) == ids
