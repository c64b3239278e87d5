//! Everything else, through GDAL: GeoPackage, Shapefile, FlatGeobuf, KML, file geodatabases.
//!
//! GDAL would open URLs, databases and files that point to them. Here it gets the absolute path of a file that
//! exists, a closed list of drivers that read local files, and a configuration without a network. The one exception is a
//! PostGIS database that the user names with `PG:`; it is for the driver of PostgreSQL alone.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Once;

use brasa_model::Note;
use gdal::spatial_ref::{AxisMappingStrategy, CoordTransform, SpatialRef};
use gdal::vector::sql::Dialect;
use gdal::vector::{Feature, Layer, LayerAccess, OGRFieldType, OGRwkbGeometryType, geometry_type_flatten};
use gdal::{Dataset, DatasetOptions, GdalOpenFlags};
use geo::{Coord, MapCoords, MultiPolygon, Polygon, Rect};

use crate::IngestError;
use crate::basemap::Shapes;
use crate::open::{Place, connection, is_geodatabase};
use crate::records::{self, Record, Records, StatedCrs};
use crate::streets::{Lines, Tags};

/// Drivers that read local files and follow no reference out of them. VRT, WFS and the databases are not here.
const DRIVERS: [&str; 16] = [
    "GPKG",
    "SQLite",
    "ESRI Shapefile",
    "FlatGeobuf",
    "KML",
    "LIBKML",
    "GML",
    "GPX",
    "GeoJSON",
    "GeoJSONSeq",
    "TopoJSON",
    "CSV",
    "OpenFileGDB",
    "MapInfo File",
    "DXF",
    "MVT",
];

/// What shapes beneath a map may come from besides: an OpenStreetMap extract has no table of incidents.
const EXTRACTS: [&str; 1] = ["OSM"];

/// What is drawn of an OpenStreetMap extract. Asked for layer by layer: the driver would hold the others in memory meanwhile.
const OF_AN_EXTRACT: [&str; 2] = [
    "SELECT * FROM multipolygons WHERE natural IN ('water', 'wood') OR leisure IN ('park', 'nature_reserve') \
     OR landuse IN ('forest', 'grass', 'cemetery')",
    "SELECT * FROM lines WHERE highway IN ('motorway', 'trunk', 'primary', 'secondary', 'tertiary', 'residential', \
     'unclassified', 'living_street', 'pedestrian', 'motorway_link', 'trunk_link', 'primary_link') \
     OR railway = 'rail' OR waterway IN ('river', 'stream', 'canal')",
];

/// What may be driven on in an OpenStreetMap extract.
const DRIVABLE: &str = "SELECT * FROM lines WHERE highway IN ('motorway', 'trunk', 'primary', 'secondary', 'tertiary', \
     'residential', 'unclassified', 'living_street', 'service', 'road', 'motorway_link', 'trunk_link', 'primary_link', \
     'secondary_link', 'tertiary_link')";

/// The one driver that connects, and to the host that is named alone.
const DATABASES: [&str; 1] = ["PostgreSQL"];

/// One layer of a file that GDAL reads.
pub(crate) struct Gdal {
    file: Named,
    path: PathBuf,
    layer: String,
    columns: Vec<String>,
    types: Vec<OGRFieldType::Type>,
    geometry: bool,
    crs: StatedCrs,
    /// The system without a code from which GDAL brings the points to WGS 84.
    bridged: Option<String>,
    encoding: Option<String>,
}

/// How messages call a file: its name and its format.
#[derive(Clone)]
pub(crate) struct Named {
    pub name: String,
    pub format: &'static str,
}

impl Named {
    fn unreadable(&self, error: &dyn std::fmt::Display) -> IngestError {
        IngestError::FormatUnreadable { name: self.name.clone(), format: self.format, why: error.to_string() }
    }
}

/// What a layer is wanted for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Points,
    Polygons,
}

impl Gdal {
    /// Opens a file and chooses its layer.
    pub fn open(
        place: &Place,
        file: &Named,
        layer: Option<&str>,
        encoding: Option<&str>,
        crs_given: bool,
    ) -> Result<Self, IngestError> {
        let path = absolute(place, file)?;
        let dataset = dataset(&path, file, encoding)?;
        let layer = choose(&dataset, file, layer, Wanted::Points)?;
        let (mut columns, mut types) = (Vec::new(), Vec::new());
        for field in layer.defn().fields() {
            columns.push(field.name());
            types.push(field.field_type());
        }
        let geometry = has_geometry(&layer);
        let mut crs = stated_crs(&layer);
        let bridge = if crs_given { None } else { Bridge::of(&layer) };
        let bridged = bridge.map(|bridge| bridge.from);
        if bridged.is_some() {
            crs = StatedCrs::Epsg(4326);
        }
        let layer = layer.name();
        let encoding = encoding.map(str::to_owned);
        Ok(Self { file: file.clone(), path, layer, columns, types, geometry, crs, bridged, encoding })
    }

