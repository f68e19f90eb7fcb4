//! Any history of appends, mistakes, take-overs and crashes reads like a plain list.

use leverframe_core::{Entry, Timestamp};
use leverframe_store::{AppendError, Head};
use proptest::prelude::*;

use crate::contract::Adapter;
use crate::entries::entries;
use crate::memory::InMemory;
use crate::sqlite::InDirectory;

#[derive(Debug, Clone)]
enum Step {
    Append { count: usize },
    AppendAtWrongRevision { off_by: u64 },
    AppendWithStaleFence,
    AppendWithHole,
    TakeLeadership,
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1..6_usize).prop_map(|count| Step::Append { count }),
        1 => (1..3_u64).prop_map(|off_by| Step::AppendAtWrongRevision { off_by }),
        1 => Just(Step::AppendWithStaleFence),
        1 => Just(Step::AppendWithHole),
        1 => Just(Step::TakeLeadership),
        1 => Just(Step::Reopen),
    ]
}

fn reads_like_a_list<A: Adapter>(steps: &[Step]) {
    let place = A::fresh();
    let mut store = place.open();
    let mut list: Vec<Entry> = Vec::new();
    let mut stale = None;
    let mut fence = store.take_leadership(Timestamp::default()).unwrap();
    for step in steps {
        let head = list.last().map_or(Head::START, Head::of);
        match *step {
            Step::Append { count } => {
                let group = entries(head, count);
                store.append(head.revision, fence, &group).unwrap();
                list.extend(group);
            }
            Step::AppendAtWrongRevision { off_by } => {
                let refused = store.append(head.revision + off_by, fence, &entries(head, 1));
                assert!(matches!(refused, Err(AppendError::Conflict { .. })));
            }
            Step::AppendWithStaleFence => {
                if let Some(stale) = stale {
                    let refused = store.append(head.revision, stale, &entries(head, 1));
                    assert!(matches!(refused, Err(AppendError::Fenced { .. })));
                }
            }
            Step::AppendWithHole => {
                let mut group = entries(head, 3);
                group.remove(1);
                let refused = store.append(head.revision, fence, &group);
                assert!(matches!(refused, Err(AppendError::NotNext { .. })));
            }
            Step::TakeLeadership => {
                stale = Some(fence);
                fence = store.take_leadership(Timestamp::default()).unwrap();
            }
            Step::Reopen => {
                drop(store);
                store = place.open();
            }
        }
        assert_eq!(store.reader().read(0, usize::MAX).unwrap(), list);
    }
    let head = list.last().map_or(Head::START, Head::of);
    assert_eq!(
        store.reader().verify(Some(head), &mut |_| {}).unwrap(),
        head
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

    #[test]
    fn in_memory(steps in prop::collection::vec(step(), 0..30)) {
        reads_like_a_list::<InMemory>(&steps);
    }

    #[test]
    fn in_sqlite(steps in prop::collection::vec(step(), 0..30)) {
        reads_like_a_list::<InDirectory>(&steps);
    }
}
