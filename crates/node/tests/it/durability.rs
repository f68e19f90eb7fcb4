//! P5: nothing is seen before it is stored, and nothing acknowledged is lost.

use leverframe_core::command::Idempotency;
use leverframe_node::{Next, Request, SubmitError};
use leverframe_store::memory::Failure;

use crate::bench::{Bench, SOON, close, frames};

#[tokio::test]
async fn a_change_that_cannot_be_stored_is_refused_and_nobody_sees_it() {
    let bench = Bench::new().await;
    bench.create_flag("checkout").await;
    bench.open("checkout", "prod", 50).await;
    let feed = bench.feed("prod");
    let (_, place) = frames(&feed, None);
    let revision = bench.node.state().revision();

    bench.disk.faults().fail_next_append(Failure::BeforeDurable);
    let definition = Box::new(crate::bench::boolean("other"));
    let create = || leverframe_core::Command::CreateFlag {
        definition: definition.clone(),
    };
    let refused = bench.submit(create()).await;
    assert!(
        matches!(refused, Err(SubmitError::Unavailable { .. })),
        "{refused:?}"
    );
    assert_eq!(bench.node.state().revision(), revision);
    assert!(matches!(feed.next(Some(&place)), Next::UpToDate));
    assert!(!bench.node.health().writable);
    assert!(!bench.node.health().problems.is_empty());

    bench.submit(create()).await.unwrap();
    assert!(bench.node.health().writable);
}

#[tokio::test]
async fn a_change_that_was_stored_though_the_store_said_no_goes_out_and_a_repeat_finds_it() {
    let bench = Bench::new().await;
    let idempotency = Some(Idempotency {
        key: "k1".into(),
        body_sha256: "b".into(),
    });
    let create = leverframe_core::Command::CreateFlag {
        definition: Box::new(crate::bench::boolean("checkout")),
    };
    let request = Request {
        idempotency,
        ..bench.request(create)
    };

    bench.disk.faults().fail_next_append(Failure::AfterDurable);
    let first = bench.node.submit(request.clone()).await;
    assert!(matches!(first, Err(SubmitError::Unavailable { .. })));
    assert!(bench.node.state().flag("checkout").is_some());

    let revision = bench.node.state().revision();
    let repeated = bench.node.submit(request).await.unwrap();
    assert_eq!(
        repeated.receipt.revision, revision,
        "the repeat is answered, not decided again"
    );
    assert_eq!(bench.node.state().revision(), revision);
}

#[tokio::test]
async fn a_kill_that_was_stored_though_the_store_said_no_is_called_stored() {
    let bench = Bench::new().await;
    bench.create_flag("checkout").await;
    bench.open("checkout", "prod", 50).await;
    bench.disk.faults().fail_next_append(Failure::AfterDurable);
    let killed = bench.kill("checkout", "prod").await.unwrap();
    assert!(killed.stored && killed.brake.is_none());
    assert_eq!(killed.receipt.revision, bench.node.state().revision());
    assert!(
        bench
            .node
            .state()
            .flag("checkout")
            .unwrap()
            .position("prod")
            .is_closed()
    );
}

#[tokio::test]
async fn commands_that_wait_together_are_stored_together_and_answered_one_by_one() {
    let bench = Bench::new().await;
    let commits = || {
        bench
            .node
            .measurements()
            .commits
            .load(std::sync::atomic::Ordering::Relaxed)
    };
    let began = commits();
    let keys: Vec<String> = (0..100).map(|n| format!("flag-{n}")).collect();
    let mut answers = Vec::new();
    for key in &keys {
        let definition = Box::new(crate::bench::boolean(key));
        let request = bench.request(leverframe_core::Command::CreateFlag { definition });
        let node = bench.node.clone();
        answers.push(tokio::spawn(async move {
            node.submit(request).await.unwrap().receipt.revision
        }));
    }
    let mut revisions = Vec::new();
    for answer in answers {
        revisions.push(answer.await.unwrap());
    }
    revisions.sort_unstable();
    revisions.dedup();
    assert_eq!(revisions.len(), 100, "each has a revision of its own");
    assert!(commits() - began < 100, "and they shared appends");
}

