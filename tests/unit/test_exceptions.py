from __future__ import annotations

import pytest

from airflow_provider_phonelink.api.errors import (
    ConfigurationError,
    InvalidArgumentError,
    NoAnswerError,
    NotTakenEffectError,
    TakenError,
)
from airflow_provider_phonelink.compat import AirflowException, AirflowFailException
from airflow_provider_phonelink.exceptions import (
    PhonelinkFailException,
    PhonelinkRetryableException,
    airflow_exception,
    as_airflow_exceptions,
)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ConfigurationError("wrong key"), PhonelinkFailException),
        (InvalidArgumentError("mode", "is wrong."), PhonelinkFailException),
        (TakenError("taken"), PhonelinkFailException),
        (NotTakenEffectError("not done"), PhonelinkRetryableException),
        (NoAnswerError("nothing.", method="GET", path="/x"), PhonelinkRetryableException),
    ],
)
def test_each_error_leaves_as_the_exception_that_airflow_understands(error, kind) -> None:
    with pytest.raises(AirflowException) as caught, as_airflow_exceptions():
        raise error
    assert type(caught.value) is kind
    assert str(caught.value) == str(error)
    assert caught.value.__cause__ is error


def test_only_the_one_that_a_retry_cannot_mend_ends_the_retries() -> None:
    assert isinstance(airflow_exception("x", retry_helps=False), AirflowFailException)
    assert not isinstance(airflow_exception("x", retry_helps=True), AirflowFailException)


@pytest.mark.parametrize("error", [KeyError("x"), PhonelinkFailException("x"), ValueError("x")])
def test_other_errors_pass(error) -> None:
    with pytest.raises(type(error)) as caught, as_airflow_exceptions():
        raise error
    assert caught.value is error
