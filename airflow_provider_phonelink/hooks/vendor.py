"""The base class of all hooks: it turns a connection into a client, synchronous and asynchronous."""

from __future__ import annotations

import asyncio
import weakref
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar

from airflow_provider_phonelink import vendors
from airflow_provider_phonelink.api import arguments
from airflow_provider_phonelink.api.errors import (
    AccessDeniedError,
    AuthenticationError,
    ConfigurationError,
    NoAnswerError,
    PhonelinkError,
    RateLimitedError,
    ServerError,
    VendorError,
)
from airflow_provider_phonelink.compat import AirflowException, AirflowNotFoundException, BaseHook
from airflow_provider_phonelink.exceptions import (
    PhonelinkFailException,
    PhonelinkRetryableException,
    as_airflow_exception,
    as_airflow_exceptions,
)
from airflow_provider_phonelink.hooks import form
from airflow_provider_phonelink.metrics import ClientMetrics

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from airflow.sdk import Connection
    from typing_extensions import Self

    from airflow_provider_phonelink.api.calls import Call, Flow
    from airflow_provider_phonelink.api.senders import AsyncSender, Sender
    from airflow_provider_phonelink.api.settings import Settings
    from airflow_provider_phonelink.vendors import Vendor

P = ParamSpec("P")
T = TypeVar("T")
SettingsT = TypeVar("SettingsT", bound="Settings")


