//! Windlass ownership.