    fn field<'a>(&self, feature: &Feature<'_>, at: usize) -> Cow<'a, str> {
        let text = if self.types[at] == OGRFieldType::OFTReal {
            feature.field_as_double(at).ok().flatten().map(|value| value.to_string())
        } else {
            feature.field_as_string(at).ok().flatten()
        };
        Cow::Owned(text.unwrap_or_default())
    }
}

impl Records for Gdal {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn has_geometry(&self) -> bool {
        self.geometry
    }

    fn crs(&self) -> StatedCrs {
        self.crs.clone()
    }

    fn visit(&self, wanted: &[usize], each: &mut dyn FnMut(&Record<'_>) -> bool) -> Result<(), IngestError> {
        let dataset = dataset(&self.path, &self.file, self.encoding.as_deref())?;
        let mut layer = dataset.layer_by_name(&self.layer).map_err(|error| self.file.unreadable(&error))?;
        let bridge = self.bridged.as_ref().and_then(|_| Bridge::of(&layer));
        for (at, feature) in layer.features().enumerate() {
            let fields = wanted.iter().map(|&at| self.field(&feature, at)).collect();
            let mut place = if self.geometry { place(&feature) } else { records::Place::InColumns };
            if let (Some(bridge), records::Place::Point(x, y)) = (&bridge, &place) {
                // A point that cannot be brought over is NaN, and set aside as such.
                let there = bridge.cross(Coord { x: *x, y: *y });
                place = records::Place::Point(there.x, there.y);
            }
            if !each(&Record { line: at as u64 + 1, fields, place, broken: None }) {
                break;
            }
        }
        Ok(())
    }

    fn notes(&self) -> Vec<Note> {
        let note = |from: &String| {
            Note::new(
                "crs_without_code",
                format!("the file's system \"{from}\" has no EPSG code; GDAL brought it to WGS 84"),
            )
            .value(from.as_str(), "")
            .reason("brasa knows systems by their code; if you know it, give it with --crs")
        };
        self.bridged.iter().map(note).collect()
    }
}

/// The way from a system without a known code to longitude and latitude on WGS 84, by GDAL.
struct Bridge {
    from: String,
    way: CoordTransform,
}

impl Bridge {
    /// A way, if the layer's system has no code and is yet a real one.
    fn of(layer: &Layer<'_>) -> Option<Self> {
        let StatedCrs::Other(from) = stated_crs(layer) else { return None };
        let mut source = layer.spatial_ref().filter(|srs| srs.is_projected() || srs.is_geographic())?;
        let mut target = SpatialRef::from_epsg(4326).ok()?;
        source.set_axis_mapping_strategy(AxisMappingStrategy::TraditionalGisOrder);
        target.set_axis_mapping_strategy(AxisMappingStrategy::TraditionalGisOrder);
        Some(Self { from, way: CoordTransform::new(&source, &target).ok()? })
    }

