//! Summaries as annotation values, shortened where the server's limit asks for it.
//!
//! A summary repeats every error and warning, and annotations have to share 256 KiB. The stored
//! result keeps all of them in full.

use serde::Serialize;
use windlass_model::result::{CommandResultSummary, DeploymentError, compact_json};

/// Most that all annotations of one object may need, keys included.
pub(crate) const ANNOTATIONS_LIMIT: usize = 256 * 1024;

const LONGEST_MESSAGE: usize = 1000;

/// JSON of the summary with as many messages as fit into `room` bytes; without room for any, the
/// text without messages.
pub(crate) fn command_summary(summary: CommandResultSummary, room: usize) -> String {
    let mut text = json(&summary);
    for kept in [100, 10, 0] {
        if text.len() <= room {
            break;
        }
        let mut shorter = summary.clone();
        shorten(&mut shorter.errors, kept, "errors");
        shorten(&mut shorter.warnings, kept, "warnings");
        text = json(&shorter);
    }
    text
}

pub(crate) fn json(summary: &impl Serialize) -> String {
    // Summaries contain only text keys and finite numbers, which always serialise.
    compact_json(&serde_json::to_value(summary).unwrap_or_default())
}

fn shorten(messages: &mut Vec<DeploymentError>, kept: usize, what: &str) {
    let dropped = messages.len().saturating_sub(kept);
    messages.truncate(kept);
    for message in messages.iter_mut() {
        if let Some((at, _)) = message.message.char_indices().nth(LONGEST_MESSAGE) {
            message.message.truncate(at);
            message.message.push('…');
        }
    }
    if dropped > 0 {
        messages.push(DeploymentError::general(format!("{dropped} more {what} are in the stored result")));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn summary(count: usize, length: usize) -> CommandResultSummary {
        let message = |n: usize| DeploymentError::general(format!("{n} {}", "é".repeat(length)));
        CommandResultSummary { id: "a".into(), errors: (0..count).map(message).collect(), ..Default::default() }
    }

    fn errors(text: &str) -> Vec<String> {
        let value: Value = serde_json::from_str(text).unwrap();
        let list = value["errors"].as_array().unwrap();
        list.iter().map(|error| error["message"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn a_summary_that_fits_is_whole() {
        let text = command_summary(summary(300, 1500), usize::MAX);
        assert_eq!(text, json(&summary(300, 1500)));
    }

    #[test]
    fn many_messages_become_a_hundred_and_a_count() {
        let errors = errors(&command_summary(summary(300, 400), 200_000));
        assert_eq!(errors.len(), 101);
        assert_eq!(errors[100], "200 more errors are in the stored result");
    }

    #[test]
    fn long_messages_are_cut_between_characters() {
        let errors = errors(&command_summary(summary(2, 5000), 5000));
        assert_eq!(errors.len(), 2);
        assert_eq!(errors[1].chars().count(), LONGEST_MESSAGE + 1);
        assert!(errors[1].ends_with('…'));
    }

    #[test]
    fn without_room_only_the_count_is_left() {
        assert_eq!(errors(&command_summary(summary(7, 10), 0)), ["7 more errors are in the stored result"]);
    }
}
