"""
All errors of this package, by cause.

::

    PhonelinkError
    ├── InvalidArgumentError             also a ValueError
    │   └── TriggerArgumentError         also a TypeError
    ├── ConfigurationError
    ├── NotNamedError                    also a ValueError
    ├── RoutesError
    ├── SourceUnavailableError           a retry helps
    ├── ReportError                      a retry helps
    │
    ├── VendorError                      one request went wrong
    │   ├── NoAnswerError                a retry helps
    │   ├── UnreadableAnswerError        a retry helps
    │   ├── IncompleteListError
    │   ├── RedirectedError              3xx
    │   ├── RejectedError                400, 422 and other 4xx
    │   ├── AuthenticationError          401
    │   ├── AccessDeniedError            403
    │   ├── NotFoundError                404
    │   ├── ConflictError                409
    │   ├── RateLimitedError             429; a retry helps
    │   └── ServerError                  408 and 5xx; a retry helps
    │
    ├── PromiseError                     the links or numbers are not as promised
    │   ├── AlreadyExistsError
    │   ├── TakenError
    │   ├── AgentArchivedError
    │   ├── ChangedMeanwhileError
    │   ├── NotTakenEffectError          a retry helps
    │   ├── RegistrationFailedError
    │   ├── PoolUnhealthyError           a retry helps
    │   ├── TooManyChangesError
    │   ├── NotApprovedError
    │   └── AttachmentError
    │       └── AttachmentInterruptedError   a retry helps
    │
    │                                    caught within the package:
    ├── BodyError                        a retry helps; becomes a NoAnswerError
    ├── InconsistentListError            becomes an UnreadableAnswerError; also a ValueError
    └── UnusableSourceError              becomes an InvalidArgumentError

What leaves a hook, an operator or a sensor is one of two Airflow exceptions in
``airflow_provider_phonelink.exceptions``, with one of these errors as its cause::

    AirflowFailException
    └── PhonelinkFailException           a retry cannot help
    AirflowException
    └── PhonelinkRetryableException      a retry may help

Every error says whether a retry can help (:attr:`PhonelinkError.retry_helps`): senders, operators and
triggers decide by that attribute and by class, never by the text of a message. All can be pickled and
copied, whatever their constructor takes.
"""

from __future__ import annotations

from contextlib import contextmanager
from copy import copy
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_phonelink.api.text import listed, visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from typing_extensions import Self


class PhonelinkError(Exception):
    """The root of all errors of this package."""

    #: Whether the same attempt may succeed later.
    retry_helps: ClassVar[bool] = False

    def __init__(self, *args: object) -> None:
        # Messages name ids and texts of vendors and files, which could forge a line in a log.
        super().__init__(*(visible(arg) if isinstance(arg, str) else arg for arg in args))

    def __reduce__(self) -> tuple[Any, ...]:
        # The default calls the constructor with the finished message, which not every constructor takes.
        return _restored, (type(self), self.args), self.__dict__


def _restored(kind: type[PhonelinkError], args: tuple[Any, ...]) -> PhonelinkError:
    return kind.__new__(kind, *args)


class InvalidArgumentError(PhonelinkError, ValueError):
    """An argument cannot be used. Nothing was sent."""

    def __init__(self, argument: str, problem: str) -> None:
        super().__init__(f"{argument}: {problem} Nothing was sent.")
        self.argument = argument
        self.problem = problem


class TriggerArgumentError(InvalidArgumentError, TypeError):
    """
    An argument of a trigger is unusable. Nothing was sent.

    A ``TypeError`` is the only error that the triggerers of Airflow 3.0 to 3.3 survive while they make a trigger from
    what their database has of it. Any other ends the process, and with it every deferred task.
    """


class ConfigurationError(PhonelinkError):
    """The connection (its key, host or an extra) cannot be used. Nothing was sent."""


class SourceUnavailableError(PhonelinkError):
    """The object storage that rows are read from does not answer. Nothing was sent to the vendor."""

    retry_helps = True


class NotNamedError(PhonelinkError, ValueError):
    """A name belongs to no number or agent, or to several. Of several routes, a :class:`RoutesError` tells it."""


class ReportError(PhonelinkError):
    """A report of many numbers cannot be written. What it tells of is done."""

    retry_helps = True


class RoutesError(PhonelinkError):
    """
    The routes as a whole cannot come true. Nothing was changed.

    :param problems: What is wrong, a clause for each problem.
    """

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(f"routes: {listed(self.problems)}. Nothing was changed.")


