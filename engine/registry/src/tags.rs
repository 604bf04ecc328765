//! Walking the pages of a tag list until it is known to be complete.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};
use std::time::SystemTime;

use serde::Deserialize;
use url::Url;

use crate::TagList;
use crate::cache::{Cached, CachedPage, Listing, Slot};
use crate::error::RegistryError;
use crate::http::Answer;
use crate::link;
use crate::session::{Call, Session};

/// Page sizes to ask for, in turn when one is refused; `None` leaves it to the registry.
const PAGE_SIZES: [Option<usize>; 3] = [Some(1000), Some(100), None];
/// More pages or tags than any real repository has.
const MAX_PAGES: usize = 20_000;
const MAX_TAGS: usize = 5_000_000;
/// Pages in a row that bring nothing new before the walk counts as going in circles.
const MAX_STALE_PAGES: usize = 20;

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    name: Option<String>,
    #[serde(default, deserialize_with = "present")]
    tags: Option<Option<Vec<String>>>,
}

fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Option<Vec<String>>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl Body {
    /// An empty list may be `null`, or left out when the repository is named; other JSON is no list.
    fn tags(self) -> Option<Vec<String>> {
        match (self.name, self.tags) {
            (_, Some(tags)) => Some(tags.unwrap_or_default()),
            (Some(_), None) => Some(Vec::new()),
            (None, None) => None,
        }
    }
}

/// Lists everything, or fails. `known` are the pages of an earlier walk.
async fn list(session: &Session<'_>, known: Option<&Listing>) -> Result<(TagList, Listing), RegistryError> {
    let mut refused = None;
    for size in PAGE_SIZES {
        let first = page_url(session, size, None)?;
        let answer = session.fetch(&page_call(first.clone(), known)).await?;
        match answer.status {
            400 | 413 | 414 | 416 | 422 => refused = Some(answer),
            _ => return Walk::new(session, size, known).run(first, answer).await,
        }
    }
    Err(refused.map_or_else(|| session.invalid("no page size is accepted"), |answer| session.status(&answer)))
}

impl Session<'_> {
    /// The complete list, from disk while it is fresh there.
    pub(crate) async fn tags(&self) -> Result<TagList, RegistryError> {
        let Some(settings) = &self.registry.settings.cache else {
            return Ok(list(self, None).await?.0);
        };
        let slot = Slot::new(settings, self.repository, &self.resolved);
        let known = match slot.read(SystemTime::now()).await {
            Cached::Fresh(tags) => return Ok(TagList::new(tags)),
            Cached::Stale(listing) => Some(listing),
            Cached::Nothing => None,
        };
        let (tags, listing) = list(self, known.as_ref()).await?;
        slot.write(tags.tags(), listing, SystemTime::now()).await;
        Ok(tags)
    }
}

fn page_call(url: Url, known: Option<&Listing>) -> Call {
    let validators = known.and_then(|known| known.page(url.as_str()));
    let mut call = Call::get(url).with("accept", "application/json");
    if let Some(CachedPage { etag, last_modified, .. }) = validators {
        call.headers.extend(etag.clone().map(|etag| ("if-none-match", etag)));
        call.headers.extend(last_modified.clone().map(|time| ("if-modified-since", time)));
    }
    call
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
    known: Option<&'w Listing>,
    listing: Listing,
    seen: HashSet<String>,
    hashes: HashSet<u64>,
    state: RandomState,
    tags: Vec<String>,
    stale_pages: usize,
    /// Whether the registry has pointed to a next page, so that a page without link is the last.
    links: bool,
}

/// How much of a page was new.
#[derive(Clone, Copy)]
struct News {
    new: usize,
    old: usize,
}

impl<'w, 's> Walk<'w, 's> {
    fn new(session: &'w Session<'s>, size: Option<usize>, known: Option<&'w Listing>) -> Self {
        Self {
            session,
            size,
            known,
            listing: Listing::default(),
            seen: HashSet::new(),
            hashes: HashSet::new(),
            state: RandomState::new(),
            tags: Vec::new(),
            stale_pages: 0,
            links: false,
        }
    }

    async fn run(mut self, first: Url, mut answer: Answer) -> Result<(TagList, Listing), RegistryError> {
        let mut current = first;
        loop {
            self.seen.insert(current.to_string());
            let page = self.page(&current, &answer)?;
            let (length, last) = (page.tags.len(), page.tags.last().cloned());
            let next = page.next.clone();
            let news = self.take(current.as_str(), page);
            let target = match next {
                Some(target) => {
                    self.links = true;
                    self.check_progress(length, news)?;
                    link::resolve(&current, &target).map_err(|reason| self.incomplete(reason))?
                }
                None => match last.filter(|_| self.may_be_cut(length)) {
                    Some(last) => return self.beyond(last).await,
                    None => return Ok(self.finish()),
                },
            };
            if self.seen.contains(target.as_str()) {
                return Err(self.incomplete("the pages go round in a circle".into()));
            }
            if self.seen.len() >= MAX_PAGES || self.tags.len() > MAX_TAGS {
                return Err(self.incomplete(format!("no end after {} pages", self.seen.len())));
            }
            answer = self.session.fetch(&page_call(target.clone(), self.known)).await?;
            current = target;
        }
    }

