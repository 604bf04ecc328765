//! Runs a command on a pseudo terminal and answers its questions.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::thread;
use std::time::Duration;

use regex::Regex;
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use super::normal::regex;

static CONTROL: LazyLock<Regex> = LazyLock::new(|| regex(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b[=>]"));

/// Exit code, and what the terminal showed: each line once, without control sequences.
pub(super) fn run(mut command: Command, answers: &[String]) -> std::io::Result<(i32, String)> {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    tcsetwinsize(&master, Winsize { ws_row: 50, ws_col: 120, ws_xpixel: 0, ws_ypixel: 0 })?;
    let name = ptsname(&master, Vec::new())?;
    let slave = File::from(rustix::fs::open(&name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty())?);
    command.env("TERM", "xterm");
    command.stdin(Stdio::from(slave.try_clone()?)).stdout(Stdio::from(slave.try_clone()?));
    let mut child = command.stderr(Stdio::from(slave)).spawn()?;
    // The command keeps the other side open, or the end would never be seen.
    drop(command);
    let shown = converse(&mut File::from(master), answers)?;
    let status = child.wait()?;
    Ok((status.code().unwrap_or(-1), visible(&String::from_utf8_lossy(&shown))))
}

fn converse(terminal: &mut File, answers: &[String]) -> std::io::Result<Vec<u8>> {
    let (mut shown, mut asked) = (Vec::new(), 0);
    let mut answers = answers.iter();
    let mut buffer = [0; 65_536];
    // The end of a terminal is an error (EIO) on Linux.
    while let Ok(count @ 1..) = terminal.read(&mut buffer) {
        shown.extend_from_slice(&buffer[..count]);
        if !String::from_utf8_lossy(&shown[asked..]).contains("(y/N)") {
            continue;
        }
        let Some(answer) = answers.next() else { continue };
        asked = shown.len();
        // A program that has just written its question may not read yet.
        thread::sleep(Duration::from_millis(300));
        for key in answer.chars() {
            terminal.write_all(key.to_string().as_bytes())?;
            thread::sleep(Duration::from_millis(50));
        }
    }
    Ok(shown)
}

fn visible(shown: &str) -> String {
    let text = CONTROL.replace_all(shown, "").replace("\r\n", "\n");
    let mut lines: Vec<&str> = Vec::new();
    for line in text.split('\n') {
        let line = line.rsplit('\r').next().unwrap_or_default().trim_end();
        let spinner = line.chars().next().is_none_or(|c| ('\u{2800}'..='\u{28ff}').contains(&c));
        if !spinner && !lines.contains(&line) {
            lines.push(line);
        }
    }
    // Half typed answers; the answered question is a line of its own.
    lines.into_iter().filter(|line| !line.starts_with('?')).flat_map(|line| [line, "\n"]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_answered_and_size_is_seen() {
        let mut command = Command::new("sh");
        command.args(["-c", "stty size; printf 'go? (y/N) '; read a; echo \"got $a\""]);
        let (code, shown) = run(command, &["y\r".to_owned()]).expect("a terminal");
        assert_eq!(code, 0);
        assert!(shown.contains("50 120\n"), "{shown}");
        assert!(shown.contains("got y\n"), "{shown}");
    }

    #[test]
    fn lines_are_shown_once_without_control_sequences() {
        let shown = "\u{1b}[32mok\u{1b}[0m\r\nok\r\n\u{2807} busy\r\nold\rnew\r\n? half\r\n";
        assert_eq!(visible(shown), "ok\nnew\n");
    }
}
