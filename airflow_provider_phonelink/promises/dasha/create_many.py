"""Find the numbers that are to be onboarded, adopt what is there, and create the rest, a batch at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_phonelink.api.calls import Parallel
from airflow_provider_phonelink.api.dasha import endpoints, reads, writes
from airflow_provider_phonelink.api.errors import (
    AuthenticationError,
    ConflictError,
    NotFoundError,
    NotTakenEffectError,
    PhonelinkError,
    PromiseError,
    RejectedError,
)
from airflow_provider_phonelink.api.patience import patiently
from airflow_provider_phonelink.api.text import clean
from airflow_provider_phonelink.decisions.onboarding import next_batch
from airflow_provider_phonelink.promises.dasha.create import (
    adopt,
    demand_settings,
    differing_settings,
)
from airflow_provider_phonelink.promises.dasha.link_many import is_final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_phonelink.api.calls import Flow
    from airflow_provider_phonelink.api.dasha.models import PhoneNumber
    from airflow_provider_phonelink.promises.dasha.onboard import Onboarding, Progress


def find_existing(onboarding: Onboarding) -> Flow[None]:
    """Find the numbers that are there, and adopt them."""
    found = yield from reads.find_pairs(number.wish.pair for number in onboarding.numbers)
    adopted = []
    for number in onboarding.numbers:
        existing = found[number.wish.pair]
        if isinstance(existing, PhonelinkError):
            number.fail(existing)
        elif existing is not None:
            adopted.append(_adopt(onboarding, number, existing))
        elif reason := onboarding.refused.get(_creation(number)):
            number.fail(PromiseError(reason))
    yield Parallel(adopted)


def _adopt(onboarding: Onboarding, number: Progress, existing: PhoneNumber) -> Flow[None]:
    own = onboarding.journal.creates(number.wish.key)
    try:
        if reason := onboarding.refused.get(_update(number)):
            raise PromiseError(reason)
        outcome = yield from adopt(existing, number.wish.settings, "adopt" if own else onboarding.if_exists)
    except AuthenticationError:  # the key is everybody's
        raise
    except PhonelinkError as error:
        number.number = existing
        number.fail(error)
        if is_final(error):
            onboarding.refused[_update(number)] = str(error)
        return
    number.number, number.step = outcome.number, "created" if own else "adopted"
    onboarding.warnings += outcome.warnings
    if existing.phone_number != number.wish.phone_number:
        onboarding.warnings.append(
            f"{clean(number.wish.phone_number)} is stored by the vendor as {existing.label}, which was adopted. Write "
            "it like that from now on."
        )


def batch_to_create(onboarding: Onboarding) -> list[Progress]:
    """Return the missing numbers that are to be created now."""
    missing = [number for number in onboarding.numbers if number.is_open and number.number is None]
    if not missing or onboarding.is_stopped:
        return []
    # What was there before says nothing of whether the carrier takes new ones.
    own = [
        number
        for number in onboarding.numbers
        if number.number and onboarding.journal.creates(number.wish.key)
    ]
    undecided = sum(number.is_open and number.waiting for number in own)
    return missing[: next_batch(len(missing), len(own), undecided, onboarding.limit)]


def create_batch(onboarding: Onboarding, batch: Sequence[Progress]) -> Flow[None]:
    """Create numbers, each with an outcome of its own."""
    journal = onboarding.journal
    journal.create([number.wish.key for number in batch])
    yield Parallel([_create_one(onboarding, number) for number in batch])
    journal.keep()
    created = [number for number in batch if number.number and number.step == "created"]
    reading = yield from reads.read_numbers([number.number.id for number in created if number.number])
    for number in created:
        yield from _prove(onboarding, number, reading)


def _create_one(onboarding: Onboarding, number: Progress) -> Flow[None]:
    if onboarding.is_stopped:  # while others of this batch were created
        onboarding.journal.not_created(number.wish.key)
        return
    wish = number.wish
    try:
        try:
            found, adopted = yield from writes.create_number(*wish.pair, **wish.settings)
        except (RejectedError, ConflictError) as error:
            existing = yield from writes.found_after(error, *wish.pair)
            if existing is not None or not error.repeated:
                onboarding.journal.not_created(wish.key)
            if existing is None:
                raise
            yield from _adopt(onboarding, number, existing)
        else:
            if adopted and differing_settings(found, wish.settings):
                onboarding.journal.not_created(wish.key)  # somebody else did, while the answer was lost
                yield from _adopt(onboarding, number, found)
            else:
                number.number, number.step = found, "created"
    except AuthenticationError:
        raise
    except PhonelinkError as error:
        number.fail(error)
        if is_final(error):
            onboarding.refused[_creation(number)] = str(error)
    onboarding.on_step(number.step or "failed")


def _prove(onboarding: Onboarding, number: Progress, reading: reads.Reading) -> Flow[None]:
    """Make sure that a number that was created shows, with its settings."""
    if number.number is None:
        return
    number_id, label = number.number.id, number.number.label
    try:
        if number_id in reading.errors:
            raise reading.errors[number_id]
        number.number = reading.numbers[number_id] or (yield from patiently(endpoints.get_number(number_id)))
        onboarding.warnings += demand_settings(number.number, number.wish.settings)
    except AuthenticationError:
        raise
    except NotFoundError:
        number.fail(
            NotTakenEffectError(
                f"Number {label} was created, but the vendor still does not know it ten seconds later."
            )
        )
    except PhonelinkError as error:
        number.fail(error)


def _creation(number: Progress) -> str:
    """Return what a refused creation is remembered by."""
    return f"create/{number.wish.key}"


def _update(number: Progress) -> str:
    """Return what a refused update is remembered by."""
    return f"update/{number.wish.key}"
