//! All of a plan as one object. Whoever checks it needs nothing else: it holds the rules, the wishes and every stop, with places in
//! degrees and in the metres that were reckoned in. Instants are seconds since 1970-01-01T00:00:00 UTC.

use brasa_model::{Curve, Doing, Layer, PatrolPlan, PlanBriefing, Value as Cell};
use serde_json::{Map, Value, json};

use super::{Places, with_offset};
use crate::ExportError;

pub(super) fn of(briefing: &PlanBriefing) -> Result<Value, ExportError> {
    let made = &briefing.provenance;
    let facts: Vec<Value> =
        briefing.facts.iter().map(|fact| json!({ "figure": fact.figure, "text": fact.text })).collect();
    let mut object = json!({
        "plan": made.method,
        "title": briefing.title,
        "tool": made.tool,
        "version": made.version,
        "command": briefing.command,
        "seed": made.seed,
        "parameters": made.parameters,
        "crs": briefing.study_area.crs.code(),
        "facts": facts,
        "limits": briefing.limits,
    });
    let listed = briefing.layers.iter().find(|layer| layer.name == briefing.listed);
    if let Some(layer) = listed {
        object[briefing.listed] = rows(layer);
    }
    if let Some(curve) = &briefing.coverage {
        object["coverage"] = columns(curve);
    }
    if let Some(plan) = &briefing.patrol {
        object["schedule"] = schedule(plan, &Places::of(plan, &briefing.study_area.crs)?);
    }
    object["notes"] = json!(briefing.notes);
    object["inputs"] = json!(briefing.inputs);
    Ok(object)
}

/// The features of a layer without their shapes.
fn rows(layer: &Layer) -> Value {
    let row = |values: &[Cell]| -> Value {
        let pairs = layer.columns.iter().zip(values).map(|(column, value)| {
            let value = match value {
                Cell::Null => Value::Null,
                Cell::Integer(value) => json!(value),
                Cell::Real(value) => json!(value),
                Cell::Text(text) => json!(text),
                Cell::Time(time) => json!(time.to_string()),
            };
            (column.name.to_owned(), value)
        });
        Value::Object(pairs.collect::<Map<_, _>>())
    };
    layer.features.iter().map(|feature| row(&feature.values)).collect()
}

fn columns(curve: &Curve) -> Value {
    let mut columns = Map::new();
    columns.insert(curve.x.name.to_string(), json!(curve.x.values));
    for series in &curve.y {
        columns.insert(series.name.to_string(), json!(series.values));
    }
    Value::Object(columns)
}

fn schedule(plan: &PatrolPlan, places: &Places) -> Value {
    let clock = &plan.clock;
    let offset = |offset: &brasa_model::Offset| json!({ "from": offset.from, "seconds": offset.seconds, "abbreviation": offset.abbreviation });
    let shift = |shift: &brasa_model::Shift| {
        json!({
            "name": shift.name, "start": shift.start, "end": shift.end,
            "start_local": with_offset(clock, shift.start), "end_local": with_offset(clock, shift.end),
        })
    };
    let depot = |(depot, at): (&brasa_model::Depot, &geo::Coord<f64>)| json!({ "name": depot.name, "x": depot.at.x, "y": depot.at.y, "lon": at.x, "lat": at.y });
    let area = |(number, (area, at)): (usize, (&brasa_model::PlanArea, &geo::Coord<f64>))| {
        let wanted: Vec<u32> =
            plan.wanted.iter().map(|shift| shift.get(number).copied().unwrap_or(0)).collect();
        json!({
            "area": number, "name": area.name, "value": area.value, "x": area.at.x, "y": area.at.y,
            "lon": at.x, "lat": at.y, "wanted": wanted,
        })
    };
    let stop = |stop: &brasa_model::Stop| {
        let (doing, area) = match stop.doing {
            Doing::Start => ("start", None),
            Doing::Visit(area) => ("visit", Some(area)),
            Doing::Break => ("break", None),
            Doing::End => ("end", None),
        };
        json!({
            "doing": doing, "area": area, "arrive": stop.arrive, "begin": stop.begin, "leave": stop.leave,
            "begin_local": with_offset(clock, stop.begin), "metres": stop.metres,
        })
    };
    let tour = |tour: &brasa_model::Tour| json!({ "unit": tour.unit, "shift": tour.shift, "stops": tour.stops.iter().map(stop).collect::<Vec<_>>() });
    let unserved = |missing: &brasa_model::Unserved| {
        json!({
            "area": missing.area, "shift": missing.shift, "wanted": missing.wanted,
            "planned": missing.planned, "why": missing.why,
        })
    };
    let rest = |rest: &brasa_model::Rest| json!({ "length": rest.length, "from": rest.from, "until": rest.until, "owed_from": rest.owed_from });
    json!({
        "zone": clock.zone,
        "offsets": clock.offsets.iter().map(offset).collect::<Vec<_>>(),
        "dose": plan.dose,
        "spacing": plan.spacing,
        "rest": plan.rest.as_ref().map(rest),
        "depots": plan.depots.iter().zip(&places.depots).map(depot).collect::<Vec<_>>(),
        "depot_of": plan.depot_of,
        "shifts": plan.shifts.iter().map(shift).collect::<Vec<_>>(),
        "areas": plan.areas.iter().zip(&places.areas).enumerate().map(area).collect::<Vec<_>>(),
        "tours": plan.tours.iter().map(tour).collect::<Vec<_>>(),
        "unserved": plan.unserved.iter().map(unserved).collect::<Vec<_>>(),
    })
}
