"""What the package costs on top of the engine: `python -P python/bench.py [ROWS]`.

A line per question and way: how long the call takes by the clock and of the processor (on all threads), and what share that is more
than the same question asked of the engine alone, where the table is there already and nothing is turned into frames. Medians of nine,
the ways by turns, so that a busy machine is busy for all. And how long an import takes, least of nine.
"""

from __future__ import annotations

import json
import statistics
import struct
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy

import brasa
from brasa import _brasa, _frames

TURNS = 9
CRS = "EPSG:32618"


def seconds(call: Callable[[], Any]) -> tuple[float, float]:
    """What a call takes by the clock, and of the processor."""
    clock, processor = time.perf_counter(), time.process_time()
    answer = call()
    took = time.perf_counter() - clock, time.process_time() - processor
    del answer
    return took


def main(rows: int) -> None:
    """Measures."""
    warnings.simplefilter("ignore", category=brasa.Note)
    code = "import time; began = time.perf_counter(); import brasa; print(time.perf_counter() - began)"
    fresh = [subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout for _ in range(9)]
    print(f"import: {1000 * min(float(text) for text in fresh):.0f} ms")
    draw = numpy.random.default_rng(1)
    centres = draw.uniform(500_000, 530_000, (200, 2))
    which = draw.integers(0, 200, rows)
    places = centres[which] + draw.normal(0, 700, (rows, 2))
    x, y = numpy.ascontiguousarray(places[:, 0]), numpy.ascontiguousarray(places[:, 1])
    questions: dict[str, dict[str, Any]] = {
        "kde": {"bandwidth": "500m", "cell": "50m"},
        "gi-star": {"cell": "200m"},
        "dbscan": {"eps": "30m", "min-points": 20},
    }
    frame = _geopandas(x, y)
    box = [495_000.0, 535_000.0]
    corners = [[box[0], box[0]], [box[1], box[0]], [box[1], box[1]], [box[0], box[1]], [box[0], box[0]]]
    window = _brasa.Table("window", 1, CRS, [_brasa.binary([_polygon(corners)])], [])
    for name, parameters in questions.items():
        function = getattr(brasa, name.replace("-", "_"))
        given = {key.replace("-", "_"): value for key, value in parameters.items()}
        table = _frames.table((x, y), "incidents", CRS)

        def alone(name: str = name, parameters: dict[str, Any] = parameters, table: Any = table) -> Any:
            options = json.dumps({"study-area": str(window.path)})
            return _brasa.ask(name, [str(table.path)], options, json.dumps(parameters), "{}", "", None)

        ways: dict[str, Callable[[], Any]] = {"engine": alone, "arrays": lambda: function((x, y), crs=CRS, window=window, **given)}
        if frame is not None:
            ways["GeoDataFrame"] = lambda: function(frame, window=window, **given)
        took: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
        for turn in range(TURNS):
            for at in range(len(ways)):
                way = list(ways)[(turn + at) % len(ways)]
                took[way].append(seconds(ways[way]))
        middle = {way: [statistics.median(column) for column in zip(*times, strict=True)] for way, times in took.items()}
        for way, times in middle.items():
            shown = [f"{took:.3f} s ({100 * (took / base - 1):+.1f} %)" for took, base in zip(times, middle["engine"], strict=True)]
            print(f"{name}, {rows} places, {way}: clock {shown[0]}, processor {shown[1]}")


def _polygon(corners: list[list[float]]) -> bytes:
    """A ring as well-known binary."""
    numbers = [number for corner in corners for number in corner]
    return struct.pack(f"<BIII{len(numbers)}d", 1, 3, 1, len(corners), *numbers)


def _geopandas(x: Any, y: Any) -> Any:
    try:
        import geopandas
    except ImportError:
        return None
    return geopandas.GeoDataFrame(geometry=geopandas.points_from_xy(x, y), crs=CRS)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
