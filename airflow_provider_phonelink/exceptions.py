"""
Errors as Airflow sees them.

The client's errors (:mod:`airflow_provider_phonelink.api.errors`) know nothing of Airflow. What leaves a
hook, operator or sensor is one of two exceptions, and which one says whether a retry can help.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

from airflow_provider_phonelink.api.errors import PhonelinkError

if TYPE_CHECKING:
    from collections.abc import Iterator


class PhonelinkFailException(AirflowFailException):
    """A retry cannot mend this: the task fails at once. The cause is in ``__cause__``."""


class PhonelinkRetryableException(AirflowException):
    """A retry may mend this: Airflow retries the task if it has retries. The cause is in ``__cause__``."""


@contextmanager
def as_airflow_exceptions() -> Iterator[None]:
    """Let an error of the client leave as one of Airflow's."""
    try:
        yield
    except PhonelinkError as error:
        exception = as_airflow_exception(error)
    else:
        return
    raise exception  # out here, so that it carries no context with the client's frames


def as_airflow_exception(error: PhonelinkError) -> AirflowException:
    """
    Return what an error of the client is for Airflow, with that error as its cause.

    Without the client's frames and contexts: the message says it all, and some error reports show local variables.
    """
    exception = airflow_exception(str(error), retry_helps=error.retry_helps)
    cause: BaseException | None = error
    while cause is not None:
        cause.__traceback__ = cause.__context__ = None
        cause = cause.__cause__
    exception.__cause__ = error
    return exception


def airflow_exception(message: str, *, retry_helps: bool) -> AirflowException:
    """Return the exception that makes Airflow do the right thing."""
    exception: AirflowException = (PhonelinkRetryableException if retry_helps else PhonelinkFailException)(
        message
    )
    return exception
