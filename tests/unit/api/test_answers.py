from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.api.carrying import is_one_line
from unit.api.fake_callingbox import AGENT_DETAILS, NUMBER_DETAILS
from unit.api.fake_dasha import CREDENTIALS, number_id, number_json

from airflow_provider_phonelink.api import answers, errors
from airflow_provider_phonelink.api.answers import Answer, interpret, no_answer
from airflow_provider_phonelink.api.callingbox import endpoints as callingbox_endpoints
from airflow_provider_phonelink.api.dasha import endpoints as dasha_endpoints
from airflow_provider_phonelink.api.errors import UnreadableAnswerError, VendorError
from airflow_provider_phonelink.api.redaction import Secrets

KEY = "sk_live_0123456789abcdef"
ID = number_id(1)
CALL = dasha_endpoints.get_number(ID)
NUMBER = number_json(1)
AGENT = {"id": "agent-1", **AGENT_DETAILS, "type": "inbound", "numbers": [{"id": "n1", **NUMBER_DETAILS}]}

#: Every endpoint with a valid answer to it.
ENDPOINTS: dict[str, tuple[Any, Any]] = {
    "create_number": (dasha_endpoints.create_number(NUMBER["phoneNumber"], CREDENTIALS), NUMBER),
    "update_number": (dasha_endpoints.update_number(ID, "+1", CREDENTIALS), NUMBER),
    "get_number": (CALL, NUMBER),
    "list_numbers": (
        dasha_endpoints.list_numbers(),
        {"items": [NUMBER], "totalCount": 1, "skip": 0, "take": 20},
    ),
    "link": (dasha_endpoints.link(ID, "agent-1"), NUMBER),
    "unlink": (dasha_endpoints.unlink(ID), NUMBER),
    "affected_agents": (
        dasha_endpoints.affected_agents(ID),
        {
            "id": ID,
            "phoneNumber": "+1",
            "affectedAgents": [{"agentId": "a", "agentName": "A", "uses": ["inbound"]}],
        },
    ),
    "callingbox.list_numbers": (callingbox_endpoints.list_numbers(), [{"id": "n1", **NUMBER_DETAILS}]),
    "callingbox.list_agents": (callingbox_endpoints.list_agents(), {"data": [AGENT]}),
    "callingbox.get_agent": (callingbox_endpoints.get_agent("agent-1"), AGENT),
    "callingbox.attach": (callingbox_endpoints.attach("agent-1", "n1"), AGENT),
    "callingbox.detach": (callingbox_endpoints.detach("agent-1", "n1"), AGENT),
    "callingbox.set_primary_number": (callingbox_endpoints.set_primary_number("agent-1", "n1"), AGENT),
}
#: Those whose answer is about one thing, which must be the one asked for.
ABOUT_ONE = sorted(set(ENDPOINTS) - {"list_numbers", "callingbox.list_numbers", "callingbox.list_agents"})

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(ID) | st.just("agent-1"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=15,
)


def answer(status: int, body: bytes = b"", headers: dict[str, str] | None = None, reason: str = "") -> Answer:
    return Answer(status, reason, httpx.Headers(headers or {}), body)


def refusal(
    status: int, body: bytes = b"", headers: dict[str, str] | None = None, reason: str = ""
) -> VendorError:
    with pytest.raises(VendorError) as caught:
        interpret(CALL, answer(status, body, headers, reason), Secrets(KEY))
    return caught.value


