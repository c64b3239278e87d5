use std::fs::{self, File};
use std::path::Path;

use brasa_export::{Format, write_layer};
use brasa_model::{Layer, Value};
use geo::{Geometry, MultiPolygon, point};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use serde_json::{Value as Json, json};
use tempfile::tempdir;

use crate::fixtures::{HOSTILE, layer, layer_of, timed};

fn open(path: &Path) -> SerializedFileReader<File> {
    SerializedFileReader::new(File::open(path).unwrap()).unwrap()
}

fn stated(reader: &SerializedFileReader<File>, key: &str) -> Json {
    let entries = reader.metadata().file_metadata().key_value_metadata().unwrap();
    let entry = entries.iter().find(|entry| entry.key == key).unwrap();
    serde_json::from_str(entry.value.as_deref().unwrap()).unwrap()
}

fn rows(path: &Path) -> Vec<Vec<Field>> {
    open(path)
        .get_row_iter(None)
        .unwrap()
        .map(|row| row.unwrap().get_column_iter().map(|(_, field)| field.clone()).collect())
        .collect()
}

#[test]
fn it_says_what_the_standard_asks_for() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("a.parquet");
    write_layer(&layer(), &path, Format::GeoParquet).unwrap();
    let reader = open(&path);
    let geo = stated(&reader, "geo");
    assert_eq!((&geo["version"], &geo["primary_column"]), (&json!("1.1.0"), &json!("geom")));
    let column = &geo["columns"]["geom"];
    assert_eq!(column["encoding"], "WKB");
    assert_eq!(column["geometry_types"], json!(["Polygon"]));
    assert_eq!(column["orientation"], "counterclockwise");
    assert_eq!(column["covering"]["bbox"]["ymax"], json!(["bbox", "ymax"]));
    assert!(column.get("crs").is_none(), "the default, longitude and latitude");
    assert_eq!(column["bbox"].as_array().unwrap().len(), 4);
    let about = stated(&reader, "brasa");
    assert_eq!(about["title"], layer().title);
    assert_eq!(about["units"]["intensity"], "incidents/km²/year");
    assert_eq!(about["notes"][0]["code"], "bandwidth_chosen");
    assert!(reader.metadata().row_group(0).column(0).compression().to_string().starts_with("ZSTD"));
}

#[test]
fn values_and_boxes_come_back_as_they_were() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("a.parquet");
    let mut layer = layer();
    layer.features[2].values[1] = Value::Integer(7);
    layer.features[4].values[1] = Value::Real(f64::NAN);
    layer.features[6].geometry = Geometry::MultiPolygon(MultiPolygon(Vec::new()));
    write_layer(&layer, &path, Format::GeoParquet).unwrap();
    let rows = rows(&path);
    assert_eq!(rows.len(), 9);
    for (row, feature) in rows.iter().zip(&layer.features) {
        assert_eq!(row[0], Field::Long(feature.id));
        let Value::Integer(rank) = feature.values[0] else { panic!("not a number") };
        assert_eq!(row[1], Field::Long(rank));
        let expected = match feature.values[1] {
            Value::Real(value) if value.is_finite() => Field::Double(value),
            Value::Integer(value) => Field::Double(value as f64),
            _ => Field::Null,
        };
        assert_eq!(row[2], expected);
    }
    assert_eq!(rows[6][4..], [Field::Null, Field::Null]);
    for (row, text) in rows.iter().zip(HOSTILE) {
        assert_eq!(row[3], Field::Str(text.to_owned()), "NUL and all");
    }
    // The box of a feature is the box of its positions.
    let (Field::Group(side), Field::Bytes(binary)) = (&rows[0][4], &rows[0][5]) else {
        panic!("{:?}", rows[0])
    };
    let sides: Vec<f64> = side
        .get_column_iter()
        .map(|(_, side)| if let Field::Double(side) = side { *side } else { f64::NAN })
        .collect();
    let bytes = binary.data();
    assert_eq!(bytes[..9], [1, 3, 0, 0, 0, 2, 0, 0, 0], "a polygon of two rings, little-endian");
    let number = |at: usize| f64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
    let exterior: Vec<(f64, f64)> = (0..5).map(|at| (number(13 + 16 * at), number(21 + 16 * at))).collect();
    let fold =
        |of: fn(&(f64, f64)) -> f64, best: fn(f64, f64) -> f64| exterior.iter().map(of).reduce(best).unwrap();
    let expected =
        [fold(|p| p.0, f64::min), fold(|p| p.1, f64::min), fold(|p| p.0, f64::max), fold(|p| p.1, f64::max)];
    assert_eq!(sides, expected);
}

#[test]
fn times_are_local_to_the_microsecond() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("a.parquet");
    write_layer(&timed(), &path, Format::GeoParquet).unwrap();
    let rows = rows(&path);
    assert_eq!(rows[0][4], Field::TimestampMicros(1_519_866_000_000_000), "2018-03-01T01:00:00");
    assert_eq!(rows[3][4], Field::Null);
}

#[test]
fn many_features_are_several_row_groups_and_the_same_bytes_on_one_thread() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("a.parquet");
    let many = |count: u32| -> Layer {
        let places = (0..count).map(|at| point!(x: 231_000.0 + f64::from(at), y: 3_893_000.0).into());
        layer_of(places.collect())
    };
    let layer = many(150_000);
    write_layer(&layer, &path, Format::GeoParquet).unwrap();
    let reader = open(&path);
    assert_eq!((reader.num_row_groups(), reader.metadata().file_metadata().num_rows()), (3, 150_000));
    let bytes = fs::read(&path).unwrap();
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    one.install(|| write_layer(&layer, &path, Format::GeoParquet)).unwrap();
    assert!(bytes == fs::read(&path).unwrap());

    write_layer(&many(0), &path, Format::GeoParquet).unwrap();
    let reader = open(&path);
    assert_eq!(reader.metadata().file_metadata().num_rows(), 0);
    assert_eq!(stated(&reader, "geo")["columns"]["geom"]["geometry_types"], json!([]));
}

/// `GEOPARQUET_PYTHON` names an interpreter that has geopandas: it must find the features where the layer has them.
#[test]
fn geopandas_opens_it() {
    let Some(python) = std::env::var_os("GEOPARQUET_PYTHON") else {
        println!("skipped: GEOPARQUET_PYTHON is not set");
        return;
    };
    let dir = tempdir().unwrap();
    let path = dir.path().join("a.parquet");
    write_layer(&layer(), &path, Format::GeoParquet).unwrap();
    let script = "import sys, geopandas\n\
        f = geopandas.read_parquet(sys.argv[1])\n\
        assert f.crs.to_authority() == ('OGC', 'CRS84'), f.crs\n\
        assert len(f) == 9 and f.geometry.is_valid.all()\n\
        m = f.to_crs(32616)\n\
        assert (abs(m.geometry.area - 750000) < 50).all(), m.geometry.area\n\
        assert abs(m.geometry.bounds.minx[0] - 231000) < 0.02\n\
        assert len(geopandas.read_parquet(sys.argv[1], bbox=(-90, 35, -89.9, 36))) > 0";
    let done = std::process::Command::new(python).args(["-c", script]).arg(&path).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}
