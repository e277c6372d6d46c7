"""Onboard any number of numbers in one task (Dasha BlackBox)."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from airflow_provider_phonelink.compat import AirflowTaskTimeout, TaskDeferralTimeout, conf
from airflow_provider_phonelink.exceptions import (
    PhonelinkFailException,
    PhonelinkRetryableException,
    airflow_exception,
    as_airflow_exceptions,
)
from airflow_provider_phonelink.files.sources import as_written
from airflow_provider_phonelink.operators.arguments import given_arguments, path_as_text, refuse_none
from airflow_provider_phonelink.operators.dasha.base import DashaOperator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from airflow.sdk import Context

    from airflow_provider_phonelink.compat import AirflowException
    from airflow_provider_phonelink.decisions.limits import MaxChanges
    from airflow_provider_phonelink.decisions.onboarding import NumberWish
    from airflow_provider_phonelink.decisions.rows import NumberRow
    from airflow_provider_phonelink.decisions.waiting import Doubts
    from airflow_provider_phonelink.files.destinations import Destination
    from airflow_provider_phonelink.operators.journal import TaskJournal
    from airflow_provider_phonelink.operators.rows import OnFailed
    from airflow_provider_phonelink.promises.dasha.create import IfExists
    from airflow_provider_phonelink.promises.dasha.link import IfLinked
    from airflow_provider_phonelink.promises.dasha.onboard import Onboarding
    from airflow_provider_phonelink.promises.dasha.so_far import SoFar

#: Airflow waits for the trigger this much longer than the task's own deadline, so that the two do not race.
_DEFER_MARGIN = timedelta(seconds=60)
#: After so many seconds of a wait the numbers that are active by then are linked, and the others waited for anew.
LINGER = 30.0


class _Checked(NamedTuple):
    """The arguments, checked."""

    wishes: list[NumberWish]
    bad: list[NumberRow]
    limit: MaxChanges | None
    report: Destination | None
    failed_for: float
    timeout: float


class DashaOnboardPhoneNumbersOperator(DashaOperator):
    """
    Onboard phone numbers at Dasha BlackBox, however many: create, wait until registered, link.

    Afterwards each number exists once, its registration is active if it is to register, and its agents have it; or its
    row says how far it came and why no further. What fails for one number does not stop the others, and a number whose
    registration fails is not linked.

    The task looks first, by list pages, creates what is missing and adopts what is there, in whatever notation, waits
    for all registrations with one trigger, links numbers as they become active, and looks again. So a retry, a cleared
    task, a killed worker or triggerer, and a run with an edited file do what is missing, and nothing twice; a link that
    somebody else made after a try of the task is left, with a reason. The vendor has no conditional write: a link that
    somebody else makes between the last look, which may be 200 numbers ago, and the write is overwritten.

    It is refused before anything is sent if the numbers as a whole cannot be used: an emptied file, a column without a
    meaning, rows that contradict each other. A single row that cannot be used is one more number with a reason.

    Returns a dict: ``numbers``, ``done`` and ``failed`` (counts), ``steps`` (step to count), ``report`` (its location,
    or None) and ``rows``, for each number a dict of ``phone_number``, ``id``, ``step`` (the last one done: ``created``,
    ``adopted``, ``registered``, ``linked``, or None), ``state`` (of its registration, as the vendor writes it) and
    ``reason`` (None, or why it came no further). Of more than 300 numbers, ``rows`` has only those with a reason, at
    most 300. A task that fails leaves the same in XCom.

    From the vendor's pages on creating, listing, linking and updating phone numbers and on affected agents.

    :param numbers: A list with a dict for each number: ``phone_number`` and, if wanted, ``credentials_id``,
        ``display_name``, ``description``, ``registration``, ``inbound_agent_id``, ``outbound_agent_id``, and
        ``comment``, for people. Or the path or URL of a CSV, YAML or JSON file with such numbers; a relative path
        starts at the folder of the DAG file. (templated)
    :param credentials_id: The SIP credentials, a uuid, of numbers that name none; None by default. (templated)
    :param registration: Whether numbers register that do not say so: True by default; None keeps what an existing
        number has. (templated)
    :param if_exists: What to do with a number that exists: ``adopt`` (default), ``update`` or ``fail``, as for
        :class:`~airflow_provider_phonelink.operators.dasha.DashaCreatePhoneNumberOperator`. (templated)
    :param if_linked: What to do with a number that another agent answers: ``replace`` (default) takes it from that
        agent, ``fail`` leaves it there, with a reason. (templated)
    :param on_failed: Whether the task fails if a number comes no further, once all others are done: ``fail`` (default),
        or ``report``, which succeeds. (templated)
    :param max_failed: How many numbers may come no further, a count or a percentage of all such as ``"5%"``: more than
        that stop the task from creating further numbers, and it fails in either case. With a limit, a few numbers are
        created first and more once most of these are decided. None (default): no limit. (templated)
    :param report: Where to write the rows: a path or URL of object storage that ends in ``.csv`` or ``.json``. None
        (default): nowhere. (templated)
    :param timeout: For how long to wait for registrations in all, in seconds or as a timedelta; 3600 by default. A
        shorter ``execution_timeout`` counts instead. More than 100 years count as 100 years, here and below.
    :param poll_interval: Seconds between two looks at the registrations; 10 by default.
    :param failed_for: How long, in seconds or as a timedelta, a registration has to be in a failed state before it
        counts as failed. 0 by default; ``timedelta.max`` for never.
    :param dasha_conn_id: The Airflow connection, of type ``dasha``. (templated)
    :param deferrable: Whether to wait in the triggerer, without taking up a worker slot; by default what
        ``[operators] default_deferrable`` says.
    :param multiple_outputs: Whether each entry of the result is also an XCom of its own, by its key; True by default.
    """

    template_fields: Sequence[str] = (
        "numbers",
        "credentials_id",
        "registration",
        "if_exists",
        "if_linked",
        "on_failed",
        "max_failed",
        "report",
        "dasha_conn_id",
    )
    #: A path of numbers is templated; what is in the file is not.
    template_ext: Sequence[str] = ()
    template_fields_renderers = {"numbers": "json"}  # noqa: RUF012 - as Airflow declares it

    def __init__(
        self,
        *,
        numbers: Sequence[Mapping[str, Any]] | str | Path,
        credentials_id: str | None = None,
        registration: bool | str | None = True,
        if_exists: IfExists = "adopt",
        if_linked: IfLinked = "replace",
        on_failed: OnFailed = "fail",
        max_failed: int | str | None = None,
        report: str | Path | None = None,
        timeout: float | timedelta = 3600.0,
        poll_interval: float = 10.0,
        failed_for: float | timedelta = 0.0,
        dasha_conn_id: str = "dasha_default",
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        multiple_outputs: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(multiple_outputs=multiple_outputs, **kwargs)
        self.numbers = path_as_text(numbers)
        self.credentials_id = credentials_id
        self.registration = registration
        self.if_exists = if_exists
        self.if_linked = if_linked
        self.on_failed = on_failed
        self.max_failed = max_failed
        self.report = path_as_text(report)
        self.timeout = timeout
        self.poll_interval = poll_interval
        self.failed_for = failed_for
        self.dasha_conn_id = dasha_conn_id
        self.deferrable = deferrable
        self._numbers_begin = as_written(numbers)
        self._report_begins = as_written(report)
        self._given = given_arguments(self)

    def execute(self, context: Context) -> dict[str, Any]:
        """Do what can be done now, and wait for the rest."""
        from airflow_provider_phonelink.decisions.waiting import Doubts
        from airflow_provider_phonelink.promises.dasha.so_far import SoFar

        checked = self._checked()
        now = datetime.now(timezone.utc)
        doubts = Doubts((), now, timedelta(seconds=checked.failed_for))
        return self._work(context, checked, doubts, SoFar(), now.timestamp() + checked.timeout, resumes=False)

    def execute_complete(
        self, context: Context, event: dict[str, Any] | None = None, so_far: str | None = None
    ) -> dict[str, Any]:
        """
        Resume with the trigger's event.

        :param event: The event; see :class:`~airflow_provider_phonelink.triggers.dasha.DashaRegistrationTrigger`.
        :param so_far: What this try found out before it was deferred.
        """
        from airflow_provider_phonelink.decisions.waiting import Doubts
        from airflow_provider_phonelink.promises.dasha.so_far import so_far_from

        status, message = (event or {}).get("status"), (event or {}).get("message", "")
        if event is None or status not in {"active", "reported", "timeout", "error"}:
            raise PhonelinkRetryableException(
                f"The trigger ended with an event that means nothing here: {event!r}."
            )
        self.log.info("%s", message)
        known, checked = so_far_from(so_far), self._checked()
        if status == "error":
            known.take_states(event.get("states") or {})
            error = airflow_exception(message, retry_helps=bool(event.get("retry_helps")))
            self._break_off(context, checked, known, error)
        doubts = Doubts(
            (),
            datetime.now(timezone.utc),
            timedelta(seconds=checked.failed_for),
            event.get("failing_since"),
        )
        deadline = 0.0 if status == "timeout" else float(event.get("deadline") or 0)
        return self._work(context, checked, doubts, known, deadline, resumes=True)

    def _work(
        self,
        context: Context,
        checked: _Checked,
        doubts: Doubts,
        so_far: SoFar,
        deadline: float,
        *,
        resumes: bool,
    ) -> dict[str, Any]:
        """Do what can be done, look by look, until nothing is waited for or time is up."""
        from airflow_provider_phonelink.operators.journal import open_journal

        failed_looks, last = 0, None
        while True:
            journal = open_journal(self, context, resumes=resumes)
            try:
                onboarding = self._go_on(checked, doubts, so_far, journal, resumes=resumes)
                last = onboarding, journal
            except (PhonelinkFailException, PhonelinkRetryableException) as error:
                failed_looks += 1
                tolerable = isinstance(error, PhonelinkRetryableException) and time.time() < deadline
                if not (tolerable and resumes and failed_looks < self.hook.max_failed_polls):
                    journal.said()
                    self._break_off(context, checked, so_far, error)
                self.log.warning("Look failed (%d in a row), the wait goes on: %s", failed_looks, error)
            else:
                failed_looks = 0
                if not onboarding.waiting or time.time() >= deadline:
                    return self._finish(context, checked, onboarding, journal)
                if self.deferrable:
                    self._wait(onboarding, checked, so_far, deadline)
            try:
                time.sleep(max(0.0, min(self.poll_interval, deadline - time.time())))
            except AirflowTaskTimeout:  # the execution_timeout, which began a moment before the wait did
                if last is None:
                    raise
                return self._finish(context, checked, *last)
            resumes = True

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """Resume after the trigger, or after no triggerer reported in time: then do what can be done, and finish."""
        try:
            return super().resume_execution(next_method, next_kwargs, context)
        except TaskDeferralTimeout:
            self.log.warning("No triggerer took up the wait, or none was running at its end.")
        return self.execute_complete(context, {"status": "timeout", "message": "Timed out."})

    def _checked(self) -> _Checked:
        """Check all arguments before anything is sent."""
        from airflow_provider_phonelink.api import arguments
        from airflow_provider_phonelink.decisions.limits import parse_max_changes
        from airflow_provider_phonelink.decisions.onboarding import COLUMNS, parse_numbers
        from airflow_provider_phonelink.decisions.waiting import REACTIONS
        from airflow_provider_phonelink.files.reading import read_rows
        from airflow_provider_phonelink.operators.rows import destination_of
        from airflow_provider_phonelink.promises.dasha.create import IF_EXISTS
        from airflow_provider_phonelink.promises.dasha.link import IF_LINKED

        refuse_none(self, self._given)
        folder = self.dag.folder if self.has_dag() else None  # type: ignore[no-untyped-call]
        with as_airflow_exceptions():
            arguments.choice("if_exists", self.if_exists, IF_EXISTS)
            arguments.choice("if_linked", self.if_linked, IF_LINKED)
            arguments.choice("on_failed", self.on_failed, REACTIONS)
            self.poll_interval = arguments.seconds("poll_interval", self.poll_interval)
            rows = read_rows(
                self.numbers, COLUMNS, argument="numbers", folder=folder, beginning=self._numbers_begin
            )
            wishes, bad = parse_numbers(
                rows,
                credentials_id=None
                if self.credentials_id is None
                else arguments.uuid("credentials_id", self.credentials_id),
                registration=None
                if self.registration is None
                else arguments.boolean("registration", self.registration),
            )
            return _Checked(
                wishes,
                bad,
                parse_max_changes(self.max_failed, "max_failed"),
                destination_of(self, self.report, self._report_begins, self.numbers),
                arguments.seconds("failed_for", arguments.in_seconds(self.failed_for)),
                self._patience(arguments.seconds("timeout", arguments.in_seconds(self.timeout))),
            )

    def _patience(self, timeout: float) -> float:
        """Return the seconds that the wait may take."""
        return min(timeout, self.execution_timeout.total_seconds()) if self.execution_timeout else timeout

    def _go_on(
        self, checked: _Checked, doubts: Doubts, so_far: SoFar, journal: TaskJournal, *, resumes: bool
    ) -> Onboarding:
        """Do what can be done now."""
        from airflow_provider_phonelink.operators.progress import Progress
        from airflow_provider_phonelink.promises.dasha.onboard import Onboarding, onboard

        progress = Progress(self.log, len(checked.wishes))
        onboarding = Onboarding(
            checked.wishes,
            checked.bad,
            self.if_exists,
            self.if_linked,
            checked.limit,
            doubts,
            so_far.refused_by(journal),
            journal,
            progress.count,
        )
        try:
            with self.hook as hook:
                hook.run(onboard(onboarding))
        except (PhonelinkFailException, PhonelinkRetryableException):
            so_far.take_broken(onboarding)
            raise
        so_far.take(onboarding)
        journal.keep()
        progress.tell()
        for warning in [*([] if resumes else onboarding.told_warnings), *onboarding.unknown_states]:
            self.log.warning("%s", warning)
        return onboarding

    def _wait(self, onboarding: Onboarding, checked: _Checked, so_far: SoFar, deadline: float) -> None:
        """Wait in the triggerer, which raises."""
        from airflow_provider_phonelink.triggers.dasha import DashaRegistrationTrigger

        self.log.info("Waiting for the registrations of %d numbers.", len(onboarding.waiting))
        self.defer(
            trigger=DashaRegistrationTrigger(
                phone_number_ids=onboarding.waiting,
                dasha_conn_id=self.dasha_conn_id,
                deadline=deadline,
                poll_interval=self.poll_interval,
                began=time.time(),
                failed_for=checked.failed_for,
                on_failed="report",
                on_timeout="report",
                linger=LINGER,
                failing_since=(onboarding.doubts.failing_since if onboarding.doubts else None) or None,
            ),
            method_name="execute_complete",
            kwargs={"so_far": so_far.as_text()},
            timeout=timedelta(seconds=max(deadline - time.time(), 0)) + _DEFER_MARGIN,
        )

    def _break_off(
        self, context: Context, checked: _Checked, so_far: SoFar, error: AirflowException
    ) -> NoReturn:
        """Fail with an error that keeps the task from going on, and leave the rows that are known."""
        from airflow_provider_phonelink.decisions.onboarding import summary_of
        from airflow_provider_phonelink.operators.rows import finish

        if so_far.rows:
            message = f"{str(error).rstrip('.')}. At the last look: {summary_of(so_far.rows, 'onboarded')}"
            retry_helps = isinstance(error, PhonelinkRetryableException)
            finish(self, context, so_far.rows, checked.report, message, fails=True, retry_helps=retry_helps)
        raise error

    def _finish(
        self, context: Context, checked: _Checked, onboarding: Onboarding, journal: TaskJournal
    ) -> dict[str, Any]:
        """Report, and succeed or fail."""
        from airflow_provider_phonelink.decisions.onboarding import summary_of
        from airflow_provider_phonelink.operators.events import emit_journal
        from airflow_provider_phonelink.operators.rows import finish

        onboarding.give_up(checked.timeout)
        rows = onboarding.rows()
        fails = onboarding.is_stopped or (self.on_failed == "fail" and bool(onboarding.failed))
        if fails:
            journal.said()
        result = finish(
            self,
            context,
            rows,
            checked.report,
            summary_of(rows, "onboarded"),
            fails=fails,
            retry_helps=onboarding.retry_helps,
        )
        onboarding.settle_journal()
        emit_journal(self, context, journal, vendor="dasha", forget=True)
        return result