    fn cross(&self, at: Coord<f64>) -> Coord<f64> {
        let (mut x, mut y) = ([at.x], [at.y]);
        match self.way.transform_coords(&mut x, &mut y, &mut []) {
            Ok(()) => Coord { x: x[0], y: y[0] },
            Err(_) => Coord { x: f64::NAN, y: f64::NAN },
        }
    }
}

/// The polygons of a file.
pub(crate) struct Area {
    /// Those of each feature, in the coordinates of `crs`.
    pub features: Vec<MultiPolygon<f64>>,
    /// The layer they are in.
    pub layer: String,
    /// The system.
    pub crs: StatedCrs,
    /// The system without a code from which GDAL has brought them to WGS 84.
    pub bridged: Option<String>,
}

/// All polygons of a layer.
pub(crate) fn polygons(place: &Place, file: &Named, layer: Option<&str>) -> Result<Area, IngestError> {
    let dataset = dataset(&absolute(place, file)?, file, None)?;
    let mut layer = choose(&dataset, file, layer, Wanted::Polygons)?;
    let (crs, bridge) = (stated_crs(&layer), Bridge::of(&layer));
    let mut features = Vec::new();
    for feature in layer.features() {
        let mut polygons = Vec::new();
        if let Some(geometry) = feature.geometry().filter(|geometry| !geometry.is_empty()) {
            let geometry = geo::Geometry::try_from(geometry).map_err(|error| file.unreadable(&error))?;
            collect_polygons(geometry, &mut polygons);
        }
        let polygons = MultiPolygon::new(polygons);
        features.push(match &bridge {
            None => polygons,
            Some(bridge) => polygons.map_coords(|at| bridge.cross(at)),
        });
    }
    let layer = layer.name();
    Ok(match bridge {
        None => Area { features, layer, crs, bridged: None },
        Some(bridge) => Area { features, layer, crs: StatedCrs::Epsg(4326), bridged: Some(bridge.from) },
    })
}

/// The lines and areas of all layers of a file, as far as they are in `extent`, which is one of longitude and latitude.
pub(crate) fn shapes(place: &Place, file: &Named, extent: Rect<f64>) -> Result<Vec<Shapes>, IngestError> {
    let path = absolute(place, file)?;
    let allowed: Vec<&str> = DRIVERS.iter().chain(&EXTRACTS).copied().collect();
    let dataset = opened(&path, file, None, &allowed)?;
    let refused = |error: gdal::errors::GdalError| file.unreadable(&error);
    if dataset.driver().short_name() == "OSM" {
        let mut found = Vec::new();
        for query in OF_AN_EXTRACT {
            if let Some(mut layer) = dataset.execute_sql(query, None, Dialect::DEFAULT).map_err(refused)? {
                found.push(shapes_of(&mut layer, file, extent)?);
            }
        }
        return Ok(found);
    }
    dataset.layers().filter(has_geometry).map(|mut layer| shapes_of(&mut layer, file, extent)).collect()
}

fn shapes_of(layer: &mut Layer<'_>, file: &Named, extent: Rect<f64>) -> Result<Shapes, IngestError> {
    use OGRwkbGeometryType as Kind;
    let (crs, bridge) = (stated_crs(layer), Bridge::of(layer));
    if layer.spatial_ref().is_some_and(|srs| srs.is_geographic()) {
        layer.set_spatial_filter_rect(extent.min().x, extent.min().y, extent.max().x, extent.max().y);
    }
    let mut shapes = Vec::new();
    for feature in layer.features() {
        let Some(geometry) = feature.geometry().filter(|geometry| !geometry.is_empty()) else { continue };
        let kind = geometry_type_flatten(geometry.geometry_type());
        if ![Kind::wkbLineString, Kind::wkbMultiLineString, Kind::wkbPolygon, Kind::wkbMultiPolygon]
            .contains(&kind)
        {
            continue;
        }
        let geometry = geo::Geometry::try_from(geometry).map_err(|error| file.unreadable(&error))?;
        shapes.push(match &bridge {
            None => geometry,
            Some(bridge) => geometry.map_coords(|at| bridge.cross(at)),
        });
    }
    Ok((shapes, if bridge.is_some() { StatedCrs::Epsg(4326) } else { crs }))
}

/// The lines of a file near `extent`, each with its `highway`, `oneway`, `maxspeed` and `junction` as far as it has such columns.
/// In an extract of OpenStreetMap only what may be driven on.
pub(crate) fn lines(place: &Place, file: &Named, extent: Rect<f64>) -> Result<Vec<Lines>, IngestError> {
    let path = absolute(place, file)?;
    let allowed: Vec<&str> = DRIVERS.iter().chain(&EXTRACTS).copied().collect();
    let dataset = opened(&path, file, None, &allowed)?;
    let refused = |error: gdal::errors::GdalError| file.unreadable(&error);
    if dataset.driver().short_name() == "OSM" {
        let layer = dataset.execute_sql(DRIVABLE, None, Dialect::DEFAULT).map_err(refused)?;
        return layer.into_iter().map(|mut layer| lines_of(&mut layer, file, extent)).collect();
    }
    dataset.layers().filter(has_geometry).map(|mut layer| lines_of(&mut layer, file, extent)).collect()
}

fn lines_of(layer: &mut Layer<'_>, file: &Named, extent: Rect<f64>) -> Result<Lines, IngestError> {
    let (crs, bridge) = (stated_crs(layer), Bridge::of(layer));
    if layer.spatial_ref().is_some_and(|srs| srs.is_geographic()) {
        layer.set_spatial_filter_rect(extent.min().x, extent.min().y, extent.max().x, extent.max().y);
    }
    let names: Vec<String> = layer.defn().fields().map(|field| field.name()).collect();
    let column = |name: &str| names.iter().position(|column| column.eq_ignore_ascii_case(name));
    let (tags, others) = (Tags::NAMES.map(column), column("other_tags"));
    let mut found = Vec::new();
    for feature in layer.features() {
        let Some(geometry) = feature.geometry().filter(|geometry| !geometry.is_empty()) else { continue };
        let geometry = geo::Geometry::try_from(geometry).map_err(|error| file.unreadable(&error))?;
        let parts = match geometry {
            geo::Geometry::LineString(line) => vec![line],
            geo::Geometry::MultiLineString(lines) => lines.0,
            _ => continue,
        };
        let text = |at: Option<usize>| feature.field_as_string(at?).ok().flatten();
        let others = text(others).unwrap_or_default();
        let said = |(name, at): (&str, Option<usize>)| {
            text(at).filter(|text| !text.is_empty()).or_else(|| other_tag(&others, name))
        };
        let mut tags = Tags::NAMES.into_iter().zip(tags).map(said);
        let mut next = || tags.next().flatten().unwrap_or_default();
        let tags = Tags { highway: next(), oneway: next(), maxspeed: next(), junction: next() };
        for line in parts {
            let line = match &bridge {
                None => line,
                Some(bridge) => line.map_coords(|at| bridge.cross(at)),
            };
            found.push((line, tags.clone()));
        }
    }
    Ok((found, if bridge.is_some() { StatedCrs::Epsg(4326) } else { crs }))
}

/// A tag among the `other_tags` that GDAL keeps of OpenStreetMap: `"oneway"=>"yes","lanes"=>"2"`.
fn other_tag(text: &str, name: &str) -> Option<String> {
    let (_, after) = text.split_once(&format!("\"{name}\"=>\""))?;
    after.split('"').next().map(str::to_owned)
}

/// Takes the polygons out of any geometry.
fn collect_polygons(geometry: geo::Geometry<f64>, into: &mut Vec<Polygon<f64>>) {
    match geometry {
        geo::Geometry::Polygon(polygon) => into.push(polygon),
        geo::Geometry::MultiPolygon(polygons) => into.extend(polygons),
        geo::Geometry::GeometryCollection(parts) => {
            for part in parts {
                collect_polygons(part, into);
            }
        }
        _ => {}
    }
}

/// The absolute path of what exists, so that no text can be taken for a connection or a virtual file, and the way into it.
fn absolute(place: &Place, file: &Named) -> Result<PathBuf, IngestError> {
    if let Some(connection) = connection(&place.path) {
        return Ok(format!("PG:{connection}").into());
    }
    let full = std::fs::canonicalize(&place.path)
        .map_err(|error| IngestError::FileUnreadable { path: file.name.clone(), why: error.to_string() })?;
    if !(full.is_file() || is_geodatabase(&full)) || full.starts_with("/vsimem") {
        return Err(IngestError::NotAFile { path: file.name.clone(), what: "not a plain file" });
    }
    let braces = |text: &str| text.contains(['{', '}']);
    let mut way = full.to_string_lossy().into_owned();
    if !place.inside.is_empty() && (braces(&way) || place.inside.iter().any(|part| braces(part))) {
        return Err(file
            .unreadable(&"its name, or that of a member, holds a brace, which GDAL would take for its own"));
    }
    for part in &place.inside {
        way = format!("/vsizip/{{{way}}}/{part}");
    }
    Ok(if place.inside.is_empty() { full } else { way.into() })
}

fn dataset(path: &Path, file: &Named, encoding: Option<&str>) -> Result<Dataset, IngestError> {
    opened(path, file, encoding, if connection(path).is_some() { &DATABASES } else { &DRIVERS })
}

fn opened(
    path: &Path,
    file: &Named,
    encoding: Option<&str>,
    drivers: &[&str],
) -> Result<Dataset, IngestError> {
    static OFFLINE: Once = Once::new();
    OFFLINE.call_once(|| {
        // GDAL would print to the terminal; what matters comes back as an error value.
        gdal::config::set_error_handler(|_, _, _| {});
        for (key, value) in [
            ("GDAL_DISABLE_READDIR_ON_OPEN", "TRUE"),
            ("CPL_VSIL_CURL_ALLOWED_EXTENSIONS", ".none"),
            ("GDAL_HTTP_TIMEOUT", "1"),
            ("GDAL_HTTP_MAX_RETRY", "0"),
            ("OGR_SQLITE_LOAD_EXTENSIONS", ""),
            ("OGR_SQLITE_LIST_VIRTUAL_OGR", "NO"),
            ("GML_DOWNLOAD_SCHEMA", "NO"),
            ("GML_SKIP_RESOLVE_ELEMS", "ALL"),
            ("PROJ_NETWORK", "OFF"),
        ] {
            // A key this build of GDAL does not know is no failure.
            let _ = gdal::config::set_config_option(key, value);
        }
    });
    let encoding = encoding.map(|encoding| format!("ENCODING={encoding}"));
    let open_options: Vec<&str> = encoding.iter().map(String::as_str).collect();
    let options = DatasetOptions {
        open_flags: GdalOpenFlags::GDAL_OF_VECTOR | GdalOpenFlags::GDAL_OF_READONLY,
        allowed_drivers: Some(drivers),
        open_options: Some(&open_options),
        sibling_files: None,
    };
    Dataset::open_ex(path, options).map_err(|error| match &error {
        gdal::errors::GdalError::NullPointer { msg, .. } if msg.is_empty() => {
            file.unreadable(&"GDAL does not recognise it as one of the vector formats that brasa accepts")
        }
        gdal::errors::GdalError::NullPointer { msg, .. } => file.unreadable(msg),
        _ => file.unreadable(&error),
    })
}

/// The layer of that name, else the only one that fits, else an error with the list.
fn choose<'a>(
    dataset: &'a Dataset,
    file: &Named,
    wanted: Option<&str>,
    purpose: Wanted,
) -> Result<Layer<'a>, IngestError> {
    let names: Vec<String> = dataset.layers().map(|layer| layer.name()).collect();
    if let Some(wanted) = wanted {
        return dataset.layer_by_name(wanted).map_err(|_| IngestError::LayerUnknown {
            name: file.name.clone(),
            wanted: wanted.to_owned(),
            layers: names,
        });
    }
    let fits = |layer: &Layer<'_>| {
        use OGRwkbGeometryType as Kind;
        let kind = geometry_type_flatten(layer.defn().geometry_type());
        match purpose {
            Wanted::Points => [Kind::wkbPoint, Kind::wkbMultiPoint].contains(&kind),
            Wanted::Polygons => [Kind::wkbPolygon, Kind::wkbMultiPolygon].contains(&kind),
        }
    };
    let mut fitting = dataset.layers().filter(|layer| fits(layer));
    match (fitting.next(), fitting.next()) {
        (Some(only), None) => return Ok(only),
        (None, _) if names.len() == 1 => {
            return dataset.layer(0).map_err(|error| file.unreadable(&error));
        }
        _ => {}
    }
    // Styles and other tables of a GeoPackage are layers too; one geometry layer among them is the choice.
    let mut drawn = dataset.layers().filter(|layer| has_geometry(layer));
    match (drawn.next(), drawn.next()) {
        (Some(only), None) => Ok(only),
        _ => Err(IngestError::LayerChoice { name: file.name.clone(), layers: names }),
    }
}

