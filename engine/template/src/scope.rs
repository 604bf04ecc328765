//! What the running template may use: its search path and variables.
//!
//! The engine calls its path and method hooks without any context of the
//! render, and compiled templates are shared by all items, so the context of
//! the render that runs on this thread is kept here for its duration.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use minijinja::Error;
use minijinja::value::Value;

use crate::error::ErrorKind;
use crate::failure::raised;
use crate::search::{Found, SearchPath};
use crate::translate::{Purpose, Translated};
use crate::value::{FrozenDict, py_repr};

/// The surroundings of one render.
#[derive(Clone)]
pub(crate) struct Scope {
    pub(crate) search: SearchPath,
    pub(crate) vars: Arc<FrozenDict>,
    /// `load_sha256` is computing: nested calls return a fixed text.
    pub(crate) hashing: bool,
    /// What the compiled templates of files were made from.
    pub(crate) sources: Arc<Sources>,
    pub(crate) purpose: Purpose,
    /// What functions may go through, see [`charge`].
    pub(crate) work: usize,
}

/// The translated templates of this run, by path.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    by_path: Mutex<BTreeMap<String, Arc<Translated>>>,
    /// Files that were rendered once.
    seen: Mutex<BTreeSet<String>>,
}

/// Whether a file is worth keeping compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// Templates name it, so more will.
    Now,
    /// Most files are rendered once in a run.
    FromSecondUse,
}

impl Sources {
    pub(crate) fn insert(&self, path: &str, source: Translated) -> Arc<Translated> {
        let source = Arc::new(source);
        self.by_path.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), source.clone());
        source
    }

    /// The translation of the file at `path` for [`minijinja::Environment::get_template`], if it is kept and its text is
    /// `text`.
    pub(crate) fn keep(
        &self,
        path: &str,
        text: &str,
        keep: Keep,
        translate: impl FnOnce() -> Translated,
    ) -> Option<Arc<Translated>> {
        if let Some(known) = self.get(path) {
            return (known.original == text).then_some(known);
        }
        let first_use = keep == Keep::FromSecondUse
            && self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned());
        if first_use { None } else { Some(self.insert(path, translate())) }
    }

    pub(crate) fn get(&self, path: &str) -> Option<Arc<Translated>> {
        self.by_path.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned()
    }
}

#[derive(Default)]
struct Running {
    scopes: Vec<Scope>,
    missing: Vec<String>,
    last_miss: Option<Miss>,
    /// All that was missing, by key; only when explaining.
    misses: BTreeMap<String, String>,
    /// Why names are undefined.
    names: BTreeMap<String, String>,
    /// Elements and bytes that functions went through, see [`charge`].
    work: usize,
}

/// What looking for a file counts.
const FILE_WORK: usize = 4096;

#[derive(Clone)]
enum Miss {
    Key {
        key: Value,
        parent: Cow<'static, str>,
    },
    /// A filter found nothing.
    Other(String),
}

thread_local! {
    static RUNNING: RefCell<Running> = RefCell::default();
}

/// Runs `render` with `scope` as the current one.
pub(crate) fn enter<R>(scope: Scope, render: impl FnOnce() -> R) -> R {
    struct Leave;
    impl Drop for Leave {
        fn drop(&mut self) {
            RUNNING.with_borrow_mut(|running| {
                running.scopes.pop();
                if running.scopes.is_empty() {
                    *running = Running::default();
                }
            });
        }
    }
    RUNNING.with_borrow_mut(|running| running.scopes.push(scope));
    let _leave = Leave;
    render()
}

/// The current scope; an empty one outside of a render.
pub(crate) fn current() -> Scope {
    RUNNING.with_borrow(|running| running.scopes.last().cloned()).unwrap_or_else(|| Scope {
        search: SearchPath::empty(),
        vars: Arc::default(),
        hashing: false,
        sources: Arc::default(),
        purpose: Purpose::Render,
        work: usize::MAX,
    })
}

/// What the included template at `path` was made from.
pub(crate) fn current_source(path: &str) -> Option<Arc<Translated>> {
    current().sources.get(path)
}

