"""Whatever an argument renders to, a vendor answers or a memory holds: only this package's errors leave a task."""

from __future__ import annotations

import asyncio
import datetime
import decimal
import inspect
import io
import json
import re
import time
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulation.histories import _SETTINGS, _Log, _stage, quiet
from simulation.operations import DAILY, OPERATIONS
from simulation.task import SteppingSender, TaskInstance, Variables
from unit.arrays import Array, Missing, Scalar, Table

from airflow_provider_phonelink.api import answers
from airflow_provider_phonelink.api.callingbox.settings import CallingBoxSettings
from airflow_provider_phonelink.api.dasha.settings import DashaSettings
from airflow_provider_phonelink.api.errors import ConfigurationError
from airflow_provider_phonelink.api.redaction import Secrets
from airflow_provider_phonelink.api.senders import Sender
from airflow_provider_phonelink.cli.__main__ import main
from airflow_provider_phonelink.compat import AirflowSensorTimeout
from airflow_provider_phonelink.decisions.scope import KEYS
from airflow_provider_phonelink.exceptions import PhonelinkFailException, PhonelinkRetryableException
from airflow_provider_phonelink.hooks.callingbox import CallingBoxHook
from airflow_provider_phonelink.hooks.connection import settings_of
from airflow_provider_phonelink.hooks.dasha import DashaHook
from airflow_provider_phonelink.operators.callingbox import (
    CallingBoxExportRoutesOperator,
    CallingBoxListAgentsOperator,
    CallingBoxListNumbersOperator,
)
from airflow_provider_phonelink.operators.dasha import (
    DashaExportRoutesOperator,
    DashaListPhoneNumbersOperator,
)
from airflow_provider_phonelink.sensors.dasha import DashaRegistrationSensor
from airflow_provider_phonelink.triggers.dasha import DashaRegistrationEventTrigger, DashaRegistrationTrigger

OURS = (PhonelinkFailException, PhonelinkRetryableException)
#: Far more than any task of these worlds needs.
MOST_REQUESTS = 2000

