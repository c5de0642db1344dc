"""The only place where real things are wired together. Tests and the simulation hand in their own world."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from storebridge.audit.chain import seal
from storebridge.clock import Clock, Ids, RandomIds, SystemClock
from storebridge.config import Config, OverrideConfig, WorkspaceConfig, resolve_secret, share_of
from storebridge.connectors.aiohttp_transport import AiohttpTransport
from storebridge.connectors.catalog import build_connector
from storebridge.connectors.http import Transport
from storebridge.connectors.port import CallTrouble, Connector
from storebridge.errors import ConfigurationError, StoreUnavailableError
from storebridge.model.ids import ConnectionName, Workspace
from storebridge.model.sales import Order
from storebridge.model.settings import GroupTerms, Override, WorkspaceTerms
from storebridge.model.stock import Policy, Share
from storebridge.operations.keep_secret import StoredTokens, open_secret
from storebridge.operations.run_baseline import BaselineReport, run_baseline
from storebridge.pipeline.deliver.answers import AnswerDesk, FoldAnswer, FoldLevels
from storebridge.pipeline.deliver.courier import Courier
from storebridge.pipeline.deliver.order_writes import SendOrderWrites
from storebridge.pipeline.deliver.reading import Errand
from storebridge.pipeline.flow import CallWasAnswered, ReadCameBack, take_turn
from storebridge.pipeline.ingest.accept import Intake
from storebridge.pipeline.normalize.dispatch import dispatch_signals
from storebridge.pipeline.order_flow import WRITE_LOOK, OrderTurn
from storebridge.reconcile.campaigns import end_due_campaigns
from storebridge.reconcile.catalogue import finish_listing
from storebridge.reconcile.orders import PollOrders, ReadOrders, read_unmapped_orders
from storebridge.reconcile.privacy import answer_privacy_request
from storebridge.reconcile.retention import end_and_tell
from storebridge.reconcile.store_facts import LookAtStore
from storebridge.reconcile.sweep import ask_periodic, ask_sweep
from storebridge.store.copies import begin_copying
from storebridge.store.database import Store, Tx, open_store
from storebridge.store.leases import take
from storebridge.store.secrets import SecretBox
from storebridge.store.views import last_baseline
from storebridge.store.waiting import ClaimedLook
from storebridge.telemetry.log import get_logger
from storebridge.work.retry import Breaker
from storebridge.work.wakes import Bell, Bells

DISPATCH_AT_ONCE = 500
BASELINE_LEASE_SECONDS = 120.0
BASELINE_RETRY_SECONDS = 5.0


class Pace(msgspec.Struct, frozen=True):
    """How often parts look at the database by themselves; in one process bells make most of it unnecessary."""

    nap_seconds: float = 1.0
    seal_seconds: float = 0.5
    sweep_tick_seconds: float = 5.0
    janitor_seconds: float = 3600.0


class Environment:
    """Everything that comes from outside: time, identity, chance, the network, secrets."""

    def __init__(
        self,
        transport: Transport,
        *,
        clock: Clock | None = None,
        ids: Ids | None = None,
        chance: random.Random | None = None,
        environ: Mapping[str, str] | None = None,
        read_file: Callable[[str], str] = lambda path: Path(path).read_text(encoding="utf-8"),
        inline_store: bool = False,
        wrap_store: Callable[[Store], Store] = lambda store: store,
        pace: Pace | None = None,
    ) -> None:
        self.transport = transport
        self.clock = clock or SystemClock()
        self.ids = ids or RandomIds()
        self.chance = chance or random.Random()
        self.secure_chance: random.Random = chance or random.SystemRandom()
        """For what must not be guessed (nonces); a simulation hands in its own."""
        self.environ = environ or {}
        self.read_file = read_file
        self.inline_store = inline_store
        self.wrap_store = wrap_store
        self.pace = pace or Pace()


def terms_of(name: str, config: WorkspaceConfig) -> WorkspaceTerms:
    """The settings of one workspace, checked. Raises ConfigurationError."""
    if not config.connections:
        raise ConfigurationError(f"Workspace {name!r} has no connections: add [workspaces.{name}.connections.…].")
    connections = tuple(ConnectionName(connection) for connection in config.connections)
    system_of_record = ConnectionName(config.system_of_record or connections[0])
    if system_of_record not in connections:
        raise ConfigurationError(
            f"workspaces.{name}.system_of_record is {system_of_record!r}, which is not one of its connections "
            f"({', '.join(connections)})."
        )
    groups = tuple(
        GroupTerms(group.name, {ConnectionName(c): tuple(names) for c, names in group.locations.items()})
        for group in config.groups
    ) or (GroupTerms("main", dict.fromkeys(connections, ("*",))),)
    return WorkspaceTerms(
        workspace=Workspace(name),
        connections=connections,
        policy=Policy(config.policy),
        system_of_record=system_of_record,
        groups=groups,
        safety_stock=config.safety_stock,
        risk=config.risk,
        overrides=tuple(_override(pattern, override) for pattern, override in config.overrides.items()),
        hold_above_units=config.hold_above_units,
        mass_zero_share=config.mass_zero_share,
        sweep_seconds=config.sweep_seconds,
        hot_sweep_seconds=config.hot_sweep_seconds,
        hot_below_units=config.hot_below_units,
        order_poll_seconds=config.order_poll_seconds,
        subscription_check_seconds=config.subscription_check_seconds,
        payload_retention_days=config.payload_retention_days,
        buyer_retention_days=config.buyer_retention_days,
        history_retention_days=config.history_retention_days,
        baseline_by_itself=config.baseline == "automatic",
        keep_orders=config.orders.keep,
        copy_to=_copy_to(name, config, connections),
    )


def _copy_to(workspace: str, config: WorkspaceConfig, connections: tuple[ConnectionName, ...]) -> ConnectionName | None:
    target, setting = config.orders.copy_to, f"workspaces.{workspace}.orders.copy_to"
    if not target:
        return None
    if target not in connections:
        raise ConfigurationError(f"{setting} is {target!r}, which is not one of its connections.")
    if not config.orders.keep:
        raise ConfigurationError(f"{setting} needs whole orders: take out keep = false, or copy nothing.")
    return ConnectionName(target)


def _override(pattern: str, config: OverrideConfig) -> Override:
    shares = {ConnectionName(name): share_of(text) for name, text in config.allocation.items()}
    return Override(
        pattern=pattern,
        policy=None if config.policy is None else Policy(config.policy),
        safety_stock=config.safety_stock,
        risk=config.risk,
        allocation={name: Share(*share) for name, share in shares.items() if share is not None},
    )


class Workbench:
    """One workspace's running parts."""

    def __init__(self, terms: WorkspaceTerms, connectors: dict[ConnectionName, Connector]) -> None:
        self.terms = terms
        self.connectors = connectors
        self.couriers: list[Courier] = []


