use std::fs;

use brasa_export::style::{Legend, Rgb};
use brasa_export::{Format, Lang, write_layer};
use brasa_model::{DrawnBy, Layer, Style, Value};
use geo::{Geometry, MultiPoint, MultiPolygon, line_string, point};
use tempfile::tempdir;

use crate::fixtures::{layer, layer_of, ring, timed};

fn text_of(layer: &Layer) -> String {
    let dir = tempdir().unwrap();
    let path = dir.path().join("a.kml");
    write_layer(layer, &path, Format::Kml).unwrap();
    fs::read_to_string(path).unwrap()
}

#[test]
fn a_document_says_what_it_is() {
    let text = text_of(&layer());
    assert!(text.contains("<name>Hotspots of &quot;robbery&quot;</name>"));
    assert!(text.contains("<begin>2018-01-01T00:00:00</begin><end>2019-01-01T00:00:00</end>"));
    assert!(text.contains("<SimpleField type=\"double\" name=\"intensity\"><displayName>Incidents per km² and year (incidents/km²/year)</displayName>"));
    assert!(text.contains("&quot;code&quot;:&quot;bandwidth_chosen&quot;"), "notes travel along");
    assert_eq!(text.matches("<Placemark id=").count(), 9);
    assert!(!text.contains("<script"), "what a file says is text");
    assert!(!text.contains('\0'));
}

#[test]
fn whole_numbers_beyond_32_bits_are_texts_and_what_is_not_known_is_absent() {
    let mut layer = layer();
    assert!(text_of(&layer).contains("<SimpleField type=\"int\" name=\"rank\">"));
    layer.features[3].values[0] = Value::Integer(1 << 40);
    layer.features[4].values[1] = Value::Real(f64::NAN);
    layer.features[4].values[0] = Value::Null;
    let text = text_of(&layer);
    assert!(text.contains("<SimpleField type=\"string\" name=\"rank\">"));
    assert!(text.contains("<SimpleData name=\"rank\">1099511627776</SimpleData>"));
    assert!(!text.contains("NaN"));
}

#[test]
fn features_are_drawn_in_the_colours_of_their_classes() {
    let layer = layer();
    let text = text_of(&layer);
    let legend = Legend::of(&layer, Lang::EN);
    assert!(legend.entries.len() > 2);
    for (at, entry) in legend.entries.iter().enumerate() {
        let Rgb(red, green, blue) = entry.fill.unwrap();
        // KML writes blue before green before red; what has names on it is a little transparent.
        let style = format!("<PolyStyle><color>cc{blue:02x}{green:02x}{red:02x}</color><fill>1</fill>");
        let style_of_class = text.split(&format!("<Style id=\"c{at}\">")).nth(1).unwrap();
        assert!(style_of_class.split("</Style>").next().unwrap().contains(&style), "{at}");
        let drawn = layer.features.iter().filter(|feature| legend.entry_of(feature) == Some(at)).count();
        assert_eq!(text.matches(&format!("<styleUrl>#c{at}</styleUrl>")).count(), drawn, "{at}");
    }
    assert_eq!(text.matches("<styleUrl>#none</styleUrl>").count(), 4, "every other value is not known");
    // Only an edge: the inside is left out.
    let mut edge = layer;
    edge.style = Style::of(DrawnBy::Edge);
    let text = text_of(&edge);
    assert!(text.contains("<Style id=\"c0\">") && !text.contains("<fill>1</fill>"));
    assert_eq!(text.matches("<styleUrl>#c0</styleUrl>").count(), 9);
}

#[test]
fn a_feature_with_times_of_its_own_has_a_span() {
    let text = text_of(&timed());
    assert_eq!(text.matches("<TimeSpan>").count(), 1 + 8, "one without");
    assert!(text.contains(
        "<name>1</name><TimeSpan><begin>2018-03-01T01:00:00</begin><end>2018-03-02T01:00:00</end></TimeSpan><styleUrl>"
    ));
    assert!(text.contains("<SimpleData name=\"start\">2018-03-01T01:00:00</SimpleData>"));
}

#[test]
fn every_kind_of_geometry_is_written() {
    let (x, y) = (231_000.0, 3_893_000.0);
    let (dot, line) = (point!(x: x, y: y), line_string![(x: x, y: y), (x: x + 100.0, y: y)]);
    let layer = layer_of(vec![
        dot.into(),
        MultiPoint(vec![dot, dot]).into(),
        line.clone().into(),
        geo::MultiLineString(vec![line.clone(), line]).into(),
        ring(x, y, 100.0).into(),
        MultiPolygon(vec![ring(x, y, 100.0), ring(x + 200.0, y, 100.0)]).into(),
        Geometry::GeometryCollection(geo::GeometryCollection(vec![dot.into(), ring(x, y, 100.0).into()])),
        Geometry::MultiPolygon(MultiPolygon(Vec::new())),
    ]);
    let text = text_of(&layer);
    for (part, count) in [
        ("<Point>", 4),
        ("<LineString>", 3),
        ("<Polygon>", 4),
        ("<innerBoundaryIs>", 4),
        ("<MultiGeometry>", 4),
        ("<Placemark ", 8),
    ] {
        assert_eq!(text.matches(part).count(), count, "{part}");
    }
}

#[cfg(feature = "gdal")]
mod read_back {
    use gdal::Dataset;
    use gdal::vector::{Envelope, LayerAccess};

    use super::*;

    /// The values and the box of each feature, as GDAL reads them.
    fn read(layer: &Layer) -> Vec<(Vec<String>, Option<Envelope>)> {
        let dir = tempdir().unwrap();
        let path = dir.path().join("a.kml");
        write_layer(layer, &path, Format::Kml).unwrap();
        let dataset = Dataset::open(&path).unwrap();
        let mut found = dataset.layer(0).unwrap();
        let fields: Vec<usize> =
            layer.columns.iter().map(|column| found.defn().field_index(column.name).unwrap()).collect();
        found
            .features()
            .map(|row| {
                let text = |at: &usize| row.field_as_string(*at).unwrap().unwrap_or_default();
                (fields.iter().map(text).collect(), row.geometry().map(gdal::vector::Geometry::envelope))
            })
            .collect()
    }

    #[test]
    fn gdal_reads_the_same_values_in_the_same_places() {
        let layer = layer();
        let found = read(&layer);
        assert_eq!(found.len(), 9);
        let projector = layer.crs.to_lonlat().unwrap();
        for ((values, envelope), feature) in found.iter().zip(&layer.features) {
            let Value::Text(text) = &feature.values[2] else { panic!("not a text") };
            let kept: String =
                text.chars().map(|c| if c < ' ' && !"\t\r\n".contains(c) { '\u{fffd}' } else { c }).collect();
            // The reader trims what stands around.
            assert_eq!(values[2].trim(), kept.trim());
            let number = if let Value::Real(value) = feature.values[1] { Some(value) } else { None };
            assert_eq!(values[1].parse().ok(), number);
            let Geometry::Polygon(polygon) = &feature.geometry else { panic!("not a polygon") };
            let corner = polygon.exterior().0[0];
            let (lon, lat) = projector.convert(corner.x, corner.y).unwrap();
            let envelope = envelope.as_ref().unwrap();
            assert!((envelope.MinX - lon).abs() < 0.01 && (envelope.MinY - lat).abs() < 0.01);
        }
    }

    #[test]
    fn a_layer_without_features_opens() {
        let dir = tempdir().unwrap();
        let path = dir.path().join("a.kml");
        write_layer(&layer_of(Vec::new()), &path, Format::Kml).unwrap();
        assert!(Dataset::open(&path).is_ok());
    }
}
