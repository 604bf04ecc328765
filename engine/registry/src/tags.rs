//! Walking the pages of a tag list until it is known to be complete.

use std::collections::HashSet;

use serde::Deserialize;
use url::Url;

use crate::TagList;
use crate::error::RegistryError;
use crate::http::Answer;
use crate::link;
use crate::session::{Call, Session};

/// Page sizes to ask for, in turn when one is refused; `None` leaves it to the registry.
const PAGE_SIZES: [Option<usize>; 3] = [Some(1000), Some(100), None];
/// More pages or tags than any real repository has.
const MAX_PAGES: usize = 20_000;
const MAX_TAGS: usize = 5_000_000;

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    tags: Option<Vec<String>>,
}

/// Lists everything, or fails.
pub(crate) async fn list(session: &Session<'_>) -> Result<TagList, RegistryError> {
    let mut refused = None;
    for size in PAGE_SIZES {
        let first = page_url(session, size, None)?;
        let answer = session.fetch(&page_call(first.clone())).await?;
        match answer.status {
            400 | 413 | 414 | 416 | 422 => refused = Some(answer),
            _ => return Walk { session, size, seen: HashSet::new(), tags: Vec::new() }.run(first, answer).await,
        }
    }
    Err(refused.map_or_else(|| session.invalid("no page size is accepted"), |answer| session.status(&answer)))
}

fn page_call(url: Url) -> Call {
    Call::get(url).with("accept", "application/json")
}

fn page_url(session: &Session<'_>, size: Option<usize>, last: Option<&str>) -> Result<Url, RegistryError> {
    let mut url = session.url("tags/list")?;
    if size.is_some() || last.is_some() {
        let mut query = url.query_pairs_mut();
        if let Some(size) = size {
            query.append_pair("n", &size.to_string());
        }
        if let Some(last) = last {
            query.append_pair("last", last);
        }
    }
    Ok(url)
}

struct Walk<'w, 's> {
    session: &'w Session<'s>,
    size: Option<usize>,
    seen: HashSet<String>,
    tags: Vec<String>,
}

impl Walk<'_, '_> {
    async fn run(mut self, first: Url, mut answer: Answer) -> Result<TagList, RegistryError> {
        let mut current = first;
        loop {
            self.seen.insert(current.to_string());
            let page = self.page(&answer)?;
            let (length, repeats) = (page.len(), self.repeats(&page));
            let next = link::next_target(answer.header("link")).map_err(|reason| self.incomplete(reason))?;
            let Some(target) = next else {
                return self.finish(page).await;
            };
            if repeats && length > 0 {
                return Err(self.incomplete("a page came twice, and another one is announced".into()));
            }
            self.tags.extend(page);
            let next = link::resolve(&current, &target).map_err(|reason| self.incomplete(reason))?;
            if self.seen.contains(next.as_str()) {
                return Err(self.incomplete("the pages go round in a circle".into()));
            }
            if self.seen.len() >= MAX_PAGES || self.tags.len() > MAX_TAGS {
                return Err(self.incomplete(format!("no end after {} pages", self.seen.len())));
            }
            answer = self.session.fetch(&page_call(next.clone())).await?;
            current = next;
        }
    }

    /// The last page has been read. A full one without link may come from a registry that cuts
    /// lists without saying so: it is asked for what follows.
    async fn finish(mut self, mut page: Vec<String>) -> Result<TagList, RegistryError> {
        let session = self.session;
        while Some(page.len()) == self.size && !self.repeats(&page) {
            let Some(last) = page.last().cloned() else { break };
            self.tags.append(&mut page);
            let answer = session.fetch(&page_call(page_url(session, self.size, Some(&last))?)).await?;
            if matches!(answer.status, 400..=499) {
                break;
            }
            let known: HashSet<&str> = self.tags.iter().map(String::as_str).collect();
            let more: Vec<String> =
                self.page(&answer)?.into_iter().filter(|tag| !known.contains(tag.as_str())).collect();
            page = more;
        }
        self.tags.append(&mut page);
        Ok(TagList::new(self.tags))
    }

    /// Whether the page is the end of what is known already.
    fn repeats(&self, page: &[String]) -> bool {
        !page.is_empty() && self.tags.ends_with(page)
    }

    fn page(&self, answer: &Answer) -> Result<Vec<String>, RegistryError> {
        if answer.status != 200 {
            return Err(self.session.status(answer));
        }
        let page: Page = serde_json::from_slice(&answer.body).map_err(|e| {
            self.session.invalid(&format!("the tag list is not valid JSON (line {}, column {})", e.line(), e.column()))
        })?;
        Ok(page.tags.unwrap_or_default())
    }

    fn incomplete(&self, reason: String) -> RegistryError {
        RegistryError::Incomplete { repository: self.session.repository.to_string(), reason }
    }
}
