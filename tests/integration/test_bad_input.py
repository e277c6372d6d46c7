"""Bad input: the task fails at once and for good, says what is wrong and what to do, and sends nothing."""

from __future__ import annotations

import re
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow_harness.tasks import run_task, run_to_end
from integration.worlds import ABSENT, AGENT, CREDENTIALS

from airflow_provider_phonelink.exceptions import PhonelinkFailException, PhonelinkRetryableException
from airflow_provider_phonelink.operators.callingbox import (
    CallingBoxAttachNumberOperator,
    CallingBoxDetachNumberOperator,
    CallingBoxExportRoutesOperator,
    CallingBoxListAgentsOperator,
    CallingBoxListNumbersOperator,
    CallingBoxReconcileLinksOperator,
    CallingBoxRotatePrimaryNumberOperator,
    CallingBoxSetPrimaryNumberOperator,
)
from airflow_provider_phonelink.operators.dasha import (
    DashaCreatePhoneNumberOperator,
    DashaDeletePhoneNumberOperator,
    DashaExportRoutesOperator,
    DashaLinkPhoneNumberOperator,
    DashaListPhoneNumbersOperator,
    DashaOnboardPhoneNumbersOperator,
    DashaReconcileLinksOperator,
    DashaRotatePhoneNumberOperator,
    DashaUnlinkPhoneNumberOperator,
)
from airflow_provider_phonelink.sensors.dasha import DashaRegistrationSensor

