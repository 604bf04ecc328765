//! Shell completion: the scripts, and the answers to their questions (`__complete <words...>`).

mod candidates;
mod project;

use crate::app::App;
use crate::args::commands::Shell;
use crate::args::{Kind, ROOT};
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

/// Whether a script asks: the words to complete, and whether it wants descriptions. Global switches may stand before.
pub(crate) fn question(words: &[String]) -> Option<(&[String], bool)> {
    let is_switch = |word: &&String| {
        word.strip_prefix("--").and_then(|name| ROOT.flag(name)).is_some_and(|flag| flag.kind == Kind::Switch)
    };
    let start = words.iter().take_while(is_switch).count();
    let descriptions = match words.get(start)?.as_str() {
        "__complete" => true,
        "__completeNoDesc" => false,
        _ => return None,
    };
    Some((&words[start + 1..], descriptions))
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

    #[test]
    fn a_question_may_follow_global_switches() {
        let words = |line: &[&str]| line.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let asked = words(&["--no-update-check", "__completeNoDesc", "oci", ""]);
        assert_eq!(question(&asked), Some((&words(&["oci", ""])[..], false)));
        assert_eq!(question(&words(&["deploy", "__complete"])), None);
        assert_eq!(question(&words(&["--nonsense", "__complete"])), None);
        assert_eq!(question(&[]), None);
    }
}
