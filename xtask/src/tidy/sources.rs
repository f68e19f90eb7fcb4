//! Where dependencies come from, and which never do, read off the lock file so that platforms other
//! than this one are looked at too.

use super::Finding;
use crate::tree::Tree;

const LOCK: &str = "Cargo.lock";

/// One TLS, one crypto library, nothing that needs a system library: `ring` under rustls.
const BANNED: [&str; 5] = [
    "aws-lc-rs",
    "aws-lc-sys",
    "native-tls",
    "openssl",
    "openssl-sys",
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(lock) = tree.get(LOCK) else {
        return vec![Finding::new(LOCK, "is missing")];
    };
    let mut findings = Vec::new();
    for line in lock.text.lines() {
        let value = |key: &str| line.strip_prefix(key)?.strip_suffix('"');
        if let Some(name) = value("name = \"").filter(|name| BANNED.contains(name)) {
            findings.push(Finding::new(
                LOCK,
                format!("{name} is banned: TLS is rustls on ring"),
            ));
        }
        if let Some(source) = value("source = \"").filter(|source| !source.starts_with("registry+"))
        {
            findings.push(Finding::new(LOCK, format!("{source} is not a registry")));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_banned_crate_and_a_git_source_are_found() {
        let lock = "name = \"openssl\"\nname = \"openssl-probe\"\nsource = \"git+x\"\nsource = \"registry+y\"\n";
        let findings = check(&Tree::of(&[(LOCK, lock)]));
        assert_eq!(findings.len(), 2, "{findings:?}");
    }
}
