//! Help pages. Pure text; the caller knows the terminal's width.

use super::commands::{Command, Operands, ROOT};
use super::flag::{Flag, Kind, Section};
use super::value;

/// The help page of the command at `path` (empty: the root).
pub(crate) fn page(program: &str, path: &[&'static Command], width: usize) -> String {
    let command = path.last().copied().unwrap_or(&ROOT);
    let mut full_name = program.to_owned();
    for part in path {
        full_name.push(' ');
        full_name.push_str(part.name);
    }
    let is_group = !command.subcommands.is_empty();
    if let Operands::One(name) = command.operands {
        full_name = format!("{full_name} [{name}]");
    }
    if let Operands::Many(name) = command.operands {
        full_name = format!("{full_name} [{name}...]");
    }
    let mut text = format!("Usage: {full_name} {}\n\n", if is_group { "[command]" } else { "[flags]" });
    for paragraph in [command.short_help, command.long_help] {
        if !paragraph.is_empty() {
            text.push_str(&fill(paragraph, width));
        }
    }
    for section in sections(command) {
        text.push_str(&format!("\n{} arguments:\n", section.title()));
        let flags: Vec<_> = command.flags().filter(|f| f.section == section && !f.hidden).collect();
        text.push_str(&flag_list(flags, width));
    }
    if is_group {
        text.push_str("\nCommands:\n");
        let longest = command.subcommands.iter().map(|c| c.name.len()).max().unwrap_or(0).max(11);
        let mut commands: Vec<_> = command.subcommands.iter().collect();
        commands.sort_by_key(|c| c.name);
        for sub in commands {
            text.push_str(&format!("  {:<longest$} {}\n", sub.name, sub.short_help));
        }
        text.push_str(&format!("\nUse \"{full_name} [command] --help\" for more information about a command.\n"));
    }
    text
}

fn sections(command: &Command) -> Vec<Section> {
    let mut sections: Vec<_> = command.flags().filter(|f| !f.hidden).map(|f| f.section).collect();
    sections.sort_unstable();
    sections.dedup();
    sections
}

fn flag_list(mut flags: Vec<&Flag>, width: usize) -> String {
    flags.sort_by_key(|flag| flag.name);
    let heads: Vec<_> = flags.iter().map(|flag| head(flag)).collect();
    let indent = heads.iter().map(String::len).max().unwrap_or(0) + 3;
    let mut text = String::new();
    for (flag, head) in flags.iter().zip(&heads) {
        let help = format!("{}{}", flag.help, default_note(flag));
        let lines = wrap(&help, width.saturating_sub(indent));
        text.push_str(&format!("{head:<indent$}{}\n", lines.join(&format!("\n{:indent$}", ""))));
    }
    text
}

fn head(flag: &Flag) -> String {
    let short = flag.short.map_or("    ".to_owned(), |short| format!("-{short}, "));
    let kind = flag.kind.name();
    let space = if kind.is_empty() { "" } else { " " };
    format!("  {short}--{}{space}{kind}", flag.name)
}

fn default_note(flag: &Flag) -> String {
    match flag.kind {
        _ if flag.default.is_empty() || flag.default == "0" => String::new(),
        Kind::Text => format!(" (default {:?})", flag.default),
        Kind::Duration => match value::read_duration(flag.default) {
            Ok(duration) => format!(" (default {})", value::show_duration(duration)),
            Err(_) => String::new(),
        },
        _ => format!(" (default {})", flag.default),
    }
}

/// Breaks at spaces, five columns before the edge; a last piece that just fits stays on the line.
fn wrap(text: &str, width: usize) -> Vec<String> {
    const SLACK: usize = 5;
    let wanted = width.saturating_sub(SLACK).max(20);
    let mut lines = Vec::new();
    let mut rest = text;
    while rest.len() >= wanted + SLACK {
        let limit = (0..=wanted.min(rest.len())).rev().find(|i| rest.is_char_boundary(*i)).unwrap_or(0);
        let Some(at) = rest[..limit].rfind(' ').filter(|at| *at > 0) else { break };
        lines.push(rest[..at].to_owned());
        rest = &rest[at + 1..];
    }
    lines.push(rest.to_owned());
    lines
}

fn fill(paragraph: &str, width: usize) -> String {
    let lines = paragraph.lines().flat_map(|line| wrap(line, width));
    lines.map(|line| line + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page_of(names: &[&str]) -> String {
        let mut path: Vec<&'static Command> = Vec::new();
        for name in names {
            path.push(path.last().copied().unwrap_or(&ROOT).subcommand(name).expect("command"));
        }
        page("kluctl", &path, 80)
    }

    #[test]
    fn group_page_has_the_layout_of_the_reference_tool() {
        insta::assert_snapshot!(page_of(&["gitops"]));
    }

    #[test]
    fn completion_page() {
        insta::assert_snapshot!(page_of(&["completion"]));
    }

    #[test]
    fn root_page() {
        insta::assert_snapshot!(page_of(&[]));
    }

    #[test]
    fn pages_of_the_main_commands() {
        for name in
            ["render", "list-targets", "list-images", "diff", "deploy", "prune", "delete", "validate", "poke-images"]
        {
            insta::assert_snapshot!(format!("page_{name}"), page_of(&[name]));
        }
    }

    #[test]
    fn long_words_are_not_broken() {
        assert_eq!(wrap("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 10), ["a".repeat(43)]);
    }
}