HOSTILE = (
    *(
        "",
        " ",
        "None",
        "null",
        "\ud800",
        "\x00",
        "a\nb",
        "\x1b]0;x\x07",
        "../x",
        "{{ x }}",
        "5" * 5000,
        "[" * 9999,
    ),
    *(
        "[1, 2",
        "{'a': [[]]}",
        "[None]",
        "{1: 2}",
        "('a',)",
        "{[]: 1}",
        "nan",
        "1e999",
        "-1",
        "١٢",
        "=1+1",
        "__class__",
        "5" * 5000 + "/x.csv",
        "\ud800.csv",
        "\x00.json",
    ),
)
PLAIN = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.sampled_from(HOSTILE)
)
NAMES = st.sampled_from(
    ["number", "number_id", "agent_id", "mode", "vendor", "provider_id", "agents", "pool", "modes", "x_"]
)
JSON = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(NAMES | st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
ARRAYS = (Array("ab"), Array([0]), Array([]), Scalar(), Missing(), Table())
#: What native rendering, a Variable or an XCom may give besides.
NATIVE = st.one_of(
    JSON,
    st.binary(max_size=8),
    st.dates(),
    st.sampled_from([10**5000, decimal.Decimal("NaN"), datetime.timedelta(1), object(), int, ..., 1j]),
    st.lists(PLAIN, max_size=3).map(tuple),
    st.sets(st.integers() | st.text(max_size=4), max_size=3),
    st.dictionaries(st.integers() | st.none() | st.tuples(st.text(max_size=2)), PLAIN, max_size=3),
)


def mutations(valid: Any) -> st.SearchStrategy[Any]:
    """Return JSON in which some part of a valid document is anything else."""
    return st.builds(lambda at, value: _replaced(valid, at, value), st.integers(0, 10**6), JSON)


def _places(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(map(_places, inner))


def _replaced(value: Any, at: int, by: Any) -> Any:
    at %= _places(value)
    if at == 0:
        return by
    items = list(value.items() if isinstance(value, dict) else enumerate(value))
    at -= 1
    for key, item in items:
        if at < _places(item):
            replaced = [(k, _replaced(i, at, by) if k == key else i) for k, i in items]
            return dict(replaced) if isinstance(value, dict) else [i for _, i in replaced]
        at -= _places(item)
    raise AssertionError(at)


class Died(BaseException):
    """A try died."""


class Wire:
    """The vendor's world, of which one answer may be another."""

    def __init__(self, stage: Any, at: int = 0, spoil: Any = None, most: int = MOST_REQUESTS) -> None:
        self._stage, self._at, self._spoil, self._most = stage, at, spoil, most
        self.requests = 0

    def exchange(self, call: Any) -> Any:
        self.requests += 1
        assert self.requests < self._most, "the task does not end"
        answer = self._stage.vendors.answer(call)
        if self.requests == self._at:
            answer = self._spoil(answer)
        key = Secrets("sk_simulated_key")
        answer = answers.Answer(
            answer.status, answer.reason, answer.headers, answers.without_secrets(answer.body, key)
        )
        return answers.interpret(call, answer, key)

    def hook(self, vendor: str) -> Any:
        hook: Any = DashaHook() if vendor == "dasha" else CallingBoxHook()
        hook.__dict__["settings"] = _SETTINGS[vendor]
        hook.__dict__["_sender"] = SteppingSender(_SETTINGS[vendor], self.exchange)
        hook.refresh = lambda: _SETTINGS[vendor]
        hook.close = lambda: None  # it would make a genuine sender next time
        return hook


def attempt(operator: Any, wire: Wire, vendor: str, instance: TaskInstance, variables: Variables) -> None:
    """Make one try, which may succeed or raise an error of ours."""
    operator._cached_logger = _Log()
    operator.__dict__["hook"] = wire.hook(vendor)
    raised: BaseException | None = None
    with quiet(variables):
        try:
            operator.execute(instance.context(DAILY))
        except (*OURS, AirflowSensorTimeout, Died) as error:
            raised = error
    assert len(str(raised)) < 20_000
    str(raised).encode()  # no half characters, which no log can write


def operator_of(stage: Any, **instead: Any) -> Any:
    operation = stage.operation
    return operation.operator(task_id="task", **{**operation.arguments(stage.ids, frozenset()), **instead})


WAITS_AND_LISTS: dict[str, Any] = {
    "list": lambda ids: DashaListPhoneNumbersOperator(task_id="task"),
    "wait": lambda ids: DashaRegistrationSensor(
        task_id="task", phone_number_ids=list(ids.values()), timeout=0, poke_interval=0.001
    ),
}
#: What the simulation has no operation of, as it writes nothing; with an operation of the same vendor.
READS: tuple[tuple[str, Any, dict[str, Any]], ...] = (
    ("rotate", DashaListPhoneNumbersOperator, {}),
    ("rotate", DashaExportRoutesOperator, {}),
    ("rotate", DashaRegistrationSensor, {"phone_number_ids": (), "timeout": 0, "poke_interval": 0.001}),
    ("rotate CallingBox", CallingBoxListNumbersOperator, {}),
    ("rotate CallingBox", CallingBoxListAgentsOperator, {}),
    ("rotate CallingBox", CallingBoxExportRoutesOperator, {}),
)
#: One operation for each operator.
OPERATORS = {operation.operator: name for name, operation in reversed(OPERATIONS.items())}
ARGUMENTS = [
    (name, field)
    for operator, name in OPERATORS.items()
    for field in operator.template_fields
    if field not in ("dasha_conn_id", "callingbox_conn_id")
]


@pytest.mark.parametrize(("name", "field"), ARGUMENTS)
@settings(max_examples=15)
@given(value=NATIVE)
def test_any_argument(name: str, field: str, value: Any) -> None:
    stage = _stage(name)
    stage.reset()
    operator = operator_of(stage)
    setattr(operator, field, value)
    attempt(operator, Wire(stage), stage.operation.vendor, TaskInstance(), Variables())


@pytest.mark.parametrize(
    ("stage_name", "read", "given", "field"),
    [
        *((name, None, {}, field) for name, field in ARGUMENTS),
        *(
            (name, read, given, field)
            for name, read, given in READS
            for field in read.template_fields
            if field not in ("dasha_conn_id", "callingbox_conn_id")
        ),
    ],
)
def test_any_argument_may_be_an_array(stage_name: str, read: Any, given: dict[str, Any], field: str) -> None:
    """Such as what another task read of a warehouse: its truth value and its comparisons are errors."""
    stage = _stage(stage_name)
    for value in (
        *ARRAYS,
        *([value] for value in ARRAYS),
        *({key: value} for value in ARRAYS for key in ("agents", "+15550100001")),
        *([{"number": value, "phone_number": value, "agent_id": value}] for value in ARRAYS),
        {Missing(): 1},
        [{Missing(): 1}],
    ):
        stage.reset()
        operator = read(task_id="task", **given) if read else operator_of(stage)
        setattr(operator, field, value)
        attempt(operator, Wire(stage), stage.operation.vendor, TaskInstance(), Variables())


@pytest.mark.parametrize("name", WAITS_AND_LISTS)
@settings(max_examples=25)
@given(data=st.data())
def test_any_argument_of_what_only_reads(name: str, data: Any) -> None:
    stage = _stage("rotate")
    stage.reset()
    operator = WAITS_AND_LISTS[name](stage.ids)
    fields = [field for field in operator.template_fields if field != "dasha_conn_id"]
    setattr(operator, data.draw(st.sampled_from(fields)), data.draw(NATIVE))
    attempt(operator, Wire(stage), "dasha", TaskInstance(), Variables())


STATUSES = st.sampled_from([200] * 6 + [201, 204, 206, 300, 404, 418, 429, 500, 999])


def spoilt(data: Any) -> Any:
    def spoil(answer: answers.Answer) -> answers.Answer:
        valid = json.loads(answer.body) if answer.body else None
        body = data.draw(mutations(valid) | JSON)
        raw = data.draw(st.sampled_from([None, None, None, b"", b"\xff", b"<html>", b"NaN", b"9" * 5000]))
        return answers.Answer(
            data.draw(STATUSES), "reason", {}, json.dumps(body).encode() if raw is None else raw
        )

    return spoil


@pytest.mark.parametrize("name", [*OPERATIONS, *WAITS_AND_LISTS])
@settings(max_examples=25)
@given(data=st.data())
def test_any_answer(name: str, data: Any) -> None:
    stage = _stage(name if name in OPERATIONS else "rotate")
    stage.reset()
    operator = operator_of(stage) if name in OPERATIONS else WAITS_AND_LISTS[name](stage.ids)
    wire = Wire(stage, data.draw(st.integers(1, 8)), spoilt(data))
    attempt(operator, wire, stage.operation.vendor, TaskInstance(), Variables())


@pytest.mark.parametrize("name", OPERATIONS)
@settings(max_examples=25)
@given(data=st.data())
def test_any_memory(name: str, data: Any) -> None:
    stage = _stage(name)
    stage.reset()
    stored: dict[str, Any] = {}
    instance, variables = TaskInstance(state=stored), Variables()

    def die(answer: Any) -> Any:
        raise Died

    attempt(
        operator_of(stage),
        Wire(stage, data.draw(st.integers(1, 8)), die),
        stage.operation.vendor,
        instance,
        variables,
    )
    for key, text in list(variables.values.items()):
        kept = json.loads(text)
        variables.values[key] = data.draw(
            mutations(kept).map(json.dumps) | JSON.map(json.dumps) | st.sampled_from(HOSTILE)
        )
        for mine, value in list(stored.items()):
            stored[mine] = data.draw(mutations(value) | JSON)
    attempt(operator_of(stage), Wire(stage), stage.operation.vendor, instance, variables)


#: Operations that leave nothing to a later try.
LEAVES_NOTHING = {"create"}
#: A text in JSON.
TEXT = re.compile(r'"(?:[^"\\]|\\.)*"(?P<is_key>\s*:)?')


def kept_by_a_try_that_died(stage: Any, at: int) -> tuple[TaskInstance, Variables] | None:
    """Return what a try left that died at a request; None if it did not come so far, or left nothing."""
    stage.reset()
    instance, variables = TaskInstance(state=None), Variables()

    def die(answer: Any) -> Any:
        raise Died

    wire = Wire(stage, at, die)
    attempt(operator_of(stage), wire, stage.operation.vendor, instance, variables)
    return (instance, variables) if wire.requests == at and variables.values else None


@pytest.mark.parametrize("text", ["\ud800", "5" * 5000], ids=["half", "long"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_a_text_in_a_memory_that_cannot_be_kept(name: str, text: str) -> None:
    """In each place, for the try after the one that died as late as it could: it writes what it has read."""
    stage = _stage(name)
    at = next((at for at in range(12, 0, -1) if kept_by_a_try_that_died(stage, at)), None)
    assert at is not None or name in LEAVES_NOTHING
    for place in range(1000 if at else 0):
        instance, variables = kept_by_a_try_that_died(stage, at or 0) or pytest.fail("it died before")
        key, kept = next(item for item in variables.values.items() if "_wishes__" not in item[0])
        texts = [found.span() for found in TEXT.finditer(kept) if not found["is_key"]]
        if place == len(texts):
            break
        begin, end = texts[place]
        variables.values[key] = kept[:begin] + json.dumps(text) + kept[end:]
        attempt(operator_of(stage), Wire(stage), stage.operation.vendor, instance, variables)


class AsyncWire:
    """Carries flows out in an event loop, by the same wire."""

    def __init__(self, wire: Wire) -> None:
        self._sender = SteppingSender(_SETTINGS["dasha"], wire.exchange)
        self.settings = _SETTINGS["dasha"]

    async def run(self, flow: Any) -> Any:
        return self._sender.run(flow)

    send = run


@settings(max_examples=25)
@given(data=st.data())
def test_any_answer_to_a_trigger(
    data: Any,
) -> None:
    stage = _stage("rotate")
    stage.reset()
    wire = AsyncWire(Wire(stage, data.draw(st.integers(1, 3)), spoilt(data)))

    async def settings_of(*_: Any) -> Any:
        return _SETTINGS["dasha"]

    async def sender_of(*_: Any) -> Any:
        return wire

    async def events() -> list[Any]:
        trigger = DashaRegistrationTrigger(
            phone_number_ids=list(stage.ids.values()),
            dasha_conn_id="x",
            deadline=time.time() + 0.01,
            poll_interval=0.001,
        )
        found = [event async for event in trigger.run()]
        await trigger.cleanup()
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DashaHook, "aread_settings", settings_of)
        patch.setattr(DashaHook, "arefresh", settings_of)
        patch.setattr(DashaHook, "_async_sender", sender_of)
        assert len(asyncio.run(events())) == 1


FIELDS = st.none() | st.text(max_size=15) | st.sampled_from(HOSTILE)
HOSTS = FIELDS | st.sampled_from(
    ["http://[::1", "https://[v1.x]", "h:99999", "http://a:b@c", "a." * 200, "http://\u2100"]
)


@pytest.mark.parametrize("settings_class", [DashaSettings, CallingBoxSettings])
@settings(max_examples=60)
@given(data=st.data())
def test_any_connection(settings_class: Any, data: Any) -> None:
    names = st.sampled_from(sorted(settings_class.model_fields))
    connection: Any = SimpleNamespace(
        conn_id="c",
        host=data.draw(HOSTS),
        schema=data.draw(FIELDS),
        port=data.draw(st.none() | st.integers()),
        password=data.draw(FIELDS | st.just("sk_simulated_key")),
        extra=data.draw(FIELDS | st.dictionaries(names, JSON, max_size=3).map(json.dumps)),
    )
    try:
        with Sender(settings_of(connection, settings_class)):
            pass
    except ConfigurationError as error:
        problem = str(error)
        problem.encode()


#: Each option that takes a value, by the command that knows it.
OPTIONS = [
    (("numbers", "list"), "--phone-number"),
    (("numbers", "list"), "--agent-id"),
    (("numbers", "list"), "--provider-id"),
    *((("routes", "plan", "-f", "FILE", "--prune"), f"--scope-{key.replace('_', '-')}") for key in KEYS),
    (("routes", "plan"), "-f"),
    (("routes", "plan", "-f", "FILE"), "--extra-columns"),
    (("routes", "plan", "-f", "FILE"), "--max-changes"),
    (("routes", "apply", "--yes", "-f", "FILE"), "--plan"),
    (("routes", "export"), "--scope-agents"),
    (("wait", "--timeout", "0"), "NUMBER"),
    (("wait", "NUMBER", "--timeout", "0"), "--poll-interval"),
    (("wait", "NUMBER", "--poll-interval", "0"), "--timeout"),
    (("wait", "NUMBER", "--timeout", "0"), "--failed-for"),
]


@pytest.mark.parametrize(("words", "option"), OPTIONS)
@settings(max_examples=15)
@given(value=st.text(max_size=12) | st.sampled_from(HOSTILE))
def test_any_word_on_the_command_line(tmp_path_factory: Any, words: Any, option: str, value: str) -> None:
    stage = _stage("rotate")
    stage.reset()
    file = tmp_path_factory.getbasetemp() / "any_word.json"
    file.write_text(json.dumps([{"number": name, "agent_id": "a"} for name in stage.ids.values()]))
    given = {"FILE": str(file), "NUMBER": next(iter(stage.ids.values()))}
    line = [given.get(word, word) for word in words]
    # In one word, so that a value may begin with a dash.
    line += (
        [value]
        if option == "NUMBER"
        else [f"{option}={value}" if option.startswith("--") else f"{option}{value}"]
    )
    printed = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdout", printed)
        patch.setattr("sys.stderr", printed)
        for module in ("lists", "routes", "wait"):
            patch.setattr(
                f"airflow_provider_phonelink.cli.{module}.hook_of", lambda *_, **__: Wire(stage).hook("dasha")
            )
        try:
            code = main(line)
        except SystemExit as left:  # a wrong command line
            code = int(str(left.code))
    assert code in (0, 1, 2)
    assert "Traceback" not in printed.getvalue()
    printed.getvalue().encode()


STORED = sorted(set(inspect.signature(DashaRegistrationEventTrigger).parameters) - {"stored"})


@settings(max_examples=200)
@given(stored=st.dictionaries(st.sampled_from(STORED), NATIVE, max_size=4))
def test_any_stored_arguments_of_a_watcher(stored: dict[str, Any]) -> None:
    """What an author writes is refused with a TypeError, and what Airflow has stored never is."""
    trigger = DashaRegistrationEventTrigger(**stored, stored=True)
    try:
        written = DashaRegistrationEventTrigger(**stored)
    except TypeError as error:
        assert trigger.problem is not None
        str(error).encode()
    else:
        path, arguments = written.serialize()
        assert DashaRegistrationEventTrigger(**arguments).serialize() == (path, arguments)
