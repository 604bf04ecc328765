//! The benchmark kit: generated projects, the server's own floor, measured runs, one report.
//!
//! Figures of different runs are not compared: a report contains the floor that a bare client
//! reached on the same machine minutes before, and ratios to it.

mod charts;
mod generate;
mod listing;
mod measure;
mod probe;
mod report;

pub use charts::charts;
pub use generate::{Shape, generate, objects};
pub use listing::{Client, listings, registry_client};
pub use measure::{Usage, measure};
pub use probe::{Floor, Floors, probe};
pub use report::{Plan, report};
