//! An evaluator's time on a connection, from hello to its end, however it ends.

use std::sync::Arc;

use leverframe_core::Rejection;
use leverframe_node::Place;
use leverframe_wire::frame::Hello;

use super::follower::Follower;
use super::registry::{Seat, Taken};
use crate::app::App;

/// A joined evaluator. Dropping it tells the roll that the connection is gone, so that nothing that
/// ends a task can leave a connection counted.
pub(super) struct Stay {
    app: App,
    pub(super) follower: Follower,
    taken: Taken,
    is_goodbye: bool,
}

impl Stay {
    /// Joins, taking the place of an older connection of the same instance. Returns where the
    /// evaluator stands in this history, if it does.
    ///
    /// # Errors
    /// When the roll is full.
    pub(super) fn begin(
        app: App,
        follower: Follower,
        hello: &Hello,
    ) -> Result<(Self, Option<Place>), Rejection> {
        // Before the seat is taken, so that the instance is never without a connection in between.
        let place = follower.join(hello)?;
        let taken = app.connections.take(Seat {
            environment: Arc::from(follower.feed.environment().as_str()),
            instance: Arc::clone(&follower.instance),
        });
        let stay = Self {
            app,
            follower,
            taken,
            is_goodbye: false,
        };
        Ok((stay, place))
    }

    /// Ends when a newer connection of the same instance has come.
    pub(super) fn replaced(&self) -> impl Future<Output = ()> + use<> {
        let replaced = Arc::clone(&self.taken.replaced);
        async move { replaced.notified().await }
    }

    /// Ends it as the evaluator wishes: it leaves the roll.
    pub(super) fn goodbye(mut self) {
        self.is_goodbye = true;
    }
}

impl Drop for Stay {
    fn drop(&mut self) {
        if self.is_goodbye {
            self.follower.goodbye();
        } else {
            self.follower.disconnected();
        }
        self.app.connections.leave(&self.taken);
    }
}
