use serde_json::json;

use super::*;
use crate::fixed::FixedOrigin;
use crate::placeholder::{ImageCall, find};

fn site() -> ObjectSite {
    ObjectSite {
        object: ObjectRef {
            group: "apps".into(),
            version: "v1".into(),
            kind: "Deployment".into(),
            name: "web".into(),
            namespace: "shop".into(),
        },
        rendered_namespace: String::new(),
        deploy_tags: vec!["front".into()],
        deployment_dir: "apps/web".into(),
    }
}

fn occurrence(filter: Option<&str>, digest: bool) -> Occurrence {
    let call = ImageCall { image: "reg.example/web".into(), latest_version: filter.map(str::to_owned), digest };
    find(&json!({"c": [{"name": "app", "image": call.encode()}]})).occurrences.remove(0)
}

fn entries(flags: &[&str]) -> FixedImages {
    flags.iter().map(|flag| FixedImage::from_flag(flag).unwrap()).collect()
}

fn resolve(
    fixed: &[&str],
    vars: &[&str],
    deployed: &Deployed,
    update: UpdateImages,
) -> Result<ImageDecision, Box<Unresolved>> {
    let (site, occurrence) = (site(), occurrence(None, false));
    let request = ImageRequest { site: &site, occurrence: &occurrence };
    let (fixed, vars, policies) = (entries(fixed), entries(vars), ProjectPolicies::default());
    match decide(request, Rules { fixed: &fixed, vars: &vars, policies: &policies, update }, deployed).unwrap() {
        Decision::Resolved(decision) => Ok(decision),
        Decision::NeedsRegistry(need) => {
            need.choose(RegistryAnswer::Tags(&["1.0", "1.1"]), &Facts::default()).map(|choice| choice.finish(None))
        }
    }
}

fn running() -> Deployed {
    Deployed::Image("reg.example/web:1.0".into())
}

#[test]
fn precedence_is_fixed_then_deployed_then_registry() {
    let result = |fixed: &[&str], vars: &[&str], deployed: &Deployed, update| {
        resolve(fixed, vars, deployed, update).unwrap().result_image
    };
    let (keep, update) = (UpdateImages::Keep, UpdateImages::Update);
    let (fixed, vars) = (["reg.example/web=f"], ["reg.example/web=v"]);
    assert_eq!(result(&fixed, &vars, &running(), keep), "f");
    assert_eq!(result(&["other=f"], &vars, &running(), keep), "v");
    assert_eq!(result(&[], &[], &running(), keep), "reg.example/web:1.0");
    assert_eq!(result(&[], &[], &Deployed::Absent, keep), "reg.example/web:1.1");
    assert_eq!(result(&fixed, &vars, &running(), update), "reg.example/web:1.1");
}

#[test]
fn a_decision_carries_what_lists_show() {
    let decision = resolve(&[], &[], &running(), UpdateImages::Update).unwrap();
    assert_eq!(decision.deployed_image.as_deref(), Some("reg.example/web:1.0"));
    assert_eq!(decision.registry_image.as_deref(), Some("reg.example/web:1.1"));
    assert_eq!((decision.version_filter.as_str(), decision.container.as_str()), ("semver()", "app"));
    assert_eq!((decision.deployment().as_str(), decision.path.to_string().as_str()), ("Deployment/web", "c[0].image"));
    assert_eq!(decision.source, DecisionSource::Registry { tag: "1.1".into() });
}

#[test]
fn the_source_names_the_entry() {
    let decision = resolve(&["reg.example/web=f"], &[], &running(), UpdateImages::Keep).unwrap();
    assert_eq!(decision.source, DecisionSource::Fixed(FixedOrigin::Flag { text: "reg.example/web=f".into() }));
    assert_eq!(decision.registry_image, None);
}

#[test]
fn the_live_object_is_fetched_only_when_it_matters() {
    let (site, occurrence) = (site(), occurrence(None, false));
    let request = ImageRequest { site: &site, occurrence: &occurrence };
    let (none, some) = (entries(&[]), entries(&["reg.example/web=f"]));
    assert!(needs_deployed(request, &none, &none, UpdateImages::Keep));
    assert!(!needs_deployed(request, &some, &none, UpdateImages::Keep));
    assert!(!needs_deployed(request, &none, &some, UpdateImages::Keep));
    assert!(!needs_deployed(request, &none, &none, UpdateImages::Update));
}

#[test]
fn another_repository_is_kept_with_a_warning() {
    let deployed = Deployed::Image("other.example/web@sha256:00".into());
    let decision = resolve(&[], &[], &deployed, UpdateImages::Keep).unwrap();
    assert_eq!(decision.result_image, "other.example/web@sha256:00");
    assert!(decision.warning().unwrap().contains("use `-u`"));
    assert_eq!(resolve(&[], &[], &running(), UpdateImages::Keep).unwrap().warning(), None);
}

fn keeping(request: ImageRequest<'_>, fixed: &[&str], deployed: &Deployed) -> Result<Decision, ElectionError> {
    let (fixed, vars, policies) = (entries(fixed), FixedImages::default(), ProjectPolicies::default());
    let rules = Rules { fixed: &fixed, vars: &vars, policies: &policies, update: UpdateImages::Keep };
    decide(request, rules, deployed)
}

