"""One history: what a task meets, try after try, and an account of all that came of it."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow.sdk.bases.operator import ExecutorSafeguard
from simulation.operations import DAILY, OPERATIONS
from simulation.state import Happened, differences, state_of
from simulation.task import SteppingSender, TaskInstance, Variables
from simulation.vendors import Vendors, refusal

from airflow_provider_phonelink.api import answers
from airflow_provider_phonelink.api.callingbox.settings import CallingBoxSettings
from airflow_provider_phonelink.api.dasha.settings import DashaSettings
from airflow_provider_phonelink.api.redaction import Secrets
from airflow_provider_phonelink.exceptions import PhonelinkFailException, PhonelinkRetryableException
from airflow_provider_phonelink.hooks.callingbox import CallingBoxHook
from airflow_provider_phonelink.hooks.dasha import DashaHook

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from simulation.operations import Ids, Inputs, Operation
    from simulation.state import Slot, State

    from airflow_provider_phonelink.api.calls import Call

#: A try that sends more requests than this does not end.
MOST_REQUESTS = 200
#: How often a task is tried before it counts as failed.
TRIES = 4

LOST_BEFORE, LOST_AFTER = "lost before", "lost after"
UNAVAILABLE, TOO_MANY, DOWN = "503", "429", "down"
REFUSED, LIE = "refused", "lie"
DIES_BEFORE, DIES_AFTER = "dies before", "dies after"
#: What passes by itself: a task that met nothing else has to succeed in the end.
PASSING = (LOST_BEFORE, LOST_AFTER, UNAVAILABLE, TOO_MANY, DOWN, LIE, DIES_BEFORE, DIES_AFTER)
#: A read that is lost on its way back, or refused for now, leaves the same behind as one that never arrived.
READ_FAULTS = (UNAVAILABLE, REFUSED, DOWN, DIES_BEFORE)
CLEAR, CLEAR_KEEPING = "clear", "clear, keeping state"
GARBAGE = {
    "garbage: no JSON": "{",
    "garbage: a list": "[1]",
    "garbage: a text": '"x"',
    "garbage: other types": '{"version": 1, "changes": [7]}',
    "garbage: other fields": '{"version": 1, "changes": [{"number_id": 3}], "number": ["x"], "before": 4}',
    "garbage: another version": '{"version": 99, "changes": {}}',
}


class Deviation(NamedTuple):
    """Something that does not go as usual, at a request of a try; at request 0, before the try begins."""

    try_: int
    request: int
    what: str

    def __str__(self) -> str:
        return f"{self.try_}.{self.request} {self.what}"


class History(NamedTuple):
    """What a task meets."""

    operation: str
    deviations: tuple[Deviation, ...] = ()

    def __str__(self) -> str:
        return "; ".join([self.operation, *map(str, self.deviations)])

    @classmethod
    def parse(cls, text: str) -> History:
        """Read what :meth:`__str__` wrote."""
        operation, *rest = text.split("; ")
        found = []
        for part in rest:
            point, _, what = part.partition(" ")
            try_, _, request = point.partition(".")
            found.append(Deviation(int(try_), int(request), what))
        return cls(operation, tuple(found))


class Died(BaseException):
    """What no handler catches, like SIGKILL."""


@dataclass
class Try:
    """What came of a try."""

    number: int
    inputs: Inputs
    #: ``green``, ``retry``, ``failed`` or ``died``.
    outcome: str = ""
    error: BaseException | None = None
    result: Any = None
    #: Asset to what was told of it.
    told: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: Whether each request was a write.
    requests: list[bool] = field(default_factory=list)
    #: The path of each.
    paths: list[str] = field(default_factory=list)
    #: The requests that were answered as they should be.
    answered: set[int] = field(default_factory=set)
    #: The state at its start and after each change in it.
    states: list[State] = field(default_factory=list)
    #: The index among :attr:`states` of the first one after its own last write to a link.
    settled: int = 0
    #: The same for each slot that it wrote to.
    settled_slots: dict[Slot, int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


@dataclass
class Account:
    """All that happened in a history."""

    history: History
    operation: Operation
    ids: Ids
    tries: list[Try] = field(default_factory=list)
    happened: list[Happened] = field(default_factory=list)
    #: The first try of each round: the first one, and each after a clear.
    rounds: list[int] = field(default_factory=lambda: [1])
    #: Whether the task left something in Airflow's state store.
    keeps_state: bool = False
    #: Requests of others, by try: the number of requests that the task had made before.
    acts: list[tuple[int, int]] = field(default_factory=list)

    @property
    def first(self) -> State:
        return self.tries[0].states[0]

    @property
    def last(self) -> Try:
        return self.tries[-1]

    @property
    def end(self) -> State:
        return self.last.states[-1]

    @property
    def met(self) -> set[str]:
        return {deviation.what for deviation in self.history.deviations}


class _Log:
    """Keeps warnings only."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warning(self, message: str, *arguments: Any) -> None:
        self.warnings.append(message % arguments)

    def info(self, message: str, *arguments: Any) -> None:
        message % arguments  # which fails if they do not fit

    error = info


