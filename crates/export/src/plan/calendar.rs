//! The tours of one unit as a calendar: iCalendar, RFC 5545.
//!
//! No clock is read, so the stamp of an event is the begin of the plan. Times are those of the place with its zone beside them, written
//! out as far as the plan goes; the second of two hours that a change of clocks shows twice is written in UTC, for the zone's name means
//! the first.

use std::fmt::Write as _;

use brasa_model::{Clock, Doing, PatrolPlan, PlanBriefing, Tour};
use sha2::{Digest, Sha256};

use super::{Places, said};
use crate::Lang;

/// A line holds no more bytes; a longer one goes on in the next.
const MOST_BYTES: usize = 75;

pub(super) fn of_unit(
    briefing: &PlanBriefing,
    plan: &PatrolPlan,
    places: &Places,
    unit: usize,
    lang: Lang,
) -> String {
    let mut out = String::new();
    let called = format!("{} {}", lang.say("Unit"), unit + 1);
    line(&mut out, "BEGIN:VCALENDAR");
    line(&mut out, "VERSION:2.0");
    line(&mut out, &format!("PRODID:-//brasa//{}//EN", briefing.provenance.version));
    line(&mut out, "CALSCALE:GREGORIAN");
    line(&mut out, "METHOD:PUBLISH");
    line(&mut out, &format!("X-WR-CALNAME:{}", text(&format!("{called}: {}", briefing.title))));
    line(&mut out, &format!("X-WR-TIMEZONE:{}", plan.clock.zone));
    zone(&mut out, &plan.clock);
    let stamp = plan.shifts.first().map_or(0, |shift| shift.start);
    for tour in plan.tours.iter().filter(|tour| tour.unit == unit) {
        for (at, stop) in tour.stops.iter().enumerate() {
            if !matches!(stop.doing, Doing::Visit(_) | Doing::Break) {
                continue;
            }
            line(&mut out, "BEGIN:VEVENT");
            line(&mut out, &format!("UID:{}", identity(briefing, plan, tour, at)));
            line(&mut out, &format!("DTSTAMP:{}Z", digits(brasa_model::Civil(stamp))));
            line(&mut out, &format!("DTSTART{}", moment(&plan.clock, stop.begin)));
            line(&mut out, &format!("DURATION:PT{}M", (stop.leave - stop.begin).max(0) / 60));
            let what = said(plan, tour, stop, lang);
            line(&mut out, &format!("SUMMARY:{}", text(&format!("{called}: {what}"))));
            if let Some(place) = places.at(plan, tour, at).filter(|place| place.x.is_finite()) {
                line(&mut out, &format!("GEO:{:.6};{:.6}", place.y, place.x));
            }
            if matches!(stop.doing, Doing::Visit(_)) {
                line(&mut out, &format!("LOCATION:{}", text(&what)));
            }
            line(&mut out, "CLASS:CONFIDENTIAL");
            line(&mut out, "END:VEVENT");
        }
    }
    line(&mut out, "END:VCALENDAR");
    out
}

/// The same for the same stop of the same plan.
fn identity(briefing: &PlanBriefing, plan: &PatrolPlan, tour: &Tour, stop: usize) -> String {
    let mut hash = Sha256::new();
    hash.update(briefing.provenance.parameters.to_string());
    for input in &briefing.inputs {
        hash.update(&input.sha256);
    }
    let start = plan.shifts.get(tour.shift).map_or(0, |shift| shift.start);
    hash.update(format!("{}|{start}|{stop}", tour.unit));
    let digest = hash.finalize();
    let mut name = String::with_capacity(40);
    for byte in &digest[..16] {
        let _ = write!(name, "{byte:02x}");
    }
    name + "@brasa"
}

/// The zone, as far as the plan goes: each stretch begins on the clocks that went before it.
fn zone(out: &mut String, clock: &Clock) {
    line(out, "BEGIN:VTIMEZONE");
    line(out, &format!("TZID:{}", clock.zone));
    for (at, offset) in clock.offsets.iter().enumerate() {
        let before = if at == 0 { offset } else { &clock.offsets[at - 1] };
        let kind = if offset.seconds > before.seconds { "DAYLIGHT" } else { "STANDARD" };
        line(out, &format!("BEGIN:{kind}"));
        let start = if at == 0 {
            "19700101T000000".to_owned()
        } else {
            digits(brasa_model::Civil(offset.from + i64::from(before.seconds)))
        };
        line(out, &format!("DTSTART:{start}"));
        line(out, &format!("TZOFFSETFROM:{}", utc_offset(before.seconds)));
        line(out, &format!("TZOFFSETTO:{}", utc_offset(offset.seconds)));
        line(out, &format!("TZNAME:{}", text(&offset.abbreviation)));
        line(out, &format!("END:{kind}"));
    }
    line(out, "END:VTIMEZONE");
}

