"""A store that could not be read while a person waits: what happened, and whose move it is."""

from __future__ import annotations

from storebridge.connectors.port import Blame, CallTrouble

ADVICE = {
    Blame.NETWORK: "Look whether the store is up and this machine is online, then try again.",
    Blame.VENDOR: "It is the vendor's move: try again in a few minutes.",
    Blame.CREDENTIALS: "storebridge check says which credentials or permissions are wrong.",
    Blame.CONFIGURATION: "storebridge check says which setting is wrong.",
    Blame.OURSELVES: "This is a fault of storebridge: report it with this sentence.",
}

AnyTrouble = CallTrouble
"""What a read of a store raises, for whoever asks operations only."""


def explain_trouble(trouble: CallTrouble) -> str:
    """The sentence for a person. Only reads end this way: writes are journaled and settled by the engine."""
    return f"{str(trouble).rstrip('.')}. {ADVICE[trouble.blame]} Nothing was changed."
