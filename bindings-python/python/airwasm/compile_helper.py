"""Compiles one component for a System with `compile_helper=True`, which runs this module in a process of its own."""

import sys

from ._airwasm import AirwasmError, _compile_helper


def main() -> int:
    try:
        _compile_helper()
    except AirwasmError as error:
        print(f"airwasm.compile_helper: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
