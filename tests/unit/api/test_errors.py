from __future__ import annotations

import pytest

from airflow_provider_phonelink.api import errors
from airflow_provider_phonelink.api.errors import (
    InvalidArgumentError,
    PhonelinkError,
    RateLimitedError,
    VendorError,
)

CLASSES = [
    value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)
]


def test_the_tree_has_one_root() -> None:
    assert all(issubclass(kind, PhonelinkError) for kind in CLASSES)


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_says_what_it_is_and_whether_a_retry_helps(kind) -> None:
    assert kind.__doc__
    helps = {
        "NoAnswerError",
        "UnreadableAnswerError",
        "ServerError",
        "RateLimitedError",
        "NotTakenEffectError",
    }
    assert kind.retry_helps is (kind.__name__ in helps)


def test_a_vendor_error_carries_what_a_program_needs() -> None:
    error = RateLimitedError(
        "answered 429.", method="GET", path="/x", status=429, request_id="r", retry_after=3.0
    )
    assert (error.method, error.path, error.status, error.request_id, error.retry_after) == (
        "GET",
        "/x",
        429,
        "r",
        3.0,
    )
    assert str(error) == f"GET /x: answered 429. [request id r] {error.advice}"


@pytest.mark.parametrize("kind", [kind for kind in CLASSES if issubclass(kind, VendorError)])
def test_advice_completes_the_message(kind) -> None:
    assert str(kind("problem.", method="GET", path="/x")) == f"GET /x: problem. {kind.advice}".strip()


def test_a_bad_argument_is_also_a_value_error() -> None:
    assert isinstance(InvalidArgumentError("take", "is wrong."), ValueError)
