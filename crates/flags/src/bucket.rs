//! Buckets: which of the [`BUCKETS`] equal shares of a population a unit falls in.
//!
//! `bucket = (u64(murmur3_x86_32(seed 0, salt ++ unit)) * BUCKETS) >> 32`. With the flag's key as
//! the salt this is what flagd computes for a string, so both give a unit the same answer. The
//! hash is Austin Appleby's `MurmurHash3_x86_32`, written from its description.

use crate::percentage::BUCKETS;

/// A salt, hashed as far as it goes, so that a bucket costs only the bytes of the unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BucketSalt {
    hashed: Murmur3,
}

impl BucketSalt {
    /// Hashes `salt`.
    #[must_use]
    pub fn new(salt: &str) -> Self {
        let mut hashed = Murmur3::default();
        hashed.write(salt.as_bytes());
        Self { hashed }
    }

    /// This salt with `more` at its end.
    #[must_use]
    pub(crate) fn and(mut self, more: &str) -> Self {
        self.hashed.write(more.as_bytes());
        self
    }

    /// The bucket of `unit`, from 0 to [`BUCKETS`] − 1.
    #[must_use]
    pub fn bucket(&self, unit: &str) -> u32 {
        let mut hash = self.hashed;
        hash.write(unit.as_bytes());
        scaled(hash.finish())
    }
}

/// The bucket of `unit` under `salt`, from 0 to [`BUCKETS`] − 1.
#[must_use]
pub fn bucket(salt: &str, unit: &str) -> u32 {
    BucketSalt::new(salt).bucket(unit)
}

/// `MurmurHash3_x86_32` with seed 0.
#[must_use]
pub fn murmur3_x86_32(bytes: &[u8]) -> u32 {
    let mut hash = Murmur3::default();
    hash.write(bytes);
    hash.finish()
}

/// Divides the 2^32 hashes into [`BUCKETS`] runs that differ in length by at most one.
fn scaled(hash: u32) -> u32 {
    let product = u64::from(hash).wrapping_mul(u64::from(BUCKETS));
    // At most BUCKETS - 1, because hash < 2^32.
    u32::try_from(product >> 32).unwrap_or(0)
}

/// The running hash over everything written so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Murmur3 {
    state: u32,
    /// Up to three bytes that do not fill a block yet, in its low bytes.
    partial: u32,
    length: u32,
}

impl Murmur3 {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let (blocks, tail) = bytes.as_chunks::<4>();
        // How far the bytes are out of step with the blocks that are mixed.
        let shift = self.length.wrapping_rem(4).wrapping_mul(8);
        if shift == 0 {
            for block in blocks {
                self.mix(u32::from_le_bytes(*block));
            }
        } else {
            for block in blocks {
                let word = u64::from(u32::from_le_bytes(*block)).wrapping_shl(shift);
                let word = word | u64::from(self.partial);
                self.mix(word as u32);
                self.partial = (word >> 32) as u32;
            }
        }
        // Wraps like the reference, which takes a 32-bit length.
        let block_bytes = bytes.len().wrapping_sub(tail.len());
        self.length = self.length.wrapping_add(block_bytes as u32);
        for byte in tail {
            self.push(*byte);
        }
    }

    #[inline]
    fn push(&mut self, byte: u8) {
        let shift = self.length.wrapping_rem(4).wrapping_mul(8);
        self.partial |= u32::from(byte).wrapping_shl(shift);
        self.length = self.length.wrapping_add(1);
        if self.length.is_multiple_of(4) {
            let block = std::mem::take(&mut self.partial);
            self.mix(block);
        }
    }

    #[inline]
    fn mix(&mut self, block: u32) {
        self.state = (self.state ^ scrambled(block))
            .rotate_left(13)
            .wrapping_mul(5)
            .wrapping_add(0xe654_6b64);
    }

    #[inline]
    fn finish(self) -> u32 {
        // A partial block of zero scrambles to zero, as if it were absent.
        let mut hash = self.state ^ scrambled(self.partial) ^ self.length;
        hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
        hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
        hash ^ (hash >> 16)
    }
}

fn scrambled(block: u32) -> u32 {
    block
        .wrapping_mul(0xcc9e_2d51)
        .rotate_left(15)
        .wrapping_mul(0x1b87_3593)
}

#[cfg(test)]
mod tests;
