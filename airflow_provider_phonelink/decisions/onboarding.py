"""Numbers that are to be onboarded: reading them from rows, and how many of them to create next."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.api import arguments
from airflow_provider_phonelink.api.e164 import e164
from airflow_provider_phonelink.api.errors import InvalidArgumentError
from airflow_provider_phonelink.api.labels import agent_label
from airflow_provider_phonelink.api.text import clean, listed, shown
from airflow_provider_phonelink.decisions.rows import NumberRow
from airflow_provider_phonelink.files.cells import truth_of
from airflow_provider_phonelink.files.columns import Columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from airflow_provider_phonelink.decisions.limits import MaxChanges
    from airflow_provider_phonelink.files.columns import Row, Rows

#: What a number may say of itself, beside its phone number. ``comment`` is for people.
COLUMNS = Columns(
    "number",
    required=(("phone_number",),),
    optional=(
        "credentials_id",
        "display_name",
        "description",
        "registration",
        "inbound_agent_id",
        "outbound_agent_id",
        "comment",
    ),
)
#: How many numbers are created before it is known whether any of them works, if there is a limit of failures.
FIRST_BATCH = 20


@dataclass(frozen=True)
class NumberWish:
    """A number that is to be there, with the links that it is to have."""

    phone_number: str
    credentials_id: str
    display_name: str | None = None
    description: str | None = None
    #: None: an existing number keeps its setting.
    registration: bool | None = None
    inbound_agent_id: str | None = None
    outbound_agent_id: str | None = None
    #: The place among the rows, and in the file if they come from one, for messages.
    place: str = "number 1"
    #: A sentence for each row that writes the phone number otherwise.
    notations: tuple[str, ...] = ()

    @property
    def pair(self) -> tuple[str, str]:
        """What is unique: the phone number and its credentials."""
        return self.phone_number, self.credentials_id

    @property
    def key(self) -> str:
        """The pair as one text."""
        return f"{self.credentials_id}/{self.phone_number}"

    @property
    def settings(self) -> dict[str, Any]:
        """The settings that are asked for; others are kept, or left to the vendor's defaults."""
        named = {
            "display_name": self.display_name,
            "description": self.description,
            "registration": self.registration,
        }
        return {name: value for name, value in named.items() if value is not None}

    @property
    def links(self) -> bool:
        """Whether it is to be linked to anybody."""
        return self.inbound_agent_id is not None or self.outbound_agent_id is not None


_MERGED = ("display_name", "description", "registration", "inbound_agent_id", "outbound_agent_id")


def parse_numbers(
    rows: Rows, *, credentials_id: str | None, registration: bool | None
) -> tuple[list[NumberWish], list[NumberRow]]:
    """
    Read the numbers.

    :param credentials_id: The SIP credentials of numbers that name none, in canonical form.
    :param registration: Whether numbers register that do not say so.
    :return: The numbers, each once, and a row for each that cannot be used, with the reason.
    :raises InvalidArgumentError: If the rows as a whole cannot be used, contradict each other, or got lost.
    """
    if not rows.rows and not rows.none_is_said and not rows.problems:
        raise rows.error("has no numbers in it; write [] in YAML or JSON if none are meant")
    if rows.rows and credentials_id is None and not any("credentials_id" in row for row in rows.rows):
        raise rows.error("no number names its credentials_id, and the task names none for all of them")
    wishes, bad = [], []
    for row, found in rows.each_apart(lambda row: _wish(row, credentials_id)):
        if isinstance(found, NumberWish):
            wishes.append(found)
        else:
            phone_number = row.get("phone_number")
            bad.append(
                NumberRow(phone_number=None if phone_number is None else clean(phone_number), reason=found)
            )
    merged, problems = _merged(wishes)
    problems += _clashes(merged)
    if problems:
        raise rows.error(listed(problems))
    return [
        replace(wish, registration=registration) if wish.registration is None else wish for wish in merged
    ], bad


