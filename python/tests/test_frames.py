"""What may be handed in, and what bad input gets."""

from __future__ import annotations

import warnings
from typing import Any

import geopandas
import numpy
import pandas
import pytest
import shapely
from conftest import SAMPLE

import brasa

UTM = "EPSG:32618"
#: A cross of points, with a stack in the middle.
X = numpy.array([0.0, 0, 0, 0, 400, -400, 0, 0, 900]) + 500_000
Y = numpy.array([0.0, 0, 0, 0, 0, 0, 400, -400, 900]) + 500_000
KDE: dict[str, Any] = {"bandwidth": "600m", "cell": "100m"}


def frame(x: Any = X, y: Any = Y, crs: Any = UTM, **columns: Any) -> geopandas.GeoDataFrame:
    return geopandas.GeoDataFrame(columns, geometry=geopandas.points_from_xy(x, y), crs=crs)


def same(a: Any, b: Any) -> None:
    numpy.testing.assert_array_equal(a.to_numpy(), b.to_numpy())


def codes(call: Any) -> list[str]:
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        call()
    return [each.message.code for each in heard if isinstance(each.message, brasa.Note)]


def test_everything_with_rows_and_places_is_read_alike() -> None:
    import polars
    import pyarrow

    wanted = brasa.kde(frame(), **KDE)
    same(wanted, brasa.kde((X, Y), crs=UTM, **KDE))
    same(wanted, brasa.kde(numpy.column_stack([X, Y]), crs=32618, **KDE))
    same(wanted, brasa.kde(frame().geometry, **KDE))
    same(wanted, brasa.kde(pandas.DataFrame({"x": X, "y": Y}), crs=UTM, x="x", y="y", **KDE))
    same(wanted, brasa.kde({"x": X, "y": Y}, crs=UTM, x="x", y="y", **KDE))
    table = pyarrow.table({"x": X, "y": Y})
    same(wanted, brasa.kde(table, crs=UTM, x="x", y="y", **KDE))
    pieces = pyarrow.concat_tables([table.slice(0, 4), table.slice(4)])
    assert pieces.column("x").num_chunks == 2
    same(wanted, brasa.kde(pieces, crs=UTM, x="x", y="y", **KDE))
    same(wanted, brasa.kde(polars.DataFrame({"x": X, "y": Y}), crs=UTM, x="x", y="y", **KDE))
    for encoding in ("WKB", "geoarrow"):
        arrow = pyarrow.table(frame().to_arrow(geometry_encoding=encoding))
        same(wanted, brasa.kde(arrow, **KDE))
    interleaved = pyarrow.table(frame().to_arrow(geometry_encoding="geoarrow", interleaved=True))
    same(wanted, brasa.kde(interleaved, **KDE))


def test_several_frames_are_one() -> None:
    same(brasa.kde(frame(), **KDE), brasa.kde([frame(X[:4], Y[:4]), frame(X[4:], Y[4:])], **KDE))


def test_degrees_are_projected_and_it_says_so() -> None:
    degrees = frame().to_crs(4326)
    heard = codes(lambda: brasa.kde(degrees, **KDE))
    assert "crs_chosen" in heard
    found = brasa.kde(degrees, **KDE)
    assert found.provenance["inputs"][0]["crs_in"] == "EPSG:4326"
    assert found.provenance["inputs"][0]["crs_out"] == UTM
    import rioxarray  # noqa: F401

    assert found.rio.crs.to_epsg() == 32618


def test_a_system_that_nobody_stated_is_refused() -> None:
    for data in (frame(crs=None), (X, Y), frame(crs=None).geometry):
        with pytest.raises(brasa.Error, match="no reference system") as refused:
            brasa.kde(data, **KDE)
        assert refused.value.code == "crs_missing"
        assert refused.value.help
    same(brasa.kde(frame(), **KDE), brasa.kde(frame(crs=None), crs=UTM, **KDE))
    with pytest.raises(brasa.Error) as refused:
        brasa.kde(pandas.DataFrame({"x": X, "y": Y}), x="x", y="y", **KDE)
    assert refused.value.code == "crs_unknown"


