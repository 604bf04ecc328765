use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn rows(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("golden rows are JSON")).collect()
}

fn tags_of(row: &Value) -> Vec<&str> {
    row["tags"].as_array().unwrap().iter().map(|tag| tag.as_str().unwrap()).collect()
}

fn policy_of(row: &Value, on_invalid: OnInvalid) -> Result<Policy, String> {
    let policy = row["policy"].as_object().unwrap();
    let frame = |e: PolicyError| format!("invalid policy: {e}");
    let order = |v: &Value| Order::parse(v["order"].as_str().unwrap_or_default()).map_err(frame);
    if let Some(semver) = policy.get("semver") {
        return Policy::semver(semver["range"].as_str().unwrap()).map_err(frame);
    }
    if let Some(alphabetical) = policy.get("alphabetical") {
        return order(alphabetical).map(Policy::Alphabetical);
    }
    match policy.get("numerical") {
        Some(numerical) => order(numerical).map(|order| Policy::Numerical(order, on_invalid)),
        None => Err("invalid policy: given ImagePolicyChoice object is invalid".into()),
    }
}

fn elect(row: &Value) -> Result<String, String> {
    let policy = policy_of(row, OnInvalid::Fail)?;
    let filter = match row.get("filterTags") {
        Some(tags) => TagFilter::new(tags["pattern"].as_str(), tags["extract"].as_str())
            .map_err(|e| format!("failed to filter tags: {e}"))?,
        None => TagFilter::default(),
    };
    select(&tags_of(row), &filter, &policy).map(|s| s.tag).map_err(|e| e.to_string())
}

/// Compares with the recording; a bad pattern's text is Go's own, so only its frame must agree.
fn agrees(row: &Value) -> bool {
    let answer = elect(row);
    if let Some(wanted) = row.get("wanted").or_else(|| row.get("elected")) {
        return answer.as_deref() == Ok(wanted.as_str().unwrap());
    }
    let wanted = row["error"].as_str().unwrap();
    let frame = wanted.split_once("': error parsing regexp").map_or(wanted, |(frame, _)| frame);
    answer.is_err_and(|error| error.starts_with(frame))
}

fn check(text: &str, exact_decimals: &[&str]) {
    let wrong: Vec<String> = rows(text)
        .iter()
        .filter(|row| !agrees(row) && !exact_decimals.contains(&row["id"].as_str().unwrap()))
        .map(|row| format!("{row} but {:?}", elect(row)))
        .collect();
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong[..wrong.len().min(40)].join("\n"));
}

#[test]
fn semver_elections_are_as_recorded() {
    check(include_str!("../../tests/golden/semver.jsonl"), &[]);
}

#[test]
fn alphabetical_elections_are_as_recorded() {
    check(include_str!("../../tests/golden/alphabetical.jsonl"), &[]);
}

#[test]
fn numerical_elections_are_as_recorded() {
    check(include_str!("../../tests/golden/numerical.jsonl"), &["numerical-0089", "numerical-0092", "numerical-0116"]);
}

/// The rows left out above: Flux's floats collapse, exact decimals do not.
#[test]
fn long_stamps_are_compared_exactly() {
    let tags = ["20240101123456789", "20240101123456788"];
    for (order, wanted) in [(Order::Ascending, tags[0]), (Order::Descending, tags[1])] {
        let policy = Policy::Numerical(order, OnInvalid::Skip);
        assert_eq!(select(&tags, &TagFilter::default(), &policy).unwrap().tag, wanted);
    }
}

#[test]
fn every_tag_has_a_fate() {
    let tags = ["x.sig", "latest", "v1", "v1.2.0", "v1.3.0", "v2.0.0", "v1.9.0-rc"];
    let filter = TagFilter::new(Some("^v"), None).unwrap().excluding(&["sig$"]).unwrap();
    let selection = select(&tags, &filter, &Policy::semver("1.x").unwrap()).unwrap();
    let fates: Vec<_> = selection.why(&tags).map(|why| (why.fate, why.outranked_by)).collect();
    assert_eq!(
        fates,
        [
            (Fate::Excluded { pattern: 0 }, None),
            (Fate::NoMatch, None),
            (Fate::NotAVersion, None),
            (Fate::Outranked, Some("v1.3.0")),
            (Fate::Chosen, None),
            (Fate::OutOfRange, None),
            (Fate::OutOfRange, None),
        ]
    );
}

#[test]
fn equal_versions_go_to_the_greatest_text() {
    let policy = Policy::Filter(VersionFilter::default());
    for (tags, wanted) in [(["1.0", "v1.0", "1.00"], "v1.0"), (["1.0-rc1", "1.0-rc.1", "0"], "1.0-rc1")] {
        assert_eq!(select(&tags, &TagFilter::default(), &policy).unwrap().tag, wanted);
    }
}

