//! Shifts on the clocks of a place, across midnight and across a change of clocks.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::num::NonZeroU32;

use brasa_planning::shifts::{Day, Roster, ShiftTimes, roster};
use proptest::prelude::*;

fn shifts(times: &str, from: &str, days: u32, zone: &str) -> Roster {
    let times: ShiftTimes = times.parse().unwrap();
    roster(&times, from.parse().unwrap(), NonZeroU32::new(days).unwrap(), zone).unwrap()
}

fn hours(roster: &Roster) -> Vec<f64> {
    roster.shifts.iter().map(|shift| (shift.end - shift.start) as f64 / 3600.0).collect()
}

fn codes(roster: &Roster) -> Vec<&str> {
    roster.notes.iter().map(|note| note.code.as_str()).collect()
}

#[test]
fn a_shift_is_read_as_people_write_it() {
    for (text, written) in [
        ("16:00-24:00", "16:00-24:00"),
        (" 6-14 , 14:00 - 22:00,22-06", "06:00-14:00,14:00-22:00,22:00-06:00"),
        ("22:30–06:15", "22:30-06:15"),
        ("00:00-08:00", "00:00-08:00"),
        ("16:00-00:00", "16:00-24:00"),
    ] {
        let times: ShiftTimes = text.parse().unwrap();
        assert_eq!(times.to_string(), written);
        assert_eq!(written.parse::<ShiftTimes>().unwrap(), times);
        let json = serde_json::to_string(&times).unwrap();
        assert_eq!(serde_json::from_str::<ShiftTimes>(&json).unwrap(), times);
    }
    let length = |text: &str| text.parse::<ShiftTimes>().unwrap().as_slice()[0].length() / 3600;
    assert_eq!((length("22:00-06:00"), length("16:00-24:00"), length("16:00-00:00")), (8, 8, 8));
}

#[test]
fn nonsense_is_refused_with_advice() {
    for (text, advice) in [
        ("", "such as 16:00-24:00"),
        ("16:00", "such as 16:00-24:00"),
        ("16:00-25:00", "such as 16:00-24:00"),
        ("16:60-18:00", "such as 16:00-24:00"),
        ("24:30-25:00", "such as 16:00-24:00"),
        ("4pm-midnight", "such as 16:00-24:00"),
        ("24:00-06:00", "begins at 00:00"),
        ("07:00-07:00", "07:00-19:00,19:00-07:00"),
        ("00:00-24:00", "07:00-19:00,19:00-07:00"),
        ("16:00-24:00,16:00-24:00", "--units"),
    ] {
        let error = text.parse::<ShiftTimes>().unwrap_err();
        assert!(error.contains(advice), "{text}: {error}");
    }
    for text in ["2026-02-30", "26-12-01", "2026/12/01", "2026-12-01-05", "+026-12-01", ""] {
        assert!(text.parse::<Day>().is_err(), "{text}");
    }
    let times: ShiftTimes = "16:00-24:00".parse().unwrap();
    let day: Day = "2026-12-01".parse().unwrap();
    let error = roster(&times, day, NonZeroU32::MIN, "Bogota").unwrap_err().to_string();
    assert!(error.contains("America/Bogota"), "{error}");
    assert!(roster(&times, day, NonZeroU32::new(367).unwrap(), "UTC").is_err());
    assert!(roster(&times, "9999-12-31".parse().unwrap(), NonZeroU32::new(9).unwrap(), "UTC").is_err());
}

#[test]
fn shifts_are_instants_in_the_order_of_time() {
    let found = shifts("22:00-06:00,16:00-24:00", "2026-12-31", 2, "America/Bogota");
    // 2026-12-31T16:00-05:00.
    assert_eq!(found.shifts[0].start, 1_798_750_800);
    let names: Vec<&str> = found.shifts.iter().map(|shift| shift.name.as_str()).collect();
    assert_eq!(names, ["16:00-24:00", "22:00-06:00", "16:00-24:00", "22:00-06:00"]);
    assert_eq!((hours(&found), codes(&found)), (vec![8.0; 4], vec![]));
    assert_eq!((found.clock.offsets.len(), found.clock.offsets[0].seconds), (1, -18_000));
    assert_eq!(found.clock.civil(found.shifts[1].end).to_string(), "2027-01-01T06:00:00");
}

#[test]
fn a_night_in_which_clocks_are_changed_is_seven_or_nine_hours_long() {
    // Spain puts its clocks forward at 02:00 on 29 March and back at 03:00 on 25 October 2026.
    let spring = shifts("22:00-06:00", "2026-03-27", 3, "Europe/Madrid");
    assert_eq!((hours(&spring), codes(&spring)), (vec![8.0, 7.0, 8.0], vec!["shift_across_clock_change"]));
    let offsets: Vec<i32> = spring.clock.offsets.iter().map(|offset| offset.seconds).collect();
    assert_eq!(offsets, [3600, 7200]);
    assert_eq!(spring.clock.offsets[1].abbreviation, "CEST");
    for shift in &spring.shifts {
        assert_eq!(spring.clock.civil(shift.start).second_of_day(), 22 * 3600);
        assert_eq!(spring.clock.civil(shift.end).second_of_day(), 6 * 3600);
    }
    let autumn = shifts("22:00-06:00", "2026-10-24", 1, "Europe/Madrid");
    assert_eq!(hours(&autumn), [9.0]);
    // Chile changes at midnight: the night of 4 April 2026 is nine hours long.
    assert_eq!(hours(&shifts("22:00-06:00", "2026-04-04", 1, "America/Santiago")), [9.0]);
}

#[test]
fn a_begin_that_is_skipped_or_shown_twice_is_settled_and_announced() {
    let skipped = shifts("02:30-10:30", "2026-03-29", 1, "Europe/Madrid");
    assert_eq!(
        (hours(&skipped), skipped.clock.civil(skipped.shifts[0].start).second_of_day()),
        (vec![7.0], 12_600)
    );
    assert_eq!(codes(&skipped), ["shift_time_skipped", "shift_across_clock_change"]);
    let twice = shifts("02:30-10:30", "2026-10-25", 1, "Europe/Madrid");
    assert_eq!((hours(&twice), codes(&twice)[0]), (vec![9.0], "shift_time_repeated"));
    // 02:00 and 02:59 are both skipped.
    let gone = shifts("02:00-03:00", "2026-03-29", 2, "Europe/Madrid");
    assert_eq!((hours(&gone), codes(&gone)[1]), (vec![1.0], "shift_left_out"));
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,24}") {
        let _ = text.parse::<ShiftTimes>();
        let _ = text.parse::<Day>();
    }

    #[test]
    fn what_is_written_reads_back(start in 0_u32..1440, length in 1_u32..1440) {
        let clock = |minute: u32| format!("{:02}:{:02}", minute / 60, minute % 60);
        let end = if start + length > 1440 { start + length - 1440 } else { start + length };
        let text = format!("{}-{}", clock(start), clock(end));
        let times: ShiftTimes = text.parse().unwrap();
        prop_assert_eq!(times.as_slice()[0].length(), length * 60);
        prop_assert_eq!(times.to_string(), text);
    }
}
