//! Points over time, and fewer of them.

/// Most points of one line that are drawn.
pub const POINTS_MAX: usize = 150;

/// One value at a moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// When, in milliseconds.
    pub at_ms: i64,
    /// What; none where there is nothing to draw, such as where there was no data. A line is never drawn
    /// across such a point.
    pub value: Option<f64>,
    /// Between which values the truth may well lie.
    pub band: Option<(f64, f64)>,
}

impl Point {
    /// A value.
    #[must_use]
    pub fn of(at_ms: i64, value: f64) -> Self {
        Self {
            at_ms,
            value: Some(value).filter(|value| value.is_finite()),
            band: None,
        }
    }

    /// The lack of one.
    #[must_use]
    pub fn gap(at_ms: i64) -> Self {
        Self {
            at_ms,
            value: None,
            band: None,
        }
    }

    /// With the values between which the truth may well lie.
    #[must_use]
    pub fn within(mut self, low: f64, high: f64) -> Self {
        self.band = (low.is_finite() && high.is_finite()).then_some((low.min(high), low.max(high)));
        self
    }
}

/// At most `most` of the points: of each of some equal parts the lowest, the highest and a gap if there
/// is one, and the first and the last of all. What sticks out and what is missing stays so.
#[must_use]
pub fn decimate(points: &[Point], most: usize) -> Vec<Point> {
    let most = most.max(5);
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return Vec::new();
    };
    if points.len() <= most {
        return points.to_vec();
    }
    let parts = (most - 2) / 3;
    let inner = points.get(1..points.len() - 1).unwrap_or_default();
    let size = inner.len().div_ceil(parts.max(1)).max(1);
    let mut kept = vec![*first];
    for part in inner.chunks(size) {
        let values = || {
            let all = part.iter().enumerate();
            all.filter_map(|(index, point)| Some((index, point.value?)))
        };
        let lowest = values().min_by(|one, other| one.1.total_cmp(&other.1));
        let highest = values().max_by(|one, other| one.1.total_cmp(&other.1));
        let gap = part.iter().position(|point| point.value.is_none());
        let mut indices: Vec<usize> = [lowest, highest]
            .into_iter()
            .flatten()
            .map(|(index, _)| index)
            .chain(gap)
            .collect();
        indices.sort_unstable();
        indices.dedup();
        kept.extend(indices.into_iter().filter_map(|index| part.get(index)));
    }
    kept.push(*last);
    kept
}
