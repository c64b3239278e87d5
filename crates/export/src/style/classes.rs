//! Numbers cut into classes.
//!
//! A class holds what is above its lower and at most at its upper bound; the first holds its lower bound too, and may hold
//! nothing else. Two classes never share a value.

use brasa_model::{ClassRule, Classes};

/// A head larger than this share of its whole is no head any more (Jiang 2013, doi:10.1080/00330124.2012.700499).
const HEAD: f64 = 0.4;

/// The bounds of the classes, ascending: one more than there are classes. Empty where there is no finite value, two alike where
/// all are.
pub(crate) fn bounds(values: &[f64], classes: Classes) -> Vec<f64> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let (Some(&lowest), Some(&highest)) = (sorted.first(), sorted.last()) else { return Vec::new() };
    if lowest == highest {
        return vec![lowest, highest];
    }
    let most = usize::from(classes.most);
    let between = match classes.rule {
        ClassRule::Equal => equal(lowest, highest, most),
        ClassRule::Quantile => quantile(&sorted, most),
        ClassRule::StandardDeviation => standard_deviation(&sorted, most),
        ClassRule::HeadTail => head_tail(&sorted, most),
        ClassRule::Jenks => jenks(&sorted, most),
    };
    let mut bounds = vec![lowest];
    bounds.extend(between.into_iter().filter(|bound| *bound >= lowest && *bound < highest));
    bounds.push(highest);
    // Classes of a set width keep it; of the others one without a value says nothing, and joins the next.
    if matches!(classes.rule, ClassRule::Equal | ClassRule::StandardDeviation) {
        return bounds;
    }
    let below = |bound: f64| sorted.partition_point(|value| *value <= bound);
    let (mut kept, mut held) = (vec![lowest], 0);
    for &bound in &bounds[1..] {
        if below(bound) > held {
            held = below(bound);
            kept.push(bound);
        }
    }
    kept
}

/// Bounds at the same distance.
fn equal(lowest: f64, highest: f64, most: usize) -> Vec<f64> {
    let part = |at: usize| at as f64 / most as f64;
    (1..most).map(|at| lowest * (1.0 - part(at)) + highest * part(at)).collect()
}

/// As many values in each class, as far as equal values allow it: between two neighbours the bound is linear (type 7 of
/// Hyndman & Fan 1996, doi:10.2307/2684934).
fn quantile(sorted: &[f64], most: usize) -> Vec<f64> {
    let at = |share: f64| {
        let place = share * (sorted.len() - 1) as f64;
        let (below, part) = (place.floor() as usize, place.fract());
        let above = (below + 1).min(sorted.len() - 1);
        sorted[below] * (1.0 - part) + sorted[above] * part
    };
    (1..most).map(|number| at(number as f64 / most as f64)).collect()
}

