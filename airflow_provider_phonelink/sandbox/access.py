"""Whose key opens what. Keys are held here only, and shown by nothing."""

from __future__ import annotations

from dataclasses import dataclass, field

from airflow_provider_phonelink.sandbox.refusals import Refused

DASHA = "dasha"
CALLINGBOX = "callingbox"


@dataclass
class Access:
    """The API keys each vendor accepts."""

    _organisation_of: dict[tuple[str, str], str] = field(default_factory=dict, repr=False)
    _denied: set[tuple[str, str]] = field(default_factory=set, repr=False)

    def allow(self, vendor: str, key: str, organisation: str) -> None:
        """Let a key act for an organisation."""
        self._organisation_of[vendor, key] = organisation
        self._denied.discard((vendor, key))

    def deny(self, vendor: str, key: str) -> None:
        """Make a key one that is known but lacks access (403)."""
        self._denied.add((vendor, key))

    def revoke(self, vendor: str, key: str) -> None:
        """Make a key unknown (401)."""
        self._organisation_of.pop((vendor, key), None)
        self._denied.discard((vendor, key))

    def clear(self) -> None:
        """Forget all keys."""
        self._organisation_of.clear()
        self._denied.clear()

    def organisation(self, vendor: str, authorization: str | None) -> str:
        """
        Return the organisation a request acts for.

        :param authorization: the request's Authorization header.
        """
        scheme, _, key = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not key:
            raise Refused(401, "Missing or malformed Authorization header.")
        if (vendor, key) in self._denied:
            raise Refused(403, "The API key lacks access to this resource.")
        try:
            return self._organisation_of[vendor, key]
        except KeyError:
            raise Refused(401, "Invalid API key.") from None
