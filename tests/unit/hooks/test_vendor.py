from __future__ import annotations

import asyncio
import gc
import inspect
import logging
import threading
import time
import traceback
from typing import Any

import httpx
import pytest
from unit.api import faults
from unit.api.carrying import KEY, frames_of
from unit.api.fake_callingbox import FakeCallingBox
from unit.api.fake_dasha import FakeDasha, number_id, number_json
from unit.hooks.local_vendor import serving, set_connection

from airflow_provider_phonelink.api import errors
from airflow_provider_phonelink.compat import AirflowException, AirflowFailException
from airflow_provider_phonelink.exceptions import PhonelinkFailException, PhonelinkRetryableException
from airflow_provider_phonelink.get_provider_info import get_provider_info
from airflow_provider_phonelink.hooks.callingbox import CallingBoxHook
from airflow_provider_phonelink.hooks.dasha import DashaHook
from airflow_provider_phonelink.hooks.vendor import VendorHook

ID = number_id(1)
HOOKS = pytest.mark.parametrize(
    ("hook_class", "conn_type", "vendor"),
    [
        (DashaHook, "dasha", lambda: FakeDasha(number_json(1))),
        (
            CallingBoxHook,
            "callingbox",
            lambda: FakeCallingBox(agents={"in": "inbound"}, numbers={"n1": ["in"]}),
        ),
    ],
)
pytestmark = pytest.mark.usefixtures("clock", "airflow_database")


async def within(hook: VendorHook, name: str, *arguments: Any) -> Any:
    async with hook:
        return await getattr(hook, name)(*arguments)


def connect(monkeypatch: pytest.MonkeyPatch, url: str, conn_type: str = "dasha", **fields: Any) -> None:
    set_connection(
        monkeypatch,
        f"{conn_type}_default",
        **{"conn_type": conn_type, "host": url, "password": KEY, **fields},
    )


@HOOKS
def test_a_missing_connection_says_what_to_do(hook_class, conn_type, vendor) -> None:
    hook = hook_class("nowhere")
    for attempt in (
        lambda: hook.list_numbers(),
        lambda: asyncio.run(within(hook, "alist_numbers")),
        lambda: hook.settings,
    ):
        with pytest.raises(PhonelinkRetryableException) as caught:
            attempt()
        message = str(caught.value)
        assert "There is no connection 'nowhere'. Nothing was sent." in message
        assert f"airflow connections add nowhere --conn-type {conn_type}" in message
        assert f"`{conn_type}_conn_id`" in message
    worked, message = hook.test_connection()
    assert not worked
    assert "There is no connection 'nowhere'" in message


@HOOKS
@pytest.mark.parametrize(
    "rest",
    [
        ":sk-abc/def+gh==@",
        ":sk-abc?def@",
        ":sk-abc#def@",
        ":12345678/sk-abc@",
        ":1234/def+gh==@",
        ":/sk-abcdef@",
        ":77/live_abcd@",
        ":77?live_key@",
        ":sk-abc[def@",
        ":sk-abc@def/ghij@",
        ":sk-abc/defg",
        ":sk-abcdefg",
        "sk-abc/defgh@host",
    ],
)
def test_a_key_that_is_not_encoded_in_a_uri_is_named_as_the_likely_cause(
    monkeypatch, hook_class, conn_type, vendor, rest
) -> None:
    key = rest.strip(":@").removesuffix("@host")
    monkeypatch.setenv(f"AIRFLOW_CONN_{conn_type.upper()}_DEFAULT", f"{conn_type}://{rest}")
    with pytest.raises(PhonelinkFailException) as caught:
        hook_class().list_numbers()
    message = str(caught.value)
    assert f"AIRFLOW_CONN_{conn_type.upper()}_DEFAULT is set" in message
    assert "percent-encoded" in message
    assert "Nothing was sent" in message
    shown = [key[i : i + 4] for i in range(len(key) - 3) if key[i : i + 4] in message]
    assert shown == []


@HOOKS
def test_an_encoded_key_is_read(monkeypatch, hook_class, conn_type, vendor) -> None:
    monkeypatch.setenv(
        f"AIRFLOW_CONN_{conn_type.upper()}_DEFAULT", f"{conn_type}://:sk-abc%2Fdef%2Bgh%3D%3D@"
    )
    assert hook_class().settings.api_key.get_secret_value() == "sk-abc/def+gh=="


