//! Vars of secret stores and addresses: what comes in, what is refused, and that no output shows it.

use std::fs;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use windlass_tests::servers::secret_store::{AWS_SECRET_KEY, AZURE_CLIENT_SECRET, SecretStore, VAULT_TOKEN};
use windlass_tests::{Answer, ControlPlane, Options, TestProject};

const KEY: &str = include_str!("vars_stores/service-account.pem");
const PUBLIC_KEY: &[u8] = include_bytes!("vars_stores/public-key.der");

/// A project of one ConfigMap that shows all variables, with `vars` of its deployment.
struct Case {
    store: SecretStore,
    vars: Value,
}

impl Case {
    fn new(secrets: &[(&str, &str)], vars: impl FnOnce(&str) -> Value) -> Self {
        let store = SecretStore::start(secrets, PUBLIC_KEY.to_vec()).expect("a server");
        let vars = vars(&store.url());
        Self { store, vars }
    }

    fn project(&self) -> TestProject {
        let deployment = json!({ "vars": self.vars, "deployments": [{ "path": "app" }] }).to_string();
        let object =
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: app\ndata:\n  v: {{ v | to_json | b64encode }}\n";
        TestProject::from_files(&[(".kluctl.yaml", "{}"), ("deployment.yaml", &deployment), ("app/map.yaml", object)])
    }

    fn command(&self, project: &TestProject, arguments: &[&str]) -> Command {
        let url = self.store.url();
        let account = json!({
            "type": "service_account", "client_email": "windlass@project", "private_key": KEY,
            "token_uri": format!("{url}/google/token"),
        });
        let file = project.work().join("account.json");
        fs::write(&file, account.to_string()).expect("a file");
        let mut command = project.command(arguments);
        command
            .env("VAULT_TOKEN", VAULT_TOKEN)
            .env("AWS_ACCESS_KEY_ID", "AKID")
            .env("AWS_SECRET_ACCESS_KEY", AWS_SECRET_KEY)
            .env_remove("AWS_SESSION_TOKEN")
            .env("AWS_ENDPOINT_URL", &url)
            .env("GOOGLE_APPLICATION_CREDENTIALS", file)
            .env("WINDLASS_ENDPOINT_GOOGLE_SECRETMANAGER", &url)
            .env("AZURE_TENANT_ID", "tenant")
            .env("AZURE_CLIENT_ID", "client")
            .env("AZURE_CLIENT_SECRET", AZURE_CLIENT_SECRET)
            .env("AZURE_AUTHORITY_HOST", &url)
            .env("WINDLASS_ENDPOINT_AZURE_KEY_VAULT", &url);
        command
    }

    fn run(&self, change: impl FnOnce(&mut Command)) -> Answer {
        let project = self.project();
        let mut command = self.command(&project, &["render", "--print-all", "--offline-kubernetes"]);
        change(&mut command);
        Answer::from(command.output().expect("windlass runs"))
    }

    /// The variable `v` as the template saw it.
    fn value(&self) -> Value {
        let answer = self.run(|_| ());
        assert_eq!(answer.code, 0, "{}\n{}", answer.stdout, answer.stderr);
        let text = answer.stdout.lines().find_map(|line| line.trim().strip_prefix("v: ")).expect("the variable");
        serde_json::from_slice(&STANDARD.decode(text).expect("base64")).expect("JSON")
    }

    /// The error; nothing secret is in it.
    fn error(&self) -> String {
        self.error_with(|_| ())
    }

    fn error_with(&self, change: impl FnOnce(&mut Command)) -> String {
        let answer = self.run(change);
        assert_eq!(answer.code, 1, "{}\n{}", answer.stdout, answer.stderr);
        for secret in [VAULT_TOKEN, AWS_SECRET_KEY, AZURE_CLIENT_SECRET, "s3cret"] {
            assert!(!answer.stderr.contains(secret), "{}", answer.stderr);
        }
        answer.stderr
    }
}

const AWS: &str = "team/app";
const GOOGLE: &str = "projects/p/secrets/app/versions/latest";
const AZURE_VAULT: &str = "https://team.vault.azure.net";

fn one_of_each(url: &str) -> [Value; 4] {
    [
        json!({ "vault": { "address": url, "path": "secret/data/app" } }),
        json!({ "awsSecretsManager": { "secretName": AWS, "region": "eu-central-1" } }),
        json!({ "gcpSecretManager": { "secretName": GOOGLE } }),
        json!({ "azureKeyVault": { "vaultUri": AZURE_VAULT, "secretName": "app" } }),
    ]
}

fn with(mut entry: Value, field: &str, value: Value) -> Value {
    entry[field] = value;
    entry
}

