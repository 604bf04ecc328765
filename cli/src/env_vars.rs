//! The process environment, read once at start-up. Nothing else reads `std::env`.
//!
//! | Variable | Meaning |
//! |---|---|
//! | `KLUCTL_<FLAG>[_<n>]` | value of any flag (`--dry-run` is `KLUCTL_DRY_RUN`); indexed ones feed lists in index order |
//! | `WINDLASS_<FLAG>[_<n>]` | the same, and wins over `KLUCTL_` |
//! | `KLUCTL_GIT[_<n>]_*`, `KLUCTL_HELM[_<n>]_*`, `KLUCTL_REGISTRY[_<n>]_*` | credential sets |
//! | `KLUCTL_REGISTRY[_<n>]_MIRRORS` | places that are asked before the registry `…_HOST`, with commas between them |
//! | `KLUCTL_REGISTRY_CACHE_TTL` | keeps tag lists on disk and uses them for this long (`10m`); unset keeps none |
//! | `KLUCTL_CACHE_DIR`, `XDG_CACHE_HOME` | where downloads are kept |
//! | `KLUCTL_BASE_TMP_DIR` | where temporary folders are made |
//! | `COLUMNS` | width of tables, in place of the terminal's |
//! | `NO_COLOR` | no colours when set to anything |
//! | `HOME` | `~/` in paths, config file, kubeconfig |
//! | `KUBECONFIG` | list of kubeconfig files |
//!
//! Every `KLUCTL_X` may be written `WINDLASS_X`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

const PREFIXES: [&str; 2] = ["WINDLASS_", "KLUCTL_"];

/// One variable that feeds a flag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Variable {
    /// Full name, as the user wrote it.
    pub(crate) name: String,
    pub(crate) value: String,
    /// -1 for a name without index.
    index: i64,
    /// Position in [`PREFIXES`]; smaller wins.
    prefix: usize,
}

/// A numbered set of `<PREFIX>[_<n>]_<FIELD>` variables.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct FieldSet {
    /// Name of one variable of the set up to the field, such as `KLUCTL_REGISTRY_1`.
    pub(crate) origin: String,
    /// Field -> value. Values are secrets.
    pub(crate) fields: BTreeMap<String, String>,
}

impl std::fmt::Debug for FieldSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FieldSet").field("origin", &self.origin).field("fields", &self.fields.keys()).finish()
    }
}

/// A copy of the environment's variables.
#[derive(Clone, Default)]
pub(crate) struct Environment {
    variables: BTreeMap<String, String>,
}

impl Environment {
    /// Copies the process environment. Names or values that are not Unicode are taken as far as readable.
    pub(crate) fn of_process() -> Self {
        let readable = |text: OsString| text.to_string_lossy().into_owned();
        Self { variables: std::env::vars_os().map(|(name, value)| (readable(name), readable(value))).collect() }
    }

    /// An environment for tests.
    #[cfg(test)]
    pub(crate) fn of(pairs: &[(&str, &str)]) -> Self {
        Self { variables: pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect() }
    }

    /// A variable as it is.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// `WINDLASS_<name>` or else `KLUCTL_<name>`.
    pub(crate) fn setting(&self, name: &str) -> Option<&str> {
        PREFIXES.iter().find_map(|prefix| self.get(&format!("{prefix}{name}")))
    }

    /// All variables, for the parts that hand them on (credential helpers, `systemEnvVars`).
    pub(crate) fn all(&self) -> &BTreeMap<String, String> {
        &self.variables
    }

    /// Home directory.
    pub(crate) fn home(&self) -> Option<PathBuf> {
        self.get("HOME").or_else(|| self.get("USERPROFILE")).filter(|home| !home.is_empty()).map(PathBuf::from)
    }

    /// Folder of the system for temporary files.
    pub(crate) fn temp_dir(&self) -> PathBuf {
        self.get("TMPDIR").filter(|dir| !dir.is_empty()).map_or_else(std::env::temp_dir, PathBuf::from)
    }

    /// Value of `COLUMNS` when it is a number.
    pub(crate) fn columns(&self) -> Option<usize> {
        self.get("COLUMNS")?.trim().parse().ok()
    }

    /// Whether colours are unwanted.
    pub(crate) fn no_color(&self) -> bool {
        self.get("NO_COLOR").is_some_and(|value| !value.is_empty())
    }

    /// Directories that may hold `config.yaml`; the first one that does counts.
    pub(crate) fn config_dirs(&self) -> Vec<PathBuf> {
        let home = self.home();
        let system = ["/etc/windlass", "/etc/kluctl"].map(PathBuf::from);
        let [windlass, kluctl] = system;
        let own = |name: &str| home.as_ref().map(|home| home.join(name));
        [Some(windlass), own(".windlass"), Some(kluctl), own(".kluctl")].into_iter().flatten().collect()
    }

    /// Variables that feed the list flag `flag`: by index, a `WINDLASS_` one in place of a `KLUCTL_` one of the
    /// same index.
    pub(crate) fn list(&self, flag: &str) -> Vec<Variable> {
        let mut found = self.of_flag(flag);
        found.dedup_by(|later, earlier| later.index == earlier.index && later.prefix != earlier.prefix);
        found
    }