@HOOKS
def test_a_connection_that_cannot_be_read_may_be_readable_at_the_next_try(
    monkeypatch, hook_class, conn_type, vendor
) -> None:
    def broken(conn_id: str) -> None:
        raise PermissionError(f"vault says: {KEY}")

    monkeypatch.setattr(hook_class, "get_connection", staticmethod(broken))
    for attempt in (hook_class().list_numbers, lambda: asyncio.run(within(hook_class(), "alist_numbers"))):
        with pytest.raises(PhonelinkRetryableException) as caught:
            attempt()
        assert f"Connection '{conn_type}_default' could not be read (PermissionError)" in str(caught.value)
        assert KEY not in "".join(traceback.format_exception(caught.value))


@HOOKS
def test_the_other_vendors_connection_is_refused(monkeypatch, hook_class, conn_type, vendor) -> None:
    other = "callingbox" if conn_type == "dasha" else "dasha"
    set_connection(monkeypatch, f"{conn_type}_default", conn_type=other, password=KEY)
    for attempt in (hook_class().list_numbers, lambda: asyncio.run(within(hook_class(), "alist_numbers"))):
        with pytest.raises(PhonelinkFailException, match=f"is of type '{other}', so its key is not for"):
            attempt()


@pytest.mark.parametrize("other", ["", "http", "generic", "postgres", "aws"])
def test_the_password_of_anything_else_never_leaves(monkeypatch, other) -> None:
    with serving(lambda _: httpx.Response(200, json=number_json(1))) as url:
        set_connection(monkeypatch, "dasha_default", conn_type=other, host=url, password=KEY)
        with pytest.raises(
            PhonelinkFailException, match=rf"is of type '{other}', .*Nothing was sent\."
        ) as caught:
            DashaHook().get_number(ID)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    "fields",
    [
        {"extra": {"verify_sssl": "x", "proxy": "http://user:hunter2hunter2@proxy:1"}},
        {"extra": {"timeout": "soon", "proxy": "http://user:hunter2hunter2@proxy:1"}},
        {"host": "https://user:hunter2hunter2@vendor.example"},
        {"conn_type": "postgres", "password": "hunter2hunter2"},
    ],
)
def test_no_frame_of_a_refused_connection_holds_a_secret(monkeypatch, fields) -> None:
    set_connection(monkeypatch, "dasha_default", **{"conn_type": "dasha", "password": KEY, **fields})
    with pytest.raises(PhonelinkFailException) as caught:
        DashaHook().get_number(ID)
    shown = [
        repr([vars(value) if hasattr(value, "__dict__") else value for value in frame.f_locals.values()])
        for frame in frames_of(caught.value)
        if "airflow_provider_phonelink" in frame.f_code.co_filename
    ]
    assert len(shown) > 2
    assert not [text for text in shown if KEY in text or "hunter2hunter2" in text]


@HOOKS
def test_a_connection_that_is_wrong_is_not_retried(monkeypatch, hook_class, conn_type, vendor) -> None:
    connect(monkeypatch, "", conn_type, extra={"header": "x"})
    with pytest.raises(
        AirflowFailException, match=rf"Connection '{conn_type}_default': unknown extra 'header'"
    ):
        hook_class().list_numbers()


@HOOKS
@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"host": "a..b"}, "its host is not a host name"),
        ({"host": "ho\x00st"}, "its host is not a host name"),
        ({"extra": {"proxy": "proxy.local:3128"}}, "the proxy in the extra `proxy`"),
        ({"extra": {"proxy": "socks5://user:hunter2@proxy"}}, "the proxy in the extra `proxy`"),
    ],
)
def test_an_address_that_cannot_be_is_not_retried(
    monkeypatch, hook_class, conn_type, vendor, fields, problem
) -> None:
    connect(monkeypatch, "https://vendor.example", conn_type, **fields)
    for attempt in (hook_class().list_numbers, lambda: asyncio.run(within(hook_class(), "alist_numbers"))):
        with pytest.raises(PhonelinkFailException, match=problem) as caught:
            attempt()
        assert "hunter2" not in str(caught.value)


@HOOKS
def test_a_connection_that_is_no_json_does_not_show_its_key(
    monkeypatch, hook_class, conn_type, vendor
) -> None:
    malformed = f'{{"conn_type": "{conn_type}", "password": "{KEY}"'
    monkeypatch.setenv(f"AIRFLOW_CONN_{conn_type.upper()}_DEFAULT", malformed)
    with pytest.raises(PhonelinkRetryableException) as caught:
        hook_class().list_numbers()
    assert KEY not in "".join(traceback.format_exception(caught.value))


