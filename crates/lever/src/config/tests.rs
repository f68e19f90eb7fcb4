use std::path::{Path, PathBuf};

use super::*;

/// A home, a project below it, and the variables that point there.
struct House {
    root: tempfile::TempDir,
    surroundings: Surroundings,
}

impl House {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let project = root.path().join("work/project/deep");
        std::fs::create_dir_all(&project).unwrap();
        std::fs::create_dir_all(root.path().join("work/project/.git")).unwrap();
        let surroundings = Surroundings {
            variables: [("HOME".to_owned(), root.path().display().to_string())].into(),
            directory: Some(project),
        };
        Self { root, surroundings }
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.surroundings
            .variables
            .insert(name.to_owned(), value.to_owned());
        self
    }

    fn file(self, path: &str, text: &str) -> Self {
        self.file_with_mode(path, text, 0o600)
    }

    fn file_with_mode(self, path: &str, text: &str, mode: u32) -> Self {
        use std::os::unix::fs::PermissionsExt as _;
        let path: PathBuf = self.root.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        self
    }

    fn resolve(&self) -> Result<Config, Failure> {
        self.resolve_with(&GlobalArgs::default())
    }

    fn resolve_with(&self, global: &GlobalArgs) -> Result<Config, Failure> {
        Config::resolve(global, &self.surroundings)
    }
}

const PROJECT: &str = "work/project/.lever.toml";
const USER: &str = ".config/lever/config.toml";
const PROFILE: &str = ".local/state/lever/profile.toml";

fn all(name: &str) -> String {
    format!("url = \"http://{name}\"\ntoken = \"token-{name}\"\nenvironment = \"{name}\"\n")
}

fn seen(config: &Config) -> (String, Option<&str>, Option<&str>) {
    (
        join(&config.servers.value),
        config.token.as_ref().map(|token| token.value.as_str()),
        config.environment.as_ref().map(|env| env.value.as_str()),
    )
}

#[test]
fn without_any_setting_the_local_server_is_meant() {
    let config = House::new().resolve().unwrap();
    assert_eq!(
        seen(&config),
        ("http://127.0.0.1:5387/".to_owned(), None, None)
    );
    assert_eq!(config.servers.source, Source::Default);
}

#[test]
fn each_source_outdoes_the_ones_after_it() {
    let house = House::new().file(PROFILE, &all("profile"));
    assert_eq!(
        seen(&house.resolve().unwrap()),
        (
            "http://profile/".to_owned(),
            Some("token-profile"),
            Some("profile")
        )
    );
    let house = house.file(USER, &all("user"));
    assert_eq!(
        seen(&house.resolve().unwrap()),
        ("http://user/".to_owned(), Some("token-user"), Some("user"))
    );
    let house = house.file(PROJECT, &all("project"));
    assert_eq!(
        seen(&house.resolve().unwrap()),
        (
            "http://project/".to_owned(),
            Some("token-project"),
            Some("project")
        )
    );
    let house = house
        .variable("LEVER_URL", "http://variable")
        .variable("LEVER_TOKEN", "token-variable")
        .variable("LEVER_ENV", "variable");
    assert_eq!(
        seen(&house.resolve().unwrap()),
        (
            "http://variable/".to_owned(),
            Some("token-variable"),
            Some("variable")
        )
    );
    let typed = GlobalArgs {
        url: vec!["http://flag".to_owned()],
        token: Some("token-flag".to_owned()),
        ..GlobalArgs::default()
    };
    assert_eq!(
        seen(&house.resolve_with(&typed).unwrap()),
        (
            "http://flag/".to_owned(),
            Some("token-flag"),
            Some("variable")
        )
    );
}

#[test]
fn several_servers_may_be_named() {
    let house = House::new().variable("LEVER_URL", "http://a, https://b:1/");
    assert_eq!(seen(&house.resolve().unwrap()).0, "http://a/, https://b:1/");
    let house = House::new().file(USER, "url = [\"http://a\", \"http://b\"]\n");
    assert_eq!(seen(&house.resolve().unwrap()).0, "http://a/, http://b/");
}

#[test]
fn a_strange_repository_cannot_draw_a_token_to_its_server() {
    let house = House::new()
        .file(USER, "token = \"mine\"\n")
        .file(PROFILE, &all("profile"))
        .file(PROJECT, "url = \"http://evil\"\n");
    let config = house.resolve().unwrap();
    assert_eq!(seen(&config).0, "http://evil/");
    assert_eq!(config.token, None);
    assert_eq!(config.remarks.len(), 2, "{:?}", config.remarks);
}

#[test]
fn a_profiles_token_goes_to_its_own_server_only() {
    let house = House::new().file(PROFILE, &all("profile"));
    let elsewhere = GlobalArgs {
        url: vec!["http://elsewhere".to_owned()],
        ..GlobalArgs::default()
    };
    assert_eq!(house.resolve_with(&elsewhere).unwrap().token, None);
    let same = GlobalArgs {
        url: vec!["http://profile/".to_owned()],
        ..GlobalArgs::default()
    };
    assert!(house.resolve_with(&same).unwrap().token.is_some());
}

