"""What may go wrong, and when: the settings of ``PUT /_sandbox/faults``, their profiles, and the dice.

A setting holds for every operation, or for ``operations`` only; ``rules`` narrow it to operations
(``inventorySetQuantities``, ``webhook:orders/create``; ``*`` and ``?`` as in file names), to a span of seconds after
the settings came into force, and to a number of calls. ``steps`` are a timeline: each lays its own settings over the
others while it lasts, or does something once.
"""

from __future__ import annotations

import difflib
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from storebridge_sandbox.schema_changes import SchemaChange, check_change

Chance = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=86_400_000)]
Span = tuple[Milliseconds, Milliseconds]

LATEST_LANDING_SECONDS = 119.0
HANG_SECONDS = 150.0

Fate = Literal[
    "pass", "http_5xx", "http_429", "timeout_applied", "timeout_not_applied", "partitioned",
    "proxy_5xx", "cut_answer", "wrong_length", "connection_reset",
]  # fmt: skip
FATES: tuple[Fate, ...] = (
    "http_5xx", "http_429", "timeout_applied", "timeout_not_applied",
    "proxy_5xx", "cut_answer", "wrong_length", "connection_reset",
)  # fmt: skip
MAY_HAVE_APPLIED = ("http_5xx", "proxy_5xx", "connection_reset")
SPANS = ("webhook_delay_ms", "latency_ms", "slow_answer_ms", "late_landing_ms", "stale_read_ms")
LARGEST_SKEW_SECONDS = 10 * 86_400.0
Kind = TypeVar("Kind")


