//! Mirrors of real repositories, reached through a stand-in for `ssh` that runs git's own server program.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use windlass_git::{CheckoutLimits, Freshness, GitError, GitSettings, Mirror, SshSettings};
use windlass_model::source::{GitReference, GitUrl};

struct Server {
    folder: tempfile::TempDir,
}

impl Server {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ssh = folder.path().join("ssh");
        // The last argument is the command, as it is on the wire.
        fs::write(
            &ssh,
            "#!/bin/sh\necho \"$@\" >> \"$(dirname \"$0\")/ssh.log\"\nfor last; do :; done\nexec sh -c \"$last\"\n",
        )
        .unwrap();
        fs::set_permissions(&ssh, fs::Permissions::from_mode(0o755)).unwrap();
        let server = Self { folder };
        fs::create_dir(server.tree()).unwrap();
        server.git(&["init", "-q", "-b", "main"]);
        server
    }

    fn tree(&self) -> PathBuf {
        self.folder.path().join("shop")
    }

    fn git(&self, arguments: &[&str]) -> String {
        git(&self.tree(), arguments)
    }

    fn commit(&self, file: &str, text: &str) -> String {
        let path = self.tree().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", "x"]);
        self.git(&["rev-parse", "HEAD"])
    }

    fn url(&self) -> GitUrl {
        GitUrl::parse(&format!("ssh://git@git.example.com{}/.git", self.tree().display())).unwrap()
    }

    fn settings(&self) -> GitSettings {
        GitSettings {
            cache_dir: self.folder.path().join("cache"),
            ssh: SshSettings { program: self.folder.path().join("ssh"), ..SshSettings::default() },
            ..GitSettings::default()
        }
    }

    fn open(&self) -> Mirror {
        Mirror::open(&self.url(), &self.settings(), || ()).unwrap().0
    }

    fn connections(&self) -> usize {
        fs::read_to_string(self.folder.path().join("ssh.log")).unwrap_or_default().lines().count()
    }

    fn mirror_dir(&self) -> PathBuf {
        let entries = fs::read_dir(self.folder.path().join("cache/git-mirrors")).unwrap().flatten();
        entries.map(|entry| entry.path()).find(|path| path.is_dir()).unwrap()
    }
}

