"""
Flows that find out which agents call out with which numbers, with as few requests as possible.

A number does not show its outbound links. They are read for one number at a time, or for all numbers of one SIP
credential at once; the vendor documents no other way.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from airflow_provider_phonelink.api.calls import Parallel
from airflow_provider_phonelink.api.dasha import endpoints, reads
from airflow_provider_phonelink.api.errors import (
    AccessDeniedError,
    AuthenticationError,
    NotFoundError,
    RejectedError,
    UnreadableAnswerError,
    VendorError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow_provider_phonelink.api.calls import Flow
    from airflow_provider_phonelink.api.dasha.models import AffectedAgents, CredentialsUsers

T = TypeVar("T")
#: What a read by credentials answers where it is not to be had: 403, 404, 405, or something else altogether.
_REFUSALS = (AccessDeniedError, NotFoundError, RejectedError, UnreadableAnswerError)

#: After so many refusals, of which each may be about one credential alone, reads by credentials are not to be had.
MOST_REFUSED = 2


@dataclass(frozen=True)
class UsersReading:
    """Which agents use some numbers, as far as that could be read."""

    #: By the number's id: first those that were asked for, in their order, without those that are gone; then whatever
    #: else was seen on the way.
    users: dict[str, AffectedAgents]
    #: Why the users of a number that was asked for could not be read, by its id. These ids are not in ``users``.
    errors: dict[str, VendorError]


def users_of(credentials: Mapping[str, str | None]) -> Flow[dict[str, AffectedAgents]]:
    """
    Read which agents use some numbers, all of them.

    :param credentials: As for :func:`read_users`.
    :return: As :attr:`UsersReading.users`.
    :raises VendorError: If the users of any of them cannot be read.
    """
    reading = yield from read_users(credentials)
    for error in reading.errors.values():
        raise error
    return reading.users


def read_users(credentials: Mapping[str, str | None]) -> Flow[UsersReading]:
    """
    Read which agents use some numbers. If that fails for some of them, the others are still read.

    Several numbers of one credential are read together. What such a read does not show, and all numbers where it is
    refused, are read singly. Where it fails otherwise, that is the error of each of these numbers.

    :param credentials: The ids of the numbers, in lower case, each with the id of its SIP credentials, if known.
    :raises AuthenticationError: If the key is refused.
    """
    seen, failed = yield from _read_by_credentials(credentials)
    errors = {
        number_id: failed[credentials_id]
        for number_id, credentials_id in credentials.items()
        if credentials_id in failed and number_id not in seen
    }
    missing = [number_id for number_id in credentials if number_id not in seen and number_id not in errors]
    singly = yield from _read_singly(missing)
    seen.update(singly.users)
    errors.update(singly.errors)
    asked = {number_id: seen[number_id] for number_id in credentials if number_id in seen}
    return UsersReading({**asked, **seen}, errors)


def users_until(
    agent_id: str, credentials: Mapping[str, str | None], expected: str | None = None
) -> Flow[UsersReading]:
    """
    Read which agents use some numbers, until it is seen with which of them one agent calls out.

    An agent has one outbound number, so that what was not read by then needs no look.

    :param credentials: As for :func:`read_users`.
    :param expected: The number that the agent had last, as far as the caller knows: its credentials are read first.
    :return: What was seen. Its errors are those of numbers whose users this key may not read.
    :raises VendorError: If the users of a number cannot be read for another reason.
    """
    seen: dict[str, AffectedAgents] = {}
    denied: dict[str, VendorError] = {}
    refused = 0
    for credentials_id, number_ids in _groups(credentials, expected):
        if credentials_id is not None and len(number_ids) > 1 and refused < MOST_REFUSED:
            answer = yield from _users_by_one(credentials_id)
            refused += answer is None
            seen.update({users.id: users for users in (answer.phone_numbers if answer else ())})
        missing = [number_id for number_id in number_ids if number_id not in seen]
        first = [number_id for number_id in missing if number_id == expected]
        for singly in (first, [number_id for number_id in missing if number_id not in first]):
            if singly and not _is_seen(agent_id, seen):
                reading = yield from _read_singly(singly)
                for error in reading.errors.values():
                    if not isinstance(error, AccessDeniedError):
                        raise error
                seen.update(reading.users)
                denied.update(reading.errors)
        if _is_seen(agent_id, seen):
            break
    return UsersReading(seen, denied)


def _groups(
    credentials: Mapping[str, str | None], expected: str | None
) -> list[tuple[str | None, list[str]]]:
    """Return numbers by their credentials: first the group with the expected one, then the largest."""
    groups: defaultdict[str | None, list[str]] = defaultdict(list)
    for number_id, credentials_id in credentials.items():
        groups[credentials_id].append(number_id)
    return sorted(
        groups.items(), key=lambda group: (expected not in group[1], group[0] is None, -len(group[1]))
    )


def _is_seen(agent_id: str, seen: Mapping[str, AffectedAgents]) -> bool:
    return any(agent_id in affected.outbound for affected in seen.values())


def outbound_links() -> Flow[dict[str, str]]:
    """
    Read with which number each agent of the organisation calls out.

    :return: Agent id to number id. An agent that calls out with none, or in a way that is unknown here, is missing.
    """
    numbers = yield from reads.all_numbers()
    users = yield from users_of({number.id: number.credentials_id for number in numbers})
    return callers_of(users)


def callers_of(users: Mapping[str, AffectedAgents]) -> dict[str, str]:
    """Return with which number each agent calls out, as far as the users of numbers, by number id, show it."""
    return {agent_id: number_id for number_id, affected in users.items() for agent_id in affected.outbound}


def _read_by_credentials(
    credentials: Mapping[str, str | None],
) -> Flow[tuple[dict[str, AffectedAgents], dict[str | None, VendorError]]]:
    """
    Read together what can be.

    :return: The users by number, also of numbers that were not asked for; and, by the id of the credentials, why a read
        failed that was not refused.
    """
    together: defaultdict[str, list[str]] = defaultdict(list)
    for number_id, credentials_id in credentials.items():
        if credentials_id is not None:
            together[credentials_id].append(number_id)
    # A single number costs one request either way, and its own read says more for certain. The largest group goes
    # first and alone: where all reads by credentials are refused, that is a request or two too many, not one for each.
    groups = sorted((len(ids), credentials_id) for credentials_id, ids in together.items() if len(ids) > 1)
    order = [credentials_id for _, credentials_id in reversed(groups)]
    answers: dict[str, CredentialsUsers | VendorError | None] = {}
    for tried, credentials_id in enumerate(order[:MOST_REFUSED], 1):
        answers |= yield from _users_by_credentials([credentials_id])
        if answers[credentials_id] is not None:
            answers |= yield from _users_by_credentials(order[tried:])
            break
    seen: dict[str, AffectedAgents] = {}
    failed: dict[str | None, VendorError] = {}
    for credentials_id, answer in answers.items():
        if isinstance(answer, VendorError):
            failed[credentials_id] = answer
        elif answer is not None:
            seen.update({users.id: users for users in answer.phone_numbers})
    return seen, failed


def _users_by_credentials(
    credentials_ids: Sequence[str],
) -> Flow[dict[str, CredentialsUsers | VendorError | None]]:
    answers: list[CredentialsUsers | VendorError | None] = yield Parallel(
        [_or_error(_users_by_one(id_)) for id_ in credentials_ids]
    )
    return dict(zip(credentials_ids, answers, strict=True))


def _or_error(read: Flow[T]) -> Flow[T | VendorError]:
    """Return what was read, or why it could not be."""
    try:
        return (yield from read)
    except AuthenticationError:  # the key is everybody's
        raise
    except VendorError as error:
        return error


def _users_by_one(credentials_id: str) -> Flow[CredentialsUsers | None]:
    try:
        answer: CredentialsUsers = yield endpoints.credentials_users(credentials_id)
    except _REFUSALS:
        return None
    return answer


def _read_singly(number_ids: Sequence[str]) -> Flow[UsersReading]:
    answers: list[AffectedAgents | VendorError | None] = yield Parallel(
        [_or_error(_users_of_one(number_id)) for number_id in number_ids]
    )
    found = UsersReading({}, {})
    for number_id, answer in zip(number_ids, answers, strict=True):
        if isinstance(answer, VendorError):
            found.errors[number_id] = answer
        elif answer is not None:
            found.users[number_id] = answer
    return found


def _users_of_one(number_id: str) -> Flow[AffectedAgents | None]:
    try:
        answer: AffectedAgents = yield endpoints.affected_agents(number_id)
    except NotFoundError:
        return None
    return answer
