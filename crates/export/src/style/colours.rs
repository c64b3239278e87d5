//! Which colours: few, told apart by people who see no red or green, and by their lightness alone on a black-and-white print.
//!
//! The sequential and diverging anchors are ColorBrewer's YlOrRd and RdBu (C. A. Brewer, colorbrewer2.org), given as numbers.

use std::fmt;

use brasa_model::Tone;

/// A colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rgb(
    /// Red.
    pub u8,
    /// Green.
    pub u8,
    /// Blue.
    pub u8,
);

impl fmt::Display for Rgb {
    /// `#bd0026`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}

impl Rgb {
    const fn of(hex: u32) -> Self {
        Self((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
    }

    /// The grey of the same luma (ITU-R BT.601).
    pub(crate) fn grey(self) -> Self {
        let luma = 0.299 * f64::from(self.0) + 0.587 * f64::from(self.1) + 0.114 * f64::from(self.2);
        let luma = luma.round() as u8;
        Self(luma, luma, luma)
    }

    /// Somewhere between this one and another.
    fn towards(self, other: Self, part: f64) -> Self {
        let mix = |a: u8, b: u8| (f64::from(a) * (1.0 - part) + f64::from(b) * part).round() as u8;
        Self(mix(self.0, other.0), mix(self.1, other.1), mix(self.2, other.2))
    }
}

/// What is not a class: edges and letters, the ground of a study area, what lies around it, streets and water beneath.
pub(crate) mod paper {
    use super::Rgb;

    pub(crate) const INK: Rgb = Rgb::of(0x26_26_26);
    pub(crate) const GROUND: Rgb = Rgb::of(0xff_ff_ff);
    pub(crate) const AROUND: Rgb = Rgb::of(0xd3_d9_dd);
    pub(crate) const BENEATH: Rgb = Rgb::of(0x9a_a0_a6);
}

const SEQUENTIAL: [Rgb; 5] =
    [Rgb::of(0xff_ff_b2), Rgb::of(0xfe_cc_5c), Rgb::of(0xfd_8d_3c), Rgb::of(0xf0_3b_20), Rgb::of(0xbd_00_26)];
const DIVERGING: [Rgb; 5] =
    [Rgb::of(0x21_66_ac), Rgb::of(0x67_a9_cf), Rgb::of(0xf7_f7_f7), Rgb::of(0xef_8a_62), Rgb::of(0xb2_18_2b)];

/// So many colours from little to much.
pub(crate) fn sequential(count: usize) -> Vec<Rgb> {
    // A single class is neither little nor much.
    if count == 1 { vec![SEQUENTIAL[2]] } else { spread(&SEQUENTIAL, count) }
}

/// So many colours for what lies below zero and so many for what lies above, the louder the further away.
pub(crate) fn diverging(below: usize, above: usize) -> Vec<Rgb> {
    let side = |from: usize, to: usize, count: usize| {
        (0..count).map(move |at| {
            let part = (at + 1) as f64 / count as f64;
            blend(&[DIVERGING[2], DIVERGING[from], DIVERGING[to]], part)
        })
    };
    let mut colours: Vec<Rgb> = side(1, 0, below).collect();
    colours.reverse();
    colours.extend(side(3, 4, above));
    colours
}

/// The colour of a word.
pub(crate) const fn of_tone(tone: Tone) -> Rgb {
    match tone {
        Tone::High => Rgb::of(0xa5_0f_15),
        Tone::HighAmongLow => Rgb::of(0xfb_8d_5a),
        Tone::LowAmongHigh => Rgb::of(0x9e_ca_e1),
        Tone::Low => Rgb::of(0x21_71_b5),
        Tone::Quiet => Rgb::of(0xef_ef_ef),
    }
}

fn spread(anchors: &[Rgb], count: usize) -> Vec<Rgb> {
    (0..count).map(|at| blend(anchors, at as f64 / (count.max(2) - 1) as f64)).collect()
}

/// The colour at a part of the way along the anchors.
fn blend(anchors: &[Rgb], part: f64) -> Rgb {
    let place = part * (anchors.len() - 1) as f64;
    let below = (place.floor() as usize).min(anchors.len() - 2);
    anchors[below].towards(anchors[below + 1], place - below as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lightness L* of CIELAB (CIE 15), D65.
    fn lightness(Rgb(r, g, b): Rgb) -> f64 {
        let linear = |c: u8| {
            let c = f64::from(c) / 255.0;
            if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        let y = 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
        if y > 0.008_856 { 116.0 * y.cbrt() - 16.0 } else { 903.3 * y }
    }

    #[test]
    fn more_is_darker_on_a_black_and_white_print() {
        for count in 2..=9 {
            let steps: Vec<f64> = sequential(count).into_iter().map(lightness).collect();
            let least = if count <= 5 { 10.0 } else { 3.0 };
            assert!(steps.windows(2).all(|pair| pair[0] > pair[1] + least), "{count}: {steps:?}");
            let greys: Vec<u8> = sequential(count).into_iter().map(|colour| colour.grey().0).collect();
            assert!(greys.windows(2).all(|pair| pair[0] > pair[1]), "{count}: {greys:?}");
        }
    }

    #[test]
    fn words_are_told_apart_in_grey() {
        let tones = [Tone::High, Tone::Low, Tone::HighAmongLow, Tone::LowAmongHigh, Tone::Quiet];
        let mut steps: Vec<f64> = tones.into_iter().map(|tone| lightness(of_tone(tone))).collect();
        steps.sort_by(f64::total_cmp);
        assert!(steps.windows(2).all(|pair| pair[1] > pair[0] + 8.0), "{steps:?}");
    }

    #[test]
    fn anchors_are_reached() {
        assert_eq!(sequential(5), SEQUENTIAL);
        assert_eq!(sequential(1).len(), 1);
        assert_eq!(sequential(0), []);
        assert_eq!(diverging(2, 2), [DIVERGING[0], DIVERGING[1], DIVERGING[3], DIVERGING[4]]);
        assert_eq!(diverging(0, 1), [DIVERGING[4]]);
        assert_eq!(Rgb::of(0xbd_00_26).to_string(), "#bd0026");
    }
}