    /// The variable that decides the scalar flag `flag`: the one with the highest index.
    pub(crate) fn scalar(&self, flag: &str) -> Option<Variable> {
        let found = self.of_flag(flag);
        let prefix = found.iter().map(|variable| variable.prefix).min()?;
        found.into_iter().rfind(|variable| variable.prefix == prefix)
    }

    fn of_flag(&self, flag: &str) -> Vec<Variable> {
        let base = flag.to_uppercase().replace('-', "_");
        let mut found: Vec<Variable> = Vec::new();
        for (prefix, text) in PREFIXES.iter().enumerate() {
            let start = format!("{text}{base}");
            let candidates = self.variables.range(start.clone()..).take_while(|(name, _)| name.starts_with(&start));
            for (name, value) in candidates {
                if let Some(index) = index_of(&name[start.len()..]) {
                    found.push(Variable { name: name.clone(), value: value.clone(), index, prefix });
                }
            }
        }
        found.sort_by(|a, b| (a.index, a.prefix, &a.name).cmp(&(b.index, b.prefix, &b.name)));
        found
    }

    /// Sets of `<KLUCTL|WINDLASS>_<subject>[_<n>]_<FIELD>` for the known `fields`, by index.
    pub(crate) fn field_sets(&self, subject: &str, fields: &[&str]) -> Vec<FieldSet> {
        let mut sets: BTreeMap<i64, FieldSet> = BTreeMap::new();
        for prefix in PREFIXES.iter().rev() {
            let start = format!("{prefix}{subject}_");
            for (name, value) in self.variables.range(start.clone()..).take_while(|(name, _)| name.starts_with(&start))
            {
                let rest = &name[start.len()..];
                let Some((index, field)) = numbered_field(rest, fields) else { continue };
                let set = sets.entry(index).or_default();
                set.origin = name[..name.len() - field.len() - 1].to_owned();
                set.fields.insert(field.to_owned(), value.clone());
            }
        }
        sets.into_values().collect()
    }
}

/// `""` is -1, `_7` is 7, anything else is another variable.
fn index_of(suffix: &str) -> Option<i64> {
    if suffix.is_empty() {
        return Some(-1);
    }
    let digits = suffix.strip_prefix('_')?;
    let all_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    all_digits.then(|| digits.parse().unwrap_or(i64::MAX))
}

fn numbered_field<'a>(rest: &'a str, fields: &[&str]) -> Option<(i64, &'a str)> {
    if fields.contains(&rest) {
        return Some((-1, rest));
    }
    let (number, field) = rest.split_once('_')?;
    let index = index_of(&format!("_{number}"))?;
    fields.contains(&field).then_some((index, field))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(found: &[Variable]) -> Vec<&str> {
        found.iter().map(|variable| variable.value.as_str()).collect()
    }

    #[test]
    fn lists_are_in_index_order_with_the_plain_name_first() {
        let env = Environment::of(&[
            ("KLUCTL_ARG_10", "ten"),
            ("KLUCTL_ARG_007", "seven"),
            ("KLUCTL_ARG", "plain"),
            ("KLUCTL_ARG_2", "two"),
        ]);
        assert_eq!(values(&env.list("arg")), ["plain", "two", "seven", "ten"]);
    }

    #[test]
    fn names_that_only_begin_alike_are_other_flags() {
        let env = Environment::of(&[
            ("KLUCTL_ARGS_FROM_FILE", "x"),
            ("KLUCTL_ARG_1A", "x"),
            ("KLUCTL_ARG_", "x"),
            ("KLUCTL_ARG_-1", "x"),
        ]);
        assert_eq!(env.list("arg"), []);
    }

    #[test]
    fn the_windlass_prefix_wins() {
        let env = Environment::of(&[
            ("KLUCTL_ARG_1", "k1"),
            ("WINDLASS_ARG_1", "w1"),
            ("KLUCTL_ARG_2", "k2"),
            ("KLUCTL_TIMEOUT_9", "9m"),
            ("WINDLASS_TIMEOUT", "1m"),
        ]);
        assert_eq!(values(&env.list("arg")), ["w1", "k2"]);
        assert_eq!(env.scalar("timeout").map(|v| v.name).as_deref(), Some("WINDLASS_TIMEOUT"));
    }

    #[test]
    fn the_last_index_decides_a_scalar() {
        let env = Environment::of(&[("KLUCTL_TARGET", "a"), ("KLUCTL_TARGET_3", "b"), ("KLUCTL_TARGET_1", "c")]);
        assert_eq!(env.scalar("target").map(|v| v.value).as_deref(), Some("b"));
        assert_eq!(env.scalar("context"), None);
    }

    #[test]
    fn credential_sets_are_numbered_and_never_shown() {
        let env = Environment::of(&[
            ("KLUCTL_REGISTRY_2_HOST", "b"),
            ("KLUCTL_REGISTRY_HOST", "a"),
            ("KLUCTL_REGISTRY_PASSWORD", "hidden"),
            ("KLUCTL_REGISTRY_2_COLOUR", "x"),
            ("KLUCTL_REGISTRY_X_HOST", "x"),
        ]);
        let sets = env.field_sets("REGISTRY", &["HOST", "PASSWORD"]);
        let origins: Vec<_> = sets.iter().map(|set| set.origin.as_str()).collect();
        assert_eq!(origins, ["KLUCTL_REGISTRY", "KLUCTL_REGISTRY_2"]);
        assert!(!format!("{sets:?}").contains("hidden"));
    }
}
