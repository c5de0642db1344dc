"""How each store looks: a name and colours of its own, and of nobody else's."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Look:
    """``vendor`` is whose behaviour the store plays; colours are CSS colours."""

    name: str
    vendor: str
    slogan: str
    ink: str
    paper: str
    card: str
    line: str
    faint: str
    accent: str
    on_accent: str
    tint: str

    @property
    def css(self) -> str:
        """The colours as CSS variables."""
        names = ("ink", "paper", "card", "line", "faint", "accent", "tint")
        held = "".join(f"--{name}:{getattr(self, name)};" for name in names)
        return f":root{{{held}--on-accent:{self.on_accent}}}"


HARBOUR = Look(
    name="Larkfield Harbour",
    vendor="Shopify",
    slogan="Made to be worn outside",
    ink="#14262e",
    paper="#f4f7f6",
    card="#ffffff",
    line="#d5dfdf",
    faint="#55686f",
    accent="#0b5563",
    on_accent="#ffffff",
    tint="#dcebea",
)
ORCHARD = Look(
    name="Larkfield Orchard",
    vendor="Wix",
    slogan="Good things for slow days",
    ink="#2b1d1a",
    paper="#fbf6ef",
    card="#fffdfa",
    line="#e6d9c8",
    faint="#74604f",
    accent="#8c2f39",
    on_accent="#ffffff",
    tint="#f3e3d3",
)
