//! Flags, environment and config file -> one settings struct per command.
//!
//! Everything below a settings struct is plain data: no stage reads flags, variables or dotfiles. Each value
//! keeps where it came from, so that an error can name it.

mod args;
mod commands;
mod config_file;
mod credentials;
mod helm;
mod image_automation;
mod image_explain;
mod images;
mod inclusion;
mod layers;
mod oci_push;
mod output;
mod project;
pub(crate) mod source;

pub(crate) use commands::{
    ApplySettings, Caution, DeploySettings, DiffSettings, IgnoreSettings, ListImagesSettings, ListTargetsSettings,
    PokeImagesSettings, RemoveSettings, RenderSettings, ResultStoreSettings, TargetCommand, ValidateSettings,
};
pub(crate) use config_file::{ConfigFile, ConfigFileError};
pub(crate) use credentials::{CredentialEntry, Credentials};
pub(crate) use helm::HelmSettings;
pub(crate) use image_automation::{AutomationFormat, AutomationSettings, UpdateMode};
pub(crate) use image_explain::{ExplainSubject, ImageExplainSettings};
pub(crate) use images::ImageSettings;
pub(crate) use layers::{Layers, LayersError};
pub(crate) use oci_push::{OciPushSettings, PushReport};
pub(crate) use output::{OutputFormat, OutputSettings, OutputTarget};
pub(crate) use project::{ConnectionSettings, LocalOverride, OverrideKind, ProjectSettings, TargetSettings};
pub(crate) use source::{SettingError, SettingErrors};
