"""``exceptions``: the exception queue. Decisions take case ids, or a filter for many at once."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Annotated, Any

from cyclopts import App, Parameter

from storebridge.cli.actor import actor
from storebridge.cli.desk import reading, run, write
from storebridge.cli.examples import teach
from storebridge.cli.options import Common, demand_connection
from storebridge.cli.output import as_table, give, more_of, tell
from storebridge.errors import ConfigurationError, NotFoundError, RefusedError
from storebridge.exceptions_queue import reasons
from storebridge.exceptions_queue.sentences import plainly
from storebridge.model.words import in_units
from storebridge.operations.list_cases import CaseFilter, CasePage, CaseView, list_cases, show_case
from storebridge.operations.losing_orders import LosingOrder
from storebridge.operations.settle_case import EVERYBODY, About, Choice

MOST_AT_ONCE = 1000

Reason = Annotated[str | None, Parameter(help="Cases of this reason only.")]
Sku = Annotated[str | None, Parameter(help="Cases of this SKU only.")]
Connection = Annotated[str | None, Parameter(help="Cases of this store only.")]
Note = Annotated[str, Parameter(help="Stands in the audit.")]

CaseArgument = Annotated[str, Parameter(help="From `exceptions list`.")]


def list_(
    *,
    state: Annotated[str, Parameter(help="open, resolved or any.")] = "open",
    reason: Reason = None,
    sku: Sku = None,
    connection: Connection = None,
    limit: Annotated[int, Parameter(help="At most so many.")] = 100,
    after: Annotated[str | None, Parameter(help="Where the page begins; from the page before.")] = None,
    common: Common = Common(),  # noqa: B008 - frozen
) -> int:
    """Cases, newest first."""
    if state not in ("open", "resolved", "any"):
        raise ConfigurationError(f"--state {state!r} is not known: give open, resolved or any.")
    wanted = _demand_known(common, CaseFilter(None if state == "any" else state, reason, sku, connection))
    page = run(_list(common, wanted, after, limit))
    give(page, case_lines(page), as_json=common.json)
    return 0


def _demand_known(common: Common, wanted: CaseFilter) -> CaseFilter:
    """The same filter. Raises ConfigurationError for a reason or a store that does not exist: no case would fit, and
    "none" would read as good news."""
    demand_connection(common, wanted.connection)
    known = [reason.value for reason in reasons.Reason]
    if wanted.reason is not None and wanted.reason not in known:
        near = get_close_matches(wanted.reason, known, 3) or ["change_held", "write_refused"]
        raise ConfigurationError(
            f"--reason {wanted.reason!r} is no reason of a case: did you mean {' or '.join(near)}? storebridge "
            "exceptions list shows those that are open."
        )
    return wanted


async def _list(common: Common, wanted: CaseFilter, after: str | None, limit: int) -> CasePage:
    async with reading(common) as (store, terms):
        return await list_cases(store, terms.workspace, wanted, after=after, limit=limit)


def case_lines(page: CasePage) -> list[str]:
    """One line per case."""
    rows = [
        (c.case_id, c.reason, c.sku or c.subject, c.whose_move, f"{c.opened_at:%Y-%m-%d %H:%M}") for c in page.items
    ]
    if not rows:
        return ["No such cases."]
    advice = "What happened, and which answers it takes: storebridge exceptions show CASE."
    return [*as_table(("case", "reason", "about", "to act", "since"), rows), "", *more_of(page.after), advice]


def show(case_id: CaseArgument, /, *, common: Common = Common()) -> int:  # noqa: B008 - frozen
    """One case: what happened, what to do, what closes it."""
    view = run(_show(common, case_id))
    give(view, view_lines(view), as_json=common.json)
    return 0


async def _show(common: Common, case_id: str) -> CaseView:
    async with reading(common) as (store, terms):
        return await show_case(store, terms.workspace, case_id)


def view_lines(view: CaseView) -> list[str]:
    """A case as text."""
    case = view.case
    lines = [f"{case.case_id}  {case.reason}  ({case.state})", plainly(case.sentence, case.payload), ""]
    facts = dict(case.payload or {})
    if view.location:
        facts["location"] = f"{view.location} ({facts['location']})"
    lines += [f"{name}: {value}" for name, value in facts.items()]
    lines += [f"To act: {case.whose_move}. Seen {case.occurrences}x since {case.opened_at:%Y-%m-%d %H:%M:%S}."]
    lines += [f"Closes when {view.closes_when}."]
    lines += [_loser_line(one) for one in view.losers]
    if view.choices:
        lines.append(f"Answers: {', '.join(view.choices)}.")
        lines.append(f"Give one: storebridge exceptions resolve {case.case_id} --as ANSWER")
    return lines


def _loser_line(one: LosingOrder) -> str:
    beside = ", ".join(f"{units} x {name}" for name, units in one.beside.items())
    stays = f"; besides in it: {beside}" if beside else ""
    chosen = f"; chosen: {one.choice}" if one.choice else ""
    name = f"{one.name} of {one.connection} ({one.order_key})"
    return f"Cannot be met: {name}, {in_units(one.units)} missing{stays}{chosen}"


def retry(
    *case_ids: str,
    reason: Reason = None,
    sku: Sku = None,
    connection: Connection = None,
    common: Common = Common(),  # noqa: B008 - frozen
) -> int:
    """Look again now."""
    return _settle(common, case_ids, CaseFilter("open", reason, sku, connection), Choice.RETRY, "")


def edit(
    case_id: CaseArgument,
    /,
    *,
    sku: Annotated[str | None, Parameter(help="The SKU that is meant.")] = None,
    common: Common = Common(),  # noqa: B008, ARG001 - frozen; every command takes these
) -> int:
    """Correct what a case is about; no reason's cases can be edited in this version, and it says what to do instead.

    What stock cases are about (a SKU that is blank, twice there, or unlike its twin) lies in the stores, and a
    correction kept only here would be undone by the next look at them.
    """
    meant = "the SKU" if sku is None else f"the SKU to {sku!r}"
    raise ConfigurationError(
        f"Case {case_id} cannot be edited: in this version there is no reason whose cases can be. "
        f"Change {meant} in the store's admin, then: storebridge exceptions retry {case_id}."
    )


def release(
    *case_ids: str,
    reason: Reason = None,
    sku: Sku = None,
    connection: Connection = None,
    note: Note = "",
    common: Common = Common(),  # noqa: B008 - frozen
) -> int:
    """Let what was stopped go on."""
    return _settle(common, case_ids, CaseFilter("open", reason, sku, connection), Choice.RELEASE, note)


def resolve(
    *case_ids: str,
    choice: Annotated[Choice, Parameter(name=["--choice", "--as"], help="What is decided.")] = Choice.DONE,
    reason: Reason = None,
    sku: Sku = None,
    connection: Connection = None,
    note: Note = "",
    order: Annotated[
        tuple[str, ...], Parameter(help="Of an oversold case: decide about this losing order only. May be repeated.")
    ] = (),
    whole: Annotated[bool, Parameter(help="Cancel calls off all that is in the orders.", negative="")] = False,
    common: Common = Common(),  # noqa: B008 - frozen
) -> int:
    """Settle cases: accept, reject, applied, not_applied, release, wait, substitute, split, cancel or done; a case says
    which fit."""
    about = About(tuple(order), whole)
    return _settle(common, case_ids, CaseFilter("open", reason, sku, connection), choice, note, about)


def _settle(
    common: Common,
    case_ids: tuple[str, ...],
    wanted: CaseFilter,
    choice: Choice,
    note: str,
    about: About = EVERYBODY,
) -> int:
    """One decision for every case that is meant; a refusal stops none of the others."""
    settled: list[dict[str, Any]] = []
    refused: list[dict[str, str]] = []
    for case_id in _meant(common, case_ids, wanted):
        try:
            settled.append(_settle_one(common, case_id, choice, note, about))
        except (RefusedError, NotFoundError) as error:
            tell(f"storebridge: {error}")
            refused.append({"case_id": case_id, "error": str(error)})
    lines = [line for one in settled for line in _told(one)]
    none = [] if refused else ["No open case fits."]
    give({"settled": settled, "refused": refused}, lines or none, as_json=common.json)
    return 1 if refused else 0


def _told(one: dict[str, Any]) -> list[str]:
    told = [f"  {line}" for line in one["told"]]
    return [f"{one['case_id']}: {one['choice']}{'' if one['closed'] or told else ', looking again'}", *told]


def _settle_one(common: Common, case_id: str, choice: Choice, note: str, about: About) -> dict[str, Any]:
    body: dict[str, Any] = {"choice": choice.value, "note": note, "actor": actor()}
    body |= {"orders": list(about.orders)} if about.orders else {}
    body |= {"whole": True} if about.whole else {}
    where = f"exceptions/{case_id}/resolve"
    return run(write(common, lambda desk: desk.settle(case_id, choice, note, about), where, body))


def _meant(common: Common, case_ids: tuple[str, ...], wanted: CaseFilter) -> list[str]:
    if case_ids:
        return run(_demand_cases(common, case_ids))
    if wanted.reason is None and wanted.sku is None and wanted.connection is None:
        raise ConfigurationError("Name cases by id, or give --reason, --sku or --connection.")
    wanted = _demand_known(common, wanted)
    return [case.case_id for case in run(_list(common, wanted, None, MOST_AT_ONCE)).items]


async def _demand_cases(common: Common, case_ids: tuple[str, ...]) -> list[str]:
    """The same ids, each once. Raises before the first is settled: `resolve CASE cancel` once closed the case as
    done, and only then said that there is no case `cancel`."""
    for choice in Choice:
        if choice in case_ids:
            raise ConfigurationError(
                f"{choice.value!r} is a decision and no case: write --choice {choice.value}. Nothing was changed."
            )
    async with reading(common) as (store, terms):
        for case_id in case_ids:
            await show_case(store, terms.workspace, case_id)
    return list(dict.fromkeys(case_ids))


group = App(name="exceptions", help="The exception queue: everything that a person must see.")
group.default(list_)
group.command(list_, name="list")
group.command(show)
group.command(retry)
group.command(edit)
group.command(release)
group.command(resolve)
teach(group)
