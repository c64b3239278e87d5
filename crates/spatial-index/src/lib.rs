//! Pure functions from incidents to answers: kernel density, clustering, local statistics.
//!
//! This crate knows neither longitude nor latitude, neither disk nor clock nor environment: `(&Incidents,
//! &Params, &Watch) → answer`, the same bits on any number of threads and in any order of rows. Every method works on
//! [`Sites`], the distinct places with their weights.
//!
//! [`METHODS`] is the catalogue. A method is one file under `methods/` and one line below; its subcommand, its
//! flags, its schema and its row in the documentation come out of that line.

pub mod adaptive;
pub mod association;
pub mod at_places;
pub mod bandwidth;
pub mod binomial;
pub mod chi_square;
pub mod choices;
pub mod cluster_significance;
pub mod clusters;
pub mod conditional;
pub mod cores;
pub mod density;
pub mod edge;
pub mod ensemble;
pub mod error;
pub mod groups;
pub mod hierarchy;
pub mod isopleth;
pub mod k_distances;
pub mod k_function;
pub mod kernel_sums;
pub mod kernels;
pub mod methods;
pub mod moments;
pub mod ordering;
pub mod pairs;
pub mod place_tree;
pub mod quadrats;
pub mod raster;
pub mod selection;
pub mod set_covariance;
pub mod shape;
pub mod significance;
pub mod sites;
pub mod sorting;
pub mod tiles;
pub mod watch;
pub mod weights;
pub mod zones;
pub mod zoning;

use brasa_model::{
    Clusters, Curve, Features, Incidents, Isopleths, LocalStats, Risk, Surface, SurfaceSeries,
};
use schemars::Schema;
use serde_json::Value;

pub use choices::{Bandwidth, CellSize, Eps};
pub use error::AnalysisError;
pub use k_function::Stacks;
pub use moments::Moments;
pub use sites::Sites;
pub use watch::Watch;

/// What a method answers with.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Intensity per cell.
    Surface(Surface),
    /// How one pattern differs from another, per cell.
    Risk(Box<Risk>),
    /// Intensity per cell and slice of time.
    SurfaceSeries(SurfaceSeries),
    /// Areas at or above levels of intensity.
    Isopleths(Isopleths),
    /// A statistic per zone.
    LocalStats(LocalStats),
    /// Groups of incidents.
    Clusters(Clusters),
    /// Features with columns of the method's own.
    Features(Features),
    /// A function of one variable.
    Curve(Curve),
}

/// What a reader of the catalogue learns about a method; each method file holds its own.
#[derive(Debug, Clone, Copy, serde::Serialize)]
pub struct About {
    /// The question it answers.
    pub question: &'static str,
    /// Where the definition comes from.
    pub reference: &'static str,
    /// The unit of the main column.
    pub units: &'static str,
    /// How the work grows.
    pub cost: &'static str,
}

/// One method of the catalogue.
pub struct Method {
    /// Its name as a subcommand.
    pub name: &'static str,
    /// The group it belongs to.
    pub group: &'static str,
    /// What it answers with.
    pub answer: &'static str,
    /// What a reader should know.
    pub about: About,
    /// The JSON schema of its parameters; from it come the flags and their help.
    pub schema: fn() -> Schema,
    /// Checks parameters without running, so that a bad one is refused before a file is read.
    pub check: fn(&Value) -> Result<(), AnalysisError>,
    /// Runs it, watched.
    pub run: fn(&Incidents, &Value, &Watch) -> Result<Answer, AnalysisError>,
}