class Bridge:
    """The whole product in one process: intake, dispatcher, couriers, sweeps, sealer."""

    def __init__(self, config: Config, environment: Environment, store: Store, *, owner: str) -> None:
        self.config = config
        self.environment = environment
        self.store = store
        self.owner = owner
        self._bells = Bells()
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
            )
            for name, connection in config.connections.items()
        }
        bench = Workbench(terms, connectors)
        self.workspaces[terms.workspace] = bench
        bench.couriers = [self._courier(bench, connector) for connector in connectors.values()]

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

    def _courier(self, bench: Workbench, connector: Connector) -> Courier:
        terms, environment = bench.terms, self.environment
        adjusting = frozenset(name for name, c in bench.connectors.items() if c.capabilities.write_style == "keyed")

        def turn(tx: Tx, what: FoldLevels | FoldAnswer) -> frozenset[ConnectionName]:
            return take_turn(tx, terms, environment.ids, adjusting, _occasion(connector, what)).wake

        def wake(connections: frozenset[ConnectionName]) -> None:
            self.wake(terms.workspace, connections)

        def keep(
            tx: Tx, connection: ConnectionName, orders: Sequence[Order], looks: Sequence[ClaimedLook]
        ) -> frozenset[ConnectionName]:
            turn = OrderTurn(tx, terms.workspace, environment.ids, copy_to=terms.copy_to)
            turn.read(connection, orders, looks)
            return frozenset(turn.wake)

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
                terms.workspace, connector, self.store, wake, keep=keep if terms.keep_orders else None
            ),
            WRITE_LOOK: SendOrderWrites(terms.workspace, connector, self.store, environment.ids, wake),
            "order_poll": PollOrders(terms, connector, self.store, every_seconds=terms.order_poll_seconds, wake=wake),
            "store": LookAtStore(
                terms, connector, self.store, address=self.address_of(terms.workspace, connector.name), wake=wake
            ),
            "catalogue": TakeInNew(self, terms.workspace, connector),
        }
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

    def address_of(self, workspace: Workspace, connection: ConnectionName) -> str:
        """Where this connection's store delivers to."""
        server = self.config.server
        base = (server.intake_url or f"http://{server.intake_listen}").rstrip("/")
        if len(self.config.workspaces) == 1:
            return f"{base}/hooks/{connection}"
        return f"{base}/hooks/{workspace}/{connection}"

    async def baseline(self, workspace: Workspace, *, sign_off: bool, actor: str) -> BaselineReport:
        """Survey the stores; with ``sign_off`` take in every linked SKU that is new."""
        bench = self.workspaces[workspace]
        report, wake = await run_baseline(
            self.store, bench.terms, bench.connectors, self.environment.ids, sign_off=sign_off, actor=actor
        )
        self.wake(workspace, wake)
        return report

    async def start(self) -> None:
        """Start every loop. Nothing is read or written before the caller awaits something else."""
        for workspace, bench in self.workspaces.items():
            await self.store.run(begin_copying, workspace, bench.terms.copy_to)
            for name in bench.connectors:
                await self.store.run(ask_periodic, bench.terms, name)
            for courier in bench.couriers:
                self._spawn(courier.run(), f"courier {workspace}/{courier.connection}")
        self._spawn(self._dispatch(), "dispatch")
        self._spawn(self._sweep(), "sweep")
        self._spawn(self._sweep_after_gap(), "gap")
        self._spawn(self._seal(), "seal")
        self._spawn(self._tidy(), "janitor")

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
        """Why a loop died, if one did: the process must not go on pretending."""
        for task in self._tasks:
            if task.done() and not task.cancelled() and task.exception() is not None:
                return task.exception()
        return None

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
                if wake := await self.store.run(end_due_campaigns, bench.terms):
                    self.wake(workspace, wake)
                for name in bench.connectors:
                    if await self.store.run(ask_sweep, bench.terms, name):
                        self._bell(workspace, name).ring()
            await self.environment.clock.sleep(self.environment.pace.sweep_tick_seconds)

    async def _sweep_after_gap(self) -> None:
        while True:
            if not await self._bells["gap"].wait(3600.0):
                continue
            for workspace, bench in self.workspaces.items():
                for name in bench.connectors:
                    await self.store.run(ask_sweep, bench.terms, name, everything=True)
                    await self.store.run(ask_periodic, bench.terms, name)
                    self._bell(workspace, name).ring()

    async def _seal(self) -> None:
        while True:
            for workspace in self.workspaces:
                await self.store.run(seal, workspace)
            await self.environment.clock.sleep(self.environment.pace.seal_seconds)

    async def _tidy(self) -> None:
        while True:
            for bench in self.workspaces.values():
                await self.store.run(end_and_tell, bench.terms)
                await self._answer_privacy_requests(bench.terms.workspace)
            await self.store.maintain()
            await self.environment.clock.sleep(self.environment.pace.janitor_seconds)


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


