use std::fs;
use std::path::Path;

use brasa_export::{Format, write_json, write_labels, write_layer, write_rejects, write_surface, write_text};
use brasa_model::{Clusters, Diagnose, Files, Reason, Reject, Scores};
use geo::{Contains, Geometry, MultiPolygon, Point};
use tempfile::tempdir;

use crate::fixtures::{HOSTILE, crs, layer, layer_of, provenance, surface};

fn rows(path: &Path) -> (Vec<String>, Vec<Vec<String>>) {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let own = |record: &csv::StringRecord| record.iter().map(str::to_owned).collect::<Vec<_>>();
    let header = own(reader.headers().unwrap());
    (header, reader.records().map(|record| own(&record.unwrap())).collect())
}

#[test]
fn a_layer_is_its_columns_and_a_place_inside() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("a.csv");
    write_layer(&layer(), &path, Format::Csv).unwrap();
    let (header, rows) = rows(&path);
    assert_eq!(header, ["rank", "intensity", "why", "lon", "lat"]);
    assert_eq!((rows.len(), rows[0][1].as_str(), rows[1][1].as_str()), (9, "0.1", ""));
    assert_eq!(rows[0][2], HOSTILE[0]);
    assert_eq!(rows[1][2], format!("'{}", HOSTILE[1]), "a formula is disarmed");
    assert_eq!(rows[2][2], HOSTILE[2], "line ends stay in their cell");
    let way = crs().from_lonlat().unwrap();
    for (row, feature) in rows.iter().zip(&layer().features) {
        let (x, y) = way.convert(row[3].parse().unwrap(), row[4].parse().unwrap()).unwrap();
        assert!(feature.geometry.contains(&Point::new(x, y)), "also where the middle is a hole");
    }
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("rank,intensity,why,lon,lat\r\n1,0.1,\"He said \"\"no\"\", then left\","));
}

#[test]
fn a_feature_without_geometry_has_no_place() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("a.csv");
    let nowhere = Geometry::MultiPolygon(MultiPolygon(Vec::new()));
    write_layer(&layer_of(vec![nowhere]), &path, Format::Csv).unwrap();
    assert_eq!(rows(&path).1[0][3..], ["", ""]);
    write_layer(&layer_of(Vec::new()), &path, Format::Csv).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "rank,intensity,why,lon,lat\r\n");
}

#[test]
fn a_surface_is_the_cells_of_its_window() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("a.csv");
    let surface = surface(20, 10);
    write_surface(&surface, &crs(), &path, Format::Csv).unwrap();
    let (header, rows) = rows(&path);
    assert_eq!(header, ["x", "y", "intensity"]);
    assert_eq!(rows.len(), surface.grid.len());
    for row in rows {
        let [x, y, value] = [0, 1, 2].map(|at| row[at].parse::<f64>().unwrap());
        assert_eq!(surface.value(surface.grid.cell_at(x, y).unwrap()), value);
    }
}

#[test]
fn noise_has_no_cluster() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("labels.csv");
    let mut clusters = Clusters {
        labels: vec![Some(2), None, Some(1)],
        core: vec![true, false, true],
        clustered: 3,
        clusters: Vec::new(),
        scores: None,
        provenance: provenance(),
        notes: Vec::new(),
    };
    write_labels(&[2, 3, 9], None, &clusters, &path).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "row,cluster\r\n2,2\r\n3,\r\n9,1\r\n");
    assert_eq!(write_labels(&[2, 3], None, &clusters, &path).unwrap_err().code(), "answer_inconsistent");

    let files = Files { names: vec!["=a.csv".into(), "b.csv".into()], codes: vec![0, 0, 1] };
    write_labels(&[2, 3, 2], Some(&files), &clusters, &path).unwrap();
    let expected = "file,row,cluster\r\n'=a.csv,2,2\r\n'=a.csv,3,\r\nb.csv,2,1\r\n";
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);

    clusters.scores = Some(Scores {
        membership: vec![0.25, 0.0, 1.0],
        outlier: vec![0.5, f64::NAN, 0.0],
        stability: vec![3.5, f64::INFINITY],
    });
    write_labels(&[2, 3, 9], None, &clusters, &path).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text, "row,cluster,membership,outlier\r\n2,2,0.25,0.5\r\n3,,0.0,\r\n9,1,1.0,0.0\r\n");
}

#[test]
fn rejected_rows_keep_what_stood_there_but_run_nothing() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("rejects.csv");
    let reject = |line, value: &str| Reject {
        file: 1,
        line,
        reason: Reason::CoordUnreadable,
        column: "@lon".into(),
        value: value.into(),
    };
    let rejects = [reject(7, "-89,942"), reject(8, "=cmd|' /C calc'!A0"), reject(9, "-89.942")];
    write_rejects(&rejects, None, &path).unwrap();
    let (header, rows) = rows(&path);
    assert_eq!(header, ["line", "reason", "meaning", "column", "value"]);
    assert_eq!(rows[0], ["7", "coord_unreadable", "a coordinate is not a number", "'@lon", "'-89,942"]);
    assert_eq!(rows[1][4], "'=cmd|' /C calc'!A0");
    assert_eq!(rows[2][4], "-89.942");

    let files = Files { names: vec!["a.csv".into(), "b.csv".into()], codes: Vec::new() };
    write_rejects(&rejects, Some(&files), &path).unwrap();
    let (header, rows) = self::rows(&path);
    assert_eq!(header[..2], ["file", "line"]);
    assert_eq!(rows[0][..2], ["b.csv", "7"]);
}

#[test]
fn a_surface_is_not_a_layer() {
    let path = Path::new("a.geojson");
    let error = write_surface(&surface(3, 3), &crs(), path, Format::GeoJson).unwrap_err();
    assert_eq!(error.code(), "format_unsuitable");
    assert_eq!(error.to_string(), "a .geojson file cannot hold a surface");
    assert_eq!(write_layer(&layer(), path, Format::GeoTiff).unwrap_err().code(), "format_unsuitable");
}

#[test]
fn texts_and_objects_are_written_as_they_are() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("a.txt");
    write_text("Ñuñoa\n", &path).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "Ñuñoa\n");
    write_json(&serde_json::json!({"b": 1, "a": f64::NAN}), &path).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "{\n  \"b\": 1,\n  \"a\": null\n}\n");
    for full in [write_text("text", Path::new("/dev/full")), write_json(&1, Path::new("/dev/full"))] {
        assert_eq!(full.unwrap_err().code(), "disk_full");
    }
}
