use std::fs;
use std::path::Path;

use brasa_export::{Format, Imprint, write_gpkg, write_layer};
use brasa_model::{Blame, Diagnose, Layer, Value};
use gdal::vector::sql::Dialect;
use gdal::vector::{LayerAccess, OGRFieldType, OGRwkbGeometryType};
use gdal::{Dataset, Metadata};
use geo::{Geometry, MultiPolygon, point};
use tempfile::tempdir;

use crate::fixtures::{HOSTILE, layer, layer_of, ring};

fn select(path: &Path, sql: &str) -> Vec<Vec<String>> {
    let dataset = Dataset::open(path).unwrap();
    let Some(mut found) = dataset.execute_sql(sql, None, Dialect::DEFAULT).unwrap() else {
        return Vec::new();
    };
    let text = |value: Option<gdal::vector::FieldValue>| {
        value.map_or_else(
            || "NULL".into(),
            |v| match v {
                gdal::vector::FieldValue::StringValue(text) => text,
                gdal::vector::FieldValue::IntegerValue(number) => number.to_string(),
                gdal::vector::FieldValue::Integer64Value(number) => number.to_string(),
                other => format!("{other:?}"),
            },
        )
    };
    found.features().map(|row| row.fields().map(|(_, value)| text(value)).collect()).collect()
}

#[test]
fn a_geopackage_holds_what_the_layer_held() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("a.gpkg");
    let mut layer = layer();
    layer.features[4].id = 77;
    write_layer(&layer, &path, Format::GeoPackage).unwrap();
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "no journal is left");

    let dataset = Dataset::open(&path).unwrap();
    let mut found = dataset.layer_by_name("hotspots").unwrap();
    assert_eq!(found.feature_count(), 9);
    assert_eq!(found.spatial_ref().unwrap().auth_code().unwrap(), 32_616);
    let fields: Vec<_> = found.defn().fields().map(|field| (field.name(), field.field_type())).collect();
    assert_eq!(
        fields,
        [
            ("rank".to_owned(), OGRFieldType::OFTInteger64),
            ("intensity".to_owned(), OGRFieldType::OFTReal),
            ("why".to_owned(), OGRFieldType::OFTString)
        ]
    );
    assert_eq!(found.defn().geom_fields().next().unwrap().name(), "geom");
    assert_eq!(found.defn().geometry_type(), OGRwkbGeometryType::wkbPolygon);
    assert_eq!(found.metadata_item("IDENTIFIER", "").unwrap(), layer.title);
    assert_eq!(found.metadata_item("DESCRIPTION", "").unwrap(), layer.description);
    let provenance: brasa_model::Provenance =
        serde_json::from_str(&found.metadata_item("BRASA_PROVENANCE", "").unwrap()).unwrap();
    assert_eq!(provenance, layer.provenance);
    let notes: Vec<brasa_model::Note> =
        serde_json::from_str(&found.metadata_item("BRASA_NOTES", "").unwrap()).unwrap();
    assert_eq!(notes, layer.notes);

    let mut seen = 0;
    for row in found.features() {
        let wanted = layer.features.iter().find(|feature| feature.id as u64 == row.fid().unwrap()).unwrap();
        assert_eq!(row.field_as_integer64(0).unwrap().map(Value::Integer).unwrap(), wanted.values[0]);
        assert_eq!(row.field_as_double(1).unwrap().map_or(Value::Null, Value::Real), wanted.values[1]);
        let Value::Text(text) = &wanted.values[2] else { panic!("not a text") };
        assert_eq!(row.field_as_string(2).unwrap().unwrap(), text.replace('\0', "\u{FFFD}"));
        let geometry: Geometry<f64> = row.geometry().unwrap().to_geo().unwrap();
        assert_eq!(geometry, wanted.geometry, "coordinates are kept to the last bit");
        seen += 1;
    }
    assert_eq!(seen, 9);
}

#[test]
fn titles_and_units_of_columns_are_stored() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("a.gpkg");
    write_layer(&layer(), &path, Format::GeoPackage).unwrap();
    let rows =
        select(&path, "SELECT column_name, title, description FROM gpkg_data_columns ORDER BY column_name");
    assert_eq!(
        rows,
        [
            ["intensity", "Incidents per km² and year", "unit: incidents/km²/year"],
            ["rank", "Rank", "NULL"],
            ["why", "Why it's here", "NULL"]
        ]
    );
    let stamps = select(&path, "SELECT DISTINCT last_change || '' FROM gpkg_contents");
    assert_eq!(stamps, [["2019-01-01T00:00:00.000Z"]], "time stamps come from the data");
    assert_eq!(select(&path, "PRAGMA integrity_check"), [["ok"]]);
    assert!(select(&path, "PRAGMA foreign_key_check").is_empty());
}

#[test]
fn several_layers_share_a_geopackage() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("a.gpkg");
    let (first, mut second, mut third) =
        (layer(), layer_of(Vec::new()), layer_of(vec![point!(x: 1.0, y: 2.0).into()]));
    second.name = "zones".into();
    second.title = "Zones".into();
    third.title = "Places".into();
    third.name = "places".into();
    third.period = None;
    write_gpkg(&[&first, &second, &third], Imprint::PLAIN, &path).unwrap();
    let dataset = Dataset::open(&path).unwrap();
    let mut found: Vec<_> = dataset.layers().map(|layer| (layer.name(), layer.feature_count())).collect();
    found.sort();
    let wanted = [("hotspots", 9), ("layer_styles", 3), ("places", 1), ("zones", 0)];
    assert_eq!(found, wanted.map(|(name, rows)| (name.to_owned(), rows)));
    let error = write_gpkg(&[&first, &first], Imprint::PLAIN, &path).unwrap_err();
    assert_eq!(error.code(), "answer_inconsistent");
}

