//! Command results for people.

use windlass_model::result::{CommandResult, DeploymentError, ResultObject};

use crate::table::table;

/// How much of the changes is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TextStyle {
    /// With a table per changed object.
    #[default]
    Full,
    /// `--short-output`: names only.
    Short,
}

/// Settings of the text form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextOptions {
    /// Columns of the terminal.
    pub width: usize,
    /// How much to show.
    pub style: TextStyle,
}

impl Default for TextOptions {
    fn default() -> Self {
        Self { width: 80, style: TextStyle::Full }
    }
}

/// The blocks of spec 03 section 19; empty for an empty result. Lists are shown in the order they have.
pub fn text(result: &CommandResult, options: TextOptions) -> String {
    let mut text = String::new();
    write_objects("New objects", result, |object| object.new, &mut text);
    write_objects("Changed objects", result, is_changed, &mut text);
    if options.style == TextStyle::Full && result.objects.iter().any(is_changed) {
        write_diffs(result, options.width, &mut text);
    }
    write_objects("Deleted objects", result, |object| object.deleted, &mut text);
    write_objects("Applied hooks", result, |object| object.hook, &mut text);
    write_objects("Orphan objects", result, |object| object.orphan, &mut text);
    for (heading, messages) in [("Warnings", &result.warnings), ("Errors", &result.errors)] {
        if !messages.is_empty() {
            text.push('\n');
            write_messages(heading, messages, &mut text);
        }
    }
    text
}

fn is_changed(object: &ResultObject) -> bool {
    !object.changes.is_empty()
}

fn write_objects(heading: &str, result: &CommandResult, wanted: fn(&ResultObject) -> bool, text: &mut String) {
    let mut objects = result.objects.iter().filter(|object| wanted(object)).peekable();
    if objects.peek().is_none() {
        return;
    }
    text.push_str(&format!("\n{heading}:\n"));
    objects.for_each(|object| text.push_str(&format!("  {}\n", object.object_ref)));
}

/// The empty line before a table depends on the object's place in the whole result; scripts may rely on it.
fn write_diffs(result: &CommandResult, width: usize, text: &mut String) {
    text.push('\n');
    for (index, object) in result.objects.iter().enumerate().filter(|(_, object)| is_changed(object)) {
        if index > 0 {
            text.push('\n');
        }
        let cell = |diff: &str| diff.strip_suffix('\n').unwrap_or(diff).to_owned();
        let rows: Vec<[String; 2]> =
            object.changes.iter().map(|change| [change.json_path.clone(), cell(&change.unified_diff)]).collect();
        text.push_str(&format!("Diff for object {}\n", object.object_ref));
        text.push_str(&table(["Path", "Diff"], &rows, width));
    }
}

/// A heading and one line per message, with the object in front where there is one.
pub(crate) fn write_messages(heading: &str, messages: &[DeploymentError], text: &mut String) {
    text.push_str(&format!("{heading}:\n"));
    for DeploymentError { object_ref, message } in messages {
        match object_ref.to_string() {
            object if object.is_empty() => text.push_str(&format!("  {message}\n")),
            object => text.push_str(&format!("  {object}: {message}\n")),
        }
    }
}

#[cfg(test)]
mod tests;
