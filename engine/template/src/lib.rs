//! Renders Jinja2 templates the way kluctl projects expect them.
//!
//! The only crate that knows the template engine: its API speaks plain text,
//! paths and [`serde_json::Value`]s. An [`Engine`] lives for one run and keeps
//! compiled templates; a [`Batch`] is the engine with the variables and the
//! search path of one deployment item (or one project file).
//!
//! Registry and git are reached only through the [`Ports`] the caller gives;
//! files are read below the [`SearchPath`] and nowhere else.

mod binder;
mod budget;
mod condition;
mod directory;
mod engine;
mod error;
mod failure;
mod filters;
mod format;
mod functions;
mod ignore_rules;
mod json;
mod loading;
mod methods;
mod operators;
mod ports;
mod printf;
mod scope;
mod search;
mod structure;
mod text;
mod translate;
mod value;
mod vars;
mod yaml;

pub use directory::{DirectoryRequest, FileError, RenderedDir, RenderedFile};
pub use engine::{Batch, Engine, EngineOptions, Limits};
pub use error::{ErrorKind, Frame, TemplateError, TemplatePart};
pub use ports::{DebugSink, GitHistory, ImageFunctions, Ports};
pub use search::SearchPath;
pub use vars::{RESERVED_NAMES, Vars, deep_merge};
