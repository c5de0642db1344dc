"""Plays a recording against a fresh sandbox shop that speaks the recording's API version."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from comparison import differences
from facts_of_recording import Facts
from graphql import GraphQLSchema
from left_out import with_left_out
from made_requests import make_request
from recordings import Exchange, Observation, Recording, root_fields
from seeding import Seeder

from storebridge.connectors.http import Request
from storebridge_proving.asgi_transport import AsgiTransport
from storebridge_proving.virtual_time import VirtualClock, run_virtually
from storebridge_sandbox.faults import FaultPlan, FaultSettings
from storebridge_sandbox.shopify.quirks import ShopifyOptions
from storebridge_sandbox.shopify.store import ShopifyStore
from storebridge_sandbox.world import Unreachable, World

BASE = "https://shopify.test"
OPTIONS = ShopifyOptions(
    oldest_version="2025-01", plain_http_webhooks=False, bucket_size=0, search_lag_seconds=(0.0, 0.0)
)
GID = re.compile(r"gid://shopify/\w+/[\w-]+(?:\?[\w=&%-]+)?")
DIGITS = re.compile(r"\d{6,}")
ORDER_NAME = re.compile(r"#\d{4,}\b")
PAUSE_SECONDS = 3.0


@dataclass(slots=True)
class Played:
    """One compared exchange with what the sandbox made of it."""

    exchange: Exchange
    status: int
    body: Mapping[str, Any]
    differences: list[str]


@dataclass
class Names:
    """Which of the sandbox's ids, cursors and digests stands for which recorded one."""

    known: dict[str, str] = field(default_factory=dict)

    def learn(self, recorded: Any, ours: Any) -> None:
        """Take in two answers of the same shape."""
        if isinstance(recorded, dict) and isinstance(ours, dict):
            for key in recorded.keys() & ours.keys():
                self.learn(recorded[key], ours[key])
        elif isinstance(recorded, list) and isinstance(ours, list):
            for left, right in zip(recorded, ours, strict=False):
                self.learn(left, right)
        elif isinstance(recorded, str) and isinstance(ours, str) and recorded != ours and _opaque(recorded):
            self.name(recorded, ours)

    def name(self, recorded: str, ours: str) -> None:
        if recorded in self.known or recorded.startswith("gid://") != ours.startswith("gid://"):
            return
        if recorded.startswith("gid://") and recorded.split("/")[3] != ours.split("/")[3]:
            return
        if bool(ORDER_NAME.fullmatch(recorded)) != bool(ORDER_NAME.fullmatch(ours)):
            return
        self.known[recorded] = ours
        left, right = (DIGITS.findall(one) for one in (recorded, ours))
        if recorded.startswith("gid://") and len(left) == len(right):
            for old, new in zip(left, right, strict=True):
                self.known.setdefault(old, new)

    def put_in(self, value: Any) -> Any:
        """A value with every recorded name replaced."""
        if isinstance(value, dict):
            return {key: self.put_in(held) for key, held in value.items()}
        if isinstance(value, list):
            return [self.put_in(held) for held in value]
        if not isinstance(value, str):
            return value
        if value in self.known:
            return self.known[value]
        replaced = GID.sub(lambda found: self.known.get(found[0], found[0]), value)
        replaced = ORDER_NAME.sub(lambda found: self.known.get(found[0], found[0]), replaced)
        return replaced if replaced != value else DIGITS.sub(lambda found: self.known.get(found[0], found[0]), value)


def _opaque(text: str) -> bool:
    if ORDER_NAME.fullmatch(text):
        return True
    return len(text) >= 8 and (text.startswith("gid://") or any(letter.isdigit() for letter in text))


class Player:
    """One recording, one shop."""

    def __init__(self, recording: Recording, schema: GraphQLSchema, clock: VirtualClock) -> None:
        self.recording = recording
        self._schema = schema
        self._clock = clock
        world = World(clock.now, clock.sleep, random.Random(1), _nowhere, asyncio.ensure_future)
        plan = FaultPlan(FaultSettings(), clock.now, random.Random(1))
        self.store = ShopifyStore(world, seed=1, options=OPTIONS, faults=plan)
        self._transport = AsgiTransport({BASE: self.store.app})
        self.names = Names()
        self.facts = Facts(recording)
        self._seeder = Seeder(self.facts, self.names, self.ask)

    async def play(self) -> list[Played]:
        played: list[Played] = []
        await self._seeder.history()
        for number, step in enumerate(self.recording.steps):
            await self._clock.sleep(_pause_before(step))
            if isinstance(step, Observation):
                await self._seeder.bring_about(step.body, number)
                continue
            done = await self._exchange(step, number)
            if done is not None and step.compared:
                played.append(done)
        await self.store.stop()
        return played

    async def _exchange(self, step: Exchange, number: int) -> Played | None:
        text = step.query or make_request(self._schema, step.variables, step.body)
        if text is None:
            await self._seeder.bring_about(step.body, number)
            return None
        variables = with_left_out(step, self.recording.steps[:number], self.facts, self._schema)
        await self._seeder.provide([step.query, variables], step.body, number)
        if "bulkOperationRunMutation" in text:
            self._upload(step)
        status, body = await self.ask(self.names.put_in(text), self.names.put_in(variables), self.recording.version)
        self.names.learn(step.body.get("data"), body.get("data"))
        return Played(step, status, body, differences(step.status, step.body, status, body))

    def _upload(self, step: Exchange) -> None:
        """Uploads went to another host and were not recorded as exchanges."""
        if "NO_SUCH_FILE" not in str(step.body):
            for held in step.variables.values():
                if isinstance(held, str) and held.startswith("tmp/"):
                    self.store.bulk.uploads[str(self.names.put_in(held))] = self.recording.upload

    async def ask(
        self, query: str, variables: Mapping[str, Any], version: str = "2026-10"
    ) -> tuple[int, dict[str, Any]]:
        proof = {"x-shopify-access-token": self.store.credentials()["access_token"]}
        raw = msgspec.json.encode({"query": query, "variables": variables})
        path = f"{BASE}/admin/api/{version}/graphql.json"
        answer = await self._transport.send(Request("POST", path, proof, raw, 200.0))
        if self._transport.errors:
            return 500, {"errors": [{"message": f"the sandbox raised {self._transport.errors.pop()!r}"}]}
        return answer.status, msgspec.json.decode(answer.body, type=dict[str, Any])


def _pause_before(step: Exchange | Observation) -> float:
    """Recorders asked about bulk operations at once, and paused between polls."""
    about_bulk = any("ulkOperation" in name for name in root_fields(getattr(step, "query", "")))
    return PAUSE_SECONDS if not about_bulk or "polls" in step.place.lower() else PAUSE_SECONDS / 6


async def _nowhere(_url: str, _headers: Mapping[str, str], _body: bytes, _timeout_seconds: float) -> int:
    raise Unreachable("nobody listens")


def play(recording: Recording, schema: GraphQLSchema) -> list[Played]:
    """Every compared exchange, in order."""
    played: list[Played] = []

    async def run(clock: VirtualClock) -> None:
        played.extend(await Player(recording, schema, clock).play())

    run_virtually(run)
    return played
