"""Everything the sandbox knows, of all vendors: the state that tests read and change directly."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import cache, partial
from importlib import import_module
from threading import RLock
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from airflow_provider_phonelink import vendors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from airflow_provider_phonelink.sandbox.switches import Switches
    from airflow_provider_phonelink.vendors import Vendor

HOME = "org-sandbox"
"""The organisation whose keys the sandbox hands out."""

LONGEST = 1e9
END_OF_TIME = 221_845_392_000.0

Result = TypeVar("Result")


def choice(*values: Any, doc: str) -> Any:
    """Return a switch with a fixed set of plausible values, the default first."""
    return field(default=values[0], metadata={"values": values, "doc": doc})


def amount(default: float, *, least: float = 0.0, doc: str) -> Any:
    """Return a switch that takes a number."""
    return field(default=default, metadata={"values": (), "least": least, "doc": doc})


class Refused(Exception):  # noqa: N818 - it reads as what happened, and never leaves the sandbox
    """
    A request that breaks one of the vendor's rules.

    :param status: the HTTP status the vendor answers with.
    :param detail: what is wrong, for a person.
    :param more: what the error's body tells beside that, where it has room.
    """

    def __init__(self, status: int, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.more = more


class Clock:
    """The sandbox's clock, in seconds since the epoch: real time, until a test moves it forward or stops it."""

    def __init__(self) -> None:
        self._offset = 0.0
        self._frozen: float | None = None

    def now(self) -> float:
        """Return the sandbox's time."""
        return (time.time() if self._frozen is None else self._frozen) + self._offset

    def advance(self, seconds: float) -> None:
        """Move time forward. Registrations that fall due in between have happened afterwards."""
        if not 0 <= seconds <= LONGEST:
            raise ValueError(f"time moves forward only, and by {LONGEST:g} s at most, not by {seconds}")
        if self.now() + seconds > END_OF_TIME:
            raise ValueError("there is no writing down times after the year 9000")
        self._offset += seconds

    def freeze(self) -> None:
        """Stop time: from now on only :meth:`advance` moves it."""
        if self._frozen is None:
            self._frozen = time.time()

    def reset(self) -> None:
        """Go back to real time."""
        self._offset = 0.0
        self._frozen = None


class Account(Protocol):
    """What one organisation has at a vendor. `revision` goes up with every change."""

    revision: int

    def rows(self) -> Iterable[dict[str, Any]]:
        """Return a row for each number, for the table of the state."""

    def snapshot(self) -> Callable[[], None]:
        """Save the state, and return a function that restores it."""


@dataclass(frozen=True, kw_only=True)
class StandIn:
    """
    A vendor, as the sandbox's shared part sees it. Each vendor's folder defines one.

    :param vendor: its entry in the list of vendors.
    :param prefix: the paths of its endpoints begin with this.
    :param api_key: the API key it accepts unless told otherwise.
    :param switches: a dataclass of its switches; their names begin with the key.
    :param open: makes an organisation's account.
    :param plant: puts the vendor's part of a seed into a world.
    :param demo: its part of the seed `demo`.
    :param error: writes the refusal of a request to a path, as a body and a media type.
    :param resource: a regular expression for the path of whatever a write changes.
    :param extends: functions of a world that only this vendor has use for; they become methods of every world.
    """

    vendor: Vendor
    prefix: str
    api_key: str
    switches: type
    open: Callable[[World, str], Account]
    plant: Callable[[World, Mapping[str, Any]], None]
    demo: Mapping[str, Any]
    error: Callable[[Refused, str, Switches], tuple[bytes, str]]
    resource: str
    extends: Mapping[str, Callable[..., Any]] = field(default_factory=dict)

    @property
    def endpoints(self) -> Any:
        """The module with the vendor's endpoints, the only one that needs a web framework."""
        return import_module(f"{str(self.vendor.stand_in).partition(':')[0]}.endpoints")

    @property
    def title(self) -> str:
        """What people call the vendor."""
        return self.vendor.name


def known(what: str, document: Mapping[str, Any], names: set[str]) -> None:
    """Refuse a part of a seed that says something nobody understands."""
    if strange := set(document) - names:
        raise ValueError(f"{what} knows {', '.join(sorted(names))}; not {', '.join(sorted(strange))}")


@cache
def stand_ins() -> dict[str, StandIn]:
    """Return every vendor's stand-in by its key."""
    return {vendor.key: vendors.load(vendor.stand_in) for vendor in vendors.VENDORS if vendor.stand_in}


class World:
    """
    All vendors' state under one lock. Its attribute `dasha` is the account of the sandbox's organisation at Dasha.

    :param switches: how undocumented behaviour is decided.
    """

    def __init__(self, switches: Switches) -> None:
        self.switches = switches
        self.clock = Clock()
        self.lock = RLock()
        self.accounts: dict[tuple[str, str], Any] = {}
        self.reset()

    def __getattr__(self, name: str) -> Any:
        """Return the sandbox's account at a vendor, or what a vendor extends every world by."""
        if name in stand_ins():
            return self.account(name)
        for vendor in stand_ins().values():
            if name in vendor.extends:
                return partial(vendor.extends[name], self)
        raise AttributeError(f"a world has no attribute {name!r}")

    def account(self, vendor: str, organisation: str = HOME) -> Any:
        """Return what an organisation has at a vendor, a new account if there is none yet."""
        with self.lock:
            if (vendor, organisation) not in self.accounts:
                self.accounts[vendor, organisation] = stand_ins()[vendor].open(self, organisation)
            return self.accounts[vendor, organisation]

    def reset(self) -> None:
        """Forget everything, and go back to real time."""
        with self.lock:
            self.clock.reset()
            self.accounts.clear()

    def advance(self, seconds: float) -> None:
        """Move the sandbox's time forward."""
        self.clock.advance(seconds)

    def apply(
        self, account: Account, operation: Callable[[], Result], *, dry: bool = False
    ) -> tuple[Result, bool]:
        """
        Run an operation at once and whole, and say whether it changed anything.

        :param dry: undo it again; the result is what it would have been.
        """
        with self.lock:
            restore = account.snapshot() if dry else None
            before = account.revision
            try:
                result = operation()
            finally:
                if restore is not None:
                    restore()
            return result, account.revision != before

    def rows(self) -> list[dict[str, Any]]:
        """Return the state as a plain table: a row per number."""
        with self.lock:
            return [{"vendor": key, **row} for key in stand_ins() for row in self.account(key).rows()]
