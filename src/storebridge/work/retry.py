"""Backoff with jitter, and a circuit breaker with a half-open probe. Knows nothing of stores."""

from __future__ import annotations

import random
from enum import StrEnum


def backoff_seconds(
    attempt: int, chance: random.Random, *, first_seconds: float = 0.5, longest_seconds: float = 60.0
) -> float:
    """How long to wait before try number ``attempt`` + 1: doubling, capped, spread over the upper half."""
    ceiling = min(longest_seconds, first_seconds * 2.0 ** min(attempt - 1, 20))
    return ceiling * (0.5 + chance.random() / 2)


class Circuit(StrEnum):
    """Closed lets everything through, open nothing, half open one probe."""

    CLOSED = "closed"
    HALF_OPEN = "half_open"
    OPEN = "open"


class Breaker:
    """Stops hammering a store that does not answer.

    Opens after ``failures_to_open`` failures in a row; after a pause, which doubles up to ``longest_seconds``, one
    probe may pass; its success closes the circuit.
    """

    def __init__(self, *, failures_to_open: int = 5, first_seconds: float = 2.0, longest_seconds: float = 30.0) -> None:
        self._failures_to_open = failures_to_open
        self._first_seconds = first_seconds
        self._longest_seconds = longest_seconds
        self._failures = 0
        self._openings = 0
        self._opened_at: float | None = None
        self._open_until: float | None = None
        self._probing = False

    def circuit(self, now_seconds: float) -> Circuit:
        if self._open_until is None:
            return Circuit.CLOSED
        return Circuit.OPEN if now_seconds < self._open_until else Circuit.HALF_OPEN

    def wait_seconds(self, now_seconds: float) -> float:
        """0.0 when a call may be tried now; otherwise how long to wait."""
        circuit = self.circuit(now_seconds)
        if circuit is Circuit.CLOSED:
            return 0.0
        if circuit is Circuit.HALF_OPEN:
            return self._first_seconds if self._probing else 0.0
        assert self._open_until is not None
        return self._open_until - now_seconds

    def begin(self, now_seconds: float) -> None:
        """A call goes out; in a half-open circuit it is the one probe."""
        self._probing = self.circuit(now_seconds) is Circuit.HALF_OPEN

    def succeed(self) -> None:
        self._failures = self._openings = 0
        self._opened_at = self._open_until = None
        self._probing = False

    def tell_nothing(self) -> None:
        """A call ended in a way that says nothing about the store's health (refused credentials, "slow down"): the next
        one is the probe. Without this a circuit that met such an answer while half open would stay so for ever."""
        self._probing = False

    def fail(self, now_seconds: float, *, begun_seconds: float) -> None:
        """A call got no answer; only failures that say the store is unwell count.

        One that was on its way when the circuit opened says nothing new: ten of them, each twenty seconds without an
        answer, kept a store that was well again unasked for fifty.
        """
        if self._opened_at is not None and begun_seconds < self._opened_at:
            return
        self._failures += 1
        self._probing = False
        if self._failures >= self._failures_to_open:
            pause = min(self._longest_seconds, self._first_seconds * 2.0 ** min(self._openings, 10))
            self._openings += 1
            self._opened_at, self._open_until = now_seconds, now_seconds + pause
