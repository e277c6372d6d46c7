"""Delete numbers (Dasha BlackBox)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from airflow_provider_phonelink.exceptions import (
    PhonelinkFailException,
    PhonelinkRetryableException,
    airflow_exception,
    as_airflow_exceptions,
)
from airflow_provider_phonelink.files.sources import as_written
from airflow_provider_phonelink.operators.arguments import given_arguments, path_as_text
from airflow_provider_phonelink.operators.dasha.base import DashaOperator

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from airflow.sdk import Context

    from airflow_provider_phonelink.compat import AirflowException
    from airflow_provider_phonelink.operators.journal import TaskJournal
    from airflow_provider_phonelink.operators.rows import OnFailed

IfInUse: TypeAlias = Literal["fail", "unlink"]


class DashaDeletePhoneNumberOperator(DashaOperator):
    """
    Delete one or many phone numbers at Dasha BlackBox.

    Afterwards there are no such numbers. One that is gone already is a success, without a write. One that an agent uses
    is left, and named with the agents and their uses; or, with ``if_linked="unlink"``, it is taken from the agents that
    used it at the task's look, and then deleted. A link that somebody makes after that look is not taken along: the
    number stays, and so does that link, until the task is run again. A number that a provider manages is deleted by
    the provider's endpoint, which takes it off the trunk. Numbers are deleted side by side; what fails for one does not
    stop the others.

    A retry, a cleared task or a second run deletes what is still there. A number that was unlinked and then cannot be
    deleted goes back to its agents, whichever try took it from them: at once, unless a retry may delete it and comes.
    It is not taken from whoever got it in the meantime, and an agent that calls out with another number by then keeps
    that. If an agent cannot get its number back, the task fails, whatever ``on_failed`` says. The reason always names
    the agents. A deleted number is gone for good: creating it again makes another one, with another id.

    A phone number stands, in all tries of a task until it succeeds, for the number that the first one found. One that
    several numbers have, in whatever notation, is refused, and none of them is deleted, also if it is named by its id;
    unless the ids of all of them are among the names.

    Returns a dict: ``numbers``, ``done`` and ``failed`` (counts), ``steps`` (step to count), ``report`` (its location,
    or None), ``warnings`` (a list, of at most 21) and ``rows``, for each number a dict of ``phone_number``, ``id``,
    ``step`` (``deleted``, ``gone`` if it was so before, or None), ``state`` (of its registration, at the last look) and
    ``reason`` (None, or why it is still there). A phone number that no number has is ``gone``, with an ``id`` of None
    and a warning, as it may be mistyped. Of more than 300 numbers, ``rows`` has only those with a reason, at most 300.
    A task that fails leaves the same in XCom.

    From the vendor's pages on deleting phone numbers, on affected agents and on Twilio's phone numbers.

    :param phone_number_ids: The number or numbers: ids, or phone numbers as routes name them; a list, or the text that
        a template makes of one. (templated)
    :param if_linked: What to do with a number that an agent uses: ``fail`` (default) leaves it, and gives it back if an
        earlier try, with ``unlink``, took it; ``unlink`` takes it from its agents and deletes it. (templated)
    :param on_failed: Whether the task fails if a number is still there, once all others are done: ``fail`` (default),
        or ``report``, which succeeds, unless an agent is without its number through the task, or the vendor refuses the
        key. (templated)
    :param report: Where to write the rows: a path or URL of object storage that ends in ``.csv`` or ``.json``. None
        (default): nowhere. (templated)
    :param dasha_conn_id: The Airflow connection, of type ``dasha``. (templated)
    :param multiple_outputs: Whether each entry of the result is also an XCom of its own, by its key; True by default.
    """

    template_fields: Sequence[str] = (
        "phone_number_ids",
        "if_linked",
        "on_failed",
        "report",
        "dasha_conn_id",
    )
    template_ext: Sequence[str] = ()

    def __init__(
        self,
        *,
        phone_number_ids: str | Sequence[str],
        if_linked: IfInUse = "fail",
        on_failed: OnFailed = "fail",
        report: str | Path | None = None,
        dasha_conn_id: str = "dasha_default",
        multiple_outputs: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(multiple_outputs=multiple_outputs, **kwargs)
        self.phone_number_ids = phone_number_ids
        self.if_linked = if_linked
        self.on_failed = on_failed
        self.report = path_as_text(report)
        self.dasha_conn_id = dasha_conn_id
        self._report_begins = as_written(report)
        self._given = given_arguments(self)

    def execute(self, context: Context) -> dict[str, Any]:
        """Delete the numbers."""
        from airflow_provider_phonelink.api import arguments, templates
        from airflow_provider_phonelink.decisions.onboarding import summary_of
        from airflow_provider_phonelink.decisions.waiting import REACTIONS
        from airflow_provider_phonelink.operators.events import emit_journal
        from airflow_provider_phonelink.operators.journal import open_journal
        from airflow_provider_phonelink.operators.progress import Progress
        from airflow_provider_phonelink.operators.rows import destination_of, finish
        from airflow_provider_phonelink.promises.dasha.delete_many import delete_many
        from airflow_provider_phonelink.promises.dasha.deleting import Deleting

        ti, journal = context.get("ti"), open_journal(self, context)
        try:
            hook = self.hook  # refuses what rendered to nothing
            with as_airflow_exceptions():
                arguments.choice("on_failed", self.on_failed, REACTIONS)
                names = templates.number_names("phone_number_ids", self.phone_number_ids, uuids=True)
                report = destination_of(self, self.report, self._report_begins)
                deleting = Deleting(names, self.if_linked)
        except PhonelinkFailException as error:
            raise self._given_back(error, journal) from error.__cause__
        deleting.journal = journal
        deleting.retried = self.on_failed == "fail" and ti is not None and ti.try_number <= ti.max_tries
        progress = Progress(self.log, len(names))
        deleting.on_step = progress.count
        with hook:
            hook.run(delete_many(deleting))
        progress.tell()
        for warning in deleting.warnings:
            self.log.warning("%s", warning)
        rows = [number.row() for number in deleting.numbers]
        fails = deleting.must_fail or (self.on_failed == "fail" and bool(deleting.failed))
        if fails:
            deleting.journal.said()
        result = finish(
            self,
            context,
            rows,
            report,
            summary_of([number.row() for number in deleting.urgent_first], "deleted"),
            fails=fails,
            retry_helps=deleting.retry_helps,
            more={"warnings": deleting.told_warnings},
        )
        deleting.settle_journal()
        emit_journal(self, context, deleting.journal, vendor="dasha")
        return result

    def _given_back(self, error: AirflowException, journal: TaskJournal) -> AirflowException:
        """Return the error for refused arguments, once what earlier tries took from agents is back."""
        from airflow_provider_phonelink.promises.dasha.delete_many import delete_many
        from airflow_provider_phonelink.promises.dasha.deleting import Deleting

        if not journal.unseen:
            return error
        nothing = Deleting((), journal=journal)
        try:
            with self.new_hook() as hook:
                hook.run(delete_many(nothing))
        except (PhonelinkFailException, PhonelinkRetryableException) as another:
            return airflow_exception(f"{error} {another}", retry_helps=True)
        journal.said()
        told = [*nothing.warnings, *(str(number.reason) for number in nothing.numbers)]
        return airflow_exception(" ".join([str(error), *told]), retry_helps=nothing.must_fail)
