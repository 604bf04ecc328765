//! The answer for people.

use windlass_deploy::flows::ExplainedImage;
use windlass_images::policy::{ReportedTag, TagReport};
use windlass_images::resolve::DecisionSource;

use crate::wire::Explained;

/// Tags of one fate that are shown without `--all-tags`.
const SHOWN: usize = 10;

/// One paragraph per image.
pub(super) fn page(found: &Explained, all: bool) -> String {
    let paragraphs: Vec<String> = match found {
        Explained::Policy { name, image, rule, tags } => {
            let head = name.as_ref().map_or_else(|| image.clone(), |name| format!("policy {name}: {image}"));
            vec![format!("{head}\n  rule      {rule}\n{}", tag_lines(tags, all))]
        }
        Explained::Images(images) => images.images.iter().map(|image| of_image(image, all)).collect(),
    };
    paragraphs.join("\n")
}

fn of_image(image: &ExplainedImage, all: bool) -> String {
    let decision = &image.decision;
    let mut text = format!("{}\n  object    {}, field {}\n", decision.image, decision.object, decision.path);
    text.push_str(&format!("  result    {}\n", decision.result_image));
    text.push_str(&format!("  because   {}\n", because(&decision.source)));
    if let Some(deployed) = &decision.deployed_image {
        text.push_str(&format!("  deployed  {deployed}\n"));
    }
    text.push_str(&format!("  rule      {}\n", decision.version_filter));
    text + &tag_lines(&image.tags, all)
}

fn because(source: &DecisionSource) -> String {
    match source {
        DecisionSource::Fixed(origin) => format!("fixed by {origin}"),
        DecisionSource::Deployed { other_repository: false } => "it runs already; -u would ask the registry".into(),
        DecisionSource::Deployed { other_repository: true } => {
            "it runs already, although from another repository; -u would ask the registry".into()
        }
        DecisionSource::Registry { tag } => format!("the registry's best tag is {tag}"),
        _ => "of another source".into(),
    }
}

fn tag_lines(tags: &Result<TagReport, String>, all: bool) -> String {
    let report = match tags {
        Err(reason) => return format!("  tags      not known: {reason}\n"),
        Ok(report) if report.tags.is_empty() => return "  tags      the repository has no tags\n".into(),
        Ok(report) => report,
    };
    let width = report.tags.iter().map(|entry| entry.tag.chars().count()).max().unwrap_or(0).min(40);
    let mut text = String::from("  tags\n");
    for group in report.tags.chunk_by(same_kind) {
        let shown = if all { group.len() } else { SHOWN };
        for entry in group.iter().take(shown) {
            text.push_str(&format!("    {:<width$}  {}\n", entry.tag, entry.reason));
        }
        if group.len() > shown {
            text.push_str(&format!("    … and {} more, see --all-tags\n", group.len() - shown));
        }
    }
    text
}

/// Excluded tags stand in byte order, so that neighbours share a group when they share a reason.
fn same_kind(a: &ReportedTag, b: &ReportedTag) -> bool {
    a.reason == b.reason
}

#[cfg(test)]
mod tests {
    use windlass_images::policy::{Facts, Policy, TagFilter};

    use super::*;

    fn found(count: usize) -> Explained {
        let tags: Vec<String> = (0..count).map(|n| format!("1.{n}.0")).chain(["latest".to_owned()]).collect();
        let policy = Policy::semver("*").expect("a range");
        let tags = TagReport::new(&tags, &TagFilter::default(), &policy, &Facts::default());
        Explained::Policy { name: Some("web".into()), image: "r/web".into(), rule: policy.to_string(), tags: Ok(tags) }
    }

    #[test]
    fn the_best_tags_come_first_and_the_rest_is_counted() {
        let wanted = "policy web: r/web\n  rule      semver(range=\"*\")\n  tags\n    1.2.0   chosen\n    \
                      1.1.0   outranked by 1.2.0\n    1.0.0   outranked by 1.2.0\n    latest  not a version\n";
        assert_eq!(page(&found(3), false), wanted);
        assert!(page(&found(30), false).contains("    … and 19 more, see --all-tags\n    latest  not a version"));
        assert!(!page(&found(30), true).contains('…'));
    }

    #[test]
    fn an_unknown_list_says_why() {
        let rule = "number()".to_owned();
        let found = Explained::Policy { name: None, image: "r/web".into(), rule, tags: Err("boom".into()) };
        assert_eq!(page(&found, false), "r/web\n  rule      number()\n  tags      not known: boom\n");
    }
}
