"""Which numbers the names of a deletion stand for: at no try another one than at the first."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING

from airflow_provider_phonelink.api import patience
from airflow_provider_phonelink.api.dasha import reads
from airflow_provider_phonelink.api.labels import number_label
from airflow_provider_phonelink.api.text import clean
from airflow_provider_phonelink.api.uuids import is_uuid
from airflow_provider_phonelink.promises.dasha.naming import directory_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_provider_phonelink.api.calls import Flow
    from airflow_provider_phonelink.api.dasha.models import PhoneNumber
    from airflow_provider_phonelink.promises.dasha.deleting import Deleting, NumberToDelete


def look(deleting: Deleting) -> Flow[None]:
    """Read the numbers; those that are not there several times, because they may be new."""
    missing = list(deleting.numbers)
    known: dict[str, PhoneNumber] = {}

    def look_for_the_missing() -> Flow[list[NumberToDelete]]:
        yield from _find(missing, known)
        _find_by_phone_number(deleting, known)
        missing[:] = [number for number in missing if number.number is None and number.reason is None]
        return missing

    yield from patience.until(operator.not_, look_for_the_missing)
    _remember_refused(deleting)
    for number in missing:
        number.step = "gone"
        deleting.on_step("gone")
        if meant := deleting.journal.named(number.name):
            deleting.warnings.append(
                f"Number {number_label(meant, number.name)} is gone. If another one has that phone number by now, it "
                "was left."
            )
        elif not is_uuid(number.name):
            deleting.warnings.append(
                f"There is no number {clean(number.name)}: it is gone, or was written otherwise."
            )
    _drop_repeated(deleting)


def _find(numbers: Iterable[NumberToDelete], known: dict[str, PhoneNumber]) -> Flow[None]:
    """Read numbers by their ids, and list all if some are named by their phone numbers."""
    by_id = {number.name: number for number in numbers if is_uuid(number.name)}
    if len(by_id) < len(list(numbers)):
        listed_numbers = yield from reads.all_numbers()
        known |= {number.id: number for number in listed_numbers}
    reading = yield from reads.read_numbers(by_id)
    for number_id, number in by_id.items():
        number.number = reading.numbers.get(number_id)
        if number.number:
            known[number_id] = number.number
        if number_id in reading.errors:
            number.fail(reading.errors[number_id])


def _find_by_phone_number(deleting: Deleting, known: dict[str, PhoneNumber]) -> None:
    """
    Find the numbers that phone numbers stand for.

    A phone number that several numbers have, in whatever notation, stands for none of them, and none of them is
    deleted: once one is gone, the same phone number would stand for another, which a later try would delete.
    """
    directory = directory_of(known.values())
    by_id = {number.name: number for number in deleting.numbers if is_uuid(number.name)}
    for number in deleting.numbers:
        if is_uuid(number.name) or number.reason is not None:
            continue
        ids = directory.in_any_notation(number.name)
        if meant := deleting.journal.named(number.name):
            ids = [id_ for id_ in ids if id_ == meant]
        if len(ids) < 2 or by_id.keys() >= set(ids):  # what it may stand for is to go, whichever it is
            number.number = known[ids[0]] if ids else None
            continue
        number.number = None
        number.reason = (
            f"{clean(number.name)} may be any of {len(ids)} numbers, with the ids {', '.join(map(clean, ids))}; name "
            "one by its id"
        )
        for held_back in (by_id[id_] for id_ in ids if id_ in by_id):
            held_back.reason = held_back.reason or (
                f"It was left, because {clean(number.name)}, which is to be deleted, too, may be this number or "
                "another one; name that by its id"
            )


def _remember_refused(deleting: Deleting) -> None:
    """Let no try take a name for one number that an earlier try found to stand for several, whoever deleted those."""
    names = []
    for number in deleting.numbers:
        if is_uuid(number.name):
            continue
        if number.reason is not None:
            names.append(number.name)
        elif number.number and deleting.journal.refused(number.name) and not _named_by_id(deleting, number):
            number.reason = (
                f"An earlier try of this task found several numbers for {clean(number.name)}, and only number "
                f"{number.number.label} is left: whether it was meant cannot be told, so name it by its id"
            )
    if names:
        deleting.journal.refuse(names)


def _named_by_id(deleting: Deleting, number: NumberToDelete) -> bool:
    return any(is_uuid(other.name) and other.id == number.id for other in deleting.numbers)


def _drop_repeated(deleting: Deleting) -> None:
    """Keep a number once that was named by its id and by its phone number."""
    kept: dict[str, NumberToDelete] = {}
    for number in deleting.numbers:
        first = kept.setdefault(number.id or number.name, number)
        if first is not number:
            first.other_names.append(number.name)
    deleting.numbers = list(kept.values())
