"""The story of a SKU tells what was decided and by whom, beside what moved."""

from __future__ import annotations

import msgspec
import pytest

from builders.journeys import MAIN, Goods, Journey, travel
from storebridge.connectors.http import Request
from storebridge.operations.explain_stock import StockStory, explain_stock, happenings, story_lines
from storebridge.operations.settle_case import Choice
from storebridge.web.console.app import build_console_app
from storebridge_proving.asgi_transport import AsgiTransport

both_databases = pytest.mark.parametrize("postgres", [False, pytest.param(True, marks=pytest.mark.postgres)])


async def _story(journey: Journey, before: int | None = None) -> StockStory:
    return await explain_stock(journey.store, journey.bridge.workspaces[MAIN].terms, "A", before=before)


async def _a_count_is_typed_and_refused(journey: Journey) -> str:
    """Returns the case."""
    await journey.begin(settle=120.0)
    await journey.sandbox("wix", "POST", "adjust", {"sku": "A", "set": 10})
    await journey.pass_time(60.0)
    case = (await journey.settle("change_held", Choice.REJECT)).case_id
    await journey.pass_time(60.0)
    return case


@both_databases
def test_a_persons_decision_and_the_planners_reasons_stand_in_the_story(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        case = await _a_count_is_typed_and_refused(journey)
        told = [(one.kind, one.who, one.sentence) for one in reversed((await _story(journey)).decisions)]
        began = "Decided after a change by a person, the settings or the books: "
        give = "to give units back to the reserve for another store"
        assert told[0] == (
            "planned",
            "storebridge",
            f"{began}shopify, Main warehouse, from 10 to 5, {give}; wix, Online store, from 10 to 5, {give}.",
        )
        opened, decided = told[1], told[2]
        assert opened[:2] == ("opened", "storebridge")
        assert opened[2].startswith(f"Case {case} opened, change held: Somebody changed A in wix by more than")
        assert {decided, told[3]} == {
            ("settled", "ann", f"ann decided reject in case {case} (change held)."),
            ("planned", "storebridge", f"{began}wix, Online store, from 10 to 5, {give}."),
        }

    travel(play, policy="escrow", postgres=postgres)


def test_a_case_that_closes_by_proof_says_what_proved_it() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.sandbox("shopify", "POST", "adjust", {"sku": "A", "set": -2})
        await journey.pass_time(60.0)
        await journey.receive(20)
        await journey.pass_time(600.0)
        assert await journey.reasons() == []
        proven = [one.sentence for one in (await _story(journey)).decisions if one.kind == "proven"]
        assert any("(level negative) closed by proof: " in sentence for sentence in proven)

    travel(play)


def test_movements_and_decisions_are_one_row_in_terminal_console_and_api() -> None:
    async def play(journey: Journey) -> None:
        case = await _a_count_is_typed_and_refused(journey)
        story = await _story(journey)
        row = happenings(story)
        assert [one.at for one in row] == sorted((one.at for one in row), reverse=True)
        assert len(row) == len(story.movements) + len(story.decisions)
        decided = f"ann decided reject in case {case} (change held)."
        assert any(decided in line for line in story_lines(story))
        network = AsgiTransport({"http://localhost": build_console_app(journey.bridge)})
        for path in ("/stock/A", "/api/v1/main/stock/A"):
            page = await network.send(Request("GET", f"http://localhost{path}", {}, b"", 20.0))
            assert decided in page.body.decode()

    travel(play, policy="escrow")


def test_an_earlier_page_tells_what_was_decided_then() -> None:
    async def play(journey: Journey) -> None:
        await _a_count_is_typed_and_refused(journey)
        refused = next(one.row for one in (await _story(journey)).movements if one.row.kind == "correction")
        earlier = await _story(journey, refused.seq)
        assert {one.kind for one in earlier.decisions} == {"planned", "opened"}
        assert max(one.at for one in earlier.decisions) < refused.at
        assert msgspec.json.encode(earlier)

    travel(play, Goods("A"), policy="escrow")
