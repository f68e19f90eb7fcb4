//! Looks names up, checks every address that came, and hands on just those: what was checked is what
//! is connected to.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::is_private;
use super::{OutgoingError, inert};

/// Looks up the addresses of a name.
#[async_trait]
pub trait Resolver: Send + Sync {
    /// All addresses of `host`.
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// Asks the system, as every other program does.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolver for SystemResolver {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let addresses = tokio::net::lookup_host((host, 0)).await?;
        Ok(addresses.map(|address| address.ip()).collect())
    }
}

/// Stands between a resolver and the connection.
pub(super) struct Guard {
    resolver: Arc<dyn Resolver>,
    allows_private: bool,
}

impl Guard {
    pub(super) fn new(resolver: Arc<dyn Resolver>, allows_private: bool) -> Self {
        Self {
            resolver,
            allows_private,
        }
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = Arc::clone(&self.resolver);
        let allows_private = self.allows_private;
        Box::pin(async move {
            let host = name.as_str();
            let addresses = resolver.resolve(host).await;
            let addresses = addresses.map_err(|error| OutgoingError::Unknown {
                host: host.to_owned(),
                why: inert(&error.to_string()),
            })?;
            // One that leads inside is enough: a name that has both is trying something.
            for address in &addresses {
                check(host, *address, allows_private)?;
            }
            if addresses.is_empty() {
                return Err(OutgoingError::Unknown {
                    host: host.to_owned(),
                    why: "it has no address".to_owned(),
                }
                .into());
            }
            // Port 0 stands for the port of the call.
            let addresses = addresses.into_iter().map(|ip| SocketAddr::new(ip, 0));
            Ok(Box::new(addresses) as Addrs)
        })
    }
}

/// Refuses an address that leads inside, unless that is allowed.
pub(super) fn check(
    host: &str,
    address: IpAddr,
    allows_private: bool,
) -> Result<(), OutgoingError> {
    if is_private(address) && !allows_private {
        return Err(OutgoingError::Private {
            host: host.to_owned(),
            address,
        });
    }
    Ok(())
}
