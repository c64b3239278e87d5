//! From groups of places to clusters as they are reported: numbered, measured, outlined, and compared with chance.

use std::collections::BTreeMap;

use brasa_model::{Cluster, Clusters, Excess, Incidents, Note, Provenance, Scores, Timing};
use geo::Coord;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::cluster_significance::{Background, Null, Region};
use crate::selection::Selection;
use crate::shape::{Outline, ellipse, mean_centre, medoid};
use crate::{AnalysisError, Sites, Watch};

/// What is told of clusters, whichever way they were found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ClusterParams {
    /// What is drawn around a cluster: concave, convex or ellipse
    pub outline: Outline,
    /// Which incidents are clustered: kind=A,B or since=DATE or until=DATE, or several separated by ";"; all when absent
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cases: Option<Selection>,
    /// What chance draws the cases from: a selection like that of --cases, or all; when absent, chance spreads them evenly over the study area
    #[serde(skip_serializing_if = "Option::is_none")]
    pub background: Option<Background>,
    /// How many worlds are made by chance and clustered in the same way for p, such as 99; with 0 there is no p
    pub simulations: u32,
    /// Where chance begins; the same seed gives the same p
    pub seed: u64,
}

impl Default for ClusterParams {
    fn default() -> Self {
        Self { outline: Outline::Concave, cases: None, background: None, simulations: 0, seed: 1 }
    }
}

/// What a way of clustering makes of incidents.
pub struct Grouping {
    /// Their places.
    pub sites: Sites,
    /// Per site: the same number for the sites of one cluster, `None` for noise.
    pub group: Vec<Option<u32>>,
    /// Clusters of clusters: for each order from the second, the group of each site.
    pub higher: Vec<Vec<Option<u32>>>,
    /// Per site: whether it is a core.
    pub core: Vec<bool>,
    /// How far an outline reaches beyond its places, in metres.
    pub margin: f64,
    /// Scores, of a way of clustering that gives them.
    pub scores: Option<SiteScores>,
    /// What was noticed on the way.
    pub notes: Vec<Note>,
}

/// How firmly sites belong.
pub struct SiteScores {
    /// Per site, from 0 to 1.
    pub membership: Vec<f64>,
    /// Per site, from 0 to 1.
    pub outlier: Vec<f64>,
    /// Per group.
    pub stability: Vec<f64>,
}

/// The sites of one cluster.
pub(crate) struct Members {
    order: u32,
    sites: Vec<usize>,
    weight: f64,
}

impl Grouping {
    /// Groups without orders, scores or notes.
    pub const fn plain(sites: Sites, group: Vec<Option<u32>>, core: Vec<bool>, margin: f64) -> Self {
        Self { sites, group, higher: Vec::new(), core, margin, scores: None, notes: Vec::new() }
    }

    /// The clusters of each order, and within an order from the heaviest; of two equally heavy ones the southern-most first.
    fn members(&self) -> Vec<Members> {
        let orders = std::iter::once(&self.group).chain(&self.higher).zip(1..);
        orders.flat_map(|(group, order)| members_of(&self.sites, group, order)).collect()
    }

    pub(crate) fn regions(&self) -> Vec<Region> {
        self.members().into_par_iter().map(|members| self.region(&members)).collect()
    }

    fn region(&self, members: &Members) -> Region {
        Region::new(&self.places(members).0, members.weight, self.margin)
    }

    /// The distinct places of a cluster, and their weights. Where sites are moments a place is there once per time, in a row.
    fn places(&self, members: &Members) -> (Vec<Coord<f64>>, Vec<f64>) {
        let (mut places, mut weights): (Vec<Coord<f64>>, Vec<f64>) = (Vec::new(), Vec::new());
        for &site in &members.sites {
            let place = Coord { x: self.sites.x[site], y: self.sites.y[site] };
            match weights.last_mut() {
                Some(weight) if places.last() == Some(&place) => *weight += self.sites.weight[site],
                _ => {
                    places.push(place);
                    weights.push(self.sites.weight[site]);
                }
            }
        }
        (places, weights)
    }
}

/// The clusters that a group per site makes, from the heaviest.
fn members_of(sites: &Sites, group: &[Option<u32>], order: u32) -> Vec<Members> {
    let mut found: BTreeMap<u32, (f64, Vec<usize>)> = BTreeMap::new();
    for (site, root) in group.iter().enumerate().filter_map(|(site, root)| Some((site, (*root)?))) {
        let (weight, members) = found.entry(root).or_default();
        *weight += sites.weight[site];
        members.push(site);
    }
    let mut found: Vec<(f64, Vec<usize>)> = found.into_values().collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    found.into_iter().map(|(weight, sites)| Members { order, sites, weight }).collect()
}

/// Per site, the number of its cluster.
fn numbered<'a>(members: impl IntoIterator<Item = &'a Members>, sites: usize) -> Vec<Option<u32>> {
    let mut of_site = vec![None; sites];
    for (members, number) in members.into_iter().zip(1..) {
        members.sites.iter().for_each(|&site| of_site[site] = Some(number));
    }
    of_site
}

/// The number of each site's cluster, from 1 for the heaviest, given a group per site.
pub(crate) fn numbers(sites: &Sites, group: &[Option<u32>]) -> Vec<Option<u32>> {
    numbered(&members_of(sites, group, 1), sites.len())
}

/// The incidents that are to be clustered, and what they are to be compared with.
pub struct Cases<'a> {
    null: Null,
    notes: Vec<Note>,
    params: &'a ClusterParams,
    /// How many incidents there are, cases or not.
    all: usize,
}

