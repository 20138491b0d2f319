use super::*;
use crate::content::MAX_FILE_SIZE;
use proptest::prelude::*;

#[test]
fn what_comes_next() {
    let small = PartPlan::for_size(5).unwrap();
    let large = PartPlan::for_size(130 * 1024 * 1024).unwrap(); // 17 parts, 3 segments
    assert_eq!(next(State::Pending, &small, false, &[]), Next::PutWhole);
    assert_eq!(next(State::Failed, &small, false, &[]), Next::PutWhole);
    assert_eq!(next(State::Available, &small, false, &[]), Next::Nothing);
    assert_eq!(next(State::Pending, &large, false, &[]), Next::BeginMultipart);
    assert_eq!(next(State::Copying, &large, true, &[1]), Next::Copy(vec![0, 2]));
    assert_eq!(next(State::Copying, &large, true, &[2, 0, 1]), Next::Finish);
    assert_eq!(next(State::Available, &large, true, &[0, 1, 2]), Next::Nothing);
}

/// Ten thousand segments are the most there are; comparing each with each takes a second where this takes none.
#[test]
#[expect(clippy::disallowed_methods, reason = "it measures")]
fn many_segments_are_compared_in_one_go() {
    let largest = PartPlan::for_size(MAX_FILE_SIZE).unwrap();
    let count = SegmentPlan::of(&largest).segment_count();
    assert_eq!(count, 10_000);
    let recorded: Vec<u32> = (0..count - 1).rev().collect();
    let begun = std::time::Instant::now();
    for _ in 0..20 {
        let left = next(State::Copying, &largest, true, &recorded);
        assert_eq!(left, Next::Copy(vec![count - 1]));
    }
    assert!(begun.elapsed().as_millis() < 500, "{:?}", begun.elapsed());
}

#[test]
fn back_off_grows_and_is_bounded() {
    assert_eq!(back_off(1, 0.0), SignedDuration::from_secs(2));
    assert_eq!(back_off(1, 1.0), SignedDuration::from_secs(1));
    assert_eq!(back_off(100, 0.0), SignedDuration::from_secs(300));
    assert_eq!(back_off(0, 0.0), SignedDuration::from_secs(2));
}

#[test]
fn messages_have_a_stable_form() {
    let message = Message::Copy {
        blob: "b1".parse().unwrap(),
        target: "ceph".into(),
        segment: 3,
    };
    let text = serde_json::to_string(&message).unwrap();
    assert_eq!(text, r#"{"step":"copy","blob":"b1","target":"ceph","segment":3}"#);
    assert_eq!(serde_json::from_str::<Message>(&text).unwrap(), message);
}

const STATES: [State; 4] = [State::Pending, State::Copying, State::Available, State::Failed];
const EVENTS: [ReplicaEvent; 6] = [
    ReplicaEvent::Begin,
    ReplicaEvent::Record,
    ReplicaEvent::Arrive,
    ReplicaEvent::GiveUp,
    ReplicaEvent::Redrive,
    ReplicaEvent::Lose,
];

#[test]
fn what_may_happen_in_which_state() {
    use State::{Available, Copying, Failed, Pending};
    let expected = |state, begun| match (state, begun) {
        (Pending, true) => [None, None, Some(Available), Some(Failed), None, None],
        (Pending | Copying, false) => [Some(Copying), None, Some(Available), Some(Failed), None, None],
        (Copying, true) => [None, Some(Copying), Some(Available), Some(Failed), None, None],
        (Available, _) => [None, None, None, None, None, Some(Pending)],
        (Failed, false) => [None, None, Some(Available), None, Some(Pending), None],
        (Failed, true) => [None, Some(Failed), Some(Available), None, Some(Copying), None],
    };
    for (state, begun) in STATES.iter().flat_map(|state| [(*state, false), (*state, true)]) {
        let steps = EVENTS.map(|event| step(state, event, begun));
        assert_eq!(steps, expected(state, begun), "{state:?} {begun}");
    }
}

proptest! {
    // Whatever happens to however many replicas, the sum of all changes is how many there are in each state.
    #[test]
    fn the_counters_is_the_sum_of_what_happened(
        events in prop::collection::vec((0usize..4, 0usize..EVENTS.len()), 0..100),
    ) {
        let sizes = [1u64, 10, 100, 1000];
        let mut states = [State::Pending; 4];
        let mut counters = ReplicaCounters::default();
        for size in sizes {
            counters += ReplicaCounters::moved(None, Some(State::Pending), size);
        }
        for (index, event) in events {
            let from = states[index];
            if let Some(to) = step(from, EVENTS[event], from == State::Copying) {
                counters += ReplicaCounters::moved(Some(from), Some(to), sizes[index]);
                states[index] = to;
            }
        }
        let mut counted = ReplicaCounters::default();
        for (state, size) in states.iter().zip(sizes) {
            counted += ReplicaCounters::moved(None, Some(*state), size);
        }
        prop_assert_eq!(counters, counted);
        for (state, size) in states.iter().zip(sizes) {
            counters += ReplicaCounters::moved(Some(*state), None, size);
        }
        prop_assert!(counters.is_empty() && counters == ReplicaCounters::default());
    }

    #[test]
    fn segments_tile_the_parts(size in 0..=MAX_FILE_SIZE) {
        let parts = PartPlan::for_size(size).unwrap();
        let segments = SegmentPlan::of(&parts);
        let mut expected = 1;
        for segment in 0..segments.segment_count() {
            let range = segments.parts(segment).unwrap();
            prop_assert_eq!(*range.start(), expected);
            prop_assert!(range.end() >= range.start());
            expected = range.end() + 1;
        }
        prop_assert_eq!(expected, parts.part_count() + 1);
        prop_assert_eq!(segments.parts(segments.segment_count()), None);
    }
}
