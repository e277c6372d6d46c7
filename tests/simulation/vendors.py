"""Both vendors without a socket: a call goes to the sandbox's world, and what its endpoints would send comes back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from airflow_provider_phonelink.api import answers
from airflow_provider_phonelink.sandbox.callingbox.bodies import CallingBoxJson
from airflow_provider_phonelink.sandbox.dasha.bodies import DashaJson
from airflow_provider_phonelink.sandbox.dasha.records import NumberQuery, NumberSettings
from airflow_provider_phonelink.sandbox.switches import Switches
from airflow_provider_phonelink.sandbox.world import Refused, World

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_phonelink.api.calls import Call


@dataclass(frozen=True)
class Vendors:
    """The vendors' endpoints over a world."""

    world: World
    dasha_json: DashaJson
    callingbox_json: CallingBoxJson

    @classmethod
    def new(cls, **switches: Any) -> Vendors:
        world = World(Switches(**switches))
        world.clock.freeze()
        return cls(world, DashaJson(world), CallingBoxJson(world))

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
            body = self._dasha(call) if call.path.startswith("/api/") else self._callingbox(call)
        except Refused as refused:
            return refusal(refused.status, refused.detail)
        finally:
            if restore:
                restore()
        return answers.Answer(200, "OK", {}, body)

    def _dasha(self, call: Call[Any]) -> bytes:
        dasha, params = self.world.dasha, call.params
        kind, number_id, action = (*call.path.split("/")[3:], "", "")[:3]
        if kind == "sip-credentials" and action == "affected-agents":
            return self.dasha_json.affected_by(dasha, number_id)
        match call.method, action:
            case "GET", "affected-agents":
                return self.dasha_json.affected(dasha, number_id)
            case "PUT", "agent-link":
                return self.dasha_json.number(dasha.link(number_id, params["agentId"], params["mode"]))
            case "DELETE", "agent-link":
                return self.dasha_json.number(dasha.unlink(number_id, params["mode"], params.get("agentId")))
            case "GET", _ if number_id:
                return self.dasha_json.number(dasha.get(number_id))
            case "GET", _:
                query = NumberQuery(
                    int(params["skip"]), int(params["take"]), params.get("phoneNumber"), None, False
                )
                numbers, total = dasha.page(query)
                return self.dasha_json.page(numbers, total, query)
            case "POST", _:
                return self.dasha_json.number(dasha.create(_settings(call)))
            case "PUT", _:
                return self.dasha_json.number(dasha.replace(number_id, _settings(call)))
        raise AssertionError(f"the simulation does not know {call.method} {call.path}")

    def _callingbox(self, call: Call[Any]) -> bytes:
        box, write = self.world.callingbox, self.callingbox_json
        parts = [unquote(part) for part in call.path.split("/")[2:]]
        match [call.method, *parts]:
            case ["GET", "numbers"]:
                return write.numbers(*box.list_numbers())
            case ["GET", "agents"]:
                return write.agents(*box.list_agents(call.params.get("type")))
            case ["GET", "agents", agent_id]:
                return write.agent(box, box.get_agent(agent_id))
            case ["POST", "agents", agent_id, "numbers"]:
                return write.agent(box, box.attach(agent_id, _named(call)))
            case ["DELETE", "agents", agent_id, "numbers", number_id]:
                return write.agent(box, box.detach(agent_id, number_id))
            case ["PUT", "agents", agent_id, "primary-number"]:
                return write.agent(box, box.set_primary(agent_id, _named(call)))
        raise AssertionError(f"the simulation does not know {call.method} {call.path}")


def _named(call: Call[Any]) -> str:
    if "number_id" not in (call.body or {}):
        raise Refused(400, "number_id is missing")
    return str((call.body or {})["number_id"])


def refusal(status: int, detail: str) -> answers.Answer:
    return answers.Answer(status, "refused", {}, b'{"error": "%s"}' % detail.replace('"', "'").encode())


def _settings(call: Call[Any]) -> NumberSettings:
    body = call.body or {}
    return NumberSettings(
        body["phoneNumber"],
        body["credentialsId"],
        body.get("displayName"),
        body.get("description"),
        bool(body.get("registration")),
    )
