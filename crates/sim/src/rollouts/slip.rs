//! Slips: safeties that can be taken away, to show that each is missed.

/// A safety that a world of rollouts does without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slip {
    /// What cannot be seen counts as proved.
    BlindIsProved,
    /// A bake is timed by the clock and not by what was analysed.
    BakesByTheClock,
    /// What was seen before a person's stop is used after it.
    StopsAreOverruled,
    /// A leader that was fenced off takes a new fence and goes on.
    FenceIsIgnored,
    /// A transition leaves the lever where it is.
    LeversStayBehind,
    /// What was seen is folded although it could not be stored.
    FoldedUnstored,
    /// An effect is settled before it is done.
    SettledFirst,
    /// A leader runs only the effects that it wanted itself.
    EffectsForgotten,
    /// An effect has another name each time it is done.
    EffectsRenamed,
    /// Harm is overlooked.
    HarmIsOverlooked,
}

impl Slip {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::BlindIsProved,
        Self::BakesByTheClock,
        Self::StopsAreOverruled,
        Self::FenceIsIgnored,
        Self::LeversStayBehind,
        Self::FoldedUnstored,
        Self::SettledFirst,
        Self::EffectsForgotten,
        Self::EffectsRenamed,
        Self::HarmIsOverlooked,
    ];
}