def test_a_connection_may_be_a_uri(monkeypatch) -> None:
    monkeypatch.setenv(
        "AIRFLOW_CONN_DASHA_DEFAULT",
        f"dasha://:{KEY}@blackbox.ru.dasha.ai:8443/https?timeout=5&verify_ssl=false&active_states=On%2C%20Ready",
    )
    settings = DashaHook().settings
    assert settings.base_url == "https://blackbox.ru.dasha.ai:8443"
    assert (settings.timeout, settings.verify_ssl, settings.active_states) == (5, False, ("On", "Ready"))


@HOOKS
def test_the_connection_is_read_in_both_worlds(monkeypatch, hook_class, conn_type, vendor) -> None:
    with serving(vendor()) as url:
        connect(monkeypatch, url, conn_type)
        found = hook_class().list_numbers()
        assert found == asyncio.run(within(hook_class(), "alist_numbers"))
        assert len(found) == 1


def test_a_hook_may_have_other_retries_than_its_connection(monkeypatch) -> None:
    vendor = FakeDasha(number_json(1))
    vendor.on("GET", "", *[faults.status(503)] * 50)
    with serving(vendor) as url:
        connect(monkeypatch, url, extra={"max_retries": 4, "max_failed_polls": 3})
        hook = DashaHook(max_retries=1)
        for attempt in (lambda: hook.get_number(ID), lambda: asyncio.run(within(hook, "aget_number", ID))):
            vendor.requests.clear()
            with pytest.raises(PhonelinkRetryableException):
                attempt()
            assert len(vendor.requests) == 2
    assert hook.max_failed_polls == 3


@pytest.mark.parametrize(
    ("code", "kind", "cause"),
    [
        (401, PhonelinkFailException, errors.AuthenticationError),
        (403, PhonelinkFailException, errors.AccessDeniedError),
        (404, PhonelinkFailException, errors.NotFoundError),
        (409, PhonelinkFailException, errors.ConflictError),
        (429, PhonelinkRetryableException, errors.RateLimitedError),
        (500, PhonelinkRetryableException, errors.ServerError),
    ],
)
def test_errors_leave_as_one_of_airflows(monkeypatch, code, kind, cause) -> None:
    vendor = FakeDasha(number_json(1))
    vendor.on("GET", "", *[faults.status(code)] * 50)
    with serving(vendor) as url:
        connect(monkeypatch, url)
        for attempt in (
            lambda: DashaHook().list_numbers(),
            lambda: asyncio.run(within(DashaHook(), "alist_numbers")),
        ):
            with pytest.raises(AirflowException) as caught:
                attempt()
            assert type(caught.value) is kind
            assert isinstance(caught.value.__cause__, cause)
            assert str(caught.value) == str(caught.value.__cause__)


# -- the sync and the async methods -----------------------------------------------------------------------

OWN = {"run", "send", "close"}
ASYNC_ONLY = {"acreate_many", "alink_many", "aunlink_many", "aread_settings", "arefresh"}


def public_methods(hook_class: type) -> dict[str, Any]:
    inherited = set(dir(VendorHook.__mro__[1])) | {"test_connection", "get_ui_field_behaviour", "get_conn"}
    return {
        name: method
        for name, method in inspect.getmembers(hook_class, inspect.isfunction)
        if not name.startswith("_") and name not in inherited
    }


@pytest.mark.parametrize("hook_class", [DashaHook, CallingBoxHook])
def test_every_method_has_an_async_twin_with_the_same_parameters(hook_class) -> None:
    methods = public_methods(hook_class)
    asynchronous = {
        name
        for name, method in methods.items()
        if inspect.iscoroutinefunction(method) or inspect.isasyncgenfunction(method)
    }
    synchronous = set(methods) - asynchronous
    assert synchronous > OWN
    assert asynchronous - {f"a{name}" for name in synchronous} <= ASYNC_ONLY
    assert {f"a{name}" for name in synchronous} <= asynchronous
    for name in synchronous:
        mine, twins = (inspect.signature(methods[which]) for which in (name, f"a{name}"))
        assert mine.parameters == twins.parameters, name
        assert mine.return_annotation.replace("Iterator", "") == twins.return_annotation.replace(
            "AsyncIterator", ""
        ), name
        assert methods[name].__doc__, name


