"""Run one benchmark or all: ``python -m benchmarks [NAME] [options]``."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import benchmarks


def main(arguments: list[str]) -> int:
    """List the benchmarks, or run those named first, passing on what follows the name."""
    names = sorted(
        module.name for module in pkgutil.iter_modules(benchmarks.__path__) if not module.name.startswith("_")
    )
    if arguments and arguments[0] in {"-l", "--list"}:
        print("\n".join(names))
        return 0
    if arguments and not arguments[0].startswith("-"):
        if arguments[0] not in names:
            print(f"no benchmark {arguments[0]!r}; there are: {', '.join(names)}", file=sys.stderr)
            return 2
        names, arguments = [arguments[0]], arguments[1:]
    for name in names:
        importlib.import_module(f"benchmarks.{name}").main(arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
