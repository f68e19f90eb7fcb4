//! The guard: what stops going forward by itself.

use std::time::Duration;

use leverframe_node::Options;
use leverframe_store::memory::{Disk, Failure};

use crate::bench::{Bench, boolean, environment_key};

async fn quick() -> Bench {
    let options = Options {
        tick: Duration::from_millis(10),
        ..Options::default()
    };
    Bench::with(Disk::new(), options).await
}

#[tokio::test]
async fn nothing_goes_forward_while_changes_cannot_be_stored() {
    let bench = quick().await;
    let prod = environment_key("prod");
    assert_eq!(bench.node.is_held(&prod), None);
    bench
        .disk
        .faults()
        .fail_appends(Some(Failure::BeforeDurable));
    let create = || leverframe_core::Command::CreateFlag {
        definition: Box::new(boolean("checkout")),
    };
    bench.submit(create()).await.unwrap_err();
    let why = bench.until(|bench| bench.node.is_held(&prod)).await;
    assert!(why.contains("could not be stored"), "{why}");
    let problems = bench.node.health().problems;
    assert!(
        problems
            .iter()
            .any(|problem| problem.contains("nothing goes forward in prod"))
    );
    bench.disk.faults().fail_appends(None);
    bench.submit(create()).await.unwrap();
    bench
        .until(|bench| bench.node.is_held(&prod).is_none().then_some(()))
        .await;
}
