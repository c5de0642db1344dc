"""The score of the sandbox against the recordings, and the ratchet that keeps it from falling.

    PYTHONPATH=src:tests/sandbox python tests/sandbox/conformance/score.py [--update] [--why] [WORDS]

prints the table per area; ``--why`` every difference of the recordings whose name has WORDS in it; ``--update``
writes down what matches now, so that none of it may stop matching unseen.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from graphql import GraphQLSchema
from recordings import Exchange, Recording, read_recordings, recorded_folder, root_fields, types_named
from replay import Played, play

from storebridge_sandbox.shopify.engine import load_schema

HERE = Path(__file__).parent
MATCHED = HERE / "matched"
INTROSPECTION = {"__schema", "__type", "__typename"}


@dataclass(slots=True)
class Area:
    """How the exchanges of one area fared; exchanges are named ``recording:place``."""

    matched: set[str] = field(default_factory=set)
    differing: dict[str, Sequence[str]] = field(default_factory=dict)
    excused: set[str] = field(default_factory=set)

    @property
    def total(self) -> int:
        return len(self.matched) + len(self.differing) + len(self.excused)


def name_of(recording: Recording, exchange: Exchange) -> str:
    return f"{recording.version}_{recording.name}:{exchange.place}"


def in_scope(exchange: Exchange, schema: GraphQLSchema) -> bool:
    """Whether the sandbox serves every root field of a request and the types that it asks of."""
    served = set(INTROSPECTION)
    for root in (schema.query_type, schema.mutation_type):
        served |= set(root.fields) if root else set()
    return set(root_fields(exchange.query)) <= served and types_named(exchange.query) <= set(schema.type_map)


def reasons() -> dict[str, str]:
    """Exchanges that cannot match, each with its reason; a name may end in ``*``."""
    held = tomllib.loads((HERE / "exceptions.toml").read_text(encoding="utf-8"))
    return {name: entry["reason"] for entry in held.get("exception", []) for name in entry["exchanges"]}


def excused(name: str, known: Iterable[str]) -> bool:
    return any(name == one or (one.endswith("*") and name.startswith(one[:-1])) for one in known)


@cache
def played_all() -> list[tuple[Recording, list[Played]]]:
    """Every recording, played once per process."""
    folder = recorded_folder()
    schema = load_schema()
    return [(one, play(one, schema)) for one in (read_recordings(folder) if folder else [])]


def score() -> dict[str, Area]:
    """Per area; an excused exchange that matches all the same counts as matched."""
    areas: dict[str, Area] = {}
    known, schema = reasons(), load_schema()
    for recording, played in played_all():
        area = areas.setdefault(recording.area, Area())
        for one in played:
            name = name_of(recording, one.exchange)
            if not in_scope(one.exchange, schema):
                continue
            if not one.differences:
                area.matched.add(name)
            elif excused(name, known):
                area.excused.add(name)
            else:
                area.differing[name] = one.differences
    return areas


def ratchet() -> dict[str, set[str]]:
    """What matched before, per area."""
    return {path.stem: set(path.read_text(encoding="utf-8").split("\n")) - {""} for path in MATCHED.glob("*.txt")}


def update(areas: dict[str, Area]) -> None:
    MATCHED.mkdir(exist_ok=True)
    for name, area in areas.items():
        text = "".join(f"{one}\n" for one in sorted(area.matched))
        (MATCHED / f"{name}.txt").write_text(text, encoding="utf-8")


def table(areas: dict[str, Area]) -> str:
    rows = [f"{'area':24}{'matched':>9}{'excused':>9}{'in scope':>9}{'share':>8}"]
    for name, area in sorted(areas.items()):
        share = len(area.matched) / max(1, area.total)
        rows.append(f"{name:24}{len(area.matched):9}{len(area.excused):9}{area.total:9}{share:8.1%}")
    matched, total = (sum(counts) for counts in zip(*((len(a.matched), a.total) for a in areas.values()), strict=True))
    rows.append(f"{'all':24}{matched:9}{sum(len(a.excused) for a in areas.values()):9}{total:9}{matched / total:8.1%}")
    return "\n".join(rows)


def main(arguments: Sequence[str]) -> int:
    if recorded_folder() is None:
        print("The recordings are not here: ../shared is absent.", file=sys.stderr)  # noqa: T201
        return 1
    areas = score()
    words = [one for one in arguments if not one.startswith("--")]
    if "--why" in arguments:
        for area in areas.values():
            for name, differences in area.differing.items():
                if all(word in name for word in words):
                    print(name, *differences, sep="\n    ")  # noqa: T201
    if "--update" in arguments:
        update(areas)
    print(table(areas))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
