"""One task or trigger, alone, in this process: 20 ms, no database, nothing scheduled.

A task goes through Airflow's own task runner: templates, XComs, retries, deferral and rescheduling are the real ones,
only the API server behind it is a stand-in. This leans on private parts of Airflow; they are used in this file only.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest import mock
from urllib.parse import unquote

import httpx

from airflow_harness.waiting import EVENTUALLY

from .logs import LogText, captured

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.definitions.mappedoperator import MappedOperator
    from airflow.triggers.base import BaseTrigger

RUN_ID = "manual__harness"
RETURN_VALUE = "return_value"


@dataclass
class Deferral:
    """What a task that deferred itself left with the triggerer, read back as the triggerer reads it."""

    trigger: BaseTrigger
    classpath: str
    trigger_kwargs: dict[str, Any]
    method: str
    kwargs: dict[str, Any]
    timeout: timedelta | None


@dataclass
class Outcome:
    """How one try of a task ended."""

    state: str
    error: BaseException | None
    xcoms: dict[str, Any]
    rendered: dict[str, Any]
    deferral: Deferral | None
    reschedule_at: datetime | None
    asset_events: list[dict[str, Any]]
    log: str = field(repr=False)
    again: Again = field(repr=False)

    @property
    def value(self) -> Any:
        """What the task returned, as a task after it would read it."""
        return self.xcoms.get(RETURN_VALUE)

    def resume(self, event: Any) -> Outcome:
        """Let the deferred task go on with a trigger's event (its payload)."""
        return self._resume(self._deferral.method, {**self._deferral.kwargs, "event": event})

    def resume_after_timeout(self) -> Outcome:
        """Let the deferred task go on as the scheduler does once the deferral's timeout has passed."""
        return self._resume("__fail__", {"error": "Trigger timeout"})

    def resume_after_failure(self, traceback: str = "Traceback: the trigger broke") -> Outcome:
        """Let the deferred task go on as the triggerer does when the trigger itself raised."""
        return self._resume("__fail__", {"error": "Trigger failure", "traceback": [traceback]})

    @property
    def _deferral(self) -> Deferral:
        assert self.deferral is not None, f"not deferred but {self.state}: {self.error!r}"
        return self.deferral

    def _resume(self, method: str, kwargs: dict[str, Any]) -> Outcome:
        return run_task(self.again.task, **self.again.options, _resume=(method, kwargs))


@dataclass
class Again:
    """The arguments a task was run with, for running it on."""

    task: BaseOperator | MappedOperator
    options: dict[str, Any]


def run_task(
    task: BaseOperator | MappedOperator,
    *,
    connections: Mapping[str, Mapping[str, Any]] | None = None,
    variables: Mapping[str, str] | None = None,
    stored: dict[str, Any] | None = None,
    xcoms: Mapping[str | tuple[str, str], Any] | None = None,
    conf: Mapping[str, Any] | None = None,
    logical_date: datetime | None = None,
    run_id: str = RUN_ID,
    run_type: str = "manual",
    map_index: int = -1,
    try_number: int = 1,
    reschedules: int = 0,
    first_started: datetime | None = None,
    _resume: tuple[str, dict[str, Any]] | None = None,
) -> Outcome:
    """
    Run one try of a task.

    :param task: any operator; one without a DAG is put into one. For a mapped task give ``map_index`` too.
    :param connections: by id, as the API server would answer them.
    :param variables: Airflow variables by key; a dict takes what the task sets.
    :param stored: what earlier tries left in Airflow 3.3's task state store; takes what this one leaves.
    :param xcoms: what earlier tasks pushed: by task id (its return value), or by (task id, key).
    :param conf: the DAG run's configuration.
    :param try_number: 1 for the first. The task may be retried while it is not above the task's ``retries``.
    :param reschedules: how often a sensor has been rescheduled, and ``first_started`` when it began.
    """
    options = {k: v for k, v in locals().items() if k not in ("task", "_resume")}
    if not task.has_dag():
        _give_dag(task)
    server = _Server(
        task=task,
        connections=connections or {},
        variables=variables if isinstance(variables, dict) else dict(variables or {}),
        stored={} if stored is None else stored,
        conf=dict(conf or {}),
        logical_date=logical_date or datetime.now(timezone.utc),
        run_id=run_id,
        run_type=run_type,
        try_number=try_number,
        reschedules=reschedules,
        first_started=first_started,
        resume=_resume,
    )
    for key, value in (xcoms or {}).items():
        server.push(*((key, RETURN_VALUE) if isinstance(key, str) else key), value)
    with captured() as text:
        state, error = _supervised(task, server, map_index)
    return server.outcome(state, error, text, Again(task, options))


