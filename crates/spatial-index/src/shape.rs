//! The shape of a handful of places: what surrounds them, how they spread, which is in their middle.

use brasa_model::Ellipse;
use geo::concave_hull::ConcaveHullOptions;
use geo::{Area, ConcaveHull, ConvexHull, Coord, MultiPoint, Point, Polygon, Validation};
use serde::{Deserialize, Serialize};

use brasa_model::as_word;

/// What is drawn around a cluster.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Outline {
    /// Follows the places: [`concave`].
    #[default]
    Concave,
    /// The shortest line around them: [`convex`].
    Convex,
    /// The standard deviational [`ellipse`]; the convex outline where there is none, or where it has no width.
    Ellipse,
}

impl Outline {
    /// It, around these places, whose [`concave`] outline is known.
    pub fn around(
        self,
        concave: &Polygon<f64>,
        places: &[Coord<f64>],
        margin: f64,
        centre: Coord<f64>,
        ellipse: Option<Ellipse>,
    ) -> Polygon<f64> {
        match (self, ellipse) {
            (Self::Concave, _) => concave.clone(),
            (Self::Ellipse, Some(ellipse)) if ellipse.minor > 0.0 => drawn(ellipse, centre),
            _ => convex(places, margin),
        }
    }
}

/// The convex hull of octagons of radius `margin` around the places, so that one place and a line of places have an area too.
pub fn convex(places: &[Coord<f64>], margin: f64) -> Polygon<f64> {
    let diagonal = margin * std::f64::consts::FRAC_1_SQRT_2;
    let octagon = [
        (margin, 0.0),
        (diagonal, diagonal),
        (0.0, margin),
        (-diagonal, diagonal),
        (-margin, 0.0),
        (-diagonal, -diagonal),
        (0.0, -margin),
        (diagonal, -diagonal),
    ];
    // Of the corners of the hull alone: the corners of all octagons along a line would be collinear but for rounding.
    let hull = MultiPoint::new(places.iter().copied().map(Point).collect()).convex_hull();
    let around = hull.exterior().coords();
    let corners = around.flat_map(|place| octagon.map(|(dx, dy)| Point::new(place.x + dx, place.y + dy)));
    MultiPoint::new(corners.collect()).convex_hull()
}

/// The concave hull of the places (Park & Oh 2012, with a concavity of 2), widened by an octagon of radius `margin`. Bays
/// narrower than twice the margin are not followed, for the widening would close them; what it closes off is filled.
///
/// The widened hull is the union of the hull and of what [`convex`] draws around each of its sides: a Minkowski sum, without an angle.
pub fn concave(places: &[Coord<f64>], margin: f64) -> Polygon<f64> {
    // Counted from the first place, so that large coordinates cost no precision.
    let Some(&origin) = places.first() else { return convex(places, margin) };
    let near: Vec<Point<f64>> = places.iter().map(|&place| Point(place - origin)).collect();
    let options = ConcaveHullOptions { concavity: 2.0, length_threshold: 2.0 * margin };
    let points = MultiPoint::new(near);
    let around = points.convex_hull();
    let flat = around.unsigned_area() <= 1e-9 * margin * margin;
    if flat {
        return convex(places, margin);
    }
    let hull = points.concave_hull_with_options(options);
    // Few places have a bay.
    if hull.exterior().0.len() == around.exterior().0.len() {
        return convex(places, margin);
    }
    // Where the widened hull touches itself in a point it is no valid polygon; a hair more closes the gap.
    let widened = [1.0, 1.001, 1.01].into_iter().find_map(|more| widened(&hull, margin * more, origin));
    widened.unwrap_or_else(|| convex(places, margin))
}

