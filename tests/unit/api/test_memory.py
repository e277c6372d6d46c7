"""How much memory an answer can take: checked in a process that may not have more."""

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