@pytest.mark.parametrize(
    ("status", "kind", "retry_helps"),
    [
        (301, errors.RedirectedError, False),
        (302, errors.RedirectedError, False),
        (307, errors.RedirectedError, False),
        (400, errors.RejectedError, False),
        (401, errors.AuthenticationError, False),
        (402, errors.RejectedError, False),
        (403, errors.AccessDeniedError, False),
        (404, errors.NotFoundError, False),
        (405, errors.RejectedError, False),
        (408, errors.ServerError, True),
        (409, errors.ConflictError, False),
        (422, errors.RejectedError, False),
        (429, errors.RateLimitedError, True),
        (500, errors.ServerError, True),
        (502, errors.ServerError, True),
        (503, errors.ServerError, True),
        (504, errors.ServerError, True),
        (599, errors.ServerError, True),
    ],
)
def test_each_status_is_an_error_of_its_own_kind(status, kind, retry_helps) -> None:
    error = refusal(status)
    assert type(error) is kind
    assert error.retry_helps is retry_helps
    assert (error.status, error.method, error.path) == (status, "GET", CALL.path)
    assert str(error).startswith(f"GET {CALL.path}: answered {status}")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("7", 7.0),
        ("0.5", 0.5),
        (" 3 ", 3.0),
        ("0", None),
        ("-5", None),
        ("nan", None),
        ("inf", 60.0),
        ("-inf", None),
        ("1e400", 60.0),
        ("86400", 60.0),
        ("9" * 5000, 60.0),
        ("soon", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", None),
        ("Wed, 21 Oct 99999 07:28:00 GMT", None),
        ("Wed, 21 Oct 2099 07:28:00 GMT", 60.0),
        ("Wed, 21 Oct 2099 07:28:00 +9999", None),
    ],
)
def test_retry_after(header, seconds) -> None:
    assert refusal(429, headers=None if header is None else {"Retry-After": header}).retry_after == seconds


@pytest.mark.parametrize("form", ["Wed, %d %b %Y %H:%M:%S GMT", "Wed, %d %b %Y %H:%M:%S -0000"])
def test_retry_after_as_a_date_counts_from_now(form) -> None:
    moment = datetime.now(timezone.utc) + timedelta(seconds=30)
    waits = refusal(503, headers={"Retry-After": moment.strftime(form)}).retry_after
    assert waits == pytest.approx(30, abs=2)


def test_retry_after_may_name_another_time_zone() -> None:
    moment = datetime.now(timezone(timedelta(hours=5))) + timedelta(seconds=30)
    assert refusal(503, headers={"Retry-After": format_datetime(moment)}).retry_after == pytest.approx(
        30, abs=2
    )


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60))
def test_any_retry_after_is_nothing_or_a_bounded_wait(header) -> None:
    seconds = refusal(429, headers={"Retry-After": header}).retry_after
    assert seconds is None or 0 < seconds <= answers.LONGEST_RETRY_AFTER


@pytest.mark.parametrize(
    "header", ["X-Request-Id", "request-id", "X-Correlation-ID", "traceparent", "CF-Ray"]
)
@pytest.mark.parametrize("status", [200, 404])
def test_the_request_id_is_told(header, status) -> None:
    error = refusal(status, b"<html>", headers={header: "req-7"})
    assert error.request_id == "req-7"
    assert "[request id req-7]" in str(error)


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"", "answered 400 Bad."),
        (b'{"title": "Invalid", "detail": "Too long.", "status": 400}', ": Invalid: Too long."),
        (b'{"type": null, "title": "Invalid", "detail": null}', ": Invalid."),
        (b'{"title": "Invalid", "errors": {"phoneNumber": ["too long"]}}', "{'phoneNumber': ['too long']}"),
        (b'{"error": "Number is unknown"}', ": Number is unknown."),
        (b'{"error": {"message": "Number is unknown"}}', ": Number is unknown."),
        (b'{"error": {}}', "answered 400 Bad."),
        (b'"plain JSON text"', ": plain JSON text."),
        (b"[1, 2]", ": [1, 2]."),
        (b"plain text", ": plain text."),
        (b"  <html><body>Bad gateway", ": an HTML page instead of JSON."),
        (b"\xff\xfe", "\ufffd"),
        (b'{"error": "two\\nlines"}', ": two lines."),
        (b"two\r\nlines", ": two  lines."),
    ],
)
def test_the_vendors_words_are_told_in_one_line(body, shown) -> None:
    message = str(refusal(400, body, reason="Bad"))
    assert shown in message
    assert message.isprintable()


