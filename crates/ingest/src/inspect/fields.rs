//! What the columns of a file hold, whatever role they play.

use std::collections::HashMap;

use brasa_model::ColumnInspection;

use crate::dates::{Hour, Stamp, Time};
use crate::names::words_of;
use crate::numbers::{in_either_notation as number, is_blank};

/// Distinct values that are counted; a column with more is one of numbers, names or ids.
const MAX_DISTINCT: usize = 1000;
/// Frequent values that are shown.
const TOP: usize = 3;
/// Letters of a value that are shown.
const SHOWN: usize = 40;

/// What one column holds, as far as it was read.
#[derive(Default)]
pub(super) struct Gauge {
    rows: u64,
    missing: u64,
    values: HashMap<Box<str>, u64>,
    /// Whether there are more distinct values than are counted.
    many: bool,
    /// The value of the row before, and how many rows have it in a row.
    last: String,
    run: u64,
    range: Option<(f64, f64)>,
}

impl Gauge {
    /// Takes in one more field.
    pub fn add(&mut self, text: &str) {
        self.rows += 1;
        if self.run > 0 && self.last == text {
            self.run += 1;
            return;
        }
        self.end_run();
        self.last.clear();
        self.last.push_str(text);
        self.run = 1;
    }

    fn end_run(&mut self) {
        let run = std::mem::take(&mut self.run);
        let value = self.last.trim();
        if run == 0 {
            return;
        }
        if is_blank(value) {
            self.missing += run;
            return;
        }
        if let Some(number) = number(value) {
            let (low, high) = self.range.unwrap_or((number, number));
            self.range = Some((low.min(number), high.max(number)));
        }
        if self.many {
            // Nothing more is asked of the values.
        } else if let Some(count) = self.values.get_mut(value) {
            *count += run;
        } else if self.values.len() < MAX_DISTINCT {
            self.values.insert(value.into(), run);
        } else {
            self.many = true;
        }
    }

    /// What it holds.
    pub fn finish(mut self, name: &str, role: Option<String>) -> ColumnInspection {
        self.end_run();
        let holds = self.holds();
        let personal = role.is_none() && is_personal(name);
        let mut top: Vec<(String, u64)> = Vec::new();
        let repeats = !self.many && self.values.len() as u64 * 2 <= self.rows - self.missing;
        if repeats && !personal {
            let mut values: Vec<(&Box<str>, &u64)> = self.values.iter().collect();
            values.sort_unstable_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
            top = values.into_iter().take(TOP).map(|(value, count)| (shown(value), *count)).collect();
        }
        let is_numeric = ["number", "integer"].contains(&holds);
        ColumnInspection {
            name: name.to_owned(),
            holds: holds.to_owned(),
            role,
            missing: self.missing,
            distinct: (!self.many).then_some(self.values.len() as u64),
            range: self.range.filter(|_| is_numeric && !personal),
            top,
            personal,
        }
    }

    /// What most of its distinct values are.
    fn holds(&self) -> &'static str {
        if self.values.is_empty() {
            return "empty";
        }
        let share = |passes: &dyn Fn(&str) -> bool| {
            let good = self.values.keys().filter(|value| passes(value)).count();
            good * 10 >= self.values.len() * 9
        };
        let stamp = |text: &str| Time::parse(text).stamp();
        let word = |text: &str| {
            ["true", "false", "yes", "no", "si", "sí", "não", "nao", "y", "n", "s"]
                .contains(&text.to_lowercase().as_str())
        };
        if share(&word) {
            "yes or no"
        } else if share(&|text| stamp(text).is_some_and(Stamp::is_month)) {
            "month"
        } else if share(&|text| {
            stamp(text).is_some_and(|stamp| stamp.has_clock() || stamp.is_day_or_month_only())
                && number(text).is_none()
        }) {
            let clock = self.values.keys().any(|text| stamp(text).is_some_and(Stamp::has_clock));
            if clock { "date and time" } else { "date" }
        } else if share(&|text| {
            number(text).is_some_and(|value| value.fract() == 0.0) && !text.contains(['.', ','])
        }) {
            "integer"
        } else if share(&|text| number(text).is_some()) {
            "number"
        } else if share(&|text| matches!(Hour::parse(text), Hour::At(_))) {
            "time of day"
        } else {
            "text"
        }
    }
}

