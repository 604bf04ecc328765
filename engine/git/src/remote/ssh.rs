//! The git protocol through the `ssh` program, so that the user's agent, keys, jump hosts and host keys work.

use std::io::Read as _;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use gix_transport::Protocol;
use gix_transport::client::git::ConnectMode;
use gix_transport::client::git::blocking_io::Connection;
use windlass_model::source::GitUrl;

use crate::credentials::{SshKey, decoded, known_hosts, ssh_key};
use crate::{GitError, GitSettings};

/// How much of what `ssh` says is kept.
const MAX_MESSAGE: u64 = 64 << 10;

/// A running `ssh`; ended when dropped.
pub(super) struct SshProcess {
    child: Child,
    message: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Drop for SshProcess {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl SshProcess {
    /// What made the connection fail, when `ssh` said it.
    pub(super) fn error(mut self, url: &GitUrl) -> Option<GitError> {
        drop(self.child.stdin.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
        let message = self.message.lock().unwrap_or_else(PoisonError::into_inner).clone();
        explain(&message, url)
    }
}

/// Starts `git-upload-pack` on the host.
pub(super) fn connect(
    url: &GitUrl,
    settings: &GitSettings,
) -> Result<(Connection<ChildStdout, ChildStdin>, SshProcess), GitError> {
    let failed = |message: String| GitError::Ssh { url: url.to_string(), message };
    let path = remote_path(url);
    let arguments = arguments(url, settings).map_err(|reason| failed(reason.to_owned()))?;
    let program = match settings.ssh.program.as_os_str().is_empty() {
        true => Path::new("ssh"),
        false => &settings.ssh.program,
    };
    let mut child = Command::new(program)
        .args(arguments)
        .arg(format!("git-upload-pack {}", quoted(&path)))
        .env("GIT_PROTOCOL", "version=2")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| failed(format!("start `{}`: {error}", program.display())))?;
    let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (Some(input), Some(output), Some(errors)) = pipes else { return Err(failed("no pipes".to_owned())) };
    let message = Arc::new(Mutex::new(String::new()));
    let kept = message.clone();
    let reader = std::thread::spawn(move || {
        let mut errors = errors;
        let mut bytes = Vec::new();
        let _ = errors.by_ref().take(MAX_MESSAGE).read_to_end(&mut bytes);
        *kept.lock().unwrap_or_else(PoisonError::into_inner) = String::from_utf8_lossy(&bytes).into_owned();
        // Whatever follows must not block the program.
        let _ = std::io::copy(&mut errors, &mut std::io::sink());
    });
    let connection =
        Connection::new(output, input, Protocol::V2, path, None::<(String, _)>, ConnectMode::Process, false);
    Ok((connection, SshProcess { child, message, reader: Some(reader) }))
}

/// Everything before the command.
fn arguments(url: &GitUrl, settings: &GitSettings) -> Result<Vec<String>, &'static str> {
    let host = url.host();
    let mut arguments: Vec<String> = Vec::new();
    let mut option = |text: String| arguments.extend(["-o".to_owned(), text]);
    option("SendEnv=GIT_PROTOCOL".into());
    let own = known_hosts(&settings.credentials, url).map(std::slice::from_ref);
    let files = own.unwrap_or(&settings.ssh.known_hosts);
    if !settings.ssh.interactive {
        option("BatchMode=yes".into());
    }
    if settings.ssh.accept_any_host {
        option("StrictHostKeyChecking=no".into());
        option("UserKnownHostsFile=/dev/null".into());
        option("GlobalKnownHostsFile=/dev/null".into());
    } else if !files.is_empty() {
        let files: Vec<String> = files.iter().map(|file| option_path(file)).collect();
        option("StrictHostKeyChecking=yes".into());
        option(format!("UserKnownHostsFile={}", files.join(" ")));
        option("GlobalKnownHostsFile=/dev/null".into());
    } else if settings.ssh.interactive {
        // Asks about new hosts; a changed key is an error in any case.
        option("StrictHostKeyChecking=ask".into());
    } else {
        option("StrictHostKeyChecking=yes".into());
    }
    let key = ssh_key(&settings.credentials, url);
    if let Some(SshKey { file, .. }) = &key {
        option("IdentitiesOnly=yes".into());
        option("IdentityAgent=none".into());
        option(format!("IdentityFile={}", option_path(file)));
    }
    if let Some(port) = url.port() {
        arguments.extend(["-p".to_owned(), port.to_string()]);
    }
    let user = url.user().map(decoded).or_else(|| key.and_then(|key| key.username));
    let destination = user.map_or_else(|| host.clone(), |user| format!("{user}@{host}"));
    if destination.starts_with('-') || host.starts_with('-') {
        return Err("user and host must not begin with `-`");
    }
    arguments.extend(["--".to_owned(), destination.replace(['[', ']'], "")]);
    Ok(arguments)
}

/// A file name inside of an option: `ssh` splits at spaces and expands `%`.
fn option_path(path: &Path) -> String {
    format!("\"{}\"", path.display().to_string().replace('%', "%%"))
}

/// The path on the host; `/~user` is a home folder.
fn remote_path(url: &GitUrl) -> String {
    let path = decoded(url.path());
    match path.strip_prefix("/~") {
        Some(home) => format!("~{home}"),
        None => path,
    }
}

/// For the shell of the host.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''").replace('!', "'\\!'"))
}