/// Counts work that the engine's fuel does not see: a function may go through
/// millions of elements in one step.
pub(crate) fn charge(amount: usize) -> Result<(), Error> {
    let too_much = RUNNING.with_borrow_mut(|running| {
        running.work = running.work.saturating_add(amount);
        running.scopes.last().is_some_and(|scope| running.work > scope.work)
    });
    if too_much { Err(raised(ErrorKind::Limit, "the template runs too long")) } else { Ok(()) }
}

/// How deep renders are nested (`render`, `load_template`).
pub(crate) fn depth() -> usize {
    RUNNING.with_borrow(|running| running.scopes.len())
}

/// Finds a template for the running one and remembers a failure.
pub(crate) fn find(name: &str, parent: &str) -> Option<PathBuf> {
    // Looking for a file and entering it is worth many steps.
    charge(FILE_WORK).ok()?;
    let parent = (!parent.starts_with('<')).then(|| Path::new(parent));
    match current().search.find(name, parent) {
        Found::File(path) => Some(path),
        Found::Missing(name) => {
            RUNNING.with_borrow_mut(|running| running.missing.push(name));
            None
        }
    }
}

/// The text for a template that is not there, from what was looked for last.
pub(crate) fn not_found_message(detail: &str) -> String {
    RUNNING.with_borrow_mut(|running| {
        let missing = std::mem::take(&mut running.missing);
        if detail.starts_with("tried to include one of multiple") {
            let tried = detail.matches("', '").count() + 1;
            let names = missing[missing.len().saturating_sub(tried)..].join(", ");
            return format!("template none of the templates given were found: {names} not found");
        }
        match missing.last() {
            Some(name) => format!("template {name} not found"),
            None => detail.to_owned(),
        }
    })
}

/// Remembers that `key` was not in a container, for the error that may follow.
pub(crate) fn note_miss(parent: impl Into<Cow<'static, str>>, key: &Value) {
    let miss = Miss::Key { key: key.clone(), parent: parent.into() };
    let explained = (current_purpose() == Purpose::Explain).then(|| (miss.key_text(), miss.message()));
    RUNNING.with_borrow_mut(|running| {
        running.misses.extend(explained);
        running.last_miss = Some(miss);
    });
}

fn current_purpose() -> Purpose {
    RUNNING.with_borrow(|running| running.scopes.last().map_or(Purpose::Render, |scope| scope.purpose))
}

/// Remembers why a filter returns undefined.
pub(crate) fn note_message(message: String) {
    RUNNING.with_borrow_mut(|running| running.last_miss = Some(Miss::Other(message)));
}

/// Remembers why a name is undefined.
pub(crate) fn note_name(name: &str, message: String) {
    RUNNING.with_borrow_mut(|running| running.names.insert(name.to_owned(), message));
}

/// Why a name is undefined, if that is known.
pub(crate) fn name_message(name: &str) -> Option<String> {
    RUNNING.with_borrow(|running| running.names.get(name).cloned())
}

/// The undefined text for `key`, if that is what was missing last.
pub(crate) fn miss_message(key: &str) -> Option<String> {
    let (known, last) = RUNNING.with_borrow(|running| (running.misses.get(key).cloned(), running.last_miss.clone()));
    // Printing a key may need the borrow again.
    known.or_else(|| last.filter(|miss| key == "..." || miss.key_text() == key).map(|miss| miss.message()))
}

/// The undefined text for whatever was missing last.
pub(crate) fn last_miss_message() -> Option<String> {
    RUNNING.with_borrow(|running| running.last_miss.clone()).map(|miss| miss.message())
}

/// The project variable behind a dotted path.
pub(crate) fn variable(path: &str) -> Option<Value> {
    let vars = current().vars;
    let mut parts = path.split('.');
    let mut value = vars.get(parts.next()?)?.thaw();
    for part in parts {
        value = value.get_attr(part).ok().filter(|value| !value.is_undefined())?;
    }
    Some(value)
}

impl Miss {
    /// The key as error messages of the engine spell it; empty where there is none.
    fn key_text(&self) -> String {
        match self {
            Self::Other(_) => String::new(),
            Self::Key { key, .. } => key.as_str().map_or_else(|| key.to_string(), str::to_owned),
        }
    }

    fn message(&self) -> String {
        match self {
            Self::Other(message) => message.clone(),
            Self::Key { key, parent } => match key.as_str() {
                Some(name) => format!("'{parent}' has no attribute '{name}'"),
                None => format!("{parent} has no element {}", py_repr(key)),
            },
        }
    }
}
