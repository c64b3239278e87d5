//! The visits as a table: one row each, in the order of the tours.

use std::path::Path;

use brasa_model::{Doing, PatrolPlan};

use super::{Places, with_offset};
use crate::ExportError;
use crate::tables::{safe, table};

pub(super) fn write(plan: &PatrolPlan, places: &Places, path: &Path) -> Result<(), ExportError> {
    table(path, |table| {
        table.write_record([
            "shift", "unit", "order", "area", "name", "arrive", "begin", "leave", "minutes", "metres", "lon",
            "lat",
        ])?;
        for tour in &plan.tours {
            let shift = plan.shifts.get(tour.shift).map(|shift| shift.name.as_str()).unwrap_or_default();
            let mut order = 0;
            for (at, stop) in tour.stops.iter().enumerate() {
                let Doing::Visit(area) = stop.doing else { continue };
                order += 1;
                let name = plan.areas.get(area).map(|area| area.name.as_str()).unwrap_or_default();
                let place = places.at(plan, tour, at).filter(|place| place.x.is_finite());
                let degrees =
                    |value: Option<f64>| value.map(|value| format!("{value:.6}")).unwrap_or_default();
                table.write_record([
                    &*safe(shift),
                    &(tour.unit + 1).to_string(),
                    &order.to_string(),
                    &(area + 1).to_string(),
                    &*safe(name),
                    &with_offset(&plan.clock, stop.arrive),
                    &with_offset(&plan.clock, stop.begin),
                    &with_offset(&plan.clock, stop.leave),
                    &((stop.leave - stop.begin) / 60).to_string(),
                    &format!("{:.0}", stop.metres),
                    &degrees(place.map(|place| place.x)),
                    &degrees(place.map(|place| place.y)),
                ])?;
            }
        }
        Ok(())
    })
}
