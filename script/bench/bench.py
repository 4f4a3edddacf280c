"""Run benchmarks by name and print each one's figures as one line of JSON.

With them goes ``load_1min``, the machine's load when the benchmark began: where it is not near 0, something else was
running, and a warning says so on stderr.
"""

import argparse
import difflib
import importlib
import json
import os
import sys
from pathlib import Path

from nntest.errors import NNTestError, UsageError

sys.path.insert(0, str(Path(__file__).parent))

NAMES = tuple(sorted(path.stem for path in (Path(__file__).parent / "benchmarks").glob("[a-z]*.py")))

# Of earlier benchmarks, a load of up to 1 is left behind.
_BUSY = 1.2


def main(arguments: list[str]) -> int:
    """Run the benchmarks that are named, or all; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, prog="script/bench/run.sh")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(NAMES)}; all without a name")
    parser.add_argument("--list", action="store_true", help="print the names and stop")
    options = parser.parse_args(arguments)
    if options.list:
        print("\n".join(NAMES))
        return 0
    try:
        for name in [_known(name) for name in options.names] or NAMES:
            load = os.getloadavg()[0]
            if load > _BUSY:
                print(
                    f"nntest bench: {name}: the load is {load:.1f}; figures of a busy machine say little",
                    file=sys.stderr,
                )
            figures = importlib.import_module(f"benchmarks.{name}").run()
            print(json.dumps({"benchmark": name, **figures, "load_1min": round(load, 2)}), flush=True)
    except NNTestError as error:
        print(f"nntest bench: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    return 0


def _known(name: str) -> str:
    if name in NAMES:
        return name
    nearest = difflib.get_close_matches(name, NAMES, n=1, cutoff=0.0)
    raise UsageError(f"{name}: no benchmark of that name was found; did you mean {nearest[0]}?")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
