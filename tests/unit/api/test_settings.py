from __future__ import annotations

import pytest
from pydantic import ValidationError
from unit.api.carrying import KEY, callingbox_settings, dasha_settings

BOUNDS = [
    ("timeout", 0.001, 3600),
    ("total_timeout", 0.001, 86400),
    ("max_retries", 0, 100),
    ("max_failed_polls", 1, 100_000),
    ("requests_per_second", 0.001, 10_000),
]


def test_defaults() -> None:
    dasha = dasha_settings()
    assert dasha.default_base_url == "https://blackbox.dasha.ai"
    assert (dasha.timeout, dasha.total_timeout, dasha.max_retries, dasha.max_failed_polls) == (10, 120, 4, 10)
    assert (dasha.requests_per_second, dasha.ca_bundle, dasha.proxy, dasha.console_url) == (None,) * 4
    assert (dasha.verify_ssl, dasha.allow_http, dasha.check_expiry) == (True, False, True)
    assert dasha.active_states == ("Registered", "Active")
    assert dasha.failed_states == ("Failed", "Error", "Rejected")
    callingbox = callingbox_settings()
    assert callingbox.default_base_url == "https://api.callingbox.io"
    assert callingbox.attach_body_key == "number_id"


@pytest.mark.parametrize(("name", "lowest", "highest"), BOUNDS)
def test_numbers_have_bounds(name, lowest, highest) -> None:
    for value in (lowest, highest, str(lowest), str(highest)):
        assert getattr(dasha_settings(**{name: value}), name) == float(value)
    for value in (lowest - 1, highest + 1, "x", float("nan"), float("inf"), [1]):
        with pytest.raises(ValidationError, match=name):
            dasha_settings(**{name: value})


def test_a_rate_that_would_let_nothing_pass_is_refused() -> None:
    with pytest.raises(ValidationError, match="requests_per_second"):
        dasha_settings(requests_per_second=1e-300)


@pytest.mark.parametrize("value", ["A, B", ["A", "B"], ("A", "B"), "A,,B,"])
def test_states_may_be_a_list_or_text(value) -> None:
    assert dasha_settings(active_states=value).active_states == ("A", "B")


@pytest.mark.parametrize("value", ["", " , ", [], 7, [7]])
def test_states_are_a_list_of_names(value) -> None:
    with pytest.raises(ValidationError, match="failed_states"):
        dasha_settings(failed_states=value)


@pytest.mark.parametrize(("text", "meaning"), [("true", True), ("false", False), ("1", True), ("0", False)])
def test_booleans_may_be_text(text, meaning) -> None:
    assert dasha_settings(verify_ssl=text).verify_ssl is meaning


def test_nothing_unknown_is_accepted() -> None:
    with pytest.raises(ValidationError, match="header"):
        dasha_settings(header="x")
    with pytest.raises(ValidationError, match="attach_body_key"):
        dasha_settings(attach_body_key="x")
    with pytest.raises(ValidationError, match="active_states"):
        callingbox_settings(active_states="x")


@pytest.mark.parametrize(
    "show", [repr, str, lambda settings: settings.model_dump_json(), lambda s: repr(s.model_dump())]
)
def test_no_secret_shows(show) -> None:
    shown = show(dasha_settings(proxy="http://user:hunter2@proxy:3128"))
    assert KEY not in shown
    assert "hunter2" not in shown


@pytest.mark.parametrize("key", ["", "hunter2\n", "hunter 2", "hunter2\x00", "hunter2\u00e9"])
def test_a_key_that_fits_into_no_header_is_refused_and_not_shown(key) -> None:
    with pytest.raises(ValidationError, match="api_key") as caught:
        dasha_settings(api_key=key)
    assert "hunter" not in str(caught.value)


def test_a_refused_setting_does_not_show_secrets() -> None:
    with pytest.raises(ValidationError) as caught:
        dasha_settings(timeout="hunter2", unknown="hunter2")
    assert "hunter2" not in str(caught.value)
    assert KEY not in str(caught.value)


def test_secrets_are_the_key_and_the_proxy() -> None:
    assert list(dasha_settings().secrets) == [KEY]
    assert list(dasha_settings(proxy="http://proxy:3128").secrets) == [KEY, "http://proxy:3128"]
    malformed = "http://user:hunter2@[::1"
    assert list(dasha_settings(proxy=malformed).secrets) == [KEY, malformed]
    with_password = dasha_settings(proxy="http://user:hunter2@proxy:3128")
    assert list(with_password.secrets) == [KEY, "http://user:hunter2@proxy:3128", "hunter2"]
