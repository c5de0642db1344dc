"""The newcomer's first command, whole: two stores, shoppers, the bridge, and the report."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from storebridge.cli.main import run_command

CATALOGUE = (
    "Handle,Title,Variant SKU,Variant Price,Variant Inventory Qty,Variant Inventory Tracker\n"
    "mug,Mug,MUG,12.50,40,shopify\nlamp,Lamp,LAMP,40.00,30,shopify\nendless,Endless,END,20.00,999999,shopify\n"
)


@pytest.mark.process
@pytest.mark.parametrize("policy", ["mirror", "escrow"])
def test_a_demo_of_a_merchants_own_goods_ends_with_a_report_and_agreement(
    policy: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export = tmp_path / "export.csv"
    export.write_text(CATALOGUE)
    words = ["demo", "--for", "2", "--policy", policy, "--seed", "3", "--catalogue", str(export), "--json"]
    assert run_command(words) == 0
    told = capsys.readouterr()
    report = json.loads(told.out.strip().splitlines()[-1])
    assert (report["skus"], report["skus_disagreeing"], report["events"]["lost"]) == (2, 0, 0)
    assert sum(report["orders"].values()) > 0
    assert "line 4: 999999 units of END" in " ".join(told.err.split())
