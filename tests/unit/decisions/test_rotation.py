from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_phonelink.api.errors import PromiseError
from airflow_provider_phonelink.decisions.rotation import Pool, Turn, next_number, weighted_order

IDS = st.integers(1, 8).map(lambda size: [f"n{i}" for i in range(size)])
STRATEGIES = st.sampled_from(["round_robin", "weighted"])


@st.composite
def pools(draw) -> Pool:
    ids = draw(IDS)
    skipped = draw(st.lists(st.sampled_from(ids), max_size=len(ids) - 1, unique=True))
    return Pool(ids, dict.fromkeys(skipped, "unwell"))


@st.composite
def turns(draw) -> tuple[Pool, Turn, dict[str, int]]:
    pool = draw(pools())
    anything = st.none() | st.sampled_from([*pool.number_ids, "elsewhere"])
    turn = Turn(
        draw(st.none() | st.integers(-(10**6), 10**6)),
        draw(anything),
        draw(anything),
        draw(st.text(max_size=9)),
    )
    return pool, turn, draw(st.dictionaries(st.sampled_from(pool.number_ids), st.integers(1, 9)))


@given(turns(), STRATEGIES)
def test_a_choice_is_healthy_kept_repeatable_and_another_one_if_there_is_any(drawn, strategy) -> None:
    pool, turn, weights = drawn
    chosen = next_number(pool, turn, strategy, weights)
    assert chosen in pool.healthy
    assert chosen == next_number(pool, turn, strategy, weights)
    if turn.kept in pool.healthy:
        assert chosen == turn.kept
    elif len(pool.healthy) > 1:
        assert chosen != turn.previous


@given(IDS, st.integers(-1000, 1000), st.integers(1, 50))
def test_round_robin_is_fair_within_one(ids, first, runs) -> None:
    pool, previous, found = Pool(ids), None, []
    for ordinal in range(first, first + runs):
        previous = next_number(pool, Turn(ordinal, previous))
        found.append(previous)
    counts = Counter(found)
    assert max(counts.values()) - min(counts[id_] for id_ in ids) <= 1
    assert found == [ids[ordinal % len(ids)] for ordinal in range(first, first + runs)]


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.integers(0, 500))
def test_weights_are_matched_over_a_round_without_a_number_twice_in_a_row(weights, first) -> None:
    ids = [f"n{i}" for i in range(len(weights))]
    shares = dict(zip(ids, weights, strict=True))
    heaviest = max(shares, key=lambda id_: shares[id_])
    shares[heaviest] = min(shares[heaviest], max(sum(weights) - shares[heaviest], 1))
    pool, previous, found = Pool(ids), None, []
    for ordinal in range(first, first + 3 * sum(shares.values())):
        previous = next_number(
            pool, Turn(ordinal, previous), "weighted", dict(zip(ids, weights, strict=True))
        )
        found.append(previous)
    assert Counter(found) == {id_: 3 * share for id_, share in shares.items()}
    if len(ids) > 1:
        assert all(one != other for one, other in pairwise(found))


def test_weights_are_spread() -> None:
    assert weighted_order(["a", "b", "c"], {"a": 2}) == ["b", "a", "c", "a"]
    assert weighted_order(["a", "b"], {"a": 50}) == ["a", "b"]
    assert weighted_order(["a", "b", "c"], {}) == ["a", "b", "c"]
    assert weighted_order(["a"], {"a": 7}) == ["a"]


@pytest.mark.parametrize("previous_is_known", [True, False])
@pytest.mark.parametrize("strategy", ["round_robin", "weighted"])
def test_without_an_ordinal_every_number_has_its_turn(strategy, previous_is_known) -> None:
    ids, weights = ["a", "b", "c"], {"a": 2}
    previous, found = None, []
    for run in range(2000):
        turn = Turn(None, previous if previous_is_known else None, run=f"manual__{run}")
        previous = next_number(Pool(ids), turn, strategy, weights)
        found.append(previous)
    share = Counter(found)["a"] / len(found)
    assert abs(share - (1 / 2 if strategy == "weighted" else 1 / 3)) < 0.05
    assert min(Counter(found).values()) > 300
    if previous_is_known and strategy == "round_robin":
        assert found[1:4] in (["a", "b", "c"], ["b", "c", "a"], ["c", "a", "b"])


@pytest.mark.parametrize("strategy", ["round_robin", "weighted"])
@pytest.mark.parametrize("scheduled", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_a_thousand_runs_with_numbers_that_fail_and_recover(strategy, scheduled, seed) -> None:
    chance = random.Random(seed)  # noqa: S311 - a simulation
    ids = [f"n{i}" for i in range(5)]
    unwell: set[str] = set()
    used: list[str] = []
    in_use = "n3"
    for run in range(1000):
        unwell ^= {id_ for id_ in ids if chance.random() < (0.3 if id_ in unwell else 0.1)}
        if len(unwell) == len(ids):
            unwell.discard(chance.choice(ids))
        before = in_use
        kept: Any = None
        for _ in range(chance.choice([1, 1, 2, 3])):  # tries: killed before the link, or after it
            pool = Pool(ids, dict.fromkeys(unwell, "unwell"))
            chosen = next_number(pool, Turn(run if scheduled else None, before, kept, str(run)), strategy)
            assert chosen in pool.healthy
            assert kept in (None, chosen) or kept in unwell
            assert chosen != before or pool.healthy == [before]
            kept = chosen
            if chance.random() < 0.5:
                in_use = chosen
            if chance.random() < 0.2 and len(unwell) + 1 < len(ids):
                unwell.add(chosen)
        in_use = kept
        used.append(in_use)
    assert len(used) == 1000
    assert set(used) == set(ids)


def test_a_callable_sees_what_it_may_choose() -> None:
    seen = []

    def last(candidates, ordinal, previous):
        seen.append((list(candidates), ordinal, previous))
        return candidates[-1]

    pool = Pool(["a", "b", "c"], {"c": "unwell"})
    assert next_number(pool, Turn(7, "b"), last) == "a"
    assert seen == [(["a"], 7, "b")]
    assert next_number(pool, Turn(7, "b", "b"), last) == "b"  # kept, so it is not asked
    assert len(seen) == 1


@pytest.mark.parametrize("chosen", ["c", None, 7, ["a"]])
def test_a_callable_may_not_choose_anything_else(chosen) -> None:
    with pytest.raises(PromiseError, match=r"not one of a, b\. Nothing was changed"):
        next_number(Pool(["a", "b"]), Turn(1), lambda *_: chosen)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 200), min_size=1))
def test_any_weights_make_an_order(weights) -> None:
    order = weighted_order(list("abcdefgh"), weights)
    assert set(order) == set("abcdefgh")
    assert all(number_id != order[i - 1] for i, number_id in enumerate(order))
