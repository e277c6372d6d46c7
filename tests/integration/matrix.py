"""The axes of the fault matrix, the cells they span, and those that are left out with the reason why."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING, Any, Literal

from integration import operations
from integration.longer_operations import LONGER

from airflow_provider_phonelink.sandbox import Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from integration.operations import Operation, Request

OPERATIONS = (*operations.OPERATIONS, *LONGER)
#: How long a request that hangs is waited for, and what a slow one takes.
IMPATIENT = 0.3
SLOW = 0.05


@dataclass(frozen=True)
class Kind:
    """
    One way in which a request goes wrong.

    :param what: the arguments of the sandbox's fault.
    :param outcome: what one such fault, or ``no``-matter how many, lets a single run of a task end in:
        ``survived`` always ends well, ``retried`` ends well unless it persists, ``proved`` is only noticed
        when the promise is proved, so that Airflow has to retry, and ``final`` is nothing that a retry mends.
    """

    name: str
    what: dict[str, Any] = field(repr=False)
    outcome: str = "retried"


def _status(status: int, headers: dict[str, str] | None = None, outcome: str = "retried") -> Kind:
    name = " ".join([f"status {status}", *(f"{key} {value}" for key, value in (headers or {}).items())])
    return Kind(name, {"kind": "status", "status": status, "headers": headers or {}}, outcome)


KINDS = (
    _status(408),
    _status(429),
    _status(429, {"Retry-After": "1"}),
    _status(429, {"Retry-After": "Fri, 31 Dec 2100 23:59:59 GMT"}),
    _status(429, {"Retry-After": "soon"}),
    _status(500),
    Kind("status 502 html", {"kind": "html", "status": 502}),
    _status(503),
    _status(503, {"Retry-After": "1"}),
    _status(504),
    Kind("drop", {"kind": "drop"}),
    Kind("reset", {"kind": "drop", "reset": True}),
    Kind("hang", {"kind": "hang"}),
    Kind("cut", {"kind": "cut"}),
    Kind("broken json", {"kind": "broken_json"}),
    Kind("html 200", {"kind": "html", "status": 200}),
    Kind("empty list 200", {"kind": "status", "status": 200, "body": "[]"}),
    Kind("null 200", {"kind": "status", "status": 200, "body": "null"}),
    Kind("empty object 200", {"kind": "status", "status": 200, "body": "{}"}),
    Kind("wrong id", {"kind": "wrong_id"}),
    Kind("no id", {"kind": "edit", "remove": ("id", "items", "data")}),
    Kind("slow", {"kind": "slow", "seconds": SLOW}, "survived"),
    Kind("drip", {"kind": "drip", "seconds": SLOW}, "survived"),
    Kind("ignored", {"kind": "ignored"}, "proved"),
    Kind("ignored but claimed", {"kind": "ignored", "claim": True}, "proved"),
    Kind("redirect", {"kind": "redirect"}, "final"),
    _status(401, outcome="final"),
    _status(403, outcome="final"),
    _status(404, outcome="final"),
    _status(409, outcome="final"),
    _status(422, outcome="final"),
)
#: One of each sort: an error that passes, a lost answer, a lie about success, and refusals.
ONE_OF_EACH_SORT = (
    "status 503",
    "drop",
    "html 200",
    "ignored",
    "ignored but claimed",
    "status 401",
    "status 403",
    "status 404",
    "status 409",
    "status 422",
)
WHENS: tuple[Literal["before", "after"], ...] = ("before", "after")
PERSISTENCES = ("once", "until Airflow retries")


@dataclass(frozen=True)
class Cell:
    """One point of the matrix."""

    operation: Operation
    request: Request
    kind: Kind
    when: Literal["before", "after"]
    persistence: str

    @property
    def name(self) -> str:
        parts = (self.operation.name, self.request.role, self.kind.name, self.when, self.persistence)
        return ", ".join(parts)

    @property
    def writes(self) -> bool:
        return self.request.writes

    @property
    def outcome(self) -> str:
        """What the fault lets a run end in; only a read of a number that is new shows that its id is wrong."""
        new = self.operation.name == "create" and self.writes
        return "proved" if new and self.kind.name == "wrong id" else self.kind.outcome

    @property
    def lasts(self) -> bool:
        return self.persistence != "once"

    @property
    def end(self) -> str:
        """The state in which the try ends that meets the fault."""
        if self.outcome == "survived" or (
            self.outcome == "retried" and (not self.lasts or self.is_found_out)
        ):
            return "success"
        sort = {"retried": "lasting"}.get(self.outcome, self.outcome)
        usual = "failed" if sort == "final" else "up_for_retry"
        return self.request.ends.get(self.kind.name) or self.request.ends.get(sort) or usual

    @property
    def is_found_out(self) -> bool:
        """Whether a write that took effect is found by the look before it would be repeated."""
        took_effect = self.writes and (self.when == "after" or self.kind.name == "no id")
        return took_effect and self.request.looked_for

    def fault(self, numbers: tuple[str, ...] = ()) -> Fault:
        which = {**self.request.which(numbers), "vendor": self.operation.vendor}
        count = 1 if self.persistence == "once" else None
        return Fault(**self.kind.what, **which, when=self.when, count=count)


def _touches_ids(cell: Cell) -> bool:
    """Whether the answer has an id of its own, which a page or a list has not."""
    return cell.request.path not in ("sip-phone-numbers$", "v1/numbers$", "v1/agents$") or cell.writes


#: Why a combination of the axes is no cell. The first rule that fits is the reason.
LEFT_OUT: dict[str, Callable[[Cell], bool]] = {
    "another of the operation's requests is made in the same way": lambda c: c.request.like is not None,
    "what each kind of fault does to a request is seen in the short operations; longer ones meet one of each sort": (
        lambda c: c.operation in LONGER and c.kind.name not in ONE_OF_EACH_SORT
    ),
    "reading takes no effect, so there is no after": lambda c: not c.writes and c.when == "after",
    "a read has no effect to ignore": lambda c: not c.writes and c.kind.outcome == "proved",
    "an ignored write takes no effect, so there is no after": (
        lambda c: c.kind.outcome == "proved" and c.when == "after"
    ),
    "these happen to the answer, whose request has taken effect either way": (
        lambda c: c.kind.name in ("no id", "drip") and c.when == "after"
    ),
    "a page has no id": lambda c: c.kind.name == "wrong id" and not _touches_ids(c),
    "a bare array has no fields to lose, and an empty one is an answer": (
        lambda c: c.request.path == "v1/numbers$" and c.kind.name in ("no id", "empty list 200")
    ),
    "a redirect, 401, 403, 404, 409 or 422 that comes after the effect is no failure but a lie": (
        lambda c: c.kind.outcome == "final" and c.when == "after"
    ),
    "a 404 on an agent that lost its number is believed, and then there is nothing to put right": (
        lambda c: c.request.role == "look for the primary number" and c.kind.name == "status 404"
    ),
    "what is final is final the first time": (
        lambda c: c.kind.outcome == "final" and c.persistence != "once"
    ),
}

ALL = tuple(
    Cell(operation, request, kind, when, persistence)
    for operation in OPERATIONS
    for request, kind, when, persistence in product(operation.requests, KINDS, WHENS, PERSISTENCES)
)


def reason_to_leave_out(cell: Cell) -> str | None:
    return next((reason for reason, fits in LEFT_OUT.items() if fits(cell)), None)


CELLS = tuple(cell for cell in ALL if reason_to_leave_out(cell) is None)