fn git(dir: &Path, arguments: &[&str]) -> String {
    let identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
    let output = Command::new("git").current_dir(dir).args(identity).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn files(mirror: &Mirror, reference: Option<&GitReference>) -> BTreeMap<String, String> {
    let dir = tempfile::tempdir().unwrap();
    let commit = mirror.resolve(reference).unwrap();
    mirror.check_out(&commit, dir.path(), CheckoutLimits::default()).unwrap();
    assert_eq!(git(dir.path(), &["rev-parse", "HEAD"]), commit.id.to_string());
    let mut found = BTreeMap::new();
    let mut dirs = vec![dir.path().to_path_buf()];
    while let Some(next) = dirs.pop() {
        for entry in fs::read_dir(next).unwrap().flatten() {
            if entry.file_name() == ".git" {
                continue;
            }
            let name = entry.path().strip_prefix(dir.path()).unwrap().display().to_string();
            if entry.file_type().unwrap().is_dir() {
                dirs.push(entry.path());
            } else if entry.file_type().unwrap().is_symlink() {
                found.insert(name, format!("-> {}", fs::read_link(entry.path()).unwrap().display()));
            } else {
                found.insert(name, fs::read_to_string(entry.path()).unwrap());
            }
        }
    }
    found
}

fn map(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
    entries.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

#[test]
fn references_of_every_kind_are_found() {
    let server = Server::new();
    let first = server.commit("a", "1");
    server.git(&["tag", "light"]);
    server.git(&["tag", "-a", "-m", "x", "annotated"]);
    server.commit("sub/b", "2");
    server.git(&["checkout", "-q", "-b", "feature/x"]);
    server.commit("a", "3");
    server.git(&["checkout", "-q", "main"]);
    let mirror = server.open();
    assert_eq!(mirror.default_branch(), Some("refs/heads/main"));
    let of = |reference: GitReference| files(&mirror, Some(&reference));
    assert_eq!(files(&mirror, None), map(&[("a", "1"), ("sub/b", "2")]));
    assert_eq!(of(GitReference::Tag("light".into())), map(&[("a", "1")]));
    assert_eq!(of(GitReference::Tag("annotated".into())), map(&[("a", "1")]));
    assert_eq!(of(GitReference::Branch("feature/x".into())), map(&[("a", "3"), ("sub/b", "2")]));
    assert_eq!(of(GitReference::Commit(first)), map(&[("a", "1")]));
    let missing = |reference: GitReference| mirror.resolve(Some(&reference)).unwrap_err().to_string();
    assert_eq!(missing(GitReference::Branch("nope".into())), "ref {nope  } not found");
    assert_eq!(missing(GitReference::Commit("0".repeat(40))), format!("ref {{  {}}} not found", "0".repeat(40)));
    assert_eq!(missing(GitReference::Commit("abc".into())), "ref {  abc} not found");
}

#[test]
fn an_update_brings_and_removes_references() {
    let server = Server::new();
    server.commit("a", "1");
    server.git(&["branch", "old"]);
    server.open();
    server.git(&["branch", "-m", "old", "old/below"]);
    server.commit("a", "2");
    server.git(&["commit", "-q", "--amend", "-m", "rewritten"]);
    let mirror = server.open();
    assert_eq!(files(&mirror, None), map(&[("a", "2")]));
    let names: Vec<&str> = mirror.refs().keys().map(String::as_str).collect();
    assert_eq!(names, ["refs/heads/main", "refs/heads/old/below"]);
}

#[test]
fn a_young_mirror_is_not_asked_again() {
    let server = Server::new();
    server.commit("a", "1");
    server.open();
    let settings = GitSettings { update_interval: Duration::from_secs(3600), ..server.settings() };
    let before = server.connections();
    let (_, freshness) = Mirror::open(&server.url(), &settings, || panic!("asked")).unwrap();
    assert_eq!((freshness, server.connections()), (Freshness::Recent, before));
}

#[test]
fn what_a_killed_process_left_does_no_harm() {
    let server = Server::new();
    server.commit("a", "1");
    server.open();
    let dir = server.mirror_dir();
    for left in ["refs/heads/main.lock", "HEAD.lock", "objects/pack/.tmpAbC", "objects/pack/pack-1.pack", ".tmpX"] {
        fs::write(dir.join(left), "half").unwrap();
    }
    let unfinished = dir.with_file_name(format!("{}.new-x", dir.file_name().unwrap().display()));
    fs::create_dir_all(unfinished.join("objects")).unwrap();
    server.commit("a", "2");
    assert_eq!(files(&server.open(), None), map(&[("a", "2")]));
    for left in ["refs/heads/main.lock", "HEAD.lock", "objects/pack/.tmpAbC", "objects/pack/pack-1.pack", ".tmpX"] {
        assert!(!dir.join(left).exists(), "{left}");
    }
    assert!(!unfinished.exists());
}

#[test]
fn a_damaged_mirror_is_fetched_anew() {
    let server = Server::new();
    server.commit("a", "1");
    type Damage = fn(&Path);
    let damages: [Damage; 4] = [
        |dir| fs::remove_dir_all(dir.join("objects")).unwrap(),
        |dir| fs::write(dir.join("config"), "[core\n").unwrap(),
        |dir| fs::remove_file(dir.join("HEAD")).unwrap(),
        |dir| {
            for entry in fs::read_dir(dir.join("objects/pack")).unwrap().flatten() {
                fs::remove_file(entry.path()).unwrap();
            }
        },
    ];
    for damage in damages {
        server.open();
        damage(&server.mirror_dir());
        assert_eq!(files(&server.open(), None), map(&[("a", "1")]));
    }
}

#[test]
fn processes_do_not_disturb_each_other() {
    let server = Server::new();
    server.commit("a", "1");
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| assert_eq!(files(&server.open(), None), map(&[("a", "1")])));
        }
    });
}

