"""The only place where real things are wired together. Tests and the simulation hand in their own world."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Coroutine, Sequence
from datetime import timedelta
from typing import Any

import msgspec

from storebridge.audit.chain import seal
from storebridge.config import (
    Config,
    WorkspaceConfig,
    resolve_secret,
)
from storebridge.connectors.catalog import build_connector
from storebridge.connectors.http import NoAnswer, NotSent, Request
from storebridge.connectors.port import CallTrouble, Connector
from storebridge.environment import Environment
from storebridge.errors import StoreUnavailableError
from storebridge.inventory.guard_health import FAILED
from storebridge.model.ids import ConnectionName, OrderKey, Workspace
from storebridge.model.sales import Order
from storebridge.model.settings import WorkspaceTerms
from storebridge.operations.keep_secret import StoredTokens, open_secret
from storebridge.operations.read_terms import terms_of
from storebridge.operations.run_baseline import BaselineReport, run_baseline
from storebridge.pipeline.checkout.desk import PROBE, UNSIGNED, CheckoutDesk
from storebridge.pipeline.checkout.questions import Counter
from storebridge.pipeline.deliver.answers import AnswerDesk, FoldAnswer, FoldLevels
from storebridge.pipeline.deliver.courier import LEASE_SECONDS, Courier
from storebridge.pipeline.deliver.order_writes import SendOrderWrites
from storebridge.pipeline.deliver.reading import Errand
from storebridge.pipeline.flow import CallWasAnswered, ReadCameBack, take_turn
from storebridge.pipeline.ingest.accept import Intake
from storebridge.pipeline.normalize.dispatch import dispatch_signals
from storebridge.pipeline.order_flow import WRITE_LOOK, OrderTurn
from storebridge.reconcile.backfill import BACKFILL_LOOK, ReadPastOrders
from storebridge.reconcile.books import BOOKS_LOOK, ReadBooks, ask_books
from storebridge.reconcile.catalogue import finish_listing
from storebridge.reconcile.checkouts import watch_guard
from storebridge.reconcile.doubts import resolve_doubts
from storebridge.reconcile.mark import MARK_LOOK, KeepMark, ask_for_marks, may_take_in
from storebridge.reconcile.orders import Keep, PollOrders, ReadOrders, read_unmapped_orders
from storebridge.reconcile.privacy import answer_privacy_request
from storebridge.reconcile.retention import end_and_tell
from storebridge.reconcile.rounds import make_round
from storebridge.reconcile.settlement import settle_days
from storebridge.reconcile.store_facts import LookAtStore
from storebridge.reconcile.sweep import ask_periodic, ask_sweep
from storebridge.store.connections import note_calls
from storebridge.store.copies import begin_copying
from storebridge.store.database import Store, Tx, open_store
from storebridge.store.leases import release, take
from storebridge.store.retention import is_cut_off
from storebridge.store.secrets import SecretBox
from storebridge.store.views import last_baseline
from storebridge.store.waiting import ClaimedLook, delay_looks, due_of_kind
from storebridge.telemetry.log import get_logger
from storebridge.work.retry import Breaker
from storebridge.work.wakes import Bell, Bells, Gong

DISPATCH_AT_ONCE = 500
BASELINE_LEASE_SECONDS = 120.0
BASELINE_RETRY_SECONDS = 5.0
BACKFILL_RETRY = timedelta(seconds=10)
HURRY_SECONDS = 60.0
"""Between rounds of the janitor while buyers are left whose time has come, as after a backfill of old orders."""


class Workbench:
    """One workspace's running parts."""

    def __init__(self, terms: WorkspaceTerms, connectors: dict[ConnectionName, Connector]) -> None:
        self.terms = terms
        self.connectors = connectors
        self.bearers = [name for name, connector in connectors.items() if connector.mark is not None]
        """Stores that bear the bridge's mark."""
        self.couriers: list[Courier] = []
        self.counters: dict[ConnectionName, Counter] = {}
        """Where the checkouts of guarded stores ask."""


