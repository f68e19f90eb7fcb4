//! Levers: kill, open, ramp, pin, undo; and trying a flag.

use leverframe_wire::admin::{Evaluate, Evaluation, Kill, Lever, Open, Pin, Ramp, Receipt, Undo};
use reqwest::Method;

use super::Attempt;
use super::call::Call;
use super::client::Client;
use super::error::ApiError;

impl Client {
    pub(crate) async fn lever(&self, flag: &str, environment: &str) -> Result<Lever, ApiError> {
        self.send(Call::get(&["flags", flag, "environments", environment]))
            .await
    }

    /// Closes, on all servers at once; the first that accepts answers. Never needs a revision.
    pub(crate) async fn kill(
        &self,
        environment: &str,
        kill: &Kill,
        dry_run: bool,
    ) -> Result<Receipt, ApiError> {
        let parts = ["environments", environment, "kill"];
        let attempt = Attempt {
            dry_run,
            seen: None,
        };
        self.race(Call::send(Method::POST, &parts, kill, attempt)?)
            .await
    }

    pub(crate) async fn open(
        &self,
        flag: &str,
        environment: &str,
        open: &Open,
        attempt: Attempt,
    ) -> Result<Receipt, ApiError> {
        let parts = ["flags", flag, "environments", environment, "open"];
        self.send(Call::send(Method::POST, &parts, open, attempt)?)
            .await
    }

    pub(crate) async fn ramp(
        &self,
        flag: &str,
        environment: &str,
        ramp: &Ramp,
        attempt: Attempt,
    ) -> Result<Receipt, ApiError> {
        let parts = ["flags", flag, "environments", environment, "ramp"];
        self.send(Call::send(Method::POST, &parts, ramp, attempt)?)
            .await
    }

    pub(crate) async fn pin(
        &self,
        flag: &str,
        environment: &str,
        pin: &Pin,
        attempt: Attempt,
    ) -> Result<Receipt, ApiError> {
        let parts = ["flags", flag, "environments", environment, "pin"];
        self.send(Call::send(Method::POST, &parts, pin, attempt)?)
            .await
    }

    pub(crate) async fn undo(&self, undo: &Undo, dry_run: bool) -> Result<Receipt, ApiError> {
        let attempt = Attempt {
            dry_run,
            seen: None,
        };
        self.send(Call::send(Method::POST, &["undo"], undo, attempt)?)
            .await
    }

    pub(crate) async fn evaluate(
        &self,
        environment: &str,
        evaluate: &Evaluate,
    ) -> Result<Evaluation, ApiError> {
        let parts = ["environments", environment, "evaluate"];
        self.send(Call::send(
            Method::POST,
            &parts,
            evaluate,
            Attempt::default(),
        )?)
        .await
    }
}
