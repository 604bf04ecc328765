//! Logins in the files of other programs: git's credential store and netrc.

use std::path::Path;

use url::Url;
use windlass_model::source::GitUrl;

use super::{Login, decoded};

/// The login of a `.git-credentials` file; `None` when there is none, or no file.
pub(crate) fn stored_login(file: &Path, url: &GitUrl) -> Option<Login> {
    let text = std::fs::read_to_string(file).ok()?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.filter_map(|line| Url::parse(line).ok()).find_map(|stored| of_line(&stored, url, file))
}

fn of_line(stored: &Url, url: &GitUrl, file: &Path) -> Option<Login> {
    let host = GitUrl::parse(&format!("{}://{}/", stored.scheme(), stored.host_str()?)).ok()?.host();
    let port = stored.port();
    let same = stored.scheme() == url.scheme() && host == url.host() && port == url.port();
    let user = decoded(stored.username());
    let user_fits = url.user().is_none_or(|wanted| decoded(wanted) == user);
    let password = stored.password().filter(|password| !password.is_empty())?;
    (same && user_fits && !user.is_empty()).then(|| Login {
        username: user,
        password: decoded(password).into(),
        origin: format!("`{}`", file.display()),
    })
}

/// The login of a netrc file; `default` entries count, macros do not.
pub(crate) fn netrc_login(file: &Path, url: &GitUrl) -> Option<Login> {
    let text = std::fs::read_to_string(file).ok()?;
    let mut tokens = text.lines().filter(|line| !line.trim_start().starts_with('#')).flat_map(str::split_whitespace);
    let (mut is_for, mut user, mut password) = (false, None, None);
    let done = |is_for: bool, user: &Option<String>, password: &Option<String>| {
        let (user, password) = (user.clone()?, password.clone()?);
        let fits = is_for && url.user().is_none_or(|wanted| decoded(wanted) == user);
        fits.then(|| Login { username: user, password: password.into(), origin: format!("`{}`", file.display()) })
    };
    while let Some(token) = tokens.next() {
        match token {
            "machine" | "default" => {
                if let Some(login) = done(is_for, &user, &password) {
                    return Some(login);
                }
                is_for = token == "default" || tokens.next().is_some_and(|host| host.to_lowercase() == url.host());
                (user, password) = (None, None);
            }
            "login" => user = tokens.next().map(str::to_owned),
            "password" => password = tokens.next().map(str::to_owned),
            _ => {}
        }
    }
    done(is_for, &user, &password)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn of(read: fn(&Path, &GitUrl) -> Option<Login>, text: &str, url: &str) -> Option<(String, String)> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        std::fs::write(&file, text).unwrap();
        let login = read(&file, &GitUrl::parse(url).unwrap())?;
        Some((login.username, login.password.expose_secret().to_owned()))
    }

    fn pair(user: &str, password: &str) -> Option<(String, String)> {
        Some((user.to_owned(), password.to_owned()))
    }

    #[test]
    fn stored_logins_are_found_by_host_and_user() {
        let text = "# c\nhttps://a:1@other\nhttps://me@h\nhttps://a:p%3A2@h\nhttps://b:3@h/x\nhttp://c:4@h:8080\n";
        let stored = |url: &str| of(stored_login, text, url);
        assert_eq!(stored("https://h/x"), pair("a", "p:2"));
        assert_eq!(stored("https://b@h/y"), pair("b", "3"));
        assert_eq!(stored("http://h:8080/y"), pair("c", "4"));
        assert_eq!(stored("https://h:8080/y"), None);
        assert_eq!(stored("https://nobody@h/y"), None);
    }

    #[test]
    fn machines_of_netrc_are_found() {
        let text = "machine h login a password 1\nmachine g\n  login b\n  password 2\ndefault login c password 3\n";
        let netrc = |url: &str| of(netrc_login, text, url);
        assert_eq!(netrc("https://h/x"), pair("a", "1"));
        assert_eq!(netrc("https://G:444/x"), pair("b", "2"));
        assert_eq!(netrc("https://other/x"), pair("c", "3"));
        assert_eq!(netrc("https://z@h/x"), None);
    }

    #[test]
    fn a_missing_file_has_no_logins() {
        let url = GitUrl::parse("https://h/a").unwrap();
        assert!(stored_login(Path::new("no/such/file"), &url).is_none());
        assert!(netrc_login(Path::new("no/such/file"), &url).is_none());
    }
}
