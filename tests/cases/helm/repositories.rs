//! Where charts come from: registries, repositories with TLS and a login, git.

use windlass_tests::servers::Commit;
use windlass_tests::{ChartServer, GitServer, Registry, TestProject, files_below};

use super::{RENDER, choose, refused, release, web};

/// A repository for one user, and a project that wants a chart of it.
struct Secured {
    server: ChartServer,
    project: TestProject,
}

impl Secured {
    fn new() -> Self {
        let server = ChartServer::start_secured("me", "s3cret").expect("a server");
        let project = release("");
        server.add(&web(project.work(), "1.0.0")).expect("a chart");
        let secured = Self { server, project };
        secured.want("1.0.0", "");
        secured
    }

    fn want(&self, version: &str, more: &str) {
        let url = self.server.url();
        choose(&self.project, &format!("repo: '{url}', chartName: web, chartVersion: {version}, {more}"));
    }

    fn flag(&self, name: &str, value: &str) -> String {
        format!("--helm-{name}={}={value}", self.server.address())
    }

    fn authority(&self) -> String {
        self.flag("ca-file", &self.server.authority_file().expect("a file").display().to_string())
    }

    fn login(&self) -> String {
        self.flag("creds", "me:s3cret")
    }
}

#[test]
fn a_certificate_that_is_not_trusted_names_the_setting() {
    let secured = Secured::new();
    let unknown = secured.project.run(&["helm-pull", &secured.login()]);
    refused(&unknown, &format!("`--helm-ca-file {}=FILE` or KLUCTL_HELM_CA_FILE", secured.server.address()));
    let other = ChartServer::start_secured("x", "x").expect("a server");
    let file = other.authority_file().expect("a file").display().to_string();
    let wrong = secured.project.run(&["helm-pull", &secured.login(), &secured.flag("ca-file", &file)]);
    refused(&wrong, &format!("its authority is not in `{file}`"));
    assert!(wrong.stderr.contains("--helm-"), "the flag is named: {wrong:?}");
    assert!(!wrong.stderr.contains("s3cret"), "{wrong:?}");
    assert!(!secured.project.dir().join(".helm-charts/digests.yaml").exists());
}

#[test]
fn a_login_is_needed_and_has_to_be_right() {
    let secured = Secured::new();
    refused(&secured.project.run(&["helm-pull", &secured.authority()]), "no credentials are known for it");
    let wrong = secured.flag("creds", "me:wr0ng");
    let answer = secured.project.run(&["helm-pull", &secured.authority(), &wrong]);
    refused(&answer, "the server does not accept the credentials");
    assert!(!answer.stderr.contains("wr0ng"), "{answer:?}");
    secured.project.succeed(&["helm-pull", &secured.authority(), &secured.login()]);
    let rendered = secured.project.succeed(&RENDER);
    assert!(rendered.stdout.contains("version: 1.0.0"), "{rendered:?}");
}

#[test]
fn variables_give_login_and_authority() {
    let secured = Secured::new();
    let mut command = secured.project.command(&["helm-pull"]);
    command.env("KLUCTL_HELM_0_HOST", secured.server.address());
    command.env("KLUCTL_HELM_0_USERNAME", "me").env("KLUCTL_HELM_0_PASSWORD", "s3cret");
    command.env("KLUCTL_HELM_0_CA_FILE", secured.server.authority_file().expect("a file"));
    let answer = command.output().expect("a run");
    assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
}

#[test]
fn an_archive_with_another_checksum_is_refused_and_the_old_chart_stays() {
    let secured = Secured::new();
    let pull = ["helm-pull", &secured.authority(), &secured.login()];
    secured.project.succeed(&pull);
    let before = files_below(&secured.project.dir().join(".helm-charts"));
    secured.server.add(&web(secured.project.work(), "1.1.0")).expect("a chart");
    secured.server.replace("web-1.1.0.tgz", b"something else");
    secured.want("1.1.0", "");
    let answer = secured.project.run(&pull);
    refused(&answer, "checksum mismatch");
    assert!(answer.stderr.contains("web-1.1.0.tgz"), "{answer:?}");
    assert_eq!(files_below(&secured.project.dir().join(".helm-charts")), before);
}

