//! What a map, a page and a project are made of: the hotspots, with everything needed to judge them. Here it is only counted;
//! what the counts mean is settled in `hotspots.rs`, how they look in `export`.

use brasa_export::Lang;
use brasa_ingest::{Basemap, Ingested};
use brasa_model::{
    Briefing, Column, ColumnKind, Curve, Feature, Incidents, Interval, Layer, Note, Scale, Step, Stretch,
    Style, Timing, Trend, Value, Week,
};
use brasa_spatial_index::methods::pattern::concentration::{ConcentrationParams, Places, concentration};
use brasa_spatial_index::{AnalysisError, CellSize, Watch};

use crate::hotspots::Found;
use crate::{MapOptions, layers};

/// A line of more stretches than this is noise, and a slider of them nobody moves.
const MOST_STRETCHES: usize = 60;
/// A stretch is too fine where so many of the incidents do not fit into one, as a month does not fit into a week.
const MOST_UNDECIDED: f64 = 0.05;

/// Everything there is to tell. `notes` are those of reading and of the hotspots.
pub(crate) fn briefing(
    input: &Ingested,
    found: Found,
    basemap: Option<Basemap>,
    options: &MapOptions,
    (command, notes): (&str, Vec<Note>),
    watch: &Watch,
) -> Result<Briefing, AnalysisError> {
    let incidents = &input.incidents;
    let (crs, period) = (&incidents.crs, found.layer.period);
    let classes = options.classes;
    let hotspots = Layer { notes: notes.clone(), ..classed(found.layer, options) };
    let zones = layers::local_stats(&found.zones, crs, period, layers::telling_zones(&found.zones));
    let study_area = layers::study_area(&incidents.window, &hotspots);
    let trend = trend(incidents, &found.hotspot_of, found.hotspots.len());
    let over_time =
        trend.as_ref().filter(|_| !found.hotspots.is_empty()).map(|trend| over_time(trend, &hotspots));
    let mut density = found.density;
    density.notes.clone_from(&notes);
    let mut inputs = input.inputs.clone();
    inputs.extend(basemap.as_ref().map(|basemap| basemap.record.clone()));
    let basemap = basemap.map(|basemap| layers::basemap(basemap.shapes, &study_area));
    let concentration = concentration_of(incidents, found.cell, watch)?;
    let mut briefing = Briefing {
        title: options.title.clone().unwrap_or_else(|| title(input, options.lang.unwrap_or_default())),
        attribution: options.attribution.clone().unwrap_or_default(),
        week: week(incidents, &found.hotspot_of, found.hotspots.len()),
        hotspots,
        zones,
        study_area,
        over_time: over_time.map(|layer| Layer { style: layer.style.clone().classed(classes), ..layer }),
        density,
        trend,
        concentration,
        basemap,
        inputs,
        notes,
        command: command.to_owned(),
    };
    let Briefing { hotspots, zones, study_area, over_time, inputs, .. } = &mut briefing;
    for layer in [Some(hotspots), Some(zones), Some(study_area), over_time.as_mut()].into_iter().flatten() {
        layer.provenance.inputs.clone_from(inputs);
    }
    briefing.density.provenance.inputs.clone_from(&briefing.inputs);
    Ok(briefing)
}

fn classed(layer: Layer, options: &MapOptions) -> Layer {
    Layer { style: layer.style.clone().classed(options.classes), ..layer }
}

/// `Hotspots: incidentes.csv`.
fn title(input: &Ingested, lang: Lang) -> String {
    let names: Vec<&str> =
        input.inputs.iter().filter(|input| input.rows.is_some()).map(|input| input.name.as_str()).collect();
    let hotspots = lang.say("Hotspots");
    match names.as_slice() {
        [name] => format!("{hotspots}: {name}"),
        names => format!("{hotspots}: {} {}", names.len(), lang.say("files")),
    }
}

/// How much of the area holds how many incidents, in the zones of the hotspots.
fn concentration_of(
    incidents: &Incidents,
    cell: brasa_model::Metres,
    watch: &Watch,
) -> Result<Curve, AnalysisError> {
    let params = ConcentrationParams {
        places: Some(Places::Cells),
        counted: CellSize::Length(cell).into(),
        ..ConcentrationParams::default()
    };
    concentration(incidents, &params, watch)
}