class Bridge:
    """The whole product in one process: intake, dispatcher, couriers, sweeps, sealer."""

    def __init__(self, config: Config, environment: Environment, store: Store, *, owner: str) -> None:
        self.config = config
        self.environment = environment
        self.store = store
        self.owner = owner
        self._bells = Bells()
        self._gong = Gong()
        """Struck after every turn: checkouts may be waiting for it."""
        self.away = ""
        """Why the loops rest, while the database is away."""
        self._tasks: list[asyncio.Task[None]] = []
        self.workspaces: dict[Workspace, Workbench] = {}
        for name, workspace_config in config.workspaces.items():
            self._add_workspace(terms_of(name, workspace_config), workspace_config)
        self.intake = Intake(
            store,
            {
                (workspace, name): connector.webhooks
                for workspace, bench in self.workspaces.items()
                for name, connector in bench.connectors.items()
            },
            on_stored=self._bells["dispatch"].ring,
            on_gap=self._bells["gap"].ring,
        )

    def _add_workspace(self, terms: WorkspaceTerms, config: WorkspaceConfig) -> None:
        connectors = {
            ConnectionName(name): build_connector(
                ConnectionName(name),
                connection,
                self.environment,
                self._vault(terms.workspace, ConnectionName(name)),
                lambda secret: self._secret(terms.workspace, secret),
                keeps_orders=terms.keep_orders,
                gets_copies=terms.copy_to == name,
            )
            for name, connection in config.connections.items()
        }
        replacing = frozenset(name for name, one in connectors.items() if one.capabilities.replaces_copies)
        longest = {name: one.capabilities.lines_per_order for name, one in connectors.items()}
        shown = {
            name: one.capabilities.changes_lag_seconds + one.capabilities.late_landing_seconds
            for name, one in connectors.items()
        }
        known = msgspec.structs.replace(
            terms, copies_replaced_in=replacing, lines_per_order=longest, shown_within=shown
        )
        bench = Workbench(known, connectors)
        self.workspaces[terms.workspace] = bench
        bench.couriers = [self._courier(bench, connector) for connector in connectors.values()]
        for name in terms.guarded_stores:
            bench.counters[name] = Counter(terms, name, self.environment.ids, _adjusting(bench))

    def _vault(self, workspace: Workspace, connection: ConnectionName) -> StoredTokens:
        environment = self.environment
        return StoredTokens(
            self.store, workspace, connection, self._box(), environment.secure_chance, environment.clock
        )

    def _box(self) -> SecretBox | None:
        key = resolve_secret(
            self.config.server.secrets_key,
            self.environment.environ,
            self.environment.read_file,
            setting="server.secrets_key",
        )
        return None if key is None else SecretBox(key)

    def _secret(self, workspace: Workspace, name: str) -> str | None:
        """A credential that the configuration keeps in the encrypted table."""
        box = self._box()
        return None if box is None else self.store.read_now(open_secret, workspace, name, box)

    def _bell(self, workspace: Workspace, connection: ConnectionName) -> Bell:
        return self._bells["courier", workspace, connection]

    def wake(self, workspace: Workspace, connections: frozenset[ConnectionName]) -> None:
        """Ring the couriers of connections that have something to do."""
        for connection in sorted(connections):  # a set's own order changes from process to process
            self._bell(workspace, connection).ring()
        self._bells["seal"].ring()
        self._gong.ring()

    def checkout_desks(self) -> dict[tuple[Workspace, ConnectionName], CheckoutDesk]:
        """The desk of every guarded checkout."""
        return {
            (workspace, name): self._desk(bench, name)
            for workspace, bench in self.workspaces.items()
            for name in bench.counters
        }

    def _desk(self, bench: Workbench, name: ConnectionName) -> CheckoutDesk:
        guard = bench.connectors[name].checkout_guard
        assert guard is not None
        return CheckoutDesk(
            bench.terms,
            name,
            guard,
            bench.counters[name],
            store=self.store,
            clock=self.environment.clock,
            gong=self._gong,
            wake=lambda connections: self.wake(bench.terms.workspace, connections),
        )

    def _courier(self, bench: Workbench, connector: Connector) -> Courier:
        terms, environment = bench.terms, self.environment
        adjusting = _adjusting(bench)
        late_landing = timedelta(seconds=connector.capabilities.late_landing_seconds)

        def turn(tx: Tx, what: FoldLevels | FoldAnswer) -> frozenset[ConnectionName]:
            outcome = take_turn(tx, terms, environment.ids, adjusting, _occasion(connector, what))
            if not outcome.doubted:
                return outcome.wake
            resolve_doubts(tx, terms, connector.name, outcome.doubted, late_landing=late_landing)
            return outcome.wake | {connector.name}

        def wake(connections: frozenset[ConnectionName]) -> None:
            self.wake(terms.workspace, connections)

        answers = AnswerDesk(
            terms.workspace,
            connector,
            store=self.store,
            clock=environment.clock,
            chance=environment.chance,
            take_turn=turn,
            wake=wake,
        )
        errands: dict[str, Errand] = {
            "orders": ReadOrders(
                terms, connector, self.store, wake, keep=self._keep(terms) if terms.keep_orders else None
            ),
            WRITE_LOOK: SendOrderWrites(terms.workspace, connector, self.store, environment.ids, wake),
            "order_poll": PollOrders(terms, connector, self.store, every_seconds=terms.order_poll_seconds, wake=wake),
            "store": LookAtStore(
                terms, connector, self.store, address=self.address_of(terms.workspace, connector.name), wake=wake
            ),
            "catalogue": TakeInNew(self, terms.workspace, connector),
        }
        if terms.keep_orders:
            errands[BACKFILL_LOOK] = self._past_orders(bench, connector)
        if connector.books is not None:
            errands[BOOKS_LOOK] = ReadBooks(terms, connector, connector.books, self.store, wake)
        if connector.mark is not None:
            errands[MARK_LOOK] = KeepMark(terms, connector, connector.mark, self.store, environment.ids, wake)
        return Courier(
            terms.workspace,
            connector,
            owner=self.owner,
            store=self.store,
            clock=environment.clock,
            ids=environment.ids,
            bell=self._bell(terms.workspace, connector.name),
            breaker=Breaker(),
            answers=answers,
            errands=errands,
            nap_seconds=environment.pace.nap_seconds,
        )

    def _keep(self, terms: WorkspaceTerms) -> Keep:
        def keep(
            tx: Tx, connection: ConnectionName, orders: Sequence[Order], looks: Sequence[ClaimedLook]
        ) -> frozenset[ConnectionName]:
            turn = OrderTurn(tx, terms, self.environment.ids)
            turn.read(connection, orders, looks)
            return frozenset(turn.wake)

        return keep

    def _past_orders(self, bench: Workbench, connector: Connector) -> ReadPastOrders:
        terms = bench.terms

        def replan(tx: Tx, keys: Collection[OrderKey]) -> frozenset[ConnectionName]:
            turn = OrderTurn(tx, terms, self.environment.ids)
            turn.changed(keys)
            return frozenset(turn.wake)

        return ReadPastOrders(
            terms,
            connector,
            self.store,
            self.environment.clock,
            lambda connections: self.wake(terms.workspace, connections),
            keep=self._keep(terms),
            replan=replan,
        )

    def address_of(self, workspace: Workspace, connection: ConnectionName, *, room: str = "hooks") -> str:
        """Where this connection's store delivers to; with ``room="guard"`` where its checkout asks."""
        server = self.config.server
        base = (server.intake_url or f"http://{server.intake_listen}").rstrip("/")
        if len(self.config.workspaces) == 1:
            return f"{base}/{room}/{connection}"
        return f"{base}/{room}/{workspace}/{connection}"

    async def baseline(self, workspace: Workspace, *, sign_off: bool, actor: str) -> BaselineReport:
        """Survey the stores; with ``sign_off`` take in every linked SKU that is new."""
        bench = self.workspaces[workspace]
        report, wake = await run_baseline(
            self.store, bench.terms, bench.connectors, self.environment.ids, sign_off=sign_off, actor=actor
        )
        self.wake(workspace, wake)
        return report

    async def backfill(self, workspace: Workspace, seconds: float) -> None:
        """Read orders of the past for so long, of the stores whose courier does not run anywhere."""
        bench, clock = self.workspaces[workspace], self.environment.clock
        until = clock.monotonic() + seconds
        while clock.monotonic() < until:
            steps = [await self._past_step(bench, connector) for connector in bench.connectors.values()]
            if not any(steps):
                await clock.sleep(min(0.2, seconds))

    async def _past_step(self, bench: Workbench, connector: Connector) -> bool:
        """A step of a store's backfill, if it is due and nobody else may take it."""
        workspace, lease = bench.terms.workspace, f"courier/{connector.name}"
        due = await self.store.read(due_of_kind, workspace, connector.name, BACKFILL_LOOK)
        if not due:
            return False
        epoch = await self.store.run(take, workspace, lease, self.owner, LEASE_SECONDS)
        if epoch is None:
            return False
        try:
            await self._past_orders(bench, connector)(due)
        except CallTrouble as trouble:
            get_logger("backfill").warning("backfill_waits", connection=connector.name, trouble=str(trouble))
            await self.store.run(delay_looks, workspace, connector.name, due, BACKFILL_RETRY)
        finally:
            await self.store.run(release, workspace, lease, self.owner, epoch)
        return True

    async def start(self) -> None:
        """Start every loop. Nothing is read or written before the caller awaits something else."""
        for workspace, bench in self.workspaces.items():
            await self.store.run(begin_copying, workspace, bench.terms.copy_to)
            await self._compare_marks_first(bench)
            for name in bench.connectors:
                await self.store.run(ask_periodic, bench.terms, name)
                if bench.connectors[name].books is not None:
                    await self.store.run(ask_books, bench.terms, name)
            for courier in bench.couriers:
                self._spawn(courier.run(), f"courier {workspace}/{courier.connection}")
            for name in bench.counters:
                self._spawn(self._watch_guard(bench, name), f"guard {workspace}/{name}")
        self._spawn(self._dispatch(), "dispatch")
        self._spawn(self._sweep(), "sweep")
        self._spawn(self._sweep_after_gap(), "gap")
        self._spawn(self._seal(), "seal")
        self._spawn(self._tidy(), "janitor")
        self._spawn(self._settle(), "settlement")

    async def _compare_marks_first(self, bench: Workbench) -> None:
        """No courier writes before a mark was compared, where a store bears one."""
        if bench.bearers:
            since = await self.store.run(ask_for_marks, bench.terms.workspace, bench.bearers)
            for courier in bench.couriers:
                courier.write_nothing_before_mark(since)

    def begin(self) -> None:
        """Sign off the first baseline of every workspace that is configured to do so by itself."""
        for workspace, bench in self.workspaces.items():
            if bench.terms.baseline_by_itself:
                self._spawn(self._begin(workspace), f"baseline {workspace}")

    async def _begin(self, workspace: Workspace) -> None:
        """Tries until every store answers; one process of several does it."""
        while await self.store.read(last_baseline, workspace) is None:
            if await self.store.run(take, workspace, "baseline", self.owner, BASELINE_LEASE_SECONDS) is not None:
                try:
                    await self.baseline(workspace, sign_off=True, actor="storebridge")
                except CallTrouble as trouble:
                    get_logger("baseline").warning("baseline_waits", workspace=workspace, trouble=str(trouble))
            await self.environment.clock.sleep(BASELINE_RETRY_SECONDS)

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        self._tasks.append(asyncio.get_running_loop().create_task(work, name=name))

    def failed(self) -> BaseException | None:
        """Why a loop died, if one did: the process must not go on pretending. Of several the one that no database which
        comes back puts right."""
        ended = [task.exception() for task in self._tasks if task.done() and not task.cancelled()]
        died_of = [error for error in ended if error is not None]
        return min(died_of, key=lambda error: isinstance(error, StoreUnavailableError), default=None)

    async def stop(self) -> None:
        """Drain: finish what is on the wire, release leases, close."""
        await self.kill()
        for bench in self.workspaces.values():
            for connector in bench.connectors.values():
                await connector.close()
        await self.store.close()

    async def kill(self) -> None:
        """Drop every loop; the database is left as it is."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    async def _dispatch(self) -> None:
        while True:
            done = await self.store.run(dispatch_signals, DISPATCH_AT_ONCE)
            for workspace, connection in sorted(done.connections):
                self._bell(workspace, connection).ring()
            for workspace in sorted(done.privacy):
                await self._answer_privacy_requests(workspace)
            if done.signals < DISPATCH_AT_ONCE:
                await self._bells["dispatch"].wait(self.environment.pace.nap_seconds)

    async def _answer_privacy_requests(self, workspace: Workspace) -> None:
        while await self.store.run(answer_privacy_request, workspace):
            pass

    async def _sweep(self) -> None:
        while True:
            for workspace, bench in self.workspaces.items():
                self.wake(workspace, await self.store.run(make_round, bench.terms, bench.connectors, bench.bearers))
                await self._note_calls(bench)
            await self.environment.clock.sleep(self.environment.pace.sweep_tick_seconds)

    async def _note_calls(self, bench: Workbench) -> None:
        for name, connector in bench.connectors.items():
            if counts := connector.calls.take():
                percent = round(connector.budget.ratio() * 100)
                await self.store.run(note_calls, bench.terms.workspace, name, counts, percent)

    async def _sweep_after_gap(self) -> None:
        while True:
            if not await self._bells["gap"].wait(3600.0):
                continue
            for workspace, bench in self.workspaces.items():
                for name in bench.connectors:
                    await self.store.run(ask_sweep, bench.terms, name, everything=True)
                    await self.store.run(ask_periodic, bench.terms, name)
                    self._bell(workspace, name).ring()

    async def _watch_guard(self, bench: Workbench, name: ConnectionName) -> None:
        """Probe the guard as a buyer's checkout reaches it, end holds whose time is over, judge anew."""
        terms, clock = bench.terms, self.environment.clock
        seconds = terms.guard.probe / timedelta(seconds=1)
        while True:
            if await self.store.run(take, terms.workspace, f"guard/{name}", self.owner, 3 * seconds) is not None:
                milliseconds = await self._probe_guard(bench, name)
                wake = await self.store.run(bench.counters[name].expire)
                wake |= await self.store.run(watch_guard, terms, name, milliseconds)
                self.wake(terms.workspace, wake)
            await clock.sleep(seconds)

    async def _probe_guard(self, bench: Workbench, name: ConnectionName) -> int:
        """Milliseconds until the guard's public address turns an unsigned question away, the database's part included;
        FAILED when it does not."""
        guard, clock = bench.connectors[name].checkout_guard, self.environment.clock
        assert guard is not None
        url = self.address_of(bench.terms.workspace, name, room="guard") + guard.path
        patience = 2 * bench.terms.guard.answer_within / timedelta(seconds=1)
        began = clock.monotonic()
        try:
            answer = await self.environment.transport.send(Request("POST", url, {}, PROBE, patience))
        except (NoAnswer, NotSent):
            return FAILED
        return round((clock.monotonic() - began) * 1000) if answer.status == UNSIGNED else FAILED

    async def _seal(self) -> None:
        while True:
            for workspace in self.workspaces:
                await self.store.run(seal, workspace)
            await self.environment.clock.sleep(self.environment.pace.seal_seconds)

    async def _settle(self) -> None:
        while True:
            for bench in self.workspaces.values():
                await settle_days(self.store, bench.terms)
            await self.environment.clock.sleep(self.environment.pace.settle_seconds)

    async def _tidy(self) -> None:
        pace = self.environment.pace
        while True:
            more = False
            for bench in self.workspaces.values():
                ended = await self.store.run(end_and_tell, bench.terms)
                more = more or is_cut_off(ended)
                await self._answer_privacy_requests(bench.terms.workspace)
            await self.store.maintain()
            await self.environment.clock.sleep(
                min(HURRY_SECONDS, pace.janitor_seconds) if more else pace.janitor_seconds
            )


