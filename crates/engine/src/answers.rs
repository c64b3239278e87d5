//! How an answer becomes a file: which formats can hold it, and what is said of it in a line.

use std::path::Path;

use brasa_export::{Companions, CurveFormat, Format, Imprint};
use brasa_model::{
    Class, Cluster, Contour, Crs, InputRecord, Interval, Layer, Note, Provenance, Surface, Tail,
};
use brasa_spatial_index::{Answer, Method};

use crate::{EngineError, MapOptions, layers};

/// What the output is written as.
#[derive(Debug, Clone, Copy)]
pub(crate) enum FileFormat {
    Map(Format),
    Curve(CurveFormat),
}

/// The format that the ending of `path` asks for, if it can hold the answer of that method.
pub(crate) fn format_for(method: &Method, path: &Path) -> Result<FileFormat, EngineError> {
    if method.answer == "Curve" {
        return Ok(FileFormat::Curve(brasa_export::curve_format_of(path)?));
    }
    let format = brasa_export::format_of(path)?;
    let raster = format == Format::GeoTiff;
    let why = match method.answer {
        "SurfaceSeries" if !raster && format != Format::Csv => {
            "a value per cell and slice of time, too many for features; write .tif (a band per slice) or .csv"
        }
        "Surface" | "SurfaceSeries" | "Risk" => return Ok(FileFormat::Map(format)),
        _ if raster => "features, which a raster cannot hold; write .gpkg, .geojson or .csv",
        _ => return Ok(FileFormat::Map(format)),
    };
    let why = format!("{} answers with {why}", method.name);
    Err(EngineError::Pipeline { place: path.display().to_string(), why })
}

/// `1 cluster`, `2 clusters`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// Where an answer goes, and what is known beside it.
pub(crate) struct Target<'a> {
    pub method: &'a Method,
    pub path: &'a Path,
    pub imprint: Imprint<'a>,
    pub format: FileFormat,
    pub crs: &'a Crs,
    pub period: Option<Interval>,
    pub map: &'a MapOptions,
    pub inputs: &'a [InputRecord],
}

