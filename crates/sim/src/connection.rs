//! Connections between evaluators and nodes, and what travels on them.

use std::sync::Arc;

use leverframe_flags::{Cursor, FlagKey, Update};

/// One end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Node,
    Evaluator,
}

/// A connection, as the network knows it. What its ends think of it they keep themselves.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) evaluator: usize,
    pub(crate) incarnation: u64,
    pub(crate) node: usize,
    pub(crate) boot: u64,
    /// Loses, repeats and reorders. The others are in order and whole until they are cut.
    pub(crate) is_chaotic: bool,
    /// Nothing passes any more.
    pub(crate) is_severed: bool,
    /// When the last message arrives at the node and at the evaluator.
    last_ms: [u64; 2],
}

/// Something under way.
#[derive(Debug, Clone)]
pub(crate) struct Parcel {
    pub(crate) connection: u64,
    pub(crate) to: Side,
    pub(crate) cargo: Cargo,
}

/// What travels.
#[derive(Debug, Clone)]
pub(crate) enum Cargo {
    /// Who is there, and what it has.
    Hello { cursor: Option<Cursor> },
    /// What was applied, and what of it could not be read.
    Acknowledge {
        cursor: Cursor,
        refused: Vec<(FlagKey, String)>,
    },
    /// Send everything.
    Resync,
    /// The process ends of its own will.
    Goodbye,
    /// A sign of life, either way.
    Beat,
    /// News.
    Frame(Arc<Update>),
}

impl Connection {
    pub(crate) fn new(
        (evaluator, incarnation): (usize, u64),
        (node, boot): (usize, u64),
        is_chaotic: bool,
    ) -> Self {
        Self {
            evaluator,
            incarnation,
            node,
            boot,
            is_chaotic,
            is_severed: false,
            last_ms: [0; 2],
        }
    }

    /// When something that would take until `at_ms` arrives: never before what was sent earlier,
    /// unless the connection reorders.
    pub(crate) fn arrival(&mut self, to: Side, at_ms: u64) -> u64 {
        if self.is_chaotic {
            return at_ms;
        }
        let [at_node, at_evaluator] = &mut self.last_ms;
        let last_ms = match to {
            Side::Node => at_node,
            Side::Evaluator => at_evaluator,
        };
        *last_ms = at_ms.max(*last_ms);
        *last_ms
    }
}

impl Cargo {
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Hello { cursor: None } => "hello, with nothing".to_owned(),
            Self::Hello {
                cursor: Some(cursor),
            } => format!("hello, at {}", place(cursor)),
            Self::Acknowledge { cursor, .. } => format!("has {}", place(cursor)),
            Self::Resync => "asks for everything".to_owned(),
            Self::Goodbye => "goodbye".to_owned(),
            Self::Beat => "beat".to_owned(),
            Self::Frame(update) => match &**update {
                Update::Snapshot { cursor, .. } => format!("snapshot {}", place(cursor)),
                Update::Change { cursor, .. } => {
                    format!("change {} after r{}", place(cursor), cursor.previous)
                }
                Update::Brake { cursor, .. } => format!("brake {}", cursor.brake),
            },
        }
    }
}

/// Where a cursor stands, in few letters.
pub(crate) fn place(cursor: &Cursor) -> String {
    match cursor.epoch {
        1 => format!("r{}", cursor.revision),
        epoch => format!("r{} of epoch {epoch}", cursor.revision),
    }
}
