//! Shell completion: the scripts, and the answers to their questions (`__complete <words...>`).

mod candidates;
mod project;

use crate::app::App;
use crate::args::commands::Shell;
use crate::commands;
use crate::diagnostics::Failure;

const BASH: &str = include_str!("bash.txt");
const FISH: &str = include_str!("fish.txt");
const POWERSHELL: &str = include_str!("powershell.txt");
const ZSH: &str = include_str!("zsh.txt");

/// The script that connects a shell with `__complete`.
pub(crate) fn script(shell: Shell, program: &str, descriptions: bool) -> String {
    let text = match shell {
        Shell::Bash => BASH,
        Shell::Fish => FISH,
        Shell::PowerShell => POWERSHELL,
        Shell::Zsh => ZSH,
    };
    let command = if descriptions { "__complete" } else { "__completeNoDesc" };
    text.replace("@COMMAND@", command).replace("@PROGRAM@", program)
}

/// Whether a script asks, and whether it wants descriptions.
pub(crate) fn is_asked(words: &[String]) -> Option<bool> {
    match words.first().map(String::as_str) {
        Some("__complete") => Some(true),
        Some("__completeNoDesc") => Some(false),
        _ => None,
    }
}

/// Writes one candidate per line and the directive. Problems give no candidates, as nobody could read them.
pub(crate) fn answer(app: &App, words: &[String], descriptions: bool) -> Result<(), Failure> {
    let found = candidates::find(words, &mut |flag, given| project::values(app, flag, given));
    commands::output::stdout(app, &found.print(descriptions))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_ask_the_program_they_were_made_by() {
        for shell in [Shell::Bash, Shell::Fish, Shell::PowerShell, Shell::Zsh] {
            let text = script(shell, "kluctl", false);
            assert!(text.contains("kluctl") && text.contains("__completeNoDesc"), "{shell:?}");
            assert!(!text.contains('@') || shell != Shell::Fish, "{shell:?} has an unfilled place");
        }
    }
}
