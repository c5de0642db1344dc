"""What may go wrong, and when: the settings of ``PUT /_sandbox/faults``, their profiles, and the dice.

A setting holds for every operation; ``rules`` narrow it to operations (``inventorySetQuantities``,
``webhook:ORDERS_CREATE``; ``*`` and ``?`` as in file names), to a span of seconds after the settings came
into force, and to a number of calls, so that a timeline can be scripted.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Annotated, Literal

import msgspec

Chance = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=86_400_000)]
Span = tuple[Milliseconds, Milliseconds]

LATEST_LANDING_SECONDS = 119.0
HANG_SECONDS = 150.0

Fate = Literal["pass", "http_5xx", "http_429", "timeout_applied", "timeout_not_applied", "partitioned"]


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
    webhook_delay_ms: Span = (0, 0)
    latency_ms: Span = (0, 0)
    late_landing_ms: Span = (0, 0)
    stale_read_ms: Span = (0, 0)
    partitioned: bool = False


class FaultRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Other rates for some operations, for a while, for some calls; the first rule that fits wins."""

    operation: str = "*"
    after_seconds: float = 0.0
    until_seconds: float | None = None
    calls: int | None = None
    rates: FaultRates = FaultRates()


class FaultSettings(FaultRates, frozen=True, forbid_unknown_fields=True):
    """Rates for everything, and rules that narrow."""

    rules: tuple[FaultRule, ...] = ()


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
    settings = msgspec.convert(raw, FaultSettings)
    for rates in (settings, *(rule.rates for rule in settings.rules)):
        for name in ("webhook_delay_ms", "latency_ms", "late_landing_ms", "stale_read_ms"):
            low, high = getattr(rates, name)
            if low > high:
                raise msgspec.ValidationError(f"{name}: the low end is above the high end")
    return settings


@dataclass(slots=True)
class Draw:
    """What happens to one call."""

    fate: Fate
    latency_seconds: float = 0.0
    landing_seconds: float = 0.0
    stale_seconds: float = 0.0
    applied: bool = False


@dataclass(slots=True)
class WebhookDraw:
    """What happens to one delivery; ``copies`` is 0 when it is lost."""

    copies: int
    delays_seconds: tuple[float, ...]


REORDER_SECONDS = 3.0


class FaultPlan:
    """The settings in force and the dice that follow them."""

    def __init__(self, settings: FaultSettings, now: Callable[[], datetime], rng: random.Random) -> None:
        self._now = now
        self._rng = rng
        self._since = now()
        self._used: dict[int, int] = {}
        self.settings = settings

    def set(self, settings: FaultSettings) -> None:
        """Replace all settings; scripted spans count from here."""
        self.settings = settings
        self._since = self._now()
        self._used = {}

    def rates_for(self, operation: str) -> FaultRates:
        """The rates of the first rule that fits now, else the general ones; uses up a call of that rule."""
        for number, rule in enumerate(self.settings.rules):
            if self._fits(number, rule, operation):
                self._used[number] = self._used.get(number, 0) + 1
                return rule.rates
        return self.settings

    def partitioned(self) -> bool:
        """Whether the network between store and client is down, in both directions."""
        return self.settings.partitioned

    def draw(self, operation: str) -> Draw:
        """Throw the dice for one API call."""
        rates = self.rates_for(operation)
        latency = self._span(rates.latency_ms)
        stale = self._span(rates.stale_read_ms)
        if self.partitioned() or rates.partitioned:
            return Draw("partitioned", latency)
        fate = self._fate(rates)
        if fate == "timeout_applied":
            return Draw(fate, latency, min(self._span(rates.late_landing_ms), LATEST_LANDING_SECONDS))
        if fate == "http_5xx":
            return Draw(fate, latency, applied=self._happens(rates.http_5xx_applied))
        return Draw(fate, latency, stale_seconds=stale)

    def draw_webhook(self, topic: str) -> WebhookDraw:
        """Throw the dice for one delivery."""
        rates = self.rates_for(f"webhook:{topic}")
        if self._happens(rates.webhook_loss):
            return WebhookDraw(0, ())
        copies = 2 if self._happens(rates.webhook_duplicate) else 1
        return WebhookDraw(copies, tuple(self._webhook_delay(rates) for _ in range(copies)))

    def _webhook_delay(self, rates: FaultRates) -> float:
        delay = self._span(rates.webhook_delay_ms)
        if self._happens(rates.webhook_reorder):
            delay += self._rng.uniform(0.0, REORDER_SECONDS)
        return delay

    def _fate(self, rates: FaultRates) -> Fate:
        names: tuple[Fate, ...] = ("http_5xx", "http_429", "timeout_applied", "timeout_not_applied")
        weights = (rates.http_5xx, rates.http_429, rates.timeout_applied, rates.timeout_not_applied)
        if not any(weights):
            return "pass"
        dice = self._rng.random()
        for name, weight in zip(names, weights, strict=True):
            if dice < weight:
                return name
            dice -= weight
        return "pass"

    def _fits(self, number: int, rule: FaultRule, operation: str) -> bool:
        if not fnmatchcase(operation, rule.operation):
            return False
        if rule.calls is not None and self._used.get(number, 0) >= rule.calls:
            return False
        elapsed = self._now() - self._since
        if elapsed < timedelta(seconds=rule.after_seconds):
            return False
        return rule.until_seconds is None or elapsed < timedelta(seconds=rule.until_seconds)

    def _happens(self, chance: float) -> bool:
        return chance > 0 and self._rng.random() < chance

    def _span(self, span: Span) -> float:
        low, high = span
        return self._rng.uniform(low, high) / 1000 if high else 0.0