#[test]
fn every_store_gives_its_secret_rendered_and_merged() {
    let secrets = [
        ("secret/data/app", r#"{"v": {"vault": "{{ 1 + 1 }}"}}"#),
        (AWS, "v: {aws: 'x{{ v.vault }}'}"),
        (GOOGLE, "v: {google: [1]}"),
        ("app", "{\"v\": {\"azure\": true}}"),
    ];
    let case = Case::new(&secrets, |url| one_of_each(url).to_vec().into());
    assert_eq!(case.value(), json!({ "vault": "2", "aws": "x2", "google": [1], "azure": true }));
}

#[test]
fn vault_version_1_is_read_and_target_path_and_no_override_hold() {
    let case = Case::new(&[("kv1/app", r#"{"a": "1", "b": "2"}"#)], |url| {
        json!([
            { "values": { "v": { "a": "first" } } },
            { "vault": { "address": url, "path": "kv1/app" }, "targetPath": "v", "noOverride": true },
            { "vault": { "address": url, "path": "kv1/app" }, "targetPath": "$.v.c", "when": "v.b == '2'" },
        ])
    });
    assert_eq!(case.value(), json!({ "a": "first", "b": "2", "c": { "a": "1", "b": "2" } }));
}

#[test]
fn tolerated_absence_leaves_what_there_is() {
    let case = Case::new(&[], |url| {
        let missing = one_of_each(url).into_iter().chain([json!({ "http": { "url": format!("{url}/none") } })]);
        let tolerated =
            missing.map(|entry| with(with(entry, "ignoreMissing", true.into()), "targetPath", "v.kept".into()));
        let start = json!({ "values": { "v": { "kept": 1 } } });
        [start].into_iter().chain(tolerated).collect()
    });
    assert_eq!(case.value(), json!({ "kept": 1 }));
}

#[test]
fn absence_is_an_error_that_names_store_and_secret() {
    for (index, words) in [
        "Vault: read `secret/data/app` of `http://",
        "AWS Secrets Manager: get secret `team/app`: not found: ResourceNotFoundException",
        "Google Secret Manager: get secret `projects/p/secrets/app/versions/latest`: not found: NOT_FOUND",
        "Azure Key Vault: get secret `app` of `https://team.vault.azure.net`: not found: SecretNotFound",
    ]
    .into_iter()
    .enumerate()
    {
        let error = Case::new(&[], |url| json!([one_of_each(url)[index]])).error();
        assert!(error.contains(words) && error.contains("not found"), "{error}");
    }
}

#[test]
fn wrong_credentials_are_told_from_absence_also_with_ignore_missing() {
    let changes: [(&str, &str, &str); 3] = [
        ("VAULT_TOKEN", "hvs.another-token", "refused with status 403: permission denied"),
        ("AWS_SECRET_ACCESS_KEY", "another-key", "refused with status 400: InvalidSignatureException"),
        ("AZURE_CLIENT_SECRET", "another-secret", "credentials of AZURE_CLIENT_SECRET: refused with status 401"),
    ];
    for ((name, value, words), index) in changes.into_iter().zip([0, 1, 3]) {
        let case = Case::new(&[], |url| json!([with(one_of_each(url)[index].clone(), "ignoreMissing", true.into())]));
        let error = case.error_with(|command| {
            command.env(name, value);
        });
        assert!(error.contains(words) && !error.contains(value), "{error}");
    }
    let case = Case::new(&[], |url| json!([one_of_each(url)[2]]));
    let error = case.error_with(|command| {
        command.env("GOOGLE_APPLICATION_CREDENTIALS", "absent.json");
    });
    assert!(error.contains("credentials of GOOGLE_APPLICATION_CREDENTIALS (`absent.json`)"), "{error}");
}

#[test]
fn content_that_can_not_be_used_is_named_but_not_shown() {
    for (text, words) in [
        ("- s3cret-list", "'targetPath' is required for this variable source"),
        ("s3cret: [", "the value of AWS secret `team/app` is not valid YAML (line 1, column "),
        ("a: '{{ s3cret_name }}'", "failed to render the value of AWS secret `team/app`"),
    ] {
        let case = Case::new(&[(AWS, text)], |url| json!([one_of_each(url)[1]]));
        let answer = case.run(|_| ());
        assert_eq!(answer.code, 1, "{}", answer.stdout);
        assert!(answer.stderr.contains(words), "{}", answer.stderr);
        assert!(!answer.stderr.contains("s3cret-list") && !answer.stderr.contains("s3cret: ["), "{}", answer.stderr);
    }
}

#[test]
fn http_sends_method_body_and_headers_and_follows_redirects() {
    let case = Case::new(
        &[("/doc", "v:\n  a: '{{ not_rendered }}'\n"), ("/path", r#"{"in": ["v: {b: 2}"]}"#)],
        |url| {
            json!([
                { "http": { "url": format!("{url}/doc") } },
                { "http": { "url": format!("{url}/path"), "jsonPath": "$.in[0]" } },
                { "http": { "url": format!("{url}/redirect"), "headers": { "X-Token": "near" } }, "targetPath": "v.got" },
                {
                    "http": { "url": format!("{url}/echo"), "method": "POST", "body": "text", "headers": { "X-Token": "t" } },
                    "targetPath": "v.sent",
                },
            ])
        },
    );
    let got = json!({ "method": "GET", "header": "near", "body": "" });
    let sent = json!({ "method": "POST", "header": "t", "body": "text" });
    assert_eq!(case.value(), json!({ "a": "{{ not_rendered }}", "b": 2, "got": got, "sent": sent }));
    assert_eq!(case.store.paths(), ["/doc", "/path", "/redirect", "/echo", "/echo"]);
}

#[test]
fn http_errors_name_address_and_cause() {
    let secrets = [("/doc", r#"{"a": 1, "list": "[1]", "bad": "x: ["}"#)];
    for (path, json_path, words) in [
        ("/none", "", "/none failed with status code 404"),
        ("/broken", "", "/broken failed with status code 500"),
        ("/login", "", "/login failed with status code 401"),
        ("/doc", "b", "b not found in result from http request http://"),
        ("/doc", "a", "a in result of http request http://"),
        ("/doc", "list", "is not a YAML map"),
        ("/doc", "bad", "is not valid YAML"),
        ("/doc", "a[", "json path `a[`"),
    ] {
        let error =
            Case::new(&secrets, |url| json!([{ "http": { "url": format!("{url}{path}"), "jsonPath": json_path } }]))
                .error();
        assert!(error.contains(words), "{words}: {error}");
    }
    let silent = |url: &str| Case::new(&[], |_| json!([{ "http": { "url": url } }])).error();
    assert!(silent("http://me:s3cret-pw@127.0.0.1:1/x").contains("127.0.0.1:1 can not be reached"));
    assert!(silent("nonsense").contains("is no address"));
}

#[test]
fn incomplete_entries_are_refused_before_anything_is_asked() {
    for (entry, words) in [
        (json!({ "http": {} }), "VarsSource.Http.Url"),
        (json!({ "awsSecretsManager": { "region": "x" } }), "VarsSource.AwsSecretsManager.SecretName"),
        (json!({ "gcpSecretManager": {} }), "VarsSource.GcpSecretManager.SecretName"),
        (json!({ "azureKeyVault": { "secretName": "x" } }), "VarsSource.AzureKeyVault.VaultUri"),
        (json!({ "vault": { "address": "x" } }), "VarsSource.Vault.Path"),
        (json!({ "vault": { "adress": "x" } }), "adress"),
    ] {
        let case = Case::new(&[], |_| json!([entry]));
        assert!(case.error().contains(words), "{words}: {}", case.error());
        assert!(case.store.paths().is_empty());
    }
    let case = Case::new(&[], |_| json!([{ "awsSecretsManager": { "secretName": "x" } }]));
    assert!(case.error().contains("when omitting the AWS region, the secret name must be a valid ARN"));
}

/// A template error quotes values that came from a store; they are masked in every form.
#[test]
fn secrets_of_stores_are_masked_in_errors() {
    let secret = "s3cret/välue & more";
    let text = json!({ "v": secret }).to_string();
    let case = Case::new(
        &[("secret/data/app", &text)],
        |url| json!([one_of_each(url)[0], { "file": "{% raw %}{{ v }}{% endraw %}.yaml" }]),
    );
    let answer = case.run(|_| ());
    assert_eq!(answer.code, 1);
    assert!(answer.stderr.contains("*****.yaml") && !answer.stderr.contains(secret), "{}", answer.stderr);
}

/// The value reaches the cluster, and is in nothing that a person or a file gets to see.
#[test]
fn secrets_of_stores_are_masked_in_results_and_diffs() {
    let plane = ControlPlane::start(Options::default()).expect("a plane");
    let secret = "s3cret/of-the-store";
    let case =
        Case::new(&[("secret/data/app", &json!({ "v": secret }).to_string())], |url| json!([one_of_each(url)[0]]));
    let project = case.project().on(&plane);
    let object = |extra: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: app\n  namespace: default\ndata:\n  v: 'url={{{{ v }}}}'\n{extra}"
        )
    };
    project.write("app/map.yaml", &object(""));
    let mut shown = String::new();
    for (arguments, extra) in [
        (&["diff", "-o", "yaml", "-o", "text=../text"][..], ""),
        (&["deploy", "--yes", "-o", "yaml"], ""),
        (&["deploy", "--yes", "-o", "yaml", "-o", "text=../text"], "  w: '{{ v | b64encode }} {{ v | urlencode }}'\n"),
    ] {
        project.write("app/map.yaml", &object(extra));
        let answer = Answer::from(case.command(&project, arguments).output().expect("windlass runs"));
        assert_eq!(answer.code, 0, "{}", answer.stderr);
        shown.push_str(&answer.stdout);
        shown.push_str(&answer.stderr);
        shown.push_str(&fs::read_to_string(project.work().join("text")).unwrap_or_default());
    }
    assert!(shown.contains("url=*****"), "{shown}");
    for form in [secret, &STANDARD.encode(secret), "s3cret%2Fof-the-store"] {
        assert!(!shown.contains(form), "{form}: {shown}");
    }
    let kept = case.command(&project, &["render", "--print-all"]).output().expect("windlass runs");
    assert!(String::from_utf8_lossy(&kept.stdout).contains("url=s3cret/of-the-store"), "what is rendered is whole");
}
