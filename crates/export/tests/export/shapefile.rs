use std::fs;
use std::path::Path;

use brasa_export::{Format, Staged, write_layer};
use brasa_model::{Column, ColumnKind, Diagnose, Layer, Value};
use gdal::Dataset;
use gdal::vector::{LayerAccess, OGRFieldType, OGRwkbGeometryType};
use geo::{Area, Geometry, LineString, MultiPolygon, Polygon, line_string, point};
use tempfile::tempdir;

use crate::fixtures::{layer, layer_of, ring, timed};

const ENDINGS: [&str; 6] = ["shp", "shx", "dbf", "prj", "cpg", "fields.csv"];

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// `column,short,title,unit,note`.
fn fields(path: &Path) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_path(path.with_extension("fields.csv")).unwrap();
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

#[test]
fn a_shapefile_holds_what_the_layer_held() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("höt \"spots\" 😀 شارع.shp");
    let mut layer = layer();
    layer.features[2].values[1] = Value::Real(f64::NAN);
    layer.features[4].values[1] = Value::Integer(7);
    write_layer(&layer, &path, Format::Shapefile).unwrap();
    let stem = path.file_stem().unwrap().to_str().unwrap();
    let mut expected = ENDINGS.map(|ending| format!("{stem}.{ending}"));
    expected.sort();
    assert_eq!(names(dir.path()), expected);
    assert_eq!(fs::read_to_string(path.with_extension("cpg")).unwrap().trim(), "UTF-8");

    let dataset = Dataset::open(&path).unwrap();
    let mut found = dataset.layer(0).unwrap();
    assert!(found.spatial_ref().unwrap().name().unwrap().contains("16N"));
    let kinds: Vec<_> = found.defn().fields().map(|field| (field.name(), field.field_type())).collect();
    assert_eq!(
        kinds,
        [
            ("fid".to_owned(), OGRFieldType::OFTInteger64),
            ("rank".to_owned(), OGRFieldType::OFTInteger64),
            ("intensity".to_owned(), OGRFieldType::OFTReal),
            ("why".to_owned(), OGRFieldType::OFTString)
        ]
    );
    assert_eq!(found.feature_count(), 9);
    for (row, feature) in found.features().zip(&layer.features) {
        assert_eq!(row.field_as_integer64(0).unwrap(), Some(feature.id));
        let expected = match feature.values[1] {
            Value::Integer(value) => Some(value as f64),
            Value::Real(value) if value.is_finite() => Some(value),
            _ => None,
        };
        assert_eq!(row.field_as_double(2).unwrap(), expected);
        let Value::Text(text) = &feature.values[3 - 1] else { panic!("not a text") };
        assert_eq!(row.field_as_string(3).unwrap().unwrap(), text.replace('\0', "\u{FFFD}"));
        let geometry: Geometry<f64> = row.geometry().unwrap().to_geo().unwrap();
        assert_eq!(geometry.unsigned_area(), feature.geometry.unsigned_area(), "the hole is a hole");
    }
}