/// A polygon counted from `origin`, widened by an octagon, without holes; `None` where its outline touches itself.
fn widened(hull: &Polygon<f64>, margin: f64, origin: Coord<f64>) -> Option<Polygon<f64>> {
    let sides = hull.exterior().lines().map(|side| convex(&[side.start, side.end], margin));
    let parts: Vec<Polygon<f64>> = std::iter::once(hull.clone()).chain(sides).collect();
    let whole = geo::unary_union(parts.iter());
    let whole = whole.into_iter().max_by(|a, b| a.unsigned_area().total_cmp(&b.unsigned_area()))?;
    let ring = whole.exterior().coords().map(|&corner| corner + origin).collect();
    let filled = Polygon::new(ring, Vec::new());
    filled.is_valid().then_some(filled)
}

/// The weighted mean of places.
pub fn mean_centre(places: &[Coord<f64>], weights: &[f64]) -> Coord<f64> {
    // Around the first, so that large coordinates cost no precision; the first where weights are zero.
    let first = places.first().copied().unwrap_or_default();
    let total: f64 = weights.iter().sum();
    let sum = places
        .iter()
        .zip(weights)
        .fold(Coord::zero(), |sum, (&place, &weight)| sum + (place - first) * weight);
    if total > 0.0 { first + sum / total } else { first }
}

/// The place with the least weighted sum of distances to these places, and whether it was reached: whether a step was shorter than a
/// micrometre within 10,000 of them. Weiszfeld's steps from the mean centre, with what Vardi & Zhang 2000
/// (doi:10.1073/pnas.97.4.1423) do where one ends on a place: none of them makes the sum larger. A place that holds the median by a
/// hair is approached without end, so the nearest one is asked now and then whether it does.
pub fn median_centre(places: &[Coord<f64>], weights: &[f64]) -> (Coord<f64>, bool) {
    const STEPS: usize = 10_000;
    const ASK: usize = 64;
    const SHORT: f64 = 1e-6;
    let mut here = mean_centre(places, weights);
    for at in 1..=STEPS {
        let pull = Pull::at(here, places, weights);
        // What lies here holds it here.
        if pull.is_held() {
            return (here, true);
        }
        if at % ASK == 0
            && let Some(nearest) = pull.nearest
            && Pull::at(nearest, places, weights).is_held()
        {
            return (nearest, true);
        }
        let step = pull.of_others * ((1.0 - pull.own / length(pull.of_others)) / pull.stiffness);
        here = here + step;
        if length(step) < SHORT {
            return (here, true);
        }
    }
    (here, false)
}

/// How weighted places pull at one of them, or at a place between.
struct Pull {
    of_others: Coord<f64>,
    /// How fast it gives way to a step.
    stiffness: f64,
    /// The weight of what lies there.
    own: f64,
    /// The nearest of the others.
    nearest: Option<Coord<f64>>,
}

impl Pull {
    fn at(here: Coord<f64>, places: &[Coord<f64>], weights: &[f64]) -> Self {
        let mut pull = Self { of_others: Coord::zero(), stiffness: 0.0, own: 0.0, nearest: None };
        let mut least = f64::INFINITY;
        for (&place, &weight) in places.iter().zip(weights) {
            let step = place - here;
            let distance = length(step);
            if distance > 0.0 {
                pull.of_others = pull.of_others + step * (weight / distance);
                pull.stiffness += weight / distance;
                if distance < least {
                    (least, pull.nearest) = (distance, Some(place));
                }
            } else {
                pull.own += weight;
            }
        }
        pull
    }

    fn is_held(&self) -> bool {
        length(self.of_others) <= self.own
    }
}