ROUTE = {"number": ABSENT, "agent_id": AGENT}
TASKS: dict[str, tuple[Any, dict[str, Any]]] = {
    "create": (DashaCreatePhoneNumberOperator, {"phone_number": "sip:100", "credentials_id": CREDENTIALS}),
    "list": (DashaListPhoneNumbersOperator, {}),
    "link": (DashaLinkPhoneNumberOperator, {"phone_number_id": ABSENT, "agent_id": AGENT}),
    "unlink": (DashaUnlinkPhoneNumberOperator, {"phone_number_id": ABSENT, "agent_id": AGENT}),
    "attach": (CallingBoxAttachNumberOperator, {"agent_id": AGENT, "number_id": "pn_1"}),
    "move": (
        CallingBoxAttachNumberOperator,
        {"agent_id": AGENT, "number_id": "pn_1", "if_attached": "move"},
    ),
    "detach": (CallingBoxDetachNumberOperator, {"agent_id": AGENT, "number_id": "pn_1"}),
    "set primary": (CallingBoxSetPrimaryNumberOperator, {"agent_id": AGENT, "number_id": "pn_1"}),
    "list CallingBox numbers": (CallingBoxListNumbersOperator, {}),
    "list CallingBox agents": (CallingBoxListAgentsOperator, {}),
    "rotate": (DashaRotatePhoneNumberOperator, {"agent_id": AGENT, "number_pool": [ABSENT]}),
    "rotate CallingBox": (
        CallingBoxRotatePrimaryNumberOperator,
        {"agent_id": AGENT, "number_pool": ["pn_1"]},
    ),
    "reconcile Dasha": (DashaReconcileLinksOperator, {"routes": [ROUTE]}),
    "reconcile CallingBox": (CallingBoxReconcileLinksOperator, {"routes": [ROUTE]}),
    "delete": (DashaDeletePhoneNumberOperator, {"phone_number_ids": ABSENT}),
    "onboard": (
        DashaOnboardPhoneNumbersOperator,
        {"numbers": [{"phone_number": "sip:100"}], "credentials_id": CREDENTIALS},
    ),
    "export Dasha": (DashaExportRoutesOperator, {"agents": [AGENT]}),
    "export CallingBox": (CallingBoxExportRoutesOperator, {"agents": [AGENT]}),
    "sensor": (DashaRegistrationSensor, {"phone_number_ids": ABSENT, "poke_interval": 0.01}),
    "deferrable sensor": (
        DashaRegistrationSensor,
        {"phone_number_ids": ABSENT, "poke_interval": 0.01, "deferrable": True},
    ),
}
DASHA = (
    "delete",
    "create",
    "list",
    "link",
    "unlink",
    "rotate",
    "reconcile Dasha",
    "onboard",
    "export Dasha",
    "sensor",
    "deferrable sensor",
)
RECONCILE = ("reconcile Dasha", "reconcile CallingBox")
#: How messages call an argument that has two names.
CALLED = {"number_pool": "pool"}
UNREADABLE_IDS = {
    "empty": "",
    "blank": "  ",
    "None": "None",
    "path": "../x",
    "dots": "..",
    "escaped path": "..%2Fx",
    "two": "a,b",
    "number": 7,
    "dict": {"id": ABSENT},
}
OPAQUE_IDS = {
    "empty": "",
    "blank": "  ",
    "None": "None",
    "null": "null",
    "path": "../x",
    "dots": "..",
    "backslash": "a\\b",
    "newline": "agent\nx",
    "trailing space": "agent ",
    "long": "x" * 256,
    "number": 7,
    "dict": {"id": "x"},
}
NUMBERS = {
    "empty": "",
    "blank": " ",
    "None": "None",
    "long": "5" * 256,
    "newline": "+1\n2",
    "number": 15550100,
}
UUIDS = [
    ("create", "credentials_id"),
    ("link", "phone_number_id"),
    ("unlink", "phone_number_id"),
    ("sensor", "phone_number_ids"),
    ("deferrable sensor", "phone_number_ids"),
    ("list", "provider_id"),
    ("rotate", "number_pool"),
    *((name, "credentials_id") for name in ("link", "unlink", "sensor", "deferrable sensor")),
]
AGENTS = [
    ("link", "agent_id"),
    ("unlink", "agent_id"),
    ("attach", "agent_id"),
    ("attach", "number_id"),
    ("move", "agent_id"),
    ("move", "number_id"),
    ("detach", "agent_id"),
    ("detach", "number_id"),
    ("rotate", "agent_id"),
    ("list", "linked_agent_id"),
]
#: What a route may have in it, for both vendors, and what is said of it.
ROUTES = {
    "nothing": (None, "not a list"),
    "a number": (7, "not a list"),
    "one route": (ROUTE, "not a list"),
    "empty text": ("", "neither a list nor the path"),
    "rendered to None": ("None", "neither a list nor the path"),
    "a file of another kind": ("routes.xlsx", "neither a list nor the path"),
    "no such file": ("nowhere.yaml", "cannot be read (No such file"),
    "a folder": ("folder.yaml", "cannot be read (Is a directory"),
    "not UTF-8": ("latin.csv", "cannot be read"),
    "broken YAML": ("broken.yaml", "cannot be read"),
    "broken JSON": ("broken.json", "cannot be read"),
    "an empty file": ("empty.yaml", "no list of routes"),
    "a file with something else": ("other.json", "no list of routes"),
    "a table without columns": ("empty.csv", "columns is missing"),
    "a table with a wide row": ("wide.csv", "more cells"),
    "broken text": ("[{", "cannot be read"),
    "a list of texts": ([ABSENT], "route 1: is str, not a mapping"),
    "no agent": ([{"number": ABSENT}], "route 1, agent_id: "),
    "an agent of None": ([ROUTE, {**ROUTE, "agent_id": "None"}], "route 2, agent_id: "),
    "an agent that is a path": ([{**ROUTE, "agent_id": "../x"}], "route 1, agent_id: "),
    "an agent that is a number": ([{**ROUTE, "agent_id": 7}], "route 1, agent_id: "),
    "no number": ([{"agent_id": AGENT}], "route 1, number: "),
    "two numbers": ([{**ROUTE, "number_id": ABSENT}], "route 1, number: "),
    "a number of None": ([{**ROUTE, "number": "None"}], "route 1, number: "),
    "an unknown key": ([{**ROUTE, "agent": "x"}], "route 1: 'agent' is not known"),
    "a misspelt mode": ([{**ROUTE, "mode": "inbond"}], "route 1, mode: "),
    "a contradiction": (
        [{**ROUTE, "mode": "inbound"}, {**ROUTE, "mode": "inbound", "agent_id": "other"}],
        "contradict",
    ),
}
FILES = {
    "folder.yaml": None,
    "latin.csv": b"number,agent_id\n1,\xe9\n",
    "broken.yaml": b"- number: [\n",
    "broken.json": b"[{",
    "empty.yaml": b"",
    "other.json": b'{"a": 1}',
    "empty.csv": b"",
    "wide.csv": b"number,agent_id\n1,2,3\n",
}
#: Where None means that the argument is not given; rendered to None, it is refused as everywhere.
LEFT_OUT_IF_NONE = {
    ("list", "provider_id"),
    ("list", "linked_agent_id"),
    ("unlink", "agent_id"),
    *((name, "credentials_id") for name in ("link", "unlink", "sensor", "deferrable sensor")),
}
CASES: dict[str, tuple[Any, ...]] = {
    **{
        f"{t}: {a} {v!r}": (t, {a: v, **more}, a)
        for t in RECONCILE
        for a, values, more in [
            ("on_drift", ["ignore", "", None, "Fail"], {}),
            ("dry_run", ["perhaps", "", None, 2], {}),
            ("prune", ["perhaps", "", None], {"scope": {"agents": ["a"]}}),
            ("prune", [True, "true"], {}),  # of what?
            ("max_changes", ["some", "", "None", -1, "-1", 1.5, True, "101%", "1e3", [], "10 percent"], {}),
            ("scope", [{}, [], "agents", "None", {"agents": []}, {"agents": [""]}, {"agents": ["None"]}], {}),
            ("scope", [{"agnets": ["a"]}, {"modes": ["inbound"]}, {"agents": ["a"], "modes": ["out"]}], {}),
            ("scope", [{"agents": 7}, {"pool": [7]}, {"pool": []}, {"agents": None}], {}),
        ]
        for v in values  # type: ignore[attr-defined]
    },
    "reconcile Dasha: scope no provider": ("reconcile Dasha", {"scope": {"provider_id": "x"}}, "scope"),
    "reconcile CallingBox: scope provider": (
        "reconcile CallingBox",
        {"scope": {"provider_id": ABSENT}},
        "scope",
    ),
    "reconcile Dasha: routes no uuid": (
        "reconcile Dasha",
        {"routes": [{"phone_number_id": "x", "agent_id": AGENT}]},
        "routes",
    ),
    **{
        f"rotate: {a} {v!r}": ("rotate", {a: v}, CALLED.get(a, a))
        for a, values in [
            ("strategy", ["round-robin", "", None, "None", "nowhere.at_all", "os.path", "os.sep", {}]),
            ("min_healthy", [0, -1, "0", "none", "", None, 1.5, True, "2 of them", []]),
            (
                "weights",
                ["three", ["x"], {"x": 1}, {ABSENT: 0}, {ABSENT: 1.5}, {ABSENT: "many"}, "{[]: 1}", 7],
            ),
            ("quarantine", [7, "x", ["x"], [None], None, "None", {"x": 1}, "[", 0, False]),
            ("scope", [7, "x", ["x"], [None], None, "None", True]),
            ("number_pool", [{}, {"provider": "x"}, {"provider_id": ""}, {"provider_id": "x"}, "{[]: 1}"]),
            ("number_pool", [{"display_name_prefix": ""}, {"description_tag": "None"}, "(" * 9999]),
        ]
        for v in values  # type: ignore[attr-defined]
    },
    "rotate: no pool but that of slots": ("rotate", {"pool": "a,b", "number_pool": None}, "pool"),
    "move: if_attached in capitals": ("move", {"if_attached": "Move"}, "if_attached"),
    **{f"{t}: {a} {n}": (t, {a: v}, CALLED.get(a, a)) for t, a in UUIDS for n, v in UNREADABLE_IDS.items()},
    **{f"{t}: {a} no uuid": (t, {a: "not-a-uuid"}, CALLED.get(a, a)) for t, a in UUIDS},
    **{f"{t}: {a} {n}": (t, {a: v}, a) for t, a in AGENTS for n, v in OPAQUE_IDS.items()},
    **{
        f"{t}: phone_number {n}": (t, {"phone_number": v}, "phone_number")
        for t in ("create", "list")
        for n, v in NUMBERS.items()
    },
    **{
        f"{t}: {a} nothing": (t, {a: None}, CALLED.get(a, a))
        for t, a in UUIDS + AGENTS
        if (t, a) not in LEFT_OUT_IF_NONE
    },
    "create: phone_number nothing": ("create", {"phone_number": None}, "phone_number"),
    "create: display_name long": ("create", {"display_name": "x" * 256}, "display_name"),
    "create: display_name dict": ("create", {"display_name": {}}, "display_name"),
    "create: description long": ("create", {"description": "x" * 256}, "description"),
    "create: registration maybe": ("create", {"registration": "maybe"}, "registration"),
    "create: registration None": ("create", {"registration": "None"}, "registration"),
    "create: if_exists misspelt": ("create", {"if_exists": "adapt"}, "if_exists"),
    "list: unlinked_only maybe": ("list", {"unlinked_only": "maybe"}, "unlinked_only"),
    "link: mode misspelt": ("link", {"mode": "outbound"}, "mode"),
    "link: mode None": ("link", {"mode": "None"}, "mode"),
    "link: mode in capitals": ("link", {"mode": "Inbound"}, "mode"),
    "link: if_linked misspelt": ("link", {"if_linked": "replaced"}, "if_linked"),
    "unlink: mode misspelt": ("unlink", {"mode": "replace_outbound"}, "mode"),
    "unlink: outbound without agent": ("unlink", {"mode": "replaceOutbound", "agent_id": None}, "agent_id"),
    "attach: if_attached misspelt": ("attach", {"if_attached": "replace"}, "if_attached"),
    **{
        f"{t}: {n}": (t, {a: v}, a)
        for t in ("sensor", "deferrable sensor")
        for n, a, v in [
            ("empty list", "phone_number_ids", []),
            ("a list with nothing in it", "phone_number_ids", [None]),
            ("one id of two is none", "phone_number_ids", [ABSENT, "x"]),
            ("one id of two is empty", "phone_number_ids", [ABSENT, ""]),
            ("no active states", "active_states", []),
            ("an empty active state", "active_states", ["Registered", ""]),
            ("no failed states", "failed_states", []),
            ("active states a number", "active_states", 7),
        ]
    },
}
CONNECTIONS: dict[str, tuple[Any, ...]] = {
    "no key": ({"password": None}, "password is empty", "API key"),
    "empty key": ({"password": ""}, "password is empty", "API key"),
    "blank key": ({"password": "  "}, "password is empty", "API key"),
    "key with a newline": ({"password": "abc\n"}, "password is no API key", "white space"),
    "key beyond ASCII": ({"password": "schlüssel"}, "password is no API key", "ASCII"),
    "path": ({"host": "https://127.0.0.1/api", "schema": None}, "path", "address only"),
    "query": ({"host": "https://127.0.0.1?x=1", "schema": None}, "query", "address only"),
    "ftp": ({"host": "ftp://127.0.0.1", "schema": None}, "scheme that is not https", "https"),
    "file schema": ({"schema": "file"}, "scheme that is not https", "https"),
    "plain http elsewhere": ({"host": "vendor.example", "schema": "http"}, "plain http", "allow_http"),
    "user in the host": (
        {"host": "https://u:p@127.0.0.1", "schema": None},
        "user or password",
        "password field",
    ),
    "two schemes": ({"host": "https://127.0.0.1", "schema": "http"}, "schema", "leave one"),
    "not a host": ({"host": "a b"}, "host", ""),
    "unknown extra": ({"extra": {"tmieout": 5}}, "'tmieout'", "known are"),
    "headers in extra": ({"extra": {"headers": {"X": "y"}}}, "'headers'", "known are"),
    "base_url in extra": ({"extra": {"base_url": "http://x"}}, "'base_url'", "known are"),
    "timeout no number": ({"extra": {"timeout": "soon"}}, "`timeout`", "number"),
    "timeout zero": ({"extra": {"timeout": 0}}, "`timeout`", "greater"),
    "timeout infinite": ({"extra": '{"timeout": Infinity}'}, "`timeout`", "finite"),
    "retries negative": ({"extra": {"max_retries": -1}}, "`max_retries`", "greater"),
    "extra no object": ({"extra": "[1]"}, "extra", "JSON object"),
    "extra no JSON": ({"extra": "{x"}, "extra", "JSON object"),
    "no bundle": ({"extra": {"ca_bundle": "/nowhere.pem"}}, "ca_bundle", "cannot be used"),
}


