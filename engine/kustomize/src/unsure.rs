//! The native code's way of saying that only Kustomize itself knows.

/// Not an error: the whole kustomization goes to the helper, which builds it or says what is wrong with it.
///
/// The reason is for those who work on this crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unsure(pub(crate) &'static str);

/// A value that is what Kustomize would have come to.
pub(crate) type Certain<T> = Result<T, Unsure>;

/// Ends with a reason unless the condition holds.
pub(crate) fn ensure(condition: bool, reason: &'static str) -> Certain<()> {
    if condition { Ok(()) } else { Err(Unsure(reason)) }
}
