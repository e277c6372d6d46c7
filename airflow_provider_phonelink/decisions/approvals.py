"""An approved plan, and what a run that applies it may change: what is in it, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.api.errors import InvalidArgumentError, NotApprovedError
from airflow_provider_phonelink.api.labels import agent_label
from airflow_provider_phonelink.api.templates import parse_rendered
from airflow_provider_phonelink.api.text import MOST_LISTED, shown
from airflow_provider_phonelink.api.uuids import plain_id
from airflow_provider_phonelink.decisions.links import INBOUND, Link
from airflow_provider_phonelink.decisions.planning import ACTIONS, Change

if TYPE_CHECKING:
    from collections.abc import Collection

    from airflow_provider_phonelink.decisions.planning import Plan

_ARGUMENT = "approved_plan"
#: What tells a change in a dry run's result; the last two may be null.
_KEYS = ("action", "number_id", "agent_id", "mode", "previous_agent_id", "previous_number_id")


@dataclass(frozen=True)
class ApprovedPlan:
    """The changes that somebody approved."""

    changes: frozenset[Change]

    def bind(self, plan: Plan) -> Plan:
        """
        Return the plan, bound to take numbers only from where they are in it.

        An approved change that has become true is in no later plan. One that has come true in part, as when a number
        that was to move has lost its agent, is still the approved one.

        :raises NotApprovedError: If the plan has a change that was not approved, or lacks one that is not true yet.
        """
        others = [change for change in plan.changes if not self._covers(change)]
        if others:
            told = [f"{plan.line(change)}: {self._what_is_new(change, plan)}" for change in others]
            raise NotApprovedError(
                f"Links or routes have changed since the plan was approved: {len(others)} of {len(plan.changes)} "
                f"changes that are needed now are not in the approved plan, so nothing was written.{_all(told)} Make a "
                "new plan and have it approved.",
                [f"Not approved: {line}" for line in told],
            )
        ends = {change.loser for change in plan.changes}
        if dropped := sorted(plan.line(change) for change in self.changes if _is_dropped(change, plan, ends)):
            raise NotApprovedError(
                f"{len(dropped)} of the {len(self.changes)} approved changes are neither made nor asked for any more, "
                f"so nothing was written.{_all(dropped)} The plan was made of other routes, or with another scope or "
                "prune: apply it with the same ones, or make a new plan and have it approved.",
                [f"Approved, and not asked for any more: {line}" for line in dropped],
            )
        return replace(plan, bound=True)

    def _covers(self, change: Change) -> bool:
        if change in self.changes:
            return True
        # A move whose number, or agent, has lost the old link in the meantime takes nothing from anybody any more.
        return change.action == "link" and any(
            approved.link == change.link for approved in self.changes if approved.action == "move"
        )

    def _what_is_new(self, change: Change, plan: Plan) -> str:
        place = _place(change, plan)
        approved = next((other for other in self.changes if _place(other, plan) == place), None)
        then = f"approved was '{plan.line(approved)}'" if approved else "no change of it was needed then"
        if change.link.mode == INBOUND:
            return f"{agent_label(change.previous_agent_id)} has it now; {then}"
        return then


def parse_approved_plan(value: object) -> ApprovedPlan:
    """
    Read an approved plan.

    :param value: The result of a dry run: as it is, or as text in JSON or in the notation of Python.
    :raises InvalidArgumentError: If it is anything else.
    """
    plan = _from_text(value) if isinstance(value, str) else value
    changes = plan.get("changes") if isinstance(plan, Mapping) else None
    if not isinstance(changes, Sequence) or isinstance(changes, str):
        raise InvalidArgumentError(
            _ARGUMENT, "is not the result of a dry run, which has a list of `changes`."
        )
    return ApprovedPlan(frozenset(_change(position, item) for position, item in enumerate(changes, 1)))


def _from_text(text: str) -> object:
    text = text.removeprefix("\ufeff")  # a byte order mark, if somebody decoded the file without regard to it
    try:
        return json.loads(text, object_pairs_hook=_no_key_twice)
    except InvalidArgumentError:
        raise
    except json.JSONDecodeError as error:
        try:
            return parse_rendered(_ARGUMENT, text)
        except InvalidArgumentError:
            where = f"line {error.lineno}, column {error.colno}"
            raise InvalidArgumentError(_ARGUMENT, f"cannot be read: {where}: {error.msg}.") from None
    except (ValueError, RecursionError):
        return parse_rendered(_ARGUMENT, text)


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise InvalidArgumentError(_ARGUMENT, f"has the key {shown(name)} twice in one mapping.")
        found[name] = value
    return found


def _change(position: int, item: object) -> Change:
    values: list[Any] = [item.get(name) for name in _KEYS] if isinstance(item, Mapping) else []
    if (
        not all(isinstance(value, str) for value in values[:4])
        or not all(value is None or isinstance(value, str) for value in values[4:])
        or values[:1] not in ([action] for action in ACTIONS)
    ):
        raise InvalidArgumentError(
            _ARGUMENT, f"change {position} is not one of a dry run's result, which has {', '.join(_KEYS)}."
        )
    ids: list[Any] = [plain_id(value) if value else value for value in values]
    action, number_id, agent_id, mode, previous_agent_id, previous_number_id = ids
    link, ends = Link(number_id, agent_id, mode), None
    if action == "move" and mode == INBOUND and previous_agent_id:
        ends = Link(number_id, previous_agent_id, mode)
    elif action == "move" and previous_number_id:
        ends = Link(previous_number_id, agent_id, mode)
    return Change(action, link, ends)


def _is_dropped(approved: Change, plan: Plan, ends: Collection[Link | None]) -> bool:
    """
    Return whether an approved change is not true, and this plan would leave it so.

    :param ends: The links that end by the plan.
    """
    link = approved.link
    if approved.action == "unlink":
        return link not in ends and (not plan.prunes or link in plan.found)
    return link not in plan.wishes and link not in plan.found


def _all(lines: Sequence[str]) -> str:
    """Return the first lines as part of a sentence, and how many more there are."""
    rest = f" ... and {len(lines) - MOST_LISTED} more" if len(lines) > MOST_LISTED else ""
    return "".join(f" [{line}]" for line in lines[:MOST_LISTED]) + rest


def _place(change: Change, plan: Plan) -> Link:
    """Return what a change is about: a number's inbound agent, or an agent's outbound number."""
    link = change.link
    if link.mode == INBOUND:
        return link._replace(agent_id="")
    one = plan.rules is not None and plan.rules.one_outbound_number
    return link._replace(number_id="") if one else link
