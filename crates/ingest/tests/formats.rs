//! The same incidents in every format a file may come in.

use std::io::Write;

use crate::common::{World, codes, read_as};
use brasa_ingest::{InputOptions, read};
use brasa_model::Diagnose;
use flate2::Compression;
use flate2::write::GzEncoder;

const ROWS: [(&str, &str, &str, &str); 3] = [
    ("-75.5698", "6.2572", "2019-04-23 12:30", "Extorsión"),
    ("-75.6103", "6.2228", "2019-05-12 00:51", "Hurto; calle"),
    ("-75.6203", "6.2623", "2019-05-13 02:36", "Niño, robo"),
];

fn table(delimiter: &str, comma: bool) -> String {
    let number = |text: &str| if comma { text.replace('.', ",") } else { text.to_owned() };
    let mut text = ["longitud", "latitud", "fecha", "tipo"].join(delimiter) + "\n";
    for (lon, lat, time, kind) in ROWS {
        let fields = [number(lon), number(lat), time.to_owned(), kind.to_owned()];
        let quoted: Vec<String> = fields.iter().map(|field| format!("\"{field}\"")).collect();
        text += &(quoted.join(delimiter) + "\n");
    }
    text
}

/// The incidents as rows of text, to compare one file with another.
fn rows(found: &brasa_ingest::Ingested) -> Vec<String> {
    let kinds = found.incidents.kinds.as_ref().unwrap();
    let times = found.incidents.times.as_ref().unwrap().intervals();
    (0..found.incidents.len())
        .map(|at| {
            let (x, y) = (found.incidents.x[at], found.incidents.y[at]);
            format!("{x:.3} {y:.3} {} {}", times[at].unwrap().start, kinds.names[kinds.codes[at] as usize])
        })
        .collect()
}

fn expected() -> Vec<String> {
    let found = read_as("plain.csv", table(",", false), &InputOptions::default()).unwrap();
    assert_eq!(found.account.used, 3);
    rows(&found)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn delimiters_and_decimal_marks_are_recognised() {
    for (delimiter, comma, notes) in [
        (",", false, vec![]),
        (",", true, vec!["decimal_comma"]),
        (";", false, vec!["delimiter_guessed"]),
        (";", true, vec!["delimiter_guessed", "decimal_comma"]),
        ("\t", true, vec!["delimiter_guessed", "decimal_comma"]),
        ("|", false, vec!["delimiter_guessed"]),
    ] {
        let found = read_as("a.csv", table(delimiter, comma), &InputOptions::default()).unwrap();
        assert_eq!(rows(&found), expected(), "{delimiter} {comma}");
        let told: Vec<&str> = codes(&found)
            .into_iter()
            .filter(|code| code.starts_with("deci") || code.starts_with("deli"))
            .collect();
        assert_eq!(told, notes, "{delimiter} {comma}");
    }
    let forced = InputOptions {
        delimiter: Some("|".into()),
        decimal: Some("comma".into()),
        ..InputOptions::default()
    };
    assert_eq!(rows(&read_as("a.txt", table("|", true), &forced).unwrap()), expected());
}

#[test]
fn encodings_are_recognised() {
    let text = table(",", false);
    let latin: Vec<u8> = text.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect();
    let with_mark = [b"\xef\xbb\xbf".as_slice(), text.as_bytes()].concat();
    let utf16 = |little: bool, mark: bool| -> Vec<u8> {
        let units = mark.then_some(0xfeff).into_iter().chain(text.encode_utf16());
        units.flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() }).collect()
    };
    for (bytes, note) in [
        (text.clone().into_bytes(), None),
        (with_mark, None),
        (latin, Some("windows-1252")),
        (utf16(true, true), Some("UTF-16LE")),
        (utf16(false, true), Some("UTF-16BE")),
        (utf16(true, false), Some("UTF-16LE")),
    ] {
        let found = read_as("a.csv", &bytes, &InputOptions::default()).unwrap();
        assert_eq!(rows(&found), expected(), "{note:?}");
        let told = found
            .notes
            .iter()
            .find(|note| note.code == "encoding_guessed")
            .and_then(|note| note.value.clone());
        assert_eq!(told.as_ref().and_then(|value| value.as_str()), note);
    }
}

