use serde_json::json;

use super::*;

fn of(values: &[&str]) -> SecretValues {
    let secrets = SecretValues::default();
    values.iter().for_each(|value| secrets.register(value));
    secrets
}

#[test]
fn every_form_of_a_value_is_masked() {
    let secrets = of(&["a/b \"c\"<é>?\u{fb}"]);
    for form in [
        "a/b \"c\"<é>?\u{fb}",
        "YS9iICJjIjzDqT4/w7s=",
        "YS9iICJjIjzDqT4/w7s",
        "YS9iICJjIjzDqT4_w7s",
        "YS9iICJjIjzDqT4/w7sK",
        "a%2Fb%20%22c%22%3C%C3%A9%3E%3F%C3%BB",
        "a%2fb%20%22c%22%3c%c3%a9%3e%3f%c3%bb",
        "a%2Fb+%22c%22%3C%C3%A9%3E%3F%C3%BB",
        "a/b \\\"c\\\"<é>?\u{fb}",
        "a/b \\\"c\\\"\\u003cé\\u003e?\u{fb}",
    ] {
        let masked = secrets.mask(&format!("x={form};")).into_owned();
        assert!(["x=*****;", "x=*****=;"].contains(&masked.as_str()), "{form}: {masked}");
    }
}

#[test]
fn values_that_are_everywhere_stay() {
    let secrets = of(&["abc", "5432", "  true ", "Production", "", "localhost"]);
    assert!(secrets.is_empty());
    assert_eq!(secrets.mask("abc 5432 true Production"), "abc 5432 true Production");
}

#[test]
fn short_values_are_masked_as_whole_words() {
    let secrets = of(&["hunt2", "123456"]);
    assert_eq!(secrets.mask("hunt2 hunt23 \"hunt2\" _hunt2 -hunt2-"), "***** hunt23 \"*****\" _hunt2 -*****-");
    assert_eq!(secrets.mask("123456 1234567"), "***** 1234567");
}

#[test]
fn long_values_are_masked_inside_words() {
    assert_eq!(of(&["hunter22"]).mask("xhunter22y"), "x*****y");
}

#[test]
fn overlapping_values_leave_nothing() {
    let secrets = of(&["abcdefgh", "efghijkl", "abcdefgh-ijkl"]);
    assert_eq!(secrets.mask("1abcdefghijkl2"), "1*****2");
    assert_eq!(secrets.mask("abcdefgh-ijkl"), "*****");
    assert_eq!(secrets.mask("abcdefghabcdefgh"), "**********");
}

#[test]
fn lines_of_a_longer_value_are_masked_one_by_one() {
    let secrets = of(&["-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0\n-----END KEY-----\n"]);
    assert_eq!(secrets.mask("+-----BEGIN KEY-----\n+MIIEvQIBADANBgkqhkiG9w0\n"), "+-----BEGIN KEY-----\n+*****\n");
    let secrets = of(&["apiVersion: v1\nusers:\n- token: 'abcdefghij'\nhost=postgresql\n# short"]);
    assert_eq!(
        secrets.mask("apiVersion: v1, abcdefghij, host=postgresql, # short"),
        "apiVersion: v1, *****, host=postgresql, # short"
    );
}

#[test]
fn values_registered_after_masking_count() {
    let secrets = of(&["first-value"]);
    assert_eq!(secrets.mask("first-value second-value"), "***** second-value");
    secrets.register("second-value");
    assert_eq!(secrets.mask("first-value second-value"), "***** *****");
}

#[test]
fn trees_are_registered_and_masked_by_their_leaves() {
    let secrets = SecretValues::default();
    secrets.register_value(&json!({ "password-key": ["s3cret-value", 12_345_678, null, true] }));
    let mut value = json!({ "password-key": "x s3cret-value", "n": [12_345_678, 5], "b": true });
    secrets.mask_value(&mut value);
    assert_eq!(value, json!({ "password-key": "x *****", "n": ["*****", 5], "b": true }));
}

#[test]
fn very_long_values_are_masked_in_pieces() {
    let value: String = (0..2500).map(|n| format!("{n:04}é")).collect();
    let masked = of(&[&value]).mask(&value).into_owned();
    assert_eq!(masked.replace(MASK, ""), "");
}

#[test]
fn found_values_that_look_like_names_stay() {
    let secrets = SecretValues::default();
    for name in ["myapp", "user1", "my-app.example.org:80", "hunt2"] {
        secrets.register_found(name);
        assert!(secrets.is_empty(), "{name}");
    }
    for value in ["a3f5c9d1e7", "Tr0ub4dor&3", "long-enough-words-without-any-digit"] {
        secrets.register_found(value);
        assert_eq!(secrets.mask(value), "*****");
    }
}

#[test]
fn nothing_of_a_value_is_in_debug_output() {
    assert_eq!(format!("{:?}", of(&["s3cret-value"])), "SecretValues { count: 1 }");
}

mod laws {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_registered_value_survives(values in prop::collection::vec("[a-z][a-zA-Z0-9/é\"& ]{7,18}[0-9]", 1..5), around in "[a-z \\n]{0,9}") {
            let secrets = of(&values.iter().map(String::as_str).collect::<Vec<_>>());
            for value in &values {
                let text = format!("{around}{}{around}{}", value.trim(), serde_json::to_string(value.trim()).unwrap());
                let masked = secrets.mask(&text).into_owned();
                prop_assert!(rule::parts(value).iter().all(|part| !masked.contains(part)));
                prop_assert_eq!(secrets.mask(&masked), masked.as_str());
            }
        }

        #[test]
        fn other_text_stays(text in "[a-z \\n{}:]{0,60}") {
            prop_assert_eq!(of(&["S3CRET-VALUE"]).mask(&text), text.as_str());
        }
    }
}

#[test]
fn a_login_is_masked_in_the_form_in_which_it_is_sent() {
    let secrets = SecretValues::default();
    secrets.register_login("me", "correct-horse");
    assert_eq!(secrets.mask("Basic bWU6Y29ycmVjdC1ob3JzZQ== of me, correct-horse"), "Basic ***** of me, *****");
}
