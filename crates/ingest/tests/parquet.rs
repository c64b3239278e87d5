//! Parquet and GeoParquet, written here by the crate's own writer.
use std::sync::Arc;

use crate::common::{World, read_as, reasons, starts};
use brasa_ingest::{Ingested, InputOptions, read_polygons, read_zones};
use brasa_model::{Crs, Diagnose};
use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int32Type, Int64Type};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use proptest::prelude::*;

/// A column, all of whose values are there unless they are options.
enum Column {
    Double(Vec<f64>),
    Maybe(Vec<Option<f64>>),
    Whole(Vec<i64>),
    Small(Vec<i32>),
    Bytes(Vec<Vec<u8>>),
}

fn texts(texts: &[&str]) -> Column {
    Column::Bytes(texts.iter().map(|text| text.as_bytes().to_vec()).collect())
}

/// A file of so many row groups that all hold these columns.
fn write(
    schema: &str,
    columns: &[Column],
    geo: Option<&str>,
    compression: Compression,
    groups: usize,
) -> Vec<u8> {
    let schema = Arc::new(parse_message_type(&format!("message schema {{ {schema} }}")).unwrap());
    let notes = geo.map(|geo| vec![KeyValue::new("geo".to_owned(), geo.to_owned())]);
    let properties =
        WriterProperties::builder().set_compression(compression).set_key_value_metadata(notes).build();
    let mut bytes = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut bytes, schema, Arc::new(properties)).unwrap();
    for _ in 0..groups {
        let mut group = writer.next_row_group().unwrap();
        for column in columns {
            let mut writer = group.next_column().unwrap().unwrap();
            let _ = match column {
                Column::Double(values) => {
                    writer.typed::<DoubleType>().write_batch(values, None, None).unwrap()
                }
                Column::Maybe(values) => {
                    let levels: Vec<i16> = values.iter().map(|value| i16::from(value.is_some())).collect();
                    let there: Vec<f64> = values.iter().copied().flatten().collect();
                    writer.typed::<DoubleType>().write_batch(&there, Some(&levels), None).unwrap()
                }
                Column::Whole(values) => writer.typed::<Int64Type>().write_batch(values, None, None).unwrap(),
                Column::Small(values) => writer.typed::<Int32Type>().write_batch(values, None, None).unwrap(),
                Column::Bytes(values) => {
                    let values: Vec<ByteArray> =
                        values.iter().map(|value| ByteArray::from(value.clone())).collect();
                    writer.typed::<ByteArrayType>().write_batch(&values, None, None).unwrap()
                }
            };
            writer.close().unwrap();
        }
        group.close().unwrap();
    }
    writer.close().unwrap();
    bytes
}

fn lonlat(found: &Ingested) -> Vec<(f64, f64)> {
    let way = found.incidents.crs.to_lonlat().unwrap();
    let round = |value: f64| (value * 1e7).round() / 1e7;
    let places = found.incidents.x.iter().zip(&found.incidents.y);
    places.map(|(&x, &y)| way.convert(x, y).unwrap()).map(|(lon, lat)| (round(lon), round(lat))).collect()
}

fn open(bytes: &[u8]) -> Ingested {
    read_as("a.parquet", bytes, &InputOptions::default()).unwrap_or_else(|error| panic!("{error}"))
}

const SCHEMA: &str = "required double lon; optional double lat; required binary tipo (UTF8);";

fn columns() -> Vec<Column> {
    vec![
        Column::Double(vec![-74.1, -74.05, -74.0]),
        Column::Maybe(vec![Some(4.6), None, Some(4.7)]),
        texts(&["robo", "hurto", "extorsión"]),
    ]
}

