"""
What an account shows: who did what, what the task could see of it, and what excuses it.

The promises in :mod:`simulation.promises` are judged by this.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from simulation.histories import GARBAGE, READ_FAULTS, writes_in

from airflow_provider_phonelink.assets import agent_uri, number_uri

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulation.histories import Account, Try
    from simulation.state import Happened, Slot, State


def blinded(account: Account, try_: Try) -> bool:
    """Whether somebody acted in a try, and a later look of it, which might have shown that, failed."""
    return any(
        number == deviation.try_ == try_.number
        and deviation.request > request
        and deviation.what in READ_FAULTS
        and try_.requests[deviation.request - 1 : deviation.request] == [False]
        for number, request in account.acts
        for deviation in account.history.deviations
    )


def in_the_dark(account: Account, try_: Try) -> bool:
    """Whether a try left what somebody did after an earlier one that may have written, and did not see to the end."""
    unsure = next(
        (one.number for one in account.tries if one.outcome == "died" or is_unproved(one)), try_.number
    )
    acted = any(
        unsure <= number < try_.number or (number, request) == (try_.number, 0)
        for number, request in account.acts
    )
    return unsure < try_.number and acted and not writes_in(try_)


def is_unproved(try_: Try) -> bool:
    return try_.outcome != "green" and bool(writes_in(try_))


def is_told(account: Account, happened: Happened) -> bool:
    """Whether the error of its try names what happened: the number, and who has it since."""
    error = str(account.tries[happened.try_ - 1].error)
    return happened.slot[1] in error and str(happened.after) in error


def noticed(account: Account, theirs: list[Happened]) -> Happened:
    """Return what others did last, as far as it shows: to and fro between two looks is as if nothing had happened."""
    last = theirs[-1]
    for earlier, after in pairwise(theirs):
        agents = {earlier.after, after.after}
        if earlier.after == last.after and not looked(account, after, last, agents):
            return earlier
    return last


def looked(account: Account, since: Happened, until: Happened, agents: set[Any]) -> bool:
    """Whether the task saw between two moments which of some agents has a slot."""
    return any(
        since[1:3] <= (try_.number, number) < until[1:3]
        for try_ in account.tries
        for number in try_.answered
        if not try_.requests[number - 1]
        and may_show(account, try_.paths[number - 1], since.slot)
        and (since.slot[0] != "inbound" or try_.paths[number - 1].partition("/agents/")[2] in {"", *agents})
    )


def may_show(account: Account, path: str, slot: Slot) -> bool:
    """Whether an answer may tell of a slot: all do but those about another number."""
    if slot[0] not in ("number", "inbound", "attached"):
        return True
    others = {
        number for state in (account.first, account.end) for kind, number, *_ in state if kind == "number"
    }
    return not any(number in path for number in others - {slot[1]})


def excused(account: Account, mine: Happened, last: Happened, others: list[Happened], now: Happened) -> bool:
    theirs = noticed(account, others)
    if theirs.after == last.before and last.request not in account.tries[last.try_ - 1].answered:
        return True  # what was before a write whose answer was lost: it looks as if it had never been made
    if theirs.after in {None, mine.before, account.first.get(mine.slot)} | unseen(account, mine):
        return True  # cannot be told from a write that did not take effect
    if theirs.after == mine.after:
        return True  # nor from what the task itself did
    if any(account.tries[number - 1].outcome == "green" for number in range(mine.try_, now.try_)):
        return True  # the task was done, so it was asked anew
    if any(str(theirs.after) in str(try_.error) for try_ in account.tries[theirs.try_ - 1 : now.try_ - 1]):
        return True
    if account.operation.name == "unlink an agent" and "another agent" in account.tries[now.try_ - 1].inputs:
        return True  # it is that link which the task is asked to remove by now
    told = [str(try_.error) for try_ in account.tries[mine.try_ - 1 : now.try_ - 1]]
    if any("somebody else" in error and mine.slot[1] in error for error in told):
        return True  # and has been run again since, to take it over
    return in_the_window(account, theirs, now)


def unseen(account: Account, mine: Happened) -> set[Any]:
    """Return what the task's look showed before its write, where somebody changed that right before the write."""
    changes = [one for one in account.happened if one.slot == mine.slot and not one.by_task]
    return {one.before for one in changes if in_the_window(account, one, mine)}