class _Stage:
    """An operation's world, prepared once and brought back for each history."""

    def __init__(self, operation: Operation) -> None:
        self.operation = operation
        self.vendors = Vendors.new(**operation.switches)
        self.ids = operation.prepare(self.vendors.world)
        self._restore = self.vendors.snapshot()
        self._operators: dict[Inputs, Any] = {}

    def reset(self) -> None:
        self._restore()
        self._restore = self.vendors.snapshot()

    def operator(self, inputs: Inputs) -> Any:
        if inputs not in self._operators:
            arguments = self.operation.arguments(self.ids, inputs)
            self._operators[inputs] = self.operation.operator(task_id="task", **arguments)
        operator = self._operators[inputs]
        operator.outlets = []
        return operator


@cache
def _stage(name: str) -> _Stage:
    return _Stage(OPERATIONS[name])


_CONNECTION = {"api_key": "sk_simulated_key", "max_retries": 1}
_SETTINGS: dict[str, Any] = {
    "dasha": DashaSettings.model_validate({"base_url": "https://dasha.invalid", **_CONNECTION}),
    "callingbox": CallingBoxSettings.model_validate(
        {"base_url": "https://callingbox.invalid", **_CONNECTION}
    ),
}


def run(history: History) -> Account:
    """Let a task live through a history."""
    return _Run(history).carry_out()


