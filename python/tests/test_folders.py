"""The whole job, and plans: layers, a page, a folder."""

from __future__ import annotations

import base64
import json
import warnings
from pathlib import Path
from typing import Any

import geopandas
import numpy
import pandas
import pytest
from conftest import CITY, ROOT, SAMPLE

import brasa


@pytest.fixture(scope="module")
def found() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", category=brasa.Note)
        return brasa.hotspots(SAMPLE, window=CITY, lang="es")


def test_the_main_job_gives_layers(found: Any) -> None:
    assert len(found) == len(found.hotspots) > 3
    assert list(found.hotspots["rank"]) == list(range(1, len(found) + 1))
    assert found.zones.crs == found.hotspots.crs
    assert found.density.shape[0] > 10
    assert {"hotspots", "zones", "study_area", "hotspots_over_time"} <= set(found.layers)
    assert found.concentration.columns[0]
    assert len(found.rejects) == found.provenance["inputs"][0]["rows"]["rejected"]


def test_columns_do_not_depend_on_what_was_found(found: Any) -> None:
    x, y = (axis.ravel() for axis in numpy.meshgrid(numpy.arange(620_000, 630_000, 500), numpy.arange(0, 10_000, 500)))
    times = pandas.date_range("2023-01-01 01:30", periods=len(x), freq="43h")
    even = geopandas.GeoDataFrame({"fecha": times}, geometry=geopandas.points_from_xy(x, y), crs=32717)
    nothing = brasa.hotspots(even)
    assert "no_hotspots" in [note.code for note in nothing.notes] and len(nothing.hotspots) == 0
    assert list(nothing.hotspots.columns) == list(found.hotspots.columns)
    none = brasa.dbscan(even, eps="10m", min_points=10)
    assert len(none) == 0 and {"first", "last"} <= set(none.columns)


def test_it_shows_itself_in_a_notebook(found: Any) -> None:
    shown = found._repr_html_()
    assert "Puntos calientes" in _picture(shown) and "Puntos calientes" not in shown
    page = found.explore()._repr_html_()
    assert page.startswith("<iframe srcdoc=") and "http" not in page.split("Content-Security-Policy")[1][:400]
    for answer in (found.hotspots, found.density):
        assert "<svg" in _picture(answer._repr_html_())


def _picture(shown: str) -> str:
    return base64.b64decode(shown.split("base64,", 1)[1].split('"', 1)[0]).decode()


def test_it_writes_the_page_and_the_folder(found: Any, tmp_path: Path) -> None:
    page = found.report(tmp_path / "x.html")
    text = page.read_text(encoding="utf-8")
    assert '<html lang="es">' in text and "connect-src" not in text
    assert '<html lang="pt">' in found.report(tmp_path / "x.html", lang="pt").read_text(encoding="utf-8")
    manifest = found.to_folder(tmp_path / "out")
    assert {"report.html", "hotspots.geojson", "map.png", "manifest.json"} <= {path.name for path in (tmp_path / "out").iterdir()}
    assert json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8")) == manifest
    assert len(geopandas.read_file(tmp_path / "out" / "hotspots.geojson")) == len(found)
    with pytest.raises(brasa.Error):
        found.to_folder(tmp_path / "out")
    found.to_folder(tmp_path / "out", force=True)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_plans_take_frames_for_files(tmp_path: Path) -> None:
    areas = brasa.plan_areas(SAMPLE, window=CITY, budget="4km2", areas=6)
    assert len(areas.listed) == 6
    assert areas.facts and areas.limits
    table = pandas.read_csv(ROOT / "data" / "estaciones.csv", sep=";", decimal=",")
    points = geopandas.points_from_xy(table["longitud"], table["latitud"])
    depots = geopandas.GeoDataFrame(table[["nombre"]], geometry=points, crs=4326)
    patrol = brasa.plan_patrol(
        SAMPLE, window=CITY, areas=areas.listed, depots=depots, units="2", shift="16:00-24:00", days=1, tz="America/Lima"
    )
    assert patrol.listed is patrol.layers["areas"]
    manifest = patrol.to_folder(tmp_path / "plan")
    assert any(output["path"].endswith(".ics") for output in manifest["outputs"])
    assert "<svg" in _picture(patrol._repr_html_())