def run_to_end(
    task: BaseOperator | MappedOperator, *, trigger_timeout: float = EVENTUALLY, **options: Any
) -> Outcome:
    """Run one try of a task and, as often as it defers, its trigger up to the first event, and the task again."""
    outcome = run_task(task, **options)
    while outcome.deferral:
        with captured() as text:
            events = run_trigger(
                outcome.deferral.trigger,
                connections=options.get("connections"),
                max_events=1,
                timeout=trigger_timeout,
            )
        earlier = f"{outcome.log}\n{text}"
        outcome = outcome.resume(events[0])
        outcome.log = f"{earlier}\n{outcome.log}"
    return outcome


def run_trigger(
    trigger: BaseTrigger,
    *,
    connections: Mapping[str, Mapping[str, Any]] | None = None,
    max_events: int | None = None,
    timeout: float = EVENTUALLY,
) -> list[Any]:
    """
    Run a trigger as the triggerer does: in an event loop of its own, and ``cleanup()`` at the end whatever happens.

    :param connections: by id, as the API server would answer them.
    :param max_events: stop after as many; without it the trigger has to come to an end by itself.
    :param timeout: in seconds, after which ``TimeoutError`` is raised.
    :return: the payloads of the events.
    """
    return asyncio.run(_run_trigger(trigger, connections or {}, max_events, timeout))


def run_in_a_triggerer(trigger: BaseTrigger, connections: Mapping[str, Mapping[str, Any]]) -> list[Any]:
    """Run a trigger to its end by Airflow's own runner of triggers, and return the payloads of its events."""
    from airflow.jobs.triggerer_job_runner import TriggerRunner

    runner: Any = TriggerRunner()
    trigger.task_instance = None
    runner.triggers[1] = {"task": None, "is_watcher": False, "name": "harness", "events": 0}
    with trigger_context(connections):
        asyncio.run(runner.run_trigger(1, trigger))
    return [event.payload for _, event, *_ in runner.events]


async def _run_trigger(
    trigger: BaseTrigger, connections: Mapping[str, Mapping[str, Any]], max_events: int | None, timeout: float
) -> list[Any]:
    payloads: list[Any] = []

    async def collect() -> None:
        stream = trigger.run()
        async for event in stream:
            payloads.append(event.payload)
            if len(payloads) == max_events:
                await stream.aclose()  # type: ignore[attr-defined]
                return

    with trigger_context(connections):
        try:
            await asyncio.wait_for(collect(), timeout)
        except asyncio.TimeoutError as error:  # another class than the builtin before Python 3.11
            raise TimeoutError(f"the trigger did not end within {timeout:g} s: {payloads}") from error
        finally:
            await trigger.cleanup()
    return payloads


@contextmanager
def trigger_context(connections: Mapping[str, Mapping[str, Any]]) -> Iterator[None]:
    """Let code in an event loop read connections as it can inside a triggerer: never blocking the loop."""
    from airflow.sdk.execution_time.supervisor import set_supervisor_comms

    server = _Server(connections=connections)
    supervisor = _supervisor_class()(
        id=server.id, pid=os.getpid(), process=mock.Mock(), process_log=mock.Mock(), client=server.client()
    )
    supervisor.comms = _trigger_comms_class()(supervisor=supervisor)
    with set_supervisor_comms(supervisor.comms):
        yield


def _give_dag(task: BaseOperator | MappedOperator) -> None:
    from airflow.sdk import DAG

    DAG("harness", schedule=None, start_date=datetime(2024, 1, 1, tzinfo=timezone.utc)).add_task(task)


def _supervised(
    task: BaseOperator | MappedOperator, server: _Server, map_index: int
) -> tuple[str, BaseException | None]:
    from airflow.sdk.api.datamodels._generated import TaskInstance

    instance = TaskInstance.model_validate(
        {
            "id": server.id,
            "task_id": task.task_id,
            "dag_id": task.dag_id,
            "run_id": server.run_id,
            "try_number": server.try_number,
            "map_index": map_index,
            "dag_version_id": uuid.uuid4(),
        }
    )
    server.map_index = map_index
    # The task runner exports the context to the environment and takes over SIGTERM: this process lives on.
    terminate = signal.getsignal(signal.SIGTERM)
    supervisor = _supervisor_class()
    try:
        with (
            mock.patch.dict(os.environ),
            mock.patch.object(supervisor, "_api_client", return_value=server.client()),
            mock.patch.object(supervisor, "send_msg", _send_as_json),
        ):
            result = supervisor.start(what=instance, task=task)
    finally:
        signal.signal(signal.SIGTERM, terminate)
    raise_interrupt(result.error)
    return str(result.state.value), result.error


def raise_interrupt(error: BaseException | None) -> None:
    """Let Ctrl-C end the tests: Airflow takes it for the failure of the task that happened to run."""
    if isinstance(error, KeyboardInterrupt):
        raise error


