"""
What every task promises, whatever happens to it: each promise is a function that yields how an account breaks it.

A slot is one thing that has one value, such as a number's inbound agent: see :mod:`simulation.state`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulation import evidence
from simulation.histories import CLEAR, GARBAGE, PASSING, REFUSED, TRIES, writes_in

from airflow_provider_phonelink.exceptions import PhonelinkFailException, PhonelinkRetryableException

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from simulation.histories import Account, Try
    from simulation.state import Happened, Slot

#: Writes of one try at the most: a move with its being undone, twice each, for each change that was wished for.
MOST_WRITES = 16


def a_green_task_kept_its_promise(account: Account) -> Iterator[str]:
    """What was promised is so after the task's last write, unless somebody else undid it by then."""
    for try_ in evidence.green(account):
        if account.operation.takes_over and any(number == try_.number for number, _ in account.acts):
            continue  # it looked at one link after the other, and somebody may have changed one that was done
        if evidence.blinded(account, try_) or evidence.in_the_dark(account, try_):
            continue
        if account.operation.reports and account.met & set(GARBAGE):
            continue  # whom the number was taken from, and has to get it back, only the journal knows
        if not any(
            account.operation.kept(state, account.ids, try_.inputs) for state in try_.states[try_.settled :]
        ):
            yield f"try {try_.number} is green, and the promise is not kept"


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
        if slot[0] not in account.operation.leaves:
            continue
        mine = last = None
        theirs: list[Happened] = []
        for happened in (one for one in account.happened if one.slot == slot):
            undone = theirs if happened.by_task else []
            if undone and mine and last and not evidence.excused(account, mine, last, undone, happened):
                yield f"try {happened.try_} undid what somebody else did to {slot}: {theirs[-1].after}"
            if happened.by_task:
                last = happened
                # What it gave back, it did not have its way with.
                given_back = (mine is not None and happened.after == mine.before) or (
                    happened.after == account.first.get(slot)
                    and (evidence.deletes(account) or evidence.is_told(account, happened))
                )
                mine, theirs = None if given_back else mine or happened, []
            elif mine and happened.after == mine.before and evidence.is_told(account, happened):
                mine, theirs = None, []  # the task knows, and has said, that it did not have its way
            elif mine:
                theirs.append(happened)


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
        if not evidence.in_the_window(account, taken, happened):
            yield f"try {happened.try_} took {slot[1]} from {taken.after} to give it back to {happened.after}"


def nobody_is_left_without(account: Account) -> Iterator[str]:
    """A number that lost its agent through the task has one again, or the task is not green and names it."""
    if evidence.cannot_speak(account):
        return
    for number, before in evidence.left_without(account):
        if account.last.outcome == "green" or not evidence.named_in(str(account.last.error), number):
            yield f"nobody has {number}, which {before} had, and the task is {account.last.outcome}"


def who_lost_a_number_that_stays_is_told(account: Account) -> Iterator[str]:
    """An agent whose number was taken to be deleted, and is still there, has it again, or the red task names both."""
    if not evidence.deletes(account) or evidence.cannot_speak(account) or account.met & set(GARBAGE):
        return
    if ("number", account.ids["n"]) not in account.end:
        return
    for slot, changes in evidence.by_the_task(account).items():
        before, error = changes[0].before, str(account.last.error)
        if (
            slot[0] == "number"
            or before is None
            or account.end.get(slot) is not None
            or evidence.others(account, slot)
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
        used = [
            slot
            for slot in evidence.by_the_task(account)
            if slot[0] != "number" and not evidence.others(account, slot)
        ]
        if used and "leave it" in account.tries[deleted.try_ - 1].inputs:
            yield f"try {deleted.try_} deleted {deleted.slot[1]}, though earlier ones took {used} away"


def who_has_a_route_keeps_a_number(account: Account) -> Iterator[str]:
    """An agent with a route does not lose its last number before it got the one that the route gives it."""
    for agent in account.operation.served:
        for happened in account.happened:
            if not happened.by_task or happened.slot[0] != "inbound" or happened.before != agent:
                continue
            if "route gone" in account.tries[happened.try_ - 1].inputs:
                continue
            if evidence.others(account, happened.slot) or evidence.others_took_from(account, agent):
                continue
            if not evidence.held(account, agent, happened):
                yield f"try {happened.try_} took the last number of {agent}"


def a_task_that_says_so_can_be_run_again(account: Account) -> Iterator[str]:
    """
    A task that failed and said that another run of it helps is green if it is cleared, and meets nothing.

    It cannot be where an agent is archived: by then, or as it said, with another run only seeing to it that nobody is
    left without through it. And it may say so once more of another number.
    """
    begin = account.rounds[-1]
    met = {deviation.what for deviation in account.history.deviations if deviation.try_ >= begin}
    if account.last.outcome == "green" or begin == 1 or met != {CLEAR}:
        return
    said, says = str(account.tries[begin - 2].error).lower(), str(account.last.error).lower()
    if "is archived" in says and ("is archived" not in said or not [*evidence.left_without(account)]):
        return
    if evidence.of_another(account, said, says):
        return
    if account.operation.name == "link a free number" and "(if_linked='replace')" in said:
        return  # as it is, the task takes a number from nobody, and it has said what does
    if "run the task again" in said or "clear the task" in said:
        yield f"it was cleared after {said}, and ends with {says}"


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
            or evidence.in_the_window(account, before, happened)
        ):
            continue
        agent, state = happened.slot[1], evidence.state_after(account, happened)
        if state.get(("inbound", before.after)) == agent or state.get(("attached", before.after, agent)):
            yield f"try {happened.try_} replaced {before.after}, which somebody else made primary for {agent}"


def every_change_is_told(account: Account) -> Iterator[str]:
    """Once the task is green, all are told that lost or gained something through any of its tries."""
    if account.last.outcome != "green" or account.met & set(GARBAGE):
        return
    told = {uri for try_ in evidence.green(account) for uri in try_.told}
    for slot, changes in evidence.by_the_task(account).items():
        if evidence.others(account, slot):
            continue
        end = account.end.get(slot)
        concerned = {changes[0].before, end} if end != changes[0].before else set()
        # Nobody can tell of a number before that nobody saw, or may read.
        if account.operation.blind or (slot[0] == "outbound" and REFUSED in account.met):
            concerned &= {end}
        for value in concerned - {None}:
            for uri in evidence.uris(account, slot, value):
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
        for uri in evidence.uris(account, one.slot, value)
    }
    for try_ in evidence.green(account):
        for uri, extra in try_.told.items():
            if uri not in changed:
                yield f"{uri} is told, and nothing changed: {extra}"
            elif extra["changes"] == 1:
                yield from _untrue(account, try_, extra)


def _untrue(account: Account, try_: Try, extra: dict[str, Any]) -> Iterator[str]:
    number, agent = extra["number_id"], extra["agent_id"]
    if extra["mode"] == "inbound":
        seen = evidence.seen(try_, ("inbound", number))
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
        if evidence.seen(try_, ("outbound", previous)) == {number}:
            yield f"{previous} is told to have lost {number}, and calls out with it"
    elif account.operation.vendor == "dasha":
        seen = evidence.seen(try_, ("outbound", agent))
        if number not in seen:
            yield f"{agent} is told to call out with {number}, and had {seen}"


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
    done = [
        changes for slot, changes in evidence.by_the_task(account).items() if rotates or slot[0] != "primary"
    ]
    for try_ in evidence.green(account):
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
    chosen = {try_.result["current"]["id"] for try_ in evidence.green(account)}
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
