"""
Errors as Airflow sees them.

The client's errors (:mod:`airflow_provider_phonelink.api.errors`) know nothing of Airflow. Hooks, operators and
sensors raise one of two exceptions instead; which of them says whether a retry can help.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from airflow_provider_phonelink.api.errors import PhonelinkError
from airflow_provider_phonelink.api.text import visible
from airflow_provider_phonelink.compat import AirflowException, AirflowFailException

if TYPE_CHECKING:
    from collections.abc import Iterator


class PhonelinkFailException(AirflowFailException):
    """A retry cannot help, so the task fails at once. The client's error is in ``__cause__``."""


class PhonelinkRetryableException(AirflowException):
    """A retry may help, so Airflow retries the task if it has retries left. The client's error is in ``__cause__``."""


@contextmanager
def as_airflow_exceptions() -> Iterator[None]:
    """Raise an error of the client as one of the two exceptions."""
    try:
        yield
    except PhonelinkError as error:
        exception = as_airflow_exception(error)
    else:
        return
    raise exception  # out here, so that it carries no context with the client's frames


def as_airflow_exception(error: PhonelinkError) -> AirflowException:
    """
    Return the exception for an error of the client, with that error as its cause.

    Tracebacks and contexts are dropped: the message says everything, and some error reports show local variables.
    """
    exception = airflow_exception(str(error), retry_helps=error.retry_helps)
    cause: BaseException | None = error
    while cause is not None:
        cause.__traceback__ = cause.__context__ = None
        cause = cause.__cause__
    exception.__cause__ = error
    return exception


def airflow_exception(message: str, *, retry_helps: bool) -> AirflowException:
    """Return the exception that makes Airflow retry the task, or not."""
    exception: AirflowException = (PhonelinkRetryableException if retry_helps else PhonelinkFailException)(
        visible(message)
    )
    return exception
