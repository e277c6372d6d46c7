"""
All metrics of this package, by Airflow's own means: StatsD, Datadog or OpenTelemetry, as Airflow is configured.

Each name begins with ``phonelink.``; Airflow puts its own prefix in front. Counting never fails a task.
"""

from __future__ import annotations

import logging
import sys
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow import __version__ as airflow_version

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_provider_phonelink.decisions.registration import Verdict

#: Counters. Tags: ``vendor``, ``method``, ``status`` (``none`` if no answer arrived).
REQUESTS = "phonelink.requests"
#: Tags: ``vendor``.
RETRIES = "phonelink.retries"
#: Tags: ``vendor``, ``action`` (``link``, ``move``, ``unlink``).
CHANGES = "phonelink.changes"
#: Tags: ``vendor``.
ROTATIONS = "phonelink.rotations"
#: A timer: how long requests waited for a rate limit. Tags: ``vendor``.
RATE_LIMIT_WAIT = "phonelink.rate_limit_wait"
#: Gauges. ``phonelink.numbers.<verdict>``: the numbers of a connection. Tags: ``vendor``, ``conn_id``.
NUMBERS = "phonelink.numbers"
#: How many changes the links of a task's routes are away. Tags: ``vendor``, ``dag_id``, ``task_id``.
DRIFT = "phonelink.drift"
#: Seconds since the oldest deferred wait for a registration began, in one triggerer; 0 after the last one. Tags:
#: ``conn_id``.
OLDEST_WAIT = "phonelink.oldest_wait"

#: Where Airflow keeps what metrics go to. A process has set up one of the first two from Airflow 3.2 on.
_BACKENDS = ("airflow.sdk._shared.observability.metrics.stats", "airflow._shared.observability.metrics.stats")
_BEFORE_3_2 = ("3.0.", "3.1.")

_log = logging.getLogger(__name__)


class ClientMetrics:
    """Counts the requests of a vendor's client: a :class:`~airflow_provider_phonelink.api.counting.Counts`."""

    def __init__(self, vendor: str) -> None:
        self._tags = {"vendor": vendor}

    def answered(self, method: str, status: int | None) -> None:
        """Count a request that ended."""
        _tell("incr", REQUESTS, tags={**self._tags, "method": method, "status": str(status or "none")})

    def retried(self) -> None:
        """Count a failed request that is tried again."""
        _tell("incr", RETRIES, tags=self._tags)

    def held_back(self, seconds: float) -> None:
        """Measure a wait for a rate limit."""
        _tell("timing", RATE_LIMIT_WAIT, timedelta(seconds=seconds), tags=self._tags)


def count_change(vendor: str, *, made: bool, in_place_of_another: bool) -> None:
    """Count a changed link: made, made in place of another one, or removed."""
    action = "unlink" if not made else "move" if in_place_of_another else "link"
    _tell("incr", CHANGES, tags={"vendor": vendor, "action": action})


def count_rotation(vendor: str) -> None:
    """Count a rotation that changed an agent's caller ID."""
    _tell("incr", ROTATIONS, tags={"vendor": vendor})


def measure_numbers(vendor: str, conn_id: str, verdicts: Iterable[Verdict | None]) -> None:
    """Say how many numbers of a connection have each verdict; those without registrations have none."""
    from airflow_provider_phonelink.decisions.registration import Verdict

    counts = Counter(verdicts)
    for verdict in (Verdict.ACTIVE, Verdict.FAILED, Verdict.WAITING, Verdict.NEVER):
        tags = {"vendor": vendor, "conn_id": conn_id}
        _tell("gauge", f"{NUMBERS}.{verdict.value}", counts[verdict], tags=tags)


def measure_drift(vendor: str, dag_id: str, task_id: str, changes: int) -> None:
    """Say how many changes the links are away from the routes of a task."""
    _tell("gauge", DRIFT, changes, tags={"vendor": vendor, "dag_id": dag_id, "task_id": task_id})


def measure_oldest_wait(conn_id: str, seconds: float) -> None:
    """Say how long the oldest deferred wait of this triggerer has lasted; 0 if there is none any more."""
    _tell("gauge", OLDEST_WAIT, round(seconds, 3), tags={"conn_id": conn_id})


def _tell(what: str, name: str, *value: Any, tags: dict[str, str]) -> None:
    try:
        backend = _backend()
        if backend is not None:
            getattr(backend, what)(name, *value, tags=tags)
    except Exception:  # a metric that is lost is no reason for a task to fail
        _log.debug("The metric %s could not be sent", name, exc_info=True)


def _backend() -> Any:
    """
    Return what this process's metrics go to; None if it has nothing set up.

    Airflow has one set of functions for tasks and one for its servers, each with a state of its own. A task that
    its executor has forked off finds both set up, and its own come first.
    """
    for place in _BACKENDS:
        module: Any = sys.modules.get(place)
        if module is None:
            continue
        if getattr(module, "_factory", None) is not None:
            return module
        stats = getattr(module, "Stats", None)
        if getattr(stats, "factory", None) is not None:  # Airflow 3.2
            return stats
    if airflow_version.startswith(_BEFORE_3_2):
        from airflow.stats import Stats  # sets itself up; later versions warn of the name

        return Stats
    return None
