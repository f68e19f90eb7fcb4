//! Colours. They repeat what a glyph and a word say, and never say it alone; the streams take them
//! away for NO_COLOR and where nobody looks.

use clap::builder::styling::{AnsiColor, Style};

/// What a colour repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Good,
    Bad,
    /// Closed, or not yet.
    Braked,
    /// Opened.
    Raised,
    /// Pinned or undone.
    Held,
    Strong,
    Quiet,
}

/// `text` in the colour of `tone`.
pub(crate) fn paint(tone: Tone, text: &str) -> String {
    let style = match tone {
        Tone::Good => AnsiColor::Green.on_default(),
        Tone::Bad => AnsiColor::Red.on_default().bold(),
        Tone::Braked => AnsiColor::Yellow.on_default().bold(),
        Tone::Raised => AnsiColor::Cyan.on_default().bold(),
        Tone::Held => AnsiColor::Blue.on_default().bold(),
        Tone::Strong => Style::new().bold(),
        Tone::Quiet => Style::new().dimmed(),
    };
    format!("{style}{text}{style:#}")
}
