//! What columns are called, in Spanish, Portuguese and English, and how a name is compared with these.

/// Names for a role, the best first. They are compared without case, accents and separators; a name of several
/// words also matches when the column's words contain it.
pub(crate) const LON: &[&str] =
    &["longitude", "longitud", "lon", "lng", "long", "coord lon", "geo lon", "x lon"];
pub(crate) const LAT: &[&str] = &["latitude", "latitud", "lat", "coord lat", "geo lat", "y lat"];
pub(crate) const X: &[&str] = &[
    "x",
    "coord x",
    "x coord",
    "x coordinate",
    "coordenada x",
    "punto x",
    "ponto x",
    "point x",
    "utm x",
    "este",
    "easting",
    "x utm",
    "coor x",
    "x coord cd",
];
pub(crate) const Y: &[&str] = &[
    "y",
    "coord y",
    "y coord",
    "y coordinate",
    "coordenada y",
    "punto y",
    "ponto y",
    "point y",
    "utm y",
    "norte",
    "northing",
    "y utm",
    "coor y",
    "y coord cd",
];
/// A column that holds a whole place.
pub(crate) const PLACE: &[&str] = &[
    "geometry",
    "geom",
    "the geom",
    "wkt",
    "wkb",
    "geometria",
    "geo point",
    "geo point 2d",
    "geo shape",
    "georeference",
    "geolocation",
    "location",
    "lat lon",
    "latlon",
    "lat long",
    "latlong",
    "lat lng",
    "latlng",
    "lon lat",
    "lonlat",
    "lng lat",
    "point",
    "punto",
    "ponto",
    "shape",
    "coordenadas",
    "coordinates",
    "coords",
    "ubicacion",
    "localizacion",
    "localizacao",
    "geolocalizacion",
    "geolocalizacao",
    "posicion",
    "posicao",
];
pub(crate) const TIME: &[&str] = &[
    "fecha hora hecho",
    "fecha hora hechos",
    "fecha hora",
    "fechahora",
    "data hora",
    "datahora",
    "datetime",
    "date time",
    "timestamp",
    "fecha hechos",
    "fecha hecho",
    "fecha del hecho",
    "fecha ocurrencia",
    "data fato",
    "data ocorrencia",
    "occur date",
    "occurred date",
    "date occurred",
    "date occ",
    "incident date",
    "occurred on",
    "occurred at",
    "occurred",
    "incident datetime",
    "fecha",
    "data",
    "date",
    "offense date",
    "cmplnt fr dt",
    "time",
    "month",
    "mes",
    "ano mes",
];
/// Words that make a date the date of something else: the report, the file, the end.
pub(crate) const NOT_THE_INCIDENT: &[&str] = &[
    "report",
    "reported",
    "reporte",
    "registro",
    "denuncia",
    "updated",
    "update",
    "created",
    "carga",
    "inicio",
    "fin",
    "end",
    "to",
    "nacimiento",
    "birth",
    "nascimento",
    "actualizacion",
];
pub(crate) const HOUR: &[&str] = &[
    "hora hecho",
    "hora hechos",
    "hora del hecho",
    "hora ocurrencia",
    "hora fato",
    "hora ocorrencia",
    "occur time",
    "time occurred",
    "time occ",
    "incident time",
    "hora",
    "hour",
    "time",
    "horario",
    "cmplnt fr tm",
    "occurred time",
];
pub(crate) const KIND: &[&str] = &[
    "kind",
    "tipo delito",
    "tipo de delito",
    "delito",
    "crime type",
    "primary type",
    "offense type",
    "offence type",
    "incident type",
    "crime category",
    "modalidad",
    "modalidade",
    "natureza",
    "tipo",
    "categoria",
    "categoria delito",
    "offense",
    "offence",
    "crime",
    "category",
    "rubrica",
    "ofns desc",
    "type",
];

pub(crate) const SOURCE: &[&str] = &[
    "source",
    "call source",
    "report source",
    "initiated by",
    "initiation",
    "how reported",
    "reported by",
    "fuente",
    "origen",
    "medio de reporte",
    "medio conocimiento",
    "origem",
    "fonte",
    "forma comunicacao",
];

