//! The fate of every tag in words, best first.

use std::cmp::Ordering;

use super::{Facts, Fate, Policy, TagFilter, fates, rank};

/// What became of every tag of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagReport {
    /// The winner, if any.
    pub chosen: Option<String>,
    /// The winner, the candidates from better to worse, then all others in byte order.
    pub tags: Vec<ReportedTag>,
}

/// One tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportedTag {
    /// The tag.
    pub tag: String,
    /// What happened to it.
    pub fate: Fate,
    /// Why, in words that name the pattern, range or winner.
    pub reason: String,
}

impl TagReport {
    /// Explains an election among `tags`.
    pub fn new<S: AsRef<str>>(tags: &[S], filter: &TagFilter, policy: &Policy, facts: &Facts) -> Self {
        let fates = fates(tags, filter, policy, facts);
        let winner = fates.iter().position(|fate| *fate == Fate::Chosen).map(|index| tags[index].as_ref());
        let mut order: Vec<usize> = (0..tags.len()).collect();
        let values = filter.values(tags);
        let place = |index: usize| match fates[index] {
            Fate::Chosen => 0,
            Fate::Outranked => 1,
            _ => 2,
        };
        let ranked = |index: usize| {
            let value = values[index].as_deref().ok()?;
            rank(tags[index].as_ref(), value, filter, policy, facts).ok()
        };
        let better = |a: usize, b: usize| match (fates[a], ranked(a), ranked(b)) {
            (Fate::Outranked, Some(a), Some(b)) => b.compare(&a),
            _ => Ordering::Equal,
        };
        order.sort_by(|a, b| {
            let by_name = || tags[*a].as_ref().cmp(tags[*b].as_ref());
            place(*a).cmp(&place(*b)).then_with(|| better(*a, *b)).then_with(by_name)
        });
        let reported = |index: usize| ReportedTag {
            tag: tags[index].as_ref().to_owned(),
            fate: fates[index],
            reason: reason(fates[index], filter, policy, winner),
        };
        Self { chosen: winner.map(str::to_owned), tags: order.into_iter().map(reported).collect() }
    }
}

fn reason(fate: Fate, filter: &TagFilter, policy: &Policy, winner: Option<&str>) -> String {
    match fate {
        Fate::Excluded { pattern } => match filter.exclude.get(pattern) {
            Some(pattern) => format!("excluded by `{}`", pattern.as_str()),
            None => fate.to_string(),
        },
        Fate::NoMatch => match &filter.pattern {
            Some(pattern) => format!("does not match `{}`", pattern.as_str()),
            None => fate.to_string(),
        },
        Fate::FilteredOut => format!("not taken by {policy}"),
        Fate::OutOfRange => format!("outside of {policy}"),
        Fate::Outranked => winner.map_or_else(|| fate.to_string(), |winner| format!("outranked by {winner}")),
        _ => fate.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::VersionFilter;

    fn report(tags: &[&str], filter: &TagFilter, policy: &Policy) -> Vec<String> {
        let report = TagReport::new(tags, filter, policy, &Facts::default());
        report.tags.iter().map(|tag| format!("{}: {}", tag.tag, tag.reason)).collect()
    }

    #[test]
    fn candidates_come_from_better_to_worse_and_others_by_name() {
        let filter = TagFilter::new(Some("^[v0-9]"), None).unwrap().excluding(&["rc$"]).unwrap();
        let tags = ["1.2.0", "latest", "1.10.0", "1.9.0", "2.0.0", "2.0.0-rc", "v7"];
        assert_eq!(
            report(&tags, &filter, &Policy::semver("1.x").unwrap()),
            [
                "1.10.0: chosen",
                "1.9.0: outranked by 1.10.0",
                "1.2.0: outranked by 1.10.0",
                "2.0.0: outside of semver(range=\"1.x\")",
                "2.0.0-rc: excluded by `rc$`",
                "latest: does not match `^[v0-9]`",
                "v7: not a version",
            ]
        );
    }

    #[test]
    fn an_election_without_winner_explains_too() {
        let policy = Policy::Filter(VersionFilter::Number);
        assert_eq!(report(&["latest"], &TagFilter::default(), &policy), ["latest: not taken by number()"]);
        assert!(report(&[], &TagFilter::default(), &policy).is_empty());
    }

    #[test]
    fn one_bad_number_fails_a_strict_policy_but_every_tag_is_explained() {
        let policy = Policy::Numerical(super::super::Order::Ascending, super::super::OnInvalid::Fail);
        assert_eq!(report(&["1", "x"], &TagFilter::default(), &policy), ["1: outranked", "x: not a number"]);
    }
}
