//! The key that identifies a repository whatever the transport (spec 01 section 11.1).

use windlass_model::source::GitUrl;

/// `git://host[:port]/path`, lower case, without default port, `.git` and trailing slash.
///
/// `None` when the text is no URL of a git server (a local path, say).
pub fn repo_key(remote: &str) -> Option<String> {
    GitUrl::parse(remote).ok().map(|url| url.key().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_spellings_of_a_repository_have_one_key() {
        for remote in ["https://git.example.com/Team/shop.git", "git@git.example.com:team/shop.git"] {
            assert_eq!(repo_key(remote).as_deref(), Some("git://git.example.com/team/shop"), "{remote}");
        }
    }

    #[test]
    fn local_paths_have_no_key() {
        for remote in ["/srv/git/a.git", "../a", "file:///srv/a.git", "C:/a", ""] {
            assert_eq!(repo_key(remote), None, "{remote}");
        }
    }
}
