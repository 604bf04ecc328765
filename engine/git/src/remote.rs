//! Talks to git servers: lists references and fetches branches and tags into a mirror.

mod http;
mod ssh;

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use gix::bstr::{BString, ByteSlice as _};
use gix::remote::Direction;
use gix::remote::fetch::Tags;
use gix_transport::Protocol;
use gix_transport::client::blocking_io::Transport;
use gix_transport::client::blocking_io::http::Transport as HttpTransport;
use windlass_model::source::GitUrl;

use crate::credentials::{self, Login};
use crate::{GitError, GitSettings};

/// The error behind what the protocol's implementation reports.
#[derive(Clone, Default)]
struct Failure(Arc<Mutex<Option<GitError>>>);

impl Failure {
    /// Keeps the error and gives one that can be passed through foreign code.
    fn put(&self, error: GitError) -> gix::Error {
        let text = error.to_string();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        gix::Error::from_error(std::io::Error::other(text))
    }

    fn take(&self) -> Option<GitError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// What a server's `HEAD` stands for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RemoteHead {
    /// Full name of the default branch.
    pub(crate) branch: Option<BString>,
}

/// Brings all branches and tags of `url` into the bare repository at `mirror`, and removes those that are gone.
pub(crate) fn fetch(mirror: &Path, url: &GitUrl, settings: &GitSettings) -> Result<RemoteHead, GitError> {
    if !matches!(url.scheme(), "http" | "https") && !url.is_ssh() {
        return Err(GitError::Scheme { scheme: url.scheme().to_owned() });
    }
    if url.is_ssh() {
        return fetch_ssh(mirror, url, settings);
    }
    let login = find_login(url, settings);
    match fetch_http(mirror, url, login.clone(), settings) {
        // Helpers run programs, so they are asked only when nothing else helps.
        Err(GitError::Login { status: 401, .. }) if login.is_none() => match helper_login(url, settings) {
            Some(login) => fetch_http(mirror, url, Some(login), settings),
            None => Err(GitError::Login { url: url.to_string(), status: 401, login: None }),
        },
        other => other,
    }
}

fn find_login(url: &GitUrl, settings: &GitSettings) -> Option<Login> {
    let stored = || settings.credential_files.iter().find_map(|file| credentials::stored_login(file, url));
    let netrc = || settings.netrc.as_deref().and_then(|file| credentials::netrc_login(file, url));
    credentials::login(&settings.credentials, url).or_else(stored).or_else(netrc)
}

fn helper_login(url: &GitUrl, settings: &GitSettings) -> Option<Login> {
    settings.credential_helpers.then(|| credentials::helper_login(url)).flatten()
}

fn fetch_http(
    mirror: &Path,
    url: &GitUrl,
    login: Option<Login>,
    settings: &GitSettings,
) -> Result<RemoteHead, GitError> {
    let failure = Failure::default();
    let ca = credentials::ca(&settings.credentials, url);
    let remote = http::HttpRemote::new(url, login, ca, &settings.user_agent, failure.clone())?;
    let address = gix::url::parse(url.without_login().as_str())
        .map_err(|error| GitError::Protocol { url: url.to_string(), message: error.to_string() })?;
    let transport = HttpTransport::new_http(remote, address, Protocol::V2, false);
    receive(mirror, url, transport).map_err(|error| failure.take().unwrap_or(error))
}

fn fetch_ssh(mirror: &Path, url: &GitUrl, settings: &GitSettings) -> Result<RemoteHead, GitError> {
    let (connection, process) = ssh::connect(url, settings)?;
    match receive(mirror, url, connection) {
        Ok(head) => Ok(head),
        Err(error) => Err(process.error(url).unwrap_or(error)),
    }
}

/// The remote's name in messages of the protocol; it is not an address that anybody connects to.
const PLACE: &str = "https://remote.invalid/";

fn receive(mirror: &Path, url: &GitUrl, transport: impl Transport) -> Result<RemoteHead, GitError> {
    let damaged = |message: String| GitError::Damaged { path: mirror.into(), message };
    let failed = |error: gix::Error| GitError::Protocol { url: url.to_string(), message: causes(&error) };
    let repository = crate::mirror::open(mirror)?;
    let specs = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];
    let remote = repository
        .remote_at(PLACE)
        .and_then(|remote| remote.with_refspecs(specs, Direction::Fetch))
        .map_err(|error| damaged(error.to_string()))?
        .with_fetch_tags(Tags::None);
    let head = gix::refspec::parse("HEAD".into(), gix::refspec::parse::Operation::Fetch)
        .map_err(|error| damaged(error.to_string()))?
        .to_owned();
    let options = gix::remote::ref_map::Options { extra_refspecs: vec![head], ..Default::default() };
    let prepared = remote
        .to_connection_with_transport(transport)
        .prepare_fetch(gix::progress::Discard, options)
        .map_err(failed)?;
    let listed = Listed::of(&prepared.ref_map().remote_refs);
    // Before the update: a branch `a` that is gone stands in the way of a branch `a/b`.
    crate::mirror::remove_others(&repository, &listed.names).map_err(damaged)?;
    if listed.names.is_empty() {
        return Ok(RemoteHead::default());
    }
    prepared.receive(gix::progress::Discard, &AtomicBool::new(false)).map_err(failed)?;
    Ok(listed.head)
}

/// What the server has.
struct Listed {
    names: Vec<BString>,
    head: RemoteHead,
}

impl Listed {
    fn of(refs: &[gix::protocol::handshake::Ref]) -> Self {
        use gix::protocol::handshake::Ref;
        let mut listed = Self { names: Vec::new(), head: RemoteHead::default() };
        for reference in refs {
            match reference {
                Ref::Symbolic { full_ref_name, target, .. } | Ref::Unborn { full_ref_name, target } => {
                    if full_ref_name == "HEAD" {
                        listed.head.branch = Some(target.clone());
                    } else if !matches!(reference, Ref::Unborn { .. }) {
                        listed.names.push(full_ref_name.clone());
                    }
                }
                Ref::Peeled { full_ref_name, .. } | Ref::Direct { full_ref_name, .. } => {
                    listed.names.push(full_ref_name.clone());
                }
            }
        }
        listed.names.retain(|name| name.starts_with_str("refs/heads/") || name.starts_with_str("refs/tags/"));
        listed
    }
}

/// The outermost message and the innermost cause, which says what happened.
fn causes(error: &gix::Error) -> String {
    let mut texts = vec![error.to_string()];
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        let text = cause.to_string();
        if texts.last() != Some(&text) {
            texts.push(text);
        }
        next = cause.source();
    }
    texts.join(": ")
}
