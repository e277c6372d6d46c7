"""
What every task promises, whatever happens to it: each promise is a function that yields how an account breaks it.

A slot is one thing that has one value, such as a number's inbound agent: see :mod:`simulation.state`.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from simulation.histories import CLEAR, GARBAGE, PASSING, READ_FAULTS, REFUSED, TRIES, writes_in

from airflow_provider_phonelink.assets import agent_uri, number_uri
from airflow_provider_phonelink.exceptions import PhonelinkFailException, PhonelinkRetryableException

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from simulation.histories import Account, Try
    from simulation.state import Happened, Slot, State

#: Writes of one try at the most: a move with its being undone, twice each, for each change that was wished for.
MOST_WRITES = 16


def a_green_task_kept_its_promise(account: Account) -> Iterator[str]:
    """What was promised is so after the task's last write, unless somebody else undid it by then."""
    for try_ in _green(account):
        if account.operation.takes_over and any(number == try_.number for number, _ in account.acts):
            continue  # it looked at one link after the other, and somebody may have changed one that was done
        if _blinded(account, try_) or _in_the_dark(account, try_):
            continue
        if account.operation.reports and account.met & set(GARBAGE):
            continue  # whom the number was taken from, and has to get it back, only the journal knows
        if not any(
            account.operation.kept(state, account.ids, try_.inputs) for state in try_.states[try_.settled :]
        ):
            yield f"try {try_.number} is green, and the promise is not kept"


def _blinded(account: Account, try_: Try) -> bool:
    """Whether somebody acted in a try, and a later look of it, which might have shown that, failed."""
    return any(
        number == deviation.try_ == try_.number
        and deviation.request > request
        and deviation.what in READ_FAULTS
        and try_.requests[deviation.request - 1 : deviation.request] == [False]
        for number, request in account.acts
        for deviation in account.history.deviations
    )


def _in_the_dark(account: Account, try_: Try) -> bool:
    """Whether a try left what somebody did after an earlier one that may have written, and did not see to the end."""
    unsure = next(
        (one.number for one in account.tries if one.outcome == "died" or _is_unproved(one)), try_.number
    )
    acted = any(
        unsure <= number < try_.number or (number, request) == (try_.number, 0)
        for number, request in account.acts
    )
    return unsure < try_.number and acted and not writes_in(try_)


def _is_unproved(try_: Try) -> bool:
    return try_.outcome != "green" and bool(writes_in(try_))


def what_passes_by_itself_does_not_fail_a_task(account: Account) -> Iterator[str]:
    """A task that met nothing but passing faults is green in the end, unless there was one at each of its tries."""
    spoilt = {deviation.try_ for deviation in account.history.deviations}
    if account.met <= set(PASSING) and account.last.outcome != "green" and len(spoilt) < TRIES:
        yield f"the task is {account.last.outcome} in the end: {account.last.error}"


def nothing_else_is_touched(account: Account) -> Iterator[str]:
    """Only what the task's arguments name is changed."""
    touches = account.operation.touches(account.ids)
    for happened in account.happened:
        created = (
            happened.slot[0] in ("number", "inbound") and ("number", happened.slot[1]) not in account.first
        )
        if happened.by_task and happened.slot not in touches and not created:
            yield f"try {happened.try_} changed {happened.slot} from {happened.before} to {happened.after}"


def what_others_did_after_the_task_is_left(account: Account) -> Iterator[str]:
    """A later try does not undo what somebody else did after an earlier one had its way, or it was told of it first."""
    if account.operation.takes_over or account.met & set(GARBAGE):
        return
    for slot in {happened.slot for happened in account.happened if happened.by_task}:
        if slot[0] not in ("inbound", "attached", *(("outbound",) if _deletes(account) else ())):
            continue
        mine = last = None
        theirs: list[Happened] = []
        for happened in (one for one in account.happened if one.slot == slot):
            undone = theirs if happened.by_task else []
            if undone and mine and last and not _excused(account, mine, last, undone, happened):
                yield f"try {happened.try_} undid what somebody else did to {slot}: {theirs[-1].after}"
            if happened.by_task:
                last = happened
                # What it gave back, it did not have its way with.
                given_back = (mine is not None and happened.after == mine.before) or (
                    _deletes(account) and happened.after == account.first.get(slot)
                )
                mine, theirs = None if given_back else mine or happened, []
            elif mine and happened.after == mine.before and _is_told(account, happened):
                mine, theirs = None, []  # the task knows, and has said, that it did not have its way
            elif mine:
                theirs.append(happened)


