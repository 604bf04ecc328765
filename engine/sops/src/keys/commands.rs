//! Programs that print keys.

use std::process::Stdio;

use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use zeroize::Zeroizing;

/// Runs a command line without a shell; what it prints.
pub(super) async fn output_of(line: &str) -> Result<Zeroizing<String>, String> {
    let words = split(line).ok_or("its quotes do not match")?;
    let (program, arguments) = words.split_first().ok_or("it is empty")?;
    let mut command = Command::new(program);
    command.args(arguments);
    let output = run(command, &[]).await?;
    let text = std::str::from_utf8(&output).map_err(|_| "it printed something else than text")?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// Runs a program with `input`; what it prints, or the last line of its complaint.
pub(super) async fn run(mut command: Command, input: &[u8]) -> Result<Zeroizing<Vec<u8>>, String> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let name = command.as_std().get_program().to_string_lossy().into_owned();
    let mut child = command.spawn().map_err(|error| format!("`{name}` can not be run: {error}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that does not read its input says why in its own words.
        let _ = stdin.write_all(input).await;
    }
    let output = child.wait_with_output().await.map_err(|error| format!("`{name}` can not be run: {error}"))?;
    let stdout = Zeroizing::new(output.stdout);
    if output.status.success() {
        return Ok(stdout);
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    let last = complaint.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("no message");
    Err(format!("`{name}` ended with {}: {}", output.status, last.trim()))
}

/// The words of a command line with quotes and backslashes as in a shell. `None`: a quote is not closed.
fn split(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            ('\\', None | Some('"')) => word.get_or_insert_default().push(chars.next()?),
            (c, Some(_)) => word.get_or_insert_default().push(c),
            ('\'' | '"', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (c, None) if c.is_whitespace() => words.extend(word.take()),
            (c, None) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_in_a_shell() {
        assert_eq!(split(r#"a 'b c'  "d \"e" f\ g ''"#).unwrap(), ["a", "b c", "d \"e", "f g", ""]);
        assert_eq!(split("a 'b"), None);
        assert_eq!(split("a\\"), None);
    }

    #[tokio::test]
    async fn a_failing_command_tells_its_last_line() {
        assert_eq!(output_of("printf '%s' key").await.unwrap().as_str(), "key");
        let error = output_of("sh -c 'echo first >&2; echo second >&2; exit 3'").await.unwrap_err();
        assert_eq!(error, "`sh` ended with exit status: 3: second");
        assert!(output_of("no-such-program-for-keys").await.unwrap_err().contains("can not be run"));
        assert_eq!(output_of("").await.unwrap_err(), "it is empty");
    }
}
