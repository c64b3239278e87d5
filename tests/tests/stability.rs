//! The certificate of stability: what was planted comes back, the fainter the less, and chance is repeatable.

use brasa_engine::HotspotsParams;
use brasa_engine::hotspots::{Found, hotspots};
use brasa_model::Chance;
use brasa_model::Incidents;
use brasa_spatial_index::Watch;
use brasa_tests::incidents;
use geo::{Contains, Point};

const SIDE: f64 = 5000.0;
const CENTRES: [(f64, f64); 3] = [(1200.0, 1300.0), (3700.0, 1900.0), (2400.0, 3900.0)];

/// 1500 incidents anywhere in a square, and `planted` more around each centre, within 250 m.
fn world(seed: u64, planted: usize) -> Incidents {
    let mut chance = Chance::new(seed, 0);
    let mut places: Vec<(f64, f64)> =
        (0..1500).map(|_| (chance.share() * SIDE, chance.share() * SIDE)).collect();
    for (x, y) in CENTRES {
        let end = places.len() + planted;
        while places.len() < end {
            let (east, north) = (chance.share() * 500.0 - 250.0, chance.share() * 500.0 - 250.0);
            if east.hypot(north) <= 250.0 {
                places.push((x + east, y + north));
            }
        }
    }
    let (x, y) = places.into_iter().unzip();
    incidents(x, y, None, (0.0, 0.0, SIDE, SIDE))
}

fn found(world: &Incidents, replicates: u32, seed: u64) -> Found {
    let params = HotspotsParams { replicates, seed, ..HotspotsParams::default() };
    hotspots(world, &params, &Watch::NOBODY).unwrap()
}

fn stability(found: &Found) -> Vec<f64> {
    found.hotspots.iter().map(|hotspot| hotspot.stability.unwrap()).collect()
}

#[test]
fn what_was_planted_comes_back() {
    let found = found(&world(1, 120), 15, 1);
    for (x, y) in CENTRES {
        let hotspot = found.hotspots.iter().find(|hotspot| hotspot.outline.contains(&Point::new(x, y)));
        let stability = hotspot.unwrap().stability.unwrap();
        assert!((0.75..=1.0).contains(&stability), "{stability}");
    }
}

#[test]
fn what_chance_piles_up_is_seldom_found_at_all() {
    // Every hotspot of a world of complete randomness is a false alarm.
    let alarms = (0..48).filter(|&seed| !found(&world(seed, 0), 0, 1).hotspots.is_empty()).count();
    // One world of twenty, and three standard errors.
    assert!(alarms <= 6, "{alarms} of 48");
}

#[test]
fn the_fainter_the_less_it_comes_back() {
    let mean = |planted: usize| {
        let all: Vec<f64> =
            (0..12).flat_map(|seed| stability(&found(&world(seed, planted), 15, 1))).collect();
        assert!(all.len() >= 10, "{planted} planted: {} found", all.len());
        all.iter().sum::<f64>() / all.len() as f64
    };
    let (faint, plain) = (mean(25), mean(120));
    assert!(faint < 0.6 && plain > 0.8, "{faint} {plain}");
}

#[test]
fn another_seed_changes_little_and_the_same_one_nothing() {
    let world = world(2, 120);
    let [one, again, other] = [1, 1, 99].map(|seed| stability(&found(&world, 15, seed)));
    assert_eq!(one, again);
    assert_ne!(one, other);
    for (one, other) in one.iter().zip(&other) {
        // A mean of 15 shares: its standard deviation is at most 0.5 / √15 = 0.13, that of a difference 0.18.
        assert!((one - other).abs() < 0.36, "{one} {other}");
    }
}

#[test]
fn the_same_bits_on_any_number_of_threads_and_in_any_order_of_rows() {
    let world = world(3, 60);
    let bits = |world: &Incidents, threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let found = pool.install(|| found(world, 4, 1));
        (stability(&found), found.layer.provenance.parameters["stability"].clone())
    };
    let mut reversed = world.clone();
    reversed.x.reverse();
    reversed.y.reverse();
    let one = bits(&world, 1);
    assert!(!one.0.is_empty());
    for threads in [2, 5] {
        assert_eq!(one, bits(&world, threads));
    }
    assert_eq!(one, bits(&reversed, 2));
}

#[test]
fn without_replicates_there_is_none_and_that_is_said() {
    let found = found(&world(1, 120), 0, 1);
    assert!(!found.hotspots.is_empty());
    assert!(found.hotspots.iter().all(|hotspot| hotspot.stability.is_none()));
    assert!(found.layer.columns.iter().all(|column| column.name != "stability"));
    assert!(found.layer.provenance.parameters.get("stability").is_none());
    assert_eq!(found.layer.provenance.seed, None);
    assert!(found.notes.iter().any(|note| note.code == "no_stability"));
}

#[test]
fn the_table_has_each_change_and_all_together() {
    let found = found(&world(1, 120), 5, 7);
    let record = &found.layer.provenance.parameters["stability"];
    assert_eq!(record["seed"], 7);
    let rows = record["overlaps"].as_array().unwrap();
    let words: Vec<&str> = rows.iter().map(|row| row["change"].as_str().unwrap()).collect();
    assert_eq!(words, ["origin", "cell", "bandwidth", "incidents", "all"]);
    for row in rows {
        let [mean, least] = ["jaccard_mean", "jaccard_least"].map(|key| row[key].as_f64().unwrap());
        assert!(0.0 <= least && least <= mean && mean <= 1.0, "{row}");
    }
    assert_eq!((&rows[0]["replicates"], &rows[4]["replicates"]), (&2.into(), &5.into()));
}

#[test]
fn nobody_who_waits_ends_the_replicates() {
    let observer = |step: brasa_spatial_index::watch::Step| {
        if step.phase == "replicates" {
            std::ops::ControlFlow::Break(())
        } else {
            std::ops::ControlFlow::Continue(())
        }
    };
    let params = HotspotsParams::default();
    let ended = hotspots(&world(1, 120), &params, &Watch::new(&observer)).err();
    assert_eq!(ended, Some(brasa_spatial_index::AnalysisError::Interrupted));
}
