//! Registries behind a proxy of the environment.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use windlass_tests::Registry;
use windlass_tests::servers::ForwardProxy;

use super::{PASSWORD, USER, assert_found, assert_refused, image_project, render};

#[test]
fn tls_goes_through_a_tunnel_and_the_proxys_password_stays_there() {
    let registry = Registry::start_with_tokens(USER, PASSWORD).expect("a registry");
    registry.push_images("team/web", &["1.1"]).expect("pushed");
    // The name is known to the proxy only; the registry's certificate is for another one.
    let project = image_project("reg.example.invalid/team/web");
    let proxy = ForwardProxy::start(registry.address()).expect("a proxy");
    let token = STANDARD.encode("me:s3cret-proxy");
    let answer = render(&project, |command| {
        command
            .env("HTTPS_PROXY", format!("http://me:s3cret-proxy@{}", proxy.address()))
            .env("NO_PROXY", "127.0.0.1")
            .env("KLUCTL_REGISTRY_1_HOST", "reg.example.invalid")
            .env("KLUCTL_REGISTRY_1_TLSVERIFY", "0")
            .env("KLUCTL_REGISTRY_1_USERNAME", USER)
            .env("KLUCTL_REGISTRY_1_PASSWORD", PASSWORD);
    });
    assert_found(&answer, "reg.example.invalid/team/web:1.1");
    let log = proxy.log();
    assert!(!log.is_empty());
    for entry in log {
        assert_eq!(entry.target, "CONNECT reg.example.invalid:443");
        assert_eq!(entry.login.as_deref(), Some(format!("Basic {token}").as_str()));
    }
    assert!(registry.token_requests().iter().all(|request| request.granted));
}

#[test]
fn plain_http_goes_through_its_own_proxy_and_excepted_hosts_do_not() {
    let registry = Registry::start_with_auth(USER, PASSWORD).expect("a registry");
    registry.push_images("team/web", &["1.1"]).expect("pushed");
    let project = image_project("reg.example.invalid/team/web");
    let proxy = ForwardProxy::start(registry.address()).expect("a proxy");
    let run = |excepted: &str| {
        render(&project, |command| {
            command
                .env("HTTP_PROXY", format!("http://{}", proxy.address()))
                .env("NO_PROXY", excepted)
                .env("KLUCTL_REGISTRY_1_HOST", "reg.example.invalid")
                .env("KLUCTL_REGISTRY_1_INSECURE", "1")
                .env("KLUCTL_REGISTRY_1_USERNAME", USER)
                .env("KLUCTL_REGISTRY_1_PASSWORD", PASSWORD);
        })
    };
    assert_found(&run("127.0.0.1"), "reg.example.invalid/team/web:1.1");
    let count = proxy.log().len();
    assert!(count > 0 && proxy.log().iter().all(|e| e.target.starts_with("GET http://reg.example.invalid/v2/")));
    assert_refused(&run("example.invalid"), &["reg.example.invalid"]);
    assert_eq!(proxy.log().len(), count, "an excepted host is asked directly");
}

#[test]
fn a_dead_proxy_is_an_error_that_does_not_show_its_password() {
    let project = image_project("reg.example.invalid/team/web");
    let answer = render(&project, |command| {
        command.env("HTTPS_PROXY", "http://me:s3cret-proxy@127.0.0.1:1");
    });
    assert_refused(&answer, &["registry `reg.example.invalid`"]);
}