#[test]
fn limits_of_a_checkout_are_kept() {
    let server = Server::new();
    server.commit("a/b/c", "12345");
    let mirror = server.open();
    let check = |limits: CheckoutLimits| {
        let dir = tempfile::tempdir().unwrap();
        mirror.check_out(&mirror.resolve(None).unwrap(), dir.path(), limits).map_err(|error| error.to_string())
    };
    let whole = CheckoutLimits::default();
    check(whole).unwrap();
    let file = check(CheckoutLimits { file: 4, ..whole }).unwrap_err();
    assert!(file.ends_with("refused to check out `a/b/c`: the file is larger than the limit of 4"), "{file}");
    assert!(check(CheckoutLimits { total: 4, ..whole }).unwrap_err().contains("all files together"));
    assert!(check(CheckoutLimits { entries: 2, ..whole }).unwrap_err().contains("more files"));
    assert!(check(CheckoutLimits { depth: 1, ..whole }).unwrap_err().contains("nested deeper"));
}

/// A tree as no git program would make it: `entry` beside nothing else.
fn commit_tree(server: &Server, entry: &[u8], id: &str) {
    use std::io::Write as _;
    let mut tree = entry.to_vec();
    tree.push(0);
    tree.extend((0..20).map(|i| u8::from_str_radix(&id[2 * i..2 * i + 2], 16).unwrap()));
    let mut child = Command::new("git")
        .current_dir(server.tree())
        .args(["hash-object", "-t", "tree", "-w", "--stdin", "--literally"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&tree).unwrap();
    let output = child.wait_with_output().unwrap();
    let tree = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let commit = server.git(&["commit-tree", "-m", "x", &tree]);
    server.git(&["update-ref", "refs/heads/main", &commit]);
}

#[test]
fn trees_that_lead_away_are_refused() {
    for entry in ["100644 ..", "100644 .git", "100644 a/../../b"] {
        let server = Server::new();
        server.commit("a", "1");
        let blob = server.git(&["rev-parse", "HEAD:a"]);
        commit_tree(&server, entry.as_bytes(), &blob);
        let mirror = server.open();
        let outer = tempfile::tempdir().unwrap();
        let dir = outer.path().join("x/y");
        fs::create_dir_all(&dir).unwrap();
        let error = mirror.check_out(&mirror.resolve(None).unwrap(), &dir, CheckoutLimits::default()).unwrap_err();
        assert!(matches!(error, GitError::Unsafe { .. }), "{entry}: {error}");
        assert!(!outer.path().join("x/b").exists());
    }
}

#[test]
fn links_stay_links() {
    let server = Server::new();
    fs::write(server.tree().join("a"), "1").unwrap();
    std::os::unix::fs::symlink("a", server.tree().join("link")).unwrap();
    server.commit("b", "2");
    assert_eq!(files(&server.open(), None), map(&[("a", "1"), ("b", "2"), ("link", "-> a")]));
}

#[test]
fn a_repository_without_commits_has_no_default_branch() {
    let server = Server::new();
    let error = server.open().resolve(None).unwrap_err();
    assert!(matches!(error, GitError::NoDefaultBranch { .. }), "{error}");
}

#[test]
fn what_ssh_says_is_the_error() {
    let server = Server::new();
    let open = |script: &str| {
        fs::write(server.folder.path().join("ssh"), format!("#!/bin/sh\n{script}\nexit 255\n")).unwrap();
        Mirror::open(&server.url(), &server.settings(), || ()).unwrap_err()
    };
    let changed = open("echo '@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @' >&2");
    assert!(matches!(changed, GitError::HostKeyChanged { .. }), "{changed}");
    let unknown = open("echo 'Host key verification failed.' >&2");
    assert!(matches!(unknown, GitError::HostKeyUnknown { .. }), "{unknown}");
    let other = open("echo 'ssh: connect to host git.example.com port 22: Connection refused' >&2");
    assert!(other.to_string().ends_with("ssh: ssh: connect to host git.example.com port 22: Connection refused"));
    let missing = Mirror::open(
        &server.url(),
        &GitSettings {
            ssh: SshSettings { program: "no/such/ssh".into(), ..SshSettings::default() },
            ..server.settings()
        },
        || (),
    );
    assert!(missing.unwrap_err().to_string().contains("start `no/such/ssh`"));
}

#[test]
fn other_schemes_are_refused() {
    let url = GitUrl::parse("ftp://e.example.com/a/b").unwrap();
    let server = Server::new();
    let error = Mirror::open(&url, &server.settings(), || ()).unwrap_err();
    assert_eq!(error.to_string(), "transport: unsupported scheme \"ftp\"");
}
