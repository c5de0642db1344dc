"""How long a store that does not answer is left alone: by what its probes say, not by how many calls were under way."""

from __future__ import annotations

from storebridge.work.retry import Breaker, Circuit


def opened(failures: int, begun: float, at: float) -> Breaker:
    """A circuit after so many calls, begun together, that all ended without an answer at the same time."""
    breaker = Breaker()
    for _ in range(failures):
        breaker.begin(begun)
    for number in range(failures):
        breaker.fail(at + number / 1000, begun_seconds=begun)
    return breaker


def test_five_calls_without_an_answer_leave_a_store_alone_for_two_seconds() -> None:
    assert opened(4, 0.0, 20.0).wait_seconds(20.1) == 0.0
    assert 1.9 < opened(5, 0.0, 20.0).wait_seconds(20.1) < 2.0


def test_calls_that_were_under_way_when_it_was_left_alone_do_not_leave_it_alone_for_longer() -> None:
    breaker = opened(12, 0.0, 20.0)
    assert 1.9 < breaker.wait_seconds(20.1) < 2.0
    breaker.fail(21.5, begun_seconds=1.5)
    assert breaker.circuit(22.1) is Circuit.HALF_OPEN


def test_each_probe_without_an_answer_doubles_the_pause_up_to_half_a_minute() -> None:
    breaker, now, pauses = opened(5, 0.0, 20.0), 20.1, []
    for _ in range(6):
        now += breaker.wait_seconds(now)
        breaker.begin(now)
        breaker.fail(now + 1.0, begun_seconds=now)
        now += 1.0
        pauses.append(round(breaker.wait_seconds(now), 3))
    assert pauses == [4.0, 8.0, 16.0, 30.0, 30.0, 30.0]
    now += breaker.wait_seconds(now)
    breaker.begin(now)
    breaker.succeed()
    assert breaker.circuit(now) is Circuit.CLOSED
