//! Templates from a grammar render as in Python.
//!
//! `oracle/random_templates.py` writes `oracle/random.json`; `oracle/random_failing.txt` lists what differs.

mod corpus;

use std::collections::BTreeMap;

#[test]
fn random_templates_render_as_in_python() {
    let data = corpus::json("random.json");
    let files = data["files"].as_object().unwrap();
    let folder = corpus::folder(files.iter().map(|(name, text)| (name, text.as_str().unwrap())));
    let contexts = data["contexts"].as_array().unwrap();
    let batches: Vec<_> =
        contexts.iter().map(|changes| corpus::batch(corpus::vars(&data["vars"], changes), folder.path())).collect();
    let mut differences = BTreeMap::new();
    for row in data["cases"].as_array().unwrap() {
        let (context, template) = (row[0].as_u64().unwrap(), row[1].as_str().unwrap());
        let actual = batches[usize::try_from(context).unwrap()].render_named(template, "case");
        let name = format!("{context} {}", template.replace('\n', "⏎"));
        differences.insert(name, corpus::difference(&row.as_array().unwrap()[2..], &actual));
    }
    assert_eq!(differences.len(), data["cases"].as_array().unwrap().len(), "a case is there twice");
    corpus::check(&differences, "random_failing.txt");
}