fn shown(value: &str) -> String {
    match value.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}\u{2026}", &value[..end]),
        None => value.to_owned(),
    }
}

/// Whether the name of a column says that it speaks of a person in a way that could name one.
fn is_personal(name: &str) -> bool {
    const ALWAYS: [&str; 26] = [
        "apellido",
        "apellidos",
        "sobrenome",
        "surname",
        "dni",
        "cedula",
        "curp",
        "rfc",
        "cpf",
        "rg",
        "pasaporte",
        "passaporte",
        "passport",
        "telefono",
        "telefonos",
        "telefone",
        "celular",
        "phone",
        "email",
        "correo",
        "nacimiento",
        "nascimento",
        "birth",
        "ssn",
        "placa",
        "patente",
    ];
    const NAMES: [&str; 5] = ["nombre", "nombres", "nome", "name", "names"];
    const PERSONS: [&str; 17] = [
        "victima",
        "vitima",
        "victim",
        "persona",
        "pessoa",
        "person",
        "imputado",
        "acusado",
        "suspect",
        "suspeito",
        "sospechoso",
        "agresor",
        "denunciante",
        "testigo",
        "testemunha",
        "witness",
        "offender",
    ];
    let words = words_of(name);
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    has(&ALWAYS) || (has(&NAMES) && has(&PERSONS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gauge(values: &[&str]) -> ColumnInspection {
        let mut gauge = Gauge::default();
        values.iter().for_each(|value| gauge.add(value));
        gauge.finish("column", None)
    }

    #[test]
    fn a_column_is_what_most_of_its_values_are() {
        for (values, holds) in [
            (vec!["1", "2", " 3 ", ""], "integer"),
            (vec!["1.5", "2", "3"], "number"),
            (vec!["-75,56", "6,25"], "number"),
            (vec!["2024-01-02", "2024-01-03"], "date"),
            (vec!["2024-01-02 10:00", "2024-01-03 11:00"], "date and time"),
            (vec!["2024-01", "2024-02"], "month"),
            (vec!["21:30", "22:15"], "time of day"),
            (vec!["true", "false"], "yes or no"),
            (vec!["ROBO", "HURTO"], "text"),
            (vec!["", "NULL"], "empty"),
            (vec![], "empty"),
        ] {
            assert_eq!(gauge(&values).holds, holds, "{values:?}");
        }
    }

    #[test]
    fn blanks_are_missing_and_runs_are_counted_like_all_others() {
        let found = gauge(&["a", "a", "", "b", "a", "NA", "b", "a"]);
        assert_eq!((found.missing, found.distinct), (2, Some(2)));
        assert_eq!(found.top, [("a".to_owned(), 4), ("b".to_owned(), 2)]);
        assert_eq!(gauge(&["3", "-1.5", "2"]).range, Some((-1.5, 3.0)));
    }

    #[test]
    fn columns_that_speak_of_persons_show_no_value() {
        for name in ["Nombre de la víctima", "cpf", "VICTIM_NAME", "fecha_nacimiento", "Teléfono"] {
            assert!(is_personal(name), "{name}");
        }
        for name in ["LSOA name", "nombre_barrio", "AREA NAME", "sexo", "edad"] {
            assert!(!is_personal(name), "{name}");
        }
        let mut gauge = Gauge::default();
        ["Ana", "Ana", "Ana", "Eva"].iter().for_each(|value| gauge.add(value));
        assert!(gauge.finish("nombre victima", None).top.is_empty());
    }
}
