//! One run of a command that talks to a server: its settings, its screen, its client.

use leverframe_wire::admin::Why;

use crate::api::{ApiError, Client, Connection};
use crate::arguments::{GlobalArgs, PlaceArgs};
use crate::config::{Config, Sourced, Surroundings};
use crate::failure::Failure;
use crate::output::Screen;

/// What a command works with.
pub(crate) struct Session {
    pub(crate) config: Config,
    pub(crate) screen: Screen,
    is_github: bool,
}

impl Session {
    pub(crate) fn open(global: &GlobalArgs) -> Result<Self, Failure> {
        let surroundings = Surroundings::of_process();
        let config = Config::resolve(global, &surroundings)?;
        let screen = Screen::new(global);
        for remark in &config.remarks {
            screen.note(remark);
        }
        Ok(Self {
            config,
            screen,
            is_github: surroundings.is_github(),
        })
    }

    /// Whether this is a run of GitHub Actions.
    pub(crate) fn is_github(&self) -> bool {
        self.is_github
    }

    /// A client with a token.
    ///
    /// # Errors
    /// Exit 4 without a token.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        if self.config.token.is_none() {
            return Err(Failure::new(
                crate::exit::Exit::Unauthenticated,
                "unauthenticated",
                "there is no token: set LEVER_TOKEN, or put one into \
                 $XDG_CONFIG_HOME/lever/config.toml; a local `lever serve` or `lever dev` leaves one by itself",
            ));
        }
        self.connect()
    }

    /// A client with a token if there is one.
    pub(crate) fn connect(&self) -> Result<Client, Failure> {
        Ok(Client::new(&Connection {
            servers: self.config.servers.value.clone(),
            token: self.config.token.as_ref().map(|token| token.value.clone()),
            ca_file: self
                .config
                .ca_file
                .as_ref()
                .map(|ca_file| ca_file.value.clone()),
            trace: self.screen.trace(),
        })?)
    }

    /// The environment a command reads, if anything names one.
    pub(crate) fn environment_if_named(&self, place: &PlaceArgs) -> Option<String> {
        place.environment.clone().or_else(|| {
            self.configured()
                .map(|environment| environment.value.clone())
        })
    }

    /// The environment a command reads.
    ///
    /// # Errors
    /// Exit 2 when nothing names one.
    pub(crate) fn environment_to_read(&self, place: &PlaceArgs) -> Result<String, Failure> {
        self.environment_if_named(place)
            .ok_or_else(|| missing_environment("say where with -e, or set LEVER_ENV"))
    }

    /// The environment a command changes: as typed, or as configured where openings are not
    /// guarded.
    ///
    /// # Errors
    /// Exit 2 when nothing names one, or only the configuration names one that is guarded.
    pub(crate) async fn environment_to_change(
        &self,
        client: &Client,
        place: &PlaceArgs,
    ) -> Result<String, Failure> {
        if let Some(typed) = &place.environment {
            return Ok(typed.clone());
        }
        let Some(Sourced { value, source }) = self.configured() else {
            return Err(missing_environment("a change says where: add -e ENV"));
        };
        let environments = client.environments().await?.environments;
        match environments.iter().find(|known| known.key == *value) {
            Some(known) if !known.guarded => Ok(value.clone()),
            Some(_) => Err(missing_environment(&format!(
                "{value} is guarded, and only {source} names it: add -e {value} if you mean it"
            ))),
            None => Err(Failure::not_found(format!(
                "there is no environment {value:?}, which {source} names"
            ))),
        }
    }

    /// Makes a change, and asks for a reason on the terminal if the server wants one that was not
    /// given. A closing never gets here without one: the server does not ask for it.
    ///
    /// # Errors
    /// The server's refusal; exit 2 for a missing reason where nobody can be asked.
    pub(crate) async fn reasoned<T>(
        &self,
        why: Why,
        change: impl AsyncFn(Why) -> Result<T, ApiError>,
    ) -> Result<T, Failure> {
        let refusal = match change(why.clone()).await {
            Ok(done) => return Ok(done),
            Err(refusal) => refusal,
        };
        if refusal.code() != "reason-required" || why.reason.is_some() {
            return Err(refusal.into());
        }
        match self.screen.ask("This needs a reason. Why?") {
            Some(reason) => Ok(change(Why {
                reason: Some(reason),
                ..why
            })
            .await?),
            None => Err(refusal.into()),
        }
    }

    fn configured(&self) -> Option<&Sourced<String>> {
        self.config.environment.as_ref()
    }
}

fn missing_environment(what_to_do: &str) -> Failure {
    Failure::new(
        crate::exit::Exit::Usage,
        "environment-required",
        format!("{what_to_do}; nothing changed"),
    )
}
