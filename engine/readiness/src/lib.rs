//! Readiness of objects.
