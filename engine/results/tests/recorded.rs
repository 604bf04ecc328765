//! The Secrets of the reference tool are rebuilt from the results in them.

use std::path::Path;

use base64::Engine as _;
use serde_json::{Value, json};
use windlass_model::location::Source;
use windlass_model::object::Object;
use windlass_model::result::{CommandResult, ResultObject};
use windlass_results::secret::{command_secret, read_command_result};
use windlass_yaml::{Dialect, parse_first};

const ID: &str = "5b0c3a52-1111-4222-8333-444455556666";
const CASE: &str = "../../tests/golden/cluster/result-secrets";

/// Recorded Secrets with their data unpacked and compacted objects expanded.
fn recorded(file: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(CASE).join(file);
    let text = std::fs::read_to_string(path).unwrap().replace("<ID>", ID);
    let value = parse_first(&Source::new(file.to_owned(), text), Dialect::Python).unwrap().value;
    value.as_array().unwrap().clone()
}

fn result(secret: &Value) -> CommandResult {
    let objects: Vec<ResultObject> = serde_json::from_value(secret["data"]["compactedObjects"].clone()).unwrap();
    let mut result = CommandResult::from_value(secret["data"]["reducedResult"].clone()).unwrap();
    result.objects = objects;
    result
}

/// The Secret in the form of the recording.
fn unpacked(secret: &Object) -> Value {
    let objects = read_command_result(secret).unwrap().objects;
    let mut shown = secret.0.clone();
    let packed = base64::engine::general_purpose::STANDARD.decode(shown["data"]["reducedResult"].as_str().unwrap());
    let reader = flate2::read::GzDecoder::new(std::io::Cursor::new(packed.unwrap()));
    shown["data"] = json!({
        "reducedResult": serde_json::from_reader::<_, Value>(reader).unwrap(),
        "compactedObjects": objects,
    });
    let summary = &mut shown["metadata"]["annotations"]["kluctl.io/command-result-summary"];
    *summary = serde_json::from_str(summary.as_str().unwrap()).unwrap();
    shown
}

#[test]
fn recorded_secrets_are_rebuilt() {
    let mut count = 0;
    for file in ["get3-7.yaml", "get5-10.yaml"] {
        for mut wanted in recorded(file) {
            let secret = command_secret(&result(&wanted), "my-results").unwrap();
            // What the server adds.
            wanted.as_object_mut().unwrap().remove("type");
            for key in ["creationTimestamp", "managedFields", "resourceVersion", "uid"] {
                wanted["metadata"].as_object_mut().unwrap().remove(key);
            }
            assert_eq!(unpacked(&secret), wanted);
            count += 1;
        }
    }
    assert_eq!(count, 3);
}