def test_a_system_without_a_code_is_refused_with_a_remedy() -> None:
    own = "+proj=laea +lat_0=4 +lon_0=-74 +x_0=0 +y_0=0 +datum=WGS84 +units=m"
    with pytest.raises(brasa.Error, match="EPSG") as refused:
        brasa.kde(frame(crs=own), **KDE)
    assert refused.value.code == "crs_unsupported"


def test_an_empty_frame_is_refused() -> None:
    for empty in (frame([], []), (X[:0], Y[:0])):
        with pytest.raises(brasa.Error) as refused:
            brasa.kde(empty, crs=UTM, **KDE)
        assert refused.value.code == "no_rows"


def test_what_is_no_point_is_set_aside_and_counted() -> None:
    square = shapely.box(X[0] - 50, Y[0] - 50, X[0] + 50, Y[0] + 50)
    mixed = geopandas.GeoDataFrame(
        geometry=[*frame().geometry, square, None, shapely.Point()], crs=UTM, index=list("abcdefghijkl")
    )
    found = brasa.kde(mixed, **KDE)
    same(brasa.kde(frame(), **KDE), found)
    assert list(found.rejects.index) == ["j", "k", "l"]
    assert set(found.rejects["reason"]) == {"geometry_not_point"}
    rows = found.provenance["inputs"][0]["rows"]
    assert rows["read"] == 12 and rows["rejected"] == 3
    assert rows["read"] == rows["used"] + rows["filtered"] + rows["rejected"] + rows["duplicate"]
    middles = brasa.kde(mixed, centroid=True, **KDE)
    assert list(middles.rejects.index) == ["k", "l"]
    same(brasa.kde(frame([*X, X[0]], [*Y, Y[0]]), **KDE), middles)


def test_one_nan_among_a_million_is_one_rejected_row() -> None:
    draw = numpy.random.default_rng(5)
    x, y = draw.normal(500_000, 3_000, (2, 1_000_000))
    x[617_234] = numpy.nan
    found = brasa.kde((x, y), crs=UTM, bandwidth="300m", cell="200m")
    assert found.rejects["row"].to_list() == [617_235]
    assert found.provenance["inputs"][0]["rows"]["used"] == 999_999


def test_columns_of_objects_are_read_as_their_texts() -> None:
    kinds = ["robo", None, "robo", 3, "hurto", pandas.NA, "robo", "robo", "robo"]
    own = frame(kind=pandas.Series(kinds, dtype=object))
    found = brasa.kde(own, kind="kind", only="kind=robo", **KDE)
    rows = found.provenance["inputs"][0]["rows"]
    assert rows["used"] == 5 and rows["filtered"] == 4
    counted = {each["kind"]: each["rows"] for each in brasa.kde(own, kind="kind", **KDE).provenance["inputs"][0]["kinds"]}
    assert counted == {"robo": 5, "": 2, "3": 1, "hurto": 1}
    category = frame(kind=pandas.Series(kinds, dtype=object).astype("string").astype("category"))
    assert brasa.kde(category, kind="kind", only="kind=robo", **KDE).provenance["inputs"][0]["rows"]["used"] == 5


def test_weights_are_weights() -> None:
    once, twice = frame(n=numpy.ones(9)), frame(n=numpy.full(9, 2, dtype="int32"))
    a, b = brasa.kde(once, weight="n", **KDE), brasa.kde(twice, weight="n", **KDE)
    numpy.testing.assert_allclose(2 * a.to_numpy(), b.to_numpy(), rtol=1e-14)


def test_times_without_a_zone_are_those_of_the_place_and_with_one_are_brought_to_it() -> None:
    naive = pandas.date_range("2024-03-01 22:00", periods=9, freq="h")
    plain = brasa.dbscan(frame(when=naive), time="when", eps="500m", min_points=2)
    assert plain["first"].iloc[0] == numpy.datetime64("2024-03-01T22:00:00")
    zoned = naive.tz_localize("America/Bogota")
    own = brasa.dbscan(frame(when=zoned), time="when", tz="America/Bogota", eps="500m", min_points=2)
    assert own["first"].iloc[0] == plain["first"].iloc[0]
    gaps = pandas.Series(naive).where(numpy.arange(9) != 3)
    found = brasa.kde(frame(when=gaps.array), time="when", **KDE)
    assert found.provenance["inputs"][0]["rows"]["read"] == 9


