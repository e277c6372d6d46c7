"""Turn an HTTP answer, or the reason why none arrived, into a result or an error."""

from __future__ import annotations

import re
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, TypeVar

import pydantic_core

from airflow_provider_phonelink.api.bodies import refuse_too_many_parts
from airflow_provider_phonelink.api.errors import (
    AccessDeniedError,
    AuthenticationError,
    ConflictError,
    NoAnswerError,
    NotFoundError,
    RateLimitedError,
    RedirectedError,
    RejectedError,
    ServerError,
    UnreadableAnswerError,
    VendorError,
)
from airflow_provider_phonelink.api.garbage import uncollected
from airflow_provider_phonelink.api.text import clean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_phonelink.api.calls import Call
    from airflow_provider_phonelink.api.redaction import Secrets

T = TypeVar("T")

#: A longer ``Retry-After`` counts as this many seconds: a task should fail and be rescheduled by Airflow
#: rather than hold its slot for an hour.
LONGEST_RETRY_AFTER = 60.0
#: Bytes from which a body holds so many objects that the garbage collector would run while they are made.
LARGE_BODY = 64 * 1024

_ERRORS: dict[int, type[VendorError]] = {
    401: AuthenticationError,
    403: AccessDeniedError,
    404: NotFoundError,
    408: ServerError,
    409: ConflictError,
    429: RateLimitedError,
}
#: The types of ids, as pydantic calls them.
_TYPES = ("str", "constrained-str")
_REQUEST_ID_HEADERS = ("x-request-id", "request-id", "x-correlation-id", "traceparent", "cf-ray")


@dataclass(frozen=True)
class Answer:
    """A complete HTTP answer."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes


def without_secrets(body: bytes, secrets: Secrets) -> bytes:
    """
    Return a body without any secret that a vendor echoes, in whatever usual encoding.

    JSON is read for it, so that what is left is JSON still.
    """
    if not secrets.found_in(body):
        return body
    try:
        return pydantic_core.to_json(_redacted(_parsed(body), secrets))
    except ValueError:
        return secrets.redact(body.decode("utf-8", "replace")).encode()


def _parsed(body: bytes) -> Any:
    refuse_too_many_parts(body)
    return pydantic_core.from_json(body)


def _redacted(value: Any, secrets: Secrets) -> Any:
    if isinstance(value, str):
        return secrets.redact(value)
    if isinstance(value, dict):
        return {secrets.redact(key): _redacted(item, secrets) for key, item in value.items()}
    return [_redacted(item, secrets) for item in value] if isinstance(value, list) else value


def interpret(call: Call[T], answer: Answer, secrets: Secrets) -> T:
    """Return the result of a call, or raise the :class:`VendorError` that the answer stands for."""
    if not 200 <= answer.status < 300:
        raise _refusal(call, answer, secrets)
    try:
        refuse_too_many_parts(answer.body)
        with uncollected() if len(answer.body) > LARGE_BODY else nullcontext():
            return call.read(answer.body)
    except (ValueError, RecursionError) as error:
        raise UnreadableAnswerError(
            f"answered {answer.status}, but with something unreadable: {_why_unreadable(error, answer, secrets)}.",
            method=call.method,
            path=call.path,
            status=answer.status,
            request_id=_request_id(answer.headers, secrets),
        ) from None


def no_answer(call: Call[Any], error: BaseException, secrets: Secrets) -> NoAnswerError:
    """Return the error for a request without a complete answer."""
    what = clean(error, secrets) or "no details"
    return NoAnswerError(f"no answer ({type(error).__name__}: {what}).", method=call.method, path=call.path)


def _refusal(call: Call[Any], answer: Answer, secrets: Secrets) -> VendorError:
    default = (
        RedirectedError if answer.status < 400 else RejectedError if answer.status < 500 else ServerError
    )
    text = clean(_PASSWORD.sub(r"\1***", _error_text(answer.body, answer.reason)), secrets)
    return _ERRORS.get(answer.status, default)(
        f"answered {answer.status} {clean(answer.reason, secrets)}" + (f": {text}." if text else "."),
        method=call.method,
        path=call.path,
        status=answer.status,
        request_id=_request_id(answer.headers, secrets),
        retry_after=_retry_after(answer.headers.get("retry-after")),
    )


#: A password that a body shows under its name, as Dasha's credentials do.
_PASSWORD = re.compile(r"""(password["']?\s*[:=]\s*)("(?:[^"\\]|\\.)*"|'[^']*'|[^\s,}]+)""", re.IGNORECASE)


def _error_text(body: bytes, reason: str) -> str:
    """
    Read ProblemDetails (Dasha), ``{"error": text}``, ``{"error": {"message": text}}`` or ``{"message": text}``.

    :param reason: What the message says already: a title often repeats it.
    """
    try:
        payload = _parsed(body)
    except ValueError:
        # The whole text, although only its start will be shown: a truncated key would not be recognised.
        text = body.decode("utf-8", "replace").strip()
        return "an HTML page instead of JSON" if text.startswith("<") else text
    if not isinstance(payload, dict):
        return str(payload)
    error = payload.get("error")
    if isinstance(error, dict):
        error = error.get("message")
    found = [str(part) for part in (error, *map(payload.get, ("message", "title", "detail"))) if part]
    said, parts = {_normal(reason)}, []
    for part in found:
        if _normal(part) not in said:
            said.add(_normal(part))
            parts.append(part)
    if payload.get("errors"):
        parts.append(str(payload["errors"]))
    return ": ".join(parts).rstrip(".")


def _normal(text: str) -> str:
    return text.strip().rstrip(".").casefold()


def _why_unreadable(error: Exception, answer: Answer, secrets: Secrets) -> str:
    if answer.body.lstrip()[:1] == b"<":
        return "an HTML page instead of JSON (is the connection's host right?)"
    if isinstance(error, pydantic_core.ValidationError):
        details = error.errors(include_url=False, include_input=False, include_context=False)
        shown = list(dict.fromkeys(f"{_place(detail['loc'])}: {detail['msg']}" for detail in details))[:3]
        return clean("; ".join(shown), secrets).rstrip(".")
    return clean(error, secrets).rstrip(".")


def _place(loc: tuple[int | str, ...]) -> str:
    """Return where in a document something is, without the names of the types that were tried there."""
    parts = [str(part) for part in loc if part not in _TYPES and "[" not in str(part)]
    return ".".join(parts) or "body"


def _request_id(headers: Mapping[str, str], secrets: Secrets) -> str | None:
    return next((clean(headers[name], secrets) for name in _REQUEST_ID_HEADERS if headers.get(name)), None)


def _retry_after(value: str | None) -> float | None:
    """Read ``Retry-After`` in seconds or as a date."""
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        seconds = _seconds_until(value)
    if not seconds > 0:  # also false for NaN
        return None
    return min(seconds, LONGEST_RETRY_AFTER)


def _seconds_until(date: str) -> float:
    try:
        moment = parsedate_to_datetime(date)
    except (ValueError, TypeError, IndexError, OverflowError):
        return 0.0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return (moment - datetime.now(timezone.utc)).total_seconds()