#[test]
fn a_chart_that_is_not_pulled_before_is_fetched_while_rendering() {
    let secured = Secured::new();
    secured.want("1.0.0", "skipPrePull: true");
    let (authority, login) = (secured.authority(), secured.login());
    let arguments = [&RENDER[..], &[&authority, &login]].concat();
    assert!(secured.project.succeed(&arguments).stdout.contains("version: 1.0.0"));
    refused(
        &release(&format!("repo: '{}', chartName: web, chartVersion: 9.9.9, skipPrePull: true", secured.server.url()))
            .run(&arguments),
        "chart \"web\" version \"9.9.9\" not found in",
    );
}

#[test]
fn charts_come_from_a_registry_with_a_login() {
    let registry = Registry::start_with_auth("me", "s3cret").expect("a registry");
    let address = registry.address();
    let fields = |version: &str| format!("repo: 'oci://{address}/team/web', chartVersion: '{version}'");
    let project = release(&fields("1.0.0+b1"));
    registry.push_chart("team/web", &web(project.work(), "1.0.0+b1")).expect("a chart");
    let plain = format!("--registry-plain-http={address}");
    let anonymous = project.run(&["helm-pull", &plain]);
    assert!(anonymous.code == 1 && anonymous.stderr.contains("401"), "{anonymous:?}");
    let login = format!("--registry-creds={address}=me:s3cret");
    project.succeed(&["helm-pull", &plain, &login]);
    assert!(project.read(".helm-charts/digests.yaml").contains("1.0.0+b1: sha256:"));
    assert!(project.succeed(&RENDER).stdout.contains("version: 1.0.0+b1"));
    choose(&project, &fields("2.0.0"));
    refused(&project.run(&["helm-pull", &plain, &login]), "chart \"web\" version \"2.0.0\" not found in oci://");
    registry.push_image("team/web", "3.0.0").expect("an image");
    choose(&project, &fields("3.0.0"));
    refused(&project.run(&["helm-pull", &plain, &login]), "it has no layer with a chart");
}

#[test]
fn charts_come_from_a_registry_with_tokens_and_an_own_authority() {
    let registry = Registry::start_with_tokens("me", "s3cret").expect("a registry");
    let address = registry.address();
    let project = release(&format!("repo: 'oci://{address}/team/web', chartVersion: 1.0.0"));
    registry.push_chart("team/web", &web(project.work(), "1.0.0")).expect("a chart");
    let file = registry.authority_file().expect("a file").display().to_string();
    let (authority, login) =
        (format!("--registry-ca-file={address}={file}"), format!("--registry-creds={address}=me:s3cret"));
    let untrusted = project.run(&["helm-pull", &login]);
    assert!(untrusted.code == 1 && untrusted.stderr.contains("certificate"), "{untrusted:?}");
    project.succeed(&["helm-pull", &authority, &login]);
    assert!(project.succeed(&RENDER).stdout.contains("version: 1.0.0"));
}

#[test]
fn charts_of_a_branch_are_what_was_pulled_and_a_directory_may_stand_for_them() {
    let server = GitServer::start().expect("a git server");
    let project = release("");
    let publish = |version: &str| {
        let from = web(project.work(), version);
        server.commit("charts", Commit { from: Some(&from), ..Commit::default() }).expect("a commit");
    };
    publish("1.0.0");
    choose(&project, &format!("git: {{url: '{}', ref: {{branch: main}}}}", server.url("charts")));
    refused(&project.run(&RENDER), "No base dir for charts found");
    project.succeed(&["helm-pull"]);
    publish("1.1.0");
    // Vendored charts need no network and stay what they are until they are pulled again.
    assert!(project.succeed(&RENDER).stdout.contains("version: 1.0.0"));
    let local = web(project.work(), "2.0.0-local");
    let key = format!("--local-git-override={}/charts={}", server.address(), local.display());
    let overridden = project.run(&[&RENDER[..], &[&key]].concat());
    assert!(overridden.code == 0 && overridden.stdout.contains("version: 2.0.0-local"), "{overridden:?}");
    assert!(project.succeed(&RENDER).stdout.contains("version: 1.0.0"));
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("/etc/hostname", local.join("templates/link.yaml")).expect("a link");
        refused(&project.run(&[&RENDER[..], &[&key]].concat()), "/etc/hostname");
    }
}
