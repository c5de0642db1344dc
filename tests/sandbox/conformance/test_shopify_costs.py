"""The cost of a recorded request is the cost that the sandbox asks for."""

from __future__ import annotations

import pytest
from graphql import FragmentDefinitionNode, OperationDefinitionNode, parse
from recordings import read_recordings, recorded_folder
from score import in_scope

from storebridge_sandbox.shopify.cost import CostRule
from storebridge_sandbox.shopify.engine import load_schema

LEAST_SHARE = 0.92


pytestmark = pytest.mark.usefixtures("shared_shopify_data")


def test_requested_costs_are_the_recorded_ones(capsys: pytest.CaptureFixture[str]) -> None:
    equal, different = 0, dict[str, tuple[int, int]]()
    for name, text, variables, recorded in _priced():
        ours = _requested(text, variables)
        if ours == recorded:
            equal += 1
        else:
            different[name] = (ours, recorded)
    with capsys.disabled():
        print(f"\n{equal} of {equal + len(different)} recorded costs reproduced")  # noqa: T201
        for name, (ours, theirs) in sorted(different.items()):
            print(f"    {name}: {ours}, recorded {theirs}")  # noqa: T201
    assert equal / (equal + len(different)) >= LEAST_SHARE


def _priced() -> list[tuple[str, str, dict[str, object], int]]:
    """Distinct requests with their own text and a recorded cost."""
    folder, schema = recorded_folder(), load_schema()
    assert folder is not None
    seen: dict[tuple[str, str], tuple[str, str, dict[str, object], int]] = {}
    for recording in read_recordings(folder):
        for one in recording.exchanges:
            cost = ((one.body.get("extensions") or {}).get("cost") or {}).get("requestedQueryCost")
            if cost is not None and one.own_text and in_scope(one, schema):
                entry = (f"{recording.name}:{one.place}", one.query, dict(one.variables), cost)
                seen.setdefault((one.query, repr(one.variables)), entry)
    return list(seen.values())


def _requested(text: str, variables: dict[str, object]) -> int:
    document = parse(text)
    fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
    operation = next(one for one in document.definitions if isinstance(one, OperationDefinitionNode))
    return CostRule(load_schema(), operation, fragments).requested(variables)
