from __future__ import annotations

import json
import traceback
from typing import Any

import pytest
from airflow.sdk import Connection
from hypothesis import example, given
from hypothesis import strategies as st

from airflow_provider_phonelink.api.callingbox.settings import CallingBoxSettings
from airflow_provider_phonelink.api.dasha.settings import DashaSettings
from airflow_provider_phonelink.api.errors import ConfigurationError
from airflow_provider_phonelink.hooks.connection import base_url, not_encoded, settings_of

KEY = "sk_live_0123456789"
DEFAULT = "https://blackbox.dasha.ai"


def read(settings_class: type = DashaSettings, **fields: Any) -> Any:
    extra = fields.pop("extra", None)
    text = extra if extra is None or isinstance(extra, str) else json.dumps(extra)
    return settings_of(
        Connection(**{"conn_id": "phones", "conn_type": "dasha", "password": KEY, "extra": text, **fields}),
        settings_class,
    )


def refused(**fields: Any) -> str:
    with pytest.raises(ConfigurationError) as caught:
        read(**fields)
    message = str(caught.value)
    assert message.startswith("Connection 'phones': ")
    assert message.endswith("Nothing was sent.")
    return message


@pytest.mark.parametrize(
    ("host", "schema", "port", "url"),
    [
        (None, None, None, DEFAULT),
        ("", "", None, DEFAULT),
        ("  ", None, None, DEFAULT),
        (None, "https", 8443, f"{DEFAULT}:8443"),
        ("blackbox.ru.dasha.ai", None, None, "https://blackbox.ru.dasha.ai"),
        ("blackbox.ru.dasha.ai", "https", 8443, "https://blackbox.ru.dasha.ai:8443"),
        ("blackbox.ru.dasha.ai:8443", None, None, "https://blackbox.ru.dasha.ai:8443"),
        ("blackbox.ru.dasha.ai:8443", None, 8443, "https://blackbox.ru.dasha.ai:8443"),
        ("https://blackbox.ru.dasha.ai", None, None, "https://blackbox.ru.dasha.ai"),
        ("https://blackbox.ru.dasha.ai/", None, None, "https://blackbox.ru.dasha.ai"),
        ("https://blackbox.ru.dasha.ai//", None, None, "https://blackbox.ru.dasha.ai"),
        ("https://blackbox.ru.dasha.ai:8443/", "https", None, "https://blackbox.ru.dasha.ai:8443"),
        ("HTTPS://Blackbox.Dasha.AI", "HTTPS", None, "https://blackbox.dasha.ai"),
        (" https://blackbox.dasha.ai ", None, None, DEFAULT),
        ("http://localhost:8080", None, None, "http://localhost:8080"),
        ("localhost", "http", 8080, "http://localhost:8080"),
        ("127.0.0.1", "http", None, "http://127.0.0.1"),
        ("::1", "http", 8080, "http://[::1]:8080"),
        ("[::1]", "http", None, "http://[::1]"),
        ("[::1]:8080", "http", None, "http://[::1]:8080"),
        ("http://[::1]:8080", None, None, "http://[::1]:8080"),
        ("2001:db8::7", None, None, "https://[2001:db8::7]"),
    ],
)
def test_the_fields_of_a_connection_make_a_base_url(host, schema, port, url) -> None:
    assert base_url(host, schema, port, DEFAULT) == url


