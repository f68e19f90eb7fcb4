//! The agenda: what is going to happen, and when. Of two things at the same time the one that was
//! put down first happens first, so that a world never depends on anything but its seed.

use std::collections::BTreeMap;
use std::sync::Arc;

use leverframe_flags::{EnvironmentKey, Update};

use crate::connection::{Parcel, Side};
use crate::node::Answer;
use crate::operator::Request;

/// One thing that is going to happen.
#[derive(Debug)]
pub(crate) enum Turn {
    /// An operator decides what to do next.
    Operate { operator: usize },
    /// A request reaches a node.
    Request { node: usize, request: Box<Request> },
    /// An answer reaches an operator.
    Answer {
        operator: usize,
        errand: u64,
        answer: Answer,
    },
    /// An operator has waited long enough for an answer.
    GiveUpWaiting {
        operator: usize,
        errand: u64,
        attempt: u32,
    },
    /// An operator asks whether everybody has it.
    AskWhoHasIt {
        node: usize,
        environment: EnvironmentKey,
        revision: u64,
        since_ms: u64,
    },
    /// An operator asks whether everybody has a kill that is not stored.
    AskWhoIsBraked {
        node: usize,
        boot: u64,
        environment: EnvironmentKey,
        number: u64,
        since_ms: u64,
    },
    /// A kill has waited for the store for long enough.
    LosePatience { node: usize, boot: u64, errand: u64 },
    /// A node keeps beside the journal which kills are out.
    KeepBrakes { node: usize, boot: u64 },
    /// A node's writer goes on to its next stage.
    Write { node: usize, boot: u64 },
    /// A node looks after itself: journal, rolls, silent streams.
    LookAfter { node: usize, boot: u64 },
    /// A node is started.
    Start { node: usize },
    /// A paused node goes on.
    Resume { node: usize, boot: u64 },
    /// A node takes the leadership, from whoever has it or only if nobody has.
    TakeOver {
        node: usize,
        boot: u64,
        is_by_force: bool,
    },
    /// Something arrives.
    Arrive(Parcel),
    /// One side of a connection notices that it is over.
    Notice { connection: u64, side: Side },
    /// An evaluator tries to connect.
    Connect { evaluator: usize, incarnation: u64 },
    /// An evaluator looks after itself: heartbeat, age, disk cache.
    Tick { evaluator: usize, incarnation: u64 },
    /// An evaluator that acknowledges before it applies gets round to applying.
    ApplyLate {
        evaluator: usize,
        incarnation: u64,
        update: Arc<Update>,
    },
    /// An evaluator's process starts.
    Wake { evaluator: usize },
    /// The disk works again.
    Mend,
    /// Something goes wrong.
    GoWrong,
}

#[derive(Debug, Default)]
pub(crate) struct Agenda {
    turns: BTreeMap<(u64, u64), Turn>,
    put_down: u64,
}

impl Agenda {
    pub(crate) fn put(&mut self, at_ms: u64, turn: Turn) {
        self.put_down += 1;
        self.turns.insert((at_ms, self.put_down), turn);
    }

    /// The next turn, unless it comes after `until_ms`.
    pub(crate) fn next(&mut self, until_ms: u64) -> Option<(u64, Turn)> {
        let (at_ms, _) = *self.turns.first_key_value()?.0;
        if at_ms > until_ms {
            return None;
        }
        self.turns
            .pop_first()
            .map(|((at_ms, _), turn)| (at_ms, turn))
    }
}
