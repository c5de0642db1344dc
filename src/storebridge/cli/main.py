"""``storebridge``: the command line. One file per group of commands; all of them go through operations.

Exit status: 0 fine; 1 the command ran and found a problem; 2 wrong usage or configuration, with one line that says
what to change. With ``--json`` an error is an object on the last line of stdout, too: ``error``, ``exit_status``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import NamedTuple

from cyclopts import App, CycloptsError

from storebridge import __version__
from storebridge.cli.examples import EXAMPLES, in_help
from storebridge.cli.failures import fail, misuse
from storebridge.cli.output import tell
from storebridge.errors import ConfigurationError, OutOfRangeError, StorebridgeError


class Command(NamedTuple):
    """A command on the first page of help."""

    where: str
    """Its function, or its group of commands, in a file beside this one."""
    summary: str


COMMANDS = {
    "serve": Command("serve:serve", "Web, webhook intake and workers in one process."),
    "worker": Command("serve:worker", "Workers only, any number of them, on PostgreSQL."),
    "status": Command(
        "status:status", "Both stores' health, backlog and oldest age per stage, open exceptions, drift."
    ),
    "stock": Command(
        "status:stock",
        "Why this number: pool, reserve, each store's level, unresolved writes, every movement with its cause.",
    ),
    "receive": Command("goods:receive", "Book goods that arrived into the pool."),
    "count": Command("goods:count", "A shelf count: this many units can be sold now, whatever the stores show."),
    "campaign": Command("campaign:group", "Escrow for a period: while it runs, no unit is shown in two stores."),
    "undo": Command(
        "undo:undo",
        "Take back edits by staff, receipts, counts and corrections of a period; the writes follow. Never sales.",
    ),
    "orders": Command("orders:group", "The single fulfilment queue: what is to be picked, packed and shipped."),
    "settlement": Command(
        "settlement:group", "A day's orders, payments, refunds, fees and payouts, reconciled to the cent."
    ),
    "invoice": Command(
        "settlement:invoice",
        "What an order charged, and what was paid of it. Exit status 1 when its parts do not come to its total.",
    ),
    "exceptions": Command("exceptions:group", "The exception queue: everything that a person must see."),
    "reconcile": Command(
        "reconcile:reconcile", "Compare both stores with the ledger now; exit status 1 when they differ."
    ),
    "replay": Command("reconcile:replay", "Run an event again. Everything is read anew; a stored plan is never sent."),
    "baseline": Command(
        "baseline:baseline",
        "What would be kept in step, what not and why, and which levels would change. Changes nothing by itself.",
    ),
    "audit": Command("audit:group", "The audit and its hash chain."),
    "init": Command("init:init", "Write a configuration by asking. An existing file is never replaced."),
    "check": Command(
        "check:check",
        "Verify configuration, credentials, scopes, clock, locations, webhooks and reachability. Changes nothing in "
        "any store.",
    ),
    "secrets": Command("secrets:group", "The encrypted table of secrets."),
    "sandbox": Command("sandbox:sandbox", "Serve a pretend Shopify store and a pretend Wix store with the same goods."),
    "demo": Command(
        "proving:demo", "Two pretend stores, shoppers, staff, and the bridge between them, live; then the report."
    ),
    "simulate": Command(
        "proving:simulate", "The deterministic simulation; a failing seed is printed with the command that replays it."
    ),
    "bench": Command(
        "proving:bench",
        "Measure: figures, the machine and the method. Nothing else should run on the machine meanwhile.",
    ),
}
"""Every command. A file is loaded when one of its commands is meant: loading all takes longer than most commands do,
and the first page of help needs none."""


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
    for name, command in COMMANDS.items():
        taught = {"help_epilogue": in_help(EXAMPLES[name])} if name in EXAMPLES else {}
        app.command(f"storebridge.cli.{command.where}", name=name, help=command.summary, **taught)
    return app


def run_command(words: Sequence[str]) -> int:
    """Run one command; returns its exit status. Errors become one line on stderr, and with ``--json`` one object."""
    try:
        status_code = build_app()(list(words))
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
