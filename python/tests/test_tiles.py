"""Merged tiles are the answer of one run over everything."""

from __future__ import annotations

import functools
import multiprocessing
import os
import pickle
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

import brasa

pa = pytest.importorskip("pyarrow")

DENSITY: dict[str, Any] = {"bandwidth": "300m", "cell": "50m"}
EPS: dict[str, Any] = {"eps": "60m", "min_points": 8}
FUNCTIONS = ["tile_explode", "tile_kde", "merge_kde", "tile_dbscan", "merge_dbscan"]


def city(seed: int = 7, rows: int = 3000) -> Any:
    """Crowded corners, stacks at addresses, and some anywhere; some with negative coordinates."""
    rng = np.random.default_rng(seed)
    centres = rng.uniform(-2500, 2500, (25, 2))
    near = centres[rng.integers(0, len(centres), rows)] + rng.normal(0, 90, (rows, 2))
    anywhere = rng.uniform(-3000, 3000, (rows, 2))
    places = np.where(rng.random((rows, 1)) < 0.7, near, anywhere)
    # Whole metres make stacks, and multiples of 50 lie on borders of tiles and exactly at distances of each other.
    places = np.where(rng.random((rows, 1)) < 0.3, np.round(places / 50) * 50, np.round(places))
    return pa.table({"x": places[:, 0], "y": places[:, 1], "w": rng.choice([0.1, 0.5, 1.0, 2.0], rows)})


def groups(table: Any, seed: int = 0) -> list[Any]:
    """The rows of each tile, the tiles and their rows in an order of chance."""
    frame = table.to_pandas().sample(frac=1, random_state=seed)
    parts = [part for _, part in frame.groupby(["tile_x", "tile_y"])]
    np.random.default_rng(seed).shuffle(parts)
    return [pa.Table.from_pandas(part, preserve_index=False) for part in parts]


def clusters(table: Any, tile: str, halo: str, weight: str | None = None) -> Any:
    tiling: dict[str, Any] = {"tile": tile, "halo": halo}
    parts = groups(brasa.tile_explode(table, **tiling))
    return brasa.merge_dbscan([brasa.tile_dbscan(part, **tiling, **EPS, weight=weight) for part in parts])


@pytest.fixture(scope="module", name="table")
def fixture_table() -> Any:
    return city()


@pytest.mark.parametrize("weight", [None, "w"])
@pytest.mark.parametrize(("tile", "halo"), [("1km", "120m"), ("100m", "120m"), ("370m", "200m"), ("100km", "120m")])
def test_clusters_of_tiles_are_those_of_brasa(table: Any, tile: str, halo: str, weight: str | None) -> None:
    found = clusters(table, tile, halo, weight).to_pandas()
    named: dict[str, Any] = {} if weight is None else {"weight": weight}
    labels = brasa.dbscan(table.to_pandas(), x="x", y="y", crs="EPSG:32618", **EPS, **named).labels
    assert labels["cluster"].max() > 10
    assert (labels["cluster"].isna() & ~labels["core"]).sum() > 50
    assert (labels["cluster"].notna() & ~labels["core"]).sum() > 50, "no border is put to the test"
    assert found["row"].tolist() == list(range(len(table)))
    assert found["cluster"].fillna(0).astype(int).tolist() == labels["cluster"].fillna(0).astype(int).tolist()
    assert found["core"].tolist() == labels["core"].tolist()


@pytest.mark.parametrize("kernel", ["quartic", "uniform", "gaussian"])
@pytest.mark.parametrize("weight", [None, "w"])
def test_a_density_is_the_sum_of_its_parts(table: Any, kernel: str, weight: str | None) -> None:
    params = {"bandwidth": "100m" if kernel == "gaussian" else "300m", "cell": "50m", "kernel": kernel}
    single = brasa.merge_kde([brasa.tile_kde(table, weight=weight, **params)], **params)
    by_tile = groups(brasa.tile_explode(table, tile="770m", halo="200m"), seed=3)
    sums = [brasa.tile_kde(part, weight=weight, **params) for part in by_tile]
    assert len(sums) > 40
    assert brasa.merge_kde(sums, **params).equals(single)
    # However it is cut, in one table, and some of it merged before.
    assert brasa.merge_kde(pa.concat_tables(sums), **params).equals(single)
    pieces = [brasa.tile_kde(table.slice(at, 999), weight=weight, **params) for at in range(0, len(table), 999)]
    early = brasa.merge_kde(pieces[2:], **params)
    assert brasa.merge_kde([early, *pieces[:2]], **params).equals(single)


