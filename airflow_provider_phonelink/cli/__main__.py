"""``phonelink``, or ``python -m airflow_provider_phonelink.cli``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from airflow_provider_phonelink.cli.definition import parser

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run a command.

    :param arguments: The words after ``phonelink``; those of the process if not given.
    :return: The exit code: 0 all is as it should be, 2 it is not (drift), 1 an error.
    """
    options = parser().parse_args(arguments)
    from airflow_provider_phonelink.cli.running import run

    return run(options.function, options)


if __name__ == "__main__":
    sys.exit(main())
