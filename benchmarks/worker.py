"""
Call one function in a process of its own: `python -m benchmarks.worker module:function '{"parameter": ...}'`.

What it returns goes to standard output as the last line, as JSON.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module


def main() -> None:
    """Call the function that the command line names."""
    module, _, name = sys.argv[1].partition(":")
    result = getattr(import_module(module), name)(**json.loads(sys.argv[2]))
    sys.stdout.write("\n" + json.dumps(result) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