@pytest.mark.parametrize(
    "body",
    [
        f"key {KEY} is wrong".encode(),
        json.dumps({"title": KEY, "detail": KEY, "errors": {KEY: [KEY]}}).encode(),
        json.dumps({"error": {"message": f"{KEY}{KEY}"}}).encode(),
        json.dumps([KEY]).encode(),
        b"x" * 190 + KEY.encode(),
        b"x" * 495 + KEY.encode(),
    ],
)
@pytest.mark.parametrize("status", [200, 302, 400, 500])
def test_the_key_is_blanked_also_where_the_text_is_cut(body, status) -> None:
    error = refusal(status, body, {"x-request-id": f"id-{KEY}"}, reason=f"Bad {KEY}")
    assert "sk_" not in str(error)
    assert "sk_" not in str(error.request_id)


def test_an_unreadable_success_says_which_fields() -> None:
    error = refusal(200, b'{"id": 7}')
    assert isinstance(error, UnreadableAnswerError)
    assert error.retry_helps
    assert "phoneNumber: Field required" in str(error)
    assert error.__cause__ is None


def test_an_html_success_asks_for_the_host() -> None:
    assert "an HTML page instead of JSON (is the connection's host right?)" in str(
        refusal(200, b"\n <!doctype html>")
    )


@pytest.mark.parametrize("name", sorted(ENDPOINTS))
def test_a_valid_answer_is_read(name) -> None:
    call, valid = ENDPOINTS[name]
    assert interpret(call, answer(200, json.dumps(valid).encode()), Secrets()) is not None


@pytest.mark.parametrize("name", ABOUT_ONE)
def test_an_answer_about_something_else_is_not_believed(name) -> None:
    call, valid = ENDPOINTS[name]
    other = {**valid, "id": number_id(2), "phoneNumber": "+2"}
    with pytest.raises(UnreadableAnswerError, match="the answer is about"):
        interpret(call, answer(200, json.dumps(other).encode()), Secrets())


def test_an_id_that_is_none_is_named_once_by_its_place() -> None:
    call, valid = ENDPOINTS["get_number"]
    wrong = json.dumps({**valid, "id": None, "incomingCallsAgentId": 7}).encode()
    with pytest.raises(UnreadableAnswerError) as caught:
        interpret(call, answer(200, wrong), Secrets())
    assert str(caught.value).count("id: Input should be a valid string") == 1
    assert "incomingCallsAgentId: " in str(caught.value)
    assert "constrained" not in str(caught.value)


@pytest.mark.parametrize("name", ["get_number", "update_number", "link", "affected_agents", "create_number"])
def test_uuids_in_answers_may_be_in_upper_case(name) -> None:
    call, valid = ENDPOINTS[name]
    upper = {**valid, "id": ID.upper(), "credentialsId": CREDENTIALS.upper()}
    assert interpret(call, answer(200, json.dumps(upper).encode()), Secrets()).id == ID


@pytest.mark.parametrize(
    "name", ["update_number", "link", "unlink", "callingbox.attach", "callingbox.detach"]
)
@pytest.mark.parametrize("body", [b"", b" \n"])
def test_a_write_may_answer_without_a_body(name, body) -> None:
    assert interpret(ENDPOINTS[name][0], answer(204, body), Secrets()) is None


@pytest.mark.parametrize(
    "name", ["get_number", "create_number", "list_numbers", "affected_agents", "callingbox.get_agent"]
)
def test_a_read_may_not_answer_without_a_body(name) -> None:
    with pytest.raises(UnreadableAnswerError):
        interpret(ENDPOINTS[name][0], answer(200), Secrets())


def _believable(name: str, result: Any) -> bool:
    """Return whether an answer that was accepted is about the thing asked for."""
    if result is None or name not in ABOUT_ONE:
        return True
    if name == "create_number":
        return (result.phone_number, result.credentials_id.lower()) == (NUMBER["phoneNumber"], CREDENTIALS)
    return result.id.lower() in (ID, "agent-1")