def task_of(name, arguments=None, **options):
    operator, usual = TASKS[name]
    return operator(task_id="task", retries=3, **{**usual, **(arguments or {}), **options})


def vendor_of(name) -> str:
    return "dasha" if name in DASHA else "callingbox"


def assert_refused(outcome, sandbox, *words):
    assert outcome.state == "failed", f"{outcome.state}\n{outcome.log}"
    assert isinstance(outcome.error, PhonelinkFailException)
    assert_nothing_sent(outcome, sandbox, *words)


def assert_nothing_sent(outcome, sandbox, *words):
    for word in words:
        assert word in str(outcome.error)
    assert len(sandbox.journal) == 0


@pytest.mark.parametrize(("name", "arguments", "word"), CASES.values(), ids=CASES)
def test_an_argument(sandbox, connections, name, arguments, word):
    outcome = run_task(task_of(name, arguments), connections=connections)

    # An argument is called as the operator calls it, and perhaps a part of it.
    assert_refused(outcome, sandbox, "Nothing was sent")
    assert re.match(rf"{word}(, \w+|\[.*\])?: ", str(outcome.error))


@pytest.mark.parametrize(("routes", "words"), ROUTES.values(), ids=ROUTES)
@pytest.mark.parametrize("name", RECONCILE)
def test_routes_are_told_what_is_wrong_with_them(sandbox, connections, tmp_path, name, routes, words):
    if isinstance(routes, str) and routes in FILES:
        content = FILES[routes]
        routes = tmp_path / routes
        routes.mkdir() if content is None else routes.write_bytes(content)
    outcome = run_task(task_of(name, {"routes": routes}), connections=connections)

    assert_refused(outcome, sandbox, "routes: ", words, "Nothing was sent")


