"""What a wait remembers between looks, when the next look is due, and when the wait is over."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from airflow_provider_phonelink.api.text import clean
from airflow_provider_phonelink.decisions.registration import Assessment, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow_provider_phonelink.decisions.registration import Judgement

#: How long a number that no look has shown yet may be missing: a vendor's reads may lag behind its writes.
NEW_FOR = timedelta(seconds=60)
#: How to react to numbers that fail, or that are not active in time.
REACTIONS = ("fail", "report")
#: The fewest seconds between two polls, so that an interval of 0 is not a busy loop.
SHORTEST_INTERVAL = 0.1


def next_interval(
    poll_interval: float, polls: int, *, exponential_backoff: bool = False, max_wait: float | None = None
) -> float:
    """
    Return the seconds until the next poll.

    :param poll_interval: Seconds between polls; with backoff, seconds before the second one.
    :param polls: How many polls there have been, at least 1.
    :param exponential_backoff: Whether each interval is twice the one before.
    :param max_wait: The longest interval in seconds; None for no limit.
    """
    interval = poll_interval * 2 ** min(polls - 1, 30) if exponential_backoff else poll_interval
    if max_wait is not None:
        interval = min(interval, max_wait)
    return max(interval, SHORTEST_INTERVAL)


def is_over(assessment: Assessment, on_failed: str) -> bool:
    """Return whether there is nothing left to wait for."""
    return not assessment.waiting or (on_failed == "fail" and bool(assessment.hopeless))


def outage_message(failed_polls: int, error: object) -> str:
    """Return a message for a wait that ends because so many polls in a row failed, the last one with this error."""
    return f"{failed_polls} polls in a row failed, the last one so: {clean(error)}"


class Doubts:
    """
    The verdicts that one look cannot decide.

    A number that has never been seen may be so new that reads do not show it yet, and a failed registration may
    recover. Such numbers count as waiting for some time.

    :param never_seen: The numbers that no look of this wait has shown.
    :param began: When the wait began.
    :param failed_for: How long a registration has to be in a failed state, at each look, before it counts as failed.
    :param failing_since: What :attr:`failing_since` was at the end of the wait that this one goes on with.
    """

    __slots__ = ("_began", "_failed_for", "_failing_since", "_told_states", "any", "never_seen")

    def __init__(
        self,
        never_seen: Iterable[str],
        began: datetime,
        failed_for: timedelta,
        failing_since: Mapping[str, float] | None = None,
    ) -> None:
        self.never_seen = set(never_seen)
        self._began = began
        self._failed_for = failed_for
        self._failing_since = {
            number_id: datetime.fromtimestamp(since, timezone.utc)
            for number_id, since in (failing_since or {}).items()
        }
        self._told_states: set[str] = set()
        #: Whether a later look may decide a verdict although nothing has changed.
        self.any = False

    @property
    def failing_since(self) -> dict[str, float]:
        """Since when, in seconds since 1970, each look has found a registration in a failed state, by number id."""
        return {number_id: since.timestamp() for number_id, since in self._failing_since.items()}

    def weigh(self, assessment: Assessment, at: datetime) -> Assessment:
        """Return the assessment of a look, with verdicts that are still in doubt as waiting."""
        judgements = tuple(self._weigh(judgement, at) for judgement in assessment.judgements)
        self.any = judgements != assessment.judgements
        return replace(assessment, judgements=judgements)

    def first_time_unknown(self, assessment: Assessment) -> list[str]:
        """Return a sentence for each unknown state that this wait sees for the first time."""
        unknown = assessment.unknown_states
        sentences = [sentence for state, sentence in unknown.items() if state not in self._told_states]
        self._told_states |= unknown.keys()
        return sentences

    def _weigh(self, judgement: Judgement, at: datetime) -> Judgement:
        number_id = judgement.number_id
        if judgement.verdict is Verdict.GONE:
            if number_id in self.never_seen and at < self._began + NEW_FOR:
                return replace(judgement, verdict=Verdict.WAITING, why="there is no such number yet")
            return judgement
        self.never_seen.discard(number_id)
        if judgement.verdict is not Verdict.FAILED:
            self._failing_since.pop(number_id, None)
            return judgement
        if at - self._failing_since.setdefault(number_id, at) >= self._failed_for:
            return judgement
        lasts = f"which counts as failed once it has lasted {self._failed_for.total_seconds():g} s"
        return replace(judgement, verdict=Verdict.WAITING, why=f"{judgement.why}, {lasts}")
