"""What a person can use is documented: commands, settings, metrics, reasons, addresses, control calls, dependencies."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import msgspec
import pytest
from cyclopts import App
from repository import ROOT, SRC, read

from storebridge.cli.main import build_app
from storebridge.cli.options import CONFIG_VARIABLE
from storebridge.config import (
    STORE_VARIABLE,
    BundleConfig,
    ConnectionConfig,
    GuardConfig,
    LocationGroup,
    OverrideConfig,
    SecretRef,
    ServerConfig,
    WorkspaceConfig,
)
from storebridge.exceptions_queue.reasons import CATALOGUE, Reason
from storebridge.operations.settle_case import Choice
from storebridge.telemetry.metrics import COUNTERS, GAUGES, HISTOGRAMS
from storebridge_sandbox.faults import PROFILES, FaultRule, FaultSettings, FaultStep
from storebridge_sandbox.schema_changes import SchemaChange
from storebridge_sandbox.shopify.quirks import ShopifyOptions
from storebridge_sandbox.switches import all_switches
from storebridge_sandbox.wix.quirks import WixQuirks

OPERATING = "docs/operating.md"
SANDBOX = "docs/sandbox.md"
ASSUMPTIONS = "docs/assumptions.md"
DEPENDENCIES = "docs/decisions/dependencies.md"
STRUCTS = (
    ServerConfig,
    WorkspaceConfig,
    BundleConfig,
    OverrideConfig,
    GuardConfig,
    LocationGroup,
    ConnectionConfig,
    SecretRef,
)
API_ROUTE = re.compile(r'@api\.(get|post|put|delete)\(\s*"([^"]+)"')
PLAIN_ROUTE = re.compile(r'\b(?:Route|Mount)\(\s*"(/[^"]*)"')
CONTROL_ROUTE = re.compile(r'"(/_sandbox/[^"]+)"')
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)")
REQUIREMENT = re.compile(r"^([a-z0-9-]+)(?:\[[a-z]+\])?==", flags=re.MULTILINE)


@cache
def code_in(document: str) -> tuple[str, ...]:
    """Everything that a document writes in backticks or in an indented block, piece by piece."""
    text = read(document)
    quoted = re.findall(r"`([^`\n]+)`", text)
    blocks = re.findall(r"^ {4}(.+)$", text, flags=re.MULTILINE)
    return (*quoted, *(" ".join(block.split()) for block in blocks))


def missing(wanted: Iterable[str], document: str) -> set[str]:
    """Words that stand in no piece of code of the document."""
    return {word for word in wanted if not any(has_word(piece, word) for piece in code_in(document))}


def has_word(piece: str, word: str) -> bool:
    """The whole word, not a part of a longer one: ``shopify`` does not tell of ``shop``, nor ``/a/b`` of ``/a``."""
    return re.search(rf"(?<![\w/}}-]){re.escape(word)}(?![\w/{{-])", piece) is not None


def commands_of(app: App, before: str) -> Iterator[str]:
    """Every command that can be typed, with the words before it."""
    for name in app:
        if not name.startswith("-"):
            words = f"{before} {name}"
            yield from list(commands_of(app[name], words)) or [words]


def rows_under(heading: str) -> dict[str, list[str]]:
    """The tables under a heading of the operating guide: the code in the first cell to the other cells."""
    part = read(OPERATING).split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = (re.fullmatch(r"\| `([^`]+)` \|(.*)\|", line) for line in part.splitlines())
    return {row[1]: [cell.strip() for cell in row[2].split("|")] for row in rows if row}


def addresses() -> set[str]:
    """Every address of console, API and intake, as a person writes it."""
    sources = [path.read_text(encoding="utf-8") for path in (SRC / "storebridge" / "web").rglob("*.py")]
    api = {f"/api{path}" for text in sources for _, path in API_ROUTE.findall(text)}
    plain = {path for text in sources for path in PLAIN_ROUTE.findall(text)} - {"/api"}
    return {path.replace(":path}", "}") for path in api | plain}


def reasons_in_use() -> set[str]:
    """Reasons that some code opens cases of: named anywhere outside their catalogue."""
    catalogue = SRC / "storebridge" / "exceptions_queue" / "reasons.py"
    text = "".join(p.read_text(encoding="utf-8") for p in (SRC / "storebridge").rglob("*.py") if p != catalogue)
    return {reason.value for reason in Reason if re.search(rf"\bReason\.{reason.name}\b", text)}


def documents() -> list[Path]:
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def test_the_table_of_commands_holds_every_command_and_no_other() -> None:
    commands = set(commands_of(build_app(), "storebridge"))
    assert {"storebridge serve", "storebridge audit verify", "storebridge exceptions list"} <= commands
    table = read(OPERATING).split("## Every command\n", 1)[1].split("\n## ", 1)[0]
    assert set(re.findall(r"`(storebridge[a-z]*(?:[ -][a-z]+)*)`", table)) == commands


def test_every_setting_is_documented() -> None:
    settings = {field.name for struct in STRUCTS for field in msgspec.structs.fields(struct)}
    assert {"policy", "intake_url", "webhook_public_key"} <= settings
    assert missing({*settings, STORE_VARIABLE, CONFIG_VARIABLE}, OPERATING) == set()


def as_toml(value: float | str) -> str:
    """A plain value as the file has it."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


