"""The scope of a reconciliation: which links it may remove although no route mentions them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_phonelink.api import arguments, templates
from airflow_provider_phonelink.api.errors import InvalidArgumentError, NotNamedError, RoutesError
from airflow_provider_phonelink.api.text import as_text, clean, shown
from airflow_provider_phonelink.api.uuids import plain_id

if TYPE_CHECKING:
    from airflow_provider_phonelink.decisions.directory import Directory
    from airflow_provider_phonelink.decisions.links import Link, LinkRules

#: Everything that narrows a scope at one vendor or another.
KEYS = ("agents", "provider_id", "pool", "modes")


@dataclass(frozen=True)
class Scope:
    """A scope as written. A field that is None does not narrow it; a link has to match all the others."""

    modes: tuple[str, ...]
    agents: frozenset[str] | None = None
    provider_id: str | None = None
    #: Numbers, by id or phone number.
    pool: tuple[str, ...] | None = None

    @property
    def narrows_numbers(self) -> bool:
        """Whether the scope is limited to certain numbers."""
        return self.provider_id is not None or self.pool is not None

    def within(self, directory: Directory) -> KnownScope:
        """
        Resolve the numbers that the scope names.

        :raises RoutesError: If a number of the pool is unknown or ambiguous.
        """
        if not self.narrows_numbers:
            return KnownScope(self.modes, self.agents, None)
        found = set(directory.numbers)
        if self.provider_id is not None:
            found = {id_ for id_ in found if directory.numbers[id_].provider_id == self.provider_id}
        if self.pool is not None:
            found &= self._pooled(directory, self.pool)
        return KnownScope(self.modes, self.agents, frozenset(found))

    def _pooled(self, directory: Directory, pool: tuple[str, ...]) -> set[str]:
        found, problems = set(), []
        for name in pool:
            try:
                found.add(directory.find(name))
            except NotNamedError as error:
                problems.append(f"in the scope's pool, {error}")
        if problems:
            raise RoutesError(problems)
        return found


@dataclass(frozen=True)
class KnownScope:
    """A scope whose numbers are resolved to ids."""

    modes: tuple[str, ...]
    agents: frozenset[str] | None
    numbers: frozenset[str] | None

    def covers(self, link: Link) -> bool:
        """Return whether a link is in scope."""
        return (
            link.mode in self.modes
            and (self.agents is None or link.agent_id in self.agents)
            and (self.numbers is None or link.number_id in self.numbers)
        )


def parse_scope(value: object, rules: LinkRules) -> Scope | None:
    """
    Read a scope from plain data.

    :param value: None, or a mapping with any of the vendor's keys: ``agents`` (ids), ``provider_id``, ``pool``
        (numbers, by id or phone number) and ``modes``. A link has to match all that are given.
    :raises InvalidArgumentError: If it is anything else, or gives nothing but modes.
    """
    if value is None:
        return None
    keys = rules.scope_keys
    if not isinstance(value, Mapping):
        raise InvalidArgumentError("scope", f"{shown(value)} is not a mapping with {', '.join(keys)}.")
    if unknown := sorted(as_text(key) for key in value if not (isinstance(key, str) and key in keys)):
        raise InvalidArgumentError("scope", f"knows {', '.join(keys)}; not {clean(', '.join(unknown))}.")
    if not value.keys() - {"modes"}:
        names = [key for key in keys if key != "modes"]
        raise InvalidArgumentError("scope", f"is empty: name one of {', '.join(names)}, or several.")
    return _scope(value, rules)


def demand_scope(scope: Scope | None, prune: bool) -> None:
    """
    Refuse to prune without a scope.

    :raises InvalidArgumentError: If links are to be pruned but there is no scope.
    """
    if prune and scope is None:
        raise InvalidArgumentError(
            "prune",
            "needs a scope (agents, a provider or a pool): only links in it are ever removed unasked.",
        )


def _scope(given: Mapping[str, object], rules: LinkRules) -> Scope:
    provider_id = arguments.uuid if rules.uuids else arguments.opaque_id
    modes = templates.names("scope, modes", given.get("modes", rules.modes))
    return Scope(
        modes=tuple(arguments.choice("scope, modes", mode, rules.modes) for mode in modes),
        agents=_agents(given["agents"]) if "agents" in given else None,
        provider_id=provider_id("scope, provider_id", given["provider_id"])
        if "provider_id" in given
        else None,
        pool=tuple(map(plain_id, templates.names("scope, pool", given["pool"]))) if "pool" in given else None,
    )


def _agents(value: object) -> frozenset[str]:
    names = templates.names("scope, agents", value)
    return frozenset(arguments.opaque_id("scope, agents", name) for name in names)