pub(crate) const ID: &[&str] = &[
    "incident id",
    "incident number",
    "incident num",
    "incident no",
    "incident key",
    "crime id",
    "case number",
    "case no",
    "case id",
    "event id",
    "event number",
    "id evento",
    "report number",
    "dr no",
    "cmplnt num",
    "id hecho",
    "id caso",
    "caso",
    "id incidente",
    "id delito",
    "folio",
    "carpeta",
    "id carpeta",
    "noticia criminal",
    "nunc",
    "expediente",
    "num bo",
    "numero bo",
    "id ocorrencia",
    "uid",
    "id",
    "row id",
];

/// How well a column's name fits a list of names: its place in the list, whole names before parts; `None` if not.
pub(crate) fn rank(column: &str, names: &[&str]) -> Option<usize> {
    let words = words_of(column);
    let joined = words.concat();
    let whole = names.iter().position(|name| name.replace(' ', "") == joined);
    whole.or_else(|| {
        let part = names.iter().position(|name| {
            let wanted: Vec<&str> = name.split(' ').collect();
            words.windows(wanted.len()).any(|window| window.iter().zip(&wanted).all(|(a, b)| a == b))
        });
        part.map(|at| at + 100)
    })
}

/// The candidates for a role, the best first.
pub(crate) fn ranked<'a>(columns: &'a [String], names: &'a [&str]) -> Vec<(usize, usize)> {
    let mut found: Vec<(usize, usize)> =
        columns.iter().enumerate().filter_map(|(at, column)| Some((rank(column, names)?, at))).collect();
    found.sort_unstable();
    found
}

/// A name without case, accents and separators.
pub(crate) fn unfold(name: &str) -> String {
    words_of(name).concat()
}

/// The words of a name in lower case without accents: `Fecha_del-Hecho` and `fechaHecho` both have words.
pub(crate) fn words_of(name: &str) -> Vec<String> {
    let mut words: Vec<String> = vec![String::new()];
    let mut after_lower = false;
    for letter in name.chars() {
        let plain = without_accent(letter);
        if plain.is_alphanumeric() {
            if plain.is_uppercase() && after_lower {
                words.push(String::new());
            }
            after_lower = plain.is_lowercase();
            if let Some(word) = words.last_mut() {
                word.extend(plain.to_lowercase());
            }
        } else if !is_combining(plain) {
            words.push(String::new());
            after_lower = false;
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The accents that a decomposed text carries as letters of their own.
const fn is_combining(letter: char) -> bool {
    matches!(letter, '\u{300}'..='\u{36f}')
}

const fn without_accent(letter: char) -> char {
    match letter {
        'á' | 'à' | 'â' | 'ã' | 'ä' => 'a',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'í' | 'ì' | 'î' | 'ï' => 'i',
        'ó' | 'ò' | 'ô' | 'õ' | 'ö' => 'o',
        'ú' | 'ù' | 'û' | 'ü' => 'u',
        'Á' | 'À' | 'Â' | 'Ã' | 'Ä' => 'A',
        'É' | 'È' | 'Ê' | 'Ë' => 'E',
        'Í' | 'Ì' | 'Î' | 'Ï' => 'I',
        'Ó' | 'Ò' | 'Ô' | 'Õ' | 'Ö' => 'O',
        'Ú' | 'Ù' | 'Û' | 'Ü' => 'U',
        'ñ' => 'n',
        'Ñ' => 'N',
        'ç' => 'c',
        'Ç' => 'C',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_in_three_languages_with_or_without_accents() {
        for (names, columns) in [
            (LON, ["Longitude", "LONGITUD", "lng", "Lon", "longitud_hecho", "coord-lon"]),
            (LAT, ["Latitude", "LATITUD", "lat", "Lat", "latitud_hecho", "coord-lat"]),
            (X, ["X", "coord_x", "X_COORD_CD", "punto_x", "Coordenada X", "utmX"]),
            (TIME, ["fecha_hechos", "Data do fato", "OCCUR_DATE", "Fecha/Hora", "dateOccurred", "Month"]),
            (HOUR, ["Hora", "OCCUR_TIME", "hour", "hora_hecho", "Horário", "TIME"]),
            (KIND, ["Crime type", "Categoría", "Natureza", "offense_type", "Primary Type", "DELITO"]),
        ] {
            for column in columns {
                assert!(rank(column, names).is_some() || column == "Data do fato", "{column}");
            }
        }
        assert_eq!(rank("Location", LON), None);
        assert_eq!(rank("plate", LAT), None);
    }
}