fn has_geometry(layer: &Layer<'_>) -> bool {
    layer.defn().geometry_type() != OGRwkbGeometryType::wkbNone
}

fn stated_crs(layer: &Layer<'_>) -> StatedCrs {
    let Some(srs) = layer.spatial_ref() else { return StatedCrs::Nothing };
    let code = |srs: &SpatialRef| {
        let authority = srs.auth_name()?;
        let code = srs.auth_code().ok()?;
        (authority == "EPSG").then_some(u32::try_from(code).ok()?)
    };
    if let Some(epsg) = code(&srs) {
        return StatedCrs::Epsg(epsg);
    }
    if srs.is_geographic() && srs.auth_name().as_deref() == Some("OGC") {
        return StatedCrs::Epsg(4326);
    }
    let mut guess = srs.clone();
    if guess.auto_identify_epsg().is_ok()
        && let Some(epsg) = code(&guess)
    {
        return StatedCrs::Epsg(epsg);
    }
    match srs.name() {
        Some(name) if !name.to_ascii_lowercase().starts_with("undefined") => StatedCrs::Other(name),
        _ => StatedCrs::Nothing,
    }
}

fn place(feature: &Feature<'_>) -> records::Place {
    use OGRwkbGeometryType as Kind;
    let Some(geometry) = feature.geometry() else { return records::Place::NotPoint("none") };
    let kind = geometry_type_flatten(geometry.geometry_type());
    if geometry.is_empty() {
        return records::Place::NotPoint("an empty geometry");
    }
    match kind {
        Kind::wkbPoint => {
            let (x, y, _) = geometry.get_point(0);
            records::Place::Point(x, y)
        }
        Kind::wkbMultiPoint if geometry.geometry_count() == 1 => {
            let (x, y, _) = geometry.get_geometry(0).get_point(0);
            records::Place::Point(x, y)
        }
        Kind::wkbLineString | Kind::wkbMultiLineString => records::Place::NotPoint("line"),
        Kind::wkbPolygon | Kind::wkbMultiPolygon => records::Place::NotPoint("polygon"),
        _ => records::Place::NotPoint("another geometry"),
    }
}
