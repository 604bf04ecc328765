//! Generated projects of any size: half ConfigMaps with loops, half Deployments, ten objects an item.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::servers::SandboxError;

/// Where the objects of a generated project are in their item.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Number of objects, with the namespace.
    pub objects: usize,
}

const PER_ITEM: usize = 10;

impl Shape {
    /// Number of ConfigMaps and of Deployments of each item.
    fn items(self) -> Vec<(usize, usize)> {
        let mut left = self.objects.saturating_sub(1);
        let mut items = Vec::new();
        while left > 0 {
            let size = left.min(PER_ITEM);
            items.push((size.div_ceil(2), size / 2));
            left -= size;
        }
        items
    }
}

/// Writes a project into an empty folder: target `dev`, arg `namespace`.
pub fn generate(folder: &Path, shape: Shape) -> Result<(), SandboxError> {
    write(&folder.join(".kluctl.yaml"), PROJECT)?;
    write(&folder.join("namespace/namespace.yaml"), NAMESPACE)?;
    let mut deployment = "deployments:\n- path: namespace\n- barrier: true\n".to_owned();
    for (number, (maps, deployments)) in shape.items().into_iter().enumerate() {
        let name = format!("item-{number:05}");
        let fill = |template: &str, count: usize| template.replace("ITEM", &name).replace("COUNT", &count.to_string());
        write(&folder.join(&name).join("maps.yaml"), &fill(MAPS, maps))?;
        if deployments > 0 {
            write(&folder.join(&name).join("deployments.yaml"), &fill(DEPLOYMENTS, deployments))?;
        }
        deployment.push_str(&format!("- path: {name}\n"));
    }
    deployment.push_str("commonLabels:\n  team: bench\n");
    write(&folder.join("deployment.yaml"), &deployment)
}

/// The same objects as a bare client sends them; without the namespace.
pub fn objects(namespace: &str, shape: Shape) -> Vec<Value> {
    let mut objects = Vec::new();
    for (number, (maps, deployments)) in shape.items().into_iter().enumerate() {
        let item = format!("item-{number:05}");
        objects.extend((0..maps).map(|n| map(namespace, &format!("{item}-{n}"))));
        objects.extend((0..deployments).map(|n| deployment(namespace, &format!("{item}-{n}"))));
    }
    objects
}

fn metadata(namespace: &str, name: &str) -> Value {
    json!({
        "name": name,
        "namespace": namespace,
        "labels": {"team": "bench", "kluctl.io/discriminator": format!("bench-{namespace}")},
    })
}

fn map(namespace: &str, name: &str) -> Value {
    let data: serde_json::Map<_, _> =
        (0..8).map(|key| (format!("key_{key}"), json!(format!("value {key} of {name} in blue")))).collect();
    let metadata = metadata(namespace, name);
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})
}

fn deployment(namespace: &str, name: &str) -> Value {
    let env: Vec<_> = (0..4).map(|n| json!({"name": format!("SETTING_{n}"), "value": format!("{n} blue")})).collect();
    let container = json!({
        "name": "main",
        "image": "registry.example.com/team/web:1.2.3",
        "env": env,
        "ports": [{"containerPort": 8080, "name": "http", "protocol": "TCP"}],
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "64Mi"}},
    });
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(namespace, name),
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name, "color": "blue"}},
                "spec": {"containers": [container]},
            },
        },
    })
}

fn write(path: &Path, text: &str) -> Result<(), SandboxError> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(folder).map_err(SandboxError::file("create", folder))?;
    fs::write(path, text).map_err(SandboxError::file("write", path))
}

const PROJECT: &str = "\
targets:
- name: dev
  context: held
discriminator: \"bench-{{ args.namespace }}\"
args:
- name: namespace
  default: bench
- name: color
  default: blue
";

const NAMESPACE: &str = "\
apiVersion: v1
kind: Namespace
metadata:
  name: \"{{ args.namespace }}\"
";

const MAPS: &str = "\
{% for n in range(COUNT) %}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: ITEM-{{ n }}
  namespace: {{ args.namespace }}
data:
{% for key in range(8) %}
  key_{{ key }}: \"value {{ key }} of ITEM-{{ n }} in {{ args.color }}\"
{% endfor %}
{% endfor %}
";

const DEPLOYMENTS: &str = "\
{% for n in range(COUNT) %}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: ITEM-{{ n }}
  namespace: {{ args.namespace }}
spec:
  replicas: 1
  selector:
    matchLabels:
      app: ITEM-{{ n }}
  template:
    metadata:
      labels:
        app: ITEM-{{ n }}
        color: {{ args.color }}
    spec:
      containers:
      - name: main
        image: registry.example.com/team/web:1.2.3
        env:
{% for setting in range(4) %}
        - name: SETTING_{{ setting }}
          value: \"{{ setting }} {{ args.color }}\"
{% endfor %}
        ports:
        - containerPort: 8080
          name: http
          protocol: TCP
        resources:
          requests:
            cpu: 10m
            memory: 32Mi
          limits:
            memory: 64Mi
{% endfor %}
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_exact() {
        for size in [1, 2, 100, 1001, 4001] {
            let shape = Shape { objects: size };
            assert_eq!(objects("n", shape).len() + 1, size);
        }
    }

    #[test]
    fn half_of_the_objects_are_deployments() {
        let all = objects("n", Shape { objects: 1001 });
        assert_eq!(all.iter().filter(|object| object["kind"] == "Deployment").count(), 500);
    }

    #[test]
    fn project_lists_every_item() {
        let folder = tempfile::tempdir().expect("a folder");
        generate(folder.path(), Shape { objects: 32 }).expect("written");
        let text = fs::read_to_string(folder.path().join("deployment.yaml")).expect("read");
        assert_eq!(text.matches("- path: item-").count(), 4);
        assert!(folder.path().join("item-00000/deployments.yaml").is_file());
        // The last item has a single object.
        assert!(!folder.path().join("item-00003/deployments.yaml").exists());
    }
}