def _interpreted(name: str, status: int, body: bytes) -> None:
    try:
        result = interpret(ENDPOINTS[name][0], answer(status, body), Secrets(KEY))
    except VendorError as error:
        message = str(error)
    else:
        assert 200 <= status < 300
        assert _believable(name, result)
        message = json.dumps(result.model_dump(mode="json") if result is not None else None)
    assert is_one_line(message)
    assert len(message) < 20_000


STATUSES = st.sampled_from([200, 201, 204, 301, 400, 401, 404, 409, 422, 429, 500, 503])
NAMES = st.sampled_from(sorted(ENDPOINTS))


@settings(max_examples=3 * settings.default.max_examples)
@given(NAMES, STATUSES, st.binary(max_size=300))
def test_random_bytes_are_an_error_of_ours(name, status, body) -> None:
    _interpreted(name, status, body)


@settings(max_examples=3 * settings.default.max_examples)
@given(NAMES, STATUSES, JSON)
def test_random_json_is_an_error_of_ours(name, status, payload) -> None:
    _interpreted(name, status, json.dumps(payload).encode())


@settings(max_examples=6 * settings.default.max_examples)
@given(st.data(), NAMES)
def test_a_mutated_answer_is_read_or_an_error_of_ours(data, name) -> None:
    payload = json.loads(json.dumps(ENDPOINTS[name][1]))
    parts = [payload, *(payload.values() if isinstance(payload, dict) else payload)]
    part = data.draw(st.sampled_from([p for p in parts if isinstance(p, (dict, list)) and p]))
    if isinstance(part, dict):
        part[data.draw(st.sampled_from(sorted(part)) | st.text(max_size=5))] = data.draw(JSON)
    else:
        part[data.draw(st.integers(0, len(part) - 1))] = data.draw(JSON)
    body = json.dumps(payload).encode()
    cut = data.draw(st.none() | st.integers(0, len(body)))
    _interpreted(name, 200, body[:cut])


HOSTILE = [
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b'{"id": ' + b"9" * 5000 + b"}",
    b'{"error": ' + b"9" * 4000 + b"}",
    b'{"error": NaN, "title": Infinity}',
    b'{"title": "\\ud800"}',
    b'{"title": "\\u0000"}',
    b'\xef\xbb\xbf{"title": "with a byte order mark"}',
    b"null",
    b"0",
    b'""',
    b"<" * 1000,
]


@pytest.mark.parametrize("name", sorted(ENDPOINTS))
@pytest.mark.parametrize("body", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("status", [200, 400, 503])
def test_hostile_bodies_are_errors_of_ours(name, body, status) -> None:
    with pytest.raises(VendorError):
        interpret(ENDPOINTS[name][0], answer(status, body), Secrets())


def test_no_answer_tells_the_cause_without_the_key() -> None:
    error = no_answer(CALL, OSError(f"cannot reach {KEY}\nforged line"), Secrets(KEY))
    assert str(error) == f"GET {CALL.path}: no answer (OSError: cannot reach *** forged line)."
    assert error.status is None
    assert "no details" in str(no_answer(CALL, OSError(), Secrets()))


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"title": "Conflict", "detail": "It is linked."}, "answered 409 Conflict: It is linked."),
        ({"title": "conflict."}, "answered 409 Conflict."),
        ({"message": "It is linked", "detail": "It is linked."}, "answered 409 Conflict: It is linked."),
        ({"title": "Duplicate", "detail": "It is linked"}, "answered 409 Conflict: Duplicate: It is linked."),
    ],
)
def test_a_refusal_says_things_once(body, told) -> None:
    answer = Answer(409, "Conflict", httpx.Headers(), json.dumps(body).encode())
    with pytest.raises(errors.ConflictError) as caught:
        interpret(CALL, answer, Secrets(None))
    assert str(caught.value).endswith(f": {told}")
