use super::*;

fn read_text(text: &str) -> Vec<Node> {
    read(&Source::new("a.yaml", text)).ok().unwrap()
}

fn round(text: &str) -> String {
    to_text(&read_text(text))
}

#[test]
fn the_layout_of_sops_comes_back() {
    let text = "\
# head
a: 1
# about b
b: x # inline
list:
    - 1
    # in list
    - k: v
      # in item
      m:
        deep: true
    - - nested
      - list
    - {}
last: |
    x
     y
# foot
";
    assert_eq!(round(text), text);
}

#[test]
fn types_are_those_of_go_v3() {
    let nodes = read_text("a: yes\nb: 0o17\nc: 1_000\nd: 1.50\ne: ~\nf: 'x'\ng: 2001-01-02\nh: !!str 1\n");
    let digest = |key: &str| match nodes[0].get(key) {
        Some(Node::Scalar(scalar)) => String::from_utf8_lossy(&scalar.digest_bytes()).into_owned(),
        _ => "null".into(),
    };
    let found: Vec<String> = ["a", "b", "c", "d", "e", "f", "g", "h"].into_iter().map(digest).collect();
    assert_eq!(found, ["yes", "15", "1000", "1.5", "null", "x", "2001-01-02T00:00:00Z", "1"]);
    assert_eq!(round("a: yes\n"), "a: \"yes\"\n");
}

#[test]
fn documents_and_aliases() {
    assert_eq!(round("a: &x {k: 1}\nb: *x\n---\nc: 2\n"), "a:\n    k: 1\nb:\n    k: 1\n---\nc: 2\n");
}

#[test]
fn comments_of_ended_collections_go_up() {
    let text = "a:\n    b:\n        c: 1\n    # after b\n# after a\nd: 2\n";
    assert_eq!(round(text), text);
}

#[test]
fn texts_that_look_like_others_are_quoted() {
    for value in
        ["1", "true", "null", "a: b", " x", "x ", "- a", "#", "", "\u{7}", "a\u{2028}b", "yes", "<<", "x\n ", "\n"]
    {
        let node = Node::Map(vec![Entry::Pair(Pair::new("k", Node::text(value)))]);
        let text = to_text(std::slice::from_ref(&node));
        let back = read_text(&text);
        assert_eq!(back[0].get("k").and_then(Node::as_text), Some(value), "{text}");
    }
}

#[test]
fn bad_yaml_has_its_place() {
    let error = |text: &str| read(&Source::new("a.yaml", text)).err().unwrap().to_string();
    assert_eq!(error("a: 1\na: 2\n"), "a.yaml:2:1: the key `a` stands twice in one mapping");
    assert_eq!(error("- a\n"), "a.yaml:1:1: the document is no mapping");
    assert!(error("a: [\n").starts_with("a.yaml:"));
    assert_eq!(error("? [a]\n: 1\n"), "a.yaml:1:3: keys that are collections are not supported");
}

#[test]
fn alias_bombs_are_refused() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..9 {
        let before = level - 1;
        text.push_str(&format!("a{level}: &a{level} [{}]\n", vec![format!("*a{before}"); 10].join(", ")));
    }
    let error = read(&Source::new("a.yaml", text)).err().unwrap().to_string();
    assert!(error.contains("too many values"), "{error}");
}