#[tokio::test]
async fn a_dry_run_answers_as_the_real_one_would_and_changes_nothing() {
    let bench = Bench::new().await;
    bench.create_flag("checkout").await;
    let revision = bench.node.state().revision();
    let request = Request {
        dry_run: true,
        ..bench.request(close("checkout", "prod"))
    };
    let tried = bench.node.submit(request).await.unwrap();
    assert!(tried.dry_run && !tried.stored);
    assert_eq!(tried.receipt.revision, revision + 1);
    assert_eq!(bench.node.state().revision(), revision);
}

#[tokio::test]
async fn a_node_whose_leadership_was_taken_writes_no_more() {
    let old = Bench::new().await;
    old.create_flag("checkout").await;
    let new = Bench::on(old.disk.clone()).await;
    let definition = Box::new(crate::bench::boolean("other"));
    let refused = old
        .submit(leverframe_core::Command::CreateFlag { definition })
        .await;
    assert!(
        matches!(refused, Err(SubmitError::Unavailable { .. })),
        "{refused:?}"
    );
    let killed = old.kill("checkout", "prod").await.unwrap();
    assert!(
        !killed.stored,
        "those who still follow it are closed all the same"
    );
    new.kill("checkout", "prod").await.unwrap();
}

#[tokio::test]
async fn a_repeat_that_comes_while_the_first_is_being_stored_gets_the_same_answer() {
    let bench = Bench::new().await;
    bench.create_flag("checkout").await;
    bench.open("checkout", "prod", 50).await;
    let idempotency = Some(Idempotency {
        key: "k1".into(),
        body_sha256: "b".into(),
    });
    let request = Request {
        idempotency,
        ..bench.request(close("checkout", "prod"))
    };
    // The writer is busy, so that both come to it together.
    let hang = bench.disk.faults().hang_appends();
    let submit = |request: Request| {
        let node = bench.node.clone();
        tokio::spawn(async move { node.submit(request).await })
    };
    let busy = submit(bench.request(leverframe_core::Command::CreateFlag {
        definition: Box::new(crate::bench::boolean("busy")),
    }));
    tokio::task::yield_now().await;
    let answers = [submit(request.clone()), submit(request)];
    tokio::task::yield_now().await;
    drop(hang);
    busy.await.unwrap().unwrap();
    let mut revisions = Vec::new();
    for answer in answers {
        revisions.push(answer.await.unwrap().unwrap().receipt.revision);
    }
    assert_eq!(revisions[0], revisions[1]);
}

#[tokio::test]
async fn a_change_is_refused_and_not_left_waiting_once_the_writer_is_gone() {
    let bench = Bench::new().await;
    bench.create_flag("checkout").await;
    // The writer dies of the next frame that it has encoded.
    let tape = std::sync::Arc::clone(&bench.tape);
    let poisoned = std::thread::spawn(move || {
        let _held = tape.0.lock().unwrap();
        panic!("so that whoever locks the tape next panics too");
    });
    assert!(poisoned.join().is_err());
    for flag in ["first", "second"] {
        let request = bench.request(leverframe_core::Command::CreateFlag {
            definition: Box::new(crate::bench::boolean(flag)),
        });
        let answer = tokio::time::timeout(SOON, bench.node.submit(request)).await;
        let Ok(Err(SubmitError::Unavailable { why, .. })) = answer else {
            panic!("{flag}: {answer:?}");
        };
        // The second may come before the dying thread has let go of the queue, or after.
        let is_told = why.contains("restart the server") || why.contains("stopping");
        assert!(is_told, "{flag}: {why}");
    }
    let is_told = |bench: &Bench| (!bench.node.health().writable).then_some(());
    bench.until(is_told).await;

    bench.tape.0.clear_poison();
    let killed = bench.kill("checkout", "prod").await.unwrap();
    assert!(!killed.stored, "a kill goes out all the same");
}
