//! What a user may say about the input. Every field is a flag, a key of a pipeline file and a Python argument.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a user may say about the input; whatever is left out is guessed from the file, and the guess is announced.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct InputOptions {
    /// Column with the longitude in degrees.
    #[schemars(title = "COLUMN")]
    pub lon: Option<String>,
    /// Column with the latitude in degrees.
    #[schemars(title = "COLUMN")]
    pub lat: Option<String>,
    /// Column with the easting of a projected system; needs --crs if the file does not state it.
    #[schemars(title = "COLUMN")]
    pub x: Option<String>,
    /// Column with the northing of a projected system; needs --crs if the file does not state it.
    #[schemars(title = "COLUMN")]
    pub y: Option<String>,
    /// Column with the whole place as one text: WKT, WKB in hexadecimal, GeoJSON, or a pair such as "19.43, -99.13".
    #[schemars(title = "COLUMN")]
    pub geometry: Option<String>,
    /// Reference system of the coordinates as they stand in the file, such as EPSG:4326 or EPSG:32618; of several files, of those that do not state theirs.
    #[schemars(title = "EPSG:CODE")]
    pub crs: Option<String>,
    /// Column with the date or the date and time of the incident.
    #[schemars(title = "COLUMN")]
    pub time: Option<String>,
    /// Column with the time of day, when it stands beside a column of dates.
    #[schemars(title = "COLUMN")]
    pub hour: Option<String>,
    /// Column with the latest possible time, when the file gives a from and a to.
    #[schemars(title = "COLUMN")]
    pub time_end: Option<String>,
    /// Column with the time of day of the latest possible time, when it stands beside a column of dates.
    #[schemars(title = "COLUMN")]
    pub hour_end: Option<String>,
    /// Column with the kind of incident.
    #[schemars(title = "COLUMN")]
    pub kind: Option<String>,
    /// Column with how much each row counts, a number of 0 or more; each row counts 1 if none is named.
    #[schemars(title = "COLUMN")]
    pub weight: Option<String>,
    /// Column that identifies an incident; a row whose id was seen before, in this file or in one with the same columns, is set aside as a duplicate.
    #[schemars(title = "COLUMN")]
    pub id: Option<String>,
    /// Set aside as duplicates rows with the same place, time and kind as a row before them; they are kept and counted otherwise.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub drop_copies: bool,
    /// Column that says where a record comes from: a victim, a call, an officer, an arrest.
    #[schemars(title = "COLUMN")]
    pub source: Option<String>,
    /// Keep records that police made on their own, such as stops and arrests; they show where police were, and are left out otherwise.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub include_officer_initiated: bool,
    /// Profile of the portal the file is from: a name, a file in the same form that ends in .toml, or "none"; recognised by the columns if absent.
    #[schemars(title = "NAME|FILE|none")]
    pub profile: Option<String>,
    /// Rows to keep, as COLUMN=VALUE,VALUE with several conditions separated by ";", such as kind=HOMICIDE,ROBBERY; iccs=0101 keeps the kinds that the profile gives this code of the ICCS.
    #[schemars(title = "CONDITIONS")]
    pub only: Option<String>,
    /// First day to keep, such as 2019-01-01; an incident belongs to the day on which it starts.
    #[schemars(title = "DATE")]
    pub since: Option<String>,
    /// Last day to keep; --until 2019-12-31 includes that day.
    #[schemars(title = "DATE")]
    pub until: Option<String>,
    /// Time zone of the place, such as America/Bogota; times written with an offset or Z are brought to its clocks.
    #[schemars(title = "ZONE")]
    pub tz: Option<String>,
    /// Layer, table or sheet to read, when the file has several.
    #[schemars(title = "NAME")]
    pub layer: Option<String>,
    /// Character between the fields of a text file: "," ";" "|" or "tab".
    #[schemars(title = "CHARACTER")]
    pub delimiter: Option<String>,
    /// Character encoding of a text file, such as utf-8, latin1 or utf-16.
    #[schemars(title = "NAME")]
    pub encoding: Option<String>,
    /// Decimal mark of the numbers: "point" or "comma".
    #[schemars(title = "point|comma")]
    pub decimal: Option<String>,
    /// Order of day and month in dates such as 03/04/2019: "dmy" or "mdy".
    #[schemars(title = "dmy|mdy")]
    pub date_order: Option<String>,
    /// File with the polygons of the study area; without it, the area around the incidents is used and announced.
    #[schemars(title = "FILE")]
    pub study_area: Option<PathBuf>,
    /// Layer of the study area's file, when it has several.
    #[schemars(title = "NAME")]
    pub study_area_layer: Option<String>,
    /// Read in pieces, for files larger than memory; needs --study-area, --bandwidth as a length, and --cell as a length or --grid.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub stream: bool,
}