#[test]
fn what_does_not_fit_is_cut_and_said() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("a.shp");
    let mut layer = layer();
    let column = |name, kind| Column::new(name, "A \"title\"", "m", kind);
    layer.columns.extend([
        column("ellipse_major", ColumnKind::Real),
        column("ellipse_minor", ColumnKind::Integer),
        column("ellipse_mixed", ColumnKind::Text),
    ]);
    for feature in &mut layer.features {
        feature.values.extend([Value::Real(1.0), Value::Integer(1), Value::Text("short".into())]);
    }
    layer.features[1].values[3] = Value::Real(1.5e-12);
    layer.features[2].values[3] = Value::Real(1e30);
    layer.features[3].values[4] = Value::Integer(i64::MIN);
    layer.features[4].values[5] = Value::Text("ñ".repeat(200));
    write_layer(&layer, &path, Format::Shapefile).unwrap();
    let rows = fields(&path);
    let short: Vec<&str> = rows.iter().map(|row| row[1].as_str()).collect();
    assert_eq!(short, ["fid", "rank", "intensity", "why", "ellipse_ma", "ellipse_mi", "ellipse_m2"]);
    assert_eq!(rows[4][0], "ellipse_major");
    assert_eq!((rows[4][2].as_str(), rows[4][3].as_str()), ("A \"title\"", "m"));
    assert!(rows[4][4].contains("left out") && rows[4][4].contains("rounded"), "{:?}", rows[4]);
    assert!(rows[5][4].contains("18 digits"), "{:?}", rows[5]);
    assert_eq!(rows[6][4], "1 texts cut after 254 bytes");
    assert_eq!(rows[2][4], "", "what fits is not spoken of");

    let dataset = Dataset::open(&path).unwrap();
    let mut found = dataset.layer(0).unwrap();
    let rows: Vec<_> = found.features().collect();
    assert_eq!(rows[2].field_as_double(4).unwrap(), None);
    assert_eq!(rows[4].field_as_string(6).unwrap().unwrap(), "ñ".repeat(127));
    assert_eq!(rows[0].field_as_string(6).unwrap().unwrap(), "short");
}

#[test]
fn times_are_texts_that_sort() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("a.shp");
    write_layer(&timed(), &path, Format::Shapefile).unwrap();
    assert!(fields(&path)[4][4].contains("as text"));
    let dataset = Dataset::open(&path).unwrap();
    let mut found = dataset.layer(0).unwrap();
    let starts: Vec<_> = found.features().map(|row| row.field_as_string(4).unwrap()).collect();
    assert_eq!((starts[0].as_deref(), starts[3].as_deref()), (Some("2018-03-01T01:00:00"), None));
}

#[test]
fn numbers_keep_at_least_twelve_digits() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("a.shp");
    let mut layer = layer();
    let numbers =
        [0.1, -3_893_530.255_009_26, 1.0 / 3.0, 1e15, -1e20, 123_456_789.012_345_67, 0.05, 1e-3, 1e9];
    for (feature, number) in layer.features.iter_mut().zip(numbers) {
        feature.values[1] = Value::Real(number);
    }
    write_layer(&layer, &path, Format::Shapefile).unwrap();
    let dataset = Dataset::open(&path).unwrap();
    let mut found = dataset.layer(0).unwrap();
    let found: Vec<f64> = found.features().map(|row| row.field_as_double(2).unwrap().unwrap()).collect();
    let note = &fields(&path)[2][4];
    for (found, number) in found.iter().zip(numbers) {
        assert!(
            (found / number - 1.0).abs() < 1e-12 || note.starts_with("rounded to"),
            "{found} {number} {note}"
        );
    }
}

#[test]
fn one_kind_of_geometry_and_no_other() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("a.shp");
    let (x, y) = (231_000.0, 3_893_000.0);
    let (dot, line) = (point!(x: x, y: y), line_string![(x: x, y: y), (x: x + 100.0, y: y)]);
    let area: Geometry<f64> = MultiPolygon(vec![ring(x, y, 100.0), ring(x + 200.0, y, 100.0)]).into();
    let nowhere = Geometry::MultiPolygon(MultiPolygon(Vec::new()));
    for (geometries, kind) in [
        (vec![dot.into(), dot.into()], OGRwkbGeometryType::wkbPoint),
        (vec![line.clone().into()], OGRwkbGeometryType::wkbLineString),
        (vec![area.clone(), ring(x, y, 50.0).into(), nowhere], OGRwkbGeometryType::wkbPolygon),
        (Vec::new(), OGRwkbGeometryType::wkbPolygon),
    ] {
        let count = geometries.len();
        write_layer(&layer_of(geometries), &path, Format::Shapefile).unwrap();
        let dataset = Dataset::open(&path).unwrap();
        let layer = dataset.layer(0).unwrap();
        assert_eq!((layer.defn().geometry_type(), layer.feature_count() as usize), (kind, count));
    }
    let other = dir.path().join("b.shp");
    let error = write_layer(&layer_of(vec![dot.into(), area]), &other, Format::Shapefile).unwrap_err();
    assert_eq!(error.code(), "format_unsuitable");
    assert!(error.help().is_some_and(|help| help.contains(".gpkg")));
    assert!(names(dir.path()).iter().all(|name| !name.starts_with("b.")));
}

