//! The images that run now: live objects are fetched only where they matter.

use futures::stream::{self, StreamExt};
use windlass_cluster::{Cluster, ClusterError};
use windlass_images::fixed::FixedImages;
use windlass_images::resolve::{Deployed, UpdateImages, needs_deployed};
use windlass_model::event::Events;
use windlass_model::object::Object;

use super::{Failures, ImageFailure, ImageMode, ImageRequest, Site};
use crate::collect::LocalObjects;

/// Requests for live objects under way at the same time.
const CONCURRENCY: usize = 16;

enum Live {
    Offline,
    NotNeeded,
    Absent,
    Found(Box<Object>),
    Failed(ClusterError),
}

/// What runs now, per placeholder in site and field order.
pub(super) async fn fetch(
    sites: &[Site],
    local: &LocalObjects,
    fixed: &FixedImages,
    request: ImageRequest<'_>,
    cluster: Option<&dyn Cluster>,
    events: &dyn Events,
    failures: &mut Failures,
) -> Vec<Vec<Deployed>> {
    let live: Vec<Live> =
        stream::iter(sites).map(|site| fetch_one(site, fixed, request, cluster)).buffered(CONCURRENCY).collect().await;
    let mut deployed = Vec::with_capacity(sites.len());
    for (site, live) in sites.iter().zip(live) {
        if let Live::Failed(error) = &live {
            let object = site.site.object.clone();
            if decides(site, fixed, request) {
                failures.push((site.item, ImageFailure::Live { object, message: error.to_string() }));
            } else {
                events.warn(format!("{object}: the deployed image is not known: {error}"));
            }
        }
        let rendered = &local.items[site.item].objects[site.object].0;
        deployed.push(
            site.found
                .iter()
                .map(|occurrence| match &live {
                    Live::Offline => Deployed::Offline,
                    Live::Found(object) => {
                        occurrence.counterpart(rendered, &object.0).map_or(Deployed::Absent, Deployed::Image)
                    }
                    Live::NotNeeded | Live::Absent | Live::Failed(_) => Deployed::Absent,
                })
                .collect(),
        );
    }
    deployed
}

async fn fetch_one(site: &Site, fixed: &FixedImages, request: ImageRequest<'_>, cluster: Option<&dyn Cluster>) -> Live {
    let Some(cluster) = cluster else { return Live::Offline };
    let informs = request.mode == ImageMode::List;
    if !informs && !decides(site, fixed, request) {
        return Live::NotNeeded;
    }
    match cluster.get(&site.site.object).await {
        Ok(answer) => Live::Found(Box::new(answer.value)),
        Err(error) if error.is_not_found() || error.is_unknown_kind() => Live::Absent,
        Err(error) => Live::Failed(error),
    }
}

/// Whether the live object can change a result.
fn decides(site: &Site, fixed: &FixedImages, request: ImageRequest<'_>) -> bool {
    let update = if request.options.update { UpdateImages::Update } else { UpdateImages::Keep };
    site.found.iter().any(|occurrence| {
        !site.is_open(occurrence, fixed) && needs_deployed(site.question(occurrence), fixed, site.vars(), update)
    })
}
