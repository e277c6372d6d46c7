from __future__ import annotations

import copy
import inspect
import pickle
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import airflow_provider_phonelink
from airflow_provider_phonelink import exceptions
from airflow_provider_phonelink.api import errors
from airflow_provider_phonelink.api.errors import (
    InvalidArgumentError,
    PhonelinkError,
    RateLimitedError,
    RoutesError,
    VendorError,
)
from airflow_provider_phonelink.exceptions import PhonelinkFailException, PhonelinkRetryableException

PACKAGE = Path(airflow_provider_phonelink.__file__).parent
RETRY_HELPS = {
    "NoAnswerError",
    "UnreadableAnswerError",
    "ServerError",
    "RateLimitedError",
    "ReportError",
    "NotTakenEffectError",
    "PoolUnhealthyError",
    "AttachmentInterruptedError",
    "BodyError",
    "SourceUnavailableError",
}


def tree(kind: type[PhonelinkError]) -> list[type[PhonelinkError]]:
    return [kind, *(found for child in kind.__subclasses__() for found in tree(child))]


CLASSES = [kind for kind in tree(PhonelinkError) if kind.__module__.startswith("airflow_provider_phonelink")]


def example(kind: type[PhonelinkError]) -> PhonelinkError:
    if issubclass(kind, VendorError):
        return kind("went wrong.", method="GET", path="/x", status=599, request_id="r", retry_after=3.0)
    if issubclass(kind, InvalidArgumentError):
        return kind("take", "is wrong.")
    if issubclass(kind, RoutesError):
        return kind(["route 1: no such number", "route 2: no such agent"])
    return kind("went wrong")


def test_all_errors_of_the_package_are_in_one_file() -> None:
    defined = {
        path.relative_to(PACKAGE).as_posix(): re.findall(
            r"^class (\w+(?:Error|Exception))\(", path.read_text(encoding="utf-8"), re.M
        )
        for path in PACKAGE.rglob("*.py")
    }
    assert {path for path, names in defined.items() if names} == {"api/errors.py", "exceptions.py"}
    assert {kind.__module__ for kind in CLASSES} == {errors.__name__}


def test_no_exception_of_the_package_is_outside_the_tree() -> None:
    for path in PACKAGE.rglob("*.py"):
        if "sandbox" in path.parts or path.stem == "__main__":
            continue
        module = import_module(".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts))
        for _, kind in inspect.getmembers(module, inspect.isclass):
            if issubclass(kind, BaseException) and kind.__module__ == module.__name__:
                assert kind in {*CLASSES, PhonelinkFailException, PhonelinkRetryableException}


def test_the_docstring_draws_the_tree() -> None:
    """Each error stands under its parent, indented by one more level."""
    drawn = []
    parents: dict[int, str] = {}
    for line in str(errors.__doc__).splitlines():
        if match := re.match(r"([\s│├└─]*)([A-Z]\w+(?:Error|Exception))\b(.*)", line):
            level = len(match[1])
            parents = {key: name for key, name in parents.items() if key < level}
            drawn.append((match[2], parents[max(parents)] if parents else None, "a retry helps" in match[3]))
            parents[level] = match[2]
    expected = {(kind.__name__, kind.__bases__[0].__name__, kind.retry_helps) for kind in CLASSES[1:]}
    airflow = {
        (kind.__name__, kind.__bases__[0].__name__)
        for kind in (PhonelinkFailException, PhonelinkRetryableException)
    }
    ours = {entry for entry in drawn if hasattr(errors, entry[0]) and entry[1]}
    assert ours == expected
    assert len(drawn) == len(set(drawn))
    assert airflow <= {entry[:2] for entry in drawn}


def test_the_page_shows_every_error() -> None:
    page = (PACKAGE.parent / "docs" / "reference" / "errors.md").read_text(encoding="utf-8")
    assert re.search(rf"automodule:: {re.escape(errors.__name__)}\n\s+:members:", page)
    for name in ("PhonelinkFailException", "PhonelinkRetryableException"):
        assert f"autoexception:: {exceptions.__name__}.{name}" in page
    assert all(kind.__doc__ for kind in CLASSES)


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_says_whether_a_retry_helps(kind) -> None:
    assert kind.retry_helps is (kind.__name__ in RETRY_HELPS)


@pytest.mark.parametrize("kind", [*CLASSES, PhonelinkFailException, PhonelinkRetryableException])
@pytest.mark.parametrize(
    "twin",
    [
        *(
            lambda error, protocol=protocol: pickle.loads(pickle.dumps(error, protocol))  # noqa: S301 - our own bytes
            for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
        ),
        copy.copy,
        copy.deepcopy,
    ],
)
def test_every_error_survives_pickle_and_copy(kind, twin) -> None:
    error: Any = example(kind) if issubclass(kind, PhonelinkError) else kind("went wrong")
    error.seen = "on Monday"
    other = twin(error)
    assert type(other) is kind
    assert (str(other), other.args, vars(other)) == (str(error), error.args, vars(error))
    assert other is not error


def test_a_vendor_error_carries_what_a_program_needs() -> None:
    error = RateLimitedError(
        "answered 429.", method="GET", path="/x", status=429, request_id="r", retry_after=3.0
    )
    assert (error.method, error.path, error.status, error.request_id, error.retry_after) == (
        "GET",
        "/x",
        429,
        "r",
        3.0,
    )
    assert str(error) == f"GET /x: answered 429. [request id r] {error.advice}"


@pytest.mark.parametrize("kind", [kind for kind in CLASSES if issubclass(kind, VendorError)])
def test_advice_completes_the_message(kind) -> None:
    assert str(kind("problem.", method="GET", path="/x")) == f"GET /x: problem. {kind.advice}".strip()


def test_a_bad_argument_is_also_a_value_error() -> None:
    assert isinstance(InvalidArgumentError("take", "is wrong."), ValueError)


def test_no_error_forges_a_line() -> None:
    for error in (
        InvalidArgumentError("a\nb", "\x1b[31m\u202e."),
        RoutesError(["\r\nERROR forged"]),
        VendorError("\u2028\x9b", method="GET", path="/\n", request_id="\x07"),
        pickle.loads(pickle.dumps(RoutesError(["a\nb"]))),  # noqa: S301 - our own bytes
    ):
        assert str(error).isprintable()


@pytest.mark.parametrize(
    ("error", "repeated", "is_unknown"),
    [
        (errors.NoAnswerError("no answer", method="PUT", path="/x"), False, True),
        (errors.ServerError("answered 503", method="PUT", path="/x", status=503), False, True),
        (errors.RejectedError("answered 422", method="PUT", path="/x", status=422), False, False),
        (errors.RejectedError("answered 422", method="PUT", path="/x", status=422), True, True),
        (errors.NoAnswerError("no answer", method="GET", path="/x"), False, False),
    ],
)
def test_a_write_that_may_have_taken_effect_is_called_so(error, repeated, is_unknown) -> None:
    error.repeated = repeated
    with pytest.raises(type(error), match=r"^Linking failed: ") as caught, errors.telling("Linking"):
        raise error
    assert ("may have taken effect" in str(caught.value)) is is_unknown