class _Run:
    def __init__(self, history: History) -> None:
        self._stage = _stage(history.operation)
        self._stage.reset()
        self._vendors = self._stage.vendors
        self._operation = self._stage.operation
        self._state = state_of(self._vendors.world)
        self._revision = self._vendors.revision
        self._account = Account(history, self._operation, self._stage.ids)
        self._instance = TaskInstance(retries=TRIES - 1)
        self._variables = Variables()
        self._inputs: Inputs = frozenset()
        self._down = False
        self._due: dict[tuple[int, int], list[str]] = {}
        for deviation in history.deviations:
            self._due.setdefault(deviation[:2], []).append(deviation.what)

    def carry_out(self) -> Account:
        with quiet(self._variables):
            while True:
                self._one_round()
                point = (len(self._account.tries) + 1, 0)
                if point not in self._due:
                    self._account.keeps_state = any((self._instance.state or {}).values())
                    return self._account
                self._instance.clear(keeps_state=CLEAR_KEEPING in self._due[point])
                self._account.rounds.append(point[0])

    def _one_round(self) -> None:
        for _ in range(TRIES):
            number = len(self._account.tries) + 1
            for what in self._due.get((number, 0), ()):
                self._between_tries(what)
            self._down = False
            if self._one_try(number).outcome in ("green", "failed"):
                return

    def _between_tries(self, what: str) -> None:
        if what in self._operation.inputs:
            self._inputs |= {what}
        elif what in GARBAGE:
            for kept in self._variables.values:
                self._variables.values[kept] = GARBAGE[what]
            for kept in self._instance.state or ():
                self._instance.state[kept] = GARBAGE[what]  # type: ignore[index]
        elif what not in (CLEAR, CLEAR_KEEPING):
            self._act(what, len(self._account.tries) + 1, 0)

    def _one_try(self, number: int) -> Try:
        try_ = Try(number, self._inputs, states=[self._state])
        self._account.tries.append(try_)
        operator = self._stage.operator(self._inputs)
        operator._cached_logger = log = _Log()
        operator.__dict__["hook"] = self._hook(try_)
        context = self._instance.context(DAILY)
        try:
            try_.result = operator.execute(context)
        except Died:
            try_.outcome = "died"
        except PhonelinkRetryableException as error:
            try_.outcome, try_.error = "retry", error
        except PhonelinkFailException as error:
            try_.outcome, try_.error = "failed", error
        except Exception as error:
            try_.outcome, try_.error = "failed", error
        else:
            try_.outcome = "green"
            try_.told = {uri: event.extra for uri, event in context["outlet_events"].items() if event.extra}
        try_.warnings = log.warnings
        return try_

    def _hook(self, try_: Try) -> Any:
        hook = DashaHook() if self._operation.vendor == "dasha" else CallingBoxHook()
        settings = _SETTINGS[self._operation.vendor]
        hook.__dict__["settings"] = settings
        hook.__dict__["_sender"] = SteppingSender(settings, lambda call: self._exchange(call, try_))
        hook.__dict__["close"] = lambda: None  # it would make a genuine sender next time
        return hook

    def _exchange(self, call: Call[Any], try_: Try) -> Any:
        if try_.outcome == "died":
            raise Died
        writes = call.method != "GET"
        try_.requests.append(writes)
        try_.paths.append(call.path)
        number = len(try_.requests)
        if number > MOST_REQUESTS:
            raise AssertionError(f"a try of {self._account.history} does not end")
        fault = ""
        for what in self._due.get((try_.number, number), ()):
            if what in self._operation.acts:
                self._act(what, try_.number, number)
            else:
                fault = what
        self._down = self._down or fault == DOWN
        if fault == DIES_BEFORE:
            self._die(try_)
        if fault == LOST_BEFORE:
            raise answers.no_answer(call, ConnectionError("lost"), Secrets())
        answer = self._answer(call, fault)
        self._note(by_task=True, try_=try_, request=number)
        if fault == DIES_AFTER:
            self._die(try_)
        if fault == LOST_AFTER:
            raise answers.no_answer(call, ConnectionError("lost"), Secrets())
        if answer.status < 400 and fault != LIE:
            try_.answered.add(number)
        return answers.interpret(call, answer, Secrets())

    def _answer(self, call: Call[Any], fault: str) -> answers.Answer:
        if self._down or fault == UNAVAILABLE:
            return refusal(503, "unavailable")
        if fault == TOO_MANY:
            return refusal(429, "too many")
        if fault == REFUSED:
            return refusal(409 if call.method != "GET" else 403, "refused")
        return self._vendors.answer(call, pretend=fault == LIE)

    def _die(self, try_: Try) -> None:
        try_.outcome = "died"
        raise Died

    def _act(self, what: str, try_: int, request: int) -> None:
        try:
            self._operation.acts[what](self._vendors.world, self._stage.ids)
        except Exception:
            return
        self._account.acts.append((try_, request))
        current = self._account.tries[-1] if request else None
        self._note(by_task=False, try_=current, request=request, number=try_)

    def _note(self, *, by_task: bool, try_: Try | None, request: int, number: int = 0) -> None:
        if self._vendors.revision == self._revision:
            return
        before, self._state = self._state, state_of(self._vendors.world)
        self._revision = self._vendors.revision
        changes = differences(before, self._state)
        for change in changes:
            self._account.happened.append(
                Happened(by_task, try_.number if try_ else number, request, *change)
            )
        if try_:
            try_.states.append(self._state)
            if by_task and any(slot[0] != "primary" for slot, *_ in changes):
                try_.settled = len(try_.states) - 1
            if by_task:
                try_.settled_slots.update(dict.fromkeys((slot for slot, *_ in changes), len(try_.states) - 1))


@contextmanager
def quiet(variables: Variables) -> Iterator[None]:
    """Put Airflow's Variables in memory, and let nothing be logged of tries that fail."""
    import airflow.sdk

    genuine: Mapping[str, Any] = vars(airflow.sdk)
    before = genuine.get("Variable")
    airflow.sdk.Variable = variables  # type: ignore[misc, assignment]
    ExecutorSafeguard.test_mode, safeguard = True, ExecutorSafeguard.test_mode
    _RETRIES.disabled = True
    try:
        yield
    finally:
        ExecutorSafeguard.test_mode = safeguard
        _RETRIES.disabled = False
        if before is None:
            del airflow.sdk.Variable
        else:
            airflow.sdk.Variable = before  # type: ignore[misc]


_RETRIES = logging.getLogger("airflow_provider_phonelink.api.retry")


def writes_in(try_: Try) -> int:
    return sum(try_.requests)


def slots_written(account: Account) -> set[Slot]:
    return {happened.slot for happened in account.happened if happened.by_task}
