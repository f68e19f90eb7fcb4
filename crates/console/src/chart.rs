//! Charts, drawn by the server: SVG that a browser shows without a script, with a table behind each.
//!
//! Pure: numbers in, markup out. What is drawn is given; nothing is estimated here. A chart is as wide
//! as its place and its letters keep their size, so that it can be read at 360 pixels: places along the
//! time axis are parts of the width, and only what is a curve is stretched.
//!
//! Nothing that is not a finite number reaches an attribute; the tests draw whatever there is.

mod band;
mod metric;
mod plot;
mod rate;
mod scale;
mod series;
mod svg;
#[cfg(test)]
mod tests;

pub use band::{Band, Segment, SegmentKind};
pub use metric::MetricChart;
pub use plot::{Line, Look, Mark, MarkKind, Plot, Swatch, Unit, swatch};
pub use rate::rate_plot;
pub use scale::{Scale, nice_ticks, time_ticks};
pub use series::{POINTS_MAX, Point, decimate};
