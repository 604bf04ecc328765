//! Questions. A question that cannot be answered is answered with no.

use std::io::{self, BufRead, IsTerminal, Read};
use std::sync::mpsc;
use std::time::Duration;

use crate::interrupt;
use crate::printer::{Mark, Printer};

const HINT: &str = "Please type yes or no and then press enter!";

/// What a line of input means.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Yes,
    No,
    Unclear,
}

impl Answer {
    fn of(text: &str) -> Self {
        match text {
            "y" | "Y" | "yes" | "Yes" | "YES" => Self::Yes,
            "" | "n" | "N" | "no" | "No" | "NO" => Self::No,
            _ => Self::Unclear,
        }
    }
}

/// Asks until the answer is clear. Blocks on stdin.
pub(crate) fn confirm(printer: &Printer, question: &str) -> bool {
    let ask = if printer.style().draws { ask_on_terminal } else { ask_plainly };
    loop {
        match ask(printer, question) {
            Ok(text) => match Answer::of(&text) {
                Answer::Yes => return true,
                Answer::No => return false,
                Answer::Unclear => printer.line(Mark::Warning, HINT),
            },
            Err(reason) => {
                printer.line(Mark::Warning, &format!("Failed prompting for \"{question}\". Error: {reason}"));
                return false;
            }
        }
    }
}

/// Asks for user and password; `None` without a terminal. The password is not shown while it is typed.
pub(crate) fn login(printer: &Printer, host: &str, realm: &str) -> Option<(String, String)> {
    let terminal = console::Term::stderr();
    if !io::stdin().is_terminal() || !terminal.is_term() {
        return None;
    }
    let place = if realm.is_empty() { host.to_owned() } else { format!("{host} ({realm})") };
    printer.undisturbed(|| {
        printer.raw(&format!("Please enter username for {place}: "));
        let user = terminal.read_line().ok()?;
        printer.raw(&format!("Please enter password for {place}: "));
        let password = terminal.read_secure_line().ok()?;
        Some((user.trim().to_owned(), password))
    })
}

/// The question stays without line end; the next line of output continues it.
fn ask_plainly(printer: &Printer, question: &str) -> Result<String, String> {
    printer.raw(&format!("{question} (y/N) "));
    wait_for(|| read_word(&mut io::stdin().lock()))
}

/// Reads on a thread of its own, so that an interrupt ends the waiting.
fn wait_for(read: impl FnOnce() -> Result<String, String> + Send + 'static) -> Result<String, String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(read()));
    loop {
        match receiver.recv_timeout(Duration::from_millis(50)) {
            Ok(answer) => return answer,
            Err(mpsc::RecvTimeoutError::Timeout) if !interrupt::is_stopping() => {}
            Err(_) => return Err("interrupted".to_owned()),
        }
    }
}

/// The answered question stays as a finished line.
fn ask_on_terminal(printer: &Printer, question: &str) -> Result<String, String> {
    if !io::stdin().is_terminal() {
        return Err("EOF".to_owned());
    }
    printer.raw(&format!("? {question} (y/N) "));
    let read = || {
        let mut line = String::new();
        match io::stdin().lock().read_line(&mut line) {
            Ok(0) => Err("EOF".to_owned()),
            Ok(_) => Ok(line.trim().to_owned()),
            Err(error) => Err(error.to_string()),
        }
    };
    printer.undisturbed(|| wait_for(read)).inspect(|text| {
        // One line up, over the question as it was asked.
        let mark = printer.sign(Mark::Success);
        printer.raw(&format!("\u{1b}[1A\r\u{1b}[2K{mark} {question} (y/N) {text}\n"));
    })
}

/// Reads one word and the end of its line, byte by byte, so that the next question finds the rest of the input.
fn read_word(input: &mut impl Read) -> Result<String, String> {
    let mut line = Vec::new();
    let mut byte = [0];
    let ended_by_newline = loop {
        match input.read(&mut byte) {
            Ok(0) => break false,
            Ok(_) if byte[0] == b'\n' => break true,
            Ok(_) => line.push(byte[0]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.to_string()),
        }
    };
    let text = String::from_utf8_lossy(&line);
    let mut words = text.split_whitespace();
    match (words.next(), words.next()) {
        (Some(word), None) => Ok(word.to_owned()),
        (Some(_), Some(_)) => Err("expected newline".to_owned()),
        (None, _) if ended_by_newline => Err("unexpected newline".to_owned()),
        (None, _) => Err("EOF".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_usual_spelling_is_understood() {
        for text in ["y", "Y", "yes", "Yes", "YES"] {
            assert_eq!(Answer::of(text), Answer::Yes);
        }
        for text in ["n", "N", "no", "No", "NO", ""] {
            assert_eq!(Answer::of(text), Answer::No);
        }
        for text in ["yEs", "maybe", "1", "true"] {
            assert_eq!(Answer::of(text), Answer::Unclear);
        }
    }

    #[test]
    fn words_are_read_one_line_at_a_time() {
        let mut input = "maybe\n y \nyes".as_bytes();
        assert_eq!(read_word(&mut input).as_deref(), Ok("maybe"));
        assert_eq!(read_word(&mut input).as_deref(), Ok("y"));
        assert_eq!(read_word(&mut input).as_deref(), Ok("yes"));
        assert_eq!(read_word(&mut input), Err("EOF".to_owned()));
    }

    #[test]
    fn an_empty_line_or_two_words_are_no_answer() {
        assert_eq!(read_word(&mut "\ny\n".as_bytes()), Err("unexpected newline".to_owned()));
        assert_eq!(read_word(&mut "  ".as_bytes()), Err("EOF".to_owned()));
        assert_eq!(read_word(&mut "y y\n".as_bytes()), Err("expected newline".to_owned()));
    }
}
