//! Completes objects so that server-side apply can match list elements (spec 03 section 7.5).

use std::borrow::Cow;

use serde_json::Value;
use windlass_model::object::Object;

const QUANTITIES: [&str; 2] = ["limits", "requests"];
const LIMIT_RANGES: [&str; 2] = ["default", "defaultRequest"];

/// The object to send: the same one unless something has to be completed.
pub(super) fn complete(object: &Object) -> Cow<'_, Object> {
    if !is_incomplete(&object.0) {
        return Cow::Borrowed(object);
    }
    let mut object = object.clone();
    for_each_place(&mut object.0, &mut |place| match place {
        Place::Port(port) => {
            port.insert("protocol".into(), "TCP".into());
        }
        Place::Cpu(cpu) => *cpu = Value::String(plain(cpu)),
    });
    Cow::Owned(object)
}

enum Place<'a> {
    Port(&'a mut serde_json::Map<String, Value>),
    Cpu(&'a mut Value),
}

fn is_incomplete(object: &Value) -> bool {
    let spec = &object["spec"];
    let containers = items(&spec["template"]["spec"]["containers"]);
    has_bare_port(&spec["ports"])
        || containers.iter().any(|container| {
            has_bare_port(&container["ports"])
                || QUANTITIES.iter().any(|key| is_numeric(&container["resources"][key]["cpu"]))
        })
        || items(&spec["limits"]).iter().any(|limit| LIMIT_RANGES.iter().any(|key| is_numeric(&limit[key]["cpu"])))
}

fn for_each_place(object: &mut Value, visit: &mut impl FnMut(Place<'_>)) {
    let Some(spec) = object.get_mut("spec") else { return };
    bare_ports(spec, visit);
    let containers = spec.get_mut("template").and_then(|t| t.get_mut("spec")).and_then(|s| s.get_mut("containers"));
    for container in containers.and_then(Value::as_array_mut).into_iter().flatten() {
        bare_ports(container, visit);
        if let Some(resources) = container.get_mut("resources") {
            numeric_cpus(resources, QUANTITIES, visit);
        }
    }
    for limit in spec.get_mut("limits").and_then(Value::as_array_mut).into_iter().flatten() {
        numeric_cpus(limit, LIMIT_RANGES, visit);
    }
}

fn bare_ports(owner: &mut Value, visit: &mut impl FnMut(Place<'_>)) {
    let ports = owner.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten();
    for port in ports.filter_map(Value::as_object_mut).filter(|port| !port.contains_key("protocol")) {
        visit(Place::Port(port));
    }
}

fn numeric_cpus(owner: &mut Value, keys: [&str; 2], visit: &mut impl FnMut(Place<'_>)) {
    for key in keys {
        let cpu = owner.get_mut(key).and_then(|quantities| quantities.get_mut("cpu"));
        if let Some(cpu) = cpu.filter(|cpu| is_numeric(cpu)) {
            visit(Place::Cpu(cpu));
        }
    }
}

fn has_bare_port(ports: &Value) -> bool {
    items(ports).iter().filter_map(Value::as_object).any(|port| !port.contains_key("protocol"))
}

fn items(list: &Value) -> &[Value] {
    list.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn is_numeric(value: &Value) -> bool {
    value.is_number()
}

/// Decimal text without exponent and without a fraction of zero.
fn plain(number: &Value) -> String {
    match number.as_f64() {
        Some(float) if number.is_f64() => format!("{float}"),
        _ => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ports_get_tcp_and_cpus_become_text() {
        let object = Object(json!({"spec": {
            "ports": [{"port": 80}, {"port": 53, "protocol": "UDP"}],
            "template": {"spec": {"containers": [{"ports": [{"containerPort": 1}],
                "resources": {"limits": {"cpu": 1}, "requests": {"cpu": 0.5, "memory": 3}}}]}},
            "limits": [{"default": {"cpu": 2.0}, "defaultRequest": {"cpu": "1"}}]}}));
        let expected = json!({"spec": {
            "ports": [{"port": 80, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}],
            "template": {"spec": {"containers": [{"ports": [{"containerPort": 1, "protocol": "TCP"}],
                "resources": {"limits": {"cpu": "1"}, "requests": {"cpu": "0.5", "memory": 3}}}]}},
            "limits": [{"default": {"cpu": "2"}, "defaultRequest": {"cpu": "1"}}]}});
        assert_eq!(complete(&object).0, expected);
    }

    #[test]
    fn a_complete_object_is_not_copied() {
        let object = Object(json!({"spec": {"ports": [{"port": 1, "protocol": "TCP"}]}}));
        assert!(matches!(complete(&object), Cow::Borrowed(_)));
    }

    #[test]
    fn other_structures_are_left_alone() {
        for spec in [
            json!(null),
            json!("text"),
            json!({"ports": {"a": 1}, "limits": 3}),
            json!({"ports": [1], "limits": [{"default": 1}], "template": {"spec": {"containers": [null, {"resources": []}]}}}),
        ] {
            let object = Object(json!({"spec": spec}));
            assert_eq!(complete(&object).0, object.0);
        }
    }
}
