//! What is written through GDAL: the only modules of this crate that know it.
//!
//! GDAL prints its errors by default and, in the versions we support, does not return those of closing a file. Here
//! they are collected instead: any failure reported between opening and closing is our error.

pub(crate) mod cog;
pub(crate) mod shapefile;
pub(crate) mod vector;

use std::cell::RefCell;
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::sync::Once;

use brasa_model::Crs;
use gdal::config::{clear_thread_local_config_option, set_error_handler, set_thread_local_config_option};
use gdal::errors::CplErrType;
use gdal::spatial_ref::{AxisMappingStrategy, SpatialRef};

use crate::ExportError;

thread_local! {
    /// What GDAL reported on this thread since the session began; `None` outside a session.
    static FAILURES: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Runs `body`, in which files are created and closed, under GDAL settings that hold for this thread and this call.
/// What GDAL reports as failed meanwhile is an error, even where no function returned it.
fn session(
    path: &Path,
    settings: &[(&'static str, &str)],
    body: impl FnOnce() -> gdal::errors::Result<()>,
) -> Result<(), ExportError> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        set_error_handler(|class, _, message| {
            if matches!(class, CplErrType::Failure | CplErrType::Fatal) {
                FAILURES.with_borrow_mut(|failures| {
                    if let Some(failures) = failures {
                        failures.push(message.to_owned());
                    }
                });
            }
        });
    });
    FAILURES.set(Some(Vec::new()));
    let done = Settings::set(settings).and_then(|_settings| body());
    let failures = FAILURES.take().unwrap_or_default();
    let why = match (failures.first(), done) {
        (None, Ok(())) => return Ok(()),
        (Some(first), _) => first.clone(),
        (None, Err(error)) => error.to_string(),
    };
    let said = failures.iter().any(|why| why.contains("No space left") || why.contains("disk is full"));
    let full = said || no_room(path, 1);
    Err(if full {
        ExportError::DiskFull(path.to_owned())
    } else {
        ExportError::WriteFailed { path: path.to_owned(), why }
    })
}

/// Whether the disk of `path` has no room for so many bytes. Not every driver says why it could not write.
fn no_room(path: &Path, bytes: usize) -> bool {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let piece = [0; 1 << 18];
    let probe = tempfile::tempfile_in(folder)
        .and_then(|mut file| (0..bytes.div_ceil(piece.len())).try_for_each(|_| file.write_all(&piece)));
    probe.is_err_and(|why| matches!(why.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded))
}

/// GDAL settings of this thread, until dropped.
struct Settings(Vec<&'static str>);

impl Settings {
    fn set(settings: &[(&'static str, &str)]) -> gdal::errors::Result<Self> {
        let mut set = Self(Vec::new());
        for (key, value) in settings {
            set_thread_local_config_option(key, value)?;
            set.0.push(key);
        }
        Ok(set)
    }
}

impl Drop for Settings {
    fn drop(&mut self) {
        for key in &self.0 {
            clear_thread_local_config_option(key).ok();
        }
    }
}

/// The reference system, with eastings before northings whatever its authority says.
fn spatial_ref(crs: &Crs) -> gdal::errors::Result<SpatialRef> {
    let mut system = SpatialRef::from_epsg(crs.epsg())?;
    system.set_axis_mapping_strategy(AxisMappingStrategy::TraditionalGisOrder);
    Ok(system)
}

/// A reference system in the words of Esri, as `.prj` files hold it.
pub(crate) fn esri_text(crs: &Crs) -> Result<String, ExportError> {
    let text = || {
        let system = spatial_ref(crs)?;
        system.morph_to_esri()?;
        system.to_wkt()
    };
    text().map_err(|error| ExportError::Inconsistent(format!("{crs} has no description: {error}")))
}
