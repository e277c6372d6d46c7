"""Find the number that a task names: by id, or by phone number in any notation, as routes do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.api import arguments
from airflow_provider_phonelink.api.callingbox import reads
from airflow_provider_phonelink.api.e164 import is_dialable
from airflow_provider_phonelink.api.errors import NotNamedError
from airflow_provider_phonelink.decisions.directory import Directory
from airflow_provider_phonelink.decisions.links import ListedNumber

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from airflow_provider_phonelink.api.callingbox.models import Agent, Number
    from airflow_provider_phonelink.api.calls import Flow

#: Stands for a number that is not known yet.
_SOME_NUMBER = "number"


def directory_of(numbers: Iterable[Number]) -> Directory:
    """Return the numbers that can be named."""
    return Directory(ListedNumber(number.id, number.e164) for number in numbers)


def number_named(name: object, argument: str = "number_id") -> Flow[str]:
    """
    Return the id of a number.

    An id is returned as it is. What has the form of a phone number is looked for among all numbers: as an id, as
    written, and by its E.164 form.

    :param name: An id, or a phone number in any notation.
    :param argument: What the caller calls it.
    :raises InvalidArgumentError: If it is neither; nothing was sent.
    :raises NotNamedError: If it belongs to no number, or to several.
    """
    text = arguments.number_name(argument, name, uuids=False)
    if not is_dialable(text):
        return text
    numbers = yield from reads.all_numbers()
    try:
        return directory_of(numbers).find(text)
    except NotNamedError as error:
        raise NotNamedError(f"{argument}: {error}. Nothing was changed.") from None


def find_for(promise: Callable[[str], Flow[Any]], name: object) -> Flow[str]:
    """
    Return the id of a number, once a flow has found its other arguments in order: nothing is sent otherwise.

    :param promise: Returns the flow for an id. It checks its arguments before its first step, and goes no further.
    """
    check = promise(_SOME_NUMBER)
    next(check, None)
    check.close()
    return (yield from number_named(name))


def for_number(write: Callable[[str, str], Flow[Agent]], agent_id: str, name: str) -> Flow[Agent]:
    """Make a write about an agent and the number that a name stands for."""
    agent_id = arguments.opaque_id("agent_id", agent_id)
    number_id = yield from number_named(name)
    return (yield from write(agent_id, number_id))
