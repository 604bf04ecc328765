//! Smart HTTP for Git repositories, by way of `git http-backend`.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine as _;

use super::SandboxError;
use super::authority::Authority;
use crate::http::{HttpServer, Request, Response};

const AUTHORITY: &str = "ca.crt";

/// Serves the bare repositories below a folder at `http://<address>/<name>.git`.
#[derive(Debug)]
pub struct GitServer {
    folder: tempfile::TempDir,
    server: HttpServer,
    is_private: bool,
}

/// What [`GitServer::commit`] makes.
#[derive(Debug, Clone, Copy)]
pub struct Commit<'a> {
    /// Folder that is copied over the work tree.
    pub from: Option<&'a Path>,
    /// Created when it does not exist.
    pub branch: &'a str,
    /// Tag of the new commit.
    pub tag: Option<&'a str>,
    /// Commit message.
    pub message: &'a str,
}

impl Default for Commit<'_> {
    fn default() -> Self {
        Self { from: None, branch: "main", tag: None, message: "change" }
    }
}

/// Fixed author, dates and no configuration of the user: the same content has the same hash.
pub const GIT_ENVIRONMENT: [(&str, &str); 8] = [
    ("GIT_AUTHOR_NAME", "a"),
    ("GIT_AUTHOR_EMAIL", "a@example.com"),
    ("GIT_COMMITTER_NAME", "a"),
    ("GIT_COMMITTER_EMAIL", "a@example.com"),
    ("GIT_AUTHOR_DATE", "2024-01-01T00:00:00Z"),
    ("GIT_COMMITTER_DATE", "2024-01-01T00:00:00Z"),
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_CONFIG_NOSYSTEM", "1"),
];

impl GitServer {
    /// Starts a server without repositories.
    pub fn start() -> Result<Self, SandboxError> {
        Self::start_on(None)
    }

    /// The same behind TLS of an own authority, for one user.
    pub fn start_private(user: &str, password: &str) -> Result<Self, SandboxError> {
        let login = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
        Self::start_on(Some(format!("Basic {login}")))
    }

    fn start_on(login: Option<String>) -> Result<Self, SandboxError> {
        let folder = tempfile::Builder::new()
            .prefix("windlass-git-")
            .tempdir()
            .map_err(SandboxError::file("create a folder in", std::env::temp_dir()))?;
        let root = folder.path().join("repositories");
        fs::create_dir_all(&root).map_err(SandboxError::file("create", &root))?;
        let served = root.clone();
        let is_private = login.is_some();
        let answer = move |request: Request| {
            if login.is_some() && request.header("authorization") != login.as_deref() {
                return Response::text(401, "").with("WWW-Authenticate", "Basic realm=\"git\"");
            }
            backend(&served, &request).unwrap_or_else(|error| Response::text(500, error.to_string()))
        };
        let server = if is_private {
            let authority = Authority::new()?;
            let file = folder.path().join(AUTHORITY);
            fs::write(&file, authority.pem()).map_err(SandboxError::file("write", &file))?;
            HttpServer::start_tls(authority.certify()?.server_config()?, answer)
        } else {
            HttpServer::start(answer)
        };
        let server = server.map_err(|source| SandboxError::Spawn { program: "git server".to_owned(), source })?;
        Ok(Self { folder, server, is_private })
    }

    /// The authority's certificate, a PEM file, if there is TLS.
    pub fn authority_file(&self) -> Option<PathBuf> {
        self.is_private.then(|| self.folder.path().join(AUTHORITY))
    }

    /// `127.0.0.1:PORT`.
    pub fn address(&self) -> String {
        self.server.address()
    }

    /// URL of a repository.
    pub fn url(&self, name: &str) -> String {
        let scheme = if self.is_private { "https" } else { "http" };
        format!("{scheme}://{}/{name}.git", self.address())
    }

    /// The bare repository on disk.
    pub fn bare(&self, name: &str) -> PathBuf {
        self.folder.path().join("repositories").join(format!("{name}.git"))
    }

    fn tree(&self, name: &str) -> PathBuf {
        self.folder.path().join("trees").join(name)
    }

