//! Writes definitions: the same ones always give the same bytes.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::Definitions;
use super::layout::Layout;
use crate::failure::Failure;

/// What was written.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Written {
    pub(crate) directory: PathBuf,
    pub(crate) flags: usize,
    pub(crate) segments: usize,
    pub(crate) plans: usize,
    /// Files that did not change.
    pub(crate) unchanged: usize,
    /// Files in the same place that belong to no definition of the server; they were left alone.
    pub(crate) foreign: Vec<PathBuf>,
}

/// Writes `definitions` below `directory`. Each file is replaced in one step, and only where it
/// changes; a link is replaced, never followed.
pub(crate) fn write(directory: &Path, definitions: &Definitions) -> Result<Written, Failure> {
    let layout = Layout::to_write(directory);
    let mut written = Written {
        directory: directory.to_owned(),
        flags: definitions.flags.len(),
        segments: definitions.segments.len(),
        plans: definitions.plans.len(),
        ..Written::default()
    };
    let flags = definitions.flags.iter();
    fill(&layout.flags, flags, &mut written)?;
    if layout.segments.is_dir() || !definitions.segments.is_empty() {
        fill(&layout.segments, definitions.segments.iter(), &mut written)?;
    }
    if layout.plans.is_dir() || !definitions.plans.is_empty() {
        fill(&layout.plans, definitions.plans.iter(), &mut written)?;
    }
    Ok(written)
}

fn fill<'d, T: Serialize + 'd>(
    directory: &Path,
    definitions: impl Iterator<Item = (&'d String, &'d T)>,
    written: &mut Written,
) -> Result<(), Failure> {
    let unwritable = |error: std::io::Error| Failure::file(directory, error);
    if std::fs::symlink_metadata(directory).is_ok_and(|metadata| metadata.is_symlink()) {
        return Err(Failure::usage(format!(
            "{} is a link, and links are not followed",
            directory.display()
        )));
    }
    std::fs::create_dir_all(directory).map_err(unwritable)?;
    let mut known = Vec::new();
    for (key, definition) in definitions {
        let path = directory.join(format!("{key}.yaml"));
        let text = yaml(definition)?;
        let is_file = std::fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_file());
        if is_file && std::fs::read_to_string(&path).is_ok_and(|there| there == text) {
            written.unchanged += 1;
        } else {
            replace(directory, &path, &text).map_err(|error| Failure::file(&path, error))?;
        }
        known.push(path);
    }
    for entry in std::fs::read_dir(directory).map_err(unwritable)? {
        let path = entry.map_err(unwritable)?.path();
        if path.extension().is_some_and(|ext| ext == "yaml") && !known.contains(&path) {
            written.foreign.push(path);
        }
    }
    written.foreign.sort();
    Ok(())
}

fn replace(directory: &Path, path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = tempfile::Builder::new()
        .prefix(".lever-")
        .suffix(".tmp")
        .tempfile_in(directory)?;
    file.write_all(text.as_bytes())?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // Definitions are for everybody; temporary files are made for their owner alone.
        file.as_file()
            .set_permissions(std::fs::Permissions::from_mode(0o644))?;
    }
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// The text of one file: fields in the order of the type, everything else by name.
pub(super) fn yaml(definition: &impl Serialize) -> Result<String, Failure> {
    let options = serde_saphyr::ser_options! {
        prefer_block_scalars: false,
        compact_list_indent: false,
    };
    serde_saphyr::to_string_with_options(definition, options)
        .map_err(|error| Failure::failed(error.to_string()))
}