@pytest.mark.parametrize(
    ("host", "schema", "port", "problem"),
    [
        ("https://host/api", None, None, "path or query"),
        ("host/api", None, None, "path or query"),
        ("https://host?x=1", None, None, "path or query"),
        ("https://host#x", None, None, "path or query"),
        ("https://user:hunter2@host", None, None, "user or password"),
        ("user:hunter2@host", None, None, "user or password"),
        ("user:hunter2@host:8443", None, None, "user or password"),
        ("user:hun:ter2@host", None, None, "user or password"),
        ("user@host", None, None, "user or password"),
        ("https://user:hunter2@ex\u2100mple.com", None, None, "not a host name"),
        ("ftp://host", None, None, "scheme that is not https"),
        ("file:///etc/passwd", None, None, "path or query"),
        ("host", "ftp", None, "scheme that is not https"),
        ("https://host", "def+gh==@", None, "its schema field says something else"),
        ("https://host", "http", None, "host says schema https, its schema field says http"),
        ("host:1", None, 2, "host says port 1, its port field says 2"),
        ("host:https", None, None, "not a number from 1 to 65535"),
        ("host:99999", None, None, "not a number from 1 to 65535"),
        ("https://host:0", None, None, "not a number from 1 to 65535"),
        ("host", None, 99999, "not a number from 1 to 65535"),
        ("host", None, -1, "not a number from 1 to 65535"),
        ("[::1", None, None, "not a host name"),
        ("a:b:c", None, None, "not a host name"),
        ("two words", None, None, "not a host name"),
        ("a..b", None, None, "not a host name"),
        ("a" * 64 + ".example", None, None, "not a host name"),
        ("ho\x00st", None, None, "not a host name"),
        ("good.example\\x", None, None, "not a host name"),
        ("https://", None, None, "not a host name"),
        ("/", None, None, "not a host name"),
    ],
)
def test_anything_more_or_less_than_an_address_is_refused(host, schema, port, problem) -> None:
    with pytest.raises(ValueError, match=problem) as caught:
        base_url(host, schema, port, DEFAULT)
    assert "hunter2" not in str(caught.value)
    assert "hun:ter2" not in str(caught.value)
    assert problem.split(" ")[0] in refused(host=host, schema=schema, port=port)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "[::1]", "LOCALHOST"])
def test_plain_http_to_loopback_is_allowed(host) -> None:
    assert read(host=f"http://{host}:8080").base_url == f"http://{host.lower()}:8080"


@pytest.mark.parametrize(
    "host",
    ["blackbox.dasha.ai", "10.0.0.1", "0.0.0.0", "localhost.evil.com", "127.0.0.1.nip.io", "2001:db8::7"],  # noqa: S104
)
def test_plain_http_to_any_other_host_needs_a_word(host) -> None:
    assert "`allow_http`" in refused(host=host, schema="http")
    assert read(host=host, schema="http", extra={"allow_http": True}).base_url.startswith("http://")


@pytest.mark.parametrize("host", ["http://127.0.0.1", "http://vendor.example"])
def test_plain_http_and_a_proxy_need_a_word(host) -> None:
    extra = {"proxy": "http://proxy:3128"}
    with pytest.raises(ConfigurationError, match="with plain http the proxy would read the API key"):
        read(host=host, extra=extra)
    assert read(host=host, extra={**extra, "allow_http": True}).base_url == host


@pytest.mark.parametrize("password", ["sk#1", "sk_1234"])
def test_a_key_that_is_too_short_to_be_kept_secret_is_refused(password) -> None:
    with pytest.raises(ConfigurationError, match="fewer than 8 characters") as caught:
        read(password=password)
    assert password not in str(caught.value).split("characters")[1]


def test_an_empty_connection_with_a_key_is_enough() -> None:
    settings = read()
    assert settings.base_url == DEFAULT
    assert settings.api_key.get_secret_value() == KEY
    assert settings == DashaSettings(base_url=DEFAULT, api_key=KEY, source="Connection 'phones'")  # type: ignore[arg-type, call-arg]
    assert read(CallingBoxSettings).base_url == "https://api.callingbox.io"


@pytest.mark.parametrize("password", [None, "", "   "])
def test_a_key_is_needed(password) -> None:
    assert "its password is empty" in refused(password=password)


def test_a_masked_key_is_no_key() -> None:
    assert "what Airflow shows in a secret's place" in refused(password="***")


@pytest.mark.parametrize(
    "password", ["sk live", "sk_live\n", "\tsk_live", "sk_liv\u00e9", "sk_\x00live", "sk\u200b_live"]
)
def test_a_key_has_no_white_space_or_other_odd_characters(password) -> None:
    message = refused(password=password)
    assert "its password is no API key" in message
    assert password.strip() not in message


EVERY_EXTRA = {
    "timeout": 5,
    "total_timeout": 60,
    "max_retries": 2,
    "max_failed_polls": 3,
    "requests_per_second": 7,
    "verify_ssl": False,
    "ca_bundle": "/etc/ca.pem",
    "proxy": "http://proxy:3128",
    "allow_http": True,
    "console_url": "https://console.example",
    "active_states": ["On"],
    "failed_states": ["Off"],
    "check_expiry": False,
    "outbound_uses": ["callerId"],
}