#[test]
fn columns_are_read_under_every_compression_and_over_row_groups() {
    for compression in [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(parquet::basic::GzipLevel::default()),
        Compression::LZ4_RAW,
        Compression::ZSTD(parquet::basic::ZstdLevel::default()),
    ] {
        let found = open(&write(SCHEMA, &columns(), None, compression, 3));
        assert_eq!((found.account.read, found.account.used, reasons(&found)["coord_missing"]), (9, 6, 3));
        assert_eq!(lonlat(&found)[..2], [(-74.1, 4.6), (-74.0, 4.7)], "{compression:?}");
        assert_eq!(found.incidents.kinds.as_ref().unwrap().names, ["extorsión", "robo"]);
        assert_eq!(found.incidents.row, [1, 3, 4, 6, 7, 9]);
    }
    let inside = crate::common::workbook::zip(&[(
        "x/a.parquet",
        &write(SCHEMA, &columns(), None, Compression::SNAPPY, 1),
    )]);
    assert_eq!(read_as("a.zip", inside, &InputOptions::default()).unwrap().account.used, 2);
}

#[test]
fn times_are_what_their_column_says() {
    let second = 1_546_432_200; // 2019-01-02 12:30
    for (kind, unit) in [
        ("int64 fecha (TIMESTAMP(MILLIS,false))", 1_000),
        ("int64 fecha (TIMESTAMP(MICROS,true))", 1_000_000),
        ("int64 fecha (TIMESTAMP(NANOS,false))", 1_000_000_000),
        ("int64 fecha (TIMESTAMP_MILLIS)", 1_000),
    ] {
        let schema = format!("required double lon; required double lat; required {kind};");
        let columns =
            [Column::Double(vec![-74.1]), Column::Double(vec![4.6]), Column::Whole(vec![second * unit])];
        assert_eq!(
            starts(&open(&write(&schema, &columns, None, Compression::SNAPPY, 1)))[0],
            "2019-01-02T12:30:00 +1",
            "{kind}"
        );
    }
    let schema = "required double lon; required double lat; required int32 fecha (DATE); required int64 n (DECIMAL(10,3)); required group u { required binary barrio (UTF8); }";
    let columns = [
        Column::Double(vec![-74.1, -74.2]),
        Column::Double(vec![4.6, 4.7]),
        Column::Small(vec![17_898, -1]),
        Column::Whole(vec![1_500, 2]),
        texts(&["Norte", "Sur"]),
    ];
    let bytes = write(schema, &columns, None, Compression::SNAPPY, 1);
    let options =
        InputOptions { weight: Some("n".into()), kind: Some("u.barrio".into()), ..InputOptions::default() };
    let found = read_as("a.parquet", bytes, &options).unwrap();
    assert_eq!(starts(&found), ["2019-01-02T00:00:00 +86400", "1969-12-31T00:00:00 +86400"]);
    assert_eq!(found.incidents.weight.as_deref(), Some([1.5, 0.002].as_slice()));
    assert_eq!(found.incidents.kinds.as_ref().unwrap().names, ["Norte", "Sur"]);
}

fn point(x: f64, y: f64) -> Vec<u8> {
    [&[1, 1, 0, 0, 0][..], &x.to_le_bytes(), &y.to_le_bytes()].concat()
}

fn square(west: f64, south: f64) -> Vec<u8> {
    let corners = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0), (0.0, 0.0)];
    let mut bytes = vec![1, 3, 0, 0, 0, 1, 0, 0, 0, 5, 0, 0, 0];
    for (x, y) in corners {
        bytes.extend([(west + x).to_le_bytes(), (south + y).to_le_bytes()].concat());
    }
    bytes
}

fn geo(crs: &str, encoding: &str) -> String {
    format!(
        r#"{{"version":"1.1.0","primary_column":"geometry","columns":{{"geometry":{{"encoding":"{encoding}","geometry_types":["Point"]{crs}}}}}}}"#
    )
}