class VendorHook(BaseHook, Generic[SettingsT]):
    """
    A client of one vendor, made from an Airflow connection.

    It may be used as a context manager or an async context manager, which close its connections. Errors are raised
    as :class:`~airflow_provider_phonelink.exceptions.PhonelinkFailException` or
    :class:`~airflow_provider_phonelink.exceptions.PhonelinkRetryableException`.

    :param conn_id: Airflow connection.
    :param max_retries: How often a failed request is repeated; None for the connection's setting.
    """

    vendor: Vendor
    conn_name_attr: str
    default_conn_name: str
    conn_type: str
    hook_name: str

    def __init__(self, conn_id: str, *, max_retries: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.conn_id = conn_id
        self.max_retries = max_retries
        #: The connection's setting, once the connection has been read.
        self.max_failed_polls = 10
        self._async_senders: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, AsyncSender] = (
            weakref.WeakKeyDictionary()
        )

    def _probe(self) -> Call[Any]:
        """Return a cheap read that shows whether the connection works."""
        raise NotImplementedError

    # -- the connection form, for Airflow before 3.2 ----------------------------------------------------

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """Return how the form shows the connection's own fields."""
        return form.field_behaviour(cls.conn_type)

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """Return the form's fields for the extras."""
        return form.widgets(cls.conn_type)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # Airflow looks for both in the hook's own class and ignores inherited ones.
        for name in ("get_ui_field_behaviour", "get_connection_form_widgets"):
            if name not in vars(cls):
                setattr(cls, name, vars(VendorHook)[name])

    # -- settings -------------------------------------------------------------------------------------

    @cached_property
    def settings(self) -> SettingsT:
        """The connection's settings, read once."""
        return self._read_connection()

    def refresh(self) -> SettingsT:
        """Read the connection again, so that the next request uses its present values."""
        settings = self._read_connection()
        if settings != self.__dict__.get("settings"):
            self.close()
            self.__dict__["settings"] = settings
        return settings

    async def aread_settings(self) -> SettingsT:
        """
        Read the connection's settings again, without blocking the event loop.

        This runs in a worker thread, because reading and masking a secret may block on Airflow's supervisor. A thread
        is safe on every Airflow 3; Airflow's own async read is not, from 3.1 to 3.3.1, if anything else reads at the
        same time.
        """
        from asgiref.sync import sync_to_async

        return await sync_to_async(self._read_connection)()

    def _read_connection(self) -> SettingsT:
        outcome = self._settings_or_error()
        if isinstance(outcome, AirflowException):
            raise outcome
        return outcome

    def _settings_or_error(self) -> SettingsT | AirflowException:
        """Return what is wrong rather than raise it: frames in here hold the key, and error reports show frames."""
        try:
            arguments.present(self.conn_name_attr, self.conn_id)
        except PhonelinkError as error:
            return as_airflow_exception(error)
        try:
            connection = self.get_connection(self.conn_id)
        except AirflowNotFoundException:
            return self._no_connection()
        except Exception as error:
            # Only its class: the text of a secrets backend's error may show the secret.
            return PhonelinkRetryableException(
                f"Connection '{self.conn_id}' could not be read ({type(error).__name__}). Nothing was sent. "
                "Look whether Airflow's secrets backend and API server work, and try again."
            )
        try:
            return self._settings_of(connection)
        except PhonelinkError as error:
            return as_airflow_exception(error)

    def _no_connection(self) -> AirflowException:
        from airflow_provider_phonelink.hooks.connection import not_encoded

        if why := not_encoded(self.conn_id):
            return PhonelinkFailException(
                f"There is no connection '{self.conn_id}' that can be read. Nothing was sent. {why}"
            )
        # A retry may help: Airflow says "not found" for every error of a secrets backend, a time-out included.
        return PhonelinkRetryableException(
            f"There is no connection '{self.conn_id}'. Nothing was sent. Add it with `airflow connections add "
            f"{self.conn_id} --conn-type {self.conn_type} --conn-password <API key>`, or name another one in "
            f"`{self.conn_name_attr}`."
        )

    def _settings_of(self, connection: Connection) -> SettingsT:
        from airflow.sdk.log import mask_secret

        from airflow_provider_phonelink.hooks.connection import settings_of

        if connection.conn_type != self.conn_type:
            raise ConfigurationError(
                f"Connection '{self.conn_id}' is of type '{connection.conn_type or ''}', so its key is not for "
                f"{self.hook_name}. Nothing was sent. Name a '{self.conn_type}' connection in `{self.conn_name_attr}`."
            )
        settings_class: type[SettingsT] = vendors.load(self.vendor.settings)
        settings = settings_of(connection, settings_class)
        if settings.proxy:
            for secret in settings.secrets:
                mask_secret(secret)
        self.max_failed_polls = settings.max_failed_polls
        return (
            settings
            if self.max_retries is None
            else settings.model_copy(update={"max_retries": self.max_retries})
        )

    # -- sending --------------------------------------------------------------------------------------

    @cached_property
    def _sender(self) -> Sender:
        from airflow_provider_phonelink.api.senders import Sender

        sender = Sender(self.settings, counts=ClientMetrics(self.conn_type))
        weakref.finalize(self, sender.close)
        return sender

    def get_conn(self) -> Sender:
        """Return the client."""
        with as_airflow_exceptions():
            return self._sender

    def run(self, flow: Flow[T]) -> T:
        """Carry out a flow, such as one of :mod:`airflow_provider_phonelink.promises`."""
        with as_airflow_exceptions():
            return self._sender.run(flow)

    def send(self, endpoint: Callable[P, Call[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Send one call: an endpoint with these arguments."""
        with as_airflow_exceptions():
            return self._sender.send(endpoint(*args, **kwargs))

    async def _async_sender(self) -> AsyncSender:
        from airflow_provider_phonelink.api.senders import AsyncSender

        loop = asyncio.get_running_loop()
        if loop not in self._async_senders:
            settings = await self.aread_settings()
            counts = ClientMetrics(self.conn_type)
            self._async_senders.setdefault(loop, AsyncSender(settings, counts=counts))
        return self._async_senders[loop]

    async def arefresh(self) -> SettingsT:
        """Read the connection again, so that the next request uses its present values."""
        settings = await self.aread_settings()
        sender = self._async_senders.get(asyncio.get_running_loop())
        if sender is not None and sender.settings != settings:
            del self._async_senders[asyncio.get_running_loop()]
            await sender.retire()  # requests under way may still finish
        return settings

    async def arun(self, flow: Flow[T]) -> T:
        """Carry out a flow asynchronously."""
        with as_airflow_exceptions():
            return await (await self._async_sender()).run(flow)

    async def asend(self, endpoint: Callable[P, Call[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Send one call, an endpoint with these arguments, asynchronously."""
        with as_airflow_exceptions():
            return await (await self._async_sender()).send(endpoint(*args, **kwargs))

    # -- life -----------------------------------------------------------------------------------------

    def close(self) -> None:
        """Close the client's connections. The hook stays usable and opens new ones when needed."""
        if sender := self.__dict__.pop("_sender", None):
            sender.close()

    async def aclose(self) -> None:
        """Close the connections of this event loop."""
        if sender := self._async_senders.pop(asyncio.get_running_loop(), None):
            await sender.aclose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    # -- test -----------------------------------------------------------------------------------------

    def test_connection(self) -> tuple[bool, str]:
        """Make one cheap read and describe the result. Never raises."""
        from airflow_provider_phonelink.api.senders import Sender

        try:
            with Sender(self.settings.model_copy(update={"max_retries": 0})) as sender:
                sender.send(self._probe())
        except Exception as error:  # whatever goes wrong, the form shows a sentence
            return False, _diagnosis(error, self.hook_name)
        return True, f"{self.hook_name} accepts the API key."


def _diagnosis(error: Exception, vendor: str) -> str:
    if isinstance(error, (AuthenticationError, AccessDeniedError)):
        return f"{vendor} refuses the API key. {error}"
    if isinstance(error, NoAnswerError):
        what = "TLS fails" if "SSL" in str(error) or "certificate" in str(error) else "No answer"
        return f"{what}; is the host right and reachable from here? {error}"
    if isinstance(error, (RateLimitedError, ServerError)):
        return f"{vendor} is in trouble or refuses for now; try again later. {error}"
    if isinstance(error, VendorError):
        return f"The host answers, but not like {vendor}'s API. {error}"
    return str(error)
