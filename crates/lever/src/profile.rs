//! The profile that a local `lever dev` or `lever serve` leaves, so that a second terminal needs no
//! settings: `$XDG_STATE_HOME/lever/profile.toml`, readable by its owner only.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Where a local server listens and how to talk to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profile {
    pub(crate) url: String,
    pub(crate) token: String,
    /// Read by commands that only look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) environment: Option<String>,
}

/// Where the profile is; `None` without a home directory.
pub(crate) fn path() -> Option<PathBuf> {
    crate::config::Surroundings::of_process().state_file("profile.toml")
}

/// Reads the profile at `path`; `None` when there is none.
pub(crate) fn read(path: &Path) -> io::Result<Option<Profile>> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let invalid = |error: toml::de::Error| {
        io::Error::new(io::ErrorKind::InvalidData, error.message().to_owned())
    };
    toml::from_str(&text).map(Some).map_err(invalid)
}

/// Leaves `profile` at `path`, replacing what is there in one step. Nobody but the owner can read
/// it at any moment.
pub(crate) fn write(path: &Path, profile: &Profile) -> io::Result<()> {
    let directory = path
        .parent()
        .ok_or_else(|| io::Error::other("a profile needs a directory"))?;
    create_private(directory)?;
    let text = toml::to_string(profile).map_err(io::Error::other)?;
    // Temporary files are made with mode 0600.
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    file.write_all(text.as_bytes())?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Takes the profile at `path` away, if it still is `profile`: a server that was started later may
/// have left its own.
pub(crate) fn remove(path: &Path, profile: &Profile) -> io::Result<()> {
    if read(path)?.as_ref() == Some(profile) {
        std::fs::remove_file(path)?;
    }
    Ok(())
}

/// Takes the profile at `path` away, if it still is `profile`, and puts back the one that was there
/// before.
pub(crate) fn give_back(
    path: &Path,
    profile: &Profile,
    before: Option<&Profile>,
) -> io::Result<()> {
    match before {
        Some(before) if read(path)?.as_ref() == Some(profile) => write(path, before),
        _ => remove(path, profile),
    }
}

fn create_private(directory: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(url: &str) -> Profile {
        Profile {
            url: url.to_owned(),
            token: "lever_x".to_owned(),
            environment: Some("prod".to_owned()),
        }
    }

    #[test]
    fn a_profile_that_is_written_is_read_and_only_by_its_owner() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("lever/profile.toml");
        assert_eq!(read(&path).unwrap(), None);
        write(&path, &profile("http://127.0.0.1:5387")).unwrap();
        assert_eq!(read(&path).unwrap(), Some(profile("http://127.0.0.1:5387")));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(&path), 0o600);
            assert_eq!(mode(path.parent().unwrap()), 0o700);
        }
    }

    #[test]
    fn a_demo_gives_the_profile_back_that_was_there_before() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("profile.toml");
        let (served, demo) = (profile("http://127.0.0.1:1"), profile("http://127.0.0.1:2"));
        write(&path, &demo).unwrap();
        give_back(&path, &demo, Some(&served)).unwrap();
        assert_eq!(read(&path).unwrap(), Some(served.clone()));
        give_back(&path, &demo, None).unwrap();
        assert_eq!(read(&path).unwrap(), Some(served), "it was another's");
    }

    #[test]
    fn a_server_takes_only_its_own_profile_away() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("profile.toml");
        write(&path, &profile("http://127.0.0.1:1")).unwrap();
        write(&path, &profile("http://127.0.0.1:2")).unwrap();
        remove(&path, &profile("http://127.0.0.1:1")).unwrap();
        assert!(path.exists());
        remove(&path, &profile("http://127.0.0.1:2")).unwrap();
        assert!(!path.exists());
        remove(&path, &profile("http://127.0.0.1:2")).unwrap();
    }
}
