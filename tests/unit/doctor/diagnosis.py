"""Run the doctor over the sandbox's world, without a socket."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from simulation.task import SteppingSender
from simulation.vendors import Vendors, refusal
from unit.api.carrying import callingbox_settings, dasha_settings

from airflow_provider_phonelink.api import answers
from airflow_provider_phonelink.api.observing import Observed
from airflow_provider_phonelink.api.redaction import Secrets
from airflow_provider_phonelink.doctor import callingbox, dasha
from airflow_provider_phonelink.doctor.examination import Circumstances

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_phonelink.api.calls import Call
    from airflow_provider_phonelink.doctor.findings import Finding

EXAMINED: dict[str, tuple[Any, Any]] = {
    "dasha": (dasha.EXAMINATION, dasha_settings(max_retries=1, source="connection 'prod'")),
    "callingbox": (callingbox.EXAMINATION, callingbox_settings(max_retries=1)),
}
NOW = datetime(2031, 6, 1, 12, 0, tzinfo=timezone.utc)


@dataclass
class Patient:
    """An account at a vendor in memory."""

    vendors: Vendors
    traffic: list[Observed] = field(default_factory=list)
    #: Refuses a request by its method, path and parameters, as one text, and by how often it has been sent.
    refuse: Callable[[str, int], int | None] = lambda line, nth: None
    #: Called before each request.
    meanwhile: Callable[[Call[Any]], object] = lambda call: None
    _sent: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))

    @classmethod
    def new(cls, **switches: Any) -> Patient:
        return cls(Vendors.new(**switches))

    @property
    def dasha(self) -> Any:
        return self.vendors.world.dasha

    @property
    def callingbox(self) -> Any:
        return self.vendors.world.callingbox

    def examined(self, vendor: str) -> dict[str, Finding]:
        """Return the findings by what they are about; the last one where there are several."""
        doctor, settings = EXAMINED[vendor]
        self.traffic.clear()
        readings = SteppingSender(settings, self._exchange).run(doctor.read())
        circumstances = Circumstances(settings, NOW, tuple(self.traffic))
        return {finding.about: finding for finding in doctor.findings(readings, circumstances)}

    def _exchange(self, call: Call[Any]) -> Any:
        assert call.method == "GET"
        self.meanwhile(call)
        line = f"{call.method} {call.path} {dict(call.params)}"
        self._sent[line] += 1
        status = self.refuse(line, self._sent[line])
        answer = refusal(status, "refused") if status else self.vendors.answer(call)
        body = answer.body if answer.status >= 400 else b""
        self.traffic.append(
            Observed(
                method="GET", path=call.path, status=answer.status, seconds=0.1, headers={}, refusal=body
            )
        )
        return answers.interpret(call, answer, Secrets())