/// Bounds one standard deviation apart, so that the mean lies in the middle of a class where their number is odd and between
/// two where it is even.
fn standard_deviation(sorted: &[f64], most: usize) -> Vec<f64> {
    let count = sorted.len() as f64;
    let mean = sorted.iter().sum::<f64>() / count;
    let deviation = (sorted.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt();
    let middle = most as f64 / 2.0;
    (1..most).map(|at| (at as f64 - middle).mul_add(deviation, mean)).collect()
}

/// The mean, the mean of what lies above it, and so on while that is less than [`HEAD`] of its whole.
fn head_tail(sorted: &[f64], most: usize) -> Vec<f64> {
    let mut bounds = Vec::new();
    let mut rest = sorted;
    while bounds.len() + 1 < most && rest.len() > 1 {
        let mean = rest.iter().sum::<f64>() / rest.len() as f64;
        let head = &rest[rest.partition_point(|value| *value <= mean)..];
        if head.is_empty() {
            break;
        }
        bounds.push(mean);
        if head.len() as f64 > HEAD * rest.len() as f64 {
            break;
        }
        rest = head;
    }
    bounds
}

/// The classes with the least squared deviation from their means (W. D. Fisher 1958, doi:10.1080/01621459.1958.10501479; Jenks 1967),
/// by dynamic programming over the distinct values. Where a class best ends does not move down as more values come in, so that
/// halving finds each row in n log n. A bound is the highest value of its class.
fn jenks(sorted: &[f64], most: usize) -> Vec<f64> {
    let distinct = Distinct::of(sorted);
    let count = distinct.values.len();
    let most = most.min(count);
    // Least deviation of the first n + 1 distinct values in one class, then in two, …; and where the last of them begins.
    let mut least: Vec<f64> = (0..count).map(|end| distinct.deviation(0, end)).collect();
    let mut begins: Vec<Vec<u32>> = Vec::new();
    for classes in 1..most {
        let mut row = Row {
            distinct: &distinct,
            before: &least,
            found: vec![f64::INFINITY; count],
            begin: vec![0; count],
        };
        row.fill(classes, count - 1, classes, count - 1);
        let Row { found, begin, .. } = row;
        least = found;
        begins.push(begin);
    }
    let mut bounds = Vec::new();
    let mut end = count - 1;
    for begin in begins.iter().rev() {
        let first = begin[end] as usize;
        end = first - 1;
        bounds.push(distinct.values[end]);
    }
    bounds.reverse();
    bounds
}

/// Distinct values with what is needed for the deviation of any run of them: sums from the first on, of values less the mean of all,
/// since squares of large values cancel.
struct Distinct {
    values: Vec<f64>,
    count: Vec<f64>,
    sum: Vec<f64>,
    squares: Vec<f64>,
}

impl Distinct {
    fn of(sorted: &[f64]) -> Self {
        let mean = sorted.iter().sum::<f64>() / sorted.len() as f64;
        let mut distinct = Self { values: Vec::new(), count: vec![0.0], sum: vec![0.0], squares: vec![0.0] };
        let (mut count, mut sum, mut squares) = (0.0, 0.0, 0.0);
        for run in sorted.chunk_by(|a, b| a == b) {
            let (many, value) = (run.len() as f64, run[0] - mean);
            count += many;
            sum += many * value;
            squares += many * value * value;
            distinct.values.push(run[0]);
            distinct.count.push(count);
            distinct.sum.push(sum);
            distinct.squares.push(squares);
        }
        distinct
    }

    /// Squared deviation from their mean of the values from `first` to `last`.
    fn deviation(&self, first: usize, last: usize) -> f64 {
        let of = |sums: &[f64]| sums[last + 1] - sums[first];
        let (count, sum, squares) = (of(&self.count), of(&self.sum), of(&self.squares));
        (squares - sum * sum / count).max(0.0)
    }
}

struct Row<'a> {
    distinct: &'a Distinct,
    before: &'a [f64],
    found: Vec<f64>,
    begin: Vec<u32>,
}

