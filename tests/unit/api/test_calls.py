from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_phonelink.api.calls import Call, Stepper, as_flow, path

CALL: Call[bytes] = Call(method="GET", path="/x", read=bytes)


@pytest.mark.parametrize(
    ("value", "segment"),
    [
        ("a", "a"),
        ("a b", "a%20b"),
        ("a/b", "a%2Fb"),
        ("é", "%C3%A9"),
        ("%2e", "%252e"),
        ("?#", "%3F%23"),
        ("{x}", "%7Bx%7D"),
    ],
)
def test_path_escapes_ids(value, segment) -> None:
    assert path("/v1/{a}/{b}", a=value, b="z") == f"/v1/{segment}/z"


def test_walk_goes_step_by_step_to_the_result() -> None:
    def flow() -> Any:
        first = yield CALL
        second = yield CALL
        return first + second

    walk = Stepper(flow())
    assert walk.step is CALL
    assert not walk.done
    walk.answered(1)
    walk.answered(2)
    assert (walk.done, walk.result) == (True, 3)


def test_walk_lets_the_flow_handle_an_error_or_raises_it() -> None:
    def flow() -> Any:
        try:
            yield CALL
        except KeyError:
            yield CALL

    walk = Stepper(flow())
    walk.failed(KeyError())
    with pytest.raises(LookupError):
        walk.failed(LookupError())


def test_walk_of_a_flow_without_steps_is_done_at_once() -> None:
    def flow() -> Any:
        yield from ()
        return 7

    assert Stepper(flow()).result == 7


def test_a_call_is_a_flow_of_one_step() -> None:
    walk = Stepper(as_flow(CALL))
    assert walk.step is CALL
    walk.answered("answer")
    assert walk.result == "answer"  # type: ignore[comparison-overlap]


def test_a_call_is_not_repeatable_unless_it_says_so() -> None:
    assert not CALL.repeatable
    assert CALL.look is None
