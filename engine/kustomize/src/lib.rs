//! Windlass kustomize.
