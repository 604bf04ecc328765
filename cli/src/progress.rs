//! Engine events -> lines. On a terminal unfinished work is redrawn at the bottom; elsewhere each start is one line.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::ProgressBar;
use windlass_masking::SecretValues;
use windlass_model::event::{Event, Events};

use crate::printer::{Mark, Printer};

/// Shows events with a printer.
#[derive(Debug)]
pub(crate) struct Progress {
    printer: Arc<Printer>,
    /// Unfinished work by stage title or item.
    active: Mutex<BTreeMap<String, ProgressBar>>,
}

impl Progress {
    pub(crate) fn new(printer: Arc<Printer>) -> Self {
        Self { printer, active: Mutex::new(BTreeMap::new()) }
    }

    /// What is hidden in everything that is shown.
    pub(crate) fn secrets(&self) -> &Arc<SecretValues> {
        self.printer.secrets()
    }

    fn start(&self, key: String, text: &str) {
        if !self.printer.style().draws {
            self.printer.line(Mark::Info, text);
            return;
        }
        let mut active = self.active.lock().unwrap_or_else(PoisonError::into_inner);
        match active.get(&key) {
            Some(bar) => self.printer.change(bar, text),
            None => {
                active.insert(key, self.printer.activity(text));
            }
        }
    }

    /// Ends the work `key`; without a terminal its end is not shown unless it says something new.
    fn end(&self, key: &str, text: &str, news: bool) {
        if !self.printer.style().draws {
            if news {
                self.printer.line(Mark::Info, text);
            }
            return;
        }
        let bar = self.active.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
        match bar {
            Some(bar) => self.printer.finish(&bar, Mark::Success, Some(text)),
            None => self.printer.line(Mark::Success, text),
        }
    }

    /// Removes what is still drawn, as after an error.
    pub(crate) fn clear(&self) {
        let active = std::mem::take(&mut *self.active.lock().unwrap_or_else(PoisonError::into_inner));
        for bar in active.values() {
            self.printer.finish(bar, Mark::Success, None);
        }
    }
}

impl Events for Progress {
    fn emit(&self, event: Event) {
        match event {
            Event::StageStarted { title, total: _ } => self.start(format!("stage {title}"), &title),
            Event::StageFinished { title } => self.end(&format!("stage {title}"), &title, false),
            Event::Item { item, text } => {
                let line = if item.is_empty() { text.clone() } else { format!("{item}: {text}") };
                let key = format!("item {item}");
                match ItemText::of(&text) {
                    ItemText::Start => self.start(key, &line),
                    ItemText::End => self.end(&key, &line, false),
                    ItemText::EndWithNews => self.end(&key, &line, true),
                }
            }
            Event::ObjectApplied { .. } => {}
            Event::Info { text } => self.printer.line(Mark::Info, &text),
            Event::Warning { text } => self.printer.line(Mark::Warning, &text),
            Event::Error { text } => self.printer.line(Mark::Error, &text),
        }
    }
}

/// What an item's text says about its work.
#[derive(Debug, PartialEq, Eq)]
enum ItemText {
    Start,
    End,
    EndWithNews,
}

impl ItemText {
    fn of(text: &str) -> Self {
        match text {
            _ if ["Applied ", "Deleted ", "Encountered "].iter().any(|verb| text.starts_with(verb)) => Self::End,
            "Finished waiting" => Self::EndWithNews,
            _ => Self::Start,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn applied_ends_an_item_silently_and_waiting_ends_with_a_line() {
        assert_eq!(ItemText::of("Applying 2 objects"), ItemText::Start);
        assert_eq!(ItemText::of("Applied 2 objects."), ItemText::End);
        assert_eq!(ItemText::of("Waiting on barrier..."), ItemText::Start);
        assert_eq!(ItemText::of("Finished waiting"), ItemText::EndWithNews);
    }
}