def test_a_density_is_that_of_brasa(table: Any) -> None:
    sums = [brasa.tile_kde(part, **DENSITY) for part in groups(brasa.tile_explode(table, tile="1km"))]
    found = brasa.merge_kde(sums, **DENSITY).to_pandas().set_index(["y", "x"])["density"]
    frame = table.to_pandas()
    surface = brasa.kde(frame, x="x", y="y", crs="EPSG:32618", **DENSITY)
    wanted = surface.to_series().dropna()
    wanted.index = wanted.index.set_names(["y", "x"])
    both = found.reindex(wanted.index).fillna(0.0)
    assert len(wanted) > 5000
    assert abs(both - wanted).max() <= 1e-9 * wanted.max()


def test_with_whole_weights_and_the_uniform_kernel_it_is_the_same_bits(table: Any) -> None:
    params: dict[str, Any] = {"bandwidth": "299.3m", "cell": "50m", "kernel": "uniform"}
    found = brasa.merge_kde([brasa.tile_kde(table, **params)], **params).to_pandas().set_index(["y", "x"])["density"]
    surface = brasa.kde(table.to_pandas(), x="x", y="y", crs="EPSG:32618", **params)
    wanted = surface.to_series().dropna()
    assert found.reindex(wanted.index.set_names(["y", "x"])).fillna(0.0).tolist() == wanted.tolist()


def test_a_sum_is_a_number_that_a_database_can_add() -> None:
    found = brasa.tile_kde(pa.table({"x": [25.0, 25.0], "y": [-25.0, -25.0], "w": [1.5, 0.1]}), **DENSITY, weight="w")
    assert found.schema.field("sum").type == pa.decimal128(38, 18)
    rows = {(row["cell_x"], row["cell_y"]): row["sum"] for row in found.to_pylist()}
    assert rows[0, -1] == Decimal("1.600000000000000000")
    assert list(rows) == sorted(rows, key=lambda cell: (cell[1], cell[0]))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_sent_by_its_name(name: str) -> None:
    function = getattr(brasa, name)
    sent = pickle.dumps(functools.partial(function, tile="5km"))
    assert b"brasa.tiles" in sent and len(sent) < 200
    assert pickle.loads(sent).func is function


def test_other_processes_find_the_same(table: Any) -> None:
    tiling: dict[str, Any] = {"tile": "900m", "halo": "150m"}
    parts = groups(brasa.tile_explode(table, **tiling))
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        told = pool.map(functools.partial(brasa.tile_dbscan, **tiling, **EPS), parts)
        sums = pool.map(functools.partial(brasa.tile_kde, **DENSITY), parts)
    assert brasa.merge_dbscan(told).equals(clusters(table, "900m", "150m"))
    assert brasa.merge_kde(sums, **DENSITY).equals(brasa.merge_kde(brasa.tile_kde(table, **DENSITY), **DENSITY))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_fork_after_work_does_not_hang(table: Any) -> None:
    brasa.dbscan(table.to_pandas(), x="x", y="y", crs="EPSG:32618", **EPS)
    tiling: dict[str, Any] = {"tile": "900m", "halo": "150m"}
    parts = groups(brasa.tile_explode(table, **tiling))
    with multiprocessing.get_context("fork").Pool(2) as pool:
        told = pool.map_async(functools.partial(brasa.tile_dbscan, **tiling, **EPS), parts).get(timeout=60)
    assert brasa.merge_dbscan(told).equals(clusters(table, "900m", "150m"))


def test_polars_in_polars_out(table: Any) -> None:
    polars = pytest.importorskip("polars")
    tiling: dict[str, Any] = {"tile": "900m", "halo": "150m"}
    frame = polars.DataFrame(table)
    rows = brasa.tile_explode(frame, **tiling)
    parts = [brasa.tile_dbscan(part, **tiling, **EPS) for part in rows.partition_by(["tile_x", "tile_y"])]
    found = brasa.merge_dbscan(parts)
    assert isinstance(found, polars.DataFrame)
    assert found.to_arrow().to_pylist() == clusters(table, "900m", "150m").to_pylist()
    sums = brasa.tile_kde(frame, **DENSITY)
    assert isinstance(sums, polars.DataFrame)
    wanted = brasa.merge_kde(brasa.tile_kde(table, **DENSITY), **DENSITY)
    assert brasa.merge_kde(sums, **DENSITY).to_arrow().to_pylist() == wanted.to_pylist()


