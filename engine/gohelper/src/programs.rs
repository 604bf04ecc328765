//! [`GoHelper`] over installed programs, for builds without the feature `bundled-go`.
