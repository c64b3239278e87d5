//! Where an incident's record comes from. Records that police make on their own, such as stops and arrests, show where police
//! were; they are left out unless asked for.

use std::fmt;

use serde::Deserialize;

use crate::names::unfold;

/// Where a record comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Origin {
    /// A victim or a witness went to report it.
    VictimReport,
    /// Somebody called an emergency number.
    Call,
    /// Police came upon it: patrol, stop, raid, operation.
    OfficerInitiated,
    /// An arrest.
    Arrest,
    /// A hospital, an ambulance or a morgue.
    Health,
    /// Newspapers, networks, neighbours.
    Press,
    /// The file does not say.
    Unknown,
}

impl Origin {
    /// Its name in outputs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::VictimReport => "victim_report",
            Self::Call => "call",
            Self::OfficerInitiated => "officer_initiated",
            Self::Arrest => "arrest",
            Self::Health => "health",
            Self::Press => "press",
            Self::Unknown => "unknown",
        }
    }

    /// Whether the record says where police were rather than where people were harmed.
    pub const fn is_made_by_police(self) -> bool {
        matches!(self, Self::OfficerInitiated | Self::Arrest)
    }

    /// What a value of a source column usually means, in three languages; `None` for a word that is not known.
    pub fn of_word(value: &str) -> Option<Self> {
        let value = unfold(value);
        let (origin, _) = WORDS.iter().find(|(_, words)| words.contains(&value.as_str()))?;
        Some(*origin)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Words of source columns, without case, accents and separators.
const WORDS: [(Origin, &[&str]); 7] = [
    (
        Origin::OfficerInitiated,
        &[
            "officerinitiated",
            "officer",
            "selfinitiated",
            "onview",
            "onviewofficer",
            "onviewevent",
            "proactive",
            "fieldinitiated",
            "patrol",
            "trafficstop",
            "stop",
            "iniciativapolicial",
            "actuaciondeoficio",
            "deoficio",
            "oficio",
            "flagrancia",
            "operativo",
            "operativopolicial",
            "patrullaje",
            "iniciativapropria",
            "flagrante",
            "flagrantedelito",
            "operacaopolicial",
            "operacao",
            "patrulhamento",
        ],
    ),
    (
        Origin::Arrest,
        &[
            "arrest",
            "arrested",
            "custody",
            "detencion",
            "captura",
            "capturado",
            "aprehension",
            "prisao",
            "prisaoemflagrante",
            "detencao",
            "apreensao",
        ],
    ),
    (
        Origin::Call,
        &[
            "call",
            "911",
            "911call",
            "callforservice",
            "citizencall",
            "dispatch",
            "dispatched",
            "phone",
            "telephone",
            "llamada",
            "llamada911",
            "llamadade911",
            "123",
            "066",
            "llamadaciudadana",
            "telefono",
            "ligacao",
            "190",
            "chamada",
            "telefone",
            "disquedenuncia",
        ],
    ),
    (
        Origin::VictimReport,
        &[
            "victim",
            "victimreport",
            "report",
            "reported",
            "walkin",
            "online",
            "onlinereport",
            "citizen",
            "complaint",
            "witness",
            "denuncia",
            "denunciante",
            "victima",
            "ciudadano",
            "querella",
            "presencial",
            "denunciaenlinea",
            "vitima",
            "cidadao",
            "boletimdeocorrencia",
            "boletimeletronico",
            "delegaciaeletronica",
        ],
    ),
    (
        Origin::Health,
        &[
            "hospital",
            "health",
            "ambulance",
            "ems",
            "morgue",
            "salud",
            "ambulancia",
            "medicinalegal",
            "forense",
            "saude",
            "iml",
            "samu",
        ],
    ),
    (
        Origin::Press,
        &[
            "press",
            "media",
            "news",
            "prensa",
            "medios",
            "imprensa",
            "redessociales",
            "redessociais",
            "socialmedia",
        ],
    ),
    (
        Origin::Unknown,
        &[
            "unknown",
            "other",
            "desconocido",
            "otro",
            "sindato",
            "desconhecido",
            "outro",
            "ignorado",
            "naoinformado",
        ],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_mean_the_same_in_three_languages_however_they_are_written() {
        for (word, origin) in [
            ("ON VIEW", Origin::OfficerInitiated),
            ("Iniciativa policial", Origin::OfficerInitiated),
            ("Flagrante", Origin::OfficerInitiated),
            ("911 call", Origin::Call),
            ("Llamada 911", Origin::Call),
            ("Prisão", Origin::Arrest),
            ("Detención", Origin::Arrest),
            ("DENUNCIA", Origin::VictimReport),
            ("Saúde", Origin::Health),
        ] {
            assert_eq!(Origin::of_word(word), Some(origin), "{word}");
        }
        assert_eq!(Origin::of_word("Burglary"), None);
    }

    #[test]
    fn no_word_means_two_things() {
        let mut all: Vec<&str> = WORDS.iter().flat_map(|(_, words)| words.iter().copied()).collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}