/// The standard deviational ellipse of `incidents` incidents on these places: its semi-axes are √(2λ/(n−2)), where λ are the
/// eigenvalues of Σ(x−x̄)(x−x̄)ᵀ, as CrimeStat and ArcGIS's correction have them, about √2 standard deviations along each axis.
/// Weights are shares of the n incidents. Absent for one or two incidents. It holds about 63 % of a normal cloud, and need not
/// hold any share of another.
pub fn ellipse(places: &[Coord<f64>], weights: &[f64], incidents: u64) -> Option<Ellipse> {
    let total: f64 = weights.iter().sum();
    if incidents < 3 || total <= 0.0 {
        return None;
    }
    let centre = mean_centre(places, weights);
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for (&place, &weight) in places.iter().zip(weights) {
        let away = place - centre;
        xx += weight * away.x * away.x;
        yy += weight * away.y * away.y;
        xy += weight * away.x * away.y;
    }
    let scale = incidents as f64 / total * 2.0 / (incidents - 2) as f64;
    let (middle, half) = (f64::midpoint(xx, yy), libm::hypot((xx - yy) / 2.0, xy));
    // Half the angle of (xx − yy, 2xy) is that of the longer axis from east, counter-clockwise.
    let angle = libm::atan2(2.0 * xy, xx - yy) / 2.0;
    let bearing = 90.0 - angle.to_degrees();
    Some(Ellipse {
        major: (scale * (middle + half)).sqrt(),
        minor: (scale * (middle - half).max(0.0)).sqrt(),
        bearing: if bearing >= 180.0 { bearing - 180.0 } else { bearing },
    })
}

/// An ellipse as a polygon of 64 corners on it.
pub fn drawn(ellipse: Ellipse, centre: Coord<f64>) -> Polygon<f64> {
    let (east, north) = (libm::sin(ellipse.bearing.to_radians()), libm::cos(ellipse.bearing.to_radians()));
    let corner = |at: u32| {
        let turn = f64::from(at) * std::f64::consts::TAU / 64.0;
        let (along, across) = (ellipse.major * libm::cos(turn), -ellipse.minor * libm::sin(turn));
        Coord { x: centre.x + along * east + across * north, y: centre.y + along * north - across * east }
    };
    Polygon::new((0..64).map(corner).collect(), Vec::new())
}

/// Of metres within a city, so that no square overflows.
fn length(step: Coord<f64>) -> f64 {
    (step.x * step.x + step.y * step.y).sqrt()
}

/// Two sums of distances that differ by less than this, relatively, are compared as they are, never by a bound.
const ROUNDING: f64 = 1e-9;

/// The place with the least weighted sum of distances to the others; the first of several. Exact.
///
/// The sum is a convex function of where it is taken, so its value f and gradient g at one place p say of every other place q
/// that f(q) ≥ f + g·(q − p) (cutting planes, Kelley 1960, doi:10.1137/0108053). The place with the lowest bound is
/// summed next, until no bound is below the least sum found: some dozens of sums, not one for each place.
pub fn medoid(places: &[Coord<f64>], weights: &[f64]) -> Option<usize> {
    let middle = mean_centre(places, weights);
    let away = |place: Coord<f64>| length(place - middle);
    let mut next = (0..places.len()).min_by(|&a, &b| away(places[a]).total_cmp(&away(places[b])))?;
    let mut left: Vec<(usize, f64)> = (0..places.len()).map(|at| (at, 0.0)).collect();
    let mut best: Option<(f64, usize)> = None;
    loop {
        let here = places[next];
        let (mut sum, mut gradient) = (0.0, Coord::zero());
        for (&place, &weight) in places.iter().zip(weights) {
            let step = here - place;
            let distance = length(step);
            sum += weight * distance;
            if distance > 0.0 {
                gradient = gradient + step * (weight / distance);
            }
        }
        if best.is_none_or(|(least, at)| sum < least || (sum == least && next < at)) {
            best = Some((sum, next));
        }
        let (least, _) = best?;
        let done = next;
        left.retain_mut(|(at, bound)| {
            let step = places[*at] - here;
            *bound = bound.max(sum + gradient.x * step.x + gradient.y * step.y);
            *at != done && *bound <= least * (1.0 + ROUNDING)
        });
        let Some(&(at, _)) = left.iter().min_by(|a, b| a.1.total_cmp(&b.1)) else {
            return best.map(|(_, at)| at);
        };
        next = at;
    }
}

as_word!(Outline, Concave = "concave", Convex = "convex", Ellipse = "ellipse");
