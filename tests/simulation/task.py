"""A stand-in for what Airflow gives a task: tries, the places where it may keep something, asset events, clears."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.api.calls import Flow, Parallel, Pause, Stepper, as_flow
from airflow_provider_phonelink.api.errors import PhonelinkError
from airflow_provider_phonelink.api.retry import with_retries

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_phonelink.api.calls import Call
    from airflow_provider_phonelink.api.settings import Settings

DAY = datetime(2026, 3, 4, tzinfo=timezone.utc)


class SteppingSender:
    """
    Carries out flows one request after another, and waits for nothing.

    :param exchange: Answers one request.
    """

    def __init__(self, settings: Settings, exchange: Callable[[Call[Any]], Any]) -> None:
        self.settings = settings
        self._exchange = exchange

    def send(self, call: Call[Any]) -> Any:
        return self.run(as_flow(call))

    def run(self, flow: Flow[Any]) -> Any:
        steps = Stepper(with_retries(flow, self.settings))
        while not steps.done:
            try:
                outcome = self._take(steps.step)
            except PhonelinkError as error:
                steps.failed(error)
            else:
                steps.answered(outcome)
        return steps.result

    def _take(self, step: Any) -> Any:
        if isinstance(step, Pause):
            return None
        if isinstance(step, Parallel):
            return [self.run(flow) for flow in step.flows]
        return self._exchange(step)

    def close(self) -> None:
        pass


class StateStore:
    """Airflow 3.3's store of a task's state."""

    def __init__(self, values: dict[str, Any]) -> None:
        self._values = values

    def get(self, key: str, default: Any = None) -> Any:
        return self._values.get(key, default)

    def set(self, key: str, value: Any, **_: Any) -> None:
        json.dumps(value, ensure_ascii=False).encode()  # as on its way to the API server: no half characters
        self._values[key] = value

    def delete(self, key: str) -> None:
        self._values.pop(key, None)


class Variables:
    """Airflow's Variables."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    def get(self, key: str, default: Any = None, **_: Any) -> Any:
        return self.values.get(key, default)

    def set(self, key: str, value: str, description: str | None = None, **_: Any) -> None:
        for text in (key, value, description or ""):
            text.encode()  # as above
        assert len(key) <= 250
        self.values[key] = value

    def delete(self, key: str) -> None:
        self.values.pop(key, None)


class OutletEvents(dict):
    """Knows every asset that it is asked for."""

    def __getitem__(self, key: Any) -> Any:
        uri = key.uri
        if uri not in self:
            self[uri] = SimpleNamespace(extra={}, key=SimpleNamespace(name=uri, uri=uri))
        return super().__getitem__(uri)


@dataclass
class TaskInstance:
    """One task of one run, try after try."""

    run_id: str = "scheduled__2026-03-04"
    map_index: int = -1
    try_number: int = 0
    #: How often a failed try is followed by another.
    retries: int = 0
    max_tries: int = field(init=False)
    #: None on an Airflow without a task state store.
    state: dict[str, Any] | None = field(default_factory=dict)
    xcoms: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.max_tries = self.retries

    def context(self, dag: Any) -> dict[str, Any]:
        """Begin the next try, and return its context."""
        self.try_number += 1
        ti = SimpleNamespace(
            dag_id="dag",
            task_id="task",
            run_id=self.run_id,
            map_index=self.map_index,
            try_number=self.try_number,
            max_tries=self.max_tries,
            xcom_push=self.xcoms.__setitem__,
        )
        context = {"ti": ti, "outlet_events": OutletEvents(), "dag": dag, "logical_date": DAY}
        if self.state is not None:
            context["task_state_store"] = StateStore(self.state)
        return context

    def clear(self, *, keeps_state: bool) -> None:
        """Let the retries begin anew. Airflow 3.3 keeps what is in the state store, 3.4 does not."""
        self.max_tries = self.try_number + self.retries
        if self.state is not None and not keeps_state:
            self.state.clear()