impl<'a> Cases<'a> {
    /// The cases among the incidents: all, or those that are chosen.
    pub fn of(incidents: &Incidents, params: &'a ClusterParams) -> Result<Self, AnalysisError> {
        let (null, notes) = Null::new(incidents, params)?;
        Ok(Self { null, notes, params, all: incidents.len() })
    }

    /// The cases.
    pub const fn incidents(&self) -> &Incidents {
        &self.null.cases
    }

    /// Takes up what was chosen before the clustering.
    pub fn noticed(&mut self, notes: impl IntoIterator<Item = Note>) {
        self.notes.extend(notes);
    }

    /// The clusters that `group` makes of the cases, described and compared with what it makes of worlds made by chance. So what
    /// `group` does may depend on nothing but the incidents that it is given. Nobody watches it in a world of chance, where the
    /// worlds are what is counted.
    pub fn clusters(
        self,
        mut provenance: Provenance,
        watch: &Watch,
        group: impl Fn(&Incidents, &Watch) -> Result<Grouping, AnalysisError> + Sync,
    ) -> Result<Clusters, AnalysisError> {
        let Self { null, mut notes, params, all } = self;
        let found = group(&null.cases, watch)?;
        let members = found.members();
        let regions: Vec<Region> = members.par_iter().map(|members| found.region(members)).collect();
        let total = found.sites.total_weight();
        let excess = null.excess(&regions, total, &group, watch, &mut notes)?;
        let described: Vec<Cluster> = members
            .par_iter()
            .zip(&regions)
            .zip(excess)
            .enumerate()
            .map(|(at, ((members, region), excess))| {
                let share = if total > 0.0 { members.weight / total } else { 0.0 };
                describe(&found, (at as u32 + 1, members), share, (params.outline, region), excess)
            })
            .collect();

        let first = members.iter().take_while(|members| members.order == 1);
        let of_site = numbered(first, found.sites.len());
        let per_incident = PerIncident { null: &null, found: &found, all };
        provenance.parameters["outline"] = json!(params.outline);
        provenance.parameters["outline_margin_m"] = json!(found.margin);
        provenance.parameters["cases"] = json!(params.cases);
        provenance.parameters["background"] = json!(params.background);
        provenance.parameters["simulations"] = json!(params.simulations);
        provenance.seed = (params.simulations > 0).then_some(params.seed);
        let mut clusters = Clusters {
            labels: per_incident.of(&of_site, None),
            core: per_incident.of(&found.core, false),
            clustered: null.positions.len(),
            clusters: described,
            scores: found.scores.as_ref().map(|scores| per_incident.scores(scores, &members)),
            provenance,
            notes,
        };
        tell_times(&mut clusters, &members, &found, &null.cases);
        clusters.notes.extend(found.notes);
        Ok(clusters)
    }
}

/// Brings what is known of sites to the incidents on them.
struct PerIncident<'a> {
    null: &'a Null,
    found: &'a Grouping,
    all: usize,
}

impl PerIncident<'_> {
    /// The value of its site for each case, and `other` for what is no case.
    fn of<T: Copy>(&self, of_site: &[T], other: T) -> Vec<T> {
        let mut values = vec![other; self.all];
        for (&incident, &site) in self.null.positions.iter().zip(&self.found.sites.of_incident) {
            values[incident] = of_site[site as usize];
        }
        values
    }

    fn scores(&self, scores: &SiteScores, members: &[Members]) -> Scores {
        let group = |members: &Members| self.found.group[*members.sites.first()?];
        let stability = |members| group(members).map_or(f64::NAN, |group| scores.stability[group as usize]);
        Scores {
            membership: self.of(&scores.membership, 0.0),
            outlier: self.of(&scores.outlier, f64::NAN),
            stability: members.iter().map(stability).collect(),
        }
    }
}

/// What is told of one cluster without times.
fn describe(
    found: &Grouping,
    (number, members): (u32, &Members),
    share: f64,
    (outline, region): (Outline, &Region),
    excess: Excess,
) -> Cluster {
    let (places, weights) = found.places(members);
    let incidents = members.sites.iter().map(|&site| u64::from(found.sites.count[site])).sum();
    let mean_centre = mean_centre(&places, &weights);
    let ellipse = ellipse(&places, &weights, incidents);
    Cluster {
        number,
        order: members.order,
        incidents,
        sites: places.len() as u64,
        weight: members.weight,
        share,
        mean_centre,
        medoid: medoid(&places, &weights).map_or(mean_centre, |at| places[at]),
        ellipse,
        outline: outline.around(&region.outline, &places, found.margin, mean_centre, ellipse),
        period: None,
        peak: None,
        excess,
    }
}

/// When the incidents of each cluster happened.
fn tell_times(clusters: &mut Clusters, members: &[Members], found: &Grouping, cases: &Incidents) {
    let Some(times) = cases.times.as_ref() else { return };
    let mut timing = vec![Timing::default(); members.len()];
    let mut of_site = vec![None; found.sites.len()];
    let mut next = 0;
    for order in members.chunk_by(|a, b| a.order == b.order) {
        of_site.fill(None);
        for (members, at) in order.iter().zip(next..) {
            members.sites.iter().for_each(|&site| of_site[site] = Some(at));
        }
        for (&site, &time) in found.sites.of_incident.iter().zip(times.intervals()) {
            if let Some(at) = of_site[site as usize] {
                timing[at].add(time);
            }
        }
        next += order.len();
    }
    for (cluster, timing) in clusters.clusters.iter_mut().zip(timing) {
        cluster.period = timing.period();
        cluster.peak = timing.peak();
    }
}
