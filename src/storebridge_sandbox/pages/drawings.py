"""Pictures of the goods, drawn as SVG, so that a page downloads nothing."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from types import MappingProxyType

from markupsafe import Markup

COLOURS = MappingProxyType(
    {
        "black": "#2b2f33", "chalk": "#ece7dd", "navy": "#27406b", "olive": "#6b7146", "rust": "#b0562f",
        "sage": "#93a98c", "stone": "#b9b0a2", "plum": "#6d3b5e", "denim": "#4d6f99", "mustard": "#d0a036",
        "white": "#f4f4f2", "red": "#b3393a", "blue": "#3d6ea8", "green": "#4d8a5b", "grey": "#8b9094",
        "gray": "#8b9094", "yellow": "#dcb83f", "pink": "#d792a0", "brown": "#7b5a3f", "orange": "#d97b34",
    }
)  # fmt: skip
OTHERS = ("#8aa39b", "#c28f6b", "#7d8cab", "#b08aa0", "#a3a06b", "#6f9aa8")
SHAPES_FILE = Path(__file__).parent / "static" / "shapes.svg"
SHAPES = MappingProxyType(dict(re.findall(r'<g id="(\w+)">(.*)</g>', SHAPES_FILE.read_text(encoding="utf-8"))))
WORDS = (
    ("hoodie", r"hood|sweat|jumper|jacket|coat|pullover"),
    ("shirt", r"shirt|tee\b|top|blouse|polo|dress"),
    ("trousers", r"chino|trouser|jean|pant|short|legging"),
    ("shoe", r"sneaker|shoe|boot|sandal|trainer"),
    ("beanie", r"beanie|hat|cap\b"),
    ("bag", r"\bbag|tote|backpack|purse"),
    ("mug", r"mug|cup|glass|bottle"),
    ("candle", r"candle|soap"),
    ("throw", r"throw|blanket|scarf|towel|rug"),
    ("notebook", r"notebook|book|journal|card|print"),
    ("belt", r"belt|strap|watch"),
)
CLASSES = MappingProxyType(
    {
        "cut": 'fill="none" stroke="#0003" stroke-width="2.5" stroke-linecap="round"',
        "trim": 'fill="#00000026"',
        "sole": 'fill="#f4f2ee"',
        "handle": 'fill="none" stroke-width="6"',
        "flame": 'fill="#e9a23b"',
    }
)


def draw(title: str, kind: str, colour_name: str = "") -> Markup:
    """A picture of the goods: the shape by title or kind, the colour by its name or by chance of the title."""
    words = f"{title} {kind}".lower()
    shape = next((name for name, pattern in WORDS if re.search(pattern, words)), "parcel")
    colour = colour_of(colour_name, title)
    body = SHAPES[shape]
    for name, attributes in CLASSES.items():
        stroke = f' stroke="{colour}"' if name == "handle" else ""
        body = body.replace(f'class="{name}"', attributes + stroke)
    # Nothing in it is anyone's text: shape and colour come from the tables above.
    outline = 'stroke="#0000001f" aria-hidden="true" focusable="false"'
    return Markup(f'<svg viewBox="0 0 100 100" fill="{colour}" {outline}>{body}</svg>')


def colour_of(colour_name: str, title: str) -> str:
    """The colour that a variant's name says, else one that always goes with the title."""
    for word in re.findall(r"[a-z]+", colour_name.lower()):
        if word in COLOURS:
            return COLOURS[word]
    return OTHERS[hashlib.blake2s(title.encode(), digest_size=1).digest()[0] % len(OTHERS)]
