//! What a page of a plan knows beyond any page: what it comes to, its limits, what one more buys, and who is where when.

use brasa_model::{Curve, Doing, PatrolPlan, PlanBriefing, Series, Shift, Stop, Tour, Unserved};
use serde::Serialize;

use super::data::{Common, Data, Own};
use super::shapes::{Words, rounded};
use crate::{ExportError, Lang};

#[derive(Serialize)]
pub(super) struct PlanData {
    facts: Vec<FactData>,
    limits: Vec<Words>,
    coverage: Option<CurveData>,
    patrol: Option<PatrolData>,
    /// The titles of layers that are not on the page, as they show where single incidents were.
    withheld: Vec<Words>,
}

#[derive(Serialize)]
struct FactData {
    figure: Words,
    text: Words,
}

#[derive(Serialize)]
struct CurveData {
    title: Words,
    x: SeriesData,
    /// The first is drawn; all stand in the table.
    y: Vec<SeriesData>,
}

#[derive(Serialize)]
struct SeriesData {
    title: Words,
    unit: Words,
    /// Whether its numbers are parts of a whole: where a plan's curve has no unit they are.
    is_share: bool,
    values: Vec<Option<f64>>,
}

/// Times are seconds on the clocks of the place since they showed 1970-01-01T00:00:00.
#[derive(Serialize)]
struct PatrolData {
    zone: String,
    /// How many, and the depot of each.
    depot_of: Vec<usize>,
    areas: Vec<String>,
    depots: Vec<String>,
    shifts: Vec<(i64, i64)>,
    /// In the order of the features of the layer of routes.
    tours: Vec<TourData>,
    unserved: Vec<UnservedData>,
}

#[derive(Serialize)]
struct TourData {
    unit: usize,
    shift: usize,
    stops: Vec<StopData>,
}

/// What for, from, to, and how many metres from the stop before.
#[derive(Serialize)]
struct StopData(What, i64, i64, f64);

#[derive(Serialize)]
#[serde(untagged)]
enum What {
    Area(usize),
    Word(&'static str),
}

#[derive(Serialize)]
struct UnservedData {
    area: usize,
    shift: usize,
    wanted: u32,
    planned: u32,
    why: Words,
}

/// What the page of a plan knows.
pub(super) fn data<'a>(
    briefing: &'a PlanBriefing,
    lang: Lang,
    library: Option<&'static str>,
) -> Result<Data<'a>, ExportError> {
    let common = Common {
        title: &briefing.title,
        attribution: &briefing.attribution,
        command: &briefing.command,
        provenance: &briefing.provenance,
        period: briefing.study_area.period,
        inputs: &briefing.inputs,
        notes: &briefing.notes,
        listed: briefing.listed,
        study_area: &briefing.study_area,
        basemap: briefing.basemap.as_ref(),
    };
    let withheld = briefing.layers.iter().filter(|layer| briefing.is_exact(layer));
    let own = PlanData {
        facts: briefing
            .facts
            .iter()
            .map(|fact| FactData {
                figure: Words::of(lang, |lang| lang.number(&fact.figure)),
                text: Words::said(lang, fact.text),
            })
            .collect(),
        limits: briefing.limits.iter().map(|limit| Words::said(lang, limit)).collect(),
        coverage: briefing.coverage.as_ref().map(|curve| coverage(curve, lang)),
        patrol: briefing.patrol.as_ref().map(|plan| patrol(plan, lang)),
        withheld: withheld.map(|layer| Words::said(lang, &layer.title)).collect(),
    };
    Data::new(&common, briefing.to_show(), |_| Ok(Own::Plan(Box::new(own))), lang, library)
}

fn coverage(curve: &Curve, lang: Lang) -> CurveData {
    let series = |series: &Series| SeriesData {
        title: Words::said(lang, series.title),
        unit: Words::of(lang, |lang| lang.unit(&series.unit)),
        is_share: series.unit.is_empty(),
        values: series.values.iter().map(|value| value.is_finite().then(|| rounded(*value))).collect(),
    };
    CurveData {
        title: Words::said(lang, &curve.title),
        x: series(&curve.x),
        y: curve.y.iter().map(series).collect(),
    }
}

fn patrol(plan: &PatrolPlan, lang: Lang) -> PatrolData {
    let clock = |instant: i64| plan.clock.civil(instant).0;
    let shift = |shift: &Shift| (clock(shift.start), clock(shift.end));
    let stop = |stop: &Stop| {
        let what = match stop.doing {
            Doing::Start => What::Word("start"),
            Doing::Visit(area) => What::Area(area),
            Doing::Break => What::Word("break"),
            Doing::End => What::Word("end"),
        };
        StopData(what, clock(stop.begin), clock(stop.leave), stop.metres.round())
    };
    let tour = |tour: &Tour| TourData {
        unit: tour.unit,
        shift: tour.shift,
        stops: tour.stops.iter().map(stop).collect(),
    };
    let unserved = |missing: &Unserved| UnservedData {
        area: missing.area,
        shift: missing.shift,
        wanted: missing.wanted,
        planned: missing.planned,
        why: Words::said(lang, &missing.why),
    };
    PatrolData {
        zone: plan.clock.zone.clone(),
        depot_of: plan.depot_of.clone(),
        areas: plan.areas.iter().map(|area| area.name.clone()).collect(),
        depots: plan.depots.iter().map(|depot| depot.name.clone()).collect(),
        shifts: plan.shifts.iter().map(shift).collect(),
        tours: plan.tours.iter().map(tour).collect(),
        unserved: plan.unserved.iter().map(unserved).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brasa_model::{Column, ColumnKind, Crs, DrawnBy, Feature, Layer, Provenance, Style, Value};
    use geo::{Geometry, Point};

    fn layer(name: &str) -> Layer {
        let geometry = Geometry::Point(Point::new(500_000.0, 500_000.0));
        Layer {
            name: name.to_owned(),
            title: "Sites".to_owned(),
            description: String::new(),
            crs: Crs::from_epsg(32618).unwrap(),
            columns: vec![Column::new("site", "Site", "", ColumnKind::Text)],
            features: vec![Feature { id: 1, geometry, values: vec![Value::Text("a".to_owned())] }],
            style: Style::of(DrawnBy::Alike),
            period: None,
            provenance: Provenance::new("plan sites", serde_json::Value::Null),
            notes: Vec::new(),
        }
    }

    #[test]
    fn exact_layers_stay_off_the_page_and_are_named() {
        let briefing = PlanBriefing {
            title: "t".to_owned(),
            attribution: String::new(),
            layers: vec![layer("sites"), layer("allocation")],
            listed: "sites",
            exact: vec!["allocation"],
            study_area: layer("study_area"),
            basemap: None,
            facts: Vec::new(),
            coverage: None,
            patrol: None,
            limits: vec!["The plan is about places, never persons."],
            provenance: Provenance::new("plan sites", serde_json::Value::Null),
            inputs: Vec::new(),
            notes: Vec::new(),
            command: String::new(),
        };
        let data = serde_json::to_value(data(&briefing, Lang::ES, None).unwrap()).unwrap();
        let names: Vec<_> = data["layers"].as_array().unwrap().iter().map(|layer| &layer["name"]).collect();
        assert_eq!(names, ["sites", "study_area"]);
        assert_eq!(data["plan"]["withheld"][0]["es"], "Sitios");
        assert_eq!(data["plan"]["limits"][0]["pt"], "O plano trata de lugares, nunca de pessoas.");
        assert!(data.get("hotspots").is_none());
    }
}