macro_rules! methods {
    ($($name:literal => $group:ident :: $method:ident ( $params:ident ) -> $answer:ident;)*) => {
        /// The catalogue of methods, in the order of the documentation.
        pub static METHODS: &[Method] = &[$(Method {
            name: $name,
            group: stringify!($group),
            answer: stringify!($answer),
            about: methods::$group::$method::ABOUT,
            schema: || schemars::schema_for!(methods::$group::$method::$params),
            check: |value| parameters::<methods::$group::$method::$params>($name, value).map(drop),
            run: |incidents, value, watch| {
                let params = parameters::<methods::$group::$method::$params>($name, value)?;
                methods::$group::$method::$method(incidents, &params, watch).map(|answer| Answer::$answer(answer.into()))
            },
        }),*];
    };
}

methods! {
    "kde"     => density::kde(KdeParams)        -> Surface;
    "bandwidth" => density::bandwidth(BandwidthParams) -> Curve;
    "kde-adaptive" => density::kde_adaptive(KdeAdaptiveParams) -> Surface;
    "kde-ratio" => density::kde_ratio(KdeRatioParams) -> Risk;
    "isopleths" => density::isopleths(IsoplethsParams) -> Isopleths;
    "gi-star" => local::gi_star(GiStarParams)   -> LocalStats;
    "gi" => local::gi(GiParams) -> LocalStats;
    "local-moran" => local::local_moran(LocalMoranParams) -> LocalStats;
    "local-geary" => local::local_geary(LocalGearyParams) -> LocalStats;
    "local-join-count" => local::local_join_count(LocalJoinCountParams) -> LocalStats;
    "rate-eb" => local::rate_eb(RateEbParams) -> LocalStats;
    "moran" => global::moran(MoranParams) -> Curve;
    "geary" => global::geary(GearyParams) -> Curve;
    "general-g" => global::general_g(GeneralGParams) -> Curve;
    "correlogram" => global::correlogram(CorrelogramParams) -> Curve;
    "dbscan"  => cluster::dbscan(DbscanParams)  -> Clusters;
    "st-dbscan" => cluster::st_dbscan(StDbscanParams) -> Clusters;
    "k-distance" => cluster::k_distance(KDistanceParams) -> Curve;
    "dbscan-stability" => cluster::dbscan_stability(DbscanStabilityParams) -> Curve;
    "hdbscan" => cluster::hdbscan(HdbscanParams) -> Clusters;
    "ripley-k" => pattern::ripley_k(RipleyKParams) -> Curve;
    "nearest-neighbour" => pattern::nearest_neighbour(NearestNeighbourParams) -> Curve;
    "centrography" => pattern::centrography(CentrographyParams) -> Features;
    "concentration" => pattern::concentration(ConcentrationParams) -> Curve;
    "quadrat-test" => pattern::quadrat_test(QuadratTestParams) -> Features;
    "pattern-similarity" => pattern::pattern_similarity(PatternSimilarityParams) -> Features;
    "nnh"     => cluster::nnh(NnhParams)        -> Clusters;
    "optics" => cluster::optics(OpticsParams) -> Clusters;
    "reachability" => cluster::reachability(ReachabilityParams) -> Curve;
    "kde-spacetime" => spacetime::kde_spacetime(KdeSpacetimeParams) -> SurfaceSeries;
}

/// The method of that name.
pub fn method(name: &str) -> Option<&'static Method> {
    METHODS.iter().find(|method| method.name == name)
}

/// The parameters of a method, checked.
pub fn parameters<P: serde::de::DeserializeOwned>(
    method: &'static str,
    value: &Value,
) -> Result<P, AnalysisError> {
    serde_path_to_error::deserialize(value)
        .map_err(|error| AnalysisError::Parameter { method, why: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_describes_its_flags_and_defaults() {
        for method in METHODS {
            let schema = (method.schema)().to_value();
            let properties = schema["properties"].as_object().expect("parameters are an object");
            assert!(!properties.is_empty(), "{}", method.name);
            for (flag, property) in properties {
                assert!(property["description"].is_string(), "{} --{flag} has no help", method.name);
            }
            for text in [method.about.question, method.about.reference, method.about.units, method.about.cost]
            {
                assert!(!text.is_empty());
            }
        }
    }
}
