"""How much memory an answer or a rendered text can take: checked in a process that may not have more."""

from __future__ import annotations

import subprocess
import sys

import pytest

#: MiB above what the process has before it reads the answer: a small multiple of the largest body.
ALLOWANCE = 384

READ = """
import resource, sys
from airflow_provider_phonelink.api import answers, bodies, callingbox, dasha
from airflow_provider_phonelink.api.callingbox import endpoints as callingbox_endpoints
from airflow_provider_phonelink.api.dasha import endpoints as dasha_endpoints
from airflow_provider_phonelink.api.errors import VendorError
from airflow_provider_phonelink.api.redaction import Secrets

dasha.models, callingbox.models
head, item, tail, status = sys.argv[1:5]
count = (bodies.LARGEST_BODY - len(head) - len(tail)) // (len(item) + 1)
answer = answers.Answer(int(status), "", {}, (head + ",".join([item] * count) + tail).encode())
pages = int(open("/proc/self/statm").read().split()[0])
most = pages * resource.getpagesize() + int(sys.argv[5]) * 2**20
resource.setrlimit(resource.RLIMIT_AS, (most, most))
for call in (
    dasha_endpoints.list_numbers(),
    dasha_endpoints.affected_agents("a0000000-0000-4000-8000-000000000001"),
    callingbox_endpoints.list_numbers(),
    callingbox_endpoints.list_agents(),
    callingbox_endpoints.get_agent("a"),
):
    try:
        answers.interpret(call, answer, Secrets("sk_0123456789"))
    except VendorError as error:
        assert len(str(error)) < 1000, "a long message"
print("ok")
"""


RENDERED = """
import resource, sys
from airflow_provider_phonelink.api.errors import InvalidArgumentError
from airflow_provider_phonelink.api.templates import parse_rendered
from airflow_provider_phonelink.decisions.routes import COLUMNS
from airflow_provider_phonelink.files.reading import read_rows

opening, item, length = sys.argv[1], sys.argv[2], int(sys.argv[3])
text = opening + ",".join([item] * (length // (len(item) + 1)))
pages = int(open("/proc/self/statm").read().split()[0])
most = pages * resource.getpagesize() + int(sys.argv[4]) * 2**20
resource.setrlimit(resource.RLIMIT_AS, (most, most))
for read in (
    lambda: parse_rendered("pool", text + "]"),
    lambda: read_rows(text + "]", COLUMNS, argument="routes").each(dict),
):
    try:
        read()
    except InvalidArgumentError as error:
        assert len(str(error)) < 2000, "a long message"
print("ok")
"""


@pytest.mark.parametrize(
    ("opening", "item", "length"),
    [("[", "{}", 5 * 2**20), ("[" * 9999, "0", 2**18)],
)
def test_what_a_template_renders_is_read_or_refused_within_bounds(opening, item, length) -> None:
    done = subprocess.run(
        [sys.executable, "-c", RENDERED, opening, item, str(length), str(ALLOWANCE)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "ok\n", done.stderr[-2000:]


@pytest.mark.parametrize(
    ("status", "head", "item", "tail"),
    [
        (200, "[", "{}", "]"),
        (200, '{"items": [', "{}", '], "totalCount": 1, "skip": 0, "take": 1}'),
        (200, '{"data": [', '{"id": "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz"}', "]}"),
        (200, '{"id": "a", "affectedAgents": [', "null", "]}"),
        (400, '{"errors": [', '"x"', "]}"),
    ],
)
def test_a_hostile_answer_is_read_or_refused_within_bounds(status, head, item, tail) -> None:
    done = subprocess.run(
        [sys.executable, "-c", READ, head, item, tail, str(status), str(ALLOWANCE)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "ok\n", done.stderr[-2000:]