/// Incidents per stretch of time; `None` where no time is known. A stretch is the finest of which there are not too many, and
/// into which nearly all incidents fit whole.
fn trend(incidents: &Incidents, hotspot_of: &[Option<u32>], hotspots: usize) -> Option<Trend> {
    let times = incidents.times.as_ref()?;
    let period = times.extent()?;
    let fits = |step: Step, time: &Interval| time.end <= step.around(time.start).end;
    let known = || times.intervals().iter().flatten();
    let total = known().count() as f64;
    let serves = |step: &Step| {
        let undecided = known().filter(|time| !fits(*step, time)).count() as f64;
        undecided <= MOST_UNDECIDED * total && stretches(*step, period).len() <= MOST_STRETCHES
    };
    let step = Step::ALL.into_iter().find(serves).unwrap_or(Step::Year);
    // The data may cover a little more than from its first to its last incident: chance leaves three times the mean gap
    // empty in one case of twenty.
    let slack = (3.0 * (period.end.0 - period.start.0) as f64 / total) as i64;
    let slack = slack.max(86_400);
    let mut stretches: Vec<Stretch> = stretches(step, period)
        .into_iter()
        .map(|interval| Stretch {
            interval,
            is_whole: interval.start.0 >= period.start.0 - slack && interval.end.0 <= period.end.0 + slack,
            incidents: 0,
            by_hotspot: vec![0; hotspots],
        })
        .collect();
    let mut undecided = 0;
    for (time, hotspot) in times.intervals().iter().zip(hotspot_of) {
        let Some(time) = time.filter(|time| fits(step, time)) else {
            undecided += 1;
            continue;
        };
        let at = stretches.partition_point(|stretch| stretch.interval.end <= time.start);
        if let Some(stretch) = stretches.get_mut(at) {
            stretch.incidents += 1;
            if let Some(hotspot) = hotspot {
                stretch.by_hotspot[*hotspot as usize] += 1;
            }
        }
    }
    Some(Trend { step, stretches, undecided })
}

/// The stretches that cover a period; as soon as there are too many, no more.
fn stretches(step: Step, period: Interval) -> Vec<Interval> {
    let first = step.around(period.start);
    let next = |stretch: &Interval| Some(step.around(stretch.end)).filter(|next| next.start < period.end);
    std::iter::successors(Some(first), next)
        .take(if step == Step::Year { usize::MAX } else { MOST_STRETCHES + 1 })
        .collect()
}

/// One feature per hotspot and stretch of time.
fn over_time(trend: &Trend, hotspots: &Layer) -> Layer {
    use ColumnKind::{Integer, Time};
    let count = hotspots.features.len();
    let features = trend.stretches.iter().enumerate().flat_map(|(at, stretch)| {
        hotspots.features.iter().zip(&stretch.by_hotspot).enumerate().map(
            move |(number, (hotspot, incidents))| Feature {
                id: (at * count + number) as i64 + 1,
                geometry: hotspot.geometry.clone(),
                values: vec![
                    Value::Integer(hotspot.id),
                    Value::Integer(*incidents as i64),
                    Value::Time(stretch.interval.start),
                    Value::Time(stretch.interval.end),
                ],
            },
        )
    });
    Layer {
        name: "hotspots_over_time".to_owned(),
        title: format!("Hotspots by {}", trend.step.word()),
        description: format!(
            "Incidents in each hotspot by {}. Hotspots were drawn from the whole period: one that is quiet in a {0} is not gone, and counts this small go up and down by chance.",
            trend.step.word()
        ),
        columns: vec![
            Column::new("rank", "Rank of the hotspot", "", Integer),
            Column::new("incidents", "Incidents", "incidents", Integer),
            Column::new("start", "From", "", Time),
            Column::new("end", "To", "", Time),
        ],
        features: features.collect(),
        style: Style::number("incidents", Scale::Sequential).labelled("incidents"),
        notes: Vec::new(),
        ..hotspots.clone()
    }
}

/// Incidents by hour of the week; `None` where no hour is known.
fn week(incidents: &Incidents, hotspot_of: &[Option<u32>], hotspots: usize) -> Option<Week> {
    let times = incidents.times.as_ref()?.intervals();
    let mut all = Timing::default();
    let mut by_hotspot = vec![Timing::default(); hotspots];
    for (time, hotspot) in times.iter().zip(hotspot_of) {
        all.add(*time);
        if let Some(hotspot) = hotspot {
            by_hotspot[*hotspot as usize].add(*time);
        }
    }
    let quiet = [[0.0; 24]; 7];
    let by_hotspot = by_hotspot.iter().map(|timing| timing.week().unwrap_or(quiet)).collect();
    Some(Week { all: all.week()?, by_hotspot, known: all.known() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use brasa_model::Civil;

    fn day(year: i32, month: u8, day: u8) -> Civil {
        Civil::new(year, month, day, 0).unwrap()
    }

    #[test]
    fn a_period_is_covered_without_gaps_by_no_more_than_can_be_looked_at() {
        let period = Interval { start: day(2023, 2, 10), end: day(2024, 3, 1) };
        let months = stretches(Step::Month, period);
        assert_eq!(months.len(), 13);
        assert_eq!((months[0].start, months[12].end), (day(2023, 2, 1), day(2024, 3, 1)));
        assert_eq!(stretches(Step::Day, period).len(), MOST_STRETCHES + 1);
        assert_eq!(
            stretches(Step::Year, Interval { start: day(1900, 1, 1), end: day(2020, 1, 1) }).len(),
            120
        );
    }
}
