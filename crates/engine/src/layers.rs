//! Answers to layers: which columns a file gets, in which words.

use brasa_model::{
    Civil, Class, Clusters, Column, ColumnKind, Crs, DrawnBy, Ellipse, Feature, Features, Interval,
    Isopleths, Layer, LocalStats, Risk, Scale, Style, Surface, Tail, Value, Window,
};
use geo::{Area, Geometry, Polygon};

use ColumnKind::{Integer, Real, Text, Time};

/// One feature per zone.
pub fn local_stats(
    stats: &LocalStats,
    crs: &Crs,
    period: Option<Interval>,
    keep: impl Fn(usize) -> bool,
) -> Layer {
    let features =
        stats.zones.shapes().enumerate().filter(|&(zone, _)| keep(zone)).map(|(zone, (name, geometry))| {
            let mut values = vec![
                Value::Text(name),
                Value::real(stats.count[zone]),
                Value::Integer(i64::from(stats.neighbours[zone])),
            ];
            values.extend(stats.series.iter().map(|series| Value::real(series.values[zone])));
            values.extend([stats.z[zone], stats.p[zone], stats.q[zone]].map(Value::real));
            values.push(Value::Text(stats.class[zone].word().to_owned()));
            Feature { id: zone as i64 + 1, geometry, values }
        });
    let mut columns = vec![
        Column::new("zone", stats.zones.names(), "", Text),
        Column::new("count", "Incidents in the zone", "incidents", Real),
        Column::new("neighbours", "Zones looked at", "zones", Integer),
    ];
    columns
        .extend(stats.series.iter().map(|series| Column::new(series.name, series.title, &series.unit, Real)));
    columns.extend([
        Column::new("z", "z-score", "standard deviations", Real),
        Column::new("p", stats.p_title, "", Real),
        Column::new("q", "q: p adjusted for testing all zones", "", Real),
        Column::new("class", "Verdict at q <= 0.05", "", Text),
    ]);
    let verdicts =
        stats.verdicts.iter().chain([&Class::NotSignificant]).map(|class| class.explained()).collect();
    Layer {
        name: "zones".to_owned(),
        title: stats.title.to_owned(),
        description: stats.description.to_owned(),
        crs: crs.clone(),
        columns,
        features: features.collect(),
        style: Style::word("class", verdicts),
        period,
        provenance: stats.provenance.clone(),
        notes: stats.notes.clone(),
    }
}

/// The zones worth drawing: those that hold incidents or are significant.
pub fn telling_zones(stats: &LocalStats) -> impl Fn(usize) -> bool + '_ {
    |zone| stats.count[zone] > 0.0 || stats.class[zone] != Class::NotSignificant
}

