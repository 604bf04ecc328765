use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::filter::RangeOptions;

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

fn chosen(filter: &str, tags: &[&str]) -> Result<String, SelectError> {
    let policy = Policy::Filter(VersionFilter::parse(filter).unwrap());
    select(tags, &TagFilter::default(), &policy).map(|s| s.tag)
}

#[test]
fn filters_beyond_kluctl_choose() {
    let rows: &[(&str, &[&str], &str)] = &[
        ("semver(range='>=1.2 <2')", &["1.1.0", "1.2.0", "v1.10.0", "1.9.0", "2.0.0", "1.11.0-rc1", "1.99"], "v1.10.0"),
        ("semver(range='>=1.2-0 <2')", &["1.2.0", "1.11.0-rc1"], "1.11.0-rc1"),
        ("semver(range='1.x || 3.x')", &["1.0.0", "2.0.0", "3.0.0"], "3.0.0"),
        ("semver(range='1.x')", &["1.0.0", "v1.0.0"], "v1.0.0"),
        ("prefix('dev-', semver(range='1.x'))", &["dev-1.2.0", "1.9.0", "dev-2.0.0"], "dev-1.2.0"),
        ("alphabetical()", &["a", "latest", "b"], "latest"),
        ("alphabetical(order='desc')", &["b", "9", "10"], "10"),
        ("numerical()", &["9", "10", "latest", "1e1"], "10"),
        ("numerical('desc')", &["20240101123456789", "20240101123456788"], "20240101123456788"),
        ("prefix('b', numerical())", &["b9", "b10", "b010", "c11"], "b010"),
        ("natural()", &["release-1.9.0", "release-1.10.0"], "release-1.10.0"),
        ("natural(order='desc')", &["a10", "a9"], "a9"),
        ("natural()", &["a1", "a01"], "a1"),
        ("timestamp()", &["main-1a2b3c4-1700000000", "x-1700000001000", "latest", "99"], "x-1700000001000"),
        ("timestamp(unit='s')", &["5", "40"], "40"),
        ("calver('YYYY.0M.0D[.MICRO]')", &["2024.02.29", "2024.02.29.1", "2024.02.30", "9999"], "2024.02.29.1"),
        (
            "prefix('RELEASE.', calver('YYYY-0M-0D'))",
            &["RELEASE.2024-01-31", "RELEASE.2024-02-01"],
            "RELEASE.2024-02-01",
        ),
        ("digest('stable')", &["latest", "stable", "stable2"], "stable"),
    ];
    for (filter, tags, wanted) in rows {
        assert_eq!(chosen(filter, tags).as_deref(), Ok(*wanted), "{filter}");
    }
}

#[test]
fn filters_beyond_kluctl_may_match_nothing() {
    for (filter, tags) in [
        ("semver(range='>=1.2 <2')", &["1.1.9", "2.0.0", "1.5.0-rc1", "1.5", "latest"][..]),
        ("semver(range='*')", &["V1.0.0", "1.2.3.4", "a-1.0.0"]),
        ("prefix('a', alphabetical())", &["b", "ba"]),
        ("numerical()", &["latest", "1.2.3", ""]),
        ("prefix('a-', natural())", &["b-1"]),
        ("timestamp()", &["latest", "20240101"]),
        ("calver('YYYY.0M.0D')", &["2023.02.29", "2024.1.1"]),
        ("digest('stable')", &["Stable", "stable-1"]),
    ] {
        assert_eq!(chosen(filter, tags), Err(SelectError::NoMatch), "{filter}");
        assert_eq!(chosen(filter, &[]), Err(SelectError::NoCandidates), "{filter}");
    }
}

#[test]
fn filters_say_why_a_tag_is_out() {
    for (filter, tags, wanted) in [
        ("semver(range='1.x')", ["1.0.0", "latest"], Fate::NotAVersion),
        ("semver(range='1.x')", ["1.0.0", "2.0.0"], Fate::OutOfRange),
        ("semver()", ["1.0.0", "latest"], Fate::FilteredOut),
        ("numerical()", ["1", "latest"], Fate::NotANumber),
        ("timestamp()", ["1700000000", "17"], Fate::NotATimestamp),
        ("calver('YYYY.0M')", ["2024.01", "2024.13"], Fate::NotACalendarVersion),
        ("digest('stable')", ["stable", "latest"], Fate::FilteredOut),
        ("prefix('a', numerical())", ["a1", "b2"], Fate::FilteredOut),
        ("prefix('a', numerical())", ["a1", "ax"], Fate::NotANumber),
        ("alphabetical()", ["b", "a"], Fate::Outranked),
        ("natural()", ["a10", "a9"], Fate::Outranked),
    ] {
        let policy = Policy::Filter(VersionFilter::parse(filter).unwrap());
        let selection = select(&tags, &TagFilter::default(), &policy).unwrap();
        let fates: Vec<_> = selection.why(&tags).map(|why| why.fate).collect();
        assert_eq!(fates, [Fate::Chosen, wanted], "{filter}");
    }
}

