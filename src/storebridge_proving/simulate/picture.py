"""A picture of what each policy costs: units oversold against sales refused although the goods were there."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context

from storebridge_proving.simulate.core import RISK, run_core_seed
from storebridge_proving.simulate.core.naive import run_naive_seed
from storebridge_proving.simulate.figures import bounds
from storebridge_proving.simulate.result import SeedResult

NAIVE = "naive poller"
POLICIES = ("escrow", "guarded", "hybrid", "mirror", NAIVE)
SCENES = (("week", "some", "goods for a week, some faults"), ("scarce", "storm", "far too few goods, storm"))
COLOURS = {"escrow": "#1b7f5c", "guarded": "#6b3fa0", "hybrid": "#2b5fb3", "mirror": "#b36b00", NAIVE: "#a32638"}
PICTURE_SEEDS = {"week": 8, "scarce": 100}
WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 760, 460, 90, 50, 30, 70
LABEL_WIDTH, LABEL_HEIGHT = 85, 15
LOWEST_X, HIGHEST_X, LOWEST_Y, HIGHEST_Y = 0.01, 100.0, 0.1, 10_000.0


@dataclass(frozen=True, slots=True)
class Point:
    """One policy in one scene; ``none_seen`` when no unit was oversold, and the bound stands instead."""

    policy: str
    scene: str
    false_percent: float
    oversold_per_10k: float
    none_seen: bool


def measure(seeds: dict[str, int], tell: Callable[[str], None]) -> list[Point]:
    """Play every policy in every scene; ``seeds`` per workload."""
    points = []
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        for workload, faults, scene in SCENES:
            for policy in POLICIES:
                play = partial(_play, policy, faults, workload)
                results = list(pool.map(play, range(1, seeds[workload] + 1), chunksize=4))
                points.append(_point(policy, scene, results))
                tell(
                    f"{policy}, {scene}: {points[-1].false_percent:.3g} % refused falsely, "
                    f"{points[-1].oversold_per_10k:.3g} oversold per 10,000"
                    f"{' at most (none seen)' if points[-1].none_seen else ''}"
                )
    return points


def _play(policy: str, faults: str, workload: str, seed: int) -> SeedResult:
    if policy == NAIVE:
        return run_naive_seed(seed, faults, workload)
    return run_core_seed(seed, policy, faults, workload, RISK)


def _point(policy: str, scene: str, results: Sequence[SeedResult]) -> Point:
    sold, oversold = sum(r.units_sold for r in results), sum(r.units_oversold for r in results)
    false, sales = sum(r.false_stockouts for r in results), sum(r.sales for r in results)
    share = oversold / sold if oversold else bounds(0, sold)[1]
    return Point(policy, scene, 100 * false / max(1, false + sales), 10_000 * share, not oversold)


def draw(points: Sequence[Point]) -> str:
    """The picture as SVG; both axes are logarithmic, an arrow means "at most"."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{LEFT}" y="28" font-size="17">What a policy costs: sold twice, or refused for nothing</text>',
        *_grid(),
        *(part for point in points for part in _marker(point)),
        *_labels(points),
        *_legend(),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _x(percent: float) -> float:
    part = math.log10(max(LOWEST_X, percent) / LOWEST_X) / math.log10(HIGHEST_X / LOWEST_X)
    return LEFT + part * (WIDTH - LEFT - RIGHT)


def _y(per_10k: float) -> float:
    part = math.log10(max(LOWEST_Y, per_10k) / LOWEST_Y) / math.log10(HIGHEST_Y / LOWEST_Y)
    return HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM)


def _grid() -> list[str]:
    lines = []
    for power in range(-2, 3):
        x = _x(10.0**power)
        lines.append(f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{HEIGHT - BOTTOM}" stroke="#ddd"/>')
        lines.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{10.0**power:g} %</text>')
    for power in range(-1, 5):
        y = _y(10.0**power)
        lines.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" stroke="#ddd"/>')
        lines.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{10.0**power:g}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    lines.append(
        f'<text x="{middle}" y="{HEIGHT - 30}" text-anchor="middle">sales refused although units were left</text>'
    )
    lines.append(
        f'<text x="22" y="{HEIGHT / 2}" transform="rotate(-90 22 {HEIGHT / 2})" text-anchor="middle">'
        "units oversold per 10,000 sold</text>"
    )
    return lines


def _marker(point: Point) -> list[str]:
    x, y, colour = _x(point.false_percent), _y(point.oversold_per_10k), COLOURS[point.policy]
    calm = point.scene == SCENES[0][2]
    shape = (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="7" fill="{colour}"/>'
        if calm
        else f'<rect x="{x - 6:.1f}" y="{y - 6:.1f}" width="12" height="12" fill="{colour}"/>'
    )
    arrow = f'<path d="M{x:.1f} {y + 8:.1f}v14m-4 -5l4 5l4 -5" fill="none" stroke="{colour}" stroke-width="2"/>'
    return [shape, *([arrow] if point.none_seen else [])]


def _labels(points: Sequence[Point]) -> list[str]:
    """A name beside each marker, above another name where both would lie on each other."""
    placed: list[tuple[float, float]] = []
    parts = []
    for point in points:
        x, y = _x(point.false_percent), _y(point.oversold_per_10k) + 4
        while any(abs(x - other) < LABEL_WIDTH and abs(y - line) < LABEL_HEIGHT for other, line in placed):
            y -= LABEL_HEIGHT
        placed.append((x, y))
        at, anchor = (x - 11, "end") if x > WIDTH - RIGHT - LABEL_WIDTH else (x + 11, "start")
        colour = COLOURS[point.policy]
        parts.append(f'<text x="{at:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}">{point.policy}</text>')
    return parts


def _legend() -> list[str]:
    y = HEIGHT - 9
    return [
        f'<circle cx="{LEFT + 6}" cy="{y - 4}" r="6" fill="#555"/><text x="{LEFT + 18}" y="{y}">{SCENES[0][2]}</text>',
        f'<rect x="{LEFT + 228}" y="{y - 10}" width="12" height="12" fill="#555"/>'
        f'<text x="{LEFT + 246}" y="{y}">{SCENES[1][2]}</text>',
        f'<text x="{LEFT + 450}" y="{y}">arrow: none seen, at most this</text>',
    ]
