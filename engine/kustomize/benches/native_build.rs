//! Native builds: plain folders of manifests, and overlays that use everything.
#![allow(missing_docs)]

use std::hint::black_box;
use std::path::{Path, PathBuf};

use criterion::{Criterion, criterion_group, criterion_main};
use windlass_kustomize::{MemoryTree, build_generated};

const ITEMS: usize = 1_000;

fn manifests(item: usize) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web-{item}\n  labels:\n    app: web\nspec:\n  \
         replicas: 1\n  selector:\n    matchLabels:\n      app: web\n  template:\n    metadata:\n      labels:\n        \
         app: web\n    spec:\n      containers:\n      - name: main\n        image: nginx:1.25\n        envFrom:\n        \
         - configMapRef:\n            name: conf\n---\napiVersion: v1\nkind: Service\nmetadata:\n  name: web-{item}\n\
         spec:\n  selector:\n    app: web\n  ports:\n  - port: 80\n"
    )
}

const OVERLAY: &str = "resources: [../base]\nnamespace: prod\nnamePrefix: a-\ncommonLabels: {team: x}\n\
                       images: [{name: nginx, newTag: '2'}]\nconfigMapGenerator:\n- name: conf\n  literals: [a=b]\n\
                       patches:\n- target: {kind: Deployment}\n  patch: |\n    apiVersion: apps/v1\n    kind: Deployment\n    \
                       metadata: {name: any}\n    spec:\n      template:\n        spec:\n          containers:\n          \
                       - {name: main, args: [--new]}\n";

fn native_build(c: &mut Criterion) {
    let texts: Vec<String> = (0..ITEMS).map(manifests).collect();
    c.bench_function("plain-1000-items", |b| {
        b.iter(|| {
            let built = texts.iter().map(|text| build_generated([(Path::new("a.yaml"), text.as_str())], Some("n")));
            black_box(built.flatten().count())
        });
    });
    let files = texts.iter().enumerate().flat_map(|(item, text)| {
        [
            (PathBuf::from(format!("{item}/base/kustomization.yaml")), b"resources: [a.yaml]\n".as_slice()),
            (PathBuf::from(format!("{item}/base/a.yaml")), text.as_bytes()),
            (PathBuf::from(format!("{item}/prod/kustomization.yaml")), OVERLAY.as_bytes()),
        ]
    });
    let tree = MemoryTree::new(files);
    let dirs: Vec<PathBuf> = (0..ITEMS).map(|item| PathBuf::from(format!("{item}/prod"))).collect();
    c.bench_function("overlays-1000-items", |b| {
        b.iter(|| black_box(dirs.iter().filter_map(|dir| tree.build(dir, None)).count()));
    });
    assert!(tree.build(&dirs[0], None).is_some(), "the overlay is built natively");
}

criterion_group!(benches, native_build);
criterion_main!(benches);
