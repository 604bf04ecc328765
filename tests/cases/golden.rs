//! Recorded answers of the reference tool, replayed with windlass against real servers.

use windlass_tests::golden::{AREAS, cases, suite};
use windlass_tests::windlass;

/// One test for all cases: they share their control planes.
#[test]
fn cases_are_answered_as_listed() {
    let names: Vec<_> = AREAS.into_iter().flat_map(cases).collect();
    assert!(names.len() > 100, "the recorded cases are missing");
    let reports = suite::run(&names, windlass::binary(), false, |_| {});
    let surprises = suite::surprises(&reports);
    assert!(
        surprises.is_empty(),
        "{} cases are not as listed in tests/golden-failing.txt:\n\n{}",
        surprises.len(),
        surprises.join("\n")
    );
}
