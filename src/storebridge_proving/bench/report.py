"""What every measurement hands back: figures, the machine they were measured on, and how it was done."""

from __future__ import annotations

import os
import platform
import sqlite3
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

FLUSHES = 50


class Report(msgspec.Struct, frozen=True):
    """One run of one measurement. ``lines`` say the figures to a person."""

    bench: str
    at: str
    machine: dict[str, Any]
    method: tuple[str, ...]
    figures: dict[str, Any]
    lines: tuple[str, ...]

    def content(self) -> dict[str, Any]:
        """What ``--json`` prints."""
        return {
            "bench": self.bench,
            "at": self.at,
            "machine": self.machine,
            "method": list(self.method),
            "figures": self.figures,
        }

    def for_people(self) -> list[str]:
        machine = ", ".join(f"{name} {value}" for name, value in self.machine.items())
        return [*self.lines, "", f"Machine: {machine}", f"Measured: {self.at}", "Method:", *_listed(self.method)]


class Quantiles(msgspec.Struct, frozen=True):
    """Of durations in milliseconds; all 0 when there were none."""

    n: int
    p50: float
    p95: float
    p99: float
    most: float


def quantiles_of(seconds: Sequence[float]) -> Quantiles:
    """Nearest-rank quantiles, so that each is a duration that occurred."""
    if not seconds:
        return Quantiles(0, 0.0, 0.0, 0.0, 0.0)
    ordered = sorted(seconds)

    def at(share: float) -> float:
        return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000, 2)

    return Quantiles(len(ordered), at(0.5), at(0.95), at(0.99), round(ordered[-1] * 1000, 2))


def median_of(values: Sequence[float], digits: int = 1) -> float:
    return round(statistics.median(values), digits) if values else 0.0


def load_average() -> float:
    """Of the last minute: how many others wanted the processor."""
    return round(os.getloadavg()[0], 2)


def describe_machine(folder: Path) -> dict[str, Any]:
    """Processor, memory, disk, versions. ``disk_flush_ms``: median of writing and flushing 4 KiB in ``folder``."""
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(pages * size / 2**30, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "commit": _commit(),
        "disk_flush_ms": _measure_flush(folder),
        "load_average_before": load_average(),
    }


def now_stamp() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _listed(sentences: Sequence[str]) -> list[str]:
    return [f"- {sentence}" for sentence in sentences]


def _processor() -> str:
    told = Path("/proc/cpuinfo")
    if told.exists():
        for line in told.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _commit() -> str:
    place = Path(__file__).parent
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty"], cwd=place, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return "unknown"
    return done.stdout.strip() or "unknown"


def _measure_flush(folder: Path) -> float:
    taken = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(FLUSHES):
            file.write(b"x" * 4096)
            began = time.perf_counter()
            file.flush()
            os.fsync(file.fileno())
            taken.append(time.perf_counter() - began)
    return quantiles_of(taken).p50
