//! A file geodatabase, which is a folder: written here by GDAL's own tool, read as it stands and zipped.
use std::process::Command;

use crate::common::World;
use brasa_ingest::{IngestError, InputOptions, read};

const POINTS: &str = r#"{"type":"FeatureCollection","features":[
{"type":"Feature","properties":{"tipo":"ROBO","fecha":"2024-05-01T21:30:00"},"geometry":{"type":"Point","coordinates":[-74.1,4.6]}},
{"type":"Feature","properties":{"tipo":"HURTO","fecha":"2024-05-02T08:00:00"},"geometry":{"type":"Point","coordinates":[-74.11,4.61]}},
{"type":"Feature","properties":{"tipo":"HURTO","fecha":null},"geometry":null}]}"#;

#[test]
fn a_file_geodatabase_is_the_file_it_was_made_of() {
    let world = World::new();
    let (source, folder) = (world.file("delitos.geojson", POINTS), world.path("delitos.gdb"));
    let write = |layer: &str, more: &[&str]| {
        let mut tool = Command::new("ogr2ogr");
        tool.args(["-f", "OpenFileGDB", "-nln", layer]).args(more).arg(&folder).arg(&source);
        tool.output().is_ok_and(|output| output.status.success())
    };
    if !write("robos", &[]) {
        println!("skipped: no ogr2ogr that writes a file geodatabase is here");
        return;
    }
    let (wanted, found) = (
        read(&[&source], &InputOptions::default()).unwrap(),
        read(&[&folder], &InputOptions::default()).unwrap(),
    );
    assert_eq!((found.account.used, found.account.rejected), (2, 1));
    assert_eq!(found.incidents.kinds, wanted.incidents.kinds);
    let near = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-3);
    assert!(near(&found.incidents.x, &wanted.incidents.x) && near(&found.incidents.y, &wanted.incidents.y));

    assert!(write("hurtos", &["-update"]));
    let error = read(&[&folder], &InputOptions::default()).unwrap_err();
    assert!(matches!(&error, IngestError::LayerChoice { layers, .. } if layers.len() == 2), "{error}");
    let chosen = InputOptions { layer: Some("robos".to_owned()), ..InputOptions::default() };
    assert_eq!(read(&[&folder], &chosen).unwrap().account.used, 2);
}
