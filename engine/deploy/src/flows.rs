//! The commands: each reads like the table of stages.

mod delete;
mod deploy;
mod diff;
mod explain;
mod list;
mod poke;
mod prune;
mod removal;
mod run;
mod validate;

use windlass_model::event::Events;
use windlass_model::result::CommandResult;
use windlass_results::StoreError;

use crate::ports::Ports;
use crate::stop::StopSignal;

pub use delete::{DeleteOptions, delete};
pub use deploy::{DeployOptions, deploy};
pub use diff::{DiffOptions, diff};
pub use explain::{ExplainWhat, ExplainedImage, ExplainedImages, explain_images};
pub use list::{ImageList, ListForm, list_images, list_targets, render};
pub use poke::{PokeOptions, poke_images};
pub use prune::{PruneOptions, prune};
pub use validate::{Validator, validator};

/// What every flow needs beside its request.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    /// Doors to the outside.
    pub ports: Ports<'a>,
    /// Progress and warnings.
    pub events: &'a dyn Events,
    /// Ends the run early.
    pub stop: &'a StopSignal,
}

/// Asks the user; `false` ends the command as `aborted`.
pub type Question<'a, T> = &'a (dyn Fn(&T) -> bool + Send + Sync);

/// Whether the user is asked and whether anything is stored.
pub enum Consent<'a, T: ?Sized> {
    /// Ask first.
    Ask(Question<'a, T>),
    /// `--yes`: go on.
    Given,
    /// `--dry-run`: nothing is stored, so nobody is asked.
    DryRun,
    /// `--dry-run` for those who want to see the plan first.
    ShownDryRun(Question<'a, T>),
}

// Derived, these would demand the same of `T`.
impl<T: ?Sized> Clone for Consent<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> Copy for Consent<'_, T> {}

impl<T: ?Sized> Consent<'_, T> {
    fn is_dry_run(&self) -> bool {
        matches!(self, Self::DryRun | Self::ShownDryRun(_))
    }

    fn allows(&self, subject: &T) -> bool {
        match self {
            Self::Ask(ask) | Self::ShownDryRun(ask) => ask(subject),
            Self::Given | Self::DryRun => true,
        }
    }
}

/// What a command that writes comes to.
#[derive(Debug)]
pub struct Outcome {
    /// What it did; errors included.
    pub result: CommandResult,
    /// Why the result is not in the store although it should be. Events have told so already.
    pub not_stored: Option<StoreError>,
}

/// Error of a refused question.
pub const ABORTED: &str = "aborted";
