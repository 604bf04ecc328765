//! How many templates of all corpora give what Python's Jinja2 gives.

mod corpus;

use std::collections::BTreeSet;

use serde_json::Value;

/// Distinct templates that the corpora have at least.
const CASES: usize = 5000;

/// Of a thousand, so many are equal.
const EQUAL_PER_MILLE: usize = 995;

fn templates(rows: &Value, column: usize) -> impl Iterator<Item = String> {
    rows.as_array().unwrap().iter().map(move |row| row[column].as_str().unwrap().to_owned())
}

#[test]
fn nearly_all_templates_are_equal_and_the_rest_is_listed() {
    let random = corpus::json("random.json");
    let listed_cases = corpus::json("cases.json");
    let mut cases: BTreeSet<String> = templates(&corpus::json("systematic.json"), 0).collect();
    cases.extend(listed_cases["cases"].as_array().unwrap().iter().map(|case| case["template"].to_string()));
    cases.extend(templates(&random["cases"], 1));
    let projects = corpus::json("projects.json");
    let answers = projects.as_object().unwrap().values().flat_map(|files| files.as_object().unwrap().values());
    let total = cases.len() + answers.map(|answers| answers.as_array().unwrap().len()).sum::<usize>();
    let lists = ["failing.txt", "deliberate.txt", "random_failing.txt", "projects_failing.txt"];
    let differing: usize = lists.iter().map(|list| corpus::listed(list).len()).sum();
    assert!(corpus::listed("projects_failing.txt").is_empty(), "realistic files are all equal");
    assert!(total >= CASES, "{total} cases");
    // The other tests hold that what is not listed is equal.
    assert!(
        (total - differing) * 1000 >= total * EQUAL_PER_MILLE,
        "{differing} of {total} differ: {:.2} % are equal",
        100.0 - 100.0 * differing as f64 / total as f64
    );
}
