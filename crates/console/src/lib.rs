//! The console's pages: what the admin API answers, as HTML that a browser shows without a script.
//!
//! Pure. It knows the wire's admin types and how they look; it does not know where they come from,
//! what time it is, or who may see them. A page is a struct with a [`Shell`]; `to_string()` or
//! [`askama::Template::render`] makes the whole document.
//!
//! Text that people or programs wrote reaches a page only through the templates' escaping. What is
//! put out as markup is made here: [`text`]'s times, [`badge`]s, [`chart`]s, and runbooks that
//! [`markdown`] has sanitised. Characters that hide or turn text around are written out in every page
//! by [`inert::document`]; the value of a field is put in by [`inert::exact`], so that it comes back as
//! it was.
#![deny(missing_docs)]
#![cfg_attr(
    test,
    expect(
        clippy::unwrap_used,
        clippy::panic,
        clippy::indexing_slicing,
        reason = "tests"
    )
)]

pub mod asset;
pub mod badge;
pub mod chart;
pub mod diff;
pub mod effect;
pub mod field;
pub mod inert;
pub mod link;
pub mod markdown;
pub mod page;
pub mod plain;
pub mod shell;
pub mod stored;
pub mod sunset;
pub mod text;
pub mod word;

pub use askama::Template;
pub use link::Link;
pub use shell::{Choice, Failing, Place, Shell};
pub use stored::Stored;
