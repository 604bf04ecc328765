//! `helm-chart.yaml` + values → a file of manifests.
//!
//! [`ChartConfig`] is the model of `helm-chart.yaml`, [`render_chart`] finds the chart (in the project, or among the
//! charts that were pulled before), has it rendered by the [`GoHelper`], and writes the output file, which the
//! item's kustomization then takes as a resource.
//!
//! Not for: rendering the templates in `helm-chart.yaml` and the values file, pulling charts, hooks at deploy time.

mod config;
mod edit;
mod error;
mod git_url;
mod identity;
mod locate;
mod pulled;
mod render;
mod validate;

pub use config::{ChartConfig, ChartSource, DEFAULT_OUTPUT, GitChart, GitRef};
pub use edit::set_version;
pub use error::{ConfigError, HelmError, RenderFailure};
pub use git_url::GitUrl;
pub use identity::ChartMetadata;
pub use locate::{OnDemandCharts, PullFailure, first_escape};
pub use pulled::{BASE_NAME, pulled_base, pulled_dir};
pub use render::{ChartRequest, RenderedChart, Values, render_chart, values_file};
pub use windlass_gohelper::{GoHelper, HelmCapabilities, Lookup, LookupQuestion};
