"""`python -m greylag.testing.model --script FILE.yaml`: serve scripts until interrupted."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from greylag.domain.errors import UsageError
from greylag.testing.model.files import __doc__ as format_of_files
from greylag.testing.model.files import load_scripts
from greylag.testing.model.server import ScriptedModel


def main() -> int:
    """Serve; says on standard error where."""
    parser = argparse.ArgumentParser(
        prog="python -m greylag.testing.model",
        description="A model that says what a file tells it to, on the wire of three APIs.",
        epilog=format_of_files,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--script", type=Path, required=True, metavar="FILE.yaml", help="what to say")
    parser.add_argument("--port", type=int, default=8378, help="on the loopback; 0 takes a free one")
    parser.add_argument("--socket", type=Path, help="a unix socket instead of a port")
    given = parser.parse_args()
    try:
        model = ScriptedModel(load_scripts(given.script), socket_path=given.socket, port=given.port)
        with model:
            sys.stderr.write(f"scripted model at {given.socket or model.url}\n")
            model.wait()
    except UsageError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