def _wish(row: Row, credentials_id: str | None) -> NumberWish:
    named = row.get("credentials_id", credentials_id)
    registration = truth_of(row.get("registration"))
    if named is None:
        raise InvalidArgumentError("credentials_id", "is missing, and the task names none for all numbers.")
    return NumberWish(
        phone_number=arguments.new_phone_number("phone_number", row["phone_number"]),
        credentials_id=arguments.uuid("credentials_id", named),
        display_name=arguments.optional_text("display_name", row.get("display_name")),
        description=arguments.optional_text("description", row.get("description")),
        registration=None if registration is None else arguments.boolean("registration", registration),
        place=row.place,
        inbound_agent_id=_agent(row, "inbound_agent_id"),
        outbound_agent_id=_agent(row, "outbound_agent_id"),
    )


def _agent(row: Row, name: str) -> str | None:
    agent = row.get(name)
    return None if agent is None else arguments.agent_id(name, agent)


def _merged(wishes: Iterable[NumberWish]) -> tuple[list[NumberWish], list[str]]:
    """Return each number once, as its first row writes it, with all that its rows say; and their contradictions."""
    found: dict[tuple[str, str], NumberWish] = {}
    problems = []
    for wish in wishes:
        same = (e164(wish.phone_number) or wish.phone_number, wish.credentials_id)
        first = found.setdefault(same, wish)
        if first.phone_number != wish.phone_number:
            found[same] = first = replace(first, notations=(*first.notations, _in_two_notations(first, wish)))
        for name in _MERGED:
            before, now = getattr(first, name), getattr(wish, name)
            if before is not None and now is not None and before != now:
                problems.append(
                    f"{first.place} and {wish.place} contradict each other: {clean(wish.phone_number)} with {name} "
                    f"{shown(before)}, and with {shown(now)}"
                )
            elif before is None and now is not None:
                found[same] = first = replace(first, **{name: now})
    return list(found.values()), problems


def _in_two_notations(first: NumberWish, other: NumberWish) -> str:
    return (
        f"{first.place} and {other.place} are one number in two notations, {clean(first.phone_number)} and "
        f"{clean(other.phone_number)}; it is taken as {clean(first.phone_number)}."
    )


def _clashes(wishes: Iterable[NumberWish]) -> list[str]:
    """Return contradictions between different numbers."""
    problems = []
    calling: dict[str, NumberWish] = {}
    for wish in wishes:
        if wish.outbound_agent_id:
            first = calling.setdefault(wish.outbound_agent_id, wish)
            if first is not wish:
                problems.append(
                    f"{first.place} and {wish.place} contradict each other: {clean(first.phone_number)} and "
                    f"{clean(wish.phone_number)} as outbound number of {agent_label(wish.outbound_agent_id)}, but an "
                    "agent has one"
                )
    return problems


def next_batch(missing: int, created: int, undecided: int, limit: MaxChanges | None) -> int:
    """
    Return how many of the missing numbers to create next.

    Without a limit of failures, all of them. With one, a few at first and then as many as this run has created and
    knows the outcome of, once that is most of them: whoever finds that the carrier refuses new numbers has not created
    them all, however many were there before.

    :param missing: How many are not there yet.
    :param created: How many this run of the task has created.
    :param undecided: How many of those are still waited for.
    """
    if limit is None:
        return missing
    if 2 * undecided > created:
        return 0
    return min(missing, max(FIRST_BATCH, created - undecided))


def summary_of(rows: Sequence[NumberRow], what: str) -> str:
    """Return how many numbers are ``what``, such as ``onboarded``, and which are not and why."""
    open_ones = [row for row in rows if row.reason is not None]
    if not open_ones:
        return f"All {len(rows)} numbers are {what}."
    told = listed(f"{clean(row.phone_number or row.id)}: {str(row.reason).rstrip('.')}" for row in open_ones)
    return (
        f"{len(rows) - len(open_ones)} of {len(rows)} numbers are {what}, {len(open_ones)} are not. {told}."
    )
