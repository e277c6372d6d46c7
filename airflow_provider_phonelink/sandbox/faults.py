"""
Faults a test can script: which requests go wrong, and how.

    sandbox.faults.add(Fault("drop", method="PUT", path="agent-link", when="after"))
    sandbox.faults.add(Fault("status", status=429, headers={"Retry-After": "1"}, count=3))
    sandbox.faults.add(Fault("meanwhile", method="PUT", nth=2, run=lambda world: world.dasha.link(id, "agent-x")))

How each kind goes wrong is written in `fault_kinds`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping  # noqa: TC003 - pydantic reads the annotations at run time
from dataclasses import dataclass, field, fields
from threading import Lock
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, get_args

from pydantic import ConfigDict
from pydantic.json_schema import SkipJsonSchema

from airflow_provider_phonelink.sandbox.patterns import PathPattern
from airflow_provider_phonelink.sandbox.world import stand_ins

if TYPE_CHECKING:
    from airflow_provider_phonelink.sandbox.world import World

Kind = Literal[
    "status",
    "html",
    "redirect",
    "drop",
    "hang",
    "cut",
    "broken_json",
    "wrong_id",
    "slow",
    "drip",
    "ignored",
    "edit",
    "repeat_items",
    "shift_items",
    "endless",
    "rate_limit",
    "meanwhile",
]
KINDS: tuple[str, ...] = get_args(Kind)
PREVENTING = frozenset({"status", "html", "redirect", "drop", "hang", "cut", "broken_json", "wrong_id"})
"""The kinds that keep a request from taking effect if they apply `before` it does."""


@dataclass(frozen=True)
class Fault:
    """
    One thing that goes wrong.

    Which requests:

    :param kind: what goes wrong.
    :param vendor: the vendor's key, such as `dasha`; any if not given.
    :param method: the HTTP method; any if not given.
    :param path: what the path has in it: a piece of it, to which `^` and `$` bind the ends, in which `*` stands for
        anything and `(this|that)` for either (see `patterns.PathPattern`).
    :param nth: the first of the matching requests to go wrong.
    :param count: how many go wrong from there on; None means all.
    :param when: `before` the request has taken effect (it then never does, see `PREVENTING`; a `slow` one
        does later, and what happens `meanwhile` comes first), or `after` it has.

    What happens, where the kind has use for it:

    :param status: the status answered.
    :param headers: headers added to the answer.
    :param body: the answer's text, in place of what is usual for the kind.
    :param seconds: how long a slow answer waits, or a dripping one takes.
    :param location: where a redirect leads: a base URL (path and query are added).
    :param merge: fields set in the answer's JSON object (kind `edit`).
    :param remove: fields taken out of it, and out of its `items` (kind `edit`).
    :param items: how many items a page repeats or shifts by.
    :param invent: an endless list goes on with items that do not exist, instead of repeating itself.
    :param claim: an ignored write is answered as if it had been done, not with what is the case.
    :param reset: a dropped connection is reset, not closed.
    :param rate: requests a second that a rate limit lets through.
    :param run: Python code to run on the world, in the server's thread (kind `meanwhile`): it must not
        send requests to the sandbox.
    :param calls: requests somebody else makes, as `PUT /path` or `POST /path {"json": 1}` (kind `meanwhile`).
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    kind: Kind
    vendor: str | None = None
    method: str | None = None
    path: str = ""
    nth: int = 1
    count: int | None = 1
    when: Literal["before", "after"] = "before"
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None
    seconds: float = 1.0
    location: str = "https://elsewhere.invalid"
    merge: Mapping[str, Any] = field(default_factory=dict)
    remove: tuple[str, ...] = ()
    items: int = 1
    invent: bool = False
    claim: bool = False
    reset: bool = False
    rate: float = 10.0
    run: Annotated[Callable[[Any], object] | None, SkipJsonSchema()] = None
    calls: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a fault that could never happen as described."""
        if self.kind not in KINDS:
            raise ValueError(f"there is no kind of fault {self.kind!r}; there are: {', '.join(KINDS)}")
        if self.vendor is not None and self.vendor not in stand_ins():
            raise ValueError(f"there is no vendor {self.vendor!r}; there are: {', '.join(stand_ins())}")
        if self.when not in ("before", "after"):
            raise ValueError(f"`when` is before or after, not {self.when!r}")
        if self.nth < 1 or (self.count is not None and self.count < 1):
            raise ValueError("`nth` and `count` begin at 1")
        if self.kind == "status" and self.status is None:
            raise ValueError("a fault of kind status needs a `status`")
        PathPattern(self.path)

    def as_json(self) -> dict[str, Any]:
        """Return what is not the default, as plain JSON."""
        usual = Fault("meanwhile")
        told = {f.name: getattr(self, f.name) for f in fields(self)}
        told = {name: value for name, value in told.items() if value != getattr(usual, name)}
        return {"kind": self.kind, **told, **({"run": repr(self.run)} if self.run else {})}


class Armed:
    """
    A fault in force, and how often it has struck.

    :param fault: what goes wrong.
    """

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.seen = 0
        self.fired = 0
        self.times: list[float] = []
        self._method = fault.method and fault.method.upper()
        self._path = PathPattern(fault.path)

    def strikes(self, vendor: str, method: str, path: str) -> bool:
        """Count a matching request, and return whether it should go wrong."""
        fault = self.fault
        if fault.vendor not in (None, vendor) or self._method not in (None, method):
            return False
        if not self._path.search(path):
            return False
        self.seen += 1
        return self.seen >= fault.nth and (fault.count is None or self.seen < fault.nth + fault.count)


class Faults:
    """The active faults. Several may apply to one request: the one added first is the outermost."""

    def __init__(self) -> None:
        self._armed: list[Armed] = []
        self._lock = Lock()

    @property
    def fired(self) -> int:
        """How often the active faults have applied."""
        return sum(armed.fired for armed in self._armed)

    @property
    def armed(self) -> list[Armed]:
        """The active faults."""
        return list(self._armed)

    def add(self, fault: Fault) -> Armed:
        """Activate a fault. The result counts how often it applies."""
        armed = Armed(fault)
        with self._lock:
            self._armed = [*self._armed, armed]
        return armed

    def meanwhile(self, run: Callable[[World], object], **which: Any) -> Armed:
        """
        Let somebody else act on the world around a request.

        :param run: what they do.
        :param which: around which requests, as for `Fault`.
        """
        return self.add(Fault("meanwhile", run=run, **which))

    def remove(self, armed: Armed) -> None:
        """Deactivate a fault."""
        with self._lock:
            self._armed = [other for other in self._armed if other is not armed]

    def clear(self) -> None:
        """Deactivate all faults."""
        with self._lock:
            self._armed = []

    def striking(self, vendor: str, method: str, path: str) -> list[Armed]:
        """Return the faults that apply to a request, outermost first."""
        if not self._armed:
            return []
        with self._lock:
            return [armed for armed in self._armed if armed.strikes(vendor, method, path)]
