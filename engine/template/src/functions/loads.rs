//! `load_template`, `load_sha256`, `load_base64`, `load_latest_git_commit`.

use base64::Engine as _;
use indexmap::IndexMap;
use minijinja::value::Value;
use minijinja::{Error, State};
use sha2::{Digest, Sha256};

use super::merging::{deep_copy, merge_into};
use super::renders::{locate, render_text, visible};
use crate::binder::{signature, split_named};
use crate::error::ErrorKind;
use crate::failure::{nested, raised, type_error, unreadable, value_error};
use crate::loading::read_template;
use crate::ports::GitHistory;
use crate::scope;
use crate::value::{is_true, new_dict, type_name};

/// What a nested `load_sha256` returns while one is being computed.
const SELF_HASH: &str = "__self_sha256__";

pub(super) fn load_template(state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let (positional, named) = split_named(args);
    let slots = signature("load_template", &["path"], 1).bind(positional)?;
    let path = text(slots[0].as_ref())?;
    load(state, &path, named, false).map(Value::from)
}

pub(super) fn load_sha256(state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let slots = signature("load_sha256", &["path", "digest_len"], 1).bind(args)?;
    if scope::current().hashing {
        return Ok(Value::from(SELF_HASH));
    }
    let content = load(state, &text(slots[0].as_ref())?, Vec::new(), true)?;
    cut_digest(hex_sha256(content.as_bytes()), slots[1].as_ref())
}

fn load(state: &mut State<'_, '_>, name: &str, extra: Vec<(String, Value)>, hashing: bool) -> Result<String, Error> {
    let path = locate(name, state)?;
    let content = read_template(&path).map_err(nested)?;
    let mut names = IndexMap::new();
    for (name, value) in visible(state) {
        names.insert(name, deep_copy(&value, 0)?);
    }
    let all = new_dict(names.into_iter().map(|(name, value)| (Value::from(name), value)).collect());
    let extra = new_dict(extra.into_iter().map(|(name, value)| (Value::from(name), value)).collect());
    merge_into(&all, Some(&extra), 0)?;
    let mut names = IndexMap::new();
    for key in all.try_iter()? {
        names.insert(key.to_string(), all.get_item(&key)?);
    }
    let mut scope = scope::current();
    scope.hashing |= hashing;
    render_text(state.env(), &path.display().to_string(), &content, None, names, scope).map_err(nested)
}

pub(super) fn load_base64(state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let slots = signature("load_base64", &["path", "width"], 1).bind(args)?;
    let path = locate(&text(slots[0].as_ref())?, state)?;
    let bytes = std::fs::read(&path).map_err(|error| nested(unreadable(&path, &error)))?;
    let encoded = base64::engine::general_purpose::STANDARD.encode(bytes);
    match length(slots[1].as_ref())? {
        None | Some(0) => Ok(Value::from(encoded)),
        Some(width) => match usize::try_from(width) {
            Ok(width) => {
                let lines: Vec<_> = encoded.as_bytes().chunks(width).map(String::from_utf8_lossy).collect();
                Ok(Value::from(lines.join("\n")))
            }
            Err(_) => Err(value_error(format!("invalid width {width} (must be > 0)"))),
        },
    }
}

pub(super) fn load_latest_git_commit(
    git: Option<&dyn GitHistory>,
    state: &mut State<'_, '_>,
    args: &[Value],
) -> Result<Value, Error> {
    let slots = signature("load_latest_git_commit", &["path", "sha_len"], 1).bind(args)?;
    let path = locate(&text(slots[0].as_ref())?, state)?;
    let git = git
        .ok_or_else(|| raised(ErrorKind::Runtime, "`load_latest_git_commit` is not available here: no git history"))?;
    let commit = git.latest_commit(&path).map_err(|error| raised(ErrorKind::Value, error))?;
    match slots[1].as_ref().filter(|length| is_true(length).unwrap_or(false)) {
        Some(length) => cut_digest(commit, Some(length)),
        None => Ok(Value::from(commit)),
    }
}

fn text(value: Option<&Value>) -> Result<String, Error> {
    let value = value.cloned().unwrap_or_default();
    if value.is_undefined() {
        return Err(crate::value::undefined(&value));
    }
    value.as_str().map(str::to_owned).ok_or_else(|| type_error(format!("expected a path, not '{}'", type_name(&value))))
}

fn length(value: Option<&Value>) -> Result<Option<i64>, Error> {
    match value {
        None => Ok(None),
        Some(value) if value.is_none() => Ok(None),
        Some(value) => value
            .as_i64()
            .map(Some)
            .ok_or_else(|| type_error("slice indices must be integers or None or have an __index__ method")),
    }
}

pub(crate) fn hex_sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `digest[:length]` of Python.
pub(crate) fn cut_digest(digest: String, wanted: Option<&Value>) -> Result<Value, Error> {
    let Some(wanted) = length(wanted)? else { return Ok(Value::from(digest)) };
    let distance = usize::try_from(wanted.unsigned_abs()).unwrap_or(usize::MAX);
    let end = if wanted < 0 { digest.len().saturating_sub(distance) } else { distance.min(digest.len()) };
    Ok(Value::from(&digest[..end]))
}
