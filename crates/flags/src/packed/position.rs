//! Positions.

use super::{Malformed, Unpacking, pack_count, pack_number, pack_text, pack_value, unpack_value};
use crate::key::{SegmentKey, VariantKey};
use crate::percentage::Percentage;
use crate::position::{Exposure, Latch, Position};

const CLOSED: u8 = 0;
const LATCHED: u8 = 1;
const OPEN: u8 = 2;
const PINNED: u8 = 3;

pub(crate) fn pack_position(into: &mut Vec<u8>, position: &Position) {
    match position {
        Position::Closed { latch: None } => into.push(CLOSED),
        Position::Closed { latch: Some(latch) } => {
            into.push(LATCHED);
            pack_text(into, latch.variant.as_str());
            pack_value(into, &latch.value);
        }
        Position::Open { exposure } => {
            into.push(OPEN);
            pack_number(into, u64::from(exposure.percentage.thousandths()));
            pack_count(into, exposure.cohorts.len());
            for cohort in &exposure.cohorts {
                pack_text(into, cohort.as_str());
            }
        }
        Position::Pinned { variant } => {
            into.push(PINNED);
            pack_text(into, variant.as_str());
        }
    }
}

pub(crate) fn unpack_position(from: &mut Unpacking<'_>) -> Result<Position, Malformed> {
    Ok(match from.byte()? {
        CLOSED => Position::Closed { latch: None },
        LATCHED => Position::Closed {
            latch: Some(Latch {
                variant: variant(from)?,
                value: unpack_value(from)?,
            }),
        },
        OPEN => {
            let percentage = Percentage::from_thousandths(from.number_u32()?).ok_or(Malformed)?;
            let mut exposure = Exposure::of(percentage);
            for _ in 0..from.count()? {
                let cohort = SegmentKey::new(from.text()?).map_err(|_| Malformed)?;
                if !exposure.cohorts.insert(cohort) {
                    return Err(Malformed);
                }
            }
            Position::Open { exposure }
        }
        PINNED => Position::Pinned {
            variant: variant(from)?,
        },
        _ => return Err(Malformed),
    })
}

fn variant(from: &mut Unpacking<'_>) -> Result<VariantKey, Malformed> {
    VariantKey::new(from.text()?).map_err(|_| Malformed)
}