def _occasion(connector: Connector, what: FoldLevels | FoldAnswer) -> ReadCameBack | CallWasAnswered:
    if isinstance(what, FoldLevels):
        return ReadCameBack(what.connection, what.read, what.job.looks)
    call = what.job.call
    assert call.first_sent_at is not None
    return CallWasAnswered(
        connection=what.connection,
        call_id=call.call_id,
        style=connector.style_of(call.operation),
        rows=what.rows,
        resent=what.job.resent,
        first_sent_at=call.first_sent_at,
    )


def _adjusting(bench: Workbench) -> frozenset[ConnectionName]:
    """Stores whose keyed calls can carry a difference."""
    return frozenset(name for name, c in bench.connectors.items() if c.capabilities.write_style == "keyed")


class TakeInNew:
    """Errand: products changed, so list them again and take in SKUs that are new on both sides."""

    rows_per_read = 1

    def __init__(self, bridge: Bridge, workspace: Workspace, connector: Connector) -> None:
        self._bridge = bridge
        self._workspace = workspace
        self._connector = connector

    async def __call__(self, looks: tuple[Any, ...]) -> None:
        terms = self._bridge.workspaces[self._workspace].terms
        take_in = await self._bridge.store.read(may_take_in, self._workspace, terms.baseline_by_itself)
        await self._bridge.baseline(self._workspace, sign_off=take_in, actor="storebridge")
        await self._bridge.store.run(finish_listing, terms, self._connector.name, looks)
        self._bridge.wake(self._workspace, await self._bridge.store.run(read_unmapped_orders, self._workspace))


def build_bridge(config: Config, environment: Environment, *, store: Store | None = None) -> Bridge:
    """Wire everything. Raises ConfigurationError, StoreUnavailableError."""
    opened = store or open_store(config.server.store, clock=environment.clock, inline=environment.inline_store)
    return Bridge(config, environment, environment.wrap_store(opened), owner=environment.ids.new("worker"))