def _supervisor_class() -> Any:
    from airflow.sdk.execution_time.supervisor import InProcessTestSupervisor

    return InProcessTestSupervisor


def _send_as_json(self: Any, msg: Any, *_: Any, **__: Any) -> None:
    """Hand the task an answer as it would arrive over the supervisor's socket, where dates are read as dates."""
    wire = msg and msg.model_dump_json(by_alias=True, warnings=False)
    self.comms.messages.append(msg and type(msg).model_validate_json(wire))


def _trigger_comms_class() -> Any:
    from airflow.sdk.execution_time.supervisor import InProcessSupervisorComms

    class TriggerComms(InProcessSupervisorComms):
        def send(self, msg: Any) -> Any:
            try:
                asyncio.get_running_loop()
            except RuntimeError:  # a thread without a loop may wait
                return super().send(msg)
            raise RuntimeError(f"{type(msg).__name__} blocks the triggerer's event loop: use the async call")

        async def asend(self, msg: Any) -> Any:
            return InProcessSupervisorComms.send(self, msg)

    return TriggerComms


@dataclass
class _Server:
    """A stand-in for Airflow's API server, with the state of one task instance."""

    task: Any = None
    connections: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    conf: dict[str, Any] = field(default_factory=dict)
    logical_date: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    run_id: str = RUN_ID
    run_type: str = "manual"
    try_number: int = 1
    map_index: int = -1
    reschedules: int = 0
    first_started: datetime | None = None
    resume: tuple[str, dict[str, Any]] | None = None
    stored: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.id = uuid.uuid4()
        self.given: dict[tuple[str, str], Any] = {}
        self.pushed: dict[str, Any] = {}
        self.rendered: dict[str, Any] = {}
        self.final: dict[str, Any] = {}

    def client(self) -> Any:
        from airflow.sdk.api import client as api

        http = getattr(api, "httpx2", None) or httpx  # Airflow 3.4 speaks with another library

        def answer(request: httpx.Request) -> Any:
            answered = self._answer(request)
            return http.Response(answered.status_code, headers=answered.headers, content=answered.content)

        client: Any = api.Client(base_url=None, token="", dry_run=True, transport=http.MockTransport(answer))
        client.base_url = http.URL("http://in-process.invalid/")
        return client

    def push(self, task_id: str, key: str, value: Any) -> None:
        from airflow.sdk.bases.xcom import BaseXCom

        self.given[task_id, key] = BaseXCom.serialize_value(value)

    def outcome(self, state: str, error: BaseException | None, text: LogText, again: Again) -> Outcome:
        at = self.final.get("reschedule_date")
        return Outcome(
            state=state,
            error=error,
            xcoms={key: _stored_value(value) for key, value in self.pushed.items()},
            rendered=self.rendered,
            deferral=_deferral(self.final) if state == "deferred" else None,
            reschedule_at=datetime.fromisoformat(at.replace("Z", "+00:00")) if at else None,
            asset_events=self.final.get("outlet_events") or [],
            log=str(text),
            again=again,
        )

    def _answer(self, request: httpx.Request) -> httpx.Response:
        parts = [unquote(part) for part in request.url.raw_path.decode().split("?")[0].strip("/").split("/")]
        answer = getattr(self, f"_{parts[0].replace('-', '_')}", None)
        if answer is None:
            raise AssertionError(
                f"the stand-in for Airflow's API does not know {request.method} {request.url}"
            )
        result = answer(request, *parts[1:])
        return result if isinstance(result, httpx.Response) else httpx.Response(200, json=result)

    def _task_instances(self, request: httpx.Request, _: str, what: str, *rest: str) -> Any:
        body = json.loads(request.content or "null")
        if what == "run":
            return self._run_context()
        if what == "state":
            self.final = body
        elif what == "rtif":
            self.rendered = body
        elif what == "validate-inlets-and-outlets":
            return {"inactive_assets": []}
        elif what == "previous-successful-dagrun":
            return {}
        return httpx.Response(204)

    def _task_reschedules(self, request: httpx.Request, *rest: str) -> Any:
        return self.first_started.isoformat() if self.first_started else None

    def _connections(self, request: httpx.Request, conn_id: str) -> Any:
        if conn_id not in self.connections:
            return _missing(f"connection {conn_id}")
        connection = dict(self.connections[conn_id])
        if isinstance(connection.get("extra"), Mapping):
            connection["extra"] = json.dumps(connection["extra"])
        empty = dict.fromkeys(("host", "schema", "login", "password", "port", "extra"))
        return {"conn_id": conn_id, "conn_type": "generic", **empty, **connection}

    def _assets(self, request: httpx.Request, by: str) -> Any:
        """Airflow knows each asset that it is asked for."""
        uri = request.url.params["uri"]
        return {"name": uri, "uri": uri, "group": "asset"}

    def _variables(self, request: httpx.Request, key: str) -> Any:
        if request.method == "PUT":
            self.variables[key] = json.loads(request.content)["val"]
            return httpx.Response(201)
        if key not in self.variables:
            return _missing(f"variable {key}")
        if request.method == "DELETE":
            del self.variables[key]
            return httpx.Response(204)
        return {"key": key, "value": self.variables[key]}

    def _xcoms(
        self, request: httpx.Request, dag_id: str, run_id: str, task_id: str, key: str, *rest: str
    ) -> Any:
        if request.method == "POST":
            if not request.content and not _takes_no_value():
                return httpx.Response(
                    422, json={"detail": [{"loc": ["body"], "msg": "Field required", "type": "missing"}]}
                )
            self.pushed[key] = json.loads(request.content or "null")
            return httpx.Response(201)
        if request.method == "DELETE":
            self.pushed.pop(key, None)
            return httpx.Response(204)
        if (task_id, key) not in self.given:
            return [] if rest else _missing(f"xcom {task_id}.{key}")
        value = self.given[task_id, key]
        return [value] if rest else {"key": key, "value": value}

    def _store(self, request: httpx.Request, *rest: str) -> Any:
        """Airflow 3.3's store for what a task or an asset remembers."""
        name = "/".join(part for part in rest if part != str(self.id))  # each try has an id of its own
        if request.method == "PUT":
            self.stored[name] = json.loads(request.content)["value"]
            return httpx.Response(204)
        return {"value": self.stored[name]} if name in self.stored else _missing(name)

    def _run_context(self) -> dict[str, Any]:
        date = self.logical_date.isoformat()
        method, kwargs = self.resume or (None, None)
        return {
            "dag_run": {
                "dag_id": self.task.dag_id,
                "run_id": self.run_id,
                "logical_date": date,
                "data_interval_start": date,
                "data_interval_end": date,
                "run_after": date,
                "start_date": date,
                "end_date": None,
                "run_type": self.run_type,
                "state": "running",
                "conf": self.conf,
                "consumed_asset_events": [],
                **_dag_run_extras(),
            },
            "task_reschedule_count": self.reschedules,
            "max_tries": self.task.retries,
            "should_retry": self.try_number <= self.task.retries,
            "next_method": method,
            "next_kwargs": None if kwargs is None else _encoded(kwargs),
            **({"start_date": self.first_started.isoformat()} if self.first_started and self.resume else {}),
        }