#[test]
fn geoparquet_says_where_its_points_are_and_in_which_system() {
    let schema = "required binary tipo (UTF8); required binary geometry;";
    let columns = [
        texts(&["robo", "hurto", "x"]),
        Column::Bytes(vec![point(-74.1, 4.6), point(-74.0, 4.7), square(-74.0, 4.0)]),
    ];
    for (crs, code) in [
        ("", "EPSG:4326"),
        (r#","crs":null"#, "EPSG:4326"),
        (r#","crs":{"name":"MAGNA-SIRGAS","id":{"authority":"EPSG","code":4686}}"#, "EPSG:4686"),
        (r#","crs":{"id":{"authority":"OGC","code":"CRS84"}}"#, "EPSG:4326"),
    ] {
        let found = open(&write(schema, &columns, Some(&geo(crs, "WKB")), Compression::SNAPPY, 1));
        assert_eq!(lonlat(&found), [(-74.1, 4.6), (-74.0, 4.7)], "{crs}");
        assert_eq!(found.inputs[0].crs_in.as_deref(), Some(code), "{crs}");
        assert_eq!(reasons(&found)["geometry_not_point"], 1);
    }
    let unknown = geo(r#","crs":{"name":"Mi ciudad"}"#, "WKB");
    let error = read_as(
        "a.parquet",
        write(schema, &columns, Some(&unknown), Compression::SNAPPY, 1),
        &InputOptions::default(),
    );
    assert_eq!(error.unwrap_err().code(), "crs_unsupported");
    // Points as structures of two numbers, and well-known binary that nobody announced.
    let native = "required group geometry { required double x; required double y; }";
    let numbers = [Column::Double(vec![-74.1, -74.0]), Column::Double(vec![4.6, 4.7])];
    let found = open(&write(native, &numbers, Some(&geo("", "point")), Compression::SNAPPY, 1));
    assert_eq!(lonlat(&found), [(-74.1, 4.6), (-74.0, 4.7)]);
    let found = open(&write(
        "required binary wkb;",
        &[Column::Bytes(vec![point(-74.1, 4.6), point(-74.0, 4.7)])],
        None,
        Compression::SNAPPY,
        1,
    ));
    assert_eq!(lonlat(&found), [(-74.1, 4.6), (-74.0, 4.7)]);
}

#[test]
fn polygons_of_geoparquet_are_a_study_area_and_zones() {
    let schema = "required binary nombre (UTF8); required int64 gente; required binary geometry;";
    let columns = [
        texts(&["Norte", "Sur"]),
        Column::Whole(vec![10, 20]),
        Column::Bytes(vec![square(-75.0, 4.0), square(-74.0, 4.0)]),
    ];
    let world = World::new();
    let path =
        world.file("a.parquet", write(schema, &columns, Some(&geo("", "WKB")), Compression::SNAPPY, 1));
    let crs = Crs::utm(-74.0, 4.5).unwrap();
    assert_eq!(read_polygons(&path, None, &crs).unwrap().0.0.len(), 2);
    let (zones, _, _) = read_zones(&path, None, Some("gente"), &crs).unwrap();
    assert_eq!((zones.zones[1].name.as_str(), zones.denominators.unwrap().values[1]), ("Sur", 20.0));
}

#[test]
fn a_file_that_is_cut_is_an_error() {
    let whole = write(SCHEMA, &columns(), None, Compression::SNAPPY, 5);
    for part in 0..100 {
        let cut = whole.len() * part / 100;
        assert!(read_as("a.parquet", &whole[..cut], &InputOptions::default()).is_err(), "{cut}");
    }
    assert_eq!(open(&whole).account.read, 15);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn a_damaged_file_is_read_or_refused(at in 0.0..1.0, flip in 1_u8..=255, bytes: Vec<u8>) {
        let mut damaged = write(SCHEMA, &columns(), None, Compression::SNAPPY, 2);
        let at = (at * damaged.len() as f64) as usize;
        damaged[at] ^= flip;
        for content in [damaged, [b"PAR1".as_slice(), &bytes, b"PAR1"].concat()] {
            if let Ok(found) = read_as("a.parquet", content, &InputOptions::default()) {
                prop_assert!(found.account.balances() && found.account.read == 6);
            }
        }
    }
}
