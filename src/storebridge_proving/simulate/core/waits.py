"""What a seed still waits for when the faults are over, so that the slowest seeds say what they were slow for."""

from __future__ import annotations

from storebridge.model.ids import IntentId
from storebridge_proving.simulate.core.bridge import Bridge
from storebridge_proving.simulate.core.stores import Kind

PROCESS = "the next process"
T_MAX = "the time in which a blind write may still land"
AUTHOR = "a delivery that names the author of a revision"
ANSWER = "the answer to a write"
READING = "a reading, and the write that follows from it"
PERSON_DOUBT = "a person, about a write in doubt"
PERSON_LIMIT = "a person, about the hourly limit"
PERSON_HOLD = "a person, about a held raise"
PERSON_BOOKS = "a person, about an old database"
PERSON_OVERSOLD = "a person, about an oversold order"


def what_is_missing(bridge: Bridge) -> str:
    """The one thing that holds everything else up: what nobody can hurry before what the bridge does by itself."""
    unclear = [intent.intent_id for intent in bridge.lane.intents.values() if intent.state == "unclear"]
    if not bridge.alive:
        return PROCESS
    if bridge.books_are_old:
        return PERSON_BOOKS
    if unclear:
        return _of_a_doubt(bridge, unclear)
    if any(intent.state == "sent" for intent in bridge.lane.intents.values()):
        return ANSWER
    if bridge.limit.held:
        return PERSON_LIMIT
    if any(stored.position.held for stored in bridge.lane.positions.values()):
        return PERSON_HOLD
    return PERSON_OVERSOLD if bridge.oversold.is_busy else READING


def _of_a_doubt(bridge: Bridge, unclear: list[IntentId]) -> str:
    lands = [one for one in unclear if bridge.may_still_land(bridge.lane.intents[one])]
    if any(bridge.kind_of[one] is Kind.BLIND for one in lands):
        return T_MAX
    return PERSON_DOUBT if any(one in bridge.reviews for one in unclear) else AUTHOR