#[test]
fn polygons_of_both_kinds_become_multipolygons() {
    let dir = tempdir().unwrap();
    let parts = MultiPolygon(vec![ring(0.0, 0.0, 10.0), ring(20.0, 0.0, 10.0)]);
    let nothing = Geometry::MultiPolygon(MultiPolygon(Vec::new()));
    let layer = layer_of(vec![ring(0.0, 0.0, 10.0).into(), parts.into(), nothing]);
    for (name, format) in [("a.gpkg", Format::GeoPackage), ("a.fgb", Format::FlatGeobuf)] {
        let path = dir.path().join(name);
        write_layer(&layer, &path, format).unwrap();
        let dataset = Dataset::open(&path).unwrap();
        let mut found = dataset.layer(0).unwrap();
        assert_eq!(found.defn().geometry_type(), OGRwkbGeometryType::wkbMultiPolygon, "{name}");
        let kinds: Vec<_> =
            found.features().map(|row| row.geometry().map(gdal::vector::Geometry::geometry_type)).collect();
        let known: Vec<_> =
            kinds.into_iter().flatten().filter(|kind| *kind != OGRwkbGeometryType::wkbUnknown).collect();
        assert_eq!(known, [OGRwkbGeometryType::wkbMultiPolygon; 2], "{name}");
    }
}

#[test]
fn a_flatgeobuf_keeps_ids_though_it_reorders() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("a.fgb");
    write_layer(&layer(), &path, Format::FlatGeobuf).unwrap();
    let dataset = Dataset::open(&path).unwrap();
    let mut found = dataset.layer(0).unwrap();
    assert_eq!(found.spatial_ref().unwrap().auth_code().unwrap(), 32_616);
    let mut ids: Vec<_> = found
        .features()
        .map(|row| (row.field_as_integer64(0).unwrap().unwrap(), row.field_as_integer64(1).unwrap().unwrap()))
        .collect();
    ids.sort_unstable();
    assert_eq!(ids, (1..=9).map(|id| (id, id)).collect::<Vec<_>>());
    write_layer(&layer_of(Vec::new()), &path, Format::FlatGeobuf).unwrap();
    assert_eq!(Dataset::open(&path).unwrap().layer(0).unwrap().feature_count(), 0);
}

#[test]
fn the_same_layer_has_the_same_bytes() {
    let many = (0..3_000).map(|at| ring(f64::from(at % 60) * 50.0, f64::from(at / 60) * 50.0, 40.0).into());
    let many = layer_of(many.collect());
    let write = |layer: &Layer, format: Format| {
        let dir = tempdir().unwrap();
        let path = dir.path().join(format!("a{format}"));
        write_layer(layer, &path, format).unwrap();
        fs::read(path).unwrap()
    };
    for format in [Format::GeoPackage, Format::FlatGeobuf, Format::GeoJson, Format::Csv] {
        let first = write(&many, format);
        std::thread::sleep(std::time::Duration::from_millis(1100));
        let same = std::thread::scope(|scope| {
            let again = [(); 2].map(|()| scope.spawn(|| write(&many, format)));
            again.into_iter().all(|again| again.join().unwrap() == first)
        });
        assert!(same, "{format}");
    }
}

#[test]
fn a_driver_that_cannot_write_says_so_in_our_error() {
    for format in [Format::GeoPackage, Format::FlatGeobuf] {
        let error = write_layer(&layer(), Path::new("/dev/full/a"), format).unwrap_err();
        assert_eq!((error.code(), error.blame()), ("write_failed", Blame::Io), "{format}");
        assert!(error.to_string().len() > 40, "{error}");
    }
}

/// On a file system of one mebibyte, where the test may mount one.
#[test]
fn a_full_disk_is_an_error_of_every_driver() {
    let dir = tempdir().unwrap();
    let run = |program: &str, arguments: &[&str]| {
        let done = std::process::Command::new(program).args(arguments).arg(dir.path()).output();
        done.is_ok_and(|done| done.status.success())
    };
    if !run("mount", &["-t", "tmpfs", "-o", "size=1m", "tmpfs"]) {
        println!("skipped: no right to mount");
        return;
    }
    let many =
        (0..20_000).map(|at| ring(f64::from(at % 200) * 50.0, f64::from(at / 200) * 50.0, 40.0).into());
    let many = layer_of(many.collect());
    let surface = crate::fixtures::surface(2_000, 1_000);
    let mut found = Vec::new();
    for format in [Format::GeoPackage, Format::FlatGeobuf, Format::GeoJson, Format::Csv] {
        let path = dir.path().join(format!("a{format}"));
        found.push((format, write_layer(&many, &path, format).err()));
        fs::remove_file(path).ok();
    }
    let raster = brasa_export::write_surface(&surface, &many.crs, &dir.path().join("a.tif"), Format::GeoTiff);
    found.push((Format::GeoTiff, raster.err()));
    assert!(run("umount", &[]));
    for (format, error) in found {
        let error = error.unwrap_or_else(|| panic!("{format} did not notice"));
        assert_eq!(error.blame(), Blame::Io, "{format}: {error}");
    }
}

#[test]
fn hostile_titles_are_stored_as_they_are() {
    let dir = tempdir().unwrap();
    for text in HOSTILE {
        let path = dir.path().join("a.gpkg");
        let mut layer = layer();
        layer.title = text.into();
        layer.description = text.into();
        write_layer(&layer, &path, Format::GeoPackage).unwrap();
        let rows =
            select(&path, "SELECT identifier, description FROM gpkg_contents WHERE table_name = 'hotspots'");
        let text = text.replace('\0', "\u{FFFD}");
        assert_eq!(rows, [[text.as_str(), text.as_str()]]);
        fs::remove_file(path).unwrap();
    }
}
