//! What a flow tells while it runs. Stages emit, the caller draws or records.

use crate::object_ref::ObjectRef;

/// Something that happened during a run. Texts are already masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A stage begins; `title` is its status line, `total` the number of steps when known.
    StageStarted {
        /// Status line, such as `Rendering templates`.
        title: String,
        /// Number of steps, 0 when unknown.
        total: usize,
    },
    /// The stage with this title ended.
    StageFinished {
        /// Title given at the start.
        title: String,
    },
    /// Work on a deployment item; `text` is the line without the item prefix.
    Item {
        /// Item directory relative to its project, `<delete>`, `<wait>` or empty.
        item: String,
        /// What is being done.
        text: String,
    },
    /// One object was applied (or dry-run applied).
    ObjectApplied {
        /// The object.
        object: ObjectRef,
    },
    /// Something the user should read; the run goes on.
    Info {
        /// One line.
        text: String,
    },
    /// Something the user should do something about; the run goes on.
    Warning {
        /// One line.
        text: String,
    },
    /// An error that ends one part of the work, not the run.
    Error {
        /// One line.
        text: String,
    },
}

/// Receives events; must not block.
pub trait Events: Send + Sync {
    /// Called from any thread.
    fn emit(&self, event: Event);

    /// Short form for [`Event::StageStarted`] with an unknown number of steps.
    fn start(&self, title: &str) {
        self.emit(Event::StageStarted { title: title.into(), total: 0 });
    }

    /// Short form for [`Event::StageFinished`].
    fn finish(&self, title: &str) {
        self.emit(Event::StageFinished { title: title.into() });
    }

    /// Short form for [`Event::Warning`].
    fn warn(&self, text: String) {
        self.emit(Event::Warning { text });
    }

    /// Short form for [`Event::Info`].
    fn info(&self, text: String) {
        self.emit(Event::Info { text });
    }
}

/// Drops everything.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Events for Silent {
    fn emit(&self, _event: Event) {}
}