#[test]
fn a_token_without_a_server_goes_to_the_server_that_is_typed() {
    let house = House::new()
        .file(USER, "token = \"mine\"\n")
        .variable("LEVER_URL", "http://typed");
    assert_eq!(seen(&house.resolve().unwrap()).1, Some("mine"));
}

#[test]
fn a_token_that_others_can_read_is_refused_with_the_command_that_helps() {
    for path in [PROJECT, USER, PROFILE] {
        let house = House::new().file_with_mode(path, &all("x"), 0o640);
        let failure = house.resolve().unwrap_err();
        assert_eq!(failure.exit.code(), 2);
        assert!(failure.to_string().contains("chmod 600"), "{failure}");
    }
    let house = House::new().file_with_mode(PROJECT, "url = \"http://x\"\n", 0o644);
    assert!(
        house.resolve().is_ok(),
        "without a token anybody may read it"
    );
}

#[test]
fn a_broken_file_stops_nobody_who_types_the_server_and_the_token() {
    let house = House::new().file(USER, "tokne = \"secret\"\n");
    let failure = house.resolve().unwrap_err();
    assert!(failure.to_string().contains("config.toml:1"), "{failure}");
    assert!(failure.to_string().contains("tokne"), "{failure}");
    assert!(!failure.to_string().contains("secret"), "{failure}");
    let house = house
        .variable("LEVER_URL", "http://a")
        .variable("LEVER_TOKEN", "t");
    assert_eq!(house.resolve().unwrap().remarks.len(), 1);
}

#[test]
fn a_project_file_is_looked_for_up_to_the_root_of_the_repository_and_no_further() {
    let house = House::new().file("work/.lever.toml", &all("above"));
    assert_eq!(house.resolve().unwrap().token, None);

    let mut house = House::new().file("lonely/.lever.toml", &all("above"));
    let below = house.root.path().join("lonely/below");
    std::fs::create_dir_all(&below).unwrap();
    house.surroundings.directory = Some(below.clone());
    assert_eq!(house.resolve().unwrap().token, None);
    house.surroundings.directory = below.parent().map(Path::to_owned);
    assert!(house.resolve().unwrap().token.is_some());
}

#[test]
fn what_is_no_server_is_refused() {
    for url in [
        "localhost:5387",
        "ftp://a",
        "http://user:pw@a",
        "http://a/?q=1",
        "nonsense",
    ] {
        let house = House::new().variable("LEVER_URL", url);
        let failure = house.resolve().unwrap_err();
        assert_eq!(failure.exit.code(), 2, "{url}");
    }
}

#[test]
fn a_strange_project_cannot_make_anybody_trust_its_authorities() {
    let ca = |house: &House| {
        let ca_file = house.resolve().unwrap().ca_file;
        ca_file.map(|ca_file| ca_file.value.file_name().unwrap().to_owned())
    };
    // For a server and a token that are this person's own, whether it names that server or not.
    for project in [
        "ca_file = \"evil.pem\"\n",
        "url = \"http://user\"\nca_file = \"evil.pem\"\n",
    ] {
        let house = House::new().file(USER, &all("user")).file(PROJECT, project);
        assert_eq!(ca(&house), None, "{project}");
        assert_eq!(house.resolve().unwrap().remarks.len(), 1);
        let own = format!("{}ca_file = \"own.pem\"\n", all("user"));
        assert_eq!(ca(&house.file(USER, &own)).unwrap(), "own.pem", "{project}");
    }
    let house = House::new()
        .file(PROJECT, "ca_file = \"evil.pem\"\n")
        .variable("LEVER_URL", "https://typed");
    assert_eq!(ca(&house), None);
    // For its own server it may.
    let project = "url = \"https://project\"\nca_file = \"project.pem\"\n";
    let house = House::new().file(PROJECT, project);
    assert_eq!(ca(&house).unwrap(), "project.pem");
}

#[test]
fn a_strangers_project_does_not_get_the_token_that_lies_in_the_environment() {
    let project = |url: &str| {
        House::new()
            .file(PROJECT, &format!("url = \"{url}\"\n"))
            .variable("LEVER_TOKEN", "mine")
    };
    let config = project("https://evil.example").resolve().unwrap();
    assert_eq!(config.token, None);
    assert!(
        config.remarks[0].contains("name the server by --url"),
        "{:?}",
        config.remarks
    );
    // A server on this machine is nobody else's, and one that was named is meant.
    assert!(
        project("http://127.0.0.1:5387")
            .resolve()
            .unwrap()
            .token
            .is_some()
    );
    let named = project("https://evil.example").variable("LEVER_URL", "https://evil.example");
    assert!(named.resolve().unwrap().token.is_some());
}

#[test]
fn a_configuration_that_is_no_ordinary_file_is_refused_and_not_waited_for() {
    let house = House::new();
    let path = house.root.path().join(PROJECT);
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    assert!(made.unwrap().success());
    let refusal = house.resolve().unwrap_err().to_string();
    assert!(refusal.contains("is not a regular file"), "{refusal}");
    std::fs::remove_file(&path).unwrap();
    let house = house.file(PROJECT, &" ".repeat(70_000));
    let refusal = house.resolve().unwrap_err().to_string();
    assert!(refusal.contains("is larger than 65536 bytes"), "{refusal}");
}