@pytest.mark.parametrize(("edit", "what", "advice"), CONNECTIONS.values(), ids=CONNECTIONS)
@pytest.mark.parametrize("name", TASKS)
def test_a_connection(sandbox, connections, name, edit, what, advice):
    conn_id = f"{vendor_of(name)}_default"
    connections[conn_id] = {**connections[conn_id], **edit}
    outcome = run_task(task_of(name), connections=connections)

    assert_refused(outcome, sandbox, conn_id, what, advice, "Nothing was sent")
    assert "schlüssel" not in str(outcome.error)


@pytest.mark.parametrize("name", TASKS)
def test_no_such_connection(sandbox, connections, name):
    task = task_of(name, {f"{vendor_of(name)}_conn_id": "nowhere"})
    outcome = run_to_end(task, connections=connections)

    # Airflow says the same of a secrets backend that failed once, so that a retry may help.
    assert outcome.state == "up_for_retry", outcome.log
    assert isinstance(outcome.error, PhonelinkRetryableException)
    words = ("There is no connection", "airflow connections add", f"{vendor_of(name)}_conn_id")
    assert_nothing_sent(outcome, sandbox, *words)


@pytest.mark.parametrize("name", TASKS)
def test_a_connection_id_that_is_no_text(sandbox, connections, name):
    task = task_of(name, {f"{vendor_of(name)}_conn_id": {1, 2}})

    assert_refused(
        run_task(task, connections=connections), sandbox, f"{vendor_of(name)}_conn_id", "is set, not text"
    )


