use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use leverframe_core::effect::Message;
use tokio::sync::Notify;

use super::*;
use crate::channel::{Channel, Channels, Links, Told, Untold, Words};

/// Takes from the n-th try on, and remembers the ids.
#[derive(Default)]
struct Flaky {
    takes_from: u32,
    tries: AtomicU32,
    taken: Mutex<Vec<String>>,
}

impl Flaky {
    fn from(takes_from: u32) -> Arc<Self> {
        Arc::new(Self {
            takes_from,
            ..Self::default()
        })
    }

    fn taken(&self) -> Vec<String> {
        self.taken.lock().unwrap().clone()
    }
}

#[async_trait]
impl Channel for Flaky {
    async fn tell(&self, words: &Words) -> Result<Told, Untold> {
        if self.tries.fetch_add(1, Ordering::SeqCst) + 1 < self.takes_from {
            return Err(Untold::passing("not now"));
        }
        self.taken.lock().unwrap().push(words.id.clone());
        Ok(Told { read_back: true })
    }
}

/// What is wanted, and what came of it; some settlings are refused at first.
#[derive(Default)]
struct Memory {
    effects: Mutex<Vec<Effect>>,
    settled: Mutex<BTreeMap<String, Settlement>>,
    refusals: AtomicU32,
    changed: Notify,
    settled_one: Notify,
}

impl Memory {
    fn wanting(effects: Vec<Effect>) -> Arc<Self> {
        Arc::new(Self {
            effects: Mutex::new(effects),
            ..Self::default()
        })
    }

    fn want(&self, effect: Effect) {
        self.effects.lock().unwrap().push(effect);
        self.changed.notify_one();
    }

    async fn settlement(&self, id: &str) -> Settlement {
        loop {
            if let Some(settlement) = self.settled.lock().unwrap().get(id) {
                return settlement.clone();
            }
            self.settled_one.notified().await;
        }
    }
}

#[async_trait]
impl Outbox for Memory {
    fn unsettled(&self) -> Vec<Effect> {
        let settled = self.settled.lock().unwrap();
        let effects = self.effects.lock().unwrap();
        let open = effects.iter().filter(|e| !settled.contains_key(&*e.id));
        open.cloned().collect()
    }

    async fn changed(&self) {
        self.changed.notified().await;
    }

    async fn settle(&self, id: &str, settlement: Settlement) -> Result<(), String> {
        if self.refusals.load(Ordering::SeqCst) > 0 {
            self.refusals.fetch_sub(1, Ordering::SeqCst);
            return Err("the store is away".to_owned());
        }
        self.settled
            .lock()
            .unwrap()
            .insert(id.to_owned(), settlement);
        self.settled_one.notify_one();
        Ok(())
    }
}

fn effect(id: &str, urgency: Urgency, channels: &[&str]) -> Effect {
    Effect {
        id: id.into(),
        urgency,
        channels: channels.iter().map(|name| Box::from(*name)).collect(),
        message: Message {
            title: "new-checkout was rolled back in prod".into(),
            sentence: "4.1 % fail".into(),
            flag: "new-checkout".parse().unwrap(),
            environment: "prod".parse().unwrap(),
            rollout: "ro_1".into(),
            revision: 7,
            started_by: "ana".into(),
            owner: "shop".into(),
            done: "closed".into(),
            undo: "lever open new-checkout -e prod".into(),
            runbook: None,
            kill_first: false,
        },
        wanted_at: Timestamp::from_ms(0),
    }
}

fn effects(channels: &[(&str, Arc<Flaky>)]) -> Effects {
    let mut all = Channels::default();
    for (name, channel) in channels {
        let channel: Arc<dyn Channel> = channel.clone();
        all.add(name, channel);
    }
    Effects::new(Teller::new(all, Links::default()), Clock::start())
}

fn start(effects: &Effects, memory: &Arc<Memory>) -> CancellationToken {
    let stop = CancellationToken::new();
    let (effects, memory, stopped) = (effects.clone(), memory.clone(), stop.clone());
    tokio::spawn(async move { effects.run(memory, stopped).await });
    stop
}

