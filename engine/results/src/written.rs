//! What storing a result did.

use std::fmt;

use windlass_model::event::Event;
use windlass_model::object_ref::ObjectRef;

use crate::naming::ResultKind;

/// A result was stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// Its Secret.
    pub secret: ObjectRef,
    /// What else there is to tell, in order.
    pub notes: Vec<Note>,
}

impl Written {
    /// The notes for the user's eyes.
    pub fn events(&self) -> impl Iterator<Item = Event> + '_ {
        self.notes.iter().map(|note| match note {
            Note::Deleted { .. } => Event::Info { text: note.to_string() },
            Note::Server(_) | Note::NotDeleted { .. } | Note::NotListed { .. } => {
                Event::Warning { text: note.to_string() }
            }
        })
    }
}

/// Something that happened while storing a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// An old result went.
    Deleted {
        /// Its kind.
        kind: ResultKind,
        /// Its id.
        id: String,
    },
    /// An old result should have gone.
    NotDeleted {
        /// Its kind.
        kind: ResultKind,
        /// Its id.
        id: String,
        /// The server's message.
        message: String,
    },
    /// Old results could not be looked for.
    NotListed {
        /// Their kind.
        kind: ResultKind,
        /// The server's message.
        message: String,
    },
    /// The server's own warning.
    Server(String),
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deleted { kind, id } => write!(f, "Deleted old {kind} {id}"),
            Self::NotDeleted { kind, id, message } => write!(f, "Failed to delete old {kind} {id}: {message}"),
            Self::NotListed { kind, message } => write!(f, "Failed to look for old {kind}s: {message}"),
            Self::Server(text) => f.write_str(text),
        }
    }
}
