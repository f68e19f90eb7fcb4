//! SIGKILL in the middle of appends, in a real process: nothing acknowledged is lost.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use leverframe_core::{Link, Timestamp};
use leverframe_store::{Head, SqliteStore, Store, StoredSnapshot};

use crate::entries::entries;

const CHILD_DIRECTORY: &str = "LEVER_STORE_CRASH_DIRECTORY";
const CHILD_SEED: &str = "LEVER_STORE_CRASH_SEED";
/// Set it to repeat a run's choices. The moment of the kill itself is the machine's.
const SEED: &str = "LEVER_TEST_SEED";
const ROUNDS: u64 = 12;

#[test]
fn nothing_acknowledged_is_lost_when_the_writer_is_killed() {
    let mut random = Random::from_environment();
    let data = tempfile::tempdir().unwrap();
    let mut acknowledged = Head::START;
    for _ in 0..ROUNDS {
        acknowledged = run_and_kill(data.path(), &mut random).unwrap_or(acknowledged);
        let store = SqliteStore::open(data.path()).unwrap();
        let reader = store.reader();
        let head = reader.verify(Some(acknowledged), &mut |_| {}).unwrap();
        assert!(head.revision >= acknowledged.revision);
        if let Some(snapshot) = store.beside().load_snapshot() {
            reader.check(snapshot.head).unwrap();
        }
    }
    assert!(acknowledged.revision > 0, "no child came to append");
}

/// Lets a child append until a random number of acknowledgements and a random moment more, kills it,
/// and returns the last head it acknowledged.
fn run_and_kill(data: &Path, random: &mut Random) -> Option<Head> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::the_child_that_is_killed"])
        .args(["--ignored", "--nocapture"])
        .env(CHILD_DIRECTORY, data)
        .env(CHILD_SEED, random.next().to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let enough = random.below(120);
    let mut last = None;
    let mut seen = 0;
    while seen < enough {
        let line = lines.next().expect("the child lives until it is killed");
        if let Some(head) = acknowledgement(&line.unwrap()) {
            last = Some(head);
            seen += 1;
        }
    }
    // Not to wait for something, but to strike anywhere within an append.
    std::thread::sleep(Duration::from_micros(random.below(2_000)));
    child.kill().unwrap();
    child.wait().unwrap();
    // What it said before it died counts too; the last line may be torn.
    for line in lines.map_while(Result::ok) {
        last = acknowledgement(&line).or(last);
    }
    last
}

fn acknowledgement(line: &str) -> Option<Head> {
    let mut words = line.strip_prefix("acknowledged ")?.split(' ');
    let revision = words.next()?.parse().ok()?;
    let link = words.next().filter(|word| word.len() == 64)?;
    words.next().filter(|word| *word == "end")?;
    let mut bytes = [0; 32];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&link[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(Head {
        revision,
        link: Link::from_bytes(bytes),
    })
}

#[test]
#[ignore = "run as a child process by the test above"]
fn the_child_that_is_killed() {
    let Ok(data) = std::env::var(CHILD_DIRECTORY) else {
        return;
    };
    let mut random = Random(std::env::var(CHILD_SEED).unwrap().parse().unwrap());
    let mut store = SqliteStore::open(Path::new(&data)).unwrap();
    let fence = store.take_leadership(Timestamp::default()).unwrap();
    let beside = store.beside();
    let mut head = store.reader().head().unwrap();
    let mut out = std::io::stdout();
    loop {
        let count = usize::try_from(1 + random.below(8)).unwrap();
        let group = entries(head, count);
        store.append(head.revision, fence, &group).unwrap();
        head = Head::of(&group[count - 1]);
        let link = head.link.to_hex();
        writeln!(out, "acknowledged {} {link} end", head.revision).unwrap();
        out.flush().unwrap();
        if random.below(10) == 0 {
            let bytes = vec![7; 200_000];
            beside
                .save_snapshot(&StoredSnapshot { head, bytes })
                .unwrap();
        }
    }
}

/// `SplitMix64`: enough to spread the blows.
struct Random(u64);

impl Random {
    fn from_environment() -> Self {
        let seed = std::env::var(SEED).map_or_else(
            |_| {
                let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
                u64::from(since.unwrap().subsec_nanos())
            },
            |seed| seed.parse().unwrap(),
        );
        // Shown when the test fails.
        let mut out = std::io::stderr();
        writeln!(out, "{SEED}={seed}").unwrap();
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}
