"""What each command looks like when it is used: shown under its ``--help``, and one of them where it was misused.

A test has the command line read every one of them, so none can go stale.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from cyclopts import App

EXAMPLES: dict[str, tuple[tuple[str, str], ...]] = {
    "serve": (
        ("serve", "everything in one process, by storebridge.toml"),
        ("serve --config shop.toml --policy escrow", "another file; escrow for this run"),
    ),
    "worker": (("worker --config shop.toml", "more workers beside serve, on PostgreSQL"),),
    "status": (
        ("status", "how it is; exit status 1 when something is wrong"),
        ("status --json", "the same for a script"),
    ),
    "stock": (
        ("stock MUG-BLUE", "why the stores show what they show"),
        ("stock MUG-BLUE --before 4711", "the movements before number 4711"),
    ),
    "receive": (
        ("receive MUG-BLUE 12", "twelve mugs arrived"),
        ("receive MUG-BLUE 12 --group berlin", "they lie in Berlin, where the SKU has several groups"),
    ),
    "count": (
        ("count MUG-BLUE 40", "forty can be sold now, whatever the stores show"),
        ("count MUG-BLUE 0", "there are none"),
    ),
    "campaign start": (
        ("campaign start --for 6", "every SKU under escrow for six hours"),
        ('campaign start --for 48 --sku "TEE-*"', "only those of a pattern"),
    ),
    "campaign stop": (
        ("campaign stop", "end all of them now"),
        ('campaign stop --sku "TEE-*"', "end this one"),
    ),
    "campaign status": (("campaign status", "what runs, and until when"),),
    "undo": (
        ("undo --minutes 30", "what would be taken back; nothing is changed"),
        ('undo --minutes 30 --sku "TEE-*" --apply', "do it, for these SKUs"),
        ("undo --since 2026-11-25T10:00 --until 2026-11-25T10:20 --connection wix", "edits in one store's admin"),
    ),
    "orders list": (
        ("orders", "what is to be done, newest first"),
        ("orders --location Berlin --sort promise", "what that warehouse has to send, the most urgent first"),
        ("orders --place oversold --connection wix", "orders that cannot be met, of one store"),
        ("orders --search '#1001'", "by name"),
    ),
    "orders pick-list": (
        ("orders pick-list", "what to fetch from the shelf for all orders that are ready"),
        ("orders pick-list --location Lyon", "what Lyon fetches"),
    ),
    "orders show": (("orders show '#1001'", "one order with its history"),),
    "orders step": (
        ("orders step '#1001' picked", "all of it is picked"),
        ("orders step '#1001' packed --line MUG-BLUE=2", "two of a line are packed"),
        ("orders step picked --all-of-pick-list", "all that was fetched is not listed again"),
    ),
    "orders ship": (
        ("orders ship '#1001' --company DHL --number 00340434", "all that is left went out"),
        ("orders ship '#1001' --line MUG-BLUE=2 --reference parcel-7", "a part; the same again changes nothing"),
    ),
    "orders ready": (("orders ready '#1001'", "its buyer can collect it"),),
    "orders handed-over": (
        ("orders handed-over '#1001'", "it was collected, or you brought it"),
        ("orders handed-over '#1001' --line MUG-BLUE=1", "a part of it"),
    ),
    "orders track": (("orders track '#1001' parcel-7 --company DHL --number 00340434", "tracking that came later"),),
    "orders withdraw": (("orders withdraw '#1001' parcel-7", "the parcel did not leave"),),
    "orders hold": (
        ("orders hold '#1001' --why 'asks for another colour'", "the warehouse does not see it"),
        ("orders hold '#1001' --release", "let it go on"),
    ),
    "orders export": (("orders export --output orders.csv", "what is to be shipped, one row a line"),),
    "orders import": (("orders import parcels.csv", "note the parcels of a file; twice is once"),),
    "orders backfill": (
        ("orders backfill --days 90", "read the orders of 90 days beside the live work"),
        ("orders backfill", "how far it is"),
    ),
    "settlement show": (
        ("settlement", "yesterday's money, to the cent"),
        ("settlement --from 2026-11-01 --to 2026-11-30 --csv", "a month for a spreadsheet"),
    ),
    "settlement list": (("settlement list", "the days that have a statement"),),
    "invoice": (("invoice '#1001'", "what one order charged and what was paid"),),
    "exceptions list": (
        ("exceptions list", "what waits for somebody"),
        ("exceptions list --reason change_held --connection wix", "of one kind, of one store"),
    ),
    "exceptions show": (("exceptions show case_3f0c", "what happened, what closes it, which answers it takes"),),
    "exceptions retry": (
        ("exceptions retry case_3f0c", "look again now"),
        ("exceptions retry --reason write_refused", "every open case of that kind"),
    ),
    "exceptions edit": (("exceptions edit case_3f0c --sku MUG-BLUE", "says what to do instead"),),
    "exceptions release": (("exceptions release case_3f0c --note 'the sale was real'", "let what was stopped go on"),),
    "exceptions resolve": (
        ("exceptions resolve case_3f0c --as accept", "the held change is real"),
        ("exceptions resolve case_3f0c --as cancel --order '#1001'", "what is missing goes off one oversold order"),
        ("exceptions resolve --reason sku_blank --as done --note 'not for sale'", "many at once"),
    ),
    "replay": (("replay --event 4711", "run a signal again; everything is read anew"),),
    "reconcile": (
        ("reconcile", "compare both stores with the ledger; exit status 1 when they differ"),
        ("reconcile --repair", "have what differs read and planned again"),
    ),
    "baseline": (
        ("baseline", "what would be kept in step; changes nothing"),
        ("baseline --sign-off", "begin"),
    ),
    "audit verify": (("audit verify", "was any row edited, removed or slipped in?"),),
    "audit export": (("audit export --out audit.jsonl", "every sealed row with its link"),),
    "init": (
        ("init", "asks, and writes storebridge.toml"),
        ("init --config shop.toml", "another file"),
    ),
    "check": (("check", "credentials, scopes, clock, locations; changes nothing"),),
    "secrets key": (("secrets key", "a new key for secrets_key"),),
    "secrets set": (("secrets set shopify_secret", "asks without echo, or reads one line of stdin"),),
    "secrets list": (("secrets list", "names, never values"),),
    "sandbox": (
        ("sandbox --write-config storebridge.toml", "two pretend stores, and the file to serve them with"),
        ("sandbox --faults storm --seed 7", "stores in bad weather"),
    ),
    "demo": (
        ("demo", "thirty seconds of trade, then the report"),
        ("demo --for 60 --policy escrow --faults some --seed 3", "longer, under escrow, with faults"),
    ),
    "simulate": (
        ("simulate --seeds 10", "ten seeds of the whole product on virtual time"),
        ("simulate --scope core --seeds 20000", "the pure core, in minutes"),
    ),
    "bench": (("bench pipeline", "figures, the machine, the method"),),
}
"""A command and how it is used: what to type after ``storebridge``, and what for."""


def teach(group: App) -> None:
    """Put the examples under the help of every command of a group."""
    for name in commands_below(group):
        if (examples := EXAMPLES.get(f"{group.name[0]} {name}")) is not None:
            group[name].help_epilogue = in_help(examples)


def in_help(examples: tuple[tuple[str, str], ...]) -> str:
    """Examples as the last part of a help page."""
    told = "\n".join(f"- `storebridge {words}`: {what}" for words, what in examples)
    return f"Examples:\n\n{told}"


def words_of(example: str) -> list[str]:
    """What a shell makes of an example."""
    return shlex.split(example)


def example_of(command: str) -> str:
    """A sentence that shows how a command is used; empty for one that has no example."""
    for name in (command, f"{command} list", f"{command} show", f"{command} status"):
        if name in EXAMPLES:
            return f"For example: `storebridge {EXAMPLES[name][0][0]}`."
    return ""


def commands_below(app: App, prefix: str = "") -> Iterator[str]:
    """The names of all commands that do something."""
    for name in app:
        if name.startswith("-"):
            continue
        below = list(commands_below(app[name], f"{prefix}{name} "))
        yield from below or [f"{prefix}{name}"]