#[test]
fn a_stray_byte_late_in_a_long_file_is_read_and_announced() {
    let mut bytes = b"lon,lat,tipo\n".to_vec();
    for _ in 0..20_000 {
        bytes.extend(b"-75.5698,6.2572,hurto\n");
    }
    bytes.extend(b"-75.5698,6.2572,extorsi\xf3n\n");
    let found = read_as("a.csv", bytes, &InputOptions::default()).unwrap();
    assert_eq!(found.incidents.kinds.as_ref().unwrap().names, ["extorsión", "hurto"]);
    assert!(codes(&found).contains(&"encoding_mixed"));
}

#[test]
fn headers_may_be_absent_or_below_titles() {
    let found = read_as(
        "a.csv",
        "359192.30,570510.89,2016-01-01\n356347.30,576182.58,2016-01-03\n",
        &InputOptions { crs: Some("EPSG:26971".into()), ..InputOptions::default() },
    )
    .unwrap();
    assert_eq!((found.account.used, found.incidents.row[0]), (2, 1));
    assert!(codes(&found).contains(&"header_absent"));
    assert_eq!(found.columns[0].x.as_deref(), Some("column1"));
    let titled = format!("Reporte de delitos,,,\n2019,,,\n{}", table(",", false));
    let found = read_as("a.csv", titled, &InputOptions::default()).unwrap();
    assert_eq!((rows(&found), found.incidents.row[0]), (expected(), 4));
    assert!(codes(&found).contains(&"title_rows_skipped"));
}

fn collection(crs: &str) -> String {
    let features: Vec<String> = ROWS
        .iter()
        .map(|(lon, lat, time, kind)| {
            format!(
                r#"{{"type":"Feature","properties":{{"fecha":"{time}","tipo":"{kind}"}},"geometry":{{"type":"Point","coordinates":[{lon},{lat}]}}}}"#
            )
        })
        .collect();
    format!(r#"{{"type":"FeatureCollection",{crs}"features":[{}]}}"#, features.join(",\n"))
}

#[test]
fn geojson_is_read_as_collection_and_line_by_line() {
    let found = read_as("a.geojson", collection(""), &InputOptions::default()).unwrap();
    assert_eq!(rows(&found), expected());
    assert_eq!(found.columns[0].x.as_deref(), Some("geometry"));
    let whole = collection("");
    let lines: String = whole[whole.find('[').unwrap() + 1..whole.len() - 2].replace(",\n", "\n");
    let found = read_as("a.geojsonl", &lines, &InputOptions::default()).unwrap();
    assert_eq!((rows(&found), found.incidents.row.clone()), (expected(), vec![1, 2, 3]));
    let sequence: String = lines.lines().map(|line| format!("\u{1e}{line}\n")).collect();
    assert_eq!(rows(&read_as("a.geojsons", sequence, &InputOptions::default()).unwrap()), expected());
}

#[test]
fn a_foreign_system_in_geojson_is_honoured_and_announced() {
    let crs = r#""crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:EPSG::4686"}},"#;
    let found = read_as("a.geojson", collection(crs), &InputOptions::default()).unwrap();
    assert_eq!(found.inputs[0].crs_in.as_deref(), Some("EPSG:4686"));
    assert!(codes(&found).contains(&"crs_member"));
    let standard = r#""crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:OGC:1.3:CRS84"}},"#;
    assert!(
        !codes(&read_as("a.geojson", collection(standard), &InputOptions::default()).unwrap())
            .contains(&"crs_member")
    );
    let nonsense = r#""crs":{"type":"name","properties":{"name":"my city"}},"#;
    let error = read_as("a.geojson", collection(nonsense), &InputOptions::default()).unwrap_err();
    assert_eq!(error.code(), "crs_unsupported");
}

#[test]
fn gzip_with_several_members_is_one_file() {
    let text = table(",", false);
    let (first, second) = text.as_bytes().split_at(100);
    let bytes = [gzip(first), gzip(second)].concat();
    let found = read_as("a.csv.gz", &bytes, &InputOptions::default()).unwrap();
    assert_eq!(rows(&found), expected());
    assert_eq!(found.inputs[0].bytes, bytes.len() as u64, "the file as stored");
    assert_eq!(
        rows(&read_as("a.geojson.gz", gzip(collection("").as_bytes()), &InputOptions::default()).unwrap()),
        expected()
    );
}

#[test]
fn a_truncated_gzip_is_an_error_wherever_it_is_cut() {
    let mut text = "lon,lat\n".to_owned();
    for at in 0..2000 {
        text += &format!("-75.{at},6.{at}\n");
    }
    let bytes = gzip(text.as_bytes());
    for cut in [15, 100, bytes.len() / 2, bytes.len() - 9, bytes.len() - 1] {
        let error = read_as("a.csv.gz", &bytes[..cut], &InputOptions::default()).unwrap_err();
        assert_eq!(error.code(), "compression_broken", "{cut}");
        assert!(error.to_string().contains(&format!("byte {cut} of")), "{cut}: {error}");
    }
    let mut damaged = bytes.clone();
    let end = damaged.len() - 6;
    damaged[end] ^= 0xff;
    assert_eq!(
        read_as("a.csv.gz", damaged, &InputOptions::default()).unwrap_err().code(),
        "compression_broken"
    );
}

#[test]
fn a_gzip_bomb_is_refused() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(b"lon,lat\n").unwrap();
    let lines = b"-75.5,6.2\n".repeat(1 << 20);
    for _ in 0..8 {
        encoder.write_all(&lines).unwrap();
    }
    let error = read_as("a.csv.gz", encoder.finish().unwrap(), &InputOptions::default()).unwrap_err();
    assert_eq!(error.code(), "too_large");
}

fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in members {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

#[test]
fn a_zip_with_one_data_file_is_that_file() {
    let text = table(";", true);
    let bytes = zip(&[
        ("readme.txt", b"hello"),
        ("__MACOSX/._delitos.csv", b"x"),
        ("data/delitos.csv", text.as_bytes()),
    ]);
    assert_eq!(rows(&read_as("a.zip", bytes, &InputOptions::default()).unwrap()), expected());
    let bytes = zip(&[("a.csv", text.as_bytes()), ("b.csv", text.as_bytes())]);
    let error = read_as("a.zip", bytes, &InputOptions::default()).unwrap_err();
    assert_eq!(error.code(), "archive_choice");
    assert!(error.to_string().contains("a.csv, b.csv"), "{error}");
    let outside = zip(&[("../../delitos.csv", text.as_bytes())]);
    assert_eq!(read_as("a.zip", outside, &InputOptions::default()).unwrap_err().code(), "archive_choice");
}

#[test]
fn the_digest_is_of_the_bytes_as_stored() {
    let found = read_as("a.csv", "lon,lat\n-75.5,6.2\n", &InputOptions::default()).unwrap();
    assert_eq!(found.inputs[0].bytes, 18);
    assert_eq!(found.inputs[0].sha256, "800e2cf995295cbb535046e4ddd6637942a299da7b638f7d863961d9e895de93");
    assert_eq!(found.inputs[0].name, "a.csv", "a name without its folders");
}

#[test]
fn options_survive_being_written_and_read() {
    let options = InputOptions {
        time_end: Some("hasta".into()),
        study_area: Some("comunas.gpkg".into()),
        ..InputOptions::default()
    };
    let text = serde_json::to_string(&options).unwrap();
    assert!(text.contains("\"time-end\":\"hasta\"") && text.contains("\"study-area\""), "{text}");
    assert_eq!(serde_json::from_str::<InputOptions>(&text).unwrap(), options);
    assert!(serde_json::from_str::<InputOptions>(r#"{"tiem":"x"}"#).is_err());
    let schema = serde_json::to_value(schemars::schema_for!(InputOptions)).unwrap();
    for (name, property) in schema["properties"].as_object().unwrap() {
        let help = property["description"].as_str().unwrap_or_default();
        assert!(!help.is_empty() && !help.contains('\n'), "{name} needs one line of help: {help}");
    }
}

#[cfg(not(feature = "gdal"))]
#[test]
fn without_gdal_other_formats_are_named_and_refused() {
    for (name, head, format) in [
        ("a.gpkg", b"SQLite format 3\0 ".as_slice(), "GeoPackage"),
        ("a.kml", b"<?xml version='1.0'?><kml/>", "KML"),
        #[cfg(not(feature = "parquet"))]
        ("a.parquet", b"PAR1....", "Parquet"),
    ] {
        let error = read_as(name, head, &InputOptions::default()).unwrap_err();
        assert_eq!(error.code(), "format_unsupported");
        assert!(error.to_string().contains(format), "{error}");
    }
    let world = World::new();
    assert_eq!(read(&[&world.path("none")], &InputOptions::default()).unwrap_err().code(), "file_missing");
}

#[cfg(feature = "gdal")]
mod with_gdal {
    use super::*;
    use gdal::DriverManager;
    use gdal::spatial_ref::SpatialRef;
    use gdal::vector::{Geometry, LayerAccess, LayerOptions, OGRFieldType, OGRwkbGeometryType};
    use std::path::Path;

    fn write(driver: &str, path: &Path, layers: &[&str], srs: Option<&SpatialRef>) {
        let mut dataset =
            DriverManager::get_driver_by_name(driver).unwrap().create_vector_only(path).unwrap();
        for layer in layers {
            let layer = dataset
                .create_layer(LayerOptions {
                    name: layer,
                    srs,
                    ty: OGRwkbGeometryType::wkbPoint,
                    options: None,
                })
                .unwrap();
            layer
                .create_defn_fields(&[("fecha", OGRFieldType::OFTString), ("tipo", OGRFieldType::OFTString)])
                .unwrap();
            for (lon, lat, time, kind) in ROWS {
                let mut point = Geometry::empty(OGRwkbGeometryType::wkbPoint).unwrap();
                point.set_point_2d(0, (lon.parse().unwrap(), lat.parse().unwrap()));
                let mut feature = gdal::vector::Feature::new(layer.defn()).unwrap();
                feature.set_geometry(point).unwrap();
                feature.set_field_string(0, time).unwrap();
                feature.set_field_string(1, kind).unwrap();
                feature.create(&layer).unwrap();
            }
        }
    }

    fn wgs84() -> SpatialRef {
        SpatialRef::from_epsg(4326).unwrap()
    }

    #[test]
    fn every_vector_format_gives_the_same_incidents() {
        let world = World::new();
        for (driver, name) in
            [("GPKG", "a.gpkg"), ("ESRI Shapefile", "a.shp"), ("FlatGeobuf", "a.fgb"), ("GML", "a.gml")]
        {
            let path = world.path(name);
            write(driver, &path, &["a"], Some(&wgs84()));
            let options = if driver == "ESRI Shapefile" {
                InputOptions { encoding: Some("ISO-8859-1".into()), ..InputOptions::default() }
            } else {
                InputOptions::default()
            };
            let found = read(&[&path], &options).unwrap();
            let mut found = rows(&found);
            // FlatGeobuf orders its features along a curve.
            found.sort();
            let mut wanted = expected();
            wanted.sort();
            assert_eq!(found, wanted, "{driver}");
        }
        let mut members: Vec<(String, Vec<u8>)> = Vec::new();
        for ending in ["shp", "shx", "dbf", "prj"] {
            let name = format!("a.{ending}");
            members.push((name.clone(), std::fs::read(world.path(&name)).unwrap()));
        }
        let borrowed: Vec<(&str, &[u8])> =
            members.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
        let found = read_as("shape.zip", zip(&borrowed), &InputOptions::default()).unwrap();
        assert_eq!(found.account.used, 3, "a zipped shapefile");
    }

    #[test]
    fn several_layers_ask_for_a_choice() {
        let world = World::new();
        let path = world.path("two.gpkg");
        write("GPKG", &path, &["hurtos", "homicidios"], Some(&wgs84()));
        let error = read(&[&path], &InputOptions::default()).unwrap_err();
        assert_eq!(error.code(), "layer_choice");
        assert!(error.to_string().contains("hurtos, homicidios"), "{error}");
        let layer = |name: &str| InputOptions { layer: Some(name.into()), ..InputOptions::default() };
        assert_eq!(rows(&read(&[&path], &layer("homicidios")).unwrap()), expected());
        assert_eq!(read(&[&path], &layer("robos")).unwrap_err().code(), "layer_unknown");
    }

    #[test]
    fn a_layer_without_a_system_is_guessed_to_be_degrees() {
        let world = World::new();
        let path = world.path("a.shp");
        write("ESRI Shapefile", &path, &["a"], None);
        let found = read(&[&path], &InputOptions::default()).unwrap();
        assert!(codes(&found).contains(&"crs_guessed"));
    }

    #[test]
    fn files_that_point_elsewhere_are_refused() {
        let vrt = "<OGRVRTDataSource><OGRVRTLayer name=\"a\"><SrcDataSource>/vsicurl/http://localhost/a.csv</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>";
        let error = read_as("a.vrt", vrt, &InputOptions::default()).unwrap_err();
        assert_eq!(error.code(), "format_unreadable");
        let wfs = "<OGRWFSDataSource><URL>http://localhost/wfs</URL></OGRWFSDataSource>";
        assert_eq!(read_as("a.xml", wfs, &InputOptions::default()).unwrap_err().code(), "format_unreadable");
    }
}