impl Target<'_> {
    /// Writes an answer. `notes` holds those of reading and takes up those of the answer; all of them go into the file. Says
    /// how the answer was made, and what it is in a line.
    pub fn write(&self, answer: Answer, notes: &mut Vec<Note>) -> Result<(Provenance, String), EngineError> {
        let (crs, period) = (self.crs, self.period);
        match (answer, self.format) {
            (Answer::Surface(mut surface), FileFormat::Map(format)) => {
                self.stamp(&mut surface.provenance, &mut surface.notes, notes);
                let headline =
                    format!("{} cells, highest {:.2} {}", surface.grid.len(), surface.peak(), surface.unit);
                if matches!(format, Format::GeoTiff | Format::Csv) {
                    brasa_export::write_surface(&surface, crs, self.path, format)?;
                    self.accompany(|| Companions::of_surface(&surface, crs, period, self.imprint))?;
                    return Ok((surface.provenance, headline));
                }
                if format.is_picture() {
                    self.draw(&surface, "Density of incidents", format)?;
                    return Ok((surface.provenance, headline));
                }
                self.features(layers::surface(&surface, crs, period), notes, format, headline)
            }
            (Answer::SurfaceSeries(mut series), FileFormat::Map(format)) => {
                self.stamp(&mut series.provenance, &mut series.notes, notes);
                let (frame, peak) = series.peak();
                let headline = format!(
                    "{} slices of {} cells, highest {peak:.3} {} from {}",
                    series.frames.len(),
                    series.grid.len(),
                    series.unit,
                    series.frames[frame].start,
                );
                brasa_export::write_series(&series, crs, self.path, format)?;
                self.accompany(|| Companions::of_series(&series, crs, self.imprint))?;
                Ok((series.provenance, headline))
            }
            (Answer::Risk(mut risk), FileFormat::Map(format)) => {
                self.stamp(&mut risk.log_ratio.provenance, &mut risk.log_ratio.notes, notes);
                let areas = |tail| {
                    let inside = |contour: &&Contour| contour.tail == tail && contour.level == 0.05;
                    risk.contours.iter().filter(inside).count()
                };
                let headline = format!(
                    "{} cells; areas with more than their share: {}, with less: {}, at p <= 0.05",
                    risk.defined(),
                    areas(Tail::High),
                    areas(Tail::Low),
                );
                if format.is_picture() {
                    self.draw(&risk.log_ratio, "Relative risk", format)?;
                    return Ok((risk.log_ratio.provenance, headline));
                }
                if matches!(format, Format::GeoTiff | Format::Csv) {
                    brasa_export::write_surfaces(&risk.bands(), crs, self.path, format)?;
                    self.accompany(|| Companions::of_surface(&risk.log_ratio, crs, period, self.imprint))?;
                    return Ok((risk.log_ratio.provenance, headline));
                }
                self.features(layers::contours(&risk, crs, period), notes, format, headline)
            }
            (Answer::Isopleths(mut areas), FileFormat::Map(format)) => {
                notes.append(&mut areas.notes);
                let headline = format!("{} areas by density", areas.levels.len());
                self.features(layers::isopleths(&areas, crs, period), notes, format, headline)
            }
            (Answer::LocalStats(mut stats), FileFormat::Map(format)) => {
                notes.append(&mut stats.notes);
                let of = |class: &Class| format!("{} {}", stats.count_of(*class), class.word());
                let verdicts: Vec<String> = stats.verdicts.iter().map(of).collect();
                let headline = format!("{} zones: {} at q <= 0.05", stats.zones.len(), verdicts.join(", "));
                self.features(layers::local_stats(&stats, crs, period, |_| true), notes, format, headline)
            }
            (Answer::Clusters(mut clusters), FileFormat::Map(format)) => {
                notes.append(&mut clusters.notes);
                let mut headline = format!(
                    "{}, {} incidents are noise",
                    counted(clusters.clusters.len(), "cluster"),
                    clusters.noise()
                );
                if clusters.clusters.iter().any(|cluster| cluster.excess.p.is_some()) {
                    let sure = |cluster: &&Cluster| cluster.excess.p.is_some_and(|p| p <= 0.05);
                    let sure = clusters.clusters.iter().filter(sure).count();
                    headline = format!("{headline}; more than chance (p <= 0.05): {sure}");
                }
                self.features(layers::clusters(&clusters, crs, period), notes, format, headline)
            }
            (Answer::Features(mut features), FileFormat::Map(format)) => {
                notes.append(&mut features.notes);
                let headline = std::mem::take(&mut features.headline);
                self.features(layers::features(features, crs, period), notes, format, headline)
            }
            (Answer::Curve(mut curve), FileFormat::Curve(format)) => {
                self.stamp(&mut curve.provenance, &mut curve.notes, notes);
                brasa_export::write_curve(&curve, self.path, format)?;
                let headline = match curve.best() {
                    Some(best) => {
                        format!(
                            "{}: {best:.1} {}, the best of {} tried",
                            curve.title,
                            curve.x.unit,
                            curve.len()
                        )
                    }
                    None if curve.len() == 1 => curve.title,
                    None => format!("{}; {} rows", curve.title, curve.len()),
                };
                Ok((curve.provenance, headline))
            }
            (_, FileFormat::Map(_) | FileFormat::Curve(_)) => {
                // `format_for` went by the catalogue, which says what each method answers with.
                let why = format!("does not answer with a {}, as the catalogue says", self.method.answer);
                Err(EngineError::Pipeline { place: self.method.name.to_owned(), why })
            }
        }
    }

    /// Writes a surface as a picture.
    fn draw(&self, surface: &Surface, title: &str, format: Format) -> Result<(), EngineError> {
        let title = self.map.title.as_deref().unwrap_or(title);
        let drawing = brasa_export::draw_surface(surface, title, self.crs, self.imprint)?;
        Ok(brasa_export::write_drawing(&drawing, self.path, format)?)
    }

    /// Moves an answer's notes to the others, and gives it all of them and the inputs.
    fn stamp(&self, provenance: &mut Provenance, own: &mut Vec<Note>, notes: &mut Vec<Note>) {
        notes.append(own);
        own.clone_from(notes);
        provenance.inputs = self.inputs.to_vec();
    }

    fn features(
        &self,
        mut layer: Layer,
        notes: &[Note],
        format: Format,
        headline: String,
    ) -> Result<(Provenance, String), EngineError> {
        layer.provenance.inputs = self.inputs.to_vec();
        layer.notes = notes.to_vec();
        layer.style = layer.style.classed(self.map.classes);
        if let Some(title) = &self.map.title {
            layer.title.clone_from(title);
        }
        match format {
            Format::GeoPackage => brasa_export::write_gpkg(&[&layer], self.imprint, self.path)?,
            format if format.is_picture() => {
                let drawing = brasa_export::draw_layer(&layer, self.imprint)?;
                brasa_export::write_drawing(&drawing, self.path, format)?;
            }
            _ => brasa_export::write_layer(&layer, self.path, format)?,
        }
        self.accompany(|| Companions::of_layer(&layer, format, self.imprint))?;
        Ok((layer.provenance, headline))
    }

    /// Writes the styles and the record beside the answer, where its format has no room for them.
    fn accompany(&self, companions: impl FnOnce() -> Companions) -> Result<(), EngineError> {
        match self.format {
            FileFormat::Map(format) if format.is_styled() => Ok(companions().write(self.path)?),
            _ => Ok(()),
        }
    }
}
