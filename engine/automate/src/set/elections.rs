//! What the policies chose, as the editor needs it.

use std::collections::BTreeMap;

use windlass_images::project_policy::Address;
use windlass_registry::Repository;

use super::marker::Field;

/// The choice of one policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elected {
    /// The image as configured, without tag.
    pub image: String,
    /// The tag.
    pub tag: String,
    /// Its digest, when the policy wants one.
    pub digest: Option<String>,
    /// The part of the tag that was compared, when it is a version.
    pub version: Option<String>,
}

impl Elected {
    /// `image:tag[@digest]`.
    pub fn reference(&self) -> String {
        let Self { image, tag, digest, .. } = self;
        digest.as_ref().map_or_else(|| format!("{image}:{tag}"), |digest| format!("{image}:{tag}@{digest}"))
    }

    /// What a field becomes; nothing when the election does not have it.
    pub fn field(&self, field: Field) -> Option<String> {
        let Self { image, tag, digest, version } = self;
        let number = |index: usize| {
            let version = version.as_deref()?.trim_start_matches('v');
            let number = version.split(['-', '+']).next()?.split('.').nth(index)?;
            number.bytes().all(|b| b.is_ascii_digit()).then(|| number.to_owned())
        };
        match field {
            Field::Full => Some(self.reference()),
            Field::Tag => Some(tag.clone()),
            Field::Name => Some(image.clone()),
            Field::Digest => digest.clone(),
            Field::Image => Some(format!("{image}:{tag}")),
            Field::ImageDigest => digest.as_ref().map(|digest| format!("{image}@{digest}")),
            Field::Version => version.clone(),
            Field::Major => number(0),
            Field::Minor => number(1),
        }
    }
}

/// What became of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicyState {
    /// It chose.
    Elected(Elected),
    /// It is there and chose nothing; the reason.
    Nothing(String),
}

/// All policies that markers may name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Elections {
    default_namespace: String,
    policies: BTreeMap<Address, PolicyState>,
}

impl Elections {
    /// None yet; markers without a namespace mean `default_namespace`.
    pub fn new(default_namespace: impl Into<String>) -> Self {
        Self { default_namespace: default_namespace.into(), policies: BTreeMap::new() }
    }

    /// Adds a choice; one that makes no valid reference counts as none.
    pub fn elect(&mut self, address: Address, elected: Elected) {
        let state = match Repository::parse(&elected.image) {
            Ok(_) => PolicyState::Elected(elected),
            Err(error) => PolicyState::Nothing(error.to_string()),
        };
        self.policies.insert(address, state);
    }

    /// Adds a policy that chose nothing.
    pub fn none(&mut self, address: Address, reason: impl Into<String>) {
        self.policies.insert(address, PolicyState::Nothing(reason.into()));
    }

    /// The policy that an address means.
    pub fn find(&self, address: &Address) -> Option<&PolicyState> {
        self.policies.get(&self.resolve(address))
    }

    /// The address with the default namespace filled in.
    pub fn resolve(&self, address: &Address) -> Address {
        let Address { namespace, name } = address;
        let namespace = if namespace.is_empty() { &self.default_namespace } else { namespace };
        Address { namespace: namespace.clone(), name: name.clone() }
    }

    /// The addresses, for hints.
    pub fn addresses(&self) -> impl Iterator<Item = &Address> {
        self.policies.keys()
    }

    /// Addresses and states.
    pub fn iter(&self) -> impl Iterator<Item = (&Address, &PolicyState)> {
        self.policies.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_an_election_lacks_are_nothing() {
        let mut elected = Elected { image: "r/a".into(), tag: "v1.2.3".into(), digest: None, version: None };
        assert_eq!(elected.field(Field::Full).as_deref(), Some("r/a:v1.2.3"));
        for field in [Field::Digest, Field::ImageDigest, Field::Version, Field::Major, Field::Minor] {
            assert_eq!(elected.field(field), None, "{field:?}");
        }
        elected.digest = Some("sha256:00".into());
        elected.version = Some("v1.2.3-rc.1".into());
        for (field, wanted) in [
            (Field::Full, "r/a:v1.2.3@sha256:00"),
            (Field::Image, "r/a:v1.2.3"),
            (Field::ImageDigest, "r/a@sha256:00"),
            (Field::Version, "v1.2.3-rc.1"),
            (Field::Major, "1"),
            (Field::Minor, "2"),
        ] {
            assert_eq!(elected.field(field).as_deref(), Some(wanted));
        }
    }

    #[test]
    fn an_invalid_image_elects_nothing() {
        let mut elections = Elections::new("ns");
        let address = Address { namespace: "ns".into(), name: "a".into() };
        let elected = Elected { image: "R/UPPER".into(), tag: "1".into(), digest: None, version: None };
        elections.elect(address, elected);
        let short = Address { namespace: String::new(), name: "a".into() };
        assert!(matches!(elections.find(&short), Some(PolicyState::Nothing(reason)) if reason.contains("UPPER")));
    }
}
