"""May a number be linked to an agent, and does the link show afterwards? For one link and for many."""

from __future__ import annotations

from typing import Protocol

from airflow_provider_phonelink.api.errors import ChangedMeanwhileError, NotTakenEffectError, TakenError
from airflow_provider_phonelink.api.labels import agent_label, number_label


class EarlierOutbound(Protocol):
    """What earlier tries of the task did to an agent's outbound number, or may have done."""

    @property
    def previous_number_id(self) -> str | None:
        """The number that the agent had before, if known."""

    @property
    def is_done(self) -> bool:
        """Whether it was seen to be done."""


class EarlierTry(Protocol):
    """What earlier tries of the task did to a number's inbound link, or may have done."""

    @property
    def pending(self) -> bool:
        """Whether nobody was told of it."""

    @property
    def agent_id(self) -> str | None:
        """Who was to have the number."""

    def gave_to(self, agent: str | None) -> bool:
        """Return whether an agent that has the number may have it from the task."""

    def explains(self, now: str | None) -> bool:
        """Return whether an agent's having the number shows no act of anybody else."""


def is_to_be_linked(
    label: str,
    wanted: str,
    now: str | None,
    earlier: EarlierTry | None,
    *,
    if_linked: str,
    takes_over: bool = False,
) -> bool:
    """
    Return whether a number has to be linked to an agent; False if it is.

    :param label: How a message refers to the number.
    :param now: The agent that has it.
    :param if_linked: ``replace`` takes it from another agent, ``fail`` refuses to.
    :param takes_over: Whether a link that somebody made after an earlier try of the task is replaced, too.
    :raises TakenError: If another agent has it and may not lose it.
    :raises ChangedMeanwhileError: If somebody else linked it after an earlier try did.
    """
    if now == wanted:
        return False
    from_the_task = False
    if earlier is not None and earlier.pending:
        from_the_task = earlier.gave_to(now)
        if not takes_over and not earlier.explains(now):
            raise ChangedMeanwhileError(
                f"Number {label}: an earlier try of this task linked it to {agent_label(earlier.agent_id)}, or may "
                f"have done so, and now {agent_label(now)} has it: somebody else linked it in the meantime, and it was "
                "left there. Run the task again to take it over (if_linked='replace')."
            )
    if now is not None and if_linked == "fail" and not from_the_task:
        raise TakenError(
            f"Number {label} answers for {agent_label(now)}, so it was not linked to {agent_label(wanted)} "
            "(if_linked='fail'). Nothing was changed."
        )
    return True


def demand_linked(label: str, wanted: str, now: str | None, previous: str | None) -> None:
    """
    Make sure that a link shows after it was written.

    :param now: The agent that has the number right afterwards.
    :param previous: The one that had it right before.
    :raises ChangedMeanwhileError: If somebody else linked it in the meantime.
    :raises NotTakenEffectError: If the vendor did not carry out the change.
    """
    if now == wanted:
        return
    linked = (
        f"Number {label} was linked to {agent_label(wanted)}, but right afterwards {agent_label(now)} has it"
    )
    if now not in (None, previous):
        raise ChangedMeanwhileError(
            f"{linked}: somebody else linked it in the meantime, and it was left there. Run the task again to take it "
            "over (if_linked='replace')."
        )
    raise NotTakenEffectError(f"{linked}: the vendor did not carry out the change.")


def demand_not_moved(
    label: str, agent_id: str, now: str | None, earlier: EarlierOutbound | None, *, what: str = "outbound"
) -> None:
    """
    Make sure that nobody else gave an agent another number after an earlier try of the task gave it this one.

    :param now: The id of the number that the agent has by now, another than this; None if it is not known.
    :param earlier: What earlier tries did to give it this number.
    :param what: Which of its numbers it is: its ``outbound`` or its ``primary`` one.
    :raises ChangedMeanwhileError: If somebody did.
    """
    if earlier is None or now is None:
        return
    # Where it is not known whether the number was given, this may be the one before it; so it may if that is not known.
    if earlier.is_done or earlier.previous_number_id not in (None, now):
        raise ChangedMeanwhileError(
            f"Number {label} was made the {what} number of {agent_label(agent_id)} by an earlier try of this task, "
            f"or may have been, and now {number_label(now)} is: somebody else linked it in the meantime, or chose it, "
            "and it was left so. Run the task again to take it over."
        )


def demand_outbound(label: str, agent_id: str, *, shows: bool) -> None:
    """
    Make sure that an agent's outbound number shows after it was written.

    :raises NotTakenEffectError: If the vendor does not show it.
    """
    if not shows:
        raise NotTakenEffectError(
            f"Number {label} was made the outbound number of {agent_label(agent_id)}, but right afterwards the vendor "
            "does not list that agent among those that use it."
        )