fn failure(fixed: &[&str], deployed: &Deployed, filter: Option<&str>, answer: RegistryAnswer<'_, &str>) -> String {
    let (site, occurrence) = (site(), occurrence(filter, false));
    let request = ImageRequest { site: &site, occurrence: &occurrence };
    match keeping(request, fixed, deployed).unwrap() {
        Decision::NeedsRegistry(need) => need.choose(answer, &Facts::default()).unwrap_err().to_string(),
        Decision::Resolved(decision) => panic!("{decision:?}"),
    }
}

#[test]
fn failures_say_what_was_tried_and_where() {
    assert_eq!(
        failure(&["x=y", "z=y"], &Deployed::Offline, None, RegistryAnswer::Offline),
        "failed to find fixed image for reg.example/web: fixed: none of 2 entries matches; deployed: offline; \
         registry: registry lookups are disabled (shop/Deployment/web, field c[0].image)"
    );
    let text = failure(&["x=y"], &Deployed::Absent, None, RegistryAnswer::Failed("boom"));
    assert!(text.contains("the 1 entry does not match; deployed: not deployed; registry: boom"), "{text}");
    let text = failure(&[], &Deployed::Absent, Some("number()"), RegistryAnswer::Tags(&["latest"]));
    assert!(text.contains("fixed: no entries") && text.contains("no tag matched latest_version: number()"), "{text}");
    let text = failure(&[], &Deployed::Absent, None, RegistryAnswer::Tags(&[]));
    assert!(text.contains("registry: the repository has no tags"), "{text}");
}

#[test]
fn an_update_never_falls_back() {
    let (site, occurrence) = (site(), occurrence(None, false));
    let request = ImageRequest { site: &site, occurrence: &occurrence };
    let fixed = entries(&["reg.example/web=f"]);
    let policies = ProjectPolicies::default();
    let rules = Rules { fixed: &fixed, vars: &fixed, policies: &policies, update: UpdateImages::Update };
    let decision = decide(request, rules, &running()).unwrap();
    let Decision::NeedsRegistry(need) = decision else {
        panic!("{decision:?}");
    };
    assert!(need.choose(RegistryAnswer::<&str>::Failed("down"), &Facts::default()).is_err());
}

#[test]
fn a_digest_is_appended_on_request() {
    let (site, occurrence) = (site(), occurrence(None, true));
    let request = ImageRequest { site: &site, occurrence: &occurrence };
    let decision = keeping(request, &[], &Deployed::Absent).unwrap();
    let Decision::NeedsRegistry(need) = decision else {
        panic!("{decision:?}");
    };
    let choice = need.choose(RegistryAnswer::Tags(&["1"]), &Facts::default()).unwrap();
    assert!(choice.wants_digest());
    assert_eq!(choice.finish(Some("sha256:ab")).result_image, "reg.example/web:1@sha256:ab");
}

#[test]
fn the_digest_filter_wants_the_digest() {
    for (filter, wanted) in [("digest('stable')", true), ("prefix('st', digest('able'))", true), ("natural()", false)] {
        let (site, occurrence) = (site(), occurrence(Some(filter), false));
        let request = ImageRequest { site: &site, occurrence: &occurrence };
        let decision = keeping(request, &[], &Deployed::Absent).unwrap();
        let Decision::NeedsRegistry(need) = decision else {
            panic!("{decision:?}");
        };
        let choice = need.choose(RegistryAnswer::Tags(&["latest", "stable"]), &Facts::default()).unwrap();
        assert_eq!(choice.selection().tag, "stable", "{filter}");
        assert_eq!(choice.wants_digest(), wanted, "{filter}");
        let informed = RegistryNeed::for_information(
            &ImageDecision::draft(request, None),
            &occurrence,
            &ProjectPolicies::default(),
        )
        .unwrap();
        assert_eq!(
            informed.choose(RegistryAnswer::Tags(&["stable"]), &Facts::default()).unwrap().wants_digest(),
            wanted,
            "{filter}"
        );
    }
}

#[test]
fn information_leaves_the_result_alone() {
    let decision = resolve(&["reg.example/web=f"], &[], &running(), UpdateImages::Keep).unwrap();
    let need = RegistryNeed::for_information(&decision, &occurrence(None, false), &ProjectPolicies::default()).unwrap();
    let informed = need.choose(RegistryAnswer::Tags(&["1.0", "2.0"]), &Facts::default()).unwrap().inform(None);
    assert_eq!(informed.registry_image.as_deref(), Some("reg.example/web:2.0"));
    assert_eq!(ImageDecision { registry_image: None, ..informed }, decision);
}

#[test]
fn a_broken_filter_is_an_error() {
    let (site, mut occurrence) = (site(), occurrence(None, false));
    occurrence.call.latest_version = Some("nope()".into());
    let request = ImageRequest { site: &site, occurrence: &occurrence };
    assert!(keeping(request, &[], &Deployed::Absent).is_err());
}

#[test]
fn the_newest_build_asks_for_build_times() {
    let (site, occurrence) = (site(), occurrence(Some("newest_build()"), false));
    let request = ImageRequest { site: &site, occurrence: &occurrence };
    let decision = keeping(request, &[], &Deployed::Absent).unwrap();
    let Decision::NeedsRegistry(need) = decision else {
        panic!("{decision:?}");
    };
    let tags = ["a", "b"];
    assert_eq!(need.undated(&tags), tags);
    let facts = Facts::built([("a".to_owned(), 2), ("b".to_owned(), 1)]);
    assert_eq!(
        need.choose(RegistryAnswer::Tags(&tags), &facts).unwrap().finish(None).result_image,
        "reg.example/web:a"
    );
}
