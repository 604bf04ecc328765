//! One election over 100,000 tags, with the filters that projects use.
#![allow(missing_docs)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use windlass_images::filter::VersionFilter;
use windlass_images::policy::{Policy, TagFilter, select};

fn tags() -> Vec<String> {
    (0..100_000)
        .map(|i| format!("main-{}.{}.{}-{:07x}", i % 7, i % 113, i, i * 2_654_435_761_u64 % 0xfff_ffff))
        .collect()
}

fn election(c: &mut Criterion) {
    let tags = tags();
    let json = serde_json::json!({"name": "a/b", "tags": tags}).to_string();
    let extracting = TagFilter::new(Some(r"^main-(?P<v>\d+\.\d+\.\d+)-[0-9a-f]{7}$"), Some("$v")).expect("a filter");
    let plain = TagFilter::default();
    let cases = [
        ("regex-and-semver", &extracting, Policy::semver(">=1.0.0 <6").expect("a range")),
        ("get-image-regex", &plain, Policy::Filter(VersionFilter::parse(r#"regex("main-\d+.*")"#).expect("a filter"))),
        ("get-image-prefix", &plain, Policy::Filter(VersionFilter::parse("prefix('main-')").expect("a filter"))),
    ];
    for (name, filter, policy) in &cases {
        c.bench_function(name, |b| b.iter(|| select(black_box(&tags), filter, policy)));
    }
    c.bench_function("parse-listing", |b| {
        b.iter(|| serde_json::from_str::<serde_json::Value>(black_box(&json)));
    });
}

criterion_group!(benches, election);
criterion_main!(benches);
