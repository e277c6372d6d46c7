"""Where a program is. Debian keeps PostgreSQL's outside the PATH."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

POSTGRESQL = Path("/usr/lib/postgresql")


def find(program: str) -> str | None:
    """Return the path of a program: on the PATH, or in the newest PostgreSQL that Debian has installed."""
    newest_first = sorted(
        POSTGRESQL.glob("*/bin"), key=lambda folder: float(folder.parent.name), reverse=True
    )
    return shutil.which(program, path=os.pathsep.join([os.environ["PATH"], *map(str, newest_first)]))


def path_of(program: str) -> str:
    """Return the path of a program that has to be there."""
    found = find(program)
    if found is None:
        raise FileNotFoundError(
            f"There is no program {program} on this machine; `make system` and `make test-system` install it."
        )
    return found
