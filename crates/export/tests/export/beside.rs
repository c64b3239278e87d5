use std::fs;
use std::path::{Path, PathBuf};

use brasa_export::{Format, write_layer, write_series, write_surface};
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};
use tempfile::tempdir;

use crate::fixtures::{crs, layer, layer_of, series, surface, timed};

fn json_of(path: &Path) -> Json {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn in_file(dir: &tempfile::TempDir) -> PathBuf {
    dir.path().join("höt \"spots\" 😀 شارع.csv")
}

#[test]
fn a_table_says_what_it_holds_where_it_lies_and_where_it_comes_from() {
    let dir = tempdir().unwrap();
    let path = in_file(&dir);
    write_layer(&layer(), &path, Format::Csv).unwrap();
    assert_eq!(names(dir.path()).len(), 4);
    let kinds = fs::read_to_string(path.with_extension("csvt")).unwrap();
    assert_eq!(kinds, "Integer64,Real,String,CoordX,CoordY\r\n");
    assert!(fs::read_to_string(path.with_extension("prj")).unwrap().starts_with("GEOGCS[\"GCS_WGS_1984\""));

    let package = json_of(&path.with_extension("datapackage.json"));
    assert_eq!((&package["name"], &package["title"]), (&json!("hotspots"), &json!(layer().title)));
    assert_eq!(package["period"], "2018-01-01T00:00:00/2019-01-01T00:00:00");
    let source = &package["sources"][0];
    assert_eq!((&source["title"], &source["bytes"]), (&json!("robberies.csv"), &json!(1234)));
    assert_eq!(source["hash"], format!("sha256:{}", "00".repeat(32)));
    assert_eq!(package["notes"][0]["code"], "bandwidth_chosen");
    assert_eq!(package["provenance"]["method"], "kde");

    let resource = &package["resources"][0];
    let bytes = fs::read(&path).unwrap();
    let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(resource["path"], path.file_name().unwrap().to_str().unwrap());
    assert_eq!(resource["hash"], format!("sha256:{digest}"));
    assert_eq!(resource["bytes"], bytes.len());
    let fields = resource["schema"]["fields"].as_array().unwrap();
    let header = csv::Reader::from_path(&path).unwrap().headers().unwrap().clone();
    let stated: Vec<&str> = fields.iter().map(|field| field["name"].as_str().unwrap()).collect();
    assert_eq!(stated, header.iter().collect::<Vec<_>>(), "one field per column, in their order");
    assert_eq!(
        fields[1],
        json!({"name": "intensity", "type": "number", "title": "Incidents per km² and year", "unit": "incidents/km²/year"})
    );
}

#[test]
fn times_are_local_and_say_how_they_are_written() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("a.csv");
    write_layer(&timed(), &path, Format::Csv).unwrap();
    assert!(fs::read_to_string(path.with_extension("csvt")).unwrap().contains(",DateTime,DateTime,CoordX"));
    let package = json_of(&path.with_extension("datapackage.json"));
    let start = &package["resources"][0]["schema"]["fields"][3];
    assert_eq!((&start["name"], &start["format"]), (&json!("start"), &json!("%Y-%m-%dT%H:%M:%S")));
    let mut reader = csv::Reader::from_path(&path).unwrap();
    let starts: Vec<String> = reader.records().map(|row| row.unwrap()[3].to_owned()).collect();
    assert_eq!((starts[0].as_str(), starts[3].as_str()), ("2018-03-01T01:00:00", ""));
}

#[test]
fn no_row_is_described_as_many_are() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("a.csv");
    write_layer(&layer_of(Vec::new()), &path, Format::Csv).unwrap();
    let package = json_of(&path.with_extension("datapackage.json"));
    assert_eq!(package["resources"][0]["schema"]["fields"].as_array().unwrap().len(), 5);
}

#[test]
fn surfaces_and_series_are_points_in_metres() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("a.csv");
    write_surface(&surface(5, 4), &crs(), &path, Format::Csv).unwrap();
    assert_eq!(fs::read_to_string(path.with_extension("csvt")).unwrap(), "CoordX,CoordY,Real\r\n");
    let fields = &json_of(&path.with_extension("datapackage.json"))["resources"][0]["schema"]["fields"];
    assert_eq!(fields[2], json!({"name": "intensity", "type": "number", "unit": "incidents/km²/year"}));
    if cfg!(feature = "gdal") {
        let prj = fs::read_to_string(path.with_extension("prj")).unwrap();
        assert!(prj.starts_with("PROJCS[\"WGS_1984_UTM_Zone_16N\""), "{prj}");
    }

    write_series(&series(5, 4), &crs(), &path, Format::Csv).unwrap();
    let kinds = fs::read_to_string(path.with_extension("csvt")).unwrap();
    assert_eq!(kinds, "CoordX,CoordY,DateTime,DateTime,Real\r\n");
    let package = json_of(&path.with_extension("datapackage.json"));
    assert_eq!(package["period"], "2019-03-01T00:00:00/2019-03-04T00:00:00");
    let start = &package["resources"][0]["schema"]["fields"][2];
    assert_eq!((&start["type"], &start["format"]), (&json!("datetime"), &json!("%Y-%m-%dT%H:%M:%S.%f")));
}

#[cfg(feature = "gdal")]
#[test]
fn gdal_opens_a_table_as_points_in_the_right_place() {
    use gdal::vector::{LayerAccess, OGRFieldType};
    use gdal::{Dataset, DatasetOptions, GdalOpenFlags};

    // Another driver takes `x,y` for the cells of a raster.
    let open = |path: &Path| {
        let open_flags = GdalOpenFlags::GDAL_OF_VECTOR;
        Dataset::open_ex(path, DatasetOptions { open_flags, ..DatasetOptions::default() }).unwrap()
    };
    let dir = tempdir().unwrap();
    let path = in_file(&dir);
    write_layer(&layer(), &path, Format::Csv).unwrap();
    let dataset = open(&path);
    let mut found = dataset.layer(0).unwrap();
    let kinds: Vec<_> = found.defn().fields().map(|field| field.field_type()).collect();
    assert_eq!(kinds[..3], [OGRFieldType::OFTInteger64, OGRFieldType::OFTReal, OGRFieldType::OFTString]);
    assert!(found.spatial_ref().unwrap().is_geographic());
    let places = found.features().filter(|row| row.geometry().is_some()).count();
    assert_eq!(places, 9);

    let path = dir.path().join("surface.csv");
    let surface = surface(20, 10);
    write_surface(&surface, &crs(), &path, Format::Csv).unwrap();
    let dataset = open(&path);
    let mut found = dataset.layer(0).unwrap();
    assert!(found.spatial_ref().unwrap().name().unwrap().contains("16N"));
    for row in found.features() {
        let point: geo::Geometry<f64> = row.geometry().unwrap().to_geo().unwrap();
        let geo::Geometry::Point(point) = point else { panic!("not a point") };
        let wanted = surface.value(surface.grid.cell_at(point.x(), point.y()).unwrap());
        assert_eq!(row.field_as_double(2).unwrap().unwrap(), wanted);
    }
}
