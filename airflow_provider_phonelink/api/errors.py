"""
Errors by cause.

Every error says whether a retry can help (:attr:`PhonelinkError.retry_helps`): senders, operators and
the trigger decide by that attribute and by class, never by the text of a message.
"""

from __future__ import annotations

from typing import ClassVar


class PhonelinkError(Exception):
    """Whatever went wrong between a wish about a number and its being true."""

    #: Whether doing the same again later can succeed.
    retry_helps: ClassVar[bool] = False


class InvalidArgumentError(PhonelinkError, ValueError):
    """An argument is unusable. Nothing was sent."""

    def __init__(self, argument: str, problem: str) -> None:
        super().__init__(f"{argument}: {problem} Nothing was sent.")
        self.argument = argument
        self.problem = problem


class ConfigurationError(PhonelinkError):
    """The connection (key, host, an extra) is unusable. Nothing was sent."""


class VendorError(PhonelinkError):
    """
    A request to a vendor did not give the answer it should have given.

    :param problem: What happened, in one sentence; vendor text in it is already cleaned.
    :param method: HTTP method of the request.
    :param path: Path of the request, without host and query.
    :param status: HTTP status, or None if there was no answer.
    :param request_id: The vendor's id of the request, if it gave one.
    :param retry_after: Seconds the vendor asked to wait, if it did.
    """

    #: What an engineer should do about it; completes the message.
    advice: ClassVar[str] = ""

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


class NoAnswerError(VendorError):
    """No answer arrived: connection refused or lost, a timeout. A write may or may not have happened."""

    retry_helps = True


class UnreadableAnswerError(VendorError):
    """A success whose content cannot be believed (HTML, cut off, another number): a lost answer."""

    retry_helps = True


class IncompleteListError(VendorError):
    """The vendor holds back the rest of a list."""


class ServerError(VendorError):
    """5xx or 408: the vendor failed. A write may or may not have happened."""

    retry_helps = True


class RateLimitedError(VendorError):
    """429: too many requests."""

    retry_helps = True
    advice = "Lower `requests_per_second` on the connection if this keeps happening."


class RejectedError(VendorError):
    """400, 422 or another 4xx: the vendor refuses the request as it is."""


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
    """3xx: not followed, because the API key must not travel to another place."""

    advice = "Redirects are not followed; check the connection's host."


class PromiseError(PhonelinkError):
    """The state at the vendor is not the one promised, and the message says what it is."""


class AlreadyExistsError(PromiseError):
    """The number exists and the task may not adopt it as it is."""


class TakenError(PromiseError):
    """Another agent has the number and the task may not take it."""


class ChangedMeanwhileError(PromiseError):
    """Somebody else changed the number between our tries; their change was left alone."""


class NotTakenEffectError(PromiseError):
    """The vendor accepted a change that cannot be seen afterwards."""

    retry_helps = True


class RegistrationFailedError(PromiseError):
    """The registration of a number failed or can never become active."""