fn policies() -> Vec<(TagFilter, Policy)> {
    let filter = |text| (TagFilter::default(), Policy::Filter(VersionFilter::parse(text).unwrap()));
    let plain = TagFilter::default;
    let extracting = TagFilter::new(Some("^(?:[a-z]-)?(.*)$"), Some("$1")).unwrap();
    vec![
        (plain(), Policy::Filter(VersionFilter::default())),
        (plain(), Policy::Filter(VersionFilter::Semver { allow_no_nums: true })),
        (plain(), Policy::semver(">=0.0.0-0").unwrap()),
        (plain(), Policy::Alphabetical(Order::Descending)),
        (plain(), Policy::Numerical(Order::Ascending, OnInvalid::Skip)),
        (extracting.clone(), Policy::semver("*-0").unwrap()),
        (extracting.clone(), Policy::Numerical(Order::Descending, OnInvalid::Skip)),
        filter("semver(range='>=0.0.0-0')"),
        filter("alphabetical('desc')"),
        filter("numerical()"),
        filter("natural()"),
        filter("natural('desc')"),
        filter("timestamp()"),
        filter("timestamp('s')"),
        filter("calver('YY[.MICRO[.MINOR]]')"),
        filter("digest('1.0')"),
        filter("prefix('v', natural())"),
        (extracting, filter("natural()").1),
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
    fn printed_filters_parse_to_the_same(
        name in "alphabetical|numerical|natural|timestamp|calver|digest|semver|prefix",
        argument in "(asc|DESC|auto|ms|YYYY[.\\[]0M\\]?|v?[0-9]\\.[0-9x]|[<>=^~ |*0-9.x-]{1,9}|stable[ '\"_]?|\\PC{0,9})",
        quote in "['\"]",
    ) {
        let key = if name == "semver" { "range=" } else { "" };
        if let Ok(filter) = VersionFilter::parse(&format!("{name}({key}{quote}{argument}{quote})")) {
            prop_assert_eq!(VersionFilter::parse(&filter.to_string()), Ok(filter));
        }
    }

    #[test]
    fn any_list_of_tags_has_at_most_one_winner(
        tags in prop::collection::vec("(v?[0-9]{1,3}([.][0-9]{1,2}){0,3}(-rc[0-9])?|[a-z]-1[67][0-9]{8}|\\PC{0,6})", 1..10),
    ) {
        let reversed: Vec<&String> = tags.iter().rev().collect();
        for (filter, policy) in policies() {
            let (there, back) = (select(&tags, &filter, &policy), select(&reversed, &filter, &policy));
            prop_assert_eq!(there.as_ref().map(|s| &s.tag), back.as_ref().map(|s| &s.tag));
            if let Ok(selection) = there {
                let chosen: Vec<_> = selection.why(&tags).filter(|why| why.fate == Fate::Chosen).collect();
                prop_assert_eq!(chosen.len(), 1);
                prop_assert_eq!(chosen[0].tag, &selection.tag);
            }
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

#[test]
fn the_newest_build_goes_by_build_times_only() {
    let policy = Policy::Filter(VersionFilter::parse("prefix('dev-', suffix=newest_build())").unwrap());
    let tags = ["dev-a", "dev-b", "dev-c", "main-z"];
    assert_eq!(undated(&tags, &TagFilter::default(), &policy), ["dev-a", "dev-b", "dev-c"]);
    let facts = Facts::built([("dev-a".into(), 5), ("dev-b".into(), 7), ("main-z".into(), 9)]);
    let selection = select_with(&tags, &TagFilter::default(), &policy, &facts).unwrap();
    let fates: Vec<_> = selection.why(&tags).map(|why| why.fate).collect();
    assert_eq!(fates, [Fate::Outranked, Fate::Chosen, Fate::NoBuildTime, Fate::FilteredOut]);
}

#[test]
fn equal_build_times_go_to_the_greatest_tag() {
    let policy = Policy::Filter(VersionFilter::NewestBuild);
    let facts = Facts::built([("a".into(), 7), ("b".into(), 7)]);
    assert_eq!(select_with(&["b", "a"], &TagFilter::default(), &policy, &facts).unwrap().tag, "b");
}

#[test]
fn without_build_times_nothing_is_newest() {
    let policy = Policy::Filter(VersionFilter::NewestBuild);
    assert_eq!(select(&["a"], &TagFilter::default(), &policy), Err(SelectError::NoMatch));
    assert_eq!(fates(&["a"], &TagFilter::default(), &policy, &Facts::default()), [Fate::NoBuildTime]);
    assert!(undated(&["1"], &TagFilter::default(), &Policy::Filter(VersionFilter::Number)).is_empty());
}

#[test]
fn a_loose_policy_reads_the_group_version_of_its_pattern() {
    let loose = |range| {
        Policy::Filter(VersionFilter::range(range, RangeOptions { loose: true, ..RangeOptions::default() }).unwrap())
    };
    let Policy::Filter(VersionFilter::Range(selection)) = loose("*") else { panic!("a range") };
    let filter = TagFilter::new(Some("^(?P<version>[0-9.]+)_b[0-9]+$"), None).unwrap();
    let tags = ["1.2.0_b1", "1.10.0_b1", "1.2.0.1_b2", "dev-9.0.0"];
    let chosen = select(&tags, &filter, &Policy::Semver(selection)).unwrap();
    let found: Vec<_> = chosen.why(&tags).map(|why| why.fate).collect();
    assert_eq!(found, [Fate::Outranked, Fate::Chosen, Fate::NotAVersion, Fate::NoMatch]);
    assert_eq!(select(&["dev-1.9.0", "dev-1.10.0"], &TagFilter::default(), &loose("1.x")).unwrap().tag, "dev-1.10.0");
}