#[test]
fn the_same_answer_has_the_same_bytes() {
    let (one, two) = (tempdir().unwrap(), tempdir().unwrap());
    for dir in [&one, &two] {
        write_layer(&layer(), &dir.path().join("a.shp"), Format::Shapefile).unwrap();
    }
    for name in names(one.path()) {
        assert!(
            fs::read(one.path().join(&name)).unwrap() == fs::read(two.path().join(&name)).unwrap(),
            "{name}"
        );
    }
    let head = fs::read(one.path().join("a.dbf")).unwrap();
    assert_eq!(head[1..4], [119, 1, 1], "the day on which the period ends, 2019-01-01");
}

fn staged(path: &Path, force: bool, layer: &Layer) -> Result<(), brasa_export::ExportError> {
    let mut staged = Staged::file(path, force)?;
    let waiting = staged.path_for("", Format::Shapefile)?;
    write_layer(layer, &waiting, Format::Shapefile)?;
    staged.commit().map(|_| ())
}

#[test]
fn all_its_files_are_there_or_none() {
    let dir = tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    staged(&at("a.shp"), false, &layer()).unwrap();
    assert_eq!(names(dir.path()).len(), 6);
    assert_eq!(staged(&at("a.shp"), false, &layer()).unwrap_err().code(), "output_exists");

    // One of its files stands there already.
    fs::write(at("b.dbf"), "someone's").unwrap();
    let error = staged(&at("b.shp"), false, &layer()).unwrap_err();
    assert_eq!(error.code(), "output_exists");
    assert!(error.to_string().contains("b.dbf"));
    assert!(!at("b.shp").exists() && fs::read(at("b.dbf")).unwrap() == b"someone's");

    // It appears while the work is under way: what was put in place is taken back.
    let mut slow = Staged::file(&at("c.shp"), false).unwrap();
    let waiting = slow.path_for("", Format::Shapefile).unwrap();
    write_layer(&layer(), &waiting, Format::Shapefile).unwrap();
    fs::write(at("c.shx"), "fast").unwrap();
    assert_eq!(slow.commit().unwrap_err().code(), "output_exists");
    let left: Vec<_> = names(dir.path()).into_iter().filter(|name| name.starts_with("c.")).collect();
    assert_eq!(left, ["c.shx"]);

    // With leave to replace, the index that a program made of the old one goes too.
    fs::write(at("a.qix"), "stale").unwrap();
    staged(&at("a.shp"), true, &layer_of(Vec::new())).unwrap();
    assert!(!at("a.qix").exists());
    assert_eq!(Dataset::open(at("a.shp")).unwrap().layer(0).unwrap().feature_count(), 0);
}

#[test]
fn a_table_and_a_shapefile_do_not_share_a_prj() {
    let dir = tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    staged(&at("a.shp"), false, &layer()).unwrap();
    let mut table = Staged::file(&at("a.csv"), true).unwrap();
    let error = table.path_for("", Format::Csv).unwrap_err();
    assert_eq!(error.code(), "output_shared");
    assert!(error.to_string().contains("a.shp") && error.to_string().contains("a.prj"), "{error}");
    fs::write(at("b.csvt"), "Real").unwrap();
    assert_eq!(staged(&at("b.shp"), true, &layer()).unwrap_err().code(), "output_shared");
}

#[test]
fn a_ring_that_is_no_ring_is_left_to_the_driver_without_harm() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("a.shp");
    let flat = Polygon::new(LineString::from(vec![(0.0, 0.0), (1.0, 0.0), (0.0, 0.0)]), Vec::new());
    write_layer(&layer_of(vec![flat.into()]), &path, Format::Shapefile).unwrap();
    assert_eq!(Dataset::open(&path).unwrap().layer(0).unwrap().feature_count(), 1);
}