def test_a_window_may_be_a_frame_a_shape_or_a_file(city: geopandas.GeoDataFrame, tmp_path: Any) -> None:
    square = shapely.box(X.min() - 300, Y.min() - 300, X.max() + 300, Y.max() + 300)
    window = geopandas.GeoDataFrame(geometry=[square], crs=UTM)
    wanted = brasa.kde(frame(), window=window, **KDE)
    same(wanted, brasa.kde(frame(), window=square, crs=UTM, **KDE))
    same(wanted, brasa.kde(frame(), window=window.geometry, **KDE))
    file = tmp_path / "window.geojson"
    degrees = window.to_crs(4326)
    degrees.to_file(file, driver="GeoJSON", engine="pyogrio")
    found = brasa.kde(frame(), window=file, **KDE)
    assert next(note.value for note in found.notes if note.code == "study_area_given") == pytest.approx(1.9 * 1.9, rel=1e-4)
    with pytest.raises(brasa.Error) as refused:
        brasa.kde(frame(), window=window.translate(50_000), **KDE)
    assert refused.value.code == "study_area_misses"
    with pytest.raises(brasa.Error) as refused:
        brasa.kde(frame(), window=frame(), **KDE)
    assert refused.value.code == "no_polygon"


def test_zones_may_be_a_frame() -> None:
    cells = [shapely.box(x, y, x + 500, y + 500) for x in (499_500, 500_000, 500_500) for y in (499_500, 500_000, 500_500)]
    zones = geopandas.GeoDataFrame({"beat": [f"beat {at}" for at in range(9)], "people": range(10, 19)}, geometry=cells, crs=UTM)
    found = brasa.gi_star(frame(), zones=zones)
    assert list(found["zone"]) == list(zones["beat"])
    assert found["count"].sum() == 9
    rates = brasa.rate_eb(frame(), zones=zones, population="people")
    assert len(rates) == 9
    assert found.provenance == brasa.gi_star(frame(), zones=zones).provenance


def test_lengths_need_a_unit_and_names_are_checked() -> None:
    with pytest.raises(brasa.Error, match="has no unit"):
        brasa.kde(frame(), bandwidth=500)  # type: ignore[arg-type]
    with pytest.raises(brasa.Error) as refused:
        brasa.kde(frame(), kind="typo", **KDE)
    assert refused.value.code == "column_unknown"
    with pytest.raises(TypeError, match="'bandwith'; did you mean bandwidth"):
        brasa.kde(frame(), bandwith="500m")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"brasa.dbscan\(\): missing a required argument: 'eps'"):
        brasa.dbscan(frame())  # type: ignore[call-arg]
    with pytest.raises(AttributeError, match="did you mean kde"):
        brasa.kdee  # type: ignore[attr-defined]  # noqa: B018
    with pytest.raises(brasa.Error) as refused:
        brasa.kde(42, **KDE)
    assert refused.value.code == "input_unsupported"


def test_degrees_that_are_said_to_be_metres_are_refused() -> None:
    with pytest.raises(brasa.Error):
        brasa.kde(frame(numpy.linspace(-74.1, -74.0, 9), numpy.linspace(4.6, 4.7, 9), crs=UTM), **KDE)


def test_a_cell_in_metres_holds_for_degrees_too() -> None:
    found = brasa.kde(frame().to_crs(4326), **KDE)
    assert float(found.x[1] - found.x[0]) == 100.0
    assert float(found.y[1] - found.y[0]) == -100.0


def test_rows_keep_the_index_of_their_frame() -> None:
    named = frame().set_index(pandas.Index(list("abcdefghi"), name="caso"))
    found = brasa.dbscan(named, eps="450m", min_points=3)
    assert list(found.labels.index) == list("abcdefghi")
    assert found.labels["cluster"].isna().sum() == 1
    assert found.labels.loc["i", "cluster"] is pandas.NA


def test_a_file_is_read_as_on_the_command_line() -> None:
    found = brasa.kde(str(SAMPLE), **KDE)
    again = brasa.kde(SAMPLE, **KDE)
    same(found, again)
    with pytest.raises(brasa.Error) as refused:
        brasa.kde("nowhere.csv", **KDE)
    assert refused.value.code == "file_missing"
