"""``storebridge``: the command line. One file per group of commands; all of them go through operations.

Exit status: 0 fine; 1 the command ran and found a problem; 2 wrong usage or configuration, with one line that says
what to change.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError

from storebridge import __version__
from storebridge.cli import (
    audit,
    baseline,
    campaign,
    exceptions,
    goods,
    orders,
    proving,
    reconcile,
    sandbox,
    secrets,
    serve,
    setup,
    status,
)
from storebridge.cli.output import tell
from storebridge.errors import ConfigurationError, StorebridgeError

GROUPS = (
    serve,
    status,
    goods,
    campaign,
    orders,
    exceptions,
    reconcile,
    baseline,
    audit,
    setup,
    secrets,
    sandbox,
    proving,
)


def build_app() -> App:
    """The whole command line."""
    app = App(
        name="storebridge",
        help="Keeps a Wix store and a Shopify store in step on one pool of stock, and can prove it.",
        version=__version__,
        help_format="markdown",
        result_action="return_value",
        exit_on_error=False,
        print_error=False,
    )
    for group in GROUPS:
        group.add_to(app)
    return app


def run_command(words: Sequence[str]) -> int:
    """Run one command; returns its exit status. Errors become one line on stderr."""
    try:
        status_code = build_app()(list(words))
    except CycloptsError as error:
        tell(f"storebridge: {' '.join(str(error).split())}")
        return 2
    except ConfigurationError as error:
        tell(f"storebridge: {error}")
        return 2
    except StorebridgeError as error:
        tell(f"storebridge: {error}")
        return 1
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
