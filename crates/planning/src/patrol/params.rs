//! What a patrol plan is asked for.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use brasa_model::{Metres, Rest, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::PlanError;
use crate::shifts::{Day, ShiftTimes};
use crate::travel::DETOUR;
use brasa_model::as_text;

/// Parameters of [`patrol`](super::patrol).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PatrolParams {
    /// Units in each shift, such as 8; or from how few to how many, such as 4..10, to see what each one more would add
    pub units: Units,
    /// Begin and end of each shift of a day on the clocks, several separated by ","
    pub shift: ShiftTimes,
    /// What has a default.
    #[serde(flatten)]
    pub rules: PatrolRules,
}

impl PatrolParams {
    /// So many units in these shifts, and the defaults.
    pub fn new(units: Units, shift: ShiftTimes) -> Self {
        Self { units, shift, rules: PatrolRules::default() }
    }
}

/// The rules of a patrol plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct PatrolRules {
    /// First day; when absent, the first Monday after the incidents
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Day>,
    /// Days to plan
    pub days: NonZeroU32,
    /// How long a unit stays at each visit; 10 to 16 minutes is what the evidence speaks for
    pub dose: Span,
    /// Visits wanted in each shift: 2 in every area, mean:2 per area shared out by the incidents of those hours, or total:60 shared out so
    pub visits: Wanted,
    /// Visits that each area gets at least in each shift, where they are shared out
    pub at_least: u32,
    /// Visits that each area gets at most in each shift, where they are shared out; never more than the spacing leaves room for
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_most: Option<NonZeroU32>,
    /// From the begin of a visit to the begin of the next one to the same area, by whichever unit and in whichever shift, at least
    pub spacing: Span,
    /// Length of the break in each tour, or none
    #[serde(rename = "break")]
    pub pause: Pause,
    /// When the break is taken, counted from the begin of the shift; it begins and ends in between
    pub break_window: Within,
    /// Shifts at least so long owe a break
    pub break_from: Span,
    /// Speed of a unit on the way; on streets that state a lower limit, the limit
    pub speed: Speed,
    /// How much longer a way is than the straight line, where no streets are given
    pub detour: Detour,
    /// How far the nearest street may be, where streets are given
    pub snap: Metres,
    /// Where chance begins; the same seed gives the same plan, another one another order
    pub seed: u64,
}

impl Default for PatrolRules {
    #[expect(clippy::expect_used, reason = "written here, and read by a test")]
    fn default() -> Self {
        let minutes = |minutes: i64| Span::new(minutes * 60).expect("a duration");
        Self {
            from: None,
            days: NonZeroU32::MIN.saturating_add(6),
            dose: minutes(15),
            visits: Wanted::Mean(2),
            at_least: 1,
            at_most: None,
            spacing: minutes(120),
            pause: Pause(Some(minutes(30))),
            break_window: Within { from: 3 * 3600, until: 5 * 3600 },
            break_from: minutes(360),
            speed: Speed(25.0 / 3.6),
            detour: Detour(DETOUR),
            snap: Metres::new(250.0).expect("a length"),
            seed: 1,
        }
    }
}

impl PatrolRules {
    /// The break that is owed, if there is one.
    ///
    /// # Errors
    /// [`PlanError::Parameter`] when it does not fit into its window, or a shift that owes it ends before.
    pub fn rest(&self) -> Result<Option<Rest>, PlanError> {
        let Some(length) = self.pause.0 else { return Ok(None) };
        let rest = Rest {
            length: length.seconds(),
            from: self.break_window.from,
            until: self.break_window.until,
            owed_from: self.break_from.seconds(),
        };
        let refused = |why: String| Err(PlanError::Parameter { plan: "patrol", why });
        if rest.until - rest.from < rest.length {
            return refused(format!(
                "a break of {length} does not fit into break-window {}",
                self.break_window
            ));
        }
        if rest.from + rest.length > rest.owed_from {
            return refused(format!(
                "a shift of {} owes a break that cannot end before the shift does; raise break-from or move break-window {}",
                self.break_from, self.break_window
            ));
        }
        Ok(Some(rest))
    }
}

/// How many units: `8`, or `4..10`, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Units {
    least: u32,
    most: u32,
}

/// More units than any city has patrols at once.
const MOST_UNITS: u32 = 500;

impl Units {
    /// From `least` to `most`, if there is at least one and no more than 500.
    pub fn new(least: u32, most: u32) -> Result<Self, String> {
        if least == 0 || least > most || most > MOST_UNITS {
            return Err(format!(
                "{least}..{most} units: write from at least 1 up to at most {MOST_UNITS}, such as 4..10"
            ));
        }
        Ok(Self { least, most })
    }

    /// The fewest.
    pub const fn least(self) -> u32 {
        self.least
    }

    /// The most.
    pub const fn most(self) -> u32 {
        self.most
    }
}