class FaultRates(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often, how late and how stale."""

    webhook_loss: Chance = 0.0
    webhook_duplicate: Chance = 0.0
    webhook_reorder: Chance = 0.0
    http_5xx: Chance = 0.0
    http_5xx_applied: Chance = 0.0
    http_429: Chance = 0.0
    timeout_applied: Chance = 0.0
    timeout_not_applied: Chance = 0.0
    proxy_5xx: Chance = 0.0
    cut_answer: Chance = 0.0
    wrong_length: Chance = 0.0
    connection_reset: Chance = 0.0
    webhook_delay_ms: Span = (0, 0)
    latency_ms: Span = (0, 0)
    slow_answer_ms: Span = (0, 0)
    late_landing_ms: Span = (0, 0)
    stale_read_ms: Span = (0, 0)
    partitioned: bool = False


class FaultRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Other rates for some operations, for a while, for some calls; the first rule that fits wins."""

    operation: str = "*"
    operations: tuple[str, ...] = ()
    after_seconds: float = 0.0
    until_seconds: float | None = None
    calls: int | None = None
    rates: FaultRates = FaultRates()


Deed = Literal["revoke_tokens", "drop_subscriptions"]
Skew = Annotated[float, msgspec.Meta(ge=-LARGEST_SKEW_SECONDS, le=LARGEST_SKEW_SECONDS)]


class FaultStep(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of a timeline, in one store or in both, for some operations or all.

    ``faults`` are the settings that it lays over the others, ``schema`` what changes in what the vendor tells, ``do``
    what happens once when it begins. Without ``for_seconds`` it lasts.
    """

    at_seconds: Annotated[float, msgspec.Meta(ge=0.0)] = 0.0
    for_seconds: Annotated[float, msgspec.Meta(gt=0.0)] | None = None
    store: Literal["shopify", "wix"] | None = None
    operations: tuple[str, ...] = ()
    faults: dict[str, Any] = {}
    schema: tuple[SchemaChange, ...] = ()
    clock_skew_seconds: Skew | None = None
    do: tuple[Deed, ...] = ()


class FaultSettings(FaultRates, frozen=True, forbid_unknown_fields=True):
    """Rates for everything or some operations, rules that narrow, and a timeline."""

    operations: tuple[str, ...] = ()
    rules: tuple[FaultRule, ...] = ()
    schema: tuple[SchemaChange, ...] = ()
    clock_skew_seconds: Skew = 0.0
    steps: tuple[FaultStep, ...] = ()


PROFILES: dict[str, FaultSettings] = {
    "none": FaultSettings(),
    "some": FaultSettings(
        webhook_loss=0.02,
        webhook_duplicate=0.05,
        webhook_reorder=0.05,
        http_5xx=0.01,
        http_429=0.01,
        timeout_applied=0.003,
        timeout_not_applied=0.003,
        webhook_delay_ms=(0, 250),
        latency_ms=(2, 25),
    ),
    "storm": FaultSettings(
        webhook_loss=0.2,
        webhook_duplicate=0.15,
        webhook_reorder=0.2,
        http_5xx=0.06,
        http_5xx_applied=0.3,
        http_429=0.06,
        timeout_applied=0.04,
        timeout_not_applied=0.04,
        webhook_delay_ms=(0, 20_000),
        latency_ms=(5, 800),
        late_landing_ms=(0, 119_000),
    ),
}


def read_settings(body: bytes) -> FaultSettings:
    """Settings from JSON, or ``{"profile": "some"}``; raises msgspec.ValidationError naming the field."""
    raw = msgspec.json.decode(body or b"{}")
    if isinstance(raw, dict) and "profile" in raw:
        name = raw.pop("profile")
        if name not in PROFILES:
            raise msgspec.ValidationError(f"no such profile: {name!r}; there are {', '.join(PROFILES)}")
        raw = {**msgspec.to_builtins(PROFILES[name]), **raw}
    return check_settings(_understood(raw, FaultSettings, ""))


def check_settings(settings: FaultSettings) -> FaultSettings:
    """The same settings; raises msgspec.ValidationError for what the types alone do not refuse."""
    _check_spans(settings, "")
    for number, rule in enumerate(settings.rules):
        _check_spans(rule.rates, f"rules[{number}].rates: ")
    _check_schema(settings.schema, "")
    for number, step in enumerate(settings.steps):
        where = f"steps[{number}].faults: "
        _check_spans(_understood(step.faults, FaultRates, where), where)
        _check_schema(step.schema, f"steps[{number}].")
        if not (step.faults or step.schema or step.do or step.clock_skew_seconds is not None):
            raise msgspec.ValidationError(
                f"steps[{number}]: it does nothing; give faults, schema, clock_skew_seconds or do"
            )
    return settings


def _understood(raw: Any, kind: type[Kind], where: str) -> Kind:
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        raise msgspec.ValidationError(f"{where}{error}{_meant(str(error), kind)}") from None


def _meant(told: str, kind: type) -> str:
    """A field of a like name, for one that does not exist."""
    unknown = re.search(r"unknown field `([^`]+)`", told)
    known = {
        field.name
        for one in (kind, FaultRates, FaultRule, FaultStep, SchemaChange)
        for field in msgspec.structs.fields(one)
    }
    close = difflib.get_close_matches(unknown[1], sorted(known), 1) if unknown else []
    return f" (do you mean {close[0]}?)" if close else ""


def _check_spans(rates: FaultRates, where: str) -> None:
    for name in SPANS:
        low, high = getattr(rates, name)
        if low > high:
            raise msgspec.ValidationError(f"{where}{name}: the low end is above the high end")


def _check_schema(changes: tuple[SchemaChange, ...], where: str) -> None:
    for number, change in enumerate(changes):
        try:
            check_change(change)
        except ValueError as error:
            raise msgspec.ValidationError(f"{where}schema[{number}]: {error}") from None


@dataclass(slots=True)
class Draw:
    """What happens to one call."""

    fate: Fate
    latency_seconds: float = 0.0
    landing_seconds: float = 0.0
    stale_seconds: float = 0.0
    applied: bool = False
    slow_seconds: float = 0.0


@dataclass(slots=True)
class WebhookDraw:
    """What happens to one delivery: seconds until each copy sets out; there is none when it is lost. ``held_back`` says
    of each copy whether a part of them is there to let later ones overtake it."""

    delays_seconds: tuple[float, ...] = ()
    held_back: tuple[bool, ...] = ()


REORDER_SECONDS = 3.0


class FaultPlan:
    """The settings in force and the dice that follow them."""

    def __init__(
        self, settings: FaultSettings, now: Callable[[], datetime], rng: random.Random, *, store: str = ""
    ) -> None:
        self._now = now
        self._rng = rng
        self._store = store
        self._watchers: list[Callable[[], None]] = []
        self.set(settings)

    def set(self, settings: FaultSettings) -> None:
        """Replace all settings; scripted spans and steps count from here."""
        self.settings = settings
        self.since = self._now()
        self._skew = timedelta(seconds=settings.clock_skew_seconds)
        self._used: dict[int, int] = {}
        mine = (step for step in settings.steps if step.store in (None, self._store))
        self.steps = tuple((step, _laid_over(step)) for step in mine)
        for watcher in self._watchers:
            watcher()

    def when_set(self, watcher: Callable[[], None]) -> None:
        """Be told of new settings, from the present ones on."""
        self._watchers.append(watcher)
        watcher()

    @property
    def targets_operations(self) -> bool:
        """Whether it matters what a call does: then it is looked at more closely."""
        return bool(self.settings.operations or self.settings.rules or self.steps)

    def rates_for(self, *names: str) -> FaultRates:
        """The rates for a call that goes by these names; uses up a call of the rule that fits."""
        rates = self._plain_rates(names)
        for _step, over in self._in_force(names):
            rates = msgspec.structs.replace(rates, **over)
        return rates

    def schema_for(self, *names: str) -> tuple[SchemaChange, ...]:
        """What has changed in the answers to a call that goes by these names."""
        if not (self.settings.schema or self.steps):
            return ()
        return self.settings.schema + tuple(one for step, _ in self._in_force(names) for one in step.schema)

    def partitioned(self) -> bool:
        """Whether the network between store and client is down, in both directions."""
        cut = self.settings.partitioned and not self.settings.operations
        return cut or any(over.get("partitioned") for step, over in self._in_force(()) if not step.operations)

    def clock_skew(self) -> timedelta:
        """How far the vendor's clock is ahead."""
        if not self.steps:
            return self._skew  # every look at the clock asks
        told = [step.clock_skew_seconds for step, _ in self._in_force(()) if step.clock_skew_seconds is not None]
        return timedelta(seconds=told[-1]) if told else self._skew

    def draw(self, *names: str) -> Draw:
        """Throw the dice for one API call."""
        rates = self.rates_for(*names)
        latency = self._span(rates.latency_ms)
        stale = self._span(rates.stale_read_ms)
        if self.partitioned() or rates.partitioned:
            return Draw("partitioned", latency)
        fate = self._fate(rates)
        if fate == "timeout_applied":
            return Draw(fate, latency, min(self._span(rates.late_landing_ms), LATEST_LANDING_SECONDS))
        if fate in MAY_HAVE_APPLIED:
            return Draw(fate, latency, applied=self._happens(rates.http_5xx_applied))
        return Draw(fate, latency, stale_seconds=stale, slow_seconds=self._span(rates.slow_answer_ms))

    def draw_webhook(self, topic: str) -> WebhookDraw:
        """Throw the dice for one delivery."""
        rates = self.rates_for(f"webhook:{topic}")
        if self._happens(rates.webhook_loss):
            return WebhookDraw()
        copies = 2 if self._happens(rates.webhook_duplicate) else 1
        drawn = [self._webhook_delay(rates) for _ in range(copies)]
        return WebhookDraw(tuple(plain + extra for plain, extra in drawn), tuple(extra > 0 for _, extra in drawn))

    def _webhook_delay(self, rates: FaultRates) -> tuple[float, float]:
        delay = self._span(rates.webhook_delay_ms)
        return delay, self._rng.uniform(0.0, REORDER_SECONDS) if self._happens(rates.webhook_reorder) else 0.0

    def _fate(self, rates: FaultRates) -> Fate:
        weights: tuple[float, ...] = tuple(getattr(rates, name) for name in FATES)
        if not any(weights):
            return "pass"
        dice = self._rng.random()
        for name, weight in zip(FATES, weights, strict=True):
            if dice < weight:
                return name
            dice -= weight
        return "pass"

    def _plain_rates(self, names: tuple[str, ...]) -> FaultRates:
        for number, rule in enumerate(self.settings.rules):
            if self._fits(number, rule, names):
                self._used[number] = self._used.get(number, 0) + 1
                return rule.rates
        return self.settings if _named(names, self.settings.operations) else FaultRates()

    def _fits(self, number: int, rule: FaultRule, names: tuple[str, ...]) -> bool:
        if not _named(names, rule.operations or (rule.operation,)):
            return False
        if rule.calls is not None and self._used.get(number, 0) >= rule.calls:
            return False
        elapsed = self._elapsed()
        return rule.after_seconds <= elapsed and (rule.until_seconds is None or elapsed < rule.until_seconds)

    def _in_force(self, names: tuple[str, ...]) -> Iterator[tuple[FaultStep, dict[str, Any]]]:
        """The steps that last now, for a call of these names; without names, those of any call."""
        elapsed = self._elapsed() if self.steps else 0.0
        for step, over in self.steps:
            ends = None if step.for_seconds is None else step.at_seconds + step.for_seconds
            lasts = step.at_seconds <= elapsed and (ends is None or elapsed < ends)
            if lasts and (not names or _named(names, step.operations)):
                yield step, over

    def _elapsed(self) -> float:
        return (self._now() - self.since).total_seconds()

    def _happens(self, chance: float) -> bool:
        return chance > 0 and self._rng.random() < chance

    def _span(self, span: Span) -> float:
        low, high = span
        return self._rng.uniform(low, high) / 1000 if high else 0.0


def _named(names: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    """Whether a call that goes by these names is one of those wanted; nothing wanted is everything."""
    return not wanted or any(fnmatchcase(name, pattern) for name in names for pattern in wanted)


def _laid_over(step: FaultStep) -> dict[str, Any]:
    """The settings of a step, as their types have them."""
    rates = msgspec.convert(step.faults, FaultRates)
    return {name: getattr(rates, name) for name in step.faults}