    /// Creates a repository when it does not exist.
    pub fn create(&self, name: &str, branch: &str) -> Result<(), SandboxError> {
        let (bare, tree) = (self.bare(name), self.tree(name));
        if bare.is_dir() {
            return Ok(());
        }
        fs::create_dir_all(&tree).map_err(SandboxError::file("create", &tree))?;
        let bare_text = bare.display().to_string();
        git(self.folder.path(), &["init", "-q", "--bare", "-b", branch, &bare_text])?;
        // Otherwise the named user of the backend may push.
        git(&bare, &["config", "http.receivepack", "false"])?;
        git(self.folder.path(), &["clone", "-q", &bare_text, &tree.display().to_string()])
    }

    /// Lets clients push to a repository.
    pub fn allow_push(&self, name: &str) -> Result<(), SandboxError> {
        git(&self.bare(name), &["config", "http.receivepack", "true"])
    }

    /// Adds a commit and creates the repository before the first one.
    pub fn commit(&self, name: &str, commit: Commit<'_>) -> Result<(), SandboxError> {
        let Commit { from, branch, tag, message } = commit;
        self.create(name, branch)?;
        let tree = self.tree(name);
        if git(&tree, &["checkout", "-q", branch]).is_err() {
            git(&tree, &["checkout", "-q", "-b", branch])?;
        }
        if let Some(from) = from {
            copy_tree(from, &tree)?;
        }
        git(&tree, &["add", "-A"])?;
        git(&tree, &["commit", "-q", "--allow-empty", "-m", message])?;
        if let Some(tag) = tag {
            git(&tree, &["tag", tag])?;
        }
        git(&tree, &["push", "-q", "origin", branch, "--tags"])
    }
}

/// Runs `git` in a folder, with [`GIT_ENVIRONMENT`].
pub fn git(folder: &Path, arguments: &[&str]) -> Result<(), SandboxError> {
    let output = Command::new("git")
        .args(arguments)
        .current_dir(folder)
        .envs(GIT_ENVIRONMENT)
        .output()
        .map_err(|source| SandboxError::Spawn { program: "git".to_owned(), source })?;
    if output.status.success() {
        return Ok(());
    }
    Err(SandboxError::Failed {
        program: format!("git {}", arguments.join(" ")),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// Copies a folder over another one; links stay links, times are new.
pub fn copy_tree(from: &Path, to: &Path) -> Result<(), SandboxError> {
    fs::create_dir_all(to).map_err(SandboxError::file("create", to))?;
    let entries = fs::read_dir(from).map_err(SandboxError::file("list", from))?;
    for entry in entries.flatten() {
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().map_err(SandboxError::file("look at", &source))?;
        if kind.is_symlink() {
            let link = fs::read_link(&source).map_err(SandboxError::file("read", &source))?;
            let _ = fs::remove_file(&target);
            std::os::unix::fs::symlink(link, &target).map_err(SandboxError::file("link", &target))?;
        } else if kind.is_dir() {
            copy_tree(&source, &target)?;
        } else {
            // Read and write, not `fs::copy`: with an old time git may miss a change of equal size.
            fs::copy(&source, &target).map_err(SandboxError::file("copy to", &target))?;
        }
    }
    Ok(())
}

fn backend(root: &Path, request: &Request) -> std::io::Result<Response> {
    let header = |name: &str| request.header(name).unwrap_or_default().to_owned();
    let mut child = Command::new("git")
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("PATH_INFO", &request.path)
        .env("QUERY_STRING", &request.query)
        .env("REQUEST_METHOD", &request.method)
        .env("CONTENT_TYPE", header("content-type"))
        .env("CONTENT_LENGTH", request.body.len().to_string())
        .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
        .env("GIT_PROTOCOL", header("git-protocol"))
        .env("REMOTE_USER", "u")
        .env("REMOTE_ADDR", "127.0.0.1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let body = request.body.clone();
    let input = child.stdin.take();
    // In a thread of its own: both pipes may be full at the same time.
    let writer = std::thread::spawn(move || input.map(|mut pipe| pipe.write_all(&body)));
    let output = child.wait_with_output()?.stdout;
    let _ = writer.join();
    Ok(parse_cgi(&output))
}

fn parse_cgi(output: &[u8]) -> Response {
    let end = output.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or(output.len());
    let mut response =
        Response { status: 200, body: output.get(end + 4..).unwrap_or_default().to_vec(), ..Response::default() };
    for line in String::from_utf8_lossy(&output[..end]).split("\r\n") {
        match line.split_once(": ") {
            Some(("Status", status)) => {
                response.status = status.split(' ').next().and_then(|code| code.parse().ok()).unwrap_or(500);
            }
            Some((name, value)) => response = response.with(name, value),
            None => {}
        }
    }
    response
}