def in_the_window(account: Account, theirs: Happened, now: Happened) -> bool:
    """Whether there was no look between what somebody did and the write: no client can close this window."""
    try_ = account.tries[now.try_ - 1]
    return theirs.try_ == now.try_ and not any(
        not write and may_show(account, path, now.slot)
        for write, path in [*zip(try_.requests, try_.paths, strict=True)][
            max(theirs.request - 1, 0) : now.request
        ]
    )


def cannot_speak(account: Account) -> bool:
    """Whether the last try could not name anything: it died itself, or what it knew was spoilt, as a try has said."""
    if account.last.outcome == "died":
        return True
    return bool(account.met & set(GARBAGE)) and (
        account.last.outcome != "green"
        or any("may be with nobody" in text for try_ in account.tries for text in try_.warnings)
    )


def deletes(account: Account) -> bool:
    return account.operation.name.startswith("delete")


def left_without(account: Account) -> Iterator[tuple[str, str]]:
    """Yield each number that nobody has in the end through the task alone, and the agent that had it before."""
    for slot, changes in by_the_task(account).items():
        if slot[0] != "inbound" or account.end.get(slot) is not None or changes[0].before is None:
            continue
        if not others(account, slot) and not wished_away(account, slot):
            yield slot[1], changes[0].before


def wished_away(account: Account, slot: Slot) -> bool:
    """Whether the task's arguments want the number to be without an agent."""
    name = next((name for name, number in account.ids.items() if number == slot[1]), "")
    wished = {"reconcile": ["n4"], "reconcile to new credentials": ["old"]}
    if account.operation.name.startswith(("unlink", "detach", "delete")):
        return True
    if name == "old" and account.end.get(("inbound", account.ids["new"])) is None:
        return False
    return name in wished.get(account.operation.name, [])


def named_in(text: str, number_id: str) -> bool:
    return bool(re.search(rf"(?<![\w-]){re.escape(number_id)}(?![\w-])", text))


def held(account: Account, agent: str, at: Happened) -> bool:
    """Whether the agent has a number right after something happened."""
    state = state_after(account, at)
    return any(slot[0] == "inbound" and value == agent for slot, value in state.items())


def state_after(account: Account, at: Happened) -> State:
    state = dict(account.first)
    for happened in account.happened:
        state[happened.slot] = happened.after
        if happened is at:
            break
    return state


def others_took_from(account: Account, agent: str) -> bool:
    return any(not one.by_task and one.before == agent for one in account.happened)


def of_another(account: Account, said: str, says: str) -> bool:
    """Whether what is wrong now is of another number: one that somebody changed, as the error before did not say."""
    numbers = {slot[1] for slot in account.end if slot[0] == "number"}
    changed = {part for one in account.happened if not one.by_task for part in (one.slot[1], one.before)}
    named, before = ({number for number in numbers if number in text} for text in (says, said))
    return "somebody else" in says and bool(named & changed) and not named & before


def seen(try_: Try, slot: Slot) -> set[Any]:
    """Return what a slot was after the try's last write to it."""
    return {state.get(slot) for state in try_.states[try_.settled_slots.get(slot, 0) :]}


def green(account: Account) -> list[Try]:
    return [try_ for try_ in account.tries if try_.outcome == "green"]


def by_the_task(account: Account) -> dict[Slot, list[Happened]]:
    found: dict[Slot, list[Happened]] = {}
    for happened in account.happened:
        if happened.by_task:
            found.setdefault(happened.slot, []).append(happened)
    return found


def others(account: Account, slot: Slot) -> bool:
    return any(not one.by_task and one.slot == slot for one in account.happened)


def uris(account: Account, slot: Slot, value: Any) -> list[str]:
    """Return the assets that a slot's having or losing a value concerns."""
    vendor = account.operation.vendor
    match slot:
        case ("inbound", number):
            return [number_uri(number, vendor), agent_uri(value, "inbound", vendor)]
        case ("outbound", agent):
            return [agent_uri(agent, "outbound", vendor), number_uri(value, vendor)]
        case ("primary", agent) if account.operation.name.startswith("rotate"):
            return [agent_uri(agent, "outbound", vendor), number_uri(value, vendor)]
        case ("attached", number, agent):
            return [number_uri(number, vendor), agent_uri(agent, "outbound", vendor)]
    return []