impl FromStr for Units {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (least, most) = text.split_once("..").unwrap_or((text, text));
        match (least.trim().parse(), most.trim().parse()) {
            (Ok(least), Ok(most)) => Self::new(least, most),
            _ => Err(format!(
                "\"{text}\" is no number of units; write one such as 8, or a range such as 4..10"
            )),
        }
    }
}

impl fmt::Display for Units {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.least == self.most {
            write!(f, "{}", self.least)
        } else {
            write!(f, "{}..{}", self.least, self.most)
        }
    }
}

as_text!(Units, "N|A..B", "examples": ["8", "4..10"]);

/// How many visits are wanted in each shift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Wanted {
    /// So many in every area.
    Each(u32),
    /// So many per area on average, shared out by demand.
    Mean(u32),
    /// So many in all, shared out by demand.
    Total(u32),
}

impl FromStr for Wanted {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (kind, number) = text.split_once(':').unwrap_or(("", text));
        match (kind.trim(), number.trim().parse()) {
            ("", Ok(number)) if number > 0 => Ok(Self::Each(number)),
            ("mean", Ok(number)) if number > 0 => Ok(Self::Mean(number)),
            ("total", Ok(number)) if number > 0 => Ok(Self::Total(number)),
            _ => Err(format!(
                "\"{text}\" is no number of visits; write 2 for each area, mean:2 or total:60 to share out by demand"
            )),
        }
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Each(number) => write!(f, "{number}"),
            Self::Mean(number) => write!(f, "mean:{number}"),
            Self::Total(number) => write!(f, "total:{number}"),
        }
    }
}

as_text!(Wanted, "N|mean:N|total:N", "examples": ["2", "mean:2", "total:60"]);

/// How long a break is, if there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pause(pub Option<Span>);

impl FromStr for Pause {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim() {
            "none" => Ok(Self(None)),
            text => text.parse().map(|span| Self(Some(span))).map_err(|error| format!("{error}, or none")),
        }
    }
}

impl fmt::Display for Pause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.map_or_else(|| "none".to_owned(), String::from))
    }
}

as_text!(Pause, "SPAN|none", "examples": ["30min", "none"]);

/// A stretch of a shift, counted from its begin: `3h-5h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Within {
    from: i64,
    until: i64,
}

impl FromStr for Within {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let unreadable = || format!("\"{}\" is no stretch of a shift; write one such as 3h-5h", text.trim());
        let (from, until) = text.split_once('-').ok_or_else(unreadable)?;
        let seconds = |text: &str| match text.trim() {
            "0" => Ok(0),
            text => text.parse::<Span>().map(Span::seconds).map_err(|error| error.to_string()),
        };
        let (from, until) = (seconds(from)?, seconds(until)?);
        if from < until { Ok(Self { from, until }) } else { Err(unreadable()) }
    }
}

impl fmt::Display for Within {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |seconds| Span::new(seconds).map_or_else(|_| "0".to_owned(), String::from);
        write!(f, "{}-{}", text(self.from), text(self.until))
    }
}

as_text!(Within, "FROM-UNTIL", "examples": ["3h-5h"]);

/// A speed: `25km/h`, `5mph`, `7m/s`.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Speed(f64);

impl Speed {
    /// A brisk walk, 4 km/h.
    pub const WALKING: Self = Self(4.0 / 3.6);

    /// Metres per second, if that is a speed on the ground: above zero and below 100.
    pub fn new(metres_per_second: f64) -> Option<Self> {
        (metres_per_second > 0.0 && metres_per_second <= 100.0).then_some(Self(metres_per_second))
    }

    /// Metres per second.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl FromStr for Speed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let units = [("km/h", 1.0 / 3.6), ("kmh", 1.0 / 3.6), ("mph", 0.44704), ("m/s", 1.0)];
        let read = |(unit, factor): &(&str, f64)| {
            text.strip_suffix(unit)
                .and_then(|number| number.trim().parse::<f64>().ok())
                .map(|value| value * factor)
        };
        let speed = units.iter().find_map(read).ok_or_else(|| {
            format!("\"{text}\" is no speed with its unit; write one such as 25km/h, 15mph or 7m/s")
        })?;
        Self::new(speed)
            .ok_or_else(|| format!("\"{text}\" is not allowed: a speed is above 0 and at most 360 km/h"))
    }
}

impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // To a millionth, so that 25 km/h is not 25.000000000000004.
        write!(f, "{}km/h", (self.0 * 3.6e6).round() / 1e6)
    }
}

as_text!(Speed, "SPEED", "examples": ["25km/h", "4km/h"]);

/// A ratio of at least 1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Detour(f64);

impl Detour {
    /// The ratio.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl FromStr for Detour {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let ratio = text.trim().parse().ok().filter(|ratio| (1.0..=10.0).contains(ratio));
        ratio.map(Self).ok_or_else(|| {
            format!("\"{}\" is no detour; write a ratio from 1 to 10, such as 1.4", text.trim())
        })
    }
}

impl fmt::Display for Detour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

as_text!(Detour, "RATIO", "examples": ["1.4"]);