# -- life -------------------------------------------------------------------------------------------------


def test_the_context_managers_close_and_the_hook_stays_usable(monkeypatch) -> None:
    with serving(FakeDasha(number_json(1))) as url:
        connect(monkeypatch, url)
        with DashaHook() as hook:
            client = hook.get_conn()
            hook.get_number(ID)
            assert hook.get_conn() is client
        assert client._client.is_closed
        assert hook.get_number(ID).id == ID
        assert hook.get_conn() is not client
        hook.close()
        hook.close()

        async def main() -> None:
            async with DashaHook() as hook:
                await hook.aget_number(ID)
                sender = await hook._async_sender()
                clients = list(sender._clients)
            assert clients
            assert all(client.is_closed for client in clients)
            assert (await hook.aget_number(ID)).id == ID
            await hook.aclose()
            await hook.aclose()

        asyncio.run(main())


def test_a_hook_that_is_forgotten_closes_its_client(monkeypatch) -> None:
    connect(monkeypatch, "https://vendor.example")
    hook = DashaHook()
    client = hook.get_conn()
    del hook
    gc.collect()
    assert client._client.is_closed


def test_a_hook_can_be_used_from_one_event_loop_after_the_other(monkeypatch) -> None:
    with serving(FakeDasha(number_json(1))) as url:
        connect(monkeypatch, url)
        hook = DashaHook()
        for _ in range(2):
            assert asyncio.run(within(hook, "aget_number", ID)).id == ID


def test_an_edited_connection_takes_effect_after_a_refresh(monkeypatch) -> None:
    keys = []

    def vendor(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers["Authorization"])
        return httpx.Response(200, json=number_json(1))

    async def main(url: str) -> None:
        async with DashaHook() as hook:
            await hook.aget_number(ID)
            sender = await hook._async_sender()
            await hook.arefresh()
            assert await hook._async_sender() is sender
            connect(monkeypatch, url, password="sk_new_0123")
            await hook.aget_number(ID)
            assert (await hook.arefresh()).api_key.get_secret_value() == "sk_new_0123"
            await hook.aget_number(ID)

    with serving(vendor) as url:
        connect(monkeypatch, url)
        asyncio.run(main(url))
    assert keys == [f"Bearer {KEY}", f"Bearer {KEY}", "Bearer sk_new_0123"]


def test_a_request_under_way_survives_a_refresh(monkeypatch) -> None:
    arrived = threading.Event()

    def slow(request: httpx.Request) -> httpx.Response:
        arrived.set()
        time.sleep(0.2)
        return httpx.Response(200, json=number_json(1))

    async def main(url: str) -> None:
        async with DashaHook() as hook:
            request = asyncio.create_task(hook.aget_number(ID))
            await asyncio.to_thread(arrived.wait)
            sender = await hook._async_sender()
            connect(monkeypatch, url, password="sk_new_0123")
            await hook.arefresh()
            assert (await request).id == ID
            assert all(client.is_closed for client in sender._clients)

    with serving(slow) as url:
        connect(monkeypatch, url)
        asyncio.run(main(url))


def test_a_connection_that_is_deleted_is_noticed_by_a_refresh(monkeypatch) -> None:
    async def main() -> None:
        hook = DashaHook()
        await hook.arefresh()
        monkeypatch.delenv("AIRFLOW_CONN_DASHA_DEFAULT")
        with pytest.raises(PhonelinkRetryableException, match="There is no connection"):
            await hook.arefresh()

    connect(monkeypatch, "https://vendor.example")
    asyncio.run(main())


# -- test_connection --------------------------------------------------------------------------------------


@HOOKS
def test_a_connection_that_works_says_so_after_one_cheap_read(
    monkeypatch, hook_class, conn_type, vendor
) -> None:
    fake, seen = vendor(), []

    def watched(request: httpx.Request) -> httpx.Response:
        seen.append(f"{request.method} {request.url.raw_path.decode()}")
        return fake(request)

    with serving(watched) as url:
        connect(monkeypatch, url, conn_type)
        assert hook_class().test_connection() == (True, f"{hook_class.hook_name} accepts the API key.")
    expected = "/api/v1/sip-phone-numbers?skip=0&take=1" if conn_type == "dasha" else "/v1/numbers?limit=1"
    assert seen == [f"GET {expected}"]