fn delivered(channels: &[&str]) -> Settlement {
    Settlement::Delivered {
        channels: channels.iter().map(|name| Box::from(*name)).collect(),
        read_back: true,
        failed: Vec::new(),
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_goes_to_the_first_channel_that_takes_it() {
    let (first, second) = (Flaky::from(1), Flaky::from(1));
    let effects = effects(&[("first", first.clone()), ("second", second.clone())]);
    let memory = Memory::wanting(vec![effect("e1", Urgency::Page, &["first", "second"])]);
    let stop = start(&effects, &memory);
    assert_eq!(memory.settlement("e1").await, delivered(&["first"]));
    assert!(second.taken().is_empty());
    stop.cancel();
}

#[tokio::test(start_paused = true)]
async fn a_page_goes_to_the_second_channel_when_the_first_is_down() {
    let (first, second) = (Flaky::from(u32::MAX), Flaky::from(1));
    let effects = effects(&[("first", first.clone()), ("second", second.clone())]);
    let memory = Memory::wanting(vec![effect("e1", Urgency::Page, &["first", "second"])]);
    let stop = start(&effects, &memory);
    let settlement = memory.settlement("e1").await;
    let Settlement::Delivered {
        channels, failed, ..
    } = settlement
    else {
        panic!("{settlement:?}");
    };
    assert_eq!(channels, ["second".into()]);
    assert_eq!(failed, ["first: not now".into()]);
    assert_eq!(first.tries.load(Ordering::SeqCst), 3);
    stop.cancel();
}

#[tokio::test(start_paused = true)]
async fn a_notice_goes_to_everybody_once_though_one_of_them_takes_it_late() {
    let (first, second) = (Flaky::from(1), Flaky::from(20));
    let effects = effects(&[("first", first.clone()), ("second", second.clone())]);
    let memory = Memory::wanting(vec![effect("e1", Urgency::Notify, &["first", "second"])]);
    let stop = start(&effects, &memory);
    let settlement = memory.settlement("e1").await;
    assert_eq!(settlement, delivered(&["first", "second"]));
    assert_eq!(first.taken(), ["e1"]);
    assert_eq!(second.taken(), ["e1"]);
    stop.cancel();
}

#[tokio::test(start_paused = true)]
async fn what_nobody_takes_is_a_banner_and_given_up_after_an_hour() {
    let down = Flaky::from(u32::MAX);
    let effects = effects(&[("only", down.clone())]);
    let memory = Memory::wanting(vec![effect("e1", Urgency::Page, &["only", "gone"])]);
    let stop = start(&effects, &memory);
    let started = Instant::now();
    tokio::time::sleep(Duration::from_secs(30 * 60)).await;
    let troubles = effects.troubles();
    assert_eq!(troubles.len(), 1);
    let sentence = troubles[0].sentence();
    assert!(sentence.starts_with("nobody could be paged"), "{sentence}");
    assert!(sentence.contains("only: not now"), "{sentence}");
    assert!(sentence.contains("gone: no channel"), "{sentence}");
    let settlement = memory.settlement("e1").await;
    assert!(matches!(settlement, Settlement::Failed { why } if why.len() == 2));
    let minutes = started.elapsed().as_secs() / 60;
    assert!((60..=62).contains(&minutes), "{minutes} min");
    // The pauses grow, so an hour is not thousands of tries.
    assert!(down.tries.load(Ordering::SeqCst) < 300);
    while !effects.troubles().is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    stop.cancel();
}

#[tokio::test(start_paused = true)]
async fn an_effect_without_channels_is_settled_as_told_to_nobody() {
    let effects = effects(&[]);
    let memory = Memory::wanting(vec![effect("e1", Urgency::Notify, &[])]);
    let stop = start(&effects, &memory);
    assert_eq!(memory.settlement("e1").await, Settlement::Nobody);
    stop.cancel();
}

#[tokio::test(start_paused = true)]
async fn a_settlement_that_cannot_be_stored_is_stored_later_and_told_once() {
    let channel = Flaky::from(1);
    let effects = effects(&[("only", channel.clone())]);
    let memory = Memory::wanting(vec![effect("e1", Urgency::Page, &["only"])]);
    memory.refusals.store(5, Ordering::SeqCst);
    let stop = start(&effects, &memory);
    assert_eq!(memory.settlement("e1").await, delivered(&["only"]));
    assert_eq!(channel.taken(), ["e1"]);
    stop.cancel();
}

#[tokio::test(start_paused = true)]
async fn what_was_not_settled_is_told_again_after_a_restart_under_the_same_id() {
    let down = Flaky::from(u32::MAX);
    let memory = Memory::wanting(vec![effect("e1", Urgency::Page, &["only"])]);
    let before = effects(&[("only", down.clone())]);
    let stop = start(&before, &memory);
    while before.troubles().is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    stop.cancel();
    let well = Flaky::from(1);
    let stop = start(&effects(&[("only", well.clone())]), &memory);
    assert_eq!(memory.settlement("e1").await, delivered(&["only"]));
    assert_eq!(well.taken(), ["e1"]);
    stop.cancel();
}

#[tokio::test(start_paused = true)]
async fn one_that_cannot_be_told_does_not_hold_up_the_others() {
    let (down, well) = (Flaky::from(u32::MAX), Flaky::from(1));
    let effects = effects(&[("down", down), ("well", well.clone())]);
    let memory = Memory::wanting(vec![effect("e1", Urgency::Page, &["down"])]);
    let stop = start(&effects, &memory);
    memory.want(effect("e2", Urgency::Page, &["well"]));
    assert_eq!(memory.settlement("e2").await, delivered(&["well"]));
    assert_eq!(well.taken(), ["e2"]);
    stop.cancel();
}