def _is_told(account: Account, theirs: Happened) -> bool:
    error = str(account.tries[theirs.try_ - 1].error)
    return theirs.slot[1] in error and str(theirs.after) in error


def _noticed(account: Account, theirs: list[Happened]) -> Happened:
    """Return what others did last, as far as it shows: to and fro between two looks is as if nothing had happened."""
    last = theirs[-1]
    for earlier, after in pairwise(theirs):
        if earlier.after == last.after and not _looked(account, after, last):
            return earlier
    return last


def _looked(account: Account, since: Happened, until: Happened) -> bool:
    """Whether the task saw a slot between two moments."""
    return any(
        since[1:3] <= (try_.number, number) < until[1:3]
        for try_ in account.tries
        for number in try_.answered
        if not try_.requests[number - 1] and _may_show(account, try_.paths[number - 1], since.slot)
    )


def _may_show(account: Account, path: str, slot: Slot) -> bool:
    """Whether an answer may tell of a slot: all do but those about another number."""
    if slot[0] not in ("number", "inbound", "attached"):
        return True
    others = {
        number for state in (account.first, account.end) for kind, number, *_ in state if kind == "number"
    }
    return not any(number in path for number in others - {slot[1]})


def _excused(account: Account, mine: Happened, last: Happened, others: list[Happened], now: Happened) -> bool:
    theirs = _noticed(account, others)
    if theirs.after == last.before and last.request not in account.tries[last.try_ - 1].answered:
        return True  # what was before a write whose answer was lost: it looks as if it had never been made
    if theirs.after in {None, mine.before, account.first.get(mine.slot)} | _unseen(account, mine):
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
    return _in_the_window(account, theirs, now)


def _unseen(account: Account, mine: Happened) -> set[Any]:
    """Return what the task's look showed before its write, where somebody changed that right before the write."""
    changes = [one for one in account.happened if one.slot == mine.slot and not one.by_task]
    return {one.before for one in changes if _in_the_window(account, one, mine)}


def _in_the_window(account: Account, theirs: Happened, now: Happened) -> bool:
    """Whether there was no look between what somebody did and the write: no client can close this window."""
    try_ = account.tries[now.try_ - 1]
    return theirs.try_ == now.try_ and not any(
        not write and _may_show(account, path, now.slot)
        for write, path in [*zip(try_.requests, try_.paths, strict=True)][
            max(theirs.request - 1, 0) : now.request
        ]
    )


def nothing_is_given_back_that_somebody_else_has(account: Account) -> Iterator[str]:
    """A reconciliation takes a number for a route from anybody, but none to give it back to the agent before."""
    if not account.operation.takes_over:
        return
    theirs: dict[Slot, Happened] = {}
    for happened in account.happened:
        slot = happened.slot
        if slot[0] != "inbound":
            continue
        if not happened.by_task:
            theirs[slot] = happened
            continue
        taken = theirs.pop(slot, None)
        if (
            taken is None
            or None in (taken.after, happened.after)
            or happened.after != account.first.get(slot)
        ):
            continue
        if not _in_the_window(account, taken, happened):
            yield f"try {happened.try_} took {slot[1]} from {taken.after} to give it back to {happened.after}"


def nobody_is_left_without(account: Account) -> Iterator[str]:
    """A number that lost its agent through the task has one again, or the task is not green and names it."""
    if _cannot_speak(account):
        return
    for slot, changes in _by_the_task(account).items():
        if slot[0] != "inbound" or account.end.get(slot) is not None or changes[0].before is None:
            continue
        if _others(account, slot) or _wished_away(account, slot):
            continue
        if account.last.outcome == "green" or not _named_in(str(account.last.error), slot[1]):
            yield f"nobody has {slot[1]}, which {changes[0].before} had, and the task is {account.last.outcome}"


def who_lost_a_number_that_stays_is_told(account: Account) -> Iterator[str]:
    """An agent whose number was taken to be deleted, and is still there, has it again, or the red task names both."""
    if not _deletes(account) or _cannot_speak(account) or account.met & set(GARBAGE):
        return
    if ("number", account.ids["n"]) not in account.end:
        return
    for slot, changes in _by_the_task(account).items():
        before, error = changes[0].before, str(account.last.error)
        if (
            slot[0] == "number"
            or before is None
            or account.end.get(slot) is not None
            or _others(account, slot)
        ):
            continue
        agent = slot[1] if slot[0] == "outbound" else before
        if account.last.outcome == "green" or agent not in error or account.ids["n"] not in error:
            yield f"{slot} was {before}, and the task is {account.last.outcome}: {error}"


