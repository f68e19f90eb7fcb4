//! Style and script: one file each, put together when the crate is compiled and named by what is in
//! it, so that a browser may keep it for ever.

use std::fmt::Write;
use std::sync::LazyLock;

use sha2::{Digest, Sha256};

/// A file that pages refer to.
#[derive(Debug)]
pub struct Asset {
    /// Where it is: `/assets/{hash}/{name}`.
    pub path: String,
    /// What is in it.
    pub text: &'static str,
    /// Its media type.
    pub media_type: &'static str,
}

/// How it looks. Each page's own part has a file of its own.
pub static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "console.css",
        "text/css; charset=utf-8",
        concat!(
            include_str!("../assets/css/colour.css"),
            include_str!("../assets/css/base.css"),
            include_str!("../assets/css/shell.css"),
            include_str!("../assets/css/audit.css"),
            include_str!("../assets/css/kill.css"),
            include_str!("../assets/css/now.css"),
            include_str!("../assets/css/flags.css"),
            include_str!("../assets/css/settings.css"),
            include_str!("../assets/css/chart.css"),
            include_str!("../assets/css/rollout.css"),
        ),
    )
});

/// What is nicer with a script: the page stays live, times are local too.
pub static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "console.js",
        "text/javascript; charset=utf-8",
        concat!(
            include_str!("../assets/js/time.js"),
            include_str!("../assets/js/morph.js"),
            include_str!("../assets/js/live.js"),
            include_str!("../assets/js/hold.js"),
        ),
    )
});

/// The picture in a browser's tab.
pub static ICON: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "lever.svg",
        "image/svg+xml",
        include_str!("../assets/lever.svg"),
    )
});

impl Asset {
    fn new(name: &str, media_type: &'static str, text: &'static str) -> Self {
        let digest = Sha256::digest(text.as_bytes());
        let mut hash = String::with_capacity(16);
        for byte in digest.iter().take(8) {
            let _ = write!(hash, "{byte:02x}");
        }
        Self {
            path: format!("/assets/{hash}/{name}"),
            text,
            media_type,
        }
    }

    /// The file at a path, if there is one.
    #[must_use]
    pub fn at(path: &str) -> Option<&'static Self> {
        [&*STYLE, &*SCRIPT, &*ICON]
            .into_iter()
            .find(|asset| asset.path == path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_found_by_its_path_and_by_no_other() {
        assert_eq!(Asset::at(&STYLE.path).unwrap().text, STYLE.text);
        assert!(Asset::at("/assets/0000000000000000/console.css").is_none());
    }

    #[test]
    fn the_script_is_small() {
        assert!(SCRIPT.text.len() < 30_000, "{} bytes", SCRIPT.text.len());
        assert!(
            STYLE.text.len() + SCRIPT.text.len() < 80_000,
            "a page is to weigh under 150 kB in all"
        );
    }
}
