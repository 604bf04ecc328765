use super::*;
use crate::{Engine, EngineOptions, Ports, SearchPath, Vars};
use serde_json::json;

struct Tree {
    dir: tempfile::TempDir,
}

impl Tree {
    fn new(files: &[(&str, &[u8])]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for (path, bytes) in files {
            let path = dir.path().join("root/item").join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        Self { dir }
    }

    fn path(&self, relative: &str) -> PathBuf {
        self.dir.path().join(relative)
    }

    fn render(&self) -> Result<RenderedDir, Vec<FileError>> {
        let engine = Engine::new(EngineOptions::default(), Ports::default());
        let vars = Vars::new(json!({"w": "world"}).as_object().unwrap().clone());
        let item = self.path("root/item");
        engine.batch(vars, SearchPath::new([item.clone()])).render_dir(&DirectoryRequest {
            item_dir: &item,
            target_dir: Some(&self.path("out")),
            source_root: &self.path("root"),
        })
    }

    fn written(&self, path: &str) -> String {
        String::from_utf8_lossy(&fs::read(self.path("out").join(path)).unwrap()).into_owned()
    }
}

#[test]
fn files_with_a_brace_are_rendered_and_others_copied() {
    let tree = Tree::new(&[
        ("a.txt", b"x{{ w }}\r\ny\r\n"),
        ("sub/.hidden", b"{{ 1 + 1 }}\n\n"),
        ("plain.txt", b"a\r\nb\r\n"),
        ("bin.dat", b"{\xff\x00"),
    ]);
    let rendered = tree.render().unwrap();
    assert_eq!(tree.written("a.txt"), "xworld\ny");
    assert_eq!(tree.written("sub/.hidden"), "2\n");
    assert_eq!(tree.written("plain.txt"), "a\r\nb\r\n");
    assert_eq!(rendered.files[Path::new("bin.dat")].as_bytes(), b"{\xff\x00");
    assert_eq!(rendered.files[Path::new("a.txt")].as_text(), Some("xworld\ny"));
}

#[test]
fn charts_git_and_ignored_files_are_copied() {
    let tree = Tree::new(&[
        (".templateignore", b"raw\n"),
        ("raw", b"{{ nope }}"),
        ("n/chart/Chart.yaml", b"name: x"),
        ("n/chart/values.yaml", b"a: {{ nope }}"),
        ("n/.git/config", b"{{ nope }}"),
    ]);
    tree.render().unwrap();
    assert_eq!(tree.written("raw"), "{{ nope }}");
    assert_eq!(tree.written("n/chart/values.yaml"), "a: {{ nope }}");
    assert_eq!(tree.written("n/.git/config"), "{{ nope }}");
}

#[test]
fn all_failing_files_are_reported_and_nothing_is_written() {
    let tree = Tree::new(&[("b.yaml", b"b: {{ nope }}"), ("a.yaml", b"{% if %}"), ("ok.yaml", b"a: 1")]);
    let errors = tree.render().unwrap_err();
    let names: Vec<_> = errors.iter().map(|error| error.path.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["a.yaml", "b.yaml"]);
    let text = errors[1].to_string();
    assert!(text.starts_with("failed rendering template '"), "{text}");
    assert!(
        text.ends_with("line 1, in top-level template code\n    b: {{ nope }}\nUndefinedError: 'nope' is undefined"),
        "{text}"
    );
    assert!(!tree.path("out").exists());
}

#[test]
fn a_missing_directory_is_an_error() {
    let tree = Tree::new(&[]);
    assert_eq!(tree.render().unwrap_err()[0].source.kind(), ErrorKind::Io);
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn links_are_recreated_and_modes_are_private() {
        let tree = Tree::new(&[("run.sh", b"echo")]);
        fs::set_permissions(tree.path("root/item/run.sh"), fs::Permissions::from_mode(0o755)).unwrap();
        symlink("../elsewhere", tree.path("root/item/link")).unwrap();
        let rendered = tree.render().unwrap();
        assert_eq!(rendered.links[Path::new("link")], Path::new("../elsewhere"));
        assert_eq!(fs::read_link(tree.path("out/link")).unwrap(), Path::new("../elsewhere"));
        let mode = |path: &str| fs::metadata(tree.path(path)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("out/run.sh"), mode("out")), (0o600, 0o700));
    }

    #[test]
    fn a_second_run_replaces_files_and_never_writes_through_links() {
        let tree = Tree::new(&[("a", b"1")]);
        fs::create_dir_all(tree.path("out")).unwrap();
        fs::write(tree.path("victim"), "keep").unwrap();
        symlink(tree.path("victim"), tree.path("out/a")).unwrap();
        tree.render().unwrap();
        tree.render().unwrap();
        assert_eq!(tree.written("a"), "1");
        assert_eq!(fs::read_to_string(tree.path("victim")).unwrap(), "keep");
    }
}