def _dag_run_extras() -> dict[str, None]:
    """Fields that a DAG run has to have since Airflow 3.2, and must not have before."""
    from airflow.sdk.api.datamodels._generated import DagRun

    return {key: None for key in ("partition_key",) if key in DagRun.model_fields}


def _takes_no_value() -> bool:
    """Whether this Airflow's API server takes an XCom that is None; the client then sends no body at all."""
    from airflow.providers.common.compat.version_compat import AIRFLOW_V_3_1_PLUS

    return bool(AIRFLOW_V_3_1_PLUS)


def _deferral(final: Mapping[str, Any]) -> Deferral:
    from pydantic import TypeAdapter

    trigger_kwargs = _decoded(final.get("trigger_kwargs") or {})
    timeout = final.get("trigger_timeout")
    return Deferral(
        trigger=_import_string(final["classpath"])(**trigger_kwargs),
        classpath=final["classpath"],
        trigger_kwargs=trigger_kwargs,
        method=final["next_method"],
        kwargs=_decoded(final.get("next_kwargs") or {}),
        timeout=TypeAdapter(timedelta).validate_python(timeout) if timeout else None,
    )


def _import_string(path: str) -> Any:
    from importlib import import_module

    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)


def _missing(what: str) -> httpx.Response:
    return httpx.Response(404, json={"detail": {"reason": "not_found", "message": f"{what} not found"}})


def _stored_value(value: Any) -> Any:
    from airflow.sdk.bases.xcom import BaseXCom

    return BaseXCom.deserialize_value(SimpleNamespace(value=value))


def _encoded(value: Any) -> Any:
    try:
        from airflow.sdk.serde import serialize
    except ImportError:  # Airflow 3.0
        from airflow.serialization.serialized_objects import BaseSerialization

        return BaseSerialization.serialize(value)
    return serialize(value)


def _decoded(value: Any) -> Any:
    try:
        from airflow.sdk.serde import deserialize
    except ImportError:  # Airflow 3.0
        from airflow.serialization.serialized_objects import BaseSerialization

        return BaseSerialization.deserialize(value)
    return deserialize(value)