fn explain(message: &str, url: &GitUrl) -> Option<GitError> {
    let host = match url.port() {
        Some(port) => format!("[{}]:{port}", url.host()),
        None => url.host(),
    };
    let url = url.to_string();
    if message.contains("REMOTE HOST IDENTIFICATION HAS CHANGED") || message.contains("POSSIBLE DNS SPOOFING") {
        return Some(GitError::HostKeyChanged { url, host });
    }
    if message.contains("Host key verification failed") {
        return Some(GitError::HostKeyUnknown { url, host });
    }
    let lines = message.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("Warning:"));
    let lines: Vec<&str> = lines.collect();
    if lines.is_empty() {
        return None;
    }
    let advice = match message.contains("Permission denied") {
        true => "; give a key with --git-ssh-key-file or KLUCTL_GIT_SSH_KEY, or add one to the agent",
        false => "",
    };
    Some(GitError::Ssh { url, message: format!("{}{advice}", lines.join("; ")) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::GitCredentials;

    fn line(url: &str, settings: &GitSettings) -> String {
        arguments(&GitUrl::parse(url).unwrap(), settings).unwrap().join(" ")
    }

    #[test]
    fn without_a_terminal_nobody_is_asked() {
        let text = line("git@h.x:a", &GitSettings::default());
        assert_eq!(text, "-o SendEnv=GIT_PROTOCOL -o BatchMode=yes -o StrictHostKeyChecking=yes -- git@h.x");
    }

    #[test]
    fn given_host_keys_replace_the_users() {
        let mut settings = GitSettings::default();
        settings.ssh.known_hosts = vec!["a b".into(), "50%".into()];
        settings.ssh.interactive = true;
        let text = line("ssh://git@h.x:2222/a", &settings);
        assert!(text.contains("-o StrictHostKeyChecking=yes -o UserKnownHostsFile=\"a b\" \"50%%\""), "{text}");
        assert!(text.contains("-o GlobalKnownHostsFile=/dev/null"), "{text}");
        assert!(text.ends_with("-p 2222 -- git@h.x") && !text.contains("BatchMode"), "{text}");
        let own = GitCredentials { host: "h.x:2222".into(), known_hosts: Some("own".into()), ..Default::default() };
        settings.credentials = vec![own];
        assert!(line("ssh://git@h.x:2222/a", &settings).contains("UserKnownHostsFile=\"own\""));
    }

    #[test]
    fn a_key_keeps_others_away() {
        let entry = GitCredentials {
            host: "*".into(),
            username: Some("deploy".into()),
            ssh_key: Some("key".into()),
            ..Default::default()
        };
        let settings = GitSettings { credentials: vec![entry], ..Default::default() };
        let text = line("ssh://h.x/a", &settings);
        assert!(text.contains("IdentitiesOnly=yes -o IdentityAgent=none -o IdentityFile=\"key\""), "{text}");
        assert!(text.ends_with("-- deploy@h.x"), "{text}");
    }

    #[test]
    fn options_cannot_be_smuggled_in() {
        for url in ["ssh://-oProxyCommand=x/a", "ssh://-lroot@h/a", "-oProxyCommand=x:a"] {
            let url = GitUrl::parse(url).unwrap();
            assert!(arguments(&url, &GitSettings::default()).is_err(), "{url}");
        }
        assert_eq!(quoted("/a'; rm -rf '"), r"'/a'\''; rm -rf '\'''");
    }

    #[test]
    fn paths_are_those_of_the_host() {
        let path = |url: &str| remote_path(&GitUrl::parse(url).unwrap());
        assert_eq!(path("git@h.x:Team/Shop.git"), "/Team/Shop.git");
        assert_eq!(path("ssh://h/~me/a%20b"), "~me/a b");
    }

    #[test]
    fn what_ssh_says_is_told() {
        let url = GitUrl::parse("ssh://git@h.x:2222/a").unwrap();
        let changed = "@@@\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\nHost key verification failed.";
        let text = explain(changed, &url).unwrap().to_string();
        assert!(text.contains("the SSH host key of `[h.x]:2222` has changed"), "{text}");
        let unknown = "No ED25519 host key is known for h.x.\nHost key verification failed.\n";
        assert!(matches!(explain(unknown, &url), Some(GitError::HostKeyUnknown { .. })));
        let denied = explain("git@h.x: Permission denied (publickey).\n", &url).unwrap().to_string();
        assert!(denied.contains("Permission denied (publickey).; give a key with"), "{denied}");
        assert!(explain("Warning: Permanently added 'h.x'\n", &url).is_none());
    }
}