def test_every_extra_is_read() -> None:
    settings = read(extra=EVERY_EXTRA)
    found = settings.model_dump(exclude={"base_url", "api_key", "source", "proxy"})
    assert found == {
        **{name: value for name, value in EVERY_EXTRA.items() if name != "proxy"},
        "active_states": ("On",),
        "failed_states": ("Off",),
        "outbound_uses": ("callerId",),
    }
    assert settings.proxy.get_secret_value() == "http://proxy:3128"
    assert read(CallingBoxSettings, extra={"attach_body_key": "id"}).attach_body_key == "id"


def test_every_extra_may_be_text_as_in_a_connection_uri() -> None:
    as_text = {
        name: ",".join(value) if isinstance(value, list) else str(value)
        for name, value in EVERY_EXTRA.items()
    }
    assert read(extra=as_text) == read(extra=EVERY_EXTRA)


@pytest.mark.parametrize("name", sorted(EVERY_EXTRA))
@pytest.mark.parametrize("value", [None, ""])
def test_an_empty_extra_counts_as_not_set(name, value) -> None:
    assert read(extra={name: value}) == read()


@pytest.mark.parametrize("extra", [None, "", "  ", "{}"])
def test_extras_may_be_empty(extra) -> None:
    assert read(extra=extra) == read()


@pytest.mark.parametrize(
    "extra",
    [
        "not JSON",
        "[]",
        "7",
        "null",
        '"x"',
        "{",
        '{"timeout": 1}}',
        '{"timeout": ' + "[" * 50_000 + "]" * 50_000 + "}",
    ],
    ids=lambda extra: extra[:20],
)
def test_extras_are_a_json_object(extra) -> None:
    assert "its extra is not a JSON object" in refused(extra=extra)


@pytest.mark.parametrize("name", ["headers", "Timeout", "base_url", "api_key", "source", "host", "verify"])
def test_an_unknown_extra_is_refused_and_the_known_ones_are_named(name) -> None:
    message = refused(extra={name: "x"})
    assert f"unknown extra '{name}'" in message
    assert all(known in message for known in EVERY_EXTRA)
    assert "attach_body_key" not in message


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("timeout", 0),
        ("timeout", -1),
        ("timeout", "soon"),
        ("timeout", 3601),
        ("total_timeout", float("nan")),
        ("total_timeout", float("inf")),
        ("max_retries", -1),
        ("max_retries", 1.5),
        ("max_retries", 101),
        ("max_failed_polls", 0),
        ("requests_per_second", 0),
        ("verify_ssl", "maybe"),
        ("ca_bundle", 7),
        ("proxy", ["x"]),
        ("active_states", []),
        ("active_states", " , "),
        ("failed_states", {"x": 1}),
        ("check_expiry", []),
        ("outbound_uses", ["outbound", "Inbound"]),
    ],
)
def test_an_extra_that_is_out_of_range_is_named(name, value) -> None:
    assert f"extra `{name}`: " in refused(extra={name: value})


KEYS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=40).map("sk_".__add__)
HOSTS = st.sampled_from(
    [
        "",
        "host",
        "https://user:{key}@host",
        "u:{key}@host",
        "u:{key}@h:1",
        "{key}@host",
        "https://u:{key}@ex\u2100.com",
        "http://host",
    ]
)
EXTRAS = st.sampled_from(
    [
        {},
        {"timeout": "{key}"},
        {"proxy": 7},
        {"proxy": ["{key}"]},
        {"verify_ssl": "{key}"},
        {"other": "{key}"},
        {"active_states": {"{key}": 1}},
    ]
)


def chain(error: BaseException | None) -> str:
    """Return all there is to see of an error and of what it came from, suppressed or not."""
    seen = []
    while error is not None:
        seen += [str(error), repr(error), *traceback.format_exception_only(error)]
        error = error.__cause__ or error.__context__
    return "\n".join(seen)


@given(KEYS, HOSTS, st.sampled_from(["", "http", "ftp"]), EXTRAS, st.booleans())
@example("sk_hunter2hunter2", "u:{key}@h:1", "", {}, False)
def test_no_secret_is_in_any_error(key, host, schema, extra, spoil) -> None:
    fields = {
        "host": host.replace("{key}", key),
        "schema": schema,
        "password": key + "\n" if spoil else key,
        "extra": json.dumps(extra).replace("{key}", json.dumps(key)[1:-1]),
    }
    try:
        settings = read(**fields)
    except ConfigurationError as error:
        shown = chain(error) + "".join(traceback.format_exception(error))
    else:
        shown = f"{settings!r} {settings}"
    assert key not in shown


def test_an_id_that_no_variable_can_have() -> None:
    assert not_encoded("\ud800") is None
