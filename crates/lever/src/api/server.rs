//! Who we are, and how the server is.

use leverframe_wire::admin::{Health, Whoami};

use super::call::Call;
use super::client::Client;
use super::error::ApiError;

impl Client {
    pub(crate) async fn whoami(&self) -> Result<Whoami, ApiError> {
        self.send(Call::get(&["whoami"])).await
    }

    pub(crate) async fn health(&self) -> Result<Health, ApiError> {
        self.send(Call::get(&["health"])).await
    }
}
