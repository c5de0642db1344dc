"""Write the table of what the pretend stores answer: docs/sandbox-operations.md.

    python scripts/list_sandbox_operations.py [--check | --add]

Operations come from the stores themselves, evidence from docs/sandbox-evidence.toml, where each has a line. ``--check``
writes nothing and ends with 1 when the table is stale or an operation and its evidence do not match; ``--add`` first
gives new operations a line, resting on the schema alone, and drops lines of operations that are gone.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

from storebridge_sandbox.app import build_stores
from storebridge_sandbox.shopify.engine import load_schema

DOCS = Path(__file__).resolve().parents[1] / "docs"
TABLE, EVIDENCE = DOCS / "sandbox-operations.md", DOCS / "sandbox-evidence.toml"
SECTIONS = {
    "shopify.queries": "Shopify: queries",
    "shopify.mutations": "Shopify: mutations",
    "wix": "Wix: calls",
}
KINDS = ("schema", "recording", "SDK", "documentation")
INTRO = """# What the pretend stores answer

Made by `scripts/list_sandbox_operations.py` from the operations that the stores know and from
[sandbox-evidence.toml](sandbox-evidence.toml); a house test fails when one of the three does not fit the others. How to
use the stores stands in [sandbox.md](sandbox.md), which also tells what of the eCommerce calls is supported.

| evidence | means |
|---|---|
| schema | arguments, fields and error codes are those of Shopify's Admin schema, or of the messages in Wix's packages |
| recording | recorded exchanges with a real shop have it, and a runner compares them with the pretend one |
| SDK | the vendor's own client calls it in our tests, unmodified |
| documentation | the vendor's pages say it, and no machine-readable declaration does |
| S1, W1, G1 ... | rests on this entry of [assumptions.md](assumptions.md) as well |

Everything that an answer does beyond its evidence (when stock moves, what a status becomes) is as the vendor's pages
tell it. *No* means that the schema of the sandbox knows the root field and nothing stands behind it, so that the
answer is null. Below the roots every field of Shopify's schema that is served has its answer, which a test walks: a
value where the schema promises one, else null or an empty list for what this shop never has (draft orders, duties,
payment terms, staff). `Shop.accountOwner` and `FulfillmentHold.heldByApp` are refused with `ACCESS_DENIED`, as an app
without `read_users` and `read_apps` knows it.

The addresses of Shopify's REST API that are served, all on the vendor's pages' word, stand in
[sandbox.md](sandbox.md#the-rest-surface-of-the-shopify-shop).
"""


@dataclass(frozen=True)
class Operation:
    """``section`` is where it stands; ``place`` is the address of a Wix call."""

    section: str
    name: str
    place: str = ""
    supported: bool = True


def main() -> int:
    """Write or check; 0 when everything fits."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    doing = parser.add_mutually_exclusive_group()
    doing.add_argument("--check", action="store_true")
    doing.add_argument("--add", action="store_true")
    asked = parser.parse_args()
    operations = asyncio.run(all_operations())
    if asked.add:
        EVIDENCE.write_text(with_new(operations, read_evidence()), encoding="utf-8")
    evidence = read_evidence()
    problems = problems_of(operations, evidence)
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        return 1
    table = written(operations, evidence)
    if asked.check:
        stale = not TABLE.exists() or TABLE.read_text(encoding="utf-8") != table
        if stale:
            print("docs/sandbox-operations.md is stale: run scripts/list_sandbox_operations.py", file=sys.stderr)
        return int(stale)
    TABLE.write_text(table, encoding="utf-8")
    return 0


async def all_operations() -> list[Operation]:
    """What the stores know, in the order of the table."""
    stores = build_stores(seed=1)
    schema, served = load_schema(), stores.shopify.served_fields()
    assert schema.query_type is not None
    assert schema.mutation_type is not None
    found = [
        Operation(section, name, supported=(kind.name, name) in served)
        for section, kind in (("shopify.queries", schema.query_type), ("shopify.mutations", schema.mutation_type))
        for name in sorted(kind.fields)
    ]
    calls = sorted({(one.path, one.name, "/".join(one.methods)) for one in stores.wix.api.operations})
    await stores.stop()
    return [*found, *(Operation("wix", name, f"{methods} {path}") for path, name, methods in calls)]


def read_evidence() -> dict[str, dict[str, str]]:
    """By section and operation: words of ``KINDS`` and numbers of assumptions."""
    if not EVIDENCE.exists():
        return {section: {} for section in SECTIONS}
    told = tomllib.loads(EVIDENCE.read_text(encoding="utf-8"))
    return {
        "shopify.queries": told["shopify"]["queries"],
        "shopify.mutations": told["shopify"]["mutations"],
        "wix": told["wix"],
    }


def problems_of(operations: list[Operation], evidence: dict[str, dict[str, str]]) -> list[str]:
    """What does not fit, one sentence each."""
    problems = []
    numbers = set(re.findall(r"^### ([SWG]\d+)", (DOCS / "assumptions.md").read_text(encoding="utf-8"), re.MULTILINE))
    for section, told in evidence.items():
        known = {one.name for one in operations if one.section == section and one.supported}
        problems += [
            f"{name} has no line in docs/sandbox-evidence.toml, [{section}]" for name in sorted(known - set(told))
        ]
        problems += [
            f"docs/sandbox-evidence.toml, [{section}]: the store has no {name}" for name in sorted(set(told) - known)
        ]
        for name, words in told.items():
            wrong = [word for word in words.split() if word not in KINDS and word not in numbers]
            if wrong or not set(words.split()) & set(KINDS):
                problems.append(f"docs/sandbox-evidence.toml, {name}: {words!r} is no evidence")
    return problems


def with_new(operations: list[Operation], evidence: dict[str, dict[str, str]]) -> str:
    """The file of evidence with a line for each operation."""
    lines = ["# What each operation of the pretend stores rests on; docs/sandbox-operations.md explains the words."]
    for section in SECTIONS:
        lines += ["", f"[{section}]"]
        for name in dict.fromkeys(one.name for one in operations if one.section == section and one.supported):
            lines.append(f'{name} = "{evidence[section].get(name, "schema")}"')
    return "\n".join(lines) + "\n"


def written(operations: list[Operation], evidence: dict[str, dict[str, str]]) -> str:
    """The whole page."""
    parts = [INTRO]
    for section, title in SECTIONS.items():
        rows = [one for one in operations if one.section == section]
        served = sum(one.supported for one in rows)
        parts.append(f"\n## {title}\n\n{served} of {len(rows)} are supported.\n")
        parts.append("\n| operation | supported | evidence |\n|---|---|---|\n")
        parts += [_row(one, evidence[section].get(one.name, "")) for one in rows]
    return "".join(parts)


def _row(one: Operation, words: str) -> str:
    name = f"`{one.name}` `{one.place}`" if one.place else f"`{one.name}`"
    return f"| {name} | {'yes' if one.supported else 'no'} | {', '.join(words.split())} |\n"


if __name__ == "__main__":
    sys.exit(main())