class TakeInNew:
    """Errand: products changed, so list them again and take in SKUs that are new on both sides."""

    rows_per_read = 1

    def __init__(self, bridge: Bridge, workspace: Workspace, connector: Connector) -> None:
        self._bridge = bridge
        self._workspace = workspace
        self._connector = connector

    async def __call__(self, looks: tuple[Any, ...]) -> None:
        signed = await self._bridge.store.read(last_baseline, self._workspace) is not None
        by_itself = self._bridge.workspaces[self._workspace].terms.baseline_by_itself
        await self._bridge.baseline(self._workspace, sign_off=signed or by_itself, actor="storebridge")
        await self._bridge.store.run(finish_listing, self._workspace, self._connector.name, looks)
        self._bridge.wake(self._workspace, await self._bridge.store.run(read_unmapped_orders, self._workspace))


def real_environment(environ: Mapping[str, str]) -> Environment:
    """The machine's own clock, chance and network; close its ``transport`` when done. Needs a running event loop."""
    return Environment(AiohttpTransport(), environ=environ)


def open_database(config: Config, environment: Environment, *, read_only: bool = False) -> Store:
    """The configured database, for a command. Raises StoreUnavailableError, also when there is nothing to read yet."""
    address = config.server.store
    path = address.removeprefix("sqlite:///")
    if read_only and "://" not in path and not Path(path).exists():
        raise StoreUnavailableError(f"There is no database {path} yet: run storebridge serve first.")
    return open_store(address, clock=environment.clock, read_only=read_only)


def build_bridge(config: Config, environment: Environment, *, store: Store | None = None) -> Bridge:
    """Wire everything. Raises ConfigurationError, StoreUnavailableError."""
    opened = store or open_store(config.server.store, clock=environment.clock, inline=environment.inline_store)
    return Bridge(config, environment, environment.wrap_store(opened), owner=environment.ids.new("worker"))


async def run_until_stopped(bridge: Bridge, stop: asyncio.Event) -> None:
    """Serve until told to stop; a loop that dies stops the process with its error."""
    await bridge.start()
    bridge.begin()
    try:
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await stop.wait()
            error = bridge.failed()
            if error is not None:
                raise error
    finally:
        await bridge.stop()