    /// A registry that cuts lists without saying so is asked for what follows, page by page.
    async fn beyond(mut self, mut last: String) -> Result<(TagList, Listing), RegistryError> {
        loop {
            let url = page_url(self.session, self.size, Some(&last))?;
            let answer = self.session.fetch(&page_call(url.clone(), self.known)).await?;
            if matches!(answer.status, 400..=499) {
                return Ok(self.finish());
            }
            let page = self.page(&url, &answer)?;
            let (end, linked) = (page.tags.last().cloned(), page.next.is_some());
            let news = self.take(url.as_str(), page);
            match (news, end) {
                (News { new: 0, .. }, _) | (_, None) => return Ok(self.finish()),
                (News { old: 0, .. }, Some(end)) if !linked => last = end,
                // Neither what is known already nor what follows it: the order is not by this marker.
                _ => return Err(self.incomplete("the registry cuts lists and does not continue them".into())),
            }
            if self.seen.len() >= MAX_PAGES || self.tags.len() > MAX_TAGS {
                return Err(self.incomplete("no end of pages".into()));
            }
            self.seen.insert(url.to_string());
        }
    }

    /// Whether a page without link may be a part only: as long as was asked for, or as limits usually are.
    fn may_be_cut(&self, length: usize) -> bool {
        let usual = matches!(length, 10 | 20 | 25 | 30 | 64 | 128 | 256 | 512)
            || (length >= 50 && (length.is_multiple_of(50) || length.is_power_of_two()));
        !self.links && (Some(length) == self.size || usual)
    }

    fn check_progress(&mut self, length: usize, news: News) -> Result<(), RegistryError> {
        self.stale_pages = if news.new > 0 { 0 } else { self.stale_pages + 1 };
        if length > 0 && news.new == 0 {
            return Err(self.incomplete("a page came twice, and another one is announced".into()));
        }
        if self.stale_pages > MAX_STALE_PAGES {
            return Err(self.incomplete(format!("{} pages in a row are empty", self.stale_pages)));
        }
        Ok(())
    }

    fn take(&mut self, url: &str, page: CachedPage) -> News {
        let before = self.tags.len();
        for tag in &page.tags {
            if self.hashes.insert(self.state.hash_one(tag)) {
                self.tags.push(tag.clone());
            }
        }
        let new = self.tags.len() - before;
        let news = News { new, old: page.tags.len() - new };
        if self.session.keeps_pages() {
            self.listing.add(url, page);
        }
        news
    }

    fn page(&self, url: &Url, answer: &Answer) -> Result<CachedPage, RegistryError> {
        if answer.status == 304
            && let Some(page) = self.known.and_then(|known| known.page(url.as_str()))
        {
            return Ok(page.clone());
        }
        if answer.status != 200 {
            return Err(self.session.status(answer));
        }
        let body: Body = serde_json::from_slice(&answer.body).map_err(|e| {
            self.session.invalid(&format!("the tag list is not valid JSON (line {}, column {})", e.line(), e.column()))
        })?;
        let tags = body.tags().ok_or_else(|| self.session.invalid("the answer is no tag list"))?;
        let next = link::next_target(answer.header("link")).map_err(|reason| self.incomplete(reason))?;
        let header = |name| answer.header(name).next().map(str::to_owned);
        Ok(CachedPage { tags, next, etag: header("etag"), last_modified: header("last-modified") })
    }

    fn finish(self) -> (TagList, Listing) {
        // What no client could ask for is no tag.
        let tags = self.tags.into_iter().filter(|tag| is_tag(tag)).collect();
        (TagList::new(tags), self.listing)
    }

    fn incomplete(&self, reason: String) -> RegistryError {
        RegistryError::Incomplete { repository: self.session.repository.to_string(), reason }
    }
}

/// Whether a text can be a tag.
pub(crate) fn is_tag(text: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let first = text.bytes().next().is_some_and(word);
    first && text.len() <= 128 && text.bytes().all(|b| word(b) || matches!(b, b'.' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_have_a_grammar() {
        for tag in ["1", "v1.2_3-rc", "_x", &"a".repeat(128)] {
            assert!(is_tag(tag), "{tag}");
        }
        for text in ["", ".1", "-1", "a/b", "a:b", "a\nb", "ü", "a b", &"a".repeat(129)] {
            assert!(!is_tag(text), "{text}");
        }
    }

    #[test]
    fn null_is_an_empty_list_and_nothing_is_none() {
        let tags = |body: &str| serde_json::from_str::<Body>(body).map(Body::tags);
        for body in [r#"{"tags": null}"#, r#"{"tags": []}"#, r#"{"name": "a/b"}"#] {
            assert_eq!(tags(body).unwrap(), Some(vec![]), "{body}");
        }
        for body in ["{}", r#"{"errors": []}"#] {
            assert_eq!(tags(body).unwrap(), None, "{body}");
        }
        for body in ["[]x", r#"{"tags": 1}"#, r#"{"tags": [1]}"#, r#"{"name": 1}"#] {
            assert!(tags(body).is_err(), "{body}");
        }
    }
}