def what_agents_used_is_not_deleted_unless_asked(account: Account) -> Iterator[str]:
    """A try that is to leave a number that agents use does not delete it because an earlier one has unlinked it."""
    if account.met & set(GARBAGE):
        return
    for deleted in account.happened:
        if not deleted.by_task or deleted.slot[0] != "number" or deleted.after is not None:
            continue
        used = [slot for slot in _by_the_task(account) if slot[0] != "number" and not _others(account, slot)]
        if used and "leave it" in account.tries[deleted.try_ - 1].inputs:
            yield f"try {deleted.try_} deleted {deleted.slot[1]}, though earlier ones took {used} away"


def _cannot_speak(account: Account) -> bool:
    """Whether the last try could not name anything: it died itself, or what it knew was spoilt, as a try has said."""
    if account.last.outcome == "died":
        return True
    return bool(account.met & set(GARBAGE)) and (
        account.last.outcome != "green"
        or any("may be with nobody" in text for try_ in account.tries for text in try_.warnings)
    )


def _deletes(account: Account) -> bool:
    return account.operation.name.startswith("delete")


def _wished_away(account: Account, slot: Slot) -> bool:
    """Whether the task's arguments want the number to be without an agent."""
    name = next((name for name, number in account.ids.items() if number == slot[1]), "")
    wished = {"reconcile": ["n4"], "reconcile to new credentials": ["old"]}
    if account.operation.name.startswith(("unlink", "detach", "delete")):
        return True
    if name == "old" and account.end.get(("inbound", account.ids["new"])) is None:
        return False
    return name in wished.get(account.operation.name, [])


def _named_in(text: str, number_id: str) -> bool:
    return bool(re.search(rf"(?<![\w-]){re.escape(number_id)}(?![\w-])", text))


def who_has_a_route_keeps_a_number(account: Account) -> Iterator[str]:
    """An agent with a route does not lose its last number before it got the one that the route gives it."""
    for agent in account.operation.served:
        for happened in account.happened:
            if not happened.by_task or happened.slot[0] != "inbound" or happened.before != agent:
                continue
            if "route gone" in account.tries[happened.try_ - 1].inputs:
                continue
            if _others(account, happened.slot) or _others_took_from(account, agent):
                continue
            if not _held(account, agent, happened):
                yield f"try {happened.try_} took the last number of {agent}"


def _held(account: Account, agent: str, at: Happened) -> bool:
    """Whether the agent has a number right after something happened."""
    state = _state_after(account, at)
    return any(slot[0] == "inbound" and value == agent for slot, value in state.items())


def _state_after(account: Account, at: Happened) -> State:
    state = dict(account.first)
    for happened in account.happened:
        state[happened.slot] = happened.after
        if happened is at:
            break
    return state


def _others_took_from(account: Account, agent: str) -> bool:
    return any(not one.by_task and one.before == agent for one in account.happened)


def a_task_that_says_so_can_be_run_again(account: Account) -> Iterator[str]:
    """
    A task that failed and said that another run of it helps is green if it is cleared, and meets nothing.

    It cannot be where an agent is archived: by then, or as it said, with another run only giving back what it took. And
    it may say so once more of another number.
    """
    begin = account.rounds[-1]
    met = {deviation.what for deviation in account.history.deviations if deviation.try_ >= begin}
    if account.last.outcome == "green" or begin == 1 or met != {CLEAR}:
        return
    said, says = str(account.tries[begin - 2].error).lower(), str(account.last.error).lower()
    if "is archived" in says and ("is archived" not in said or "has been given back" in says):
        return
    if _of_another(account, said, says):
        return
    # With if_linked="fail", a free number may not be taken from anybody.
    if account.operation.name != "link a free number" and (
        "run the task again" in said or "clear the task" in said
    ):
        yield f"it was cleared after {said}, and ends with {says}"


def _of_another(account: Account, said: str, says: str) -> bool:
    """Whether what is wrong now is of another number: one that somebody changed, as the error before did not say."""
    numbers = {slot[1] for slot in account.end if slot[0] == "number"}
    changed = {part for one in account.happened if not one.by_task for part in (one.slot[1], one.before)}
    named, before = ({number for number in numbers if number in text} for text in (says, said))
    return "somebody else" in says and bool(named & changed) and not named & before