/// Recorded from the last kluctl with registry lookups; `sat` and ties as spec 02 B3.3 wants them.
#[test]
fn special_orders_are_as_recorded() {
    let rows: &[(&[&str], &str)] = &[
        (&["1.2", "1.2.0"], "1.2.0"),
        (&["1.0-a", "1.0_a"], "1.0_a"),
        (&["20210101120000", "20210101120001", "99"], "20210101120001"),
        (&["2147483647", "2147483648", "99999999999999999999", "5"], "99999999999999999999"),
        (&["9999999999", "10000000000"], "10000000000"),
        (&["2021-05-01", "2021-12-01", "2022-01-01"], "2022-01-01"),
        (&["1a2b3c", "9f8e7d", "abcdef"], "9f8e7d"),
        (&["1.0-Beta", "1.0-alpha"], "1.0-alpha"),
        (&["v1", "1", "V2"], "v1"),
    ];
    for (tags, wanted) in rows {
        let policy = Policy::Filter(VersionFilter::default());
        assert_eq!(select(tags, &TagFilter::default(), &policy).unwrap().tag, *wanted, "{tags:?}");
    }
}

#[test]
fn no_tag_and_no_match_are_different_errors() {
    let policy = Policy::Filter(VersionFilter::Number);
    assert_eq!(select::<&str>(&[], &TagFilter::default(), &policy), Err(SelectError::NoCandidates));
    assert_eq!(select(&["latest"], &TagFilter::default(), &policy), Err(SelectError::NoMatch));
}

#[test]
fn an_invalid_number_is_skipped_or_fails() {
    let filter = TagFilter::default();
    let skip = Policy::Numerical(Order::Ascending, OnInvalid::Skip);
    assert_eq!(select(&["1", "x", "2"], &filter, &skip).unwrap().tag, "2");
    let fail = Policy::Numerical(Order::Ascending, OnInvalid::Fail);
    assert_eq!(select(&["1", "x", "y"], &filter, &fail), Err(SelectError::NotANumber("y".into())));
}

#[test]
fn a_broken_pattern_is_an_error() {
    assert!(matches!(TagFilter::new(Some("("), None), Err(PolicyError::Pattern { .. })));
    assert!(matches!(TagFilter::default().excluding(&["[a"]), Err(PolicyError::Pattern { .. })));
}

fn policies() -> Vec<(TagFilter, Policy)> {
    let plain = TagFilter::default;
    let extracting = TagFilter::new(Some("^(?:[a-z]-)?(.*)$"), Some("$1")).unwrap();
    vec![
        (plain(), Policy::Filter(VersionFilter::default())),
        (plain(), Policy::Filter(VersionFilter::Semver { allow_no_nums: true })),
        (plain(), Policy::semver(">=0.0.0-0").unwrap()),
        (plain(), Policy::Alphabetical(Order::Descending)),
        (plain(), Policy::Numerical(Order::Ascending, OnInvalid::Skip)),
        (extracting.clone(), Policy::semver("*-0").unwrap()),
        (extracting, Policy::Numerical(Order::Descending, OnInvalid::Skip)),
    ]
}

proptest! {
    #[test]
    fn the_order_of_tags_never_matters(
        tags in prop::collection::vec("[av]?-?v?[0-2]{1,2}(\\.[0-2]{1,2}){0,2}(-(rc|a)\\.?[0-2])?", 1..12),
        seed in any::<u64>(),
    ) {
        let mut shuffled = tags.clone();
        shuffled.sort_by_key(|tag| tag.bytes().fold(seed, |h, b| h.wrapping_mul(0x100_0000_01b3) ^ u64::from(b)));
        for (filter, policy) in policies() {
            prop_assert_eq!(
                select(&tags, &filter, &policy).map(|s| s.tag),
                select(&shuffled, &filter, &policy).map(|s| s.tag)
            );
        }
    }

    #[test]
    fn a_tag_that_does_not_match_never_matters(tags in prop::collection::vec("v?[0-9]{1,3}(\\.[0-9]){0,2}", 1..8)) {
        let policy = Policy::Filter(VersionFilter::default());
        let chosen = select(&tags, &TagFilter::default(), &policy).map(|s| s.tag);
        let more: Vec<String> = tags.into_iter().chain(["latest".into(), "zzz-9".into()]).collect();
        prop_assert_eq!(select(&more, &TagFilter::default(), &policy).map(|s| s.tag), chosen);
    }
}
