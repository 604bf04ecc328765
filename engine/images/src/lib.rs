//! Which image a container gets: fixed images, deployed images, tags of a registry.
//!
//! Pure. Reading files, asking a registry and looking at a cluster is the
//! caller's work; this crate says what to ask for and what the answers mean.
//!
//! * [`filter`]: the version filters of `images.get_image`
//! * [`semver`], [`policy`]: electing one tag, shared with image automation
//! * [`project_policy`]: the policies that a project defines
//! * [`placeholder`]: what `get_image` leaves in rendered text, and finding it again
//! * [`fixed`]: fixed images of flags, files, targets and variables
//! * [`resolve`]: the decision, in steps that ask the registry only when needed
//! * [`listing`]: the entries of `list-images` and of command results
//! * [`template_functions`]: `images.*` and `version.*` for a template engine

pub mod filter;
pub mod fixed;
pub mod go_regex;
pub mod listing;
pub mod loose_version;
pub mod placeholder;
pub mod policy;
pub mod project_policy;
pub mod reference;
pub mod resolve;
pub mod semver;
pub mod template_functions;
