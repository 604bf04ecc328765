//! Logins from the credential helpers that the user's git is configured with.

use std::io::Write as _;
use std::process::{Command, Stdio};

use windlass_model::source::GitUrl;

use super::{Login, decoded};

/// Asks `git credential fill`; `None` without git, without a helper, or when the helper does not know the host.
pub(crate) fn helper_login(url: &GitUrl) -> Option<Login> {
    // Nobody is asked: no terminal, no window.
    let mut child = Command::new("git")
        .args(["-c", "core.askPass=", "credential", "fill"])
        .env("GIT_TERMINAL_PROMPT", "0")
        .env_remove("GIT_ASKPASS")
        .env_remove("SSH_ASKPASS")
        .env_remove("GIT_DIR")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    child.stdin.take()?.write_all(question(url)?.as_bytes()).ok()?;
    let output = child.wait_with_output().ok()?;
    if !output.status.success() {
        return None;
    }
    answer(&String::from_utf8_lossy(&output.stdout))
}

/// `None` for a url that would become a line of its own in the question.
fn question(url: &GitUrl) -> Option<String> {
    let (host, path) = (url.authority(), decoded(url.path()));
    let user = url.user().map(decoded).map(|user| format!("username={user}\n")).unwrap_or_default();
    let is_plain = ![&host, &path, user.trim_end()].iter().any(|text| text.contains(['\n', '\r', '\0']));
    is_plain.then(|| format!("protocol={}\nhost={host}\npath={}\n{user}\n", url.scheme(), path.trim_start_matches('/')))
}

fn answer(text: &str) -> Option<Login> {
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    let (username, password) = (field("username")?, field("password")?);
    Some(Login {
        username: username.to_owned(),
        password: password.to_owned().into(),
        origin: "git's credential helper".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn questions_are_those_of_git() {
        let url = GitUrl::parse("https://me@h:8443/Team/Shop.git").unwrap();
        assert_eq!(question(&url).unwrap(), "protocol=https\nhost=h:8443\npath=Team/Shop.git\nusername=me\n\n");
        assert_eq!(question(&GitUrl::parse("https://h/a%0ahost=evil").unwrap()), None);
    }

    #[test]
    fn answers_need_user_and_password() {
        let login = answer("protocol=https\nusername=me\npassword=a=b\n").unwrap();
        assert_eq!((login.username.as_str(), login.password.expose_secret()), ("me", "a=b"));
        assert!(answer("username=me\n").is_none());
    }
}
