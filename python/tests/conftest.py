"""What the tests share: the sample city, the command line, the real files where they are."""

from __future__ import annotations

import json
import os
import subprocess
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import geopandas
import pandas
import pytest

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "data"
SAMPLE = ROOT / "data" / "incidentes.csv"
CITY = ROOT / "data" / "city.geojson"


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Notes are read where a test asks for them."""
    import brasa

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=brasa.Note)
        yield


def sample() -> geopandas.GeoDataFrame:
    """The rows of the sample city that have a place, as an analyst would read them."""
    frame = pandas.read_csv(SAMPLE, sep=";", dtype=str, keep_default_na=False)
    degrees = {
        name: pandas.to_numeric(frame[name].str.replace(",", "."), errors="coerce") for name in ("longitud", "latitud")
    }
    there = degrees["longitud"].notna() & degrees["latitud"].notna()
    points = geopandas.points_from_xy(degrees["longitud"][there], degrees["latitud"][there])
    kept = frame[there].drop(columns=["longitud", "latitud"]).reset_index(drop=True)
    return geopandas.GeoDataFrame(kept, geometry=points, crs=4326)


@pytest.fixture(scope="session")
def incidents() -> geopandas.GeoDataFrame:
    return sample()


@pytest.fixture(scope="session")
def city() -> geopandas.GeoDataFrame:
    return geopandas.read_file(CITY)


class CommandLine:
    """The binary."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __call__(self, *words: object, code: tuple[int, ...] = (0, 3)) -> dict[str, Any]:
        done = subprocess.run(
            [self.path, *map(str, words), "--json"], capture_output=True, text=True, check=False
        )
        assert done.returncode in code, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found


@pytest.fixture(scope="session")
def command_line() -> CommandLine:
    path = os.environ.get("BRASA", str(ROOT / "target" / "debug" / "brasa"))
    if not Path(path).exists():
        pytest.fail(f"the binary is not there: {path}; `cargo build --workspace --bins` makes it, BRASA names another")
    return CommandLine(path)


@pytest.fixture
def real() -> Callable[[str], Path]:
    def found(name: str) -> Path:
        path = SHARED / name
        if not path.exists():
            pytest.skip(f"skipped: {name} is not here")
        return path

    return found