/// One polygon per cluster. A column that no incident file of this kind can fill is left out.
pub fn clusters(clusters: &Clusters, crs: &Crs, period: Option<Interval>) -> Layer {
    let found = &clusters.clusters;
    let stability = clusters.scores.as_ref().map(|scores| &scores.stability);
    let orders = found.iter().any(|cluster| cluster.order > 1);
    let times = period.is_some();
    let hours = found.iter().any(|cluster| cluster.peak.is_some());
    let tested = found.iter().any(|cluster| cluster.excess.p.is_some());
    let mut columns = vec![Column::new("cluster", "Cluster, 1 is the heaviest", "", Integer)];
    if orders {
        columns.push(Column::new("order", "Order: 1 of incidents, 2 of clusters, …", "", Integer));
    }
    columns.extend([
        Column::new("incidents", "Incidents", "incidents", Integer),
        Column::new("share", "Share of all that were clustered", "", Real),
        Column::new("sites", "Distinct places", "places", Integer),
        Column::new("weight", "Sum of weights", "incidents", Real),
        Column::new("area_km2", "Area of the outline", "km²", Real),
        Column::new("density", "Weight per area", "incidents/km²", Real),
        Column::new("mean_x", "Mean centre, easting", "m", Real),
        Column::new("mean_y", "Mean centre, northing", "m", Real),
        Column::new("medoid_x", "Middlemost place, easting", "m", Real),
        Column::new("medoid_y", "Middlemost place, northing", "m", Real),
        Column::new("ellipse_major", "Deviational ellipse, longer semi-axis", "m", Real),
        Column::new("ellipse_minor", "Deviational ellipse, shorter semi-axis", "m", Real),
        Column::new("ellipse_bearing", "Deviational ellipse, longer axis from north", "°", Real),
        Column::new("expected", "Expected by chance", "incidents", Real),
        Column::new("ratio", "Times as expected", "", Real),
        Column::new("llr", "Likelihood ratio against chance, logarithm", "", Real),
    ]);
    if tested {
        columns.push(Column::new("p", "p, for all clusters together", "", Real));
    }
    if stability.is_some() {
        columns.push(Column::new(
            "stability",
            "Stability; empty for one that ends on one place",
            "incidents/m",
            Real,
        ));
    }
    if times {
        columns.push(Column::new("first", "First incident", "", Time));
        columns.push(Column::new("last", "End of the last incident", "", Time));
    }
    if hours {
        columns.push(Column::new("peak_hours", "Four hours with the most incidents", "h", Text));
    }
    let features = found.iter().enumerate().map(|(at, cluster)| {
        let ellipse = |axis: fn(Ellipse) -> f64| {
            cluster.ellipse.map_or(Value::Null, |ellipse| Value::real(axis(ellipse)))
        };
        let mut values = vec![Value::Integer(i64::from(cluster.number))];
        if orders {
            values.push(Value::Integer(i64::from(cluster.order)));
        }
        values.extend([
            Value::Integer(cluster.incidents as i64),
            Value::real(cluster.share),
            Value::Integer(cluster.sites as i64),
            Value::real(cluster.weight),
            Value::real(cluster.area_km2()),
            Value::real(cluster.density()),
            Value::real(cluster.mean_centre.x),
            Value::real(cluster.mean_centre.y),
            Value::real(cluster.medoid.x),
            Value::real(cluster.medoid.y),
            ellipse(|ellipse| ellipse.major),
            ellipse(|ellipse| ellipse.minor),
            ellipse(|ellipse| ellipse.bearing),
            Value::real(cluster.excess.expected),
            Value::real(cluster.weight / cluster.excess.expected),
            Value::real(cluster.excess.llr),
        ]);
        if tested {
            values.push(cluster.excess.p.map_or(Value::Null, Value::real));
        }
        values.extend(stability.map(|stability| Value::real(stability[at])));
        if times {
            let time = |known: Option<Civil>| known.map_or(Value::Null, Value::Time);
            values.push(time(cluster.period.map(|period| period.start)));
            values.push(time(cluster.period.map(|period| period.end)));
        }
        if hours {
            values.push(cluster.peak.map_or(Value::Null, |peak| Value::Text(peak.to_string())));
        }
        Feature {
            id: i64::from(cluster.number),
            geometry: Geometry::Polygon(cluster.outline.clone()),
            values,
        }
    });
    let method = &clusters.provenance.method;
    let outline = clusters.provenance.parameters["outline"].as_str().unwrap_or_default();
    Layer {
        name: "clusters".to_owned(),
        title: format!("Clusters ({method})"),
        description: format!(
            "Groups of incidents found by {method}, each with its {outline} outline. {}",
            if tested {
                "Where p is small, chance seldom makes one as strong anywhere on the map."
            } else {
                "A cluster is dense; that does not make it significant."
            }
        ),
        crs: crs.clone(),
        columns,
        features: features.collect(),
        style: Style::number("incidents", Scale::Upper).labelled("cluster"),
        period,
        provenance: clusters.provenance.clone(),
        notes: clusters.notes.clone(),
    }
}

/// A surface as one polygon per cell.
pub fn surface(surface: &Surface, crs: &Crs, period: Option<Interval>) -> Layer {
    let features = surface.grid.cells().enumerate().map(|(at, cell)| Feature {
        id: at as i64 + 1,
        geometry: Geometry::Polygon(surface.grid.polygon(cell)),
        values: vec![Value::real(surface.value(cell))],
    });
    Layer {
        name: "density".to_owned(),
        title: "Density of incidents".to_owned(),
        description: "Kernel density: an intensity, not a probability and not a risk.".to_owned(),
        crs: crs.clone(),
        columns: vec![Column::new("intensity", "Intensity", &surface.unit, Real)],
        features: features.collect(),
        style: Style::number("intensity", Scale::Sequential),
        period,
        provenance: surface.provenance.clone(),
        notes: surface.notes.clone(),
    }
}

