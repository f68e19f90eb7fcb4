//! TLS: rustls with the ring provider named explicitly. A library must never install a process-wide
//! provider, and must not depend on somebody else having installed one.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::settings::SettingsError;

/// Trusts the system's authorities and those of `ca_file`. Reading the system's takes longer than
/// the first rule set, so it is left where no server is `is_encrypted`; nobody is trusted then.
///
/// # Errors
/// The CA file cannot be read or holds no certificate; or TLS has no usable version.
pub(crate) fn client_config(
    is_encrypted: bool,
    ca_file: Option<&Path>,
) -> Result<Arc<ClientConfig>, SettingsError> {
    let mut roots = RootCertStore::empty();
    if is_encrypted {
        add_native(&mut roots);
    }
    if let Some(path) = ca_file {
        add_file(&mut roots, path)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| SettingsError::Tls(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn add_native(roots: &mut RootCertStore) {
    let native = rustls_native_certs::load_native_certs();
    let (_, unusable) = roots.add_parsable_certificates(native.certs);
    if unusable > 0 || !native.errors.is_empty() {
        tracing::debug!(
            unusable,
            errors = native.errors.len(),
            "some of the system's certificate authorities cannot be used"
        );
    }
}

fn add_file(roots: &mut RootCertStore, path: &Path) -> Result<(), SettingsError> {
    let unusable = |why: String| SettingsError::CaFile {
        path: path.to_owned(),
        why,
    };
    let mut added = 0_usize;
    for certificate in
        CertificateDer::pem_file_iter(path).map_err(|error| unusable(error.to_string()))?
    {
        let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
        roots
            .add(certificate)
            .map_err(|error| unusable(error.to_string()))?;
        added += 1;
    }
    if added == 0 {
        return Err(unusable("it holds no certificate".to_owned()));
    }
    Ok(())
}
