//! What to do when a git repository or an artifact cannot be had.

use std::error::Error;

use windlass_deploy::error::Error as EngineError;
use windlass_deploy::tree::{ProjectError, TreeError};
use windlass_deploy::vars::VarsError;
use windlass_git::GitError;
use windlass_registry::RegistryError;
use windlass_sources::SourceError;

const OWN_LOGINS: &str = "logins that `git` knows are used too: its credential helpers, `~/.git-credentials` and \
                          `~/.netrc`; `--git-username` and `--git-password` come first";

/// The next step, as far as the error is one of a source.
pub(super) fn hint(error: &(dyn Error + 'static)) -> Option<String> {
    of_source(failed_source(error)?)
}

/// Looks into errors that forward to their cause and so have no place of their own in the chain.
fn failed_source<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e SourceError> {
    if let Some(source) = error.downcast_ref() {
        return Some(source);
    }
    if let Some(EngineError::Tree(tree)) = error.downcast_ref() {
        return of_tree(tree);
    }
    if let Some(vars) = error.downcast_ref() {
        return of_vars(vars);
    }
    error.downcast_ref().and_then(of_tree)
}

fn of_tree(error: &TreeError) -> Option<&SourceError> {
    match error {
        TreeError::Source(source) => Some(source),
        TreeError::Includes { source, .. } => of_tree(source),
        TreeError::Vars(vars) | TreeError::Project { source: ProjectError::Vars(vars), .. } => of_vars(vars),
        _ => None,
    }
}

fn of_vars(error: &VarsError) -> Option<&SourceError> {
    match error {
        VarsError::Source(source) => Some(source),
        _ => None,
    }
}

fn of_source(error: &SourceError) -> Option<String> {
    match error {
        SourceError::NoReference { url, .. } => Some(format!(
            "`git ls-remote {url}` lists branches and tags: `ref.branch` is for the former, `ref.tag` for the latter, \
             and `ref.commit` needs the whole hash of a commit that one of them contains"
        )),
        SourceError::OverrideMissing { key, .. } | SourceError::OverrideNotADirectory { key, .. } => Some(format!(
            "the folder of an override counts from the current one; correct it, or leave the flag out to fetch `{key}`"
        )),
        SourceError::OverrideOutside { .. } | SourceError::Folder { .. } => None,
        SourceError::Other(error) => {
            error.downcast_ref().and_then(of_git).or_else(|| error.downcast_ref().and_then(of_registry))
        }
    }
}

fn of_git(error: &GitError) -> Option<String> {
    match error {
        GitError::Login { login: None, .. } | GitError::NotFound { anonymous: true, .. } => Some(OWN_LOGINS.to_owned()),
        GitError::HostKeyUnknown { host, .. } => Some(format!(
            "`ssh-keyscan {host}` shows the key; compare it with what the operator of the host publishes before it is \
             added"
        )),
        GitError::Damaged { path, .. } => {
            Some(format!("remove the folder `{}`; the next run fetches it again", path.display()))
        }
        _ => None,
    }
}

fn of_registry(error: &RegistryError) -> Option<String> {
    match error {
        RegistryError::Unauthorized { host, .. } => Some(format!(
            "`--registry-username {host}=<user>` and `--registry-password {host}=<password>` give a login for one run"
        )),
        RegistryError::ManifestNotFound { .. } => {
            Some("check `url`, `ref.tag` and `ref.digest` of the include; without `ref` the tag is `latest`".to_owned())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_include(source: SourceError) -> Option<String> {
        let inner = TreeError::Includes { dir: "a/b".into(), source: Box::new(TreeError::Source(source)) };
        let outer = TreeError::Includes { dir: "a".into(), source: Box::new(inner) };
        super::super::Advice::of(&EngineError::Tree(outer)).hint
    }

    #[test]
    fn a_login_is_asked_for_where_it_helps() {
        let refused = |login: Option<&str>| {
            let login = login.map(str::to_owned);
            SourceError::other(GitError::Login { url: "https://h/r".into(), status: 401, login })
        };
        assert_eq!(of_include(refused(None)).as_deref(), Some(OWN_LOGINS));
        assert_eq!(of_include(refused(Some("flag"))), None);
        let vars = TreeError::Vars(VarsError::Source(refused(None)));
        assert_eq!(super::super::Advice::of(&EngineError::Tree(vars)).hint.as_deref(), Some(OWN_LOGINS));
    }

    #[test]
    fn references_and_overrides_have_a_next_step() {
        let missing = SourceError::NoReference { reference: "{x  }".into(), url: "https://h/r".into() };
        assert!(of_include(missing).expect("a hint").starts_with("`git ls-remote https://h/r`"));
        let typo = SourceError::OverrideMissing { key: "git://h/r".into(), dir: "../typo".into() };
        assert!(of_include(typo).expect("a hint").ends_with("to fetch `git://h/r`"));
    }

    #[test]
    fn other_errors_have_none() {
        assert_eq!(hint(&EngineError::Refused { message: "aborted" }), None);
        assert_eq!(of_include(SourceError::other(GitError::Scheme { scheme: "ftp".into() })), None);
    }
}