@pytest.mark.parametrize("struct", [ServerConfig, WorkspaceConfig])
def test_defaults_are_documented_as_they_are(struct: type[msgspec.Struct]) -> None:
    rows = rows_under("Every setting")
    plain = {
        field.name: as_toml(field.default)
        for field in msgspec.structs.fields(struct)
        if isinstance(field.default, int | float | str) and field.default != ""
    }
    assert {name: rows[name][0].strip("`") for name in plain} == plain


def test_every_metric_is_documented_with_its_labels() -> None:
    metrics = {name: ", ".join(labels) for name, (_, labels) in {**GAUGES, **COUNTERS, **HISTOGRAMS}.items()}
    assert {name: cells[0] for name, cells in rows_under("Every metric").items()} == metrics


def test_every_reason_is_documented_with_whose_move_it_is() -> None:
    moves = {reason.value: CATALOGUE[reason].whose_move for reason in Reason}
    assert {name: cells[0] for name, cells in rows_under("Every reason of a case").items()} == moves


def test_reserved_reasons_are_those_that_nothing_opens() -> None:
    rows = rows_under("Every reason of a case")
    reserved = {name for name, cells in rows.items() if cells[2] == "reserved"}
    assert reserved == set(rows) - reasons_in_use()


def test_every_decision_is_documented() -> None:
    assert missing([choice.value for choice in Choice], OPERATING) == set()


def test_every_address_is_documented() -> None:
    found = addresses()
    assert {"/hooks/{connection}", "/metrics", "/api/v1/{workspace}/stock/{sku}", "/sign-in"} <= found
    assert missing(found, OPERATING) == set()


def test_every_control_call_of_the_sandbox_is_documented() -> None:
    sources = [path.read_text(encoding="utf-8") for path in (SRC / "storebridge_sandbox").rglob("*.py")]
    calls = {call.replace(":path}", "}") for text in sources for call in CONTROL_ROUTE.findall(text)}
    assert {"/_sandbox/truth", "/_sandbox/orders/{order_id}/cancel"} <= calls
    assert missing(calls, SANDBOX) == set()


def test_every_fault_and_profile_of_the_sandbox_is_documented() -> None:
    fields = {
        field.name
        for kind in (FaultSettings, FaultRule, FaultStep, SchemaChange)
        for field in msgspec.structs.fields(kind)
    }
    assert missing(fields | set(PROFILES), SANDBOX) == set()


def test_every_switch_of_the_sandbox_is_documented() -> None:
    shopify = {field.name for field in msgspec.structs.fields(ShopifyOptions)}
    wix = {field.name for field in dataclasses.fields(WixQuirks)}
    assert missing(shopify | wix, SANDBOX) == set()


def test_every_assumption_that_the_code_names_is_documented() -> None:
    sources = [path.read_text(encoding="utf-8") for path in SRC.rglob("*.py")]
    named = {number for text in sources for number in re.findall(r"\b(?:[SW][1-9][0-9]?|G[1-4])\b", text)}
    told = set(re.findall(r"^### ([GSW][0-9]+)\b", read(ASSUMPTIONS), flags=re.MULTILINE))
    assert {"S1", "W33"} <= told
    assert named - told == set()


def test_every_assumption_is_a_switch_or_says_why_it_is_none() -> None:
    numbered = {name.partition(".")[2] for name, one in all_switches().items() if one.assumption}
    assert {"stale_code", "w2_every_change_raises_revision"} <= numbered
    assert missing(numbered, ASSUMPTIONS) == set()
    entries = re.split(r"^### ", read(ASSUMPTIONS), flags=re.MULTILINE)[1:]
    silent = [one.partition(":")[0] for one in entries if not re.search(r"\*\*Switch:\*\*\s+(?!none\.)\S", one)]
    assert silent == []


def test_every_dependency_has_a_reason() -> None:
    wanted = REQUIREMENT.findall(read("requirements.in")) + REQUIREMENT.findall(read("requirements-dev.in"))
    assert {"aiohttp", "psycopg", "ruff"} <= set(wanted)
    assert missing(wanted, DEPENDENCIES) == set()


def test_every_decision_page_ends_with_what_enforces_it() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert len(pages) >= 14
    loose = [page.name for page in pages if last_heading(page) != "What enforces it"]
    assert loose == []


def last_heading(page: Path) -> str:
    headings: list[str] = re.findall(r"^## (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return headings[-1]


def test_every_link_between_documents_leads_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in documents()
        for target in LINK.findall(page.read_text(encoding="utf-8"))
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert broken == []


def test_every_file_that_a_document_names_exists() -> None:
    """Paths in backticks that begin with one of our folders."""
    roots = ("src/", "tests/", "docs/", "scripts/")
    gone = [
        f"{page.relative_to(ROOT)}: {piece}"
        for page in documents()
        for piece in re.findall(r"`([^`\s]+)`", page.read_text(encoding="utf-8"))
        if piece.startswith(roots) and not list(ROOT.glob(piece.split("::")[0].rstrip("/")))
    ]
    assert gone == []