def primary_numbers_are_kept(account: Account) -> Iterator[str]:
    """Once the task is green, an agent that had a primary number has one; the same, if it has that number still."""
    if account.last.outcome != "green" or account.operation.vendor != "callingbox" or account.acts:
        return
    if account.met & set(GARBAGE) or account.operation.name == "set primary":
        return
    for slot, before in account.first.items():
        if slot[0] != "primary" or before is None:
            continue
        held = [one[1] for one, value in account.end.items() if one[0] == "inbound" and value == slot[1]]
        now = account.end.get(slot)
        if held and (now not in held or (before in held and now != before)):
            yield f"{slot[1]} has the primary number {now}, of {held}; before, it was {before}"


def primary_numbers_that_others_set_are_left(account: Account) -> Iterator[str]:
    """A number that somebody else made primary stays so, as long as its agent has it."""
    if account.operation.name.startswith("rotate") or account.operation.name == "set primary":
        return
    theirs: dict[Slot, Happened] = {}
    for happened in account.happened:
        if happened.slot[0] != "primary":
            continue
        if not happened.by_task:
            theirs[happened.slot] = happened
            continue
        before = theirs.pop(happened.slot, None)
        # An agent without a primary number gets one with the next number that it gets: nobody chose that.
        if (
            before is None
            or None in (before.before, before.after)
            or _in_the_window(account, before, happened)
        ):
            continue
        agent, state = happened.slot[1], _state_after(account, happened)
        if state.get(("inbound", before.after)) == agent or state.get(("attached", before.after, agent)):
            yield f"try {happened.try_} replaced {before.after}, which somebody else made primary for {agent}"


def every_change_is_told(account: Account) -> Iterator[str]:
    """Once the task is green, all are told that lost or gained something through any of its tries."""
    if account.last.outcome != "green" or account.met & set(GARBAGE):
        return
    told = {uri for try_ in _green(account) for uri in try_.told}
    for slot, changes in _by_the_task(account).items():
        if _others(account, slot):
            continue
        end = account.end.get(slot)
        concerned = {changes[0].before, end} if end != changes[0].before else set()
        # Nobody can tell of a number before that nobody saw, or may read.
        if account.operation.blind or (slot[0] == "outbound" and REFUSED in account.met):
            concerned &= {end}
        for value in concerned - {None}:
            for uri in _uris(account, slot, value):
                if uri not in told:
                    yield f"{uri} is not told, though {slot} went from {changes[0].before} to {end}"


def nothing_is_told_that_was_not_done(account: Account) -> Iterator[str]:
    """Each asset that is told of changed, and what is told of it is so."""
    if account.met & set(GARBAGE):
        return
    changed = {
        uri
        for one in account.happened
        for value in (one.before, one.after)
        if value is not None
        for uri in _uris(account, one.slot, value)
    }
    for try_ in _green(account):
        for uri, extra in try_.told.items():
            if uri not in changed:
                yield f"{uri} is told, and nothing changed: {extra}"
            elif extra["changes"] == 1:
                yield from _untrue(account, try_, extra)


def _untrue(account: Account, try_: Try, extra: dict[str, Any]) -> Iterator[str]:
    number, agent = extra["number_id"], extra["agent_id"]
    if extra["mode"] == "inbound":
        seen = _seen(try_, ("inbound", number))
        # Who else got a number right before it was detached is not looked for.
        unseen = account.operation.name == "detach" and any(one[0] == try_.number for one in account.acts)
        if agent not in seen and not unseen:
            yield f"{number} is told to be with {agent}, and was with {seen}"
        lost = {one.before for one in account.happened if one.slot == ("inbound", number)}
        previous = extra["previous_agent_id"]
        if previous is not None and (previous == agent or previous not in lost):
            yield f"{number} is told to have been with {previous} before, and lost nobody but {lost}"
    elif account.operation.vendor == "dasha" and agent is None:
        previous = extra["previous_agent_id"]
        if _seen(try_, ("outbound", previous)) == {number}:
            yield f"{previous} is told to have lost {number}, and calls out with it"
    elif account.operation.vendor == "dasha":
        seen = _seen(try_, ("outbound", agent))
        if number not in seen:
            yield f"{agent} is told to call out with {number}, and had {seen}"


def _seen(try_: Try, slot: Slot) -> set[Any]:
    """Return what a slot was after the try's last write to it."""
    return {state.get(slot) for state in try_.states[try_.settled_slots.get(slot, 0) :]}


