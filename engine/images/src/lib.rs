//! Windlass images.
