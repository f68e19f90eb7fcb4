//! OFREP 0.3.0: any OpenFeature client, over HTTP. One flag, all flags with an ETag, and notices
//! that something changed.

mod answer;
mod bulk;
mod caller;
mod context;
mod etag;
mod failure;
mod notice;
mod phrasebook;
mod single;
mod ticket;
mod urgency;

use crate::surface::Surface;

#[cfg(feature = "fuzz")]
pub(crate) use context::context_of;
pub(crate) use notice::NOTICES_PATH;
pub(crate) use phrasebook::Phrasebooks;
pub(crate) use ticket::Tickets;
pub(crate) use urgency::Closings;

pub(crate) fn routes() -> Surface {
    Surface::new()
        .merge(single::routes())
        .merge(bulk::routes())
        .merge(notice::routes())
}
