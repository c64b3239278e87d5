"""The same rows give the same numbers as the command line, to the last bit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas
import numpy
import pandas
import pytest
from conftest import CITY, SAMPLE, CommandLine

import brasa

#: Per place of data: the file, and its rows as a frame.
Places = tuple[Path, Any, dict[str, Any]]


def of_sample(_: Callable[[str], Path]) -> Places:
    return SAMPLE, str(SAMPLE), {"window": str(CITY)}


def of_memphis(real: Callable[[str], Path]) -> Places:
    path = real("us_memphis/memphis_robberies.gpkg")
    return path, geopandas.read_file(path), {}


def of_chicago(real: Callable[[str], Path]) -> Places:
    path = real("us_chicago/chicago_aggravated_assaults.csv.gz")
    frame = pandas.read_csv(path, keep_default_na=False)
    points = geopandas.points_from_xy(frame.pop("longitude"), frame.pop("latitude"))
    return path, geopandas.GeoDataFrame(frame, geometry=points, crs=4326), {}


PLACES = pytest.mark.parametrize("of", [of_sample, of_memphis, of_chicago])


def flags(given: dict[str, Any]) -> list[str]:
    return ["--study-area", given["window"]] if given else []


@PLACES
def test_a_density(of: Any, real: Any, command_line: CommandLine, tmp_path: Path) -> None:
    path, frame, given = of(real)
    out = tmp_path / "kde.csv"
    command_line("kde", path, *flags(given), "--bandwidth", "500m", "--cell", "200m", "-o", out)
    surface = brasa.kde(frame, bandwidth="500m", cell="200m", **given)
    table = pandas.read_csv(out)
    column = {x: at for at, x in enumerate(surface.x.to_numpy())}
    row = {y: at for at, y in enumerate(surface.y.to_numpy())}
    own = numpy.full(surface.shape, numpy.nan)
    for x, y, value in table[["x", "y", "intensity"]].to_numpy():
        own[row[y], column[x]] = value
    numpy.testing.assert_array_equal(surface.to_numpy(), own)
    assert numpy.isfinite(own).sum() > 100


@PLACES
def test_clusters(of: Any, real: Any, command_line: CommandLine, tmp_path: Path) -> None:
    path, frame, given = of(real)
    out, labelled = tmp_path / "dbscan.gpkg", tmp_path / "labels.csv"
    words = ["--eps", "250m", "--min-points", "12", "-o", out, "--labels", labelled]
    command_line("dbscan", path, *flags(given), *words)
    clusters = brasa.dbscan(frame, eps="250m", min_points=12, **given)
    assert len(clusters) > 3
    alike(clusters, geopandas.read_file(out, layer="clusters"))
    labels = pandas.read_csv(labelled)
    assert len(labels) == len(clusters.labels)
    own = clusters.labels["cluster"].to_numpy(dtype=float, na_value=numpy.nan)
    numpy.testing.assert_array_equal(own, labels["cluster"].to_numpy(dtype=float))


@PLACES
def test_local_statistics(of: Any, real: Any, command_line: CommandLine, tmp_path: Path) -> None:
    path, frame, given = of(real)
    out = tmp_path / "gi.gpkg"
    command_line("gi-star", path, *flags(given), "--cell", "500m", "-o", out)
    zones = brasa.gi_star(frame, cell="500m", **given)
    alike(zones, geopandas.read_file(out, layer="zones"))


def alike(own: geopandas.GeoDataFrame, file: geopandas.GeoDataFrame) -> None:
    """The same columns, the same numbers and the same corners."""
    assert own.crs.to_epsg() == file.crs.to_epsg()
    assert [name for name in own.columns if name != "geometry"] == [name for name in file.columns if name != "geometry"]
    for name in own.columns.drop("geometry"):
        ours, theirs = own[name].to_numpy(), file[name].to_numpy()
        if ours.dtype.kind in "fiu":
            numpy.testing.assert_array_equal(ours.astype(float), theirs.astype(float), err_msg=name)
        elif ours.dtype.kind == "M":
            numpy.testing.assert_array_equal(ours.astype("M8[s]"), theirs.astype("M8[s]"), err_msg=name)
        else:
            assert [str(value) for value in ours] == [str(value) for value in theirs], name
    assert list(own.geometry.to_wkb()) == list(file.geometry.to_wkb())


def test_the_main_job(command_line: CommandLine, tmp_path: Path) -> None:
    out = tmp_path / "out"
    manifest = command_line("hotspots", SAMPLE, "--study-area", CITY, "-o", out)
    found = brasa.hotspots(str(SAMPLE), window=str(CITY))
    alike(found.hotspots, geopandas.read_file(out / "hotspots.gpkg", layer="hotspots"))
    alike(found.zones, geopandas.read_file(out / "hotspots.gpkg", layer="zones"))
    assert [note.code for note in found.notes] == [note["code"] for note in manifest["notes"]]
    assert found.provenance["inputs"][0]["sha256"] == manifest["inputs"][0]["sha256"]


def test_the_same_call_gives_the_same_answer(incidents: geopandas.GeoDataFrame) -> None:
    first, again = (brasa.gi_star(incidents, cell="300m") for _ in range(2))
    alike(first, again)
    assert first.provenance == again.provenance
    mixed = incidents.sample(frac=1, random_state=7)
    alike(first, brasa.gi_star(mixed, cell="300m"))