/// One polygon per tolerance contour of a relative risk.
pub fn contours(risk: &Risk, crs: &Crs, period: Option<Interval>) -> Layer {
    let features = risk.contours.iter().enumerate().map(|(at, contour)| Feature {
        id: at as i64 + 1,
        geometry: Geometry::Polygon(contour.outline.clone()),
        values: vec![
            Value::Text(contour.tail.word().to_owned()),
            Value::real(contour.level),
            Value::real(contour.outline.unsigned_area() / 1e6),
        ],
    });
    Layer {
        name: "contours".to_owned(),
        title: "Tolerance contours of the relative risk".to_owned(),
        description: "Where the cases have more (high) or less (low) than their share against the controls, with p at most the level. p is one-sided and cell by cell: some contours are chance."
            .to_owned(),
        crs: crs.clone(),
        columns: vec![
            Column::new("tail", "More (high) or less (low) than its share", "", Text),
            Column::new("level", "Level of p, one-sided", "", Real),
            Column::new("area_km2", "Area", "km²", Real),
        ],
        features: features.collect(),
        style: Style::word("tail", vec![Tail::High, Tail::Low].into_iter().map(Tail::explained).collect()),
        period,
        provenance: risk.log_ratio.provenance.clone(),
        notes: risk.log_ratio.notes.clone(),
    }
}

/// One feature per level, the widest first.
pub fn isopleths(isopleths: &Isopleths, crs: &Crs, period: Option<Interval>) -> Layer {
    let features = isopleths.levels.iter().enumerate().map(|(at, area)| Feature {
        id: at as i64 + 1,
        geometry: Geometry::MultiPolygon(area.polygons.clone()),
        values: vec![
            Value::Text(area.rule.clone()),
            Value::real(area.level),
            Value::real(area.share),
            Value::real(area.polygons.unsigned_area() / 1e6),
            Value::real(area.incidents),
        ],
    });
    Layer {
        name: "isopleths".to_owned(),
        title: "Areas by density".to_owned(),
        description: "Areas at or above a level of the kernel density, the widest first; each holds the next. Dense does not mean significant."
            .to_owned(),
        crs: crs.clone(),
        columns: vec![
            Column::new("rule", "What was asked for", "", Text),
            Column::new("level", "Intensity at the outline", &isopleths.unit, Real),
            Column::new("share", "Share of the density's mass inside", "", Real),
            Column::new("area_km2", "Area", "km²", Real),
            Column::new("incidents", "Incidents inside", "incidents", Real),
        ],
        features: features.collect(),
        style: Style::number("level", Scale::Sequential),
        period,
        provenance: isopleths.provenance.clone(),
        notes: isopleths.notes.clone(),
    }
}

/// Features that bring their columns.
pub fn features(features: Features, crs: &Crs, period: Option<Interval>) -> Layer {
    Layer {
        name: features.name.to_owned(),
        title: features.title,
        description: features.description,
        crs: crs.clone(),
        columns: features.columns,
        features: features.features,
        style: features.style,
        period,
        provenance: features.provenance,
        notes: features.notes,
    }
}

/// The study area.
pub fn study_area(window: &Window, like: &Layer) -> Layer {
    let features =
        window.polygons().iter().enumerate().map(|(at, polygon): (usize, &Polygon<f64>)| Feature {
            id: at as i64 + 1,
            geometry: Geometry::Polygon(polygon.clone()),
            values: vec![Value::real(polygon.unsigned_area() / 1e6)],
        });
    Layer {
        name: "study_area".to_owned(),
        title: "Study area".to_owned(),
        description: "The area the statistics speak of; nothing is said about places outside it.".to_owned(),
        columns: vec![Column::new("area_km2", "Area", "km²", Real)],
        features: features.collect(),
        style: Style::of(DrawnBy::Edge),
        notes: Vec::new(),
        ..like.clone()
    }
}

/// Shapes beneath the map.
pub fn basemap(shapes: Vec<Geometry<f64>>, like: &Layer) -> Layer {
    let features = shapes.into_iter().enumerate().map(|(at, geometry)| Feature {
        id: at as i64 + 1,
        geometry,
        values: Vec::new(),
    });
    Layer {
        name: "basemap".to_owned(),
        title: "Basemap".to_owned(),
        description: "Streets, water and other shapes for the eye alone; nothing is counted in them."
            .to_owned(),
        columns: Vec::new(),
        features: features.collect(),
        style: Style::of(DrawnBy::Edge),
        notes: Vec::new(),
        ..like.clone()
    }
}