@pytest.mark.parametrize("conn_id", ["{{ params.nothing }}", "None"])
@pytest.mark.parametrize("name", TASKS)
def test_a_connection_id_that_rendered_to_nothing(sandbox, connections, name, conn_id):
    task = task_of(name, {f"{vendor_of(name)}_conn_id": conn_id}, params={"nothing": "None"})

    assert_refused(
        run_task(task, connections=connections), sandbox, f"{vendor_of(name)}_conn_id", "gave nothing"
    )


@pytest.mark.parametrize("name", TASKS)
def test_the_other_vendors_connection(sandbox, connections, name):
    other = {"dasha": "callingbox_default", "callingbox": "dasha_default"}[vendor_of(name)]
    task = task_of(name, {f"{vendor_of(name)}_conn_id": other})

    assert_refused(run_task(task, connections=connections), sandbox, other, "is of type")


TEMPLATES = {
    "an XCom that is not there": "{{ ti.xcom_pull('earlier') }}",
    "an XCom that is None": "{{ ti.xcom_pull('nothing') }}",
    "an XCom that leaves its path": "{{ ti.xcom_pull('path') }}",
    "an XCom that is empty": "{{ ti.xcom_pull('empty') }}",
    "a field that is None": "{{ ti.xcom_pull('number')['provider_id'] }}",
    "configuration": "{{ dag_run.conf.get('missing') }}",
}
XCOMS: dict[Any, Any] = {"nothing": None, "path": "../x", "empty": "", "number": {"provider_id": None}}


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=TEMPLATES)
@pytest.mark.parametrize(("name", "argument"), UUIDS + AGENTS)
def test_what_only_rendering_reveals(sandbox, connections, name, argument, template):
    outcome = run_task(task_of(name, {argument: template}), connections=connections, xcoms=XCOMS)

    assert_refused(outcome, sandbox, f"{CALLED.get(argument, argument)}: ", "Nothing was sent")


NOT_LEFT_OUT = [
    *((name, "max_changes") for name in RECONCILE),
    *((name, "routes") for name in RECONCILE),
    ("rotate", "quarantine"),
    ("rotate", "scope"),
]


@pytest.mark.parametrize(("name", "argument"), UUIDS + AGENTS + NOT_LEFT_OUT)
def test_what_only_native_rendering_reveals(sandbox, connections, name, argument):
    """Rendered natively, an XCom that gave nothing is None, which must not read as left out."""
    task = task_of(name, {argument: "{{ ti.xcom_pull('nothing') }}"})
    DAG("native", schedule=None, render_template_as_native_obj=True).add_task(task)
    outcome = run_task(task, connections=connections, xcoms=XCOMS)

    assert_refused(outcome, sandbox, f"{CALLED.get(argument, argument)}: ", "Nothing was sent")