impl Row<'_> {
    /// Finds for every end from `from` to `to` where the last class best begins, which is from `low` to `high`.
    fn fill(&mut self, from: usize, to: usize, low: usize, high: usize) {
        let end = usize::midpoint(from, to);
        let mut best = (f64::INFINITY, low);
        for begin in low..=high.min(end) {
            let deviation = self.before[begin - 1] + self.distinct.deviation(begin, end);
            if deviation < best.0 {
                best = (deviation, begin);
            }
        }
        (self.found[end], self.begin[end]) = (best.0, best.1 as u32);
        if end > from {
            self.fill(from, end - 1, low, best.1);
        }
        if end < to {
            self.fill(end + 1, to, best.1, high);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cut(values: &[f64], text: &str) -> Vec<f64> {
        bounds(values, text.parse().unwrap())
    }

    fn rounded(bounds: &[f64]) -> Vec<f64> {
        bounds.iter().map(|bound| (bound * 1e4).round() / 1e4).collect()
    }

    /// Twenty skewed numbers, such as incidents per area.
    const SKEWED: [f64; 20] = [
        329.92, 0.42, 5.9, 14.03, 2.78, 0.27, 47.85, 1.33, 0.89, 11.56, 192.05, 3.13, 111.65, 6.98, 722.85,
        0.79, 20.35, 68.33, 37.33, 116.25,
    ];

    #[test]
    fn the_bounds_are_those_of_mapclassify() {
        // mapclassify 2.10.0: FisherJenks, Quantiles, HeadTailBreaks, EqualInterval, each with k = 5.
        let upper = |text: &str| rounded(&cut(&SKEWED, text)[1..]);
        assert_eq!(upper("jenks:5"), [47.85, 116.25, 192.05, 329.92, 722.85]);
        assert_eq!(upper("quantile:5"), [1.242, 6.548, 27.142, 112.57, 722.85]);
        assert_eq!(upper("head-tail:5"), [84.733, 294.544, 526.385, 722.85]);
        assert_eq!(upper("equal:5"), [144.786, 289.302, 433.818, 578.334, 722.85]);
        // Mean 84.733, standard deviation 167.3066 (StdMean's mean, numpy's std).
        assert_eq!(upper("standard-deviation:4"), [84.733, 252.0396, 722.85]);
        assert_eq!(upper("standard-deviation:5"), [1.0797, 168.3863, 335.6929, 722.85]);
    }

    #[test]
    fn degenerate_worlds_have_one_class_or_none() {
        for text in ["jenks:5", "quantile:5", "standard-deviation:5", "head-tail:5", "equal:5"] {
            assert_eq!(cut(&[], text), Vec::<f64>::new(), "{text}");
            assert_eq!(cut(&[f64::NAN, f64::INFINITY], text), Vec::<f64>::new(), "{text}");
            assert_eq!(cut(&[3.0], text), [3.0, 3.0], "{text}");
            assert_eq!(cut(&[3.0; 9], text), [3.0, 3.0], "{text}");
            let two = cut(&[1.0, 2.0, 2.0], text);
            assert_eq!((two[0], two[two.len() - 1]), (1.0, 2.0), "{text}");
            assert!(two.len() <= 6, "{text}: {two:?}");
        }
    }

    #[test]
    fn a_stack_of_zeros_is_one_class() {
        let mut values = vec![0.0; 90];
        values.extend((1..=10).map(f64::from));
        assert_eq!(cut(&values, "quantile:5"), [0.0, 0.0, 10.0]);
        assert_eq!(cut(&values, "head-tail:5")[1], 0.55);
    }

    fn naive_least(values: &[f64], most: usize) -> f64 {
        let deviation = |run: &[f64]| {
            let mean = run.iter().sum::<f64>() / run.len() as f64;
            run.iter().map(|value| (value - mean).powi(2)).sum::<f64>()
        };
        if most == 1 || values.len() == 1 {
            return deviation(values);
        }
        (1..values.len())
            .map(|end| deviation(&values[..end]) + naive_least(&values[end..], most - 1))
            .fold(deviation(values), f64::min)
    }

    fn deviation_within(values: &[f64], bounds: &[f64]) -> f64 {
        let class = |value: f64| bounds[1..].iter().position(|bound| value <= *bound).unwrap();
        (0..bounds.len() - 1)
            .map(|number| {
                let inside: Vec<f64> =
                    values.iter().copied().filter(|value| class(*value) == number).collect();
                let mean = inside.iter().sum::<f64>() / inside.len() as f64;
                inside.iter().map(|value| (value - mean).powi(2)).sum::<f64>()
            })
            .sum()
    }

    proptest! {
        #[test]
        fn jenks_is_the_least_of_all_ways_to_cut(values in prop::collection::vec(0_u8..40, 2..10), most in 2_usize..5) {
            let mut values: Vec<f64> = values.into_iter().map(f64::from).collect();
            values.sort_by(f64::total_cmp);
            let bounds = cut(&values, &format!("jenks:{most}"));
            let (found, least) = (deviation_within(&values, &bounds), naive_least(&values, most));
            prop_assert!(found <= least + 1e-9, "{bounds:?} leaves {found}, {least} was to be had");
        }

        #[test]
        fn every_value_is_in_one_class(
            values in prop::collection::vec(-1e6_f64..1e6, 1..200), most in 2_u8..=9, rule in 0_usize..5,
        ) {
            let word = ["jenks", "quantile", "standard-deviation", "head-tail", "equal"][rule];
            let bounds = cut(&values, &format!("{word}:{most}"));
            prop_assert!(bounds.len() <= usize::from(most) + 1);
            prop_assert!(bounds[0] <= bounds[1] && bounds[1..].windows(2).all(|pair| pair[0] < pair[1]));
            let class = |value: f64| bounds[1..].iter().position(|bound| value <= *bound);
            let found: std::collections::BTreeSet<_> = values.iter().map(|value| class(*value)).collect();
            prop_assert!(!found.contains(&None));
            if !matches!(word, "equal" | "standard-deviation") {
                prop_assert_eq!(found.len(), bounds.len() - 1);
            }
        }
    }
}
