"""``settlement`` and ``invoice``: a day's money reconciled, and what one order charged."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from storebridge.cli.desk import environment_of, reading, run
from storebridge.cli.examples import teach
from storebridge.cli.options import Common
from storebridge.cli.output import as_table, give, more_of
from storebridge.errors import ConfigurationError
from storebridge.model.settlement import Figures, Invoice, KeptStatement, Statement
from storebridge.operations.export_settlement import settlement_csv
from storebridge.operations.show_invoice import show_invoice
from storebridge.operations.show_settlement import (
    SettlementPage,
    day_named,
    list_settlements,
    show_settlement,
    show_settlements,
    yesterday,
)

Day = Annotated[str | None, Parameter(help="Such as 2026-11-25; yesterday unless given.")]


def show(
    *,
    day: Day = None,
    from_: Annotated[str | None, Parameter(name="--from", help="The first of several days.")] = None,
    to: Annotated[str | None, Parameter(help="The last of them; yesterday unless given.")] = None,
    version: Annotated[
        int | None, Parameter(help="A version as it was made; the books as of now unless given.")
    ] = None,
    csv: Annotated[bool, Parameter(help="One row a line, for a spreadsheet.", negative="")] = False,
    output: Annotated[str, Parameter(help="The file to write the CSV to; '-' is standard output.")] = "-",
    common: Common = Common(),  # noqa: B008 - frozen
) -> int:
    """The statement of a day, or of several. Exit status 1 when something differs."""
    found = run(_statements(common, day, from_, to, version))
    differs = any(kept.statement.differences for kept in found)
    if csv:
        _write(settlement_csv(found), output, common)
    elif common.json:
        give(found[0] if from_ is None else {"days": found}, (), as_json=True)
    else:
        give(None, [line for kept in found for line in (*statement_lines(kept), "")][:-1], as_json=False)
    return 1 if differs else 0


def _write(text: str, output: str, common: Common) -> None:
    if output != "-":
        Path(output).write_text(text, encoding="utf-8", newline="")
    elif not common.json:
        sys.stdout.write(text)
        return
    rows = text.count("\r\n") - 1
    given = {"rows": rows, "file": output, "csv": text if output == "-" else None}
    give(given, [f"{rows} rows."], as_json=common.json)


async def _statements(
    common: Common, day: str | None, first: str | None, last: str | None, version: int | None
) -> list[KeptStatement]:
    if (day is not None and first is not None) or (version is not None and first is not None):
        raise ConfigurationError("Name one day with --day (and --version), or several with --from and --to.")
    async with environment_of() as environment, reading(common) as (store, terms):
        until = yesterday(environment.clock.now(), terms)
        if first is not None:
            return await show_settlements(store, terms, day_named(first), until if last is None else day_named(last))
        wanted = until if day is None else day_named(day)
        return [await show_settlement(store, terms, wanted, version=version)]


def statement_lines(kept: KeptStatement) -> list[str]:
    """A statement for a person."""
    one = kept.statement
    made = f"version {kept.version} of {kept.made_at:%Y-%m-%d %H:%M} UTC" if kept.version else "as of now, not kept yet"
    found = [f"{one.day} ({one.time_zone}): {one.state.value}; {made}"]
    for name, books in one.books.items():
        read = f"read at {books.read_at:%Y-%m-%d %H:%M} UTC" if books.read_at else books.detail
        found.append(f"  {name}: provider's books {books.state.value}{f', {read}' if read else ''}")
    found += [f"INCOMPLETE: {gap}." for gap in one.gaps]
    if not one.lines:
        return [*found, "", "No order was placed and no money moved."]
    copied = [f"{one.copies} copies of these orders were compared; none is added."] if one.copies else []
    return [*found, *_sums(one), "", *_lines(one), *_differences(one), *copied]


def _sums(one: Statement) -> list[str]:
    moved = ("store", "orders", "ordered", "received", "refunded", "charged back", "fees", "other", "net", "payouts")
    parts = ("net of", "outside", "before", "awaited", "booked", "paid out")
    compared = ("compared", "store", "items", "ours", "theirs", "awaited", "difference")
    agreed = [
        (a.what.replace("_", " "), a.connection, a.items, a.ours, a.theirs, a.awaited, a.difference)
        for a in one.agreements
    ]
    return [
        "",
        *as_table(moved, map(_row, one.figures)),
        "",
        *as_table(parts, map(_parts, one.figures)),
        "",
        *as_table(compared, agreed),
    ]


def _lines(one: Statement) -> list[str]:
    rows = [
        (f"{x.at:%m-%d %H:%M}", x.connection, x.order_name or x.link.value, x.kind.value, x.amount, x.state.value)
        for x in one.lines
    ]
    return as_table(("UTC", "store", "order", "what", "amount", "state"), rows)


def _differences(one: Statement) -> list[str]:
    told = [
        f"{d.reason.value}: {d.order_name or d.subject}: {d.ours} here, {d.theirs} there, {d.difference} apart "
        f"({d.note})"
        for d in one.differences
    ]
    return ["", *told] if told else []


def _row(one: Figures) -> Sequence[object]:
    return (
        f"{one.connection} {one.currency}",
        one.orders,
        one.ordered.in_coins,
        one.received.in_coins,
        one.refunded.in_coins,
        one.charged_back.in_coins,
        one.fees.in_coins,
        one.adjusted.in_coins,
        one.net.in_coins,
        one.payouts.in_coins,
    )


def _parts(one: Figures) -> Sequence[object]:
    parts = (one.outside, one.before, one.awaited, one.booked, one.paid_out)
    return (f"{one.connection} {one.currency}", *(part.in_coins for part in parts))


def listing(
    *,
    limit: Annotated[int, Parameter(help="At most so many days.")] = 31,
    after: Annotated[str | None, Parameter(help="Where the page begins; from the page before.")] = None,
    common: Common = Common(),  # noqa: B008 - frozen
) -> int:
    """Days that have a statement, the newest first. Exit status 1 when something differs on one of them."""
    page = run(_page(common, after, limit))
    give(page, list(_days(page)), as_json=common.json)
    return 1 if any(one.differences for one in page.items) else 0


async def _page(common: Common, after: str | None, limit: int) -> SettlementPage:
    async with reading(common) as (store, terms):
        return await list_settlements(store, terms, after=after, limit=limit)


def _days(page: SettlementPage) -> Iterable[str]:
    if not page.items:
        return ["No day was settled yet: the first statement is made an hour after the first day is over."]
    rows = [
        (one.day, one.state.value, one.version, _nets(one.figures), len(one.differences) or None) for one in page.items
    ]
    return [*as_table(("day", "state", "version", "net", "differences"), rows), *more_of(page.after)]


def _nets(figures: Iterable[Figures]) -> str:
    return ", ".join(f"{one.connection} {one.net}" for one in figures) or "nothing"


def invoice(
    order: Annotated[str, Parameter(help="Its key, its store's id, or its name, such as '#1001'.")],
    /,
    *,
    common: Common = Common(),  # noqa: B008
) -> int:
    """What an order charged, and what was paid of it. Exit status 1 when its parts do not come to its total."""
    found = run(_invoice(common, order))
    give(found, invoice_lines(found), as_json=common.json)
    return 0 if all(check.agrees for check in found.checks) else 1


async def _invoice(common: Common, order: str) -> Invoice:
    async with reading(common) as (store, terms):
        return await show_invoice(store, terms, order)


def invoice_lines(one: Invoice) -> list[str]:
    """An invoice for a person, in the shop's currency; the buyer's total beside it where it is another."""
    placed = f"{one.order_name} of {one.connection} ({one.order_key}), placed {one.placed_at:%Y-%m-%d %H:%M} UTC"
    goods = [
        (line.title, line.sku or None, line.units, line.unit_price.shop, line.discount.shop, line.amount.shop)
        for line in (*one.lines, *one.shipping)
    ]
    found = [placed, "", *as_table(("what", "SKU", "units", "each", "discount", "amount"), goods), ""]
    found += [f"  {tax.title} {tax.rate}: {tax.amount.shop}" for tax in one.taxes]
    within = " (within the prices)" if one.tax_included else ""
    sums = (("goods", one.goods), ("shipping", one.shipping_total), (f"tax{within}", one.tax), ("other", one.other))
    found += [f"  {name}: {price.shop}" for name, price in sums]
    found.append(f"Total: {one.total.shop}" + _buyer(one))
    found += [f"  {pay.at:%Y-%m-%d %H:%M} {pay.kind} {pay.amount.shop} {pay.gateway}".rstrip() for pay in one.payments]
    found.append(f"Paid {one.paid.shop}, refunded {one.refunded.shop}, due {one.due.shop}.")
    told = [check for check in one.checks if not check.agrees]
    return found + [
        f"DIFFERS: {c.what}: {c.ours} here, {c.theirs} in {c.connection}, {c.difference} apart." for c in told
    ]


def _buyer(one: Invoice) -> str:
    if one.total.presentment.currency != one.currency:
        return f", the buyer saw {one.total.presentment}"
    if one.priced_in:
        return f", priced in {one.priced_in} at {one.conversion_rate or 'no single rate'}"
    return ""


group = App(name="settlement", help="A day's orders, payments, refunds, fees and payouts, reconciled to the cent.")
group.default(show)
group.command(show)
group.command(listing, name="list")
teach(group)