def what_is_returned_is_so(account: Account) -> Iterator[str]:
    """``changed`` says whether any of the tries did it, and ``previous_agent_id`` who had the number before that."""
    if (
        account.operation.name in ("create", "set primary")
        or account.met & set(GARBAGE)
        or len(account.rounds) > 1
    ):
        return
    if account.operation.operator.__name__.endswith("ReconcileLinksOperator") or account.acts:
        return
    rotates = account.operation.name.startswith("rotate")
    done = [changes for slot, changes in _by_the_task(account).items() if rotates or slot[0] != "primary"]
    for try_ in _green(account):
        if (
            "rows" in try_.result
        ):  # of many numbers it says how each is, and a green task has kept its promise
            if any(row["reason"] for row in try_.result["rows"]) and not account.operation.reports:
                yield f"a number of a green task has a reason: {try_.result['rows']}"
            continue
        if "another number" in try_.inputs:
            continue  # it returns what became of that one
        if try_.result["changed"] != bool(done):
            yield f"changed is {try_.result['changed']}, and what was done is {done}"
        inbound = [changes for changes in done if changes[0].slot[0] == "inbound"]
        if inbound and try_.result["previous_agent_id"] != inbound[0][0].before:
            yield f"the agent before was {inbound[0][0].before}, not {try_.result['previous_agent_id']}"


def a_run_keeps_its_number(account: Account) -> Iterator[str]:
    """All successful tries of one run give the agent the same number, as long as it is in the pool and can be read."""
    spoilt = {"pool smaller", REFUSED, *GARBAGE}
    if not account.operation.name.startswith("rotate") or account.met & spoilt:
        return
    chosen = {try_.result["current"]["id"] for try_ in _green(account)}
    if len(chosen) > 1:
        yield f"the run chose {chosen}"


def a_number_is_made_once(account: Account) -> Iterator[str]:
    """However often a create is tried, it makes at most one number."""
    made = [one for one in account.happened if one.by_task and one.slot[0] == "number" and one.before is None]
    gone = [one for one in account.happened if one.slot[0] == "number" and one.after is None]
    if len(made) > 1 + len(gone):
        yield f"{len(made)} numbers were made"


def writes_are_few(account: Account) -> Iterator[str]:
    """A try does not write without end."""
    for try_ in account.tries:
        if writes_in(try_) > MOST_WRITES:
            yield f"try {try_.number} wrote {writes_in(try_)} times"


def errors_are_ours(account: Account) -> Iterator[str]:
    """Whatever is wrong, the task ends with one of the two exceptions that say whether a retry helps."""
    for try_ in account.tries:
        if not isinstance(try_.error, (PhonelinkFailException, PhonelinkRetryableException, type(None))):
            yield f"try {try_.number} ended with {type(try_.error).__name__}: {try_.error}"


PROMISES: tuple[Callable[[Account], Iterator[str]], ...] = (
    a_green_task_kept_its_promise,
    what_passes_by_itself_does_not_fail_a_task,
    nothing_else_is_touched,
    what_others_did_after_the_task_is_left,
    nothing_is_given_back_that_somebody_else_has,
    nobody_is_left_without,
    who_lost_a_number_that_stays_is_told,
    what_agents_used_is_not_deleted_unless_asked,
    who_has_a_route_keeps_a_number,
    a_task_that_says_so_can_be_run_again,
    primary_numbers_are_kept,
    primary_numbers_that_others_set_are_left,
    every_change_is_told,
    nothing_is_told_that_was_not_done,
    what_is_returned_is_so,
    a_run_keeps_its_number,
    a_number_is_made_once,
    writes_are_few,
    errors_are_ours,
)


def broken(account: Account) -> list[str]:
    """Return each promise that does not hold, with what is wrong."""
    return [f"{promise.__name__}: {problem}" for promise in PROMISES for problem in promise(account)]


def _green(account: Account) -> list[Try]:
    return [try_ for try_ in account.tries if try_.outcome == "green"]


def _by_the_task(account: Account) -> dict[Slot, list[Happened]]:
    found: dict[Slot, list[Happened]] = {}
    for happened in account.happened:
        if happened.by_task:
            found.setdefault(happened.slot, []).append(happened)
    return found


def _others(account: Account, slot: Slot) -> bool:
    return any(not one.by_task and one.slot == slot for one in account.happened)


def _uris(account: Account, slot: Slot, value: Any) -> list[str]:
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