def test_batches_and_other_types_of_numbers() -> None:
    batch = pa.record_batch({"x": pa.array([1, 2], pa.int32()), "y": pa.array([1.5, 2.5], pa.float32())})
    assert brasa.tile_kde(batch, **DENSITY).equals(
        brasa.tile_kde(pa.table({"x": [2.0, 1.0], "y": [2.5, 1.5]}), **DENSITY)
    )
    rows = brasa.tile_explode(batch, tile="100m", halo="10m")
    assert rows.column_names == ["x", "y", "row", "tile_x", "tile_y", "own"]
    assert rows.schema.field("x").type == pa.int32()
    assert rows.filter(rows["own"])["row"].to_pylist() == [0, 1]


def test_columns_come_along_and_rows_keep_their_numbers() -> None:
    table = pa.table({"row": [70, 71], "kind": ["a", None], "x": [100.0, 55.0], "y": [55.0, 55.0]})
    rows = brasa.tile_explode(table, tile="100m", halo="5m").to_pylist()
    assert [(row["row"], row["kind"], row["tile_x"], row["own"]) for row in rows] == [
        (70, "a", 1, True),
        (70, "a", 0, False),
        (71, None, 0, True),
    ]


def test_nobody_and_one() -> None:
    tiling: dict[str, Any] = {"tile": "1km", "halo": "120m"}
    none = pa.table({"x": pa.array([], pa.float64()), "y": pa.array([], pa.float64())})
    rows = brasa.tile_explode(none, **tiling)
    assert rows.num_rows == 0 and "tile_x" in rows.column_names
    assert brasa.merge_dbscan([brasa.tile_dbscan(rows, **tiling, **EPS)]).num_rows == 0
    assert pa.table(brasa.merge_dbscan([])).num_rows == 0
    assert brasa.merge_kde([brasa.tile_kde(none, **DENSITY)], **DENSITY).num_rows == 0
    one = brasa.tile_explode(pa.table({"x": [0.0], "y": [0.0]}), **tiling)
    parts = [brasa.tile_dbscan(part, **tiling, eps="60m", min_points=1) for part in groups(one)]
    assert len(parts) == 4
    assert brasa.merge_dbscan(parts).to_pylist() == [{"row": 0, "cluster": 1, "core": True}]


def test_what_cannot_be_is_refused(table: Any) -> None:
    tiling: dict[str, Any] = {"tile": "900m", "halo": "150m"}
    rows = brasa.tile_explode(table, **tiling)
    parts = sorted(groups(rows), key=lambda part: -sum(part["own"].to_pylist()))
    refused: list[tuple[str, Any]] = [
        ("twice eps", lambda: brasa.tile_dbscan(parts[0], **tiling, eps="80m")),
        ("several tiles", lambda: brasa.tile_dbscan(rows, **tiling, **EPS)),
        ("no unit", lambda: brasa.tile_explode(table, tile="900")),
        ("no column x", lambda: brasa.tile_explode(pa.table({"y": [1.0]}), tile="900m")),
        ("not Float64", lambda: brasa.tile_explode(pa.table({"x": ["1"], "y": [1.0]}), tile="900m")),
        ("empty", lambda: brasa.tile_kde(pa.table({"x": [None, 1.0], "y": [1.0, 1.0]}), **DENSITY)),
        ("not a place", lambda: brasa.tile_kde(pa.table({"x": [float("nan")], "y": [1.0]}), **DENSITY)),
        ("not a weight", lambda: brasa.tile_kde(pa.table({"x": [1.0], "y": [1.0], "w": [-1]}), **DENSITY, weight="w")),
        ("not a kernel", lambda: brasa.tile_kde(table, **DENSITY, kernel="cosine")),
        ("already", lambda: brasa.tile_explode(rows, **tiling)),
        ("missing", lambda: brasa.merge_dbscan([brasa.tile_dbscan(part, **tiling, **EPS) for part in parts[1:]])),
        ("twice", lambda: brasa.merge_dbscan([brasa.tile_dbscan(parts[0], **tiling, **EPS)] * 2)),
    ]
    for why, call in refused:
        with pytest.raises(brasa.Error, match=why):
            call()