class VendorError(PhonelinkError):
    """
    A request to a vendor did not get the answer that it should have got.

    :param problem: What happened, in one sentence; the vendor's text in it has been cleaned.
    :param method: HTTP method of the request.
    :param path: Path of the request, without host and query.
    :param status: HTTP status, or None if there was no answer.
    :param request_id: The vendor's id for the request, if it sent one.
    :param retry_after: Seconds that the vendor asked to wait, if it did.
    """

    #: What an engineer should do about it; the end of the message.
    advice: ClassVar[str] = ""
    #: Whether the same request was sent before without an answer that counts. That one may have taken effect, though
    #: the vendor refused this one.
    repeated: bool = False

    def __init__(
        self,
        problem: str,
        *,
        method: str,
        path: str,
        status: int | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        suffix = f" [request id {request_id}]" if request_id else ""
        advice = f" {self.advice}" if self.advice else ""
        super().__init__(f"{method} {path}: {problem}{suffix}{advice}")
        self.method = method
        self.path = path
        self.status = status
        self.request_id = request_id
        self.retry_after = retry_after

    @property
    def refuses_a_write(self) -> bool:
        """Whether the vendor refused a write for good; one that is sent again would be refused again."""
        return self.method != "GET" and self.status is not None and not self.retry_helps

    @property
    def rules_out_the_write(self) -> bool:
        """Whether a write did not take effect, by none of its tries."""
        return self.refuses_a_write and not self.repeated

    def about(self, what: str) -> Self:
        """
        Return the same error with a message that says what it was about; the path shows ids only.

        :param what: What failed, such as ``Linking number +1555... to agent x``.
        """
        told = copy(self)
        is_unknown = self.method != "GET" and not self.rules_out_the_write
        effect = " It may have taken effect all the same." if is_unknown else ""
        told.args = (visible(f"{what} failed: {self}{effect}"),)
        return told


class NoAnswerError(VendorError):
    """No complete answer arrived: the connection was refused or lost, or timed out. A write may have taken effect."""

    retry_helps = True


class UnreadableAnswerError(VendorError):
    """A success whose body cannot be trusted (HTML, truncated, about another number): as good as a lost answer."""

    retry_helps = True


class IncompleteListError(VendorError):
    """The vendor's list goes on, and there is no documented way to read the rest."""


class ServerError(VendorError):
    """5xx or 408: the vendor failed. A write may have taken effect."""

    retry_helps = True


class RateLimitedError(VendorError):
    """429: too many requests."""

    retry_helps = True
    advice = "Lower `requests_per_second` on the connection if this keeps happening."


class RejectedError(VendorError):
    """400, 422 or another 4xx: the vendor refuses the request as it stands."""


class AuthenticationError(VendorError):
    """401: the API key is not accepted."""

    advice = "Check the API key in the connection's password."


class AccessDeniedError(VendorError):
    """403: the API key is known but lacks access."""

    advice = "Give this API key access at the vendor, or use another one."


class NotFoundError(VendorError):
    """404: there is no such number or agent."""


class ConflictError(VendorError):
    """409: the request contradicts the state at the vendor."""


class RedirectedError(VendorError):
    """3xx: not followed, because the API key must not be sent anywhere else."""

    advice = "Redirects are not followed; check the connection's host."


class PromiseError(PhonelinkError):
    """The state at the vendor is not the promised one; the message says what it is."""


class AlreadyExistsError(PromiseError):
    """The number exists, and the task may not adopt it as it is."""


class TakenError(PromiseError):
    """Another agent has the number, and the task may not take it."""


class AgentArchivedError(PromiseError):
    """The agent that is to get a number is archived: it answers no calls."""


class ChangedMeanwhileError(PromiseError):
    """Somebody else changed the number between two of our looks; their change was left alone."""


class NotTakenEffectError(PromiseError):
    """The vendor accepted a change, but the change does not show afterwards."""

    retry_helps = True


class RegistrationFailedError(PromiseError):
    """The registration of a number failed or can never become active."""


class PoolUnhealthyError(PromiseError):
    """The pool of a rotation has too few healthy numbers. Nothing was changed."""

    retry_helps = True


class TooManyChangesError(PromiseError):
    """The plan has more changes than it may have. Nothing was changed."""


class NotApprovedError(PromiseError):
    """
    What is to be changed now is not what was approved. Nothing was changed.

    :param others: What was not approved, a line for each change.
    """

    def __init__(self, message: str, others: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.others = tuple(others)


class AttachmentError(PromiseError):
    """A number's move or an agent's primary number is not as promised; the message says what is true now."""


class AttachmentInterruptedError(AttachmentError):
    """Like :class:`AttachmentError`, but another try may succeed."""

    retry_helps = True


class BodyError(PhonelinkError):
    """The body of an answer is too long or too slow."""

    retry_helps = True


class InconsistentListError(PhonelinkError, ValueError):
    """The pages of a list contradict each other or never end."""


class UnusableSourceError(PhonelinkError):
    """A file cannot be read. The message completes a sentence that begins with the file's name."""


@contextmanager
def telling(what: str) -> Iterator[None]:
    """Let the error of a request that is made inside say what failed; see :meth:`VendorError.about`."""
    try:
        yield
    except VendorError as error:
        raise error.about(what) from error.__cause__
