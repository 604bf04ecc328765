//! Registries that misbehave: the whole list or an explicit error, and never a short list taken for whole.
