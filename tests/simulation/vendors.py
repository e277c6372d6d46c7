"""Both vendors without a socket: a call goes to the sandbox's world, and what its endpoints would send comes back."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from in_memory import Endpoints, NoSuchEndpoint, callingbox_endpoints, dasha_endpoints

from airflow_provider_phonelink.api import answers
from airflow_provider_phonelink.sandbox.switches import Switches
from airflow_provider_phonelink.sandbox.world import Refused, World

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_phonelink.api.calls import Call


@dataclass(frozen=True)
class Vendors:
    """The vendors' endpoints over a world."""

    world: World
    endpoints: tuple[Endpoints, ...]

    @classmethod
    def new(cls, **switches: Any) -> Vendors:
        world = World(Switches(**switches))
        world.clock.freeze()
        return cls(world, (dasha_endpoints(world), callingbox_endpoints(world)))

    @property
    def revision(self) -> int:
        return self.world.dasha.revision + self.world.callingbox.revision

    def snapshot(self) -> Callable[[], None]:
        """Remember the state, and return what brings it back, once."""
        restores = self.world.dasha.snapshot(), self.world.callingbox.snapshot()

        def restore() -> None:
            for one in restores:
                one()

        return restore

    def answer(self, call: Call[Any], *, pretend: bool = False) -> answers.Answer:
        """
        Carry out a call.

        :param pretend: Answer as if it were carried out, and leave everything as it is.
        """
        restore = self.snapshot() if pretend else None
        try:
            status, body = self._carried_out(call)
        except Refused as refused:
            return refusal(refused.status, refused.detail)
        finally:
            if restore:
                restore()
        return answers.Answer(status, "OK", {}, body)

    def _carried_out(self, call: Call[Any]) -> tuple[int, bytes]:
        for endpoints in self.endpoints:
            with suppress(NoSuchEndpoint):
                return endpoints.answer(call.method, call.path, call.params, call.body)
        raise AssertionError(f"the simulation does not know {call.method} {call.path}")


def refusal(status: int, detail: str) -> answers.Answer:
    return answers.Answer(status, "refused", {}, b'{"error": "%s"}' % detail.replace('"', "'").encode())
