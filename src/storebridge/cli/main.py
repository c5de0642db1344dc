"""``storebridge``: the command line. One file per group of commands; all of them go through operations.

Exit status: 0 fine; 1 the command ran and found a problem; 2 wrong usage or configuration, with one line that says
what to change. With ``--json`` an error is an object on the last line of stdout, too: ``error``, ``exit_status``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

from cyclopts import App, CycloptsError

from storebridge import __version__
from storebridge.cli.examples import teach
from storebridge.cli.failures import fail, misuse
from storebridge.cli.output import tell
from storebridge.errors import ConfigurationError, OutOfRangeError, StorebridgeError

GROUPS = {
    "serve": ("serve", "worker"),
    "status": ("status", "stock"),
    "goods": ("receive", "count"),
    "campaign": ("campaign",),
    "undo": ("undo",),
    "orders": ("orders",),
    "settlement": ("settlement", "invoice"),
    "exceptions": ("exceptions",),
    "reconcile": ("reconcile", "replay"),
    "baseline": ("baseline",),
    "audit": ("audit",),
    "init": ("init",),
    "check": ("check",),
    "secrets": ("secrets",),
    "sandbox": ("sandbox",),
    "proving": ("demo", "simulate", "bench"),
}
"""The files with commands, and which. Loading all of them takes longer than most commands do."""


def build_app(words: Sequence[str] = ()) -> App:
    """The whole command line, or as much of it as these words need."""
    app = App(
        name="storebridge",
        help="Keeps a Wix store and a Shopify store in step on one pool of stock, and can prove it.",
        version=__version__,
        help_format="markdown",
        result_action="return_value",
        exit_on_error=False,
        print_error=False,
    )
    meant = [group for group, commands in GROUPS.items() if words and words[0] in commands]
    for group in meant or GROUPS:
        import_module(f"storebridge.cli.{group}").add_to(app)
    teach(app)
    return app


def run_command(words: Sequence[str]) -> int:
    """Run one command; returns its exit status. Errors become one line on stderr, and with ``--json`` one object."""
    try:
        status_code = build_app(words)(list(words))
    except CycloptsError as error:
        return fail(words, misuse(error, words), 2)
    except (ConfigurationError, OutOfRangeError) as error:
        return fail(words, str(error), 2)
    except StorebridgeError as error:
        return fail(words, str(error), 1)
    except KeyboardInterrupt:
        tell("storebridge: stopped.")
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status_code if isinstance(status_code, int) else 0


def main() -> None:
    """The entry point."""
    sys.exit(run_command(sys.argv[1:]))


if __name__ == "__main__":
    main()
