"""How many rows go into the next stock call, after what became of the last one."""

from __future__ import annotations

import pytest

from storebridge.connectors.port import RowAnswer, RowOutcome
from storebridge.model.ids import IntentId
from storebridge.pipeline.deliver.batch import BatchSize


def told(*outcomes: RowOutcome) -> list[RowAnswer]:
    return [RowAnswer(IntentId(f"intent-{place}"), outcome) for place, outcome in enumerate(outcomes)]


@pytest.mark.parametrize("rest", [RowOutcome.NOT_TRIED, RowOutcome.UNCLEAR])
def test_a_call_that_a_stale_row_spoiled_is_halved_and_one_that_went_through_doubles(rest: RowOutcome) -> None:
    batch = BatchSize(100)
    batch.answered(told(RowOutcome.STALE, rest, rest, rest), refuses_all=True)
    assert batch.rows == 2
    batch.answered(told(RowOutcome.APPLIED, RowOutcome.APPLIED), refuses_all=True)
    assert batch.rows == 4


def test_where_rows_stand_alone_nothing_is_halved() -> None:
    batch = BatchSize(100)
    batch.answered(told(RowOutcome.STALE, RowOutcome.NOT_TRIED), refuses_all=False)
    assert batch.rows == 100
