//! The policies that a project defines under `imageAutomation`, ready to elect.
//!
//! The same entries serve `images.get_image(…, policy="name")` and image
//! automation. Spec 06 14.2 and 14.5.

mod compile;

use std::collections::BTreeMap;
use std::fmt;

use windlass_model::image_automation::ImageAutomation;

use crate::filter::FilterError;
use crate::policy::{Policy, PolicyError, TagFilter};

/// `namespace:name` of a policy or repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    /// May be empty.
    pub namespace: String,
    /// Never empty.
    pub name: String,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { namespace, name } = self;
        if namespace.is_empty() { f.write_str(name) } else { write!(f, "{namespace}:{name}") }
    }
}

/// Whether the digest of the elected tag is wanted too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DigestReflection {
    /// Never.
    #[default]
    Never,
    /// When the tag changes.
    IfNotPresent,
    /// At every run.
    Always,
}

/// One policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectPolicy {
    /// Its address.
    pub address: Address,
    /// The image, without tag.
    pub image: String,
    /// Which tags it sees.
    pub filter: TagFilter,
    /// How it chooses.
    pub policy: Policy,
    /// Whether the digest is wanted.
    pub digest: DigestReflection,
    /// Fields that need more than tags to decide, such as `minimumAge`, by name.
    pub checks: Vec<&'static str>,
    /// Neither elected nor written.
    pub suspend: bool,
}

/// All policies of a project by address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProjectPolicies {
    namespace: String,
    policies: BTreeMap<Address, ProjectPolicy>,
}

impl ProjectPolicies {
    /// Compiles a section.
    pub fn compile(section: &ImageAutomation) -> Result<Self, ProjectPolicyError> {
        compile::compile(section)
    }

    /// In address order.
    pub fn iter(&self) -> impl Iterator<Item = &ProjectPolicy> {
        self.policies.values()
    }

    /// The policy that `name` or `namespace:name` means.
    pub fn find(&self, name: &str) -> Result<&ProjectPolicy, UnknownPolicy> {
        let address = match name.split_once(':') {
            Some((namespace, name)) => Address { namespace: namespace.to_owned(), name: name.to_owned() },
            None => Address { namespace: self.namespace.clone(), name: name.to_owned() },
        };
        self.policies.get(&address).ok_or_else(|| UnknownPolicy {
            name: name.to_owned(),
            known: self.policies.keys().map(ToString::to_string).collect(),
        })
    }
}

/// No policy has the name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownPolicy {
    /// The name.
    pub name: String,
    /// All addresses.
    pub known: Vec<String>,
}

impl fmt::Display for UnknownPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, known } = self;
        match known.as_slice() {
            [] => write!(f, "no policy `{name}`: the project defines none under imageAutomation.policies"),
            known => write!(f, "no policy `{name}`; the project has {}", known.join(", ")),
        }
    }
}

impl std::error::Error for UnknownPolicy {}

/// One step from the section to the broken value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigStep {
    /// A key.
    Key(&'static str),
    /// An index.
    Index(usize),
}

/// An entry that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectPolicyError {
    /// From the section to the value.
    pub path: Vec<ConfigStep>,
    /// What is wrong there.
    pub reason: EntryProblem,
}

impl fmt::Display for ProjectPolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("imageAutomation")?;
        for step in &self.path {
            match step {
                ConfigStep::Key(key) => write!(f, ".{key}")?,
                ConfigStep::Index(index) => write!(f, "[{index}]")?,
            }
        }
        write!(f, ": {}", self.reason)
    }
}

impl std::error::Error for ProjectPolicyError {}

/// What is wrong with an entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryProblem {
    /// A required field is missing or empty.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// Both `repository` and `image`, or none.
    #[error("exactly one of `repository` and `image` must be set")]
    ImageOrRepository,
    /// `repository` names nothing.
    #[error("no repository `{name}`{}", known_repositories(known))]
    UnknownRepository {
        /// The name.
        name: String,
        /// All addresses.
        known: Vec<String>,
    },
    /// Not exactly one way to select.
    #[error("exactly one way to select must be given, not {}", if found.is_empty() { "none".to_owned() } else { found.join(" and ") })]
    SelectOne {
        /// Those that were given.
        found: Vec<&'static str>,
    },
    /// The same address twice.
    #[error("`{address}` is defined twice, before as {what}[{first}]")]
    Twice {
        /// The address.
        address: String,
        /// `policies` or `repositories`.
        what: &'static str,
        /// Index of the first.
        first: usize,
    },
    /// An image with tag or digest.
    #[error("the image `{0}` must not have a tag or digest")]
    TaggedImage(String),
    /// A text that is none of the possible ones.
    #[error("`{found}` is not possible here, use {}", wanted.join(", "))]
    Choice {
        /// The text.
        found: String,
        /// What would be right.
        wanted: &'static [&'static str],
    },
    /// A pattern, range or order.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// A format or tag.
    #[error(transparent)]
    Filter(#[from] FilterError),
}

fn known_repositories(known: &[String]) -> String {
    if known.is_empty() {
        ": imageAutomation.repositories is empty".into()
    } else {
        format!("; there is {}", known.join(", "))
    }
}
