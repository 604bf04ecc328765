//! Compiles the Go program and packs it for embedding.
//!
//! Go's own build cache makes a repeated run cheap; Cargo starts it only when a Go source has changed.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "bundled-go")]
    bundled::build();
}

#[cfg(feature = "bundled-go")]
mod bundled {
    use std::env;
    use std::fs;
    use std::path::{Path, PathBuf};
    use std::process::Command;

    use sha2::{Digest, Sha256};

    pub(crate) fn build() {
        println!("cargo::rerun-if-changed=go");
        println!("cargo::rerun-if-env-changed=GO");
        let out_dir = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
        let program = out_dir.join("gohelper");
        compile(&program);
        pack(&program, &out_dir);
        fs::remove_file(&program).expect("remove the unpacked program");
    }

    fn compile(program: &Path) {
        let go = env::var_os("GO").unwrap_or_else(|| "go".into());
        let status = Command::new(&go)
            .args(["build", "-mod=readonly", "-trimpath", "-buildvcs=false"])
            .args(["-ldflags", "-s -w", "-o"])
            .arg(program)
            .arg(".")
            .current_dir("go")
            .env("CGO_ENABLED", "0")
            .env("GOOS", go_os())
            .env("GOARCH", go_arch())
            .status();
        match status {
            Ok(status) if status.success() => {}
            Ok(status) => panic!("`go build` of engine/gohelper/go ended with {status}"),
            Err(error) => {
                panic!("start `{}`: {error}; install Go 1.26 or build without the feature `bundled-go`", go.display())
            }
        }
    }

    fn go_os() -> String {
        match target("CARGO_CFG_TARGET_OS").as_str() {
            "macos" => "darwin".to_owned(),
            other => other.to_owned(),
        }
    }

    fn go_arch() -> String {
        match target("CARGO_CFG_TARGET_ARCH").as_str() {
            "x86_64" => "amd64".to_owned(),
            "aarch64" => "arm64".to_owned(),
            "x86" => "386".to_owned(),
            other => other.to_owned(),
        }
    }

    fn target(name: &str) -> String {
        env::var(name).unwrap_or_else(|_| panic!("cargo sets {name}"))
    }

    fn pack(program: &Path, out_dir: &Path) {
        let bytes = fs::read(program).expect("read the compiled program");
        let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        // A development build is repeated often and never shipped.
        let level = if target("PROFILE") == "release" { 19 } else { 3 };
        let packed = zstd::bulk::compress(&bytes, level).expect("pack the compiled program");
        fs::write(out_dir.join("gohelper.zst"), packed).expect("write the packed program");
        fs::write(out_dir.join("gohelper.sha256"), digest).expect("write the digest");
    }
}