/// `;TZID=America/Bogota:20261201T160500`, or `:20261201T210500Z` where the clocks show that hour for the second time.
fn moment(clock: &Clock, instant: i64) -> String {
    let civil = clock.civil(instant);
    let offset = |at: i64| clock.offset(at).map_or(0, |offset| i64::from(offset.seconds));
    let shown_before = clock.offsets.windows(2).any(|pair| {
        let (before, after) = (i64::from(pair[0].seconds), i64::from(pair[1].seconds));
        before > after && instant >= pair[1].from && instant < pair[1].from + (before - after)
    });
    if shown_before {
        return format!(":{}Z", digits(brasa_model::Civil(civil.0 - offset(instant))));
    }
    format!(";TZID={}:{}", clock.zone, digits(civil))
}

/// `20261201T160500`.
fn digits(at: brasa_model::Civil) -> String {
    at.to_string().replace(['-', ':'], "")
}

/// `-0300`, with seconds where there are some.
fn utc_offset(seconds: i32) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let size = seconds.unsigned_abs();
    let rest = if size.is_multiple_of(60) { String::new() } else { format!("{:02}", size % 60) };
    format!("{sign}{:02}{:02}{rest}", size / 3600, size / 60 % 60)
}

/// A text as a value: what would end it is escaped, what is no text is left out.
fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' | ';' | ',' => {
                out.push('\\');
                out.push(letter);
            }
            '\n' => out.push_str("\\n"),
            letter if letter.is_control() => {}
            letter => out.push(letter),
        }
    }
    out
}

/// A line that is folded where it is too long, never inside a letter, and ends as mail does.
fn line(out: &mut String, content: &str) {
    let mut room = MOST_BYTES;
    for letter in content.chars() {
        if letter.len_utf8() > room {
            out.push_str("\r\n ");
            room = MOST_BYTES - 1;
        }
        room -= letter.len_utf8();
        out.push(letter);
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use brasa_model::Offset;

    /// The clocks of Santiago around the end of summer 2026: the hour from 23 to 24 on 4 April is shown twice.
    fn santiago() -> Clock {
        let offset = |from, seconds, abbreviation: &str| Offset {
            from,
            seconds,
            abbreviation: abbreviation.to_owned(),
        };
        Clock {
            zone: "America/Santiago".to_owned(),
            offsets: vec![offset(i64::MIN, -10_800, "-03"), offset(1_775_358_000, -14_400, "-04")],
        }
    }

    #[test]
    fn a_repeated_hour_is_told_apart() {
        let clock = santiago();
        let change = 1_775_358_000;
        assert_eq!(moment(&clock, change - 1800), ";TZID=America/Santiago:20260404T233000");
        assert_eq!(moment(&clock, change + 1800), ":20260405T033000Z");
        assert_eq!(moment(&clock, change + 3600), ";TZID=America/Santiago:20260405T000000");
    }

    #[test]
    fn lines_are_folded_between_letters_and_values_end_where_they_should() {
        let mut out = String::new();
        line(&mut out, &format!("SUMMARY:{}", text(&format!("{}; a,b\nc\u{7}", "ñ".repeat(60)))));
        assert!(out.split("\r\n").all(|line| line.len() <= MOST_BYTES), "{out:?}");
        let unfolded = out.replace("\r\n ", "");
        assert_eq!(unfolded, format!("SUMMARY:{}\\; a\\,b\\nc\r\n", "ñ".repeat(60)));
    }

    #[test]
    fn offsets_are_written_as_the_standard_wants() {
        assert_eq!(
            (utc_offset(-10_800), utc_offset(20_700), utc_offset(-2670)),
            ("-0300".into(), "+0545".into(), "-004430".into())
        );
    }
}