@HOOKS
@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (httpx.Response(401), "refuses the API key"),
        (httpx.Response(403), "refuses the API key"),
        (httpx.Response(200, html="<html>"), "The host answers, but not like"),
        (httpx.Response(200, json={"hello": "world"}), "The host answers, but not like"),
        (httpx.Response(404), "The host answers, but not like"),
        (httpx.Response(302, headers={"Location": "https://login.example"}), "Redirects are not followed"),
        (httpx.Response(429), "is in trouble or refuses for now; try again later"),
        (httpx.Response(500), "is in trouble or refuses for now; try again later"),
        (httpx.Response(503), "is in trouble or refuses for now; try again later"),
    ],
)
def test_a_connection_that_does_not_work_says_why(
    monkeypatch, clock, hook_class, conn_type, vendor, response, expected
) -> None:
    with serving(lambda _: response) as url:
        connect(monkeypatch, url, conn_type)
        worked, message = hook_class().test_connection()
    assert not worked
    assert expected in message
    assert hook_class.hook_name in message or expected not in (
        "refuses the API key",
        "The host answers, but not like",
    )
    assert clock.slept == []


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"password": ""}, "its password is empty"),
        ({"host": "https://host/path"}, "path or query"),
        ({"host": "http://vendor.example"}, "`allow_http`"),
        ({"extra": {"other": 1}}, "unknown extra 'other'"),
        ({"extra": {"ca_bundle": "/nowhere.pem"}}, "`ca_bundle`"),
        ({"host": "http://127.0.0.1:1"}, "No answer; is the host right and reachable from here?"),
        ({"host": "https://a..b"}, "its host is not a host name"),
        (
            {"url": "https://vendor.example", "extra": {"proxy": "a.b:3128"}},
            "the proxy in the extra `proxy`",
        ),
    ],
)
def test_a_connection_that_cannot_work_says_why(monkeypatch, fields, expected) -> None:
    connect(monkeypatch, **{"url": "https://127.0.0.1:1", **fields})
    worked, message = DashaHook().test_connection()
    assert not worked
    assert expected in message
    assert "The host answers" not in message
    assert KEY not in message


def test_a_server_without_tls_is_told(monkeypatch) -> None:
    with serving(FakeDasha()) as url:
        connect(monkeypatch, url.replace("http", "https"))
        worked, message = DashaHook().test_connection()
    assert not worked
    assert message.startswith("TLS fails; is the host right")


# -- forms and secrets ------------------------------------------------------------------------------------


@HOOKS
def test_the_form_of_older_airflows_is_that_of_the_metadata(hook_class, conn_type, vendor) -> None:
    [entry] = [
        entry
        for entry in get_provider_info()["connection-types"]
        if entry["connection-type"] == hook_class.conn_type
    ]
    form = hook_class.get_ui_field_behaviour()
    assert form == {key.replace("-", "_"): value for key, value in entry["ui-field-behaviour"].items()}
    assert set(form) == {"hidden_fields", "relabeling", "placeholders"}
    assert entry["hook-name"] == hook_class.hook_name
    assert entry["hook-class-name"] == f"{hook_class.__module__}.{hook_class.__qualname__}"
    assert hook_class.default_conn_name == f"{conn_type}_default"
    assert hook_class.conn_name_attr == f"{conn_type}_conn_id"
    assert getattr(hook_class("mine"), hook_class.conn_name_attr) == "mine"


@HOOKS
def test_older_airflows_find_the_form_in_the_hooks_own_class(hook_class, conn_type, vendor) -> None:
    assert {"get_ui_field_behaviour", "get_connection_form_widgets"} <= set(vars(hook_class))


def test_a_hook_of_ones_own_may_have_a_form_of_its_own() -> None:
    class Mine(DashaHook):
        @classmethod
        def get_ui_field_behaviour(cls) -> dict[str, Any]:
            return {}

    assert Mine.get_ui_field_behaviour() == {}


def test_the_key_is_in_no_error_log_or_repr_of_a_hook(monkeypatch, caplog) -> None:
    def echo(request: httpx.Request) -> httpx.Response:
        return httpx.Response(401, json={"title": request.headers["Authorization"]})

    with serving(echo) as url, caplog.at_level(logging.DEBUG):
        connect(monkeypatch, url)
        hook = DashaHook()
        with pytest.raises(PhonelinkFailException) as caught:
            hook.list_numbers()
    assert KEY not in "".join(traceback.format_exception(caught.value))
    assert KEY not in caplog.text
    assert KEY not in repr((hook, vars(hook)))
